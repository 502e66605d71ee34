"""`/questions/duty`: the duty planner, as a page, JSON, CSV, TSV, or the SPARQL behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b

import orjson

from motorgraph import __version__
from motorgraph.conditions import has_it_already, holds_any, send_not_modified, versioned
from motorgraph.duty.listing import ORDERS
from motorgraph.duty.planner import Answer, Planner
from motorgraph.duty.sheet import as_json, as_table
from motorgraph.duty.view import Views
from motorgraph.errors import BadParameter, BadRequest, MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.media import CSV, HTML, TSV, Format, choose, leaves_open, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import QUERY_TYPE, Call, Receive, one, query_parameters
from motorgraph.reply import VARY, Departure, Headers, Send, send_bytes, send_page
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
PATH = "/questions/duty"
SPARQL = Format("SPARQL", QUERY_TYPE, "rq")
FORMATS = (JSON, CSV, TSV, SPARQL)
ADDRESSES = (PATH, *(f"{PATH}.{form.suffix}" for form in FORMATS))
MOST_INDENTED = 50
"""Rows that people may want to read; more are for machines alone."""
MOST_PAST = 4
"""Commits of the past whose law and names are kept."""
_BY_SUFFIX = {form.suffix: form for form in FORMATS}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_GIVEN = {
    "maker": ("Whose car: slug, IRI or label of an organisation or brand. Without it: the operator of each plant.", "byd"),
    "plant": ("Where it is built: a plant, or a country or territory. Without it: all plants that assemble cars.", "cn"),
    "model": ("The car: a model, or a kind of drive (bev, phev, erev, hev, mhev, ice, fcev). Without it: bev.", "bev"),
    "market": ("Where it is sold: a country or customs territory. Without it: all whose duties the graph has.", "eu"),
    "date": ("The day, as YYYY-MM-DD. Without it: today.", "2024-12-01"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: what puts the question, the format (None: a page), whether sources are wanted, as of when (and which
    commit that is, 0 for the newest), the order of the table, and the tag of the answer."""

    given: dict[str, list[str]]
    form: Format | None
    cites: bool
    moment: str
    order: str
    tag: str
    commit: int = 0


