"""The parameters of the questions: what their node shapes say of each, and which values of it a client may give."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pyoxigraph as ox

from motorgraph.vocab import DCTERMS, RDF, SH, XSD

Term = ox.NamedNode | ox.Literal
Object = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Node = ox.NamedNode | ox.BlankNode
MOST_CHARACTERS = 300
MOST_VALUES = 50
QUDT = "http://qudt.org/schema/qudt/"
PERCENT = "http://qudt.org/vocab/unit/PERCENT"
DATE, DECIMAL, STRING = f"{XSD}date", f"{XSD}decimal", f"{XSD}string"
_WORDS = {DATE: "a day, such as 2026-11-22", DECIMAL: "a number, such as 20", STRING: "a text"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable of a question that a client may set.

    Its values are things of the `kinds` (the parts of their IRIs that say it, such as `organization` or `concept/propulsion`),
    or literals of the `datatype`; where there are `choices`, it is one of these. `least` and `most` bound numbers. One that
    `is_optional` narrows a question only where it is given.
    """

    name: str
    label: str
    description: str
    kinds: tuple[str, ...] = ()
    datatype: str = ""
    choices: tuple[Term, ...] = ()
    is_list: bool = False
    is_optional: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
    pattern: str = ""

    @property
    def is_date(self) -> bool:
        """Whether its values are days."""
        return self.datatype == DATE

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.datatype == DECIMAL

    @property
    def wanted(self) -> str:
        """What a value of it is, in words."""
        if self.choices:
            return "one of " + ", ".join(short(term.value) for term in self.choices)
        if self.kinds:
            return " or ".join(f"a thing of the kind {kind.rpartition('/')[2]}" for kind in self.kinds)
        bounds = [f"{word} {bound}" for word, bound in (("from", self.least), ("to", self.most)) if bound is not None]
        shape = f"of the form {self.pattern}" if self.pattern else ""
        return " ".join(part for part in (_WORDS[self.datatype], *bounds, shape) if part)

    def literal(self, text: str) -> ox.Literal | None:
        """The literal that a text stands for, None if it stands for none that fits."""
        fits = {DATE: _is_date, DECIMAL: self._is_in_bounds, STRING: self._is_of_pattern}[self.datatype](text)
        return ox.Literal(text, datatype=ox.NamedNode(self.datatype)) if fits else None

    def candidates(self, text: str, base: str) -> list[str]:
        """The IRIs that a text may stand for as a name: in full, `kind/slug`, `kind:slug`, or a slug; the likeliest first.

        Only those of the right kinds; that there are such things is not said.
        """
        spaces = [space(kind, base) for kind in self.kinds]
        tail = text.replace(":", "/", 1) if "://" not in text else ""
        found = [text, *(base + root + tail for root in ("/id/", "/", "/concept/") if "/" in tail), *(s + text for s in spaces)]
        return [iri for iri in dict.fromkeys(found) if self.takes(iri, base) and _is_iri(iri)]

    def takes(self, iri: str, base: str) -> bool:
        """Whether an IRI is of one of the kinds, and one of the choices if there are any."""
        rests = [iri[len(start) :] for start in (space(kind, base) for kind in self.kinds) if iri.startswith(start)]
        is_of_kind = any(rest and "/" not in rest for rest in rests)
        return is_of_kind and (not self.choices or iri in {term.value for term in self.choices})

    def _is_in_bounds(self, text: str) -> bool:
        if re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text, re.ASCII) is None:
            return False
        number = Decimal(text)
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)

    def _is_of_pattern(self, text: str) -> bool:
        return bool(re.search(self.pattern, text))


@dataclass(frozen=True, slots=True)
class Column:
    """What is said of the columns of one name: the label, whether its numbers are per cent, and what a cell without a value means
    ("": that nothing is recorded)."""

    label: str
    is_percent: bool
    absent: str = ""


