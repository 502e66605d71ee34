"""What a dump costs: how fast it is made, what memory its processes take, how fast it is sent, and its canonical form.

    python -m bench.dumps [--triples 1000000] [--larger 3000000] [--rounds 3] [--quads] [--read-only]

Starts a plain service on a generated graph and asks for its dump, then on a larger one. A process's own memory is what it has
that no other shares.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.command import run
from bench.gen import generate
from bench.machine import description
from bench.processes import GONE, KIB, PROC, TICKS, resident, tree, wait_until_idle
from bench.servers import Server, ServerError, motorgraph
from bench.targets import Target, Verdict, print_verdicts

TRIPLES_A_SECOND = 300_000
GROWTH_MIB = 20
TOKEN = "bench"  # of a service on loopback that lives for a minute
MIB = 1 << 20
PIECE_BYTES = 1 << 20
MAKERS = ("mg-archivist", "mg-aside")


class Makers:
    """The most memory of its own that a process of each name had, and the processor time that each took, read over and over."""

    def __init__(self, root: int) -> None:
        self.most: defaultdict[str, int] = defaultdict(int)
        self._ticks: dict[tuple[str, int], int] = {}
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Reads while something goes on."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def seconds(self, name: str) -> float:
        """Processor time of all processes of a name, but for the last moment of each."""
        return sum(ticks for (other, _), ticks in self._ticks.items() if other == name) / TICKS

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            for pid in tree(self._root):
                with suppress(*GONE):
                    name = (PROC / str(pid) / "comm").read_text().strip()
                    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
                    own = sum(int(line.split()[1]) * KIB for line in lines if line.startswith("Private"))
                    self.most[name] = max(self.most[name], own)
                    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
                    self._ticks[name, pid] = int(fields[11]) + int(fields[12])


def fetched(server: Server, path: str) -> tuple[int, float, str]:
    """Bytes, seconds and SHA-256 of what is at an address; one that is still being made is waited for."""
    started = time.monotonic()
    while True:
        status, size, digest = _answered(server, path)
        if status < http.HTTPStatus.BAD_REQUEST:
            return size, time.monotonic() - started, digest
        if status != http.HTTPStatus.SERVICE_UNAVAILABLE:
            raise ServerError(f"{path} answered {status}")


def _answered(server: Server, path: str) -> tuple[int, int, str]:
    size, whole = 0, hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", path)
    answer = connection.getresponse()
    while piece := answer.read(PIECE_BYTES):
        size += len(piece)
        whole.update(piece)
    connection.close()
    return answer.status, size, whole.hexdigest()


def _written(server: Server, number: int) -> None:
    """Makes a commit, so that there is another dump to make."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Content-Type": "application/sparql-update", "Authorization": f"Bearer {TOKEN}"}
    connection.request("POST", "/sparql", f"INSERT DATA {{ <urn:bench> <urn:round> {number} }}", headers)
    status = connection.getresponse().status
    connection.close()
    if status >= http.HTTPStatus.BAD_REQUEST:
        raise ServerError(f"a write was answered {status}")


@dataclass(frozen=True)
class Round:
    """One dump: seconds until the gzip N-Quads are there and until all is, the processor time until the former, its makers."""

    first: float
    whole: float
    first_took: float
    makers: Makers

    @property
    def own(self) -> int:
        """The most bytes of its own that one of its makers had."""
        return max(self.makers.most[name] for name in MAKERS)


def made(server: Server) -> Round:
    """Has the newest dump made."""
    makers = Makers(server.pid)
    with makers.watched():
        _, first, _ = fetched(server, "/dumps/latest/motorgraph.nq.gz")
        first_took = sum(map(makers.seconds, MAKERS))
        _, rest, _ = fetched(server, "/dumps/latest/SHA256SUMS")
    return Round(first, first + rest, first_took, makers)


def measure(graph: Path, triples: int, rounds: int, *, journal: bool, is_first: bool) -> Round:
    """Prints the figures of a graph, of the first one also how it is sent. Returns the round whose N-Quads came first."""
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN if journal else ""
    with TemporaryDirectory() as folder, motorgraph(graph, Path(folder)) as server:
        time.sleep(1)  # the first thing after a start is to count the triples
        wait_until_idle(server.pid, 3)
        found = [made(server)]
        for number in range(1, rounds if journal else 1):
            _written(server, number)
            found.append(made(server))
        best = min(found, key=lambda made: made.first)
        for words, seconds in (("gzip N-Quads", best.first), ("all files", min(made.whole for made in found))):
            print(f"{words} of {triples:,} triples: {seconds:.2f} s, {triples / seconds:,.0f} triples/s, best of {len(found)}")
        print(f"{min(made.first_took for made in found):.2f} s of processor time until the former are there")
        for name in MAKERS:
            most = max(made.makers.most[name] for made in found)
            took = min(made.makers.seconds(name) for made in found)
            print(f"{name}: {took:.2f} s of processor time, at most {most / MIB:.0f} MiB of its own")
        if is_first:
            _print_sent(server, len(found))
        return replace(best, makers=max(found, key=lambda made: made.own).makers)


def _print_sent(server: Server, commit: int) -> None:
    before = resident(server.pid)
    for path in ("motorgraph.nq.gz", "motorgraph.nq.zst", "motorgraph.nq", "motorgraph.nq", "motorgraph.canonical.nq.gz"):
        size, seconds, _ = fetched(server, f"/dumps/{commit}/{path}")
        print(f"{path}: {size:,} bytes in {seconds:.2f} s, {size / seconds / MIB:,.0f} MiB/s")
    print(f"the front grew by {(resident(server.pid) - before) / MIB:.1f} MiB meanwhile", flush=True)


def verdicts(plan: argparse.Namespace, folder: Path) -> list[Verdict]:
    """Whether a dump is as fast as it is to be, and takes no more memory of a larger graph."""
    found: dict[int, Round] = {}
    for triples in sorted({plan.triples, plan.larger or plan.triples}):
        graph = folder / ("graph.nq" if plan.quads else "graph.nt")
        with graph.open("w") as out:
            generate(triples, 42, out.write, quads=plan.quads)
        found[triples] = measure(graph, triples, plan.rounds, journal=not plan.read_only, is_first=not found)
    smaller, larger = found[min(found)], found[max(found)]
    speed = Target(f"gzip N-Quads of {min(found):,} triples", TRIPLES_A_SECOND, "triples/s", at_least=True)
    flat = Target(f"memory of its own at {max(found):,} triples", smaller.own / MIB + GROWTH_MIB, "MiB")
    took = Target("the same by processor time, all that it takes", TRIPLES_A_SECOND, "triples/s", at_least=True)
    quick = [Verdict(speed, min(found) / smaller.first), Verdict(took, min(found) / smaller.first_took)]
    return [*quick, *([Verdict(flat, larger.own / MIB)] if len(found) > 1 else [])]


def main() -> int:
    """Makes the graphs and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=1_000_000)
    parser.add_argument("--larger", type=int, default=3_000_000, help="triples of a second graph; 0: none")
    parser.add_argument("--rounds", type=int, default=3, help="dumps of each graph, with a commit between them")
    parser.add_argument("--quads", action="store_true", help="in named graphs, one for each subject area")
    parser.add_argument("--read-only", action="store_true", help="a service that keeps no journal; one round")
    plan = parser.parse_args()
    with TemporaryDirectory() as folder:
        return run(description(), lambda: print_verdicts(verdicts(plan, Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
