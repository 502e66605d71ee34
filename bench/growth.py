"""How cost grows with the graph: start, commit, query, dump and validation in full, at each size, with the slope of each.

`python -m bench.growth` starts a plain service for each size of the generated graph, one after the other. A slope of 1 means that
ten times the graph costs ten times as much, 0 that its size does not matter.
"""

import argparse
import http.client
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import cache, command, machine
from bench.dumps import fetched
from bench.processes import wait_until_idle
from bench.queries import TIMED, Query
from bench.servers import LOOPBACK, SECONDS_TO_ANSWER, Server, ServerError, wait_until_at_rest
from bench.validation import validated
from bench.writes import TOKEN, WARM_WRITES, Client, median_milliseconds, numbers, plain_service

COSTS = ("start", "commit", "query", "dump", "validation")


@dataclass(frozen=True)
class Cost:
    """Seconds at a size: of a start, a commit of 20 quads, each query, gzip N-Quads of all, judging all by twelve shapes."""

    triples: int
    start: float
    commit: float
    queries: dict[str, float]
    dump: float
    validation: float

    @property
    def query(self) -> float:
        """The geometric mean of the queries."""
        return statistics.geometric_mean(self.queries.values())


def slope(points: Mapping[int, float]) -> float:
    """The exponent of size by which seconds grow: of the straight line nearest to their logarithms."""
    sizes, seconds = [math.log(size) for size in points], [math.log(each) for each in points.values()]
    return statistics.linear_regression(sizes, seconds).slope


def slopes(costs: Sequence[Cost]) -> dict[str, float]:
    """The slope of each cost, none for a single size."""
    if len(costs) < 2:
        return {}
    return {name: slope({cost.triples: getattr(cost, name) for cost in costs}) for name in COSTS}


def measured(triples: int, writes: int, rounds: int) -> Cost:
    """The costs at a size."""
    with plain_service(triples) as server:
        wait_until_at_rest([server])
        queries = {name: asked(server, query, rounds) for name, query in TIMED.items()}
        with closing(Client(server)) as client:
            median_milliseconds(client.post_claims, WARM_WRITES)
            commit = median_milliseconds(client.post_claims, writes) / 1000
        wait_until_idle(server.pid)
        _, dump, _ = fetched(server, "/dumps/latest/motorgraph.nq.gz")
        start = server.seconds_to_ready
    judged = validated("gate", cache.graph(triples, violations=0))
    cost = Cost(triples, start, commit, queries, dump, judged.seconds)
    print(row(cost), flush=True)
    return cost


def asked(server: Server, query: Query, rounds: int) -> float:
    """The median of the seconds that a query takes on one connection, after once to warm up. Raises ServerError if it fails."""
    waits = []
    with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=SECONDS_TO_ANSWER)) as connection:
        for _ in range(1 + rounds):
            started = time.perf_counter()
            connection.request("GET", server.path(query.text), headers={"Accept": query.accept})
            response = connection.getresponse()
            response.read()
            waits.append(time.perf_counter() - started)
            if response.status != http.client.OK:
                raise ServerError(f"{query.name}: {response.status}")
    return statistics.median(waits[1:])


def row(cost: Cost) -> str:
    """The costs at a size as a line of text."""
    return f"{cost.triples:>12,} triples" + "".join(f"{name:>12} {getattr(cost, name):9.4f} s" for name in COSTS)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description="Measure how cost grows with the graph.")
    parser.add_argument("--triples", type=numbers, default=[100_000, 1_000_000], help="sizes: 100000,1000000,10000000")
    parser.add_argument("--writes", type=int, default=20, help="commits of which the median counts")
    parser.add_argument("--rounds", type=int, default=5, help="times that each query is asked, of which the median counts")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    return parser.parse_args()


def measure(plan: argparse.Namespace, circumstances: Mapping[str, str]) -> bool:
    """The costs at all sizes, and their slopes; True, since no target is set."""
    costs = [measured(triples, plan.writes, plan.rounds) for triples in sorted(plan.triples)]
    for name, exponent in slopes(costs).items():
        print(f"{name:12} slope {exponent:5.2f}")
    if plan.json:
        content = {"command": command.line("bench.growth"), "circumstances": circumstances}
        content["costs"] = [asdict(cost) for cost in costs]
        plan.json.write_text(json.dumps(content, indent=1) + "\n")
    return True


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    circumstances = {**machine.description(), "plan": ", ".join(f"{triples:,}" for triples in plan.triples) + " triples"}
    return command.run(circumstances, lambda: measure(plan, circumstances))


if __name__ == "__main__":
    sys.exit(main())
