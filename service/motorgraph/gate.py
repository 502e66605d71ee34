"""The gate: what is to be served has to satisfy the shapes (SHACL 1.0), judged by pySHACL.

This module imports rdflib and pySHACL, which neither the front nor a reader needs: a process forked for the judgement imports it,
the keeper before it forks the first draft, and the command `validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import RDF, SH, XSD
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result as Solutions
from rdflib.store import Store
from rdflib.term import Node

from motorgraph import constraints, corpus
from motorgraph.engine.footprint import seeing
from motorgraph.engine.loading import UNREADABLE, rdf_format
from motorgraph.errors import BadRequest
from motorgraph.packing import opened
from motorgraph.reach import Term
from motorgraph.validation import BLANK

if TYPE_CHECKING:
    from motorgraph.merged import Data
    from motorgraph.readings import Readings
    from motorgraph.shapes import Shapes

XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"
NOWHERE = ox.NamedNode("urn:shapes")
"""The name of a graph of shapes that is in no store with data."""
MOST_CHARACTERS = 2_000
"""Of a message: pySHACL's own tell all members of a list, and the whole of a value."""
TRIPLE_TERMS = "SELECT ?term { ?subject ?predicate ?term FILTER(isTriple(?term)) } LIMIT 1"
Told = Callable[[int, int], None]
"""Is told how much of something long is done, and of how much."""
Found = tuple[str, Node, Sequence[tuple[Node, Node, Any]]]  # Any: a node, or a pair of a graph and a node of it
"""A result as pySHACL finds it: what it is in words, its node, its triples."""
SEVERITIES = {str(SH[name]): name for name in ("Violation", "Warning", "Info")}


@dataclass(frozen=True, slots=True)
class Result:
    """One finding: the focus node, what is wrong with it (`message`), what would be right (`expected`), how grave it is.

    `node` is the label of a focus node without a name, for whoever knows the graph from within; no report tells it.
    `path` is an IRI, or SPARQL's text of a longer path. `value` is a literal if it has a `datatype`, else an IRI or "a blank
    node". `shape` is the IRI of the shape, or of the nearest one around it that has a name; `component` that of what it asks for.
    What is not there is "".
    """

    severity: str
    focus: str
    message: str
    path: str = ""
    value: str = ""
    datatype: str = ""
    language: str = ""
    expected: str = ""
    component: str = ""
    shape: str = ""
    node: str = ""

    def __str__(self) -> str:
        place = f"{self.focus} {self.path}".strip()
        return f"{self.severity}: {place}: {self.message}" + (f" (found: {self.value})" if self.value else "")

    def as_json(self) -> dict[str, str]:
        """As plain JSON."""
        return {name: value for name, value in asdict(self).items() if name != "node"}


@dataclass(frozen=True, slots=True)
class Report:
    """What the gate says. Violations refuse; warnings and infos are admitted and shown."""

    results: tuple[Result, ...]

    @property
    def conforms(self) -> bool:
        """Whether there is no violation."""
        return not self.violations

    @property
    def violations(self) -> tuple[Result, ...]:
        """The findings that refuse."""
        return tuple(r for r in self.results if r.severity == "Violation")

    def as_json(self, most: int | None = None) -> dict[str, Any]:  # Any: plain JSON
        """The report as plain JSON, with `most` of its results; `total` is how many there are."""
        results = [r.as_json() for r in self.results[:most]]
        return {"conforms": self.conforms, "total": len(self.results), "results": results}

    @classmethod
    def from_json(cls, report: dict[str, Any]) -> Report:  # Any: plain JSON
        """The report that `as_json` wrote."""
        return cls(tuple(Result(**r) for r in report["results"]))


def validate(data: Judged, shapes: Judged) -> Report:
    """The data against the shapes, in full. `data` includes the ontology, whose subclasses count; it is not changed."""
    from motorgraph.merged import Data  # these judge by what stands here, so they import this module
    from motorgraph.shapes import Shapes

    return in_full(Shapes.read(shapes.in_engine, NOWHERE), Data(data.in_engine, NOWHERE))


def gathered(found: Iterable[Found]) -> Graph:
    """The graph of some results. A report of pySHACL also copies what the shapes say of nodes without a name: a list in time that
    grows with the square of its length."""
    graph, told = Graph(), BNode()
    for _, result, triples in found:
        graph.add((told, SH.result, result))
        for subject, predicate, value in triples:
            graph.add((subject, predicate, value[1] if isinstance(value, tuple) else value))
    return graph


def report(results: Graph, shapes: Graph) -> Report:
    """The report that a graph of validation results (SHACL 1.0, 3.6.2) says."""
    found = (_result(node, results, shapes) for node in results.objects(None, SH.result))  # the details of one are none
    return Report(in_order(found))


def in_order(results: Iterable[Result]) -> tuple[Result, ...]:
    """Violations first, then by focus node, path and message."""
    return tuple(sorted(results, key=lambda r: (r.severity != "Violation", r.focus, r.path, r.message)))


def _result(node: Node, results: Graph, shapes: Graph) -> Result:
    def text(predicate: URIRef) -> str:
        value = results.value(node, predicate)
        return "" if value is None else str(value)

    focus, value = results.value(node, SH.focusNode), results.value(node, SH.value)
    component, shape = results.value(node, SH.sourceConstraintComponent), results.value(node, SH.sourceShape)
    return Result(
        severity=SEVERITIES.get(text(SH.resultSeverity), "Violation"),
        focus=focus.n3() if isinstance(focus, Literal) else _name(focus) or BLANK,
        message=constraints.cut(text(SH.resultMessage), MOST_CHARACTERS),
        path=constraints.path_text(results.value(node, SH.resultPath), shapes),
        value=_name(value),
        datatype=str(value.datatype or (RDF.langString if value.language else XSD.string)) if isinstance(value, Literal) else "",
        language=value.language or "" if isinstance(value, Literal) else "",
        expected=constraints.expected(component, shape, shapes),
        component=_name(component),
        shape=_named_shape(shape, shapes),
        node=str(focus) if isinstance(focus, BNode) else "",
    )


