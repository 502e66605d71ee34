"""What a client is told of a write: by a dry run nothing is done, with Prefer what was done, and a refusal in its own format."""

from __future__ import annotations

from typing import Any

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from rdflib import SH

from motorgraph.errors import NotAcceptable
from motorgraph.outcome import Wish
from motorgraph.protocol import Call
from tests.running import MODULES, TOKEN, Service

MG = "https://motorgraph.example/ontology/"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
TURTLE = AUTHORIZED | {"Content-Type": "text/turtle"}
UPDATE = AUTHORIZED | {"Content-Type": "application/sparql-update"}
NAKED_CLAIM = f"<http://x/naked> a <{MG}Claim> ."


def state(running: Service) -> tuple[float, str]:
    return running.metric("motorgraph_commit"), running.client.get("/graphs", headers={"Accept": "application/n-quads"}).text


def called(**headers: str) -> Call:
    given = {name.lower().encode(): value.encode() for name, value in headers.items()}
    return Call("POST", "/graphs", b"", given, is_http_1_0=False, scheme="http")


# A dry run


def writes(graph: str) -> dict[str, dict[str, Any]]:  # Any: what httpx takes
    """A write of each kind to a graph that holds 1 and 2; each takes 1 away or adds 3."""
    insert = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 3 }} }}"
    named, three = {"graph": graph}, "<http://x/s> <http://x/p> 3 ."
    return {
        "form": {"method": "POST", "url": "/sparql", "data": {"update": insert}, "headers": AUTHORIZED},
        "direct": {"method": "POST", "url": "/sparql", "content": insert, "headers": UPDATE},
        "put": {"method": "PUT", "url": "/graphs", "params": named, "content": three, "headers": TURTLE},
        "post": {"method": "POST", "url": "/graphs", "params": named, "content": three, "headers": TURTLE},
        "mint": {"method": "POST", "url": "/graphs", "content": three, "headers": TURTLE},
        "patch": {"method": "PATCH", "url": "/graphs", "params": named, "content": "CLEAR DEFAULT", "headers": UPDATE},
        "delete": {"method": "DELETE", "url": "/graphs", "params": named, "headers": AUTHORIZED},
    }


CHANGES = {  # quads removed and added
    "form": (0, 1),
    "direct": (0, 1),
    "put": (2, 1),
    "post": (0, 1),
    "mint": (0, 1),
    "patch": (2, 0),
    "delete": (2, 0),
}


