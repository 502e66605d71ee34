"""Pictures of an answer, made from its rows: the plants that they name on a map, their days in time, their numbers as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import escape

import pyoxigraph as ox

from motorgraph.address import local
from motorgraph.answers import DATE_TYPE, NUMBER, PERCENT, Reply, Row
from motorgraph.atlas import WORLD, Area, Atlas, Point
from motorgraph.inquiry import Inquiry, Several
from motorgraph.renderings import words
from motorgraph.stores.embedded import Embedded

VIEWS = {"map": "On a map", "time": "In time", "chart": "As bars", "table": "Table only"}
MOST_DRAWN = 60
"""Rows in a picture."""
MOST_NAMED = 20
MOST_YEARS = 7
RATIO = 2.2
"""How many times a map is at least as wide as it is high."""
TOP = 30
_PLACED = """PREFIX mg: <{base}/ontology/> PREFIX wgs: <http://www.w3.org/2003/01/geo/wgs84_pos#>
SELECT ?thing (SAMPLE(?y) AS ?lat) (SAMPLE(?x) AS ?long) {{ VALUES ?thing {{ $things }}
  ?thing mg:unitOf? ?site . ?site wgs:lat ?y ; wgs:long ?x }} GROUP BY ?thing"""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a picture of rows is drawn on, in pixels: its width, the room for names at the left (0: they stand above), the height
    of a row."""

    width: int
    room: int
    row: int
    classes: str

    @property
    def left(self) -> int:
        """Where what is drawn begins."""
        return self.room + 14

    @property
    def right(self) -> int:
        """Where it ends at most; behind it there is room for a number."""
        return self.width - 150

    def middle(self, place: int) -> float:
        """The height at which a row is drawn."""
        return TOP + (place + 0.5) * self.row + (0 if self.room else 8)

    def height(self, rows: int) -> float:
        """Of a picture of so many rows."""
        return TOP + rows * self.row + 6

    def names(self, text: str) -> str:
        """A name as long as there is room for."""
        most = (self.room or self.width) // 7
        return text if len(text) <= most else text[: most - 1].rstrip() + "…"


