"""Candidates for a record of somebody's table: things scored by their names, their classes and the values of their properties."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import pyoxigraph as ox

from motorgraph.search.entry import Entry, Look, Role
from motorgraph.search.folding import folded
from motorgraph.search.index import Index
from motorgraph.search.likeness import likeness
from motorgraph.search.ranking import Asked
from motorgraph.search.schema import Schema
from motorgraph.search.telling import Teller

POOL = 60
"""Things that are scored for one record."""
LEAST = 25.0
"""What scores less is not worth a look."""
MOST_POINTING = 500
SAME, ANOTHER_NAME = 100.0, 98.0
OF_ANOTHER_TYPE = 0.9
HALF = 0.5
"""What a property counts against the name."""
FITS = 70.0
"""From this score on a value is taken for the one that was given."""
CERTAIN = 90.0
CLEAR = 4.0
"""What the best candidate is ahead of the next where it is the one."""
Json = dict[str, Any]  # Any: plain JSON


@dataclass(frozen=True)
class Sought:
    """What is known of the thing that a record is about: a name, classes (it has any or all, or should have one), values of
    properties, identifiers; and how many candidates are wanted."""

    query: str
    types: Sequence[str] = ()
    strict: str = "any"
    limit: int = 10
    conditions: Sequence[Json] = ()
    ids: Sequence[str] = ()


@dataclass(frozen=True)
class Condition:
    """What the values of a property should be: any, all or none of these."""

    name: str
    node: ox.NamedNode
    values: Sequence[Any]
    required: bool = False
    quantifier: str = "any"


@dataclass
class Candidate:
    """A thing that may be meant, with what speaks for it (to 100 each)."""

    entry: Entry
    name: float | None
    of_type: bool = True
    values: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """All of it in one number."""
        if self.name is None:
            total = fmean(self.values.values()) if self.values else 0.0
        else:
            total = (self.name + HALF * sum(self.values.values())) / (1 + HALF * len(self.values))
        return round(total if self.of_type else total * OF_ANOTHER_TYPE, 2)


@dataclass
class Matcher:
    """Finds candidates in an index, from the store that it was made of."""

    index: Index
    look: Look
    schema: Schema
    teller: Teller

    def match(self, **wanted: Any) -> Json:  # Any: the fields of a Sought, as plain JSON
        """The candidates, the best first, and which of them is surely the one. Raises BadRequest if there is no such property."""
        sought = Sought(**wanted)
        conditions = [self._condition(**condition) for condition in sought.conditions]
        among = self._among(sought.types, sought.strict)
        if sought.query or sought.ids:
            found = self._named(sought, among if sought.strict != "should" else None)
        else:
            found = [Candidate(entry, None) for entry in self._having(conditions, among)]
        kept = [candidate for candidate in found if self._is_kept(candidate, conditions)]
        for candidate in kept:
            candidate.of_type = among is None or candidate.entry.iri in among
        kept.sort(key=lambda c: (-c.score, -c.entry.weight, c.entry.iri))
        certain = bool(kept) and kept[0].score >= CERTAIN and (len(kept) == 1 or kept[0].score - kept[1].score >= CLEAR)
        shown = [candidate for candidate in kept if candidate.score >= LEAST][: sought.limit]
        return {"candidates": [self._told(c, match=certain and place == 0) for place, c in enumerate(shown)]}

    def _condition(self, pid: str, values: list[Any], required: bool = False, quantifier: str = "any") -> Condition:
        return Condition(pid, self.schema.property(pid), values, required, quantifier)

    def _among(self, types: Sequence[str], strict: str) -> frozenset[str] | None:
        """The things of these classes, of any or of all; None if any thing will do."""
        if not types:
            return None
        each = [self.schema.instances(name) for name in types]
        return frozenset.intersection(*each) if strict == "all" else frozenset[str]().union(*each)

    # By name

    def _named(self, sought: Sought, among: frozenset[str] | None) -> list[Candidate]:
        """The things that are called so, or have one of these identifiers."""
        query, known = sought.query, map(self.index.meant, sought.ids)
        by_id = [entry for entry in known if entry is not None and (among is None or entry.iri in among)]
        if not query:
            return [Candidate(entry, SAME) for entry in by_id]
        asked = Asked.of(query)
        meant = self.index.meant(query)
        matches = self.index.find(query, most=POOL, keep=among.__contains__ if among is not None else None).matches
        found = {match.entry.iri: match.entry for match in matches} | {entry.iri: entry for entry in by_id}
        same = {entry.iri for entry in (*by_id, *filter(None, [meant]))}
        return [Candidate(entry, SAME if iri in same else _called(asked, entry)) for iri, entry in found.items()]

    # By properties

    def _having(self, conditions: Sequence[Condition], among: frozenset[str] | None) -> list[Entry]:
        """The things that have a value of one of the conditions, where no name is given."""
        found: dict[str, Entry] = {}
        for condition in conditions:
            for value in condition.values:
                for thing in self._subjects(condition.node, value):
                    entry = self.index.entry(thing)
                    if entry is not None and (among is None or thing in among):
                        found[thing] = entry
                    if len(found) >= MOST_POINTING:
                        return list(found.values())
        return list(found.values())

    def _subjects(self, predicate: ox.NamedNode, value: Any) -> Iterator[str]:
        """The things that have just this value, or a thing of this name for a value."""
        names: list[ox.NamedNode | ox.Literal] = [ox.NamedNode(entry.iri) for entry in self._meant(value)]
        if not isinstance(value, dict):
            names += [ox.Literal(str(value)), ox.Literal(str(value), language="en")]
            names += [ox.Literal(value)] if isinstance(value, int | float | bool) else []
        for term in names:
            for quad in self.look.quads(None, predicate, term):
                if isinstance(quad.subject, ox.NamedNode):
                    yield quad.subject.value

    def _meant(self, value: Any) -> Iterable[Entry]:
        """The things that a given value may be."""
        if isinstance(value, dict):
            entry = self.index.meant(str(value.get("id", "")))
            return [entry] if entry is not None else []
        if not isinstance(value, str):
            return []
        return [match.entry for match in self.index.find(value, most=3).matches if match.score >= CERTAIN - 2]

    def _is_kept(self, candidate: Candidate, conditions: Sequence[Condition]) -> bool:
        """Whether it fits what is required; notes how well it fits the rest."""
        for condition in conditions:
            score = self._fit(ox.NamedNode(candidate.entry.iri), condition)
            if condition.required and score < FITS:
                return False
            candidate.values[condition.name] = max(score, candidate.values.get(condition.name, 0.0))
        return True

    def _fit(self, thing: ox.NamedNode, condition: Condition) -> float:
        held = self.look.values(thing, condition.node)
        each = [max((self._likeness(wanted, value) for value in held), default=0.0) for wanted in condition.values] or [0.0]
        if condition.quantifier == "none":
            return SAME - max(each)
        return min(each) if condition.quantifier == "all" else max(each)

    def _likeness(self, wanted: Any, value: object) -> float:
        """How like a value of the graph is to one that was given."""
        if isinstance(value, ox.NamedNode):
            entry = self.index.entry(value.value)
            if isinstance(wanted, dict):
                meant = self.index.meant(str(wanted.get("id", "")))
                return SAME if value.value == wanted.get("id") or (meant is not None and meant.iri == value.value) else 0.0
            if str(wanted) == value.value:
                return SAME
            return _called(Asked.of(str(wanted)), entry) if entry is not None else 0.0
        if not isinstance(value, ox.Literal):
            return 0.0
        text = str(wanted.get("name") or wanted.get("id", "")) if isinstance(wanted, dict) else str(wanted)
        number, given = _number(value.value), _number(text)
        if number is not None and given is not None:
            return SAME if number == given else max(0.0, SAME * (1 - 5 * abs(number - given) / max(abs(number), abs(given))))
        return likeness(folded(text), folded(value.value))

    def _told(self, candidate: Candidate, *, match: bool) -> Json:
        entry = candidate.entry
        features = [{"id": "popularity", "name": "how much is said of it", "value": round(100 * entry.weight, 1)}]
        if candidate.name is not None:
            features.append({"id": "name_likeness", "name": "likeness of the name", "value": round(candidate.name, 1)})
        features += [
            {"id": name, "name": f"likeness of {self.schema.label(self.schema.property(name).value)}", "value": round(value, 1)}
            for name, value in candidate.values.items()
        ]
        features.append({"id": "type_match", "name": "of a type that was asked for", "value": candidate.of_type})
        types = self.schema.types(ox.NamedNode(entry.iri))
        told = {"id": entry.iri, "name": entry.label, "description": self.teller.described(entry), "type": types}
        return told | {"score": candidate.score, "match": match, "features": features}


def _called(asked: Asked, entry: Entry) -> float:
    """How like a text is to what a thing is called: its label counts a little more than its other names."""
    best = 0.0
    for place, (role, text) in enumerate(entry.names):
        plain = folded(text)
        if role is Role.CONTEXT:
            continue
        if plain.replace(" ", "") == asked.compact:
            return SAME if place == 0 else ANOTHER_NAME
        if role is not Role.IDENTIFIER:
            best = max(best, likeness(asked.folded.strip(), plain) * (ANOTHER_NAME / SAME))
    return min(best, ANOTHER_NAME - CLEAR)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
