"""What the gate has said of a graph that conforms, as plain JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Verdict = Mapping[str, Any]  # Any: plain JSON


def conforming(results: Iterable[Mapping[str, str]]) -> Verdict:
    """The verdict on a graph without violations: how often each shape had a finding of each severity, the most frequent first."""
    counted = Counter((result["severity"], result["shape"]) for result in results)
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    findings = [{"severity": severity, "shape": shape, "count": count} for (severity, shape), count in ordered]
    return {"conforms": True, "warnings_and_infos": counted.total(), "findings": findings}
