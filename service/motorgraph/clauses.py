"""Shapes as a writer reads them: whom each is for, and clause by clause what it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyoxigraph as ox

from motorgraph.prefixes import Prefixes
from motorgraph.terms import Ontology, Term
from motorgraph.vocab import SH

TARGETS = {
    SH + "targetClass": "every instance of",
    SH + "targetSubjectsOf": "every subject of",
    SH + "targetObjectsOf": "every value of",
    SH + "targetNode": "the node",
}
"""Whom a shape is for, in words."""
_NAME = re.compile(r"(?<![\w<:.-])[a-z]+:[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that a shape asks for: of the values of a path (IRIs between angle brackets), or "" of the node itself."""

    path: str
    words: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    severity: str = "Violation"
    select: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Clause:  # Any: free JSON
        """From JSON."""
        return cls(values["path"], tuple(values["words"]), tuple(values["messages"]), values["severity"], values["select"])

    @property
    def is_about_one(self) -> str:
        """The predicate that is its whole path; "" for a longer one."""
        return self.path[1:-1] if self.path.count("<") == 1 and self.path[:1] == "<" and self.path[-1:] == ">" else ""


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape with a name: its targets by predicate, its clauses, and the IRIs that it speaks of."""

    term: Term
    targets: tuple[tuple[str, str], ...]
    clauses: tuple[Clause, ...]
    mentions: frozenset[str] = field(repr=False)

    def is_for(self, iri: str) -> bool:
        """Whether it is for the instances of a class."""
        return (SH + "targetClass", iri) in self.targets

    @property
    def severities(self) -> list[str]:
        """How grave breaches of it are, the gravest first."""
        return sorted(
            {clause.severity for clause in self.clauses}, key=lambda word: ("Violation", "Warning", "Info", word).index(word)
        )


class Shapes:
    """The shapes of one vocabulary. `told` has the clauses by shape, as `wording` tells them."""

    def __init__(self, vocabulary: Ontology, prefixes: Prefixes, told: Mapping[str, Sequence[Any]]) -> None:
        self.vocabulary = vocabulary
        self._prefixes = prefixes
        self.others = {iri: term for iri, term in vocabulary.terms.items() if iri not in told}
        shapes = [self._shape(term, told[iri]) for iri, term in vocabulary.terms.items() if iri in told]
        self.shapes = {shape.term.iri: shape for shape in sorted(shapes, key=lambda shape: shape.term.name.lower())}

    def _shape(self, term: Term, told: Sequence[Any]) -> Shape:
        clauses = tuple(Clause.of(values) for values in told)
        targets = [(predicate, iri) for predicate in TARGETS for iri in term.iris(predicate)]
        triples = list(self.vocabulary.statements.whole([term.iri]))
        iris = {node.value for triple in triples for node in (triple.predicate, triple.object) if isinstance(node, ox.NamedNode)}
        names = {name for clause in clauses for name in _NAME.findall(clause.select)}
        return Shape(term, tuple(targets), clauses, frozenset(iris | {self._prefixes.expanded(name) for name in names}))

    def of(self, module: str) -> list[Shape]:
        """The shapes that a module of shapes has."""
        return [shape for shape in self.shapes.values() if shape.term.module == module]

    def targeting(self, iri: str) -> list[Shape]:
        """The shapes that are for the instances of a class, or for the nodes that have a property."""
        return [shape for shape in self.shapes.values() if any(target == iri for _, target in shape.targets)]

    def naming(self, iri: str) -> list[Shape]:
        """The shapes that speak of a term and are not for it."""
        targeting = {shape.term.iri for shape in self.targeting(iri)}
        return [shape for shape in self.shapes.values() if iri in shape.mentions and shape.term.iri not in targeting]

    def asked(self, iris: Sequence[str]) -> dict[str, list[tuple[Shape, Clause]]]:
        """By property what shapes ask of it, of those that are for one of these classes."""
        found: dict[str, list[tuple[Shape, Clause]]] = {}
        for shape in self.shapes.values():
            if any(map(shape.is_for, iris)):
                for clause in shape.clauses:
                    if clause.is_about_one:
                        found.setdefault(clause.is_about_one, []).append((shape, clause))
        return found

    @cached_property
    def prefixes(self) -> list[tuple[str, str]]:
        """The prefixes that SPARQL constraints may use."""
        found = set()
        for iri in self.vocabulary.statements.iris:
            for node in self.vocabulary.statements.objects(iri, SH + "declare"):
                if isinstance(node, ox.BlankNode):
                    said = dict(self.vocabulary.statements.about(node))
                    values = [said.get(SH + name) for name in ("prefix", "namespace")]
                    if all(isinstance(value, ox.Literal) for value in values):
                        found.add(tuple(value.value for value in values if isinstance(value, ox.Literal)))
        return sorted(found)  # type: ignore[arg-type]  # pairs, since both are literals
