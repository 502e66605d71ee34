"""The commands that ask without serving: a query or a dump, of an endpoint or of the files that a service would start from."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.parse import urlencode, urlsplit

import pyoxigraph as ox

from motorgraph import __version__, corpus, packing
from motorgraph.bearer import bearers
from motorgraph.engine import loading
from motorgraph.engine.process import proportional_bytes
from motorgraph.engine.reader import evaluate
from motorgraph.engine.wire import Job
from motorgraph.errors import BadEvaluation, BadRequest, Failed, NotFound
from motorgraph.inference import renew, shipped_rules
from motorgraph.media import (
    CSV,
    GRAPHS,
    JSONLD,
    NQUADS,
    NTRIPLES,
    PROBLEM,
    RDFXML,
    SOLUTIONS,
    TRIG,
    TURTLE,
    Format,
    by_suffix,
    readable,
)
from motorgraph.protocol import absolute
from motorgraph.resources import asset
from motorgraph.settings import Settings
from motorgraph.syntax import bad_query
from motorgraph.tokens import tokens
from motorgraph.vocab import Names

COPY_BYTES = 1 << 16
WIDE_COLUMNS = 10_000
QUERY_FORMATS = "csv, tsv, json, xml; for graphs ttl, nt, nq, trig, jsonld, rdf"
_SHORT = {"json": "srj", "xml": "srx"}
_DATA = f"{NQUADS.media_type}, {NTRIPLES.media_type}, */*;q=0.5"
_OF_ALL_GRAPHS = (NQUADS, TRIG)
_OF_ONE_GRAPH = (TURTLE, NTRIPLES, JSONLD, RDFXML)


@dataclass(frozen=True, slots=True)
class Formats:
    """What to write tables and graphs in."""

    solutions: Format
    graphs: Format


def read_text(text: str) -> str:
    """The query itself, from standard input for `-`, from a file for `@FILE`. Raises BadRequest."""
    try:
        written = _bytes(text).decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The query is not UTF-8: {error.reason} at byte {error.start}.") from error
    if next(tokens(written), None) is None:
        raise BadRequest("The query is empty.")
    return written


def _bytes(text: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return os.fsencode(text)  # the bytes that the shell gave
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise BadRequest(f"The query cannot be read: {text[1:]}: {error.strerror}.") from error


def formats(name: str) -> Formats:
    """The formats for a suffix. Raises BadRequest for an unknown one."""
    if not name:
        return Formats(CSV, TURTLE)
    suffix = _SHORT.get(name, name)
    found = next((f for f in (*SOLUTIONS, *GRAPHS) if f.suffix == suffix), None)
    if found is None:
        raise BadRequest(f"There is no format {name!r}; there are {QUERY_FORMATS}.")
    return Formats(found if found in SOLUTIONS else CSV, found if found in GRAPHS else TURTLE)


def dump_format(name: str, output: Path | None, graph: str | None) -> Format:
    """The format to dump in: the one named, else the one that the file's name tells, else the first. Raises BadRequest."""
    possible = _OF_ALL_GRAPHS if graph is None else _OF_ONE_GRAPH
    suffix = name or (_suffix(output) if output else possible[0].suffix)
    for form in possible:
        if form.suffix == suffix:
            return form
    there = ", ".join(f.suffix for f in possible)
    if graph is None:
        raise BadRequest(f"{suffix!r} is no format for several graphs; there are {there}. Or name one graph with --graph.")
    raise BadRequest(f"{suffix!r} is no format for a graph; there are {there}.")


def _suffix(output: Path) -> str:
    """The suffix of the format that the name of the file tells. Raises BadRequest."""
    found = by_suffix(output.name)
    if found not in GRAPHS:
        whole, single = (", ".join(f".{f.suffix}" for f in possible) for possible in (_OF_ALL_GRAPHS, _OF_ONE_GRAPH))
        raise BadRequest(
            f"The name {output} does not tell a format; it may end in {whole} (.gz or .zst too), or with --graph in {single}. "
            "Or name the format with --format."
        )
    return found.suffix


def graph_iri(written: str | None) -> str | None:
    """The IRI of the graph to dump, None for all. Raises BadRequest for one that is not absolute."""
    if written is None:
        return None
    try:
        return absolute(written, "--graph")
    except BadRequest as refusal:
        raise BadRequest(f"--graph {written!r} is no absolute IRI, such as {Names().graph('accepted')}.") from refusal


