"""Queries for what there is of one subject: their answers have the engine's own bytes, and its evaluator is not asked."""

from __future__ import annotations

import socket
from itertools import product

import pyoxigraph as ox
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from motorgraph.engine import reader, straight
from motorgraph.engine.lookup import MOST_QUADS, lookup
from motorgraph.engine.straight import MOST_BYTES
from motorgraph.engine.wire import Frames, Job, Kind
from motorgraph.media import CSV, GRAPHS, JSON, NTRIPLES, RDFXML, SOLUTIONS, TSV, XML, Format
from motorgraph.query import _HOST_WORDS, _MENTIONS_HOST, Dataset, _mentions
from tests.moving import BASE, iri
from tests.test_counts import Asking

PROLOGUE = f"PREFIX own: <{BASE}> PREFIX id: <{BASE}id/>\nPREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
SUBJECT, GRAPH = iri("id/a"), iri("g1")
XSD = "http://www.w3.org/2001/XMLSchema#"
WHOLE, OF_GRAPH = Dataset(), Dataset((GRAPH.value,))

# What a term can be

TEXTS = st.text(
    st.one_of(
        st.sampled_from("\"\\\n\r\t\b\f\x00\x01\x7f\x85\u2028\ufffe\U0001f600,<>( ._:@^%{}'&ub"), st.characters(codec="utf-8")
    )
)
NUMBERS = st.sampled_from(
    ["1", "-0", "+01", "1.0", "1.", ".5", "-1.50", "1e3", "1E400", "NaN", "true", "0", " 1", "", "INF", "1990-01-01"]
)
TYPES = st.sampled_from(
    [*(XSD + name for name in ("integer", "decimal", "double", "boolean", "date", "string", "long")), f"{BASE}t"]
)
LITERALS = st.one_of(
    TEXTS.map(ox.Literal),
    st.builds(lambda value, kind: ox.Literal(value, datatype=ox.NamedNode(kind)), st.one_of(TEXTS, NUMBERS), TYPES),
    st.builds(lambda value, language: ox.Literal(value, language=language), TEXTS, st.sampled_from(["en", "de-ch-1996"])),
    st.builds(
        lambda value, way: ox.Literal(value, language="ar", direction=way),
        TEXTS,
        st.sampled_from([ox.BaseDirection.RTL, ox.BaseDirection.LTR]),
    ),
)
IRIS = st.sampled_from([SUBJECT, iri("é,(1)'&%22"), iri("o#x"), iri("\U0001f697?a=b;c"), ox.NamedNode("urn:a:b")])
SIMPLE = st.one_of(LITERALS, IRIS)
OBJECTS = st.one_of(SIMPLE, SIMPLE, SIMPLE, st.builds(ox.BlankNode, st.sampled_from(["b", "b.1"])))
WITH_TRIPLES = st.one_of(OBJECTS, OBJECTS, OBJECTS, OBJECTS, st.builds(ox.Triple, IRIS, IRIS, SIMPLE))
PREDICATES = st.sampled_from([iri("p"), iri("q,é"), ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")])
SAID = st.lists(st.tuples(PREDICATES, WITH_TRIPLES), max_size=8)

SELECTED = ["?p ?o", "?o ?p", "?o", "?p", "*", "DISTINCT *", "DISTINCT ?o ?p", "DISTINCT ?o", "?p ?none", "REDUCED ?o"]
TRIPLES = [
    *("id:a ?p ?o", f"<{BASE}id/a> ?p ?o .", "id:a own:p ?o", "id:a a ?o", "id:a ?p id:a", "id:a ?p []", "<id/a> $p ?o"),
    *(f"<{BASE}x/../id/a> ?p ?o", "id:a ?p ?p", "id:a own:p own:o", "_:a ?p ?o", "id:a ?p 1", "id:a ?é ?o", "nothing:a ?p ?o"),
]
WHERES = [
    "{{ {} }}",
    "FROM own:g1 WHERE {{ {} }}",
    "FROM own:g1 FROM own:g2 {{ {} }}",
    "{{ GRAPH own:g1 {{ {} }} }}",
    "{{ GRAPH ?g {{ {} }} }}",
]
TAILS = [
    "",
    "LIMIT 2",
    "LIMIT 0",
    "LIMIT 99999999999999999999",
    "OFFSET 1",
    "ORDER BY ?o",
    "LIMIT 1 OFFSET 1",
    "VALUES ?p { own:p }",
    "}",
]
BASES = ["", f"{BASE}", "http://other.example/x/"]


def store_of(said: list[tuple[ox.NamedNode, ox.NamedNode | ox.Literal | ox.BlankNode | ox.Triple]]) -> ox.Store:
    """A store that says this of the subject, in its default graph and, but for the last, in one with a name."""
    store = ox.Store()
    store.extend(ox.Quad(SUBJECT, predicate, value) for predicate, value in said)
    store.extend(ox.Quad(SUBJECT, predicate, value, GRAPH) for predicate, value in said[:-1])
    store.extend([ox.Quad(ox.BlankNode("b"), iri("p"), ox.Literal("nested")), ox.Quad(iri("id/b"), iri("p"), SUBJECT)])
    return store


def job_of(text: str, form: Format = JSON, graph_form: Format = NTRIPLES, **more: object) -> Job:
    return Job("query", text, solutions=form.media_type, graphs=graph_form.media_type, **more)  # type: ignore[arg-type]  # by name


def is_told_straight(job: Job, store: ox.Store) -> bool:
    """Whether the evaluator is not asked."""
    found = lookup(job.text, job.base, Dataset(job.default_graphs, job.named_graphs))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return found is not None and straight.answered(found, job, store, reader.Outlet(theirs, job))


def told(job: Job, store: ox.Store) -> tuple[bytes, bytes]:
    """The bytes of the answer, and those of the engine."""
    asking = Asking(store)
    return asking.answer(job), asking.answer(Job(**{**vars_of(job), "text": job.text + " " * 4000}))


def vars_of(job: Job) -> dict[str, object]:
    return {
        name: getattr(job, name) for name in ("task", "text", "base", "default_graphs", "named_graphs", "solutions", "graphs")
    }


@settings(max_examples=400, deadline=None)
@given(SAID, st.sampled_from(SELECTED[:7]), st.sampled_from(WHERES[:4]), st.sampled_from(SOLUTIONS), st.sampled_from(TAILS[:3]))
def test_rows_have_the_bytes_that_the_engine_writes(
    said: list[tuple[ox.NamedNode, ox.Literal]], selected: str, where: str, form: Format, tail: str
) -> None:
    ours, engines = told(job_of(f"{PROLOGUE}SELECT {selected} {where.format('id:a ?p ?o')} {tail}", form), store_of(said))
    assert ours == engines


@settings(max_examples=300, deadline=None)
@given(
    SAID, st.sampled_from(["DESCRIBE id:a", f"DESCRIBE <{BASE}id/a> FROM own:g1", "DESCRIBE own:none"]), st.sampled_from(GRAPHS)
)
@example([(iri("p"), ox.BlankNode("b"))], "DESCRIBE id:a", NTRIPLES)
def test_a_description_has_the_bytes_that_the_engine_writes(
    said: list[tuple[ox.NamedNode, ox.Literal]], text: str, form: Format
) -> None:
    ours, engines = told(job_of(PROLOGUE + text, graph_form=form), store_of(said))
    assert ours == engines


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("where", WHERES)
def test_no_text_has_another_answer_than_the_engine_gives(where: str, base: str) -> None:
    values = [ox.Literal("x"), ox.Literal("y", language="en"), SUBJECT, iri("o")]
    store = store_of([(iri(name), value) for name in "pq" for value in values])
    for selected, (triple, tail) in product(SELECTED, [*product(TRIPLES, TAILS[:1]), *product(TRIPLES[:1], TAILS)]):
        job = job_of(f"{PROLOGUE}SELECT {selected} {where.format(triple)} {tail}", TSV, base=base)
        ours, engines = told(job, store)
        assert ours == engines, job.text


@pytest.mark.parametrize("form", [JSON, CSV, TSV], ids=lambda form: form.suffix)
@pytest.mark.parametrize("selected", SELECTED[:7])
@pytest.mark.parametrize("where", WHERES[:2])
def test_small_tables_are_told_without_the_evaluator(form: Format, selected: str, where: str) -> None:
    store = store_of([(iri("p"), ox.Literal("x")), (iri("p"), ox.BlankNode("b")), (iri("q"), SUBJECT)])
    dataset = OF_GRAPH.default if "FROM" in where else ()
    job = job_of(f"{PROLOGUE}SELECT {selected} {where.format('id:a ?p ?o')}", form, default_graphs=dataset)
    assert is_told_straight(job, store)


@pytest.mark.parametrize("form", GRAPHS, ids=lambda form: form.suffix)
def test_descriptions_are_told_without_the_evaluator(form: Format) -> None:
    store = store_of([(iri("p"), ox.Literal("x")), (iri("q"), SUBJECT)])
    assert is_told_straight(job_of(f"{PROLOGUE}DESCRIBE id:a", graph_form=form), store)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (ox.Triple(SUBJECT, iri("p"), SUBJECT), JSON),
        (ox.Literal("\x01"), JSON),
        (ox.Literal("\b"), TSV),
        (ox.Literal('"'), CSV),
        (ox.Literal("x"), XML),
        (ox.Literal("x" * MOST_BYTES), JSON),
    ],
)
def test_what_is_written_in_another_way_is_left_to_the_engine(value: ox.Literal, form: Format) -> None:
    store = store_of([(iri("p"), value)])
    job = job_of(f"{PROLOGUE}SELECT * {{ id:a ?p ?o }}", form)
    assert not is_told_straight(job, store)
    assert len(set(told(job, store))) == 1


