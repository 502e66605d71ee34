"""What was removed leaves the keeper's memory: a copy without it says the same, whatever is written while it is made."""

from __future__ import annotations

import io
import sys
from contextlib import closing
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motorgraph.commits import Change
from motorgraph.engine import archive, compaction, process
from motorgraph.engine.compaction import LEAST_GONE, Compaction
from motorgraph.engine.delta import Delta, Written
from motorgraph.engine.history import History
from motorgraph.engine.wire import Job
from motorgraph.journal import Journal
from tests.forked import TRIPLES, Engine, engine, eventually, is_there, resident, run
from tests.moving import STEPS, Steps, change, copied, iri, quads_of, step, store_of

ROWS, TIMES, BYTES_GONE = 2000, 20, 280
"""Of a graph that is replaced again and again; what a quad that was removed takes where it is kept."""
FEW = 400
"""Of which readers are told when they are replaced."""
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


def begun(store: ox.Store, *, union: bool) -> Compaction:
    """One whose service has no journal."""
    return Compaction(store, History(Path("/nowhere"), is_writable=False), union=union)


def rows(number: int) -> list[ox.Quad]:
    """As many quads, of which no other number has one."""
    return [ox.Quad(iri(f"id/{number}-{row}"), iri("p"), ox.Literal(row), iri("g1")) for row in range(ROWS)]


@given(STEPS, st.lists(STEPS, max_size=8), st.booleans(), st.integers(1, 4))
def test_a_copy_says_what_the_store_says_whatever_is_written_while_it_is_made(
    first: Steps, later: list[Steps], union: bool, at_once: int
) -> None:
    made = begun(store_of(quads_of(first, union=union), union=union), union=union)
    plain = copied(made.store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "QUADS_A_STEP", at_once)
        for steps in later:
            made.step()
            written = step(made.store, steps, union=union)
            made.heed(written)
            written.make(plain)
        while not made.step() or made.is_due():
            pass
    assert set(made.store) == set(plain)
    assert set(made.store.named_graphs()) == set(plain.named_graphs())


def test_what_is_told_without_an_order_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of([*rows(1), *rows(2)], union=True)
    store.extend(rows(3))
    monkeypatch.setattr(compaction, "QUADS_A_STEP", 700)
    made, before = begun(store, union=True), list(store)
    made.step()
    added = change(added=[ox.Quad(iri("id/2-7"), iri("p"), ox.Literal("newest"), iri("g1"))])
    added.make(store)
    made.heed(added)
    while not made.step() or made.is_due():
        pass
    assert list(made.store) == list(store) != before
    assert [quad.object for quad in made.store.quads_for_pattern(iri("id/2-7"), None, None)] == [
        quad.object for quad in store.quads_for_pattern(iri("id/2-7"), None, None)
    ]


def test_graphs_without_a_triple_are_copied_and_those_that_go_meanwhile_are_not() -> None:
    store = store_of(rows(1), union=True)
    store.add_graph(iri("empty"))
    store.add_graph(iri("goes"))
    made = begun(store, union=True)
    made.step()
    spool = io.BytesIO()
    dropped = Delta(made={iri("comes").value}, dropped={iri("g1").value, iri("goes").value}, removed=set(rows(1)))
    dropped.write(spool, Job("update", union=True), {})
    written = Written.of(spool.getvalue())
    written.make(store)
    made.heed(written)
    while not made.step() or made.is_due():
        pass
    assert made.store is not store
    assert set(made.store.named_graphs()) == {iri("empty"), iri("comes")}
    assert list(made.store) == []


def test_a_copy_is_due_where_much_is_gone_for_what_is_there_and_memory_for_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "LEAST_GONE", 3 * ROWS)
    made = begun(store_of(rows(2), union=True), union=True)
    gone = change(removed=rows(1))
    made.heed(gone)  # each is in the merge too
    assert not made.is_due()
    monkeypatch.setattr(process, "available_bytes", lambda: -1)
    made.heed(gone)
    assert not made.is_due()
    monkeypatch.undo()
    made.heed(gone)
    assert not made.is_due(), "it was looked at a moment ago"
    for _ in range(8):
        made.heed(gone)
    assert made.is_due()
    first = made.store
    while not made.step() or made.is_due():
        assert made.is_due()
    assert made.store is not first


def test_what_a_start_has_replayed_and_taken_out_again_is_gone_too(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path)) as journal:
        journal.append(Change(added=[b"<a:s> <a:p> <a:o> .\n<a:s> <a:p> <a:x> .\n"]))
        journal.append(Change(removed=[b"<a:s> <a:p> <a:o> .\n"]))
    history = History(tmp_path, is_writable=False)
    history.start(ox.Store(), [], lambda path, done, total: None)
    assert (history.gone, history.quads) == (1, 1)
    history.close()


@linux
def test_a_graph_that_is_written_again_and_again_takes_no_more_memory(tmp_path: Path) -> None:
    async def work() -> int:
        async with engine(tmp_path) as running:
            for number in range(TIMES):
                await replaced(running, number, ROWS)
            before = resident(running.control.pid)
            for number in range(TIMES, 3 * TIMES):
                await replaced(running, number, ROWS)
            assert await running.count() == TRIPLES + ROWS
            return resident(running.control.pid) - before

    grown = run(work())
    assert grown < 2 * TIMES * ROWS * BYTES_GONE / 2, grown


@linux
def test_a_clerk_that_is_asked_again_and_again_is_another_at_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def clerks(running: Engine) -> list[int]:
        await running.pool.archive.ask("quads", upto=1)
        return [process.reader.pid for process in running.pool.archive._idle]

    async def work() -> None:
        async with engine(tmp_path) as running:
            await replaced(running, 0, FEW)
            first = await clerks(running)
            assert first
            assert await clerks(running) == first
            monkeypatch.setattr(archive, "LIFE_SECONDS", 0.0)
            assert await clerks(running) == []  # the same did it, and then was let go
            assert await eventually(lambda: not is_there(first[0]))

    run(work())


@linux
def test_all_that_was_forked_from_the_old_store_is_forked_anew(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, base="https://own.example") as running:
            await running.pool.finding.ask("search", query="5", kind="", limit=1, offset=0)
            await running.pool.archive.ask("quads", upto=1)
            before = set(running.children)
            for number in range(LEAST_GONE // FEW + 2):  # each is told to readers
                await replaced(running, number, FEW)
            assert await eventually(lambda: before.isdisjoint(running.children))
            assert await running.count() == TRIPLES + FEW
            assert await running.point()
            commit, _ = await running.pool.finding.ask("search", query="5", kind="", limit=1, offset=0)
            assert commit == LEAST_GONE // FEW + 3

    run(work())


async def replaced(running: Engine, number: int, count: int) -> None:
    """Has rows that nobody has seen in the place of those before."""
    lines = "".join(f'<http://e/x{number}-{row}> <http://e/q> "" .' for row in range(count))
    await running.update(f"DELETE WHERE {{ ?s <http://e/q> ?o }} ; INSERT DATA {{ {lines} }}")
