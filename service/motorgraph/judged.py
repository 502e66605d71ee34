"""What the gate has said of data and shapes, by their hash, so that the next start need not ask again."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Verdict = Mapping[str, Any]  # Any: plain JSON
log = logging.getLogger("motorgraph.store")


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts in a folder; only what conforms has one."""

    folder: Path

    def on(self, digest: str) -> Verdict | None:
        """What was said of exactly this before, if it conformed."""
        try:
            said: Verdict = json.loads((self.folder / digest).read_text())
        except (OSError, ValueError):
            return None
        return said

    def remember(self, digest: str, verdict: Verdict) -> None:
        """Notes that it conforms; a folder that cannot be written only costs the next start its time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / digest).write_text(json.dumps(verdict) + "\n")
        except OSError as error:
            log.warning("the verdict cannot be kept", extra={"folder": str(self.folder), "error": str(error)})


def conforming(results: Iterable[Mapping[str, str]]) -> Verdict:
    """The verdict on a graph without violations: how often each shape had a finding of each severity, the most frequent first."""
    counted = Counter((result["severity"], result["shape"]) for result in results)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    findings = [{"severity": severity, "shape": shape, "count": count} for (severity, shape), count in ordered]
    return {"conforms": True, "warnings_and_infos": counted.total(), "findings": findings}
