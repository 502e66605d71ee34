"""What a report says beside what is wrong: what would be right, the value as a term, the path; and all of it as RDF."""

from __future__ import annotations

import json
from typing import Any

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib import SH
from rdflib.compare import isomorphic

from motorgraph.gate import Report, Result, rdflib_graph, validate
from motorgraph.media import GRAPHS, TURTLE
from motorgraph.validation import as_rdf, property_path
from tests.test_consequences import spent

XSD = "http://www.w3.org/2001/XMLSchema#"
PREFIXES = """
    @prefix : <http://x/> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
"""
DATA = ':c a :Car ; :v "a" , "b"@en , 5 , :o , [] ; :w 1 . :o a :Other .'
OTHERS = ":Y a sh:NodeShape . :N a sh:NodeShape ; sh:property [ sh:path :none ; sh:minCount 1 ] ."
"""A shape that everything satisfies, and one that nothing does."""


def judged(constraint: str, data: str = DATA, path: str = ":v") -> tuple[Result, ...]:
    shapes = f":S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path {path} ; {constraint} ] . {OTHERS}"
    return found(data, shapes).results


def found(data: str, shapes: str) -> Report:
    read = (list(ox.parse(PREFIXES + text, ox.RdfFormat.TURTLE)) for text in (data, shapes))
    return validate(*map(rdflib_graph, read))


# What would be right


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("sh:minCount 9", "at least 9 values"),
        ("sh:maxCount 1", "at most 1 value"),
        ("sh:datatype xsd:date", f"a literal of the datatype <{XSD}date>, well-formed"),
        ("sh:class :K, :L", "an instance of <http://x/K> and of <http://x/L>"),
        ("sh:nodeKind sh:IRI", "an IRI"),
        ("sh:nodeKind sh:BlankNodeOrLiteral", "a blank node or a literal"),
        ('sh:in ( 1 "x"@de :k )', 'one of "x"@de, 1, <http://x/k>'),
        ("sh:hasValue 7", "7 among the values"),
        ('sh:pattern "^[A-Z]+$"', 'a match of the pattern "^[A-Z]+$"'),
        ('sh:pattern "^[0]+$" ; sh:flags "i"', 'a match of the pattern "^[0]+$" with the flags i'),
        ("sh:minLength 40", "at least 40 characters"),
        ("sh:maxLength 0", "at most 0 characters"),
        ("sh:minInclusive 6", "at least 6"),
        ("sh:maxInclusive 4.5", "at most 4.5"),
        ("sh:minExclusive 6", "more than 6"),
        ("sh:maxExclusive 4", "less than 4"),
        ('sh:languageIn ( "de" "fr" )', 'a text in "de" or "fr"'),
        ("sh:equals :w", "the same values as <http://x/w>"),
        ("sh:disjoint :v", "none of the values of <http://x/v>"),
        ("sh:node :N", "what satisfies <http://x/N>"),
        ("sh:not :Y", "what does not satisfy <http://x/Y>"),
        ("sh:or ( :N [ sh:class :K ] )", "at least one of <http://x/N>, a shape without a name to be satisfied"),
        ("sh:and ( :N :Y )", "all of <http://x/N>, <http://x/Y> to be satisfied"),
        ("sh:xone ( :Y :Y )", "exactly one of <http://x/Y>, <http://x/Y> to be satisfied"),
        ("sh:qualifiedValueShape :Y ; sh:qualifiedMinCount 9", "at least 9 of the values to satisfy <http://x/Y>"),
        ("sh:qualifiedValueShape :Y ; sh:qualifiedMaxCount 0", "at most 0 of the values to satisfy <http://x/Y>"),
    ],
)
def test_a_result_says_what_would_be_right(constraint: str, expected: str) -> None:
    results = judged(constraint)
    assert results
    assert {result.expected for result in results} == {expected}


def test_a_closed_shape_says_which_properties_it_has() -> None:
    shape = ":S a sh:NodeShape ; sh:targetClass :Car ; sh:closed true ; sh:ignoredProperties ( rdf:type ) ; "
    results = found(":c a :Car ; :v 1 ; :w 1 .", shape + "sh:property [ sh:path :v ] .").results
    assert {r.expected for r in results} == {"no properties but <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>, <http://x/v>"}


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("sh:lessThan :w", "less than every value of <http://x/w>"),
        ("sh:lessThanOrEquals :w", "at most every value of <http://x/w>"),
    ],
)
def test_what_is_compared_with_another_property(constraint: str, expected: str) -> None:
    (result,) = judged(constraint, ":c a :Car ; :v 5 ; :w 1 .")
    assert result.expected == expected


def test_one_value_for_a_language_and_a_sparql_constraint() -> None:
    assert [r.expected for r in judged("sh:uniqueLang true", ':c a :Car ; :v "a"@en , "b"@en .')] == [
        "at most one value for each language"
    ]
    shape = (
        """:S a sh:NodeShape ; sh:targetClass :Car ; sh:sparql [ sh:message "No." ; sh:select "SELECT $this { $this ?p 1 }" ] ."""
    )
    (result,) = found(DATA, shape).results
    assert (result.expected, result.component) == ("", str(SH.SPARQLConstraintComponent))


def test_a_long_list_is_cut() -> None:
    results = judged(f"sh:in ( {' '.join(f':k{n}' for n in range(1000, 2000))} )")
    assert results[0].expected.endswith("and 980 more")
    assert {(len(result.message), result.message[-2:]) for result in results} == {(2000, " …")}
    long = judged(f'sh:in ( "{"x" * 5000}" )')[0].expected
    assert len(long) == 500
    assert long.endswith(" …")


