"""The duty planner's engine: puts many combinations to the duty question at once, each kind of them once, and reads the rows."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyoxigraph as ox

from motorgraph.duty.law import Law, LawBook, Rate
from motorgraph.duty.openings import Opening, Openings
from motorgraph.duty.plants import Plants
from motorgraph.duty.question import Question, Questions, Route
from motorgraph.inquiry import Inquiry, Value
from motorgraph.naming import Directory, Named
from motorgraph.resources import asset
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import CANONICAL_BASE, XSD

NUMBER = "50"
"""The number of the duty question among those that ship."""
AT_ONCE = 24
"""Combinations that one query is asked for: enough that its planning is a small part, few enough that readers share the rest."""
MOST_TRIES = 3
_VALUES = re.compile(r"(VALUES \(\?maker \?plant \?model \?market \?date\)) \{[^\n]*\}")
_PARTY = re.compile(r"\b(?:organization|brand|exporter-group)/[\w-]+")
_FIELDS = ("maker", "place", "model", "market", "day")


@dataclass(frozen=True, slots=True)
class Row:
    """The answer for one route, or for one case of it where the drive or the single consignment decides between several."""

    route: Route
    drive: Named | None
    case: str
    total: float | None
    at_least: float | None
    unknown_because: str
    rates: tuple[Rate, ...]
    origin: Named | None
    origin_because: str
    exporter: Named | None
    exporter_because: str
    conditions: str
    deals: tuple[Opening, ...] = ()
    plant_status: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows for a question, in its order or by total where something was left out, and the commit they are from."""

    question: Question
    rows: tuple[Row, ...]
    commit: int
    law: Law


class Planner:
    """Answers questions on duties from the graph at a commit (0: the newest)."""

    def __init__(self, store: Embedded, commit: int = 0) -> None:
        self._inquiry = Inquiry(store, commit)
        self._base = store.settings.base
        self._law_book = LawBook(store, commit)
        self._openings = Openings(store, commit)
        self.directory = Directory(store)
        self.plants = Plants(store, self.directory, commit)
        self.questions = Questions(self.directory, self.plants, self._base, store.settings.duty_combinations)
        (file,) = asset("ontology").glob(f"questions/{NUMBER}-*.rq")
        self._text = file.read_text().replace(CANONICAL_BASE, self._base)

    async def law(self) -> Law:
        """The law that its graph has."""
        return await self._law_book.law()

    async def answer(self, question: Question) -> Answer:
        """The rows for a question. Raises what any query may meet."""
        law = await self.law()
        for _ in range(MOST_TRIES):
            commits, by_key = await self._asked(question.routes, law)
            if len(commits) == 1:
                break
        rows = [await self._opened(row) for row in [r for route in question.routes for r in await self._own(route, by_key)]]
        if question.over:
            rows.sort(key=lambda row: (row.total is None, row.total or 0.0, row.route.place.label, row.route.market.label))
        return Answer(question, tuple(rows), max(commits), law)

    async def totals(self, routes: Sequence[Route]) -> list[Row]:
        """The rows for routes alone, without deals."""
        _, by_key = await self._asked(routes, await self.law())
        return [row for route in routes for row in await self._own(route, by_key)]

    def text(self, routes: Sequence[Route]) -> str:
        """The SPARQL that asks for routes, to be run by anybody."""
        cells = " ".join(f"({' '.join(map(str, _terms(route)))})" for route in routes)
        return _VALUES.sub(lambda found: f"{found[1]} {{ {cells} }}", self._text, count=1)

    async def _key(self, route: Route) -> tuple[object, ...]:
        alike = await self.plants.alike(route.place.iri)
        return (route.maker.iri, alike, route.model.iri, route.market.iri, route.day)

    async def _asked(self, routes: Sequence[Route], law: Law) -> tuple[set[int], dict[tuple[object, ...], list[Row]]]:
        """The commits that answered, and the rows for each kind of route, of which one stands for all."""
        kinds: dict[tuple[object, ...], Route] = {}
        for route in routes:
            kinds.setdefault(await self._key(route), route)
        batches = _cut(list(kinds.values()))
        told = await asyncio.gather(*(self._batch(batch) for batch in batches))
        named = await self.directory.labelled(
            row[name] for _, rows in told for row in rows for name in ("drive", "origin", "exporter") if name in row
        )
        by_cells = {tuple(term.value for term in _terms(route)): key for key, route in kinds.items()}
        found: dict[tuple[object, ...], list[Row]] = {key: [] for key in kinds}
        for row in itertools.chain.from_iterable(rows for _, rows in told):
            key = by_cells[tuple(row[name] for name in ("maker", "plant", "model", "market", "date"))]
            found[key].append(_row(kinds[key], row, law, named))
        return {commit for commit, _ in told} or {0}, {key: _told_apart(rows) for key, rows in found.items()}

    async def _batch(self, routes: Sequence[Route]) -> tuple[int, list[dict[str, str]]]:
        values: dict[str, Value] = {}
        cells = []
        for number, route in enumerate(routes):
            names = [f"{field}{number}" for field in _FIELDS]
            values.update(zip(names, _terms(route), strict=True))
            cells.append(f"({' '.join('$' + name for name in names)})")
        text = _VALUES.sub(lambda found: f"{found[1]} {{ {' '.join(cells)} }}", self._text, count=1)
        return await self._inquiry.told(text, values)

    async def _own(self, route: Route, by_key: dict[tuple[object, ...], list[Row]]) -> list[Row]:
        """The rows of the routes that this one is alike to, as its own."""
        return [replace(row, route=route) for row in by_key[await self._key(route)]]

    async def _opened(self, row: Row) -> Row:
        place = row.route.place.iri
        site = (await self.plants.sites()).get(place)
        return replace(row, deals=await self._openings.of(row.route.maker.iri, place), plant_status=site.state if site else "")


