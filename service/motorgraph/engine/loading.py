"""Reads trusted files into a store, and keeps the merge of its graphs."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pyoxigraph as ox

from motorgraph.packing import UNPACKABLE, opened

PROGRESS_SECONDS = 0.2
UNREADABLE = (*UNPACKABLE, SyntaxError, ValueError)
"""What reading a file can meet."""
_GATHER = "INSERT { ?s ?p ?o } WHERE { GRAPH ?g { ?s ?p ?o } }"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class File:
    """A file to load: where triples without a graph go, the base IRI, and a base to replace (`from`, `to`)."""

    path: str
    media_type: str
    graph: str | None = None
    iri: str | None = None
    base: tuple[str, str] | None = None


def rdf_format(media_type: str) -> ox.RdfFormat:
    """The engine's format of a media type. Raises ValueError for one that it does not have."""
    form = ox.RdfFormat.from_media_type(media_type)
    if form is None:
        raise ValueError(f"The engine has no RDF format {media_type}.")
    return form


def hash_files(whole: hashlib._Hash, files: Iterable[File]) -> None:
    """Adds to a hash what the files say, and where that goes."""
    for file in files:
        whole.update(repr((file.media_type, file.graph, file.iri, file.base)).encode())
        with Path(file.path).open("rb") as source:
            whole.update(hashlib.file_digest(source, "sha256").digest())


def load_file(store: ox.Store, file: File, progress: Progress = lambda path, done, total: None) -> None:
    """Adds what a file says to the store. Raises OSError, or SyntaxError with the line."""
    form = rdf_format(file.media_type)
    graph = ox.NamedNode(file.graph) if file.graph and not form.supports_datasets else None
    with opened(Path(file.path)) as source:
        if file.base:
            old, new = (iri.encode() for iri in file.base)
            source = io.BytesIO(source.read().replace(old, new))
        else:
            source = _Watched(source, file.path, progress)  # type: ignore[assignment]  # read() is all that is used
        if file.graph and form.supports_datasets:
            store.bulk_extend(
                _in_graph(quad, file.graph) for quad in ox.parse(source, form, base_iri=file.iri, rename_blank_nodes=True)
            )
        else:
            store.bulk_load(source, form, base_iri=file.iri, to_graph=graph)


def _in_graph(quad: ox.Quad, graph: str) -> ox.Quad:
    """The quad, in the given graph if it is in none."""
    if not isinstance(quad.graph_name, ox.DefaultGraph):
        return quad
    return ox.Quad(quad.subject, quad.predicate, quad.object, ox.NamedNode(graph))


def newest(files: Iterable[File]) -> str:
    """When the newest of the files was written (ISO 8601), as the time of a start that is the only commit; "" for none."""
    times = [path.stat().st_mtime for path in (Path(file.path) for file in files) if path.exists()]
    return datetime.fromtimestamp(max(times), UTC).isoformat(timespec="microseconds") if times else ""


def merge(store: ox.Store) -> None:
    """Makes the default graph the merge of the named ones: the engine's own union would show a triple of two graphs twice."""
    store.update(f"CLEAR DEFAULT ; {_GATHER}")


def gather(store: ox.Store) -> None:
    """Adds to the default graph what the named ones say, for a store that is only to be judged."""
    store.update(_GATHER)


def follow(store: ox.Store, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> None:
    """Keeps the default graph the merge of the named ones after these quads have gone and come."""
    for quad in removed:
        if next(iter(_elsewhere(store, quad)), None) is None:
            store.remove(ox.Quad(quad.subject, quad.predicate, quad.object))
    store.extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in added)


def _elsewhere(store: ox.Store, quad: ox.Quad) -> Iterator[ox.Quad]:
    """The quads of named graphs that say the same triple."""
    for found in store.quads_for_pattern(quad.subject, quad.predicate, quad.object, None):
        if not isinstance(found.graph_name, ox.DefaultGraph):
            yield found


class _Watched:
    """A file that tells how much of it has been read."""

    def __init__(self, source: IO[bytes], path: str, progress: Progress) -> None:
        self._source = source
        self._path = path
        self._progress = progress
        self._next = time.monotonic() + PROGRESS_SECONDS
        self._total = Path(path).stat().st_size
        self._position = getattr(source, "fileobj", source).tell

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the file."""
        data = self._source.read(size)
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_SECONDS
            self._progress(self._path, self._position(), self._total)
        return data
