"""A shelf: the lines of N-Quads put down in a file by graph, so that each graph can be read in one piece, whatever its size."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from motorgraph.engine.remains import graph_of

WRITE_BYTES = 1 << 20


class Shelf:
    """A file of triples and where those of each graph lie in it. `only` is the one graph that there is, if there is no other."""

    def __init__(self, path: Path, only: bytes | None = None) -> None:
        self._out = path.open("wb", buffering=WRITE_BYTES)
        self._only = only
        self._places: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._out.close()

    def put(self, piece: bytes) -> None:
        """Puts lines down. Raises OSError."""
        for graph, lines in self._by_graph(piece).items():
            triples = lines.replace(b" " + graph + b" .\n", b" .\n") if graph else lines
            self._places[graph].append((self._out.tell(), len(triples)))
            self._out.write(triples)

    def _by_graph(self, piece: bytes) -> dict[bytes, bytes]:
        if self._only is not None:
            return {self._only: piece}
        found: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for line in piece.splitlines(keepends=True):
            found[graph_of(line)].append(line)
        return {graph: b"".join(lines) for graph, lines in found.items()}

    def index(self) -> bytes:
        """Where everything lies, for `Shelved`."""
        return json.dumps({graph.decode(): places for graph, places in self._places.items()}).encode()


class Shelved:
    """A shelf to take from."""

    def __init__(self, path: Path, index: bytes) -> None:
        self._path = path
        self._places: dict[str, list[tuple[int, int]]] = json.loads(index)

    def triples(self, graph: str) -> Iterator[bytes]:
        """The triples of a graph, named as in N-Quads, as N-Triples in pieces of whole lines. Raises OSError."""
        with self._path.open("rb") as source:
            for start, size in self._places.get(graph, ()):
                source.seek(start)
                yield source.read(size)
