"""`/sparql`: SPARQL 1.1 Protocol, query and update; without either, the service description or a page for browsers.

A plain ASGI route: a small answer costs a third of what it would behind the framework's routing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from motorgraph.engine.wire import Job
from motorgraph.errors import NotAcceptable, TooLarge
from motorgraph.media import GRAPHS, SOLUTIONS, choose, listing, prefers_html
from motorgraph.metrics import Metrics
from motorgraph.protocol import Call, Receive, operation, read_body
from motorgraph.query import Query, Update, is_repeatable, planned, refuse_hosts, with_using
from motorgraph.reply import VARY, Departure, Headers, Send, send_answer, send_bytes
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.writing import authorise

REMEMBERED = 1024
REMEMBER_UP_TO_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query that is ready to be sent to a reader, and what tells its answer from others (None: it changes by itself)."""

    job: Job
    tag: str | None


class Sparql:
    """The endpoint."""

    def __init__(
        self, store: Embedded, settings: Settings, metrics: Metrics, describe: Callable[[Call], tuple[str, bytes]]
    ) -> None:
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._describe = describe
        self._limits = settings.limits()
        self._prepare_known = lru_cache(REMEMBERED)(self._prepare)

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        body = b""
        if call.method not in ("GET", "HEAD"):
            body = await read_body(call, receive, 3 * self._limits.query_bytes + 65536, "query_length")
        prepared = self._prepared(call, body)
        if isinstance(prepared, Prepared):
            await self._answer(prepared, call, receive, send)
        elif prepared is None:
            media_type, text = self._describe(call)
            headers = [(b"content-type", media_type.encode()), VARY]
            await send_bytes(send, 200, headers, text, with_body=call.method != "HEAD")
        else:
            await self._update(prepared, call, send)

    def _prepared(self, call: Call, body: bytes) -> Prepared | Update | None:
        if len(call.query_string) + len(body) > REMEMBER_UP_TO_BYTES:
            return self._prepare(_Key.of(call), body)
        return self._prepare_known(_Key.of(call), body)

    def _prepare(self, key: _Key, body: bytes) -> Prepared | Update | None:
        asked = operation(key.call, body)
        if asked is None:
            return None
        if len(asked.text) > self._limits.query_bytes:
            raise TooLarge(
                f"The text has {len(asked.text):,} characters; {self._limits.query_bytes:,} are taken (setting query_length). "
                "Send data to /graphs instead."
            )
        return asked if isinstance(asked, Update) else self._job(asked, key, body)

    def _job(self, query: Query, key: _Key, body: bytes) -> Prepared:
        query = planned(query, self._settings.service_hosts)
        solutions, graphs = choose(key.accept, SOLUTIONS), choose(key.accept, GRAPHS)
        if solutions is None and graphs is None:
            raise NotAcceptable(
                f"Nothing of {key.accept!r} can be had. Tables come as {listing(SOLUTIONS)}; graphs as {listing(GRAPHS)}.",
                available=[f.media_type for f in (*SOLUTIONS, *GRAPHS)],
            )
        job = Job(
            "query",
            query.text,
            base=query.base,
            default_graphs=query.dataset.default,
            named_graphs=query.dataset.named,
            has_dataset=bool(query.dataset),
            solutions=solutions.media_type if solutions else None,
            graphs=graphs.media_type if graphs else None,
            head_only=key.call.method == "HEAD",
            gzip=accepts_gzip(key.accept_encoding),
            max_bytes=self._limits.answer_bytes,
            max_rows=self._limits.rows,
        )
        told = repr((query, job.solutions, job.graphs, job.gzip)).encode()
        return Prepared(job, blake2b(told, digest_size=9).hexdigest() if is_repeatable(query.text) else None)

    async def _answer(self, prepared: Prepared, call: Call, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = []
        if prepared.tag:
            etag = f'"{self._store.version}-{prepared.tag}"'.encode()
            headers = [(b"etag", etag), (b"cache-control", b"no-cache")]
            if is_known(call, etag):
                await send_not_modified(send, headers)
                return
        async with Departure(receive):
            answer = await self._store.answer(prepared.job)
            try:
                await send_answer(answer, call, send, headers)
            finally:
                self._store.pool.release(answer)
                self._metrics.rows.inc(answer.rows)
                self._metrics.bytes.inc(answer.bytes)

    async def _update(self, update: Update, call: Call, send: Send) -> None:
        authorise(call, self._settings)
        refuse_hosts(update.text, ())
        await self._store.write(Job("update", with_using(update), base=update.base))
        await send_bytes(send, 204, [(b"etag", f'"{self._store.version}"'.encode())], b"")


@dataclass(frozen=True, slots=True)
class _Key:
    """All of a request that its preparation depends on."""

    method: str
    path: str
    query_string: bytes
    media_type: str
    host: str
    scheme: str
    accept: str
    accept_encoding: str

    @classmethod
    def of(cls, call: Call) -> _Key:
        return cls(
            call.method,
            call.path,
            call.query_string,
            call.media_type,
            call.header(b"host"),
            call.scheme,
            call.header(b"accept"),
            call.header(b"accept-encoding"),
        )

    @property
    def call(self) -> Call:
        """A request that says just this."""
        headers = {b"content-type": self.media_type.encode("latin-1"), b"host": self.host.encode("latin-1")}
        return Call(self.method, self.path, self.query_string, headers, False, self.scheme)


def is_known(call: Call, etag: bytes) -> bool:
    """Whether the client holds this answer already (If-None-Match, RFC 9110 §13.1.2)."""
    known = call.headers.get(b"if-none-match")
    if known is None or call.method not in ("GET", "HEAD"):
        return False
    return known.strip() == b"*" or etag in {tag.strip().removeprefix(b"W/") for tag in known.split(b",")}


async def send_not_modified(send: Send, headers: Headers) -> None:
    """304: the client's copy is still right."""
    await send({"type": "http.response.start", "status": 304, "headers": [*headers, VARY]})
    await send({"type": "http.response.body", "body": b""})


def accepts_gzip(header: str) -> bool:
    """Whether Accept-Encoding names gzip with a quality above 0."""
    for part in header.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "x-gzip"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def wants_page(call: Call) -> bool:
    """Whether a browser looks at the endpoint without a query."""
    return call.method in ("GET", "HEAD") and not call.query_string and prefers_html(call.header(b"accept"))
