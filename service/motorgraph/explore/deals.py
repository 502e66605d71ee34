"""Deals in time: what happened in each by day, how it stands now, and who acts in it for which group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from motorgraph import marks
from motorgraph.dates import spoken, vague
from motorgraph.explore.control import Control
from motorgraph.explore.sheet import Item, Row, Sheet, Value, last
from motorgraph.marks import Mark

NOW = {"actual", "under-study", "assessed", ""}
"""The modalities of what is told as it is, not as it is to be."""
_QUARTERS = {"33": "1st", "34": "2nd", "35": "3rd", "36": "4th"}  # EDTF, level 2, extended sub-year groupings
_MONTH = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")
TOLD = {
    "events": """?event mg:statusOf ?thing ; mg:newStatus ?state . ?thing a mg:Deal .
  OPTIONAL { ?state mg:statusOrder ?order }
  OPTIONAL { ?event mg:onDate ?on } OPTIONAL { ?event mg:resolvedStart ?start ; mg:resolvedEnd ?end }
  OPTIONAL { ?event mg:dateEDTF ?said } OPTIONAL { ?event mg:acceptedFrom ?accepted }
  OPTIONAL { ?event mg:acceptedFrom|mg:basedOnClaim ?claim . ?claim mg:modality ?modality ; mg:foundIn ?document }""",
    "current": "?thing mg:currentStatus ?state ; mg:dealKind ?kind",
    "accepted": "?thing a mg:Deal ; mg:acceptedFrom ?claim",
    "parts": "{ ?whole mg:hasComponent ?thing } UNION { ?thing a mg:DealComponent }",
    "authorities": "?thing a mg:Authority",
    "claims": """?said mg:subject|mg:object|mg:aboutNode ?thing ; mg:statementText ?text . ?thing a mg:Deal .
  ?claim mg:proposition ?said ; mg:stance ?stance ; mg:modality ?modality ; mg:foundIn ?document .
  OPTIONAL { ?claim mg:reportedOn ?day } OPTIONAL { ?claim mg:assertedBy ?by . ?by skos:prefLabel ?who }""",
}


def is_tie(deal: Item) -> bool:
    """Whether a deal ties groups to each other: it is no part of another, and two groups at least are parties."""
    return "part" not in deal.keys("part") and len(deal.values("group")) > 1


@dataclass(frozen=True, slots=True)
class Event:
    """A change of status: the day, or the first and the day after the last that it may be; how it was said; who told of it."""

    start: str
    end: str
    said: str
    state: str
    order: int
    is_accepted: bool
    is_future: bool
    documents: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The day in words."""
        year, _, part = self.said.partition("-")
        if part in _QUARTERS:
            return f"{_QUARTERS[part]} quarter {year}"
        return vague(self.said) if self.said else spoken(self.start)


def events(rows: Iterable[Row]) -> dict[str, list[Event]]:
    """What happened in each deal by its IRI, the first first; what several claims tell is one event."""
    told: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        if all(is_day(row[name]) for name in ("on", "start", "end") if name in row) and ("on" in row or "start" in row):
            told.setdefault(row["thing"], {}).setdefault(row["event"], []).append(row)
    found = {thing: [_event(group) for group in by_event.values()] for thing, by_event in told.items()}
    return {thing: sorted(_merged(each), key=lambda e: (e.start, e.order)) for thing, each in found.items()}


def is_day(text: str) -> bool:
    """Whether a text is a day that can be reckoned with."""
    try:
        return bool(date.fromisoformat(text[:10]))
    except ValueError:
        return False


def _event(rows: Sequence[Row]) -> Event:
    row = rows[0]
    start, end = row.get("on") or row["start"], "" if "on" in row else row["end"]
    said = "" if "on" in row else row.get("said", "")
    is_future = all(last(each.get("modality", "")) not in NOW for each in rows)
    documents = tuple(dict.fromkeys(each["document"] for each in rows if "document" in each))
    is_accepted = any("accepted" in each for each in rows)
    return Event(start, end, said, last(row["state"]), _order(row.get("order", "")), is_accepted, is_future, documents)


