"""Writes: whole or not at all, judged by the shapes, visible at once to everybody, and never a way out to other hosts."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from motorgraph import remembering
from motorgraph.commits import Change
from motorgraph.engine import history as history_module
from tests import warm
from tests.forked import children
from tests.running import TOKEN, Service, service, start, until

MG = "https://motorgraph.example/ontology/"
SHAPES = "https://motorgraph.example/graph/shapes"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
NAKED_CLAIM = f"<http://x/naked> a <{MG}Claim>"


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A store without shapes whose default graph is the merge of all: writes as in the shipped service, only quicker."""
    with service(tmp_path_factory.mktemp("merged"), "--plain", "--default-graph", "union") as running:
        yield running


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that nobody may write to."""
    with service(tmp_path_factory.mktemp("read-only"), "--plain", token=None) as running:
        yield running


def ask(running: Service, pattern: str) -> bool:
    response = running.query(f"ASK {{ {pattern} }}")
    assert response.status_code == 200, response.text
    return bool(response.json()["boolean"])


def commit(running: Service) -> float:
    return running.metric("motorgraph_commit")


# The gate of the shipped service


def test_a_change_that_breaks_the_shapes_is_refused_whole_with_a_report(shipped: Service) -> None:
    before = commit(shipped)
    response = shipped.update(
        f"INSERT DATA {{ GRAPH <http://x/harmless> {{ <http://x/s> <http://x/p> 1 }} }} ; "
        f"INSERT DATA {{ GRAPH <http://x/broken> {{ {NAKED_CLAIM} }} }}"
    )
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    report = response.json()
    assert report["conforms"] is False
    results = [result for result in report["results"] if result["focus"] == "http://x/naked"]
    assert {result["severity"] for result in results} == {"Violation"}
    assert all(result["message"] for result in results)
    assert MG + "assertedBy" in {result["path"] for result in results}
    assert results[0]["message"] in report["detail"]
    assert not ask(shipped, "GRAPH <http://x/harmless> { ?s ?p ?o }")
    assert not ask(shipped, "<http://x/s> ?p ?o")
    assert not ask(shipped, "<http://x/naked> ?p ?o")
    assert commit(shipped) == before


def test_a_graph_that_breaks_the_shapes_is_refused_too(shipped: Service) -> None:
    response = shipped.put("http://x/put", f"{NAKED_CLAIM} .")
    assert response.status_code == 422
    assert response.json()["results"]
    assert shipped.client.get("/graphs", params={"graph": "http://x/put"}).status_code == 404


def test_a_change_that_takes_away_what_the_shapes_ask_for_is_refused(shipped: Service) -> None:
    text = f"DELETE {{ GRAPH ?g {{ ?c <{MG}assertedBy> ?who }} }} WHERE {{ GRAPH ?g {{ ?c <{MG}assertedBy> ?who }} }}"
    assert shipped.update(text).status_code == 422
    assert ask(shipped, f"?c <{MG}assertedBy> ?who")


def test_a_valid_change_is_visible_at_once_to_everybody(shipped: Service) -> None:
    known = shipped.query("ASK { <http://x/valid> ?p ?o }").headers["ETag"]
    assert shipped.update("INSERT DATA { GRAPH <http://x/valid> { <http://x/valid> <http://x/p> 1 } }").is_success
    with ThreadPoolExecutor(8) as many:
        seen = list(many.map(lambda _: ask(shipped, "<http://x/valid> <http://x/p> 1"), range(40)))
    assert all(seen)
    assert shipped.query("ASK { <http://x/valid> ?p ?o }", **{"If-None-Match": known}).status_code == 200
    assert shipped.client.delete("/graphs", params={"graph": "http://x/valid"}, headers=AUTHORIZED).is_success
    assert not ask(shipped, "<http://x/valid> <http://x/p> 1")


def test_what_is_stored_is_what_was_judged_even_if_the_text_would_now_say_otherwise(shipped: Service) -> None:
    """The change is harmless while it is rehearsed and would break the shapes if it were worked out again afterwards."""
    later = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    response = shipped.update(
        f"INSERT {{ GRAPH <http://x/now> {{ <http://x/now> a ?class }} }} WHERE {{ "
        f'BIND(IF(NOW() < "{later}"^^<http://www.w3.org/2001/XMLSchema#dateTime>, <http://x/Harmless>, <{MG}Claim>) AS ?class) }}'
    )
    assert response.status_code in (204, 422)
    assert not ask(shipped, f"<http://x/now> a <{MG}Claim>")
    assert ask(shipped, "<http://x/now> a <http://x/Harmless>") == response.is_success


@pytest.mark.parametrize("text", [f"DROP GRAPH <{SHAPES}>", "CLEAR NAMED"])
def test_the_gate_cannot_be_taken_down_through_itself(shipped: Service, text: str) -> None:
    response = shipped.update(text)
    assert 400 <= response.status_code < 500
    assert ask(shipped, f"GRAPH <{SHAPES}> {{ ?s ?p ?o }}")


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { <http://x/s> <http://x/p> 1 }",
        "INSERT { <http://x/s> <http://x/p> 1 } WHERE {}",
        "CLEAR DEFAULT",
        "DROP ALL",
        "COPY <http://x/other> TO DEFAULT",
        "INSERT DATA { GRAPH <http://x/other> { <http://x/s> <http://x/q> 1 } } ; INSERT DATA { <http://x/s> <http://x/p> 1 }",
    ],
)
def test_a_change_of_the_merged_default_graph_is_refused_with_what_would_be_right(shipped: Service, text: str) -> None:
    response = shipped.update("INSERT DATA { GRAPH <http://x/other> { <http://x/s> <http://x/q> 1 } } ; " + text)
    assert response.status_code == 403
    assert "GRAPH" in response.json()["detail"]
    assert not ask(shipped, "{ <http://x/s> ?p ?o } UNION { GRAPH <http://x/other> { ?s ?p ?o } }")


# The merged default graph


def test_what_leaves_its_last_graph_leaves_the_default_graph(merged: Service, request: pytest.FixtureRequest) -> None:
    subject = f"<http://x/{request.node.name}>"
    insert = "INSERT DATA {{ GRAPH <http://x/leaving/{0}> {{ {1} <http://x/p> {2} }} }}"
    assert merged.update(" ; ".join(insert.format(g, subject, n) for g, n in ((1, 1), (1, 2), (2, 2), (2, 3)))).is_success
    asked = f"SELECT ?o {{ {subject} ?p ?o }} ORDER BY ?o"
    assert merged.rows(asked) == [{"o": "1"}, {"o": "2"}, {"o": "3"}]
    assert merged.update(f"DELETE DATA {{ GRAPH <http://x/leaving/1> {{ {subject} <http://x/p> 1, 2 }} }}").is_success
    assert merged.rows(asked) == [{"o": "2"}, {"o": "3"}]
    assert merged.update("DROP GRAPH <http://x/leaving/2>").is_success
    assert merged.rows(asked) == []


def test_where_sees_the_merged_default_graph(merged: Service) -> None:
    assert merged.update("INSERT DATA { GRAPH <http://x/where/1> { <http://x/where> <http://x/p> 1 } }").is_success
    text = "INSERT { GRAPH <http://x/where/2> { <http://x/where> <http://x/q> ?o } } WHERE { <http://x/where> <http://x/p> ?o }"
    assert merged.update(text).is_success
    assert ask(merged, "<http://x/where> <http://x/q> 1")


def test_a_later_operation_sees_what_an_earlier_one_did(merged: Service) -> None:
    text = (
        "INSERT DATA { GRAPH <http://x/later/1> { <http://x/later> <http://x/p> 1 } } ; "
        "INSERT { GRAPH <http://x/later/2> { <http://x/later> <http://x/q> ?o } } "
        "WHERE { GRAPH <http://x/later/1> { <http://x/later> <http://x/p> ?o } } ; "
        "DELETE WHERE { GRAPH <http://x/later/1> { ?s ?p ?o } }"
    )
    assert merged.update(text).is_success
    assert merged.rows("SELECT ?p { <http://x/later> ?p ?o }") == [{"p": "http://x/q"}]


# Whole or not at all


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ("CREATE GRAPH <{0}>", 400),
        ("DROP GRAPH <http://nowhere.example/>", 400),
        ("INSERT DATA {{ GRAPH <{0}> {{ <http://x/s> <http://x/p> }} }}", 400),
        ("LOAD <http://127.0.0.1:1/>", 403),
        ("INSERT {{ GRAPH <{0}> {{ ?s ?p ?o }} }} WHERE {{ SERVICE <http://127.0.0.1:1/> {{ ?s ?p ?o }} }}", 403),
        ("INSERT {{ GRAPH <{0}> {{ <http://x/s> <http://x/p> ?x }} }} WHERE {{ BIND(<http://x/unknown>(1) AS ?x) }}", 400),
    ],
    ids=["create", "drop", "syntax", "load", "service", "function"],
)
def test_several_operations_are_done_together_or_not_at_all(plain: Service, graph: str, wrong: str, status: int) -> None:
    assert plain.put(graph, "<http://x/s> <http://x/p> 1 .").status_code == 201
    before = commit(plain)
    delete = f"DELETE WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    insert = f"INSERT DATA {{ GRAPH <{graph}/2> {{ <http://x/s> <http://x/p> 2 }} }}"
    text = " ; ".join([delete, insert, wrong.format(graph)])
    response = plain.update(text)
    assert response.status_code == status, response.text
    assert plain.rows(f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"o": "1"}]
    assert not ask(plain, f"GRAPH <{graph}/2> {{ ?s ?p ?o }}")
    assert plain.client.get("/graphs", params={"graph": f"{graph}/2"}).status_code == 404
    assert commit(plain) == before


def test_silent_operations_that_cannot_be_done_do_not_stop_the_others(plain: Service, graph: str) -> None:
    text = f"DROP SILENT GRAPH <{graph}/nothing> ; INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }}"
    assert plain.update(text).is_success
    assert ask(plain, f"GRAPH <{graph}> {{ ?s ?p ?o }}")


def test_an_update_that_takes_too_long_changes_nothing_and_names_the_limit(plain: Service, graph: str) -> None:
    digits = " ".join(f"VALUES ?v{i} {{ 0 1 2 3 4 5 6 7 8 9 }}" for i in range(14))
    insert = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }}"
    count = f"INSERT {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> ?n }} }} WHERE {{ SELECT (COUNT(*) AS ?n) {{ {digits} }} }}"
    response = plain.update(f"{insert} ; {count}")
    assert response.status_code == 503
    assert "query_seconds" in response.json()["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert not ask(plain, f"GRAPH <{graph}> {{ ?s ?p ?o }}")


def test_an_update_that_is_nested_too_deeply_costs_only_itself(plain: Service, graph: str) -> None:
    text = f"INSERT {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }} WHERE " + "{" * 10_000 + "}" * 10_000
    headers = AUTHORIZED | {"Content-Type": "application/sparql-update"}
    response = plain.client.post("/sparql", content=text, headers=headers)
    assert response.status_code in (400, 500)
    assert not ask(plain, f"GRAPH <{graph}> {{ ?s ?p ?o }}")
    assert plain.put(graph, "<http://x/s> <http://x/p> 1 .").status_code == 201


# Visible at once, and never in part


def test_every_later_query_sees_a_write_and_none_goes_back(merged: Service) -> None:
    """Many readers ask without pause while one writer counts up: what a reader sees only grows, and is whole."""
    graphs = ["http://x/counting/a", "http://x/counting/b"]
    delete = "DELETE WHERE {{ GRAPH <{0}> {{ ?s ?p ?o }} }}"
    write = delete + " ; INSERT DATA {{ GRAPH <{0}> {{ <http://x/counter> <http://x/p> {1} }} }}"
    assert merged.update(" ; ".join(write.format(g, 0) for g in graphs)).is_success
    asked = "SELECT ?n { GRAPH ?g { <http://x/counter> ?p ?n } FILTER(STRSTARTS(STR(?g), 'http://x/counting/')) }"
    done, written = threading.Event(), [0]
    faults: list[str] = []

    def read(client: httpx.Client) -> int:
        seen = count = 0
        while not done.is_set():
            at_least = written[0]
            rows = client.get("/sparql", params={"query": asked}).json()["results"]["bindings"]
            values = [int(row["n"]["value"]) for row in rows]
            if len(values) != 2 or len(set(values)) != 1:
                faults.append(f"half a write: {values}")
            elif values[0] < max(seen, at_least):
                faults.append(f"{values[0]} after {max(seen, at_least)}")
            seen, count = max([seen, *values]), count + 1
        return count

    with httpx.Client(base_url=merged.url, timeout=30, trust_env=False) as client, ThreadPoolExecutor(6) as many:
        readers = [many.submit(read, client) for _ in range(6)]
        try:
            for number in range(1, 26):
                assert merged.update(" ; ".join(write.format(g, number) for g in graphs)).is_success
                written[0] = number
        finally:
            done.set()
        counts = [reader.result() for reader in readers]
    assert not faults
    assert min(counts) > 0


def test_writers_at_the_same_time_all_have_their_say(plain: Service, graph: str) -> None:
    before = commit(plain)

    def write(number: int) -> int:
        return plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> {number} }} }}").status_code

    with ThreadPoolExecutor(8) as many:
        assert set(many.map(write, range(24))) == {204}
    assert len(plain.rows(f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")) == 24
    assert commit(plain) == before + 24


def test_a_counter_that_many_increase_loses_nothing(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 0 .")
    text = (
        f"WITH <{graph}> DELETE {{ <http://x/s> <http://x/p> ?n }} INSERT {{ <http://x/s> <http://x/p> ?next }} "
        "WHERE { <http://x/s> <http://x/p> ?n BIND(?n + 1 AS ?next) }"
    )
    with ThreadPoolExecutor(8) as many:
        assert all(many.map(lambda _: plain.update(text).is_success, range(16)))
    assert plain.rows(f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"o": "16"}]


def test_a_query_that_is_under_way_keeps_what_it_saw(plain: Service, graph: str) -> None:
    assert plain.put(graph, "\n".join(f'<http://x/{n}> <http://x/p> "{"x" * 300}" .' for n in range(20_000))).status_code == 201
    request = {"query": f"SELECT * {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"}
    headers = {"Accept": "text/csv", "Accept-Encoding": "identity"}
    with plain.client.stream("GET", "/sparql", params=request, headers=headers) as response:
        pieces = response.iter_bytes()
        first = next(pieces)
        assert plain.update(f"DROP GRAPH <{graph}>").is_success
        whole = first + b"".join(pieces)
    assert whole.count(b"\r\n") == 20_001
    assert not ask(plain, f"GRAPH <{graph}> {{ ?s ?p ?o }}")


# Who may write


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_an_update_without_the_right_token_is_401_and_changes_nothing(plain: Service, graph: str, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    text = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }}"
    response = plain.client.post("/sparql", data={"update": text}, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN not in response.text
    assert not ask(plain, f"GRAPH <{graph}> {{ ?s ?p ?o }}")


@pytest.mark.parametrize("headers", [{}, AUTHORIZED])
@pytest.mark.parametrize("direct", [True, False])
def test_a_read_only_service_refuses_every_update(read_only: Service, headers: dict[str, str], direct: bool) -> None:
    text = "INSERT DATA { GRAPH <http://x/g> { <http://x/s> <http://x/p> 1 } }"
    if direct:
        sent = {"Content-Type": "application/sparql-update"} | headers
        response = read_only.client.post("/sparql", content=text, headers=sent)
    else:
        response = read_only.client.post("/sparql", data={"update": text}, headers=headers)
    assert response.status_code == 403
    assert "write_token" in response.json()["detail"]
    assert not ask(read_only, "{ ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } }")


# Other hosts


@contextmanager
def listener() -> Iterator[tuple[str, socket.socket]]:
    """A host that nobody may ask: its address, and the socket that would hear of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/", server


