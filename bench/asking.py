"""Readers beside the writers: they ask what every kind of process answers, and note what comes of it and how long it takes."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from bench.ledger import Fault, Problem, connected

ASKERS = 2
SECONDS_BETWEEN = 0.02
SECONDS_UNTIL_AGAIN = 0.1
POINT = f"/sparql?query={quote('SELECT * { GRAPH ?g { ?s ?p ?o } } LIMIT 3')}"
SCAN = f"/sparql?query={quote('SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }')}"
PATHS = (POINT, SCAN, f"{POINT}&at=1", "/changes/1", "/changes/1.rdfp", "/feed", "/search?q=crash", "/dumps/latest/", "/health")
"""What readers, a past, the clerk, the finder and the archivist answer, and the front alone."""
FINE = frozenset(
    {"reader-died", "unavailable", "deadline-exceeded", "queue-full", "overloaded", "not-found", "not-ready", "store-away"}
)
"""The kinds of problems that somebody may meet while processes are killed, stopped or refused; at first there is no commit."""


@dataclass
class Seen:
    """What came of requests: how many with which status or kind of problem, and the longest that one took, in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def note(self, outcome: str, seconds: float) -> None:
        """One more."""
        self.outcomes[outcome] += 1
        self.slowest = max(self.slowest, seconds)


@dataclass
class Asker:
    """Asks again and again, on one connection as long as that holds, until it is over or nobody is there."""

    port: int
    chance: random.Random
    seen: Seen
    paths: tuple[str, ...] = PATHS
    fault: Fault | None = None

    def run(self, over: threading.Event) -> None:
        """Asks until it is over or there is no service any more."""
        try:
            while not over.is_set():
                self._ask_on_one_connection(over)
        except ConnectionRefusedError:
            pass  # it has been killed
        except Fault as fault:
            self.fault = fault

    def _ask_on_one_connection(self, over: threading.Event) -> None:
        with connected(self.port) as connection:
            began = time.monotonic()
            try:
                while not over.wait(SECONDS_BETWEEN):
                    began = time.monotonic()
                    self.seen.note(self._ask(connection, self.chance.choice(self.paths)), time.monotonic() - began)
            except ConnectionRefusedError:
                raise
            except TimeoutError as error:
                raise Fault("a request was not answered") from error
            except (OSError, http.client.HTTPException):
                self.seen.note("broke off", time.monotonic() - began)
                over.wait(SECONDS_UNTIL_AGAIN)

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> str:
        connection.request("GET", path, headers={"Accept": "application/sparql-results+json, application/json, */*;q=0.1"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status < http.client.BAD_REQUEST:
            return "answered"
        problem = Problem.of(answer, said, f"GET {path}")
        if problem.kind not in FINE:
            raise Fault(f"{problem.request} was answered {problem.status} {problem.kind}: {problem.detail[:300]}")
        return f"{problem.status} {problem.kind}"


@contextmanager
def asking(port: int, seen: Seen, chance: random.Random, paths: tuple[str, ...] = PATHS) -> Iterator[None]:
    """Askers at work; at the end they are waited for. Raises Fault if one has met with an answer that must not be."""
    over = threading.Event()
    askers = [Asker(port, random.Random(chance.random()), seen, paths) for _ in range(ASKERS)]
    threads = [threading.Thread(target=asker.run, args=(over,)) for asker in askers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for asker in askers:
        if asker.fault is not None:
            raise asker.fault
