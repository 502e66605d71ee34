"""Plants on a map of where they are: a dot for each, a number where dots would lie on each other, those of one town around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from math import ceil, cos, floor, log2, pi, sin, sqrt
from typing import Any

from motorgraph import marks
from motorgraph.atlas import EUROPE, WORLD, Area, Atlas, Place, Point, labels
from motorgraph.explore.narrowing import Asked, Box, Found
from motorgraph.explore.sheet import Item

WIDE, NARROW = 900, 358
WIDEST = 110.0
"""Degrees of longitude; what is further apart is shown on the world."""
MOST_COUNTRIES = 8
MOST_NAMED = 40
"""Plants on a map beyond which none is named."""
MOST_CHARACTERS = 32
"""Of a name on a map."""
REACH = 17.0
"""Pixels from each other within which places are one mark."""
NEAR = 0.15
"""Degrees; what is nearer to each other than that no map tells apart, so it stands around its place."""
MOST_AROUND = 24
GOLDEN = pi * (3 - sqrt(5))
TALLEST = {WIDE: 0.72, NARROW: 1.25}
"""How high a map is at most, by its width, as a part of that."""
STANDING = {"open": "working, idle or being built", "closed": "closed or put to other use", "unknown": "not known"}


@dataclass(slots=True)
class Cluster:
    """Plants that one mark stands for, and where it is drawn."""

    x: float
    y: float
    items: list[Item] = field(default_factory=list)

    @property
    def box(self) -> Box:
        """The part of the world that just holds them."""
        places = [_place(item) for item in self.items]
        wests, souths = [lon for lon, _ in places], [lat for _, lat in places]
        return _out(min(wests), -1), _out(min(souths), -1), _out(max(wests), 1), _out(max(souths), 1)

    @property
    def is_one_place(self) -> bool:
        """Whether no map tells them apart."""
        west, south, east, north = self.box
        return east - west < NEAR and north - south < NEAR and len(self.items) <= MOST_AROUND


@dataclass(frozen=True, slots=True)
class Maps:
    """Draws maps of what was found."""

    atlas: Atlas

    def seen(self, found: Found) -> dict[str, Any]:  # Any: what a template takes
        """Two maps, one for a phone, and what is said of them."""
        placed = [item for item in found.items if item.first("longitude") and item.first("latitude")]
        counts = Counter(_standing(item) for item in placed)
        title = f"Map of {len(placed)} plants; the table below holds the same."
        areas = [(_area(found.asked, placed, width), shown) for width, shown in ((WIDE, "not-phone"), (NARROW, "only-phone"))]
        drawn = [self.atlas.framed("".join(_marks(found.asked, placed, area)), area, title, shown) for area, shown in areas]
        missing = len(found.items) - len(placed)
        words = f"{len(placed)} of {len(found.items)} plants have a place on record. A number leads to those that it stands for."
        legend = [(kind, words, counts[kind]) for kind, words in STANDING.items() if counts[kind]]
        return {"drawn": drawn, "legend": legend, "areas": _areas(found), "missing": missing, "words": words}


def _area(asked: Asked, placed: Sequence[Item], width: int) -> Area:
    """The part of the world that holds what was found, not higher than is good to look at."""
    places = [(asked.box[0], asked.box[1]), (asked.box[2], asked.box[3])] if asked.box else [_place(item) for item in placed]
    if not places or max(lon for lon, _ in places) - min(lon for lon, _ in places) > WIDEST:
        return replace(WORLD, width=width)
    area = Area.around(places, width, 0.5 if asked.box else 1.5)
    excess = area.height / (width * TALLEST[width])
    if excess <= 1:
        return area
    more = (area.east - area.west) * (excess - 1) / 2
    return replace(area, west=area.west - more, east=area.east + more)


def _marks(asked: Asked, placed: Sequence[Item], area: Area) -> Iterator[str]:
    clusters = _clusters(placed, area)
    is_named = len(placed) <= MOST_NAMED
    yield labels([_point(c.items[0], is_named=is_named and len(c.items) == 1) for c in clusters], area)
    for cluster in clusters:
        if len(cluster.items) == 1:
            yield _dot(cluster.items[0], cluster.x, cluster.y)
        elif cluster.is_one_place and not area.is_world:
            yield f'<circle class="place" cx="{cluster.x:.1f}" cy="{cluster.y:.1f}" r="1.5"/>'
            for at, item in enumerate(cluster.items):
                angle, far = at * GOLDEN, 6.5 * sqrt(at + 1.2)
                yield _dot(item, cluster.x + far * cos(angle), cluster.y + far * sin(angle))
        else:
            yield _number(asked, cluster)


def _clusters(placed: Sequence[Item], area: Area) -> list[Cluster]:
    """Each plant with the first of the marks near it; looked for only in the squares around it."""
    squares: dict[tuple[int, int], list[Cluster]] = {}
    found: list[Cluster] = []
    for item in placed:
        x, y = area.projection(*_place(item))
        across, down = floor(x / REACH), floor(y / REACH)
        around = (squares.get((across + i, down + j), ()) for i in (-1, 0, 1) for j in (-1, 0, 1))
        near = next((c for each in around for c in each if (c.x - x) ** 2 + (c.y - y) ** 2 < REACH**2), None)
        if near is None:
            near = Cluster(x, y)
            squares.setdefault((across, down), []).append(near)
            found.append(near)
        near.items.append(item)
    return found


def _dot(item: Item, x: float, y: float) -> str:
    where = item.first("place")
    words = f"{item.label}{f', {where}' if where else ''}: {marks.status(_status(item)).word}"
    circle = f'<circle class="dot-{_standing(item)}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'
    return _link(item.page or item.iri, words, circle)


def _number(asked: Asked, cluster: Cluster) -> str:
    counts = Counter(_standing(item) for item in cluster.items)
    told = "; ".join(f"{counts[kind]} {words}" for kind, words in STANDING.items() if counts[kind])
    words = f"{len(cluster.items)} plants: {told}"
    where = replace(asked, box=cluster.box, offset=0).address() + "#picture"
    size = 6 + 1.1 * log2(len(cluster.items))
    circle = f'<circle class="cluster" cx="{cluster.x:.1f}" cy="{cluster.y:.1f}" r="{size:.1f}"/>'
    text = f'<text x="{cluster.x:.1f}" y="{cluster.y + 3.6:.1f}" text-anchor="middle">{len(cluster.items)}</text>'
    return _link(where, words, circle + text)


def _link(where: str, words: str, drawn: str) -> str:
    told = escape(words)
    return f'<a class="spot" href="{escape(where)}" aria-label="{told}"><title>{told}</title>{drawn}</a>'


def _areas(found: Found) -> list[tuple[str, str, bool]]:
    """What map and list can be narrowed to: the world, Europe, the countries with the most of what was found."""
    asked = found.asked
    europe = (EUROPE.west, EUROPE.south, EUROPE.east, EUROPE.north)
    whole = replace(asked, box=None, offset=0, chosen=tuple(pair for pair in asked.chosen if pair[0] != "country"))
    chosen = asked.keys("country")
    listed = [("World", whole, not asked.box and not chosen), ("Europe", replace(whole, box=europe), asked.box == europe)]
    countries = next((facet.values for facet in found.facets if facet.column.name == "country"), [])
    known = [each.value for each in countries if each.value.iri][:MOST_COUNTRIES]
    listed += [(value.words, whole.toggled("country", value.key), chosen == (value.key,)) for value in known]
    return [(words, where.address() + "#picture", is_now) for words, where, is_now in listed]


def _place(item: Item) -> Place:
    return float(item.first("longitude")), float(item.first("latitude"))


def _out(degrees: float, way: int) -> float:
    """A degree to the hundredth, outwards."""
    return (ceil(degrees * 100) if way > 0 else floor(degrees * 100)) / 100


def _point(item: Item, *, is_named: bool) -> Point:
    name = item.label if len(item.label) <= MOST_CHARACTERS else item.label[: MOST_CHARACTERS - 1].rstrip() + "…"
    return Point(*_place(item), _standing(item), name if is_named else "")


def _status(item: Item) -> str:
    return next((value.key for value in item.values("status")), "")


def _standing(item: Item) -> str:
    return marks.standing(_status(item))
