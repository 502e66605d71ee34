"""The moments of a resource: the commits that changed it, found by time or cut into pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

PAGE = 1000
Moment = tuple[int, str]
"""A commit and its time, in UTC and as the journal writes it, so that times compare as texts."""


def told(found: Sequence[Moment], wanted: dict[str, Any]) -> dict[str, Any]:
    """What there is to say of the moments, the oldest first, none if there are none.

    `count`, `first` and `last`, and with a `time` (ISO 8601, UTC) `at`, the last that was there in the whole second that it
    names, or the first if that is later, with those `before` and `after` it; else `moments`, those of the `page` (from 1; 0 for
    the last), and `pages`, the first and last of each.
    """
    if not found:
        return {"count": 0}
    said = {"count": len(found), "first": found[0], "last": found[-1]}
    return said | (_around(found, wanted["time"]) if "time" in wanted else _page(found, wanted.get("page", 0)))


def _around(found: Sequence[Moment], time: str) -> dict[str, Any]:
    end = (datetime.fromisoformat(time).replace(microsecond=0) + timedelta(seconds=1)).isoformat(timespec="microseconds")
    place = max((place for place, (_, when) in enumerate(found) if when < end), default=0)  # a clock may have been set back
    beside = {"before": place - 1, "after": place + 1}
    return {"at": found[place]} | {name: found[p] for name, p in beside.items() if 0 <= p < len(found)}


def _page(found: Sequence[Moment], number: int) -> dict[str, Any]:
    pages = [found[start : start + PAGE] for start in range(0, len(found), PAGE)]
    chosen = pages[number - 1] if 1 <= number <= len(pages) else [] if number else pages[-1]
    return {"moments": chosen, "pages": [(some[0], some[-1]) for some in pages]}
