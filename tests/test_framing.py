"""Where a request ends: what could be read in two ways is refused, so that nothing is smuggled in behind another request."""

from __future__ import annotations

import json
import re
import socket
from urllib.parse import quote, urlsplit

import pytest

from motorgraph.connection import MOST_HEAD_BYTES
from tests.lives import rest
from tests.running import TOKEN, Service

HOST = b"Host: localhost\r\n"
GET = b"GET /sparql?query=ASK%20%7B%7D HTTP/1.1\r\n" + HOST
POST = b"POST /sparql HTTP/1.1\r\n" + HOST + b"Content-Type: application/sparql-query\r\n"
INNER = b"GET /health HTTP/1.1\r\n" + HOST + b"X-Request-Id: smuggled\r\nConnection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = b"6\r\nASK {}\r\n0\r\n\r\n"


def exchange(running: Service, *pieces: bytes) -> bytes:
    """Sends bytes, each piece when something has come back for the one before; all that comes back until the close."""
    address = urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found = b""
        for piece in pieces[:-1]:
            client.sendall(piece)
            found += client.recv(1 << 16)
        client.sendall(pieces[-1])
        return found + rest(client)


def statuses(said: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


UNCLEAR = {
    "length and chunks": b"Content-Length: %d\r\n" % len(INNER) + CHUNKED + b"0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(INNER),
    "one length twice": b"Content-Length: 6\r\nContent-Length: 6\r\n\r\nASK {}",
    "a list of lengths": b"Content-Length: 6, 6\r\n\r\nASK {}",
    "a length with a sign": b"Content-Length: +6\r\n\r\nASK {}",
    "a length below nothing": b"Content-Length: -6\r\n\r\nASK {}",
    "a length in hexadecimals": b"Content-Length: 0x6\r\n\r\nASK {}",
    "a length of two words": b"Content-Length: 6 6\r\n\r\nASK {}",
    "a length of nothing": b"Content-Length: \r\n\r\n",
    "a length that overflows": b"Content-Length: 18446744073709551622\r\n\r\nASK {}",
    "a length before a space": b"Content-Length : 6\r\n\r\nASK {}",
    "chunks before a space": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks within something": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks, then something": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "no chunks": b"Transfer-Encoding: identity\r\n\r\n",
    "no chunks and a length": b"Transfer-Encoding: identity\r\nContent-Length: 6\r\n\r\nASK {}",
    "chunks in quotes": b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunks with a parameter": b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
    "chunks behind a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks before NUL": b"Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n",
    "chunks on a folded line": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a field on a folded line": b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n",
    "a bare LF in a field": b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare LF at the end": b"\n",
    "a bare CR in a field": b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a name with a space": b"X y: z\r\nContent-Length: 6\r\n\r\nASK {}",
    "no name": b": z\r\nContent-Length: 6\r\n\r\nASK {}",
    "a chunk that overflows": CHUNKED + b"10000000000000006\r\nASK {}\r\n0\r\n\r\n",
    "a chunk below nothing": CHUNKED + b"-6\r\nASK {}\r\n0\r\n\r\n",
    "a chunk with 0x": CHUNKED + b"0x6\r\nASK {}\r\n0\r\n\r\n",
    "a chunk before a space": CHUNKED + b"6 \r\nASK {}\r\n0\r\n\r\n",
    "a chunk with bare LF": CHUNKED + b"6\nASK {}\n0\n\n",
    "a chunk longer than it says": CHUNKED + b"6\r\nASK {}XX0\r\n\r\n",
    "an extension with a bare LF": CHUNKED + b"6;a\nbc\r\nASK {}\r\n0\r\n\r\n",
}
LINES = {
    "a tab": (b" /sparql", b"\t/sparql"),
    "one word more": (b" HTTP/1.1", b" x HTTP/1.1"),
    "a version in small letters": (b"HTTP/1.1", b"http/1.1"),
    "a version of the future": (b"HTTP/1.1", b"HTTP/1.2"),
    "a host alone": (b" /sparql", b" localhost:80"),
    "bare LF": (b"\r\n", b"\n"),
    "a space before the first field": (b"\r\nHost", b"\r\n Host"),
}


@pytest.mark.parametrize("start", [GET, POST], ids=["get", "post"])
@pytest.mark.parametrize("framing", UNCLEAR.values(), ids=UNCLEAR)
def test_a_request_whose_end_is_unclear_is_refused_and_closes_the_connection(
    plain: Service, framing: bytes, start: bytes
) -> None:
    assert statuses(exchange(plain, start + framing + INNER)) == [400]


@pytest.mark.parametrize("start", [GET, POST], ids=["get", "post"])
@pytest.mark.parametrize(("part", "other"), LINES.values(), ids=LINES)
def test_a_request_that_does_not_begin_as_one_closes_the_connection(
    plain: Service, part: bytes, other: bytes, start: bytes
) -> None:
    assert statuses(exchange(plain, start.replace(part, other) + b"\r\n" + INNER)) == [400]


CLEAR = {
    "length": b"Content-Length: 6\r\n\r\nASK {}",
    "length behind a tab": b"Content-Length:\t6\r\n\r\nASK {}",
    "another name": b"Content_Length: 99\r\nContent-Length: 6\r\n\r\nASK {}",
    "chunks": CHUNKED + WHOLE,
    "chunks in capitals": CHUNKED.upper() + WHOLE,
    "chunks with zeros": CHUNKED + b"0" * 64 + WHOLE,
    "chunks with extensions": CHUNKED + b'6;a=b;c="d"\r\nASK {}\r\n0;e\r\n\r\n',
    "chunks with a long extension": CHUNKED + b"6;" + b"a" * 100_000 + b"\r\nASK {}\r\n0\r\n\r\n",
    "chunks with a trailer": CHUNKED + b"6\r\nASK {}\r\n0\r\nX: y\r\n\r\n",
    "another protocol": b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 6\r\n\r\nASK {}",
    "another protocol and chunks": b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + CHUNKED + WHOLE,
}


@pytest.mark.parametrize("start", [GET, POST], ids=["get", "post"])
@pytest.mark.parametrize("framing", CLEAR.values(), ids=CLEAR)
def test_a_body_is_read_to_its_end_and_the_next_request_behind_it(plain: Service, framing: bytes, start: bytes) -> None:
    said = exchange(plain, start + framing + INNER)
    assert statuses(said) == [200, 200]
    assert b'"boolean":true' in said
    assert b"x-request-id: smuggled" in said


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"identity\r\nTransfer-Encoding: chunked"], ids=["gzip", "identity"])
@pytest.mark.parametrize("start", [GET, POST], ids=["get", "post"])
def test_a_transfer_coding_beside_chunks_is_refused(plain: Service, start: bytes, coding: bytes) -> None:
    said = exchange(plain, start + b"Transfer-Encoding: %b\r\n\r\n" % coding + WHOLE + INNER)
    assert statuses(said) == [400, 200]
    assert b"no other transfer coding" in said


