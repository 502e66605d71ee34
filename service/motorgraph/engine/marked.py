"""What an operation by pattern would remove and add: the engine writes both into graphs of their own, in one evaluation.

Nothing else is changed, and these graphs are taken out afterwards. Their names hold a number that no client can know.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pyoxigraph as ox

from motorgraph.engine.delta import GraphName, moved
from motorgraph.engine.remote import Remote, looked_up, remote
from motorgraph.operations import Modify, Part

Functions = dict[ox.NamedNode, Callable[..., Any]] | None  # Any: a term of whatever type
"""What an operation may call beyond the functions of the engine, by their IRIs."""
_USING = re.compile(r"\bUSING\b", re.IGNORECASE)


class Marked:
    """The two sets of an operation that has been evaluated and not been made."""

    def __init__(self, store: ox.Store, operation: Modify, prologue: str, base: str, functions: Functions = None) -> None:
        """Evaluates it. Raises SyntaxError for an operation that has been cut wrongly, and whatever its evaluation meets."""
        self._store = self._marks = store
        names = named(prologue, base, [part.graph for part in (*operation.removed, *operation.added)] + [operation.graph])
        self._removed, self._added = _Marks(operation, names), _Marks(operation, names)
        templates = self._removed.template(operation.removed) + self._added.template(operation.added)
        binds = self._removed.binds + self._added.binds
        pattern = f"{{ {operation.pattern} {' '.join(binds)} }}" if binds else operation.pattern
        there = remote(store)
        if there is not None:
            self._marks = ox.Store()
            values = _solutions(there, operation, prologue, base)
            text = f"{prologue}\nINSERT {{ {templates} }} WHERE {{ {values} {' '.join(binds)} }}"
        else:
            graph = f"WITH {operation.graph}" if operation.graph else ""
            text = f"{prologue}\n{graph} INSERT {{ {templates} }} {operation.using} WHERE {pattern}"
        self._marks.update(text, base_iri=base or None, custom_functions=functions)
        if there is not None:
            self._marks = _unskolemised(self._marks, there)
        self._removed.read(self._marks)
        self._added.read(self._marks)

    @property
    def met_blank(self) -> bool:
        """Whether it is about a graph whose name is a blank node: then what is told here is not all."""
        return self._removed.met_blank or self._added.met_blank

    def made(self) -> set[str]:
        """The graphs that come with what is added."""
        graphs = (graph for graph, marks in self._added.marks.items() if any(map(self._marks.contains_named_graph, marks)))
        return {
            graph.value for graph in graphs if isinstance(graph, ox.NamedNode) and not self._store.contains_named_graph(graph)
        }

    @property
    def graphs(self) -> list[GraphName]:
        """Those that it is about."""
        return list(dict.fromkeys((*self._removed.marks, *self._added.marks)))

    def removed(self, graph: GraphName) -> Iterator[ox.Quad]:
        """What is there and goes from a graph: what the operation removes and adds stays."""
        told = looked_up(self._store, self._removed.quads(self._marks, graph))
        there = (quad for quad in told if quad in self._store)
        marks = self._added.marks.get(graph)
        return (quad for quad in there if not _has(self._marks, marks, quad)) if marks else there

    def added(self, graph: GraphName) -> Iterator[ox.Quad]:
        """What is not there and comes into a graph."""
        return (quad for quad in looked_up(self._store, self._added.quads(self._marks, graph)) if quad not in self._store)

    def forget(self) -> None:
        """Takes out of the store what stands there for the two sets."""
        for marks in (self._removed, self._added):
            marks.drop(self._marks)


def _solutions(store: Remote, operation: Modify, prologue: str, base: str) -> str:
    """The solutions of an operation's pattern, which a remote store finds, as a VALUES clause."""
    dataset = _USING.sub("FROM", operation.using)
    pattern = f"{{ GRAPH {operation.graph} {operation.pattern} }}" if operation.graph and not dataset else operation.pattern
    found = store.query(f"{prologue}\nSELECT * {dataset} WHERE {pattern}", base or None)
    assert isinstance(found, ox.QuerySolutions)
    names = [variable.value for variable in found.variables]
    written = (" ".join("UNDEF" if term is None else str(store.skolem.out(term)) for term in row) for row in found)
    return f"VALUES ({' '.join(f'?{name}' for name in names)}) {{ {' '.join(f'({row})' for row in written)} }}"


