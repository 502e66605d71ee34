"""`/sparql`: SPARQL 1.1 Protocol, query and update; without either, the service description; for browsers a page.

A plain ASGI route: a small answer costs a third of what it would behind the framework's routing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hashlib import blake2b

from motorgraph.access import Access
from motorgraph.conditions import etag_of, is_known, must_be_new, send_current, versioned
from motorgraph.engine.answer import Answer
from motorgraph.engine.wire import Job
from motorgraph.errors import NotAcceptable, Refusal, TooLarge
from motorgraph.media import GRAPHS, NAMED, SOLUTIONS, accepts_gzip, choose, listing, prefers_html
from motorgraph.memento import Mementos
from motorgraph.metrics import Metrics
from motorgraph.openapi import sparql_paths
from motorgraph.outcome import Sent, Wish, send_write
from motorgraph.protocol import SPARQL_METHODS, Call, Receive, operation, read_body, refuse_codings
from motorgraph.query import Query, Update, is_repeatable
from motorgraph.reply import VARY, Send, answer_headers, send_bytes, with_headers
from motorgraph.routes.workbench import Workbench
from motorgraph.stores.embedded import Embedded
from motorgraph.writing import signed

Describe = Callable[[Call], Awaitable[tuple[str, bytes]]]
REMEMBERED = 1024
REMEMBER_UP_TO_BYTES = 8192
TELLING_HEADERS = (b"accept", b"accept-encoding", b"content-type", b"host")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query that is ready to be sent to a reader, and what tells its answer from others ("": it changes by itself).

    `at` is the commit or time that it is about, "" for the newest; `form` the format that its address names. `page` is the query
    itself where the answer is to be a page.
    """

    job: Job
    tag: str
    at: str = ""
    form: str = ""
    page: Query | None = None

    @property
    def is_plain(self) -> bool:
        """Whether a reader's answer can be sent as it is."""
        return not (self.at or self.form or self.page)


