"""`/mcp`: the tools of the service for language models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from motorgraph.errors import MethodNotAllowed, UnsupportedMediaType
from motorgraph.inside import CLIENT, App, scope_of
from motorgraph.media import PROBLEM
from motorgraph.openapi import content, responses
from motorgraph.protocol import Call, Receive
from motorgraph.reply import Send
from motorgraph.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

METHODS = "POST, OPTIONS"
PATH = "/mcp"
JSON = "application/json"


class Mcp:
    """Answers by the Model Context Protocol."""

    methods = METHODS

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app: App | None = None
        self._inner: Starlette | None = None
        self._is_running = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def serve(self, app: App) -> None:
        """Says which application the tools read from."""
        self._app = app

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it."""
        message = {"content": {JSON: {"schema": {"type": "object"}}}, "required": True}
        found = responses({"200": [JSON]}, "405", "406", "413", "415")
        found["400"] = {"description": "No message, as the protocol (JSON-RPC) says it.", "content": content(JSON, PROBLEM)}
        post = {"summary": "Model Context Protocol", "tags": ["agents"], "requestBody": message, "responses": found}
        return {PATH: {"post": post}}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises MethodNotAllowed or UnsupportedMediaType."""
        if call.method != "POST":
            raise MethodNotAllowed(call.method, METHODS)
        if call.media_type != JSON:
            raise UnsupportedMediaType(f"A message is sent as {JSON}.", readable=[JSON])
        inner = await self._started()
        headers = {**call.headers, CLIENT: call.client.encode("latin-1")}
        await inner(scope_of(call, PATH, call.query_string, [*headers.items()], call.method), receive, send)  # type: ignore[arg-type]  # Starlette's aliases are wider

    async def _started(self) -> Starlette:
        """What answers, made when it is first asked for: few services are, and to import it takes longer than all the others."""
        if self._inner is None:
            agent = await asyncio.to_thread(import_module, "motorgraph.agent")  # meanwhile others are answered
        if self._inner is None:
            assert self._app is not None
            self._inner = agent.application(self._app, self._settings)
            self._running = asyncio.create_task(self._run(self._inner))
        await self._is_running.wait()
        return self._inner

    async def _run(self, inner: Starlette) -> None:
        async with inner.router.lifespan_context(inner):
            self._is_running.set()
            await asyncio.get_running_loop().create_future()
