"""Who works with whom: groups on two sides, a tie for each deal, and an order in which the ties cross little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from statistics import fmean

from motorgraph import marks
from motorgraph.explore.control import Control
from motorgraph.explore.sheet import Item, Value

HOME = "cn"
"""The customs territory whose groups stand on the left: the last part of its IRI."""
MOST_GROUPS = 120
MOST_PARTIES = 12
SWEEPS = 8
WORKING, PLANNED, TALKS, DENIED, ENDED, UNKNOWN = "active", "planned", "talks", "denied", "ended", "is"
LINES = {
    "accepted": WORKING,
    "planned": PLANNED,
    "study": TALKS,
    "asserted": TALKS,
    "denied": DENIED,
    "superseded": ENDED,
    "nocomment": UNKNOWN,
}
"""The kind of line by the glyph of a status."""
LEGEND = {
    WORKING: "Working or completed",
    PLANNED: "Agreed or planned",
    TALKS: "In talks or rumoured",
    DENIED: "Denied",
    ENDED: "Ended, cancelled or replaced",
    UNKNOWN: "Status not known",
}


@dataclass(frozen=True, slots=True)
class Tie:
    """A deal between two groups, by their IRIs."""

    deal: Item
    one: str
    other: str

    @property
    def status(self) -> str:
        """The last part of the IRI of its status, "" if that is not known."""
        return next((state.key for state in self.deal.values("status")), "")

    @property
    def line(self) -> str:
        """How it is drawn."""
        return LINES.get(marks.status(self.status).glyph, UNKNOWN)

    @property
    def ends(self) -> frozenset[str]:
        """The two groups."""
        return frozenset((self.one, self.other))


@dataclass(slots=True)
class Network:
    """The groups of both sides in the order in which they are drawn, the ties, and how many deals have no tie, or too many."""

    left: list[Value] = field(default_factory=list)
    right: list[Value] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    alone: int = 0
    unshown: int = 0
    home: str = ""
    """The name of the territory of the left side."""

    @property
    def counts(self) -> Counter[str]:
        """How many ties each group has."""
        return Counter(end for tie in self.ties for end in tie.ends)

    @property
    def lines(self) -> dict[str, int]:
        """How many ties there are of each kind of line, in the order of the legend."""
        counted = Counter(tie.line for tie in self.ties)
        return {line: counted[line] for line in LEGEND if counted[line]}


def network(deals: Iterable[Item], control: Control) -> Network:
    """The ties of some deals, parts of deals left out. A deal with parties on both sides is drawn across only."""
    groups: dict[str, Value] = {}
    at_home: dict[str, bool] = {}
    made = Network()
    for deal in deals:
        if "part" in deal.keys("part"):
            continue
        parties = deal.values("group")[:MOST_PARTIES]
        for group in parties:
            groups[group.iri] = group
            if group.iri not in at_home:
                seats = [seat.words for seat in control.territories(group.iri) if seat.key == HOME]
                at_home[group.iri], made.home = bool(seats), seats[0] if seats else made.home
        pairs = list(combinations(sorted(group.iri for group in parties), 2))
        across = [pair for pair in pairs if at_home[pair[0]] != at_home[pair[1]]]
        made.ties += [Tie(deal, *(sorted(pair, key=lambda each: not at_home[each]))) for pair in across or pairs]
        made.alone += not pairs
    most = {iri for iri, _ in made.counts.most_common(MOST_GROUPS)}
    kept = [tie for tie in made.ties if tie.ends <= most]
    made.unshown, made.ties = len(made.ties) - len(kept), kept
    shown = [iri for iri, _ in sorted(made.counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    left, right = _arranged([i for i in shown if at_home[i]], [i for i in shown if not at_home[i]], made.ties)
    made.left, made.right = [groups[iri] for iri in left], [groups[iri] for iri in right]
    return made


def _arranged(left: list[str], right: list[str], ties: Sequence[Tie]) -> tuple[list[str], list[str]]:
    """Two orders in which the ties cross little: each side by the mean place of its partners in turn (Sugiyama, Tagawa and Toda
    1981), then neighbours are changed as long as that helps; the best that was met."""
    near: dict[str, list[str]] = {each: [] for each in (*left, *right)}
    for tie in ties:
        near[tie.one].append(tie.other)
        near[tie.other].append(tie.one)
    best, fewest = (left, right), _crossings(left, right, ties)
    for _ in range(SWEEPS):
        right = _by_partners(right, left, near)
        left = _by_partners(left, right, near)
        crossed = _crossings(left, right, ties)
        if crossed < fewest:
            best, fewest = (left, right), crossed
    return best


def _by_partners(order: Sequence[str], others: Sequence[str], near: Mapping[str, list[str]]) -> list[str]:
    own, far = _places(order), _places(others)

    def mean(each: str) -> float:
        across = [far[other] for other in near[each] if other in far]
        beside = [own[other] for other in near[each] if other in own]
        return fmean(across or beside or [own[each]])

    changed = sorted(order, key=lambda each: (mean(each), own[each]))
    for _ in range(len(changed)):
        if not _swapped(changed, far, near):
            break
    return changed


def _swapped(order: list[str], far: Mapping[str, float], near: Mapping[str, list[str]]) -> bool:
    """Changes neighbours whose ties cross less the other way round; whether any were."""
    has_changed = False
    for at, (upper, lower) in enumerate(pairwise(list(order))):
        if (order[at], order[at + 1]) != (upper, lower):
            continue  # the one before was changed
        above, below = ([far[each] for each in near[group] if each in far] for group in (upper, lower))
        if sum(a > b for a in above for b in below) > sum(a < b for a in above for b in below):
            order[at], order[at + 1] = lower, upper
            has_changed = True
    return has_changed


def _places(order: Sequence[str]) -> dict[str, float]:
    """Where each stands, from 0 to 1, since the sides are of one height."""
    return {each: (at + 0.5) / len(order) for at, each in enumerate(order)}


def _crossings(left: Sequence[str], right: Sequence[str], ties: Sequence[Tie]) -> float:
    """How often ties cross, and a little for the way of those within a side."""
    lefts, rights = _places(left), _places(right)
    across = [(lefts[tie.one], rights[tie.other]) for tie in ties if tie.one in lefts and tie.other in rights]
    crossed = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(across, 2))
    arcs = [abs(side[tie.one] - side[tie.other]) for side in (lefts, rights) for tie in ties if tie.ends <= side.keys()]
    return crossed + 2 * sum(arcs)