@pytest.mark.parametrize("value", [ox.BlankNode("b"), ox.Triple(SUBJECT, iri("p"), SUBJECT), ox.Literal("x" * MOST_BYTES)])
def test_a_description_that_goes_on_or_is_long_is_left_to_the_engine(value: ox.BlankNode) -> None:
    assert not is_told_straight(job_of(f"{PROLOGUE}DESCRIBE id:a"), store_of([(iri("p"), value)]))


@pytest.mark.parametrize(
    ("rows", "tail", "is_here"), [(200, "", True), (201, "", False), (201, "LIMIT 200", True), (300, "LIMIT 201", False)]
)
def test_many_rows_are_left_to_the_engine(rows: int, tail: str, is_here: bool) -> None:
    store = store_of([(iri("p"), ox.Literal(f"{number}")) for number in range(rows)])
    job = job_of(f"{PROLOGUE}SELECT ?o {{ id:a ?p ?o }} {tail}")
    assert is_told_straight(job, store) is is_here
    assert len(set(told(job, store))) == 1
    assert is_told_straight(job_of(f"{PROLOGUE}DESCRIBE id:a"), store) is (rows <= MOST_QUADS)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DISTINCT ?p { id:a ?p ?o }",
        "SELECT DISTINCT ?p { id:a ?p [] }",
        "SELECT REDUCED ?p ?o { id:a ?p ?o }",
        "SELECT ?p (COUNT(?o) AS ?n) { id:a ?p ?o } GROUP BY ?p",
        "SELECT (COUNT(?o) AS ?p) { id:a ?p ?o }",
        "SELECT ?p { id:a ?p ?o } OFFSET 1",
        "SELECT * { id:a own:p own:o }",
        "SELECT * { GRAPH ?g { id:a ?p ?o } }",
        "DESCRIBE id:a id:b",
        "DESCRIBE id:a { }",
        "DESCRIBE ?x { ?x ?p ?o }",
        "DESCRIBE _:a",
        "SELECT ?o { <\ue0001> ?p ?o }",
    ],
)
def test_what_is_of_another_form_is_left_to_the_engine(text: str) -> None:
    assert lookup(PROLOGUE + text, "", WHOLE) is None


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (f"SELECT * {{ <{BASE}x/../id/a> ?p ?o }}", BASE),
        ("SELECT * { <id/a> ?p ?o }", BASE),
        (f"BASE <{BASE}x> SELECT * {{ <id/a> ?p ?o }}", ""),
        (f"PREFIX : <{BASE}id/> PREFIX : <{BASE}> SELECT * {{ <{BASE}id/a> ?p ?o }}", ""),
        (f"PREFIX e: <> # <{BASE}>\nSELECT * {{ e:id\\/a ?p ?o }}".replace("\\/", "/"), BASE),
        (f"PREFIX ü: <{BASE}id/> SELECT * {{ ü:a ?p ?o }}", ""),
        (f"# <{BASE}none>\nPREFIX : <{BASE}id/> # <{BASE}none>\nSELECT*{{:a ?p ?o}}", ""),
    ],
)
def test_names_are_those_that_the_engine_resolves(text: str, base: str) -> None:
    store = store_of([(iri("p"), ox.Literal("x"))])
    ours, engines = told(job_of(text, base=base), store)
    assert ours == engines


