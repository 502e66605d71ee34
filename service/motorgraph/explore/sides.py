"""The drawing of a network on two sides: names as links, each deal its own line, those within a side as arcs; as SVG."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from html import escape

from motorgraph import marks
from motorgraph.explore.network import LEGEND, Network, Tie
from motorgraph.explore.paper import Paper
from motorgraph.explore.sheet import Value, last

APART = 5.0
"""Pixels between two deals of one pair."""
TOP = 36.0
CHARACTER = 0.54
"""Of the size of the letters: how wide one is."""

WIDE = Paper(900, 212, 30, 13, "not-phone")
NARROW = Paper(300, 108, 26, 12, "only-phone")


@dataclass(frozen=True, slots=True)
class Focus:
    """What is looked at: groups and deals by their IRIs. Nothing at all is everything."""

    groups: Collection[str] = field(default_factory=frozenset)
    deals: Collection[str] = field(default_factory=frozenset)

    def lights(self, tie: Tie) -> bool:
        """Whether a tie is of it: between two of the groups, or of the one group."""
        wanted = set(self.groups)
        return not wanted or tie.ends <= wanted or (len(wanted) == 1 and bool(tie.ends & wanted))


@dataclass(frozen=True, slots=True)
class Sides:
    """Draws a network on a paper; `where` is the address that looks at a group or deal."""

    network: Network
    paper: Paper
    focus: Focus
    where: Callable[[str], str]

    def picture(self) -> str:
        """The SVG."""
        tallest = max(len(self.network.left), len(self.network.right), 1)
        height = TOP + tallest * self.paper.row + 8
        places = self._places(self.network.left, 0.0, tallest) | self._places(self.network.right, 1.0, tallest)
        title = f"{len(self.network.ties)} ties between {len(places)} groups; the table below holds the same."
        box = f'viewBox="0 0 {self.paper.width} {height:g}"'
        frame = f'<svg class="sides {self.paper.classes}" {box} role="group" aria-label="{title}">'
        heads = self._head(f"Controlled from {self.network.home}", 0) + self._head("Other groups", 1)
        return f"{frame}{heads}{self._lines(places)}{self._names(places)}</svg>"

    def _x(self, side: float) -> float:
        return self.paper.width - self.paper.room if side else self.paper.room

    def _places(self, groups: list[Value], side: float, tallest: int) -> dict[str, tuple[float, float]]:
        """Where each group stands; the shorter side is spread over the height of the other."""
        step = tallest * self.paper.row / max(len(groups), 1)
        return {group.iri: (self._x(side), TOP + (at + 0.5) * step) for at, group in enumerate(groups)}

    def _head(self, words: str, side: int) -> str:
        anchor = "start" if side else "end"
        return f'<text class="dim" x="{self._x(side)}" y="13" text-anchor="{anchor}">{escape(words)}</text>'

    def _lines(self, places: dict[str, tuple[float, float]]) -> str:
        """All ties, those that are looked at over the others."""
        pairs: dict[frozenset[str], list[Tie]] = {}
        order = list(LEGEND)
        for tie in sorted(self.network.ties, key=lambda t: (order.index(t.line), t.deal.iri)):
            pairs.setdefault(tie.ends, []).append(tie)
        drawn = []
        for ties in pairs.values():
            for at, tie in enumerate(ties):
                shift = (at - (len(ties) - 1) / 2) * APART
                drawn.append((self.focus.lights(tie), self._line(tie, self._path(places, tie, shift))))
        return "".join(line for _, line in sorted(drawn, key=lambda pair: pair[0]))

    def _path(self, places: dict[str, tuple[float, float]], tie: Tie, shift: float) -> str:
        (x, y), (to_x, to_y) = places[tie.one], places[tie.other]
        if x != to_x:
            middle = (x + to_x) / 2
            return f"M{x:g},{y + shift:.1f}C{middle:g},{y + shift:.1f} {middle:g},{to_y + shift:.1f} {to_x:g},{to_y + shift:.1f}"
        room = self.paper.width / 2 - self.paper.room
        bulge = min(24 + abs(to_y - y) * 0.32, room * 1.1) + shift
        way = -1 if x > self.paper.width / 2 else 1
        return f"M{x:g},{y:.1f}C{x + way * bulge:.1f},{y:.1f} {x + way * bulge:.1f},{to_y:.1f} {x:g},{to_y:.1f}"

    def _line(self, tie: Tie, path: str) -> str:
        words = f"{tie.deal.label}: {marks.status(tie.status).word}"
        is_lit, is_picked = self.focus.lights(tie), tie.deal.iri in self.focus.deals
        ends = escape(f"{last(tie.one)} {last(tie.other)}")
        halo = f'<path class="picked" d="{path}"/>' if is_picked else ""
        line = f'<path class="e e-{tie.line}" d="{path}"/><path class="hit" d="{path}"/>'
        link = f'href="{escape(self.where(tie.deal.iri))}" aria-label="{escape(words)}" tabindex="-1"'
        return (
            f'<a class="tie{"" if is_lit else " off"}" data-ends="{ends}" {link}><title>{escape(words)}</title>{halo}{line}</a>'
        )

    def _names(self, places: dict[str, tuple[float, float]]) -> str:
        counts = self.network.counts
        lit = {end for tie in self.network.ties if self.focus.lights(tie) for end in tie.ends}
        return "".join(
            self._name(group, places[group.iri], side, counts[group.iri], group.iri in lit)
            for side, groups in enumerate((self.network.left, self.network.right))
            for group in groups
        )

    def _name(self, group: Value, place: tuple[float, float], side: int, count: int, is_lit: bool) -> str:
        x, y = place
        start, anchor = (x + 11, "start") if side else (x - 11, "end")
        kinds = [kind for kind, holds in (("b", group.iri in self.focus.groups), ("off", not is_lit)) if holds]
        words = _cut(group.words, int((self.paper.room - 28) / (self.paper.letters * CHARACTER)))
        text = (
            f'<text class="{" ".join(kinds)}" x="{start:g}" y="{y + 4.5:.1f}" text-anchor="{anchor}">'
            f'{escape(words)} <tspan class="dim">{count}</tspan></text>'
        )
        current = ' aria-current="true"' if group.iri in self.focus.groups else ""
        told = f"{group.words}, {count} tie{'' if count == 1 else 's'}"
        dot = f'<circle class="node{"" if side else " home"}" cx="{x:g}" cy="{y:.1f}" r="4.5"/>'
        link = f'href="{escape(self.where(group.iri))}" aria-label="{escape(told)}"{current}'
        return f'<a class="name" data-group="{escape(last(group.iri))}" {link}>{dot}{text}</a>'


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
