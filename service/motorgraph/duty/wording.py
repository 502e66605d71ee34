"""The duty planner's words: the question as a title, the answer as a sentence, names of routes and days."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from motorgraph.duty.law import Drafted, figure
from motorgraph.duty.planner import Answer, Row
from motorgraph.duty.question import Route
from motorgraph.naming import Named

_WITH_ARTICLE = ("United ", "European ")
MOST_NAMED = 4


def day(text: str) -> str:
    """A day as people write it: 1 Dec 2024."""
    when = date.fromisoformat(text)
    return f"{when.day} {when:%b} {when.year}"


def sentence(reason: str) -> str:
    """A reason as a sentence."""
    said = reason.removeprefix("unknown, because ")
    return f"{said[:1].upper()}{said[1:]}."


def because(row: Row) -> str:
    """How the exporter of a row counts, without its own name."""
    return row.exporter_because.removeprefix(row.exporter.label if row.exporter else "").strip()


def letter(number: int) -> str:
    """A, B, C …"""
    return string.ascii_uppercase[number % 26]


def title(answer: Answer) -> str:
    """The question in words."""
    question = answer.question
    makers = {route.maker.iri: route.maker for route in question.routes}
    who = _listed([maker.label for maker in makers.values()], "or")
    into = f" into {_listed([placed(market) for market in question.markets], 'or')}"
    where = [f"from {placed(place)}" for place in question.places]
    car = f"{_car(question.models)} of {who}"
    car = f"{car[:1].upper()}{car[1:]}"
    if question.over == "plant":
        return f"{car}{into}: at what duty, from which plant?"
    if question.over == "market":
        return f"{car} {_listed(where, 'or')}: at what duty, into which market?"
    if len(where) == 1:
        return f"{car} {where[0]}{into}: at what duty?"
    return f"{car}{into}: {_listed(where, 'or', comma=True)}?"


def _car(models: Sequence[Named]) -> str:
    names = [f"{model.label} car" if model.kind == "propulsion" else model.label for model in models]
    return _listed([f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}" for name in names], "or")


def placed(thing: Named) -> str:
    """A place as it stands after a preposition."""
    return f"the {thing.label}" if thing.label.startswith(_WITH_ARTICLE) else thing.label


def _listed(words: Sequence[str], joint: str, *, comma: bool = False) -> str:
    if len(words) > MOST_NAMED:
        return f"{', '.join(words[: MOST_NAMED - 1])} {joint} {len(words) - MOST_NAMED + 1} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])}{',' if comma else ''} {joint} {words[-1]}"


def names(routes: Sequence[Route], *, in_full: bool = False) -> list[str]:
    """What tells each route from the others; `in_full` names where it is built even if that does not."""
    parts = {
        "maker": [route.maker.label for route in routes],
        "model": [route.model.label for route in routes],
        "place": [f"from {placed(route.place)}" for route in routes],
        "market": [f"into {placed(route.market)}" for route in routes],
    }
    differing = [name for name, words in parts.items() if len(set(words)) > 1 or (name == "place" and in_full)]
    return [", ".join(parts[name][number] for name in differing or ["place"]) for number in range(len(routes))]


def lead(answer: Answer) -> str:
    """The answer in a sentence or two."""
    if answer.question.over:
        return _spread(answer)
    last = answer.question.days[-1]
    rows = [row for row in answer.rows if row.route.day == last]
    routes = list(dict.fromkeys(replace(row.route, day="") for row in rows))
    called = dict(zip(routes, names(routes), strict=True))
    if len(routes) == 1:
        return _single(answer, rows)
    said = [f"{_cases([row for row in rows if replace(row.route, day='') == route])} {called[route]}" for route in routes]
    opening = "Today: " if answer.question.is_today else f"On {day(last)}: "
    return f"{opening}{_listed(said, 'and')}.{_moral(routes, rows)}"


def _single(answer: Answer, rows: list[Row]) -> str:
    days = answer.question.days
    if len(days) == 1 and len(rows) == 1:
        row = rows[0]
        if row.total is None:
            sure = f", at least {figure(row.at_least)} %" if row.at_least is not None else ""
            return f"The duty is not known{sure}: {_because(row)}."
        if not row.rates:
            return "0 %: the car is built inside the customs territory, so nothing crosses its border."
        return f"{figure(row.total)} %: {' + '.join(f'{rate.height} % {rate.kind_name}' for rate in row.rates)}."
    by_day = [(each, [row for row in answer.rows if row.route.day == each]) for each in days]
    return f"{_listed([f'{_cases(own)} on {day(each)}' for each, own in by_day], 'and')}."


def difference(answer: Answer) -> str:
    """What sets two routes apart on the last day, or one route on its first and last days; "" where neither is asked."""
    days = answer.question.days
    routes = list(dict.fromkeys(replace(route, day="") for route in answer.question.routes))
    if answer.question.over or len(routes) > 2 or len(routes) == len(days) == 1:
        return ""
    asked = [replace(route, day=days[-1]) for route in routes] if len(routes) == 2 else [replace(routes[0], day=d) for d in days]
    pair = [[row for row in answer.rows if row.route == route] for route in (asked[0], asked[-1])]
    if any(len(rows) != 1 or rows[0].total is None for rows in pair):
        return "By how much they differ cannot be told in one number."
    (before,), (after,) = pair
    if len(routes) == 2:
        one, other = names(routes)
        words = f"{other[:1].upper()}{other[1:]} it is"
        return f"{words} {_by(before, after, 'lower', 'higher', f'as much as {one}', f' than {one}')}"
    words = f"From {day(days[0])} to {day(days[-1])} it"
    return f"{words} {_by(before, after, 'falls', 'rises', 'stays as it is', '')}"


def _by(before: Row, after: Row, less: str, more: str, same: str, than: str) -> str:
    """By how many points the second total is another than the first, and by which rates."""
    points = (after.total or 0.0) - (before.total or 0.0)
    if not points:
        return f"{same}."
    height = f"{figure(round(abs(points), 2))} points"
    word = less if points < 0 else more
    said = f"{height} {word}{than}" if than else f"{word} by {height}"
    gone = [f"{rate.height} % {rate.kind_name}" for rate in before.rates if rate not in after.rates and rate.percent]
    come = [f"{rate.height} % {rate.kind_name}" for rate in after.rates if rate not in before.rates and rate.percent]
    why = "; ".join(
        f"{_listed(rates, 'and')} {verb}" for rates, verb in ((gone, _verb(gone, "fall")), (come, _verb(come, "come"))) if rates
    )
    return f"{said}: {why}."


def _verb(rates: Sequence[str], verb: str) -> str:
    return f"{verb}{'s' if len(rates) == 1 else ''} {'away' if verb == 'fall' else 'in'}"


def _cases(rows: Sequence[Row]) -> str:
    return _listed([" ".join(filter(None, (total(row), row.case))) for row in rows], "or")


def total(row: Row) -> str:
    """The total in words."""
    if row.total is not None:
        return f"{figure(row.total)} %"
    return "not known" + (f" (at least {figure(row.at_least)} %)" if row.at_least is not None else "")


def _because(row: Row) -> str:
    return row.unknown_because.removeprefix("unknown, because ")


def _moral(routes: Sequence[Route], rows: Sequence[Row]) -> str:
    """What decides, where the routes differ in their place alone and so do their totals."""
    same_car = len({(route.maker.iri, route.model.iri, route.market.iri) for route in routes}) == 1
    totals = {row.total for row in rows}
    if same_car and len(totals) > 1 and None not in totals:
        return " Where the car is built decides, not the nationality of its maker."
    return ""


def _spread(answer: Answer) -> str:
    """From what to what the totals run."""
    known = [row for row in answer.rows if row.total is not None]
    unknown = len(answer.rows) - len(known)
    if not known:
        return "Not known for any of them."
    least, most = known[0], max(known, key=lambda row: row.total or 0.0)
    what = "plant" if answer.question.over == "plant" else "market"
    thing = (lambda row: row.route.place.label) if what == "plant" else (lambda row: placed(row.route.market))
    count = sum(row.total == least.total for row in known)
    lowest = f"{figure(least.total or 0.0)} % for {count} of {len(answer.rows)}"
    highest = f"{figure(most.total or 0.0)} % ({thing(most)})"
    said = f"{lowest}." if least.total == most.total else f"From {lowest} to {highest}."
    return f"{said} Not known for {unknown}." if unknown else said


def never_counted(answer: Answer) -> list[Drafted]:
    """The rates of drafts and announcements that touch the routes of an answer."""
    found: dict[Drafted, None] = {}
    for row in answer.rows:
        if row.origin is None:
            continue
        reach = answer.law.territories(row.route.market.iri)
        groups = {_short(group) for rate in row.rates for group in rate.groups}
        for drafted in answer.law.drafted:
            said = drafted.said.casefold()
            touches = f"from {row.origin.slug}," in said and set(drafted.act.jurisdictions) & reach
            if touches and (any(group in said for group in groups) if groups else ", all" in said):
                found[drafted] = None
    return list(found)


def _short(group: str) -> str:
    """The first two words of a group's name, which acts and their drafts share."""
    return " ".join(group.casefold().split()[:2])
