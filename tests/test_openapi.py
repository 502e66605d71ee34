"""/openapi.json is OpenAPI 3.1 that a client can be made from, and says what the service does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import TOKEN, Service

Json = dict[str, Any]  # Any: OpenAPI is free JSON
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
TABLES = {"application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"}
GRAPHS = {
    "text/turtle",
    "application/n-triples",
    "application/n-quads",
    "application/trig",
    "application/ld+json",
    "application/rdf+xml",
}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def document(plain: Service) -> Json:
    response = plain.client.get("/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    found: Json = response.json()
    return found


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Path, method and operation."""
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def resolved(document: Json, value: Json) -> Json:
    """What a reference within the document stands for."""
    while "$ref" in value:
        reference = value["$ref"]
        assert reference.startswith("#/")
        value = document
        for part in reference[2:].split("/"):
            value = value[part.replace("~1", "/").replace("~0", "~")]
    return value


def references(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def media_types(document: Json, path: str, method: str, status: str) -> set[str]:
    return set(resolved(document, document["paths"][path][method]["responses"][status]).get("content", {}))


def test_the_document_is_openapi_3_1_with_title_and_version(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "motorgraph"
    assert document["info"]["version"]
    assert document["info"]["description"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/sparql", {"get", "post"}),
        ("/graphs", {"get", "put", "post", "patch", "delete"}),
        ("/health", {"get"}),
        ("/ready", {"get"}),
        ("/metrics", {"get"}),
    ],
)
def test_every_address_of_the_service_is_named_with_its_methods(document: Json, path: str, methods: set[str]) -> None:
    assert methods <= document["paths"][path].keys()


def test_every_path_begins_with_a_slash_and_has_only_fields_that_openapi_knows(document: Json) -> None:
    for path, item in document["paths"].items():
        assert path.startswith("/")
        assert item.keys() <= METHODS | {"summary", "description", "parameters", "servers", "$ref"}


def test_every_operation_says_what_it_is_for(document: Json) -> None:
    for path, method, operation in operations(document):
        assert operation.get("summary"), (path, method)
        assert operation.get("tags"), (path, method)


def test_the_names_of_operations_are_unique(document: Json) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document) if "operationId" in operation]
    assert len(names) == len(set(names))


def test_every_operation_has_responses_with_a_status_and_a_description(document: Json) -> None:
    for path, method, operation in operations(document):
        assert operation["responses"], (path, method)
        for status, response in operation["responses"].items():
            assert status == "default" or (status[0] in "12345" and status[1:].isdigit() and len(status) == 3)
            assert resolved(document, response)["description"], (path, method, status)


def test_every_parameter_has_a_name_a_place_and_a_schema(document: Json) -> None:
    for path, method, operation in operations(document):
        parameters = [resolved(document, parameter) for parameter in operation.get("parameters", [])]
        names = [(parameter["name"], parameter["in"]) for parameter in parameters]
        assert len(names) == len(set(names)), (path, method)
        for parameter in parameters:
            assert parameter["in"] in ("query", "header", "path", "cookie")
            assert ("schema" in parameter) != ("content" in parameter)
            assert parameter["in"] != "path" or (parameter["required"] is True and f"{{{parameter['name']}}}" in path)


def test_every_content_is_told_by_media_type_with_a_schema(document: Json) -> None:
    for _, _, operation in operations(document):
        bodies = [*operation["responses"].values(), *([operation["requestBody"]] if "requestBody" in operation else [])]
        for body in bodies:
            for media_type, content in resolved(document, body).get("content", {}).items():
                assert media_type.count("/") == 1
                assert "schema" in content


def test_every_reference_leads_somewhere(document: Json) -> None:
    for reference in references(document):
        assert resolved(document, reference)


def test_a_success_is_not_described_as_a_refusal(document: Json) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            described = resolved(document, response)
            is_problem = "application/problem+json" in described.get("content", {})
            assert is_problem == (status[0] in "45"), (path, method, status)
            assert status[0] in "45" or "efuse" not in described["description"]


def test_the_formats_of_answers_are_those_that_are_sent(document: Json) -> None:
    for method in ("get", "post"):
        told = {"application/json"} if method == "post" else {"text/html"}  # of an update; for a browser
        assert media_types(document, "/sparql", method, "200") == TABLES | GRAPHS | told
    assert media_types(document, "/graphs", "get", "200") == GRAPHS


