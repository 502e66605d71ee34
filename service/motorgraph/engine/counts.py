"""How often there are triples of a pattern: counted once by the engine, then carried on from commit to commit.

A count that was asked for is kept in the process that counted, so the next who asks has it at once. A change adds to it what it
brings and takes off what it removes, which costs no more than to look at what it touches.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator

import pyoxigraph as ox

from motorgraph.engine.delta import Written
from motorgraph.engine.lookup import Group, Groups, Pattern
from motorgraph.engine.moves import Moves, TooMuch

MOST_KEPT = 64
"""Patterns whose counts are kept."""
MOST_GROUPS = 1000
"""Groups of a pattern up to which they are kept; of more the engine counts each time."""


class Counts:
    """The counts that one process keeps of its store."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._kept: OrderedDict[Pattern, Groups | None] = OrderedDict()

    def of(self, pattern: Pattern) -> Groups | None:
        """How often there are triples of a pattern, by group; None if there are too many groups, or some have no name."""
        if pattern not in self._kept:
            self._kept[pattern] = self._counted(pattern)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(pattern)
        return self._kept[pattern]

    def heed(self, change: Written) -> None:
        """Carries all of them on by a change that the store has now."""
        if not self._kept:
            return
        try:
            for quad, more in _moved(Moves(self._store, [change], union=change.head["union"]), union=change.head["union"]):
                self._count(quad, more)
        except TooMuch:
            self._kept.clear()

    def _count(self, quad: ox.Quad, more: int) -> None:
        for pattern, groups in self._kept.items():
            if groups is not None and pattern.has(quad):
                group = pattern.group(quad)
                groups[group] += more
                if not groups[group] and pattern.by:
                    del groups[group]
                if not _can_be_told(groups, group):
                    self._kept[pattern] = None

    def _counted(self, pattern: Pattern) -> Groups | None:
        groups: Groups = Counter()
        solutions = self._store.query(pattern.query)
        assert isinstance(solutions, ox.QuerySolutions)
        for row in solutions:
            *terms, count = row
            group = tuple(terms)
            groups[group] = int(count.value)
            if not _can_be_told(groups, group):
                return None
        return groups


def _moved(moves: Moves, *, union: bool) -> Iterator[tuple[ox.Quad, int]]:
    """The quads that have come (1) and gone (-1), also those of the default graph where that is the merge of the others."""
    yield from ((quad, more) for quad, more in moves.quads() if more)
    if union:
        yield from moves.merged()


def _can_be_told(groups: Groups, new: Group) -> bool:
    """Whether there are not too many groups, and a query can say the new one: it cannot name a blank node."""
    return len(groups) <= MOST_GROUPS and all(isinstance(term, ox.NamedNode | ox.Literal) for term in new)
