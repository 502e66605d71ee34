"""The ontology and the shapes answer at their IRIs, as pages and as data, and their pages lead nowhere in vain."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from tests.running import MODULES, TOKEN, Service
from tests.test_entity import FORMATS
from tests.test_pages import BROWSER, MG, page

BASE = "https://motorgraph.example"
ONTOLOGY, SHAPES = f"{BASE}/graph/ontology", f"{BASE}/graph/shapes"
ROOTS = ("/ontology", "/shapes")
SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)
CLASSES = f"""PREFIX owl: <http://www.w3.org/2002/07/owl#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?class ?module {{ GRAPH <{ONTOLOGY}> {{ ?class a owl:Class ; rdfs:isDefinedBy ?module }} }}"""


def subjects(running: Service, graph: str) -> set[str]:
    """The IRIs that the graph says something of."""
    rows = running.rows(f"SELECT DISTINCT ?s {{ GRAPH <{graph}> {{ ?s ?p ?o FILTER isIRI(?s) }} }}")
    return {row["s"] for row in rows}


def path(iri: str) -> str:
    return iri.removeprefix(BASE)


def triples(data: bytes, suffix: str) -> ox.Dataset:
    """What a document says, with blank nodes renamed so that two of the same are equal."""
    quads = ox.parse(data, format=FORMATS[suffix][1])
    found = ox.Dataset(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    found.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return found


def read(running: Service, address: str, suffix: str) -> ox.Dataset:
    response = running.client.get(f"{address}.{suffix}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].partition(";")[0] == FORMATS[suffix][0]
    return triples(response.content, suffix)


def stored(running: Service, graph: str) -> ox.Dataset:
    response = running.client.get("/graphs", params={"graph": graph}, headers={"Accept": "application/n-triples"})
    return triples(response.content, "nt")


def words(running: Service, address: str) -> str:
    """The text of a page in one line, with a blank between what stands in different blocks."""
    blocks = re.sub(r"</?(?:br|d[dt]|div|h\d|li|p|t[dhr])\b[^>]*>", " ", page(running, address).response.text)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", blocks)).split())


# Documents


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("root", "graph"), [("/ontology", ONTOLOGY), ("/shapes", SHAPES)])
def test_the_whole_is_one_document_in_every_format(shipped: Service, root: str, graph: str, suffix: str) -> None:
    assert read(shipped, root, suffix) == stored(shipped, graph)


@pytest.mark.parametrize(("root", "graph"), [("/ontology", ONTOLOGY), ("/shapes", SHAPES)])
def test_the_modules_together_are_the_whole_but_for_what_no_module_defines(shipped: Service, root: str, graph: str) -> None:
    modules = sorted(iri for iri in subjects(shipped, graph) if re.fullmatch(rf"{BASE}{root}/module/\w+", iri))
    assert len(modules) == 12
    parts = [read(shipped, path(iri), "nt") for iri in modules]
    left = [iri for iri in (BASE + root, f"{BASE}{root}/prefixes") if iri in subjects(shipped, graph)]
    whole = stored(shipped, graph)
    assert sum(map(len, parts)) + sum(_said(shipped, graph, iri) for iri in left) == len(whole)


def _said(running: Service, graph: str, iri: str) -> int:
    """How many triples there are about a subject and the blank nodes that it points to."""
    pattern = f"{{ BIND(<{iri}> AS ?s) }} UNION {{ <{iri}> ?to ?s FILTER isBlank(?s) }}"
    rows = running.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ {pattern} ?s ?p ?o }} }}")
    return int(rows[0]["n"])


def test_a_version_answers_as_what_it_is_the_version_of(shipped: Service) -> None:
    for root in ("/ontology/version/0.1.0", "/ontology/module/plant/0.1.0", "/shapes/module/plant/0.1.0"):
        plain = "/ontology" if "version" in root else root.removesuffix("/0.1.0")
        assert read(shipped, root, "ttl") == read(shipped, plain, "ttl")
        assert page(shipped, root).all("h1")[0].text == page(shipped, plain).all("h1")[0].text
    assert shipped.client.get("/ontology/module/plant/9.9.9").status_code == 404


