"""The pool over a real keeper and real readers: scheduling, back-pressure, deaths, renewal."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from motorgraph.engine import backlog, process
from motorgraph.engine import pool as pool_module
from motorgraph.engine import readers as readers_module
from motorgraph.engine.answer import Answer
from motorgraph.engine.child import Reader
from motorgraph.engine.control import Control
from motorgraph.engine.counts import WORTH_TRIPLES
from motorgraph.engine.readers import Readers
from motorgraph.engine.wire import Job
from motorgraph.errors import (
    BadSyntax,
    Broken,
    DeadlineExceeded,
    Failed,
    NotReady,
    OutOfMemory,
    QueueFull,
    ReaderDied,
    Refusal,
    Unavailable,
)
from tests.forked import (
    CSV,
    ENDLESS_STREAM,
    EXPLOSIVE,
    NESTED,
    NEVER_ENDING,
    NTRIPLES,
    POINT,
    SLOW,
    STREAM,
    STREAM_ROWS,
    TRIPLES,
    Engine,
    descriptors,
    engine,
    eventually,
    is_there,
    job,
    outcomes,
    run,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
NOBODY = 65_534
MIB = 1 << 20
HELD = MIB
"""What the front keeps of an answer that nobody takes."""
SOCKETS = 2 * MIB
"""What may be on its way between two processes beside what the front holds."""


def ending(*started: asyncio.Task[bytes]) -> None:
    for task in started:
        task.cancel()


def asking(running: Engine, text: str) -> asyncio.Task[bytes]:
    return asyncio.create_task(running.ask(text))


async def busy(running: Engine, texts: int) -> bool:
    """Waits until so many never-ending queries are at work or put aside."""
    return await eventually(lambda: len([a for a in at_work(running) if a.is_long]) + running.pool.queue >= texts)


def at_work(running: Engine) -> list[Answer]:
    return [reader.answer for reader in running.pool._readers.all.values() if reader.answer]


def pid_of(answer: Answer) -> int:
    assert isinstance(answer.reader, Reader)
    return answer.reader.pid


@asynccontextmanager
async def three_idle(folder: Path) -> AsyncIterator[tuple[Engine, Readers]]:
    """An engine whose three readers have nothing to do, and these."""
    async with engine(folder, readers=2, reserve=2, express=1) as running:
        readers = running.pool._readers
        assert await eventually(lambda: len(readers.idle) == 3)
        yield running, readers


async def one_ahead(readers: Readers) -> Reader:
    """Waits until one makes a change before the others."""
    while readers._ahead is None:
        await asyncio.sleep(0)
    return readers._ahead


# Answers


def test_a_query_is_answered_and_its_reader_is_free_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            before = running.pool.pids
            for _ in range(20):
                assert await running.point()
            assert running.pool.pids == before

    run(work())


def test_a_short_answer_is_whole_when_it_comes(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            answer = await running.start(POINT, CSV)
            assert (answer.body, answer.rows, answer.head.form) == (b"o\r\n5\r\n", 1, "solutions")
            running.pool.release(answer)

    run(work())


def test_a_syntax_error_costs_no_reader(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            before = running.pool.pids
            for _ in range(10):
                with pytest.raises(BadSyntax):
                    await running.ask("SELECT * {")
            assert set(before) <= set(running.pool.pids)  # one that takes its time has another forked beside it
            assert running.pool.deaths == 0

    run(work())


def test_nothing_is_answered_before_the_pool_is_open(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            with pytest.raises(NotReady):
                await pool_module.Pool(running.control, running.pool.limits).answer(job(POINT))

    run(work())


def test_a_hundred_queries_at_once_are_all_answered(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            found = await outcomes(running.point() for _ in range(100))
            assert found == [True] * 100

    run(work())


# Streaming


def test_a_long_answer_is_held_in_bounds_until_the_client_takes_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            answer = await running.start(STREAM)
            assert await eventually(lambda: answer.size >= HELD)
            for _ in range(50):
                assert await running.point()  # others are served meanwhile
            assert answer.size < HELD + SOCKETS
            assert answer.body is None
            running.pool.release(answer)

    run(work())


def test_a_slow_client_gets_every_row(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            answer = await running.start(STREAM, CSV)
            lines = 0
            async for piece in answer.pieces():
                lines += piece.count(b"\n")
                await asyncio.sleep(0)
            running.pool.release(answer)
            assert (lines, answer.rows) == (STREAM_ROWS + 1, STREAM_ROWS)

    run(work())


def test_one_enormous_literal_is_held_in_bounds_too(tmp_path: Path) -> None:
    doubled = "".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1}) " for n in range(21))
    text = f'SELECT ?x21 {{ BIND("{"a" * 16}" AS ?x0) {doubled} }}'

    async def work() -> None:
        async with engine(tmp_path) as running:
            answer = await running.start(text, CSV)
            held = answer.size
            assert len(await running.rest(answer)) == (16 << 21) + len("x21\r\n\r\n")
            assert held < HELD + SOCKETS

    run(work())


def test_slow_clients_of_answers_that_end_do_not_keep_small_queries_waiting_and_get_every_row(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            assert await eventually(lambda: running.pool.running == 2)
            files = len(descriptors(os.getpid()))
            streams = [await running.start(STREAM, CSV) for _ in range(4)]
            for _ in range(20):
                assert await asyncio.wait_for(running.point(), 5)
            for answer in streams:
                assert (await running.rest(answer)).count(b"\n") == STREAM_ROWS + 1
            assert await running.settles()
            assert len(descriptors(os.getpid())) - len(running.pool.pids) <= files - 2

    run(work())


def test_a_reader_whose_last_piece_was_one_too_many_answers_the_next_query(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1, seconds=10.0) as running:
            for rows in range(5_900, 6_700, 20):
                answer = await running.start(f"SELECT ?c ?f {{ ?a ?b ?c . ?d ?e ?f }} LIMIT {rows}")
                await eventually(lambda answer=answer: answer.is_over, 0.05)  # in some of them the end comes with the pause
                await running.rest(answer)
                assert await asyncio.wait_for(running.point(), 5)

    run(work())


def test_slow_clients_of_answers_without_end_do_not_keep_small_queries_waiting(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            streams = [await running.start(ENDLESS_STREAM) for _ in range(4)]
            try:
                assert await asyncio.wait_for(running.point(), 5)
            finally:
                for answer in streams:
                    running.pool.release(answer)

    run(work())


# Clients that leave


@dataclass
class Clients:
    """Requests that wait for the beginning of an answer, and answers that have begun."""

    requests: list[asyncio.Task[bytes]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    async def leave(self, running: Engine) -> None:
        """All of them go; twice does no harm."""
        ending(*self.requests)
        await outcomes(self.requests)
        for answer in self.answers * 2:
            running.pool.release(answer)


async def _running(running: Engine) -> Clients:
    clients = Clients([asking(running, NEVER_ENDING)])
    assert await eventually(lambda: len(at_work(running)) == 1)
    return clients


async def _queued(running: Engine) -> Clients:
    clients = Clients([asking(running, NEVER_ENDING) for _ in range(5)])
    assert await eventually(lambda: running.pool.queue >= 3)
    return clients


async def _streaming(running: Engine) -> Clients:
    return Clients(answers=[await running.start(ENDLESS_STREAM)])


async def _paused(running: Engine) -> Clients:
    answer = await running.start(ENDLESS_STREAM)
    assert await eventually(lambda: answer.size >= HELD)
    return Clients(answers=[answer])


async def _half_taken(running: Engine) -> Clients:
    clients = await _paused(running)
    pieces = clients.answers[0].pieces()
    for _ in range(5):
        await anext(pieces)
    return clients


async def _whole(running: Engine) -> Clients:
    return Clients(answers=[await running.start(POINT)])


@pytest.mark.parametrize("state", [_queued, _running, _streaming, _paused, _half_taken, _whole])
def test_a_client_that_leaves_frees_its_reader_in_every_state(
    tmp_path: Path, state: Callable[[Engine], Coroutine[None, None, Clients]]
) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            clients = await state(running)
            await clients.leave(running)
            assert running.pool.queue == 0
            assert await running.settles()
            assert not at_work(running)
            assert await running.point()
            assert running.pool.deaths == 0

    run(work())


async def leaves_and_ends_its_reader(running: Engine) -> None:
    task = asking(running, NEVER_ENDING)
    assert await eventually(lambda: len(at_work(running)) == 1)
    pid = pid_of(at_work(running)[0])
    ending(task)
    assert await eventually(lambda: not is_there(pid))
    assert await running.point()
    assert running.pool.deaths == 0


def test_a_request_that_is_cancelled_while_its_query_runs_ends_the_reader(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            await leaves_and_ends_its_reader(running)

    run(work())


def test_a_client_that_leaves_a_query_that_is_over_soon_ends_no_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "SPARE_SECONDS", 60.0)
    monkeypatch.setattr(backlog.Backlog, "_usual", lambda self, job: 6.0)
    monkeypatch.setattr(backlog.Backlog, "patience", lambda self, job: 60.0)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            before = running.pool.pids
            task = asking(running, SLOW)
            assert await eventually(lambda: len(at_work(running)) == 1)
            (answer,) = at_work(running)
            ending(task)
            assert await eventually(lambda: not at_work(running))
            assert answer.rows == 1
            assert answer.body == b""
            assert running.pool.pids == before
            assert await running.point()

    run(work())


def test_a_client_that_leaves_a_query_that_takes_longer_than_ever_ends_its_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog.Backlog, "_usual", lambda self, job: 0.1)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            await leaves_and_ends_its_reader(running)

    run(work())


def test_a_request_that_is_cancelled_in_the_queue_is_never_begun(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            first = asking(running, SLOW)
            assert await eventually(lambda: len(at_work(running)) == 1)
            second = asking(running, NEVER_ENDING)
            assert await eventually(lambda: running.pool.queue == 1)
            ending(second)
            assert await eventually(lambda: running.pool.queue == 0)
            assert b'"300000"' in await first
            assert await running.point()

    run(work())


def test_a_client_that_leaves_after_its_reader_died_leaves_no_socket(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            sockets = len(descriptors(os.getpid())) - len(running.pool.pids)
            (answer,) = (await _paused(running)).answers
            os.kill(pid_of(answer), signal.SIGKILL)
            assert await eventually(lambda: running.pool.deaths == 1)
            running.pool.release(answer)
            assert await running.point()
            del answer
            assert await eventually(lambda: len(descriptors(os.getpid())) - len(running.pool.pids) == sockets)

    run(work())


# Deaths


def test_a_killed_reader_fails_only_its_own_answer(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            victim, other = asking(running, NEVER_ENDING), asking(running, SLOW)
            assert await eventually(lambda: len(at_work(running)) == 2)
            answer = next(a for a in at_work(running) if a.job.text == NEVER_ENDING)
            os.kill(pid_of(answer), signal.SIGKILL)
            with pytest.raises(ReaderDied, match="SIGKILL"):
                await victim
            assert b'"300000"' in await other
            assert await running.point()
            assert running.pool.deaths == 1
            assert await eventually(lambda: running.pool.running >= 2)
            assert await running.settles()

    run(work())


def test_an_idle_reader_that_is_killed_is_replaced(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            (pid,) = running.pool.pids
            os.kill(pid, signal.SIGKILL)
            assert await eventually(lambda: running.pool.pids not in ([pid], []))
            assert await running.point()
            assert running.pool.deaths == 1

    run(work())


def test_every_reader_killed_at_once_is_replaced(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            tasks = [asking(running, NEVER_ENDING) for _ in range(4)]
            assert await busy(running, 4)
            for pid in running.pool.pids:
                os.kill(pid, signal.SIGKILL)
            assert await running.point()
            ending(*tasks)
            await outcomes([asyncio.wait_for(t, 5) for t in tasks])
            assert await running.settles()

    run(work())


def test_a_query_that_waits_for_a_long_one_begins_when_that_one_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "LONG_SECONDS", 0.001)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            await running.ask(SLOW)  # from now on it is known to be long
            (stream,) = (await _paused(running)).answers
            assert await eventually(lambda: stream.is_long)
            waiting = asking(running, SLOW)
            assert await eventually(lambda: running.pool.queue == 1)
            os.kill(pid_of(stream), signal.SIGKILL)  # its client takes nothing, and nobody else asks anything
            assert b'"300000"' in await asyncio.wait_for(waiting, 10)
            running.pool.release(stream)

    run(work())


def test_ten_thousand_nested_braces_kill_one_reader_and_say_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            with pytest.raises(ReaderDied, match="nested too deeply"):
                await running.ask(NESTED)
            assert await running.point()
            assert running.pool.deaths == 1

    run(work())


def test_a_query_that_takes_too_much_memory_is_told_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, memory=64 * MIB) as running:
            with pytest.raises(OutOfMemory, match="64 MiB"):
                await running.ask(EXPLOSIVE)
            assert await running.point()

    run(work())


def test_a_query_that_takes_too_long_is_told_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, seconds=0.3) as running:
            with pytest.raises(DeadlineExceeded, match=r"0\.3 seconds"):
                await running.ask(NEVER_ENDING)
            assert await running.point()
            assert await running.settles()

    run(work())


def test_the_kernel_ends_a_query_that_the_front_does_not_stop(tmp_path: Path) -> None:
    """The front's own timer is taken away: the reader's alarm has to do."""

    async def work() -> None:
        async with engine(tmp_path, seconds=0.3) as running:
            task = asking(running, NEVER_ENDING)
            assert await eventually(lambda: len(at_work(running)) == 1 and at_work(running)[0].is_long)
            (answer,) = at_work(running)
            running.pool._watch.off(answer)
            with pytest.raises(DeadlineExceeded):
                await task
            assert await running.point()

    run(work())


def test_a_stream_that_meets_its_deadline_breaks(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, seconds=0.5) as running:
            with pytest.raises(Broken, match="stopped after"):
                await running.ask(ENDLESS_STREAM)
            assert await running.point()
            assert await running.settles()

    run(work())


def test_a_stream_whose_reader_is_killed_breaks(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            (answer,) = (await _paused(running)).answers
            os.kill(pid_of(answer), signal.SIGKILL)
            with pytest.raises(Broken, match="SIGKILL"):
                await running.rest(answer)
            assert answer.size >= HELD
            assert await running.point()

    run(work())


class Doomed(Control):
    """A keeper whose first children of a role are dead, and buried, before the front has heard of them."""

    def __init__(self, role: str, deaths: int) -> None:
        super().__init__()
        self.role = role
        self.left = deaths

    async def fork(self, role: str, *, memory: int, may_open: int) -> tuple[int, socket.socket]:
        child = await super().fork(role, memory=memory, may_open=may_open)
        if role == self.role and self.left > 0:
            self.left -= 1
            os.kill(child[0], signal.SIGKILL)
            await eventually(lambda: not is_there(child[0]))
            _, later = await super().fork(role, memory=memory, may_open=may_open)  # its event comes behind that of the death
            later.close()
        return child


def test_readers_that_die_before_they_are_known_do_not_take_a_place_for_ever(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, Doomed("reader", 2), readers=2, reserve=2) as running:
            assert await asyncio.wait_for(running.point(), 10)
            assert await eventually(lambda: running.pool.running == 2)
            assert await running.settles()

    run(work())


def test_what_runs_alone_and_dies_before_it_is_known_is_a_failure_and_no_wait(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, Doomed("judge", 1)) as running:
            with pytest.raises(Refusal):
                await asyncio.wait_for(running.pool.alone(Job("census"), role="judge"), 10)
            assert await running.point()

    run(work())


def test_a_draft_that_dies_before_it_is_known_is_a_failure_and_no_wait(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, Doomed("draft", 1)) as running:
            with pytest.raises(Refusal):
                await asyncio.wait_for(running.update("INSERT DATA { <a:b> <a:c> 1 }"), 10)
            await running.update("INSERT DATA { <a:b> <a:c> 1 }")
            assert await running.count() == TRIPLES + 1

    run(work())


def test_a_fork_that_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            keeper = running.control.pid
            full = len(descriptors(keeper))
            before = resource.prlimit(keeper, resource.RLIMIT_NOFILE, (full, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            with pytest.raises(Unavailable, match="Nothing was changed"):
                await asyncio.wait_for(running.update("INSERT DATA { <a:b> <a:c> 1 }"), 10)
            assert await running.point()
            resource.prlimit(keeper, resource.RLIMIT_NOFILE, before)
            await running.update("INSERT DATA { <a:b> <a:c> 1 }")
            assert await running.count() == TRIPLES + 1

    run(work())


@pytest.mark.parametrize("spare", range(7))
def test_a_fork_that_fails_half_way_leaves_one_keeper(tmp_path: Path, spare: int) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            keeper = running.control.pid
            assert await running.settles()
            most = max(int(entry.name) for entry in Path(f"/proc/{keeper}/fd").iterdir()) + 1 + spare
            before = resource.prlimit(keeper, resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            made = await outcomes([asyncio.wait_for(running.update("INSERT DATA { <a:b> <a:c> 1 }"), 10)])
            resource.prlimit(keeper, resource.RLIMIT_NOFILE, before)
            assert isinstance(made[0], Answer | Unavailable | ReaderDied)
            assert await running.settles()  # whoever has not become a child has gone
            for n in range(5):
                await running.update(f"INSERT DATA {{ <a:b> <a:d> {n} }}")
            assert await running.count() == TRIPLES + 5 + isinstance(made[0], Answer)

    run(work())


def test_a_process_whose_socket_finds_no_descriptor_here_is_told_and_ended(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            assert await running.point()
            before = resource.getrlimit(resource.RLIMIT_NOFILE)
            fillers = [os.dup(0)]
            resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[0] + 1, before[1]))  # the lowest free number was the last one
            try:
                with pytest.raises(Unavailable, match="Nothing was changed"):
                    await asyncio.wait_for(running.update("INSERT DATA { <a:b> <a:c> 1 }"), 10)
                assert await running.point()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, before)
                os.close(fillers[0])
            assert await running.settles()
            await running.update("INSERT DATA { <a:b> <a:c> 1 }")
            assert await running.count() == TRIPLES + 1

    run(work())


def test_the_kernel_is_told_to_end_others_before_the_keeper(tmp_path: Path) -> None:
    def adjustment(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=2) as running:
            assert await running.settles()
            keeper = adjustment(running.control.pid)
            assert all(adjustment(pid) >= min(keeper + 500, 1000) for pid in running.children)

    run(work())


def test_a_fork_that_the_machine_refuses_is_a_refusal() -> None:
    """In a process that may have no other beside it, under a user without the right to pass over that."""
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setresuid(NOBODY, NOBODY, NOBODY)
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            process.fork()
        except Unavailable as refusal:
            os._exit(0 if "no more processes" in refusal.detail else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_no_reader_is_left_behind_by_a_hundred_deaths_of_each_kind(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2, memory=256 * MIB) as running:
            for _ in range(5):
                await outcomes([running.ask(NESTED), running.ask("SELECT"), running.point()])
                await outcomes([asyncio.wait_for(running.ask(NEVER_ENDING), 0.1) for _ in range(6)])
            assert await running.point()
            assert await running.settles()
            assert running.pool.deaths == 5
            assert running.pool.queue == 0

    run(work())


def test_readers_go_on_until_others_have_a_change_that_is_too_long_to_be_told(tmp_path: Path) -> None:
    async def work() -> None:
        async with three_idle(tmp_path) as (running, readers):
            before, fork, idle = running.pool.pids, running.control.fork, []

            async def watched(role: str, **more: Any) -> tuple[int, socket.socket]:  # Any: handed on
                try:
                    return await fork(role, **more)
                finally:
                    if role == "reader":
                        idle.append((await running.count(), len(set(before) & set(running.pool.pids))))

            running.control.fork = watched  # type: ignore[method-assign]
            count = await running.count()
            triples = " . ".join(f"<http://e/new/{number}> <http://e/p> {number}" for number in range(20_000))
            await running.update(f"INSERT DATA {{ {triples} }}")
            assert idle == [(count, 3)] * 3
            assert len(readers.idle) == 3
            assert await running.count() == count + 20_000
            assert await eventually(lambda: not set(before) & set(running.pool.pids))
            assert await running.settles()
            await running.update("INSERT DATA { <http://e/one> <http://e/p> 1 }")
            assert await asyncio.gather(*(running.count() for _ in range(6))) == [count + 20_001] * 6

    run(work())


def test_a_reader_has_a_change_before_others_are_told_of_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with three_idle(tmp_path) as (running, readers):
            before, seen = running.pool.pids, []

            async def watched() -> None:
                ahead = await one_ahead(readers)
                seen.append((await running.count(), ahead))

            watching = asyncio.create_task(watched())
            await running.update("INSERT DATA { <http://e/one> <http://e/p> 1 }")
            first = readers.idle[-1]  # which is asked next
            assert (first.deltas, first.is_owed) == (1, False)
            await watching
            assert seen == [(TRIPLES, first)]
            assert await asyncio.gather(*(running.count() for _ in range(6))) == [TRIPLES + 1] * 6
            assert running.pool.pids == before
            assert await eventually(lambda: len(readers.idle) == 3 and not any(reader.is_owed for reader in readers.idle))
            assert [reader.deltas for reader in readers.idle] == [1, 1, 1]

    run(work())


def test_a_reader_that_dies_while_it_is_ahead_or_stands_still_holds_up_no_write(tmp_path: Path) -> None:
    async def work() -> None:
        async with three_idle(tmp_path) as (running, readers):
            for number, sent in enumerate((signal.SIGKILL, signal.SIGSTOP), 1):
                assert await eventually(lambda: len(readers.idle) == 3)
                os.kill(readers.idle[0].pid, sent)
                await running.update(f"INSERT DATA {{ <http://e/{number}> <http://e/new> {number} }}")
                assert await asyncio.gather(*(running.count() for _ in range(6))) == [TRIPLES + number] * 6
            assert running.pool.deaths == 1

    run(work())


def test_readers_that_are_forked_anew_while_one_is_ahead_have_the_change_too(tmp_path: Path) -> None:
    async def work() -> None:
        async with three_idle(tmp_path) as (running, readers):
            before = running.pool.pids

            async def renewed() -> None:
                await one_ahead(readers)
                readers.renew()

            renewing = asyncio.create_task(renewed())
            await running.update("INSERT DATA { <http://e/one> <http://e/p> 1 }")
            await renewing
            assert await asyncio.gather(*(running.count() for _ in range(6))) == [TRIPLES + 1] * 6
            assert await running.settles()
            assert not set(before) & set(running.pool.pids)

    run(work())


# Big and small


def test_a_small_query_does_not_wait_until_larger_ones_have_ended(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1, express=1) as running:
            assert await eventually(lambda: running.pool.running == 2)
            for number in range(10, 30):  # the first of which may have had to wait for a processor
                await running.ask(POINT.replace("/5", f"/{number}"))
            for _ in range(5):
                assert await running.point()
            assert b'"300000"' in await running.ask(SLOW)  # both are known from now on, and this one is no long one
            larger = asking(running, SLOW)
            assert await eventually(lambda: len(at_work(running)) == 1)
            before = running.pool.pids
            other = POINT.replace("/5", "/7")  # not asked before, but of a known shape
            for text in (POINT, other):
                assert await asyncio.wait_for(running.ask(text), 2)
            assert not larger.done()
            assert running.pool.pids == before
            assert b'"300000"' in await larger

    run(work())


def test_a_small_query_does_not_wait_for_one_that_was_small_until_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog.Backlog, "patience", lambda self, job: 60.0)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1, express=1) as running:
            assert await eventually(lambda: running.pool.running == 2)
            assert await running.point()
            monkeypatch.setattr(backlog.Backlog, "_expected", lambda self, job: 0.001)
            larger = asking(running, SLOW)
            while not at_work(running):
                await asyncio.sleep(0)
            assert await running.point()
            assert not larger.done()
            assert b'"300000"' in await larger

    run(work())


def test_a_larger_query_has_to_leave_the_last_reader_to_small_ones(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1, express=1) as running:
            assert await eventually(lambda: running.pool.running == 2)
            await running.ask(SLOW)
            first, second = asking(running, SLOW), asking(running, SLOW)
            assert await eventually(lambda: len(at_work(running)) == 1 and running.pool.queue == 1)
            await asyncio.gather(first, second)

    run(work())


def test_a_query_of_unknown_size_leaves_the_last_idle_reader_to_small_ones_unless_it_is_the_only_one(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=2, express=1) as running:
            assert await eventually(lambda: running.pool.running == 3)
            tasks = [asking(running, NEVER_ENDING) for _ in range(3)]
            assert await eventually(lambda: running.pool.parked_total > 0)  # to make room, though a reader is idle
            assert len(at_work(running)) <= 2
            ending(*tasks)
            await outcomes(tasks)
        async with engine(tmp_path, readers=1, reserve=1, express=1) as running:
            assert await eventually(lambda: len(running.pool._readers.idle) == 2)
            running.pool._readers.is_open = False  # no more are forked, as where the machine refuses
            os.kill(running.pool.pids[0], signal.SIGKILL)
            assert await eventually(lambda: running.pool.running == 1)
            running.pool._readers.is_open = True
            assert b'"300000"' in await asyncio.wait_for(running.ask(SLOW), 20)

    run(work())


def test_a_query_that_had_to_wait_for_a_processor_now_and_then_stays_a_small_one(tmp_path: Path) -> None:
    known, small = backlog.Backlog(), job(POINT)
    for seconds in (0.001, 0.05, 0.1, 0.2, 0.05, 0.001):
        known.remember(small, seconds)
        assert known.is_small(Answer(small, 0.0))
    for _ in range(20):
        known.remember(small, 0.1)
    assert not known.is_small(Answer(small, 0.0))


def test_a_tiny_query_does_not_wait_for_all_that_a_page_asks_for() -> None:
    known, waits = backlog.Backlog(), Answer(job(POINT), 0.0)
    known.remember(waits.job, 0.001)
    page = [Answer(job(f"{SLOW} # {number}"), 0.0) for number in range(3)]
    for number, answer in enumerate(page):
        known.remember(answer.job, 0.015)
        answer.asked = waits.asked - 0.01 * (3 - number)
    for answer in (*page, waits):
        known.wait(answer)
    assert [known.next() for _ in range(4)] == [waits, *page]
    page[0].asked = waits.asked - 0.2  # whoever has waited for long goes first all the same
    for answer in (waits, *page):
        known.wait(answer)
    assert [known.next() for _ in range(4)] == [page[0], waits, *page[1:]]
    larger = Answer(job(STREAM), 0.0)
    known.remember(larger.job, 3.0)
    larger.asked = waits.asked - 0.3
    for answer in (waits, larger):
        known.wait(answer)
    assert known.next_tiny() is waits
    assert known.next_tiny() is None
    assert known.next() is larger


def test_who_waits_for_long_queries_does_not_wait_for_slow_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "LONG_SECONDS", 0.001)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            await running.ask(SLOW)  # from now on it is known to be long
            stream = await running.start(STREAM, CSV)  # its client takes nothing of it
            assert await eventually(lambda: stream.is_long)
            assert b'"300000"' in await asyncio.wait_for(running.ask(SLOW), 10)
            assert (await running.rest(stream)).count(b"\n") == STREAM_ROWS + 1

    run(work())


def test_a_point_query_is_answered_while_eight_queries_never_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            tasks = [asking(running, NEVER_ENDING) for _ in range(8)]
            for _ in range(20):
                assert await asyncio.wait_for(running.point(), 2)
            assert running.pool.running <= 4
            assert running.pool.parked_total >= 1
            ending(*tasks)
            await outcomes([asyncio.wait_for(t, 5) for t in tasks])
            assert await running.settles()

    run(work())


def test_queries_that_were_put_aside_are_answered_later(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=3, reserve=1) as running:
            found = await outcomes(running.ask(SLOW.replace("?n", f"?n{n}"), CSV) for n in range(9))
            assert found == [f"n{n}\r\n300000\r\n".encode() for n in range(9)]
            assert running.pool.queue == 0
            assert running.pool.deaths == 0

    run(work())


def test_with_a_single_reader_every_query_is_answered_in_the_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            slow = [asking(running, SLOW.replace("< 300", "< 1000")) for _ in range(3)]
            assert await eventually(lambda: bool(at_work(running)) and at_work(running)[0].is_long)
            assert await asyncio.wait_for(running.point(), 5)
            for task in slow:
                assert b'"1000000"' in await task

    run(work())


def test_a_long_query_lets_others_go_first_and_a_fresh_reader_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "LONG_SECONDS", 0.02)

    async def work() -> None:
        async with engine(tmp_path, readers=3, reserve=1) as running:
            task = asking(running, NEVER_ENDING)
            assert await eventually(lambda: len(at_work(running)) == 1)
            pid = pid_of(at_work(running)[0])
            assert await eventually(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 19)
            assert await eventually(lambda: running.pool.running == 2)
            ending(task)

    run(work())


def test_a_reader_that_was_made_to_wait_for_others_is_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "LONG_SECONDS", 0.02)

    async def work() -> None:
        async with engine(tmp_path, readers=3, reserve=1) as running:
            (first,) = running.pool.pids
            assert b'"1000000"' in await running.ask(SLOW.replace("< 300", "< 1000"))
            assert await eventually(lambda: not is_there(first))
            assert await running.settles()

    run(work())


def test_a_graph_is_given_out_while_long_queries_take_all_their_places(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            await running.pool.alone(Job("census"))
            tasks = [asking(running, NEVER_ENDING) for _ in range(2)]
            assert await busy(running, 2)
            graph = await asyncio.wait_for(running.pool.answer(Job("graph", graph="", graphs=NTRIPLES)), 5)
            assert (await running.rest(graph)).count(b"\n") == TRIPLES
            ending(*tasks)

    run(work())


def test_a_full_queue_refuses_and_is_usable_again_when_it_has_room(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1, queue=2) as running:
            tasks = [asking(running, NEVER_ENDING) for _ in range(3)]
            assert await eventually(lambda: running.pool.queue == 2)
            with pytest.raises(QueueFull, match="2 queries wait"):
                await running.point()
            ending(*tasks)
            assert await eventually(lambda: running.pool.queue == 0)
            assert await running.point()

    run(work())


def test_a_query_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=3, reserve=1, seconds=1.0) as running:
            found = await outcomes(running.ask(NEVER_ENDING) for _ in range(8))
            assert {type(f) for f in found} == {DeadlineExceeded}
            assert any("while it waited" in str(f) for f in found)
            assert running.pool.queue == 0
            assert await running.point()

    run(work())


def test_readers_beyond_the_reserve_end_when_they_have_had_nothing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers_module, "IDLE_SECONDS", 0.2)

    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=1) as running:
            streams = [await running.start(STREAM) for _ in range(3)]
            await outcomes(running.rest(answer) for answer in streams)
            assert await eventually(lambda: running.pool.running == 1)
            assert await running.settles()
            assert await running.point()

    run(work())


def test_a_reader_that_has_had_nothing_to_do_for_long_makes_room_for_a_fresh_one_and_a_fresh_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers_module, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(readers_module, "REST_SECONDS", 0.4)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=2) as running:
            assert await eventually(lambda: len(running.pool._readers.idle) == 2)
            fresh, asked = (reader.pid for reader in running.pool._readers.idle)
            assert await running.point()
            assert await eventually(lambda: asked not in running.pool.pids)
            assert running.pool.running == 2
            (new,) = set(running.pool.pids) - {fresh}
            twice = 1.0  # the seconds after which one goes, and more
            assert not await eventually(lambda: set(running.pool.pids) != {fresh, new}, twice)
            assert await running.point()
            assert running.pool.deaths == 0
            assert await running.settles()

    run(work())


# Renewal


def test_every_query_after_a_change_sees_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            for n in range(1, 11):
                await running.update(f"INSERT DATA {{ <http://n/{n}> <http://e/p> {n} }}")
                found = await outcomes(running.count() for _ in range(4))
                assert found == [TRIPLES + n] * 4
            assert await running.settles()
            assert running.pool.running <= 4
            assert running.pool.deaths == 0

    run(work())


def test_a_stream_that_runs_during_a_change_ends_on_the_graph_that_it_began_on(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            answer = await running.start(STREAM, CSV)
            old = pid_of(answer)
            await running.update("DELETE WHERE { ?s ?p ?o }")
            assert await running.count() == 0
            assert (await running.rest(answer)).count(b"\n") == STREAM_ROWS + 1
            assert await eventually(lambda: not is_there(old))
            assert await running.count() == 0

    run(work())


def test_queries_that_run_through_many_changes_see_whole_states(tmp_path: Path) -> None:
    """Each change adds two triples; nobody ever sees an odd number of them."""

    async def work() -> None:
        async with engine(tmp_path, data="") as running:

            async def changes() -> None:
                for n in range(10):
                    await running.update(f"INSERT DATA {{ <http://n/{n}> <http://e/p> 1 , 2 }}")

            async def reads() -> list[int]:
                return [await running.count() for _ in range(60)]

            _, *seen = await asyncio.gather(changes(), reads(), reads())
            for counts in seen:
                assert counts is not None
                assert counts == sorted(counts)
                assert all(count % 2 == 0 for count in counts)

    run(work())


def test_a_change_that_is_abandoned_halfway_leaves_every_reader_with_the_same_graph(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=4, reserve=2) as running:
            for patience in (0.001, 0.003, 0.005, 0.01, 0.02, 0.03):
                change = running.update("INSERT { ?s <http://e/q> ?o } WHERE { ?s <http://e/p> ?o }")
                await outcomes([asyncio.wait_for(change, patience)])
                await running.update("INSERT DATA { <http://n/1> <http://n/2> 1 }")
                found = await outcomes(running.count() for _ in range(6))
                assert len(set(map(str, found))) == 1
            assert await running.settles()

    run(work())


# Apart from clients


def test_what_runs_alone_gives_its_answer_and_ends(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            assert json.loads(await running.pool.alone(Job("census"))) == {"commit": 1, "graphs": {"": 1000}}
            assert await running.settles()

    run(work())


def test_the_keeper_tells_the_triples_of_graphs_once_they_have_been_counted(tmp_path: Path) -> None:
    async def work() -> None:
        many = "".join(f"<http://e/{n}> <http://e/p> {n} .\n" for n in range(WORTH_TRIPLES))
        async with engine(tmp_path, data=many) as running:
            assert await running.control.census() is None
            told = json.loads(await running.pool.alone(Job("census")))
            assert await running.control.census() == told == {"commit": 1, "graphs": {"": WORTH_TRIPLES}}
            await running.update("INSERT DATA { GRAPH <http://e/g> { <http://n/1> <http://n/2> 1 , 2 } }")
            await running.update("INSERT DATA { <http://n/1> <http://n/2> 1 }")
            expected = {"commit": 3, "graphs": {"": WORTH_TRIPLES + 1, "http://e/g": 2}}
            assert await running.control.census() == expected
            assert json.loads(await running.pool.alone(Job("census"))) == expected

    run(work())


@pytest.mark.parametrize("is_counted_before", [False, True])
def test_what_a_census_has_counted_is_known_to_readers_that_come_after_it(tmp_path: Path, is_counted_before: bool) -> None:
    async def work() -> None:
        many = "".join(f"<http://e/{n}> <http://e/p> {n} .\n" for n in range(WORTH_TRIPLES))
        async with engine(tmp_path, data=many) as running:
            if is_counted_before:
                told = json.loads(await running.pool.alone(Job("census")))
                assert told["graphs"] == {"": WORTH_TRIPLES}
            await running.update("INSERT DATA { <http://n/1> <http://n/2> 1 }")
            running.pool._readers.renew()
            assert await running.count() == WORTH_TRIPLES + 1
            assert running.pool.counted_total == (0 if is_counted_before else 1)
            told = json.loads(await running.pool.alone(Job("census")))
            assert told == {"commit": 2, "graphs": {"": WORTH_TRIPLES + 1}}

    run(work())


def test_what_runs_alone_says_why_it_failed_and_leaves_nothing_unheard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            with pytest.raises(BadSyntax):
                await running.pool.alone(job("SELECT"))
            gc.collect()

    with caplog.at_level(logging.ERROR, "asyncio"):
        run(work())
        gc.collect()
    assert "never retrieved" not in caplog.text


@asynccontextmanager
async def apart(running: Engine, asked: Coroutine[None, None, object]) -> AsyncIterator[tuple[asyncio.Task[object], int]]:
    """A task that runs in a process apart from the pool's, and that process."""
    task = asyncio.create_task(asked)
    assert await eventually(lambda: len(set(running.children) - set(running.pool.pids)) == 1)
    yield task, (set(running.children) - set(running.pool.pids)).pop()


