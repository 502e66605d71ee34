"""The files that a service starts from: what ships with the package, and what `--load` names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from motorgraph import __version__
from motorgraph.engine.loading import File
from motorgraph.errors import BadRequest, BadSyntax, Failed, NotFound, Refusal
from motorgraph.inference import Rule
from motorgraph.media import READABLE, TURTLE, Format, by_suffix
from motorgraph.packing import unpacked_name
from motorgraph.resources import asset
from motorgraph.settings import Settings
from motorgraph.vocab import CANONICAL_BASE, Names


def starting(settings: Settings, names: Names) -> list[File]:
    """All files that a service starts from: what is shipped and the alignments asked for, unless it is plain, and the operator's.

    Raises what `given` does, and BadRequest for an alignment that there is not.
    """
    own = [] if settings.plain else shipped(names) + aligned(settings.align, names)
    return own + given(settings.load, names, plain=settings.plain)


def aligned(asked: Iterable[str], names: Names) -> list[File]:
    """Alignments with other vocabularies, for the ontology's graph, so that what follows from them is inferred too."""
    there = {path.stem: path for path in sorted((asset("ontology") / "alignments").glob("*.ttl"))}
    for name in asked:
        if name not in there:
            raise BadRequest(f"There is no alignment {name!r}; there are {', '.join(there)}.")
    return _turtle([there[name] for name in dict.fromkeys(asked)], names, "ontology")


def shipped(names: Names) -> list[File]:
    """Ontology, schemes, shapes and data of this package, each for its graph."""
    return [
        *by_hand(asset("data"), names),
        *_turtle(sorted(asset("shapes").glob("*.ttl")), names, "shapes"),
        *(_file(path, names, None) for path in sorted(asset("data").glob("built/*.trig"))),
    ]


def by_hand(data: Path, names: Names) -> list[File]:
    """The ontology, the schemes, and the files of a data folder that no mapping makes."""
    ontology = asset("ontology")
    return [
        *_turtle(sorted(ontology.glob("*.ttl")), names, "ontology"),
        *_turtle(sorted(ontology.glob("schemes/*.ttl")), names, "reference"),
        *(_file(path, names, None) for path in sorted(data.glob("*.trig"))),
    ]


def given(paths: Iterable[Path], names: Names, *, plain: bool) -> list[File]:
    """The operator's files. Triples without a graph go to the default graph of a plain store, else to a source's own graph.

    Raises NotFound for a file that is not there, BadRequest for one whose name does not tell its format.
    """
    files = []
    for path in paths:
        require_file(path)
        graph = None if plain else names.graph("source/" + _source(path))
        files.append(File(str(path.resolve()), format_of(path).media_type, graph, path.resolve().as_uri()))
    return files


def require_file(path: Path) -> None:
    """Raises NotFound if there is no such file, BadRequest if it is a folder."""
    if path.is_dir():
        raise BadRequest(f"{path} is a folder; name the files.")
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")


def format_of(path: Path) -> Format:
    """The format that the file's name tells. Raises BadRequest if it tells none."""
    form = by_suffix(path.name)
    if form is None:
        suffixes = ", ".join(f".{form.suffix}" for form in READABLE)
        raise BadRequest(f"The name of {path} does not tell its format; it may end in {suffixes}, each with .gz or .zst too.")
    return form


def unreadable(path: str, error: Exception) -> Refusal:
    """What to say of a file that could not be read: where it does not parse, or what else stood in the way."""
    if isinstance(error, SyntaxError):
        where = f", line {error.lineno}" if error.lineno else ""
        return BadSyntax(f"{path}{where}: {error.msg}.", line=error.lineno, column=error.offset)
    return Failed(f"{path}: {(isinstance(error, OSError) and error.strerror) or error}.")


def _source(path: Path) -> str:
    """The name of a file's own graph: the file's without the suffixes of format and packing."""
    return quote(Path(unpacked_name(path.name)).stem, safe="-_~")


def _turtle(paths: Sequence[Path], names: Names, graph: str) -> list[File]:
    return [_file(path, names, graph) for path in paths]


def _file(path: Path, names: Names, graph: str | None) -> File:
    form = by_suffix(path.name) or TURTLE
    moved = None if names.base == CANONICAL_BASE else (CANONICAL_BASE, names.base)
    return File(str(path), form.media_type, names.graph(graph) if graph else None, None, moved)


def digest(files: str, rules: Iterable[Rule]) -> str:
    """A hash of what is judged at a start, from that of the files, and of the rules: the same data and shapes have the same."""
    whole = hashlib.sha256(__version__.encode())
    for rule in rules:
        whole.update(repr(rule).encode())
    whole.update(files.encode())
    return whole.hexdigest()
