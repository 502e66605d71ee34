"""The graph's own catalogue: every commit of the journal as PROV (who, when, why, how much, which graphs), made from it alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph.commits import Commit
from motorgraph.engine.loading import follow
from motorgraph.vocab import DCTERMS, PROV, RDF, RDFS, XSD, Names

NQUADS = ox.RdfFormat.N_QUADS
AT_ONCE = 10_000
"""How many commits are loaded together."""
_SEGMENT_MARKS = "@:!$&'()*+,;="  # what a segment of an IRI may hold beside letters, digits and - . _ ~
_ENTRY = (
    ("activity", f"{RDF}type", f"<{PROV}Activity>"),
    ("activity", f"{RDFS}label", '"Commit {number}"'),
    ("activity", f"{PROV}startedAtTime", '"{time}"^^<' + XSD + "dateTime>"),
    ("activity", f"{PROV}endedAtTime", '"{time}"^^<' + XSD + "dateTime>"),
    ("activity", f"{PROV}wasAssociatedWith", "{agent}"),
    ("activity", "{ontology}quadsRemoved", '"{removed}"^^<' + XSD + "integer>"),
    ("activity", "{ontology}quadsAdded", '"{added}"^^<' + XSD + "integer>"),
    ("agent", f"{RDF}type", f"<{PROV}Agent>"),
    ("agent", f"{RDFS}label", "{author}"),
)

_ASSOCIATED = ox.NamedNode(PROV + "wasAssociatedWith")
_ADMITTED = {"Warning": "warningsAdmitted", "Info": "infosAdmitted"}


class Catalogue:
    """The graph `catalogue` below a base, as N-Quads: text, since a start writes it for all commits that there are."""

    def __init__(self, base: str) -> None:
        self._names = Names(base)
        self.graph = ox.NamedNode(self._names.graph("catalogue"))
        self._end = f" {self.graph} .\n"
        self._text = "".join(f"{{{subject}}} <{term}> {value}{self._end}" for subject, term, value in _ENTRY)

    def entry(self, commit: Commit, graphs: Iterable[str]) -> str:
        """A commit that has changed these graphs: an activity of its author, over in the moment that made it durable."""
        activity = f"<{self._names.thing('commit', str(commit.id))}>"
        text = self._text.format(
            activity=activity,
            agent=f"<{self._agent(commit.author)}>",
            ontology=self._names.term(""),
            number=commit.id,
            time=commit.time,
            author=ox.Literal(commit.author),
            removed=commit.removed,
            added=commit.added,
        )
        more = [f"{activity} <{PROV}influenced> <{iri}>{self._end}" for iri in graphs]
        more += [
            f'{activity} <{self._names.term(term)}> "{commit.report[severity]}"^^<{XSD}integer>{self._end}'
            for severity, term in _ADMITTED.items()
            if commit.report.get(severity)
        ]
        if commit.message:
            more.append(f"{activity} <{DCTERMS}description> {ox.Literal(commit.message)}{self._end}")
        return text + "".join(more)

    def news(self, store: ox.Store, commit: Commit, graphs: Iterable[str]) -> Iterator[ox.Quad]:
        """As `entry`, without what a store says already, such as who a known author is: who counts takes all of it for new."""
        return (quad for quad in ox.parse(self.entry(commit, graphs), NQUADS) if quad not in store)

    def _agent(self, author: str) -> str:
        return self._names.thing("agent", quote(author.replace(" ", "-") or "unknown", safe=_SEGMENT_MARKS))

    def forget(self, store: ox.Store, commits: Iterable[Commit], *, union: bool) -> None:
        """Has a store say nothing of these commits any more, nor of who made no other."""
        removed: list[ox.Quad] = []
        for commit in commits:
            removed += self._take(store, ox.NamedNode(self._names.thing("commit", str(commit.id))))
            agent = ox.NamedNode(self._agent(commit.author))
            if next(store.quads_for_pattern(None, _ASSOCIATED, agent, self.graph), None) is None:
                removed += self._take(store, agent)
        if union:
            follow(store, removed, ())

    def _take(self, store: ox.Store, subject: ox.NamedNode) -> list[ox.Quad]:
        """Takes what the graph says of a subject out of the store."""
        found = list(store.quads_for_pattern(subject, None, None, self.graph))
        for quad in found:
            store.remove(quad)
        return found

    def fill(self, store: ox.Store, commits: Iterable[tuple[Commit, Sequence[str]]], *, union: bool) -> None:
        """Has a store without it say what there is to say of these commits."""
        for text in self.in_pieces(commits):
            store.bulk_load(text.encode(), NQUADS)
            if union:
                merged = text.replace(self._end, " .\n")  # no literal holds a line's end
                store.bulk_load(merged.encode(), ox.RdfFormat.N_TRIPLES)

    def in_pieces(self, commits: Iterable[tuple[Commit, Sequence[str]]]) -> Iterator[str]:
        """What there is to say of commits, as text for some of them at once."""
        entries: list[str] = []
        for commit, graphs in commits:
            entries.append(self.entry(commit, graphs))
            if len(entries) >= AT_ONCE:
                yield "".join(entries)
                entries.clear()
        if entries:
            yield "".join(entries)


def add(store: ox.Store, entry: bytes, *, union: bool) -> None:
    """Adds an entry of the catalogue to a store, and to its default graph where that is the merge of all."""
    quads = list(ox.parse(entry, NQUADS)) if entry else []
    store.extend(quads)
    if union:
        follow(store, (), quads)
