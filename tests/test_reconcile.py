"""/reconcile is a service of the Reconciliation API 0.2, and /reconcile/v1 of 1.0-draft, as their schemas have it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from motorgraph.reconciliation import BATCH, DEFAULT_TYPES, MOST_IDS
from tests import reconciliation as api
from tests.reconciliation import conforms
from tests.running import Service

BASE = "https://motorgraph.example"
GRAZ = f"{BASE}/id/plant/magna-steyr-graz"
Json = dict[str, Any]  # Any: plain JSON


def matched(service: Service, **queries: Json) -> dict[str, list[Json]]:
    """The candidates for each query, sent by a form."""
    response = service.client.post("/reconcile", data={"queries": json.dumps(queries)})
    assert response.status_code == 200, response.text
    return {key: told["result"] for key, told in conforms(response.json(), api.RESULTS).items()}


def matched_1(service: Service, *queries: Json) -> list[list[Json]]:
    response = service.client.post("/reconcile/v1/match", json={"queries": queries})
    assert response.status_code == 200, response.text
    return [told["candidates"] for told in conforms(response.json(), api.RESULTS_1)["results"]]


def extended(service: Service, ids: list[str], *properties: Json) -> Json:
    response = service.client.post("/reconcile", data={"extend": json.dumps({"ids": ids, "properties": properties})})
    assert response.status_code == 200, response.text
    told: Json = conforms(response.json(), api.EXTENDED)
    return told


def test_the_manifest_says_what_there_is_and_all_of_it_answers(shipped: Service) -> None:
    told = conforms(shipped.client.get("/reconcile").json(), api.MANIFEST)
    assert told["identifierSpace"] == f"{BASE}/"
    view = shipped.client.get(told["view"]["url"].replace("{{id}}", quote(GRAZ, safe="")))
    assert (view.status_code, view.headers["Location"]) == (303, "/page/plant/magna-steyr-graz")
    assert shipped.client.get(told["preview"]["url"].replace("{{id}}", quote(GRAZ, safe=""))).status_code == 200
    for what, prefix, known in (("entity", "magna", GRAZ), ("property", "oper", "operator"), ("type", "pla", "Plant")):
        suggest = told["suggest"][what]
        found = shipped.client.get(suggest["service_url"] + suggest["service_path"], params={"prefix": prefix}).json()
        assert known in [each["id"] for each in conforms(found, api.SUGGESTED[what])["result"]]
        flyout = suggest["service_url"] + suggest["flyout_service_path"].replace("${id}", quote(known, safe=""))
        assert conforms(shipped.client.get(flyout).json(), api.FLYOUT)["id"] == known
    propose = told["extend"]["propose_properties"]
    proposed = shipped.client.get(propose["service_url"] + propose["service_path"], params={"type": "Plant", "limit": 9}).json()
    names = [each["id"] for each in conforms(proposed, api.PROPOSED)["properties"]]
    assert len(names) == 9
    of_any = shipped.client.get(propose["service_url"] + propose["service_path"], params={"type": ""}).json()
    assert "skos:prefLabel" in [each["id"] for each in conforms(of_any, api.PROPOSED)["properties"]]
    assert {"country", "skos:prefLabel"} <= set(names)


def test_the_default_types_are_classes_of_the_graph(shipped: Service) -> None:
    for name, words in DEFAULT_TYPES.items():
        (found,) = shipped.client.get("/reconcile/suggest/type", params={"prefix": name}).json()["result"]
        assert found["id"] == name
        assert words.startswith(found["name"][:5].replace("organis", "organiz")[:5])


def test_one_clear_best_is_a_match_and_a_doubtful_one_is_not(shipped: Service) -> None:
    found = matched(
        shipped,
        alias={"query": "Geely", "type": "Organization"},
        label={"query": "magna steyr graz"},
        typo={"query": "Valensia", "type": "Plant"},
        namesakes={"query": "BYD"},
        nothing={"query": "qqqqqqqq"},
        blank={"query": ""},
    )
    assert found["alias"][0]["id"] == f"{BASE}/id/organization/geely-holding"
    assert (found["label"][0]["id"], found["label"][0]["score"]) == (GRAZ, 100)
    assert [key for key, result in found.items() if any(each["match"] for each in result)] == ["alias", "label"]
    assert any("Valencia" in each["name"] for each in found["typo"])
    assert found["nothing"] == found["blank"] == []
    for result in found.values():
        scores = [each["score"] for each in result]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 100 for score in scores)


def test_a_type_restricts_and_its_strictness_says_how(shipped: Service) -> None:
    found = matched(
        shipped,
        brand={"query": "BYD", "type": "Brand"},
        any={"query": "BYD", "type": ["Brand", "Plant"]},
        all={"query": "Geely Auto", "type": ["Automaker", "Organization"], "type_strict": "all"},
        none={"query": "Geely Auto", "type": ["Automaker", "Brand"], "type_strict": "all"},
        should={"query": "BYD", "type": "Brand", "type_strict": "should"},
        unknown={"query": "BYD", "type": "Nothing"},
    )
    assert (found["brand"][0]["id"], found["brand"][0]["match"]) == (f"{BASE}/id/brand/byd", True)
    assert {kind["id"] for each in found["any"] for kind in each["type"]} == {"Brand", "Plant"}
    assert [each["name"] for each in found["all"]][:1] == ["Geely Auto"]
    assert found["none"] == found["unknown"] == []
    assert found["should"][0]["id"] == f"{BASE}/id/brand/byd"
    assert any(kind["id"] == "Organization" for each in found["should"] for kind in each["type"])


def test_values_of_properties_tell_namesakes_apart_and_do_without_a_name(shipped: Service) -> None:
    ford = {"pid": "operator", "v": "Ford"}
    spain = {"id": f"{BASE}/id/country/es", "name": "Spain"}
    found = matched(
        shipped,
        here={"query": "Valencia", "type": "Plant", "properties": [{"pid": "country", "v": spain}, ford]},
        there={"query": "Valencia", "type": "Plant", "properties": [{"pid": "country", "v": "Venezuela"}]},
        code={"properties": [{"pid": "wmiCode", "v": "102"}]},
        operated={"type": "Plant", "properties": [{"pid": "operator", "v": ["Magna Steyr"]}], "limit": 2},
    )
    assert found["here"][0]["id"] == f"{BASE}/id/plant/ford-valencia-body-and-assembly"
    assert found["there"][0]["id"] == f"{BASE}/id/plant/stellantis-valencia-ve"
    assert (found["code"][0]["id"], found["code"][0]["match"]) == (f"{BASE}/id/wmi/102", True)
    assert GRAZ in [each["id"] for each in found["operated"]]
    features = {feature["id"]: feature["value"] for feature in found["here"][0]["features"]}
    assert features["country"] == 100
    assert {"name_likeness", "popularity", "type_match", "operator"} <= features.keys()


def test_an_identifier_is_as_good_as_a_name(shipped: Service) -> None:
    found = matched(shipped, iri={"query": GRAZ}, short={"query": "plant/magna-steyr-graz"}, foreign={"query": "Q739000"})
    assert [result[0]["score"] for result in found.values()] == [100, 100, 98]
    assert all(result[0]["match"] for result in found.values())


def test_values_are_told_as_names_numbers_days_and_sources(shipped: Service) -> None:
    rate = f"{BASE}/id/rate/eu-cvd-bev-cn-def-cooperating"
    asked = [{"id": "operator"}, {"id": "wgs:lat"}, {"id": "operator@source"}, {"id": "country", "settings": {"sources": True}}]
    told = extended(shipped, [GRAZ, "no thing"], *asked)
    assert [meta["id"] for meta in told["meta"]] == [each["id"] for each in asked]
    row = told["rows"][GRAZ]
    assert row["operator"] == [{"id": f"{BASE}/id/organization/magna-steyr", "name": "Magna Steyr"}]
    assert row["wgs:lat"] == [{"float": 47.06733}]
    assert all(cell["id"].startswith(f"{BASE}/source/") for cell in (*row["operator@source"], *row["country"]))
    assert row["operator@source"]
    assert told["rows"]["no thing"] == {each["id"]: [] for each in asked}
    country = f"{BASE}/id/country/de"
    more = extended(shipped, [country, rate], {"id": "countryCode"}, {"id": "neighbour", "settings": {"limit": "2"}})["rows"]
    assert more[country]["countryCode"] == [{"str": "DE"}]
    assert len(more[country]["neighbour"]) == 2
    assert rate in more


def test_a_preview_may_be_framed_by_anybody_and_runs_nothing(shipped: Service) -> None:
    for address in ("/reconcile/preview", "/reconcile/v1/preview"):
        response = shipped.client.get(address, params={"id": GRAZ})
        policy = response.headers["Content-Security-Policy"]
        assert "frame-ancestors *" in policy
        assert "default-src 'none'" in policy
        assert "Magna Steyr Graz" in response.text
    assert (
        "frame-ancestors 'none'"
        in shipped.client.get("/search", headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
    )


def test_every_answer_may_be_read_from_anywhere(shipped: Service) -> None:
    for address in ("/reconcile", "/reconcile/suggest/entity?prefix=x", "/reconcile/v1", "/reconcile/preview?id=nothing"):
        assert (
            shipped.client.get(address, headers={"Origin": "http://localhost:3333"}).headers["Access-Control-Allow-Origin"] == "*"
        )
    preflight = shipped.client.options("/reconcile/v1/match", headers={"Access-Control-Request-Method": "POST"})
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


def test_suggestions_begin_as_is_typed_and_go_on(shipped: Service) -> None:
    def suggested(what: str, **given: str | int) -> list[Json]:
        found = shipped.client.get(f"/reconcile/suggest/{what}", params=given).json()
        results: list[Json] = conforms(found, api.SUGGESTED[what])["result"]
        return results

    first, second = suggested("entity", prefix="ford", type="Plant"), suggested("entity", prefix="ford", type="Plant", cursor=10)
    assert len(first) == 10
    assert not {each["id"] for each in first} & {each["id"] for each in second}
    assert {kind["id"] for each in first for kind in each["notable"]} == {"Plant"}
    assert suggested("entity", prefix=GRAZ)[0]["id"] == GRAZ
    assert len(suggested("type", prefix="", limit=100)) > 40
    assert suggested("property", prefix="wmiCode")[0]["id"] == "wmiCode"


# Version 1.0-draft


def test_the_manifest_of_1_0_says_what_there_is(shipped: Service) -> None:
    told = conforms(shipped.client.get("/reconcile/v1").json(), api.MANIFEST_1)
    assert told["standardizedScore"] is True
    assert shipped.client.get("/reconcile/v1/").json() == told
    view = shipped.client.get(told["view"]["url"].replace("{id}", quote(GRAZ, safe="")))
    assert view.status_code == 303


def test_conditions_are_about_names_identifiers_and_properties(shipped: Service) -> None:
    def name(value: str | list[str], **more: object) -> Json:
        return {"matchType": "name", "propertyValue": value, **more}

    def having(pid: str, value: object, **more: object) -> Json:
        return {"matchType": "property", "propertyId": pid, "propertyValue": value, **more}

    by_name, by_id, required, excluded, several = matched_1(
        shipped,
        {"conditions": [name("Magna Steyr Graz")]},
        {"conditions": [{"matchType": "id", "propertyValue": GRAZ}]},
        {"type": "Plant", "conditions": [name("Valencia"), having("country", "Spain", required=True)], "limit": 3},
        {"type": "Plant", "conditions": [name("Valencia"), having("country", "Spain", required=True, matchQuantifier="none")]},
        {"type": "Plant", "conditions": [name(["Magna Steyr Graz", "Ford Cologne"], required=True)]},
    )
    assert by_name[0]["id"] == by_id[0]["id"] == GRAZ
    assert by_name[0]["match"] is by_id[0]["match"] is True
    assert required
    assert all("Spain" in each["description"] for each in required)
    assert excluded
    assert not any("Spain" in each["description"] for each in excluded)
    assert {"Magna Steyr Graz"} < {each["name"] for each in several}


def test_the_rest_of_1_0_is_as_its_schemas_have_it(shipped: Service) -> None:
    for what in ("entity", "property", "type"):
        found = shipped.client.get(f"/reconcile/v1/suggest/{what}", params={"prefix": "pla", "limit": 3, "offset": 1}).json()
        assert len(conforms(found, api.SUGGESTED[what])["result"]) == 3
    asked = {"ids": [GRAZ], "properties": [{"id": "operator"}]}
    told = conforms(shipped.client.post("/reconcile/v1/extend", json=asked).json(), api.EXTENDED_1)
    assert told["rows"][0]["id"] == GRAZ
    assert told["rows"][0]["properties"][0]["values"][0]["name"] == "Magna Steyr"
    proposed = shipped.client.get("/reconcile/v1/extend/propose", params={"type": "Deal", "limit": 3}).json()
    assert len(conforms(proposed, api.PROPOSED)["properties"]) == 3


# What is refused


@pytest.mark.parametrize(
    ("queries", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('{"q": 1}', 400),
        ('{"q": {}}', 400),
        ('{"q": {"query": 1}}', 400),
        ('{"q": {"query": "x", "limit": 0}}', 400),
        ('{"q": {"query": "x", "type_strict": "perhaps"}}', 400),
        ('{"q": {"query": "x", "type": {"id": "Plant"}}}', 400),
        ('{"q": {"query": "x", "properties": [{"pid": "p"}, 3]}}', 400),
        ('{"q": {"query": "x", "properties": [{"pid": "p", "v": [[]]}]}}', 400),
        (json.dumps({"q": {"query": "x" * 501}}), 400),
        (json.dumps({f"q{n}": {"query": "x"} for n in range(BATCH + 1)}), 413),
    ],
)
def test_a_batch_that_cannot_be_is_refused(plain: Service, queries: str, status: int) -> None:
    for response in (
        plain.client.post("/reconcile", data={"queries": queries}),
        plain.client.get("/reconcile", params={"queries": queries}),
    ):
        assert response.status_code == status, response.text
        assert response.json()["detail"]


def test_a_property_that_there_is_not_is_refused_with_those_like_it(shipped: Service) -> None:
    query = json.dumps({"q": {"query": "x", "properties": [{"pid": "opertor", "v": "Ford"}]}})
    response = shipped.client.post("/reconcile", data={"queries": query})
    assert response.status_code == 400
    assert "operator" in [each["id"] for each in response.json()["near"]]


@pytest.mark.parametrize(
    ("method", "address", "more", "status"),
    [
        ("POST", "/reconcile", {"content": "x", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/reconcile", {"data": {"query": "x"}}, 400),
        ("POST", "/reconcile", {"data": {"queries": "{}", "extend": "{}"}}, 400),
        ("POST", "/reconcile", {"data": {"extend": '{"ids": "x", "properties": []}'}}, 400),
        ("POST", "/reconcile", {"data": {"extend": json.dumps({"ids": ["x"] * (MOST_IDS + 1), "properties": []})}}, 413),
        ("PUT", "/reconcile", {}, 405),
        ("GET", "/reconcile/v1/match", {}, 405),
        ("POST", "/reconcile/v1/match", {"data": {"queries": "[]"}}, 415),
        ("POST", "/reconcile/v1/match", {"json": {"queries": [{"conditions": []}]}}, 400),
        ("POST", "/reconcile/v1/match", {"json": {"queries": [{"conditions": [{"matchType": "x", "propertyValue": 1}]}]}}, 400),
        ("GET", "/reconcile/preview", {}, 400),
        ("GET", "/reconcile/preview?id=nothing", {}, 404),
        ("GET", "/reconcile/view?id=https%3A%2F%2Fevil.example%2F", {}, 404),
        ("GET", "/reconcile/nothing", {}, 404),
        ("GET", "/reconcile/suggest/entity?prefix=x&cursor=x", {}, 400),
    ],
)
def test_what_cannot_be_has_a_status_that_says_why(plain: Service, method: str, address: str, more: Any, status: int) -> None:
    response = plain.client.request(method, address, **more)
    assert response.status_code == status, response.text
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_bare_store_can_be_reconciled_with_too(plain: Service, graph: str) -> None:
    label = "http://www.w3.org/2000/01/rdf-schema#label"
    plain.put(graph, f'<{graph}/a> a <http://x/Thing> ; <{label}> "Wimbleton Works" ; <http://x/size> 3 .')
    (best,) = matched(plain, q={"query": "wimbleton works", "type": "http://x/Thing"})["q"]
    assert (best["id"], best["match"], best["type"]) == (f"{graph}/a", True, [{"id": "http://x/Thing", "name": "thing"}])
    assert extended(plain, [f"{graph}/a"], {"id": "http://x/size"})["rows"][f"{graph}/a"] == {"http://x/size": [{"int": 3}]}
