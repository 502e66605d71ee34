"""Shapes that cannot be used are refused, with the shape and what is wrong with it."""

from __future__ import annotations

import pytest

from motorgraph import faults
from motorgraph.errors import BadShapes
from motorgraph.gate import NOWHERE
from motorgraph.shapes import Shapes
from tests.test_gate import _judged, _quads

NODE = "a sh:NodeShape ; sh:targetClass :Car ;"
FAULTY = {  # shapes, which one, why
    "no path": (":S a sh:PropertyShape ; sh:minCount 1 .", "<http://x/S>", "one `sh:path` property"),
    "two paths": (f":S {NODE} sh:property [ sh:path :p , :q ] .", "<http://x/S>", "more than one 'sh:path'"),
    "a node shape with a path": (":S a sh:NodeShape ; sh:path :p .", "<http://x/S>", "cannot be the subject of a 'sh:path'"),
    "a path that is none": (f":S {NODE} sh:property [ sh:path [ :to :p ] ] .", "in <http://x/S>", "path"),
    "a path that is text": (f':S {NODE} sh:property [ sh:path "p" ] .', "in <http://x/S>", "cannot be a Literal"),
    "a list of one": (f":S {NODE} sh:property [ sh:path ( :p ) ] .", "in <http://x/S>", "at least two path items"),
    "a count in words": (
        f':S {NODE} sh:property [ sh:path :p ; sh:minCount "one" ] .',
        "of the path <http://x/p>",
        "xsd:integer",
    ),
    "a count of a node": (f":S {NODE} sh:minCount 1 .", "<http://x/S>", "only be present on a PropertyShape"),
    "a pattern that is none": (f':S {NODE} sh:pattern "(" .', "<http://x/S>", "unterminated subpattern"),
    "two datatypes": (f":S {NODE} sh:datatype xsd:date , xsd:time .", "<http://x/S>", "at most one sh:datatype"),
    "no list": (f":S {NODE} sh:or :T . :T a sh:NodeShape .", "shape", "RDF list"),
    "a property that is none": (f":S {NODE} sh:property :T . :T a sh:NodeShape .", "<http://x/S>", "PropertyShape"),
    "a node that is none": (f":S {NODE} sh:node [ sh:path :p ] .", "<http://x/S>", "NodeShape"),
    "a query that does not parse": (
        f':S {NODE} sh:sparql [ sh:select "SELECT $this {{ $this }}" ] .',
        "<http://x/S>",
        "Expected",
    ),
    "a query with an unknown prefix": (
        f':S {NODE} sh:sparql [ sh:select "SELECT $this {{ $this x:p 1 }}" ] .',
        "<http://x/S>",
        "prefix",
    ),
    "a query that selects nothing": (f':S {NODE} sh:sparql [ sh:select "ASK {{ $this :p 1 }}" ] .', "<http://x/S>", ""),
    "no query": (f":S {NODE} sh:sparql [ sh:message 'm' ] .", "<http://x/S>", "at least one sh:select"),
    "a query that takes away": (
        f':S {NODE} sh:sparql [ sh:select "SELECT $this {{ $this ?p 1 MINUS {{ $this ?p 2 }} }}" ] .',
        "<http://x/S>",
        "MINUS",
    ),
    "switched off twice": (f":S {NODE} sh:deactivated true , false .", "<http://x/S>", "more than one sh:deactivated"),
    "a fault where nothing is found": (
        f":S {NODE} sh:property [ sh:path :nowhere ; sh:node [ sh:or ( [ sh:maxCount 1 ] ) ] ] .",
        "in <http://x/S>",
        "PropertyShape",
    ),
}


@pytest.mark.parametrize("name", FAULTY)
def test_the_shape_and_what_is_wrong_with_it_are_told(name: str) -> None:
    text, which, why = FAULTY[name]
    with pytest.raises(BadShapes) as refused:
        _judged(":c a :Car .", text)
    assert which in refused.value.detail
    assert why in refused.value.detail


def test_shapes_within_themselves_are_no_fault() -> None:
    shapes = Shapes.read(
        _quads(f":S {NODE} sh:or ( :S [ sh:nodeKind sh:IRI ] ) ; sh:property [ sh:path :p ; sh:node :S ] ."), NOWHERE
    )
    faults.require_none(shapes.graph, shapes.parsed, shapes.readings)


def test_what_shacl_does_not_know_is_no_fault() -> None:
    assert not _judged(":c a :Car .", f":S {NODE} :more 1 ; sh:qualifiedValueShape [ sh:class :Car ] .").results
