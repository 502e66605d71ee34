"""The choice of a format by Accept (RFC 9110 §12.5.1), and of a reader by Content-Type or file name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from motorgraph.media import (
    CSV,
    GRAPHS,
    JSON,
    JSONLD,
    N3,
    NQUADS,
    NTRIPLES,
    RDFXML,
    READABLE,
    SOLUTIONS,
    TRIG,
    TSV,
    TURTLE,
    XML,
    Format,
    accepted,
    by_suffix,
    choose,
    listing,
    prefers_html,
    quality,
    readable,
)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
steady = examples(derandomize=True, max_examples=300, deadline=None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/csv;charset=utf-8", CSV),
        ("text/csv; header=present; q=0.3", CSV),
        (" text/csv , */*;q=0.1", CSV),
        ("text/csv;q=0.5, text/tab-separated-values;q=0.6", TSV),
        ("text/csv ; q = 0.5 , text/tab-separated-values;Q=0.4", CSV),
        ("text/csv;q=0.001", CSV),
        ("text/csv;q=.5, text/tab-separated-values;q=.4", CSV),
        ("text/*", TSV),
        ("application/*", JSON),
        ("application/*;q=0.2, text/*;q=0.9", TSV),
        ("text/csv;q=0, text/*", TSV),
        ("application/sparql-results+json;q=0, */*", XML),
        ("*/*;q=0.8, application/sparql-results+xml", XML),
        ("application/json", JSON),
        ("application/xml", XML),
        ("text/xml;q=0.9, application/json;q=0.8", XML),
        ("*/*;q=0.1, text/xml", XML),
        ("application/json;q=0, text/csv", CSV),
        ("image/png, text/csv;q=0.1", CSV),
        (BROWSER, XML),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
    ],
)
def test_the_table_format_that_the_client_likes_best_is_chosen(header: str, expected: Format) -> None:
    assert choose(header, SOLUTIONS) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", TURTLE),
        ("*/*", TURTLE),
        ("application/ld+json", JSONLD),
        ("application/json", JSONLD),
        ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', JSONLD),
        ("application/x-turtle;q=0.9, application/rdf+xml;q=0.8", TURTLE),
        ("application/rdf+xml, application/n-triples", NTRIPLES),
        ("text/plain", NTRIPLES),
        ("text/*;q=0.3, application/n-quads;q=0.4", NQUADS),
        ("text/turtle;q=0.5, application/trig", TRIG),
        ("text/rdf+n3, text/turtle;q=0.1", TURTLE),
        ("application/*", NTRIPLES),
    ],
)
def test_the_graph_format_that_the_client_likes_best_is_chosen(header: str, expected: Format) -> None:
    assert choose(header, GRAPHS) == expected


def test_what_is_chosen_is_one_of_those_given_even_if_equal_ones_were_given_before() -> None:
    for formats in ((replace(TURTLE), replace(NTRIPLES)), (replace(TURTLE), replace(NTRIPLES))):
        assert choose("application/n-triples", formats) is formats[1]
        assert choose("", formats) is formats[0]


@pytest.mark.parametrize("header", ["image/png", "text/csv;q=0", "*/*;q=0", "text/*;q=0, text/csv;q=0", "text/csv;q=0.000"])
def test_what_the_client_takes_nothing_of_is_none(header: str) -> None:
    assert choose(header, (CSV, TSV)) is None


@pytest.mark.parametrize(
    "junk", ["csv", "/", "text/", "/csv", ";q=1", "text", ",", " ,, ", "q=0.5", "text/csv;q=x", "text/csv;q="]
)
def test_what_is_no_media_range_is_passed_over(junk: str) -> None:
    assert accepted(junk) == ()
    assert choose(junk, SOLUTIONS) == JSON
    assert choose(f"{junk}, text/tab-separated-values;q=0.1", SOLUTIONS) == TSV


@pytest.mark.parametrize("junk", ["text/csv;q=nan", "text/csv;q=inf", "*/csv"])
def test_a_range_that_the_grammar_does_not_know_is_passed_over(junk: str) -> None:
    assert choose(f"{junk}, text/tab-separated-values;q=0.1", (CSV, TSV)) == TSV
    assert choose(junk, SOLUTIONS) == JSON


def test_a_name_that_a_format_also_has_counts_only_where_the_client_named_it() -> None:
    assert choose("application/*;q=0.2, text/csv;q=0.3", (JSON, CSV)) == CSV
    assert choose("application/*;q=0.2, application/json;q=0.4, text/csv;q=0.3", (JSON, CSV)) == JSON


def test_the_most_specific_range_gives_the_quality_whatever_the_order() -> None:
    ranges = ["*/*;q=0.1", "text/*;q=0.5", "text/csv;q=0.9"]
    for order in (ranges, ranges[::-1]):
        found = accepted(",".join(order))
        assert [quality(found, name) for name in ("text/csv", "text/turtle", "image/png")] == [0.9, 0.5, 0.1]
    assert quality(accepted("text/turtle"), "text/csv") == 0.0


_formats = st.sampled_from([*SOLUTIONS, *GRAPHS])
_range = st.one_of(_formats.map(lambda f: f.media_type), st.sampled_from(["*/*", "text/*", "application/*", "image/png"]))
_header = st.lists(st.tuples(_range, st.sampled_from(["", "0", "0.1", "0.25", "0.5", "0.999", "1.000"])), min_size=1, max_size=6)


def _written(header: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name};q={q}" if q else name for name, q in header)


def _defined_quality(header: list[tuple[str, str]], media_type: str) -> float:
    """RFC 9110 §12.5.1, said another way: look for the exact range, then for the main type, then for all."""
    for wanted in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        found = [float(q or 1) for name, q in header if name == wanted]
        if found:
            return max(found)
    return 0.0


@steady
@given(_header)
def test_no_format_is_liked_better_than_the_chosen_one_and_of_equals_ours_is_first(header: list[tuple[str, str]]) -> None:
    bare = tuple(Format(f.name, f.media_type, f.suffix) for f in SOLUTIONS)
    liked = [_defined_quality(header, f.media_type) for f in bare]
    chosen = choose(_written(header), bare)
    assert chosen == (bare[liked.index(max(liked))] if max(liked) > 0 else None)


@steady
@given(_header)
def test_a_format_is_never_chosen_that_the_client_excludes_by_every_name(header: list[tuple[str, str]]) -> None:
    chosen = choose(_written(header), GRAPHS)
    if chosen is not None:
        assert any(_defined_quality(header, name) > 0 for name in (chosen.media_type, *chosen.also))


@steady
@given(st.text(max_size=60))
def test_any_header_is_read_without_an_error(header: str) -> None:
    assert choose(header, SOLUTIONS) in (*SOLUTIONS, None)
    assert prefers_html(header) in (True, False)


@pytest.mark.parametrize(
    ("header", "is_browser"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html, text/turtle", True),
        ("text/html;q=0.5, text/turtle", False),
        ("text/html;q=0", False),
        ("text/*", False),
        ("*/*", False),
        ("", False),
        ("application/json, text/html;q=0.1", False),
    ],
)
def test_html_is_for_those_who_name_it_and_like_nothing_of_ours_better(header: str, is_browser: bool) -> None:
    assert prefers_html(header) is is_browser


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/turtle", TURTLE),
        ("text/turtle; charset=utf-8", TURTLE),
        (" Text/Turtle ;charset=utf-8", TURTLE),
        ("application/x-turtle", TURTLE),
        ("application/json", JSONLD),
        ("application/xml", RDFXML),
        ("text/plain", NTRIPLES),
        ("text/x-nquads", NQUADS),
        ("text/n3", N3),
        ("", None),
        ("text/csv", None),
        ("text/html", None),
        ("turtle", None),
    ],
)
def test_a_body_is_read_by_its_content_type(content_type: str, expected: Format | None) -> None:
    assert readable(content_type) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.ttl", TURTLE),
        ("a.b.TTL", TURTLE),
        ("a.nt.gz", NTRIPLES),
        ("A.NQ.GZ", NQUADS),
        ("a.trig", TRIG),
        ("a.jsonld", JSONLD),
        ("a.json", JSONLD),
        ("a.rdf.gz", RDFXML),
        ("a.owl", RDFXML),
        ("a.xml", RDFXML),
        ("a.n3", N3),
        ("a.csv", None),
        ("a.gz", None),
        ("a", None),
        ("", None),
        ("a.ttl.zip", None),
        ("ttl", None),
    ],
)
def test_a_file_is_read_by_its_suffix_with_or_without_gz(name: str, expected: Format | None) -> None:
    assert by_suffix(name) == expected


@pytest.mark.parametrize("form", READABLE)
def test_each_format_that_is_read_is_found_by_media_type_and_by_suffix(form: Format) -> None:
    assert readable(form.media_type) == form
    assert by_suffix(f"data.{form.suffix}") == form
    assert by_suffix(f"data.{form.suffix}.gz") == form
    assert by_suffix(f"data.{form.suffix}.zst") == form


def test_text_says_its_charset_and_json_does_not() -> None:
    assert CSV.content_type == "text/csv; charset=utf-8"
    assert JSON.content_type == "application/sparql-results+json"


def test_a_listing_names_every_format() -> None:
    assert listing((CSV, TSV)) == "text/csv, text/tab-separated-values"
