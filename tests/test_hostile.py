"""What a client may try against the service: it answers, lives on, and reaches no host for anyone."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from tests.forked import CSV, JSON, POINT, children, resident
from tests.lives import Life, living, rest
from tests.running import CERTIFICATES, TOKEN, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
MIB = 1 << 20
DEEP = 10_000
A = "<http://e/p>"
WRITER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A plain service that ends queries soon."""
    with living(tmp_path_factory.mktemp("hostile"), "--query-seconds", "2", "--query-memory", "256") as life:
        yield life


@pytest.fixture(autouse=True)
def _unharmed(target: Life) -> Iterator[None]:
    """After each attempt the service is alive, answers, and has made no mistake that it knows of."""
    before = target.said.count("a fault of the service")
    yield
    assert target.get("/health").status_code == 200
    assert target.is_answering()
    assert target.said.count("a fault of the service") == before


def post(life: Life, **form: str) -> httpx.Response:
    """Sends a form to /sparql, with the token."""
    return httpx.post(
        life.url + "/sparql", data=form, headers={"Accept": JSON, **WRITER}, timeout=30, trust_env=False, verify=CERTIFICATES
    )


def exchange(life: Life, data: bytes) -> bytes:
    """Sends bytes as they are; what comes back until the service closes or has had a second to say more."""
    with connected(life) as client:
        client.sendall(data)
        client.settimeout(1)
        return rest(client)


@contextmanager
def connected(life: Life) -> Iterator[socket.socket]:
    """A connection to the service."""
    host, _, port = life.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        yield client


def told(response: httpx.Response) -> str:
    """What a refusal says."""
    assert response.headers["content-type"] == "application/problem+json", response.text[:200]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert len(problem["detail"]) > 20
    assert len(response.content) < 4096
    return str(problem["detail"])


# Texts


def deep(opening: str, middle: str, closing: str) -> str:
    return opening * DEEP + middle + closing * DEEP


CRASHING = {
    "braces": "SELECT * " + deep("{", "", "}"),
    "braces that never close": "SELECT * " + "{" * DEEP,
    "optionals": "SELECT * { " + deep("OPTIONAL { ", "?s ?p ?o", " }") + " }",
    "unions": "SELECT * { " + deep("{ ?s ?p ?o } UNION { ", "?s ?p ?o", " }") + " }",
    "minus": "SELECT * { " + deep("MINUS { ", "?s ?p ?o", " }") + " }",
    "selects": "SELECT * { " + deep("{ SELECT * { ", "?s ?p ?o", " } }") + " }",
    "exists": "SELECT * { " + deep("FILTER EXISTS { ", "?s ?p ?o", " }") + " }",
    "brackets": "SELECT * { ?s ?p " + deep(f"[ {A} ", "1", " ]") + " }",
    "collections": "SELECT * { ?s ?p " + deep("( ", "1", " )") + " }",
    "parentheses": "SELECT * { FILTER(" + deep("( ", "1", " )") + ") }",
    "not": "SELECT * { FILTER(" + "!" * DEEP + "true) }",
    "or": "SELECT * { FILTER(" + "true || " * DEEP + "true) }",
    "and": "SELECT * { FILTER(" + "true && " * DEEP + "true) }",
    "plus": "SELECT (" + "1 + " * DEEP + "1 AS ?x) {}",
    "functions": "SELECT (" + deep("STR(", "1", ")") + " AS ?x) {}",
    "path of alternatives": "SELECT * { ?s " + f"{A}|" * DEEP + f"{A} ?o }}",
    "path of stars": "SELECT * { ?s " + deep("(", A, ")*") + " ?o }",
    "quoted triples": "SELECT * { " + deep("<< ", f"?s {A} ?o", f" {A} ?o >>") + f" {A} ?o }}",
    "graphs": "SELECT * { " + deep("GRAPH ?g { ", "?s ?p ?o", " }") + " }",
}


@pytest.mark.parametrize("text", CRASHING.values(), ids=CRASHING)
def test_a_text_that_is_nested_too_deeply_is_refused_and_says_so(target: Life, text: str) -> None:
    response = post(target, query=text)
    assert response.status_code in (400, 500, 503), response.text[:200]
    told(response)


