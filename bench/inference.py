"""What it costs to infer what follows from a change: of the shipped graph, with other triples beside it if asked for.

    python -m bench.inference [--triples 1000000] [--rounds 3]

Each change is made on the graph as the service holds it, what follows is worked out where the change touches the rules and then
all anew, the two are compared, and the change is undone. Processor time, the least of the rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from io import StringIO
from typing import TypeVar

import pyoxigraph as ox

from bench.gen import generate
from bench.machine import description
from motorgraph import corpus
from motorgraph.consequences import Consequences, Outcomes
from motorgraph.engine import loading
from motorgraph.inference import filled, rebuild, renew, shipped_rules
from motorgraph.vocab import Names

Result = TypeVar("Result")
PREFIXES = """
    PREFIX graph: <https://motorgraph.example/graph/>
    PREFIX mg: <https://motorgraph.example/ontology/>
    PREFIX plant: <https://motorgraph.example/id/plant/>
    PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
"""
OF = "GRAPH ?g { ?s ?p ?o } FILTER(?g != graph:inferred)"
PLANT = "BIND(plant:alexander-dennis-guildford AS ?s)"
SOURCE = f'SELECT ?g {{ {OF} FILTER(CONTAINS(STR(?g), "/source/")) }} GROUP BY ?g ORDER BY'
CHANGES = {  # the quads that go and come back
    "20 quads of a plant": f"{PLANT} {OF}",
    "its types": f"{PLANT} BIND(rdf:type AS ?p) {OF}",
    "a source's graph of middle size": f"{{ {SOURCE} COUNT(*) ?g OFFSET 60 LIMIT 1 }} {OF}",
    "the greatest graph of a source": f"{{ {SOURCE} DESC(COUNT(*)) LIMIT 1 }} {OF}",
    "a holding": f"{{ SELECT ?s {{ GRAPH graph:accepted {{ ?s mg:stakePercent ?x }} }} ORDER BY ?s LIMIT 1 }} {OF}",
    "a subclass": f"BIND(mg:Plant AS ?s) BIND(rdfs:subClassOf AS ?p) {OF}",
}


def main() -> None:
    """Prints a line for each change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triples", type=int, default=0, help="how many triples of bench.gen stand beside the shipped graph")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for topic, words in description().items():
        print(f"{topic:9}{words}")
    store, rules, made = ox.Store(), shipped_rules(Names()), ox.Store()
    for file in corpus.shipped(Names()):
        loading.load_file(store, file)
    if arguments.triples:
        beside = StringIO()
        generate(arguments.triples, 42, beside.write)
        store.bulk_load(beside.getvalue(), ox.RdfFormat.N_TRIPLES, to_graph=ox.NamedNode("urn:beside"))
    renew(store, rules, made)
    loading.merge(store)
    reading, outcomes = _clocked(lambda: Outcomes.of(rules, made))
    print(f"{len(store)} quads; the rules are read in {reading:.0f} ms\n")
    for name, pattern in CHANGES.items():
        quads = _quads(store, pattern)
        times = [_tried(store, outcomes, *pair) for _ in range(arguments.rounds) for pair in ((quads, ()), ((), quads))]
        there, back = min(times[::2]), min(times[1::2])
        print(f"{name}: {len(quads)} quads, gone {there:.1f} ms, come back {back:.1f} ms")
    print(f"all anew: {min(_clocked(lambda: rebuild(store, rules))[0] for _ in range(arguments.rounds)):.0f} ms")


def _quads(store: ox.Store, pattern: str) -> set[ox.Quad]:
    found = store.query(f"{PREFIXES} SELECT DISTINCT ?s ?p ?o ?g {{ {pattern} }}")
    assert isinstance(found, ox.QuerySolutions)
    return {ox.Quad(*(row[name] for name in "spog")) for row in found}  # type: ignore[arg-type]  # as the pattern binds them


def _tried(store: ox.Store, outcomes: Outcomes, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> float:
    """How many milliseconds it takes to infer what follows from a change; that it is right is looked at."""
    for quad in removed:
        store.remove(quad)
    store.extend(added)
    loading.follow(store, removed, added)
    ox.Store()  # has the allocator tidy up what the last comparison has left, which takes longer than what is measured
    spent, found = _clocked(lambda: Consequences.of(store, outcomes, removed, added))
    loading.follow(store, found.removed, found.added)
    rules = list(outcomes.sights)
    if filled(store, rules) != rebuild(store, rules):
        raise SystemExit("What was inferred is not what follows.")
    return spent


def _clocked(work: Callable[[], Result]) -> tuple[float, Result]:
    """The milliseconds of processor time that work takes, and what it gives."""
    started = time.process_time()
    result = work()
    return (time.process_time() - started) * 1000, result


if __name__ == "__main__":
    main()
