"""What a remote store holds, taken over as the first commit of a new journal. What was stopped goes on.

What has been done is told by files in the data folder: which blank nodes have been named, which graphs have been fetched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from motorgraph.commits import PIECE_BYTES, Change
from motorgraph.engine.inflow import Inflow
from motorgraph.engine.marker import NOTED, Mark, beginning
from motorgraph.engine.remote import Remote
from motorgraph.errors import Conflict, Failed
from motorgraph.journal import Journal

NQUADS = ox.RdfFormat.N_QUADS
FOLDER = "adopting"
Told = Callable[[int, int], None]
"""Hears how much is done, and of how much."""
Name = ox.NamedNode | ox.DefaultGraph


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
    mark = Mark(journal.lineage, 1)
    journal.note(**{NOTED: str(mark)})
    store.endpoint.update(beginning(mark, journal.graphs().get(1, [])))
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
    graphs: list[Name] = [ox.DefaultGraph(), *names]
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


def _fetch(store: Remote, graph: Name, file: Path) -> None:
    """Writes a graph to a file; its blank nodes become IRIs in the store first."""
    blank = file.with_suffix(".blank")
    if not blank.is_file():  # only while it is not there are these nodes asked for: an engine may name them otherwise next time
        _write(blank, store.graph(graph, "FILTER(ISBLANK(?s) || ISBLANK(?o))"))
    if blank.stat().st_size:
        inflow = Inflow(store, merges=False)
        with blank.open("rb") as source:
            while lines := list(islice(source, inflow.most_quads)):
                inflow.change(dict.fromkeys(lines, True))
        within = store.skolem.within(graph, "?s ?p ?o")
        store.endpoint.update(f"DELETE {{ {within} }} WHERE {{ {within} FILTER(ISBLANK(?s) || ISBLANK(?o)) }}")
    _write(file, store.graph(graph))


def _write(file: Path, quads: Iterable[ox.Quad]) -> None:
    """Writes quads to a file, whole or not at all, as they come."""
    partial = file.with_suffix(f"{file.suffix}.part")
    with partial.open("wb") as out:
        ox.serialize(quads, out, NQUADS)
    partial.rename(file)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            yield piece + source.readline()
