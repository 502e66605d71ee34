"""What it costs to ask about an older commit: the first answer, which has to go back, the second, and the memory for it.

`python -m bench.past` starts a plain service with the generated graph, makes a few small commits and then a large one, and asks
about the first commit from behind each: once it is taken back, once the graph is made anew.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from bench import cache, command, machine
from bench.processes import memory
from bench.queries import QUERIES
from bench.servers import RESULTS_JSON, Server, ask, motorgraph
from bench.writes import TOKEN, Client

SMALL_COMMITS = 100
LARGE_COMMIT = 250_000
SECONDS_BETWEEN = 65  # longer than a process is kept idle
TIMES = 3
NAMES = ("q01_point", "q08_plants_country", "q17_count")


def asked(server: Server, name: str, commit: int = 0) -> float:
    """Milliseconds until a query is answered, about a commit or (0) about now."""
    path = server.path(QUERIES[name]) + (f"&at={commit}" if commit else "")
    started = time.perf_counter()
    status, body = ask(server.port, path, RESULTS_JSON)
    assert status == 200, body[:500]
    return (time.perf_counter() - started) * 1000


def measure(server: Server, words: str) -> None:
    """Asks about the first commit, for the first time since the last change of it, and prints what it took."""
    before = memory(server.pid).pss
    print(f"{words}: first answer {asked(server, NAMES[0], 1):.0f} ms, {(memory(server.pid).pss - before) / 1e6:.0f} MB more")
    for name in NAMES:
        now, then = (min(asked(server, name, commit) for _ in range(TIMES)) for commit in (0, 1))
        print(f"{words}: {name}: now {now:.1f} ms, commit 1 {then:.1f} ms")
    print(f"{words}: {(memory(server.pid).pss - before) / 1e6:.0f} MB more afterwards")


def run(triples: int) -> bool:
    """The whole of it."""
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    with cache.passing_folder() as folder, motorgraph(cache.graph(triples), Path(folder)) as server:
        client = Client(server)
        for number in range(SMALL_COMMITS):
            client.update(f"INSERT DATA {{ <urn:past:{number}> <urn:past> {number} }}")
        measure(server, f"{SMALL_COMMITS} commits taken back")
        large = "".join(f"<urn:large:{number}> <urn:past> <urn:past:{number % 100}> .\n" for number in range(LARGE_COMMIT))
        time.sleep(SECONDS_BETWEEN)
        client = Client(server)  # the other connection has been idle for too long
        client.send("/graphs?graph=urn:large", large.encode(), "application/n-triples", "PUT")
        measure(server, "made anew")
    return True


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.past", description="Measure answers about older commits.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    triples = parser.parse_args().triples
    return command.run({**machine.description(), "plan": f"{triples:,} triples"}, lambda: run(triples))


if __name__ == "__main__":
    sys.exit(main())
