"""A form made from the shapes: for a class its properties as fields, each with what the shapes and the ontology say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyoxigraph as ox

from motorgraph.prefixes import Prefixes
from motorgraph.statements import Node, Statements
from motorgraph.terms import Ontology
from motorgraph.vocab import RDF, SCHEMA, SH, SKOS, XSD

LANGUAGE_TEXT = RDF + "langString"
INPUTS = {
    XSD + "date": "date",
    XSD + "integer": "number",
    XSD + "decimal": "number",
    XSD + "boolean": "select",
    XSD + "anyURI": "url",
}
"""How a datatype is typed in."""
_LONG = ("statementText", "editorialNote", "quotedText")
_URL = SCHEMA + "url"
_MOST_MEMBERS = 100
_CHOICES = ("or", "and", "xone")


@dataclass(frozen=True, slots=True)
class Field:
    """One property of a node. `classes` are those whose instances it takes, `schemes` those whose concepts, `choices` terms.

    `datatype` is that of its literals, "" where it takes a thing; `message` is what the shapes say when it is wrong.
    """

    path: str
    name: str
    label: str
    hint: str = ""
    message: str = ""
    datatype: str = ""
    classes: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    is_required: bool = False
    is_many: bool = True
    is_asked: bool = True
    """Whether a shape speaks of it, and not the ontology alone."""

    @property
    def is_thing(self) -> bool:
        """Whether it takes a thing, to be named by its IRI or name."""
        return not self.datatype and not self.schemes

    @property
    def input(self) -> str:
        """How it is typed in: select, textarea, or the type of an input."""
        if self.schemes or self.choices:
            return "select"
        if any(self.path.endswith(name) for name in _LONG):
            return "textarea"
        return "text" if self.is_day else INPUTS.get(self.datatype, "text")

    @property
    def is_day(self) -> bool:
        """Whether it takes a day, for which a month or year may be all that is known."""
        return self.path.endswith("/reportedOn")

    @property
    def has_language(self) -> bool:
        """Whether it takes words in a language."""
        return self.datatype == LANGUAGE_TEXT

    @property
    def step(self) -> str:
        """Between which numbers a number lies; "" for what is none."""
        return {XSD + "integer": "1", XSD + "decimal": "any"}.get(self.datatype, "")


class Blueprint:
    """The shapes and the ontology of one commit, as a form needs them."""

    def __init__(self, shapes: Statements, ontology: Ontology, prefixes: Prefixes) -> None:
        self._shapes = shapes
        self._ontology = ontology
        self._prefixes = prefixes
        self._targeting: dict[str, list[str]] = {}
        for iri in shapes.iris:
            for kind in _iris(shapes.objects(iri, SH + "targetClass")):
                self._targeting.setdefault(kind, []).append(iri)

    def fields(self, kind: str, without: Iterable[str] = ()) -> list[Field]:
        """The fields of an instance of a class: what is required, what the shapes ask (words first), what the ontology has."""
        asked: dict[str, list[Mapping[str, list[Node]]]] = {}
        for shape in self._targeting.get(kind, ()):
            for node in self._shapes.objects(shape, SH + "property"):
                said = self._said(node)
                for path in _iris(said.get(SH + "path", ())):
                    asked.setdefault(path, []).append(said)
        for path in self._chosen(kind):
            asked.setdefault(path, [])
        more = [
            term.iri for term in self._ontology.leading_from(kind) if term.kind == "datatype property" and not term.is_deprecated
        ]
        unwanted = set(without)
        paths = [path for path in dict.fromkeys((*asked, *more)) if path not in unwanted]
        found = [replace(self._field(path, asked.get(path, [])), is_asked=path in asked) for path in paths]
        return sorted(found, key=lambda field: (not field.is_required, not field.is_asked, field.input != "textarea"))

    def notes(self, kind: str) -> list[str]:
        """What the shapes say of an instance as a whole."""
        found: list[str] = []
        for shape in self._targeting.get(kind, ()):
            if any(self._shapes.objects(shape, SH + name) for name in ("or", "xone", "not")):
                found += [node.value for node in self._shapes.objects(shape, SH + "message") if isinstance(node, ox.Literal)]
        return found

    def _field(self, path: str, said: Sequence[Mapping[str, list[Node]]]) -> Field:
        """A property as a field, from all that property shapes say of it."""

        def values(name: str) -> list[Node]:
            return [value for each in said for value in each.get(SH + name, ())]

        term = self._ontology.terms.get(path)
        classes = _iris(values("class")) + [c for listed in values("or") for m in self._members(listed) for c in self._classes(m)]
        datatype = next(iter(_iris(values("datatype"))), "")
        if not datatype and not classes and not any(node == ox.NamedNode(SH + "IRI") for node in values("nodeKind")):
            datatype = self._datatype(path)
        schemes = [scheme for node in values("node") for scheme in self._schemes(node)]
        messages = [node.value for node in values("message") if isinstance(node, ox.Literal)]
        most = [int(node.value) for node in values("maxCount") if isinstance(node, ox.Literal)]
        return Field(
            path,
            self._prefixes.shortened(path) or path,
            term.label if term else _spoken(path),
            term.definition if term else "",
            messages[0] if messages else "",
            "" if schemes or classes else datatype,
            tuple(dict.fromkeys(classes)),
            tuple(schemes),
            tuple(str(m.value) for listed in values("in") for m in self._members(listed) if not isinstance(m, ox.BlankNode)),
            any(isinstance(node, ox.Literal) and int(node.value) > 0 for node in values("minCount")),
            not (most and min(most) == 1),
        )

    def _chosen(self, kind: str) -> list[str]:
        """The properties among which the shapes of a class let choose (`sh:or` with `sh:and` within)."""
        found: list[str] = []
        nodes: list[Node] = [ox.NamedNode(shape) for shape in self._targeting.get(kind, ())]
        for node in nodes:
            said = self._said(node)
            listed = [value for name in _CHOICES for value in said.get(SH + name, ())]
            nodes += [member for each in listed for member in self._members(each)][: _MOST_MEMBERS - len(nodes)]
            if isinstance(node, ox.BlankNode):
                found += _iris(said.get(SH + "path", ()))
        return found

    def _datatype(self, path: str) -> str:
        """The datatype by the ontology; words in a language where it says none."""
        term = self._ontology.terms.get(path)
        ranges = self._ontology.range(term) if term else []
        known = next((iri for iri in ranges if iri.startswith(XSD) or iri == LANGUAGE_TEXT), "")
        return known or (XSD + "anyURI" if path == _URL else "" if term and term.kind == "object property" else LANGUAGE_TEXT)

    def _schemes(self, node: Node) -> Iterator[str]:
        """The schemes of which a shape wants a concept."""
        for inner in self._said(node).get(SH + "property", ()):
            said = self._said(inner)
            if SKOS + "inScheme" in _iris(said.get(SH + "path", ())):
                yield from _iris(said.get(SH + "hasValue", ()))

    def _classes(self, node: Node) -> list[str]:
        return _iris(self._said(node).get(SH + "class", ()))

    def _members(self, listed: Node) -> list[Node]:
        members: list[Node] = []
        while isinstance(listed, ox.BlankNode) and len(members) < _MOST_MEMBERS:
            said = self._said(listed)
            members += said.get(RDF + "first", ())
            listed = next(iter(said.get(RDF + "rest", ())), ox.NamedNode(RDF + "nil"))
        return members

    def _said(self, node: Node) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        if not isinstance(node, ox.Literal):
            for predicate, value in self._shapes.about(node):
                found.setdefault(predicate, []).append(value)
        return found


def _iris(nodes: Iterable[Any]) -> list[str]:  # Any: nodes of several kinds
    return [node.value for node in nodes if isinstance(node, ox.NamedNode)]


def _spoken(iri: str) -> str:
    """The last part of an IRI in words."""
    name = iri.replace("#", "/").rpartition("/")[2]
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
