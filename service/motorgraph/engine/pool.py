"""The front's side of the engine: gives each job to a reader, keeps small queries from waiting for big ones, replaces the dead.

A query that runs longer than `PATIENCE_SECONDS` (or ten times what it took before) is *long*. As many readers as the limits
leave beside the reserve may be long, and a fresh reader is forked beside each; after `LONG_SECONDS` it is reniced. A long query
beyond that number is put aside when somebody waits: its reader is killed, and it starts again when a long one ends. An answer
whose client is slow is written to a file then, so that its reader is free. A query that is known to be quick may be sent to a
reader that is still at another such one, since to sleep between the two costs as much as to answer; if that one takes its
time, or the reader dies, those behind it go to others.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from motorgraph.engine.answer import Answer, payer
from motorgraph.engine.archive import Archive
from motorgraph.engine.backlog import Backlog
from motorgraph.engine.child import Reader, cause_of_death, too_long
from motorgraph.engine.control import Control
from motorgraph.engine.drafts import Drafts
from motorgraph.engine.finding import Finding
from motorgraph.engine.readers import Readers
from motorgraph.engine.seats import Seats
from motorgraph.engine.trials import Trials
from motorgraph.engine.watch import Watch
from motorgraph.engine.wire import Job, encode_job
from motorgraph.errors import Broken, NotReady, QueueFull, Refusal, Unavailable
from motorgraph.limits import LONG_SECONDS, PAUSE_SECONDS, QUICK_SECONDS, SPILL_SECONDS, Limits


class Pool:
    """The readers of one keeper, and the jobs that wait for them."""

    def __init__(self, control: Control, limits: Limits) -> None:
        self.limits = limits
        self.parked_total = 0
        self.counted_total = 0
        self.refusal: Refusal | None = None
        """Why nothing is answered now, if that is so."""
        self._readers = Readers(control, self)
        self.archive = Archive(self._readers, limits)
        self.finding = Finding(self._readers, limits)
        self.drafts = Drafts(control, self._readers, self.finding, limits)
        self.trials = Trials(self._readers, limits)
        self._backlog = Backlog()
        self._long: set[Answer] = set()
        self._spilt: set[Answer] = set()
        self._seats = Seats(self._readers, self._backlog)
        self._watch = Watch()
        self._look: asyncio.TimerHandle | None = None

    # What the rest of the front asks for

    async def open(self) -> None:
        """Forks the first readers; answers are given from now on."""
        await self._readers.open()

    def close(self) -> None:
        """Answers nothing more; what runs is failed."""
        ahead = [answer for reader in self._readers.all.values() for answer in reader.line]
        for answer in [*self._backlog, *self._readers.answers(), *self._readers.answers_apart(), *ahead]:
            answer.fail(Unavailable("The service is shutting down."))
        self.archive.close()
        self.finding.close()
        self._readers.close()

    @property
    def generation(self) -> int:
        """Counts the graphs that readers have been forked from."""
        return self._readers.generation

    @property
    def deaths(self) -> int:
        """How many readers have ended without being asked to."""
        return self._readers.deaths

    @property
    def queue(self) -> int:
        """How many jobs wait."""
        return len(self._backlog)

    @property
    def running(self) -> int:
        """How many readers there are."""
        return len(self._readers.all)

    @property
    def pids(self) -> list[int]:
        """The processes of the readers."""
        return list(self._readers.all)

    def submit(self, job: Job) -> Answer:
        """Begins to answer a job, or has it wait. Raises QueueFull or NotReady, or the `refusal`.

        The caller hands the answer to `release` when it is done with it.
        """
        if self.refusal is not None:
            raise self.refusal
        if not self._readers.is_open:
            raise NotReady("The graph is being loaded; /ready says when it is there.")
        answer = Answer(job, time.monotonic() + self.limits.seconds)
        answer.charge = payer.get()
        has_to_wait = bool(self._backlog.waiting) or self._waits_for_long(answer)
        reader = None if has_to_wait else self._seats.take(answer)
        if reader is None:
            self._enqueue(answer)
        else:
            self._send(answer, reader)
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

    async def alone(self, job: Job, *, role: str = "reader", can_wait: bool = False, **more: float) -> bytes:
        """What `told` tells, in one."""
        return b"".join([piece async for piece in self.told(job, role=role, can_wait=can_wait, **more)])

    async def told(self, job: Job, *, role: str = "reader", can_wait: bool = False, **more: float) -> AsyncIterator[bytes]:
        """The answer to a job of our own from a process of its own, without the limits of clients; one that `can_wait` takes what
        processor nobody else wants. `more` is for the role, see `Control.fork`."""
        reader = await self._readers.apart(role, memory=0, may_open=0, **more)
        if can_wait:
            self._readers.nice(reader)
        answer = Answer(job, float("inf"))
        reader.begin(answer, encode_job(job))
        self.ended(reader)
        try:
            async for piece in answer.pieces():
                yield piece
        except Broken as broken:
            raise broken.__cause__ or broken from None
        finally:
            reader.close()

    def release(self, answer: Answer) -> None:
        """Says that nobody wants the rest of an answer; its reader is freed at once, or in a moment if it is a small one."""
        self._spilt.discard(answer)
        answer.is_unwanted = True
        answer.close()
        self._watch.off(answer)
        if not answer.is_over or answer.reader is not None:
            self._stop(answer)

    def _stop(self, answer: Answer) -> None:
        """Frees what works or waits for an answer; what has come of it stays."""
        self._watch.off(answer)
        self._backlog.remove(answer)
        self._is_no_longer(answer)
        reader = answer.reader
        if isinstance(reader, Reader) and reader.answer is answer:
            if self._will_end_soon(answer):
                self._watch.at(answer, self._backlog.spared_until(answer), self._expired)
            else:
                self._end(reader)
        self.dispatch()

    def _will_end_soon(self, answer: Answer) -> bool:
        """Whether its reader is better left to finish it, though nobody wants it, than killed and forked anew."""
        return not (answer.is_long or answer.is_paused) and time.monotonic() < self._backlog.spared_until(answer)

    def _end(self, reader: Reader) -> None:
        """Ends a reader, whatever it is doing; what was sent to it ahead is done by others."""
        self._readers.kill(reader)
        self._rescue(reader)

    # Scheduling

    def _enqueue(self, answer: Answer) -> None:
        if self.queue >= self.limits.queue:
            raise QueueFull(f"{self.queue} queries wait already (setting queue_length). Try again in a second.")
        self._watch.at(answer, answer.deadline, self._waited_too_long)
        if self._waits_for_long(answer):
            self._backlog.parked.append(answer)
        else:
            self._backlog.wait(answer)
            self._look_again()
        self.dispatch()

    def _look_again(self) -> None:
        """In a moment: a tiny query that waits may begin when those at work have turned out to be no tiny ones."""
        if self._look is None and any(map(self._backlog.is_tiny, self._backlog.waiting)):
            self._look = asyncio.get_running_loop().call_later(QUICK_SECONDS, self._looked)

    def _looked(self) -> None:
        self._look = None
        self.dispatch()
        self._look_again()

    def _waits_for_long(self, answer: Answer) -> bool:
        """Whether it is known to be long, and as many long ones run as may."""
        return self._backlog.is_long(answer.job) and 0 < self.limits.long_slots <= len(self._long)

    def _may_be_long(self) -> bool:
        """Whether one more that is known to be long may begin."""
        return len(self._long) < max(self.limits.long_slots, 1)

    def _waited_too_long(self, answer: Answer) -> None:
        answer.fail(too_long(self.limits.seconds, "while it waited for other long queries"))
        self._stop(answer)

    def dispatch(self) -> None:
        """Gives waiting jobs to readers; makes room if there are none."""
        waiting, parked = self._backlog.waiting, self._backlog.parked
        if not waiting and not parked:
            return
        self._begin_waiting()
        if not parked and not self._seats.has_turn():
            return  # those that are at work will be done in a moment
        if parked and self._may_be_long() and (reader := self._seats.take(parked[0])):
            self._send(parked.popleft(), reader)
        wanted = len(waiting) + bool(parked)
        if wanted > self._on_the_way() and self._readers.is_open:
            self._make_room()

    def _begin_waiting(self) -> None:
        """Gives waiting jobs to readers, as far as there is one for the next."""
        waiting, parked = self._backlog.waiting, self._backlog.parked
        while self._seats.has_express() and (tiny := self._backlog.next_tiny()):
            self._send(tiny, self._readers.idle.pop())
        while waiting and self._seats.has_any():
            answer = self._backlog.next()
            if self._waits_for_long(answer):
                parked.append(answer)
                continue
            reader = self._seats.take(answer)
            if reader is None:
                self._backlog.wait(answer)
                break
            self._send(answer, reader)

    def _rescue(self, reader: Reader) -> None:
        """What was sent to it ahead is to be done by others."""
        line = list(reader.line)
        reader.line.clear()
        for answer in line:
            if not (answer.is_over or answer.is_unwanted):
                answer.restart()
                self._watch.at(answer, answer.deadline, self._waited_too_long)
                self._backlog.wait(answer)

    def _on_the_way(self) -> int:
        """How many readers will be free in a moment: those being forked, those that spill."""
        return self._readers.coming + sum(a.reader is not None and not a.has_spilt_long for a in self._spilt)

    def _make_room(self) -> None:
        """Forks one more reader, or, where there are as many as may be, takes one from the query that can best spare it."""
        long = self._readers.long()
        there, express = self._readers.living() + self._readers.coming, self.limits.express
        if not self._backlog.waiting and not self._may_be_long():
            self._spill_slow()
        elif there - long >= self.limits.reserve + express:
            return  # those that are at work will be done in a moment
        elif there < self.limits.readers + express:
            self._readers.fork()
        elif not self._spill_slow() and self._backlog.waiting:
            self._take_from_long()

    def _take_from_long(self) -> None:
        """Puts a long query aside that is one too many, or breaks an answer that seems to have no end."""
        overdue = [a for a in self._readers.answers() if a.is_long and a not in self._long and self._may_park(a)]
        endless = [a for a in self._readers.answers() if a.has_spilt_long]
        if overdue:
            self._park(max(overdue, key=lambda a: a.started))
        elif endless:
            newest = max(endless, key=lambda a: a.started)
            self._break(newest, "The answer has no end in sight, its client is slow, and others wait.")

    def _may_park(self, answer: Answer) -> bool:
        """Whether nothing of it has been sent, and it is no small query that only had to wait for a processor."""
        is_unlucky = self._backlog.is_small(answer) and time.monotonic() - answer.started < LONG_SECONDS
        return not answer.has_begun and not is_unlucky

    def _park(self, answer: Answer) -> None:
        """Puts a long query aside; its reader is killed, and it starts again later."""
        reader = answer.reader
        answer.restart()
        self.parked_total += 1
        self._backlog.remember_long(answer.job)
        self._watch.at(answer, answer.deadline, self._waited_too_long)
        self._backlog.parked.append(answer)
        if isinstance(reader, Reader):
            self._end(reader)

    def _spill_slow(self) -> bool:
        """Frees the reader of the newest answer whose client is slow, if there is one."""
        slow = [a for a in self._readers.answers() if a.is_slow and a.is_paused]
        if slow:
            self._spill(max(slow, key=lambda a: a.started))
        return bool(slow)

    def _spill(self, answer: Answer) -> None:
        """Frees the reader of an answer whose client is slow; breaks the answer where that cannot be."""
        try:
            answer.spill(self.limits.answer_bytes - sum(a.spilt_bytes for a in self._spilt))
        except OSError as error:
            self._break(answer, f"The client is too slow for the answer, and it cannot be kept in a file: {error}.")
            return
        self._spilt.add(answer)
        asyncio.get_running_loop().call_later(1.05 * SPILL_SECONDS, self.dispatch)

    def _break(self, answer: Answer, why: str) -> None:
        answer.fail(Unavailable(why))
        self._stop(answer)

    def _send(self, answer: Answer, reader: Reader) -> None:
        answer.on_pause = self._paused
        left = max(answer.deadline - time.monotonic(), 0.001)
        if reader.answer is None:
            reader.take_turns(is_short=self._backlog.is_momentary(answer))
        if reader.begin(answer, encode_job(answer.job, left)):
            self._begun(answer)
        else:
            self._watch.at(answer, answer.deadline, self._waited_too_long)

    def _begun(self, answer: Answer) -> None:
        """A reader is at it now."""
        answer.started = time.monotonic()
        self._watch.at(answer, answer.started + self._backlog.patience(answer.job), self._overdue)

    def _paused(self, answer: Answer) -> None:
        """The client is slower than the reader; if it is so for a while, that counts as long."""
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._still_paused, answer, answer.size)

    def _still_paused(self, answer: Answer, size: int) -> None:
        if not answer.is_paused:
            return
        if answer.size != size:  # some more was on its way; look again
            self._paused(answer)
            return
        answer.is_long = answer.is_slow = True
        self.dispatch()

    def _overdue(self, answer: Answer) -> None:
        """A query has run longer than is usual: from now on it counts as long, and its deadline is watched."""
        reader = answer.reader
        if not isinstance(reader, Reader) or reader.answer is not answer:
            return
        if answer.is_unwanted or answer.is_over:
            self._expired(answer)
            return
        answer.is_long = True
        if reader.line:  # it will get to them at last, and is ended then
            reader.is_nice = True
            self._rescue(reader)
        if len(self._long) < self.limits.long_slots:
            self._long.add(answer)
            self._readers.refill()
        self._watch.at(answer, min(answer.deadline, time.monotonic() + LONG_SECONDS), self._yield)
        self.dispatch()

    def _is_no_longer(self, answer: Answer) -> None:
        """It has ended; its place among the long ones goes to the oldest that found none."""
        if answer not in self._long:
            return
        self._long.remove(answer)
        others = [a for a in self._readers.answers() if a.is_long and a not in self._long and a is not answer]
        if others:
            self._long.add(min(others, key=lambda a: a.started))

    def _yield(self, answer: Answer) -> None:
        """A query that goes on for long lets every other process go before it, to the end of its days."""
        reader = answer.reader
        if isinstance(reader, Reader) and reader.answer is answer:
            self._readers.nice(reader)
        self._watch.at(answer, answer.deadline, self._expired)

    def _expired(self, answer: Answer) -> None:
        """The deadline: the reader is ended, whatever it is doing."""
        answer.fail(too_long(self.limits.seconds, "of work"))
        self._stop(answer)

    def finished(self, reader: Reader, answer: Answer) -> None:
        """A reader has given its whole answer, or said why there is none."""
        self._watch.off(answer)
        answer.reader = None
        if answer.started and not answer.is_slow:  # else it took as long as its client
            self._backlog.remember(answer.job, time.monotonic() - answer.started)
        self._is_no_longer(answer)
        if reader.answer is not None:
            reader.take_turns(is_short=self._backlog.is_momentary(reader.answer))
            self._begun(reader.answer)  # the next of its line
        elif not reader.is_retired:  # a judge or a draft is closed by whoever uses it
            self._readers.free(reader)
        self.dispatch()

    def counted(self, reader: Reader, told: bytes) -> None:
        """A reader has counted a pattern that took its time; one of an older graph says nothing to others. What a census has
        counted is known to the next, and to readers that are forked from now on."""
        if reader.generation is not None:
            self.counted_total += 1
            self._readers.spread(json.loads(told))
        elif reader.answer is not None and reader.answer.job.task == "census":
            self._readers.keep(json.loads(told))

    def lost(self, reader: Reader) -> None:
        """The socket of a reader has closed."""
        self._readers.forget_idle(reader)
        self.ended(reader)

    def deserted(self, reader: Reader) -> None:
        """What a reader was at that has been stopped is done by another, unless its client has seen some of it already."""
        answer = reader.answer
        if answer is not None and not answer.has_begun:
            self._is_no_longer(answer)
            reader.answer = None
            reader.line.appendleft(answer)
        self._rescue(reader)
        self.dispatch()

    def ended(self, reader: Reader) -> None:
        """When both the end of its bytes and the cause of its death are known, fails the answer it was at, and only that."""
        if not reader.is_gone or reader.cause is None:
            return
        answer, reader.answer = reader.answer, None
        self._rescue(reader)
        if answer is not None:
            answer.reader = None
            self._is_no_longer(answer)
            self._watch.off(answer)
            answer.fail(cause_of_death(reader.cause, self.limits))
            self.dispatch()
