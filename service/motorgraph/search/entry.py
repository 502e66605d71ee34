"""What is known of a thing by which it can be found, as it is gathered from a graph: its names, its kind, its weight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, islice
from math import log1p

import pyoxigraph as ox

from motorgraph.engine.delta import NQUADS, Written
from motorgraph.vocab import DCTERMS, OWL, RDF, RDFS, SCHEMA, SKOS, Names

MOST_NAMES = 40
"""Of one thing."""
MOST_COUNTED = 500
"""Statements about a thing, and statements that point to it, that add to its weight."""
TYPE = ox.NamedNode(RDF + "type")
WORST = 99
DEFAULT = ox.DefaultGraph()


class Role(IntEnum):
    """What a name is to its thing, the best first."""

    LABEL = 0
    SENTENCE = 1
    """What is said, of a thing that has no other name."""
    IDENTIFIER = 2
    ALIAS = 3
    CONTEXT = 4
    """No name of it, but a word by which one looks for it, such as the town."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing: its kind in one word, its weight (0 to 1: how much is said of it), its names, of which the first is its label."""

    iri: str
    kind: str
    weight: float
    names: tuple[tuple[Role, str], ...]

    @property
    def label(self) -> str:
        """What it is called."""
        return self.names[0][1]


@dataclass(frozen=True, slots=True)
class Look:
    """A store to look into, whose default graph is the merge of the others if it is a `union`, and the names of a service."""

    store: ox.Store
    names: Names
    union: bool

    def quads(
        self, subject: ox.NamedNode | None, predicate: ox.NamedNode | None, value: ox.NamedNode | ox.Literal | None
    ) -> Iterator[ox.Quad]:
        """The statements of a pattern; where graphs are apart one may come from each."""
        return self.store.quads_for_pattern(subject, predicate, value, DEFAULT if self.union else None)

    def values(
        self, subject: ox.NamedNode, predicate: ox.NamedNode
    ) -> list[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple]:
        """The values of a property, each once, in order."""
        return sorted({quad.object for quad in self.quads(subject, predicate, None)}, key=str)

    def classes(self, subject: ox.NamedNode) -> list[str]:
        """The classes of a thing."""
        return [value.value for value in self.values(subject, TYPE) if isinstance(value, ox.NamedNode)]


def _naming(names: Names) -> dict[ox.NamedNode, tuple[Role, int]]:
    """What the value of each property that names a thing is to it, and the place of the property among those."""
    own = names.term
    properties = {
        Role.LABEL: [SKOS + "prefLabel", RDFS + "label", DCTERMS + "title"],
        Role.SENTENCE: [own("statementText")],
        Role.IDENTIFIER: [
            *(own(name) for name in ("wmiCode", "countryCode", "countryCodeLong", "additionalCode", "nsiId", "vpicId")),
            *(SCHEMA + name for name in ("tickerSymbol", "leiCode", "identifier")),
            *(DCTERMS + "identifier", SKOS + "notation"),
        ],
        Role.ALIAS: [
            *(SKOS + name for name in ("altLabel", "hiddenLabel")),
            *(SCHEMA + name for name in ("legalName", "alternateName", "name")),
        ],
        Role.CONTEXT: [own(name) for name in ("locality", "localityInRegister", "makeText", "matterText")],
    }
    return {ox.NamedNode(iri): (role, place) for role, iris in properties.items() for place, iri in enumerate(iris)}


ELSEWHERE = tuple(ox.NamedNode(iri) for iri in (SKOS + "exactMatch", SKOS + "closeMatch", SCHEMA + "sameAs", OWL + "sameAs"))
"""Links to the same thing in other data sets, whose last part is an identifier of it there."""


CLASS, PROPERTY = "class", "property"
"""Kinds of terms."""
_CLASSES = {OWL + "Class", RDFS + "Class"}


