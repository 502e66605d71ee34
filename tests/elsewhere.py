"""What tests do with an engine behind a remote store, whichever it is."""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import httpx

from motorgraph.engine.place import Place
from tests.running import CERTIFICATES

_HOW = {"timeout": 60, "trust_env": False, "verify": CERTIFICATES}


@dataclass
class Elsewhere(ABC):
    """A running engine: its process, and where it is."""

    process: subprocess.Popen[bytes]
    port: int
    auth: ClassVar[httpx.Auth | None] = None

    @property
    @abstractmethod
    def place(self) -> Place:
        """Where it takes queries and updates."""

    @property
    def flags(self) -> list[str]:
        """The same for the command."""
        return ["--remote", self.place.url, "--remote-dialect", self.place.dialect]

    def rows(self, text: str) -> list[str]:
        """The rows of a SELECT as lines of TSV, sorted."""
        told = {"data": {"query": text}, "headers": {"Accept": "text/tab-separated-values"}} | _HOW
        answer = httpx.post(self.place.url, **told)  # type: ignore[arg-type]  # as it takes it
        return sorted(answer.raise_for_status().text.splitlines()[1:])

    def update(self, text: str) -> None:
        """Updates it by its own door."""
        told = {"data": {"update": text}, "auth": self.auth} | _HOW
        httpx.post(self.place.updates, **told).raise_for_status()  # type: ignore[arg-type]  # as above

    def empty(self) -> None:
        """Has it hold nothing."""
        self.update("DROP ALL")

    def kill(self) -> None:
        """Ends it at once, as a loss of power does."""
        self.process.kill()
        self.process.wait()
