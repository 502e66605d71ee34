"""Deals that would open a route: arrangements of a maker that name a plant, how they stand, and who says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.inquiry import Inquiry
from motorgraph.marks import Mark, mark
from motorgraph.stores.embedded import Embedded

MARKS = {
    "rumoured": "study",
    "in-talks": "study",
    "letter-of-intent": "planned",
    "memorandum": "planned",
    "agreed": "planned",
    "approved": "planned",
    "planned": "planned",
    "under-construction": "planned",
    "completed": "accepted",
    "operating": "accepted",
    "producing": "accepted",
    "denied": "denied",
}
"""The glyph of a status; one that is not here is past."""
MOST_CLAIMS = 40
_PREFIXES = """PREFIX mg: <{base}/ontology/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX schema: <https://schema.org/>
"""
_DEALS = """SELECT DISTINCT ?plant ?deal ?name ?status ?word ?successor {{
  {{ SELECT DISTINCT ?deal ?site {{
    {{ ?deal mg:concernsPlant ?site . }}
    UNION {{ ?naming mg:predicate ?how ; mg:subject ?site ; mg:object ?part .
      FILTER(?how IN (mg:leadingSiteFor, mg:candidateSiteFor))
      ?division mg:predicate mg:hasComponent ; mg:subject ?deal ; mg:object ?part . }}
    UNION {{ ?naming mg:predicate mg:concernsPlant ; mg:subject ?deal ; mg:object ?site . }}
  }} }}
  ?site mg:unitOf? ?plant . ?plant a mg:Plant .
  ?deal skos:prefLabel ?name .
  OPTIONAL {{ ?deal mg:currentStatus ?status . ?status skos:prefLabel ?word }}
  OPTIONAL {{ ?deal dcterms:isReplacedBy/skos:prefLabel ?successor }}
}} ORDER BY ?plant ?deal"""
_PARTIES = "SELECT DISTINCT ?deal ?party {{ ?role mg:inDeal ?deal ; mg:party ?party }}"
_EVENTS = """SELECT ?deal ?status ?word ?day {{ ?event mg:statusOf ?deal ; mg:newStatus ?status ; mg:onDate ?day .
  ?status skos:prefLabel ?word }} ORDER BY ?deal ?day"""
_SAID = """SELECT DISTINCT ?deal ?plant ?claim ?text ?stance ?modality ?who ?day ?count ?anonymity
  ?document ?title ?url ?outlet {{
  {{ ?event mg:statusOf ?deal . ?proposition mg:aboutNode ?event }}
  UNION {{ ?proposition mg:subject ?deal ; mg:predicate mg:concernsPlant ; mg:object ?plant }}
  UNION {{ ?proposition mg:subject ?deal ; mg:predicate ?matter . FILTER(?matter IN (mg:currentStatus, mg:dealKind)) }}
  UNION {{ ?proposition mg:subject ?plant ; mg:predicate ?how ; mg:object ?part .
    FILTER(?how IN (mg:leadingSiteFor, mg:candidateSiteFor))
    ?division mg:predicate mg:hasComponent ; mg:subject ?deal ; mg:object ?part }}
  UNION {{ ?proposition mg:aboutNode ?deal }}
  ?deal a mg:Deal . ?proposition mg:statementText ?text .
  ?claim mg:proposition ?proposition ; mg:stance ?stance ; mg:modality ?modality ; mg:foundIn ?document ;
    mg:assertedBy/skos:prefLabel ?who .
  ?document dcterms:title ?title .
  OPTIONAL {{ ?document schema:url ?url }}
  OPTIONAL {{ ?document dcterms:publisher/skos:prefLabel ?outlet }}
  OPTIONAL {{ ?claim mg:reportedOn ?day }}
  OPTIONAL {{ ?claim mg:attributedTo/mg:sourceCount ?count }}
  OPTIONAL {{ ?claim mg:attributedTo/mg:anonymity/skos:prefLabel ?anonymity }}
}} ORDER BY ?deal ?day ?claim"""
_FAMILY = """SELECT DISTINCT ?kin {{ {{ $maker (mg:brandOf|mg:parent)* ?kin }}
  UNION {{ $maker mg:brandOf?/(^mg:parent)* ?kin }} }}"""


@dataclass(frozen=True, slots=True)
class Said:
    """One claim on a deal: what it says, how sure it is, who says so, how many people are behind it, when, in which document."""

    claim: str
    text: str
    mark: Mark
    who: str
    behind: str
    day: str
    document: str
    title: str
    url: str
    outlet: str

    def as_json(self) -> dict[str, object]:
        """As a member of an answer."""
        source = {"iri": self.document, "title": self.title, "url": self.url or None, "publisher": self.outlet or None}
        return {
            "claim": self.claim,
            "text": self.text,
            "mark": self.mark.word,
            "said_by": self.who,
            "people": self.behind or None,
            "date": self.day or None,
            "source": source,
        }


@dataclass(frozen=True, slots=True)
class Opening:
    """A deal: its status (as a mark, with the day of the newest news of it), and what is said of it."""

    iri: str
    name: str
    mark: Mark
    since: str
    successor: str
    said: tuple[Said, ...]

    def as_json(self) -> dict[str, object]:
        """As a member of an answer."""
        return {
            "iri": self.iri,
            "label": self.name,
            "status": self.mark.word.lower(),
            "since": self.since or None,
            "superseded_by": self.successor or None,
            "claims": [said.as_json() for said in self.said],
        }


class Openings:
    """The deals of the graph at a commit (0: the newest) that name plants."""

    def __init__(self, store: Embedded, commit: int = 0) -> None:
        self._store = store
        self._inquiry = Inquiry(store, commit)
        self._base = store.settings.base
        self._commit = 0
        self._by_plant: dict[str, tuple[Opening, ...]] = {}
        self._parties: dict[str, set[str]] = {}
        self._families: dict[str, frozenset[str]] = {}

    async def of(self, maker: str, place: str) -> tuple[Opening, ...]:
        """The deals of a maker, or of a company of its family, that name a plant or a hall of it."""
        await self._read()
        deals = self._by_plant.get(place, ())
        if not deals:
            return ()
        family = await self._family(maker)
        return tuple(deal for deal in deals if self._parties.get(deal.iri, set()) & family)

    async def _family(self, maker: str) -> frozenset[str]:
        if maker not in self._families:
            rows = await self._inquiry.rows(_PREFIXES.format(base=self._base) + _FAMILY.format(), maker=ox.NamedNode(maker))
            self._families[maker] = frozenset({maker, *(row["kin"] for row in rows)})
        return self._families[maker]

    async def _read(self) -> None:
        if self._commit == self._store.commit:
            return
        commit = self._store.commit
        texts = [(_PREFIXES + text).format(base=self._base) for text in (_DEALS, _PARTIES, _EVENTS, _SAID)]
        deals, parties, events, said = await asyncio.gather(*map(self._inquiry.rows, texts))
        partners: dict[str, set[str]] = {}
        for row in parties:
            partners.setdefault(row["deal"], set()).add(row["party"])
        newest = {row["deal"]: row for row in events}
        by_plant: dict[str, list[Opening]] = {}
        for row in deals:
            by_plant.setdefault(row["plant"], []).append(_opening(row, newest.get(row["deal"]), said))
        self._parties, self._families = partners, {}
        self._by_plant = {plant: tuple(sorted(dict.fromkeys(found), key=_past)) for plant, found in by_plant.items()}
        self._commit = commit


def _past(deal: Opening) -> bool:
    return deal.mark.glyph == "superseded"


def _opening(deal: dict[str, str], news: dict[str, str] | None, said: list[dict[str, str]]) -> Opening:
    status = deal.get("status") or (news["status"] if news else "")
    word = deal.get("word") or (news["word"] if news else "not known")
    own = [row for row in said if row["deal"] == deal["deal"] and row.get("plant", deal["plant"]) == deal["plant"]]
    own.sort(key=lambda row: ("plant" in row, row.get("day", "")), reverse=True)
    claims = {row["claim"]: _said(row) for row in own}
    return Opening(
        deal["deal"],
        deal["name"],
        Mark(MARKS.get(status.rpartition("/")[2], "superseded"), word.capitalize()),
        news["day"] if news else "",
        deal.get("successor", ""),
        tuple(claims.values())[:MOST_CLAIMS],
    )


def _said(row: dict[str, str]) -> Said:
    people = " ".join(filter(None, (row.get("count", ""), row.get("anonymity", ""))))
    unnumbered = people and "count" not in row
    return Said(
        row["claim"],
        row["text"],
        mark(row["stance"].rpartition("/")[2], row["modality"].rpartition("/")[2]),
        row["who"],
        f"{people}, number not given" if unnumbered else people,
        row.get("day", ""),
        row["document"],
        row["title"],
        row.get("url", ""),
        row.get("outlet", ""),
    )
