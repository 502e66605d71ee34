"""The canonical form of a dataset (RDFC-1.0): the same lines for the same graphs, whatever their blank nodes are called."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import signal
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import pyoxigraph as ox

from motorgraph import corpus
from motorgraph.asking import downloaded
from motorgraph.asking import opened as writing
from motorgraph.engine.aside import Channel, Died, forked
from motorgraph.engine.loading import UNREADABLE, rdf_format
from motorgraph.errors import InsufficientStorage, NoCanonicalForm, is_disk_full
from motorgraph.media import Format
from motorgraph.packing import opened

BLOCK_QUADS = 100_000
PIECE_LINES = 5_000
RUN_BYTES = 1 << 20
_NQUADS = ox.RdfFormat.N_QUADS


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may go into the naming of blank nodes, which can take for ever: seconds, and bytes of memory (0: no bound)."""

    seconds: float
    memory: int = 0


def canonical(path: Path, form: Format, bounds: Bounds, folder: Path | None = None) -> Iterator[bytes]:
    """The canonical N-Quads of a file in order of code points, in pieces of whole lines; `folder` is for what is held on the way.

    Only quads with blank nodes are held in memory; the others are sorted in blocks and merged. Raises NoCanonicalForm where the
    bounds do not suffice, InsufficientStorage, BadSyntax and Failed.
    """
    with TemporaryDirectory(dir=folder) as own, ExitStack() as stack:
        runs = _Runs(Path(own))
        try:
            with opened(path) as source:
                blank = list(runs.sort(ox.parse(source, rdf_format(form.media_type), base_iri=path.resolve().as_uri())))
            runs.add(_named(blank, bounds))
        except UNREADABLE as error:
            if is_disk_full(error):
                raise InsufficientStorage(f"There is no room on the disk of {own} for the quads to be sorted.") from error
            raise corpus.unreadable(str(path), error) from error
        sources = [stack.enter_context(run.open("rb", buffering=RUN_BYTES)) for run in runs.files]
        lines = (line for line, _ in itertools.groupby(heapq.merge(*sources)))
        while piece := b"".join(itertools.islice(lines, PIECE_LINES)):
            yield piece


class _Runs:
    """Files of sorted lines in a folder."""

    def __init__(self, folder: Path) -> None:
        self.files: list[Path] = []
        self._folder = folder

    def sort(self, quads: Iterable[ox.Quad]) -> Iterator[ox.Quad]:
        """Writes down the quads without blank nodes, and passes on the others."""
        held: list[ox.Quad] = []
        for quad in quads:
            if _has_blank(quad):
                yield quad
                continue
            held.append(quad)
            if len(held) == BLOCK_QUADS:
                self.add(_serialized(held))
                held.clear()
        self.add(_serialized(held))

    def add(self, lines: bytes) -> None:
        """Keeps lines, sorted."""
        path = self._folder / f"{len(self.files)}.nq"
        path.write_bytes(b"".join(sorted(lines.splitlines(keepends=True))))
        self.files.append(path)


def _serialized(quads: Iterable[ox.Quad]) -> bytes:
    made = ox.serialize(quads, format=_NQUADS)
    assert made is not None  # bytes, since no output was given
    return made


def _has_blank(quad: ox.Quad) -> bool:
    return any(map(_is_blank, (quad.subject, quad.object, quad.graph_name)))


def _is_blank(term: object) -> bool:
    if isinstance(term, ox.Triple):
        return any(map(_is_blank, (term.subject, term.object)))
    return isinstance(term, ox.BlankNode)


def _named(quads: Sequence[ox.Quad], bounds: Bounds) -> bytes:
    """The quads with canonical names for their blank nodes (RDFC-1.0 §4), which no quad without one has a part in.

    It is done in a process of its own, which the kernel ends at the bounds: the engine cannot be stopped otherwise.
    """
    if not quads:
        return b""

    def send(out: IO[bytes]) -> None:
        dataset = ox.Dataset(quads)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0_SHA_256)
        channel = Channel(out, 0)
        channel.write(_serialized(dataset))
        channel.send()

    try:
        return b"".join(data for _, data in forked(send, seconds=bounds.seconds, memory=bounds.memory))
    except Died as died:
        spent = f"more than {bounds.seconds:g} seconds" if died.signal == signal.SIGALRM else f"too much ({died})"
        raise NoCanonicalForm(
            f"To tell the blank nodes of these {len(quads):,} quads apart takes {spent}: too many of them look like others. "
            "Give them IRIs, or compare the graphs without them."
        ) from died


def digest(source: str, bounds: Bounds, token: str = "", output: Path | None = None) -> str:
    """The SHA-256 of the canonical N-Quads of a file or an address, in hex; the lines go to `output`.

    Raises what `canonical` does, NotFound or BadRequest for a file that is none, and Failed for an address that does not answer.
    """
    whole = hashlib.sha256()
    with ExitStack() as stack:
        if urllib.parse.urlsplit(source).scheme in ("http", "https"):
            path, form = stack.enter_context(downloaded(source, token))
        else:
            path = Path(source)
            corpus.require_file(path)
            form = corpus.format_of(path)
        out = stack.enter_context(writing(output)) if output is not None else None
        for piece in canonical(path, form, bounds):
            whole.update(piece)
            if out is not None:
                out.write(piece)
    return whole.hexdigest()
