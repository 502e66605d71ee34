"""The front's side of the keeper: starts it, sends it commands, hears its events."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from motorgraph.commits import Key
from motorgraph.engine.loading import File
from motorgraph.engine.lookout import Lookout
from motorgraph.engine.place import Place
from motorgraph.errors import NotReady, Unavailable, exhausted, retold
from motorgraph.inference import Rule
from motorgraph.limits import HELD_UP_SECONDS

# Huge pages: a fork of 10 M triples takes 5 ms instead of 85. A longer list of free pieces: the engine frees and takes
# thousands of small ones a query, and answers in three quarters of the time.
ALLOCATION = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=2000"
MESSAGE_BYTES = 1 << 16
KEEPER_LOST = "The process that holds the graph has ended."
MOST_CHILDREN_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Start:
    """What a keeper starts from: the journal in `folder`, to which it adds if it `is_writable`, then the files, then the rules.

    `union` keeps the default graph as the merge of all; `shapes` names the graph of shapes to judge by, "" for none; drafts do so
    if the keeper `judges`, for what a replica repeats has been judged;
    `catalogue` is the base of the IRIs by which the graph of the commits speaks, "" where there is to be none.
    `base` is that of the graph's IRIs, `address` where it is served, `follows` where the commits come from that a
    replica repeats, `notes` the folder of what earlier starts found out. Without `renews` files count only if there is no
    commit yet. With a `place` the graph is in the store there, and what is worked out here may take `room` bytes.
    """

    files: Sequence[File]
    folder: Path
    is_writable: bool
    union: bool
    rules: Sequence[Rule] = ()
    shapes: str = ""
    judges: bool = True
    catalogue: str = ""
    base: str = ""
    renews: bool = True
    address: str = ""
    follows: str = ""
    snapshot_after: int = 1000
    notes: str = ""
    place: Place | None = None
    room: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a load went: seconds, the keeper's memory after it in bytes, the journal's lineage ("" without a journal).

    `digest` is a hash of the files, "" if they did not count.
    """

    seconds: float
    pss: int
    lineage: str
    digest: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The newest commit after a change, and the change as readers take it: "" if it is too long, None if there was none."""

    commit: int
    delta: str | None


class Control:
    """A running keeper."""

    def __init__(self, patience: float = HELD_UP_SECONDS) -> None:
        """`patience` is how many seconds the keeper may take to answer what takes it no time, before others are told so."""
        self._patience = patience
        self.on_exit: Callable[[int, int], None] = lambda pid, cause: None
        self.on_progress: Callable[[str, int, int], None] = lambda path, done, total: None
        self.on_lost: Callable[[], None] = lambda: None
        self.on_compacted: Callable[[], None] = lambda: None
        ours, theirs = socket.socketpair()
        tunables = ":".join(filter(None, (os.environ.get("GLIBC_TUNABLES", ""), ALLOCATION)))
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own module, by our own interpreter
                [sys.executable, "-m", "motorgraph.engine.keeper", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "GLIBC_TUNABLES": tunables},
                stdin=subprocess.DEVNULL,
            )
        ours.setblocking(False)
        self.lookout = Lookout(self._process.pid)
        self._sock = ours
        self._rest = b""
        self._fds: list[int] = []
        self._numbers = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[Any]] = {}  # Any: what the event of each command brings
        self._unsent = bytearray()
        self._unclaimed: set[int] = set()
        self._is_closing = False
        self._is_lost = False

    @property
    def pid(self) -> int:
        """The keeper's process."""
        return self._process.pid

    def listen(self) -> None:
        """Hears events in the running loop."""
        asyncio.get_running_loop().add_reader(self._sock, self._readable)
        self.lookout.open()

    async def load(self, start: Start) -> Loaded:
        """Loads what there is to start from. Raises Failed, naming file and line, or saying why the journal cannot be used."""
        loaded: Loaded = await self._ask("load", **asdict(start) | {"folder": str(start.folder)})
        return loaded

    async def record(self) -> int:
        """Has the journal keep what the files brought. Returns the newest commit."""
        commit: int = await self._ask("record")
        return commit

    async def fork(self, role: str, *, memory: int, may_open: int, **more: float) -> tuple[int, socket.socket]:
        """A new child: its process and our end of its socket. `memory` in bytes, 0 for no bound.

        The roles past and archivist are told `more`: the `commit` to go back to (0: none), the `seconds` that this may take, and
        the `room` in bytes that there is for it where the graph is not in memory.
        Raises Unavailable, as when the keeper has not come to it in time: then the child ends as soon as it is here.
        """
        told = {"role": role, "memory": memory, "may_open": may_open, **more}
        child: tuple[int, socket.socket] = await self._soon("fork", **told)
        return child

    async def apply(self, pid: int) -> Applied:
        """Has the keeper do what the draft `pid` rehearsed. Raises Failed, with nothing changed, if it cannot be kept."""
        applied: Applied = await self._ask("apply", pid=pid)
        return applied

    async def settle(self) -> Applied:
        """Has the keeper look whether a remote store is there, and what became of a change that was under way.

        Raises StoreAway, Diverged.
        """
        applied: Applied = await self._ask("settle")
        return applied

    async def recall(self, author: str, name: str) -> tuple[Key, int] | None:
        """What was noted under a client's key, and the newest commit after its write. Raises Failed."""
        recalled: tuple[Key, int] | None = await self._soon("recall", author=author, name=name)
        return recalled

    async def census(self) -> dict[str, Any] | None:  # Any: plain JSON
        """How many triples each of the `graphs` has, and at which `commit`, as the task census tells it; None if the keeper would
        have to count them. Raises Unavailable."""
        found: dict[str, Any] | None = await self._soon("census")
        return found

    def keep(self, counted: dict[str, Any]) -> None:  # Any: plain JSON
        """Has the keeper keep what was counted, for whoever is forked from now on."""
        self._send("keep", **counted)

    def nice(self, pid: int) -> None:
        """Lets every other process go before this one."""
        self._send("nice", pid=pid)

    def kill(self, pid: int) -> None:
        """Ends a child at once."""
        self._send("kill", pid=pid)

    async def close(self, seconds: float) -> None:
        """Ends the keeper and all its children, by force if it takes longer than `seconds`."""
        self._is_closing = True
        self.lookout.close()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._sock)
        loop.remove_writer(self._sock)
        self._sock.close()
        try:
            await loop.run_in_executor(None, lambda: self._process.wait(seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, do: str, **values: Any) -> None:  # Any: whatever JSON can say
        if self._is_closing or self._is_lost:
            return
        self._unsent += json.dumps({"do": do, **values}).encode() + b"\n"
        self._write()

    def _write(self) -> None:
        """Sends what the socket takes; the rest when it takes more."""
        loop = asyncio.get_running_loop()
        try:
            del self._unsent[: self._sock.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # the keeper has gone, which the end of its events tells
        if self._unsent:
            loop.add_writer(self._sock, self._write)
        else:
            loop.remove_writer(self._sock)

    async def _ask(self, do: str, **values: Any) -> Any:  # Any: what the event brings
        if self._is_lost or self._is_closing:
            raise NotReady(KEEPER_LOST)
        number = next(self._numbers)
        self._awaited[number] = asyncio.get_running_loop().create_future()
        self._send(do, id=number, **values)
        return await self._awaited[number]

    async def _soon(self, do: str, **values: Any) -> Any:  # Any: as `_ask`
        """As `_ask`. Raises Unavailable if the keeper is so much behind, or held up."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._ask(do, **values)
        except TimeoutError as error:
            raise Unavailable(
                f"The process that holds the graph has not come to this in {self._patience:g} seconds: it is busy, stopped, or "
                "its disk is slow. Nothing was changed; try again."
            ) from error

    def _readable(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._sock, MESSAGE_BYTES, MOST_CHILDREN_AT_ONCE)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data, fds = b"", []
        if not data:
            self._lost()
            return
        self._fds += fds
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            event = json.loads(line)
            getattr(self, f"_on_{event.pop('event')}")(**event)

    def _lost(self) -> None:
        self._is_lost = True
        self.lookout.close()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._sock)
        loop.remove_writer(self._sock)
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(NotReady(KEEPER_LOST))
        if not self._is_closing:
            self.on_lost()

    def _resolve(self, number: int, value: Any) -> None:  # Any: see _ask
        future = self._awaited.pop(number)
        if not future.done():
            future.set_result(value)

    def _on_refused(self, id: int, detail: str, kind: str = "failed") -> None:
        future = self._awaited.pop(id)
        if not future.done():
            future.set_exception(retold(kind, detail, {}))

    def _on_loaded(self, id: int, **told: Any) -> None:  # Any: as Loaded has it
        self._resolve(id, Loaded(**told))

    def _on_logged(self, level: int, logger: str, message: str) -> None:
        logging.getLogger(logger).log(level, message)

    def _on_recorded(self, id: int, commit: int) -> None:
        self._resolve(id, commit)

    def _on_child(self, id: int, pid: int) -> None:
        future = self._awaited.pop(id)
        sock = socket.socket(fileno=self._fds.pop(0)) if self._fds else None  # the kernel drops what there is no descriptor for
        if sock is not None and not future.done():
            future.set_result((pid, sock))
            return
        self._unclaimed.add(pid)
        self.kill(pid)
        if sock is not None:  # whoever asked has given up
            sock.close()
        elif not future.done():
            future.set_exception(exhausted(OSError(errno.EMFILE, "no descriptor for its socket")))

    def _on_applied(self, id: int, commit: int, delta: str | None) -> None:
        self._resolve(id, Applied(commit, delta))

    def _on_numbered(self, id: int, commit: int, graphs: dict[str, int] | None) -> None:
        self._resolve(id, None if graphs is None else {"commit": commit, "graphs": graphs})

    def _on_recalled(self, id: int, key: dict[str, Any] | None, commit: int) -> None:
        self._resolve(id, (Key(**key), commit) if key else None)

    def _on_progress(self, path: str, done: int, total: int) -> None:
        self.on_progress(path, done, total)

    def _on_compacted(self) -> None:
        self.on_compacted()

    def _on_exit(self, pid: int, signal: int) -> None:
        if pid in self._unclaimed:
            self._unclaimed.remove(pid)
        else:
            self.on_exit(pid, signal)
