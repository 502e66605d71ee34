"""An RDF Patch of one commit, a row for each quad, read back into the N-Quads that it removes and adds, as they were written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from motorgraph.commits import PIECE_BYTES

MEDIA_TYPE = "application/rdf-patch"
REMOVED, ADDED = b"D ", b"A "
END = b"TC .\n"


def removed(patch: IO[bytes]) -> Iterator[bytes]:
    """The N-Quads that it removes, in pieces of whole lines."""
    return _rows(patch, REMOVED)


def added(patch: IO[bytes]) -> Iterator[bytes]:
    """The N-Quads that it adds, in pieces of whole lines."""
    return _rows(patch, ADDED)


def is_whole(patch: IO[bytes]) -> bool:
    """Whether nothing has been cut off its end."""
    size = patch.seek(0, 2)
    patch.seek(max(size - len(END), 0))
    return patch.read() == END


def _rows(patch: IO[bytes], mark: bytes) -> Iterator[bytes]:
    patch.seek(0)
    while block := patch.read(PIECE_BYTES):
        rows = (block + patch.readline()).splitlines(keepends=True)
        if piece := b"".join([row[len(mark) :] for row in rows if row.startswith(mark)]):
            yield piece
