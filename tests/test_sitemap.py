"""The sitemap and robots.txt: every thing has its page in it once, in parts that crawlers take."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pyoxigraph as ox
import pytest

from motorgraph.address import ROOTS, local
from motorgraph.engine import sitemap
from motorgraph.engine.wire import Job
from motorgraph.errors import NotFound
from tests.running import Service

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
BASE = "https://motorgraph.example"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")


class Outlet:
    """Gathers what a task of a reader answers."""

    def __init__(self) -> None:
        self.body = b""

    def begin(self, form: str, media_type: str) -> None:
        self.media_type = media_type

    def write(self, data: bytes) -> None:
        self.body += data

    def finish(self) -> None:
        """All is here."""


def written(store: ox.Store, part: int, *, union: bool = True, changed: str = "") -> ET.Element:
    """A part of the sitemap of a store."""
    text = json.dumps({"origin": "http://kg.example", "part": part, "changed": changed, "pages": ["/"]})
    outlet = Outlet()
    sitemap.answer(Job("sitemap", text, base=BASE, union=union), store, outlet)  # type: ignore[arg-type]  # what it needs of one
    return ET.fromstring(outlet.body)


def store_of(*names: str) -> ox.Store:
    store = ox.Store()
    store.extend(ox.Quad(ox.NamedNode(name), TYPE, ox.NamedNode(f"{BASE}/ontology/Plant")) for name in names)
    return store


def located(root: ET.Element) -> list[str]:
    return [found.text or "" for found in root.iterfind(".//s:loc", NAMES)]


def test_things_of_the_graph_have_their_pages_and_nothing_else_has() -> None:
    own = ("id/plant/a", "ontology/Plant", "shapes/Plant", "concept/stance/denied", "source/x", "dataset/y", "scheme/z")
    others = (f"{BASE}/", f"{BASE}/id/", "http://other.example/id/plant/b", f"{BASE}/id/plant/a#part")
    found = located(written(store_of(*[f"{BASE}/{name}" for name in own], *others), 1))
    pages = [f"page/{page}" for page in ("concept/stance/denied", "dataset/y", "plant/a", "scheme/z", "source/x")]
    assert found == [f"http://kg.example/{path}" for path in ("", "ontology/Plant.html", *pages, "shapes/Plant.html")]


def test_an_address_is_escaped_for_the_web_and_for_xml() -> None:
    found = located(written(store_of(f"{BASE}/id/plant/zürich&co"), 1))
    assert found[1] == "http://kg.example/page/plant/z%C3%BCrich&co"


def test_more_addresses_than_a_part_may_have_make_another_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MOST_ADDRESSES", 3)
    store = store_of(*[f"{BASE}/id/plant/{n}" for n in range(6)])
    assert located(written(store, 0)) == [f"http://kg.example/sitemap/{part}.xml" for part in (1, 2, 3)]
    parts = [located(written(store, part)) for part in (1, 2, 3)]
    assert [len(part) for part in parts] == [3, 3, 1]
    assert len({address for part in parts for address in part}) == 7
    with pytest.raises(NotFound):
        written(store, 4)


def test_a_thing_that_says_when_it_was_changed_has_that_day_others_that_of_the_commit() -> None:
    store = store_of(f"{BASE}/id/plant/a", f"{BASE}/id/plant/b")
    day = ox.Literal("2026-01-02", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date"))
    store.add(ox.Quad(ox.NamedNode(f"{BASE}/id/plant/a"), ox.NamedNode("http://purl.org/dc/terms/modified"), day))
    root = written(store, 1, changed="2026-11-26T10:00:00+00:00")
    days = [found.text for found in root.iterfind(".//s:lastmod", NAMES)]
    assert days == ["2026-11-26T10:00:00+00:00", "2026-01-02", "2026-11-26T10:00:00+00:00"]
    assert not list(written(store_of(), 1).iterfind(".//s:lastmod", NAMES))


def test_where_the_default_graph_is_no_merge_named_graphs_count_too() -> None:
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode(f"{BASE}/id/plant/a"), TYPE, ox.NamedNode("http://c"), ox.NamedNode("http://g")))
    assert len(located(written(store, 1, union=False))) == 2


# Over HTTP


def fetched(service: Service, path: str) -> ET.Element:
    response = service.client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/xml")
    return ET.fromstring(response.content)


def test_the_parts_of_the_index_hold_every_thing_that_is_of_a_class_once(shipped: Service) -> None:
    parts = located(fetched(shipped, "/sitemap.xml"))
    assert parts == [f"{shipped.url}/sitemap/{n}.xml" for n in range(1, len(parts) + 1)]
    found = [address for part in parts for address in located(fetched(shipped, part))]
    assert len(set(found)) == len(found)
    asked = shipped.rows(
        f'SELECT DISTINCT ?s {{ ?s a ?c FILTER(REGEX(STR(?s), "^{BASE}/({"|".join(("id", *ROOTS))})/[^?#]+$")) }}',
    )
    pages = {f"{shipped.url}{local(row['s'], BASE)}" for row in asked}
    assert {address for address in found if "/page/" in address} == pages


def test_the_pages_answer(shipped: Service) -> None:
    found = located(fetched(shipped, "/sitemap/1.xml"))
    assert f"{shipped.url}/ontology/Plant.html" in found
    assert f"{shipped.url}/page/commit/1" in found
    kinds: dict[str, list[str]] = {}
    for address in found:
        kinds.setdefault(address.rpartition("/")[0], []).append(address)
    for address in [addresses[len(addresses) // 2] for addresses in kinds.values()]:
        response = shipped.client.get(address, headers={"Accept": "text/html"})
        assert (response.status_code, response.headers["content-type"][:9]) == (200, "text/html"), address


def test_every_entry_says_when_the_graph_was_changed(shipped: Service) -> None:
    root = fetched(shipped, "/sitemap/1.xml")
    assert len(list(root.iterfind(".//s:lastmod", NAMES))) == len(located(root))


def test_an_index_is_not_sent_again_while_it_is_right(plain: Service, graph: str) -> None:
    plain.put(graph, f"<{BASE}/id/plant/once> a <http://x/C> .")
    first = plain.client.get("/sitemap/1.xml")
    held = {"If-None-Match": first.headers["etag"]}
    assert plain.client.get("/sitemap/1.xml", headers=held).status_code == 304
    plain.put(graph, f"<{BASE}/id/plant/twice> a <http://x/C> .")
    second = plain.client.get("/sitemap/1.xml", headers=held)
    assert "/page/plant/once" in first.text
    assert "/page/plant/twice" in second.text


@pytest.mark.parametrize("path", ["/sitemap/2.xml", "/sitemap/0.xml", "/sitemap/x.xml", "/sitemap/", "/sitemap/1"])
def test_a_part_that_is_not_there_is_404(plain: Service, path: str) -> None:
    assert plain.client.get(path).status_code == 404


def test_crawlers_are_told_of_the_sitemap_and_asked_to_leave_queries_and_graphs_alone(plain: Service) -> None:
    response = plain.client.get("/robots.txt")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    lines = response.text.splitlines()
    assert {
        "User-agent: *",
        "Disallow: /sparql",
        "Disallow: /graphs",
        "Disallow: /explore/*?",
        f"Sitemap: {plain.url}/sitemap.xml",
    } <= set(lines)


@pytest.mark.parametrize("path", ["/robots.txt", "/sitemap.xml"])
def test_only_reads_are_taken(plain: Service, path: str) -> None:
    assert plain.client.head(path).content == b""
    assert plain.client.post(path).status_code == 405
    assert plain.client.get(path, headers={"Host": "a b"}).status_code == 400
