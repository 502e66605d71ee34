"""An update's text cut into its operations, and each into the parts that say what it removes and adds (SPARQL 1.1 Update §3).

What is cut here has been parsed by the engine, so it is only cut: at keywords, names and braces that stand outside of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from motorgraph.tokens import Token, tokens

_BRACES = {"{": 1, "}": -1}
_NO_LINE_END = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Part:
    """The triples of a template that go to one graph: the IRI, name or variable behind GRAPH, "" if there is none."""

    graph: str
    triples: str

    @property
    def is_variable(self) -> bool:
        """Whether the graph is another for each solution."""
        return self.graph[:1] in ("?", "$")


@dataclass(frozen=True, slots=True)
class Data:
    """INSERT DATA or DELETE DATA: the braces and what is in them."""

    text: str
    block: str
    deletes: bool


@dataclass(frozen=True, slots=True)
class Modify:
    """DELETE and INSERT by a pattern, which stands in its braces; `graph` is that of WITH, `using` its clauses as written."""

    text: str
    graph: str
    removed: tuple[Part, ...]
    added: tuple[Part, ...]
    using: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Manage:
    """CLEAR, DROP, CREATE, COPY, MOVE or ADD: the keyword, and its graphs as IRI, name, DEFAULT, NAMED or ALL."""

    text: str
    verb: str
    graphs: tuple[str, ...]


Operation = Data | Modify | Manage


@dataclass(frozen=True, slots=True)
class Step:
    """An operation, where it begins in the text, and the BASE and PREFIX declarations in force for it, with their places."""

    operation: Operation
    start: int
    prologue: str
    declared: tuple[tuple[int, int], ...]

    def alone(self, text: str) -> str:
        """The text with blanks for the operations before this one and nothing behind: each place in it is as it was."""
        pieces, end = [], 0
        for begin, stop in (*self.declared, (self.start, self.start)):
            pieces += [_NO_LINE_END.sub(" ", text[end:begin]), text[begin:stop]]
            end = stop
        return "".join(pieces) + self.operation.text


class _Unsure(Exception):
    """The text is not as it should be, or has what we do not know."""


def cut(text: str) -> tuple[Step, ...] | None:
    """The operations of an update; None where it is not sure what they are."""
    try:
        return tuple(_steps(text))
    except _Unsure:
        return None


def _steps(text: str) -> Iterator[Step]:
    """Declarations may also stand between operations (SPARQL 1.1 §19.8, rule 29), which the engine does not take."""
    prologue, is_last = "", False
    declared: tuple[tuple[int, int], ...] = ()
    for found in _between_semicolons(list(tokens(text))):
        if is_last or not found:
            raise _Unsure
        count = _after_prologue(found)
        if count:
            declared = (*declared, (found[0].start, found[count - 1].end))
            prologue = "\n".join(text[begin:end] for begin, end in declared)
        is_last = count == len(found)
        if not is_last:
            yield Step(_operation(text, found[count:]), found[count].start, prologue, declared)


def _after_prologue(found: Sequence[Token]) -> int:
    """How many tokens declare a base or prefixes."""
    place = 0
    while place < len(found) and found[place].is_word("BASE", "PREFIX"):
        place += 2 if found[place].is_word("BASE") else 3
    return min(place, len(found))


def _between_semicolons(found: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each operation. Raises _Unsure if braces do not match."""
    depth, part = 0, list[Token]()
    for token in found:
        depth += _BRACES.get(token.text, 0)
        if depth < 0:
            raise _Unsure
        if depth == 0 and token.text == ";":
            yield part
            part = []
        else:
            part.append(token)
    if depth:
        raise _Unsure
    if part:
        yield part


def _operation(text: str, found: list[Token]) -> Operation:
    """One operation. Raises _Unsure."""
    rest = _Rest(text, found)
    if rest.takes("CLEAR", "DROP", "CREATE", "COPY", "MOVE", "ADD"):
        made: Operation = _manage(rest, found[0].text.upper())
    elif len(found) > 1 and found[1].is_word("DATA") and rest.takes("INSERT", "DELETE") and rest.takes("DATA"):
        made = Data(rest.whole, rest.between(rest.braces()), found[0].is_word("DELETE"))
    else:
        made = _modify(rest)
    if not rest.is_empty:
        raise _Unsure
    return made


