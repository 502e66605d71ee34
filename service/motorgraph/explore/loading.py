"""Reads the sheets of the graph, with one query for each column, and carries them on from commit to commit."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from operator import is_

import pyoxigraph as ox

from motorgraph import marks
from motorgraph.address import local, page_of
from motorgraph.errors import Broken, Refusal
from motorgraph.explore.control import PARENTS, SEATS, Control
from motorgraph.explore.kinds import KINDS, NAMES, PREFIXES, Column, Kind
from motorgraph.explore.sheet import Document, Item, Row, Sheet, Value, last, slug
from motorgraph.inquiry import Inquiry, bound
from motorgraph.search.folding import folded
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded
from motorgraph.touched import names_in_query

MOST_TRIES = 3
PAUSE_SECONDS = 0.1
"""After a commit, before sheets are made again: a writer may not be through."""
WANTED_SECONDS = 600.0
"""For so long after it was asked for a sheet is made again after each commit."""
_XSD_DATE = ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")
_DOCUMENTS = """SELECT ?thing ?title ?who ?day ?url { ?thing a mg:SourceDocument ; dcterms:title ?title .
  OPTIONAL { ?thing dcterms:publisher/skos:prefLabel ?who } OPTIONAL { ?thing dcterms:issued ?day }
  OPTIONAL { ?thing schema:url ?url } }"""
MOST_OLDER = 20
"""Sheets of older commits that are kept."""
Rows = list[dict[str, str]]
Page = Callable[[str], str]
"""The page of a thing by its IRI, "" if it has none here."""


@dataclass(slots=True)
class _Answer:
    """A query, its rows, the commit that they are still right at, and what the query names."""

    text: str
    commit: int
    rows: Rows
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A sheet, the day on which it was made, and the rows that it was made of."""

    sheet: Sheet
    today: str
    answers: list[Rows]


class Sheets:
    """The sheets of one service. Those of the newest commit are carried on: what a commit did not touch is not asked again.

    Of older commits the sheets that were used last are kept.
    """

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._base = settings.base
        self._inquiry = Inquiry(store)
        self._kept: dict[str, _Kept] = {}
        self._past: dict[tuple[str, int, str], Sheet] = {}
        self._answers: dict[str, _Answer] = {}
        self._reading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wanted: dict[str, tuple[Kind, float]] = {}
        self._renewing: asyncio.Task[None] | None = None
        store.on_commit = self._renew_soon

    async def sheet(self, kind: Kind, commit: int = 0) -> Sheet:
        """The sheet of a kind as of a commit (0: the newest). Raises what a query may meet."""
        self._store.require_ready()
        kind = KINDS[kind.sheet]  # one that shares the sheet of another may lack columns of it
        if not commit:
            self._wanted[kind.sheet] = kind, time.monotonic()
        async with self._reading[kind.sheet]:
            return await (self._older(kind, commit) if commit else self._newest(kind))

    def _renew_soon(self) -> None:
        """A commit was made: whoever asks next need not wait for what is looked at often."""
        if self._wanted and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        commit = 0
        while commit != self._store.commit:
            await asyncio.sleep(PAUSE_SECONDS)
            commit = self._store.commit
            oldest = time.monotonic() - WANTED_SECONDS
            for kind in [kind for kind, asked in self._wanted.values() if asked > oldest]:
                with suppress(Refusal, Broken, OSError):  # whoever asks next meets it
                    async with self._reading[kind.sheet]:
                        await self._newest(kind)

    async def _newest(self, kind: Kind) -> Sheet:
        kept = self._kept.get(kind.sheet)
        for _ in range(MOST_TRIES):
            commit, today = self._store.commit, _today()
            if kept is not None and (kept.sheet.commit, kept.today) == (commit, today):
                break
            answers = await self._asked(kind, today, 0)
            if kept is not None and kept.today == today and all(map(is_, kept.answers, answers)):
                sheet = replace(kept.sheet, commit=commit)
            else:
                sheet = await asyncio.to_thread(self._made, kind, commit, answers)
            self._kept[kind.sheet] = kept = _Kept(sheet, today, answers)
            if self._store.commit == commit:  # else what was read may be partly of another commit
                break
        assert kept is not None
        return kept.sheet

    async def _older(self, kind: Kind, commit: int) -> Sheet:
        key = kind.sheet, commit, _today()
        if key not in self._past:
            answers = await self._asked(kind, key[2], commit)
            made = await asyncio.to_thread(self._made, kind, commit, answers, f"?at={commit}")
            while len(self._past) >= MOST_OLDER:
                del self._past[next(iter(self._past))]
        else:
            made = self._past.pop(key)
        self._past[key] = made
        return made

    async def _asked(self, kind: Kind, today: str, commit: int) -> list[Rows]:
        """The rows of each query behind a sheet, in their order."""
        texts = [PREFIXES.format(base=self._base) + text for text in _texts(kind)]
        if commit:  # one after the other: few processes are at older commits, and each has its turn
            return [(await self._rows(text, today, commit))[1] for text in texts]
        return list(await asyncio.gather(*(self._carried(text, today) for text in texts)))

    async def _carried(self, text: str, today: str) -> Rows:
        """The rows of a query of the newest commit: the very same as before where nothing that it names was touched since."""
        dated = bound(text, {"today": ox.Literal(today, datatype=_XSD_DATE)})
        known = self._answers.get(text)
        newest = self._store.commit
        if known is not None and known.text == dated and self._store.touched.leaves(known.names, known.commit, newest):
            known.commit = newest
            return known.rows
        commit, rows = await self._rows(text, today)
        if known is not None and known.rows == rows:
            rows = known.rows
        self._answers[text] = _Answer(dated, commit, rows, names_in_query(text))
        return rows

    async def _rows(self, text: str, today: str, commit: int = 0) -> tuple[int, Rows]:
        return await self._inquiry.told(text, {"today": ox.Literal(today, datatype=_XSD_DATE)}, commit)

    def _made(self, kind: Kind, commit: int, answers: Sequence[Rows], at: str = "") -> Sheet:
        """A sheet of the rows of its queries; `at` stands behind the addresses of the pages that it leads to."""
        page = partial(_page, self._base, at)
        told = iter(answers)
        parents, seats, sourced = next(told), next(told), next(told)
        documents = {row["thing"]: _document(row, page) for row in sourced}
        items = _items(next(told), next(told), next(told), lambda iri: page_of(iri, self._base) + at)
        for item in items.values():
            item.sources = [iri for iri in item.sources if iri in documents]
        for column in kind.columns:
            if column.text:
                _fill(items, column, next(told), page)
        ordered = sorted(items.values(), key=lambda item: (folded(item.label), item.iri))
        more = {name: next(told) for name in kind.told}
        control = Control.of(parents, {row["thing"]: _value(row, "entity", page) for row in seats})
        sheet = Sheet(commit, ordered, documents, control, more, page)
        if kind.derive is not None:
            kind.derive(sheet, control)
        return sheet


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _texts(kind: Kind) -> Iterator[str]:
    """The queries behind a sheet: those that all share, the things with sources and names, each column, what else is told."""
    yield f"SELECT DISTINCT ?thing ?value {{ {PARENTS} }}"
    yield f"SELECT DISTINCT ?thing ?value ?words {{ {SEATS} }}"
    yield _DOCUMENTS
    yield f"SELECT ?thing ?label {{ {kind.of} }}"
    yield f"SELECT DISTINCT ?thing ?value {{ {kind.of} . {kind.sources} }}"
    yield f"SELECT ?thing ?value {{ {kind.of} . {NAMES} }}"
    for column in kind.columns:
        if column.text:
            words = " OPTIONAL { ?value skos:prefLabel ?words }" if column.is_labelled else ""
            yield f"SELECT DISTINCT ?thing ?value ?words {{ {column.text}{words} }}"
    for text in kind.told.values():
        yield f"SELECT * {{ {text} }}"


