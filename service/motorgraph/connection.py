"""A client's connection: uvicorn's HTTP, with a bound on the head of a request and a short way for short answers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from motorgraph.protocol import BEGUN, Call, by_name

if TYPE_CHECKING:
    from motorgraph.app import Edge
    from motorgraph.engine.answer import Answer
    from motorgraph.verbatim import Short

MOST_HEAD_BYTES = 4 << 20
HEAD_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
SHORT_WAY = b"/sparql"


class Corked:
    """A transport that sends the head of a response together with the first piece of its body: one system call, not two."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = b""

    def write(self, data: bytes) -> None:
        """Holds the first bytes back until more come, or until the loop has nothing else to do."""
        if self._held:
            self.write_now(data)
        else:
            self._held = data
            asyncio.get_running_loop().call_soon(self._flush)

    def write_now(self, data: bytes) -> None:
        """Sends what is held and `data`."""
        data, self._held = self._held + data, b""
        self._transport.write(data)

    def close(self) -> None:
        """Sends what is held, and closes."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            self.write_now(b"")

    def __getattr__(self, name: str) -> Any:  # Any: whatever else a transport has
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """Uvicorn's HTTP over a corked transport.

    A GET of /sparql without a body goes a shorter way: a reader begins before there is any task for the request, and if the
    answer turns out to be short it is written as soon as it is here. If not (it streams, it is a refusal, the next request is
    here already, the service stops), the application is called as for any other request and takes over what has begun.
    """

    _early: Early | None = None
    _may_be_short = False
    _is_in_body = False
    _head_bytes = 0
    _data = b""  # what came last, if a request began with it
    _quiet: asyncio.TimerHandle | None = None
    _heard = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # what uvicorn itself declares
        self._corked = Corked(transport)
        super().connection_made(self._corked)  # type: ignore[arg-type]  # it is one in all that is used

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, and nobody wants what was begun for it."""
        if self._quiet is not None:
            self._quiet.cancel()
        early, self._early = self._early, None
        super().connection_lost(exc)
        if early is not None:
            self._edge.leave(early.call, early.answer)

    def shutdown(self) -> None:
        """The service stops: what is under way may end, then the connection is closed."""
        self._go_the_ordinary_way()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Takes what has come, unless the head of a request has become longer than any that we answer."""
        self._heard = self.loop.time()
        if self._repeats(data):
            return
        if not self._is_in_body:
            self._data = b"" if self._head_bytes else data
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.transport.write(HEAD_TOO_LONG)
                self.transport.close()
                return
        super().data_received(data)

    # What the parser finds

    def on_message_begin(self) -> None:
        """A request begins; if another is under way the short way, that takes the ordinary one, which knows of queues."""
        self._go_the_ordinary_way()
        self._is_in_body = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._is_in_body = True
        self._may_be_short = self.url.startswith(SHORT_WAY) and self._is_plain_get()
        if not self._may_be_short:
            self._begin_cycle(None)

    def on_body(self, body: bytes) -> None:
        """It has a body, so it is not to be answered the short way."""
        if self._may_be_short:
            self._may_be_short = False
            self._begin_cycle(None)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole; the next bytes are the head of another."""
        self._is_in_body = False
        self._head_bytes = 0
        if not self._may_be_short:
            super().on_message_complete()
            return
        self._may_be_short = False
        call = self._call()
        answer = None if call is None else self._edge.begin(call)
        if call is None or answer is None:
            self._begin_cycle(None)
            super().on_message_complete()
            return
        self._early = Early(call, answer, self.url, self.headers)
        if answer.has_begun:
            self._opened(answer)
        else:
            answer.on_open = self._opened

    # The short way

    @property
    def _edge(self) -> Edge:
        edge: Edge = self.config.app  # type: ignore[assignment]  # what server.py gave it
        return edge

    def _is_plain_get(self) -> bool:
        """Whether one write can answer the request if the answer is short: nothing is before it, nothing unusual in it."""
        parser = self.parser
        return (
            parser.get_method() == b"GET"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and parser.get_http_version() == "1.1"
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
        )

    def _call(self) -> Call | None:
        """The request, None if it is no query."""
        path, mark, query = self.url.partition(b"?")
        if path != SHORT_WAY or not mark or b"#" in query:
            return None
        client = self.client[0] if self.client else ""
        return Call("GET", "/sparql", query, by_name(self.headers), False, self.scheme or "http", path, client=client)

    def _opened(self, answer: Answer) -> None:
        """What was begun is whole, or too long to be held, or refused."""
        early = self._early
        if early is None or early.answer is not answer:
            return
        found = self._edge.short(early.call, answer)
        if found is None:
            self._go_the_ordinary_way()
            return
        self._early = None
        if answer.is_kept and b"x-request-id" not in early.call.headers:
            self._edge.verbatim.keep(self._data, found)
        self._respond(found, early.call, time.monotonic() - answer.asked)

    def _repeats(self, data: bytes) -> bool:
        """Whether nothing is under way and these bytes were answered before; then they are, with the same."""
        is_free = self.cycle is None or self.cycle.response_complete
        if self._head_bytes or self._is_in_body or self._early is not None or not is_free or self.flow.write_paused:
            return False
        found = self._edge.verbatim.find(data)
        if found is None:
            return False
        self._unset_keepalive_if_required()
        self._respond(found, found.call, 0.0)
        return True

    def _respond(self, short: Short, call: Call, seconds: float) -> None:
        self.server_state.total_requests += 1
        pieces = [STATUS_LINE[short.status]]
        for name, value in self.server_state.default_headers:
            pieces += (name, b": ", value, b"\r\n")
        pieces += (short.head, b"x-request-id: ", self._edge.told(call, short, seconds), b"\r\n\r\n", short.body)
        self._corked.write_now(b"".join(pieces))
        if self._quiet is None:
            self._quiet = self.loop.call_later(self.timeout_keep_alive, self._look_whether_quiet)

    def _go_the_ordinary_way(self) -> None:
        """Calls the application for the request that was begun, if there is one."""
        early, self._early = self._early, None
        if early is not None:
            self.url, self.headers = early.url, early.headers
            self._begin_cycle(early.answer)
            super().on_message_complete()

    def _begin_cycle(self, begun: Answer | None) -> None:
        """Calls the application for the request whose address and headers are here."""
        url, headers = self.url, self.headers
        expects = self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)  # the scope's own list
        if begun is not None:
            self.scope["state"][BEGUN] = begun
        super().on_headers_complete()

    def _look_whether_quiet(self) -> None:
        """Closes the connection if nothing has come for as long as it is kept; one look now and then, not a timer a request."""
        self._quiet = None
        left = self._heard + self.timeout_keep_alive - self.loop.time()
        is_busy = self._early is not None or (self.cycle is not None and not self.cycle.response_complete)
        if left <= 0 and not is_busy:
            self.timeout_keep_alive_handler()
        else:
            self._quiet = self.loop.call_later(max(left, 1.0), self._look_whether_quiet)


class Early:
    """A request that a reader is at already, though the application has not been called for it."""

    __slots__ = ("answer", "call", "headers", "url")

    def __init__(self, call: Call, answer: Answer, url: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.call = call
        self.answer = answer
        self.url = url
        self.headers = headers
