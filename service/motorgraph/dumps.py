"""The dumps: releases of the graph on the disk, made when somebody asks for them or when nobody has written for a while."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from motorgraph.engine.wire import Job
from motorgraph.errors import (
    Broken,
    Failed,
    NotFound,
    NotReady,
    OutOfReach,
    QueueFull,
    Refusal,
    Unavailable,
    is_disk_full,
    no_room,
)
from motorgraph.folder import is_writable
from motorgraph.packing import READ_BYTES, UNPACKABLE, opened
from motorgraph.release import CANONICAL_FILES, EARLY_FILES, INDEX, DumpFile, Order, Release, read

if TYPE_CHECKING:
    from motorgraph.stores.embedded import Embedded

FOLDER = "dumps"
QUIET_SECONDS = 5.0
REST_AFTER_DUMP = 10  # times what the last dump took, before the next is made unasked
WAIT_SECONDS = 45.0
OLD_SECONDS = 86_400.0
MOST_UNDER_WAY = 8
NICENESS_ASKED, NICENESS_UNASKED = 0, 15
MOST_TRIES = 3  # a remote store may be at a commit of which the front has not heard yet
ROLE = "archivist"
NEWEST = "newest"
Made = TypeVar("Made")
log = logging.getLogger("motorgraph.dumps")


class Dumps:
    """The releases that are there, by commit. One at a time is made, and all who want it wait for the same."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._kept = store.settings.dumps_kept
        self._releases: dict[int, Release] = {}  # those asked for or made last come last
        self._early: dict[int, Release] = {}  # of which only the N-Quads are there yet
        self._arrival: asyncio.Future[None] | None = None
        self._under_way: dict[object, asyncio.Task[Any]] = {}  # Any: each makes something else
        self._turn = asyncio.Lock()
        self._timer: asyncio.Task[None] | None = None
        self._took = 0.0
        self._own: TemporaryDirectory[str] | None = None

    def open(self) -> None:
        """Takes what an earlier start has left, and clears away what none can use; makes the newest when it is quiet."""
        folder = self._store.settings.folder / FOLDER
        for found in folder.iterdir() if folder.is_dir() else ():
            lineage, _, number = found.name.rpartition("-")
            release = _released(found) if lineage == self._store.lineage and number.isdigit() else None
            if release is not None and release.commit <= self._store.commit:
                self._releases[release.commit] = release
            elif self._store.settings.is_writable or _is_old(found):
                shutil.rmtree(found, ignore_errors=True)
        self._prune()
        self.soon()

    def close(self) -> None:
        """Makes nothing more."""
        for task in (self._timer, *self._under_way.values()):
            if task is not None:
                task.cancel()
        if self._own is not None:
            self._own.cleanup()

    def soon(self) -> None:
        """The graph has changed: a dump of it is made when it has been left alone for a while."""
        if self._timer is not None:
            self._timer.cancel()
        if self._kept:
            self._timer = asyncio.get_running_loop().create_task(self._when_quiet())

    def releases(self) -> list[Release]:
        """Those that are there, the newest first."""
        return [self._releases[commit] for commit in sorted(self._releases, reverse=True)]

    def newest(self) -> Release | None:
        """The newest that is there; it may be older than the graph."""
        return next(iter(self.releases()), None)

    async def release(self, commit: int | None = None, name: str = "") -> Release:
        """The release of a commit, None for the newest; made if it is not there. Who wants a file by `name` may get one that
        has no more yet. Raises NotFound, Unavailable, Failed."""
        self._require_kept()
        newest = self._store.commit
        if commit is not None and commit != newest and not 1 <= commit < newest:
            raise NotFound(f"There is no commit {commit}; the newest is {newest}, and /dumps/latest/ leads to its dump.")
        found = self._releases.pop(newest if commit is None else commit, None)
        if found is not None:
            self._releases[found.commit] = found
            return found
        coming = self._made(commit, newest)
        found = await _soon_enough(self._early_or(coming, commit or newest) if name in EARLY_FILES else coming, "The dump")
        return found if commit in (None, found.commit) else await self.release(commit, name)  # a write has come between

    async def file(self, release: Release, name: str) -> tuple[DumpFile, Path]:
        """A file of a release and where it is, made if that has been put off. Raises NotFound, Unavailable, Failed."""
        file = release.file(name)
        if file is None and name in CANONICAL_FILES:
            release = await _soon_enough(self._canonical(release.commit), "The canonical form")
            file = release.file(name)
        if file is None:
            raise NotFound(f"The dump of commit {release.commit} has no file {name}; /dumps/{release.commit}/ lists them.")
        folder = self._order(0).of(release.commit)
        path = folder / name
        early = self._order(0).early(release.commit) / name
        if release.commit in self._early and early.is_file():
            return file, early
        if not path.is_file():
            package = release.packed(name)
            if package is None or not (folder / package.name).is_file():
                self._releases.pop(release.commit, None)
                shutil.rmtree(folder, ignore_errors=True)  # else it would be found again
                raise Unavailable(
                    f"The dump of commit {release.commit} has gone from the disk; it is made again if you ask again."
                )
            source, whole = folder / package.name, file
            await _soon_enough(self._shared(path, lambda: asyncio.to_thread(_unpack, source, path, whole)), "The file")
        return file, path

    def _require_kept(self) -> None:
        if not self._kept:
            raise NotFound("This service makes no dumps (setting dumps_kept). /graphs has the graph.")
        if not self._store.is_ready:
            raise NotReady("The graph is being loaded; /ready says when it is there.")

    async def _when_quiet(self) -> None:
        await asyncio.sleep(max(QUIET_SECONDS, REST_AFTER_DUMP * self._took))
        if self._store.commit not in self._releases:
            try:
                await self._shared(NEWEST, lambda: self._make(NICENESS_UNASKED))
            except (Refusal, Broken, OSError) as error:
                log.warning("the dump could not be made", extra={"error": str(error)})

    async def _made(self, commit: int | None, newest: int) -> Release:
        """The release of a commit, made now; of the newest or one that has come since, if it is None or the newest."""
        if commit is not None and commit != newest:
            return await self._shared(commit, lambda: self._make(NICENESS_ASKED, commit))
        tries = 0
        while True:
            try:
                release = await self._shared(NEWEST, lambda: self._make(NICENESS_ASKED))
            except Unavailable as gone:
                if self._store.commit > newest:
                    return await self._made_behind(newest, gone)
                tries += 1
                if tries == MOST_TRIES:
                    raise
            else:
                if release.commit >= newest:
                    return release

    async def _made_behind(self, commit: int, gone: Unavailable) -> Release:
        """The release of a commit that a remote store has left while it was read: as of an older one, if there is room."""
        try:
            return await self._shared(commit, lambda: self._make(NICENESS_ASKED, commit))
        except OutOfReach:
            raise gone from None

    async def _early_or(self, coming: Awaitable[Release], commit: int) -> Release:
        """The release of a commit as soon as its N-Quads are there, or whichever comes."""
        whole = asyncio.ensure_future(coming)
        try:
            while commit not in self._early and not whole.done():
                self._arrival = self._arrival or asyncio.get_running_loop().create_future()
                either: set[asyncio.Future[Any]] = {whole, self._arrival}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return self._early.get(commit) or await whole
        finally:
            whole.cancel()  # only the waiting for it

    async def _make(self, niceness: int, commit: int = 0) -> Release:
        async with self._turn:
            began = time.monotonic()
            order, limits = self._order(niceness), self._store.settings.limits()
            job, rest = Job("release", json.dumps(asdict(order))), b""
            told = self._store.pool.told(job, role=ROLE, commit=commit, seconds=limits.past_seconds, room=limits.memory)
            try:
                async for piece in told:
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        release = read(line.decode())
                        self._arrived(release)
                self._releases[release.commit] = release
            finally:
                for early in self._early:
                    shutil.rmtree(order.early(early), ignore_errors=True)
                self._early.clear()
            self._took = time.monotonic() - began
        self._prune()
        log.info("a dump has been made", extra={"commit": release.commit, "seconds": round(self._took, 3)})
        return release

    def _arrived(self, release: Release) -> None:
        """Some of a release can be had, or all."""
        self._early[release.commit] = release
        if self._arrival is not None:
            self._arrival.set_result(None)
            self._arrival = None

    async def _canonical(self, commit: int) -> Release:
        """The two files of the canonical form, as if they were a release of their own."""

        async def made() -> Release:
            async with self._turn:
                job = Job("canonical", json.dumps(asdict(self._order(NICENESS_ASKED))), commit=commit)
                return read((await self._store.pool.alone(job, role=ROLE, commit=0, seconds=0, room=0)).decode())

        return await self._shared(("canonical", commit), made)

    def _order(self, niceness: int) -> Order:
        settings, limits = self._store.settings, self._store.settings.limits()
        apart = () if settings.plain else (self._store.names.graph("catalogue"),)
        whose = str(self._folder), self._store.lineage, settings.base, settings.is_union, apart
        return Order(*whose, niceness, limits.seconds, limits.memory, os.getpid())

    @property
    def _folder(self) -> Path:
        """Where the releases are: in a temporary folder where nothing can be written to that of the data."""
        kept = self._store.settings.folder
        if self._own is None:
            with suppress(OSError):
                (kept / FOLDER).mkdir(parents=True, exist_ok=True)
                if is_writable(kept / FOLDER):
                    return kept / FOLDER
            self._own = TemporaryDirectory(prefix="motorgraph-dumps-")
        return Path(self._own.name)

    def _prune(self) -> None:
        """Deletes releases beyond the newest that are kept, and beyond as many of the others, those that were asked for last.

        Who reads a file of theirs reads it to its end.
        """
        newest = {release.commit for release in self.releases()[: self._kept]}
        others = [commit for commit in self._releases if commit not in newest]
        for commit in others[: max(len(others) - self._kept, 0)]:
            del self._releases[commit]
            shutil.rmtree(self._order(0).of(commit), ignore_errors=True)

    async def _shared(self, what: object, make: Callable[[], Awaitable[Made]]) -> Made:
        """What comes of something that is made once, however many want it and whoever of them leaves. Raises QueueFull."""
        task: asyncio.Task[Made] | None = self._under_way.get(what)
        if task is None:
            if len(self._under_way) >= MOST_UNDER_WAY:
                raise QueueFull(f"{len(self._under_way)} dumps are being made or wait to be. Try again in a while.")
            task = asyncio.ensure_future(_awaited(make))
            self._under_way[what] = task
            task.add_done_callback(lambda done: self._done(what, done))
        return await asyncio.shield(task)

    def _done(self, what: object, task: asyncio.Task[Any]) -> None:
        del self._under_way[what]
        if not task.cancelled():
            task.exception()  # heard, also if nobody waits any more


