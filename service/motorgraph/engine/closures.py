"""Paths of any length, asked of a store of the triples that they lead over.

The engine finds what leads to a node among all triples that the node is the object of, each of which is a write to a counter,
and so, in a process that has been forked, a page to copy. Where a path leads over few of them, as one up a hierarchy does, these
few by themselves are found in a twentieth of the time. To gather them takes time too, so it is done when the engine has taken as
much for a query of that shape.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import lru_cache
from itertools import islice

import pyoxigraph as ox

from motorgraph.engine.delta import Written
from motorgraph.engine.marked import named
from motorgraph.engine.moves import TYPE
from motorgraph.engine.wire import Job
from motorgraph.paths import Path, path

WORTH_SECONDS = 0.005
"""Of processor time for a query, from which on those of its shape are worth gathering for."""
MOST_TRIPLES = 20_000
"""That are gathered for a path; one over more is left to the engine."""
MOST_ENDS = 5_000
"""That a query is told of."""
MOST_KEPT = 2
"""Sets of predicates whose triples are kept; they take 7 MB of a reader at most, each."""
MOST_NOTED = 256
_DEFAULT = ox.DefaultGraph()
_path = lru_cache(maxsize=256)(path)
Predicates = frozenset[ox.NamedNode]


class Closures:
    """What one process has gathered of its store's default graph for paths."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._taken: OrderedDict[tuple[object, ...], float] = OrderedDict()
        self._kept: OrderedDict[Predicates, ox.Store | None] = OrderedDict()
        self._at: tuple[Job, float, bool] | None = None

    def told(self, job: Job) -> str | None:
        """A query of the default graph with the ends of its path in it; None if it has none, or is better asked as it is."""
        self._at = None
        found = _path(job.text)
        if found is None:
            return None
        try:
            is_slow = self._taken.get(job.shape, 0.0) >= WORTH_SECONDS
            gathered = self._gathered(_resolved(found, job.base)[0]) if is_slow else None
            began = time.process_time()
            ends = None if gathered is None else self._ends(found, job.base, gathered)
        except SyntaxError:
            return None  # the engine tells where
        self._at = job, began, ends is not None
        return None if ends is None else found.told(ends)

    def done(self) -> None:
        """Notes the processor time of a query that `told` was asked about, which has been answered now.

        What queries of its shape take as they are counts, until one of them takes longer with the ends in it.
        """
        if self._at is not None:
            (job, began, was_told), self._at = self._at, None
            seconds, before = time.process_time() - began, self._taken.get(job.shape, 0.0)
            self._taken[job.shape] = seconds if not was_told else before if seconds < before else 0.0
            self._taken.move_to_end(job.shape)
            if len(self._taken) > MOST_NOTED:
                self._taken.popitem(last=False)

    def heed(self, change: Written) -> None:
        """Forgets what a change may have touched."""
        for predicates in [*self._kept]:
            if change.head["dropped"] or any(str(predicate).encode() in change.text for predicate in predicates):
                self._forget(predicates)

    def _forget(self, predicates: Predicates) -> None:
        """Gives up what was gathered, and what queries took: it has to be worth gathering anew."""
        del self._kept[predicates]
        self._taken.clear()

    def _gathered(self, predicates: Predicates) -> ox.Store | None:
        """A store of the triples with these predicates, None if there are too many."""
        if predicates not in self._kept:
            self._kept[predicates] = self._gather(predicates)
            if len(self._kept) > MOST_KEPT:
                self._forget(next(iter(self._kept)))
        self._kept.move_to_end(predicates)
        return self._kept[predicates]

    def _gather(self, predicates: Predicates) -> ox.Store | None:
        gathered, left = ox.Store(), MOST_TRIPLES
        for predicate in predicates:
            quads = [*islice(self._store.quads_for_pattern(None, predicate, None, _DEFAULT), left + 1)]
            left -= len(quads)
            if left < 0:
                return None
            gathered.bulk_extend(quads)
        return gathered

    def _ends(self, found: Path, base: str, gathered: ox.Store) -> list[str] | None:
        """The ends of a path as a query can name them; None if it cannot, or they are too many. Raises SyntaxError."""
        solutions = gathered.query(found.query, base_iri=base or None)
        assert isinstance(solutions, ox.QuerySolutions)
        ends = [row[0] for row in islice(solutions, MOST_ENDS + 1)]
        known = _resolved(found, base)[1]
        if found.may_be_empty and known not in ends and self._has(known):
            ends.append(known)
        can_be_told = len(ends) <= MOST_ENDS and all(isinstance(end, ox.NamedNode | ox.Literal) for end in ends)
        return [str(end) for end in ends] if can_be_told else None

    def _has(self, node: ox.NamedNode) -> bool:
        """Whether it is a node of the graph; only then the engine has the path without a step from it to itself."""
        patterns = ((node, None, None, _DEFAULT), (None, None, node, _DEFAULT))
        return any(next(self._store.quads_for_pattern(*pattern), None) for pattern in patterns)


@lru_cache(maxsize=256)
def _resolved(found: Path, base: str) -> tuple[Predicates, ox.NamedNode]:
    """The predicates that a path leads over, and its known end. Raises SyntaxError."""
    names = named(found.prologue, base, [*(term for term in found.terms if term != "a"), found.known])
    predicates = (TYPE if term == "a" else names[term] for term in found.terms)
    known = names[found.known]
    assert isinstance(known, ox.NamedNode)
    return frozenset(predicate for predicate in predicates if isinstance(predicate, ox.NamedNode)), known
