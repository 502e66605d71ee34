"""The start page: what the graph holds in figures, questions with their answers, what was said lately, and the plants on a map.

Everything on it comes from the graph by queries, once a commit; only with which questions and things it begins is chosen here.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from urllib.parse import quote, urlencode

import pyoxigraph as ox

from motorgraph import marks
from motorgraph.address import local
from motorgraph.atlas import EUROPE, WORLD, Atlas, Point
from motorgraph.errors import DeadlineExceeded
from motorgraph.inquiry import Inquiry
from motorgraph.marks import Mark
from motorgraph.pages import Pages
from motorgraph.portrait.values import Link
from motorgraph.questions import Question
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

MOST_LATELY = 5
MOST_LOOKED_AT = 200
MOST_CHARACTERS = 160
GOOD_CHARACTERS = 75
PLANNER = "/questions/duty"
_PREFIXES = """PREFIX mg: <{base}/ontology/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX geo: <http://www.w3.org/2003/01/geo/wgs84_pos#>
"""
_FIGURES = {
    "plants": ("Plant", "/explore/plants"),
    "organisations": ("Organization", ""),
    "deals": ("Deal", "/explore/deals"),
    "claims": ("Claim", "/explore/claims"),
    "acts and drafts": ("LegalAct", "/explore/acts"),
    "duty lines": ("DutyRate", ""),
}
"""The figures: of which class each is, and where these are listed, "" for by a query."""
_COUNTS = "SELECT ?class (COUNT(DISTINCT ?thing) AS ?count) {{ VALUES ?class {{ {classes} }} ?thing a ?class }} GROUP BY ?class"
_LIST = """SELECT ?thing ?name {{ ?thing a mg:{name} OPTIONAL {{ ?thing skos:prefLabel ?name }} }} ORDER BY ?name"""
_LATELY = """SELECT ?claim ?text ?who ?by ?stance ?modality ?day ?document ?title (COUNT(?deal) AS ?onDeals) {{
  {{ SELECT ?claim ?day {{ ?claim a mg:Claim ; mg:reportedOn ?day }} ORDER BY DESC(?day) ?claim LIMIT {most} }}
  ?claim mg:proposition ?proposition ; mg:assertedBy ?by ; mg:stance ?stance ; mg:modality ?modality ; mg:foundIn ?document .
  ?proposition mg:statementText ?text . ?by skos:prefLabel ?who . ?document dcterms:title ?title .
  OPTIONAL {{ ?proposition mg:subject|mg:object|mg:aboutNode ?deal . ?deal a mg:Deal }}
  FILTER NOT EXISTS {{ ?proposition mg:aspect "existence" }}
  FILTER NOT EXISTS {{ ?proposition mg:aboutNode/rdf:type mg:KpiObservation }}
}} GROUP BY ?claim ?text ?who ?by ?stance ?modality ?day ?document ?title"""
_PLANTS = """SELECT ?plant ?name ?locality ?status ?lon ?lat ?country {{
  ?plant a mg:Plant ; skos:prefLabel ?name ; mg:country ?country . OPTIONAL {{ ?plant mg:locality ?locality }}
  OPTIONAL {{ ?plant geo:long ?lon ; geo:lat ?lat }} OPTIONAL {{ ?plant mg:plantStatus ?status }} }}"""
_DEALS = """SELECT ?plant ?deal ?name ?status (MAX(?day) AS ?last) {{
  ?deal a mg:Deal ; mg:concernsPlant ?plant ; skos:prefLabel ?name . OPTIONAL {{ ?deal mg:currentStatus ?status }}
  ?event mg:statusOf ?deal . {{ ?event mg:onDate ?day }} UNION {{ ?event mg:resolvedStart ?day }}
  FILTER(?day >= $since && ?day <= $today) }} GROUP BY ?plant ?deal ?name ?status ORDER BY DESC(?last) ?deal ?plant"""
_NAME = re.compile(r"plant:([a-z0-9-]+)")
_DAY = re.compile(r'"(\d{4}-\d\d-\d\d)"\^\^xsd:date')


@dataclass(frozen=True, slots=True)
class Start:
    """A question to start from: its number, the column that tells the answer (counted as `noun`, or shown with `unit`), the
    column of names that are listed beneath; and whose cars it is about, where the duty planner answers it better."""

    number: str
    column: str
    names: str
    noun: str = ""
    unit: str = ""
    maker: str = ""


START = (
    Start("12", "duty", "plantName", unit=" %", maker="geely-holding"),
    Start("04", "matter", "matter", noun="deal"),
    Start("08", "model", "model", noun="model"),
    Start("09", "plant", "plant", noun="plant"),
    Start("37", "maker", "maker", noun="maker"),
)
"""The questions whose answers stand on the start page."""
TRY = (
    ("Ford Valencia", "plant/ford-valencia-body-and-assembly"),
    ("Ford–Geely joint venture", "deal/ford-geely-jv-2026"),
    ("Magna Steyr Graz", "plant/magna-steyr-graz"),
    ("Geely Holding", "organization/geely-holding"),
)
"""The things that the start page leads to, by kind and name."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer: in short, and what it is about."""

    words: str
    link: str
    short: str
    rest: str


