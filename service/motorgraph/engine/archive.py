"""The front's side of what is older: gives jobs to processes that hold the graph of an older commit, or read the journal.

Each process does one job at a time, and is kept for the next one about the same commit, the longer the more it took to make. As
they cost processor and memory beside the readers, few run at once, and few jobs wait.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from motorgraph.engine.answer import Answer, payer
from motorgraph.engine.child import Reader, too_long
from motorgraph.engine.readers import Readers
from motorgraph.engine.wire import Job, encode_job
from motorgraph.errors import DeadlineExceeded, OutOfMemory, OutOfReach, QueueFull, Unavailable
from motorgraph.limits import Limits

LEAST_IDLE_SECONDS, MOST_IDLE_SECONDS = 2.0, 30.0
WORTH = 20
"""Times what it took to make a process, for which it is kept with nothing to do: it owns memory, and may not be asked again."""
LIFE_SECONDS = 60.0
"""After which a process goes, though it is asked still: a graph that goes from commit to commit keeps all that was removed."""
CLERK = 0
"""Stands for a commit where the journal is to be read."""


@dataclass(eq=False, slots=True)
class Process:
    """One that is at a commit: how long it is kept with nothing to do, and when that is over."""

    commit: int
    reader: Reader
    seconds: float
    timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Lets it end."""
        self.wake()
        self.reader.close()

    def wake(self) -> None:
        """It has something to do."""
        if self.timer is not None:
            self.timer.cancel()


