"""A change judged by itself: which focus nodes it affects, and that it is judged as the whole graph would be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyoxigraph as ox
import pytest

from motorgraph import gate, judge
from motorgraph.change import Affected, judge_change
from motorgraph.engine import loading
from motorgraph.errors import BadShapes
from motorgraph.gate import validate_store
from motorgraph.shapes import Shapes
from tests.test_gate import PREFIXES

SHAPES = ox.NamedNode("http://x/shapes")
NAMESPACE = ':N sh:declare [ sh:prefix "" ; sh:namespace "http://x/"^^xsd:anyURI ] . '
Quads = set[ox.Quad]


def quads(turtle: str, graph: str = "g") -> Quads:
    name = ox.NamedNode(f"http://x/{graph}")
    return {in_graph(quad, name) for quad in ox.parse(PREFIXES + turtle, ox.RdfFormat.TURTLE)}


def in_graph(quad: ox.Quad, graph: ox.NamedNode | ox.DefaultGraph) -> ox.Quad:
    return ox.Quad(quad.subject, quad.predicate, quad.object, graph)


def make(store: ox.Store, removed: Quads, added: Quads) -> None:
    for quad in removed:
        store.remove(quad)
    store.extend(added)
    loading.follow(store, removed, added)


class Graphs:
    """A small store with shapes, and what the changes to it affect."""

    def __init__(self, shapes: str, data: str) -> None:
        self.store = ox.Store()
        self.store.extend(quads(NAMESPACE + shapes, "shapes") | quads(data))
        loading.merge(self.store)
        self.shapes = Shapes.of(self.store, SHAPES.value)

    def affected(self, removed: str = "", added: str = "") -> set[str]:
        """The focus nodes that are validated by pySHACL after a change."""
        gone, come = quads(removed), quads(added)
        make(self.store, gone, come)
        data = self.shapes.data(self.store)
        data.gone.extend(in_graph(quad, ox.DefaultGraph()) for quad in gone)
        found = Affected(self.shapes, data, {quad.triple for quad in gone | come}).focus_nodes()
        return {str(node).removeprefix("<http://x/").removesuffix(">") for _, nodes in found for node in nodes}

    def judged(self, removed: str = "", added: str = "", graph: str = "g") -> list[str]:
        """The focus nodes of the violations after a change, after a look that full validation finds the same ones."""
        gone, come = quads(removed, graph), quads(added, graph)
        make(self.store, gone, come)
        found = judge_change(self.store, self.shapes, gone, come).violations
        assert found == validate_store(self.store, SHAPES.value).violations
        return [result.focus.removeprefix("http://x/") for result in found]


def shape(told: str, target: str = "sh:targetClass :Car") -> str:
    return f":S a sh:NodeShape ; {target} ; {told} ."


def property_of(path: str, told: str) -> str:
    return shape(f'sh:property [ sh:path {path} ; sh:message "m" ; {told} ]')


def query(select: str, target: str = "sh:targetClass :Car") -> str:
    return shape(f'sh:sparql [ sh:prefixes :N ; sh:message "m" ; sh:select "{select}" ]', target)


CARS = ':a a :Car ; :maker :m ; :name "A" . :b a :Car ; :maker :n ; :name "B" . :m a :Maker ; :seat :r . :n a :Maker ; :seat :s .'
CASES = {  # shapes, removed, added, focus nodes
    "a property": (property_of(":name", "sh:minCount 1"), ':a :name "A"', "", {"a"}),
    "no property of the shape": (property_of(":name", "sh:minCount 1"), "", ":a :year 1990", set()),
    "a type": (property_of(":name", "sh:minCount 1"), "", ":c a :Car", {"c"}),
    "a type below": (property_of(":name", "sh:minCount 1"), "", ":c a :Van", {"c"}),
    "a type taken away": (property_of(":name", "sh:minCount 1"), ":a a :Car", "", set()),
    "subjects of": (shape("sh:nodeKind sh:IRI", "sh:targetSubjectsOf :year"), "", ":m :year 1990", {"m"}),
    "objects of": (shape("sh:nodeKind sh:IRI", "sh:targetObjectsOf :maker"), "", ":b :maker :o", {"o"}),
    "a node": (property_of(":name", "sh:minCount 1").replace("Class :Car", "Node :a"), ':a :name "A" . :b :name "B"', "", {"a"}),
    "a sequence": (property_of("( :maker :seat )", "sh:minCount 1"), ":m :seat :r", "", {"a"}),
    "an inverse": (property_of("[ sh:inversePath :of ]", "sh:maxCount 1"), "", ":x :of :b", {"b"}),
    "a choice": (property_of("[ sh:alternativePath ( :name :year ) ]", "sh:minCount 1"), "", ":b :year 1", {"b"}),
    "none or more": (property_of("[ sh:zeroOrMorePath :maker ]", "sh:nodeKind sh:IRI"), "", ":n :maker :o", {"b"}),
    "at most one": (property_of("( :maker [ sh:zeroOrOnePath :seat ] )", "sh:nodeKind sh:IRI"), "", ":m :seat :t", {"a"}),
    "a class of values": (property_of(":maker", "sh:class :Maker"), ":n a :Maker", "", {"b"}),
    "a compared property": (property_of(":from", "sh:lessThan :to"), "", ":a :to 1", {"a"}),
    "closed": (
        shape("sh:closed true ; sh:ignoredProperties ( :maker :name <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> )"),
        "",
        ":a :anything 1 . :m :anything 1",
        {"a"},
    ),
    "a nested shape": (
        property_of(":maker", "sh:node [ sh:property [ sh:path :seat ; sh:minCount 1 ] ]"),
        ":m :seat :r",
        "",
        {"a"},
    ),
    "a shape that must not be": (shape("sh:not [ sh:path :name ; sh:maxCount 0 ]"), ':b :name "B"', "", {"b"}),
    "shapes of a list": (
        shape("sh:or ( [ sh:path :name ; sh:minCount 1 ] [ sh:path ( :maker :seat ) ; sh:minCount 1 ] )"),
        ":n :seat :s",
        "",
        {"b"},
    ),
    "a qualified value": (
        property_of(":maker", "sh:qualifiedValueShape [ sh:path :seat ; sh:minCount 1 ] ; sh:qualifiedMinCount 1"),
        ":m :seat :r",
        "",
        {"a"},
    ),
    "a query": (query("SELECT $this WHERE { $this :maker/:seat ?seat . ?seat :closed ?any }"), "", ":r :closed 1", {"a"}),
    "a query that stays empty": (
        query("SELECT $this WHERE { $this :maker/:seat ?seat . ?seat :closed ?any }"),
        "",
        ":q :closed 1",
        set(),
    ),
    "what is not there": (
        query("SELECT $this WHERE { $this :maker ?m FILTER NOT EXISTS { ?m :seat ?any } }"),
        ":m :seat :r",
        "",
        {"a"},
    ),
    "a query of another property": (query("SELECT $this WHERE { $this :name ?n FILTER(?n = 'C') }"), "", ":b :year 1", set()),
    "two of the same": (
        query("SELECT $this WHERE { $this :name ?n . ?o :name ?n FILTER(?o != $this) }"),
        "",
        ':c :name "A"',
        {"a"},
    ),
    "a count": (
        query("SELECT $this WHERE { $this :maker ?m } GROUP BY $this HAVING(COUNT(?m) > 1)"),
        "",
        ":b :maker :m",
        {"b"},
    ),
    "a query that may see anything": (
        query("SELECT $this WHERE { ?any ?name 1990 FILTER(?any != $this) }"),
        "",
        ":m :y 1990",
        {"a", "b"},
    ),
    "a query within": (
        property_of(":maker", 'sh:node [ sh:sparql [ sh:prefixes :N ; sh:select "SELECT $this WHERE { $this :seat :q }" ] ]'),
        "",
        ":n :seat :q",
        {"b"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_only_what_a_change_can_affect_is_validated(name: str) -> None:
    shapes, removed, added, expected = CASES[name]
    data = f"{CARS} :Van rdfs:subClassOf :Car ."
    removed, added = (f"{told} ." if told else "" for told in (removed, added))
    assert Graphs(shapes, data).affected(removed, added) == expected
    Graphs(shapes, data).judged(removed, added)


NAMED = property_of(":name", "sh:minCount 1 ; sh:maxCount 1")


def test_a_triple_that_another_graph_still_has_is_not_gone() -> None:
    graphs = Graphs(NAMED, ':a a :Car ; :name "A" .')
    make(graphs.store, set(), quads(':a :name "A" .', "other"))
    assert graphs.judged(':a :name "A" .') == []
    assert graphs.judged(':a :name "A" .', graph="other") == ["a"]


def test_a_triple_that_only_the_shapes_have_is_no_data() -> None:
    graphs = Graphs(NAMED + ':a :name "A" .', ':a a :Car ; :name "A" .')
    assert graphs.judged(':a :name "A" .') == ["a"]


def test_a_query_does_not_see_the_shapes() -> None:
    shapes = query("SELECT $this WHERE { $this :maker ?m FILTER NOT EXISTS { ?m a ?kind } }") + ":m a :Maker ."
    graphs = Graphs(shapes, ":a a :Car ; :maker :m . :m a :Maker .")
    assert graphs.judged(":m a :Maker .") == ["a"]


def test_a_new_subclass_is_judged_at_its_members() -> None:
    graphs = Graphs(NAMED, ":v a :Van . :w a :Kombi . :Kombi rdfs:subClassOf :Van . :x a :Boat . :c a :Car .")
    assert graphs.affected("", ":Van rdfs:subClassOf :Car .") == {"v", "w"}
    more = Graphs(NAMED, ":v a :Van . :w a :Kombi . :Kombi rdfs:subClassOf :Van .")
    assert more.judged("", ":Van rdfs:subClassOf :Car .") == ["v", "w"]


def test_a_member_of_a_class_that_is_none_of_the_target_any_more_is_not_judged() -> None:
    graphs = Graphs(NAMED, ':v a :Van ; :name "V" . :Van rdfs:subClassOf :Car .')
    assert graphs.judged(":Van rdfs:subClassOf :Car . :v :name 'V' .") == []


def test_values_of_a_class_that_is_taken_out_of_another_are_judged() -> None:
    graphs = Graphs(property_of(":maker", "sh:class :Firm"), CARS + " :Maker rdfs:subClassOf :Firm .")
    assert graphs.judged(":Maker rdfs:subClassOf :Firm .") == ["a", "b"]


def test_a_shape_that_changes_is_judged_at_all_its_focus_nodes() -> None:
    graphs = Graphs(NAMED, ':a a :Car ; :name "A" . :b a :Car ; :name "B" .')
    assert graphs.judged("", ":S sh:class :Van .", graph="shapes") == ["a", "b"]


OTHER = ':T a sh:NodeShape ; sh:targetClass :Maker ; sh:property [ sh:path :seat ; sh:minCount 1 ; sh:message "n" ] .'
SAME = {  # two texts that say the same of :S, or not
    "another shape": (NAMED, NAMED + OTHER, True),
    "other names of blank nodes": (NAMED, NAMED.replace("[ sh:path", "[ sh:path "), True),
    "another message": (NAMED, NAMED.replace('"m"', '"o"'), False),
    "another count": (NAMED, NAMED.replace("maxCount 1", "maxCount 2"), False),
    "another prefix": (
        query("SELECT $this WHERE { $this :name ?n }"),
        query("SELECT $this WHERE { $this :name ?n }") + ':N sh:declare [ sh:prefix "x" ; sh:namespace "http://x/" ] .',
        False,
    ),
    "a shape that it names": (
        shape("sh:node :T") + OTHER,
        shape("sh:node :T") + OTHER.replace("minCount 1", "minCount 2"),
        False,
    ),
    "a shape that names it": (NAMED + ":U a sh:NodeShape .", NAMED + ":U a sh:NodeShape ; sh:node :S .", True),
    "an order": (shape("sh:in ( 1 2 )"), shape("sh:in ( 2 1 )"), False),
}


@pytest.mark.parametrize("name", SAME)
def test_a_shape_is_another_one_if_anything_that_it_says_or_names_is(name: str) -> None:
    before, after, is_same = SAME[name]
    shapes = [Shapes.of(Graphs(text, "").store, SHAPES.value) for text in (before, after)]
    places = {str(watch.shape.node): at for at, watch in enumerate(shapes[1].watches)}
    assert (places["http://x/S"] not in shapes[1].unlike(shapes[0])) is is_same


def test_shapes_that_change_leave_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = []
    judge_at = judge.at
    monkeypatch.setattr(
        "motorgraph.judge.at", lambda shapes, data, nodes: judged.extend(told := list(nodes)) or judge_at(shapes, data, told)
    )
    graphs = Graphs(NAMED, f"{CARS} :o a :Maker .")
    assert graphs.judged("", OTHER, graph="shapes") == ["o"]
    found = {str(shape.node): {str(node.value).removeprefix("http://x/") for node in nodes} for shape, nodes in judged}
    assert found == {"http://x/T": {"m", "n", "o"}}


def test_a_change_to_shapes_that_cannot_be_used_is_refused_by_name() -> None:
    with pytest.raises(BadShapes, match="<http://x/S>"):
        Graphs(NAMED, CARS).judged("", ':S sh:pattern "(" .', graph="shapes")


def test_shapes_come_to_data_that_are_there_already() -> None:
    graphs = Graphs("", CARS)
    assert graphs.judged("", property_of(":year", "sh:minCount 1"), graph="shapes") == ["a", "b"]


def test_a_change_with_too_many_focus_nodes_is_judged_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motorgraph.change.MOST_FOCUS_NODES", 1)
    graphs = Graphs(NAMED, ':a a :Car ; :name "A" . :b a :Car .')
    assert graphs.judged("", ':c a :Car . :a :name "B" .') == ["a", "b", "c"], "b had no name before"


def test_a_blank_node_and_a_number_written_otherwise_are_judged() -> None:
    graphs = Graphs(property_of(":year", "sh:maxCount 1") + property_of(":name", "sh:minCount 1").replace(":S ", ":T "), "")
    assert graphs.judged("", "[] a :Car .") == ["a blank node"]
    targets = shape("sh:maxInclusive 1", "sh:targetObjectsOf :year")
    assert Graphs(targets, "").judged("", ":a :year 02 .") == ['"2"^^<http://www.w3.org/2001/XMLSchema#integer>']


def test_a_constraint_component_of_their_own_is_looked_at_everywhere() -> None:
    component = """:K a sh:ConstraintComponent ; sh:parameter [ sh:path :most ] ; sh:validator :V .
        :V a sh:SPARQLAskValidator ; sh:prefixes :N ; sh:ask "ASK { FILTER NOT EXISTS { ?any :banned $value } }" ."""
    graphs = Graphs(component + shape(':most 1 ; sh:message "m"'), ":a a :Car . :b a :Car .")
    assert graphs.judged("", ":list :banned :b .") == ["b"]


def test_warnings_are_told_of_what_is_affected_and_refuse_nothing() -> None:
    warning = property_of(":name", "sh:minCount 1 ; sh:severity sh:Warning")
    graphs = Graphs(warning, ":a a :Car . :b a :Car .")
    added = quads(":c a :Car .")
    make(graphs.store, set(), added)
    report = judge_change(graphs.store, graphs.shapes, set(), added)
    assert report.conforms
    assert [result.focus for result in report.results] == ["http://x/c"]


# The graph that ships

IRIS = {
    **{name: f"https://motorgraph.example/{name}/" for name in ("ontology", "id", "concept", "graph", "scheme")},
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
SHIPPED_PREFIXES = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in IRIS.items()).replace("ontology:", "mg:", 1)
PLANT, VERDICT, CLAIM = (
    "id:plant\\/byd-camacari-former-ford",
    "id:verdict\\/00585b352f34eaa6fc33",
    "id:claim\\/007414a5cc06308b1781",
)
OBSERVATION, ASSIGNMENT = "id:observation\\/0064dcf0cd574a10c153", "id:assignment\\/c03bcd9a3c95dddf12d8"
CHANGES = {  # what goes (?: whatever is there), what comes
    "a plant without a name": (f"{PLANT} skos:prefLabel ?", ""),
    "a plant without a country": ("", "id:plant\\/new a mg:Plant ."),
    "a rate that no claim speaks of": ("id:rate\\/br-bev-2024-07 mg:acceptedFrom ?", ""),
    "a second verdict": (
        "",
        """id:verdict\\/second a mg:Verdict ; mg:onProposition id:proposition\\/00585b352f34eaa6fc33 ; mg:confidence 0.5 ;
        mg:outcome <https://motorgraph.example/concept/verdict-outcome/accepted> ; mg:decidedOn "2026-01-01"^^xsd:date .""",
    ),
    "a verdict surer than sure": (f"{VERDICT} mg:confidence ?", f"{VERDICT} mg:confidence 2.0 ."),
    "a claim of two stances": ("", f"{CLAIM} mg:stance <https://motorgraph.example/concept/stance/denied> ."),
    "a claim without a document": ("id:claim\\/00a5f3c4c5b365e6c74d mg:foundIn ?", ""),
    "a claim that is none": ("id:claim\\/00585b352f34eaa6fc33 rdf:type ?", ""),
    "a concept of no scheme": ("concept:modality\\/assessed skos:inScheme ?", ""),
    "an overlapping rate": (
        "",
        "id:rate\\/copy mg:ofMeasure id:measure\\/br-ev ; mg:specificity 1 ; mg:ratePercent 99.0 ; a mg:DutyRate .",
    ),
    "a rate in words": ("id:rate\\/br-bev-2025 mg:ratePercent ?", 'id:rate\\/br-bev-2025 mg:ratePercent "25" .'),
    "more than the whole": (
        "",
        "id:shareholding\\/more a mg:Shareholding ; mg:issuer id:organization\\/seat ; mg:stakePercent 5.0 .",
    ),
    "a holding of nobody": ("id:shareholding\\/04060db436b57ea935cd mg:holder ?", ""),
    "a cycle of control": ("", "id:organization\\/renault-group mg:controlledBy id:organization\\/ampere ."),
    "a cycle of parents": ("", "id:organization\\/porsche-se mg:parent id:organization\\/audi ."),
    "a cycle of concepts": ("", "concept:tariff-code\\/hs-870340 skos:broader concept:tariff-code\\/cn-87034010 ."),
    "a notation twice": ("", 'concept:tariff-code\\/hs-8704 skos:notation "8703" .'),
    "a wrong kind": ("", 'id:country\\/br mg:kind "plant" .'),
    "an end before the beginning": (f"{ASSIGNMENT} mg:validTo ?", f'{ASSIGNMENT} mg:validTo "1999-01-01"^^xsd:date .'),
    "a status out of the air": (
        "",
        "id:deal\\/byd-manisa mg:currentStatus <https://motorgraph.example/concept/status/cancelled> .",
    ),
    "a figure of nothing": (f"{OBSERVATION} mg:measureConcept ?", ""),
    "a name more": ("", 'id:country\\/br skos:altLabel "Brasilien"@de .'),
}
HARMLESS = {"a name more", "a second verdict"}


