"""The feed: every change of the graph as a Linked Data Event Stream, its members in parts, these in blocks of commits.

A member is a version of an entity: what the graph says of an IRI after a commit that changed it. The tree (LDES, TREE): the root
leads to blocks of consecutive commits, to older ones by way of an index; a block leads to its parts; a part has the members. Only
what comes last ever changes: a full part, a block that no commit will join, and an index stay as they are for ever.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

import pyoxigraph as ox

from motorgraph.tree import TYPE, Link, Term, integer, node, time_of
from motorgraph.vocab import AS, DCTERMS, LDES, PROV, RDF, SCHEMA, TREE, Names

BLOCK_COMMITS = 100
BLOCK_QUADS = 20_000
"""A block takes no more commits when it has so many, or when they changed so many quads, which bounds what its parts cost."""
INDEX_BLOCKS = 100
PART_MEMBERS = 250
POLLING_SECONDS = 60
PLACES = 10**8
"""More than one commit has members: a member's position is its commit times this, and its place in the commit."""
VERSION_OF = ox.NamedNode(DCTERMS + "isVersionOf")
GENERATED = ox.NamedNode(PROV + "generatedAtTime")
POSITION = ox.NamedNode(SCHEMA + "position")
COMMIT = ox.NamedNode(PROV + "wasGeneratedBy")
STATUS = ox.NamedNode(SCHEMA + "actionStatus")
COMPLETED = ox.NamedNode(SCHEMA + "CompletedActionStatus")
ATTACHMENT = ox.NamedNode(AS + "attachment")
CREATE, UPDATE, DELETE = (ox.NamedNode(AS + name) for name in ("Create", "Update", "Delete"))
_OWN = {VERSION_OF, GENERATED, POSITION, COMMIT, STATUS, ATTACHMENT}
_KINDS = {CREATE, UPDATE, DELETE}
_BELOW_BASE = re.compile(r"[\w-]+(?:/[^/%?#]*[^/%?#.][^/%?#]*)*/?", re.ASCII)
"""What of an IRI below the base stands in that of a version: a path that no client rewrites. Else the IRI does, encoded."""
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_KEEPS = (
    "Every version of every entity since the first commit. None is ever dropped, so there is no ldes:retentionPolicy. Times "
    "never go back, whatever the clock did. What is said of a blank node is told with each entity that leads to it."
)
SHAPE = """
@prefix as: <https://www.w3.org/ns/activitystreams#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix schema: <https://schema.org/> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<> a sh:NodeShape ; sh:nodeKind sh:IRI ;
  sh:property
    [ sh:path dcterms:isVersionOf ; sh:name "entity"@en ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path prov:generatedAtTime ; sh:name "time"@en ; sh:datatype xsd:dateTime ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path schema:position ; sh:name "position"@en ; sh:datatype xsd:integer ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path prov:wasGeneratedBy ; sh:name "commit"@en ; sh:nodeKind sh:IRI ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path schema:actionStatus ; sh:name "completes the commit"@en ; sh:in ( schema:CompletedActionStatus ) ; sh:maxCount 1 ] ,
    [ sh:path rdf:type ; sh:name "what was done"@en ; sh:minCount 1 ; sh:qualifiedMinCount 1 ; sh:qualifiedMaxCount 1 ;
      sh:qualifiedValueShape [ sh:in ( as:Create as:Update as:Delete ) ] ] .
"""
"""What every member conforms to, whatever is said of its entity."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive commits: the first, the last, how many quads they changed.

    `before` is the latest time of all commits before them, "" if there is none; `begins` and `ends` are the times of their first
    and last members.
    """

    first: int
    last: int
    quads: int
    before: str
    begins: str
    ends: str

    @property
    def is_full(self) -> bool:
        """Whether no other commit will join it."""
        return self.last - self.first + 1 >= BLOCK_COMMITS or self.quads >= BLOCK_QUADS


