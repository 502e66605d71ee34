"""The stock: what was counted in the newest commit, once however many ask, and carried on from one commit to the next."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import orjson

from motorgraph.catalogue.about import About
from motorgraph.catalogue.statistics import Statistics
from motorgraph.engine.wire import Job
from motorgraph.errors import NotReady
from motorgraph.stores.embedded import Embedded

QUIET_SECONDS = 10.0
"""After the start, if nobody has asked by then: who asks first need not wait."""
log = logging.getLogger("motorgraph.catalogue")


@dataclass(frozen=True)
class Counted:
    """What a commit's graph holds and says of itself; when that commit was made, and when the first was (ISO 8601)."""

    commit: int
    statistics: Statistics
    about: About
    modified: str
    issued: str


class Stock:
    """The statistics of a store."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._found: Counted | None = None
        self._tally: list[Any] = []  # Any: plain JSON
        self._time = (0, "")
        self._issued = ""
        self._task: asyncio.Task[Counted] | None = None
        store.on_ready = self._count_later

    async def counted(self) -> Counted:
        """The statistics of the newest commit, or of one that came while they were made. Raises the Refusal that was met."""
        if not self._store.is_ready:
            raise NotReady("The graph is being loaded; /ready says when it is there.")
        wanted = self._store.commit
        while self._found is None or self._found.commit < wanted:
            await asyncio.shield(self._begun())
        return self._found

    async def modified(self) -> str:
        """When the newest commit was made (ISO 8601)."""
        if self._time[0] != self._store.commit:
            commit = self._store.commit
            self._time = commit, await self._times(commit)
        return self._time[1]

    def _count_later(self) -> None:
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._count_unasked)

    def _count_unasked(self) -> None:
        if self._store.is_ready and self._task is None:
            self._begun(can_wait=True)

    def _begun(self, *, can_wait: bool = False) -> asyncio.Task[Counted]:
        """The count that is under way, begun if there is none."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._count(can_wait=can_wait))
            self._task.add_done_callback(self._heard)
        return self._task

    async def _count(self, *, can_wait: bool) -> Counted:
        """Has the process of the job carry on the newest tally, if there is one."""
        found = self._found
        known = {"tally": self._tally, "commit": found.commit if found else 0, "examples": found.about.examples if found else []}
        settings = self._store.settings
        text = (await asyncio.to_thread(orjson.dumps, known)).decode()
        job = Job("statistics", text, base=settings.base, union=settings.is_union)
        told = orjson.loads(await self._store.pool.alone(job, can_wait=can_wait))
        commit = told["commit"]
        self._issued = self._issued or await self._times(1)
        modified = await self._times(commit)
        self._tally = told["tally"]
        about = About(told["said"], told["tables"], told["examples"])
        statistics = await asyncio.to_thread(Statistics, self._tally)
        self._found = Counted(commit, statistics, about, modified, self._issued)
        return self._found

    async def _times(self, commit: int) -> str:
        """When a commit was made."""
        found = await self._store.commits(after=commit - 1, upto=commit, limit=1)
        return str(found[0]["time"]) if found else ""

    def _heard(self, task: asyncio.Task[Counted]) -> None:
        """Whoever waits hears of an error too; if nobody does, the log."""
        error = None if task.cancelled() else task.exception()
        if error is not None and self._store.is_ready:
            log.warning("the graph could not be counted", extra={"error": str(error)})
