"""The front's side of the engine: gives each job to a reader, keeps small queries from waiting for big ones, replaces the dead.

A query that runs longer than `PATIENCE_SECONDS` (or three times what it took before) is *long*. As many readers as the limits
leave beside the reserve may be long; each is reniced and a fresh reader forked beside it. A long query beyond that number is
put aside when somebody waits: its reader is killed, and it starts again when a long one ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

from motorgraph.engine.control import Control
from motorgraph.engine.wire import Frames, Job, Kind, encode_job, frame
from motorgraph.errors import (
    Broken,
    DeadlineExceeded,
    NotReady,
    OutOfMemory,
    QueueFull,
    ReaderDied,
    Refusal,
    Unavailable,
    retold,
)
from motorgraph.limits import IDLE_SECONDS, KNOWN_QUERIES, PATIENCE_SECONDS, Limits

HOLD_BYTES = 256 * 1024
HIGH_BYTES = 1 << 20
LOW_BYTES = 256 * 1024
log = logging.getLogger("motorgraph.engine")


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer is: solutions, boolean, graph or json; its media type; gzip or "" as its content encoding."""

    form: str
    media_type: str
    encoding: str


class Answer:
    """An answer as it arrives from a reader. `body` is the whole of it when it was short, None when it streams."""

    def __init__(self, job: Job, deadline: float) -> None:
        self.job = job
        self.deadline = deadline
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.head = Head("", "", "")
        self.rows = 0
        self.bytes = 0
        self.started = 0.0
        self.seconds = 0.0
        self.is_long = False
        self.created = False
        self.reader: Reader | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._failure: Exception | None = None
        self._is_whole = False
        self._more: asyncio.Future[None] | None = None

    @property
    def body(self) -> bytes | None:
        """The whole body if it is here; None while it streams."""
        return b"".join(self._pieces) if self._is_whole else None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body piece by piece. Raises Broken if the reader fails on the way."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._held -= len(piece)
                if self.reader is not None and self._held < LOW_BYTES:
                    self.reader.resume()
                yield piece
            if self._is_whole:
                return
            if self._failure is not None:
                raise Broken(str(self._failure)) from self._failure
            self._more = asyncio.get_running_loop().create_future()
            await self._more

    def receive(self, kind: Kind, payload: bytes) -> None:
        """Takes the next frame of the reader."""
        if kind is Kind.DATA:
            self._pieces.append(payload)
            self._held += len(payload)
            self.bytes += len(payload)
            if self._held >= HOLD_BYTES:
                self._open()
            if self._held >= HIGH_BYTES and self.reader is not None:
                self.reader.pause()
        elif kind is Kind.HEAD:
            self.head = Head(**json.loads(payload))
        elif kind is Kind.END:
            end = json.loads(payload)
            self.rows = end.get("rows", 0)
            self.created = end.get("created", False)
            self._is_whole = True
            self._open()
        else:
            told = json.loads(payload)
            self.fail(retold(told["kind"], told["detail"], told["members"]))
        self._wake()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._is_whole or self._failure is not None

    @property
    def has_begun(self) -> bool:
        """Whether the client may have seen some of it, so that it cannot be started again."""
        return self.opened.done()

    def fail(self, failure: Exception) -> None:
        """Ends the answer: as a refusal if nothing of it has been given out, else by breaking it."""
        if self.is_over:
            return
        self._failure = failure
        if not self.opened.done():
            self.opened.set_exception(failure)
        self._wake()

    def restart(self) -> None:
        """Forgets what has come, since another reader will begin anew."""
        self._pieces.clear()
        self._held = self.bytes = 0
        self.reader = None

    def _open(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)


