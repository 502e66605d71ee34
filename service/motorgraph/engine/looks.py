"""What a text looks like, whatever it is said to be: its format, or what it is instead of data, with what would be right."""

from __future__ import annotations

import csv
import re

from motorgraph.errors import UnsupportedMediaType
from motorgraph.media import JSONLD, RDFXML, TRIG, Format

TABLE = Format("CSV", "text/csv", "csv")
DELIMITERS = ",;\t"
_LEAST_COLUMNS = 3
_LOOKED_AT = 4_096
_OPENS_JSON = re.compile(rb'\s*(?:\{\s*["}]|\[\s*(?:\{|\]|"))')
_OPENS_XML = re.compile(rb"\s*(?:<\?xml\s|<!--|<rdf:RDF\b|<\w+:RDF\b)")
_OPENS_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_HEADER = re.compile(r"\w[\w .()/%-]*")
_OTHERS = (
    (re.compile(rb"PK\x03\x04.*(?:xl/|\[Content_Types\]\.xml)", re.DOTALL), "an Excel workbook", "Save the sheet as CSV (UTF-8)"),
    (re.compile(rb"PK\x03\x04"), "a zip archive", "Unpack it"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "a document of an older Office", "Save the sheet as CSV (UTF-8)"),
    (re.compile(rb"\x1f\x8b"), "packed by gzip", "Unpack it"),
    (re.compile(rb"%PDF-"), "a PDF", "Write down what it says, as Turtle or CSV,"),
    (_OPENS_PAGE, "a web page", "Write down what it says, as Turtle or CSV,"),
    (re.compile(rb"\xff\xfe|\xfe\xff|.?\0.\0", re.DOTALL), "UTF-16", "Save it as UTF-8"),
    (re.compile(rb"[^\n]*\0"), "no text: it has bytes of the value zero", "Save it as text in UTF-8"),
)
"""How what is no data opens, what it is, and what to do with it."""


def refuse_other(text: bytes, name: str = "") -> None:
    """Raises UnsupportedMediaType, saying what would be right, for what is no text of any format that is read here."""
    for opening, what, remedy in _OTHERS:
        if opening.match(text[:_LOOKED_AT]):
            raise UnsupportedMediaType(f"{name or 'What was sent'} is {what}. {remedy} and send that.")


def looked_at(text: bytes) -> Format:
    """The format that a text seems to be in. TriG has Turtle and N-Triples within it."""
    if _OPENS_JSON.match(text):
        return JSONLD
    if _OPENS_XML.match(text):
        return RDFXML
    return TABLE if is_table(text) else TRIG


def is_table(text: bytes) -> bool:
    """Whether the first line is that of a table: names of columns, and nothing else."""
    first = text[:_LOOKED_AT].lstrip().partition(b"\n")[0].decode("utf-8", "replace").strip()
    try:
        columns = next(csv.reader([first], delimiter=delimiter_of(first)), [])
    except csv.Error:  # a line end within it
        return False
    return len(columns) >= _LEAST_COLUMNS and all(_HEADER.fullmatch(column.strip()) for column in columns)


def delimiter_of(line: str) -> str:
    """What parts the cells of a line: what it has the most of, a comma if it has none."""
    return max(DELIMITERS, key=line.count)


def otherwise(form: Format, text: bytes) -> str:
    """What to say of a text that is not what it is said to be; "" where it looks like it."""
    seems = looked_at(text)
    if seems.name == form.name or (seems is TRIG and form not in (JSONLD, RDFXML, TABLE)):
        return ""
    what = "Turtle" if seems is TRIG else seems.name
    return f" It looks like {what}: choose that format, or send it as {'text/turtle' if seems is TRIG else seems.media_type}."
