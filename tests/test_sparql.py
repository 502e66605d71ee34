"""`/sparql` as a strict stranger tries it: SPARQL 1.1 Protocol and Service Description, formats, caching, limits."""

from __future__ import annotations

import csv
import gzip
import io
import socket
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import httpx
import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

from tests.running import TOKEN, Service, service, until

JSON = "application/sparql-results+json"
XML = "application/sparql-results+xml"
CSV = "text/csv"
TSV = "text/tab-separated-values"
TABLES = [JSON, XML, CSV, TSV]
GRAPHS = [
    "text/turtle",
    "application/n-triples",
    "application/n-quads",
    "application/trig",
    "application/ld+json",
    "application/rdf+xml",
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUERY = {"Content-Type": "application/sparql-query"}
UPDATE = {"Content-Type": "application/sparql-update", "Authorization": f"Bearer {TOKEN}"}
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
DATA = "http://kasei.us/2009/09/sparql/data/data"
SD = "http://www.w3.org/ns/sparql-service-description#"


@pytest.fixture(scope="module")
def data(plain: Service) -> Service:
    """The plain store with the four graphs of the W3C's protocol tests, each saying that it is a document."""
    for number in range(4):
        iri = f"{DATA}{number}.rdf"
        assert plain.put(iri, f"<{iri}> a <http://xmlns.com/foaf/0.1/Document> .").status_code in (201, 204)
    return plain


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A store without shapes whose default graph is the merge of all, as in the shipped service."""
    with service(tmp_path_factory.mktemp("merged"), "--plain", "--default-graph", "union") as running:
        assert running.put("http://m/1", "<http://m/s> <http://m/p> 1, 2 .").status_code == 201
        assert running.put("http://m/2", "<http://m/s> <http://m/p> 2, 3 .").status_code == 201
        yield running


def boolean(response: httpx.Response) -> bool:
    assert response.status_code == 200, response.text
    value = response.json()["boolean"]
    assert isinstance(value, bool)
    return value


def values(response: httpx.Response, name: str) -> list[str]:
    """One column of a JSON table."""
    assert response.status_code == 200, response.text
    return [row[name]["value"] for row in response.json()["results"]["bindings"]]


def documents(running: Service, method: str, *dataset: tuple[str, str], text: str) -> httpx.Response:
    """Asks with dataset parameters: by GET, by POST of a form, or by POST of the query itself."""
    accept = {"Accept": JSON}
    if method == "get":
        return running.client.get("/sparql", params=[("query", text), *dataset], headers=accept)
    if method == "form":
        body = urlencode([("query", text), *dataset])
        return running.client.post("/sparql", content=body, headers=FORM | accept)
    return running.client.post("/sparql", params=list(dataset), content=text, headers=QUERY | accept)


def sent(pairs: Sequence[tuple[str, str]]) -> httpx.QueryParams:
    """Parameters that may repeat."""
    return httpx.QueryParams(urlencode(pairs))


def default(*numbers: int) -> list[tuple[str, str]]:
    return [("default-graph-uri", f"{DATA}{number}.rdf") for number in numbers]


def named(*numbers: int) -> list[tuple[str, str]]:
    return [("named-graph-uri", f"{DATA}{number}.rdf") for number in numbers]


def raw(running: Service, request: bytes) -> bytes:
    """All that the service answers to these bytes."""
    host, _, port = running.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def product(rows: int, text: str = "") -> str:
    """A query with so many rows in order, ?n from 0; `text` stands in every row."""
    digits = " ".join(f"VALUES ?d{place} {{ 0 1 2 3 4 5 6 7 8 9 }}" for place in range(5))
    number = " + ".join(f"?d{place} * {10**place}" for place in range(5))
    return f'SELECT ?n ("{text}" AS ?text) {{ {digits} BIND({number} AS ?n) FILTER(?n < {rows}) }}'


ENDLESS = f"SELECT (COUNT(*) AS ?n) {{ {' '.join(f'VALUES ?v{i} {{ 0 1 2 3 4 5 6 7 8 9 }}' for i in range(14))} }}"
METHODS = ["get", "form", "direct"]


# Queries: the W3C's protocol tests (query_*)


@pytest.mark.parametrize("method", METHODS)
def test_a_query_is_taken_by_get_by_form_and_directly(data: Service, method: str) -> None:
    assert boolean(documents(data, method, text="ASK {}"))


@pytest.mark.parametrize("method", METHODS)
def test_one_default_graph_is_what_the_query_sees(data: Service, method: str) -> None:
    text = f"ASK {{ <{DATA}1.rdf> ?p ?o FILTER NOT EXISTS {{ <{DATA}2.rdf> ?q ?r }} }}"
    assert boolean(documents(data, method, *default(1), text=text))


@pytest.mark.parametrize("method", METHODS)
def test_two_default_graphs_are_merged(data: Service, method: str) -> None:
    text = f"ASK {{ <{DATA}1.rdf> ?p ?o . <{DATA}2.rdf> ?q ?r FILTER NOT EXISTS {{ <{DATA}3.rdf> ?t ?u }} }}"
    assert boolean(documents(data, method, *default(1, 2), text=text))


@pytest.mark.parametrize("method", METHODS)
def test_named_graphs_are_those_that_graph_ranges_over(data: Service, method: str) -> None:
    text = "SELECT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"
    assert values(documents(data, method, *named(1, 2), text=text), "g") == [f"{DATA}1.rdf", f"{DATA}2.rdf"]


@pytest.mark.parametrize("method", METHODS)
def test_a_dataset_of_named_graphs_has_an_empty_default_graph(data: Service, method: str) -> None:
    assert not boolean(documents(data, method, *named(1, 2), text="ASK { ?s ?p ?o }"))


@pytest.mark.parametrize("method", METHODS)
def test_a_dataset_of_default_graphs_has_no_named_graphs(data: Service, method: str) -> None:
    assert not boolean(documents(data, method, *default(1, 2), text="ASK { GRAPH ?g { ?s ?p ?o } }"))


@pytest.mark.parametrize("method", METHODS)
def test_a_full_dataset_has_both_kinds_apart(data: Service, method: str) -> None:
    text = """SELECT ?s ?g { { ?s ?p ?o BIND("" AS ?g) } UNION { GRAPH ?g { ?s ?p ?o } } } ORDER BY ?s"""
    response = documents(data, method, *default(3), *named(1, 2), text=text)
    assert values(response, "s") == [f"{DATA}{number}.rdf" for number in (1, 2, 3)]
    assert values(response, "g") == [f"{DATA}1.rdf", f"{DATA}2.rdf", ""]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clause", [f"FROM <{DATA}3.rdf>", f"FROM NAMED <{DATA}3.rdf>", "FROM <http://nowhere.example/>"])
@pytest.mark.parametrize("dataset", [(*default(1),), (*named(1),), (*default(0, 1),), (*default(0), *named(1))], ids=len)
def test_the_dataset_of_the_request_overrides_the_one_in_the_text(
    data: Service, method: str, clause: str, dataset: tuple[tuple[str, str], ...]
) -> None:
    text = f"SELECT ?s {clause} {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }} ORDER BY ?s"
    assert values(documents(data, method, *dataset, text=text), "s") == sorted(iri for _, iri in dataset)


@pytest.mark.parametrize("method", METHODS)
def test_a_graph_that_is_not_there_is_empty(data: Service, method: str) -> None:
    dataset = [("default-graph-uri", "http://nowhere.example/"), ("named-graph-uri", "http://nowhere.example/")]
    assert not boolean(documents(data, method, *dataset, text="ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"))


def test_the_text_itself_may_name_its_dataset(data: Service) -> None:
    text = (
        f"PREFIX d: <{DATA}> SELECT ?s FROM d:1.rdf FROM NAMED <{DATA}2.rdf> "
        "{ { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } } ORDER BY ?s"
    )
    assert values(data.query(text), "s") == [f"{DATA}1.rdf", f"{DATA}2.rdf"]


def test_from_is_resolved_against_base(data: Service) -> None:
    assert values(data.query(f"BASE <{DATA}> SELECT ?s FROM <data2.rdf> {{ ?s ?p ?o }}"), "s") == [f"{DATA}2.rdf"]


@pytest.mark.parametrize("method", METHODS)
def test_graphs_that_share_a_triple_are_merged_as_a_set(plain: Service, graph: str, method: str) -> None:
    plain.put(graph + "/1", "<http://x/s> <http://x/p> 1, 2 .")
    plain.put(graph + "/2", "<http://x/s> <http://x/p> 2, 3 .")
    dataset = [("default-graph-uri", graph + "/1"), ("default-graph-uri", graph + "/2")]
    response = documents(plain, method, *dataset, text="SELECT ?o { ?s ?p ?o } ORDER BY ?o")
    assert values(response, "o") == ["1", "2", "3"]


@pytest.mark.parametrize(
    "head",
    ["SELECT ?o", "SELECT ?o (EXISTS { ?s ?p ?o } AS ?there)", "SELECT ?o ('from { here }' AS ?x) # FROM <http://x/>\n"],
    ids=["simple", "exists", "comment"],
)
def test_from_two_graphs_that_share_a_triple_is_their_merge(plain: Service, graph: str, head: str) -> None:
    plain.put(graph + "/1", "<http://x/s> <http://x/p> 1, 2 .")
    plain.put(graph + "/2", "<http://x/s> <http://x/p> 2, 3 .")
    text = f"{head} FROM <{graph}/1> FROM <{graph}/2> WHERE {{ ?s ?p ?o }} ORDER BY ?o"
    assert values(plain.query(text), "o") == ["1", "2", "3"]


def test_construct_and_describe_take_their_dataset_from_the_text_too(plain: Service, graph: str) -> None:
    plain.put(graph + "/1", "<http://x/s> <http://x/p> 1, 2 .")
    plain.put(graph + "/2", "<http://x/s> <http://x/p> 2, 3 .")
    clauses = f"FROM <{graph}/1> FROM <{graph}/2>"
    for text in (
        f"CONSTRUCT {{ ?s ?p ?o }} {clauses} WHERE {{ ?s ?p ?o }}",
        f"CONSTRUCT {clauses} WHERE {{ ?s ?p ?o }}",
        f"DESCRIBE <http://x/s> {clauses}",
    ):
        assert len(set(plain.query(text, "application/n-triples").text.splitlines())) == 3, text


def test_the_merged_default_graph_has_a_triple_of_two_graphs_once(merged: Service) -> None:
    text = "SELECT ?o { <http://m/s> <http://m/p> ?o } ORDER BY ?o"
    assert values(merged.query(text), "o") == ["1", "2", "3"]
    assert merged.rows("SELECT (COUNT(*) AS ?n) { <http://m/s> ?p ?o }") == [{"n": "3"}]
    assert values(merged.query("SELECT ?o { GRAPH ?g { <http://m/s> ?p ?o } } ORDER BY ?o"), "o") == ["1", "2", "2", "3"]


def test_the_shipped_default_graph_is_the_merge_of_all_graphs_as_a_set(shipped: Service) -> None:
    count = "SELECT (COUNT(*) AS ?n) { %s }"
    (whole,) = shipped.rows(count % "?s ?p ?o")
    (distinct,) = shipped.rows(count % "{ SELECT DISTINCT ?s ?p ?o { GRAPH ?g { ?s ?p ?o } } }")
    (repeated,) = shipped.rows(count % "GRAPH ?g { ?s ?p ?o }")
    assert int(whole["n"]) == int(distinct["n"]) > 5000
    assert int(repeated["n"]) >= int(distinct["n"])


def test_the_default_graph_of_a_plain_store_holds_no_named_graph(data: Service) -> None:
    assert not boolean(data.query(f"ASK {{ <{DATA}1.rdf> ?p ?o }}"))


# Decoding and the base IRI


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_parameters_are_percent_decoded_once(plain: Service, method: str) -> None:
    text = "query=SELECT%20(%22%2520%22%20AS%20%3Fx)%20%7B%7D"
    if method == "GET":
        response = plain.client.get(f"/sparql?{text}")
    else:
        response = plain.client.post("/sparql", content=text, headers=FORM)
    assert values(response, "x") == ["%20"]


def test_a_graph_whose_name_holds_a_percent_escape_can_be_asked(plain: Service, graph: str) -> None:
    plain.put(graph + "%20b", "<http://x/s> <http://x/p> 1 .")
    parameters = f"query=ASK%20%7B%3Fs%20%3Fp%20%3Fo%7D&default-graph-uri={quote(graph + '%20b', safe='')}"
    assert "%2520b" in parameters
    assert boolean(plain.client.get(f"/sparql?{parameters}"))


def test_a_plus_is_a_space_in_url_and_form(plain: Service) -> None:
    text = "query=SELECT+(1+%2B+1+AS+%3Fx)+%7B%7D"
    assert values(plain.client.get(f"/sparql?{text}"), "x") == ["2"]
    assert values(plain.client.post("/sparql", content=text, headers=FORM), "x") == ["2"]


def test_a_plus_is_itself_in_a_direct_query(plain: Service) -> None:
    assert values(plain.client.post("/sparql", content="SELECT (1+1 AS ?x) {}", headers=QUERY), "x") == ["2"]


@pytest.mark.parametrize("method", METHODS)
def test_characters_beyond_ascii_arrive_whole(plain: Service, method: str) -> None:
    assert values(documents(plain, method, text='SELECT ("é 汽车 🚗" AS ?x) {}'), "x") == ["é 汽车 🚗"]


def test_a_relative_iri_is_resolved_against_the_endpoint(plain: Service) -> None:
    response = plain.query('SELECT (<x> AS ?a) (IRI("../y") AS ?b) {}')
    assert values(response, "a") == [f"{plain.url}/x"]
    assert values(response, "b") == [f"{plain.url}/y"]


def test_base_in_the_text_goes_before_the_endpoint(plain: Service) -> None:
    assert values(plain.query("BASE <http://b.example/c/> SELECT (<x> AS ?a) {}"), "a") == ["http://b.example/c/x"]


def test_a_relative_iri_in_an_update_is_resolved_too(plain: Service, graph: str) -> None:
    assert plain.update(f"CLEAR SILENT GRAPH <{graph}> ; INSERT DATA {{ GRAPH <{graph}> {{ <x> <y> 1 }} }}").is_success
    assert plain.rows(f"SELECT ?s {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"s": f"{plain.url}/x"}]


# Wrong requests: the W3C's protocol tests (bad_*)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_a_wrong_method_is_405_and_says_which_are_right(plain: Service, method: str) -> None:
    response = plain.client.request(method, "/sparql", params={"query": "ASK {}"})
    assert response.status_code == 405
    assert {"GET", "HEAD", "POST", "OPTIONS"} <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "query",
    [
        "query=ASK%20%7B%7D&query=SELECT%20%2A%20%7B%7D",
        "query=ASK%20%7B%7D&query=ASK%20%7B%7D",
        "query=ASK%20%7B%7D&update=CLEAR%20ALL",
        "update=CLEAR%20ALL",
        "query=",
        "default-graph-uri=http%3A%2F%2Fx%2F",
        "query=ASK%20%7B%7D&default-graph-uri=relative",
        "query=ASK%20%7B%7D&using-graph-uri=http%3A%2F%2Fx%2F",
        "query=ASK%20%7B",
        "query=ASK%20%7B%20%22%E9%22%20%7D",
    ],
)
def test_a_wrong_query_by_get_is_400(plain: Service, query: str) -> None:
    for method in ("GET", "HEAD"):
        assert plain.client.request(method, f"/sparql?{query}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        "query=ASK%20%7B%7D&query=SELECT%20%2A%20%7B%7D",
        "query=ASK%20%7B%7D&update=CLEAR%20ALL",
        "update=CLEAR%20NAMED&update=CLEAR%20DEFAULT",
        "",
        "query=",
        "query=ASK%20%7B",
        "query=ASK%20%7B%20%22%E9%22%20%7D",
        "query=ASK%20%7B%7D&using-graph-uri=http%3A%2F%2Fx%2F",
        "update=CLEAR%20ALL&default-graph-uri=http%3A%2F%2Fx%2F",
    ],
)
def test_a_wrong_form_is_400(plain: Service, body: str) -> None:
    assert plain.client.post("/sparql", content=body, headers=FORM | AUTHORIZED).status_code == 400


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/json", "text/turtle"])
@pytest.mark.parametrize("body", ["query=ASK%20%7B%7D", "update=CLEAR%20NAMED", "ASK {}", "CLEAR NAMED"])
def test_a_body_of_a_wrong_or_missing_media_type_is_refused(plain: Service, body: str, media_type: str | None) -> None:
    headers = AUTHORIZED | ({"Content-Type": media_type} if media_type else {})
    response = plain.client.post("/sparql", content=body, headers=headers)
    assert response.status_code == 415
    assert "application/sparql-query" in response.json()["detail"]


@pytest.mark.parametrize("headers", [QUERY, UPDATE])
@pytest.mark.parametrize(
    "body", ["ASK { ?s ?p 'é' }".encode("latin-1"), "ASK {}".encode("utf-16"), b"ASK {} # \xff", b"ASK {} # \xed\xa0\x80"]
)
def test_a_body_that_is_not_utf_8_is_400(plain: Service, headers: dict[str, str], body: bytes) -> None:
    assert plain.client.post("/sparql", content=body, headers=headers).status_code == 400


def test_a_body_that_says_it_is_utf_16_is_refused(plain: Service) -> None:
    headers = {"Content-Type": "application/sparql-query; charset=UTF-16"}
    assert plain.client.post("/sparql", content="ASK {}".encode("utf-16"), headers=headers).status_code in (400, 415)


@pytest.mark.parametrize("parameter", ["query", "update"])
@pytest.mark.parametrize("headers", [QUERY, UPDATE])
def test_a_direct_operation_with_another_in_the_url_is_400(plain: Service, headers: dict[str, str], parameter: str) -> None:
    response = plain.client.post("/sparql", params={parameter: "ASK {}"}, content="ASK {}", headers=headers)
    assert response.status_code == 400


def test_a_direct_query_without_a_text_is_400(plain: Service) -> None:
    assert plain.client.post("/sparql", content="", headers=QUERY).status_code == 400


def test_an_update_by_get_is_refused_and_changes_nothing(plain: Service, graph: str) -> None:
    text = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }}"
    assert plain.client.get("/sparql", params={"update": text}, headers=AUTHORIZED).status_code == 400
    assert plain.client.get("/sparql", params={"query": text}, headers=AUTHORIZED).status_code == 400
    assert not boolean(plain.query(f"ASK {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"))


def test_a_query_sent_as_an_update_is_400(plain: Service) -> None:
    assert plain.client.post("/sparql", content="ASK {}", headers=UPDATE).status_code == 400


# Updates: the W3C's protocol tests (update_*)


def using(kind: str, *numbers: int, base: str) -> list[tuple[str, str]]:
    return [(f"using-{kind}", f"{base}/{number}") for number in numbers]


@pytest.fixture
def three(plain: Service, graph: str) -> str:
    """Three graphs that each say which they are; the IRI before their numbers."""
    for number in (1, 2, 3):
        assert plain.put(f"{graph}/{number}", f"<http://x/{number}> a <http://x/Document> .").status_code == 201
    return graph


@pytest.mark.parametrize("method", ["form", "direct"])
@pytest.mark.parametrize(
    ("dataset", "seen"),
    [
        ([("graph-uri", 1)], {"1"}),
        ([("graph-uri", 1), ("graph-uri", 2)], {"1", "2"}),
        ([("named-graph-uri", 1), ("named-graph-uri", 2)], {"named 1", "named 2"}),
        ([("graph-uri", 1), ("named-graph-uri", 2)], {"1", "named 2"}),
    ],
)
def test_an_update_sees_the_graphs_that_the_request_says_it_uses(
    plain: Service, three: str, method: str, dataset: list[tuple[str, int]], seen: set[str]
) -> None:
    text = (
        f"CREATE SILENT GRAPH <{three}/out> ; INSERT {{ GRAPH <{three}/out> {{ ?s <http://x/seen> ?how }} }} WHERE {{ "
        '{ ?s a ?c BIND("" AS ?how) } UNION { GRAPH ?g { ?s a ?c } BIND("named " AS ?how) } }'
    )
    parameters = [(f"using-{kind}", f"{three}/{number}") for kind, number in dataset]
    if method == "form":
        body = urlencode([("update", text), *parameters])
        response = plain.client.post("/sparql", content=body, headers=FORM | AUTHORIZED)
    else:
        response = plain.client.post("/sparql", params=sent(parameters), content=text, headers=UPDATE)
    assert response.is_success, response.text
    rows = plain.rows(f"SELECT ?s ?how {{ GRAPH <{three}/out> {{ ?s <http://x/seen> ?how }} }}")
    assert {row["how"] + row["s"].removeprefix("http://x/") for row in rows} == seen


def test_using_graphs_hold_for_every_operation_of_a_request(plain: Service, three: str) -> None:
    text = (
        f"INSERT {{ GRAPH <{three}/a> {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }} ; "
        f"INSERT {{ GRAPH <{three}/b> {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }}"
    )
    response = plain.client.post("/sparql", params=sent(using("graph-uri", 2, base=three)), content=text, headers=UPDATE)
    assert response.is_success, response.text
    for copy in "ab":
        assert plain.rows(f"SELECT ?s {{ GRAPH <{three}/{copy}> {{ ?s ?p ?o }} }}") == [{"s": "http://x/2"}]


@pytest.mark.parametrize("kind", ["graph-uri", "named-graph-uri"])
@pytest.mark.parametrize("clause", ["USING <http://x/>", "USING NAMED <http://x/>", "with"], ids=["using", "named", "with"])
def test_using_in_request_and_text_is_400(plain: Service, three: str, kind: str, clause: str) -> None:
    insert = f"INSERT {{ <http://x/made> a ?c }} {'' if clause == 'with' else clause} WHERE {{ ?s a ?c }}"
    text = f"WITH <{three}/3> {insert}" if clause == "with" else insert
    response = plain.client.post("/sparql", params=sent(using(kind, 1, base=three)), content=text, headers=UPDATE)
    assert response.status_code == 400
    assert not boolean(plain.query("ASK { { <http://x/made> a ?c } UNION { GRAPH ?g { <http://x/made> a ?c } } }"))


def test_an_update_is_answered_without_a_body(plain: Service, graph: str) -> None:
    response = plain.update(f"CREATE GRAPH <{graph}>")
    assert (response.status_code, response.content) == (204, b"")


# HEAD, OPTIONS, QUERY, HTTP/1.0


@pytest.mark.parametrize("accept", [JSON, CSV])
def test_head_says_what_get_would_without_a_body(plain: Service, accept: str) -> None:
    parameters, headers = {"query": "SELECT * { ?s ?p ?o } LIMIT 3"}, {"Accept": accept}
    got, headed = (plain.client.request(m, "/sparql", params=parameters, headers=headers) for m in ("GET", "HEAD"))
    assert (headed.status_code, headed.content) == (200, b"")
    for name in ("Content-Type", "ETag", "Vary", "Cache-Control", "X-Content-Type-Options"):
        assert headed.headers[name] == got.headers[name]
    assert headed.headers.get("Content-Length", got.headers["Content-Length"]) == got.headers["Content-Length"]


def test_head_of_a_refusal_has_its_status_and_no_body(plain: Service) -> None:
    response = plain.client.head("/sparql", params={"query": "ASK {"})
    assert (response.status_code, response.content) == (400, b"")


@pytest.mark.parametrize("path", ["/sparql", "/graphs", "/graphs/some"])
def test_options_says_what_is_allowed(plain: Service, path: str) -> None:
    response = plain.client.options(path)
    assert response.is_success
    assert "GET" in response.headers["Allow"].split(", ")
    assert ("PUT" in response.headers["Allow"]) == path.startswith("/graphs")


@pytest.mark.parametrize(("path", "method"), [("/sparql", "POST"), ("/graphs", "PUT"), ("/graphs", "DELETE")])
def test_a_page_of_another_origin_may_ask_and_write_with_a_token(plain: Service, path: str, method: str) -> None:
    preflight = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    response = plain.client.options(path, headers=preflight)
    assert response.is_success
    assert response.headers["Access-Control-Allow-Origin"] in ("*", "https://elsewhere.example")
    assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = {name.strip().lower() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type"} <= allowed


@pytest.mark.parametrize("query", ["ASK {}", "ASK {", ""])
def test_every_answer_may_be_read_by_a_page_of_another_origin(plain: Service, query: str) -> None:
    response = plain.query(query)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in response.headers["Access-Control-Expose-Headers"].split(", ")


def test_the_method_query_asks(plain: Service) -> None:
    response = plain.client.request("QUERY", "/sparql", content="ASK {}", headers=QUERY)
    assert boolean(response)
    assert plain.client.request("QUERY", "/sparql", content="<x/>", headers={"Content-Type": "text/xml"}).status_code == 415


@pytest.mark.parametrize("rows", [1, 60_000])
def test_http_1_0_gets_a_body_whose_length_is_told(plain: Service, rows: int) -> None:
    request = f"GET /sparql?{urlencode({'query': product(rows)})} HTTP/1.0\r\nAccept: text/csv\r\n\r\n"
    head, _, body = raw(plain, request.encode()).partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert head.startswith(b"HTTP/1.1 200")
    assert b"transfer-encoding" not in fields
    assert int(fields[b"content-length"]) == len(body)
    assert body.count(b"\r\n") == rows + 1


# Formats of tables

PEOPLE = """SELECT * { VALUES (?iri ?text ?number ?none) {
  (<http://x/é?a=1&b=2> "a,\\"b\\"\\t<&>\\n  c\\\\" 1 UNDEF) (<http://x/2> "ü"@de-AT 2.5 "") } } ORDER BY ?iri"""
IRI = {"http://x/é?a=1&b=2", "http://x/2"}
TEXT = 'a,"b"\t<&>\n  c\\'


@pytest.mark.parametrize("accept", TABLES)
def test_a_table_says_its_media_type(plain: Service, accept: str) -> None:
    for text in ("SELECT ?x { VALUES ?x { 1 } }", "SELECT ?x { VALUES ?x {} }"):
        content_type = plain.query(text, accept).headers["Content-Type"]
        assert content_type.partition(";")[0] == accept
        assert content_type.endswith("; charset=utf-8") == accept.startswith("text/")


@pytest.mark.parametrize(("accept", "form"), [(JSON, "JSON"), (XML, "XML"), (TSV, "TSV")])
def test_a_table_says_every_term_exactly(plain: Service, accept: str, form: str) -> None:
    formats = {"JSON": ox.QueryResultsFormat.JSON, "XML": ox.QueryResultsFormat.XML, "TSV": ox.QueryResultsFormat.TSV}
    parsed = ox.parse_query_results(plain.query(PEOPLE, accept).content, formats[form])
    assert isinstance(parsed, ox.QuerySolutions)
    rows = {row["iri"]: (row["text"], row["number"], row["none"]) for row in parsed}
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert rows == {
        ox.NamedNode("http://x/é?a=1&b=2"): (ox.Literal(TEXT), ox.Literal("1", datatype=ox.NamedNode(xsd + "integer")), None),
        ox.NamedNode("http://x/2"): (
            ox.Literal("ü", language="de-AT"),
            ox.Literal("2.5", datatype=ox.NamedNode(xsd + "decimal")),
            ox.Literal(""),
        ),
    }


@pytest.mark.parametrize(("accept", "form"), [(JSON, "json"), (XML, "xml"), (CSV, "csv"), (TSV, "tsv")])
def test_rdflib_reads_a_table(plain: Service, accept: str, form: str) -> None:
    result = rdflib.query.Result.parse(io.BytesIO(plain.query(PEOPLE, accept).content), format=form)
    assert {str(row[rdflib.Variable("iri")]) for row in result.bindings} == IRI


def test_csv_has_a_line_of_names_line_ends_as_rfc_4180_has_them_and_plain_values(plain: Service) -> None:
    text = "SELECT ?iri ?text ?number ?none" + PEOPLE.removeprefix("SELECT *")
    response = plain.query(text, CSV)
    assert response.text.startswith("iri,text,number,none\r\n")
    rows = list(csv.reader(io.StringIO(response.text, newline="")))
    assert rows[1:] == [["http://x/2", "ü", "2.5", ""], ["http://x/é?a=1&b=2", TEXT, "1", ""]]


def test_tsv_has_variables_with_question_marks_and_terms_as_turtle_writes_them(plain: Service) -> None:
    lines = plain.query('SELECT ?a ?b { VALUES (?a ?b) { (<http://x/> "t\\tn\\n") } }', TSV).text.splitlines()
    assert lines == ["?a\t?b", '<http://x/>\t"t\\tn\\n"']


@pytest.mark.parametrize("accept", TABLES)
def test_a_table_without_rows_is_whole_and_names_its_columns(plain: Service, accept: str) -> None:
    response = plain.query("SELECT ?a ?b { VALUES (?a ?b) {} }", accept)
    body, link = response.text, f"{plain.url}/changes/{response.headers['X-Commit']}"
    expected: dict[str, Callable[[], bool]] = {
        JSON: lambda: body == f'{{"head":{{"link":["{link}"],"vars":["a","b"]}},"results":{{"bindings":[]}}}}',
        XML: lambda: "<results></results>" in body or "<results/>" in body,
        CSV: lambda: body == "a,b\r\n",
        TSV: lambda: body == "?a\t?b\n",
    }
    assert expected[accept](), body
    assert accept != XML or [e.get("name") for e in ElementTree.fromstring(body).iter() if e.tag.endswith("}variable")] == [*"ab"]


@pytest.mark.parametrize("accept", TABLES)
def test_ten_thousand_rows_arrive_whole_and_in_order(plain: Service, accept: str) -> None:
    text = product(10_000, "x" * 50).replace("SELECT ?n", "SELECT ?n", 1) + " ORDER BY DESC(?n)"
    response = plain.query(text, accept)
    expected = [str(n) for n in range(9_999, -1, -1)]
    if accept == CSV:
        assert [row["n"] for row in csv.DictReader(io.StringIO(response.text, newline=""))] == expected
        return
    form = {JSON: ox.QueryResultsFormat.JSON, XML: ox.QueryResultsFormat.XML, TSV: ox.QueryResultsFormat.TSV}[accept]
    parsed = ox.parse_query_results(response.content, form)
    assert isinstance(parsed, ox.QuerySolutions)
    assert [row["n"].value for row in parsed if isinstance(row["n"], ox.Literal)] == expected


@pytest.mark.parametrize("truth", [True, False])
def test_a_truth_value_comes_as_json_and_xml(plain: Service, truth: bool) -> None:
    text = f"ASK {{ FILTER({str(truth).lower()}) }}"
    for accept, form in ((JSON, ox.QueryResultsFormat.JSON), (XML, ox.QueryResultsFormat.XML)):
        response = plain.query(text, accept)
        assert response.headers["Content-Type"] == accept
        assert bool(ox.parse_query_results(response.content, form)) is truth


def test_a_triple_term_is_said_in_every_table_format_that_has_it(plain: Service) -> None:
    text = 'VERSION "1.2" SELECT ?t { BIND(<<( <http://x/s> <http://x/p> "o"@en )>> AS ?t) }'
    term = ox.Triple(ox.NamedNode("http://x/s"), ox.NamedNode("http://x/p"), ox.Literal("o", language="en"))
    assert plain.query(text).json()["results"]["bindings"][0]["t"] == {
        "type": "triple",
        "value": {
            "subject": {"type": "uri", "value": "http://x/s"},
            "predicate": {"type": "uri", "value": "http://x/p"},
            "object": {"type": "literal", "value": "o", "xml:lang": "en"},
        },
    }
    for accept, form in ((JSON, ox.QueryResultsFormat.JSON), (XML, ox.QueryResultsFormat.XML), (TSV, ox.QueryResultsFormat.TSV)):
        parsed = ox.parse_query_results(plain.query(text, accept).content, form)
        assert isinstance(parsed, ox.QuerySolutions)
        assert [row["t"] for row in parsed] == [term]


def test_a_direction_of_writing_is_kept(plain: Service) -> None:
    (row,) = plain.query('SELECT (STRLANGDIR("a", "he", "rtl") AS ?t) {}').json()["results"]["bindings"]
    assert row["t"] == {"type": "literal", "value": "a", "xml:lang": "he", "its:dir": "rtl"}


def test_a_version_is_announced_in_the_text_of_either_kind(plain: Service, graph: str) -> None:
    assert boolean(plain.query('VERSION "1.2" ASK {}'))
    assert plain.update(f'VERSION "1.2" CREATE GRAPH <{graph}>').is_success


@pytest.mark.parametrize("character", ["\\u0001", "\\u0000", "\\uFFFE", "\\u001F"])
def test_what_xml_cannot_say_is_refused_or_breaks_but_is_never_sent_as_xml(plain: Service, character: str) -> None:
    for text, accept in (
        (f'SELECT ("{character}" AS ?x) {{}}', XML),
        (f'CONSTRUCT {{ <http://x/s> <http://x/p> "{character}" }} {{}}', "application/rdf+xml"),
    ):
        try:
            response = plain.query(text, accept)
        except httpx.RemoteProtocolError:
            continue
        if response.status_code == 200:
            ElementTree.fromstring(response.content)


def test_a_predicate_that_is_no_xml_name_is_refused_or_breaks_but_is_never_sent_as_xml(plain: Service) -> None:
    response = plain.query("CONSTRUCT { <http://x/s> <http://x/1> 1 } {}", "application/rdf+xml")
    if response.status_code == 200:
        assert len(rdflib.Graph().parse(data=response.content, format="xml")) == 1
    else:
        assert response.status_code == 406


# Formats of graphs

GRAPH = """CONSTRUCT { <http://x/s> <http://x/p> "é", 1, _:b . _:b <http://x/q> <http://x/o> } {}"""


@pytest.mark.parametrize("accept", GRAPHS)
@pytest.mark.parametrize("text", [GRAPH, "CONSTRUCT { ?s ?p ?o } { VALUES (?s ?p ?o) {} }"])
def test_a_graph_comes_in_every_format_with_its_media_type(plain: Service, accept: str, text: str) -> None:
    response = plain.query(text, accept)
    assert response.headers["Content-Type"].partition(";")[0] == accept
    form = ox.RdfFormat.from_media_type(accept)
    triples = [quad.triple for quad in ox.parse(response.content, format=form)]
    assert len(triples) == (4 if text == GRAPH else 0)
    assert {t.object for t in triples if isinstance(t.object, ox.Literal) and t.object.value == "é"} == (
        {ox.Literal("é")} if triples else set()
    )


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/turtle", "turtle"),
        ("application/n-triples", "nt"),
        ("application/ld+json", "json-ld"),
        ("application/rdf+xml", "xml"),
    ],
)
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own JSON-LD parser
def test_rdflib_reads_a_graph(plain: Service, accept: str, form: str) -> None:
    graph = rdflib.Graph().parse(data=plain.query(GRAPH, accept).content, format=form)
    expected = rdflib.Graph().parse(data='@prefix x: <http://x/> . x:s x:p "é", 1, [ x:q x:o ] .', format="turtle")
    assert isomorphic(graph, expected)


@pytest.mark.parametrize("accept", GRAPHS)
def test_describe_is_a_graph(data: Service, accept: str) -> None:
    response = data.query(f"DESCRIBE <{DATA}1.rdf> FROM <{DATA}1.rdf>", accept)
    assert response.headers["Content-Type"].partition(";")[0] == accept
    (quad,) = ox.parse(response.content, format=ox.RdfFormat.from_media_type(accept))
    assert quad.subject == ox.NamedNode(f"{DATA}1.rdf")


@pytest.mark.parametrize("accept", ["text/turtle", "application/n-triples", "application/n-quads", "application/trig"])
def test_a_graph_with_a_triple_term_comes_in_every_text_format(plain: Service, accept: str) -> None:
    text = "CONSTRUCT { <http://x/s> <http://x/p> <<( <http://x/a> <http://x/b> 1 )>> } {}"
    (quad,) = ox.parse(plain.query(text, accept).content, format=ox.RdfFormat.from_media_type(accept))
    assert isinstance(quad.object, ox.Triple)


# Negotiation


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("*/*", JSON),
        ("", JSON),
        ("application/*", JSON),
        ("text/*", "text/"),
        ("application/json", JSON),
        ("application/xml", XML),
        ("text/xml", XML),
        (f"{CSV};q=0.5, {XML}", XML),
        (f"{CSV}, {XML};q=0.9", CSV),
        (f"{CSV};q=0.1, {XML};q=0.01, */*;q=0.001", CSV),
        (f"{JSON};q=0, */*", XML),
        (f"*/*, {JSON};q=0", XML),
        (f"image/png, {TSV};q=0.1", TSV),
        (f"text/turtle, {CSV};q=0.2", CSV),
        (f"{CSV} ; Q=0.5 , {TSV} ; q=0.6", TSV),
        (f"text/*;q=0.2, {CSV};q=0.1, {XML};q=0.15", TSV),
        (f"{CSV};header=present", CSV),
        ("TEXT/CSV", CSV),
    ],
)
def test_the_format_of_a_table_is_what_accept_likes_best(plain: Service, accept: str, chosen: str) -> None:
    response = plain.query("SELECT ?x { VALUES ?x { 1 } }", accept)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith(chosen)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("*/*", "text/turtle"),
        ("application/*", "application/"),
        ("text/*", "text/turtle"),
        (f"{JSON}, application/n-triples;q=0.1", "application/n-triples"),
        ("application/rdf+xml, text/turtle;q=0.9", "application/rdf+xml"),
        ("application/trig;q=0.3, application/n-quads;q=0.4", "application/n-quads"),
        ("text/turtle;q=0, */*;q=0.1", "application/"),
    ],
)
def test_the_format_of_a_graph_is_what_accept_likes_best(plain: Service, accept: str, chosen: str) -> None:
    response = plain.query(GRAPH, accept)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith(chosen)


