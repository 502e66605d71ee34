"""A dropped table with the columns of one that ships: what the mappings make of its rows, and from which line each is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import pyoxigraph as ox

from motorgraph import building
from motorgraph.engine.looks import delimiter_of
from motorgraph.engine.placing import Placed
from motorgraph.engine.values import Term, kept
from motorgraph.errors import BadRequest, BadSyntax
from motorgraph.mapping import Mapping as Rules
from motorgraph.mapping import made as found
from motorgraph.resources import asset
from motorgraph.tables import TABLE, Reading, Table, parse_table, read_table, readings
from motorgraph.vocab import CANONICAL_BASE

FOLDER = "facts"
NAMES = "names/"
MOST_ROWS = 5_000
ELSEWHERE = 0
MOST_HEADER = 10_000
MOST_WORDS = 20
"""A column with no more different cells than this holds words of a list."""
_LINE = re.compile(r"line (\d+)")


def converted(text: bytes, base: str) -> Placed:
    """What the mappings make of a table that is told by its header, in the graphs that they name, on the lines of its rows.

    Raises BadSyntax, with the line, for what is no such table; it says which there are, and which columns differ.
    """
    data = asset("data")
    try:
        table = _table(text.decode("utf-8-sig"), data)
    except UnicodeDecodeError as error:
        number, byte = text[: error.start].count(b"\n") + 1, text[error.start]
        told = f"The table, line {number}: byte {byte:#04x} is not UTF-8; save the table as UTF-8."
        raise BadSyntax(told, line=number) from error
    except BadSyntax:
        raise
    except BadRequest as error:
        line = _LINE.search(error.detail)
        raise BadSyntax(error.detail, line=int(line[1]) if line else 1) from error
    return _placed(_made(table, data), table, base)


def _table(text: str, data: Path) -> Table:
    """The rows as those of the table that has their columns. Raises BadSyntax or BadRequest."""
    first = next(iter(text.splitlines()), "")[:MOST_HEADER]
    delimiter = delimiter_of(first)
    header = {column.strip() for column in next(csv.reader([first], delimiter=delimiter), [])}
    known = {f"{FOLDER}/{path.stem}": _columns(path) for path in sorted((data / FOLDER).glob("*.csv"))}
    name = next((name for name, columns in known.items() if set(columns) == header), "")
    if not name:
        raise _unknown(header, known)
    table = parse_table(
        text, "The table", name, readings(read_table(data / "tables.csv", "tables")).get(name, Reading()), delimiter
    )
    if len(table.rows) > MOST_ROWS:
        raise BadSyntax(f"The table has more than {MOST_ROWS:,} rows, which is more than are judged here.", line=MOST_ROWS)
    for line, cells in table.rows:
        for column, cell in cells.items():
            if cell.startswith("="):
                told = f"The table, line {line}: {column} holds a formula ({cell[:60]}); write the value that it comes to."
                raise BadSyntax(told, line=line)
    return table


def _columns(path: Path) -> Sequence[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines), [])


def _unknown(header: set[str], known: Mapping[str, Sequence[str]]) -> BadSyntax:
    """What to say of a header that no table has."""
    likest = max(known, key=lambda name: len(header & set(known[name])))
    missing, others = sorted(set(known[likest]) - header), sorted(header - set(known[likest]))
    told = [f"it lacks {', '.join(missing)}"] if missing else []
    for column in others:
        near = get_close_matches(column, missing, n=1)
        told.append(f"{column!r} is none of its columns" + (f" (did you mean {near[0]}?)" if near else ""))
    return BadSyntax(
        f"No table has these columns. The likest is {likest}: {'; '.join(told)}. There are {', '.join(known)}.",
        line=1,
        tables={name: list(columns) for name, columns in known.items()},
    )


def _made(table: Table, data: Path) -> list[ox.Quad]:
    """What the mappings that read the table make of it, when it stands in the place of the one that ships."""
    rules = building.mappings(data)
    chosen = [rule for rule in rules if not rule.is_helper and _reads(rule, table.name)]
    place = building.bench(data, [table, *_beside(table, data, rules, chosen)])
    made: set[ox.Quad] = set()
    for rule in rules[: rules.index(chosen[-1]) + 1] if chosen else ():
        if rule.is_helper or rule in chosen:
            quads = found(place.store, rule)
            place.add(quads)
            made.update(quads if rule in chosen else ())
        else:
            place.add_built(rule)
    return sorted(made, key=str)


def _beside(table: Table, data: Path, rules: Sequence[Rules], chosen: Sequence[Rules]) -> Iterator[Table]:
    """The other tables that the mappings of a table read; of those that only a helper reads the names alone, since a helper tells
    of rows that the others read."""
    for other in building.read_tables(data):
        readers = (*chosen, *(rule for rule in rules if rule.is_helper and other.name.startswith(NAMES)))
        if other.name != table.name and any(_reads(rule, other.name) for rule in readers):
            yield other


def _reads(rule: Rules, name: str) -> bool:
    """Whether a mapping names a table: in full, or below the prefix of its folder."""
    return re.search(rf"(?<![\w/]){re.escape(name).replace('/', '[:/]')}(?![\w-])", rule.text.replace(TABLE, " ")) is not None


def _placed(quads: Sequence[ox.Quad], table: Table, base: str) -> Placed:
    """The quads with the base of the service, each on the line of the row that it is from, as far as that can be told; without
    those that are from the rows of other tables alone."""
    lines = _lines(quads, table)
    found = Placed(unread=_left_out(quads, table))
    for quad in quads:
        line = lines.get(quad.subject)
        if line != ELSEWHERE:
            moved = _moved(quad, base)
            found.quads.append(moved)
            if line is not None:
                found.lines.setdefault((moved.subject, moved.predicate, moved.object), line)
    return found


def _lines(quads: Sequence[ox.Quad], table: Table) -> dict[Term, int]:
    """The line of the row that each subject is from, `ELSEWHERE` for another table: what says so, and what leads to that."""
    rows = {name: line for name, (line, _) in zip(table.row_names(), table.rows, strict=True)}
    lines: dict[Term, int] = {}
    for is_own in (True, False):
        for quad in quads:
            if (
                quad.predicate == building.FROM_ROW
                and isinstance(quad.object, ox.Literal)
                and (quad.object.value in rows) == is_own
            ):
                lines.setdefault(quad.subject, rows.get(quad.object.value, ELSEWHERE))
        _lead(lines, quads)
    return lines


def _lead(lines: dict[Term, int], quads: Sequence[ox.Quad]) -> None:
    """Has what is joined to a subject be of the same line: a proposition is told by its claim, a verdict by its proposition."""
    subjects = {quad.subject for quad in quads}
    for _ in range(2):
        for quad in quads:
            for one, other in ((quad.subject, quad.object), (quad.object, quad.subject)):
                if one in lines and other in subjects:
                    lines.setdefault(other, lines[one])


def _left_out(quads: Sequence[ox.Quad], table: Table) -> dict[int, tuple[str, str]]:
    """The rows of which the mappings make nothing, by their lines: the node that the mappings know each by, what is wrong."""
    made = {quad.object.value for quad in quads if quad.predicate == building.FROM_ROW and isinstance(quad.object, ox.Literal)}
    shipped = read_table(asset("data") / f"{table.name}.csv", table.name)
    usual = {column: {cells[column] for _, cells in shipped.rows} - {""} for column in table.columns}
    few = min(MOST_WORDS, len(shipped.rows) // 3)
    words = {column: known for column, known in usual.items() if len(known) <= few and not all(map(str.isdecimal, known))}
    found = {}
    for number, (name, (line, cells)) in enumerate(zip(table.row_names(), table.rows, strict=True), 1):
        if name not in made:
            told = [_unlike(column, cells[column], known) for column, known in words.items() if cells[column] not in known | {""}]
            found[line] = f"{table.graph.value}#{number}", " ".join(["The mappings make nothing of this row.", *told])
    return found


def _unlike(column: str, text: str, known: set[str]) -> str:
    """What to say of a cell that holds none of the words of its column."""
    near = get_close_matches(text, known, n=1)
    return f"{column} has {text[:80]!r}" + (f"; did you mean {near[0]!r}?" if near else f", none of {', '.join(sorted(known))}.")


def _moved(quad: ox.Quad, base: str) -> ox.Quad:
    """The quad with IRIs below the base of the service, and values as the graph keeps them."""
    if base != CANONICAL_BASE:
        (quad,) = ox.parse(f"{quad} .".replace(f"<{CANONICAL_BASE}/", f"<{base}/"), ox.RdfFormat.N_QUADS)
    return ox.Quad(quad.subject, quad.predicate, kept(quad.object), quad.graph_name)
