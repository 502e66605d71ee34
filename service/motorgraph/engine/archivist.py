"""The archivist: a process forked from the keeper that writes the files of a release.

It reads no quad itself: processes forked from it send it the transcript, and it packs what has come before, so that both cores
work. The N-Quads come first and can be had from then on; a graph's Turtle feeds its own file and the TriG.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import IO

import pyoxigraph as ox

from motorgraph.engine import wire
from motorgraph.engine.aside import Channel, Died, forked
from motorgraph.engine.past import Goal, rebuilt
from motorgraph.engine.product import Product
from motorgraph.engine.reader import Outlet, refused
from motorgraph.engine.remote import remote
from motorgraph.engine.testimony import Testimony
from motorgraph.engine.transcript import Origin, Transcript
from motorgraph.errors import Failed, InsufficientStorage, Unavailable, is_disk_full
from motorgraph.journal import Journal
from motorgraph.media import NQUADS, TRIG, TURTLE, Format
from motorgraph.release import CANONICAL, CANONICAL_INDEX, INDEX, PART, QUADS, DumpFile, Order, Release
from motorgraph.vocab import Names

NQUADS_1_2 = replace(NQUADS, media_type=f"{NQUADS.media_type}; version=1.2")
_CLAIMS, _NANOPUBS = 0, 1
Tell = Callable[[dict[str, object]], None]


def run(sock: socket, store: ox.Store, journal: Journal | None, goal: Goal, began: str) -> None:
    """Does what comes over `sock`: a `release` of the goal's commit, or the `canonical` form of one that there is.

    Without a journal, or before its first commit, that is of when the service `began`.
    """
    gc.disable()
    time = journal.commit(goal.commit).time if journal is not None and goal.commit else began
    is_there = remote(store) is not None and goal.commit == goal.newest
    back = store if is_there else rebuilt(sock, store, journal, goal)
    if back is None:
        return
    for _, payload in wire.received(sock):
        job, _ = wire.decode_job(payload)
        outlet = Outlet(sock, job, goal.commit)
        with refused(outlet, "The dump"):
            told = json.loads(job.text)
            order = Order(**told | {"apart": tuple(told["apart"])})
            os.nice(order.niceness)
            outlet.begin("json", "application/json")
            with _written_in(Path(order.folder)):
                origin = Origin(back, job.commit or goal.commit, _derived(goal), journal.folder if journal is not None else None)
                _TASKS[job.task](order, origin, time, lambda made, to=outlet: _tell(to, made))  # type: ignore[misc]  # mypy has no type for it
            outlet.finish()


def _derived(goal: Goal) -> frozenset[str]:
    """The graphs that are made from the rest."""
    made = {rule.graph for rule in goal.known.rules}
    return frozenset(made | {goal.catalogue.graph.value} if goal.catalogue is not None else made)


def _tell(outlet: Outlet, made: dict[str, object]) -> None:
    """Sends an index at once, as a line."""
    outlet.write(json.dumps(made).encode() + b"\n")
    outlet.send()


@contextmanager
def _written_in(folder: Path) -> Iterator[None]:
    """Says what stands in the way of writing. Raises InsufficientStorage, Failed or Unavailable."""
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
        raise Unavailable(f"The dump could not be made: {died}. Ask again.") from died


def make_release(order: Order, origin: Origin, time: str, tell: Tell) -> None:
    """Writes the release of a commit, or finds it whole, and tells its index; before that, of what can be had already.

    Nothing half made stays. Raises OSError, Died, and Unavailable where the graph is elsewhere and has gone on meanwhile.
    """
    final = order.of(origin.commit)
    if not (final / INDEX).is_file():
        with _half_made(final) as folder, ExitStack() as opened:
            made = _Making(order, origin, folder, time, opened)
            quads = made.quads()
            if _lent(quads, folder, order.early(origin.commit)):
                tell(Release(origin.commit, time, tuple(quads)).as_json())
            release = Release(origin.commit, time, (*quads, *made.rest()))
            (folder / INDEX).write_text(json.dumps(release.as_json()))
            if (there := remote(origin.store)) is not None:
                there.require_still()
            _put(folder, final)
    tell(_read(final / INDEX))


def _lent(files: Sequence[DumpFile], folder: Path, early: Path) -> bool:
    """Whether the packed files can be had by another name, which the front takes away when the release is whole."""
    with suppress(OSError):  # not every file system can give a file two names
        early.mkdir()
        for file in files:
            if file.encoding:
                (early / file.name).hardlink_to(folder / file.name)
        return True
    return False


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


class _Making:
    """A release that is being made in a folder: first the N-Quads, then all else."""

    def __init__(self, order: Order, origin: Origin, folder: Path, time: str, opened: ExitStack) -> None:
        self._names = Names(order.base)
        self._transcript = Transcript(origin, order, self._names.prefixes(), folder)
        self._testimony = Testimony(origin.store, self._names, time)
        self._apart = order.apart
        self._folder, self._opened = folder, opened
        opened.callback(self._transcript.close)

    def quads(self) -> list[DumpFile]:
        """The N-Quads of the whole."""
        made = self._product(QUADS, NQUADS)
        for piece in self._transcript.quads():
            made.write(piece)
        return made.files()

    def rest(self) -> Iterator[DumpFile]:
        """The other files, each of which is whole when it comes."""
        header = "".join(f"@prefix {short}: <{long}> .\n" for short, long in sorted(self._names.prefixes().items())).encode()
        trig = self._product("motorgraph.trig", TRIG)
        trig.write(header)
        alone: list[DumpFile] = []
        for graph, pieces in self._transcript.turtle():
            own, is_apart = self._product(graph.file, TURTLE, graph.iri, "gzip"), graph.iri in self._apart
            own.write(header)
            begin, end = (f"{graph.term} {{\n".encode(), b"}\n") if graph.iri else (b"", b"")
            trig.write(b"" if is_apart else begin)
            for data in pieces:
                own.write(data)
                trig.write(b"" if is_apart else data)
            trig.write(b"" if is_apart else end)
            alone += own.files(plain=False)
        self._transcript.close()
        yield from trig.files()
        yield from alone
        yield from self._claims()

    def _claims(self) -> Iterator[DumpFile]:
        """The claims in two other forms, where there are any."""
        if not self._testimony.is_there:
            return
        made = {
            _CLAIMS: self._product("claims.nq", NQUADS_1_2, "", "gzip"),
            _NANOPUBS: self._product("nanopubs.trig", TRIG, "", "gzip"),
        }
        for number, data in forked(self._send_claims):
            made[number].write(data)
        for written in made.values():
            yield from written.files()

    def _send_claims(self, out: IO[bytes]) -> None:
        for number, write in ((_CLAIMS, self._testimony.reified), (_NANOPUBS, self._testimony.nanopublications)):
            channel = Channel(out, number)
            write(channel)  # type: ignore[arg-type]  # a Channel is an IO[bytes] in what is used
            channel.send()

    def _product(self, name: str, form: Format, graph: str = "", *codings: str) -> Product:
        made = Product(self._folder, name, form, graph, codings or ("gzip", "zstd"))
        self._opened.callback(made.close)
        return made


def make_canonical(order: Order, origin: Origin, _: str, tell: Tell) -> None:
    """Writes the canonical form of a release beside it, or finds it, and tells its index. Raises as `canonical` does."""
    from motorgraph.canonical import Bounds, canonical  # only here: nobody else in the engine needs it

    final = order.of(origin.commit)
    index = final / CANONICAL_INDEX
    if not index.is_file():
        with _half_made(final.with_name(f"{final.name}.canonical")) as folder, ExitStack() as opened:
            made = Product(folder, CANONICAL, NQUADS, "", ("gzip",))
            opened.callback(made.close)
            for piece in canonical(final / f"{QUADS}.zst", NQUADS, Bounds(order.seconds, order.memory), folder):
                made.write(piece)
            release = Release(origin.commit, "", tuple(made.files()))
            for file in release.files:
                if file.encoding:
                    (folder / file.name).rename(final / file.name)
            (folder / CANONICAL_INDEX).write_text(json.dumps(release.as_json()))
            (folder / CANONICAL_INDEX).rename(index)
    tell(_read(index))


def _read(index: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads(index.read_text())
    return told


_TASKS: dict[str, Callable[[Order, Origin, str, Tell], None]] = {"release": make_release, "canonical": make_canonical}
