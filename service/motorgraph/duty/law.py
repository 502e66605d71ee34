"""The law behind the duties, as the graph has it: rates, their measures, the acts that they rest on, and who told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from motorgraph.inquiry import Inquiry
from motorgraph.marks import Mark
from motorgraph.stores.embedded import Embedded

NEVER_COUNT = {"draft": "Draft", "announced": "Only announced", "annulled": "Annulled"}
_PREFIXES = """PREFIX mg: <{base}/ontology/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX schema: <https://schema.org/> PREFIX eli: <http://data.europa.eu/eli/ontology#>
"""
_RATES = """SELECT ?rate ?measure ?measureName ?kind ?kindName ?importer ?percent ?least ?most ?floor ?currency ?from ?to ?surely
  ?specificity ?case ?condition ?collected (GROUP_CONCAT(DISTINCT STR(?act); separator = " ") AS ?acts)
  (GROUP_CONCAT(DISTINCT CONCAT(REPLACE(STR(?scope), "^.*/id/", ""), "=", ?name); separator = "|") AS ?groups) {{
  ?rate mg:ofMeasure ?measure ; mg:specificity ?specificity .
  ?measure skos:prefLabel ?measureName ; mg:measureKind ?kind ; mg:importTerritory ?importer . ?kind skos:prefLabel ?kindName .
  OPTIONAL {{ ?rate mg:legalBasis ?own }}
  OPTIONAL {{ ?measure mg:legalBasis ?ofMeasure }}
  BIND(COALESCE(?own, ?ofMeasure) AS ?act)
  OPTIONAL {{ ?rate mg:ratePercent ?percent }}
  OPTIONAL {{ ?rate mg:ratePercentAtLeast ?least }}
  OPTIONAL {{ ?rate mg:ratePercentAtMost ?most }}
  OPTIONAL {{ ?rate mg:minimumAmount ?floor ; mg:minimumAmountUnit ?currency }}
  OPTIONAL {{ ?rate mg:validFrom ?from }}
  OPTIONAL {{ ?rate mg:validTo ?to }}
  OPTIONAL {{ ?rate mg:surelyFrom ?surely }}
  OPTIONAL {{ ?rate mg:onlyWhen/skos:prefLabel ?case }}
  OPTIONAL {{ ?rate mg:condition ?condition }}
  OPTIONAL {{ ?measure mg:collected ?collected }}
  OPTIONAL {{ ?rate mg:exporterScope ?scope . ?scope skos:prefLabel ?name }}
}} GROUP BY ?rate ?measure ?measureName ?kind ?kindName ?importer ?percent ?least ?most ?floor ?currency ?from ?to ?surely
  ?specificity ?case ?condition ?collected"""
_ACTS = """SELECT ?act ?name ?state ?stateName ?reference ?applies ?ends ?jurisdiction {{
  ?act mg:actStatus ?state ; skos:prefLabel ?name . ?state skos:prefLabel ?stateName .
  OPTIONAL {{ ?act dcterms:identifier ?reference }}
  OPTIONAL {{ ?act eli:date_applicability ?applies }}
  OPTIONAL {{ ?act eli:date_no_longer_in_force ?ends }}
  OPTIONAL {{ ?act eli:jurisdiction ?jurisdiction }}
}} ORDER BY ?act ?reference"""
_SOURCES = """SELECT ?of ?document ?title ?url ?outlet ?day {{
  {{ SELECT DISTINCT ?of ?document {{
    {{ ?of mg:ofMeasure ?any ; mg:acceptedFrom/mg:foundIn ?document }}
    UNION {{ ?of a mg:LegalAct ; mg:acceptedFrom/mg:foundIn ?document }}
    UNION {{ ?of mg:actStatus ?state . ?proposition mg:aboutNode ?of . ?claim mg:proposition ?proposition .
      ?claim mg:foundIn ?document }}
  }} }}
  ?document dcterms:title ?title .
  OPTIONAL {{ ?document schema:url ?url }}
  OPTIONAL {{ ?document dcterms:publisher/skos:prefLabel ?outlet }}
  OPTIONAL {{ ?document dcterms:issued ?day }}
}} ORDER BY ?of ?document"""
_DRAFTED = """SELECT DISTINCT ?act ?said ?percent {{
  ?act mg:actStatus ?state . FILTER(STRAFTER(STR(?state), "/act-status/") IN ("draft", "announced", "annulled"))
  ?proposition mg:aboutNode ?act ; mg:aspect "rate" ; mg:statementText ?said ; mg:objectValue ?percent .
}} ORDER BY ?act ?said"""
_MEMBERS = """SELECT ?member ?union ?from ?to {{ ?entry mg:member ?member ; mg:memberOf ?union . ?union a mg:CustomsTerritory .
  OPTIONAL {{ ?entry mg:validFrom ?from }} OPTIONAL {{ ?entry mg:validTo ?to }} }}"""
NO_REFERENCES = ("CELEX", "CN ", "HS ", "TARIC ")
"""What the identifiers begin with that are the key of a register or the code of a good."""
EDITORIAL = "/source/editorial"
OLDEST, LATEST = "0001-01-01", "9999-12-31"


@dataclass(frozen=True, slots=True)
class Source:
    """A document, where it is, and who published it when ("" where that is not recorded)."""

    iri: str
    title: str
    url: str
    outlet: str
    day: str

    @property
    def is_background(self) -> bool:
        """Whether it is no document, but what the editors knew without one."""
        return self.iri.endswith(EDITORIAL)

    def as_json(self) -> dict[str, object]:
        """As a member of an answer."""
        return {
            "iri": self.iri,
            "title": self.title,
            "url": self.url or None,
            "publisher": self.outlet or None,
            "date": self.day or None,
        }


@dataclass(frozen=True, slots=True)
class Act:
    """A legal act or the draft of one: its number, how it stands, from when to when it applies."""

    iri: str
    name: str
    state: str
    standing: str
    references: tuple[str, ...]
    applies: str
    ends: str
    jurisdictions: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def url(self) -> str:
        """Its European Legislation Identifier, where it has one."""
        return self.iri if "/eli/" in self.iri else ""

    @property
    def reference(self) -> str:
        """What it is cited by."""
        return next((each for each in self.references if not each.startswith(NO_REFERENCES)), "")


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate of a measure; `percent` is None where only a range is known. It holds from `start` up to, not including, `end`.

    `scopes` are the groups and companies that it is for: the end of the IRI (`exporter-group/…`), and the name.
    """

    iri: str
    measure: str
    measure_name: str
    kind: str
    kind_name: str
    importer: str
    percent: float | None
    least: float | None
    most: float | None
    floor: str
    start: str
    end: str
    surely: str
    specificity: int
    case: str
    condition: str
    is_security: bool
    scopes: tuple[tuple[str, str], ...]
    acts: tuple[Act, ...]
    sources: tuple[Source, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups and companies that it is for."""
        return tuple(name for _, name in self.scopes)

    @property
    def height(self) -> str:
        """The rate in words, without the sign for per cent."""
        if self.percent is not None:
            return figure(self.percent)
        return f"{figure(self.least or 0)} to {figure(self.most)}" if self.most is not None else "not known"

    @property
    def notes(self) -> str:
        """What goes with the rate besides its height."""
        security = "security only: the provisional amounts were given back" if self.is_security else ""
        return "; ".join(filter(None, (self.floor, self.condition, security)))


@dataclass(frozen=True, slots=True)
class Drafted:
    """A rate that a draft or an announcement spoke of, and that never counted."""

    act: Act
    said: str
    percent: str


@dataclass(frozen=True, slots=True)
class Law:
    """All of it at one commit; `unions` are, by country, the customs unions that it is or was in, with the days of that."""

    rates: dict[str, Rate]
    drafted: tuple[Drafted, ...]
    unions: dict[str, tuple[tuple[str, str, str], ...]]

    @property
    def importers(self) -> tuple[str, ...]:
        """The territories whose duties the graph has."""
        return tuple(sorted({rate.importer for rate in self.rates.values()}))

    def territories(self, place: str) -> set[str]:
        """A country or territory and the customs unions that it is or was in."""
        return {place, *(union for union, _, _ in self.unions.get(place, ()))}

    def days_of_change(self, market: str, origins: Iterable[str]) -> list[str]:
        """The days on which a duty into a market may change: of its rates, and when a place joined or left a union."""
        importers = self.territories(market)
        rates = [rate for rate in self.rates.values() if rate.importer in importers]
        moves = [when for place in (market, *origins) for _, *when in self.unions.get(place, ())]
        days = {day for rate in rates for day in (rate.start, rate.end, rate.surely)} | {day for when in moves for day in when}
        return sorted(days - {""})


class LawBook:
    """The law of a commit (0: the newest), read once."""

    def __init__(self, store: Embedded, commit: int = 0) -> None:
        self._store = store
        self._inquiry = Inquiry(store, commit)
        self._base = store.settings.base
        self._read: tuple[int, Law] = (0, Law({}, (), {}))

    async def law(self) -> Law:
        """The law as that graph has it."""
        if self._read[0] != self._store.commit:
            commit = self._store.commit
            texts = (_RATES, _ACTS, _SOURCES, _DRAFTED, _MEMBERS)
            asked = [self._inquiry.rows((_PREFIXES + text).format(base=self._base)) for text in texts]
            rates, acts, sources, drafted, members = await asyncio.gather(*asked)
            self._read = (commit, _law(rates, _acts(acts, _sources(sources)), _sources(sources), drafted, members))
        return self._read[1]


def figure(number: float) -> str:
    """A number without zeros that say nothing."""
    return f"{number:g}"


def standing(act: Act, on: date) -> Mark:
    """How an act stands on a day, as a mark: by its dates, for what was never in force by its status."""
    if act.state in NEVER_COUNT:
        return Mark("superseded", NEVER_COUNT[act.state])
    day = on.isoformat()
    if (act.applies or OLDEST) > day:
        return Mark("planned", "Not yet applied")
    if (act.ends or LATEST) <= day or act.state in ("superseded", "expired"):
        return Mark("superseded", act.standing.capitalize() if act.state in ("superseded", "expired") else "Expired")
    return Mark("accepted", act.standing.capitalize())


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _sources(rows: list[dict[str, str]]) -> dict[str, tuple[Source, ...]]:
    found: dict[str, list[Source]] = {}
    for row in rows:
        source = Source(row["document"], row["title"], row.get("url", ""), row.get("outlet", ""), row.get("day", ""))
        found.setdefault(row["of"], []).append(source)
    return {of: tuple(dict.fromkeys(sources)) for of, sources in found.items()}


def _acts(rows: list[dict[str, str]], sources: dict[str, tuple[Source, ...]]) -> dict[str, Act]:
    by_act: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_act.setdefault(row["act"], []).append(row)
    return {
        iri: Act(
            iri,
            told[0]["name"],
            told[0]["state"].rpartition("/")[2],
            told[0]["stateName"],
            tuple(dict.fromkeys(row["reference"] for row in told if "reference" in row)),
            min((row["applies"] for row in told if "applies" in row), default=""),
            max((row["ends"] for row in told if "ends" in row), default=""),
            tuple(dict.fromkeys(row["jurisdiction"] for row in told if "jurisdiction" in row)),
            sources.get(iri, ()),
        )
        for iri, told in by_act.items()
    }


def _law(
    rates: list[dict[str, str]],
    acts: dict[str, Act],
    sources: dict[str, tuple[Source, ...]],
    drafted: list[dict[str, str]],
    members: list[dict[str, str]],
) -> Law:
    unions: dict[str, list[tuple[str, str, str]]] = {}
    for row in members:
        unions.setdefault(row["member"], []).append((row["union"], row.get("from", ""), row.get("to", "")))
    return Law(
        {row["rate"]: _rate(row, acts, sources.get(row["rate"], ())) for row in rates},
        tuple(Drafted(acts[row["act"]], row["said"], row["percent"]) for row in drafted if row["act"] in acts),
        {member: tuple(told) for member, told in unions.items()},
    )


def _rate(row: dict[str, str], acts: dict[str, Act], sources: tuple[Source, ...]) -> Rate:
    floor = f"at least {row['floor']} {row['currency'].rpartition('CCY_')[2]} a car" if "floor" in row else ""
    return Rate(
        row["rate"],
        row["measure"],
        row["measureName"],
        row["kind"].rpartition("/")[2],
        row["kindName"],
        row["importer"],
        _number(row.get("percent")),
        _number(row.get("least")),
        _number(row.get("most")),
        floor,
        row.get("from", ""),
        row.get("to", ""),
        row.get("surely", ""),
        int(row["specificity"]),
        row.get("case", ""),
        row.get("condition", ""),
        row.get("collected") == "false",
        tuple((scope, name) for scope, sign, name in (text.partition("=") for text in row.get("groups", "").split("|")) if sign),
        tuple(acts[iri] for iri in row.get("acts", "").split() if iri in acts),
        sources,
    )
