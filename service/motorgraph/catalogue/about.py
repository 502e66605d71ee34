"""What the graph itself says of its data sets: the questions put to it, and the answers as the descriptions read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from motorgraph.vocab import DCTERMS, FOAF, RDF, RDFS, SKOS, VOID

_PREFIXES = """PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX mg: <{base}/ontology/> PREFIX schema: <https://schema.org/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX void: <http://rdfs.org/ns/void#> """
_SAID = """CONSTRUCT {{ ?s ?p ?o }} {{ {{ BIND(<{base}/catalogue> AS ?s) }} UNION {{ <{base}/catalogue> dcat:dataset ?s }}
UNION {{ ?s a void:Dataset }} UNION {{ ?s a void:Linkset }}
UNION {{ <{base}/catalogue> dcat:dataset?/(dcterms:publisher|dcterms:creator|dcat:contactPoint) ?s }} ?s ?p ?o }}"""
_TABLES = {
    "documents": """SELECT ?graph ?source (MIN(?t) AS ?title) (MIN(?n) AS ?publisher) (MIN(?i) AS ?issued) (MIN(?a) AS ?accessed)
(MIN(?u) AS ?url) {{ GRAPH ?graph {{ ?source a mg:SourceDocument }}
FILTER(STRSTARTS(STR(?graph), "{base}/graph/source/") && STRENDS(STR(?source), SUBSTR(STR(?graph), STRLEN("{base}/graph") + 1)))
OPTIONAL {{ ?source dcterms:title ?t }} OPTIONAL {{ ?source dcterms:publisher/skos:prefLabel ?n FILTER(LANG(?n) IN ("", "en")) }}
OPTIONAL {{ ?source dcterms:issued ?i }} OPTIONAL {{ ?source mg:accessedOn ?a }} OPTIONAL {{ ?source schema:url ?u }}
}} GROUP BY ?graph ?source ORDER BY ?graph""",
    "period": "SELECT (MIN(?day) AS ?from) (MAX(?day) AS ?until) {{ ?document a mg:SourceDocument ; dcterms:issued ?day }}",
    "places": """SELECT DISTINCT ?place {{ ?plant a mg:Plant ; mg:country/schema:sameAs ?place
FILTER(STRSTARTS(STR(?place), "https://sws.geonames.org/")) }} ORDER BY ?place""",
    "measures": """SELECT DISTINCT ?label {{ ?concept skos:inScheme <{base}/scheme/measure-concept> ; skos:prefLabel ?label
FILTER(LANG(?label) IN ("", "en")) }} ORDER BY ?label""",
}
_EXAMPLE = 'SELECT (MIN(?thing) AS ?example) {{ ?thing a <{of}> FILTER(ISIRI(?thing) && STRSTARTS(STR(?thing), "{space}")) }}'
_SHOWN_FIRST = ("Organization", "Plant", "Deal", "LegalAct", "Claim")
MOST_EXAMPLES = 5


def said_query(base: str) -> str:
    """A CONSTRUCT of all that is said of the catalogue, its data sets and link sets, and who made them."""
    return (_PREFIXES + _SAID).format(base=base)


def table_queries(base: str) -> dict[str, str]:
    """A SELECT for each table, by name."""
    return {name: (_PREFIXES + text).format(base=base) for name, text in _TABLES.items()}


def example_queries(classes: Mapping[str, int], base: str) -> Iterator[str]:
    """A SELECT for an example of each class, the best known classes first, then the largest; of own things if there are such."""
    first = [f"{base}/ontology/{name}" for name in _SHOWN_FIRST]
    space = f"{base}/id/" if any(name in classes for name in first) else ""
    largest = sorted(classes, key=lambda name: (-classes[name], name))
    for name in dict.fromkeys([name for name in first if name in classes] + largest[: 2 * MOST_EXAMPLES]):
        yield _EXAMPLE.format(of=name, space=space)


@dataclass(frozen=True, slots=True)
class Document:
    """A source document and the graph of what it says; texts are "" where nothing is known."""

    graph: str
    source: str
    title: str = ""
    publisher: str = ""
    issued: str = ""
    accessed: str = ""
    url: str = ""


class About:
    """What was answered; in a graph that says nothing of itself all of it is empty.

    `said` is N-Triples, `tables` has the rows of each table, `examples` the IRIs of things that show what there is.
    """

    def __init__(
        self, said: str = "", tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None, examples: Sequence[str] = ()
    ) -> None:
        self._said: dict[str, dict[str, list[Any]]] = {}  # Any: terms of every kind
        for triple in ox.parse(said, ox.RdfFormat.N_TRIPLES):
            if isinstance(triple.subject, ox.NamedNode):
                of = self._said.setdefault(triple.subject.value, {})
                of.setdefault(triple.predicate.value, []).append(triple.object)
        for terms in self._said.values():
            for values in terms.values():
                values.sort(key=str)  # so that the same graph is told in the same bytes
        self._tables = tables or {}
        self.examples = examples
        self.documents = [Document(**row) for row in self._tables.get("documents", ())]

    def values(self, subject: str, name: str) -> list[Any]:  # Any: as above
        """All that is said of a subject with a property."""
        return self._said.get(subject, {}).get(name, [])

    def one(self, subject: str, name: str) -> str:
        """The first of the values as text, "" if there is none."""
        return next((value.value for value in self.values(subject, name)), "")

    def name(self, subject: str) -> str:
        """What something is called, "" if nobody says."""
        names = (f"{DCTERMS}title", f"{FOAF}name", f"{SKOS}prefLabel", f"{RDFS}label", f"{DCTERMS}bibliographicCitation")
        return next(filter(None, (self.one(subject, name) for name in names)), "")

    def of_type(self, kind: str) -> Iterator[str]:
        """The subjects that are of a class."""
        for subject, terms in sorted(self._said.items()):
            if any(value.value == kind for value in terms.get(f"{RDF}type", [])):
                yield subject

    def column(self, table: str, name: str) -> list[str]:
        """A column of one of the tables."""
        return [row[name] for row in self._tables.get(table, ()) if name in row]

    def target(self, host: str) -> str:
        """The data set that the IRIs of a host belong to, "" if the graph names none."""
        return next((name for name in self.of_type(f"{VOID}Dataset") if f"//{host}/" in self.one(name, f"{VOID}uriSpace")), "")

    @property
    def period(self) -> tuple[str, str]:
        """The first and the last day on which a source document was issued; "" if there is none."""
        first, last = self.column("period", "from"), self.column("period", "until")
        return (first[0], last[0]) if first and last else ("", "")
