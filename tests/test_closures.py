"""Queries with paths of any length: with the ends of the path looked up before they have the engine's own answers."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.engine import closures, reader
from motorgraph.engine.closures import Closures
from motorgraph.engine.counts import Counts
from motorgraph.engine.reader import Outlet
from motorgraph.engine.wire import Frames, Job, Kind
from motorgraph.media import CSV
from motorgraph.paths import path
from tests.forked import engine, run
from tests.moving import BASE, STEPS, Steps, iri, quads_of, step, store_of

PROLOGUE = f"BASE <{BASE}> PREFIX : <{BASE}> PREFIX id: <{BASE}id/>\n"
STEPS_OF_PATH = [":owner", "^:owner", "(:owner)", "(:owner|a)", "^(:owner/:owner)", "(^:owner|:owner/a)", "a", "(:owner/a+)"]
PATHS = [f"{one}{length}" for one in STEPS_OF_PATH for length in "+*"]
ENDS = ["id:a", "<id/b>", "<urn:x>", ":Plant", ":nobody"]
PATTERNS = ["?x {} {} .", "{1} {0} ?x .", "?x {} {}; ?p ?o .", "{1} {0} ?x ; ?p ?o ."]
CONTEXTS = [
    "SELECT * {{ {} }}",
    "SELECT ?x {{ ?x ?p ?o . {} }}",
    "SELECT * {{ {} ?x ?p ?o . FILTER(?o != id:a) }}",
    "SELECT * {{ ?y :owner ?z OPTIONAL {{ ?z :owner ?x }} . {} }}",
    "SELECT ?x (COUNT(?y) AS ?n) WHERE {{ ?y ?q ?x . {} MINUS {{ ?x a :Maker }} }} GROUP BY ?x ORDER BY ?x LIMIT 3",
    "SELECT ?x {{ VALUES ?y {{ id:a id:b }} {{ ?y :owner ?x }} UNION {{ ?x :owner ?y }} ?x ?q ?y . {} BIND(?x AS ?same) }}",
    "ASK {{ {} }}",
    "CONSTRUCT {{ ?x a ?x }} WHERE {{ {} }}",
]


def texts() -> st.SearchStrategy[str]:
    parts = st.sampled_from(CONTEXTS), st.sampled_from(PATTERNS), st.sampled_from(PATHS), st.sampled_from(ENDS)
    return st.builds(lambda context, pattern, way, end: PROLOGUE + context.format(pattern.format(way, end)), *parts)


def answer(store: ox.Store, text: str) -> Counter[str] | bool:
    """What the engine says, in no order."""
    results = store.query(text)
    match results:
        case ox.QueryBoolean():
            return bool(results)
        case ox.QuerySolutions():
            return Counter(str(sorted((v.value, str(row[v])) for v in results.variables)) for row in results)
    return Counter(map(str, results))


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closures, "WORTH_SECONDS", 0.0)


@settings(max_examples=400)
@given(STEPS, STEPS, texts(), st.booleans())
def test_the_answer_is_that_of_the_engine_before_and_after_a_change(first: Steps, more: Steps, text: str, union: bool) -> None:
    store = store_of(quads_of(first, union=union), union=union)
    kept = Closures(store)
    asked = Job("query", text)
    for change in (None, more):
        if change is not None:
            kept.heed(step(store, change, union=union))
        told = kept.told(asked)
        if told is not None:
            assert answer(store, told) == answer(store, text)


def test_all_these_forms_are_known() -> None:
    """Else the test above would test nothing."""
    for context in CONTEXTS:
        for pattern in PATTERNS:
            for way in PATHS:
                assert path(PROLOGUE + context.format(pattern.format(way, "id:a")))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?x :owner+ ?y }",
        "SELECT * { id:a :owner+ id:b }",
        "SELECT * { ?x :owner+ id:a, id:b }",
        "SELECT * { ?x :owner+ id:a ; . }",
        "SELECT * { ?x a ?y ; :owner+ id:a }",
        "SELECT * { ?x :owner+/a id:a }",
        "SELECT * { ?x (:owner)+/(:owner)+ id:a }",
        "SELECT * { ?x (:owner*/a)+ id:a }",
        "SELECT * { ?x (:owner?/a)+ id:a }",
        "SELECT * { ?x !:owner+ id:a }",
        "SELECT * { ?x (!:owner)+ id:a }",
        "SELECT * { ?x :owner? id:a }",
        "SELECT * { GRAPH ?g { ?x :owner+ id:a } }",
        "SELECT * { { ?x :owner+ id:a } }",
        "SELECT * { ?y a ?x FILTER EXISTS { ?x :owner+ id:a } }",
        "SELECT (EXISTS { ?x :owner+ id:a } AS ?e) { ?x a ?y }",
        "SELECT ?x { ?x a ?y } GROUP BY ?x HAVING EXISTS { ?x :owner+ id:a }",
        "SELECT ?x { ?x a ?y } GROUP BY ?x HAVING (EXISTS { ?x :owner+ id:a })",
        "SELECT * { _:b a ?x . ?x :owner+ id:a . _:b a ?y }",
        "SELECT * { ?x :owner+ id:a } LIMIT 10",
        "SELECT * { ?x :owner+ id:a } OFFSET 10",
        "SELECT * { ?x :owner+ id:a",
        "SELECT * { ?x :owner+ id:a. }",
        "SELECT (?a *(?b) AS ?c) {}",
        "",
    ],
)
def test_other_forms_are_left_to_the_engine(text: str) -> None:
    assert path(PROLOGUE + text) is None


def chain(length: int) -> ox.Store:
    store = ox.Store()
    store.extend(ox.Quad(iri(f"id/{n}"), iri("owner"), iri(f"id/{n + 1}")) for n in range(length))
    return store


UP = Job("query", f"{PROLOGUE} SELECT ?x {{ ?x :owner+ id:9 }}")


def test_nothing_is_gathered_for_paths_that_cost_the_engine_little(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Closures(chain(9))
    monkeypatch.setattr(closures, "WORTH_SECONDS", 3600.0)
    for _ in range(3):
        assert kept.told(UP) is None
        kept.done()
    monkeypatch.setattr(closures, "WORTH_SECONDS", 1e-9)
    assert kept.told(UP) is not None
    of_other_shape = Job("query", UP.text.replace("{", "{ ?x a ?y .", 1))
    assert kept.told(of_other_shape) is None
    assert not Closures(chain(9)).told(UP)


def test_a_shape_that_takes_longer_with_the_ends_in_it_is_asked_as_it_is_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Closures(chain(9))
    monkeypatch.setattr(closures, "WORTH_SECONDS", 1e-9)
    assert kept.told(UP) is None
    kept.done()
    assert kept.told(UP) is not None
    began = time.process_time()
    while time.process_time() - began < 0.05:  # longer than this path takes the engine
        pass
    kept.done()
    assert kept.told(UP) is None


def test_a_path_over_too_many_triples_or_to_too_many_ends_is_left_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closures, "MOST_TRIPLES", 9)
    assert Closures(chain(9)).told(UP) is not None
    assert Closures(chain(10)).told(UP) is None
    monkeypatch.setattr(closures, "MOST_ENDS", 8)
    assert Closures(chain(9)).told(UP) is None


def test_what_is_kept_is_bounded() -> None:
    kept = Closures(chain(9))
    for number in range(closures.MOST_NOTED + 9):
        kept.told(Job("query", f"{PROLOGUE} SELECT ?x {{ ?x (:owner|:p{number})+ id:9 }}"))
    assert len(kept._kept) == closures.MOST_KEPT


def test_a_reader_looks_the_ends_up_and_writes_the_same_answer() -> None:
    store, (here, there) = chain(9), socket.socketpair()
    kept, asked = Closures(store), replace(UP, solutions=CSV.media_type)
    with here, there:
        reader._query(asked, store, Outlet(there, asked), Counts(store), kept)
        frames = [*Frames().feed(here.recv(65_536))]
    assert kept._kept
    assert sorted(b"".join(payload for kind, payload in frames if kind is Kind.DATA).split()[1:]) == [
        f"{BASE}id/{number}".encode() for number in range(9)
    ]


HUB = "\n".join(
    ["<http://e/a> <http://e/in> <http://e/b> . <http://e/b> <http://e/in> <http://e/hub> ."]
    + [f"<http://e/{number}> <http://e/at> <http://e/hub> ." for number in range(50_000)]
)


def test_every_answer_is_that_of_the_graph_that_is_asked(tmp_path: Path) -> None:
    text = "SELECT ?x { ?x <http://e/in>+ <http://e/hub> }"

    async def work() -> None:
        async with engine(tmp_path, data=HUB, readers=1, reserve=1) as running:

            async def found(asked: str = text) -> set[str]:
                return {row["x"]["value"][9:] for row in json.loads(await running.ask(asked))["results"]["bindings"]}

            for _ in range(3):  # to begin with by the engine, which takes longer than it is given
                assert await found() == {"a", "b"}
            assert await found(text.replace("{", "FROM <http://e/none> {", 1)) == set()
            await running.update("INSERT DATA { <http://e/c> <http://e/in> <http://e/a> }")
            for _ in range(3):
                assert await found() == {"a", "b", "c"}
            await running.update("DELETE DATA { <http://e/b> <http://e/in> <http://e/hub> }")
            for _ in range(3):
                assert await found() == set()

    run(work())
