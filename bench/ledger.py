"""Writers that know what each of their graphs may hold after all that the service has told them, and the look whether it does."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from bench.servers import LOOPBACK

TOKEN = "crash"  # of a service that lives for seconds, on loopback
WRITERS = 3
GRAPHS_A_WRITER = 8
SMALL = 20
UPDATE_SHARE, DELETE_SHARE = 0.2, 0.15
SECONDS_TO_ANSWER = 90
NO_ROOM = http.client.INSUFFICIENT_STORAGE
NOT_MADE = frozenset({"reader-died", "queue-full", "deadline-exceeded"})
"""The kinds of problems that say that a write was not made and may be sent again."""
SAYS_SO = "Nothing was changed"
SECONDS_UNTIL_AGAIN, SECONDS_IN_DOUBT = 0.05, 0.5
SECONDS_TO_WRITE = 60

State = tuple[int, int] | None
"""What a graph holds: the generation that all its triples say, and how many they are; None if it is not there."""


@dataclass(frozen=True)
class Large:
    """How many of the graphs that are put are large, and how large that is."""

    share: float
    triples: int


class Fault(Exception):
    """Something that was acknowledged is not there, or something is there in part, or an answer that must not be."""


@dataclass
class Ledger:
    """What each graph may hold: one state where the last write was answered, two where nobody knows whether it was made."""

    may: dict[str, set[State]] = field(default_factory=dict)
    acknowledged: int = 0
    in_doubt: int = 0
    refused: int = 0
    not_made: Counter[str] = field(default_factory=Counter)
    bears: frozenset[str] = frozenset()
    """Kinds of problems that leave a write in doubt, and are none of its faults."""
    slowest: float = 0.0

    def known(self, graphs: Iterable[str]) -> list[str]:
        """Those of the graphs of which it is known what they hold."""
        return [graph for graph in graphs if len(self.may.get(graph, {None})) == 1]

    def check(self, port: int) -> None:
        """Raises Fault unless every graph is as it may be; what is there is then what is known."""
        found = stored(port)
        for graph in self.may.keys() | found.keys():
            states = found.get(graph, set()) or {None}
            allowed = self.may.get(graph, {None})
            if len(states) > 1 or not states <= allowed:
                raise Fault(f"{graph} holds {sorted(map(str, states))}, and should hold {sorted(map(str, allowed))}")
            self.may[graph] = set(states)


def stored(port: int) -> dict[str, set[State]]:
    """What each graph holds; of one that is there in part more than one state."""
    query = "SELECT ?g ?p (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } FILTER(STRSTARTS(STR(?g), 'http://crash/')) } GROUP BY ?g ?p"
    with connected(port) as connection:
        connection.request("GET", f"/sparql?query={quote(query)}", headers={"Accept": "text/csv"})
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != http.client.OK:
        raise Fault(f"the look at what is there was answered {answer.status}")
    return held(body)


def held(body: bytes) -> dict[str, set[State]]:
    """What a table (CSV) of graphs, properties and numbers of triples says of each graph."""
    found: dict[str, set[State]] = {}
    for line in body.decode().split()[1:]:
        graph, generation, count = line.split(",")
        found.setdefault(graph, set()).add((int(generation.rpartition("/")[2]), int(count)))
    return found


@contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    """A connection to the service, closed at the end."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS_TO_ANSWER)
    try:
        yield connection
    finally:
        connection.close()


def continue_until_written(ledger: Ledger) -> None:
    """Waits until the next write has been acknowledged. Raises Fault if none is."""
    before, deadline = ledger.acknowledged, time.monotonic() + SECONDS_TO_WRITE
    while ledger.acknowledged == before:
        if time.monotonic() > deadline:
            raise Fault("no write is acknowledged any more")
        time.sleep(0.02)


@dataclass(frozen=True)
class Problem:
    """A refusal as RFC 9457 has it: what was asked, the status, the last part of its type, what it says."""

    request: str
    status: int
    kind: str
    detail: str

    @classmethod
    def of(cls, answer: http.client.HTTPResponse, said: bytes, request: str) -> Problem:
        """What a refusal says. Raises Fault if it is no problem+json, or a 503 that does not say when to come again."""
        if answer.headers.get_content_type() != "application/problem+json":
            raise Fault(f"{request} was answered {answer.status} without a problem: {said.decode(errors='replace')[:300]}")
        if answer.status == http.client.SERVICE_UNAVAILABLE and not answer.headers.get("retry-after", "").isdigit():
            raise Fault(f"{request} was answered 503 without Retry-After")
        told = json.loads(said)
        return cls(request, answer.status, told["type"].rpartition("/")[2], told["detail"])


