"""How far a change reaches: which triples a SHACL shape looks at, and the ways back from them to its focus nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyoxigraph as ox
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import RDF, SH
from rdflib.term import Node

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
RDF_TYPE = ox.NamedNode(str(RDF.type))
SUBJECT, PREDICATE, OBJECT = "subject", "predicate", "object"


class Unbounded(Exception):
    """Nothing but a look at all focus nodes can tell what a change does to the shape."""


# Paths. One or more is a sequence with none or more, at most one is a choice with the empty sequence.


@dataclass(frozen=True, slots=True)
class Hop:
    """Over one triple with this predicate (None: any), from its subject to its object, or back."""

    predicate: ox.NamedNode | None
    is_inverse: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """One path after the other; none at all stays where it is."""

    parts: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of some paths."""

    parts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A path none or more times."""

    part: Path


Path = Hop | Sequence | Choice | Repeated
HERE = Sequence()


def after(*parts: Path) -> Path:
    """One path after the other, without empty ones."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Sequence) else (part,))]
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def backwards(path: Path) -> Path:
    """The path from its end to its start."""
    match path:
        case Hop():
            return Hop(path.predicate, not path.is_inverse)
        case Sequence():
            return Sequence(tuple(backwards(part) for part in reversed(path.parts)))
        case Choice():
            return Choice(tuple(backwards(part) for part in path.parts))
        case Repeated():
            return Repeated(backwards(path.part))


def may_be_empty(path: Path) -> bool:
    """Whether the path may lead from a node to itself without a triple."""
    match path:
        case Hop():
            return False
        case Sequence():
            return all(may_be_empty(part) for part in path.parts)
        case Choice():
            return any(may_be_empty(part) for part in path.parts)
        case Repeated():
            return True


def hops(path: Path, before: Path = HERE, behind: Path = HERE) -> Iterator[tuple[Path, Hop, Path]]:
    """Each triple that the path may run over: the way to it, the hop, and the way from it to the end."""
    match path:
        case Hop():
            yield before, path, behind
        case Sequence():
            for i, part in enumerate(path.parts):
                yield from hops(part, after(before, *path.parts[:i]), after(*path.parts[i + 1 :], behind))
        case Choice():
            for part in path.parts:
                yield from hops(part, before, behind)
        case Repeated():
            yield from hops(path.part, after(before, path), after(path, behind))


def shacl_path(shapes: Graph, node: Node) -> Path:
    """The property path that a node stands for (SHACL 1.0, 2.3.1). Raises Unbounded for what is none."""
    if isinstance(node, URIRef):
        return Hop(ox.NamedNode(str(node)))
    if (node, RDF.first, None) in shapes:
        return after(*(shacl_path(shapes, part) for part in Collection(shapes, node)))
    for predicate, part in shapes.predicate_objects(node):
        if predicate == SH.alternativePath:
            return Choice(tuple(shacl_path(shapes, each) for each in Collection(shapes, part)))
        if predicate in MADE_OF_ONE:
            return MADE_OF_ONE[predicate](shacl_path(shapes, part))
    raise Unbounded(f"{node} is no property path.")


def _inverse(path: Path) -> Path:
    """A path backwards, and also with each part of a sequence backwards in its old place: pySHACL walks them so."""
    inverse = backwards(path)
    return inverse if inverse == _in_place(path) else Choice((inverse, _in_place(path)))


def _in_place(path: Path) -> Path:
    match path:
        case Sequence():
            return Sequence(tuple(_in_place(part) for part in path.parts))
        case Choice():
            return Choice(tuple(_in_place(part) for part in path.parts))
        case Repeated():
            return Repeated(_in_place(path.part))
        case Hop():
            return backwards(path)


MADE_OF_ONE: dict[Node, Callable[[Path], Path]] = {
    SH.inversePath: _inverse,
    SH.zeroOrMorePath: Repeated,
    SH.oneOrMorePath: lambda path: after(path, Repeated(path)),
    SH.zeroOrOnePath: lambda path: Choice((HERE, path)),
}


# Looks


@dataclass(frozen=True, slots=True)
class Way:
    """From one end of a triple, or from its predicate, to the focus nodes of the shape that looks at it."""

    end: str
    path: Path


