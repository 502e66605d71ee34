"""Queries about a single triple pattern: their answers are the engine's own, of whatever dataset and after every change."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from unittest.mock import patch

import httpx
import pyoxigraph as ox
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from motorgraph.engine import counts, moves, reader
from motorgraph.engine.counts import Counts
from motorgraph.engine.lookup import Pattern, lookup
from motorgraph.engine.wire import Frames, Job, Kind
from motorgraph.media import JSON, SOLUTIONS, Format
from motorgraph.query import Dataset
from motorgraph.single import MOST_CHARACTERS
from tests.forked import tree
from tests.moving import BASE, LABEL, STEPS, TYPE, Steps, change, iri, quads_of, step, store_of
from tests.running import Service, service, until

PROLOGUE = f"PREFIX own: <{BASE}> PREFIX id: <{BASE}id/>\n"
ALL = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
WHOLE = Dataset()
BY_CLASS = "SELECT ?c (COUNT(?s) AS ?n) WHERE { ?s a ?c } GROUP BY ?c"

# What a query about one pattern is made of, each variable in its place, and what only looks like that
FORMS_OF = {  # by graph
    "{}": [
        "ASK {}",
        "SELECT (COUNT(*) AS ?n) {}",
        "select(count(*)as ?n) (COUNT ( $o ) AS ?m) {}",
        "SELECT ?p (COUNT(*) AS ?n) {} GROUP BY ?p",
        "SELECT (COUNT(?o) AS ?n) ?o {} GROUP BY ?o",
        "SELECT (COUNT(?o) AS ?n) {} GROUP BY ?p ?o ORDER BY ?n",
        "SELECT DISTINCT ?p {} ORDER BY DESC(?p)",
        "SELECT DISTINCT ?o {}",
        "SELECT ?o {} GROUP BY ?o LIMIT 99",
    ],
    "GRAPH ?g { {} }": [
        "SELECT (COUNT(*) AS ?n) (COUNT(?g) AS ?m) {}",
        "SELECT ?g (COUNT(*) AS ?n) {} GROUP BY ?g",
        "SELECT ?g (COUNT(?o) AS ?n) {} GROUP BY ?g ?p # of each",
        "SELECT DISTINCT ?g ?p {}",
        "SELECT DISTINCT ?o {}",
        "ASK {}",
    ],
}
FORMS_OF["GRAPH own:g1 { {} }."] = FORMS_OF["GRAPH own:none { {} }"] = FORMS_OF["{}"]
TRIPLES = ["?s ?p ?o", "?s ?p ?o .", "[] ?p ?o", "?s a ?o", f"$s {LABEL} ?o.", "?s own:owner ?o", "?s a own:Plant", "?s ?p id:a"]
ODD = [
    *(
        "id:a ?p ?o",
        "_:b a ?o",
        "?s ^a ?o",
        "?s own:owner|a ?o",
        "?s ?p ?s",
        "?s unknown:p ?o",
        '?s ?p "x"',
        "?s ?p 1",
        "?s ?p [a ?o]",
    ),
    *("?s ?p ?o ; ?q ?r", "?s a a", "?g ?p ?o", "?s ?p ?o FILTER(ISIRI(?o))", "?s ?p ?o, ?r", "<id/a> a ?o"),
]
FROM = ["", "FROM own:g1", "FROM own:g1 FROM own:g2", "FROM NAMED own:g1 # {\n FROM own:g2", "FROM own:none", "FROM NAMED own:g2"]
TAILS = [
    "ORDER BY ?s",
    "LIMIT 0",
    "OFFSET 1 LIMIT 0",
    "HAVING (COUNT(*) > 1)",
    "VALUES ?p { own:owner }",
    "GROUP BY ?s",
    "LIMIT 9 LIMIT 8",
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A query about a single pattern, or one that looks like it."""
    graph = draw(st.sampled_from(list(FORMS_OF)))
    form = draw(st.sampled_from(FORMS_OF[graph]))
    triple = draw(st.one_of(st.sampled_from(TRIPLES), st.sampled_from(TRIPLES), st.sampled_from(TRIPLES), st.sampled_from(ODD)))
    dataset = draw(st.one_of(st.just(""), st.sampled_from(FROM)))
    where = f"{dataset} {draw(st.sampled_from(['WHERE', '']))} {{ {graph.replace('{}', triple)} }}"
    tail = draw(st.one_of(st.just(""), st.just(""), st.sampled_from(TAILS)))
    return f"{PROLOGUE}{form.replace('{}', where)}\n{tail}"


