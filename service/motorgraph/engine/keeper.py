"""The keeper: one process, one thread, that holds the graph, forks readers and drafts from it, and is the only writer.

`python -m motorgraph.engine.keeper FD` talks JSON lines over the socket FD with the front; it never parses a client's text.
Commands: load, fork, nice, kill, apply. Events: loaded, child, applied, refused, progress, exit.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Any, Protocol

import pyoxigraph as ox

from motorgraph.engine import draft, process, reader
from motorgraph.engine.loading import UNREADABLE, File, load_file, merge

NICENESS = 19
READ_BYTES = 1 << 16
SOCKET_BYTES = 1 << 20


class _Closable(Protocol):
    def close(self) -> None: ...


class Keeper:
    """The graph in memory, and the children forked from it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._store = ox.Store()
        self._children: set[int] = set()
        self._spools: dict[int, IO[bytes]] = {}
        self._not_for_children: list[_Closable] = []
        self._commands: dict[str, Callable[[dict[str, Any]], None]] = {
            "load": self._load,
            "fork": self._fork,
            "nice": self._nice,
            "kill": self._kill,
            "apply": self._apply,
        }

    def run(self) -> None:
        """Obeys the front until it closes the socket, then ends every child."""
        try:
            for line in self._lines():
                self._commands[line.pop("do")](line)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the front has left in the middle of a word
        finally:
            for pid in self._children:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                while self._children:
                    self._children.discard(os.waitpid(-1, 0)[0])

    def _lines(self) -> Iterator[dict[str, Any]]:
        """The front's commands as they come; between them, the deaths of children are told."""
        wake, signalled = socket.socketpair()
        wake.setblocking(False)
        signalled.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(signalled.fileno(), warn_on_full_buffer=False)
        selector = selectors.DefaultSelector()
        selector.register(wake, selectors.EVENT_READ)
        selector.register(self._control, selectors.EVENT_READ)
        self._not_for_children = [wake, signalled, selector, self._control]
        rest = b""
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if wake in ready:
                wake.recv(4096)
                self._reap()
            if self._control in ready:
                try:
                    data = self._control.recv(READ_BYTES)
                except ConnectionResetError:  # the front left with events unread
                    return
                if not data:
                    return
                *whole, rest = (rest + data).split(b"\n")
                yield from map(json.loads, whole)

    def _tell(self, event: str, **values: Any) -> None:  # Any: whatever JSON can say
        self._control.sendall(json.dumps({"event": event, **values}).encode() + b"\n")

    # What the front asks for

    def _load(self, command: dict[str, Any]) -> None:
        """Loads files: each `{path, media_type, graph, base: [from, to] | null}`. Then merges all graphs if `union` is set."""
        started = time.monotonic()
        try:
            for file in command["files"]:
                load_file(self._store, File(**file), self._progress)
            if command["union"]:
                merge(self._store)
        except UNREADABLE as error:
            where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            self._tell("refused", id=command["id"], detail=f"{file['path']}{where}: {_words(error)}")
            return
        self._freeze()
        self._tell("loaded", id=command["id"], seconds=time.monotonic() - started, pss=process.proportional_bytes(os.getpid()))

    def _progress(self, path: str, done: int, total: int) -> None:
        self._tell("progress", path=path, done=done, total=total)

    def _freeze(self) -> None:
        """Keeps the collector away from what every child shares: a look at an object copies its page."""
        gc.collect()
        gc.freeze()

    def _fork(self, command: dict[str, Any]) -> None:
        """Forks a child of `role` reader, judge or draft, and sends the front its end of the child's socket."""
        try:
            self._fork_child(command)
        except OSError as error:
            self._tell("refused", id=command["id"], detail=f"No {command['role']} process could be made: {error}.")

    def _fork_child(self, command: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        spool = tempfile.TemporaryFile() if command["role"] == "draft" else None  # noqa: SIM115  # lives until it is applied
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            ours.close()  # else the child would keep its own socket open and never see it close
            self._be_child(command, theirs, spool, parent)
        theirs.close()
        self._children.add(pid)
        if spool is not None:
            self._spools[pid] = spool
        event = {"event": "child", "id": command["id"], "pid": pid}
        socket.send_fds(self._control, [json.dumps(event).encode() + b"\n"], [ours.fileno()])
        ours.close()

    def _be_child(self, command: dict[str, Any], sock: socket.socket, spool: IO[bytes] | None, parent: int) -> None:
        process.mute_crashes()
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            process.name(f"mg-{command['role']}")
            process.die_with(parent)
            for resource in self._not_for_children:
                resource.close()
            if command["memory"]:
                process.bound_memory(command["memory"])
            if spool is not None:
                draft.run(sock, self._store, spool)
            elif command["role"] == "judge":
                reader.run(sock, self._store)
            else:
                with process.opening_at_most(command["may_open"]):
                    reader.run(sock, self._store)
        except BaseException:  # noqa: BLE001  # the border of the process
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(0)

    def _nice(self, command: dict[str, Any]) -> None:
        if command["pid"] in self._children:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, command["pid"], NICENESS)

    def _kill(self, command: dict[str, Any]) -> None:
        if command["pid"] in self._children:
            with suppress(ProcessLookupError):
                os.kill(command["pid"], signal.SIGKILL)

    def _apply(self, command: dict[str, Any]) -> None:
        """Does to the graph what the draft `pid` has rehearsed and written down."""
        if command["pid"] not in self._spools:
            self._tell("refused", id=command["id"], detail="The draft has ended before its change could be made.")
            return
        try:
            draft.apply(self._spools[command["pid"]], self._store)
            self._freeze()
            self._tell("applied", id=command["id"])
        except Exception as error:  # noqa: BLE001  # the border of the process: the front has to hear of it
            detail = f"The change stood in the rehearsal and failed in earnest: {type(error).__name__}: {error}."
            self._tell("refused", id=command["id"], detail=detail)

    def _reap(self) -> None:
        """Tells the front which children have ended, and by which signal."""
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._children.discard(pid)
            if pid in self._spools:
                self._spools.pop(pid).close()
            with suppress(OSError):
                self._tell("exit", pid=pid, signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def _words(error: Exception) -> str:
    """What an error says, without the code that the system puts before it."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def main() -> None:
    """Starts the keeper on the socket whose number is the first argument."""
    process.name("mg-keeper")
    process.die_with(os.getppid())
    process.ignore_terminal_signals()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(fileno=int(sys.argv[1])) as control:
        Keeper(control).run()


if __name__ == "__main__":
    main()