def test_what_is_said_of_a_term_or_shape_is_its_data(shipped: Service) -> None:
    plant = read(shipped, "/ontology/Plant", "jsonld")
    rows = shipped.rows(f"SELECT ?p ?o {{ GRAPH <{ONTOLOGY}> {{ <{MG}Plant> ?p ?o }} }}")
    assert len(plant) == len(rows)
    shape = read(shipped, "/shapes/PlantShape", "ttl")
    assert read(shipped, "/shapes/PlantShape", "rdf") == shape
    messages = [quad.object for quad in shape if quad.predicate.value.endswith("#message")]
    assert len(messages) > 5  # they stand on blank nodes below it


def test_turtle_is_written_for_people(shipped: Service) -> None:
    text = shipped.client.get("/shapes/CapacityShape.ttl").text
    assert text.startswith("@prefix mg: <https://motorgraph.example/ontology/> .\n")
    assert "@prefix qb:" not in text  # only those in use
    assert "_:" not in text
    assert "sh:or ( [ sh:class mg:Plant ] [ sh:class mg:PlantUnit ] )" in text


# Negotiation


@pytest.mark.parametrize(
    ("accept", "suffix"),
    [
        ("*/*", "ttl"),
        ("", "ttl"),
        ("text/turtle", "ttl"),
        ("application/ld+json", "jsonld"),
        ("application/rdf+xml", "rdf"),
        ("application/n-quads", "nq"),
        ("text/html;q=0.2, application/rdf+xml;q=0.5", "rdf"),
        (BROWSER["Accept"], "html"),
    ],
)
def test_a_thing_sends_on_to_what_the_client_likes_best(shipped: Service, accept: str, suffix: str) -> None:
    for iri in ("/ontology/Plant", "/ontology/ofPlant", "/shapes/PlantShape"):
        response = shipped.client.get(iri, headers={"Accept": accept})
        assert (response.status_code, response.headers["Location"]) == (303, f"{iri}.{suffix}")
        assert "Accept" in response.headers["Vary"]
        assert shipped.client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("address", ["/ontology", "/ontology/", "/ontology/module/plant", "/shapes", "/shapes/module/plant"])
def test_a_document_is_answered_at_its_own_iri(shipped: Service, address: str) -> None:
    for suffix, (media_type, _) in FORMATS.items():
        response = shipped.client.get(address, headers={"Accept": media_type})
        assert response.status_code == 200
        assert triples(response.content, suffix) == read(shipped, address.rstrip("/"), suffix)
        assert "Accept" in response.headers["Vary"]
    assert page(shipped, address).all("h1")


def test_what_cannot_be_had_is_said_with_what_can(shipped: Service) -> None:
    for address in ("/ontology", "/ontology/Plant", "/shapes"):
        response = shipped.client.get(address, headers={"Accept": "image/png"})
        assert response.status_code == 406
        assert "text/turtle" in response.json()["available"]
        assert "text/html" in response.json()["available"]
    response = shipped.client.post("/ontology")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_copy_is_asked_after_with_its_tag(shipped: Service) -> None:
    first = shipped.client.get("/ontology.ttl")
    assert first.headers["X-Commit"]
    again = shipped.client.get("/ontology.ttl", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = shipped.client.get("/ontology.nt", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200
    head = shipped.client.head("/ontology.ttl")
    assert (head.headers["Content-Length"], head.content) == (first.headers["Content-Length"], b"")


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("/ontology/Plnt", f"{MG}Plant"),
        ("/ontology/plant%20operation.ttl", f"{MG}PlantOperation"),
        ("/ontology/module/Plant", ""),
        ("/ontology/%F0%9F%9A%97.html", ""),
        ("/ontology/a/b/c", ""),
        ("/ontology/" + "x" * 5000, ""),
        ("/shapes/PlantShap", f"{BASE}/shapes/PlantShape"),
        ("/shapes/module/none", ""),
        ("/ontology/<script>", ""),
    ],
)
def test_what_is_not_there_is_404_with_what_is_near(shipped: Service, address: str, near: str) -> None:
    response = shipped.client.get(address)
    assert response.status_code == 404
    found = response.json()["near"]
    assert all(shipped.client.get(each["page"], headers=BROWSER).status_code == 303 for each in found)
    assert near in [each["id"] for each in found] or not near
    in_browser = shipped.client.get(address, headers=BROWSER)
    assert in_browser.status_code == 404
    assert "<script>" not in in_browser.text


