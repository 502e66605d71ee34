"""The query page: a text to ask with, and if the address holds a query its answer as a table, with links and names for things."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from motorgraph.address import local
from motorgraph.citation import title_of
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, Broken, Refusal
from motorgraph.inquiry import Inquiry
from motorgraph.media import NAMED, NTRIPLES, SOLUTIONS, TSV
from motorgraph.pages import Pages
from motorgraph.prefixes import Prefixes
from motorgraph.protocol import Call, Receive, said
from motorgraph.query import Query
from motorgraph.questions import Question
from motorgraph.reply import Departure, Send, send_page
from motorgraph.resources import web
from motorgraph.settings import Settings
from motorgraph.showing import PAGE, Stretch, Table, iris, labels, stretch, table, terms, truth
from motorgraph.stores.embedded import Embedded

PLACEHOLDER = "SELECT ?class (COUNT(?thing) AS ?things) { ?thing a ?class }\nGROUP BY ?class ORDER BY DESC(?things)"
MOST_PAGES = 50_000
LEAST_LINES, MOST_LINES, LETTERS = 12, 28, 84
"""How high the text is shown, and how many letters a line of it takes in a wide window."""
MOST_BARS = 60
_VIEW = re.compile(r"^[ \t]*#[ \t]*defaultView:[ \t]*(\w+)", re.IGNORECASE | re.MULTILINE)
_PICTURES = {"map", "timeline", "graph", "barchart", "linechart", "scatterchart"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of an answer: the table and where it stands in the whole, or why there is none."""

    stretch: Stretch | None = None
    table: Table | None = None
    commit: int = 0
    seconds: float = 0.0
    refusal: Refusal | None = None

    @property
    def last(self) -> int:
        """The number of the last row that is shown, from 1."""
        assert self.stretch is not None
        assert self.table is not None
        return self.stretch.first + len(self.table.rows)


