"""The names of the things of a kind, from the newest graph: to offer them, and to say which may have been meant."""

from __future__ import annotations

import pyoxigraph as ox

from motorgraph.entity import NAMES
from motorgraph.inquiry import Inquiry
from motorgraph.stores.embedded import Embedded

MOST_KNOWN = 5_000
_OF_A_KIND = """SELECT ?thing (MIN(?given) AS ?name) {{
  {{ SELECT DISTINCT ?thing {{ ?thing a ?class FILTER(STRSTARTS(STR(?thing), $prefix)) }} LIMIT {most} }}
  OPTIONAL {{ ?thing {names} ?given }}
}} GROUP BY ?thing"""


class Kinds:
    """What things there are, asked for by kind when one of the kind is wanted first, and again after each commit."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._inquiry = Inquiry(store)
        self._commit = 0
        self._names: dict[str, dict[str, str]] = {}

    async def named(self, space: str) -> dict[str, str]:
        """The names of the things whose IRIs begin with a text, by IRI; those without one by what their IRI ends in."""
        if self._commit != self._store.commit:
            self._names.clear()
            self._commit = self._store.commit
        if space not in self._names:
            text = _OF_A_KIND.format(names="|".join(NAMES), most=MOST_KNOWN)
            rows = await self._inquiry.rows(text, prefix=ox.Literal(space))
            self._names[space] = {row["thing"]: row.get("name", row["thing"].rpartition("/")[2]) for row in rows}
        return self._names[space]
