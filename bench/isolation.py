"""What small requests feel while queries that never end run at once: nothing, and afterwards the memory is back.

`python -m bench.isolation` sends the explosive query eight times at once to a service with the generated graph and
times /health and a point query meanwhile. It returns 0 if all targets are kept, 1 if not.
"""

import argparse
import http.client
import json
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from bench import cache, command, machine
from bench.processes import memory, settled_memory
from bench.queries import EXPLOSIVE, QUERIES
from bench.servers import RESULTS_JSON, Server, ask, motorgraph
from bench.targets import Target, Verdict, print_verdicts

MEGABYTE = 1e6
MOST_MILLISECONDS = 100
SECONDS_BETWEEN_PROBES = 0.02
SECONDS_TO_RECOVER = 10
MOST_MEMORY_AFTERWARDS = 1.1
# How the service may end a query that never does: its deadline, or the memory that one query may have.
LIMITS = {"503 deadline-exceeded", "500 out-of-memory"}


@dataclass(frozen=True)
class Plan:
    """What to measure: graph size, how many explosive queries at once, the deadline that the service gives them."""

    triples: int
    explosions: int
    query_seconds: int
    options: list[str]


@dataclass
class Probe:
    """A small request sent again and again on connections of its own: its latencies in ms and its statuses."""

    name: str
    path: str
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)

    def send(self, server: Server) -> None:
        """Send it once."""
        started = time.perf_counter()
        self.statuses[outcome(server, self.path)] += 1
        self.latencies.append((time.perf_counter() - started) * 1000)

    def send_until(self, server: Server, over: threading.Event) -> None:
        """Send it until the event is set."""
        while not over.wait(SECONDS_BETWEEN_PROBES):
            self.send(server)

    def percentile(self, percent: int) -> float:
        """The milliseconds that so many of a hundred took at most."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1]

    def line(self) -> str:
        """The latencies in words."""
        figures = f"p50 {self.percentile(50):.1f}, p99 {self.percentile(99):.1f}, max {max(self.latencies):.1f} ms"
        return f"{self.name:12} {figures} in {len(self.latencies)} requests, {dict(self.statuses)}"


def arguments() -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.isolation", description="Measure isolation.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    parser.add_argument("--explosions", type=int, default=8, help="explosive queries at once")
    parser.add_argument("--query-seconds", type=int, default=10, help="the service's deadline for a query")
    parser.add_argument("--serve-option", action="append", default=[], help="for motorgraph serve, such as --readers=4")
    given = parser.parse_args()
    return Plan(given.triples, given.explosions, given.query_seconds, given.serve_option)


def outcome(server: Server, path: str) -> str:
    """The status of a GET, with the kind of problem that a refusal names; or the name of the error that came instead."""
    try:
        status, body = ask(server.port, path, RESULTS_JSON)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    return str(status) if status == HTTPStatus.OK else f"{status} {problem_kind(body)}".rstrip()


def problem_kind(body: bytes) -> str:
    """The last part of a problem's type (RFC 9457); "" if the body is no problem."""
    try:
        return str(json.loads(body)["type"]).rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return ""


def probes(server: Server) -> list[Probe]:
    """The two small requests."""
    return [Probe("/health", "/health"), Probe("point query", server.path(QUERIES["q01_point"]))]


def warm(server: Server) -> list[Probe]:
    """The small requests on the idle service, a hundred times each."""
    idle = probes(server)
    for probe in idle:
        for _ in range(100):
            probe.send(server)
    return idle


def explode(server: Server, plan: Plan) -> tuple[list[Probe], Counter[str], float]:
    """The small requests while the explosive ones run, the ends of these, and how many seconds the last one took."""
    busy = probes(server)
    over = threading.Event()
    with ThreadPoolExecutor(plan.explosions + len(busy)) as clients:
        started = time.monotonic()
        explosive = [clients.submit(outcome, server, server.path(EXPLOSIVE)) for _ in range(plan.explosions)]
        small = [clients.submit(probe.send_until, server, over) for probe in busy]
        try:
            ends = Counter(request.result() for request in explosive)
        finally:
            over.set()
        seconds = time.monotonic() - started
        for request in small:
            request.result()
    return busy, ends, seconds


def recover(server: Server, before: int) -> tuple[float, float]:
    """The memory of the tree as a share of what it was, once it is back or the time is up, and the seconds waited."""
    started = time.monotonic()
    while True:
        share = memory(server.pid).pss / before
        waited = time.monotonic() - started
        if share <= MOST_MEMORY_AFTERWARDS or waited > SECONDS_TO_RECOVER:
            return share, waited
        time.sleep(0.1)


def latency_verdict(probe: Probe) -> Verdict:
    """A probe's slowest answer held against the target; an answer that was not a 200 makes it void."""
    target = Target(f"{probe.name}, slowest", MOST_MILLISECONDS, "ms")
    good = set(probe.statuses) == {"200"}
    return Verdict(target, max(probe.latencies) if good else None, "" if good else str(dict(probe.statuses)))


def measure(plan: Plan) -> list[Verdict]:
    """Start the service, explode, measure, stop the service."""
    graph = cache.graph(plan.triples)
    options = [f"--query-seconds={plan.query_seconds}", *plan.options]
    with cache.passing_folder() as folder, motorgraph(graph, Path(folder), *options) as server:
        print("idle")
        for probe in warm(server):
            print(probe.line(), flush=True)
        before = settled_memory(server.pid)
        busy, ends, seconds = explode(server, plan)
        share, waited = recover(server, before.pss)
        print(f"while {plan.explosions} explosive queries run; the last ended after {seconds:.1f} s, {dict(ends)}")
        for probe in busy:
            print(probe.line())
        print(f"memory: {before.pss / MEGABYTE:.0f} MB before, {share:.0%} of it {waited:.1f} s after the last ended")
    refused = Target("explosive queries that a limit ended", plan.explosions, at_least=True)
    back = Target("memory afterwards, as a share", MOST_MEMORY_AFTERWARDS)
    verdicts = [latency_verdict(probe) for probe in busy]
    return [*verdicts, Verdict(refused, sum(ends[limit] for limit in LIMITS)), Verdict(back, share)]


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    circumstances = {
        **machine.description(),
        "plan": f"{plan.triples:,} triples, {plan.explosions} explosions, {plan.query_seconds} s each",
    }
    return command.run(circumstances, lambda: print_verdicts(measure(plan)))


if __name__ == "__main__":
    sys.exit(main())
