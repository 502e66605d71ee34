"""On which line of a text each statement stands: the parser is fed line by line, and says after each what it has found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import pyoxigraph as ox

from motorgraph.engine.body import unparsed
from motorgraph.engine.loading import rdf_format
from motorgraph.engine.nesting import refuse_traps
from motorgraph.engine.values import Term, kept
from motorgraph.media import JSONLD, TRIG, TURTLE, Format

Triple = tuple[Term, ox.NamedNode, Term]


@dataclass
class Placed:
    """The quads of a text as the graph would keep them, and the line (from 1) on which the object of each triple ends.

    There are no lines for JSON-LD, of which the parser says nothing before it has read a whole object. `prefixes` are those that
    a text in Turtle or TriG declares. `unread` has the rows of a table that are no
    statements, by their lines: the node of each, and why.
    """

    quads: list[ox.Quad] = field(default_factory=list)
    lines: dict[Triple, int] = field(default_factory=dict)
    prefixes: dict[str, str] = field(default_factory=dict)
    unread: dict[int, tuple[str, str]] = field(default_factory=dict)

    def of(self, subject: str, predicate: str | None = None, value: Term | None = None) -> Iterator[tuple[int, Triple]]:
        """The lines of the triples of a subject, by its IRI or label, as far as the pattern fits them."""
        for triple, line in self._about.get(subject, ()):
            if (predicate is None or triple[1].value == predicate) and (value is None or triple[2] == value):
                yield line, triple

    @cached_property
    def _about(self) -> dict[str, list[tuple[Triple, int]]]:
        found: dict[str, list[tuple[Triple, int]]] = {}
        for triple, line in self.lines.items():
            if not isinstance(triple[0], ox.Literal | ox.Triple):
                found.setdefault(triple[0].value, []).append((triple, line))
        return found


def placed(form: Format, text: bytes, base: str, graph: ox.NamedNode | ox.DefaultGraph) -> Placed:
    """What a text says, with what it says in no graph in `graph`. Blank nodes are renamed, so that they can only be new.

    Raises BadSyntax with line and column, BadRequest or TooLarge.
    """
    refuse_traps(form, text)
    found, source = Placed(), _Lines(text)
    parser = ox.parse(source, rdf_format(form.media_type), base_iri=base or None, rename_blank_nodes=True)  # type: ignore[arg-type]  # read() is all that is used
    try:
        for quad in parser:
            value = kept(quad.object)
            name = graph if isinstance(quad.graph_name, ox.DefaultGraph) else quad.graph_name
            found.quads.append(ox.Quad(quad.subject, quad.predicate, value, name))
            if form is not JSONLD:
                found.lines.setdefault((quad.subject, quad.predicate, value), source.number)
    except SyntaxError as error:
        raise unparsed(form, error) from error
    if form in (TURTLE, TRIG):
        found.prefixes = dict(parser.prefixes)
    return found


def lines_of(text: str) -> list[str]:
    """The lines of a text, without what ends them."""
    return re.split(r"\r\n|\n|\r", text)


class _Lines:
    """A text of which one line is read at a time."""

    def __init__(self, text: bytes) -> None:
        self._lines = iter(text.splitlines(keepends=True))
        self._rest = b""
        self.number = 0

    def read(self, size: int) -> bytes:
        """The next line, or as much of it as may be taken; empty at the end."""
        if not self._rest:
            self._rest = next(self._lines, b"")
            self.number += bool(self._rest)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece
