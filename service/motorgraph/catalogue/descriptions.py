"""Writes the descriptions: each once for a commit, format and host, away from the loop that answers other requests."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from motorgraph.catalogue.dcat import catalogue
from motorgraph.catalogue.edition import Edition, Example
from motorgraph.catalogue.service import service_description
from motorgraph.catalogue.sheet import Sheet
from motorgraph.catalogue.stock import Counted, Stock
from motorgraph.catalogue.void import void_description
from motorgraph.dumps import Dumps
from motorgraph.errors import Broken, Refusal
from motorgraph.media import Format
from motorgraph.settings import Settings

KINDS: dict[str, Callable[[Edition], Sheet]] = {
    "catalogue": catalogue,
    "service": service_description,
    "void": void_description,
}
MOST_KEPT = 32
RELEASE_SECONDS = 10.0
"""How long the first release is awaited."""
Key = tuple[str, str, str, bool]


@dataclass(frozen=True, slots=True)
class Written:
    """A description as bytes, the commit that it is of, and that of the release that it tells of (0 for none)."""

    body: bytes
    commit: int
    release: int


class Descriptions:
    """The descriptions of the graph in a stock, at whatever host they are asked for.

    `queries` are those to start from, `addresses` what the service answers.
    """

    def __init__(self, stock: Stock, dumps: Dumps, settings: Settings, queries: Sequence[Example]) -> None:
        self.stock = stock
        self._dumps = dumps
        self._settings = settings
        self._queries = queries
        self.addresses: frozenset[str] = frozenset()
        self._has_awaited_release = False
        self._kept: dict[Key, asyncio.Task[bytes]] = {}
        self._kept_of: tuple[int, int] = (0, 0)

    @property
    def release(self) -> int:
        """The commit of the newest release, 0 if none has been made: with that of the graph it tells what a description says."""
        found = self._dumps.newest()
        return found.commit if found else 0

    async def await_release(self) -> None:
        """Has the first release made if there is none, while the graph is counted; once, and not for long: then it is described
        without."""
        if not self.release and not self._has_awaited_release:
            self._has_awaited_release = True
            counting = asyncio.gather(self.stock.counted(), return_exceptions=True)
            with suppress(Refusal, Broken, OSError, TimeoutError):
                await asyncio.wait_for(self._dumps.release(), RELEASE_SECONDS)
            await counting

    async def written(self, kind: str, form: Format, origin: str, *, packed: bool) -> Written:
        """A description in a format, as gzip if it is to be `packed`."""
        return await self.made((kind, form.name, origin, packed), lambda edition: KINDS[kind](edition).serialised(form))

    async def made(self, key: Key, make: Callable[[Edition], bytes]) -> Written:
        """What `make` makes of the newest edition, kept under the key until there is a newer one."""
        counted = await self.stock.counted()
        state = (counted.commit, self.release)
        if state != self._kept_of:
            self._kept, self._kept_of = {}, state
        task = self._kept.get(key)
        if task is None:
            if len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            writing = asyncio.to_thread(_bytes, make, self._edition(counted, key[2]), packed=key[3])
            task = self._kept[key] = asyncio.get_running_loop().create_task(writing)
            task.add_done_callback(partial(_forget, self._kept, key))
        return Written(await asyncio.shield(task), *state)

    def _edition(self, counted: Counted, origin: str) -> Edition:
        return Edition(self._settings, origin, counted, self._dumps.newest(), self.addresses, self._queries)


def _forget(kept: dict[Key, asyncio.Task[bytes]], key: Key, task: asyncio.Task[bytes]) -> None:
    """What has failed may be tried again."""
    if task.cancelled() or task.exception() is not None:
        kept.pop(key, None)


def _bytes(make: Callable[[Edition], bytes], edition: Edition, *, packed: bool) -> bytes:
    body = make(edition)
    return gzip.compress(body, 5, mtime=0) if packed else body
