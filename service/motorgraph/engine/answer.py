"""An answer on its way from a reader to a client: held while it is short, then handed on as fast as the client takes it."""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Protocol

from motorgraph.engine.wire import END, Job, Kind
from motorgraph.errors import Broken, retold
from motorgraph.limits import SPILL_SECONDS

HOLD_BYTES = 256 * 1024
HIGH_BYTES = 1 << 20
LOW_BYTES = 256 * 1024
SPOOL_READ_BYTES = 256 * 1024
payer: ContextVar[Callable[[float], None] | None] = ContextVar("payer", default=None)
"""Who is charged with what the request under way has processes work on."""
HEAD, DATA, ENDS = Kind.HEAD, Kind.DATA, Kind.END  # to look one up in its class costs as much as a call


class Source(Protocol):
    """What an answer asks of the reader that it comes from."""

    def pause(self) -> None:
        """Takes no more of its bytes for now."""

    def resume(self) -> None:
        """Takes its bytes again."""


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer is: solutions, boolean, graph or json; its media type; gzip or "" as its content encoding; the commit of the
    graph that it is from."""

    form: str
    media_type: str
    encoding: str
    commit: int = 0


@lru_cache(maxsize=64)
def _head(payload: bytes) -> Head:
    form, media_type, encoding, commit = payload.decode().split(" ")
    return Head(form, media_type, encoding, int(commit))


class Overflow:
    """The bytes of an answer that its client is too slow for, in a file, so that the reader can go on to other work."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._read = 0
        self.size = 0

    def push(self, data: bytes) -> None:
        """Adds bytes at the end."""
        self._file.seek(0, 2)
        self._file.write(data)
        self.size += len(data)

    def pop(self) -> bytes:
        """The next bytes from the beginning; b"" if there are none."""
        self._file.seek(self._read)
        data = self._file.read(SPOOL_READ_BYTES)
        self._read += len(data)
        return data

    def close(self) -> None:
        """Gives the file back."""
        self._file.close()


def _nothing(answer: Answer) -> None:
    """What is done where nobody asked for more."""


