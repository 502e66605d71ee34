"""What every response has beside its own: headers for browsers of other sites, an id, the commit, the quotas of its client."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from motorgraph.errors import Broken
from motorgraph.protocol import UPDATE_TYPE
from motorgraph.reply import Headers, Send
from motorgraph.stores.embedded import Embedded

EXPOSED = (
    *("Accept-Ranges", "Content-Location", "Content-Range", "ETag", "Idempotency-Replayed", "Link", "Location"),
    *("Memento-Datetime", "Preference-Applied", "RateLimit", "RateLimit-Policy", "Repr-Digest", "Retry-After"),
    *("WWW-Authenticate", "X-Commit", "X-Nested-Cut", "X-Request-Id"),
)
COMMON = [
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
]
PRIVATE = [(b"cache-control", b"private"), (b"vary", b"Authorization")]  # where reads need a token
ALLOWED_HEADERS = (
    b"Accept, Accept-Datetime, Authorization, Content-Encoding, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    b"If-Range, Mcp-Protocol-Version, Mcp-Session-Id, Prefer, Range, X-Commit-Message, X-Request-Id"
)


class Responding:
    """ASGI's `send`, with the headers that every response has; remembers the status."""

    def __init__(self, send: Send, request_id: str, common: Headers, store: Embedded) -> None:
        self._send = send
        self._common = common
        self.rated: Callable[[], Headers] = tuple
        """What it says of the quotas of its client, when it begins."""
        self._store = store
        self.request_id = request_id
        self.status = 0

    async def __call__(self, message: MutableMapping[str, Any]) -> None:  # Any: ASGI's own definition
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], *self._common, *self.rated(), (b"x-request-id", self.request_id.encode())]
            if self._store.is_ready and not any(name == b"x-commit" for name, _ in headers):
                headers.append((b"x-commit", b"%d" % self._store.commit))  # an answer of a reader says its own
            message["headers"] = headers
        await self._send(message)

    async def send_options(self, methods: str) -> None:
        """Answers OPTIONS, the preflight of CORS included."""
        headers = [
            (b"allow", methods.encode()),
            (b"access-control-allow-methods", methods.encode()),
            (b"access-control-allow-headers", ALLOWED_HEADERS),
            (b"access-control-max-age", b"86400"),
        ]
        if "PATCH" in methods:
            headers.append((b"accept-patch", UPDATE_TYPE.encode()))
        await self({"type": "http.response.start", "status": 204, "headers": headers})
        await self({"type": "http.response.body", "body": b""})

    def breaks(self) -> None:
        """Ends the connection: the server closes what an application leaves unfinished."""
        raise Broken("the response had begun")
