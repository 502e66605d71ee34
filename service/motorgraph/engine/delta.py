"""What a change does to the graph: found and written down by a draft, kept by the journal, done by the keeper and by readers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import IO, Any

import pyoxigraph as ox

from motorgraph.commits import Change, Key, from_json
from motorgraph.engine import provenance
from motorgraph.engine.loading import follow
from motorgraph.engine.wire import Job

NQUADS = ox.RdfFormat.N_QUADS
Quads = set[ox.Quad]
GraphName = ox.NamedNode | ox.BlankNode | ox.DefaultGraph


@dataclass
class Delta:
    """What a change did: graphs that it made and dropped, quads that it removed and added.

    Where nobody looks at these, they may stand in `lines`, by graph what is removed and what is added as N-Quads, which takes
    a fifth of the memory.
    """

    made: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    removed: Quads = field(default_factory=set)
    added: Quads = field(default_factory=set)
    lines: dict[GraphName, tuple[bytes, bytes]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.made or self.dropped or self.removed or self.added or any(map(any, self.lines.values())))

    @cached_property
    def graphs(self) -> set[str]:
        """The named graphs that it changes; to be asked when it is complete."""
        names = {quad.graph_name for quads in (self.removed, self.added) for quad in quads}
        names |= {name for name, lines in self.lines.items() if any(lines)}
        return {name.value for name in names if isinstance(name, ox.NamedNode)} | self.made | self.dropped

    @property
    def touches_default(self) -> bool:
        """Whether a triple of the unnamed graph came or went."""
        return any(isinstance(q.graph_name, ox.DefaultGraph) for q in (*self.removed, *self.added))

    @property
    def _joined(self) -> tuple[bytes, bytes]:
        """The lines of all graphs."""
        removed, added = (b"".join(both[place] for both in self.lines.values()) for place in (0, 1))
        return removed, added

    @property
    def _both(self) -> Iterator[tuple[Quads, bytes]]:
        """What is removed and what is added, each as quads and as lines."""
        yield from zip((self.removed, self.added), self._joined, strict=True)

    def opened(self) -> Delta:
        """The same with its lines as quads."""
        removed, added = (set(ox.parse(lines, NQUADS)) for lines in self._joined)
        return Delta(self.made, self.dropped, self.removed | removed, self.added | added)

    def make(self, store: ox.Store) -> None:
        """Does it to a store; what stands as lines is left to `Written`."""
        for quad in self.removed:
            store.remove(quad)
        for iri in self.dropped:
            store.remove_graph(ox.NamedNode(iri))
        for iri in self.made:
            store.add_graph(ox.NamedNode(iri))
        store.extend(self.added)

    def write(
        self, spool: IO[bytes], job: Job, found: dict[str, Any], derived: Delta | None = None, by_rule: Delta | None = None
    ) -> None:  # Any: plain JSON
        """Writes it down for `Written.of`: a line of JSON, in which is what the draft has `found`, then six parts of N-Quads.

        The third and fourth are what follows from it (`derived`), the last two the same as each rule has it (`by_rule`).
        """
        deltas = (self, derived or Delta(), by_rule or Delta())
        parts = [lines or nquads(quads) for delta in deltas for quads, lines in delta._both]
        head = {"made": sorted(self.made), "dropped": sorted(self.dropped), "sizes": list(map(len, parts)), "union": job.union}
        told: dict[str, Any] = {"author": job.author, "message": job.message, "graphs": sorted(self.graphs), **found}
        if job.once:
            told["key"] = json.loads(job.once) | {"created": job.graph in self.made}
        if job.was:
            told["was"] = json.loads(job.was)
            told["graphs"] = told["was"]["graphs"]
        spool.writelines([json.dumps(head | told).encode() + b"\n", *parts])
        spool.flush()


def nquads(quads: Iterable[ox.Quad]) -> bytes:
    """Quads as lines."""
    made = ox.serialize(quads, format=NQUADS)
    assert made is not None  # bytes, since no output was given
    return made


def moved(quad: ox.Quad | ox.Triple, graph: GraphName) -> ox.Quad:
    """The quad's triple in another graph."""
    return ox.Quad(quad.subject, quad.predicate, quad.object, graph)


