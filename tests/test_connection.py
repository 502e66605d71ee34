"""Requests over a bare socket: in a row without waiting, in pieces, with what a GET seldom has, by clients that leave."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import pytest

from tests.running import Service, until

ONE = "SELECT ?n { VALUES ?n { 1 } }"
ASK = "ASK {}"
LONG = "SELECT ?a ?b { VALUES ?a {" + " 1" * 300 + " } VALUES ?b {" + " 1" * 300 + " } }"
ENDLESS = "SELECT (COUNT(*) AS ?n) {" + "".join(f" VALUES ?{name} {{{' 1' * 300}}}" for name in "abcdef") + " }"


@contextmanager
def connected(running: Service) -> Iterator[socket.socket]:
    address = urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as sock:
        yield sock


def get(text: str, accept: str = "text/csv", *more: str, method: str = "GET") -> bytes:
    lines = [f"{method} /sparql?query={quote(text)} HTTP/1.1", "Host: localhost", f"Accept: {accept}", *more, "", ""]
    return "\r\n".join(lines).encode()


class Responses:
    """Reads one response after the other from a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._file = sock.makefile("rb")

    def next(self) -> tuple[http.client.HTTPResponse, bytes]:
        response = http.client.HTTPResponse(_Source(self._file))  # type: ignore[arg-type]  # makefile() is all it asks of a socket
        response.begin()
        return response, response.read()


class _Source:
    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, mode: str) -> io.BufferedReader:
        return _Kept(self._file)  # type: ignore[return-value]  # reads as one


