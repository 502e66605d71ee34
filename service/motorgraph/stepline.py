"""Step lines over time as a picture: values that hold from day to day, on one scale, with some days marked.

What is drawn has its colours from the classes of its parts, so a style sheet decides them; the numbers are text in the
picture, and the whole has a description in words. A value that is not known leaves a gap, and says so in it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from textwrap import wrap

WIDTH, HEIGHT = 1180, 270
LEFT, RIGHT, TOP, BOTTOM = 44, 160, 46, 56
MOST_GRID = 5
MOST_YEARS = 12
APART = 16
"""Pixels that two labels need between them, from top to top."""
CHARACTER = 6.6  # mean width of one at 12 px
HEAVY_CHARACTER = 7.6  # of one that is bold
HUES = 7


@dataclass(frozen=True, slots=True)
class Step:
    """A value from a day on, None where it is not known; what follows `expected` is only what is foreseen so far."""

    day: date
    value: float | None
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its name; the steps are in the order of their days."""

    name: str
    steps: tuple[Step, ...]

    def at(self, day: date) -> float | None:
        """The value on a day."""
        before = [step for step in self.steps if step.day <= day]
        return before[-1].value if before else None


@dataclass(frozen=True, slots=True)
class Marked:
    """A day that is pointed out."""

    day: date
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Some lines from one day to another, with marked days; `unit` goes with the numbers."""

    lines: tuple[Line, ...]
    first: date
    last: date
    marked: tuple[Marked, ...] = ()
    unit: str = "%"

    def svg(self, name: str, title: str, words: str) -> str:
        """The picture; `name` tells it from others on the page."""
        parts = [*self._grid(), *self._years(), *self._leaders()]
        parts += [part for number, line in enumerate(self.lines) for part in self._line(number, line)]
        parts += [*self._points(), *self._names()]
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-title {name}-words">'
            f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-words">{escape(words)}</desc>\n'
            + "\n".join(parts)
            + "\n</svg>"
        )

    # Where things stand

    @property
    def top(self) -> float:
        """The value at the upper end of the scale."""
        return self._ticks[-1]

    @property
    def _ticks(self) -> list[float]:
        values = [step.value for line in self.lines for step in line.steps if step.value is not None]
        return ticks(max(values, default=0.0))

    def _x(self, day: date) -> float:
        span = max((self.last - self.first).days, 1)
        within = min(max((day - self.first).days, 0), span)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * within / span, 1)

    def _y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top, 1)

    # How it looks

    def _grid(self) -> Iterator[str]:
        for value in self._ticks:
            y = self._y(value)
            unit = f" {self.unit}" if value == self.top else ""
            yield f'<path class="axis" d="M{LEFT} {y:g}H{WIDTH - RIGHT}"/>'
            yield f'<text class="dim" x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{value:g}{escape(unit)}</text>'

    def _years(self) -> Iterator[str]:
        years = range(self.first.year + 1, self.last.year + 1)
        step = max(1, -(-len(years) // MOST_YEARS))
        for year in years[::step]:
            x = self._x(date(year, 1, 1))
            yield f'<path class="axis-2" d="M{x:g} {HEIGHT - BOTTOM}v5"/>'
            yield f'<text class="dim" x="{x:g}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle">{year}</text>'

    def _line(self, number: int, line: Line) -> Iterator[str]:
        ends = [*(step.day for step in line.steps[1:]), self.last]
        before: float | None = None
        for step, end in zip(line.steps, ends, strict=True):
            start, finish = self._x(step.day), self._x(end)
            kind = f"step-line hue-{number % HUES + 1}{' dashed' if step.expected else ''}"
            if step.value is not None:
                y = self._y(step.value)
                rise = f"M{start:g} {self._y(before):g}V{y:g}" if before is not None else f"M{start:g} {y:g}"
                yield f'<path class="{kind}" d="{rise}H{finish:g}"/>'
            elif finish - start > CHARACTER * 9:
                middle = (start + finish) / 2
                yield f'<text class="dim" x="{middle:g}" y="{HEIGHT - BOTTOM - 6}" text-anchor="middle">not known</text>'
            before = step.value

    def _leaders(self) -> Iterator[str]:
        for row, mark in zip(self._rows(), self.marked, strict=True):
            x = self._x(mark.day)
            is_late = x > WIDTH - RIGHT - CHARACTER * 12
            anchor, aside = ("end", -8) if is_late else ("start", 8)
            y = 14 + row * APART
            yield f'<path class="leader" d="M{x:g} {y - 8}V{HEIGHT - BOTTOM}"/>'
            yield f'<text class="b halo" x="{x + aside:g}" y="{y}" text-anchor="{anchor}">{escape(mark.words)}</text>'

    def _rows(self) -> list[int]:
        """On which row the words of each marked day stand, so that none covers another."""
        rows: list[int] = []
        right: dict[int, float] = {}
        for mark in self.marked:
            x = self._x(mark.day)
            row = next((row for row in (0, 1) if right.get(row, 0.0) < x), 1)
            right[row] = x + CHARACTER * (len(mark.words) + 3)
            rows.append(row)
        return rows

    def _points(self) -> Iterator[str]:
        for line, mark in itertools.product(self.lines, self.marked):
            value = line.at(mark.day)
            if value is not None:
                yield f'<circle class="hot" cx="{self._x(mark.day):g}" cy="{self._y(value):g}" r="5"/>'

    def _names(self) -> Iterator[str]:
        """The name of each line at its end, moved apart where lines end together."""
        wanted = []
        for number, line in enumerate(self.lines):
            known = [step.value for step in line.steps if step.value is not None]
            last = line.steps[-1].value
            y = self._y(last if last is not None else known[-1] if known else 0.0)
            wanted.append((y, number, line.name))
        lowest = -float(APART)
        for y, number, words in sorted(wanted):
            said = wrap(words, int((RIGHT - 8) / HEAVY_CHARACTER), max_lines=3, placeholder="…")
            first = max(y + 4, lowest + APART)
            lowest = first + APART * (len(said) - 1)
            starts = [f'<tspan x="{WIDTH - RIGHT + 8}" dy="{APART if row else 0}">' for row in range(len(said))]
            spans = "".join(f"{start}{escape(each)}</tspan>" for start, each in zip(starts, said, strict=True))
            yield f'<text class="b name hue-{number % HUES + 1}" y="{first:g}">{spans}</text>'


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to what is not less than `most`, at most `MOST_GRID` besides 0."""
    for step in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000):
        count = max(int(-(-most // step)), 1)
        if count <= MOST_GRID:
            return [float(step * number) for number in range(count + 1)]
    return [0.0, most]


def merged(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Steps without those that change nothing."""
    kept: list[Step] = []
    for step in steps:
        if not kept or kept[-1].value != step.value:
            kept.append(step)
    return tuple(kept)
