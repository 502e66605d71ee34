"""The memory of motorgraph: at rest, under load, and in the front while long answers stream through it.

`python -m bench.memory` starts a service with the generated graph, measures its whole process tree and says which
targets are kept. It returns 0 if all are, 1 if not.
"""

import argparse
import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

from bench import cache, command, machine
from bench.processes import Memory, Watch, memory, resident, settled_memory
from bench.queries import QUERIES, TIMED, WHOLE
from bench.servers import LOOPBACK, Server, ServerError, motorgraph, shipped_motorgraph
from bench.targets import Target, Verdict, print_verdicts
from bench.wrk import Load, drive

MEGABYTE = 1e6
TAB_SEPARATED = "text/tab-separated-values"
SECONDS_TO_READY_A_TRIPLE = 8 / 1e6
BYTES_A_TRIPLE = 450
BYTES_BESIDE = 200e6
FLAT = 8e6
SECONDS_TO_SETTLE = 60  # while a dump is made, names are indexed and the graph is counted
PIECE = 65536
# The front and the keeper; all other processes are counted as readers.
NOT_READERS = 2


@dataclass(frozen=True)
class Plan:
    """What to measure: graph size, seconds of load for each query, connections, bytes a second of the slow client.

    `shipped`: beside what ships, not in a plain service; `only_rest`: nothing is asked of it.
    """

    triples: int
    seconds: int
    connections: int
    slow_rate: int
    options: list[str]
    shipped: bool = False
    only_rest: bool = False

    @property
    def start(self) -> Callable[..., AbstractContextManager[Server]]:
        """What starts the service."""
        return shipped_motorgraph if self.shipped else motorgraph


@dataclass(frozen=True)
class Stream:
    """A long answer as its client and the front saw it; the front's resident bytes before, at most, and after."""

    rows: int
    size: int
    seconds: float
    before: int
    peak: int
    after: int

    @property
    def growth(self) -> int:
        """How much more the front held at its peak than before."""
        return max(self.peak - self.before, 0)


def arguments() -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description="Measure memory.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of load for each query")
    parser.add_argument("--connections", type=int, default=8, help="of the load")
    parser.add_argument("--slow-rate", type=int, default=2_000_000, help="bytes a second the slow client takes")
    parser.add_argument("--serve-option", action="append", default=[], help="for motorgraph serve, such as --readers=4")
    parser.add_argument("--shipped", action="store_true", help="beside what ships, each triple also in the merge of all graphs")
    parser.add_argument("--only-rest", action="store_true", help="measure start and rest alone")
    given = parser.parse_args()
    options = given.connections, given.slow_rate, given.serve_option, given.shipped, given.only_rest
    return Plan(given.triples, given.seconds, *options)


def empty_service(folder: Path, plan: Plan) -> Memory:
    """The memory at rest of a plain service with no data."""
    with plan.start(None, folder, *plan.options) as server:
        return settled_memory(server.pid)


def pieces(server: Server, query: str) -> Iterator[bytes]:
    """An answer's body as it comes, over a connection that buffers little; ServerError if it is not a 200."""
    connection = http.client.HTTPConnection(LOOPBACK, server.port)
    with closing(connection), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        client.settimeout(60)
        client.connect((LOOPBACK, server.port))
        connection.sock = client
        connection.request("GET", server.path(query), headers={"Accept": TAB_SEPARATED})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ServerError(f"{query}: {answer.status} {answer.read(300)!r}")
        while piece := answer.read(PIECE):
            yield piece


def stream(server: Server, query: str, bytes_a_second: float) -> Stream:
    """Read an answer no faster than so many bytes a second, watching the front."""
    before = peak = resident(server.pid)
    rows, size, started = -1, 0, time.monotonic()
    for piece in pieces(server, query):
        rows += piece.count(b"\n")
        size += len(piece)
        time.sleep(max(0.0, started + size / bytes_a_second - time.monotonic()))
        peak = max(peak, resident(server.pid))
    return Stream(rows, size, time.monotonic() - started, before, peak, resident(server.pid))


