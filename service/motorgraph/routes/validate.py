"""`/validate`: what the shapes say of a text, as if it were in the graph; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from motorgraph import verdict
from motorgraph.documentation import Documentation
from motorgraph.engine.sent import FORM, MULTIPART, TAKEN
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, BadSyntax, MethodNotAllowed, NotAcceptable
from motorgraph.media import GRAPHS, HTML, Format, choose, listing, prefers_html
from motorgraph.media import PLAIN_JSON as JSON
from motorgraph.openapi import TEXT, content, parameter, responses
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, query_parameters, read_body, refuse_codings
from motorgraph.reply import VARY, Departure, Send, send_bytes, send_page
from motorgraph.resources import web
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.validation import as_rdf
from motorgraph.vocab import CANONICAL_BASE

METHODS = "GET, HEAD, POST, OPTIONS"
PLAIN_TEXT = Format("text", "text/plain", "txt")
FORMS = (JSON, PLAIN_TEXT, *GRAPHS)
SCRATCH = "source/validated"
"""Where in the graph that is tried the statements stand that name no graph."""
_ALONE = "`true`: beside the ontology and the reference data alone, not in the whole graph."
_FIELDS = {
    "data": "The text to judge.",
    "file": "The same as a file.",
    "shapes": "Shapes to judge it by instead of those of the graph.",
    "type": f"Format of `data`: {', '.join(form.suffix for form in TAKEN)}; without it what the text looks like.",
    "alone": _ALONE,
    "format": f"Format of the report instead of what `Accept` says: html, {', '.join(form.suffix for form in FORMS)}.",
}


class Validate:
    """Judges what is sent."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings, pages: Pages, documentation: Documentation) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._documentation = documentation
        self._limit = settings.limits().validation_bytes

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        form = {
            "schema": {"type": "object", "properties": {name: {**TEXT, "description": words} for name, words in _FIELDS.items()}}
        }
        post = {
            "summary": "Judge data by the shapes; nothing is stored",
            "tags": ["validation"],
            "parameters": [parameter("alone", _ALONE, schema={"type": "string", "enum": ["true", "false"]})],
            "requestBody": {"required": True, "content": content(*[f.media_type for f in TAKEN]) | {FORM: form, MULTIPART: form}},
            "responses": responses(
                {"200": [*[form.media_type for form in FORMS], HTML]}, *("400", "403", "406", "413", "415", "422", "500", "503")
            ),
        }
        page = {"summary": "A form to send data by", "tags": ["validation"], "responses": responses({"200": [HTML]}, "503")}
        return {"/validate": {"get": page, "post": post}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in METHODS.split(", "):
            raise MethodNotAllowed(call.method, METHODS)
        self._store.require_ready()
        if call.method != "POST":
            await self._send_page(call, send, None)
            return
        is_page = prefers_html(call.header(b"accept"))
        form = choose(call.header(b"accept"), FORMS)
        if form is None and not is_page:
            raise NotAcceptable(
                f"A report can be had as {listing(FORMS)}, or as a page.", available=[*(f.media_type for f in FORMS), HTML]
            )
        found = await self._judged(call, receive, wants_text=is_page)
        chosen = found["fields"].get("format", "")
        if "fault" in found and chosen not in ("", "html"):
            raise BadSyntax(**found["fault"])
        if (is_page and not chosen) or chosen == "html":
            await self._send_page(call, send, found)
            return
        await _send_report(send, found, self._named(chosen) or form or JSON)

    def _named(self, suffix: str) -> Format | None:
        """The format that a form asks for. Raises BadRequest for one that there is not."""
        form = next((form for form in FORMS if form.suffix == suffix), None)
        if suffix and form is None:
            raise BadRequest(f"There is no report as {suffix[:40]!r}; there are {', '.join(form.suffix for form in FORMS)}.")
        return form

    async def _judged(self, call: Call, receive: Receive, *, wants_text: bool) -> dict[str, Any]:  # Any: plain JSON
        """What the trial says; of a text that does not parse, for a page, the text and its fault. Raises Refusal."""
        alone = query_parameters(call).get("alone", ["false"])
        if alone not in (["true"], ["false"]):
            raise BadRequest("?alone=true judges the data without the graph; ?alone=false is as good as nothing.")
        coding = refuse_codings(call, ("gzip", "x-gzip"))
        self._store.pool.trials.require_room()  # rather than read a body in vain
        body = await read_body(call, receive, self._limit, "validation_bytes")
        scratch = self._store.names.graph(SCRATCH)
        job = Job(
            "trial",
            text=orjson.dumps({"alone": alone == ["true"], "wants_text": wants_text}).decode(),
            graph="" if self._settings.plain else scratch,
            base=scratch,
            content_type=call.header(b"content-type"),
            content_encoding=coding,
            max_bytes=self._limit,
        )
        async with Departure(receive):
            found = await self._store.judge(job, body)
        return {"commit": self._store.commit, **found}

    async def _send_page(self, call: Call, send: Send, found: dict[str, Any] | None) -> None:  # Any: as above
        links = await self._documentation.links()
        sheet = verdict.sheet(found, links) if found else None
        example = self._example() if "example" in query_parameters(call) and not self._settings.plain else ""
        told = {"sheet": sheet, "example": example, "formats": TAKEN, "reports": (JSON, GRAPHS[0], PLAIN_TEXT)}
        page = await self._pages.page("validate.html", **told, limit=self._limit, severities=verdict.MARKS)
        await send_page(send, call, page, status=400 if sheet and sheet.fault else 200)

    def _example(self) -> str:
        """A text with faults to begin with."""
        return web("examples/plant.ttl").read_text("utf-8").replace(CANONICAL_BASE, self._settings.base)


async def _send_report(send: Send, found: dict[str, Any], form: Format) -> None:  # Any: as above
    told = {name: value for name, value in found.items() if name not in ("text", "fields", "name")}
    if form is JSON:
        body = orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    elif form is PLAIN_TEXT:
        body = verdict.as_text(found).encode()
    else:
        body = as_rdf(found, form)
    await send_bytes(send, 200, [(b"content-type", form.content_type.encode()), VARY], body)
