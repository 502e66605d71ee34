"""The functions that mappings have beyond SPARQL 1.1: slugs, and first days of what a date text names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date

import pyoxigraph as ox

from motorgraph.vocab import CANONICAL_BASE, XSD

FUNCTION = f"{CANONICAL_BASE}/function/"
UNFOLDED = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "&": " and "},
)
"""What Unicode does not decompose into a letter of ASCII."""
MONTHS_OF_PART = {
    **{33 + part: (1 + 3 * part, 3) for part in range(4)},
    **{37 + part: (1 + 4 * part, 4) for part in range(3)},
    **{40 + part: (1 + 6 * part, 6) for part in range(2)},
}
"""Quarters, thirds and halves of a year: first month and number of months (EDTF, level 2)."""
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T.*)?")
_PART = re.compile(r"(\d{4})-(\d\d)")
_YEARS = re.compile(r"(\d{4}|\d{3}X|\d\dXX)")

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Period = tuple[date, date]


def slug(text: str) -> str | None:
    """The text in lower-case ASCII letters, digits and single hyphens; None if nothing is left.

    >>> slug("Škoda Auto, Mladá Boleslav")
    'skoda-auto-mlada-boleslav'
    """
    folded = unicodedata.normalize("NFKD", text.lower().translate(UNFOLDED))
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or None


def start(text: str) -> date | None:
    """The first day of the period that an EDTF text names; None if it is open, unknown or no date.

    >>> start("2024-05/2024-07")
    datetime.date(2024, 5, 1)
    """
    period = _period(text.split("/")[0])
    return period and period[0]


def after(text: str) -> date | None:
    """The first day after the period that an EDTF text names; None if it is open, unknown or no date.

    >>> after("2024-05/2024-07")
    datetime.date(2024, 8, 1)
    """
    period = _period(text.split("/")[-1])
    return period and period[1]


def _period(text: str) -> Period | None:
    plain = text.strip().rstrip("?~%")
    try:
        for pattern, period in _PERIODS.items():
            if found := pattern.fullmatch(plain):
                return period(*found.groups())
    except (ValueError, OverflowError):
        return None
    return None


def _day(year: str, month: str, day: str) -> Period:
    first = date(int(year), int(month), int(day))
    return first, date.fromordinal(first.toordinal() + 1)


def _part(year: str, part: str) -> Period | None:
    month, months = (int(part), 1) if int(part) <= 12 else MONTHS_OF_PART.get(int(part), (0, 0))
    if not month:
        return None  # a season: its months depend on the hemisphere
    end = month + months
    return date(int(year), month, 1), date(int(year) + (end > 12), end - 12 * (end > 12), 1)


def _years(text: str) -> Period:
    first = int(text.replace("X", "0"))
    return date(first, 1, 1), date(first + 10 ** text.count("X"), 1, 1)


_PERIODS: dict[re.Pattern[str], Callable[..., Period | None]] = {_DAY: _day, _PART: _part, _YEARS: _years}


def _of_text(function: Callable[[str], str | date | None]) -> Callable[..., Term | None]:
    """The function for the engine: of one literal; no value where there is no answer."""

    def called(*terms: Term) -> Term | None:
        if len(terms) != 1 or not isinstance(terms[0], ox.Literal):
            return None
        found = function(terms[0].value)
        if isinstance(found, date):
            return ox.Literal(found.isoformat(), datatype=ox.NamedNode(f"{XSD}date"))
        return None if found is None else ox.Literal(found)

    return called


FUNCTIONS: Mapping[ox.NamedNode, Callable[..., Term | None]] = {
    ox.NamedNode(FUNCTION + function.__name__): _of_text(function) for function in (slug, start, after)
}
