"""A graph that lies in another engine, behind SPARQL: it has of the engine's own store what processes ask of it.

Whoever changes it changes what this process sees, and nothing else: over what the store says lies what has gone and come here,
the near part. So a draft rehearses on it, and a clerk goes back to an older commit. A query cannot see both, so it is asked of
the near part once the triples that it can look at have been fetched there (`seeing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import pyoxigraph as ox

from motorgraph.engine.asked import Results, graphs_in, kind_of, with_values_inside
from motorgraph.engine.course import Course
from motorgraph.engine.delta import in_graph
from motorgraph.engine.marker import AT, HOLDS, RULES, STORE, Mark
from motorgraph.engine.place import Place
from motorgraph.engine.skolem import Skolem
from motorgraph.engine.stream import Stream
from motorgraph.errors import Failed, NotRemote, Unavailable
from motorgraph.media import CSV, JSON, NQUADS, NTRIPLES

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph
Pattern = tuple[Term | None, Term | None, Term | None]
T = TypeVar("T", ox.Quad, ox.Triple)
AT_ONCE = 500
"""How many nodes are looked up by one query."""
SOCKETS = 8
"""How many files and sockets a process may have open for it: connections, and what it takes to find a host."""
_GONE_ON = "The store has gone on to another commit while it was read. Ask again."
_NOTHING = ox.Store()
_COPY = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"


class Remote:
    """The graph of a store elsewhere. What it says of itself is in the graph `STORE`, which is none of ours."""

    def __init__(self, place: Place, base: str) -> None:
        from motorgraph.engine.endpoint import Endpoint  # only where there is one: HTTP takes long to import

        self.endpoint = Endpoint(place)
        self.course = Course()
        self.skolem = Skolem(base, place.kind)
        self.mark: Mark | None = None
        """The commit that it is to be at; where it is at another, a look raises Unavailable."""
        self.has_moved = False
        self.is_changed = False
        self._near: ox.Store | None = None
        self._gone: set[ox.Quad] = set()
        self._covered: set[Pattern] = set()
        self._covered_within: set[tuple[Pattern, GraphName]] = set()
        self._graphs: set[str] | None = None
        self._is_seeing = False

    # What a store says

    def query(
        self,
        text: str,
        base_iri: str | None = None,
        default_graph: Any = None,  # Any: as the engine takes it
        named_graphs: Any = None,
        **options: Any,
    ) -> Results:
        """Evaluates a query, as `ox.Store.query` does. Raises NotRemote for one that this process cannot be sure of."""
        if self._is_seeing:
            assert self._near is not None
            return self._near.query(text, base_iri=base_iri, default_graph=default_graph, named_graphs=named_graphs, **options)
        if self.is_changed:
            raise NotRemote(
                "An operation of this update would have to see what an earlier one has made, which is not in the store yet. Send "
                "two requests: the operations before it, then it and those behind it."
            )
        if options.get("substitutions"):
            raise NotRemote("This asks a query with a term in place of a variable, which no store elsewhere is asked.")
        kind, union = kind_of(text, base_iri), self.endpoint.place.kind.union if options.get("use_default_graph_as_union") else ()
        if union is None:
            raise NotRemote("This asks for all graphs at once, which a store of this kind does not show where they are separate.")
        dataset = [*self.endpoint.place.kind.dataset(_names(default_graph), _names(named_graphs)), *union]
        said = self.said(text, base_iri, NTRIPLES.media_type if kind is ox.QueryTriples else JSON.media_type, dataset)
        if kind is not ox.QueryTriples:
            return _of_kind(kind, _results(b"".join(said)))
        found = ox.Store()
        found.bulk_extend(ox.parse(b"".join(said), ox.RdfFormat.N_TRIPLES))
        return found.query(_COPY)

    def said(self, text: str, base_iri: str | None, media_type: str, dataset: Sequence[tuple[str, str]] = ()) -> Iterator[bytes]:
        """The answer to a query as the store writes it in a format, its blank nodes as such; `dataset` is the protocol's."""
        asked = self.skolem.asked(text if kind_of(text, base_iri) is ox.QuerySolutions else with_values_inside(text))
        asked = f"BASE <{base_iri}> {asked}" if base_iri else asked
        if self.endpoint.place.kind.default and not dataset:
            asked = self.endpoint.place.kind.beginning(self._seen(text, base_iri or "")) + asked
        return self.skolem.stream(self.endpoint.query(asked, media_type, dataset).pieces(), media_type)

    def _seen(self, text: str, base: str) -> list[str] | None:
        """The graphs that a query has to name to see those that it speaks of, where the default graph has to be named."""
        spoken, is_open = graphs_in(text, base)
        if not is_open:
            return sorted(spoken)
        names = spoken | self.unchanged._names()
        return sorted({*names, STORE}) if names else None

    def passes_on(self, media_type: str) -> bool:
        """Whether what the store writes in a format can be handed to a client as it is."""
        return media_type in self.endpoint.place.kind.passed_on

    def quads_for_pattern(
        self, subject: Term | None, predicate: Term | None, object: Term | None, graph_name: GraphName | None = None
    ) -> Iterator[ox.Quad]:
        """See `ox.Store`. Raises Unavailable if the store has gone on to another commit than `mark`."""
        if self._near is None:
            return self._fetched((subject, predicate, object), graph_name)
        pattern = subject, predicate, object
        with self._fetching():
            if subject is object is None and graph_name is not None:
                self._cover_within(pattern, graph_name)
            else:
                self._cover([pattern])
        return self._near.quads_for_pattern(subject, predicate, object, graph_name)  # type: ignore[arg-type]  # the engine's own

    def matching(self, patterns: Iterable[Pattern], graph: GraphName | None) -> Iterator[ox.Quad]:
        """The quads of many patterns in a graph (None: in all), one pattern after the other, by few queries."""
        wanted = list(dict.fromkeys(patterns))
        found: dict[Pattern, list[ox.Quad]] = {pattern: [] for pattern in wanted}
        for bound in dict.fromkeys(tuple(term is not None for term in pattern) for pattern in wanted):
            some = [pattern for pattern in wanted if tuple(term is not None for term in pattern) == bound]
            names = " ".join(name for name, is_bound in zip(("?s", "?p", "?o"), bound, strict=True) if is_bound)
            for start in range(0, len(some), AT_ONCE):
                rows = (f"({self._listed(filter(None, pattern))})" for pattern in some[start : start + AT_ONCE])
                for quad in self._selected(f"VALUES ({names}) {{ {' '.join(rows)} }}", "?s ?p ?o", graph):
                    terms = zip((quad.subject, quad.predicate, quad.object), bound, strict=True)
                    found[tuple(term if is_bound else None for term, is_bound in terms)].append(quad)  # type: ignore[index]  # three terms
        return (quad for pattern in wanted for quad in found[pattern])

    def __contains__(self, quad: ox.Quad) -> bool:
        return next(self.quads_for_pattern(quad.subject, quad.predicate, quad.object, quad.graph_name), None) is not None

    def named_graphs(self) -> Iterator[ox.NamedNode]:
        """The graphs that there are, also those without a triple."""
        return iter([ox.NamedNode(iri) for iri in sorted(self._names())])

    def contains_named_graph(self, name: GraphName) -> bool:
        """Whether there is a graph."""
        if self._graphs is None and self._near is None:
            found = self.query(f"ASK {{ GRAPH <{STORE}> {{ <{STORE}> <{HOLDS}> {self.skolem.out(name)} }} }}")  # type: ignore[arg-type]  # a name
            return bool(found)
        return isinstance(name, ox.NamedNode) and name.value in self._names()

    def dump(
        self,
        output: IO[bytes] | None = None,
        format: ox.RdfFormat | None = None,
        *,
        from_graph: GraphName | None = None,
        prefixes: dict[str, str] | None = None,
    ) -> bytes | None:
        """See `ox.Store`. Raises Unavailable if a commit has come between the graphs of the whole."""
        if format in (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS) and self._near is None and self.passes_on(NQUADS.media_type):
            pieces = self._lines(from_graph)
            if output is None:
                return b"".join(pieces)
            for piece in pieces:
                output.write(piece)
            return None
        if from_graph is not None:
            return ox.serialize((quad.triple for quad in self.graph(from_graph)), output, format, prefixes=prefixes)
        return ox.serialize((quad for name in self._all() for quad in self.graph(name)), output, format, prefixes=prefixes)

    def _lines(self, graph: GraphName | None) -> Iterator[bytes]:
        """The N-Triples of a graph, or the N-Quads of all, as the store writes them."""
        for name in self._all() if graph is None else [graph]:
            for piece in self.said(_whole(self._within("?s ?p ?o", name)), None, NTRIPLES.media_type):
                yield in_graph(piece, name) if graph is None else piece

    def _all(self) -> Iterator[GraphName]:
        was = self.where()
        yield from self.named_graphs()
        yield ox.DefaultGraph()
        if self.where() != was:
            raise Unavailable(_GONE_ON)

    def graph(self, name: GraphName, condition: str = "") -> Iterator[ox.Quad]:
        """A whole graph, or what of it meets a condition in SPARQL, as it comes: it may be larger than memory."""
        if self._near is not None:
            yield from self.quads_for_pattern(None, None, None, name)
            return
        said = Stream(self.said(_whole(f"{self._within('?s ?p ?o', name)} {condition}"), None, NTRIPLES.media_type))
        for quad in ox.parse(said, ox.RdfFormat.N_TRIPLES):  # type: ignore[arg-type]  # read() is all that is used
            yield ox.Quad(quad.subject, quad.predicate, quad.object, name)

    def require_whole(self) -> None:
        """Raises Failed if the store is found to cut its answers short."""
        if many := self.endpoint.place.kind.many:
            for _ in self.endpoint.query(many, CSV.media_type).pieces():
                pass

    def where(self) -> Mark | None:
        """The commit that the store is at; None if it has none of ours."""
        found = self.query(f"SELECT ?at {{ GRAPH <{STORE}> {{ <{STORE}> <{AT}> ?at }} }}")
        assert isinstance(found, ox.QuerySolutions)
        row = next(found, None)
        return Mark.of(row["at"].value) if row is not None else None

    def number(self) -> int:
        """The number of the commit that the store is at; 0 if it has none of ours."""
        mark = self.where()
        return mark.commit if mark is not None else 0

    def require_still(self) -> None:
        """Raises Unavailable unless the store is at `mark`, so that what was read of it since that was set is of one commit."""
        if self.where() != self.mark:
            raise Unavailable(_GONE_ON)

    def rules(self) -> str:
        """The digest of the rules whose outcome it has."""
        found = self.query(f"SELECT ?rules {{ GRAPH <{STORE}> {{ <{STORE}> <{RULES}> ?rules }} }}")
        assert isinstance(found, ox.QuerySolutions)
        row = next(found, None)
        return row["rules"].value if row is not None else ""

    # What this process changes for itself

    def extend(self, quads: Iterable[ox.Quad]) -> None:
        """Has quads come here."""
        known = list(quads)
        near = self._changing() if known else self.noting()
        self._gone.difference_update(known)
        near.extend(known)
        self._names().update(q.graph_name.value for q in known if isinstance(q.graph_name, ox.NamedNode))

    bulk_extend = extend

    def add(self, quad: ox.Quad) -> None:
        """Has a quad come here."""
        self.extend([quad])

    def remove(self, quad: ox.Quad) -> None:
        """Has a quad go here."""
        self._changing().remove(quad)
        self._gone.add(quad)

    def add_graph(self, name: ox.NamedNode) -> None:
        """Has a graph come here."""
        self.noting()
        self._names().add(name.value)

    def remove_graph(self, name: ox.NamedNode) -> None:
        """Has a graph go here, with all that it says."""
        self.noting()
        for quad in list(self.quads_for_pattern(None, None, None, name)):
            self.remove(quad)
        self._names().discard(name.value)

    def noting(self) -> ox.Store:
        """What is near; from now on lookups are made once."""
        if self._near is None:
            self._near = ox.Store()
            self._names()
        return self._near

    def _changing(self) -> ox.Store:
        self.is_changed = True
        return self.noting()

    def forget(self) -> None:
        """Sees again what the store says."""
        self._near, self._graphs, self.is_changed, self.has_moved = None, None, False, False
        for known in (self._gone, self._covered, self._covered_within):
            known.clear()

    @property
    def unchanged(self) -> Remote:
        """The same store, without what has changed here."""
        if self._near is None:
            return self
        plain = Remote.__new__(Remote)
        plain.__dict__ = self.__dict__ | {"_near": None, "is_changed": False, "_is_seeing": False}
        return plain

    @contextmanager
    def seeing(self) -> Iterator[None]:
        """Within, queries are asked of what is near: whoever says so has fetched all that they can look at."""
        was, self._is_seeing = self._is_seeing, True
        try:
            yield
        finally:
            self._is_seeing = was

    def know(self, patterns: Iterable[Pattern]) -> None:
        """Fetches the quads of many patterns by few queries."""
        self.noting()
        with self._fetching():
            self._cover(dict.fromkeys(patterns))

    def fetch(self, patterns: Iterable[Pattern]) -> Iterator[ox.Quad]:
        """The quads of many patterns, by few queries."""
        wanted = list(dict.fromkeys(patterns))
        self.know(wanted)
        near = self.noting()
        for pattern in wanted:
            yield from near.quads_for_pattern(*pattern, None)  # type: ignore[arg-type]  # as above

    # How it is fetched

    def _names(self) -> set[str]:
        if self._graphs is None:
            found = self.unchanged.query(f"SELECT ?g {{ GRAPH <{STORE}> {{ <{STORE}> <{HOLDS}> ?g }} }}")
            assert isinstance(found, ox.QuerySolutions)
            names = {row["g"].value for row in found}
            if self._near is None:
                return names
            self._graphs = names
        return self._graphs

    @contextmanager
    def _fetching(self) -> Iterator[None]:
        """Within, patterns are noted as known before their quads are here; if these do not come, nothing counts as known."""
        try:
            yield
        except BaseException:
            self._covered.clear()
            self._covered_within.clear()
            raise

    def _cover(self, patterns: Iterable[Pattern]) -> None:
        """Has the near part know all quads of some patterns."""
        by_subject, by_object = [], []
        for pattern in patterns:
            if self._is_covered(pattern) or isinstance(pattern[0], ox.Literal):
                continue
            if pattern[0] is not None:
                self._covered.add((pattern[0], None, None))
                by_subject.append(pattern[0])
            elif pattern[2] is not None:
                self._covered.add(pattern)
                by_object.append((pattern[1], pattern[2]))
            else:
                self._covered.add(pattern)
                self._keep(self._fetched(pattern, None))
        for start in range(0, len(by_subject), AT_ONCE):
            self._keep(self._selected(f"VALUES ?s {{ {self._listed(by_subject[start : start + AT_ONCE])} }}", "?s ?p ?o", None))
        for predicate in dict.fromkeys(predicate for predicate, _ in by_object):
            nodes = [node for other, node in by_object if other == predicate]
            told = "?p" if predicate is None else str(self.skolem.out(predicate))
            bind = "" if predicate is None else f" BIND({told} AS ?p)"
            for start in range(0, len(nodes), AT_ONCE):
                values = f"VALUES ?o {{ {self._listed(nodes[start : start + AT_ONCE])} }}"
                self._keep(self._selected(values, f"?s {told} ?o", None, bind))

    def _cover_within(self, pattern: Pattern, graph: GraphName) -> None:
        """As `_cover`, in one graph: what may be many triples in all of them can be few there."""
        if (pattern, graph) not in self._covered_within and not self._is_covered(pattern):
            self._covered_within.add((pattern, graph))
            self._keep(self._fetched(pattern, graph))

    def _is_covered(self, pattern: Pattern) -> bool:
        subject, predicate, value = pattern
        wider = ((subject, None, None), (None, predicate, value), (None, None, value), (None, predicate, None), (None,) * 3)
        return any(each in self._covered for each in wider)

    def _keep(self, quads: Iterator[ox.Quad]) -> None:
        assert self._near is not None
        self._near.extend(quad for quad in quads if quad not in self._gone)

    def _listed(self, nodes: Iterable[Term]) -> str:
        return " ".join(str(self.skolem.out(node)) for node in nodes)

    def _fetched(self, pattern: Pattern, graph: GraphName | None) -> Iterator[ox.Quad]:
        if isinstance(pattern[0], ox.Literal):
            return iter(())
        names = ("?s", "?p", "?o")
        told = [name if term is None else str(self.skolem.out(term)) for name, term in zip(names, pattern, strict=True)]
        bind = "".join(f" BIND({term} AS {name})" for name, term in zip(names, told, strict=True) if name != term)
        return self._selected("", " ".join(told), graph, bind)

    def _selected(self, values: str, triple: str, graph: GraphName | None, bind: str = "") -> Iterator[ox.Quad]:
        """The quads of a triple pattern, of one graph or of all; beside them comes the commit at which the store says so."""
        wheres = [self._within(triple, each) for each in ((None, ox.DefaultGraph()) if graph is None else (graph,))]
        found = " UNION ".join(f"{{ {values} {where}{bind} }}" for where in wheres)
        marked = f"{{ GRAPH <{STORE}> {{ <{STORE}> <{AT}> ?at }} }} UNION " if self.mark is not None else ""
        rows = self.unchanged.query(f"SELECT ?s ?p ?o ?g ?at {{ {marked}{found} }}")
        assert isinstance(rows, ox.QuerySolutions)
        told = list(rows)
        if self.mark is not None:
            self._require(next((row["at"].value for row in told if row["at"] is not None), ""))
        back = self.skolem.back
        for row in told:
            if row["at"] is None and (row["g"] is None or row["g"].value != STORE):
                name = graph if graph is not None else row["g"] or ox.DefaultGraph()
                yield ox.Quad(back(row["s"]), row["p"], back(row["o"]), name)  # type: ignore[arg-type]  # as the store says

    def _require(self, told: str) -> None:
        assert self.mark is not None
        try:
            self.mark.require(told)
        except Unavailable:
            self.has_moved = True
            raise

    def _within(self, triple: str, graph: GraphName | None) -> str:
        if isinstance(graph, ox.DefaultGraph):  # as a query sees it, whatever stands for it
            return triple
        return f"GRAPH {'?g' if graph is None else self.skolem.out(graph)} {{ {triple} }}"


