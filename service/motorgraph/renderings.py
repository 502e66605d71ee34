"""An answer to a question in the formats that programs and spreadsheets read."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlencode

import orjson
import pyoxigraph as ox

from motorgraph.answers import ENTITY, NUMBERS, Cell, Reply, Row
from motorgraph.cells import inert
from motorgraph.media import CSV, TSV, Format
from motorgraph.parameters import Term, short
from motorgraph.vocab import LICENCE, XSD

SOURCES = "sources"


def value(cell: Cell) -> str | int | float | bool | None:
    """A cell as JSON has it: numbers and truth values as such, all else as text, null for what is not known."""
    if cell is None or isinstance(cell, ox.Triple):
        return None if cell is None else str(cell)
    if isinstance(cell, ox.Literal) and cell.datatype.value in NUMBERS:
        return int(cell.value) if cell.datatype.value == f"{XSD}integer" else float(cell.value)
    if isinstance(cell, ox.Literal) and cell.datatype.value == f"{XSD}boolean":
        return cell.value in ("true", "1")
    return cell.value


def words(cell: Cell) -> str:
    """A cell as a table has it, "" for what is not known."""
    return "" if cell is None else str(cell) if isinstance(cell, ox.Triple) else cell.value


def address(reply: Reply, suffix: str = "", *, at: bool = False, cited: bool = True, view: str = "") -> str:
    """The path of an answer, in the format of a suffix (with its dot), with the values that it was asked with."""
    told = [(name, name_of(term)) for name, terms in reply.values.items() for term in terms]
    told += ([("at", str(reply.commit))] if at else []) + ([] if cited else [("cite", "0")]) + ([("view", view)] if view else [])
    return f"{reply.question.page}{suffix}" + (f"?{urlencode(told)}" if told else "")


def name_of(term: Term) -> str:
    """The value that stands for a term in an address."""
    if isinstance(term, ox.Literal):
        return term.value
    parts = term.value.rsplit("/", 2)
    return "/".join(parts[1:]) if len(parts) == 3 else term.value


def as_json(reply: Reply, *, cited: bool) -> bytes:
    """The answer as JSON; a row is an object with a member for each column, of a thing its label and IRI."""
    question = reply.question
    values = {
        each.name: [
            name_of(term) if each.kinds else term.value for term in reply.values.get(each.name) or question.defaults[each.name]
        ]
        for each in question.parameters
    }
    told = {
        "question": reply.words,
        "slug": question.slug,
        "why": question.reason,
        "parameters": {
            each.name: values[each.name] if each.is_list else next(iter(values[each.name]), None) for each in question.parameters
        },
        "columns": [column.as_json() for column in reply.columns],
        "rows": [_row(reply, row, cited=cited) for row in reply.rows],
        **({SOURCES: [source.as_json() for source in reply.sources]} if cited else {}),
        "commit": reply.commit,
        "page": address(reply),
        "sparql": address(reply, ".rq"),
        "licence": LICENCE,
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_table(reply: Reply, form: Format, *, cited: bool) -> bytes:
    """The answer as CSV (RFC 4180), or as TSV, a space for each tab and line break in a cell; no cell is a formula."""
    heads = [*reply.question.columns, *([SOURCES] if cited else [])]
    told = ([*map(words, row.cells), *(["; ".join(map(str, row.sources))] if cited else [])] for row in reply.rows)
    rows = [[*map(inert, cells)] for cells in told]
    if form is TSV:
        return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in [heads, *rows]).encode()
    out = io.StringIO(newline="")
    csv.writer(out).writerows([heads, *rows])
    return out.getvalue().encode()


def body(reply: Reply, form: Format, *, cited: bool) -> bytes:
    """The answer in a format."""
    return as_table(reply, form, cited=cited) if form in (CSV, TSV) else as_json(reply, cited=cited)


def _row(reply: Reply, row: Row, *, cited: bool) -> dict[str, object]:
    cells = zip(reply.columns, row.cells, row.things, strict=True)
    told: dict[str, object] = {c.name: _thing(cell, iri) if c.type == ENTITY else value(cell) for c, cell, iri in cells}
    if cited:
        told[SOURCES] = [source.as_json() for source in row.sources]
    return told


def _thing(cell: Cell, iri: str) -> dict[str, str] | None:
    if cell is None:
        return None
    if isinstance(cell, ox.NamedNode):
        return {"label": short(cell.value), "iri": cell.value}
    return {"label": words(cell), "iri": iri}
