"""`/docs`: the documentation, as pages or as the Markdown that they are made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from motorgraph import __version__
from motorgraph.conditions import FOR_EVER, has_it_already, is_known, send_not_modified, versioned
from motorgraph.errors import MethodNotAllowed, NotAcceptable, NotFound
from motorgraph.manual import NAMES, PARTS, ROOT, WRITTEN_FOR, Manual, Page, neighbours, plots
from motorgraph.media import HTML, Format, choose, listing
from motorgraph.openapi import parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Send, send_bytes, send_page
from motorgraph.resources import tag_of
from motorgraph.routes.catalogue import origin
from motorgraph.search.likeness import likest_of
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"
MARKDOWN = Format("Markdown", "text/markdown", "md")
FORMATS = (MARKDOWN, Format("HTML", HTML, "html"))
SUFFIX = ".md"
SVG = "image/svg+xml"
# The style of a plot stands in its elements; it loads nothing and runs nothing.
PLOT_POLICY = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox")
MOST_SHOWN = 100


class Docs:
    """Sends the documentation."""

    methods = METHODS

    def __init__(self, store: Embedded, pages: Pages, manual: Manual) -> None:
        self._store = store
        self._pages = pages
        self._manual = manual

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        kinds = [form.media_type for form in FORMATS]
        name = parameter("page", "Its name, such as tutorial.", place="path", schema={"type": "string", "enum": [*NAMES]})
        found = {"tags": ["documentation"], "responses": responses({"200": kinds, "304": ()}, "400", "406")}
        page = {"tags": ["documentation"], "parameters": [name | {"required": True}]}
        plot = parameter("plot", "Its name.", place="path", schema={"type": "string", "enum": [*map(_stem, plots())]})
        drawn = {"tags": ["documentation"], "parameters": [plot | {"required": True}]}
        drawn |= {"responses": responses({"200": [SVG], "304": ()}, "400", "404")}
        written = {"responses": responses({"200": [MARKDOWN.media_type], "304": ()}, "400", "404")}
        return {
            ROOT: {"get": {"summary": "The documentation", **found}},
            f"{ROOT}/{{page}}": {
                "get": {"summary": "A page of it", **page, "responses": responses({"200": kinds, "304": ()}, "400", "404", "406")}
            },
            f"{ROOT}/plots/{{plot}}.svg": {"get": {"summary": "A picture in a page", **drawn}},
            f"{ROOT}/{{page}}.md": {"get": {"summary": "The Markdown of a page", **page, **written}},
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        asked = call.path.removeprefix(ROOT).strip("/")
        if plot := plots().get(asked):
            await self._send_plot(await asyncio.to_thread(plot.read_bytes), call, send)
            return
        name = asked.removesuffix(SUFFIX)
        if name and name not in NAMES:
            raise _missing(name)
        form = MARKDOWN if asked.endswith(SUFFIX) else choose(call.header(b"accept"), FORMATS)
        if form is None:
            available = [each.media_type for each in FORMATS]
            raise NotAcceptable(f"The documentation can be had as {listing(FORMATS)}.", available=available)
        page = await asyncio.to_thread(self._manual.page, name) if name else None
        await asyncio.to_thread(lambda: self._manual.titles)  # reads them, once
        if form is MARKDOWN:
            await self._send_text(page, call, send)
        else:
            await self._send_page(page, call, send)

    async def _send_text(self, page: Page | None, call: Call, send: Send) -> None:
        text = page.text if page else self._index()
        body = text.replace(WRITTEN_FOR, origin(call)).encode()
        tag = tag_of(body)
        is_named = call.query_string == f"v={tag}".encode()
        headers = [(b"etag", f'"{tag}"'.encode()), (b"cache-control", b"public, " + FOR_EVER if is_named else b"no-cache")]
        if is_known(call, headers[0][1]):
            await send_not_modified(send, headers)
            return
        kind = (b"content-type", MARKDOWN.content_type.encode())
        await send_bytes(send, 200, [kind, VARY, *headers], body, with_body=call.method != "HEAD")

    async def _send_plot(self, body: bytes, call: Call, send: Send) -> None:
        tag = f'"{tag_of(body)}"'.encode()
        headers = [(b"etag", tag), (b"cache-control", b"no-cache")]
        if is_known(call, tag):
            await send_not_modified(send, headers)
            return
        headers += [(b"content-type", SVG.encode()), PLOT_POLICY]
        await send_bytes(send, 200, headers, body, with_body=call.method != "HEAD")

    async def _send_page(self, page: Page | None, call: Call, send: Send) -> None:
        """A page; its frame tells the commit, so that it is another after each."""
        host = origin(call)
        tag = f"docs-{tag_of(f'{page.tag if page else __version__} {host}'.encode())}"
        headers = versioned(self._store, self._store.commit, tag) if self._store.is_ready else []
        if headers and await has_it_already(self._store, self._store.commit, tag, call, send):
            return
        shown = await self._shown(page) if page else await self._pages.page("docs.html", parts=PARTS, titles=self._manual.titles)
        await send_page(send, call, shown.replace(WRITTEN_FOR.encode(), host.encode()), headers)

    async def _shown(self, page: Page) -> bytes:
        before, after = neighbours(page.name)
        return await self._pages.page(
            "docs_page.html", page=page, parts=PARTS, titles=self._manual.titles, before=before, after=after
        )

    def _index(self) -> str:
        titles = self._manual.titles
        lines: list[str] = ["# Documentation", ""]
        for part in PARTS:
            lines += [f"## {part.title}", "", part.about, ""]
            lines += [f"* [{titles[name]}]({ROOT}/{name}{SUFFIX}): {about}" for name, about in part.pages.items()]
            lines.append("")
        return "\n".join(lines)


def _missing(name: str) -> NotFound:
    near = _near(name)
    hint = f" Near to it: {', '.join(near)}." if near else f" {ROOT} lists all pages."
    told = [{"name": each, "page": f"{ROOT}/{each}"} for each in near]
    return NotFound(f"There is no page {name[:MOST_SHOWN]!r} of the documentation.{hint}", near=told)


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _near(name: str) -> Sequence[str]:
    about = {each: f"{part.title} {each} {words}" for part in PARTS for each, words in part.pages.items()}
    return likest_of(name, about)