# The past


def test_data_can_be_had_as_of_a_commit_and_a_page_only_of_the_newest(plain: Service) -> None:
    graph = f"@prefix owl: <http://www.w3.org/2002/07/owl#> . <{MG}Old> a owl:Class ."
    assert plain.put(ONTOLOGY, graph).status_code == 201
    try:
        commit = plain.client.get("/ontology.nt").headers["X-Commit"]
        then = plain.client.get("/ontology/Old.nt")
        assert plain.put(ONTOLOGY, graph.replace("Old", "New")).status_code == 204
        assert plain.client.get("/ontology/Old.nt").status_code == 404
        past = plain.client.get(f"/ontology/Old.nt?at={commit}")
        assert (past.status_code, past.content, past.headers["X-Commit"]) == (200, then.content, commit)
        assert "Memento-Datetime" in past.headers
        assert "Memento-Datetime" not in then.headers
        assert "timegate" in then.headers["Link"]
        moved = plain.client.get(f"/ontology/Old?at={commit}", headers={"Accept": "text/turtle"})
        assert (moved.status_code, moved.headers["Location"]) == (303, f"/ontology/Old.ttl?at={commit}")
        older = plain.client.get(f"/ontology?at={commit}", headers=BROWSER)
        assert older.headers["Content-Type"] == "application/rdf+xml"  # the browser takes XML too
        assert plain.client.get(f"/ontology/Old.html?at={commit}").status_code == 406
        newest = plain.client.get("/ontology.nt").headers["X-Commit"]
        assert plain.client.get(f"/ontology?at={newest}", headers=BROWSER).status_code == 200
        assert plain.client.get("/ontology?at=never").status_code == 400
        for address in ("/ontology", "/ontology.ttl", "/ontology/New", "/ontology/New.ttl"):
            led = plain.client.get(f"/timegate{address}")
            assert (led.status_code, led.headers["Location"].partition("?")[0]) == (302, f"{plain.url}{address}")
    finally:
        plain.client.delete("/graphs", params={"graph": ONTOLOGY}, headers={"Authorization": f"Bearer {TOKEN}"})


# Pages


@pytest.fixture(scope="module")
def crawled(shipped: Service) -> dict[str, str]:
    """Every page below the roots that links lead to, by its path."""
    found: dict[str, str] = {}
    todo = list(ROOTS)
    while todo:
        address = todo.pop()
        if address in found:
            continue
        response = shipped.client.get(address, headers=BROWSER, follow_redirects=True)
        assert response.status_code == 200, address
        found[address] = response.text
        todo += [link for link, _ in links(response.text) if link.startswith(ROOTS) and "." not in link]
    return found


def links(text: str) -> Iterator[tuple[str, str]]:
    """The links within this service, and the fragment of each."""
    for href in re.findall(r'<(?:a|link)[^>]* href="([^"]*)"', text):
        link, _, fragment = unescape(href).partition("#")
        if not urlsplit(link).scheme:
            yield link, fragment