@dataclass(frozen=True)
class Shapes:
    """What the file of shapes says: of each question, by its slug, the subject, the words with places for values, and the
    parameters; of columns by name."""

    subjects: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, tuple[Parameter, ...]] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def read(cls, turtle: str) -> Shapes:
        """The shapes in a text."""
        told = _Told(turtle)
        questions = told.subjects(f"{RDF}type", ox.NamedNode(f"{SH}NodeShape"))
        columns = [node for node in told.nodes if "/questions/column/" in node.value]
        return cls(
            {last(node): told.text(node, f"{DCTERMS}subject") for node in questions},
            {last(node): told.text(node, f"{SH}labelTemplate") for node in questions},
            {last(node): tuple(_parameter(told, each) for each in told.named(node, f"{SH}property")) for node in questions},
            {last(node): _column(told, node) for node in columns},
        )


class _Told:
    """The triples of a text, by subject and predicate in the order in which they are written."""

    def __init__(self, turtle: str) -> None:
        self._objects: dict[tuple[Node, str], list[Object]] = defaultdict(list)
        for quad in ox.parse(turtle.encode(), format=ox.RdfFormat.TURTLE):
            assert not isinstance(quad.subject, ox.Triple)
            self._objects[quad.subject, quad.predicate.value].append(quad.object)
        self.nodes = list(dict.fromkeys(node for node, _ in self._objects))
        self.kind = next((predicate for _, predicate in self._objects if predicate.endswith("/ontology/kind")), "")

    def subjects(self, predicate: str, value: Object) -> list[Node]:
        """The nodes that have a value."""
        return [node for node in self.nodes if value in self.objects(node, predicate)]

    def objects(self, node: Node, predicate: str) -> Sequence[Object]:
        """The values of a node."""
        return self._objects.get((node, predicate), ())

    def named(self, node: Node, predicate: str) -> list[Node]:
        """Those of its values that are nodes."""
        return [found for found in self.objects(node, predicate) if isinstance(found, ox.NamedNode | ox.BlankNode)]

    def texts(self, node: Node, predicate: str) -> list[str]:
        """The values of a node as texts."""
        return [found.value for found in self.objects(node, predicate) if not isinstance(found, ox.Triple)]

    def text(self, node: Node, predicate: str) -> str:
        """The first of these, "" if there is none."""
        return next(iter(self.texts(node, predicate)), "")

    def members(self, node: Node, predicate: str) -> list[Term]:
        """The members of a list."""
        found: list[Term] = []
        rest = self.named(node, predicate)
        while rest and rest[0].value != f"{RDF}nil":
            found += [m for m in self.objects(rest[0], f"{RDF}first") if isinstance(m, ox.NamedNode | ox.Literal)]
            rest = self.named(rest[0], f"{RDF}rest")
        return found


def _parameter(told: _Told, node: Node) -> Parameter:
    least, most = (told.text(node, f"{SH}{bound}Inclusive") for bound in ("min", "max"))
    return Parameter(
        name=last(told.named(node, f"{SH}path")[0]),
        label=told.text(node, f"{SH}name"),
        description=told.text(node, f"{SH}description"),
        kinds=tuple(told.texts(node, told.kind)),
        datatype=told.text(node, f"{SH}datatype"),
        choices=tuple(told.members(node, f"{SH}in")),
        is_list=not told.text(node, f"{SH}maxCount"),
        is_optional=not told.text(node, f"{SH}minCount"),
        least=Decimal(least) if least else None,
        most=Decimal(most) if most else None,
        pattern=told.text(node, f"{SH}pattern"),
    )


def _column(told: _Told, node: Node) -> Column:
    is_percent = told.text(node, f"{QUDT}hasUnit") == PERCENT
    return Column(told.text(node, f"{SH}name"), is_percent, told.text(node, f"{SH}defaultValue"))


def space(kind: str, base: str) -> str:
    """What the IRIs of the things of a kind begin with."""
    return f"{base}/{kind}/" if kind.startswith(("concept/", "source")) else f"{base}/id/{kind}/"


def last(node: Node) -> str:
    """The last part of an IRI."""
    return node.value.rpartition("/")[2]


def short(iri: str) -> str:
    """The last part of a name, which is enough to give a value of one kind."""
    return iri.rpartition("/")[2]


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True
