"""A term that is given up is still there, names its heir, and data can be moved over in either form of graph."""

from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat, Store
from rdflib import OWL, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS

ROOT = Path(__file__).parents[1]
MG = "https://motorgraph.example/ontology/"
MIGRATIONS = ROOT / "ontology" / "migration"
CASES = ROOT / "tests" / "cases" / "migration"


@cache
def heirs() -> dict[str, str]:
    """The deprecated terms of the ontology, by local name, each with what replaces it."""
    ontology = Graph()
    for path in sorted((ROOT / "ontology").glob("mg-*.ttl")):
        ontology.parse(path)
    terms = sorted(str(term) for term in ontology.subjects(OWL.deprecated, Literal(True)))
    return {term.removeprefix(MG): str(ontology.value(URIRef(term), DCTERMS.isReplacedBy)).removeprefix(MG) for term in terms}


def case(term: str) -> Store:
    store = Store()
    store.load(path=CASES / f"{term}.trig", format=RdfFormat.TRIG)
    return store


def migrated(store: Store, term: str, suffix: str) -> set[Quad]:
    """What the store holds after the update of that suffix was run on it."""
    (path,) = MIGRATIONS.glob(f"*/{term}{suffix}")
    store.update(path.read_text())
    return set(store)


def renamed(quad: Quad, term: str, heir: str) -> Quad:
    predicate = NamedNode(MG + heir) if quad.predicate.value == MG + term else quad.predicate
    return Quad(quad.subject, predicate, quad.object, quad.graph_name)


def test_there_is_a_deprecated_term_to_learn_from() -> None:
    assert heirs()


@pytest.mark.parametrize("term", heirs())
def test_a_deprecated_property_of_the_default_graph_is_replaced_and_nothing_else_changes(term: str) -> None:
    before = set(case(term))
    expected = {renamed(quad, term, heirs()[term]) if isinstance(quad.graph_name, DefaultGraph) else quad for quad in before}
    assert migrated(case(term), term, ".ru") == expected != before


@pytest.mark.parametrize("term", heirs())
def test_a_deprecated_property_of_named_graphs_is_replaced_in_the_graph_where_it_stood(term: str) -> None:
    before = set(case(term))
    expected = {quad if isinstance(quad.graph_name, DefaultGraph) else renamed(quad, term, heirs()[term]) for quad in before}
    assert migrated(case(term), term, ".named-graphs.ru") == expected != before


@pytest.mark.parametrize("suffix", [".ru", ".named-graphs.ru"])
@pytest.mark.parametrize("term", heirs())
def test_a_second_migration_changes_nothing(term: str, suffix: str) -> None:
    store = case(term)
    once = migrated(store, term, suffix)
    assert migrated(store, term, suffix) == once


def test_every_migration_is_of_a_deprecated_term() -> None:
    named = {path.name.partition(".")[0] for path in MIGRATIONS.glob("*/*.ru")}
    assert named == set(heirs())


@pytest.mark.parametrize("term", heirs())
def test_the_shipped_graph_does_not_use_a_deprecated_term(shipped_store: Store, term: str) -> None:
    assert not list(shipped_store.quads_for_pattern(None, NamedNode(MG + term), None, None))
