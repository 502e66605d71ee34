"""Shapes, graphs and changes of all kinds, thrown with dice: what the property tests of the judgement are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

import pyoxigraph as ox

X = "http://x/"
PREFIXES = """
    @prefix : <http://x/> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
"""
NAMESPACES = """
    :N sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] .
    :N sh:declare [ sh:prefix "rdfs" ; sh:namespace "http://www.w3.org/2000/01/rdf-schema#"^^xsd:anyURI ] .
"""
NODES = [":a", ":b", ":c", ":d", ":f", ":g", "_:e"]
PREDICATES = [":p", ":q", ":r"]
MORE = [*PREDICATES, ":s", ":t"]
LITERALS = ["1", "2", "1.5", '"x"', '"xyz"', '"x"@en', '"y"@en', '"x"@de', '"y"@en-GB', "true"]
RARE = ['"2020-02-03"^^xsd:date', '"2021-01-01"^^xsd:date', '"abc"^^xsd:integer', '"2020-02-30"^^xsd:date', "1e0", '""']
CLASSES = [":C", ":D", ":E"]
BACKDROP = {(":D rdfs:subClassOf :C", 0), (":E rdfs:subClassOf :D", 0)}
THE_BLANK = ox.BlankNode("e")
GRAPHS = [ox.NamedNode(X + "g1"), ox.NamedNode(X + "g2")]
Told = set[tuple[str, int]]
"""Triples in Turtle, and in which graph they stand."""


# Graphs and changes: dense ones, so that much is found and much of it by the change


def statements(dice: Random, count: int) -> Told:
    """So many triples, in one of two graphs."""
    return {(_triple(dice), dice.randrange(2)) for _ in range(count)}


def _triple(dice: Random) -> str:
    if dice.random() < 0.25:
        return f"{dice.choice(NODES)} a {dice.choice(CLASSES)}"
    if dice.random() < 0.02:
        return f"{dice.choice(CLASSES)} rdfs:subClassOf {dice.choice(CLASSES)}"
    objects = RARE if dice.random() < 0.1 else NODES + LITERALS
    return f"{dice.choice(NODES)} {dice.choice([':p', *MORE])} {dice.choice(objects)}"


def quads(told: Told) -> set[ox.Quad]:
    """What is told, as the engine has it: a number has one form."""
    store = ox.Store()
    for text, graph in told:
        for quad in ox.parse(f"{PREFIXES} {text} .", ox.RdfFormat.TURTLE):
            subject, object_ = (THE_BLANK if isinstance(term, ox.BlankNode) else term for term in (quad.subject, quad.object))
            assert not isinstance(subject, ox.Literal)
            store.add(ox.Quad(subject, quad.predicate, object_, GRAPHS[graph]))
    return set(store)


# Paths and constraints


def path(dice: Random, depth: int = 2) -> str:
    """A property path of SHACL, a plain one more often."""
    if depth == 0 or dice.random() < 0.6:
        return dice.choice(PREDICATES)
    kind = dice.choice(["sequence", "choice", "inversePath", "inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"])
    several = " ".join(path(dice, depth - 1) for _ in range(dice.choice([2, 2, 3])))
    if kind == "sequence":
        return f"( {several} )"
    if kind == "choice":
        return f"[ sh:alternativePath ( {several} ) ]"
    return f"[ sh:{kind} {path(dice, depth - 1)} ]"


VALUES = (
    *("sh:datatype xsd:integer", "sh:datatype xsd:string", "sh:datatype rdf:langString", "sh:datatype xsd:date"),
    *("sh:nodeKind sh:IRI", "sh:nodeKind sh:Literal", "sh:nodeKind sh:BlankNodeOrIRI", "sh:nodeKind sh:IRIOrLiteral"),
    *("sh:minInclusive 1", "sh:maxInclusive 1", "sh:minExclusive 1.0", "sh:maxExclusive 2", 'sh:maxInclusive "x"'),
    *('sh:minInclusive "2020-06-01"^^xsd:date', "sh:minLength 2", "sh:maxLength 1", "sh:minLength 0", "sh:maxLength 9"),
    *('sh:pattern "x"', 'sh:pattern "^X" ; sh:flags "i"', 'sh:pattern "^http" , "a$"', 'sh:pattern "\\\\d"'),
    *('sh:languageIn ( "en" )', 'sh:languageIn ( "de" "en-gb" )', 'sh:in ( :a :b 1 "x" )', 'sh:in ( "x"@en 1.5 true :c )'),
    *("sh:class :C", "sh:class :D", "sh:class :C , :E", 'sh:hasValue "x"', "sh:hasValue :a", "sh:hasValue 1 , :b"),
    *("sh:equals :p", "sh:equals :q", "sh:disjoint :r", "sh:disjoint :p , :q"),
)
OF_PROPERTIES = (
    *("sh:minCount 1", "sh:minCount 2", "sh:maxCount 1", "sh:maxCount 0", "sh:minCount 1 ; sh:maxCount 1"),
    *("sh:uniqueLang true", "sh:lessThan :q", "sh:lessThanOrEquals :r", "sh:lessThan :p , :q"),
)
CLOSED = (
    *("sh:closed true", "sh:closed true ; sh:ignoredProperties ( :p rdf:type )", "sh:closed false"),
    "sh:closed true ; sh:ignoredProperties ( rdf:type :p :q :r :s )",
)
SEVERITIES = ("Violation", "Violation", "Violation", "Warning", "Info")
SHACL_WORD = re.compile(r"sh:[a-z]\w+")
SHARED = (":T0", ":T1")
"""Node shapes without targets, which others name."""


class Maker:
    """Makes the parts of shapes; every message is another one."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._count = dice.randrange(1_000_000)

    def constraints(self, depth: int, *, of_property: bool) -> str:
        """One or two constraints of a shape."""
        told: dict[frozenset[str], str] = {}
        for _ in range(self._dice.choice([1, 1, 2])):
            text = self._constraint(depth, of_property)
            words = frozenset(SHACL_WORD.findall(text if text[-1] not in "])" else text.split()[0]))
            if not any(words & known for known in told):  # most may be said once only
                told[words] = text
        return " ; ".join(told.values())

    def _constraint(self, depth: int, of_property: bool) -> str:
        dice = self._dice
        if depth == 0 or dice.random() < 0.35:
            return dice.choice([*VALUES, *OF_PROPERTIES * 3] if of_property else [*VALUES, *CLOSED * 2])
        kind = dice.choice(
            ["property", "property", "property", "node", "not", "and", "or", "xone", "qualified", "shared", "sparql"]
        )
        if kind == "property":
            return f"sh:property {self.property(depth - 1)}"
        if kind in ("node", "not"):
            return f"sh:{kind} {self._inner(depth - 1, is_node=kind == 'node')}"
        if kind in ("and", "or", "xone"):
            return f"sh:{kind} ( {' '.join(self._inner(depth - 1) for _ in range(dice.choice([1, 2, 2, 3])))} )"
        if kind == "shared":
            return f"sh:{dice.choice(['node', 'node', 'not'])} {dice.choice(SHARED)}"
        if kind == "sparql":
            return sparql(query(dice, "$PATH" if of_property else None))
        return self._qualified(depth) if of_property else f"sh:property {self._two_qualified(depth)}"

    def property(self, depth: int) -> str:
        """A property shape without a name."""
        told = self.constraints(depth, of_property=True)
        return f"[ sh:path {path(self._dice)} ; {self.words()} ; {told} ]"

    def words(self) -> str:
        """What a shape says of itself: a message, a severity, seldom that it is switched off."""
        self._count += 1
        off = " ; sh:deactivated true" if self._dice.random() < 0.03 else ""
        return f'sh:message "m{self._count}" ; sh:severity sh:{self._dice.choice(SEVERITIES)}{off}'

    def _inner(self, depth: int, *, is_node: bool = False) -> str:
        dice = self._dice
        if dice.random() < 0.1:
            return dice.choice(SHARED)
        if not is_node and dice.random() < 0.3:
            return self.property(depth)
        severity = " ; sh:severity sh:Warning" if dice.random() < 0.1 else ""
        return f"[ {self.constraints(depth, of_property=False)}{severity} ]"

    def _qualified(self, depth: int) -> str:
        dice = self._dice
        bounds = dice.choice(
            ["sh:qualifiedMinCount 1", "sh:qualifiedMaxCount 1", "sh:qualifiedMinCount 1 ; sh:qualifiedMaxCount 2"]
        )
        apart = " ; sh:qualifiedValueShapesDisjoint true" if dice.random() < 0.5 else ""
        return f"sh:qualifiedValueShape {self._inner(depth - 1)} ; {bounds}{apart}"

    def _two_qualified(self, depth: int) -> str:
        way = path(self._dice)
        return " , ".join(f"[ sh:path {way} ; {self.words()} ; {self._qualified(depth)} ]" for _ in range(2))


