"""The shipped data: made from the tables and mappings of a data folder, the same bytes each time.

`python -m motorgraph.building [NAME …]` rebuilds data/built (with the mappings whose names begin so; without a name all).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from motorgraph import corpus
from motorgraph.engine.loading import load_file
from motorgraph.errors import BadRequest, NotFound, Refusal
from motorgraph.mapping import Mapping, in_graph, made, read_mapping, require_columns, sorted_quads, written
from motorgraph.resources import asset
from motorgraph.tables import Reading, Table, read_table, readings, require_keys
from motorgraph.vocab import CANONICAL_BASE, Names

FOLDERS = ("facts", "reference", "names")
FROM_ROW = ox.NamedNode(f"{CANONICAL_BASE}/ontology/fromRow")
MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the shipped data are built: the tables, and a store with them, the ontology and what is written by hand."""

    data: Path
    tables: tuple[Table, ...]
    store: ox.Store

    def run(self, mapping: Mapping) -> list[ox.Quad]:
        """What the mapping makes, sorted; it is in the store afterwards. Raises what `convert` does, and BadRequest."""
        require_columns(mapping, self.tables)
        quads = sorted_quads(made(self.store, mapping))
        _require_buildable(mapping, quads)
        self.add(quads)
        return quads

    def add(self, quads: Iterable[ox.Quad]) -> None:
        """Puts quads beside what is there already."""
        self.store.extend(quads)

    def add_built(self, mapping: Mapping) -> None:
        """Puts beside it what a mapping made when it was last built, if it was."""
        path = built_path(self.data, mapping)
        if path.is_file():
            self.store.bulk_load(path=str(path), format=ox.RdfFormat.TRIG)


def bench(data: Path, tables: Iterable[Table] = ()) -> Bench:
    """These tables, or those of a data folder, in a store beside what is written by hand."""
    tables = tuple(tables) or tuple(read_tables(data))
    store = ox.Store()
    for file in corpus.by_hand(data, Names()):
        load_file(store, file)
    for table in tables:
        store.extend(in_graph(triple, table.graph) for triple in table.triples())
    return Bench(data, tables, store)


def read_tables(data: Path) -> Iterator[Table]:
    """Each table of a data folder. Raises BadRequest if one is faulty, or if `tables.csv` speaks of one that is not there."""
    told = readings(read_table(data / "tables.csv", "tables"))
    for folder in FOLDERS:
        for path in sorted((data / folder).glob("*.csv")):
            name = f"{folder}/{path.stem}"
            table = read_table(path, name, told.pop(name, Reading()))
            if folder != "names":
                require_keys(table)
            yield table
    if told:
        raise BadRequest(f"tables.csv speaks of {', '.join(sorted(told))}, which {data} does not have.")


def row_names(data: Path) -> set[str]:
    """What `mg:fromRow` says of the rows that are to be in the graph: those of `facts` and `reference`."""
    return {name for table in read_tables(data) if not table.name.startswith("names/") for name in table.row_names()}


def mappings(data: Path) -> list[Mapping]:
    """The mappings of a data folder, in the order in which they run."""
    return [read_mapping(path) for path in sorted((data / "mappings").glob("*.rq"))]


def build(data: Path, names: Sequence[str] = ()) -> Iterator[tuple[Mapping, list[ox.Quad]]]:
    """Runs the mappings whose names begin with one of `names` (all, if there is none), taking the others as they were built.

    Yields each with what it made. Raises what `Bench.run` does, and NotFound if no mapping has such a name.
    """
    all_mappings = mappings(data)
    chosen = [mapping for mapping in all_mappings if not names or mapping.name.startswith(tuple(names))]
    if not chosen:
        raise NotFound(f"There is no mapping {', '.join(names)} in {data / 'mappings'}.")
    place = bench(data)
    for mapping in all_mappings[: all_mappings.index(chosen[-1]) + 1]:
        if mapping.is_helper:
            place.run(mapping)
        elif mapping in chosen:
            yield mapping, place.run(mapping)
        else:
            place.add_built(mapping)


def built_path(data: Path, mapping: Mapping) -> Path:
    """The file that holds what a mapping made."""
    return data / "built" / f"{mapping.name}.trig"


def write_built(data: Path, names: Sequence[str], told: IO[str]) -> None:
    """Builds and writes; a full build removes what no mapping makes any more.

    Raises what `build` does, and BadRequest after a full build that leaves a row out.
    """
    (data / "built").mkdir(exist_ok=True)
    paths, left_out = set(), row_names(data)
    for mapping, quads in build(data, names):
        path = built_path(data, mapping)
        path.write_bytes(written(quads))
        paths.add(path)
        told.write(f"{len(quads):8,} {path.name}\n")
        left_out -= {quad.object.value for quad in quads if quad.predicate == FROM_ROW and isinstance(quad.object, ox.Literal)}
    if names:
        return
    for path in set((data / "built").glob("*.trig")) - paths:
        path.unlink()
    if left_out:
        rows = "".join(f"\n  {name}" for name in sorted(left_out)[:MOST_TOLD])
        raise BadRequest(f"{len(left_out)} rows are in no mapping's result. Are their names in data/names?{rows}")


def _require_buildable(mapping: Mapping, quads: Sequence[ox.Quad]) -> None:
    """Raises BadRequest for what would not be the same each time, or in no graph."""
    if not quads:
        raise BadRequest(f"{mapping.path} makes nothing.")
    for quad in quads:
        if isinstance(quad.graph_name, ox.DefaultGraph):
            raise BadRequest(f"{mapping.path} makes triples in no graph; name one in a comment '# graph: reference'.")
        if any(isinstance(term, ox.BlankNode) for term in (quad.subject, quad.object)):
            raise BadRequest(f"{mapping.path} makes a blank node ({quad}); mint an IRI.")


if __name__ == "__main__":
    try:
        write_built(asset("data"), sys.argv[1:], sys.stdout)
    except Refusal as refusal:
        sys.exit(f"{refusal.title}: {refusal.detail}")
