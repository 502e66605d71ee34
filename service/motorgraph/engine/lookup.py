"""A query about a single triple pattern as a lookup in the store: whether there is such a triple, or which counts are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.engine.delta import GraphName
from motorgraph.engine.marked import named
from motorgraph.engine.moves import TYPE, Term
from motorgraph.query import Dataset
from motorgraph.single import ANY_GRAPH, Single, single

Group = tuple[Term, ...]
Groups = Counter[Group]
"""How often there is a triple of a pattern, by the terms at some of its places."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A triple pattern (None: any term) in a graph (None: any named one), and the places by which it is counted."""

    subject: ox.NamedNode | None
    predicate: ox.NamedNode | None
    object: ox.NamedNode | None
    graph: GraphName | None
    by: tuple[str, ...] = ()

    def has(self, quad: ox.Quad) -> bool:
        """Whether a quad is of it."""
        is_there = not isinstance(quad.graph_name, ox.DefaultGraph) if self.graph is None else quad.graph_name == self.graph
        return is_there and all(
            wanted is None or wanted == found
            for wanted, found in ((self.subject, quad.subject), (self.predicate, quad.predicate), (self.object, quad.object))
        )

    def group(self, quad: ox.Quad) -> Group:
        """The group that a quad of it is counted in."""
        return tuple(getattr(quad, place) for place in self.by)

    @property
    def query(self) -> str:
        """The query that counts it, the groups in the order of `by`."""
        names = {"subject": "?s", "predicate": "?p", "object": "?o", "graph_name": "?g"}
        terms = ((self.subject, "?s"), (self.predicate, "?p"), (self.object, "?o"))
        triple = " ".join(str(name if term is None else term) for term, name in terms)
        where = triple if isinstance(self.graph, ox.DefaultGraph) else f"GRAPH {self.graph or '?g'} {{ {triple} }}"
        groups = " ".join(names[place] for place in self.by)
        return f"SELECT {groups} (COUNT(*) AS ?n) {{ {where} }} {f'GROUP BY {groups}' if groups else ''}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query that was read, and the pattern that it is about."""

    text: Single
    pattern: Pattern

    def is_there(self, store: ox.Store) -> bool:
        """Whether a store has a triple of it; for a pattern in one graph."""
        found = store.quads_for_pattern(self.pattern.subject, self.pattern.predicate, self.pattern.object, self.pattern.graph)
        return next(found, None) is not None

    def told(self, groups: Groups) -> str:
        """The query that has the answer to this one within itself, given the counts."""
        counts = [name for name, place in self.text.columns if place is None]
        names = [name for _, name in self.text.by] + counts
        rows = (" ".join([*map(str, group), *[str(count)] * len(counts)]) for group, count in groups.items())
        values = f"({_variables(names)}) {{ {' '.join(f'({row})' for row in rows)} }}"
        return f"SELECT {_variables([name for name, _ in self.text.columns])} {{ VALUES {values} }}\n{self.text.tail}"


def _variables(names: Sequence[str]) -> str:
    return " ".join(f"?{name}" for name in names)


def lookup(text: str, base: str, dataset: Dataset) -> Lookup | None:
    """The query as a lookup in its dataset; None for one of another form, or that the engine is as quick with."""
    found = single(text)
    if found is None or (found.pattern[3] == ANY_GRAPH if found.asks else found.pattern[0]):
        return None
    try:
        terms = named(found.prologue, base, found.terms)
        subject, predicate, value = (_term(written, terms) for written in found.pattern[:3])
        graph = _graph(found.pattern[3], terms, dataset)
    except (LookupError, SyntaxError):
        return None
    return Lookup(found, Pattern(subject, predicate, value, graph, tuple(place for place, _ in found.by)))


def _term(written: str, terms: Mapping[str, GraphName]) -> ox.NamedNode | None:
    """The term of a pattern, None for a variable. Raises LookupError for one that is no IRI."""
    if not written:
        return None
    term = TYPE if written == "a" else terms[written]
    if not isinstance(term, ox.NamedNode):
        raise LookupError(written)
    return term


def _graph(written: str, terms: Mapping[str, GraphName], dataset: Dataset) -> GraphName | None:
    """The graph of the store that is meant, None for any named one. Raises LookupError if it is none of these."""
    if not dataset:
        return None if written == ANY_GRAPH else ox.DefaultGraph() if not written else _term(written, terms)
    if not written and len(dataset.default) == 1:
        return ox.NamedNode(dataset.default[0])
    graph = _term(written, terms)
    if graph is None or graph.value not in dataset.named:
        raise LookupError(written)
    return graph
