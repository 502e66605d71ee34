"""What it costs to ask an engine through the service, as its remote store, rather than directly.

`python -m bench.remote` has oxigraph on disk hold the generated graph, takes it over, asks both in turns, and says which targets
are kept. It returns 0 if all are, 1 if not.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import cache, command, machine
from bench.processes import tree
from bench.queries import QUERIES
from bench.servers import LOOPBACK, Server, ServerError, durable_oxigraph, executable, shipped_motorgraph
from bench.targets import Target, Verdict, print_verdicts

SMALL_SECONDS = 0.005
MOST_SECONDS_A_QUERY = 4.0
MANY_ROWS = "SELECT ?s ?p ?o { ?s ?p ?o } LIMIT 100000"
ACCEPT = {"Accept": "text/tab-separated-values, application/n-triples;q=0.9"}


class Asked:
    """A server that is asked over one connection, and what its answers took."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=60)
        self.seconds: list[float] = []

    def ask(self, query: str) -> int:
        """Asks, and returns how many bytes came. Raises ServerError."""
        started = time.perf_counter()
        self._connection.request("GET", self._server.path(query), headers=ACCEPT)
        answer = self._connection.getresponse()
        size = len(answer.read())
        self.seconds.append(time.perf_counter() - started)
        if answer.status != http.client.OK:
            raise ServerError(f"{self._server.name} answered {answer.status}")
        return size

    def median(self) -> float:
        """Half of the answers took less; the next begin anew."""
        found = statistics.median(self.seconds)
        self.seconds.clear()
        return found


def compared(one: Asked, other: Asked, query: str, rounds: int) -> tuple[float, float]:
    """The medians of a query asked of both in turns, for as long as a few seconds allow."""
    if one.ask(query) != other.ask(query):
        raise ServerError(f"They do not answer the same: {query[-200:]}")
    one.seconds.clear(), other.seconds.clear()
    until = time.monotonic() + MOST_SECONDS_A_QUERY
    for done in range(rounds):
        if done > 4 and time.monotonic() > until:
            break
        one.ask(query)
        other.ask(query)
    return one.median(), other.median()


def peak_bytes(server: Server) -> int:
    """The most memory that any reader of a service has had."""
    found = [0]
    for pid in tree(server.pid):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        if "mg-reader" in lines[0]:
            found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(found)


def measure(triples: int, rounds: int) -> list[Verdict]:
    """Both, query by query."""
    small, large = [], []
    with cache.passing_folder() as name, durable_oxigraph(cache.graph(triples), Path(name)) as engine:
        url = f"http://{LOOPBACK}:{engine.port}{engine.sparql}"
        flags = ["--remote", url, "--remote-dialect", "oxigraph"]
        data = str(Path(name) / "data")
        subprocess.run([executable("motorgraph"), "adopt", "--data-dir", data, *flags], check=True)
        with shipped_motorgraph(None, Path(name), "--plain", "--data-dir", data, *flags) as service:
            direct, through = Asked(engine), Asked(service)
            for query, text in QUERIES.items():
                alone, together = compared(direct, through, text, rounds)
                print(f"{query:24} {alone * 1000:9.2f} ms {together * 1000:9.2f} ms", flush=True)
                (small if alone < SMALL_SECONDS else large).append((alone, together))
            compared(direct, through, MANY_ROWS, 2)
            before = peak_bytes(service)
            alone, together = compared(direct, through, MANY_ROWS, rounds)
            large.append((alone, together))
            grown = peak_bytes(service) - before
    return [
        Verdict(Target("over 5 ms, through the service, times as long, worst", 1.3), max(b / a for a, b in large)),
        Verdict(Target("others, longer by, worst", 1, "ms"), max(((b - a) * 1000 for a, b in small), default=None)),
        Verdict(Target("100,000 rows, what a reader grows by", 8, "MiB"), grown / 2**20),
    ]


def main() -> int:
    """Measures, and prints what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.remote", description="Ask an engine directly and through the service.")
    parser.add_argument("--triples", type=int, default=100_000, help="of the generated graph")
    parser.add_argument("--rounds", type=int, default=200, help="most times that a query is asked of each")
    given = parser.parse_args()
    return command.run(machine.description(), lambda: print_verdicts(measure(given.triples, given.rounds)))


if __name__ == "__main__":
    sys.exit(main())
