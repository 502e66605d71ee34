"""`/catalogue`, `/.well-known/void`, and /sparql without a query: what the service says of itself, as RDF or as a page."""

from __future__ import annotations

import re
from hashlib import blake2b

from motorgraph.catalogue.descriptions import KINDS, Descriptions
from motorgraph.catalogue.edition import Edition
from motorgraph.catalogue.page import facts
from motorgraph.catalogue.void import PATH
from motorgraph.conditions import has_it_already, holds_any, send_not_modified, versioned
from motorgraph.errors import BadRequest, MethodNotAllowed, NotAcceptable
from motorgraph.media import GRAPHS, HTML, SOLUTIONS, TURTLE, Format, accepts_gzip, choose, listing, prefers_html
from motorgraph.openapi import responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Send, send_bytes, send_page
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
CATALOGUE = "/catalogue"
PAGE = Format("HTML", HTML, "html")
SUFFIXES = {form.suffix: form for form in (*GRAPHS, PAGE)}
_HOST = re.compile(r"[A-Za-z0-9.\-_~]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")


class Described:
    """One description of the graph: at its path by Accept, and with a suffix in that format."""

    methods = METHODS

    def __init__(self, kind: str, path: str, descriptions: Descriptions, pages: Pages, store: Embedded) -> None:
        assert kind in KINDS
        self._kind = kind
        self._path = path
        self._descriptions = descriptions
        self._pages = pages
        self._store = store

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        types = [form.media_type for form in GRAPHS] + ([HTML] if self._kind == "catalogue" else [])
        title = {"catalogue": "The catalogue: DCAT 3", "void": "The description of the graph: VoID"}[self._kind]
        answers = responses({"200": types, "304": ()}, "400", "406", "503")
        return {self._path: {"get": {"summary": title, "tags": ["catalogue"], "responses": answers}}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        form, host = self._format(call), origin(call)
        packed = form is not PAGE and accepts_gzip(call.header(b"accept-encoding"))
        await self._descriptions.await_release()
        told = f"{self._kind}-{form.suffix}-{blake2b(host.encode(), digest_size=6).hexdigest()}-{'gz' if packed else 'id'}"
        if await has_it_already(self._store, self._store.commit, f"{told}-{self._descriptions.release}", call, send):
            return
        if form is PAGE:
            found = await self._descriptions.made((self._kind, form.name, host, packed), self._page)
        else:
            found = await self._descriptions.written(self._kind, form, host, packed=packed)
        headers = versioned(self._store, found.commit, f"{told}-{found.release}")
        if holds_any(call):
            await send_not_modified(send, headers)
        elif form is PAGE:
            await send_page(send, call, found.body, headers)
        else:
            headers += [
                (b"content-type", form.content_type.encode()),
                VARY,
                *([(b"content-encoding", b"gzip")] if packed else []),
            ]
            await send_bytes(send, 200, headers, found.body, with_body=call.method != "HEAD")

    def _format(self, call: Call) -> Format:
        """What to answer in. Raises NotAcceptable."""
        accept, suffix = call.header(b"accept"), call.path.removeprefix(self._path).removeprefix(".")
        if suffix in SUFFIXES:
            return SUFFIXES[suffix]
        if self._kind == "catalogue" and prefers_html(accept):
            return PAGE
        form = choose(accept, GRAPHS)
        if form is None:
            raise NotAcceptable(f"{self._path} can be had as {listing(GRAPHS)}.", available=[f.media_type for f in GRAPHS])
        return form

    def _page(self, edition: Edition) -> bytes:
        return self._pages.written("catalogue.html", **facts(edition))


def described_at(descriptions: Descriptions, pages: Pages, store: Embedded) -> dict[str, Described]:
    """The endpoints by path; the catalogue also with the suffix of each format."""
    catalogue = Described("catalogue", CATALOGUE, descriptions, pages, store)
    paths = [CATALOGUE, *(f"{CATALOGUE}.{suffix}" for suffix in SUFFIXES)]
    return dict.fromkeys(paths, catalogue) | {
        path: Described("void", path, descriptions, pages, store) for path in (PATH, "/void")
    }


class ServiceDescription:
    """What /sparql says to a machine without a query: the service description."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions

    async def __call__(self, call: Call) -> tuple[str, bytes]:
        """The media type and the text. Raises NotAcceptable, or the Refusal that the count met."""
        form = choose(call.header(b"accept"), GRAPHS) or (choose(call.header(b"accept"), SOLUTIONS) and TURTLE)
        if form is None:
            raise NotAcceptable(
                f"The service description can be had as {listing(GRAPHS)}. To ask a query, send the parameter 'query'.",
                available=[f.media_type for f in GRAPHS],
            )
        return form.content_type, (await self._descriptions.written("service", form, origin(call), packed=False)).body


def origin(call: Call) -> str:
    """The scheme and host that the client asked. Raises BadRequest for a Host that could stand in no address."""
    host = call.header(b"host") or "localhost"
    if not _HOST.fullmatch(host):
        raise BadRequest(f"The Host {host[:60]!r} is none: give a name or an address, with a port if need be.")
    return f"{call.scheme}://{host}"
