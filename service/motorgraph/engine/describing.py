"""A reader's answer about one thing: it asks the questions of a description of its own store, and writes what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

import orjson
import pyoxigraph as ox

from motorgraph.blocks import trig, turtle
from motorgraph.context import context
from motorgraph.engine.loading import rdf_format
from motorgraph.engine.wire import Job
from motorgraph.entity import Answered, Asked, Description, Dialect, Pattern, Question, Teller
from motorgraph.frame import framed
from motorgraph.media import JSONLD, NQUADS, NTRIPLES, RDFXML, TRIG, TURTLE
from motorgraph.namespaces import KNOWN, OWN_TERMS
from motorgraph.painter import painted
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
    source = Source(store, dialect, known_names(outlet.commit) if outlet.commit else {})
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


@lru_cache(maxsize=1)
def known_names(commit: int) -> dict[str, Answered]:
    """What this process knows of the names of nodes in the graph of a commit; most things mention the same few hundred."""
    return {}


@dataclass(frozen=True, slots=True)
class Source:
    """The store that the questions are asked of, in a dialect, and the names that it has told already."""

    store: ox.Store
    dialect: Dialect
    names: dict[str, Answered]

    def answered(self, steps: Generator[Question, Answered, T]) -> T:
        """What comes of the steps when their questions are asked."""
        try:
            question = next(steps)
            while True:
                question = steps.send(self._asked(question))
        except StopIteration as end:
            found: T = end.value
            return found

    def _asked(self, question: Question) -> Answered:
        """The answer to a question; plain lookups take a third of the time of the query that says the same."""
        if self.dialect.is_union and not self.dialect.with_graphs:
            if question.named:
                return self._named(question)
            if question.patterns:
                return _written(islice(_looked_up(question.patterns, self.store), question.limit))
        if not self.dialect.with_graphs:
            triples: ox.QueryTriples = self.store.query(question.construct)  # type: ignore[assignment]  # what a CONSTRUCT gives
            return _split(triples.serialize(format=ox.RdfFormat.N_TRIPLES))
        rows: ox.QuerySolutions = self.store.query(question.select)  # type: ignore[assignment]  # a SELECT gives solutions
        return [(str(row["s"]), str(row["p"]), str(row["o"]), str(row["g"] or "")) for row in rows]

    def _named(self, question: Question) -> Answered:
        """What names nodes, of those that are not known yet from the store."""
        known = self.names
        if len(known) > MOST_KNOWN:
            known.clear()
        new = [node for node in question.named if node not in known]
        known.update((node, []) for node in new)
        for statement in _written(_looked_up(((node, name, "") for node in new for name in question.naming), self.store)):
            known[statement[0]].append(statement)
        return [statement for node in question.named for statement in known[node]]


def _looked_up(patterns: Iterable[Pattern], store: ox.Store) -> Iterator[ox.Quad]:
    """The statements of the default graph that have one of these patterns."""
    look = store.quads_for_pattern
    return chain.from_iterable(
        look(_node(subject), _node(predicate), _node(value), DEFAULT)
        for subject, predicate, value in patterns
        if not (subject.startswith("_") or value.startswith(("_", '"')))
    )


@lru_cache(maxsize=1 << 14)
def _node(text: str) -> ox.NamedNode | None:
    """The IRI of a text as N-Triples has it, None for any term."""
    return ox.NamedNode(text[1:-1]) if text else None


def _written(quads: Iterable[ox.Quad]) -> Answered:
    """Quads as statements without their graph."""
    return _split(ox.serialize(quads, format=ox.RdfFormat.N_TRIPLES))


def _split(ntriples: bytes | None) -> Answered:
    """N-Triples as statements."""
    lines = (ntriples or b"").decode().split("\n")
    lines.pop()
    return [tuple(line[:-2].split(" ", 2)) for line in lines]


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
    told = Source(store, dialect, {}).answered(context(Names(job.base), dialect))
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
