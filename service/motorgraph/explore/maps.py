"""Plants on a map: which part of the world is shown, how each is drawn, and what the legend says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from motorgraph import marks
from motorgraph.atlas import EUROPE, WORLD, Area, Atlas, Point
from motorgraph.explore.narrowing import Asked, Found, meant, refused
from motorgraph.explore.sheet import Item
from motorgraph.search.likeness import likest_of

NARROW = 358
WIDE = 900
MOST_NAMED = 60
"""Plants on a map beyond which none is named."""
MOST_CHARACTERS = 32
"""Of a name on a map."""


@dataclass(frozen=True, slots=True)
class Maps:
    """Draws maps of what was found."""

    atlas: Atlas

    def seen(self, found: Found) -> dict[str, Any]:  # Any: what a template takes
        """Two maps, one for a phone, and what is said of them. Raises BadParameter for an area that there is not."""
        placed = [item for item in found.items if item.first("longitude") and item.first("latitude")]
        name, area = self._area(found.asked, placed)
        inside = [item for item in placed if area.shows(*_place(item))]
        counts = Counter(marks.standing(_status(item)) for item in inside)
        is_named = len(inside) <= MOST_NAMED
        points = [_point(item, is_named=is_named) for item in inside]
        title = f"Map of {len(inside)} plants; the table below holds the same."
        wide = self.atlas.picture(points, replace(area, width=WIDE), title, "not-phone")
        narrow = [_point(item, is_named=is_named and len(inside) <= MOST_NAMED // 4) for item in inside]
        small = self.atlas.picture(narrow, replace(area, width=NARROW), title, "only-phone")
        areas = [(words, key, replace(found.asked, area=key, offset=0).address() + "#picture") for words, key in _areas(found)]
        missing = len(found.items) - len(placed)
        told = {"drawn": [wide, small], "counts": counts, "areas": areas, "area": name, "missing": missing}
        return {**told, "inside": len(inside), "words": f"{len(inside)} of {len(found.items)} plants are on this map."}

    def _area(self, asked: Asked, placed: list[Item]) -> tuple[str, Area]:
        """The area that is asked for; by itself the country that is chosen, or the world."""
        countries = asked.keys("country")
        name = asked.area or (countries[0] if len(countries) == 1 else "world")
        fixed = {"world": WORLD, "europe": EUROPE}.get(name)
        if fixed:
            return name, fixed
        known = {value.key: value.words for item in placed for value in item.values("country")}
        if name not in known:
            if not asked.area:
                return "world", WORLD
            known |= {"world": "World", "europe": "Europe"}
            near = [meant(each, known[each], replace(asked, area=each)) for each in likest_of(name, known)]
            raise refused(f"area={name[:40]} is neither world nor europe nor a country of this list.", "area", name, near)
        return name, Area.around([_place(item) for item in placed if name in item.keys("country")], WIDE)


def _areas(found: Found) -> list[tuple[str, str]]:
    """The areas that are offered: the world, Europe, the countries with the most of what was found."""
    countries = Counter((value.words, value.key) for item in found.items for value in item.values("country"))
    return [("World", "world"), ("Europe", "europe"), *(country for country, _ in countries.most_common(8))]


def _place(item: Item) -> tuple[float, float]:
    return float(item.first("longitude")), float(item.first("latitude"))


def _status(item: Item) -> str:
    return next((value.key for value in item.values("status")), "")


def _point(item: Item, *, is_named: bool) -> Point:
    kind = marks.standing(_status(item))
    name = item.label if len(item.label) <= MOST_CHARACTERS else item.label[: MOST_CHARACTERS - 1].rstrip() + "…"
    return Point(*_place(item), kind, name if is_named else "", "", item.page if is_named else "")
