"""The clerk's side of the feed: which entities each commit changed, and what each of them was after it.

No index and no copy of the graph is kept. The journal says whom a commit changed; what was said of them then is read from the
graph of the clerk's fork, which is taken back to the commit, or on, by what the commits between did. A client that reads on costs
little: the graph moves with it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyoxigraph as ox

from motorgraph.engine.chronicle import Chronicle
from motorgraph.engine.past import undoing
from motorgraph.engine.reader import Outlet
from motorgraph.engine.remote import Remote, remote
from motorgraph.engine.wire import Job
from motorgraph.errors import Failed, NotFound, OutOfReach
from motorgraph.feed import CREATE, DELETE, GENERATED, PART_MEMBERS, UPDATE, Stream, Version, Wanted, attached, is_ours
from motorgraph.tree import Link, Term, node, write

MOST_LISTED = 1_000_000
MOST_ROWS = 10_000
MOST_TAKEN_BACK = 500_000
"""Quads that have come to a remote store since, and are taken back in memory."""
LOST = -1
"""Stands for the commit where the store is neither at one nor at another."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entity that a commit changed, in how many quads about it."""

    iri: str
    removed: int
    added: int


class Versions:
    """The versions of all entities. `commit` is the one whose graph the chronicle's store holds."""

    def __init__(self, chronicle: Chronicle, commit: int) -> None:
        self._chronicle = chronicle
        self._store = chronicle.store
        self._at = commit
        self._derived = {ox.NamedNode(iri) for iri in chronicle.derived} | ({ox.DefaultGraph()} if chronicle.union else set())
        self._listed: dict[int, list[Entry]] = {}

    def rows(self, after: int, upto: int) -> list[tuple[int, str, int]]:
        """The commits beyond `after` as far as `upto`, the first MOST_ROWS of them: number, time, quads removed and added."""
        found = self._chronicle.commits(after, min(upto, after + MOST_ROWS))
        return [(commit.id, commit.time, commit.removed + commit.added) for commit in found]

    def latest(self, upto: int, most: int) -> list[dict[str, object]]:
        """The newest versions: commit, its time and how many entities it changed, entity, and what it did to it."""
        found: list[dict[str, object]] = []
        for commit in sorted(self._chronicle.commits(max(0, upto - most), upto), key=lambda commit: -commit.id):
            entries = self._entries(commit.id)
            for entry in entries[: most - len(found)]:
                self._go(commit.id)
                kind = self._kind(entry, self._said(ox.NamedNode(entry.iri)))
                told = {"commit": commit.id, "time": commit.time, "changed": len(entries)}
                found.append(told | {"entity": entry.iri, "kind": kind.value.rpartition("#")[2]})
        return found

    # Pages

    def block(self, job: Job, _: Any, outlet: Outlet) -> None:
        """The page of a block: where its parts are."""
        wanted = Wanted(**json.loads(job.text))
        members = [time for commit, time in self._times(wanted) for _ in self._entries(commit)]
        links = []
        for start in range(0, len(members), PART_MEMBERS):
            part = members[start : start + PART_MEMBERS]
            is_full = wanted.is_full or len(part) == PART_MEMBERS
            path = f"/feed/{wanted.first}/{start // PART_MEMBERS + 1}"
            links.append(Link(path, part[0], part[-1] if is_full else "", len(part)))
        is_fixed = wanted.keeps and wanted.is_full
        page = f"{job.base}/feed/{wanted.first}"
        _write(outlet, job, page, node(ox.NamedNode(page), links, job.base, GENERATED, is_fixed=is_fixed), is_fixed=is_fixed)

    def part(self, job: Job, _: Any, outlet: Outlet) -> None:
        """A part of a block: its members. Raises NotFound."""
        wanted = Wanted(**json.loads(job.text))
        start, passed = (wanted.part - 1) * PART_MEMBERS, 0
        chosen: list[tuple[Version, Entry]] = []
        for commit, time in self._times(wanted):
            entries = self._entries(commit)
            low, high = max(start - passed, 0), min(start + PART_MEMBERS - passed, len(entries))
            placed = enumerate(entries[low:high], low + 1)
            chosen += [(_version(entry, commit, time, place, entries), entry) for place, entry in placed]
            passed += len(entries)
        if not chosen:
            parts = -(-passed // PART_MEMBERS)
            raise NotFound(f"There is no part {wanted.part}: /feed/{wanted.first} has {parts}.")
        is_fixed = wanted.keeps and (wanted.is_full or len(chosen) == PART_MEMBERS)
        page, stream = f"{job.base}/feed/{wanted.first}/{wanted.part}", Stream(wanted.base)

        def told() -> Iterator[ox.Triple]:
            yield from node(ox.NamedNode(page), (), job.base, GENERATED, is_fixed=is_fixed)
            for version, entry in chosen:
                yield from self._member(stream, version, entry)

        _write(outlet, job, page, told(), is_fixed=is_fixed)

    def version(self, job: Job, _: Any, outlet: Outlet) -> None:
        """One member. Raises NotFound."""
        wanted = Wanted(**json.loads(job.text))
        time = next((time for commit, time in self._times(wanted) if commit == wanted.upto), "")
        entries = self._entries(wanted.upto)
        place, entry = next(((p, e) for p, e in enumerate(entries, 1) if e.iri == wanted.entity), (0, None))
        if entry is None:
            raise NotFound(f"Commit {wanted.upto} did not change <{wanted.entity[:200]}>, so it made no version of it.")
        version = _version(entry, wanted.upto, time, place, entries)
        stream = Stream(wanted.base)
        page = stream.version(version.entity, version.commit).value
        _write(outlet, job, page, self._member(stream, version, entry), is_fixed=wanted.keeps)

    def _member(self, stream: Stream, version: Version, entry: Entry) -> Iterator[ox.Triple]:
        """What the stream says of a version, then what was said of the entity, with the blank nodes that it leads to."""
        self._go(version.commit)
        said = self._said(ox.NamedNode(entry.iri))
        yield from stream.member(replace(version, kind=self._kind(entry, said)))
        iri = stream.version(entry.iri, version.commit)
        renamed = _Renamed(f"c{version.commit}m{version.place}")
        for number, (predicate, value) in enumerate(_ordered(said)):
            if is_ours(predicate, value):
                yield from attached(iri, entry.iri, (predicate, renamed.term(value)), f"{renamed.prefix}a{number}")
            else:
                yield ox.Triple(iri, predicate, renamed.term(value))
        for blank in renamed.met:  # grows on the way
            for predicate, value in _ordered(self._said(blank)):
                yield ox.Triple(renamed.label(blank), predicate, renamed.term(value))

    def _said(self, subject: ox.NamedNode | ox.BlankNode) -> Counter[tuple[ox.NamedNode, Term]]:
        """What the graph, where the store stands, says of a node, and in how many graphs."""
        return Counter(
            (quad.predicate, quad.object)
            for quad in self._store.quads_for_pattern(subject, None, None, None)
            if quad.graph_name not in self._derived
        )

    def _kind(self, entry: Entry, said: Counter[tuple[ox.NamedNode, Term]]) -> ox.NamedNode:
        """What a commit did to an entity of which this is said after it."""
        if not said:
            return DELETE
        return CREATE if not entry.removed and entry.added == said.total() else UPDATE

    # Which entities

    def _times(self, wanted: Wanted) -> Iterator[tuple[int, str]]:
        """The commits of a block, and the times of their members: a clock that goes back does not take these along."""
        time = wanted.before
        for commit in self._chronicle.commits(wanted.first - 1, wanted.upto):
            time = max(time, commit.time)
            yield commit.id, time

    def _entries(self, commit: int) -> list[Entry]:
        """The entities that a commit changed, in the order of their IRIs; remembered, since many pages tell of a large commit."""
        found = self._listed.get(commit)
        if found is None:
            found = self._found(commit)
            if sum(map(len, self._listed.values())) + len(found) > MOST_LISTED:
                self._listed.clear()
            self._listed[commit] = found
        return found

    def _found(self, commit: int) -> list[Entry]:
        removed, added = _subjects(self._chronicle.removed(commit)), _subjects(self._chronicle.added(commit))
        subjects = removed.keys() | added.keys()
        blanks = [subject for subject in subjects if subject.startswith(b"_:")]
        if blanks:
            self._go(commit)
            subjects |= self._owners(blanks)
        named = sorted(subject for subject in subjects if subject.startswith(b"<"))
        return [Entry(subject[1:-1].decode(), removed[subject], added[subject]) for subject in named]

    def _owners(self, blanks: Iterable[bytes]) -> set[bytes]:
        """The IRIs that lead to these blank nodes, as N-Quads have them.

        The graph after the commit tells them all: where the commit cut the way from one, it changed that, or a node on the way.
        """
        todo = [ox.BlankNode(blank[2:].decode()) for blank in blanks]
        met, owners = set(todo), set()
        while todo:
            for quad in self._store.quads_for_pattern(None, None, todo.pop(), None):
                subject = quad.subject
                if quad.graph_name in self._derived:
                    continue
                if isinstance(subject, ox.NamedNode):
                    owners.add(str(subject).encode())
                elif isinstance(subject, ox.BlankNode) and subject not in met:
                    met.add(subject)
                    todo.append(subject)
        return owners

    # When

    def _go(self, commit: int) -> None:
        """Takes the store to a commit, piece by piece, so that it needs no memory for the way.

        No commit both adds and removes a quad, so the order of its pieces does not matter.
        """
        there = remote(self._store)
        if there is not None:
            self._go_from(there, commit)
            return
        if commit == self._at or self._chronicle.journal is None:
            return
        if self._at == LOST:
            raise Failed("This process has met a fault on the way between two commits. Ask again in a minute, of another.")
        before, self._at = self._at, LOST
        is_back = commit < before
        for added, piece in self._chronicle.journal.quads(min(commit, before), max(commit, before), newest_first=is_back):
            if added != is_back:
                self._store.extend(ox.parse(piece, ox.RdfFormat.N_QUADS))
            else:
                for quad in ox.parse(piece, ox.RdfFormat.N_QUADS):
                    self._store.remove(quad)
        self._at = commit

    def _go_from(self, store: Remote, commit: int) -> None:
        """Has a remote store seen as it was after a commit: what has come to it since is taken back in memory."""
        if commit == self._at and store.mark is not None and not store.has_moved:
            return
        self._at = LOST
        store.forget()
        store.mark = mark = store.where()
        if mark is not None and commit != mark.commit:
            later = list(self._chronicle.commits(commit, mark.commit))
            if sum(each.removed + each.added for each in later) > MOST_TAKEN_BACK:
                raise OutOfReach(
                    f"More has come to the store since commit {commit} than can be taken back: {MOST_TAKEN_BACK:,} quads."
                )
            undoing(self._chronicle, later).make(store)  # type: ignore[arg-type]  # it has what this asks of the engine's own
        self._at = commit


class _Renamed:
    """The blank nodes of a member, renamed so that no two members have one in common: a node may say something else later."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.met: list[ox.BlankNode] = []
        self._told: set[ox.BlankNode] = set()
        self._labels: dict[ox.BlankNode, ox.BlankNode] = {}

    def term(self, value: Term) -> Term:
        """The term, its blank nodes renamed; one that is the value itself is met, and to be told too."""
        if isinstance(value, ox.BlankNode):
            if value not in self._told:
                self._told.add(value)
                self.met.append(value)
            return self.label(value)
        return self._inside(value) if isinstance(value, ox.Triple) else value

    def _inside(self, triple: ox.Triple) -> ox.Triple:
        subject, value = triple.subject, triple.object
        if isinstance(subject, ox.BlankNode):
            subject = self.label(subject)
        if isinstance(value, ox.BlankNode):
            value = self.label(value)
        return ox.Triple(subject, triple.predicate, self._inside(value) if isinstance(value, ox.Triple) else value)

    def label(self, blank: ox.BlankNode) -> ox.BlankNode:
        """What a blank node is called in this member."""
        return self._labels.setdefault(blank, ox.BlankNode(f"{self.prefix}b{len(self._labels)}"))


def _write(outlet: Outlet, job: Job, page: str, told: Iterator[ox.Triple], *, is_fixed: bool) -> None:
    """Answers with a page in the job's format."""
    media_type = job.graphs or ""
    outlet.begin("fixed" if is_fixed else "graph", media_type)
    if not job.head_only:
        write(told, outlet, media_type, page)
    outlet.finish()


def _version(entry: Entry, commit: int, time: str, place: int, entries: list[Entry]) -> Version:
    return Version(entry.iri, commit, time, place, UPDATE, place == len(entries))


def _subjects(pieces: Iterator[bytes]) -> Counter[bytes]:
    """In how many quads each subject stands, both as N-Quads."""
    found: Counter[bytes] = Counter()
    for piece in pieces:
        found.update(line.partition(b" ")[0] for line in piece.split(b"\n") if line)
    return found


def _ordered(said: Iterable[tuple[ox.NamedNode, Term]]) -> list[tuple[ox.NamedNode, Term]]:
    """Statements in an order that does not depend on the process that says them."""
    return sorted(said, key=lambda statement: (statement[0].value, str(statement[1])))
