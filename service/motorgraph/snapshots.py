"""Snapshots: the whole graph as it was after a commit, kept beside the journal only so that a start need not replay all of it."""

from __future__ import annotations

import gzip
import json
import logging
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

FOLDER = "snapshots"
KEPT = 2
READ_BYTES = 8 << 20
_DAMAGE = (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError)
log = logging.getLogger("motorgraph.snapshots")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot: the commit that it follows, the digest of that, the names of all graphs, the file."""

    commit: int
    digest: str
    graphs: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots in a folder that belong to the journal of a lineage."""

    folder: Path
    lineage: str

    def write(self, write: Callable[[IO[bytes]], None], number: int, digest: bytes, graphs: Iterable[str]) -> None:
        """Keeps the graph as it was after a commit: `write` writes it as N-Quads. `graphs` are its names, the empty ones too.

        Raises OSError, with nothing left of it.
        """
        self.folder.mkdir(exist_ok=True)
        final = self.folder / f"{number}.nq.gz"
        partial = final.with_suffix(".part")
        try:
            with partial.open("wb") as raw:
                with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed:
                    head = {"commit": number, "lineage": self.lineage, "digest": digest.hex(), "graphs": sorted(graphs)}
                    packed.write(b"# " + json.dumps(head).encode() + b"\n")
                    write(packed)  # type: ignore[arg-type]  # GzipFile is an IO[bytes] in what is used
                raw.flush()
                os.fsync(raw.fileno())
            partial.replace(final)
        finally:
            partial.unlink(missing_ok=True)
        sync(self.folder)
        for old in self._files()[KEPT:]:
            old.unlink(missing_ok=True)

    def whole(self, upto: int, digest_of: Callable[[int], bytes]) -> Iterator[Snapshot]:
        """Those of this journal not beyond a commit, the newest first; one that is damaged is logged and passed over."""
        for path in self._files():
            if _number(path) > upto:
                continue
            fault = self.fault(path, digest_of)
            if fault:
                log.warning("The snapshot %s is passed over: %s. The journal has all that is in it.", path, fault)
                continue
            found = _opened(path)
            if found["lineage"] == self.lineage:
                yield Snapshot(_number(path), found.get("digest", ""), tuple(found["graphs"]), path)

    def faults(self, upto: int, digest_of: Callable[[int], bytes]) -> Iterator[str]:
        """What is wrong with each snapshot that is damaged."""
        for path in self._files():
            if _number(path) <= upto and (fault := self.fault(path, digest_of)):
                yield f"the snapshot {path} is damaged ({fault}); it may be deleted"

    def fault(self, path: Path, digest_of: Callable[[int], bytes]) -> str:
        """What is wrong with a snapshot, "" if nothing is: it is cut or changed, or of another commit than it says."""
        try:
            head = _opened(path)
            with gzip.open(path, "rb") as packed:
                while packed.read(READ_BYTES):
                    pass  # to the end, where the checksum is
            if head["lineage"] != self.lineage:
                return ""
            if head["commit"] != _number(path):
                return f"it is of commit {head['commit']}"
            if head.get("digest") not in (None, digest_of(_number(path)).hex()):
                return "its commit is not the one in the journal"
        except _DAMAGE as error:
            return str(getattr(error, "strerror", None) or error)
        return ""

    def clean(self) -> None:
        """Removes what a process that was killed has left half written; only for whoever holds the folder's lock."""
        for partial in self.folder.glob("*.part"):
            partial.unlink(missing_ok=True)
            log.warning("The half-written snapshot %s is removed.", partial)

    def _files(self) -> list[Path]:
        found = [path for path in self.folder.glob("*.nq.gz") if path.name.split(".")[0].isdigit()]
        return sorted(found, key=lambda path: -_number(path))


def _number(path: Path) -> int:
    return int(path.name.split(".")[0])


def _opened(path: Path) -> dict:  # type: ignore[type-arg]  # as JSON has it
    """What the first line of a snapshot says."""
    with gzip.open(path, "rb") as packed:
        head = json.loads(packed.readline().removeprefix(b"# "))
    if not isinstance(head, dict):
        raise TypeError("its first line says nothing")
    return head


def sync(folder: Path) -> None:
    """Has the folder's entries on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
