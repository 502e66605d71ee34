"""What a write costs: from request to answer, durable and seen by every reader, and what it costs those who read meanwhile.

`python -m bench.writes` starts a service for each size of the generated graph, writes to it over HTTP, and says which
targets are kept. It returns 0 if all are, 1 if not.
"""

import argparse
import http.client
import itertools
import os
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench import cache, command, machine
from bench.queries import ID, PREFIXES, QUERIES, TIMED
from bench.servers import LOOPBACK, N_TRIPLES, SECONDS_TO_ANSWER, Server, ServerError, motorgraph, shipped_motorgraph
from bench.targets import Target, Verdict, print_verdicts
from bench.wrk import Load, Reading, drive

TOKEN = "writes"  # of a service that lives for minutes, on loopback
SHAPES = Path(__file__).with_name("shapes.ttl")
SHAPES_GRAPH = "https://motorgraph.example/graph/shapes"
CLAIMS = f"{ID}/graph/claims"
READ = "q03_star"
CLAIMS_A_WRITE = 4  # of five triples each
MOST_TRIPLES_FOR_A_BOUND = 1_000_000
CHANGED = 1000
LOADED = 1_000_000
WARM_WRITES = 5


@dataclass(frozen=True)
class Plan:
    """What to measure: sizes without and with shapes, writes and updates of which the median counts, the mixed load."""

    sizes: list[int]
    shaped: list[int]
    writes: int
    updates: int
    writers: int
    pause: float
    readers: int
    seconds: int


@dataclass(frozen=True)
class Figures:
    """Milliseconds of a write and of an update by the median, at a size."""

    write: float
    update: float | None


