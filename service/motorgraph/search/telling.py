"""What is told of things that were found: where they are, and a line that tells each from its namesakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import pyoxigraph as ox

from motorgraph.address import page_of
from motorgraph.search.entry import CLASS, PROPERTY, Entry, Look, Role
from motorgraph.search.index import Index
from motorgraph.search.ranking import Match
from motorgraph.search.schema import Schema
from motorgraph.vocab import DCTERMS, SKOS

MOST_PARTS = 4
MOST_CHARACTERS = 160
MOST_ALIASES = 8
LABEL = ox.NamedNode(SKOS + "prefLabel")
KINDS = {"entity": "", "property": PROPERTY, "type": CLASS}
"""What can be suggested, as the kind of the index."""
MOST_SAID = 2
"""Claims of a proposition that are named."""
_CLAIM = ("stance", "assertedBy")
_ELI = "http://data.europa.eu/eli/ontology#"
Json = dict[str, Any]  # Any: plain JSON


@dataclass
class Teller:
    """Tells of what is in an index, from the store that it was made of."""

    look: Look
    index: Index
    schema: Schema

    @cached_property
    def _telling(self) -> list[list[ox.NamedNode]]:
        """Properties of which one value each tells a thing from others, the best of each group first."""
        own = self.look.names.term
        groups = [
            [own(n) for n in ("ofBrand", "brandOf", "assignedTo", "unitOf", "ofPlant", "inDeal", "ofMeasure", "subject")],
            [own("locality"), own("inPlace")],
            [*(own(n) for n in ("country", "basedIn", "importTerritory")), _ELI + "jurisdiction"],
            [DCTERMS + "publisher", own("dealKind"), own("measureKind"), SKOS + "inScheme"],
            [own(n) for n in ("currentStatus", "plantStatus", "actStatus")],
            [DCTERMS + "issued", own("dateEDTF"), _ELI + "date_document"],
            [SKOS + "definition"],
        ]
        return [[ox.NamedNode(iri) for iri in group] for group in groups]

    def search(self, query: str, kind: str, limit: int, offset: int, languages: Sequence[str] = ()) -> Json:
        """What a text finds: the best, and how many of each kind. For "" only what there is. Labels are in the first of the
        languages that there is one in."""
        if not query.strip():
            return {"total": len(self.index), "kinds": _kinds(self.index.kinds.items()), "hits": []}
        found = self.index.find(query, kind, most=limit, skip=offset)
        hits = [self._hit(match, languages) for match in found.matches]
        return {"total": found.total, "kinds": _kinds(found.kinds.items()), "hits": hits}

    def suggest(self, what: str, prefix: str, limit: int, offset: int, types: list[str]) -> Json:
        """What may be meant by the beginning of a name: entities, classes or properties."""
        kind = KINDS[what]
        if kind and not prefix.strip():
            return {"result": [self._suggested(what, iri) for iri in self.schema.suggested(kind)[offset : offset + limit]]}
        of_type = frozenset[str]().union(*map(self.schema.instances, types))
        named = self.schema.term(prefix) if kind else None
        known = named is not None and self.index.entry(named.value)
        if named is not None and known and known.kind == kind:
            return {"result": [self._suggested(what, named.value)][offset:]}
        found = self.index.find(prefix, kind, most=limit, skip=offset, keep=of_type.__contains__ if types else None)
        return {"result": [self._suggested(what, match.entry.iri) for match in found.matches]}

    def preview(self, id: str, what: str = "entity") -> Json:
        """What a small picture of a thing shows; nothing if it is not known."""
        term = self.schema.term(id) if what != "entity" else None
        entry = self.index.entry(term.value) if term is not None else self.index.meant(id)
        if entry is None:
            return {}
        aliases = [text for role, text in entry.names[1:-1] if role in (Role.ALIAS, Role.IDENTIFIER) and text != entry.label]
        told = self._about(entry) | {"aliases": aliases[:MOST_ALIASES], "types": self.schema.types(ox.NamedNode(entry.iri))}
        definition = self.look.values(ox.NamedNode(entry.iri), ox.NamedNode(SKOS + "definition"))
        return told | {"definition": next((v.value for v in definition if isinstance(v, ox.Literal)), "")}

    def called(self, term: object) -> str:
        """A value in words."""
        if isinstance(term, ox.NamedNode):
            return self.schema.label(term.value)
        return term.value if isinstance(term, ox.Literal) else ""

    def note(self, entry: Entry) -> str:
        """The line that tells a thing from its namesakes."""
        parts = dict.fromkeys(filter(None, self._parts(entry)))
        parts.pop(entry.label, None)
        text = ", ".join(list(parts)[:MOST_PARTS])
        return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rsplit(" ", 1)[0] + " …"

    def _parts(self, entry: Entry) -> Iterator[str]:
        thing = ox.NamedNode(entry.iri)
        types = self.schema.types(thing)
        if types and self.schema.broader(types[0]["id"]):  # else it is what all of the kind are
            yield types[0]["name"]
        yield from self._said(thing)
        for group in self._telling:
            values = (value for predicate in group for value in self.look.values(thing, predicate))
            yield next(filter(None, map(self.called, values)), "")

    def _said(self, proposition: ox.NamedNode) -> Iterator[str]:
        """Who claims something, and how, if it is a proposition."""
        own = self.look.names.term
        claims = {quad.subject for quad in self.look.quads(None, ox.NamedNode(own("proposition")), proposition)}
        for claim in islice(sorted(claims, key=str), MOST_SAID):
            if isinstance(claim, ox.NamedNode):
                stance, who = ("".join(map(self.called, self.look.values(claim, ox.NamedNode(own(n)))[:1])) for n in _CLAIM)
                yield " by ".join(filter(None, (stance, who)))

    def _hit(self, match: Match, languages: Sequence[str]) -> Json:
        label = self._label(match.entry, languages)
        told = self._about(match.entry) | {"label": label, "match": match.spans, "score": round(match.score, 1)}
        return told if match.name.text == label else told | {"alias": match.name.text}

    def _label(self, entry: Entry, languages: Sequence[str]) -> str:
        """What a thing is called in the first of the languages in which it has a label; English is what it has else."""
        if not languages or languages[0].startswith("en"):
            return entry.label
        labels = self.look.values(ox.NamedNode(entry.iri), LABEL)
        texts = {(v.language or "").partition("-")[0]: v.value for v in reversed(labels) if isinstance(v, ox.Literal)}
        named = (texts.get(language.partition("-")[0]) for language in languages)
        return next(filter(None, named), entry.label)

    def _about(self, entry: Entry) -> Json:
        page = page_of(entry.iri, self.look.names.base)
        kind = {"kind": entry.kind, "kind_label": _in_words(entry.kind)}
        return {"iri": entry.iri, "page": page, "label": entry.label, **kind, "note": self.note(entry)}

    def _suggested(self, what: str, iri: str) -> Json:
        entry = self.index.entry(iri)
        assert entry is not None
        if what == "entity":
            notable = self.schema.types(ox.NamedNode(iri))
            return {"id": iri, "name": entry.label, "description": self.described(entry), "notable": notable}
        told: Json = self.schema.told(iri) | {"description": self.note(entry)}
        return told | {"broader": self.schema.broader(iri)} if what == "type" else told

    def described(self, entry: Entry) -> str:
        """Its kind, and what tells it from others."""
        return ": ".join(filter(None, (_in_words(entry.kind), self.note(entry))))


def _in_words(kind: str) -> str:
    return kind.replace("-", " ")


def _kinds(counts: Iterable[tuple[str, int]]) -> list[Json]:
    """Kinds with how many there are, the most first."""
    ordered = sorted(counts, key=lambda item: (-item[1], item[0]))
    return [{"kind": kind, "label": _in_words(kind), "count": count} for kind, count in ordered]
