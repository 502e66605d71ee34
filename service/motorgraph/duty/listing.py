"""The long answers of the duty planner as a table: in which order, in which groups, and what each group comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from motorgraph.duty.law import figure
from motorgraph.duty.planner import Row

ORDERS = ("total", "country", "plant", "market")
"""What a table may be in the order of; the first two make groups."""
LEAST_GROUPED = 12
"""Rows from which on groups help a reader."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that have a total or a country in common: what that is ("" where the rows make no group), and what they come to."""

    name: str
    words: str
    rows: tuple[Row, ...]

    @property
    def anchor(self) -> str:
        """What its head is called in links."""
        return "g-" + "".join(c if c.isalnum() else "-" for c in self.name.lower())


def grouped(rows: Sequence[Row], order: str, countries: Mapping[str, str]) -> list[Group]:
    """The rows in an order, in groups where there are many; `countries` has the country of each place, by IRI."""

    def country(row: Row) -> str:
        return countries.get(row.route.place.iri) or "country not recorded"

    def total(row: Row) -> str:
        return "not known" if row.total is None else f"{figure(row.total)} %"

    by: dict[str, Callable[[Row], object]] = {
        "total": lambda row: (row.total is None, row.total or 0.0),
        "country": country,
        "plant": lambda row: row.route.place.label.casefold(),
        "market": lambda row: row.route.market.label.casefold(),
    }
    ordered = sorted(
        rows, key=lambda row: (by[order](row), row.route.place.label.casefold(), row.route.market.label, row.route.day)
    )
    named = {"total": total, "country": country}.get(order)
    if named is None or len(rows) < LEAST_GROUPED:
        return [Group("", "", tuple(ordered))]
    found: dict[str, list[Row]] = {}
    for row in ordered:
        found.setdefault(named(row), []).append(row)
    return [Group(name, _come_to(own, order, country), tuple(own)) for name, own in found.items()]


def _come_to(rows: Sequence[Row], order: str, country: Callable[[Row], str]) -> str:
    """What a group comes to: how many answers from how many countries, or between which totals."""
    many = f"{len(rows)} answer{'s' if len(rows) > 1 else ''}"
    if order == "total":
        lands = dict.fromkeys(country(row) for row in rows)
        return f"{many}, {next(iter(lands)) if len(lands) == 1 else f'{len(lands)} countries'}"
    known = sorted({row.total for row in rows if row.total is not None})
    missing = sum(row.total is None for row in rows)
    between = f"{figure(known[0])} %" if len(known) == 1 else f"{figure(known[0])} to {figure(known[-1])} %" if known else ""
    return ", ".join(filter(None, (many, between, f"not known for {missing}" if missing else "")))
