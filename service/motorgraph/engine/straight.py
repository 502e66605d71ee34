"""Answers that go past the engine's evaluator: what a lookup finds, as the engine would write it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyoxigraph as ox

from motorgraph.engine.loading import rdf_format
from motorgraph.engine.lookup import MOST_QUADS, Lookup, Pattern
from motorgraph.engine.table import Fact, can_tell, table
from motorgraph.engine.wire import Job
from motorgraph.errors import NotAcceptable
from motorgraph.media import GRAPHS, NTRIPLES, SOLUTIONS, listing

if TYPE_CHECKING:
    from motorgraph.engine.reader import Outlet

MOST_BYTES = 64 * 1024
"""As long as an answer that is made here may be in N-Quads."""


def answered(found: Lookup, job: Job, store: ox.Store, outlet: Outlet) -> bool:
    """Whether the answer could be told so, and was; if not, nothing has been written and the engine has to be asked."""
    match found.text.form:
        case "truth":
            _tell_truth(job, outlet, is_so=found.is_there(store))
            return True
        case "rows":
            return _told_rows(found, job, store, outlet)
        case "description":
            return _told_description(found, job, store, outlet)
    return False


def table_type(job: Job) -> str:
    """The media type of a table or a truth value. Raises NotAcceptable if the client takes none."""
    return job.solutions or _unacceptable("table or a truth value", listing(SOLUTIONS))


def graph_type(job: Job) -> str:
    """The media type of a graph. Raises NotAcceptable if the client takes none."""
    return job.graphs or _unacceptable("graph", listing(GRAPHS))


def _unacceptable(what: str, available: str) -> str:
    raise NotAcceptable(f"The answer is a {what}; it can be had as {available}.", available=available.split(", "))


def _tell_truth(job: Job, outlet: Outlet, *, is_so: bool) -> None:
    media_type = table_type(job)
    outlet.begin("boolean", media_type)
    if not job.head_only:
        outlet.write(_truth(media_type, is_so=is_so))
    outlet.finish()


@lru_cache(maxsize=16)
def _truth(media_type: str, *, is_so: bool) -> bytes:
    """A truth value as the engine writes it."""
    results = ox.Store().query("ASK {}" if is_so else "ASK { FILTER(false) }")
    assert isinstance(results, ox.QueryBoolean)
    made = results.serialize(format=ox.QueryResultsFormat.from_media_type(media_type))
    assert made is not None  # bytes, since no output was given
    return made


def _told_rows(found: Lookup, job: Job, store: ox.Store, outlet: Outlet) -> bool:
    media_type = table_type(job)
    lines = _lines(found, store)
    facts = [] if lines is None else _facts(lines, found.pattern)
    if lines is None or len(facts) > MOST_QUADS or not can_tell(media_type, lines):
        return False
    outlet.begin("solutions", media_type, lambda _: len(facts))
    if not job.head_only:
        outlet.write(table(media_type, [(name, place == "object") for name, place in found.text.columns], facts))
    outlet.finish()
    return True


def _told_description(found: Lookup, job: Job, store: ox.Store, outlet: Outlet) -> bool:
    """The engine's description of a thing is what there is of it, and of the blank nodes that are met on the way."""
    media_type = graph_type(job)
    lines = _lines(found, store)
    if lines is None or " _:" in lines or "<<(" in lines or lines.count("\n") > MOST_QUADS:
        return False
    outlet.begin("graph", media_type)
    if not job.head_only:
        is_written = media_type == NTRIPLES.media_type and isinstance(found.pattern.graph, ox.DefaultGraph)
        triples = (quad.triple for quad in found.quads(store))
        outlet.write(lines.encode() if is_written else ox.serialize(triples, format=rdf_format(media_type)) or b"")
    outlet.finish()
    return True


class _Long(Exception):
    """There is more than is told here."""


class _Lines:
    """What the engine writes, as long as it is short: the longest literal is not held here."""

    def __init__(self) -> None:
        self.whole = b""

    def write(self, data: bytes) -> int:
        """Takes the next bytes. Raises _Long."""
        self.whole += data
        if len(self.whole) > MOST_BYTES:
            raise _Long
        return len(data)

    def flush(self) -> None:
        """Nothing."""


def _lines(found: Lookup, store: ox.Store) -> str | None:
    """The quads that are asked for as N-Quads, None if they are long."""
    lines = _Lines()
    try:
        ox.serialize(found.quads(store), lines, ox.RdfFormat.N_QUADS)  # type: ignore[arg-type]  # all that it asks an IO[bytes] for
    except _Long:
        return None
    return lines.whole.decode()


def _facts(lines: str, pattern: Pattern) -> list[Fact]:
    """What the lines say of the subject of a pattern, in its graph."""
    if not lines:
        return []
    before = f"{pattern.subject} <"
    behind = " .\n" if isinstance(pattern.graph, ox.DefaultGraph) else f" {pattern.graph} .\n"
    return [fact.partition("> ") for fact in lines[len(before) : -len(behind)].split(behind + before)]
