"""Requests that the service makes of itself, with the rights of whoever asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from motorgraph.errors import Failed
from motorgraph.protocol import Call, Receive
from motorgraph.reply import ClientLeft, Headers, Send

App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]  # Any: ASGI's own definition
MOST_REDIRECTS = 5
CLIENT = b"x-motorgraph-client"
"""A header that we set ourselves: the address of a client, where a library hands on nothing but headers."""
_SAFE = "%/:@!$&'()*+,;=-._~"


@dataclass(slots=True)
class Told:
    """What came back: the status, the headers by lower-case name, the body, and whether it was cut at the most wanted."""

    status: int = 0
    headers: Mapping[bytes, bytes] | None = None
    body: bytes = b""
    is_cut: bool = False

    def header(self, name: bytes) -> str:
        """A header's value; "" if there is none."""
        return (self.headers or {}).get(name, b"").decode("latin-1")


class Inside:
    """Asks an application of this process over ASGI, as a client of `origin` would over HTTP."""

    def __init__(self, app: App, asking: Call, most_bytes: int) -> None:
        self._app = app
        self._asking = asking
        self._most_bytes = most_bytes

    async def read(self, path: str, parameters: Iterable[tuple[str, str]] = (), accept: str = "application/json") -> Told:
        """The answer to a GET, wherever it leads to. Raises Failed if it leads on and on."""
        query = urlencode(list(parameters))
        for _ in range(MOST_REDIRECTS):
            told = await self._read(path, query, accept)
            if told.status not in (301, 302, 303, 307, 308):
                return told
            to = urlsplit(told.header(b"location"))
            path, query = unquote(to.path), to.query
        raise Failed(f"{path} leads on and on.")

    async def _read(self, path: str, query: str, accept: str) -> Told:
        headers = [(b"host", self._asking.header(b"host").encode("latin-1")), (b"accept", accept.encode("latin-1"))]
        authorization = self._asking.headers.get(b"authorization")
        if authorization is not None:
            headers.append((b"authorization", authorization))
        told, pieces, size = Told(), list[bytes](), 0

        async def send(message: MutableMapping[str, Any]) -> None:  # Any: ASGI's own definition
            nonlocal size
            if message["type"] == "http.response.start":
                told.status, told.headers = message["status"], dict(message["headers"])
                return
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._most_bytes:
                told.is_cut = True
                raise ClientLeft

        await self._app(scope_of(self._asking, path, query.encode(), headers), _nothing_more(), send)
        told.body = b"".join(pieces)[: self._most_bytes]
        return told


def scope_of(call: Call, path: str, query_string: bytes, headers: Headers, method: str = "GET") -> dict[str, Any]:
    """The ASGI scope of a request that comes from where `call` comes from."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": call.scheme,
        "path": path,
        "raw_path": quote(path, safe=_SAFE).encode(),
        "query_string": query_string,
        "root_path": "",
        "headers": list(headers),
        "client": (call.client, 0),
        "server": None,
        "state": {},
    }


def _nothing_more() -> Receive:
    """An empty body, and a client that stays."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Mapping[str, Any]:  # Any: ASGI's own definition
        return messages.pop() if messages else await asyncio.get_running_loop().create_future()

    return receive
