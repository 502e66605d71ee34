"""Starts `oxigraph serve` for tests, as the engine behind a remote store."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from motorgraph.engine.endpoint import Place
from tests.running import until

COMMAND = Path(sys.executable).parent / "oxigraph"


@dataclass
class Oxigraph:
    """A running engine: its process, and where it is; with a `folder` it finds again there what it had."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path | None = None

    @property
    def url(self) -> str:
        """Where it takes queries."""
        return f"http://127.0.0.1:{self.port}/query"

    @property
    def place(self) -> Place:
        """The same, with all that a remote store has to know of it."""
        return Place(self.url, dialect="oxigraph")

    @property
    def flags(self) -> list[str]:
        """The same for the command."""
        return ["--remote", self.url, "--remote-dialect", "oxigraph"]

    def rows(self, text: str) -> list[str]:
        """The rows of a SELECT as lines of TSV, sorted."""
        answer = httpx.post(self.url, data={"query": text}, headers={"Accept": "text/tab-separated-values"}, trust_env=False)
        return sorted(answer.raise_for_status().text.splitlines()[1:])

    def update(self, text: str) -> None:
        """Updates it by its own door."""
        url = f"http://127.0.0.1:{self.port}/update"
        httpx.post(url, data={"update": text}, trust_env=False).raise_for_status()

    def empty(self) -> None:
        """Has it hold nothing."""
        self.update("DROP ALL")

    def kill(self) -> None:
        """Ends it at once, as a loss of power does."""
        self.process.kill()
        self.process.wait()

    def again(self) -> None:
        """Starts it anew where it was."""
        self.process = _started(self.port, self.folder)


@contextmanager
def oxigraph(folder: Path | None = None) -> Iterator[Oxigraph]:
    """One on a free port, ended at the end; in memory, or in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = Oxigraph(_started(port, folder), port, folder)
    try:
        yield running
    finally:
        running.kill()


def _started(port: int, folder: Path | None) -> subprocess.Popen[bytes]:
    command = [
        str(COMMAND),
        "serve",
        "--timeout-s",
        "6",
        "--bind",
        f"127.0.0.1:{port}",
        *(["--location", str(folder)] if folder else []),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", port)) == 0

    assert until(answers, 30), "oxigraph did not start"
    return process
