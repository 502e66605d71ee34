"""A client's connection: uvicorn's HTTP, with a bound on the head of a request and a short way for short answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from motorgraph.clients import network
from motorgraph.errors import BadRequest, ClientTooSlow, HeadTooLong, Refusal
from motorgraph.media import PROBLEM
from motorgraph.protocol import BEGUN, CROWDED, Call, by_name
from motorgraph.reply import problem_bytes
from motorgraph.verbatim import is_one_request

if TYPE_CHECKING:
    from motorgraph.app import Edge
    from motorgraph.engine.answer import Answer
    from motorgraph.quotas import Quotas
    from motorgraph.verbatim import Short, Verbatim

MOST_HEAD_BYTES = 4 << 20
MOST_WORDS = 200  # of a parser, which may quote what it was given
SHORT_WAY = b"/sparql"
SLOWEST_BODY = 1000  # bytes a second
RESET = struct.pack("ii", 1, 0)  # the system, too, is to forget what has not been taken (socket(7), SO_LINGER)


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

    A request that comes again in the same bytes is not parsed again: what the parser says of the last one is true of it too.
    """

    _early: Early | None = None
    _last: Plain | None = None  # of the last request that was parsed, if it went the short way and came in one piece
    _last_data = b""
    _may_be_short = False
    _is_in_body = False
    _is_within = False  # not only at the door
    _crowded: Refusal | None = None
    _is_to_upgrade = False
    _is_between = True  # the last request is whole, and of the next nothing has come
    _head_bytes = 0  # since the request began, or since the last of its body
    _data = b""  # what came last, if a request began with it
    _heard = 0.0  # when something came last
    _moved = 0.0  # when its client had last done its part, so far as the doors have looked
    _body_bytes = 0  # since the last look
    _unsent = 0  # at the last look
    _peer = ""
    _is_proxied = False
    network = ""
    """As its quotas and the doors count it; of a trusted proxy it says nothing of the client, and is empty."""
    _quotas: Quotas | None = None
    _verbatim: Verbatim

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # what uvicorn itself declares
        self._corked = Corked(transport)
        super().connection_made(self._corked)  # type: ignore[arg-type]  # it is one in all that is used
        self._peer = self.client[0] if self.client else ""
        self._is_proxied = self._edge.proxies.trusts(self._peer)
        self._verbatim = self._edge.verbatim[self._is_proxied]
        self._quotas = self._edge.quotas
        self.network = "" if self._is_proxied else network(self._peer)
        self._moved = self.loop.time()
        refusal = self._edge.doors.enter(self)
        if refusal is not None:
            self._dismiss(refusal)
        self._is_within = self._edge.doors.has_within(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, and nobody wants what was begun for it."""
        self._edge.doors.leave(self)
        early, self._early = self._early, None
        super().connection_lost(exc)
        if early is not None:
            self._edge.leave(early.plain.call, early.answer)

    def shutdown(self) -> None:
        """The service stops: what is under way may end, then the connection is closed."""
        self._go_the_ordinary_way()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Takes what has come, unless the head of a request, or what frames its body, is longer than any that we answer."""
        self._heard = self.loop.time()
        if self._repeats(data):
            return
        if self._is_between:
            self._moved = self._heard
        self._data = data if self._is_between else b""
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse_head()
            return
        self._unset_keepalive_if_required()
        try:
            self._read(memoryview(data))
        except HttpParserError as error:
            self.send_400_response(str(error.__context__ or error))

    def _read(self, data: memoryview) -> None:
        """Has the parser read on. Where a client would go on by another protocol, it stops, so another one takes its place."""
        while data:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as stop:
                data = data[stop.args[0] :]
                self._stay()
            else:
                return

    def _stay(self) -> None:
        """Begins the request anew without its Upgrade, which a server may ignore (RFC 9110 §7.8); its body is still to come."""
        fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        line = (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self.parser.feed_data(b"%b %b HTTP/%b\r\n%b\r\n" % (*line, fields))

    def send_400_response(self, msg: str) -> None:
        """Closes the connection, and says why unless that would be taken for the answer to the request before."""
        if not self._is_at_work or (self._is_in_body and not self.pipeline and not self.cycle.response_started):
            self._dismiss(BadRequest(f"This is no request of HTTP/1.1 or 1.0: {msg[:MOST_WORDS]}."))
        else:
            self.transport.close()

    def _refuse_head(self) -> None:
        if self._is_at_work:
            self.transport.close()
        else:
            self._dismiss(HeadTooLong(f"More than {MOST_HEAD_BYTES:,} bytes are not taken before a body or between its chunks."))

    # What the parser finds

    def on_message_begin(self) -> None:
        """A request begins; if another is under way the short way, that takes the ordinary one, which knows of queues."""
        self._go_the_ordinary_way()
        self._last = None
        self._is_in_body = self._is_between = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of its head. One behind the body (a trailer) is passed over: it is no header (RFC 9110 §6.5.1)."""
        if not self._is_in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole. Raises ValueError for a CONNECT, behind which no HTTP would come."""
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("CONNECT is for proxies")
        self._is_in_body = True
        self._body_bytes = 0
        self._is_to_upgrade = self.parser.should_upgrade()
        if self._is_to_upgrade:
            return
        self._crowded = None if self._is_within else self._edge.doors.comes_in(self)
        self._is_within = self._crowded is None
        self._may_be_short = self._is_within and self.url.startswith(SHORT_WAY) and self._is_plain_get()
        if not self._may_be_short:
            self._begin_cycle(None)

    def on_body(self, body: bytes) -> None:
        """It has a body, so it is not to be answered the short way."""
        self._body_bytes += len(body)
        if self._may_be_short:
            self._may_be_short = False
            self._begin_cycle(None)
        self._head_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole; the next bytes are the head of another."""
        if self._is_to_upgrade:
            return
        self._is_in_body, self._is_between = False, True
        self._head_bytes = 0
        if not self._may_be_short:
            super().on_message_complete()
            return
        self._may_be_short = False
        call = self._call()
        if call is None or not self._begins(plain := Plain(call, self.url, self.headers), self._data):
            self._begin_cycle(None)
            super().on_message_complete()
        elif is_one_request(self._data):
            self._last, self._last_data = plain, self._data

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
        headers = by_name(self.headers)
        client, scheme = self._seen(headers)
        return Call("GET", "/sparql", query, headers, False, scheme, path, client=client)

    def _seen(self, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        """Where a request comes from, and by which scheme: as the connection has it, or as a trusted proxy says."""
        scheme = self.scheme or "http"
        return self._edge.proxies.seen(self._peer, scheme, headers) if self._is_proxied else (self._peer, scheme)

    def _begins(self, plain: Plain, data: bytes) -> bool:
        """Whether a reader is at the request now, or has answered it."""
        answer = self._edge.begin(plain.call, self._key(plain.call))
        if answer is None:
            return False
        self._unset_keepalive_if_required()
        self._early = Early(plain, answer, data)
        if answer.has_begun:
            self._opened(answer)
        else:
            answer.on_open = self._opened
        return True

    def _opened(self, answer: Answer) -> None:
        """What was begun is whole, or too long to be held, or refused."""
        early = self._early
        if early is None or early.answer is not answer:
            return
        found = self._edge.short(early.plain.call, answer)
        if found is None:
            self._go_the_ordinary_way()
            return
        self._early = None
        if answer.is_kept and b"x-request-id" not in early.plain.call.headers:
            self._verbatim.keep(early.data, found)
        rated = b"" if self._quotas is None else self._quotas.lines(self._key(early.plain.call))
        self._respond(found, early.plain.call, rated, time.monotonic() - answer.asked)

    def _repeats(self, data: bytes) -> bool:
        """Whether nothing is under way and these bytes came before; then they are answered with the same, or asked again."""
        if not self._is_between or self._is_at_work or self.flow.write_paused or not self._is_within:
            return False
        found = self._verbatim.find(data)
        if found is None:
            return self._last is not None and data == self._last_data and self._begins(self._last, data)
        rated: bytes | None = b"" if self._quotas is None else self._quotas.taken(self._key(found.call))
        if rated is None:
            return False  # to be refused the ordinary way
        self._unset_keepalive_if_required()
        self._respond(found, found.call, rated, 0.0)
        return True

    def _key(self, call: Call) -> str:
        """Whose quotas a request with these headers spends if it comes by this connection."""
        if self._is_proxied or b"authorization" in call.headers:
            return self._edge.key(call, self._seen(call.headers)[0])
        return self.network

    def _respond(self, short: Short, call: Call, rated: bytes, seconds: float) -> None:
        self.server_state.total_requests += 1
        of_all = b"".join([b"%b: %b\r\n" % header for header in self.server_state.default_headers])
        request_id = self._edge.told(call, short, seconds)
        pieces = (STATUS_LINE[short.status], of_all, rated, short.head, b"x-request-id: ", request_id, b"\r\n\r\n", short.body)
        self._corked.write_now(b"".join(pieces))

    def _go_the_ordinary_way(self) -> None:
        """Calls the application for the request that was begun, if there is one."""
        early, self._early = self._early, None
        if early is not None:
            self.url, self.headers = early.plain.url, early.plain.headers
            self._begin_cycle(early.answer)
            super().on_message_complete()

    def _begin_cycle(self, begun: Answer | None) -> None:
        """Calls the application for the request whose address and headers are here."""
        url, headers = self.url, self.headers
        expects = self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)  # the scope's own list
        if self._is_proxied:
            client, self.scope["scheme"] = self._seen(by_name(headers))
            self.scope["client"] = client, 0
        if begun is not None:
            self.scope["state"][BEGUN] = begun
        if self._crowded is not None:
            self.scope["state"][CROWDED] = self._crowded
        super().on_headers_complete()
        if self._crowded is not None:
            self.cycle.keep_alive = False

    # What the doors ask of it

    def spare_since(self) -> float | None:
        """Since when no request has been under way; one whose head is not here yet counts as none."""
        if self._is_in_body or self._is_at_work or self.transport.get_write_buffer_size():
            return None
        return max(self._moved, self._heard) if self._is_between else self._moved

    def look(self, now: float, patience: float) -> None:
        """Ends the connection if its client does not do its part, or has been quiet for as long as connections are kept."""
        if self._client_moves():
            self._moved = now
        elif self._heard and self._is_between and (since := self.spare_since()) is not None:
            if self.timeout_keep_alive_task is None and now - since > self.timeout_keep_alive:
                self.timeout_keep_alive_handler()  # uvicorn's own timer is for answers that went the ordinary way
        elif now - self._moved > patience:
            self._give_up(patience)

    def make_way(self) -> None:
        """Ends the connection, of which nothing is under way; HTTP lets a server do so at any time (RFC 9112 §9.3)."""
        self.transport.close()

    @property
    def _is_at_work(self) -> bool:
        """Whether a request is being answered."""
        return self._early is not None or (self.cycle is not None and not self.cycle.response_complete)

    def _client_moves(self) -> bool:
        """Whether, since the last look, the client has done its part, or had none to do."""
        body_bytes, self._body_bytes = self._body_bytes, 0
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if self._unsent:
            return self._unsent != unsent
        if self._is_in_body:
            return self.flow.read_paused or body_bytes >= SLOWEST_BODY
        return self._is_at_work

    def _give_up(self, patience: float) -> None:
        """Says why if nothing has been said yet, and ends the connection."""
        has_begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not self._heard:
            self.transport.close()
        elif self._unsent or has_begun or self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()
        else:
            self._dismiss(ClientTooSlow(f"The request was not here whole after {patience:g} seconds. Send it without pauses."))

    def _dismiss(self, refusal: Refusal) -> None:
        """Answers with a refusal where no request is here whole, and closes the connection."""
        body = problem_bytes(refusal, self._edge.new_id())
        head = [
            (b"content-type", PROBLEM.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *refusal.headers(),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *head))
        self._corked.write_now(STATUS_LINE[refusal.status] + lines + b"\r\n" + body)
        self.transport.close()


class Plain(NamedTuple):
    """A request that may be answered the short way, and what of it the application would be called with."""

    call: Call
    url: bytes
    headers: list[tuple[bytes, bytes]]


class Early(NamedTuple):
    """A request that a reader is at already, though the application has not been called for it.

    `data` is what came when it became whole, if it also began with it.
    """

    plain: Plain
    answer: Answer
    data: bytes
