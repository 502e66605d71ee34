"""The graph of a journal copied to a remote store: its commits are played there in order, in memory that does not grow with them.

The store itself says how far it is, so what was stopped goes on, and one that is provably at an older commit has only the later
ones played. Then the rules are asked there what follows, and the catalogue is told of the commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox

from motorgraph.commits import Commit
from motorgraph.engine.history import replay
from motorgraph.engine.inflow import MOST_BYTES, Inflow
from motorgraph.engine.marker import AT, HOLDS, NOTED, RULES, STORE, Mark, beginning
from motorgraph.engine.provenance import Catalogue
from motorgraph.engine.remains import graph_of
from motorgraph.engine.remembered import Remembered, digest
from motorgraph.engine.remote import Remote
from motorgraph.errors import Conflict, NotFound
from motorgraph.inference import Rule, blocks, filled, renew, settle
from motorgraph.journal import Journal

NQUADS = ox.RdfFormat.N_QUADS
COPYING = "urn:motorgraph:copying"
Told = Callable[[int, int], None]
"""Hears how much is done, and of how much."""


@dataclass(frozen=True)
class Graphs:
    """What makes the graph of a journal's newest commit besides its quads; `merges` keeps the default graph their merge."""

    rules: list[Rule]
    catalogue: Catalogue | None
    merges: bool


def copy(journal: Journal, store: Remote, graphs: Graphs, told: Told) -> int:
    """Makes a store say what a journal says. Returns how many quads the journal's newest commit has.

    Raises NotFound for a journal without a commit, Conflict for a store with data that are not of this journal, StoreAway.
    """
    if journal.head is None:
        raise NotFound(f"The journal in {journal.folder} has no commit yet, so there is nothing to copy.")
    removed, added = journal.moved(0, journal.head.id)
    begun, rules = _begun(store, journal, graphs.rules), digest(graphs.rules)
    if begun is not None:
        inflow = Inflow(store, merges=graphs.merges)
        done = begun.quads
        for batch in _batches(_played(journal, done), inflow.most_quads):
            told(done, removed + added)
            inflow.change(batch.lines)
            done += batch.count
            store.endpoint.update(_progress(journal.lineage, journal.head, done))
        names = {*_infer(journal, store, inflow, graphs.rules), *_catalogue(journal, inflow, graphs.catalogue, begun.commit)}
        _mark(journal, store, names | _held(journal), rules)
    told(removed + added, removed + added)
    return added - removed


def empty(store: Remote) -> None:
    """Has a store be without a graph; its mark goes last, so that what was stopped is begun anew."""
    if store.endpoint.place.kind.drops_all:
        store.endpoint.update("DROP ALL")
        return
    found = store.query(f"SELECT DISTINCT ?g {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{STORE}>) }}")
    assert isinstance(found, ox.QuerySolutions)
    for name in [*sorted(row["g"].value for row in found), store.endpoint.place.kind.default, STORE]:
        store.endpoint.update(f"DROP SILENT GRAPH <{name}>")


