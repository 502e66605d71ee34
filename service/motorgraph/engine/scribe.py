"""The scribe: a process forked from the keeper that writes a snapshot of the graph as it is at the fork."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable

import pyoxigraph as ox

from motorgraph.engine import process
from motorgraph.engine.history import History

NICENESS = 15


def fork(history: History, store: ox.Store, derived: Iterable[str], close: Callable[[], None], *, union: bool) -> int:
    """Forks it; its process id. It ends with 0 when the snapshot is there. `close` closes what only the keeper may have open."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        process.name("mg-scribe")
        os.nice(NICENESS)
        process.die_with(parent)
        process.go_first()
        close()
        history.snapshot(store, derived, union=union)
        status = 0
    except OSError:
        pass  # the keeper says it and has another try
    except BaseException:  # noqa: BLE001  # the border of the process; the keeper has another try
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)
