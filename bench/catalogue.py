"""What the catalogue costs: the first count of the whole graph, and the descriptions after a commit.

`python -m bench.catalogue` starts a plain service with the generated graph, asks for its descriptions, writes to it, and asks
again. It returns 0 if all targets are kept, 1 if not.
"""

import argparse
import http.client
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from bench import command, machine
from bench.servers import LOOPBACK, SECONDS_TO_ANSWER, Server, ServerError
from bench.targets import Target, Verdict, print_verdicts
from bench.writes import TOKEN, Client, plain_service, repricing

VOID = "/.well-known/void"
PATHS = (VOID, "/catalogue", "/sparql")
MOST_SECONDS = 1.0


@dataclass(frozen=True)
class Figures:
    """Seconds: of the first description, of one that is asked for again, and after each commit, small ones and large ones."""

    first: float
    again: float
    small: list[float]
    large: list[float]


def ask(server: Server, path: str) -> float:
    """The seconds until a description was whole. Raises ServerError if there was none."""
    with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=SECONDS_TO_ANSWER)) as connection:
        started = time.perf_counter()
        connection.request("GET", path, headers={"Accept": "text/turtle"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != http.client.OK:
            raise ServerError(f"GET {path}: {answer.status} {said[:500]!r}")
        return time.perf_counter() - started


def after_commit(server: Server, write: Callable[[Client], float]) -> float:
    """The seconds that all descriptions take together after a write."""
    with closing(Client(server)) as client:
        write(client)
    return sum(ask(server, path) for path in PATHS)


def measure(triples: int, commits: int) -> Figures:
    """All of it, at one size."""
    with plain_service(triples) as server:
        first, again = ask(server, VOID), ask(server, VOID)
        small = [after_commit(server, Client.post_claims) for _ in range(commits)]
        large = [after_commit(server, lambda client: client.update(repricing(""))) for _ in range(commits)]
    return Figures(first, again, small, large)


def verdicts(found: Figures, triples: int) -> list[Verdict]:
    """The figures held against what they have to be."""
    return [
        Verdict(
            Target(f"all descriptions after a commit of {what}, at {triples:,}", MOST_SECONDS, "s"),
            statistics.median(seconds),
            f"slowest {max(seconds):.2f}",
        )
        for what, seconds in (("20 quads", found.small), ("1,000", found.large))
    ]


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.catalogue", description="Measure the catalogue.")
    parser.add_argument("--triples", type=int, default=1_000_000)
    parser.add_argument("--commits", type=int, default=10, help="of each kind, of which the median counts")
    given = parser.parse_args()
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN

    def run() -> bool:
        found = measure(given.triples, given.commits)
        print(f"  the first of all: {found.first:,.2f} s; the same again: {found.again * 1000:,.1f} ms", flush=True)
        return print_verdicts(verdicts(found, given.triples))

    return command.run({**machine.description(), "plan": f"{given.triples:,} triples, {given.commits} commits"}, run)


if __name__ == "__main__":
    sys.exit(main())
