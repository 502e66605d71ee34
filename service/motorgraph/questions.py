"""The questions that ship: what each asks, in words and in SPARQL, which values it takes, and on what its rows rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product, takewhile
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from motorgraph.parameters import Column, Parameter, Shapes, Term
from motorgraph.resources import asset
from motorgraph.search.likeness import likest_of
from motorgraph.vocab import CANONICAL_BASE, XSD

SHAPES = "parameters.ttl"
_SELECT = re.compile(r"^SELECT (?P<distinct>DISTINCT )?(?P<columns>.*?)\n(?=WHERE)", re.DOTALL | re.MULTILINE)
_COLUMN = re.compile(r"\([^\n]*? AS \?(\w+)\)|\?(\w+)")
_CLAUSE = re.compile(r"VALUES\s*(?P<many>\()?(?P<names>(?:\s*\?\w+)+)\s*\)?\s*\{(?P<rows>[^{}]*)\}")
_TERM = re.compile(
    r'<(?P<iri>[^>]*)>|"(?P<text>[^"]*)"(?:\^\^(?P<datatype>[\w-]+:[\w-]+))?|(?P<name>[\w-]*:[\w.-]*[\w-])|(?P<number>\d+(?:\.\d+)?)'
)
_PREFIX = re.compile(r"^PREFIX ([\w-]*): <([^>]*)>", re.MULTILINE)
_RESTS = re.compile(r"^# Rests on: (.*?)\.$", re.MULTILINE)
_NOTES = re.compile(r"^(?:Parameters?: .*?[.)]$|Rests on: .*?$)", re.DOTALL | re.MULTILINE)
_PLACE = re.compile(r"\{\?(\w+)\}")
_PART = re.compile(r"\[([^\[\]|]*)\|?([^\[\]]*)\]")
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z0-9])")

Values = Mapping[str, Sequence[Term]]


@dataclass(frozen=True)
class Question:
    """A question: its file's name, its words, its text; of its shape the subject, the words with places, the parameters."""

    name: str
    words: str
    text: str
    subject: str = ""
    template: str = ""
    parameters: tuple[Parameter, ...] = ()
    told: Mapping[str, Column] | None = None

    @classmethod
    def of(cls, path: Path, base: str, shapes: Shapes | None = None) -> Question:
        """The question in a file, written for a base; its words are the first paragraph of the comment that it opens with."""
        text = path.read_text("utf-8").strip().replace(CANONICAL_BASE, base)
        comment = takewhile(lambda line: line.startswith("# "), text.splitlines())
        words = " ".join(line.removeprefix("# ").strip() for line in comment)
        if shapes is None:
            return cls(path.stem, words, text)
        slug = path.stem.partition("-")[2]
        subject, template = shapes.subjects.get(slug, ""), shapes.templates.get(slug, "")
        return cls(path.stem, words, text, subject, template, shapes.parameters.get(slug, ()), shapes.columns)

    @property
    def number(self) -> str:
        """What its file's name begins with."""
        return self.name.partition("-")[0]

    @property
    def slug(self) -> str:
        """Its name without the number."""
        return self.name.partition("-")[2]

    @property
    def page(self) -> str:
        """Where it is answered."""
        return f"/questions/{self.slug}"

    @property
    def link(self) -> str:
        """Where its text is run as any query is."""
        return "/sparql?query=" + quote(self.text)

    @cached_property
    def reason(self) -> str:
        """Why its answer is right, as its comment says; what that says of parameters and grounds is shown otherwise."""
        comment = "\n".join(line.removeprefix("#").strip() for line in takewhile(_is_comment, self.text.splitlines()))
        told = _NOTES.sub("", comment.partition("\n\n")[2].replace("\n\n", "\n") + "\n")
        return " ".join(told.split())

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(one or other for one, other in _COLUMN.findall(self._select["columns"]))

    @cached_property
    def things(self) -> dict[str, str]:
        """By column the variable that holds the thing which the column names: `?thePlant` for `?plant`."""
        named = {column: f"the{column[:1].upper()}{column[1:]}" for column in self.columns}
        return {column: name for column, name in named.items() if re.search(rf"\?{name}\b", self.text)}

    @cached_property
    def rests_on(self) -> tuple[str, ...]:
        """The variables whose values, statements or lists of such, are the grounds of a row."""
        found = _RESTS.search(self.text)
        return tuple(re.findall(r"\?(\w+)", found[1])) if found else ()

    @property
    def is_distinct(self) -> bool:
        """Whether rows that read alike are one."""
        return bool(self._select["distinct"])

    @cached_property
    def defaults(self) -> dict[str, tuple[Term, ...]]:
        """The values that its text has for each parameter."""
        names = {parameter.name for parameter in self.parameters}
        found: dict[str, tuple[Term, ...]] = {}
        for clause in _CLAUSE.finditer(self.text):
            variables = re.findall(r"\w+", clause["names"])
            terms = [self._term(match) for match in _TERM.finditer(clause["rows"])]
            for place, variable in enumerate(variables):
                if variable in names:
                    found[variable] = tuple(dict.fromkeys(terms[place :: len(variables)]))
        return found

    def label(self, column: str) -> str:
        """What the head of a column says."""
        told = (self.told or {}).get(column)
        return (told.label if told else "") or _CAPITALS.sub(" ", column).lower()

    def absent(self, column: str) -> str:
        """What a cell of a column without a value means, "" if only that nothing is recorded."""
        told = (self.told or {}).get(column)
        return told.absent if told else ""

    def is_percent(self, column: str) -> bool:
        """Whether the numbers of a column are per cent."""
        told = (self.told or {}).get(column)
        return bool(told and told.is_percent)

    def worded(self, names: Mapping[str, Sequence[str]]) -> str:
        """Its words with the names of other values in them (`{?company}`), where they name any.

        A part in brackets is said where its values are given, what stands behind a bar in it where they are not.
        """
        template = _PART.sub(lambda part: part[1 if all(map(names.get, _PLACE.findall(part[1]))) else 2], self.template)
        return _PLACE.sub(lambda place: ", ".join(names[place[1]]), template) or self.words

    def asked(self, given: Values) -> str:
        """Its text with these values in its VALUES lines: each combination of those that one line sets."""
        return _CLAUSE.sub(lambda clause: self._clause(clause, given), self.text)

    def sourced(self, given: Values) -> str:
        """As `asked`, with the things that its columns name and the grounds of each row beside the columns."""
        names = [*self.things.values(), *self.rests_on]
        if re.search(r"^GROUP BY", self.text, re.MULTILINE):
            beside = [f"(SAMPLE(?{name}) AS ?a_{name})" for name in self.things.values()]
            beside += [f'(GROUP_CONCAT(DISTINCT STR(?{name}); separator = " ") AS ?z_{name})' for name in self.rests_on]
        else:
            beside = [f"(?{name} AS ?{'z' if name in self.rests_on else 'a'}_{name})" for name in dict.fromkeys(names)]
            beside += [f"(?{name} AS ?a_{name})" for name in self.things.values() if name in self.rests_on]
        return _SELECT.sub(lambda head: f"{head[0].rstrip()} {' '.join(beside)}\n", self.asked(given), count=1)

    @cached_property
    def _select(self) -> re.Match[str]:
        found = _SELECT.search(self.text)
        assert found, self.name
        return found

    @cached_property
    def _prefixes(self) -> dict[str, str]:
        return dict(_PREFIX.findall(self.text))

    def _term(self, match: re.Match[str]) -> Term:
        if match["iri"] is not None:
            return ox.NamedNode(match["iri"])
        if match["name"] is not None:
            return ox.NamedNode(self._expanded(match["name"]))
        if match["number"] is not None:
            kind = "decimal" if "." in match["number"] else "integer"
            return ox.Literal(match["number"], datatype=ox.NamedNode(XSD + kind))
        return ox.Literal(match["text"], datatype=ox.NamedNode(self._expanded(match["datatype"] or "xsd:string")))

    def _expanded(self, name: str) -> str:
        prefix, _, local = name.partition(":")
        return self._prefixes.get(prefix, XSD) + local

    def _clause(self, clause: re.Match[str], given: Values) -> str:
        variables = re.findall(r"\w+", clause["names"])
        if not set(variables) & given.keys():
            return clause[0]
        rows = [" ".join(map(str, row)) for row in product(*(given.get(name) or self.defaults[name] for name in variables))]
        names = " ".join(f"?{name}" for name in variables)
        if len(variables) == 1:
            return f"VALUES {names} {{ {' '.join(rows)} }}"
        return f"VALUES ({names}) {{ {' '.join(f'({row})' for row in rows)} }}"


