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


class Scribes:
    """Those of a keeper that have not ended yet: one at most."""

    def __init__(self, close: Callable[[], None]) -> None:
        """`close` closes what only the keeper may have open."""
        self._close = close
        self._working: dict[int, History] = {}

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._working)

    def begin(self, history: History, store: ox.Store, derived: Iterable[str], *, union: bool) -> None:
        """Forks one that writes a snapshot of the graph as it is now, if there is need of one and none is at it."""
        if self._working or not history.needs_snapshot:
            return
        history.snapshot_begun()
        try:
            self._working[_fork(history, store, derived, self._close, union=union)] = history
        except OSError:  # no more processes: the commits are in the journal, whatever becomes of the snapshot
            history.snapshot_failed()

    def bury(self, pid: int, status: int) -> bool:
        """Whether a process that has ended was one of them; the next tries again what it has not done."""
        history = self._working.pop(pid, None)
        if history is not None and status:
            history.snapshot_failed()
        return history is not None


def _fork(history: History, store: ox.Store, derived: Iterable[str], close: Callable[[], None], *, union: bool) -> int:
    """Forks one; its process id. It ends with 0 when the snapshot is there."""
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
        process.afresh(lambda: history.snapshot(store, derived, union=union))
        status = 0
    except OSError:
        pass  # the keeper says it and has another try
    except BaseException:  # noqa: BLE001  # the border of the process; the keeper has another try
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)
