"""The same car over time: on which days its duty changes, and the picture of that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from motorgraph.duty.planner import Answer, Planner, Row
from motorgraph.duty.question import Route
from motorgraph.stepline import Chart, Line, Marked, Step, merged

MOST_LINES = 7
MOST_DAYS = 40
EARLIEST = date(2015, 1, 1)
MARGIN = timedelta(days=270)


@dataclass(frozen=True, slots=True)
class Change:
    """A day from which on the duty of a line is another: in figures, or the words that it is not known."""

    line: str
    day: date
    total: float | None
    is_expected: bool


@dataclass(frozen=True, slots=True)
class History:
    """The picture, what it shows in words, and the same as a list."""

    svg: str
    words: str
    changes: tuple[Change, ...]


async def history(planner: Planner, answer: Answer, names: dict[Route, str]) -> History | None:
    """How the duties of some routes changed and are to change; None where they do not, or too many are compared.

    `names` says what each route is called; routes that differ in their day alone share a name.
    """
    routes = {name: replace(route, day="") for route, name in names.items()}
    if not routes or len(routes) > MOST_LINES:
        return None
    today = datetime.now(UTC).date()
    asked = [date.fromisoformat(day) for day in answer.question.days]
    days = {name: await _days(planner, answer, route) for name, route in routes.items()}
    rows = await planner.totals([replace(routes[name], day=day.isoformat()) for name in routes for day in days[name]])
    lines = _lines(names=list(routes), rows=rows, routes=routes, today=today)
    changing = [step.day for line in lines for step in line.steps[1:]]
    if not changing:
        return None
    first = min([*asked, min(changing)]) - MARGIN
    last = max([*asked, max(changing)]) + MARGIN
    chart = Chart(
        tuple(_from(line, first) for line in lines[:MOST_LINES]),
        first,
        last,
        tuple(Marked(day, f"{day.day} {day:%b} {day.year}") for day in sorted(asked)),
    )
    changes = tuple(Change(line.name, step.day, step.value, step.expected) for line in chart.lines for step in line.steps)
    words = " ".join(f"{line.name}: {_told(line)}." for line in chart.lines)
    return History(chart.svg("over-time", "The duty over time", words), words, changes)


async def _days(planner: Planner, answer: Answer, route: Route) -> list[date]:
    """The first day, and those on which the duty of a route may change."""
    land = await planner.plants.country(route.place.iri)
    found = [date.fromisoformat(day) for day in answer.law.days_of_change(route.market.iri, [land])]
    return [EARLIEST, *[day for day in found if day > EARLIEST][-MOST_DAYS:]]


def _lines(names: list[str], rows: list[Row], routes: dict[str, Route], today: date) -> list[Line]:
    """A line for each route, or for each case of it."""
    found = []
    for name in names:
        own = [row for row in rows if replace(row.route, day="") == routes[name]]
        cases = list(dict.fromkeys(row.case for row in own if row.case)) or [""]
        for case in cases:
            told = {date.fromisoformat(row.route.day): row.total for row in own if row.case in ("", case)}
            steps = merged([Step(day, total, day > today) for day, total in sorted(told.items())])
            found.append(Line(f"{name}, {case}" if case else name, steps))
    return found


def _from(line: Line, first: date) -> Line:
    """A line that begins on a day."""
    after = [step for step in line.steps if step.day > first]
    return replace(line, steps=(Step(first, line.at(first)), *after))


def _told(line: Line) -> str:
    first, *others = line.steps
    said = [f"{_figure(first.value)}", *(f"from {step.day.isoformat()} {_figure(step.value)}" for step in others)]
    return ", ".join(said)


def _figure(total: float | None) -> str:
    return "not known" if total is None else f"{total:g} %"
