"""How often there are triples of a pattern: counted once by the engine, then carried on from commit to commit.

A count that was asked for is kept in the process that counted, so the next who asks has it at once. A change adds to it what it
brings and takes off what it removes, which costs no more than to look at what it touches. What took its time to count is told to
the keeper, which carries it on too, so that every reader forked from then on has it.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import pyoxigraph as ox

from motorgraph.engine.delta import Written
from motorgraph.engine.lookup import IN_DEFAULT_GRAPH, IN_NAMED_GRAPHS, Group, Groups, Pattern
from motorgraph.engine.moves import Moves, TooMuch

GRAPHS = (IN_NAMED_GRAPHS, IN_DEFAULT_GRAPH)
"""What tells how many triples each graph has."""
MOST_KEPT = 64
"""Patterns whose counts are kept."""
MOST_GROUPS = 1000
"""Groups of a pattern up to which they are kept; of more the engine counts each time."""
WORTH_TRIPLES = 100_000
"""Triples from which on a reader does not count for itself alone."""
MOST_TOLD_BYTES = 256 * 1024
"""Of a count that one process tells another."""
MOST_CHANGED_BYTES = 512 * 1024
"""Of changes by which counts are carried on; after more it is quicker to count again what is asked for again."""
_JSON = ox.QueryResultsFormat.JSON


class Counts:
    """The counts that one process keeps of its store."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store
        self._kept: OrderedDict[Pattern, Groups | None] = OrderedDict()

    def take_up(self, store: ox.Store) -> None:
        """Takes another store that says the same."""
        self._store = store

    def knows(self, pattern: Pattern) -> bool:
        """Whether a pattern need not be counted any more."""
        return pattern in self._kept

    def of(self, pattern: Pattern) -> Groups | None:
        """How often there are triples of a pattern, by group; None if there are too many groups, or some have no name."""
        if pattern not in self._kept:
            self._keep(pattern, _groups(_solutions(self._store, pattern.query)))
        self._kept.move_to_end(pattern)
        return self._kept[pattern]

    def asked(self, pattern: Pattern, tell: Callable[[str], None], *, always: bool = False) -> Groups | None:
        """As `of`; of what was counted only now, `tell` hears what `told` tells."""
        is_new = not self.knows(pattern)
        groups = self.of(pattern)
        with suppress(SyntaxError):  # a group that no query can name
            if is_new and (told := self.told(pattern, always=always)):
                tell(told)
        return groups

    def of_graphs(self) -> dict[str, int] | None:
        """As `by_graph`; None if it would have to be counted."""
        found = [self._kept.get(pattern) for pattern in GRAPHS]
        known = [groups for groups in found if groups is not None]
        return by_graph(self._store, known) if len(known) == len(GRAPHS) else None

    def heed(self, change: Written) -> None:
        """Carries all of them on by a change that the store has now."""
        try:
            self._carry(self._kept, [change])
        except TooMuch:
            self._kept.clear()

    def told(self, pattern: Pattern, *, always: bool = False) -> str:
        """What is kept of a pattern, for `take`; "" if it is too long, or others count it as quickly, unless `always`."""
        groups = self._kept[pattern]
        if groups is not None and not always and groups.total() < WORTH_TRIPLES:
            return ""
        table = None if groups is None else _solutions(self._store, pattern.table(groups)).serialize(format=_JSON)
        told = json.dumps({"pattern": pattern.told, "table": table and table.decode()})
        return told if len(told) <= MOST_TOLD_BYTES else ""

    def take(self, told: str, changes: Sequence[Written] | None) -> None:
        """Keeps what another process has told of its store, which was this one before these `changes`; nothing if these are not
        known, or it cannot be read."""
        if changes is None:
            return
        try:
            taken = _read(told)
            self._carry(taken, changes)
        except (TooMuch, SyntaxError, ValueError):
            return
        for pattern, groups in taken.items():
            self._keep(pattern, groups)

    def _keep(self, pattern: Pattern, groups: Groups | None) -> None:
        self._kept[pattern] = groups
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _carry(self, kept: dict[Pattern, Groups | None], changes: Sequence[Written]) -> None:
        """Brings counts up to date. Raises TooMuch."""
        if not kept or not changes:
            return
        if sum(len(change.text) for change in changes) > MOST_CHANGED_BYTES:
            raise TooMuch
        union = changes[0].head["union"]
        by_predicate = _by_predicate(kept)
        for quad, more in _moved(Moves(self._store, changes, union=union), union=union):
            for pattern in (*by_predicate[None], *by_predicate[quad.predicate]):
                _count(kept, pattern, quad, more)


def by_graph(store: ox.Store, counted: Iterable[Groups]) -> dict[str, int]:
    """How many triples each graph has, by its IRI, the default graph by ""; `counted` are those of the patterns GRAPHS."""
    found = {name.value: 0 for name in store.named_graphs()}
    for groups in counted:
        found |= {group[0].value if group else "": count for group, count in groups.items()}  # type: ignore[union-attr]  # no triple
    return found


def _count(kept: dict[Pattern, Groups | None], pattern: Pattern, quad: ox.Quad, more: int) -> None:
    """Adds a quad to the counts of a pattern, if it is of it."""
    groups = kept[pattern]
    if groups is not None and pattern.has(quad):
        group = pattern.group(quad)
        groups[group] += more
        if not groups[group] and pattern.by:
            del groups[group]
        if not _can_be_told(groups, group):
            kept[pattern] = None


def _by_predicate(kept: Mapping[Pattern, Groups | None]) -> defaultdict[ox.NamedNode | None, list[Pattern]]:
    found: defaultdict[ox.NamedNode | None, list[Pattern]] = defaultdict(list)
    for pattern, groups in kept.items():
        if groups is not None:
            found[pattern.predicate].append(pattern)
    return found


def _groups(solutions: ox.QuerySolutions) -> Groups | None:
    """The counts in the last column, by the terms of the others; None as in `Counts.of`."""
    groups: Groups = Counter()
    for row in solutions:
        *terms, count = row
        group = tuple(terms)
        groups[group] = int(count.value)
        if not _can_be_told(groups, group):
            return None
    return groups


def _solutions(store: ox.Store, text: str) -> ox.QuerySolutions:
    solutions = store.query(text)
    assert isinstance(solutions, ox.QuerySolutions)
    return solutions


def _read(told: str) -> dict[Pattern, Groups | None]:
    """What `Counts.told` tells of. Raises SyntaxError or ValueError."""
    found = json.loads(told)
    pattern = Pattern.of(found["pattern"])
    if found["table"] is None:
        return {pattern: None}
    solutions = ox.parse_query_results(found["table"], _JSON)
    assert isinstance(solutions, ox.QuerySolutions)
    return {pattern: _groups(solutions)}


def _moved(moves: Moves, *, union: bool) -> Iterator[tuple[ox.Quad, int]]:
    """The quads that have come (1) and gone (-1), also those of the default graph where that is the merge of the others."""
    yield from ((quad, more) for quad, more in moves.quads() if more)
    if union:
        yield from moves.merged()


def _can_be_told(groups: Groups, new: Group) -> bool:
    """Whether there are not too many groups, and a query can say the new one: it cannot name a blank node."""
    return len(groups) <= MOST_GROUPS and all(isinstance(term, ox.NamedNode | ox.Literal) for term in new)
