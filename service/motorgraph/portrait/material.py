"""A description as material for a portrait: what each node has, what it is called, and the documents that statements rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from motorgraph.address import local
from motorgraph.dates import vague
from motorgraph.entity import NAMES, TYPE, Answered, Description, Statement, best
from motorgraph.literal import literal, text_of
from motorgraph.portrait.gathering import ISSUED, PUBLISHER
from motorgraph.portrait.layout import COLUMNS, IN_WORDS
from motorgraph.portrait.values import Link, Source
from motorgraph.vocab import Names

ABOUT_THE_PLACE = {"coordinates", "place on the map"}
"""Aspects of propositions from which only a position is believed."""
POSITION = ("lat", "long", "coordinatePrecision", "inPlace", "locality", "country", "region")
KNOWN_GRAPHS = {
    "accepted": "Accepted by the curators",
    "reference": "Reference data",
    "inferred": "Follows by rules from the other graphs",
    "catalogue": "The journal of this service",
    "ontology": "The ontology",
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WEB = ("http://", "https://")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_]")


class Material:
    """What is known for a portrait. Terms are text, as N-Triples has them; `term` makes one of a name of the ontology."""

    def __init__(self, found: Description, names: Names, gathered: Answered, languages: Sequence[str]) -> None:
        self.found = found
        self.thing = found.thing
        self.names = names
        self.inferred = f"<{names.graph('inferred')}>"
        self.about: dict[str, Answered] = {found.thing: []}
        self._text = self.term("statementText")
        self._called: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._classes: dict[str, set[str]] = {}
        self._members: dict[str, list[str]] = {}
        self._led: dict[tuple[str, str], list[str]] = {}
        start, cut = f"<{names.term('')}", len(names.term("")) + 1
        for statement in gathered:
            subject, predicate, value = statement[:3]
            self.about.setdefault(subject, []).append(statement)
            if predicate.startswith(start):
                values = self._led.setdefault((subject, predicate[cut:-1]), [])
                if value not in values:
                    values.append(value)
        self.call(best((s for s in gathered if s[1] in NAMES or s[1] == self._text), languages))
        self.call(found.names)

    def term(self, name: str) -> str:
        """A term of the ontology between angle brackets."""
        return f"<{self.names.term(name)}>"

    # What there is

    def all(self, node: str, *terms: str) -> list[str]:
        """What a node leads to by some of our properties, each once, in the order of the properties."""
        if len(terms) == 1:
            return self._led.get((node, terms[0]), [])
        return list(dict.fromkeys(value for name in terms for value in self._led.get((node, name), ())))

    def first(self, node: str, *terms: str) -> str:
        """The first of what a node leads to, "" if there is nothing."""
        return next((self._led[node, name][0] for name in terms if (node, name) in self._led), "")

    def value(self, node: str, *terms: str) -> str:
        """The same as text."""
        return text_of(self.first(node, *terms))

    def classes(self, node: str) -> set[str]:
        """The classes of a node, by their names in the ontology."""
        if node not in self._classes:
            start = self.names.term("")
            self._classes[node] = {s[2][1:-1].removeprefix(start) for s in self.about.get(node, ()) if s[1] == TYPE}
        return self._classes[node]

    def of_class(self, name: str) -> list[str]:
        """The nodes of a class."""
        if not self._members:
            for node in self.about:
                for of_it in self.classes(node):
                    self._members.setdefault(of_it, []).append(node)
        return self._members.get(name, [])

    def kinds(self, node: str) -> list[str]:
        """The classes of a node in words, but for those that only follow from others."""
        types = [s for s in self.about.get(node, ()) if s[1] == TYPE]
        asserted = [s for s in types if s[3] != self.inferred] or types
        return sorted({self.name(s[2]) for s in asserted})

    # What things are called

    def call(self, named: Iterable[Statement]) -> None:
        """Remembers what things are called."""
        for statement in named:
            if statement[1] in NAMES or statement[1] == self._text:
                self._called.setdefault(statement[0], text_of(statement[2]))

    def unnamed(self, more: Iterable[Statement]) -> list[str]:
        """What has to be called by a name yet: everything mentioned."""
        statements = [s for some in self.about.values() for s in some]
        terms = {s[1] for s in statements} | {s[2] for s in statements}
        terms |= {s[place] for s in (*self.found.incoming, *more) for place in (0, 1, 2)}
        terms |= {f"<{self._owner(s[3])}>" for s in statements if s[3]}
        return sorted(term for term in terms if term[0] == "<" and term not in self._called)

    def has_name(self, node: str) -> bool:
        """Whether anything gives a node a name."""
        return node in self._called

    def name(self, node: str) -> str:
        """What a node is called; without a name by what it says, or else by the last part of its IRI."""
        if node in self._called:
            return self._called[node]
        if node[:1] != "<":
            return "something without a name" if node[:1] == "_" else text_of(node)
        last = node[1:-1].rstrip("/#").rpartition("#")[2].rpartition("/")[2]
        return self._by_content(node) or last or node[1:-1]

    def _by_content(self, node: str) -> str:
        """What a node without a name is called by what it says, as far as that is known; "" if nothing is."""
        classes = self.classes(node)
        if "OriginalSource" in classes:
            return self.persons(node)
        if "SourceMention" in classes:
            return f"“{self.value(node, 'mentionText')}”"
        if "ClaimRelation" in classes:
            ends = [f"“{self.name(self.first(node, term))}”" for term in ("fromClaim", "toClaim")]
            return f"{ends[0]} {self.name(self.first(node, 'relationKind'))} {ends[1]}"
        about = self.first(node, "proposition", "onProposition")
        if about:
            return self.name(about)
        kind = next((name for name in COLUMNS if name in classes), "")
        tied = [self.name(value) for _, terms in COLUMNS.get(kind, ()) for value in self.all(node, *terms) if value[:1] == "<"]
        words = self.name(self.term(kind)) if kind else ""
        return f"{words[:1].upper()}{words[1:]}: {', '.join(tied[:3])}" if tied else ""

    def persons(self, node: str) -> str:
        """The persons behind a claim in words."""
        how = "unnamed " if last(self.first(node, "anonymity")) == "unnamed" else ""
        count = self.value(node, "sourceCount")
        if not count.isdigit():
            return f"{how}persons, number not given"
        kind = last(self.first(node, "sourceCountKind"))
        number = NUMBERS[int(count)] if int(count) < len(NUMBERS) else count
        qualifier = "" if kind in ("", "exact") else f"{kind.replace('-', ' ')} "
        return f"{qualifier}{number} {how}{'person' if count == '1' else 'persons'}"

    def property(self, node: str) -> Link:
        """A property by its name, or by its local name in words, with its IRI."""
        page = local(node[1:-1], self.names.base)
        words = self._called.get(node) or IN_WORDS.get(self.name(node)) or _WORDS.sub(" ", self.name(node)).lower()
        return Link(words, page, "" if page else node[1:-1], node[1:-1])

    def link(self, node: str) -> Link:
        """A node as a link, a literal as words."""
        if node[:1] != "<":
            found = literal(node)
            is_web = found is not None and found.datatype.endswith("#anyURI") and found.value.startswith(_WEB)
            return Link(self.name(node), href=self.name(node) if is_web else "")
        iri = node[1:-1]
        page = local(iri, self.names.base)
        is_web = not page and iri.startswith(_WEB) and not iri.startswith(self.names.base + "/")
        return Link(self._called.get(node) or (iri if is_web else self.name(node)), page, iri if is_web else "", iri)

    # What it rests on

    def grounds(self, statement: Statement) -> list[str]:
        """The documents that a statement rests on: of the claims for which it is believed, or those that its node came from."""
        node, predicate, value, graph = statement
        if graph == self.inferred:
            return [graph]
        claims = self.all(node, "acceptedFrom") if graph == f"<{self.names.graph('accepted')}>" else []
        if claims:
            return list(dict.fromkeys(filter(None, (self.first(c, "foundIn") for c in self._fitting(claims, predicate, value)))))
        if graph == f"<{self.names.graph('reference')}>":
            return self.all(node, "fromDataset") or [graph]
        return [f"<{self._owner(graph)}>" if graph.startswith(f"<{self.names.graph('source/')}") else graph]

    def _fitting(self, claims: list[str], predicate: str, value: str) -> list[str]:
        """Of the claims for which a node is believed those that say this of it, or else those that speak of it as a whole."""
        said = [(claim, self.first(claim, "proposition")) for claim in claims]
        exact = [c for c, p in said if self.first(p, "predicate") == predicate and self.first(p, "object") in ("", value)]
        if exact:
            return exact
        is_place = last(predicate) in POSITION
        whole = [(c, self.value(p, "aspect")) for c, p in said if not self.first(p, "predicate")]
        placed = [c for c, aspect in whole if aspect in ABOUT_THE_PLACE]
        stated = [c for c, aspect in whole if aspect not in ABOUT_THE_PLACE]
        return (placed if is_place and last(predicate) in POSITION[:3] else stated) or stated or placed or claims

    def cited(self, documents: Iterable[str]) -> tuple[int, ...]:
        """The numbers of documents, which are given in the order in which the page comes to them."""
        return tuple(sorted(self._numbers.setdefault(d, len(self._numbers) + 1) for d in dict.fromkeys(documents)))

    def rests_on(self, node: str) -> tuple[int, ...]:
        """The numbers of the documents that what is said of a node rests on."""
        statements = [s for s in self.about.get(node, ()) if s[3] != self.inferred]
        return self.cited(document for s in statements[:1] for document in self.grounds(s)) if statements else ()

    def sources(self) -> list[Source]:
        """What has been cited."""
        return [self._source(document, number) for document, number in self._numbers.items()]

    def _owner(self, graph: str) -> str:
        """The IRI of the document that owns a graph, or that of the graph itself."""
        return graph[1:-1].replace(self.names.graph("source/"), f"{self.names.base}/source/", 1)

    def _source(self, document: str, number: int) -> Source:
        if not document:
            return Source(number, Link("The default graph"), "", Link(""))
        iri = document[1:-1]
        in_words = KNOWN_GRAPHS.get(iri.removeprefix(self.names.graph("")))
        if in_words:
            return Source(number, Link(in_words), "", Link(iri, local(iri, self.names.base)))
        return Source(
            number, self.link(document), ", ".join(filter(None, (self.publisher(document), self.day_words(document)))), Link("")
        )

    def publisher(self, document: str) -> str:
        """Who published a document."""
        found = next((s[2] for s in self.about.get(document, ()) if s[1] == PUBLISHER), "")
        return self.name(found) if found else ""

    def day(self, document: str) -> str:
        """When a document was published, as a date or in EDTF."""
        issued = next((text_of(s[2]) for s in self.about.get(document, ()) if s[1] == ISSUED), "")
        return issued or self.value(document, "dateEDTF")

    def day_words(self, document: str) -> str:
        """The same in words."""
        day = self.day(document)
        return vague(day) if day else "undated" if document in self.about else ""


@lru_cache(maxsize=4096)
def last(node: str) -> str:
    """The last part of an IRI, which names a concept or a property."""
    return node[1:-1].rpartition("#")[2].rpartition("/")[2]