def test_without_accept_a_table_is_json_and_a_graph_is_turtle(plain: Service) -> None:
    for text, media_type in (("SELECT * {}", JSON), (GRAPH, "text/turtle")):
        request = f"GET /sparql?{urlencode({'query': text})} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert f"content-type: {media_type}".encode() in raw(plain, request.encode()).lower()


def test_several_accept_fields_are_one_list(plain: Service) -> None:
    headers = [("Accept", CSV), ("Accept", "image/png")]
    response = plain.client.get("/sparql", params={"query": "SELECT * {}"}, headers=headers)
    assert response.headers["Content-Type"].startswith(CSV)


@pytest.mark.parametrize(
    ("text", "accept", "there_is"),
    [
        ("SELECT * {}", "image/png", TABLES),
        ("SELECT * {}", "text/turtle", TABLES),
        ("SELECT * {}", "*/*;q=0", TABLES),
        ("ASK {}", "application/rdf+xml", [JSON, XML]),
        (GRAPH, CSV, GRAPHS),
        (GRAPH, "image/*", GRAPHS),
    ],
)
def test_a_format_that_cannot_be_had_is_406_and_lists_what_there_is(
    plain: Service, text: str, accept: str, there_is: list[str]
) -> None:
    response = plain.query(text, accept)
    assert response.status_code == 406
    assert set(there_is) <= set(response.json()["available"])
    assert all(media_type in response.json()["detail"] for media_type in there_is)


