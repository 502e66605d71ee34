"""A change judged by itself is judged as the whole graph is: shapes, graphs and changes of all kinds, against plain pySHACL."""

from __future__ import annotations

from random import Random

import pyoxigraph as ox
import pyshacl
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pyshacl.errors import ReportableRuntimeError
from rdflib import SH, BNode, Graph
from rdflib.term import Node

from motorgraph.change import Shapes, judge_change
from motorgraph.engine import loading
from motorgraph.gate import Report, rdflib_graph

X = "http://x/"
SHAPES = ox.NamedNode(X + "shapes")
THE_BLANK = ox.BlankNode("e")
GRAPHS = [ox.NamedNode(X + "g1"), ox.NamedNode(X + "g2")]
PREFIXES = """
    @prefix : <http://x/> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
    :N sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] .
    :N sh:declare [ sh:prefix "rdfs" ; sh:namespace "http://www.w3.org/2000/01/rdf-schema#"^^xsd:anyURI ] .
"""
Row = tuple[str, str, str, str, str]

# Graphs and changes: dense ones from a seed, so that much is found and much of it by the change

NODES = [":a", ":b", ":c", ":d", ":f", ":g", "_:e"]
PREDICATES = [":p", ":q", ":r"]
MORE = [*PREDICATES, ":s", ":t"]
LITERALS = ["1", "2", '"x"', '"x"@en', '"y"@en', '"x"@de']
CLASSES = [":C", ":D", ":E"]
BACKDROP = {(":D rdfs:subClassOf :C", 0), (":E rdfs:subClassOf :D", 0)}
STEPS = 8
Told = set[tuple[str, int]]


def _told(dice: Random, count: int) -> Told:
    return {(_triple(dice), dice.randrange(2)) for _ in range(count)}


def _triple(dice: Random) -> str:
    if dice.random() < 0.25:
        return f"{dice.choice(NODES)} a {dice.choice(CLASSES)}"
    if dice.random() < 0.01:
        return f"{dice.choice(CLASSES)} rdfs:subClassOf {dice.choice(CLASSES)}"
    return f"{dice.choice(NODES)} {dice.choice([':p', *MORE])} {dice.choice(NODES + LITERALS)}"


def _quads(told: Told) -> set[ox.Quad]:
    found = set()
    for text, graph in told:
        for quad in ox.parse(f"{PREFIXES.split(':N')[0]} {text} .", ox.RdfFormat.TURTLE):
            subject, object_ = (THE_BLANK if isinstance(term, ox.BlankNode) else term for term in (quad.subject, quad.object))
            assert not isinstance(subject, ox.Literal)
            found.add(ox.Quad(subject, quad.predicate, object_, GRAPHS[graph]))
    return found


# Shapes


