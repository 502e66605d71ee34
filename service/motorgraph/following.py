"""A read replica's way behind its upstream: it repeats the commits of another motorgraph, each as it was, and says how far it is.

What it has not got at the start goes into the journal first, and the graph is then loaded from that as at any start; what comes
later is done to the graph at work. Each commit's digest covers those before it, so with every commit it is sure that both have
the same history. Where they part, it stops.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Protocol

from motorgraph import __version__
from motorgraph.engine.wire import Job
from motorgraph.errors import Broken, Diverged, Refusal
from motorgraph.ledger import Ledger
from motorgraph.settings import Settings
from motorgraph.upstream import Away, Outlook, Told, Upstream

if TYPE_CHECKING:
    from motorgraph.stores.embedded import Embedded

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
LONGEST_WISH = 300.0
SAID_EVERY_SECONDS = 5.0
ANEW = "To take over what is there now, start with an empty --data-dir."
log = logging.getLogger("motorgraph.following")


class Copy(Protocol):
    """Where the commits go: a journal from which nothing has been loaded yet, or a service at work."""

    @property
    def commit(self) -> int:
        """The newest commit, 0 before the first."""

    @property
    def digest(self) -> bytes:
        """Its digest."""

    async def belong(self, outlook: Outlook) -> None:
        """Takes the lineage of an upstream whose history continues ours. Raises Diverged if it cannot."""

    async def keep(self, told: Told, patch: IO[bytes]) -> None:
        """Repeats a commit. Raises Diverged if it is not what continues ours, or another refusal."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a replica is behind: commits, and seconds since the oldest of these was made upstream."""

    commits: int
    seconds: float


