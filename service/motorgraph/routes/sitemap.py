"""`/sitemap.xml`, its parts, and `/robots.txt`: where crawlers find every page, and what they leave alone."""

from __future__ import annotations

import json
import re

from motorgraph.catalogue.stock import Stock
from motorgraph.conditions import send_current
from motorgraph.engine.wire import Job
from motorgraph.errors import MethodNotAllowed, NotFound
from motorgraph.manual import NAMES
from motorgraph.media import accepts_gzip
from motorgraph.openapi import parameter, responses
from motorgraph.protocol import Call, Receive
from motorgraph.reply import Send, send_bytes
from motorgraph.routes.catalogue import METHODS, origin
from motorgraph.stores.embedded import Embedded

XML = "application/xml"
PLAIN_PAGES = ("/", "/about", "/catalogue", "/docs", *(f"/docs/{name}" for name in NAMES), "/licence")
PAGES = (*PLAIN_PAGES, "/explore", "/marks", "/ontology", "/questions", "/shapes")
"""Those that are of no single thing."""
_PART = re.compile(r"/sitemap/([1-9]\d{0,8})\.xml")


class Sitemap:
    """The index at /sitemap.xml, the parts below /sitemap/."""

    methods = METHODS

    def __init__(self, store: Embedded, stock: Stock) -> None:
        self._store = store
        self._stock = stock
        self._pages = PLAIN_PAGES if store.settings.plain else PAGES

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        answers = responses({"200": [XML], "304": ()}, "400", "503")
        index = {"summary": "The parts of the sitemap", "tags": ["catalogue"], "responses": answers}
        number = parameter("part", "Which part, from 1.", place="path", schema={"type": "integer", "minimum": 1})
        part = index | {
            "summary": "Addresses of pages",
            "parameters": [number | {"required": True}],
            "responses": responses({"200": [XML], "304": ()}, "400", "404", "503"),
        }
        return {"/sitemap.xml": {"get": index}, "/sitemap/{part}.xml": {"get": part}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        found = _PART.fullmatch(call.path)
        if not found and call.path != "/sitemap.xml":
            raise NotFound(f"There is nothing at {call.path}; /sitemap.xml lists the parts of the sitemap.")
        part, packed = int(found[1]) if found else 0, accepts_gzip(call.header(b"accept-encoding"))
        text = json.dumps({"origin": origin(call), "part": part, "changed": await self._stock.modified(), "pages": self._pages})
        job = Job("sitemap", text, base=self._store.settings.base, gzip=packed, union=self._store.settings.is_union)
        tag = f"sitemap-{part}-{call.header(b'host')}-{'gz' if packed else 'id'}"
        await send_current(self._store, job, tag, call, receive, send)


class Robots:
    """What crawlers are asked to leave alone: queries, graphs whole, and lists that are narrowed in all possible ways."""

    methods = METHODS

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        answers = responses({"200": ["text/plain"]}, "400")
        return {"/robots.txt": {"get": {"summary": "For crawlers", "tags": ["catalogue"], "responses": answers}}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        rules = "User-agent: *\nDisallow: /sparql\nDisallow: /graphs\nDisallow: /explore/*?\nAllow: /\n"
        text = f"{rules}\nSitemap: {origin(call)}/sitemap.xml\n"
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send_bytes(send, 200, headers, text.encode(), with_body=call.method != "HEAD")


def sitemap_at(store: Embedded, stock: Stock) -> dict[str, Sitemap | Robots]:
    """The endpoints by path."""
    sitemap = Sitemap(store, stock)
    return {"/sitemap.xml": sitemap, "/sitemap/": sitemap, "/robots.txt": Robots()}
