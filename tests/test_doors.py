"""More clients than there is room for, and clients that let us wait: who makes way, who is refused, who is let go."""

from __future__ import annotations

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPResponse

import pytest

from motorgraph.doors import OUR_DESCRIPTORS, room_for
from tests.running import TOKEN, Service, service, until
from tests.test_connection import ENDLESS, ONE, Responses, connected, get
from tests.test_quotas import connected as connected_from

MOST = 8
PATIENCE = 1
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
PUT = "PUT /graphs?graph=http://x/slow HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/turtle\r\n"
PUT += f"Authorization: Bearer {TOKEN}\r\n"
ROWS = "SELECT ?a ?b ?c { VALUES ?a {" + " 1" * 100 + " } VALUES ?b {" + " 1" * 100 + " } VALUES ?c {" + " 1" * 100 + " } }"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare store with room for few connections and little patience."""
    options = [
        "--connections",
        str(MOST),
        "--client-connections",
        "0",
        "--client-seconds",
        str(PATIENCE),
        "--query-seconds",
        "20",
    ]
    with service(tmp_path_factory.mktemp("small"), "--plain", *options) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_is_left(small: Service) -> Iterator[None]:
    yield
    assert until(lambda: connections(small) <= 1)


def connections(running: Service) -> int:
    """How many are open, the one that asks included."""
    with connected(running) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = Responses(sock).next()[1].decode()
    running.client.close()  # a client of tests may hold one, which is not meant
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("motorgraph_connections "))


def busy(running: Service, stack: ExitStack) -> None:
    """As many connections as there may be, each at an endless query."""
    for _ in range(MOST):
        sock = stack.enter_context(connected(running))
        sock.sendall(get(ENDLESS))


def is_refused(response_and_body: tuple[HTTPResponse, bytes]) -> bool:
    """Whether an answer is the refusal of one connection too many. Fails if it is neither that nor a 200."""
    response, body = response_and_body
    if response.status == 200:
        return False
    assert response.status == 503
    assert json.loads(body)["type"].endswith("/too-many-connections")
    assert response.headers["retry-after"] == "1"
    assert response.headers["connection"] == "close"
    assert response.headers["content-type"] == "application/problem+json"
    return True


def ask(running: Service, request: bytes) -> tuple[HTTPResponse, bytes]:
    with connected(running) as sock:
        sock.sendall(request)
        return Responses(sock).next()


def test_one_too_many_is_refused_and_told_when_to_come_again(small: Service) -> None:
    with ExitStack() as stack:
        busy(small, stack)
        assert until(lambda: is_refused(ask(small, get(ONE))))
        assert is_refused(ask(small, b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n"))
    assert until(lambda: not is_refused(ask(small, get(ONE))))


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_whoever_watches_the_service_is_answered_all_the_same(small: Service, path: str) -> None:
    with ExitStack() as stack:
        busy(small, stack)
        assert until(lambda: is_refused(ask(small, get(ONE))))
        response, body = ask(small, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert response.status == 200, body
        assert response.headers["connection"] == "close"


def test_where_nobody_more_can_be_heard_one_is_told_at_once(small: Service) -> None:
    """As many again may say what they want; who comes then is refused before."""
    with ExitStack() as stack:
        busy(small, stack)
        assert until(lambda: is_refused(ask(small, get(ONE))))
        at_the_door = [stack.enter_context(connected(small)) for _ in range(MOST)]
        last = stack.enter_context(connected(small))
        assert is_refused(Responses(last).next())
        for sock in at_the_door:  # they say nothing, and are not waited for
            assert sock.recv(1) == b""


def test_an_idle_connection_makes_way(small: Service) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(small)) for _ in range(MOST)]
        for sock in idle:
            sock.sendall(get(ONE))
            assert Responses(sock).next()[0].status == 200
        assert until(lambda: not is_refused(ask(small, get("ASK { FILTER(1 = 2) }"))))
        for sock in idle:
            sock.setblocking(False)
        assert until(lambda: any(map(is_closed, idle)), seconds=0.5)  # its end may come after the answer to the other
        assert 0 < sum(map(is_closed, idle)) < MOST, "they have all been closed, as they are after five seconds in any case"


def is_closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


@pytest.mark.parametrize("begun", [b"", b"GET /sparql?query=ASK%20%7B%7D HTTP/1.1\r\nHost: local"], ids=["nothing", "half"])
def test_a_head_that_does_not_come_is_not_waited_for(small: Service, begun: bytes) -> None:
    with connected(small) as sock:
        sock.sendall(begun)
        if not begun:
            assert sock.recv(1) == b""
            return
        response, body = Responses(sock).next()
        assert response.status == 408
        assert json.loads(body)["type"].endswith("/client-too-slow")
        assert sock.recv(1) == b""


def test_a_head_that_comes_byte_by_byte_is_not_waited_for_either(small: Service) -> None:
    with connected(small) as sock:
        sock.settimeout(0.05)
        head = iter(b"GET /health HTTP/1.1\r\nX-Slow: " + b"a" * 2000)
        answer = bytearray()

        def is_over() -> bool:
            sock.sendall(bytes([next(head)]))
            try:
                answer.extend(sock.recv(4096))
            except TimeoutError:
                return False
            return True

        assert until(is_over)
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_stops_is_not_waited_for_and_changes_nothing(small: Service) -> None:
    before = ask(small, HEALTH)[0].headers["x-commit"]
    with connected(small) as sock:
        sock.sendall(f"{PUT}Content-Length: 100\r\n\r\n<a:s> <a:p> 1 .".encode())
        assert Responses(sock).next()[0].status == 408
    assert ask(small, HEALTH)[0].headers["x-commit"] == before


def test_a_body_that_goes_on_coming_is_waited_for(small: Service) -> None:
    """It takes three times as long as a pause may."""
    pieces = [f"<a:s{n}> <a:p> '{'x' * 1500}' .\n".encode() for n in range(int(3 * PATIENCE / 0.25))]
    with connected(small) as sock:
        sock.sendall(f"{PUT}Content-Length: {sum(map(len, pieces))}\r\n\r\n".encode())
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(0.25)  # the point is that it is slow
        assert Responses(sock).next()[0].status == 201


def test_an_answer_that_nobody_takes_is_given_up(small: Service) -> None:
    with connected(small) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(get(ROWS))
        assert until(lambda: connections(small) == 2)
        assert until(lambda: connections(small) == 1), "it is still open"
        with pytest.raises(ConnectionResetError):
            received(sock)


def received(sock: socket.socket) -> int:
    return sum(map(len, iter(lambda: sock.recv(1 << 20), b"")))


def test_a_connection_that_is_used_stays_however_long_that_is(small: Service) -> None:
    """Answers that are kept, and such that are not, in turns, for three times as long as a pause may be."""
    over = time.monotonic() + 3 * PATIENCE
    with connected(small) as sock:
        responses = Responses(sock)
        while time.monotonic() < over:
            for request in (get(ONE), get(ONE), HEALTH, get(ONE, "text/csv", "Cache-Control: no-cache")):
                sock.sendall(request)
                assert responses.next()[0].status == 200
            time.sleep(0.1)  # a client that asks now and then


# One client of several

SHARE = 3
PROXY = "127.0.3.1"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare store where one client may have three connections of eight, and a proxy as many as there are."""
    options = ["--connections", str(MOST), "--client-connections", str(SHARE), "--trusted-proxies", PROXY]
    with service(tmp_path_factory.mktemp("shared"), "--plain", "--query-seconds", "20", *options) as running:
        yield running


