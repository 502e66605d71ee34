"""/explore lists what there is of each kind, narrows it by facets whose counts agree with the graph, and draws it."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from motorgraph.explore.control import Control
from motorgraph.explore.deals import events
from motorgraph.explore.network import _crossings, network
from motorgraph.explore.sheet import Item, Value
from tests.running import Service

BASE = "https://motorgraph.example"
PREFIXES = (
    f"PREFIX mg: <{BASE}/ontology/> PREFIX country: <{BASE}/id/country/> PREFIX plant-status: <{BASE}/concept/plant-status/>"
)
PAGE = {"Accept": "text/html"}
Json = dict[str, Any]  # Any: plain JSON


def told(service: Service, path: str, **given: object) -> Json:
    response = service.client.get(f"/explore/{path}", params=given, headers={"Accept": "application/json"})
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


def counts(found: Json, facet: str) -> dict[str, int]:
    values = next(each["values"] for each in found["facets"] if each["name"] == facet)
    return {value["value"]: value["count"] for value in values}


def page(service: Service, path: str) -> str:
    response = service.client.get(f"/explore/{path}", headers=PAGE)
    assert response.status_code == 200, response.text
    return response.text


def number(service: Service, pattern: str) -> int:
    return int(service.rows(f"{PREFIXES} SELECT (COUNT(DISTINCT ?thing) AS ?n) {{ {pattern} }}")[0]["n"])


def test_the_kinds_are_listed_with_how_many_there_are(shipped: Service) -> None:
    listed = shipped.client.get("/explore", headers={"Accept": "application/json"}).json()["kinds"]
    assert [each["kind"] for each in listed] == ["plants", "makers", "deals", "claims", "acts"]
    classes = {"plants": "Plant", "deals": "Deal", "claims": "Claim", "acts": "LegalAct"}
    for each in listed:
        if each["kind"] in classes:
            assert each["total"] == number(shipped, f"?thing a mg:{classes[each['kind']]}")
    shown = shipped.client.get("/explore", headers=PAGE).text
    assert all(f'href="{each["href"]}"' in shown for each in listed)


def test_a_list_has_what_the_graph_has_and_counts_what_the_other_facets_leave(shipped: Service) -> None:
    found = told(shipped, "plants", country="es", status="operating", limit=1000)
    asked = "?thing a mg:Plant ; mg:country country:es ; mg:plantStatus plant-status:operating"
    assert found["total"] == len(found["items"]) == number(shipped, asked)
    assert counts(found, "status")["closed"] == number(shipped, asked.replace("operating", "closed"))
    assert counts(found, "country")["de"] == number(shipped, asked.replace("country:es", "country:de"))
    assert counts(found, "kind") == {
        key: told(shipped, "plants", country="es", status="operating", kind=key)["total"] for key in counts(found, "kind")
    }


def test_values_of_a_facet_add_up_and_facets_narrow_each_other(shipped: Service) -> None:
    both = told(shipped, "plants", country=["es", "de"])["total"]
    assert both == told(shipped, "plants", country="es")["total"] + told(shipped, "plants", country="de")["total"]
    unknown = told(shipped, "plants", status="not-known")["total"]
    assert unknown == number(shipped, "?thing a mg:Plant FILTER NOT EXISTS { ?thing mg:plantStatus ?status }")


@pytest.mark.parametrize("given", ["es", "Spain", f"{BASE}/id/country/es", "SPAIN"])
def test_a_value_is_given_by_key_name_or_iri(shipped: Service, given: str) -> None:
    assert told(shipped, "plants", country=given)["chosen"] == {"country": ["es"]}


def test_each_thing_has_its_page_its_columns_and_its_sources(shipped: Service) -> None:
    (item,) = told(shipped, "plants", q="valencia body")["items"]
    assert item["page"] == "/page/plant/ford-valencia-body-and-assembly"
    assert item["country"][0]["label"] == "Spain"
    assert item["status"]["mark"] == "Operating"
    assert {"title", "iri", "page"} <= item["sources"][0].keys()


def test_a_deal_stands_as_its_newest_event_and_as_reported_where_nothing_is_accepted(shipped: Service) -> None:
    (denied,) = told(shipped, "deals", q="xiaomi ford")["items"]
    assert denied["status"]["value"] == "denied"
    assert denied["standing"] == ["as reported"]
    assert {value["value"] for value in denied["control"]} == {"cn", "us"}
    on_record = told(shipped, "deals", standing="on-record")["total"]
    assert on_record == number(shipped, "?thing a mg:Deal ; mg:acceptedFrom ?claim")


def test_a_part_of_the_list_leads_to_the_next_and_the_order_is_that_which_was_asked_for(shipped: Service) -> None:
    first = told(shipped, "makers", sort="-plants", limit=5)
    plants = [item["plants"] for item in first["items"]]
    assert plants == sorted(plants, reverse=True)
    second = shipped.client.get(first["next"], headers={"Accept": "application/json"}).json()
    assert second["offset"] == 5
    assert second["items"][0]["plants"] <= plants[-1]
    names = [item["label"] for item in told(shipped, "acts", sort="-name", limit=20)["items"]]
    assert names == [item["label"] for item in told(shipped, "acts", sort="name", limit=1000)["items"]][:-21:-1]
    assert names[0][0] > names[-1][0]


def test_csv_and_geojson_have_all_that_was_found(shipped: Service) -> None:
    table = shipped.client.get("/explore/plants.csv", params={"bloc": "eu"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert table.headers["content-type"].startswith("text/csv")
    assert len(rows) == told(shipped, "plants", bloc="eu")["total"] > 50
    assert all(row["sources"] for row in rows if row["iri"].endswith("/ford-valencia-body-and-assembly"))
    places = shipped.client.get("/explore/plants.geojson", params={"bloc": "eu"}).json()
    assert len(places["features"]) == len(rows)
    valencia = next(each for each in places["features"] if each["id"].endswith("/ford-valencia-body-and-assembly"))
    assert [round(part) for part in valencia["geometry"]["coordinates"]] == [0, 39]


@pytest.mark.parametrize(
    ("path", "status", "near"),
    [
        ("/explore/plants?country=spian", 422, "es"),
        ("/explore/deals?status=dennied", 422, "denied"),
        ("/explore/deals?view=netwrk", 422, "network"),
        ("/explore/plants?sort=contry", 422, "country"),
        ("/explore/plants?view=map&area=germny", 422, "de"),
        ("/explore/plants?contry=es", 422, "country"),
        ("/explore/plnts", 404, "plants"),
        ("/explore/makers.geojson", 404, ""),
        ("/explore/plants?limit=0", 400, ""),
        ("/explore/plants?sort=name&sort=name", 400, ""),
        ("/explore/plants?q=" + "x" * 201, 400, ""),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_may_have_been_meant(
    shipped: Service, path: str, status: int, near: str
) -> None:
    told = shipped.client.get(path, headers=PAGE)
    assert told.status_code == status
    assert not near or "Did you mean" in told.text
    if "area=" not in path:  # a map is only on a page
        found = shipped.client.get(path).json().get("near", [])
        assert near in [each["value"] for each in found] or not near
        assert [shipped.client.get(each["page"]).status_code for each in found] == [200] * len(found)


def test_a_list_is_known_by_its_etag_and_only_read(shipped: Service) -> None:
    first = shipped.client.get("/explore/acts.json")
    again = shipped.client.get("/explore/acts.json", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert first.headers["x-commit"] == str(first.json()["commit"])
    assert shipped.client.post("/explore/acts").status_code == 405
    assert shipped.client.get("/explore/acts", headers={"Accept": "image/png"}).status_code == 406


def test_a_plain_store_has_nothing_to_explore(plain: Service) -> None:
    assert plain.client.get("/explore/plants").status_code == 404


def test_a_page_offers_each_value_as_a_link_and_says_how_to_take_it_back(shipped: Service) -> None:
    shown = page(shipped, "plants?country=es")
    assert re.search(r'<a class="tick" href="/explore/plants" aria-current="true">\s*<span>Spain</span>', shown)
    assert 'href="/explore/plants?country=es&amp;country=de"' in shown
    assert 'aria-label="No longer country Spain"' in shown
    numbers = set(re.findall(r'href="#s(\d+)"', shown))
    assert numbers
    assert all(f'id="s{each}"' in shown for each in numbers)
    assert "Nothing is all of this" in page(shipped, "plants?country=es&q=zzz")


def test_the_network_draws_each_deal_of_a_pair_as_a_line_by_its_status_and_lists_the_deals_of_who_is_chosen(
    shipped: Service,
) -> None:
    shown = page(shipped, "deals?view=network&focus=ford")
    wide = shown[shown.index('class="sides not-phone"') : shown.index('class="sides only-phone"')]
    ties = re.findall(r'<a class="tie( off)?" href="([^"]+)" aria-label="([^"]+)".*?class="e e-(\w+)"', wide)
    assert ("denied", "Ford–Xiaomi talks on electric cars in the US, as reported: Denied") in {
        (e, words) for _, _, words, e in ties
    }
    pair = [words for _, _, words, _ in ties if "Geely" in words and "Ford" in words]
    assert len(pair) > 2
    assert not [words for off, _, words, _ in ties if off and "Ford Motor" in words]
    assert "Geely Auto" not in re.sub(r"<title>.*?</title>|aria-label=\"[^\"]*\"", "", wide)  # it acts for Geely Holding Group
    panel = shown[shown.index('class="panel"') : shown.index('id="rows"')]
    assert "Ford Motor Company" in panel
    assert panel.count("<li>") == sum(not off for off, *_ in ties)
    assert '<a class="name" href="/explore/deals?view=network&amp;focus=geely-holding#picture"' in wide


def test_the_timeline_draws_vague_days_as_spans_and_tells_the_same_in_a_list(shipped: Service) -> None:
    shown = page(shipped, "deals?view=timeline&group=ford")
    assert '<path class="vague' in shown
    assert "Ford–Geely manufacturing joint venture at Valencia</a>: agreed" in shown
    assert ": producing, planned" in shown


def test_the_map_shows_a_country_and_says_how_many_have_no_place(shipped: Service) -> None:
    shown = page(shipped, "plants?view=map&country=es")
    assert shown.count('<svg class="map ') == 2
    assert '<circle class="dot-closed"' in shown
    assert "Plants without a place on record: 13." in page(shipped, "plants?view=map")


def test_the_group_of_a_party_is_the_highest_company_above_it_that_is_a_party_too() -> None:
    parents = [
        {"thing": thing, "value": above} for thing, above in (("a", "top"), ("b", "top"), ("b", "a"), ("x", "y"), ("y", "x"))
    ]
    control = Control.of(parents, {"top": Value("cn", "China"), "a": Value("se", "Sweden")})
    assert control.groups({"a", "b", "top"}) == {"a": "top", "b": "top", "top": "top"}
    assert control.groups({"a", "b"}) == {"a": "a", "b": "a"}
    assert control.territories("a") == [Value("cn", "China")]
    assert control.groups({"x", "y"}) == {"x": "x", "y": "x"}


def test_groups_are_ordered_so_that_ties_do_not_cross_where_they_need_not() -> None:
    seats = {f"l{n}": Value("cn", "China") for n in range(6)}
    deals = []
    for n in range(6):
        parties = [Value(name, name, name) for name in (f"l{n}", f"r{(n * 5 + 2) % 6}")]
        deals.append(Item(f"d{n}", f"deal {n}", "", {"group": parties, "status": [Value("agreed", "Agreed")]}))
    made = network(deals, Control({}, seats))
    assert {group.key for group in made.left} == set(seats)
    assert _crossings([group.iri for group in made.left], [group.iri for group in made.right], made.ties) == 0


def test_a_deal_of_many_is_drawn_across_and_one_of_a_single_group_not_at_all() -> None:
    seats = {"l": Value("cn", "China")}
    three = Item("three", "three", "", {"group": [Value(name, name, name) for name in ("l", "r", "s")]})
    alone = Item("alone", "alone", "", {"group": [Value("l", "l", "l")]})
    made = network([three, alone], Control({}, seats))
    assert sorted((tie.one, tie.other) for tie in made.ties) == [("l", "r"), ("l", "s")]
    assert made.alone == 1


def test_what_several_claims_tell_of_a_day_is_one_event_and_what_is_no_day_is_none() -> None:
    row = {"thing": "d", "state": "status/agreed", "on": "2026-01-02", "modality": "modality/actual"}
    rows = [{**row, "event": "e1"}, {**row, "event": "e2", "accepted": "c"}, {**row, "event": "e3", "on": "-0044-03-15"}]
    (event,) = events(rows)["d"]
    assert event.is_accepted
    assert event.words == "2 Jan 2026"
