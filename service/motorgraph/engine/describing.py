"""A reader's answer about one thing: it asks the questions of a description of its own store, and writes what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

import orjson
import pyoxigraph as ox

from motorgraph.blocks import trig, turtle
from motorgraph.context import context
from motorgraph.engine.loading import rdf_format
from motorgraph.engine.remote import remote
from motorgraph.engine.wire import Job
from motorgraph.entity import Answered, Asked, Description, Dialect, Pattern, Question, Statement, Teller
from motorgraph.frame import framed
from motorgraph.media import JSONLD, NQUADS, NTRIPLES, RDFXML, TRIG, TURTLE
from motorgraph.namespaces import KNOWN, OWN_TERMS
from motorgraph.portrait.painter import painted
from motorgraph.vocab import Names

if TYPE_CHECKING:
    from motorgraph.engine.reader import Outlet

DEFAULT = ox.DefaultGraph()
T = TypeVar("T")
MORE = "+"
"""Ends the form of an answer that has another page."""
CUT = "-"
"""Stands behind the form of an answer that leaves out some of what is nested, before `MORE`."""
MOVED = "moved"
POINTED = "pointed"
"""Begins the form of an answer about a thing that is only pointed to."""
CONTEXT = "/context.jsonld"
MOST_KNOWN = 20_000
CHECK = "text/plain"
"""In place of a media type: only whether the thing is there."""
PORTRAIT = "application/json"
"""In place of a media type: what a page shows."""


def describe(job: Job, store: ox.Store, outlet: Outlet) -> None:
    """The thing that `job.text` asks about (see `Asked`), as `job.graphs`; of one that has moved the IRI that it has now.

    Raises NotFound.
    """
    asked, names = Asked.of(job.text), Names(job.base)
    writing = WRITERS[job.graphs or ""]
    dialect = Dialect(is_union=job.union, with_graphs=job.graphs in WITH_GRAPHS)
    teller = Teller(dialect, names)
    kept = known(outlet.commit, with_graphs=dialect.with_graphs) if outlet.commit else Known()
    source = Source(store, dialect, kept)
    found = source.answered(teller.check(asked) if job.graphs == CHECK else teller.describe(asked))
    target = teller.moved_to(found)
    if target:
        outlet.begin(MOVED, CHECK)
        outlet.write(target.encode())
    else:
        form = "graph" if found.own or found.page > 1 else POINTED
        outlet.begin(form + CUT * found.is_cut + MORE * found.has_more, job.graphs or "")
        outlet.write(writing(Telling(found, asked, job.graphs or "", names, source)))
    outlet.finish()


@dataclass(frozen=True, slots=True)
class Telling:
    """A description on its way to a format: what was asked, and where to ask for what the format needs besides."""

    found: Description
    asked: Asked
    media_type: str
    names: Names
    source: Source

    def answered(self, steps: Generator[Question, Answered, T]) -> T:
        """What comes of more steps."""
        return self.source.answered(steps)


@dataclass(slots=True)
class Known:
    """What this process has been told of one graph: the names of nodes, and answers that are the same for every thing."""

    names: dict[str, Answered] = field(default_factory=dict)
    kept: dict[str, Answered] = field(default_factory=dict)


@lru_cache(maxsize=2)
def known(commit: int, *, with_graphs: bool) -> Known:
    """What this process knows of the graph of a commit; most things mention the same few hundred others."""
    return Known()


@dataclass(frozen=True, slots=True)
class Source:
    """The store that the questions are asked of, in a dialect, and what it has told already."""

    store: ox.Store
    dialect: Dialect
    known: Known

    def answered(self, steps: Generator[Question, Answered, T]) -> T:
        """What comes of the steps when their questions are asked."""
        try:
            question = next(steps)
            while True:
                question = steps.send(self._remembered(question) if question.kept else self._asked(question))
        except StopIteration as end:
            found: T = end.value
            return found

    def _remembered(self, question: Question) -> Answered:
        kept = self.known.kept
        if question.kept not in kept:
            kept[question.kept] = self._asked(question)
        return kept[question.kept]

    def _asked(self, question: Question) -> Answered:
        """The answer to a question; plain lookups take a third of the time of the query that says the same."""
        if self.dialect.is_union:
            if question.named:
                return self._named(question)
            if question.patterns:
                return self._told(question.patterns, question.limit)
        if not self.dialect.with_graphs:
            triples: ox.QueryTriples = self.store.query(question.construct)  # type: ignore[assignment]  # what a CONSTRUCT gives
            return _split(triples.serialize(format=ox.RdfFormat.N_TRIPLES))
        rows: ox.QuerySolutions = self.store.query(question.select)  # type: ignore[assignment]  # a SELECT gives solutions
        return [(str(row["s"]), str(row["p"]), str(row["o"]), str(row["g"] or "")) for row in rows]

    def _named(self, question: Question) -> Answered:
        """What names nodes, of those that are not known yet from the store."""
        names = self.known.names
        if len(names) > MOST_KNOWN:
            names.clear()
        new = [node for node in question.named if node not in names]
        found: dict[str, Answered] = {node: [] for node in new}
        for statement in self._told((node, name, "") for node in new for name in question.naming):
            found[statement[0]].append(statement)
        names.update(found)
        return [statement for node in question.named for statement in names[node]]

    def _told(self, patterns: Iterable[Pattern], limit: int | None = None) -> Answered:
        """The statements that have one of these patterns, with their graphs where these are to be told."""
        if not self.dialect.with_graphs:
            return _split(ox.serialize(islice(_looked_up(patterns, self.store, DEFAULT), limit), format=ox.RdfFormat.N_TRIPLES))
        in_graphs = (quad for quad in _looked_up(patterns, self.store, None) if quad.graph_name != DEFAULT)
        return _split_quads(ox.serialize(islice(in_graphs, limit), format=ox.RdfFormat.N_QUADS))


def _looked_up(patterns: Iterable[Pattern], store: ox.Store, graph: ox.DefaultGraph | None) -> Iterator[ox.Quad]:
    """The statements of a graph (None: of all of them) that have one of these patterns."""
    nodes = (
        (_node(subject), _node(predicate), _node(value))
        for subject, predicate, value in patterns
        if not (subject.startswith("_") or value.startswith(("_", '"')))
    )
    there = remote(store)
    if there is not None:
        return there.matching(nodes, graph)
    return chain.from_iterable(store.quads_for_pattern(*each, graph) for each in nodes)


@lru_cache(maxsize=1 << 14)
def _node(text: str) -> ox.NamedNode | None:
    """The IRI of a text as N-Triples has it, None for any term."""
    return ox.NamedNode(text[1:-1]) if text else None


def _split(ntriples: bytes | None) -> Answered:
    """N-Triples as statements."""
    lines = (ntriples or b"").decode().split("\n")
    lines.pop()
    return [tuple(line[:-2].split(" ", 2)) for line in lines]


def _split_quads(nquads: bytes | None) -> Answered:
    """N-Quads, none of them of the default graph, as statements."""
    lines = (nquads or b"").decode().split("\n")
    lines.pop()
    return [_quad(line) for line in lines]


def _quad(line: str) -> Statement:
    triple, _, graph = line[:-2].rpartition(" ")
    subject, predicate, value = triple.split(" ", 2)
    return subject, predicate, value, graph


def _as_rdf(telling: Telling) -> bytes:
    """As the engine writes it."""
    quads = ox.parse(ntriples(telling.found.statements), ox.RdfFormat.N_TRIPLES)
    written = ox.serialize(quads, format=rdf_format(telling.media_type), prefixes=KNOWN | {OWN_TERMS: telling.names.term("")})
    assert written is not None
    return written


def ntriples(statements: Answered) -> bytes:
    """Statements as N-Triples, or as N-Quads where their graphs are told."""
    return "".join([" ".join(filter(None, statement)) + " .\n" for statement in statements]).encode()


def _as_json(telling: Telling) -> bytes:
    """As plain JSON that is JSON-LD."""
    found, asked = telling.found, telling.asked
    properties = {statement[1][1:-1] for statement in (*found.own, *found.nested, *found.incoming)}
    terms = telling.answered(context(telling.names, telling.source.dialect, properties))
    document = framed(found, terms, where="" if asked.inlines else f"{asked.origin}{CONTEXT}")
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _as_portrait(telling: Telling) -> bytes:
    """What a page shows."""
    return orjson.dumps(telling.answered(painted(telling.found, telling.names, telling.source.dialect, telling.asked.languages)))


def tell_context(job: Job, store: ox.Store, outlet: Outlet) -> None:
    """The JSON-LD context of the graph."""
    dialect = Dialect(is_union=job.union, with_graphs=False)
    told = Source(store, dialect, Known()).answered(context(Names(job.base), dialect))
    outlet.begin("json", JSONLD.media_type)
    outlet.write(orjson.dumps({"@context": told.whole}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    outlet.finish()


def _nothing(_: Telling) -> bytes:
    return b""


WITH_GRAPHS = (TRIG.media_type, NQUADS.media_type, PORTRAIT)
WRITERS: dict[str, Callable[[Telling], bytes]] = {
    TURTLE.media_type: lambda telling: turtle(telling.found.statements, telling.names.base).encode(),
    TRIG.media_type: lambda telling: trig(telling.found.statements, telling.names.base).encode(),
    NTRIPLES.media_type: lambda telling: ntriples(telling.found.statements),
    NQUADS.media_type: lambda telling: ntriples(telling.found.statements),
    RDFXML.media_type: _as_rdf,
    JSONLD.media_type: _as_json,
    PORTRAIT: _as_portrait,
    CHECK: _nothing,
}
