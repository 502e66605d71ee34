"""What is asked of a list: which values of which facets, words, order, part; and the lists and counts that answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from urllib.parse import urlencode

from motorgraph import marks
from motorgraph.errors import BadParameter, BadRequest
from motorgraph.explore.kinds import Column, Kind
from motorgraph.explore.sheet import NOT_KNOWN, Item, Sheet, Value, has_words
from motorgraph.search.folding import folded
from motorgraph.search.likeness import likest_of

LIMIT = 50
MOST = 1000
FARTHEST = 1_000_000
MOST_CHARACTERS = 200
MOST_VALUES = 100
PICTURES = ("view", "focus")
OTHERS = ("q", "sort", "limit", "offset", "at", *PICTURES)
BOX = "bbox"
Box = tuple[float, float, float, float]
"""West, south, east and north, in degrees."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of a kind: chosen keys by facet, in the order of the facets; `limit` 0 is all.

    `at` is the commit or time as it was given, and `box` the part of the world, where one is.
    """

    kind: Kind
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()
    query: str = ""
    sort: str = ""
    limit: int = LIMIT
    offset: int = 0
    view: str = ""
    focus: tuple[str, ...] = ()
    at: str = ""
    box: Box | None = None

    def keys(self, facet: str) -> tuple[str, ...]:
        """What is chosen of a facet."""
        return dict(self.chosen).get(facet, ())

    def toggled(self, facet: str, key: str) -> Asked:
        """The same with a value chosen, or no longer if it is; from the beginning."""
        keys = self.keys(facet)
        changed = tuple(each for each in keys if each != key) if key in keys else (*keys, key)
        chosen = {**dict(self.chosen), facet: changed}
        order = [column.name for column in self.kind.facets]
        kept = tuple((name, chosen[name]) for name in order if chosen.get(name))
        return replace(self, chosen=kept, offset=0, focus=())

    def address(self, suffix: str = "") -> str:
        """Where the answer is."""
        said: list[tuple[str, str]] = [(name, key) for name, keys in self.chosen for key in keys]
        said += [("q", self.query)] if self.query else []
        said += [(BOX, ",".join(f"{edge:g}" for edge in self.box))] if self.box else []
        said += [("at", self.at)] if self.at else []
        said += [("sort", self.sort)] if self.sort and self.sort != self.kind.sort else []
        if not suffix:
            said += [("view", self.view)] if self.view and self.view != self.kind.views[0].name else []
            said += [("focus", each) for each in self.focus]
            said += [("limit", str(self.limit))] if self.limit != LIMIT else []
            said += [("offset", str(self.offset))] if self.offset else []
        path = f"/explore/{self.kind.name}{suffix}"
        return f"{path}?{urlencode(said)}" if said else path


@dataclass(frozen=True, slots=True)
class Counted:
    """A value of a facet: how many things have it among those that the other facets leave."""

    value: Value
    count: int
    is_chosen: bool
    address: str
    glyph: str = ""


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet with its values, those first that are chosen, then by how many have them."""

    column: Column
    values: list[Counted]

    @property
    def chosen(self) -> list[Counted]:
        """The values that are chosen."""
        return [each for each in self.values if each.is_chosen]


@dataclass(frozen=True, slots=True)
class Found:
    """The things that were asked for, in order, those of the part that is wanted, and the facets."""

    asked: Asked
    sheet: Sheet
    items: list[Item]
    facets: list[Facet]

    @property
    def part(self) -> list[Item]:
        """The things of this part of the list."""
        most = self.asked.limit or len(self.items)
        return self.items[self.asked.offset : self.asked.offset + most]

    @property
    def links(self) -> dict[str, str]:
        """Where the parts before and behind are."""
        asked, found = self.asked, {}
        if asked.offset:
            found["prev"] = replace(asked, offset=max(asked.offset - asked.limit, 0)).address()
        if asked.limit and asked.offset + asked.limit < len(self.items):
            found["next"] = replace(asked, offset=asked.offset + asked.limit).address()
        return found


