"""The values that a client gives to a question: read by what its shape says, and looked up where they name things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.address import local
from motorgraph.errors import BadParameter
from motorgraph.inquiry import Inquiry, solutions
from motorgraph.kinds import Kinds
from motorgraph.parameters import MOST_CHARACTERS, MOST_VALUES, Parameter, Term, short, space
from motorgraph.questions import Question
from motorgraph.search.likeness import MOST, likest_of
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import SKOS

MOST_COMBINATIONS = 200
ALIKE = 70.0
"""Of 100: how like a name a value has to be to be near it; two letters may have changed places in a short one."""
_LABELS = f"<{SKOS}prefLabel>|<{SKOS}altLabel>"
_LOOKED_UP = """SELECT ?given ?thing ?rank {{
  {{ VALUES (?given ?thing ?rank) {{ {names} }} FILTER EXISTS {{ ?thing ?p ?o }} }}
  UNION {{ VALUES (?given ?label ?rank) {{ {labels} }} ?thing {properties} ?label }} }} LIMIT {most}"""


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
        self._kinds = Kinds(store)

    async def read(self, question: Question, told: Mapping[str, Sequence[str]], commit: int = 0) -> dict[str, list[Term]]:
        """The terms for each parameter that is given; a text that is empty counts as none, as a form sends it.

        Raises BadParameter, which names each fault.
        """
        faults = [_unknown(question, name) for name in told if name not in {p.name for p in question.parameters}]
        texts = {p: _texts(told.get(p.name, ())) for p in question.parameters}
        found = await self._named(question, texts, commit)
        given: dict[str, list[Term]] = {}
        for parameter, values in texts.items():
            terms = [self._term(question, parameter, value, found) for value in values]
            for value, term in zip(values, terms, strict=True):
                if term is None:
                    faults.append(await self._fault(parameter, value))
            if len(values) > (MOST_VALUES if parameter.is_list else 1):
                faults.append(_too_many(parameter, values))
            if values:
                given[parameter.name] = list(dict.fromkeys(term for term in terms if term is not None))
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
            found |= {short(iri): name for iri, name in (await self._kinds.named(space(kind, self._base))).items()}
        return found

    async def _named(self, question: Question, texts: Mapping[Parameter, Sequence[str]], commit: int) -> dict[str, list[str]]:
        """The IRIs of things that there are by the text that may stand for them, the likeliest first."""
        rows, labels = [], []
        for parameter, values in texts.items():
            for text in values if parameter.kinds else ():
                given = ox.Literal(text)
                rows += [
                    f"({given} {ox.NamedNode(iri)} {rank})" for rank, iri in enumerate(parameter.candidates(text, self._base))
                ]
                labels += [f"({given} {label} 100)" for label in (given, ox.Literal(text, language="en"))]
        if not labels:
            return {}
        text = _LOOKED_UP.format(names=" ".join(rows), labels=" ".join(labels), properties=_LABELS, most=1000)
        _, body = await self._inquiry.answer(text, {}, commit)
        found: dict[str, list[str]] = {}
        for row in sorted(solutions(body), key=lambda row: (int(row["rank"].value), row["thing"].value)):
            found.setdefault(row["given"].value, []).append(row["thing"].value)
        return found

    def _term(self, question: Question, parameter: Parameter, text: str, found: Mapping[str, Sequence[str]]) -> Term | None:
        if not parameter.kinds:
            return parameter.literal(text)
        things = [iri for iri in dict.fromkeys(found.get(text, ())) if parameter.takes(iri, self._base)]
        named = [iri for iri in parameter.candidates(text, self._base) if iri in things]
        usual = {term.value for term in question.defaults[parameter.name]} & set(parameter.candidates(text, self._base))
        if named or len(things) == 1:
            return ox.NamedNode((named or things)[0])
        return ox.NamedNode(usual.pop()) if usual else None

    async def _fault(self, parameter: Parameter, value: str) -> Fault:
        near = await self._near(parameter, value)
        detail = f"{parameter.name}={value[:100]!r} is not {parameter.wanted}."
        if parameter.kinds and not parameter.choices and not near:
            detail += " Give the last part of its IRI, its IRI, or its name."
        return Fault(parameter.name, value, detail, tuple(near))

    async def _near(self, parameter: Parameter, value: str) -> list[dict[str, str]]:
        """The things with names most like a value, as members of a problem."""
        names = {term.value: short(term.value) for term in parameter.choices}
        for kind in () if parameter.choices else parameter.kinds:
            names |= await self._kinds.named(space(kind, self._base))
        likest = likest_of(short(value), names, ALIKE)[:MOST]
        return [{"id": iri, "name": names[iri], "page": local(iri, self._base)} for iri in likest]


def _texts(values: Sequence[str]) -> list[str]:
    return [text.strip()[: MOST_CHARACTERS + 1] for text in values if text.strip()]


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
        combined *= len(given.get(name) or usual)
    if combined <= MOST_COMBINATIONS or not given:
        return []
    name = max(given, key=lambda each: len(given[each]))
    detail = (
        f"The values make {combined:,} combinations; a question is asked of at most {MOST_COMBINATIONS}. Give fewer for {name}."
    )
    return [Fault(name, "", detail)]
