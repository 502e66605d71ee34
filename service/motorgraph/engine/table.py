"""A small table written as the engine writes it (SPARQL 1.1 Query Results JSON, CSV and TSV), from terms as in N-Quads.

A term of N-Quads has nearly the bytes that it has in these formats, and the engine writes all of them at once, while to ask it
for each part of a term costs more than to evaluate a query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import orjson

from motorgraph.media import CSV, JSON, TSV

Fact = tuple[str, str, str]
"""What is said of a subject: the IRI of the predicate, what stands between, and the object as N-Quads has it."""
Column = tuple[str, bool]
"""Its name, and whether it shows the object, or else the predicate."""
_XSD = r"\^\^<http://www\.w3\.org/2001/XMLSchema#"
_BARE = re.compile(  # what TSV writes as Turtle does (§4), of what a store holds
    rf'"(?:(?:true|false)"{_XSD}boolean|[+-]?[0-9]+"{_XSD}integer|[+-]?[0-9]*\.[0-9]+"{_XSD}decimal)>'
)
_OTHERWISE = {JSON.media_type: r"\\u", TSV.media_type: r"\\[ubf]", CSV.media_type: r"\\"}
"""What N-Quads escapes in another way than a format."""


def can_tell(media_type: str, text: str) -> bool:
    """Whether the terms of N-Quads have the same characters in a format."""
    escape = _OTHERWISE.get(media_type)
    if escape is None or ("(" in text and "<<(" in text):  # a triple term
        return False
    return "\\" not in text or not re.search(escape, text)


def table(media_type: str, columns: Sequence[Column], facts: Sequence[Fact]) -> bytes:
    """The facts as rows. They are from a text that the format can tell."""
    return _WRITERS[media_type](columns, facts).encode()


def _json(columns: Sequence[Column], facts: Sequence[Fact]) -> str:
    cells = [_in_json(f'"{name}":', facts, is_object=is_object) for name, is_object in columns]
    rows = "},{".join(map(",".join, zip(*cells, strict=True)))
    names = orjson.dumps([name for name, _ in columns]).decode()
    bindings = f"{{{rows}}}" if facts else ""
    return f'{{"head":{{"vars":{names}}},"results":{{"bindings":[{bindings}]}}}}'


def _in_json(key: str, facts: Sequence[Fact], *, is_object: bool) -> list[str]:
    iri = f'{key}{{"type":"uri","value":"'
    if not is_object:
        return [f'{iri}{predicate}"}}' for predicate, _, _ in facts]
    literal = f'{key}{{"type":"literal","value":'
    return [
        f'{iri}{value[1:-1]}"}}' if value[0] == "<" else f"{literal}{value}}}" if value[-1] == '"' else f"{key}{_other(value)}"
        for _, _, value in facts
    ]


def _other(term: str) -> str:
    """A blank node, or a literal that is no plain string, in JSON."""
    if term[0] == "_":
        return f'{{"type":"bnode","value":"{term[2:]}"}}'
    value, _, kind = term.rpartition('"')
    if kind[0] == "^":
        return f'{{"type":"literal","value":{value}","datatype":"{kind[3:-1]}"}}'
    language, _, direction = kind[1:].partition("--")
    told = f',"its:dir":"{direction}"' if direction else ""
    return f'{{"type":"literal","value":{value}","xml:lang":"{language}"{told}}}'


def _csv(columns: Sequence[Column], facts: Sequence[Fact]) -> str:
    cells = [[_in_csv(value) if is_object else iri for iri, _, value in facts] for _, is_object in columns]
    head = ",".join(name for name, _ in columns)
    return "\r\n".join([head, *map(",".join, zip(*cells, strict=True)), ""])


def _in_csv(term: str) -> str:
    if term[0] != '"':
        return term if term[0] == "_" else term[1:-1]  # not quoted, whatever is in it
    value = term[1 : term.rindex('"')]
    return f'"{value}"' if "," in value else value


def _tsv(columns: Sequence[Column], facts: Sequence[Fact]) -> str:
    cells = [[_in_tsv(value) if is_object else f"<{iri}>" for iri, _, value in facts] for _, is_object in columns]
    head = "\t".join(f"?{name}" for name, _ in columns)
    return "\n".join([head, *map("\t".join, zip(*cells, strict=True)), ""])


def _in_tsv(term: str) -> str:
    return term[1 : term.rindex('"')] if term[0] == '"' and _BARE.fullmatch(term) else term


_WRITERS: dict[str, Callable[[Sequence[Column], Sequence[Fact]], str]] = {
    JSON.media_type: _json,
    CSV.media_type: _csv,
    TSV.media_type: _tsv,
}
