"""The journal: every commit, durable before anybody sees it, and the snapshots that bound its replay. The only user of SQLite.

A folder holds `journal.db` (SQLite, write-ahead log, every commit synced), `snapshots/<commit>.nq.gz` and `lock`. The journal
is the truth: whatever else there is can be made from it. Each commit's digest covers that of the commit before it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from motorgraph.errors import Failed, NotFound
from motorgraph.lock import locked

FILE = "journal.db"
LOCK = "lock"
SNAPSHOTS = "snapshots"
VERSION = 2
PIECE_BYTES = 8 << 20
KEPT_SNAPSHOTS = 2
KEPT_KEYS = 100_000
KEPT_KEYS_FOR = timedelta(hours=24)
_TABLES = """
    CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE commits (
        id INTEGER PRIMARY KEY, time TEXT NOT NULL, author TEXT NOT NULL, message TEXT NOT NULL, origin TEXT NOT NULL,
        made TEXT NOT NULL, dropped TEXT NOT NULL, removed INTEGER NOT NULL, added INTEGER NOT NULL, size INTEGER NOT NULL,
        report TEXT NOT NULL, digest BLOB NOT NULL
    );
    CREATE TABLE pieces (
        id INTEGER NOT NULL REFERENCES commits, added INTEGER NOT NULL, number INTEGER NOT NULL, quads BLOB NOT NULL,
        PRIMARY KEY (id, added, number)
    ) WITHOUT ROWID;
