"""SPARQL text cut into tokens (SPARQL 1.1 §19.8), to see a keyword where it is one and not inside a string, IRI or name."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass


def _but(*ranges: str) -> str:
    """The inside of a class that has what is in none of these ranges (each its first and last character).

    Names may have most characters, and for each that a class has `re` takes time to compile it.
    """
    ends = sorted((ord(range_[0]), ord(range_[-1])) for range_ in ranges)
    starts = [0, *(last + 1 for _, last in ends)]
    stops = [*(first - 1 for first, _ in ends), sys.maxunicode]
    return "".join(
        f"{re.escape(chr(start))}-{re.escape(chr(stop))}" for start, stop in zip(starts, stops, strict=True) if start <= stop
    )


# What a name is made of (§19.8: PN_CHARS_BASE, VARNAME, PN_CHARS).
_LETTERS = (
    *("AZ", "az", "\u00c0\u00d6", "\u00d8\u00f6", "\u00f8\u02ff", "\u0370\u037d", "\u037f\u1fff", "\u200c\u200d"),
    *("\u2070\u218f", "\u2c00\u2fef", "\u3001\ud7ff", "\uf900\ufdcf", "\ufdf0\ufefe", "\uff00\ufffd"),
    "\U00010000\U000effff",
)
_VARIABLE = (*_LETTERS, "_", "09", "\u00b7", "\u0300\u036f", "\u203f\u2040")
_NAME = (*_VARIABLE, "-")
_ESCAPED = r"%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%]"

# Linear: a name is not tried in the middle of a run that has been tried, and what is never closed runs to the end of the text.
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|\#[^\r\n]*)
  | (?P<string>\'\'\'(?:[^'\\]|\\.|'(?!''))*+(?:\'\'\'|\Z)
             | \"\"\"(?:[^"\\]|\\.|"(?!""))*+(?:\"\"\"|\Z)
             | '(?:[^'\\\r\n]|\\.)*+'?
             | "(?:[^"\\\r\n]|\\.)*+"?)
  | (?P<iri><[^\x00-\x20<>"{{}}|^`]*>)
  | (?P<variable>[?$][^{_but(*_VARIABLE)}]+)
  | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<name>_:[^{_but(*_NAME, ".")}]+
           | (?:(?<![^{_but(*_NAME, ".")}])[^{_but(*_LETTERS)}][^{_but(*_NAME, ".")}]*+)?:
             (?:(?:[^{_but(*_VARIABLE, ":")}]|{_ESCAPED})(?:[^{_but(*_NAME, ".", ":")}]|{_ESCAPED})*)?)
  | (?P<word>[^{_but(*_LETTERS)}][^{_but(*_VARIABLE)}]*)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SPARQL text: its kind (`iri`, `word`, `name`, `string`, `mark` …), the text, where it starts."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the last character."""
        return self.start + len(self.text)

    def is_word(self, *words: str) -> bool:
        """Whether this is one of the keywords (given in upper case)."""
        return self.kind == "word" and self.text.upper() in words


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a query or update without white space and comments; text that is not SPARQL yields marks."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup and match.lastgroup != "space":
            yield Token(match.lastgroup, match.group(), match.start())


_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


def unescape_unicode(text: str) -> str:
    r"""The text with `\uXXXX` and `\UXXXXXXXX` replaced, as in an IRI (§19.2)."""
    return _ESCAPE.sub(lambda m: _character(int(m.group(1) or m.group(2), 16), m.group()), text)


def _character(code: int, written: str) -> str:
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else written
