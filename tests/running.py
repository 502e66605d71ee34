"""Starts the real service as a process for tests, and asks it over HTTP."""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.warm import Files, Process

START_SECONDS = 120
LOG = "service.log"
TOKEN = "the-token-of-the-tests"
CERTIFICATES = ssl.create_default_context()
"""Of no use here, but a client reads them if it is not given any, which takes as long as a dozen small requests."""
_RUN = os.environ.setdefault("RUN_OF_THE_TESTS", str(os.getpid()))  # the workers of pytest-xdist inherit it
VERDICTS = Path(tempfile.gettempdir()) / f"motorgraph-verdicts-{_RUN}"
if str(os.getpid()) == _RUN:
    atexit.register(shutil.rmtree, VERDICTS, ignore_errors=True)
MODULES = re.compile(r'<script type="module" src="/static/bundle/[\w.-]+\.js"></script>')
"""The scripts that pages may have: of the bundle, without a text."""
_ADDRESS = re.compile(r"motorgraph is at (http://\S+)/")


@dataclass
class Service:
    """A running service: its process, its address, a client."""

    process: Process
    url: str
    client: httpx.Client
    log: Path

    def query(self, text: str, accept: str = "application/sparql-results+json", **headers: str) -> httpx.Response:
        """Asks by GET."""
        return self.client.get("/sparql", params={"query": text}, headers={"Accept": accept, **headers})

    def rows(self, text: str) -> list[dict[str, str]]:
        """The rows of a SELECT, as plain values."""
        response = self.query(text)
        assert response.status_code == 200, response.text
        bindings = response.json()["results"]["bindings"]
        return [{name: term["value"] for name, term in row.items()} for row in bindings]

    def update(self, text: str) -> httpx.Response:
        """Updates with the token."""
        return self.client.post("/sparql", data={"update": text}, headers={"Authorization": f"Bearer {TOKEN}"})

    def put(self, graph: str, turtle: str) -> httpx.Response:
        """Replaces a graph with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
        return self.client.put("/graphs", params={"graph": graph}, content=turtle, headers=headers)

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))


@contextmanager
def service(folder: Path, *arguments: str, token: str | None = TOKEN) -> Iterator[Service]:
    """A service with these arguments on a free port, ready; stopped at the end.

    What another service of this run has judged or read is not judged or read again: it takes the most time of a start. So where
    nothing has been judged yet, one of several that start at once is first.
    """
    log = folder / LOG
    with ExitStack() as stack:
        with nullcontext() if "--plain" in arguments else _first():
            _share(VERDICTS / "known", folder / "data")
            process = stack.enter_context(start(folder, *arguments, token=token))
            url = wait_for_address(process, log)
            _share(folder / "data", VERDICTS / "known")
        client = stack.enter_context(httpx.Client(base_url=url, timeout=60, trust_env=False, verify=CERTIFICATES))
        yield Service(process, url, client, log)


@contextmanager
def _first() -> Iterator[None]:
    """Until something has been judged, within are no two processes of this run at once."""
    VERDICTS.mkdir(exist_ok=True)
    with (VERDICTS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (VERDICTS / "known").exists():
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield


def _share(known: Path, folder: Path) -> None:
    """Copies what has been judged, and what has been read out of rules and shapes, by the hash of what it was."""
    for kind in ("verdicts", "readings"):
        for note in (known / kind).glob("*"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(note, folder / kind)


@contextmanager
def start(folder: Path, *arguments: str, token: str | None = TOKEN) -> Iterator[Process]:
    """The process alone, perhaps not ready yet; what it says goes to the file `service.log`."""
    command = ["serve", "--port", "0", "--data-dir", str(folder / "data"), *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MOTORGRAPH_")}
    if token is not None:
        environment["MOTORGRAPH_WRITE_TOKEN"] = token
    log = folder / LOG
    log.write_text("")
    process = Process(command, environment, Files(out=log, err=log))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_address(process: Process, log: Path) -> str:
    """Where the service says that it is. Fails with its words if it ends before."""
    until(lambda: process.poll() is not None or bool(_ADDRESS.search(log.read_text())), START_SECONDS)
    match = _ADDRESS.search(log.read_text())
    assert match, f"the service did not start:\n{log.read_text()}"
    return match[1]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Asks a callable again and again until it is true; false after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.02)
    return True
