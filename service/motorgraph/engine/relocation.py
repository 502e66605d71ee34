"""A graph on its way between a journal and a remote store: copied there, or taken over from there. What was stopped goes on.

What has been done is told by the store itself (how many quads have come) or by files in the data folder (which graphs have).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from motorgraph.commits import PIECE_BYTES, Change
from motorgraph.engine.history import replay
from motorgraph.engine.loading import merge
from motorgraph.engine.marker import AT, HOLDS, RULES, STORE, Mark, beginning, data
from motorgraph.engine.provenance import Catalogue
from motorgraph.engine.remembered import Remembered, digest
from motorgraph.engine.remote import Remote
from motorgraph.errors import Conflict, Failed, NotFound
from motorgraph.inference import Rule, renew
from motorgraph.journal import Journal

NQUADS = ox.RdfFormat.N_QUADS
COPYING = "urn:motorgraph:copying"
BLOCK_QUADS = 10_000
FOLDER = "adopting"
Told = Callable[[int, int], None]
"""Hears how much is done, and of how much."""


@dataclass(frozen=True)
class Graphs:
    """What makes the graph of a journal's newest commit besides its quads."""

    rules: list[Rule]
    catalogue: Catalogue | None
    union: bool

    def of(self, journal: Journal) -> ox.Store:
        """The graph, in memory; what each rule has made is written down for the start of a service."""
        store, made, head = ox.Store(), ox.Store(), journal.head
        assert head is not None
        replay(journal, store, head.id)
        renew(store, self.rules, made)
        Remembered(journal.folder, self.rules).write(made, head.id)
        if self.catalogue is not None:
            noted = journal.graphs()
            self.catalogue.fill(store, ((commit, noted.get(commit.id, ())) for commit in journal.commits()), union=False)
        if self.union:
            merge(store)
        return store


def copy(journal: Journal, store: Remote, graphs: Graphs, told: Told) -> int:
    """Makes a store say what a journal says. Returns how many quads it has then.

    Raises NotFound for a journal without a commit, Conflict for a store with data that are not of this journal, StoreAway.
    """
    if journal.head is None:
        raise NotFound(f"The journal in {journal.folder} has no commit yet, so there is nothing to copy.")
    goal = Mark(journal.lineage, journal.head.id)
    made = graphs.of(journal)
    lines = sorted(_lines(made))
    rules = digest(graphs.rules)
    done = _begun(store, goal, rules)
    size = min(BLOCK_QUADS, store.endpoint.place.kind.most_quads or BLOCK_QUADS)
    for start in range(done, len(lines), size):
        told(start, len(lines))
        block = list(ox.parse(b"".join(lines[start : start + size]), NQUADS))
        store.endpoint.update(f"{data('INSERT', block, store.skolem)} ;\n{_progress(goal, start + len(block))}")
    told(len(lines), len(lines))
    names = [name.value for name in made.named_graphs()]
    if store.where() is None:
        forget = f"DELETE WHERE {{ GRAPH <{STORE}> {{ <{STORE}> <{COPYING}> ?what }} }}"
        store.endpoint.update(f"{beginning(goal, names, rules)} ;\n{forget}")
    return len(lines)


def _lines(store: ox.Store) -> list[bytes]:
    dumped = store.dump(format=NQUADS)
    assert dumped is not None  # bytes, since no output was given
    return dumped.splitlines(keepends=True)


def _begun(store: Remote, goal: Mark, rules: str) -> int:
    """How many quads have been copied already; a store of an older commit of the journal, or of other rules, is emptied."""
    there, copying = store.where(), _one(store, f"SELECT ?what {{ GRAPH <{STORE}> {{ <{STORE}> <{COPYING}> ?what }} }}")
    if there is not None and (there.lineage, there.commit, store.rules()) == (goal.lineage, goal.commit, rules):
        return 1 << 62
    if there is None and not copying:
        if store.query("ASK { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"):
            raise Conflict(
                "The store holds data that are not of this journal. Empty it, or take them over with 'motorgraph adopt'."
            )
    elif there is not None and there.lineage != goal.lineage:
        raise Conflict("The store is that of another journal. Give another store, or empty it.")
    else:
        lineage, commit, count = copying.split(" ") if copying else ("", "0", "0")
        if (lineage, int(commit)) == (goal.lineage, goal.commit):
            return int(count)
        if copying and lineage != goal.lineage:
            raise Conflict("Another journal is being copied to the store. Give another store, or empty it.")
        _empty(store)
    store.endpoint.update(_progress(goal, 0))
    return 0


