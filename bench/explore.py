"""How long the lists of the explorer take after a commit, at once and when a moment has passed.

`python -m bench.explore` starts the shipped service, gives a plant a name and takes it away again, and asks for each list after
each commit; `work` is the service's processor time from a commit to the answer. It returns 0 if the targets are kept, 1 if not.
"""

import argparse
import os
import statistics
import sys
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

from bench import cache, command, machine
from bench.entities import BASE
from bench.processes import processor_seconds
from bench.servers import LOOPBACK, SECONDS_TO_ANSWER, Server, ServerError, shipped_motorgraph
from bench.targets import Target, Verdict, print_verdicts
from bench.writes import TOKEN, Client

KINDS = ("plants", "makers", "deals", "network", "claims", "acts")
MOMENT = 1.0
MOST_MILLISECONDS = 100
_PLANT = f"<{BASE}/id/plant/ford-valencia-body-and-assembly>"
_NAME = "<http://www.w3.org/2004/02/skos/core#altLabel>"
_CHANGE = f'DATA {{ GRAPH <{BASE}/graph/reference> {{ {_PLANT} {_NAME} "Almussafes" }} }}'


def asked(server: Server, kind: str) -> float:
    """The milliseconds until a list is there."""
    with closing(HTTPConnection(LOOPBACK, server.port, timeout=SECONDS_TO_ANSWER)) as connection:
        began = time.perf_counter()
        connection.request("GET", f"/explore/{kind}.json")
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise ServerError(f"/explore/{kind}.json: {response.status}")
        return (time.perf_counter() - began) * 1000


def after(server: Server, kind: str, commits: int, pause: float) -> tuple[float, float]:
    """The median of the milliseconds of a list after a commit, and of the processor time from the commit on."""
    taken, work = [], []
    for commit in range(commits):
        before = processor_seconds(server.pid)
        with closing(Client(server)) as client:
            client.update(f"{'DELETE' if commit % 2 else 'INSERT'} {_CHANGE}")
        time.sleep(pause)
        taken.append(asked(server, kind))
        work.append((processor_seconds(server.pid) - before) * 1000)
    return statistics.median(taken), statistics.median(work)


def measure(commits: int) -> list[Verdict]:
    """Start the server, measure, stop the server."""
    slowest = 0.0
    with ExitStack() as stack:
        server = stack.enter_context(shipped_motorgraph(None, Path(stack.enter_context(cache.passing_folder()))))
        print(f"\n{'kind':10}{'first ms':>10}{'again':>8}{'after a commit':>16}{'work':>8}{'a moment later':>16}")
        for kind in KINDS:
            first, again = asked(server, kind), statistics.median(asked(server, kind) for _ in range(commits))
            at_once, work = after(server, kind, commits, 0)
            later, _ = after(server, kind, commits, MOMENT)
            print(f"{kind:10}{first:10.1f}{again:8.1f}{at_once:16.1f}{work:8.1f}{later:16.1f}", flush=True)
            slowest = max(slowest, at_once)
    return [Verdict(Target("a list right after a commit, the slowest kind", MOST_MILLISECONDS, "ms"), slowest)]


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.explore", description="Time the lists of the explorer.")
    parser.add_argument("--commits", type=int, default=6, help="after which each list is asked for; an even number")
    commits = parser.parse_args().commits
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    circumstances = {**machine.description(), "plan": f"{len(KINDS)} lists, each after {commits} commits"}
    return command.run(circumstances, lambda: print_verdicts(measure(commits)))


if __name__ == "__main__":
    sys.exit(main())
