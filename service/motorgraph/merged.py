"""The merge of a store's named graphs, read where it lies: for walks over its triples, and as rdflib's graph for pySHACL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import Any

import pyoxigraph as ox
from rdflib import Graph
from rdflib.namespace import RDFS
from rdflib.paths import Path as RdflibPath
from rdflib.plugins.sparql.sparql import Query
from rdflib.plugins.stores.memory import Memory
from rdflib.term import Node

from motorgraph import gate
from motorgraph.engine.remote import remote
from motorgraph.reach import Choice, Hop, Look, Path, Repeated, Sequence, Term, engine_term

SUBCLASS = ox.NamedNode(str(RDFS.subClassOf))
MOST_NODES = 10_000
"""To how many nodes a walk may lead."""
MOST_STEPS = (100, 10_000)
"""To how many nodes a walk from a changed triple may lead before another way is tried, at first and then."""
EVERYWHERE = None
"""In the place of a set of nodes: all of them."""
GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph


class TooFar(Exception):
    """A walk that leads to too many nodes, or too many focus nodes."""


class Data:
    """The merge of all named graphs of a store but those that are no data; walks over it also take the triples that are gone.

    It is read in the default graph, which has to be the merge of all named graphs. `hidden` are the subjects in the graph of the
    shapes: only with them, and with those of the graphs `apart`, a look at the named graphs has to tell whether a triple is data.
    """

    def __init__(
        self, store: ox.Store, shapes: ox.NamedNode | None, hidden: Collection[Term] = (), apart: Collection[ox.NamedNode] = ()
    ) -> None:
        self.store = store
        self.gone = ox.Store()
        self._no_data = {shapes, *apart, ox.DefaultGraph()} - {None}
        self._hidden = hidden
        self._apart = [graph for graph in apart if store.contains_named_graph(graph)]
        self._above: dict[Term, set[Term]] = {}

    @classmethod
    def copied(cls, quads: Iterable[ox.Quad], shapes: ox.NamedNode) -> Data:
        """The merge of quads that are all data, in a store of its own."""
        data = cls(ox.Store(), shapes)
        data.store.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
        return data

    @cached_property
    def names(self) -> list[GraphName]:
        """The graphs that are data."""
        return [name for name in self.store.named_graphs() if self.holds(name)] if self._hides else [ox.DefaultGraph()]

    @property
    def _hides(self) -> bool:
        """Whether the default graph has more than data."""
        return bool(self._hidden or self._apart)

    def _may_hide(self, subject: Term) -> bool:
        """Whether a graph that is no data says something of a node."""
        if isinstance(subject, ox.Literal) or subject in self._hidden:
            return True
        return any(True for graph in self._apart for _ in self.store.quads_for_pattern(subject, None, None, graph))

    def shows_apart(self, looks: Iterable[Look]) -> bool:
        """Whether a look may meet a triple of another graph that is no data."""
        patterns = [(look.subject, look.predicate, look.object) for look in looks if not isinstance(look.subject, ox.Literal)]
        return any(True for graph in self._apart for each in patterns for _ in self.store.quads_for_pattern(*each, graph))

    def look_up(self, nodes: Iterable[Term], *, back: bool = False) -> None:
        """Has a store elsewhere asked by few queries for what is looked at next: what nodes say, or (`back`) is said of them."""
        there = remote(self.store)
        if there is not None:
            there.know((None, None, node) if back else (node, None, None) for node in nodes)

    def _look_along(self, hop: Hop, nodes: Iterable[Term]) -> None:
        """As `look_up`, for a hop from nodes."""
        there = remote(self.store)
        if there is not None:
            there.know((None, hop.predicate, node) if hop.is_inverse else (node, None, None) for node in nodes)

    def holds(self, graph: GraphName) -> bool:
        """Whether a named graph is data."""
        return graph not in self._no_data

    def graphs(self, triple: ox.Triple) -> set[GraphName]:
        """The graphs with data in which a triple stands."""
        found = self.store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
        return {quad.graph_name for quad in found if self.holds(quad.graph_name)}

    def quads(self, subject: Term | None, predicate: Term | None, object_: Term | None) -> Iterator[ox.Quad]:
        """The triples of a pattern (None: any term)."""
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode | None):
            return iter(())
        found = self.store.quads_for_pattern(subject, predicate, object_, ox.DefaultGraph())
        if not self._hides or (subject is not None and not self._may_hide(subject)):
            return found
        return (quad for quad in found if not self._may_hide(quad.subject) or self.graphs(quad.triple))

    def far(self, node: Term, hop: Hop) -> Iterator[Term]:
        """The nodes at the other end of a hop; one may come twice if any predicate will do."""
        if hop.is_inverse:
            return (quad.subject for quad in self.quads(None, hop.predicate, node))
        return (quad.object for quad in self.quads(node, hop.predicate, None))

    def _far_before(self, node: Term, hop: Hop) -> Iterator[Term]:
        """Those of triples that are gone."""
        subject, object_ = (None, node) if hop.is_inverse else (node, None)
        if not isinstance(subject, ox.Literal):
            for quad in self.gone.quads_for_pattern(subject, hop.predicate, object_, None):
                yield quad.subject if hop.is_inverse else quad.object

    def classes_above(self, kind: Term) -> set[Term]:
        """A class and all of which it is a subclass."""
        if kind not in self._above:
            self._above[kind] = self.walk(Repeated(Hop(SUBCLASS)), {kind})
        return self._above[kind]

    def walk(self, path: Path, starts: set[Term], most: int = MOST_NODES) -> set[Term]:
        """The nodes to which a path leads in the graph before and after. Raises TooFar if it comes to more than `most`."""
        found: set[Term] = set()
        match path:
            case Hop():
                self._look_along(path, starts)
                for node in starts:
                    _take(found, chain(self.far(node, path), self._far_before(node, path)), most)
            case Sequence():
                found = starts
                for part in path.parts:
                    found = self.walk(part, found, most)
            case Choice():
                found = found.union(*(self.walk(part, starts, most) for part in path.parts))
            case Repeated():
                found, new = set(starts), starts
                while new:
                    new = self.walk(path.part, new, most) - found
                    _take(found, new, most)
        return found

    def led_to(self, look: Look, triple: ox.Triple) -> set[Term] | None:
        """The nodes to which the best of the ways from a triple leads."""
        for most in MOST_STEPS:
            for way in look.ways:
                try:
                    return self.walk(way.path, {getattr(triple, way.end)}, most)
                except TooFar:
                    continue
        return EVERYWHERE


class Unmerged(Data):
    """All named graphs of a store, read one beside the other, for where the default graph is not (yet) their merge."""

    def __init__(self, store: ox.Store) -> None:
        super().__init__(store, None)

    def quads(self, subject: Term | None, predicate: Term | None, object_: Term | None) -> Iterator[ox.Quad]:
        """The quads of a pattern (None: any term); a triple of two graphs comes twice."""
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode | None):
            return iter(())
        found = self.store.quads_for_pattern(subject, predicate, object_, None)
        return (quad for quad in found if self.holds(quad.graph_name))


def _take(found: set[Term], more: Iterable[Term], most: int) -> None:
    for node in more:
        found.add(node)
        if len(found) > most:
            raise TooFar


class _Some(Memory):
    """A store of which nobody asks how many triples it holds: counting them takes seconds, and pySHACL wants to know if any."""

    def __len__(self, context: Graph | None = None) -> int:
        return 1


class View(gate.Preparing):
    """`Data` as rdflib's graph, for pySHACL. A lookup made twice is answered from memory; a SPARQL constraint is parsed once."""

    def __init__(self, data: Data, prepared: dict[str, Query]) -> None:
        super().__init__(prepared, _Some())
        self._data = data
        self._terms: dict[Term, Node] = {}
        self._found: dict[Any, list[Any]] = {}  # Any: rdflib's pattern and triples

    def triples(self, triple: Any) -> Iterator[Any]:  # type: ignore[override]  # Any: rdflib has four of it
        """See rdflib.Graph.triples."""
        if triple not in self._found:
            subject, predicate, object_ = triple
            if isinstance(predicate, RdflibPath):
                return ((start, predicate, end) for start, end in predicate.eval(self, subject, object_))
            quads = self._data.quads(*(None if node is None else engine_term(node) for node in triple))
            self._found[triple] = [(self.term(q.subject), self.term(q.predicate), self.term(q.object)) for q in quads]
        return iter(self._found[triple])

    def term(self, term: Term) -> Node:
        """rdflib's term for the engine's."""
        if term not in self._terms:
            self._terms[term] = gate.rdflib_term(term)
        return self._terms[term]
