"""Reads the sheets of the graph, each once a commit, with one query for each column."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite

import pyoxigraph as ox

from motorgraph import marks
from motorgraph.address import local, page_of
from motorgraph.explore.control import PARENTS, SEATS, Control
from motorgraph.explore.kinds import NAMES, PREFIXES, Column, Kind
from motorgraph.explore.sheet import Document, Item, Row, Sheet, Value, last, slug
from motorgraph.inquiry import Inquiry
from motorgraph.search.folding import folded
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

MOST_TRIES = 3
_XSD_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")
_DOCUMENTS = """SELECT ?thing ?title ?who ?day ?url { ?thing a mg:SourceDocument ; dcterms:title ?title .
  OPTIONAL { ?thing dcterms:publisher/skos:prefLabel ?who } OPTIONAL { ?thing dcterms:issued ?day }
  OPTIONAL { ?thing schema:url ?url } }"""
_Now = tuple[int, str]
"""A commit, and the day."""


class Sheets:
    """The sheets of one service as of its newest commit; one that has been read is kept until the next commit or day."""

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._base = settings.base
        self._inquiry = Inquiry(store)
        self._kept: dict[str, tuple[_Now, Sheet]] = {}
        self._shared: tuple[_Now, Mapping[str, Document], Control] | None = None
        self._reading = asyncio.Lock()

    async def sheet(self, kind: Kind) -> Sheet:
        """The sheet of a kind. Raises what a query may meet."""
        self._store.require_ready()
        async with self._reading:
            for _ in range(MOST_TRIES):
                now = self._store.commit, datetime.now(UTC).date().isoformat()
                if kind.name not in self._kept or self._kept[kind.name][0] != now:
                    self._kept[kind.name] = now, await self._read(kind, now)
                if self._store.commit == now[0]:  # else what was read may be partly of another commit
                    break
            return self._kept[kind.name][1]

    async def _read(self, kind: Kind, now: _Now) -> Sheet:
        documents, control = await self._common(now)
        things, sources, names = await asyncio.gather(
            self._rows(f"SELECT ?thing ?label {{ {kind.of} }}"),
            self._rows(f"SELECT DISTINCT ?thing ?value {{ {kind.of} . {kind.sources} }}"),
            self._rows(f"SELECT ?thing ?value {{ {kind.of} . {NAMES} }}"),
        )
        items = {row["thing"]: Item(row["thing"], row["label"], page_of(row["thing"], self._base)) for row in things}
        for item in items.values():
            item.text = folded(item.label)
        for row in names:
            items[row["thing"]].text += " " + folded(row["value"])
        for row in sources:
            if row["thing"] in items and row["value"] in documents:
                items[row["thing"]].sources.append(row["value"])
        asked = [column for column in kind.columns if column.text]
        for column, rows in zip(asked, await asyncio.gather(*(self._column(column, now[1]) for column in asked)), strict=True):
            self._fill(items, column, rows)
        answers = await asyncio.gather(*(self._rows(f"SELECT * {{ {text} }}") for text in kind.told.values()))
        ordered = sorted(items.values(), key=lambda item: (folded(item.label), item.iri))
        told: dict[str, list[Row]] = {name: list(rows) for name, rows in zip(kind.told, answers, strict=True)}
        sheet = Sheet(now[0], ordered, documents, told)
        if kind.derive is not None:
            kind.derive(sheet, control)
        return sheet

    async def _common(self, now: _Now) -> tuple[Mapping[str, Document], Control]:
        """What all sheets share: the documents, and who controls whom."""
        if self._shared is None or self._shared[0] != now:
            parents, seats, documents = await asyncio.gather(
                self._rows(f"SELECT DISTINCT ?thing ?value {{ {PARENTS} }}"),
                self._rows(f"SELECT DISTINCT ?thing ?value ?words {{ {SEATS} }}"),
                self._rows(_DOCUMENTS),
            )
            seated = {row["thing"]: self._value(row, "entity") for row in seats}
            self._shared = now, {row["thing"]: self._document(row) for row in documents}, Control.of(parents, seated)
        return self._shared[1], self._shared[2]

    async def control(self) -> Control:
        """Who controls whom."""
        return (await self._common((self._store.commit, datetime.now(UTC).date().isoformat())))[1]

    async def _column(self, column: Column, today: str) -> list[dict[str, str]]:
        is_labelled = column.type in ("entity", "concept") and "?words" not in column.text
        words = " OPTIONAL { ?value skos:prefLabel ?words }" if is_labelled else ""
        text = f"SELECT DISTINCT ?thing ?value ?words {{ {column.text}{words} }}"
        return await self._rows(text, today=ox.Literal(today, datatype=_XSD_DATE))

    async def _rows(self, text: str, **values: ox.NamedNode | ox.Literal) -> list[dict[str, str]]:
        return await self._inquiry.rows(PREFIXES.format(base=self._base) + text, **values)

    def _fill(self, items: Mapping[str, Item], column: Column, rows: list[dict[str, str]]) -> None:
        values: dict[str, Value] = {}
        for row in rows:
            if row["thing"] in items and "value" in row and (column.type != "number" or _is_number(row["value"])):
                value = values.setdefault(row["value"], self._value(row, column.type))
                told = items[row["thing"]].cells.setdefault(column.name, [])
                if value not in told:
                    told.append(value)

    def _value(self, row: Row, kind: str) -> Value:
        said = row["value"]
        if kind == "year":
            return Value(said[:4], said[:4])
        if kind in ("day", "number"):
            return Value(said, said)
        if kind in ("text", "code"):
            return Value(slug(said), said if kind == "text" else said.replace("-", " "))
        if kind == "status":
            return Value(last(said), marks.status(last(said)).word, said, local(said, self._base))
        return Value(last(said), row.get("words", last(said).replace("-", " ")), said, local(said, self._base))

    def _document(self, row: Row) -> Document:
        page = local(row["thing"], self._base)
        return Document(row["thing"], row["title"], row.get("who", ""), row.get("day", ""), row.get("url", ""), page)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
