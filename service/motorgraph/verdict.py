"""A verdict on a text as people read it: line by line with the findings beside them, and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson

from motorgraph.engine.placing import lines_of
from motorgraph.links import Links
from motorgraph.marks import Mark

MARKS = {
    "Violation": Mark("denied", "Violation"),
    "Warning": Mark("warning", "Warning"),
    "Info": Mark("nocomment", "Info"),
}
SYNTAX = Mark("denied", "Syntax error")
KINDS = {"Violation": "bad", "Warning": "iffy", "Info": "info"}
AROUND = 4
FOLDED_FROM = 16
MOST_LINES = 1_500
MOST_LINE = 400
_PIECES = re.compile(
    r"""(?P<com>(?<![\w:<])\#[^\n]*)|(?P<str>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(?P<iri><[^<>\s]*>)"""
    r"""|(?P<k>@(?:prefix|base)\b|\b(?:PREFIX|BASE|GRAPH)\b|(?<=\s)a(?=\s))|(?P<name>[A-Za-z][\w-]*:[\w./-]*)"""
)
Json = Mapping[str, Any]  # Any: plain JSON
Words = str
"""A text, or one with links in it (`Markup`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some letters of a line, what they are (a class of the stylesheet), and whether they are wrong, and how gravely."""

    text: str
    kind: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the text with its number."""

    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, in the graph's own words: `title` is the name of the shape, `mend` the edits as a button sends them."""

    mark: Mark
    title: Words
    message: Words
    focus: Words
    found: str = ""
    expected: Words = ""
    words: str = ""
    right: str = ""
    mend: str = ""
    near: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that stand together, with what is found there; `is_folded` if there is nothing and they are many."""

    lines: tuple[Line, ...]
    findings: tuple[Finding, ...] = ()
    kind: str = ""
    is_folded: bool = False
    left_out: int = 0


@dataclass(frozen=True)
class Sheet:
    """All that the page shows of a verdict."""

    told: Json
    rows: Sequence[Row]
    elsewhere: Sequence[Finding]
    fault: Json = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The verdict in a few words."""
        if self.fault:
            return "Cannot be read."
        warnings = self.told["counts"]["Warning"]
        if not self.told["conforms"]:
            return "Would be refused."
        return f"Would be accepted, with {_number(warnings, 'warning')}." if warnings else "Would be accepted."

    @property
    def counts(self) -> list[tuple[Mark, str]]:
        """How many findings there are of each severity, in words."""
        counted = self.told.get("counts", {})
        return [(MARKS[name], _number(counted[name], name.lower())) for name in MARKS if counted.get(name)]

    @property
    def beside(self) -> str:
        """By what and beside what the text was judged."""
        if self.fault:
            return ""
        by = "By the shapes that were sent" if self.told["shapes"] == "given" else "By the shapes of the graph"
        graphs = self.told["beside"]
        names = " and ".join(iri.rpartition("/")[2] for iri in graphs)
        where = "as if it were in the graph" if graphs == ["*"] else f"beside {names} alone" if graphs else "by itself"
        return f"{by}, {where}: {_number(self.told['statements'], 'statement')}."


def sheet(told: Json, links: Links) -> Sheet:
    """What the page shows of what a trial has told."""
    lines = lines_of(told["text"])
    fault = told.get("fault", {})
    at: dict[int, list[Json]] = {}
    elsewhere = []
    if fault.get("line"):
        at[fault["line"]] = [_of_fault(fault)]
    for result in told.get("results", ()):
        if 1 <= result.get("line", 0) <= len(lines):
            at.setdefault(result["line"], []).append(result)
        else:
            elsewhere.append(_finding(result, links))
    return Sheet(told, list(_rows(lines, at, links)), elsewhere, fault)


def _of_fault(fault: Json) -> Json:
    """A fault of the syntax as a finding."""
    empty = dict.fromkeys(("focus", "expected", "value", "shape"), "")
    return {"severity": "Violation", "message": fault["detail"], "labels": {}, "is_fault": True, "line": fault["line"], **empty}


