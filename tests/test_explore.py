"""/explore lists what there is of each kind, narrows it by facets whose counts agree with the graph, and draws it."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from motorgraph.atlas import Atlas
from motorgraph.explore.control import Control
from motorgraph.explore.deals import events
from motorgraph.explore.kinds import KINDS
from motorgraph.explore.maps import Maps
from motorgraph.explore.narrowing import Asked, Found
from motorgraph.explore.network import _crossings, network
from motorgraph.explore.sheet import Item, Sheet, Value
from motorgraph.touched import TYPE, Touched, names_in_query
from tests.running import Service

BASE = "https://motorgraph.example"
PREFIXES = (
    f"PREFIX mg: <{BASE}/ontology/> PREFIX country: <{BASE}/id/country/> PREFIX plant-status: <{BASE}/concept/plant-status/>"
)
GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
PAGE = {"Accept": "text/html"}
Json = dict[str, Any]  # Any: plain JSON


def told(service: Service, path: str, **given: object) -> Json:
    response = service.client.get(f"/explore/{path}", params=given or None, headers={"Accept": "application/json"})
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
    assert [each["kind"] for each in listed] == ["plants", "makers", "deals", "network", "claims", "acts"]
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
        ("/explore/network?view=matrx", 422, "matrix"),
        ("/explore/deals?bbox=1,2,3,4", 422, ""),
        ("/explore/plants?bbox=1,2,3", 400, ""),
        ("/explore/plants?bbox=1,50,3,40", 400, ""),
        ("/explore/plants?bbox=nan,2,3,4", 400, ""),
        ("/explore/plants?at=99999999", 404, ""),
        ("/explore?at=yesterday", 400, ""),
        ("/explore/plants?sort=contry", 422, "country"),
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
    shown = page(shipped, "network?focus=ford")
    wide = shown[shown.index('class="sides not-phone"') : shown.index('class="sides only-phone"')]
    ties = re.findall(r'<a class="tie( off)?" data-ends="[^"]+" href="([^"]+)" aria-label="([^"]+)".*?class="e e-(\w+)"', wide)
    assert ("denied", "Ford–Xiaomi talks on electric cars in the US, as reported: Denied") in {
        (e, words) for _, _, words, e in ties
    }
    pair = [words for _, _, words, _ in ties if "Geely" in words and "Ford" in words]
    assert len(pair) > 2
    assert not [words for off, _, words, _ in ties if off and "Ford Motor" in words]
    assert "Geely Auto" not in re.sub(r"<title>.*?</title>|aria-label=\"[^\"]*\"", "", wide)  # it acts for Geely Holding Group
    panel = shown[shown.index('class="panel"') : shown.index('id="partners"')]
    assert "Ford Motor Company" in panel
    assert panel.count("<li>") == sum(not off for off, *_ in ties)
    xiaomi = panel[panel.index("Ford–Xiaomi") :]
    assert re.search(r"Denied</span> Ford Motor Company, Xiaomi", xiaomi)
    (claims,) = re.findall(r'href="/(explore/claims\?thing=[^"]*ford-xiaomi-2026)">(\d+) claims', xiaomi)
    assert told(shipped, claims[0].removeprefix("explore/"))["total"] == int(claims[1])
    assert 'data-group="geely-holding" href="/explore/network?focus=geely-holding#picture"' in wide


def test_the_timeline_draws_vague_days_as_spans_and_tells_the_same_in_a_list(shipped: Service) -> None:
    shown = page(shipped, "deals?view=timeline&group=ford")
    assert '<path class="vague' in shown
    listed = shown[shown.index('id="happened"') :]
    venture = listed[listed.index("Ford–Geely manufacturing joint venture at Valencia</a>") :].partition("</section>")[0]
    assert "<div>Agreed " in venture
    assert "<div>Producing, planned " in venture
    said = number(shipped, f"?thing mg:proposition/(mg:subject|mg:object|mg:aboutNode) <{BASE}/id/deal/ford-geely-jv-2026>")
    assert f"{said} claims on it" in venture
    assert re.search(r"<title>31 Jan 2026: \d claims, asserted: Financial Times", shown)
    assert ">today</text>" in shown


def test_the_map_shows_what_was_found_and_a_number_leads_to_the_plants_that_it_stands_for(shipped: Service) -> None:
    shown = page(shipped, "plants?view=map&country=es")
    assert shown.count('<svg class="map ') == 2
    assert '<circle class="dot-closed"' in shown
    assert "Plants without a place on record: 13." in page(shipped, "plants?view=map")
    numbers = re.findall(r'class="spot" href="([^"#]+)#picture" aria-label="(\d+) plants', page(shipped, "plants?view=map"))
    assert len(numbers) > 20
    for address, count in numbers[:5]:
        within = told(shipped, address.replace("&amp;", "&").removeprefix("/explore/"))
        assert within["total"] >= int(count)
        assert counts(within, "status")


def test_a_part_of_the_world_narrows_the_list_and_its_counts_and_every_format(shipped: Service) -> None:
    box = "-10,36,4,44"
    within = told(shipped, "plants", bbox=box, limit=1000)
    assert within["total"] == number(
        shipped,
        f"?thing a mg:Plant ; <{GEO}long> ?x ; <{GEO}lat> ?y FILTER(?x >= -10 && ?x <= 4 && ?y >= 36 && ?y <= 44)",
    )
    assert sum(counts(within, "country").values()) == within["total"]
    features = shipped.client.get("/explore/plants.geojson", params={"bbox": box}).json()["features"]
    assert {each["id"] for each in features} == {each["iri"] for each in within["items"]}
    over = told(shipped, "plants", bbox="170,-90,-170,90")["total"]
    assert (
        over
        == told(shipped, "plants", bbox="170,-90,180,90")["total"] + told(shipped, "plants", bbox="-180,-90,-170,90")["total"]
    )


def test_places_that_coincide_are_told_apart() -> None:
    lon, lat = (Value("0.5", "0.5"),), (Value("40", "40"),)
    items = [Item(f"i{n}", f"plant {n}", f"/page/{n}", {"longitude": list(lon), "latitude": list(lat)}) for n in range(5)]
    found = Found(Asked(KINDS["plants"]), Sheet(1, items, {}, Control({}, {})), items, [])
    drawn = Maps(Atlas()).seen(found)["drawn"][0]
    dots = re.findall(r'<circle class="dot-unknown" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert len(set(dots)) == 5
    distances = [
        ((float(x) - float(u)) ** 2 + (float(y) - float(v)) ** 2) ** 0.5 for x, y in dots for u, v in dots if (x, y) != (u, v)
    ]
    assert min(distances) > 6


def test_the_network_has_an_address_of_its_own_and_its_ties_as_data(shipped: Service) -> None:
    moved = shipped.client.get("/explore/deals", params={"view": "network", "group": "ford"}, headers=PAGE)
    assert moved.status_code == 301
    assert moved.headers["location"] == "/explore/network?group=ford"
    found = told(shipped, "network", status=["denied", "agreed"])
    groups = {each["value"]: each for each in found["groups"]}
    assert {"group": "xiaomi", "partner": "ford", "status": "denied", "line": "denied"}.items() <= next(
        each for each in found["ties"] if each["deal"].endswith("/ford-xiaomi-2026")
    ).items()
    assert all({tie["group"], tie["partner"]} <= groups.keys() for tie in found["ties"])
    assert groups["ford"]["ties"] == sum("ford" in (tie["group"], tie["partner"]) for tie in found["ties"])
    assert {tie["deal"] for tie in found["ties"]} == {
        item["iri"] for item in told(shipped, "network", status=["denied", "agreed"], limit=1000)["items"]
    }
    table = list(csv.DictReader(io.StringIO(shipped.client.get("/explore/network.csv?status=denied&status=agreed").text)))
    assert len(table) == len(found["ties"])
    assert all(row["sources"] for row in table if row["deal_iri"].endswith("/ford-xiaomi-2026"))


def test_the_matrix_has_a_cell_for_each_pair_that_says_its_deals_and_the_list_each_partner(shipped: Service) -> None:
    ties = told(shipped, "network")["ties"]
    pairs = {frozenset((tie["group"], tie["partner"])) for tie in ties}
    shown = page(shipped, "network?view=matrix")
    cells = re.findall(
        r'<td><a href="/explore/network\?view=matrix&amp;focus=([^&]+)&amp;focus=([^"#]+)#picture" aria-label="([^"]+)"', shown
    )
    assert {frozenset(cell[:2]) for cell in cells} == pairs
    deals = sum(tie["group"] in ("geely-holding", "ford") and tie["partner"] in ("geely-holding", "ford") for tie in ties)
    (words,) = {words for one, other, words in cells if {one, other} == {"geely-holding", "ford"}}
    assert sum(map(int, re.findall(r"(\d+) [a-z]", words))) == deals
    listed = page(shipped, "network?view=list").partition('id="partners"')[2].partition("</section>")[0]
    assert len(set(re.findall(r"focus=([^&]+)&amp;focus=([^\"#]+)", listed))) == 2 * len(pairs)


@pytest.mark.parametrize(
    "asked",
    [
        "plants?country=es&country=de&status=operating",
        "plants?control=cn&bbox=-10,36,40,60",
        "makers?kind=Automaker&country=cn",
        "deals?status=denied",
        "network?group=ford",
        "claims?stance=denied&publisher=just-auto",
        "acts?jurisdiction=eu&status=in-force&kind=regulation",
    ],
)
def test_a_list_as_sparql_finds_the_same_things(shipped: Service, asked: str) -> None:
    kind, _, chosen = asked.partition("?")
    text = shipped.client.get(f"/explore/{kind}.rq?{chosen}").text
    found = told(shipped, f"{asked}&limit=1000")
    rows = shipped.rows(text)
    assert [row["thing"] for row in rows] == list(dict.fromkeys(row["thing"] for row in rows))
    assert {row["thing"] for row in rows} == {item["iri"] for item in found["items"]}
    (link,) = re.findall(r'href="(/sparql\?query=[^"]+)"', page(shipped, asked))
    assert parse_qs(urlsplit(unescape(link)).query) == {"query": [text]}
    assert shipped.client.get(unescape(link), headers=PAGE).status_code == 200


def test_a_list_is_shown_as_it_was_and_its_links_stay_there(shipped: Service) -> None:
    plant = f"{BASE}/id/plant/ford-valencia-body-and-assembly"
    before = told(shipped, "plants", q="sought by no other")["commit"]
    changed = f'DATA {{ GRAPH <{BASE}/graph/reference> {{ <{plant}> <{SKOS}altLabel> "Sought by no other"@en }} }}'
    assert shipped.update(f"INSERT {changed}").status_code == 204
    try:
        assert told(shipped, "plants", q="sought by no other")["total"] == 1
        assert told(shipped, "plants", q="sought by no other", at=before)["total"] == 0
        past = told(shipped, "plants", q="valencia body", at=before)
        assert (past["commit"], past["items"][0]["page"]) == (before, f"/page/plant/ford-valencia-body-and-assembly?at={before}")
        assert all(f"at={before}" in value["href"] for facet in past["facets"] for value in facet["values"])
        shown = page(shipped, f"plants?view=map&at={before}")
        assert f'As it stood after commit <a href="/changes/{before}">' in shown
        assert "As it stood" not in page(shipped, "plants")
        inside = re.findall(r'href="(/(?:explore|page)/[^"]*)"', shown[shown.index("<main") : shown.index("</main>")])
        assert [address for address in inside if f"at={before}" not in address] == []
        assert f'href="/explore/plants?at={before}"' in shipped.client.get("/explore", params={"at": before}, headers=PAGE).text
    finally:
        assert shipped.update(f"DELETE {changed}").status_code == 204
    assert told(shipped, "plants", q="sought by no other")["total"] == 0


def test_a_list_that_shares_its_sheet_is_whole_whichever_is_asked_first(shipped: Service) -> None:
    """The network has no column of plants, and deals have."""
    assert shipped.put("http://test.example/explore/shared", "<http://x/s> <http://x/p> 1 .").is_success
    now = int(shipped.metric("motorgraph_commit"))
    assert told(shipped, "network", at=now)["total"]
    assert set(counts(told(shipped, "deals", at=now), "plant")) - {"not-known"}


def test_things_whose_iris_end_alike_are_told_apart(shipped: Service) -> None:
    (facet,) = [each for each in told(shipped, "claims")["facets"] if each["name"] == "thing"]
    assert len({value["iri"] for value in facet["values"] if "iri" in value}) == len(facet["values"]) - 1
    (act,) = [value for value in facet["values"] if value.get("iri", "").endswith("/reg_impl/2024/2754/oj")]
    asked = f"?thing mg:proposition/(mg:subject|mg:object|mg:aboutNode) <{act['iri']}>"
    assert told(shipped, "claims", thing=act["value"])["total"] == act["count"] == number(shipped, f"?thing a mg:Claim . {asked}")


def test_what_a_commit_did_not_touch_is_not_asked_again_and_what_it_did_is() -> None:
    asked = names_in_query("PREFIX mg: <http://x/> SELECT * { ?thing a mg:Plant ; mg:country/mg:name ?value . <http://y> ?p ?o }")
    assert asked == {"http://x/Plant", "http://x/country", "http://x/name", "http://y"}
    assert TYPE in names_in_query("SELECT * { ?thing a ?value }")
    touched = Touched()
    line = b"<http://s> <http://x/country> <http://c> <http://g> .\n"
    touched.heed(2, _delta(added=line))
    touched.heed(3, _delta(removed=f"<http://s> <{TYPE}> <http://x/Maker> <http://g> .\n".encode()))
    assert not touched.leaves(asked, 1, 3)
    assert touched.leaves(asked, 2, 3)
    assert not touched.leaves(frozenset({"http://x/Maker"}), 2, 3)
    assert touched.leaves(frozenset({"http://x/Maker"}), 3, 3)
    assert not touched.leaves(frozenset(), 0, 3)  # nothing is known of commit 1
    touched.heed(4, "")
    assert not touched.leaves(frozenset(), 3, 4)  # too long to be told


def _delta(removed: bytes = b"", added: bytes = b"") -> str:
    parts = (removed, added, b"", b"", b"", b"")
    return json.dumps({"sizes": list(map(len, parts))}) + "\n" + b"".join(parts).decode()


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