def _items(things: Rows, sources: Rows, names: Rows, page: Page) -> dict[str, Item]:
    """Things by their IRIs, with the documents behind each, and the names that it is found by."""
    items = {row["thing"]: Item(row["thing"], row["label"], page(row["thing"])) for row in things}
    for item in items.values():
        item.text = folded(item.label)
    for row in sources:
        if row["thing"] in items:
            items[row["thing"]].sources.append(row["value"])
    for row in names:
        if row["thing"] in items:
            items[row["thing"]].text += " " + folded(row["value"])
    return items


def _fill(items: Mapping[str, Item], column: Column, rows: Rows, page: Page) -> None:
    meant = [row for row in rows if row["thing"] in items and "value" in row]
    values = _told_apart({row["value"]: _value(row, column.type, page) for row in reversed(meant)})
    for row in meant:
        if column.type != "number" or _is_number(row["value"]):
            value = values[row["value"]]
            told = items[row["thing"]].cells.setdefault(column.name, [])
            if value not in told:
                told.append(value)


def _told_apart(values: dict[str, Value]) -> dict[str, Value]:
    """The same, but the key of things whose IRIs end alike has as many parts of the IRI before it as tell them apart."""
    alike: dict[str, list[str]] = {}
    for iri, value in values.items():
        if value.iri:
            alike.setdefault(value.key, []).append(iri)
    for iris in alike.values():
        parts = 1
        while len({_end(iri, parts) for iri in iris}) < len(iris):
            parts += 1
        values |= {iri: replace(values[iri], key=_end(iri, parts)) for iri in iris if parts > 1}
    return values


def _end(iri: str, parts: int) -> str:
    return "-".join(re.split(r"[/#]", iri.rstrip("/"))[-parts:])


def _value(row: Row, kind: str, page: Page) -> Value:
    said = row["value"]
    if kind == "year":
        return Value(said[:4], said[:4])
    if kind in ("day", "number"):
        return Value(said, said)
    if kind in ("text", "code"):
        return Value(slug(said), said if kind == "text" else said.replace("-", " "))
    if kind == "status":
        return Value(last(said), marks.status(last(said)).word, said, page(said))
    return Value(last(said), row.get("words", last(said).replace("-", " ")), said, page(said))


def _document(row: Row, page: Page) -> Document:
    return Document(row["thing"], row["title"], row.get("who", ""), row.get("day", ""), row.get("url", ""), page(row["thing"]))


def _page(base: str, at: str, iri: str) -> str:
    found = local(iri, base)
    return found + at if found else ""
