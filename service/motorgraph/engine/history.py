"""The journal in the keeper: what it holds becomes the graph at the start, and what is done to the graph goes there first."""

from __future__ import annotations

import gzip
import hashlib
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from motorgraph.commits import PIECE_BYTES, Change, Commit, Key
from motorgraph.database import FILE as JOURNAL_FILE
from motorgraph.engine.loading import UNREADABLE, File, Progress, hash_files, load_file
from motorgraph.engine.marker import NOTED, Mark
from motorgraph.errors import Failed, is_disk_full, no_room
from motorgraph.journal import Journal
from motorgraph.replica import promote
from motorgraph.witness import FILE as WITNESS

NQUADS = ox.RdfFormat.N_QUADS
SNAPSHOT_AFTER_COMMITS = 1000
SNAPSHOT_AFTER_BYTES = 32 << 20
BYTES_A_QUAD = 400
"""Of a graph in memory, see docs/sizing.md."""
RETRY_AFTER = 10  # a snapshot that failed is tried again when a tenth as much has come to it
log = logging.getLogger("motorgraph.history")


class Unreadable(Exception):
    """A file that cannot be read: which, where, why."""


class History:
    """The journal of a folder as the keeper uses it. Without `is_writable` nothing is kept, and a folder without one stays so.

    `follows` is the address of the service whose commits it repeats, "" for a journal of its own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        is_writable: bool,
        follows: str = "",
        address: str = "",
        snapshot_after: int = SNAPSHOT_AFTER_COMMITS,
    ) -> None:
        self._journal: Journal | None = None
        if is_writable:
            self._journal = Journal.open(folder, address)
            if not follows:
                promote(self._journal)
        elif (folder / JOURNAL_FILE).is_file() or (folder / WITNESS).is_file():
            self._journal = Journal.read(folder)
        self.is_writable = is_writable
        self.folder = folder
        self._pending: list[tuple[Change | None, dict[str, str], IO[bytes] | None]] = []
        self._snapshot_at = 0
        self._snapshot_after = snapshot_after
        self._bytes_since = 0

    @classmethod
    def of(cls, command: dict[str, Any]) -> History:  # Any: plain JSON
        """The journal that a command to load names. Raises Failed."""
        chosen = {name: command[name] for name in ("address", "follows", "snapshot_after") if name in command}
        history = cls(Path(command["folder"]), is_writable=command["is_writable"], **chosen)
        if "base" in command:
            history.require_base(command["base"])
        return history

    @property
    def commit(self) -> int:
        """The newest commit, 0 before the first."""
        return self._journal.head.id if self._journal and self._journal.head else 0

    @property
    def told(self) -> int:
        """The newest commit as clients are told it: without a journal what the start has brought is the first."""
        return self.commit if self._journal is not None else 1

    @property
    def lineage(self) -> str:
        """Names the journal; "" without one."""
        return self._journal.lineage if self._journal else ""

    @property
    def needs_snapshot(self) -> bool:
        """Whether a replay from the newest snapshot would take long."""
        commits = self.commit - self._snapshot_at
        return self.is_writable and (commits >= self._snapshot_after or self._bytes_since >= SNAPSHOT_AFTER_BYTES) and commits > 1

    def require_base(self, base: str) -> None:
        """Raises Failed if the journal's IRIs have another base than what is to be served."""
        written = self._journal.about("base") if self._journal else base
        if written and written != base:
            raise Failed(
                f"The journal was written with --base {written}, and its IRIs stay as they are; now there is --base {base}. "
                f"Start with --base {written}, or choose another --data-dir."
            )
        if self._journal is not None and not written:
            self._pend(None, {"base": base}, None)

    def start(
        self, store: ox.Store, files: Sequence[File], progress: Progress, *, renews: bool = True, without: Sequence[str] = ()
    ) -> str:
        """Fills the store: from the journal, then with what the files say now if they have changed since.

        What files bring of the graphs `without` is passed over: a dump has them, but they are made again here. Without `renews`
        files count only where there is no commit yet. Returns the hash of the files, "" if they do not count.
        Raises Unreadable, or Failed if the journal cannot be used or is damaged.
        """
        if self._journal is not None:
            self._journal.require_whole()
        if self._journal is None or self._journal.head is None:
            digest = _digest(files)
            _load(store, files, progress, without)
            if self.is_writable and files:
                spool = _dump(store)
                change = _loaded(files, (), _dumped(spool), _empty_graphs(store))
                change = replace(change, graphs=[name.value for name in store.named_graphs()])
                self._pend(change, {"files": digest}, spool)
            return digest
        self._replay(store)
        _remove(store, without)  # what an older version may have written down
        if not renews:
            return ""
        digest = _digest(files)
        if digest != self._journal.about("files"):
            renewed = self._renewed(store, files, progress, without)
            self._pend(renewed if renewed.removed or renewed.added else None, {"files": digest}, None)
        return digest

    def record(self) -> int:
        """Writes down what the start has brought that the journal had not. Returns the newest commit. Raises Failed."""
        for change, notes, spool in self._pending:
            if self._journal is not None and self.is_writable:
                if change is None:
                    self._journal.note(**notes)
                else:
                    self._journal.append(change, notes)
            if spool is not None:
                spool.close()
        self._pending.clear()
        return self.told

    def append(self, change: Change, notes: Mapping[str, str] | None = None) -> Commit:
        """Makes a commit, with notes beside it, durable when this returns. Raises Failed."""
        if self._journal is None or not self.is_writable:
            raise Failed("There is no journal here to keep a change in: start the service with a write token.")
        commit = self._journal.append(change, notes)
        self._bytes_since += commit.size
        return commit

    @property
    def mark(self) -> str:
        """The mark of the newest commit in a remote store, as it was noted; "" if it was not."""
        return self._journal.about(NOTED) if self._journal is not None else ""

    def note_mark(self, mark: Mark) -> None:
        """Notes the mark that a remote store is to have, or has. Raises Failed."""
        if self._journal is not None and self.is_writable:
            self._journal.note(**{NOTED: str(mark)})

    @property
    def quads(self) -> int:
        """How many quads the graph of the newest commit has, without what follows."""
        removed, added = self._journal.moved(0, self.commit) if self._journal is not None else (0, 0)
        return added - removed

    @property
    def gone(self) -> int:
        """How many quads a start has put into the graph and taken out again, as the commits since its snapshot did."""
        return self._journal.moved(self._snapshot_at, self.commit)[0] if self._journal is not None else 0

    def catalogued(self) -> Iterator[tuple[Commit, Sequence[str]]]:
        """Every commit with the named graphs that it has changed; of one of an older journal its quads are looked at."""
        if self._journal is None:
            return
        known = self._journal.graphs()
        for commit in self._journal.commits():
            if commit.id not in known:
                known[commit.id] = sorted(_graphs_of(self._journal, commit))
                if self.is_writable:
                    self._journal.note_graphs(commit.id, known[commit.id])
            yield commit, known[commit.id]

    def newest(self) -> tuple[Commit, Sequence[str]]:
        """The newest commit, which there is, with the named graphs that it has changed."""
        assert self._journal is not None
        return self._journal.commit(self.commit), self._journal.graphs(self.commit - 1).get(self.commit, ())

    def replayed(self, store: ox.Store) -> None:
        """Fills an empty store with the graph of the newest commit, in a process that was forked for it."""
        assert self._journal is not None
        replay(Journal.read(self._journal.folder), store, self.commit)

    def remember(self, key: Key) -> None:
        """Notes that the write of a key has changed nothing. Raises Failed."""
        if self._journal is not None and self.is_writable:
            self._journal.remember(key)

    def recall(self, author: str, name: str) -> tuple[Key, int] | None:
        """What was noted under a key, and the newest commit after its write. Raises Failed."""
        return self._journal.recall(author, name) if self._journal is not None and self.is_writable else None

    def snapshot(self, store: ox.Store, derived: Iterable[str], *, union: bool) -> None:
        """Writes the graph as it is, in a process forked for it: what can be made again is taken out of its copy first."""
        assert self._journal is not None
        journal = Journal.read(self._journal.folder)  # a connection does not survive a fork
        if union:
            store.clear_graph(ox.DefaultGraph())
        for iri in derived:
            store.remove_graph(ox.NamedNode(iri))
        graphs = [name.value for name in store.named_graphs()]

        def write(out: IO[bytes]) -> None:
            store.dump(out, NQUADS)

        journal.snapshots.write(write, self.commit, journal.digest_of(self.commit), graphs)

    def snapshot_begun(self) -> None:
        """A process has been forked to write one."""
        self._snapshot_at, self._bytes_since = self.commit, 0

    def snapshot_failed(self) -> None:
        """The process has not written it: another is to try when a little more has come."""
        log.warning("A snapshot could not be written; nothing is lost, since the journal has every commit.")
        self._snapshot_at -= self._snapshot_after * (RETRY_AFTER - 1) // RETRY_AFTER
        self._bytes_since += SNAPSHOT_AFTER_BYTES * (RETRY_AFTER - 1) // RETRY_AFTER

    @property
    def lock(self) -> IO[str] | None:
        """The open lock file, which a child has to close: the lock lives as long as anybody has it open."""
        return self._journal.lock if self._journal else None

    def close(self) -> None:
        """Gives the files back."""
        if self._journal is not None:
            self._journal.close()

    def _replay(self, store: ox.Store) -> None:
        assert self._journal is not None
        self._snapshot_at = replay(self._journal, store, self.commit)
        later = self._journal.commits(max(self._snapshot_at, 1))  # the first is as quickly read as a snapshot
        self._bytes_since = sum(commit.size for commit in later)

    def _renewed(self, store: ox.Store, files: Sequence[File], progress: Progress, without: Sequence[str]) -> Change:
        """Replaces what the files of earlier starts brought by what those of this one say; what clients wrote stays."""
        assert self._journal is not None
        brought: set[ox.Quad] = set()
        for commit in self._journal.commits():
            if commit.origin:
                brought.difference_update(quads_in(self._journal.removed(commit.id)))
                brought.update(quads_in(self._journal.added(commit.id)))
        fresh = ox.Store()
        _load(fresh, files, progress, without)
        now = _named_like(set(fresh), brought)
        removed = {quad for quad in brought - now if quad in store}
        added = {quad for quad in now - brought if quad not in store}
        for quad in removed:
            store.remove(quad)
        store.extend(added)
        return replace(_loaded(files, _serialized(removed), _serialized(added)), graphs=_named(removed | added))

    def _pend(self, change: Change | None, notes: dict[str, str], spool: IO[bytes] | None) -> None:
        self._pending.append((change, notes, spool))


