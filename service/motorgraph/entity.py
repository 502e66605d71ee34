"""What the graph says of a thing: the SPARQL queries that ask for its bounded description, and what comes of them.

A description holds the statements of a thing and those that point at it, `PAGE` of each on a page; all statements of its
blank nodes to a depth, and of the nodes without a name beside it (shareholdings, assignments, roles, rates, propositions); the
claims and verdicts on the propositions about it with who said them; and one name of each other thing that is mentioned.

The queries are standard SPARQL, and their number does not grow with the thing. Whoever runs them drives `describe`, a generator
that yields a `Question` and is sent the statements that answer it, so the same description can be had from any endpoint. Terms
are text, as N-Triples has them, which is also how a query names them: an object for each would cost more than the queries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from motorgraph.errors import NotFound
from motorgraph.vocab import DCTERMS, RDF, RDFS, SCHEMA, SKOS, Names

PAGE = 500
"""Statements of a thing, and statements that point at it, on one page."""
BLANK_DEPTH = 3
MOST_NESTED = 20_000
"""Statements that one question may bring of what is nested; a description with more says that it has been cut."""
MOST_NAMED = 5_000
NAMES = tuple(f"<{iri}>" for iri in (SKOS + "prefLabel", RDFS + "label", DCTERMS + "title"))
"""What gives a thing its name, the best first."""
TYPE = f"<{RDF}type>"
_REPLACED = f"<{DCTERMS}isReplacedBy>"
_URL = f"<{SCHEMA}url>"

Statement = tuple[str, ...]
"""Subject, predicate, object and, where it is told, the graph ("" for the default graph)."""
Answered = list[Statement]
Pattern = tuple[str, str, str]
Steps = Generator["Question", Answered, "Description"]
Asking = Generator["Question", Answered, Answered]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted to know: of which thing (the first of its possible IRIs that is known), which page, in which languages.

    `origin` is the address of this service for whom the answer is; `inlines` that a JSON-LD document is to hold its context.
    """

    iris: tuple[str, ...]
    page: int = 1
    languages: tuple[str, ...] = ("en",)
    origin: str = ""
    inlines: bool = False

    @property
    def text(self) -> str:
        """All of it as the text of a job."""
        return json.dumps((self.iris, self.page, self.languages, self.origin, self.inlines))

    @classmethod
    def of(cls, text: str) -> Asked:
        """What `text` was made from."""
        iris, page, languages, origin, inlines = json.loads(text)
        return cls(tuple(iris), page, tuple(languages), origin, inlines)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a statement is asked for: whether the default graph is the merge of all, and whether the graph is to be told."""

    is_union: bool
    with_graphs: bool

    def told(self, subject: str = "?s", predicate: str = "?p", value: str = "?o") -> str:
        """The pattern of a statement that is part of an answer."""
        return self._anywhere(f"{subject} {predicate} {value}", "?g", plain=self.is_union and not self.with_graphs)

    def holds(self, subject: str, predicate: str, value: str, graph: str = "?h") -> str:
        """The pattern of a statement that only leads to others; `graph` is a variable of its own."""
        return self._anywhere(f"{subject} {predicate} {value}", graph, plain=self.is_union)

    def _anywhere(self, triple: str, graph: str, *, plain: bool) -> str:
        if plain:
            return f"{triple} ."
        named = f"GRAPH {graph} {{ {triple} }}"
        return named if self.is_union else f"{{ {triple} }} UNION {{ {named} }}"


@dataclass(frozen=True, slots=True)
class Question:
    """A query whose solutions are statements: `?s ?p ?o`, and `?g` where the graph is told.

    Where it asks for nothing but the statements of some `patterns` (subject, predicate, object; "" for any), or for those of
    `named` nodes with some `naming` properties, these are told too, for who can look them up without a query; the text, which
    costs as much, is then made only if it is wanted.
    """

    text: str | Callable[[], str]
    limit: int = MOST_NESTED + 1
    patterns: tuple[Pattern, ...] = ()
    named: tuple[str, ...] = ()
    naming: tuple[str, ...] = ()
    kept: str = ""
    """What the answer is called that is the same for every thing, and may be kept while the graph is the same."""

    @property
    def where(self) -> str:
        """The pattern of the query."""
        return self.text if isinstance(self.text, str) else self.text()

    @property
    def construct(self) -> str:
        """As a query that answers triples."""
        return f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {self.where} }} LIMIT {self.limit}"

    @property
    def select(self) -> str:
        """As a query that answers rows."""
        return f"SELECT ?s ?p ?o ?g WHERE {{ {self.where} }} LIMIT {self.limit}"


@dataclass(slots=True)
class Description:
    """What the graph says of a thing. `nested` is all of what the nodes in `told` say, or only some where it `is_cut`.

    `has_more`: there is another page.
    """

    thing: str
    page: int
    own: Answered = field(default_factory=list)
    incoming: Answered = field(default_factory=list)
    nested: Answered = field(default_factory=list)
    names: Answered = field(default_factory=list)
    has_more: bool = False
    is_cut: bool = False
    told: set[str] = field(default_factory=set)
    mentioned: dict[str, None] = field(default_factory=dict)
    types: set[tuple[str, str]] = field(default_factory=set)

    def note(self, statements: Answered) -> Answered:
        """Remembers of which nodes these statements tell, which they lead to, and of what types they are. Returns them."""
        for statement in statements:
            value = statement[2]
            self.told.add(statement[0])
            if statement[1] == TYPE:
                self.types.add((statement[0], value))
            elif value[0] == "<":
                self.mentioned[value] = None
        return statements

    @property
    def statements(self) -> Answered:
        """All of them, each once, those of one subject together, the thing itself first."""
        by_subject: dict[str, dict[Statement, None]] = {self.thing: {}}
        for some in (sorted(self.own, key=_place), self.nested, self.incoming, self.names):
            for statement in some:
                by_subject.setdefault(statement[0], {})[statement] = None
        return [statement for of_one in by_subject.values() for statement in of_one]


class Teller:
    """Asks for descriptions, in a dialect, of the graph of a service with these names."""

    def __init__(self, dialect: Dialect, names: Names) -> None:
        self._dialect = dialect
        self._names = names
        self._term = {name: f"<{names.term(name)}>" for name in _TERMS}

    def describe(self, asked: Asked) -> Steps:
        """The description. Raises NotFound if nothing is said of the thing, or not on that page."""
        for iri in asked.iris:
            found = Description(f"<{iri}>", asked.page)
            yield from self._statements(found)
            if found.own or found.incoming:
                break
        else:
            raise NotFound(_nothing(asked))
        if self.moved_to(found):
            return found
        beside = dict.fromkeys((*found.mentioned, *(s[0] for s in found.incoming if s[0][0] == "<")))
        beside.pop(found.thing, None)
        named = yield from self.names(beside)
        has_name = {name[0] for name in named if name[1] in NAMES}
        yield from self._nested(found, [node for node in beside if node not in has_name])
        known = found.told | set(beside)
        rest = yield from self.names(node for node in found.mentioned if node not in known)
        found.names += best([n for n in named if n[0] not in found.told] + rest, asked.languages)
        return found

    def check(self, asked: Asked) -> Steps:
        """As `describe`, only as far as to say that the thing is known, and what it has become."""
        for iri in asked.iris:
            found = Description(f"<{iri}>", asked.page)
            found.own = yield Question(f"{self._dialect.told(subject=found.thing)} BIND({found.thing} AS ?s)", PAGE)
            if found.own or (yield Question(f"{self._dialect.told(value=found.thing)} BIND({found.thing} AS ?o)", 1)):
                return found
        raise NotFound(_nothing(asked))

    def moved_to(self, description: Description) -> str:
        """The IRI of the thing that a merged or renamed one has become, which has no type any more; "" for any other."""
        if any(s[1] in (TYPE, self._term["supersededBy"]) for s in description.own):
            return ""
        return next((s[2][1:-1] for s in description.own if s[1] == _REPLACED and s[2][0] == "<"), "")

    # What each query asks for

    def _statements(self, found: Description) -> Generator[Question, Answered, None]:
        """The statements of a thing, and those that point at it, of a page."""
        own, more = yield from self._window(found, (found.thing, "?p", "?o"), "?p STR(?o) LANG(?o)")
        found.own = found.note(own)
        found.incoming, still_more = yield from self._window(found, ("?s", "?p", found.thing), "?p ?s")
        found.has_more = more or still_more

    def _window(
        self, about: Description, triple: tuple[str, str, str], order: str
    ) -> Generator[Question, Answered, tuple[Answered, bool]]:
        """The statements of one pattern on a page, and whether there are more. Only where there are many is an order needed."""
        variables = " ".join(term for term in triple if term.startswith("?"))
        bound = " ".join(f"BIND({term} AS {name})" for term, name in zip(triple, ("?s", "?p", "?o"), strict=True) if term != name)
        pattern, again = self._dialect.holds(*triple), self._dialect.told(*triple) if self._dialect.with_graphs else ""

        def part(start: int, size: int, order: str) -> str:
            chosen = f"SELECT DISTINCT {variables} WHERE {{ {pattern} }} {order} OFFSET {start} LIMIT {size}"
            return f"{{ {chosen} }} {again} {bound}"

        if about.page == 1:
            subject, predicate, value = ("" if term.startswith("?") else term for term in triple)
            limit = MOST_NESTED + 1 if again else PAGE + 1
            asked = Question(partial(part, 0, PAGE + 1, ""), limit, ((subject, predicate, value),))
            found = yield from _bounded(about, asked)
            if len(found) <= PAGE or len({s[:3] for s in found}) <= PAGE:
                return found, False
        start = (about.page - 1) * PAGE
        found = yield from _bounded(about, Question(part(start, PAGE, f"ORDER BY {order}")))
        more = (yield Question(part(start + PAGE, 1, f"ORDER BY {order}"))) if len(found) >= PAGE else []
        return found, bool(more)

    def names(self, nodes: Iterable[str]) -> Asking:
        """What names each of these nodes."""
        wanted = tuple(islice(nodes, MOST_NAMED))
        properties = (*NAMES, self._term["statementText"])

        def where() -> str:
            each = " UNION ".join(f"{{ {self._dialect.told(predicate=name)} BIND({name} AS ?p) }}" for name in properties)
            return f"VALUES ?s {{ {' '.join(wanted)} }} {each}"

        return (yield Question(where, named=wanted, naming=properties)) if wanted else []

    def _nested(self, found: Description, unnamed: Sequence[str]) -> Generator[Question, Answered, None]:
        """All statements of the nodes that are told with a thing."""
        found.nested += found.note((yield from self.of(found, unnamed)))
        found.nested += found.note((yield from self._blank(found, unnamed)))
        yield from self._sayings(found)

    def of(self, found: Description, nodes: Iterable[str]) -> Asking:
        """All statements of these nodes."""
        subjects = tuple(nodes)

        def where() -> str:
            return f"VALUES ?s {{ {' '.join(subjects)} }} {self._dialect.told()}"

        asked = Question(where, patterns=tuple((s, "", "") for s in subjects))
        return (yield from _bounded(found, asked)) if subjects else []

    def pointing(self, found: Description, terms: Sequence[str], nodes: Iterable[str]) -> Asking:
        """The statements that lead to these nodes by some of our properties."""
        about, by = tuple(dict.fromkeys(nodes)), tuple(self.term(name) for name in terms)

        def where() -> str:
            each = " UNION ".join(f"{{ {self._dialect.told(predicate=p)} BIND({p} AS ?p) }}" for p in by)
            return f"VALUES ?o {{ {' '.join(about)} }} {each}"

        asked = Question(where, patterns=tuple(("", p, node) for node in about for p in by))
        return (yield from _bounded(found, asked)) if about else []

    def given(self, nodes: Iterable[str], properties: Sequence[str]) -> Asking:
        """What these nodes have of some properties, which are IRIs between angle brackets."""
        about = tuple(dict.fromkeys(nodes))

        def where() -> str:
            each = " UNION ".join(f"{{ {self._dialect.told(predicate=p)} BIND({p} AS ?p) }}" for p in properties)
            return f"VALUES ?s {{ {' '.join(about)} }} {each}"

        return (yield Question(where, patterns=tuple((node, p, "") for node in about for p in properties))) if about else []

    def term(self, name: str) -> str:
        """A property of the ontology between angle brackets."""
        return f"<{self._names.term(name)}>"

    def _blank(self, found: Description, unnamed: Sequence[str]) -> Asking:
        """The statements of blank nodes, to a depth: those that a thing and the nodes beside it lead to, and that lead to it."""
        told: Answered = []
        if any(statement[0][0] == "_" for statement in found.incoming):
            pointing = f"{self._dialect.holds('?s', '?q', found.thing)} FILTER(isBlank(?s)) {self._dialect.told()}"
            told += yield from _bounded(found, Question(pointing))
        last: Answered = [*found.own, *found.nested, *told]
        path = f"VALUES ?b0 {{ {' '.join((found.thing, *unnamed))} }}"
        for depth in range(1, BLANK_DEPTH + 1):
            if not any(statement[2][0] == "_" for statement in last):
                break
            path += (
                f" {self._dialect.holds(f'?b{depth - 1}', f'?q{depth}', f'?b{depth}', f'?h{depth}')} FILTER(isBlank(?b{depth}))"
            )
            deeper = f"{path} {self._dialect.told(f'?b{depth}')} BIND(?b{depth} AS ?s)"
            last = yield from _bounded(found, Question(deeper))
            told += last
        return told

    def _sayings(self, found: Description) -> Generator[Question, Answered, None]:
        """All statements of the propositions about a thing, of the claims and verdicts on them, of the persons behind a claim.

        The claims from which it is believed count with their propositions. Nothing is asked for twice.
        """
        term = self._term
        claims = {s[2] for s in found.own if s[1] == term["acceptedFrom"]} | {found.thing}
        around = (found.thing, *dict.fromkeys(s[0] for s in found.incoming))
        propositions = [node for node in around if (node, term["Proposition"]) in found.types]
        propositions += [s[2] for s in (*found.own, *found.nested) if s[1] == term["proposition"] and s[0] in claims]
        if propositions:
            sayings, about = (term["proposition"], term["onProposition"]), dict.fromkeys(propositions)

            def leads() -> str:
                each = " UNION ".join(f"{{ {self._dialect.holds('?s', p, '?o')} BIND({p} AS ?p) }}" for p in sayings)
                return f"VALUES ?o {{ {' '.join(about)} }} {each}"

            asked = Question(leads, patterns=tuple(("", p, node) for node in about for p in sayings))
            leading = yield from _bounded(found, asked)
            new = dict.fromkeys((*propositions, *(s[0] for s in leading)))
            found.nested += found.note((yield from self.of(found, (node for node in new if node not in found.told))))
        persons = dict.fromkeys(s[2] for s in found.nested if s[1] == term["attributedTo"] and s[2] not in found.told)
        found.nested += found.note((yield from self.of(found, persons)))
        documents = dict.fromkeys(s[2] for s in (*found.own, *found.nested) if s[1] == term["foundIn"])
        if documents:
            given = f"VALUES ?s {{ {' '.join(documents)} }}"
            where = f"{given} {self._dialect.told(predicate=_URL)} BIND({_URL} AS ?p)"
            found.names = yield Question(where, patterns=tuple((document, _URL, "") for document in documents))


def _bounded(found: Description, question: Question) -> Asking:
    """The answer to a question that a description is told by; of more than `MOST_NESTED` statements the first, and it says so."""
    told = yield question
    found.is_cut = found.is_cut or len(told) > MOST_NESTED
    return told[:MOST_NESTED]


_TERMS = (
    *("Proposition", "acceptedFrom", "attributedTo", "foundIn", "onProposition", "proposition", "statementText", "supersededBy"),
)


def _place(statement: Statement) -> tuple[int, str]:
    """Where a statement of the thing stands: its types first, then its names."""
    predicate = statement[1]
    return (0 if predicate == TYPE else 1 if predicate in NAMES else 2), predicate


def _nothing(asked: Asked) -> str:
    if asked.page > 1:
        return f"There is no page {asked.page} of what is said of <{asked.iris[0]}>."
    return f"Nothing is said of <{asked.iris[0] if asked.iris else ''}> in this graph."


def language(literal: str) -> str:
    """The language of a literal in lower case, "" if it has none."""
    return literal.rpartition('"')[2].partition("--")[0].removeprefix("@").lower() if literal.endswith(_LETTERS) else ""


def best(names: Iterable[Statement], languages: Sequence[str]) -> Answered:
    """One name of each node (in each graph that has it): in the language that is liked best, by the best property."""
    by_node: dict[str, Answered] = {}
    for name in names:
        if name[2][0] == '"':
            by_node.setdefault(name[0], []).append(name)
    rank = {liked: place for place, liked in enumerate(languages)}

    def key(name: Statement) -> tuple[int, int, str]:
        spoken = language(name[2])
        liked = rank.get(spoken, rank.get(spoken.partition("-")[0], len(rank) + bool(spoken)))
        return liked, NAMES.index(name[1]) if name[1] in NAMES else len(NAMES), name[2]

    found: Answered = []
    for some in by_node.values():
        first = some[0] if len(some) == 1 else min(some, key=key)
        found += [name for name in some if name[1:3] == first[1:3]]
    return found


_LETTERS = tuple("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
