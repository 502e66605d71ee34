"""A source document with its claims as a curator fills it in: the parts of the form, and the statements that come of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyoxigraph as ox

from motorgraph.filled import Filled
from motorgraph.forms import LANGUAGE_TEXT, Blueprint, Field
from motorgraph.functions import after, start
from motorgraph.functions import slug as slug_of
from motorgraph.prefixes import Prefixes
from motorgraph.search.likeness import likest_of
from motorgraph.statements import Statements
from motorgraph.turtle import Turtle
from motorgraph.vocab import RDF, XSD, Names

MOST_CLAIMS = 20
DOCUMENT = "document"
PROPOSITIONS = "propositions"
OWN = ("foundIn", "proposition", "attributedTo")
"""What of a claim the form says itself."""
DATES = ("dateEDTF", "resolvedStart", "resolvedEnd")
"""What tells a day that is not known to the day; made from what is filled in as the day."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_COARSE = re.compile(r"\d{4}(-\d\d)?")
_SAME = re.compile(r"(?:the same as )?claim (\d{1,2})(?: above)?", re.IGNORECASE)
"""What says that a claim is about the proposition of one before it."""
_IRI = re.compile(r"(https?://.*)|[^<>]*<(https?://[^<>]*)>", re.DOTALL)
"""An IRI, alone or behind the name of what it stands for."""
MOST_SLUG = 60
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TYPE = ox.NamedNode(RDF + "type")
Options = Mapping[str, str]
"""The things that a field may take, with the name of each."""


