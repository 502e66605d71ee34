"""`/graphs`: SPARQL 1.1 Graph Store HTTP Protocol, indirect (`?graph=`, `?default`) and direct."""

from __future__ import annotations

import secrets

from motorgraph.access import Access
from motorgraph.conditions import must_be_new, must_exist, require_match, send_current
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Forbidden, MethodNotAllowed, NotAcceptable, UnsupportedMediaType
from motorgraph.media import GRAPHS, NQUADS, RDFXML, READABLE, TRIG, Format, choose, listing, readable
from motorgraph.protocol import UPDATE_TYPE, Call, Receive, graph_name, read_body, refuse_codings
from motorgraph.reply import Send, send_bytes
from motorgraph.routes.sparql import accepts_gzip
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.writing import signed

METHODS = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
STORE_METHODS = "GET, HEAD, POST, OPTIONS"
TRIPLE_FORMATS = tuple(f for f in GRAPHS if not f.datasets or f.name == "JSON-LD")
DATASET_FORMATS = (TRIG, NQUADS)


class Graphs:
    """The graph store."""

    def __init__(self, store: Embedded, settings: Settings, access: Access) -> None:
        self._store = store
        self._access = access
        self._settings = settings
        self._limits = settings.limits()

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        graph = graph_name(call, self._settings.base)
        if call.method in ("GET", "HEAD"):
            await self._get(graph, call, receive, send)
        elif call.method == "DELETE":
            await self._delete(graph, call, send)
        else:
            await self._send(graph, call, receive, send)

    async def _get(self, graph: str | None, call: Call, receive: Receive, send: Send) -> None:
        formats: tuple[Format, ...] = DATASET_FORMATS if graph is None else TRIPLE_FORMATS
        form = choose(call.header(b"accept"), formats)
        if form is None:
            raise NotAcceptable(f"A graph can be had as {listing(formats)}.", available=[f.media_type for f in formats])
        etag = f'"{self._store.version}-{form.suffix}-{"gz" if accepts_gzip(call.header(b"accept-encoding")) else "id"}"'.encode()
        job = Job(
            "graph",
            graph=graph,
            graphs=form.media_type,
            head_only=call.method == "HEAD",
            gzip=accepts_gzip(call.header(b"accept-encoding")),
            max_bytes=self._limits.answer_bytes,
        )
        await send_current(self._store.pool, job, etag, call, receive, send)

    async def _send(self, graph: str | None, call: Call, receive: Receive, send: Send) -> None:
        bearer = self._access.require_write(call)
        location = []
        if graph is None:
            if call.method == "PUT":
                raise BadRequest("PUT replaces one graph: name it with ?graph=IRI or ?default.")
            graph = f"{self._settings.base}/graphs/{secrets.token_hex(10)}"
            location = [(b"location", graph.removeprefix(self._settings.base).encode())]
        self._refuse_merge(graph)
        job = Job(
            call.method.lower(),
            graph=graph,
            base=graph or call.url,
            content_type=_content_type(call),
            content_encoding=refuse_codings(call, ("gzip", "x-gzip")),
            must_be_new=must_be_new(call),
            must_exist=must_exist(call),
            max_bytes=self._limits.body_bytes,
        )
        body = await read_body(call, receive, self._limits.body_bytes, "body_bytes")
        created = await self._store.write(signed(job, call, bearer), body, guard=lambda: require_match(call, self._store.version))
        headers = [*location, (b"etag", f'"{self._store.version}"'.encode())]
        await send_bytes(send, 201 if created or location else 204, headers, b"")

    async def _delete(self, graph: str | None, call: Call, send: Send) -> None:
        bearer = self._access.require_write(call)
        if graph is None:
            raise MethodNotAllowed("DELETE without ?graph=IRI or ?default", STORE_METHODS)
        self._refuse_merge(graph)
        job = signed(Job("delete", graph=graph), call, bearer)
        await self._store.write(job, guard=lambda: require_match(call, self._store.version))
        await send_bytes(send, 204, [], b"")

    def _refuse_merge(self, graph: str) -> None:
        if not graph and self._settings.is_union:
            raise Forbidden("The default graph here is the merge of all graphs. Write to a graph that has a name: ?graph=IRI.")


def _content_type(call: Call) -> str:
    """The Content-Type that the body is read by; RDF/XML if none was sent (§4.1). Raises UnsupportedMediaType."""
    if call.media_type == "multipart/form-data":
        return call.header(b"content-type")
    form = readable(call.media_type) if call.media_type else RDFXML
    if form is None:
        hint = " Updates go to /sparql." if call.media_type == UPDATE_TYPE else ""
        raise UnsupportedMediaType(
            f"{call.media_type} is not read; send {listing(READABLE)}.{hint}", readable=[f.media_type for f in READABLE]
        )
    return form.media_type
