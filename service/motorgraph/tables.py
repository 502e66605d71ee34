"""CSV tables as plain triples: each row a node, each filled cell a triple, so that a SPARQL query can say what they mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph import corpus
from motorgraph.errors import BadRequest, Failed
from motorgraph.vocab import CANONICAL_BASE

TABLE = f"{CANONICAL_BASE}/csv/"
COLUMN = f"{TABLE}column/"
ROW = ox.NamedNode(f"{TABLE}row")

Row = tuple[int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a table beyond its cells: the columns that make its key (none: the first), and how lists are split."""

    key: tuple[str, ...] = ()
    separators: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: its name (`facts/ownership`), its columns, and its rows with the line on which each ends."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    reading: Reading

    @property
    def graph(self) -> ox.NamedNode:
        """The graph that holds the rows when several tables are read together."""
        return ox.NamedNode(TABLE + quote(self.name))

    def row_names(self) -> Iterator[str]:
        """What `mg:fromRow` says of each row: the file and the cells of the key, such as `facts/ownership.csv o001`."""
        key = self.reading.key or self.columns[:1]
        for _, cells in self.rows:
            yield f"{self.name}.csv {' '.join(cells[column] for column in key)}"

    def triples(self) -> Iterator[ox.Triple]:
        """Row n is the node `{graph}#n`; a filled cell is a triple `col:{header}` with the text, one for each part of a list."""
        for number, ((_, cells), name) in enumerate(zip(self.rows, self.row_names(), strict=True), 1):
            row = ox.NamedNode(f"{self.graph.value}#{number}")
            yield ox.Triple(row, ROW, ox.Literal(name))
            for column, text in cells.items():
                for part in _parts(text, self.reading.separators.get(column)):
                    yield ox.Triple(row, column_iri(column), ox.Literal(part))


@lru_cache(maxsize=1024)
def column_iri(header: str) -> ox.NamedNode:
    """The property that stands for a column: `col:` and the header, other characters than letters and digits escaped."""
    return ox.NamedNode(COLUMN + quote(header, safe="-_"))


def read_table(path: Path, name: str, reading: Reading | None = None, delimiter: str = ",") -> Table:
    """The table in a CSV file (RFC 4180, UTF-8, first line the headers).

    Raises NotFound, BadRequest or Failed, naming the file, the line and what would be right.
    """
    corpus.require_file(path)
    return parse_table(_text(path), str(path), name, reading, delimiter)


def parse_table(text: str, told: str, name: str, reading: Reading | None = None, delimiter: str = ",") -> Table:
    """The table in a text; `told` is what it is called in a refusal. Raises BadRequest."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        columns = _columns(next(lines, []), told)
        rows.extend(_rows(lines, columns, told))
    except csv.Error as error:
        if "unexpected end" not in f"{error}":
            raise BadRequest(f"{told}, line {lines.line_num}: {error}.") from error
        begun = rows[-1][0] + 1 if rows else 2
        raise BadRequest(
            f"{told}, line {begun}: a cell opens with a quotation mark that nothing closes; write one as two."
        ) from error
    table = Table(name, columns, tuple(rows), reading or Reading())
    _require_columns(table, told)
    return table


def require_keys(table: Table) -> None:
    """Raises BadRequest if a row has no key, or the key of another row."""
    seen: dict[str, int] = {}
    for (line, cells), name in zip(table.rows, table.row_names(), strict=True):
        if not all(cells[column] for column in table.reading.key or table.columns[:1]):
            raise BadRequest(f"{table.name}.csv, line {line}: the row has no key; fill its first column.")
        if name in seen:
            raise BadRequest(f"{table.name}.csv, line {line}: the key is that of line {seen[name]}; give each row its own.")
        seen[name] = line


def readings(table: Table) -> dict[str, Reading]:
    """What the table `tables.csv` says of others, in the columns table, column, use (`key` or `list`), separator (or `blank`)."""
    keys: dict[str, list[str]] = {}
    separators: dict[str, dict[str, str]] = {}
    for line, cells in table.rows:
        if cells["use"] == "key":
            keys.setdefault(cells["table"], []).append(cells["column"])
        elif cells["use"] == "list" and cells["separator"]:
            separator = cells["separator"]
            separators.setdefault(cells["table"], {})[cells["column"]] = " " if separator == "blank" else separator
        else:
            raise BadRequest(f"{table.name}.csv, line {line}: use is 'key', or 'list' with a separator.")
    return {name: Reading(tuple(keys.get(name, ())), separators.get(name, {})) for name in {*keys, *separators}}


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, byte = error.object[: error.start].count(b"\n") + 1, error.object[error.start]
        raise BadRequest(f"{path}, line {line}: byte {byte:#04x} is not UTF-8; save the file as UTF-8.") from error
    except OSError as error:
        raise Failed(f"{path}: {error.strerror or error}.") from error


def _columns(headers: Sequence[str], path: str) -> tuple[str, ...]:
    columns = tuple(header.strip() for header in headers)
    if not any(columns):
        raise BadRequest(f"{path}, line 1: there are no headers; the first line names the columns.")
    if not all(columns):
        raise BadRequest(f"{path}, line 1: column {columns.index('') + 1} has no header; name it.")
    twice = next((column for place, column in enumerate(columns) if column in columns[:place]), None)
    if twice is not None:
        raise BadRequest(f"{path}, line 1: two columns are named {twice!r}; name each differently.")
    return columns


def _rows(lines: Iterator[list[str]], columns: Sequence[str], path: str) -> Iterator[Row]:
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            line = lines.line_num  # type: ignore[attr-defined]  # a csv.reader
            raise BadRequest(
                f"{path}, line {line}: the row has {len(cells)} cells and there are {len(columns)} columns; "
                "put a cell that holds the delimiter into quotation marks."
            )
        yield lines.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True))  # type: ignore[attr-defined]


def _require_columns(table: Table, path: str) -> None:
    for column in (*table.reading.key, *table.reading.separators):
        if column not in table.columns:
            raise BadRequest(f"{path} has no column {column!r}; it has {', '.join(table.columns)}.")


def _parts(text: str, separator: str | None) -> Iterator[str]:
    for part in text.split(separator) if separator else (text,):
        if part.strip():
            yield part.strip()
