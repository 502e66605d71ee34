"""The newest changes of the graph, and what went and what came between two states of it, as they tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import pyoxigraph as ox

from motorgraph.engine.delta import NQUADS, GraphName, Written
from motorgraph.vocab import RDF

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Subject = ox.NamedNode | ox.BlankNode | ox.Triple
Statement = tuple[Subject, ox.NamedNode, Term]
Classes = Callable[[Term], Sequence[str]]
TYPE = ox.NamedNode(f"{RDF}type")
MOST_TOUCHED = 20_000
"""Quads and subjects that changes may touch before to look at the whole is as quick."""


MOST_RECENT_BYTES = 8 << 20
"""Of changes that are kept in memory."""


class Recent:
    """The newest changes of the graph by commit, as far back as `MOST_RECENT_BYTES` go."""

    def __init__(self) -> None:
        self._changes: deque[tuple[int, bytes]] = deque()
        self._bytes = 0

    def add(self, commit: int, change: Written) -> None:
        """Keeps what a commit did. One that is too long leaves a gap."""
        if len(change.text) > MOST_RECENT_BYTES:
            self._changes.clear()
            self._bytes = 0
            return
        self._changes.append((commit, change.for_readers))
        self._bytes += len(self._changes[-1][1])
        while self._bytes > MOST_RECENT_BYTES:
            self._bytes -= len(self._changes.popleft()[1])

    def between(self, after: int, upto: int) -> list[Written] | None:
        """What the commits beyond `after` as far as `upto` did, the oldest first; None if not all of that is here."""
        found = [text for commit, text in self._changes if after < commit <= upto]
        return [Written.of(text) for text in found] if len(found) == upto - after else None


class TooMuch(Exception):
    """The changes touch so much that it is better to look at the whole."""


class Moves:
    """What went and what came between two states of a store, which holds the later one; the earlier is what the changes tell.

    A triple is there if any graph has it. Where the default graph is the merge of the others it is not looked at.
    """

    def __init__(self, store: ox.Store, changes: Sequence[Written], *, union: bool) -> None:
        self._store = store
        self._union = union
        self._was: dict[ox.Quad, bool] = {}
        self._touched: dict[Statement, dict[GraphName, bool]] = {}
        for quad, is_there_after in _steps(changes):
            self._was.setdefault(quad, not is_there_after)  # the first step on a quad tells what was before
        if len(self._was) > MOST_TOUCHED:
            raise TooMuch
        for quad, was in self._was.items():
            if self._counts(quad):
                self._touched.setdefault(_statement(quad), {})[quad.graph_name] = was
        self._gone = {s for s in self._touched if self._was_there(s) and not self._is_there(s)}
        self._come = {s for s in self._touched if self._is_there(s) and not self._was_there(s)}
        self._lost = {(p, o) for _, p, o in self._gone} | {(None, o) for _, _, o in self._gone}
        self._gone_of = _by_subject(self._gone)
        self._come_of = _by_subject(self._come)
        self.classes_now = cache(self._classes(self.said_now))
        self.classes_before = cache(self._classes(self.said_before))

    def quads(self) -> Iterator[tuple[ox.Quad, int]]:
        """What the touched quads change in their graphs: 1, 0 or -1 each."""
        for quad, was in self._was.items():
            if self._counts(quad):
                yield quad, int(quad in self._store) - int(was)

    def merged(self) -> Iterator[tuple[ox.Quad, int]]:
        """The triples that the merge of all graphs has gained (1) and lost (-1), as quads of the default graph."""
        yield from ((ox.Quad(*statement), 1) for statement in self._come)
        yield from ((ox.Quad(*statement), -1) for statement in self._gone)

    def subjects(self) -> set[Subject]:
        """Those of whom something else is said than before, or that point at what is of other classes now.

        Raises TooMuch.
        """
        found = {*self._gone_of, *self._come_of}
        for subject in [s for s, predicate, _ in (*self._gone, *self._come) if predicate == TYPE]:
            for quad in self._pattern(None, None, subject):
                found.add(quad.subject)
                if len(found) > MOST_TOUCHED:
                    raise TooMuch
        return found

    def said_now(self, subject: Subject) -> set[tuple[ox.NamedNode, Term]]:
        """What is said of a subject."""
        return {(quad.predicate, quad.object) for quad in self._pattern(subject, None, None)}

    def said_before(self, subject: Subject) -> set[tuple[ox.NamedNode, Term]]:
        """What was."""
        return (self.said_now(subject) - self._come_of.get(subject, set())) | self._gone_of.get(subject, set())

    def objects(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Of the objects that are used now and were not 1, the other way round -1: by predicate, and at all."""
        moved = {*self._gone, *self._come}
        for predicate, value in {(p, o) for _, p, o in moved}:
            yield ("objects", predicate.value), self._use(predicate, value)
        for value in {o for _, _, o in moved}:
            yield ("all_objects",), self._use(None, value)

    def _use(self, predicate: ox.NamedNode | None, value: Term) -> int:
        """1 if the value is used now and was not, -1 if it was and is not, else 0."""
        is_used, was_used = False, (predicate, value) in self._lost
        for quad in self._pattern(None, predicate, value):
            is_used = True
            if was_used or _statement(quad) not in self._come:
                return 0
        return int(is_used) - int(was_used)

    def _classes(self, said: Callable[[Subject], set[tuple[ox.NamedNode, Term]]]) -> Classes:
        def classes_of(term: Term) -> tuple[str, ...]:
            if not isinstance(term, ox.NamedNode | ox.BlankNode):
                return ()
            return tuple(value.value for predicate, value in said(term) if predicate == TYPE and isinstance(value, ox.NamedNode))

        return classes_of

    def _was_there(self, statement: Statement) -> bool:
        touched = self._touched[statement]
        return any(touched.values()) or any(quad.graph_name not in touched for quad in self._pattern(*statement))

    def _is_there(self, statement: Statement) -> bool:
        return next(self._pattern(*statement), None) is not None

    def _pattern(self, subject: Subject | None, predicate: ox.NamedNode | None, value: Term | None) -> Iterator[ox.Quad]:
        return filter(self._counts, self._store.quads_for_pattern(subject, predicate, value, None))

    def _counts(self, quad: ox.Quad) -> bool:
        return not (self._union and isinstance(quad.graph_name, ox.DefaultGraph))


def _steps(changes: Iterable[Written]) -> Iterator[tuple[ox.Quad, bool]]:
    """Every quad that was removed or added, in order, with whether it was there after that."""
    for change in changes:
        for lost, won in ((change.removed, change.added), change.derived):
            yield from ((quad, False) for quad in ox.parse(lost, NQUADS))
            yield from ((quad, True) for quad in ox.parse(won, NQUADS))
        yield from ((quad, True) for quad in ox.parse(change.catalogued, NQUADS))


def _statement(quad: ox.Quad) -> Statement:
    return quad.subject, quad.predicate, quad.object


def _by_subject(statements: Iterable[Statement]) -> dict[Subject, set[tuple[ox.NamedNode, Term]]]:
    found: dict[Subject, set[tuple[ox.NamedNode, Term]]] = {}
    for subject, predicate, value in statements:
        found.setdefault(subject, set()).add((predicate, value))
    return found
