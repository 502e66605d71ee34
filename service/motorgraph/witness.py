"""The witness: a small file beside the journal that says which commit was acknowledged last, so that a lost one is missed.

SQLite drops the end of a damaged write-ahead log without a word, as if the last commits had never been. It is written after
each commit, in its place and without a sync: after a crash of the machine it may be behind the journal, but never ahead of it.
"""

from __future__ import annotations

import logging
import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FILE = "acknowledged"
log = logging.getLogger("motorgraph.witness")


@dataclass(frozen=True, slots=True)
class Witness:
    """What was acknowledged last: the journal's lineage, the commit's number and digest."""

    lineage: str
    commit: int
    digest: bytes

    @classmethod
    def of(cls, folder: Path) -> Witness | None:
        """What stands in the folder; None if there is nothing, or nothing whole."""
        try:
            words = (folder / FILE).read_text("ascii").split()
        except (OSError, ValueError):
            return None
        if len(words) != 4 or words[3] != _checksum(*words[:3]):
            log.warning("The file %s is not whole, so it does not tell whether the journal is.", folder / FILE)
            return None
        return cls(words[0], int(words[1]), bytes.fromhex(words[2]))

    def write(self, folder: Path) -> None:
        """Puts it into the folder; where that cannot be, the one before stays, which does no harm."""
        told = self.lineage, f"{self.commit:020}", self.digest.hex()
        line = " ".join([*told, _checksum(*told)]).encode() + b"\n"  # always of the same length: it needs no room but once
        with suppress(OSError):
            descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                os.pwrite(descriptor, line, 0)
            finally:
                os.close(descriptor)


def _checksum(*words: str) -> str:
    return f"{zlib.crc32(' '.join(words).encode()):08x}"
