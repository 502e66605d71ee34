"""The triples of one small graph by subject: what is said of a thing, and which blank nodes belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyoxigraph as ox

Subject = ox.NamedNode | ox.BlankNode
Node = ox.NamedNode | ox.BlankNode | ox.Literal


class Statements:
    """Triples of a graph that is small enough to be held in the front."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        self._about: dict[Subject, list[tuple[str, Node]]] = {}
        for subject, predicate, value in triples:
            if not isinstance(subject, ox.Triple) and not isinstance(value, ox.Triple):
                self._about.setdefault(subject, []).append((predicate.value, value))

    @classmethod
    def of(cls, rows: Iterable[ox.QuerySolution]) -> Statements:
        """The triples in rows whose columns are subject, predicate and object."""
        return cls(ox.Triple(row[0], row[1], row[2]) for row in rows)

    def __len__(self) -> int:
        return sum(map(len, self._about.values()))

    @property
    def iris(self) -> list[str]:
        """The subjects that have a name, in alphabetical order."""
        return sorted(subject.value for subject in self._about if isinstance(subject, ox.NamedNode))

    def about(self, subject: Subject) -> Sequence[tuple[str, Node]]:
        """Predicates and objects of a subject."""
        return self._about.get(subject, [])

    def objects(self, subject: str, predicate: str) -> list[Node]:
        """What a named subject has by a predicate."""
        return [value for name, value in self.about(ox.NamedNode(subject)) if name == predicate]

    def whole(self, iris: Iterable[str]) -> Iterator[ox.Triple]:
        """All that is said of these subjects, and of the blank nodes below them."""
        todo: list[Subject] = [ox.NamedNode(iri) for iri in iris]
        seen = set(todo)
        while todo:
            subject = todo.pop()
            for predicate, value in self.about(subject):
                yield ox.Triple(subject, ox.NamedNode(predicate), value)
                if isinstance(value, ox.BlankNode) and value not in seen:
                    seen.add(value)
                    todo.append(value)
