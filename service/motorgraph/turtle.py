"""Turtle as a person writes it: a block for each subject, in order, with blank nodes and lists in their places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from motorgraph.prefixes import Prefixes
from motorgraph.statements import Node, Statements, Subject
from motorgraph.vocab import RDF, XSD

INDENT = "    "
_PREFIX_OF_NAME = re.compile(r"(?<![\w<:/])([a-z]+):[A-Za-z_]")
_BARE = {
    XSD + "integer": re.compile(r"[+-]?\d+"),
    XSD + "decimal": re.compile(r"[+-]?\d*\.\d+"),
    XSD + "boolean": re.compile(r"true|false"),
}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_MOST_DEPTH = 100


class Turtle:
    """Writes subjects of a graph. A blank node that two triples point to has a label, each other one stands in its place."""

    def __init__(self, statements: Statements, prefixes: Prefixes) -> None:
        self._statements = statements
        self._prefixes = prefixes

    def document(self, iris: Iterable[str]) -> str:
        """The subjects with the prefixes that they use."""
        blocks = self._blocks(list(iris))
        used = {name for block in blocks for name in _PREFIX_OF_NAME.findall(block)}
        spaces = self._prefixes.namespaces.items()
        head = "".join(f"@prefix {prefix}: <{space}> .\n" for prefix, space in spaces if prefix in used)
        return "\n".join([head, *blocks])

    def block(self, iri: str) -> str:
        """All that is said of one subject."""
        return "\n".join(self._blocks([iri]))

    def _blocks(self, iris: list[str]) -> list[str]:
        labelled = self._labelled(iris)
        blocks = [self._block(self._prefixes.named(iri), ox.NamedNode(iri), labelled) for iri in iris]
        others = [node for node in sorted(labelled, key=lambda node: node.value) if self._statements.about(node)]
        return blocks + [self._block(_label(node), node, labelled) for node in others]

    def _labelled(self, iris: Iterable[str]) -> frozenset[ox.BlankNode]:
        """The blank nodes below the subjects that cannot stand in place: two triples point to them, or they lie too deep."""
        seen: set[ox.BlankNode] = set()
        labelled: set[ox.BlankNode] = set()
        todo: list[tuple[Subject, int]] = [(ox.NamedNode(iri), 0) for iri in iris]
        while todo:
            subject, depth = todo.pop()
            for predicate, value in self._statements.about(subject):
                if not isinstance(value, ox.BlankNode):
                    continue
                below = depth + (predicate != RDF + "rest")
                if value in seen or below % _MOST_DEPTH == 0:
                    labelled.add(value)
                if value not in seen:
                    seen.add(value)
                    todo.append((value, below))
        return frozenset(labelled)

    def _block(self, name: str, subject: Subject, labelled: frozenset[ox.BlankNode]) -> str:
        lines = f" ;\n{INDENT}".join(self._said(subject, labelled, 1))
        return f"{name}\n{INDENT}{lines} .\n"

    def _said(self, subject: Subject, labelled: frozenset[ox.BlankNode], depth: int) -> Iterator[str]:
        """Each predicate of a subject with its objects."""
        found: dict[str, list[Node]] = {}
        for predicate, value in self._statements.about(subject):
            found.setdefault("" if predicate == RDF + "type" else self._prefixes.named(predicate), []).append(value)
        for predicate, values in sorted(found.items()):
            written = sorted(self._object(value, labelled, depth) for value in values)
            between = " , " if written[0].startswith("[") else f" ,\n{INDENT * (depth + 1)}"
            yield f"{predicate or 'a'} {between.join(written)}"

    def _object(self, value: Node, labelled: frozenset[ox.BlankNode], depth: int) -> str:
        if isinstance(value, ox.NamedNode):
            return self._prefixes.named(value.value)
        if isinstance(value, ox.Literal):
            return self._literal(value)
        if value in labelled:
            return _label(value)
        members = self._members(value, labelled)
        if members is not None:
            return f"( {' '.join(self._object(member, labelled, depth) for member in members)} )" if members else "()"
        said = list(self._said(value, labelled, depth + 1))
        if not said:
            return "[]"
        inner = f" ;\n{INDENT * (depth + 1)}".join(said)
        return f"[\n{INDENT * (depth + 1)}{inner}\n{INDENT * depth}]" if len(said) > 1 or "\n" in inner else f"[ {inner} ]"

    def _members(self, node: ox.BlankNode, labelled: frozenset[ox.BlankNode]) -> list[Node] | None:
        """The members of a list that can be written in brackets; None for any other node."""
        members: list[Node] = []
        here: Node = node
        seen: set[Node] = set()
        while here != ox.NamedNode(RDF + "nil"):
            said = dict(self._statements.about(here)) if isinstance(here, ox.BlankNode) else {}
            if said.keys() != {RDF + "first", RDF + "rest"} or here in seen or here in labelled:
                return None
            if len(self._statements.about(here)) != 2:  # type: ignore[arg-type]  # a blank node, or it would have no keys
                return None
            seen.add(here)
            members.append(said[RDF + "first"])
            here = said[RDF + "rest"]
        return members

    def _literal(self, literal: ox.Literal) -> str:
        kind = literal.datatype.value
        if kind in _BARE and _BARE[kind].fullmatch(literal.value):
            return literal.value
        text = "".join(_ESCAPES.get(character, character) for character in literal.value)
        quoted = f'"""{text}"""' if "\n" in text else f'"{text}"'
        if literal.language:
            return f"{quoted}@{literal.language}"
        return quoted if kind == XSD + "string" else f"{quoted}^^{self._prefixes.named(kind)}"


def _label(node: ox.BlankNode) -> str:
    return f"_:{node.value}"
