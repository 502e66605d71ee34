"""The catalogue: DCAT 3 by the rules of DCAT-AP, schema.org in its page, and the same as VoID and the service description say."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from motorgraph.catalogue.about import About, Document
from motorgraph.catalogue.dcat import catalogue
from motorgraph.catalogue.edition import Edition
from motorgraph.catalogue.page import citation
from motorgraph.catalogue.schema_org import dataset, embedded
from motorgraph.catalogue.statistics import Statistics
from motorgraph.catalogue.stock import Counted, Stock
from motorgraph.catalogue.void import void_description
from motorgraph.media import GRAPHS, NTRIPLES, Format
from motorgraph.release import DumpFile, Release
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from tests.described import DATASET, PREFIXES, Told, findings, response, told, unanswered
from tests.running import Service, service


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that only these tests write to."""
    with service(tmp_path_factory.mktemp("test_dcat")) as running:
        yield running


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ORIGIN = "http://127.0.0.1:8800"
OF_DOCUMENTS = 'FILTER(STRSTARTS(STR(?g), "https://motorgraph.example/graph/source/"))'
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
GRAPH = "https://motorgraph.example/graph/source/one"


RELEASE = Release(
    7,
    "2026-11-25T10:00:00+00:00",
    (
        DumpFile("motorgraph.nq.gz", "application/n-quads", "gzip", "", 1234, SHA),
        DumpFile("motorgraph.trig.zst", "application/trig", "zstd", "", 999, SHA),
        DumpFile("motorgraph.trig", "application/trig", "", "", 4321, SHA),
        DumpFile("claims.nq.gz", "application/n-quads; version=1.2", "gzip", "", 77, SHA),
        DumpFile("graphs/source/one.ttl.gz", "text/turtle", "gzip", GRAPH, 321, SHA),
        DumpFile("graphs/default.ttl.gz", "text/turtle", "gzip", "", 11, SHA),
    ),
)


def edition(release: Release | None = RELEASE, base: str = "https://motorgraph.example") -> Edition:
    """A graph of one source document, of which it says little."""
    about = About(
        f'<{DATASET}> <http://purl.org/dc/terms/title> "motorgraph"@en .\n'
        f"<{DATASET}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://rdfs.org/ns/void#Dataset> .\n"
        f"<{base}/catalogue> <http://www.w3.org/ns/dcat#dataset> <{DATASET}> .\n"
        f"<{base}/catalogue> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Catalog> .\n",
        {"documents": [{"graph": GRAPH, "source": f"{base}/source/one", "title": "One</script>"}]},
    )
    tally = Statistics([["quads", GRAPH, 3], ["triples", "http://p", 3], ["subjects", "http://p", 1], ["objects", "http://p", 3]])
    counted = Counted(9, tally, about, "2026-11-26T10:00:00+00:00", "2026-11-20T10:00:00+00:00")
    return Edition(Settings(), ORIGIN, counted, release, frozenset({"/sparql", "/graphs"}))


def catalogued(release: Release | None = RELEASE) -> Told:
    return Told.of(catalogue(edition(release)).serialised(NTRIPLES).decode())


# By the rules


def test_the_shipped_catalogue_has_all_that_dcat_ap_asks_for_and_of_the_whole_all_that_it_recommends(shipped: Service) -> None:
    found = findings(told(shipped, "/catalogue").text, "dcat-ap")
    assert not [finding for finding in found if not finding[0].endswith("#Warning")]
    parts = ("https://motorgraph.example/graph/source/", "https://motorgraph.example/source/")
    assert not [finding for finding in found if not finding[1].startswith(parts)]


