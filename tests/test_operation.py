"""What an operator reads: /health, /ready, /metrics, and the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.running import TOKEN, Service, service, start, until

Labels = tuple[tuple[str, str], ...]
Figures = dict[tuple[str, Labels], float]
FAMILIES = {
    "motorgraph_requests": "counter",
    "motorgraph_request_seconds": "histogram",
    "motorgraph_rows": "counter",
    "motorgraph_answer_bytes": "counter",
    "motorgraph_broken_answers": "counter",
    "motorgraph_reader_deaths": "",
    "motorgraph_queue_length": "gauge",
    "motorgraph_readers": "gauge",
    "motorgraph_commit": "gauge",
    "motorgraph_triples": "gauge",
    "motorgraph_memory_bytes": "gauge",
}


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that logs every request."""
    with service(tmp_path_factory.mktemp("logged"), "--plain", "--access-log") as running:
        yield running


def figures(running: Service) -> Figures:
    """Every sample of /metrics by name and labels."""
    families = text_string_to_metric_families(running.client.get("/metrics").text)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def labelled(**labels: str) -> Labels:
    return tuple(sorted(labels.items()))


def moved(running: Service, name: str, labels: Labels, act: Callable[[], object]) -> float:
    """By how much a figure changes when something is done."""
    before = figures(running).get((name, labels), 0.0)
    act()
    return figures(running).get((name, labels), 0.0) - before


# /health and /ready


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_a_service_that_runs_is_alive_ready_and_measured(plain: Service, path: str, method: str) -> None:
    response = plain.client.request(method, path)
    assert response.status_code == 200
    assert bool(response.content) == (method == "GET")
    assert response.headers["X-Request-Id"]


def test_ready_says_the_commit_and_the_readers(plain: Service) -> None:
    assert plain.update("INSERT DATA { <http://x/ready> <http://x/p> 1 }").is_success
    state = plain.client.get("/ready").json()
    assert state["status"] == "ready"
    assert state["commit"] >= 1
    assert state["readers"] >= 1


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_these_addresses_are_only_read(plain: Service, path: str) -> None:
    response = plain.client.post(path)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert response.headers["Content-Type"] == "application/problem+json"


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_service_that_is_loading_is_alive_but_not_ready_and_says_when_to_come_again(tmp_path: Path) -> None:
    port = free_port()
    seen: list[tuple[int, int, int]] = []
    data = tmp_path / "many.nt"
    data.write_text("".join(f'<http://x/{n}> <http://x/p> "{n}" .\n' for n in range(400_000)))
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

    def look() -> bool:
        try:
            health = client.get("/health").status_code
        except httpx.TransportError:
            assert not seen
            return False
        answered, ready = client.get("/sparql", params={"query": "ASK {}"}), client.get("/ready")
        for response in (answered, ready):
            assert response.status_code == 200 or int(response.headers["Retry-After"]) > 0
        seen.append((health, answered.status_code, ready.status_code))
        return ready.status_code == 200

    with client, start(tmp_path, "--plain", "--load", str(data), "--port", str(port)):
        assert until(look, 60)
    assert {health for health, _, _ in seen} == {200}
    assert seen[0] == (200, 503, 503)
    assert {(answered, ready) for _, answered, ready in seen} <= {(503, 503), (503, 200), (200, 200)}


# /metrics


def test_metrics_are_what_prometheus_reads(plain: Service) -> None:
    response = plain.client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}
    assert FAMILIES.keys() <= families.keys()
    for name, kind in FAMILIES.items():
        assert families[name].documentation
        assert not kind or families[name].type == kind


def test_figures_of_state_are_those_of_the_service(plain: Service) -> None:
    found = figures(plain)
    state = plain.client.get("/ready").json()
    assert found["motorgraph_commit", ()] == state["commit"]
    assert found["motorgraph_readers", ()] >= 1
    assert found["motorgraph_queue_length", ()] == 0
    for part in ("front", "keeper", "readers"):
        assert found["motorgraph_memory_bytes", labelled(part=part)] > 1 << 20


@pytest.mark.parametrize(("text", "status"), [("ASK {}", "200"), ("ASK {", "400")])
def test_a_request_is_counted_by_route_method_and_status_and_timed(plain: Service, text: str, status: str) -> None:
    labels = labelled(route="/sparql", method="GET", status=status)
    assert moved(plain, "motorgraph_requests_total", labels, lambda: plain.query(text)) == 1
    assert moved(plain, "motorgraph_request_seconds_count", labelled(route="/sparql"), lambda: plain.query(text)) == 1


def test_paths_that_strangers_make_up_do_not_make_new_figures(plain: Service) -> None:
    for number in range(3):
        plain.client.get(f"/made-up-{number}")
        plain.client.get(f"/graphs/made-up-{number}")
    assert not [key for key in figures(plain) if "made-up" in str(key)]