def was_asked(server: socket.socket) -> bool:
    try:
        connection, _ = server.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


SERVICES = {
    "plain": "SELECT * {{ SERVICE <{0}> {{ ?s ?p ?o }} }}",
    "silent": "SELECT * {{ SERVICE SILENT <{0}> {{ ?s ?p ?o }} }}",
    "small letters": "select * {{ service silent <{0}> {{ ?s ?p ?o }} }}",
    "no blanks": "ASK{{SERVICE<{0}>{{}}}}",
    "comment": "ASK {{ SERVICE # <http://allowed.example/>\n <{0}> {{}} }}",
    "prefix": "PREFIX p: <{0}> ASK {{ SERVICE p: {{}} }}",
    "base": "BASE <{0}> ASK {{ SERVICE <sparql> {{}} }}",
    "escaped": "ASK {{ SERVICE <\\u0068{0}> {{}} }}",
    "optional": "ASK {{ OPTIONAL {{ SERVICE <{0}> {{}} }} }}",
    "exists": "ASK {{ FILTER NOT EXISTS {{ SERVICE <{0}> {{}} }} }}",
    "subquery": "SELECT * {{ {{ SELECT * {{ SERVICE <{0}> {{}} }} }} }}",
    "after a string": "ASK {{ ?s ?p 'it\\'s # \"' . SERVICE <{0}> {{}} }}",
    "after a long string": 'ASK {{ ?s ?p """a"b\'""" . SERVICE <{0}> {{}} }}',
    "after less than": "ASK {{ FILTER(1 <2 && 3> 2) SERVICE <{0}> {{}} }}",
}


