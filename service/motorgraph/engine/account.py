"""The account of a change that was rehearsed: what it would do and what the gate says of it, for the client who asked."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import islice
from typing import Any

import pyoxigraph as ox

from motorgraph.engine.delta import Delta
from motorgraph.engine.wire import Kind, end, frame, head

MOST_QUADS = 1000
MOST_QUAD_BYTES = 1 << 20
JSON = "application/json"


def account(delta: Delta, derived: Delta, report: dict[str, Any]) -> bytes:  # Any: plain JSON
    """As JSON: quads removed and added (how many, and the first of them), graphs made and dropped, what follows, the report."""
    told = {
        "removed": _quads(delta.removed),
        "added": _quads(delta.added),
        "made": sorted(delta.made),
        "dropped": sorted(delta.dropped),
        "inferred": {"removed": len(derived.removed), "added": len(derived.added)},
    }
    return json.dumps(report | told).encode()


def frames(told: bytes, *, created: bool) -> bytes:
    """The frames of an answer that consists of an account, b"" for none."""
    if not told:
        return end(created=created)
    return head("json", JSON, "") + frame(Kind.DATA, told) + end(created=created, size=len(told))


def _quads(quads: Collection[ox.Quad]) -> dict[str, object]:
    first = sorted(f"{quad} ." for quad in islice(quads, MOST_QUADS))
    size, shown = 0, []
    for line in first:
        size += len(line)
        if size > MOST_QUAD_BYTES:
            break
        shown.append(line)
    return {"count": len(quads), "quads": shown}
