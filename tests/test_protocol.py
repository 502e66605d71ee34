"""From an HTTP request to a query, an update or a graph's name: what protocol.py understands, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.errors import BadRequest, MethodNotAllowed, TooLarge, UnsupportedMediaType
from motorgraph.protocol import FORM, QUERY_TYPE, UPDATE_TYPE, Call, absolute, graph_name, operation, read_body
from motorgraph.query import Dataset, Query, Update

BASE = "https://base.example"
A, B, C = "http://a.example/", "http://b.example/", "http://c.example/"
deterministic = settings(derandomize=True, max_examples=300, deadline=None)


def call(method: str = "GET", query: str = "", media_type: str = "", path: str = "/sparql", **headers: str) -> Call:
    """A request, as the server hands it over."""
    given = {name.replace("_", "-"): value for name, value in {"host": "here.example", **headers}.items()}
    if media_type:
        given["content-type"] = media_type
    return Call.of(
        {
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "http_version": "1.1",
            "scheme": "http",
        }
    )


def form(*pairs: tuple[str, str]) -> bytes:
    return urlencode(pairs).encode()


def query_of(*pairs: tuple[str, str]) -> Query:
    """The query of a GET with these parameters."""
    asked = operation(call(query=urlencode(pairs)), b"")
    assert isinstance(asked, Query)
    return asked


# Queries


def test_a_get_carries_its_query_in_the_url() -> None:
    assert query_of(("query", "ASK {}")) == Query("ASK {}", Dataset(), "http://here.example/sparql")


def test_a_head_is_read_like_a_get() -> None:
    assert operation(call("HEAD", "query=ASK%7B%7D"), b"") == operation(call("GET", "query=ASK%7B%7D"), b"")


def test_a_form_carries_its_query_in_the_body() -> None:
    asked = operation(call("POST", media_type=FORM), form(("query", "ASK {}"), ("named-graph-uri", A)))
    assert asked == Query("ASK {}", Dataset((), (A,)), "http://here.example/sparql")


def test_a_direct_post_carries_the_query_as_its_body_and_the_dataset_in_the_url() -> None:
    asked = operation(call("POST", urlencode({"default-graph-uri": A}), QUERY_TYPE), "ASK { ?é ?p '+%20' }".encode())
    assert asked == Query("ASK { ?é ?p '+%20' }", Dataset((A,), ()), "http://here.example/sparql")


@pytest.mark.parametrize("media_type", [QUERY_TYPE, QUERY_TYPE + "; charset=utf-8", QUERY_TYPE.upper(), ""])
def test_the_method_query_carries_the_query_as_its_body(media_type: str) -> None:
    asked = operation(call("QUERY", media_type=media_type), b"ASK {}")
    assert isinstance(asked, Query)
    assert asked.text == "ASK {}"


def test_the_method_query_takes_nothing_but_a_query() -> None:
    with pytest.raises(UnsupportedMediaType):
        operation(call("QUERY", media_type=UPDATE_TYPE), b"CLEAR ALL")


def test_parameters_of_a_media_type_are_passed_over() -> None:
    asked = operation(call("POST", media_type=FORM + "; charset=UTF-8"), form(("query", "ASK {}")))
    assert isinstance(asked, Query)


def test_no_parameters_at_all_ask_for_the_service_description() -> None:
    assert operation(call("GET"), b"") is None
    assert operation(call("HEAD"), b"") is None


def test_the_dataset_keeps_the_order_of_its_graphs_and_names_each_once() -> None:
    asked = query_of(("query", "ASK {}"), ("default-graph-uri", B), ("default-graph-uri", A), ("default-graph-uri", B))
    assert asked.dataset == Dataset((B, A), ())


def test_default_and_named_graphs_are_kept_apart() -> None:
    asked = query_of(("query", "ASK {}"), ("default-graph-uri", A), ("named-graph-uri", B), ("named-graph-uri", C))
    assert asked.dataset == Dataset((A,), (B, C))


def test_a_parameter_that_the_protocol_does_not_know_is_passed_over() -> None:
    assert query_of(("query", "ASK {}"), ("format", "json"), ("_", "1")).text == "ASK {}"


@deterministic
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_every_text_survives_the_url_the_form_and_the_body(text: str) -> None:
    by_url = operation(call("GET", "query=" + quote(text, safe="")), b"")
    by_plus = operation(call("GET", urlencode({"query": text})), b"")
    by_form = operation(call("POST", media_type=FORM), form(("query", text)))
    direct = operation(call("POST", media_type=QUERY_TYPE), text.encode())
    assert {asked.text for asked in (by_url, by_plus, by_form, direct) if isinstance(asked, Query)} == {text}


@deterministic
@given(st.binary(max_size=40))
def test_a_query_string_of_any_bytes_is_read_or_refused(data: bytes) -> None:
    try:
        asked = operation(call("GET", "query=" + quote(data)), b"")
    except BadRequest:
        assert b"\x00" in data or not is_utf8(data)
    else:
        assert isinstance(asked, Query)
        assert asked.text.encode() == data


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@deterministic
@given(st.binary(max_size=60))
def test_a_form_of_any_bytes_is_read_or_refused_as_a_bad_request(data: bytes) -> None:
    with suppress(BadRequest):
        operation(call("POST", media_type=FORM), data)


def test_percent_escapes_are_decoded_once() -> None:
    asked = operation(call("GET", "query=%2520%252B&default-graph-uri=http%3A%2F%2Fa.example%2Fa%2520b"), b"")
    assert asked == Query("%20%2B", Dataset(("http://a.example/a%20b",), ()), "http://here.example/sparql")


def test_a_plus_is_a_space_in_parameters_and_itself_in_a_body() -> None:
    direct = operation(call("POST", media_type=QUERY_TYPE), b"1+1")
    assert query_of(("query", "1 1")).text == "1 1"
    assert isinstance(direct, Query)
    assert direct.text == "1+1"


# Updates


def test_a_form_carries_an_update_with_its_graphs() -> None:
    pairs = (("update", "CLEAR ALL"), ("using-graph-uri", A), ("using-named-graph-uri", B))
    asked = operation(call("POST", media_type=FORM), form(*pairs))
    assert asked == Update("CLEAR ALL", Dataset((A,), (B,)), "http://here.example/sparql")


def test_a_direct_post_carries_the_update_as_its_body_and_the_graphs_in_the_url() -> None:
    asked = operation(call("POST", urlencode({"using-named-graph-uri": A}), UPDATE_TYPE), b"CLEAR ALL")
    assert asked == Update("CLEAR ALL", Dataset((), (A,)), "http://here.example/sparql")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_update_is_never_read_from_a_url(method: str) -> None:
    with pytest.raises(BadRequest):
        operation(call(method, "update=CLEAR%20ALL"), b"")


# Refusals

TWO_QUERIES = (("query", "ASK {}"), ("query", "SELECT * {}"))
TWO_UPDATES = (("update", "CLEAR NAMED"), ("update", "CLEAR DEFAULT"))
ONE_OF_EACH = (("query", "ASK {}"), ("update", "CLEAR ALL"))
UPDATE_WITH_QUERY_GRAPHS = (("update", "CLEAR ALL"), ("default-graph-uri", A))
QUERY_WITH_UPDATE_GRAPHS = (("query", "ASK {}"), ("using-graph-uri", A))
NO_OPERATION = (("default-graph-uri", A),)


@pytest.mark.parametrize(
    "pairs",
    [TWO_QUERIES, TWO_UPDATES, ONE_OF_EACH, UPDATE_WITH_QUERY_GRAPHS, QUERY_WITH_UPDATE_GRAPHS, NO_OPERATION, ()],
)
def test_a_form_names_exactly_one_operation_and_its_own_kind_of_graphs(pairs: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(BadRequest):
        operation(call("POST", media_type=FORM), form(*pairs))


@pytest.mark.parametrize("pairs", [TWO_QUERIES, ONE_OF_EACH, QUERY_WITH_UPDATE_GRAPHS, NO_OPERATION])
def test_a_url_names_exactly_one_query_and_its_own_kind_of_graphs(pairs: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(BadRequest):
        operation(call("GET", urlencode(pairs)), b"")


def test_a_query_in_the_url_and_another_in_the_form_are_two() -> None:
    with pytest.raises(BadRequest):
        operation(call("POST", "query=ASK%7B%7D", FORM), form(("query", "ASK {}")))


@pytest.mark.parametrize("parameter", ["query", "update"])
@pytest.mark.parametrize("media_type", [QUERY_TYPE, UPDATE_TYPE])
def test_a_direct_post_has_no_second_operation_in_the_url(media_type: str, parameter: str) -> None:
    with pytest.raises(BadRequest):
        operation(call("POST", urlencode({parameter: "ASK {}"}), media_type), b"ASK {}")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json", "multipart/form-data; boundary=x"])
def test_a_body_of_another_media_type_is_refused_with_those_that_are_read(media_type: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refusal:
        operation(call("POST", media_type=media_type), b"query=ASK%20%7B%7D")
    assert refusal.value.members["readable"] == [FORM, QUERY_TYPE, UPDATE_TYPE]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_another_method_is_refused_with_those_that_work(method: str) -> None:
    with pytest.raises(MethodNotAllowed) as refusal:
        operation(call(method, "query=ASK%7B%7D", "text/plain"), b"")
    assert dict(refusal.value.headers())[b"allow"] == b"GET, HEAD, POST, QUERY, OPTIONS"


@pytest.mark.parametrize("media_type", [QUERY_TYPE, UPDATE_TYPE])
@pytest.mark.parametrize("body", [b"ASK { ?s ?p '\xe9' }", "ASK {}".encode("utf-16"), "ASK {}".encode("utf-16-le")])
def test_a_body_that_is_not_utf_8_is_refused(media_type: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        operation(call("POST", media_type=media_type), body)


@pytest.mark.parametrize("text", ["query=%E9", "query=ASK%7B%7D&default-graph-uri=http://x/%FF", "query=%ED%A0%80", "%E9=1"])
def test_parameters_that_are_not_utf_8_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        operation(call("GET", text), b"")


def test_a_thousand_parameters_are_enough() -> None:
    with pytest.raises(BadRequest):
        operation(call("POST", media_type=FORM), b"&".join([b"query=ASK%7B%7D", *([b"a=1"] * 1000)]))


@pytest.mark.parametrize("graph", ["", "relative", "/path", "//host/path", "?q", "#f", "http://a b", "http://a/<b>", "1a:x"])
def test_a_graph_that_is_no_absolute_iri_is_refused(graph: str) -> None:
    with pytest.raises(BadRequest):
        query_of(("query", "ASK {}"), ("default-graph-uri", graph))


@pytest.mark.parametrize("iri", [A, "urn:x", "tag:a@b,2000:c", "http://é.example/ü?a=b#c", "mailto:a@b"])
def test_an_absolute_iri_is_taken_as_it_stands(iri: str) -> None:
    assert absolute(iri, "graph") == iri


# The base IRI and the headers


@pytest.mark.parametrize(("scheme", "host"), [("http", "a.example:81"), ("https", "[::1]:8800")])
def test_the_base_iri_is_the_address_that_the_client_asked(scheme: str, host: str) -> None:
    scope = {
        "method": "GET",
        "path": "/sparql",
        "raw_path": b"/sparql",
        "query_string": b"query=ASK%7B%7D",
        "http_version": "1.1",
    }
    asked = operation(Call.of({**scope, "scheme": scheme, "headers": [(b"host", host.encode())]}), b"")
    assert isinstance(asked, Query)
    assert asked.base == f"{scheme}://{host}/sparql"


def test_several_fields_of_one_header_are_one_list() -> None:
    headers = [(b"accept", b"text/csv"), (b"host", b"h"), (b"accept", b"image/png")]
    scope = {"method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "http_version": "1.1", "scheme": "http"}
    parts = [part.strip() for part in Call.of({**scope, "headers": headers}).header(b"accept").split(",")]
    assert parts == ["text/csv", "image/png"]


# Bodies


def received(call: Call, messages: list[Mapping[str, Any]], limit: int) -> bytes:  # Any: ASGI's own definition
    """What read_body makes of these messages."""
    left = iter(messages)

    async def receive() -> Mapping[str, Any]:  # Any: as above
        return next(left)

    return asyncio.run(read_body(call, receive, limit, "body_bytes"))


def piece(data: bytes, *, more: bool) -> Mapping[str, Any]:  # Any: as above
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_body_is_put_together_from_its_pieces() -> None:
    assert received(call("PUT"), [piece(b"a", more=True), piece(b"", more=True), piece(b"b", more=False)], 2) == b"ab"


def test_a_body_whose_announced_length_is_too_large_is_not_read() -> None:
    with pytest.raises(TooLarge) as refusal:
        received(call("PUT", content_length="11"), [], 10)
    assert "body_bytes" in refusal.value.detail


def test_a_body_without_announced_length_is_read_no_further_than_the_limit() -> None:
    with pytest.raises(TooLarge):
        received(call("PUT"), [piece(b"12345678", more=True), piece(b"90a", more=True)], 10)


def test_a_body_that_is_exactly_as_long_as_the_limit_is_taken() -> None:
    assert received(call("PUT", content_length="10"), [piece(b"1234567890", more=False)], 10) == b"1234567890"


def test_a_body_that_is_cut_off_is_refused() -> None:
    with pytest.raises(BadRequest):
        received(call("PUT"), [piece(b"a", more=True), {"type": "http.disconnect"}], 10)


# The graph that a request to /graphs names


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/graphs", "graph=http%3A%2F%2Fa.example%2F", A),
        ("/graphs", "default", ""),
        ("/graphs", "default=", ""),
        ("/graphs", "", None),
        ("/graphs/", "", None),
        ("/graphs/one", "", BASE + "/graphs/one"),
        ("/graphs/one/two", "", BASE + "/graphs/one/two"),
    ],
)
def test_a_graph_is_named_by_parameter_or_path(path: str, query: str, named: str | None) -> None:
    assert graph_name(call("GET", query, path=path), BASE) == named


@pytest.mark.parametrize("query", ["graph=a", "graph=", "graph=/a", "graph=http://x&default", "graph=http://x&graph=http://y"])
def test_a_graph_is_named_once_and_absolutely(query: str) -> None:
    with pytest.raises(BadRequest):
        graph_name(call("GET", query, path="/graphs"), BASE)
