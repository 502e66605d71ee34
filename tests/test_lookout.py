"""Processes that somebody stops are found and ended, and what they were at fails or is done by others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from motorgraph.engine import lookout
from motorgraph.engine.control import Control
from motorgraph.errors import Broken, NotReady, ReaderDied, Unavailable
from tests.forked import (
    ENDLESS_STREAM,
    NEVER_ENDING,
    SLOW,
    TRIPLES,
    Engine,
    engine,
    eventually,
    is_there,
    run,
    stop,
)
from tests.test_life import name

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
ONE = "INSERT DATA { <a:b> <a:c> 1 }"
ENDLESS_UPDATE = f"INSERT {{ <a:b> <a:c> ?n }} WHERE {{ {NEVER_ENDING} }}"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks more often than in service, and has less patience with what stands still."""
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(lookout, "STOPPED_SECONDS", 0.2)
    monkeypatch.setattr(lookout, "KEEPER_STOPPED_SECONDS", 30.0)


async def one_called(running: Engine, role: str) -> int:
    """The process of a role, once there is one."""
    assert await eventually(lambda: any(name(pid) == role for pid in running.children))
    return next(pid for pid in running.children if name(pid) == role)


def test_what_idle_readers_are_given_that_were_stopped_is_answered_by_others(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=2) as running:
            assert await eventually(lambda: len(running.pool.pids) == 2)
            stopped = [stop(pid) for pid in running.pool.pids]
            assert await running.point()
            assert await eventually(lambda: not any(map(is_there, stopped)))
            assert await running.settles()

    run(work())


def test_a_query_whose_reader_is_stopped_is_answered_by_another(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            (first,) = running.pool.pids
            asked = asyncio.ensure_future(running.ask(SLOW))
            await asyncio.sleep(0)
            stop(first)
            assert b'"n"' in await asked
            assert not is_there(first)

    run(work())


def test_a_stream_whose_reader_is_stopped_breaks(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            (first,) = running.pool.pids
            stream = await running.start(ENDLESS_STREAM)
            stop(first)
            with pytest.raises(Broken):
                await running.rest(stream)
            assert await running.point()

    run(work())


def test_a_write_whose_draft_is_stopped_is_told_so_and_the_next_has_its_turn(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            writing = asyncio.ensure_future(running.update(ENDLESS_UPDATE))
            stop(await one_called(running, "mg-draft"))
            with pytest.raises(ReaderDied):
                await writing
            await running.update(ONE)
            assert await running.count() == TRIPLES + 1

    run(work())


def test_reads_go_on_while_the_keeper_stands_still_and_a_write_is_made_when_it_goes_on(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            stop(running.control.pid)
            writing = asyncio.ensure_future(running.update(ONE))
            assert await running.point()
            assert not writing.done()
            os.kill(running.control.pid, signal.SIGCONT)
            await writing
            assert await running.count() == TRIPLES + 1

    run(work())


def test_a_write_that_a_stopped_keeper_does_not_come_to_is_refused_and_not_made_later(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, control=Control(patience=0.3), readers=2, reserve=1) as running:
            stop(running.control.pid)
            with pytest.raises(Unavailable, match="Nothing was changed"):
                await running.update(ONE)
            os.kill(running.control.pid, signal.SIGCONT)
            assert await running.settles()  # the draft that came too late has gone
            assert await running.count() == TRIPLES
            await running.update(ONE)
            assert await running.count() == TRIPLES + 1

    run(work())


def test_a_keeper_that_does_not_go_on_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "KEEPER_STOPPED_SECONDS", 0.3)

    async def work() -> None:
        async with engine(tmp_path, readers=2, reserve=1) as running:
            lost = asyncio.Event()
            running.control.on_lost = lost.set
            stop(running.control.pid)
            with pytest.raises(NotReady):
                await running.update(ONE)
            await asyncio.wait_for(lost.wait(), 10)

    run(work())


def test_a_process_that_goes_on_in_time_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "STOPPED_SECONDS", 30.0)

    async def work() -> None:
        async with engine(tmp_path, readers=1, reserve=1) as running:
            (first,) = running.pool.pids
            stop(first)
            asked = asyncio.ensure_future(running.point())
            os.kill(first, signal.SIGCONT)
            assert await asked
            assert running.pool.pids == [first]

    run(work())
