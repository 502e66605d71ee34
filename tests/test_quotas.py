"""A client has its requests and its seconds of work and no more, others have theirs, and what is left is told."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from motorgraph.bearer import Bearer, Scope
from motorgraph.clients import MOST_KNOWN
from motorgraph.errors import QuotaExceeded
from motorgraph.quotas import Quotas
from motorgraph.settings import Settings
from tests.running import Service, service
from tests.test_attempts import Clock
from tests.test_connection import ENDLESS, Responses, get

HERE, THERE = "192.0.2.1", "192.0.2.2"
RATE, BURST = 0.05, 4
POLICY = f'"requests";q={BURST};w={int(BURST / RATE)}'
LEFT = re.compile(r'"(?P<name>\w+)";r=(?P<left>\d+);t=(?P<seconds>\d+)')


def quotas(clock: Clock, **settings: Any) -> Quotas:  # Any: settings of several types
    return Quotas(Settings(**settings), clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def some(clock: Clock) -> Quotas:
    return quotas(clock, client_requests=2, client_burst=10)


def take(some: Quotas, key: str, times: int) -> int:
    """How many of so many requests were let in."""
    return sum(some.taken(key) is not None for _ in range(times))


def test_nothing_is_limited_by_default() -> None:
    assert Quotas.of(Settings()) is None


def test_a_burst_is_let_in_and_then_the_rate(some: Quotas, clock: Clock) -> None:
    assert take(some, HERE, 30) == 10
    clock.now += 1
    assert take(some, HERE, 30) == 2
    clock.now += 2.5
    assert take(some, HERE, 30) == 5
    clock.now += 3600
    assert take(some, HERE, 30) == 10


def test_in_the_long_run_no_more_than_the_rate_is_let_in(some: Quotas, clock: Clock) -> None:
    let_in = 0
    for _ in range(1000):
        let_in += take(some, HERE, 3)
        clock.now += 0.1
    assert abs(let_in - (10 + 2 * 100)) <= 1


def test_others_have_their_own(some: Quotas) -> None:
    assert take(some, HERE, 30) == 10
    assert take(some, THERE, 30) == 10
    assert some.key(HERE, "anna") != some.key(HERE, "") != some.key(HERE, "bob")


def test_a_network_of_ipv6_is_one_client(some: Quotas) -> None:
    assert some.key("2001:db8::1", "") == some.key("2001:db8::ffff:2", "")
    assert some.key("2001:db8::1", "") != some.key("2001:db8:0:1::1", "")


def test_a_refusal_says_what_was_too_much_and_when_to_come_again(some: Quotas, clock: Clock) -> None:
    take(some, HERE, 10)
    with pytest.raises(QuotaExceeded, match="client_requests") as refused:
        some.require(HERE)
    assert refused.value.members == {"retry_after": 1, "violated-policies": ["requests"]}
    assert refused.value.headers() == [(b"retry-after", b"1")]
    clock.now += 0.5
    some.require(HERE)


def test_what_is_left_is_told_when_it_is_less_than_half(some: Quotas, clock: Clock) -> None:
    assert some.headers(HERE) == []
    take(some, HERE, 5)
    assert some.headers(HERE) == []
    take(some, HERE, 1)
    assert dict(some.headers(HERE)) == {b"ratelimit-policy": b'"requests";q=10;w=5', b"ratelimit": b'"requests";r=4;t=3'}
    take(some, HERE, 4)
    assert dict(some.headers(HERE))[b"ratelimit"] == b'"requests";r=0;t=1'
    clock.now += 5
    assert some.headers(HERE) == []


def test_without_a_burst_it_is_what_may_be_asked_in_ten_seconds(clock: Clock) -> None:
    assert take(quotas(clock, client_requests=3), HERE, 100) == 30
    assert take(quotas(clock, client_requests=0.01), HERE, 100) == 1


def test_work_is_paid_when_it_is_done_and_debts_are_waited_for(clock: Clock) -> None:
    some = quotas(clock, client_query_seconds=30)
    pay = some.payer(HERE)
    assert pay is not None
    pay(20.0)
    told = {b"ratelimit-policy": b'"work";q=30;w=60;qu="seconds"', b"ratelimit": b'"work";r=10;t=40'}
    assert dict(some.headers(HERE)) == told
    some.require(HERE)
    pay(25.0)  # 15 more than there were
    with pytest.raises(QuotaExceeded, match="client_query_seconds") as refused:
        some.require(HERE)
    assert refused.value.members["retry_after"] == 30
    clock.now += 30
    some.require(HERE)
    assert take(some, HERE, 1000) == 1000  # requests are not counted


def test_without_a_budget_of_seconds_nobody_is_charged(some: Quotas) -> None:
    assert some.payer(HERE) is None


def test_memory_is_bounded_and_who_has_spent_most_is_remembered(some: Quotas) -> None:
    take(some, HERE, 10)
    for n in range(5 * MOST_KNOWN):
        take(some, f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 1)
    assert some._requests is not None
    assert len(some._requests.whole) <= 2 * MOST_KNOWN
    assert take(some, HERE, 1) == 0


def test_what_is_given_back_is_there_again(some: Quotas) -> None:
    take(some, HERE, 10)
    some.give_back(HERE)
    assert take(some, HERE, 10) == 1
    some.give_back(THERE)
    assert take(some, THERE, 30) == 10


# Over HTTP


@contextmanager
def limited(folder: Path, *flags: str) -> Iterator[Service]:
    with service(folder, "--plain", "--client-requests", str(RATE), "--client-burst", str(BURST), *flags) as running:
        yield running


@contextmanager
def connected(running: Service, host: str) -> Iterator[socket.socket]:
    """A connection from a loopback address of its own, so that what it spends is nobody else's."""
    where = urlsplit(running.url)
    with socket.create_connection((where.hostname, where.port), timeout=30, source_address=(host, 0)) as sock:
        yield sock