def test_every_term_and_shape_has_a_page_that_links_lead_to_and_an_anchor(shipped: Service, crawled: dict[str, str]) -> None:
    terms, shapes = subjects(shipped, ONTOLOGY), subjects(shipped, SHAPES)
    assert len(terms) > 300
    assert len(shapes) > 140
    assert {path(iri) for iri in terms | shapes} <= crawled.keys()
    anchors = {root: set(re.findall(r' id="([^"]+)"', crawled[root])) for root in ROOTS}
    assert {path(iri).removeprefix("/ontology/") for iri in terms if "/module/" not in iri} - {"/ontology"} <= anchors[
        "/ontology"
    ]
    assert {path(iri).removeprefix("/shapes/") for iri in shapes if iri.endswith("Shape")} <= anchors["/shapes"]


def test_every_term_and_shape_has_its_data(shipped: Service) -> None:
    for iri in sorted(subjects(shipped, ONTOLOGY) | subjects(shipped, SHAPES)):
        response = shipped.client.get(path(iri), headers={"Accept": "text/turtle"}, follow_redirects=True)
        assert response.status_code == 200, iri
        assert iri in {quad.subject.value for quad in ox.parse(response.content, format=ox.RdfFormat.TURTLE)}


def test_every_link_leads_somewhere(shipped: Service, crawled: dict[str, str]) -> None:
    """Things of the graph that are neither term nor shape are looked up in the graph."""
    found = {link for text in crawled.values() for link, _ in links(text) if link} - crawled.keys()
    things = {link for link in found if link.startswith(("/id/", "/concept/", "/scheme/", "/source/", "/dataset/"))}
    known = shipped.rows(f"SELECT DISTINCT ?s {{ ?s a ?c FILTER STRSTARTS(STR(?s), '{BASE}/') }}")
    assert {BASE + link for link in things} <= {row["s"] for row in known}
    others = sorted(found - things)
    assert len(others) > 1000
    for link in others[::10] + [link for link in others if link.count("/") == 1]:
        assert shipped.client.get(link, headers=BROWSER, follow_redirects=True).status_code == 200, link


def test_every_link_to_a_place_on_the_page_has_its_place(crawled: dict[str, str]) -> None:
    for address, text in crawled.items():
        ids = re.findall(r' id="([^"]+)"', text)
        assert len(ids) == len(set(ids)), address
        assert {fragment for link, fragment in links(text) if not link and fragment} <= set(ids), address


PAGES = [
    "/ontology",
    "/ontology/module/org",
    "/ontology/Plant.html",
    "/ontology/partner.html",
    "/shapes",
    "/shapes/PlantShape.html",
]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_well_formed_and_needs_no_script_and_no_style_of_its_own(shipped: Service, address: str) -> None:
    found = page(shipped, address)
    titles = [title for title in found.all("title") if "id" not in title.attributes]  # others are those of pictures
    assert len(found.all("h1")) == len(found.all("main")) == len(titles) == 1
    assert not found.all("style", "iframe")
    assert all(script.attributes["src"].startswith("/static/bundle/") for script in found.all("script"))
    assert not [element for element in found.root.walk() if "style" in element.attributes]
    assert "default-src 'none'" in found.response.headers["Content-Security-Policy"]
    for link in found.all("link"):
        assert shipped.client.get(link.attributes["href"]).status_code == 200


def test_the_overview_is_light_and_says_what_the_ontology_is(shipped: Service) -> None:
    found = page(shipped, "/ontology")
    assert len(gzip.compress(found.response.content)) < 150_000
    text = found.root.text
    for told in ("Motorgraph ontology", "0.1.0", "creativecommons.org/licenses/by/4.0", "Plants and their halls", "act status"):
        assert told in text
    schemes = shipped.rows("SELECT DISTINCT ?s { ?s a <http://www.w3.org/2004/02/skos/core#ConceptScheme> }")
    assert {path(row["s"]) for row in schemes} <= set(found.links)


