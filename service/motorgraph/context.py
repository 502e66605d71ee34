"""The JSON-LD context: short names for what the graph says, made from the ontology and the shapes that the graph holds.

Own terms have their local names. A property that leads to things is of type `@id`, one with a single datatype other than a string
is of that datatype, one of texts in a language is of English; it is an array, unless every shape that has it allows one value.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

from motorgraph.entity import Answered, Asking, Dialect, Question
from motorgraph.literal import quoted, text_of
from motorgraph.namespaces import KNOWN, OWN_TERMS
from motorgraph.vocab import DCTERMS, PROV, RDF, RDFS, SCHEMA, SKOS, XSD, Names

LANGUAGE = "en"
KEYWORDS = {"id": "@id", "type": "@type", "reverse": "@reverse"}
SHACL = KNOWN["sh"]
OWL = KNOWN["owl"]
WGS = KNOWN["wgs"]
ELI = KNOWN["eli"]
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Term:
    """The short name of a property, what a plain value of it is (an IRI, a datatype, a language), whether it has one value."""

    name: str
    iri: str
    type: str = ""
    language: str = ""
    is_single: bool = False

    def definition(self, shortened: str, type_shortened: str) -> str | dict[str, str]:
        """The term as a context has it, its IRI and datatype shortened."""
        found = {"@id": shortened}
        if self.type:
            found["@type"] = type_shortened
        if self.language:
            found["@language"] = self.language
        if not self.is_single:
            found["@container"] = "@set"
        return found if len(found) > 1 else shortened


def _borrowed(namespace: str, names: str, **more: str | bool) -> list[Term]:
    return [Term(name, namespace + name, **more) for name in names.split()]  # type: ignore[arg-type]  # the fields of a Term


BORROWED = (
    Term("label", SKOS + "prefLabel", language=LANGUAGE, is_single=True),
    Term("title", DCTERMS + "title", language=LANGUAGE, is_single=True),
    Term("name", RDFS + "label", language=LANGUAGE, is_single=True),
    *_borrowed(SKOS, "altLabel definition example scopeNote editorialNote note changeNote", language=LANGUAGE),
    *_borrowed(SKOS, "notation"),
    *_borrowed(SKOS, "broader broaderTransitive narrower related inScheme topConceptOf hasTopConcept", type="@id"),
    *_borrowed(SKOS, "exactMatch closeMatch broadMatch narrowMatch relatedMatch", type="@id"),
    *_borrowed(DCTERMS, "description", language=LANGUAGE),
    *_borrowed(DCTERMS, "source publisher license isReplacedBy isPartOf references", type="@id"),
    *_borrowed(DCTERMS, "issued", type=XSD + "date"),
    *_borrowed(DCTERMS, "identifier bibliographicCitation rights"),
    *_borrowed(SCHEMA, "url", type=XSD + "anyURI"),
    *_borrowed(SCHEMA, "sameAs brand appearance itemReviewed", type="@id"),
    *_borrowed(SCHEMA, "legalName keywords", language=LANGUAGE),
    *_borrowed(SCHEMA, "foundingDate bodyType fuelType tickerSymbol"),
    *_borrowed(WGS, "lat long", type=XSD + "decimal", is_single=True),
    *_borrowed(PROV, "wasAttributedTo wasDerivedFrom hadPrimarySource wasAssociatedWith influenced", type="@id"),
    *_borrowed(PROV, "startedAtTime endedAtTime generatedAtTime", type=XSD + "dateTime"),
    *_borrowed(KNOWN["foaf"], "homepage", type="@id"),
    *_borrowed(KNOWN["org"], "subOrganizationOf memberOf", type="@id"),
    *_borrowed(ELI, "jurisdiction passed_by amends based_on corrects", type="@id"),
    *_borrowed(ELI, "date_document date_publication date_applicability date_no_longer_in_force", type=XSD + "date"),
)
"""Properties of other vocabularies that the graph uses, by their local names but for the three that name things."""


@dataclass(slots=True)
class Context:
    """Terms by the IRI of their property, and what shortens every other IRI. `used` gathers what a document has needed."""

    names: Names
    terms: dict[str, Term]
    used: dict[str, object] = field(default_factory=dict)

    @property
    def whole(self) -> dict[str, object]:
        """All of it, as a JSON-LD document has it under `@context`."""
        told: dict[str, object] = {**self._start(), **KNOWN, OWN_TERMS: self.names.term("")}
        for term in sorted(self.terms.values(), key=lambda term: term.name):
            told[term.name] = self._definition(term)
        return told

    @property
    def needed(self) -> dict[str, object]:
        """What was needed of it so far."""
        return self._start() | dict(sorted(self.used.items()))

    def _start(self) -> dict[str, object]:
        return {"@version": 1.1, "@vocab": self.names.term(""), **KEYWORDS}

    def _definition(self, term: Term) -> str | dict[str, str]:
        return term.definition(self.shortened(term.iri), term.type if term.type == "@id" else self.shortened(term.type))

    def term(self, iri: str) -> Term:
        """The term of a property; one that has no short name has its IRI, shortened, for a name."""
        found = self.terms.get(iri)
        if found is None:
            return Term(self.called(iri), iri)
        if found.name not in self.used:
            self.used[found.name] = self._definition(found)
        return found

    def called(self, iri: str) -> str:
        """What stands for the IRI of a class, or of a property without a term: its local name if it is our own."""
        start = self.names.term("")
        name = iri.removeprefix(start) if iri.startswith(start) else ""
        is_free = name and _NAME.fullmatch(name) and name not in KEYWORDS and all(name != t.name for t in BORROWED)
        return name if is_free else self.shortened(iri)

    def shortened(self, iri: str) -> str:
        """A compact IRI where a prefix is known, else the IRI."""
        for prefix, namespace in {**KNOWN, OWN_TERMS: self.names.term("")}.items():
            if iri.startswith(namespace) and _NAME.fullmatch(iri[len(namespace) :].replace("_", "-")):
                self.used.setdefault(prefix, namespace)
                return f"{prefix}:{iri[len(namespace) :]}"
        return iri


def context(names: Names, dialect: Dialect, properties: Iterable[str] | None = None) -> Generator[Question, Answered, Context]:
    """The steps to the context of a graph, with the own terms of these properties, or of all."""
    told = yield from _described(names, dialect, properties)
    kinds: dict[str, set[str]] = {}
    ranges: dict[str, set[str]] = {}
    counts: dict[str, set[str]] = {}
    sorting = {RDF + "type": kinds, names.term("rangeIncludes"): ranges, SHACL + "maxCount": counts}
    for subject, predicate, value in told:
        sorting[predicate[1:-1]].setdefault(subject[1:-1], set()).add(value[1:-1] if value[0] == "<" else text_of(value))
    terms = {term.iri: term for term in BORROWED}
    for iri in kinds:
        name = iri.removeprefix(names.term(""))
        if _NAME.fullmatch(name) and name not in KEYWORDS and all(name != term.name for term in BORROWED):
            terms[iri] = _own(name, iri, kinds[iri], ranges.get(iri, set()), is_single=counts.get(iri) == {"1"})
    return Context(names, terms)


def _described(names: Names, dialect: Dialect, properties: Iterable[str] | None) -> Asking:
    """What the graph says of properties: that they are such, their ranges, how many values their shapes allow (0: any)."""
    start = names.term("")
    if properties is None:
        given = f"FILTER(STRSTARTS(STR(?s), {quoted(start)}))"
    else:
        given = f"VALUES ?s {{ {' '.join(f'<{iri}>' for iri in properties if iri.startswith(start))} }}"
    kinds = " ".join(f"<{OWL}{kind}>" for kind in ("ObjectProperty", "DatatypeProperty"))
    rdf_type, ranges, path, most = f"<{RDF}type>", f"<{names.term('rangeIncludes')}>", f"<{SHACL}path>", f"<{SHACL}maxCount>"
    holds = dialect.holds
    return (
        yield Question(
            f"{given} {{ VALUES ?o {{ {kinds} }} {holds('?s', rdf_type, '?o')} BIND({rdf_type} AS ?p) }}"
            f" UNION {{ {holds('?s', ranges, '?o')} BIND({ranges} AS ?p) }}"
            f" UNION {{ {holds('?shape', path, '?s')} OPTIONAL {{ {holds('?shape', most, '?count', '?i')} }}"
            f" BIND(COALESCE(?count, 0) AS ?o) BIND({most} AS ?p) }}"
        )
    )


def _own(name: str, iri: str, kinds: Iterable[str], ranges: Sequence[str] | set[str], *, is_single: bool) -> Term:
    """The term of one of our own properties."""
    if OWL + "ObjectProperty" in kinds:
        return Term(name, iri, "@id", is_single=is_single)
    only = next(iter(ranges)) if len(ranges) == 1 else ""
    if only == RDF + "langString":
        return Term(name, iri, language=LANGUAGE, is_single=is_single)
    is_typed = only.startswith(XSD) and only != XSD + "string"
    return Term(name, iri, only if is_typed else "", is_single=is_single)