def _whole(where: str) -> str:
    return f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {where} }}"


def _names(names: Any) -> list[str]:  # Any: as the engine takes it
    told = names if isinstance(names, list | tuple) else [names] if names is not None else []
    return [name.value for name in told if not isinstance(name, ox.DefaultGraph)]  # which is what is asked if none is named


def _results(said: bytes) -> Results:
    try:
        return ox.parse_query_results(said, ox.QueryResultsFormat.JSON)
    except SyntaxError as error:
        raise Failed(
            f"What the store answers is no result of SPARQL ({error}). Is remote the address of its endpoint?"
        ) from error


def _of_kind(kind: type[Results], found: Results) -> Results:
    """An answer; there are engines that answer ASK with a table, of one row that says 1 or of none."""
    if kind is not ox.QueryBoolean or not isinstance(found, ox.QuerySolutions):
        return found
    return _NOTHING.query("ASK {}" if any(row[0].value in ("1", "true") for row in found) else "ASK { FILTER(false) }")


def looked_up(store: object, triples: Iterable[T]) -> Iterable[T]:
    """The triples; where the store lies elsewhere it has been asked for their subjects, by few queries."""
    there = remote(store)
    if there is None:
        return triples
    known = list(triples)
    there.know((triple.subject, None, None) for triple in known)
    return known


def remote(store: object) -> Remote | None:
    """The store, if its graph lies elsewhere: what asks takes it for one of the engine's own."""
    return store if isinstance(store, Remote) else None