def test_a_plain_catalogue_has_all_that_dcat_ap_asks_for(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> a <http://x/C> ; <http://x/p> 1 .")
    assert not [finding for finding in findings(told(plain, "/catalogue").text, "dcat-ap") if not finding[0].endswith("#Warning")]


def test_a_catalogue_with_a_release_has_all_that_dcat_ap_asks_for() -> None:
    assert not [finding for finding in findings(catalogued().text, "dcat-ap") if not finding[0].endswith("#Warning")]


def test_the_rules_of_dcat_ap_find_what_is_missing() -> None:
    dcat, type_ = "http://www.w3.org/ns/dcat#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
    kinds = ("Catalog", "Dataset", "Distribution", "DataService", "DatasetSeries")
    text = "".join(f"<urn:{kind}> <{type_}> <{dcat}{kind}> .\n" for kind in kinds)
    missing = {
        (focus, path.rpartition("#")[2].rpartition("/")[2])
        for severity, focus, path in findings(text, "dcat-ap")
        if "Viol" in severity
    }
    assert missing == {
        *(("urn:Catalog", name) for name in ("title", "description", "publisher", "dataset")),
        *(("urn:Dataset", name) for name in ("title", "description")),
        ("urn:Distribution", "accessURL"),
        *(("urn:DataService", name) for name in ("title", "endpointURL")),
        *(("urn:DatasetSeries", name) for name in ("title", "description")),
    }


# What the graph says


def test_every_source_is_a_data_set_with_the_licence_and_the_credit_that_the_graph_has_for_it(shipped: Service) -> None:
    found = told(shipped, "/catalogue")
    query = (
        "SELECT ?d ?licence ?credit ?version { ?c a dcat:Catalog ; dcat:dataset ?d . ?d a dcat:Dataset ; "
        "dcterms:license ?licence ; dcterms:bibliographicCitation ?credit ; dcat:version ?version }"
    )
    asked = [(row["d"], row["licence"], row["credit"], row["version"]) for row in shipped.rows(PREFIXES + query)]
    assert len(asked) >= 7
    assert sorted(found.rows(query)) == sorted(asked)
    derived = {source for (source,) in found.rows(f"SELECT ?s {{ <{DATASET}> prov:wasDerivedFrom ?s }}")}
    assert derived == {source for source, *_ in asked}


def test_every_graph_of_a_document_is_a_data_set_derived_from_it(shipped: Service) -> None:
    graphs = shipped.rows(f"SELECT ?g (COUNT(*) AS ?n) {{ GRAPH ?g {{ ?s ?p ?o }} {OF_DOCUMENTS} }} GROUP BY ?g")
    found = dict(
        told(shipped, "/catalogue").rows(
            f"SELECT ?g ?n {{ ?c dcat:dataset ?g . ?g dcterms:isPartOf <{DATASET}> ; void:triples ?n ; "
            "dcterms:license ?licence ; prov:wasDerivedFrom ?s FILTER(REPLACE(STR(?g), '/graph/source/', '/source/') = STR(?s)) }"
        )
    )
    assert found == {row["g"]: row["n"] for row in graphs}


def test_the_whole_has_what_its_graph_says_and_the_commit_as_its_version(shipped: Service) -> None:
    found = told(shipped, "/catalogue")
    commit = shipped.client.get("/ready").json()["commit"]
    assert found.one(f"SELECT ?v {{ <{DATASET}> dcat:version ?v }}") == str(commit)
    keywords = shipped.rows(f"SELECT ?v {{ <{DATASET}> <http://www.w3.org/ns/dcat#keyword> ?v }} ORDER BY ?v")
    assert [row["v"] for row in keywords] == [
        v for (v,) in found.rows(f"SELECT ?v {{ <{DATASET}> dcat:keyword ?v }} ORDER BY ?v")
    ]
    days = shipped.rows(
        "SELECT (MIN(?d) AS ?first) (MAX(?d) AS ?last) { ?s a <https://motorgraph.example/ontology/SourceDocument> ; "
        "<http://purl.org/dc/terms/issued> ?d }"
    )[0]
    period = f"<{DATASET}> dcterms:temporal [ dcat:startDate ?first ; dcat:endDate ?last ]"
    assert found.rows(f"SELECT ?first ?last {{ {period} }}") == [(days["first"], days["last"])]
    ended = "SELECT (MAX(?t) AS ?m) { GRAPH <https://motorgraph.example/graph/catalogue> { ?c prov:endedAtTime ?t } }"
    changed = shipped.rows(PREFIXES + ended)[0]["m"]
    modified = found.one(f"SELECT ?v {{ <{DATASET}> dcterms:modified ?v }}")
    assert modified[:19] == changed[:19]


def test_the_services_are_those_that_run(shipped: Service) -> None:
    found = told(shipped, "/catalogue").rows(
        "SELECT ?url ?about { ?s a dcat:DataService ; dcat:endpointURL ?url ; dcat:endpointDescription ?about }"
    )
    assert {(f"{shipped.url}/sparql", f"{shipped.url}/sparql"), (f"{shipped.url}/graphs", f"{shipped.url}/openapi.json")} <= set(
        found
    )
    for address in {address for row in found for address in row}:
        assert shipped.client.get(address).status_code == 200


# The same everywhere

TERMS = ("triples", "entities", "distinctSubjects", "distinctObjects", "classes", "properties")


def test_service_description_void_and_catalogue_say_the_same_of_the_same_data_set(shipped: Service) -> None:
    counts = f"SELECT {' '.join(f'?{t}' for t in TERMS)} {{ <{DATASET}> {' ; '.join(f'void:{t} ?{t}' for t in TERMS)} }}"
    descriptions = [told(shipped, path) for path in ("/sparql", "/.well-known/void", "/catalogue")]
    rows = [description.rows(counts) for description in descriptions]
    assert len(rows[0]) == 1
    assert rows[0] == rows[1] == rows[2]
    service = descriptions[0]
    assert service.one("SELECT ?d { ?s a sd:Service ; sd:defaultDataset ?d }") == DATASET
    assert service.rows(counts.replace(f"<{DATASET}>", f"<{DATASET}> sd:defaultGraph ?g . ?g")) == rows[0]
    named = service.rows("SELECT ?name ?n { [] sd:name ?name ; sd:graph/void:triples ?n } ORDER BY ?name")
    assert named == descriptions[1].rows(
        f"SELECT ?g ?n {{ <{DATASET}> void:subset ?g . ?g void:triples ?n MINUS {{ ?g a void:Linkset }} }} ORDER BY ?g"
    )


def test_a_plain_store_is_the_same_data_set_everywhere(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1, 2 .")
    sets = {
        told(plain, "/sparql").one("SELECT ?d { ?s sd:defaultDataset ?d }"),
        told(plain, "/.well-known/void").one("SELECT ?d { ?v foaf:primaryTopic ?d }"),
        told(plain, "/catalogue").one("SELECT ?d { ?c a dcat:Catalog ; dcat:dataset ?d . ?d a void:Dataset }"),
    }
    assert sets == {f"{plain.url}/catalogue#dataset"}


# Releases


def test_a_file_of_a_release_has_its_size_checksum_formats_and_version() -> None:
    (row,) = catalogued().rows(
        "SELECT ?size ?sum ?algorithm ?type ?packed ?format ?version ?access { ?d a dcat:Distribution ; "
        f"dcat:downloadURL <{ORIGIN}/dumps/7/motorgraph.nq.gz> ; dcat:byteSize ?size ; spdx:checksum [ spdx:checksumValue ?sum ; "
        "spdx:algorithm ?algorithm ] ; dcat:mediaType ?type ; dcat:compressFormat ?packed ; dcterms:format ?format ; "
        "dcat:version ?version ; dcat:accessURL ?access }"
    )
    iana = "https://www.iana.org/assignments/media-types/application/"
    assert row == (
        "1234",
        SHA,
        "http://spdx.org/rdf/terms#checksumAlgorithm_sha256",
        f"{iana}n-quads",
        f"{iana}gzip",
        "http://publications.europa.eu/resource/authority/file-type/RDF_N_QUADS",
        "7",
        f"{ORIGIN}/dumps/7/",
    )


def test_a_release_is_a_version_of_the_whole_and_a_member_of_the_series_of_all() -> None:
    found = catalogued()
    release = f"<{ORIGIN}/dumps/7/>"
    assert found.ask(f"ASK {{ <{DATASET}> dcat:hasCurrentVersion {release} ; dcat:version '9' }}")
    assert found.ask(
        f"ASK {{ {release} a dcat:Dataset ; dcat:version '7' ; dcat:isVersionOf <{DATASET}> ; dcat:inSeries <{ORIGIN}/dumps/> }}"
    )
    assert found.ask(f"ASK {{ <{ORIGIN}/dumps/> a dcat:DatasetSeries ; dcat:last {release} }}")
    assert len(found.rows(f"SELECT ?d {{ {release} dcat:distribution ?d }}")) == 4


def test_a_file_of_one_graph_belongs_to_the_data_set_of_that_graph() -> None:
    found = catalogued().rows(f"SELECT ?url {{ <{GRAPH}> dcat:distribution/dcat:downloadURL ?url }} ORDER BY ?url")
    assert found == [
        (f"{ORIGIN}/dumps/7/graphs/source/one.ttl.gz",),
        (f"{ORIGIN}/graphs?graph={GRAPH.replace(':', '%3A').replace('/', '%2F')}",),
    ]


def test_void_names_the_files_of_the_whole_and_of_each_graph() -> None:
    found = Told.of(void_description(edition()).serialised(NTRIPLES).decode())
    files = {url for (url,) in found.rows(f"SELECT ?url {{ <{DATASET}> void:dataDump ?url }}")}
    assert files == {f"{ORIGIN}/dumps/7/{name}" for name in ("motorgraph.nq.gz", "motorgraph.trig.zst", "motorgraph.trig")}
    assert found.one(f"SELECT ?url {{ <{GRAPH}> void:dataDump ?url }}") == f"{ORIGIN}/dumps/7/graphs/source/one.ttl.gz"


def test_without_a_release_the_graph_is_had_from_the_store() -> None:
    found = catalogued(None)
    assert not found.ask("ASK { ?d a dcat:DatasetSeries }")
    assert {url for (url,) in found.rows(f"SELECT ?url {{ <{DATASET}> dcat:distribution/dcat:accessURL ?url }}")} == {
        f"{ORIGIN}/sparql",
        f"{ORIGIN}/graphs",
    }


# schema.org and the page


class Blocks(HTMLParser):
    """The script elements of a page, by type."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._type = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._type = dict(attrs).get("type") or "javascript" if tag == "script" and "src" not in dict(attrs) else ""

    def handle_data(self, data: str) -> None:
        if self._type:
            self.found[self._type] = self.found.get(self._type, "") + data


def page(service: Service) -> str:
    found = service.client.get("/catalogue", headers={"Accept": BROWSER})
    assert (found.status_code, found.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return found.text


def test_the_page_holds_a_data_set_as_search_engines_want_it_and_no_script(shipped: Service) -> None:
    blocks = Blocks(page(shipped)).found
    assert set(blocks) == {"application/ld+json"}
    found = json.loads(blocks["application/ld+json"])
    assert (found["@type"], found["@id"], found["isAccessibleForFree"]) == ("Dataset", DATASET, True)
    assert 50 <= len(found["description"]) <= 5000
    assert found["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert found["creator"][0]["name"] == "Editors of motorgraph"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d", found["temporalCoverage"])
    assert "capacity" in found["variableMeasured"]
    assert len(found["spatialCoverage"]) > 20
    assert found["distribution"][0]["contentUrl"].startswith(shipped.url)
    assert {"GeoNames gazetteer (cities500, countries)"} <= {source["name"] for source in found["isBasedOn"]}


def test_no_text_of_the_graph_ends_the_block() -> None:
    assert "<" not in embedded(edition())
    assert json.loads(embedded(edition())) == dataset(edition())


def test_files_of_a_release_are_downloads() -> None:
    downloads = dataset(edition())["distribution"]
    assert downloads[0] == {
        "@type": "DataDownload",
        "name": "motorgraph.nq.gz",
        "contentUrl": f"{ORIGIN}/dumps/7/motorgraph.nq.gz",
        "encodingFormat": "application/gzip",
        "contentSize": "1234 B",
        "sha256": SHA,
    }
    assert len(downloads) == 3


def test_the_page_names_every_source_with_its_licence_and_every_document(shipped: Service) -> None:
    text = page(shipped)
    credited = shipped.rows(PREFIXES + "SELECT ?credit { ?d a dcat:Dataset ; dcterms:bibliographicCitation ?credit }")
    assert credited
    for row in credited:
        assert row["credit"] in text
    graphs = shipped.rows(f"SELECT DISTINCT ?g {{ GRAPH ?g {{ ?s ?p ?o }} {OF_DOCUMENTS} }}")
    assert len(re.findall(r'href="/graphs\?graph=https%3A%2F%2Fmotorgraph.example%2Fgraph%2Fsource%2F', text)) == len(graphs)


def test_the_citation_names_publisher_commit_day_and_address() -> None:
    assert citation(edition()) == f"motorgraph, commit 9, 2026-11-26. {ORIGIN}/catalogue."


def test_the_page_of_a_plain_store_says_that_it_is_one(plain: Service) -> None:
    assert "<h1>A plain SPARQL store</h1>" in page(plain)


def test_every_page_leads_to_the_catalogue(plain: Service) -> None:
    for path in ("/", "/sparql", "/licence"):
        assert 'href="/catalogue"' in plain.client.get(path, headers={"Accept": BROWSER}).text


@pytest.mark.parametrize("form", GRAPHS, ids=lambda form: form.name)
def test_a_suffix_chooses_the_format_whatever_is_accepted(plain: Service, form: Format) -> None:
    found = plain.client.get(f"/catalogue.{form.suffix}", headers={"Accept": BROWSER})
    assert found.headers["content-type"] == form.content_type
    by_accept = plain.client.get("/catalogue", headers={"Accept": form.media_type})
    assert by_accept.text == found.text


def test_the_page_has_an_address_of_its_own_too(plain: Service) -> None:
    assert plain.client.get("/catalogue.html").headers["content-type"].startswith("text/html")


def test_every_address_that_is_told_on_our_own_host_answers(shipped: Service) -> None:
    found = told(shipped, "/catalogue").addresses(shipped.url)
    found |= {shipped.url + path for path in re.findall(r'href="(/[^"#]*)', page(shipped))}
    assert not unanswered(shipped, found)


def test_a_new_commit_is_in_the_catalogue_at_once(plain: Service, graph: str) -> None:
    before = response(plain, "/catalogue")
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    after = response(plain, "/catalogue", **{"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    versions = [Told.of(r.text).one("SELECT ?v { ?d a void:Dataset ; dcat:version ?v }") for r in (before, after)]
    assert int(versions[1]) == int(versions[0]) + 1


# The stock


def test_all_who_ask_at_once_are_given_the_same_count(tmp_path: Path) -> None:
    async def asked() -> list[Counted]:
        store = Embedded(Settings(plain=True, write_token="t", data_dir=tmp_path))
        stock = Stock(store)
        await store.start()
        try:
            found = await asyncio.gather(*(stock.counted() for _ in range(5)))
            return [*found, await stock.counted()]
        finally:
            await store.close()

    found = asyncio.run(asked())
    assert len({id(counted) for counted in found}) == 1


def test_a_document_without_a_title_is_named_by_its_graph() -> None:
    told_of = edition()
    assert told_of.titled(GRAPH) == "What “One</script>” says"
    told_of.documents[GRAPH] = Document(GRAPH, "urn:x")
    assert told_of.titled(GRAPH) == "Graph source/one"
