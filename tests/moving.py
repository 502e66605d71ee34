"""Small graphs, and changes of them as drafts write them down."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pyoxigraph as ox
from hypothesis import strategies as st

from motorgraph.engine.delta import Delta, Written
from motorgraph.engine.loading import merge
from motorgraph.engine.wire import Job

BASE = "http://own.example/"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
LABEL = ox.NamedNode("http://own.example/ontology/label")


def iri(name: str) -> ox.NamedNode:
    return ox.NamedNode(name if "//" in name else BASE + name)


def store_of(quads: Iterable[ox.Quad], *, union: bool) -> ox.Store:
    store = ox.Store()
    store.extend(quads)
    if union:
        merge(store)
    return store


def copied(store: ox.Store) -> ox.Store:
    copy = ox.Store()
    copy.extend(store)
    for graph in store.named_graphs():
        copy.add_graph(graph)
    return copy


def nameless(quads: Iterable[ox.Quad]) -> ox.Dataset:
    """What quads say, whatever their blank nodes are called."""
    said = ox.Dataset(quads)
    said.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return said


def change(removed: Iterable[ox.Quad] = (), added: Iterable[ox.Quad] = (), *, union: bool = True) -> Written:
    """A change as a draft writes it down."""
    spool = io.BytesIO()
    Delta(removed=set(removed), added=set(added)).write(spool, Job("update", union=union), {})
    return Written.of(spool.getvalue())


SUBJECTS = st.sampled_from([iri("id/a"), iri("id/b"), iri("http://other.example/c"), ox.BlankNode("n")])
CLASSES = [iri("Plant"), iri("Maker"), ox.BlankNode("n")]
OTHERS = [iri("id/a"), iri("id/b"), iri("http://other.example/c"), ox.BlankNode("n"), iri("urn:x"), iri("Plant")]
LITERALS = [ox.Literal("x"), ox.Literal("x", language="en"), ox.Literal(1), ox.Literal("x", datatype=iri("unit"))]
TRIPLE = ox.Triple(iri("id/a"), LABEL, ox.Literal(1))
STATEMENTS = st.one_of(
    st.tuples(SUBJECTS, st.just(TYPE), st.sampled_from(CLASSES)),
    st.tuples(SUBJECTS, st.sampled_from([LABEL, iri("owner")]), st.sampled_from([*OTHERS, *LITERALS, TRIPLE])),
)
NAMED = [iri("g1"), iri("g2")]
STEPS = st.lists(st.tuples(st.booleans(), STATEMENTS, st.sampled_from([*NAMED, ox.DefaultGraph()])), max_size=8)
Steps = list[tuple[bool, tuple[ox.NamedNode, ox.NamedNode, ox.NamedNode], ox.NamedNode]]


def quads_of(steps: Steps, *, union: bool) -> set[ox.Quad]:
    """The quads of steps; where the default graph is the merge of the others none of that."""
    quads = {ox.Quad(*statement, graph) for _, statement, graph in steps}
    return {quad for quad in quads if not (union and isinstance(quad.graph_name, ox.DefaultGraph))}


def step(store: ox.Store, steps: Steps, *, union: bool) -> Written:
    """Makes a change of some steps, each of which adds a quad or removes one."""
    removed, added = (quads_of([each for each in steps if each[0] is way], union=union) for way in (False, True))
    made = change(removed & set(store), added - set(store), union=union)
    made.make(store)
    return made
