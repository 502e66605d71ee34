"""What it costs to follow the feed from its beginning: members a second, the slowest page, the memory of the service.

`python -m bench.feed` replicates the shipped graph, and a generated one in a plain service, as a client of one connection and as
one of several does, and then again, when pages are kept. It returns 0 if every member came once each time, 1 if not.
"""

import argparse
import gzip
import http.client
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, local

from bench import cache, command, machine
from bench.processes import Memory, Watch, settled_memory
from bench.servers import LOOPBACK, Server, motorgraph, shipped_motorgraph

TOKEN = "feed"  # so that there is a journal
MEGABYTE = 1e6
N_QUADS = "application/n-quads"
_NODE = re.compile(rb"<https://w3id\.org/tree#node> <http://[^/]*([^>]*)>")
_MEMBER = re.compile(rb"<https://w3id\.org/tree#member> (<[^>]*>)")


@dataclass
class Copy:
    """What one run has seen: the members, how often any came again, the seconds and bytes of each page."""

    members: set[bytes] = field(default_factory=set)
    repeated: int = 0
    pages: list[float] = field(default_factory=list)
    sent: int = 0
    seconds: float = 0.0


class Client:
    """Follows all relations from the root, some pages at a time."""

    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._own = local()
        self._lock = Lock()
        self._connections = connections
        self._seen: set[str] = set()

    def copy(self) -> Copy:
        """All members that there are."""
        found, todo = Copy(), ["/feed"]
        started = time.monotonic()
        with ThreadPoolExecutor(self._connections) as workers:
            while todo:
                self._seen.update(todo)
                lists = list(workers.map(lambda path: self._page(path, found), todo))
                todo = [path for path in dict.fromkeys(path for paths in lists for path in paths) if path not in self._seen]
        found.seconds = time.monotonic() - started
        return found

    def _page(self, path: str, found: Copy) -> list[str]:
        started = time.monotonic()
        connection = self._connection()
        connection.request("GET", path, headers={"Accept": N_QUADS, "Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        packed = answer.read()
        seconds = time.monotonic() - started
        if answer.status != http.client.OK:
            raise SystemExit(f"{path} answered {answer.status}: {packed[:200]!r}")
        body = gzip.decompress(packed) if answer.getheader("Content-Encoding") == "gzip" else packed
        members = _MEMBER.findall(body)
        with self._lock:
            found.repeated += len(members) - len(set(members) - found.members)
            found.members.update(members)
            found.pages.append(seconds)
            found.sent += len(packed)
        return [node.decode() for node in dict.fromkeys(_NODE.findall(body))]

    def _connection(self) -> http.client.HTTPConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=120)
        connection: http.client.HTTPConnection = self._own.connection
        return connection


def measured(name: str, server: Server, connections: int) -> bool:
    """Replicates the feed of a server, twice, and says what it took; whether every member came once."""
    before = settled_memory(server.pid)
    with Watch(server.pid) as watch:
        first = Client(server.port, connections).copy()
    again = Client(server.port, connections).copy()
    print(_line(name, connections, first, before, watch.peak))
    print(_line(f"{name}, again", connections, again, before, watch.peak))
    return not first.repeated and not again.repeated and first.members == again.members


def _line(name: str, connections: int, copy: Copy, before: Memory, peak: Memory) -> str:
    pages = sorted(copy.pages)
    return (
        f"{name}, {connections} at once: {len(copy.members):,} members in {len(pages):,} pages, {copy.seconds:.1f} s, "
        f"{len(copy.members) / copy.seconds:,.0f} a second; a page {1000 * pages[len(pages) // 2]:.0f} ms (median), "
        f"{1000 * pages[-1]:.0f} ms (slowest); {copy.sent / MEGABYTE:.1f} MB sent; "
        f"the service {before.pss / MEGABYTE:,.0f} MB before, {peak.pss / MEGABYTE:,.0f} MB at most"
    )


def measure(triples: int, connections: list[int]) -> bool:
    """Measures both graphs, each with a start of its own for each number of connections."""
    are_whole = []
    for number in connections:
        with cache.passing_folder() as folder, shipped_motorgraph(None, Path(folder)) as server:
            are_whole.append(measured("the shipped graph", server, number))
        if triples:
            with cache.passing_folder() as folder, motorgraph(cache.graph(triples), Path(folder)) as server:
                are_whole.append(measured(f"{triples:,} triples", server, number))
    return all(are_whole)


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=1_000_000, help="of the generated graph, 0 to leave it out")
    parser.add_argument("--connections", type=int, nargs="*", default=[1, 4])
    given = parser.parse_args()
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    circumstances = {**machine.description(), "plan": f"the shipped graph, {given.triples:,} triples"}
    return command.run(circumstances, lambda: measure(given.triples, given.connections))


if __name__ == "__main__":
    sys.exit(main())