@pytest.mark.parametrize("query", ["ASK {}", "SELECT * {", "CONSTRUCT WHERE { ?s <http://nowhere/> ?o }"])
def test_every_answer_says_that_it_varies_by_accept(plain: Service, query: str) -> None:
    for accept in ("*/*", "image/png"):
        vary = plain.query(query, accept).headers.get("Vary", "")
        assert "accept" in {name.strip().lower() for name in vary.split(",")}


def test_no_answer_is_to_be_guessed_at_by_a_browser(plain: Service) -> None:
    for response in (plain.query("ASK {}"), plain.query("ASK {"), plain.client.get("/sparql"), plain.client.get("/nothing")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"


# Compression


def test_a_long_answer_is_compressed_for_those_who_take_gzip_and_says_the_same(plain: Service) -> None:
    text = product(2000)
    whole = plain.query(text, CSV, **{"Accept-Encoding": "identity"})
    packed = plain.query(text, CSV, **{"Accept-Encoding": "deflate, gzip;q=0.5"})
    assert "Content-Encoding" not in whole.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == whole.content
    assert packed.num_bytes_downloaded < whole.num_bytes_downloaded / 2


def test_a_streamed_compressed_answer_is_one_whole_gzip_member(plain: Service) -> None:
    fields = "Accept: text/csv\r\nAccept-Encoding: gzip\r\n"
    request = f"GET /sparql?{urlencode({'query': product(60000, 'x' * 40)})} HTTP/1.0\r\n{fields}\r\n"
    head, _, body = raw(plain, request.encode()).partition(b"\r\n\r\n")
    assert b"content-encoding: gzip" in head.lower()
    unpacked = zlib.decompressobj(31)
    assert unpacked.decompress(body).count(b"\r\n") == 60001
    assert unpacked.eof
    assert not unpacked.unused_data


@pytest.mark.parametrize("encodings", ["", "identity", "gzip;q=0", "gzip; q=0.0", "br"])
def test_who_does_not_take_gzip_gets_none(plain: Service, encodings: str) -> None:
    assert "Content-Encoding" not in plain.query(product(2000), CSV, **{"Accept-Encoding": encodings}).headers


def test_a_small_answer_is_not_compressed(plain: Service) -> None:
    response = plain.query("SELECT ?x { VALUES ?x { 1 } }", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers
    assert response.headers["Content-Length"] == str(len(response.content))


# Caching


def tag(running: Service, text: str, accept: str = JSON, **headers: str) -> str:
    value = running.query(text, accept, **headers).headers["ETag"]
    assert value.startswith('"')
    assert value.endswith('"')
    return str(value)


def test_the_same_query_has_the_same_tag_until_something_is_written(plain: Service, graph: str) -> None:
    text = f"SELECT * {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    before = tag(plain, text)
    assert tag(plain, text) == before
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    after = tag(plain, text)
    assert after != before
    assert plain.update(f"DROP GRAPH <{graph}>").is_success
    assert tag(plain, text) not in (before, after)


def test_the_tag_tells_queries_datasets_formats_and_encodings_apart(plain: Service) -> None:
    text = product(1000)
    plain_tag = tag(plain, text, **{"Accept-Encoding": "identity"})
    tags = {tag(plain, text, accept, **{"Accept-Encoding": "identity"}) for accept in TABLES}
    tags |= {tag(plain, text + " ", **{"Accept-Encoding": "identity"}), tag(plain, text, **{"Accept-Encoding": "gzip"})}
    parameters = {"query": text, "default-graph-uri": "http://x/"}
    tags.add(plain.client.get("/sparql", params=parameters, headers={"Accept-Encoding": "identity"}).headers["ETag"])
    assert plain_tag in tags
    assert len(tags) == len(TABLES) + 3


def test_a_relative_iri_makes_the_tag_depend_on_the_host(plain: Service) -> None:
    text = "SELECT (<x> AS ?x) {}"
    assert tag(plain, text, Host="a.example") != tag(plain, text, Host="b.example")


@pytest.mark.parametrize("call", ["NOW()", "RAND()", "UUID()", "STRUUID()", "now ()"])
def test_what_changes_by_itself_has_no_tag(plain: Service, call: str) -> None:
    response = plain.query(f"SELECT ({call} AS ?x) {{}}")
    assert response.status_code == 200
    assert "ETag" not in response.headers


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"other", {0}', '"a" , W/"b",{0}', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_holds_the_answer_already_gets_304_without_a_body(plain: Service, form: str, method: str) -> None:
    text = product(100)
    known = tag(plain, text)
    headers = {"Accept": JSON, "If-None-Match": form.format(known)}
    response = plain.client.request(method, "/sparql", params={"query": text}, headers=headers)
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == known
    assert "accept" in response.headers["Vary"].lower()


def test_who_holds_another_answer_gets_this_one(plain: Service, graph: str) -> None:
    text = f"ASK {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    known = tag(plain, text)
    assert plain.put(graph, "<http://x/s> <http://x/p> 1 .").status_code == 201
    assert boolean(plain.query(text, **{"If-None-Match": known}))
    assert plain.query(text, XML, **{"If-None-Match": tag(plain, text)}).status_code == 200


def test_several_if_none_match_fields_are_one_list(plain: Service) -> None:
    headers = [("Accept", JSON), ("If-None-Match", tag(plain, "ASK {}")), ("If-None-Match", '"other"')]
    assert plain.client.get("/sparql", params={"query": "ASK {}"}, headers=headers).status_code == 304


def test_a_wrong_query_is_told_so_whatever_the_client_holds(plain: Service) -> None:
    assert plain.query("ASK {", **{"If-None-Match": "*"}).status_code == 400


def test_a_tag_of_one_start_is_not_used_by_another(plain: Service, merged: Service) -> None:
    assert tag(plain, "ASK {}", Host="x").split("-")[0] != tag(merged, "ASK {}", Host="x").split("-")[0]


# Refusals


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("SELEC * {}", 1, 1),
        ("SELECT * { ?s ?p ?o ) }", 1, 21),
        ("SELECT * { ?s ?p 'é汽🚗' ) }", 1, 24),
        ("SELECT * { ?s ?p ?o } LIMIT x", 1, 29),
        ("SELECT *\n{ ?s ?p ?o ", 2, 12),
        ("SELECT * {\n?s ?p ?o\n?a ?b ?c }", 3, 1),
        ("SELECT ?x WHERE {\n ?x a ?y .\n FILTER(?x >)\n}", 3, 13),
        ("SELECT * {}\n\n\n  nonsense", 4, 3),
        ("# é\r\nASK { ?s ?p ?o ) }", 2, 16),
    ],
)
def test_a_syntax_error_has_its_line_and_column(plain: Service, text: str, line: int, column: int) -> None:
    response = plain.query(text)
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["line"], problem["column"]) == (line, column), problem["detail"]
    assert f"{line}" in problem["detail"]


