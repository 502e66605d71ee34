"""What has been found out of texts and data, by the hash of these, so that the next start need not find it out again."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

log = logging.getLogger("motorgraph.store")


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes in a folder, each a file: a hash of what it says, then that as JSON."""

    folder: Path

    def on(self, digest: str) -> Any:  # Any: plain JSON
        """What was found out of exactly this before; None for nothing, and for a file that is not as it was written."""
        try:
            check, _, said = (self.folder / digest).read_bytes().partition(b"\n")
        except OSError:
            return None
        if check != _check(said):
            log.warning("a note is damaged, so it is made anew", extra={"file": str(self.folder / digest)})
            return None
        return json.loads(said)

    def remember(self, digest: str, found: Any) -> None:  # Any: plain JSON
        """Notes it; a folder that cannot be written only costs the next start its time."""
        said = json.dumps(found).encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as file:
                file.write(_check(said) + b"\n" + said)
            Path(file.name).replace(self.folder / digest)
        except OSError as error:
            log.warning("a note cannot be kept", extra={"folder": str(self.folder), "error": str(error)})
            with suppress(OSError, UnboundLocalError):
                Path(file.name).unlink()


def _check(said: bytes) -> bytes:
    return hashlib.sha256(said).hexdigest().encode()