class _Kept:
    """The file, left open when a response has been read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def test_requests_in_a_row_are_answered_in_their_order(plain: Service) -> None:
    """Short, long, refused, with a body, for another route: whichever way each takes."""
    head = "POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query"
    post = f"{head}\r\nContent-Length: {len(ASK)}\r\n\r\n{ASK}"
    asked = [
        get(ONE),
        get(ASK, "application/sparql-results+json"),
        get("ASK {"),
        get(LONG),
        get(ONE),
        post.encode(),
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        get(ONE, method="HEAD"),
    ]
    with connected(plain) as sock:
        responses = Responses(sock)
        sock.sendall(b"".join(asked[:-1]))
        found = [responses.next() for _ in asked[:-1]]
    assert [response.status for response, _ in found] == [200, 200, 400, 200, 200, 200, 200]
    bodies = [body for _, body in found]
    assert bodies[0] == bodies[4] == b"n\r\n1\r\n"
    assert b'"boolean":true' in bodies[1]
    assert b'"boolean":true' in bodies[5]
    assert bodies[3].count(b"\n") == 90_001
    assert b"alive" in bodies[6]


@pytest.mark.parametrize("size", [1, 7, 40])
def test_a_request_in_pieces_is_answered_as_a_whole_one(plain: Service, size: int) -> None:
    request = get(ONE)
    with connected(plain) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), size):
            sock.sendall(request[start : start + size])
        response, body = Responses(sock).next()
    assert (response.status, body) == (200, b"n\r\n1\r\n")


def test_a_get_with_a_body_is_answered_and_so_is_the_next(plain: Service) -> None:
    with connected(plain) as sock:
        responses = Responses(sock)
        sock.sendall(get(ONE, "text/csv", "Content-Length: 5") + b"hello" + get(ASK, "text/csv"))
        assert responses.next()[1] == b"n\r\n1\r\n"
        assert responses.next()[1] == b"true"


@pytest.mark.parametrize(
    "header", ["Expect: 100-continue", "Connection: close", "Upgrade: websocket\r\nConnection: Upgrade", "If-None-Match: *"]
)
def test_an_unusual_get_is_answered_too(plain: Service, header: str) -> None:
    with connected(plain) as sock:
        sock.sendall(get(ONE, "text/csv", header))
        response, body = Responses(sock).next()
    assert (response.status, body) == ((304, b"") if "None" in header else (200, b"n\r\n1\r\n"))


def test_both_ways_send_the_same_headers(plain: Service) -> None:
    """The first answer goes the short way; the second is asked for on a connection that is to be closed, which does not."""
    found = []
    for more in ([], ["Connection: close"]):
        with connected(plain) as sock:
            sock.sendall(get(ONE, "text/csv", "X-Request-Id: mine", *more))
            response, _ = Responses(sock).next()
            found.append({name.lower(): value for name, value in response.getheaders() if name.lower() != "date"})
    assert found[1].pop("connection") == "close"
    assert found[0] == found[1]
    assert found[0]["x-request-id"] == "mine"
    assert found[0]["etag"]


def test_a_request_has_an_id_of_its_own_unless_it_brings_one(plain: Service) -> None:
    with connected(plain) as sock:
        responses = Responses(sock)
        sock.sendall(get(ONE))
        first = responses.next()[0]
        sock.sendall(get(ONE))
        assert first.headers["x-request-id"] != responses.next()[0].headers["x-request-id"]


def test_the_reader_of_a_client_that_has_left_is_free_again(plain: Service) -> None:
    for _ in range(6):
        with connected(plain) as sock:
            sock.sendall(get(ENDLESS))
            time.sleep(0.05)  # the point is that it is at work when its client goes
    assert until(lambda: plain.client.get("/metrics").text.count('status="499"') > 0)
    started = time.monotonic()
    assert plain.rows(ONE) == [{"n": "1"}]
    assert time.monotonic() - started < 5


def test_clients_that_leave_small_queries_cost_no_reader(plain: Service) -> None:
    assert plain.rows(ONE)
    deaths = plain.metric("motorgraph_reader_deaths")
    for _ in range(30):
        with connected(plain) as sock:
            sock.sendall(get(ONE))
    assert plain.rows(ONE) == [{"n": "1"}]
    assert plain.metric("motorgraph_reader_deaths") == deaths


def test_a_request_that_comes_again_is_asked_again_whatever_came_between(plain: Service, graph: str) -> None:
    """The same bytes are not parsed again; each is answered from the graph as it is then, long or short, or refused."""
    text = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s <urn:p> ?o }} }} LIMIT 1"
    other = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(plain) as sock:
        responses = Responses(sock)
        for number in range(3):
            for between in (get(text), other, get(ASK), get(ONE, "text/csv", "Content-Length: 1") + b"x"):
                sock.sendall(between)
                assert responses.next()[0].status == 200
                sock.sendall(get(text))
                assert responses.next()[1].split() == [b"n", b"%d" % number]
            for again in range(3):
                sock.sendall(get(LONG))
                assert responses.next()[1].count(b"\n") == 90_001, again
                sock.sendall(get("ASK {"))
                assert responses.next()[0].status == 400
            assert plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <urn:s> <urn:p> {number} }} }}").status_code == 204


def test_requests_that_come_again_at_once_are_answered_in_their_order(plain: Service) -> None:
    with connected(plain) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        responses = Responses(sock)
        for _ in range(20):
            sock.sendall(get(ONE))
            sock.sendall(get(ASK))
            sock.sendall(get(ONE) + get(ONE))
            found = [responses.next()[1] for _ in range(4)]
            assert found == [b"n\r\n1\r\n", b"true", b"n\r\n1\r\n", b"n\r\n1\r\n"]


def test_an_open_connection_is_used_again_after_each_kind_of_answer(plain: Service) -> None:
    with connected(plain) as sock:
        responses = Responses(sock)
        for text, status in ((ONE, 200), ("ASK {", 400), (LONG, 200), (ONE, 200), ("SELECT * { ?s", 400), (ONE, 200)):
            sock.sendall(get(text))
            assert responses.next()[0].status == status


def test_the_connection_of_a_quiet_client_is_closed_in_the_end(plain: Service) -> None:
    """Five seconds after its last answer, as uvicorn does it."""
    with connected(plain) as sock:
        sock.sendall(get(ONE))
        Responses(sock).next()
        sock.settimeout(15)
        assert sock.recv(1) == b""
