"""The watch on a remote store: whether it answers and is at the commit of the journal. If not, requests are refused at once.

The keeper looks every few seconds, at once when a request has met that the store is away, and every second until it is back. With
that it also finds out what became of a change that was under way.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from motorgraph.errors import Diverged, Failed, Refusal, StoreAway

if TYPE_CHECKING:
    from motorgraph.stores.embedded import Embedded

LOOK_SECONDS = 5.0
AWAY_SECONDS = 1.0
AWAY, DIVERGED = "store away", "store diverged"
log = logging.getLogger("motorgraph.store")


class Elsewhere:
    """The store of a service whose graph is not in memory. `refusal` is why nothing can be asked of it now, None if it can."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._doubt = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.refusal: Refusal | None = None

    def begin(self) -> None:
        """Looks from now on."""
        self._task = asyncio.get_running_loop().create_task(self._watch())

    def doubt(self, refusal: Refusal) -> None:
        """A request has met a refusal: if it is that the store is away, that is looked at now."""
        if isinstance(refusal, StoreAway):
            self._doubt.set()

    async def close(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS if self.refusal is None else AWAY_SECONDS):
                    await self._doubt.wait()
            except TimeoutError:
                pass
            self._doubt.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            applied = await self._store.control.settle()
        except (StoreAway, Diverged, Failed) as refusal:
            if type(self.refusal) is not type(refusal):
                log.error("nothing can be asked of the store", extra={"why": refusal.detail})
            self.refusal = refusal
        except Refusal:
            return  # the keeper has ended, and with it the service
        else:
            if self.refusal is not None:
                log.info("the store is there again", extra={"commit": applied.commit})
            self.refusal = None
            if applied.delta is not None:
                self._store.pool.drafts.done(applied)
        self._store.answers_if(self.refusal, DIVERGED if isinstance(self.refusal, Diverged) else AWAY)
