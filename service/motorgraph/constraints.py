"""What a constraint of a shape asks for, in words, and a property path as SPARQL writes it: for whoever has to mend the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import SH, XSD
from rdflib.term import Node

MOST_LISTED = 20
MOST_CHARACTERS = 500
_SUFFIX = "ConstraintComponent"
_KINDS = {
    SH.IRI: "an IRI",
    SH.BlankNode: "a blank node",
    SH.Literal: "a literal",
    SH.BlankNodeOrIRI: "an IRI or a blank node",
    SH.BlankNodeOrLiteral: "a blank node or a literal",
    SH.IRIOrLiteral: "an IRI or a literal",
}
_REPEATED = ((SH.zeroOrMorePath, "*"), (SH.oneOrMorePath, "+"), (SH.zeroOrOnePath, "?"))


def expected(component: Node | None, shape: Node | None, shapes: Graph) -> str:
    """What would have satisfied a constraint component (`sh:ClassConstraintComponent` …) of a shape; "" if it cannot be said."""
    name = str(component).removeprefix(str(SH)).removesuffix(_SUFFIX)
    if name not in _WORDS or shape is None:
        return ""
    parameter, words = _WORDS[name]
    told = words([*shapes.objects(shape, parameter)], shape, shapes)
    return cut(told, MOST_CHARACTERS)


def cut(text: str, most: int) -> str:
    """The beginning of a text that has more characters."""
    return text if len(text) <= most else text[: most - 2] + " …"


def path_text(path: Node | None, graph: Graph) -> str:
    """A SHACL property path: an IRI alone if it is one predicate, else SPARQL's text for it with all IRIs in full (§9.1)."""
    if isinstance(path, URIRef):
        return str(path)
    return "" if path is None else _path(path, graph)


def _path(path: Node, graph: Graph, *, within: bool = False) -> str:
    if isinstance(path, URIRef):
        return f"<{path}>"
    inverse = graph.value(path, SH.inversePath)
    if inverse is not None:
        return f"^{_path(inverse, graph, within=True)}"
    for predicate, mark in _REPEATED:
        repeated = graph.value(path, predicate)
        if repeated is not None:
            inner = _path(repeated, graph, within=True)
            return f"({inner}){mark}" if inner[0] == "^" or inner[-1] in "*+?" else inner + mark
    choice = graph.value(path, SH.alternativePath)
    parts = [_path(part, graph, within=True) for part in Collection(graph, path if choice is None else choice)]
    text = ("/" if choice is None else "|").join(parts)
    return f"({text})" if within else text


# What each component asks for, from the values of its parameter


def _several(values: Iterable[Node], joined: str = " or ") -> str:
    listed = sorted(_term(value) for value in values)
    more = f" and {len(listed) - MOST_LISTED} more" if len(listed) > MOST_LISTED else ""
    return joined.join(listed[:MOST_LISTED]) + more


def _term(term: Node) -> str:
    """A term as Turtle has it, without the datatype of what can be read without."""
    if isinstance(term, BNode):
        return "a shape without a name"
    if isinstance(term, Literal) and term.datatype in (XSD.integer, XSD.decimal, XSD.boolean, XSD.double):
        return str(term)
    return term.n3()


def _listed(values: Iterable[Node], shapes: Graph) -> list[Node]:
    return [member for value in values for member in Collection(shapes, value)]


Words = Callable[[list[Node], Node, Graph], str]


def _each(text: str, joined: str = " or ") -> Words:
    return lambda values, shape, shapes: text.format(_several(values, joined))


def _count(text: str) -> Words:
    def words(values: list[Node], shape: Node, shapes: Graph) -> str:
        number = _several(values)
        return text.format(number, "" if number == "1" else "s")

    return words


def _closed(values: list[Node], shape: Node, shapes: Graph) -> str:
    ignored = _listed(shapes.objects(shape, SH.ignoredProperties), shapes)
    own = (shapes.value(each, SH.path) for each in shapes.objects(shape, SH.property))
    return f"no properties but {_several({*ignored, *(path for path in own if isinstance(path, URIRef))}, ', ')}"


def _pattern(values: list[Node], shape: Node, shapes: Graph) -> str:
    flags = "".join(str(flag) for flag in shapes.objects(shape, SH.flags))
    return f"a match of the pattern {_several(values)}" + (f" with the flags {flags}" if flags else "")


def _qualified(word: str) -> Words:
    def words(values: list[Node], shape: Node, shapes: Graph) -> str:
        asked = _several(shapes.objects(shape, SH.qualifiedValueShape))
        return f"{word} {_several(values)} of the values to satisfy {asked}"

    return words


_WORDS: dict[str, tuple[URIRef, Words]] = {
    "And": (SH["and"], lambda values, _, shapes: f"all of {_several(_listed(values, shapes), ', ')} to be satisfied"),
    "Class": (SH["class"], _each("an instance of {}", " and of ")),
    "Closed": (SH.closed, _closed),
    "Datatype": (SH.datatype, _each("a literal of the datatype {}, well-formed")),
    "Disjoint": (SH.disjoint, _each("none of the values of {}")),
    "Equals": (SH.equals, _each("the same values as {}")),
    "HasValue": (SH.hasValue, _each("{} among the values", " and ")),
    "In": (SH["in"], lambda values, _, shapes: f"one of {_several(_listed(values, shapes), ', ')}"),
    "LanguageIn": (SH.languageIn, lambda values, _, shapes: f"a text in {_several(_listed(values, shapes))}"),
    "LessThan": (SH.lessThan, _each("less than every value of {}")),
    "LessThanOrEquals": (SH.lessThanOrEquals, _each("at most every value of {}")),
    "MaxCount": (SH.maxCount, _count("at most {} value{}")),
    "MaxExclusive": (SH.maxExclusive, _each("less than {}")),
    "MaxInclusive": (SH.maxInclusive, _each("at most {}")),
    "MaxLength": (SH.maxLength, _count("at most {} character{}")),
    "MinCount": (SH.minCount, _count("at least {} value{}")),
    "MinExclusive": (SH.minExclusive, _each("more than {}")),
    "MinInclusive": (SH.minInclusive, _each("at least {}")),
    "MinLength": (SH.minLength, _count("at least {} character{}")),
    "Node": (SH.node, _each("what satisfies {}", " and ")),
    "NodeKind": (SH.nodeKind, lambda values, *_: " and ".join(_KINDS.get(URIRef(str(v)), _term(v)) for v in values)),
    "Not": (SH["not"], _each("what does not satisfy {}", " nor ")),
    "Or": (SH["or"], lambda values, _, shapes: f"at least one of {_several(_listed(values, shapes), ', ')} to be satisfied"),
    "Pattern": (SH.pattern, _pattern),
    "QualifiedMaxCount": (SH.qualifiedMaxCount, _qualified("at most")),
    "QualifiedMinCount": (SH.qualifiedMinCount, _qualified("at least")),
    "UniqueLang": (SH.uniqueLang, lambda *_: "at most one value for each language"),
    "Xone": (SH.xone, lambda values, _, shapes: f"exactly one of {_several(_listed(values, shapes), ', ')} to be satisfied"),
}

PARAMETERS: dict[URIRef, URIRef] = {SH[name + _SUFFIX]: parameter for name, (parameter, _) in _WORDS.items()}
"""The constraint components that can be said in words, each with the parameter that a shape has it by."""
