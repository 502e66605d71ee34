"""What the fields of a curator's form may take: the things and concepts that the graph has, by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyoxigraph as ox

from motorgraph.curating import PROPOSITIONS, Part, Plan, key
from motorgraph.documentation import Documentation
from motorgraph.filled import Filled
from motorgraph.forms import Blueprint
from motorgraph.inquiry import Inquiry
from motorgraph.stores.embedded import Embedded

MOST_OPTIONS = 5_000
_THINGS = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?thing (MIN(?given) AS ?name) (COUNT(?use) AS ?uses) {
  { SELECT DISTINCT ?thing { GRAPH $ontology { ?kind <http://www.w3.org/2000/01/rdf-schema#subClassOf>* $class }
      GRAPH ?one { ?thing a ?kind } } LIMIT 5000 }
  GRAPH ?two { ?thing skos:prefLabel|<http://purl.org/dc/terms/title> ?given }
  OPTIONAL { GRAPH ?three { ?use $asserted ?thing } } } GROUP BY ?thing ORDER BY DESC(?uses) ?name"""
_CALLED = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT DISTINCT ?thing { GRAPH ?one { ?thing skos:prefLabel|skos:altLabel ?name }
  FILTER(LCASE(STR(?name)) = LCASE($called)) } LIMIT 50"""
_CONCEPTS = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?thing (MIN(?given) AS ?name) { GRAPH ?one { ?thing skos:inScheme $scheme ; skos:prefLabel ?given } }
GROUP BY ?thing ORDER BY ?name"""
_PROPOSITIONS = """SELECT ?thing (MIN(?given) AS ?name) (COUNT(?claim) AS ?claims) { GRAPH ?one { ?thing $worded ?given }
  OPTIONAL { GRAPH ?two { ?claim $about ?thing } } } GROUP BY ?thing ORDER BY DESC(?claims) ?name"""
"""These name the graphs, so that they find the same whatever the default graph is."""


class Choices:
    """The choices of one commit, read when they are first asked for."""

    def __init__(self, store: Embedded, documentation: Documentation) -> None:
        self._store = store
        self._documentation = documentation
        self._inquiry = Inquiry(store)
        self._options: dict[str, dict[str, str]] = {}
        self._commit = 0

    async def plan(self, claims: int) -> Plan:
        """The form for so many claims, from the shapes and the ontology as they are."""
        shapes, _ = await self._documentation.vocabulary("shapes")
        ontology, _ = await self._documentation.ontology()
        return Plan(Blueprint(shapes.statements, ontology, self._documentation.prefixes), self._store.names, claims)

    async def of_filled(self, parts: Sequence[Part], filled: Filled) -> dict[str, dict[str, str]]:
        """All that the fields of parts may take; by the name of a field the things that are called what it was filled with."""
        found = await self.of(parts)
        return {**found, PROPOSITIONS: await self.propositions(), **await self._called(parts, filled, found)}

    async def of(self, parts: Sequence[Part]) -> dict[str, dict[str, str]]:
        """The things that the fields may take, those that assert the most first."""
        found: dict[str, dict[str, str]] = {}
        for part in parts:
            for each in part.fields:
                name = key(each)
                if name and name not in found:
                    found[name] = {}
                    for scheme in each.schemes:
                        found[name] |= await self._asked(scheme, _CONCEPTS, scheme=ox.NamedNode(scheme))
                    for kind in each.classes:
                        values = {"class": ox.NamedNode(kind), "asserted": self._term("assertedBy")}
                        values["ontology"] = ox.NamedNode(self._store.names.graph("ontology"))
                        found[name] |= await self._asked(kind, _THINGS, **values)
        return found

    async def propositions(self) -> dict[str, str]:
        """Those that the graph has, by their words, those with the most claims first."""
        terms = {"worded": self._term("statementText"), "about": self._term("proposition")}
        return await self._asked(PROPOSITIONS, _PROPOSITIONS, **terms)

    async def _called(
        self, parts: Sequence[Part], filled: Filled, options: Mapping[str, Mapping[str, str]]
    ) -> dict[str, dict[str, str]]:
        """For each field that takes things, those that it may take and that have a name, or another name, that was filled in."""
        found: dict[str, dict[str, str]] = {}
        for name, each in ((f"{part.name}.{each.name}", each) for part in parts for each in part.fields if each.is_thing):
            known = options.get(key(each))
            for text in (text for text in filled.all(name) if "://" not in text and text not in (known or {}).values()):
                rows = await self._inquiry.rows(_CALLED, called=ox.Literal(text))
                fit = {row["thing"]: text for row in rows if known is None or row["thing"] in known}
                found.setdefault(name, {}).update(fit)
        return found

    async def _asked(self, name: str, query: str, **values: ox.NamedNode) -> dict[str, str]:
        """Things and their names, kept for the commit."""
        if self._commit != self._store.commit:
            self._options.clear()
            self._commit = self._store.commit
        if name not in self._options:
            rows = await self._inquiry.rows(query, **values)
            self._options[name] = {row["thing"]: row["name"] for row in rows[:MOST_OPTIONS] if "thing" in row}
        return self._options[name]

    def _term(self, name: str) -> ox.NamedNode:
        return ox.NamedNode(self._store.names.term(name))
