"""Writers wait in the order in which they came, so many of them and no more; who leaves is not served."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from motorgraph.engine.control import Applied
from motorgraph.engine.wire import Job
from motorgraph.errors import DeadlineExceeded, QueueFull
from motorgraph.stores.turns import Turns
from tests.forked import engine, run
from tests.running import TOKEN, Service, service, until
from tests.test_once import slow

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A store in which two writes may wait."""
    with service(tmp_path_factory.mktemp("narrow"), "--plain", "--write-queue-length", "2") as running:
        yield running


# The turns


def test_writers_have_their_turn_in_the_order_in_which_they_came() -> None:
    async def work() -> None:
        turns, done = Turns(20), []

        async def write(number: int) -> None:
            async with turns.turn():
                await asyncio.sleep(0)
                done.append(number)

        await asyncio.gather(*(write(n) for n in range(20)))
        assert done == list(range(20))
        assert turns.waiting == 0

    run(work())


def test_one_too_many_is_refused_and_those_who_wait_are_not() -> None:
    async def work() -> None:
        turns, leave = Turns(2), asyncio.Event()

        async def write() -> str:
            async with turns.turn():
                await leave.wait()
                return "done"

        tasks = [asyncio.ensure_future(write()) for _ in range(3)]
        await asyncio.sleep(0)
        assert turns.waiting == 2
        with pytest.raises(QueueFull, match=r"2 writes wait already \(setting write_queue_length\)"):
            await write()
        with pytest.raises(QueueFull):
            turns.require_room()
        leave.set()
        assert await asyncio.gather(*tasks) == ["done"] * 3
        turns.require_room()
        assert await write() == "done"

    run(work())


def test_who_waits_for_too_long_is_told_so_and_the_next_has_its_turn() -> None:
    async def work() -> None:
        turns, leave = Turns(2, seconds=0.05), asyncio.Event()

        async def write() -> None:
            async with turns.turn():
                await leave.wait()

        first = asyncio.create_task(write())
        await asyncio.sleep(0)
        with pytest.raises(DeadlineExceeded, match="was not begun"):
            await write()
        assert turns.waiting == 0
        leave.set()
        await asyncio.gather(first, write())

    run(work())


def test_without_a_queue_one_may_write_and_nobody_wait() -> None:
    async def work() -> None:
        turns = Turns(0)
        async with turns.turn():
            with pytest.raises(QueueFull):
                turns.require_room()
        async with turns.turn():
            pass

    run(work())


def test_who_leaves_while_it_waits_never_has_its_turn_and_keeps_nobody_from_theirs() -> None:
    async def work() -> None:
        turns, done, leave = Turns(5), [], asyncio.Event()

        async def write(name: str) -> None:
            async with turns.turn():
                await leave.wait()
                done.append(name)

        tasks = [asyncio.ensure_future(write(name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert done == ["a", "c"]
        assert turns.waiting == 0

    run(work())


# Whose writer leaves while the engine is at it


def test_a_change_whose_writer_leaves_while_it_is_rehearsed_is_not_made(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, data="") as running:
            task = asyncio.ensure_future(running.pool.drafts.rehearse(Job("update", slow("a:g", 50)), b""))
            while not running.children or set(running.children) == set(running.pool.pids):
                await asyncio.sleep(0.005)  # until the draft is there
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await running.settles()
            assert await running.count() == 0
            await running.update("INSERT DATA { <a:s> <a:p> 1 }")
            assert await running.count() == 1

    run(work())


def test_a_change_whose_writer_leaves_when_the_keeper_is_at_it_is_made_and_known(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, data="") as running:
            commits: list[int] = []
            running.pool.drafts.on_commit = commits.append
            apply = running.control.apply
            begun = asyncio.Event()

            async def applied(pid: int) -> Applied:
                begun.set()
                return await apply(pid)

            running.control.apply = applied  # type: ignore[method-assign]  # to know when it has begun
            task = asyncio.ensure_future(running.pool.drafts.rehearse(Job("update", "INSERT DATA { <a:s> <a:p> 1 }"), b""))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(commits) == 1
            assert await running.count() == 1
            assert await running.settles()

    run(work())


def test_a_draft_that_comes_when_its_writer_has_left_is_ended(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, data="") as running:
            for _ in range(5):
                task = asyncio.ensure_future(running.pool.drafts.rehearse(Job("update", "INSERT DATA { <a:s> <a:p> 1 }"), b""))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert await running.settles()
            assert await running.count() == 0

    run(work())


# Over HTTP


def waiting(running: Service) -> float:
    return running.metric("motorgraph_write_queue_length")


def sent(running: Service, text: str) -> socket.socket:
    """An update that is on its way; the connection that its answer would come over."""
    host, _, port = running.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    head = (
        f"POST /sparql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/sparql-update\r\n"
        f"Content-Length: {len(text.encode())}\r\n\r\n"
    )
    connection.sendall(head.encode() + text.encode())
    return connection


def test_a_write_beyond_the_queue_is_503_and_one_whose_client_leaves_is_not_made(narrow: Service) -> None:
    """One is under way, two wait, a fourth is refused; then the second leaves and the third is made."""
    insert = "INSERT DATA {{ GRAPH <http://x/{0}> {{ <http://x/s> <http://x/p> 1 }} }}"
    before = narrow.metric("motorgraph_commit")
    with sent(narrow, slow("http://x/first", 20)) as first:
        second = sent(narrow, insert.format("second"))
        assert until(lambda: waiting(narrow) == 1)
        with sent(narrow, insert.format("third")) as third:
            assert until(lambda: waiting(narrow) == 2)
            refused = narrow.update(insert.format("fourth"))
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("/queue-full")
            assert "write_queue_length" in refused.json()["detail"]
            assert int(refused.headers["Retry-After"]) >= 1
            early = narrow.client.put("/graphs?graph=http://x/5", headers=AUTHORIZED | {"Content-Type": "text/turtle"})
            assert early.status_code == 503
            assert narrow.query("ASK {}").status_code == 200
            second.close()
            assert until(lambda: waiting(narrow) == 1)
            assert first.recv(65536).startswith(b"HTTP/1.1 204")
            assert third.recv(65536).startswith(b"HTTP/1.1 204")
    graphs = {row["g"] for row in narrow.rows("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")}
    assert graphs == {"http://x/first", "http://x/third"}
    assert narrow.metric("motorgraph_commit") == before + 2


def test_a_write_whose_client_leaves_while_it_is_rehearsed_is_not_made_and_the_next_has_its_turn_at_once(narrow: Service) -> None:
    before = narrow.metric("motorgraph_commit")
    sent(narrow, slow("http://x/left", 2000)).close()
    done = threading.Event()

    def write() -> None:
        if narrow.update("INSERT DATA { GRAPH <http://x/next> { <http://x/s> <http://x/p> 1 } }").status_code == 204:
            done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert done.wait(20)
    thread.join()
    assert narrow.metric("motorgraph_commit") == before + 1
    assert not narrow.rows("SELECT * { GRAPH <http://x/left> { ?s ?p ?o } }")
