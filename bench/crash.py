"""Whether what was acknowledged survives: kills under writes, again and again; or a disk that is full, again and again.

`python -m bench.crash --rounds 200` kills the keeper, the front or both at random moments, also while the service starts, or what
the keeper has forked, after which the service has to go on.
With `--remote` the graph is in an `oxigraph serve` that is killed too, and started again beside the service that goes on.
`python -m bench.crash --full-disk` writes to a small disk until there is no room, makes room, and kills in between. Both return
0 if each time every acknowledged commit is there whole, none is there in part, `motorgraph verify` finds nothing and the service
starts again by itself; 1 with the first fault if not; 2 if there is no disk to fill.
"""

from __future__ import annotations

import argparse
import http.client
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.asking import Seen, asking
from bench.ledger import Fault, Large, Ledger, continue_until_written, writing
from bench.lives import BOTH, FRONT, KEEPER, SECONDS_TO_START, Lives, kill, roles, send
from bench.servers import LOOPBACK, ask, executable, free_port

MOST_SECONDS_A_ROUND = 1.5
MOST_SECONDS_INTO_A_START = 0.6
START_SHARE = 0.15
ENGINE_SHARE = 0.4
VICTIMS = (KEEPER, FRONT, BOTH)
SPARED_SHARE, MOST_SECONDS_BETWEEN = 0.3, 0.15
DISK, MORE_DISK = 2 << 20, 2 << 20
NOW_AND_THEN, TO_FILL, NEVER = Large(0.02, 20_000), Large(0.5, 2_000), Large(0, 0)
SECONDS_TO_FILL = 120
LAST_WORDS = 4000


@dataclass
class Crashes:
    """A service that is killed again and again, and the chance that decides how."""

    lives: Lives
    chance: random.Random
    engine: Engine | None = None
    seen: Seen = field(default_factory=Seen)
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def ledger(self) -> Ledger:
        """What its writers know."""
        return self.lives.ledger

    def one_kill(self) -> None:
        """Writes, kills at a random moment, looks at what is left. Raises Fault."""
        if self.chance.random() < START_SHARE:
            process = self.lives.begin()
            time.sleep(self.chance.uniform(0, MOST_SECONDS_INTO_A_START))
            kill(process, BOTH)
            process.wait()
            return
        with self.lives.life() as (process, port):
            takes_engine = self.engine is not None and self.chance.random() < ENGINE_SHARE
            is_spared = not takes_engine and self.chance.random() < SPARED_SHARE
            with writing(port, self.ledger, self.chance, NOW_AND_THEN), asking(port, self.seen, self.chance):
                if is_spared:
                    self._kill_children(process)
                    continue_until_written(self.ledger)
                else:
                    time.sleep(self.chance.uniform(0, MOST_SECONDS_A_ROUND))
                    self._kill_one(process, takes_engine=takes_engine)
            if takes_engine or is_spared:
                self.lives.comes_back(port)
        self.lives.verify()

    def _kill_one(self, process: subprocess.Popen[bytes], *, takes_engine: bool) -> None:
        """Kills the engine, which is started again, or what the service cannot do without."""
        if self.engine is not None and takes_engine:
            self.engine.kill()
            time.sleep(self.chance.uniform(0, MOST_SECONDS_A_ROUND))
            self.engine.begin()
        else:
            kill(process, self.chance.choice(VICTIMS))

    def _kill_children(self, process: subprocess.Popen[bytes]) -> None:
        """Kills whatever the keeper has forked, of all roles alike, one after the other."""
        deadline = time.monotonic() + MOST_SECONDS_A_ROUND
        while time.monotonic() < deadline:
            time.sleep(self.chance.uniform(0, MOST_SECONDS_BETWEEN))
            by_role = {role: pid for pid, role in roles(process).items() if role != KEEPER}
            if by_role:
                role = self.chance.choice(sorted(by_role))
                send(by_role[role], signal.SIGKILL)
                self.killed[role] += 1

    def one_full_disk(self, room: int) -> None:
        """Writes until there is no room; the service goes on. Then there is room, perhaps after a kill. Raises Fault."""
        with self.lives.life() as (process, port):
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
            mount(self.lives.folder, f"remount,size={room}")
            if not is_killed:
                self.go_on(port)
                self.lives.verify("--url", f"http://{LOOPBACK}:{port}")
        self.lives.verify()

    def start_without_room(self) -> None:
        """On a disk that is full it starts or says why not; it does no harm either way. Raises Fault."""
        process = self.lives.begin()
        try:
            self.ledger.check(self.lives.port(process))
        except Fault:
            if process.poll() is None or "No room on the disk" not in self.lives.log.read_text():
                raise
        finally:
            kill(process, BOTH)
            process.wait()

    def go_on(self, port: int) -> None:
        """Writes again, now that there is room. Raises Fault if it is still refused."""
        acknowledged = self.ledger.acknowledged
        with writing(port, self.ledger, self.chance, NEVER):
            time.sleep(0.3)
        if self.ledger.acknowledged == acknowledged:
            raise Fault("there is room again, and writes are still refused")
        self.ledger.check(port)


def told(counts: Counter[str]) -> str:
    """Counts in words, the most first."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.most_common())


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
    attempt(rounds, crashes.lives.last_look)


def full_disks(crashes: Crashes, rounds: int) -> None:
    """So many rounds of a disk that gets full and then has more room, and a last look."""
    for number in range(rounds):
        attempt(number, lambda room=DISK + (number + 1) * MORE_DISK: crashes.one_full_disk(room))  # type: ignore[misc]  # bound now
    attempt(rounds, crashes.lives.last_look)


def attempt(number: int, one: object) -> None:
    """One round; a fault says which."""
    try:
        one()  # type: ignore[operator]  # a function without parameters
    except Fault as fault:
        raise Fault(f"round {number}: {fault}") from fault


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
        options = ("--remote", engine.url, "--remote-dialect", "oxigraph") if engine is not None else ()
        lives = Lives(Path(folder), Path(logs), ledger, options)
        crashes = Crashes(lives, random.Random(given.seed), engine)
        try:
            (full_disks if given.full_disk else kills)(crashes, given.rounds)
        except Fault as fault:
            print(f"FAILED with --seed {given.seed}: {fault}\n{lives.log.read_text()[-LAST_WORDS:]}")
            return 1
        finally:
            if engine is not None:
                engine.kill()
    what = "full disks" if given.full_disk else "kills"
    print(
        f"{given.rounds} {what} (--seed {given.seed}): {ledger.acknowledged:,} writes acknowledged, all there; "
        f"{ledger.refused:,} refused for want of room, none there; {sum(ledger.not_made.values()):,} refused as not made, none "
        f"there; {ledger.in_doubt:,} cut off, each there whole or not at all"
    )
    if crashes.killed:
        print(f"Forked processes killed: {told(crashes.killed)}. Requests beside: {told(crashes.seen.outcomes)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
