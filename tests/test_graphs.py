"""`/graphs` as a strict stranger tries it: SPARQL 1.1 Graph Store HTTP Protocol, with conditions and limits."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

from tests.running import TOKEN, Service, service

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
TURTLE = AUTHORIZED | {"Content-Type": "text/turtle"}
TRIPLE_FORMATS = ["text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"]
DATASET_FORMATS = ["application/n-quads", "application/trig"]
ONE = "<http://x/s> <http://x/p> 1 ."
TWO = "<http://x/s> <http://x/p> 2 ."
BASE = "https://motorgraph.example"

RDFXML_BODY = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">
  <rdf:Description rdf:about="http://x/s"><x:p xml:lang="en">é</x:p></rdf:Description>
</rdf:RDF>"""
BODIES = {
    "text/turtle": '@prefix x: <http://x/> . x:s x:p "é"@en .',
    "application/n-triples": '<http://x/s> <http://x/p> "é"@en .',
    "application/n-quads": '<http://x/s> <http://x/p> "é"@en .',
    "application/trig": '@prefix x: <http://x/> . x:s x:p "é"@en .',
    "application/ld+json": '{"@id": "http://x/s", "http://x/p": {"@value": "é", "@language": "en"}}',
    "application/rdf+xml": RDFXML_BODY,
}


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A store without shapes whose default graph is the merge of all; small bodies only."""
    arguments = ("--plain", "--default-graph", "union", "--body-bytes", "1")
    with service(tmp_path_factory.mktemp("merged"), *arguments) as running:
        yield running


def send(
    running: Service, method: str, graph: str, body: str | bytes = b"", headers: dict[str, str] | None = None
) -> httpx.Response:
    """Writes to a graph, as Turtle with the token unless `headers` say otherwise."""
    return running.client.request(
        method, "/graphs", params={"graph": graph}, content=body, headers=TURTLE if headers is None else headers
    )


def triples(running: Service, graph: str) -> set[ox.Triple]:
    """What the graph store gives for a graph."""
    response = running.client.get("/graphs", params={"graph": graph}, headers={"Accept": "application/n-triples"})
    assert response.status_code == 200, response.text
    return {quad.triple for quad in ox.parse(response.content, format=ox.RdfFormat.N_TRIPLES)}


def is_there(running: Service, graph: str) -> bool:
    status = running.client.get("/graphs", params={"graph": graph}).status_code
    assert status in (200, 404)
    return status == 200


def parsed(turtle: str) -> set[ox.Triple]:
    return {quad.triple for quad in ox.parse(turtle, format=ox.RdfFormat.TURTLE)}


# GET and HEAD


@pytest.mark.parametrize("accept", TRIPLE_FORMATS)
def test_a_graph_comes_in_the_format_that_is_asked_for(plain: Service, graph: str, accept: str) -> None:
    send(plain, "PUT", graph, BODIES["text/turtle"])
    response = plain.client.get("/graphs", params={"graph": graph}, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["Content-Type"].partition(";")[0] == accept
    assert "accept" in response.headers["Vary"].lower()
    assert {q.triple for q in ox.parse(response.content, format=ox.RdfFormat.from_media_type(accept))} == parsed(
        BODIES["text/turtle"]
    )


def test_without_accept_a_graph_comes_as_rdf_xml_turtle_or_n_triples(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    response = plain.client.get("/graphs", params={"graph": graph}, headers={"Accept": "*/*"})
    assert response.headers["Content-Type"].partition(";")[0] in ("application/rdf+xml", "text/turtle", "application/n-triples")


def test_a_browser_that_follows_a_link_to_a_graph_gets_it(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert plain.client.get("/graphs", params={"graph": graph}, headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", ["image/png", "text/csv", "application/sparql-results+json"])
def test_a_format_that_a_graph_does_not_have_is_406(plain: Service, graph: str, accept: str) -> None:
    send(plain, "PUT", graph, ONE)
    response = plain.client.get("/graphs", params={"graph": graph}, headers={"Accept": accept})
    assert response.status_code == 406
    assert set(TRIPLE_FORMATS) <= set(response.json()["available"])


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_graph_that_is_not_there_is_404(plain: Service, graph: str, method: str) -> None:
    assert plain.client.request(method, "/graphs", params={"graph": graph}, headers=AUTHORIZED).status_code == 404


def test_head_is_get_without_its_body(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    got, headed = (plain.client.request(method, "/graphs", params={"graph": graph}) for method in ("GET", "HEAD"))
    assert (headed.status_code, headed.content) == (200, b"")
    for name in ("Content-Type", "ETag", "Vary"):
        assert headed.headers[name] == got.headers[name]


def test_a_graph_without_triples_is_there(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, "").status_code == 201
    assert triples(plain, graph) == set()


@pytest.mark.parametrize("accept", DATASET_FORMATS)
def test_the_store_itself_comes_whole_with_its_graphs(plain: Service, graph: str, accept: str) -> None:
    send(plain, "PUT", graph, ONE)
    response = plain.client.get("/graphs", headers={"Accept": accept})
    assert response.headers["Content-Type"].partition(";")[0] == accept
    quads = ox.parse(response.content, format=ox.RdfFormat.from_media_type(accept))
    assert {q.triple for q in quads if q.graph_name == ox.NamedNode(graph)} == parsed(ONE)


def test_a_long_graph_is_compressed_for_who_takes_gzip(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, "\n".join(f"<http://x/{n}> <http://x/p> {n} ." for n in range(2000)))
    response = plain.client.get("/graphs", params={"graph": graph}, headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(list(ox.parse(response.content, format=ox.RdfFormat.TURTLE))) == 2000


# PUT


def test_put_makes_a_graph_and_then_replaces_it(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, ONE).status_code == 201
    assert triples(plain, graph) == parsed(ONE)
    assert send(plain, "PUT", graph, TWO).status_code in (200, 204)
    assert triples(plain, graph) == parsed(TWO)


@pytest.mark.parametrize("media_type", BODIES)
def test_every_rdf_format_is_read(plain: Service, graph: str, media_type: str) -> None:
    headers = AUTHORIZED | {"Content-Type": f"{media_type}; charset=utf-8"}
    assert send(plain, "PUT", graph, BODIES[media_type].encode(), headers).status_code == 201
    assert triples(plain, graph) == parsed(BODIES["text/turtle"])


def test_a_body_without_content_type_is_read_as_rdf_xml(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, RDFXML_BODY.encode(), AUTHORIZED).status_code == 201
    assert triples(plain, graph) == parsed(BODIES["text/turtle"])


def test_a_body_without_content_type_that_is_no_rdf_xml_is_400(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, ONE, AUTHORIZED).status_code == 400
    assert not is_there(plain, graph)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("media_type", ["image/png", "text/csv", "application/sparql-update", "application/sparql-results+json"])
def test_a_media_type_that_is_not_read_is_415(plain: Service, graph: str, method: str, media_type: str) -> None:
    response = send(plain, method, graph, ONE, AUTHORIZED | {"Content-Type": media_type})
    assert response.status_code == 415
    assert "text/turtle" in response.json()["detail"]
    assert not is_there(plain, graph)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_body_that_does_not_parse_is_400_in_its_line_and_leaves_the_graph_as_it_was(
    plain: Service, graph: str, method: str
) -> None:
    send(plain, "PUT", graph, ONE)
    response = send(plain, method, graph, TWO + "\n<http://x/s> <http://x/p> ; .\n" + ONE)
    assert response.status_code == 400
    assert response.json()["line"] == 2
    assert triples(plain, graph) == parsed(ONE)


@pytest.mark.parametrize("media_type", BODIES)
def test_a_body_that_is_another_format_than_it_says_is_400(plain: Service, graph: str, media_type: str) -> None:
    body = ONE if media_type in ("application/ld+json", "application/rdf+xml") else RDFXML_BODY
    assert send(plain, "PUT", graph, body, AUTHORIZED | {"Content-Type": media_type}).status_code == 400
    assert not is_there(plain, graph)


def test_a_body_that_is_not_utf_8_is_400(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, '<http://x/s> <http://x/p> "é" .'.encode("latin-1")).status_code == 400


@pytest.mark.parametrize("media_type", DATASET_FORMATS)
def test_a_body_that_names_graphs_of_its_own_is_refused(plain: Service, graph: str, media_type: str) -> None:
    quads = f"<http://x/s> <http://x/p> 1 <{graph}/other> ."
    body = quads if media_type.endswith("quads") else f"<{graph}/other> {{ <http://x/s> <http://x/p> 1 }}"
    assert send(plain, "PUT", graph, body, AUTHORIZED | {"Content-Type": media_type}).status_code == 400
    assert not is_there(plain, graph)
    assert not is_there(plain, graph + "/other")


def test_relative_iris_of_a_body_are_resolved_against_its_graph(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, "<> <#p> <one> .")
    parent = graph.rpartition("/")[0]
    assert triples(plain, graph) == parsed(f"<{graph}> <{graph}#p> <{parent}/one> .")


@pytest.mark.parametrize("context", ["http://127.0.0.1:1/context", "file:///etc/hostname"])
def test_a_remote_json_ld_context_is_not_fetched_but_refused(plain: Service, graph: str, context: str) -> None:
    body = f'{{"@context": "{context}", "@id": "http://x/s", "http://x/p": 1}}'
    assert send(plain, "PUT", graph, body, AUTHORIZED | {"Content-Type": "application/ld+json"}).status_code == 400


def test_an_external_entity_of_rdf_xml_is_not_read(plain: Service, graph: str) -> None:
    body = '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + RDFXML_BODY.partition("?>")[2].replace("é", "&e;")
    response = send(plain, "PUT", graph, body.encode(), AUTHORIZED | {"Content-Type": "application/rdf+xml"})
    assert response.status_code == 400
    assert "root:" not in response.text


def test_put_without_a_graph_is_refused(plain: Service) -> None:
    assert plain.client.put("/graphs", content=ONE, headers=TURTLE).status_code in (400, 405)


def test_the_default_graph_of_a_plain_store_can_be_written(plain: Service) -> None:
    url = "/graphs?default"
    before = plain.client.get(url, headers={"Accept": "application/n-triples"}).text
    try:
        assert plain.client.put(url, content=ONE, headers=TURTLE).status_code in (200, 204)
        assert plain.client.post(url, content=TWO, headers=TURTLE).status_code in (200, 204)
        assert plain.rows("SELECT ?o { <http://x/s> <http://x/p> ?o } ORDER BY ?o") == [{"o": "1"}, {"o": "2"}]
        assert plain.client.delete(url, headers=AUTHORIZED).status_code in (200, 204)
        assert plain.rows("SELECT ?o { <http://x/s> <http://x/p> ?o }") == []
    finally:
        plain.client.put(url, content=before, headers=TURTLE)


# POST


def test_post_merges_into_a_graph(plain: Service, graph: str) -> None:
    assert send(plain, "POST", graph, ONE).status_code == 201
    assert send(plain, "POST", graph, TWO).status_code in (200, 204)
    assert send(plain, "POST", graph, TWO).status_code in (200, 204)
    assert triples(plain, graph) == parsed(ONE + TWO)


def test_blank_nodes_are_renamed_when_graphs_merge(plain: Service, graph: str) -> None:
    for _ in range(2):
        assert send(plain, "POST", graph, "_:b <http://x/p> _:c .").is_success
    found = triples(plain, graph)
    assert len(found) == 2
    assert len({triple.subject for triple in found} | {triple.object for triple in found}) == 4


def test_a_blank_node_of_one_document_stays_one(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, "_:b <http://x/p> _:b . _:b <http://x/q> 1 .")
    assert len({triple.subject for triple in triples(plain, graph)}) == 1


def test_a_known_blank_node_label_cannot_be_taken_over(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, "_:b <http://x/p> 1 .")
    (label,) = {str(triple.subject) for triple in triples(plain, graph)}
    send(plain, "POST", graph, f"{label} <http://x/p> 2 .")
    assert len({triple.subject for triple in triples(plain, graph)}) == 2


@pytest.mark.parametrize("headers", [TURTLE, AUTHORIZED], ids=["turtle", "no type"])
def test_an_empty_post_changes_nothing(plain: Service, graph: str, headers: dict[str, str]) -> None:
    send(plain, "PUT", graph, ONE)
    assert send(plain, "POST", graph, "", headers).status_code in (200, 204)
    assert triples(plain, graph) == parsed(ONE)


def test_post_to_the_store_makes_a_graph_and_says_where(plain: Service) -> None:
    places = []
    for body in (ONE, TWO):
        response = plain.client.post("/graphs", content=body, headers=TURTLE)
        assert response.status_code == 201
        place = httpx.URL(plain.url + "/graphs").join(response.headers["Location"])
        assert str(place) != plain.url + "/graphs"
        got = plain.client.get(place, headers={"Accept": "text/turtle"})
        assert {quad.triple for quad in ox.parse(got.content, format=ox.RdfFormat.TURTLE)} == parsed(body)
        places.append(str(place))
    assert places[0] != places[1]


def test_a_multipart_form_is_the_merge_of_its_documents(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    files = [
        ("one", ("one.ttl", BODIES["text/turtle"].encode(), "text/turtle")),
        ("two", ("two.rdf", RDFXML_BODY.replace("é", "ü").encode(), "application/rdf+xml")),
        ("three", ("three.ttl", b"@prefix x: <http://x/> . x:s x:p x:three .", "application/octet-stream")),
        ("four", ("four.nt", b"_:b <http://x/p> _:b .\r\n", "application/n-triples")),
        ("five", ("five.nt", b"_:b <http://x/p> _:b .\n", "application/n-triples")),
    ]
    response = plain.client.post("/graphs", params={"graph": graph}, files=files, headers=AUTHORIZED)
    assert response.status_code in (200, 204)
    found = triples(plain, graph)
    values = {str(triple.object) for triple in found if not isinstance(triple.object, ox.BlankNode)}
    assert values == {'"1"^^<http://www.w3.org/2001/XMLSchema#integer>', '"é"@en', '"ü"@en', "<http://x/three>"}
    assert len({triple.subject for triple in found if isinstance(triple.subject, ox.BlankNode)}) == 2


@pytest.mark.parametrize("bad", [b"<http://x/s> <http://x/p>", b"\x1f\x8b"], ids=["unfinished", "gzip"])
def test_a_multipart_form_with_one_bad_document_is_refused_whole(plain: Service, graph: str, bad: bytes) -> None:
    files = [("one", ("one.ttl", ONE.encode(), "text/turtle")), ("two", ("two.ttl", bad, "text/turtle"))]
    response = plain.client.post("/graphs", params={"graph": graph}, files=files, headers=AUTHORIZED)
    assert response.status_code == 400
    assert not is_there(plain, graph)


def test_a_multipart_form_with_a_picture_is_415(plain: Service, graph: str) -> None:
    files = [("one", ("one.ttl", ONE.encode(), "text/turtle")), ("two", ("two.png", b"\x89PNG", "image/png"))]
    response = plain.client.post("/graphs", params={"graph": graph}, files=files, headers=AUTHORIZED)
    assert response.status_code == 415
    assert not is_there(plain, graph)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=wrong"])
def test_a_multipart_form_that_cannot_be_taken_apart_is_400(plain: Service, graph: str, content_type: str) -> None:
    body = f"--right\r\nContent-Type: text/turtle\r\n\r\n{ONE}\r\n--right--\r\n"
    response = send(plain, "POST", graph, body, AUTHORIZED | {"Content-Type": content_type})
    assert response.status_code in (400, 415)
    assert not is_there(plain, graph)


# DELETE


def test_delete_ends_a_graph(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    assert plain.client.delete("/graphs", params={"graph": graph}, headers=AUTHORIZED).status_code in (200, 204)
    assert not is_there(plain, graph)
    assert plain.client.delete("/graphs", params={"graph": graph}, headers=AUTHORIZED).status_code == 404


def test_the_store_itself_cannot_be_deleted(plain: Service) -> None:
    response = plain.client.delete("/graphs", headers=AUTHORIZED)
    assert response.status_code == 405
    assert "DELETE" not in {method.strip() for method in response.headers["Allow"].split(",")}
    assert all(method.strip().isupper() for method in response.headers["Allow"].split(","))


# Which graph


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "query",
    ["graph=relative", "graph=/absolute/path", "graph=//host/path", "graph=", "graph=%3Aa", "graph=http%3A%2F%2Fx%2F%20y"],
)
def test_a_graph_that_is_no_absolute_iri_is_400(plain: Service, method: str, query: str) -> None:
    assert plain.client.request(method, f"/graphs?{query}", content=b"", headers=TURTLE).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("query", ["graph=http%3A%2F%2Fx%2F&default", "graph=http%3A%2F%2Fx%2F1&graph=http%3A%2F%2Fx%2F2"])
def test_more_than_one_graph_is_400(plain: Service, method: str, query: str) -> None:
    assert plain.client.request(method, f"/graphs?{query}", content=b"", headers=TURTLE).status_code == 400


@pytest.mark.parametrize("query", ["graph=http%3A%2F%2Fx%2F", "graph=relative", "graph=http%3A%2F%2Fx%2F&default", ""])
@pytest.mark.parametrize("method", ["TRACE", "QUERY", "LOCK"])
def test_a_method_that_is_not_supported_is_405_whatever_else_is_wrong(plain: Service, method: str, query: str) -> None:
    response = plain.client.request(method, f"/graphs?{query}", headers=TURTLE)
    assert response.status_code == 405
    assert {"GET", "HEAD", "PUT", "POST", "DELETE"} <= set(response.headers["Allow"].split(", "))


def test_a_graph_below_the_store_is_named_by_its_address(plain: Service) -> None:
    assert plain.client.put("/graphs/direct/one", content="<> <#p> 1 .", headers=TURTLE).status_code == 201
    name = f"{BASE}/graphs/direct/one"
    assert triples(plain, name) == parsed(f"<{name}> <{name}#p> 1 .")
    assert plain.client.post("/graphs/direct/one", content=ONE, headers=TURTLE).status_code in (200, 204)
    assert len(triples(plain, name)) == 2
    assert plain.client.head("/graphs/direct/one").status_code == 200
    assert plain.client.delete("/graphs/direct/one", headers=AUTHORIZED).status_code in (200, 204)
    assert plain.client.get("/graphs/direct/one").status_code == 404


@pytest.mark.parametrize("path", ["/graphs/a%20b", "/graphs/%C3%A9", "/graphs/100%25", "/graphs/a%2Fb"])
def test_a_graph_below_the_store_keeps_the_escapes_of_its_address(plain: Service, path: str) -> None:
    assert plain.client.put(path, content=ONE, headers=TURTLE).status_code == 201
    assert plain.client.get(path).status_code == 200
    assert triples(plain, BASE + path) == parsed(ONE)


def test_the_name_of_a_graph_is_decoded_once(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph + "/a%20b?c=é&d#e", ONE).status_code == 201
    rows = plain.rows(f"SELECT ?g {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), '{graph}')) }}")
    assert rows == [{"g": graph + "/a%20b?c=é&d#e"}]


# Who may write


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}"],
)
def test_a_write_without_the_right_token_is_401_and_changes_nothing(
    plain: Service, graph: str, method: str, authorization: str
) -> None:
    headers = {"Content-Type": "text/turtle"} | ({"Authorization": authorization} if authorization else {})
    send(plain, "PUT", graph, ONE)
    response = send(plain, method, graph, TWO, headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert triples(plain, graph) == parsed(ONE)


def test_the_scheme_of_a_token_has_no_case(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, ONE, {"Authorization": f"bearer {TOKEN}", "Content-Type": "text/turtle"}).is_success


def test_a_service_without_a_token_is_read_only(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", token=None) as running:
        for method in ("PUT", "POST", "DELETE"):
            response = send(running, method, "http://x/g", ONE)
            assert response.status_code == 403
            assert "write_token" in response.json()["detail"]
        assert not is_there(running, "http://x/g")


# The default graph as the merge of all


def test_a_merged_default_graph_can_be_read(merged: Service, graph: str) -> None:
    assert send(merged, "PUT", graph, f"<{graph}> <http://x/p> 1 .").status_code == 201
    response = merged.client.get("/graphs?default", headers={"Accept": "application/n-triples"})
    assert f"<{graph}>" in response.text


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_merged_default_graph_is_never_written_itself(merged: Service, method: str) -> None:
    response = merged.client.request(method, "/graphs?default", content=ONE, headers=TURTLE)
    assert response.status_code == 403
    assert "?graph=" in response.json()["detail"]


def test_what_leaves_a_graph_leaves_the_merge_unless_another_graph_holds_it(merged: Service, graph: str) -> None:
    asked = f"SELECT ?o {{ <{graph}> <http://x/p> ?o }} ORDER BY ?o"
    assert send(merged, "PUT", graph + "/1", f"<{graph}> <http://x/p> 1, 2 .").is_success
    assert send(merged, "PUT", graph + "/2", f"<{graph}> <http://x/p> 2, 3 .").is_success
    assert merged.rows(asked) == [{"o": "1"}, {"o": "2"}, {"o": "3"}]
    assert send(merged, "PUT", graph + "/1", f"<{graph}> <http://x/p> 4 .").is_success
    assert merged.rows(asked) == [{"o": "2"}, {"o": "3"}, {"o": "4"}]
    assert merged.client.delete("/graphs", params={"graph": graph + "/2"}, headers=AUTHORIZED).is_success
    assert merged.rows(asked) == [{"o": "4"}]


# Conditions


def test_a_graph_has_a_tag_until_it_changes(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    tags = [plain.client.get("/graphs", params={"graph": graph}).headers["ETag"] for _ in range(2)]
    assert tags[0] == tags[1]
    known = plain.client.get("/graphs", params={"graph": graph}, headers={"If-None-Match": tags[0]})
    assert (known.status_code, known.content) == (304, b"")
    send(plain, "POST", graph, TWO)
    changed = plain.client.get("/graphs", params={"graph": graph}, headers={"If-None-Match": tags[0]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tags[0]


def test_the_tag_of_a_graph_tells_formats_apart(plain: Service, graph: str) -> None:
    send(plain, "PUT", graph, ONE)
    tags = {plain.client.get("/graphs", params={"graph": graph}, headers={"Accept": a}).headers["ETag"] for a in TRIPLE_FORMATS}
    assert len(tags) == len(TRIPLE_FORMATS)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_graph_that_is_not_there_is_404_whatever_the_client_holds(plain: Service, graph: str, method: str) -> None:
    response = plain.client.request(method, "/graphs", params={"graph": graph}, headers={"If-None-Match": "*"})
    assert response.status_code == 404


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_write_to_another_state_than_the_client_saw_is_412_and_changes_nothing(plain: Service, graph: str, method: str) -> None:
    send(plain, "PUT", graph, ONE)
    seen = plain.client.get("/graphs", params={"graph": graph}).headers["ETag"]
    send(plain, "PUT", graph, TWO)
    for known in (seen, '"nonsense"'):
        assert send(plain, method, graph, ONE, TURTLE | {"If-Match": known}).status_code == 412
    assert triples(plain, graph) == parsed(TWO)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_write_to_the_state_that_the_client_saw_is_made(plain: Service, graph: str, method: str) -> None:
    send(plain, "PUT", graph, ONE)
    seen = plain.client.get("/graphs", params={"graph": graph}).headers["ETag"]
    assert send(plain, method, graph, TWO, TURTLE | {"If-Match": seen}).is_success


def test_a_graph_is_made_only_once_if_the_client_says_so(plain: Service, graph: str) -> None:
    only_new = TURTLE | {"If-None-Match": "*"}
    assert send(plain, "PUT", graph, ONE, only_new).status_code == 201
    assert send(plain, "PUT", graph, TWO, only_new).status_code == 412
    assert triples(plain, graph) == parsed(ONE)


def test_a_graph_that_must_be_there_and_is_not_is_412(plain: Service, graph: str) -> None:
    assert send(plain, "PUT", graph, ONE, TURTLE | {"If-Match": "*"}).status_code == 412
    assert not is_there(plain, graph)


# Sizes and codings


def test_a_huge_body_is_413_before_it_is_sent(merged: Service) -> None:
    head = (
        f"PUT /graphs?graph=http://x/huge HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Type: text/turtle\r\nContent-Length: 1048577\r\nExpect: 100-continue\r\n\r\n"
    )
    host, _, port = merged.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_huge_body_in_chunks_is_413_too(merged: Service, graph: str) -> None:
    chunk = (ONE + "\n").encode() * 4000
    response = send(merged, "PUT", graph, b"")
    assert response.status_code == 201
    response = merged.client.put("/graphs", params={"graph": graph}, content=iter([chunk] * 20), headers=TURTLE)
    assert response.status_code == 413
    assert "body_bytes" in response.json()["detail"]
    assert triples(merged, graph) == set()


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_gzipped_body_is_read(plain: Service, graph: str, coding: str) -> None:
    response = send(plain, "PUT", graph, gzip.compress(ONE.encode()), TURTLE | {"Content-Encoding": coding})
    assert response.status_code == 201, response.text
    assert triples(plain, graph) == parsed(ONE)


def test_a_gzipped_body_is_measured_by_what_comes_out(merged: Service, graph: str) -> None:
    body = gzip.compress(b"#" * (64 << 20))
    assert len(body) < 1 << 20
    response = send(merged, "PUT", graph, body, TURTLE | {"Content-Encoding": "gzip"})
    assert response.status_code == 413
    assert not is_there(merged, graph)


@pytest.mark.parametrize("body", [ONE.encode(), gzip.compress(ONE.encode())[:-4], b""], ids=["plain", "cut", "empty"])
def test_a_body_that_is_not_the_gzip_it_says_is_400(plain: Service, graph: str, body: bytes) -> None:
    assert send(plain, "PUT", graph, body, TURTLE | {"Content-Encoding": "gzip"}).status_code == 400
    assert not is_there(plain, graph)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "deflate"])
def test_a_coding_that_is_not_read_is_415_and_says_which_is(plain: Service, graph: str, coding: str) -> None:
    response = send(plain, "PUT", graph, ONE, TURTLE | {"Content-Encoding": coding})
    assert response.status_code == 415
    assert "gzip" in response.headers["Accept-Encoding"]
    assert not is_there(plain, graph)


# With the clients that people use


def test_rdflib_reads_what_it_wrote(plain: Service, graph: str) -> None:
    mine = rdflib.Graph().parse(data='@prefix x: <http://x/> . x:s x:p "é"@en, 1, [ x:q x:o ] .', format="turtle")
    for media_type, form in (("text/turtle", "turtle"), ("application/rdf+xml", "xml"), ("application/n-triples", "nt")):
        headers = AUTHORIZED | {"Content-Type": media_type}
        assert send(plain, "PUT", graph, mine.serialize(format=form), headers).is_success
        got = plain.client.get("/graphs", params={"graph": graph}, headers={"Accept": media_type})
        assert isomorphic(rdflib.Graph().parse(data=got.content, format=form), mine)
