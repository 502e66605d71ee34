"""The servers that are measured: how each is started, found ready, asked and stopped."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import quote

from bench.processes import wait_until_idle

LOOPBACK = "127.0.0.1"
SECONDS_TO_READY = 1800  # a start with shapes validates all that it loads
SECONDS_TO_STOP = 10
SECONDS_TO_ANSWER = 300
SECONDS_UNTIL_UPKEEP = 12  # ours makes a dump 5 s after it is ready, and an index of names after 10 s
SECONDS_OF_UPKEEP = 600
RESULTS_JSON = "application/sparql-results+json"
N_TRIPLES = "application/n-triples"


class ServerError(Exception):
    """A server could not be started, ended by itself, or answered what it must not."""


@dataclass(frozen=True)
class Server:
    """A running server: `pid` is the process that was started, `seconds_to_ready` counts from its start.

    `update` is the path that takes SPARQL updates, by which name and password (Digest), and which graph is the default one
    of its queries where that is a named one.
    """

    name: str
    port: int
    pid: int
    sparql: str
    seconds_to_ready: float
    update: str = ""
    sign_in: tuple[str, str] | None = None
    graph: str = ""

    def path(self, query: str) -> str:
        """The path and query string that ask this server a SPARQL query by GET."""
        about = f"&default-graph-uri={quote(self.graph, safe='')}" if self.graph else ""
        return f"{self.sparql}?query={quote(query, safe='')}{about}"

    def url(self, query: str) -> str:
        """The address that asks this server a SPARQL query by GET."""
        return f"http://{LOOPBACK}:{self.port}{self.path(query)}"


@dataclass(frozen=True)
class Launch:
    """How to start a server on a port: its command, and its paths: for queries, to see that it is ready (200), for updates."""

    name: str
    command: list[str]
    port: int
    sparql: str
    ready: str
    update: str


def executable(name: str) -> str:
    """The command of that name beside this Python, else on the PATH; ServerError if there is none."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise ServerError(f"There is no command {name!r}; bench/README.md says what the benchmark needs.")
    return found


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def ask(port: int, path: str, accept: str = "*/*", query: str = "", timeout: float = SECONDS_TO_ANSWER) -> tuple[int, bytes]:
    """The status and whole body that a GET on a connection of its own brings back, or the POST of a query."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        if query:
            headers = {"Accept": accept, "Content-Type": "application/sparql-query"}
            connection.request("POST", path, query.encode(), headers)
        else:
            connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextmanager
def motorgraph(graph: Path | None, folder: Path, *options: str) -> Iterator[Server]:
    """A plain motorgraph service with the graph loaded, or empty; options go to `motorgraph serve`."""
    with shipped_motorgraph(graph, folder, "--plain", *options) as server:
        yield server


@contextmanager
def warm_motorgraph(graph: Path, folder: Path) -> Iterator[Server]:
    """The same with its result cache, which the others do without."""
    with shipped_motorgraph(graph, folder, "--plain", "--cache-bytes", "256", name="warm") as server:
        yield server


@contextmanager
def shipped_motorgraph(graph: Path | None, folder: Path, *options: str, name: str = "motorgraph") -> Iterator[Server]:
    """A motorgraph service with what ships with it and the graph."""
    port = free_port()
    where = ["--host", LOOPBACK, "--port", str(port), "--data-dir", str(folder / f"motorgraph-{port}")]
    command = [executable("motorgraph"), "serve", *where, "--cache-bytes", "0", *options]
    if graph is not None:
        command += ["--load", str(graph)]
    with running(Launch(name, command, port, "/sparql", "/ready", "/sparql"), folder) as server:
        yield server


@contextmanager
def durable_oxigraph(graph: Path, folder: Path) -> Iterator[Server]:
    """Oxigraph on disk, bulk-loaded before it serves."""
    location = folder / "oxigraph"
    load = [executable("oxigraph"), "load", "--location", str(location), "--file", str(graph)]
    loaded = subprocess.run(load, capture_output=True, text=True, check=False)
    if loaded.returncode != 0:
        raise ServerError(f"oxigraph load: {loaded.stderr.strip()}")
    with running(_oxigraph("durable", "--location", str(location)), folder) as server:
        yield server


@contextmanager
def memory_oxigraph(graph: Path, folder: Path) -> Iterator[Server]:
    """Oxigraph in memory, loaded over HTTP by the Graph Store Protocol."""
    with running(_oxigraph("memory"), folder) as server:
        _put(server.port, "/store?default", graph)
        yield server


def stop_in_order_when_terminated() -> None:
    """Let SIGTERM unwind this program as Ctrl-C does, so that it stops the servers it started."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def _oxigraph(name: str, *options: str) -> Launch:
    port = free_port()
    command = [executable("oxigraph"), "serve", "--bind", f"{LOOPBACK}:{port}", *options]
    return Launch(name, command, port, "/query", f"/query?query={quote('ASK {}')}", "/update")


def _put(port: int, path: str, graph: Path) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS_TO_READY)
    headers = {"Content-Type": N_TRIPLES, "Content-Length": str(graph.stat().st_size)}
    try:
        with graph.open("rb") as body:
            connection.request("PUT", path, body=body, headers=headers)
        answer = connection.getresponse()
        if answer.status >= 300:
            raise ServerError(f"PUT {path}: {answer.status} {answer.read(500)!r}")
    finally:
        connection.close()


def wait_until_at_rest(servers: Sequence[Server], begun_after: float = SECONDS_UNTIL_UPKEEP, for_seconds: float = 2) -> None:
    """Wait until servers that are ready have done what they do unasked after a start; all of it has begun after some seconds.

    Raises ServerError if one goes on and on.
    """
    time.sleep(begun_after)
    for server in servers:
        if not wait_until_idle(server.pid, SECONDS_OF_UPKEEP, for_seconds):
            raise ServerError(f"{server.name} was not idle for {for_seconds:g} s within {SECONDS_OF_UPKEEP} s.")


@contextmanager
def running(launch: Launch, folder: Path) -> Iterator[Server]:
    """The server that a command starts, ended with all that it forked; its log is in the folder.

    Raises ServerError if it ends by itself or is not ready in time.
    """
    log = folder / f"{launch.name}-{launch.port}.log"
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(launch.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        try:
            _wait_until_ready(launch, process, log)
            ready = time.monotonic() - started
            yield Server(launch.name, launch.port, process.pid, launch.sparql, ready, launch.update)
        finally:
            _stop(process)


def _wait_until_ready(launch: Launch, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_READY
    while time.monotonic() < deadline:
        if process.poll() is not None:
            last = log.read_text(errors="replace")[-2000:]
            raise ServerError(f"{launch.name} ended with {process.returncode} before it was ready:\n{last}")
        with suppress(OSError, http.client.HTTPException):
            status, _ = ask(launch.port, launch.ready)
            if status == 200:
                return
        time.sleep(0.01)
    raise ServerError(f"{launch.name} was not ready after {SECONDS_TO_READY} s.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(SECONDS_TO_STOP)
    # Its session is its own, so this reaches what it forked and nothing else.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
