"""Starts `oxigraph serve` for tests, as the engine behind a remote store."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from motorgraph.engine.place import Place
from tests.elsewhere import Elsewhere
from tests.running import until

COMMAND = Path(sys.executable).parent / "oxigraph"


@dataclass
class Oxigraph(Elsewhere):
    """A running engine: its process, and where it is; with a `folder` it finds again there what it had."""

    folder: Path | None = None

    @property
    def url(self) -> str:
        """Where it takes queries."""
        return f"http://127.0.0.1:{self.port}/query"

    @property
    def place(self) -> Place:
        """The same, with all that a remote store has to know of it."""
        return Place(self.url, dialect="oxigraph")

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