@pytest.mark.parametrize(
    "text", [CRASHING["braces"], CRASHING["or"], CRASHING["collections"]], ids=["braces", "or", "collections"]
)
def test_an_update_that_is_nested_too_deeply_is_refused_and_changes_nothing(target: Life, text: str) -> None:
    pattern = text.removeprefix("SELECT * ")
    response = post(target, update=f"DELETE {{ ?s ?p ?o }} INSERT {{ <a:s> <a:p> 1 }} WHERE {pattern}")
    assert response.status_code in (400, 500, 503)
    told(response)
    assert target.get("/sparql", query="ASK { <a:s> <a:p> 1 }").json()["boolean"] is False


def test_a_thousand_patterns_are_ended_at_the_deadline(target: Life) -> None:
    patterns = " . ".join(f"?a{n} ?b{n} ?c{n % 7}" for n in range(1000))
    response = post(target, query=f"SELECT * {{ {patterns} }}")
    assert response.status_code == 503
    assert "query_seconds" in told(response)


SURVIVED = {
    "path in parentheses": "SELECT * { ?s " + deep("( ", A, " )") + " ?o }",
    "a regular expression that backtracks": f'SELECT * {{ FILTER(REGEX("{"a" * 5000}b", "^(a+)+$")) }}',
    "a regular expression that is enormous": 'SELECT * { FILTER(REGEX("a", "((a{1000}){1000}){1000}")) }',
    "a regular expression that is nested": f'SELECT * {{ FILTER(REGEX("a", "{"(" * 5000}{")" * 5000}")) }}',
    "a replacement that grows": 'SELECT (REPLACE("' + "a" * 1000 + '", "a", "' + "b" * 1000 + '") AS ?x) {}',
    "a literal that grows": 'SELECT * { BIND("aaaaaaaa" AS ?x0) '
    + "".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1}) " for n in range(30))
    + "}",
    "a product": "SELECT (COUNT(*) AS ?n) { " + " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(6)) + " }",
    "an enormous number": f"SELECT ({'9' * 100_000} AS ?x) {{}}",
    "an enormous exponent": "SELECT (1e999999999 * 1e999999999 AS ?x) {}",
    "an enormous limit": f"SELECT * {{ ?s ?p ?o }} LIMIT {'9' * 30}",
    "an enormous offset": f"SELECT * {{ ?s ?p ?o }} OFFSET {2**63}",
    "an enormous IRI": f"SELECT * {{ <http://e/{'x' * 500_000}> ?p ?o }}",
    "an enormous variable": f"SELECT ?{'x' * 500_000} {{ ?s ?p ?o }} LIMIT 1",
    "an enormous prefix": f"PREFIX {'x' * 200_000}: <http://e/> SELECT * {{ {'x' * 200_000}:s ?p ?o }}",
    "a date beyond all dates": 'SELECT ("9999999999999-12-31T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> AS ?x) {}',
    "a long path over a cycle": f"SELECT (COUNT(*) AS ?n) {{ ?s ({A}|^{A})* ?o . ?o ({A}|^{A})* ?x }}",
    "no text": "",
    "white space": " \n\t" * 1000,
    "a comment": "# nothing",
    "the byte order mark": "\ufeffSELECT * {}",
    "a surrogate written as an escape": 'SELECT ("\\uD800" AS ?x) {}',
    "a character that is none": 'SELECT ("\\UFFFFFFFF" AS ?x) {}',
    "right to left": "SELECT * { \u202e?s ?p ?o\u202c }",
    "strings that never close": "# service \n" + "\\'''\n" * 100_000,
    "words without end": "service " + "a-" * 250_000,
    "a thousand services": "SELECT * { " + "SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } " * 1000 + "}",
}


@pytest.mark.parametrize("text", SURVIVED.values(), ids=SURVIVED)
def test_an_odd_text_is_answered_or_refused_in_time(target: Life, text: str) -> None:
    response = post(target, query=text)
    if response.status_code != 200:
        assert 400 <= response.status_code <= 503
        told(response)


def test_the_front_answers_others_while_an_odd_text_is_looked_at(target: Life) -> None:
    asked = threading.Thread(target=post, args=(target,), kwargs={"query": SURVIVED["strings that never close"]})
    asked.start()
    try:
        for _ in range(20):
            assert target.get("/health").elapsed.total_seconds() < 1
    finally:
        asked.join()


