"""The journal's database: its file, its tables and their versions, and in our words what SQLite or the disk refuses."""

from __future__ import annotations

import os
import secrets
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motorgraph.errors import Failed, exhausted, is_disk_full, is_exhausted, no_room
from motorgraph.folder import is_full, is_writable
from motorgraph.witness import FILE as WITNESS
from motorgraph.witness import Witness

FILES = 6  # that a process has open for one journal
FILE = "journal.db"
VERSION = 2
LOG_BYTES = 64 << 20
"""What the write-ahead log may keep of the disk when it has grown for one long commit."""
_NO_ROOM = {sqlite3.SQLITE_FULL}
_MAYBE_NO_ROOM = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
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
GRAPHS = "CREATE TABLE IF NOT EXISTS graphs (id INTEGER NOT NULL, graph TEXT NOT NULL, PRIMARY KEY (id, graph)) WITHOUT ROWID"
"""Which named graphs each commit changes: what its pieces say too, at hand."""


# Since version 2: what makes a write happen once. No commit depends on it, so no digest covers it.
_KEYS_TABLE = """
    CREATE TABLE keys (
        author TEXT NOT NULL, name TEXT NOT NULL, request TEXT NOT NULL, created INTEGER NOT NULL, location TEXT NOT NULL,
        id INTEGER NOT NULL, time TEXT NOT NULL, PRIMARY KEY (author, name)
    );
    CREATE INDEX keys_by_time ON keys (time);
"""


def address_of(folder: Path) -> str:
    """How SQLite is to open the journal to look at it: one that nobody writes and that cannot be written needs to be said so."""
    found = f"{(folder / FILE).resolve().as_uri()}?mode=ro"
    log = folder / f"{FILE}-wal"
    is_at_rest = not log.exists() or log.stat().st_size == 0
    return f"{found}&immutable=1" if is_at_rest and not is_writable(folder) else found


def require_version(base: sqlite3.Connection, folder: Path) -> None:
    """Makes the tables of a new journal, and those that an older one lacks. Raises Failed for one of a newer motorgraph."""
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise Failed(f"The journal in {folder} is of version {version}; this motorgraph reads {VERSION}. Use a newer one.")
    if version == 0 and (told := Witness.of(folder)) is not None:
        raise Failed(
            f"The journal in {folder} is gone: commit {told.commit} was acknowledged here, and {FILE} is empty. Serve a backup, "
            f"or delete the file {WITNESS} to begin anew."
        )
    if version == 0:
        named = f"INSERT INTO about VALUES ('lineage', '{secrets.token_hex(4)}');"  # noqa: S608  # our own word
        base.executescript(f"BEGIN IMMEDIATE; {_TABLES} {_KEYS_TABLE} {named} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version < VERSION and not base.execute("PRAGMA query_only").fetchone()[0]:
        base.executescript(f"BEGIN IMMEDIATE; {_KEYS_TABLE} PRAGMA user_version = {VERSION}; COMMIT;")


def _require_files(folder: Path, files: int) -> None:
    """Raises Unavailable where this process may not open so many files more; SQLite does not say that it is so."""
    opened: list[int] = []
    try:
        opened.extend(os.open(folder, os.O_RDONLY) for _ in range(files))
    except OSError as error:
        if is_exhausted(error):
            raise exhausted(error) from error
    finally:
        for file in opened:
            os.close(file)


@contextmanager
def telling(folder: Path, *, reading: bool = False) -> Iterator[None]:
    """Says in our words what SQLite or the disk refuses; when `reading`, also what makes no sense or may be read later."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _NO_ROOM or (code in _MAYBE_NO_ROOM and is_full(folder)):
            raise no_room(folder) from error
        _require_files(folder, FILES if reading and code == sqlite3.SQLITE_CANTOPEN else 0)
        raise Failed(f"The journal in {folder} cannot be used: {error}.") from error
    except OSError as error:
        if is_disk_full(error):
            raise no_room(folder) from error
        if reading and is_exhausted(error):
            raise exhausted(error) from error
        raise Failed(f"The journal in {folder} cannot be used: {error.strerror or error}.") from error
    except (ValueError, TypeError, zlib.error) as error:
        if not reading:
            raise
        raise Failed(f"The journal in {folder} is damaged: {error}.") from error
