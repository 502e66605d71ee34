"""The commands that look at the journal of a data folder: what was done, by whom; whether it is whole; copies of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
from rich.console import Console
from rich.table import Column, Table

from motorgraph.asking import dumped
from motorgraph.commits import Commit
from motorgraph.engine.history import has_blank, replay, replay_commits
from motorgraph.errors import BadRequest, Failed, NotFound
from motorgraph.folder import new
from motorgraph.inference import shipped_rules
from motorgraph.journal import Journal
from motorgraph.vocab import Names

if TYPE_CHECKING:
    from motorgraph.sending import Service
    from motorgraph.settings import Settings

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
    """What is wrong with the journal or one of its snapshots, "" if nothing is. Raises NotFound or Failed."""
    journal = Journal.read(folder)
    try:
        head = journal.verify() or (journal.head.id if journal.head else 0)
        if isinstance(head, str):
            return head
        for fault in journal.snapshots.faults(head, journal.digest_of):
            return fault
        made, at = ox.Store(), 0
        for snapshot in reversed(list(journal.snapshots.whole(head, journal.digest_of))):
            kept = ox.Store()
            replay(journal, kept, snapshot.commit)
            replay_commits(journal, made, at, snapshot.commit)
            at = snapshot.commit
            if set(kept) != set(made):
                return f"the snapshot of commit {at} is not what the journal makes"
        return ""
    finally:
        journal.close()


def verify_service(settings: Settings, service: Service) -> tuple[int, str]:
    """What a service that serves the folder has in memory, against the journal: the commit that it was at, and what differs.

    It is held against the graph that the journal makes, so no more than one copy of it is needed. Raises Failed.
    """
    names = Names(settings.base)
    made_again = [] if settings.plain else [names.graph("catalogue"), *(rule.graph for rule in shipped_rules(names))]
    derived = set(map(ox.NamedNode, made_again))
    with dumped(service.at("/graphs"), service.token) as (tag, quads):
        lineage, _, number = tag.partition("-")
        journal = Journal.read(settings.folder)
        try:
            if lineage != journal.lineage or not number.isdigit():
                raise Failed(f"{service.url} serves another journal than that in {settings.folder}, or none.")
            made = ox.Store()
            replay(journal, made, int(number), snapshots=False)
        finally:
            journal.close()
        return int(number), _difference(made, quads, derived, union=settings.is_union)


def _difference(made: ox.Store, quads: Iterator[ox.Quad], derived: set[ox.NamedNode], *, union: bool) -> str:
    """What a dump has that a store has not or the other way round, "" if nothing; a dump has each quad once."""
    count = 0
    for quad in quads:
        if quad.graph_name in derived or (union and isinstance(quad.graph_name, ox.DefaultGraph)):
            continue  # made from the rest
        if quad not in made:
            return f"it has what no commit has added: {quad}"
        count += 1
    missing = len(made) - count
    return f"it lacks {missing:,} of the {len(made):,} triples that the journal has" if missing else ""


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
        commit = journal.commit(_wanted(journal, at))
        with new(target):
            copy = Journal.open(target)
            try:
                journal.copy(copy, commit.id)
            finally:
                copy.close()
    finally:
        journal.close()
    return commit


def _wanted(journal: Journal, at: str) -> int:
    if at.isdecimal():
        return int(at)
    try:
        number = journal.at(at)
    except ValueError as error:
        raise BadRequest(f"{at!r} is no commit and no time, such as 12 or 2026-11-22T18:00:00.") from error
    if not number:
        first = next(journal.commits(), None)
        raise NotFound(f"There was no commit yet at {at}" + (f"; the first is of {first.time}." if first else "."))
    return number


def inverse(folder: Path, number: int) -> str:
    """The update that takes back what a commit did, as SPARQL. Raises NotFound; Failed for blank nodes, which it cannot name."""
    journal = Journal.read(folder)
    try:
        commit = journal.commit(number)
        removed, added = b"".join(journal.removed(number)), b"".join(journal.added(number))
        undone = [iri for iri in commit.made if not _has_more(journal, number, iri)]
    finally:
        journal.close()
    if b"_:" in removed + added and any(has_blank(quad) for quad in ox.parse(removed + added, NQUADS)):
        raise Failed(f"Commit {number} has blank nodes, which an update cannot name. Restore the folder as it was before it.")
    parts = [f"DELETE DATA {{ {_data(added)} }}"] if added else []
    parts += [f"DROP SILENT GRAPH <{iri}>" for iri in undone]
    parts += [f"CREATE SILENT GRAPH <{iri}>" for iri in commit.dropped]
    parts += [f"INSERT DATA {{ {_data(removed)} }}"] if removed else []
    return " ;\n".join(parts)


def _has_more(journal: Journal, number: int, iri: str) -> bool:
    """Whether a later commit has added to a graph, so that it stays although the commit that made it is taken back."""
    end = f"<{iri}> .\n".encode()
    return any(end in piece for commit in journal.commits(number) for piece in journal.added(commit.id))


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
