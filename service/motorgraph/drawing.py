"""A module of the ontology as a picture: boxes of classes in columns, each property a line in its box, arrows to where it leads.

The layout is in layers (Sugiyama, Tagawa and Toda 1981): columns by the longest way, long arrows through places kept free in the
columns between, the order within a column by the mean place of the neighbours. Everything is sorted, so the same module always
gives the same picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape

CHARACTER = 6.7  # width of one at 11 px in a monospaced font
HEAVY_CHARACTER = 7.6  # of one at 12 px, bold
HEADER, LINE, FOOT = 26, 17, 7
PADDING, GAP_ACROSS, GAP_DOWN, FREE = 10, 52, 16, 8
TIP = 9
SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a box: what it says, the IRI of that, the boxes that an arrow leads to."""

    text: str
    iri: str
    to: tuple[str, ...] = ()
    is_superclass: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A class: its IRI, its name, its lines."""

    iri: str
    name: str
    lines: tuple[Line, ...] = ()

    @property
    def width(self) -> int:
        """In pixels, so that every line fits."""
        widths = [len(self.name) * HEAVY_CHARACTER, *(len(line.text) * CHARACTER for line in self.lines)]
        return round(max(widths)) + 2 * PADDING

    @property
    def height(self) -> int:
        """In pixels."""
        return HEADER + len(self.lines) * LINE + (FOOT if self.lines else 0)


@dataclass
class _Place:
    """A box in a column, or the place kept free there for an arrow that passes."""

    name: str
    height: float
    box: Box | None = None
    column: int = 0
    before: list[_Place] = field(default_factory=list)
    after: list[_Place] = field(default_factory=list)
    y: float = 0.0

    @property
    def gap(self) -> int:
        """What is left free below it."""
        return GAP_DOWN if self.box else FREE


@dataclass(frozen=True, slots=True)
class _Arrow:
    source: Box
    line: int
    target: Box
    through: tuple[_Place, ...]


class Drawing:
    """The picture of some boxes; arrows lead only to boxes that are in it."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self.boxes = sorted(boxes, key=lambda box: (box.name.lower(), box.iri))
        self._by_iri = {box.iri: box for box in self.boxes}
        self._places = {box.iri: _Place(box.name, box.height, box) for box in self.boxes}
        self._set_columns()
        self._arrows = list(self._joined())
        self._columns = self._ordered()
        self._set_heights()

    # Where things stand

    @cached_property
    def _pairs(self) -> list[tuple[str, str]]:
        """From which box to which an arrow leads, but those from a box to itself."""
        pairs = {(box.iri, to) for box in self.boxes for line in box.lines for to in line.to if to in self._by_iri}
        return sorted((one, other) for one, other in pairs if one != other)

    @cached_property
    def _forward(self) -> list[tuple[str, str]]:
        """The pairs with those turned round that would close a circle."""
        after: dict[str, list[str]] = {}
        for one, other in self._pairs:
            after.setdefault(one, []).append(other)
        done: set[str] = set()
        turned: set[tuple[str, str]] = set()

        def visit(iri: str, above: frozenset[str]) -> None:
            done.add(iri)
            for other in after.get(iri, ()):
                if other in above:
                    turned.add((iri, other))
                elif other not in done:
                    visit(other, above | {other})

        led_to = {other for _, other in self._pairs}
        for iri in sorted(after, key=lambda iri: (iri in led_to, iri)):
            if iri not in done:
                visit(iri, frozenset({iri}))
        return sorted({(other, one) if (one, other) in turned else (one, other) for one, other in self._pairs})

    def _set_columns(self) -> None:
        """Each box right of all that lead to it, and not farther left of what it leads to than it must be."""
        for _ in self.boxes:
            for one, other in self._forward:
                self._places[other].column = max(self._places[other].column, self._places[one].column + 1)
        for place in sorted(self._places.values(), key=lambda place: -place.column):
            after = [self._places[other].column for one, other in self._forward if self._places[one] is place]
            if after:
                place.column = max(place.column, min(after) - 1)

    def _joined(self) -> Iterator[_Arrow]:
        """The arrows, with the places that they pass; places are made neighbours on the way."""
        for box in self.boxes:
            for number, line in enumerate(box.lines):
                for iri in sorted(set(line.to) & self._by_iri.keys()):
                    yield _Arrow(box, number, self._by_iri[iri], tuple(self._way(self._places[box.iri], self._places[iri])))

    def _way(self, source: _Place, target: _Place) -> Iterator[_Place]:
        step = 1 if target.column >= source.column else -1
        here = source
        for column in range(source.column + step, target.column, step):
            free = _Place(f"{source.name} {target.name}", FREE, None, column)
            self._join(here, free)
            here = free
            yield free
        if here.column != target.column:
            self._join(here, target)

    @staticmethod
    def _join(one: _Place, other: _Place) -> None:
        left, right = (one, other) if one.column < other.column else (other, one)
        left.after.append(right)
        right.before.append(left)

    def _ordered(self) -> list[list[_Place]]:
        """The columns from left to right, each from top to bottom."""
        last = max((place.column for place in self._places.values()), default=0)
        columns: list[list[_Place]] = [[] for _ in range(last + 1)]
        for place in [*self._places.values(), *(free for arrow in self._arrows for free in arrow.through)]:
            columns[place.column].append(place)
        for column in columns:
            column.sort(key=lambda place: place.name)
        for sweep in range(SWEEPS):
            for column in columns if sweep % 2 == 0 else columns[::-1]:
                ranks = {id(place): rank / len(each) for each in columns for rank, place in enumerate(each)}
                here = {id(place): _mean(place, ranks, forward=sweep % 2 == 0) for place in column}
                column.sort(key=lambda place: (here[id(place)], place.name))
        return columns

    def _set_heights(self) -> None:
        tallest = max(map(_height, self._columns))
        for column in self._columns:
            y = (tallest - _height(column)) / 2
            for place in column:
                place.y = y
                y += place.height + place.gap

    @cached_property
    def _lefts(self) -> list[float]:
        """Where each column begins."""
        lefts, x = [], 1.0
        for column in range(len(self._columns)):
            lefts.append(x)
            x += self._width(column) + GAP_ACROSS
        return lefts

    def _width(self, column: int) -> int:
        return max((place.box.width for place in self._columns[column] if place.box), default=0)

    # How it looks

    def svg(self, name: str, title: str, words: str, address: Callable[[str], str]) -> str:
        """The picture; `name` tells it from others on the page, `address` says where the page of a class or property is."""
        last = len(self._columns) - 1
        width = round(self._lefts[last] + self._width(last) + (GAP_ACROSS / 2 if self._has_loops else 1))
        height = round(max(map(_height, self._columns)) + 2)
        inside = [*(self._drawn(arrow) for arrow in self._arrows), *(self._boxed(box, address) for box in self.boxes)]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="{name}-title {name}-words" '
            f'width="{width}" height="{height}" viewBox="0 -1 {width} {height}">\n'
            f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-words">{escape(words)}</desc>\n'
            + "\n".join(inside)
            + "\n</svg>"
        )

    @property
    def _has_loops(self) -> bool:
        columns = [(self._places[arrow.source.iri].column, self._places[arrow.target.iri].column) for arrow in self._arrows]
        return any(one == other == len(self._columns) - 1 for one, other in columns)

    def _boxed(self, box: Box, address: Callable[[str], str]) -> str:
        place = self._places[box.iri]
        x, y, width = self._lefts[place.column], place.y, self._width(place.column)
        drawn = [f'<rect class="box" x="{x:g}" y="{y:g}" width="{width}" height="{box.height}" rx="4"/>']
        drawn.append(_text("name", address(box.iri), x + PADDING, y + 18, box.name))
        for number, line in enumerate(box.lines):
            kind = "above" if line.is_superclass else "line"
            drawn.append(_text(kind, address(line.iri), x + PADDING, y + HEADER + number * LINE + 12, line.text))
        return "".join(drawn)

    def _drawn(self, arrow: _Arrow) -> str:
        """An arrow from a line of one box to the head of another, and its tip; one within a column goes out and comes back."""
        source, target = self._places[arrow.source.iri], self._places[arrow.target.iri]
        line = arrow.source.lines[arrow.line]
        is_loop = source.column == target.column
        leaves = 1 if target.column >= source.column else -1
        enters = leaves if is_loop else -leaves
        stops = [(self._edge(source.column, leaves), source.y + HEADER + arrow.line * LINE + LINE / 2)]
        for free in arrow.through:
            stops += [(self._edge(free.column, side), free.y + FREE / 2) for side in (-leaves, leaves)]
        x, y = self._edge(target.column, enters), target.y + (9 if line.is_superclass else 17)
        base = x + TIP * enters
        tip = f"M{base:g},{y - TIP / 2:g}L{x:g},{y:g}L{base:g},{y + TIP / 2:g}Z"
        kind = "above" if line.is_superclass else "to"
        curve = _curve([*stops, (base, y)], GAP_ACROSS / 2 if is_loop else 0)
        return f'<path class="{kind}" d="{curve}"/><path class="tip {kind}" d="{tip}"/>'

    def _edge(self, column: int, side: int) -> float:
        return self._lefts[column] + (self._width(column) if side > 0 else 0)


def _text(kind: str, address: str, x: float, y: float, words: str) -> str:
    text = f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'
    return f'<a href="{escape(address)}">{text}</a>' if address else text


def _curve(stops: Sequence[tuple[float, float]], loop: float) -> str:
    """A line through the stops that is level at each; `loop` is how far one that comes back to its own side goes out."""
    path = [f"M{stops[0][0]:g},{stops[0][1]:g}"]
    for (x, y), (to_x, to_y) in itertools.pairwise(stops):
        if y == to_y and not loop:
            path.append(f"L{to_x:g},{to_y:g}")
        else:
            bend, back = (x + loop, to_x + loop) if loop else ((x + to_x) / 2, (x + to_x) / 2)
            path.append(f"C{bend:g},{y:g} {back:g},{to_y:g} {to_x:g},{to_y:g}")
    return "".join(path)


def _mean(place: _Place, ranks: dict[int, float], *, forward: bool) -> float:
    """The mean rank of the neighbours on one side; its own if it has none there."""
    near = place.before if forward else place.after
    return sum(ranks[id(each)] for each in near) / len(near) if near else ranks[id(place)]


def _height(column: Sequence[_Place]) -> float:
    return sum(place.height for place in column) + sum(place.gap for place in column[:-1])
