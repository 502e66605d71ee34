"""The watch on a remote store: a start before it is there, what others write, connections that nobody needs any more."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from motorgraph.engine.endpoint import Endpoint
from motorgraph.engine.place import Place
from tests.oxigraphs import Oxigraph, oxigraph
from tests.running import Service, service, start, until, wait_for_address

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?t ?v FILTER(?x + ?y + ?z = 99) }"


@pytest.fixture
def engine() -> Iterator[Oxigraph]:
    """An engine of the test's own."""
    with oxigraph() as running:
        yield running


# Starts


def test_a_start_waits_for_the_store_and_says_so(engine: Oxigraph, tmp_path: Path) -> None:
    engine.kill()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start(tmp_path, "--plain", "--port", str(port), *engine.flags) as process:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

        def waits() -> bool:
            with suppress(httpx.TransportError):
                return bool(client.get("/ready").json()["status"] == "store away")
            return False

        assert until(waits, 60)
        told = client.get("/ready")
        assert (told.status_code, "does not answer" in told.json()["why"]) == (503, True)
        assert client.get("/health").status_code == 200
        refused = client.get("/sparql", params={"query": "ASK {}"})
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "store-away")
        engine.again()
        url = wait_for_address(process, tmp_path / "service.log")
        assert url == str(client.base_url).rstrip("/")
        assert client.get("/ready").json().keys() == {"status", "commit", "readers"}
        assert client.get("/sparql", params={"query": "ASK {}"}).status_code == 200
        client.close()


class _NoEndpoint(http.server.BaseHTTPRequestHandler):
    """Answers everything in a way that no SPARQL endpoint does."""

    status, text = 200, b"Hello"

    def do_POST(self) -> None:
        """Answers."""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.text)))
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, *_: object) -> None:  # type: ignore[override]  # nothing is to be logged
        """Says nothing."""


@contextmanager
def answering(code: int) -> Iterator[str]:
    """The address of a server that answers so."""
    handler = type("Handler", (_NoEndpoint,), {"status": code})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/query"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("code", "told"), [(401, "refuses us: 401"), (200, "no result of SPARQL")])
def test_a_start_with_wrong_settings_is_refused(code: int, told: str, tmp_path: Path) -> None:
    with answering(code) as url, start(tmp_path, "--plain", "--remote", url) as process:
        assert until(lambda: process.poll() is not None, 60)
        assert process.poll() == 1
    assert told in (tmp_path / "service.log").read_text()


# What others write


def test_quads_that_others_write_are_counted_and_told(engine: Oxigraph, tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--remote-count-seconds", "1", *engine.flags) as running:
        assert running.update("INSERT DATA { <a:s> <a:p> 1 GRAPH <a:g> { <a:s> <a:p> 2, [] } }").status_code == 204
        assert running.update("DELETE DATA { <a:s> <a:p> 1 } ; INSERT DATA { <a:s> <a:p> 3 }").status_code == 204
        counted = 'motorgraph_triples{graph="a:g"} 2.0'
        assert until(lambda: counted in running.client.get("/metrics").text, 30)
        assert "astray" not in running.client.get("/ready").json()
        engine.update("INSERT DATA { GRAPH <a:g> { <a:theirs> <a:p> 1, 2 } }")
        assert until(lambda: running.client.get("/ready").json().get("astray") == 2, 60)
        assert running.client.get("/ready").status_code == 200
        assert running.metric("motorgraph_store_astray_quads") == 2
        assert "somebody else has written to the store" in running.log.read_text()
        engine.update("DELETE DATA { GRAPH <a:g> { <a:theirs> <a:p> 1, 2 } }")
        assert until(lambda: "astray" not in running.client.get("/ready").json(), 60)


# While it is away, and when nobody waits any more


def test_what_needs_no_store_is_answered_while_a_write_is_settled(engine: Oxigraph, tmp_path: Path) -> None:
    with service(tmp_path, "--plain", *engine.flags) as running, ThreadPoolExecutor() as threads:
        assert running.update("INSERT DATA { <a:s> <a:p> 1 }").status_code == 204
        engine.kill()
        write = threads.submit(running.update, "INSERT DATA { <a:s> <a:p> 2 }")
        longest = 0.0
        with httpx.Client(base_url=running.url, timeout=30, trust_env=False) as client:
            while not write.done():
                for path in ("/health", "/ready", "/static/site.css", "/docs"):
                    began = time.monotonic()
                    client.get(path)
                    longest = max(longest, time.monotonic() - began)
        assert write.result().status_code == 503
        assert longest < 2  # the keeper tries for 3 seconds to find out what became of the write


def connections(port: int) -> set[int]:
    """The local ports of the connections to a port that stand."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if int(row[2].partition(":")[2], 16) == port and row[3] == "01"}


@pytest.mark.parametrize("leaves", [False, True])
def test_a_query_that_is_broken_off_lets_go_of_its_connection(engine: Oxigraph, tmp_path: Path, leaves: bool) -> None:
    rows = " ".join(f"<a:{n}>" for n in range(200))
    with service(tmp_path, "--plain", "--query-seconds", "2", *engine.flags) as running, ThreadPoolExecutor() as threads:
        filled = running.update(f"INSERT {{ ?s <a:p> ?o }} WHERE {{ VALUES ?s {{ {rows} }} VALUES ?o {{ 1 2 3 }} }}")
        assert filled.status_code == 204, filled.text
        before = connections(engine.port)
        asked = threads.submit(ask, running, 0.5 if leaves else 30.0)
        assert until(lambda: connections(engine.port) - before, 10)
        of_query = connections(engine.port) - before
        assert asked.result() == ("left" if leaves else "deadline-exceeded")
        assert until(lambda: not connections(engine.port) & of_query, 10)


def ask(running: Service, seconds: float) -> str:
    """What comes of the endless query, asked by a client that waits for so long."""
    try:
        told = httpx.get(f"{running.url}/sparql", params={"query": ENDLESS}, timeout=seconds, trust_env=False).json()
    except httpx.TimeoutException:
        return "left"
    return str(told["type"].rpartition("/")[2])


@pytest.mark.parametrize(
    ("dialect", "token", "told"),
    [
        ("oxigraph", "", ()),
        ("virtuoso", "", (("timeout", "13000"),)),
        ("fuseki", "", (("timeout", "13"),)),
        ("graphdb", "", (("timeout", "13"),)),
        ("stardog", "", (("timeout", "13000"),)),
        ("qlever", "", ()),
        ("qlever", "Bearer x", (("timeout", "13s"),)),
        ("neptune", "", ()),
        ("sparql", "", ()),
    ],
)
def test_a_query_says_how_long_it_may_take_as_the_engine_wants_it(
    dialect: str, token: str, told: tuple[tuple[str, str], ...]
) -> None:
    place = Place("http://127.0.0.1:9/query", dialect=dialect, authorization=token, seconds=10.5)
    assert Endpoint(place)._ending == told
