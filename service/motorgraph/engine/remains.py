"""What remains of the commits: the N-Quads of the graph from the journal, in the order in which they came, without a look at it.

A line is there if the last commit that names it added it, so that only what was removed later on has to be held.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from motorgraph.commits import PIECE_BYTES, cut
from motorgraph.database import telling
from motorgraph.journal import Journal
from motorgraph.snapshots import Snapshot

MOST_REMOVED = 200_000
"""Lines that are held at most, of about 250 bytes each."""


@dataclass(frozen=True)
class Remains:
    """The graph after the commit `upto` but for the graphs `without` (named as in N-Quads); with a `snapshot`, from that on."""

    journal: Journal
    upto: int
    without: frozenset[bytes]
    snapshot: Snapshot | None = None

    @classmethod
    def of(cls, journal: Journal, upto: int, without: frozenset[bytes]) -> Remains | None:
        """It from the first commit on, which is the same wherever these are repeated; where too much was removed, from the newest
        snapshot on, and None where that does not help."""
        if journal.moved(0, upto)[0] <= MOST_REMOVED:
            return cls(journal, upto, without)
        snapshot = journal.newest_snapshot(upto)
        if snapshot is None or journal.moved(snapshot.commit, upto)[0] > MOST_REMOVED:
            return None
        return cls(journal, upto, without, snapshot)

    def pieces(self) -> Iterator[bytes]:
        """The lines in pieces of bounded size. Raises Failed where the journal is damaged."""
        yield from cut(self._lines())

    def _lines(self) -> Iterator[bytes]:
        removed = self._removed()
        last = max(removed.values(), default=0)
        for commit, piece in self._added():
            left = _left(piece, commit, removed) if commit < last else piece
            is_suspect = any(b" " + graph + b" .\n" in left for graph in self.without)
            yield b"".join(line for line in _split(left) if graph_of(line) not in self.without) if is_suspect else left

    @property
    def _since(self) -> int:
        return self.snapshot.commit if self.snapshot is not None else 0

    def _removed(self) -> dict[bytes, int]:
        """The lines that were ever removed, with the last commit that did it."""
        pieces = self.journal.pieces(self._since, self.upto, added=False)
        return {line: commit for commit, piece in pieces for line in _split(piece)}

    def _added(self) -> Iterator[tuple[int, bytes]]:
        """Lines, with the commit that added them or after which they were there."""
        if self.snapshot is not None:
            with telling(self.journal.folder, reading=True), gzip.open(self.snapshot.path, "rb") as packed:
                packed.readline()  # says what it is of
                while piece := packed.read(PIECE_BYTES):
                    yield self.snapshot.commit, piece + packed.readline()
        yield from self.journal.pieces(self._since, self.upto, added=True)


def graph_of(line: bytes) -> bytes:
    """The graph of a line of the engine's N-Quads as it stands there, b"" for the default graph.

    Spaces stand between terms, in literals and in triple terms. A literal ends in no term that is without a quote.
    """
    value = line.split(b" ", 2)[2][:-3]
    _, space, last = value.rpartition(b" ")
    return last if space and b'"' not in last and last != b")>>" else b""


def _split(piece: bytes) -> list[bytes]:
    return piece.splitlines(keepends=True)


def _left(piece: bytes, commit: int, removed: Mapping[bytes, int]) -> bytes:
    """The lines of a commit that no later one removed."""
    return b"".join(line for line in _split(piece) if removed.get(line, 0) <= commit)
