"""Near matches: the things of a kind whose names are most like one that is not known."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox
from rapidfuzz import fuzz, process, utils

from motorgraph.address import Address, local
from motorgraph.entity import NAMES
from motorgraph.inquiry import Inquiry
from motorgraph.stores.embedded import Embedded

MOST = 5
MOST_KNOWN = 5_000
ALIKE = 80.0
"""Of 100: what is less like the name than this is not near."""
_OF_A_KIND = """SELECT ?thing (MIN(?given) AS ?name) {{
  {{ SELECT DISTINCT ?thing {{ {{ ?thing a ?class }} UNION {{ GRAPH ?g {{ ?thing a ?class }} }}
     FILTER(STRSTARTS(STR(?thing), $prefix)) }} LIMIT {most} }}
  OPTIONAL {{ {{ ?thing {names} ?given }} UNION {{ GRAPH ?h {{ ?thing {names} ?given }} }} }}
}} GROUP BY ?thing"""
_KINDS = """SELECT DISTINCT ?kind {{ {{ ?thing a ?class }} UNION {{ GRAPH ?g {{ ?thing a ?class }} }}
  FILTER(STRSTARTS(STR(?thing), $prefix)) BIND(REPLACE(STR(?thing), "/[^/]*$", "/") AS ?kind) }} LIMIT {most}"""


@dataclass(frozen=True, slots=True)
class Near:
    """A thing whose name is like the one that was asked for."""

    iri: str
    name: str
    page: str

    @property
    def kind(self) -> str:
        """What kind of thing it is, in words: what its IRI has before the name."""
        return self.iri.split("/")[-2].replace("-", " ").capitalize()

    def as_json(self) -> dict[str, str]:
        """As a member of a problem."""
        return {"id": self.iri, "name": self.name, "page": self.page, "kind": self.kind}


class Known:
    """The names of the things that the newest graph has, asked for by kind when one of the kind is not found."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._inquiry = Inquiry(store)
        self._base = store.settings.base
        self._commit = 0
        self._names: dict[str, dict[str, str]] = {}

    async def near(self, address: Address) -> list[Near]:
        """The known things that are most like this one, the likest first; of an unknown kind those of the likest kind."""
        kind = self._base + address.kind
        names = await self._of(kind)
        if not names:
            others = await self._rows(_KINDS, self._base + "/" + address.kind.split("/")[1] + "/")
            likest = process.extractOne(kind, [row["kind"] for row in others], scorer=fuzz.ratio)
            names = await self._of(likest[0]) if likest else {}
        return [Near(iri, names[iri], local(iri, self._base)) for iri in likest_of(address.slug, names)]

    async def _of(self, kind: str) -> dict[str, str]:
        """The names of the things of a kind by IRI, those without one by what their IRI ends in."""
        if self._commit != self._store.commit:
            self._names.clear()
            self._commit = self._store.commit
        if kind not in self._names:
            rows = await self._rows(_OF_A_KIND, kind)
            self._names[kind] = {row["thing"]: row.get("name", row["thing"].rpartition("/")[2]) for row in rows}
        return self._names[kind]

    async def _rows(self, query: str, prefix: str) -> list[dict[str, str]]:
        text = query.format(names="|".join(NAMES), most=MOST_KNOWN)
        return await self._inquiry.rows(text, prefix=ox.Literal(prefix))


def likest_of(slug: str, names: dict[str, str]) -> list[str]:
    """The IRIs whose last part or name is most like a slug."""
    texts = {iri: utils.default_process(iri.rpartition("/")[2]) for iri in names}
    wanted = utils.default_process(slug[:200])
    by_slug = process.extract(wanted, texts, scorer=fuzz.WRatio, limit=MOST, score_cutoff=ALIKE)
    called = {iri: utils.default_process(name) for iri, name in names.items()}
    by_name = process.extract(wanted, called, scorer=fuzz.WRatio, limit=MOST, score_cutoff=ALIKE)
    best: dict[str, float] = {}
    for _, score, iri in (*by_slug, *by_name):
        best[iri] = max(score, best.get(iri, 0.0))
    return sorted(best, key=lambda iri: (-best[iri], iri))[:MOST]