def test_the_same_words_about_another_thing_are_about_that_thing() -> None:
    store = store_of([(iri("p"), ox.Literal("x"))])
    for name in ("id/a", "id/b", "id/a", "none"):
        for text in (f"SELECT * {{ <{BASE}{name}> ?p ?o }}", f"PREFIX x: <{BASE}> ASK {{ x:{name.replace('/', '')} ?p ?o }}"):
            ours, engines = told(job_of(text), store)
            assert ours == engines


def frames_of(job: Job, store: ox.Store) -> list[tuple[Kind, bytes]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader._answer(reader._query, job, store, reader.Outlet(theirs, job, 7))
        theirs.shutdown(socket.SHUT_WR)
        return Frames().feed(b"".join(iter(lambda: ours.recv(1 << 16), b"")))


@pytest.mark.parametrize("form", [JSON, CSV, TSV, XML], ids=lambda form: form.suffix)
@pytest.mark.parametrize("limits", [{}, {"max_rows": 2}, {"max_rows": 3}, {"max_bytes": 40}, {"head_only": True}, {"gzip": True}])
def test_limits_heads_and_counts_are_those_of_any_answer(form: Format, limits: dict[str, object]) -> None:
    store = store_of([(iri("p"), ox.Literal(f"{number}")) for number in range(3)])
    job = job_of(f"SELECT ?o {{ <{BASE}id/a> ?p ?o }}", form, base=BASE, **limits)
    longer = job_of(job.text + " " * 4000, form, base=BASE, **limits)
    assert frames_of(job, store) == frames_of(longer, store)


def test_a_graph_that_xml_cannot_say_is_refused_as_ever() -> None:
    store = store_of([(iri("p"), ox.Literal("\x01"))])
    job = job_of(f"{PROLOGUE}DESCRIBE id:a", graph_form=RDFXML)
    assert is_told_straight(job_of(f"{PROLOGUE}DESCRIBE id:a"), store)
    ((kind, _),) = frames_of(job, store)
    assert kind is Kind.FAILED


def test_a_client_that_takes_no_graph_hears_so_of_a_description() -> None:
    ((kind, detail),) = frames_of(Job("query", f"DESCRIBE <{BASE}id/a>", solutions=JSON.media_type), ox.Store())
    assert kind is Kind.FAILED
    assert b"graph" in detail


@given(st.text(st.sampled_from("serviceſloadİuLOAD\\ SERVICE\u212a"), max_size=12))
@example("ſervice")
@example("SERVİCE")
@example("\\U0001F600")
def test_a_word_is_found_in_whatever_case(text: str) -> None:
    assert _mentions(text, _HOST_WORDS, _MENTIONS_HOST) is (_MENTIONS_HOST.search(text) is not None)
