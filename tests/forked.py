"""What the tests of processes share: an engine in this process with its keeper and readers, and what /proc says of a process."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from motorgraph.engine.answer import Answer
from motorgraph.engine.control import Control, Start
from motorgraph.engine.loading import File
from motorgraph.engine.pool import Pool
from motorgraph.engine.process import is_stopped
from motorgraph.engine.wire import Job
from motorgraph.limits import Limits
from tests.running import until

JSON = "application/sparql-results+json"
CSV = "text/csv"
NTRIPLES = "application/n-triples"
TRIPLES = 1000
MANY = "".join(f"<http://e/{n}> <http://e/p> {n} .\n" for n in range(TRIPLES))
POINT = "SELECT ?o { <http://e/5> <http://e/p> ?o }"
NEVER_ENDING = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
EXPLOSIVE = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f"
STREAM = "SELECT * { ?a ?b ?c . ?d ?e ?f . FILTER(?c < 100) }"
STREAM_ROWS = 100 * TRIPLES
ENDLESS_STREAM = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
SLOW = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . FILTER(?c < 300) }"
NESTED = "SELECT * " + "{" * 10_000 + "}" * 10_000
Result = TypeVar("Result")


@dataclass
class Engine:
    """A keeper with its pool, in the running loop."""

    control: Control
    pool: Pool

    async def start(self, text: str, accept: str = JSON) -> Answer:
        """The beginning of an answer."""
        return await self.pool.answer(job(text, accept))

    async def ask(self, text: str, accept: str = JSON) -> bytes:
        """The whole answer to a query."""
        return await self.rest(await self.start(text, accept))

    async def rest(self, answer: Answer) -> bytes:
        """What is left of an answer."""
        try:
            return b"".join([piece async for piece in answer.pieces()])
        finally:
            self.pool.release(answer)

    async def point(self) -> bool:
        """Whether a point query is answered rightly."""
        return await self.ask(POINT, CSV) == b"o\r\n5\r\n"

    async def count(self) -> int:
        """How many triples the default graph has."""
        return int((await self.ask("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", CSV)).split()[1])

    async def update(self, text: str) -> Answer:
        """Changes the graph."""
        return (await self.pool.drafts.rehearse(Job("update", text), b""))[0]

    @property
    def children(self) -> list[int]:
        """The processes that the keeper has forked and not buried."""
        return children(self.control.pid)

    async def settles(self) -> bool:
        """Waits until nothing of what was killed or retired is left."""
        return await eventually(lambda: sorted(self.children) == sorted(self.pool.pids))


def job(text: str, accept: str = JSON) -> Job:
    """A query as a job."""
    return Job("query", text, solutions=accept, graphs=NTRIPLES)


@asynccontextmanager
async def engine(
    folder: Path, control: Control | None = None, data: str = MANY, *, base: str = "", **limits: Any
) -> AsyncIterator[Engine]:
    """A keeper over `data` in Turtle and its pool, open; both ended afterwards."""
    path = folder / "data.ttl"
    path.write_text(data)
    control = control or Control()
    control.listen()
    pool = Pool(control, Limits(**{"seconds": 20.0, **limits}))
    try:
        files, own = [File(str(path), "text/turtle")], Path(tempfile.mkdtemp(dir=folder))
        await control.load(Start(files, own, is_writable=True, union=False, base=base))
        await control.record()
        await pool.open()
        yield Engine(control, pool)
    finally:
        pool.close()
        await control.close(5)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs a test's coroutine in a loop as the service has it, for at most a minute."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, 60))


async def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Like tests.running.until, for a test that runs in the loop."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.01)
    return True


async def outcomes(work: Iterable[Awaitable[Result]]) -> list[Result | BaseException]:
    """What each gives or raises."""
    return list(await asyncio.gather(*work, return_exceptions=True))


def _stat(pid: int) -> list[str]:
    """State, parent and so on of a process, as /proc/PID/stat has them behind the name; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def children(pid: int) -> list[int]:
    """The processes whose parent is `pid`, zombies too."""
    there = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [other for other in there if _stat(other)[1:2] == [str(pid)]]


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    return [pid, *(p for child in children(pid) for p in tree(child))]


def session(leader: int) -> list[int]:
    """The processes of a session, whoever their parent is."""
    there = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in there if _stat(pid)[3:4] == [str(leader)]]


def stop(pid: int) -> int:
    """Stops a process, and waits until it stands still: until its first thread has the signal, others go on."""
    os.kill(pid, signal.SIGSTOP)
    assert until(lambda: is_stopped(pid))
    return pid


def is_there(pid: int) -> bool:
    """Whether there is such a process; one that has ended and waits for init to bury it does not count."""
    stat = _stat(pid)
    return bool(stat) and not (stat[0] == "Z" and stat[1] == "1")


def all_gone(pids: Iterable[int]) -> bool:
    """Whether none of the processes is left, not even as a zombie."""
    return not any(map(is_there, pids))


def descriptors(pid: int) -> list[str]:
    """What each open descriptor of a process is."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(str(entry.readlink()))
    return sorted(found)


def resident(pid: int) -> int:
    """The memory of a process in bytes (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