class Reader(asyncio.Protocol):
    """One forked process, as the front sees it."""

    def __init__(self, pid: int, generation: int, pool: Pool) -> None:
        self.pid = pid
        self.generation = generation
        self.answer: Answer | None = None
        self.is_retired = False
        self.idle_since = time.monotonic()
        self.cause: int | None = None
        self._pool = pool
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream socket gives a Transport

    def begin(self, answer: Answer, data: bytes) -> None:
        """Sends a job; its frames go to `answer`."""
        self.answer = answer
        answer.reader = self
        if self._transport is not None:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        for kind, payload in self._frames.feed(data):
            answer = self.answer
            if answer is None:
                continue
            answer.receive(kind, payload)
            if kind in (Kind.END, Kind.FAILED):
                self.answer = None
                self._pool.finished(self, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._pool.lost(self)

    @property
    def is_gone(self) -> bool:
        """Whether its socket is closed."""
        return self._transport is None

    def pause(self) -> None:
        """Takes no more of its bytes until the client has taken some (the reader then waits in its write)."""
        if not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Takes its bytes again."""
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """Lets the process end by itself, which it does when its socket closes."""
        self.is_retired = True
        if self._transport is not None:
            self._transport.close()


class Pool:
    """The readers of one keeper, and the jobs that wait for them."""

    def __init__(self, control: Control, limits: Limits) -> None:
        self.limits = limits
        self.generation = 0
        self.deaths = 0
        self.parked_total = 0
        self._control = control
        self._readers: dict[int, Reader] = {}
        self._idle: list[Reader] = []
        self._waiting: deque[Answer] = deque()
        self._parked: deque[Answer] = deque()
        self._long: set[Answer] = set()
        self._forking = 0
        self._known: OrderedDict[tuple[str, tuple[str, ...]], float] = OrderedDict()
        self._apart: dict[int, Reader] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = False
        self._has_reader = asyncio.Event()
        self._trim: asyncio.TimerHandle | None = None
        control.on_exit = self._exited

    # What the rest of the front asks for

    async def open(self) -> None:
        """Forks the first readers; answers are given from now on."""
        self._is_open = True
        self._refill()
        await self._has_reader.wait()
        self._trim_later()

    def close(self) -> None:
        """Answers nothing more; what runs is failed."""
        self._is_open = False
        if self._trim:
            self._trim.cancel()
        for answer in [*self._waiting, *self._parked, *(r.answer for r in self._readers.values() if r.answer)]:
            answer.fail(Unavailable("The service is shutting down."))
        for reader in list(self._readers.values()):
            reader.close()

    @property
    def queue(self) -> int:
        """How many jobs wait."""
        return len(self._waiting) + len(self._parked)

    @property
    def running(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    @property
    def pids(self) -> list[int]:
        """The processes of the readers."""
        return list(self._readers)

    async def answer(self, job: Job) -> Answer:
        """The answer to a job, once it is whole or too long to be held. Raises the Refusal that the job met.

        The caller hands it to `release` when it is done with it.
        """
        if not self._is_open:
            raise NotReady("The graph is being loaded; /ready says when it is there.")
        now = time.monotonic()
        answer = Answer(job, now + self.limits.seconds)
        if self._idle and not self._waiting and not self._waits_for_long(answer):
            self._start(answer, self._idle.pop())
        else:
            self._enqueue(answer)
        try:
            await answer.opened
        except BaseException:
            self.release(answer)
            raise
        return answer

    async def alone(self, job: Job, *, role: str = "reader") -> bytes:
        """The answer to a job of our own from a process of its own, without the limits of clients."""
        reader = await self._connect(*await self._control.fork(role, memory=0, may_open=0), None)
        answer = Answer(job, float("inf"))
        reader.begin(answer, encode_job(job))
        try:
            return b"".join([piece async for piece in answer.pieces()])
        except Broken as broken:
            raise broken.__cause__ or broken from None
        finally:
            reader.close()

    async def rehearse(self, job: Job, body: bytes) -> Answer:
        """Runs a write in a draft; when it stands there, the keeper does it and every new query sees it. Raises Refusal."""
        memory = self.limits.memory + 4 * len(body)
        reader = await self._connect(*await self._control.fork("draft", memory=memory, may_open=0), None)
        answer = Answer(job, float("inf"))
        try:
            reader.begin(answer, encode_job(job, self.limits.seconds) + frame(Kind.DATA, body))
            await answer.opened
            await self._control.apply(reader.pid)
        finally:
            reader.close()
        self._renew()
        return answer

    def release(self, answer: Answer) -> None:
        """Says that nobody wants the rest of an answer; its reader is freed at once."""
        if answer.timer is not None:
            answer.timer.cancel()
        for queue in (self._waiting, self._parked):
            with suppress(ValueError):
                queue.remove(answer)
        self._long.discard(answer)
        reader = answer.reader
        if reader is not None and reader.answer is answer:
            self._kill(reader)
        self._dispatch()

    # Scheduling

    def _enqueue(self, answer: Answer) -> None:
        if self.queue >= self.limits.queue:
            raise QueueFull(f"{self.queue} queries wait already (setting queue_length). Try again in a second.")
        loop = asyncio.get_running_loop()
        answer.timer = loop.call_later(self.limits.seconds, self._waited_too_long, answer)
        (self._parked if self._waits_for_long(answer) else self._waiting).append(answer)
        self._dispatch()

    def _waits_for_long(self, answer: Answer) -> bool:
        """Whether it is known to be long, and as many long ones run as may."""
        known = self._known.get(_text(answer), 0.0)
        return known > 1.0 and 0 < self.limits.long_slots <= len(self._long)

    def _waited_too_long(self, answer: Answer) -> None:
        for queue in (self._waiting, self._parked):
            with suppress(ValueError):
                queue.remove(answer)
        answer.fail(_too_long(self.limits.seconds, "while it waited for other long queries"))

    def _dispatch(self) -> None:
        """Gives waiting jobs to idle readers; makes room if there are none."""
        while self._waiting and self._idle:
            self._start(self._waiting.popleft(), self._idle.pop())
        if self._parked and self._idle and len(self._long) < max(self.limits.long_slots, 1):
            self._start(self._parked.popleft(), self._idle.pop())
        if self._waiting or (self._parked and len(self._long) < max(self.limits.long_slots, 1)):
            self._make_room()

    def _make_room(self) -> None:
        if not self._is_open or self._forking >= len(self._waiting) + len(self._parked):
            return
        if len(self._readers) + self._forking < self.limits.readers:
            self._fork()
        elif self._waiting:
            self._park_one()

    def _park_one(self) -> None:
        """Puts aside the newest query that runs long beyond the number that may, if nothing of it has been sent."""
        overdue = [
            r.answer
            for r in self._readers.values()
            if r.answer and r.answer.is_long and r.answer not in self._long and not r.answer.has_begun
        ]
        if not overdue:
            return
        answer = max(overdue, key=lambda a: a.started)
        reader = answer.reader
        answer.restart()
        answer.is_long = False
        self.parked_total += 1
        self._known[_text(answer)] = max(self._known.get(_text(answer), 0.0), 2.0)
        answer.timer = asyncio.get_running_loop().call_later(
            max(answer.deadline - time.monotonic(), 0), self._waited_too_long, answer
        )
        self._parked.append(answer)
        if reader is not None:
            self._kill(reader)

    def _start(self, answer: Answer, reader: Reader) -> None:
        loop = asyncio.get_running_loop()
        if answer.timer is not None:
            answer.timer.cancel()
        answer.started = time.monotonic()
        known = self._known.get(_text(answer), 0.0)
        patience = PATIENCE_SECONDS if known > 1.0 else max(PATIENCE_SECONDS, 3 * known)
        answer.timer = loop.call_later(patience, self._overdue, answer)
        reader.begin(answer, encode_job(answer.job, max(answer.deadline - answer.started, 0.001)))

    def _overdue(self, answer: Answer) -> None:
        """A query has run longer than is usual: from now on it counts as long."""
        reader = answer.reader
        if reader is None or reader.answer is not answer:
            return
        answer.is_long = True
        if len(self._long) < self.limits.long_slots:
            self._long.add(answer)
            self._control.nice(reader.pid)
            if not self._idle and len(self._readers) + self._forking < self.limits.readers:
                self._fork()
        if self._waiting:
            self._make_room()

    def finished(self, reader: Reader, answer: Answer) -> None:
        """A reader has given its whole answer, or said why there is none."""
        if answer.timer is not None:
            answer.timer.cancel()
        answer.seconds = time.monotonic() - answer.started
        answer.reader = None
        self._remember(answer)
        was_niced = answer in self._long
        self._long.discard(answer)
        if reader.is_retired or was_niced or reader.generation != self.generation:
            reader.close()
        else:
            reader.idle_since = time.monotonic()
            self._idle.append(reader)
        self._dispatch()

    def _remember(self, answer: Answer) -> None:
        key = _text(answer)
        self._known[key] = (self._known.get(key, answer.seconds) + answer.seconds) / 2
        self._known.move_to_end(key)
        if len(self._known) > KNOWN_QUERIES:
            self._known.popitem(last=False)

    # Births and deaths

    def _refill(self) -> None:
        """Forks until there are as many readers as stand in reserve."""
        while self._is_open and len(self._readers) + self._forking < min(self.limits.reserve, self.limits.readers):
            self._fork()

    def _fork(self) -> None:
        self._forking += 1
        task = asyncio.get_running_loop().create_task(self._forked())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forked(self) -> None:
        generation = self.generation
        try:
            pid, sock = await self._control.fork("reader", memory=self.limits.memory, may_open=self.limits.may_open)
            reader = await self._connect(pid, sock, generation)
        except (OSError, NotReady) as error:
            log.warning("a reader could not be forked", extra={"error": str(error)})
            return
        finally:
            self._forking -= 1
        if generation != self.generation or not self._is_open:
            reader.close()
        else:
            self._idle.append(reader)
            self._has_reader.set()
        self._dispatch()

    async def _connect(self, pid: int, sock: socket, generation: int | None) -> Reader:
        """The front's side of a new child; without a generation it stands apart from the readers of clients."""
        reader = Reader(pid, generation or 0, self)
        reader.is_retired = generation is None
        (self._apart if generation is None else self._readers)[pid] = reader
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: reader, sock=sock)
        return reader

    def _kill(self, reader: Reader) -> None:
        reader.answer = None
        reader.is_retired = True
        self._control.kill(reader.pid)

    def lost(self, reader: Reader) -> None:
        """The socket of a reader has closed."""
        with suppress(ValueError):
            self._idle.remove(reader)
        self._settle(reader)

    def _exited(self, pid: int, cause: int) -> None:
        """The keeper has buried a child that ended by the signal `cause` (0: by itself)."""
        reader = self._readers.pop(pid, None) or self._apart.pop(pid, None)
        if reader is None:
            return
        reader.cause = cause
        if not reader.is_retired:
            self.deaths += 1
            log.warning("a reader has died", extra={"pid": pid, "signal": cause})
        with suppress(ValueError):
            self._idle.remove(reader)
        reader.resume()
        self._settle(reader)
        self._refill()
        self._dispatch()

    def _settle(self, reader: Reader) -> None:
        """When both the end of its bytes and the cause of its death are known, fails the answer it was at."""
        answer = reader.answer
        if answer is None or not reader.is_gone or reader.cause is None:
            return
        reader.answer = answer.reader = None
        self._long.discard(answer)
        if answer.timer is not None:
            answer.timer.cancel()
        answer.fail(_cause_of_death(reader.cause, self.limits))

    def _renew(self) -> None:
        """The graph has changed: idle readers go at once, busy ones after their answer."""
        self.generation += 1
        for reader in self._idle:
            reader.close()
            self._readers.pop(reader.pid, None)
        self._idle.clear()
        self._refill()

    def _trim_later(self) -> None:
        self._trim = asyncio.get_running_loop().call_later(IDLE_SECONDS / 2, self._trim_idle)

    def _trim_idle(self) -> None:
        """Ends readers beyond the reserve that have had nothing to do; they give their memory back."""
        now = time.monotonic()
        while len(self._readers) > self.limits.reserve and self._idle and now - self._idle[0].idle_since > IDLE_SECONDS:
            reader = self._idle.pop(0)
            self._readers.pop(reader.pid, None)
            reader.close()
        self._trim_later()


def _text(answer: Answer) -> tuple[str, tuple[str, ...]]:
    return answer.job.text, answer.job.default_graphs


def _too_long(seconds: float, what: str) -> Refusal:
    return DeadlineExceeded(
        f"The query was stopped after {seconds:g} seconds (setting query_seconds) {what}. "
        "Ask for less: bind more variables, join by shared variables, add a LIMIT.",
        seconds=seconds,
    )


def _cause_of_death(cause: int, limits: Limits) -> Refusal:
    if cause == signal.SIGALRM:
        return _too_long(limits.seconds, "of work")
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
