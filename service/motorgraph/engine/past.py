"""A past: a process forked from the keeper that holds the graph as it was after an older commit, and answers queries on it.

What the later commits did is taken back on its own copy, and the rules follow as they do after a write. Where those did more than
that is worth, the graph is made anew from the newest snapshot before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from socket import socket
from typing import TypeVar

import pyoxigraph as ox

from motorgraph.commits import Commit
from motorgraph.engine import process, reader
from motorgraph.engine.chronicle import Chronicle
from motorgraph.engine.delta import Delta
from motorgraph.engine.draft import Known, infer
from motorgraph.engine.history import memory_of, quads_in, replay
from motorgraph.engine.loading import follow, merge
from motorgraph.engine.provenance import Catalogue
from motorgraph.engine.reader import Alarm
from motorgraph.engine.remote import remote
from motorgraph.errors import Failed, OutOfReach, Refusal
from motorgraph.inference import renew
from motorgraph.journal import Journal

NQUADS = ox.RdfFormat.N_QUADS
T = TypeVar("T")
MOST_TAKEN_BACK = 200_000
"""Quads of later commits, and commits, that are rather taken back than the graph made anew."""


@dataclass(frozen=True)
class Goal:
    """The commit to go back to from the newest one, and what the graph is made of besides the journal's quads."""

    commit: int
    newest: int
    known: Known
    catalogue: Catalogue | None
    union: bool
    seconds: float
    room: int
    """Bytes that it may take in memory where the newest is elsewhere, 0 for any number."""


def run(sock: socket, store: ox.Store, journal: Journal | None, goal: Goal, may_open: int) -> None:
    """Goes back, then answers the jobs that come over `sock` as a reader does; if it cannot, each of them is refused."""
    back = rebuilt(sock, store, journal, goal)
    if back is not None:
        with process.opening_at_most(may_open):
            reader.run(sock, back, goal.commit)


def rebuilt(sock: socket, store: ox.Store, journal: Journal | None, goal: Goal) -> ox.Store | None:
    """The graph as it was, in this store or in another; if it cannot be had, jobs that come over `sock` are refused, and None."""
    if journal is None or (goal.commit == goal.newest and remote(store) is None):  # a remote one goes on under whoever reads it
        return store
    alarm = Alarm()
    alarm.after(goal.seconds)
    try:
        return _rebuilt(store, journal, goal)
    except MemoryError:
        reader.refuse(
            sock,
            OutOfReach(f"The graph of commit {goal.commit} needs more memory than a query may have (setting query_memory)."),
        )
    except (Refusal, OSError, ValueError) as error:
        reader.refuse(sock, error if isinstance(error, Refusal) else Failed(f"The graph of commit {goal.commit}: {error}."))
    finally:
        journal.close()
        alarm.off()
    return None


def _rebuilt(store: ox.Store, journal: Journal, goal: Goal) -> ox.Store:
    """The graph as it was, in this store or in another."""
    if remote(store) is not None:
        _require_room(journal, goal)
    later = _few(journal.commits(goal.commit, goal.newest)) if remote(store) is None else None
    if later is not None:
        _go_back(store, journal, later, goal)
        return store
    made = ox.Store()
    replay(journal, made, goal.commit)
    renew(made, goal.known.rules)
    if goal.catalogue is not None:
        noted = journal.graphs(upto=goal.commit)
        goal.catalogue.fill(made, ((c, noted.get(c.id, ())) for c in journal.commits(upto=goal.commit)), union=False)
    if goal.union:
        merge(made)
    return made


def _require_room(journal: Journal, goal: Goal) -> None:
    """Raises OutOfReach for a graph that would take too much memory here, where the newest is elsewhere."""
    removed, added = journal.moved(0, goal.commit)
    needed = memory_of(added - removed)
    if 0 < goal.room < needed:
        raise OutOfReach(
            f"Only the newest graph is in the store. That of commit {goal.commit} has {added - removed:,} quads, which take some "
            f"{needed >> 20:,} MiB here, of {goal.room >> 20:,} (setting query_memory). /changes tells what came between; "
            f"'motorgraph restore --at {goal.commit}' makes a folder to serve."
        )


def _few(commits: Iterable[Commit]) -> list[Commit] | None:
    """The commits, if they did so little that it is worth while to take them back; looks at no more than it takes to tell."""
    found, weight = [], 0
    for commit in commits:
        weight += 1 + commit.removed + commit.added
        if weight > MOST_TAKEN_BACK:
            return None
        found.append(commit)
    return found


def _go_back(store: ox.Store, journal: Journal, later: list[Commit], goal: Goal) -> None:
    undone = undoing(journal, later)
    undone.make(store)
    if goal.union:
        follow(store, undone.removed, undone.added)
    infer(store, undone, goal.known, union=goal.union)
    if goal.catalogue is not None:
        goal.catalogue.forget(store, later, union=goal.union)


def undoing(journal: Journal | Chronicle, commits: list[Commit]) -> Delta:
    """What takes back all that consecutive commits did, the oldest first, to the graph after the last of them."""
    undone = Delta()
    for commit in reversed(commits):
        _toggle(quads_in(journal.added(commit.id)), undone.added, undone.removed)
        _toggle(commit.made, undone.made, undone.dropped)
        _toggle(commit.dropped, undone.dropped, undone.made)
        _toggle(quads_in(journal.removed(commit.id)), undone.removed, undone.added)
    return undone


def _toggle(items: Iterable[T], one: set[T], other: set[T]) -> None:
    """Takes each item out of one set if it is there, else puts it into the other."""
    for item in items:
        if item in one:
            one.remove(item)
        else:
            other.add(item)
