"""Maps as SVG: outlines of land and borders for an area, points on them with their names.

The world is drawn in the Equal Earth projection (Šavrič, Patterson and Jenny 2018), a part of it equirectangular about its
middle. A picture has no words of its own but the names; the page beside it says the same as a list.
"""

from __future__ import annotations

import gzip
import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from html import escape
from itertools import accumulate, groupby
from math import asin, cos, radians, sin, sqrt
from typing import Any

from motorgraph.resources import web

UNITS = 2  # of a path to a pixel: half a pixel is enough, and whole numbers are short
MARGIN = 0.03  # of an area beyond it, to which outlines are drawn
MOST_KEPT = 500  # outlines of areas
LEAST_RING = 3.0  # square pixels: a smaller island is left out
CHARACTER, LINE = 6.6, 14.0  # of a name, in pixels
MOST_NAMED = 9  # points of one picture, the first of them
LEAST_SPAN = 6.0  # degrees of latitude that a map shows at least
NEAR, FAR = "countries-50m.json.gz", "countries-110m.json.gz"
_EQUAL_EARTH = (1.340264, -0.081106, 0.000893, 0.003796)

Place = tuple[float, float]
"""Across and down in a picture, or longitude and latitude."""
Box = tuple[float, float, float, float]
"""From left and low to right and high."""