class Questions:
    """The questions of a service, in the order of their numbers."""

    def __init__(self, found: Iterable[Question], turtle: str = "") -> None:
        self.all = tuple(found)
        self.turtle = turtle
        """The node shapes that describe them."""
        self._by_slug = {question.slug: question for question in self.all}

    @classmethod
    def shipped(cls, base: str) -> Questions:
        """Those of this package, written for a base."""
        folder = asset("ontology") / "questions"
        turtle = (folder / SHAPES).read_text("utf-8").replace(CANONICAL_BASE, base)
        shapes = Shapes.read(turtle)
        return cls((Question.of(path, base, shapes) for path in sorted(folder.glob("*.rq"))), turtle)

    def by_slug(self, slug: str) -> Question | None:
        """The question with a slug."""
        return self._by_slug.get(slug)

    def by_spelling(self, name: str) -> Question | None:
        """The question that another spelling of its name means: with its number, only that, in capitals, with underscores."""
        plain = re.sub(r"[\s_]+", "-", name.strip("/ ").lower())
        return next((q for q in self.all if plain in (q.slug, q.name, q.number, q.number.lstrip("0"))), None)

    def near(self, name: str) -> list[Question]:
        """The questions whose slugs or words are most like a name."""
        likest = likest_of(name, {f"/{q.slug}": q.words for q in self.all})
        return [self._by_slug[slug.removeprefix("/")] for slug in likest]

    def by_subject(self) -> dict[str, list[Question]]:
        """The questions in groups, the groups in alphabetical order."""
        return {subject: [q for q in self.all if q.subject == subject] for subject in sorted({q.subject for q in self.all})}


def _is_comment(line: str) -> bool:
    return line.startswith("#")