def ask_endpoint(url: str, text: str, form: Formats, out: IO[bytes], token: str = "") -> None:
    """Sends the query by POST and copies the answer as it comes. Raises Failed with what the endpoint said."""
    accept = f"{form.solutions.media_type}, {form.graphs.media_type}"
    _copy(url, accept, out, urlencode({"query": text}).encode(), token)


def dump_endpoint(url: str, graph: str | None, form: Format, out: IO[bytes], token: str = "") -> None:
    """Copies a graph, or all of them, from a graph store. Raises Failed with what it said."""
    _copy(f"{url}?{urlencode({'graph': graph})}" if graph else url, form.media_type, out, token=token)


@contextmanager
def dumped(url: str, token: str) -> Iterator[tuple[str, Iterator[ox.Quad]]]:
    """The version that a graph store says that its dump is of, LINEAGE-COMMIT, and the quads as they come. Raises Failed."""
    with _answer(url, NQUADS.media_type, headers=_bearing(token)) as answer:
        version = "-".join((answer.headers.get("ETag") or "").strip('"').split("-")[:2])
        yield version, _quads(answer, url)


@contextmanager
def downloaded(url: str, token: str) -> Iterator[tuple[Path, Format]]:
    """The file at an address, and the format that its type or else its name tells. Raises Failed."""
    with TemporaryDirectory() as folder, _answer(url, _DATA, headers=_bearing(token)) as answer:
        media_type = answer.headers.get_content_type()
        form = readable(media_type) or by_suffix(urlsplit(url).path)
        if form is None:
            raise Failed(f"{url} is {media_type}, and its name does not tell a format either.")
        suffix = next((suffix for suffix, word in packing.CODINGS.items() if packing.MEDIA_TYPES[word] == media_type), "")
        path = Path(folder) / f"download{suffix}"
        with path.open("wb") as out:
            while piece := _piece(answer, url):
                out.write(piece)
        yield path, form


def _quads(answer: HTTPResponse, url: str) -> Iterator[ox.Quad]:
    rest = b""
    while piece := _piece(answer, url):
        whole, end, rest = (rest + piece).rpartition(b"\n")
        yield from ox.parse(whole + end, ox.RdfFormat.N_QUADS)
    yield from ox.parse(rest, ox.RdfFormat.N_QUADS)


def _bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _copy(url: str, accept: str, out: IO[bytes], body: bytes | None = None, token: str = "") -> None:
    with _answer(url, accept, body, _bearing(token)) as answer:
        while piece := _piece(answer, url):
            out.write(piece)
    out.flush()


def _answer(url: str, accept: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Failed(f"{url} cannot be asked: it is no http:// or https:// address.")
        request = urllib.request.Request(url, body, {"Accept": accept, **(headers or {})})  # noqa: S310  # the user's own URL
        answer: HTTPResponse = urllib.request.urlopen(request)  # noqa: S310  # as above
    except urllib.error.HTTPError as error:
        raise Failed(f"{url} answered {error.code}: {_said(error)}") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Failed(f"{url} cannot be asked: {getattr(reason, 'strerror', None) or str(reason).strip()}.") from error
    return answer


def _piece(answer: HTTPResponse, url: str) -> bytes:
    """The next bytes of the answer, none at its end. Raises Failed if it ends before it is whole."""
    try:
        piece = answer.read(COPY_BYTES)
    except (OSError, HTTPException) as error:
        raise Failed(f"The answer of {url} broke off before it was whole.") from error
    if not piece and answer.length:
        raise Failed(f"The answer of {url} broke off, {answer.length:,} bytes before it was whole.")
    return piece


def _said(error: urllib.error.HTTPError) -> str:
    """Title and detail of a problem (RFC 9457), else the text of the answer."""
    body = b""
    with suppress(OSError, HTTPException):
        body = error.read(COPY_BYTES)
    if error.headers.get_content_type() == PROBLEM:
        with suppress(ValueError, TypeError, KeyError):
            problem = json.loads(body)
            return f"{problem['title']}: {problem['detail']}"
    return body.decode(errors="replace").strip() or error.reason


def ask_files(settings: Settings, text: str, form: Formats, out: IO[bytes]) -> None:
    """Loads what a service would start from and evaluates the query in this process. Raises BadSyntax or BadEvaluation."""
    job, store = Job("query", text, base=f"{settings.base}/", hosts=settings.service_hosts), _store(settings)
    try:
        results = evaluate(job, store)
        if isinstance(results, ox.QueryTriples):
            results.serialize(out, ox.RdfFormat.from_media_type(form.graphs.media_type))
        else:
            results.serialize(out, ox.QueryResultsFormat.from_media_type(form.solutions.media_type))
        out.flush()
    except SyntaxError as error:
        raise bad_query(text, lambda padded: evaluate(replace(job, text=padded), store), error) from error
    except (RuntimeError, ValueError) as error:
        raise BadEvaluation(f"{error}.") from error


def dump_files(settings: Settings, graph: str | None, form: Format, out: IO[bytes]) -> None:
    """Writes a graph, or all of them, of what a service would start from. Raises NotFound if the graph is not there."""
    store = _store(settings, is_union=False)
    name = ox.NamedNode(graph) if graph else None
    if name is not None and not store.contains_named_graph(name):
        there = ", ".join(sorted(g.value for g in store.named_graphs()))
        raise NotFound(f"There is no graph <{graph}>; there {f'are {there}' if there else 'is none'}.")
    store.dump(out, loading.rdf_format(form.media_type), from_graph=name)
    out.flush()


@contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes]]:
    """The file to write to: standard output without a path, packed for `.gz` and `.zst`; it is written whole or not at all."""
    if path is None:
        yield from _standard_output()
        return
    try:
        if path.exists() and not path.is_file():  # a pipe or a device keeps its place
            with path.open("wb") as out:
                yield out
        else:
            with _replaced(path) as out:
                yield out
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror or error}.") from error


