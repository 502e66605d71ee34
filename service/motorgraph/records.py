"""A claim as it was entered, with its proposition: what a form shows of it to have it corrected, and the update that does."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from motorgraph.curating import DATES, Part
from motorgraph.errors import NotFound
from motorgraph.filled import Filled
from motorgraph.inquiry import Inquiry, Several, solutions
from motorgraph.stores.embedded import Embedded
from motorgraph.vocab import RDF, Names

_ENTERED = """SELECT ?g ?s ?p ?o {
  { BIND($claim AS ?s) GRAPH ?g { $claim ?p ?o } } UNION { GRAPH ?home { $claim $proposition ?s } GRAPH ?g { ?s ?p ?o } }
  FILTER(STRSTARTS(STR(?g), $sources) || ?g = $accepted) }"""
Node = ox.NamedNode | ox.Literal


@dataclass(frozen=True)
class Record:
    """A claim, its proposition, what was entered of both at a commit, and in which graphs."""

    claim: ox.NamedNode
    proposition: ox.NamedNode
    quads: frozenset[ox.Quad]
    commit: int
    names: Names

    @property
    def slug(self) -> str:
        """The last part of the claim's IRI."""
        return self.claim.value.rpartition("/")[2]

    @property
    def stamp(self) -> str:
        """What tells this state of it from any other."""
        return hashlib.sha256("\n".join(sorted(map(str, self.quads))).encode()).hexdigest()

    def known(self, part: Part, node: ox.NamedNode) -> dict[str, list[Node]]:
        """What was entered of a node, by the names of the fields; of a day that is not known the month or year."""
        found: dict[str, list[Node]] = {}
        for each in part.fields:
            values = self._values(node, each.path)
            if each.is_day and not values:
                values = self._values(node, self.names.term(DATES[0]))
            if values:
                found[f"{part.name}.{each.name}"] = values
        return found

    def filled(self, shown: Mapping[str, str], claim: Part | None = None, proposition: Part | None = None) -> Filled:
        """The fields of the parts that are given as they are; `shown` has the names of things."""
        about = self.known(claim, self.claim) if claim else {}
        return Filled.with_nodes({**about, **(self.known(proposition, self.proposition) if proposition else {})}, shown)

    def update(self, before: Iterable[ox.Quad], now: Iterable[ox.Quad]) -> tuple[set[ox.Quad], set[ox.Quad]]:
        """What goes and comes when statements as the form had them become others, each in the graph where its node stands."""
        old, new = ({quad.triple for quad in quads} for quads in (before, now))
        days = {self.names.term(name) for name in ("reportedOn", *DATES)}
        gone, come = old - new, new - old
        if any(triple.predicate.value in days for triple in (*gone, *come)):
            come |= {triple for triple in new if triple.predicate.value in days}
            gone |= {quad.triple for quad in self.quads if quad.predicate.value in days} - come
        removed = {quad for quad in self.quads if quad.triple in gone}
        return removed, {ox.Quad(t.subject, t.predicate, t.object, self._home(t.subject)) for t in come} - self.quads

    def _values(self, node: ox.NamedNode, path: str) -> list[Node]:
        found = {quad.object for quad in self.quads if quad.subject == node and quad.predicate.value == path}
        return sorted((term for term in found if isinstance(term, ox.NamedNode | ox.Literal)), key=str)

    def _home(self, node: object) -> ox.NamedNode | ox.BlankNode | ox.DefaultGraph:
        """The graph in which a node has its class, or else the first in which it is spoken of."""
        found = (
            (quad.predicate.value != RDF + "type", str(quad.graph_name), quad) for quad in self.quads if quad.subject == node
        )
        return min(found, key=lambda told: told[:2])[2].graph_name


def written(removed: Collection[ox.Quad], added: Collection[ox.Quad]) -> str:
    """The update that makes a change."""
    told = []
    for verb, quads in (("DELETE", removed), ("INSERT", added)):
        lines = "\n".join(f"GRAPH {quad.graph_name} {{ {quad.triple} }}" for quad in sorted(quads, key=str))
        told += [f"{verb} DATA {{\n{lines}\n}}"] if quads else []
    return " ;\n".join(told)


class Records:
    """The claims of the newest commit."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._inquiry = Inquiry(store)

    async def claim(self, name: str) -> Record:
        """The claim with this slug or IRI. Raises NotFound."""
        names = self._store.names
        iri = name if name.startswith(names.thing("claim", "")) else names.thing("claim", name)
        try:
            claim = ox.NamedNode(iri)
        except ValueError as error:
            raise NotFound(f"{name[:200]!r} is no slug or IRI of a claim. Claims are at /explore/claims.") from error
        values: dict[str, ox.NamedNode | ox.Literal | Several] = {
            "claim": claim,
            "proposition": ox.NamedNode(names.term("proposition")),
            "sources": ox.Literal(names.graph("source/")),
            "accepted": ox.NamedNode(names.graph("accepted")),
        }
        commit, body = await self._inquiry.answer(_ENTERED, values)
        quads = frozenset(ox.Quad(row["s"], row["p"], row["o"], row["g"]) for row in solutions(body))
        asked = names.term("proposition")
        about = next((quad.object for quad in quads if quad.subject == claim and quad.predicate.value == asked), None)
        if not isinstance(about, ox.NamedNode):
            raise NotFound(f"The graph has no claim <{claim.value}> that somebody has entered. Claims are at /explore/claims.")
        return Record(claim, about, quads, commit, names)
