"""What follows from a change, worked out where the change touches the rules, is what follows when all is worked out anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from random import Random

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib.plugins.sparql import prepareQuery

from motorgraph.consequences import Consequences, Outcomes
from motorgraph.engine import loading
from motorgraph.focus import Sight, sight
from motorgraph.inference import AGAIN, Rule, filled, rebuild, renew, shipped_rules
from motorgraph.vocab import Names
from tests.test_inference import PREFIXES, ontology

X = "http://x/"
INFERRED = f"{X}inferred"
GRAPHS = [ox.NamedNode(f"{X}g1"), ox.NamedNode(f"{X}g2")]
PREFIX = f"PREFIX : <{X}> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>"
Quads = set[ox.Quad]


def copied(store: ox.Store) -> ox.Store:
    other = ox.Store()
    other.bulk_extend(store)
    return other


class Kept:
    """A store with what follows, and what each rule has made: as the keeper has them, from one change to the next."""

    def __init__(self, store: ox.Store, rules: list[Rule]) -> None:
        self.store, self.rules, self.made = store, rules, ox.Store()
        renew(store, rules, self.made)
        self.outcomes = Outcomes.of(rules, self.made)
        loading.merge(store)

    def change(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> Consequences:
        """Makes a change and what follows."""
        removed = {quad for quad in removed if quad in self.store}
        added = {quad for quad in added if quad not in self.store}
        for quad in removed:
            self.store.remove(quad)
        self.store.extend(added)
        loading.follow(self.store, removed, added)
        found = Consequences.of(self.store, self.outcomes, removed, added)
        loading.follow(self.store, found.removed, found.added)
        return found

    def check(self, removed: Iterable[ox.Quad], added: Iterable[ox.Quad]) -> Consequences:
        """Makes a change; holds all that is known afterwards against what working out all anew tells."""
        then = filled(self.store, self.rules)
        found = self.change(removed, added)
        now, made = filled(self.store, self.rules), ox.Store()
        assert now == rebuild(self.store, self.rules, made)
        assert set(self.made) == set(made)
        assert (found.removed, found.added) == (then - now, now - then)
        return found

    def default_graph_is_the_merge(self) -> bool:
        merged = {quad.triple for quad in self.store if not isinstance(quad.graph_name, ox.DefaultGraph)}
        return {quad.triple for quad in self.store.quads_for_pattern(None, None, None, ox.DefaultGraph())} == merged


# Small rules of every kind


def rule(name: str, text: str, *, again: bool = False, graph: str = INFERRED) -> Rule:
    return Rule(name, f"{AGAIN if again else ''}\n{PREFIX} {text}", graph)


KINDS = {
    "copied": "CONSTRUCT { ?a :made ?b } WHERE { GRAPH ?g { ?a :p ?b } }",
    "of a graph": "CONSTRUCT { ?a :made ?b } WHERE { GRAPH :g1 { ?a :p ?b } }",
    "of graphs": "CONSTRUCT { ?a :q ?b } WHERE { VALUES ?g { :g1 :inferred } GRAPH ?g { ?a :p/:q ?b } }",
    "chained": "CONSTRUCT { ?a :r ?c } WHERE { GRAPH ?g { ?a :p ?b } GRAPH ?h { ?b :q ?c } }",
    "along a path": "CONSTRUCT { ?a :q ?c } WHERE { GRAPH :g1 { ?a :p+ ?c } }",
    "of two": "CONSTRUCT { ?a :p ?b . ?b :q ?a } WHERE { GRAPH ?g { ?a :r ?b } }",
    "of two with one word": "CONSTRUCT { ?a :p ?b . ?b :p ?a } WHERE { GRAPH ?g { ?a :r ?b } }",
    "with a node of its own": """CONSTRUCT { ?n a :C ; :p ?a ; :q ?b } WHERE {
        GRAPH ?g { ?a :p ?b OPTIONAL { ?a :q ?c } } BIND(IRI(CONCAT("http://x/n", STR(?b), STR(?c))) AS ?n)
        FILTER(isIRI(?b)) }""",
    "with a shared node": "CONSTRUCT { :all :r ?a ; :q ?b } WHERE { GRAPH ?g { ?a :p ?b } }",
    "negated": "CONSTRUCT { ?a a :Alone } WHERE { GRAPH ?g { ?a a :C } FILTER NOT EXISTS { GRAPH ?h { ?a :p ?b . ?b a :D } } }",
    "negated of what it makes": """CONSTRUCT { ?a a ?c } WHERE { GRAPH :g2 { ?b rdfs:subClassOf+ ?c } GRAPH ?g { ?a a ?b }
        FILTER NOT EXISTS { GRAPH ?h { ?a a ?c } } }""",
    "maybe": """CONSTRUCT { ?a :r ?b ; :q ?c } WHERE {
        GRAPH ?g { ?a a :C } OPTIONAL { GRAPH ?h { ?a :p ?b OPTIONAL { ?b :q ?c } } } }""",
    "maybe first": "CONSTRUCT { ?b :r ?a } WHERE { GRAPH ?h { OPTIONAL { ?a :p ?b } ?b :q ?c } }",
    "either": "CONSTRUCT { ?a :r ?b } WHERE { { GRAPH ?g { ?a :p ?b } } UNION { GRAPH :g1 { ?b :q ?a } } GRAPH ?i { ?a a ?c } }",
    "without": "CONSTRUCT { ?a :r ?b } WHERE { GRAPH ?g { ?a :p ?b } MINUS { GRAPH ?h { ?b :q ?c } } }",
    "counted": "CONSTRUCT { ?a :count ?n } WHERE { { SELECT ?a (COUNT(?b) AS ?n) { GRAPH ?g { ?a :p ?b } } GROUP BY ?a } }",
    "counted behind": """CONSTRUCT { ?a :count ?n } WHERE { GRAPH ?g { ?a a :C ; :q ?b }
        { SELECT ?b (COUNT(?c) AS ?n) { GRAPH ?h { ?b :p ?c } } GROUP BY ?b HAVING(COUNT(?c) > 1) } }""",
    "counted in all": """CONSTRUCT { ?a :count ?n } WHERE {
        GRAPH :g1 { ?a a :C } { SELECT (COUNT(?a) AS ?n) { GRAPH ?g { ?a :p ?b } } } }""",
    "of the first": """CONSTRUCT { ?a :r ?b } WHERE {
        { SELECT DISTINCT ?a ?b { GRAPH ?g { ?a :p ?b } } ORDER BY ?a ?b LIMIT 2 } GRAPH ?h { ?a a ?c } }""",
    "of anything": "CONSTRUCT { ?a :r ?c } WHERE { GRAPH ?g { ?a ?p ?b . ?b ?p ?c } }",
    "of words": "CONSTRUCT { ?a ?over ?b } WHERE { GRAPH ?h { ?p :over ?over } GRAPH ?g { ?a ?p ?b } FILTER(isIRI(?over)) }",
    "beside": "CONSTRUCT { ?a :r ?b } WHERE { GRAPH ?g { ?a a :C } GRAPH ?h { ?b a :D } }",
    "an empty path": "CONSTRUCT { ?a :r ?b } WHERE { GRAPH :g1 { ?a :p* ?b } }",
    "seen within": """CONSTRUCT { ?a :r ?b } WHERE {
        { GRAPH ?g { ?b :p ?c FILTER NOT EXISTS { ?b :q ?a } } } GRAPH ?h { ?a :p ?c } }""",
    "told as a literal": "CONSTRUCT { ?b :r ?a . ?a :q ?b } WHERE { GRAPH ?g { ?a :p ?b } }",
}
AGAIN_KINDS = {
    "transitive": "CONSTRUCT { ?a :p ?c } WHERE { GRAPH ?g { ?a :p ?b } GRAPH ?h { ?b :p ?c } }",
    "by turns": "CONSTRUCT { ?b a :D } WHERE { GRAPH ?g { ?a a :C } GRAPH ?h { ?a :q ?b } }",
    "by turns back": """CONSTRUCT { ?b a :C } WHERE {
        GRAPH ?g { ?a a :D } GRAPH ?h { ?a :p ?b } FILTER NOT EXISTS { GRAPH ?i { ?b a :E } } }""",
}

# Graphs and changes: dense ones from a seed, so that much follows, and much of it by the change

NODES: list[ox.NamedNode | ox.BlankNode] = [*(ox.NamedNode(X + name) for name in "abcdef"), ox.BlankNode("e")]
WORDS = [ox.NamedNode(X + name) for name in ("p", "p", "q", "r", "over")]
LITERALS = [ox.Literal("1", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#integer")), ox.Literal("x", language="en")]
CLASSES = [ox.NamedNode(X + name) for name in "CDE"]
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
SUBCLASS = ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#subClassOf")


def told(dice: Random, count: int) -> Quads:
    return {_told(dice) for _ in range(count)}


def _told(dice: Random) -> ox.Quad:
    graph = dice.choice(GRAPHS)
    if dice.random() < 0.3:
        return ox.Quad(dice.choice(NODES), TYPE, dice.choice(CLASSES), graph)
    if dice.random() < 0.1:
        return ox.Quad(dice.choice(CLASSES), SUBCLASS, dice.choice(CLASSES), graph)
    if dice.random() < 0.1:
        return ox.Quad(dice.choice(WORDS), WORDS[-1], dice.choice(WORDS), graph)
    return ox.Quad(dice.choice(NODES), dice.choice(WORDS), dice.choice([*NODES, *LITERALS]), graph)


def stated(store: ox.Store) -> list[ox.Quad]:
    return sorted((quad for quad in store if quad.graph_name in GRAPHS), key=str)


def step(dice: Random, store: ox.Store) -> tuple[Quads, Quads]:
    """A change: some quads go and some come; now and then a whole graph goes."""
    there = stated(store)
    if dice.random() < 0.1:
        graph = dice.choice(GRAPHS)
        return {quad for quad in there if quad.graph_name == graph}, set()
    return set(dice.sample(there, min(len(there), dice.choice([0, 1, 1, 3])))), told(dice, dice.choice([0, 1, 1, 3]))


BOUNDED = settings(derandomize=True, deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))


def compare(rules: list[Rule], seed: int) -> None:
    dice = Random(seed)
    store = ox.Store()
    store.extend(told(dice, dice.randrange(4, 24)))
    kept = Kept(store, rules)
    for _ in range(6):
        kept.check(*step(dice, store))
    assert kept.default_graph_is_the_merge()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_rule_of_any_kind_makes_of_a_change_is_what_it_makes_of_all(kind: str) -> None:
    for seed in range(15):
        compare([rule(kind, KINDS[kind])], seed)


@BOUNDED
@given(
    first=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True),
    again=st.lists(st.sampled_from(sorted(AGAIN_KINDS)), max_size=3, unique=True),
    last=st.lists(st.sampled_from(sorted(KINDS)), max_size=3, unique=True),
    seed=st.integers(0, 1_000_000),
)
def test_rules_in_a_row_make_of_a_change_what_they_make_of_all(
    first: list[str], again: list[str], last: list[str], seed: int
) -> None:
    rules = [rule(f"1 {name}", KINDS[name]) for name in first]
    rules += [rule(f"2 {name}", AGAIN_KINDS[name], again=True) for name in again]
    rules += [rule(f"3 {name}", KINDS[name], graph=f"{X}other" if seed % 2 else INFERRED) for name in last]
    compare(rules, seed)


def test_which_rules_are_worked_out_in_part() -> None:
    found = {name for name, text in KINDS.items() if sight(prepareQuery(f"{PREFIX} {text}"), in_part=True).focus}
    in_full = {"without", "of the first", "an empty path", "maybe first"}
    assert KINDS.keys() - found == in_full


def test_each_shipped_rule_but_those_that_settle_together_has_a_focus() -> None:
    rules = shipped_rules(Names())
    seen = Outcomes.of(rules, ox.Store()).sights
    assert {rule.name for rule in rules if seen[rule].focus is None} == {"42-control-by-chain", "44-control-together"}
    assert all(seen[rule].looks for rule in rules)


def test_a_rule_that_only_the_engine_can_read_is_worked_out_in_full() -> None:
    text = "CONSTRUCT { ?a :made ?b } WHERE { GRAPH ?g { ?a :p ?b } LATERAL { GRAPH ?h { ?b :q ?c } } }"
    store = ox.Store()
    outcomes = Outcomes.of([rule("new", text)], store)
    assert list(outcomes.sights.values()) == [Sight(None)]


# The shipped rules on a small industry


def _range(kind: str, count: int) -> list[str]:
    return [f"<https://motorgraph.example/id/{kind}/{i}>" for i in range(count)]


ORGS, PLANTS, COUNTRIES, PERSONS = (
    _range(kind, n) for kind, n in (("organization", 5), ("plant", 3), ("country", 2), ("person", 2))
)
HOLDINGS, RELATIONS, DEALS, EVENTS = (
    _range(kind, n) for kind, n in (("shareholding", 6), ("control-relation", 3), ("deal", 2), ("event", 4))
)
UNIONS, MEMBERS, CONCEPTS, STATES = (
    _range(kind, n) for kind, n in (("territory", 2), ("membership", 3), ("concept", 4), ("status", 3))
)
DAYS = [f'"{day}"^^xsd:date' for day in ("2019-01-01", "2024-06-01", "2026-06-01", "2027-01-01")]
CLAIMS = _range("claim", 3)
DATED = [*HOLDINGS, *RELATIONS, *MEMBERS]
FACTS: list[tuple[str, list[str], str, list[str]]] = [
    *(("accepted", HOLDINGS, f"mg:{word}", ends) for word in ("holder", "holder", "issuer") for ends in [[*ORGS, *PERSONS]]),
    ("accepted", HOLDINGS, "mg:issuer", ORGS),
    *(("accepted", HOLDINGS, "mg:stakePercent", ["60.0", "50.0", "30.0", "26.0"]) for _ in range(3)),
    ("accepted", HOLDINGS, "mg:votePercent", ["60.0", "30.0"]),
    *(("accepted", [*HOLDINGS, *RELATIONS, *PLANTS], "mg:acceptedFrom", CLAIMS) for _ in range(3)),
    ("accepted", HOLDINGS, "mg:valueQualifier", ["qualifier:more-than", "qualifier:fewer-than"]),
    ("accepted", HOLDINGS, "mg:countingBasis", ["basis:direct-capital", "basis:votes", "basis:economic-interest"]),
    ("accepted", HOLDINGS, "mg:stakeState", ["state:completed", "state:agreed"]),
    ("accepted", DATED, "mg:validFrom", DAYS),
    ("accepted", DATED, "mg:validTo", DAYS),
    *(("accepted", RELATIONS, *more) for more in (("a", ["mg:ControlRelation"]), ("mg:controller", [*ORGS, *PERSONS]))),
    ("accepted", RELATIONS, "mg:controlled", ORGS),
    ("reference", ORGS, "<http://www.w3.org/ns/org#subOrganizationOf>", ORGS),
    ("reference", ORGS, "mg:fromDataset", CLAIMS),
    ("accepted", ORGS, "a", ["mg:JointVenture", "mg:Automaker", "mg:Authority"]),
    ("reference", ORGS, "mg:basedIn", COUNTRIES),
    ("accepted", PERSONS, "a", ["mg:Person"]),
    ("accepted", [*PERSONS, *PLANTS], "mg:country", COUNTRIES),
    ("reference", CONCEPTS, "mg:controlScope", COUNTRIES),
    *(("accepted", PLANTS, "a", ["mg:Plant", "mg:Organization"]) for _ in range(2)),
    ("reference", MEMBERS, "mg:member", COUNTRIES),
    ("reference", MEMBERS, "mg:memberOf", UNIONS),
    ("reference", DATED, "mg:validFrom", DAYS),
    ("reference", UNIONS, "a", ["mg:CustomsTerritory"]),
    ("reference", COUNTRIES, "mg:inCustomsTerritory", UNIONS),
    ("accepted", EVENTS, "mg:statusOf", DEALS),
    ("accepted", EVENTS, "mg:newStatus", STATES),
    ("accepted", EVENTS, "mg:onDate", DAYS),
    ("accepted", DEALS, "mg:dealKind", CONCEPTS),
    ("reference", STATES, "mg:statusOrder", ["1", "2"]),
    ("reference", CONCEPTS, "skos:broader", CONCEPTS),
    ("reference", ["graph:inferred"], "mg:asOf", DAYS),
    ("ontology", ["mg:JointVenture", "mg:Plant"], "rdfs:subClassOf", ["mg:Organization", "mg:CustomsTerritory"]),
    ("ontology", ["mg:holder", "mg:acceptedFrom"], "rdfs:subPropertyOf", ["mg:controller", "mg:country"]),
]


def _facts(dice: Random, count: int) -> Quads:
    told = []
    for _ in range(count):
        graph, subjects, word, ends = dice.choice(FACTS[:-2] if dice.random() < 0.95 else FACTS)
        graph = "<http://x/source>" if dice.random() < 0.1 else f"graph:{graph}"
        told.append(f"GRAPH {graph} {{ {dice.choice(subjects)} {word} {dice.choice(ends)} }}")
    store = ox.Store()
    store.update(f"{PREFIXES} INSERT DATA {{ {' '.join(told)} }}")
    return set(store)


@pytest.mark.parametrize("seed", range(12))
def test_the_shipped_rules_make_of_a_change_what_they_make_of_all(seed: int) -> None:
    dice = Random(seed)
    store = ox.Store()
    store.extend(ontology())
    fixed = set(store)
    store.extend(_facts(dice, 120))
    kept = Kept(store, shipped_rules(Names()))
    for _ in range(8):
        there = [quad for quad in store if quad.graph_name not in (ox.DefaultGraph(), INFERRED_HERE) and quad not in fixed]
        gone = dice.sample(sorted(there, key=str), dice.choice([0, 1, 2, 4]))
        kept.check(gone, _facts(dice, dice.choice([0, 1, 2, 4])))


# The graph as it ships

OF = "GRAPH ?g { ?s ?p ?o } FILTER(?g != graph:inferred)"
PLANT = "plant:alexander-dennis-guildford"
NEW_PLANT = f"""INSERT {{ GRAPH graph:accepted {{ plant:new ?p ?o }} }}
    WHERE {{ {{ SELECT DISTINCT ?p ?o {{ BIND({PLANT} AS ?s) {OF} }} ORDER BY ?p ?o LIMIT 20 }} }}"""
HOLDING = "SELECT ?s (MIN(?n) AS ?g) {{ GRAPH ?n {{ ?s mg:stakePercent ?x }} }} GROUP BY ?s ORDER BY ?s OFFSET {} LIMIT 1"
SOURCE = """SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?x ?y ?z } FILTER(CONTAINS(STR(?g), "/source/")) } GROUP BY ?g"""
CHANGES = {  # the quads that go, as a pattern, and an update that brings others
    "a plant comes": ("", NEW_PLANT),
    "a plant goes": (f"BIND({PLANT} AS ?s) {OF}", ""),
    "a plant is none any more": (f"BIND({PLANT} AS ?s) BIND(rdf:type AS ?p) {OF}", ""),
    "a plant moves": (
        f"BIND({PLANT} AS ?s) BIND(mg:country AS ?p) {OF}",
        f"INSERT DATA {{ GRAPH graph:accepted {{ {PLANT} mg:country country:cn }} }}",
    ),
    "a label changes": (f"BIND({PLANT} AS ?s) BIND(skos:prefLabel AS ?p) {OF}", ""),
    "the graph of a source goes": (f"{{ {SOURCE} ORDER BY ?n ?g OFFSET 60 LIMIT 1 }} {OF}", ""),
    "the greatest graph of a source goes": (f"{{ {SOURCE} ORDER BY DESC(?n) LIMIT 1 }} {OF}", ""),
    "a holding goes": (f"{{ {HOLDING.format(5)} }} {OF}", ""),
    "a holding gets a majority": (
        f"{{ {HOLDING.format(9)} }} BIND(mg:stakePercent AS ?p) {OF}",
        f"INSERT {{ GRAPH graph:accepted {{ ?s mg:stakePercent 51.5 }} }} WHERE {{ {HOLDING.format(9)} }}",
    ),
    "a control relation goes": (
        f"{{ SELECT ?s {{ GRAPH graph:accepted {{ ?s a mg:ControlRelation }} }} ORDER BY ?s LIMIT 1 }} {OF}",
        "",
    ),
    "a company moves": (
        f"BIND(organization:volvo-cars AS ?s) BIND(mg:basedIn AS ?p) {OF}",
        "INSERT DATA { GRAPH graph:reference { organization:volvo-cars mg:basedIn country:cn } }",
    ),
    "a country leaves a union": (f"BIND(mg:memberOf AS ?p) {OF}", ""),
    "events are not told any more": (f"BIND(mg:newStatus AS ?p) {OF} FILTER(?g = graph:accepted)", ""),
    "a class leaves another": (f"BIND(mg:Plant AS ?s) BIND(rdfs:subClassOf AS ?p) {OF}", ""),
    "a property leaves another": (
        f"""{{ SELECT ?s {{ GRAPH graph:ontology {{ ?s rdfs:subPropertyOf ?x }} FILTER(isIRI(?x)) }} ORDER BY ?s LIMIT 1 }}
            BIND(rdfs:subPropertyOf AS ?p) {OF}""",
        "",
    ),
    "the day changes": (
        f"BIND(graph:inferred AS ?s) BIND(mg:asOf AS ?p) {OF}",
        'INSERT DATA { GRAPH graph:reference { graph:inferred mg:asOf "2020-01-01"^^xsd:date } }',
    ),
}


@pytest.fixture(scope="module")
def shipped_world(shipped_store: ox.Store) -> Kept:
    """A copy of the shipped graph that may be changed."""
    return Kept(copied(shipped_store), shipped_rules(Names()))


def changed(world: Kept, name: str) -> tuple[Quads, Quads]:
    """The quads that a change of the shipped graph takes and brings."""
    pattern, update = CHANGES[name]
    removed, scratch = set(), ox.Store()
    if pattern:
        found = world.store.query(f"{RDF}{PREFIXES} SELECT DISTINCT ?s ?p ?o ?g {{ {pattern} }}")
        assert isinstance(found, ox.QuerySolutions)
        removed = {ox.Quad(*(row[name] for name in "spog")) for row in found}
    if update:
        scratch.bulk_extend(world.store)
        scratch.update(f"{RDF}{PREFIXES} {update}")
        return removed, {quad for quad in scratch if quad not in world.store}
    return removed, set()


RDF = "PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>"
INFERRED_HERE = ox.NamedNode("https://motorgraph.example/graph/inferred")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_shipped_graph_brings_what_a_full_inference_tells_and_can_be_undone(
    name: str, shipped_world: Kept
) -> None:
    removed, added = changed(shipped_world, name)
    assert removed or added
    there = shipped_world.check(removed, added)
    back = shipped_world.change(added, removed)
    assert (back.removed, back.added, back.lost, back.won) == (there.added, there.removed, there.won, there.lost)


def test_a_plant_is_inferred_in_a_tenth_of_the_time_that_all_takes(shipped_world: Kept) -> None:
    removed, added = changed(shipped_world, "a plant comes")
    assert (len(removed), len(added)) == (0, 20)
    slow = spent(lambda: rebuild(shipped_world.store, shipped_world.rules))
    quick = []
    for _ in range(3):
        shipped_world.store.extend(added)
        quick.append(spent(lambda: Consequences.of(shipped_world.store, shipped_world.outcomes, removed, added)))
        shipped_world.change(added, removed)
    assert min(quick) < slow / 10


def spent(work: Callable[[], object]) -> float:
    """The processor time that work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started