@pytest.mark.parametrize("text", SERVICES.values(), ids=SERVICES)
def test_service_is_refused_by_the_name_of_its_host_and_never_asked(plain: Service, text: str) -> None:
    with listener() as (address, server):
        written = address[1:] if "\\u0068" in text else address
        response = plain.query(text.format(written))
        assert response.status_code == 403, response.text
        assert "127.0.0.1" in response.json()["detail"]
        assert not was_asked(server)


@pytest.mark.parametrize("silent", ["", "SILENT"])
def test_service_on_a_host_that_only_the_data_names_is_refused(plain: Service, silent: str) -> None:
    with listener() as (address, server):
        response = plain.query(f"SELECT * {{ VALUES ?h {{ <{address}> }} SERVICE {silent} ?h {{ ?s ?p ?o }} }}")
        assert response.status_code == 403
        assert not was_asked(server)


LOADS = {
    "plain": "LOAD <{0}>",
    "silent": "LOAD SILENT <{0}>",
    "into": "load <{0}> into graph <http://x/loaded>",
    "prefix": "PREFIX p: <{0}> LOAD p:data INTO GRAPH <http://x/loaded>",
    "second": "CLEAR SILENT GRAPH <http://x/loaded> ; LOAD <{0}>",
    "service": "INSERT {{ GRAPH <http://x/loaded> {{ ?s ?p ?o }} }} WHERE {{ SERVICE SILENT <{0}> {{ ?s ?p ?o }} }}",
    "delete": "DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o SERVICE <{0}> {{ ?s ?p ?o }} }}",
}


