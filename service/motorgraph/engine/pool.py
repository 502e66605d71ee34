"""The front's side of the engine: gives each job to a reader, keeps small queries from waiting for big ones, replaces the dead.

A query that runs longer than `PATIENCE_SECONDS` (or ten times what it took before) is *long*. As many readers as the limits
leave beside the reserve may be long, and a fresh reader is forked beside each; after `LONG_SECONDS` it is reniced. A long query
beyond that number is put aside when somebody waits: its reader is killed, and it starts again when a long one ends. An answer
whose client is slow is written to a file then, so that its reader is free.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from contextlib import suppress
from socket import socket

from motorgraph.engine.answer import Answer
from motorgraph.engine.backlog import Backlog
from motorgraph.engine.child import Reader, cause_of_death, too_long
from motorgraph.engine.control import Control
from motorgraph.engine.watch import Watch
from motorgraph.engine.wire import Job, body_frames, encode_job
from motorgraph.errors import Broken, NotReady, QueueFull, Refusal, Unavailable
from motorgraph.limits import (
    IDLE_SECONDS,
    KNOWN_QUERIES,
    LONG_SECONDS,
    PAUSE_SECONDS,
    RETRY_SECONDS,
    SPILL_SECONDS,
    Limits,
)

log = logging.getLogger("motorgraph.engine")


class Pool:
    """The readers of one keeper, and the jobs that wait for them."""

    def __init__(self, control: Control, limits: Limits) -> None:
        self.limits = limits
        self.generation = 1
        self.deaths = 0
        self.parked_total = 0
        self._control = control
        self._readers: dict[int, Reader] = {}
        self._apart: dict[int, Reader] = {}
        self._idle: list[Reader] = []
        self._backlog = Backlog()
        self._long: set[Answer] = set()
        self._spilt: set[Answer] = set()
        self._watch = Watch()
        self._coming = 0
        self._causes: OrderedDict[int, int] = OrderedDict()
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
        self._trim_idle()

    def close(self) -> None:
        """Answers nothing more; what runs is failed."""
        self._is_open = False
        if self._trim:
            self._trim.cancel()
        for answer in [*self._backlog, *(r.answer for r in self._readers.values() if r.answer)]:
            answer.fail(Unavailable("The service is shutting down."))
        for reader in [*self._readers.values(), *self._apart.values()]:
            reader.close()

    @property
    def queue(self) -> int:
        """How many jobs wait."""
        return len(self._backlog)

    @property
    def running(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    @property
    def pids(self) -> list[int]:
        """The processes of the readers."""
        return list(self._readers)

    def submit(self, job: Job) -> Answer:
        """Begins to answer a job, or has it wait. Raises QueueFull or NotReady.

        The caller hands the answer to `release` when it is done with it.
        """
        if not self._is_open:
            raise NotReady("The graph is being loaded; /ready says when it is there.")
        answer = Answer(job, time.monotonic() + self.limits.seconds)
        if self._idle and not self._backlog.waiting and self._has_turn() and not self._waits_for_long(answer):
            self._start(answer, self._idle.pop())
        else:
            self._enqueue(answer)
        return answer

    async def opened(self, answer: Answer) -> Answer:
        """The answer, once it is whole or too long to be held. Raises the Refusal that its job met, and has it released."""
        try:
            await answer.opened()
        except BaseException:
            self.release(answer)
            raise
        return answer

    async def answer(self, job: Job) -> Answer:
        """Both at once."""
        return await self.opened(self.submit(job))

    async def alone(self, job: Job, *, role: str = "reader") -> bytes:
        """The answer to a job of our own from a process of its own, without the limits of clients."""
        reader = await self._connect(*await self._control.fork(role, memory=0, may_open=0), None)
        answer = Answer(job, float("inf"))
        reader.begin(answer, encode_job(job))
        self._settle(reader)
        try:
            return b"".join([piece async for piece in answer.pieces()])
        except Broken as broken:
            raise broken.__cause__ or broken from None
        finally:
            reader.close()

    async def rehearse(self, job: Job, body: bytes) -> Answer:
        """Runs a write in a draft; when it stands there, the keeper does it and every new query sees it. Raises Refusal."""
        memory = self.limits.memory + 8 * len(body)
        reader = await self._connect(*await self._control.fork("draft", memory=memory, may_open=0), None)
        answer = Answer(job, float("inf"))
        try:
            reader.begin(answer, encode_job(job, self.limits.seconds) + body_frames(body))
            self._settle(reader)
            await answer.opened()
            made = asyncio.ensure_future(self._made(reader))
            made.add_done_callback(lambda task: task.cancelled() or task.exception())  # heard even if nobody waits any more
            await asyncio.shield(made)  # once begun it is not given up half way
        finally:
            if not answer.has_begun:
                self._kill(reader)
            reader.close()
        return answer

    async def _made(self, draft: Reader) -> None:
        """Has the keeper do what the draft did; readers are renewed even if it fails, since then nobody knows."""
        try:
            await self._control.apply(draft.pid)
        finally:
            self._renew()

    def release(self, answer: Answer) -> None:
        """Says that nobody wants the rest of an answer; its reader is freed at once."""
        self._spilt.discard(answer)
        answer.close()
        self._watch.off(answer)
        if not answer.is_over or answer.reader is not None:
            self._stop(answer)

    def _stop(self, answer: Answer) -> None:
        """Frees what works or waits for an answer; what has come of it stays."""
        self._watch.off(answer)
        self._backlog.remove(answer)
        self._long.discard(answer)
        if isinstance(answer.reader, Reader) and answer.reader.answer is answer:
            self._kill(answer.reader)
        self._dispatch()

    # Scheduling

    def _enqueue(self, answer: Answer) -> None:
        if self.queue >= self.limits.queue:
            raise QueueFull(f"{self.queue} queries wait already (setting queue_length). Try again in a second.")
        self._wait(answer, self._backlog.parked if self._waits_for_long(answer) else self._backlog.waiting)
        self._dispatch()

    def _wait(self, answer: Answer, queue: deque[Answer]) -> None:
        self._watch.at(answer, answer.deadline, self._waited_too_long)
        queue.append(answer)

    def _waits_for_long(self, answer: Answer) -> bool:
        """Whether it is known to be long, and as many long ones run as may."""
        return self._backlog.is_long(answer.job) and 0 < self.limits.long_slots <= len(self._long)

    def _waited_too_long(self, answer: Answer) -> None:
        answer.fail(too_long(self.limits.seconds, "while it waited for other long queries"))
        self._stop(answer)

    def _dispatch(self) -> None:
        """Gives waiting jobs to idle readers; makes room if there are none."""
        if not self._backlog.waiting and not self._backlog.parked:
            return
        while self._backlog.waiting and self._idle and self._has_turn():
            answer = self._backlog.next()
            if self._waits_for_long(answer):
                self._backlog.parked.append(answer)
            else:
                self._start(answer, self._idle.pop())
        if not self._backlog.parked and not self._has_turn():
            return  # those that are at work will be done in a moment
        may_be_long = len(self._long) < max(self.limits.long_slots, 1)
        if self._backlog.parked and self._idle and may_be_long and self._has_turn():
            self._start(self._backlog.parked.popleft(), self._idle.pop())
        wanted = len(self._backlog.waiting) + (1 if self._backlog.parked and may_be_long else 0)
        if wanted > self._on_the_way() and self._is_open:
            self._make_room()

    def _has_turn(self) -> bool:
        """Whether one more may begin: at a time as many as stand in reserve (one a core), besides those that are long."""
        return sum(not answer.is_long for answer in self._running()) < self.limits.reserve

    def _on_the_way(self) -> int:
        """How many readers will be free in a moment: those being forked, those that spill."""
        return self._coming + sum(a.reader is not None and not a.has_spilt_long for a in self._spilt)

    def _make_room(self) -> None:
        """Forks one more reader, or, where there are as many as may be, takes one from the query that can best spare it."""
        long = sum(answer.is_long for answer in self._running())
        if self._living() + self._coming - long >= self.limits.reserve:
            return  # those that are at work will be done in a moment
        if self._living() + self._coming < self.limits.readers:
            self._fork()
        elif self._backlog.waiting:
            slow = [a for a in self._running() if a.is_slow and a.is_paused]
            endless = [a for a in self._running() if a.has_spilt_long]
            overdue = [a for a in self._running() if a.is_long and a not in self._long and self._may_park(a)]
            if overdue:
                self._park(max(overdue, key=lambda a: a.started))
            elif slow:
                self._spill(max(slow, key=lambda a: a.started))
            elif endless:
                newest = max(endless, key=lambda a: a.started)
                self._break(newest, "The answer has no end in sight, its client is slow, and others wait.")

    def _may_park(self, answer: Answer) -> bool:
        """Whether nothing of it has been sent, and it is no small query that only had to wait for a processor."""
        is_unlucky = self._backlog.is_small(answer) and time.monotonic() - answer.started < LONG_SECONDS
        return not answer.has_begun and not is_unlucky

    def _living(self) -> int:
        """How many readers there are but for those that end; a large one takes its time over that."""
        return sum(not reader.is_retired for reader in self._readers.values())

    def _running(self) -> list[Answer]:
        return [r.answer for r in self._readers.values() if r.answer is not None]

    def _park(self, answer: Answer) -> None:
        """Puts a long query aside; its reader is killed, and it starts again later."""
        reader = answer.reader
        answer.restart()
        self.parked_total += 1
        self._backlog.remember_long(answer.job)
        self._wait(answer, self._backlog.parked)
        if isinstance(reader, Reader):
            self._kill(reader)

    def _spill(self, answer: Answer) -> None:
        """Frees the reader of an answer whose client is slow; breaks the answer where that cannot be."""
        try:
            answer.spill(self.limits.answer_bytes - sum(a.spilt_bytes for a in self._spilt))
        except OSError as error:
            self._break(answer, f"The client is too slow for the answer, and it cannot be kept in a file: {error}.")
            return
        self._spilt.add(answer)
        asyncio.get_running_loop().call_later(1.05 * SPILL_SECONDS, self._dispatch)

    def _break(self, answer: Answer, why: str) -> None:
        answer.fail(Unavailable(why))
        self._stop(answer)

    def _start(self, answer: Answer, reader: Reader) -> None:
        answer.started = time.monotonic()
        self._watch.at(answer, answer.started + self._backlog.patience(answer.job), self._overdue)
        answer.on_pause = self._paused
        reader.begin(answer, encode_job(answer.job, max(answer.deadline - answer.started, 0.001)))

    def _paused(self, answer: Answer) -> None:
        """The client is slower than the reader; if it is so for a while, that counts as long."""
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._still_paused, answer, answer.size)

    def _still_paused(self, answer: Answer, size: int) -> None:
        if answer.is_paused and answer.size == size:
            answer.is_long = answer.is_slow = True
            self._dispatch()

    def _overdue(self, answer: Answer) -> None:
        """A query has run longer than is usual: from now on it counts as long, and its deadline is watched."""
        reader = answer.reader
        if not isinstance(reader, Reader) or reader.answer is not answer:
            return
        answer.is_long = True
        if len(self._long) < self.limits.long_slots:
            self._long.add(answer)
            if not self._idle and not self._coming and self._living() < self.limits.readers:
                self._fork()
        self._watch.at(answer, min(answer.deadline, time.monotonic() + LONG_SECONDS), self._yield)
        self._dispatch()

    def _yield(self, answer: Answer) -> None:
        """A query that goes on for long lets every other process go before it, to the end of its days."""
        reader = answer.reader
        if isinstance(reader, Reader) and reader.answer is answer:
            reader.is_nice = True
            self._control.nice(reader.pid)
        self._watch.at(answer, answer.deadline, self._expired)

    def _expired(self, answer: Answer) -> None:
        """The deadline: the reader is ended, whatever it is doing."""
        answer.fail(too_long(self.limits.seconds, "of work"))
        self._stop(answer)

    def finished(self, reader: Reader, answer: Answer) -> None:
        """A reader has given its whole answer, or said why there is none."""
        self._watch.off(answer)
        answer.reader = None
        if answer.started:
            self._backlog.remember(answer.job, time.monotonic() - answer.started)
        self._long.discard(answer)
        if reader.is_retired:
            return  # a judge, a draft, a reader of an older graph: whoever uses it closes it
        if reader.is_nice or reader.generation != self.generation:
            reader.close()
        else:
            reader.idle_since = time.monotonic()
            self._idle.append(reader)
        self._dispatch()

    # Births and deaths

    def _refill(self) -> None:
        """Forks until there are as many readers as stand in reserve."""
        while self._is_open and self._living() + self._coming < min(self.limits.reserve, self.limits.readers):
            self._fork()

    def _fork(self) -> None:
        self._coming += 1
        task = asyncio.get_running_loop().create_task(self._forked())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forked(self) -> None:
        generation = self.generation
        try:
            pid, sock = await self._control.fork("reader", memory=self.limits.memory, may_open=self.limits.may_open)
            reader = await self._connect(pid, sock, generation)
        except (OSError, Refusal) as error:
            log.warning("a reader could not be forked", extra={"error": str(error)})
            await asyncio.sleep(RETRY_SECONDS)
            reader = None
        finally:
            self._coming -= 1
        if reader is not None and not reader.is_gone:
            if generation != self.generation or not self._is_open:
                reader.close()
            elif reader.cause is None:
                self._idle.append(reader)
                self._has_reader.set()
            else:
                reader.close()
        self._refill()
        self._dispatch()

    async def _connect(self, pid: int, sock: socket, generation: int | None) -> Reader:
        """The front's side of a new child; without a generation it stands apart from the readers of clients."""
        reader = Reader(pid, generation, self)
        (self._apart if generation is None else self._readers)[pid] = reader
        if pid in self._causes:  # it has died before we came to know it
            self._exited(pid, self._causes.pop(pid))
        await asyncio.get_running_loop().create_unix_connection(lambda: reader, sock=sock)
        return reader

    def _kill(self, reader: Reader) -> None:
        reader.answer = None
        reader.close()
        if reader.cause is None:
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
            self._causes[pid] = cause
            if len(self._causes) > KNOWN_QUERIES:
                self._causes.popitem(last=False)
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
        self._watch.off(answer)
        answer.fail(cause_of_death(reader.cause, self.limits))
        self._dispatch()

    def _renew(self) -> None:
        """The graph has changed: idle readers go at once, busy ones after their answer."""
        self.generation += 1
        for reader in self._idle:
            self._dismiss(reader)
        self._idle.clear()
        self._refill()
        self._dispatch()

    def _dismiss(self, reader: Reader) -> None:
        """Lets an idle reader go; it no longer counts, though it may take a moment to end."""
        self._readers.pop(reader.pid, None)
        self._apart[reader.pid] = reader
        reader.close()

    def _trim_idle(self) -> None:
        """Ends readers beyond the reserve that have had nothing to do; they give their memory back."""
        now = time.monotonic()
        while self._living() > self.limits.reserve and self._idle and now - self._idle[0].idle_since > IDLE_SECONDS:
            self._dismiss(self._idle.pop(0))
        self._trim = asyncio.get_running_loop().call_later(IDLE_SECONDS / 2, self._trim_idle)
