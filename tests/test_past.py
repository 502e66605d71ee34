"""The graph as it was at an older commit is exactly what it was, whichever way it is made, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from motorgraph.engine import archive
from motorgraph.engine.answer import Answer
from motorgraph.engine.control import Control, Start
from motorgraph.engine.loading import File
from motorgraph.engine.past import MOST_TAKEN_BACK
from motorgraph.engine.pool import Pool
from motorgraph.engine.wire import Job
from motorgraph.errors import DeadlineExceeded, OutOfReach, QueueFull
from motorgraph.inference import shipped_rules
from motorgraph.limits import Limits
from motorgraph.vocab import CANONICAL_BASE, Names
from tests.forked import CSV, NEVER_ENDING, Engine, eventually, job
from tests.forked import run as in_loop
from tests.running import Service

NQUADS = "application/n-quads"
REFERENCE = f"{CANONICAL_BASE}/graph/reference"
CATALOGUE = f"{CANONICAL_BASE}/graph/catalogue"
BROADER = "http://www.w3.org/2004/02/skos/core#broader"
DATA = f"<a:s0> <a:p> 1 <a:g0> .\n<a:c0> <{BROADER}> <a:c1> <{REFERENCE}> .\n_:b <a:p> _:c <a:g1> .\n".replace(
    "1 <", '"1"^^<http://www.w3.org/2001/XMLSchema#integer> <'
)
LARGE = "".join(f"<a:{n}> <a:p> <a:{n % 7}> <a:large> .\n" for n in range(MOST_TAKEN_BACK + 1))
MANY = "".join(f"<a:{n}> <a:q> <a:{n % 7}> .\n" for n in range(1000))
COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH <a:g0> { ?s ?p ?o } }"


@dataclass(frozen=True)
class State:
    """All that a service shows: its quads, each graph that it names."""

    quads: tuple[bytes, ...]
    graphs: tuple[bytes, ...]


@dataclass
class Kept:
    """An engine that keeps a journal; `ships` it infers, merges and catalogues as the shipped service does."""

    engine: Engine
    ships: bool

    @property
    def pool(self) -> Pool:
        return self.engine.pool

    async def write(self, text: str) -> int:
        """The newest commit after an update."""
        guards = {"union": True, "catalogue": CATALOGUE} if self.ships else {}
        _, commit = await self.pool.drafts.rehearse(Job("update", text, author="a test", message=text[:20], **guards), b"")
        return commit

    async def answer(self, wanted: Job) -> Answer:
        return await (self.pool.archive.answer(wanted) if wanted.commit else self.pool.answer(wanted))

    async def whole(self, wanted: Job) -> bytes:
        answer = await self.answer(wanted)
        try:
            assert answer.head.commit == (wanted.commit or answer.head.commit)
            return b"".join([piece async for piece in answer.pieces()])
        finally:
            self.pool.release(answer)
            self.pool.archive.release(answer)

    async def ask(self, text: str, commit: int) -> bytes:
        return await self.whole(replace(job(text, CSV), commit=commit))

    async def state(self, commit: int = 0) -> State:
        quads = await self.whole(Job("graph", graphs=NQUADS, commit=commit))
        graphs = await self.whole(Job("query", "SELECT ?g { GRAPH ?g {} }", solutions=CSV, commit=commit))
        return State(tuple(sorted(quads.splitlines())), tuple(sorted(graphs.splitlines())))


@asynccontextmanager
async def kept(folder: Path, data: str = DATA, *, ships: bool = False, **limits: float) -> AsyncIterator[Kept]:
    path = folder / "data.nq"
    path.write_text(data)
    control = Control()
    control.listen()
    pool = Pool(control, Limits(**{"seconds": 20.0, **limits}))  # type: ignore[arg-type]  # a mapping of each
    more = {"rules": shipped_rules(Names()), "catalogue": CANONICAL_BASE} if ships else {}
    try:
        start = Start([File(str(path), NQUADS)], folder / "kept", is_writable=True, union=ships, snapshot_after=7, **more)
        await control.load(start)
        await control.record()
        await pool.open()
        yield Kept(Engine(control, pool), ships)
    finally:
        pool.close()
        await control.close(5)


class Writer:
    """Makes updates at random: some triples more, some less, graphs made, cleared, moved and dropped."""

    def __init__(self, seed: int, *, ships: bool) -> None:
        self._any = random.Random(seed)
        self._ships = ships

    def _graph(self) -> str:
        return self._any.choice(["<a:g0>", "<a:g1>", "<a:g2>", "<a:empty>"])

    def _triple(self) -> str:
        objects = ["<a:s1>", "1", '"é\\n"@fr', "2.5", "true", "_:x", "<<( <a:s> <a:p> 1 )>>"]
        return f"{self._any.choice(['<a:s0>', '<a:s1>', '_:x'])} <a:p{self._any.randint(0, 1)}> {self._any.choice(objects)}"

    def _within(self, text: str) -> str:
        """In a named graph; in the default graph only where it is no merge."""
        return text if not self._ships and self._any.random() < 0.2 else f"GRAPH {self._graph()} {{ {text} }}"

    def update(self) -> str:
        concepts = f"<a:c{self._any.randint(0, 3)}> <{BROADER}> <a:c{self._any.randint(0, 3)}>"
        inserted = " . ".join(self._triple() for _ in range(self._any.randint(1, 4)))
        return self._any.choice(
            [
                f"INSERT DATA {{ {self._within(inserted)} }}",
                f"INSERT DATA {{ {self._within(inserted)} }}",
                f"INSERT DATA {{ GRAPH <{REFERENCE}> {{ {concepts} }} }}",
                f"DELETE DATA {{ GRAPH <{REFERENCE}> {{ {concepts} }} }}",
                f"DELETE WHERE {{ {self._within('?s <a:p0> ?o')} }}",
                f"DELETE WHERE {{ {self._within('<a:s0> ?p ?o')} }}",
                f"DROP SILENT GRAPH {self._graph()}",
                f"CLEAR SILENT GRAPH {self._graph()}",
                f"CREATE SILENT GRAPH {self._graph()}",
                f"MOVE SILENT {self._graph()} TO {self._graph()}",
                f"COPY SILENT {self._graph()} TO {self._graph()}",
            ]
        )


@pytest.mark.parametrize("ships", [True, False], ids=["as shipped", "plain"])
@pytest.mark.parametrize("seed", range(2))
def test_every_commit_shows_what_was_there_when_it_was_the_newest(tmp_path: Path, seed: int, ships: bool) -> None:
    writer = Writer(seed, ships=ships)

    async def compared() -> None:
        states: dict[int, State] = {}
        async with kept(tmp_path, ships=ships) as service:
            states[1] = await service.state()
            while len(states) < 20:
                commit = await service.write(writer.update())
                states[commit] = await service.state()
            assert len(set(states.values())) > 10
            for commit in random.Random(seed).sample(list(states), len(states)):
                assert await service.state(commit) == states[commit], f"commit {commit}, taken back"
        async with kept(tmp_path, DATA + LARGE, ships=ships) as service:
            for commit in random.Random(seed).sample(list(states), len(states) // 2):
                assert await service.state(commit) == states[commit], f"commit {commit}, made anew"

    in_loop(compared())


@pytest.mark.parametrize("address", ["/sparql", "/graphs"])
def test_a_time_stands_for_the_newest_commit_that_was_there_then(plain: Service, graph: str, address: str) -> None:
    made = [int(plain.put(f"{graph}{address}", f"<a:s> <a:p> {n} .").headers["X-Commit"]) for n in range(3)]
    times = [datetime.fromisoformat(plain.client.get(f"/changes/{number}").json()["time"]) for number in made]

    def asked(moment: datetime) -> str:
        params = {"query": "ASK {}"} if address == "/sparql" else {"graph": f"{graph}{address}"}
        response = plain.client.get(address, params=params | {"at": moment.isoformat()})
        assert response.status_code == 200, response.text
        return response.headers["X-Commit"]

    for number, time in zip(made, times, strict=True):
        assert asked(time) == str(number)
        assert asked(time.astimezone(timezone(timedelta(hours=5, minutes=30)))) == str(number)
    assert asked(times[1] - timedelta(microseconds=1)) == str(made[0])
    assert asked(times[2] + timedelta(days=1)) == str(made[2])
    assert asked(times[1].replace(tzinfo=None)) == str(made[1])  # UTC unless it says otherwise


async def grown(service: Kept) -> None:
    """Two commits more: three triples where there was one."""
    for number in (2, 3):
        assert await service.write(f"INSERT DATA {{ GRAPH <a:g0> {{ <a:s0> <a:p> {number} }} }}") == number


def count(answer: bytes) -> int:
    return int(answer.split()[1])


async def never_ending(service: Kept) -> asyncio.Task[bytes]:
    """A question about the first commit that is under way and will not end."""
    task = asyncio.ensure_future(service.ask(NEVER_ENDING, 1))
    assert await eventually(lambda: any(a.job.text == NEVER_ENDING for a in service.pool.archive._working))
    return task


async def left(task: asyncio.Task[bytes]) -> None:
    """Its client goes away."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_more_questions_than_may_wait_are_refused_at_once(tmp_path: Path) -> None:
    async def asked() -> None:
        async with kept(tmp_path, DATA + MANY, past_readers=1, past_queue=1) as service:
            await grown(service)
            first = await never_ending(service)
            second = asyncio.ensure_future(service.ask(COUNT, 2))
            assert await eventually(lambda: service.pool.archive.queue == 1)
            with pytest.raises(QueueFull, match="wait already"):
                await service.ask(COUNT, 2)
            assert count(await service.ask(COUNT, 0)) == 3  # the newest is asked as ever
            await left(first)
            assert count(await second) == 2

    in_loop(asked())