@dataclass
class Writer:
    """Changes its own graphs again and again, in every way that there is, until the service is gone or has no room.

    What is refused as not made is made otherwise a moment later; a graph that is in doubt is left alone.
    """

    port: int
    name: str
    ledger: Ledger
    chance: random.Random
    large: Large
    refused: int = 0
    fault: Fault | None = None

    def run(self, over: threading.Event) -> None:
        """Writes until the connection breaks, the disk is full, or it is over."""
        try:
            with connected(self.port) as connection:
                while not (over.is_set() or self.refused) and (known := self.ledger.known(self._graphs)):
                    self._write(connection, self.chance.choice(known))
        except TimeoutError:
            self.fault = Fault(f"a write was not answered in {SECONDS_TO_ANSWER} seconds")
        except (OSError, http.client.HTTPException):
            pass  # it has been killed
        except Fault as fault:
            self.fault = fault

    @property
    def _graphs(self) -> list[str]:
        return [f"http://crash/{self.name}/{number}" for number in range(GRAPHS_A_WRITER)]

    def _write(self, connection: http.client.HTTPConnection, graph: str) -> None:
        (now,) = self.ledger.may.get(graph, {None})
        method, path, kind, body, then = self.change(graph, now)
        self.ledger.may[graph] = {now, then}  # from here on until the answer nobody knows
        self.ledger.in_doubt += 1
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
        began = time.monotonic()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        self.ledger.slowest = max(self.ledger.slowest, time.monotonic() - began)
        if answer.status < http.client.BAD_REQUEST:
            self.ledger.may[graph] = {then}
            self.ledger.acknowledged += 1
        else:
            problem = Problem.of(answer, said, f"{method} {path}")
            if not self._is_made_not(problem):
                time.sleep(SECONDS_IN_DOUBT)  # else all graphs would be in doubt before the fault is over
                return
            self.ledger.may[graph] = {now}
        self.ledger.in_doubt -= 1

    def _is_made_not(self, problem: Problem) -> bool:
        """Whether a refusal says that nothing was changed; false where nobody knows. Raises Fault if it must not be."""
        if problem.status == NO_ROOM:
            self.refused += 1
            self.ledger.refused += 1
            return True
        if problem.kind in NOT_MADE or SAYS_SO in problem.detail:
            self.ledger.not_made[problem.kind] += 1
            time.sleep(SECONDS_UNTIL_AGAIN)
            return True
        if problem.kind in self.ledger.bears:
            return False
        if problem.status == http.client.SERVICE_UNAVAILABLE:
            raise http.client.HTTPException("it is going")
        raise Fault(f"{problem.request} was answered {problem.status}: {problem.detail[:300]}")

    def change(self, graph: str, now: State) -> tuple[str, str, str, str, State]:
        """A request, and what the graph holds when it has been made."""
        one = self.chance.random()
        generation = self.chance.randrange(1_000_000)
        direct = f"/graphs?graph={quote(graph, safe='')}"
        if now is not None and one < UPDATE_SHARE:
            text = (
                f"DELETE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }} "
                f"INSERT {{ GRAPH <{graph}> {{ ?s <http://crash/{generation}> ?o }} }} "
                f"WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
            )
            return "POST", "/sparql", "application/sparql-update", text, (generation, now[1])
        if now is not None and one < UPDATE_SHARE + DELETE_SHARE:
            return "DELETE", direct, "text/turtle", "", None
        count = self.large.triples if one > 1 - self.large.share else SMALL
        body = "".join(f"<{graph}#{number}> <http://crash/{generation}> {number} .\n" for number in range(count))
        return "PUT", direct, "text/turtle", body, (generation, count)


@contextmanager
def writing(port: int, ledger: Ledger, chance: random.Random, large: Large) -> Iterator[list[threading.Thread]]:
    """Writers at work; at the end they are waited for. Raises Fault if one has met with an answer that must not be."""
    over = threading.Event()
    writers = [Writer(port, f"w{n}", ledger, random.Random(chance.random()), large) for n in range(WRITERS)]
    threads = [threading.Thread(target=writer.run, args=(over,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for writer in writers:
        if writer.fault is not None:
            raise writer.fault
