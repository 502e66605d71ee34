"""Clients that are too many, too slow, or gone too early: what others feel of them, and what they leave behind.

`python -m bench.load` starts a plain service with the generated graph, puts it under one kind of pressure after the other while
small requests are timed, and looks whether all is as before. It returns 0 if all targets are kept, 1 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from bench import cache, command, isolation, machine
from bench.isolation import Probe
from bench.processes import Holdings, Memory, holdings, settled_memory
from bench.queries import QUERIES
from bench.servers import LOOPBACK, Server, motorgraph
from bench.targets import Target, Verdict, print_verdicts

MEGABYTE = 1e6
MOST_TIMES_IDLE = 5
MOST_MEMORY_AFTERWARDS = 1.1
MORE_DESCRIPTORS = 16
MOST_CLOSED = 10  # whose connection was idle, and made way as they began to ask
SECONDS_TO_SETTLE = 20  # a reader more than there are cores is let go after ten to fifteen
READING_BEFORE = 8
SLOW_SECONDS = 25  # less than the patience of the service, so that they are there all the time
SLOW_BYTES_A_SECOND = 20_000
GIVEN_UP_BYTES = 10_000
GIVING_UP_AT_ONCE = 20
HOSTS = [f"127.0.1.{number}" for number in range(1, 11)]
"""The addresses of the clients, each of which has less than its share of the connections."""
GREEDY = ["127.0.2.1"]
ROWS = QUERIES["q14_select100k"]
GONE = (OSError, asyncio.IncompleteReadError, EOFError, ValueError)

Client = Callable[[Server, str], Coroutine[Any, Any, str]]  # Any: what a coroutine is sent and yields
"""What one client does from its address; in a word how it ended."""


@dataclass(frozen=True)
class Plan:
    """What to measure: graph size, how many are slow, come at once, give up, run away; options of the service."""

    triples: int
    slow: int
    crowd: int
    given_up: int
    explosions: int
    options: list[str]


@dataclass(frozen=True)
class Rest:
    """What the service holds when nobody asks anything."""

    memory: Memory
    holdings: Holdings

    @property
    def line(self) -> str:
        """The same in words."""
        held = self.holdings
        return f"{self.memory.pss / MEGABYTE:.0f} MB in {held.processes} processes with {held.descriptors} files"


# Clients


def get(server: Server, query: str) -> bytes:
    """A query as a client sends it."""
    return f"GET {server.path(query)} HTTP/1.1\r\nHost: localhost\r\nAccept: text/tab-separated-values\r\n\r\n".encode()


async def slow_head(server: Server, host: str) -> str:
    """A byte of a request every other second."""
    return await trickle(server, host, b"GET /health HTTP/1.1\r\nX-Slow: ", 2)


async def slow_body(server: Server, host: str) -> str:
    """A query of which the body comes byte by byte."""
    head = b"POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-query\r\nContent-Length: 5000\r\n\r\n"
    return await trickle(server, host, head, 1)


async def trickle(server: Server, host: str, head: bytes, seconds: float) -> str:
    """Sends `head`, then a byte at a time, until the service has had enough."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port, local_addr=(host, 0))
    try:
        writer.write(head)
        while not reader.at_eof():
            writer.write(b"a")
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    return (await reader.readline()).decode()[9:12] or "closed"
        return "closed"
    finally:
        writer.close()