def _standard_output() -> Iterator[IO[bytes]]:
    """Standard output; on a terminal the last line is ended, so that the prompt does not stand behind it."""
    if not sys.stdout.isatty():
        yield sys.stdout.buffer
        return
    out = _Lines(sys.stdout.buffer)
    yield out  # type: ignore[misc]  # write() and flush() are all that is used
    if out.last not in (b"", b"\n"):
        out.write(b"\n")
    out.flush()


class _Lines:
    """Knows whether what was written ends with a line."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.last = b""
        self.flush = out.flush

    def write(self, data: bytes) -> int:
        """Passes it on."""
        self.last = data[-1:] or self.last
        return self._out.write(data)


@contextmanager
def _replaced(path: Path) -> Iterator[IO[bytes]]:
    partial = path.with_name(".part-" + path.name)
    try:
        with packing.written(partial) as out:
            yield out
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def show_info(settings: Settings) -> None:
    """Prints the version, the places, the settings that are in force, and the graphs with their triples."""
    from rich.console import Console
    from rich.table import Column, Table

    store = _store(settings, is_union=False)
    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDE_COLUMNS  # a file or a pipe has no width that an IRI would have to be broken for
    name, value = Column("setting", no_wrap=True), Column("value", overflow="fold")
    places = Table(name, value, title=f"motorgraph {__version__}", box=None, show_header=False, title_justify="left")
    for row in (_places() | _in_force(settings)).items():
        places.add_row(*row)
    graphs = Table(Column("graph", overflow="fold"), Column("triples", justify="right"), box=None)
    for graph, count in _counts(store).items():
        graphs.add_row(graph, f"{count:,}")
    console.print(places, "", graphs)


def _places() -> dict[str, str]:
    return {name: str(asset(name)) for name in ("ontology", "shapes", "data")}


def _in_force(settings: Settings) -> dict[str, str]:
    """Each setting as a service on this machine would have it; of tokens only whose they are."""
    values = {
        **settings.model_dump(),
        "default_graph": "union" if settings.is_union else "separate",
        "readers": settings.limits(proportional_bytes(os.getpid())).readers,
        "write_token": "none" if settings.write_token is None else "given",
        "tokens": tuple(f"{bearer.name} ({bearer.scope.word})" for bearer in bearers(settings.tokens)),
    }
    return {name.replace("_", "-"): _shown(value) for name, value in values.items()}


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return (", ".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)


def _counts(store: ox.Store) -> dict[str, int]:
    """How many triples each graph has, the unnamed one where it has any."""
    rows = store.query("SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g")
    counts = {row["g"].value: int(row["n"].value) for row in rows}  # type: ignore[union-attr]  # a SELECT gives rows
    unnamed = len(store) - sum(counts.values())
    return {"(without a name)": unnamed, **counts} if unnamed else counts


def _store(settings: Settings, *, is_union: bool | None = None) -> ox.Store:
    """A store of what a service with these settings would start from. Raises BadSyntax or Failed, naming the file."""
    names = Names(settings.base)
    store = ox.Store()
    for file in corpus.starting(settings, names):
        try:
            loading.load_file(store, file)
        except loading.UNREADABLE as error:
            raise corpus.unreadable(file.path, error) from error
    if not settings.plain:
        renew(store, shipped_rules(names))
    if settings.is_union if is_union is None else is_union:
        loading.merge(store)
    return store