# Queries

WAYS = (*MORE, *MORE, "a", "^:p", ":p/:q", ":q+", ":p|:r", ":p*", "a/rdfs:subClassOf*")
FILTERS = (  # terms that SPARQL cannot compare are not: rdflib puts them in an order, so that "y"@en > 1 is true
    *(
        "isNumeric(?x) && ?x > 1",
        "?x = 1",
        '?x = "x"',
        "?x != :a",
        "isIRI(?x)",
        "isLiteral(?x)",
        '"lang" = "lang" && lang(?x) = "en"',
    ),
    *('REGEX(STR(?x), "x")', "$this != ?x", "?x IN (:a, 1)", 'CONTAINS(STR(?x), "y")', "BOUND(?x)", "STRLEN(STR(?x)) > 2"),
)


def _patterns(dice: Random, starts: Sequence[str], ends: Sequence[str]) -> str:
    """A triple pattern or two that hang together and begin with one of the first names."""
    start, end = dice.choice(starts), dice.choice(ends)
    text = f"{start} {dice.choice(WAYS)} {end} ."
    if dice.random() < 0.5 and end[0] in "?$":
        further = dice.choice([*ends, ":a", "1"])
        turn = dice.random() < 0.5 and further != "1"
        way = dice.choice(WAYS)
        text += f" {further} {way} {end} ." if turn else f" {end} {way} {further} ."
    return text