def memory_of(quads: int) -> int:
    """Bytes that a graph of so many quads takes in memory, with the merge of all graphs."""
    return quads * BYTES_A_QUAD


def replay(journal: Journal, store: ox.Store, upto: int, *, snapshots: bool = True) -> int:
    """Makes the graph of a commit in an empty store. Returns the commit of the snapshot that it began with, 0 without one."""
    newest = journal.newest_snapshot(upto) if snapshots else None
    if newest is not None:
        with gzip.open(newest.path, "rb") as packed:
            store.bulk_extend(ox.parse(packed, NQUADS))  # type: ignore[arg-type]  # a GzipFile reads as an IO[bytes]
        for iri in newest.graphs:
            store.add_graph(ox.NamedNode(iri))
    after = newest.commit if newest else 0
    replay_commits(journal, store, after, upto)
    return after


def replay_commits(journal: Journal, store: ox.Store, after: int, upto: int) -> None:
    """Does the commits beyond `after` to a store that holds the graph of that one. Raises Failed at one that is damaged."""
    for commit in journal.commits(after, upto):
        _redo(journal, store, commit)


def quads_in(pieces: Iterable[bytes]) -> Iterator[ox.Quad]:
    """The quads of pieces of N-Quads, as the journal has them."""
    for piece in pieces:
        yield from ox.parse(piece, NQUADS)


