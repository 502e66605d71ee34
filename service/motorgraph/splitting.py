"""A file as the documents that a graph store takes: as it stands, or one for each graph that a file of quads has."""

from __future__ import annotations

import gzip
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from motorgraph import corpus
from motorgraph.engine.loading import UNREADABLE, rdf_format
from motorgraph.errors import BadRequest
from motorgraph.media import NTRIPLES, Format
from motorgraph.packing import coding, opened

COPY_BYTES = 1 << 20
MOST_HELD = 50_000  # quads that are in memory at once
_NT = ox.RdfFormat.N_TRIPLES


@dataclass(frozen=True, slots=True)
class Document:
    """Triples for one graph ("" is the default graph), in a file; `name` is the file that they come from."""

    name: str
    graph: str
    path: Path
    media_type: str
    is_packed: bool

    def __str__(self) -> str:
        return f"{self.name} to {f'<{self.graph}>' if self.graph else 'the default graph'}"


def documents(path: Path, graph: str, folder: Path) -> Iterator[Document]:
    """What to send for a file. A file of triples goes as it is to `graph`; one of quads is taken apart in `folder`.

    Triples in no graph go to `graph` there too. Raises BadSyntax with the line, and BadRequest for a blank node in two graphs:
    they are sent one after the other, so it would become two.
    """
    form = corpus.format_of(path)
    if not form.datasets:
        yield _as_it_is(path, graph, folder, form)
        return
    parts = _Parts(path, graph, folder)
    try:
        with opened(path) as source:
            for quad in ox.parse(source, rdf_format(form.media_type), base_iri=graph or path.resolve().as_uri()):
                parts.add(quad)
        parts.flush()
    except UNREADABLE as error:
        raise corpus.unreadable(str(path), error) from error
    for name, part in sorted(parts.files.items()):
        yield Document(path.name, name, part, NTRIPLES.media_type, True)


def _as_it_is(path: Path, graph: str, folder: Path, form: Format) -> Document:
    """A file of triples; one packed otherwise than a service reads it is unpacked. Raises BadSyntax or Failed."""
    packed_as = coding(path.name)
    if packed_as in ("", "gzip"):
        return Document(path.name, graph, path, form.media_type, packed_as == "gzip")
    unpacked = folder / "unpacked"
    try:
        with opened(path) as source, unpacked.open("wb") as out:
            shutil.copyfileobj(source, out, COPY_BYTES)
    except UNREADABLE as error:
        raise corpus.unreadable(str(path), error) from error
    return Document(path.name, graph, unpacked, form.media_type, is_packed=False)


class _Parts:
    """The graphs of a file, each in a file of its own."""

    def __init__(self, path: Path, graph: str, folder: Path) -> None:
        self.files: dict[str, Path] = {}
        self._path = path
        self._graph = graph
        self._folder = folder
        self._held: defaultdict[str, list[ox.Triple]] = defaultdict(list)
        self._count = 0
        self._homes: dict[str, str] = {}

    def add(self, quad: ox.Quad) -> None:
        """Puts a quad where it belongs."""
        if isinstance(quad.graph_name, ox.BlankNode):
            raise BadRequest(f"{self._path} has a graph named by a blank node, {quad.graph_name}; give it an IRI.")
        graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else self._graph
        for term in (quad.subject, quad.object):
            if isinstance(term, ox.BlankNode) and self._homes.setdefault(term.value, graph) != graph:
                raise BadRequest(
                    f"{self._path}: the blank node {term} is in two graphs, which are sent one after the other, so it would "
                    "become two. Give it an IRI."
                )
        self._held[graph].append(quad.triple)
        self._count += 1
        if self._count >= MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Writes down what is in memory; a packed file may be written in several goes."""
        for graph, triples in self._held.items():
            path = self.files.setdefault(graph, self._folder / f"{len(self.files)}.nt.gz")
            with gzip.open(path, "ab", compresslevel=1) as out:
                ox.serialize(triples, out, _NT)  # type: ignore[arg-type]  # a GzipFile is an IO[bytes] in what is used
        self._held.clear()
        self._count = 0
