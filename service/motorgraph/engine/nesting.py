"""How deeply a document is nested, and whether it declares a document type: looked at before the engine parses it.

The engine crashes on, or needs minutes for, what is nested some thousand levels deep, and puts an XML entity in the place of
its name however often and however long. The bytes are looked through by regular expressions that run in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from motorgraph.errors import BadRequest, TooLarge
from motorgraph.media import JSONLD, RDFXML, Format

MOST_LEVELS = 500
"""Far beyond what data need. Of pyoxigraph 0.5.13, 10,000 levels of JSON-LD and 100,000 triple terms end the process."""

_TURTLE = re.compile(
    rb"""
    (?: [^\]\[(){}"'<>#\\]+ | \\. | \\\Z
      | \"\"\"(?:[^"\\]|\\.|"(?!""))*+(?:\"\"\"|\Z) | \'\'\'(?:[^'\\]|\\.|'(?!''))*+(?:\'\'\'|\Z)
      | "(?:[^"\\\r\n]|\\.)*+"? | '(?:[^'\\\r\n]|\\.)*+'?
      | <[^<>"{}|^`\x00-\x20]*> | [<>](?![<>]) | \#[^\r\n]*
    )*+
    (?: (?P<open>[\[({]|<<\(?) | (?P<close>\)>>|[\])}]|>>) | [<>] | \Z )
    """,
    re.VERBOSE | re.DOTALL,
)
_JSON = re.compile(
    rb"""(?: [^\]\[{}"]+ | "(?:[^"\\]|\\.)*+"? )*+ (?: (?P<open>[\[{]) | (?P<close>[\]}]) | \Z )""", re.VERBOSE | re.DOTALL
)
_XML = re.compile(
    rb"""
    (?: [^<]+ | <!--.*?(?:-->|\Z) | <!\[CDATA\[.*?(?:\]\]>|\Z) | <\?.*?(?:\?>|\Z) )*+
    (?: (?P<type><!DOCTYPE) | (?P<close></)
      | <[^!?/](?:[^>"']|"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))*+ (?: (?P<alone>(?<=/)>) | (?P<open>>|\Z) )
      | < | \Z )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_MARKS = {JSONLD: (_JSON, (b"[", b"{")), RDFXML: (_XML, (b"<",))}
_TURTLE_MARKS = (_TURTLE, (b"[", b"(", b"{", b"<<"))
_OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff", b"\x00", b"<\x00")


def refuse_traps(form: Format, document: bytes) -> None:
    """Raises BadRequest for RDF/XML that declares a document type or is no UTF-8, TooLarge for what is nested too deeply."""
    pattern, opening = _MARKS.get(form, _TURTLE_MARKS)
    if form is RDFXML and document.startswith(_OTHER_UNICODE):
        raise BadRequest("The RDF/XML is not in UTF-8, which is all that is read here. Write it in UTF-8.")
    if form is not RDFXML and sum(map(document.count, opening)) <= MOST_LEVELS:
        return  # not even if each of them were within the one before
    for depth in _depths(pattern, document):
        if depth > MOST_LEVELS:
            raise TooLarge(
                f"The {form.name} is nested more than {MOST_LEVELS} levels deep. Give nodes names of their own and refer to them."
            )


def _depths(pattern: re.Pattern[bytes], document: bytes) -> Iterator[int]:
    """The depth after each bracket or tag that opens something. Raises BadRequest at a document type."""
    depth = 0
    for match in pattern.finditer(document):
        kind = match.lastgroup
        if kind == "open":
            depth += 1
            yield depth
        elif kind == "close":
            depth -= 1
        elif kind == "type":
            raise BadRequest(
                "RDF/XML with a document type (<!DOCTYPE …>) is not read here, since its entities may grow without bound. "
                "Write the entities out and leave it away."
            )