def _redo(journal: Journal, store: ox.Store, commit: Commit) -> None:
    """Does a commit to a store, and looks that it is what was written. Raises Failed if it is not."""
    quads = journal.checked(commit)
    try:
        for quad in quads_in(quads.removed()):
            store.remove(quad)
        for iri in commit.dropped:
            store.remove_graph(ox.NamedNode(iri))
        for iri in commit.made:
            store.add_graph(ox.NamedNode(iri))
        for piece in quads.added():
            store.bulk_extend(ox.parse(piece, NQUADS))
    except (SyntaxError, ValueError) as error:
        raise quads.damage(f"cannot be read: {error}.") from error
    quads.require()


def _graphs_of(journal: Journal, commit: Commit) -> set[str]:
    """The named graphs that a commit has changed."""
    pieces = chain(journal.removed(commit.id), journal.added(commit.id))
    return _named(quads_in(pieces)) | {*commit.made, *commit.dropped}


def _named(quads: Iterable[ox.Quad]) -> set[str]:
    return {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, ox.NamedNode)}


def _remove(store: ox.Store, graphs: Iterable[str]) -> None:
    for iri in graphs:
        store.remove_graph(ox.NamedNode(iri))


def _load(store: ox.Store, files: Sequence[File], progress: Progress, without: Sequence[str]) -> None:
    for file in files:
        try:
            load_file(store, file, progress)
        except UNREADABLE as error:
            where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Unreadable(f"{file.path}{where}: {words}") from error
    _remove(store, without)


