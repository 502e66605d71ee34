"""What comes to the keeper: the front's commands, line by line, and between them the news that a child has died."""

from __future__ import annotations

import json
import selectors
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

READ_BYTES = 1 << 16
REST_SECONDS = 0.05
Command = dict[str, Any]  # Any: plain JSON


class Inbox:
    """One socket from the front, and the signal of a child's death as bytes of another."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._wake, self._signalled = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def commands(self, on_death: Callable[[], None], at_rest: Callable[[], float | None]) -> Iterator[Command]:
        """The commands as they come, until the front closes the socket; `on_death` is called when children have died.

        `at_rest` is called where nothing has come for a moment, and again after the seconds that it says, unless something comes.
        """
        self._hear_deaths()
        self._selector.register(self._control, selectors.EVENT_READ)
        rest = b""
        seconds: float | None = None
        while True:
            ready = {key.fileobj for key, _ in self._selector.select(seconds)}
            seconds = REST_SECONDS if ready else at_rest()
            if self._wake in ready:
                self._wake.recv(4096)
                on_death()
            if self._control in ready:
                try:
                    data = self._control.recv(READ_BYTES)
                except ConnectionResetError:  # the front left with events unread
                    return
                if not data:
                    return
                *whole, rest = (rest + data).split(b"\n")
                yield from map(json.loads, whole)

    def _hear_deaths(self) -> None:
        for end in (self._wake, self._signalled):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._signalled.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wake, selectors.EVENT_READ)

    def close(self) -> None:
        """Gives up all of it in a child: nothing that comes is meant for that."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for resource in (self._wake, self._signalled, self._selector, self._control):
            resource.close()
