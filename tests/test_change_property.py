"""The judgement of a change, and that in full, against plain pySHACL: shapes, graphs and changes of all kinds."""

from __future__ import annotations

import warnings
from collections import Counter
from random import Random

import pyoxigraph as ox
import pyshacl
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from rdflib import Graph

from motorgraph import gate
from motorgraph.change import judge_change
from motorgraph.engine import loading
from motorgraph.shapes import Shapes
from tests.shapely import BACKDROP, GRAPHS, TARGETS, X, parts, quads, query, shape, shape_quads, shared, sparql, statements

SHAPES = ox.NamedNode(X + "shapes")
STEPS = 6
OFTEN_SUBJECTS = (*TARGETS, *TARGETS[4:5] * 5)
Found = Counter[gate.Result]
Quads = set[ox.Quad]


# The judgements


def _plain(store: ox.Store) -> Found:
    shapes = gate.rdflib_graph(store.quads_for_pattern(None, None, None, SHAPES))
    data = gate.rdflib_graph(quad for quad in store if quad.graph_name in GRAPHS)
    _, results, _ = pyshacl.validate(data, shacl_graph=shapes, inplace=True)
    assert isinstance(results, Graph)
    return Counter(gate.report(results, shapes).results)


class World:
    """A store with a graph of shapes and two graphs of data, and what was found in it before."""

    def __init__(self, told: dict[str, str], data: Quads) -> None:
        self.parts = {name: shape_quads(text, SHAPES) for name, text in told.items()}
        self.store = ox.Store()
        self.store.extend(data)
        self.store.extend(quad for part in self.parts.values() for quad in part)
        loading.merge(self.store)
        self.known: Found = Counter()
        self.shapes: Shapes | None = None

    @property
    def data(self) -> Quads:
        """What is no shape."""
        return {quad for quad in self.store if quad.graph_name in GRAPHS}

    def check(self, removed: Quads, added: Quads) -> None:
        """Makes a change and looks at what is found. Rejects the example where pySHACL gives up."""
        removed, added = removed - added, {quad for quad in added - removed if quad not in self.store}
        for quad in removed:
            self.store.remove(quad)
        self.store.extend(added)
        loading.follow(self.store, removed, added)
        try:
            expected = _plain(self.store)
        except Exception:  # noqa: BLE001  # pySHACL gives up where it has to compare blank nodes, and the like
            reject()
        in_full = Counter(gate.validate_store(self.store, SHAPES.value, is_merged=True).results)
        assert in_full == expected
        if self.shapes is not None:
            found = Counter(judge_change(self.store, self.shapes, removed, added).results)
            assert not found - expected
            assert not (expected - self.known) - found
        if self.shapes is None or any(quad.graph_name == SHAPES for quad in removed | added):
            self.shapes = Shapes.of(self.store, SHAPES.value)
        self.known = expected

    def replace(self, name: str, text: str) -> tuple[Quads, Quads]:
        """Another text for a part of the shapes: what goes, what comes."""
        removed, self.parts[name] = self.parts[name], shape_quads(text, SHAPES)
        return removed, self.parts[name]


def compare(told: dict[str, str], seed: int, *, with_shapes: bool = True) -> None:
    """Makes some changes one after the other and looks at what is found after each."""
    dice = Random(seed)
    world = World(told, quads(BACKDROP | statements(dice, dice.randrange(8, 30))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a shape within itself
        world.check(set(), set())
        for _ in range(STEPS):
            kind = dice.random()
            removed: Quads = set()
            added: Quads = set()
            if kind < 0.05:
                removed = {quad for quad in world.data if quad.graph_name == GRAPHS[1]}
            elif kind < 0.95:
                removed = set(dice.sample(sorted(world.data, key=str), min(len(world.data), dice.choice([0, 1, 2]))))
                added = quads(statements(dice, dice.choice([0, 1, 2])))
            if with_shapes and dice.random() < 0.25:
                name = dice.choice([*told, "S0", "S1"])
                text = shape(dice, name) if name[0] == "S" else shared(dice, name) if name[0] == ":" else told[name]
                gone, come = world.replace(name, text)
                removed, added = removed | gone, added | come
            world.check(removed, added)


BOUNDED = settings(derandomize=True, deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 1_000_000_000)


def of_the_core(seed: int) -> None:
    """One example: shapes of all kinds."""
    compare(parts(Random(seed)), seed)


def of_queries(seed: int) -> None:
    """One example: shapes of SPARQL constraints alone."""
    dice = Random(seed)
    shapes = {
        f"S{i}": f':S{i} a sh:NodeShape ; {dice.choice(OFTEN_SUBJECTS)} ; sh:message "m{i}" ; {sparql(query(dice))} .'
        for i in range(3)
    }
    compare({"prefixes": parts(dice, 0)["prefixes"], **shapes}, seed, with_shapes=False)


@BOUNDED
@given(seed=SEEDS)
def test_what_the_constraints_of_the_core_find_is_found(seed: int) -> None:
    of_the_core(seed)


@BOUNDED
@given(seed=SEEDS)
def test_what_queries_find_is_found(seed: int) -> None:
    of_queries(seed)


def test_a_literal_is_the_end_of_its_own_path_of_no_length() -> None:
    of_queries(20220)