@dataclass(frozen=True, slots=True)
class Said:
    """A claim, as `parts.claims` shows it."""

    mark: Mark
    text: str
    page: str
    by: Link
    document: Link
    day: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A plant that a recent deal names: the place, the deal, how that stands, since when."""

    plant: Link
    deal: Link
    mark: Mark
    day: str


@dataclass(slots=True)
class Sight:
    """Where the plants are: two maps, how many there are of each kind, in how many countries, and those in recent deals."""

    world: str
    europe: str
    counts: Mapping[str, int]
    countries: int
    placed: int
    since: int
    deals: list[Marked] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many plants there are."""
        return sum(self.counts.values())


class Home:
    """Makes the page, once a commit."""

    def __init__(self, store: Embedded, settings: Settings, pages: Pages) -> None:
        self._store = store
        self._settings = settings
        self._pages = pages
        self._inquiry = Inquiry(store)
        self._atlas = Atlas()
        self._made: tuple[int, str, bytes] = (0, "", b"")
        self._making = asyncio.Lock()

    async def page(self, origin: str) -> bytes:
        """The page, for who asked at this address; while the graph is loading it says so. Raises StoreAway or Diverged."""
        elsewhere = self._store.elsewhere
        if elsewhere is not None and elsewhere.refusal is not None and not self._settings.plain:
            raise elsewhere.refusal
        if self._settings.plain or not self._store.is_ready:
            return await self._pages.page(
                "plain.html", endpoint=f"{origin}/sparql", triples=dict(sorted(self._store.triples.items()))
            )
        async with self._making:
            commit = self._store.commit
            if self._made[:2] != (commit, origin):
                page, is_whole = await self._render(origin)
                if not is_whole:
                    return page  # who asks next may have more luck
                self._made = commit, origin, page
            return self._made[2]

    async def _render(self, origin: str) -> tuple[bytes, bool]:
        """The page, and whether it has the answer to each of its questions."""
        shipped = {question.number: question for question in self._pages.questions.all}
        answers = [await self._answer(start, shipped[start.number]) for start in START if start.number in shipped]
        page = await self._pages.page(
            "home.html",
            endpoint=f"{origin}/sparql",
            figures=await self._figures(),
            answers=[answer for answer in answers if answer is not None],
            lately=await self._lately(),
            sight=await self._sight(),
            things=[Link(words, f"/page/{name}") for words, name in TRY],
        )
        return page, None not in answers

    async def _rows(self, text: str, **values: ox.NamedNode | ox.Literal) -> list[dict[str, str]]:
        given = {"base": self._settings.base, "most": str(MOST_LOOKED_AT)}
        return await self._inquiry.rows((_PREFIXES + text).format(**given), **values)

    async def _figures(self) -> list[tuple[int, str, str]]:
        """How many there are of each kind, in words, and where they are listed."""
        classes = " ".join(f"mg:{name}" for name, _ in _FIGURES.values())
        rows = await self._rows(_COUNTS.replace("{classes}", classes))
        counted = {row["class"].rpartition("/")[2]: int(row["count"]) for row in rows}
        prefixes = _PREFIXES.format(base=self._settings.base)
        return [
            (counted.get(name, 0), words, listed or "/sparql?query=" + quote(prefixes + _LIST.format(name=name)))
            for words, (name, listed) in _FIGURES.items()
        ]

    async def _answer(self, start: Start, question: Question) -> Answered | None:
        """A question with its answer; None if it cannot be answered in the time that a query has."""
        try:
            rows = await self._inquiry.rows(question.text)
        except DeadlineExceeded:
            return None
        return Answered(question.words, self._link(question, start), _short(rows, start), _rest(rows, start))

    def _link(self, question: Question, start: Start) -> str:
        """Where a question is answered in full."""
        if not start.maker or not self._pages.offers(PLANNER):
            return question.page
        asked = [("maker", start.maker), ("market", "eu"), *(("date", day) for day in dict.fromkeys(_DAY.findall(question.text)))]
        asked += [("plant", name) for name in dict.fromkeys(_NAME.findall(question.text))]
        return f"{PLANNER}?{urlencode(asked)}"

    async def _lately(self) -> list[Said]:
        """The newest claims that are no figures, one of each document: one on a deal before others, neither short nor long."""
        best: dict[str, dict[str, str]] = {}
        for row in sorted(await self._rows(_LATELY), key=_telling):
            best.setdefault(row["document"], row)
        newest = sorted(best.values(), key=lambda row: (row["day"], row["document"]), reverse=True)
        return [self._said(row) for row in newest[:MOST_LATELY]]

    def _said(self, row: Mapping[str, str]) -> Said:
        by, document = Link(row["who"], self._page(row["by"])), Link(row["title"], self._page(row["document"]))
        found = marks.mark(_last(row["stance"]), _last(row["modality"]))
        return Said(found, _cut(row["text"], MOST_CHARACTERS), self._page(row["claim"]), by, document, row["day"])

    async def _sight(self) -> Sight:
        """The plants on maps."""
        plants = {row["plant"]: row for row in await self._rows(_PLANTS)}
        today = datetime.now(UTC).date()
        since = date(today.year - 1, 1, 1)
        values = {name: ox.Literal(day.isoformat(), datatype=_XSD_DATE) for name, day in (("since", since), ("today", today))}
        deals = [row for row in await self._rows(_DEALS, **values) if row["plant"] in plants]
        newest: dict[str, dict[str, str]] = {}
        for row in deals:
            newest.setdefault(row["plant"], row)
        points = [self._point(row, newest.get(plant)) for plant, row in plants.items() if "lon" in row and "lat" in row]
        points.sort(key=lambda point: point.day, reverse=True)
        title = f"Map of {len(points)} plants; those in a deal since {since.year} are larger and named where there is room."
        placed = [point.point for point in points]
        world = await asyncio.to_thread(self._atlas.picture, placed, WORLD, title, "not-phone")
        europe = await asyncio.to_thread(self._atlas.picture, placed, EUROPE, title, "only-phone")
        counts = Counter(marks.standing(_last(row.get("status", ""))) for row in plants.values())
        countries = len({row["country"] for row in plants.values()})
        shown = [self._marked(row, plants[row["plant"]]["name"]) for row in deals]
        return Sight(world, europe, counts, countries, len(points), since.year, shown)

    def _point(self, row: Mapping[str, str], deal: Mapping[str, str] | None) -> _Dated:
        place = float(row["lon"]), float(row["lat"])
        if deal is None:
            return _Dated("", Point(*place, marks.standing(_last(row.get("status", "")))))
        found = marks.status(_last(deal.get("status", "")))
        note = f"{_cut(deal['name'], 30)}: {found.word.lower()}"
        return _Dated(deal["last"], Point(*place, "deal", row.get("locality", row["name"]), note, self._page(row["plant"])))

    def _marked(self, row: Mapping[str, str], plant: str) -> Marked:
        found = marks.status(_last(row.get("status", "")))
        deal = Link(row["name"], self._page(row["deal"]))
        return Marked(Link(plant, self._page(row["plant"])), deal, found, row["last"])

    def _page(self, iri: str) -> str:
        return local(iri, self._settings.base)


