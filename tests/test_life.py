"""The life of the processes, seen from outside: how they end, what they leave, what they hold on to."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from motorgraph.engine.process import proportional_bytes
from motorgraph.server import SLICE_SECONDS
from tests.forked import (
    ENDLESS_STREAM,
    EXPLOSIVE,
    NESTED,
    NEVER_ENDING,
    POINT,
    STREAM,
    STREAM_ROWS,
    children,
    descriptors,
    is_there,
    resident,
    tree,
)
from tests.lives import Life, begun, living, rest
from tests.running import TOKEN, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
MIB = 1 << 20
LOST = 70
KERNEL = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


def slice_of(pid: int) -> float:
    """The seconds for which a process has a processor at a time if others want it; 0 if the kernel does not say."""
    try:
        found = re.search(r"se\.slice\s*:\s*(\d+)", Path(f"/proc/{pid}/sched").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1e9 if found else 0.0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A service for the tests that do not end it."""
    with living(tmp_path_factory.mktemp("life"), "--query-seconds", "4", "--query-memory", "256") as life:
        yield life


# How it runs


@pytest.mark.skipif(not slice_of(os.getpid()) or KERNEL < (6, 12), reason="this kernel gives no process turns of its own")
def test_the_front_has_a_processor_for_less_at_a_time_than_those_that_it_asks_and_so_comes_first(shared: Life) -> None:
    front, keeper = slice_of(shared.process.pid), slice_of(shared.keeper)
    assert front == SLICE_SECONDS
    assert keeper == slice_of(os.getpid()) > front


# How it ends


def _nothing(life: Life) -> list[socket.socket]:
    return []


def _work(life: Life) -> list[socket.socket]:
    """More queries that never end than there are readers, two streams that nobody takes, and a connection that says nothing."""
    clients = [life.ask(ENDLESS_STREAM), life.ask(ENDLESS_STREAM), *(life.ask(NEVER_ENDING) for _ in range(5))]
    assert until(lambda: bool(life.long_running))
    host, _, port = life.url.removeprefix("http://").partition(":")
    return [*clients, socket.create_connection((host, int(port)))]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("load", [_nothing, _work])
def test_a_stop_is_quick_and_quiet_and_leaves_no_process(
    tmp_path: Path, number: int, load: Callable[[Life], list[socket.socket]]
) -> None:
    with living(tmp_path) as life:
        clients = load(life)
        said = life.end(number)
        for client in clients:
            client.close()
        assert life.process.returncode == 0
        assert "Traceback" not in said
        assert '"level":"error"' not in said
        assert life.has_left_nothing()


def test_a_stop_right_after_a_write_is_quiet(tmp_path: Path) -> None:
    with living(tmp_path) as life:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        update = {"update": "INSERT DATA { <a:s> <a:p> 1 }"}
        assert httpx.post(life.url + "/sparql", data=update, headers=headers, trust_env=False).status_code == 204
        assert "Traceback" not in life.end(signal.SIGTERM)
        assert life.has_left_nothing()


def test_no_process_outlives_a_front_that_is_killed(tmp_path: Path) -> None:
    with living(tmp_path) as life:
        clients = _work(life)
        assert len(life.pids) >= 4
        life.end(signal.SIGKILL)
        assert life.has_left_nothing()
        for client in clients:
            client.close()


def test_the_service_ends_with_a_message_and_a_status_when_its_keeper_is_killed(tmp_path: Path) -> None:
    with living(tmp_path) as life:
        clients = _work(life)
        os.kill(life.keeper, signal.SIGKILL)
        said = life.ends()
        for client in clients:
            client.close()
        assert life.process.returncode == LOST
        assert "the process that holds the graph has ended" in said
        assert "Traceback" not in said
        assert life.has_left_nothing()


