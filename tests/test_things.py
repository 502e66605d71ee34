"""Organisations, brands, models and plants of the shipped graph: every row is there, once, and says what the table says."""

import csv
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import QuerySolutions, Store

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
BASE = "https://motorgraph.example/"
MG = f"{BASE}ontology/"
PREFIXES = f"""
PREFIX accepted: <{BASE}graph/accepted>
PREFIX mg: <{MG}>
PREFIX org: <http://www.w3.org/ns/org#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX wgs: <http://www.w3.org/2003/01/geo/wgs84_pos#>
"""

# table | how many rows it has | the class of the node that a row makes or speaks of
TABLES = """
facts/plant_coordinates | 44 | Plant
facts/plants_curated | 51 | Plant
reference/automakers | 217 | Organization
reference/brands | 203 | Brand
reference/manufacturers_vpic | 540 | Organization
reference/model_plant | 1237 | ProductionAssignment
reference/models | 2781 | VehicleModel
reference/plants | 513 | Plant
reference/wmi | 1060 | WorldManufacturerIdentifier
"""

# What a party is called in the tables of facts: table, column, and what parts the names of a cell.
NAMED = """
deal_events who_says ;
deals participants_roles ;
exporter_entities entity_as_listed -
ownership owner -
plants_curated assembled_for ;
plants_curated operator -
plants_curated owner -
regulations issuer -
"""

# What a plant builds, for whom, how and in which state, as an analyst would list it; blank where nobody says so.
BUILT = {
    "magna-steyr-graz": """
        aion-aion-v | gac | | producing
        bmw-z4 | bmw | | producing
        mercedes-benz-g-class | mercedes-benz-group | | producing
        toyota-supra | toyota | | producing
        xpeng-g6 | xpeng | skd | producing
        xpeng-g9 | xpeng | skd | producing
        xpeng-p7-plus | xpeng | skd | producing
    """,
    "stellantis-tychy": """
        alfa-romeo-junior | stellantis | | producing
        fiat-600 | stellantis | | producing
        jeep-avenger | stellantis | | producing
        leapmotor-t03 | leapmotor | kit | ended
    """,
    "stellantis-zaragoza": """
        | leapmotor | | planned
        lancia-ypsilon | stellantis | | producing
        opel-corsa | stellantis | | producing
        peugeot-208 | stellantis | | producing
    """,
    "volvo-cars-ghent": """
        volvo-ex30 | volvo-cars | | producing
        volvo-ex40 | volvo-cars | | producing
    """,
}

# A plant with what it can make in a year and how that figure is meant.
CAPACITIES = """
blueoval-battery-park-michigan-catl-licence | 20 | GigaW-HR | planned
byd-manisa | 150000 | NUM | planned
ebro-factory-former-nissan-zona-franca | 150000 | NUM | planned
ford-otosan-kocaeli-golcuk | 650000 | NUM | target
ford-valencia-body-and-assembly | 400000 | NUM | installed
renault-korea-busan | 300000 | NUM | installed
"""

# A model with the drives that it is sold with; none where its name stands for several and nobody says which.
DRIVES = """
byd-atto-3 | bev
ford-f-150 |
ford-transit |
honda-clarity | bev fcev phev
polestar-polestar-1 | phev
polestar-polestar-4 | bev
rivian-r1s | bev
tesla-model-y | bev
toyota-prius | hev phev
volvo-ex30 | bev
volvo-xc60 |
"""


