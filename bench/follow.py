"""How quick a read replica is: to catch up from nothing, and to have what is written while it follows.

`python -m bench.follow` starts a plain service with the generated graph, writes a thousand commits to it, lets a replica follow
it, and says which targets are kept. It returns 0 if all are, 1 if not.
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import cache, command, machine
from bench.servers import LOOPBACK, Server, ServerError, ask, motorgraph
from bench.targets import Target, Verdict, print_verdicts
from bench.writes import TOKEN, Client

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Plan:
    """What to measure: triples of the first commit, commits after it, then writes a second for how long."""

    triples: int
    commits: int
    rate: float
    seconds: int


@dataclass(frozen=True)
class Delays:
    """Seconds from the answer to a write until the replica has it."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """Half of them are shorter."""
        return statistics.median(self.seconds)


@contextmanager
def replica(upstream: Server) -> Iterator[Server]:
    """A service that follows another, ready."""
    with (
        cache.passing_folder() as folder,
        motorgraph(None, Path(folder), f"--follow=http://{LOOPBACK}:{upstream.port}") as server,
    ):
        yield server


def commit(server: Server) -> int:
    """The newest commit of a service."""
    _, body = ask(server.port, "/ready")
    return int(json.loads(body)["commit"])


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def follow(upstream: Server, copy: Server, plan: Plan) -> Delays:
    """Writes to upstream at a rate, and looks when the replica has each commit."""
    written: list[tuple[int, float]] = []
    over = threading.Event()

    def write() -> None:
        first = commit(upstream)
        with closing(Client(upstream)) as client:
            for number in range(1, int(plan.rate * plan.seconds) + 1):
                client.post_claims()
                written.append((first + number, time.monotonic()))
                time.sleep(1 / plan.rate)
        over.set()

    seen: list[tuple[int, float]] = []
    with ThreadPoolExecutor(1) as beside:
        writing = beside.submit(write)
        while not (over.is_set() and seen and seen[-1][0] >= written[-1][0]):
            if writing.done() and writing.exception() is not None:
                break
            if over.is_set() and time.monotonic() - written[-1][1] > PATIENCE_SECONDS:
                raise ServerError(f"the replica has not come to commit {written[-1][0]}")
            seen.append((commit(copy), time.monotonic()))
            time.sleep(LOOK_SECONDS)
        writing.result()
    return Delays([max(next(at for there, at in seen if there >= number) - then, 0.0) for number, then in written])


def measure(plan: Plan) -> list[Verdict]:
    """Both, one after the other."""
    with cache.passing_folder() as folder, motorgraph(cache.graph(plan.triples), Path(folder)) as upstream:
        with closing(Client(upstream)) as client:
            for _ in range(plan.commits):
                client.post_claims()
        with replica(upstream) as copy:
            if commit(copy) != commit(upstream):
                raise ServerError("the replica is ready and has not all commits")
            memory = peak_bytes(copy.pid)
            delays = follow(upstream, copy, plan)
    told = f"{plan.triples:,} triples and {plan.commits:,} commits"
    note = f"front at most {memory / 2**20:,.0f} MB"
    writes = f"{plan.rate:g} writes a second for {plan.seconds} s"
    return [
        Verdict(Target(f"{told}: from nothing to ready", 60, "s"), copy.seconds_to_ready, note),
        Verdict(Target(f"{writes}: behind, p50", 1, "s"), delays.median),
        Verdict(Target(f"{writes}: behind, at most", 2, "s"), max(delays.seconds)),
    ]


def arguments() -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.follow", description="Measure a read replica.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="of the first commit")
    parser.add_argument("--commits", type=int, default=1000, help="after it, of twenty quads each")
    parser.add_argument("--rate", type=float, default=10.0, help="writes a second")
    parser.add_argument("--seconds", type=int, default=20, help="of these writes")
    given = parser.parse_args()
    return Plan(given.triples, given.commits, given.rate, given.seconds)


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    circumstances = {
        **machine.description(),
        "plan": f"{plan.triples:,} triples, {plan.commits:,} commits, {plan.rate:g} writes/s",
    }
    return command.run(circumstances, lambda: print_verdicts(measure(plan)))


if __name__ == "__main__":
    sys.exit(main())
