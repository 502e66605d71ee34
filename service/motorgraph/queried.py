"""Which triples a SPARQL constraint looks at, and the ways back from them to its focus node, `$this`.

A solution that comes or goes with a triple matches the pattern that looks at the triple, and with it all patterns that the
groups around it require, in the graph before or after. So a walk over such patterns from the triple to `$this` misses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
INSIDE = {"Project", "Distinct", "Reduced", "OrderBy", "Slice", "Group", "AggregateJoin"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A triple pattern. A variable that is another one in another group has another name there."""

    subject: Node
    path: Path
    object: Node

    @property
    def variables(self) -> set[Node]:
        """Those of its two ends."""
        return {end for end in (self.subject, self.object) if isinstance(end, Variable | BNode)}


Names = Mapping[Node, Node]


def looks(query: Query) -> list[Look]:
    """The looks of a SPARQL constraint. Raises Unbounded for a query with parts of which nothing is known."""
    found: list[Look] = []
    for pattern, around in _patterns(query.algebra.p, (), {}):
        found += _looks(pattern, [other for other in around if other != pattern])
    return found


# The patterns of a query, each with all that are required where it stands


def _patterns(node: CompValue, around: tuple[Pattern, ...], names: Names) -> Iterator[tuple[Pattern, tuple[Pattern, ...]]]:
    """Each pattern in an operator of the algebra (SPARQL 1.1, 18.2), with those that its solutions must match too."""
    if node.name == "BGP":
        own = _required(node, names)
        yield from ((pattern, around + own) for pattern in own)
    elif node.name == "Join":
        yield from _patterns(node.p1, around + _required(node.p2, names), names)
        yield from _patterns(node.p2, around + _required(node.p1, names), names)
    elif node.name == "Union":
        yield from _patterns(node.p1, around, names)
        yield from _patterns(node.p2, around, names)
    elif node.name in ("LeftJoin", "Minus"):
        yield from _patterns(node.p1, around, names)
        yield from _hidden(node.p2, node.p1, around, names)
        yield from _in_expression(node.get("expr"), node, around, names)
    elif node.name in ("Filter", "Extend"):
        yield from _patterns(node.p, around, names)
        yield from _in_expression(node.expr, node, around, names)
    elif node.name in INSIDE:
        yield from _patterns(node.p, around, names)
    elif node.name != "values" and not (node.name == "ToMultiSet" and node.p.name == "values"):
        raise Unbounded(f"What {node.name} looks at is not known.")


def _required(node: CompValue, names: Names) -> tuple[Pattern, ...]:
    """The patterns that each solution of an operator matches."""
    if node.name == "BGP":
        return tuple(Pattern(names.get(s, s), _path(p), names.get(o, o)) for s, p, o in node.triples)
    if node.name == "Join":
        return _required(node.p1, names) + _required(node.p2, names)
    if node.name in ("LeftJoin", "Minus"):
        return _required(node.p1, names)
    if node.name in ("Filter", "Extend") or node.name in INSIDE:
        return _required(node.p, names)
    return ()


def _hidden(
    node: CompValue, beside: CompValue, around: tuple[Pattern, ...], names: Names
) -> Iterator[tuple[Pattern, tuple[Pattern, ...]]]:
    """The patterns of a group that binds nothing for those around it: what it shares is what the one beside it binds."""
    required = _required(beside, names)
    bound = {THIS}.union(*(pattern.variables for pattern in required))
    own = {name: name if names.get(name, name) in bound else BNode() for name in _variables(node)}
    inner = {name: names.get(name, name) if new is name else new for name, new in own.items()}
    yield from _patterns(node, around + required, inner)


def _variables(node: object) -> set[Node]:
    """All variables in the patterns of an operator, also within EXISTS."""
    if isinstance(node, Variable | BNode):
        return {node}
    if isinstance(node, CompValue):
        parts: Iterable[object] = [getattr(node, name) for name in node]
    elif isinstance(node, list | tuple | set):
        parts = node
    else:
        return set()
    return {name for part in parts for name in _variables(part)}


def _in_expression(
    expression: object, node: CompValue, around: tuple[Pattern, ...], names: Names
) -> Iterator[tuple[Pattern, tuple[Pattern, ...]]]:
    """The patterns of EXISTS and NOT EXISTS in an expression."""
    if isinstance(expression, CompValue):
        if expression.name in ("Builtin_EXISTS", "Builtin_NOTEXISTS"):
            yield from _hidden(expression.graph, node, around, names)
            return
        for part in expression.values():
            yield from _in_expression(part, node, around, names)
    elif isinstance(expression, list):
        for part in expression:
            yield from _in_expression(part, node, around, names)


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


def _looks(pattern: Pattern, around: list[Pattern]) -> Iterator[Look]:
    """The looks at the triples that a pattern may match."""
    if may_be_empty(pattern.path) and not _is_held(pattern, around):
        raise Unbounded("A path that may be empty leads from any node to itself.")
    ends = (SUBJECT, pattern.subject, False), (OBJECT, pattern.object, True)
    starts = [(end, way) for end, node, _ in ends for way in _ways(node, around)]
    for before, hop, behind in hops(pattern.path):
        near, far = (OBJECT, SUBJECT) if hop.is_inverse else (SUBJECT, OBJECT)
        found = [
            Way(near, after(backwards(before), way)) if end == SUBJECT else Way(far, after(behind, way)) for end, way in starts
        ]
        plain = Look(None, hop.predicate, None, tuple(found))
        yield _narrowed(plain, pattern) if isinstance(pattern.path, Hop) else plain


def _is_held(pattern: Pattern, around: list[Pattern]) -> bool:
    """Whether an end of the pattern is known without it: a term, `$this`, or a variable of a pattern with a triple."""
    known = {THIS}.union(*(other.variables for other in around if not may_be_empty(other.path)))
    return any(end in known or end not in pattern.variables for end in (pattern.subject, pattern.object))


def _narrowed(plain: Look, pattern: Pattern) -> Look:
    """The look at those triples only that have the terms of the pattern."""
    terms: list[Term | None] = [
        engine_term(end) if end not in pattern.variables else None for end in (pattern.subject, pattern.object)
    ]
    return replace(plain, subject=terms[0], object=terms[1])


def _ways(start: Node, around: list[Pattern]) -> list[Path]:
    """Ways from a variable to `$this` over the patterns around it, the shortest first."""
    return list(islice(_found_ways(start, around), MOST_WAYS))


def _found_ways(start: Node, around: list[Pattern]) -> Iterator[Path]:
    reached: list[tuple[tuple[Node, ...], Path]] = [((start,), HERE)]
    for _ in range(MOST_PATTERNS):
        longer = []
        for nodes, path in reached:
            if nodes[-1] == THIS:
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