def statuses(running: Service, host: str, requests: list[bytes]) -> list[int]:
    with connected(running, host) as sock:
        responses, found = Responses(sock), []
        for request in requests:
            sock.sendall(request)
            found.append(responses.next()[0].status)
    return found


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that limits requests, behind a proxy at 127.0.3.1 and with a bearer."""
    anna = Bearer.holding("anna", Scope.READ, "the-token-of-anna").entry
    flags = ("--trusted-proxies", "127.0.3.1", "--tokens", anna)
    with limited(tmp_path_factory.mktemp("counted"), *flags) as running:
        yield running


@pytest.mark.parametrize(
    ("way", "host", "request_"),
    [
        ("the short way, from memory", "127.0.2.1", get("ASK {}")),
        ("the short way, by a reader", "127.0.2.2", get("ASK { FILTER(RAND() < 2) }")),
        ("the ordinary way", "127.0.2.3", get("ASK {}", "text/csv", "Expect: 100-continue")),
        ("a refusal", "127.0.2.4", get("ASK {")),
        ("the framework", "127.0.2.5", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a preflight", "127.0.2.6", b"OPTIONS /sparql HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("nothing there", "127.0.2.7", b"GET /no HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("a stream", "127.0.2.8", get("SELECT * {" + " ".join(f"VALUES ?{v} {{{' 1' * 60}}}" for v in "abc") + "}")),
    ],
)
def test_each_way_of_an_answer_counts_once(counted: Service, way: str, host: str, request_: bytes) -> None:
    found = statuses(counted, host, [request_] * (BURST + 3))
    assert all(status < 500 and status != 429 for status in found[:BURST]), way
    assert found[BURST:] == [429] * 3


def test_a_refusal_is_a_problem_that_says_when_to_come_again(counted: Service) -> None:
    with connected(counted, "127.0.2.20") as sock:
        responses = Responses(sock)
        for left in range(BURST - 1, -1, -1):
            sock.sendall(get("ASK {}"))
            response, _ = responses.next()
            assert response.headers["RateLimit-Policy"] == (POLICY if left < BURST / 2 else None)
            assert f'"requests";r={left};t=' in response.headers.get("RateLimit", f'"requests";r={left};t=')
        sock.sendall(get("ASK {}"))
        response, body = responses.next()
    told = LEFT.fullmatch(response.headers["RateLimit"])
    assert told
    assert response.status == 429
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == told["seconds"]
    assert 0 < int(told["seconds"]) <= 1 / RATE
    assert told["left"] == "0"
    assert b'"https://motorgraph.example/problem/quota-exceeded"' in body
    assert b"client_requests" in body


def test_whether_it_is_alive_and_ready_is_free(counted: Service) -> None:
    for path in ("/health", "/ready"):
        asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert statuses(counted, "127.0.2.21", [asked] * (BURST + 5)) == [200] * (BURST + 5)
    assert statuses(counted, "127.0.2.21", [get("ASK {}")]) == [200]


def test_a_bearer_has_a_quota_of_its_own_wherever_it_is(counted: Service) -> None:
    from_anna = get("ASK {}", "text/csv", "Authorization: Bearer the-token-of-anna")
    assert statuses(counted, "127.0.2.22", [get("ASK {}")] * (BURST + 1))[-1] == 429
    assert statuses(counted, "127.0.2.22", [from_anna] * 2) == [200, 200]
    assert statuses(counted, "127.0.2.23", [from_anna] * BURST)[-2:] == [429, 429]
    assert statuses(counted, "127.0.2.23", [get("ASK {}", "text/csv", "Authorization: Bearer wrong")]) == [200]


def test_clients_behind_a_trusted_proxy_are_told_apart(counted: Service) -> None:
    def through(proxy: str, client: str) -> bytes:
        return get("ASK {}", "text/csv", f"X-Forwarded-For: {client}")

    proxy = "127.0.3.1"
    first = [through(proxy, "198.51.100.1")] * (BURST + 1)
    assert statuses(counted, proxy, first) == [200] * BURST + [429]
    assert statuses(counted, proxy, [through(proxy, "198.51.100.2")]) == [200]
    assert statuses(counted, proxy, [through(proxy, "203.0.113.9, 198.51.100.1")]) == [429], "what the client adds is in vain"


def test_who_is_no_proxy_cannot_say_that_it_is_somebody_else(counted: Service) -> None:
    asked = [get("ASK {}", "text/csv", f"X-Forwarded-For: 198.51.100.{n}") for n in range(BURST + 2)]
    assert statuses(counted, "127.0.3.2", asked) == [200] * BURST + [429] * 2
    same = get("ASK {}", "text/csv", "X-Forwarded-For: 198.51.100.77")
    assert statuses(counted, "127.0.3.1", [same]) == [200]
    assert statuses(counted, "127.0.3.3", [same] * (BURST + 1))[-1] == 429
    assert statuses(counted, "127.0.3.1", [same]) == [200], "the spoofed requests were not its own"


def test_the_scheme_that_a_trusted_proxy_tells_is_that_of_links(counted: Service) -> None:
    links = {}
    for host in ("127.0.3.1", "127.0.3.4"):
        with connected(counted, host) as sock:
            lines = ["GET /dumps/ HTTP/1.1", "Host: graph.example.org", "Accept: application/json"]
            lines += ["X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.33", "", ""]
            sock.sendall("\r\n".join(lines).encode())
            links[host] = Responses(sock).next()[1]
    assert b'"latest": "https://graph.example.org/dumps/latest/"' in links["127.0.3.1"]
    assert b'"latest": "http://graph.example.org/dumps/latest/"' in links["127.0.3.4"]


def test_wrong_tokens_through_a_proxy_are_those_of_its_client(counted: Service) -> None:
    def write(client: str) -> bytes:
        head = "DELETE /graphs?graph=http://x/none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong"
        return f"{head}\r\nX-Forwarded-For: {client}\r\n\r\n".encode()

    found = [statuses(counted, "127.0.3.1", [write(f"2001:db8:9::{n}")])[0] for n in range(BURST)]
    assert found == [401] * BURST
    assert statuses(counted, "127.0.3.1", [write("2001:db8:9::ffff")]) == [429], "one network of IPv6 is one client"
    assert statuses(counted, "127.0.3.1", [write("2001:db8:9:1::1")]) == [401]


def test_refusals_are_counted(counted: Service) -> None:
    statuses(counted, "127.0.2.30", [get("ASK {}")] * (BURST + 1))
    with connected(counted, "127.0.2.31") as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        text = Responses(sock).next()[1].decode()
    assert re.search(r'^motorgraph_quota_refusals_total\{policy="requests"\} [1-9]', text, re.MULTILINE)


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that limits seconds of work; a query may take two."""
    flags = ("--query-seconds", "2", "--client-query-seconds", "1.5")
    with service(tmp_path_factory.mktemp("paid"), "--plain", *flags) as running:
        assert running.update("INSERT DATA { GRAPH <http://x/g> { <http://x/s> <http://x/p> 1 } }").is_success
        yield running


