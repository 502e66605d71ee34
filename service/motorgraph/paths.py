"""Property paths of any length (SPARQL 1.1 §9) with a known end, in queries: the text that has their other ends instead.

They are told by their tokens, strictly, as in `single.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from motorgraph.tokens import Token, tokens

MOST_CHARACTERS = 4_000
_MAY_BE = re.compile(r"[>\w)][+*][\s(<]")
_ENDS_IT = (".", ";", "}")
_WITHIN = frozenset("/|^()+")
"""What a path is made of beside IRIs. No part may be empty (`*`, `?`): that leads from each node of the graph to itself."""


@dataclass(frozen=True, slots=True)
class Path:
    """A triple pattern of a query, `?x path+ <known>` or the other way round, its terms as they are written.

    `terms` are the IRIs of the path. One that `may_be_empty` (`*`) leads from the known end to itself too. `before` and `after`
    are what the query says around it.
    """

    prologue: str
    before: str
    pattern: str
    after: str
    variable: str
    known: str
    terms: tuple[str, ...]
    may_be_empty: bool

    @property
    def query(self) -> str:
        """The query for the ends that are a step or more away from the known one, each once."""
        return f"{self.prologue} SELECT {self.variable} {{ {self.pattern} }}"

    def told(self, ends: Iterable[str]) -> str:
        """The whole query with these ends in the place of the path, all that are."""
        return f"{self.before} VALUES {self.variable} {{ {' '.join(ends)} }} {self.after}"


def path(text: str) -> Path | None:
    """The first path of a query that has a known end and stands in its outermost group; None if there is none.

    A label of a blank node may stand on both sides of a triple pattern, but not of VALUES, so a query with one has none. Nor has
    one that leaves open which of its rows it gives: its next page has to go on where this one ends.
    """
    if len(text) > MOST_CHARACTERS or "\\" in text or "_:" in text or not _MAY_BE.search(text):
        return None
    cut = [*tokens(text), Token("end", "", len(text))]
    if any(token.is_word("LIMIT", "OFFSET") for token in cut) and not any(token.is_word("ORDER") for token in cut):
        return None
    found = (_read(text, cut, place) for place in _beginnings(cut))
    return next(filter(None, found), None)


def _beginnings(cut: Sequence[Token]) -> Iterator[int]:
    """Where a triple pattern of the outermost group may begin: behind its brace, and behind a full stop in it."""
    braces = parentheses = groups = 0
    is_where = False
    for place, token in enumerate(cut):
        if token.kind != "mark":
            continue
        parentheses += (token.text == "(") - (token.text == ")")
        braces += (token.text == "{") - (token.text == "}")
        if token.text == "{" and braces == 1 and not parentheses:  # that of EXISTS in HAVING comes after it
            groups += 1
            is_where = groups == 1 or cut[place - 1].is_word("WHERE")
        if is_where and braces == 1 and not parentheses and token.text in "{.":
            yield place + 1


def _read(text: str, cut: Sequence[Token], first: int) -> Path | None:
    """The triple pattern that begins at a token, if it is a path with a known end."""
    last = first
    while _is_of_pattern(cut[last]):
        last += 1
    if last - first < 4:
        return None
    end, (subject, *way, value) = cut[last], cut[first:last]
    known = [term for term in (subject, value) if term.kind in ("iri", "name")]
    variable = [term for term in (subject, value) if term.kind == "variable"]
    if end.text not in _ENDS_IT or not _is_closure(way) or len(known) != 1 or len(variable) != 1:
        return None
    after = text[end.start :]
    if end.text == ";":
        if cut[last + 1].text in (*_ENDS_IT, "]"):
            return None
        after = f". {subject.text} {text[end.end :]}"
    written = f"{subject.text} {''.join(f'{token.text} ' for token in way[:-1])}+ {value.text}"
    terms = tuple(dict.fromkeys(token.text for token in way if token.kind != "mark"))
    where = text[: subject.start], written, after
    return Path(_prologue(text, cut), *where, variable[0].text, known[0].text, terms, way[-1].text == "*")


def _is_of_pattern(token: Token) -> bool:
    match token.kind:
        case "variable" | "iri":
            return True
        case "name":
            return not token.text.endswith(".")
        case "word":
            return token.text == "a"
        case "mark":
            return token.text in _WITHIN or token.text == "*"
    return False


def _is_closure(way: Sequence[Token]) -> bool:
    """Whether it is a path of any length as a whole: one step, or several in parentheses, and `+` or `*` behind."""
    if len(way) < 2 or way[-1].text not in ("+", "*"):
        return False
    steps = way[way[0].text == "^" : -1]
    if any(token.kind == "variable" or token.text == "*" for token in steps):
        return False
    if len(steps) == 1:
        return steps[0].kind != "mark"
    depth = 0
    for place, token in enumerate(steps):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and place < len(steps) - 1:
            return False
    return depth == 0 and len(steps) > 1


def _prologue(text: str, cut: Sequence[Token]) -> str:
    """The declarations that a query begins with."""
    place = 0
    while cut[place].is_word("BASE", "PREFIX"):
        place += 2 if cut[place].is_word("BASE") else 3
    return text[: cut[place].start]
