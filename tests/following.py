"""A small client of TREE and LDES for tests: follows relations, collects members, makes of them what an entity is in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import httpx
import pyoxigraph as ox

from motorgraph.vocab import AS, DCTERMS, LDES, PROV, RDF, SCHEMA, TREE

TYPE, MEMBER, RELATION = ox.NamedNode(RDF + "type"), ox.NamedNode(TREE + "member"), ox.NamedNode(TREE + "relation")
NODE, VALUE, PATH, VIEW = (ox.NamedNode(TREE + name) for name in ("node", "value", "path", "view"))
VERSION_OF, GENERATED = ox.NamedNode(DCTERMS + "isVersionOf"), ox.NamedNode(PROV + "generatedAtTime")
POSITION, COMMIT = ox.NamedNode(SCHEMA + "position"), ox.NamedNode(PROV + "wasGeneratedBy")
STATUS, ATTACHMENT = ox.NamedNode(SCHEMA + "actionStatus"), ox.NamedNode(AS + "attachment")
KINDS = {ox.NamedNode(AS + name) for name in ("Create", "Update", "Delete")}
OURS = {VERSION_OF, GENERATED, POSITION, COMMIT, STATUS, ATTACHMENT}
IMMUTABLE = ox.NamedNode(LDES + "immutable")


@dataclass
class Page:
    """One page as it came."""

    url: str
    headers: httpx.Headers
    body: bytes
    triples: set[ox.Triple]

    @cached_property
    def about(self) -> dict[ox.Term, list[tuple[ox.NamedNode, ox.Term]]]:
        """What it says of each node."""
        return _by_subject(self.triples)

    @property
    def is_fixed(self) -> bool:
        """Whether it says that it will never be another; header and triple have to agree."""
        told = any(predicate == IMMUTABLE for predicate, _ in self.about.get(ox.NamedNode(self.url), ()))
        assert told == ("immutable" in self.headers["cache-control"])
        return told


@dataclass
class Member:
    """A member: what its page says of it and of its blank nodes."""

    iri: ox.NamedNode
    page: str
    triples: set[ox.Triple]

    def one(self, predicate: ox.NamedNode) -> ox.NamedNode | ox.Literal:
        """The one value of a predicate."""
        (found,) = [t.object for t in self.triples if t.subject == self.iri and t.predicate == predicate]
        assert isinstance(found, ox.NamedNode | ox.Literal)
        return found

    @property
    def kind(self) -> str:
        """What was done."""
        (found,) = {t.object for t in self.triples if t.subject == self.iri and t.predicate == TYPE} & KINDS
        return found.value.rpartition("#")[2]

    @property
    def entity(self) -> str:
        """Of what it is a version."""
        return self.one(VERSION_OF).value

    @property
    def position(self) -> int:
        """Its place in the stream."""
        return int(self.one(POSITION).value)

    @property
    def time(self) -> str:
        """When it came."""
        return self.one(GENERATED).value

    @property
    def said(self) -> set[ox.Triple]:
        """What it says of the entity: its own statements without those of the stream, and what is attached."""
        attachments = {t.object for t in self.triples if t.predicate == ATTACHMENT and t.subject == self.iri}
        found = set()
        for triple in self.triples:
            if triple.subject in attachments:
                continue
            if triple.subject != self.iri:
                found.add(triple)
            elif triple.predicate not in OURS and not (triple.predicate == TYPE and triple.object in KINDS):
                found.add(ox.Triple(ox.NamedNode(self.entity), triple.predicate, triple.object))
        for attachment in attachments:
            parts = {t.predicate.value.rpartition("#")[2]: t.object for t in self.triples if t.subject == attachment}
            assert parts["subject"] == ox.NamedNode(self.entity)
            found.add(ox.Triple(ox.NamedNode(self.entity), parts["predicate"], parts["object"]))
        return found


@dataclass
class Replica:
    """What was collected: pages by address, members by IRI."""

    stream: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    members: dict[ox.NamedNode, Member] = field(default_factory=dict)

    @property
    def in_order(self) -> list[Member]:
        """The members in the order of the stream."""
        return sorted(self.members.values(), key=lambda member: member.position)

    @property
    def entities(self) -> dict[str, set[ox.Triple]]:
        """What is said of each entity in the end."""
        newest = {member.entity: member for member in self.in_order}
        return {entity: member.said for entity, member in newest.items() if member.kind != "Delete"}


def page(client: httpx.Client, path: str, accept: str = "application/trig", **headers: str) -> Page:
    """One page. Redirects are followed, as a client must."""
    response = client.get(path, headers={"Accept": accept, **headers}, follow_redirects=True)
    assert response.status_code == 200, response.text
    media_type = response.headers["content-type"].partition(";")[0]
    form = ox.RdfFormat.from_media_type(media_type)
    parsed = {quad.triple for quad in ox.parse(response.content, form, base_iri=str(response.url))}
    return Page(str(response.url), response.headers, response.content, parsed)


def replicate(
    client: httpx.Client,
    accept: str = "application/trig",
    wants: Callable[[str, str], bool] = lambda least, most: True,
    known: Replica | None = None,
) -> Replica:
    """Follows the feed from its root: every page once, but not those below which no member may be that is wanted.

    `wants` is told the bounds that a relation gives (ISO 8601, "" for none). What is `known` and fixed is not asked for again.
    """
    replica = Replica()
    todo = ["/feed"]
    while todo:
        url = str(client.base_url.join(todo.pop()))
        if url in replica.pages:
            continue
        kept = known.pages.get(url) if known else None
        found = kept if kept and kept.is_fixed else page(client, url, accept)
        replica.pages[url] = found
        if not replica.stream:
            (replica.stream,) = [t.subject.value for t in found.triples if t.predicate == VIEW and t.object.value == url]
        todo += [link for link, least, most in relations(found) if wants(least, most)]
        for member in members(found, replica.stream):
            assert member.iri not in replica.members, "a member stands in two pages"
            replica.members[member.iri] = member
    return replica


def relations(found: Page) -> Iterator[tuple[str, str, str]]:
    """Where a page leads, with the lower and the upper bound of the times there."""
    about = found.about
    bounds: dict[str, dict[str, str]] = defaultdict(dict)
    for predicate, relation in about.get(ox.NamedNode(found.url), ()):
        if predicate == RELATION:
            said = dict(about[relation])
            assert said[PATH] == GENERATED
            bounds[said[NODE].value][said[TYPE].value.removeprefix(TREE)] = said[VALUE].value
    for link, by_kind in bounds.items():
        assert set(by_kind) <= {"GreaterThanOrEqualToRelation", "LessThanOrEqualToRelation"}
        yield link, by_kind.get("GreaterThanOrEqualToRelation", ""), by_kind.get("LessThanOrEqualToRelation", "")


def members(found: Page, stream: str) -> Iterator[Member]:
    """The members of a page: the star of each, and so on through blank nodes."""
    for predicate, iri in found.about.get(ox.NamedNode(stream), ()):
        if predicate == MEMBER:
            yield Member(iri, found.url, described(iri, found.about))


def described(subject: ox.NamedNode | ox.BlankNode, about: dict[ox.Term, list[tuple[ox.NamedNode, ox.Term]]]) -> set[ox.Triple]:
    """What is said of a node, and of the blank nodes that it leads to."""
    todo, met, told = [subject], {subject}, set()
    while todo:
        node = todo.pop()
        for predicate, value in about.get(node, ()):
            told.add(ox.Triple(node, predicate, value))
            if isinstance(value, ox.BlankNode) and value not in met:
                met.add(value)
                todo.append(value)
    return told


def _by_subject(triples: set[ox.Triple]) -> dict[ox.Term, list[tuple[ox.NamedNode, ox.Term]]]:
    about: dict[ox.Term, list[tuple[ox.NamedNode, ox.Term]]] = defaultdict(list)
    for triple in triples:
        about[triple.subject].append((triple.predicate, triple.object))
    return about


def canonical(triples: set[ox.Triple]) -> set[str]:
    """The triples with labels of blank nodes that do not depend on those that they have."""
    if not any(isinstance(term, ox.BlankNode) for t in triples for term in (t.subject, t.object)):
        return {str(triple) for triple in triples}
    dataset = ox.Dataset(ox.Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def stars(quads: set[ox.Quad]) -> dict[str, set[ox.Triple]]:
    """What a graph says of each IRI, with the blank nodes that it leads to."""
    about = _by_subject({quad.triple for quad in quads})
    return {subject.value: described(subject, about) for subject in list(about) if isinstance(subject, ox.NamedNode)}
