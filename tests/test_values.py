"""What is kept by value comes out as the engine has it: numbers, times, truth values, also in a triple that is spoken of."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from motorgraph.engine.values import Term, kept

A = ox.NamedNode("urn:a")
WRITTEN = {
    "integer": ("0", "-0", "+1", "01", "7", "-1234567890123456", "99999999999999999999999", "abc", " 1 "),
    "decimal": ("2.50", "2.5", "1.0", "1", "-0.0", "0.00001", "1234567890.12345", "123456789012345678901.5", ".5"),
    "double": ("1.0E0", "INF", "+INF", "NaN", "-0.0", "1e400"),
    "float": ("1.50", "-INF"),
    "boolean": ("1", "true", "0", "TRUE"),
    "byte": ("01", "300"),
    "date": ("2020-01-01", "2020-01-01+00:00", "2020-02-30", "2020-13-01", "0000-01-01", "-0001-01-01"),
    "dateTime": ("2020-01-01T24:00:00", "2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00+14:00"),
    "time": ("24:00:00", "12:00:00.50"),
    "dayTimeDuration": ("P0DT24H", "P1D"),
    "yearMonthDuration": ("P12M",),
    "gMonthDay": ("--02-30",),
    "string": ("01",),
}


def of_store(term: Term) -> Term:
    store = ox.Store()
    store.add(ox.Quad(A, A, term))
    (quad,) = store
    return quad.object


@pytest.mark.parametrize("datatype", WRITTEN)
def test_a_value_is_kept_as_the_engine_keeps_it(datatype: str) -> None:
    for text in WRITTEN[datatype]:
        literal = ox.Literal(text, datatype=ox.NamedNode(f"http://www.w3.org/2001/XMLSchema#{datatype}"))
        for term in (literal, ox.Triple(A, A, literal), ox.Triple(A, A, ox.Triple(A, A, literal))):
            assert kept(term) == of_store(term), term


@pytest.mark.parametrize(
    "term",
    [
        A,
        ox.BlankNode("b"),
        ox.Literal("01"),
        ox.Literal("01", language="en"),
        ox.Literal("01", datatype=ox.NamedNode("urn:unit")),
    ],
)
def test_other_terms_stay_as_they_are(term: Term) -> None:
    assert kept(term) == of_store(term) == term
