"""The sieve: the focus nodes that may break a constraint, found where the graph lies; at the others pySHACL would find nothing.

Each answer is a superset: what cannot be told is suspicious, and pySHACL has the last word. What a value is worth by itself is
asked of pySHACL's own constraints, once for each value; counts, classes, closed shapes and the logic between shapes are seen
here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox
from pyshacl.constraints.constraint_component import ConstraintComponent
from pyshacl.constraints.core import cardinality_constraints as cardinality
from pyshacl.constraints.core import logical_constraints as logical
from pyshacl.constraints.core import other_constraints as other
from pyshacl.constraints.core import property_pair_constraints as pair
from pyshacl.constraints.core import shape_based_constraints as based
from pyshacl.constraints.core import string_based_constraints as string
from pyshacl.constraints.core import value_constraints as value
from pyshacl.constraints.core import value_range_constraints as bounds
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shape import Shape
from rdflib import URIRef
from rdflib.collection import Collection as RdfList
from rdflib.namespace import RDF, RDFS, SH
from rdflib.term import Node

from motorgraph import faults
from motorgraph.merged import Data, View
from motorgraph.reach import RDF_TYPE, Hop, Term, Unbounded, engine_term
from motorgraph.shapes import Question, Shapes

EXECUTOR = SHACLExecutor()
MOST_STEPS = 4
"""Of how many parts a path may be that is walked here; pySHACL walks longer ones, or refuses to."""
MOST_VERDICTS = 100_000
"""How many values a constraint remembers."""
RESOURCE = ox.NamedNode(str(RDFS.Resource))
BY_VALUE = (
    *(value.DatatypeConstraintComponent, value.NodeKindConstraintComponent, other.InConstraintComponent),
    *(bounds.MinExclusiveConstraintComponent, bounds.MinInclusiveConstraintComponent),
    *(bounds.MaxExclusiveConstraintComponent, bounds.MaxInclusiveConstraintComponent),
    *(string.MinLengthConstraintComponent, string.MaxLengthConstraintComponent),
    *(string.PatternConstraintComponent, string.LanguageInConstraintComponent),
)
"""What depends on nothing but the value."""
BY_FOCUS = (
    *(other.HasValueConstraintComponent, string.UniqueLangConstraintComponent),
    *(pair.EqualsConstraintComponent, pair.DisjointConstraintComponent),
    *(pair.LessThanConstraintComponent, pair.LessThanOrEqualsConstraintComponent),
)
"""What depends on the values of a focus node, and at most on what else it says itself."""
Steps = tuple[tuple[Hop, ...], ...]
"""A path of steps, each of which goes over any of some hops."""
Values = Mapping[Term, Collection[Term]]
"""The value nodes of each focus node."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """The nodes that may fail, and those of them that certainly do."""

    maybe: set[Term]
    surely: set[Term]

    def __or__(self, other: Doubt) -> Doubt:
        return Doubt(self.maybe | other.maybe, self.surely | other.surely)

    def __and__(self, other: Doubt) -> Doubt:
        return Doubt(self.maybe & other.maybe, self.surely & other.surely)

    def lifted(self, values: Values) -> Doubt:
        """The focus nodes that fail if one of their values does."""
        return Doubt(_holders(self.maybe, values), _holders(self.surely, values))


def _holders(found: set[Term], values: Values) -> set[Term]:
    return {focus for focus, held in values.items() if not found.isdisjoint(held)} if found else set()


def _none() -> Doubt:
    return Doubt(set(), set())


def _exactly(nodes: set[Term]) -> Doubt:
    return Doubt(nodes, nodes)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Focus nodes at which pySHACL has to look: at a constraint of a shape, or at the whole shape if that is None."""

    shape: Shape
    constraint: ConstraintComponent | None
    nodes: set[Term]