def under_load(server: Server, plan: Plan) -> tuple[Watch, int]:
    """The memory of the tree while every query runs over many connections for some seconds, and the errors of all."""
    errors = 0
    with Watch(server.pid) as watch:
        for name, query in TIMED.items():
            reading = drive(server, Load(query.text, query.accept, plan.connections, plan.seconds))
            errors += reading.errors
            print(f"  {name}: {reading.rate:.1f} answers a second, {reading.errors} errors", flush=True)
    return watch, errors


def print_stream(title: str, read: Stream) -> None:
    """A line on a long answer."""
    front = ", ".join(f"{part / MEGABYTE:.1f}" for part in (read.before, read.peak, read.after))
    took = f"{read.rows:,} rows, {read.size / MEGABYTE:.0f} MB in {read.seconds:.1f} s"
    print(f"{title}: {took}; front before, at most, after: {front} MB", flush=True)


def rest_verdicts(server: Server, rest: Memory, empty: Memory, plan: Plan) -> list[Verdict]:
    """Start and rest held against their targets."""
    triples, allowed = plan.triples, BYTES_A_TRIPLE * (2 if plan.shipped else 1)
    beside = (BYTES_BESIDE + allowed * triples) / MEGABYTE
    each = (rest.pss - empty.pss) / triples
    return [
        Verdict(Target("start to ready", max(1.0, SECONDS_TO_READY_A_TRIPLE * triples), "s"), server.seconds_to_ready),
        Verdict(Target("process tree at rest, over the empty one", allowed, "bytes a triple"), each),
        Verdict(Target("process tree at rest", beside, "MB"), rest.pss / MEGABYTE),
    ]


def load_verdict(watch: Watch, rest: Memory, empty: Memory) -> Verdict:
    """The peak under load held against one copy of the graph for each reader and one more."""
    readers = watch.most_processes - NOT_READERS
    most = empty.pss + (readers + 1) * (rest.pss - empty.pss)
    target = Target("process tree under load, peak", most / MEGABYTE, "MB")
    return Verdict(target, watch.peak.pss / MEGABYTE, f"{readers} readers at most")


def measure(plan: Plan) -> list[Verdict]:
    """Start the services, measure, stop them."""
    graph = cache.graph(plan.triples)
    with cache.passing_folder() as name:
        folder = Path(name)
        empty = empty_service(folder, plan)
        print(f"empty: PSS {empty.pss / MEGABYTE:.1f} MB in {empty.processes} processes", flush=True)
        with plan.start(graph, folder, *plan.options) as server:
            rest = settled_memory(server.pid)
            print(f"at rest: PSS {rest.pss / MEGABYTE:.1f} MB, RSS {rest.rss / MEGABYTE:.1f} MB", flush=True)
            verdicts = rest_verdicts(server, rest, empty, plan)
            if plan.only_rest:
                with Watch(server.pid) as settling:
                    time.sleep(SECONDS_TO_SETTLE)
                print(f"in the {SECONDS_TO_SETTLE} s after: PSS at most {settling.peak.pss / MEGABYTE:.1f} MB", flush=True)
                return verdicts
            slow = stream(server, QUERIES["q14_select100k"], plan.slow_rate)
            print_stream("100,000 rows to a slow client", slow)
            whole = stream(server, WHOLE, float("inf"))
            print_stream("the whole graph to a fast client", whole)
            watch, errors = under_load(server, plan)
            after = memory(server.pid)
            print(f"after the load: PSS {after.pss / MEGABYTE:.1f} MB in {after.processes} processes")
    flat = Target("front's growth, 100,000 rows to a slow client", FLAT / MEGABYTE, "MB")
    flat_whole = Target("front's growth, the whole graph to a fast client", FLAT / MEGABYTE, "MB")
    complete = Target("rows of the whole graph", plan.triples, at_least=True)
    streams = [Verdict(flat, slow.growth / MEGABYTE), Verdict(flat_whole, whole.growth / MEGABYTE)]
    load = [load_verdict(watch, rest, empty), Verdict(Target("errors under load", 0), errors)]
    return [*verdicts, *streams, Verdict(complete, whole.rows), *load]


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    circumstances = {
        **machine.description(),
        "plan": f"{plan.triples:,} triples, {plan.seconds} s a query over {plan.connections} connections",
    }
    return command.run(circumstances, lambda: print_verdicts(measure(plan)))


if __name__ == "__main__":
    sys.exit(main())
