"""Dates for people: `2026-02-24` is read as 24 Feb 2026, and what is only known to the month or year is not made more of."""

from __future__ import annotations

import re

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNDATED = "undated"
_DATE = re.compile(r"(-?\d{4,})(?:-(\d\d)(?:-(\d\d))?)?(?:$|[TZ+-])")


def spoken(date: str | None) -> str:
    """An xsd:date, dateTime, gYearMonth or gYear in words; "undated" for none, and as it is what is no date."""
    match = _DATE.match(date) if date else None
    if match is None:
        return date or UNDATED
    year, month, day = match.groups()
    if month is None or not 1 <= int(month) <= len(MONTHS):
        return year if month is None else str(date)
    return " ".join(part for part in (str(int(day)) if day else "", MONTHS[int(month) - 1], year) if part)


def clock(time: str) -> str:
    """An xsd:dateTime in UTC to the minute, in words."""
    return f"{spoken(time)}, {time[11:16]} UTC"
