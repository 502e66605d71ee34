"""Findings of the gate for whoever has to mend a text: where each stands, in the graph's own words, and what to write."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from motorgraph.engine.mending import Mender, Spelling
from motorgraph.engine.placing import Placed, Triple, lines_of
from motorgraph.engine.values import Term, kept
from motorgraph.validation import BLANK
from motorgraph.vocab import DCTERMS, RDF, RDFS, SKOS

if TYPE_CHECKING:
    from motorgraph.engine.trial import Judgement
    from motorgraph.gate import Report, Result

NAMES = tuple(ox.NamedNode(iri) for iri in (SKOS + "prefLabel", RDFS + "label", DCTERMS + "title"))
_TYPE = RDF + "type"
_LINE = "line "
Json = dict[str, Any]  # Any: plain JSON


def with_unread(report: Report, found: Placed) -> Report:
    """The report with a violation for each row of a table that is no statement; its `node` is the line."""
    from motorgraph.gate import Result, in_order

    unread = [Result("Violation", row, why, node=f"{_LINE}{line}") for line, (row, why) in found.unread.items()]
    return replace(report, results=in_order([*unread, *report.results])) if unread else report


def counted(report: Report) -> dict[str, int]:
    """How many findings there are of each severity."""
    found = Counter(result.severity for result in report.results)
    return {severity: found[severity] for severity in ("Violation", "Warning", "Info")}


@dataclass(frozen=True, slots=True)
class Scene:
    """What findings are told from: the judgement, the text's statements, and the text."""

    judged: Judgement
    found: Placed
    text: str
    base: str


def told(scene: Scene, most: int) -> list[Json]:
    """The first findings as JSON: as a write tells them, with `labels`, and where they can be told `line`, `column` and `length`
    (from 1, in characters) of what is wrong in the text, and a `suggestion`, see `mending`; its `edits` are to be made all."""
    spelling = Spelling(scene.found.prefixes, scene.base)
    mender = Mender(scene.judged.shapes.graph.in_engine, scene.judged.store, spelling)
    lines = lines_of(scene.text)
    results = [_told(result, scene, mender, lines) for result in scene.judged.report.results[:most]]
    return sorted(results, key=lambda result: (result["severity"] != "Violation", result.get("line", 1 << 40)))


def _told(result: Result, scene: Scene, mender: Mender, lines: list[str]) -> Json:
    value = value_of(result)
    line, triple = _place(result, value, scene.found)
    known: Json = {**result.as_json(), "labels": _labels(result, scene.judged.store)}
    if line:
        known["line"] = line
    if triple is not None and (triple[2] == value or triple[1].value == result.path):
        known |= _within(lines, line, mender.spelling.ways(triple[2] if triple[2] == value else triple[1]))
    suggestion = mender.suggestion(result, value, scene.found)
    if suggestion is not None:
        known["suggestion"] = _with_edits(suggestion, known, lines)
    return known


def _with_edits(suggestion: Json, known: Json, lines: list[str]) -> Json:
    """A suggestion with what to put where, if that can be told: `line`, `column`, `length`, `was` and `text` of each edit."""
    wanted = suggestion.pop("edits", [])
    edits = [edit | _within(lines, edit["line"], edit.pop("spelled")) for edit in wanted]
    if suggestion.pop("instead", False) and "length" in known:
        edits = [{**{name: known[name] for name in ("line", "column", "length")}, "text": suggestion["text"]}]
    if edits and all("length" in edit for edit in edits):
        for edit in edits:
            edit["was"] = lines[edit["line"] - 1][edit["column"] - 1 :][: edit["length"]]
        suggestion["edits"] = edits
    return suggestion


def _within(lines: list[str], line: int, ways: list[str]) -> Json:
    """The place in a line where a term is written, if it is there once; {} if not."""
    if not 1 <= line <= len(lines):
        return {}
    for way in ways:
        places = [place.start() for place in re.finditer(rf"(?<![\w:.-]){re.escape(way)}(?![\w:-])", lines[line - 1])]
        if len(places) == 1:
            return {"column": places[0] + 1, "length": len(way)}
    return {}


def value_of(result: Result) -> Term | None:
    """The value that a finding is about; None for none, or one without a name."""
    if result.language:
        return ox.Literal(result.value, language=result.language)
    if result.datatype:
        return kept(ox.Literal(result.value, datatype=ox.NamedNode(result.datatype)))
    return ox.NamedNode(result.value) if result.value and result.value != BLANK else None


def _place(result: Result, value: Term | None, found: Placed) -> tuple[int, Triple | None]:
    """The line that a finding is about, and what stands there: the value, else the property, else where the node is told of."""
    if result.node.startswith(_LINE):
        return int(result.node.removeprefix(_LINE)), None
    focus = result.node or result.focus
    tries: list[tuple[str | None, Term | None]] = [(result.path, value), (None, value)] if value is not None else []
    tries += [(result.path, None)] if result.path else []
    for predicate, object_ in (*tries, (_TYPE, None), (None, None)):
        here = min(found.of(focus, predicate, object_), key=lambda place: place[0], default=None)
        if here is not None:
            return here
    return 0, None


def _labels(result: Result, store: ox.Store) -> dict[str, str]:
    """What the graph calls the things that a finding names."""
    return {part: name for part in ("focus", "path", "value", "shape") if (name := _name(getattr(result, part), store))}


def _name(iri: str, store: ox.Store) -> str:
    if ":" not in iri or any(character in iri for character in ' <>"'):
        return ""
    for predicate in NAMES:
        found = [quad.object for quad in store.quads_for_pattern(ox.NamedNode(iri), predicate, None, None)]
        texts = sorted(found, key=lambda text: (isinstance(text, ox.Literal) and text.language != "en", str(text)))
        if texts and isinstance(texts[0], ox.Literal):
            return texts[0].value
    return ""
