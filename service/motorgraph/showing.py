"""The answer to a query as a page shows it: a stretch of its rows, read no further than that, with each value as a cell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import pyoxigraph as ox

from motorgraph.inquiry import Inquiry, Several
from motorgraph.media import TSV
from motorgraph.vocab import DCTERMS, RDFS, SKOS, XSD

PAGE = 200
"""Rows on a page."""
MOST_BYTES = 16 << 20
"""What is read of an answer to find a page of it."""
MOST_LABELS = 1000
TRIPLE = ("subject", "predicate", "object")
_NUMBERS = {XSD + name for name in ("integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger")}
_LABELS = """SELECT ?iri ?name (IF(LANG(?name) IN ("", "en"), 0, 10) + ?place AS ?rank) {
  VALUES ?iri { $iris } VALUES (?property ?place) { ($prefLabel 1) ($label 2) ($title 3) } ?iri ?property ?name }"""

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | ox.DefaultGraph


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some rows of an answer as they were sent: `body` is whole lines, the line of names first where the form is `solutions`.

    `has_more`: there are rows behind these. `first` is the number of the first, from 0.
    """

    form: str
    body: bytes
    first: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A value: what is shown, where it leads ("" for nowhere), and what is said beside it (a language, a datatype, an IRI)."""

    text: str
    link: str = ""
    note: str = ""
    is_number: bool = False
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A stretch as a table; a truth value has no rows and is `truth`. A cell that is None holds nothing."""

    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Cell | None]] = ()
    numbers: frozenset[str] = frozenset()
    truth: bool | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


async def stretch(form: str, pieces: AsyncIterator[bytes], page: int) -> Stretch:
    """The rows of a page (from 1) of an answer in TSV or N-Triples; no more of it is read than is needed, at most MOST_BYTES."""
    above = 1 if form == "solutions" else 0
    wanted = above + page * PAGE
    found = bytearray()
    lines = 0
    async for piece in pieces:
        found += piece
        lines += piece.count(b"\n")
        if lines > wanted or len(found) > MOST_BYTES:
            break
    first = (page - 1) * PAGE
    whole = bytes(found).splitlines(keepends=True) if form == "boolean" else _lines(found)
    kept = [*islice(whole, above), *islice(whole, first, first + PAGE)] if form != "boolean" else [bytes(found)]
    return Stretch(form, b"".join(kept), first, lines > wanted)


def _lines(text: bytearray) -> Iterator[bytes]:
    """The whole lines of a text. What ends one is a line feed and nothing else: the formats escape that in values."""
    start = 0
    while (end := text.find(b"\n", start)) >= 0:
        yield bytes(text[start : end + 1])
        start = end + 1


def terms(shown: Stretch) -> tuple[tuple[str, ...], list[list[Term | None]]]:
    """The names of the columns, and the rows as terms."""
    if shown.form == "graph":
        triples = ox.parse(shown.body, format=ox.RdfFormat.N_TRIPLES)
        return TRIPLE, [[quad.subject, quad.predicate, quad.object] for quad in triples]
    found = ox.parse_query_results(shown.body, ox.QueryResultsFormat.from_media_type(TSV.media_type))
    assert isinstance(found, ox.QuerySolutions)
    return tuple(variable.value for variable in found.variables), [list(row) for row in found]


def truth(shown: Stretch) -> bool:
    """The truth value of an ASK."""
    return shown.body.strip() == b"true"


def iris(rows: Iterable[Sequence[Term | None]]) -> list[str]:
    """The IRIs in rows, each once."""
    found = (term.value for row in rows for term in row if isinstance(term, ox.NamedNode))
    return list(islice(dict.fromkeys(found), MOST_LABELS))


async def labels(inquiry: Inquiry, wanted: Sequence[str]) -> dict[str, str]:
    """One name of each thing that has one, English where there is the choice, asked for in one query."""
    if not wanted:
        return {}
    naming = {"prefLabel": SKOS + "prefLabel", "label": RDFS + "label", "title": DCTERMS + "title"}
    values = {name: ox.NamedNode(iri) for name, iri in naming.items()}
    rows = await inquiry.rows(_LABELS, iris=Several(tuple(map(ox.NamedNode, wanted))), **values)
    best: dict[str, tuple[int, str]] = {}
    for row in rows:
        found = int(row["rank"]), row["name"]
        best[row["iri"]] = min(best.get(row["iri"], found), found)
    return {iri: name for iri, (_, name) in best.items()}


def table(
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Term | None]],
    named: Mapping[str, str],
    link: Callable[[str], str],
    short: Callable[[str], str],
) -> Table:
    """Rows as cells. `link` gives the address for an IRI, `short` the short form of one."""
    cells = [[None if term is None else _cell(term, named, link, short) for term in row] for row in rows]
    numbers = {
        column
        for place, column in enumerate(columns)
        if (values := [row[place] for row in cells if row[place]]) and all(cell and cell.is_number for cell in values)
    }
    return Table(columns, cells, frozenset(numbers), labels=named)


def _cell(term: Term, named: Mapping[str, str], link: Callable[[str], str], short: Callable[[str], str]) -> Cell:
    if isinstance(term, ox.NamedNode):
        name = named.get(term.value, "")
        return Cell(name or short(term.value), link(term.value), term.value if name else "")
    if isinstance(term, ox.Literal):
        kind = term.datatype.value
        return Cell(
            term.value,
            note=term.language if term.language not in (None, "en") else "" if term.language or kind in _PLAIN else short(kind),
            is_number=kind in _NUMBERS,
            is_date=kind.startswith(XSD) and kind.removeprefix(XSD) in ("date", "dateTime", "gYear", "gYearMonth"),
        )
    return Cell(str(term), note="blank node" if isinstance(term, ox.BlankNode) else "")


_PLAIN = {XSD + "string", *_NUMBERS, *(XSD + name for name in ("date", "boolean", "dateTime", "gYear", "gYearMonth", "anyURI"))}
