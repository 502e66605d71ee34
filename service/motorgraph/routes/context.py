"""`/context.jsonld`: the JSON-LD context that documents about things refer to."""

from __future__ import annotations

from dataclasses import replace

from motorgraph.conditions import send_current
from motorgraph.engine.describing import CONTEXT
from motorgraph.engine.wire import Job
from motorgraph.errors import MethodNotAllowed
from motorgraph.media import JSONLD, accepts_gzip
from motorgraph.openapi import context_paths
from motorgraph.protocol import Call, Receive, moment
from motorgraph.reply import Send
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

METHODS = "GET, HEAD, OPTIONS"


class ContextDocument:
    """The context, made from the graph."""

    methods = METHODS

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._job = Job("context", base=settings.base, union=settings.is_union, graphs=JSONLD.media_type)

    def paths(self) -> dict[str, object]:
        """What it answers, as OpenAPI has it."""
        return context_paths(CONTEXT)

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        at, gzip = moment(call), accepts_gzip(call.header(b"accept-encoding"))
        job = replace(self._job, gzip=gzip, commit=await self._store.at(at) if at else 0)
        await send_current(self._store, job, f"context-{'gz' if gzip else 'id'}", call, receive, send)
