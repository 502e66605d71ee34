"""The claims of the graph in two other forms: RDF 1.2 reifiers, and nanopublications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import pyoxigraph as ox

from motorgraph.engine.remote import AT_ONCE, Term, remote
from motorgraph.vocab import DCTERMS, LICENCE, NP, PROV, RDF, XSD, Names

VERSION = b"# RDF 1.2: triple terms, <<( ... )>>. The reifier of each is the claim.\n"
_TYPE = ox.NamedNode(RDF + "type")
_REIFIES = ox.NamedNode(RDF + "reifies")
_MOST_AT_ONCE = 5_000  # quads that are in memory
Subject = ox.NamedNode | ox.BlankNode
Value = ox.NamedNode | ox.BlankNode | ox.Literal


class Testimony:
    """The claims in a store, as of a time; what is read of it is read in the process that writes it, and sorted."""

    def __init__(self, store: ox.Store, names: Names, time: str) -> None:
        self._store = store
        self._names = names
        self._time = ox.Literal(time, datatype=ox.NamedNode(XSD + "dateTime"))

    @property
    def is_there(self) -> bool:
        """Whether there is any claim."""
        return next(self._typed(), None) is not None

    def reified(self, out: IO[bytes]) -> None:
        """Writes N-Quads: each claim with all that its graph says of it, and what it claims as triple terms that it reifies.

        A proposition of subject, predicate and object is that triple; one about a node as a whole the triples that describe it.
        """
        out.write(VERSION)
        held: list[ox.Quad] = []
        for claim, graph in self._claims():
            held += self._said(claim, graph)
            held += [ox.Quad(claim, _REIFIES, triple, graph) for triple in self._claimed(claim)]
            if len(held) > _MOST_AT_ONCE:
                ox.serialize(held, out, ox.RdfFormat.N_QUADS)
                held.clear()
        ox.serialize(held, out, ox.RdfFormat.N_QUADS)

    def nanopublications(self, out: IO[bytes]) -> None:
        """Writes TriG: of each claim a head, its assertion, the provenance of that, and what there is to say of itself."""
        quads = (quad for claim, graph in self._claims() for quad in self._published(claim, graph))
        ox.serialize(quads, out, ox.RdfFormat.TRIG, prefixes=self._names.prefixes())

    def _typed(self) -> Iterator[ox.Quad]:
        return self._store.quads_for_pattern(None, _TYPE, ox.NamedNode(self._names.term("Claim")), None)

    def _claims(self) -> Iterator[tuple[ox.NamedNode, ox.NamedNode]]:
        """The claims with the graphs that they are in."""
        found = _sorted(self._typed())
        while block := found[:AT_ONCE]:
            del found[:AT_ONCE]
            self._look_up([quad.subject for quad in block])
            for quad in block:
                if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.graph_name, ox.NamedNode):
                    yield quad.subject, quad.graph_name

    def _look_up(self, claims: Iterable[Term]) -> None:
        """Has a store that lies elsewhere asked for some claims and their propositions by few queries, and forget all others."""
        there = remote(self._store)
        if there is None:
            return
        there.forget()
        proposition = ox.NamedNode(self._names.term("proposition"))
        said = list(there.fetch((claim, None, None) for claim in claims))
        there.know((quad.object, None, None) for quad in said if quad.predicate == proposition)

    def _said(self, subject: Subject, graph: ox.NamedNode | None = None) -> list[ox.Quad]:
        """What a graph, or all of them, says of a subject."""
        return _sorted(self._store.quads_for_pattern(subject, None, None, graph))

    def _values(self, subject: Subject, name: str) -> list[Value]:
        """What all graphs say of a subject in one term of the ontology."""
        found = _sorted(self._store.quads_for_pattern(subject, ox.NamedNode(self._names.term(name)), None, None))
        return list(dict.fromkeys(quad.object for quad in found if not isinstance(quad.object, ox.Triple)))

    def _claimed(self, claim: ox.NamedNode) -> list[ox.Triple]:
        """What a claim claims."""
        triples: list[ox.Triple] = []
        for proposition in self._values(claim, "proposition"):
            if isinstance(proposition, ox.Literal):
                continue
            triples += self._stated(proposition) or self._described(proposition)
        return triples

    def _stated(self, proposition: Subject) -> list[ox.Triple]:
        """The triples that a proposition of subject, predicate and object stands for."""
        subjects, predicates = self._values(proposition, "subject"), self._values(proposition, "predicate")
        values = self._values(proposition, "object") + self._values(proposition, "objectValue")
        return [
            ox.Triple(subject, predicate, value)
            for subject in subjects
            for predicate in predicates
            for value in values
            if isinstance(predicate, ox.NamedNode) and not isinstance(subject, ox.Literal)
        ]

    def _described(self, proposition: Subject) -> list[ox.Triple]:
        """What is said of a proposition that is about a node as a whole."""
        return list(dict.fromkeys(quad.triple for quad in self._said(proposition) if quad.predicate != _TYPE))

    def _published(self, claim: ox.NamedNode, graph: ox.NamedNode) -> Iterator[ox.Quad]:
        """The quads of a nanopublication, graph by graph."""
        publication, head, assertion, provenance, about = (
            ox.NamedNode(f"{claim.value}#{part}") for part in ("nanopublication", "head", "assertion", "provenance", "pubinfo")
        )
        parts = {"hasAssertion": assertion, "hasProvenance": provenance, "hasPublicationInfo": about}
        yield ox.Quad(publication, _TYPE, ox.NamedNode(NP + "Nanopublication"), head)
        for name, part in parts.items():
            yield ox.Quad(publication, ox.NamedNode(NP + name), part, head)
        own = [quad.triple for quad in self._said(claim, graph)]
        for triple in self._assertion(claim):
            yield ox.Quad(triple.subject, triple.predicate, triple.object, assertion)
        yield ox.Quad(assertion, ox.NamedNode(PROV + "wasDerivedFrom"), claim, provenance)
        for name, term in (("assertedBy", "wasAttributedTo"), ("foundIn", "hadPrimarySource")):
            for value in self._values(claim, name):
                yield ox.Quad(assertion, ox.NamedNode(PROV + term), value, provenance)
        for triple in own:
            yield ox.Quad(triple.subject, triple.predicate, triple.object, provenance)
        yield ox.Quad(publication, ox.NamedNode(DCTERMS + "created"), self._time, about)
        yield ox.Quad(publication, ox.NamedNode(DCTERMS + "license"), ox.NamedNode(LICENCE), about)
        yield ox.Quad(publication, ox.NamedNode(DCTERMS + "isPartOf"), graph, about)
        for curator in self._values(claim, "curator"):
            yield ox.Quad(publication, ox.NamedNode("http://purl.org/pav/curatedBy"), curator, about)

    def _assertion(self, claim: ox.NamedNode) -> list[ox.Triple]:
        """What a nanopublication may assert: the triple itself where the claim is that it is so; else what is claimed, and how.

        To assert what somebody denies, or only plans, would say the contrary of what they said.
        """
        concept = f"{self._names.base}/concept"
        plain = {"stance": f"{concept}/stance/asserted", "modality": f"{concept}/modality/actual"}
        is_plain = all([value.value for value in self._values(claim, name)] == [iri] for name, iri in plain.items())
        propositions = [p for p in self._values(claim, "proposition") if not isinstance(p, ox.Literal)]
        stated = [triple for proposition in propositions for triple in self._stated(proposition)]
        if is_plain and stated:
            return stated
        said = [(ox.NamedNode(self._names.term(name)), v) for name in ("proposition", *plain) for v in self._values(claim, name)]
        described = [triple for proposition in propositions for triple in self._described(proposition)]
        return [ox.Triple(claim, term, value) for term, value in said] + described


def _sorted(quads: Iterable[ox.Quad]) -> list[ox.Quad]:
    """The engine has them in the order in which they came about."""
    return sorted(quads, key=str)