def _unskolemised(marks: ox.Store, store: Remote) -> ox.Store:
    """The same quads with the blank nodes that the IRIs of a remote store stand for."""
    back, made = store.skolem.back, ox.Store()
    made.extend(ox.Quad(back(q.subject), q.predicate, back(q.object), q.graph_name) for q in marks)  # type: ignore[arg-type]  # as they were
    return made


def named(prologue: str, base: str, terms: Sequence[str]) -> dict[str, GraphName]:
    """The graphs that terms of a text name, as the engine resolves them; "" names the default graph, a variable none."""
    asked = [term for term in dict.fromkeys(terms) if term and term[0] not in "?$"]
    names: dict[str, GraphName] = {"": ox.DefaultGraph()}
    if asked:
        selected = " ".join(f"({term} AS ?term{number})" for number, term in enumerate(asked))
        found = ox.Store().query(f"{prologue}\nSELECT {selected} {{}}", base_iri=base or None)
        assert isinstance(found, ox.QuerySolutions)
        row = next(found)
        names.update({term: row[number] for number, term in enumerate(asked)})
    return names


@dataclass
class _Marks:
    """The graphs that stand for those of one template, whose default graph is that of WITH."""

    operation: Modify
    names: dict[str, GraphName]
    root: str = field(default_factory=lambda: f"urn:motorgraph:{secrets.token_hex(16)}:")
    binds: list[str] = field(default_factory=list)
    marks: defaultdict[GraphName, list[ox.NamedNode]] = field(default_factory=lambda: defaultdict(list))
    met_blank: bool = False
    _variables: dict[str, str] = field(default_factory=dict)

    def template(self, parts: Sequence[Part]) -> str:
        """The template with marks for graphs, and beside it a list of those that only the solutions tell."""
        told = [f"GRAPH {self._mark(part)} {{ {part.triples} }}" for part in parts]
        listed = "".join(f"<{self.root}> <{self.root}> {mark} . " for mark in self._variables.values())
        return " ".join([*told, f"GRAPH <{self.root}> {{ {listed} }} " if listed else ""])

    def read(self, store: ox.Store) -> None:
        """Takes notice of the marks that the solutions have told."""
        for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(self.root)):
            assert isinstance(quad.object, ox.NamedNode)
            kind, iri = quad.object.value[len(self.root) :][:1], quad.object.value[len(self.root) + 1 :]
            self.met_blank |= kind == "b"
            self.marks[ox.NamedNode(unquote(iri)) if kind == "v" else ox.DefaultGraph()].append(quad.object)

    def quads(self, store: ox.Store, graph: GraphName) -> Iterator[ox.Quad]:
        """What has come into the marks of a graph, in that graph, each once."""
        marks = self.marks.get(graph, [])
        for place, mark in enumerate(marks):
            for quad in store.quads_for_pattern(None, None, None, mark):
                if place == 0 or not _has(store, marks[:place], quad):
                    yield moved(quad, graph)

    def drop(self, store: ox.Store) -> None:
        """Takes them out of the store."""
        for mark in (ox.NamedNode(self.root), *(mark for marks in self.marks.values() for mark in marks)):
            store.remove_graph(mark)

    def _mark(self, part: Part) -> str:
        if part.is_variable:
            if part.graph not in self._variables:
                self._variables[part.graph] = self._bound(part.graph)
            return self._variables[part.graph]
        marks = self.marks[self.names[part.graph or self.operation.graph]]
        if not marks:
            marks.append(ox.NamedNode(f"{self.root}t{len(self.marks)}"))
        return str(marks[0])

    def _bound(self, variable: str) -> str:
        """Another variable, bound to the mark of the graph that this one names, or unbound where it names none."""
        fresh = f"?mark_{secrets.token_hex(16)}"
        mark = f'IRI(CONCAT("{self.root}v", ENCODE_FOR_URI(STR({variable}))))'
        self.binds.append(f"BIND(IF(ISIRI({variable}), {mark}, IF(ISBLANK({variable}), <{self.root}b>, 1 / 0)) AS {fresh})")
        return fresh


def _has(store: ox.Store, graphs: Sequence[ox.NamedNode], quad: ox.Quad) -> bool:
    """Whether one of the graphs says the quad's triple."""
    return any(moved(quad, graph) in store for graph in graphs)
