"""What a portrait needs besides the description: parts of a thing with the claims on them, what bears on claims, documents."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from itertools import islice

from motorgraph.entity import TYPE, Answered, Description, Dialect, Question, Statement, Teller
from motorgraph.portrait.layout import HIDDEN
from motorgraph.vocab import DCTERMS, SCHEMA, Names

Gathering = Generator[Question, Answered, Answered]
GEO = "http://www.w3.org/2003/01/geo/wgs84_pos#"
LATITUDE, LONGITUDE = f"<{GEO}lat>", f"<{GEO}long>"
PUBLISHER, ISSUED, URL = f"<{DCTERMS}publisher>", f"<{DCTERMS}issued>", f"<{SCHEMA}url>"
MOST_PARTS = 300
MOST_STATUSES = 1500
MOST_GROUPS = 200
HAS_PARTS = {"Deal", "DealComponent", "Plant", "PlantUnit"}
"""Classes whose parts speak for them: what is claimed of a component or a hall is told with the whole."""
OF_THE_WHOLE = ("statusOf", "inCourseOf", "unitOf", "inDeal")
ON_A_NODE = ("aboutNode", "subject", "object")
STATUSES = ("currentStatus", "plantStatus", "actStatus", "lifeState")
ON_CLAIMS = ("mentionOf", "fromClaim", "toClaim")


class Gatherer:
    """Asks for what a portrait needs, once for all nodes of a sort."""

    def __init__(self, found: Description, names: Names, dialect: Dialect) -> None:
        self._found = found
        self._names = names
        self._teller = Teller(dialect, names)
        self._told: dict[Statement, None] = dict.fromkeys((*found.own, *found.nested))
        self._known = {s[0] for s in self._told}
        start = names.term("")
        self._classes = {s[2][1:-1].removeprefix(start) for s in found.own if s[1] == TYPE}

    def gathered(self) -> Gathering:
        """The steps to all statements that a portrait is made of."""
        if self._classes & HAS_PARTS:
            yield from self._parts()
        yield from self._of(self._nameless())
        yield from self._of((*self._led("proposition"), *self._led("onProposition")))
        yield from self._on_claims()
        yield from self._of(self._led("attributedTo"))
        believed = [claim for claim in self._led("acceptedFrom", "basedOnClaim") if claim not in self._known]
        self._keep((yield from self._teller.given(believed, (self._term("foundIn"),))))
        documents = (*self._led("foundIn"), *self._led("fromDataset"), *self._led("observationSource"), *self._owners())
        self._keep((yield from self._teller.given(documents, (PUBLISHER, ISSUED, URL, self._term("dateEDTF")))))
        statuses = tuple(map(self._term, STATUSES))
        self._keep((yield from self._teller.given(islice(self._mentioned(), MOST_STATUSES), statuses)))
        return list(self._told)

    def _nameless(self) -> list[str]:
        """What the thing leads to that has no name, but for bookkeeping: it is called by what it says."""
        named, ours = {s[0] for s in self._found.names}, f"<{self._names.base}/id/"
        leading = (s for s in self._found.own if s[2].startswith(ours) and s[2] not in named)
        return [s[2] for s in leading if s[1][1:-1].rpartition("/")[2] not in HIDDEN]

    def _term(self, name: str) -> str:
        return self._teller.term(name)

    def _keep(self, statements: Iterable[Statement]) -> None:
        self._told.update(dict.fromkeys(statements))

    def _of(self, nodes: Iterable[str]) -> Generator[Question, Answered, None]:
        """All statements of nodes of which nothing is known yet; a document or party is a thing of its own and is not told."""
        new = [node for node in dict.fromkeys(nodes) if node[0] == "<" and node not in self._known][:MOST_PARTS]
        self._known.update(new)
        self._keep((yield from self._teller.of(self._found, new)))

    def _led(self, *terms: str) -> list[str]:
        by = set(map(self._term, terms))
        return list(dict.fromkeys(s[2] for s in self._told if s[1] in by and s[2][0] == "<"))

    def _pointing(self, terms: Sequence[str], nodes: Iterable[str]) -> Generator[Question, Answered, list[str]]:
        statements = yield from self._teller.pointing(self._found, terms, islice(nodes, MOST_PARTS))
        return list(dict.fromkeys(s[0] for s in statements))

    def _parts(self) -> Generator[Question, Answered, None]:
        """The components, halls, events and statuses of a thing, the propositions on them, and who says so."""
        thing = self._found.thing
        by = {self._term(name) for name in OF_THE_WHOLE}
        parts = [s[2] for s in self._found.own if s[1] == self._term("hasComponent")] + self._said_parts()
        parts += [s[0] for s in self._found.incoming if s[1] in by]
        yield from self._of(parts)
        parts += yield from self._pointing(OF_THE_WHOLE, [part for part in parts if part != thing])
        yield from self._of(parts)
        about = yield from self._pointing(ON_A_NODE, parts)
        about += [s[2] for s in self._told if s[1] == self._term("proposition")]
        yield from self._of(about)
        yield from self._of((*self._led("basedOnClaim"), *self._led("acceptedFrom")))
        about += self._led("proposition")
        yield from self._of(about)
        sayings = yield from self._pointing(("proposition", "onProposition"), about)
        yield from self._of(sayings)
        named = [s[0] for s in self._found.incoming if s[1] == self._term("concernsPlant")]
        yield from self._of((yield from self._pointing(("inDeal",), named)))
        parties = self._led("party")
        self._keep((yield from self._teller.given(parties, (self._term("basedIn"),))))
        if "Deal" in self._classes:
            yield from self._of((yield from self._pointing(("party",), parties)))

    def _said_parts(self) -> list[str]:
        """Parts of the thing of which only claims speak."""
        said = {s[0] for s in self._told if s[1] == self._term("predicate") and s[2] == self._term("hasComponent")}
        said &= {s[0] for s in self._told if s[1] == self._term("subject") and s[2] == self._found.thing}
        return [s[2] for s in self._told if s[1] == self._term("object") and s[0] in said]

    def _on_claims(self) -> Generator[Question, Answered, None]:
        """What bears on the claims: which contradict, correct or deny each other, whom their words mean; and the other claims."""
        claims = list(dict.fromkeys(s[0] for s in self._told if s[1] == self._term("stance")))
        yield from self._of((yield from self._pointing(ON_CLAIMS, claims)))
        yield from self._of(self._led("fromClaim", "toClaim"))
        yield from self._of(self._led("proposition"))

    def _owners(self) -> list[str]:
        """The documents that own graphs."""
        return list(dict.fromkeys(s[3].replace("/graph/source/", "/source/", 1) for s in self._told if "/graph/source/" in s[3]))

    def _mentioned(self) -> list[str]:
        """The things beside this one, which may have a status."""
        beside = [s[2] for s in self._told if s[2][0] == "<" and s[1] != TYPE]
        return list(dict.fromkeys([*(s[0] for s in self._found.incoming), *beside]))


def counting(thing: str, names: Names, dialect: Dialect) -> Question:
    """How many things of each class point to a thing by each property, as `?s` (the class), `?p` and `?o` (the number).

    What follows by rules from something asserted is left out, but for own properties, and so are the classes that follow.
    """
    inferred, own = f"<{names.graph('inferred')}>", names.term("")
    pointing = f'GRAPH ?k {{ ?x ?p {thing} }} FILTER(?k != {inferred} || STRSTARTS(STR(?p), "{own}"))'
    kind = f"GRAPH ?h {{ ?x a ?class }} FILTER(?h != {inferred})"
    if not dialect.is_union:
        pointing = f"{{ {pointing} }} UNION {{ ?x ?p {thing} }}"
        kind = f"{{ {kind} }} UNION {{ ?x a ?class }}"
    where = (
        f"{{ SELECT ?p ?class (COUNT(DISTINCT ?x) AS ?o) {{ {{ {pointing} }} OPTIONAL {{ {kind} }} }} GROUP BY ?p ?class"
        f" ORDER BY DESC(?o) ?p ?class }} BIND(COALESCE(?class, {ANYTHING}) AS ?s)"
    )
    return Question(where, MOST_GROUPS)


def plants(names: Names, dialect: Dialect) -> Question:
    """Where all plants are, in which country and state, whose, and what they are called; the same for every thing."""
    wanted = (LATITUDE, LONGITUDE, *(f"<{names.term(name)}>" for name in ("country", "plantStatus", "owner", "operator")))
    given = " ".join((*wanted, "<http://www.w3.org/2004/02/skos/core#prefLabel>"))
    kind = dialect.holds("?s", TYPE, f"<{names.term('Plant')}>", "?j")
    return Question(f"{kind} VALUES ?p {{ {given} }} {dialect.told()}", kept="plants")


ANYTHING = "<http://www.w3.org/2000/01/rdf-schema#Resource>"