def test_a_query_of_a_megabyte_is_answered_and_a_longer_one_refused(target: Life) -> None:
    padding = MIB - len(POINT) - 2
    assert post(target, query=f"{POINT}\n#{'x' * padding}").status_code == 200
    response = post(target, query=f"{POINT}\n#{'x' * (padding + 1)}")
    assert response.status_code == 413
    assert "query_length" in told(response)


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(target: Life) -> None:
    head = b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 99999999999\r\n\r\n"
    with connected(target) as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "written",
    ["%00", "SELECT%20*%20%7B%7D%00", "%FF%FE", "%C3%28", "%ED%A0%80", "%", "%zz", "%u0053", "&query=", "+" * 5000],
    ids=[
        "NUL",
        "NUL at the end",
        "no UTF-8",
        "broken UTF-8",
        "a surrogate",
        "a lone %",
        "no hex",
        "%u",
        "nothing twice",
        "blanks",
    ],
)
def test_parameters_that_are_badly_written_are_refused(target: Life, written: str) -> None:
    response = httpx.get(f"{target.url}/sparql?query={written}", timeout=30, trust_env=False, verify=CERTIFICATES)
    assert response.status_code == 400
    told(response)


@pytest.mark.parametrize("body", [b"\x00", b"\xff\xfe\x00", b"\xed\xa0\x80", b"SELECT * { \xff }"])
def test_a_body_that_is_no_text_is_refused(target: Life, body: bytes) -> None:
    headers = {"Content-Type": "application/sparql-query"}
    response = httpx.post(target.url + "/sparql", content=body, headers=headers, trust_env=False, verify=CERTIFICATES)
    assert response.status_code == 400
    told(response)


def test_ten_thousand_parameters_are_refused(target: Life) -> None:
    response = httpx.post(
        target.url + "/sparql",
        content="&".join(f"default-graph-uri=a:{n}" for n in range(10_000)) + "&query=ASK%7B%7D",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        trust_env=False,
        verify=CERTIFICATES,
    )
    assert response.status_code == 400
    told(response)


# Headers and connections


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", ",".join(["text/csv;q=0.5"] * 2000)),
        ("Accept", ";" * 5000),
        ("Accept", "text/csv;q=" + "9" * 1000),
        ("Accept", "\u00e9\u00ff/\u00e9, */*"),
        ("Accept", ""),
        ("Accept-Encoding", "gzip;q=x, ,,;q=1, br"),
        ("Content-Type", "text/\u00e9;;;="),
        ("X-Request-Id", "x" * 10_000),
        ("X-Request-Id", 'a"\\b'),
        ("If-None-Match", '"' * 5001),
        ("Authorization", "Bearer " + "x" * 10_000),
        ("Host", ""),
        ("Host", "evil.example\u00e9"),
        ("Origin", "null"),
        ("Content-Length", "0"),
        ("Cookie", "x" * 30_000),
    ],
)
def test_junk_in_a_header_is_answered_or_refused(target: Life, name: str, value: str) -> None:
    line = f"{name}: {value}".encode("latin-1")
    query = httpx.QueryParams({"query": POINT})
    host = "" if name == "Host" else "Host: x\r\n"
    said = exchange(target, f"GET /sparql?{query} HTTP/1.1\r\n{host}Connection: close\r\n".encode() + line + b"\r\n\r\n")
    assert said[9:12] in (b"200", b"400", b"406", b"415", b"431")
    assert b"\r\nx-request-id: " + b"x" * 129 not in said


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /sparql?query=\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_no_success(target: Life, data: bytes) -> None:
    assert exchange(target, data)[9:10] in (b"", b"4", b"5")


@pytest.mark.parametrize("length", [1, 20, 60, 120, 150])
def test_a_request_that_is_cut_off_is_forgotten(target: Life, length: int) -> None:
    head = "POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Type: application/sparql-query\r\nContent-Length: 1000\r\n\r\n"
    with connected(target) as client:
        client.sendall((head + "SELECT * {} #").encode()[:length])
        client.shutdown(socket.SHUT_WR)
        assert not rest(client).startswith(b"HTTP/1.1 200")