def dry(request: dict[str, Any], value: str = "true") -> dict[str, Any]:
    return request | {"params": request.get("params", {}) | {"dry-run": value}}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_dry_run_says_what_the_write_would_do_and_does_nothing(plain: Service, graph: str, kind: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1, 2 .")
    before = state(plain)
    response = plain.client.request(**dry(writes(graph)[kind]))
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    told = response.json()
    assert (told["removed"]["count"], told["added"]["count"]) == CHANGES[kind]
    quads = {*told["removed"]["quads"], *told["added"]["quads"]}
    assert len(quads) == sum(CHANGES[kind])
    assert all(quad.startswith("<http://x/s> <http://x/p> ") and quad.endswith("> .") for quad in quads)
    assert (told["dry_run"], told["conforms"], told["results"]) == (True, True, [])
    assert told["dropped"] == ([graph] if kind == "delete" else [])
    assert len(told["made"]) == (1 if kind == "mint" else 0)
    assert told["commit"] == before[0]
    assert "Location" not in response.headers
    assert state(plain) == before
    assert plain.client.request(**dry(writes(graph)[kind], "false")).status_code in (201, 204)
    assert plain.metric("motorgraph_commit") == before[0] + 1


def test_a_dry_run_may_be_asked_for_in_the_form_itself(plain: Service, graph: str) -> None:
    before = state(plain)
    form = {"update": f"CREATE GRAPH <{graph}>", "dry-run": "true"}
    assert plain.client.post("/sparql", data=form, headers=AUTHORIZED).json()["made"] == [graph]
    assert state(plain) == before
    twice = plain.client.post("/sparql", params={"dry-run": "true"}, data=form, headers=AUTHORIZED)
    assert twice.status_code == 400


@pytest.mark.parametrize(
    "query", ["dry-run=", "dry-run=1", "dry-run=True", "dry-run=yes", "dry-run", "dry-run=true&dry-run=true"]
)
@pytest.mark.parametrize("kind", ["direct", "put", "patch", "delete"])
def test_what_is_neither_true_nor_false_is_400_and_nothing_is_done(plain: Service, kind: str, query: str) -> None:
    graph = "http://test.example/neither"
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    before = state(plain)
    request = writes(graph)[kind]
    names = "&".join(f"{name}={value}" for name, value in request.pop("params", {}).items())
    response = plain.client.request(**request | {"url": f"{request['url']}?{names}&{query}"})
    assert response.status_code == 400
    assert "?dry-run=true" in response.json()["detail"]
    assert state(plain) == before


@pytest.mark.parametrize("name", ["dry_run", "dryrun", "dryRun", "Dry-Run"])
def test_a_name_that_only_looks_like_it_is_400_and_nothing_is_done(plain: Service, graph: str, name: str) -> None:
    for request in (writes(graph)["put"], writes(graph)["direct"]):
        response = plain.client.request(**request | {"params": request.get("params", {}) | {name: "true"}})
        assert response.status_code == 400
    assert plain.client.get("/graphs", params={"graph": graph}).status_code == 404


def test_a_dry_run_is_refused_as_the_write_would_be(plain: Service, graph: str) -> None:
    dry_run = {"graph": graph, "dry-run": "true"}
    assert plain.client.put("/graphs", params=dry_run, content="<", headers=TURTLE).status_code == 400
    assert plain.client.put("/graphs", params=dry_run, headers={"Content-Type": "text/turtle"}).status_code == 401
    assert plain.client.put("/graphs", params=dry_run, headers=TURTLE | {"If-Match": '"x"'}).status_code == 412
    assert plain.client.delete("/graphs", params=dry_run, headers=AUTHORIZED).status_code == 404
    assert plain.client.put("/graphs", params=dry_run, headers=TURTLE | {"Accept": "image/png"}).status_code == 406


def test_a_long_change_is_counted_whole_and_shown_in_part(plain: Service, graph: str) -> None:
    body = "".join(f"<http://x/{n}> <http://x/p> {n} .\n" for n in range(5000))
    told = plain.client.put("/graphs", params={"graph": graph, "dry-run": "true"}, content=body, headers=TURTLE).json()
    assert (told["added"]["count"], len(told["added"]["quads"])) == (5000, 1000)
    long = "".join(f'<http://x/{n}> <http://x/p> "{"x" * 300_000}" .\n' for n in range(5))
    told = plain.client.put("/graphs", params={"graph": graph, "dry-run": "true"}, content=long, headers=TURTLE).json()
    assert (told["added"]["count"], len(told["added"]["quads"])) == (5, 3)


def test_the_tag_of_a_dry_run_is_what_the_write_may_be_made_on(plain: Service, graph: str) -> None:
    seen = plain.client.request(**dry(writes(graph)["put"])).headers["ETag"]
    request = writes(graph)["put"]
    assert plain.client.request(**request | {"headers": TURTLE | {"If-Match": seen}}).status_code == 201
    assert plain.client.request(**request | {"headers": TURTLE | {"If-Match": seen}}).status_code == 412


# What was done


@pytest.mark.parametrize(
    "prefer", ["return=representation", 'respond-async, RETURN = "representation"; x=1'], ids=["bare", "quoted"]
)
def test_who_prefers_it_is_told_what_was_done(plain: Service, graph: str, prefer: str) -> None:
    for kind, status in {"put": 201, "form": 200, "patch": 200, "delete": 200}.items():
        request = writes(graph)[kind]
        response = plain.client.request(**request | {"headers": request["headers"] | {"Prefer": prefer}})
        assert response.status_code == status
        assert response.headers["Preference-Applied"] == "return=representation"
        told = response.json()
        assert (told["dry_run"], told["commit"]) == (False, plain.metric("motorgraph_commit"))
        assert told["added"]["count"] + told["removed"]["count"] == {"put": 1, "form": 0, "patch": 1, "delete": 0}[kind]


@pytest.mark.parametrize("prefer", ["", "return=minimal", "return=minimal, return=representation", "representation"])
def test_who_does_not_is_not(plain: Service, graph: str, prefer: str) -> None:
    response = plain.client.request(**writes(graph)["put"] | {"headers": TURTLE | {"Prefer": prefer}})
    assert (response.status_code, response.content) == (201, b"")
    assert "Preference-Applied" not in response.headers


def test_a_preference_that_cannot_be_met_is_no_reason_to_refuse() -> None:
    assert Wish.of(called(prefer="return=representation", accept="image/png"), dry_run=False) == Wish()
    with pytest.raises(NotAcceptable):
        Wish.of(called(accept="image/png"), dry_run=True)


# What the shapes say


def rehearsed(running: Service, body: str, accept: str = "*/*", **headers: str) -> httpx.Response:
    given = TURTLE | {"Accept": accept} | headers
    return running.client.put("/graphs", params={"graph": "http://x/r", "dry-run": "true"}, content=body, headers=given)


def test_a_dry_run_of_what_would_be_refused_succeeds_and_says_what_is_wrong_and_what_would_be_right(shipped: Service) -> None:
    before = state(shipped)
    response = rehearsed(shipped, NAKED_CLAIM + f' <http://x/other> a <{MG}Claim> ; <{MG}assertedBy> "nobody"@en , 7 .')
    assert response.status_code == 200
    told = response.json()
    assert told["conforms"] is False
    assert told["total"] >= len(told["results"]) > 0
    asserted = next(r for r in told["results"] if r["path"] == MG + "assertedBy" and r["focus"] == "http://x/naked")
    assert asserted["severity"] == "Violation"
    assert asserted["expected"].startswith("at least 1 value")
    assert asserted["component"] == str(SH.MinCountConstraintComponent)
    values = {(r["value"], r["datatype"], r["language"]) for r in told["results"]}
    assert ("nobody", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "en") in values
    assert ("7", "http://www.w3.org/2001/XMLSchema#integer", "") in values
    assert told["added"]["count"] == 4
    assert told["inferred"].keys() == {"removed", "added"}
    assert state(shipped) == before


@pytest.mark.parametrize(("accept", "dry_run"), [("text/turtle", "true"), ("application/ld+json", "false")])
def test_the_report_comes_in_the_rdf_format_that_is_asked_for(shipped: Service, accept: str, dry_run: str) -> None:
    response = shipped.client.put(
        "/graphs",
        params={"graph": "http://x/r", "dry-run": dry_run},
        content=NAKED_CLAIM,
        headers=TURTLE | {"Accept": accept},
    )
    assert response.status_code == (200 if dry_run == "true" else 422)
    assert response.headers["Content-Type"].partition(";")[0] == accept
    assert "Accept" in response.headers["Vary"]
    quads = ox.parse(response.content, ox.RdfFormat.from_media_type(accept))
    dataset = rdflib.Graph().parse(data="".join(f"{quad.triple} .\n" for quad in quads), format="nt")
    (report,) = dataset.subjects(rdflib.RDF.type, SH.ValidationReport)
    assert dataset.value(report, SH.conforms) == rdflib.Literal(False)
    results = set(dataset.objects(report, SH.result))
    assert {dataset.value(result, SH.focusNode) for result in results} == {rdflib.URIRef("http://x/naked")}
    assert rdflib.URIRef(MG + "assertedBy") in {dataset.value(result, SH.resultPath) for result in results}
    for result in results:
        assert dataset.value(result, SH.sourceConstraintComponent) is not None
        assert dataset.value(result, SH.resultSeverity) is not None


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/problem+json"),
        ("application/json", "application/problem+json"),
        ("application/problem+json, text/turtle", "application/problem+json"),
        ("application/json;q=0.5, text/turtle", "text/turtle"),
        ("image/png", "application/problem+json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
def test_a_refusal_is_told_as_a_problem_unless_rdf_is_liked_better(shipped: Service, accept: str, media_type: str) -> None:
    response = shipped.client.put(
        "/graphs", params={"graph": "http://x/r"}, content=NAKED_CLAIM, headers=TURTLE | {"Accept": accept}
    )
    assert response.status_code == 422
    assert response.headers["Content-Type"].partition(";")[0] == media_type
    assert ("nothing was changed" in response.text) == (media_type != "text/turtle")


def test_a_browser_sees_what_is_wrong_and_nothing_of_the_data_becomes_markup(shipped: Service) -> None:
    data = NAKED_CLAIM + f'\n<http://x/naked> <{MG}assertedBy> "</code><script>alert(1)</script>" .'
    response = shipped.client.put(
        "/graphs", params={"graph": "http://x/r"}, content=data, headers=TURTLE | {"Accept": "text/html"}
    )
    assert response.status_code == 422
    assert "<li><code>http://x/naked</code>" in response.text
    assert "&lt;script&gt;alert(1)" in response.text
    assert "<script" not in MODULES.sub("", response.text)


def test_warnings_of_a_write_that_is_made_are_told_to_who_prefers_it(shipped: Service) -> None:
    """A plant without coordinates, say, is admitted; whatever the shapes warn of is in the report of the write."""
    shapes = shipped.rows(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT DISTINCT ?class ?path { ?s sh:targetClass ?class ; sh:property ?p . "
        "?p sh:severity sh:Warning ; sh:path ?path ; sh:minCount 1 FILTER(isIRI(?path)) } ORDER BY ?class ?path"
    )
    warned = False
    for row in shapes:
        body = f"<http://x/warned> a <{row['class']}> ."
        told = rehearsed(shipped, body).json()
        severities = {r["severity"] for r in told["results"]}
        if severities and "Violation" not in severities:
            params = {"graph": "http://x/warned"}
            made = shipped.client.put(
                "/graphs", params=params, content=body, headers=TURTLE | {"Prefer": "return=representation"}
            )
            assert made.status_code == 201
            assert made.json()["results"] == told["results"]
            assert made.json()["conforms"] is True
            assert shipped.client.delete("/graphs", params=params, headers=AUTHORIZED).status_code == 204
            warned = True
            break
    assert warned or not shapes