def test_a_page_of_a_class_says_what_it_is_and_what_goes_with_it(shipped: Service) -> None:
    text = words(shipped, "/ontology/Plant.html")
    for told in (
        "Fixed site where vehicles or main parts of them are made.",
        "Ford Valencia.",
        "Owner, operator and owner of the brand",
        "geo:Feature, org:Site",
        "mg:country country mg:Country exactly one value; an instance of mg:Country (shapes:PlantShape)",
        "mg:concernsPlant: Links a deal to a plant",
        "For its instances: shapes:",
        "mg:Plant a owl:Class ; owl:disjointWith mg:Organization",
    ):
        assert told in text
    count = shipped.rows(f"SELECT (COUNT(DISTINCT ?p) AS ?n) {{ ?p a <{MG}Plant> }}")[0]["n"]
    assert f"In the graph {count} instances" in text


def test_the_properties_of_a_superclass_are_told_apart(shipped: Service) -> None:
    text = words(shipped, "/ontology/Shareholding.html")
    own, inherited = text.index("mg:stakePercent stake in per cent"), text.index("From mg:TimeBoundRelation")
    assert own < inherited < text.index("mg:validFrom valid from")
    text = words(shipped, "/ontology/Subsidiary.html")
    assert text.index("From mg:Organization") < text.index("mg:basedIn based in") < text.index("skos:prefLabel not said")


def test_a_page_of_a_property_says_what_it_links_and_what_shapes_ask(shipped: Service) -> None:
    text = words(shipped, "/ontology/stakePercent.html")
    assert "Said of mg:Shareholding" in text
    assert "Leads to xsd:decimal" in text
    assert "shapes:ShareholdingShape: at most 1 value; a literal of the datatype xsd:decimal" in text


def test_a_deprecated_term_answers_and_says_what_replaces_it(shipped: Service) -> None:
    found = page(shipped, "/ontology/partner.html")
    notice = next(element for element in found.all("p") if element.attributes.get("role") == "note")
    assert notice.text == "Deprecated. Use mg:party instead."
    assert [link.attributes["href"] for link in notice.all("a")] == ["/ontology/party"]
    replaced = [quad for quad in read(shipped, "/ontology/partner", "nt") if quad.predicate.value.endswith("isReplacedBy")]
    assert [quad.object for quad in replaced] == [ox.NamedNode(f"{MG}party")]


def test_the_page_of_a_shape_says_each_clause_in_words_with_message_severity_and_query(shipped: Service) -> None:
    text = words(shipped, "/shapes/ShareholdingShape.html")
    assert "For every instance of mg:Shareholding." in text
    assert "mg:holder exactly one value an instance of mg:Organization or an instance of mg:Person" in text
    assert "“Name two different parties: mg:holder and mg:issuer must not be the same.”" in text
    assert "mg:stakePercent|mg:votePercent at least 1 value" in text
    found = page(shipped, "/shapes/KitAssemblyOriginShape.html")
    assert "Warning: the change is made, and its report says so." in found.root.text
    assert "SELECT $this ?value WHERE {\n    $this mg:method ?method" in found.root.text
    assert {"/ontology/OriginDetermination", "/ontology/inCustomsTerritory"} <= set(found.links)  # the latter in a path


# Pictures


def pictures(text: str) -> list[ElementTree.Element]:
    found = [ElementTree.fromstring(svg) for svg in SVG.findall(text)]
    return [svg for svg in found if svg.get("aria-hidden") != "true"]


def test_each_module_with_classes_has_a_picture_of_them_all(shipped: Service, crawled: dict[str, str]) -> None:
    classes: dict[str, set[str]] = {}
    for row in shipped.rows(CLASSES):
        classes.setdefault(path(row["module"]), set()).add(path(row["class"]).removeprefix("/ontology/"))
    drawn = pictures(crawled["/ontology"])
    assert len(drawn) == len(classes) == 11  # that of the metadata has none
    space = "{http://www.w3.org/2000/svg}"
    for module, names in classes.items():
        (picture,) = pictures(crawled[module])
        boxes = [text.text for text in picture.iter(f"{space}text") if text.get("class") == "name"]
        assert sorted(names, key=str.lower) == boxes
        assert picture.find(f"{space}title") is not None
        told = picture.find(f"{space}desc")
        assert told is not None
        assert all(name in (told.text or "") for name in names)
        table = crawled[module].partition("<table")[2].partition("</table>")[0]
        assert all(f">{name}</a></th>" in table for name in names)


