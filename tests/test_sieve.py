"""What the sieve lets through: all that has a result, and little else."""

from __future__ import annotations

import pytest
from rdflib import Graph

from motorgraph.gate import NOWHERE
from motorgraph.merged import Data
from motorgraph.shapes import Shapes
from motorgraph.sieve import Sieve
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
    found = [(r.severity, r.focus.partition('"^^')[0].strip('"'), r.message) for r in _judged(DATA, ALL[name]).results]
    plain = [
        (severity, focus if focus.startswith("http") or focus.isdecimal() else "a blank node", message)
        for severity, focus, message, _ in _plain_results(turtle(DATA), turtle(ALL[name]))
    ]
    assert plain, "each case has something to find"
    assert sorted(found) == sorted(plain)


def test_a_shape_that_is_switched_off_finds_nothing() -> None:
    assert not _judged(DATA, SWITCHED_OFF).results


# What is suspicious. The data have each focus node that has a result, and others

CARS = """:a a :Car ; :maker :m ; :year 1990 ; :name "A" . :b a :Car ; :maker :m , :n ; :year 2010 ; :name "b"@en , "c"@en .
    :c a :Van ; :year "x" ; :name :m . :Van rdfs:subClassOf :Car . :m a :Maker ; :seat :s . :d :maker :a , :c ."""
NARROWED = {  # what a property shape says, which cars are suspicious
    "sh:path :maker ; sh:minCount 1": "c",
    "sh:path :maker ; sh:maxCount 1": "b",
    "sh:path :name ; sh:datatype xsd:string": "bc",
    "sh:path :name ; sh:nodeKind sh:IRI": "ab",
    "sh:path :year ; sh:minInclusive 2000": "ac",
    "sh:path :year ; sh:maxExclusive 2010": "bc",
    "sh:path :name ; sh:minLength 2": "ab",
    'sh:path :name ; sh:pattern "^[A-Z]$"': "bc",
    'sh:path :name ; sh:languageIn ( "en" )': "ac",
    "sh:path :name ; sh:uniqueLang true": "b",
    'sh:path :name ; sh:in ( "A" :m )': "b",
    'sh:path :name ; sh:hasValue "A"': "bc",
    "sh:path :maker ; sh:class :Maker": "b",
    "sh:path :maker ; sh:equals :name": "abc",
    "sh:path :name ; sh:disjoint :maker": "",
    "sh:path :year ; sh:lessThan :maker": "ab",
    "sh:path ( :maker :seat ) ; sh:minCount 1": "c",
    "sh:path [ sh:inversePath :maker ] ; sh:maxCount 0": "ac",
    "sh:path [ sh:zeroOrOnePath :maker ] ; sh:maxCount 2": "b",
    "sh:path :maker ; sh:node [ sh:property [ sh:path :seat ; sh:minCount 1 ] ]": "b",
    "sh:path :maker ; sh:qualifiedValueShape [ sh:class :Maker ] ; sh:qualifiedMinCount 1": "c",
    "sh:path :maker ; sh:qualifiedValueShape [ sh:class :Maker ] ; sh:qualifiedMaxCount 0": "ab",
    "sh:path :year ; sh:not [ sh:datatype xsd:integer ]": "ab",
    "sh:path :year ; sh:or ( [ sh:datatype xsd:integer ] [ sh:minLength 2 ] )": "c",
    "sh:path :year ; sh:and ( [ sh:datatype xsd:integer ] [ sh:minLength 2 ] )": "c",
    "sh:path :year ; sh:xone ( [ sh:datatype xsd:integer ] [ sh:maxLength 9 ] )": "ab",
}


def _suspicious(data: str, shapes: str) -> str:
    """The focus nodes that are left to pySHACL, as one word."""
    known = Shapes.read(_quads(shapes), NOWHERE)
    graph = Data.copied(_quads(data), NOWHERE)
    sieve = Sieve(known, graph)
    found = {
        node
        for watch in known.watches
        for suspicion in sieve.suspicions(watch.shape, watch.targets.all(graph))
        for node in suspicion.nodes
    }
    return "".join(sorted(node.value.removeprefix("http://x/") for node in found))


@pytest.mark.parametrize("told", NARROWED)
def test_only_the_focus_nodes_that_break_a_constraint_are_left_to_pyshacl(told: str) -> None:
    shape = f':S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ {told} ; sh:message "m" ] .'
    assert _suspicious(CARS, shape) == NARROWED[told]
    with_result = {focus.removeprefix("http://x/") for _, focus, *_ in _plain_results(turtle(CARS), turtle(shape))}
    assert "".join(sorted(with_result)) == NARROWED[told]


def test_of_a_closed_shape_those_are_left_that_say_more() -> None:
    closed = "sh:closed true ; sh:ignoredProperties ( :maker :year <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> )"
    shape = f":S a sh:NodeShape ; sh:targetClass :Car ; sh:targetNode :d ; {closed} ."
    assert _suspicious(CARS, shape) == "abc"
    assert _suspicious(CARS, shape.replace("true ;", "true ; sh:property [ sh:path :name ] ;")) == ""


def test_a_shape_that_is_within_itself_is_left_whole_where_it_comes_back() -> None:
    shape = ":S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path [ sh:inversePath :maker ] ; sh:node :S ] ."
    assert _suspicious(CARS, shape) == "ac", "they are somebody's maker"


def test_of_a_shape_with_a_constraint_component_of_their_own_all_are_left() -> None:
    component = """:K a sh:ConstraintComponent ; sh:parameter [ sh:path :most ] ; sh:validator :V . :V a sh:SPARQLAskValidator ;
        sh:ask "ASK { FILTER(true) }" . :S a sh:NodeShape ; sh:targetClass :Car ; sh:nodeKind sh:IRI ."""
    assert _suspicious(CARS, component) == "abc"


def test_of_a_query_those_are_left_for_which_it_finds_something() -> None:
    assert _suspicious(DATA, with_query(*QUERIES["what is not there"])) == "n"


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asked_once_for_all_finds_what_it_finds_for_each(name: str) -> None:
    (question,) = Shapes.read(_quads(with_query(*QUERIES[name])), NOWHERE).watches[0].questions
    data = Data.copied(_quads(DATA), NOWHERE)
    nodes = {node for quad in data.quads(None, None, None) for node in (quad.subject, quad.object)}
    if question.asks_all(data):
        assert question.all_suspicious(data) & nodes == question.suspicious(nodes, data)
    else:
        assert "WHERE { $this" not in question.text or "UNION" in question.text


def test_a_query_with_a_limit_is_asked_for_each_node() -> None:
    query = with_query("sh:targetClass :Car", "SELECT $this WHERE { $this :year ?y } LIMIT 1")
    assert _suspicious(DATA, query).startswith("ab")
    assert len(_judged(DATA, query).results) == 4
