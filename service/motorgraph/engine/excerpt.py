"""An excerpt of what a commit did, or of what lies between two: the first lines of it as JSON, for a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pyoxigraph as ox

from motorgraph.engine.delta import NQUADS

MOST_CHARACTERS = 300

Row = list[dict[str, Any]]  # Any: plain JSON
"""Subject, predicate, object, graph, each as `told` has it."""


def of_lines(pieces: Iterator[bytes], most: int) -> list[Row]:
    """The first of so many N-Quads, in pieces of whole lines."""
    found: list[bytes] = []
    for piece in pieces:
        found += piece.split(b"\n", most - len(found))[: most - len(found)]
        if len(found) >= most:
            break
    return of_quads(ox.parse(b"\n".join(found), NQUADS), most)


def of_quads(quads: Iterable[ox.Quad], most: int) -> list[Row]:
    """The first of these quads."""
    return [[told(term) for term in (q.subject, q.predicate, q.object, q.graph_name)] for q in islice(quads, most)]


def told(term: object) -> dict[str, Any]:
    """A term: its `iri`, or `text` (cut if it is very long) with `language` or `datatype`; {} for the default graph."""
    if isinstance(term, ox.NamedNode):
        return {"iri": term.value}
    if isinstance(term, ox.DefaultGraph):
        return {}
    if not isinstance(term, ox.Literal):
        return {"text": _cut(str(term)), "is_code": True}
    language = {"language": term.language} if term.language else {}
    return {"text": _cut(term.value), "datatype": term.datatype.value, **language}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
