"""A process forked aside for one part of a longer work: what it writes comes back to whoever forked it, in channels.

It costs nobody else memory: to read a quad is to write to its page, so whoever has walked through a graph owns a copy of it,
which goes with the process.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO

from motorgraph.engine import process
from motorgraph.errors import Refusal, retold

PIECE_BYTES = 1 << 18
BUFFER_BYTES = 1 << 20
_HEADER = struct.Struct("!BI")
_REFUSED = 254
_WHOLE = 255


class Died(Exception):
    """The process has ended before it was done; `signal` is what ended it, 0 if it did by itself."""

    def __init__(self, cause: int) -> None:
        super().__init__(f"the process for it ended ({signal.Signals(cause).name if cause else 'no signal'})")
        self.signal = cause


class Channel:
    """Where the process writes to; a file as far as a serialiser knows."""

    def __init__(self, out: IO[bytes], number: int) -> None:
        self._out = out
        self._number = number
        self._pending: list[bytes] = []
        self._size = 0
        self.sent = 0

    def write(self, data: bytes) -> int:
        """Takes bytes and sends them when they are a piece."""
        self._pending.append(data)
        self._size += len(data)
        if self._size >= PIECE_BYTES:
            self.send()
        return len(data)

    def flush(self) -> None:
        """Nothing: serialisers flush more often than is useful."""

    def send(self) -> None:
        """Sends what it holds."""
        data = b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        self._frame(data)

    def end(self) -> None:
        """Sends the rest and, as an empty piece, that something is complete."""
        self.send()
        self._out.write(_HEADER.pack(self._number, 0))

    def _frame(self, data: bytes) -> None:
        if data:
            self.sent += len(data)
            self._out.write(_HEADER.pack(self._number, len(data)))
            self._out.write(data)


Work = Callable[[IO[bytes]], None]


def forked(work: Work, *, name: str = "mg-aside", seconds: float = 0, memory: int = 0) -> Iterator[tuple[int, bytes]]:
    """What the process sends, as (channel, piece). `seconds` and bytes of `memory` bound it, 0 for no bound.

    Raises Died if it is ended, by a bound or otherwise, and the Refusal that it met.
    """
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    parent = os.getpid()
    pid = process.fork()
    if pid == 0:
        ours.close()
        process.name(name)
        _be(work, theirs, parent, (seconds, memory))
    theirs.close()
    try:
        with ours, ours.makefile("rb", BUFFER_BYTES) as source:
            yield from _received(source)  # type: ignore[arg-type]  # what makefile gives for "rb" reads as an IO[bytes]
    except EOFError:
        _, status = os.waitpid(pid, 0)
        pid = 0
        raise Died(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0) from None
    finally:
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)  # it has no more to say, and a large process takes its time over its end
            os.waitpid(pid, 0)


def _received(source: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    while True:
        header = source.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise EOFError
        number, size = _HEADER.unpack(header)
        payload = source.read(size)
        if len(payload) < size:
            raise EOFError
        if number == _WHOLE:
            return
        if number == _REFUSED:
            raise retold(**json.loads(payload))
        yield number, payload


def _be(work: Work, sock: socket.socket, parent: int, bounds: tuple[float, int]) -> None:
    try:
        gc.disable()  # a collection would touch, and so copy, every page
        process.die_with(parent)
        seconds, memory = bounds
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        if memory:
            process.bound_memory(memory)
        with sock.makefile("wb", BUFFER_BYTES) as out:
            number, said = _WHOLE, b""
            try:
                process.afresh(lambda: work(out))  # type: ignore[arg-type]  # as above
            except Refusal as refusal:
                number = _REFUSED
                said = json.dumps({"kind": refusal.kind, "detail": refusal.detail, "members": refusal.members}).encode()
            out.write(_HEADER.pack(number, len(said)) + said)
    except (BrokenPipeError, ConnectionResetError):
        pass  # nobody wants the rest
    except BaseException:  # noqa: BLE001  # the border of the process; whoever waits sees it end
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(0)
