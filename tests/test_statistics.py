"""What is counted in a graph: right when it is counted whole, and the same when it is carried on from change to change."""

from __future__ import annotations

import io

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.catalogue.statistics import Partition, Statistics, Use
from motorgraph.engine import moves
from motorgraph.engine.delta import Delta, Written
from motorgraph.engine.moves import TooMuch
from motorgraph.engine.statistics import counted, host, recounted
from motorgraph.engine.wire import Job
from tests.moving import BASE, LABEL, STEPS, TYPE, Steps, change, copied, iri, quads_of, step, store_of


def rows(store: ox.Store, *, union: bool = True) -> Statistics:
    return Statistics([[*key, count] for key, count in counted(copied(store), BASE, union=union).items()])


PLANTS = [
    ox.Quad(iri("id/a"), TYPE, iri("Plant"), iri("g1")),
    ox.Quad(iri("id/a"), LABEL, ox.Literal("A", language="en"), iri("g1")),
    ox.Quad(iri("id/a"), LABEL, ox.Literal("A", language="en"), iri("g2")),
    ox.Quad(iri("id/a"), iri("owner"), iri("id/b"), iri("g1")),
    ox.Quad(iri("id/a"), iri("same"), iri("http://other.example/x"), iri("g1")),
    ox.Quad(iri("id/b"), TYPE, iri("Maker"), iri("g2")),
    ox.Quad(iri("id/b"), LABEL, ox.Literal(7), iri("g2")),
    ox.Quad(ox.BlankNode("n"), LABEL, ox.Literal(8), iri("g2")),
]


@pytest.mark.parametrize("union", [True, False])
def test_a_triple_of_two_graphs_is_one_of_the_whole_and_one_of_each(union: bool) -> None:
    found = rows(store_of(PLANTS, union=union), union=union)
    assert found.triples == 7
    assert found.graphs == {f"{BASE}g1": 4, f"{BASE}g2": 4}


@pytest.mark.parametrize("union", [True, False])
def test_properties_classes_and_links_are_counted(union: bool) -> None:
    found = rows(store_of(PLANTS, union=union), union=union)
    assert found.properties[LABEL.value] == Use(triples=3, subjects=3, objects=3)
    assert found.classes == {f"{BASE}Maker": 1, f"{BASE}Plant": 1}
    assert found.links[f"{BASE}same", "other.example"] == 1
    assert (found.subjects, found.own, found.objects) == (3, 2, 7)
    assert found.spaces == {"own.example": 2}


@pytest.mark.parametrize("union", [True, False])
def test_a_class_is_told_by_property_and_what_the_property_leads_to(union: bool) -> None:
    found = rows(store_of(PLANTS, union=union), union=union).partitions[f"{BASE}Plant"]
    assert found[f"{BASE}owner"] == Partition(1, 1, {f"{BASE}Maker": 1}, {})
    assert found[LABEL.value] == Partition(1, 1, {}, {"http://www.w3.org/1999/02/22-rdf-syntax-ns#langString": 1})


def test_the_unnamed_graph_is_counted_where_it_is_no_merge() -> None:
    store = store_of([ox.Quad(iri("id/a"), LABEL, ox.Literal(1)), *PLANTS], union=False)
    assert rows(store, union=False).graphs[""] == 1
    assert "" not in rows(store_of(PLANTS, union=True)).graphs


def test_an_empty_graph_is_told_only_where_a_query_can_see_it() -> None:
    for union in (True, False):
        store = store_of(PLANTS, union=union)
        store.add_graph(iri("empty"))
        assert (f"{BASE}empty" in rows(store, union=union).graphs) is not union


def test_an_empty_store_has_nothing() -> None:
    found = rows(ox.Store())
    assert (found.triples, found.subjects, found.classes, found.graphs) == (0, 0, {}, {})


def test_a_graph_with_very_many_classes_is_not_told_class_by_class() -> None:
    many = [ox.Quad(iri(f"id/{n}"), TYPE, iri(f"Class{n}"), iri("g1")) for n in range(1001)]
    found = rows(store_of(many, union=True))
    assert (len(found.classes), found.partitions) == (1001, {})


@pytest.mark.parametrize(
    ("name", "found"), [("http://a.example/x", "a.example"), ("http://a.example:8/", "a.example:8"), ("urn:x", "")]
)
def test_the_host_of_an_iri_is_what_stands_between_the_slashes(name: str, found: str) -> None:
    assert host(name) == found


# Carried on


@settings(max_examples=40, deadline=None)
@given(st.booleans(), STEPS, st.lists(STEPS, min_size=1, max_size=3))
def test_what_is_carried_on_is_what_a_fresh_count_finds(union: bool, first: Steps, later: list[Steps]) -> None:
    store = store_of(quads_of(first, union=union), union=union)
    tally = counted(copied(store), BASE, union=union)
    changes = [step(store, steps, union=union) for steps in later]
    assert dict(recounted(tally, store, changes, BASE, union=union)) == dict(counted(copied(store), BASE, union=union))


def test_a_change_of_a_class_is_felt_by_what_points_at_the_thing() -> None:
    store = store_of(PLANTS, union=True)
    tally = counted(store, BASE, union=True)
    gone = change(removed=[PLANTS[5]])
    gone.make(store)
    fresh = recounted(tally, store, [gone], BASE, union=True)
    assert ("towards", f"{BASE}Plant", f"{BASE}owner", f"{BASE}Maker") in tally
    assert ("towards", f"{BASE}Plant", f"{BASE}owner", f"{BASE}Maker") not in fresh
    assert dict(fresh) == dict(counted(store, BASE, union=True))


def test_what_a_rule_made_and_the_catalogue_says_is_carried_on_too() -> None:
    store = store_of(PLANTS, union=True)
    tally = counted(store, BASE, union=True)
    spool = io.BytesIO()
    inferred = ox.Quad(iri("id/b"), TYPE, iri("Organization"), iri("inferred"))
    Delta(added={ox.Quad(iri("id/c"), TYPE, iri("Maker"), iri("g1"))}).write(
        spool, Job("update", union=True), {}, Delta(added={inferred})
    )
    written = Written.of(spool.getvalue()).told(f"<{BASE}id/commit/2> <{TYPE.value}> <{BASE}Activity> <{BASE}catalogue> .\n")
    written.make(store)
    fresh = recounted(tally, store, [written], BASE, union=True)
    assert fresh["entities", f"{BASE}Activity"] == fresh["entities", f"{BASE}Organization"] == 1
    assert dict(fresh) == dict(counted(store, BASE, union=True))


def test_a_change_that_touches_too_much_is_not_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(PLANTS, union=True)
    tally = counted(store, BASE, union=True)
    crowd = [ox.Quad(iri(f"id/{n}"), iri("owner"), iri("id/b"), iri("g1")) for n in range(30)]
    store = store_of([*PLANTS, *crowd], union=True)
    monkeypatch.setattr(moves, "MOST_TOUCHED", 20)
    with pytest.raises(TooMuch):
        recounted(tally, store, [change(added=crowd)], BASE, union=True)  # more quads than that
    gone = change(removed=[PLANTS[5]])
    gone.make(store)
    with pytest.raises(TooMuch):
        recounted(tally, store, [gone], BASE, union=True)  # one quad, but thirty things point at what it speaks of