@dataclass(frozen=True)
class Area:
    """A part of the world between meridians and parallels, in degrees, and how wide its picture is, in pixels."""

    west: float
    south: float
    east: float
    north: float
    width: int
    is_world: bool = False

    @classmethod
    def around(cls, places: Sequence[Place], width: int, margin: float = 2.5) -> Area:
        """The area that holds these longitudes and latitudes with `margin` degrees of latitude on each side."""
        wests, souths = [lon for lon, _ in places], [lat for _, lat in places]
        south, north = max(min(souths) - margin, -85.0), min(max(souths) + margin, 85.0)
        middle, missing = (south + north) / 2, max(0.0, LEAST_SPAN - (north - south)) / 2
        across = margin / max(cos(radians(middle)), 0.1)
        west, east = min(wests) - across, max(wests) + across
        least = LEAST_SPAN / max(cos(radians(middle)), 0.1)
        wide = max(0.0, least - (east - west)) / 2
        return cls(west - wide, south - missing, east + wide, north + missing, width)

    def shaped(self, ratio: float) -> Area:
        """The same, with as much more at its sides as makes it at least `ratio` times as wide as it is high."""
        across = (self.north - self.south) * ratio / max(cos(radians((self.south + self.north) / 2)), 0.1)
        wide = max(0.0, across - (self.east - self.west)) / 2
        return replace(self, west=self.west - wide, east=self.east + wide)

    @property
    def height(self) -> int:
        """Of the picture, in pixels."""
        return round(self.projection(self.west, self.south)[1])

    @cached_property
    def projection(self) -> Callable[[float, float], Place]:
        """From a longitude and latitude to where they are in the picture, in pixels from its upper left."""
        raw = _equal_earth if self.is_world else partial(_equirectangular, cos(radians((self.north + self.south) / 2)))
        left, top = raw(self.west, 0)[0], raw(0, self.north)[1]
        scale = self.width / (raw(self.east, 0)[0] - left)

        def placed(lon: float, lat: float) -> Place:
            across, down = raw(lon, lat)
            return (across - left) * scale, (down - top) * scale

        return placed

    def shows(self, lon: float, lat: float) -> bool:
        """Whether the area holds a point."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north

    @property
    def name(self) -> str:
        """Tells it from others."""
        return f"{self.west:.1f} {self.south:.1f} {self.east:.1f} {self.north:.1f}"

    @property
    def bounds(self) -> Box:
        """The area and a margin, to which outlines are drawn: west, south, east, north."""
        across, up = (self.east - self.west) * MARGIN, (self.north - self.south) * MARGIN
        return self.west - across, self.south - up, self.east + across, self.north + up


def _equirectangular(squeeze: float, lon: float, lat: float) -> Place:
    return lon * squeeze, -lat


def _equal_earth(lon: float, lat: float) -> Place:
    one, two, three, four = _EQUAL_EARTH
    theta = asin(sqrt(3) / 2 * sin(radians(lat)))
    square = theta * theta
    sixth = square**3
    slope = 3 * (9 * four * square * sixth + 7 * three * sixth + 3 * two * square + one)
    return 2 * sqrt(3) * radians(lon) * cos(theta) / slope, -theta * (four * square * sixth + three * sixth + two * square + one)


WORLD = Area(-168.0, -56.0, 180.0, 74.0, 1180, is_world=True)
EUROPE = Area(-11.0, 35.5, 32.0, 62.0, 358)


@dataclass(frozen=True, slots=True)
class Point:
    """What is on a map: where, how it is drawn (`open`, `closed`, `unknown`, `deal`), and for what is named its name and more."""

    lon: float
    lat: float
    kind: str = "open"
    name: str = ""
    note: str = ""
    page: str = ""


class Topology:
    """A TopoJSON file (https://github.com/topojson/topojson-specification): arcs that coasts and borders share."""

    def __init__(self, name: str) -> None:
        """Reads one of the files that ship."""
        document = json.loads(gzip.decompress((web("atlas") / name).read_bytes()))
        transform = document["transform"]
        self._arcs = [_decoded(arc, transform["scale"], transform["translate"]) for arc in document["arcs"]]
        self._boxes = [(min(lons), min(lats), max(lons), max(lats)) for lons, lats in self._arcs]
        self._coasts = list(_rings(document["objects"]["land"]))
        uses = Counter(number if number >= 0 else ~number for ring in _rings(document["objects"]["countries"]) for number in ring)
        self._borders = [number for number, count in uses.items() if count > 1]

    def coasts(self, bounds: Box) -> Iterator[list[Place]]:
        """The rings of land that may reach into a box, as longitudes and latitudes."""
        for ring in self._coasts:
            boxes = [self._boxes[number if number >= 0 else ~number] for number in ring]
            wests, souths, easts, norths = zip(*boxes, strict=True)
            if _meet((min(wests), min(souths), max(easts), max(norths)), bounds):
                yield from _unrolled([place for number in ring for place in self._arc(number)])

    def borders(self, bounds: Box) -> Iterator[list[Place]]:
        """The lines between two countries that may reach into a box."""
        for number in self._borders:
            if _meet(self._boxes[number], bounds):
                yield from _unrolled(self._arc(number))

    def _arc(self, number: int) -> list[Place]:
        """The places of an arc; a negative number is that of one that is gone backwards."""
        lons, lats = self._arcs[number if number >= 0 else ~number]
        places = list(zip(lons, lats, strict=True))
        return places if number >= 0 else places[::-1]


def _unrolled(places: list[Place]) -> Iterator[list[Place]]:
    """A line that does not jump where it crosses the meridian of 180 degrees, and the same from the other side of the map."""
    turns, last, found = 0, places[0][0], []
    for lon, lat in places:
        turns += (lon - last < -180) - (lon - last > 180)
        found.append((lon + 360 * turns, lat))
        last = lon
    yield found
    for turn in ((-360,) if max(lon for lon, _ in found) > 180 else ()), ((360,) if min(lon for lon, _ in found) < -180 else ()):
        for by in turn:
            yield [(lon + by, lat) for lon, lat in found]


def _decoded(arc: Sequence[Sequence[int]], scale: Sequence[float], start: Sequence[float]) -> tuple[array[float], array[float]]:
    """An arc, whose every place is told from the one before, as longitudes and latitudes."""
    (by_x, by_y), (left, low) = scale, start
    xs, ys = accumulate(step[0] for step in arc), accumulate(step[1] for step in arc)
    return array("f", [x * by_x + left for x in xs]), array("f", [y * by_y + low for y in ys])


def _rings(shapes: Any) -> Iterator[list[int]]:  # Any: JSON as it is
    """The arcs of each ring of a collection of polygons."""
    for shape in shapes["geometries"]:
        for polygon in [shape["arcs"]] if shape["type"] == "Polygon" else shape.get("arcs", []):
            yield from polygon


class Atlas:
    """Draws maps; the outlines of an area are kept once they are drawn."""

    def __init__(self) -> None:
        self._drawn: dict[Area, str] = {}

    @cached_property
    def _near(self) -> Topology:
        return Topology(NEAR)

    @cached_property
    def _far(self) -> Topology:
        return Topology(FAR)

    def picture(self, points: Iterable[Point], area: Area, title: str, classes: str = "") -> str:
        """An SVG of an area with the points in it. `title` says in words what there is to see."""
        shown = [point for point in points if area.shows(point.lon, point.lat)]
        dots = "".join(_dots(kind, [p for p in shown if p.kind == kind], area) for kind in ("unknown", "closed", "open"))
        named = _named([point for point in shown if point.kind == "deal" or point.name], area)
        return self.framed(dots + named, area, title, classes)

    def framed(self, inside: str, area: Area, title: str, classes: str = "") -> str:
        """An SVG of an area with what was drawn to stand in it."""
        role = "group" if "<a " in inside else "img"  # what is in a picture of role img cannot be a link
        told = f'role="{role}" aria-label="{escape(title)}"' if title else 'aria-hidden="true"'
        frame = f'<svg class="map {escape(classes)}" viewBox="0 0 {area.width} {area.height}" data-area="{area.name}" {told}>'
        return f"{frame}{self._outlines(area)}{inside}</svg>"

    def _outlines(self, area: Area) -> str:
        if area not in self._drawn:
            topology, bounds, place = self._far if area.is_world else self._near, area.bounds, area.projection
            land = "".join(_path([place(*p) for p in _clipped(ring, bounds)], is_closed=True) for ring in topology.coasts(bounds))
            lines = (line for arc in topology.borders(bounds) for line in _within(arc, bounds))
            borders = "".join(_path([place(*p) for p in line], is_closed=False) for line in lines)
            group = f'<g transform="scale({1 / UNITS:g})">'
            if len(self._drawn) >= MOST_KEPT:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[area] = f'{group}<path class="land" d="{land}"/><path class="border" d="{borders}"/></g>'
        return self._drawn[area]


def _clipped(ring: list[Place], bounds: Box) -> list[Place]:
    """The part of a ring that is in a box (Sutherland and Hodgman 1974)."""
    for axis, limit, sign in ((0, bounds[0], 1), (0, bounds[2], -1), (1, bounds[1], 1), (1, bounds[3], -1)):
        if ring:
            ring = list(_beside(ring, axis, limit, sign))
    return ring


def _beside(ring: list[Place], axis: int, limit: float, sign: int) -> Iterator[Place]:
    """The part of a ring on one side of a line."""
    last = ring[-1]
    was_in = (last[axis] - limit) * sign >= 0
    for place in ring:
        is_in = (place[axis] - limit) * sign >= 0
        if was_in != is_in:
            part = (limit - last[axis]) / (place[axis] - last[axis])
            yield last[0] + part * (place[0] - last[0]), last[1] + part * (place[1] - last[1])
        if is_in:
            yield place
        last, was_in = place, is_in


def _within(arc: list[Place], bounds: Box) -> Iterator[list[Place]]:
    """The stretches of a line that are in a box."""
    west, south, east, north = bounds
    for is_in, stretch in groupby(arc, lambda place: west <= place[0] <= east and south <= place[1] <= north):
        if is_in:
            yield list(stretch)


def _path(places: list[Place], *, is_closed: bool) -> str:
    """A path in whole units, each step told from the one before; "" for what is too small to be seen."""
    if is_closed and _size(places) < LEAST_RING:
        return ""
    steps, last = [], None
    for across, down in places:
        here = round(across * UNITS), round(down * UNITS)
        if last is None:
            steps.append(f"M{here[0]},{here[1]}l")
        elif abs(here[0] - last[0]) + abs(here[1] - last[1]) < UNITS:
            continue
        else:
            steps.append(f"{here[0] - last[0]},{here[1] - last[1]} ")
        last = here
    if len(steps) < (3 if is_closed else 2):
        return ""
    return "".join(steps).rstrip().replace(" -", "-").replace(",-", "-") + ("z" if is_closed else "")


def _size(ring: list[Place]) -> float:
    """The area of a ring, in square pixels."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], *ring[:1]], strict=True))) / 2


def _dots(kind: str, points: Sequence[Point], area: Area) -> str:
    """All points of a kind as one path of dots."""
    places = sorted({tuple(round(part, 1) for part in area.projection(p.lon, p.lat)) for p in points})
    path = "".join(f"M{across:g},{down:g}h0" for across, down in places)
    if not path:
        return ""
    hole = f'<path class="dots hole" d="{path}"/>' if kind != "open" else ""
    return f'<path class="dots dots-{kind}" d="{path}"/>{hole}'


def _named(points: Sequence[Point], area: Area) -> str:
    """A larger dot for each, and the names of the first where there is room."""
    places = [area.projection(point.lon, point.lat) for point in points]
    drawn = "".join(
        f'<circle class="dot-{escape(point.kind)}" cx="{across:.1f}" cy="{down:.1f}" r="5"/>'
        for point, (across, down) in zip(points, places, strict=True)
    )
    return drawn + labels(points, area)


def labels(points: Sequence[Point], area: Area) -> str:
    """The names of the first of some points, where there is room beside all of them; what a note says is said once."""
    places = [area.projection(point.lon, point.lat) for point in points]
    taken = [(across - 5, down - 5, across + 5, down + 5) for across, down in places]
    drawn = []
    told: set[str] = set()
    for point, (across, down) in zip(points, places, strict=True):
        lines = [point.name, *([point.note] if point.note else [])] if point.name else []
        if not lines or point.note in told or point.name in told or len(told) >= 2 * MOST_NAMED:
            continue
        spot = _spot(lines, (across, down), taken, area)
        if spot:
            told |= {point.name, point.note or point.name}
            drawn.append(_label(point, lines, (across, down), spot))
    return "".join(drawn)


def _spot(lines: Sequence[str], at: Place, taken: list[Box], area: Area) -> tuple[float, float, str] | None:
    """Where a name of these lines fits beside a point: where it starts, and which way it goes; None if nowhere."""
    wide, high = max(map(len, lines)) * CHARACTER, LINE * len(lines)
    for reach in (10, 26, 48):
        for way, lift in ((1, 0), (-1, 0), (1, -reach), (-1, -reach), (1, reach), (-1, reach)):
            start, top = at[0] + way * reach, at[1] + lift - high / 2
            box = (start if way > 0 else start - wide, top, start + wide if way > 0 else start, top + high)
            is_inside = box[0] >= 2 and box[1] >= 2 and box[2] <= area.width - 2 and box[3] <= area.height - 2
            if is_inside and not any(_meet(box, other) for other in taken):
                taken.append(box)
                return start, top, "start" if way > 0 else "end"
    return None


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _label(point: Point, lines: Sequence[str], at: Place, spot: tuple[float, float, str]) -> str:
    start, top, anchor = spot
    way = 1 if anchor == "start" else -1
    middle = top + LINE * len(lines) / 2
    leader = f'<path class="leader" d="M{at[0] + 5 * way:.1f},{at[1]:.1f}L{start - 2 * way:.1f},{middle:.1f}"/>'
    words = "".join(
        f'<text class="halo {"b" if number == 0 else "dim"}" x="{start:.1f}" y="{top + LINE * (number + 0.8):.1f}"'
        f' text-anchor="{anchor}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    is_away = abs(start - at[0]) > 12 or abs(middle - at[1]) > 6
    return (leader if is_away else "") + (f'<a href="{escape(point.page)}">{words}</a>' if point.page else words)
