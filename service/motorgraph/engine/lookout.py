"""The lookout: finds processes of the engine that somebody has stopped (SIGSTOP) and not let go on, and ends them.

A process that stands still meets no deadline of its own, and closing its socket does not end it. What it was at fails or goes to
others; the keeper is given more time, for with it the service ends. Who wants to look at a process for longer uses a debugger.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from motorgraph.engine import process
from motorgraph.limits import KEEPER_STOPPED_SECONDS, STOPPED_SECONDS

LOOK_SECONDS = 1.0
log = logging.getLogger("motorgraph.engine")


class Lookout:
    """Looks once a second at a keeper and at all that descends from it."""

    def __init__(self, keeper: int) -> None:
        self.on_stopped: Callable[[int], None] = lambda pid: None
        """Called with a process that is about to be ended."""
        self._keeper = keeper
        self._since: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Looks from now on."""
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def close(self) -> None:
        """Looks no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = time.monotonic()
        stopped = filter(process.is_stopped, [self._keeper, *process.descendants(self._keeper)])
        self._since = {pid: self._since.get(pid, now) for pid in stopped}
        for pid, since in self._since.items():
            if now - since >= (KEEPER_STOPPED_SECONDS if pid == self._keeper else STOPPED_SECONDS):
                self._end(pid)
        self.open()

    def _end(self, pid: int) -> None:
        what = "the process that holds the graph" if pid == self._keeper else "a process"
        log.warning("%s has been stopped and does not go on; it is ended", what, extra={"pid": pid})
        self.on_stopped(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