def test_the_same_module_is_always_drawn_the_same(shipped: Service, crawled: dict[str, str]) -> None:
    again = shipped.client.get("/ontology/module/org.html").text
    assert SVG.findall(again) == SVG.findall(crawled["/ontology/module/org"])


# A store without an ontology, and one with a strange one

STRANGE = f"""@prefix mg: <{MG}> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
<{BASE}/ontology> a owl:Ontology .
mg:Car a owl:Class ; rdfs:label "<script>alert(1)</script>" ; skos:definition "See <{MG}Nothing>, mg:Nothing and mg:Wheel." ;
  rdfs:seeAlso <javascript:alert(1)> ; skos:closeMatch <https://schema.org/Car> ; rdfs:subClassOf mg:Wheel .
mg:Wheel a owl:Class ; rdfs:subClassOf mg:Car ; owl:equivalentClass [ a owl:Restriction ; owl:onProperty mg:has ] .
<{MG}été> a owl:ObjectProperty .
"""


def test_without_its_graph_there_is_nothing_and_that_is_said(plain: Service) -> None:
    for address in ("/ontology", "/ontology/Plant", "/ontology/module/plant.ttl", "/shapes", "/shapes/PlantShape.html"):
        response = plain.client.get(address)
        assert response.status_code == 404
        assert f"graph/{address.split('/')[1]}" in response.json()["detail"]
    assert "/ontology" not in page(plain, "/").links


def test_pages_follow_the_graph_and_trust_nothing_in_it(plain: Service) -> None:
    assert plain.put(ONTOLOGY, STRANGE).status_code == 201
    try:
        car = page(plain, "/ontology/Car.html")
        assert "<script>alert(1)</script>" in car.root.text
        assert "<script" not in MODULES.sub("", car.response.text)
        assert not [link for link in car.links if link.startswith("javascript:")]
        assert "/ontology/Nothing" not in car.links
        assert {"/ontology/Wheel", "https://schema.org/Car"} <= set(car.links)
        assert "Close match schema:Car" in words(plain, "/ontology/Car.html")
        assert "a owl:Restriction" in page(plain, "/ontology/Wheel.html").root.text
        word = quote("été")
        assert f"/ontology/{word}" in page(plain, "/ontology").links
        response = plain.client.get(f"/ontology/{word}", headers=BROWSER, follow_redirects=True)
        assert urljoin(str(response.url), "").endswith(f"/ontology/{word}.html")
        assert plain.update(f"DELETE DATA {{ GRAPH <{ONTOLOGY}> {{ <{MG}Wheel> a <http://www.w3.org/2002/07/owl#Class> }} }}")
        assert "1 class" in words(plain, "/ontology")
    finally:
        plain.client.delete("/graphs", params={"graph": ONTOLOGY}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert plain.client.get("/ontology").status_code == 404


def test_shapes_of_ones_own_have_pages_too(plain: Service) -> None:
    shapes = f"""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix mg: <{MG}> . @prefix s: <{BASE}/shapes/> .
    s:Car a sh:NodeShape ; sh:targetClass mg:Car ; sh:property [ sh:path mg:wheel ; sh:minCount 4 ; sh:maxCount 4 ] ."""
    assert plain.put(SHAPES, shapes).status_code == 201
    try:
        assert "exactly 4 values" in page(plain, "/shapes/Car.html").root.text
        assert "In no module" in page(plain, "/shapes").root.text
    finally:
        plain.client.delete("/graphs", params={"graph": SHAPES}, headers={"Authorization": f"Bearer {TOKEN}"})
