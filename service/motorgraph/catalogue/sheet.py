"""A sheet: statements as they are written down one after the other, and the RDF of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyoxigraph as ox

from motorgraph import vocab
from motorgraph.media import Format
from motorgraph.vocab import RDF, XSD

Node = ox.NamedNode | ox.BlankNode
Term = ox.NamedNode | ox.BlankNode | ox.Literal
Value = Term | str | int | None
Values = Value | Iterable[Value]
PREFIXES = {
    "dcat": vocab.DCAT,
    "dcatap": vocab.DCATAP,
    "dcterms": vocab.DCTERMS,
    "foaf": vocab.FOAF,
    "formats": vocab.FORMATS,
    "prov": vocab.PROV,
    "rdfs": vocab.RDFS,
    "schema": vocab.SCHEMA,
    "sd": vocab.SD,
    "sh": vocab.SH,
    "skos": vocab.SKOS,
    "spdx": vocab.SPDX,
    "vcard": vocab.VCARD,
    "void": vocab.VOID,
    "void-ext": vocab.VOID_EXT,
    "xsd": XSD,
}
TYPE = ox.NamedNode(f"{RDF}type")


class Sheet:
    """Statements in the order in which they were made; each is there once."""

    def __init__(self) -> None:
        self._triples: dict[ox.Triple, None] = {}
        self._blanks = 0
        self._spaces: set[str] = set()

    def blank(self) -> ox.BlankNode:
        """A new node without a name. A sheet always gives the same labels, so that equal sheets are equal bytes."""
        self._blanks += 1
        return ox.BlankNode(f"b{self._blanks}")

    def say(self, subject: Node, kinds: Iterable[str] | str, statements: Mapping[str, Values] | None = None) -> Node:
        """States what a thing is and more of it: by property one value or several, None for none. Returns the subject."""
        for kind in (kinds,) if isinstance(kinds, str) else kinds:
            self._triples[ox.Triple(subject, TYPE, ox.NamedNode(kind))] = None
            self._spaces.add(_space(kind))
        for name, given in (statements or {}).items():
            values: Iterable[Value] = (given,) if given is None or isinstance(given, Term | str | int) else given
            for value in values:
                if value is not None:
                    term = value if isinstance(value, Term) else ox.Literal(value)
                    self._triples[ox.Triple(subject, ox.NamedNode(name), term)] = None
                    self._spaces |= {_space(name), _space(_iri_in(term))}
        return subject

    def part(self, kinds: Iterable[str] | str, statements: Mapping[str, Values]) -> Node:
        """States as `say` does, of a new node without a name."""
        return self.say(self.blank(), kinds, statements)

    def serialised(self, form: Format) -> bytes:
        """All of it in an RDF format."""
        prefixes = {prefix: space for prefix, space in PREFIXES.items() if space in self._spaces}
        made = ox.serialize(self._triples, format=ox.RdfFormat.from_media_type(form.media_type), prefixes=prefixes)
        assert made is not None  # bytes, since no output was given
        return made


def _space(name: str) -> str:
    return name[: max(name.rfind("#"), name.rfind("/")) + 1]


def _iri_in(term: Term) -> str:
    """What a prefix could shorten in a term."""
    if isinstance(term, ox.Literal):
        return term.datatype.value
    return term.value if isinstance(term, ox.NamedNode) else ""


def iri(name: str) -> ox.NamedNode:
    """An IRI as a term."""
    return ox.NamedNode(name)


def english(text: str) -> ox.Literal:
    """A text in English."""
    return ox.Literal(text, language="en")


def typed(text: str, datatype: str) -> ox.Literal:
    """A literal of a datatype of XML Schema, by its local name."""
    return ox.Literal(text, datatype=ox.NamedNode(XSD + datatype))
