"""What is told from the bytes of an answer on their way out: how many rows they hold, and whether XML can say them at all."""

from __future__ import annotations

import re
from collections.abc import Callable

from motorgraph.errors import NotAcceptable
from motorgraph.media import GRAPHS, SOLUTIONS


class XmlCheck:
    """Refuses what XML 1.0 cannot say: control characters, and predicates that are no qualified names (RDF/XML)."""

    def __init__(self) -> None:
        self._tail = b""

    def __call__(self, data: bytes) -> None:
        whole = self._tail + data
        self._tail = data[-len(_NO_QUALIFIED_NAME) :]
        if _NO_XML.search(whole):
            raise NotAcceptable(
                "The answer holds a character or a predicate that XML cannot say. Ask for another format, such as "
                f"{GRAPHS[0].media_type} or {SOLUTIONS[0].media_type}."
            )


_NO_QUALIFIED_NAME = b"<oxprefix: "
_NO_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|" + _NO_QUALIFIED_NAME)


class _Marks:
    """Counts solutions by the bytes that each one begins or ends with and that no value holds unescaped; `before` of them
    stand before the first."""

    def __init__(self, mark: bytes, before: int = 0) -> None:
        self._mark = mark
        self._tail = b""
        self._before = before

    def __call__(self, data: bytes) -> int:
        keep = len(self._mark) - 1
        data = self._tail + data if keep else data
        self._tail = data[-keep:] if keep else b""
        before, self._before = self._before, 0
        return data.count(self._mark) - before


class _JsonRows:
    """Counts solutions in SPARQL JSON as the engine writes it: the first behind `[`, each other behind one that has ended.

    Quotes are escaped in strings, so only a value that ends in `},{`, or holds `,{}`, is miscounted, as one row more.
    """

    def __init__(self) -> None:
        self._first: _Marks | None = _Marks(b'"bindings":[{')
        self._others = _Marks(b'},{"'), _Marks(b",{}")

    def __call__(self, data: bytes) -> int:
        rows = sum(count(data) for count in self._others)
        if self._first is not None and self._first(data):
            self._first = None
            rows += 1
        return rows


class _CsvRows:
    """Counts line ends outside quotes: a quote inside a value is written twice, so the number of quotes tells."""

    def __init__(self) -> None:
        self._quoted = False
        self._rows = -1  # the line of names

    def __call__(self, data: bytes) -> int:
        pieces = data.split(b'"')
        rows = sum(piece.count(b"\n") for piece in pieces[self._quoted :: 2]) + self._rows
        self._quoted ^= len(pieces) % 2 == 0
        self._rows = 0
        return rows


ROW_COUNTERS: dict[str, Callable[[], Callable[[bytes], int]]] = {
    "application/sparql-results+json": _JsonRows,
    "application/sparql-results+xml": lambda: _Marks(b"<result>"),
    "text/tab-separated-values": lambda: _Marks(b"\n", before=1),
    "text/csv": _CsvRows,
}
