"""The values that a client gives to a question: read by what its shape says, and looked up where they name things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.errors import BadParameter
from motorgraph.inquiry import Inquiry, Several
from motorgraph.naming import Directory, Meant
from motorgraph.parameters import MOST_CHARACTERS, MOST_VALUES, Parameter, Term, short, space
from motorgraph.questions import Question
from motorgraph.search.likeness import likest_of
from motorgraph.search.naming import ALIKE, Kind
from motorgraph.stores.embedded import Embedded

MOST_COMBINATIONS = 200
_IN_A_PAST = "SELECT ?thing { VALUES ?thing { $things } FILTER EXISTS { ?thing ?p ?o } }"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one parameter, and the names that may have been meant."""

    parameter: str
    value: str
    detail: str
    near: tuple[dict[str, str], ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"{self.detail} Near: {', '.join(each['name'] for each in self.near)}." if self.near else self.detail

    def as_json(self) -> dict[str, object]:
        """As a member of a problem."""
        return {"field": self.parameter, "value": self.value, "detail": self.detail, "near": list(self.near)}


class Givens:
    """Reads what clients give."""

    def __init__(self, store: Embedded) -> None:
        self._base = store.settings.base
        self._inquiry = Inquiry(store)
        self._directory = Directory(store)

    async def read(self, question: Question, told: Mapping[str, Sequence[str]], commit: int = 0) -> dict[str, list[Term]]:
        """The terms for each parameter that is given; a text that is empty counts as none, as a form sends it.

        Raises BadParameter, which names each fault.
        """
        faults = [_unknown(question, name) for name in told if name not in {p.name for p in question.parameters}]
        given: dict[str, list[Term]] = {}
        for parameter in question.parameters:
            values = _texts(told.get(parameter.name, ()))
            if len(values) > (MOST_VALUES if parameter.is_list else 1):
                faults.append(_too_many(parameter, values))
                continue
            terms = await self._terms(question, parameter, values, commit)
            faults += [term for term in terms if isinstance(term, Fault)]
            if values:
                given[parameter.name] = list(dict.fromkeys(term for term in terms if not isinstance(term, Fault)))
        faults += [] if faults else _too_long(question, given)
        if faults:
            first = faults[0]
            raise BadParameter(
                " ".join(map(str, faults)),
                field=first.parameter,
                value=first.value,
                near=list(first.near),
                errors=[fault.as_json() for fault in faults],
            )
        return given

    async def names(self, parameter: Parameter) -> dict[str, str]:
        """The names of the things that a parameter takes, by what a client may give for each."""
        if parameter.choices:
            return {short(term.value): short(term.value) for term in parameter.choices}
        found: dict[str, str] = {}
        for kind in reversed(parameter.kinds):
            things = await self._directory.below(space(kind, self._base))
            found |= {thing.slug: thing.label for thing in things.values()}
        return found

    async def _terms(self, question: Question, parameter: Parameter, values: Sequence[str], commit: int) -> list[Term | Fault]:
        """What each value stands for, or what is wrong with it."""
        if not parameter.kinds:
            return [parameter.literal(value) or _fault(parameter, value) for value in values]
        kinds = [Kind(space(kind, self._base)) for kind in parameter.kinds]
        meant = await self._directory.meant(values, kinds)
        return [await self._term(question, parameter, *pair, commit) for pair in zip(values, meant, strict=True)]

    async def _term(self, question: Question, parameter: Parameter, value: str, meant: Meant, commit: int) -> Term | Fault:
        """The thing that a value names: now, in the question itself, or at an older commit by what it was called then."""
        things = [thing for thing in meant.things if parameter.takes(thing.iri, self._base)]
        if len(things) == 1:
            return ox.NamedNode(things[0].iri)
        iris = parameter.candidates(value, self._base)
        known = [term.value for term in question.defaults[parameter.name] if term.value in iris]
        if commit and iris and not known:
            told = Several(tuple(map(ox.NamedNode, iris)))
            _, rows = await self._inquiry.told(_IN_A_PAST, {"things": told}, commit)
            known = sorted((row["thing"] for row in rows), key=iris.index)
        if known:
            return ox.NamedNode(known[0])
        chosen = _chosen(parameter, value)
        return _fault(parameter, value, [near.as_near(self._base) for near in things or meant.near if not chosen] or chosen)


def _texts(values: Sequence[str]) -> list[str]:
    return [text.strip()[: MOST_CHARACTERS + 1] for text in values if text.strip()]


def _fault(parameter: Parameter, value: str, near: Sequence[dict[str, str]] = ()) -> Fault:
    detail = f"{parameter.name}={value[:100]!r} is not {parameter.wanted}."
    if parameter.kinds and not parameter.choices and not near:
        detail += " Give the last part of its IRI, its IRI, or its name."
    return Fault(parameter.name, value, detail, tuple(near))


def _chosen(parameter: Parameter, value: str) -> list[dict[str, str]]:
    """Those of the choices that are most like a value."""
    names = {term.value: short(term.value) for term in parameter.choices}
    return [{"id": iri, "name": names[iri], "page": ""} for iri in likest_of(short(value), names, ALIKE)]


def _unknown(question: Question, name: str) -> Fault:
    names = [p.name for p in question.parameters]
    near = likest_of(name, {each: each for each in names})
    has = f"It takes {', '.join(names)}, cite and at." if names else "It takes cite and at only."
    detail = f"This question has no parameter {name[:60]!r}. {has}"
    return Fault(name, "", detail, tuple({"id": each, "name": each, "page": ""} for each in near))


def _too_many(parameter: Parameter, values: Sequence[str]) -> Fault:
    most = MOST_VALUES if parameter.is_list else 1
    return Fault(parameter.name, values[most], f"{parameter.name} is given {len(values)} times; {most} is the most.")


def _too_long(question: Question, given: Mapping[str, Sequence[Term]]) -> list[Fault]:
    """Whether the combinations of the values are more than a question is asked of."""
    combined = 1
    for name, usual in question.defaults.items():
        combined *= len(given.get(name) or usual) or 1
    if combined <= MOST_COMBINATIONS or not given:
        return []
    name = max(given, key=lambda each: len(given[each]))
    detail = (
        f"The values make {combined:,} combinations; a question is asked of at most {MOST_COMBINATIONS}. Give fewer for {name}."
    )
    return [Fault(name, "", detail)]
