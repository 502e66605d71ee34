"""`/search`: things by what they are called, as a page, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import orjson

from motorgraph import __version__
from motorgraph.cells import inert
from motorgraph.conditions import etag_of, is_known, send_not_modified, versioned
from motorgraph.errors import BadRequest, MethodNotAllowed, NotAcceptable
from motorgraph.media import CSV, HTML, choose, languages, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, query_parameters
from motorgraph.reply import VARY, Send, send_bytes, send_page
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
FORMATS = (JSON, CSV)
MOST_CHARACTERS = 500
LIMIT = 20
MOST = 100
FARTHEST = 10_000
COLUMNS = ("iri", "page", "label", "kind", "alias", "note", "score")
Json = dict[str, Any]  # Any: plain JSON


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, of which kind ("" for any), and which part of what is found is wanted."""

    query: str
    kind: str = ""
    limit: int = LIMIT
    offset: int = 0

    @classmethod
    def of(cls, call: Call) -> Asked:
        """What a request asks for. Raises BadRequest."""
        given = query_parameters(call)
        unknown = sorted(given.keys() - {"q", "kind", "limit", "offset"})
        if unknown:
            raise BadRequest(f"There is no parameter {unknown[0][:40]!r} here; there are q, kind, limit and offset.")
        for name, values in given.items():
            if len(values) > 1:
                raise BadRequest(f"Give the parameter {name!r} once.")
        said = {name: values[0] for name, values in given.items()}
        if len(said.get("q", "")) > MOST_CHARACTERS:
            raise BadRequest(f"q has more than {MOST_CHARACTERS} characters, which no name has.")
        limit = numbered("limit", said.get("limit", ""), LIMIT, (1, MOST))
        offset = numbered("offset", said.get("offset", ""), 0, (0, FARTHEST))
        return cls(said.get("q", "").strip(), said.get("kind", ""), limit, offset)

    @property
    def address(self) -> str:
        """Where the answer is."""
        said = {"q": self.query, "kind": self.kind}
        numbers = {"limit": (self.limit, LIMIT), "offset": (self.offset, 0)}
        told = {name: value for name, value in said.items() if value}
        told |= {name: str(value) for name, (value, usual) in numbers.items() if value != usual}
        return f"/search?{urlencode(told)}" if told else "/search"

    def pages(self, total: int) -> dict[str, str]:
        """Where the parts before and behind are."""
        found = {}
        if self.offset:
            found["prev"] = replace(self, offset=max(self.offset - self.limit, 0)).address
        if self.offset + self.limit < min(total, FARTHEST):
            found["next"] = replace(self, offset=self.offset + self.limit).address
        return found


class Search:
    """Finds things."""

    methods = METHODS

    def __init__(self, store: Embedded, pages: Pages) -> None:
        self._store = store
        self._pages = pages

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        count, skipped = (
            {"type": "integer", "minimum": 1, "maximum": MOST},
            {"type": "integer", "minimum": 0, "maximum": FARTHEST},
        )
        given = [
            parameter("q", "A name, a part of one, an identifier or an IRI; without it: what can be found."),
            parameter("kind", "Only things of this kind, such as plant."),
            parameter("limit", f"How many, at most {MOST}; {LIMIT} if it is not said.", schema=count),
            parameter("offset", "How many to pass over.", schema=skipped),
        ]
        found = responses({"200": [JSON.media_type, CSV.media_type, HTML], "304": ()}, "400", "404", "406", "503")
        return {
            "/search": {"get": {"summary": "Find things by name", "tags": ["search"], "parameters": given, "responses": found}}
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        accept = call.header(b"accept")
        form = None if prefers_html(accept) else choose(accept, FORMATS)
        if form is None and not prefers_html(accept):
            available = [*(f.media_type for f in FORMATS), HTML]
            raise NotAcceptable(f"What is found can be had as {listing(FORMATS)}, or as a page.", available=available)
        asked = Asked.of(call)
        spoken = languages(call.header(b"accept-language"))
        commit, body = await self._store.found("search", **asdict(asked), languages=spoken)
        tag = blake2b(repr((asked, spoken, form, __version__)).encode(), digest_size=9).hexdigest()
        headers = [*versioned(self._store, commit, tag), (b"vary", b"Accept-Language")]
        if is_known(call, etag_of(self._store, commit, tag)):
            await send_not_modified(send, headers)
            return
        told: Json = json.loads(body)
        links = asked.pages(told["total"]) if asked.query else {}
        if links:
            headers.append((b"link", ", ".join(f'<{path}>; rel="{name}"' for name, path in links.items()).encode()))
        if form is None:
            whole = replace(asked, kind="", offset=0).address
            facets = _facets(asked, told)
            page = await self._pages.page("search.html", asked=asked, found=told, links=links, facets=facets, anywhere=whole)
            await send_page(send, call, page, headers)
            return
        written = _csv(told["hits"]) if form is CSV else _json(asked, told, links)
        kind = (b"content-type", form.content_type.encode())
        await send_bytes(send, 200, [kind, VARY, *headers], written, with_body=call.method != "HEAD")


def numbered(name: str, text: str, usual: int, bounds: tuple[int, int]) -> int:
    """A parameter that is a number within bounds. Raises BadRequest."""
    if not text:
        return usual
    least, most = bounds
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise BadRequest(f"{name}={text[:40]!r} is no number from {least} to {most}.")
    return int(text)


def _facets(asked: Asked, told: Json) -> list[tuple[Json, str]]:
    """The kinds of what was found, with where those of a kind alone are."""
    return [(kind, replace(asked, kind=kind["kind"], offset=0).address) for kind in told["kinds"]]


def _json(asked: Asked, told: Json, links: Mapping[str, str]) -> bytes:
    known = {"query": asked.query, "kind": asked.kind, "commit": told["commit"], "total": told["total"]}
    found = {"kinds": told["kinds"], "hits": told["hits"], **links}
    return orjson.dumps(known | found, option=orjson.OPT_APPEND_NEWLINE)


def _csv(hits: list[Json]) -> bytes:
    table = io.StringIO(newline="")
    lines = csv.DictWriter(table, COLUMNS, extrasaction="ignore", restval="")
    lines.writeheader()
    lines.writerows({name: inert(value) if isinstance(value, str) else value for name, value in hit.items()} for hit in hits)
    return table.getvalue().encode()
