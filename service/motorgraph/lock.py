"""The lock of a data folder: one process at a time, and whoever comes second is told who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from motorgraph.errors import Failed


def locked(path: Path) -> IO[str]:
    """The lock file, locked, with our process in it. Raises Failed, naming who holds it."""
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise Failed(
            f"The data folder {path.parent} is in use by {holder}. Choose another --data-dir, or end that one."
        ) from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()}\n")
    lock.flush()
    return lock
