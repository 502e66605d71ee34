"""Cells of a table that people open in a spreadsheet, which runs a text that begins like a formula."""

from __future__ import annotations

import re

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def inert(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would run it; a number stays as it is."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
