"""Validation in full of the generated graph against the twelve shapes in `shapes.ttl`: seconds, memory, and the results.

`python -m bench.validation` judges the graph without faults and the one with faults, each in a process of its own, and says which
targets are kept; with `--pyshacl` also with pySHACL alone, which takes minutes. It returns 0 if all are, 1 if not.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from bench import cache, command, machine
from bench.processes import Memory, Watch, memory
from bench.servers import ServerError
from bench.targets import Target, Verdict, print_verdicts

SHAPES = Path(__file__).parent / "shapes.ttl"
DATA_GRAPH, SHAPES_GRAPH = "http://auto.example/graph/data", "http://auto.example/graph/shapes"
MEGABYTE = 1e6
MOST_SECONDS = 60.0
Row = list[str]


@dataclass(frozen=True)
class Outcome:
    """A validation: how long it took, and of processors, what it found, the memory of its processes at most and before."""

    seconds: float
    processor_seconds: float
    rows: list[Row]
    peak: Memory
    rest: int

    def line(self, title: str) -> str:
        """The outcome in words."""
        most, rest = self.peak.pss / MEGABYTE, self.rest / MEGABYTE
        took = f"{self.seconds:.1f} s, {self.processor_seconds:.1f} s of processors"
        return f"{title}: {took}, {len(self.rows)} results; {most:,.0f} MB at most, {rest:,.0f} MB before"


def triples(path: Path) -> Iterable[ox.Quad]:
    """The triples of a file, numbers written as the engine writes them."""
    store = ox.Store()
    store.bulk_load(path=str(path))
    return store


def by_the_gate(graph: Path) -> tuple[float, list[Row], int]:
    """Seconds, results and the memory before, of a store as the service has it: a graph of data, one of shapes, their merge."""
    from motorgraph import gate

    store = ox.Store()
    for path, name in ((graph, DATA_GRAPH), (SHAPES, SHAPES_GRAPH)):
        for place in (ox.NamedNode(name), ox.DefaultGraph()):
            store.bulk_load(path=str(path), to_graph=place)
    rest, started = memory(_self()).pss, time.monotonic()
    report = gate.validate_store(store, SHAPES_GRAPH, is_merged=True)
    return time.monotonic() - started, _rows(report), rest


def by_pyshacl(graph: Path) -> tuple[float, list[Row], int]:
    """The same of pySHACL alone, over rdflib's graphs in memory."""
    import pyshacl
    from rdflib import Graph

    from motorgraph import gate

    data, shapes = gate.rdflib_graph(triples(graph)), gate.rdflib_graph(triples(SHAPES))
    rest, started = memory(_self()).pss, time.monotonic()
    _, results, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    seconds = time.monotonic() - started
    assert isinstance(results, Graph)
    return seconds, _rows(gate.report(results, shapes)), rest


WAYS = {"gate": by_the_gate, "pyshacl": by_pyshacl}


def _self() -> int:
    return int(Path("/proc/self").readlink().name)


def _rows(report: object) -> list[Row]:
    """What two validations have in common if they are the same: not the messages that name blank nodes."""
    from motorgraph.gate import Report

    assert isinstance(report, Report)
    return sorted([r.severity, r.focus, r.path, r.value, r.shape] for r in report.results)


def validated(way: str, graph: Path) -> Outcome:
    """Validates in a process of its own. Raises ServerError if that fails."""
    asked = [sys.executable, "-m", "bench.validation", "--judge", way, str(graph)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE) as process, Watch(process.pid) as watch:
        said, _ = process.communicate()
    if process.returncode:
        raise ServerError(f"The validation by {way} ended with status {process.returncode}.")
    told = json.loads(said)
    return Outcome(told["seconds"], told["processors"], told["rows"], watch.peak, told["rest"])


def measure(triples: int, *, with_pyshacl: bool) -> list[Verdict]:
    """The validations, held against their targets."""
    verdicts = []
    for title, graph in (("without faults", cache.graph(triples, violations=0)), ("with faults", cache.graph(triples))):
        outcome = validated("gate", graph)
        print(outcome.line(title), flush=True)
        verdicts.append(Verdict(Target(f"validation in full, {title}", MOST_SECONDS, "s"), outcome.seconds))
        if with_pyshacl:
            plain = validated("pyshacl", graph)
            print(plain.line(f"{title}, pySHACL alone"), flush=True)
            print(f"{title}: {plain.seconds / outcome.seconds:.1f} times as fast as pySHACL alone", flush=True)
            differing = sum(row not in outcome.rows for row in plain.rows) + sum(row not in plain.rows for row in outcome.rows)
            count = Verdict(Target(f"results that differ from pySHACL's, {title}", 0), differing)
            verdicts.append(count)
    return verdicts


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.validation", description="Measure validation in full.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    parser.add_argument("--pyshacl", action="store_true", help="compare with pySHACL alone, which takes minutes")
    parser.add_argument("--judge", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    given = arguments()
    if given.judge:
        logging.disable(logging.CRITICAL)
        way, path = given.judge
        seconds, rows, rest = WAYS[way](Path(path))
        print(json.dumps({"seconds": seconds, "processors": sum(os.times()[:4]), "rows": rows, "rest": rest}))
        return 0
    circumstances = {**machine.description(), "plan": f"{given.triples:,} triples, 12 shapes"}
    return command.run(circumstances, lambda: print_verdicts(measure(given.triples, with_pyshacl=given.pyshacl)))


if __name__ == "__main__":
    sys.exit(main())
