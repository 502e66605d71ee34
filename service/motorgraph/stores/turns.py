"""The turns of writes: one at a time, in the order in which they came; a bounded number may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from motorgraph.errors import DeadlineExceeded, QueueFull
from motorgraph.limits import HELD_UP_SECONDS


class Turns:
    """Who may write now, and who waits."""

    def __init__(self, most_waiting: int, seconds: float = HELD_UP_SECONDS) -> None:
        """At most `most_waiting` may wait, each at most so many `seconds`."""
        self.waiting = 0
        self._most = most_waiting
        self._seconds = seconds
        self._lock = asyncio.Lock()

    def require_room(self) -> None:
        """Raises QueueFull if as many wait as may; asked before a body is read, too."""
        if self.waiting >= self._most and self._lock.locked():
            raise QueueFull(f"{self.waiting} writes wait already (setting write_queue_length). Try again in a second.")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Within, no other write is under way. Whoever is cancelled while it waits never has its turn.

        Raises QueueFull, or DeadlineExceeded if its turn does not come in time.
        """
        self.require_room()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._lock.acquire()
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"The write has waited {self._seconds:g} seconds for those before it, and was not begun. Send it again.",
                seconds=self._seconds,
            ) from error
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._lock.release()
