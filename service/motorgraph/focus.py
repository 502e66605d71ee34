"""The focus of a rule: a variable at whose terms it can be worked out in part, as a shape is validated at its focus nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox
from rdflib import URIRef
from rdflib.plugins.sparql.parserutils import CompValue
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import BNode, Node, Variable

from motorgraph.queried import GraphLook, looks_in_graphs, variables
from motorgraph.reach import HERE, Unbounded

Template = list[tuple[Node, Node, Node]]
ALONE = {"Project", "Distinct", "Reduced", "OrderBy"}
SEEING = {"Filter", "Extend", "LeftJoin"}
"""Operators that see whether a variable is bound."""
JOINED = {"BGP", "Join", "Filter", "Graph", *ALONE}
"""Operators through which the engine takes the terms of VALUES to the patterns."""


@dataclass(frozen=True, slots=True)
class Focus:
    """A variable that each solution of a rule binds, and how it is told from what the rule makes.

    It is the subject of a triple (`is_subject`) or its object where the predicate is one of `links`, for each subject.
    """

    variable: ox.Variable
    is_subject: bool
    links: tuple[ox.NamedNode, ...]
    takes_many: bool
    """Whether the engine is quick with many terms at once; else it is asked for each."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a rule looks at (None: that cannot be told), and its focus (None: it can only be worked out in full)."""

    looks: tuple[GraphLook, ...] | None
    focus: Focus | None = None


def sight(query: Query, *, in_part: bool) -> Sight:
    """The best focus of a CONSTRUCT query, and its looks from there; if there is none, its looks from anything that it makes.

    Unless the query is to be worked out `in_part`, none is looked for.
    """
    template: Template = query.algebra.template or []
    bound = {term for triple in template for term in triple if isinstance(term, Variable)} & _bound(query.algebra.p)
    if any(isinstance(term, BNode) for triple in template for term in triple):
        return Sight(None)  # each run makes other nodes
    focused = {variable: _focus(variable, query.algebra.p, template) if in_part else None for variable in bound}
    seen = {}
    for variable in sorted(v for v in bound if focused[v]) or sorted(bound):
        try:
            seen[variable] = tuple(looks_in_graphs(query, variable))
        except Unbounded:
            return Sight(None)
    if not seen:
        return Sight(None)
    best = min(seen, key=lambda variable: _farness(seen[variable], focused[variable]))
    return Sight(seen[best], focused[best])


def _farness(looks: tuple[GraphLook, ...], focus: Focus | None) -> tuple[int, bool, int]:
    """How far what the looks see is from the focus: first those that lead nowhere count, then the patterns without it.

    Where there is no focus to work on, near is far: a look from a distance tells whether the triple has to do with the rule.
    """
    lost = sum(not seen.look.ways for seen in looks)
    near = sum(any(way.path == HERE for way in seen.look.ways) for seen in looks)
    return lost, not (focus and focus.is_subject), -near if focus else near


def _focus(variable: Variable, node: CompValue, template: Template) -> Focus | None:
    if not _is_free(node, variable):
        return None
    links = {}
    for subject, predicate, object_ in template:
        if object_ == variable and isinstance(predicate, URIRef):
            links[subject] = ox.NamedNode(str(predicate))
    subjects = {subject for subject, _, _ in template}
    if subjects - links.keys() - {variable}:
        return None
    named = dict.fromkeys(links[subject] for subject in subjects if subject != variable)
    return Focus(ox.Variable(str(variable)), variable in subjects, tuple(named), set(_operators(node)) <= JOINED)


def _operators(node: CompValue) -> Iterator[str]:
    """The names of the operators, those within expressions apart."""
    yield node.name
    for name in ("p", "p1", "p2"):
        if isinstance(node.get(name), CompValue):
            yield from _operators(node[name])


def _bound(node: CompValue) -> set[Node]:
    """The variables that each solution of an operator has from triples, graphs or VALUES."""
    match node.name:
        case "BGP":
            return {term for triple in node.triples for term in triple if isinstance(term, Variable)}
        case "Join":
            return _bound(node.p1) | _bound(node.p2)
        case "Union":
            return _bound(node.p1) & _bound(node.p2)
        case "LeftJoin" | "Minus":
            return _bound(node.p1)
        case "Graph":
            return _bound(node.p) | ({node.term} & variables(node.term))
        case "Project":
            return _bound(node.p) & set(node.PV)
        case "Group":
            return _bound(node.p) & set(node.expr or ())
    return _bound(node.p) if isinstance(node.get("p"), CompValue) else set()


def _is_free(node: CompValue, variable: Variable) -> bool:
    """Whether a term for the variable given before leaves exactly the solutions that have that term.

    That is so if no part sees whether it is bound already: none of which the rest is optional, negated or counted.
    """
    if variable not in variables(node):
        return True
    bound = _bound(node.p1 if node.name == "LeftJoin" else node.p) if node.name in SEEING else {variable}
    if variable not in bound and variable in {node.get("var")}.union(*(variables(node.get(part)) for part in ("p2", "expr"))):
        return False
    match node.name:
        case "BGP" | "values":
            return True
        case "Join" | "Union" | "LeftJoin":
            return _is_free(node.p1, variable) and _is_free(node.p2, variable)
        case "ToMultiSet":
            hidden = node.p.name != "values" and variable not in _projected(node.p)
            return hidden or _is_free(node.p, variable)
        case "Group":
            return variable in (node.expr or ()) and _is_free(node.p, variable)
    return node.name in {"Filter", "Extend", "AggregateJoin", "Graph", *ALONE} and _is_free(node.p, variable)


def _projected(node: CompValue) -> list[Node]:
    return list(node.PV) if node.name == "Project" else _projected(node.p)