@dataclass(frozen=True, slots=True)
class Part:
    """The fields of one node: what it is called in the form and in words, and what the shapes say of it as a whole."""

    name: str
    title: str
    kind: str
    fields: Sequence[Field]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ClaimParts:
    """What one claim is made of."""

    claim: Part
    proposition: Part
    source: Part
    relation: Part

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its parts, in the order of the form."""
        return self.proposition, self.claim, self.source, self.relation


class Plan:
    """The parts of a form for a document with a number of claims."""

    def __init__(self, blueprint: Blueprint, names: Names, claims: int) -> None:
        def part(name: str, title: str, kind: str, without: Sequence[str] = ()) -> Part:
            term = names.term(kind)
            unwanted = [names.term(each) for each in (*without, "seedItem", "fromRow", "resolvedAgainst")]
            return Part(name, title, term, blueprint.fields(term, unwanted), blueprint.notes(term))

        self.document = part(DOCUMENT, "The document", "SourceDocument")
        self.claims = [
            ClaimParts(
                part(f"claim{i}", "Who says so, when, and how surely", "Claim", (*OWN, *DATES)),
                part(f"proposition{i}", "What is claimed", "Proposition"),
                part(f"source{i}", "Who is behind it, where the document does not say it itself", "OriginalSource"),
                part(f"relation{i}", "What it says of an earlier claim", "ClaimRelation", ("fromClaim",)),
            )
            for i in range(1, claims + 1)
        ]

    @property
    def parts(self) -> Iterator[Part]:
        """All of them."""
        yield self.document
        for claim in self.claims:
            yield from claim.parts


@dataclass
class Entry:
    """What was filled in: its statements, the mistakes by the name of the field, and the part that each new IRI is from."""

    slug: str
    quads: list[ox.Quad] = field(default_factory=list)
    mistakes: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    propositions: dict[int, ox.NamedNode] = field(default_factory=dict)
    """By the numbers of the claims."""

    @property
    def body(self) -> bytes:
        """The statements, as they are sent."""
        made = ox.serialize([quad.triple for quad in self.quads], format=ox.RdfFormat.N_TRIPLES)
        assert made is not None  # bytes, since no output was given
        return made

    def turtle(self, prefixes: Prefixes) -> str:
        """The statements, as they are shown."""
        return Turtle(Statements(quad.triple for quad in self.quads), prefixes).document(self.parts)


@dataclass(frozen=True)
class Reading:
    """How a filled form is read: the names of the graph, the form's values, and the options of the fields that take things."""

    names: Names
    values: Filled
    options: Mapping[str, Options]
    """By the key of a field, see `key`, and by its name in the form what has the name that it was filled with."""

    def entry(self, plan: Plan) -> Entry:
        """The statements that the form makes."""
        slug = self.values.one("slug") or (slug_of(self.values.one(f"{DOCUMENT}.dcterms:title")) or "")[:MOST_SLUG].strip("-")
        made = Entry(slug)
        if not _SLUG.fullmatch(slug):
            made.mistakes["slug"] = "Name it in lower-case letters and digits with single hyphens, such as reuters-2026-02-04."
            return made
        document = ox.NamedNode(f"{self.names.base}/source/{slug}")
        self._node(made, plan.document, document)
        for number, claim in enumerate(plan.claims, 1):
            if any(self._filled(part) for part in claim.parts) or self.values.one(f"about{number}"):
                self._claim(made, claim, number, document)
        return made

    def _claim(self, made: Entry, parts: ClaimParts, number: int, document: ox.NamedNode) -> None:
        """One claim with its proposition, known or new, and with who is behind it if anybody is."""
        claim = ox.NamedNode(self.names.thing("claim", f"{made.slug}-{number}"))
        self._node(made, parts.claim, claim)
        self._say(made, claim, "foundIn", document)
        about = self.values.one(f"about{number}")
        if same := _SAME.fullmatch(about):
            known = made.propositions.get(int(same[1]))
            if known is None:
                made.mistakes[f"about{number}"] = f"No claim before this one has the number {same[1]}."
        elif about:
            known = self._thing(about, self.options.get(PROPOSITIONS, {}), f"about{number}", made)
        else:
            known = ox.NamedNode(self.names.thing("proposition", f"{made.slug}-{number}"))
            self._node(made, parts.proposition, known)
        if known is not None:
            made.propositions[number] = known
            self._say(made, claim, "proposition", known)
        if self._filled(parts.source):
            source = ox.NamedNode(self.names.thing("original-source", f"{made.slug}-{number}"))
            self._node(made, parts.source, source)
            self._say(made, claim, "attributedTo", source)
        if self._filled(parts.relation):
            relation = ox.NamedNode(self.names.thing("claim-relation", f"{made.slug}-{number}"))
            self._node(made, parts.relation, relation)
            self._say(made, relation, "fromClaim", claim)

    def _filled(self, part: Part) -> bool:
        return any(self.values.all(f"{part.name}.{each.name}") for each in part.fields)

    def statements(self, part: Part, node: ox.NamedNode) -> Entry:
        """The statements that the fields of one part make of a node."""
        made = Entry("")
        self._node(made, part, node)
        return made

    def _node(self, made: Entry, part: Part, node: ox.NamedNode) -> None:
        made.parts[node.value] = part
        self._add(made, node, _TYPE, ox.NamedNode(part.kind))
        for each in part.fields:
            name = f"{part.name}.{each.name}"
            for text, language in self.values.pairs(name):
                if each.is_day and _COARSE.fullmatch(text):
                    self._period(made, node, text)
                elif (term := self._term(each, (text, language), name, made)) is not None:
                    self._add(made, node, ox.NamedNode(each.path), term)
            if each.is_required and not self.values.all(name):
                made.mistakes[name] = each.message or "This is needed."

    def _period(self, made: Entry, node: ox.NamedNode, text: str) -> None:
        """Says of a node the year or month that is all that is known of its day."""
        days = (start(text), after(text))
        terms = [ox.Literal(text), *(ox.Literal(str(day), datatype=ox.NamedNode(XSD + "date")) for day in days if day)]
        for name, term in zip(DATES, terms, strict=False):
            self._add(made, node, ox.NamedNode(self.names.term(name)), term)

    def _term(self, of: Field, told: tuple[str, str], name: str, made: Entry) -> ox.NamedNode | ox.Literal | None:
        text, language = told
        if of.datatype == LANGUAGE_TEXT:
            try:
                return ox.Literal(text, language=language)
            except ValueError:
                made.mistakes[name] = f"{language[:20]!r} is no language: give its tag, such as en or de-AT."
                return None
        if of.is_day and not _DAY.fullmatch(text):
            made.mistakes[name] = "Write the day as 2026-02-04; 2026-02 or 2026 where no more is known."
            return None
        if of.datatype:
            return ox.Literal(text, datatype=ox.NamedNode(of.datatype))
        return self._thing(text, {**self.options.get(key(of), {}), **self.options.get(name, {})}, name, made)

    def _thing(self, text: str, options: Options, name: str, made: Entry) -> ox.NamedNode | None:
        """The thing that an IRI, a name, or a name with its IRI behind it stands for; None, with the mistake noted, if it stands
        for none or for several."""
        if is_told := _IRI.fullmatch(text):
            try:
                return ox.NamedNode(is_told[1] or is_told[2])
            except ValueError:
                made.mistakes[name] = f"{text[:200]!r} is no IRI."
                return None
        called = [iri for iri, known in options.items() if known.casefold() == text.casefold()]
        if len(called) == 1:
            return ox.NamedNode(called[0])
        near = called or likest_of(text, dict(options))
        told = ", ".join(f"{options[iri]} <{iri}>" for iri in near)
        made.mistakes[name] = f"{text[:100]!r} is {'the name of several' if called else 'no thing known here'}; " + (
            f"did you mean {told}?" if told else "give its IRI."
        )
        return None

    def _say(self, made: Entry, subject: ox.NamedNode, term: str, value: ox.NamedNode) -> None:
        self._add(made, subject, ox.NamedNode(self.names.term(term)), value)

    def _add(self, made: Entry, subject: ox.NamedNode, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> None:
        made.quads.append(ox.Quad(subject, predicate, value, ox.NamedNode(self.names.graph(f"source/{made.slug}"))))


def key(of: Field) -> str:
    """What fields with the same options share; "" for a field without."""
    return " ".join((*of.classes, *of.schemes))


def sorted_out(results: Sequence[Mapping[str, Any]], entry: Entry, short: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Notes each violation at the field that it is about, if there is one; those that are left. `short` has names by path."""
    left = []
    for result in results:
        part = entry.parts.get(result["focus"])
        name = f"{part.name}.{short.get(result['path'], '')}" if part else ""
        if part and result["severity"] == "Violation" and any(f"{part.name}.{each.name}" == name for each in part.fields):
            entry.mistakes.setdefault(name, result["message"])
        else:
            left.append(result)
    return left