"""
_GRAPHS = "CREATE TABLE IF NOT EXISTS graphs (id INTEGER NOT NULL, graph TEXT NOT NULL, PRIMARY KEY (id, graph)) WITHOUT ROWID"
"""Which named graphs each commit changes: what its pieces say too, at hand."""


# Since version 2: what makes a write happen once. No commit depends on it, so no digest covers it.
_KEYS_TABLE = """
    CREATE TABLE keys (
        author TEXT NOT NULL, name TEXT NOT NULL, request TEXT NOT NULL, created INTEGER NOT NULL, location TEXT NOT NULL,
        id INTEGER NOT NULL, time TEXT NOT NULL, PRIMARY KEY (author, name)
    );
    CREATE INDEX keys_by_time ON keys (time);
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key for a write: whose it is, a hash of the request, and what is answered when it comes again."""

    author: str
    name: str
    request: str
    location: str = ""
    created: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit is to say: graphs made and dropped, quads removed and added as N-Quads, who did it, and why.

    `origin` names the file or package that the quads come from, where that is not a client. `report` is the gate's summary;
    `graphs` are the named graphs that it changes.
    """

    removed: Iterable[bytes] = ()
    added: Iterable[bytes] = ()
    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    author: str = ""
    message: str = ""
    origin: str = ""
    report: dict[str, int] = field(default_factory=dict)
    graphs: Iterable[str] = ()
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit without its quads: how many it removed and added, when (UTC), and the digest of all up to it."""

    id: int
    time: str
    author: str
    message: str
    origin: str
    made: tuple[str, ...]
    dropped: tuple[str, ...]
    removed: int
    added: int
    size: int
    report: dict[str, int]
    digest: bytes


class Journal:
    """An open journal. `Journal.open` takes the folder's lock; `Journal.read` only looks, also while a service writes."""

    def __init__(self, folder: Path, base: sqlite3.Connection, lock: IO[str] | None) -> None:
        self.folder = folder
        self._base = base
        self.lock = lock
        self.head = self._newest()

    @classmethod
    def open(cls, folder: Path) -> Journal:
        """The journal of a folder, made if there is none. Raises Failed, saying what stands in the way."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = locked(folder / LOCK)
        except OSError as error:
            raise Failed(f"The data folder {folder} cannot be used: {error.strerror or error}.") from error
        try:
            with _told(folder):
                base = sqlite3.connect(folder / FILE, isolation_level=None)
                base.execute("PRAGMA journal_mode = WAL")
                base.execute("PRAGMA synchronous = FULL")
                _require_version(base, folder)
                base.execute(_GRAPHS)
                return cls(folder, base, lock)
        except Failed:
            lock.close()
            raise

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """The journal of a folder to look at. Raises NotFound or Failed."""
        if not (folder / FILE).is_file():
            raise NotFound(f"There is no journal in {folder}.")
        with _told(folder):
            base = sqlite3.connect(f"{(folder / FILE).resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
            base.execute("PRAGMA query_only = ON")
            _require_version(base, folder)
            return cls(folder, base, None)

    def close(self) -> None:
        """Gives the files back."""
        self._base.close()
        if self.lock is not None:
            self.lock.close()

    @property
    def lineage(self) -> str:
        """Names this journal: its commits are those of no other."""
        return self.about("lineage")

    def about(self, key: str) -> str:
        """What is noted under a key; "" if nothing is."""
        row = self._base.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def note(self, key: str, value: str) -> None:
        """Notes something beside the commits."""
        with _told(self.folder):
            self._base.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))

    def append(self, change: Change) -> Commit:
        """Writes a commit; when this returns, it is on the disk. Raises Failed, with nothing written, if it cannot be."""
        with self._transaction():
            commit = self._append(change)
            if change.key is not None:
                self._remember(change.key, commit.id)
        self.head = commit
        return commit

    def remember(self, key: Key) -> None:
        """Notes that the write of a key has changed nothing. Raises Failed."""
        with self._transaction():
            self._remember(key, self.head.id if self.head else 0)

    def recall(self, author: str, name: str) -> tuple[Key, int] | None:
        """What was noted under a key, and the newest commit after its write; None for one that is new or too old."""
        since = (datetime.now(UTC) - KEPT_KEYS_FOR).isoformat(timespec="microseconds")
        with _told(self.folder):
            row = self._base.execute(
                "SELECT request, location, created, id FROM keys WHERE author = ? AND name = ? AND time >= ?",
                (author, name, since),
            ).fetchone()
        return (Key(author, name, row[0], row[1], bool(row[2])), row[3]) if row else None

    def _remember(self, key: Key, number: int) -> None:
        """Notes a key; those that are too old, or too many, go."""
        row = (key.author, key.name, key.request, key.created, key.location, number, _moment(timedelta(0)))
        self._base.execute("DELETE FROM keys WHERE time < ?", (_moment(KEPT_KEYS_FOR),))
        self._base.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._base.execute("DELETE FROM keys WHERE rowid <= (SELECT max(rowid) FROM keys) - ?", (KEPT_KEYS,))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All within is written, or nothing is."""
        with _told(self.folder):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._base.execute("ROLLBACK")
                raise

    def _append(self, change: Change) -> Commit:
        number = self.head.id + 1 if self.head else 1
        digest = hashlib.sha256(self.head.digest if self.head else b"")
        counts, size = [], 0
        for added, quads in enumerate((change.removed, change.added)):
            count = 0
            for place, piece in enumerate(_pieces(quads)):
                packed = zlib.compress(piece, 1)
                count += piece.count(b"\n")
                size += len(packed)
                digest.update(piece)
                self._base.execute("INSERT INTO pieces VALUES (?, ?, ?, ?)", (number, added, place, packed))
            digest.update(b"\x00")
            counts.append(count)
        time = _moment(timedelta(0))
        row = (number, time, change.author, change.message, change.origin, json.dumps(change.made), json.dumps(change.dropped))
        told = (*row, *counts, size, json.dumps(change.report))
        digest.update(repr(told).encode())
        self._note_graphs(number, change.graphs)
        self._base.execute("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*told, digest.digest()))
        return _commit((*told, digest.digest()))

    def note_graphs(self, number: int, graphs: Iterable[str]) -> None:
        """Notes which named graphs a commit has changed, if that was not done when it was made."""
        with _told(self.folder):
            self._note_graphs(number, graphs)

    def _note_graphs(self, number: int, graphs: Iterable[str]) -> None:
        self._base.executemany("INSERT OR IGNORE INTO graphs VALUES (?, ?)", [(number, iri) for iri in graphs])

    def graphs(self) -> dict[int, list[str]]:
        """The named graphs that each commit has changed, for those of which it was noted."""
        found: dict[int, list[str]] = {}
        if self._base.execute("SELECT 1 FROM sqlite_master WHERE name = 'graphs'").fetchone():
            for number, graph in self._base.execute("SELECT id, graph FROM graphs ORDER BY id, graph"):
                found.setdefault(number, []).append(graph)
        return found

    def commits(self, after: int = 0, upto: int | None = None) -> Iterator[Commit]:
        """The commits beyond `after`, oldest first, as far as `upto`."""
        most = upto if upto is not None else (self.head.id if self.head else 0)
        with _told(self.folder):
            for row in self._base.execute("SELECT * FROM commits WHERE id > ? AND id <= ? ORDER BY id", (after, most)):
                yield _commit(row)

    def commit(self, number: int) -> Commit:
        """One commit. Raises NotFound."""
        found = next(self.commits(number - 1, number), None)
        if found is None:
            raise NotFound(f"There is no commit {number}; the newest is {self.head.id if self.head else 0}.")
        return found

    def at(self, time: str) -> int:
        """The newest commit that was there at a time (ISO 8601, UTC unless it says otherwise); 0 before the first."""
        moment = datetime.fromisoformat(time)
        told = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
        return int(self._base.execute("SELECT COALESCE(MAX(id), 0) FROM commits WHERE time <= ?", (told,)).fetchone()[0])

    def removed(self, number: int) -> Iterator[bytes]:
        """The N-Quads that a commit removed, in pieces of whole lines."""
        return self._quads(number, 0)

    def added(self, number: int) -> Iterator[bytes]:
        """The N-Quads that a commit added, in pieces of whole lines."""
        return self._quads(number, 1)

    def _quads(self, number: int, added: int) -> Iterator[bytes]:
        with _told(self.folder):
            rows = self._base.execute("SELECT quads FROM pieces WHERE id = ? AND added = ? ORDER BY number", (number, added))
            for (packed,) in rows:
                yield zlib.decompress(packed)

    def verify(self) -> str:
        """What is wrong with the journal, "" if nothing is: a commit that is missing, or not what its digest says."""
        expected, before = 1, b""
        fault = "".join(row[0] for row in self._base.execute("PRAGMA quick_check(1)")).removeprefix("ok")
        if fault:
            return f"the database is damaged: {fault}"
        for commit in self.commits():
            if commit.id != expected:
                return f"commit {expected} is missing"
            digest = hashlib.sha256(before)
            try:
                for quads in (self.removed(commit.id), self.added(commit.id)):
                    for piece in quads:
                        digest.update(piece)
                    digest.update(b"\x00")
            except (zlib.error, Failed) as error:
                return f"commit {commit.id} cannot be read: {error}"
            digest.update(repr(_row(commit)).encode())
            if digest.digest() != commit.digest:
                return f"commit {commit.id} is not what was written"
            expected, before = expected + 1, commit.digest
        return ""

    def backup(self, folder: Path) -> None:
        """Copies the journal as it is now into a new folder, also while a service writes. Raises Failed."""
        if (folder / FILE).exists():
            raise Failed(f"{folder} holds a journal already; choose a new folder.")
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{FILE}.part"
            copy = sqlite3.connect(partial)
            self._base.backup(copy)
            copy.close()
            partial.replace(folder / FILE)

    def cut(self, number: int) -> None:
        """Forgets the commits after one; what follows is another history, so it has a lineage of its own."""
        with self._transaction():
            self._base.execute("DELETE FROM keys")
            for table in ("pieces", "graphs", "commits"):
                self._base.execute(f"DELETE FROM {table} WHERE id > ?", (number,))  # noqa: S608  # our own names
            self._base.execute("UPDATE about SET value = ? WHERE key = 'lineage'", (secrets.token_hex(4),))
        self.head = self._newest()

    # Snapshots

    def snapshot(self, write: Callable[[IO[bytes]], None], number: int, graphs: Iterable[str]) -> None:
        """Keeps the graph as it was after a commit: `write` writes it as N-Quads. `graphs` are its names, the empty ones too."""
        folder = self.folder / SNAPSHOTS
        folder.mkdir(exist_ok=True)
        final = folder / f"{number}.nq.gz"
        partial = final.with_suffix(".part")
        with partial.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed:
            head = {"commit": number, "lineage": self.lineage, "graphs": sorted(graphs)}
            packed.write(b"# " + json.dumps(head).encode() + b"\n")
            write(packed)  # type: ignore[arg-type]  # GzipFile is an IO[bytes] in what is used
            packed.flush()
            packed.close()
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(final)
        _sync(folder)
        for old in self._snapshots()[KEPT_SNAPSHOTS:]:
            old.unlink(missing_ok=True)

    def newest_snapshot(self, upto: int) -> tuple[int, list[str], Path] | None:
        """The newest whole snapshot of this journal not beyond a commit: its commit, its graphs, its file."""
        for path in self._snapshots():
            number = int(path.name.split(".")[0])
            if number > upto:
                continue
            with suppress(OSError, EOFError, zlib.error, ValueError, KeyError):
                with gzip.open(path, "rb") as packed:
                    head = json.loads(packed.readline().removeprefix(b"# "))
                    while packed.read(PIECE_BYTES):
                        pass  # to the end, where the checksum is
                if head["lineage"] == self.lineage and head["commit"] == number:
                    return number, head["graphs"], path
        return None

    def _snapshots(self) -> list[Path]:
        found = [path for path in (self.folder / SNAPSHOTS).glob("*.nq.gz") if path.name.split(".")[0].isdigit()]
        return sorted(found, key=lambda path: -int(path.name.split(".")[0]))

    def _newest(self) -> Commit | None:
        row = self._base.execute("SELECT * FROM commits ORDER BY id DESC LIMIT 1").fetchone()
        return _commit(row) if row else None


def _moment(ago: timedelta) -> str:
    """So long ago, as the journal writes a time."""
    return (datetime.now(UTC) - ago).isoformat(timespec="microseconds")


def _commit(row: tuple) -> Commit:  # type: ignore[type-arg]  # as SQLite gives it
    number, time, author, message, origin, made, dropped, removed, added, size, report, digest = row
    graphs = tuple(json.loads(made)), tuple(json.loads(dropped))
    return Commit(number, time, author, message, origin, *graphs, removed, added, size, json.loads(report), digest)


def _row(commit: Commit) -> tuple:  # type: ignore[type-arg]  # as it was told to SQLite
    graphs = json.dumps(commit.made), json.dumps(commit.dropped)
    words = commit.id, commit.time, commit.author, commit.message, commit.origin
    return (*words, *graphs, commit.removed, commit.added, commit.size, json.dumps(commit.report))


def _pieces(quads: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines in pieces of bounded size."""
    rest: list[bytes] = []
    size = 0
    for some in quads:
        start = 0
        while len(some) - start > PIECE_BYTES:
            end = some.find(b"\n", start + PIECE_BYTES) + 1 or len(some)
            yield b"".join([*rest, some[start:end]])
            rest, size, start = [], 0, end
        rest.append(some[start:])
        size += len(some) - start
        if size >= PIECE_BYTES:
            yield b"".join(rest)
            rest, size = [], 0
    if size:
        yield b"".join(rest)


def _require_version(base: sqlite3.Connection, folder: Path) -> None:
    """Makes the tables of a new journal, and those that an older one lacks. Raises Failed for one of a newer motorgraph."""
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise Failed(f"The journal in {folder} is of version {version}; this motorgraph reads {VERSION}. Use a newer one.")
    if version == 0:
        base.executescript(f"BEGIN; {_TABLES} {_KEYS_TABLE} PRAGMA user_version = {VERSION}; COMMIT;")
        base.execute("INSERT INTO about VALUES ('lineage', ?)", (secrets.token_hex(4),))
    elif version < VERSION and not base.execute("PRAGMA query_only").fetchone()[0]:
        base.executescript(f"BEGIN IMMEDIATE; {_KEYS_TABLE} PRAGMA user_version = {VERSION}; COMMIT;")


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Says in our words what SQLite or the disk refuses."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Failed(f"The journal in {folder} cannot be used: {getattr(error, 'strerror', None) or error}.") from error


def _sync(folder: Path) -> None:
    """Has the folder's entries on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
