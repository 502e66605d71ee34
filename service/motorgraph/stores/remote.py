"""The watch on a remote store: whether it answers and is at the commit of the journal. If not, requests are refused at once.

The keeper looks every few seconds, at once when a request has met that the store is away, and every second until it is back. With
that it also finds out what became of a change that was under way.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from motorgraph.errors import Diverged, Failed, Refusal, StoreAway

if TYPE_CHECKING:
    from motorgraph.engine.control import Loaded, Start
    from motorgraph.stores.embedded import Embedded

LOOK_SECONDS = 5.0
AWAY_SECONDS = 1.0
MOST_AWAY_SECONDS = 10.0
REST_AFTER_COUNT = 100  # times what the last count took: to count is to have the store walk through all that it has
MADE = ("catalogue", "inferred")
"""Graphs that are made from the others; with them their merge, of which the journal knows no count."""
AWAY, DIVERGED = "store away", "store diverged"
log = logging.getLogger("motorgraph.store")


class Elsewhere:
    """The store of a service whose graph is not in memory. `refusal` is why nothing can be asked of it now, None if it can."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._doubt = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.refusal: Refusal | None = None
        self.astray = 0
        """How many quads more (or fewer) the store had, when they were counted, than the journal knows of."""
        self._counted = time.monotonic()

    async def first(self, start: Start) -> Loaded:
        """Has the keeper take up the store, as soon as it is there. Raises what `Control.load` does but StoreAway."""
        pause = AWAY_SECONDS
        while True:
            try:
                loaded = await self._store.control.load(start)
            except StoreAway as away:
                if self.refusal is None:
                    log.warning("waiting for the store", extra={"why": away.detail})
                self.refusal = self._store.pool.refusal = away
                self._store.be(AWAY)
                await asyncio.sleep(pause)
                pause = min(2 * pause, MOST_AWAY_SECONDS)
            else:
                self.refusal = self._store.pool.refusal = None
                return loaded

    def rest_after(self, seconds: float) -> float:
        """Seconds to wait after a count that took so long, though commits have come."""
        most: float = self._store.settings.remote_count_seconds
        return min(REST_AFTER_COUNT * seconds, most)

    async def compare(self, commit: int, graphs: Mapping[str, int]) -> None:
        """Holds the quads that were counted in the store at a commit against those that the journal knows of."""
        settings, names = self._store.settings, self._store.names
        made = {*([""] if settings.is_union else []), *([] if settings.plain else map(names.graph, MADE))}
        found = sum(count for graph, count in graphs.items() if graph not in made)
        astray = found - await self._store.archive.ask("quads", upto=commit)
        if astray and astray != self.astray:
            log.error("somebody else has written to the store", extra={"quads": astray, "commit": commit})
        self.astray, self._counted = astray, time.monotonic()

    @property
    def state(self) -> dict[str, object]:
        """What `/ready` says of it: `why` nothing can be asked of it, `astray` if it has more or fewer quads than the journal."""
        why = {"why": self.refusal.detail} if self.refusal is not None else {}
        return why | ({"astray": self.astray} if self.astray else {})

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
            if self.refusal is None and time.monotonic() - self._counted > self._store.settings.remote_count_seconds:
                self._counted = time.monotonic()
                self._store.count_soon()

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
