"""The front's side of the finder: has it made when it is first needed or soon after the start, tells it of commits, asks it.

An answer is from the newest commit, but after one too large to be told: then a new finder is made beside the old one, which
answers meanwhile from the commit that it has, and says so.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from motorgraph.engine.answer import Answer
from motorgraph.engine.child import Reader, too_long
from motorgraph.engine.readers import Readers
from motorgraph.engine.wire import Job, encode_delta, encode_job
from motorgraph.errors import NotReady, QueueFull, Refusal
from motorgraph.limits import Limits

QUIET_SECONDS = 10.0
"""After the start, if nobody has asked by then: who asks first need not wait."""
BEHIND_SECONDS = 0.05
"""In which whoever is asked for less is told of a commit first: before it is asked itself, the finder knows of it in any case."""
REST = 4
"""After a finder was made, times what that took pass before another is."""
log = logging.getLogger("motorgraph.engine")


class Finding:
    """The finder of a store."""

    def __init__(self, readers: Readers, limits: Limits) -> None:
        self.limits = limits
        self._readers = readers
        self._finder: Reader | None = None
        self._making: asyncio.Task[None] | None = None
        self._missed: list[bytes] = []
        self._is_behind = False
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._working: set[asyncio.Task[tuple[int, bytes] | None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.TimerHandle | None = None
        readers.on_outlived.append(self._make_anew)

    def open(self) -> None:
        """Makes the index soon."""
        self._timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._make_soon)

    def close(self) -> None:
        """Makes none any more; the process is ended with all others."""
        for timer in (self._timer, self._telling):
            if timer is not None:
                timer.cancel()
        if self._making is not None:
            self._making.cancel()

    def renew(self, commit: int, delta: str) -> None:
        """A commit has changed the graph: `delta` says how, "" if it is too long for that."""
        told = encode_delta(commit, delta)
        is_making = self._making is not None and not self._making.done()
        if is_making:
            self._missed.append(told)
        if self._finder is not None:
            self._heard(self._finder, told)
            if self._is_behind and not is_making:
                self._make_soon()

    def _make_anew(self) -> None:
        """Has a finder made in place of the one there is, which takes commits until then."""
        if self._making is not None and not self._making.done():
            self._missed.append(b"")  # it was forked too early: another comes after it
        elif self._finder is not None:
            self._make_soon()

    def _heard(self, finder: Reader, told: bytes) -> None:
        """Tells a finder of a commit; one that has missed any is told of no more."""
        self._is_behind = self._is_behind or not told
        if not self._is_behind:
            finder.owe(told)
            if self._telling is None:
                self._telling = asyncio.get_running_loop().call_later(BEHIND_SECONDS, self._tell)

    def _tell(self) -> None:
        """Tells the finder of the commits that it has not been told of."""
        self._telling = None
        if self._finder is not None:
            self._finder.settle()

    async def ask(self, task: str, **wanted: Any) -> tuple[int, bytes]:  # Any: plain JSON
        """The commit that the answer is from, and the answer as JSON. Raises NotReady, QueueFull, or what the finder refuses.

        Where the finder has been ended while this waited for its turn, the next one is asked.
        """
        if self._waiting >= self.limits.queue:
            raise QueueFull(f"{self._waiting} searches wait already (setting queue_length). Try again in a second.")
        self._waiting += 1
        try:
            told = None
            while told is None:
                await self._made()
                work = asyncio.ensure_future(self._asked(Job(task, json.dumps(wanted))))
                self._working.add(work)
                work.add_done_callback(self._working.discard)
                told = await asyncio.shield(work)  # a client that leaves must not leave the finder in the middle of an answer
            return told
        finally:
            self._waiting -= 1

    async def _made(self) -> None:
        """Waits until there is a finder. Raises NotReady if that takes longer than a query may."""
        if self._finder is not None and not self._finder.is_gone:
            return
        self._make_soon()
        assert self._making is not None
        done, _ = await asyncio.wait({self._making}, timeout=self.limits.seconds)
        if not done or self._finder is None or self._finder.is_gone:
            raise NotReady("The index of names is being made. Ask again in a moment.")

    async def _asked(self, job: Job) -> tuple[int, bytes] | None:
        """What the finder says when it is this job's turn; None if there is none then."""
        async with self._turn:
            finder = self._finder
            if finder is None or finder.is_gone:
                return None
            answer = await self._given(finder, job, self.limits.seconds)
            return answer.head.commit, b"".join([piece async for piece in answer.pieces()])

    async def _given(self, finder: Reader, job: Job, seconds: float) -> Answer:
        """The answer of a finder, when it has begun. Raises the Refusal that the job met."""
        answer = Answer(job, time.monotonic() + seconds)
        timer = asyncio.get_running_loop().call_later(seconds, self._expire, answer, finder) if seconds else None
        finder.begin(answer, encode_job(job, seconds))
        self._readers.ended(finder)
        try:
            await answer.opened()
        finally:
            if timer is not None:
                timer.cancel()
        return answer

    def _expire(self, answer: Answer, finder: Reader) -> None:
        answer.fail(too_long(self.limits.seconds, "of work"))
        self._readers.kill(finder)

    def _make_soon(self) -> None:
        if self._making is None or self._making.done():
            self._missed.clear()
            self._making = asyncio.get_running_loop().create_task(self._make())

    async def _make(self) -> None:
        """Makes a finder in place of the one there is; again for as long as commits come that cannot be told."""
        started = time.monotonic()
        try:
            await self._take_over()
        except (OSError, Refusal) as error:
            log.warning("the index of names could not be made", extra={"error": str(error)})
        if self._is_behind and self._finder is not None:
            rest = REST * (time.monotonic() - started)
            self._timer = asyncio.get_running_loop().call_later(rest, self._make_soon)

    async def _take_over(self) -> None:
        finder = await self._readers.apart("finder", 0)
        try:
            await self._given(finder, Job("arrive"), 0)
        except BaseException:
            self._readers.kill(finder)
            raise
        old, self._finder, self._is_behind = self._finder, finder, False
        for told in self._missed:
            self._heard(finder, told)
        if old is not None:
            async with self._turn:
                old.close()