class Answer:
    """An answer to a job. `body` is the whole of it when it was short, None when it streams."""

    head = Head("", "", "")
    rows = 0
    size = 0
    started = 0.0
    turn = 0.0  # by which those that wait are put in order
    is_long = False
    is_paused = False
    is_slow = False
    is_unwanted = False
    created = False
    account = b""  # what a draft has told of its change, where that was wanted
    has_begun = False  # the client may have seen some of it, so that it cannot be started again
    tag = ""  # what beside the commit tells it from other answers, where the front knows that
    reader: Source | None = None
    overflow: Overflow | None = None
    on_open: Callable[[Answer], None] = staticmethod(_nothing)
    on_pause: Callable[[Answer], None] = staticmethod(_nothing)
    on_end: Callable[[Answer], None] = staticmethod(_nothing)
    charge: Callable[[float], None] | None = None  # is told of the seconds that processes have been at it
    is_kept = False  # nobody had to work it out
    is_unmodified = False  # the client has it already
    _held = 0
    _spilt_at = 0.0
    _record: list[bytes] | None = None
    _most_remembered = 0
    _refusal: Exception | None = None
    _failure: Exception | None = None
    _is_whole = False
    _more: asyncio.Future[None] | None = None
    _opened: asyncio.Future[None]

    def __init__(self, job: Job, deadline: float) -> None:
        self.job = job
        self.deadline = deadline
        self.asked = time.monotonic()
        self._pieces: deque[bytes] = deque()

    @classmethod
    def whole(cls, job: Job, head: Head, pieces: Iterable[bytes], rows: int, size: int) -> Answer:
        """An answer of which everything is here from the beginning."""
        answer = cls(job, math.inf)
        answer.head, answer.rows, answer.size = head, rows, size
        answer._pieces.extend(pieces)
        answer._held = size
        answer.has_begun = answer._is_whole = answer.is_kept = True
        return answer

    @classmethod
    def unmodified(cls, job: Job, commit: int, tag: str) -> Answer:
        """What stands for an answer that its client holds already."""
        answer = cls.whole(job, Head("", "", "", commit), (), 0, 0)
        answer.tag, answer.is_unmodified = tag, True
        return answer

    @property
    def body(self) -> bytes | None:
        """The whole body if it is here and short; None while it streams, or is so long that it should."""
        is_short = self._is_whole and self.overflow is None and self._held <= HIGH_BYTES + HOLD_BYTES
        return b"".join(self._pieces) if is_short else None

    def remember(self, most_bytes: int) -> None:
        """From now on holds on to what it gives out, as long as that is not over `most_bytes`."""
        self._record, self._most_remembered = [], most_bytes

    @property
    def remembered(self) -> list[bytes] | None:
        """All pieces of an answer that has come whole, if it was to remember them and could."""
        return self._record if self._is_whole else None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._is_whole or self._failure is not None

    @property
    def is_refused(self) -> bool:
        """Whether it has failed before any of it was given out."""
        return self._refusal is not None

    async def opened(self) -> None:
        """Waits until it is whole or too long to be held. Raises the refusal if it fails before that."""
        if not self.has_begun:
            self._opened = asyncio.get_running_loop().create_future()
            self.on_open = Answer._let_in
            await self._opened
        if self._refusal is not None:
            raise self._refusal

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body piece by piece. Raises Broken if the reader fails on the way."""
        while True:
            while piece := self._next_piece():
                yield piece
            if self._failure is not None:
                raise Broken(str(self._failure)) from self._failure
            if self._is_whole:
                return
            self._more = asyncio.get_running_loop().create_future()
            await self._more

    def _next_piece(self) -> bytes:
        if self._pieces:
            piece = self._pieces.popleft()
            self._held -= len(piece)
            if self.is_paused and self._held < LOW_BYTES and self.reader is not None:
                self.is_paused = False
                self.reader.resume()
            return piece
        return self.overflow.pop() if self.overflow is not None else b""

    def receive(self, kind: Kind, payload: bytes) -> None:
        """Takes the next frame of the reader."""
        if kind is DATA:
            self._take(payload)
        elif kind is HEAD:
            self.head = _head(payload)
        elif kind is ENDS:
            self.rows, _, self.created = END.unpack(payload)
            self._is_whole = True
            self._open()
            self.on_end(self)
        else:
            told = json.loads(payload)
            self.fail(retold(told["kind"], told["detail"], told["members"]))
        self._wake()

    def _take(self, payload: bytes) -> None:
        self.size += len(payload)
        if self._record is not None:
            self._record.append(payload)
            if self.size > self._most_remembered:
                self._record = None
        if self.is_unwanted:
            return
        if self.overflow is not None:
            self.overflow.push(payload)
            return
        self._pieces.append(payload)
        self._held += len(payload)
        if self._held >= HOLD_BYTES:
            self._open()
        if self._held >= HIGH_BYTES and not self.is_paused and self.reader is not None:
            self.is_paused = True
            self.reader.pause()
            self.on_pause(self)

    def spill(self, room: int) -> None:
        """From now on takes all that the reader has, whatever the client takes. Raises OSError if there is no `room` for it."""
        if room <= 0:
            raise OSError("too many bytes of other answers lie in files already")
        self.overflow = Overflow()
        self._spilt_at = time.monotonic()
        self.is_paused = False
        if self.reader is not None:
            self.reader.resume()

    @property
    def spilt_bytes(self) -> int:
        """How much of it lies in a file."""
        return self.overflow.size if self.overflow is not None else 0

    @property
    def has_spilt_long(self) -> bool:
        """Whether it has been written to a file for so long that its end is not in sight."""
        return self._spilt_at > 0 and time.monotonic() - self._spilt_at >= SPILL_SECONDS

    def fail(self, failure: Exception) -> None:
        """Ends the answer: as a refusal if nothing of it has been given out, else by breaking it."""
        if self.is_over:
            return
        self._failure = failure
        if not self.has_begun:
            self._refusal = failure
        self._open()
        self._wake()
        self.on_end(self)

    def restart(self) -> None:
        """Forgets what has come, since another reader will begin anew."""
        self._pieces.clear()
        if self._record is not None:
            self._record.clear()
        self._held = self.size = 0
        self.is_paused = self.is_long = False
        self.reader = None

    def close(self) -> None:
        """Gives back what it holds."""
        if self.overflow is not None:
            self.overflow.close()

    def _open(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self.on_open(self)

    def _let_in(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)
