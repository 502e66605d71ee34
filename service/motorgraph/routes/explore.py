"""`/explore` and `/explore/{kind}`: lists of things narrowed by facets, as JSON, CSV, GeoJSON, and pages with pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import urlencode

import orjson

from motorgraph import __version__
from motorgraph.conditions import is_known, send_not_modified, versioned
from motorgraph.errors import MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.explore.asking import as_sparql
from motorgraph.explore.gallery import Gallery
from motorgraph.explore.kinds import DEALS, KINDS, NETWORK, Kind
from motorgraph.explore.loading import Sheets
from motorgraph.explore.narrowing import BOX, LIMIT, MOST, OTHERS, Asked, Found, found, meant, understood
from motorgraph.explore.telling import as_csv, as_geojson, as_json, as_ties
from motorgraph.media import CSV, HTML, Format, choose, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import TEXTS, parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import QUERY_TYPE, Call, Receive, query_parameters, said
from motorgraph.reply import VARY, Headers, Send, send_bytes, send_page
from motorgraph.search.likeness import likest_of
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
GEOJSON = Format("GeoJSON", "application/geo+json", "geojson")
SPARQL = Format("SPARQL", QUERY_TYPE, "rq")
WRITERS = {JSON: as_json, CSV: as_csv, GEOJSON: as_geojson}
EXAMPLES = {
    "plants": {"country": ["es"], "status": ["operating"]},
    "makers": {"control": ["cn"], "kind": ["Automaker"]},
    "deals": {"group": ["ford"], "status": ["agreed", "denied"]},
    "network": {"group": ["ford"], "status": ["agreed", "denied"]},
    "claims": {"stance": ["denied"]},
    "acts": {"jurisdiction": ["eu"], "status": ["in-force"]},
}
"""What OpenAPI shows for each kind."""
AT = parameter("at", "A commit or a time (ISO 8601): the list as it was then.")


class Explore:
    """Shows what there is of each kind."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._pages = pages
        self._is_plain = settings.plain
        self._sheets = Sheets(store, settings)
        self._gallery = Gallery()
        self._base = settings.base
        self._whole: list[Found] = []

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        found = responses({"200": [JSON.media_type, HTML], "304": ()}, "400", "404", "406", "503")
        index = {"summary": "What can be explored, with counts", "tags": ["explore"], "parameters": [AT], "responses": found}
        return {"/explore": {"get": index}, **{f"/explore/{name}": {"get": _described(kind)} for name, kind in KINDS.items()}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        if self._is_plain:
            raise NotFound("A plain store has no makers, plants and deals to explore; /sparql asks what it holds.")
        name = call.path.removeprefix("/explore").strip("/")
        stem, _, suffix = name.partition(".")
        if not name:
            await self._index(call, send)
            return
        kind = KINDS.get(stem)
        if kind is None:
            likest = likest_of(stem, {each.name: each.words for each in KINDS.values()}) or list(KINDS)
            near = [meant(each, KINDS[each].words, Asked(KINDS[each])) for each in likest]
            raise NotFound(f"There is no kind {stem[:60]!r} to explore; there are {', '.join(KINDS)}.", near=near)
        await self._list(kind, self._form(kind, suffix, call), call, send)

    async def _index(self, call: Call, send: Send) -> None:
        form = _chosen((JSON,), call)
        at = said(call, "at")
        whole = await self._all(at)
        headers = self._headers(whole[0], form)
        if is_known(call, _etag(headers)):
            await send_not_modified(send, headers)
        elif form is None:
            shown = self._gallery.index(whole) | {"at": at, "commit": whole[0].sheet.commit}
            await send_page(send, call, await self._pages.page("explore.html", section="/explore", **shown), headers)
        else:
            kinds = [_summary(each) for each in whole]
            body = orjson.dumps({"commit": whole[0].sheet.commit, "kinds": kinds}, option=orjson.OPT_APPEND_NEWLINE)
            await _send(send, call, form, headers, body)

    async def _all(self, at: str) -> list[Found]:
        """All of each kind, of the newest graph found once a commit."""
        commit = await self._commit(at)
        sheets = [await self._sheets.sheet(kind, commit) for kind in KINDS.values()]
        known = {} if commit else {each.asked.kind.name: each for each in self._whole}
        whole = [
            replace(had, sheet=sheet)
            if (had := known.get(kind.name)) and had.sheet.items is sheet.items
            else await asyncio.to_thread(found, Asked(kind, at=at), sheet)
            for kind, sheet in zip(KINDS.values(), sheets, strict=True)
        ]
        if not commit:
            self._whole = whole
        return whole

    async def _commit(self, at: str) -> int:
        """The commit that is meant, 0 for the newest. Raises BadRequest or NotFound."""
        return await self._store.at(at) if at else 0

    async def _list(self, kind: Kind, form: Format | None, call: Call, send: Send) -> None:
        given = query_parameters(call)
        if kind is DEALS and given.get("view") == ["network"]:
            await _elsewhere(call, send, {name: values for name, values in given.items() if name != "view"})
            return
        asked = understood(kind, given, is_whole=form in (CSV, GEOJSON, SPARQL))
        answer = await asyncio.to_thread(found, asked, await self._sheets.sheet(kind, await self._commit(asked.at)))
        headers = self._headers(answer, form)
        if is_known(call, _etag(headers)):
            await send_not_modified(send, headers)
            return
        if answer.links:
            told = ", ".join(f'<{path}>; rel="{name}"' for name, path in answer.links.items())
            headers.append((b"link", told.encode()))
        if form is None:
            shown = await asyncio.to_thread(self._gallery.shown, answer)
            shown["offered"] = [(each.name, asked.address(f".{each.suffix}")) for each in _formats(kind)]
            shown["query"] = as_sparql(answer, self._base).decode()
            page = await self._pages.page("explore_kind.html", section="/explore", kinds=KINDS.values(), **shown)
            await send_page(send, call, page, headers)
        elif form is SPARQL:
            await _send(send, call, form, headers, as_sparql(answer, self._base))
        else:
            write = as_ties if kind is NETWORK and form is CSV else WRITERS[form]
            await _send(send, call, form, headers, write(answer))

    def _form(self, kind: Kind, suffix: str, call: Call) -> Format | None:
        """The format that the suffix or the client wants, None for a page. Raises NotFound or NotAcceptable."""
        formats = _formats(kind)
        if not suffix:
            return _chosen(formats, call)
        if suffix == "html":
            return None
        named = next((form for form in formats if form.suffix == suffix), None)
        if named is None:
            offered = ", ".join(f".{form.suffix}" for form in formats)
            raise NotFound(f"{kind.words} cannot be had as .{suffix[:20]}; there are {offered} and .html.")
        return named

    def _headers(self, answer: Found, form: Format | None) -> list[tuple[bytes, bytes]]:
        asked = answer.asked
        today = datetime.now(UTC).date().isoformat()
        told = (asked.kind.name, asked.chosen, asked.address(), form.suffix if form else "html", today, __version__)
        tag = blake2b(repr(told).encode(), digest_size=9).hexdigest()
        return versioned(self._store, answer.sheet.commit, tag)


def _etag(headers: Headers) -> bytes:
    return next(value for name, value in headers if name == b"etag")


def _formats(kind: Kind) -> tuple[Format, ...]:
    return (JSON, CSV, GEOJSON, SPARQL) if kind.has_places else (JSON, CSV, SPARQL)


async def _elsewhere(call: Call, send: Send, given: Mapping[str, Sequence[str]]) -> None:
    """Leads to the network, which has an address of its own (301)."""
    query = urlencode([(name, value) for name, values in given.items() for value in values])
    where = f"/explore/network{f'?{query}' if query else ''}".encode()
    headers = [(b"location", where), (b"content-type", b"text/plain; charset=utf-8"), VARY]
    await send_bytes(send, 301, headers, b"See " + where + b"\n", with_body=call.method != "HEAD")


def _chosen(formats: tuple[Format, ...], call: Call) -> Format | None:
    accept = call.header(b"accept")
    if prefers_html(accept):
        return None
    form = choose(accept, formats)
    if form is None:
        available = [*(each.media_type for each in formats), HTML]
        raise NotAcceptable(f"This can be had as {listing(formats)}, or as a page.", available=available)
    return form


async def _send(send: Send, call: Call, form: Format, headers: Headers, body: bytes) -> None:
    kind = (b"content-type", form.content_type.encode())
    await send_bytes(send, 200, [kind, VARY, *headers], body, with_body=call.method != "HEAD")


def _summary(answer: Found) -> dict[str, object]:
    kind = answer.asked.kind
    facets = [{"name": facet.column.name, "label": facet.column.words, "values": len(facet.values)} for facet in answer.facets]
    return {"kind": kind.name, "label": kind.words, "href": answer.asked.address(), "total": len(answer.items), "facets": facets}


def _described(kind: Kind) -> dict[str, object]:
    """A kind in OpenAPI: each facet is a parameter that may be repeated."""
    example = EXAMPLES[kind.name]
    facets = []
    for column in kind.facets:
        about = f"{column.words}: the last part of an IRI, an IRI or a name; any of those given; `not-known` for none."
        told = parameter(column.name, about, schema=TEXTS)
        facets.append({**told, "example": example[column.name]} if column.name in example else told)
    words = {
        "q": "Words that names begin with.",
        "sort": f"One of {', '.join(kind.sorts)}; after a - downwards. {kind.sort} if it is not said.",
        "limit": f"How many, at most {MOST:,}; {LIMIT} if it is not said, for CSV and GeoJSON all.",
        "offset": "How many to pass over.",
        "view": f"For a page: {', '.join(view.name for view in kind.views)}.",
        "focus": "For a page: a group or deal that a picture shows before others.",
        "bbox": "Only what lies in this part of the world: west,south,east,north in degrees.",
    }
    names = (*OTHERS, BOX) if kind.has_places else OTHERS
    others = (
        parameter(name, words[name], schema=TEXTS if name == "focus" else {"type": "string"}) for name in names if name in words
    )
    given = [*facets, *others, AT]
    media = [*(form.media_type for form in _formats(kind)), HTML]
    answers = responses({"200": media, "304": ()}, "400", "404", "406", "422", "503")
    return {"summary": kind.about, "tags": ["explore"], "parameters": given, "responses": answers}
