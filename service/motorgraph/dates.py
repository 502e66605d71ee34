"""Dates for people: `2026-02-24` is read as 24 Feb 2026, and what is only known to the month or year is not made more of."""

from __future__ import annotations

import re

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PARTS = dict(
    zip(
        (*range(21, 25), *range(33, 42)),
        (
            *("spring", "summer", "autumn", "winter"),
            *("first quarter of", "second quarter of", "third quarter of", "fourth quarter of"),
            *("first third of", "second third of", "last third of", "first half of", "second half of"),
        ),
        strict=True,
    )
)
"""Parts of a year by the number that EDTF (level 2) gives them in place of a month."""
UNDATED = "undated"
_DATE = re.compile(r"(-?\d{4,})(?:-(\d\d)(?:-(\d\d))?)?(?:$|[TZ+-])")


def spoken(date: str | None) -> str:
    """An xsd:date, dateTime, gYearMonth or gYear in words; "undated" for none, and as it is what is no date."""
    match = _DATE.match(date) if date else None
    if match is None:
        return date or UNDATED
    year, month, day = match.groups()
    if month is None:
        return year
    if int(month) in PARTS and day is None:
        return f"{PARTS[int(month)]} {year}"
    if not 1 <= int(month) <= len(MONTHS):
        return str(date)
    return " ".join(part for part in (str(int(day)) if day else "", MONTHS[int(month) - 1], year) if part)


def clock(time: str) -> str:
    """An xsd:dateTime in UTC to the minute, in words."""
    return f"{spoken(time)}, {time[11:16]} UTC"


def vague(date: str) -> str:
    """A date in EDTF (levels 0 and 1) in words: an interval by its ends, "about" for what is approximate."""
    start, slash, end = date.partition("/")
    if not slash:
        about = date.endswith(("~", "?", "%"))
        return f"about {spoken(date[:-1])}" if about else spoken(date)
    if start in ("", ".."):
        return f"until {vague(end)}"
    return f"from {vague(start)}" if end in ("", "..") else f"{vague(start)} to {vague(end)}"


def is_vague(date: str) -> bool:
    """Whether a date in EDTF is less than a day."""
    return _DAY.fullmatch(date) is None


_DAY = re.compile(r"-?\d{4,}-\d\d-\d\d(?:T.*)?")
