"""The journal of a replica before it starts, filled from upstream without a graph: it is written in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TypeVar

from motorgraph import rdfpatch
from motorgraph.commits import Change
from motorgraph.journal import Journal
from motorgraph.replica import CAUGHT_UP, FOLLOWS, rename
from motorgraph.settings import Settings
from motorgraph.upstream import Outlook, Told

Result = TypeVar("Result")


class Ledger:
    """An open journal; `open` takes the folder's lock."""

    def __init__(self, journal: Journal, thread: ThreadPoolExecutor, url: str) -> None:
        self._journal = journal
        self._thread = thread
        self._url = url
        self.has_caught_up = False

    @classmethod
    async def open(cls, settings: Settings, address: str, thread: ThreadPoolExecutor) -> Ledger:
        """The journal of the data folder, made if there is none. Raises Failed."""
        journal = await _in(thread, lambda: Journal.open(settings.folder, address))
        ledger = cls(journal, thread, settings.follow)
        try:
            await ledger._do(journal.require_whole)
            ledger.has_caught_up = bool(await ledger._do(lambda: journal.about(CAUGHT_UP)))
        except BaseException:
            await ledger.close()
            raise
        return ledger

    @property
    def commit(self) -> int:
        """The newest commit, 0 before the first."""
        return self._journal.head.id if self._journal.head else 0

    @property
    def digest(self) -> bytes:
        """Its digest."""
        return self._journal.head.digest if self._journal.head else b""

    async def belong(self, outlook: Outlook) -> None:
        """Takes upstream's lineage, and notes whom it follows and how that is served."""
        notes = {FOLLOWS: self._url, "base": outlook.base, "default graph": outlook.default_graph}

        def note() -> None:
            if self._journal.lineage != outlook.lineage:
                rename(self._journal, outlook.lineage, **notes)
            elif any(self._journal.about(key) != value for key, value in notes.items()):
                self._journal.note(**notes)

        await self._do(note)

    async def keep(self, told: Told, patch: IO[bytes]) -> None:
        """Writes a commit down as it was. Raises Diverged for one that does not continue what is here, or Failed."""
        change = Change(rdfpatch.removed(patch), rdfpatch.added(patch), graphs=told.graphs, was=told.commit)
        await self._do(lambda: self._journal.append(change))

    async def note_caught_up(self) -> None:
        """Notes that it has been as far as upstream: from then on it may be served while that is away."""
        await self._do(lambda: self._journal.note(**{CAUGHT_UP: "yes"}))

    async def close(self) -> None:
        """Gives the files back."""
        await self._do(self._journal.close)

    async def _do(self, work: Callable[[], Result]) -> Result:
        return await _in(self._thread, work)


async def _in(thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    """What comes of some work in a thread."""
    return await asyncio.get_running_loop().run_in_executor(thread, work)
