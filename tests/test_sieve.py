"""The shapes made quick for pySHACL give the results that they gave."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
from rdflib import Graph

from motorgraph.gate import rdflib_graph
from motorgraph.sieve import sieved
from tests.test_gate import PREFIXES, _judged, _plain_results, _quads

NAMED = '[ sh:path :name ; sh:minCount 1 ; sh:message "m" ]'
SHAPES = {
    "a property shape of one node shape": f":S a sh:NodeShape ; sh:targetClass :Car ; sh:targetNode :x ; sh:property {NAMED} .",
    "a property shape of two node shapes": """
        :S a sh:NodeShape ; sh:targetClass :Car ; sh:property :P .
        :T a sh:NodeShape ; sh:targetSubjectsOf :maker ; sh:property :P .
        :P sh:path :name ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "m" .""",
    "a property shape with a target of its own": """
        :S a sh:NodeShape ; sh:targetClass :Car ; sh:property :P .
        :P a sh:PropertyShape ; sh:targetNode :x ; sh:path :name ; sh:minCount 1 ; sh:message "m" .""",
    "a node shape that another uses": f"""
        :S a sh:NodeShape ; sh:targetClass :Car ; sh:property {NAMED} .
        :T a sh:NodeShape ; sh:targetSubjectsOf :maker ; sh:node :S ; sh:message "n" .""",
    "a property shape within a property shape": f"""
        :S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path :maker ; sh:property {NAMED} ] .""",
    "a class that is a shape": f":Car a sh:NodeShape , rdfs:Class ; sh:targetNode :x ; sh:property {NAMED} .",
    "a shape of its own constraints and of a property": f"""
        :S a sh:NodeShape ; sh:targetClass :Car ; sh:nodeKind sh:Literal ; sh:message "n" ; sh:property {NAMED} .""",
}
SWITCHED_OFF = f":S a sh:NodeShape ; sh:deactivated true ; sh:targetClass :Car ; sh:property {NAMED} ."
QUERIES = {  # target, select
    "a filter": ("sh:targetClass :Car", "SELECT $this ?value WHERE { $this :year ?value FILTER(?value < 2000) }"),
    "$this in a filter only": ("sh:targetClass :Car", "SELECT $this WHERE { ?other :year 1990 FILTER(?other = $this) }"),
    "$this in the filter of a branch": (
        "sh:targetClass :Car",
        "SELECT $this WHERE { $this a :Car . { ?x :year 1990 FILTER(?x = $this) } UNION { $this :year 1980 } }",
    ),
    "what is not there": (
        "sh:targetObjectsOf :maker",
        "SELECT $this WHERE { $this :year ?year FILTER NOT EXISTS { $this a ?class } }",
    ),
    "a count": (
        "sh:targetClass :Car",
        "SELECT $this (COUNT(?m) AS ?value) WHERE { $this :maker ?m } GROUP BY $this HAVING(COUNT(?m) > 1)",
    ),
    "texts as focus nodes": ("sh:targetObjectsOf :year", "SELECT $this WHERE { ?car :year $this . ?car :maker :m }"),
    "one node": ("sh:targetNode :a", "SELECT $this WHERE { $this :year 1990 }"),
    "beside another constraint": (
        'sh:targetClass :Car ; sh:class :Van ; sh:message "n"',
        "SELECT $this WHERE { $this :year 1990 }",
    ),
}
DATA = """:a a :Car ; :maker :m ; :year 1990 . :b a :Car ; :maker :m , :n ; :year 2010 ; :name "b" . :c a :Van ; :year 1980 .
    :Van rdfs:subClassOf :Car . :d :maker :a ; :year 1990 . :n :year 5 . _:blank a :Car ; :year 1990 ."""
NAMESPACE = ':N sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] . '


def with_query(target: str, select: str) -> str:
    return f'{NAMESPACE} :S a sh:NodeShape ; {target} ; sh:sparql [ sh:prefixes :N ; sh:message "m" ; sh:select "{select}" ] .'


def turtle(text: str) -> Graph:
    return Graph().parse(data=PREFIXES + text, format="turtle")


ALL = {**SHAPES, **{f"a query: {name}": with_query(*query) for name, query in QUERIES.items()}}


@pytest.mark.parametrize("name", ALL)
def test_the_results_are_those_of_the_shapes_as_they_were(name: str) -> None:
    found = [(r.severity, r.focus, r.message) for r in _judged(DATA, ALL[name]).results]
    plain = [
        (severity, focus if focus.startswith("http") or focus.isdecimal() else "a blank node", message)
        for severity, focus, message, _ in _plain_results(turtle(DATA), turtle(ALL[name]))
    ]
    assert plain, "each case has something to find"
    assert sorted(found) == sorted(plain)


def test_a_shape_that_is_switched_off_finds_nothing() -> None:
    assert not _judged(DATA, SWITCHED_OFF).results


def test_a_shape_of_queries_is_left_with_the_nodes_for_which_they_find_something() -> None:
    store = _store()
    quick = sieved(turtle(with_query(*QUERIES["what is not there"])), store)
    assert _targets(quick) == {("targetNode", "http://x/n")}
    kept = sieved(turtle(with_query(*QUERIES["beside another constraint"])), store)
    assert _targets(kept) == {("targetClass", "http://x/Car")}


def test_a_query_that_the_engine_cannot_read_is_left_to_pyshacl() -> None:
    quick = sieved(turtle(with_query("sh:targetClass :Car", "SELECT $this WHERE { $this :year }")), _store())
    assert _targets(quick) == {("targetClass", "http://x/Car")}


def _store() -> ox.Store:
    return rdflib_graph(_quads(DATA)).in_engine


def _targets(shapes: Graph) -> set[tuple[str, str]]:
    return {(p.rpartition("#")[2], str(o)) for _, p, o in shapes if "target" in str(p).rpartition("#")[2]}