def _named_like(quads: set[ox.Quad], others: set[ox.Quad]) -> set[ox.Quad]:
    """The quads, those with blank nodes as in the others where both sets of these say the same thing."""
    ours = {q for q in quads if has_blank(q)}
    theirs = {q for q in others if has_blank(q)}
    if len(ours) != len(theirs):
        return quads
    one, other = ox.Dataset(ours), ox.Dataset(theirs)
    one.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    other.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return (quads - ours) | theirs if one == other else quads


def has_blank(quad: ox.Quad) -> bool:
    """Whether a blank node is its subject or object."""
    return isinstance(quad.subject, ox.BlankNode) or isinstance(quad.object, ox.BlankNode)


def _loaded(files: Sequence[File], removed: Iterable[bytes], added: Iterable[bytes], made: tuple[str, ...] = ()) -> Change:
    names = ", ".join(Path(file.path).name for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    message = f"Loaded {names}" if files else "No files any more"
    return Change(removed, added, made, author="motorgraph", message=message, origin="files")


def _digest(files: Sequence[File]) -> str:
    """A hash of the files, and of where they go; "" for none."""
    if not files:
        return ""
    whole = hashlib.sha256()
    try:
        hash_files(whole, files)
    except OSError as error:
        raise Unreadable(f"{error.filename}: {error.strerror}") from error
    return whole.hexdigest()


def _dump(store: ox.Store) -> IO[bytes]:
    try:
        spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it is recorded
        store.dump(spool, NQUADS)
    except OSError as error:
        if is_disk_full(error):
            raise no_room(tempfile.gettempdir()) from error
        raise Failed(f"No file can be made in {tempfile.gettempdir()}: {error.strerror}.") from error
    return spool


def _dumped(spool: IO[bytes]) -> Iterator[bytes]:
    """The lines of a dump in pieces of whole lines."""
    spool.seek(0)
    while piece := spool.read(PIECE_BYTES):
        yield piece + spool.readline()


def _empty_graphs(store: ox.Store) -> tuple[str, ...]:
    """The named graphs without a triple, which no dump shows."""
    names = [name for name in store.named_graphs() if isinstance(name, ox.NamedNode)]
    return tuple(name.value for name in names if next(iter(store.quads_for_pattern(None, None, None, name)), None) is None)


def _serialized(quads: Iterable[ox.Quad]) -> list[bytes]:
    made = ox.serialize(quads, format=NQUADS)
    assert made is not None  # bytes, since no output was given
    return [made] if made else []
