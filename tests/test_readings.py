"""What has been read out of rules and constraints is kept from one start to the next, and is what would be read again."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib.plugins.sparql import prepareQuery

from motorgraph import faults
from motorgraph.change import judge_change
from motorgraph.consequences import Outcomes
from motorgraph.engine.draft import Known
from motorgraph.engine.loading import merge
from motorgraph.focus import sight
from motorgraph.inference import Rule, shipped_rules
from motorgraph.notes import Notes
from motorgraph.reach import Hop, Look
from motorgraph.readings import Readings, made, told
from motorgraph.shapes import Shapes
from motorgraph.vocab import Names

GRAPH, SHAPES_GRAPH = ox.NamedNode("http://x/g"), ox.NamedNode("http://x/shapes")
SHAPES = """
    @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix : <http://x/> .
    :S a sh:NodeShape ; sh:targetClass :Car ; sh:sparql [ sh:severity sh:Warning ; sh:message "Late." ;
        sh:select "SELECT $this WHERE { $this <http://x/built> ?year . FILTER(?year > 2030) }" ] .
"""
RULE = Rule(
    "r", 'CONSTRUCT { ?s <a:q> ?o } WHERE { GRAPH ?g { ?s <a:p> ?o } VALUES ?g { <a:g> } FILTER(?o != "é"@fr) }', "a:made"
)


def never() -> object:
    raise AssertionError("it was read again")


def store() -> ox.Store:
    found = ox.Store()
    found.load(SHAPES, ox.RdfFormat.TURTLE, to_graph=SHAPES_GRAPH)
    merge(found)
    return found


def test_what_is_read_out_of_each_rule_is_the_same_after_it_has_been_json() -> None:
    for rule in shipped_rules(Names()):
        read = sight(prepareQuery(rule.text), in_part=not rule.runs_again)
        assert read.looks
        assert made(json.loads(json.dumps(told(read)))) == read


def test_terms_stay_what_they_are() -> None:
    terms = [ox.Literal("é", language="fr"), ox.Literal("1", datatype=ox.NamedNode("http://x/t")), ox.Literal("a"), None]
    looks = tuple(Look(ox.NamedNode("http://x/s"), Hop(None).predicate, term, ()) for term in terms)
    assert made(json.loads(json.dumps(told(looks)))) == looks


def test_a_start_that_has_notes_parses_nothing_and_finds_the_same(tmp_path: Path) -> None:
    first, then = Readings(Notes(tmp_path / "notes")), None
    outcomes, shapes = Outcomes.of([RULE], ox.Store(), first), Shapes.of(store(), SHAPES_GRAPH.value, (), first)
    assert outcomes.sights[RULE].focus is not None
    assert list(shapes.prepared) == list(shapes.questions)
    first.keep()
    then = Readings(Notes(tmp_path / "notes"))
    assert Outcomes.of([RULE], ox.Store(), then).sights == outcomes.sights
    again = Shapes.of(store(), SHAPES_GRAPH.value, (), then)
    faults.require_none(again.graph, again.parsed, then)
    assert not again.prepared
    assert [watch.questions for watch in again.watches] == [watch.questions for watch in shapes.watches]


def test_a_constraint_that_a_draft_has_to_ask_is_named_for_the_next(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    Shapes.of(store(), SHAPES_GRAPH.value, (), first := Readings(notes))
    first.keep()
    graph = store()
    shapes = Shapes.of(graph, SHAPES_GRAPH.value, (), Readings(notes))
    known = Known(shapes=shapes)
    assert known.asked == []
    added = list(ox.parse("<http://x/c> a <http://x/Car> ; <http://x/built> 2031 .", ox.RdfFormat.TURTLE))
    quads = [ox.Quad(q.subject, q.predicate, q.object, GRAPH) for q in added]
    graph.extend([*quads, *added])
    assert [result.message for result in judge_change(graph, shapes, [], quads).results] == ["Late."]
    assert known.asked == list(shapes.questions)
    assert Known(shapes=shapes, prepared=frozenset(shapes.prepared)).asked == []


def test_a_text_with_another_word_is_read_anew_and_declarations_may_stand_in_any_order() -> None:
    readings, one, other = Readings(), "PREFIX a: <http://a/>", "PREFIX b: <http://b/>"
    assert readings.of(f"{one}\n{other}\nASK {{}}", {}, lambda: True) is True
    assert readings.of(f"{other}\n{one}\nASK {{}}", {}, never) is True
    for text, namespaces in {f"{one}\n{other}\nASK {{ }}": {}, f"{one}\n{other}\nASK {{}}": {"c": "http://c/"}}.items():
        assert not readings.has(text, namespaces)
    twice = [f"PREFIX a: <http://{host}/>" for host in "xy"]
    assert readings.of("\n".join(twice), {}, lambda: None) is None
    assert not readings.has("\n".join(reversed(twice)), {})  # the later one counts


def test_a_damaged_note_is_made_anew_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = Readings(Notes(tmp_path))
    first.of("SELECT", {}, lambda: True)
    first.keep()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b"true", b"null"))
    with caplog.at_level(logging.WARNING):
        again = Readings(Notes(tmp_path))
    assert "damaged" in caplog.text
    assert again.of("SELECT", {}, lambda: True) is True
    again.keep()
    assert Readings(Notes(tmp_path)).of("SELECT", {}, never) is True
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_written_only_costs_the_next_start_its_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    readings = Readings(Notes(tmp_path / "file"))
    assert readings.of("SELECT", {}, lambda: True) is True
    with caplog.at_level(logging.WARNING):
        readings.keep()
    assert "cannot be kept" in caplog.text


def test_what_cannot_be_read_is_tried_again(tmp_path: Path) -> None:
    readings = Readings(Notes(tmp_path))
    with pytest.raises(AssertionError):
        readings.of("SELECT", {}, never)
    readings.keep()
    assert not list(tmp_path.iterdir())
    assert not readings.has("SELECT", {})