def test_an_unknown_prefix_is_refused_in_its_line(plain: Service) -> None:
    problem = plain.query("SELECT * {\n  ?s ?p ?o .\n  ?s ex:p ?o\n}").json()
    assert (problem["status"], problem["line"]) == (400, 3)


def test_a_syntax_error_of_an_update_has_its_line_and_column(plain: Service) -> None:
    problem = plain.update("CLEAR DEFAULT ;\nINSERT DATA { <http://x/s> <http://x/p> ").json()
    assert (problem["status"], problem["line"], problem["column"]) == (400, 2, 41)


def test_a_refusal_says_what_it_is_as_rfc_9457_has_it(plain: Service) -> None:
    response = plain.query("ASK {")
    problem = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert problem["status"] == response.status_code
    assert problem["type"].startswith("https://")
    assert response.headers["X-Request-Id"] in problem["instance"]


def test_a_browser_gets_a_refusal_as_a_page_with_the_text_escaped(plain: Service) -> None:
    response = plain.query("SELECT (<http://x/<script>>(1) AS ?x) {}", BROWSER)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script>" not in response.text
    response = plain.query("SELECT (<javascript:alert('&')>(1) AS ?x) {}", BROWSER)
    assert response.status_code == 400
    assert "alert(&#39;&amp;&#39;)" in response.text


