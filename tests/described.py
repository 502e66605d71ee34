"""Reads the descriptions that a service gives, for the tests of each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag

import httpx
import pyoxigraph as ox
import pyshacl
from rdflib import RDF, Graph, Namespace

from tests.running import Service

CASES = Path(__file__).parent / "cases" / "catalogue"
SH = Namespace("http://www.w3.org/ns/shacl#")
PREFIXES = """PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX foaf: <http://xmlns.com/foaf/0.1/> PREFIX mg: <https://motorgraph.example/ontology/>
PREFIX prov: <http://www.w3.org/ns/prov#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/> PREFIX sd: <http://www.w3.org/ns/sparql-service-description#>
PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX spdx: <http://spdx.org/rdf/terms#> PREFIX void: <http://rdfs.org/ns/void#> PREFIX void-ext: <http://ldf.fi/void-ext#>
"""
NTRIPLES = "application/n-triples"
DATASET = "https://motorgraph.example/dataset/motorgraph"


@dataclass
class Told:
    """A description: its N-Triples, and a store of it to be asked."""

    text: str
    store: ox.Store

    @classmethod
    def of(cls, text: str) -> Told:
        store = ox.Store()
        store.bulk_load(text.encode(), ox.RdfFormat.N_TRIPLES)
        return cls(text, store)

    def rows(self, query: str) -> list[tuple[str, ...]]:
        """The rows of a SELECT as plain values, "" where one is not bound."""
        solutions = self.store.query(PREFIXES + query)
        assert isinstance(solutions, ox.QuerySolutions)
        return [tuple("" if term is None else term.value for term in row) for row in solutions]

    def ask(self, query: str) -> bool:
        return bool(self.store.query(PREFIXES + query))

    def one(self, query: str) -> str:
        """The only value of a SELECT."""
        ((value,),) = self.rows(query)
        return value

    def addresses(self, origin: str) -> set[str]:
        """Every address of the host itself that it names, without fragments."""
        terms = {term for quad in self.store for term in (quad.subject, quad.object) if isinstance(term, ox.NamedNode)}
        return {urldefrag(term.value)[0] for term in terms if term.value.startswith(origin)}


def response(service: Service, path: str, **headers: str) -> httpx.Response:
    """A description in N-Triples, or whatever `headers` ask for."""
    return service.client.get(path, headers={"Accept": NTRIPLES, **headers})


def told(service: Service, path: str) -> Told:
    """The description at an address."""
    found = response(service, path)
    assert found.status_code == 200, found.text
    return Told.of(found.text)


def findings(text: str, rules: str) -> list[tuple[str, str, str]]:
    """What the rules in tests/cases/catalogue find in N-Triples: severity, focus node and path of each."""
    data = Graph().parse(data=text, format="nt")
    _, report, _ = pyshacl.validate(data, shacl_graph=Graph().parse(CASES / f"{rules}.ttl"))
    return [
        tuple(str(report.value(result, of)) for of in (SH.resultSeverity, SH.focusNode, SH.resultPath))  # type: ignore[misc]
        for result in report.subjects(RDF.type, SH.ValidationResult)
    ]


def unanswered(service: Service, addresses: set[str]) -> list[str]:
    """Those of these addresses that do not answer, redirects followed; of very many of one kind a sample is asked."""
    many = [sorted(a for a in addresses if part in a) for part in ("/graphs?", "/dumps/")]
    asked = [*(addresses - {a for kind in many for a in kind}), *(a for kind in many for a in kind[:5] + kind[5::30])]
    return [a for a in asked if service.client.head(a, follow_redirects=True).status_code != 200]
