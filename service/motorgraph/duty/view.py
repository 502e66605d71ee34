"""The page of the duty planner: the question in words, its answer, and what stands beneath it, from an answer's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from urllib.parse import urlencode

from motorgraph.address import local
from motorgraph.duty import wording
from motorgraph.duty.history import History, history
from motorgraph.duty.law import Act, Rate, Source, standing
from motorgraph.duty.listing import ORDERS, Group, grouped
from motorgraph.duty.openings import Opening
from motorgraph.duty.planner import Answer, Planner, Row
from motorgraph.duty.question import ORDINARY_CAR, Route
from motorgraph.errors import BadParameter
from motorgraph.marks import Mark
from motorgraph.naming import Named
from motorgraph.stepline import ticks

EXAMPLES = {
    "A Geely electric car into the EU, from China or from Valencia": (
        "maker=geely-holding&plant=cn&plant=ford-valencia-body-and-assembly&market=eu&date=2024-08-01&date=2024-12-01"
    ),
    "A Geely electric car into the EU, from every plant": "maker=geely-holding&market=eu",
    "A BYD electric car from China, into every market": "maker=byd&plant=cn",
    "Tesla and SAIC, from China into the EU": "maker=tesla&maker=saic&plant=cn&market=eu&date=2024-12-01",
}
"""Questions to begin with."""
BASE_KINDS = ("mfn", "preference", "all-in")
ORDINARY = "customs duty"
MOST_IN_MATRIX = 12
MOST_ACTS = 60
MOST_SAID = 6
BAR = 300


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: from where, how wide, which kind of duty."""

    x: float
    width: float
    hue: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One case of a route on a day, with the parts of its bar and the numbers of the sources of each line."""

    row: Row
    pieces: tuple[Piece, ...]
    lines: tuple[tuple[Rate, tuple[int, ...]], ...]
    is_inside: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A route of the matrix: its letter, its words, its cells by day."""

    letter: str
    words: str
    route: Route
    first: Row
    days: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True)
class ActLine:
    """A line of the table of acts; `said` is what a draft that never counted spoke of."""

    act: Act
    measure: str
    height: str
    start: str
    until: str
    mark: Mark
    numbers: tuple[int, ...]
    never: bool = False


@dataclass(slots=True)
class Cited:
    """The sources of a page in the order in which it first names them."""

    cites: bool
    found: dict[str, Source] = field(default_factory=dict)

    def numbers(self, sources: Sequence[Source]) -> tuple[int, ...]:
        """The numbers of sources, from 1; none on a page that is not to cite."""
        if not self.cites:
            return ()
        for source in sources:
            self.found.setdefault(source.iri, source)
        order = list(self.found)
        return tuple(order.index(source.iri) + 1 for source in sources)


@dataclass(slots=True)
class View:
    """What the template needs."""

    title: str
    lead: str
    asked: dict[str, list[str]]
    choices: dict[str, list[Named]]
    commit: int = 0
    errors: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    message: str = ""
    days: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()
    legend: tuple[tuple[int, str], ...] = ()
    scale: float = 0.0
    groups: tuple[Group, ...] = ()
    order: str = ""
    orders: tuple[str, ...] = ()
    at: str = ""
    difference: str = ""
    over: str = ""
    history: History | None = None
    acts: tuple[ActLine, ...] = ()
    openings: tuple[tuple[str, Opening, tuple[tuple[int, ...], ...]], ...] = ()
    sources: tuple[Source, ...] = ()
    examples: Mapping[str, str] = field(default_factory=lambda: EXAMPLES)
    base: str = ""
    sparql: str = ""

    def padded(self, name: str) -> list[str]:
        """The values of a field that can be compared, with room for two."""
        given = self.asked.get(name, [])
        return [*given, *[""] * (2 - len(given))]

    def address(self, iri: str) -> str:
        """Where to read of a thing: on this service, else where its IRI leads."""
        return local(iri, self.base) or (iri if iri.startswith(("http://", "https://")) else "")

    def read_at(self, source: Source) -> str:
        """Where a source can be read."""
        return source.url if source.url.startswith(("http://", "https://")) else self.address(source.iri)

    def link(self, **others: str) -> str:
        """The query string with the question as it is, and other parameters."""
        pairs = [(name, text) for name, texts in self.asked.items() for text in texts]
        return urlencode([*pairs, *(pair for pair in {"at": self.at, **others}.items() if pair[1])])

    def instead(self, name: str, value: str, slug: str) -> str:
        """The query string with another value for a field."""
        pairs = [(field, text) for field, texts in self.asked.items() for text in texts if text.strip()]
        if (name, value) not in pairs:
            pairs.append((name, value))
        return urlencode([(field, slug if (field, text) == (name, value) else text) for field, text in pairs])

    day = staticmethod(wording.day)
    sentence = staticmethod(wording.sentence)
    because = staticmethod(wording.because)