def _terms(route: Route) -> list[ox.NamedNode | ox.Literal]:
    things = [ox.NamedNode(thing.iri) for thing in (route.maker, route.place, route.model, route.market)]
    return [*things, ox.Literal(route.day, datatype=ox.NamedNode(f"{XSD}date"))]


def _row(route: Route, told: dict[str, str], law: Law, named: dict[str, Named]) -> Row:
    rates = [law.rates[iri] for iri in told.get("rates", "").split() if iri in law.rates]
    parties = dict(scope for rate in rates for scope in rate.scopes)
    for thing in filter(None, (named.get(told.get("exporter", "")), route.maker)):
        parties[f"{thing.kind}/{thing.slug}"] = thing.label
    return Row(
        route,
        named.get(told.get("drive", "")),
        told.get("case", ""),
        _number(told.get("total")),
        _number(told.get("atLeast")),
        _in_words(told.get("unknownBecause", ""), parties),
        tuple(sorted(rates, key=lambda rate: (rate.kind not in ("mfn", "preference"), rate.iri))),
        named.get(told.get("origin", "")),
        told.get("originBecause", ""),
        named.get(told.get("exporter", "")),
        _in_words(told.get("exporterBecause", "").rstrip("; "), parties),
        told.get("conditions", "").rstrip("; "),
    )


def _told_apart(rows: list[Row]) -> list[Row]:
    """The rows of a car, each with its drive in the case where the car is made with several."""
    if len({row.drive for row in rows}) < 2:
        return rows
    return [replace(row, case=", ".join(filter(None, (row.drive.label if row.drive else "", row.case)))) for row in rows]


def _in_words(reason: str, parties: Mapping[str, str]) -> str:
    """A reason with the names of the parties that it names by the ends of their IRIs."""
    return _PARTY.sub(lambda found: parties.get(found[0], found[0]), reason)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _cut(routes: Sequence[Route]) -> list[Sequence[Route]]:
    return [routes[start : start + AT_ONCE] for start in range(0, len(routes), AT_ONCE)]