# How far it is


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a store has already: how many of the quads that went and came, the commit to which it was complete."""

    quads: int = 0
    commit: int = 0


def _begun(store: Remote, journal: Journal, rules: list[Rule]) -> _Begun | None:
    """What the store has, None if that is all; one that is not provably on the way to the newest commit is emptied."""
    assert journal.head is not None
    there, copying = store.where(), _told(store, COPYING)
    if there is None and not copying and store.query("ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"):
        raise Conflict("The store holds data that are not of this journal. Empty it, or take them over with 'motorgraph adopt'.")
    if (there.lineage if there is not None else copying.partition(" ")[0] or journal.lineage) != journal.lineage:
        raise Conflict("The store is that of another journal. Give another store, or empty it.")
    found = _complete(journal, there) if there is not None else _stopped(journal, copying)
    if found is not None and found.commit == journal.head.id and _follows(store, journal, rules):
        return None
    if found is None:
        empty(store)
        found = _Begun()
    store.endpoint.update(_progress(journal.lineage, journal.head, found.quads))
    return found


def _follows(store: Remote, journal: Journal, rules: list[Rule]) -> bool:
    """Whether the store says what follows by these rules, and the folder tells which made what."""
    assert journal.head is not None
    return store.rules() == digest(rules) and (not rules or Remembered(journal.folder, rules).tells(journal.head.id))


def _complete(journal: Journal, there: Mark) -> _Begun | None:
    """What a marked store has, if its mark is the one that the journal has noted: another may be of commits that are gone."""
    if not there.is_noted(journal.about(NOTED)):
        return None
    return _Begun(sum(journal.moved(0, there.commit)), there.commit)


def _stopped(journal: Journal, copying: str) -> _Begun | None:
    """What a store has that was being filled, if the journal still has the commit that it was to come to."""
    match copying.split(" "):
        case [_, goal, name, count]:
            known = next(journal.commits(int(goal) - 1, int(goal)), None)
            return _Begun(int(count)) if known is not None and known.digest.hex() == name else None
    return None


def _progress(lineage: str, goal: Commit, count: int) -> str:
    """The update that says how far a copy is, in place of a mark. Where it stops between the two it says both, which are true."""
    told = f"{lineage} {goal.id} {goal.digest.hex()} {count}"
    old = f"GRAPH <{STORE}> {{ <{STORE}> ?how ?what }}"
    ours = ", ".join(f"<{each}>" for each in (COPYING, AT, HOLDS, RULES))
    return (
        f'INSERT DATA {{ GRAPH <{STORE}> {{ <{STORE}> <{COPYING}> "{told}" }} }} ;\n'
        f'DELETE {{ {old} }} WHERE {{ {old} FILTER(?how IN ({ours}) && STR(?what) != "{told}") }}'
    )


def _told(store: Remote, what: str) -> str:
    found = store.query(f"SELECT ?what {{ GRAPH <{STORE}> {{ <{STORE}> <{what}> ?what }} }}")
    assert isinstance(found, ox.QuerySolutions)
    row = next(found, None)
    return row[0].value if row is not None else ""


def _mark(journal: Journal, store: Remote, names: Iterable[str], rules: str) -> None:
    """Has the store bear a mark in place of what says how far it is; the journal notes it first."""
    assert journal.head is not None
    mark = Mark(journal.lineage, journal.head.id)
    journal.note(**{NOTED: str(mark)})
    forget = f"DELETE WHERE {{ GRAPH <{STORE}> {{ <{STORE}> <{COPYING}> ?what }} }}"
    store.endpoint.update(f"{beginning(mark, sorted(names), rules)} ;\n{forget}")


# What the journal says


@dataclass(slots=True)
class _Batch:
    """Lines of N-Quads by whether the last word on each was that it came, and how many words that took."""

    lines: dict[bytes, bool] = field(default_factory=dict)
    count: int = 0
    size: int = 0


def _played(journal: Journal, done: int) -> Iterator[tuple[bool, list[bytes]]]:
    """What the commits did after so many quads, one after the other: whether these were added, and lines. Raises Failed."""
    for commit in journal.commits():
        if commit.removed + commit.added <= done:
            done -= commit.removed + commit.added
            continue
        quads = journal.checked(commit)
        for is_added, pieces in ((False, quads.removed()), (True, quads.added())):
            for piece in pieces:
                lines = piece.splitlines(keepends=True)
                yield is_added, lines[done:]
                done = max(done - len(lines), 0)
        quads.require()


def _batches(played: Iterable[tuple[bool, list[bytes]]], most: int) -> Iterator[_Batch]:
    batch = _Batch()
    for is_added, lines in played:
        for line in lines:
            batch.lines[line] = is_added
            batch.count += 1
            batch.size += len(line)
            if batch.count == most or batch.size > MOST_BYTES:
                yield batch
                batch = _Batch()
    if batch.count:
        yield batch


def _held(journal: Journal) -> set[str]:
    """The named graphs that there are after the newest commit."""
    names: set[str] = set()
    for commit, changed in journal.noted():
        names.update(changed if changed is not None else _changed(journal, commit.id))
        names.difference_update(commit.dropped)
        names.update(commit.made)
    return names


def _changed(journal: Journal, commit: int) -> set[str]:
    """The named graphs in which a commit added quads, of which it was not noted."""
    found = {graph_of(line) for piece in journal.added(commit) for line in piece.splitlines(keepends=True)}
    return {name[1:-1].decode() for name in found if name}


# What follows from it


def _infer(journal: Journal, store: Remote, inflow: Inflow, rules: list[Rule]) -> set[str]:
    """Has the graphs of the rules say what follows, and writes down what each has made. Returns which of them say anything."""
    if not rules:
        return set()
    assert journal.head is not None
    there, made = _Ruled(store, inflow), ox.Store()
    there.clear(filled(there, rules))  # type: ignore[arg-type]  # it has what rules ask of the engine's own
    if store.endpoint.place.kind.kept:  # what such an engine works out comes otherwise than it is worked out at each write
        whole = ox.Store()
        replay(journal, whole, journal.head.id)
        renew(whole, rules, made)
        there.extend(filled(whole, rules))
    else:
        for block in blocks(rules):
            settle(there, block, made)  # type: ignore[arg-type]  # as above
    Remembered(journal.folder, rules).write(made, journal.head.id)
    return {quad.graph_name.value for quad in there.known if isinstance(quad.graph_name, ox.NamedNode)}


class _Ruled:
    """A remote store as rules take one; what they make is written there. `known` is all that they have made."""

    def __init__(self, store: Remote, inflow: Inflow) -> None:
        self._inflow = inflow
        self.known: set[ox.Quad] = set()
        self.query, self._graph = store.query, store.graph

    def quads_for_pattern(self, subject: None, predicate: None, object: None, graph: ox.NamedNode) -> Iterator[ox.Quad]:
        """A whole graph, which is all that rules ask for so."""
        return self._graph(graph)

    def __contains__(self, quad: ox.Quad) -> bool:
        return quad in self.known

    def extend(self, quads: Iterable[ox.Quad]) -> None:
        """Has quads come."""
        fresh = list(quads)
        self.known.update(fresh)
        self._inflow.change(dict.fromkeys(_lines(fresh), True))

    def clear(self, quads: Iterable[ox.Quad]) -> None:
        """Has quads go."""
        self._inflow.change(dict.fromkeys(_lines(quads), False))


def _lines(quads: Iterable[ox.Quad]) -> list[bytes]:
    return (ox.serialize(quads, format=NQUADS) or b"").splitlines(keepends=True)


def _catalogue(journal: Journal, inflow: Inflow, catalogue: Catalogue | None, after: int) -> set[str]:
    """Has the catalogue speak of the commits beyond one. Returns the name of its graph, if there is to be one."""
    if catalogue is None:
        return set()
    commits = ((commit, changed or ()) for commit, changed in journal.noted(after))
    for text in catalogue.in_pieces(commits):
        inflow.change(dict.fromkeys(text.encode().splitlines(keepends=True), True))
    return {catalogue.graph.value}
