"""What the bodies of requests take together while they are received and worked on: bounded, half of it kept for bearers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from motorgraph.errors import QueueFull
from motorgraph.protocol import Call, Receive

FREE_BYTES = 64 << 10
"""Of each body; the connections bound how many there are, and the server reads as much ahead in any case."""


class Bodies:
    """How many bytes are held, by whether a token came with them; `most` in all, half of it for those without one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = {True: 0, False: 0}

    @property
    def held(self) -> int:
        """The bytes of all bodies, but for what is free."""
        return sum(self._held.values())

    def require_room(self, size: int, own: int, *, by_bearer: bool) -> None:
        """Raises QueueFull if a body that takes `own` bytes may not have `size` more. The only one of its kind always may."""
        held = self._held[by_bearer]
        fits = self.held + size <= self._most and (by_bearer or held + size <= self._most // 2)
        if held > own and not fits:
            raise QueueFull(
                f"Bodies of {self.held:,} bytes are being received or worked on (setting bodies_bytes). Send it again later."
            )

    def take(self, size: int, *, by_bearer: bool) -> None:
        """Counts bytes that have come; below 0, that have gone."""
        self._held[by_bearer] += size


class Body:
    """ASGI's `receive` for one request. What it has received is held until `let_go`."""

    def __init__(self, bodies: Bodies, call: Call, receive: Receive, bearer_of: Callable[[Call], str]) -> None:
        self._bodies = bodies
        self._call = call
        self._receive = receive
        self._bearer_of = bearer_of
        self._by_bearer: bool | None = None
        self._size = 0
        self._held = 0

    async def __call__(self) -> Mapping[str, Any]:  # Any: ASGI's own definition
        """The next piece. Raises QueueFull, if the length is announced before anything is read."""
        length = self._call.header(b"content-length")
        if not self._size and length.isdigit():
            self._require_room(int(length) - FREE_BYTES)
        message = await self._receive()
        piece = len(message.get("body", b""))
        more = min(piece, self._size + piece - FREE_BYTES)
        self._size += piece
        if piece and more > 0:
            self._bodies.take(more, by_bearer=self._require_room(more))
            self._held += more
        return message

    def let_go(self) -> None:
        """The request has been answered."""
        if self._by_bearer is not None:
            self._bodies.take(-self._held, by_bearer=self._by_bearer)

    def _require_room(self, size: int) -> bool:
        """Whether a bearer's it is. A token is looked up for long bodies only."""
        if size <= 0:
            return False
        if self._by_bearer is None:
            self._by_bearer = self._bearer_of(self._call) != ""
        self._bodies.require_room(size, self._held, by_bearer=self._by_bearer)
        return self._by_bearer