@pytest.mark.parametrize("text", LOADS.values(), ids=LOADS)
def test_an_update_that_would_ask_another_host_is_refused_by_its_name(plain: Service, text: str) -> None:
    with listener() as (address, server):
        response = plain.update(text.format(address))
        assert response.status_code == 403, response.text
        assert "127.0.0.1" in response.json()["detail"]
        assert not was_asked(server)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/turtle,"])
def test_load_of_a_file_is_refused(plain: Service, address: str) -> None:
    response = plain.update(f"LOAD <{address}> INTO GRAPH <http://x/loaded>")
    assert response.status_code == 403
    assert "root:" not in response.text


@pytest.mark.parametrize("clause", ["FROM <{0}>", "FROM NAMED <{0}>"])
def test_from_names_a_graph_of_the_store_and_fetches_nothing(plain: Service, clause: str) -> None:
    with listener() as (address, server):
        response = plain.query(f"SELECT * {clause.format(address)} {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }}")
        parameters = {"query": "ASK { ?s ?p ?o }", "default-graph-uri": address}
        assert plain.client.get("/sparql", params=parameters).json()["boolean"] is False
        assert not was_asked(server)
    assert response.status_code in (200, 403)
    assert response.status_code == 403 or response.json()["results"]["bindings"] == []


