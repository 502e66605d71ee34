"""Statements as Turtle and TriG that people can read: prefixes in order, the statements of one subject together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from motorgraph.entity import TYPE, Statement
from motorgraph.namespaces import prefix_of

END = " .\n\n"
_SPLIT = re.compile(r"<([^<>]*[/#])([A-Za-z0-9_][A-Za-z0-9_-]*)>")
_IRI = re.compile(r"<[^\"<>]*>")


class Shortening(dict[str, str]):
    """Terms of N-Triples as they are in Turtle, each worked out once; remembers which prefixes that takes."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base
        self.used: dict[str, str] = {}

    def __missing__(self, term: str) -> str:
        found = self[term] = self._shortened(term)
        return found

    def _shortened(self, term: str) -> str:
        if term[0] == '"':
            text, mark, datatype = term.rpartition("^^") if term[-1] == ">" else ("", "", "")
            return f"{text}^^{self[datatype]}" if mark and _IRI.fullmatch(datatype) else term
        name, namespace, short = _shortened(term, self._base)
        return short if name and self.used.setdefault(name, namespace) == namespace else term


@lru_cache(maxsize=1 << 14)
def _shortened(term: str, base: str) -> tuple[str, str, str]:
    """A prefix for an IRI, its namespace, and the IRI with the prefix; all "" where there is none."""
    parts = _SPLIT.fullmatch(term)
    name = prefix_of(parts[1], base) if parts else ""
    return (name, parts[1], f"{name}:{parts[2]}") if parts and name else ("", "", "")


def turtle(statements: Iterable[Statement], base: str) -> str:
    """Triples as Turtle."""
    shortening = Shortening(base)
    text = _blocks(statements, shortening, "")
    return _head(shortening.used) + text


def trig(statements: Sequence[Statement], base: str) -> str:
    """Quads as TriG, one graph after the other, in the order of their names; the default graph ("") is the first."""
    shortening = Shortening(base)
    graphs: dict[str, list[Statement]] = {}
    for statement in statements:
        graphs.setdefault(statement[3], []).append(statement)
    pieces = []
    for graph in sorted(graphs):
        text = _blocks(graphs[graph], shortening, "    " if graph else "")
        pieces.append(f"{shortening[graph]} {{\n{text}}}\n\n" if graph else text)
    return _head(shortening.used) + "".join(pieces)


def _head(prefixes: Mapping[str, str]) -> str:
    return "".join(f"@prefix {name}: <{prefixes[name]}> .\n" for name in sorted(prefixes)) + "\n"


def _blocks(statements: Iterable[Statement], shortening: Shortening, margin: str) -> str:
    """The statements, a block for each subject, in the order in which they come."""
    pieces: list[str] = []
    subject = predicate = ""
    for statement in statements:
        if statement[0] != subject:
            subject, predicate = statement[0], ""
            pieces += (END if pieces else "", margin, shortening[subject], " ")
        if statement[1] != predicate:
            pieces += (f" ;\n{margin}    " if predicate else "", "a" if statement[1] == TYPE else shortening[statement[1]], " ")
            predicate = statement[1]
        else:
            pieces.append(" , ")
        pieces.append(shortening[statement[2]])
    return "".join(pieces) + (END if pieces else "")
