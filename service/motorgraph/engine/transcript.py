"""A transcript of the graph: its N-Quads in one stream, and each graph as Turtle, for the files of a dump.

With a journal it comes from there, in the order of the commits: the same bytes wherever these are repeated, and nobody walks
through the graph. What follows by rules and what is said of the commits is read from the graph, and sorted; where there is no
journal all of it is. Whoever reads there owns a copy of the pages, so processes aside do it, and each leaves the rest to the next
when it has read some tens of megabytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from motorgraph.engine.aside import PIECE_BYTES, Channel, forked
from motorgraph.engine.remains import Remains
from motorgraph.engine.shelf import Shelf, Shelved
from motorgraph.journal import Journal
from motorgraph.media import TURTLE
from motorgraph.release import GRAPHS, Order

BATCH_BYTES = 64 << 20
DEFAULT = "default"
_PLAIN_NAME = re.compile(r"(?!default$)[A-Za-z0-9_~-][A-Za-z0-9_~.%-]{0,99}(?:/[A-Za-z0-9_~-][A-Za-z0-9_~%-]{0,99}){0,3}")
_PREFIX_LINES = re.compile(rb"(?:@prefix [^\n]*\n)*")
_LINES, _INDEX = 0, 1
_SHELF = "shelf.nt"
Term = ox.NamedNode | ox.BlankNode | ox.DefaultGraph


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph as it stands in files: its name, as the engine has it and as text, and the file of its own without packing."""

    term: Term
    iri: str
    file: str

    @classmethod
    def of(cls, term: Term, base: str) -> Graph:
        """The graph with that name. One below `base` has a file named like it, a foreign one by a hash."""
        if isinstance(term, ox.DefaultGraph):
            return cls(term, "", f"{GRAPHS}{DEFAULT}.{TURTLE.suffix}")
        iri = term.value if isinstance(term, ox.NamedNode) else str(term)
        own = iri.removeprefix(f"{base}/graph/")
        if own == iri or not _PLAIN_NAME.fullmatch(own):
            own = hashlib.sha256(iri.encode()).hexdigest()[:20]
        return cls(term, iri, f"{GRAPHS}{own}.{TURTLE.suffix}")

    @property
    def name(self) -> str:
        """As N-Quads have it, "" for the default graph."""
        return str(self.term) if self.iri else ""


@dataclass(frozen=True)
class Origin:
    """What a transcript is made of: the graph after a commit, which of its graphs are `derived`, the journal of a `folder` (None:
    there is none)."""

    store: ox.Store
    commit: int
    derived: frozenset[str] = frozenset()
    folder: Path | None = None