class Client:
    """Writes over one connection."""

    _numbers = itertools.count()

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, server.port, timeout=SECONDS_TO_ANSWER)

    def close(self) -> None:
        """Closes it."""
        self._connection.close()

    def send(self, path: str, body: bytes, media_type: str, method: str = "POST") -> float:
        """The seconds that a write took. Raises ServerError if it was not made."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": media_type}
        started = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise ServerError(f"{method} {path}: {answer.status} {said[:500]!r}")
        return time.perf_counter() - started

    def post_claims(self) -> float:
        """The seconds that twenty quads took which the shapes look at."""
        return self.send(f"/graphs?graph={quote(CLAIMS, safe='')}", claims(next(self._numbers)), N_TRIPLES)

    def update(self, text: str) -> float:
        """The seconds that an update took."""
        return self.send("/sparql", text.encode(), "application/sparql-update")


def claims(number: int) -> bytes:
    """Claims that there have not been, about what there is, as N-Triples."""
    lines = []
    for place in range(CLAIMS_A_WRITE):
        claim = f"<{ID}/claim/new-{number}-{place}>"
        told = {
            "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "<http://auto.example/ontology#Claim>",
            "http://auto.example/ontology#about": f"<{ID}/collaboration/{(number + place) % 20}>",
            "http://auto.example/ontology#stance": '"reports"',
            "http://auto.example/ontology#source": f"<{ID}/article/{(number + place) % 100}>",
            "http://auto.example/ontology#claimDate": '"2026-01-31"^^<http://www.w3.org/2001/XMLSchema#date>',
        }
        lines += [f"{claim} <{predicate}> {value} .\n" for predicate, value in told.items()]
    return "".join(lines).encode()


def repricing(graph: str) -> str:
    """An update that changes a thousand quads of a graph ("" for the default graph): half of them go, half come."""
    where = "?model ao:price ?price"
    inner = f"GRAPH <{graph}> {{ {where} }}" if graph else where
    return (
        f"{PREFIXES}{f'WITH <{graph}> ' if graph else ''}DELETE {{ {where} }} INSERT {{ ?model ao:price ?next }} WHERE {{ "
        f"{{ SELECT ?model ?price {{ {inner} }} LIMIT {CHANGED // 2} }} BIND(?price + 1 AS ?next) }}"
    )


@contextmanager
def plain_service(triples: int) -> Iterator[Server]:
    """A plain service with the generated graph."""
    with cache.passing_folder() as folder, motorgraph(cache.graph(triples), Path(folder)) as server:
        yield server


@contextmanager
def shaped_service(triples: int) -> Iterator[Server]:
    """The shipped service with the generated graph, and the shapes for it beside its own."""
    with cache.passing_folder() as folder:
        shapes = Path(folder) / "shapes.trig"
        prefixes, _, rest = SHAPES.read_text().partition("\n\n")
        shapes.write_text(f"{prefixes}\nGRAPH <{SHAPES_GRAPH}> {{\n{rest}\n}}\n")
        with shipped_motorgraph(cache.graph(triples, violations=0), Path(folder), f"--load={shapes}") as server:
            yield server


def median_milliseconds(act: Callable[[], float], times: int) -> float:
    """The median of so many seconds, in milliseconds."""
    return statistics.median(act() for _ in range(times)) * 1000


def measure_size(server: Server, plan: Plan, triples: int, graph: str) -> Figures:
    """Writes and updates of a service that has nothing else to do."""
    with closing(Client(server)) as client:
        first = client.post_claims() * 1000
        median_milliseconds(client.post_claims, WARM_WRITES)
        write = median_milliseconds(client.post_claims, plan.writes)
        update = median_milliseconds(lambda: client.update(repricing(graph)), plan.updates) if plan.updates else None
    told = "-" if update is None else f"{update:,.0f} ms"
    print(f"  {triples:>12,} triples: 20 quads {write:,.1f} ms (the first {first:,.0f}), {CHANGED:,} by WHERE {told}", flush=True)
    return Figures(write, update)


@dataclass(frozen=True)
class Loading:
    """How a bulk load went: triples a second, and the slowest of the small queries that were answered meanwhile, in seconds."""

    rate: float
    slowest: float
    answered: int


def load(server: Server) -> Loading:
    """Put a million triples into a new graph, and ask for one triple again and again meanwhile."""
    body = cache.graph(LOADED).read_bytes()
    over = threading.Event()
    waits: list[float] = []

    def ask() -> None:
        with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=SECONDS_TO_ANSWER)) as connection:
            while not over.wait(0.01):
                started = time.perf_counter()
                connection.request("GET", server.path(QUERIES["q15_ask"]), headers={"Cache-Control": "no-cache"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != http.client.OK:
                    raise ServerError(f"A query during the load: {answer.status}")
                waits.append(time.perf_counter() - started)

    with ThreadPoolExecutor(1) as beside, closing(Client(server)) as client:
        asking = beside.submit(ask)
        try:
            seconds = client.send(f"/graphs?graph={quote(ID + '/graph/bulk', safe='')}", body, N_TRIPLES, "PUT")
        finally:
            over.set()
        asking.result()
    return Loading(LOADED / seconds, max(waits), len(waits))


@dataclass(frozen=True)
class Mixed:
    """Readers alone and beside writers, the writes that were made and those that were not."""

    idle: Reading
    busy: Reading
    writes: int
    errors: Counter[str]

    @property
    def share(self) -> float:
        """The rate of the readers in terms of what it is alone."""
        return self.busy.rate / self.idle.rate


def mix(server: Server, plan: Plan) -> Mixed:
    """Readers alone, then beside writers of which each makes a pause after each write."""
    reading = Load(QUERIES[READ], TIMED[READ].accept, plan.readers, plan.seconds)
    drive(server, reading)
    idle = drive(server, reading)
    over = threading.Event()
    errors: Counter[str] = Counter()

    def write() -> int:
        made = 0
        with closing(Client(server)) as client:
            while not over.wait(plan.pause):
                try:
                    client.post_claims()
                    made += 1
                except (ServerError, OSError, http.client.HTTPException) as error:
                    errors[str(error)[:200]] += 1
        return made

    with ThreadPoolExecutor(plan.writers) as writers:
        writing = [writers.submit(write) for _ in range(plan.writers)]
        try:
            busy = drive(server, reading)
        finally:
            over.set()
        return Mixed(idle, busy, sum(each.result() for each in writing), errors)


def measure(plan: Plan) -> list[Verdict]:
    """Everything, one service after the other."""
    plain: dict[int, Figures] = {}
    shaped: dict[int, Figures] = {}
    loading = mixed = None
    print("plain", flush=True)
    for triples in plan.sizes:
        with plain_service(triples) as server:
            plain[triples] = measure_size(server, plan, triples, "")
            if triples == plan.sizes[-1]:
                mixed = mix(server, plan)
                loading = load(server)
    print("with shapes", flush=True)
    for triples in plan.shaped:
        with shaped_service(triples) as server:
            print(f"  ready, and all validated, after {server.seconds_to_ready:,.0f} s", flush=True)
            graph = f"https://motorgraph.example/graph/source/graph-{triples}-{cache.SEED}-0"
            shaped[triples] = measure_size(server, plan, triples, graph)
    return [
        *verdicts_of_size("without shapes", plain),
        *verdicts_of_size("with shapes", shaped),
        *verdicts_of_load(loading),
        *verdicts_of_mixture(mixed, plan),
    ]


def verdicts_of_size(kind: str, figures: dict[int, Figures]) -> Iterator[Verdict]:
    """What a write and an update took at each size, and how far the first is flat."""
    for triples, found in figures.items():
        if triples <= MOST_TRIPLES_FOR_A_BOUND:  # beyond it, it is to be flat
            yield Verdict(Target(f"20 quads {kind}, p50 at {triples:,}", 50, "ms"), found.write)
        if found.update is not None:
            yield Verdict(Target(f"{CHANGED:,} quads by WHERE {kind}, p50 at {triples:,}", 1500, "ms"), found.update)
    if len(figures) > 1:
        least, most = min(figures), max(figures)
        target = Target(f"20 quads {kind}, at {most:,} to at {least:,}", 2)
        yield Verdict(target, figures[most].write / figures[least].write)


def verdicts_of_load(loading: Loading | None) -> Iterator[Verdict]:
    """The rate of a load, and whether it was felt."""
    if loading is not None:
        note = f"{loading.answered} small queries meanwhile, the slowest {loading.slowest * 1000:,.0f} ms"
        yield Verdict(Target("triples a second into journal and memory", 100_000, at_least=True), loading.rate, note)


def verdicts_of_mixture(mixed: Mixed | None, plan: Plan) -> Iterator[Verdict]:
    """Readers beside writers."""
    if mixed is not None:
        wrong = sum(mixed.errors.values()) + mixed.busy.errors
        beside = f"{plan.writers} writers and {plan.readers} readers"
        yield Verdict(Target(f"{beside}: errors", 0), wrong, "; ".join(mixed.errors))
        note = f"{mixed.writes / plan.seconds:.0f} writes a second; {mixed.idle.rate:,.0f} answers a second without"
        yield Verdict(Target(f"{beside}: read rate as a share", 0.7, at_least=True), mixed.share, note)


def numbers(text: str) -> list[int]:
    """Sizes, separated by commas; none for an empty text."""
    return [int(part) for part in text.split(",") if part]


def arguments() -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description="Measure writes.")
    parser.add_argument("--triples", type=numbers, default=[100_000, 1_000_000], help="sizes without shapes: 100000,10000000")
    parser.add_argument("--shaped", type=numbers, default=[100_000, 1_000_000], help="sizes with shapes; '' for none")
    parser.add_argument("--writes", type=int, default=50, help="of which the median counts")
    parser.add_argument("--updates", type=int, default=5, help="of which the median counts")
    parser.add_argument("--writers", type=int, default=10)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds of a writer between two writes")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=10, help="of the mixed load")
    given = parser.parse_args()
    shape = given.writes, given.updates, given.writers, given.pause, given.readers, given.seconds
    return Plan(sorted(given.triples), sorted(given.shaped), *shape)


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    told = ", ".join(f"{triples:,}" for triples in plan.sizes)
    shaped = ", ".join(f"{triples:,}" for triples in plan.shaped) or "none"
    circumstances = {**machine.description(), "plan": f"{told} triples; with shapes {shaped}; {plan.pause:g} s between writes"}
    return command.run(circumstances, lambda: print_verdicts(measure(plan)))


if __name__ == "__main__":
    sys.exit(main())