def test_an_unknown_function_is_refused_by_name(plain: Service) -> None:
    response = plain.query("SELECT (<http://x/unknown>(1) AS ?x) {}")
    assert response.status_code == 400
    assert "http://x/unknown" in response.json()["detail"]


def test_an_error_within_a_row_leaves_the_value_unbound(plain: Service) -> None:
    response = plain.query('SELECT ?x (1 / ?x AS ?y) ("a" + 1 AS ?z) { VALUES ?x { 0 1 } } ORDER BY ?x')
    assert [sorted(row) for row in response.json()["results"]["bindings"]] == [["x"], ["x", "y"]]


@pytest.mark.parametrize("depth", [2000, 10_000])
def test_a_query_that_is_nested_too_deeply_costs_only_itself(plain: Service, depth: int) -> None:
    response = plain.client.post("/sparql", content="ASK " + "{" * depth + "}" * depth, headers=QUERY)
    assert response.status_code in (200, 400, 500)
    if response.status_code == 500:
        assert "nested" in response.json()["detail"]
    assert boolean(plain.query("ASK {}"))


@pytest.mark.parametrize("given", ["a", "0af7651916cd43dd-8448eb", "x" * 128, "/.:_~!{}"])
def test_a_sane_request_id_is_echoed(plain: Service, given: str) -> None:
    assert plain.query("ASK {}", **{"X-Request-Id": given}).headers["X-Request-Id"] == given
    assert plain.query("ASK {", **{"X-Request-Id": given}).json()["instance"].endswith(given)


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb"])
def test_another_request_id_is_replaced_by_one_of_our_own(plain: Service, given: str) -> None:
    first, second = (plain.query("ASK {}", **{"X-Request-Id": given}).headers["X-Request-Id"] for _ in range(2))
    assert first not in ("", given)
    assert first != second


