"""A difference for people: what a commit, or all between two, removed and added, by subject and with names that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph.errors import Refusal
from motorgraph.inquiry import Inquiry
from motorgraph.links import Links
from motorgraph.prefixes import Prefixes
from motorgraph.stores.embedded import Embedded

MOST_LINES = 200
"""Of what was removed, and as many of what was added."""
MOST_NAMES = 20_000
_NAMES = """SELECT ?thing ?name (LANG(?name) AS ?language) WHERE {{ VALUES ?thing {{ {things} }}
  {{ ?thing <http://www.w3.org/2000/01/rdf-schema#label>|<http://www.w3.org/2004/02/skos/core#prefLabel> ?name }} UNION
  {{ GRAPH ?g {{ ?thing <http://www.w3.org/2000/01/rdf-schema#label>|<http://www.w3.org/2004/02/skos/core#prefLabel> ?name }} }}
}} LIMIT {most}"""
_PREFERENCE = {"en": 2, "": 1}

Told = Mapping[str, Any]  # Any: plain JSON, see engine/excerpt.py


@dataclass(frozen=True, slots=True)
class Term:
    """What stands for a term: its words, where they lead ("" nowhere), what it is in full, and in which language or datatype."""

    words: str
    address: str = ""
    full: str = ""
    kind: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One statement that went or came."""

    is_added: bool
    predicate: Term
    object: Term


@dataclass(frozen=True, slots=True)
class Group:
    """What went and came of one subject in one graph."""

    subject: Term
    graph: Term
    lines: Sequence[Line]


class Differences:
    """Makes differences readable, with the names that things have now."""

    def __init__(self, store: Embedded, base: str) -> None:
        self._store = store
        self._inquiry = Inquiry(store)
        self._links = Links(Prefixes(base))

    async def of_commit(self, number: int) -> list[Group]:
        """What a commit did, the first lines of it."""
        return await self._groups(await self._store.archive.ask("excerpt", commit=number, most=MOST_LINES))

    async def between(self, start: int, end: int) -> list[Group]:
        """What lies between two commits. Raises OutOfReach."""
        return await self._groups(await self._store.archive.ask("excerpt", after=start, upto=end, most=MOST_LINES))

    def graph(self, iri: str) -> Term:
        """A named graph."""
        return Term(iri.removeprefix(f"{self._links.prefixes.base}/"), f"/changes?graph={quote(iri, safe='')}", iri)

    async def _groups(self, told: Mapping[str, list[list[Told]]]) -> list[Group]:
        rows = [(is_added, row) for is_added, name in ((False, "removed"), (True, "added")) for row in told[name]]
        names = await self._names({term["iri"] for _, row in rows for term in row if "iri" in term})
        found: dict[tuple[str, str], list[tuple[bool, list[Told]]]] = {}
        for is_added, row in rows:
            found.setdefault((str(row[0]), str(row[3])), []).append((is_added, row))
        return [self._group(lines, names) for lines in found.values()]

    def _group(self, rows: Sequence[tuple[bool, list[Told]]], names: Mapping[str, str]) -> Group:
        subject, graph = rows[0][1][0], rows[0][1][3]
        lines = [Line(is_added, self._term(row[1], names), self._term(row[2], names)) for is_added, row in rows]
        of = self.graph(graph["iri"]) if "iri" in graph else Term(graph.get("text", "the default graph"))
        by_predicate = sorted(lines, key=lambda line: (line.predicate.words, line.is_added))
        return Group(self._term(subject, names), of, by_predicate)

    def _term(self, told: Told, names: Mapping[str, str]) -> Term:
        if "iri" in told:
            iri = told["iri"]
            return Term(names.get(iri) or self._short(iri), self._links.address(iri), iri)
        kind = told.get("language") or self._links.name(told.get("datatype", ""))
        return Term(told["text"], kind="" if kind == "xsd:string" else kind, is_code=told.get("is_code", False))

    def _short(self, iri: str) -> str:
        """An IRI of which no name is known."""
        return self._links.prefixes.shortened(iri) or iri.removeprefix(f"{self._links.prefixes.base}/").removeprefix("id/")

    async def _names(self, iris: Iterable[str]) -> dict[str, str]:
        """The name of each of these things that has one, English before others; none if the graph cannot be asked now."""
        things = sorted(iri for iri in iris if "$" not in iri)  # which would stand for a value
        if not things:
            return {}
        text = _NAMES.format(things=" ".join(str(ox.NamedNode(iri)) for iri in things), most=MOST_NAMES)
        try:
            rows = await self._inquiry.rows(text)
        except Refusal:
            return {}
        return {row["thing"]: row["name"] for row in sorted(rows, key=_preference)}


def _preference(row: Mapping[str, str]) -> tuple[int, str]:
    return _PREFERENCE.get(row["language"].partition("-")[0], 0), row["name"]
