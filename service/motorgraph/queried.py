"""Which triples a query looks at, and the ways back from them to its focus: `$this` of a SPARQL constraint, a variable of a rule.

A solution that comes or goes with a triple matches the pattern that looks at the triple, and with it all patterns that the
groups around it require, in the graph before or after. So a walk over such patterns from the triple to the focus misses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

import pyoxigraph as ox
from rdflib import BNode, URIRef
from rdflib.paths import AlternativePath, InvPath, MulPath, NegatedPath, SequencePath
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Node, Variable

from motorgraph.reach import (
    HERE,
    OBJECT,
    PREDICATE,
    SUBJECT,
    Choice,
    Hop,
    Look,
    Path,
    Repeated,
    Term,
    Unbounded,
    Way,
    after,
    backwards,
    engine_term,
    hops,
    may_be_empty,
)

THIS = Variable("this")
MOST_WAYS = 6
MOST_PATTERNS = 6
"""How many ways are kept for a pattern, and how many patterns one may run over: others are longer."""
INSIDE = {"Filter", "Extend", "Project", "Distinct", "Reduced", "OrderBy", "Slice", "Group", "AggregateJoin"}
UNFORESEEN = {"Slice", *(f"Builtin_{name}" for name in ("BNODE", "NOW", "RAND", "STRUUID", "UUID"))}
"""What gives another outcome though no triple has changed, or hangs on solutions that have nothing to do with it."""
MERGE = None
"""In the place of a graph: the default graph of the query."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A triple pattern in a graph. A variable that is another one in another group has another name there."""

    subject: Node
    path: Path
    object: Node
    graph: Node | None = MERGE
    predicate: Node | None = None
    """Where that is a variable."""

    @property
    def variables(self) -> set[Node]:
        """Those of its two ends."""
        return {end for end in (self.subject, self.object) if isinstance(end, Variable | BNode)}


@dataclass(frozen=True, slots=True)
class Among:
    """A variable that VALUES binds, and to which terms."""

    variable: Node
    terms: frozenset[Node]


@dataclass(frozen=True, slots=True)
class GraphLook:
    """A look at the triples of some named graphs (None: of any)."""

    graphs: frozenset[Term] | None
    look: Look


Names = Mapping[Node, Node]
Around = tuple[Pattern | Among, ...]


def looks(query: Query) -> list[Look]:
    """The looks of a SPARQL constraint. Raises Unbounded for a query with parts of which nothing is known.

    Named graphs and subqueries are such parts: rdflib, which asks it, has a way of its own with them.
    """
    if any(node.name == "Graph" or _is_subquery(node) for node in operators(query.algebra.p)):
        raise Unbounded("The constraint has a named graph or a subquery.")
    reading = _Reading(THIS, frozenset((THIS,)))
    found: list[Look] = []
    for pattern, around in reading.patterns(query.algebra.p, (), {}, MERGE):
        found += _looks(reading, pattern, _others(pattern, around))
    return found


def looks_in_graphs(query: Query, focus: Variable) -> list[GraphLook]:
    """The looks of a query over named graphs, from which the ways lead to its variable `focus`. Raises Unbounded as `looks`."""
    if odd := {node.name for node in operators(query.algebra.p)} & UNFORESEEN:
        raise Unbounded(f"What {', '.join(odd)} gives does not follow from triples that have to do with the focus.")
    reading = _Reading(focus, frozenset())
    found = []
    for pattern, around in reading.patterns(query.algebra.p, (), {}, MERGE):
        if pattern.graph is MERGE:
            raise Unbounded("The query looks at the default graph.")
        graphs = _graphs(pattern.graph, around)
        found += [GraphLook(graphs, look) for look in _looks(reading, pattern, _others(pattern, around))]
    return list(dict.fromkeys(found))


def _others(pattern: Pattern, around: Around) -> list[Pattern]:
    return [other for other in around if isinstance(other, Pattern) and other != pattern]


def operators(node: object) -> Iterator[CompValue]:
    """All nodes of the algebra, also those within expressions."""
    if isinstance(node, CompValue):
        yield node
        parts: Iterable[object] = [getattr(node, name) for name in node]
    else:
        parts = node if isinstance(node, list | tuple) else ()
    for part in parts:
        yield from operators(part)


def _graphs(graph: Node, around: Around) -> frozenset[Term] | None:
    """The graphs in which a pattern looks; None for any."""
    if isinstance(graph, URIRef):
        return frozenset((engine_term(graph),))
    told = [other.terms for other in around if isinstance(other, Among) and other.variable == graph]
    return frozenset(map(engine_term, frozenset.intersection(*told))) if told else None


# The patterns of a query, each with all that are required where it stands


