"""What a dump costs: how fast it is made, what memory its processes take, how fast it is sent, and its canonical form.

    python -m bench.dumps [--triples 1000000] [--quads]

Starts a plain service on the generated graph and asks for its dump. A process's own memory is what it has that no other shares.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.command import run
from bench.gen import generate
from bench.machine import description
from bench.processes import GONE, KIB, PROC, TICKS, resident, tree, wait_until_idle
from bench.servers import Server, ServerError, motorgraph

TRIPLES_A_SECOND = 300_000
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


def measure(graph: Path, triples: int) -> bool:
    """Prints the figures; whether the dump is as fast as it is to be."""
    with TemporaryDirectory() as folder, motorgraph(graph, Path(folder)) as server:
        time.sleep(1)  # the first thing after a start is to count the triples
        wait_until_idle(server.pid, 3)
        makers = Makers(server.pid)
        with makers.watched():
            _, seconds, _ = fetched(server, "/dumps/latest/motorgraph.nq.gz")
        speed = triples / seconds
        print(f"all files of {triples:,} triples: {seconds:.2f} s, {speed:,.0f} triples/s (at least {TRIPLES_A_SECOND:,})")
        for name in MAKERS:
            print(f"{name}: {makers.seconds(name):.2f} s of processor time, at most {makers.most[name] / MIB:.0f} MiB of its own")
        before = resident(server.pid)
        for path in ("motorgraph.nq.gz", "motorgraph.nq.zst", "motorgraph.nq", "motorgraph.nq", "motorgraph.canonical.nq.gz"):
            size, seconds, _ = fetched(server, f"/dumps/1/{path}")
            print(f"{path}: {size:,} bytes in {seconds:.2f} s, {size / seconds / MIB:,.0f} MiB/s")
        print(f"the front grew by {(resident(server.pid) - before) / MIB:.1f} MiB meanwhile")
        return speed >= TRIPLES_A_SECOND


def main() -> int:
    """Makes the graph and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=1_000_000)
    parser.add_argument("--quads", action="store_true", help="in named graphs, one for each subject area")
    plan = parser.parse_args()
    with TemporaryDirectory() as folder:
        graph = Path(folder) / ("graph.nq" if plan.quads else "graph.nt")
        with graph.open("w") as out:
            generate(plan.triples, 42, out.write, quads=plan.quads)
        return run(description(), lambda: measure(graph, plan.triples))


if __name__ == "__main__":
    sys.exit(main())
