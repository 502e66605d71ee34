"""Services as processes for tests of their life: each in a session of its own, so that whatever it leaves can be found."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.forked import CSV, JSON, MANY, POINT, children, is_there, session
from tests.running import CERTIFICATES, START_SECONDS, TOKEN, until

GRACE_SECONDS = 5
"""What a service may take to end."""
NICE = 19
_ADDRESS = re.compile(r"motorgraph is at (http://\S+)/")


@dataclass
class Life:
    """A service in a session of its own, so that whatever it leaves can be found."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    @property
    def said(self) -> str:
        """What it has said on standard error."""
        return self.log.read_text()

    @property
    def pids(self) -> list[int]:
        """All processes of the service, those that have lost their parent too."""
        return session(self.process.pid)

    @property
    def keeper(self) -> int:
        """The process that holds the graph."""
        (pid,) = children(self.process.pid)
        return pid

    @property
    def long_running(self) -> list[int]:
        """The readers that have been at one query for long."""
        return [pid for pid in children(self.keeper) if _niceness(pid) == NICE]

    def get(self, path: str, **parameters: str) -> httpx.Response:
        """One request over a connection of its own."""
        return _got(self.url + path, parameters, JSON)

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        lines = self.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))

    def is_answering(self) -> bool:
        """Whether a point query is answered rightly."""
        return _got(self.url + "/sparql", {"query": POINT}, CSV).content == b"o\r\n5\r\n"

    def ask(self, text: str, version: str = "1.1", accept: str = JSON) -> socket.socket:
        """Sends a query over a socket; the answer is to be read from it."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        client = socket.create_connection((host, int(port)), timeout=30)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        query = httpx.QueryParams({"query": text})
        client.sendall(f"GET /sparql?{query} HTTP/{version}\r\nHost: x\r\nAccept: {accept}\r\n\r\n".encode())
        return client

    def end(self, number: int) -> str:
        """Sends a signal, waits for the end, and gives back what was said on standard error."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        assert time.monotonic() - started < GRACE_SECONDS
        return self.said

    def ends(self) -> str:
        """Waits until it ends by itself, and gives back what was said on standard error."""
        self.process.wait(30)
        return self.said

    def is_at_its_address(self) -> bool:
        """Whether it has said where it is, which is then `url`."""
        match = _ADDRESS.search(self.said)
        self.url = match[1] if match else ""
        return bool(match) or self.process.poll() is not None

    def has_left_nothing(self) -> bool:
        """Whether no process of it is left, not even a zombie of ours."""
        return until(lambda: not any(map(is_there, self.pids)))


def _got(url: str, parameters: Mapping[str, str], accept: str) -> httpx.Response:
    return httpx.get(url, params=dict(parameters), headers={"Accept": accept}, timeout=30, trust_env=False, verify=CERTIFICATES)


def _niceness(pid: int) -> int:
    try:
        return os.getpriority(os.PRIO_PROCESS, pid)
    except ProcessLookupError:
        return 0


def rest(client: socket.socket) -> bytes:
    """All that still comes, until the other side closes (or the socket's timeout passes)."""
    pieces = []
    try:
        while piece := client.recv(1 << 16):
            pieces.append(piece)
    except (ConnectionResetError, TimeoutError):
        pass
    return b"".join(pieces)


@contextmanager
def begun(folder: Path, *arguments: str) -> Iterator[Life]:
    """A service that has just been started; whatever is left of it at the end is killed."""
    command = [sys.executable, "-m", "motorgraph", "serve", "--port", "0", "--data-dir", str(folder / "data"), *arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MOTORGRAPH_")} | {"MOTORGRAPH_WRITE_TOKEN": TOKEN}
    log = folder / "service.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        yield Life(process, log)
    finally:
        for pid in session(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


@contextmanager
def living(folder: Path, *arguments: str) -> Iterator[Life]:
    """A plain service with a thousand triples, ready."""
    path = folder / "many.ttl"
    path.write_text(MANY)
    with begun(folder, "--plain", "--load", str(path), "--readers", "4", *arguments) as life:
        assert until(life.is_at_its_address, START_SECONDS)
        assert life.url, life.said
        yield life