@dataclass(frozen=True)
class _Reading:
    """A reading of a query: where its ways are to lead to, what is bound before it starts, and the names in its subqueries."""

    focus: Variable
    given: frozenset[Node]
    _scopes: dict[tuple[int, frozenset[tuple[Node, Node]]], Names] = field(default_factory=dict)

    def patterns(self, node: CompValue, around: Around, names: Names, graph: Node | None) -> Iterator[tuple[Pattern, Around]]:
        """Each pattern in an operator of the algebra (SPARQL 1.1, 18.2), with those that its solutions must match too."""
        if node.name == "BGP":
            own = self._required(node, names, graph)
            yield from ((pattern, around + own) for pattern in own if isinstance(pattern, Pattern))
        elif node.name == "Join":
            yield from self.patterns(node.p1, around + self._required(node.p2, names, graph), names, graph)
            yield from self.patterns(node.p2, around + self._required(node.p1, names, graph), names, graph)
        elif node.name == "Union":
            yield from self.patterns(node.p1, around, names, graph)
            yield from self.patterns(node.p2, around, names, graph)
        elif node.name in ("LeftJoin", "Minus"):
            yield from self.patterns(node.p1, around, names, graph)
            yield from self._hidden(node.p2, node.p1, around, names, graph)
            yield from self._in_expression(node.get("expr"), node, around, names, graph)
        elif inner := self._inner(node, names, graph):
            yield from self.patterns(inner[0], around, *inner[1:])
            for expression in (node.get("expr"), node.get("A")):
                yield from self._in_expression(expression, node, around, names, graph)
        elif not _is_values(node):
            raise Unbounded(f"What {node.name} looks at is not known.")

    def _inner(self, node: CompValue, names: Names, graph: Node | None) -> tuple[CompValue, Names, Node | None] | None:
        """The one operator below another, with the names and the graph there; None for what has none or several."""
        if node.name == "Graph":
            return node.p, names, names.get(node.term, node.term)
        if _is_subquery(node):
            return node.p, self._scope(node, names), graph
        return (node.p, names, graph) if node.name in INSIDE else None

    def _required(self, node: CompValue, names: Names, graph: Node | None) -> Around:
        """The patterns that each solution of an operator matches."""
        if node.name == "BGP":
            return tuple(_pattern(triple, names, graph) for triple in node.triples)
        if node.name == "Join":
            return self._required(node.p1, names, graph) + self._required(node.p2, names, graph)
        if node.name in ("LeftJoin", "Minus"):
            return self._required(node.p1, names, graph)
        if node.name == "Group" and not node.expr:
            return ()  # the one group is there, even if nothing is in it
        if inner := self._inner(node, names, graph):
            return self._required(*inner)
        if _is_values(node):
            return _values(node.p if node.name == "ToMultiSet" else node, names)
        return ()

    def _scope(self, node: CompValue, names: Names) -> Names:
        """The names within a subquery: what it does not project is another variable there."""
        key = id(node), frozenset(names.items())
        if key not in self._scopes:
            shown = next(inner for inner in operators(node) if inner.name == "Project").PV
            inside = variables(node) | set(shown)
            self._scopes[key] = {name: names.get(name, name) if name in shown else BNode() for name in inside}
        return self._scopes[key]

    def _hidden(
        self, node: CompValue, beside: CompValue, around: Around, names: Names, graph: Node | None
    ) -> Iterator[tuple[Pattern, Around]]:
        """The patterns of a group that binds nothing for those around it: what it shares is what the one beside it binds."""
        required = self._required(beside, names, graph)
        bound = self.given.union(*(other.variables for other in required if isinstance(other, Pattern)))
        bound |= {other.variable for other in required if isinstance(other, Among)}
        own = {name: name if names.get(name, name) in bound else BNode() for name in variables(node)}
        inner = {name: names.get(name, name) if new is name else new for name, new in own.items()}
        yield from self.patterns(node, around + required, inner, graph)

    def _in_expression(
        self, expression: object, node: CompValue, around: Around, names: Names, graph: Node | None
    ) -> Iterator[tuple[Pattern, Around]]:
        """The patterns of EXISTS and NOT EXISTS in an expression."""
        if isinstance(expression, CompValue):
            if expression.name in ("Builtin_EXISTS", "Builtin_NOTEXISTS"):
                yield from self._hidden(expression.graph, node, around, names, graph)
                return
            for part in expression.values():
                yield from self._in_expression(part, node, around, names, graph)
        elif isinstance(expression, list):
            for part in expression:
                yield from self._in_expression(part, node, around, names, graph)


def _is_subquery(node: CompValue) -> bool:
    return bool(node.name == "ToMultiSet" and node.p.name != "values")


def _is_values(node: CompValue) -> bool:
    return bool(node.name == "values" or (node.name == "ToMultiSet" and node.p.name == "values"))


