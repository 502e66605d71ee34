"""The chronicle: every commit and what it did, from the journal; of a service that keeps none, the start as the only commit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import pyoxigraph as ox

from motorgraph.commits import PIECE_BYTES, Commit
from motorgraph.errors import NotFound
from motorgraph.journal import Journal

NQUADS = ox.RdfFormat.N_QUADS


@dataclass(frozen=True)
class Chronicle:
    """The commits, read from the `journal` if there is one. The `store` is the graph at the fork of whoever reads.

    Without a journal the one commit of a service is its start at `began` (ISO 8601), which added all graphs but the `derived`.
    """

    journal: Journal | None
    store: ox.Store
    began: str
    derived: Sequence[str]
    union: bool

    @property
    def newest(self) -> int:
        """The newest commit, also of those made after the fork; 0 if there is none."""
        return self.journal.newest if self.journal else 1

    def commits(self, after: int = 0, upto: int | None = None) -> Iterator[Commit]:
        """The commits beyond `after`, oldest first, as far as `upto`."""
        if self.journal is not None:
            yield from self.journal.commits(after, self.journal.newest if upto is None else upto)
        elif after < 1 and upto != 0:
            yield self._start

    def commit(self, number: int) -> Commit:
        """One commit. Raises NotFound."""
        found = next(self.commits(number - 1, number), None) if number > 0 else None
        if found is None:
            raise NotFound(f"There is no commit {number}; the newest is {self.newest}.")
        return found

    def quads(self, upto: int) -> int:
        """How many quads there are after a commit, without what follows."""
        commits = self.journal.moved(0, upto) if self.journal is not None else (0, sum(each.added for each in self.commits()))
        return commits[1] - commits[0]

    def at(self, time: str) -> int:
        """The newest commit that was there at a time (ISO 8601, UTC unless it says otherwise); 0 before the first.

        Raises ValueError for what is no time.
        """
        if self.journal is not None:
            return self.journal.at(time)
        moment = datetime.fromisoformat(time)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) >= datetime.fromisoformat(self.began))

    def graphs(self, after: int, upto: int) -> dict[int, list[str]]:
        """The named graphs that each of the commits between has changed, as far as that was noted."""
        if self.journal is not None:
            return self.journal.graphs(after, upto)
        return {1: sorted(name.value for name in self._named)}

    def touching(self, graph: str, upto: int) -> Iterator[Commit]:
        """The commits as far as `upto` that changed a named graph; all of them for one that is made from the rest."""
        if self.journal is None or graph in self.derived:
            yield from self.commits(0, upto) if self.journal or self._has(graph) else ()
        else:
            yield from self.journal.touching(graph, upto)

    def _has(self, graph: str) -> bool:
        return self.store.contains_named_graph(ox.NamedNode(graph))

    def removed(self, number: int) -> Iterator[bytes]:
        """The N-Quads that a commit removed, in pieces of whole lines."""
        return self.journal.removed(number) if self.journal is not None else iter(())

    def added(self, number: int) -> Iterator[bytes]:
        """The N-Quads that a commit added, in pieces of whole lines."""
        return self.journal.added(number) if self.journal is not None else self._dumped()

    def holding(self, term: bytes, after: int, upto: int) -> Iterator[tuple[int, bool, bytes]]:
        """Pieces of N-Quads with a term in them, of the commits beyond `after` as far as `upto`: which, and whether added."""
        if self.journal is not None:
            yield from self.journal.holding(term, after, upto)
        elif after < 1 <= upto:
            yield from ((1, True, piece) for piece in self._dumped() if term in piece)

    def _dumped(self) -> Iterator[bytes]:
        with tempfile.TemporaryFile() as spool:
            graphs: list[ox.NamedNode | ox.DefaultGraph] = [*self._named, *([] if self.union else [ox.DefaultGraph()])]
            for graph in graphs:
                ox.serialize(self.store.quads_for_pattern(None, None, None, graph), spool, NQUADS)
            spool.seek(0)
            while piece := spool.read(PIECE_BYTES):
                yield piece + spool.readline()

    @property
    def _named(self) -> list[ox.NamedNode]:
        names = (name for name in self.store.named_graphs() if isinstance(name, ox.NamedNode))
        return [name for name in names if name.value not in self.derived]

    @cached_property
    def _start(self) -> Commit:
        """The start as a commit."""
        added = sum(piece.count(b"\n") for piece in self._dumped())
        return Commit(1, self.began, "motorgraph", "The start of the service", "files", (), (), 0, added, 0, {}, b"")
