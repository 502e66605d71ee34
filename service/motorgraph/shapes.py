"""The shapes of a store, parsed once: the targets of each, what its constraints look at, and what is said of it."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.shape import Shape
from pyshacl.shapes_graph import ShapesGraph
from rdflib import BNode, Graph, URIRef
from rdflib.namespace import RDF, SH
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Node

from motorgraph import faults, gate, queried
from motorgraph.engine.footprint import seeing
from motorgraph.merged import SUBCLASS, Data, GraphName
from motorgraph.reach import RDF_TYPE, Hop, Look, Nested, Repeated, Term, Unbounded, engine_term, seen
from motorgraph.readings import Readings

THIS = ox.Variable("this")
OPENING = re.compile(r"\bWHERE\s*\{", re.IGNORECASE)
_OPENS_WITH_THIS = re.compile(r"\bWHERE\s*\{\s*[$?]this\s", re.IGNORECASE)
_GROUP = re.compile(r"(\w*)\s*\{")
_COUNTS = re.compile(r"\b(COUNT|SUM|AVG|MIN|MAX|SAMPLE|GROUP_CONCAT|GROUP)\b", re.IGNORECASE)
_OPENS_WITH_NOTHING = re.compile(r"\bWHERE\s*\{\s*[$?]this\s+(\(|\S+[*?|(])", re.IGNORECASE)
_CUTS = re.compile(r"\b(LIMIT|OFFSET)\b", re.IGNORECASE)
_ABOUT_SHAPES = re.compile(r"[$?](currentShape|shapesGraph)\b")
FEW_GRAPHS = 1
"""In how many graphs a query is asked for all focus nodes at once: in more it takes longer, and counts otherwise."""
Looking = tuple[int, int, Look]


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
            below = data.walk(Repeated(Hop(SUBCLASS, is_inverse=True)), {kind}, sys.maxsize)
            found |= {node for each in below for node in data.far(each, Hop(RDF_TYPE, is_inverse=True))}
        return found

    def _classify(self, kind: Term, data: Data) -> bool:
        return kind in self.classes or not self.classes.isdisjoint(data.classes_above(kind))


@dataclass(frozen=True, slots=True)
class Question:
    """A SPARQL constraint: its text, and what it looks at; None for what cannot be told."""

    text: str
    looks: tuple[Look, ...] | None
    sees_shapes: bool
    """Whether its patterns may match a triple of the shapes themselves, which are no data."""

    def asks_all(self, data: Data) -> bool:
        """Whether the engine may be asked for all focus nodes at once."""
        is_bounded = _ABOUT_SHAPES.search(self.text) or _OPENS_WITH_NOTHING.search(
            self.text
        )  # a node of no triple is not found so
        return not is_bounded and _may_run_unbound(self.text) and len(self._graphs(data) or ()) <= FEW_GRAPHS

    def all_suspicious(self, data: Data) -> set[Term]:
        """All nodes for which the engine finds a solution. Raises SyntaxError or ValueError for no fit query."""
        with seeing(data.store, self.looks, None):
            found = _solutions(data.store.query(self.text, default_graph=self._graphs(data)))
        if THIS not in found.variables:
            raise ValueError("A SPARQL constraint selects $this.")
        return {row["this"] for row in found}

    def _graphs(self, data: Data) -> list[GraphName] | None:
        """The graphs in which the engine looks: the merge of all, or, if it would see there what is no data, those with data."""
        return data.names if self.sees_shapes or data.shows_apart(self.looks or ()) else None

    def suspicious(self, nodes: Collection[Term], data: Data) -> set[Term]:
        """Those of the nodes for which the engine finds a solution. Raises SyntaxError or ValueError for no fit query."""
        if not nodes:
            return set()
        graphs = self._graphs(data)
        if _ABOUT_SHAPES.search(self.text) or (graphs and len(graphs) > 1 and _COUNTS.search(self.text)):
            return set(nodes)  # the engine has a triple of two graphs twice, so it may count another number
        with seeing(data.store, self.looks, nodes):
            return self._found_among(nodes, data, graphs)

    def _found_among(self, nodes: Collection[Term], data: Data, graphs: list[GraphName] | None) -> set[Term]:
        found: set[Term] = set()
        if _may_run_unbound(self.text):
            named = [str(node) for node in nodes if isinstance(node, ox.NamedNode)]
            text = OPENING.sub(lambda opening: f"{opening[0]} VALUES ?this {{ {' '.join(named)} }} ", self.text, count=1)
            found = {row["this"] for row in _solutions(data.store.query(text, default_graph=graphs))} if named else set()
            nodes = [node for node in nodes if not isinstance(node, ox.NamedNode)]
        for node in nodes:
            if (isinstance(node, ox.Literal) and self._may_pass_by) or self._has_solution(node, data, graphs):
                found.add(node)
        return found

    @property
    def _may_pass_by(self) -> bool:
        """Whether it may be true of a node of which no triple says anything: the engine lets no path begin at a literal, not even
        one of no length."""
        return not _may_run_unbound(self.text) or bool(_OPENS_WITH_NOTHING.search(self.text))

    def _has_solution(self, node: Term, data: Data, graphs: list[GraphName] | None) -> bool:
        found = data.store.query(self.text, substitutions={THIS: node}, default_graph=graphs)
        return any(True for _ in _solutions(found))


def _solutions(found: object) -> ox.QuerySolutions:
    if not isinstance(found, ox.QuerySolutions):
        raise ValueError("A SPARQL constraint is a SELECT query.")
    return found


def _may_run_unbound(text: str) -> bool:
    """Whether all solutions at once are those of one focus node after the other.

    So it is if the first pattern binds `$this` and each group within sees it: those of EXISTS and OPTIONAL do.
    """
    if _CUTS.search(text):
        return False
    groups = [word.upper() for word in _GROUP.findall(text[text.upper().find("WHERE") :])]
    return bool(_OPENS_WITH_THIS.search(text)) and all(word in ("WHERE", "EXISTS", "OPTIONAL") for word in groups)


@dataclass(frozen=True, slots=True)
class Watch:
    """A shape with targets, its questions, and what its other constraints look at; None for what cannot be told."""

    shape: Shape
    targets: Targets
    description: frozenset[str]
    """All that the shapes say of it, and of what that names: the same words mean the same."""
    looks: tuple[Look, ...] | None
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, repr=False)
class Shapes:
    """The shapes of a store, parsed once; what is forked from here has them too.

    They are to be made anew when the graph `name` has changed.
    """

    name: ox.NamedNode
    graph: gate.Judged
    parsed: ShapesGraph
    subjects: frozenset[Term]
    watches: list[Watch] = field(default_factory=list)
    looking: defaultdict[ox.NamedNode | None, list[Looking]] = field(default_factory=lambda: defaultdict(list))
    """By predicate: which watch (and which of its questions, or -1) looks at such triples."""
    by_class: defaultdict[Term, list[int]] = field(default_factory=lambda: defaultdict(list))
    by_predicate: defaultdict[Term, list[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(list))
    """By target class, and by the predicate of target triples (whether their objects are meant): which watches."""
    unbounded: set[int] = field(default_factory=set)
    """The watches of which it cannot be told what they, or their questions, look at."""
    prepared: dict[str, Query] = field(default_factory=dict)
    """The SPARQL constraints by their text, as far as they have had to be parsed."""
    questions: dict[str, Question] = field(default_factory=dict)
    """The same, as the engine is asked."""
    apart: frozenset[ox.NamedNode] = frozenset()
    """Other graphs that are no data."""
    readings: Readings = field(default_factory=Readings)

    @classmethod
    def of(
        cls, store: ox.Store, shapes_graph_iri: str, apart: Iterable[ox.NamedNode] = (), readings: Readings | None = None
    ) -> Shapes:
        """Those in a named graph of the store. Raises BadShapes for what pySHACL cannot read."""
        name = ox.NamedNode(shapes_graph_iri)
        return cls.read(store.quads_for_pattern(None, None, None, name), name, apart, readings)

    @classmethod
    def read(
        cls, quads: Iterable[ox.Quad], name: ox.NamedNode, apart: Iterable[ox.NamedNode] = (), readings: Readings | None = None
    ) -> Shapes:
        """Those that quads say. Raises BadShapes for what pySHACL cannot read."""
        known = list(quads)
        graph = gate.rdflib_graph(known)
        with faults.told(graph):
            subjects = frozenset(quad.subject for quad in known)
            made = cls(name, graph, faults.parsed(graph), subjects, apart=frozenset(apart), readings=readings or Readings())
            words = Words(graph)
            for shape in made.parsed.shapes:
                targets = Targets.of(shape)
                if targets and not shape.deactivated:
                    made.watches.append(made._watch(shape, targets, words.about(shape.node)))
        for at, watch in enumerate(made.watches):
            made._list(at, watch)
        return made

    def _list(self, at: int, watch: Watch) -> None:
        """Notes by what a changed triple finds a watch."""
        for kind in watch.targets.classes:
            self.by_class[kind].append(at)
        for hop in watch.targets.ways_out:
            assert hop.predicate is not None
            self.by_predicate[hop.predicate].append((at, hop.is_inverse))
        for which, looks in ((-1, watch.looks), *((i, question.looks) for i, question in enumerate(watch.questions))):
            if looks is None:
                self.unbounded.add(at)
            for look in looks or ():
                self.looking[look.predicate].append((at, which, look))

    def gained(self, triple: ox.Triple, data: Data) -> Iterator[tuple[int, Term]]:
        """The nodes that a triple may make targets, each behind the place of the watch."""
        if triple.predicate == RDF_TYPE:
            for kind in data.classes_above(triple.object):
                yield from ((at, triple.subject) for at in self.by_class.get(kind, ()))
        for at, is_object in self.by_predicate.get(triple.predicate, ()):
            yield at, triple.object if is_object else triple.subject

    def data(self, store: ox.Store) -> Data:
        """The data of a store with these shapes in it, whose default graph is the merge of all others."""
        return Data(store, self.name, self.subjects, self.apart)

    def unlike(self, others: Shapes) -> set[int]:
        """The places of the watches that `others` do not have just so."""
        known = {watch.description for watch in others.watches}
        is_custom = bool(self.parsed.custom_constraints or others.parsed.custom_constraints)
        return {at for at, watch in enumerate(self.watches) if is_custom or watch.description not in known}

    def question(self, text: str) -> Question:
        """The constraint as the engine is asked."""
        if text not in self.questions:
            self.questions[text] = self._question(text)
        return self.questions[text]

    def _watch(self, shape: Shape, targets: Targets, description: frozenset[str]) -> Watch:
        looks: list[Look] = []
        questions = []
        try:
            if self.parsed.custom_constraints:
                raise Unbounded("There are constraint components that pySHACL does not know by itself.")
            for found in seen(self.graph, shape.node):
                if isinstance(found, Look):
                    looks.append(found)
                elif found.shape == shape.node and not shape.is_property_shape:
                    questions.append(self.question(self._text(found)))
                else:
                    looks += (look.from_further(found.path) for look in self._looks(self._text(found)))
        except Unbounded:
            return Watch(shape, targets, description, None)
        return Watch(shape, targets, description, tuple(dict.fromkeys(looks)), tuple(questions))

    def _text(self, nested: Nested) -> str:
        """The text of a constraint as pySHACL will ask it."""
        shape = self.parsed.lookup_shape_from_node(nested.shape)
        try:
            constraints = SPARQLBasedConstraint(shape).sparql_constraints
            query = next(each for each in constraints if each.node == nested.constraint)
            return faults.text_of(query, nested.shape)
        except (RuntimeError, LookupError) as error:  # as pySHACL will say when it is asked
            raise Unbounded(f"{error}") from error

    def prepare(self, text: str) -> Query:
        """A constraint, parsed, once. Raises what `faults.select` does."""
        if text not in self.prepared:
            self.prepared[text] = faults.select(text, dict(self.graph.namespaces()))
        return self.prepared[text]

    def _looks(self, text: str) -> tuple[Look, ...]:
        try:
            found = self.readings.of(text, dict(self.graph.namespaces()), lambda: self._read(text))
        except Exception as error:  # rdflib's parser and translation raise what they like
            raise Unbounded(f"{error}") from error
        if found is None:
            raise Unbounded("There is a part in it of which nothing is known.")
        return found

    def _read(self, text: str) -> tuple[Look, ...] | None:
        query = self.prepare(text)
        try:
            return tuple(dict.fromkeys(queried.looks(query)))
        except Unbounded:
            return None

    def _question(self, text: str) -> Question:
        try:
            looks = self._looks(text)
        except Unbounded:
            return Question(text, None, sees_shapes=True)
        patterns = [(look.subject, look.predicate, look.object) for look in looks if not isinstance(look.subject, ox.Literal)]
        found = (self.graph.in_engine.quads_for_pattern(*pattern, None) for pattern in patterns)
        return Question(text, looks, sees_shapes=any(True for quads in found for _ in quads))


class Words:
    """What a graph of shapes says of its nodes, in words that are the same whatever its blank nodes are called."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[Node, tuple[str, set[Node]]] = {}

    def about(self, node: Node) -> frozenset[str]:
        """What is said of a node, of all IRIs that this names, and so on."""
        found: set[Node] = set()
        waiting = {node}
        while waiting:
            found |= waiting
            waiting = {other for each in waiting for other in self._of(each)[1]} - found
        return frozenset(self._of(each)[0] for each in found)

    def _of(self, node: Node) -> tuple[str, set[Node]]:
        if node not in self._known:
            named: set[Node] = set()
            if (node, SH.qualifiedValueShapesDisjoint, None) in self._graph:
                named |= set(self._graph.subjects(SH.property, node))  # its siblings count too
            self._known[node] = (self._told(node, (), named), named)
        return self._known[node]

    def _told(self, node: Node, around: tuple[Node, ...], named: set[Node]) -> str:
        """What is said of a node, what a blank node says in its place; adds the IRIs to `named`."""
        if node in around:
            return f"^{around.index(node)}"
        told = []
        for predicate, other in self._graph.predicate_objects(node):
            told.append(f"{predicate.n3()} {self._inner(other, (*around, node), named)}")
        return f"{'' if isinstance(node, BNode) else node.n3()}[{' ; '.join(sorted(told))}]"

    def _inner(self, node: Node, around: tuple[Node, ...], named: set[Node]) -> str:
        if isinstance(node, URIRef):
            named.add(node)
        if not isinstance(node, BNode):
            return node.n3()
        return self._listed(node, around, named) if (node, RDF.first, None) in self._graph else self._told(node, around, named)

    def _listed(self, node: Node, around: tuple[Node, ...], named: set[Node]) -> str:
        """What a list says, without a step deeper for each of its members."""
        inside, met = (*around, node), {*around}
        told = []
        while isinstance(node, BNode) and node not in met and len(rest := list(self._graph.objects(node, RDF.rest))) == 1:
            met.add(node)
            told += sorted(
                f"{'' if predicate == RDF.first else predicate.n3()} {self._inner(other, inside, named)}"
                for predicate, other in self._graph.predicate_objects(node)
                if predicate != RDF.rest
            )
            node = rest[0]
        if isinstance(node, BNode):
            end = "^" if node in met else self._told(node, inside, named)
        else:
            end = self._inner(node, inside, named)
        return f"({' '.join(told)} : {end})"
