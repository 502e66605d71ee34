"""The result cache: what is kept is right after every commit, bounded in bytes, and only what cannot change by itself."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from motorgraph.engine.answer import HIGH_BYTES, Answer, Head
from motorgraph.engine.kept import ENTRY_BYTES, LARGEST_SHARE, Kept
from motorgraph.engine.wire import END, Job, Kind
from tests.running import Service, service

HEAD = b"solutions text/csv  {0}"
JSON = "application/sparql-results+json"


def came(job: Job, commit: int = 1) -> Answer:
    """An answer whose head has come from a reader."""
    answer = Answer(job, 0)
    answer.receive(Kind.HEAD, HEAD.replace(b"{0}", b"%d" % commit))
    return answer


def kept_with(kept: Kept, job: Job, *pieces: bytes, commit: int = 1) -> Answer:
    """The same, watched by a cache from the first byte and given to it at the end."""
    answer = came(job, commit)
    kept.watch(answer)
    for piece in pieces:
        answer.receive(Kind.DATA, piece)
    answer.receive(Kind.END, END.pack(3, 0, False))
    kept.keep(answer)
    return answer


def test_what_is_kept_comes_back_whole_and_again() -> None:
    kept, job = Kept(1 << 20), Job("query", "SELECT")
    kept_with(kept, job, b"a\n", b"b\n")
    for _ in range(2):
        again = kept.find(Job("query", "SELECT"), 1)
        assert again is not None
        assert (again.body, again.rows, again.size, again.head) == (b"a\nb\n", 3, 4, Head("solutions", "text/csv", "", 1))
    assert kept.find(job, 2) is None
    assert kept.find(Job("query", "SELECT", gzip=True), 1) is None
    assert (kept.hits, kept.misses) == (2, 2)


def test_what_is_not_whole_is_not_kept() -> None:
    kept, job = Kept(1 << 20), Job("query", "SELECT")
    answer = came(job)
    kept.watch(answer)
    answer.receive(Kind.DATA, b"a\n")
    kept.keep(answer)
    assert len(kept) == 0
    answer.restart()  # another reader begins anew
    answer.receive(Kind.HEAD, HEAD.replace(b"{0}", b"1"))
    answer.receive(Kind.DATA, b"a\n")
    answer.receive(Kind.END, END.pack(1, 0, False))
    kept.keep(answer)
    found = kept.find(job, 1)
    assert found is not None
    assert found.body == b"a\n"


def test_bytes_are_bounded_and_the_least_wanted_goes_first() -> None:
    most = 64 * ENTRY_BYTES
    kept = Kept(most)
    for number in range(200):
        kept_with(kept, Job("query", str(number)), bytes(ENTRY_BYTES))
        assert kept.find(Job("query", "0"), 1) is not None
        assert kept.bytes <= most
    assert kept.find(Job("query", "1"), 1) is None
    kept_with(kept, Job("query", "long"), bytes(most // LARGEST_SHARE), b"x")
    assert kept.find(Job("query", "long"), 1) is None


def test_a_long_answer_is_given_in_pieces() -> None:
    """Handed on whole, it would lie in memory once for each slow client."""
    kept, job = Kept(1 << 26), Job("query", "SELECT")
    kept_with(kept, job, *[bytes(1 << 16)] * (3 * HIGH_BYTES >> 16))
    again = kept.find(job, 1)
    assert again is not None
    assert again.body is None
    assert again.size == 3 * HIGH_BYTES


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_second_time_an_answer_comes_from_the_cache(plain: Service, graph: str, method: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1, 2 .")
    query = f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }} ORDER BY ?o # {method}"
    sent = {"params": {"query": query}} if method == "GET" else {"data": {"query": query}}
    before = plain.metric("motorgraph_cache_hits")
    first, again = (plain.client.request(method, "/sparql", headers={"Accept": "text/csv"}, **sent) for _ in range(2))
    assert (first.text, again.text) == ("o\r\n1\r\n2\r\n",) * 2
    assert {name: value for name, value in first.headers.items() if name != "x-request-id"} == {
        name: value for name, value in again.headers.items() if name != "x-request-id"
    }
    assert plain.metric("motorgraph_cache_hits") == before + 1


def test_what_changes_by_itself_is_worked_out_each_time(plain: Service) -> None:
    first, again = (plain.query("SELECT (RAND() AS ?r) {}").text for _ in range(2))
    assert first != again


def test_one_who_has_it_is_told_so_at_once(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    query = f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    tag = plain.query(query).headers["ETag"]
    response = plain.query(query, **{"If-None-Match": f'"other", {tag}'})
    assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", tag)
    assert plain.query(query, **{"If-None-Match": '"other"'}).status_code == 200
    plain.put(graph, "<http://x/s> <http://x/p> 2 .")
    changed = plain.query(query, **{"If-None-Match": tag})
    assert (changed.status_code, changed.json()["results"]["bindings"][0]["o"]["value"]) == (200, "2")


def test_answers_are_right_while_others_write(plain: Service, graph: str) -> None:
    """Each write adds one triple: what a reader counts is what the commit that its answer names holds, and none is older than the
    last one that was acknowledged before it was asked."""
    plain.put(graph, "<http://x/s> <http://x/p> 0 .")
    query = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    seen: list[tuple[int, int, int]] = []
    acknowledged = [(first := int(plain.query(query).headers["X-Commit"]))]
    is_done = threading.Event()

    def read(_: int) -> None:
        while not is_done.is_set():
            known = acknowledged[-1]
            response = plain.query(query)
            count = int(response.json()["results"]["bindings"][0]["n"]["value"])
            seen.append((known, int(response.headers["X-Commit"]), count))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, number) for number in range(4)]
        try:
            for number in range(1, 60):
                response = plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> {number} }} }}")
                acknowledged.append(int(response.headers["X-Commit"]))
        finally:
            is_done.set()
    assert all(reader.result() is None for reader in readers)
    assert {commit - first + 1 for _, commit, _ in seen} != {1}
    assert [(commit, count) for known, commit, count in seen if count != commit - first + 1 or commit < known] == []


def test_nothing_is_kept_where_there_is_no_room(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--cache-bytes", "0", token=None) as running:
        for _ in range(3):
            assert running.query("ASK {}").json()["boolean"] is True
        assert running.metric("motorgraph_cache_hits") == running.metric("motorgraph_cache_bytes") == 0


def test_the_same_bytes_are_answered_with_the_same_until_somebody_writes(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    url = httpx.URL(plain.url).copy_with(path="/sparql", params={"query": f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"})
    request = f"GET {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nAccept: text/csv\r\n\r\n".encode()
    ids: set[bytes] = set()
    with socket.create_connection((url.host, url.port or 80), timeout=10) as client, client.makefile("rb") as stream:

        def ask(times: int = 1) -> list[bytes]:
            client.sendall(request * times)
            return [response(stream, ids) for _ in range(times)]

        first, *others = [ask()[0] for _ in range(4)]
        assert first.endswith(b"o\r\n1\r\n")
        assert others == [first] * 3
        assert ask(3) == [first] * 3
        client.sendall(request[:50])  # a request that comes in parts, and one behind another
        client.sendall(request[50:] + request)
        assert [response(stream, ids) for _ in range(2)] == [first] * 2
        plain.put(graph, "<http://x/s> <http://x/p> 2 .")
        assert ask()[0].endswith(b"o\r\n2\r\n")
        assert len(ids) == 10


def response(stream: BinaryIO, ids: set[bytes]) -> bytes:
    """One response without what differs each time; its id is put aside."""
    lines, length = [], 0
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.partition(b": ")
        length = int(value) if name == b"content-length" else length
        if name == b"x-request-id":
            ids.add(value)
        elif name != b"date":
            lines.append(line)
    return b"".join(lines) + stream.read(length)
