"""The network as a matrix: a row and a column for each group, and in a cell the deals of the two by their status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from motorgraph import marks
from motorgraph.explore.network import Network, Tie
from motorgraph.explore.sheet import Value
from motorgraph.marks import Mark


@dataclass(frozen=True, slots=True)
class Cell:
    """The deals of two groups: how many there are of each mark, in words, and where they are shown."""

    marks: list[tuple[Mark, int]]
    words: str
    address: str
    is_lit: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A part of the matrix: what it holds, the groups across and down, and the cells, None where there is no deal."""

    words: str
    columns: list[Value]
    rows: list[tuple[Value, list[Cell | None]]]


def grids(made: Network, where: Callable[..., str], lit: frozenset[str]) -> Iterator[Grid]:
    """The matrix of both sides, then those within each. `where` is the address that shows groups, `lit` are those shown."""
    home = f"groups controlled from {made.home}" if made.home else "groups"
    sides = (
        (f"Other groups and {home}", made.right, made.left),
        ("Other groups among themselves", made.right, made.right),
        (f"{home.capitalize()} among themselves", made.left, made.left),
    )
    for words, down, across in sides:
        ties = _between(made.ties, down, across)
        ends = {end for pair in ties for end in pair}
        columns = [group for group in across if group.iri in ends]
        rows = [
            (row, [_cell(ties.get(frozenset((row.iri, column.iri)), []), (row, column), where, lit) for column in columns])
            for row in down
            if row.iri in ends
        ]
        if rows:
            yield Grid(words, columns, rows)


def _between(ties: Sequence[Tie], down: Sequence[Value], across: Sequence[Value]) -> dict[frozenset[str], list[Tie]]:
    """The ties from one of some groups to one of others, by their ends."""
    rows, columns = ({group.iri for group in groups} for groups in (down, across))
    found: dict[frozenset[str], list[Tie]] = {}
    for tie in ties:
        if (tie.one in rows and tie.other in columns) or (tie.one in columns and tie.other in rows):
            found.setdefault(tie.ends, []).append(tie)
    return found


def _cell(ties: Sequence[Tie], pair: tuple[Value, Value], where: Callable[..., str], lit: frozenset[str]) -> Cell | None:
    if not ties or pair[0] == pair[1]:
        return None
    counted = Counter(marks.status(tie.status) for tie in ties)
    told = ", ".join(f"{count} {mark.word.lower()}" for mark, count in counted.items())
    one, other = pair
    words = f"{one.words} and {other.words}: {told}"
    is_lit = not lit or {one.iri, other.iri} <= lit or (len(lit) == 1 and bool({one.iri, other.iri} & lit))
    return Cell(list(counted.items()), words, where(one.iri, other.iri), is_lit)
