"""A description as plain JSON that is JSON-LD as well: the thing at the root, what is told with it nested where it belongs."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from motorgraph.context import Context, Term
from motorgraph.entity import TYPE, Answered, Description, Statement
from motorgraph.errors import NotAcceptable
from motorgraph.literal import Literal, literal
from motorgraph.vocab import XSD

Json = dict[str, object]
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_BOOLEANS = {"true": True, "false": False}


def framed(description: Description, context: Context, *, where: str = "") -> Json:
    """The document. Its context is at the address `where`; without one the document holds what it needs of it."""
    document = _Frame(description, context).document()
    return {"@context": where or context.needed, **document}


class _Frame:
    """The tree of a description: each node that is told of is nested once, as near to the thing as it is found."""

    def __init__(self, description: Description, context: Context) -> None:
        self._thing = description.thing
        self._context = context
        told: dict[str, dict[Statement, None]] = {self._thing: {}}
        for statement in (*description.own, *description.nested):
            told.setdefault(statement[0], {})[statement] = None
        for statement in description.incoming:
            if statement[0] in told:
                told[statement[0]][statement] = None
        self._about = {node: list(statements) for node, statements in told.items()}
        self._names: dict[str, Answered] = {}
        for name in description.names:
            self._names.setdefault(name[0], []).append(name)
        self._pointing: dict[str, Answered] = {}
        everything = [*description.incoming, *(s for statements in self._about.values() for s in statements)]
        for statement in dict.fromkeys(everything):
            if statement[2] in self._about and statement[0] != statement[2]:
                self._pointing.setdefault(statement[2], []).append(statement)
        self._down: set[Statement] = set()
        self._up: dict[str, Answered] = {}
        self._said: set[Statement] = set()
        self._place()

    def _place(self) -> None:
        """Finds for each node the statement by which it is nested: `down` to what a node leads to, `up` to what leads to it.

        What points at a node and is nested elsewhere, or is not told of, needs no place of its own.
        """
        placed: set[str] = {self._thing}
        waiting = deque([self._thing])
        while waiting:
            node = waiting.popleft()
            for statement in self._about.get(node, ()):
                if statement[2] in self._about and statement[2] not in placed and statement[1] != TYPE:
                    placed.add(statement[2])
                    self._down.add(statement)
                    waiting.append(statement[2])
            for statement in self._pointing.get(node, ()):
                is_told = statement[0] in self._about
                if (is_told and statement[0] not in placed) or (not is_told and node == self._thing):
                    self._up.setdefault(node, []).append(statement)
                    self._said.add(statement)
                    if is_told:
                        placed.add(statement[0])
                        waiting.append(statement[0])

    def document(self) -> Json:
        """The thing with all that is nested in it."""
        return self._object(self._thing, self._about[self._thing])

    def _object(self, node: str, statements: Iterable[Statement]) -> Json:
        """A node with what is said of it, but for the statements that a reverse one has said already."""
        values: dict[Term, list[object]] = {}
        types: list[str] = []
        for statement in statements:
            if statement[1] == TYPE and statement[2][0] == "<":
                types.append(self._context.called(statement[2][1:-1]))
            elif statement not in self._said:
                values.setdefault(self._context.term(statement[1][1:-1]), []).append(self._value(statement))
        found: Json = {"id": _id(node)} | ({"type": sorted(types)} if types else {})
        found |= _members(values)
        reverse: dict[Term, list[object]] = {}
        for statement in self._up.get(node, ()):
            reverse.setdefault(Term(self._context.term(statement[1][1:-1]).name, ""), []).append(self._node(statement[0]))
        return found | ({"reverse": _members(reverse)} if reverse else {})

    def _value(self, statement: Statement) -> object:
        value = literal(statement[2])
        if value is not None:
            return _value(value, self._context.term(statement[1][1:-1]), self._context)
        return self._node(statement[2]) if statement in self._down else self._mention(statement[2])

    def _node(self, node: str) -> Json:
        return self._object(node, self._about[node]) if node in self._about and node != self._thing else self._mention(node)

    def _mention(self, node: str) -> Json:
        """A node by its IRI, with its name if that is no part of something nested."""
        values: dict[Term, list[object]] = {}
        for name in self._names.get(node, ()):
            term = self._context.term(name[1][1:-1])
            value = literal(name[2])
            if value is not None:
                values.setdefault(term, []).append(_value(value, term, self._context))
        return {"id": _id(node)} | _members(values)


def _id(node: str) -> str:
    if node[0] == "<" and node[1] != "<":
        return node[1:-1]
    if node[0] == "_":
        return node
    raise NotAcceptable("It holds a triple term, which JSON-LD cannot say. Ask for another format, such as text/turtle.")


def _members(values: Mapping[Term, list[object]]) -> Json:
    """Properties by name, in the order of the names; the values of each in an order of their own."""
    return {term.name: _set(term, values[term]) for term in sorted(values, key=lambda term: term.name)}


def _set(term: Term, values: list[object]) -> object:
    if term.is_single and len(values) == 1:
        return values[0]
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True, ensure_ascii=False))


def _value(found: Literal, term: Term, context: Context) -> object:
    """A literal as the value of a term: plain where the term says the rest of it."""
    if found.language:
        if found.language.lower() == term.language and not found.direction:
            return found.value
        return {"@value": found.value, "@language": found.language} | ({"@direction": found.direction} if found.direction else {})
    if found.datatype == XSD + "string":
        return found.value if not (term.type or term.language) else {"@value": found.value}
    native = next(_native(found.value, found.datatype), None)
    if native is not None and term.type in ("", found.datatype):
        return native
    return found.value if term.type == found.datatype else {"@value": found.value, "@type": context.shortened(found.datatype)}


def _native(text: str, datatype: str) -> Iterator[bool | int]:
    """The value as JSON has it, where it comes back as the same literal."""
    if datatype == XSD + "boolean" and text in _BOOLEANS:
        yield _BOOLEANS[text]
    elif datatype == XSD + "integer" and _CANONICAL_INTEGER.fullmatch(text):
        yield int(text)
