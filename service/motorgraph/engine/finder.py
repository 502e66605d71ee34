"""The finder: a process forked from the keeper that finds things by what they are called. Each commit carries its index on.

A process forked aside walks through the graph when the index is made, for it owns a copy of all that it has looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple
from io import BytesIO
from socket import socket
from typing import IO, Any

import orjson
import pyoxigraph as ox

from motorgraph.engine import aside
from motorgraph.engine.aside import Channel
from motorgraph.engine.delta import Written
from motorgraph.engine.reader import Outlet, Task, serve
from motorgraph.engine.wire import Job
from motorgraph.errors import StoreAway
from motorgraph.search.entry import Entry, Gatherer, Look, Role, touched
from motorgraph.search.index import Index
from motorgraph.search.matching import Matcher
from motorgraph.search.naming import Namer
from motorgraph.search.schema import Schema
from motorgraph.search.telling import Teller
from motorgraph.search.values import Values
from motorgraph.vocab import Names

NICENESS = 10
"""While the index is made, whoever answers queries goes first."""
TASKS = ("search", "suggest", "match", "preview", "extend", "propose", "near", "resolve", "named")


def run(sock: socket, store: ox.Store, commit: int, base: str, *, union: bool) -> None:
    """Makes the index, then answers the jobs that come over `sock` until the other side closes it."""
    finder = Finder(Look(store, Names(base), union))
    tasks: dict[str, Task] = dict.fromkeys(TASKS, finder.answer)
    serve(sock, tasks | {"arrive": _arrive}, store, commit, finder.heed)


class Finder:
    """What the front asks about the names of things. A job's `text` is a JSON object that says what is wanted."""

    def __init__(self, look: Look) -> None:
        base = look.names.base
        self._gatherer = Gatherer(look)
        self._unseen: dict[ox.NamedNode, None] = {}
        self._index = Index((f"{base}/id/", f"{base}/"))
        self._index.fill(_gathered(self._gatherer))
        self._schema = schema = Schema(look, self._index)
        teller = Teller(look, self._index, schema)
        namer = Namer(self._index, schema, base)
        values, matcher = Values(look, schema, teller), Matcher(self._index, look, schema, teller)
        self._tasks: dict[str, Callable[..., dict[str, Any]]] = {  # Any: plain JSON
            "search": teller.search,
            "suggest": teller.suggest,
            "preview": teller.preview,
            "near": namer.near,
            "resolve": namer.resolve,
            "named": namer.named,
            "match": matcher.match,
            "extend": values.extend,
            "propose": schema.propose,
        }

    def answer(self, job: Job, _: ox.Store, outlet: Outlet) -> None:
        """Does what a job asks; the answer has the `commit`."""
        self._look_again()
        told = self._tasks[job.task](**json.loads(job.text))
        outlet.begin("json", "application/json")
        outlet.write(orjson.dumps(told | {"commit": outlet.commit}))
        outlet.finish()

    def heed(self, change: Written) -> None:
        """A commit has changed the graph: looks again at what it speaks of, before the next answer if a remote store is away."""
        self._unseen.update(dict.fromkeys(touched(change)))
        self._schema.forget()
        with suppress(StoreAway):
            self._look_again()

    def _look_again(self) -> None:
        """At what commits spoke of that has not been looked at since. Raises StoreAway."""
        while self._unseen:
            thing = next(iter(self._unseen))
            self._index.replace(thing.value, self._gatherer.entry(thing))
            del self._unseen[thing]


def _arrive(_: Job, __: ox.Store, outlet: Outlet) -> None:
    """Nothing: whoever asks wants to know that the index is made."""
    outlet.begin("json", "application/json")
    outlet.finish()


def _gathered(gatherer: Gatherer) -> Iterator[Entry]:
    """All entries, from a process aside."""

    def gather(out: IO[bytes]) -> None:
        os.nice(NICENESS)
        channel = Channel(out, 0)
        for entry in gatherer.all():
            channel.write(orjson.dumps(astuple(entry)) + b"\n")
        channel.end()

    rest = BytesIO()
    for _, piece in aside.forked(gather, name="mg-gatherer"):
        rest.write(piece)
    for line in rest.getvalue().splitlines():
        iri, kind, weight, names = orjson.loads(line)
        yield Entry(iri, kind, weight, tuple((Role(role), text) for role, text in names))
