"""Every thing of the graph answers at its IRI: as a page or as data, whole, in pages, with what is claimed of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from bench.entities import construct

from motorgraph.media import languages
from tests.running import TOKEN, Service

BASE = "https://motorgraph.example"
COMUNICA = "application/n-quads,application/trig;q=0.95,application/ld+json;q=0.9,application/n-triples;q=0.8,text/turtle;q=0.6"
PLANT = "plant/ford-valencia-body-and-assembly"
THINGS = (PLANT, "deal/ford-geely-2026", "claim/s05", "model/acura-adx", "concept/technology/vcs", "source/founding-article")
FORMATS = {
    "ttl": ("text/turtle", ox.RdfFormat.TURTLE),
    "nt": ("application/n-triples", ox.RdfFormat.N_TRIPLES),
    "jsonld": ("application/ld+json", ox.RdfFormat.JSON_LD),
    "rdf": ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    "trig": ("application/trig", ox.RdfFormat.TRIG),
    "nq": ("application/n-quads", ox.RdfFormat.N_QUADS),
}
NAMES = ("prefLabel>", "label>", "title>", "statementText>")


def quads(service: Service, path: str, form: ox.RdfFormat) -> set[ox.Quad]:
    response = service.client.get(path)
    assert response.status_code == 200, response.text
    return set(ox.parse(response.content, form))


def triples(service: Service, path: str, form: ox.RdfFormat = ox.RdfFormat.TURTLE) -> set[ox.Triple]:
    return {quad.triple for quad in quads(service, path, form)}


def links(response: httpx.Response) -> dict[str, list[str]]:
    """The targets of the Link headers by relation."""
    found: dict[str, list[str]] = {}
    for target, relations in re.findall(r'<([^>]*)>; rel="([^"]*)"', ", ".join(response.headers.get_list("Link"))):
        for relation in relations.split():
            found.setdefault(relation, []).append(target)
    return found


def write(service: Service, turtle: str, graph: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
    response = service.client.put("/graphs", params={"graph": graph}, content=turtle.encode(), headers=headers)
    assert response.status_code in (201, 204), response.text


# Where a thing leads to


@pytest.mark.parametrize(
    ("accept", "target"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", f"/page/{PLANT}"),
        ("*/*", f"/data/{PLANT}.ttl"),
        ("", f"/data/{PLANT}.ttl"),
        ("text/turtle", f"/data/{PLANT}.ttl"),
        ("application/n-triples", f"/data/{PLANT}.nt"),
        ("application/ld+json", f"/data/{PLANT}.jsonld"),
        ("application/json", f"/data/{PLANT}.jsonld"),
        ("application/rdf+xml", f"/data/{PLANT}.rdf"),
        ("application/trig;q=0.9, text/turtle;q=0.1", f"/data/{PLANT}.trig"),
        ("application/n-quads", f"/data/{PLANT}.nq"),
        (COMUNICA, f"/data/{PLANT}.jsonld"),
        ("text/html;q=0.1, text/turtle", f"/data/{PLANT}.ttl"),
        ("text/*", f"/data/{PLANT}.ttl"),
    ],
)
def test_a_thing_leads_to_its_page_or_to_data_by_what_the_client_likes(shipped: Service, accept: str, target: str) -> None:
    for method in ("GET", "HEAD"):
        response = shipped.client.request(method, f"/id/{PLANT}", headers={"Accept": accept})
        assert (response.status_code, response.headers["Location"]) == (303, target)
        assert "Accept" in response.headers["Vary"]
    assert shipped.client.get(target).status_code == 200


def test_what_cannot_be_had_is_refused_with_what_there_is(shipped: Service) -> None:
    for path in (f"/id/{PLANT}", f"/data/{PLANT}"):
        response = shipped.client.get(path, headers={"Accept": "image/png"})
        assert response.status_code == 406
        assert {media_type for media_type, _ in FORMATS.values()} <= set(response.json()["available"])


def test_a_suffix_names_the_format_whatever_else_the_client_says(shipped: Service) -> None:
    for suffix, (media_type, _) in FORMATS.items():
        response = shipped.client.get(f"/data/{PLANT}.{suffix}", headers={"Accept": "image/png"})
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith(media_type)


def test_without_a_suffix_the_client_chooses_and_is_told_where_that_is(shipped: Service) -> None:
    response = shipped.client.get(f"/data/{PLANT}", headers={"Accept": "application/trig"})
    assert response.status_code == 200
    assert response.headers["Content-Location"] == f"/data/{PLANT}.trig"
    assert "Accept" in response.headers["Vary"]


def test_a_document_says_what_it_is_about_and_where_the_others_are(shipped: Service) -> None:
    found = links(shipped.client.get(f"/data/{PLANT}.ttl"))
    assert found["describes"] == [f"{BASE}/id/{PLANT}"]
    assert found["canonical"] == [f"/data/{PLANT}.ttl"]
    assert f"/page/{PLANT}" in found["alternate"]
    assert found["license"] == ["https://creativecommons.org/licenses/by/4.0/"]
    for target in found["alternate"]:
        assert shipped.client.head(target).status_code == 200
    assert f"/data/{PLANT}.jsonld" in links(shipped.client.get(f"/id/{PLANT}"))["describedby"]


def test_other_methods_are_refused_and_options_answers(shipped: Service) -> None:
    for path in (f"/id/{PLANT}", f"/data/{PLANT}.ttl", f"/page/{PLANT}", "/context.jsonld"):
        assert shipped.client.put(path).status_code == 405
        options = shipped.client.options(path)
        assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_kind_that_is_called_like_a_root_keeps_its_id(shipped: Service) -> None:
    thing, root = "/id/dataset/figures-of-organizations", "/dataset/wikidata"
    assert shipped.client.get(thing).headers["Location"] == "/data/id/dataset/figures-of-organizations.ttl"
    assert shipped.client.get(root).headers["Location"] == "/data/dataset/wikidata.ttl"
    for path in (thing, root):
        assert f"<{BASE}{path}>" in shipped.client.get(path.join(("/data", ".nt"))).text


# What is said


@pytest.mark.parametrize("thing", THINGS)
def test_each_format_says_the_same(shipped: Service, thing: str) -> None:
    expected = triples(shipped, f"/data/{thing}.nt", ox.RdfFormat.N_TRIPLES)
    assert expected
    for suffix, (_, form) in FORMATS.items():
        path = f"/data/{thing}.{suffix}" + ("?context=inline" if suffix == "jsonld" else "")
        assert triples(shipped, path, form) == expected, suffix


@pytest.mark.parametrize("thing", THINGS)
def test_one_query_says_it_too(shipped: Service, thing: str) -> None:
    """The description can be had by SPARQL from any endpoint; of the names that there are the service gives one."""
    name = thing if thing.startswith(("concept/", "source/")) else f"id/{thing}"
    response = shipped.query(construct(f"{BASE}/{name}"), "application/n-triples")
    assert response.status_code == 200, response.text
    asked = {quad.triple for quad in ox.parse(response.content, ox.RdfFormat.N_TRIPLES)}
    told = triples(shipped, f"/data/{thing}.ttl")
    assert told <= asked
    assert all(str(triple.predicate).endswith(NAMES) for triple in asked - told)


def test_the_claims_on_a_thing_come_with_it_with_who_said_so_and_how_many_there_were(shipped: Service) -> None:
    found = triples(shipped, f"/data/{PLANT}.ttl")
    mg = f"{BASE}/ontology/"
    propositions = {
        t.subject for t in found if t.object == ox.NamedNode(f"{BASE}/id/{PLANT}") and t.predicate.value == mg + "subject"
    }
    claims = {t.subject for t in found if t.predicate.value == mg + "proposition" and t.object in propositions}
    assert claims
    for claim in claims:
        said = {t.predicate.value.removeprefix(mg) for t in found if t.subject == claim}
        assert {"stance", "modality", "assertedBy", "foundIn"} <= said
    persons = {t.object for t in found if t.predicate.value == mg + "attributedTo"}
    assert any(t.subject in persons and t.predicate.value == mg + "sourceCount" for t in found)


def test_everything_that_is_mentioned_and_has_a_name_has_one_here(shipped: Service) -> None:
    found = triples(shipped, f"/data/{PLANT}.ttl")
    named = {str(t.subject) for t in found if str(t.predicate).endswith(NAMES)}
    mentioned = {str(t.object) for t in found if isinstance(t.object, ox.NamedNode) and not t.predicate.value.endswith("#type")}
    rows = shipped.rows(
        f"SELECT DISTINCT ?s {{ VALUES ?s {{ {' '.join(mentioned)} }} ?s "
        "<http://www.w3.org/2004/02/skos/core#prefLabel>|<http://purl.org/dc/terms/title> ?name }"
    )
    assert rows
    assert {f"<{row['s']}>" for row in rows} <= named


def test_a_statement_keeps_its_graph_where_a_format_can_say_so(shipped: Service) -> None:
    for suffix in ("trig", "nq"):
        for quad in quads(shipped, f"/data/{PLANT}.{suffix}", FORMATS[suffix][1]):
            assert isinstance(quad.graph_name, ox.NamedNode)
    own = [
        q for q in quads(shipped, f"/data/{PLANT}.nq", ox.RdfFormat.N_QUADS) if q.subject == ox.NamedNode(f"{BASE}/id/{PLANT}")
    ]
    rows = shipped.rows(f"SELECT ?g ?p ?o {{ GRAPH ?g {{ <{BASE}/id/{PLANT}> ?p ?o }} }}")
    assert len(own) == len(rows)
    assert {(q.graph_name.value, q.predicate.value) for q in own} == {(r["g"], r["p"]) for r in rows}  # type: ignore[union-attr]  # seen above


def test_turtle_opens_with_the_thing_its_classes_and_its_name(shipped: Service) -> None:
    text = shipped.client.get(f"/data/{PLANT}.ttl").text
    head, _, body = text.partition("\n\n")
    prefixes = head.splitlines()
    names = [line.split()[1] for line in prefixes]
    assert names == sorted(names, key=lambda name: name.rstrip(":"))
    assert all(re.fullmatch(r"@prefix [a-z0-9-]+: <[^>]+> \.", line) for line in prefixes)
    assert body.startswith("plant:ford-valencia-body-and-assembly a ")
    assert "skos:prefLabel" in body.splitlines()[1]


def test_the_same_is_said_in_the_same_bytes(shipped: Service) -> None:
    for suffix in FORMATS:
        assert len({shipped.client.get(f"/data/{PLANT}.{suffix}").content for _ in range(6)}) == 1, suffix


def test_a_reader_of_linked_data_needs_the_address_alone(shipped: Service) -> None:
    graph = rdflib.Graph().parse(f"{shipped.url}/id/{PLANT}")
    assert len(graph) == len(triples(shipped, f"/data/{PLANT}.ttl"))
    name = graph.value(rdflib.URIRef(f"{BASE}/id/{PLANT}"), rdflib.SKOS.prefLabel)
    assert str(name) == "Ford Valencia Body & Assembly"


def test_a_commit_of_the_journal_is_a_thing(shipped: Service) -> None:
    response = shipped.client.get("/data/commit/1.ttl")
    assert response.status_code == 200
    assert "Activity" in response.text
    assert f"<{BASE}/graph/catalogue>" in shipped.client.get("/data/commit/1.nq").text


def test_a_client_that_has_it_is_told_so(shipped: Service) -> None:
    for path in (f"/data/{PLANT}.ttl", f"/data/{PLANT}.jsonld", f"/page/{PLANT}", "/context.jsonld"):
        first = shipped.client.get(path)
        again = shipped.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"].removeprefix("W/")
        assert first.headers["X-Commit"].isdigit()
    assert shipped.client.get(f"/data/{PLANT}.nt").headers["ETag"] != shipped.client.get(f"/data/{PLANT}.ttl").headers["ETag"]


def test_an_older_graph_is_told_of_when_it_is_asked_for(shipped: Service) -> None:
    response = shipped.client.get(f"/data/{PLANT}.ttl?at=1")
    assert "Memento-Datetime" in response.headers
    assert "timegate" in links(shipped.client.get(f"/page/{PLANT}"))
    assert (response.status_code, response.headers["X-Commit"]) == (200, "1")
    assert shipped.client.get(f"/id/{PLANT}?at=1").headers["Location"] == f"/data/{PLANT}.ttl?at=1"
    assert shipped.client.get(f"/data/{PLANT}.ttl?at=99999").status_code == 404


# Pages


def pages(service: Service, path: str, form: ox.RdfFormat) -> Iterator[set[ox.Triple]]:
    """What each page says, by the links from one to the next."""
    while path:
        response = service.client.get(path)
        assert response.status_code == 200
        yield {quad.triple for quad in ox.parse(response.content, form)}
        path = links(response).get("next", [""])[0]


@pytest.mark.parametrize("suffix", ["ttl", "nq"])
def test_pages_bring_everything_that_points_to_a_thing_once(shipped: Service, suffix: str) -> None:
    iri = f"{BASE}/id/organization/motorgraph-editors"
    expected = {(row["s"], row["p"]) for row in shipped.rows(f"SELECT ?s ?p {{ ?s ?p <{iri}> }}")}
    assert len(expected) > 1000
    named = f"/data/organization/motorgraph-editors.{suffix}"
    seen: list[tuple[str, str]] = []
    for found in pages(shipped, named, FORMATS[suffix][1]):
        pointing = {(t.subject.value, t.predicate.value) for t in found if t.object == ox.NamedNode(iri)}  # type: ignore[union-attr]  # an IRI
        seen += sorted(pointing - set(seen))
    assert set(seen) == expected
    assert len(seen) == len(expected)


def test_a_page_beyond_the_last_or_none_at_all_is_refused(shipped: Service) -> None:
    editors = "/data/organization/motorgraph-editors.ttl"
    second = links(shipped.client.get(f"{editors}?page=2"))
    assert second["prev"] == second["first"] == [editors]
    assert second["next"] == [f"{editors}?page=3"]
    assert shipped.client.get(f"{editors}?page=99").status_code == 404
    for page in ("0", "-1", "x", "", "1e3", "٢", "9" * 30):
        assert shipped.client.get(editors, params={"page": page}).status_code == 400
    assert "next" not in links(shipped.client.get(f"/data/{PLANT}.ttl"))


# What is not there


def test_an_unknown_thing_is_refused_with_near_names(shipped: Service) -> None:
    for path in ("/id/plant/ford-valencia", "/data/plant/ford-valencia.ttl", "/page/plant/ford-valencia"):
        response = shipped.client.get(path, headers={"Accept": "application/json"})
        assert response.status_code == 404
        near = response.json()["near"]
        told = {"id": f"{BASE}/id/{PLANT}", "kind": "Plant", "name": "Ford Valencia Body & Assembly", "page": f"/page/{PLANT}"}
        assert near[0] == told
    page = shipped.client.get("/page/plant/ford-valencia", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert f'<a href="/page/{PLANT}">Ford Valencia Body &amp; Assembly</a>' in page.text


def test_an_unknown_kind_is_taken_for_the_likest(shipped: Service) -> None:
    near = shipped.client.get("/id/plants/magna-steyr").json()["near"]
    assert near[0]["page"] == "/page/plant/magna-steyr-graz"


def test_where_nothing_is_near_nothing_is_listed(shipped: Service) -> None:
    assert shipped.client.get("/id/plant/qqqqqqqqqq").json()["near"] == []


@pytest.mark.parametrize(
    "name",
    [
        "plant/../../../etc/passwd",
        "plant/%2e%2e/ford",
        "plant/..",
        "plant/a%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "plant/%3E%20%7D%20%3B%20DROP%20ALL%20%23",
        "plant/%3Chttps%3A%2F%2Fx%3E",
        "plant/%00",
        "plant/%0d%0aSet-Cookie:%20a=b",
        "plant/%ff%fe",
        "plant/" + "a" * 3000,
        "plant/" + quote("Škoda Mladá Boleslav 工厂"),
        "plant/a%2Fb",
        "plant/",
        "plant",
        "plant//x",
        "{}",
        "plant/x%5C%5C",
        "plant/'--",
        "plant/$(id)",
    ],
)
def test_no_name_does_any_harm(shipped: Service, name: str) -> None:
    for root in ("id", "data", "page", "concept"):
        for accept in ("text/html", "application/json"):
            response = shipped.client.get(f"{shipped.url}/{root}/{name}", headers={"Accept": accept})
            assert response.status_code in (400, 404, 406), (root, response.status_code)
            assert "<script>" not in response.text
            assert "set-cookie" not in response.headers


def test_a_name_that_was_sent_without_encoding_is_understood(plain: Service, graph: str) -> None:
    write(plain, f'<{BASE}/id/model/ŠkodaÉ> <http://www.w3.org/2000/01/rdf-schema#label> "Š" .', graph)
    for path in ("/data/model/ŠkodaÉ.nt", f"/data/model/{quote('ŠkodaÉ')}.nt"):
        response = plain.client.get(path)
        assert response.status_code == 200, response.text
        assert response.text == f'<{BASE}/id/model/ŠkodaÉ> <http://www.w3.org/2000/01/rdf-schema#label> "Š" .\n'
    redirect = plain.client.get("/id/model/ŠkodaÉ")
    assert redirect.headers["Location"] == f"/data/model/{quote('ŠkodaÉ')}.ttl"


def test_a_renamed_thing_leads_to_the_new_one_in_the_same_form(plain: Service, graph: str) -> None:
    old, new = "organization/renault-samsung", "organization/renault-korea"
    replaced = "http://purl.org/dc/terms/isReplacedBy"
    write(plain, f"<{BASE}/id/{old}> <{replaced}> <{BASE}/id/{new}> . <{BASE}/id/{new}> a <http://test.example/Maker> .", graph)
    for path in ("/id/{}", "/data/{}.ttl", "/data/{}.jsonld", "/data/{}", "/page/{}"):
        response = plain.client.get(path.format(old), headers={"Accept": "text/turtle"})
        assert (response.status_code, response.headers["Location"]) == (301, path.format(new)), path
    assert plain.client.get(f"/id/{new}").status_code == 303


def test_what_a_later_act_supersedes_is_still_a_thing(shipped: Service) -> None:
    response = shipped.client.get("/data/act/tr-8639.ttl")
    assert response.status_code == 200
    assert "dcterms:isReplacedBy act:tr-2025-rev" in response.text


def test_a_thing_that_was_removed_is_gone_and_the_commit_is_named(plain: Service, graph: str) -> None:
    thing = f"{BASE}/id/plant/gone-for-good"
    write(plain, f'<{thing}> <http://www.w3.org/2000/01/rdf-schema#label> "x" .', graph)
    assert plain.client.get("/data/plant/gone-for-good.ttl").status_code == 200
    removed = plain.update(f"DELETE WHERE {{ GRAPH <{graph}> {{ <{thing}> ?p ?o }} }}")
    assert removed.status_code == 204
    commit = int(plain.client.get("/ready").json()["commit"])
    for path in ("/id/plant/gone-for-good", "/data/plant/gone-for-good.ttl", "/page/plant/gone-for-good"):
        response = plain.client.get(path)
        assert response.status_code == 410
        assert response.json()["commit"] == commit
        assert response.json()["type"].endswith("/gone")
    assert plain.client.get(f"/data/plant/gone-for-good.ttl?at={commit - 1}").status_code == 200
    write(plain, f"<{BASE}/id/plant/witness> <http://test.example/like> <{thing}> .", graph)
    assert plain.client.get("/data/plant/gone-for-good.ttl").status_code == 410


def test_a_thing_that_is_only_pointed_to_is_told_of(plain: Service, graph: str) -> None:
    thing = f"{BASE}/id/plant/never-described"
    write(plain, f"<{BASE}/id/plant/pointer> <http://test.example/like> <{thing}> .", graph)
    assert plain.client.get("/data/plant/never-described.nt").text == (
        f"<{BASE}/id/plant/pointer> <http://test.example/like> <{thing}> .\n"
    )


# A bare store


def test_a_bare_store_tells_of_its_things_from_all_its_graphs(plain: Service, graph: str) -> None:
    thing, label = f"{BASE}/id/plant/two-graphs", "http://www.w3.org/2000/01/rdf-schema#label"
    write(plain, f'<{thing}> <{label}> "in both" ; <http://test.example/p> "one" .', graph)
    write(plain, f'<{thing}> <{label}> "in both" .', graph + "/other")
    assert plain.update(f'INSERT DATA {{ <{thing}> <http://test.example/p> "default" }}').status_code == 204
    assert len(triples(plain, "/data/plant/two-graphs.ttl")) == 3
    found = quads(plain, "/data/plant/two-graphs.trig", ox.RdfFormat.TRIG)
    assert len(found) == 4
    graphs = {q.graph_name for q in found}
    assert graphs == {ox.DefaultGraph(), ox.NamedNode(graph), ox.NamedNode(graph + "/other")}
    page = plain.client.get("/page/plant/two-graphs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "in both" in page.text
    assert "The default graph" in page.text


def test_blank_nodes_are_told_to_a_depth_and_no_deeper(plain: Service, graph: str) -> None:
    thing = f"{BASE}/id/plant/nested"
    nest = f"<{thing}> <http://test.example/p> [ <http://test.example/p> [ <http://test.example/p> [ <http://test.example/p> [ "
    write(
        plain,
        nest
        + '<http://test.example/p> "too deep" ] ] ] ] . [ <http://test.example/of> <'
        + thing
        + '> ; <http://test.example/q> "by" ] .',
        graph,
    )
    for suffix, (_, form) in FORMATS.items():
        path = f"/data/plant/nested.{suffix}" + ("?context=inline" if suffix == "jsonld" else "")
        found = triples(plain, path, form)
        assert len(found) == 6, suffix
        assert not any("too deep" in str(t) for t in found)
    document = plain.client.get("/data/plant/nested.jsonld").json()
    (outer,) = document["http://test.example/p"]
    assert outer["http://test.example/p"][0]["http://test.example/p"][0]["id"].startswith("_:")
    assert document["reverse"]["http://test.example/of"][0]["http://test.example/q"] == ["by"]


def test_a_thing_with_more_nested_statements_than_are_told_says_that_it_was_cut(plain: Service, graph: str) -> None:
    nodes = (f"[ <urn:in> {', '.join(str(100 * node + n) for n in range(81))} ]" for node in range(250))
    write(
        plain, f"<{BASE}/id/thing/big> <urn:has> {', '.join(nodes)} . <{BASE}/id/thing/small> <urn:has> [ <urn:in> 1 ] .", graph
    )
    big, small = (plain.client.get(f"/data/thing/{name}.nt") for name in ("big", "small"))
    assert (big.headers["X-Nested-Cut"], big.text.count("\n")) == ("20000", 250 + 20_000)
    assert "X-Nested-Cut" not in small.headers
    page = plain.client.get("/page/thing/big", headers={"Accept": "text/html"})
    assert page.headers["X-Nested-Cut"] == "20000"
    assert "the first 20,000 statements" in page.text
    assert "statements of each kind" not in plain.client.get("/page/thing/small", headers={"Accept": "text/html"}).text


def test_odd_terms_come_through_in_every_format(plain: Service, graph: str) -> None:
    thing = f"{BASE}/id/plant/odd"
    values = ['"a\\"b\\\\c\\n\\td^^<x>"', '"x^^<y>"@en', '"tab\\t"@de-AT', "1.5", "01", "true", '"x"^^<http://test.example/type>']
    values += [f"<{BASE}/id/plant/a.b>", f"<{BASE}/id/plant/a,b>", "<http://test.example/a?b=c#d>", f"<{BASE}/ontology/>", '"🚗"']
    write(
        plain,
        f"<{thing}> <http://test.example/p> {' , '.join(values)} ; <http://www.w3.org/2004/02/skos/core#prefLabel> 'O'@en .",
        graph,
    )
    expected = triples(plain, "/data/plant/odd.nt", ox.RdfFormat.N_TRIPLES)
    assert len(expected) == len(values) + 1
    for suffix, (_, form) in FORMATS.items():
        path = f"/data/plant/odd.{suffix}" + ("?context=inline" if suffix == "jsonld" else "")
        assert triples(plain, path, form) == expected, suffix


def test_a_name_is_in_the_language_that_the_client_likes(plain: Service, graph: str) -> None:
    thing, label = f"{BASE}/id/plant/spoken", "http://www.w3.org/2000/01/rdf-schema#label"
    country = f"{BASE}/id/country/spoken"
    write(
        plain,
        f'<{thing}> <http://test.example/in> <{country}> . <{country}> <{label}> "Spain"@en , "España"@es , "Espanya"@ca .',
        graph,
    )

    def name(accepted: str) -> set[str]:
        text = plain.client.get("/data/plant/spoken.nt", headers={"Accept-Language": accepted}).text
        return set(re.findall(r'"([^"]+)"@', text))

    assert name("es-MX, en;q=0.5") == {"España"}
    assert name("ca") == {"Espanya"}
    assert name("fr") == name("") == name("*") == {"Spain"}
    assert "Accept-Language" in plain.client.get("/data/plant/spoken.nt").headers["Vary"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ("en",)),
        ("de", ("de", "en")),
        ("de;q=0.1, fr", ("fr", "de", "en")),
        ("de-AT, en-GB", ("de-at", "de", "en-gb", "en")),
        ("de;q=0, x@y, *", ("en",)),
        ("a,b,c,d,e,f", ("a", "b", "c", "d", "en")),
    ],
)
def test_languages_are_read_as_http_has_them(header: str, expected: tuple[str, ...]) -> None:
    assert languages(header) == expected


def test_a_bare_store_without_the_thing_says_so(plain: Service) -> None:
    for path in ("/id/plant/nowhere", "/data/plant/nowhere.ttl", "/page/plant/nowhere", "/concept/a/b", "/source/x"):
        assert plain.client.get(path).status_code == 404


# JSON


def test_the_data_are_plain_json_for_who_wants_that(shipped: Service) -> None:
    document = shipped.client.get(f"/data/{PLANT}", headers={"Accept": "application/json"}).json()
    assert document["@context"] == f"{shipped.url}/context.jsonld"
    assert document["id"] == f"{BASE}/id/{PLANT}"
    assert document["label"] == "Ford Valencia Body & Assembly"
    assert "Plant" in document["type"]
    assert document["country"] == {"id": f"{BASE}/id/country/es", "label": "Spain"} or document["country"] == [
        {"id": f"{BASE}/id/country/es", "label": "Spain"}
    ]
    units = document["reverse"]["unitOf"]
    assert [unit["label"] for unit in units] == sorted(unit["label"] for unit in units)
    assert any(node["type"][0] == "Capacity" or "Capacity" in node["type"] for node in document["reverse"]["ofPlant"])
    assert any("proposition" in proposition.get("reverse", {}) for proposition in document["reverse"]["subject"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib")  # its own parser uses what it calls out of date
def test_json_needs_the_context_of_this_host_and_means_the_same_with_it(shipped: Service) -> None:
    graph = rdflib.Graph().parse(f"{shipped.url}/data/{PLANT}.jsonld", format="json-ld")
    turtle = rdflib.Graph().parse(data=shipped.client.get(f"/data/{PLANT}.ttl").text, format="turtle")
    assert set(graph) == set(turtle)


def test_a_document_can_hold_its_context(shipped: Service) -> None:
    document = shipped.client.get(f"/data/{PLANT}.jsonld?context=inline").json()
    linked = shipped.client.get(f"/data/{PLANT}.jsonld").json()
    whole = shipped.client.get("/context.jsonld").json()["@context"]
    assert {name: whole[name] for name in document["@context"]} == document["@context"]
    assert {**linked, "@context": None} == {**document, "@context": None}
    assert shipped.client.get(f"/data/{PLANT}.jsonld?context=other").status_code == 400


def test_the_context_is_made_from_the_ontology(shipped: Service) -> None:
    response = shipped.client.get("/context.jsonld")
    assert response.headers["Content-Type"] == "application/ld+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    context = response.json()["@context"]
    assert context["@vocab"] == f"{BASE}/ontology/"
    assert context["onDate"] == {"@id": "mg:onDate", "@type": "xsd:date"}
    assert context["validFrom"] == {"@id": "mg:validFrom", "@type": "xsd:date", "@container": "@set"}
    assert context["ofPlant"]["@type"] == "@id"
    assert context["statementText"]["@id"] == "mg:statementText"
    assert context["label"] == {"@id": "skos:prefLabel", "@language": "en"}
    rows = shipped.rows(
        "PREFIX owl: <http://www.w3.org/2002/07/owl#> SELECT DISTINCT ?p "
        "{ VALUES ?kind { owl:ObjectProperty owl:DatatypeProperty } ?p a ?kind "
        f"FILTER(STRSTARTS(STR(?p), '{BASE}/ontology/')) }}"
    )
    names = {row["p"].removeprefix(f"{BASE}/ontology/") for row in rows}
    assert names <= context.keys()


def test_a_bare_store_has_a_context_too(plain: Service) -> None:
    context = plain.client.get("/context.jsonld").json()["@context"]
    assert context["label"]["@id"] == "skos:prefLabel"


# Pages for people


@pytest.mark.parametrize(
    "thing", [*THINGS, "organization/geely-holding", "country/us", "commit/1", "id/dataset/figures-of-plants"]
)
def test_every_kind_of_thing_has_a_page(shipped: Service, thing: str) -> None:
    response = shipped.client.get(f"/page/{thing}", headers={"Accept": "text/html"})
    assert response.status_code == 200
    text = response.text
    assert text.count("<h1") == 1
    assert "style=" not in text
    assert [tag for tag in re.findall(r"<script[^>]*>", text) if " src=" not in tag] == ['<script type="application/ld+json">']
    assert set(re.findall(r'href="#(s\d+)"', text)) <= set(re.findall(r'id="(s\d+)"', text))
    assert f'href="/data/{thing}.ttl"' in text
    assert "next" in links(response) or ">Next page<" not in text


def test_a_page_marks_each_claim_by_a_word(shipped: Service) -> None:
    text = shipped.client.get("/page/deal/ford-geely-2026", headers={"Accept": "text/html"}).text
    marks = re.findall(
        r'<span class="st st-[a-z]+"><svg[^>]*><use href="/static/marks\.svg[^#"]*#([a-z]+)"/></svg>([^<]*)</span>', text
    )
    assert len(marks) > 5
    assert {"asserted", "nocomment", "study"} <= {glyph for glyph, _ in marks}
    assert all(word.strip() for _, word in marks)
    glyphs = shipped.client.get("/static/marks.svg").text
    assert all(f'id="{glyph}"' in glyphs for glyph, _ in marks)
    assert "Reuters" in text
    assert "five unnamed persons" in text


def test_a_page_counts_what_points_to_the_thing_by_class(shipped: Service) -> None:
    text = shipped.client.get("/page/country/es", headers={"Accept": "text/html"}).text
    plants = shipped.rows(
        f"SELECT (COUNT(DISTINCT ?x) AS ?n) {{ ?x a <{BASE}/ontology/Plant> ; <{BASE}/ontology/country> <{BASE}/id/country/es> }}"
    )
    counted = re.search(r"Plant, by <a[^>]*>country</a>: (\d+)", text)
    assert counted
    assert counted[1] == plants[0]["n"]
    assert text.count('data-label="Kind">Plant<') == 12, "the others are folded away"


def test_every_page_lists_what_it_has(shipped: Service) -> None:
    for page in (2, 3):
        text = shipped.client.get(f"/page/organization/motorgraph-editors?page={page}", headers={"Accept": "text/html"}).text
        assert text.count("<li>") + text.count("<tr>") > 100


def test_the_links_of_a_page_to_things_lead_somewhere(shipped: Service) -> None:
    text = shipped.client.get(f"/page/{PLANT}", headers={"Accept": "text/html"}).text
    targets = set(re.findall(r'href="(/(?:page|data|static)/[^"#?]*)"', text))
    assert len(targets) > 50
    assert not [target for target in targets if shipped.client.head(target).status_code != 200]


def test_the_first_page_leads_to_things(shipped: Service) -> None:
    targets = re.findall(r'href="(/page/[^"]*)"', shipped.client.get("/", headers={"Accept": "text/html"}).text)
    assert len(targets) >= 5
    assert all(shipped.client.get(target).status_code == 200 for target in targets)


def test_what_somebody_wrote_is_text_on_a_page(plain: Service, graph: str) -> None:
    thing = f"{BASE}/id/plant/scripted"
    evil = "<script>alert(1)</script>"
    write(
        plain,
        f'<{thing}> <http://www.w3.org/2000/01/rdf-schema#label> "{evil}" ; '
        f'<http://test.example/p> <javascript:alert(1)> , "{evil}" ; '
        '<https://schema.org/url> "javascript:alert(2)"^^<http://www.w3.org/2001/XMLSchema#anyURI> .',
        graph,
    )
    text = plain.client.get("/page/plant/scripted", headers={"Accept": "text/html"}).text
    assert "<script>" not in text
    assert text.count("<script") == text.count("</script"), "nothing in the data for machines ends it"
    assert 'href="javascript' not in text
    assert "&lt;script&gt;" in text
    assert json.loads(plain.client.get("/data/plant/scripted.jsonld").text)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/data/ontology/Plant.ttl", "/ontology/Plant.ttl"),
        ("/data/shapes/PlantShape", "/shapes/PlantShape"),
        ("/page/ontology/Plant", "/ontology/Plant.html"),
        ("/data/graph/accepted", "/graph/accepted"),
    ],
)
def test_terms_shapes_and_graphs_are_where_they_are_though_asked_for_as_things(shipped: Service, path: str, target: str) -> None:
    response = shipped.client.get(path)
    assert (response.status_code, response.headers["Location"]) == (301, target)
    assert shipped.client.get(target, headers={"Accept": "text/turtle"}, follow_redirects=True).status_code == 200
