"""What is wrong with a text that the engine does not read, and where."""

from __future__ import annotations

import re
from collections.abc import Callable

from motorgraph import grammar
from motorgraph.errors import BadSyntax

_PLACE = re.compile(r"error at (\d+):(\d+): (.*)", re.DOTALL)
_LONG_EXPECTATION = 160
_BLANKS = 64
_KEYWORDS = re.compile(r"\b[A-Z][A-Z_0-9]+\b")
_SENTENCE = re.compile(r"[A-Z][a-z]+(?: [A-Za-z]+){2,}")
_NO_KEYWORD = re.compile(r"[\[\"']|Prefix|variable")


def bad_syntax(error: SyntaxError) -> BadSyntax:
    """The engine's syntax error with line and column, and its list of possible next tokens cut to a readable length."""
    match = _PLACE.match(str(error))
    if not match:
        return BadSyntax(f"{error}.", line=error.lineno, column=error.offset)
    line, column, expectation = int(match[1]), int(match[2]), " ".join(match[3].split())
    if len(expectation) > _LONG_EXPECTATION:
        expectation = expectation[:_LONG_EXPECTATION].rsplit(",", 1)[0] + " …"
    return BadSyntax(f"Line {line}, column {column}: {expectation}.", line=line, column=column)


def bad_query(text: str, evaluate_again: Callable[[str], object], error: SyntaxError, *, start: str = "Query") -> BadSyntax:
    """The syntax error of a text that the engine refuses, at the place where it is; `start` is the rule of the grammar for it."""
    found = grammar.departure(text, start)
    if found is not None:
        return BadSyntax(f"Line {found.line}, column {found.column}: {found.words}.", line=found.line, column=found.column)
    return _as_the_engine_says(text, evaluate_again, error)


def _as_the_engine_says(text: str, evaluate_again: Callable[[str], object], error: SyntaxError) -> BadSyntax:
    """The engine's own words, for what the grammar does not say.

    The engine takes as many characters as a keyword has before it compares them, so it reports the end of the longest keyword
    that it tried, or the end of the text where that comes first. With blanks behind the text only the former remains.
    """
    padded = text + " " * _BLANKS
    try:
        evaluate_again(padded)
    except SyntaxError as again:
        match = _PLACE.match(str(again))
        if match:
            keywords = [] if _NO_KEYWORD.search(match[3]) else _KEYWORDS.findall(match[3])
            lines = padded.split("\n")
            offset = sum(len(line) + 1 for line in lines[: int(match[1]) - 1]) + int(match[2]) - 1
            before = text[: max(offset - max(map(len, keywords), default=0), 0)]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            said = _SENTENCE.search(match[3])
            return bad_syntax(SyntaxError(f"error at {line}:{column}: {said[0] if said else match[3]}"))
    return bad_syntax(error)
