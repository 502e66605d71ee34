"""A copy of the keeper's store without what was removed, made in short steps between commits, that takes the store's place.

The engine's store in memory frees nothing: a removed quad stays in its lists, marked as of older versions, with all its strings.
It takes some 280 bytes there for ever, whoever walks past it owns a copy, and a pattern that once had many takes as long as ever.
The engine tells quads in the order in which they came, the newest first. So that answers without an order stay as they are, they
are read, put by as text, and told to the copy the other way round.

A copy lies beside what it was made from, whose place is left with what else lay between, and whoever is forked then would own a
page of that for each small piece that it needs. So the copy is copied once more, into that place.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain, islice

import pyoxigraph as ox

from motorgraph.engine import process
from motorgraph.engine.delta import NQUADS, Written, nquads
from motorgraph.engine.history import History, memory_of
from motorgraph.errors import Failed

LEAST_GONE = 20_000
"""Removed quads from which on a copy may be worth its while."""
MOST_SHARE = 8
"""One removed quad for so many that are there is as much as is left alone."""
QUADS_A_STEP = 200
"""Some 1 ms, for which whoever wants something of the keeper, or its processor, waits."""
STEPS_A_COMMIT = 3
"""After each, so that a copy gets on where writers leave no time between."""
REST_SECONDS = 0.004
"""Between two steps where nobody writes: readers have the processors meanwhile."""
COPIES = 2
"""Beside what there is, while one is made: that, and the pages of the store, for to read it parts them from those of children."""


class Compaction:
    """The `store` of a keeper, and what it holds of the past."""

    def __init__(self, store: ox.Store, history: History, *, union: bool) -> None:
        self.store = store
        self._history = history
        self._graphs = 2 if union else 1  # that a triple is in
        self._gone = history.gone
        self._look_at = LEAST_GONE
        self._copying: _Copying | None = None
        self._is_again = False

    def heed(self, change: Written) -> None:
        """Takes notice of a change that the store has."""
        removed = change.removed.count(b"\n") + change.derived[0].count(b"\n")
        self._gone += removed * self._graphs
        if self._copying is not None:
            self._copying.meanwhile.append(change)

    def is_due(self) -> bool:
        """Whether a copy is under way, or so much was removed that one is to be made, and there is memory for it."""
        if self._copying is not None or self._is_again:
            return True
        if self._gone < self._look_at:
            return False
        self._look_at = self._gone + LEAST_GONE
        try:
            quads = self._history.quads
        except Failed:  # the disk does not say now; whoever writes is told of it
            return False
        return self._gone * MOST_SHARE >= quads * self._graphs and process.available_bytes() >= COPIES * memory_of(quads)

    def step(self, steps: int = 1) -> bool:
        """Copies some quads more, `steps` times as many as in one. Whether the copy is whole: then it is the `store`, and the old
        one belongs to nobody here; if a step is still due, the copy is to be copied once more."""
        if self._copying is None:
            self._copying = _Copying(self.store)
            self._gone, self._look_at = 0, LEAST_GONE
        if all(self._copying.goes_on() for _ in range(steps)):
            return False
        self.store = self._copying.end(union=self._graphs > 1)
        self._copying, self._is_again = None, not self._is_again
        return True


class _Copying:
    """A copy of a store that is under way, and the changes that the store has had `meanwhile`."""

    def __init__(self, store: ox.Store) -> None:
        self.meanwhile: list[Written] = []
        self._store = store
        self._unread = store.quads_for_pattern(None, None, None, None)  # as they are now, whatever changes
        self._read: list[bytes] = []
        self._copy = ox.Store()

    def goes_on(self) -> bool:
        """Reads some more, or writes some more; false where nothing is left to do."""
        some = list(islice(self._unread, QUADS_A_STEP))
        if some:
            self._read.append(zlib.compress(nquads(some), 1))
        elif self._read:
            quads = list(ox.parse(zlib.decompress(self._read.pop()), NQUADS, lenient=True))
            self._copy.extend(quad for quad in reversed(quads) if quad in self._store)
        else:
            return False
        return True

    def end(self, *, union: bool) -> ox.Store:
        """The copy, when it says of all that was touched meanwhile what the store says, and has its graphs."""
        for quad in chain.from_iterable(_touched(change, union=union) for change in self.meanwhile):
            if quad in self._store:
                self._copy.add(quad)
            else:
                self._copy.remove(quad)
        names = set(self._store.named_graphs())  # those without a triple too
        for name in names:
            self._copy.add_graph(name)
        for name in set(self._copy.named_graphs()) - names:
            self._copy.remove_graph(name)
        return self._copy


def _touched(change: Written, *, union: bool) -> Iterator[ox.Quad]:
    for lines in (change.removed, change.added, *change.derived, change.catalogued):
        quads = list(ox.parse(lines, NQUADS, lenient=True))
        yield from quads
        if union:
            yield from (ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