class Workbench:
    """Makes the page."""

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._inquiry = Inquiry(store)
        self._prefixes = Prefixes(settings.base)

    @cached_property
    def examples(self) -> list[Question]:
        """Queries whose answers are pictures, with the base of this service."""
        return [Question.of(path, self._settings.base) for path in sorted(web("examples").glob("*.rq"))]

    async def blank(self, call: Call, send: Send) -> None:
        """The page without a query."""
        await self._send(call, send, Query(""), Shown(commit=self._store.commit))

    async def answered(self, query: Query, job: Job, call: Call, receive: Receive, send: Send) -> None:
        """The page with the answer to a query. Refusals of the query stand on the page; of its address they are raised."""
        page = _page(call)
        try:
            shown = await self._shown(
                replace(job, solutions=TSV.media_type, graphs=NTRIPLES.media_type, gzip=False), page, receive
            )
        except Refusal as refusal:
            shown = Shown(commit=job.commit or self._store.commit, refusal=refusal)
        except Broken as broken:
            if not isinstance(broken.__cause__, Refusal):
                raise
            shown = Shown(commit=job.commit or self._store.commit, refusal=broken.__cause__)
        await self._send(call, send, query, shown, page)

    async def _shown(self, job: Job, page: int, receive: Receive) -> Shown:
        started = time.monotonic()
        async with Departure(receive):
            answer = await self._store.answer(job)
            try:
                form, commit = answer.head.form, answer.head.commit
                found = await stretch(form, _pieces(answer.body) if answer.body is not None else answer.pieces(), page)
            finally:
                self._store.release(answer)
            seconds = time.monotonic() - started
            if form == "boolean":
                return Shown(found, Table(truth=truth(found)), commit, seconds)
            columns, rows = terms(found)
            named = await labels(self._inquiry, iris(rows))
        return Shown(found, table(columns, rows, named, self._link, self._short), commit, seconds)

    def _link(self, iri: str) -> str:
        """Where a browser is sent for an IRI."""
        path = local(iri, self._settings.base)
        if path.startswith("/graph/"):
            return "/graphs?" + urlencode({"graph": iri})
        return path or (iri if iri.startswith(("http://", "https://")) else "")

    def _short(self, iri: str) -> str:
        return self._prefixes.shortened(iri) or iri

    async def _send(self, call: Call, send: Send, query: Query, shown: Shown, page: int = 1) -> None:
        asked = [("query", query.text), *([("at", query.at)] if query.at else [])]
        asked += [("default-graph-uri", iri) for iri in query.dataset.default]
        asked += [("named-graph-uri", iri) for iri in query.dataset.named]
        forms = [
            name
            for name, form in NAMED.items()
            if (form in SOLUTIONS) == (shown.stretch is None or shown.stretch.form != "graph")
        ]
        written = query.text or PLACEHOLDER
        is_past = bool(query.at) and shown.commit != self._store.commit
        text = await self._pages.page(
            "sparql.html",
            query=query,
            text=written,
            title=title_of(written),
            rows=min(max(_lines(written) + 1, LEAST_LINES), MOST_LINES),
            is_folded=shown.table is not None and _is_picture(written, shown.table),
            shown=shown,
            page=page,
            forms=forms,
            address=_addressed(asked),
            time=(await self._store.commits(after=shown.commit - 1, upto=shown.commit))[0]["time"] if is_past else "",
            is_past=is_past,
            pictures=() if self._settings.plain else self.examples,
            setup=self._setup(query, shown),
        )
        headers = [(b"x-commit", b"%d" % shown.commit), (b"cache-control", b"no-cache")]
        headers += shown.refusal.headers() if shown.refusal else []
        await send_page(send, call, text, headers, status=shown.refusal.status if shown.refusal else 200)

    def _setup(self, query: Query, shown: Shown) -> dict[str, object]:
        """What the scripts of the page have to know. An answer that is here whole need not be asked for again."""
        found = shown.stretch
        is_whole = found is not None and not found.has_more and found.first == 0
        return {
            "base": self._settings.base,
            "commit": shown.commit,
            "at": query.at,
            "graphs": [query.dataset.default, query.dataset.named],
            "seconds": self._settings.query_seconds,
            "rows": self._settings.query_rows,
            "bytes": self._settings.query_bytes,
            "memory": self._settings.query_memory,
            "prefixes": self._prefixes.namespaces,
            "fault": {n: shown.refusal.members.get(n) for n in ("line", "column")} if shown.refusal else None,
            "answer": {"form": found.form, "text": found.body.decode(), "took": shown.seconds} if is_whole and found else None,
            "labels": dict(shown.table.labels) if shown.table else {},
        }


def _addressed(asked: list[tuple[str, str]]) -> Callable[..., str]:
    """Makes addresses of the query with more parameters; one that is given again is another then, and "" takes it away."""

    def address(path: str = "/sparql", **more: object) -> str:
        kept = [(name, value) for name, value in asked if name not in more]
        return f"{path}?{urlencode([*kept, *((name, str(value)) for name, value in more.items() if value != '')])}"

    return address


def _is_picture(text: str, shown: Table) -> bool:
    """Whether the scripts open an answer as a picture (see columns.ts): the text is then folded from the beginning."""
    said = _VIEW.search(text)
    if not shown.rows or said:
        return bool(shown.rows) and said is not None and said[1].lower() in _PICTURES
    has_places = {"lat", "long"} <= {name.lower().replace("itude", "").replace("lng", "long") for name in shown.numbers}
    return has_places or (len(shown.columns) == 2 and len(shown.numbers) == 1 and 2 < len(shown.rows) <= MOST_BARS)


def _lines(text: str) -> int:
    return sum(max(1, -(-len(line) // LETTERS)) for line in text.split("\n"))


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _page(call: Call) -> int:
    """Which page of the rows is wanted. Raises BadRequest."""
    given = said(call, "page") or "1"
    if not given.isdecimal() or len(given) > 6 or not 1 <= int(given) <= MOST_PAGES:
        raise BadRequest(f"page={given[:20]!r} is none; there are pages of {PAGE} rows from 1 on.")
    return int(given)