def understood(kind: Kind, given: Mapping[str, Sequence[str]], *, is_whole: bool) -> Asked:
    """What parameters ask for; `is_whole` is whether all is wanted if no limit is said. Raises BadRequest or BadParameter."""
    facets, others = [column.name for column in kind.facets], (*OTHERS, BOX) if kind.has_places else OTHERS
    for name, values in given.items():
        if name not in facets and name not in others:
            known = {each: each for each in (*facets, *others)}
            near = [meant(each, each, Asked(kind)) for each in likest_of(name, known)]
            raise refused(f"There is no parameter {name[:40]!r} here; there are {', '.join([*facets, *others])}.", name, "", near)
        if name in others and name != "focus" and len(values) > 1:
            raise BadRequest(f"Give the parameter {name!r} once.")
        if len(values) > MOST_VALUES:
            raise BadRequest(f"Give the parameter {name!r} at most {MOST_VALUES} times.")
    said = {name: given.get(name, [""])[0] for name in others}
    if len(said["q"]) > MOST_CHARACTERS:
        raise BadRequest(f"q has more than {MOST_CHARACTERS} characters, which no name has.")
    _one_of(kind, "sort", said["sort"].removeprefix("-"), kind.sorts)
    _one_of(kind, "view", said["view"], [view.name for view in kind.views])
    chosen = tuple((name, tuple(dict.fromkeys(v for v in given[name] if v))) for name in facets if any(given.get(name, ())))
    return Asked(
        kind,
        chosen,
        said["q"].strip(),
        said["sort"],
        _number("limit", said["limit"], 0 if is_whole else LIMIT, (1, FARTHEST if is_whole else MOST)),
        _number("offset", said["offset"], 0, (0, FARTHEST)),
        said["view"],
        tuple(dict.fromkeys(each for each in given.get("focus", ()) if each)),
        said["at"],
        _box(said.get(BOX, "")),
    )


def found(asked: Asked, sheet: Sheet) -> Found:
    """What a sheet has of what is asked. Raises BadParameter for a value that no thing has."""
    asked = _settled(asked, sheet)
    words = folded(asked.query).split()
    named = [item for item in sheet.items if _is_meant(item, asked, words)]
    fails = [(item, [name for name, keys in asked.chosen if not item.keys(name) & set(keys)]) for item in named]
    items = [item for item, failed in fails if not failed]
    counts: dict[str, Counter[str]] = {column.name: Counter() for column in asked.kind.facets}
    for item, failed in fails:  # what only one facet leaves out counts for that facet
        if len(failed) < 2:
            for name in failed or counts:
                counts[name].update(item.keys(name))
    facets = [_facet(asked, sheet, column, counts[column.name]) for column in asked.kind.facets]
    return Found(asked, sheet, _ordered(items, asked), [facet for facet in facets if facet.values])


def _is_meant(item: Item, asked: Asked, words: Sequence[str]) -> bool:
    """Whether a thing is of the kind, has all words in its names and is in the part of the world."""
    is_of_it = asked.kind.holds is None or asked.kind.holds(item)
    return is_of_it and (not words or has_words(item, words)) and (asked.box is None or is_in(item, asked.box))


def is_in(item: Item, box: Box) -> bool:
    """Whether a thing has a place in a part of the world; one whose west is east of its east goes over the 180th meridian."""
    if not (item.first("longitude") and item.first("latitude")):
        return False
    lon, lat = float(item.first("longitude")), float(item.first("latitude"))
    west, south, east, north = box
    return south <= lat <= north and (west <= lon <= east if west <= east else lon >= west or lon <= east)


def _settled(asked: Asked, sheet: Sheet) -> Asked:
    """The same with the keys of what was given by IRI, by kind and key, or by name. Raises BadParameter."""
    chosen = []
    for name, wanted in asked.chosen:
        values = sheet.values(name)
        by_name = {folded(value.words): key for key, value in values.items()}
        by_iri = {value.iri: key for key, value in values.items() if value.iri}
        keys = []
        for each in wanted:
            key = each if each in values or each == NOT_KNOWN else by_iri.get(each) or by_name.get(folded(each), "")
            if not key:
                raise _unlike(asked, name, each, values)
            keys.append(key)
        chosen.append((name, tuple(dict.fromkeys(keys))))
    return replace(asked, chosen=tuple(chosen))


