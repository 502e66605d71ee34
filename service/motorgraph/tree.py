"""Pages of a search tree as TREE has them: where they lead, within which bounds, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pyoxigraph as ox

from motorgraph.errors import NotAcceptable
from motorgraph.media import JSONLD, NQUADS, NTRIPLES, TRIG, TURTLE, Format, listing
from motorgraph.vocab import AS, DCTERMS, LDES, PROV, RDF, RDFS, SCHEMA, TREE, XSD

PREFIXES = {
    "as": AS,
    "dcterms": DCTERMS,
    "ldes": LDES,
    "prov": PROV,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "tree": TREE,
    "xsd": XSD,
}
FORMATS = (TRIG, TURTLE, NTRIPLES, NQUADS, JSONLD)
PROFILE = "https://w3id.org/tree/profile"
RELATIVE = "x-page://page"
"""Where a page is said to be in a format that has relative IRIs. No other IRI has this scheme, so no other becomes relative."""
TYPE = ox.NamedNode(RDF + "type")
_TRUE = ox.Literal("true", datatype=ox.NamedNode(XSD + "boolean"))

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple


@dataclass(frozen=True, slots=True)
class Link:
    """A page that another leads to, and the times of the members below it: from `least` on, to `most` unless that is "" still."""

    path: str
    least: str
    most: str
    members: int = 0


def node(page: ox.NamedNode, links: Iterable[Link], at: str, path: ox.NamedNode, *, is_fixed: bool) -> Iterator[ox.Triple]:
    """A page and its relations, each a bound on the `path` of the members below a page that it leads to. The pages are `at`."""
    yield ox.Triple(page, TYPE, ox.NamedNode(TREE + "Node"))
    if is_fixed:
        yield ox.Triple(page, ox.NamedNode(LDES + "immutable"), _TRUE)
    for place, link in enumerate(links):
        for kind, value in (("GreaterThanOrEqualTo", link.least), ("LessThanOrEqualTo", link.most)):
            if value:
                relation = ox.BlankNode(f"r{place}{kind[0]}")
                yield ox.Triple(page, ox.NamedNode(TREE + "relation"), relation)
                yield ox.Triple(relation, TYPE, ox.NamedNode(f"{TREE}{kind}Relation"))
                yield ox.Triple(relation, ox.NamedNode(TREE + "node"), ox.NamedNode(at + link.path))
                yield ox.Triple(relation, ox.NamedNode(TREE + "path"), path)
                yield ox.Triple(relation, ox.NamedNode(TREE + "value"), time_of(value))
                if link.members:
                    yield ox.Triple(relation, ox.NamedNode(TREE + "remainingItems"), integer(link.members))


def integer(number: int) -> ox.Literal:
    """An xsd:integer."""
    return ox.Literal(str(number), datatype=ox.NamedNode(XSD + "integer"))


def time_of(text: str) -> ox.Literal:
    """An xsd:dateTime."""
    return ox.Literal(text, datatype=ox.NamedNode(XSD + "dateTime"))


class Out(Protocol):
    """Where a page is written to."""

    def write(self, data: bytes) -> int:
        """Takes the next bytes."""


class _WithoutBase:
    """Leaves out the line that says the base, with which a page begins: its IRIs are relative to where it is read."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._head: bytes | None = b""

    def write(self, data: bytes) -> int:
        """Takes the next bytes."""
        if self._head is None:
            return self._out.write(data)
        line, end, rest = (self._head + data).partition(b"\n")
        self._head = None if end else line
        if end:
            self._out.write(rest)
        return len(data)

    def flush(self) -> None:
        """Nothing: what it has is only the beginning of a line."""


def origin(form: Format, address: str) -> str:
    """Where the pages are said to be in a format: at the service's address (scheme and host), if it has no relative IRIs."""
    return RELATIVE if form in (TURTLE, TRIG) else address


def content_type(form: Format) -> str:
    """The Content-Type of a page. Its members stand one after the other, as the TREE profile promises, but for JSON-LD."""
    return form.content_type.replace(" ", "") + ("" if form is JSONLD else f';profile="{PROFILE}"')


def write(told: Iterator[ox.Triple], out: Out, media_type: str, page: str) -> None:
    """Writes a page, whose address is `page`. Raises NotAcceptable for what the format cannot say."""
    form = ox.RdfFormat.from_media_type(media_type.partition(";")[0])
    is_relative = page.startswith(RELATIVE)
    sink: Any = _WithoutBase(out) if is_relative else out  # Any: an IO[bytes] in what counts
    try:
        ox.serialize(told, sink, form, prefixes=PREFIXES, base_iri=page if is_relative else None)
    except OSError as error:
        if "does not support" not in str(error):
            raise
        others = [f.media_type for f in FORMATS if f is not JSONLD]
        words = f"This page has a triple term, which JSON-LD cannot say; ask for {listing(FORMATS[:-1])}."
        raise NotAcceptable(words, available=others) from error
