"""`/about`: what runs here, as a page or as JSON."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from motorgraph.errors import MethodNotAllowed, NotAcceptable
from motorgraph.media import HTML, Format, choose, listing
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Send, send_bytes, send_page
from motorgraph.status import ENGINES, Status

METHODS = "GET, HEAD, OPTIONS"
FORMATS = (JSON, Format("HTML", HTML, "html"))


class About:
    """Says what runs here."""

    methods = METHODS

    def __init__(self, status: Status, pages: Pages) -> None:
        self._status = status
        self._pages = pages

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        found = responses({"200": [form.media_type for form in FORMATS]}, "400", "406", "503")
        return {"/about": {"get": {"summary": "What runs here", "tags": ["operation"], "responses": found}}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        form = choose(call.header(b"accept"), FORMATS)
        if form is None:
            raise NotAcceptable(f"This can be had as {listing(FORMATS)}.", available=[each.media_type for each in FORMATS])
        told = await self._status.told()
        headers = [(b"cache-control", b"no-cache")]
        if form is JSON:
            body = orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
            kind = (b"content-type", JSON.media_type.encode())
            await send_bytes(send, 200, [kind, VARY, *headers], body, with_body=call.method != "HEAD")
            return
        await send_page(
            send, call, await self._pages.page("about.html", about=told, engines=ENGINES, uptime=_spoken(told)), headers
        )


def _spoken(told: Mapping[str, Mapping[str, int]]) -> str:
    """How long the service has run, in its two largest units."""
    rest, parts = told["software"]["uptime_seconds"], []
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return ", ".join(parts[:2]) or "less than a second"
