"""A file of a release in all its packings, each counted and hashed as it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from motorgraph.media import Format
from motorgraph.packing import CODINGS, packer
from motorgraph.release import DumpFile

WRITE_BYTES = 1 << 20
_SUFFIXES = {coding: suffix for suffix, coding in CODINGS.items()}


class Product:
    """What one file of a release says, written in all its packings at once; the plain file is only counted and hashed.

    Whoever wants it plain has it unpacked, which is quicker than the disk that it would take for all others is worth.
    """

    def __init__(self, folder: Path, name: str, form: Format, graph: str = "", codings: Sequence[str] = ("gzip", "zstd")) -> None:
        self._form, self._graph = form, graph
        self._plain = _Counted(name, "")
        self._packed = [_Packed(folder, name + _SUFFIXES[coding], coding) for coding in codings]

    def write(self, data: bytes) -> None:
        """Adds to it. Raises OSError."""
        self._plain.count(data)
        for package in self._packed:
            package.write(data)

    def close(self) -> None:
        """Lets go of the files, whole or not."""
        for package in self._packed:
            package.close()

    def files(self, *, plain: bool = True) -> list[DumpFile]:
        """What came of it, when all is written. Raises OSError."""
        for package in self._packed:
            package.end()
        parts = [self._plain, *self._packed] if plain else self._packed
        return [part.file(self._form.media_type, self._graph) for part in parts]


class _Counted:
    """What is said of a file: its name, how long it is, its SHA-256."""

    def __init__(self, name: str, coding: str) -> None:
        self._name, self._coding = name, coding
        self._hash = hashlib.sha256()
        self._size = 0

    def count(self, data: bytes) -> None:
        """Takes account of the next bytes."""
        self._hash.update(data)
        self._size += len(data)

    def file(self, media_type: str, graph: str) -> DumpFile:
        """What came of it."""
        return DumpFile(self._name, media_type, self._coding, graph, self._size, self._hash.hexdigest())


class _Packed(_Counted):
    """A package, written as its content comes."""

    def __init__(self, folder: Path, name: str, coding: str) -> None:
        super().__init__(name, coding)
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        self._out = (folder / name).open("wb", buffering=WRITE_BYTES)
        self._packer = packer(coding)

    def write(self, data: bytes) -> None:
        """Packs the next bytes. Raises OSError."""
        self._add(self._packer.compress(data))

    def end(self) -> None:
        """Writes what the packer has still held back. Raises OSError."""
        self._add(self._packer.flush())
        self._out.close()

    def close(self) -> None:
        self._out.close()

    def _add(self, data: bytes) -> None:
        if data:
            self.count(data)
            self._out.write(data)
