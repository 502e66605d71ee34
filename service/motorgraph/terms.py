"""What is known of the terms of an ontology: kinds, words, places in the hierarchy, modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyoxigraph as ox

from motorgraph.search.likeness import likest_of
from motorgraph.statements import Node, Statements
from motorgraph.vocab import DCTERMS, OWL, RDF, RDFS, SKOS

ONTOLOGY = OWL + "Ontology"
VERSION = OWL + "versionIRI"
KINDS = {
    OWL + "Class": "class",
    RDFS + "Class": "class",
    OWL + "ObjectProperty": "object property",
    OWL + "DatatypeProperty": "datatype property",
    OWL + "AnnotationProperty": "annotation property",
    RDF + "Property": "property",
    RDFS + "Datatype": "datatype",
}
INDIVIDUAL = "individual"
PLURALS = {
    "class": "Classes",
    "object property": "Object properties",
    "datatype property": "Datatype properties",
    "annotation property": "Annotation properties",
    "property": "Properties",
    "datatype": "Datatypes",
    INDIVIDUAL: "Individuals",
}
"""The kinds in the order of the pages, with their headings."""
SUPERIORS = (RDFS + "subClassOf", RDFS + "subPropertyOf")
ALIGNMENTS = {
    OWL + "equivalentClass": "equivalent class",
    OWL + "equivalentProperty": "equivalent property",
    OWL + "sameAs": "same as",
    SKOS + "exactMatch": "exact match",
    SKOS + "closeMatch": "close match",
    SKOS + "broadMatch": "broad match",
    SKOS + "narrowMatch": "narrow match",
    SKOS + "relatedMatch": "related match",
    RDFS + "seeAlso": "see also",
}


@dataclass(frozen=True, slots=True)
class Thing:
    """A subject of the graph: `name` is what its IRI has below that of the ontology, `said` its objects by predicate."""

    iri: str
    name: str
    said: Mapping[str, Sequence[Node]]

    def texts(self, predicate: str) -> list[str]:
        """The literals of a predicate, in alphabetical order, those in English alone if there are any."""
        found = [node for node in self.said.get(predicate, ()) if isinstance(node, ox.Literal)]
        english = [node for node in found if (node.language or "").lower().split("-")[0] == "en"]
        return sorted(node.value for node in english or found)

    def iris(self, predicate: str) -> list[str]:
        """The IRIs that a predicate leads to, in alphabetical order."""
        return sorted(node.value for node in self.said.get(predicate, ()) if isinstance(node, ox.NamedNode))

    def text(self, *predicates: str) -> str:
        """The first literal of the first of the predicates that has one; "" if none has."""
        return next((text for predicate in predicates for text in self.texts(predicate)), "")

    @property
    def module(self) -> str:
        """The IRI of the module that defines it; "" if none does."""
        return next(iter(self.iris(RDFS + "isDefinedBy")), "")


class Term(Thing):
    """A class, property or individual."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """What it is: one of `PLURALS`."""
        types = self.iris(RDF + "type")
        return next((kind for iri, kind in KINDS.items() if iri in types), INDIVIDUAL)

    @property
    def is_property(self) -> bool:
        """Whether it is a property of any kind."""
        return self.kind.endswith("property")

    @property
    def other_types(self) -> list[str]:
        """Its types that do not tell its kind."""
        return [iri for iri in self.iris(RDF + "type") if iri not in KINDS and iri != OWL + "NamedIndividual"]

    @property
    def label(self) -> str:
        """Its name in words."""
        return self.text(RDFS + "label", SKOS + "prefLabel") or self.name

    @property
    def definition(self) -> str:
        """What it means; "" if that is not said."""
        return self.text(SKOS + "definition", RDFS + "comment")

    @property
    def superiors(self) -> list[str]:
        """The classes or properties that it is a case of."""
        return [iri for predicate in SUPERIORS for iri in self.iris(predicate)]

    @property
    def alignments(self) -> list[tuple[str, str]]:
        """How it relates to terms of other vocabularies, in words, and to which."""
        return [(words, iri) for predicate, words in ALIGNMENTS.items() for iri in self.iris(predicate)]

    @property
    def is_deprecated(self) -> bool:
        """Whether it is no longer to be used."""
        return "true" in [node.value for node in self.said.get(OWL + "deprecated", ())]

    @property
    def replacements(self) -> list[str]:
        """What is to be used in its place."""
        return self.iris(DCTERMS + "isReplacedBy")


class Module(Thing):
    """The header of an ontology: of the whole, or of one of its modules."""

    __slots__ = ()

    @property
    def title(self) -> str:
        """What it is called."""
        return self.text(DCTERMS + "title", RDFS + "label") or self.name

    @property
    def version(self) -> str:
        """The number of its version; "" if it has none."""
        return self.text(OWL + "versionInfo")


class Ontology:
    """The terms and modules of one graph (in that of the shapes the shapes are the terms). The root is the IRI of the whole."""

    def __init__(self, statements: Statements, root: str) -> None:
        self.statements = statements
        self.root = root
        self.written: dict[tuple[tuple[str, ...], str], bytes] = {}  # documents, by their subjects and format
        things = list(self._things())
        headers = [Module(iri, name, said) for iri, name, said in things if _is_header(said)]
        self.header = next((module for module in headers if module.iri == root), None)
        self.modules = {module.iri: module for module in headers if module.iri != root}
        self.terms = {iri: Term(iri, name, said) for iri, name, said in things if not _is_header(said) and iri != root}

    def _things(self) -> Iterator[tuple[str, str, Mapping[str, Sequence[Node]]]]:
        for iri in self.statements.iris:
            if iri == self.root or iri.startswith(self.root + "/"):
                said: dict[str, list[Node]] = {}
                for predicate, value in self.statements.about(ox.NamedNode(iri)):
                    said.setdefault(predicate, []).append(value)
                yield iri, iri[len(self.root) + 1 :], said

    def module(self, iri: str) -> Module | None:
        """The header with an IRI, or with that as the IRI of its version; None if there is none."""
        headers = [*self.modules.values(), *([self.header] if self.header else [])]
        return next((header for header in headers if iri in (header.iri, *header.iris(VERSION))), None)

    def document(self, iri: str) -> list[str] | None:
        """The subjects that are answered together: all, or a module with its terms; None if the IRI is that of no document."""
        module = self.module(iri)
        if iri == self.root or (module and module.iri == self.root):
            return self.statements.iris
        return sorted([module.iri, *(term.iri for term in self.of(module.iri))]) if module else None

    @cached_property
    def iris(self) -> frozenset[str]:
        """The IRIs of the whole, its modules and terms."""
        return frozenset({self.root} | self.modules.keys() | self.terms.keys())

    @cached_property
    def by_kind(self) -> dict[str, list[Term]]:
        """The terms of each kind, in alphabetical order."""
        found: dict[str, list[Term]] = {kind: [] for kind in PLURALS}
        for term in sorted(self.terms.values(), key=lambda term: term.name.lower()):
            found[term.kind].append(term)
        return {kind: terms for kind, terms in found.items() if terms}

    def of(self, module: str) -> list[Term]:
        """The terms that a module defines, classes first."""
        return [term for terms in self.by_kind.values() for term in terms if term.module == module]

    def classes(self, module: str) -> list[Term]:
        """The classes that a module defines."""
        return [term for term in self.by_kind.get("class", []) if term.module == module]

    def inferiors(self, iri: str) -> list[Term]:
        """The terms that are a case of this one."""
        return self._inferiors.get(iri, [])

    def lineage(self, iri: str) -> list[str]:
        """A class and all its superclasses, the near ones first."""
        found = [iri]
        for each in found:
            term = self.terms.get(each)
            found += [above for above in (term.superiors if term else ()) if above not in found]
        return found

    def leading_from(self, iri: str) -> list[Term]:
        """The properties that a class is named for as domain."""
        return self._by_domain.get(iri, [])

    def leading_to(self, iri: str) -> list[Term]:
        """The properties that a class is named for as range."""
        return self._by_range.get(iri, [])

    def domain(self, term: Term) -> list[str]:
        """The classes whose instances are expected as subjects of a property."""
        return [*term.iris(RDFS + "domain"), *term.iris(self.root + "/domainIncludes")]

    def range(self, term: Term) -> list[str]:
        """The classes or datatypes whose instances are expected as values of a property."""
        return [*term.iris(RDFS + "range"), *term.iris(self.root + "/rangeIncludes")]

    @cached_property
    def _inferiors(self) -> dict[str, list[Term]]:
        return self._grouped(lambda term: term.superiors)

    @cached_property
    def _by_domain(self) -> dict[str, list[Term]]:
        return self._grouped(self.domain)

    @cached_property
    def _by_range(self) -> dict[str, list[Term]]:
        return self._grouped(self.range)

    def _grouped(self, keys: Callable[[Term], list[str]]) -> dict[str, list[Term]]:
        found: dict[str, list[Term]] = {}
        for terms in self.by_kind.values():
            for term in terms:
                for key in keys(term):
                    found.setdefault(key, []).append(term)
        return found

    def near(self, name: str) -> list[Term]:
        """The terms whose names or labels are most like a name that there is not."""
        return [self.terms[iri] for iri in likest_of(name, {iri: term.label for iri, term in self.terms.items()})]


def _is_header(said: Mapping[str, Sequence[Node]]) -> bool:
    return any(isinstance(node, ox.NamedNode) and node.value == ONTOLOGY for node in said.get(RDF + "type", ()))
