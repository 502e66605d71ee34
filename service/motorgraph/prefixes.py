"""Short names of IRIs: the prefixes that our own Turtle and pages use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

OWN = {"mg": "ontology/", "module": "ontology/module/", "scheme": "scheme/", "shapes": "shapes/"}
FOREIGN = {
    "bibo": "http://purl.org/ontology/bibo/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "np": "http://www.nanopub.org/nschema#",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "time": "http://www.w3.org/2006/time#",
    "wd": "http://www.wikidata.org/entity/",
    "wdt": "http://www.wikidata.org/prop/direct/",
    "wgs": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_LOCAL = re.compile(r"[A-Za-z_](?:[\w.-]*[\w-])?", re.ASCII)


@dataclass(frozen=True)
class Prefixes:
    """The prefixes of one service, whose own begin with its base."""

    base: str

    @cached_property
    def namespaces(self) -> dict[str, str]:
        """The namespace of each prefix, in alphabetical order of these."""
        own = {prefix: f"{self.base}/{path}" for prefix, path in OWN.items()}
        return dict(sorted({**own, **FOREIGN}.items()))

    @cached_property
    def _by_length(self) -> list[tuple[str, str]]:
        return sorted(((space, prefix) for prefix, space in self.namespaces.items()), key=lambda pair: -len(pair[0]))

    def shortened(self, iri: str) -> str:
        """The IRI as a prefixed name; "" if no prefix fits."""
        for space, prefix in self._by_length:
            if iri.startswith(space):
                local = iri[len(space) :]
                return f"{prefix}:{local}" if _LOCAL.fullmatch(local) else ""
        return ""

    def named(self, iri: str) -> str:
        """The IRI as a prefixed name, else in full between angle brackets: as Turtle and SPARQL write it."""
        return self.shortened(iri) or f"<{iri}>"

    def expanded(self, name: str) -> str:
        """The IRI of a prefixed name; "" if the prefix is not known."""
        prefix, _, local = name.partition(":")
        space = self.namespaces.get(prefix)
        return space + local if space else ""
