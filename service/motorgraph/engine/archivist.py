"""The archivist: a process forked from the keeper that writes the files of a release.

It reads no quad itself. Processes forked from it walk through the graphs and send what they serialise; each has read some tens of
megabytes when it leaves the rest to the next, so none owns a copy of more than that, or of the one graph that is larger.
One serialisation feeds all files that say the same: N-Triples of a graph the N-Quads of the whole, its Turtle also the TriG.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from socket import socket
from typing import IO, Any

import pyoxigraph as ox

from motorgraph.engine import wire
from motorgraph.engine.aside import Channel, Died, forked
from motorgraph.engine.past import Goal, rebuilt
from motorgraph.engine.product import Product
from motorgraph.engine.reader import Outlet, refused
from motorgraph.engine.testimony import Testimony
from motorgraph.errors import Failed, InsufficientStorage, is_disk_full
from motorgraph.journal import Journal
from motorgraph.media import NQUADS, TRIG, TURTLE, Format
from motorgraph.release import CANONICAL, CANONICAL_INDEX, GRAPHS, INDEX, PART, DumpFile, Order, Release
from motorgraph.vocab import Names

NQUADS_1_2 = replace(NQUADS, media_type=f"{NQUADS.media_type}; version=1.2")
BATCH_BYTES = 64 << 20
DEFAULT = "default"
_PLAIN_NAME = re.compile(r"(?!default$)[A-Za-z0-9_~-][A-Za-z0-9_~.%-]{0,99}(?:/[A-Za-z0-9_~-][A-Za-z0-9_~%-]{0,99}){0,3}")
_PREFIX_LINES = re.compile(rb"(?:@prefix [^\n]*\n)*")
_QUADS, _TRIPLES = 0, 1
_CLAIMS, _NANOPUBS = 0, 1
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


def run(sock: socket, store: ox.Store, journal: Journal | None, goal: Goal, began: str) -> None:
    """Does what comes over `sock`: a `release` of the goal's commit, or the `canonical` form of one that there is.

    Without a journal, or before its first commit, that is of when the service `began`.
    """
    gc.disable()
    time = journal.commit(goal.commit).time if journal is not None and goal.commit else began
    back = rebuilt(sock, store, journal, goal)
    if back is None:
        return
    for _, payload in wire.received(sock):
        job, _ = wire.decode_job(payload)
        outlet = Outlet(sock, job, goal.commit)
        with refused(outlet, "The dump"):
            told = json.loads(job.text)
            order = Order(**told | {"apart": tuple(told["apart"])})
            os.nice(order.niceness)
            with _written_in(Path(order.folder)):
                made = _TASKS[job.task](order, back, job.commit or goal.commit, time)
            outlet.begin("json", "application/json")
            outlet.write(json.dumps(made).encode())
            outlet.finish()


@contextmanager
def _written_in(folder: Path) -> Iterator[None]:
    """Says what stands in the way of writing. Raises InsufficientStorage or Failed."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise InsufficientStorage(
                f"There is no room on the disk of {folder} for the dump, and nothing of it is kept. Make room there, or keep "
                "fewer (setting dumps_kept)."
            ) from error
        raise Failed(f"The dump cannot be written: {error.filename or folder}: {error.strerror or error}.") from error
    except Died as died:
        raise Failed(f"The dump could not be made: {died}. Ask again.") from died


def make_release(order: Order, store: ox.Store, commit: int, time: str) -> dict[str, object]:
    """Writes the release of a commit, or finds it whole; its index. Nothing half made stays. Raises OSError, Died."""
    final = order.of(commit)
    if not (final / INDEX).is_file():
        with _half_made(final) as folder, ExitStack() as opened:
            release = Release(commit, time, tuple(_written(order, store, folder, time, opened)))
            (folder / INDEX).write_text(json.dumps(release.as_json()))
            _put(folder, final)
    return _read(final / INDEX)


@contextmanager
def _half_made(final: Path) -> Iterator[Path]:
    """A folder to write in, which does not outlive what goes wrong."""
    folder = final.with_name(f"{final.name}.{os.getpid()}{PART}")
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(folder: Path, final: Path) -> None:
    """Gives a whole release its name, unless another service on the same data folder has made the same meanwhile."""
    try:
        folder.rename(final)
    except OSError:
        if not (final / INDEX).is_file():
            raise