async def slow_reader(server: Server, host: str) -> str:
    """100,000 rows, taken slowly."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port, local_addr=(host, 0), limit=1 << 14)
    try:
        writer.write(get(server, ROWS))
        while await reader.read(1 << 14):
            await asyncio.sleep((1 << 14) / SLOW_BYTES_A_SECOND)
        return "whole or broken"
    finally:
        writer.close()


async def reading(server: Server, host: str) -> str:
    """100,000 rows, taken as they come."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port, local_addr=(host, 0))
    try:
        writer.write(get(server, ROWS).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return (await reader.read()).decode("latin-1")[9:12]
    finally:
        writer.close()


async def idle(server: Server, host: str) -> str:
    """A connection, and nothing more."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port, local_addr=(host, 0))
    try:
        return "closed" if not await reader.read(1) else "answered"
    finally:
        writer.close()


async def giving_up(server: Server, host: str) -> str:
    """100,000 rows, of which the first are taken."""
    reader, writer = await asyncio.open_connection(LOOPBACK, server.port, local_addr=(host, 0), limit=1 << 14)
    try:
        writer.write(get(server, ROWS))
        return (await reader.readexactly(GIVEN_UP_BYTES)).decode()[9:12]
    finally:
        writer.transport.abort()


def crowding(together: asyncio.Event, server: Server) -> Client:
    """A client who connects, waits until all the others have, and asks for one thing; in a word what it is told."""
    asked = get(server, QUERIES["q01_point"])

    async def client(server: Server, host: str) -> str:
        reader, writer = await asyncio.open_connection(LOOPBACK, server.port, local_addr=(host, 0))
        try:
            await together.wait()
            writer.write(asked)
            return await told(reader)
        finally:
            writer.close()

    return client


async def told(reader: asyncio.StreamReader) -> str:
    """The status of an answer, and of a refusal which it is, and whether it says when to come again."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, lines = head[9:12].decode(), head.decode("latin-1").lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
    body = await reader.readexactly(length)
    if status == "200":
        return status
    again = " with Retry-After" if any(line.startswith("retry-after:") for line in lines) else ""
    return f"{status} {str(json.loads(body)['type']).rpartition('/')[2]}{again}"


async def ended(client: Client, server: Server, host: str) -> str:
    """How a client ended."""
    try:
        return await client(server, host)
    except GONE as error:
        return "closed" if isinstance(error, asyncio.IncompleteReadError) else type(error).__name__


# Pressure


def all_at_once(
    server: Server,
    clients: Sequence[Client],
    seconds: float,
    together: asyncio.Event | None = None,
    hosts: Sequence[str] = HOSTS,
) -> Counter[str]:
    """How so many clients at these addresses ended; those that have not after some seconds are broken off."""

    async def run() -> Counter[str]:
        tasks = [asyncio.ensure_future(ended(client, server, host)) for client, host in zip(clients, cycle(hosts), strict=False)]
        if together is not None:
            await asyncio.sleep(1)  # until they have connected
            together.set()
        done, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return Counter([task.result() for task in done] + ["still there"] * len(late))

    return asyncio.run(run())


@contextmanager
def probing(server: Server) -> Iterator[list[Probe]]:
    """Small requests while the context lasts, each on a connection of its own."""
    probes, over = isolation.probes(server), threading.Event()
    with ThreadPoolExecutor(len(probes)) as threads:
        sending = [threads.submit(probe.send_until, server, over) for probe in probes]
        try:
            yield probes
        finally:
            over.set()
        for each in sending:
            each.result()


def slowness(server: Server, plan: Plan) -> list[Probe]:
    """Slow and idle clients beside small requests."""
    kinds: list[Client] = [slow_head, slow_body, slow_reader, idle]
    clients = [kinds[number % len(kinds)] for number in range(plan.slow)]
    with probing(server) as probes:
        report(f"{plan.slow} slow and idle clients for {SLOW_SECONDS} s", all_at_once(server, clients, SLOW_SECONDS), [])
    report("", Counter(), probes)
    return probes


def crowd(server: Server, plan: Plan, hosts: Sequence[str]) -> tuple[list[Probe], Counter[str]]:
    """Many connections at once from these addresses, each of which asks for something."""
    together = asyncio.Event()
    with probing(server) as probes:
        ends = all_at_once(server, [crowding(together, server)] * plan.crowd, 60, together, hosts)
    where = f"{len(hosts)} address{'es' if len(hosts) > 1 else ''}"
    report(f"{plan.crowd} connections at once from {where}, each with a query", ends, probes)
    return probes, ends


def give_up(server: Server, plan: Plan) -> Counter[str]:
    """Downloads that are broken off."""
    ends: Counter[str] = Counter()
    while (left := plan.given_up - ends.total()) > 0:
        ends += all_at_once(server, [giving_up] * min(left, GIVING_UP_AT_ONCE), 60)
    report(f"{plan.given_up} downloads given up, {GIVING_UP_AT_ONCE} at once", ends, [])
    return ends


def report(what: str, ends: Counter[str], probes: Sequence[Probe]) -> None:
    """What came of it."""
    if what:
        print(f"{what}: {', '.join(f'{count:,} {end}' for end, count in ends.most_common())}")
    for probe in probes:
        print("  " + probe.line(), flush=True)


# What is judged


def times_idle(what: str, idle: Probe, busy: Probe) -> Verdict:
    """The slowest of a hundred small requests under pressure, in terms of what it is alone; void if one was not answered."""
    target = Target(f"p99 of point queries over idle, {what}", MOST_TIMES_IDLE, "times")
    good = set(busy.statuses) <= {"200"}
    return Verdict(target, busy.percentile(99) / idle.percentile(99) if good else None, "" if good else str(dict(busy.statuses)))


def measure(plan: Plan) -> list[Verdict]:
    """Starts the service, puts it under pressure, looks what is left, stops it."""
    graph = cache.graph(plan.triples)
    with cache.passing_folder() as folder, motorgraph(graph, Path(folder), *plan.options) as server:
        alone = isolation.warm(server)
        report("alone", Counter(), alone)
        all_at_once(server, [reading] * READING_BEFORE, 60)  # so that readers own what they will have touched in any case
        before = rest(server)
        slow = slowness(server, plan)
        crowded, told = crowd(server, plan, HOSTS)
        beside, told_alone = crowd(server, plan, GREEDY)
        gone = give_up(server, plan)
        exploding = isolation.Plan(plan.triples, plan.explosions, 10, [])
        busy, ends, seconds = isolation.explode(server, exploding)
        report(f"{plan.explosions} queries that never end, the last for {seconds:.1f} s", ends, busy)
        after = rest(server)
    print(f"at rest, before and after: {before.line}; {after.line}")
    health = Counter(slow[0].statuses + crowded[0].statuses + beside[0].statuses + busy[0].statuses)
    point = Counter(beside[1].statuses)
    return [
        times_idle("slow clients", alone[1], slow[1]),
        times_idle("runaway queries", alone[1], busy[1]),
        Verdict(Target("who came at once, neither answered nor told to come again", MOST_CLOSED), plan.crowd - polite(told)),
        Verdict(Target("the same, all from one address", MOST_CLOSED), plan.crowd - polite(told_alone)),
        Verdict(Target("point queries from elsewhere that were not answered meanwhile", 0), point.total() - point["200"]),
        Verdict(Target("requests of /health that were not answered", 0), health.total() - health["200"]),
        Verdict(Target("downloads that began before they were given up", plan.given_up, at_least=True), gone["200"]),
        Verdict(
            Target("runaway queries that a limit ended", plan.explosions, at_least=True),
            sum(ends[limit] for limit in isolation.LIMITS),
        ),
        Verdict(Target("memory afterwards, as a share", MOST_MEMORY_AFTERWARDS), after.memory.pss / before.memory.pss),
        Verdict(
            Target("more descriptors afterwards", MORE_DESCRIPTORS), after.holdings.descriptors - before.holdings.descriptors
        ),
        Verdict(Target("more processes afterwards", 0), after.holdings.processes - before.holdings.processes),
    ]


def polite(ends: Counter[str]) -> int:
    """How many were answered, or told to come again."""
    return sum(count for end, count in ends.items() if end == "200" or end.endswith("with Retry-After"))


def rest(server: Server) -> Rest:
    """What the service holds once the readers that it can do without have gone."""
    threading.Event().wait(SECONDS_TO_SETTLE)
    return Rest(settled_memory(server.pid), holdings(server.pid))


def main() -> int:
    """Measures as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="Too many, too slow, gone too early.")
    parser.add_argument("--triples", type=int, default=150_000, help="size of the generated graph")
    parser.add_argument("--slow", type=int, default=300, help="slow and idle clients")
    parser.add_argument("--crowd", type=int, default=1000, help="connections at once")
    parser.add_argument("--given-up", type=int, default=500, help="downloads that are broken off")
    parser.add_argument("--explosions", type=int, default=20, help="queries at once that never end")
    parser.add_argument("--serve-option", action="append", default=[], help="for motorgraph serve, such as --readers=4")
    given = parser.parse_args()
    options = ["--query-seconds=10", *given.serve_option]
    plan = Plan(given.triples, given.slow, given.crowd, given.given_up, given.explosions, options)
    told = (
        f"{plan.triples:,} triples, {plan.slow} slow, {plan.crowd} at once, {plan.given_up} given up, {plan.explosions} runaway"
    )
    return command.run({**machine.description(), "plan": told}, lambda: print_verdicts(measure(plan)))


if __name__ == "__main__":
    sys.exit(main())