def _is_old(folder: Path) -> bool:
    """Whether it is of a service that has most likely ended: several that only read may share a data folder."""
    with suppress(OSError):
        return time.time() - folder.stat().st_mtime > OLD_SECONDS
    return False


async def _awaited(make: Callable[[], Awaitable[Made]]) -> Made:
    return await make()


async def _soon_enough(coming: Awaitable[Made], what: str) -> Made:
    """What comes within the time that a client may be kept waiting. Raises Unavailable if it does not, while it goes on."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            return await coming
    except TimeoutError as error:
        raise Unavailable(f"{what} is being made, which takes longer than a request may wait. Ask again in a while.") from error


def _released(folder: Path) -> Release | None:
    """The release in a folder, if it is whole."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return read((folder / INDEX).read_text())
    return None


def _unpack(source: Path, path: Path, file: DumpFile) -> None:
    """Writes the plain form of a packed file, whole or not at all. Raises Failed if it is not what it was."""
    partial, whole = path.with_name(f"{path.name}.part"), hashlib.sha256()
    try:
        with opened(source) as packed, partial.open("wb") as out:
            while piece := packed.read(READ_BYTES):
                whole.update(piece)
                out.write(piece)
        if whole.hexdigest() != file.sha256:
            raise Failed(f"The file {source} is not as it was written; delete its folder, and the dump is made again.")
        partial.replace(path)
    except UNPACKABLE as error:
        raise no_room(path.parent) if is_disk_full(error) else Failed(f"{source} cannot be unpacked: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