@pytest.mark.parametrize(
    "hosts", [b"", HOST + HOST, HOST + b"Host: other\r\n", b"Host: a b\r\n", b"Host: a/b\r\n", b"Host: [::1\r\n"]
)
@pytest.mark.parametrize(
    "start", [GET, POST + b"Content-Length: 0\r\n", b"GET / HTTP/1.1\r\n" + HOST], ids=["get", "post", "page"]
)
def test_a_request_that_names_no_host_or_two_is_refused(plain: Service, start: bytes, hosts: bytes) -> None:
    said = exchange(plain, start.replace(HOST, hosts) + b"\r\n" + INNER)
    assert statuses(said) == [400, 200]
    assert b"one header Host" in said


# The short way, and requests that come again byte for byte


def asking(number: int, *more: bytes) -> bytes:
    query = quote(f"SELECT ?n {{ VALUES ?n {{ {number} }} }}").encode()
    return b"GET /sparql?query=%b HTTP/1.1\r\n%bAccept: text/csv\r\n" % (query, b"".join(more)) + HOST + b"\r\n"


def answered(running: Service, number: int, *more: bytes) -> None:
    """Has it asked until the answer is kept."""
    for _ in range(3):
        assert exchange(running, asking(number, *more), INNER).count(b"n\r\n%d\r\n" % number) == 1


