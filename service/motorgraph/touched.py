"""Which properties and classes the newest commits have touched, so that what was read of others need not be read again."""

from __future__ import annotations

import re
from collections import deque

from motorgraph.engine.delta import Written
from motorgraph.vocab import RDF

MOST_COMMITS = 1000
"""That are remembered; of what was before, nothing is known."""
TYPE = f"{RDF}type"
_PREFIX = re.compile(r"PREFIX\s+([\w-]*):\s*<([^>]*)>", re.IGNORECASE)
_TOKEN = re.compile(r"<([^<>\s]*)>|([\w-]+):([\w-]+)|\ba\b(?=\s+\?)")


class Touched:
    """What each of the newest commits has touched: the properties of what it removed and added, and the classes of things."""

    def __init__(self) -> None:
        self._commits: deque[tuple[int, frozenset[str] | None]] = deque(maxlen=MOST_COMMITS)

    def heed(self, commit: int, delta: str) -> None:
        """A commit has changed the graph: `delta` says how, "" if it is too long for that."""
        self._commits.append((commit, names_in_delta(delta) if delta else None))

    def leaves(self, names: frozenset[str], since: int, commit: int) -> bool:
        """Whether no commit after `since`, up to `commit`, has touched any of these names; False if that is not known."""
        if since >= commit:
            return since == commit
        later = [touched for number, touched in self._commits if since < number <= commit]
        return len(later) == commit - since and all(touched is not None and not touched & names for touched in later)


def names_in_delta(delta: str) -> frozenset[str]:
    """The IRIs of the properties in a delta as it is written for readers; of a type that of the class, and of types as such."""
    written = Written.of(delta.encode())
    found = set()
    for lines in (written.removed, written.added, *written.derived, written.catalogued):
        for line in filter(None, lines.split(b"\n")):
            _, predicate, rest = line.split(b" ", 2)
            name = predicate[1:-1].decode()
            found.add(name)
            if name == TYPE:
                found.add(rest.partition(b" ")[0][1:-1].decode())
    return frozenset(found)


def names_in_query(text: str) -> frozenset[str]:
    """The IRIs that decide which triples a query can match: of properties and classes, and `TYPE` where it asks for any class.

    For a query whose every pattern names its property, as ours do; what it names besides does no harm.
    """
    prefixes = dict(_PREFIX.findall(text))
    found = set()
    for iri, prefix, name in _TOKEN.findall(_PREFIX.sub("", text)):
        if iri:
            found.add(iri)
        elif prefix:
            found.add(prefixes.get(prefix, f"{prefix}:") + name)
        else:
            found.add(TYPE)
    return frozenset(found)
