"""Processes of the engine while the remote store goes away under them: whoever asks is told, and nothing half known remains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from motorgraph.engine.chronicle import Chronicle
from motorgraph.engine.describing import Known, Source
from motorgraph.engine.knowledge import Knowledge
from motorgraph.engine.remote import Remote
from motorgraph.engine.versions import Versions
from motorgraph.entity import Answered, Dialect, Question
from motorgraph.errors import StoreAway
from motorgraph.journal import Journal
from tests.oxigraphs import Oxigraph, oxigraph
from tests.running import TOKEN, service, until

BASE = "https://motorgraph.example"
LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
THING = ox.NamedNode("http://x/thing")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Oxigraph]:
    """An engine of the test's own, which finds again what it had."""
    (tmp_path / "data").mkdir()
    with oxigraph(tmp_path / "engine") as running:
        yield running


@pytest.fixture
def store(engine: Oxigraph) -> Iterator[Remote]:
    """The store in it, with a thing that has a name."""
    engine.update(f"INSERT DATA {{ {THING} a <a:Thing> ; <{LABEL}> 'Zuffenhausen' }}")
    made = Remote(engine.place, BASE)
    yield made
    made.endpoint.close()


DRAFT = {"headers": {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}, "content": "<a:s> <a:p> 1 ."}
KINDS: list[tuple[str, str, str, dict[str, object]]] = [
    ("the finder", "GET", "/search?q=zuffenhausen", {}),
    ("a reader", "GET", "/sparql?query=ASK{}", {}),
    ("a reader of a graph", "GET", "/graphs?default", {}),
    ("a reader of a thing", "GET", "/data/place/p1.ttl", {}),
    ("the clerk", "GET", "/feed/1/1", {}),
    ("an archivist", "GET", "/dumps/latest", {}),
    ("a draft", "POST", "/graphs?default", DRAFT),
]
"""A process that asks the store, and what has it do so; the finder is made ten seconds after the start if not before."""


def test_no_process_takes_a_store_that_is_away_for_a_mistake(engine: Oxigraph, tmp_path: Path) -> None:
    with service(tmp_path, "--plain", *engine.flags) as running:
        named = f"<{running.url}/id/place/p1> a <a:Place> ; <{LABEL}> 'Zuffenhausen'"
        assert running.update(f"INSERT DATA {{ GRAPH <{running.url}/graph/a> {{ {named} . [] <a:p> 1 }} }}").is_success
        for kind, method, path, more in KINDS:
            engine.kill()
            told: httpx.Response = running.client.request(method, path, **more)  # type: ignore[arg-type]  # as it takes it
            assert (told.status_code, told.headers["retry-after"]) == (503, "2"), kind
            engine.again()
            assert until(lambda: running.client.get("/ready").status_code == 200)
        assert until(lambda: running.client.get("/search?q=zuffenhausen").json().get("total") == 1)
        log = running.log.read_text()
        assert "Traceback" not in log, log
        assert '"the index of names could not be made"' in log
        assert "The store does not answer" in log.partition('"the index of names could not be made"')[2].partition("\n")[0]


def test_names_that_could_not_be_asked_for_are_asked_for_again(engine: Oxigraph, store: Remote) -> None:
    source = Source(store, Dialect(is_union=True, with_graphs=False), Known())  # type: ignore[arg-type]  # it has what is asked of it

    def names() -> Iterator[Question]:
        return (yield Question("", named=(str(THING),), naming=(f"<{LABEL}>",)))  # type: ignore[return-value,misc]  # what is sent

    wanted: Answered = [(str(THING), f"<{LABEL}>", '"Zuffenhausen"')]
    engine.kill()
    with pytest.raises(StoreAway):
        source.answered(names())  # type: ignore[arg-type]  # a generator
    engine.again()
    assert source.answered(names()) == wanted  # type: ignore[arg-type,comparison-overlap]  # as above


@pytest.mark.parametrize("graph", [None, ox.DefaultGraph()])
def test_what_could_not_be_fetched_is_fetched_again(engine: Oxigraph, store: Remote, graph: ox.DefaultGraph | None) -> None:
    store.noting()
    engine.kill()
    with pytest.raises(StoreAway):
        store.quads_for_pattern(THING, None, None, graph)
    engine.again()
    assert len(list(store.quads_for_pattern(THING, None, None, graph))) == 2


def test_a_clerk_knows_that_it_has_not_come_to_another_commit(engine: Oxigraph, tmp_path: Path) -> None:
    with service(tmp_path, "--plain", *engine.flags) as running:
        for number in range(3):
            assert running.update(f"INSERT DATA {{ {THING} <a:p> {number} }}").is_success
    store = Remote(engine.place, BASE)
    chronicle = Chronicle(Journal.read(tmp_path / "data" / "plain"), store, "", (), union=False)  # type: ignore[arg-type]  # as above
    versions = Versions(chronicle, 3)
    assert [told["kind"] for told in versions.latest(3, 3)] == ["Update", "Update", "Create"]
    engine.kill()
    with pytest.raises(StoreAway):
        versions.latest(2, 1)
    engine.again()
    assert [told["kind"] for told in versions.latest(1, 1)] == ["Create"]
    store.endpoint.close()


def test_shapes_that_cannot_be_asked_for_are_read_when_the_store_is_back(
    engine: Oxigraph, store: Remote, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    shape = f"<http://x/shape> a sh:NodeShape ; sh:targetNode {THING} ; sh:nodeKind sh:IRI"
    engine.update(f"PREFIX sh: <http://www.w3.org/ns/shacl#> INSERT DATA {{ GRAPH <http://x/shapes> {{ {shape} }} }}")
    knowledge = Knowledge(store, shapes_graph="http://x/shapes")  # type: ignore[arg-type]  # as above
    engine.kill()
    knowledge.prepare(judges=True)
    assert (knowledge.known.shapes, capfd.readouterr().err) == (None, "")
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["the shapes could not be read"]
    engine.again()
    knowledge.prepare(judges=True)
    assert knowledge.known.shapes is not None