def table(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(text: str) -> list[list[str]]:
    """The lines of a table written in a string, their cells parted by a bar; a line may begin with an empty cell."""
    rows = [line.strip() for line in text.strip().splitlines()]
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def rows(store: Store, query: str) -> list[tuple[str, ...]]:
    found = store.query(PREFIXES + query)
    assert isinstance(found, QuerySolutions)
    return [tuple("" if value is None else getattr(value, "value", "") for value in row) for row in found]


def slugs(store: Store, query: str) -> list[tuple[str, ...]]:
    """The answers with each IRI cut down to its last word."""
    return sorted(tuple(value.rsplit("/", 1)[-1] for value in row) for row in rows(store, query))


@cache
def resolved() -> dict[str, set[str]]:
    """What each name of organisations.csv stands for; an empty set if it is said to stand for nobody."""
    names: dict[str, set[str]] = {}
    for row in table("names/organizations"):
        names.setdefault(row["name"], set()).update(filter(None, [row["iri"]]))
    return names


def parties() -> Iterator[tuple[str, str]]:
    for line in NAMED.strip().splitlines():
        name, column, separator = line.split()
        for row in table(f"facts/{name}"):
            parts = row[column].split(separator) if separator != "-" else [row[column]]
            yield from ((f"{name}.{column}", part.strip()) for part in parts if part.strip())
    for row in table("facts/ownership"):
        if not row["relation"].startswith("brand"):
            yield "ownership.owned", row["owned"].strip()


@pytest.mark.parametrize(("name", "count", "kind"), lines(TABLES), ids=lambda value: str(value))
def test_every_row_of_a_table_is_found_and_of_its_class(shipped_store: Store, name: str, count: str, kind: str) -> None:
    query = f'SELECT ?row WHERE {{ ?node mg:fromRow ?row ; a mg:{kind} . FILTER(STRSTARTS(?row, "{name}.csv ")) }}'
    key = "plant_id" if name.startswith("facts/") else "id"
    wanted = {f"{name}.csv {row[key]}" for row in table(name)}
    assert len(wanted) == int(count)
    assert {row for (row,) in rows(shipped_store, query)} == wanted


def test_the_plants_of_both_tables_are_one_set(shipped_store: Store) -> None:
    curated = {
        row["iri"] for row in table("names/plants") if row["name"] in {r["plant_id"] for r in table("facts/plants_curated")}
    }
    reference = {row["iri"] for row in table("names/plants") if row["name"].startswith("plant-")}
    plants = {plant.removeprefix(BASE) for (plant,) in rows(shipped_store, "SELECT DISTINCT ?plant WHERE { ?plant a mg:Plant }")}
    assert plants == curated | reference
    assert (len(curated), len(reference), len(plants)) == (51, 513, 521)


def test_every_party_that_the_facts_name_stands_for_something_known() -> None:
    assert {(place, name) for place, name in parties() if name not in resolved()} == set()


def test_every_id_of_the_reference_tables_stands_for_one_organisation() -> None:
    ids = {row["id"] for row in table("reference/automakers")}
    assert {name: found for name, found in resolved().items() if name.startswith("org-") and len(found) != 1} == {}
    assert {name for name in resolved() if name.startswith("org-")} == ids


def test_a_name_that_stands_for_nobody_says_why() -> None:
    assert [row for row in table("names/organizations") if not row["iri"] and not row["note"]] == []


def test_every_thing_that_a_name_stands_for_is_described_once(shipped_store: Store) -> None:
    paths = {row["iri"] for name in ("brands", "models", "organizations", "plants") for row in table(f"names/{name}")} - {""}
    labels = Counter(
        node.removeprefix(BASE) for (node, _) in rows(shipped_store, "SELECT ?n ?l WHERE { ?n skos:prefLabel ?l ; a ?c }")
    )
    assert {path for path in paths if path not in labels} == set()


def test_no_two_organisations_plants_or_brands_share_a_name(shipped_store: Store) -> None:
    names: dict[tuple[str, str], set[str]] = {}
    query = "SELECT ?node ?kind ?name WHERE { ?node mg:kind ?kind ; skos:prefLabel|skos:altLabel ?name }"
    for node, kind, name in rows(shipped_store, query):
        if kind in ("brand", "organization", "plant"):
            names.setdefault((kind, name.casefold()), set()).add(node)
    assert {key: found for key, found in names.items() if len(found) > 1} == {}


def test_geely_is_three_and_renault_korea_one() -> None:
    names = resolved()
    assert names["Geely"] == names["Geely Holding"] == names["Geely Group"] == {"id/organization/geely-holding"}
    assert names["Geely Auto"] == names["Geely Automobile"] == names["org-geely-auto"] == {"id/organization/geely-auto"}
    assert names["Zhejiang Geely Automobile"] == {"id/organization/zhejiang-geely-automobile"}
    korea = {"Renault Korea", "Renault Korea Motors", "Renault Samsung Motors", "org-renault-korea"}
    assert {frozenset(names[name]) for name in korea} == {frozenset({"id/organization/renault-korea"})}


def test_the_register_of_vehicles_knows_renault_korea_by_its_old_name(shipped_store: Store) -> None:
    query = 'SELECT ?organization WHERE { ?organization mg:fromRow "reference/manufacturers_vpic.csv vpicmfr-1000" }'
    assert slugs(shipped_store, query) == [("renault-korea",)]


def test_an_identifier_leads_to_the_maker_and_its_brands(shipped_store: Store) -> None:
    query = 'SELECT ?maker ?brand WHERE { ?wmi mg:wmiCode "1FA" ; mg:assignedTo ?maker ; mg:marks ?brand }'
    assert slugs(shipped_store, query) == [("ford", "ford")]


def test_the_brand_of_a_group_also_belongs_to_its_company(shipped_store: Store) -> None:
    query = f"SELECT ?owner WHERE {{ <{BASE}id/brand/audi> mg:brandOf ?owner }}"
    assert slugs(shipped_store, query) == [("audi",), ("vw-group",)]


def test_a_joint_venture_has_no_single_company_above_it_in_the_reference_table(shipped_store: Store) -> None:
    query = """
        SELECT ?venture ?above WHERE {
            ?venture a mg:JointVenture ; mg:fromRow ?row ; org:subOrganizationOf ?above .
            GRAPH <https://motorgraph.example/graph/reference> { ?venture org:subOrganizationOf ?above }
        }"""
    assert rows(shipped_store, query) == []


@pytest.mark.parametrize(("model", "drives"), lines(DRIVES))
def test_the_drive_of_a_model_is_given_only_where_it_is_sure(shipped_store: Store, model: str, drives: str) -> None:
    assert rows(shipped_store, f"SELECT ?label WHERE {{ <{BASE}id/model/{model}> skos:prefLabel ?label }}")
    query = f"SELECT ?drive WHERE {{ <{BASE}id/model/{model}> mg:propulsion ?drive }}"
    assert [drive for (drive,) in slugs(shipped_store, query)] == drives.split()


def test_every_model_is_called_by_its_brand(shipped_store: Store) -> None:
    query = """
        SELECT ?label ?name WHERE { ?model a mg:VehicleModel ; skos:prefLabel ?label ; mg:ofBrand/skos:prefLabel ?name }"""
    assert [row for row in rows(shipped_store, query) if not row[0].casefold().startswith(row[1].casefold())] == []


@pytest.mark.parametrize("plant", BUILT)
def test_what_a_plant_builds_for_whom(shipped_store: Store, plant: str) -> None:
    query = f"""
        SELECT ?model ?party ?method ?status WHERE {{
            ?assignment mg:ofPlant <{BASE}id/plant/{plant}> ; mg:assembledFor ?party ; mg:assignmentStatus ?status ;
                mg:acceptedFrom ?claim .
            OPTIONAL {{ ?assignment mg:ofModel ?model }}
            OPTIONAL {{ ?assignment mg:method ?method }}
        }}"""
    assert slugs(shipped_store, query) == sorted(tuple(line) for line in lines(BUILT[plant]))


def test_an_assignment_ends_on_the_first_day_that_it_no_longer_holds(shipped_store: Store) -> None:
    query = f"""
        SELECT ?from ?to WHERE {{
            ?assignment mg:ofPlant <{BASE}id/plant/stellantis-tychy> ; mg:ofModel <{BASE}id/model/leapmotor-t03> ;
                mg:validFrom ?from ; mg:validTo ?to
        }}"""
    assert rows(shipped_store, query) == [("2024-06-01", "2025-03-31")]


def test_what_is_only_reported_is_not_accepted(shipped_store: Store) -> None:
    query = """
        SELECT ?plant ?party ?graph WHERE {
            ?assignment a mg:ProductionAssignment ; mg:ofPlant ?plant ; mg:assembledFor ?party .
            GRAPH ?graph { ?assignment mg:basedOnClaim ?claim }
        }"""
    found = rows(shipped_store, query)
    assert {(plant.rsplit("/", 1)[-1], party.rsplit("/", 1)[-1]) for plant, party, _ in found} == {
        ("saic-ferrol", "mg-motor"),
        ("stellantis-rennes-la-janais", "dongfeng"),
    }
    assert all(graph.startswith(f"{BASE}graph/source/") for _, _, graph in found)


def test_a_plant_and_a_model_make_one_assignment_with_the_facts_and_the_model_years(shipped_store: Store) -> None:
    query = f"""
        SELECT ?party ?status ?first WHERE {{
            ?assignment mg:ofPlant <{BASE}id/plant/geely-luqiao-taizhou> ; mg:ofModel <{BASE}id/model/polestar-polestar-2> ;
                mg:assembledFor ?party ; mg:assignmentStatus ?status .
            OPTIONAL {{ ?assignment mg:firstModelYear ?first }}
        }}"""
    assert slugs(shipped_store, query) == [("polestar", "producing", "my2022")]
    pairs = Counter(rows(shipped_store, "SELECT ?p ?m WHERE { ?a a mg:ProductionAssignment ; mg:ofPlant ?p ; mg:ofModel ?m }"))
    assert [pair for pair, count in pairs.items() if count > 1] == []


@pytest.mark.parametrize(("plant", "value", "unit", "kind"), lines(CAPACITIES))
def test_the_capacity_of_a_plant(shipped_store: Store, plant: str, value: str, unit: str, kind: str) -> None:
    query = f"""
        SELECT ?value ?unit ?kind WHERE {{
            ?capacity a mg:Capacity ; mg:ofPlant <{BASE}id/plant/{plant}> ; mg:value ?value ; mg:unit ?unit ; mg:valueKind ?kind ;
                mg:fromRow ?row .
            FILTER(STRSTARTS(?row, "facts/plants_curated.csv "))
        }}"""
    assert slugs(shipped_store, query) == [(value, unit, kind)]


def test_ford_ran_craiova_until_the_end_of_july_2022_and_ford_otosan_runs_it_now(shipped_store: Store) -> None:
    query = f"""
        SELECT ?operator ?to WHERE {{
            ?operation a mg:PlantOperation ; mg:ofPlant <{BASE}id/plant/ford-otosan-craiova> ; mg:operator ?operator .
            OPTIONAL {{ ?operation mg:validTo ?to }}
        }}"""
    assert slugs(shipped_store, query) == [("ford", "2022-08-01"), ("ford-otosan", "")]


def test_the_halls_of_valencia(shipped_store: Store) -> None:
    query = f"SELECT ?label WHERE {{ ?hall mg:unitOf <{BASE}id/plant/ford-valencia-body-and-assembly> ; skos:prefLabel ?label }}"
    assert sorted(rows(shipped_store, query)) == [("Body 1",), ("Body 2",), ("Body 3",)]


def test_every_plant_has_a_point_but_those_whose_town_was_not_found(shipped_store: Store) -> None:
    query = "SELECT ?plant WHERE { ?plant a mg:Plant . FILTER NOT EXISTS { ?plant wgs:lat ?lat ; wgs:long ?long } }"
    lost = {
        row["iri"] for row in table("names/plants") if row["name"] in {r["id"] for r in table("reference/plants") if not r["lat"]}
    }
    without = {plant.removeprefix(BASE) for (plant,) in rows(shipped_store, query)}
    assert without < lost, "a plant with a point in one table only keeps it"
    assert len(without) == 13


def test_every_point_says_what_it_stands_for(shipped_store: Store) -> None:
    query = "SELECT ?p ?what WHERE { ?p a mg:Plant ; wgs:lat ?lat . OPTIONAL { ?p mg:coordinatePrecision ?what } }"
    assert {what for _, what in rows(shipped_store, query)} == {"municipality point"}


def test_a_row_known_by_heart_is_never_better_than_that(shipped_store: Store) -> None:
    recalled = {
        f"facts/plants_curated.csv {row['plant_id']}" for row in table("facts/plants_curated") if row["confidence"] == "recalled"
    }
    query = """
        SELECT ?row ?grade WHERE {
            ?claim a mg:Claim ; mg:fromRow ?row ; mg:proposition ?said .
            ?verdict mg:onProposition ?said ; mg:grade ?grade
        }"""
    grades = {grade for row, grade in slugs(shipped_store, query) if f"facts/{row}" in recalled}
    assert len(recalled) > 0
    assert grades == {"grade-8"}


def test_a_part_known_by_heart_rests_on_the_editors_and_the_rest_of_its_row_does_not(shipped_store: Store) -> None:
    query = f"""
        SELECT ?model ?source WHERE {{
            ?assignment mg:ofPlant <{BASE}id/plant/volvo-cars-ghent> ; mg:ofModel ?model ; mg:acceptedFrom/mg:foundIn ?source
        }}"""
    assert {model for model, source in slugs(shipped_store, query) if source == "editorial"} == {"volvo-ex40"}
    assert {model for model, source in slugs(shipped_store, query) if source != "editorial"} == {"volvo-ex30"}
    query = f"""
        SELECT ?source WHERE {{
            ?capacity a mg:Capacity ; mg:ofPlant <{BASE}id/plant/catl-debrecen> ; mg:acceptedFrom/mg:foundIn ?source
        }}"""
    assert slugs(shipped_store, query) == [("editorial",)]


def test_sites_without_series_output_have_no_kind_of_plant(shipped_store: Store) -> None:
    query = "SELECT ?plant WHERE { ?plant a mg:Plant . FILTER NOT EXISTS { ?plant mg:plantKind ?kind } }"
    assert [plant for (plant,) in slugs(shipped_store, query)] == [
        "stellantis-auburn-hills-us",
        "tesla-menlo-park-us",
        "tesla-palo-alto-us",
    ]
