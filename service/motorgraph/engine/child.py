"""One forked process, as the front sees it, and what its end means for the answer that it was at."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from typing import Protocol

from motorgraph.engine.answer import Answer
from motorgraph.engine.process import take_turns_of
from motorgraph.engine.wire import Frames, Kind
from motorgraph.errors import DeadlineExceeded, OutOfMemory, ReaderDied, Refusal
from motorgraph.limits import Limits

SHORT_TURN, USUAL_TURN = 0.0001, 0.0
"""Seconds for which a reader has a processor at a time if others want it, for what is over in a moment and for all else; 0: as
usual."""
LAST = (Kind.END, Kind.FAILED)


class Owner(Protocol):
    """Who is told of what a process does."""

    def finished(self, reader: Reader, answer: Answer) -> None:
        """It has given its whole answer, or said why there is none."""

    def lost(self, reader: Reader) -> None:
        """Its socket has closed."""

    def counted(self, reader: Reader, told: bytes) -> None:
        """It tells what it has counted."""


class Reader(asyncio.Protocol):
    """One forked process, as the front sees it."""

    def __init__(self, pid: int, generation: int | None, owner: Owner) -> None:
        self.pid = pid
        self.generation = generation
        self.answer: Answer | None = None
        self.line: deque[Answer] = deque()
        self.is_retired = generation is None
        self.is_nice = False
        self._has_short_turns: bool | None = None
        self.has_worked = False
        """Whether it owns a copy of what it has looked at: the engine counts in each piece of its memory who looks at it."""
        self.is_outlived = False
        """Whether the keeper has given up the memory that it was forked from: then it owns alone what all others share."""
        self.deltas = 0
        self._owed: list[bytes] = []
        self.born = self.idle_since = time.monotonic()
        self.cause: int | None = None
        self._since = 0.0
        self._owner = owner
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream socket gives a Transport

    def begin(self, answer: Answer, data: bytes) -> bool:
        """Sends a job whose frames go to `answer`; false if it comes after others that the reader has already."""
        answer.reader = self
        self._owed.append(data)
        self.settle()
        if self.answer is not None:
            self.line.append(answer)
            return False
        self._take_up(answer)
        return True

    def take_turns(self, *, is_short: bool) -> None:
        """Has it begin at once with what is over in a moment, though others are at more."""
        if self._has_short_turns is not is_short and not self.is_nice:
            self._has_short_turns = is_short
            take_turns_of(SHORT_TURN if is_short else USUAL_TURN, self.pid)

    def _take_up(self, answer: Answer | None) -> None:
        """It is at this now."""
        self.answer = answer
        if answer is not None and answer.charge is not None:
            self._since = time.monotonic()

    def tell_spent(self) -> None:
        """Charges what it has worked on its answer so far, once."""
        if self.answer is not None and self.answer.charge is not None:
            now = time.monotonic()
            self.answer.charge(now - self._since)
            self._since = now

    def owe(self, data: bytes) -> None:
        """Has it told of a delta, which has no answer, before the next job: at once or when there is time, by `settle`."""
        self.deltas += 1
        self._owed.append(data)

    @property
    def is_owed(self) -> bool:
        """Whether there are deltas that it has not been told of."""
        return bool(self._owed)

    def settle(self) -> None:
        """Sends what it is owed; the reader comes to it after what it was sent before."""
        self.has_worked = True
        if self._transport is not None:
            self._transport.write(b"".join(self._owed))
        self._owed.clear()

    def data_received(self, data: bytes) -> None:
        for kind, payload in self._frames.feed(data):
            if kind is Kind.COUNTED:
                self._owner.counted(self, payload)
                continue
            answer = self.answer
            if answer is None:
                continue
            if kind in LAST:  # the reader can go on before the client has its answer
                self.tell_spent()
                self._take_up(self.line.popleft() if self.line else None)
                self.resume()  # its last piece may have made it pause
                self._owner.finished(self, answer)
            answer.receive(kind, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.tell_spent()
        self._owner.lost(self)

    @property
    def is_gone(self) -> bool:
        """Whether its socket is closed."""
        return self._transport is None

    def pause(self) -> None:
        """Takes no more of its bytes until the client has taken some; the reader then waits in its write."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Takes its bytes again."""
        if self._transport is not None and not self._transport.is_reading():
            self._transport.resume_reading()

    def close(self) -> None:
        """Lets the process end by itself, which it does when its socket closes."""
        self.is_retired = True
        if self._transport is not None:
            self._transport.abort()


def too_long(seconds: float, what: str) -> Refusal:
    """The refusal of a query that has had its time; `what` says what it spent it on."""
    return DeadlineExceeded(
        f"The query was stopped after {seconds:g} seconds (setting query_seconds) {what}. "
        "Ask for less: bind more variables, join by shared variables, add a LIMIT.",
        seconds=seconds,
    )


def cause_of_death(cause: int, limits: Limits) -> Refusal:
    """What the signal that ended a process says about the query that it was at (0: it ended by itself)."""
    if cause == signal.SIGALRM:
        return too_long(limits.seconds, "of work")
    if cause == signal.SIGABRT:
        return OutOfMemory(
            f"The query needed more than {limits.memory >> 20} MiB (setting query_memory). "
            "Ask for less at once: sort or group fewer rows, use no cross product."
        )
    if cause == signal.SIGSEGV:
        return ReaderDied("The query is nested too deeply to be read. Use fewer brackets, braces or operators within each other.")
    name = signal.Signals(cause).name if cause else "no signal"
    return ReaderDied(
        f"The process that answered this query ended ({name}) before it was done. Nothing else is harmed; ask again."
    )