class Asking:
    """A reader's way with queries, without its process."""

    def __init__(self, store: ox.Store) -> None:
        self.counts = Counts(store)
        self._query = partial(reader._query, counts=self.counts)
        self._store = store

    def answer(self, job: Job) -> bytes:
        """The body of the answer, or the refusal."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            reader._answer(self._query, job, self._store, reader.Outlet(theirs, job))
            theirs.shutdown(socket.SHUT_WR)
            sent = b"".join(iter(lambda: ours.recv(1 << 16), b""))
        return b"".join(payload for kind, payload in Frames().feed(sent) if kind in (Kind.DATA, Kind.FAILED))

    def of_engine(self, job: Job) -> bytes:
        """The same, from the engine itself: nobody looks at a text so long."""
        return self.answer(asked(job.text + " " * MOST_CHARACTERS, Dataset(job.default_graphs, job.named_graphs), job.solutions))


def asked(text: str, dataset: Dataset = WHOLE, media_type: str | None = JSON.media_type) -> Job:
    return Job("query", text, default_graphs=dataset.default, named_graphs=dataset.named, solutions=media_type)


def rows(body: bytes) -> object:
    """The rows of a table in JSON, in whatever order; the kind of a refusal; a truth value."""
    told = json.loads(body)
    if "results" not in told:
        return told.get("kind", told)
    return told["head"], Counter(json.dumps(row, sort_keys=True) for row in told["results"]["bindings"])


DATASETS = st.sampled_from(
    [WHOLE] * 4 + [Dataset((f"{BASE}g1",)), Dataset((f"{BASE}g1", f"{BASE}g2")), Dataset((), (f"{BASE}g1",))]
)


@settings(max_examples=200, deadline=None)
@given(st.booleans(), STEPS, st.lists(STEPS, max_size=2), st.lists(st.tuples(texts(), DATASETS), min_size=1, max_size=6))
def test_the_answers_are_the_engines_own_before_and_after_every_change(
    union: bool, first: Steps, later: list[Steps], queries: list[tuple[str, Dataset]]
) -> None:
    store = store_of(quads_of(first, union=union), union=union)
    asking = Asking(store)
    for steps in [[], *later]:
        asking.counts.heed(step(store, steps, union=union))
        for text, dataset in queries:
            job = asked(text, dataset)
            assert rows(asking.answer(job)) == rows(asking.of_engine(job)), text


@settings(max_examples=200, deadline=None)
@given(st.booleans(), STEPS, st.lists(STEPS, max_size=3), st.lists(STEPS, max_size=2), texts())
def test_what_was_counted_is_carried_on_by_who_is_told_of_it_later(
    union: bool, first: Steps, between: list[Steps], later: list[Steps], text: str
) -> None:
    found = lookup(text, "", WHOLE)
    assume(found is not None and found.text.form == "counts")
    store = store_of(quads_of(first, union=union), union=union)
    with patch.object(counts, "WORTH_TRIPLES", 0):
        here = Counts(store)
        here.of(found.pattern)
        told = here.told(found.pattern)
    there = Counts(store)
    there.take(told, [step(store, steps, union=union) for steps in between])
    for steps in [[], *later]:
        there.heed(step(store, steps, union=union))
        kept = there.of(found.pattern)
        assert kept is None or kept == Counts(store).of(found.pattern)
    assert there.knows(found.pattern)


@pytest.mark.parametrize("graph", FORMS_OF)
@pytest.mark.parametrize("dataset", FROM)
def test_no_text_has_another_answer_than_the_engine_gives(graph: str, dataset: str) -> None:
    things = [iri("id/a"), iri("id/b"), iri("Plant")]
    told = [(thing, iri("owner"), iri(value)) for thing in things for value in ("id/a", "Plant")]
    told += [(thing, TYPE, iri(kind)) for thing in things for kind in ("Plant", "Maker")] + [
        (iri("id/a"), LABEL, ox.Literal("x"))
    ]
    quads = {ox.Quad(*triple, iri("g2") if number % 3 else iri("g1")) for number, triple in enumerate(told)}
    asking = Asking(
        store_of({*quads, ox.Quad(iri("id/a"), iri("owner"), iri("id/c")), ox.Quad(*told[1], iri("g1"))}, union=False)
    )
    for form in FORMS_OF[graph]:
        for triple in (*TRIPLES, *ODD):
            where = f"{dataset} {{ {graph.replace('{}', triple)} }}"
            job = asked(f"{PROLOGUE}{form.replace('{}', where)}")
            assert rows(asking.answer(job)) == rows(asking.of_engine(job)), job.text


FORMS = [
    ALL,
    "SELECT (COUNT(*) AS ?n) (COUNT(?s) AS ?m) { GRAPH ?g { [] own:owner ?s } }",
    "SELECT (COUNT(?s) AS ?n) FROM own:g1 { ?s a own:Plant . }",
    "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c } GROUP BY ?c ORDER BY DESC(?n) ?c LIMIT 2",
    "SELECT ?p { ?s ?p ?o } GROUP BY ?p ORDER BY ?p",
    "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g",
    "SELECT DISTINCT ?o { ?s own:owner ?o } ORDER BY ?o OFFSET 1",
    "ASK { GRAPH own:g1 { ?s a own:Plant } }",
    "BASE <http://own.example/> ASK{?s<owner><id/b>}",
]
QUADS = {
    ox.Quad(iri(f"id/{name}"), TYPE, iri(kind), iri(graph))
    for name, kind, graph in [("a", "Plant", "g1"), ("b", "Plant", "g2"), ("c", "Maker", "g2"), ("c", "Maker", "g1")]
} | {ox.Quad(iri("id/a"), iri("owner"), iri(f"id/{name}"), iri("g1")) for name in "bcd"}


@pytest.mark.parametrize("form", SOLUTIONS, ids=lambda form: form.suffix)
@pytest.mark.parametrize("text", FORMS)
def test_an_answer_has_the_bytes_that_the_engine_writes_in_each_format(text: str, form: Format) -> None:
    job = asked(PROLOGUE + text, media_type=form.media_type)
    assert lookup(job.text, "", WHOLE) is not None
    for union in (True, False):
        asking = Asking(store_of(QUADS, union=union))
        assert asking.answer(job) == asking.of_engine(job)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o . ?o ?q ?r }",
        "SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(?o > 1) }",
        "SELECT (COUNT(*) AS ?n) { ?s own:owner+ ?o }",
        "SELECT (COUNT(*) + 1 AS ?n) { ?s ?p ?o }",
        "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s",
        "SELECT (COUNT(*) AS ?n) { id:a ?p ?o }",
        "SELECT ?s { ?s ?p ?o }",
        r"SELECT (COUNT(*) AS ?n) { ?s \u003chttp://own.example/owner> ?o }",
        "ASK { ?s ?p ?o } VALUES ?s { id:a }",
        "DESCRIBE ?s { ?s ?p ?o }",
    ],
)
def test_what_is_of_another_form_is_left_to_the_engine(text: str) -> None:
    assert lookup(PROLOGUE + text, "", WHOLE) is None


def pattern(text: str) -> Pattern:
    found = lookup(PROLOGUE + text, "", WHOLE)
    assert found is not None
    return found.pattern


def test_a_pattern_is_counted_once_and_then_carried_on() -> None:
    store = store_of(QUADS, union=True)
    kept = Counts(store)
    every, by_class = kept.of(pattern(ALL)), kept.of(pattern(BY_CLASS))
    new = [ox.Quad(iri("id/e"), TYPE, iri("Maker"), iri(graph)) for graph in ("g1", "g3")]
    for quads, number in ((new[:1], 7), (new[1:], 7)):
        added = change(added=quads)
        added.make(store)
        kept.heed(added)
        assert every == {(): number}
        assert by_class == {(iri("Plant"),): 2, (iri("Maker"),): 2}
    gone = change(removed=[quad for quad in QUADS if quad.object == iri("Plant")])
    gone.make(store)
    kept.heed(gone)
    assert by_class == {(iri("Maker"),): 2}
    assert kept.of(pattern(ALL)) is every
    assert kept.of(pattern(BY_CLASS)) is by_class


def test_a_change_that_touches_too_much_has_all_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(QUADS, union=True)
    kept = Counts(store)
    before = kept.of(pattern(ALL))
    monkeypatch.setattr(moves, "MOST_TOUCHED", 1)
    gone = change(removed=[quad for quad in QUADS if quad.object == iri("Plant")])
    gone.make(store)
    kept.heed(gone)
    assert kept.of(pattern(ALL)) == {(): 4} != before


@pytest.mark.parametrize("told", ["", "{", json.dumps({"pattern": ["no iri", None, None, "", []], "table": "{}"})])
def test_what_is_told_wrongly_is_as_good_as_nothing(told: str) -> None:
    kept = Counts(store_of(QUADS, union=True))
    kept.take(told, [])
    assert kept.of(pattern(ALL)) == {(): 6}


def test_what_is_counted_in_a_moment_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Counts(store_of(QUADS, union=True))
    kept.of(pattern(ALL))
    assert kept.told(pattern(ALL)) == ""
    monkeypatch.setattr(counts, "WORTH_TRIPLES", 6)
    told = kept.told(pattern(ALL))
    other = Counts(ox.Store())
    other.take(told, [])
    assert other.of(pattern(ALL)) == {(): 6}
    monkeypatch.setattr(counts, "MOST_TOLD_BYTES", len(told) - 1)
    assert kept.told(pattern(ALL)) == ""


def test_what_was_told_before_changes_that_are_unknown_or_too_long_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(QUADS, union=True)
    first, later = Counts(store), Counts(store)
    monkeypatch.setattr(counts, "WORTH_TRIPLES", 0)
    first.of(pattern(ALL))
    gone = change(removed=[quad for quad in QUADS if quad.object == iri("Plant")])
    gone.make(store)
    later.take(first.told(pattern(ALL)), None)
    monkeypatch.setattr(counts, "MOST_CHANGED_BYTES", len(gone.text) - 1)
    later.take(first.told(pattern(ALL)), [gone])
    assert not later.knows(pattern(ALL))
    first.heed(gone)
    assert first.of(pattern(ALL)) == later.of(pattern(ALL)) == {(): 4}


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_KEPT", 1)
    monkeypatch.setattr(counts, "MOST_GROUPS", 1)
    kept = Counts(store_of(QUADS, union=True))
    every = kept.of(pattern(ALL))
    assert kept.of(pattern(BY_CLASS)) is None  # two classes
    assert kept.of(pattern(ALL)) is not every
    asking = Asking(store_of(QUADS, union=True))
    assert rows(asking.answer(asked(BY_CLASS))) == rows(asking.of_engine(asked(BY_CLASS)))


def test_a_group_without_a_name_leaves_the_counts_to_the_engine() -> None:
    store = store_of(QUADS, union=True)
    asking = Asking(store)
    asking.answer(asked(BY_CLASS))
    nameless = change(added=[ox.Quad(iri("id/a"), TYPE, ox.BlankNode("n"), iri("g1"))])
    nameless.make(store)
    asking.counts.heed(nameless)
    assert asking.counts.of(pattern(BY_CLASS)) is None
    assert sum(json.loads(asking.answer(asked(BY_CLASS)))["results"]["bindings"][at]["n"]["value"] == "1" for at in range(3)) == 2


def test_beside_a_writer_each_count_is_that_of_the_commit_that_it_names(plain: Service, graph: str) -> None:
    text = f"SELECT (COUNT(*) AS ?n) (COUNT(?p) AS ?m) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    whole = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    told: list[tuple[int, int]] = []
    is_over = threading.Event()

    def read() -> None:
        with httpx.Client(base_url=plain.url) as client:
            while not is_over.is_set():
                answer = client.get("/sparql", params={"query": text}, headers={"Accept": JSON.media_type})
                (row,) = answer.json()["results"]["bindings"]
                told.append((int(answer.headers["x-commit"]), int(row["n"]["value"])))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reading in readers:
        reading.start()
    there, numbers = 0, {}
    for number in range(40):
        removed = f"DELETE DATA {{ GRAPH <{graph}> {{ <urn:{number - 1}> <urn:p> 0 }} }};" if number % 5 == 4 else ""
        quads = " ".join(f"<urn:{number}> <urn:p> {value} ." for value in range(number + 1))
        answer = plain.update(f"{removed} INSERT DATA {{ GRAPH <{graph}> {{ {quads} }} }}")
        assert answer.status_code < 300
        there += number + 1 - bool(removed)
        numbers[int(answer.headers["x-commit"])] = there
        assert {row["g"]: row["n"] for row in plain.rows(whole)}[graph] == str(there)
    is_over.set()
    for reading in readers:
        reading.join()
    seen = [(commit, count) for commit, count in told if commit in numbers]
    assert len({commit for commit, _ in seen}) > 5
    assert all(count == numbers[commit] for commit, count in seen)


CLASS_SIZE = 50_000
END_SECONDS = 60  # what was long goes at the lowest priority
MERGED = [  # by what is done to the merge of the graphs
    "INSERT DATA { GRAPH <urn:more> { <urn:0> a <urn:one> . <urn:0> <urn:p> 1 } }",  # the first is there already
    "DELETE DATA { GRAPH <urn:all> { <urn:0> a <urn:one> } }",  # it is in the other still
    "DELETE DATA { GRAPH <urn:more> { <urn:0> a <urn:one> } }",
    "INSERT DATA { GRAPH <urn:more> { <urn:0> a <urn:three> . <urn:1> a <urn:three> } }",
    "DELETE WHERE { GRAPH <urn:more> { ?s a <urn:three> } }",
    "CLEAR GRAPH <urn:more>",
]


def readers_of(running: Service) -> set[int]:
    return {pid for pid in tree(running.process.pid) if name_of(pid) == "mg-reader"}


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it has just ended
        return ""


def end_all_readers(running: Service) -> None:
    ended = readers_of(running)
    for pid in ended:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert until(lambda: not ended & readers_of(running), END_SECONDS)


def test_what_one_reader_has_counted_all_that_come_after_it_know_whatever_has_changed(tmp_path: Path) -> None:
    lines = (f"<urn:{n}> a <urn:{name}> <urn:all> .\n" for name in ("one", "two") for n in range(CLASS_SIZE))
    (tmp_path / "many.nq").write_text("".join(lines).replace(" a ", f" {TYPE} "))
    queries = [
        ALL,
        BY_CLASS,
        "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
        "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g",
        "SELECT (COUNT(*) AS ?n) { GRAPH <urn:all> { ?s ?p ?o } }",
    ]
    options = ("--plain", "--default-graph", "union", "--cache-bytes", "0", "--load", str(tmp_path / "many.nq"))
    with service(tmp_path, *options) as running:
        # The start counts all, and by graph: who comes after that knows both.
        assert until(lambda: "motorgraph_triples{" in running.client.get("/metrics").text)
        end_all_readers(running)
        at_first = readers_of(running)
        for text in queries:
            running.rows(text)
        assert until(lambda: not at_first & readers_of(running), END_SECONDS)
        for update in ["", *MERGED]:
            assert not update or running.update(update).status_code < 300
            end_all_readers(running)
            for text in queries:
                told, right = running.rows(text), running.rows(text + " " * MOST_CHARACTERS)
                assert Counter(map(str, told)) == Counter(map(str, right)), update
        assert running.metric("motorgraph_patterns_counted") == len(queries) - 2
        assert running.metric("motorgraph_reader_deaths") >= len(MERGED)
