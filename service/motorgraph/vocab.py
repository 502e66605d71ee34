"""Namespaces and the names of the graphs, all below one base IRI."""

from __future__ import annotations

from dataclasses import dataclass

CANONICAL_BASE = "https://motorgraph.example"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
"""Of the ontology, the shapes and the curated data."""

DCAT = "http://www.w3.org/ns/dcat#"
DCATAP = "http://data.europa.eu/r5r/"
DCTERMS = "http://purl.org/dc/terms/"
EU = "http://publications.europa.eu/resource/authority/"
FOAF = "http://xmlns.com/foaf/0.1/"
FORMATS = "http://www.w3.org/ns/formats/"
AS = "https://www.w3.org/ns/activitystreams#"
LDES = "https://w3id.org/ldes#"
TREE = "https://w3id.org/tree#"
NP = "http://www.nanopub.org/nschema#"
OWL = "http://www.w3.org/2002/07/owl#"
PROV = "http://www.w3.org/ns/prov#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SCHEMA = "https://schema.org/"
SD = "http://www.w3.org/ns/sparql-service-description#"
SH = "http://www.w3.org/ns/shacl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SPDX = "http://spdx.org/rdf/terms#"
VCARD = "http://www.w3.org/2006/vcard/ns#"
VOID = "http://rdfs.org/ns/void#"
VOID_EXT = "http://ldf.fi/void-ext#"
XSD = "http://www.w3.org/2001/XMLSchema#"

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": DCTERMS,
    "np": NP,
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": PROV,
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": XSD,
}
"""Of the vocabularies that the graph uses."""
_KINDS = (
    "act assignment brand capacity claim component control-relation country dataset deal deal-role event exporter-group holding "
    "measure mention model observation operation organization original-source person place plant plant-unit proposition rate "
    "shareholding status-event technology territory verdict"
)
_CONCEPTS = "anonymity deal-kind evidence-grade market measure-kind modality stance status tariff-code value-kind verdict-outcome"


@dataclass(frozen=True, slots=True)
class Names:
    """The IRIs that depend on the base (a setting)."""

    base: str = CANONICAL_BASE

    def graph(self, name: str) -> str:
        """The IRI of a named graph, such as `accepted` or `source/founding-article`."""
        return f"{self.base}/graph/{name}"

    def thing(self, kind: str, slug: str) -> str:
        """The IRI of a thing, such as that of the kind `commit` with the slug `12`."""
        return f"{self.base}/id/{kind}/{slug}"

    def term(self, name: str) -> str:
        """The IRI of a term of the ontology, such as `quadsAdded`."""
        return f"{self.base}/ontology/{name}"

    def prefixes(self) -> dict[str, str]:
        """Short names for what the graph's IRIs begin with."""
        own = {kind: self.thing(kind, "") for kind in _KINDS.split()}
        own |= {scheme: f"{self.base}/concept/{scheme}/" for scheme in _CONCEPTS.split()}
        own |= {"graph": self.graph(""), "mg": self.term(""), "source": f"{self.base}/source/"}
        return PREFIXES | own
