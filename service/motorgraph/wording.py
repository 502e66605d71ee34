"""What every shape of a graph asks for, clause by clause in plain words. A process forked for it reads the shapes with rdflib."""

from __future__ import annotations

from collections.abc import Iterator

from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.term import Node

from motorgraph.clauses import TARGETS, Clause
from motorgraph.constraints import PARAMETERS, expected, path_text

_KINDS = (SH.NodeShape, SH.PropertyShape)
_JOINED = {SH["or"]: " or ", SH["and"]: " and ", SH.xone: " or else "}
_COUNTS = (SH.minCount, SH.maxCount)
_COUNTS_FIRST = sorted(PARAMETERS.items(), key=lambda pair: pair[1] not in _COUNTS)
_DEEPEST = 6


def told(triples: bytes) -> dict[str, list[Clause]]:
    """The clauses of each named shape in a graph that comes as N-Triples, by its IRI."""
    graph = Graph()
    graph.parse(data=triples, format="nt")
    kinds = (shape for kind in _KINDS for shape in graph.subjects(RDF.type, kind))
    targeted = (shape for predicate in TARGETS for shape in graph.subjects(URIRef(predicate)))
    named = {shape for found in (kinds, targeted) for shape in found if isinstance(shape, URIRef)}
    return {str(shape): sorted(_clauses(shape, graph), key=_place) for shape in sorted(named)}


def _place(clause: Clause) -> tuple[bool, bool, str, tuple[str, ...]]:
    return bool(clause.select), bool(clause.path), clause.path, clause.messages


def _clauses(shape: Node, graph: Graph, before: str = "", depth: int = 0) -> Iterator[Clause]:
    """Those of a shape and of the property shapes below it; `before` is the path that leads to the shape."""
    if graph.value(shape, SH.deactivated) == Literal(True) or depth > _DEEPEST:
        return
    own = _path(shape, graph)
    path = f"{before}/{own}" if before and own else before or own
    severity, messages = _severity(shape, graph), _texts(shape, SH.message, graph)
    words = tuple(_words(shape, graph, depth))
    if words:
        yield Clause(path, words, messages, severity)
    for each in graph.objects(shape, SH.property):
        yield from _clauses(each, graph, path, depth + 1)
    for each in graph.objects(shape, SH.sparql):
        said = _texts(each, SH.message, graph) or messages
        yield Clause(path, (), said, severity, _unindented(str(graph.value(each, SH.select) or "")))


def _words(shape: Node, graph: Graph, depth: int) -> Iterator[str]:
    """What a shape asks for but for its property shapes and queries."""
    least, most = graph.value(shape, SH.minCount), graph.value(shape, SH.maxCount)
    is_exact = least is not None and least == most
    if is_exact:
        yield "exactly one value" if str(least) == "1" else f"exactly {least} values"
    for component, parameter in _COUNTS_FIRST:
        values = [*graph.objects(shape, parameter)]
        if not values or values == [Literal(False)] or (is_exact and parameter in _COUNTS):
            continue
        if parameter in (SH["not"], SH.node, *_JOINED) and depth < _DEEPEST:
            yield from sorted(_combined(parameter, value, graph, depth) for value in values)
        else:
            yield expected(component, shape, graph)


def _combined(parameter: URIRef, value: Node, graph: Graph, depth: int) -> str:
    """What a constraint asks for that is made of other shapes."""
    if parameter in _JOINED:
        return _JOINED[parameter].join(_phrase(member, graph, depth + 1) for member in Collection(graph, value))
    inner = _phrase(value, graph, depth + 1)
    return f"not {inner}" if parameter == SH["not"] else inner


def _phrase(shape: Node, graph: Graph, depth: int) -> str:
    """All that a shape within another asks for, as one phrase; one with a name is named."""
    if not isinstance(shape, BNode):
        return f"what satisfies {shape.n3()}"
    parts = []
    for clause in sorted(_clauses(shape, graph, depth=depth), key=_place):
        words = " and ".join(clause.words) or "what a query finds"
        parts.append(f"{words} for {clause.path}" if clause.path else words)
    joined = " and ".join(parts)
    return f"({joined})" if " or " in joined or " and " in joined else joined or "anything"


def _path(shape: Node, graph: Graph) -> str:
    path = graph.value(shape, SH.path)
    text = path_text(path, graph)
    return f"<{text}>" if isinstance(path, URIRef) else text


def _severity(shape: Node, graph: Graph) -> str:
    return str(graph.value(shape, SH.severity) or SH.Violation).removeprefix(str(SH))


def _texts(shape: Node, predicate: URIRef, graph: Graph) -> tuple[str, ...]:
    return tuple(sorted(str(text) for text in graph.objects(shape, predicate)))


def _unindented(text: str) -> str:
    """A query without the margin that its lines have in common; the first stands behind the quotes, so it has none."""
    first, *others = text.strip().splitlines() or [""]
    margin = min((len(line) - len(line.lstrip()) for line in others if line.strip()), default=0)
    return "\n".join([first, *(line[margin:].rstrip() for line in others)])
