"""What the tests share: a plain service that takes writes, and the service as it ships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from motorgraph import corpus, inference
from motorgraph.engine import loading
from motorgraph.vocab import Names
from tests import jenas, virtuosos
from tests.jenas import Jena, jena
from tests.oxigraphs import Oxigraph, oxigraph
from tests.running import Service, service
from tests.virtuosos import Virtuoso, virtuoso

FIRST = ("crawl", "conformance", "change_property", "follow", "past", "life", "provenance", "consequences", "bench", "sending")
"""What takes long with few tests in it: begun at the end, one worker would wait for another that is still at it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders files by how long they take, and marks what is known to come out otherwise on Virtuoso and on Jena."""
    counts = Counter(item.path for item in items)
    first = {f"test_{name}": place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: (first.get(item.path.stem, len(FIRST)), -counts[item.path]))
    known = virtuosos.DEVIATIONS | jenas.DEVIATIONS
    for item in items:
        if item.name in known:
            item.add_marker(pytest.mark.xfail(reason=known[item.name]))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare store, for the whole session: each test uses graphs of its own. No dumps are made of it whenever nobody writes."""
    with service(tmp_path_factory.mktemp("plain"), "--plain", "--query-seconds", "5", "--dumps-kept", "0") as running:
        yield running


@pytest.fixture(scope="session")
def engine() -> Iterator[Oxigraph]:
    """Another engine, in memory, for remote stores: that of `elsewhere`, so that nobody else writes to it."""
    with oxigraph() as running:
        yield running


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory, engine: Oxigraph) -> Iterator[Service]:
    """As `plain`, with its graph in a remote store."""
    with service(tmp_path_factory.mktemp("elsewhere"), "--plain", "--query-seconds", "5", *engine.flags) as running:
        yield running


@pytest.fixture(scope="session")
def other_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Virtuoso]:
    """Virtuoso, for `on_virtuoso` alone."""
    with virtuoso(tmp_path_factory.mktemp("virtuoso")) as running:
        yield running


@pytest.fixture(scope="session")
def on_virtuoso(tmp_path_factory: pytest.TempPathFactory, other_engine: Virtuoso) -> Iterator[Service]:
    """As `elsewhere`, in Virtuoso."""
    with service(tmp_path_factory.mktemp("on-virtuoso"), "--plain", "--query-seconds", "5", *other_engine.flags) as running:
        yield running


@pytest.fixture(scope="session")
def third_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jena]:
    """Jena, for `on_jena` alone."""
    with jena(tmp_path_factory.mktemp("jena")) as running:
        yield running


@pytest.fixture(scope="session")
def on_jena(tmp_path_factory: pytest.TempPathFactory, third_engine: Jena) -> Iterator[Service]:
    """As `elsewhere`, in Jena."""
    with service(tmp_path_factory.mktemp("on-jena"), "--plain", "--query-seconds", "5", *third_engine.flags) as running:
        yield running


@pytest.fixture(scope="session")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare store with a few triples that nobody can write to, and so without a journal."""
    folder = tmp_path_factory.mktemp("read-only")
    (folder / "data.trig").write_text("<a:s> <a:p> 1 . <http://x/g> { <http://x/s> <http://x/p> 2, [] }")
    with service(folder, "--plain", "--load", str(folder / "data.trig"), token=None) as running:
        yield running


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as a newcomer starts it, with a token so that writes can be tried."""
    with service(tmp_path_factory.mktemp("shipped")) as running:
        yield running


@pytest.fixture(scope="session")
def shipped_store() -> ox.Store:
    """The graph as it ships and what follows from it, without a service; the default graph merges the others. Only to be read."""
    store = ox.Store()
    for file in corpus.shipped(Names()):
        loading.load_file(store, file)
    store.extend(inference.rebuild(store, inference.shipped_rules(Names())))
    loading.merge(store)
    return store


@pytest.fixture
def graph(request: pytest.FixtureRequest, plain: Service) -> str:
    """The IRI of a graph that only this test uses."""
    return (
        f"http://test.example/{Path(request.node.path).stem}/{request.node.name}".replace("[", "/")
        .replace("]", "")
        .replace(" ", "")
    )