def _order(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _merged(found: Iterable[Event]) -> list[Event]:
    """One event for each status and day."""
    kept: dict[tuple[str, str, bool], Event] = {}
    for event in sorted(found, key=lambda e: not e.is_accepted):
        kept.setdefault((event.start, event.state, event.is_future), event)
    return list(kept.values())


def derived(sheet: Sheet, control: Control) -> None:
    """Fills the columns of deals that no query tells: status, since, year, group, control, standing, part."""
    history = events(sheet.told["events"])
    current = {row["thing"]: last(row["state"]) for row in sheet.told["current"]}
    accepted = {row["thing"] for row in sheet.told["accepted"]}
    parts = {row["thing"] for row in sheet.told["parts"]}
    acting = acting_for(sheet, control)
    names = {value.iri: value for item in sheet.items for value in item.values("party")}
    for item in sheet.items:
        groups = dict.fromkeys(names[acting[value.iri]] for value in item.values("party") if value.iri in acting)
        item.cells["group"] = list(groups)
        seats = (seat for value in item.values("party") for seat in control.territories(value.iri))
        item.cells["control"] = list(dict.fromkeys(seats))
        item.cells["standing"] = [_RECORD if item.iri in accepted else _REPORTED]
        item.cells["part"] = [_PART if item.iri in parts else _WHOLE]
        _tell_status(item, history.get(item.iri, []), current.get(item.iri, ""))


def acting_for(sheet: Sheet, control: Control) -> dict[str, str]:
    """The group of each company that is a party: the highest above it that is a party of a deal too. Authorities have none."""
    authorities = {row["thing"] for row in sheet.told["authorities"]}
    parties = {value.iri for item in sheet.items for value in item.values("party")} - authorities
    return control.groups(parties)


def _tell_status(item: Item, history: Sequence[Event], current: str) -> None:
    today = datetime.now(UTC).date().isoformat()
    past = [event for event in history if not event.is_future and event.start <= today]
    newest = max(past, key=lambda e: (e.start, e.order), default=None)
    state = current or (newest.state if newest else "")
    since = next((event for event in reversed(past) if event.state == state), newest)
    if state:
        item.cells["status"] = [Value(state, marks.status(state).word)]
    if since:
        year = since.start[:4]
        told = since.said if _MONTH.fullmatch(since.said) else year if since.said else since.start[:10]
        item.cells["since"] = [Value(since.start, told)]
        item.cells["year"] = [Value(year, year)]
    item.sources = list(dict.fromkeys([*item.sources, *(d for event in reversed(past) for d in event.documents)]))


@dataclass(frozen=True, slots=True)
class Saying:
    """A claim on a deal: its mark, who says so on which day ("" where that is not told), what, in which document."""

    iri: str
    page: str
    mark: Mark
    who: str
    day: str
    text: str
    document: str


def sayings_of(sheet: Sheet) -> Mapping[str, list[Saying]]:
    """The claims on each deal of a sheet by its IRI, the oldest first, those without a day last."""
    found: dict[str, dict[str, Saying]] = {}
    for row in sheet.told["claims"]:
        mark = marks.mark(last(row["stance"]), last(row["modality"]))
        day = row["day"][:10] if is_day(row.get("day", "")) else ""
        said = Saying(row["claim"], sheet.page(row["claim"]), mark, row.get("who", ""), day, row["text"], row["document"])
        found.setdefault(row["thing"], {})[said.iri] = said
    return {thing: sorted(said.values(), key=lambda s: (not s.day, s.day, s.iri)) for thing, said in found.items()}


def history_of(sheet: Sheet) -> Mapping[str, list[Event]]:
    """What happened in each deal of a sheet."""
    return events(sheet.told["events"])


_RECORD, _REPORTED = Value("on-record", "on record"), Value("as-reported", "as reported")
_WHOLE, _PART = Value("whole", "a deal"), Value("part", "part of a deal")