class Views:
    """Makes the pages of a planner."""

    def __init__(self, planner: Planner, base: str) -> None:
        self._planner = planner
        self._base = base

    async def view(self, given: Mapping[str, Sequence[str]], *, cites: bool, order: str) -> View:
        """The page for parameters; the form alone if there are none. Raises BadParameter."""
        if not any(value.strip() for values in given.values() for value in values):
            lead = "Says by which acts a car pays what, on any day since the graph’s law begins, and what would change that."
            return View("What duty does a car pay?", lead, {}, await self._choices(), base=self._base)
        question = await self._planner.questions.read(given, await self._planner.law())
        return await self._answered(await self._planner.answer(question), Cited(cites), order)

    async def wrong(self, given: Mapping[str, Sequence[str]], refusal: BadParameter) -> View:
        """The form with what is wrong in it."""
        asked = {name: [value.strip() for value in values if value.strip()] for name, values in given.items()}
        view = View("This duty cannot be told", "", asked, await self._choices(), base=self._base)
        told = refusal.members.get("errors") or [{"detail": refusal.detail, **refusal.members}]
        for error in told:
            view.errors.setdefault(error["field"], []).append(error)
        known = all(error["field"] in view.choices or error["field"] == "date" for error in told)
        view.message = "The fields say what is wrong." if known else refusal.detail
        return view

    async def _answered(self, answer: Answer, cited: Cited, order: str) -> View:
        question = answer.question
        asked = {
            "maker": [thing.label for thing in question.makers],
            "plant": [] if question.over == "plant" else [thing.label for thing in question.places],
            "model": [thing.label for thing in question.models],
            "market": [] if question.over == "market" else [thing.slug for thing in question.markets],
            "date": [] if question.is_today else list(question.days),
        }
        view = View(wording.title(answer), wording.lead(answer), asked, await self._choices(), answer.commit, base=self._base)
        view.days, view.over, view.difference = question.days, question.over, wording.difference(answer)
        view.sparql = self._planner.text(question.routes)
        routes = list(dict.fromkeys(replace(route, day="") for route in question.routes))
        if question.over or len(routes) > MOST_IN_MATRIX:
            view.groups, view.order = tuple(grouped(answer.rows, order, await self._countries(question.places))), order
            view.orders = tuple(name for name in ORDERS if _tells(name, answer))
        else:
            view.lanes, view.legend, view.scale = _matrix(answer, routes, cited)
            names = dict(zip(routes, wording.names(routes), strict=True))
            view.history = await history(self._planner, answer, names)
        view.acts = tuple(_acts(answer, cited))[:MOST_ACTS]
        view.openings = tuple(_openings(answer, cited)) if not question.over else ()
        view.sources = tuple(cited.found.values())
        return view

    async def _countries(self, places: Sequence[Named]) -> dict[str, str]:
        """The names of the countries of places, by IRI."""
        lands = {place.iri: await self._planner.plants.country(place.iri) for place in places}
        named = await self._planner.directory.labelled(filter(None, lands.values()))
        return {place: named[land].label for place, land in lands.items() if land}

    async def _choices(self) -> dict[str, list[Named]]:
        """What the fields of the form offer."""
        directory, plants = self._planner.directory, self._planner.plants
        cars = await plants.cars()
        sites = await plants.sites()
        makers = await directory.labelled({sites[plant.iri].operator for plant in cars} - {""})
        countries = await directory.labelled({sites[plant.iri].country for plant in cars} - {""})
        markets = await directory.labelled((await self._planner.law()).importers)
        drives = await directory.below(f"{self._base}/concept/propulsion/")
        by_name = partial(sorted, key=lambda thing: thing.label.casefold())
        return {
            "maker": by_name(makers.values()),
            "plant": [*by_name(countries.values()), *cars],
            "model": sorted(drives.values(), key=lambda thing: (thing.slug != ORDINARY_CAR, thing.label)),
            "market": by_name(markets.values()),
        }