class Archive:
    """The processes that are at older commits, and the jobs that wait for them."""

    def __init__(self, readers: Readers, limits: Limits) -> None:
        self.limits = limits
        self._readers = readers
        self._idle: list[Process] = []
        self._working: dict[Answer, Process] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._spilt: set[Answer] = set()
        self._busy = 0
        readers.on_outlived.append(self._part)

    @property
    def queue(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    async def answer(self, job: Job, *, holds: int | None = None) -> Answer:
        """Answers a job from the graph of the commit `holds` (by default the job's), CLERK for what the journal says.

        Raises QueueFull, OutOfReach if that graph cannot be had, or the Refusal that the job met. The caller hands the answer to
        `release` when it is done with it.
        """
        commit = job.commit if holds is None else holds
        await self._turn()
        try:
            process = self._take(commit) or await self._forked(commit)
        except BaseException:
            self._next()
            raise
        goes_back = commit == CLERK and job.commit  # the clerk has a graph of its own to move
        seconds = self.limits.seconds + (self.limits.past_seconds if goes_back else 0.0)
        answer = Answer(job, time.monotonic() + seconds)
        answer.charge = payer.get()
        self._working[answer] = process
        answer.on_pause = self._spill
        answer.on_end = self._ended
        try:
            await self._given(answer, process.reader, seconds)
        except BaseException:
            self.release(answer)
            raise
        return answer

    async def _given(self, answer: Answer, reader: Reader, seconds: float) -> None:
        """Has a process answer a job, and waits until it is whole or too long to be held. Raises the Refusal that it met."""
        timer = asyncio.get_running_loop().call_later(seconds, self._expire, answer)
        reader.begin(answer, encode_job(answer.job, seconds))
        self._readers.ended(reader)
        try:
            await answer.opened()
        finally:
            timer.cancel()

    async def ask(self, task: str, **wanted: Any) -> Any:  # Any: plain JSON, both ways
        """What the clerk says. Raises what `answer` does."""
        answer = await self.answer(Job(task, json.dumps(wanted)), holds=CLERK)
        try:
            return json.loads(b"".join([piece async for piece in answer.pieces()]))
        finally:
            self.release(answer)

    def release(self, answer: Answer) -> None:
        """Says that nobody wants the rest of an answer."""
        answer.close()
        self._spilt.discard(answer)
        process = self._working.pop(answer, None)
        if process is not None:
            self._readers.kill(process.reader)
            self._next()

    def close(self) -> None:
        """Fails what waits; the processes are ended with all others."""
        self._part()
        for waiting in self._waiting:
            waiting.cancel()

    async def _turn(self) -> None:
        """Waits until one more may begin. Raises QueueFull, or DeadlineExceeded if that takes too long."""
        if self._busy < self.limits.past_readers:
            self._busy += 1
            return
        if self.queue >= self.limits.past_queue:
            raise QueueFull(f"{self.queue} questions about older commits wait already. Try again in a second.")
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        timer = asyncio.get_running_loop().call_later(self.limits.past_seconds, self._waited_too_long, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif turn.done() and not turn.cancelled() and turn.exception() is None:
                self._next()
            raise
        finally:
            timer.cancel()

    def _waited_too_long(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            self._waiting.remove(turn)
            turn.set_exception(too_long(self.limits.past_seconds, "while it waited for others about older commits"))

    def _next(self) -> None:
        """One has ended; its turn goes to the first that waits."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._busy -= 1

    def _take(self, commit: int) -> Process | None:
        """An idle process that is at the commit."""
        self._idle = [process for process in self._idle if not process.reader.is_gone]
        found = next((process for process in self._idle if process.commit == commit), None)
        if found is not None:
            self._idle.remove(found)
            found.wake()
        return found

    async def _forked(self, commit: int) -> Process:
        """A new process at the commit; the oldest idle one goes if there are too many."""
        while len(self._idle) + self._busy > 2 * self.limits.past_readers and self._idle:
            self._idle.pop(0).close()
        began = time.monotonic()
        coming = asyncio.ensure_future(self._born(commit))
        try:
            reader = await asyncio.shield(coming)
        except asyncio.CancelledError:
            coming.add_done_callback(self._end_born)
            raise
        if commit == CLERK:
            return Process(commit, reader, MOST_IDLE_SECONDS)
        await self._gone_back(reader, commit)
        worth = WORTH * (time.monotonic() - began)
        return Process(commit, reader, min(max(worth, LEAST_IDLE_SECONDS), MOST_IDLE_SECONDS))

    async def _born(self, commit: int) -> Reader:
        if commit == CLERK:
            return await self._readers.apart("clerk", self.limits.memory)
        seconds, may_open = self.limits.past_seconds, self.limits.may_open
        told = {"commit": commit, "seconds": seconds, "room": self.limits.memory}
        return await self._readers.apart("past", self.limits.memory, may_open=may_open, **told)

    def _end_born(self, coming: asyncio.Future[Reader]) -> None:
        """Whoever wanted it has gone."""
        if not coming.cancelled() and coming.exception() is None:
            self._readers.kill(coming.result())

    async def _gone_back(self, reader: Reader, commit: int) -> None:
        """Waits until a process has the graph of its commit. Raises OutOfReach, with the process ended, if it cannot have it."""
        seconds = self.limits.past_seconds
        try:
            await self._given(Answer(Job("arrive"), time.monotonic() + seconds), reader, seconds)
        except DeadlineExceeded as error:
            self._readers.kill(reader)
            raise OutOfReach(
                f"The graph of commit {commit} could not be made in {seconds:g} seconds (setting past_seconds). Ask a later one."
            ) from error
        except OutOfMemory as error:
            self._readers.kill(reader)
            raise OutOfReach(
                f"The graph of commit {commit} needs more memory than a query may have (setting query_memory). Ask a later one."
            ) from error
        except BaseException:
            self._readers.kill(reader)
            raise

    def _spill(self, answer: Answer) -> None:
        """The client is slower than the process: the rest goes to a file, so that others get their turn."""
        try:
            answer.spill(self.limits.answer_bytes - sum(other.spilt_bytes for other in self._spilt))
            self._spilt.add(answer)
        except OSError as error:
            answer.fail(Unavailable(f"The client is too slow for the answer, and it cannot be kept in a file: {error}."))

    def _expire(self, answer: Answer) -> None:
        answer.fail(too_long(self.limits.seconds, "of work"))

    def _ended(self, answer: Answer) -> None:
        """The process is through with it, or dead."""
        process = self._working.pop(answer, None)
        if process is None:
            return
        reader = process.reader
        if reader.answer is not None:  # it is still at work for nobody
            self._readers.kill(reader)
        elif reader.is_outlived or time.monotonic() - reader.born > LIFE_SECONDS:
            reader.close()
        elif not reader.is_gone:
            self._idle.append(process)
            process.timer = asyncio.get_running_loop().call_later(process.seconds, self._let_go, process)
        self._next()

    def _let_go(self, process: Process) -> None:
        """It has had nothing to do for long."""
        if process in self._idle:
            self._idle.remove(process)
            process.close()

    def _part(self) -> None:
        """Lets those go that have nothing to do, whatever they were forked from is no more."""
        for process in self._idle:
            process.close()
        self._idle.clear()
