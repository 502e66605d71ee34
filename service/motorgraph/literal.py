"""Literals as N-Triples writes them, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from motorgraph.vocab import RDF, XSD

_PARTS = re.compile(r'"(.*)"(?:@([A-Za-z0-9-]+?)(?:--(ltr|rtl))?|\^\^<([^>]*)>)?', re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_LETTERS = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal's text, its datatype, its language in lower case and direction ("" for none)."""

    value: str
    datatype: str
    language: str = ""
    direction: str = ""


def literal(term: str) -> Literal | None:
    """The literal that a term is; None for an IRI, a blank node, a triple term."""
    parts = _PARTS.fullmatch(term)
    if parts is None:
        return None
    text, spoken, direction, datatype = parts.groups()
    value = _ESCAPED.sub(_character, text) if "\\" in text else text
    if spoken:
        return Literal(value, RDF + ("dirLangString" if direction else "langString"), spoken, direction or "")
    return Literal(value, datatype or XSD + "string")


def text_of(term: str) -> str:
    """The text of a literal, or the term itself."""
    found = literal(term)
    return term if found is None else found.value


def quoted(text: str) -> str:
    """A text as a literal without a language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _LETTERS.get(match[3], match[3])
