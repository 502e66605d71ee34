"""A query about a single triple pattern as a lookup in the store: for its triples, whether there are any, or their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import pyoxigraph as ox

from motorgraph.engine.delta import GraphName
from motorgraph.engine.marked import named
from motorgraph.engine.moves import TYPE, Term
from motorgraph.query import Dataset
from motorgraph.single import ANY_GRAPH, MOST_CHARACTERS, Single, single

Group = tuple[Term, ...]
Groups = Counter[Group]
"""How often there is a triple of a pattern, by the terms at some of its places."""
MOST_QUADS = 200
"""Up to which an answer is made here; the engine is as quick with more, and streams them."""
# What no base changes: no segment of dots, nothing escaped, each part at its place
_SAFE = r"(?:[A-Za-z0-9_~/\-]|(?<!/)\.)*+"
_PLAIN = re.compile(rf"https?://[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*+(?::[0-9]+)?(?:/{_SAFE})?(?:#{_SAFE})?")
_IN_TEXT = re.compile(rf"<({_PLAIN.pattern})>")
_PREFIX = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]*)?:")
_LOCAL = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_\-]*)?")
_MARK = "\ue000"


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

    def table(self, groups: Groups) -> str:
        """The query that has counts within itself, in the columns of `query`."""
        names = [*self.by, "n"]
        return f"SELECT {_variables(names)} {{ {_values(names, groups, 1)} }}"

    @property
    def told(self) -> list[Any]:  # Any: plain JSON
        """It for `of`; the default graph is ""."""
        terms = (self.subject, self.predicate, self.object)
        graph = "" if isinstance(self.graph, ox.DefaultGraph) else self.graph and self.graph.value
        return [*(term and term.value for term in terms), graph, self.by]

    @classmethod
    def of(cls, told: Sequence[Any]) -> Pattern:  # Any: plain JSON
        """What `told` tells of."""
        *iris, by = told
        subject, predicate, value, graph = (ox.NamedNode(iri) if iri else None for iri in iris)
        return cls(subject, predicate, value, ox.DefaultGraph() if iris[3] == "" else graph, tuple(by))


IN_NAMED_GRAPHS = Pattern(None, None, None, None, ("graph_name",))
IN_DEFAULT_GRAPH = Pattern(None, None, None, ox.DefaultGraph())
"""Together all triples that there are, by their graphs."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query that was read, and the pattern that it is about."""

    text: Single
    pattern: Pattern

    def is_there(self, store: ox.Store) -> bool:
        """Whether a store has a triple of it; for a pattern in one graph."""
        return next(self._found(store), None) is not None

    def quads(self, store: ox.Store) -> Iterator[ox.Quad]:
        """The quads that are asked for, in the order in which the engine finds them; one more than `MOST_QUADS` at most."""
        return islice(self._found(store), MOST_QUADS + 1 if self.text.limit is None else min(self.text.limit, MOST_QUADS + 1))

    def _found(self, store: ox.Store) -> Iterator[ox.Quad]:
        return store.quads_for_pattern(self.pattern.subject, self.pattern.predicate, self.pattern.object, self.pattern.graph)

    def told(self, groups: Groups) -> str:
        """The query that has the answer to this one within itself, given the counts."""
        counts = [name for name, place in self.text.columns if place is None]
        names = [name for _, name in self.text.by] + counts
        values = _values(names, groups, len(counts))
        return f"SELECT {_variables([name for name, _ in self.text.columns])} {{ {values} }}\n{self.text.tail}"


def _values(names: Sequence[str], groups: Groups, times: int) -> str:
    """Counts as VALUES: by row the terms of a group, and how often it is there, which stands there so many times."""
    rows = (" ".join([*map(str, group), *[str(count)] * times]) for group, count in groups.items())
    return f"VALUES ({_variables(names)}) {{ {' '.join(f'({row})' for row in rows)} }}"


def _variables(names: Sequence[str]) -> str:
    return " ".join(f"?{name}" for name in names)


def lookup(text: str, base: str, dataset: Dataset) -> Lookup | None:
    """The query as a lookup in its dataset; None for one of another form, or that the engine is as quick with."""
    if len(text) > MOST_CHARACTERS or _MARK in text:
        return None
    pieces = _IN_TEXT.split(text)
    iris = {f"<{_MARK}{place}>": iri for place, iri in enumerate(pieces[1::2])}
    found = _single("".join([pieces[0], *(mark + piece for mark, piece in zip(iris, pieces[2::2], strict=True))]))
    if found is None or (found.form == "truth" and found.pattern[3] == ANY_GRAPH):
        return None
    try:
        terms = _resolved(found, iris)
        if terms is None:
            found = single(text) or found
            terms = named(found.prologue, base, found.terms)
        subject, predicate, value = (_term(written, terms) for written in found.pattern[:3])
        graph = _graph(found.pattern[3], terms, dataset)
    except (LookupError, SyntaxError):
        return None
    return Lookup(found, Pattern(subject, predicate, value, graph, tuple(place for place, _ in found.by)))


_single = lru_cache(maxsize=256)(single)
"""By a text with marks in the place of its IRIs, for clients ask in the same words about many things."""


def _resolved(text: Single, iris: Mapping[str, str]) -> dict[str, GraphName] | None:
    """The terms of a text as the engine resolves them, which takes it as long as a query; None if that is not plain."""
    prefixes = {name: iris.get(iri) for name, iri in text.prefixes}
    if len(prefixes) < len(text.prefixes) or None in prefixes.values() or not all(map(_PREFIX.fullmatch, prefixes)):
        return None
    found: dict[str, GraphName] = {}
    for term in text.terms:
        prefix, _, local = term.partition(":")
        iri = iris.get(term) or f"{prefixes.get(f'{prefix}:')}{local}"
        if term not in iris and not (_LOCAL.fullmatch(local) and _PLAIN.fullmatch(iri)):
            return None
        found[term] = ox.NamedNode(iri)
    return found


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