@dataclass(frozen=True, slots=True)
class Version:
    """A member: the entity, the commit that changed it and how, the time, the place among the members of the commit (from 1)."""

    entity: str
    commit: int
    time: str
    place: int
    kind: ox.NamedNode
    is_last: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page of the feed is about, as a job's `text` has it.

    The commits of a block, from `first` to `upto`; `before` is the latest time of the commits before them; `is_full` says that no
    other will join, `keeps` that the service has a journal. Of these the part `part`, or the version of `entity` by the last.
    """

    base: str
    first: int
    upto: int
    before: str = ""
    is_full: bool = False
    keeps: bool = False
    part: int = 0
    entity: str = ""


class Blocks:
    """All commits, cut into blocks. Each is told once, in order."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []

    @property
    def newest(self) -> int:
        """The newest commit that has been told."""
        return self._blocks[-1].last if self._blocks else 0

    def add(self, commit: int, time: str, quads: int) -> None:
        """Tells of the next commit: when it was made, how many quads it changed.

        A clock may have gone back since the commit before it, but an event stream may not (LDES, `ldes:timestampPath`): then its
        members have the time of that one.
        """
        last = self._blocks[-1] if self._blocks else None
        time = max(time, last.ends) if last else time
        if last is None or last.is_full:
            self._blocks.append(Block(commit, commit, quads, last.ends if last else "", time, time))
        else:
            self._blocks[-1] = replace(last, last=commit, quads=last.quads + quads, ends=time)

    def holding(self, commit: int) -> Block | None:
        """The block that a commit is in."""
        place = bisect_right(self._blocks, commit, key=lambda block: block.first) - 1
        return self._blocks[place] if place >= 0 and 0 < commit <= self.newest else None

    def index(self, first: int) -> list[Block]:
        """The blocks of the index that begins with this commit; none if there is no such index."""
        return next((blocks for blocks in self._indexed() if blocks[0].first == first), [])

    @property
    def links(self) -> list[Link]:
        """Where the root leads: to each index, and to the blocks that no index has yet."""
        shelved = [Link(f"/feed/index/{b[0].first}", b[0].begins, b[-1].ends) for b in self._indexed()]
        rest = self._blocks[len(shelved) * INDEX_BLOCKS :]
        return shelved + [block_link(block) for block in rest]

    def _indexed(self) -> Iterator[list[Block]]:
        """The blocks by index; the last INDEX_BLOCKS or more are in none, so that the root leads straight to the newest."""
        for start in range(0, len(self._blocks) - 2 * INDEX_BLOCKS + 1, INDEX_BLOCKS):
            yield self._blocks[start : start + INDEX_BLOCKS]


def block_link(block: Block) -> Link:
    """How a page leads to a block."""
    return Link(f"/feed/{block.first}", block.begins, block.ends if block.is_full else "")