def ask_from(running: Service, host: str, request: bytes = get(ONE)) -> tuple[int, str]:
    """The status that a client at this address is answered with on a new connection, and the kind of a refusal."""
    with connected_from(running, host) as sock:
        sock.sendall(request)
        response, body = Responses(sock).next()
    if response.status in (429, 503):
        assert response.headers["retry-after"] == "1"
        assert response.headers["connection"] == "close"
        return response.status, json.loads(body)["type"].rpartition("/")[2]
    return response.status, ""


def occupy(running: Service, host: str, stack: ExitStack, count: int) -> None:
    """So many connections from this address, each at an endless query."""
    for _ in range(count):
        stack.enter_context(connected_from(running, host)).sendall(get(ENDLESS))


def test_one_client_gets_its_share_of_the_connections_and_others_are_answered(shared: Service) -> None:
    with ExitStack() as stack:
        occupy(shared, "127.0.4.1", stack, SHARE)
        assert until(lambda: ask_from(shared, "127.0.4.1") == (429, "too-many-of-one-client"))
        assert ask_from(shared, "127.0.4.1", HEALTH)[0] == 200
        assert ask_from(shared, "127.0.4.2") == (200, "")
    assert until(lambda: ask_from(shared, "127.0.4.1") == (200, ""))


def test_a_client_that_goes_on_connecting_is_told_without_being_heard_and_others_are_heard(shared: Service) -> None:
    with ExitStack() as stack:
        occupy(shared, "127.0.5.1", stack, SHARE)
        assert until(lambda: ask_from(shared, "127.0.5.1") == (429, "too-many-of-one-client"))
        for _ in range(SHARE):
            stack.enter_context(connected_from(shared, "127.0.5.1"))
        response, body = Responses(stack.enter_context(connected_from(shared, "127.0.5.1"))).next()
        assert (response.status, response.headers["retry-after"]) == (429, "1")
        assert json.loads(body)["type"].endswith("/too-many-of-one-client")
        assert ask_from(shared, "127.0.5.2") == (200, "")


def test_the_idle_connection_of_a_client_makes_way_for_another_of_its_own(shared: Service) -> None:
    with ExitStack() as stack:
        idle = stack.enter_context(connected_from(shared, "127.0.6.1"))
        idle.sendall(get(ONE))
        assert Responses(idle).next()[0].status == 200
        occupy(shared, "127.0.6.1", stack, SHARE - 1)
        assert until(lambda: ask_from(shared, "127.0.6.1") == (200, ""), seconds=4), "idle ones are closed after five in any case"
        idle.setblocking(False)
        assert until(lambda: is_closed(idle), seconds=0.5)  # as above


def test_a_trusted_proxy_may_have_all_connections(shared: Service) -> None:
    with ExitStack() as stack:
        occupy(shared, PROXY, stack, MOST)
        assert until(lambda: ask_from(shared, PROXY) == (503, "too-many-connections"))


def test_there_are_fewer_connections_where_the_system_allows_fewer_files(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    for soft, hard, room, raised in [
        (1024, 20_000, 512, OUR_DESCRIPTORS + 1024),
        (20_000, 20_000, 512, None),
        (1024, 1024, (1024 - OUR_DESCRIPTORS) // 2, None),
        (64, 64, 8, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 512, None),
    ]:
        asked.clear()
        monkeypatch.setattr(resource, "getrlimit", lambda _, limits=(soft, hard): limits)
        monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
        assert room_for(512) == room
        assert asked == ([(raised, hard)] if raised else [])
