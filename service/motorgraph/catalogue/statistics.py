"""The figures of the graph at a commit, as the descriptions and the page read them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_NAMESPACE = re.compile(r".*[#/]")


@dataclass(frozen=True, slots=True)
class Use:
    """How a property is used: in how many triples, of how many subjects, with how many objects."""

    triples: int
    subjects: int
    objects: int


@dataclass(slots=True)
class Partition:
    """How the things of a class use a property: triples, subjects, and triples by the class or datatype of the object."""

    triples: int
    subjects: int
    classes: dict[str, int] = field(default_factory=dict)
    datatypes: dict[str, int] = field(default_factory=dict)


class Statistics:
    """What there is in the graph. `tally` is what the engine has counted, row by row: what, of what, how many."""

    def __init__(self, tally: Sequence[Sequence[str | int]]) -> None:
        self._kinds: dict[str, dict[tuple[str, ...], int]] = {}
        for kind, *key, count in tally:
            self._kinds.setdefault(str(kind), {})[tuple(map(str, key))] = int(count)

    def _of(self, kind: str) -> Mapping[tuple[str, ...], int]:
        return self._kinds.get(kind, {})

    def _single(self, kind: str) -> int:
        return self._of(kind).get((), 0)

    def _by_one(self, kind: str) -> dict[str, int]:
        return {key[0]: count for key, count in self._of(kind).items()}

    @cached_property
    def triples(self) -> int:
        """All triples; one that stands in two graphs is one."""
        return sum(self._of("triples").values())

    @property
    def subjects(self) -> int:
        """Distinct subjects."""
        return self._single("all_subjects")

    @property
    def objects(self) -> int:
        """Distinct objects."""
        return self._single("all_objects")

    @property
    def own(self) -> int:
        """Distinct subjects whose IRIs are below the base."""
        return self._single("own")

    @cached_property
    def spaces(self) -> dict[str, int]:
        """Distinct subjects by the host in their IRIs."""
        return self._by_one("spaces")

    @cached_property
    def graphs(self) -> dict[str, int]:
        """Triples of each graph, by name; "" is the unnamed graph where that is no merge."""
        return dict(sorted(self._by_one("quads").items()))

    @cached_property
    def classes(self) -> dict[str, int]:
        """Things of each class, the largest first."""
        return dict(sorted(self._by_one("entities").items(), key=_largest_first))

    @cached_property
    def properties(self) -> dict[str, Use]:
        """The use of each property, the most used first."""
        subjects, objects = self._by_one("subjects"), self._by_one("objects")
        used = sorted(self._by_one("triples").items(), key=_largest_first)
        return {name: Use(count, subjects[name], objects[name]) for name, count in used}

    @cached_property
    def partitions(self) -> dict[str, dict[str, Partition]]:
        """By class and property; empty where there are too many classes to count so."""
        found: dict[str, dict[str, Partition]] = {}
        describing = self._of("describing")
        for (of, name), count in sorted(self._of("statements").items()):
            found.setdefault(of, {})[name] = Partition(count, describing[of, name])
        for (of, name, towards), count in sorted(self._of("towards").items()):
            found[of][name].classes[towards] = count
        for (of, name, datatype), count in sorted(self._of("values").items()):
            found[of][name].datatypes[datatype] = count
        return found

    @cached_property
    def links(self) -> dict[tuple[str, str], int]:
        """Triples whose object is an IRI, by property and the host in it, the most first."""
        return {(key[0], key[1]): count for key, count in sorted(self._of("links").items(), key=lambda item: (-item[1], item[0]))}

    @cached_property
    def vocabularies(self) -> list[str]:
        """The namespaces of the properties and classes that are used, the most used first."""
        used = Counter[str]()
        for name, count in [*self._by_one("triples").items(), *self.classes.items()]:
            if found := _NAMESPACE.match(name):
                used[found[0]] += count
        return [name for name, _ in sorted(used.items(), key=_largest_first)]


def _largest_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
