"""A sheet: all things of a kind with what is told of each, read from the graph once a commit and then asked in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from motorgraph.search.folding import folded

if TYPE_CHECKING:
    from motorgraph.explore.control import Control

NOT_KNOWN = "not-known"
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Value:
    """What is told of a thing: the key that an address holds, in words, and the IRI and page of what is a thing itself."""

    key: str
    words: str
    iri: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A source: its title, publisher, the day it came out and where it is."""

    iri: str
    title: str
    publisher: str = ""
    day: str = ""
    url: str = ""
    page: str = ""


@dataclass(slots=True)
class Item:
    """A thing: its name, its page, the values in each column, and the IRIs of the documents behind it."""

    iri: str
    label: str
    page: str
    cells: dict[str, list[Value]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    text: str = ""
    """Its name and other names as they are compared."""

    def values(self, column: str) -> list[Value]:
        """What is told of it in a column."""
        return self.cells.get(column, [])

    def keys(self, column: str) -> set[str]:
        """The keys of that; `not-known` if there is nothing."""
        return {value.key for value in self.values(column)} or {NOT_KNOWN}

    def first(self, column: str) -> str:
        """The words of the first value in a column, "" if there is none."""
        found = self.values(column)
        return found[0].words if found else ""


@dataclass(slots=True, eq=False)
class Sheet:
    """The things of a kind as of a commit, in the order of their names, who controls whom, rows of further queries by name."""

    commit: int
    items: list[Item]
    documents: Mapping[str, Document]
    control: Control
    told: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    page: Callable[[str], str] = str
    """The page of a thing by its IRI, as of this commit; "" if it has none here."""

    _values: dict[str, dict[str, Value]] = field(default_factory=dict, init=False)

    def values(self, column: str) -> Mapping[str, Value]:
        """All that is told in a column, by key."""
        if column not in self._values:
            self._values[column] = {value.key: value for item in self.items for value in item.values(column)}
        return self._values[column]


def slug(text: str) -> str:
    """A text as an address holds it."""
    return re.sub(r"[^a-z0-9]+", "-", folded(text)).strip("-")[:80] or "x"


def last(iri: str) -> str:
    """The last part of an IRI."""
    return re.split(r"[/#]", iri.rstrip("/"))[-1]


def has_words(item: Item, wanted: Iterable[str]) -> bool:
    """Whether all of some folded words begin a word of the names of a thing."""
    text = f" {item.text}"
    return all(f" {word}" in text for word in wanted)
