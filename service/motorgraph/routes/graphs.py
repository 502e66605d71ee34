"""`/graphs`: SPARQL 1.1 Graph Store HTTP Protocol, indirect (`?graph=`, `?default`) and direct."""

from __future__ import annotations

import secrets
from dataclasses import replace
from urllib.parse import quote

from motorgraph.access import Access
from motorgraph.audit import Attempt
from motorgraph.bearer import Bearer
from motorgraph.conditions import must_be_new, must_exist, send_current
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Forbidden, MethodNotAllowed, NotAcceptable, UnsupportedMediaType
from motorgraph.media import (
    GRAPHS,
    NQUADS,
    RDFXML,
    READABLE,
    TRIG,
    Format,
    accepts_gzip,
    choose,
    listing,
    prefers_html,
    readable,
    refuse_charset,
)
from motorgraph.memento import Mementos
from motorgraph.openapi import graphs_paths
from motorgraph.outcome import Sent, Wish, send_write
from motorgraph.protocol import UPDATE_TYPE, Call, Receive, body_text, graph_name, is_dry_run, moment, read_body, refuse_codings
from motorgraph.reply import VARY, Send, send_bytes, with_headers
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.writing import signed

METHODS = "GET, HEAD, PUT, POST, DELETE, PATCH, OPTIONS"
STORE_METHODS = "GET, HEAD, POST, OPTIONS"
TRIPLE_FORMATS = tuple(f for f in GRAPHS if not f.datasets or f.name == "JSON-LD")
DATASET_FORMATS = (TRIG, NQUADS)


class Graphs:
    """The graph store."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, access: Access, mementos: Mementos) -> None:
        self._store = store
        self._mementos = mementos
        self._access = access
        self._settings = settings
        self._limits = settings.limits()

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        return graphs_paths()

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        graph = graph_name(call, self._settings.base)
        if call.method in ("GET", "HEAD"):
            await self._get(graph, call, receive, send)
        else:
            await self._write(graph, call, receive, send)

    async def _get(self, graph: str | None, call: Call, receive: Receive, send: Send) -> None:
        if graph and call.path.startswith("/graph/") and prefers_html(call.header(b"accept")):
            await send_bytes(send, 303, [(b"location", f"/changes?graph={quote(graph, safe='')}".encode()), VARY], b"")
            return
        formats: tuple[Format, ...] = DATASET_FORMATS if graph is None else TRIPLE_FORMATS
        form = choose(call.header(b"accept"), formats)
        if form is None:
            raise NotAcceptable(f"A graph can be had as {listing(formats)}.", available=[f.media_type for f in formats])
        tag = f"{form.suffix}-{'gz' if accepts_gzip(call.header(b'accept-encoding')) else 'id'}"
        job = Job(
            "graph",
            graph=graph,
            graphs=form.media_type,
            head_only=call.method == "HEAD",
            gzip=accepts_gzip(call.header(b"accept-encoding")),
            max_bytes=self._limits.answer_bytes,
        )
        at = moment(call)
        job = replace(job, commit=await self._store.at(at)) if at else job
        send = with_headers(send, await self._mementos.headers(call, job.commit))
        await send_current(self._store, job, tag, call, receive, send)

    async def _write(self, graph: str | None, call: Call, receive: Receive, send: Send) -> None:
        with self._access.writing(call, Job(call.method.lower(), graph=graph)) as (attempt, bearer):
            await self._written(graph, attempt, bearer, receive, send)

    async def _written(self, graph: str | None, attempt: Attempt, bearer: Bearer, receive: Receive, send: Send) -> None:
        call = attempt.call
        wish, location = Wish.of(call, dry_run=is_dry_run(call)), ""
        if graph is None:
            _require_post(call)
            location = f"/graphs/{secrets.token_hex(10)}"
            graph = self._settings.base + location
        if not graph and self._settings.is_union:
            raise Forbidden("The default graph here is the merge of all graphs. Write to a graph that has a name: ?graph=IRI.")
        job = self._job(graph, call, is_minted=bool(location))
        self._store.turns.require_room()  # rather than read a body in vain
        body = await self._body(call, receive)
        attempt.size = len(body)
        data = body if job.content_type else b""
        if call.method == "PATCH":
            job = replace(job, text=body_text("patch", body, call))
        await send_write(self._store, signed(job, call, bearer), data, Sent(attempt, body, wish, location), receive, send)

    async def _body(self, call: Call, receive: Receive) -> bytes:
        if call.method == "DELETE":
            return b""
        if call.method == "PATCH":
            return await read_body(call, receive, self._limits.query_bytes, "query_length")
        return await read_body(call, receive, self._limits.body_bytes, "body_bytes")

    def _job(self, graph: str, call: Call, *, is_minted: bool) -> Job:
        """The change that a request is for, but for the text of a patch. Raises UnsupportedMediaType."""
        job = Job(
            call.method.lower(),
            graph=graph,
            base=graph or call.url,
            must_be_new=must_be_new(call) or is_minted,
            must_exist=must_exist(call),
        )
        if call.method == "DELETE":
            return job
        if call.method == "PATCH":
            refuse_codings(call, ())
            if call.media_type != UPDATE_TYPE:
                raise UnsupportedMediaType(
                    f"{call.media_type or 'A body without a Content-Type'} is no patch; send {UPDATE_TYPE}.",
                    patches=[UPDATE_TYPE],
                )
            return job
        coding = refuse_codings(call, ("gzip", "x-gzip"))
        return replace(job, content_type=_content_type(call), content_encoding=coding, max_bytes=self._limits.body_bytes)


def _require_post(call: Call) -> None:
    """Raises BadRequest or MethodNotAllowed for a method that does nothing to the store as a whole."""
    if call.method == "PUT":
        raise BadRequest("PUT replaces one graph: name it with ?graph=IRI or ?default.")
    if call.method != "POST":
        raise MethodNotAllowed(f"{call.method} without ?graph=IRI or ?default", STORE_METHODS)


def _content_type(call: Call) -> str:
    """The Content-Type that the body is read by; RDF/XML if none was sent (§5.3). Raises UnsupportedMediaType."""
    refuse_charset(call.header(b"content-type"))
    if call.media_type == "multipart/form-data":
        return call.header(b"content-type")
    form = readable(call.media_type) if call.media_type else RDFXML
    if form is None:
        hint = " Updates go to /sparql, or here by PATCH." if call.media_type == UPDATE_TYPE else ""
        raise UnsupportedMediaType(
            f"{call.media_type} is not read; send {listing(READABLE)}.{hint}", readable=[f.media_type for f in READABLE]
        )
    return form.media_type