def test_a_write_whose_keeper_is_killed_is_told_so_at_once(tmp_path: Path) -> None:
    update = f"INSERT {{ GRAPH <http://x/g> {{ <http://x/s> <http://x/p> ?n }} }} WHERE {{ {NEVER_ENDING} }}"
    with living(tmp_path) as life, ThreadPoolExecutor(1) as clients:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = clients.submit(httpx.post, life.url + "/sparql", data={"update": update}, headers=headers, timeout=30)
        assert until(lambda: any(name(pid) == "mg-draft" for pid in life.pids))
        os.kill(life.keeper, signal.SIGKILL)
        assert answer.result().status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert answer.result().json()["type"].endswith("unavailable")


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file that takes long to load: three gigabytes of comments, packed."""
    path = tmp_path_factory.mktemp("endless") / "comments.ttl.gz"
    path.write_bytes(gzip.compress((b"#" * 99 + b"\n") * 100_000) * 300)
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_service_that_is_loading_can_be_ended(tmp_path: Path, endless: Path, number: int) -> None:
    with begun(tmp_path, "--plain", "--load", str(endless)) as life:
        assert until(lambda: any("comments.ttl.gz" in d for pid in children(life.process.pid) for d in descriptors(pid)))
        said = life.end(number)
        assert "Traceback" not in said
        assert life.has_left_nothing()


def test_a_keeper_that_is_killed_while_it_loads_ends_the_service_with_a_message(tmp_path: Path, endless: Path) -> None:
    with begun(tmp_path, "--plain", "--load", str(endless)) as life:
        assert until(lambda: any("comments.ttl.gz" in d for pid in children(life.process.pid) for d in descriptors(pid)))
        os.kill(life.keeper, signal.SIGKILL)
        said = life.ends()
        assert life.process.returncode != 0
        assert "has ended" in said
        assert "Traceback" not in said
        assert life.has_left_nothing()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_service_that_is_validating_can_be_ended(tmp_path: Path, number: int) -> None:
    with begun(tmp_path) as life:
        assert until(lambda: len(tree(life.process.pid)) > 2, 30)  # front, keeper and the judge
        said = life.end(number)
        assert "Traceback" not in said
        assert life.has_left_nothing()


def test_a_port_that_is_taken_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        begun(tmp_path, "--plain", "--port", str(taken.getsockname()[1])) as life,
    ):
        said = life.ends()
        assert life.process.returncode == 1
        assert str(taken.getsockname()[1]) in said
        assert re.search("already in use", said, re.IGNORECASE)
        assert "Traceback" not in said


def test_a_file_that_cannot_be_loaded_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "broken.ttl"
    path.write_text("<a:s> <a:p> 1 .\n<a:s> <a:p> .\n")
    with begun(tmp_path, "--plain", "--load", str(path)) as life:
        said = life.ends()
        assert life.process.returncode == 1
        assert "line 2" in said
        assert "Traceback" not in said
        assert life.has_left_nothing()


# What it holds on to


def test_the_number_of_descriptors_stays_the_same(shared: Life) -> None:
    def counts() -> list[int]:
        """Descriptors of front and keeper, without the one that the front has for each reader."""
        pids = (shared.process.pid, shared.keeper)
        return [len(descriptors(shared.process.pid)) - len(children(shared.keeper)), len(descriptors(pids[1]))]

    assert until(lambda: not shared.long_running)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=shared.url, timeout=30, trust_env=False) as client:
        client.get("/health")
        assert until(lambda: counts() == counts())
        before = counts()
        for _ in range(200):
            assert client.get("/sparql", params={"query": POINT}).status_code == 200
        for _ in range(50):
            assert client.get("/sparql", params={"query": "SELECT {"}).status_code == 400
        for _ in range(20):
            assert client.post("/sparql", data={"query": NESTED}).status_code in (400, 500)
        for _ in range(20):
            assert client.post("/sparql", data={"update": "INSERT {"}, headers=headers).status_code == 400
        assert until(lambda: counts() == before)


def test_the_memory_of_an_explosive_query_is_given_back(shared: Life) -> None:
    def memory() -> int:
        return sum(map(proportional_bytes, tree(shared.process.pid)))

    assert shared.is_answering()
    assert until(lambda: not shared.long_running)
    before = memory()
    response = shared.get("/sparql", query=EXPLOSIVE)
    assert response.status_code in (500, 503)
    assert "query_memory" in response.text or "query_seconds" in response.text
    assert until(lambda: memory() < before + 32 * MIB)


def test_the_memory_of_the_front_stays_flat_while_a_hundred_thousand_rows_are_read_slowly(shared: Life) -> None:
    front = shared.process.pid
    shared.get("/sparql", query=STREAM)
    before = resident(front)
    with shared.ask(STREAM) as client:
        most, size, rows = 0, 0, 0
        while piece := client.recv(1 << 18):
            size += len(piece)
            rows += piece.count(b'"a":')
            if not rows % 40:
                shared.is_answering()  # gives the front time to take more than it should
            most = max(most, resident(front))
            if piece.endswith(b"0\r\n\r\n"):
                break
    assert abs(rows - STREAM_ROWS) < STREAM_ROWS // 100  # a few lie across two pieces
    assert size > 30 * MIB
    assert most < before + 12 * MIB


# Clients


@pytest.mark.parametrize("text", [NEVER_ENDING, ENDLESS_STREAM], ids=["computing", "streaming"])
def test_a_client_that_leaves_frees_its_reader_at_once(shared: Life, text: str) -> None:
    assert until(lambda: not shared.long_running)
    deaths = shared.metric("motorgraph_reader_deaths")
    client = shared.ask(text)
    assert until(lambda: len(shared.long_running) == 1)
    (pid,) = shared.long_running
    client.close()
    assert until(lambda: not is_there(pid), 3)
    assert shared.metric("motorgraph_reader_deaths") == deaths
    assert shared.is_answering()


def test_a_client_that_leaves_while_its_query_waits_leaves_the_queue(shared: Life) -> None:
    clients = [shared.ask(NEVER_ENDING) for _ in range(8)]
    assert until(lambda: shared.metric("motorgraph_queue_length") >= 4)
    for client in clients:
        client.close()
    assert until(lambda: shared.metric("motorgraph_queue_length") == 0, 3)
    assert until(lambda: not shared.long_running, 3)
    assert shared.is_answering()


def test_health_and_a_point_query_are_answered_while_eight_queries_never_end(shared: Life) -> None:
    clients = [shared.ask(NEVER_ENDING) for _ in range(8)]
    assert until(lambda: shared.metric("motorgraph_queue_length") >= 4)
    took = []
    for _ in range(20):
        started = time.monotonic()
        assert shared.get("/health").status_code == 200
        assert shared.is_answering()
        took.append(time.monotonic() - started)
    assert sorted(took)[len(took) // 2] < 0.2  # each within 100 ms (issue 2)
    for client in clients:
        client.close()


def test_four_clients_that_take_nothing_do_not_keep_others_waiting(shared: Life) -> None:
    assert until(lambda: not shared.long_running)
    clients = [shared.ask(STREAM) for _ in range(4)]
    for client in clients:
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    started = time.monotonic()
    assert shared.is_answering()
    assert time.monotonic() - started < 3
    for client in clients:
        client.close()


def test_a_stream_whose_reader_is_killed_never_looks_complete(shared: Life) -> None:
    assert until(lambda: not shared.long_running)
    with shared.ask(ENDLESS_STREAM) as client:
        assert until(lambda: len(shared.long_running) == 1)
        os.kill(shared.long_running[0], signal.SIGKILL)
        data = rest(client)
    assert data.startswith(b"HTTP/1.1 200 OK")
    assert b"transfer-encoding: chunked" in data.partition(b"\r\n\r\n")[0].lower()
    assert not data.endswith(b"\r\n0\r\n\r\n")
    assert shared.is_answering()


def test_a_stream_that_meets_its_deadline_never_looks_complete(shared: Life) -> None:
    with shared.ask(ENDLESS_STREAM) as client:
        data = rest(client)
    assert data.startswith(b"HTTP/1.1 200 OK")
    assert not data.endswith(b"0\r\n\r\n")
    assert shared.is_answering()


def test_a_killed_reader_fails_only_its_own_answer(shared: Life) -> None:
    assert until(lambda: not shared.long_running)
    deaths = shared.metric("motorgraph_reader_deaths")
    with shared.ask(NEVER_ENDING) as client:
        assert until(lambda: len(shared.long_running) == 1)
        os.kill(shared.long_running[0], signal.SIGKILL)
        data = client.recv(1 << 16)
    assert data.startswith(b"HTTP/1.1 500 ")
    assert b"SIGKILL" in data
    assert shared.metric("motorgraph_reader_deaths") == deaths + 1
    assert shared.is_answering()


def test_http_1_0_gets_a_long_answer_whole_with_its_length(shared: Life) -> None:
    with shared.ask(STREAM, version="1.0") as client:
        head, _, body = rest(client).partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    assert length is not None
    assert int(length[1]) == len(body)
    assert body.count(b'"a":') == STREAM_ROWS
    assert b"transfer-encoding" not in head.lower()


def test_http_1_0_gets_no_answer_that_was_cut(shared: Life) -> None:
    assert until(lambda: not shared.long_running)
    with shared.ask(ENDLESS_STREAM, version="1.0") as client:
        assert until(lambda: len(shared.long_running) == 1)
        os.kill(shared.long_running[0], signal.SIGKILL)
        data = rest(client)
    assert not data.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
    assert shared.is_answering()
