"""The commands that look at the journal of a data folder: what was done, by whom; whether it is whole; copies of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
from rich.console import Console
from rich.table import Column, Table

from motorgraph.engine.history import has_blank, replay
from motorgraph.errors import BadRequest, Failed
from motorgraph.journal import Commit, Journal

NQUADS = ox.RdfFormat.N_QUADS
WIDE_COLUMNS = 10_000


def show_log(folder: Path, limit: int) -> None:
    """Prints the newest commits, the newest first. Raises NotFound or Failed."""
    journal = Journal.read(folder)
    newest = journal.head.id if journal.head else 0
    table = Table(
        Column("commit", justify="right"), "time (UTC)", "author", Column("removed", justify="right"),
        Column("added", justify="right"), Column("message", overflow="fold"), box=None,
    )  # fmt: skip
    for commit in reversed(list(journal.commits(max(newest - limit, 0)))):
        table.add_row(
            str(commit.id), _second(commit), commit.author or "-", f"{commit.removed:,}", f"{commit.added:,}", commit.message
        )
    journal.close()
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDE_COLUMNS
    console.print(table if newest else "There is no commit yet.")


def show_commit(folder: Path, number: int) -> None:
    """Prints one commit: what is known of it, then what it removed and added, a line each, as `-` and `+`."""
    journal = Journal.read(folder)
    commit = journal.commit(number)
    out = sys.stdout.buffer
    told = [
        f"commit {commit.id}",
        f"time    {commit.time}",
        f"author  {commit.author or '-'}",
        f"message {commit.message or '-'}",
    ]
    told += [f"made    <{iri}>" for iri in commit.made] + [f"dropped <{iri}>" for iri in commit.dropped]
    told += [f"report  {count} {severity}" for severity, count in sorted(commit.report.items())]
    out.write("\n".join([*told, "", ""]).encode())
    for mark, pieces in ((b"- ", journal.removed(number)), (b"+ ", journal.added(number))):
        for line in _lines(pieces):
            out.write(mark + line)
    out.flush()
    journal.close()


def verify(folder: Path) -> str:
    """What is wrong with the journal or its newest snapshot, "" if nothing is. Raises NotFound or Failed."""
    journal = Journal.read(folder)
    try:
        fault = journal.verify()
        newest = journal.newest_snapshot(journal.head.id) if journal.head and not fault else None
        if newest is None:
            return fault
        kept, made = ox.Store(), ox.Store()
        replay(journal, kept, newest[0])
        replay(journal, made, newest[0], snapshots=False)
        return "" if set(kept) == set(made) else f"the snapshot of commit {newest[0]} is not what the journal makes"
    finally:
        journal.close()


def backup(folder: Path, target: Path) -> Commit | None:
    """Copies the journal into a new folder, also while a service writes. Returns the newest commit of the copy."""
    journal = Journal.read(folder)
    try:
        journal.backup(target)
    finally:
        journal.close()
    copy = Journal.read(target)
    copy.close()
    return copy.head


def restore(folder: Path, target: Path, at: str) -> Commit:
    """Copies the journal into a new folder as far as a commit (a number) or a time (ISO 8601). Raises BadRequest, Failed."""
    journal = Journal.read(folder)
    try:
        number = int(at) if at.isdigit() else journal.at(at)
        commit = journal.commit(number)
        journal.backup(target)
    except ValueError as error:
        raise BadRequest(f"{at!r} is no commit and no time, such as 12 or 2026-11-22T18:00:00.") from error
    finally:
        journal.close()
    copy = Journal.open(target)
    copy.cut(number)
    copy.close()
    return commit


def inverse(folder: Path, number: int) -> str:
    """The update that takes back what a commit did, as SPARQL. Raises NotFound; Failed for blank nodes, which it cannot name."""
    journal = Journal.read(folder)
    try:
        commit = journal.commit(number)
        removed, added = b"".join(journal.removed(number)), b"".join(journal.added(number))
    finally:
        journal.close()
    if b"_:" in removed + added and any(has_blank(quad) for quad in ox.parse(removed + added, NQUADS)):
        raise Failed(f"Commit {number} has blank nodes, which an update cannot name. Restore the folder as it was before it.")
    parts = [f"DELETE DATA {{ {_data(added)} }}"] if added else []
    parts += [f"DROP SILENT GRAPH <{iri}>" for iri in commit.made]
    parts += [f"CREATE SILENT GRAPH <{iri}>" for iri in commit.dropped]
    parts += [f"INSERT DATA {{ {_data(removed)} }}"] if removed else []
    return " ;\n".join(parts)


def _data(quads: bytes) -> str:
    """N-Quads as the data of an update."""
    written = []
    for quad in ox.parse(quads, NQUADS):
        triple = f"{quad.subject} {quad.predicate} {quad.object} ."
        is_default = isinstance(quad.graph_name, ox.DefaultGraph)
        written.append(triple if is_default else f"GRAPH {quad.graph_name} {{ {triple} }}")
    return "\n".join(written)


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from piece.splitlines(keepends=True)


def _second(commit: Commit) -> str:
    return commit.time[:19].replace("T", " ")