WIDE, NARROW = Sheet(1180, 420, 24, "not-phone"), Sheet(358, 0, 44, "only-phone")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: which of the views, the drawings of it, and what it leaves out."""

    view: str
    drawn: tuple[str, ...]
    words: str


class Pictures:
    """Draws answers."""

    def __init__(self, store: Embedded) -> None:
        self._base = store.settings.base
        self._inquiry = Inquiry(store)
        self._atlas = Atlas()

    def views(self, reply: Reply) -> list[str]:
        """The views that an answer has, the likeliest first; the table is one, and nothing is drawn where there is no other."""
        found = []
        if any(self._is_site(thing) for row in reply.rows for thing in row.things):
            found.append("map")
        if len({day for _, day in _dated(reply)}) > 1:
            found.append("time")
        if len(_measured(reply)[1]) > 1:
            found.append("chart")
        return [*found, "table"]

    async def picture(self, reply: Reply, view: str, commit: int) -> Picture | None:
        """The picture that a view is, None for the table, or if no place is known."""
        if view == "map":
            return await self._map(reply, commit)
        return {"time": _times, "chart": _bars}[view](reply) if view in ("time", "chart") else None

    async def _map(self, reply: Reply, commit: int) -> Picture | None:
        names = {
            thing: words(cell)
            for row in reply.rows
            for cell, thing in zip(row.cells, row.things, strict=True)
            if self._is_site(thing)
        }
        things = Several(tuple(map(ox.NamedNode, names)))
        _, rows = await self._inquiry.told(_PLACED.format(base=self._base), {"things": things}, commit)
        if not rows:
            return None
        is_named = len(rows) <= MOST_NAMED
        points = [
            Point(float(r["long"]), float(r["lat"]), "open", names[r["thing"]], "", local(r["thing"], self._base)) for r in rows
        ]
        points = points if is_named else [replace(point, name="", page="") for point in points]
        title = f"Map of {len(points)} plants; the table holds the same."
        area = _area(points)
        small = [replace(point, name="", page="") for point in points] if len(points) > MOST_NAMED // 4 else points
        drawn = (
            self._atlas.picture(points, replace(area, width=WIDE.width), title, WIDE.classes),
            self._atlas.picture(small, replace(area, width=NARROW.width), title, NARROW.classes),
        )
        missing = len(names) - len(points)
        left = f" Without a place on record: {missing}." if missing else ""
        return Picture(
            "map", drawn, f"A dot is the centre of a town.{left} Places from GeoNames (CC BY 4.0), outlines from Natural Earth."
        )

    def _is_site(self, thing: str) -> bool:
        return thing.startswith((f"{self._base}/id/plant/", f"{self._base}/id/plant-unit/"))


def _area(points: Sequence[Point]) -> Area:
    """What holds the points: a part of the world, or all of it where they lie far apart."""
    places = [(point.lon, point.lat) for point in points]
    area = Area.around(places, WIDE.width)
    return WORLD if area.east - area.west > 100 or area.north - area.south > 50 else area.shaped(RATIO)


def _column(reply: Reply, kinds: Sequence[str]) -> int | None:
    """The first column of one of some kinds, the first kind going first."""
    return next((at for kind in kinds for at, column in enumerate(reply.columns) if column.type == kind), None)


def _dated(reply: Reply) -> list[tuple[Row, date]]:
    """The rows that have a day, in order of it."""
    at = _column(reply, (DATE_TYPE,))
    if at is None:
        return []
    told = [(row, words(row.cells[at])) for row in reply.rows]
    return sorted(((row, date.fromisoformat(day[:10])) for row, day in told if day), key=lambda pair: pair[1])


def _measured(reply: Reply) -> tuple[int | None, list[tuple[Row, float]]]:
    """The column with numbers that counts, and the rows that have one."""
    at = _column(reply, (PERCENT, NUMBER))
    told = [] if at is None else [(row, words(row.cells[at])) for row in reply.rows]
    return at, [(row, float(number)) for row, number in told if _is_number(number)]


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False


def _named(reply: Reply, row: Row, *without: int | None) -> str:
    """What a row is called: the first two of its cells that tell it from others."""
    tells = [
        at for at in range(len(row.cells)) if at not in without and len({words(other.cells[at]) for other in reply.rows}) > 1
    ]
    said = [words(row.cells[at]) for at in tells if reply.columns[at].type not in (NUMBER, PERCENT, DATE_TYPE)]
    return ", ".join([text for text in said if text][:2]) or words(row.cells[0])


def _times(reply: Reply) -> Picture:
    """Each dated row with its day, and the number that goes with it, on one scale."""
    dated = _dated(reply)
    shown = dated[:MOST_DRAWN]
    numbered, _ = _measured(reply)
    where, until, *_ = [*(at for at, column in enumerate(reply.columns) if column.type == DATE_TYPE), None, None]
    ends = [day if until is None else _day(row, until) for row, day in shown]
    scale = _Scale(shown[0][1], max([shown[-1][1], *filter(None, ends)]))
    title = f"{len(shown)} rows from {scale.first} to {scale.last}"

    def drawn(sheet: Sheet) -> str:
        lines = []
        for place, (row, day) in enumerate(shown):
            x, y = scale.x(sheet, day), sheet.middle(place)
            told = ", ".join(filter(None, (day.isoformat(), _value(reply, row, numbered))))
            lines.append(_name(sheet, _named(reply, row, where), y))
            lines.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
            end = scale.x(sheet, ends[place] or scale.last)
            lines.append(f'<path class="span" d="M{x:.1f} {y:.1f}v9H{end:.1f}"/>' if end > x else "")
            lines.append(f'<text class="dim" x="{x + 8:.1f}" y="{y + 4:.1f}">{escape(told)}</text>')
        return _framed(sheet, len(shown), scale.axis(sheet, sheet.height(len(shown))) + "".join(lines), title)

    without = len(reply.rows) - len(dated)
    left = f"Rows without a day: {without}. " if without else ""
    return Picture("time", (drawn(WIDE), drawn(NARROW)), left + _cut(len(dated)))


def _day(row: Row, at: int) -> date | None:
    """The day in a cell; None where the time has no end on record."""
    text = words(row.cells[at])
    return date.fromisoformat(text[:10]) if text else None


@dataclass(frozen=True, slots=True)
class _Scale:
    """Days from the first to the last, across the sheets."""

    first: date
    last: date

    def x(self, sheet: Sheet, day: date) -> float:
        """Where a day stands."""
        return sheet.left + (sheet.right - sheet.left) * (day - self.first).days / max((self.last - self.first).days, 1)

    def axis(self, sheet: Sheet, height: float) -> str:
        """A line and a number for each year, or for some of many."""
        years = range(self.first.year + 1, self.last.year + 1)
        drawn = []
        for year in years[:: max(1, -(-len(years) // MOST_YEARS))]:
            x = self.x(sheet, date(year, 1, 1))
            drawn.append(f'<path class="axis" d="M{x:.1f},18V{height:g}"/><text class="dim" x="{x + 3:.1f}" y="13">{year}</text>')
        return "".join(drawn)


def _bars(reply: Reply) -> Picture:
    """Each number as a bar, all on one scale."""
    at, measured = _measured(reply)
    assert at is not None
    shown = measured[:MOST_DRAWN]
    most = max(number for _, number in shown) or 1.0

    def drawn(sheet: Sheet) -> str:
        lines = []
        for place, (row, number) in enumerate(shown):
            y, wide = sheet.middle(place), (sheet.right - sheet.left) * number / most
            lines.append(_name(sheet, _named(reply, row, at), y))
            lines.append(f'<rect class="dot" x="{sheet.left}" y="{y - 6:.1f}" width="{wide:.1f}" height="12"/>')
            value = escape(_value(reply, row, at))
            lines.append(f'<text class="dim" x="{sheet.left + wide + 6:.1f}" y="{y + 4:.1f}">{value}</text>')
        return _framed(sheet, len(shown), "".join(lines), f"{reply.columns[at].label} of {len(shown)} rows")

    without = len(reply.rows) - len(measured)
    left = f"Rows without a number: {without}. " if without else ""
    return Picture("chart", (drawn(WIDE), drawn(NARROW)), f"{reply.columns[at].label.capitalize()}. {left}" + _cut(len(measured)))


def _value(reply: Reply, row: Row, at: int | None) -> str:
    """The number in a cell as a reader has it, "" if there is none."""
    text = "" if at is None else words(row.cells[at])
    if at is None or not _is_number(text):
        return ""
    return f"{float(text):,.10g}{' %' if reply.columns[at].type == PERCENT else ''}"


def _cut(count: int) -> str:
    return f"The first {MOST_DRAWN} of {count} are drawn." if count > MOST_DRAWN else ""


def _name(sheet: Sheet, text: str, middle: float) -> str:
    x, y = (0, middle + 4) if sheet.room else (0, middle - 11)
    return f'<text x="{x}" y="{y:.1f}">{escape(sheet.names(text))}</text>'


def _framed(sheet: Sheet, rows: int, inside: str, title: str) -> str:
    told = f'role="img" aria-label="{escape(title)}; the table holds the same."'
    return f'<svg class="rows {sheet.classes}" viewBox="0 0 {sheet.width} {sheet.height(rows):g}" {told}>{inside}</svg>'