def _facet(asked: Asked, sheet: Sheet, column: Column, counts: Counter[str]) -> Facet:
    values = {**sheet.values(column.name), NOT_KNOWN: Value(NOT_KNOWN, column.none)}
    chosen = asked.keys(column.name)
    listed = [
        Counted(values[key], counts[key], key in chosen, asked.toggled(column.name, key).address(), _glyph(column, key))
        for key in {*counts, *chosen}
    ]
    if column.type == "year":
        return Facet(column, sorted(listed, key=lambda c: (not c.is_chosen, c.value.key == NOT_KNOWN, -_year(c.value.key))))
    return Facet(column, sorted(listed, key=lambda c: (not c.is_chosen, c.value.key == NOT_KNOWN, -c.count, c.value.words)))


def _year(key: str) -> int:
    return int(key) if key.isdigit() else 0


def _glyph(column: Column, key: str) -> str:
    if column.type != "status":
        return ""
    return marks.status("" if key == NOT_KNOWN else key).glyph


def _ordered(items: list[Item], asked: Asked) -> list[Item]:
    """In the order that is asked for; what has no value comes last, those alike in the order of their names."""
    sort = asked.sort or asked.kind.sort
    name, is_down = sort.removeprefix("-"), sort.startswith("-")
    if name == "name":
        return items[::-1] if is_down else items
    known = [item for item in items if item.values(name)]
    numbers = any(column.name == name and column.type == "number" for column in asked.kind.columns)
    key = (lambda item: float(item.first(name))) if numbers else (lambda item: folded(item.first(name)))
    ordered = sorted(known, key=key, reverse=is_down)
    return ordered + [item for item in items if not item.values(name)]


def _one_of(kind: Kind, parameter: str, name: str, names: Sequence[str]) -> None:
    if name and name not in names:
        likest = likest_of(name, {each: each for each in names})
        near = [meant(each, each, Asked(kind, sort=each) if parameter == "sort" else Asked(kind, view=each)) for each in likest]
        raise refused(f"{parameter}={name[:40]} is none of {', '.join(names)}.", parameter, name, near)


def _unlike(asked: Asked, facet: str, given: str, values: Mapping[str, Value]) -> BadParameter:
    """The refusal of a value that no thing has, with those that are likest it."""
    keys = {value.iri or key: key for key, value in values.items()}
    likest = [keys[each] for each in likest_of(given, {value.iri or key: value.words for key, value in values.items()})]
    others = tuple((name, tuple(each for each in told if each != given)) for name, told in asked.chosen)
    rest = replace(asked, chosen=others)
    near = [meant(key, values[key].words, rest.toggled(facet, key)) for key in likest]
    words = f" Did you mean {', '.join(likest)}?" if likest else ""
    return refused(f"No {facet} is called {given[:60]!r}.{words}", facet, given, near)


def meant(value: str, name: str, asked: Asked) -> dict[str, str]:
    """A near match in a refusal; `page` is where the list with it is."""
    return {"value": value, "name": name, "page": asked.address()}


def refused(detail: str, field: str, value: str, near: Sequence[object]) -> BadParameter:
    """A refusal that names the parameter, what it was given, and what may have been meant."""
    said = {"field": field, "value": value[:MOST_CHARACTERS], "near": list(near)}
    return BadParameter(detail, **said, errors=[{**said, "detail": detail}])


def _box(text: str) -> Box | None:
    """Four degrees with commas between them, None for nothing. Raises BadRequest."""
    if not text:
        return None
    try:
        west, south, east, north = (float(edge) for edge in text.split(","))
    except ValueError:
        west = south = east = north = nan
    if not (abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90):
        raise BadRequest(f"{BOX}={text[:60]!r} is no west,south,east,north in degrees, such as -10,36,4,44.")
    return west, south, east, north


def _number(name: str, text: str, usual: int, bounds: tuple[int, int]) -> int:
    if not text:
        return usual
    least, most = bounds
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise BadRequest(f"{name}={text[:40]!r} is no number from {least} to {most:,}.")
    return int(text)
