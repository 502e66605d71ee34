"""The pages of the explorer: what was found as a table or list with numbered sources, and the pictures of the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from motorgraph import marks
from motorgraph.atlas import Atlas
from motorgraph.explore import lanes, maps, sides
from motorgraph.explore.deals import Saying, history_of, sayings_of
from motorgraph.explore.grid import grids
from motorgraph.explore.kinds import CLAIMS, KINDS, Column, View
from motorgraph.explore.narrowing import LIMIT, Asked, Counted, Facet, Found
from motorgraph.explore.network import LEGEND, Network, Tie, network
from motorgraph.explore.sheet import Document, Item, Sheet, Value, last
from motorgraph.marks import Mark

MOST_VALUES = 2
"""In a cell of a table."""
MOST_SOURCES = 2
"""Numbers that a row shows."""
FIRST = 8
"""Values of a facet that are shown at once."""
LEADING = {
    "plants": ("country", "status", "propulsion"),
    "makers": ("control", "kind"),
    "deals": ("status", "kind", "group"),
    "network": ("group", "control", "status"),
    "claims": ("stance", "modality", "about"),
    "acts": ("jurisdiction", "status", "subject"),
}
"""The facets that the first page of the explorer shows, by kind."""
Values = dict[str, Any]  # Any: what a template takes


@dataclass(slots=True)
class Numbers:
    """The documents of a page, numbered as they are first named."""

    sheet: Sheet
    listed: list[Document] = field(default_factory=list)

    def of(self, iris: Iterable[str]) -> list[int]:
        """The numbers of some documents, as many as a row shows."""
        found = [self.sheet.documents[iri] for iri in iris if iri in self.sheet.documents][:MOST_SOURCES]
        self.listed += [each for each in found if each not in self.listed]
        return [self.listed.index(each) + 1 for each in found]


@dataclass(frozen=True, slots=True)
class Row:
    """A thing in a table: what stands in each column, its mark if it has a status, and the numbers of its sources."""

    item: Item
    cells: list[tuple[Column, list[Value], int]]
    mark: Mark
    sources: list[int]
    more: int


@dataclass(frozen=True, slots=True)
class Told:
    """A deal beside a picture: who says what of it, by mark, and where its claims are listed."""

    row: Row
    said: list[tuple[Mark, str]]
    claims: int
    address: str


@dataclass(frozen=True, slots=True)
class Partner:
    """A group that another works with: their deals by mark, and where both are shown."""

    group: Value
    deals: list[tuple[Mark, Item]]
    address: str


@dataclass(frozen=True, slots=True)
class Picked:
    """What a picture shows before the rest: in words, and the deals of it."""

    words: str
    deals: list[Told]
    address: str
    """Of the picture without it."""


class Gallery:
    """Makes what the pages show."""

    def __init__(self) -> None:
        self._maps = maps.Maps(Atlas())

    def index(self, whole: Sequence[Found]) -> Values:
        """The kinds, each with its leading facets."""
        kinds = []
        for each in whole:
            name = each.asked.kind.name
            leading = [facet for facet in each.facets if facet.column.name in LEADING[name]]
            views = [(view.words, replace(each.asked, view=view.name).address()) for view in each.asked.kind.views[1:]]
            kinds.append((each.asked.kind, len(each.items), each.asked.address(), leading, views))
        return {"kinds": kinds, "at_once": 6}

    def shown(self, found: Found) -> Values:
        """A list with its facets, in the view that is asked for."""
        asked, numbers = found.asked, Numbers(found.sheet)
        drawing = {"sides": _network, "matrix": _network, "list": _network, "timeline": _timeline, "map": self._map}
        view = _view(asked)
        picture = drawing[view.name](found, numbers) if view.name in drawing else {}
        rows = [_row(item, found, numbers) for item in found.part]
        return {
            "asked": asked,
            "kind": asked.kind,
            "found": found,
            "facets": [(facet, _head(facet), facet.values[len(_head(facet)) :]) for facet in found.facets],
            "chosen": [(facet.column, each) for facet in found.facets for each in facet.chosen],
            "clear": Asked(asked.kind, view=asked.view, at=asked.at).address(),
            "whole_world": replace(asked, box=None, offset=0).address() if asked.box else "",
            "newest": replace(asked, at="").address(),
            "ways": [(each, Asked(each, at=asked.at).address()) for each in KINDS.values()],
            "tabs": [(view, replace(asked, view=view.name, offset=0, focus=()).address()) for view in asked.kind.views],
            "view": view,
            "hidden": _hidden(asked),
            "heads": [_ordering(asked, "name", asked.kind.one.capitalize())]
            + [_ordering(asked, column.name, column.words) for column in asked.kind.shown],
            "rows": rows,
            "is_speech": asked.kind is CLAIMS,
            "said": _in_words(found),
            "picture": picture,
            "legend": LEGEND,
            "documents": numbers.listed,
        }

    def _map(self, found: Found, numbers: Numbers) -> Values:
        return {"kind": "map", **self._maps.seen(found)}


def _network(found: Found, numbers: Numbers) -> Values:
    """The network as it is looked at: drawn on two sides, as a matrix, or as a list of who works with whom."""
    made = network(found.items, found.sheet.control)
    focus, picked = _focused(found, made, numbers)

    def where(*iris: str) -> str:
        return replace(found.asked, focus=tuple(last(iri) for iri in iris), offset=0).address() + "#picture"

    view = _view(found.asked).name
    told: Values = {}
    if view == "sides":
        told["drawn"] = [sides.Sides(made, paper, focus, where).picture() for paper in (sides.WIDE, sides.NARROW)]
    elif view == "matrix":
        told["grids"] = list(grids(made, where, frozenset(focus.groups)))
        told["marks"] = list(dict.fromkeys(marks.status(tie.status) for tie in made.ties))
    told["partners"] = _partners(made, focus, where)
    legend = [(line, LEGEND[line], count) for line, count in made.lines.items()]
    groups = len(made.left) + len(made.right)
    words = f"{len(made.ties)} ties between {groups} groups."
    if view == "sides":
        words += " A dotted line is talk; only a solid one builds cars."
    return {"kind": "network", "legend": legend, "words": words, "picked": picked, "network": made, "where": where, **told}


def _partners(made: Network, focus: sides.Focus, where: Callable[..., str]) -> list[tuple[Value, int, list[Partner]]]:
    """Each group with how many ties it has, and whom it works with, those with the most ties first."""
    deals: dict[str, dict[str, list[Item]]] = {}
    for tie in made.ties:
        if focus.lights(tie):
            deals.setdefault(tie.one, {}).setdefault(tie.other, []).append(tie.deal)
            deals.setdefault(tie.other, {}).setdefault(tie.one, []).append(tie.deal)
    groups = {group.iri: group for group in (*made.left, *made.right)}
    listed = []
    for iri, others in sorted(deals.items(), key=lambda pair: (-made.counts[pair[0]], groups[pair[0]].words)):
        partners = [
            Partner(groups[other], [(_mark_of(deal), deal) for deal in between], where(iri, other))
            for other, between in sorted(others.items(), key=lambda pair: (-len(pair[1]), groups[pair[0]].words))
        ]
        listed.append((groups[iri], made.counts[iri], partners))
    return listed


def _mark_of(deal: Item) -> Mark:
    return marks.status(next((value.key for value in deal.values("status")), ""))


def _timeline(found: Found, numbers: Numbers) -> Values:
    history, said, today = history_of(found.sheet), sayings_of(found.sheet), datetime.now(UTC).date()
    deals = [item for item in found.items if history.get(item.iri)]
    deals.sort(key=lambda item: max(event.start for event in history[item.iri]), reverse=True)
    shown = deals[: lanes.MOST_LANES]
    drawn = [lanes.Lanes(shown, history, said, today, paper).picture() for paper in (lanes.WIDE, lanes.NARROW)]
    told = []
    for item in shown:
        happened = [(event, marks.status(event.state), numbers.of(event.documents)) for event in reversed(history[item.iri])]
        claims = [(claim, numbers.of([claim.document])) for claim in reversed(said.get(item.iri, []))]
        told.append((item, happened, claims))
    words = f"{len(deals)} deals with a history, those with the newest first; what is planned stands right of today’s line."
    without = len(found.items) - len(deals)
    heard = list(dict.fromkeys(claim.mark for item in shown for claim in said.get(item.iri, []) if claim.day))
    return {"kind": "timeline", "drawn": drawn, "words": words, "told": told, "without": without, "marks": heard}


def _focused(found: Found, made: Network, numbers: Numbers) -> tuple[sides.Focus, Picked | None]:
    """What the picture is to show before the rest: the groups or the deal with these names, as far as it has them."""
    groups = {last(group.iri): group for group in (*made.left, *made.right)}
    deals: dict[str, list[Tie]] = {}
    for tie in made.ties:
        deals.setdefault(last(tie.deal.iri), []).append(tie)
    chosen = [groups[name] for name in found.asked.focus if name in groups]
    picked = next((deals[name] for name in found.asked.focus if name in deals), [])
    if picked and not chosen:
        ends = {end for tie in picked for end in tie.ends}
        chosen = [group for group in groups.values() if group.iri in ends]
    if not chosen:
        return sides.Focus(), None
    focus = sides.Focus({group.iri for group in chosen}, {tie.deal.iri for tie in picked})
    lit = dict.fromkeys(tie.deal.iri for tie in made.ties if focus.lights(tie))
    listed = [item for item in found.items if item.iri in lit]
    listed.sort(key=lambda item: item.iri not in focus.deals)
    words = " and ".join(group.words for group in chosen)
    said = sayings_of(found.sheet)
    told = [_told(_row(item, found, numbers), said.get(item.iri, ()), found.asked.at) for item in listed]
    return focus, Picked(words, told, replace(found.asked, focus=()).address())


def _told(row: Row, said: Sequence[Saying], at: str) -> Told:
    """A deal with those who say something of it, by mark, each once."""
    by_mark: dict[Mark, dict[str, None]] = {}
    for each in said:
        by_mark.setdefault(each.mark, {})[each.who or "not known"] = None
    address = Asked(CLAIMS, (("thing", (row.item.iri,)),), at=at).address()
    return Told(row, [(mark, ", ".join(who)) for mark, who in by_mark.items()], len(said), address)


def _row(item: Item, found: Found, numbers: Numbers) -> Row:
    cells = []
    for column in found.asked.kind.shown:
        values = item.values(column.name)
        cells.append((column, values[:MOST_VALUES], max(len(values) - MOST_VALUES, 0)))
    if found.asked.kind is CLAIMS:
        stance, modality = (next((v.key for v in item.values(name)), "") for name in ("stance", "modality"))
        mark = marks.mark(stance, modality)
    else:
        mark = marks.status(next((value.key for value in item.values("status")), ""))
    return Row(item, cells, mark, numbers.of(item.sources), max(len(item.sources) - MOST_SOURCES, 0))


def _head(facet: Facet) -> list[Counted]:
    """The values of a facet that are shown at once: those that are chosen, and the first."""
    return facet.values[: max(FIRST, len(facet.chosen))]


def _view(asked: Asked) -> View:
    return next((view for view in asked.kind.views if view.name == asked.view), asked.kind.views[0])


def _hidden(asked: Asked) -> list[tuple[str, str]]:
    """What a search in the list keeps."""
    kept = replace(asked, query="", limit=LIMIT, offset=0, focus=()).address()
    return parse_qsl(urlsplit(kept).query)


def _ordering(asked: Asked, name: str, words: str) -> tuple[str, str, str]:
    """A head of the table: its words, where the list is in the order of it, and how it is now ordered by it."""
    sort = asked.sort or asked.kind.sort
    now = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    other = f"-{name}" if now == "ascending" else name
    return words, replace(asked, sort=other, offset=0).address(), now


def _in_words(found: Found) -> str:
    """The title of a list in words: which of the kind."""
    kind, chosen = found.asked.kind, [(facet.column.words, facet.chosen) for facet in found.facets if facet.chosen]
    told = [f"{words.lower()} {' or '.join(each.value.words for each in values)}" for words, values in chosen]
    if found.asked.query:
        told.append(f"called “{found.asked.query}”")
    return f"{kind.words}: {'; '.join(told)}" if told else kind.words
