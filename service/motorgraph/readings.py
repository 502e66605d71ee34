"""What has been read out of the SPARQL of rules and constraints, by its text: rdflib takes tens of milliseconds to parse each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import pyoxigraph as ox

from motorgraph.focus import Focus, Sight
from motorgraph.notes import Notes
from motorgraph.queried import GraphLook
from motorgraph.reach import Choice, Hop, Look, Repeated, Sequence, Way

READERS = ("focus", "queried", "reach", "readings", "shapes")
"""The modules on which it depends what is read out of a text."""
MOST_KEPT = 1_000
KINDS = (Choice, Focus, GraphLook, Hop, Look, Repeated, Sequence, Sight, Way)
Json = Any  # plain JSON
Reading = TypeVar("Reading")


class Readings:
    """By text, also from one start to the next if there are notes; they are read when they are first asked."""

    def __init__(self, notes: Notes | None = None) -> None:
        self._notes = notes
        self._noted: dict[str, Json] = (notes.on(_readers()) or {}) if notes else {}
        self._known: dict[str, Json] = {}

    def of(self, text: str, namespaces: Mapping[str, object], read: Callable[[], Reading]) -> Reading:
        """What is read out of a text with `namespaces` behind the prefixes that it does not declare. Raises what `read` does."""
        key = _key(text, namespaces)
        if key in self._noted:
            self._known[key] = self._noted[key]
        if key not in self._known:
            self._known[key] = told(read())
        found: Reading = made(self._known[key])
        return found

    def has(self, text: str, namespaces: Mapping[str, object]) -> bool:
        """Whether the text has been read."""
        return _key(text, namespaces) in self._known

    def keep(self) -> None:
        """Notes what is new; what nobody has asked for goes when it becomes much."""
        if self._notes is not None and not self._known.keys() <= self._noted.keys():
            self._noted = self._known | (self._noted if len(self._noted) < MOST_KEPT else {})
            self._notes.remember(_readers(), self._noted)


def _key(text: str, namespaces: Mapping[str, object]) -> str:
    return hashlib.sha256(
        repr((_ordered(text), sorted((name, str(iri)) for name, iri in namespaces.items()))).encode()
    ).hexdigest()


def _ordered(text: str) -> list[str]:
    """The lines, the declarations at the top in order, if each is of another prefix: pySHACL writes them in any."""
    lines = text.splitlines()
    head = list(takewhile(lambda line: line.startswith("PREFIX "), lines))
    names = {line.split(":")[0] for line in head}
    return sorted(head) + lines[len(head) :] if len(names) == len(head) else lines


def _readers() -> str:
    """A hash of what reads: other code may find something else."""
    whole = hashlib.sha256(version("rdflib").encode())
    for name in READERS:
        whole.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return whole.hexdigest()


def told(value: object) -> Json:
    """What has been read, as JSON: a list that begins with the name of its kind."""
    match value:
        case None | bool() | str():
            return value
        case tuple() | frozenset():
            parts = list(map(told, value))
        case ox.NamedNode() | ox.Variable():
            parts = [value.value]
        case ox.Literal():
            parts = [value.value, value.language, None if value.language else value.datatype.value]
        case _:
            parts = [told(getattr(value, field.name)) for field in fields(value)]  # type: ignore[arg-type]  # one of KINDS
    return [type(value).__name__, *parts]


def made(said: Json) -> Any:  # Any: what `told` was given
    """What `told` has told of."""
    return MAKERS[said[0]](*map(made, said[1:])) if isinstance(said, list) else said


def _literal(value: str, language: str | None, datatype: str | None) -> ox.Literal:
    return ox.Literal(value, language=language, datatype=ox.NamedNode(datatype) if datatype else None)


MAKERS: dict[str, Callable[..., object]] = {
    "tuple": lambda *parts: parts,
    "frozenset": lambda *parts: frozenset(parts),
    "NamedNode": ox.NamedNode,
    "Variable": ox.Variable,
    "Literal": _literal,
    **{kind.__name__: kind for kind in KINDS},
}
