"""`/theme`: light, dark, or as the system has it, for a reader without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from motorgraph.errors import BadRequest, MethodNotAllowed
from motorgraph.openapi import responses
from motorgraph.protocol import FORM, Call, Receive, form_parameters, one, read_body
from motorgraph.reply import Send, send_bytes
from motorgraph.theme import THEMES, cookie

METHODS = "POST, OPTIONS"
MOST_BYTES = 1_000


class Theme:
    """Keeps the choice in a cookie and sends the reader back to the page that it was made on."""

    methods = METHODS

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        schema = {"type": "object", "properties": {"set": {"type": "string", "enum": list(THEMES)}}, "required": ["set"]}
        body = {"required": True, "content": {FORM: {"schema": schema}}}
        told = {"summary": "Choose light or dark pages", "tags": ["pages"], "requestBody": body}
        return {"/theme": {"post": {**told, "responses": responses({"303": []}, "400", "405", "413")}}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method != "POST":
            raise MethodNotAllowed(call.method, METHODS)
        body = await read_body(call, receive, MOST_BYTES, "none: a choice is short")
        theme = one(form_parameters(body), "set")
        if theme not in THEMES:
            raise BadRequest(f"set={theme[:40]!r} is no theme; there are {', '.join(THEMES)}.")
        told = [(b"location", _back(call).encode("latin-1")), (b"set-cookie", cookie(theme)), (b"cache-control", b"no-store")]
        await send_bytes(send, 303, told, b"")


def _back(call: Call) -> str:
    """The page of this service that the form was sent from (a referrer tells it within the service), else the start."""
    try:
        came = urlsplit(call.header(b"referer"))
    except ValueError:  # a stranger can send anything
        return "/"
    if came.netloc != call.header(b"host") or not came.path.startswith("/") or came.path.startswith(("//", "/\\")):
        return "/"
    return f"{came.path}?{came.query}" if came.query else came.path
