"""The bounds on what one client may ask, and how many readers share the machine."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE_SECONDS = 0.02
QUICK_SECONDS = 0.004
MOMENT_SECONDS = 0.001
MOST_AHEAD = 3
MOST_DELTAS = 500
PRECEDENCE_SECONDS = 0.25
IDLE_SECONDS = 10.0
REST_SECONDS = 60.0  # after which a reader that had something to do gives back what it has copied for that
LONG_SECONDS = 1.0
PAUSE_SECONDS = 0.03
SPARE_SECONDS = 0.25
RETRY_SECONDS = 0.5
SPILL_SECONDS = 1.0
HELD_UP_SECONDS = 30.0  # how long a write waits for its turn, and any job for a process
STOPPED_SECONDS = 5.0
KEEPER_STOPPED_SECONDS = 60.0
KNOWN_QUERIES = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and counts; see settings.py for what each is for.

    `readers` is the most that run at once; `reserve` of them are kept for queries that have only just begun. `express` more stand
    by for small queries alone, so that none waits for larger ones.
    `past_readers` may be at work on older commits at once, `past_queue` jobs wait for them; to go back may take `past_seconds`.
    `validations` may be judged at once, `validation_queue` wait for them; a text to be judged has up to `validation_bytes`.
    `may_open` is how many files and sockets a reader may open: none, unless SERVICE is allowed.
    """

    readers: int = 4
    reserve: int = 2
    express: int = 0
    seconds: float = 30.0
    memory: int = 1 << 30
    answer_bytes: int = 1 << 30
    rows: int = 10_000_000
    query_bytes: int = 1 << 20
    body_bytes: int = 256 << 20
    queue: int = 256
    may_open: int = 0
    past_readers: int = 2
    past_queue: int = 32
    past_seconds: float = 60.0
    validations: int = 2
    validation_queue: int = 16
    validation_bytes: int = 8 << 20

    @property
    def long_slots(self) -> int:
        """How many readers may be at work on long queries while others wait."""
        return max(self.readers - self.reserve, 0)