def test_a_request_that_comes_byte_by_byte_is_answered(target: Life) -> None:
    query = httpx.QueryParams({"query": POINT})
    with connected(target) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in f"GET /sparql?{query} HTTP/1.1\r\nHost: x\r\nAccept: {CSV}\r\nConnection: close\r\n\r\n".encode():
            client.sendall(bytes([byte]))
        assert rest(client).endswith(b"o\r\n5\r\n")


def test_requests_in_one_piece_are_answered_in_their_order(target: Life) -> None:
    asked = [f"SELECT ?o {{ <http://e/{n}> {A} ?o }}" for n in range(20)]
    lines = [f"GET /sparql?{httpx.QueryParams({'query': q})} HTTP/1.1\r\nHost: x\r\nAccept: {CSV}\r\n" for q in asked]
    with connected(target) as client:
        client.sendall("\r\n".join(lines).encode() + b"Connection: close\r\n\r\n")
        answers = rest(client).split(b"HTTP/1.1 200 OK")[1:]
    assert [a.partition(b"\r\n\r\n")[2] for a in answers] == [f"o\r\n{n}\r\n".encode() for n in range(20)]


def test_a_hundred_connections_that_say_nothing_keep_nobody_out(target: Life) -> None:
    host, _, port = target.url.removeprefix("http://").partition(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(100)]
    for number, client in enumerate(idle):
        client.sendall(b"GET /sparql HTTP/1.1\r\nX-Slow: "[: number % 30])
    assert target.is_answering()
    for client in idle:
        client.close()


CHUNKED = b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "start",
    [
        b"GET /health HTTP/1.1\r\nX: ",
        b"GET /",
        b"GET /health HTTP/1.1\r\n",
        CHUNKED + b"0\r\n",
        CHUNKED + b"0\r\nX: ",
        CHUNKED + b"1;",
    ],
    ids=["field", "address", "fields", "trailers", "trailer", "extension"],
)
def test_what_frames_a_request_is_not_kept_without_end(target: Life, start: bytes) -> None:
    piece = b"X: y\r\n" * 10_000 if start.endswith(b"\n") else b"x" * 60_000
    before = resident(target.process.pid)
    sent = 0
    with connected(target) as client:
        try:
            client.sendall(start)
            while sent < 64 * MIB:
                client.sendall(piece)
                sent += len(piece)
        except (ConnectionError, TimeoutError):
            pass
        assert resident(target.process.pid) < before + 24 * MIB
    assert sent < 32 * MIB


# Hosts


