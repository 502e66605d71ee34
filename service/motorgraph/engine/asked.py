"""What the text of a query says, for a store elsewhere: the kind of its answer, its graphs; the same as any engine takes it."""

from __future__ import annotations

from functools import lru_cache

import pyoxigraph as ox

from motorgraph.query import Scope
from motorgraph.tokens import tokens

Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
_NOTHING = ox.Store()


@lru_cache(maxsize=256)
def kind_of(text: str, base_iri: str | None) -> type[Results]:
    """Of what kind the answer to a query is: it is parsed, and asked of nothing. Raises SyntaxError."""
    return type(_NOTHING.query(text, base_iri=base_iri))


@lru_cache(maxsize=256)
def with_values_inside(text: str) -> str:
    """A query for a graph or a truth with the VALUES behind its pattern at the end of that, where every engine takes them."""
    depth, closed = 0, None
    for token in tokens(text):
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.text == "}" and not depth:
            closed = token.start
        if token.is_word("VALUES") and not depth and closed is not None:
            return f"{text[:closed]} {text[token.start :]}\n{text[closed : token.start]}"
    return text


@lru_cache(maxsize=256)
def graphs_in(text: str, base: str) -> tuple[frozenset[str], bool]:
    """The graphs after GRAPH in a query, and whether a variable stands there too."""
    found, scope = list(tokens(text)), Scope(base)
    names: set[str | None] = set()
    for place, token in enumerate(found):
        scope.see(found, place)
        if token.is_word("GRAPH"):
            names.add(scope.resolve(found[place + 1]))
    return frozenset(filter(None, names)), None in names
