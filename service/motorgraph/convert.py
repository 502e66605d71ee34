"""The command `convert`: the rows of a user's table to RDF, by a mapping of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from motorgraph.asking import opened
from motorgraph.errors import BadRequest
from motorgraph.mapping import Mapping, in_graph, made, read_mapping, require_columns, sorted_quads, written
from motorgraph.media import GRAPHS, Format
from motorgraph.packing import unpacked_name
from motorgraph.tables import Reading, Table, read_table


@dataclass(frozen=True, slots=True)
class Wish:
    """How a table is to be read and where its triples are to go, as the flags of the command say it."""

    output: Path | None = None
    form: str = ""
    split: Sequence[str] = ()
    delimiter: str = ","


def convert_file(table: Path, mapping: Path, wish: Wish) -> None:
    """Writes what the mapping makes of the table. Raises what `read_table`, `read_mapping` and `convert` do, and BadRequest."""
    form = _format(wish)
    if len(wish.delimiter) != 1:
        raise BadRequest(f"The delimiter is one character, not {wish.delimiter!r}.")
    rows = read_table(table, table.stem, Reading(separators=dict(map(_separator, wish.split))), wish.delimiter)
    quads = convert(rows, read_mapping(mapping))
    if not quads:
        raise BadRequest(
            f"{mapping} makes nothing of the {len(rows.rows)} rows of {table}; the columns are {', '.join(rows.columns)}."
        )
    with opened(wish.output) as out:
        out.write(written(quads, form))


def convert(table: Table, mapping: Mapping) -> list[ox.Quad]:
    """What the mapping makes of the table's rows, which are in the default graph and in the table's own.

    Raises BadRequest, BadSyntax or BadEvaluation, naming the mapping.
    """
    require_columns(mapping, [table])
    store = ox.Store()
    rows = list(table.triples())
    for graph in (ox.DefaultGraph(), table.graph):
        store.extend(in_graph(triple, graph) for triple in rows)
    return sorted_quads(made(store, mapping))


def _format(wish: Wish) -> Format:
    suffix = wish.form or (unpacked_name(wish.output.name).rpartition(".")[2] if wish.output else "trig")
    form = next((form for form in GRAPHS if form.suffix == suffix), None)
    if form is None:
        raise BadRequest(f"There is no format {suffix!r}; there are {', '.join(form.suffix for form in GRAPHS)}.")
    return form


def _separator(text: str) -> tuple[str, str]:
    column, equals, separator = text.partition("=")
    if not (column and equals and separator):
        raise BadRequest(f"--split {text!r} says no separator; write it as in --split 'aliases=;'.")
    return column, separator
