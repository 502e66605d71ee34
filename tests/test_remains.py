"""What remains of the commits is the graph: the journal has the lines of the engine, at every commit of any history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motorgraph.engine.remains import Remains, graph_of
from motorgraph.engine.shelf import Shelf, Shelved
from motorgraph.journal import Journal
from tests.running import Service, service, until

G = "<http://x/g>"
WHOLE = {"Accept": "application/n-quads"}
NODES = ["<http://x/a>", "<http://x/b>", G]
VALUES = [
    *NODES,
    "1",
    "01",
    "2.50",
    "2.5",
    "1e0",
    "true",
    '"1"^^<http://www.w3.org/2001/XMLSchema#boolean>',
    '"2026-01-01T00:00:00.00+00:00"^^<http://www.w3.org/2001/XMLSchema#dateTime>',
    '"x"@EN-gb',
    '"é \\n \\"q\\" <http://x/g> .\\n"',
    '"a <b>"^^<http://x/t>',
    '"a _:b"@en',
]
GRAPHS = ["", G, "<http://x/h>"]


def _within(graph: str, triples: str) -> str:
    return f"GRAPH {graph} {{ {triples} }}" if graph else triples


triple = st.builds("{} {} {} .".format, st.sampled_from(NODES), st.sampled_from(NODES[:2]), st.sampled_from(VALUES))
triples = st.lists(triple, min_size=1, max_size=4).map(" ".join)
graph = st.sampled_from(GRAPHS)
named = st.sampled_from(GRAPHS[1:])
update = st.one_of(
    st.builds(lambda g, t: f"INSERT DATA {{ {_within(g, t)} }}", graph, triples),
    st.builds(lambda g, t: f"DELETE DATA {{ {_within(g, t)} }}", graph, triples),
    st.builds(lambda g, t: f"INSERT {{ {_within(g, t + ' [] <http://x/a> [] .')} }} WHERE {{}}", graph, triples),
    st.builds(lambda g, p: f"DELETE WHERE {{ {_within(g, f'?s {p} ?o')} }}", graph, st.sampled_from(NODES[:2])),
    st.builds("{} GRAPH {}".format, st.sampled_from(["CLEAR SILENT", "DROP SILENT", "CREATE SILENT"]), named),
    st.builds("{} SILENT {} TO {}".format, st.sampled_from(["COPY", "MOVE", "ADD"]), named, st.sampled_from(["DEFAULT", G])),
    st.just("CLEAR ALL"),
)
write = update | st.builds(lambda t: f"PUT {t}", triples)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("remains"), "--plain", "--snapshot-after", "5", "--dumps-kept", "1") as running:
        yield running


def made(running: Service, writes: list[str]) -> dict[int, list[str]]:
    """Does writes. The lines of the graph after each commit, as the engine has them."""
    found = {}
    for text in writes:
        kind, _, turtle = text.partition(" ")
        written = running.put("http://x/g", f"[] <http://x/a> 2.500 . {turtle}") if kind == "PUT" else running.update(text)
        assert written.status_code < 300, written.text
        whole = running.client.get("/graphs", headers=WHOLE)
        found[int(whole.headers["x-commit"])] = sorted(whole.text.splitlines())
    return found


def journal_of(running: Service) -> Journal:
    return Journal.read(running.log.parent / "data" / "plain")


def lines(remains: Remains) -> list[str]:
    return sorted(b"".join(remains.pieces()).decode().splitlines())


@given(st.lists(write, min_size=1, max_size=8))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_what_remains_at_each_commit_is_what_the_graph_was_then(running: Service, writes: list[str]) -> None:
    after = made(running, writes)
    journal = journal_of(running)
    for commit, expected in after.items():
        assert lines(Remains(journal, commit, frozenset())) == expected
    snapshot = journal.newest_snapshot(max(after))
    if snapshot is not None:
        assert lines(Remains(journal, max(after), frozenset(), snapshot)) == after[max(after)]


def test_a_dump_of_any_commit_is_what_remained_in_the_order_of_the_commits(running: Service) -> None:
    writes = [f"INSERT DATA {{ GRAPH <http://x/h> {{ <http://x/a> <http://x/b> {n} }} }}" for n in range(4)]
    after = made(running, ["CLEAR ALL", *writes, "DELETE DATA { GRAPH <http://x/h> { <http://x/a> <http://x/b> 2 } }"])
    for commit in (max(after), max(after) - 1):
        dumped = running.client.get("/dumps/latest/motorgraph.nq", params={"at": str(commit)}, follow_redirects=True).text
        assert sorted(dumped.splitlines()) == after[commit]
    numbers = [line.split('"')[1] for line in dumped.splitlines()]
    assert numbers == ["0", "1", "2", "3"]


def test_a_graph_that_is_made_again_is_passed_over(running: Service) -> None:
    said = "<http://x/a> <http://x/b> <http://x/g>"
    after = made(running, ["CLEAR ALL", f"INSERT DATA {{ {said} . GRAPH {G} {{ {said} }} }}"])
    remains = Remains(journal_of(running), max(after), frozenset({G.encode()}))
    assert lines(remains) == [f"{said} ."]


def test_where_too_much_was_removed_it_goes_on_from_a_snapshot(running: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motorgraph.engine.remains.MOST_REMOVED", 0)
    writes = [f"INSERT DATA {{ <http://x/a> <http://x/b> {n} }}" for n in range(12)]
    after = made(running, ["CLEAR ALL", *writes])
    journal = journal_of(running)
    assert until(lambda: (found := journal.newest_snapshot(max(after))) is not None and found.commit > min(after))
    remains = Remains.of(journal, max(after), frozenset())
    assert remains is not None
    assert remains.snapshot is not None
    assert lines(remains) == after[max(after)]
    assert running.update("CLEAR ALL").status_code == 204
    assert Remains.of(journal_of(running), max(after) + 1, frozenset()) is None


@pytest.mark.parametrize(
    "value", [*VALUES[:3], '"v"', '"v <http://x/g>"', '"v"@en', '"a <b>"^^<http://x/t>', "<<( <a:s> <a:p> <a:o> )>>"]
)
@pytest.mark.parametrize("graph", ["", G, "_:g"])
def test_the_graph_of_a_line_is_told_from_its_value(value: str, graph: str) -> None:
    end = f" {graph} .\n" if graph else " .\n"
    assert graph_of(f"<http://x/a> <http://x/b> {value}{end}".encode()) == graph.encode()


def test_a_shelf_gives_each_graph_back_whole(tmp_path: Path) -> None:
    with Shelf(tmp_path / "shelf") as shelf:
        for number in range(3):
            shelf.put(f"<a:s> <a:p> <a:g> <a:g> .\n<a:s> <a:p> {number} .\n<a:s> <a:p> <a:g> .\n".encode())
    found = Shelved(tmp_path / "shelf", shelf.index())
    assert b"".join(found.triples("<a:g>")) == b"<a:s> <a:p> <a:g> .\n" * 3
    assert b"".join(found.triples("")).splitlines()[::2] == [f"<a:s> <a:p> {number} .".encode() for number in range(3)]
    assert list(found.triples("<a:none>")) == []