def seconds_to_wait(running: Service, host: str) -> int:
    with connected(running, host) as sock:
        sock.sendall(get("ASK {}"))
        return int(Responses(sock).next()[0].headers["Retry-After"])


@pytest.mark.parametrize(
    ("host", "request_"),
    [
        ("127.0.4.1", get(ENDLESS)),
        ("127.0.4.2", get(ENDLESS, "text/csv", "Expect: 100-continue")),
        ("127.0.4.3", f"GET /sparql?at=1&query={quote(ENDLESS)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()),
    ],
)
def test_a_long_query_is_paid_and_the_next_has_to_wait(paid: Service, host: str, request_: bytes) -> None:
    """Two seconds of the one and a half that it may have a minute: 20 seconds are to come back."""
    found = statuses(paid, host, [get("ASK {}"), request_, get("ASK {}"), b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    assert found == [200, 503, 429, 200]
    assert statuses(paid, "127.0.4.9", [get("ASK {}")]) == [200]
    assert 15 <= seconds_to_wait(paid, host) <= 60


def test_a_query_whose_client_has_left_is_paid_too(paid: Service) -> None:
    host = "127.0.4.5"
    for _ in range(3):
        with connected(paid, host) as sock:
            sock.sendall(get(ENDLESS))
            time.sleep(0.6)  # the point is that it is at work meanwhile
    assert statuses(paid, host, [get("ASK {}")]) == [429]


def test_what_a_tool_asks_is_asked_by_its_client(paid: Service) -> None:
    """The two seconds of a query that an agent asks at /mcp are those of whoever asked there."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sparql", "arguments": {"query": ENDLESS}}}
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}

    async def asked() -> list[int]:
        transport = httpx.AsyncHTTPTransport(local_address="127.0.4.6")
        async with httpx.AsyncClient(base_url=paid.url, transport=transport, timeout=30) as client:
            told = await client.post("/mcp", json=call, headers=headers)
            return [told.status_code, (await client.get("/sparql", params={"query": "ASK {}"})).status_code]

    assert asyncio.run(asked()) == [200, 429]


def test_a_write_is_not_charged_to_its_bearer(paid: Service) -> None:
    for n in range(20):
        assert paid.update(f"INSERT DATA {{ GRAPH <http://x/g> {{ <http://x/s> <http://x/p> {n} }} }}").is_success
    response = paid.client.get("/sparql", params={"query": "ASK {}"}, headers={"Authorization": "Bearer the-token-of-the-tests"})
    assert response.status_code == 200
    assert "RateLimit" not in response.headers
