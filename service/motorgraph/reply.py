"""Values to HTTP: an answer that streams, a refusal as problem+json or a page, a small document."""

from __future__ import annotations

import asyncio
import gzip
import tempfile
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import orjson

from motorgraph.engine.answer import Answer
from motorgraph.errors import PROBLEM_TYPES, Nonconforming, Refusal
from motorgraph.media import GRAPHS, PROBLEM, SOLUTIONS, Format, accepts_gzip, choose, prefers_html
from motorgraph.protocol import Call, Receive
from motorgraph.theme import chosen, dressed
from motorgraph.validation import as_rdf

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # Any: ASGI's own definition
Headers = Sequence[tuple[bytes, bytes]]
Render = Callable[..., bytes]
REPORTS = (Format("problem", PROBLEM, "json", ("application/json",)), *GRAPHS)
SPOOL_BYTES = 1 << 20
WATCH_AFTER_SECONDS = 0.05
CONTENT_TYPES = {f.media_type: f.content_type.encode() for f in (*SOLUTIONS, *GRAPHS)}
_REST = (b"connect-src 'self'", b"worker-src 'self'", b"form-action 'self'", b"base-uri 'none'", b"frame-ancestors 'none'")
POLICY = (
    b"content-security-policy",
    b"; ".join([b"default-src 'none'", b"script-src 'self'", b"style-src 'self'", b"img-src 'self' data:", *_REST]),
)
VARY = (b"vary", b"Accept, Accept-Encoding")
PAGE_VARY = (b"vary", b"Accept, Accept-Encoding, Cookie")
PACKED_FROM_BYTES = 1_000
PAGE_GZIP_LEVEL = 5
CLIENT_LEFT = 499
"""What stands for a status where nobody is there to be told one."""


class ClientLeft(Exception):
    """Nobody is there any more to take the answer."""


async def send_bytes(send: Send, status: int, headers: Headers, body: bytes, *, with_body: bool = True) -> None:
    """A whole response; `with_body` is false for HEAD."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body if with_body else b""})


async def send_page(send: Send, call: Call, page: bytes, headers: Headers = (), *, status: int = 200) -> None:
    """A page for a browser, in the theme that its reader has chosen, packed where that is worth it.

    A page in a theme has no ETag: the same page in another would have the same.
    """
    theme = chosen(call)
    found = [(b"content-type", b"text/html; charset=utf-8"), PAGE_VARY, POLICY, (b"referrer-policy", b"same-origin"), *headers]
    if theme:
        found = [(name, value) for name, value in found if name != b"etag"]
    body = dressed(page, theme)
    if len(body) > PACKED_FROM_BYTES and accepts_gzip(call.header(b"accept-encoding")):
        body = _packed(body)
        found = [(name, b"W/" + value if name == b"etag" and value[:1] == b'"' else value) for name, value in found]
        found.append((b"content-encoding", b"gzip"))
    await send_bytes(send, status, found, body, with_body=call.method != "HEAD")


@lru_cache(maxsize=16)
def _packed(page: bytes) -> bytes:
    """A page packed; the last ones are kept, since the start page is asked for again and again."""
    return gzip.compress(page, PAGE_GZIP_LEVEL, mtime=0)


async def send_answer(answer: Answer, call: Call, send: Send, headers: Headers) -> None:
    """A reader's answer: at once if it is whole, else piece by piece as the client takes it. Raises Broken."""
    found = answer_headers(answer, headers)
    if call.method == "HEAD":
        await send({"type": "http.response.start", "status": 200, "headers": found})
        await send({"type": "http.response.body", "body": b""})
    elif answer.body is not None:
        await send_bytes(send, 200, found, answer.body)
    elif call.is_http_1_0:
        await _send_spooled(answer, send, found)
    else:
        await _send_streamed(answer, send, found)


def answer_headers(answer: Answer, headers: Headers) -> list[tuple[bytes, bytes]]:
    """What describes a reader's answer, and `headers`."""
    head = answer.head
    found = [(b"content-type", CONTENT_TYPES.get(head.media_type) or head.media_type.encode()), VARY, *headers]
    if head.encoding:
        found.append((b"content-encoding", head.encoding.encode()))
    return found


async def _send_streamed(answer: Answer, send: Send, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for piece in answer.pieces():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _send_spooled(answer: Answer, send: Send, headers: Headers) -> None:
    """For HTTP/1.0, where only Content-Length can tell a whole body from a cut one."""
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        async for piece in answer.pieces():
            spool.write(piece)
        length = (b"content-length", str(spool.tell()).encode())
        spool.seek(0)
        await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
        while piece := spool.read(SPOOL_BYTES):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def problem(refusal: Refusal, instance: str) -> dict[str, object]:
    """A refusal as RFC 9457 has it; `instance` is the request's id."""
    return {
        "type": PROBLEM_TYPES + refusal.kind,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": f"urn:motorgraph:request:{instance}",
        **refusal.members,
    }


def problem_bytes(refusal: Refusal, instance: str) -> bytes:
    """The same as JSON."""
    return orjson.dumps(problem(refusal, instance), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


async def send_refusal(refusal: Refusal, call: Call, send: Send, request_id: str, render: Render) -> None:
    """A refusal as problem+json, or as a page for a browser; the report on a change that breaks the shapes also in RDF.

    `render` makes a page from a template and its values.
    """
    with_body = call.method != "HEAD"
    body = problem_bytes(refusal, request_id)
    if prefers_html(call.header(b"accept")):
        page = render("refusal.html", refusal=refusal, request=request_id, asked=call.path, problem=body.decode())
        await send_page(send, call, page, refusal.headers(), status=refusal.status)
        return
    form = choose(call.header(b"accept"), REPORTS) if isinstance(refusal, Nonconforming) else None
    if form in GRAPHS:
        headers = [(b"content-type", form.content_type.encode()), VARY, *refusal.headers()]
        await send_bytes(send, refusal.status, headers, as_rdf(refusal.members, form), with_body=with_body)
        return
    headers = [(b"content-type", PROBLEM.encode()), VARY, *refusal.headers()]
    await send_bytes(send, refusal.status, headers, body, with_body=with_body)


def with_headers(send: Send, headers: Headers) -> Send:
    """`send` that adds headers to whatever response goes through it."""

    async def sending(message: MutableMapping[str, Any]) -> None:  # Any: ASGI's own definition
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *headers]
        await send(message)

    return sending


class Departure:
    """Cancels the request's task when its client goes away, so that its reader is freed at once.

    It begins to look after `WATCH_AFTER_SECONDS`: most answers are out by then and pay nothing.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task: asyncio.Task[None] | None = None
        self._request = asyncio.current_task()
        self._has_left = False

    async def __aenter__(self) -> Departure:
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_SECONDS, self._watch)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if self._has_left and isinstance(error, asyncio.CancelledError):
            if self._request is not None:
                self._request.uncancel()
            raise ClientLeft from error

    def _watch(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._until_gone())

    async def _until_gone(self) -> None:
        with suppress(asyncio.CancelledError):
            message: Mapping[str, Any] = {}  # Any: ASGI's own definition
            while message.get("type") != "http.disconnect":
                message = await self._receive()
            self._has_left = True
            if self._request is not None:
                self._request.cancel()
