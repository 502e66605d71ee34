"""The keeper: one process, one thread, that holds the graph, forks readers and drafts from it, and is the only writer.

`python -m motorgraph.engine.keeper FD` talks JSON lines over the socket FD with the front; it never parses a client's text.
Its commands are in COMMANDS.
Events: loaded, child, applied, recalled, recorded, numbered, refused, progress, logged, compacted, exit.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

import pyoxigraph as ox

from motorgraph.engine import archivist, clerk, compaction, draft, past, process, reader, trial
from motorgraph.engine import remote as elsewhere
from motorgraph.engine.chronicle import Chronicle
from motorgraph.engine.counts import Counts
from motorgraph.engine.delta import Written, nquads
from motorgraph.engine.history import History, Unreadable
from motorgraph.engine.inbox import Inbox
from motorgraph.engine.knowledge import Knowledge
from motorgraph.engine.loading import File, merge, newest
from motorgraph.engine.messenger import Messenger
from motorgraph.engine.moves import Recent
from motorgraph.engine.place import Place
from motorgraph.engine.provenance import Catalogue
from motorgraph.engine.scribe import Scribes
from motorgraph.engine.upkeep import Upkeep
from motorgraph.errors import Failed, ReaderDied, Refusal, StoreAway, exhausted, is_disk_full, is_exhausted, no_room
from motorgraph.inference import Rule
from motorgraph.journal import Journal
from motorgraph.notes import Notes

COMMANDS = ("load", "fork", "nice", "kill", "apply", "settle", "recall", "record", "keep", "census")
NICENESS = 19
NICENESSES = {"draft": 10, "past": 10, "trial": 15}  # reads go first, then writes and what is past, then what is only tried
MOST_DELTA_BYTES = 64 * 1024  # longer ones reach readers by forking them anew
SOCKET_BYTES = 1 << 20


class Keeper:
    """The graph in memory, and the children forked from it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._store = ox.Store()
        self._history: History | None = None
        self._upkeep: Upkeep | None = None
        self._compaction: compaction.Compaction | None = None
        self._scribes = Scribes(self._close_for_child)
        self._knowledge = Knowledge(self._store)
        self._is_writable = self._judges = self._is_union = False
        self._ahead: list[Callable[[], None]] = []
        self._base = self._lineage = ""
        self._folder = Path()
        self._began = datetime.now(UTC).isoformat(timespec="microseconds")
        self._catalogue: Catalogue | None = None
        self._recent = Recent()
        self._counts = Counts(self._store)
        self._children: set[int] = set()
        self._spools: dict[int, IO[bytes]] = {}
        self._inbox = Inbox(control)
        self._commands: dict[str, Callable[[dict[str, Any]], None]] = {name: getattr(self, f"_{name}") for name in COMMANDS}

    def run(self) -> None:
        """Obeys the front until it closes the socket, then ends every child."""
        try:
            for line in self._inbox.commands(self._reap, self._prepare_at_rest):
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
            if self._history is not None:
                self._history.close()

    def tell(self, event: str, **values: Any) -> None:  # Any: whatever JSON can say
        """Tells the front of an event."""
        self._control.sendall(json.dumps({"event": event, **values}).encode() + b"\n")

    # What the front asks for

    def _load(self, command: dict[str, Any]) -> None:
        """Takes what the journal has, then what the files say: each `{path, media_type, graph, base: [from, to] | null}`.

        Then infers by the rules, and merges all graphs if `union` is set.
        """
        started = time.monotonic()
        self._is_union, self._base = command["union"], command.get("base", "")
        self._folder, self._is_writable = Path(command["folder"]), command["is_writable"]
        files = [File(**file) for file in command["files"]]
        try:
            self._history = History.of(command)
            self._began = newest(files) or self._began
            self._catalogue = Catalogue(command["catalogue"]) if command.get("catalogue") else None
            self._knowledge = self._read(command)
            digest = self._take_up(command) if command.get("place") else self._take(command, files)
        except (Unreadable, Refusal, ValueError) as refusal:
            if isinstance(refusal, StoreAway) and self._history is not None:
                self._history.close()  # it is asked again when the store is there
            self._refuse(command, refusal)
            return
        process.freeze()
        self._lineage = self._history.lineage
        told = {"seconds": time.monotonic() - started, "pss": process.proportional_bytes(os.getpid())}
        self.tell("loaded", id=command["id"], lineage=self._lineage, digest=digest, **told)

    def _read(self, command: dict[str, Any]) -> Knowledge:
        """What there is to know of the rules and shapes that a start brings."""
        rules, shapes = [Rule(**rule) for rule in command.get("rules", ())], command.get("shapes", "")
        self._judges = bool(shapes) and command.get("judges", True)
        apart = [self._catalogue.graph] if self._catalogue else []
        return Knowledge(self._store, rules, shapes, apart, Notes(Path(command["notes"])) if command.get("notes") else None)

    def _take(self, command: dict[str, Any], files: list[File]) -> str:
        """Fills the graph in memory; the hash of the files, see `History.start`."""
        assert self._history is not None
        renews, made_anew = command.get("renews", True), sorted(self._derived)
        digest = self._history.start(self._store, files, self._progress, renews=renews, without=made_anew)
        self._knowledge.infer(keeps=self._is_writable)
        if self._is_union:
            merge(self._store)
        self._compaction = compaction.Compaction(self._store, self._history, union=self._is_union)
        return digest

    def _take_up(self, command: dict[str, Any]) -> str:
        """Finds the graph in the store where it lies; files do not count."""
        assert self._history is not None
        store = elsewhere.Remote(Place(**command["place"]), self._base)
        self._upkeep = Upkeep(store, self._history, self._catalogue, self._knowledge.rules, union=self._is_union)
        self._upkeep.open()
        self._store = store  # type: ignore[assignment]  # it has what processes ask of the engine's own
        is_inferred = self._knowledge.rules and self._is_writable
        self._knowledge.take_up(self._store, self._upkeep.outcomes(command["room"]) if is_inferred else None)
        return ""

    def _record(self, command: dict[str, Any]) -> None:
        """Has the journal keep what the start has brought, and catalogues all commits; the graph has been judged."""
        assert self._history is not None
        try:
            commit = self._history.record()
            if self._catalogue is not None and self._upkeep is None:
                self._catalogue.fill(self._store, self._history.catalogued(), union=self._is_union)
                process.freeze()
            if self._is_writable:  # so that the first write need not wait for this
                self._prepare(judges=self._judges)
            else:
                self._ahead = self._knowledge.steps(judges=bool(self._knowledge.shapes_graph))
            self.tell("recorded", id=command["id"], commit=commit)
        except Refusal as refusal:
            self._refuse(command, refusal)

    def _refuse(self, command: dict[str, Any], error: Exception) -> None:
        """Tells the front that a command cannot be obeyed."""
        if is_disk_full(error):
            error = no_room(tempfile.gettempdir())
        told = error if isinstance(error, Refusal) else Failed(f"{error}")
        self.tell("refused", id=command["id"], detail=told.detail, kind=told.kind)

    def _progress(self, path: str, done: int, total: int) -> None:
        self.tell("progress", path=path, done=done, total=total)

    def _fork(self, command: dict[str, Any]) -> None:
        """Forks a child with a `role`, such as reader or draft, and sends the front its end of the child's socket."""
        try:
            self._fork_child(command)
        except OSError as error:
            made = Failed(f"No {command['role']} process could be made: {error}.")
            self._refuse(command, error if is_disk_full(error) else exhausted(error) if is_exhausted(error) else made)

    def _prepare(self, *, judges: bool) -> None:
        """Reads what every draft or trial needs, so that they have it from the fork on."""
        if self._knowledge.prepare(judges=judges):
            process.freeze()

    def _prepare_at_rest(self) -> float | None:
        """Where nobody writes: a short step of what a first trial would wait for, or of `_compact`; seconds until the next."""
        if not self._ahead:
            return compaction.REST_SECONDS if self._compact() else None
        self._ahead.pop(0)()
        if not self._ahead:
            process.freeze()
        return 0.0

    def _compact(self, steps: int = 1) -> bool:
        """Some steps towards a store without what was removed, if that is due; whether there is another."""
        if self._compaction is None or not self._compaction.is_due():
            return False
        if not self._compaction.step(steps):
            return True
        old = [self._store]
        self._store = self._knowledge.store = self._compaction.store
        self._counts.take_up(self._store)
        process.give_back(old)
        process.freeze()
        is_more = self._compaction.is_due()
        if not is_more:
            self.tell("compacted")
        return is_more

    def _fork_child(self, command: dict[str, Any]) -> None:
        if command["role"] in {"draft", "trial"}:
            self._prepare(judges=self._judges or command["role"] == "trial")
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        spool = tempfile.TemporaryFile() if command["role"] == "draft" else None  # noqa: SIM115  # lives until it is applied
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_child(command, (ours, theirs), spool, parent)
        theirs.close()
        self._children.add(pid)
        if spool is not None:
            self._spools[pid] = spool
        event = {"event": "child", "id": command["id"], "pid": pid}
        socket.send_fds(self._control, [json.dumps(event).encode() + b"\n"], [ours.fileno()])
        ours.close()

    def _be_child(
        self, command: dict[str, Any], ends: tuple[socket.socket, socket.socket], spool: IO[bytes] | None, parent: int
    ) -> NoReturn:
        """Never returns, whatever goes wrong: it would go on as a second keeper."""
        try:
            ours, sock = ends
            ours.close()  # else the child would keep its own socket open and never see it close
            process.mute_crashes()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            process.name(f"mg-{command['role']}")
            process.die_with(parent)
            process.go_first()
            self._close_for_child()
            process.give_way(NICENESSES.get(command["role"], 0), is_batch=command["role"] != "reader")
            work = partial(self._work, command, sock, spool)
            work() if command["role"] == "reader" else process.afresh(work)
        except Refusal as refusal:  # such as that a remote store is away, which is no mistake of ours
            reader.refuse(sock, refusal)
        except BaseException:  # noqa: BLE001  # the border of the process
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(0)

    def _work(self, command: dict[str, Any], sock: socket.socket, spool: IO[bytes] | None) -> None:
        """Does what a child of the role is for."""
        may_open = self._ready_for(command)
        match command["role"]:
            case "draft":
                assert spool is not None  # made for it before the fork
                draft.run(sock, self._store, spool, self._knowledge.known)
            case "trial":
                trial.run(sock, self._store, self._knowledge.known)
            case "past":
                past.run(sock, self._store, self._journal(), self._goal(command), may_open)
            case "clerk":
                clerk.run(sock, self._chronicle(), self._commit)
            case "judge":
                import_module("motorgraph.engine.judging").run(sock, self._store, self._knowledge.notes)
            case "finder":  # imported only there: its libraries stay out of every other process
                import_module("motorgraph.engine.finder").run(sock, self._store, self._commit, self._base, union=self._is_union)
            case "archivist":
                archivist.run(sock, self._store, self._journal(), self._goal(command), self._began)
            case _:
                with process.opening_at_most(may_open):
                    reader.run(sock, self._store, self._commit, self._recent, self._counts)

    def _ready_for(self, command: dict[str, Any]) -> int:
        """Bounds the memory of a child, and has a remote store ready for it; how many files and sockets it may open."""
        if command["memory"]:
            process.bound_memory(command["memory"])
        store, may_open = elsewhere.remote(self._store), int(command["may_open"])
        if store is None or self._upkeep is None:
            return may_open
        store.mark = self._upkeep.mark if command["role"] in {"draft", "trial", "archivist"} else None
        return max(may_open, elsewhere.SOCKETS)

    def _goal(self, command: dict[str, Any]) -> past.Goal:
        known, commit = self._knowledge.known, command["commit"] or self._commit
        bounds = command["seconds"], command["room"]
        return past.Goal(commit, self._commit, known, self._catalogue, self._is_union, *bounds)

    def _chronicle(self) -> Chronicle:
        return Chronicle(self._journal(), self._store, self._began, sorted(self._derived), self._is_union)

    def _journal(self) -> Journal | None:
        """The journal, opened anew: a connection does not survive a fork."""
        return Journal.read(self._folder) if self._lineage else None

    def _close_for_child(self) -> None:
        """Closes what only the keeper may have open; the journal's lock would outlive it."""
        self._inbox.close()
        if self._history is not None and self._history.lock is not None:
            self._history.lock.close()

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
            died = ReaderDied("The draft has ended before its change could be made. Nothing was changed; send it again.")
            self._refuse(command, died)
            return
        assert self._history is not None
        spool = self._spools[command["pid"]]
        spool.seek(0)
        written = Written.of(spool.read())
        delta = None
        try:
            written = self._kept(written)
        except Refusal as refusal:
            self._refuse(command, refusal)
            return
        if not written.is_empty:
            delta = self._done(written)
        self.tell("applied", id=command["id"], commit=self._history.commit, delta=delta)
        if delta is not None and self._compaction is not None:
            self._counts.heed(written)
            self._compaction.heed(written)
        self._knowledge.learn(written.head["asked"])
        if self._compaction is not None:
            self._scribes.begin(self._history, self._store, self._derived, union=self._is_union)
            self._compact(compaction.STEPS_A_COMMIT)

    def _keep(self, command: dict[str, Any]) -> None:
        """Keeps what a reader has counted at a commit, carried on to the newest."""
        self._counts.take(command["told"], self._recent.between(command["commit"], self._commit))

    def _census(self, command: dict[str, Any]) -> None:
        """Tells how many triples each graph has, if that is known."""
        self.tell("numbered", id=command["id"], commit=self._commit, graphs=self._counts.of_graphs())

    def _done(self, written: Written) -> str:
        """Does to the graph what the journal has kept. Returns it as readers take it."""
        if self._upkeep is None:
            written.make(self._store)  # if it fails, this process ends, and the next start has it from the journal
        self._knowledge.follow(written)
        process.freeze()
        return written.for_readers.decode() if len(written.for_readers) <= MOST_DELTA_BYTES else ""

    def _settle(self, command: dict[str, Any]) -> None:
        """Looks whether a remote store is there, at the commit of the journal, and what became of a change under way."""
        assert self._upkeep is not None
        assert self._history is not None
        try:
            kept = self._upkeep.open()
        except Refusal as refusal:
            self._refuse(command, refusal)
            return
        delta = self._done(kept.written) if kept is not None else None
        self.tell("applied", id=command["id"], commit=self._history.commit, delta=delta)

    def _kept(self, written: Written) -> Written:
        """Has the journal keep a delta, or only its key if it changes nothing; the delta as it is to be done. Raises Failed."""
        assert self._history is not None
        if not written.is_empty and self._upkeep is not None:
            return self._upkeep.make(written).written
        if not written.is_empty:
            commit = self._history.append(written.change)
            if self._catalogue:
                written = written.told(nquads(self._catalogue.news(self._store, commit, written.head["graphs"])).decode())
            self._recent.add(self._commit, written)
            return written
        if written.key is not None:
            self._history.remember(written.key)
        return written

    @property
    def _commit(self) -> int:
        """The newest commit, as clients are told it: a start without a journal is the first."""
        assert self._history is not None
        return self._history.told

    @property
    def _derived(self) -> set[str]:
        """The graphs that can be made again."""
        return {rule.graph for rule in self._knowledge.rules} | ({self._catalogue.graph.value} if self._catalogue else set())

    def _recall(self, command: dict[str, Any]) -> None:
        """Tells what a key was used for before."""
        assert self._history is not None
        try:
            found = self._history.recall(command["author"], command["name"])
        except Refusal as refusal:
            self._refuse(command, refusal)
            return
        self.tell("recalled", id=command["id"], key=asdict(found[0]) if found else None, commit=found[1] if found else 0)

    def _reap(self) -> None:
        """Tells the front which children have ended, and by which signal."""
        while self._children or self._scribes:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self._scribes.bury(pid, status):
                continue
            self._children.discard(pid)
            if pid in self._spools:
                self._spools.pop(pid).close()
            with suppress(OSError):
                self.tell("exit", pid=pid, signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def main() -> None:
    """Starts the keeper on the socket whose number is the first argument."""
    process.name("mg-keeper")
    process.die_with(os.getppid())
    process.ignore_terminal_signals()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(fileno=int(sys.argv[1])) as control:
        keeper = Keeper(control)
        logging.getLogger("motorgraph").addHandler(Messenger(keeper.tell))
        keeper.run()


if __name__ == "__main__":
    main()
