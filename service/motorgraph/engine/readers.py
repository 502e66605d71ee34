"""The readers of one keeper and what else it forks: their births and deaths, and how many there are."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from typing import Any, Protocol

from motorgraph.engine.answer import Answer
from motorgraph.engine.child import Owner, Reader
from motorgraph.engine.control import Control
from motorgraph.engine.wire import Job, encode_delta, encode_job
from motorgraph.errors import Broken, Refusal
from motorgraph.limits import IDLE_SECONDS, KNOWN_QUERIES, MOST_DELTAS, REST_SECONDS, RETRY_SECONDS, Limits

BETWEEN_SECONDS = 0.01
"""From telling one idle reader of a commit to telling the next."""
AHEAD_SECONDS = 0.1
"""For which a write waits at most until a reader has made its change."""
log = logging.getLogger("motorgraph.engine")


class Scheduler(Owner, Protocol):
    """Who gives the readers their work."""

    limits: Limits

    def dispatch(self) -> None:
        """A reader has come, or gone."""

    def ended(self, reader: Reader) -> None:
        """Its socket has closed, or its process has been buried."""

    def deserted(self, reader: Reader) -> None:
        """It does nothing any more, and is about to be ended."""


class Readers:
    """The processes: `all` that answer clients by process id, those of them that are `idle`, and some that stand apart."""

    def __init__(self, control: Control, scheduler: Scheduler) -> None:
        self.all: dict[int, Reader] = {}
        self.idle: list[Reader] = []
        self.coming = 0
        self.generation = 1
        self.deaths = 0
        self.is_open = False
        self.on_outlived: list[Callable[[], None]] = []
        """For those who keep processes apart."""
        self._control = control
        self._scheduler = scheduler
        self._apart: dict[int, Reader] = {}
        self._causes: OrderedDict[int, int] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._relief: list[Reader] = []
        self._ahead: Reader | None = None
        self._has_one = asyncio.Event()
        self._trim: asyncio.TimerHandle | None = None
        self._next: asyncio.TimerHandle | None = None
        control.on_exit = self._exited
        control.on_compacted = self._outlive
        control.lookout.on_stopped = self._stopped

    async def open(self) -> None:
        """Forks the first ones."""
        self.is_open = True
        self.refill()
        await self._has_one.wait()
        self._trim_idle()

    def close(self) -> None:
        """Lets all of them end, and forks no more."""
        self.is_open = False
        for timer in (self._trim, self._next):
            if timer is not None:
                timer.cancel()
        for reader in [*self.all.values(), *self._apart.values()]:
            reader.close()

    @property
    def limits(self) -> Limits:
        """How many there may be, and what each may take."""
        return self._scheduler.limits

    def living(self) -> int:
        """How many there are but for those that end; a large one takes its time over that."""
        return sum(not reader.is_retired for reader in self.all.values())

    def answers(self) -> list[Answer]:
        """What they are at."""
        return [r.answer for r in self.all.values() if r.answer is not None]

    def answers_apart(self) -> list[Answer]:
        """What drafts and others that stand apart are at."""
        return [r.answer for r in self._apart.values() if r.answer is not None]

    def refill(self) -> None:
        """Forks until there are as many as there should be."""
        while self.is_open and self.living() + self.coming < self._wanted():
            self.fork()

    def _wanted(self) -> int:
        """As many as stand in reserve and by for small queries, beside those that are at long ones."""
        return min(self.long() + self.limits.reserve, self.limits.readers) + self.limits.express

    def long(self) -> int:
        """How many are at long queries."""
        return sum(answer.is_long for answer in self.answers())

    def fork(self) -> None:
        """Forks one more; `dispatch` tells when it is here."""
        self.coming += 1
        task = asyncio.get_running_loop().create_task(self._forked())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forked(self) -> None:
        generation = self.generation
        try:
            reader = await self._born(generation)
            if reader is None:
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self.coming -= 1
        if reader is not None and not reader.is_gone:
            if generation != self.generation or not self.is_open:
                reader.close()
            elif reader.cause is None:
                self.idle.append(reader)
                self._has_one.set()
            else:
                reader.close()
        self.refill()
        self._scheduler.dispatch()

    async def _born(self, generation: int) -> Reader | None:
        """A new reader; None if there can be none now."""
        limits = self.limits
        try:
            pid, sock = await self._control.fork("reader", memory=limits.memory, may_open=limits.may_open)
            return await self._connect(pid, sock, generation)
        except (OSError, Refusal) as error:
            log.warning("a reader could not be forked", extra={"error": str(error)})
            return None

    async def relieve(self) -> None:
        """Forks those that take the place of readers with the next `renew`, so that until then these go on. For whoever alone
        changes the graph: what they are forked from is what is renewed to."""
        wanted = self._wanted() - self.long() if self.is_open else 0  # a long one is not interrupted
        coming = [self._born(self.generation + 1) for _ in range(wanted)]
        self._relief += filter(None, await asyncio.gather(*coming))

    async def go_ahead(self, commit: int, delta: str) -> None:
        """Has an idle one make a change that the others are told of with the next `renew`: whoever asks then need not wait for
        one that is at it. Another is left idle."""
        if len(self.idle) < 2 or self.idle[0].deltas >= MOST_DELTAS:
            return
        reader, generation, answer = self.idle.pop(0), self.generation, Answer(Job("arrive"), 0.0)
        self._ahead, answer.is_unwanted = reader, True  # should it not come, no other need do it
        reader.owe(encode_delta(commit, delta))
        reader.begin(answer, encode_job(answer.job))
        self.ended(reader)
        with suppress(TimeoutError, Refusal, Broken):
            async with asyncio.timeout(AHEAD_SECONDS):
                await answer.opened()
        self._ahead = None
        if generation != self.generation:  # all are forked anew
            self._dismiss(reader)
            return
        reader.generation = generation + 1
        if reader.answer is None:
            self._relief.append(reader)

    async def apart(self, role: str, memory: int, *, may_open: int = 0, **more: float) -> Reader:
        """A process that stands beside the pool: a draft, a judge, a clerk, a past, a reader for a job of our own. The caller
        closes it."""
        return await self._connect(*await self._control.fork(role, memory=memory, may_open=may_open, **more), None)

    async def awaited(self, role: str, memory: int) -> Reader:
        """As `apart`; if whoever wants it has gone meanwhile, it is ended as soon as it is here."""
        coming = asyncio.ensure_future(self.apart(role, memory=memory))
        try:
            return await asyncio.shield(coming)
        except asyncio.CancelledError:
            coming.add_done_callback(self._end)
            raise

    def _end(self, coming: asyncio.Future[Reader]) -> None:
        if not coming.cancelled() and coming.exception() is None:
            self.kill(coming.result())

    def ended(self, reader: Reader) -> None:
        """Looks whether a process has died before it was given anything, so that what it was given is failed."""
        self._scheduler.ended(reader)

    async def _connect(self, pid: int, sock: socket, generation: int | None) -> Reader:
        """The front's side of a new child; without a generation it stands apart from the readers of clients."""
        reader = Reader(pid, generation, self._scheduler)
        (self._apart if generation is None else self.all)[pid] = reader
        if pid in self._causes:  # it has died before we came to know it
            self._exited(pid, self._causes.pop(pid))
        await asyncio.get_running_loop().create_unix_connection(lambda: reader, sock=sock)
        return reader

    def free(self, reader: Reader) -> None:
        """It has nothing to do; it goes if it is reniced or holds an older graph. One that is ahead waits for `renew`."""
        if reader is self._ahead:
            return
        if reader.is_nice or reader.generation != self.generation:
            reader.close()
        else:
            reader.idle_since = time.monotonic()
            self.idle.insert(0 if reader.is_owed else len(self.idle), reader)
            if reader.is_owed:
                self._settle_soon()

    def kill(self, reader: Reader) -> None:
        """Ends it, whatever it is doing."""
        reader.tell_spent()
        reader.answer = None
        reader.close()
        if reader.cause is None:
            self._control.kill(reader.pid)

    def nice(self, reader: Reader) -> None:
        """Has it let every other process go first, to the end of its days."""
        reader.is_nice = True
        self._control.nice(reader.pid)

    def forget_idle(self, reader: Reader) -> None:
        """It is not idle, whatever we thought."""
        with suppress(ValueError):
            self.idle.remove(reader)

    def _exited(self, pid: int, cause: int) -> None:
        """The keeper has buried a child that ended by the signal `cause` (0: by itself)."""
        reader = self.all.pop(pid, None) or self._apart.pop(pid, None)
        if reader is None:
            self._causes[pid] = cause
            if len(self._causes) > KNOWN_QUERIES:
                self._causes.popitem(last=False)
            return
        reader.cause = cause
        if not reader.is_retired:
            self.deaths += 1
            log.warning("a reader has died", extra={"pid": pid, "signal": cause})
        self.forget_idle(reader)
        reader.resume()
        self._scheduler.ended(reader)
        self.refill()
        self._scheduler.dispatch()

    def _stopped(self, pid: int) -> None:
        """Somebody has stopped a process for good."""
        reader = self.all.get(pid)
        if reader is not None:
            reader.is_retired = True
            self.forget_idle(reader)
            self._scheduler.deserted(reader)

    def renew(self, commit: int = 0, delta: str = "") -> None:
        """A commit has changed the graph: readers are told of a short delta, and do it when they come to it. For "" they are
        forked anew, the idle ones at once unless there is relief, the others after their answers; so are those that are at
        something long, or know much already that the keeper's memory has too."""
        self.generation += 1
        told = encode_delta(commit, delta)
        for reader in self.all.values():
            is_long = reader.answer is not None and reader.answer.is_long
            if told and reader.generation == self.generation - 1 and not is_long and reader.deltas < MOST_DELTAS:
                reader.owe(told)
                reader.generation = self.generation
        for reader in [reader for reader in self.idle if reader.generation != self.generation]:
            self.idle.remove(reader)
            self._dismiss(reader)
        for reader in self._relief:
            if reader.pid in self.all and not reader.is_gone:
                self.free(reader)
        self._relief.clear()
        self.refill()
        self._scheduler.dispatch()
        if self._next is None:
            self._settle()

    def _settle(self) -> None:
        """Tells one idle reader of what it is owed, the next in a moment: each copies the pages that it changes, and all at once
        would have the processors for a while. Of those that wait the last told is asked first."""
        self._next = None
        behind = [reader for reader in self.idle if reader.is_owed]
        if behind:
            behind[-1].settle()
            self._settle_soon()

    def _settle_soon(self) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().call_later(BETWEEN_SECONDS, self._settle)

    def _outlive(self) -> None:
        """The keeper has put a copy in the place of its store: whoever can is forked anew, to share that."""
        for reader in self._apart.values():
            reader.is_outlived = True
        for heed in self.on_outlived:
            heed()
        self.renew()

    def keep(self, counted: dict[str, Any]) -> None:  # Any: plain JSON
        """Has the keeper know what a process has counted, and whoever is forked from then on."""
        self._control.keep(counted)

    def spread(self, counted: dict[str, Any]) -> None:  # Any: as above
        """As `keep`, and all readers know it, since they are forked anew."""
        self.keep(counted)
        self.renew()

    def _dismiss(self, reader: Reader) -> None:
        """Lets an idle reader go; it no longer counts, though it may take a moment to end."""
        self.all.pop(reader.pid, None)
        self._apart[reader.pid] = reader
        reader.close()

    def _trim_idle(self) -> None:
        """Ends readers beyond those wanted that have had nothing to do; they give their memory back. Where all are wanted,
        another is forked for one that has had nothing to do for longer, which goes next then."""
        now = time.monotonic()
        while self.living() > self._wanted() and self.idle and now - self.idle[0].idle_since > IDLE_SECONDS:
            self._dismiss(self.idle.pop(0))
        rested = [reader for reader in self.idle if reader.has_worked and now - reader.idle_since > REST_SECONDS]
        if rested and self.living() + self.coming == self._wanted():
            self.idle.remove(rested[0])
            self.idle.insert(0, rested[0])
            self.fork()
        self._trim = asyncio.get_running_loop().call_later(IDLE_SECONDS / 2, self._trim_idle)