class Sparql:
    """The endpoint."""

    methods = SPARQL_METHODS

    def __init__(
        self,
        store: Embedded,
        metrics: Metrics,
        describe: Describe,
        access: Access,
        workbench: Workbench,
    ) -> None:
        self._store = store
        self._settings = store.settings
        self._metrics = metrics
        self._describe = describe
        self._access = access
        self._workbench = workbench
        self._limits = store.settings.limits()
        self._mementos = Mementos(store, store.settings.base)
        self._known: dict[tuple[object, ...], Prepared | Update | None] = {}

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        return sparql_paths()

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        body = b""
        if call.method not in ("GET", "HEAD"):
            refuse_codings(call, ())
            body = await read_body(call, receive, 3 * self._limits.query_bytes + 65536, "query_length")
        prepared = self._prepared(call, body)
        if isinstance(prepared, Prepared):
            await self._answer(prepared, call, receive, send)
        elif prepared is None and wants_page(call):
            await self._workbench.blank(call, send)
        elif prepared is None:
            media_type, text = await self._describe(call)
            headers = [(b"content-type", media_type.encode()), VARY]
            await send_bytes(send, 200, headers, text, with_body=call.method != "HEAD")
        else:
            await self._update(prepared, body, call, receive, send)

    def _prepared(self, call: Call, body: bytes) -> Prepared | Update | None:
        """What the request asks for; a short request that was seen before is not read again."""
        if len(call.query_string) + len(body) > REMEMBER_UP_TO_BYTES:
            return self._prepare(call, body)
        known = call.headers.get
        key = (call.method, call.path, call.query_string, call.scheme, body, *[known(name) for name in TELLING_HEADERS])
        prepared = self._known.get(key)
        if prepared is None:
            prepared = self._known[key] = self._prepare(call, body)
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        return prepared

    def _prepare(self, call: Call, body: bytes) -> Prepared | Update | None:
        asked = operation(call, body)
        if asked is None:
            return None
        if len(asked.text) > self._limits.query_bytes:
            raise TooLarge(
                f"The text has {len(asked.text):,} characters; {self._limits.query_bytes:,} are taken (setting query_length). "
                "Send data to /graphs instead."
            )
        return asked if isinstance(asked, Update) else self._job(asked, call)

    def _job(self, query: Query, call: Call) -> Prepared:
        is_page = call.method in ("GET", "HEAD") and not query.form and prefers_html(call.header(b"accept"))
        accept = NAMED[query.form].media_type if query.form else call.header(b"accept")
        solutions, graphs = choose(accept, SOLUTIONS), choose(accept, GRAPHS)
        if solutions is None and graphs is None and not is_page:
            raise NotAcceptable(
                f"Nothing of {accept!r} can be had. Tables come as {listing(SOLUTIONS)}; graphs as {listing(GRAPHS)}.",
                available=[f.media_type for f in (*SOLUTIONS, *GRAPHS)],
            )
        job = Job(
            "query",
            query.text,
            base=query.base,
            default_graphs=query.dataset.default,
            named_graphs=query.dataset.named,
            hosts=self._settings.service_hosts,
            solutions=solutions.media_type if solutions else None,
            graphs=graphs.media_type if graphs else None,
            head_only=call.method == "HEAD",
            gzip=accepts_gzip(call.header(b"accept-encoding")),
            max_bytes=self._limits.answer_bytes,
            max_rows=self._limits.rows,
        )
        told = repr((query, job.solutions, job.graphs, job.gzip)).encode()
        tag = blake2b(told, digest_size=9).hexdigest() if is_repeatable(query.text) else ""
        return Prepared(job, tag, query.at, query.form, query if is_page else None)

    def begin(self, call: Call) -> Answer | None:
        """Has a reader begin to answer a GET, before anything else is done for it. None if it is no such request.

        The caller sends what comes of it if that is short (see `short`), or calls the endpoint with it as the call's `begun`.
        """
        try:
            prepared = self._prepared(call, b"")
            if not isinstance(prepared, Prepared) or not prepared.is_plain or must_be_new(call):
                return None
            store, job, tag = self._store, prepared.job, prepared.tag
            if tag and is_known(call, etag_of(store, store.commit, tag)):
                return Answer.unmodified(job, store.commit, tag)
            return store.begin(job, tag)
        except Refusal:
            return None  # met again, and told, by the endpoint

    def short(self, answer: Answer) -> tuple[int, bytes] | None:
        """Status and body of what was begun, which is then done with; None if it is not short or was refused."""
        body = None if answer.is_refused else answer.body
        if body is None:
            return None
        if answer.is_unmodified:
            return 304, b""
        self.leave(answer)
        return 200, body

    def headers(self, answer: Answer) -> list[tuple[bytes, bytes]]:
        """What describes it, but for its length."""
        told = versioned(self._store, answer.head.commit, answer.tag)
        return [*told, VARY] if answer.is_unmodified else answer_headers(answer, told)

    def leave(self, answer: Answer) -> None:
        """Nobody wants an answer that was begun any more."""
        self._store.release(answer)

    async def _answer(self, prepared: Prepared, call: Call, receive: Receive, send: Send) -> None:
        job = prepared.job
        if prepared.at:
            job = replace(job, commit=await self._store.at(prepared.at))
            send = with_headers(send, await self._mementos.headers(call, job.commit))
        if prepared.page is not None:
            await self._workbench.answered(prepared.page, job, call, receive, send)
            return
        if prepared.form:
            send = with_headers(send, [(b"content-disposition", f'attachment; filename="answer.{prepared.form}"'.encode())])
        answer = await send_current(self._store, job, prepared.tag, call, receive, send)
        if answer is not None:
            self._metrics.answer(answer.rows, answer.size)

    async def _update(self, update: Update, body: bytes, call: Call, receive: Receive, send: Send) -> None:
        using = update.using
        told = Job("update", update.text, update.base, default_graphs=using.default, named_graphs=using.named)
        with self._access.writing(call, told, len(body)) as (attempt, bearer):
            wish = Wish.of(call, dry_run=update.dry_run)
            await send_write(self._store, signed(told, call, bearer), b"", Sent(attempt, body, wish), receive, send)


def wants_page(call: Call) -> bool:
    """Whether a browser looks at the endpoint without a query."""
    return call.method in ("GET", "HEAD") and not call.query_string and prefers_html(call.header(b"accept"))
