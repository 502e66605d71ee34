"""The grammar: it takes what is SPARQL, and says of what is not where it departs and what could stand there."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from bench.queries import QUERIES

from motorgraph.grammar import Choice, Part, Repeated, Sequence, departure, first, may_be_nothing, rules
from motorgraph.resources import asset

SHIPPED = sorted([*asset("ontology").rglob("*.rq"), *asset("data").rglob("*.rq")])
P = "PREFIX : <http://e/> "
VALID_QUERIES = [
    "ASK {}",
    "BASE <http://e/> PREFIX : <x#> SELECT DISTINCT ?a (COUNT(*) AS ?n) FROM <g> FROM NAMED :h WHERE { ?a ?b ?c } GROUP BY ?a",
    P + "SELECT REDUCED * { ?s :p/^:q|!(:r|^a)* 1, -2.5e3, true ; a :C ; . [] :p [ :q () ] . ( 1 ?x ) :p 'x'@en-GB, \"1\"^^:t }",
    P + "SELECT * { ?s (:p|:q)+ ?o OPTIONAL { ?s :r ?t } . MINUS { ?s :r 1 } { ?a ?b ?c } UNION { ?d ?e ?f } }",
    P + "SELECT * { GRAPH ?g { ?s ?p ?o } SERVICE SILENT :x { ?s ?p ?o } BIND(?o + 1 * 2 - -3 AS ?x) VALUES ?y { 1 UNDEF :z } }",
    P + "SELECT * { ?s ?p ?o FILTER(?o >= 1 && !(?o != 2) || ?s IN (:a, :b) || ?s NOT IN ()) FILTER NOT EXISTS { ?s a :C } }",
    P
    + "SELECT * { ?s ?p ?o FILTER :f(?o, 1) FILTER regex(STR(?o), '^a', 'i') FILTER EXISTS { } FILTER(IF(BOUND(?o), 1, NOW())) }",
    "SELECT (GROUP_CONCAT(DISTINCT ?o; separator = ', ') AS ?all) {} HAVING (COUNT(?o) > 1) (AVG(?o) < 3) ORDER BY DESC(?s) ?o",
    "SELECT * { { SELECT ?s { ?s ?p ?o } LIMIT 1 OFFSET 2 } } OFFSET 1 LIMIT 2 VALUES (?s ?t) { (<x:y> 'a') (UNDEF '''b''') }",
    "CONSTRUCT { ?s ?p ?o . _:b ?p [ ] } WHERE { ?s ?p ?o } LIMIT 3",
    "CONSTRUCT WHERE { ?s ?p ?o . ?a ?b 1 }",
    "DESCRIBE <http://e/x> ?y { ?y ?p ?o }",
    "DESCRIBE *  # a comment with { and '\n{ ?y ?p ?o }",
    "SELECT ?x { ?x ?p ?o } GROUP BY (STR(?o) AS ?x) LCASE(?o)",
]
VALID_UPDATES = [
    "",
    P + "INSERT DATA { :s :p 1 . GRAPH :g { :s :p :o ; :q [] } . :t :p 2 } ;",
    P + "DELETE DATA { :s :p 1 } ; PREFIX x: <http://x/> DELETE WHERE { GRAPH ?g { ?s x:p ?o } }",
    P + "WITH :g DELETE { ?s ?p ?o } INSERT { GRAPH ?h { ?s ?p 2 } } USING :g USING NAMED :h WHERE { GRAPH ?h { ?s ?p ?o } }",
    "CLEAR ALL ; DROP SILENT NAMED ; CREATE GRAPH <x:g> ; COPY DEFAULT TO <x:g> ; MOVE SILENT GRAPH <x:g> TO DEFAULT",
    "LOAD SILENT <x:y> INTO GRAPH <x:g> ; ADD <x:g> TO GRAPH <x:h>",
]


@pytest.mark.parametrize("text", [*VALID_QUERIES, *QUERIES.values(), *(pytest.param(p.read_text(), id=p.name) for p in SHIPPED)])
def test_a_query_does_not_depart(text: str) -> None:
    start = "Updates" if "INSERT" in text else "Query"  # some mappings of the data are updates
    assert departure(text, start) is None


@pytest.mark.parametrize("text", VALID_QUERIES)
def test_what_is_called_a_query_here_is_one_for_the_engine(text: str) -> None:
    ox.Store().query(
        text.replace("SERVICE SILENT :x", "GRAPH :x"), custom_functions={ox.NamedNode("http://e/f"): lambda *_: None}
    )


@pytest.mark.parametrize("text", VALID_UPDATES)
def test_an_update_does_not_depart(text: str) -> None:
    assert departure(text, "Updates") is None


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("ASK { ?s ?p }", 1, 13, "found } and expected a term"),
        ("ASK {\n  ?s ?p ?o .\n  ?s ?q\n}", 4, 1, "found } and expected a term"),
        ("SELEC * {}", 1, 1, "found SELEC and expected ASK, BASE, CONSTRUCT, DESCRIBE, PREFIX or SELECT"),
        ("SELECT * { ?s ?p ?o ORDER BY ?s", 1, 21, "found ORDER and expected another pattern, ',', '.', ';' or '}'"),
        ("SELECT * { ?s <http://e/p ?o }", 1, 15, "this IRI is not closed, or holds a character that no IRI has; "),
        ("SELECT * { ?s ?p 'x }", 1, 18, "this string is not closed; "),
        ("SELECT * { ?s ?p '''x }", 1, 18, "this string is not closed; "),
        ("SELECT (COUNT(?x) AS) { ?x ?y ?z }", 1, 21, "found ) and expected a variable"),
        ("SELECT * { ?s ?p ?o FILTER(?o > ) }", 1, 33, "found ) and expected an expression or '='"),
        ("SELECT * { ?s ?p ?o", 1, 20, "the text ends here; expected another pattern, ',', '.', ';' or '}'"),
        ("SELECT * { ?s ex:p ?o }", 1, 15, "the prefix ex: is not declared; begin with PREFIX ex: <…>"),
        ("PREFIX ex <http://e/> ASK {}", 1, 8, "found ex and expected a prefix with its colon"),
        ("ASK {} ASK {}", 1, 8, "found ASK and expected GROUP, HAVING, LIMIT, OFFSET, ORDER, VALUES or the end of the text"),
    ],
)
def test_a_text_departs_at_its_first_wrong_token(text: str, line: int, column: int, words: str) -> None:
    found = departure(text, "Query")
    assert found is not None
    assert (found.line, found.column) == (line, column)
    assert set(found.words.replace(",", "").split()) >= set(words.replace(",", "").split())


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("INSERT DATA { <x:s> <x:p> ?o }", 27, "data have no variables"),
        ("INSERT { <x:s> <x:p> ?o }", 26, "the text ends here; expected USING or WHERE"),
        ("DELETE WHERE { ?s ?p ?o } INSERT DATA {}", 27, "found INSERT and expected the end of the text or ';'"),
        ("DROP <x:g>", 6, "found <x:g> and expected ALL, DEFAULT, GRAPH, NAMED or SILENT"),
    ],
)
def test_an_update_departs_at_its_first_wrong_token(text: str, column: int, words: str) -> None:
    found = departure(text, "Updates")
    assert found is not None
    assert found.column == column
    assert words in found.words


def test_what_may_be_newer_and_what_is_long_is_left_to_the_engine() -> None:
    assert departure("SELECT * { << ?s ?p ?o >> ?q }", "Query") is None
    assert departure("SELECT * { ?s ?p" + " " * 200_000, "Query") is None


def test_what_is_nested_deeply_is_left_to_the_engine() -> None:
    assert departure("SELECT * " + "{" * 20_000, "Query") is None


@pytest.mark.parametrize("name", rules())
def test_the_next_token_tells_which_part_of_a_rule_it_begins(name: str) -> None:
    """The grammar is LL(1): no two alternatives begin with the same token, and at most one of them is empty."""
    for part in parts(rules()[name]):
        if isinstance(part, Choice):
            assert sum(len(first(inner)) for inner in part.parts) == len(first(part))
            assert sum(map(may_be_nothing, part.parts)) <= 1
        if isinstance(part, Repeated):
            assert not may_be_nothing(part.part)


def parts(part: Part) -> list[Part]:
    """A part and all within it, but not those of other rules."""
    match part:
        case Sequence() | Choice():
            return [part, *(deeper for inner in part.parts for deeper in parts(inner))]
        case Repeated():
            return [part, *parts(part.part)]
    return [part]


def test_no_text_of_the_repository_is_too_long_to_be_looked_through() -> None:
    assert all(len(Path(p).read_text()) < 100_000 for p in SHIPPED)
