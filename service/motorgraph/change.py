"""A change judged at the cost of the change: only the focus nodes that it can affect are validated, with shapes parsed before.

It decides as `gate.validate_store` does, provided that the graph before the change had no violation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import pyoxigraph as ox
from pyshacl.shape import Shape

from motorgraph import faults, gate, judge
from motorgraph.merged import EVERYWHERE, SUBCLASS, Data, GraphName, TooFar
from motorgraph.reach import RDF_TYPE, Hop, Repeated, Term
from motorgraph.shapes import Question, Shapes, Watch

MOST_FOCUS_NODES = 20_000
"""How many focus nodes are validated apart: beyond it, validation in full takes hardly longer."""
Quads = Collection[ox.Quad]
Triples = set[ox.Triple]


def judge_change(store: ox.Store, shapes: Shapes, removed: Quads, added: Quads) -> gate.Report:
    """What validation in full of a changed store would find, at the focus nodes that the change can affect.

    `store` is as it is after the change; its default graph has to be the merge of all others. A shape that is new or has another
    description than in `shapes`, as they were before, is validated at all its focus nodes; all are if there are too many.
    Raises BadShapes for shapes that cannot be used, and what `judge.at` does.
    """
    now = shapes
    if any(quad.graph_name == shapes.name for quad in (*removed, *added)):
        now = Shapes.of(store, shapes.name.value, shapes.apart, shapes.readings)
        faults.require_none(now.graph, now.parsed, now.readings)
    data = now.data(store)
    gone, come = _merged_change(data, removed, added)
    for triple in come:
        if isinstance(triple.object, ox.Triple):
            gate.rdflib_term(triple.object)  # which refuses it
    data.gone.extend(ox.Quad(t.subject, t.predicate, t.object) for t in gone)
    return _at_affected(store, now, Affected(now, data, gone | come, now.unlike(shapes) if now is not shapes else set()))


def judge_touched(store: ox.Store, shapes: Shapes, triples: Triples) -> gate.Report:
    """What validation in full of a store would find at the focus nodes that these triples of it can affect.

    Its default graph has to be the merge of all others. Raises what `judge.at` does.
    """
    for triple in triples:
        if isinstance(triple.object, ox.Triple):
            gate.rdflib_term(triple.object)  # which refuses it
    return _at_affected(store, shapes, Affected(shapes, shapes.data(store), triples))


def _at_affected(store: ox.Store, shapes: Shapes, affected: Affected) -> gate.Report:
    try:
        found = list(affected.focus_nodes())
    except TooFar:
        return judge.in_full(shapes, shapes.data(store))
    return judge.at(shapes, shapes.data(store), _still_targets(found, shapes.data(store)))


def _still_targets(affected: Iterable[tuple[Watch, set[Term]]], data: Data) -> Iterator[tuple[Shape, set[Term]]]:
    """The focus nodes but those that a class no longer makes targets."""
    for watch, nodes in affected:
        yield watch.shape, {node for node in nodes if watch.targets.has(node, data)}


def _reclassified(data: Data, changed: Triples) -> Triples:
    """The types of the nodes whose classes lie below a change of the tree of classes: what they say has another meaning."""
    kinds: set[Term] = {triple.subject for triple in changed if triple.predicate == SUBCLASS}
    below = data.walk(Repeated(Hop(SUBCLASS, is_inverse=True)), kinds)
    found: Triples = set()
    for kind in below:
        for node in data.walk(Hop(RDF_TYPE, is_inverse=True), {kind}, MOST_FOCUS_NODES):
            assert not isinstance(node, ox.Literal)
            found.add(ox.Triple(node, RDF_TYPE, kind))
        if len(found) > MOST_FOCUS_NODES:
            raise TooFar
    return found


def _merged_change(data: Data, removed: Quads, added: Quads) -> tuple[Triples, Triples]:
    """The triples that no graph has any more, and those that none had before."""
    was, new = _by_triple(data, removed), _by_triple(data, added)
    gone, come = set(), set()
    for triple in {*was, *new}:
        now = data.graphs(triple)
        then = now - new[triple] | was[triple]
        if then and not now:
            gone.add(triple)
        elif now and not then:
            come.add(triple)
    return gone, come


def _by_triple(data: Data, quads: Quads) -> defaultdict[ox.Triple, set[GraphName]]:
    """The graphs with data in which each triple stands, its terms written as the engine writes them: the integer 01 is 1."""
    as_stored, found = ox.Store(), defaultdict(set)
    as_stored.extend(quads)
    for quad in as_stored:
        if data.holds(quad.graph_name):
            found[quad.triple].add(quad.graph_name)
    return found


class Affected:
    """The focus nodes that changed triples can affect, for each shape with targets. Raises TooFar if they are too many."""

    def __init__(self, shapes: Shapes, data: Data, changed: Triples, new: Collection[int] = ()) -> None:
        self._shapes = shapes
        self._new = new
        self._data = data
        data.look_up(node for triple in changed for node in (triple.subject, triple.object))
        data.look_up((triple.subject for triple in changed), back=True)
        self._changed = changed | _reclassified(data, changed)

    def focus_nodes(self) -> Iterator[tuple[Watch, set[Term]]]:
        """The shapes, each with the focus nodes that may have a result that they had not. Raises TooFar for too many."""
        seen_from, gained, count = self._seen_from(), self._gained(), 0
        touched = {at for at, _ in seen_from} | gained.keys() | self._shapes.unbounded | set(self._new)
        for at in sorted(touched):
            watch = self._shapes.watches[at]
            if at in self._new:
                yield watch, watch.targets.all(self._data)
                continue
            found = self._targets(watch, EVERYWHERE if watch.looks is None else _joined(gained[at], seen_from[at, -1]))
            for which, question in enumerate(watch.questions):
                nodes = EVERYWHERE if question.looks is None else _joined(gained[at], seen_from[at, which])
                found |= self._suspicious(watch, question, nodes)
            count += len(found)
            if count > MOST_FOCUS_NODES:
                raise TooFar
            if found:
                yield watch, found

    def _gained(self) -> defaultdict[int, set[Term]]:
        """For each shape the nodes that a changed triple may make targets."""
        found: defaultdict[int, set[Term]] = defaultdict(set)
        for triple in self._changed:
            for at, node in self._shapes.gained(triple, self._data):
                found[at].add(node)
        return found

    def _seen_from(self) -> defaultdict[tuple[int, int], set[Term] | None]:
        """For each shape and question the nodes from which a changed triple may be seen."""
        found: defaultdict[tuple[int, int], set[Term] | None] = defaultdict(set)
        for triple in self._changed:
            for key in (triple.predicate, None):
                for at, which, look in self._shapes.looking.get(key, ()):
                    if look.meets(triple):
                        found[at, which] = _joined(found[at, which], self._data.led_to(look, triple))
        return found

    def _targets(self, watch: Watch, nodes: set[Term] | None) -> set[Term]:
        """Those of the nodes that are targets of the shape."""
        if nodes is EVERYWHERE:
            return watch.targets.all(self._data)
        return {node for node in nodes if watch.targets.has(node, self._data)}

    def _suspicious(self, watch: Watch, question: Question, nodes: set[Term] | None) -> set[Term]:
        """Those of the nodes that are targets and for which the engine finds a solution of the constraint."""
        try:
            if nodes is EVERYWHERE and question.asks_all(self._data):
                return self._targets(watch, question.all_suspicious(self._data))
            return question.suspicious(self._targets(watch, nodes), self._data)
        except (SyntaxError, ValueError):
            return self._targets(watch, nodes)  # pySHACL will say what is wrong


def _joined(one: set[Term] | None, other: set[Term] | None) -> set[Term] | None:
    return EVERYWHERE if one is EVERYWHERE or other is EVERYWHERE else one | other
