"""`/sparql/vocabulary`: the classes and properties of the graph with their use, for who completes a query."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping

import orjson

from motorgraph.catalogue.stock import Stock
from motorgraph.conditions import has_it_already, versioned
from motorgraph.errors import MethodNotAllowed
from motorgraph.inquiry import Inquiry
from motorgraph.media import accepts_gzip
from motorgraph.openapi import responses
from motorgraph.prefixes import Prefixes
from motorgraph.protocol import Call, Receive
from motorgraph.reply import VARY, Send, send_bytes
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.vocabulary import told, worded

METHODS = "GET, HEAD, OPTIONS"


class VocabularyDocument:
    """Made once a commit."""

    methods = METHODS

    def __init__(self, stock: Stock, settings: Settings, store: Embedded) -> None:
        self._stock = stock
        self._store = store
        self._prefixes = Prefixes(settings.base)
        self._inquiry = Inquiry(store)
        self._made: tuple[int, bytes, bytes] = (-1, b"", b"")  # an empty store is at commit 0

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        found = responses({"200": ["application/json"], "304": ()}, "503")
        return {
            "/sparql/vocabulary": {
                "get": {"summary": "Classes and properties with their use", "tags": ["sparql"], "responses": found}
            }
        }

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        is_packed = accepts_gzip(call.header(b"accept-encoding"))
        tag = f"vocabulary-{'gz' if is_packed else 'id'}"
        self._store.require_ready()
        if await has_it_already(self._store, self._store.commit, tag, call, send):
            return
        commit, plain, packed = await self._document()
        headers = [(b"content-type", b"application/json"), VARY, *versioned(self._store, commit, tag)]
        headers += [(b"content-encoding", b"gzip")] if is_packed else []
        await send_bytes(send, 200, headers, packed if is_packed else plain, with_body=call.method != "HEAD")

    async def _document(self) -> tuple[int, bytes, bytes]:
        """The commit, and the document as it is and packed."""
        if self._made[0] != self._store.commit:
            counted = await self._stock.counted()
            words = await worded(self._inquiry)
            plain = orjson.dumps(told(counted.statistics, words, self._prefixes, counted.commit), option=orjson.OPT_NON_STR_KEYS)
            self._made = counted.commit, plain, await asyncio.to_thread(gzip.compress, plain, 6, mtime=0)
        return self._made
