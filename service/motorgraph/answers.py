"""The answer to a question: its rows with the things that they name and the documents that they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.engine.wire import Job
from motorgraph.inquiry import MOST_ROWS, solutions
from motorgraph.media import JSON
from motorgraph.parameters import DATE
from motorgraph.questions import Question, Values
from motorgraph.sources import Source, Sources
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import XSD

Cell = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | None
ENTITY, TEXT, NUMBER, PERCENT, DATE_TYPE = "entity", "text", "number", "percent", "date"
NUMBERS = {f"{XSD}{name}" for name in ("integer", "decimal", "double", "float")}
_TYPES = {
    DATE: DATE_TYPE,
    f"{XSD}dateTime": "time",
    f"{XSD}boolean": "boolean",
    "http://www.opengis.net/ont/geosparql#wktLiteral": "point",
    **dict.fromkeys(NUMBERS, NUMBER),
}


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column: its name, the label at its head, what its cells are (entity, text, number, percent, date, point …), and what it
    means that one has no value ("": only that nothing is recorded)."""

    name: str
    label: str
    type: str
    absent: str

    def as_json(self) -> dict[str, str | None]:
        """As a member of an answer."""
        return {"name": self.name, "label": self.label, "type": self.type, "null_means": self.absent or None}


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, the IRIs of what they name ("" for nothing), and the documents that it rests on, the oldest first."""

    cells: tuple[Cell, ...]
    things: tuple[str, ...]
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What a question has for an answer at a commit: its words with the values; the sources of all rows, by first use."""

    question: Question
    words: str
    values: Values
    commit: int
    columns: tuple[AnswerColumn, ...]
    rows: tuple[Row, ...]
    sources: tuple[Source, ...]


class Answers:
    """Answers questions, within the limits of the settings."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._limits = store.settings.limits()
        self._sources = Sources(store)

    async def to(self, question: Question, values: Values, commit: int = 0, *, cited: bool = True) -> Reply:
        """The answer with these values at a commit (0: the newest), without sources unless it is to be `cited`.

        Raises what any query may meet, and TooLarge.
        """
        answered, found = await self._solutions(question.sourced(values), commit)
        rows = list(_folded(question, found))
        if cited:
            behind = await self._sources.behind((node for _, nodes in rows for node in nodes), answered)
            told = tuple(_with_sources(row, nodes, behind) for row, nodes in rows)
        else:
            told = tuple(row for row, _ in rows)
        sources = tuple(dict.fromkeys(source for row in told for source in row.sources))
        return Reply(question, question.words, values, answered, _columns(question, told), told, sources)

    async def _solutions(self, text: str, commit: int) -> tuple[int, ox.QuerySolutions]:
        job = Job(
            "query",
            text,
            solutions=JSON.media_type,
            max_rows=min(MOST_ROWS, self._limits.rows),
            max_bytes=self._limits.answer_bytes,
            commit=commit,
        )
        answer = await self._store.answer(job)
        try:
            body = b"".join([piece async for piece in answer.pieces()]) if answer.body is None else answer.body
            return answer.head.commit, solutions(body)
        finally:
            self._store.release(answer)


def _folded(question: Question, found: ox.QuerySolutions) -> Iterable[tuple[Row, list[str]]]:
    """The rows with their grounds; what reads alike is one row, with the grounds of all, where the question has distinct rows."""
    grounds: dict[tuple[object, ...], tuple[Row, list[str]]] = {}
    there = {variable.value for variable in found.variables}
    named = [f"a_{question.things[name]}" if name in question.things else "" for name in question.columns]
    told = [name for name in (f"z_{name}" for name in question.rests_on) if name in there]
    for place, solution in enumerate(found):
        cells = tuple(solution[name] for name in question.columns)
        key = tuple(map(str, cells)) if question.is_distinct else (place,)
        if key not in grounds:
            things = tuple(_iri(solution[name]) if name in there else "" for name in named)
            grounds[key] = Row(cells, things), []
        grounds[key][1].extend(node for name in told for node in _nodes(solution[name]))
    return grounds.values()


def _nodes(cell: Cell) -> list[str]:
    """The statements in a cell: one, or the IRIs of several with spaces between them."""
    return [] if cell is None or isinstance(cell, ox.Triple) else cell.value.split()


def _iri(cell: Cell) -> str:
    return cell.value if isinstance(cell, ox.NamedNode) else ""


def _with_sources(row: Row, nodes: Sequence[str], behind: Mapping[str, frozenset[Source]]) -> Row:
    found = {source for node in nodes for source in behind.get(node, ())}
    return Row(row.cells, row.things, tuple(sorted(found, key=lambda source: source.key)))


def _columns(question: Question, rows: Sequence[Row]) -> tuple[AnswerColumn, ...]:
    return tuple(
        AnswerColumn(
            name,
            question.label(name),
            _type(question, name, [(row.cells[at], row.things[at]) for row in rows]),
            question.absent(name),
        )
        for at, name in enumerate(question.columns)
    )


def _type(question: Question, name: str, cells: Sequence[tuple[Cell, str]]) -> str:
    """What the cells of a column are, from the cells themselves; TEXT where they differ or there are none."""
    there = [(cell, thing) for cell, thing in cells if cell is not None]
    if name in question.things or (there and all(isinstance(cell, ox.NamedNode) for cell, _ in there)):
        return ENTITY
    types = {_TYPES.get(cell.datatype.value, TEXT) if isinstance(cell, ox.Literal) else TEXT for cell, _ in there}
    found = types.pop() if len(types) == 1 else TEXT
    return PERCENT if question.is_percent(name) and found in (NUMBER, TEXT) else found
