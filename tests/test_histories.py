"""Whatever was written in whatever way: counts that were carried on, commits and what rules infer are those of the graph."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import SHUT_WR, socketpair
from typing import IO

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.consequences import Outcomes
from motorgraph.engine import draft, wire
from motorgraph.engine.delta import Written
from motorgraph.engine.history import quads_in, replay
from motorgraph.engine.loading import merge
from motorgraph.engine.past import undoing
from motorgraph.engine.statistics import Tally, counted, recounted
from motorgraph.engine.wire import Job, Kind
from motorgraph.inference import Rule, rebuild, renew
from motorgraph.journal import Journal
from motorgraph.media import by_suffix

BASE = "http://e/"
PREFIXES = "BASE <http://e/> PREFIX : <http://e/> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
TURTLE = "@base <http://e/> . @prefix : <http://e/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . "
INFERRED = "http://e/inferred"
RULES = (
    Rule("1-types", "PREFIX : <http://e/> CONSTRUCT { ?o a :Used } WHERE { GRAPH ?g { ?s :p ?o } FILTER(ISIRI(?o)) }", INFERRED),
    Rule("2-values", "PREFIX : <http://e/> CONSTRUCT { ?s :q ?o } WHERE { GRAPH ?g { ?s a :Used . ?s :p ?o } }", INFERRED),
)


@dataclass
class Life:
    """A graph that drafts write to as the service has it, with its journal and the counts of its beginning."""

    journal: Journal
    union: bool
    store: ox.Store = field(default_factory=ox.Store)
    made: ox.Store = field(default_factory=ox.Store)
    changes: list[Written] = field(default_factory=list)
    states: list[tuple[set[ox.Quad], set[str]]] = field(default_factory=list)
    tally: Tally = field(default_factory=lambda: Tally())

    def __post_init__(self) -> None:
        renew(self.store, self.rules, self.made)
        self.tally = counted(copied(self.store), BASE, union=self.union)
        self.states.append(self.state)

    @property
    def rules(self) -> Sequence[Rule]:
        """What infers; a plain store has none."""
        return RULES if self.union else ()

    @property
    def state(self) -> tuple[set[ox.Quad], set[str]]:
        """What was written: without what is merged or inferred."""
        graphs = {name.value for name in self.store.named_graphs() if isinstance(name, ox.NamedNode)}
        return {quad for quad in self.store if not self.is_made(quad)}, graphs - {INFERRED}

    def is_made(self, quad: ox.Quad) -> bool:
        return self.union and (isinstance(quad.graph_name, ox.DefaultGraph) or quad.graph_name == ox.NamedNode(INFERRED))

    def write(self, job: Job, body: bytes) -> None:
        """Does a job; one that is refused changes nothing."""
        known = draft.Known(self.rules, Outcomes.of(self.rules, self.made) if self.union else None)
        with tempfile.TemporaryFile() as spool:
            if not rehearsed(replace(job, union=self.union), body, copied(self.store), spool, known):
                return
            spool.seek(0)
            written = Written.of(spool.read())
        if written.is_empty:
            return
        self.journal.append(written.change)
        written.make(self.store)
        written.keep(self.made)
        self.changes.append(Written.of(written.for_readers))
        self.states.append(self.state)


def rehearsed(job: Job, body: bytes, store: ox.Store, spool: IO[bytes], known: draft.Known) -> bool:
    """Has a draft do it, in this process; whether it did."""
    ours, theirs = socketpair()
    with ours, theirs:
        ours.sendall(wire.encode_job(job) + wire.body_frames(body))
        ours.shutdown(SHUT_WR)
        draft.run(theirs, store, spool, known)
        theirs.close()
        told = dict(wire.received(ours))
    if Kind.FAILED in told:
        assert b'"Failed"' not in told[Kind.FAILED], told[Kind.FAILED]
        assert b'"BadSyntax"' not in told[Kind.FAILED], (told[Kind.FAILED], job, body)
    return Kind.END in told


def copied(store: ox.Store) -> ox.Store:
    copy = ox.Store()
    copy.extend(store)
    for graph in store.named_graphs():
        copy.add_graph(graph)
    return copy


@contextmanager
def life(*, union: bool) -> Iterator[Life]:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder))
        try:
            yield Life(journal, union)
        finally:
            journal.close()


# Few names, many ways to write the same value

NODES = st.sampled_from([":a", ":b", "<http://other.example/c>", "_:n"])
VALUES = st.sampled_from(
    [
        *("1", "01", "+1", "1.0", "2.50", "2.5", "1.0E0", "-0.0", "0.0", "true"),
        *(
            '"1"^^xsd:boolean',
            '"abc"^^xsd:integer',
            '"99999999999999999999999"^^xsd:integer',
            '"01"^^xsd:byte',
            '"INF"^^xsd:double',
        ),
        *('"+INF"^^xsd:double', '"NaN"^^xsd:double', '"nan"^^xsd:double', '"-0"^^xsd:double', '"1.50"^^xsd:float'),
        *('"123456789012345678901234567890.5"^^xsd:decimal', '"2020-01-01+00:00"^^xsd:date', '"2020-01-01Z"^^xsd:date'),
        *('"2020-01-01T24:00:00"^^xsd:dateTime', '"2020-01-02T00:00:00.0"^^xsd:dateTime', '"2020-02-30"^^xsd:date'),
        *('"P0DT24H"^^xsd:dayTimeDuration', '"P1D"^^xsd:dayTimeDuration', '"P12M"^^xsd:yearMonthDuration', '"x"@EN', '"x"@en'),
        *('"x"@en-us', '"x"@EN-US--ltr', '"x"@en--rtl', '"x"', '"x"^^xsd:string', '"x"^^:unit', '" . \\n } ; \\" "'),
    ]
)
TERMS = st.recursive(
    st.one_of(NODES, VALUES),
    lambda inner: st.builds("<<( {} {} {} )>>".format, NODES, st.sampled_from([":p", ":q"]), inner),
    max_leaves=2,
)
STATEMENT = st.one_of(
    st.builds("{} {} {} .".format, NODES, st.sampled_from([":p", ":q"]), TERMS),
    st.builds("{} a {} .".format, NODES, st.sampled_from([":A", ":B", "_:n"])),
)
GROUND = STATEMENT.filter(lambda text: "_:" not in text)
GRAPHS = st.sampled_from(["http://e/g", "http://e/h", "http://e/i"])
PLACES = st.one_of(st.just("DEFAULT"), GRAPHS.map("GRAPH <{}>".format))


def in_graph(graph: str, statement: str) -> str:
    return f"GRAPH <{graph}> {{ {statement} }}"


def data(verb: str, statements: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    named = st.builds(in_graph, GRAPHS, statements)
    parts = st.lists(st.one_of(named, named, statements), min_size=1, max_size=3)
    return parts.map(lambda some: f"{verb} DATA {{ {' '.join(some)} }}")


def by_pattern(graph: str, other: str, removed: str, added: str) -> str:
    return f"WITH <{graph}> DELETE {{ {removed} }} INSERT {{ {added} GRAPH <{other}> {{ ?s :q ?o }} }} WHERE {{ ?s ?p ?o }}"


OPERATION = st.one_of(
    data("INSERT", STATEMENT),
    data("DELETE", GROUND),
    st.builds(
        by_pattern,
        GRAPHS,
        GRAPHS,
        st.sampled_from(["?s ?p ?o .", "?s :p ?o .", ""]),
        st.one_of(STATEMENT, st.just("?s ?p 1.0 .")),
    ),
    st.builds("DELETE WHERE {{ GRAPH <{}> {{ ?s {} ?o }} }}".format, GRAPHS, st.sampled_from(["?p", ":p", "a"])),
    st.builds("{} SILENT {}".format, st.sampled_from(["CLEAR", "DROP"]), st.one_of(PLACES, st.sampled_from(["NAMED"]))),
    st.builds("{} SILENT {} TO {}".format, st.sampled_from(["COPY", "MOVE", "ADD"]), PLACES, PLACES),
    st.builds("CREATE SILENT GRAPH <{}>".format, GRAPHS),
)
UPDATE = st.lists(OPERATION, min_size=1, max_size=3).map(lambda some: Job("update", PREFIXES + " ; ".join(some)))
FORMS = [form for form in (by_suffix(f"x.{suffix}") for suffix in ("ttl", "nt", "rdf", "jsonld")) if form]


def is_new(term: object) -> bool:
    """Whether only RDF 1.2 has such a term, which not every format can say yet."""
    return isinstance(term, ox.Triple) or (isinstance(term, ox.Literal) and term.direction is not None)


@st.composite
def sent(draw: st.DrawFn) -> tuple[Job, bytes]:
    """A request to the Graph Store, whose body is in one of the formats as it was written."""
    task = draw(st.sampled_from(["put", "post", "post", "delete", "patch"]))
    graph = draw(st.one_of(GRAPHS, st.just("")))
    if task == "patch":
        text = draw(st.one_of(STATEMENT.map("INSERT DATA {{ {} }}".format), GROUND.map("DELETE DATA {{ {} }}".format)))
        return Job(task, PREFIXES + text, graph=graph), b""
    turtle = TURTLE + " ".join(draw(st.lists(STATEMENT, max_size=4)))
    form = draw(st.sampled_from(FORMS))
    body = turtle.encode() if form is FORMS[0] else None
    if body is None:
        triples = [quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE)]
        if form.media_type != "application/n-triples":
            triples = [t for t in triples if not is_new(t.object)]
        body = ox.serialize(triples, format=ox.RdfFormat.from_media_type(form.media_type))
        assert body is not None
    return Job(task, graph=graph, content_type=form.media_type), body


WRITES = st.lists(st.one_of(UPDATE.map(lambda job: (job, b"")), sent()), min_size=1, max_size=7)


@pytest.mark.parametrize("union", [False, True])
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_after_any_history_counts_commits_and_inferences_are_those_of_the_graph(union: bool, data: st.DataObject) -> None:
    with life(union=union) as lived:
        for job, body in data.draw(WRITES):
            lived.write(job, body)
        if union:
            again = copied(lived.store)
            merge(again)
            assert set(again) == set(lived.store)
            assert rebuild(again, RULES) == {quad for quad in lived.store if quad.graph_name == ox.NamedNode(INFERRED)}
        carried = recounted(lived.tally, lived.store, lived.changes, BASE, union=union)
        assert dict(carried) == dict(counted(copied(lived.store), BASE, union=union))
        commits_make_the_graph(lived)


def commits_make_the_graph(lived: Life) -> None:
    """Each commit removes what was there and adds what was not; all make the graph, and taken back each graph before."""
    found: set[ox.Quad] = set()
    commits = list(lived.journal.commits())
    for commit, (quads, _) in zip(commits, lived.states[1:], strict=True):
        removed, added = (list(quads_in(pieces)) for pieces in (lived.journal.removed(commit.id), lived.journal.added(commit.id)))
        assert set(removed) <= found
        assert not set(added) & found
        assert (len(removed), len(added)) == (len(set(removed)), len(set(added))) == (commit.removed, commit.added)
        found = found - set(removed) | set(added)
        assert found == quads
    replayed = ox.Store()
    replay(lived.journal, replayed, len(commits), snapshots=False)
    names = {name.value for name in replayed.named_graphs() if isinstance(name, ox.NamedNode)}
    assert (set(replayed), names) == lived.states[-1]
    for number, (quads, graphs) in enumerate(lived.states):
        undone, back = undoing(lived.journal, commits[number:]), copied(replayed)
        undone.make(back)
        assert set(back) == quads
        assert {name.value for name in back.named_graphs() if isinstance(name, ox.NamedNode)} == graphs
