"""What the page of a question shows: the fields of its form, and the cells of its table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyoxigraph as ox

from motorgraph.address import local
from motorgraph.answers import ENTITY, NUMBER, PERCENT, AnswerColumn, Cell, Reply
from motorgraph.parameters import Parameter, Term, short
from motorgraph.renderings import words
from motorgraph.sources import Source

MOST_OFFERED = 600
MOST_CHOICES = 30
"""Things that are offered in a list to choose from; more are suggested while one writes."""
CONCEPTS = "/concept/"


@dataclass(frozen=True)
class Field:
    """A field of a form: the parameter, the values in it, the names of what it takes, and what is wrong with it."""

    parameter: Parameter
    values: tuple[str, ...]
    names: Mapping[str, str]
    faults: tuple[Mapping[str, Any], ...] = ()  # Any: a member of a problem

    @cached_property
    def offered(self) -> Mapping[str, str]:
        """What may be chosen, in the order of the names; nothing if that is too much for a page."""
        return dict(sorted(self.names.items(), key=lambda pair: pair[1])) if len(self.names) <= MOST_OFFERED else {}

    @property
    def named(self) -> list[str]:
        """The values in words."""
        return [self.names.get(short(value), value) for value in self.values]

    @property
    def kind(self) -> str:
        """How it is shown: as a `select`, or as an input of the type date, number or text."""
        if self.parameter.choices or (self.offered and len(self.offered) <= MOST_CHOICES and self._holds_all):
            return "select"
        return "date" if self.parameter.is_date else "number" if self.parameter.is_number else "text"

    @property
    def _holds_all(self) -> bool:
        return all(value in self.offered for value in self.values)

    @property
    def shown(self) -> tuple[str, ...]:
        """The values to show, with room for another where there may be several; things by names that no others have."""
        values = self.values
        if self.kind == "text":
            labels = Counter(self.names.values())
            named = [self.names.get(value, value) for value in values]
            values = tuple(name if labels[name] == 1 else value for name, value in zip(named, values, strict=True))
        return (*values, "") if self.parameter.is_list or not values else values


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell: its text, the page of the thing that it names, the kind of its column, and what it means that it has no text."""

    text: str
    page: str
    kind: str
    absent: str


def field(parameter: Parameter, given: Sequence[str], usual: Sequence[Term], names: Mapping[str, str]) -> Field:
    """The field of a parameter, with what was given or else the usual values."""
    values = tuple(given) or tuple(short(term.value) if isinstance(term, ox.NamedNode) else term.value for term in usual)
    return Field(parameter, values, names)


@dataclass(frozen=True, slots=True)
class Document:
    """A source as a page shows it: where the document is, and the page with what the graph says of it."""

    source: Source
    href: str
    page: str


def documents(reply: Reply, base: str) -> list[Document]:
    """The sources of an answer in the order of their numbers."""
    return [Document(each, local(each.url, base) or each.url, local(each.iri, base)) for each in reply.sources]


def table(reply: Reply, base: str) -> list[tuple[list[Shown], list[int]]]:
    """The rows as a page shows them, each with the numbers of its sources."""
    numbers = {source: number for number, source in enumerate(reply.sources, 1)}
    return [
        (
            [_shown(cell, thing, column, base) for cell, thing, column in zip(row.cells, row.things, reply.columns, strict=True)],
            [numbers[source] for source in row.sources],
        )
        for row in reply.rows
    ]


def _shown(cell: Cell, thing: str, column: AnswerColumn, base: str) -> Shown:
    iri = cell.value if isinstance(cell, ox.NamedNode) else thing
    page = "" if iri.startswith(base + CONCEPTS) else local(iri, base)
    text = short(cell.value) if isinstance(cell, ox.NamedNode) else words(cell)
    if column.type in (NUMBER, PERCENT):
        return Shown(_grouped(text), "", column.type, column.absent)
    return Shown(text, page if column.type == ENTITY else "", column.type, column.absent)


def _grouped(number: str) -> str:
    """A number with commas between the thousands where it is not a year."""
    whole, dot, rest = number.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole.lstrip("-").isdecimal() and len(whole) > 4 else number