def test_what_runs_alone_fails_when_its_process_is_killed(tmp_path: Path) -> None:
    async def work() -> None:
        async with (
            engine(tmp_path, readers=2, reserve=1) as running,
            apart(running, running.pool.alone(job(NEVER_ENDING))) as (task, pid),
        ):
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(ReaderDied):
                await asyncio.wait_for(task, 10)
            assert await running.point()
            assert running.pool.deaths == 0

    run(work())


def test_a_change_whose_draft_is_killed_is_not_made_and_the_next_one_is(tmp_path: Path) -> None:
    endless = "INSERT { <a:b> <a:c> 1 } WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            async with apart(running, running.update(endless)) as (task, pid):
                os.kill(pid, signal.SIGKILL)
                with pytest.raises(ReaderDied):
                    await asyncio.wait_for(task, 10)
            assert await running.count() == TRIPLES
            await running.update("INSERT DATA { <a:b> <a:c> 1 }")
            assert await running.count() == TRIPLES + 1

    run(work())


def test_a_query_is_refused_and_not_forgotten_when_the_keeper_has_gone(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            os.kill(running.control.pid, signal.SIGKILL)
            assert await eventually(lambda: not running.pool.pids or not running.children)
            for asked in (running.update("INSERT DATA { <a:b> <a:c> 1 }"), running.pool.alone(Job("census"))):
                with pytest.raises((Refusal, OSError)):
                    await asyncio.wait_for(asked, 5)

    run(work())


# The end


def test_an_answer_may_be_released_after_the_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            (answer,) = (await _paused(running)).answers
            task = asking(running, NEVER_ENDING)
            assert await busy(running, 2)
        running.pool.release(answer)
        ending(task)
        assert [type(f) for f in await outcomes([task])] == [Unavailable]

    run(work())


def test_closing_the_pool_ends_what_runs_and_what_waits(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            tasks = [asking(running, NEVER_ENDING) for _ in range(5)]
            assert await busy(running, 5)
            pids = running.children
            running.pool.close()
            found = await outcomes([asyncio.wait_for(t, 5) for t in tasks])
            assert {type(f) for f in found} == {Unavailable}
        assert await eventually(lambda: not any(map(is_there, pids)))

    run(work())


def test_no_descriptor_is_left_when_all_is_closed(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path) as running:
            await _paused(running)
            await outcomes([running.ask(NESTED), running.point(), running.update("bad")])

    before = len(descriptors(os.getpid()))
    run(work())
    gc.collect()
    assert len(descriptors(os.getpid())) == before


def test_a_failed_load_is_told_with_its_place(tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(Failed, match=r"data\.ttl, line 2"):
            async with engine(tmp_path, data="<a:a> <a:b> 1 .\nbroken"):
                raise AssertionError("it was loaded")

    run(work())


# Sent ahead


async def known(running: Engine, texts: list[str]) -> None:
    """Has the pool know the texts to be quick."""
    for text in texts:
        for _ in range(3):
            assert await running.ask(text, CSV)


async def ahead(running: Engine, texts: list[str]) -> list[Answer]:
    """Has the pool know the texts to be quick, then submits all of them at once to a single reader."""
    await known(running, texts)
    return [running.pool.submit(job(text, CSV)) for text in texts]


def test_quick_queries_are_sent_ahead_and_each_gets_its_own_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motorgraph.engine.backlog.QUICK_SECONDS", 10.0)  # on a machine that others keep busy nothing is quick

    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            texts = [f"SELECT ?n {{ VALUES ?n {{ {n} }} }}" for n in range(4)]
            answers = await ahead(running, texts)
            (reader,) = running.pool._readers.all.values()
            assert [reader.answer, *reader.line] == answers
            for n, answer in enumerate(answers):
                await running.pool.opened(answer)
                assert answer.body == f"n\r\n{n}\r\n".encode()
                running.pool.release(answer)

    run(work())


def test_a_killed_reader_loses_the_one_it_was_at_and_no_other(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            texts = [f"SELECT ?n {{ VALUES ?n {{ {n} }} }}" for n in range(4)]
            await known(running, texts)
            os.kill(running.pool.pids[0], signal.SIGSTOP)  # so that it is at the first when it is killed
            answers = [running.pool.submit(job(text, CSV)) for text in texts]
            os.kill(running.pool.pids[0], signal.SIGKILL)
            found = await outcomes(running.pool.opened(answer) for answer in answers)
            assert isinstance(found[0], ReaderDied)
            assert [answer.body for answer in answers[1:]] == [f"n\r\n{n}\r\n".encode() for n in range(1, 4)]
            for answer in answers[1:]:
                running.pool.release(answer)

    run(work())


def test_those_behind_one_that_takes_its_time_go_to_others(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            texts = [f"SELECT ?n {{ VALUES ?n {{ {n} }} }}" for n in range(4)]
            await known(running, texts)
            os.kill(running.pool.pids[0], signal.SIGSTOP)
            answers = [running.pool.submit(job(text, CSV)) for text in texts]
            rest = await asyncio.wait_for(outcomes(running.pool.opened(answer) for answer in answers[1:]), 5)
            assert [answer.body for answer in rest if isinstance(answer, Answer)] == [
                f"n\r\n{n}\r\n".encode() for n in range(1, 4)
            ]
            assert not answers[0].is_over
            for answer in answers:
                running.pool.release(answer)

    run(work())


def test_a_client_that_leaves_one_that_was_sent_ahead_takes_nothing_from_the_others(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            before = running.pool.pids
            answers = await ahead(running, [f"SELECT ?n {{ VALUES ?n {{ {n} }} }}" for n in range(4)])
            for answer in (answers[0], answers[2]):
                running.pool.release(answer)
            for n in (1, 3):
                await running.pool.opened(answers[n])
                assert answers[n].body == f"n\r\n{n}\r\n".encode()
                running.pool.release(answers[n])
            assert await running.point()
            assert running.pool.pids == before

    run(work())