def _rows(lines: Sequence[str], at: Mapping[int, list[Json]], links: Links) -> Iterator[Row]:
    """The lines with findings, each by itself; what lies between together, folded where it is long."""
    shown = 0
    start = 1
    for number in (*sorted(at), len(lines) + 1):
        for row in _between(lines, start, number, at_end=number > len(lines)):
            shown += len(row.lines)
            yield row if shown <= MOST_LINES or not row.is_folded else Row((), is_folded=True, left_out=len(row.lines))
        if number <= len(lines):
            results = at[number]
            gravest = min((result["severity"] for result in results), key=tuple(MARKS).index)
            findings = tuple(_finding(result, links) for result in results)
            yield Row((_line(lines, number, results),), findings, KINDS[gravest])
        start = number + 1


def _between(lines: Sequence[str], start: int, end: int, *, at_end: bool) -> Iterator[Row]:
    """The rows of the lines from `start` to before `end`."""
    numbers = range(start, end)
    if len(numbers) < FOLDED_FROM:
        if numbers:
            yield Row(tuple(_line(lines, number) for number in numbers))
        return
    before, after = (AROUND if start > 1 else 0), (0 if at_end else AROUND)
    pieces = [numbers[:before], numbers[before : len(numbers) - after], numbers[len(numbers) - after :]]
    for place, piece in enumerate(pieces):
        if piece:
            yield Row(tuple(_line(lines, number) for number in piece), is_folded=place == 1)


def _line(lines: Sequence[str], number: int, results: Sequence[Json] = ()) -> Line:
    text = lines[number - 1]
    cut = text if len(text) <= MOST_LINE else text[:MOST_LINE] + " …"
    marks = [(r["column"] - 1, r["column"] - 1 + r["length"], r["severity"]) for r in results if "length" in r]
    return Line(number, tuple(_pieces(cut, sorted(marks))))


def _pieces(text: str, marks: Sequence[tuple[int, int, str]]) -> Iterator[Piece]:
    """The text cut where its colour or what is wrong with it changes."""
    kinds = [(place.start(), place.end(), str(place.lastgroup)) for place in _PIECES.finditer(text)]
    cuts = sorted({0, len(text), *(min(end, len(text)) for start, stop, _ in (*kinds, *marks) for end in (start, stop))})
    for start, end in pairwise(cuts):
        kind = next((kind for first, last, kind in kinds if first <= start and end <= last), "")
        wrong = next((KINDS[severity] for first, last, severity in marks if first <= start and end <= last), "")
        yield Piece(text[start:end], kind, wrong)


def _finding(result: Json, links: Links) -> Finding:
    labels, suggestion = result["labels"], result.get("suggestion", {})
    shape = result["shape"]
    title = labels.get("shape", "") or shape
    focus = labels.get("focus", "")
    near = suggestion.get("near", ())[1:]
    return Finding(
        SYNTAX if result.get("is_fault") else MARKS[result["severity"]],
        links.named(shape, title) if shape and title else title,
        links.text(result["message"]),
        links.named(result["focus"], focus) if focus else "" if "line" in result else links.to(result["focus"]),
        "" if "length" in result else _value(result),
        links.text(result["expected"]),
        suggestion.get("words", ""),
        suggestion.get("text", ""),
        orjson.dumps(suggestion["edits"]).decode() if "edits" in suggestion else "",
        tuple(links.to(iri) for iri in near),
    )


def _value(result: Json) -> str:
    label = result["labels"].get("value", "")
    return f"{label} ({result['value']})" if label else result["value"]


def findings_of(results: Sequence[Json], links: Links) -> list[Finding]:
    """Findings that are not told beside the lines of a text."""
    return [_finding({"labels": {}, **result}, links) for result in results]


def as_text(told: Json) -> str:
    """The report as plain text, a finding after the other."""
    said = []
    for result in told["results"]:
        place = f"line {result['line']}: " if "line" in result else ""
        said.append(f"{place}{result['severity']}: {result['focus']} {result['path']}".rstrip())
        said.append(f"    {result['message']}")
        said += [f"    {name}: {result[key]}" for name, key in (("found", "value"), ("expected", "expected")) if result[key]]
        if "suggestion" in result:
            said.append(f"    {result['suggestion']['words']}: {result['suggestion']['text']}")
    counts = told["counts"]
    number = ", ".join(_number(counts[name], name.lower()) for name in MARKS)
    return "\n".join([*said, f"{'Would be accepted' if told['conforms'] else 'Would be refused'}: {number}.", ""])


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