def test_a_client_learns_how_to_send_a_query_and_an_update(document: Json) -> None:
    body = resolved(document, document["paths"]["/sparql"]["post"]["requestBody"])["content"]
    assert body.keys() == {FORM, "application/sparql-query", "application/sparql-update"}
    form = resolved(document, body[FORM]["schema"])
    assert form["type"] == "object"
    names = {"query", "default-graph-uri", "named-graph-uri", "update", "using-graph-uri", "using-named-graph-uri"}
    assert names <= form["properties"].keys()
    get = {parameter["name"] for parameter in document["paths"]["/sparql"]["get"]["parameters"]}
    assert get == {"query", "at", "default-graph-uri", "named-graph-uri", "format", "page"}


def test_a_client_learns_which_graph_a_request_names_and_what_may_be_sent(document: Json) -> None:
    for method in ("get", "put", "post", "delete"):
        assert {"graph", "default"} <= {p["name"] for p in document["paths"]["/graphs"][method]["parameters"]}
    for method in ("put", "post"):
        assert set(resolved(document, document["paths"]["/graphs"][method]["requestBody"])["content"]) >= GRAPHS
    with_at = [m for m, verb in document["paths"]["/graphs"].items() if "at" in {p["name"] for p in verb["parameters"]}]
    assert with_at == ["get"]


@pytest.mark.parametrize(
    ("path", "method"), [("/sparql", "post"), *(("/graphs", method) for method in ("put", "post", "patch", "delete"))]
)
def test_a_client_learns_that_writes_need_a_bearer_token(document: Json, path: str, method: str) -> None:
    schemes = document["components"]["securitySchemes"]
    required = document["paths"][path][method]["security"]
    named = {name for requirement in required for name in requirement}
    assert any((schemes[name]["type"], schemes[name]["scheme"]) == ("http", "bearer") for name in named)


def test_a_client_learns_what_can_be_asked_of_every_write(document: Json) -> None:
    for path, method in [("/sparql", "post"), *(("/graphs", method) for method in ("put", "post", "patch", "delete"))]:
        parameters = {(p["name"], p["in"]): p for p in document["paths"][path][method]["parameters"]}
        assert parameters["dry-run", "query"]["schema"]["enum"] == ["true", "false"]
        assert {(name, "header") for name in ("If-Match", "Idempotency-Key", "Prefer", "X-Commit-Message")} <= parameters.keys()
        assert "application/json" in media_types(document, path, method, "200")
    assert (
        "dry-run"
        in resolved(document, document["paths"]["/sparql"]["post"]["requestBody"])["content"][FORM]["schema"]["properties"]
    )


def test_every_refusal_that_a_client_meets_is_described(plain: Service, document: Json) -> None:
    token = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
    asks = {"Content-Type": "application/sparql-query"}
    patch = token | {"Content-Type": "application/sparql-update"}
    client = plain.client
    met = [
        ("/sparql", "get", client.get("/sparql?query=ASK")),
        ("/sparql", "get", client.get("/sparql?query=ASK%7B%7D", headers={"Accept": "image/png"})),
        ("/sparql", "get", client.get("/sparql", params={"query": "ASK { SERVICE <http://x/> {} }"})),
        ("/sparql", "post", client.post("/sparql", content="ASK", headers=asks)),
        ("/sparql", "post", client.post("/sparql", content="ASK")),
        ("/sparql", "post", client.post("/sparql", data={"update": "CLEAR ALL"})),
        ("/graphs", "get", client.get("/graphs?graph=http://nowhere/")),
        ("/graphs", "get", client.get("/graphs?graph=relative")),
        ("/graphs", "get", client.get("/graphs", headers={"Accept": "image/png"})),
        ("/graphs", "put", client.put("/graphs?graph=http://nowhere/", content="<", headers=token)),
        ("/graphs", "put", client.put("/graphs?graph=http://nowhere/", headers=token | {"If-Match": '"x"'})),
        ("/graphs", "put", client.put("/graphs?graph=http://nowhere/", headers=token | {"Content-Type": "image/png"})),
        ("/graphs", "post", client.post("/graphs?graph=http://nowhere/", content="<")),
        ("/graphs", "delete", client.delete("/graphs?graph=http://nowhere/", headers=token)),
        ("/graphs", "delete", client.delete("/graphs?graph=http://nowhere/&dry-run=1", headers=token)),
        ("/graphs", "put", client.put("/graphs?graph=http://nowhere/&dry-run=true", headers=token | {"Accept": "image/png"})),
        ("/graphs", "patch", client.patch("/graphs?graph=http://nowhere/", headers=token)),
        ("/graphs", "patch", client.patch("/graphs?graph=http://nowhere/", headers=patch)),
        ("/graphs", "patch", client.patch("/graphs", headers=patch)),
        ("/graphs", "patch", client.patch("/graphs?graph=http://nowhere/", content="CLEAR ALL", headers=patch)),
    ]
    for path, method, response in met:
        assert 400 <= response.status_code < 500
        assert "application/problem+json" in media_types(document, path, method, str(response.status_code))