def graph_lines(store: ox.Store, graph: GraphName) -> bytes:
    """A whole graph as lines of N-Quads."""
    made = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=graph)
    assert made is not None  # bytes, since no output was given
    return in_graph(made, graph)


def triple_lines(triples: Iterable[ox.Quad] | Iterable[ox.Triple], graph: GraphName) -> bytes:
    """Triples as lines of N-Quads in a graph, each once."""
    made = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES)
    assert made is not None  # as above
    return in_graph(b"".join(dict.fromkeys(made.splitlines(keepends=True))), graph)


def in_graph(triples: bytes, graph: GraphName) -> bytes:
    """The engine's N-Triples as N-Quads of a graph. The end of a line is the only line break that they have."""
    return triples if isinstance(graph, ox.DefaultGraph) else triples.replace(b" .\n", f" {graph} .\n".encode())


@dataclass(frozen=True)
class Written:
    """A delta as a draft has written it down, with who did it, why, and what the gate said."""

    text: bytes
    head: dict[str, Any]  # Any: plain JSON
    removed: bytes
    added: bytes
    derived: tuple[bytes, bytes]
    by_rule: tuple[bytes, bytes]
    catalogued: bytes = b""
    """What the keeper has put behind it, which it alone knows: what the catalogue says of the commit and did not say before."""

    @classmethod
    def of(cls, text: bytes) -> Written:
        """What `Delta.write` wrote."""
        line, _, quads = text.partition(b"\n")
        head = json.loads(line)
        ends = list(accumulate(head["sizes"], initial=0))
        removed, added, lost, won, *by_rule = (quads[start:end] for start, end in pairwise(ends))
        return cls(text, head, removed, added, (lost, won), (by_rule[0], by_rule[1]), quads[ends[-1] :])

    def told(self, entry: str) -> Written:
        """It with an entry of the catalogue (N-Quads) behind it."""
        return replace(self, catalogued=entry.encode())

    @property
    def for_readers(self) -> bytes:
        """The text for `of` without what only the keeper needs to know, and with the entry of the catalogue."""
        parts = (self.removed, self.added, *self.derived, b"", b"")
        head = self.head | {"sizes": list(map(len, parts))}
        return json.dumps(head).encode() + b"\n" + b"".join(parts) + self.catalogued

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing, and is no commit all the same."""
        return not (self.removed or self.added or self.head["made"] or self.head["dropped"] or "was" in self.head)

    @property
    def key(self) -> Key | None:
        """What makes the write happen once, if its client has given a key."""
        return Key(**self.head["key"]) if "key" in self.head else None

    @property
    def change(self) -> Change:
        """It as a commit."""
        head = self.head
        if "was" in head:
            return Change([self.removed], [self.added], graphs=head["graphs"], was=from_json(head["was"]))
        graphs = tuple(head["made"]), tuple(head["dropped"])
        told = {"report": head["report"], "graphs": head["graphs"], "key": self.key}
        return Change([self.removed], [self.added], *graphs, head["author"], head["message"], **told)

    def make(self, store: ox.Store) -> None:
        """Does it to a store."""
        Delta(made=set(self.head["made"]), dropped=set(self.head["dropped"])).make(store)
        for lost, won in ((self.removed, self.added), self.derived):
            for quad in ox.parse(lost, NQUADS):
                store.remove(quad)
            _extend(store, won)
            if self.head["union"]:
                follow(store, ox.parse(lost, NQUADS), ox.parse(won, NQUADS))
        provenance.add(store, self.catalogued, union=self.head["union"])

    def keep(self, made: ox.Store) -> None:
        """Does to the store of what each rule has made what the rules make of it."""
        lost, won = self.by_rule
        Delta(removed=set(ox.parse(lost, NQUADS)), added=set(ox.parse(won, NQUADS))).make(made)


def _extend(store: ox.Store, lines: bytes) -> None:
    """Adds N-Quads that the engine has written. By itself it would give blank nodes other labels."""
    if b"_:" in lines:
        store.bulk_extend(ox.parse(lines, NQUADS, lenient=True))
    elif lines:
        store.bulk_load(lines, NQUADS, lenient=True)
