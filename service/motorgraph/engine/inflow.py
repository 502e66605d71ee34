"""Quads on their way into a remote store that nobody is served from: many at once, as text, whatever the mark.

To do the same twice does no harm, so whoever has stopped in the middle does it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import pyoxigraph as ox

from motorgraph.engine.remains import graph_of
from motorgraph.engine.remote import Remote
from motorgraph.errors import Failed

NQUADS = ox.RdfFormat.N_QUADS
MOST_QUADS = 20_000
MOST_BYTES = 8 << 20
"""That one request may bring."""


class Inflow:
    """The way into a store. With `merges` its default graph is kept the merge of all others."""

    def __init__(self, store: Remote, *, merges: bool) -> None:
        self._store, self._merges = store, merges
        self._loads = bool(store.endpoint.place.loads)
        most = min(store.endpoint.place.kind.most_quads or MOST_QUADS, MOST_QUADS)
        self.most_quads = max(most // (2 if merges else 1), 1)

    def change(self, lines: Mapping[bytes, bool]) -> None:
        """Has lines of N-Quads go, or come where it says so; none of a default graph that is a merge.

        Raises StoreAway, NotRemote, BadEvaluation.
        """
        for is_added, make in ((False, self._remove), (True, self._add)):
            some = (line for line, comes in lines.items() if comes is is_added and (not self._merges or graph_of(line)))
            while block := list(islice(some, self.most_quads)):
                make(block)

    def _add(self, lines: Sequence[bytes]) -> None:
        told = self._store.skolem.lines(lines)
        if self._merges:
            told += [_unnamed(line) for line in told]
        if self._loads:
            try:
                self._store.endpoint.load(b"".join(told))
            except Failed:  # a proxy may let nothing through but queries and updates
                self._loads = False
            else:
                return
        self._store.endpoint.update(self._data("INSERT", told))

    def _remove(self, lines: Sequence[bytes]) -> None:
        told = self._store.skolem.lines(lines)
        self._store.endpoint.update(self._data("DELETE", told))
        if self._merges:
            gone = {quad.triple for quad in ox.parse(b"".join(lines), NQUADS)}
            left = self._store.matching(((each.subject, each.predicate, each.object) for each in gone), None)
            gone -= {quad.triple for quad in left if not isinstance(quad.graph_name, ox.DefaultGraph)}
            if gone:
                unnamed = ox.serialize(gone, format=ox.RdfFormat.N_TRIPLES) or b""
                self._store.endpoint.update(self._data("DELETE", self._store.skolem.lines(unnamed.splitlines(keepends=True))))

    def _data(self, verb: str, lines: Iterable[bytes]) -> str:
        graphs: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for line in lines:
            name = graph_of(line)
            graphs[name].append(_unnamed(line, name))
        told = (self._store.skolem.within(_graph(name), b"".join(triples).decode()) for name, triples in graphs.items())
        return f"{verb} DATA {{ {' '.join(told)} }}"


def _unnamed(line: bytes, graph: bytes | None = None) -> bytes:
    """The triple of a line, without its graph."""
    name = graph_of(line) if graph is None else graph
    return line[: -len(name) - 4] + b" .\n" if name else line


def _graph(name: bytes) -> ox.NamedNode | ox.DefaultGraph:
    return ox.NamedNode(name[1:-1].decode()) if name else ox.DefaultGraph()
