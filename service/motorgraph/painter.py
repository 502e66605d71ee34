"""From a description whose statements tell their graphs to its portrait: names for what is mentioned, numbers for sources."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence

from motorgraph.address import local
from motorgraph.entity import NAMES, TYPE, Answered, Description, Dialect, Question, Statement, Teller, best
from motorgraph.literal import literal, quoted, text_of
from motorgraph.marks import ACCEPTED, mark
from motorgraph.portrait import Fact, Group, Link, Part, Portrait, Saying, Source, Value
from motorgraph.vocab import RDFS, SKOS, XSD, Names

MOST_GROUPS = 200
SAYINGS = {"Claim", "Proposition", "Verdict", "OriginalSource", "ClaimRelation", "SourceMention"}
"""Classes whose nodes stand in the section on claims."""
BOOKKEEPING = ("acceptedFrom", "fromRow", "kind", "seedItem")
IN_THE_HEAD = (f"<{SKOS}prefLabel>", f"<{SKOS}altLabel>", TYPE)
ANYTHING = f"<{RDFS}Resource>"
_WEB = ("http://", "https://")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_]")


def painted(
    found: Description, names: Names, dialect: Dialect, languages: Sequence[str]
) -> Generator[Question, Answered, Portrait]:
    """The steps to the portrait."""
    painter = Painter(found, names)
    counted = yield Question(_counting(found.thing, names, dialect), MOST_GROUPS)
    pointing = " ".join(dict.fromkeys(s[0] for s in found.incoming if s[0][0] == "<"))
    kinds = (yield Question(f"VALUES ?s {{ {pointing} }} {dialect.told(predicate=TYPE)} BIND({TYPE} AS ?p)")) if pointing else []
    named = yield from Teller(dialect, names).names(painter.vocabulary([*counted, *kinds]))
    painter.call(best(named, languages))
    return painter.portrait(counted, kinds)


def _counting(thing: str, names: Names, dialect: Dialect) -> str:
    """How many things of each class point to a thing by each property, as `?s` (the class), `?p` and `?o` (the number).

    What follows by rules from something asserted is left out, but for own properties, and so are the classes that follow.
    """
    inferred, own = f"<{names.graph('inferred')}>", quoted(names.term(""))
    pointing = f"GRAPH ?k {{ ?x ?p {thing} }} FILTER(?k != {inferred} || STRSTARTS(STR(?p), {own}))"
    kind = f"GRAPH ?h {{ ?x a ?class }} FILTER(?h != {inferred})"
    if not dialect.is_union:
        pointing = f"{{ {pointing} }} UNION {{ ?x ?p {thing} }}"
        kind = f"{{ {kind} }} UNION {{ ?x a ?class }}"
    return (
        f"{{ SELECT ?p ?class (COUNT(DISTINCT ?x) AS ?o) {{ {{ {pointing} }} OPTIONAL {{ {kind} }} }} GROUP BY ?p ?class"
        f" ORDER BY DESC(?o) ?p ?class }} BIND(COALESCE(?class, {ANYTHING}) AS ?s)"
    )


class Painter:
    """Puts a description into words and links."""

    def __init__(self, found: Description, names: Names) -> None:
        self._found = found
        self._names = names
        self._inferred = f"<{names.graph('inferred')}>"
        self._text = f"<{names.term('statementText')}>"
        self._called: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._about: dict[str, Answered] = {found.thing: []}
        for statement in dict.fromkeys((*found.own, *found.nested)):
            self._about.setdefault(statement[0], []).append(statement)
        self.call(best((s for s in (*found.own, *found.nested) if s[1] in NAMES or s[1] == self._text), ("en",)))
        self.call(found.names)

    def call(self, named: Iterable[Statement]) -> None:
        """Remembers what things are called."""
        for statement in named:
            if statement[1] in NAMES or statement[1] == self._text:
                self._called.setdefault(statement[0], text_of(statement[2]))

    def vocabulary(self, more: Sequence[Statement]) -> list[str]:
        """What else has to be called by a name: properties, classes, and the documents that own graphs."""
        statements = [*self._found.own, *self._found.nested, *self._found.incoming, *more]
        terms = {s[1] for s in statements} | {s[2] for s in statements if s[1] == TYPE} | {s[0] for s in more}
        documents = {f"<{self._document(s[3])}>" for s in statements if s[3]}
        return sorted(term for term in terms | documents if term[0] == "<" and term not in self._called)

    def portrait(self, counted: Answered, kinds: Answered) -> Portrait:
        """All of it. The sources are numbered in the order in which the page comes to them."""
        thing, name = self._found.thing, self._name(self._found.thing)
        own = self._about[thing]
        hidden = {*IN_THE_HEAD, *(f"<{self._names.term(term)}>" for term in BOOKKEEPING)}
        return Portrait(
            iri=thing[1:-1],
            name=name,
            kinds=self._kinds(thing),
            aliases=sorted({text_of(s[2]) for s in own if s[1] == f"<{SKOS}altLabel>"} - {name}),
            facts=self._facts(own, hidden),
            parts=self._parts(hidden),
            claims=self._claims(),
            groups=self._groups(counted, kinds),
            sources=[self._source(graph, number) for graph, number in self._numbers.items()],
            page=self._found.page,
            has_more=self._found.has_more,
        )

    # Names and sources

    def _name(self, node: str) -> str:
        if node in self._called:
            return self._called[node]
        if node[0] != "<":
            return "something without a name" if node[0] == "_" else node
        last = node[1:-1].rstrip("/#").rpartition("#")[2].rpartition("/")[2]
        return last or node[1:-1]

    def _property(self, node: str) -> Link:
        """A property by its name, or by its local name in words, with its IRI."""
        page = local(node[1:-1], self._names.base)
        return Link(self._called.get(node) or _WORDS.sub(" ", self._name(node)).lower(), page, "" if page else node[1:-1])

    def _link(self, node: str) -> Link:
        if node[0] != "<":
            return Link(self._name(node))
        iri = node[1:-1]
        page = local(iri, self._names.base)
        is_web = not page and iri.startswith(_WEB) and not iri.startswith(self._names.base + "/")
        return Link(self._called.get(node) or (iri if is_web else self._name(node)), page, iri if is_web else "")

    def _number(self, graph: str) -> int:
        return self._numbers.setdefault(graph, len(self._numbers) + 1)

    def _cited(self, graphs: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted(map(self._number, dict.fromkeys(graphs))))

    def _document(self, graph: str) -> str:
        """The IRI of the document that owns a graph, or that of the graph itself."""
        return graph[1:-1].replace(self._names.graph("source/"), f"{self._names.base}/source/", 1)

    def _source(self, graph: str, number: int) -> Source:
        if not graph:
            return Source(number, Link("The default graph"), Link(""))
        iri = graph[1:-1]
        in_words = KNOWN_GRAPHS.get(iri.removeprefix(self._names.graph("")))
        link = Link(in_words) if in_words else self._link(f"<{self._document(graph)}>")
        return Source(number, link, Link(iri, local(iri, self._names.base)))

    # What is said

    def _kinds(self, node: str) -> list[str]:
        """The classes of a node in words, but for those that only follow from others."""
        types = [s for s in self._about.get(node, ()) if s[1] == TYPE]
        asserted = [s for s in types if s[3] != self._inferred] or types
        return sorted({self._name(s[2]) for s in asserted})

    def _facts(self, statements: Answered, hidden: set[str], back_to: str = "") -> list[Fact]:
        """The facts that statements of one subject make; what follows by rules from another of them is left out."""
        asserted = {s[2] for s in statements if s[3] != self._inferred}
        graphs: dict[tuple[str, str], list[str]] = {}
        for _, predicate, value, graph in statements:
            follows = graph == self._inferred and value in asserted
            if predicate not in hidden and value != back_to and not follows:
                graphs.setdefault((predicate, value), []).append(graph)
        facts: dict[str, Fact] = {}
        for (predicate, value), stated in sorted(graphs.items(), key=lambda item: (self._property(item[0][0]).text, item[0])):
            fact = facts.setdefault(predicate, Fact(self._property(predicate)))
            fact.values.append(self._value(value, self._cited(stated)))
        return list(facts.values())

    def _value(self, term: str, sources: tuple[int, ...]) -> Value:
        found = literal(term)
        if found is None:
            return Value(self._link(term), sources=sources)
        is_web = found.datatype == XSD + "anyURI" and found.value.startswith(_WEB)
        return Value(Link(found.value, href=found.value if is_web else ""), found.language, sources)

    def _classes(self, node: str) -> set[str]:
        start = self._names.term("")
        return {s[2][1:-1].removeprefix(start) for s in self._about.get(node, ()) if s[1] == TYPE}

    def _parts(self, hidden: set[str]) -> list[tuple[str, list[Part]]]:
        """The nodes that hang on the thing, by class."""
        found: dict[str, list[Part]] = {}
        thing = self._found.thing
        for node in sorted(self._about):
            if node == thing or self._classes(node) & SAYINGS:
                continue
            by = next((s[1] for s in self._about[node] if s[2] == thing), "")
            facts = self._facts(self._about[node], hidden, back_to=thing)
            page = local(node[1:-1], self._names.base) if node[0] == "<" else ""
            sources = self._cited(s[3] for s in self._about[node] if s[3] != self._inferred)
            part = Part(page, self._property(by) if by else None, facts, sources)
            found.setdefault(", ".join(self._kinds(node)) or "without a class", []).append(part)
        return sorted(found.items())

    # Claims

    def _claims(self) -> list[Saying]:
        """What is claimed, the latest first."""
        sayings = [self._saying(node) for node in self._about if "Claim" in self._classes(node) and node != self._found.thing]
        return sorted(sayings, key=lambda saying: (saying.day, saying.page), reverse=True)

    def _leads(self, node: str, term: str) -> str:
        """What a node leads to by one of our properties, "" if it does not."""
        predicate = f"<{self._names.term(term)}>"
        return next((s[2] for s in self._about.get(node, ()) if s[1] == predicate), "")

    def _saying(self, claim: str) -> Saying:
        proposition, document, speaker = (self._leads(claim, term) for term in ("proposition", "foundIn", "assertedBy"))
        address = next((text_of(s[2]) for s in self._found.names if s[0] == document and s[1].endswith("/url>")), "")
        return Saying(
            page=self._link(claim).page,
            mark=mark(_last(self._leads(claim, "stance")), _last(self._leads(claim, "modality"))),
            text=self._called.get(proposition) or "A statement that is told elsewhere",
            by=self._link(speaker) if speaker else Link("not known"),
            behind=self._behind(self._leads(claim, "attributedTo")),
            day=text_of(self._leads(claim, "reportedOn")),
            document=self._link(document) if document else Link("not known"),
            address=address if address.startswith(_WEB) else "",
            verdict=self._verdict(proposition),
            accepted=ACCEPTED if any(s[2] == claim for s in self._about[self._found.thing]) else None,
            sources=self._cited(s[3] for s in self._about[claim] if s[3] != self._inferred),
        )

    def _behind(self, persons: str) -> str:
        """The persons behind a claim in words; their number is never added to another."""
        if not persons:
            return ""
        if persons in self._called:
            return f"from {self._called[persons]}"
        count, anonymity = self._leads(persons, "sourceCount"), self._leads(persons, "anonymity")
        kind = _last(self._leads(persons, "sourceCountKind"))
        how = f"{self._name(anonymity)} " if _last(anonymity) not in ("", "not-stated") else ""
        if count:
            number = text_of(count)
            qualifier = "" if kind in ("exact", "") else f"{kind.replace('-', ' ')} "
            return f"from {qualifier}{number} {how}{'person' if number == '1' else 'persons'}"
        return f"from {how}persons, number not given"

    def _verdict(self, proposition: str) -> str:
        """What the curator makes of a proposition, in words."""
        on = f"<{self._names.term('onProposition')}>"
        node = next((n for n, some in self._about.items() if any(s[1] == on and s[2] == proposition for s in some)), "")
        outcome, confidence = self._leads(node, "outcome"), self._leads(node, "confidence")
        return f"{self._name(outcome)}{f', confidence {text_of(confidence)}' if confidence else ''}" if outcome else ""

    # What points here

    def _groups(self, counted: Answered, kinds: Answered) -> list[Group]:
        """What points to the thing, by class and property, with the number of all and those on this page; at the end what only
        follows by rules."""
        classes: dict[str, set[str]] = {}
        for kind in kinds:
            if kind[3] != self._inferred:
                classes.setdefault(kind[0], set()).add(kind[2])
        here: dict[tuple[str, str], set[Link]] = {}
        for statement in self._found.incoming:
            for of_it in classes.get(statement[0], {ANYTHING}):
                here.setdefault((of_it, statement[1]), set()).add(self._pointing(statement[0]))
        groups = []
        for of_it, predicate, number, _ in counted:
            groups.append(self._group(of_it, predicate, int(text_of(number)), here.pop((of_it, predicate), set())))
        return groups + [self._group(of_it, predicate, 0, here[of_it, predicate]) for of_it, predicate in sorted(here)]

    def _group(self, of_it: str, predicate: str, count: int, things: set[Link]) -> Group:
        named = "thing" if of_it == ANYTHING else self._name(of_it)
        return Group(named, self._property(predicate), count, sorted(things, key=lambda link: (link.text, link.page)))

    def _pointing(self, node: str) -> Link:
        """What points here, by its name; a claim or verdict by what it is about."""
        about = self._leads(node, "proposition") or self._leads(node, "onProposition")
        link = self._link(node)
        return Link(self._called[about], link.page) if node not in self._called and about in self._called else link


KNOWN_GRAPHS = {
    "accepted": "Accepted by the curators, from the claims below",
    "reference": "Reference data",
    "inferred": "Follows by rules from the other graphs",
    "catalogue": "The journal of this service",
    "ontology": "The ontology",
}


def _last(node: str) -> str:
    """The last part of an IRI."""
    return node[1:-1].rpartition("/")[2]