def _paths() -> st.SearchStrategy[str]:
    simple = st.sampled_from(PREDICATES)

    def made(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(inner, min_size=2, max_size=2).map(" ".join)
        kinds = ("inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
        return st.one_of(
            several.map(lambda parts: f"( {parts} )"),
            several.map(lambda parts: f"[ sh:alternativePath ( {parts} ) ]"),
            st.tuples(st.sampled_from(kinds), inner).map(lambda told: f"[ sh:{told[0]} {told[1]} ]"),
        )

    return st.one_of(simple, st.recursive(simple, made, max_leaves=3))


VALUES = (
    *("sh:datatype xsd:integer", "sh:nodeKind sh:IRI", "sh:maxInclusive 1", 'sh:pattern "x"', "sh:in ( :a :b 1 )"),
    *("sh:class :C", "sh:class :D", 'sh:languageIn ( "en" )', "sh:minLength 2"),
)
IN_A_PROPERTY = (
    *("sh:minCount 1", "sh:maxCount 1", "sh:hasValue :a", 'sh:hasValue "x"', "sh:uniqueLang true", "sh:lessThan :q"),
    *("sh:lessThanOrEquals :r", "sh:equals :q", "sh:disjoint :p"),
)
IN_A_NODE = ("sh:equals :p", "sh:disjoint :r", "sh:closed true ; sh:ignoredProperties ( :p rdf:type )", "sh:hasValue :a")


def _property(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(_paths(), st.one_of(inner, st.sampled_from(IN_A_PROPERTY), st.sampled_from(VALUES))).map(
        lambda told: f'[ sh:path {told[0]} ; sh:message "{told[0]}" ; {told[1]} ]'
    )


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    shape = inner.map(lambda told: f"[ {told} ]")
    pair = st.tuples(shape, shape).map(" ".join)
    qualified = st.tuples(_paths(), shape, st.sampled_from(["sh:qualifiedMinCount 1", "sh:qualifiedMaxCount 1"]))
    return st.one_of(
        _property(inner).map(lambda told: f"sh:property {told}"),
        shape.map(lambda told: f"sh:node {told}"),
        shape.map(lambda told: f"sh:not {told}"),
        st.tuples(st.sampled_from(["and", "or", "xone"]), pair).map(lambda told: f"sh:{told[0]} ( {told[1]} )"),
        qualified.map(
            lambda told: f'sh:property [ sh:path {told[0]} ; sh:message "q" ; sh:qualifiedValueShape {told[1]} ; {told[2]} ]'
        ),
    )


WAYS = (*MORE, *MORE, "a", "^:p", ":p/:q", ":q+", ":p|:r", "a/rdfs:subClassOf*")


def _patterns(dice: Random, starts: list[str], ends: list[str]) -> str:
    """A triple pattern or two that hang together and begin with one of the first names."""
    start, end = dice.choice(starts), dice.choice(ends)
    text = f"{start} {dice.choice(WAYS)} {end} ."
    if dice.random() < 0.5 and end[0] in "?$":
        further = dice.choice([*ends, ":a", "1"])
        turn = dice.random() < 0.5 and further != "1"
        way = dice.choice(WAYS)
        text += f" {further} {way} {end} ." if turn else f" {end} {way} {further} ."
    return text


def _query(dice: Random) -> str:
    text = "$this :p ?x ." if dice.random() < 0.7 else _patterns(dice, ["$this"], ["?value", "?x"])
    names = [name for name in ("$this", "?value", "?x") if name in text]
    for _ in range(dice.choice([0, 1, 1, 1, 2])):
        inner = _patterns(dice, names, ["?z", "?y", "?value", "$this", ":a", "1"])
        kind = dice.choice(["OPTIONAL", "FILTER EXISTS", "FILTER NOT EXISTS", "FILTER NOT EXISTS", "UNION", "deep"])
        if kind == "deep":
            deep = _patterns(dice, ["?z", *names], ["?w", "?y", "$this"])
            text += f" FILTER NOT EXISTS {{ {inner} FILTER NOT EXISTS {{ {deep} }} }}"
        elif kind == "UNION":
            text += f" {{ {inner} }} UNION {{ {_patterns(dice, ['$this'], ['?value', '?z'])} }}"
        else:
            text += f" {kind} {{ {inner} }}"
    if dice.random() < 0.9:
        return f"SELECT DISTINCT $this WHERE {{ {text} }}"
    return f"SELECT $this WHERE {{ {text} }} GROUP BY $this HAVING(COUNT(*) > 1)"


def _sparql(query: str) -> str:
    return f'sh:sparql [ sh:prefixes :N ; sh:select "{query}" ]'


TARGETS = ("sh:targetClass :C", "sh:targetClass :D", "sh:targetNode :a", "sh:targetObjectsOf :q", "sh:targetSubjectsOf :p")


def _core() -> st.SearchStrategy[str]:
    values = _property(st.sampled_from(VALUES)).map("sh:property {}".format)
    leaf = st.one_of(st.sampled_from(VALUES), st.sampled_from(IN_A_NODE), values)
    return st.one_of(_around(leaf), _around(_around(leaf)), _property(st.nothing()).map("sh:property {}".format))


@st.composite
def _shapes(draw: st.DrawFn, constraints: st.SearchStrategy[str]) -> str:
    text = PREFIXES
    for i in range(3):
        target = draw(st.sampled_from(TARGETS))
        severity = draw(st.sampled_from(["Violation", "Violation", "Warning"]))
        told = " ; ".join(dict.fromkeys(draw(st.lists(constraints, min_size=1, max_size=2))))
        text += f'\n:S{i} a sh:NodeShape ; {target} ; sh:severity sh:{severity} ; sh:message "m{i}" ; {told} .'
    return text


# The two judgements


def _in_full(store: ox.Store, shapes: str) -> set[Row]:
    data = rdflib_graph(quad for quad in store if quad.graph_name in GRAPHS)
    try:
        _, results, _ = pyshacl.validate(data, shacl_graph=Graph().parse(data=shapes, format="turtle"), inplace=True)
    except ReportableRuntimeError:
        reject()  # pySHACL gives up where it has to compare blank nodes
    assert isinstance(results, Graph)
    return {_row(results, node) for node in results.objects(None, SH.result)}


def _row(results: Graph, node: Node) -> Row:
    told = [results.value(node, name) for name in (SH.resultSeverity, SH.focusNode, SH.resultPath, SH.value)]
    severity, focus, path, value = ("" if term is None or isinstance(term, BNode) else str(term) for term in told)
    messages = sorted(str(message) for message in results.objects(node, SH.resultMessage))
    return severity.removeprefix(str(SH)), focus or "a blank node", path, value, messages[0]


def _rows(report: Report) -> set[Row]:
    return {(r.severity, r.focus, r.path, r.value, r.message) for r in report.results}


def _store(quads: set[ox.Quad], shapes: str) -> ox.Store:
    store = ox.Store()
    store.extend(quads)
    store.extend(ox.Quad(q.subject, q.predicate, q.object, SHAPES) for q in ox.parse(shapes, ox.RdfFormat.TURTLE))
    loading.merge(store)
    return store


def compare(shapes: str, seed: int) -> None:
    """Makes some changes one after the other and looks at what is found after each."""
    dice = Random(seed)
    quads = _quads(BACKDROP | _told(dice, dice.randrange(8, 30)))
    store = _store(quads, shapes)
    parsed = Shapes.of(store, SHAPES.value)
    known = _in_full(store, shapes)
    for _ in range(STEPS):
        removed = set(dice.sample(sorted(quads, key=str), dice.choice([0, 1, 2])))
        added = _quads(_told(dice, dice.choice([0, 1, 2]))) - quads
        quads = quads - removed | added
        for quad in removed:
            store.remove(quad)
        store.extend(added)
        loading.follow(store, removed, added)
        expected = _in_full(store, shapes)
        found = _rows(judge_change(store, parsed, removed, added))
        assert found <= expected
        assert expected - known <= found
        known = expected


BOUNDED = settings(derandomize=True, deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))


@BOUNDED
@given(shapes=_shapes(_core()), seed=st.integers(0, 1_000_000))
def test_what_the_constraints_of_the_core_find_anew_is_found(shapes: str, seed: int) -> None:
    compare(shapes, seed)


@BOUNDED
@given(seed=st.integers(0, 1_000_000))
def test_what_queries_find_anew_is_found(seed: int) -> None:
    dice = Random(seed)
    shapes = (
        f':S{i} a sh:NodeShape ; {dice.choice([*TARGETS, *TARGETS[-1:] * 5])} ; sh:message "m{i}" ; {_sparql(_query(dice))} .'
        for i in range(3)
    )
    compare(PREFIXES + "\n".join(shapes), seed)
