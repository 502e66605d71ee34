"""Turtle written for people says what the triples say, whatever they are."""

from __future__ import annotations

import itertools

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorgraph.prefixes import Prefixes
from motorgraph.statements import Statements
from motorgraph.turtle import Turtle

PREFIXES = Prefixes("https://motorgraph.example")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
MG = "https://motorgraph.example/ontology/"

NAMED = st.sampled_from([f"{MG}Plant", f"{MG}a.b", f"{MG}a/b", f"{MG}é", f"{MG}end.", "urn:x", RDF + "nil", f"{MG}module/x"])
IRIS = NAMED.map(ox.NamedNode)
BLANKS = st.sampled_from("abcde").map(ox.BlankNode)
LITERALS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8).map(ox.Literal),
    st.sampled_from(['"', '""', '"""', "\\", "\n", 'a\n"""b"', "\r\n", "\t\b\f"]).map(ox.Literal),
    st.sampled_from(["en", "de-AT"]).map(lambda language: ox.Literal("word", language=language)),
    st.sampled_from(
        [("1", "integer"), ("-1.5", "decimal"), ("true", "boolean"), ("x", "integer"), ("1", "boolean"), ("1e5", "double")]
    ).map(lambda pair: ox.Literal(pair[0], datatype=ox.NamedNode(XSD + pair[1]))),
)
PREDICATES = st.sampled_from([RDF + "type", RDF + "first", RDF + "rest", f"{MG}ofPlant", "urn:p"]).map(ox.NamedNode)
TRIPLES = st.builds(ox.Triple, st.one_of(IRIS, BLANKS), PREDICATES, st.one_of(IRIS, BLANKS, LITERALS))


def canonical(triples: list[ox.Triple]) -> ox.Dataset:
    found = ox.Dataset(ox.Quad(*triple) for triple in triples)
    found.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return found


def reread(text: str) -> ox.Dataset:
    return canonical([quad.triple for quad in ox.parse(text.encode(), format=ox.RdfFormat.TURTLE)])


@given(st.lists(TRIPLES, max_size=14))
def test_what_is_written_is_what_is_read(triples: list[ox.Triple]) -> None:
    statements = Statements(triples)
    reached = list(statements.whole(statements.iris))  # what no subject with a name leads to is not written
    assert reread(Turtle(statements, PREFIXES).document(statements.iris)) == canonical(reached)


@pytest.mark.parametrize("depth", [99, 100, 101, 150])
def test_blank_nodes_are_written_however_deep_they_lie(depth: int) -> None:
    nodes = [ox.NamedNode("urn:x"), *(ox.BlankNode(f"b{number}") for number in range(depth))]
    triples = [ox.Triple(one, ox.NamedNode("urn:p"), other) for one, other in itertools.pairwise(nodes)]
    assert reread(Turtle(Statements(triples), PREFIXES).document(["urn:x"])) == canonical(triples)


def test_a_long_list_is_one_list() -> None:
    nodes = [ox.BlankNode(f"b{number}") for number in range(300)]
    triples = [ox.Triple(ox.NamedNode("urn:x"), ox.NamedNode("urn:p"), nodes[0])]
    for number, node in enumerate(nodes):
        rest = nodes[number + 1] if number + 1 < len(nodes) else ox.NamedNode(RDF + "nil")
        triples.append(ox.Triple(node, ox.NamedNode(RDF + "first"), ox.Literal(number)))
        triples.append(ox.Triple(node, ox.NamedNode(RDF + "rest"), rest))
    text = Turtle(Statements(triples), PREFIXES).document(["urn:x"])
    assert "( 0 1 2 3 4 " in text
    assert reread(text) == canonical(triples)
