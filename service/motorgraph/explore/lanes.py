"""The drawing of deals in time as SVG: a lane for each, its line by status, spans for vague days, and under it the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from motorgraph import marks
from motorgraph.dates import spoken
from motorgraph.explore.deals import Event, Saying
from motorgraph.explore.network import LINES, UNKNOWN
from motorgraph.explore.paper import Paper
from motorgraph.explore.sheet import Item
from motorgraph.marks import Mark
from motorgraph.pages import static

MOST_YEARS = 9
"""Years that are drawn; what was before stands at the left edge with its year."""
MOST_LANES = 200
TOP = 34.0
BELOW = 14.5
"""Pixels from the line of a deal to the claims on it."""
OVER = {"ended", "cancelled", "denied", "superseded", "completed"}
"""After these statuses a lane has no line any more."""

WIDE = Paper(900, 300, 34, 13, "not-phone")
NARROW = Paper(300, 0, 54, 12, "only-phone")


@dataclass(frozen=True, slots=True)
class Lanes:
    """Draws deals on a paper, those first that have news of last."""

    deals: Sequence[Item]
    history: Mapping[str, Sequence[Event]]
    said: Mapping[str, Sequence[Saying]]
    today: date
    paper: Paper

    def picture(self) -> str:
        """The SVG."""
        shown = [deal for deal in self.deals if self.history.get(deal.iri)][:MOST_LANES]
        days = [_day(event.start) for deal in shown for event in self.history[deal.iri]] or [self.today]
        last = max(max(days), self.today).year
        first = max(min(days).year, last - MOST_YEARS + 1)
        height = TOP + len(shown) * self.paper.row + 6
        title = f"{len(shown)} deals from {first} to {last}; the list below tells the same."
        box = f'viewBox="0 0 {self.paper.width} {height:g}"'
        frame = f'<svg class="lanes {self.paper.classes}" {box} role="group" aria-label="{title}">'
        scale = _Scale(date(first, 1, 1), date(last + 1, 1, 1), self.paper.room + 14.0, self.paper.width - 10.0)
        lanes = "".join(self._lane(deal, TOP + (at + 0.5) * self.paper.row, scale) for at, deal in enumerate(shown))
        return f"{frame}{self._axis(scale, first, last, height)}{lanes}</svg>"

    def _axis(self, scale: _Scale, first: int, last: int, height: float) -> str:
        drawn = []
        for year in range(first, last + 1):
            x = scale.x(date(year, 1, 1))
            words = f'<text class="dim" x="{x + 3:.1f}" y="13">{_short(year, self.paper)}</text>'
            drawn.append(f'<path class="axis" d="M{x:.1f},18V{height:g}"/>{words}')
        now = scale.x(self.today)
        words = f'<text class="dim" x="{now:.1f}" y="26" text-anchor="middle">today</text>'
        return "".join(drawn) + f'<path class="now" d="M{now:.1f},29V{height:g}"/>{words}'

    def _lane(self, deal: Item, middle: float, scale: _Scale) -> str:
        y = middle + (5 if not self.paper.room else -4)
        events = self.history[deal.iri]
        past = [event for event in events if not event.is_future and _day(event.start) <= self.today]
        ahead = [event for event in events if event not in past]
        drawn = [self._name(deal, middle)]
        for at, event in enumerate(past):
            until = _day(past[at + 1].start) if at + 1 < len(past) else self.today
            if event.state not in OVER:
                drawn.append(_line(scale.x(_day(event.start)), scale.x(until), y, event.state))
        if ahead:
            begin = scale.x(self.today) if past and past[-1].state not in OVER else scale.x(_day(ahead[0].start))
            drawn.append(_line(begin, scale.x(_day(ahead[-1].start)), y, "planned"))
        drawn += [_event(event, y, scale, is_ahead=event in ahead) for event in events]
        by_day: dict[tuple[str, Mark], list[Saying]] = {}
        for said in self.said.get(deal.iri, ()):
            if said.day:
                by_day.setdefault((said.day, said.mark), []).append(said)
        drawn += [_claims(day, mark, said, y + BELOW, scale) for (day, mark), said in by_day.items()]
        return "".join(drawn)

    def _name(self, deal: Item, middle: float) -> str:
        room = self.paper.room or self.paper.width
        words = _cut(deal.label, int((room - 10) / (self.paper.letters * 0.53)))
        x, y, anchor = (self.paper.room, middle + 3, "end") if self.paper.room else (0, middle - 11, "start")
        text = f'<text x="{x}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
        return f'<a href="{escape(deal.page)}" aria-label="{escape(deal.label)}">{text}</a>'


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    last: date
    left: float
    right: float

    def x(self, day: date) -> float:
        """How far from the left a day is; at the edges what is beyond them."""
        part = (day - self.first).days / (self.last - self.first).days
        return self.left + min(max(part, 0.0), 1.0) * (self.right - self.left)

    def is_before(self, day: date) -> bool:
        """Whether a day is left of the drawing."""
        return day < self.first


def _event(event: Event, y: float, scale: _Scale, *, is_ahead: bool) -> str:
    found = marks.status("planned" if is_ahead else event.state)
    words = f"{event.words}: {marks.status(event.state).word}{', planned' if is_ahead else ''}"
    span, x = "", scale.x(_day(event.start))
    if event.end:
        end = max(scale.x(_day(event.end)), x + 1)
        span, x = f'<path class="vague st-{found.glyph}" d="M{x:.1f},{y + 7.5:.1f}H{end:.1f}"/>', (x + end) / 2
    is_early = scale.is_before(_day(event.start))
    early = f'<text class="dim" x="{x + 9:.1f}" y="{y - 5:.1f}">{event.start[:4]}</text>' if is_early else ""
    at = f'x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12"'
    glyph = f'<use class="glyph st-{found.glyph}" href="{escape(static("marks.svg"))}#{found.glyph}" {at}/>'
    return f"<g><title>{escape(words)}</title>{span}{glyph}{early}</g>"


def _claims(day: str, mark: Mark, said: Sequence[Saying], y: float, scale: _Scale) -> str:
    """The claims of one mark on one day, under the line: smaller than what happened."""
    words = f"{spoken(day)}: {len(said)} {'claim' if len(said) == 1 else 'claims'}, {mark.word.lower()}"
    who = ", ".join(dict.fromkeys(each.who for each in said if each.who))
    at = f'x="{scale.x(_day(day)) - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"'
    glyph = f'<use class="glyph st-{mark.glyph}" href="{escape(static("marks.svg"))}#{mark.glyph}" {at}/>'
    return f"<g><title>{escape(f'{words}: {who}' if who else words)}</title>{glyph}</g>"


def _line(start: float, end: float, y: float, state: str) -> str:
    kind = LINES.get(marks.status(state).glyph, UNKNOWN)
    return f'<path class="e e-{kind}" d="M{start:.1f},{y:.1f}H{end:.1f}"/>' if end - start > 1 else ""


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _short(year: int, paper: Paper) -> str:
    return str(year) if paper.room else f"’{year % 100:02d}"


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