def query(dice: Random, way: str | None = None) -> str:
    """The text of a SPARQL constraint; `way` is a predicate that it begins with."""
    text = f"$this {way or ':p'} ?x ." if way or dice.random() < 0.7 else _patterns(dice, ["$this"], ["?value", "?x"])
    names = [name for name in ("$this", "?value", "?x") if name in text]
    for _ in range(dice.choice([0, 1, 1, 1, 2])):
        text += _more(dice, names)
    where = "WHERE " if dice.random() < 0.9 else ""
    if dice.random() < 0.9:
        chosen = "$this (?x AS ?value)" if "?x" in names and "?value" not in text and dice.random() < 0.4 else "$this"
        return f"SELECT DISTINCT {chosen} {where}{{ {text} }}"
    return f"SELECT $this {where}{{ {text} }} GROUP BY $this HAVING(COUNT(*) > 1)"


def _more(dice: Random, names: list[str]) -> str:
    inner = _patterns(dice, names, ["?z", "?y", "?value", "$this", ":a", "1"])
    kind = dice.choice(["OPTIONAL", "FILTER EXISTS", "FILTER NOT EXISTS", "FILTER NOT EXISTS", "UNION", "deep", "filter", "bind"])
    if kind == "deep":
        deep = _patterns(dice, ["?z", *names], ["?w", "?y", "$this"])
        return f" FILTER NOT EXISTS {{ {inner} FILTER NOT EXISTS {{ {deep} }} }}"
    if kind == "UNION":
        return f" {{ {inner} }} UNION {{ {_patterns(dice, ['$this'], ['?value', '?z'])} }}"
    if kind == "filter":
        return f" FILTER({dice.choice(FILTERS)})"
    if kind == "bind":
        return f" BIND(STR($this) AS ?name{dice.randrange(1000)})"
    return f" {kind} {{ {inner} }}"


def sparql(text: str) -> str:
    """A SPARQL constraint."""
    told = text.replace('"', '\\"')
    return f'sh:sparql [ sh:prefixes :N ; sh:select "{told}" ]'


# Shapes

TARGETS = (
    *("sh:targetClass :C", "sh:targetClass :D", "sh:targetNode :a", "sh:targetObjectsOf :q", "sh:targetSubjectsOf :p"),
    *("sh:targetNode :a , :b , :nowhere", "sh:targetNode 1 , :c", "sh:targetSubjectsOf :r ; sh:targetClass :E"),
)


def shape(dice: Random, name: str) -> str:
    """A shape with targets, in Turtle: a node shape, seldom one that is a class or a property shape."""
    maker = Maker(dice)
    kind = dice.random()
    if kind < 0.1:
        told = maker.constraints(1, of_property=True)
        return f":{name} a sh:PropertyShape ; sh:path {path(dice)} ; {dice.choice(TARGETS)} ; {maker.words()} ; {told} ."
    told = maker.constraints(2, of_property=False)
    if kind < 0.3 and name == "S2":
        return f":D a sh:NodeShape , rdfs:Class ; {maker.words()} ; {told} ."
    again = f" ; sh:property [ sh:path :q ; sh:node :{name} ; {maker.words()} ]" if kind > 0.95 else ""
    return f":{name} a sh:NodeShape ; {dice.choice(TARGETS)} ; {maker.words()} ; {told}{again} ."


def shared(dice: Random, name: str) -> str:
    """A node shape without targets."""
    return f"{name} a sh:NodeShape ; {Maker(dice).constraints(1, of_property=False)} ."


def parts(dice: Random, count: int = 3) -> dict[str, str]:
    """The parts of a graph of shapes by their names, each in Turtle."""
    return {
        "prefixes": NAMESPACES,
        **{name: shared(dice, name) for name in SHARED},
        **{f"S{i}": shape(dice, f"S{i}") for i in range(count)},
    }


def shape_quads(text: str, graph: ox.NamedNode) -> set[ox.Quad]:
    """The quads of shapes; each time with other blank nodes."""
    found: Iterator[ox.Quad] = ox.parse(PREFIXES + text, ox.RdfFormat.TURTLE, rename_blank_nodes=True)
    return {ox.Quad(q.subject, q.predicate, q.object, graph) for q in found}
