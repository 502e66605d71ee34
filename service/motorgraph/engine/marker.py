"""The mark that a remote store bears: which commit of which journal it is at, which graphs there are; and updates that move it.

Each update finds the mark of the commit before, or does nothing. So one that comes late, or twice, does nothing, a second service
on the same store is noticed before it does harm, and after a fault the mark tells whether a commit is there.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pyoxigraph as ox

from motorgraph.engine.skolem import Skolem
from motorgraph.errors import Diverged, Unavailable

STORE = "urn:motorgraph:store"
"""The graph of the mark, and what it speaks of."""
AT = "urn:motorgraph:at"
HOLDS = "urn:motorgraph:holds"
RULES = "urn:motorgraph:rules"
NOTED = "mark"
"""Under which a journal notes the mark of its newest commit in a store."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A commit of a journal. `nonce` tells apart what was tried twice."""

    lineage: str
    commit: int
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def of(cls, text: str) -> Mark:
        """The mark that a text says. Raises Diverged for one that is none."""
        match text.split(" "):
            case [lineage, number, nonce] if number.isdigit():
                return cls(lineage, int(number), nonce)
        raise Diverged(f"The store has a mark that is none of ours: {text[:80]!r}.")

    def __str__(self) -> str:
        return f"{self.lineage} {self.commit} {self.nonce}"

    def again(self) -> Mark:
        """The same commit, by another name: what was to follow the one before does not follow this."""
        return replace(self, nonce=f"{self._stem}.{secrets.token_hex(4)}")

    @property
    def _stem(self) -> str:
        return self.nonce.partition(".")[0]

    def is_noted(self, text: str) -> bool:
        """Whether a journal that has noted this is at the same commit, made by the same try."""
        return bool(text) and replace(Mark.of(text), nonce=Mark.of(text)._stem) == replace(self, nonce=self._stem)

    def next(self) -> Mark:
        """That of the next commit."""
        return Mark(self.lineage, self.commit + 1)

    def require(self, found: str) -> None:
        """Raises Unavailable unless the store is at this very mark."""
        if found != str(self):
            raise Unavailable(
                f"The store has gone on to commit {Mark.of(found).commit if found else 0} while commit {self.commit} was read."
            )

    @property
    def triple(self) -> str:
        """What the store says of it."""
        return f'<{STORE}> <{AT}> "{self}"'


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done to a store: quads that go and come, graphs that are made and dropped."""

    removed: Iterable[ox.Quad] = ()
    added: Iterable[ox.Quad] = ()
    made: Iterable[str] = ()
    dropped: Iterable[str] = ()


def moving(was: Mark, now: Mark, step: Step, skolem: Skolem) -> str:
    """The update that does a step to a store at a mark and moves it to another; it does nothing to a store at any other.

    It is one operation, since there are engines that make one whole or not at all, and several one by one.
    """
    here, there = (f"GRAPH <{STORE}> {{ {mark.triple} }}" for mark in (was, now))
    gone, come = (_by_graph(quads, skolem) for quads in (step.removed, step.added))
    gone += "".join(f"GRAPH <{STORE}> {{ <{STORE}> <{HOLDS}> <{iri}> }} " for iri in step.dropped)
    come += "".join(f"GRAPH <{STORE}> {{ <{STORE}> <{HOLDS}> <{iri}> }} " for iri in step.made)
    return f"DELETE {{ {here} {gone}}} INSERT {{ {there} {come}}} WHERE {{ {here} }}"


def data(verb: str, quads: Iterable[ox.Quad], skolem: Skolem) -> str:
    """The update that has quads come (INSERT) or go (DELETE), whatever the mark."""
    return f"{verb} DATA {{ {_by_graph(quads, skolem)}}}"


def beginning(mark: Mark, graphs: Iterable[str] = (), rules: str = "") -> str:
    """The update that marks a store for the first time, with the graphs that it holds, and the rules that it follows."""
    held = " . ".join(f"<{STORE}> <{HOLDS}> <{iri}>" for iri in graphs)
    return (
        f"INSERT {{ GRAPH <{STORE}> {{ {mark.triple} ; <{RULES}> '{rules}' . {held} }} }} "
        f"WHERE {{ {{ SELECT (COUNT(?at) AS ?marks) {{ GRAPH <{STORE}> {{ <{STORE}> <{AT}> ?at }} }} }} FILTER(?marks = 0) }}"
    )


def _by_graph(quads: Iterable[ox.Quad], skolem: Skolem) -> str:
    graphs = defaultdict(list)
    for quad in quads:
        graphs[quad.graph_name].append(f"{skolem.out(quad.subject)} {quad.predicate} {skolem.out(quad.object)} . ")
    return "".join(skolem.within(name, "".join(triples)) + " " for name, triples in graphs.items())