@pytest.mark.parametrize(
    "text",
    [
        "ASK { ?service ?load 'SERVICE <http://127.0.0.1/>' }",
        'ASK { <http://x/SERVICE> <http://x/p> "LOAD <http://127.0.0.1/>"@en }',
        "PREFIX service: <http://x/> ASK { ?s service:load service:service }",
        "ASK {} # SERVICE <http://127.0.0.1/>",
        "PREFIX load: <http://x/> ASK { load:service a load: }",
    ],
)
def test_words_that_only_look_like_a_way_out_are_no_reason_to_refuse(plain: Service, text: str) -> None:
    assert plain.query(text).status_code == 200


def test_an_allowed_host_is_asked_and_no_other(tmp_path_factory: pytest.TempPathFactory, plain: Service) -> None:
    plain.put("http://x/remote", "<http://x/s> <http://x/p> 1 .")
    allowed = plain.url.removeprefix("http://").partition(":")[0]
    with service(tmp_path_factory.mktemp("federated"), "--plain", "--service-hosts", allowed) as running:
        inner = "{ GRAPH <http://x/remote> { ?s ?p ?o } }"
        assert running.rows(f"SELECT ?o {{ SERVICE <{plain.url}/sparql> {inner} }}") == [{"o": "1"}]
        refused = running.query(f"SELECT ?o {{ SERVICE <http://localhost:1/sparql> {inner} }}")
        assert refused.status_code == 403
        assert "localhost" in refused.json()["detail"]
        assert "BasicFederatedQuery" in running.client.get("/sparql").text


