"""Bodies that are on their way at once: what they take together, who is refused, and who is not."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse

import pytest

from motorgraph.bodies import FREE_BYTES
from tests.running import TOKEN, Service, service, until
from tests.test_connection import Responses, connected

MOST = 1 << 20
LONG = 500_000
QUERY = b"ASK {} #" + b" " * LONG
POST = b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query\r\n"
PUT = "PUT /graphs?graph=http://x/{} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/turtle\r\n"
PUT += f"Authorization: Bearer {TOKEN}\r\n"
TURTLE = b"<a:s> <a:p> '" + b"x" * 3 * MOST + b"' ."


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare store where all bodies may take a megabyte, and those without a token half of it."""
    with service(tmp_path_factory.mktemp("narrow"), "--plain", "--bodies-bytes", "1") as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_held(narrow: Service) -> Iterator[None]:
    yield
    assert until(lambda: held(narrow) == 0)


def held(running: Service) -> int:
    return int(running.metric("motorgraph_body_bytes"))


def length(size: int) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % size


def begun(running: Service, stack: ExitStack, head: bytes = POST, body: bytes = QUERY) -> socket.socket:
    """A connection on which all but the last byte of a body has come, and is held."""
    before, sock = held(running), stack.enter_context(connected(running))
    sock.sendall(head + length(len(body)) + body[:-1])
    assert until(lambda: held(running) >= before + len(body) - 1 - FREE_BYTES)
    return sock


def answer(sock: socket.socket) -> tuple[HTTPResponse, bytes]:
    return Responses(sock).next()


def is_refused(sock: socket.socket) -> bool:
    response, body = answer(sock)
    if response.status == 503:
        assert json.loads(body)["type"].endswith("/queue-full")
        assert "bodies_bytes" in json.loads(body)["detail"]
        assert response.headers["retry-after"] == "1"
    return response.status == 503


def test_a_body_for_which_there_is_no_room_is_refused_before_it_is_read(narrow: Service) -> None:
    with ExitStack() as stack:
        first = begun(narrow, stack)
        second = stack.enter_context(connected(narrow))
        second.sendall(POST + b"Expect: 100-continue\r\n" + length(len(QUERY)))
        assert is_refused(second)
        first.sendall(QUERY[-1:])
        assert answer(first)[0].status == 200
    with connected(narrow) as sock:
        sock.sendall(POST + length(len(QUERY)) + QUERY)
        assert answer(sock)[0].status == 200


def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_much(narrow: Service) -> None:
    with ExitStack() as stack:
        begun(narrow, stack)
        sock = stack.enter_context(connected(narrow))
        sock.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(QUERY), QUERY))
        assert is_refused(sock)


def test_a_short_body_is_always_taken(narrow: Service) -> None:
    with ExitStack() as stack:
        begun(narrow, stack)
        sock = stack.enter_context(connected(narrow))
        sock.sendall(POST + length(6) + b"ASK {}")
        assert answer(sock)[0].status == 200


def test_strangers_cannot_keep_a_writer_out_whose_body_is_longer_than_all_may_take(narrow: Service) -> None:
    with ExitStack() as stack:
        begun(narrow, stack)
        sock = stack.enter_context(connected(narrow))
        sock.sendall(PUT.format("alone").encode() + length(len(TURTLE)) + TURTLE)
        assert answer(sock)[0].status == 201


def test_a_writer_waits_for_another(narrow: Service) -> None:
    with ExitStack() as stack:
        first = begun(narrow, stack, PUT.format("first").encode(), TURTLE)
        second = stack.enter_context(connected(narrow))
        second.sendall(PUT.format("second").encode() + length(len(TURTLE)))
        assert is_refused(second)
        first.sendall(TURTLE[-1:])
        assert answer(first)[0].status == 201


def test_a_client_that_leaves_lets_go_of_its_body(narrow: Service) -> None:
    with ExitStack() as stack:
        begun(narrow, stack).close()
        assert until(lambda: held(narrow) == 0)