@dataclass(frozen=True, slots=True)
class _Dated:
    day: str
    point: Point


_XSD_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")


def _short(rows: Sequence[Mapping[str, str]], start: Start) -> str:
    """The answer in a word: how many there are, or the values themselves, the highest first."""
    found = list(dict.fromkeys(row[start.column] for row in rows if start.column in row))
    if start.noun:
        return f"{len(found)} {start.noun}{'' if len(found) == 1 else 's'}" if found else "none"
    return " → ".join(f"{value}{start.unit}" for value in sorted(found, key=float, reverse=True)) or "not known"


def _rest(rows: Sequence[Mapping[str, str]], start: Start) -> str:
    """Which they are, as many as there is room for."""
    told = [row[start.names] + (f": {row[start.column]}{start.unit}" if start.unit else "") for row in rows if start.names in row]
    told = list(dict.fromkeys(told))
    if start.unit:
        told.reverse()
    shown: list[str] = []
    for words in told:
        if shown and sum(map(len, shown)) + len(words) > MOST_CHARACTERS:
            return f"{'; '.join(shown)}; and {len(told) - len(shown)} more"
        shown.append(words)
    return "; ".join(shown)


def _telling(row: Mapping[str, str]) -> tuple[bool, int, str]:
    return row["onDeals"] == "0", abs(len(row["text"]) - GOOD_CHARACTERS), row["claim"]


def _last(iri: str) -> str:
    return iri.rpartition("/")[2]


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