@dataclass
class Listener:
    """A host on loopback that notes who comes."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    """A listening socket on every loopback address there is."""
    with socket.create_server(("", 0)) as server:
        noting = Listener(server.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.settimeout(1)
                    noting.heard.append(client.recv(4096))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield noting
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


ADDRESSES = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "127.1",
    "0.0.0.0",
    "2130706433",
    "0x7f.1",
    "user@127.0.0.1",
    "[::ffff:127.0.0.1]",
    "0177.0.0.1",
    "0x7f000001",
    "017700000001",
    "127.0.0.1.",
    "127%2e0%2e0%2e1",
    "\uff11\uff12\uff17.0.0.1",
    "localhost.localdomain",
    "ip6-localhost",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[fe80::1%25lo]",
    "169.254.169.254",
    "0xa9fea9fe",
    "[::ffff:a9fe:a9fe]",
]
INNER = "{ ?s ?p ?o }"
SPELLINGS = {
    "plain": "SELECT * { SERVICE <URL> INNER }",
    "small": "select * { service <URL> INNER }",
    "mixed": "SELECT * { sErViCe <URL> INNER }",
    "close": "SELECT*{SERVICE<URL>INNER}",
    "silent": "SELECT * { SERVICE SILENT <URL> INNER }",
    "glued to SILENT": "SELECT * { SERVICESILENT<URL> INNER }",
    "glued to SILENT and a prefix": "PREFIX : <URL> SELECT * { SERVICESILENT: INNER }",
    "glued to a prefix": "PREFIX : <URL> SELECT * { SERVICE: INNER }",
    "glued to a variable": "SELECT * { VALUES ?h { <URL> } SERVICE?h INNER }",
    "behind a number": "SELECT * { ?a ?b 1SERVICE<URL> INNER }",
    "behind a truth": "SELECT * { ?a ?b trueSERVICE<URL> INNER }",
    "behind a dot": "SELECT * { ?a ?b true.SERVICE<URL> INNER }",
    "by prefix": "PREFIX e: <URL> SELECT * { SERVICE e: INNER }",
    "by base": "BASE <URL> SELECT * { SERVICE <> INNER }",
    "by variable": "SELECT * { VALUES ?h { <URL> } SERVICE ?h INNER }",
    "by bound variable": 'SELECT * { BIND(IRI("URL") AS ?h) SERVICE ?h INNER }',
    "behind a comment": "SELECT * { SERVICE # <http://other.example/>\n <URL> INNER }",
    "behind a string": "SELECT * { FILTER('''it's \\''' } #''' != \"\") SERVICE <URL> INNER }",
    "behind a comparison": "SELECT * { ?s ?p ?a FILTER(?a<3) SERVICE<URL> INNER FILTER(?a>1) }",
    "in an option": "SELECT * { OPTIONAL { SERVICE <URL> INNER } }",
    "in a filter": "SELECT * { FILTER EXISTS { SERVICE <URL> INNER } }",
    "in a selection": "SELECT * { { SELECT * { SERVICE <URL> INNER } } }",
    "in a graph": "SELECT * { GRAPH ?g { SERVICE <URL> INNER } }",
    "in a construction": "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <URL> INNER }",
    "in a question": "ASK { SERVICE <URL> INNER }",
    "in a description": "DESCRIBE ?s { SERVICE <URL> INNER }",
    "as an escape in the IRI": "SELECT * { SERVICE <\\u0068ttp://127.0.0.1:PORT/> INNER }",
    "with a zero-width mark": "\ufeffSELECT * { SERVICE <URL> INNER }",
}
ESCAPED = [
    "SELECT * { \\u0053ERVICE <URL> INNER }",
    "SELECT * { SERV\\u0049CE<URL> INNER }",
    "SELECT * { S\\U00000045RVICE <URL> INNER }",
]


def written(text: str, address: str, listener: Listener) -> str:
    """A spelling for an address."""
    url = f"http://{address}:{listener.port}/"
    return text.replace("URL", url).replace("PORT", str(listener.port)).replace("INNER", INNER)


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_query_that_asks_a_host_is_refused_and_asks_nobody(target: Life, listener: Listener, text: str) -> None:
    response = post(target, query=written(text, "127.0.0.1", listener))
    assert response.status_code == 403, response.text[:300]
    told(response)
    assert listener.heard == []


@pytest.mark.parametrize("text", ESCAPED)
def test_a_keyword_written_with_escapes_is_refused_and_asks_nobody(target: Life, listener: Listener, text: str) -> None:
    response = post(target, query=written(text, "127.0.0.1", listener))
    assert response.status_code in (400, 403)
    told(response)
    assert listener.heard == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_this_host_is_reached_by_none_of_its_names(target: Life, listener: Listener, address: str) -> None:
    for form in ({"query": written(SPELLINGS["plain"], address, listener)}, {"update": written("LOAD <URL>", address, listener)}):
        response = post(target, **form)
        assert response.status_code in (400, 403)
        told(response)
    assert listener.heard == []


UPDATES = [
    "LOAD <URL>",
    "load silent <URL>",
    "LOADSILENT<URL>",
    "LOAD<URL>INTO GRAPH <a:g>",
    "LOADSILENT<URL>INTO GRAPH<a:g>",
    "INSERT DATA { <a:x> <a:y> 1 } ;LOADSILENT<URL>",
    "PREFIX : <URL> LOAD :",
    "PREFIX : <URL> LOADSILENT:",
    "BASE <URL> LOAD <>",
    "INSERT { ?s ?p ?o } WHERE { SERVICE <URL> INNER }",
    "INSERT { ?s ?p ?o } WHERE { SERVICESILENT<URL> INNER }",
    "PREFIX : <URL> INSERT { ?s ?p ?o } WHERE { SERVICE: INNER }",
    "DELETE { ?s ?p ?o } WHERE { OPTIONAL { SERVICE SILENT <URL> INNER } }",
    "INSERT DATA { <a:x> <a:y> 1 } ; # LOAD\n LOAD <URL>",
]


@pytest.mark.parametrize("text", UPDATES)
def test_an_update_that_asks_a_host_is_refused_and_asks_nobody(target: Life, listener: Listener, text: str) -> None:
    response = post(target, update=written(text, "127.0.0.1", listener))
    assert response.status_code == 403, response.text[:300]
    told(response)
    assert listener.heard == []
    assert target.get("/sparql", query="ASK { <a:x> <a:y> 1 }").json()["boolean"] is False


def test_a_graph_that_is_not_there_is_not_fetched(target: Life, listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.port}/graph"
    for text in (f"SELECT * FROM <{url}> {{ ?s ?p ?o }}", f"SELECT * FROM NAMED <{url}> {{ GRAPH ?g {{ ?s ?p ?o }} }}"):
        assert post(target, query=text).json()["results"]["bindings"] == []
    target.get("/sparql", **{"query": "ASK {}", "default-graph-uri": url})
    body = f'{{"@context": "{url}", "@id": "a:s"}}'.encode()
    headers = {"Content-Type": "application/ld+json", **WRITER}
    response = httpx.put(
        target.url + "/graphs?graph=a:json", content=body, headers=headers, timeout=30, trust_env=False, verify=CERTIFICATES
    )
    assert response.status_code >= 400
    headers["Content-Type"] = "application/rdf+xml"
    body = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&e;</r:RDF>'.encode()
    httpx.put(target.url + "/graphs?graph=a:xml", content=body, headers=headers, timeout=30, trust_env=False, verify=CERTIFICATES)
    assert listener.heard == []


BARE = """
import sys
import pyoxigraph as ox
from motorgraph.engine import process
text = sys.argv[2]
def ask():
    store = ox.Store()
    try:
        store.update(text) if "LOAD" in text else list(store.query(text))
    except (OSError, RuntimeError) as error:
        print(error)