@pytest.fixture(scope="module")
def working_store(shipped_store: ox.Store) -> ox.Store:
    """A copy of the graph as it ships, for changes that are undone."""
    store = ox.Store()
    store.bulk_extend(shipped_store)
    return store


@pytest.fixture(scope="module")
def shipped_shapes(working_store: ox.Store) -> Shapes:
    """The shapes that ship."""
    return Shapes.of(working_store, f"{IRIS['graph']}shapes")


def shipped_change(store: ox.Store, gone: str, come: str) -> tuple[Quads, Quads]:
    accepted = ox.NamedNode(f"{IRIS['graph']}accepted")
    added = {in_graph(quad, accepted) for quad in ox.parse(SHIPPED_PREFIXES + come, ox.RdfFormat.TURTLE)}
    if not gone:
        return set(), added - set(store)
    [pattern] = ox.parse(f"{SHIPPED_PREFIXES} {gone.replace('?', 'rdf:nil')} .", ox.RdfFormat.TURTLE)
    found = store.quads_for_pattern(pattern.subject, pattern.predicate, None, None)
    return {quad for quad in found if not isinstance(quad.graph_name, ox.DefaultGraph)}, added


@contextmanager
def changed(store: ox.Store, removed: Quads, added: Quads) -> Iterator[None]:
    make(store, removed, added)
    yield
    make(store, added, removed)


def test_changes_of_the_shipped_graph_are_judged_as_in_full(working_store: ox.Store, shipped_shapes: Shapes) -> None:
    all_removed: Quads = set()
    all_added: Quads = set()
    apart: set[gate.Result] = set()
    for name, (gone, come) in CHANGES.items():
        removed, added = shipped_change(working_store, gone, come)
        assert removed or added, name
        with changed(working_store, removed, added):
            violations = judge_change(working_store, shipped_shapes, removed, added).violations
        assert bool(violations) is (name not in HARMLESS), name
        apart |= set(violations)
        all_removed |= removed
        all_added |= added
    with changed(working_store, all_removed, all_added):
        together = judge_change(working_store, shipped_shapes, all_removed, all_added).violations
        in_full = validate_store(working_store, shipped_shapes.name.value).violations
    assert together == in_full
    assert apart == set(in_full)
