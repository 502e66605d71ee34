"""Starts Virtuoso for tests, as the engine behind a remote store, and tells where it is known not to keep the contract."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from motorgraph.engine.place import Place
from tests.elsewhere import Elsewhere
from tests.running import until

COMMAND = shutil.which("virtuoso-t")
NAME = PASSWORD = "dba"
"""Those of a new database."""
START_SECONDS = 120
_TRUTH = "what isBlank() and the like say comes as the integers 1 and 0"
DEVIATIONS = {
    f"test_a_table_comes_in_every_format_with_its_blank_nodes[on_virtuoso-{form}]": _TRUTH
    for form in ("application/sparql-results+json", "application/sparql-results+xml", "text/tab-separated-values", "text/csv")
}
"""By the name of a test as it is asked of Virtuoso: what it does otherwise. There the test has to fail."""
_SETTINGS = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
DefaultIsolation = 4
NumberOfBuffers = 10000
MaxDirtyBuffers = 6000
[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
ServerThreads = 10
[SPARQL]
ResultSetMaxRows = {rows}
"""


@dataclass
class Virtuoso(Elsewhere):
    """A running engine: its process, where it is, and its folder."""

    folder: Path
    auth = httpx.DigestAuth(NAME, PASSWORD)

    @property
    def place(self) -> Place:
        """Where it takes queries and updates, and how one signs in."""
        root = f"http://127.0.0.1:{self.port}"
        return Place(f"{root}/sparql", f"{root}/sparql-auth", dialect="virtuoso", user=NAME, password=PASSWORD)

    @property
    def flags(self) -> list[str]:
        """The same for the command."""
        told = {"": self.place.url, "-update": self.place.updates, "-dialect": "virtuoso", "-user": NAME, "-password": PASSWORD}
        return [word for name, value in told.items() for word in (f"--remote{name}", value)]

    def empty(self) -> None:
        """Has it hold nothing but what a new one does."""
        for row in self.rows("SELECT DISTINCT (STR(?g) AS ?name) { GRAPH ?g { ?s ?p ?o } }"):
            if (name := row.strip('"')) not in self.place.kind.hidden:
                self.update(f"DROP SILENT GRAPH <{name}>")

    def again(self) -> None:
        """Starts it anew where it was."""
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)
        self.process = _started(self.folder, self.port)


@contextmanager
def virtuoso(folder: Path, rows: int = 0) -> Iterator[Virtuoso]:
    """One on free ports with a new database, ended at the end; it cuts answers at so many rows. Skips where there is none."""
    if COMMAND is None:
        pytest.skip("there is no virtuoso-t (Debian's package virtuoso-opensource)")
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as one, socket.socket() as other:
        for free in (one, other):
            free.bind(("127.0.0.1", 0))
        sql, port = one.getsockname()[1], other.getsockname()[1]
    (folder / "virtuoso.ini").write_text(_SETTINGS.format(folder=folder, sql=sql, port=port, rows=rows))
    running = Virtuoso(_started(folder, port), port, folder)
    try:
        yield running
    finally:
        running.kill()


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    assert COMMAND is not None
    command = [COMMAND, "+foreground", "+configfile", str(folder / "virtuoso.ini")]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/sparql", params={"query": "ASK {}"}, trust_env=False).is_success
        except httpx.TransportError:
            return process.poll() is not None

    if not until(answers, START_SECONDS):
        process.kill()
        process.wait()
        pytest.fail("virtuoso-t did not start in time")
    assert process.poll() is None, "virtuoso-t did not start"
    return process