def _empty(store: Remote) -> None:
    """Has a store be without a graph; its mark goes last, so that what was stopped is begun anew."""
    if store.endpoint.place.kind.drops_all:
        store.endpoint.update("DROP ALL")
        return
    found = store.query(f"SELECT DISTINCT ?g {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != <{STORE}>) }}")
    assert isinstance(found, ox.QuerySolutions)
    for name in [*sorted(row["g"].value for row in found), store.endpoint.place.kind.default, STORE]:
        store.endpoint.update(f"DROP SILENT GRAPH <{name}>")


def _progress(goal: Mark, count: int) -> str:
    """The update that says how far a copy is, in place of a mark. Where it stops between the two it says both, which are true."""
    told = f"{goal.lineage} {goal.commit} {count}"
    old = f"GRAPH <{STORE}> {{ <{STORE}> ?how ?what }}"
    ours = ", ".join(f"<{each}>" for each in (COPYING, AT, HOLDS, RULES))
    return (
        f'INSERT DATA {{ GRAPH <{STORE}> {{ <{STORE}> <{COPYING}> "{told}" }} }} ;\n'
        f'DELETE {{ {old} }} WHERE {{ {old} FILTER(?how IN ({ours}) && STR(?what) != "{told}") }}'
    )


def _one(store: Remote, text: str) -> str:
    found = store.query(text)
    assert isinstance(found, ox.QuerySolutions)
    row = next(found, None)
    return row[0].value if row is not None else ""


def adopt(journal: Journal, store: Remote, told: Told) -> int:
    """Makes the first commit of a new journal of all that a store holds, and marks the store. Returns how many quads that is.

    What the store has as blank nodes it has as IRIs from then on, see skolem.py. Raises Conflict, StoreAway, Failed.
    """
    store.require_whole()
    if store.where() is not None:
        raise Conflict("The store has the mark of a journal already. Give the --data-dir of that to 'motorgraph serve'.")
    if journal.head is None:
        _take(journal, store, told)
    elif journal.commit(1).origin != store.endpoint.place.url or journal.head.id > 1:
        raise Conflict(f"The journal in {journal.folder} has commits that are not of this store. Give an empty --data-dir.")
    assert journal.head is not None
    names = journal.graphs().get(1, [])
    store.endpoint.update(beginning(Mark(journal.lineage, 1), names))
    shutil.rmtree(journal.folder / FOLDER, ignore_errors=True)
    return journal.head.added


def _take(journal: Journal, store: Remote, told: Told) -> None:
    found = store.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")
    assert isinstance(found, ox.QuerySolutions)
    names = sorted((row["g"] for row in found), key=str)
    if blank := [name for name in names if not isinstance(name, ox.NamedNode)]:
        raise Failed(f"The store has a graph whose name is the blank node {blank[0]}; it has no name that a journal could keep.")
    folder = journal.folder / FOLDER
    folder.mkdir(exist_ok=True)
    graphs: list[ox.NamedNode | ox.DefaultGraph] = [ox.DefaultGraph(), *names]
    files = [folder / f"{number}.nq" for number in range(len(graphs))]
    for number, (graph, file) in enumerate(zip(graphs, files, strict=True)):
        told(number, len(graphs))
        if not file.is_file():
            _fetch(store, graph, file)
    told(len(graphs), len(graphs))
    pieces = (piece for file in files for piece in _pieces(file))
    message = f"Adopted from {store.endpoint.place.url}"
    iris = tuple(name.value for name in names)
    journal.append(Change((), pieces, iris, author="motorgraph", message=message, origin=store.endpoint.place.url, graphs=iris))


def _fetch(store: Remote, graph: ox.NamedNode | ox.DefaultGraph, file: Path) -> None:
    """Writes a graph to a file; its blank nodes become IRIs in the store."""
    partial = file.with_suffix(".part")
    has_blank = False
    with partial.open("wb") as out:
        for block in _blocks(store.graph(graph)):
            has_blank |= any(isinstance(term, ox.BlankNode) for quad in block for term in (quad.subject, quad.object))
            ox.serialize(block, out, NQUADS)
    if has_blank:
        within = "?s ?p ?o" if isinstance(graph, ox.DefaultGraph) else f"GRAPH {graph} {{ ?s ?p ?o }}"
        gone = f"DELETE {{ {within} }} WHERE {{ {within} FILTER(ISBLANK(?s) || ISBLANK(?o)) }}"
        with partial.open("rb") as source:
            blank = [
                q for q in ox.parse(source, NQUADS) if isinstance(q.subject, ox.BlankNode) or isinstance(q.object, ox.BlankNode)
            ]
        store.endpoint.update(f"{gone} ;\n{data('INSERT', blank, store.skolem)}")
    partial.rename(file)


def _blocks(quads: Iterator[ox.Quad]) -> Iterator[list[ox.Quad]]:
    while block := list(islice(quads, BLOCK_QUADS)):
        yield block


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            yield piece + source.readline()