def test_a_client_that_leaves_frees_its_turn_wherever_its_question_was(tmp_path: Path) -> None:
    async def asked() -> None:
        async with kept(tmp_path, DATA + MANY, past_readers=1) as service:
            await grown(service)
            for _ in range(3):
                first = await never_ending(service)
                waiting = asyncio.ensure_future(service.ask(COUNT, 2))
                assert await eventually(lambda: service.pool.archive.queue == 1)
                await left(waiting)
                await left(first)
                for moments in range(4):  # while it is being forked
                    early = asyncio.ensure_future(service.ask(COUNT, 1))
                    for _ in range(moments):
                        await asyncio.sleep(0)
                    await left(early)
            assert count(await service.ask(COUNT, 2)) == 2
            assert (service.pool.archive.queue, service.pool.archive._busy) == (0, 0)
            assert await eventually(lambda: len(service.engine.children) <= len(service.pool.pids) + 2)

    in_loop(asked())


def test_a_question_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def asked() -> None:
        async with kept(tmp_path, DATA + MANY, past_readers=1, past_seconds=1.0) as service:
            await grown(service)
            first = await never_ending(service)
            with pytest.raises(DeadlineExceeded, match="older commits"):
                await service.ask(COUNT, 2)
            await left(first)
            assert count(await service.ask(COUNT, 2)) == 2

    in_loop(asked())