def _modify(rest: _Rest) -> Modify:
    graph = rest.name() if rest.takes("WITH") else ""
    removed: tuple[Part, ...] = ()
    added: tuple[Part, ...] = ()
    if rest.takes("DELETE"):
        if rest.takes("WHERE"):
            removed = _parts(rest, rest.braces())
            return Modify(rest.whole, graph, removed, (), "", _as_pattern(removed))
        removed = _parts(rest, rest.braces())
    if rest.takes("INSERT"):
        added = _parts(rest, rest.braces())
    using = []
    while rest.takes("USING"):
        using.append(f"USING {'NAMED ' if rest.takes('NAMED') else ''}{rest.name()}")
    if not rest.takes("WHERE"):
        raise _Unsure
    return Modify(rest.whole, graph, removed, added, " ".join(using), rest.between(rest.braces()))


def _as_pattern(parts: Sequence[Part]) -> str:
    """The template of DELETE WHERE as a pattern. What it says of a graph with no triples is nothing, not that it is there."""
    groups = (f"{f'GRAPH {part.graph} ' if part.graph else ''}{{ {part.triples} }}" for part in parts)
    return f"{{ {' '.join(groups)} }}"


def _manage(rest: _Rest, verb: str) -> Manage:
    rest.takes("SILENT")
    graphs = [rest.graph()]
    if verb in ("COPY", "MOVE", "ADD"):
        if not rest.takes("TO"):
            raise _Unsure
        graphs.append(rest.graph())
    return Manage(rest.whole, verb, tuple(graphs))


def _parts(rest: _Rest, block: Sequence[Token]) -> tuple[Part, ...]:
    """What a template says of each graph. Raises _Unsure for braces that are not those of a GRAPH."""
    inner = _Rest(rest.text, block[1:-1])
    parts = []
    while not inner.is_empty:
        graph, triples = "", inner.until("GRAPH")
        if not triples:
            inner.takes("GRAPH")
            graph, triples = inner.name("variable"), inner.braces()[1:-1]
            inner.takes_mark(".")
        if any(token.text in _BRACES for token in triples):
            raise _Unsure
        if triples:
            parts.append(Part(graph, rest.between(triples)))
    return tuple(parts)


@dataclass(slots=True)
class _Rest:
    """The tokens that have not been taken yet: those from `place` on."""

    text: str
    tokens: Sequence[Token]
    place: int = 0

    @property
    def whole(self) -> str:
        """The text of all of them, taken or not."""
        return self.between(self.tokens)

    @property
    def is_empty(self) -> bool:
        """Whether all have been taken."""
        return self.place >= len(self.tokens)

    def between(self, found: Sequence[Token]) -> str:
        """The text from the first of some tokens to the last."""
        return self.text[found[0].start : found[-1].end] if found else ""

    def takes(self, *words: str) -> bool:
        """Takes the next token if it is one of these words."""
        if self.is_empty or not self.tokens[self.place].is_word(*words):
            return False
        self.place += 1
        return True

    def takes_mark(self, mark: str) -> None:
        """Takes the next token if it is this mark."""
        if not self.is_empty and self.tokens[self.place].text == mark:
            self.place += 1

    def name(self, *kinds: str) -> str:
        """Takes an IRI or prefixed name, or one of other kinds of token. Raises _Unsure."""
        if self.is_empty or self.tokens[self.place].kind not in ("iri", "name", *kinds):
            raise _Unsure
        self.place += 1
        return self.tokens[self.place - 1].text

    def graph(self) -> str:
        """Takes what names a graph, or several. Raises _Unsure."""
        for word in ("DEFAULT", "NAMED", "ALL"):
            if self.takes(word):
                return word
        self.takes("GRAPH")
        return self.name()

    def braces(self) -> Sequence[Token]:
        """Takes the tokens from a brace to its partner. Raises _Unsure."""
        depth = 0
        for place in range(self.place, len(self.tokens)):
            depth += _BRACES.get(self.tokens[place].text, 0)
            if depth == 0:
                if place == self.place:
                    break
                taken, self.place = self.tokens[self.place : place + 1], place + 1
                return taken
        raise _Unsure

    def until(self, word: str) -> Sequence[Token]:
        """Takes the tokens before a word."""
        end = self.place
        while end < len(self.tokens) and not self.tokens[end].is_word(word):
            end += 1
        taken, self.place = self.tokens[self.place : end], end
        return taken
