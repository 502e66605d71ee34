"""The result cache: whole answers that need not be worked out again as long as nobody has written."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from motorgraph.engine.answer import Answer, Head
from motorgraph.engine.wire import Job

LARGEST_SHARE = 8  # no answer may take more than one part in so many
ENTRY_BYTES = 1024  # what an entry costs beside its bytes and the text of its query


@dataclass(frozen=True, slots=True)
class _Entry:
    head: Head
    pieces: tuple[bytes, ...]
    rows: int
    size: int
    cost: int


class Kept:
    """The answers that are kept, by job and commit, in at most `most_bytes`; what was not asked for the longest goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[tuple[Job, int], _Entry] = OrderedDict()
        self.bytes = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, job: Job, commit: int) -> Answer | None:
        """The answer to a job from the graph of a commit, as if a reader had just given it; None if it is not kept."""
        entry = self._entries.get((job, commit))
        if entry is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end((job, commit))
        return Answer.whole(job, entry.head, entry.pieces, entry.rows, entry.size)

    def watch(self, answer: Answer) -> None:
        """From its first byte on an answer remembers what it gives out, unless it grows too long to be kept."""
        if self._most_bytes:
            answer.remember(self._most_bytes // LARGEST_SHARE)

    def keep(self, answer: Answer) -> None:
        """Keeps an answer that was watched, if all of it has come."""
        pieces = answer.remembered
        if pieces is None:
            return
        key = (answer.job, answer.head.commit)
        cost = answer.size + len(answer.job.text) + ENTRY_BYTES
        if key in self._entries or cost > self._most_bytes // LARGEST_SHARE:
            return
        self._entries[key] = _Entry(answer.head, tuple(pieces), answer.rows, answer.size, cost)
        self.bytes += cost
        while self.bytes > self._most_bytes:
            self.bytes -= self._entries.popitem(last=False)[1].cost
