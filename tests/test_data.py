"""The shipped data: made from the tables again, each row in it, no violation, each warning a conflict that is written down."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest

from motorgraph import corpus, gate, inference
from motorgraph.building import build, built_path, mappings, read_tables
from motorgraph.engine import loading
from motorgraph.mapping import written
from motorgraph.vocab import Names

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
BASE = "https://motorgraph.example/"
PREFIXES = f"""PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX mg: <{BASE}ontology/>
PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX void: <http://rdfs.org/ns/void#>
PREFIX wgs: <http://www.w3.org/2003/01/geo/wgs84_pos#>
"""
SECONDS = 20
ROWS = {  # so that no table loses rows unseen
    "facts/claims": 109,
    "facts/deal_events": 88,
    "facts/deals": 63,
    "facts/duty_rates": 68,
    "facts/exporter_entities": 68,
    "facts/kpis": 128,
    "facts/ownership": 118,
    "facts/plant_coordinates": 44,
    "facts/plants_curated": 51,
    "facts/regulations": 63,
    "facts/technologies": 59,
    "reference/automakers": 217,
    "reference/bloc_days": 181,
    "reference/bloc_members": 192,
    "reference/brands": 203,
    "reference/cities_used": 507,
    "reference/countries": 250,
    "reference/country_boxes": 175,
    "reference/manufacturers_vpic": 540,
    "reference/model_plant": 1237,
    "reference/models": 2781,
    "reference/ownership": 114,
    "reference/plants": 513,
    "reference/regulations": 28,
    "reference/sources": 7,
    "reference/tariffs": 16,
    "reference/technologies": 77,
    "reference/trade_blocs": 15,
    "reference/wmi": 1060,
}


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(newline="") as table:
        return list(csv.DictReader(table))


def asked(store: ox.Store, query: str) -> list[tuple[str, ...]]:
    """The solutions of a query over the whole shipped graph, as plain texts."""
    solutions = store.query(PREFIXES + query)
    assert isinstance(solutions, ox.QuerySolutions)
    return [tuple(getattr(term, "value", "") for term in row) for row in solutions]


# The build


def test_the_tables_make_what_is_shipped_to_the_byte() -> None:
    stale = []
    for mapping, quads in build(DATA):
        path = built_path(DATA, mapping)
        if not path.is_file() or path.read_bytes() != written(quads):
            stale.append(path.name)
    assert not stale, "run make data"
    helpers = {mapping.name for mapping in mappings(DATA) if mapping.is_helper}
    assert {path.stem for path in (DATA / "built").iterdir()} == {mapping.name for mapping in mappings(DATA)} - helpers


@pytest.mark.parametrize("path", sorted((DATA / "mappings").glob("*.rq")), ids=lambda path: path.stem)
def test_a_mapping_says_what_it_maps_and_makes_the_same_each_time(path: Path) -> None:
    text = path.read_text()
    assert re.match(r"\d\d-[a-z0-9-]+$", path.stem)
    opening = [line for line in text.split("\n\n")[0].splitlines() if line.startswith("#") and not line.startswith("# graph:")]
    assert opening, "the first lines say what it maps, from which tables"
    assert not re.search(r"\b(NOW|RAND|UUID|STRUUID|BNODE|SAMPLE)\s*\(", text, re.IGNORECASE)


def test_each_table_has_the_rows_that_it_is_known_to_have() -> None:
    found = {table.name: len(table.rows) for table in read_tables(DATA) if not table.name.startswith("names/")}
    assert found == ROWS


def test_each_row_is_in_the_graph(shipped_store: ox.Store) -> None:
    mapped = {name for (name,) in asked(shipped_store, "SELECT DISTINCT ?name { ?node mg:fromRow ?name }")}
    expected = {name for table in read_tables(DATA) if not table.name.startswith("names/") for name in table.row_names()}
    assert not sorted(expected - mapped)[:20]
    assert not sorted(mapped - expected)[:20], "a node names a row that is not there"


def test_the_built_data_have_no_blank_node_and_all_names_below_the_base_are_plain() -> None:
    for path in (DATA / "built").glob("*.trig"):
        for quad in ox.parse(path=str(path), format=ox.RdfFormat.TRIG):
            for term in (quad.subject, quad.object, quad.graph_name):
                assert not isinstance(term, ox.BlankNode), f"{path.name}: {quad}"
                if isinstance(term, ox.NamedNode) and term.value.startswith(BASE + "id/"):
                    assert re.fullmatch(r"[a-z-]+/[a-z0-9]+(-[a-z0-9]+)*", term.value.removeprefix(BASE + "id/")), term


# The judgement


@pytest.fixture(scope="module")
def judged() -> tuple[gate.Report, float]:
    """What the shapes say of all that ships, and how many seconds of computing it took."""
    store = ox.Store()
    for file in corpus.shipped(Names()):
        loading.load_file(store, file)
    store.extend(inference.rebuild(store, inference.shipped_rules(Names())))
    began = time.process_time()
    report = gate.validate_store(store, Names().graph("shapes"))
    return report, time.process_time() - began


def test_the_shipped_graph_has_no_violation(judged: tuple[gate.Report, float]) -> None:
    assert not [str(result) for result in judged[0].violations][:20]


def test_each_warning_is_written_down_with_its_reason(judged: tuple[gate.Report, float]) -> None:
    warnings = {
        (result.shape.rpartition("/")[2], result.focus.removeprefix(BASE), result.value.removeprefix(BASE))
        for result in judged[0].results
        if result.severity == "Warning"
    }
    told = rows("conflicts")
    assert warnings == {(row["shape"], row["focus"], row["value"]) for row in told}
    assert all(row["why"].endswith(".") for row in told)


def test_the_shipped_graph_is_judged_within_twenty_seconds(judged: tuple[gate.Report, float]) -> None:
    assert judged[1] < SECONDS


# Thirty rows, each compared cell by cell with what the graph says of its node

COUNTRIES = ["country-es", "country-gb", "country-tr", "country-sg", "country-mk"]
PLACES = ["place-gn3435910", "place-gn1848354", "place-gn3029799", "place-gn4926563", "place-gn2033196"]
PLANTS = [
    "plant-alpine-dieppe-jean-redele",
    "plant-am-general-mishawaka",
    "plant-zeekr-ningbo",
    "plant-byd-szeged",
    "plant-magna-steyr-graz",
]
BRANDS = ["brand-abarth", "brand-acura", "brand-zeekr", "brand-volvo", "brand-lotus"]
MODELS = ["model-acura-adx", "model-acura-cl", "model-acura-ilx", "model-ford-mustang-mach-e", "model-volvo-ex30"]
CODES = ["wmi-102", "wmi-109024", "wmi-10t", "wmi-1g1", "wmi-wba"]


def cells(table: str, key: str) -> dict[str, str]:
    return next(row for row in rows(f"reference/{table}") if row["id"] == key)


def values(store: ox.Store, table: str, key: str, path: str) -> set[str]:
    return {
        value for (value,) in asked(store, f'SELECT ?value {{ ?node mg:fromRow "reference/{table}.csv {key}" ; {path} ?value }}')
    }


@pytest.mark.parametrize("key", COUNTRIES)
def test_a_country_is_as_its_row_says(shipped_store: ox.Store, key: str) -> None:
    row = cells("countries", key)
    for column, path in (
        ("iso2", "mg:countryCode"),
        ("iso3", "mg:countryCodeLong"),
        ("numeric", "mg:countryNumber"),
        ("capital", "mg:capitalName"),
        ("currency", "mg:currencyCode"),
    ):
        assert values(shipped_store, "countries", key, path) == {row[column]} - {""}
    assert row["name"] in values(shipped_store, "countries", key, "skos:prefLabel|skos:altLabel")
    near = values(shipped_store, "countries", key, "mg:neighbour/mg:countryCode")
    assert near == set(row["neighbours"].split())


@pytest.mark.parametrize("key", PLACES)
def test_a_place_is_where_its_row_says(shipped_store: ox.Store, key: str) -> None:
    row = cells("cities_used", key)
    assert values(shipped_store, "cities_used", key, "skos:prefLabel") == {row["name"]}
    assert values(shipped_store, "cities_used", key, "mg:country/mg:countryCode") == {row["country_iso2"]}
    for column, path in (("lat", "wgs:lat"), ("lon", "wgs:long"), ("population", "mg:population")):
        assert {float(value) for value in values(shipped_store, "cities_used", key, path)} == {float(row[column])}


@pytest.mark.parametrize("key", PLANTS)
def test_a_plant_is_where_its_row_says(shipped_store: ox.Store, key: str) -> None:
    row = cells("plants", key)
    assert values(shipped_store, "plants", key, "mg:country/mg:countryCode") == {row["country_iso2"]}
    assert row["name"] in values(shipped_store, "plants", key, "skos:prefLabel|skos:altLabel")
    lat = {float(value) for value in values(shipped_store, "plants", key, "wgs:lat")}
    assert len(lat) == 1
    assert abs(lat.pop() - float(row["lat"])) < 0.2, "a point of a curated row may be a little off"


@pytest.mark.parametrize("key", BRANDS)
def test_a_brand_is_named_as_its_row_says(shipped_store: ox.Store, key: str) -> None:
    row = cells("brands", key)
    assert values(shipped_store, "brands", key, "a") >= {f"{BASE}ontology/Brand"}
    assert row["name"] in values(shipped_store, "brands", key, "skos:prefLabel|skos:altLabel")
    items = {value for value in values(shipped_store, "brands", key, "skos:closeMatch") if "wikidata" in value}
    assert items == {f"http://www.wikidata.org/entity/{row['wikidata']}"} - {"http://www.wikidata.org/entity/"}


@pytest.mark.parametrize("key", MODELS)
def test_a_model_is_named_as_its_row_says(shipped_store: ox.Store, key: str) -> None:
    row = cells("models", key)
    labels = values(shipped_store, "models", key, "skos:prefLabel|skos:altLabel")
    assert any(row["name"] in label for label in labels)
    brand = values(shipped_store, "models", key, "mg:ofBrand/mg:fromRow")
    assert f"reference/brands.csv {row['brand_id']}" in brand


@pytest.mark.parametrize("key", CODES)
def test_a_code_of_a_maker_is_as_its_row_says(shipped_store: ox.Store, key: str) -> None:
    row = cells("wmi", key)
    assert values(shipped_store, "wmi", key, "mg:wmiCode") == {row["wmi"]}
    assert values(shipped_store, "wmi", key, "mg:makeText") == set(row["makes"].split("|"))
    assert values(shipped_store, "wmi", key, "mg:country/mg:countryCode") == {row["country_iso2"]} - {""}


# Places, blocs, catalogue


def test_the_memberships_are_those_that_the_countries_name(shipped_store: ox.Store) -> None:
    told = {(row["iso2"], bloc) for row in rows("reference/countries") for bloc in row["blocs"].split()}
    now = asked(
        shipped_store,
        """SELECT ?code ?row { ?m mg:member/mg:countryCode ?code ; mg:fromRow ?row FILTER(CONTAINS(?row, "bloc_members"))
           FILTER NOT EXISTS { ?m mg:validTo ?end } }""",
    )
    found = {(code, row.split()[1].removeprefix("bloc-")) for code, row in now}
    assert told <= found


def test_a_bloc_has_as_many_members_today_as_it_is_said_to_have(shipped_store: ox.Store) -> None:
    wrong = asked(
        shipped_store,
        """SELECT ?bloc ?count (COUNT(?m) AS ?found) { ?bloc mg:memberCount ?count . ?m mg:memberOf ?bloc
           FILTER NOT EXISTS { ?m mg:validTo ?end } } GROUP BY ?bloc ?count HAVING (?count != COUNT(?m))""",
    )
    assert not wrong


@pytest.mark.parametrize(
    ("day", "country", "is_in"),
    [
        ("1972-12-31", "gb", False),
        ("1973-01-01", "gb", True),
        ("2020-12-31", "gb", True),
        ("2021-01-01", "gb", False),
        ("2013-06-30", "hr", False),
        ("2013-07-01", "hr", True),
        ("2026-11-22", "es", True),
        ("2026-11-22", "tr", False),
    ],
)
def test_who_is_in_the_european_union_depends_on_the_day(shipped_store: ox.Store, day: str, country: str, is_in: bool) -> None:
    found = shipped_store.query(
        PREFIXES
        + f"""PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
        ASK {{ ?m mg:member <{BASE}id/country/{country}> ; mg:memberOf <{BASE}id/territory/eu> ; mg:validFrom ?from
            OPTIONAL {{ ?m mg:validTo ?to }}
            FILTER(?from <= "{day}"^^xsd:date && (!BOUND(?to) || "{day}"^^xsd:date < ?to)) }}"""
    )
    assert bool(found) is is_in


def test_each_country_is_in_one_customs_territory(shipped_store: ox.Store) -> None:
    found = asked(shipped_store, "SELECT ?code ?territory { ?c mg:countryCode ?code ; mg:inCustomsTerritory ?territory }")
    assert Counter(code for code, _ in found) == {row["iso2"]: 1 for row in rows("reference/countries")}
    union = {code for code, territory in found if territory == f"{BASE}id/territory/eu"}
    members = {row["country_iso2"] for row in rows("reference/bloc_members") if row["bloc_id"] == "bloc-eu"}
    assert union == members | {"AX", "GF", "GP", "MC", "MF", "MQ", "RE", "YT"}


def test_each_town_lies_in_the_box_of_its_country(shipped_store: ox.Store) -> None:
    outside = asked(
        shipped_store,
        """SELECT ?place { ?place a mg:Place ; wgs:lat ?lat ; wgs:long ?long ; mg:country ?country .
            ?country mg:southBound ?south ; mg:northBound ?north ; mg:westBound ?west ; mg:eastBound ?east .
            FILTER(?lat < ?south || ?lat > ?north
                || IF(?west <= ?east, ?long < ?west || ?long > ?east, ?long < ?west && ?long > ?east)) }""",
    )
    assert not outside


def addresses() -> Iterator[str]:
    for folder in ("facts", "reference"):
        for path in (DATA / folder).glob("*.csv"):
            for row in rows(f"{folder}/{path.stem}"):
                yield from (row[name] for name in ("source_url", "evidence_url") if row.get(name, "").startswith("http"))


def test_each_address_is_a_document_with_a_publisher_that_has_a_name(shipped_store: ox.Store) -> None:
    query = "SELECT ?url { ?document a mg:SourceDocument ; schema:url ?url ; dcterms:publisher/skos:prefLabel ?name }"
    found = {url for (url,) in asked(shipped_store, query)}
    assert not sorted(set(addresses()) - found)
    hosts = {row["host"] for row in rows("names/publishers")}
    assert {urlsplit(address).netloc for address in addresses()} == hosts


def test_an_item_of_wikidata_stands_for_one_thing_only_and_the_links_are_counted(shipped_store: ox.Store) -> None:
    query = "SELECT ?thing ?item { ?thing skos:closeMatch ?item FILTER(CONTAINS(STR(?item), 'wikidata.org')) }"
    links = asked(shipped_store, query)
    ids = [row["wikidata"] for name in ("automakers", "brands") for row in rows(f"reference/{name}") if row["wikidata"]]
    ours = [(thing, item) for thing, item in links if thing.startswith(f"{BASE}id/")]
    assert sorted(item.rpartition("/")[2] for _, item in ours) == sorted(ids)
    assert [count for _, count in Counter(item for _, item in ours).most_common(1)] == [1]
    counted = asked(
        shipped_store,
        f"SELECT ?n {{ <{BASE}dataset/wikidata-links> a void:Linkset ; void:linkPredicate skos:closeMatch ; void:triples ?n }}",
    )
    assert counted == [(str(len(ours)),)]


def test_the_credits_are_in_the_catalogue_and_on_the_page_of_the_licence(shipped_store: ox.Store) -> None:
    query = "SELECT ?name ?licence { ?d mg:fromRow ?name ; dcterms:bibliographicCitation ?credit ; dcterms:license ?licence }"
    found = {name.removeprefix("reference/sources.csv "): licence for name, licence in asked(shipped_store, query)}
    assert found == {row["id"]: row["licence_url"] for row in rows("reference/sources")}
    page = (DATA / "LICENSE.md").read_text()
    for name in ("GeoNames", "CC BY 4.0", "name-suggestion-index", "BSD-3-Clause", "Wikidata", "Natural Earth", "vPIC"):
        assert name in page
    assert (DATA / "reference/LICENCE-name-suggestion-index-BSD-3-Clause.md").is_file()


def test_the_readme_names_every_table_and_file_of_the_folder() -> None:
    text = (DATA / "README.md").read_text()
    patterns = re.findall(r"^\| `([^`]+)` \|", text.partition("\n## ")[0], re.MULTILINE)
    there = {path for pattern in patterns for path in DATA.glob(pattern)}
    assert all(list(DATA.glob(pattern)) for pattern in patterns)
    known = {DATA / "README.md", DATA / "LICENSE.md", *(DATA / "reference").glob("LICENCE*")}
    assert {path for path in DATA.rglob("*") if path.is_file()} - there == known
    section = text.partition("## What the tables of `names` say")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z-]+)`", section)) == {path.stem for path in (DATA / "names").glob("*.csv")}


def test_a_row_without_a_source_is_never_better_than_the_lowest_grade(shipped_store: ox.Store) -> None:
    better = asked(
        shipped_store,
        f"""SELECT ?claim ?grade {{
            ?claim mg:foundIn <{BASE}source/editorial> ; mg:proposition ?proposition .
            ?verdict mg:onProposition ?proposition ; mg:grade ?grade ; mg:confidence ?confidence .
            FILTER(?grade != <{BASE}concept/evidence-grade/grade-8> || ?confidence > 0.3)
            FILTER NOT EXISTS {{
                ?other mg:proposition ?proposition ; mg:foundIn ?document FILTER(?document != <{BASE}source/editorial>)
            }}
        }}""",
    )
    assert not better[:20]
