"""Shapes made quick for pySHACL, with the same results: it works out for each focus node what is the same for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyoxigraph as ox
from rdflib import Graph, URIRef
from rdflib.namespace import OWL, RDF, RDFS, SH
from rdflib.term import Node

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
TARGETS = {
    SH.targetClass: "?this a/rdfs:subClassOf* {target}",
    SH.targetNode: "VALUES ?this {{ {target} }}",
    SH.targetObjectsOf: "?any {target} ?this",
    SH.targetSubjectsOf: "?this {target} ?any",
}
"""How SHACL 1.0, 2.1.3 finds the focus nodes of a target, in SPARQL."""
NO_CONSTRAINTS = {*TARGETS, SH.description, SH.group, SH.message, SH.name, SH.order, SH.severity, SH.sparql}
_OPENS_WITH_THIS = re.compile(r"\bWHERE\s*\{\s*[$?]this\s", re.IGNORECASE)
_GROUP = re.compile(r"(\w*)\s*\{")


def sieved(shapes: Graph, store: ox.Store) -> Graph:
    """The shapes, for the data in the default graph of `store`.

    A property shape gets the targets of the node shape around it, so that all focus nodes are validated in one go. A shape of
    SPARQL constraints gets as targets the focus nodes for which the engine finds a solution: for the others there is no result.
    """
    quick = Graph()
    quick += shapes
    for shape, _, _ in shapes.triples((None, SH.property, None)):
        if _stands_alone(shapes, shape):
            _unnest(quick, shapes, shape)
    for shape in set(quick.subjects(SH.sparql, None)):
        if _stands_alone(shapes, shape):
            _sieve(quick, shape, store)
    return quick


def _stands_alone(shapes: Graph, shape: Node) -> bool:
    """Whether it is a node shape with targets that nothing refers to and that is neither a class nor switched off."""
    is_class = any((shape, RDF.type, kind) in shapes for kind in (OWL.Class, RDFS.Class))
    is_told = any((shape, told, None) in shapes for told in (SH.deactivated, SH.path, SH.target))
    is_alone = next(shapes.subjects(None, shape), None) is None
    return is_alone and not is_class and not is_told and any(True for _ in _targets(shapes, shape))


def _targets(shapes: Graph, shape: Node) -> Iterator[tuple[URIRef, Node]]:
    for predicate in TARGETS:
        for target in shapes.objects(shape, predicate):
            yield predicate, target


def _unnest(quick: Graph, shapes: Graph, shape: Node) -> None:
    """A property shape is validated for each focus node of its node shape and reports under its own name (SHACL 1.0, 4.8.1)."""
    for inner in shapes.objects(shape, SH.property):
        if list(shapes.subject_predicates(inner)) == [(shape, SH.property)] and not any(_targets(shapes, inner)):
            quick.remove((shape, SH.property, inner))
            for predicate, target in _targets(shapes, shape):
                quick.add((inner, predicate, target))


def _sieve(quick: Graph, shape: Node, store: ox.Store) -> None:
    """Gives the shape the suspicious ones of its focus nodes as targets, if SPARQL is all that it constrains them with."""
    if any(str(name).startswith(str(SH)) and name not in NO_CONSTRAINTS for name in quick.predicates(shape, None)):
        return
    try:
        found = _suspicious(quick, shape, store)
    except (SyntaxError, ValueError):
        return  # pySHACL will say what is wrong
    named = [node for node in found if isinstance(node, ox.NamedNode)]
    if len(named) == len(found):
        for predicate in TARGETS:
            quick.remove((shape, predicate, None))
        for node in named:
            quick.add((shape, SH.targetNode, URIRef(node.value)))


def _suspicious(shapes: Graph, shape: Node, store: ox.Store) -> set[Term]:
    """The focus nodes of a shape for which one of its SPARQL constraints has a solution, `$this` being bound to them."""
    focus = set()
    for predicate, target in _targets(shapes, shape):
        pattern = TARGETS[predicate].format(target=target.n3())
        focus |= _this(store, f"PREFIX rdfs: <{RDFS}> SELECT DISTINCT ?this WHERE {{ {pattern} }}")
    found = set()
    for constraint in shapes.objects(shape, SH.sparql):
        text = _with_prefixes(shapes, constraint)
        if _may_run_unbound(text):
            found |= focus & _this(store, text)
        else:
            found |= {node for node in focus - found if _has_solution(store, text, node)}
    return found


def _this(store: ox.Store, text: str) -> set[Term]:
    found = store.query(text)
    if not isinstance(found, ox.QuerySolutions) or ox.Variable("this") not in found.variables:
        raise ValueError("A SPARQL constraint selects $this.")
    return {row["this"] for row in found}


def _has_solution(store: ox.Store, text: str, node: Term) -> bool:
    found = store.query(text, substitutions={ox.Variable("this"): node})
    return not isinstance(found, ox.QuerySolutions) or next(found, None) is not None


def _may_run_unbound(text: str) -> bool:
    """Whether all solutions at once are those of one focus node after the other.

    So it is if the first pattern binds `$this` and each group within sees it: those of EXISTS and OPTIONAL do.
    """
    groups = [word.upper() for word in _GROUP.findall(text[text.upper().find("WHERE") :])]
    return bool(_OPENS_WITH_THIS.search(text)) and all(word in ("WHERE", "EXISTS", "OPTIONAL") for word in groups)


def _with_prefixes(shapes: Graph, constraint: Node) -> str:
    """The text of a SPARQL constraint below the prefixes that it names (SHACL 1.0, 5.2.1). Raises ValueError for none or two."""
    texts = [str(text) for text in shapes.objects(constraint, SH.select)]
    if len(texts) != 1:
        raise ValueError("A SPARQL constraint has one sh:select.")
    lines = [
        f"PREFIX {shapes.value(each, SH.prefix)}: <{shapes.value(each, SH.namespace)}>\n"
        for prefixes in shapes.objects(constraint, SH.prefixes)
        for each in shapes.objects(prefixes, SH.declare)
    ]
    return "".join(lines) + texts[0]
