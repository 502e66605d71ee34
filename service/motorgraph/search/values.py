"""The values of properties of things, as the cells of a table: names and IRIs of things, numbers, days, texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from motorgraph.search.entry import Look
from motorgraph.search.schema import Schema
from motorgraph.search.telling import Teller
from motorgraph.vocab import DCTERMS, XSD

MOST_VALUES = 100
"""In one cell."""
OF_SOURCES = "@source"
"""Ends the name of a property where its sources are wanted."""
INTEGERS = {XSD + name for name in ("integer", "int", "long", "nonNegativeInteger", "positiveInteger", "short", "byte")}
FLOATS = {XSD + name for name in ("decimal", "double", "float")}
SOURCE = ox.NamedNode(DCTERMS + "source")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
Cell = dict[str, Any]  # Any: a string or a number


@dataclass(frozen=True)
class Wanted:
    """A property whose values are wanted, at most so many, or their sources."""

    name: str
    node: ox.NamedNode
    most: int
    wants_sources: bool


@dataclass
class Values:
    """Reads values from a store."""

    look: Look
    schema: Schema
    teller: Teller

    def extend(self, ids: list[str], properties: list[dict[str, Any]]) -> dict[str, Any]:  # Any: plain JSON
        """The values of properties of things, and what the properties are called. Raises BadRequest if there is none."""
        wanted = [self._wanted(told["id"], told.get("settings") or {}) for told in properties]
        rows = {thing: {each.name: self._cells(thing, each) for each in wanted} for thing in ids}
        return {"meta": [self._told(each) for each in wanted], "rows": rows}

    def _wanted(self, name: str, settings: dict[str, Any]) -> Wanted:
        node = self.schema.property(name.removesuffix(OF_SOURCES))
        given = str(settings.get("limit", ""))
        most = int(given) if given.isdecimal() and len(given) < 6 and int(given) else MOST_VALUES
        wants_sources = name.endswith(OF_SOURCES) or str(settings.get("sources", "")).lower() in ("true", "on", "1")
        return Wanted(name, node, min(most, MOST_VALUES), wants_sources)

    def _told(self, wanted: Wanted) -> dict[str, str]:
        label = self.schema.label(wanted.node.value)
        return {"id": wanted.name, "name": f"{label}: sources" if wanted.wants_sources else label}

    def _cells(self, id: str, wanted: Wanted) -> list[Cell]:
        entry = self.teller.index.meant(id)
        if entry is None:
            return []
        thing = ox.NamedNode(entry.iri)
        if wanted.wants_sources:
            found: Sequence[object] = list(dict.fromkeys(self._sources(thing, wanted.node)))
        else:
            found = self.look.values(thing, wanted.node)
        return [self.cell(value) for value in found[: wanted.most]]

    def cell(self, value: object) -> Cell:
        """A value as a cell."""
        if isinstance(value, ox.NamedNode):
            entry = self.teller.index.entry(value.value)
            return {"id": entry.iri, "name": entry.label} if entry is not None else {"str": value.value}
        if not isinstance(value, ox.Literal):
            return {"str": "something without a name"}
        return _cell(value.value, value.datatype.value)

    def _sources(self, thing: ox.NamedNode, predicate: ox.NamedNode) -> Iterator[ox.NamedNode]:
        """The documents by which a thing has values of a property: those that own the graphs with the statements, else those of
        the thing itself."""
        start, to = self.look.names.graph("source/"), f"{self.look.names.base}/source/"
        found = False
        for quad in self.look.store.quads_for_pattern(thing, predicate, None, None):
            if isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value.startswith(start):
                found = True
                yield ox.NamedNode(quad.graph_name.value.replace(start, to, 1))
        if not found and next(self.look.quads(thing, predicate, None), None) is not None:
            yield from (value for value in self.look.values(thing, SOURCE) if isinstance(value, ox.NamedNode))


def _cell(text: str, datatype: str) -> Cell:
    if datatype in INTEGERS and text.lstrip("+-").isdecimal() and len(text) < 16:
        return {"int": int(text)}
    if datatype in FLOATS and text.lower().lstrip("+-") not in ("inf", "nan"):
        return {"float": float(text)}
    if datatype == XSD + "date" and _DAY.fullmatch(text):
        return {"date": f"{text}T00:00:00Z"}
    if datatype == XSD + "dateTime" and _MOMENT.fullmatch(text):
        return {"date": text}
    return {"str": text}
