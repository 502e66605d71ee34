"""What a query can look at from some nodes: fetched from a remote store, so that it is asked of that and of a change at once.

The looks of a shape or rule lead from a triple back to the nodes that see it; backwards, they lead from these to the triples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyoxigraph as ox

from motorgraph.engine.remote import Pattern, Remote, remote
from motorgraph.errors import NotRemote
from motorgraph.reach import OBJECT, PREDICATE, SUBJECT, Choice, Hop, Look, Path, Repeated, Sequence, Term, Way, backwards

Nodes = Iterable[Term] | None


@contextmanager
def seeing(store: ox.Store, looks: Iterable[Look] | None, nodes: Nodes) -> Iterator[None]:
    """Within, a query may be asked of the store that looks so from these nodes (None: from anywhere), whatever this process has
    changed. Raises NotRemote if that cannot be had: `looks` is None for what cannot be told.
    """
    there = remote(store)
    if there is None or not there.is_changed:
        yield
        return
    if looks is None:
        raise NotRemote("What this change brings about cannot be told without the whole graph, which a remote store has.")
    known = None if nodes is None else set(nodes)
    for look in looks:
        there.know(_seen(there, look, known))
    with there.seeing():
        yield


def _seen(store: Remote, look: Look, nodes: set[Term] | None) -> Iterator[Pattern]:
    """The patterns of the triples that a look meets from some nodes."""
    if nodes is None or not look.ways:
        yield look.subject, look.predicate, look.object
        return
    way = min(look.ways, key=_length)
    met = {SUBJECT: look.subject, PREDICATE: look.predicate, OBJECT: look.object}
    for end in _walked(store, backwards(way.path), nodes):
        if way.end != PREDICATE or isinstance(end, ox.NamedNode):
            found = met | {way.end: end}
            yield found[SUBJECT], found[PREDICATE], found[OBJECT]


def _length(way: Way) -> int:
    return len(repr(way.path))


def _walked(store: Remote, path: Path, nodes: set[Term]) -> set[Term]:
    """The nodes to which a path leads, each step by few queries."""
    match path:
        case Hop():
            wanted: Iterable[Pattern]
            if path.is_inverse:
                wanted = [(None, path.predicate, node) for node in nodes]
                return {quad.subject for quad in store.fetch(wanted)}
            wanted = [(node, path.predicate, None) for node in nodes if not isinstance(node, ox.Literal)]
            return {quad.object for quad in store.fetch(wanted)}
        case Sequence():
            for part in path.parts:
                nodes = _walked(store, part, nodes)
            return nodes
        case Choice():
            return set().union(*(_walked(store, part, nodes) for part in path.parts))
        case Repeated():
            found, new = set(nodes), nodes
            while new:
                new = _walked(store, path.part, new) - found
                found |= new
            return found
