"""The commands that ask without serving: a query or a dump, of an endpoint or of the files that a service would start from."""

from __future__ import annotations

import gzip
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

import pyoxigraph as ox

from motorgraph import __version__, corpus
from motorgraph.engine import loading
from motorgraph.engine.reader import bad_query, evaluate
from motorgraph.engine.wire import Job
from motorgraph.errors import BadEvaluation, BadRequest, Failed, NotFound
from motorgraph.media import CSV, GRAPHS, NQUADS, SOLUTIONS, TURTLE, Format
from motorgraph.resources import asset
from motorgraph.settings import Settings
from motorgraph.vocab import Names

COPY_BYTES = 1 << 16
_SHORT = {"json": "srj", "xml": "srx"}


@dataclass(frozen=True, slots=True)
class Formats:
    """What to write tables and graphs in."""

    solutions: Format
    graphs: Format


def read_text(text: str) -> str:
    """The query itself, from standard input for `-`, from a file for `@FILE`. Raises BadRequest."""
    if text == "-":
        return sys.stdin.read()
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_text()
        except OSError as error:
            raise BadRequest(f"The query cannot be read: {error}.") from error
    return text


def formats(name: str) -> Formats:
    """The formats for a suffix. Raises BadRequest for an unknown one."""
    if not name:
        return Formats(CSV, TURTLE)
    suffix = _SHORT.get(name, name)
    found = next((f for f in (*SOLUTIONS, *GRAPHS) if f.suffix == suffix), None)
    if found is None:
        raise BadRequest(f"There is no format {name!r}; there are {', '.join(f.suffix for f in (*SOLUTIONS, *GRAPHS))}.")
    return Formats(found if found in SOLUTIONS else CSV, found if found in GRAPHS else TURTLE)


def ask_endpoint(url: str, text: str, form: Formats, out: IO[bytes]) -> None:
    """Sends the query by POST and copies the answer as it comes. Raises Failed with what the endpoint said."""
    accept = f"{form.solutions.media_type}, {form.graphs.media_type}"
    _copy(urllib.request.Request(url, urlencode({"query": text}).encode(), {"Accept": accept}), out)  # noqa: S310  # the user's own URL


def dump_endpoint(url: str, graph: str | None, suffix: str, out: IO[bytes]) -> None:
    """Copies a graph, or all of them, from a graph store."""
    target = f"{url}?{urlencode({'graph': graph})}" if graph else url
    _copy(urllib.request.Request(target, headers={"Accept": _dump_format(graph, suffix).media_type}), out)  # noqa: S310  # as above


def _copy(request: urllib.request.Request, out: IO[bytes]) -> None:
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # as above
            while piece := answer.read(COPY_BYTES):
                out.write(piece)
            out.flush()
    except urllib.error.HTTPError as error:
        raise Failed(f"{request.full_url} answered {error.code}: {error.read(4096).decode(errors='replace')}") from error
    except (urllib.error.URLError, ValueError) as error:
        raise Failed(f"{request.full_url} cannot be asked: {error}.") from error


def ask_files(settings: Settings, text: str, form: Formats, out: IO[bytes]) -> None:
    """Loads what a service would start from and evaluates the query in this process. Raises BadSyntax or BadEvaluation."""
    job, store = Job("query", text, hosts=settings.service_hosts), _store(settings)
    try:
        results = evaluate(job, store)
        if isinstance(results, ox.QueryTriples):
            results.serialize(out, ox.RdfFormat.from_media_type(form.graphs.media_type))
        else:
            results.serialize(out, ox.QueryResultsFormat.from_media_type(form.solutions.media_type))
        out.flush()
    except SyntaxError as error:
        raise bad_query(text, lambda padded: evaluate(replace(job, text=padded), store), error) from error
    except RuntimeError as error:
        raise BadEvaluation(f"{error}.") from error


def dump_files(settings: Settings, graph: str | None, suffix: str, out: IO[bytes]) -> None:
    """Writes a graph, or all of them, of what a service would start from. Raises NotFound if the graph is not there."""
    store = _store(settings, is_union=False)
    form = ox.RdfFormat.from_media_type(_dump_format(graph, suffix).media_type)
    name = ox.NamedNode(graph) if graph else None
    if name is not None and not store.contains_named_graph(name):
        there = ", ".join(sorted(g.value for g in store.named_graphs()))
        raise NotFound(f"There is no graph <{graph}>; there are {there}.")
    store.dump(out, form, from_graph=name)
    out.flush()


def _dump_format(graph: str | None, suffix: str) -> Format:
    if not suffix:
        return TURTLE if graph else NQUADS
    found = next((f for f in GRAPHS if f.suffix == suffix and (graph or f.datasets)), None)
    if found is None:
        raise BadRequest(
            f"{suffix!r} is no format for {'a graph' if graph else 'several graphs (take nq or trig, or name one with --graph)'}."
        )
    return found


@contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes]]:
    """The file to write to: standard output without a path, gzip for `.gz`; written whole or not at all."""
    if path is None:
        yield sys.stdout.buffer
        return
    partial = path.with_name(path.name + ".part")
    try:
        with gzip.open(partial, "wb") if path.suffix == ".gz" else partial.open("wb") as out:
            yield out  # type: ignore[misc]  # GzipFile is an IO[bytes] in what is used
        partial.replace(path)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def show_info(settings: Settings) -> None:
    """Prints the version, the places, the settings and the graphs with their triples."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    places = Table(title=f"motorgraph {__version__}", show_header=False)
    places.add_row("ontology", str(asset("ontology")))
    places.add_row("shapes", str(asset("shapes")))
    places.add_row("data", str(asset("data")))
    for name, value in settings.model_dump().items():
        places.add_row(name.replace("_", "-"), ":".join(map(str, value)) if isinstance(value, tuple) else str(value))
    graphs = Table("graph", "triples", title="graphs")
    for name, count in _counts(settings):
        graphs.add_row(name, f"{count:,}")
    console.print(places, graphs)


def _counts(settings: Settings) -> list[tuple[str, int]]:
    rows = _store(settings, is_union=False).query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g")
    return [(row["g"].value, int(row["n"].value)) for row in rows]  # type: ignore[union-attr]  # a SELECT gives rows


def _store(settings: Settings, *, is_union: bool | None = None) -> ox.Store:
    """A store of what a service with these settings would start from."""
    names = Names(settings.base)
    store = ox.Store()
    for file in ([] if settings.plain else corpus.shipped(names)) + corpus.given(settings.load, names, plain=settings.plain):
        try:
            loading.load_file(store, file)
        except (OSError, EOFError, zlib.error, SyntaxError, ValueError) as error:
            where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            raise Failed(f"{file.path}{where}: {error}") from error
    if settings.is_union if is_union is None else is_union:
        loading.merge(store)
    return store
