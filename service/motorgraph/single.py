"""Queries about one triple pattern that an index or a number can answer: whether it is there, how often, and of which kinds.

They are told by their tokens, strictly: what is not exactly of these forms, though it may mean the same, is left to the engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from motorgraph.tokens import Token, tokens

MOST_CHARACTERS = 4_000
ANY_GRAPH = "?"
"""In the place of a graph: a named one, whichever."""
_MAY_BE = re.compile(r"ask|count|distinct|group", re.IGNORECASE)
_TERMS = ("iri", "name")
_TAIL = ("ORDER", "LIMIT", "OFFSET")


@dataclass(frozen=True, slots=True)
class Single:
    """A query about one pattern, its terms as they are written; "" stands for a variable, and for the default graph.

    `pattern` are subject, predicate, object and graph. An ASK has no `columns`; each of others is a variable with the place of
    the pattern that it shows, or None for how often there is such a triple. `by` are the places that the solutions are grouped
    by, with their variables, `tail` what the text says of order and limits.
    """

    prologue: str
    pattern: tuple[str, str, str, str]
    asks: bool = False
    columns: tuple[tuple[str, str | None], ...] = ()
    by: tuple[tuple[str, str], ...] = ()
    tail: str = ""

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

    def query(self) -> Single:
        """All of it. Raises _Other."""
        prologue = self._prologue()
        if self._took("ASK"):
            pattern = self._where()
            self._need_end()
            return Single(prologue, pattern, asks=True)
        self._need("SELECT")
        is_distinct = self._took("DISTINCT")
        selected = self._selected()
        counts = any(counted is not None for counted in selected.values())
        pattern = self._where()
        by = list(selected) if is_distinct else self._grouped()
        self._require(not counts if is_distinct else counts or bool(by))
        columns = tuple((name, self._shown(name, counted, by)) for name, counted in selected.items())
        told = tuple((self._place_of(name), name) for name in by)
        self._require(all(self._is_of_few(place, pattern) for place, _ in told))
        return Single(prologue, pattern, False, columns, told, self._tail({*by, *selected}))

    # Its parts

    def _prologue(self) -> str:
        while self._next.is_word("BASE", "PREFIX"):
            if self._take().is_word("PREFIX"):
                self._require(self._take().kind == "name")
            self._require(self._take().kind == "iri")
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

    def _where(self) -> tuple[str, str, str, str]:
        while self._took("FROM"):  # the job says which dataset it is
            self._took("NAMED")
            self._term()
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
        self._need_end()
        return self._text[start:]

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
    def _is_of_few(place: str, pattern: tuple[str, str, str, str]) -> bool:
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
