"""The journal: every commit, durable before anybody sees it.

A folder holds `journal.db` (SQLite, write-ahead log, every commit synced), `snapshots/<commit>.nq.gz`, `acknowledged` and `lock`.
The journal is the truth: whatever else there is can be made from it. Each commit's digest covers that of the commit before it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from motorgraph.commits import Change, Checked, Commit, Key, as_row, cut, from_row, remedy
from motorgraph.database import FILE, GRAPHS, LOG_BYTES, address_of, require_version, telling
from motorgraph.errors import Diverged, Failed, NotFound
from motorgraph.folder import locked, new
from motorgraph.snapshots import FOLDER as SNAPSHOTS
from motorgraph.snapshots import Snapshot, Snapshots, sync
from motorgraph.witness import FILE as WITNESS
from motorgraph.witness import Witness

KEPT_KEYS = 100_000
KEPT_KEYS_FOR = timedelta(hours=24)
COMMITS_AT_ONCE = 1000


class Journal:
    """An open journal. `Journal.open` takes the folder's lock; `Journal.read` only looks, also while a service writes."""

    def __init__(self, folder: Path, base: sqlite3.Connection, lock: IO[str] | None) -> None:
        self.folder = folder
        self._base = base
        self.lock = lock
        self._opened = datetime.now(UTC), time.monotonic()
        self.head = self._newest()

    @classmethod
    def open(cls, folder: Path, address: str = "") -> Journal:
        """The journal of a folder, made if there is none. Raises Failed, saying what stands in the way.

        `address` is where it is served; another process that wants the folder is told.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = locked(folder, address)
        except OSError as error:
            raise Failed(f"The data folder {folder} cannot be used: {error.strerror or error}.") from error
        try:
            with telling(folder):
                base = sqlite3.connect(folder / FILE, isolation_level=None)
                base.execute("PRAGMA journal_mode = WAL")
                base.execute("PRAGMA synchronous = FULL")
                base.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
                require_version(base, folder)
                base.execute(GRAPHS)
                opened = cls(folder, base, lock)
                opened.snapshots.clean()
                return opened
        except Failed:
            lock.close()
            raise

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """The journal of a folder to look at, which may be read-only. Raises NotFound, Failed, or Unavailable."""
        if not (folder / FILE).is_file():
            raise NotFound(f"There is no journal in {folder}.")
        with telling(folder, reading=True):
            base = sqlite3.connect(address_of(folder), uri=True, isolation_level=None)
            base.execute("PRAGMA query_only = ON")
            if base.execute("PRAGMA user_version").fetchone()[0] == 0:
                base.close()
                raise NotFound(f"The journal in {folder} is empty.")
            require_version(base, folder)
            return cls(folder, base, None)

    def close(self) -> None:
        """Gives the files back."""
        self._base.close()
        if self.lock is not None:
            self.lock.close()

    @property
    def newest(self) -> int:
        """The newest commit that is there now, also if another process has made it; 0 before the first."""
        with telling(self.folder, reading=True):
            return int(self._base.execute("SELECT COALESCE(MAX(id), 0) FROM commits").fetchone()[0])

    @property
    def lineage(self) -> str:
        """Names this journal: its commits are those of no other."""
        return self.about("lineage")

    def about(self, key: str) -> str:
        """What is noted under a key; "" if nothing is."""
        row = self._base.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def note(self, **notes: str) -> None:
        """Notes something beside the commits, all of it at once."""
        with self._transaction():
            self._note(notes)

    def append(self, change: Change, notes: Mapping[str, str] | None = None) -> Commit:
        """Writes a commit, and notes beside it; when this returns, all of it is on the disk.

        Raises Failed, with nothing written, if it cannot be; InsufficientStorage if there is no room, Diverged if it is to repeat
        a commit that does not continue what is here.
        """
        with self._transaction():
            commit = self._append(change)
            if change.key is not None:
                self._remember(change.key, commit.id)
            self._note(notes or {})
        self.head = commit
        Witness(self.lineage, commit.id, commit.digest).write(self.folder)
        return commit

    def remember(self, key: Key) -> None:
        """Notes that the write of a key has changed nothing. Raises Failed."""
        with self._transaction():
            self._remember(key, self.head.id if self.head else 0)

    def recall(self, author: str, name: str) -> tuple[Key, int] | None:
        """What was noted under a key, and the newest commit after its write; None for one that is new or too old."""
        since = _told(self._now() - KEPT_KEYS_FOR)
        with telling(self.folder):
            row = self._base.execute(
                "SELECT request, location, created, id FROM keys WHERE author = ? AND name = ? AND time >= ?",
                (author, name, since),
            ).fetchone()
        return (Key(author, name, row[0], row[1], bool(row[2])), row[3]) if row else None

    def _remember(self, key: Key, number: int) -> None:
        """Notes a key; those that are too old, or too many, go."""
        now = self._now()
        row = (key.author, key.name, key.request, key.created, key.location, number, _told(now))
        self._base.execute("DELETE FROM keys WHERE time < ?", (_told(now - KEPT_KEYS_FOR),))
        self._base.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._base.execute("DELETE FROM keys WHERE rowid <= (SELECT max(rowid) FROM keys) - ?", (KEPT_KEYS,))

    def _now(self) -> datetime:
        """The time by a clock that nobody sets while this journal is open: else a key could be forgotten before its time."""
        opened, then = self._opened
        return opened + timedelta(seconds=time.monotonic() - then)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All within is written, or nothing is."""
        with telling(self.folder):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._base.execute("ROLLBACK")
                raise

    def _note(self, notes: Mapping[str, str]) -> None:
        self._base.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", notes.items())

    def _append(self, change: Change) -> Commit:
        number = self.head.id + 1 if self.head else 1
        digest = hashlib.sha256(self.head.digest if self.head else b"")
        counts, size = [], 0
        for added, quads in enumerate((change.removed, change.added)):
            count = 0
            for place, piece in enumerate(cut(quads)):
                packed = zlib.compress(piece, 1)
                count += piece.count(b"\n")
                size += len(packed)
                digest.update(piece)
                self._base.execute("INSERT INTO pieces VALUES (?, ?, ?, ?)", (number, added, place, packed))
            digest.update(b"\x00")
            counts.append(count)
        if change.was is not None:
            told = as_row(change.was)
        else:
            graphs = json.dumps(change.made), json.dumps(change.dropped)
            row = (number, _told(datetime.now(UTC)), change.author, change.message, change.origin, *graphs)
            told = (*row, *counts, size, json.dumps(change.report))
        digest.update(repr(told).encode())
        _require_repeats(change.was, number, digest.digest())
        self._note_graphs(number, change.graphs)
        commit = from_row((*told, digest.digest()))
        self._insert(commit)
        return commit

    def note_graphs(self, number: int, graphs: Iterable[str]) -> None:
        """Notes which named graphs a commit has changed, if that was not done when it was made."""
        with telling(self.folder):
            self._note_graphs(number, graphs)

    def _note_graphs(self, number: int, graphs: Iterable[str]) -> None:
        self._base.executemany("INSERT OR IGNORE INTO graphs VALUES (?, ?)", [(number, iri) for iri in graphs])

    def graphs(self, after: int = 0, upto: int = 1 << 62) -> dict[int, list[str]]:
        """The named graphs that each commit beyond `after` as far as `upto` has changed, for those of which it was noted."""
        found: dict[int, list[str]] = {}
        if self._notes_graphs:
            rows = "SELECT id, graph FROM graphs WHERE id > ? AND id <= ? ORDER BY id, graph"
            for number, graph in self._base.execute(rows, (after, upto)):
                found.setdefault(number, []).append(graph)
        return found

    def noted(self, after: int = 0) -> Iterator[tuple[Commit, list[str] | None]]:
        """The commits beyond `after` with the named graphs that each has changed, None where that was not noted."""
        for first in range(after, self.head.id if self.head else 0, COMMITS_AT_ONCE):
            graphs = self.graphs(first, first + COMMITS_AT_ONCE)
            for commit in self.commits(first, first + COMMITS_AT_ONCE):
                yield commit, graphs.get(commit.id)

    def commits(self, after: int = 0, upto: int | None = None) -> Iterator[Commit]:
        """The commits beyond `after`, oldest first, as far as `upto`."""
        most = upto if upto is not None else (self.head.id if self.head else 0)
        with telling(self.folder, reading=True):
            for row in self._base.execute("SELECT * FROM commits WHERE id > ? AND id <= ? ORDER BY id", (after, most)):
                yield from_row(row)

    def touching(self, graph: str, upto: int) -> Iterator[Commit]:
        """The commits as far as `upto` of which it was noted that they changed a named graph, oldest first."""
        rows = "SELECT * FROM commits WHERE id IN (SELECT id FROM graphs WHERE graph = ? AND id <= ?) ORDER BY id"
        with telling(self.folder, reading=True):
            for row in self._base.execute(rows, (graph, upto)) if self._notes_graphs else ():
                yield from_row(row)

    @property
    def _notes_graphs(self) -> bool:
        """Whether there is the table; an old journal that cannot be written lacks it."""
        return self._base.execute("SELECT 1 FROM sqlite_master WHERE name = 'graphs'").fetchone() is not None

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
        with telling(self.folder, reading=True):
            rows = self._base.execute("SELECT quads FROM pieces WHERE id = ? AND added = ? ORDER BY number", (number, added))
            for (packed,) in rows:
                yield zlib.decompress(packed)

    def pieces(self, after: int, upto: int, *, added: bool) -> Iterator[tuple[int, bytes]]:
        """What the commits beyond `after` as far as `upto` added or removed, oldest first: the commit, and lines of N-Quads."""
        # the plus keeps SQLite from sorting what the key has in order
        rows = "SELECT id, quads FROM pieces WHERE id > ? AND id <= ? AND +added = ? ORDER BY id, added, number"
        with telling(self.folder, reading=True):
            for number, packed in self._base.execute(rows, (after, upto, added)):
                yield number, zlib.decompress(packed)

    def moved(self, after: int, upto: int) -> tuple[int, int]:
        """How many quads the commits beyond `after` as far as `upto` removed, and how many they added."""
        rows = "SELECT COALESCE(SUM(removed), 0), COALESCE(SUM(added), 0) FROM commits WHERE id > ? AND id <= ?"
        with telling(self.folder, reading=True):
            removed, added = self._base.execute(rows, (after, upto)).fetchone()
            return int(removed), int(added)

    def quads(self, after: int, upto: int, *, newest_first: bool = False) -> Iterator[tuple[bool, bytes]]:
        """What the commits beyond `after` as far as `upto` did, one after the other: whether it was added, and N-Quads."""
        order = "DESC" if newest_first else "ASC"
        rows = f"SELECT added, quads FROM pieces WHERE id > ? AND id <= ? ORDER BY id {order}"  # noqa: S608  # our own word
        with telling(self.folder, reading=True):
            for added, packed in self._base.execute(rows, (after, upto)):
                yield bool(added), zlib.decompress(packed)

    def holding(self, term: bytes, after: int, upto: int) -> Iterator[tuple[int, bool, bytes]]:
        """The pieces of the commits beyond `after` as far as `upto` in which a term stands: which commit, whether added, N-Quads.

        One pass over what was written, the oldest first: no index of terms, for which every commit would have to write more.
        """
        rows = "SELECT id, added, quads FROM pieces WHERE id > ? AND id <= ? ORDER BY id, added, number"
        with telling(self.folder, reading=True):
            for number, added, packed in self._base.execute(rows, (after, upto)):
                quads = zlib.decompress(packed)
                if term in quads:
                    yield number, bool(added), quads

    def checked(self, commit: Commit) -> Checked:
        """The quads of a commit, held against its digest as they pass."""
        before = self.commit(commit.id - 1).digest if commit.id > 1 else b""
        return Checked(self.folder, commit, hashlib.sha256(before), self.removed(commit.id), self.added(commit.id))

    def fault(self) -> str:
        """Why not all is there that was acknowledged, "" if it is: a commit is missing in the middle or at the end.

        What a commit says is looked at when it is read (`checked`).
        """
        told = Witness.of(self.folder)
        self.head = self._newest()  # not older than what the witness tells, even if a service writes meanwhile
        head = self.head.id if self.head else 0
        (count,) = self._base.execute("SELECT COUNT(*) FROM commits WHERE id BETWEEN 1 AND ?", (head,)).fetchone()
        if count != head:
            numbers = (commit.id for commit in self.commits())
            return f"commit {next(n for n, found in enumerate(numbers, 1) if n != found)} is missing"
        if told is None:
            return ""
        if told.lineage != self.lineage:
            return f"commit {told.commit} of another one was acknowledged here; if this one is meant, delete the file {WITNESS}"
        if told.commit > head:
            lost = f"commit {told.commit}" if told.commit == head + 1 else f"commits {head + 1} to {told.commit}"
            return f"{lost} had been acknowledged and {'is' if told.commit == head + 1 else 'are'} gone; the newest is {head}"
        if told.commit and self.commit(told.commit).digest != told.digest:
            return f"commit {told.commit} is not the one that was acknowledged"
        return ""

    def require_whole(self) -> None:
        """Raises Failed if something that was acknowledged is not there, saying what and what helps."""
        with telling(self.folder, reading=True):
            fault = self.fault()
        if fault:
            raise Failed(
                f"The journal in {self.folder} is damaged: {fault}. The disk may be failing, or an older journal.db has been put "
                f"here. {remedy(self.head.id if self.head else 0)}"
            )

    def verify(self) -> str:
        """What is wrong with the journal, "" if nothing is: a commit that is missing, or not what its digest says."""
        with telling(self.folder, reading=True):
            fault = "".join(row[0] for row in self._base.execute("PRAGMA quick_check(1)")).removeprefix("ok")
            if fault:
                return f"the database is damaged: {fault}"
            fault = self.fault()
        try:
            for commit in self.commits() if not fault else ():
                quads = self.checked(commit)
                for _ in (*quads.removed(), *quads.added()):
                    pass
                quads.require()
        except Failed as damage:
            return damage.detail.rstrip(".")
        return fault

    def backup(self, folder: Path) -> None:
        """Copies the journal as it is now into a new folder, also while a service writes. Raises Failed."""
        with new(folder), telling(folder):
            copy = sqlite3.connect(folder / FILE)
            try:
                self._base.backup(copy)
            finally:
                copy.close()
            sync(folder)

    def copy(self, target: Journal, upto: int) -> None:
        """Writes the commits as far as one into a new journal, each as it was. Raises Failed at the first that is damaged.

        What follows there is another history, so it has a lineage of its own. It reads commit by commit, so that what is damaged
        behind that one does not matter.
        """
        later = any(commit.origin for commit in self.commits(upto))
        graphs = self.graphs()
        with target._transaction():
            for commit in self.commits(upto=upto):
                quads = self.checked(commit)
                for added, pieces in enumerate((quads.removed(), quads.added())):
                    rows = ((commit.id, added, place, zlib.compress(piece, 1)) for place, piece in enumerate(pieces))
                    target._base.executemany("INSERT INTO pieces VALUES (?, ?, ?, ?)", rows)
                quads.require()
                target._insert(commit)
                target._note_graphs(commit.id, graphs.get(commit.id, ()))
            target._note({"base": self.about("base"), "files": "" if later else self.about("files")})
        target.head = target._newest()

    # Snapshots

    @property
    def snapshots(self) -> Snapshots:
        """The snapshots beside it."""
        return Snapshots(self.folder / SNAPSHOTS, self.lineage)

    def digest_of(self, number: int) -> bytes:
        """The digest of a commit. Raises NotFound."""
        return self.commit(number).digest

    def newest_snapshot(self, upto: int) -> Snapshot | None:
        """The newest whole snapshot of this journal not beyond a commit."""
        return next(self.snapshots.whole(upto, self.digest_of), None)

    def _newest(self) -> Commit | None:
        with telling(self.folder, reading=True):
            row = self._base.execute("SELECT * FROM commits ORDER BY id DESC LIMIT 1").fetchone()
            return from_row(row) if row else None

    def _insert(self, commit: Commit) -> None:
        self._base.execute("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*as_row(commit), commit.digest))


def _require_repeats(was: Commit | None, number: int, digest: bytes) -> None:
    """Raises Diverged unless a commit that is to be repeated is the next one and has come out as it was."""
    if was is not None and was.id != number:
        raise Diverged(f"Commit {was.id} of another journal comes where commit {number} is to come.")
    if was is not None and was.digest != digest:
        raise Diverged(f"Commit {number} is not what its digest says, or does not continue the commits that are here.")


def _told(moment: datetime) -> str:
    """A time in UTC, as the journal writes it."""
    return moment.isoformat(timespec="microseconds")
