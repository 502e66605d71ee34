"""`/sparql/check`: whether a query could be asked, and where its text goes wrong, without asking it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from motorgraph.engine.wire import Job
from motorgraph.errors import BadEvaluation, BadSyntax, Forbidden, MethodNotAllowed, UnsupportedMediaType
from motorgraph.openapi import content, responses
from motorgraph.protocol import QUERY_TYPE, Call, Receive, body_text, read_body, refuse_codings
from motorgraph.reply import Departure, Send, send_bytes
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "POST, OPTIONS"


class Check:
    """Parses queries as the endpoint would: the same parser and the same words as the refusal of the query itself."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._hosts = settings.service_hosts
        self._most_bytes = settings.limits().query_bytes

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        post = {
            "summary": "Whether a query could be asked, and where it goes wrong",
            "tags": ["sparql"],
            "requestBody": {"required": True, "content": content(QUERY_TYPE)},
            "responses": responses({"200": ["application/json"]}, "400", "413", "415", "503"),
        }
        return {"/sparql/check": {"post": post}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method != "POST":
            raise MethodNotAllowed(call.method, METHODS)
        if call.media_type != QUERY_TYPE:
            raise UnsupportedMediaType(f"A query to be checked is sent as {QUERY_TYPE}.", readable=[QUERY_TYPE])
        refuse_codings(call, ())
        text = body_text("query", await read_body(call, receive, self._most_bytes, "query_length"), call)
        async with Departure(receive):
            found = await self._checked(Job("check", text, base=f"{call.origin}/sparql", hosts=self._hosts))
        await send_bytes(send, 200, [(b"content-type", b"application/json"), (b"cache-control", b"no-store")], found)

    async def _checked(self, job: Job) -> bytes:
        """What the reader says, or the fault of the text."""
        try:
            answer = await self._store.answer(job)
        except (BadSyntax, BadEvaluation, Forbidden) as fault:
            place = {"line": fault.members.get("line"), "column": fault.members.get("column")}
            return orjson.dumps({"answer": None, "fault": {"detail": fault.detail, **place}})
        try:
            return answer.body or b"{}"
        finally:
            self._store.release(answer)
