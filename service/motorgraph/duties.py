"""What a car of a thing pays in each market, as a table for the page of the thing: an answer of the duty planner."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlencode

from motorgraph.duty import wording
from motorgraph.duty.planner import Answer, Planner, Row
from motorgraph.errors import BadParameter
from motorgraph.naming import Named
from motorgraph.stores.embedded import Embedded

ADDRESS = "/questions/duty?"
MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """What the cars of one maker from one place pay in a market, a row for each case, and where the planner gives the reasons."""

    rows: tuple[Row, ...]
    address: str


@dataclass(frozen=True, slots=True)
class Duties:
    """A row of cells for each market, the least duty first; or the words `why` there is no answer."""

    columns: tuple[str, ...] = ()
    markets: tuple[tuple[Named, tuple[Cell, ...]], ...] = ()
    car: str = ""
    why: str = ""

    total = staticmethod(wording.total)
    sentence = staticmethod(wording.sentence)


class Tables:
    """The tables that were made of one commit on one day, the latest asked for."""

    def __init__(self, store: Embedded, planner: Planner) -> None:
        self._store = store
        self._planner = planner
        self._of: tuple[int, date] = (0, date.min)
        self._made: OrderedDict[str, Duties] = OrderedDict()

    async def duties(self, asked: str) -> Duties:
        """The duties of today that the parameters of the planner ask for."""
        now = self._store.commit, datetime.now(UTC).date()
        if now != self._of:
            self._of, self._made = now, OrderedDict()
        made = self._made
        if asked not in made:
            made[asked] = await self._table(asked)
            if len(made) > MOST_KEPT:
                made.popitem(last=False)
        return made[asked]

    async def _table(self, asked: str) -> Duties:
        try:
            question = await self._planner.questions.read(parse_qs(asked), await self._planner.law())
        except BadParameter as refusal:
            return Duties(why=f"The duty planner has no answer: {refusal.detail}")
        return _by_market(await self._planner.answer(question))


def _by_market(answer: Answer) -> Duties:
    columns = list(dict.fromkeys((row.route.maker, row.route.place) for row in answer.rows))
    found = []
    for market in dict.fromkeys(row.route.market for row in answer.rows):
        own = [row for row in answer.rows if row.route.market == market]
        cells = [_cell([row for row in own if (row.route.maker, row.route.place) == column]) for column in columns]
        found.append((market, tuple(cells)))
    return Duties(_heads(columns), tuple(found), " or ".join(map(_car, answer.question.models)))


def _car(model: Named) -> str:
    return f"a {model.label} car" if model.kind == "propulsion" else model.label


def _heads(columns: Sequence[tuple[Named, Named]]) -> tuple[str, ...]:
    """What each column is called: by what tells it from the others."""
    several = len({maker for maker, _ in columns}) > 1
    return tuple(
        f"{maker.label}, from {wording.placed(place)}" if several else f"From {wording.placed(place)}" for maker, place in columns
    )


def _cell(rows: Sequence[Row]) -> Cell:
    route = rows[0].route
    things = {"maker": route.maker, "plant": route.place, "model": route.model, "market": route.market}
    return Cell(tuple(rows), ADDRESS + urlencode({name: f"{thing.kind}/{thing.slug}" for name, thing in things.items()}))