class Sieve:
    """For some shapes and data. `asks_all` says that so many nodes are coming that a query is better asked for all at once."""

    def __init__(self, shapes: Shapes, data: Data, *, asks_all: bool = False) -> None:
        self._shapes = shapes
        self._data = data
        self._asks_all = asks_all
        self._constraints: dict[Node, list[ConstraintComponent]] = {}
        self._steps: dict[Node, Steps | None] = {}
        self._loops: dict[Node, bool] = {}
        self._verdicts: dict[int, dict[Term, bool]] = {}
        self._answers: dict[str, set[Term]] = {}
        self.forget()
        self._checks: dict[type[ConstraintComponent], Check] = {
            **dict.fromkeys(BY_VALUE, self._by_value),
            **dict.fromkeys(BY_FOCUS, self._by_focus),
            value.ClassConstraintComponent: self._by_value,
            cardinality.MinCountConstraintComponent: self._min_count,
            cardinality.MaxCountConstraintComponent: self._max_count,
            other.ClosedConstraintComponent: self._closed,
            logical.NotConstraintComponent: self._not,
            logical.AndConstraintComponent: self._and,
            logical.OrConstraintComponent: self._or,
            logical.XoneConstraintComponent: self._xone,
            based.NodeConstraintComponent: self._all_of,
            based.PropertyConstraintComponent: self._all_of,
            based.QualifiedValueShapeConstraintComponent: self._qualified,
            SPARQLBasedConstraint: self._sparql,
        }

    def forget(self) -> None:
        """Forgets what was read of the graph, so that memory stays small."""
        self.view = View(self._data, self._shapes.prepared)
        self._told: dict[Term, dict[ox.NamedNode, list[Term]]] = {}

    # What is suspicious

    def suspicions(self, shape: Shape, nodes: Collection[Term]) -> Iterator[Suspicion]:
        """Where pySHACL has to look to find what it would find at all these focus nodes of the shape."""
        if shape.deactivated or not nodes:
            return
        self._data.look_up(nodes)
        if self._shapes.parsed.custom_constraints or self._is_within_itself(shape, ()):
            if found := self._failing(shape, nodes, ()).maybe:
                yield Suspicion(shape, None, found)
            return
        values = self._values(shape, nodes)
        for constraint in self._of(shape):
            if isinstance(constraint, based.PropertyConstraintComponent) and not shape.is_property_shape:
                for inner in self._inner(constraint):
                    yield from self.suspicions(inner, nodes)  # it reports under its own name (SHACL 1.0, 4.8.1)
            elif found := self._checked(constraint, values, ()).maybe:
                yield Suspicion(shape, constraint, found)

    def _failing(self, shape: Shape, nodes: Collection[Term], around: tuple[Shape, ...]) -> Doubt:
        """The nodes that do not conform to a shape."""
        if shape.deactivated or not nodes:
            return _none()
        if shape in around or self._shapes.parsed.custom_constraints:
            return Doubt(set(nodes), set())
        values = self._values(shape, nodes)
        failing = _none()
        for constraint in self._of(shape):
            failing |= self._checked(constraint, values, (*around, shape))
        return failing

    def _checked(self, constraint: ConstraintComponent, values: Values, around: tuple[Shape, ...]) -> Doubt:
        """The focus nodes that break a constraint. pySHACL will meet what goes wrong here too, and say it."""
        try:
            return self._checks[type(constraint)](constraint, values, around)
        except (Unbounded, SyntaxError, *faults.UNREADABLE):
            return Doubt(set(values), set())

    def _of(self, shape: Shape) -> list[ConstraintComponent]:
        if shape.node not in self._constraints:
            self._constraints[shape.node] = faults.components(shape)
        return self._constraints[shape.node]

    def _inner(self, constraint: ConstraintComponent) -> list[Shape]:
        """The shapes that a constraint names. Raises Unbounded if there is none."""
        match constraint:
            case based.PropertyConstraintComponent():
                return self._found(constraint.property_shapes)
            case based.NodeConstraintComponent():
                return self._found(constraint.node_shapes)
            case based.QualifiedValueShapeConstraintComponent():
                return self._found(constraint.value_shapes)
            case logical.NotConstraintComponent():
                return self._found(constraint.not_list)
        return [shape for shapes in self._lists(constraint) for shape in shapes]

    def _lists(self, constraint: ConstraintComponent) -> list[list[Shape]]:
        match constraint:
            case logical.AndConstraintComponent():
                lists = constraint.and_list
            case logical.OrConstraintComponent():
                lists = constraint.or_list
            case logical.XoneConstraintComponent():
                lists = constraint.xone_nodes
            case _:
                return []
        return [self._found(RdfList(self._shapes.graph, each)) for each in lists]

    def _found(self, nodes: Iterable[Node]) -> list[Shape]:
        try:
            return [self._shapes.parsed.lookup_shape_from_node(node) for node in nodes]
        except KeyError as error:
            raise Unbounded(f"There is no shape {error}.") from error

    def _is_within_itself(self, shape: Shape, around: tuple[Shape, ...]) -> bool:
        if shape in around:
            return True
        if shape.node not in self._loops:
            inner = [other for constraint in self._of(shape) for other in self._inner(constraint)]
            self._loops[shape.node] = any(self._is_within_itself(other, (*around, shape)) for other in inner)
        return self._loops[shape.node]

    # The graph

    def _out(self, node: Term) -> dict[ox.NamedNode, list[Term]]:
        """What a node says, by predicate."""
        if node not in self._told:
            told = self._told[node] = {}
            for quad in self._data.quads(node, None, None):
                told.setdefault(quad.predicate, []).append(quad.object)
        return self._told[node]

    def _values(self, shape: Shape, nodes: Collection[Term]) -> Values:
        if not shape.is_property_shape:
            return {node: (node,) for node in nodes}
        path = shape.path()  # type: ignore[no-untyped-call]  # pySHACL's own
        if path not in self._steps:
            self._steps[path] = self._steps_of(path)
        steps = self._steps[path]
        if steps is None:
            return {node: self._by_pyshacl(shape, node) for node in nodes}
        if len(steps) == 1 and len(steps[0]) == 1:
            return {node: self._far(node, steps[0][0]) for node in nodes}
        return {node: self._walked(steps, node) for node in nodes}

    def _steps_of(self, path: Node) -> Steps | None:
        """The steps of a path that is one or a few of them, one after the other; None for other paths."""
        parts = list(RdfList(self._shapes.graph, path)) if (path, RDF.first, None) in self._shapes.graph else [path]
        if len(parts) > MOST_STEPS or (len(parts) == 1 and parts[0] != path):
            return None
        found = [self._step(part) for part in parts]
        return None if None in found else tuple(step for step in found if step is not None)

    def _step(self, path: Node) -> tuple[Hop, ...] | None:
        """The hops of which a step takes any; None for what is more than a step."""
        if isinstance(path, URIRef):
            return (Hop(ox.NamedNode(str(path))),)
        match list(self._shapes.graph.predicate_objects(path)):
            case [(SH.inversePath, URIRef() as way)]:
                return (Hop(ox.NamedNode(str(way)), is_inverse=True),)
            case [(SH.alternativePath, ways)]:
                hops = [self._step(way) for way in RdfList(self._shapes.graph, ways)]
                return None if None in hops or len(hops) == 1 else tuple(hop for step in hops if step is not None for hop in step)
        return None

    def _far(self, node: Term, hop: Hop) -> list[Term]:
        """The nodes at the other end of a hop over a named predicate."""
        if hop.is_inverse or hop.predicate is None:
            return list(self._data.far(node, hop))
        return self._out(node).get(hop.predicate, [])

    def _walked(self, steps: Steps, start: Term) -> set[Term]:
        nodes = {start}
        for step in steps:
            nodes = {end for node in nodes for hop in step for end in self._far(node, hop)}
        return nodes

    def _by_pyshacl(self, shape: Shape, node: Term) -> list[Term]:
        focus = self.view.term(node)
        return [engine_term(found) for found in shape.value_nodes(self.view, [focus])[focus]]

    # The constraints. Each takes the values of the focus nodes, and gives the focus nodes that fail

    def _by_value(self, constraint: ConstraintComponent, values: Values, _: tuple[Shape, ...]) -> Doubt:
        known = self._verdicts.setdefault(id(constraint), {})
        if len(known) > MOST_VERDICTS:
            known.clear()
        fresh = {each for held in values.values() for each in held if each not in known}
        bad = self._outside(constraint, fresh) if isinstance(constraint, value.ClassConstraintComponent) else None
        if bad is None:
            bad = self._noted(constraint, {each: (each,) for each in fresh})
        known.update((each, each in bad) for each in fresh)
        return _exactly({focus for focus, held in values.items() if any(known[each] for each in held)})

    def _outside(self, constraint: value.ClassConstraintComponent, nodes: set[Term]) -> set[Term]:
        """The nodes that are in no subclass of one of the classes."""
        classes = {engine_term(kind) for kind in constraint.class_rules}
        return {node for node in nodes if not classes <= self._classes(node)}

    def _classes(self, node: Term) -> set[Term]:
        return set().union(*(self._data.classes_above(kind) for kind in self._out(node).get(RDF_TYPE, ())))

    def _by_focus(self, constraint: ConstraintComponent, values: Values, _: tuple[Shape, ...]) -> Doubt:
        return _exactly(self._noted(constraint, values))

    def _noted(self, constraint: ConstraintComponent, values: Values) -> set[Term]:
        """The focus nodes of which pySHACL would report that they break a constraint."""
        term = self.view.term
        known = {term(focus): focus for focus in values}
        noted: set[Node] = set()
        trial = type(constraint)(constraint.shape)

        def note(*told: Any, **_: Any) -> None:  # Any: a graph, the focus node and more
            noted.add(told[1])

        trial.make_v_result = note  # type: ignore[method-assign]  # this one only notes what it would report
        trial.evaluate(
            EXECUTOR, self.view, {term(f): {term(v) for v in held} for f, held in values.items()}, [trial.shape, trial]
        )
        return {known[focus] for focus in noted}

    def _min_count(self, constraint: cardinality.MinCountConstraintComponent, values: Values, _: tuple[Shape, ...]) -> Doubt:
        least = int(constraint.min_count.value)
        return _exactly({focus for focus, held in values.items() if len(held) < least})

    def _max_count(self, constraint: cardinality.MaxCountConstraintComponent, values: Values, _: tuple[Shape, ...]) -> Doubt:
        most = int(constraint.max_count.value)
        return _exactly({focus for focus, held in values.items() if len(held) > most})

    def _closed(self, constraint: other.ClosedConstraintComponent, values: Values, _: tuple[Shape, ...]) -> Doubt:
        if not constraint.is_closed:
            return _none()
        paths = (self._shapes.graph.value(shape, SH.path) for shape in constraint.property_shapes)
        allowed = {*constraint.ignored_props, *paths}
        names = {ox.NamedNode(str(name)) for name in allowed if isinstance(name, URIRef)}
        nodes = {each for held in values.values() for each in held}
        return _exactly({node for node in nodes if self._says_more(node, names)}).lifted(values)

    def _says_more(self, node: Term, names: set[ox.NamedNode]) -> bool:
        told = self._out(node)
        others = told.keys() - names
        return bool(others) and (others != {RDF_TYPE} or any(kind != RESOURCE for kind in told[RDF_TYPE]))

    def _inside(self, shapes: list[Shape], values: Values, around: tuple[Shape, ...]) -> list[Doubt]:
        """For each of the shapes, the values that do not conform to it."""
        nodes = {each for held in values.values() for each in held}
        return [self._failing(shape, nodes, around) for shape in shapes]

    def _all_of(self, constraint: ConstraintComponent, values: Values, around: tuple[Shape, ...]) -> Doubt:
        failing = _none()
        for doubt in self._inside(self._inner(constraint), values, around):
            failing |= doubt
        return failing.lifted(values)

    def _not(self, constraint: ConstraintComponent, values: Values, around: tuple[Shape, ...]) -> Doubt:
        nodes = {each for held in values.values() for each in held}
        failing = _none()
        for doubt in self._inside(self._inner(constraint), values, around):
            failing |= Doubt(nodes - doubt.surely, nodes - doubt.maybe)
        return failing.lifted(values)

    def _and(self, constraint: ConstraintComponent, values: Values, around: tuple[Shape, ...]) -> Doubt:
        return self._all_of(constraint, values, around)

    def _or(self, constraint: ConstraintComponent, values: Values, around: tuple[Shape, ...]) -> Doubt:
        failing = _none()
        for shapes in self._lists(constraint):
            first, *more = self._inside(shapes, values, around)
            for doubt in more:
                first &= doubt
            failing |= first
        return failing.lifted(values)

    def _xone(self, constraint: ConstraintComponent, values: Values, around: tuple[Shape, ...]) -> Doubt:
        nodes = {each for held in values.values() for each in held}
        failing = _none()
        for shapes in self._lists(constraint):
            doubts = self._inside(shapes, values, around)
            least = {node: sum(node not in doubt.maybe for doubt in doubts) for node in nodes}
            most = {node: sum(node not in doubt.surely for doubt in doubts) for node in nodes}
            maybe = {node for node in nodes if (least[node], most[node]) != (1, 1)}
            failing |= Doubt(maybe, {node for node in nodes if most[node] == 0 or least[node] > 1})
        return failing.lifted(values)

    def _qualified(
        self, constraint: based.QualifiedValueShapeConstraintComponent, values: Values, around: tuple[Shape, ...]
    ) -> Doubt:
        failing = _none()
        for doubt in self._inside(self._inner(constraint), values, around):
            for focus, held in values.items():
                least = 0 if constraint.is_disjoint else sum(each not in doubt.maybe for each in held)
                most = sum(each not in doubt.surely for each in held)
                lower, upper = constraint.min_count, constraint.max_count
                if (lower is not None and least < lower) or (upper is not None and most > upper):
                    failing.maybe.add(focus)
                if (lower is not None and most < lower) or (upper is not None and least > upper):
                    failing.surely.add(focus)
        return failing

    def _sparql(self, constraint: SPARQLBasedConstraint, values: Values, _: tuple[Shape, ...]) -> Doubt:
        found: set[Term] = set()
        for query in constraint.sparql_constraints:
            if not query.deactivated:
                question = self._shapes.question(faults.text_of(query, constraint.shape.node))
                found |= self._asked(question, values.keys() - found)
        return Doubt(found, set())

    def _asked(self, question: Question, nodes: set[Term]) -> set[Term]:
        if not (self._asks_all and question.asks_all(self._data)):
            return question.suspicious(nodes, self._data)
        if question.text not in self._answers:
            self._answers[question.text] = question.all_suspicious(self._data)
        return self._answers[question.text] & nodes


Check = Callable[..., Doubt]
