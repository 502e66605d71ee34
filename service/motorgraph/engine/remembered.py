"""What each rule has made, kept beside the journal of a remote store: else a start would need the whole graph to work it out.

The file is an RDF patch that grows with each commit. It can be made anew, so nothing waits for the disk, and one that does not
end with the newest commit is none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import pyoxigraph as ox

from motorgraph.inference import Rule

FILE = "outcomes.rdfp"
NQUADS = ox.RdfFormat.N_QUADS
PIECE_LINES = 100_000


def digest(rules: Sequence[Rule]) -> str:
    """Names the rules: others, or other words of them, have another; "" for none."""
    return hashlib.sha256(repr(tuple(rules)).encode()).hexdigest()[:16] if rules else ""


class Remembered:
    """The file in a folder, for these rules."""

    def __init__(self, folder: Path, rules: Sequence[Rule]) -> None:
        self._path = folder / FILE
        self._head = f"H rules {digest(rules)} .\n".encode()

    def tells(self, commit: int) -> bool:
        """Whether it ends with a commit."""
        with suppress(OSError), self._path.open("rb") as source:
            if source.readline() != self._head:
                return False
            end = b"\n" + _end(commit)
            source.seek(max(source.seek(0, os.SEEK_END) - len(end), 0))
            return source.read() == end
        return False

    def read(self, commit: int) -> ox.Store | None:
        """What each rule had made after a commit; None if the file does not tell."""
        if not self.tells(commit):
            return None
        found, added = ox.Store(), list[bytes]()
        for line in self._path.read_bytes().splitlines(keepends=True):
            if line.startswith(b"A "):
                added.append(line[2:])
                if len(added) < PIECE_LINES:
                    continue
            elif not line.startswith(b"D "):
                continue
            found.bulk_extend(ox.parse(b"".join(added), NQUADS))
            added.clear()
            for quad in ox.parse(line[2:], NQUADS) if line.startswith(b"D ") else ():
                found.remove(quad)
        found.bulk_extend(ox.parse(b"".join(added), NQUADS))
        return found

    def write(self, made: ox.Store, commit: int) -> None:
        """Says what each rule has made after a commit. Raises OSError."""
        partial = self._path.with_suffix(".part")
        with partial.open("wb") as out:
            out.write(self._head)
            out.writelines(_rows(b"A ", made.dump(format=NQUADS) or b""))
            out.write(_end(commit))
        partial.rename(self._path)

    def add(self, by_rule: tuple[bytes, bytes], commit: int) -> None:
        """Says what a commit has changed of it. Raises OSError."""
        lost, won = by_rule
        with self._path.open("ab") as out:
            out.writelines([*_rows(b"D ", lost), *_rows(b"A ", won), _end(commit)])


def _rows(mark: bytes, lines: bytes) -> Iterable[bytes]:
    return (mark + line for line in lines.splitlines(keepends=True))


def _end(commit: int) -> bytes:
    return f"TC {commit} .\n".encode()
