"""Classes and properties by the names that clients give them: those of our ontology by the last part of their IRI."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import pyoxigraph as ox

from motorgraph.errors import BadRequest
from motorgraph.portrait.layout import BOOKKEEPING
from motorgraph.prefixes import Prefixes
from motorgraph.search.entry import CLASS, PROPERTY, TYPE, Look, last
from motorgraph.search.index import Index
from motorgraph.vocab import RDFS

MOST_LOOKED_AT = 500
"""Things of a class whose properties are counted for a proposal."""
MOST_NEAR = 5
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_]")
SUBCLASS = ox.NamedNode(RDFS + "subClassOf")


@dataclass
class Schema:
    """The classes and properties of a graph."""

    look: Look
    index: Index
    _of_class: dict[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def _prefixes(self) -> Prefixes:
        return Prefixes(self.look.names.base)

    def forget(self) -> None:
        """The graph has changed."""
        self._of_class.clear()

    def name(self, iri: str) -> str:
        """What clients call a term."""
        own = self.look.names.term("")
        return iri.removeprefix(own) if iri.startswith(own) else self._prefixes.shortened(iri) or iri

    def term(self, name: str) -> ox.NamedNode | None:
        """The term that a client means; None if it cannot be one."""
        iri = name if "://" in name else self._prefixes.expanded(name) if ":" in name else self.look.names.term(name)
        try:
            return ox.NamedNode(iri)
        except ValueError:
            return None

    def label(self, iri: str) -> str:
        """A term in words."""
        entry = self.index.entry(iri)
        return entry.label if entry is not None else _WORDS.sub(" ", last(iri)).lower()

    def told(self, iri: str) -> dict[str, str]:
        """A term as clients take it."""
        return {"id": self.name(iri), "name": self.label(iri)}

    def property(self, name: str) -> ox.NamedNode:
        """The property that a client names. Raises BadRequest if there is none, with those whose names are like it."""
        found = self.term(name)
        is_own = found is not None and (entry := self.index.entry(found.value)) is not None and entry.kind == PROPERTY
        if found is not None and (is_own or next(self.look.quads(None, found, None), None) is not None):
            return found
        near = [self.told(match.entry.iri) for match in self.index.find(name[:80], PROPERTY, most=MOST_NEAR).matches]
        hint = f" Near to it: {', '.join(each['id'] for each in near)}." if near else ""
        raise BadRequest(f"There is no property {name[:80]!r}.{hint}", near=near)

    def instances(self, name: str) -> frozenset[str]:
        """The IRIs of the things of a class; none if there is no such class."""
        if name not in self._of_class:
            found = self.term(name)
            quads = self.look.quads(None, TYPE, found) if found is not None else iter(())
            self._of_class[name] = frozenset(quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode))
        return self._of_class[name]

    def types(self, thing: ox.NamedNode) -> list[dict[str, str]]:
        """The classes of a thing, the most special first: those of our ontology, or all if there are none of them."""
        classes = self.look.classes(thing)
        own = [iri for iri in classes if iri.startswith(self.look.names.term(""))] or classes
        above = {iri for name in own for iri in self._above(name)}
        return [self.told(iri) for iri in sorted(own, key=lambda iri: (iri in above, iri))]

    def _above(self, name: str) -> list[str]:
        return [v.value for v in self.look.values(ox.NamedNode(name), SUBCLASS) if isinstance(v, ox.NamedNode)]

    def broader(self, name: str) -> list[dict[str, str]]:
        """The classes of our ontology directly above a class."""
        own, found = self.look.names.term(""), self.term(name)
        return [self.told(iri) for iri in self._above(found.value) if iri.startswith(own)] if found is not None else []

    def propose(self, type: str, limit: int) -> dict[str, Any]:  # Any: plain JSON
        """The properties that things of a class have, the most used first; without a class those of which most is said."""
        counts: Counter[str] = Counter()
        things = sorted(self.instances(type)) if type else (entry.iri for entry in self.index.entries)
        for iri in islice(things, MOST_LOOKED_AT):
            counts.update({quad.predicate.value for quad in self.look.quads(ox.NamedNode(iri), None, None)})
        for iri in (TYPE.value, *map(self.look.names.term, BOOKKEEPING)):
            counts.pop(iri, None)
        ordered: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {"type": type, "limit": limit, "properties": [self.told(iri) for iri, _ in ordered[:limit]]}

    def suggested(self, kind: str) -> list[str]:
        """All classes or all properties, by name."""
        assert kind in (CLASS, PROPERTY)
        own = self.look.names.term("")
        return sorted((e.iri for e in self.index.of_kind(kind)), key=lambda iri: (not iri.startswith(own), self.label(iri)))
