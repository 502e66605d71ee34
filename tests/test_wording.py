"""What shapes ask for is said clause by clause, also where a constraint is made of shapes without a name."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from motorgraph.clauses import Clause
from motorgraph.wording import told

HEAD = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix x: <urn:x:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . """


def clauses(turtle: str) -> list[Clause]:
    """Those of the shape x:S."""
    triples = ox.parse((HEAD + turtle).encode(), format=ox.RdfFormat.TURTLE)
    written = ox.serialize((quad.triple for quad in triples), format=ox.RdfFormat.N_TRIPLES)
    return told(written or b"")["urn:x:S"]


def words(constraint: str) -> list[str]:
    """What one property shape is said to ask for."""
    (clause,) = clauses(f"x:S a sh:NodeShape ; sh:property [ sh:path x:p ; {constraint} ] .")
    assert clause.path == "<urn:x:p>"
    return list(clause.words)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("sh:minCount 1 ; sh:maxCount 1", ["exactly one value"]),
        ("sh:minCount 2 ; sh:maxCount 2", ["exactly 2 values"]),
        ("sh:minCount 1 ; sh:maxCount 3", ["at most 3 values", "at least 1 value"]),
        ("sh:class x:C ; sh:minCount 1", ["at least 1 value", "an instance of <urn:x:C>"]),
        ("sh:or ( [ sh:class x:A ] [ sh:class x:B ] )", ["an instance of <urn:x:A> or an instance of <urn:x:B>"]),
        ("sh:xone ( x:A [ sh:nodeKind sh:IRI ] )", ["what satisfies <urn:x:A> or else an IRI"]),
        ("sh:not [ sh:class x:A ]", ["not an instance of <urn:x:A>"]),
        ("sh:node x:A", ["what satisfies <urn:x:A>"]),
        (
            "sh:or ( [ sh:and ( [ sh:class x:A ] [ sh:minLength 2 ] ) ] [ sh:class x:B ] )",
            ["(an instance of <urn:x:A> and at least 2 characters) or an instance of <urn:x:B>"],
        ),
        ("sh:node [ sh:property [ sh:path x:q ; sh:minCount 1 ] ]", ["at least 1 value for <urn:x:q>"]),
        ("sh:uniqueLang true", ["at most one value for each language"]),
        (
            "sh:minInclusive 0 ; sh:datatype xsd:decimal",
            ["a literal of the datatype <http://www.w3.org/2001/XMLSchema#decimal>, well-formed", "at least 0"],
        ),
    ],
)
def test_each_constraint_is_said(constraint: str, expected: list[str]) -> None:
    assert words(constraint) == expected


def test_what_is_switched_off_is_not_asked_for() -> None:
    assert clauses("x:S a sh:NodeShape ; sh:property [ sh:path x:p ; sh:minCount 1 ; sh:deactivated true ] .") == []
    assert clauses("x:S a sh:NodeShape ; sh:deactivated true ; sh:nodeKind sh:IRI .") == []
    assert clauses("x:S a sh:NodeShape ; sh:property [ sh:path x:p ; sh:uniqueLang false ] .") == []


def test_paths_add_up_and_each_clause_has_its_severity_and_message() -> None:
    found = clauses(
        """x:S a sh:NodeShape ; sh:nodeKind sh:IRI ; sh:severity sh:Warning ; sh:message "outer" ;
        sh:property [ sh:path x:p ; sh:minCount 1 ; sh:message "inner" ;
          sh:property [ sh:path [ sh:inversePath x:q ] ; sh:maxCount 1 ; sh:severity sh:Info ] ] ."""
    )
    assert [(clause.path, clause.severity, clause.messages) for clause in found] == [
        ("", "Warning", ("outer",)),
        ("<urn:x:p>", "Violation", ("inner",)),
        ("<urn:x:p>/^<urn:x:q>", "Info", ()),
    ]
    assert [clause.is_about_one for clause in found] == ["", "urn:x:p", ""]


def test_a_query_is_told_without_its_margin_and_with_what_it_says_or_its_shape() -> None:
    (clause,) = clauses(
        '''x:S a sh:NodeShape ; sh:severity sh:Info ; sh:message "of the shape" ; sh:sparql [ sh:select """SELECT $this {
            $this ?p
                ?o }""" ] .'''
    )
    assert clause == Clause("", (), ("of the shape",), "Info", "SELECT $this {\n$this ?p\n    ?o }")


def test_shapes_in_a_circle_come_to_an_end() -> None:
    (clause,) = clauses("x:S a sh:NodeShape ; sh:node _:a . _:a sh:node _:a ; sh:class x:C .")
    assert "an instance of <urn:x:C>" in clause.words[0]