def _name(term: Node | None) -> str:
    """The IRI or the text of a term; a blank node has no name that means anything to others."""
    if isinstance(term, BNode):
        return BLANK
    return "" if term is None else str(term)


def _named_shape(shape: Node | None, shapes: Graph) -> str:
    """The shape's IRI, or for one without a name that of the nearest shape around it; "" if none has a name."""
    around = shapes.transitive_subjects(None, shape)
    return next((str(node) for node in around if isinstance(node, URIRef)), "")


def validate_store(
    store: ox.Store,
    shapes: str,
    apart: Iterable[ox.NamedNode] = (),
    *,
    is_merged: bool = False,
    readings: Readings | None = None,
) -> Report:
    """All named graphs of a store but `shapes` and those `apart`, merged, against the graph `shapes` in it.

    `is_merged` says that the default graph is the merge of all others; without, a copy is made. `readings` are
    what has been read out of constraints before. Raises BadShapes, and what `judge.at` does.
    """
    from motorgraph.merged import Data
    from motorgraph.shapes import Shapes

    known = Shapes.of(store, shapes, apart, readings)
    if is_merged:
        return in_full(known, known.data(store))
    no_data = {known.name, *known.apart, ox.DefaultGraph()}
    data = (quad for quad in store.quads_for_pattern(None, None, None) if quad.graph_name not in no_data)
    return in_full(known, Data.copied(data, known.name))


def validate_files(
    paths: Sequence[Path], background: Sequence[Path], shapes: Sequence[Path], told: Told = lambda done, total: None
) -> Report:
    """Files against shapes, with the ontology (`background`) beside them. Raises what `parse_file` and `validate_store` do."""
    from motorgraph.merged import Data
    from motorgraph.shapes import Shapes

    known = Shapes.read((quad for path in shapes for quad in parse_file(path)), NOWHERE)
    data = (quad for path in (*background, *paths) for quad in parse_file(path))
    return in_full(known, Data.copied(data, NOWHERE), told)


def in_full(shapes: Shapes, data: Data, told: Told = lambda done, total: None) -> Report:
    """The data against shapes, in full. Raises BadShapes, BadRequest for a triple term, and what `judge.at` does."""
    from motorgraph import faults, judge

    faults.require_none(shapes.graph, shapes.parsed, shapes.readings)
    with seeing(data.store, None, None):
        found = data.store.query(TRIPLE_TERMS)
    assert isinstance(found, ox.QuerySolutions)
    for row in found:
        rdflib_term(row["term"])  # which refuses it
    return judge.in_full(shapes, data, told)


def parse_file(path: Path) -> list[ox.Quad]:
    """The quads of an RDF file, packed or not, whose name tells its format.

    Raises NotFound, BadRequest, Failed, or BadSyntax with file, line and column.
    """
    corpus.require_file(path)
    form = rdf_format(corpus.format_of(path).media_type)
    try:
        with opened(path) as source:
            return list(ox.parse(source, form, base_iri=path.resolve().as_uri(), rename_blank_nodes=True))
    except UNREADABLE as error:
        raise corpus.unreadable(str(path), error) from error


class Preparing(Graph):
    """A graph that parses each SPARQL constraint once: pySHACL hands its text over again for every focus node."""

    def __init__(self, prepared: dict[str, Query], store: Store | str = "default") -> None:
        super().__init__(store=store)
        self._prepared = prepared

    def query(self, query_object: str | Query, *args: Any, **kwargs: Any) -> Solutions:  # Any: rdflib's own
        """See rdflib.Graph.query."""
        if isinstance(query_object, str):
            if query_object not in self._prepared:
                self._prepared[query_object] = prepareQuery(query_object, dict(self.namespaces()))
            query_object = self._prepared[query_object]
        return super().query(query_object, *args, **kwargs)


class Judged(Preparing):
    """A graph that the engine has too (`in_engine`)."""

    def __init__(self, quads: Iterable[ox.Quad]) -> None:
        super().__init__({})
        self._triples: set[ox.Quad] = set()
        known: dict[Term, Node] = {}
        for quad in quads:
            self._triples.add(ox.Quad(quad.subject, quad.predicate, quad.object))
            terms = []
            for term in (quad.subject, quad.predicate, quad.object):
                if term not in known:
                    known[term] = rdflib_term(term)
                terms.append(known[term])
            self.add((terms[0], terms[1], terms[2]))

    @cached_property
    def in_engine(self) -> ox.Store:
        """The triples in the default graph of a store."""
        store = ox.Store()
        store.bulk_extend(self._triples)
        return store


def rdflib_graph(quads: Iterable[ox.Quad]) -> Judged:
    """The quads' triples merged into one rdflib graph; plain strings get no datatype, as rdflib writes them."""
    return Judged(quads)


def rdflib_term(term: Term) -> Node:
    """rdflib's term for the engine's; a plain string gets no datatype. Raises BadRequest for a triple term."""
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    if isinstance(term, ox.Literal):
        if term.language:
            return Literal(term.value, lang=term.language)
        datatype = term.datatype.value
        return Literal(term.value) if datatype == XSD_STRING else Literal(term.value, datatype=URIRef(datatype))
    raise BadRequest(f"SHACL 1.0 cannot judge a triple term: {term}.")
