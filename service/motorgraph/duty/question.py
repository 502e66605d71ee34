"""What the duty planner is asked: makers, places, cars, markets and days, read from the parameters of a request."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from motorgraph.duty.law import Law
from motorgraph.duty.plants import Plants
from motorgraph.errors import BadParameter
from motorgraph.naming import Directory, Meant, Named
from motorgraph.parameters import MOST_CHARACTERS, space
from motorgraph.search.naming import Kind

FIELDS = {
    "maker": (("organization", ""), ("brand", "")),
    "plant": (("plant", ""), ("plant-unit", ""), ("country", ""), ("territory", "CustomsTerritory")),
    "model": (("concept/propulsion", ""), ("model", "")),
    "market": (("territory", "CustomsTerritory"), ("country", "")),
}
"""The kinds that a parameter may name, the likeliest first, each with the class that is wanted of it where not all will do."""
PARAMETERS = ("maker", "plant", "model", "market", "date")
NEEDED = {
    "maker": "Say whose car it is, as maker=geely-holding; without a maker the operator of a named plant is asked for.",
    "market": "Say into which market, as market=eu, or name the plant (plant=cn, plant=giga-shanghai) to see all markets.",
}
ORDINARY_CAR = "bev"
"""The car that is meant where no model or kind of drive is named."""


@dataclass(frozen=True, slots=True)
class Route:
    """One combination that is asked about."""

    maker: Named
    place: Named
    model: Named
    market: Named
    day: str


@dataclass(frozen=True, slots=True)
class Question:
    """All that is asked at once. `is_today` says that no day was named, `over` what was left out to be compared, if anything."""

    makers: tuple[Named, ...]
    places: tuple[Named, ...]
    models: tuple[Named, ...]
    markets: tuple[Named, ...]
    days: tuple[str, ...]
    routes: tuple[Route, ...]
    is_today: bool
    over: str = ""


class Questions:
    """Reads questions; `most` is how many combinations one may have."""

    def __init__(self, directory: Directory, plants: Plants, base: str, most: int) -> None:
        self._directory = directory
        self._plants = plants
        self._base = base
        self._most = most

    async def read(self, given: Mapping[str, Sequence[str]], law: Law) -> Question:
        """The question that parameters put. Raises BadParameter, which tells of every field that is wrong."""
        asked = {name: tuple(v for v in dict.fromkeys(map(str.strip, values)) if v) for name, values in given.items()}
        _refuse_unknown(asked)
        if not asked.get("plant") and not asked.get("market"):
            raise BadParameter(NEEDED["market"], field="market", value="", near=[])
        wrong: list[BadParameter] = []
        makers, places, markets = [await self._named(name, asked, wrong) for name in ("maker", "plant", "market")]
        models = await self._named("model", {"model": asked.get("model") or (ORDINARY_CAR,)}, wrong)
        days = _days(asked.get("date", ()), wrong)
        _raise(wrong)
        over = "" if places and markets else "market" if places else "plant"
        places = places or tuple(await self._plants.cars())
        markets = markets or tuple((await self._directory.labelled(law.importers)).values())
        pairs = await self._pairs(makers, places)
        size = len(pairs) * len(models) * len(markets) * len(days)
        if size > self._most:
            raise BadParameter(
                f"These are {size:,} combinations; at most {self._most:,} are answered at once (setting duty_combinations). "
                "Name fewer makers, plants, models, markets or days.",
                field="date" if len(days) > 1 else "model" if len(models) > 1 else "maker",
                limit=self._most,
            )
        combined = itertools.product(pairs, models, markets, days)
        routes = tuple(Route(maker, place, model, market, day) for (maker, place), model, market, day in combined)
        return Question(makers, places, models, markets, days, routes, not asked.get("date"), over)

    async def _named(self, field: str, asked: Mapping[str, Sequence[str]], wrong: list[BadParameter]) -> tuple[Named, ...]:
        """The things that the values of a field name; what is wrong with others goes to `wrong`."""
        values = [value[:MOST_CHARACTERS] for value in asked.get(field, ())[: self._most]]
        kinds = [Kind(space(kind, self._base), of) for kind, of in FIELDS[field]]
        found = []
        for value, meant in zip(values, await self._directory.meant(values, kinds), strict=True):
            if len(meant.things) == 1:
                found.append(meant.things[0])
            else:
                wrong.append(_refusal(field, value, meant, self._base))
        return tuple(dict.fromkeys(found))

    async def _pairs(self, makers: tuple[Named, ...], places: tuple[Named, ...]) -> list[tuple[Named, Named]]:
        """Who builds where; without a maker each plant has its operator. Raises BadParameter."""
        if makers:
            return list(itertools.product(makers, places))
        operators = await self._directory.labelled(filter(None, [await self._plants.operator(place.iri) for place in places]))
        pairs = [(operators.get(await self._plants.operator(place.iri)), place) for place in places]
        known = [(maker, place) for maker, place in pairs if maker is not None]
        if len(known) < len(pairs):
            raise BadParameter(NEEDED["maker"], field="maker", value="", near=[])
        return known


def _refusal(field: str, value: str, meant: Meant, base: str) -> BadParameter:
    """That a name means nothing, or one of several things."""
    known = "plant or country" if field == "plant" else field
    why = "may mean any of several; give one by its slug" if meant.things else f"is no {known} that the graph knows"
    near = meant.things or meant.near
    also = f" Near it: {', '.join(thing.slug for thing in near)}." if near else ""
    told = [thing.as_near(base) for thing in near]
    return BadParameter(f"{field}={value!r} {why}.{also}", field=field, value=value, near=told)


def _refuse_unknown(asked: Mapping[str, object]) -> None:
    unknown = [name for name in asked if name not in PARAMETERS]
    if unknown:
        name = unknown[0][:100]
        raise BadParameter(f"There is no parameter {name!r}; there are {', '.join(PARAMETERS)} and cite.", field=name, near=[])


def _days(texts: Sequence[str], wrong: list[BadParameter]) -> tuple[str, ...]:
    found = []
    for text in texts or (datetime.now(UTC).date().isoformat(),):
        try:
            found.append(date(*map(int, _parted(text))).isoformat())
        except (ValueError, TypeError):
            told = f"date={text[:100]!r} is no day; write it as 2024-08-01."
            wrong.append(BadParameter(told, field="date", value=text[:100], near=[]))
    return tuple(dict.fromkeys(found))


def _parted(text: str) -> Iterator[str]:
    """Year, month and day of an ISO date. Raises ValueError."""
    parts = text.split("-")
    if [len(part) for part in parts] != [4, 2, 2] or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(text)
    return iter(parts)


def _raise(wrong: Sequence[BadParameter]) -> None:
    """Raises what is wrong, as one refusal that tells of every field."""
    if wrong:
        first = wrong[0]
        errors = [{"detail": each.detail, **each.members} for each in wrong]
        raise BadParameter(" ".join(each.detail for each in wrong), **first.members, errors=errors)
