"""`/`: the start page."""

from __future__ import annotations

from collections.abc import Mapping

from motorgraph.errors import MethodNotAllowed
from motorgraph.home import Home
from motorgraph.protocol import Call, Receive
from motorgraph.reply import Send, send_page
from motorgraph.routes.catalogue import origin

METHODS = "GET, HEAD, OPTIONS"


class StartPage:
    """Sends the start page."""

    methods = METHODS

    def __init__(self, home: Home) -> None:
        self._home = home

    def paths(self) -> Mapping[str, object]:
        """What it answers, as OpenAPI has it: nothing, since it is for people."""
        return {}

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""
        if call.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(call.method, METHODS)
        await send_page(send, call, await self._home.page(origin(call)))
