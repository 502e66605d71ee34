"""Writers that know what each of their graphs may hold after all that the service has told them, and the look whether it does."""

import http.client
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from bench.servers import LOOPBACK

TOKEN = "crash"  # of a service that lives for seconds, on loopback
WRITERS = 3
GRAPHS_A_WRITER = 8
SMALL = 20
UPDATE_SHARE, DELETE_SHARE = 0.2, 0.15
SECONDS_TO_ANSWER = 60
NO_ROOM = http.client.INSUFFICIENT_STORAGE

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
        lines = answer.read().decode().split()[1:]
    if answer.status != http.client.OK:
        raise Fault(f"the look at what is there was answered {answer.status}")
    found: dict[str, set[State]] = {}
    for line in lines:
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


@dataclass
class Writer:
    """Changes its own graphs again and again, in every way that there is, until the service is gone or has no room."""

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
                while not (over.is_set() or self.refused):
                    self._write(connection)
        except (OSError, http.client.HTTPException):
            pass  # it has been killed
        except Fault as fault:
            self.fault = fault

    def _write(self, connection: http.client.HTTPConnection) -> None:
        graph = f"http://crash/{self.name}/{self.chance.randrange(GRAPHS_A_WRITER)}"
        (now,) = self.ledger.may.get(graph, {None})
        method, path, kind, body, then = self._change(graph, now)
        self.ledger.may[graph] = {now, then}  # from here on until the answer nobody knows
        self.ledger.in_doubt += 1
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status < http.client.BAD_REQUEST:
            self.ledger.may[graph] = {then}
            self.ledger.acknowledged += 1
        elif answer.status == NO_ROOM:
            self.ledger.may[graph] = {now}
            self.refused += 1
            self.ledger.refused += 1
        elif answer.status != http.client.SERVICE_UNAVAILABLE:
            raise Fault(f"{method} {path} was answered {answer.status}: {said.decode(errors='replace')[:300]}")
        else:
            raise http.client.HTTPException("it is going")
        self.ledger.in_doubt -= 1

    def _change(self, graph: str, now: State) -> tuple[str, str, str, str, State]:
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