# After a restart


def readers_of(running: Service) -> list[int]:
    (keeper,) = children(running.process.pid)
    return children(keeper)


def kept(folder: Path, *arguments: str) -> AbstractContextManager[Service]:
    folder.mkdir(exist_ok=True)
    return service(folder, "--plain", *arguments)


def test_what_was_acknowledged_is_there_after_a_restart_and_after_a_kill(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        assert running.put("http://t/g", "<http://t/s> <http://t/p> 1, 2 .").status_code == 201
        assert running.update("DELETE DATA { GRAPH <http://t/g> { <http://t/s> <http://t/p> 1 } }").status_code == 204
        version = running.query("ASK {}").headers["ETag"].rpartition("-")[0]
    with kept(tmp_path) as running:
        assert running.rows("SELECT ?o { GRAPH ?g { ?s ?p ?o } }") == [{"o": "2"}]
        assert running.query("ASK {}").headers["ETag"].startswith(version)  # nothing has changed since
        assert running.update("CREATE GRAPH <http://t/empty>").status_code == 204
        running.process.kill()
        running.process.wait()
    with kept(tmp_path) as running:
        assert running.client.get("/graphs", params={"graph": "http://t/empty"}).status_code == 200
        assert running.client.get("/ready").json()["commit"] == 3


def test_blank_nodes_keep_their_names_over_a_restart(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        running.put("http://t/g", "[] <http://t/p> 1 .")
    with kept(tmp_path) as running:
        running.update("INSERT { GRAPH <http://t/g> { ?s <http://t/q> 2 } } WHERE { GRAPH <http://t/g> { ?s <http://t/p> 1 } }")
    with kept(tmp_path) as running:
        found = running.query("ASK { GRAPH <http://t/g> { ?s <http://t/p> 1 ; <http://t/q> 2 } }")
        assert found.json()["boolean"] is True


def test_a_write_that_changes_nothing_is_no_commit(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        running.put("http://t/g", "<http://t/s> <http://t/p> 1 .")
        before = running.client.get("/ready").json()["commit"]
        assert running.put("http://t/g", "<http://t/s> <http://t/p> 1 .").status_code == 204
        assert running.update("DELETE DATA { <http://t/none> <http://t/p> 1 }").status_code == 204
        assert running.client.get("/ready").json()["commit"] == before


def test_a_file_is_loaded_once_and_follows_its_changes(tmp_path: Path) -> None:
    data = tmp_path / "data.ttl"
    data.write_text("<http://t/s> <http://t/p> 1, 2, [ <http://t/q> 3 ] .")
    everything = "SELECT ?o { { ?s <http://t/p> ?o } UNION { ?s <http://t/q> ?o } FILTER(!isBlank(?o)) } ORDER BY ?o"
    with kept(tmp_path, "--load", str(data)) as running:
        assert running.update("INSERT DATA { <http://t/s> <http://t/p> 9 }").status_code == 204
        assert running.client.get("/ready").json()["commit"] == 2
    with kept(tmp_path, "--load", str(data)) as running:
        assert [row["o"] for row in running.rows(everything)] == ["1", "2", "3", "9"]
        assert running.client.get("/ready").json()["commit"] == 2
    data.write_text("<http://t/s> <http://t/p> 2, 4, [ <http://t/q> 3 ] .")
    with kept(tmp_path, "--load", str(data)) as running:
        assert [row["o"] for row in running.rows(everything)] == ["2", "3", "4", "9"]
        assert running.client.get("/ready").json()["commit"] == 3


def test_a_second_service_on_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with kept(tmp_path):
        other = tmp_path / "other"
        other.mkdir()
        with start(other, "--plain", "--data-dir", str(tmp_path / "data")) as process:
            assert process.wait(60) == 1
        assert "is in use by process" in (other / "service.log").read_text()


def test_readers_see_small_changes_without_being_forked_anew(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        assert until(lambda: len(readers_of(running)) == running.client.get("/ready").json()["readers"] > 0)
        pids = set(readers_of(running))
        for n in range(20):
            assert running.update(f"INSERT DATA {{ <http://t/s> <http://t/p> {n} }}").status_code == 204
            assert running.rows("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") == [{"n": str(n + 1)}]
        assert until(lambda: set(readers_of(running)) == pids)  # but for the drafts, which go


# The commands that look at the journal


def command(folder: Path, *words: str, status: int = 0) -> str:
    """What a command says, on either stream, about the plain data folder below `folder`."""
    told = [*words, "--plain", "--data-dir", str(folder / "data")]
    ended, out, err = warm.run(told, os.environ | {"MOTORGRAPH_WRITE_TOKEN": TOKEN})
    assert ended == status, err.decode()
    return (out + err).decode()


def test_the_log_tells_who_did_what_and_a_commit_can_be_shown_and_taken_back(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        told = {"X-Commit-Message": "Zwei Tripel – ja", **AUTHORIZED, "Content-Type": "text/turtle"}
        body = "<http://t/s> <http://t/p> 1, 2 ."
        headers = {name: value.encode() for name, value in told.items()}
        assert running.client.post("/graphs?graph=http://t/g", content=body, headers=headers).status_code == 201
        running.update("DELETE DATA { GRAPH <http://t/g> { <http://t/s> <http://t/p> 1 } }")
        log = command(tmp_path, "log")
        assert "Zwei Tripel – ja" in log
        assert "POST /sparql" in log
        assert command(tmp_path, "show", "2").splitlines()[-1].startswith("- <http://t/s> <http://t/p>")
        command(tmp_path, "revert", "2", "--url", f"{running.url}/sparql")
        assert len(running.rows("SELECT * { GRAPH ?g { ?s ?p ?o } }")) == 2
        assert "Revert commit 2" in command(tmp_path, "log", "-n", "1")
        assert "no commit 99; the newest is 3" in command(tmp_path, "show", "99", status=1)
    assert "every commit is as it was written" in command(tmp_path, "verify")


def test_a_backup_made_while_serving_and_a_folder_as_of_a_commit_can_be_served(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        for n in range(3):
            running.update(f"INSERT DATA {{ <http://t/s> <http://t/p> {n} }}")
        command(tmp_path, "backup", str(tmp_path / "copy" / "data"))
        command(tmp_path, "restore", str(tmp_path / "old" / "data"), "--at", "2")
    for name, values in (("copy", ["0", "1", "2"]), ("old", ["0", "1"])):
        with kept(tmp_path / name) as running:
            assert [row["o"] for row in running.rows("SELECT ?o { ?s ?p ?o } ORDER BY ?o")] == values
    assert "is no empty folder" in command(tmp_path, "backup", str(tmp_path / "old" / "data"), status=1)
    assert "is no commit and no time" in command(tmp_path, "restore", str(tmp_path / "new"), "--at", "yesterday", status=1)


def test_verify_finds_damage(tmp_path: Path) -> None:
    with kept(tmp_path) as running:
        running.update("INSERT DATA { <http://t/s> <http://t/p> 1 }")
    with closing(sqlite3.connect(tmp_path / "data" / "plain" / "journal.db")) as base, base:
        base.execute("UPDATE commits SET author = 'eve'")
    assert "commit 1 is not what was written" in command(tmp_path, "verify", status=1)


def test_a_start_reads_the_newest_snapshot_and_what_came_after(tmp_path: Path) -> None:
    kept = history_module.History(tmp_path, is_writable=True, snapshot_after=3)
    store = ox.Store()
    kept.start(store, [], lambda path, done, total: None)
    for n in range(5):
        line = f'<a:s> <a:p> "{n}" <a:g> .\n'.encode()
        kept.append(Change(added=[line], made=("a:empty",)))
        store.extend(ox.parse(line, ox.RdfFormat.N_QUADS))
        if kept.needs_snapshot:
            copy = ox.Store()
            copy.extend(store)
            copy.add_graph(ox.NamedNode("a:empty"))
            kept.snapshot(copy, (), union=False)
            kept.snapshot_begun()
    kept.close()
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["3.nq.gz"]
    again = history_module.History(tmp_path, is_writable=True)
    found = ox.Store()
    again.start(found, [], lambda path, done, total: None)
    again.close()
    assert set(found) == set(store)
    assert found.contains_named_graph(ox.NamedNode("a:empty"))
    assert remembering.verify(tmp_path) == ""