class Following:
    """A replica that follows `url`. `is_up` says whether that answered last and is followed, `fault` why it no longer is."""

    def __init__(self, store: Embedded) -> None:
        self._settings = store.settings
        self._store = store
        self._upstream = connected(store.settings)
        self._outlook: Outlook | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._wish = 0.0
        self._last_words = ""
        self._said = 0.0
        self._copy: Copy = _AtWork(store, b"")
        self.url = store.settings.follow
        self.is_up = False
        self.fault = ""

    @property
    def lag(self) -> Lag:
        """How far it is behind what upstream has told last."""
        if self._outlook is None or self._outlook.newest <= self._copy.commit:
            return Lag(0, 0.0)
        missing = next((told for told in self._outlook.commits if told.commit.id > self._copy.commit), None)
        oldest = missing or self._outlook.commits[-1]
        age = datetime.now(UTC) - datetime.fromisoformat(oldest.commit.time)
        return Lag(self._outlook.newest - self._copy.commit, max(age.total_seconds(), 0.0))

    @property
    def state(self) -> dict[str, object]:
        """All of it as JSON."""
        newest = self._outlook.newest if self._outlook else None
        told = {"url": self.url, "up": self.is_up, "commit": newest, "lag_commits": self.lag.commits}
        return told | {"lag_seconds": round(self.lag.seconds, 3)} | ({"fault": self.fault} if self.fault else {})

    @property
    def figures(self) -> dict[str, float]:
        """All of it for metrics."""
        lag = self.lag
        return {"up": float(self.is_up), "lag_commits": lag.commits, "lag_seconds": lag.seconds}

    async def seed(self, address: str) -> None:
        """Brings the journal as far as upstream. If upstream is away, one that was so far once is enough; else it waits.

        Raises Diverged for a journal that upstream's does not continue, and Failed.
        """
        with ThreadPoolExecutor(1) as thread:  # SQLite wants one
            ledger = self._copy = await Ledger.open(self._settings, address, thread)
            try:
                while not await self._is_seeded(ledger):
                    await self._rest()
                self._copy = _AtWork(self._store, ledger.digest)
            finally:
                await ledger.close()

    async def _is_seeded(self, ledger: Ledger) -> bool:
        try:
            is_all = await self._catch_up()
        except Away as away:
            self._is_away(away)
            return ledger.has_caught_up
        if is_all:
            await ledger.note_caught_up()
        return is_all

    def begin(self) -> None:
        """Follows from now on."""
        self._task = asyncio.get_running_loop().create_task(self._follow())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Says it if it follows no more by a mistake of the service."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fault, self.is_up = f"The service made a mistake: {error!r}. Start it again.", False
            log.error("stopped following by a fault of the service", exc_info=error)

    async def close(self) -> None:
        """Follows no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._upstream.close()

    async def _follow(self) -> None:
        while not self.fault:
            try:
                if await self._catch_up():
                    await asyncio.sleep(self._settings.follow_seconds)
                continue
            except Diverged as diverged:
                self.fault, self.is_up = diverged.detail, False
                log.error("stopped following: %s", diverged.detail)
            except Away as away:
                self._is_away(away)
            except (Refusal, Broken, OSError) as error:
                self._is_away(Away(str(error)))
            await self._rest()

    async def _catch_up(self) -> bool:
        """Repeats what upstream has beyond the copy, as far as it tells at once; whether that is all there is.

        Raises Away, Diverged, or the refusal that a commit met.
        """
        copy = self._copy
        outlook = await self._upstream.look(max(copy.commit - 1, 0)) or self._outlook
        assert outlook is not None
        self._has_answered(outlook)
        _require_continued(outlook, copy, self.url)
        await copy.belong(outlook)
        for told in outlook.commits:
            if told.commit.id > copy.commit:
                with NamedTemporaryFile() as patch:
                    await self._upstream.fetch(told.commit.id, patch)
                    await copy.keep(told, patch)
                self._say_now_and_then(outlook)
        if self._failures:
            log.info("upstream is back at commit %s", outlook.newest)
        self._failures, self._last_words = 0, ""
        return copy.commit >= outlook.newest

    def _has_answered(self, outlook: Outlook) -> None:
        if self._outlook is None:
            log.info("following %s: it is at commit %s, this replica at %s", self.url, outlook.newest, self._copy.commit)
        if outlook.version != __version__ and (self._outlook is None or self._outlook.version != outlook.version):
            log.warning(
                "upstream is motorgraph %s, this is %s: with other rules they may infer other triples from the same commits",
                outlook.version, __version__,
            )  # fmt: skip
        self._outlook, self.is_up = outlook, True

    def _is_away(self, away: Away) -> None:
        if str(away) != self._last_words:
            log.warning("upstream cannot be followed for now; trying again: %s", away)
        self.is_up, self._last_words = False, str(away)
        self._failures += 1
        self._wish = away.seconds

    async def _rest(self) -> None:
        """Waits until upstream may be asked again: longer each time, never as other replicas do, and as long as it wants."""
        if self._failures and not self.fault:
            await asyncio.sleep(pause(self._failures, self._wish))

    def _say_now_and_then(self, outlook: Outlook) -> None:
        now = time.monotonic()
        if outlook.newest - self._copy.commit and now - self._said > SAID_EVERY_SECONDS:
            self._said = now
            log.info("catching up: at commit %s of %s", self._copy.commit, outlook.newest)


def connected(settings: Settings) -> Upstream:
    """The upstream of the settings."""
    token = settings.follow_token.get_secret_value() if settings.follow_token else ""
    return Upstream(settings.follow, token)


def pause(failures: int, wish: float) -> float:
    """Seconds to wait after so many failures in a row, and what upstream wished for (Retry-After)."""
    longest = min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
    return min(wish, LONGEST_WISH) + random.uniform(longest / 2, longest)  # noqa: S311  # only to spread the replicas


class _AtWork:
    """The graph of a running service, and its journal."""

    def __init__(self, store: Embedded, digest: bytes) -> None:
        self._store = store
        self.digest = digest

    @property
    def commit(self) -> int:
        """The newest commit, 0 before the first."""
        return self._store.commit

    async def belong(self, outlook: Outlook) -> None:
        """Looks that upstream's lineage is still ours, as it cannot be changed at work. Raises Diverged."""
        if outlook.lineage != self._store.lineage:
            raise Diverged(
                f"Upstream's history is {outlook.lineage} now, and here it is {self._store.lineage}: another journal is served "
                "there, or a replica was made its own master. A new start takes over its name, if it continues what is here."
            )

    async def keep(self, told: Told, patch: IO[bytes]) -> None:
        """Makes a commit as it was. Raises Diverged if it does not continue what is here, or what a write meets."""
        await self._store.write(Job("follow", str(patch.name), was=told.as_json, beside=patch.tell(), is_admin=True))
        self.digest = told.commit.digest


def _require_continued(outlook: Outlook, copy: Copy, url: str) -> None:
    """Raises Diverged unless the newest commit of the copy is one of upstream's."""
    if outlook.newest < copy.commit:
        raise Diverged(
            f"{url} is at commit {outlook.newest} of the history {outlook.lineage}, behind commit {copy.commit} here: an older "
            f"state has been restored there, or it is another service. {ANEW}"
        )
    same = [told.commit.digest for told in outlook.commits if told.commit.id == copy.commit]
    if copy.commit and same != [copy.digest]:
        raise Diverged(
            f"Commit {copy.commit} here is not that of {url} (history {outlook.lineage}): the data folder holds another history, "
            f"or an older state was restored there and changed since. {ANEW}"
        )
