"""A validation report as the W3C has it (SHACL 1.0, 3.6), in any RDF format, made of what a `gate.Report` gives as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox

from motorgraph.media import Format

SH = "http://www.w3.org/ns/shacl#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
BLANK = "a blank node"
"""What stands in a report for a node that has no name."""
_PREFIXES = {"sh": SH, "rdf": RDF, "xsd": "http://www.w3.org/2001/XMLSchema#"}
_PATH = re.compile(r"<([^>]*)>|([()/|^*+?])")
_REPEATED = {"*": "zeroOrMorePath", "+": "oneOrMorePath", "?": "zeroOrOnePath"}
Node = ox.NamedNode | ox.BlankNode
Json = dict[str, Any]  # Any: plain JSON


def as_rdf(report: Json, form: Format) -> bytes:
    """The report with its results, serialised."""
    quads = (ox.Quad(triple.subject, triple.predicate, triple.object) for triple in _report(report))
    made = ox.serialize(quads, format=ox.RdfFormat.from_media_type(form.media_type), prefixes=_PREFIXES)
    assert made is not None  # bytes, since no output was given
    return made


def _report(report: Json) -> Iterator[ox.Triple]:
    node = ox.BlankNode()
    yield ox.Triple(node, _rdf("type"), _sh("ValidationReport"))
    yield ox.Triple(node, _sh("conforms"), ox.Literal(bool(report["conforms"])))
    for result in report["results"]:
        found = ox.BlankNode()
        yield ox.Triple(node, _sh("result"), found)
        yield from _result(found, result)


def _result(node: ox.BlankNode, result: Json) -> Iterator[ox.Triple]:
    yield ox.Triple(node, _rdf("type"), _sh("ValidationResult"))
    yield ox.Triple(node, _sh("resultSeverity"), _sh(result["severity"]))
    yield ox.Triple(node, _sh("focusNode"), _focus(result["focus"]))
    for name, iri in (("sourceConstraintComponent", result["component"]), ("sourceShape", result["shape"])):
        if iri:
            yield ox.Triple(node, _sh(name), ox.NamedNode(iri))
    if result["message"]:
        yield ox.Triple(node, _sh("resultMessage"), ox.Literal(result["message"]))
    if result["value"] or result["datatype"]:
        yield ox.Triple(node, _sh("value"), _term(result["value"], result["datatype"], result["language"]))
    if result["path"]:
        path, triples = property_path(result["path"])
        yield ox.Triple(node, _sh("resultPath"), path)
        yield from triples


def _focus(text: str) -> Node | ox.Literal:
    """The focus node of a result: a literal is written as N-Triples has it."""
    if not text.startswith('"'):
        return _term(text, "", "")
    (quad,) = ox.parse(f"<{SH}> <{SH}> {text} .", ox.RdfFormat.TURTLE)
    assert isinstance(quad.object, ox.Literal)
    return quad.object


def _term(value: str, datatype: str, language: str) -> Node | ox.Literal:
    """The term of a report: a literal if it has a datatype."""
    if language:
        return ox.Literal(value, language=language)
    if datatype:
        return ox.Literal(value, datatype=ox.NamedNode(datatype))
    return ox.BlankNode() if value == BLANK else ox.NamedNode(value)


def property_path(text: str) -> tuple[Node, list[ox.Triple]]:
    """A path in SHACL's terms (2.3.1) and the triples that describe it, from the text that `constraints.path_text` gives."""
    if "<" not in text:
        return ox.NamedNode(text), []
    parsing = _Parsing([iri or mark for iri, mark in _PATH.findall(text)])
    return parsing.choice(), parsing.triples


class _Parsing:
    """SPARQL's grammar of property paths (§19.8, [89] to [94]), as far as SHACL has them."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.triples: list[ox.Triple] = []

    def choice(self) -> Node:
        """Paths with `|` between them."""
        parts = [self._sequence()]
        while self._takes("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else self._told("alternativePath", self._list(parts))

    def _sequence(self) -> Node:
        parts = [self._step()]
        while self._takes("/"):
            parts.append(self._step())
        return parts[0] if len(parts) == 1 else self._list(parts)

    def _step(self) -> Node:
        if self._takes("^"):
            return self._told("inversePath", self._step())
        node: Node
        if self._takes("("):
            node = self.choice()
            self._takes(")")
        else:
            node = ox.NamedNode(self._words.pop(0))
        if self._words and self._words[0] in _REPEATED:
            node = self._told(_REPEATED[self._words.pop(0)], node)
        return node

    def _takes(self, word: str) -> bool:
        if self._words[:1] != [word]:
            return False
        del self._words[0]
        return True

    def _told(self, predicate: str, object_: Node) -> Node:
        node = ox.BlankNode()
        self.triples.append(ox.Triple(node, _sh(predicate), object_))
        return node

    def _list(self, members: Iterable[Node]) -> Node:
        rest: Node = _rdf("nil")
        for member in reversed(list(members)):
            node = ox.BlankNode()
            self.triples += [ox.Triple(node, _rdf("first"), member), ox.Triple(node, _rdf("rest"), rest)]
            rest = node
        return rest


def _sh(name: str) -> ox.NamedNode:
    return ox.NamedNode(SH + name)


def _rdf(name: str) -> ox.NamedNode:
    return ox.NamedNode(RDF + name)
