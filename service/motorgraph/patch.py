"""A patch: a SPARQL update whose default graph is one graph of the store (Graph Store Protocol §5.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from motorgraph.errors import OutOfScope
from motorgraph.tokens import Token, tokens

_BRACES = {"{": 1, "}": -1}
_OF_OTHERS = ("ADD", "COPY", "CREATE", "LOAD", "MOVE")


def as_patch(text: str, graph: str) -> str:
    """The update written so that it means the graph where it names none: WITH, GRAPH around plain data, its name for DEFAULT.

    It adds no line. Where the text names a graph itself it stays as it is. Raises OutOfScope for operations on other graphs.
    """
    pieces, copied = [], 0
    for place, removed, words in sorted(_edits(list(tokens(text)), f"<{graph}>")):
        pieces.append(text[copied:place] + words)
        copied = place + removed
    return "".join(pieces) + text[copied:]


Edit = tuple[int, int, str]
"""Where something changes, how many characters go there, and what comes."""


def _edits(found: Sequence[Token], graph: str) -> Iterator[Edit]:
    for operation in _operations(found):
        first = operation[0]
        second = operation[1] if len(operation) > 1 else first
        if first.is_word(*_OF_OTHERS):
            raise OutOfScope(f"{first.text.upper()} is about other graphs; a patch changes {graph} alone. Send it to /sparql.")
        if first.is_word("CLEAR", "DROP"):
            yield from _clearing(operation, graph)
        elif first.is_word("INSERT", "DELETE") and second.is_word("DATA", "WHERE"):
            yield from _around(operation, graph)
        elif first.is_word("INSERT", "DELETE"):
            yield first.start, 0, f"WITH {graph} "


def _operations(found: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The tokens of each operation, without the declarations before it."""
    depth, start = 0, 0
    for place, token in enumerate([*found, Token("mark", ";", 0)]):
        depth += _BRACES.get(token.text, 0)
        if depth == 0 and token.text == ";":
            operation = found[start:place]
            start = place + 1
            while operation and operation[0].is_word("BASE", "PREFIX", "VERSION"):
                operation = operation[3 if operation[0].is_word("PREFIX") else 2 :]
            if operation:
                yield operation


def _clearing(operation: Sequence[Token], graph: str) -> Iterator[Edit]:
    """`CLEAR DEFAULT` and `DROP DEFAULT` empty the graph."""
    for token in operation:
        if token.is_word("ALL", "NAMED"):
            raise OutOfScope(f"{token.text.upper()} is about other graphs too; a patch changes {graph} alone.")
        if token.is_word("DEFAULT"):
            yield operation[0].start, len(operation[0].text), "CLEAR"
            yield token.start, len(token.text), f"GRAPH {graph}"


def _around(operation: Sequence[Token], graph: str) -> Iterator[Edit]:
    """Puts GRAPH around the group of `INSERT DATA`, `DELETE DATA` or `DELETE WHERE` if there is none in it."""
    marks = [token for token in operation if token.text in _BRACES]
    if marks and not any(token.is_word("GRAPH") for token in operation):
        yield marks[0].end, 0, f" GRAPH {graph} {{"
        yield marks[-1].start, 0, "} "