def _written(order: Order, store: ox.Store, folder: Path, time: str, opened: ExitStack) -> Iterator[DumpFile]:
    """The files, each of which is whole when it comes."""
    names = Names(order.base)
    header = "".join(f"@prefix {short}: <{long}> .\n" for short, long in sorted(names.prefixes().items())).encode()

    def product(name: str, form: Format, graph: str = "", *codings: str) -> Product:
        made = Product(folder, name, form, graph, codings or ("gzip", "zstd"))
        opened.callback(made.close)
        return made

    quads, trig = product("motorgraph.nq", NQUADS), product("motorgraph.trig", TRIG)
    trig.write(header)
    alone: list[DumpFile] = []
    for graph, pieces in serialised(store, graphs_of(store, order), names.prefixes()):
        own, is_apart = product(graph.file, TURTLE, graph.iri, "gzip"), graph.iri in order.apart
        own.write(header)
        begin, end = (f"{graph.term} {{\n".encode(), b"}\n") if graph.iri else (b"", b"")
        trig.write(b"" if is_apart else begin)
        for channel, data in pieces:
            for target in (own, trig) if channel == _TRIPLES else (quads,):
                if target is own or not is_apart:
                    target.write(data)
        trig.write(b"" if is_apart else end)
        alone += own.files(plain=False)
    yield from quads.files()
    yield from trig.files()
    yield from alone
    yield from _testimony(Testimony(store, names, time), product)


def _testimony(testimony: Testimony, product: Callable[..., Product]) -> Iterator[DumpFile]:
    """The claims in two other forms, where there are any."""
    if not testimony.is_there:
        return
    made = {
        _CLAIMS: product("claims.nq", NQUADS_1_2, "", "gzip"),
        _NANOPUBS: product("nanopubs.trig", TRIG, "", "gzip"),
    }

    def send(out: IO[bytes]) -> None:
        for number, write in ((_CLAIMS, testimony.reified), (_NANOPUBS, testimony.nanopublications)):
            channel = Channel(out, number)
            write(channel)  # type: ignore[arg-type]  # a Channel is an IO[bytes] in what is used
            channel.send()

    for number, data in forked(send):
        made[number].write(data)
    for written in made.values():
        yield from written.files()


def graphs_of(store: ox.Store, order: Order) -> list[Graph]:
    """The graphs to write, the default graph first if it is to be there and has anything."""
    named = sorted((Graph.of(name, order.base) for name in store.named_graphs()), key=lambda graph: graph.iri)
    default = ox.DefaultGraph()
    has_default = not order.union and next(store.quads_for_pattern(None, None, None, default), None) is not None
    return [Graph.of(default, order.base), *named] if has_default else named


def serialised(
    store: ox.Store, graphs: Sequence[Graph], prefixes: dict[str, str]
) -> Iterator[tuple[Graph, Iterator[tuple[int, bytes]]]]:
    """Each graph with the pieces of its N-Quads and its Turtle; the pieces have to be taken before the next graph."""
    done = 0
    while done < len(graphs):
        sent = forked(partial(_send, store=store, graphs=graphs[done:], prefixes=prefixes))
        for first in sent:
            yield graphs[done], _until_end(first, sent)
            done += 1


def _until_end(first: tuple[int, bytes], rest: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    piece = first
    while piece[1]:
        yield piece
        piece = next(rest)


def _send(out: IO[bytes], store: ox.Store, graphs: Sequence[Graph], prefixes: dict[str, str]) -> None:
    """Sends graphs, each followed by an empty piece, until it has sent much."""
    sent = 0
    for graph in graphs:
        quads, triples = _Quads(out, _QUADS), _Triples(out, _TRIPLES)
        quads.end_of_line = f" {graph.term} .\n".encode() if graph.iri else b""
        store.dump(quads, ox.RdfFormat.N_TRIPLES, from_graph=graph.term)  # type: ignore[arg-type]  # an IO[bytes] in what is used
        quads.send()
        store.dump(triples, ox.RdfFormat.TURTLE, from_graph=graph.term, prefixes=prefixes)  # type: ignore[arg-type]  # as above
        triples.end()
        sent += quads.sent + triples.sent
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


def make_canonical(order: Order, _: ox.Store, commit: int, __: str) -> dict[str, object]:
    """Writes the canonical form of a release beside it, or finds it; its index. Raises as `canonical` does."""
    from motorgraph.canonical import Bounds, canonical  # only here: nobody else in the engine needs it

    final = order.of(commit)
    index = final / CANONICAL_INDEX
    if index.is_file():
        return _read(index)
    with _half_made(final.with_name(f"{final.name}.canonical")) as folder, ExitStack() as opened:
        made = Product(folder, CANONICAL, NQUADS, "", ("gzip",))
        opened.callback(made.close)
        for piece in canonical(final / "motorgraph.nq.zst", NQUADS, Bounds(order.seconds, order.memory), folder):
            made.write(piece)
        release = Release(commit, "", tuple(made.files()))
        for file in release.files:
            if file.encoding:
                (folder / file.name).rename(final / file.name)
        (folder / CANONICAL_INDEX).write_text(json.dumps(release.as_json()))
        (folder / CANONICAL_INDEX).rename(index)
    return _read(index)


def _read(index: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads(index.read_text())
    return told


_TASKS: dict[str, Callable[[Order, Any, int, str], dict[str, object]]] = {  # Any: the store, which not every task needs
    "release": make_release,
    "canonical": make_canonical,
}
