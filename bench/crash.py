"""Whether what was acknowledged survives: kills under writes, again and again; or a disk that is full, again and again.

`python -m bench.crash --rounds 200` kills the keeper, the front or both at random moments, also while the service starts.
With `--remote` the graph is in an `oxigraph serve` that is killed too, and started again beside the service that goes on.
`python -m bench.crash --full-disk` writes to a small disk until there is no room, makes room, and kills in between. Both return
0 if each time every acknowledged commit is there whole, none is there in part, `motorgraph verify` finds nothing and the service
starts again by itself; 1 with the first fault if not; 2 if there is no disk to fill.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.ledger import TOKEN, Fault, Large, Ledger, writing
from bench.processes import tree
from bench.servers import LOOPBACK, ask, executable, free_port

MOST_SECONDS_A_ROUND = 1.5
MOST_SECONDS_INTO_A_START = 0.6
START_SHARE = 0.15
SECONDS_TO_START = 60
SNAPSHOT_AFTER = 40
ENGINE_SHARE = 0.4
VICTIMS = ("keeper", "front", "both")
DISK, MORE_DISK = 2 << 20, 2 << 20
NOW_AND_THEN, TO_FILL, NEVER = Large(0.02, 20_000), Large(0.5, 2_000), Large(0, 0)
SECONDS_TO_FILL = 120
LAST_WORDS = 4000


@dataclass
class Crashes:
    """One data folder through many lives: what its writers know, and the chance that decides what happens."""

    folder: Path
    logs: Path
    chance: random.Random
    ledger: Ledger
    engine: Engine | None = None

    def begin(self) -> subprocess.Popen[bytes]:
        """A service that has just been started."""
        environment = {**os.environ, "MOTORGRAPH_WRITE_TOKEN": TOKEN}
        command = [
            sys.executable,
            "-m",
            "motorgraph",
            "serve",
            "--plain",
            "--host",
            LOOPBACK,
            "--port",
            "0",
            "--log-level",
            "warning",
        ]
        command += ["--snapshot-after", str(SNAPSHOT_AFTER), "--data-dir", str(self.folder)]
        command += ["--remote", self.engine.url, "--remote-dialect", "oxigraph"] if self.engine is not None else []
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
            kill(process, "both")
            process.wait()

    def one_kill(self) -> None:
        """Writes, kills at a random moment, looks at what is left. Raises Fault."""
        if self.chance.random() < START_SHARE:
            process = self.begin()
            time.sleep(self.chance.uniform(0, MOST_SECONDS_INTO_A_START))
            kill(process, "both")
            process.wait()
            return
        with self.life() as (process, port):
            takes_engine = self.engine is not None and self.chance.random() < ENGINE_SHARE
            with writing(port, self.ledger, self.chance, NOW_AND_THEN):
                time.sleep(self.chance.uniform(0, MOST_SECONDS_A_ROUND))
                if self.engine is not None and takes_engine:
                    self.engine.kill()
                    time.sleep(self.chance.uniform(0, MOST_SECONDS_A_ROUND))
                    self.engine.begin()
                else:
                    kill(process, self.chance.choice(VICTIMS))
            if takes_engine:
                self.comes_back(port)
        self.verify()

    def comes_back(self, port: int) -> None:
        """A service whose engine was killed goes on by itself, with all that was acknowledged. Raises Fault."""
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

    def one_full_disk(self, room: int) -> None:
        """Writes until there is no room; the service goes on. Then there is room, perhaps after a kill. Raises Fault."""
        with self.life() as (process, port):
            before = self.ledger.refused
            with writing(port, self.ledger, self.chance, TO_FILL) as threads:
                for thread in threads:
                    thread.join(SECONDS_TO_FILL)
            if self.ledger.refused == before:
                raise Fault("the disk does not get full, or nobody is told")
            self.ledger.check(port)  # it goes on reading, and what was refused has not happened
            is_killed = self.chance.random() < 0.5
            if is_killed:
                kill(process, self.chance.choice(VICTIMS))
                process.wait()
                self.start_without_room()
            mount(self.folder, f"remount,size={room}")
            if not is_killed:
                self.go_on(port)
                self.verify("--url", f"http://{LOOPBACK}:{port}")
        self.verify()

    def start_without_room(self) -> None:
        """On a disk that is full it starts or says why not; it does no harm either way. Raises Fault."""
        process = self.begin()
        try:
            self.ledger.check(self.port(process))
        except Fault:
            if process.poll() is None or "No room on the disk" not in self.log.read_text():
                raise
        finally:
            kill(process, "both")
            process.wait()

    def go_on(self, port: int) -> None:
        """Writes again, now that there is room. Raises Fault if it is still refused."""
        acknowledged = self.ledger.acknowledged
        with writing(port, self.ledger, self.chance, NEVER):
            time.sleep(0.3)
        if self.ledger.acknowledged == acknowledged:
            raise Fault("there is room again, and writes are still refused")
        self.ledger.check(port)


class Engine:
    """An `oxigraph serve` on a folder, as the store of the service."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"http://{LOOPBACK}:{self._port}/query"
        self.begin()

    def begin(self) -> None:
        """Starts it, and waits until it answers."""
        command = [executable("oxigraph"), "serve", "--bind", f"{LOOPBACK}:{self._port}", "--location", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                if ask(self._port, "/query?query=ASK%20%7B%7D")[0] == http.client.OK:
                    return
            time.sleep(0.02)
        raise Fault("the engine does not start")

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.wait()


def kill(process: subprocess.Popen[bytes], victim: str) -> None:
    """Ends the keeper, the front or both at once."""
    keepers = [pid for pid in tree(process.pid) if name(pid) == "mg-keeper"] if process.poll() is None else []
    for pid in [*(keepers if victim != "front" else []), *([process.pid] if victim != "keeper" else [])]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def name(pid: int) -> str:
    """What a process calls itself."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def mount(folder: Path, options: str) -> bool:
    """Mounts a disk in memory on the folder, or changes it; false if this user may not."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@contextmanager
def disk(size: int) -> Iterator[Path | None]:
    """A folder on a disk of its own of so many bytes; None where that cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        if not mount(path, f"size={size}"):
            yield None
            return
        try:
            yield path
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def kills(crashes: Crashes, rounds: int) -> None:
    """So many rounds of kills, and a last look."""
    for number in range(rounds):
        attempt(number, crashes.one_kill)
    attempt(rounds, lambda: last_look(crashes))


def full_disks(crashes: Crashes, rounds: int) -> None:
    """So many rounds of a disk that gets full and then has more room, and a last look."""
    for number in range(rounds):
        attempt(number, lambda room=DISK + (number + 1) * MORE_DISK: crashes.one_full_disk(room))  # type: ignore[misc]  # bound now
    attempt(rounds, lambda: last_look(crashes))


def attempt(number: int, one: object) -> None:
    """One round; a fault says which."""
    try:
        one()  # type: ignore[operator]  # a function without parameters
    except Fault as fault:
        raise Fault(f"round {number}: {fault}") from fault


def last_look(crashes: Crashes) -> None:
    """Everything is there, in the journal and in memory."""
    with crashes.life() as (_, port):
        crashes.verify("--url", f"http://{LOOPBACK}:{port}")


def main() -> int:
    """Runs the rounds and prints how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description="Kill it under writes, and look what is left.")
    parser.add_argument("--rounds", type=int, default=200, help="how many kills, or full disks")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the random moments")
    parser.add_argument("--full-disk", action="store_true", help="fill a small disk instead; needs the right to mount one")
    parser.add_argument("--remote", action="store_true", help="with the graph in another engine, which is killed too")
    given = parser.parse_args()
    ledger = Ledger()
    with tempfile.TemporaryDirectory() as logs, disk(DISK) if given.full_disk else tempfile.TemporaryDirectory() as folder:
        if folder is None:
            print("A small disk cannot be mounted here (mount -t tmpfs needs root), so none can be filled.")
            return 2
        engine = Engine(Path(logs) / "engine") if given.remote else None
        crashes = Crashes(Path(folder), Path(logs), random.Random(given.seed), ledger, engine)
        try:
            (full_disks if given.full_disk else kills)(crashes, given.rounds)
        except Fault as fault:
            print(f"FAILED with --seed {given.seed}: {fault}\n{crashes.log.read_text()[-LAST_WORDS:]}")
            return 1
        finally:
            if engine is not None:
                engine.kill()
    what = "full disks" if given.full_disk else "kills"
    print(
        f"{given.rounds} {what} (--seed {given.seed}): {ledger.acknowledged:,} writes acknowledged, all there; "
        f"{ledger.refused:,} refused for want of room, none there; {ledger.in_doubt:,} cut off, each there whole or not at all"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
