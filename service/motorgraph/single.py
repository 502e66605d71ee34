"""Queries about one triple pattern that an index or a number can answer: what it matches, whether it is there, how often.

They are told by their tokens, strictly: what is not exactly of these forms, though it may mean the same, is left to the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from motorgraph.tokens import Token, tokens

MOST_CHARACTERS = 4_000
ANY_GRAPH = "?"
"""In the place of a graph: a named one, whichever."""
MOST_DIGITS = 9
"""Of a limit."""
_MAY_BE = re.compile(r"ask|select|describe", re.IGNORECASE)
_TERMS = ("iri", "name")

Pattern = tuple[str, str, str, str]
Form = Literal["truth", "counts", "rows", "description"]


@dataclass(frozen=True, slots=True)
class Single:
    """A query about one pattern, its terms as they are written; "" stands for a variable, and for the default graph.

    `pattern` are subject, predicate, object and graph. Each of `columns` is a variable with the place of the pattern that it
    shows, or None for how often there is such a triple; rows are of one subject, and no more than `limit`. `by` are the places
    that counts are grouped by, with their variables, `tail` what the text says of their order and limits.
    `prefixes` are the declarations of the prologue, that of a base under "".
    """

    prologue: str
    pattern: Pattern
    form: Form
    columns: tuple[tuple[str, str | None], ...] = ()
    by: tuple[tuple[str, str], ...] = ()
    tail: str = ""
    limit: int | None = None
    prefixes: tuple[tuple[str, str], ...] = ()

    @property
    def terms(self) -> list[str]:
        """Those that have to be resolved by the prologue."""
        return [term for term in self.pattern if term not in ("", "a", ANY_GRAPH)]


class _Other(Exception):
    """The text is of another form."""


def single(text: str) -> Single | None:
    """The query as one about a single pattern, None if it is of another form. Whether it is right, the engine says."""
    if len(text) > MOST_CHARACTERS or "\\" in text or not _MAY_BE.search(text):
        return None
    try:
        return _Reading(text).query()
    except _Other:
        return None


class _Reading:
    """The tokens of a text, from the front."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*tokens(text), Token("end", "", len(text))]
        self._place = 0
        self._variables: dict[str, str] = {}
        self._prefixes: list[tuple[str, str]] = []

    def query(self) -> Single:
        """All of it. Raises _Other."""
        prologue = self._prologue()
        found = self._truth(prologue) or self._description(prologue) or self._table(prologue)
        self._need_end()
        return replace(found, prefixes=tuple(self._prefixes))

    # Its forms

    def _truth(self, prologue: str) -> Single | None:
        return Single(prologue, self._where(), "truth") if self._took("ASK") else None

    def _description(self, prologue: str) -> Single | None:
        if not self._took("DESCRIBE"):
            return None
        described = self._term()
        self._dataset()
        return Single(prologue, (described, "", "", ""), "description")

    def _table(self, prologue: str) -> Single:
        self._need("SELECT")
        is_distinct = self._took("DISTINCT")
        selected = {} if (shows_all := self._took("*")) else self._selected()
        pattern = self._where()
        if pattern[0]:
            self._require(not any(selected.values()))
            return self._rows(prologue, sorted(self._variables) if shows_all else selected, pattern, is_distinct=is_distinct)
        self._require(not shows_all)
        return self._counts(prologue, selected, pattern, is_distinct=is_distinct)

    def _rows(self, prologue: str, names: Iterable[str], pattern: Pattern, *, is_distinct: bool) -> Single:
        """What there is of one subject. Its triples differ in what a pattern leaves open, so all of that makes rows distinct."""
        columns = tuple((name, self._place_of(name)) for name in names)
        self._require(bool(columns) and pattern[3] != ANY_GRAPH)
        self._require(not is_distinct or len(columns) == pattern[:3].count(""))
        limit = None
        if self._took("LIMIT"):
            written = self._take().text
            self._require(written.isascii() and written.isdecimal() and len(written) <= MOST_DIGITS)
            limit = int(written)
        return Single(prologue, pattern, "rows", columns, limit=limit)

    def _counts(self, prologue: str, selected: dict[str, str | None], pattern: Pattern, *, is_distinct: bool) -> Single:
        counts = any(counted is not None for counted in selected.values())
        by = list(selected) if is_distinct else self._grouped()
        self._require(not counts if is_distinct else counts or bool(by))
        columns = tuple((name, self._shown(name, counted, by)) for name, counted in selected.items())
        told = tuple((self._place_of(name), name) for name in by)
        self._require(all(self._is_of_few(place, pattern) for place, _ in told))
        return Single(prologue, pattern, "counts", columns, told, self._tail({*by, *selected}))

    # Its parts

    def _prologue(self) -> str:
        while self._next.is_word("BASE", "PREFIX"):
            name = Token("name", "", 0) if self._take().is_word("BASE") else self._take()
            iri = self._take()
            self._require(name.kind == "name" and iri.kind == "iri")
            self._prefixes.append((name.text, iri.text))
        return self._text[: self._next.start]

    def _selected(self) -> dict[str, str | None]:
        """The columns in order: None for a variable, for a count what it counts ("*" or a variable)."""
        found: dict[str, str | None] = {}
        while self._next.text == "(" or self._next.kind == "variable":
            name, counted = self._count() if self._next.text == "(" else (self._variable(), None)
            self._require(name not in found)
            found[name] = counted
        self._require(bool(found))
        return found

    def _count(self) -> tuple[str, str]:
        for expected in ("(", "COUNT", "("):
            self._need(expected)
        counted = "*" if self._took("*") else self._variable()
        for expected in (")", "AS"):
            self._need(expected)
        name = self._variable()
        self._need(")")
        return name, counted

    def _dataset(self) -> None:
        while self._took("FROM"):  # the job says which dataset it is
            self._took("NAMED")
            self._term()

    def _where(self) -> Pattern:
        self._dataset()
        self._took("WHERE")
        self._need("{")
        graph = ""
        if is_named := self._took("GRAPH"):
            graph = self._term("graph_name") or ANY_GRAPH
            self._need("{")
        subject, predicate, value = self._term("subject"), self._verb(), self._term("object")
        self._took(".")
        if is_named:
            self._need("}")
            self._took(".")
        self._need("}")
        return subject, predicate, value, graph

    def _grouped(self) -> list[str]:
        by: list[str] = []
        if self._took("GROUP"):
            self._need("BY")
            while self._next.kind == "variable":
                by.append(self._variable())
            self._require(bool(by) and len(by) == len(set(by)))
        return by

    def _tail(self, shown: set[str]) -> str:
        """Order and limits as they are written, if no more than shown columns is in them."""
        start = self._next.start
        if self._took("ORDER"):
            self._need("BY")
            self._require(self._next.kind == "variable" or self._next.is_word("ASC", "DESC"))
            while self._next.kind == "variable" or self._next.is_word("ASC", "DESC"):
                is_within = self._took("ASC", "DESC")
                if is_within:
                    self._need("(")
                self._require(self._variable() in shown)
                if is_within:
                    self._need(")")
        while self._took("LIMIT", "OFFSET"):
            self._require(self._take().text.isdecimal())
        return self._text[start : self._next.start]

    def _shown(self, name: str, counted: str | None, by: list[str]) -> str | None:
        """The place that a column shows."""
        if counted is None:
            self._require(name in by)
            return self._place_of(name)
        self._require(name not in self._variables and (counted == "*" or counted in self._variables))
        return None

    def _place_of(self, name: str) -> str:
        self._require(name in self._variables)
        return self._variables[name]

    @staticmethod
    def _is_of_few(place: str, pattern: Pattern) -> bool:
        """Whether there may be few terms at a place of the pattern."""
        return place in ("predicate", "graph_name") or (place == "object" and bool(pattern[1]))

    # Tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _took(self, *expected: str) -> bool:
        """Takes the next token if it is one of these words, or this mark."""
        is_it = self._next.is_word(*expected) or (self._next.kind == "mark" and self._next.text in expected)
        self._place += is_it
        return is_it

    def _need(self, expected: str) -> None:
        self._require(self._took(expected))

    def _need_end(self) -> None:
        self._require(self._next.kind == "end")

    def _require(self, is_so: bool) -> None:
        if not is_so:
            raise _Other

    def _variable(self) -> str:
        token = self._take()
        self._require(token.kind == "variable")
        return token.text[1:]

    def _term(self, place: str = "") -> str:
        """An IRI or prefixed name as it is written, or "" for a variable, which no other place may have, or for []."""
        if place in ("subject", "object") and self._took("["):
            self._need("]")
            return ""
        token = self._take()
        if place and token.kind == "variable":
            self._require(token.text[1:] not in self._variables)
            self._variables[token.text[1:]] = place
            return ""
        self._require(token.kind in _TERMS and not token.text.startswith("_:") and not token.text.endswith("."))
        return token.text

    def _verb(self) -> str:
        if self._next.kind == "word" and self._next.text == "a":
            return self._take().text
        return self._term("predicate")