class Duty:
    """The duty planner."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages, newest: Planner) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._planners: dict[int, Planner] = {0: newest}

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        given = [
            parameter(name, f"{words} Repeat it to compare.", schema=_TEXTS) | {"example": [example], "explode": True}
            for name, (words, example) in _GIVEN.items()
        ]
        given.append(parameter("at", "The graph as it stood: a commit, or a time.", schema={"type": "string"}))
        given.append(parameter("cite", "`0`: without sources.", schema={"type": "string", "enum": ["0", "1"]}))
        refusals = ("400", "404", "406", "422", "503")
        types = {form.suffix: [form.media_type] for form in FORMATS}

        def get(summary: str, media_types: Sequence[str]) -> dict[str, object]:
            found = responses({"200": media_types, "304": ()}, *refusals)
            return {"get": {"summary": summary, "tags": ["questions"], "parameters": given, "responses": found}}

        summary = "What duty a car pays: by maker, plant, model, market and day"
        every = [HTML, *(form.media_type for form in FORMATS)]
        return {PATH: get(summary, every)} | {
            f"{PATH}.{suffix}": get(f"{summary}, as {suffix.upper()}", media) for suffix, media in types.items()
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        if self._settings.plain:
            raise NotFound("A plain store has no duties to plan with.")
        self._store.require_ready()
        asked = _asked(call)
        asked = replace(asked, commit=await self._store.at(asked.moment) if asked.moment else 0)
        newest = asked.commit or self._store.commit
        if await has_it_already(self._store, newest, asked.tag, call, send, is_fixed=bool(asked.commit)):
            return
        async with Departure(receive):
            await (self._data(asked.form, asked, call, send) if asked.form else self._page(asked, call, send))

    def _planner(self, commit: int) -> Planner:
        """The planner of a commit (0: the newest); those of the past are few, the last ones asked for."""
        if commit not in self._planners:
            if len(self._planners) > MOST_PAST:
                del self._planners[next(each for each in self._planners if each)]
            self._planners[commit] = Planner(self._store, commit)
        return self._planners[commit]

    async def _data(self, form: Format, asked: Asked, call: Call, send: Send) -> None:
        planner = self._planner(asked.commit)
        question = await planner.questions.read(asked.given, await planner.law())
        kind = (b"content-type", form.content_type.encode())
        if form is SPARQL:
            body, answered = planner.text(question.routes).encode(), asked.commit or self._store.commit
        else:
            answer = await planner.answer(question)
            body, answered = await asyncio.to_thread(_written, form, answer, cites=asked.cites), answer.commit
        told: Headers = [kind, VARY, *versioned(self._store, answered, asked.tag, is_fixed=bool(asked.commit))]
        if holds_any(call):
            await send_not_modified(send, told)
        else:
            await send_bytes(send, 200, told, body, with_body=call.method != "HEAD")

    async def _page(self, asked: Asked, call: Call, send: Send) -> None:
        """The page: the answer, the form alone where nothing is asked, or the form with what is wrong in it."""
        views = Views(self._planner(asked.commit), self._settings.base)
        told: Headers = ()
        status = 200
        try:
            view = await views.view(asked.given, cites=asked.cites, order=asked.order)
            told = versioned(self._store, view.commit, asked.tag, is_fixed=bool(asked.commit)) if view.commit else ()
        except BadParameter as refusal:
            view, status = await views.wrong(asked.given, refusal), 422
        view.at = asked.moment
        link = call.query_string.decode("latin-1")
        past = asked.commit if asked.commit != self._store.commit else 0
        page = await self._pages.page(
            "duty.html", view=view, query=f"?{link}" if link else "", path=PATH, formats=FORMATS, commit=past
        )
        await send_page(send, call, page, told, status=status)


def _asked(call: Call) -> Asked:
    """What a request asks. Raises BadRequest."""
    parameters = query_parameters(call)
    cite, moment, order = (one(parameters, name) for name in ("cite", "at", "order"))
    if cite not in ("", "0", "1"):
        raise BadRequest("cite=0 drops the sources; there is no other value but 1.")
    if order not in ("", *ORDERS):
        raise BadRequest(f"order={order[:20]!r} is not known; a table is in the order of {', '.join(ORDERS)}.")
    given = {name: values for name, values in parameters.items() if name not in ("cite", "at", "order")}
    form = _form(call)
    return Asked(given, form, cite != "0", moment, order or ORDERS[0], _tag(call, form))


def _form(call: Call) -> Format | None:
    """What to answer in, None for a page. Raises NotAcceptable."""
    suffix = call.path.removeprefix(PATH).removeprefix(".")
    if suffix:
        return _BY_SUFFIX[suffix]
    accept = call.header(b"accept")
    if prefers_html(accept) or (leaves_open(accept) and not call.query_string):
        return None
    form = choose(accept, FORMATS)
    if form is None:
        raise NotAcceptable(
            f"A duty can be had as {listing(FORMATS)}, or as a page.", available=[HTML, *(form.media_type for form in FORMATS)]
        )
    return form


def _tag(call: Call, form: Format | None) -> str:
    """What tells an answer from others of the same commit: what was asked, and the day, which may be left to be today."""
    told = (call.query_string, form.suffix if form else "html", datetime.now(UTC).date().isoformat(), __version__)
    return blake2b(repr(told).encode(), digest_size=9).hexdigest()


def _written(form: Format, answer: Answer, *, cites: bool) -> bytes:
    if form is JSON:
        layout = orjson.OPT_INDENT_2 if len(answer.rows) <= MOST_INDENTED else 0
        return orjson.dumps(as_json(answer, cites=cites), option=layout | orjson.OPT_APPEND_NEWLINE)
    return as_table(answer, "," if form is CSV else "\t", cites=cites)