def test_a_list_is_judged_in_time_that_grows_as_the_list_does() -> None:
    def judging(count: int) -> float:
        return spent(lambda: judged(f"sh:in ( {' '.join(f':k{n}' for n in range(count))} )"))

    assert judging(4000) < 20 * judging(500)


# The value, the path


def test_a_value_is_a_term_with_its_datatype_or_language() -> None:
    told = {(r.value, r.datatype, r.language) for r in judged("sh:in ( :none )")}
    assert told == {
        ("a", XSD + "string", ""),
        ("b", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "en"),
        ("5", XSD + "integer", ""),
        ("http://x/o", "", ""),
        ("a blank node", "", ""),
    }


PATHS = {
    ":p": "http://x/p",
    "( :p :q )": "<http://x/p>/<http://x/q>",
    "[ sh:inversePath :p ]": "^<http://x/p>",
    "[ sh:zeroOrMorePath :p ]": "<http://x/p>*",
    "[ sh:oneOrMorePath [ sh:inversePath :p ] ]": "(^<http://x/p>)+",
    "[ sh:inversePath [ sh:zeroOrOnePath :p ] ]": "^<http://x/p>?",
    "[ sh:inversePath ( :p :q ) ]": "^(<http://x/p>/<http://x/q>)",
    "[ sh:alternativePath ( :p ( :q :r ) [ sh:zeroOrMorePath [ sh:oneOrMorePath :s ] ] ) ]": (
        "<http://x/p>|(<http://x/q>/<http://x/r>)|(<http://x/s>+)*"
    ),
    "( [ sh:inversePath :p ] [ sh:alternativePath ( :q [ sh:zeroOrMorePath ( :r :s ) ] ) ] :t )": (
        "^<http://x/p>/(<http://x/q>|(<http://x/r>/<http://x/s>)*)/<http://x/t>"
    ),
}


@pytest.mark.parametrize(("turtle", "text"), PATHS.items())
def test_a_path_is_told_as_sparql_writes_it(turtle: str, text: str) -> None:
    (result,) = judged("sh:minCount 9", path=turtle)
    assert result.path == text
    ox.Store().query(f"ASK {{ ?s {text if '<' in text else f'<{text}>'} ?o }}")


@pytest.mark.parametrize(("turtle", "text"), PATHS.items())
def test_a_path_comes_back_as_the_same_shacl(turtle: str, text: str) -> None:
    node, triples = property_path(text)
    again = "".join(f"{triple} .\n" for triple in [*triples, ox.Triple(ox.NamedNode("a:s"), ox.NamedNode("a:p"), node)])
    wanted = rdflib.Graph().parse(data=PREFIXES + f"<a:s> <a:p> {turtle} .", format="turtle")
    assert isomorphic(rdflib.Graph().parse(data=again, format="nt"), wanted)


# The W3C's graph


def pruned(graph: rdflib.Graph) -> rdflib.Graph:
    """The report alone: pySHACL adds the shapes and blank nodes that a result speaks of, and puts shapes without names to it."""
    kept = rdflib.Graph()
    todo: list[rdflib.term.Node] = list(graph.subjects(rdflib.RDF.type, SH.ValidationReport))
    while todo:
        node = todo.pop()
        for predicate, value in graph.predicate_objects(node):
            if predicate != SH.sourceShape:
                kept.add((node, predicate, value))
                if isinstance(value, rdflib.BNode) and predicate != SH.value:
                    todo.append(value)
    return kept


@pytest.mark.parametrize("form", GRAPHS, ids=lambda form: form.name)
def test_the_report_in_rdf_is_that_of_plain_pyshacl(form: Any) -> None:
    shapes = """:S a sh:NodeShape ; sh:targetClass :Car ; sh:property
        [ sh:path :v ; sh:in ( 7 ) ; sh:severity sh:Warning ] ,
        [ sh:path ( [ sh:inversePath :p ] [ sh:alternativePath ( :q [ sh:zeroOrMorePath :r ] ) ] ) ; sh:minCount 1 ;
          sh:message "One." ] .
        :L a sh:NodeShape ; sh:targetObjectsOf :w ; sh:nodeKind sh:IRI ."""
    data = DATA.replace(", :o ,", ",")  # whose IRI pySHACL shortens in its message by the prefixes of a file
    written = as_rdf(json.loads(json.dumps(found(data, shapes).as_json())), form)
    quads = ox.parse(written, ox.RdfFormat.from_media_type(form.media_type))
    ours = rdflib.Graph().parse(data="".join(f"{quad.triple} .\n" for quad in quads), format="nt")
    by_rdflib = [rdflib.Graph().parse(data=PREFIXES + text, format="turtle") for text in (data, shapes)]
    _, plain, _ = pyshacl.validate(by_rdflib[0], shacl_graph=by_rdflib[1])
    assert isinstance(plain, rdflib.Graph)
    assert {str(value) for value in ours.objects(None, SH.sourceShape)} == {"http://x/S", "http://x/L"}
    assert isomorphic(pruned(ours), pruned(plain))


def test_what_conforms_is_a_report_without_results() -> None:
    written = as_rdf(Report(()).as_json(), TURTLE)
    (report,) = rdflib.Graph().parse(data=written, format="turtle").subjects(SH.conforms, rdflib.Literal(True))
    assert isinstance(report, rdflib.BNode)


def test_a_report_as_json_is_cut_to_so_many_results_and_says_how_many_there_are() -> None:
    report = found(DATA, ":S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path :v ; sh:in ( 7 ) ] .")
    told = report.as_json(2)
    assert (told["conforms"], told["total"], len(told["results"])) == (False, 5, 2)
    assert told["results"][0].keys() == {
        "severity", "focus", "message", "path", "value", "datatype", "language", "expected", "component", "shape",
    }  # fmt: skip
