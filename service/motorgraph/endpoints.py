"""What answers at an address outside the framework, and the methods that it takes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from motorgraph.protocol import Call, Receive
from motorgraph.reply import Send

FRAMEWORK_METHODS = "GET, HEAD, OPTIONS"


class Endpoint(Protocol):
    """What answers at an address; `methods` is its `Allow`."""

    methods: str

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answers one request. Raises the Refusal that it meets."""

    def paths(self) -> Mapping[str, object]:
        """What it answers, by path, as OpenAPI has it."""


@runtime_checkable
class Various(Protocol):
    """An endpoint that takes other methods at some of its addresses than at others."""

    def allowed(self, call: Call) -> str:
        """`Allow` where a request is for."""


def allowed(endpoint: Endpoint | None, call: Call) -> str:
    """`Allow` where a request is for; None stands for the framework, whose routes only read."""
    if endpoint is None:
        return FRAMEWORK_METHODS
    various: object = endpoint
    return various.allowed(call) if isinstance(various, Various) else endpoint.methods