def test_a_question_about_the_past_has_the_time_of_any_other(tmp_path: Path) -> None:
    async def asked() -> None:
        async with kept(tmp_path, DATA + MANY, seconds=0.5, past_readers=1) as service:
            await grown(service)
            with pytest.raises(DeadlineExceeded, match=r"0\.5 seconds"):
                await service.ask(NEVER_ENDING, 1)
            assert count(await service.ask(COUNT, 1)) == 1

    in_loop(asked())


def test_a_process_is_kept_for_the_next_question_the_longer_the_more_it_took_to_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked() -> None:
        async with kept(tmp_path) as service:
            await grown(service)
            monkeypatch.setattr(archive, "LEAST_IDLE_SECONDS", 0.0)
            monkeypatch.setattr(archive, "WORTH", 0.0)
            assert count(await service.ask(COUNT, 1)) == 1
            assert await eventually(lambda: not service.pool.archive._idle)
            monkeypatch.setattr(archive, "WORTH", 1e6)
            assert count(await service.ask(COUNT, 1)) == 1
            (process,) = service.pool.archive._idle
            assert count(await service.ask(COUNT, 1)) == 1
            assert service.pool.archive._idle == [process]

    in_loop(asked())


def test_a_past_that_cannot_be_made_in_time_is_out_of_reach(tmp_path: Path) -> None:
    async def asked() -> None:
        async with kept(tmp_path, DATA + MANY, past_readers=1, past_seconds=0.0001) as service:
            await grown(service)
            for _ in range(3):
                with pytest.raises(OutOfReach, match=r"commit 1 could not be made in 0\.0001 seconds"):
                    await service.ask(COUNT, 1)
            assert count(await service.ask(COUNT, 0)) == 3
            assert await service.engine.settles()

    in_loop(asked())


def test_a_past_that_needs_too_much_memory_is_out_of_reach(tmp_path: Path) -> None:
    async def asked() -> None:
        async with kept(tmp_path, LARGE):
            pass
        async with kept(tmp_path, memory=16 << 20, past_readers=1) as service:
            for _ in range(2):
                with pytest.raises(OutOfReach, match="commit 1 needs more memory"):
                    await service.ask(COUNT, 1)
            assert count(await service.ask(COUNT, 0)) == 1
            assert await service.engine.settles()

    in_loop(asked())
