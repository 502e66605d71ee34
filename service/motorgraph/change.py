"""A change judged at the cost of the change: only the focus nodes that it can affect are validated, with shapes parsed before.

It decides as `gate.validate_store` does, provided that the graph before the change had no violation.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shape import Shape
from pyshacl.shapes_graph import ShapesGraph
from pyshacl.validator import Validator
from rdflib import Graph
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query

from motorgraph import gate, queried, sieve
from motorgraph.merged import SUBCLASS, Data, GraphName, TooFar, View
from motorgraph.reach import RDF_TYPE, SUBJECT, Hop, Look, Nested, Repeated, Unbounded, engine_term, seen
from motorgraph.sieve import Term

MOST_FOCUS_NODES = 2_000
"""How many focus nodes are validated one by one: beyond it, validation in full takes no longer."""
MOST_STEPS = (100, 10_000)
"""To how many nodes a walk from a changed triple may lead before another way is tried, at first and then."""
THIS = ox.Variable("this")
OPENING = re.compile(r"\bWHERE\s*\{", re.IGNORECASE)
EVERYWHERE = None
"""In the place of a set of nodes: all of them."""
Quads = Collection[ox.Quad]
Triples = set[ox.Triple]
Looking = tuple[int, int, Look]


# The shapes, parsed


@dataclass(frozen=True, slots=True)
class Targets:
    """What focus nodes a shape says that it has (SHACL 1.0, 2.1.3)."""

    nodes: frozenset[Term]
    classes: frozenset[Term]
    ways_out: frozenset[Hop]
    """Of which triples they are an end."""

    @classmethod
    def of(cls, shape: Shape) -> Targets:
        """Those of a parsed shape; one that is a class is the target of itself."""
        nodes, classes, implicit, objects_of, subjects_of = (
            [engine_term(node) for node in told]
            for told in shape.target()  # type: ignore[no-untyped-call]  # pySHACL's own
        )
        named = ((objects_of, True), (subjects_of, False))
        out = (Hop(name, back) for names, back in named for name in names if isinstance(name, ox.NamedNode))
        return cls(frozenset(nodes), frozenset((*classes, *implicit)), frozenset(out))

    def __bool__(self) -> bool:
        return bool(self.nodes or self.classes or self.ways_out)

    def gained(self, triple: ox.Triple, data: Data) -> Iterator[Term]:
        """The nodes that a triple may make targets."""
        if triple.predicate == RDF_TYPE and self._classify(triple.object, data):
            yield triple.subject
        for hop in self.ways_out:
            if hop.predicate == triple.predicate:
                yield triple.object if hop.is_inverse else triple.subject

    def has(self, node: Term, data: Data) -> bool:
        """Whether the node is a target."""
        return (
            node in self.nodes
            or any(True for hop in self.ways_out for _ in data.far(node, hop))
            or bool(self.classes and any(self._classify(kind, data) for kind in data.far(node, Hop(RDF_TYPE))))
        )

    def all(self, data: Data) -> set[Term]:
        """All targets."""
        found = set(self.nodes)
        for hop in self.ways_out:
            found |= {q.object if hop.is_inverse else q.subject for q in data.quads(None, hop.predicate, None)}
        for kind in self.classes:
            below = data.walk(Repeated(Hop(SUBCLASS, is_inverse=True)), {kind})
            found |= {node for each in below for node in data.far(each, Hop(RDF_TYPE, is_inverse=True))}
        return found

    def _classify(self, kind: Term, data: Data) -> bool:
        return kind in self.classes or not self.classes.isdisjoint(data.classes_above(kind))


@dataclass(frozen=True, slots=True)
class Question:
    """A SPARQL constraint of a shape with targets: its text, and what it looks at; None for what cannot be told."""

    text: str
    looks: tuple[Look, ...] | None
    sees_shapes: bool
    """Whether its patterns may match a triple of the shapes themselves, which are no data."""

    @property
    def asks_all(self) -> bool:
        """Whether the engine may be asked for all focus nodes at once."""
        return not self.sees_shapes and sieve._may_run_unbound(self.text)

    def suspicious(self, nodes: set[Term], data: Data) -> set[Term]:
        """Those of the nodes for which the engine finds a solution. Raises SyntaxError or ValueError for no fit query."""
        graphs = data.names if self.sees_shapes else None
        found = set()
        if sieve._may_run_unbound(self.text):
            named = [str(node) for node in nodes if isinstance(node, ox.NamedNode)]
            text = OPENING.sub(lambda opening: f"{opening[0]} VALUES ?this {{ {' '.join(named)} }} ", self.text, count=1)
            found = {row["this"] for row in _solutions(data.store.query(text, default_graph=graphs))} if named else set()
            nodes = {node for node in nodes if not isinstance(node, ox.NamedNode)}
        for node in nodes:
            if any(True for _ in _solutions(data.store.query(self.text, substitutions={THIS: node}, default_graph=graphs))):
                found.add(node)
        return found


def _solutions(found: object) -> ox.QuerySolutions:
    if not isinstance(found, ox.QuerySolutions):
        raise ValueError("A SPARQL constraint is a SELECT query.")
    return found


@dataclass(frozen=True, slots=True)
class Watch:
    """A shape with targets, its questions, and what its other constraints look at; None for what cannot be told."""

    shape: Shape
    targets: Targets
    looks: tuple[Look, ...] | None
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, repr=False)
class Shapes:
    """The shapes of a store, parsed once; what is forked from here has them too.

    They are to be made anew when the graph `name` has changed.
    """

    name: ox.NamedNode
    graph: Graph
    parsed: ShapesGraph
    watches: list[Watch] = field(default_factory=list)
    looking: defaultdict[ox.NamedNode | None, list[Looking]] = field(default_factory=lambda: defaultdict(list))
    """By predicate: which watch (and which of its questions, or -1) looks at such triples."""
    prepared: dict[str, Query] = field(default_factory=dict)
    """The SPARQL constraints by their text."""
    apart: frozenset[ox.NamedNode] = frozenset()
    """Other graphs that are no data."""

    @classmethod
    def of(cls, store: ox.Store, shapes_graph_iri: str, apart: Iterable[ox.NamedNode] = ()) -> Shapes:
        """Those in a named graph of the store. Raises what pySHACL does for shapes that are none."""
        name = ox.NamedNode(shapes_graph_iri)
        graph = gate.rdflib_graph(store.quads_for_pattern(None, None, None, name))
        made = cls(name, graph, ShapesGraph(graph, False, logging.getLogger(__name__)), apart=frozenset(apart))
        for shape in made.parsed.shapes:
            targets = Targets.of(shape)
            if targets and not shape.deactivated:
                made.watches.append(made._watch(shape, targets, store))
        for at, watch in enumerate(made.watches):
            for which, looks in ((-1, watch.looks), *((i, question.looks) for i, question in enumerate(watch.questions))):
                for look in looks or ():
                    made.looking[look.predicate].append((at, which, look))
        return made

    def _watch(self, shape: Shape, targets: Targets, store: ox.Store) -> Watch:
        looks: list[Look] = []
        questions = []
        try:
            if self.parsed.custom_constraints:
                raise Unbounded("There are constraint components that pySHACL does not know by itself.")
            for found in seen(self.graph, shape.node):
                if isinstance(found, Look):
                    looks.append(found)
                elif found.shape == shape.node and not shape.is_property_shape:
                    questions.append(self._question(self._text(found), store))
                else:
                    looks += (look.from_further(found.path) for look in self._looks(self._text(found)))
        except Unbounded:
            return Watch(shape, targets, None)
        return Watch(shape, targets, tuple(dict.fromkeys(looks)), tuple(questions))

    def _text(self, nested: Nested) -> str:
        """The text of a constraint as pySHACL will ask it."""
        shape = self.parsed.lookup_shape_from_node(nested.shape)
        try:
            constraints = SPARQLBasedConstraint(shape).sparql_constraints
            query = next(each for each in constraints if each.node == nested.constraint)
            return str(query.apply_prefixes(query.pre_bind_variables(nested.shape)[1]))
        except (RuntimeError, LookupError) as error:  # as pySHACL will say when it is asked
            raise Unbounded(f"{error}") from error

    def _looks(self, text: str) -> tuple[Look, ...]:
        try:
            self.prepared[text] = prepareQuery(text, dict(self.graph.namespaces()))
        except Exception as error:  # rdflib's parser and translation raise what they like
            raise Unbounded(f"{error}") from error
        return tuple(dict.fromkeys(queried.looks(self.prepared[text])))

    def _question(self, text: str, store: ox.Store) -> Question:
        try:
            looks = self._looks(text)
        except Unbounded:
            return Question(text, None, sees_shapes=True)
        patterns = [(look.subject, look.predicate, look.object) for look in looks if not isinstance(look.subject, ox.Literal)]
        found = (store.quads_for_pattern(*pattern, self.name) for pattern in patterns)
        return Question(text, looks, sees_shapes=any(True for quads in found for _ in quads))


# The judgement


def judge_change(store: ox.Store, shapes: Shapes, removed: Quads, added: Quads) -> gate.Report:
    """What validation in full of a changed store would find, at the focus nodes that the change can affect.

    `store` is as it is after the change; quads of the unnamed graph count for nothing. Its named graphs are read for all but
    the queries of SPARQL constraints: these read the default graph, which therefore has to be their merge.

    The whole graph is validated if the change touches the shapes or the tree of classes, or has too many focus nodes.
    """
    data = Data(store, shapes.name, *shapes.apart)
    gone, come = _merged_change(data, removed, added)
    changed = gone | come
    in_full = any(quad.graph_name == shapes.name for quad in (*removed, *added))
    if not in_full and not any(t.predicate == SUBCLASS or isinstance(t.object, ox.Triple) for t in changed):
        data.gone.extend(ox.Quad(t.subject, t.predicate, t.object) for t in gone)
        try:
            affected = list(Affected(shapes, data, changed).focus_nodes())
        except TooFar:
            pass
        else:
            return _validated(shapes, data, affected)
    return gate.validate_store(store, shapes.name.value, shapes.apart)


def _merged_change(data: Data, removed: Quads, added: Quads) -> tuple[Triples, Triples]:
    """The triples that no graph has any more, and those that none had before."""
    was, new = _by_triple(data, removed), _by_triple(data, added)
    gone, come = set(), set()
    for triple in {*was, *new}:
        now = {quad.graph_name for quad in data.quads(*triple)}
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
    """The focus nodes that changed triples can affect, for each shape with targets."""

    def __init__(self, shapes: Shapes, data: Data, changed: Triples) -> None:
        self._shapes = shapes
        self._data = data
        self._changed = changed

    def focus_nodes(self) -> Iterator[tuple[Watch, set[Term]]]:
        """The shapes, each with the focus nodes that may have a result that they had not. Raises TooFar for too many."""
        seen_from = self._seen_from()
        count = 0
        for at, watch in enumerate(self._shapes.watches):
            gained = {node for triple in self._changed for node in watch.targets.gained(triple, self._data)}
            found = self._targets(watch, EVERYWHERE if watch.looks is None else _joined(gained, seen_from[at, -1]))
            for which, question in enumerate(watch.questions):
                nodes = EVERYWHERE if question.looks is None else _joined(gained, seen_from[at, which])
                found |= self._suspicious(watch, question, nodes)
            count += len(found)
            if count > MOST_FOCUS_NODES:
                raise TooFar
            if found:
                yield watch, found

    def _seen_from(self) -> defaultdict[tuple[int, int], set[Term] | None]:
        """For each shape and question the nodes from which a changed triple may be seen."""
        found: defaultdict[tuple[int, int], set[Term] | None] = defaultdict(set)
        for triple in self._changed:
            for key in (triple.predicate, None):
                for at, which, look in self._shapes.looking.get(key, ()):
                    if look.meets(triple):
                        found[at, which] = _joined(found[at, which], self._led_to(look, triple))
        return found

    def _led_to(self, look: Look, triple: ox.Triple) -> set[Term] | None:
        """The nodes to which the best of the ways from a triple leads."""
        for most in MOST_STEPS:
            for way in look.ways:
                try:
                    return self._data.walk(way.path, {triple.subject if way.end == SUBJECT else triple.object}, most)
                except TooFar:
                    continue
        return EVERYWHERE

    def _targets(self, watch: Watch, nodes: set[Term] | None) -> set[Term]:
        """Those of the nodes that are targets of the shape."""
        if nodes is EVERYWHERE:
            return watch.targets.all(self._data)
        return {node for node in nodes if watch.targets.has(node, self._data)}

    def _suspicious(self, watch: Watch, question: Question, nodes: set[Term] | None) -> set[Term]:
        """Those of the nodes that are targets and for which the engine finds a solution of the constraint."""
        try:
            if nodes is EVERYWHERE and question.asks_all:
                return self._targets(watch, sieve._this(self._data.store, question.text))
            return question.suspicious(self._targets(watch, nodes), self._data)
        except (SyntaxError, ValueError):
            return self._targets(watch, nodes)  # pySHACL will say what is wrong


def _joined(one: set[Term] | None, other: set[Term] | None) -> set[Term] | None:
    return EVERYWHERE if one is EVERYWHERE or other is EVERYWHERE else one | other


def _validated(shapes: Shapes, data: Data, affected: Iterable[tuple[Watch, set[Term]]]) -> gate.Report:
    """What pySHACL finds at the focus nodes of the shapes."""
    view = View(data, shapes.prepared)
    executor = SHACLExecutor(allow_warnings=True)
    found = []
    for watch, nodes in affected:
        focus = [gate.rdflib_term(node) for node in nodes]
        found += watch.shape.validate(executor, view, focus=focus)[1]  # type: ignore[arg-type]  # these are IRIs and the like
    if not found:
        return gate.Report(())
    results, _ = Validator.create_validation_report(shapes.parsed, False, found)
    return gate.report(results, shapes.graph)
