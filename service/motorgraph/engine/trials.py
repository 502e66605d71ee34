"""The front's side of trials: a bounded number at once, a bounded number that wait, and none of them in the way of a write."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from motorgraph.engine.answer import Answer, payer
from motorgraph.engine.readers import Readers
from motorgraph.engine.wire import Job, body_frames, encode_job
from motorgraph.errors import Broken, DeadlineExceeded, QueueFull
from motorgraph.limits import Limits


class Trials:
    """What is only judged, each time in a process of its own."""

    def __init__(self, readers: Readers, limits: Limits) -> None:
        self.waiting = 0
        self._readers = readers
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.validations)

    def require_room(self) -> None:
        """Raises QueueFull if as many wait as may; asked before a body is read, too."""
        if self.waiting >= self._limits.validation_queue and self._turns.locked():
            raise QueueFull(f"{self.waiting} validations wait already (setting validation_queue_length). Try again in a second.")

    async def judge(self, job: Job, body: bytes) -> dict[str, Any]:  # Any: plain JSON
        """What a trial says of a body, see `engine.trial`. Raises the Refusal that it met."""
        self.require_room()
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        try:
            return await self._judged(job, body)
        finally:
            self._turns.release()

    async def _judged(self, job: Job, body: bytes) -> dict[str, Any]:  # Any: as above
        reader = await self._readers.awaited("trial", memory=self._limits.memory + 8 * len(body))
        answer = Answer(job, float("inf"))
        answer.charge = payer.get()
        try:
            reader.begin(answer, encode_job(job, self._limits.seconds) + body_frames(body))
            self._readers.ended(reader)
            found: dict[str, Any] = orjson.loads(b"".join([piece async for piece in answer.pieces()]))
            return found
        except Broken as broken:
            if isinstance(broken.__cause__, DeadlineExceeded):
                raise DeadlineExceeded(
                    f"The data were not judged within {self._limits.seconds:g} seconds (setting query_seconds): they are "
                    "many, or the service is busy. Send fewer at once, or try again.",
                    seconds=self._limits.seconds,
                ) from None
            raise broken.__cause__ or broken from None
        finally:
            if not answer.is_over:
                self._readers.kill(reader)
            reader.close()
