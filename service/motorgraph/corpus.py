"""The files that a service starts from: what ships with the package, and what `--load` names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from motorgraph import __version__
from motorgraph.engine.loading import File
from motorgraph.errors import BadRequest
from motorgraph.media import READABLE, TURTLE, by_suffix
from motorgraph.resources import asset
from motorgraph.vocab import CANONICAL_BASE, Names


def shipped(names: Names) -> list[File]:
    """Ontology, schemes, shapes and data of this package, each for its graph."""
    ontology = asset("ontology")
    return [
        *_turtle(sorted(ontology.glob("*.ttl")), names, "ontology"),
        *_turtle(sorted(ontology.glob("schemes/*.ttl")), names, "reference"),
        *_turtle(sorted(asset("shapes").glob("*.ttl")), names, "shapes"),
        *(_file(path, names, None) for path in sorted(asset("data").glob("*.trig"))),
    ]


def given(paths: Iterable[Path], names: Names, *, plain: bool) -> list[File]:
    """The operator's files. Triples without a graph go to the default graph of a plain store, else to a source's own graph.

    Raises BadRequest for a file that is not there or whose name does not tell its format.
    """
    files = []
    for path in paths:
        form = by_suffix(path.name)
        if not path.is_file():
            raise BadRequest(f"There is no file {path}.")
        if form is None:
            raise BadRequest(f"The name of {path} does not tell its format; it may end in {_suffixes()}, each with .gz too.")
        graph = None if plain else names.graph("source/" + quote(path.name.partition(".")[0], safe="-_~"))
        files.append(File(str(path.resolve()), form.media_type, graph, path.resolve().as_uri()))
    return files


def _suffixes() -> str:
    return ", ".join(f".{form.suffix}" for form in READABLE)


def _turtle(paths: Sequence[Path], names: Names, graph: str) -> list[File]:
    return [_file(path, names, graph) for path in paths]


def _file(path: Path, names: Names, graph: str | None) -> File:
    form = by_suffix(path.name) or TURTLE
    moved = None if names.base == CANONICAL_BASE else (CANONICAL_BASE, names.base)
    return File(str(path), form.media_type, names.graph(graph) if graph else None, None, moved)


def digest(files: Iterable[File]) -> str:
    """A hash of what the files say and where it goes: the same data and shapes have the same."""
    whole = hashlib.sha256(__version__.encode())
    for file in files:
        whole.update(repr((file.media_type, file.graph, file.iri, file.base)).encode())
        with Path(file.path).open("rb") as source:
            whole.update(hashlib.file_digest(source, "sha256").digest())
    return whole.hexdigest()
