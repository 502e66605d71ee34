"""One data folder through many lives of a service: how it is started, found ready, killed, and looked at when it has ended."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.ledger import TOKEN, Fault, Ledger
from bench.processes import tree
from bench.servers import LOOPBACK, ask

SECONDS_TO_START = 60
SNAPSHOT_AFTER = 40
FRONT, KEEPER = "front", "keeper"
BOTH = "both"


@dataclass
class Lives:
    """A plain service on a data folder, started again and again, and what the writers know of it.

    `options` go to `motorgraph serve`, `wrapper` is the command that starts it, if it is to be started by another.
    """

    folder: Path
    logs: Path
    ledger: Ledger = field(default_factory=Ledger)
    options: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def begin(self) -> subprocess.Popen[bytes]:
        """A service that has just been started."""
        environment = {**os.environ, "MOTORGRAPH_WRITE_TOKEN": TOKEN, **self.environment}
        where = ["--host", LOOPBACK, "--port", "0", "--data-dir", str(self.folder)]
        command = [*self.wrapper, sys.executable, "-m", "motorgraph", "serve", "--plain", "--log-level", "warning", *where]
        command += ["--snapshot-after", str(SNAPSHOT_AFTER), *self.options]
        with self.log.open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)

    @property
    def log(self) -> Path:
        """What the service says."""
        return self.logs / "service.log"

    def port(self, process: subprocess.Popen[bytes]) -> int:
        """Where it is, once it is ready. Raises Fault if it does not start by itself."""
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and process.poll() is None:
            said = self.log.read_text()
            if "motorgraph is at " in said:
                return int(said.partition(f"motorgraph is at http://{LOOPBACK}:")[2].partition("/")[0])
            time.sleep(0.02)
        raise Fault(f"the service does not start again: {self.log.read_text()[-500:]}")

    @contextmanager
    def life(self) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        """A service that is ready and has what it should have; whatever is left of it is killed at the end."""
        process = self.begin()
        try:
            port = self.port(process)
            self.ledger.check(port)
            yield process, port
        finally:
            kill(process, BOTH)
            process.wait()

    def comes_back(self, port: int) -> None:
        """The service goes on by itself, with all that was acknowledged. Raises Fault if it does not."""
        deadline = time.monotonic() + SECONDS_TO_START
        while ask(port, "/ready")[0] != http.client.OK:
            if time.monotonic() > deadline:
                raise Fault(f"the service does not go on: {self.log.read_text()[-500:]}")
            time.sleep(0.05)
        self.ledger.check(port)

    def verify(self, *options: str) -> None:
        """Raises Fault if `motorgraph verify` finds something."""
        command = [sys.executable, "-m", "motorgraph", "verify", "--plain", "--data-dir", str(self.folder), *options]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise Fault(done.stderr.decode().strip())

    def last_look(self) -> None:
        """Everything is there, in the journal and in memory. Raises Fault if it is not."""
        with self.life() as (_, port):
            self.verify("--url", f"http://{LOOPBACK}:{port}")


def kill(process: subprocess.Popen[bytes], victim: str) -> None:
    """Ends the keeper, the front or both at once."""
    keepers = called(process, KEEPER) if victim != FRONT else []
    for pid in [*keepers, *([process.pid] if victim != KEEPER else [])]:
        send(pid, signal.SIGKILL)


def send(pid: int, number: int) -> None:
    """Sends a signal to a process, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def called(process: subprocess.Popen[bytes], role: str) -> list[int]:
    """The processes of a service that do a role: keeper, reader, draft, clerk …"""
    return [pid for pid, found in roles(process).items() if found == role]


def roles(process: subprocess.Popen[bytes]) -> dict[int, str]:
    """The processes of a service but for its front, by what they do."""
    if process.poll() is not None:
        return {}
    found = {pid: _name(pid) for pid in tree(process.pid)}
    return {pid: name.removeprefix("mg-") for pid, name in found.items() if name.startswith("mg-")}


def _name(pid: int) -> str:
    """What a process calls itself."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