if sys.argv[1] == "bound":
    with process.opening_at_most(0):
        ask()
else:
    ask()
"""


@pytest.mark.parametrize("text", ["SELECT * { SERVICE <URL> INNER }", "SELECT * { SERVICE SILENT <URL> INNER }", "LOAD <URL>"])
def test_where_nothing_may_be_opened_the_engine_itself_reaches_no_host(listener: Listener, text: str) -> None:
    """The second wall: whatever a scan of the text may miss, no reader and no draft can open a socket."""
    asked = written(text, "127.0.0.1", listener)
    subprocess.run([sys.executable, "-c", BARE, "bound", asked], check=True, timeout=30)
    assert listener.heard == []
    subprocess.run([sys.executable, "-c", BARE, "free", asked], check=True, timeout=30)
    assert until(lambda: len(listener.heard) == 1)  # so it would have been heard
    listener.heard.clear()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_engine_goes_nowhere_that_a_host_sends_it(listener: Listener, status: int) -> None:
    """Where an operator has named a host that may be asked, that host cannot name another."""

    class Sending(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{listener.port}/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815  # the names that the library calls
        log_message = print

    with HTTPServer(("127.0.0.1", 0), Sending) as host:
        answering = threading.Thread(target=host.handle_request, daemon=True)
        answering.start()
        asked = SPELLINGS["plain"].replace("URL", f"http://127.0.0.1:{host.server_port}/").replace("INNER", INNER)
        with pytest.raises((OSError, RuntimeError), match="edirect"):
            list(ox.Store().query(asked))
        answering.join()
    assert listener.heard == []


def test_no_reader_of_the_service_can_open_a_file_or_a_socket(target: Life) -> None:
    (keeper,) = children(target.process.pid)
    readers = [pid for pid in children(keeper) if Path(f"/proc/{pid}/comm").read_text() == "mg-reader\n"]
    assert readers  # beside which one that writes a dump may be at work
    for pid in readers[:1]:  # the oldest, which is kept in reserve
        limit = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max open files"))
        numbers = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        assert numbers == set(range(int(limit.split()[3])))  # every number that it may use is taken