@dataclass(frozen=True, slots=True)
class Stream:
    """The event stream of a service: the IRIs of what is in it, and what its pages say."""

    base: str

    @property
    def iri(self) -> ox.NamedNode:
        """The stream itself."""
        return ox.NamedNode(f"{self.base}/feed#stream")

    def version(self, entity: str, commit: int) -> ox.NamedNode:
        """The version of an entity that a commit made."""
        rest = entity.removeprefix(self.base + "/")
        path = rest if rest != entity and _BELOW_BASE.fullmatch(rest) else quote(entity, safe="")
        return ox.NamedNode(f"{self.base}/version/{commit}/{path}")

    def entity(self, path: str) -> str:
        """The entity whose versions have this path (percent-encoded) behind the commit."""
        text = unquote(path)
        return text if _SCHEME.match(text) else f"{self.base}/{text}"

    def root(self, links: Iterable[Link], at: str) -> Iterator[ox.Triple]:
        """The root node: what the stream is, and the relations. `at` is the address of the service (scheme and host)."""
        page, stream = ox.NamedNode(f"{at}/feed"), self.iri
        told: list[tuple[ox.NamedNode, str, Term]] = [
            (stream, RDF + "type", ox.NamedNode(LDES + "EventStream")),
            (stream, DCTERMS + "title", ox.Literal("Changes of the graph", language="en")),
            (stream, DCTERMS + "description", ox.Literal(_KEEPS, language="en")),
            (stream, TREE + "view", page),
            (stream, TREE + "shape", ox.NamedNode(f"{at}/feed/shape")),
            (stream, LDES + "timestampPath", GENERATED),
            (stream, LDES + "sequencePath", POSITION),
            (stream, LDES + "versionOfPath", VERSION_OF),
            (stream, LDES + "transactionPath", COMMIT),
            (stream, LDES + "transactionFinalizedPath", STATUS),
            (stream, LDES + "transactionFinalizedObject", COMPLETED),
            (stream, LDES + "pollingInterval", integer(POLLING_SECONDS)),
            (page, RDF + "type", ox.NamedNode(LDES + "EventSource")),
        ]
        for name, kind in (("Create", CREATE), ("Update", UPDATE), ("Delete", DELETE)):
            told += [(stream, f"{LDES}version{name}Path", TYPE), (stream, f"{LDES}version{name}Object", kind)]
        yield from (ox.Triple(subject, ox.NamedNode(name), value) for subject, name, value in told)
        yield from node(page, links, at, GENERATED, is_fixed=False)

    def shape(self, at: str) -> Iterator[ox.Triple]:
        """What every member conforms to, as SHACL."""
        labels: dict[Term, ox.BlankNode] = {}  # the parser's own are others each time
        for quad in ox.parse(SHAPE, ox.RdfFormat.TURTLE, base_iri=f"{at}/feed/shape"):
            subject, value = (
                labels.setdefault(term, ox.BlankNode(f"b{len(labels)}")) if isinstance(term, ox.BlankNode) else term
                for term in (quad.subject, quad.object)
            )
            yield ox.Triple(subject, quad.predicate, value)

    def member(self, version: Version) -> Iterator[ox.Triple]:
        """That a version is in the stream, and what the stream says of it."""
        iri = self.version(version.entity, version.commit)
        yield ox.Triple(self.iri, ox.NamedNode(TREE + "member"), iri)
        yield ox.Triple(iri, TYPE, version.kind)
        yield ox.Triple(iri, VERSION_OF, ox.NamedNode(version.entity))
        yield ox.Triple(iri, GENERATED, time_of(version.time))
        yield ox.Triple(iri, POSITION, integer(version.commit * PLACES + version.place))
        yield ox.Triple(iri, COMMIT, ox.NamedNode(Names(self.base).thing("commit", str(version.commit))))
        if version.is_last:
            yield ox.Triple(iri, STATUS, COMPLETED)


def is_ours(predicate: ox.NamedNode, value: Term) -> bool:
    """Whether a statement about an entity looks as if the stream said it of the version.

    Such a one is told apart, as an attachment, so that the time and the rest of what the stream says stay unambiguous.
    """
    return predicate in _OWN or (predicate == TYPE and value in _KINDS)


def attached(version: ox.NamedNode, entity: str, said: tuple[ox.NamedNode, Term], label: str) -> Iterator[ox.Triple]:
    """A statement about an entity as an attachment of its version."""
    statement = ox.BlankNode(label)
    yield ox.Triple(version, ATTACHMENT, statement)
    yield ox.Triple(statement, TYPE, ox.NamedNode(RDF + "Statement"))
    yield ox.Triple(statement, ox.NamedNode(RDF + "subject"), ox.NamedNode(entity))
    yield ox.Triple(statement, ox.NamedNode(RDF + "predicate"), said[0])
    yield ox.Triple(statement, ox.NamedNode(RDF + "object"), said[1])
