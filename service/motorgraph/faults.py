"""Faults in shapes: each shape is tried before anything is judged by it, so that whoever wrote it is told which one and why."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyshacl.constraints import CONSTRAINT_PARAMETERS_MAP
from pyshacl.constraints.constraint_component import ConstraintComponent
from pyshacl.constraints.sparql.sparql_based_constraints import SPARQLBasedConstraint
from pyshacl.errors import ConstraintLoadWarning, ReportableRuntimeError
from pyshacl.helper.sparql_query_helper import SPARQLQueryHelper
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shape import Shape
from pyshacl.shapes_graph import ShapesGraph
from rdflib import Graph, URIRef
from rdflib.namespace import RDF, SH
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.term import Node

from motorgraph.errors import BadShapes
from motorgraph.readings import Readings

NOBODY = URIRef("urn:nobody")
UNREADABLE = (RuntimeError, LookupError, ValueError, TypeError, AttributeError, AssertionError, NotImplementedError)
"""What pySHACL and rdflib raise for shapes that they cannot read."""


def parsed(graph: Graph) -> ShapesGraph:
    """The shapes of a graph. Raises what pySHACL does for those that are none."""
    shapes = ShapesGraph(graph, False, logging.getLogger(__name__))
    assert shapes.shapes is not None  # reads them
    return shapes


@contextmanager
def told(graph: Graph) -> Iterator[None]:
    """Within, what pySHACL cannot read raises BadShapes, which names the shape by which it fails."""
    try:
        yield
    except UNREADABLE as error:
        raise BadShapes(f"{_culprit(graph)} cannot be read: {_words(error)}") from error


def _culprit(graph: Graph) -> str:
    """The first shape that cannot be read by itself."""
    shapes = {
        *graph.subjects(RDF.type, SH.NodeShape),
        *graph.subjects(RDF.type, SH.PropertyShape),
        *graph.subjects(SH.path, None),
    }
    for shape in sorted(shapes, key=_inner_first):
        try:
            parsed(_alone(graph, shape))
        except UNREADABLE:
            return f"The shape {_name(shape, graph)}"
    return "A shape"


def _inner_first(shape: Node) -> tuple[bool, str]:
    """An order in which a shape without a name comes before the one that it stands in."""
    return isinstance(shape, URIRef), str(shape)


def _alone(graph: Graph, node: Node) -> Graph:
    """What a graph says of a node and of all that this leads to."""
    alone, waiting = Graph(), [node]
    while waiting:
        for triple in graph.triples((waiting.pop(), None, None)):
            if triple not in alone:
                alone.add(triple)
                waiting.append(triple[2])
    return alone


def _name(shape: Node, graph: Graph) -> str:
    """The shape's IRI, or that of the nearest one around it."""
    if isinstance(shape, URIRef):
        return f"<{shape}>"
    around = next((node for node in graph.transitive_subjects(None, shape) if isinstance(node, URIRef)), None)
    path = graph.value(shape, SH.path)
    of_path = f" of the path <{path}>" if isinstance(path, URIRef) else ""
    return f"without a name{of_path}" + (f" in <{around}>" if around else "")


def _words(error: BaseException) -> str:
    """What went wrong, in a line that ends in a full stop."""
    line = " ".join(str(getattr(error, "message", None) or error or type(error).__name__).split())
    return line if line.endswith(".") else f"{line}."


def require_none(graph: Graph, shapes: ShapesGraph, readings: Readings) -> None:
    """Tries every shape on a graph without triples, switched off or not. Raises BadShapes for the first that cannot be used.

    A constraint of which there is a reading is a query that parses.
    """
    nothing = Graph()
    for shape in sorted(shapes.shapes, key=lambda shape: _inner_first(shape.node)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a shape within itself
                _try(shape, nothing, readings)
        except Exception as error:  # rdflib's parser of queries raises what it likes
            raise BadShapes(f"The shape {_name(shape.node, graph)} cannot be used: {_words(error)}") from error


def _try(shape: Shape, nothing: Graph, readings: Readings) -> None:
    shape.value_nodes(nothing, [NOBODY])
    for component in components(shape):
        if isinstance(component, SPARQLBasedConstraint):
            for query in component.sparql_constraints:
                text, namespaces = text_of(query, NOBODY), dict(nothing.namespaces())
                if not readings.has(text, namespaces):
                    select(text, namespaces)
        else:
            _evaluate(component, nothing)


def select(text: str, namespaces: Mapping[str, object]) -> Query:
    """A constraint, parsed. Raises what rdflib does for what is no query, ValueError for another than a SELECT."""
    parsed_query = prepareQuery(text, namespaces)
    if parsed_query.algebra.name != "SelectQuery":
        raise ValueError("sh:select has to be a SELECT query.")
    return parsed_query


def _evaluate(component: ConstraintComponent, nothing: Graph) -> None:
    try:
        component.evaluate(SHACLExecutor(), nothing, {NOBODY: {NOBODY}}, [component.shape, component])
    except ReportableRuntimeError as error:
        if "too deep" not in error.message:  # a shape within itself is no fault until there are data to follow it with
            raise


def text_of(query: SPARQLQueryHelper, node: Node) -> str:
    """The text of a SPARQL constraint as pySHACL asks it. Raises what pySHACL does for one that SHACL 1.0, 5.3.1 forbids."""
    return str(query.apply_prefixes(query.pre_bind_variables(node)[1]))  # type: ignore[no-untyped-call]  # pySHACL's own


def components(shape: Shape) -> list[ConstraintComponent]:
    """The constraints of a shape, as pySHACL makes them (SHACL 1.0, 3.4). Raises what it does for those that are faulty."""
    found: dict[type[ConstraintComponent], ConstraintComponent] = {}
    for predicate, _ in shape.sg.graph.predicate_objects(shape.node):
        kind = CONSTRAINT_PARAMETERS_MAP.get(predicate)
        if kind is not None and kind not in found:
            try:
                found[kind] = kind(shape)
            except ConstraintLoadWarning:
                continue  # pySHACL passes over it
    return list(found.values())