class Gatherer:
    """Gathers entries from a store."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._kind = ox.NamedNode(look.names.term("kind"))
        self._naming = _naming(look.names)
        self._telling = (TYPE, self._kind, *ELSEWHERE, *self._naming)
        self._start = look.names.base + "/"

    def all(self) -> Iterator[Entry]:
        """Every thing that has a class and a name."""
        said: dict[ox.NamedNode, list[ox.Quad]] = {}
        for predicate in self._telling:
            for quad in self._look.quads(None, predicate, None):
                if isinstance(quad.subject, ox.NamedNode):
                    said.setdefault(quad.subject, []).append(quad)
        about, pointing = self._counted("?s"), self._counted("?o")
        for thing, quads in said.items():
            entry = self._entry(thing, quads, (about.get(thing.value, 0), pointing.get(thing.value, 0)))
            if entry is not None:
                yield entry

    def entry(self, thing: ox.NamedNode) -> Entry | None:
        """What is known of a thing; None if it has no class or no name."""
        said = [quad for predicate in self._telling for quad in self._look.quads(thing, predicate, None)]
        about = sum(1 for _ in islice(self._look.quads(thing, None, None), MOST_COUNTED))
        pointing = sum(1 for _ in islice(self._look.quads(None, None, thing), MOST_COUNTED))
        return self._entry(thing, said, (about, pointing))

    def _counted(self, place: str) -> dict[str, int]:
        """How many statements have a thing at this place."""
        text = f"SELECT {place} (COUNT(*) AS ?n) {{ ?s ?p ?o FILTER(ISIRI({place})) }} GROUP BY {place}"
        rows = self._look.store.query(text, use_default_graph_as_union=not self._look.union)
        assert isinstance(rows, ox.QuerySolutions)
        return {row[0].value: int(row[1].value) for row in rows}

    def _entry(self, thing: ox.NamedNode, said: Sequence[ox.Quad], counts: tuple[int, int]) -> Entry | None:
        classes = {quad.object.value for quad in said if quad.predicate == TYPE and isinstance(quad.object, ox.NamedNode)}
        names = self._names(thing, said) if classes else ()
        if not names:
            return None
        weight = log1p(sum(min(count, MOST_COUNTED) for count in counts)) / log1p(2 * MOST_COUNTED)
        return Entry(thing.value, self._kind_of(thing.value, said, classes), weight, names)

    def _names(self, thing: ox.NamedNode, said: Iterable[ox.Quad]) -> tuple[tuple[Role, str], ...]:
        """The names, the label first and the slug last; none if there is nothing that could be a label."""
        found: dict[tuple[Role, str], tuple[int, bool]] = {}
        for quad in said:
            role, rank = self._naming.get(quad.predicate, (Role.IDENTIFIER, WORST))
            value = quad.object
            if isinstance(value, ox.Literal) and quad.predicate in self._naming and value.value.strip():
                is_foreign = (value.language or "en").partition("-")[0] != "en"
                key = (role, value.value.strip())
                found[key] = min(found.get(key, (WORST, True)), (rank, is_foreign))
            elif quad.predicate in ELSEWHERE and isinstance(value, ox.NamedNode):
                found[Role.IDENTIFIER, last(value.value)] = (WORST, False)
        ordered = [key for key, _ in sorted(found.items(), key=lambda item: (item[0][0], item[1], item[0][1]))]
        if not ordered or ordered[0][0] > Role.SENTENCE:
            return ()
        others = [(Role.ALIAS if role is Role.LABEL else role, text) for role, text in ordered[1:]]
        return (ordered[0], *others[:MOST_NAMES], (Role.IDENTIFIER, last(thing.value)))

    def _kind_of(self, iri: str, said: Sequence[ox.Quad], classes: set[str]) -> str:
        """The kind of a thing: what it says itself, what its IRI says, or its class."""
        told = sorted(quad.object.value for quad in said if quad.predicate == self._kind and isinstance(quad.object, ox.Literal))
        path = iri.removeprefix(self._start).split("/") if iri.startswith(self._start) else []
        if classes & _CLASSES:
            return CLASS
        if any(name.startswith((OWL, RDF)) and name.endswith("Property") for name in classes):
            return PROPERTY
        if path and path[0] in ("ontology", "shapes"):
            return path[0].removesuffix("s")
        if told:
            return told[0]
        if len(path) > 2 and path[0] in ("id", "concept"):
            return path[1]
        return path[0] if len(path) > 1 else _dashed(last(min(classes)))


def touched(change: Written) -> set[ox.NamedNode]:
    """The things whose entries a change may have changed: all that it speaks of."""
    parts = (change.removed, change.added, *change.derived, change.catalogued)
    quads = chain.from_iterable(ox.parse(part, NQUADS) for part in parts)
    return {term for quad in quads for term in (quad.subject, quad.object) if isinstance(term, ox.NamedNode)}


def last(iri: str) -> str:
    """The last part of an IRI."""
    found = iri.rstrip("/#").rpartition("#")[2].rpartition("/")[2]
    return found if found != iri else iri.rpartition(":")[2]


def _dashed(name: str) -> str:
    """`LegalAct` as `legal-act`."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).strip("-")
