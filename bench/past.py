"""What it costs to ask about an older commit: the first answer, which has to go back, the second, and the memory for it.

`python -m bench.past` starts a plain service with the generated graph, makes a few small commits and then a large one, and asks
about the first commit from behind each: once it is taken back, once the graph is made anew. With `--commits` it measures instead
how long the commits of a thing are looked for, which is what the first TimeMap of a thing takes, in a journal of so many.
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
from motorgraph.commits import Change
from motorgraph.journal import Journal

SMALL_COMMITS = 100
LARGE_COMMIT = 250_000
THINGS = 1_000
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


def look(commits: int) -> bool:
    """Makes a journal in which each commit adds ten quads of one of a thousand things, and looks for several of these."""
    with cache.passing_folder() as folder:
        journal = Journal.open(Path(folder) / "journal")
        for number in range(commits):
            thing = f"<http://e/id/thing/{number % THINGS}>"
            lines = "".join(
                f'{thing} <http://e/p{n}> "{number} of {n}, a text of usual length" <http://e/g> .\n' for n in range(10)
            )
            journal.append(Change([], [lines.encode()], author="bench"))
        took = []
        for thing in range(10):
            started = time.process_time()
            found = sum(1 for _ in journal.holding(f"<http://e/id/thing/{thing}>".encode(), 0, commits))
            took.append((time.process_time() - started) * 1000)
        print(f"{found} of {commits:,} commits found in {min(took):.0f} ms, median {sorted(took)[5]:.0f} ms of processor time")
        journal.close()
    return True


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.past", description="Measure answers about older commits.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    parser.add_argument("--commits", type=int, default=0, help="look through a journal of so many commits instead")
    triples, commits = parser.parse_args().triples, parser.parse_args().commits
    if commits:
        return command.run({**machine.description(), "plan": f"{commits:,} commits"}, lambda: look(commits))
    return command.run({**machine.description(), "plan": f"{triples:,} triples"}, lambda: run(triples))


if __name__ == "__main__":
    sys.exit(main())