def test_what_stands_in_a_header_is_never_taken_for_a_request_of_somebody_else(plain: Service) -> None:
    """The end of a head comes alone, behind a request in the same piece as its beginning, and looks like a whole request."""
    answered(plain, 666)
    start = asking(666).partition(HOST)[0] + b"X: "
    assert b"n\r\n666\r\n" in exchange(plain, INNER.replace(b"close", b"keep-alive") + start, asking(1001), INNER)
    assert b"n\r\n1001\r\n" in exchange(plain, asking(1001), INNER)


def test_a_request_is_not_answered_before_its_last_chunk(plain: Service) -> None:
    """That has no byte of a body, but comes later than the head, which was answered before."""
    answered(plain, 1002)
    address = urlsplit(plain.url)
    for _ in range(3):
        with socket.create_connection((address.hostname, address.port), timeout=0.2) as client:
            client.sendall(asking(1002, b"Transfer-Encoding: chunked\r\n"))
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(10)
            client.sendall(b"0\r\n\r\n" + INNER)
            assert statuses(rest(client)) == [200, 200]


def test_a_trailer_is_no_header(plain: Service) -> None:
    """A proxy that looks at headers need not see it."""
    update = b"INSERT DATA { <a:t> <a:trailer> 1 }"
    start = POST.replace(b"-query", b"-update") + CHUNKED + b"%x\r\n%b\r\n0\r\n" % (len(update), update)
    said = exchange(plain, start + b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n" + INNER)
    assert statuses(said) == [401, 200]
    assert plain.rows("SELECT * { ?s <a:trailer> ?o }") == []


@pytest.mark.parametrize("junk", [b"junk\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"\x00"])
def test_what_is_no_request_does_not_take_the_place_of_the_answer_before_it(plain: Service, junk: bytes) -> None:
    slow = b"SELECT (COUNT(*) AS ?n) { VALUES ?a {" + b" 1" * 900 + b"} VALUES ?b {" + b" 1" * 900 + b"} }"
    said = exchange(plain, POST + b"Content-Length: %d\r\n\r\n" % len(slow) + slow + junk)
    assert 400 not in statuses(said)


def test_a_thousand_requests_that_would_change_the_protocol_are_read_on(plain: Service) -> None:
    upgrade = b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert statuses(exchange(plain, upgrade * 1000 + INNER)) == [200] * 1001


NO_REQUESTS = {
    "no method": b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01",
    "another protocol": b"GET / SIP/2.0\r\nHost: localhost\r\n\r\n",
    "for proxies": b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a control in a header": b"GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n",
    "an address that is none": b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("sent", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_is_told_so_as_every_other_refusal_is(plain: Service, sent: bytes) -> None:
    head, _, body = exchange(plain, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\ncontent-type: application/problem+json\r\n" in head
    told = json.loads(body)
    assert (told["type"].rpartition("/")[2], told["status"]) == ("bad-request", 400)
    assert told["detail"].startswith("This is no request of HTTP/1.1 or 1.0: ")


def test_a_head_that_is_too_long_is_told_so_too(plain: Service) -> None:
    begun = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "
    head, _, body = exchange(plain, begun.ljust(MOST_HEAD_BYTES + 1, b"a")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(body)["type"].endswith("/head-too-long")