# Limits


@dataclass(frozen=True)
class Narrow:
    """What the narrow service allows."""

    rows: int = 5000
    mebibytes: int = 1
    seconds: int = 2
    memory: int = 64
    kibibytes: int = 4


NARROW = Narrow()


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose limits are easily met."""
    limits = {
        "--query-rows": NARROW.rows,
        "--query-bytes": NARROW.mebibytes,
        "--query-seconds": NARROW.seconds,
        "--query-memory": NARROW.memory,
        "--query-length": NARROW.kibibytes,
        "--readers": 1,
        "--queue-length": 1,
    }
    arguments = [str(word) for pair in limits.items() for word in pair]
    with service(tmp_path_factory.mktemp("narrow"), "--plain", *arguments) as running:
        yield running


IDENTITY = {"Accept-Encoding": "identity"}


@pytest.mark.parametrize("accept", TABLES)
def test_as_many_rows_as_are_allowed_arrive_and_one_more_is_refused(narrow: Service, accept: str) -> None:
    packed = {"Accept-Encoding": "gzip"}  # so that the whole answer is held until its end
    allowed = narrow.query(product(NARROW.rows), accept, **packed)
    assert allowed.status_code == 200, allowed.text
    refused = narrow.query(product(NARROW.rows + 1), accept, **packed)
    assert refused.status_code in (413, 500)
    assert "query_rows" in refused.json()["detail"]
    assert f"{NARROW.rows:,}" in refused.json()["detail"]


@pytest.mark.parametrize("text", [product(50_000), product(4000, "x" * 500)], ids=["rows", "bytes"])
@pytest.mark.parametrize("accept", [JSON, XML])
def test_an_answer_that_is_cut_after_its_first_bytes_breaks_the_connection(narrow: Service, accept: str, text: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        narrow.query(text, accept, **IDENTITY)
    assert boolean(narrow.query("ASK {}"))


def test_a_cut_answer_is_counted(narrow: Service) -> None:
    before = narrow.metric("motorgraph_broken_answers_total")
    with pytest.raises(httpx.RemoteProtocolError):
        narrow.query(product(50_000), **IDENTITY)
    assert narrow.metric("motorgraph_broken_answers_total") == before + 1


def test_http_1_0_never_gets_a_cut_answer_that_looks_whole(narrow: Service) -> None:
    request = f"GET /sparql?{urlencode({'query': product(50_000)})} HTTP/1.0\r\n\r\n"
    assert not raw(narrow, request.encode()).startswith(b"HTTP/1.1 200")


def test_an_answer_that_is_too_long_is_refused_by_the_name_of_the_limit(narrow: Service) -> None:
    response = narrow.query(product(4000, "x" * 500), CSV, **{"Accept-Encoding": "gzip"})
    assert response.status_code in (413, 500)
    assert "query_bytes" in response.json()["detail"]


def test_a_graph_that_is_too_long_is_cut_too(narrow: Service) -> None:
    where = product(40_000).partition("{")[2]
    text = f"CONSTRUCT {{ <http://x/s> <http://x/a-rather-long-predicate-{'x' * 100}> ?n }} {{ {where}"
    with pytest.raises(httpx.RemoteProtocolError):
        narrow.query(text, "application/n-triples", **IDENTITY)


@pytest.mark.parametrize("method", METHODS)
def test_a_query_that_is_too_long_is_413(narrow: Service, method: str) -> None:
    longest = "ASK {} #"
    longest += "x" * (NARROW.kibibytes * 1024 - len(longest))
    assert boolean(documents(narrow, method, text=longest))
    response = documents(narrow, method, text=longest + "x")
    assert response.status_code == 413
    assert "query_length" in response.json()["detail"]


def test_a_very_long_body_is_413_before_it_is_sent(narrow: Service) -> None:
    head = "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 99999999\r\n\r\n"
    host, _, port = narrow.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413")


def test_a_query_that_takes_too_long_is_503_names_the_limit_and_when_to_come_again(narrow: Service) -> None:
    response = narrow.query(ENDLESS)
    assert response.status_code == 503
    assert "query_seconds" in response.json()["detail"]
    assert f"{NARROW.seconds} seconds" in response.json()["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert boolean(narrow.query("ASK {}"))


def test_a_query_that_needs_too_much_memory_is_500_and_names_the_limit(narrow: Service) -> None:
    text = (
        product(100_000)
        .replace("SELECT ?n", "SELECT ?n ?grown", 1)
        .replace("FILTER", 'BIND(CONCAT(STR(?n), "%s") AS ?grown) FILTER')
    )
    response = narrow.query(text % ("x" * 1500) + " ORDER BY ?grown")
    assert response.status_code == 500
    assert "query_memory" in response.json()["detail"]
    assert boolean(narrow.query("ASK {}"))


def test_a_queue_that_is_full_is_503_and_says_when_to_come_again(narrow: Service) -> None:
    def ask(_: int) -> httpx.Response:
        return httpx.get(f"{narrow.url}/sparql", params={"query": ENDLESS}, timeout=60, trust_env=False)

    with ThreadPoolExecutor(6) as many:
        answers = list(many.map(ask, range(6)))
    assert {response.status_code for response in answers} == {503}
    refused = [response for response in answers if "queue_length" in response.json()["detail"]]
    assert refused
    assert all(int(response.headers["Retry-After"]) > 0 for response in refused)
    assert boolean(narrow.query("ASK {}"))


def test_a_client_that_leaves_frees_its_reader(narrow: Service) -> None:
    with pytest.raises(httpx.ReadTimeout):
        narrow.client.get("/sparql", params={"query": ENDLESS}, timeout=0.3)
    assert boolean(narrow.query("ASK {}"))


# The service description


def description(running: Service, accept: str = "text/turtle", **headers: str) -> rdflib.Graph:
    response = running.client.get("/sparql", headers={"Accept": accept, **headers})
    assert response.status_code == 200
    form = ox.RdfFormat.from_media_type(response.headers["Content-Type"].partition(";")[0])
    graph = rdflib.Graph()
    triples = ox.serialize((quad.triple for quad in ox.parse(response.content, format=form)), format=ox.RdfFormat.N_TRIPLES)
    return graph.parse(data=triples or b"", format="nt")


def local(graph: rdflib.Graph, name: str) -> set[str]:
    """The values of a property of the service, without their namespace."""
    (node,) = graph.subjects(rdflib.RDF.type, rdflib.URIRef(SD + "Service"))
    return {str(value).rpartition("#")[2].rpartition("/")[2] for value in graph.objects(node, rdflib.URIRef(SD + name))}


def test_without_a_query_the_service_describes_itself(plain: Service) -> None:
    graph = description(plain)
    assert set(graph.objects(None, rdflib.URIRef(SD + "endpoint"))) == {rdflib.URIRef(plain.url + "/sparql")}
    assert {"SPARQL11Query", "SPARQL11Update"} <= local(graph, "supportedLanguage")
    assert {"SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV"} <= local(
        graph, "resultFormat"
    )
    assert {"Turtle", "N-Triples", "N-Quads", "TriG", "RDF_XML", "JSON-LD"} <= local(graph, "resultFormat")
    assert {"Turtle", "RDF_XML"} <= local(graph, "inputFormat")


def test_the_description_claims_no_more_than_is_so(plain: Service, merged: Service) -> None:
    assert "BasicFederatedQuery" not in local(description(plain), "feature")
    assert "UnionDefaultGraph" not in local(description(plain), "feature")
    assert "UnionDefaultGraph" in local(description(merged), "feature")
    assert "EmptyGraphs" not in local(description(merged), "feature")


def test_empty_graphs_stay_where_the_description_says_so(plain: Service, graph: str) -> None:
    assert "EmptyGraphs" in local(description(plain), "feature")
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    assert plain.update(f"DELETE WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}").is_success
    assert boolean(plain.query(f"ASK {{ GRAPH <{graph}> {{}} }}"))


def test_the_description_links_the_default_graph_and_names_the_others(shipped: Service) -> None:
    graph = description(shipped)
    (dataset,) = graph.objects(None, rdflib.URIRef(SD + "defaultDataset"))
    assert len(list(graph.objects(dataset, rdflib.URIRef(SD + "defaultGraph")))) == 1
    described = list(graph.objects(dataset, rdflib.URIRef(SD + "namedGraph")))
    assert len(described) == len(names_described(graph))


def names_described(graph: rdflib.Graph) -> list[str]:
    return sorted(
        str(name)
        for node in graph.objects(None, rdflib.URIRef(SD + "namedGraph"))
        for name in graph.objects(node, rdflib.URIRef(SD + "name"))
    )


def test_the_description_names_the_graphs_that_there_are(shipped: Service) -> None:
    def is_right() -> bool:
        rows = shipped.rows("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g")
        return names_described(description(shipped)) == [row["g"] for row in rows]

    assert until(is_right, 60)  # they are counted at leisure


@pytest.mark.parametrize("accept", [*GRAPHS, "*/*"])
def test_the_description_comes_in_every_rdf_format(plain: Service, accept: str) -> None:
    response = plain.client.get("/sparql", headers={"Accept": accept})
    assert response.headers["Content-Type"].startswith("text/turtle" if accept == "*/*" else accept)
    assert isomorphic(description(plain, accept), description(plain))


def test_the_description_names_the_address_that_was_asked(plain: Service) -> None:
    endpoints = set(description(plain, Host="data.example").objects(None, rdflib.URIRef(SD + "endpoint")))
    assert endpoints == {rdflib.URIRef("http://data.example/sparql")}


def test_a_browser_gets_a_page_instead_of_the_description(plain: Service) -> None:
    response = plain.client.get("/sparql", headers={"Accept": BROWSER})
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<textarea" in response.text
    assert "accept" in response.headers["Vary"].lower()


def test_head_of_the_description_has_no_body(plain: Service) -> None:
    response = plain.client.head("/sparql")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"].startswith("text/turtle")


def test_a_description_that_cannot_be_had_is_406(plain: Service) -> None:
    response = plain.client.get("/sparql", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert "text/turtle" in response.json()["available"]


def test_the_description_of_a_read_only_service_has_no_update(tmp_path_factory: pytest.TempPathFactory) -> None:
    with service(tmp_path_factory.mktemp("read-only"), "--plain", token=None) as running:
        assert "SPARQL11Update" not in local(description(running), "supportedLanguage")
        assert not local(description(running), "inputFormat")


def test_the_body_of_a_gzipped_answer_is_gzip(plain: Service) -> None:
    with plain.client.stream(
        "GET", "/sparql", params={"query": product(1000)}, headers={"Accept": CSV, "Accept-Encoding": "gzip"}
    ) as response:
        packed = b"".join(response.iter_raw())
    assert gzip.decompress(packed).count(b"\r\n") == 1001