@dataclass(frozen=True, slots=True)
class Look:
    """The triples of a pattern (None: any term), at which a shape looks.

    Each of the ways leads from such a triple to all focus nodes from which it is seen, and maybe to others. If there is none,
    it may be seen from anywhere.
    """

    subject: Term | None
    predicate: ox.NamedNode | None
    object: Term | None
    ways: tuple[Way, ...]

    def meets(self, triple: ox.Triple) -> bool:
        """Whether the triple is of the pattern."""
        return (
            (self.predicate is None or self.predicate == triple.predicate)
            and (self.subject is None or self.subject == triple.subject)
            and (self.object is None or self.object == triple.object)
        )

    def from_further(self, path: Path) -> Look:
        """The same look from where this path leads to its focus nodes."""
        back = backwards(path)
        return Look(self.subject, self.predicate, self.object, tuple(Way(way.end, after(way.path, back)) for way in self.ways))


def look(before: Path, hop: Hop) -> Look:
    """The look at a triple that a hop runs over, at the end of a path from the focus node."""
    return Look(None, hop.predicate, None, (Way(OBJECT if hop.is_inverse else SUBJECT, backwards(before)),))


# What the constraints of SHACL Core look at

ABOUT_VALUES = {
    *(SH.datatype, SH.nodeKind, SH.minCount, SH.maxCount, SH.minLength, SH.maxLength, SH.pattern, SH.flags, SH.hasValue),
    *(SH.minExclusive, SH.minInclusive, SH.maxExclusive, SH.maxInclusive, SH.languageIn, SH.uniqueLang, SH["in"]),
    *(SH.qualifiedMinCount, SH.qualifiedMaxCount, SH.ignoredProperties, SH.path),
    *(SH.deactivated, SH.severity, SH.message, SH.name, SH.description, SH.order, SH.group, SH.defaultValue),
    *(SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf),
}
"""What of a shape looks at its value nodes alone, or at nothing."""
COMPARED = {SH.equals, SH.disjoint, SH.lessThan, SH.lessThanOrEquals}
ONE_SHAPE = {SH.property, SH.node, SH["not"], SH.qualifiedValueShape}
SHAPES = {SH["and"], SH["or"], SH.xone}


@dataclass(frozen=True, slots=True)
class Nested:
    """A SPARQL constraint of a shape, and the path from the focus nodes of the outermost shape to those of this one."""

    constraint: Node
    shape: Node
    path: Path


def seen(shapes: Graph, shape: Node, before: Path = HERE, around: tuple[Node, ...] = ()) -> Iterator[Look | Nested]:
    """What a shape and the shapes within it look at. Raises Unbounded for a shape within itself and for other constraints."""
    if shape in around:
        raise Unbounded(f"{shape} is within itself.")
    path = shapes.value(shape, SH.path)
    leading = HERE if path is None else shacl_path(shapes, path)
    values = after(before, leading)
    yield from (look(way, hop) for way, hop, _ in hops(leading, before))
    for predicate, told in shapes.predicate_objects(shape):
        if predicate == SH.sparql:
            yield Nested(told, shape, before)
        elif predicate == SH["class"]:
            yield look(values, Hop(RDF_TYPE))
        elif predicate == SH.closed:
            yield look(values, Hop(None))
        elif predicate in COMPARED:
            yield look(before, Hop(ox.NamedNode(str(told))))
        else:
            for inner in _within(shapes, shape, predicate, told):
                yield from seen(shapes, inner, values, (*around, shape))


def _within(shapes: Graph, shape: Node, predicate: Node, told: Node) -> Iterable[Node]:
    """The shapes that the values of a shape are held against."""
    if predicate in ONE_SHAPE:
        return [told]
    if predicate in SHAPES:
        return list(Collection(shapes, told))
    if predicate == SH.qualifiedValueShapesDisjoint:
        siblings = (other for parent in shapes.subjects(SH.property, shape) for other in shapes.objects(parent, SH.property))
        return {inner for other in siblings for inner in shapes.objects(other, SH.qualifiedValueShape)}
    if predicate in ABOUT_VALUES or not str(predicate).startswith(str(SH)):
        return []
    raise Unbounded(f"What {predicate} looks at is not known.")


def engine_term(node: Node) -> Term:
    """The engine's term for rdflib's."""
    if isinstance(node, URIRef):
        return ox.NamedNode(str(node))
    if isinstance(node, Literal):
        if node.language:
            return ox.Literal(str(node), language=node.language)
        return ox.Literal(str(node), datatype=ox.NamedNode(str(node.datatype))) if node.datatype else ox.Literal(str(node))
    if isinstance(node, BNode):
        return ox.BlankNode(str(node))
    raise TypeError(f"{node!r} is no term of RDF.")