@pytest.mark.parametrize("accept", ["application/sparql-results+json", "application/sparql-results+xml", "text/csv"])
def test_rows_and_bytes_of_answers_are_counted(plain: Service, accept: str) -> None:
    text = "SELECT ?x { VALUES ?x { 1 2 3 4 5 6 7 } }"
    size = len(plain.query(text, accept).content)
    assert moved(plain, "motorgraph_rows_total", (), lambda: plain.query(text, accept)) == 7
    assert moved(plain, "motorgraph_answer_bytes_total", (), lambda: plain.query(text, accept)) == size


def test_a_write_moves_the_commit_and_the_triples_of_its_graph(plain: Service, graph: str) -> None:
    labels = labelled(graph=graph)
    write = moved(plain, "motorgraph_commit", (), lambda: plain.put(graph, "<http://x/s> <http://x/p> 1, 2, 3 ."))
    assert write == 1
    assert until(lambda: figures(plain).get(("motorgraph_triples", labels)) == 3)
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    assert until(lambda: figures(plain).get(("motorgraph_triples", labels)) == 1)


@pytest.mark.parametrize("end", ["DROP GRAPH <{0}>", "DELETE WHERE {{ GRAPH <{0}> {{ ?s ?p ?o }} }}"], ids=["dropped", "emptied"])
def test_a_graph_that_ends_has_no_triples_any_more(plain: Service, graph: str, end: str) -> None:
    key = ("motorgraph_triples", labelled(graph=graph))
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    assert until(lambda: figures(plain).get(key) == 1)
    response = plain.update(end.format(graph))
    assert response.is_success, response.text
    assert until(lambda: figures(plain).get(key, 0.0) == 0)


def test_a_refused_write_moves_nothing(plain: Service, graph: str) -> None:
    assert moved(plain, "motorgraph_commit", (), lambda: plain.put(graph, "<http://x/s> <")) == 0
    assert moved(plain, "motorgraph_commit", (), lambda: plain.update("CREATE GRAPH")) == 0


def test_a_reader_that_dies_is_counted(plain: Service) -> None:
    deep = "ASK " + "{" * 10_000 + "}" * 10_000
    headers = {"Content-Type": "application/sparql-query"}
    name = next(name for name, _ in figures(plain) if name.startswith("motorgraph_reader_deaths"))
    before = figures(plain)[name, ()]
    plain.client.post("/sparql", content=deep, headers=headers)
    assert until(lambda: figures(plain)[name, ()] == before + 1)


# The log


def lines(running: Service, is_last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:  # Any: what a log line says
    """The lines of the log until the one that is waited for. Each is a JSON object."""
    found: list[dict[str, Any]] = []

    def read() -> bool:
        text = running.log.read_text()
        found[:] = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.startswith("{")]
        return any(map(is_last, found))

    assert until(read), found
    return found


def test_a_request_is_logged_as_json_with_its_id(logged: Service) -> None:
    logged.query("ASK {}", **{"X-Request-Id": "first-of-the-log"})
    logged.query("ASK {", **{"X-Request-Id": "second-of-the-log"})
    found = lines(logged, lambda line: line.get("request") == "second-of-the-log")
    first, second = (next(line for line in found if line.get("request") == f"{n}-of-the-log") for n in ("first", "second"))
    assert (first["method"], first["path"], first["status"], first["level"]) == ("GET", "/sparql", 200, "info")
    assert second["status"] == 400
    assert first["seconds"] >= 0
    assert first["time"] <= second["time"]


def test_the_log_names_the_id_that_the_client_was_told(logged: Service) -> None:
    told = logged.client.get("/nothing-here").headers["X-Request-Id"]
    (line,) = [line for line in lines(logged, lambda line: line.get("request") == told) if line.get("request") == told]
    assert (line["path"], line["status"]) == ("/nothing-here", 404)


def test_a_line_of_the_log_cannot_be_forged(logged: Service) -> None:
    logged.client.get('/a%0A%7B"level":"error"%7D', headers={"X-Request-Id": "forged"})
    (line,) = [line for line in lines(logged, lambda line: line.get("request") == "forged") if line.get("request") == "forged"]
    assert line["path"] == '/a\n{"level":"error"}'


def test_the_token_is_never_logged(logged: Service) -> None:
    logged.put("http://x/g", "<http://x/s> <http://x/p> 1 .")
    logged.client.get("/health", headers={"X-Request-Id": "after-the-write"})
    assert TOKEN not in json.dumps(lines(logged, lambda line: line.get("request") == "after-the-write"))


def test_what_a_client_does_wrong_is_no_fault_in_the_log(logged: Service) -> None:
    for path in ("/sparql?query=%FF", "/sparql?query=ASK", "/graphs?graph=x", "/nothing"):
        logged.client.get(path)
    logged.client.get("/health", headers={"X-Request-Id": "after-the-mistakes"})
    found = lines(logged, lambda line: line.get("request") == "after-the-mistakes")
    assert {line["level"] for line in found} == {"info"}
