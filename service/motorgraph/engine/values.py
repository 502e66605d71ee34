"""Numbers, times and truth values as the engine keeps them: by value, so that what was sent as 2.50 is 2.5 from then on."""

from __future__ import annotations

import re
from functools import lru_cache

import pyoxigraph as ox

from motorgraph.vocab import XSD

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
_STRING = ox.NamedNode(XSD + "string")
_ANY = ox.NamedNode("urn:any")
_USUAL = {
    XSD + "integer": re.compile(r"0|-?[1-9][0-9]{0,15}"),
    XSD + "decimal": re.compile(r"-?(?:0|[1-9][0-9]{0,9})\.[0-9]{0,5}[1-9]"),
    XSD + "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
"""What is written as the engine keeps it, so that a bulk load need not ask the engine for each of them."""


def kept(term: Term) -> Term:
    """The term as the graph will have it, also where it stands in a triple that is spoken of (RDF 1.2).

    What the journal says of a change has to be in the same terms as what takes it back.
    """
    if isinstance(term, ox.Literal):
        return _literal(term)
    if isinstance(term, ox.Triple):
        return ox.Triple(term.subject, term.predicate, kept(term.object))
    return term


def _literal(literal: ox.Literal) -> ox.Literal:
    if literal.datatype == _STRING or not literal.datatype.value.startswith(XSD):
        return literal
    usual = _USUAL.get(literal.datatype.value)
    return literal if usual is not None and usual.fullmatch(literal.value) else _by_value(literal)


@lru_cache(maxsize=1 << 16)
def _by_value(literal: ox.Literal) -> ox.Literal:
    store = ox.Store()
    store.add(ox.Quad(_ANY, _ANY, literal))
    (found,) = (quad.object for quad in store)
    assert isinstance(found, ox.Literal)
    return found