def _values(node: CompValue, names: Names) -> Around:
    """The variables that VALUES binds in each of its rows."""
    known = set.intersection(*({name for name, term in row.items() if isinstance(term, Node)} for row in node.res or [{}]))
    return tuple(Among(names.get(name, name), frozenset(row[name] for row in node.res)) for name in known)


def variables(node: object) -> set[Node]:
    """All variables in the patterns of an operator, also within EXISTS."""
    if isinstance(node, Variable | BNode):
        return {node}
    if isinstance(node, CompValue):
        parts: Iterable[object] = [getattr(node, name) for name in node]
    elif isinstance(node, list | tuple | set):
        parts = node
    else:
        return set()
    return {name for part in parts for name in variables(part)}


def _pattern(triple: tuple[Node, Node, Node], names: Names, graph: Node | None) -> Pattern:
    subject, predicate, value = triple
    told = names.get(predicate, predicate) if isinstance(predicate, Variable) else None
    return Pattern(names.get(subject, subject), _path(predicate), names.get(value, value), graph, told)


def _path(predicate: object) -> Path:
    match predicate:
        case URIRef():
            return Hop(ox.NamedNode(str(predicate)))
        case Variable():
            return Hop(None)
        case SequencePath():
            return after(*(_path(part) for part in predicate.args))
        case AlternativePath():
            return Choice(tuple(_path(part) for part in predicate.args))
        case InvPath():
            return backwards(_path(predicate.arg))
        case NegatedPath():
            return Choice((Hop(None), Hop(None, is_inverse=True)))
        case MulPath():
            part = _path(predicate.path)
            kinds: dict[str, Path] = {"?": Choice((HERE, part)), "*": Repeated(part), "+": after(part, Repeated(part))}
            return kinds[str(predicate.mod)]
    raise Unbounded(f"{predicate} is no path.")


# From patterns to looks


def _looks(reading: _Reading, pattern: Pattern, around: list[Pattern]) -> Iterator[Look]:
    """The looks at the triples that a pattern may match."""
    if may_be_empty(pattern.path) and not _is_held(reading, pattern, around):
        raise Unbounded("A path that may be empty leads from any node to itself.")
    ends = (SUBJECT, pattern.subject, False), (OBJECT, pattern.object, True)
    starts = [(end, way) for end, node, _ in ends for way in _ways(reading.focus, node, around)]
    if not starts and pattern.predicate is not None:
        starts = [(PREDICATE, way) for way in _ways(reading.focus, pattern.predicate, around)]
    for before, hop, behind in hops(pattern.path):
        near, far = (OBJECT, SUBJECT) if hop.is_inverse else (SUBJECT, OBJECT)
        found = [
            Way(end, way)
            if end == PREDICATE
            else Way(near, after(backwards(before), way))
            if end == SUBJECT
            else Way(far, after(behind, way))
            for end, way in starts
        ]
        found.sort(key=lambda way: way.path != HERE)
        plain = Look(None, hop.predicate, None, tuple(found))
        yield _narrowed(plain, pattern) if isinstance(pattern.path, Hop) else plain


def _is_held(reading: _Reading, pattern: Pattern, around: list[Pattern]) -> bool:
    """Whether an end of the pattern is known without it: a term, the focus, or a variable of a pattern with a triple."""
    known = reading.given.union(*(other.variables for other in around if not may_be_empty(other.path)))
    return any(end in known or end not in pattern.variables for end in (pattern.subject, pattern.object))


def _narrowed(plain: Look, pattern: Pattern) -> Look:
    """The look at those triples only that have the terms of the pattern."""
    terms: list[Term | None] = [
        engine_term(end) if end not in pattern.variables else None for end in (pattern.subject, pattern.object)
    ]
    return replace(plain, subject=terms[0], object=terms[1])


def _ways(focus: Variable, start: Node, around: list[Pattern]) -> list[Path]:
    """Ways from a variable to the focus over the patterns around it, the shortest first."""
    return list(islice(_found_ways(focus, start, around), MOST_WAYS))


def _found_ways(focus: Variable, start: Node, around: list[Pattern]) -> Iterator[Path]:
    reached: list[tuple[tuple[Node, ...], Path]] = [((start,), HERE)]
    for _ in range(MOST_PATTERNS):
        longer = []
        for nodes, path in reached:
            if nodes[-1] == focus:
                yield path
            elif isinstance(nodes[-1], Variable | BNode):
                longer += [((*nodes, node), after(path, leg)) for node, leg in _legs(nodes[-1], around) if node not in nodes]
        reached = longer[:200]


def _legs(node: Node, around: list[Pattern]) -> Iterator[tuple[Node, Path]]:
    for pattern in around:
        if pattern.subject == node:
            yield pattern.object, pattern.path
        if pattern.object == node:
            yield pattern.subject, backwards(pattern.path)