@dataclass
class Transcript:
    """The transcript of an origin, with `folder` for what is put down on the way; the N-Quads have to be taken first."""

    origin: Origin
    order: Order
    prefixes: dict[str, str]
    folder: Path
    graphs: list[Graph] = field(init=False)
    _shelved: Shelved | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.graphs = _graphs(self.origin.store, self.order)

    def quads(self) -> Iterator[bytes]:
        """The N-Quads of all graphs that are in the whole, in pieces. Raises OSError, Died, Failed."""
        rest = [graph for graph in self.graphs if graph.iri not in self.order.apart]
        if self.origin.folder is not None and self.origin.commit:
            for channel, data in forked(partial(self._send_remains, folder=self.origin.folder)):
                if channel == _INDEX:
                    self._shelved = Shelved(self.folder / _SHELF, data)
                    rest = [graph for graph in rest if self._is_derived(graph)]
                else:
                    yield data
        for _, pieces in _sent(self._send_quads, rest):
            yield from pieces

    def turtle(self) -> Iterator[tuple[Graph, Iterator[bytes]]]:
        """Each graph with the pieces of its Turtle without prefixes, which have to be taken before the next graph."""
        yield from _sent(self._send_turtle, self.graphs)

    def close(self) -> None:
        """Lets go of what was put down."""
        (self.folder / _SHELF).unlink(missing_ok=True)

    def _is_derived(self, graph: Graph) -> bool:
        return graph.iri in self.origin.derived

    def _send_remains(self, out: IO[bytes], folder: Path) -> None:
        """Sends what the journal has and puts it on the shelf; nothing where the journal is no shorter way than the graph."""
        journal = Journal.read(folder)
        derived = frozenset(str(ox.NamedNode(iri)).encode() for iri in self.origin.derived)
        remains = Remains.of(journal, self.origin.commit, derived)
        if remains is None:
            return
        own = [graph.name.encode() for graph in self.graphs if not self._is_derived(graph)]
        with Shelf(self.folder / _SHELF, own[0] if len(own) == 1 else None) as shelf:
            lines, index = Channel(out, _LINES), Channel(out, _INDEX)
            for piece in remains.pieces():
                shelf.put(piece)
                for start in range(0, len(piece), PIECE_BYTES):
                    lines.write(piece[start : start + PIECE_BYTES])
            lines.send()
        index.write(shelf.index())
        index.send()

    def _send_quads(self, out: IO[bytes], graph: Graph) -> int:
        channel = _Quads(out, _LINES)
        channel.end_of_line = f" {graph.term} .\n".encode() if graph.iri else b""
        if self._is_derived(graph):
            channel.write(self._sorted(graph))
        else:
            self.origin.store.dump(channel, ox.RdfFormat.N_TRIPLES, from_graph=graph.term)  # type: ignore[arg-type]  # an IO[bytes] in what is used
        channel.end()
        return channel.sent

    def _send_turtle(self, out: IO[bytes], graph: Graph) -> int:
        channel = _Triples(out, _LINES)
        if self._is_derived(graph):
            _serialise([self._sorted(graph)], channel, self.prefixes)
        elif self._shelved is not None:
            _serialise(self._shelved.triples(graph.name), channel, self.prefixes)
        else:
            self.origin.store.dump(channel, ox.RdfFormat.TURTLE, from_graph=graph.term, prefixes=self.prefixes)  # type: ignore[arg-type]  # as above
        channel.end()
        return channel.sent

    def _sorted(self, graph: Graph) -> bytes:
        """The N-Triples of a graph, sorted: the engine has them in the order in which they came about."""
        triples = self.origin.store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph.term)
        assert triples is not None  # bytes, since no output was given
        return b"".join(sorted(triples.splitlines(keepends=True)))


def _graphs(store: ox.Store, order: Order) -> list[Graph]:
    """The graphs to write, the default graph first if it is to be there and has anything."""
    named = sorted((Graph.of(name, order.base) for name in store.named_graphs()), key=lambda graph: graph.iri)
    default = ox.DefaultGraph()
    has_default = not order.union and next(store.quads_for_pattern(None, None, None, default), None) is not None
    return [Graph.of(default, order.base), *named] if has_default else named


def _serialise(pieces: Iterator[bytes] | Sequence[bytes], out: Channel, prefixes: dict[str, str]) -> None:
    """Writes N-Triples as Turtle; they are the engine's own, whose IRIs need not be looked at again."""
    triples = (triple for piece in pieces for triple in ox.parse(piece, ox.RdfFormat.N_TRIPLES, lenient=True))
    ox.serialize(triples, out, ox.RdfFormat.TURTLE, prefixes=prefixes)  # type: ignore[arg-type]  # as above


Send = Callable[[IO[bytes], Graph], int]


def _sent(send: Send, graphs: Sequence[Graph]) -> Iterator[tuple[Graph, Iterator[bytes]]]:
    """Each graph with what processes aside send of it, one process after the other."""
    done = 0
    while done < len(graphs):
        sent = forked(partial(_send_some, send=send, graphs=graphs[done:]))
        for _, first in sent:
            yield graphs[done], _until_end(first, sent)
            done += 1


def _until_end(first: bytes, rest: Iterator[tuple[int, bytes]]) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        _, piece = next(rest)


def _send_some(out: IO[bytes], send: Send, graphs: Sequence[Graph]) -> None:
    """Sends graphs, each followed by an empty piece, until it has sent much."""
    sent = 0
    for graph in graphs:
        sent += send(out, graph)
        if sent > BATCH_BYTES:
            return


class _Quads(Channel):
    """Makes N-Quads of N-Triples: in these no literal holds a line's end."""

    end_of_line = b""
    _rest = b""

    def _frame(self, data: bytes) -> None:
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        super()._frame((whole + end).replace(b" .\n", self.end_of_line) if self.end_of_line else whole + end)


class _Triples(Channel):
    """Takes the prefixes from the head of Turtle, which stand there in no order; a file has them once, in order."""

    _is_body = False

    def _frame(self, data: bytes) -> None:
        if not self._is_body:
            self._is_body = True
            head = _PREFIX_LINES.match(data)
            assert head is not None  # it may be empty, but is there
            data = data[head.end() :]
        super()._frame(data)