def _tells(order: str, answer: Answer) -> bool:
    """Whether an order is of any use: not by what all rows have in common."""
    question = answer.question
    return order == "total" or len(question.markets if order == "market" else question.places) > 1


def _matrix(answer: Answer, routes: Sequence[Route], cited: Cited) -> tuple[tuple[Lane, ...], tuple[tuple[int, str], ...], float]:
    """The routes with their cells, what the hues of the bars mean, and what a full bar is."""
    kinds = hues(answer.rows)
    highest = max((_known(row) for row in answer.rows), default=0.0)
    scale = ticks(highest)[-1]
    lanes = []
    for number, (route, words) in enumerate(zip(routes, wording.names(routes, in_full=True), strict=True)):
        own = [row for row in answer.rows if replace(row.route, day="") == route]
        days = tuple(
            (day, tuple(_cell(row, kinds, scale, cited) for row in own if row.route.day == day)) for day in answer.question.days
        )
        lanes.append(Lane(wording.letter(number), words, route, own[0], days))
    names = {hue: ORDINARY if hue == 0 else sort for sort, hue in kinds.items()}
    return tuple(lanes), tuple(sorted(names.items())), scale


def hues(rows: Sequence[Row]) -> dict[str, int]:
    """A hue for each sort of duty: 0 for the ordinary ones, then from 1 as they come."""
    found: dict[str, int] = {}
    for rate in (rate for row in rows for rate in row.rates if rate.percent or rate.least):
        sort = sort_of(rate)
        found.setdefault(sort, 0 if sort == ORDINARY else min(7, 1 + sum(hue > 0 for hue in found.values())))
    return found


def sort_of(rate: Rate) -> str:
    """What a rate is to a reader of the bars: kinds that differ in their stage alone are of one sort."""
    if rate.kind in BASE_KINDS:
        return ORDINARY
    return "countervailing duty" if rate.kind.startswith("countervailing") else rate.kind_name


def _known(row: Row) -> float:
    """What is sure of a total."""
    return row.total if row.total is not None else row.at_least or 0.0


def _cell(row: Row, kinds: dict[str, int], scale: float, cited: Cited) -> Cell:
    pieces, x = [], 0.0
    for rate in row.rates if row.total is not None or row.at_least is not None else ():
        width = round(BAR * (rate.percent if rate.percent is not None else rate.least or 0.0) / scale, 2)
        if width:
            pieces.append(Piece(round(x, 2), width, kinds[sort_of(rate)]))
            x += width
    lines = tuple((rate, cited.numbers(rate.sources)) for rate in row.rates)
    return Cell(row, tuple(pieces), lines, row.total == 0 and not row.rates)


def _acts(answer: Answer, cited: Cited) -> list[ActLine]:
    """The acts beneath the answer, those in force at the end first named last; then drafts that never counted."""
    today = datetime.now(UTC).date()
    rates = dict.fromkeys(rate for row in answer.rows for rate in row.rates)
    found = [
        ActLine(
            act,
            rate.measure_name + (f", {' and '.join(rate.groups)}" if rate.groups else ""),
            rate.height,
            rate.start,
            _inclusive(rate.end),
            standing(act, today) if not rate.end or rate.end > today.isoformat() else Mark("superseded", "No longer applied"),
            cited.numbers(rate.sources or act.sources),
        )
        for rate in sorted(rates, key=lambda rate: (rate.start, rate.iri))
        for act in rate.acts
    ]
    for drafted in wording.never_counted(answer):
        measure, mark = drafted.said, standing(drafted.act, today)
        numbers = cited.numbers(drafted.act.sources)
        found.append(ActLine(drafted.act, measure, drafted.percent, "", "", mark, numbers, never=True))
    return found


def _inclusive(end: str) -> str:
    """The last day of what ends, not including it, on a day."""
    return (date.fromisoformat(end) - timedelta(days=1)).isoformat() if end else ""


def _openings(answer: Answer, cited: Cited) -> list[tuple[str, Opening, tuple[tuple[int, ...], ...]]]:
    """The deals that name the places asked about, each once, with the numbers of the sources of its claims."""
    found = {deal: row.route.place.label for row in answer.rows for deal in row.deals}
    return [
        (
            place,
            deal,
            tuple(
                cited.numbers([Source(said.document, said.title, said.url, said.outlet, "")]) for said in deal.said[:MOST_SAID]
            ),
        )
        for deal, place in found.items()
    ]
