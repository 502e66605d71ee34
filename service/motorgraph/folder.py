"""The data folder: who holds it, whether it can be written, whether there is room in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from motorgraph.errors import Failed

LOCK = "lock"
FULL_BYTES = 1 << 16


def locked(folder: Path, address: str) -> IO[str]:
    """The lock file, locked, with our process in it. Raises Failed, naming who holds it; OSError if it cannot be made."""
    lock = (folder / LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise Failed(
            f"The data folder {folder} is in use by {holder}. Send what is to be changed to that service with --url, "
            "choose another --data-dir, or end it."
        ) from error
    with suppress(OSError):  # a full disk does not stand in the way of the lock
        lock.truncate(0)
        lock.write(f"process {os.getpid()}" + (f", which serves {address}" if address else "") + "\n")
        lock.flush()
    return lock


@contextmanager
def new(folder: Path) -> Iterator[None]:
    """Makes a folder; what goes wrong within leaves nothing of it. Raises Failed if something is in it, or it cannot be made."""
    is_there = folder.exists()
    try:
        if is_there and (not folder.is_dir() or any(folder.iterdir())):
            raise Failed(f"{folder} is no empty folder; choose a new one.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"The folder {folder} cannot be made: {error.strerror}.") from error
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            path.unlink()
        if not is_there:
            folder.rmdir()
        raise


def is_writable(folder: Path) -> bool:
    """Whether files can be made in it."""
    return os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_RDONLY


def is_full(folder: Path) -> bool:
    """Whether not even a page of the database finds room: where SQLite cannot say why it could not write, that is it."""
    with suppress(OSError):
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize < FULL_BYTES
    return False
