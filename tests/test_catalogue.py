"""The service description: RDF that says what runs, and nothing that does not (SPARQL 1.1 Service Description)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from rdflib import RDF, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from motorgraph.catalogue.about import About
from motorgraph.catalogue.edition import Edition
from motorgraph.catalogue.service import service_description
from motorgraph.catalogue.statistics import Statistics
from motorgraph.catalogue.stock import Counted
from motorgraph.media import GRAPHS, JSONLD, NTRIPLES, READABLE, SOLUTIONS, TURTLE, Format
from motorgraph.settings import Settings
from tests.running import Service

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = Namespace("http://rdfs.org/ns/void#")
ENDPOINT = "http://127.0.0.1:8800/sparql"
TALLY = (
    ("quads", "http://g/a", 1),
    ("quads", "http://g/b", 2),
    ("triples", "http://p", 3),
    ("subjects", "http://p", 2),
    ("objects", "http://p", 3),
)
# What rdflib's own parsers for several graphs call is deprecated in rdflib.
pytestmark = pytest.mark.filterwarnings("ignore:(ConjunctiveGraph|Dataset.default_context):DeprecationWarning")
PARSERS = {"Turtle": "turtle", "N-Triples": "nt", "N-Quads": "nquads", "TriG": "trig", "JSON-LD": "json-ld", "RDF/XML": "xml"}


def settings(**given: Any) -> Settings:  # Any: settings of every type
    """The settings that differ from the defaults."""
    return Settings(**given)


def edition(tally: Sequence[Sequence[str | int]] = TALLY, **given: Any) -> Edition:  # Any: settings of every type
    """What there is to say of a service with these settings and of a graph in which that was counted."""
    return Edition(settings(**given), ENDPOINT.removesuffix("/sparql"), Counted(1, Statistics(tally), About(), "", ""))


def described(tally: Sequence[Sequence[str | int]] = TALLY, **given: Any) -> Graph:  # Any: as above
    """Its description, as rdflib reads it."""
    return Graph().parse(data=service_description(edition(tally, **given)).serialised(TURTLE), format="turtle")


def service_of(graph: Graph) -> Node:
    """The one service that is described."""
    (service,) = graph.subjects(RDF.type, SD.Service)
    return service


def names(graph: Graph, predicate: URIRef) -> set[str]:
    """What the service says with a predicate of the vocabulary, without its namespace."""
    return {str(value).removeprefix(str(SD)) for value in graph.objects(service_of(graph), predicate)}


@pytest.mark.parametrize("form", GRAPHS, ids=lambda form: form.name)
def test_every_format_says_the_same(form: Format) -> None:
    data = service_description(edition()).serialised(form)
    assert len(Graph().parse(data=data, format=PARSERS[form.name])) == len(described())


def test_there_is_one_service_with_one_endpoint() -> None:
    graph = described()
    assert list(graph.objects(service_of(graph), SD.endpoint)) == [URIRef(ENDPOINT)]


def test_the_default_dataset_links_its_default_graph_and_every_named_graph_has_its_name() -> None:
    graph = described()
    (dataset,) = graph.objects(service_of(graph), SD.defaultDataset)
    assert (dataset, RDF.type, SD.Dataset) in graph
    (default,) = graph.objects(dataset, SD.defaultGraph)
    assert (default, RDF.type, SD.Graph) in graph
    named = list(graph.objects(dataset, SD.namedGraph))
    assert sorted(str(name) for node in named for name in graph.objects(node, SD.name)) == ["http://g/a", "http://g/b"]
    assert all(len(list(graph.objects(node, SD.name))) == 1 for node in named)
    assert all((node, RDF.type, SD.NamedGraph) in graph for node in named)


def test_each_graph_says_how_many_triples_it_has() -> None:
    graph = described()
    counts = {
        str(graph.value(node, SD.name)): graph.value(graph.value(node, SD.graph), VOID.triples)
        for node in graph.subjects(RDF.type, SD.NamedGraph)
    }
    assert counts == {"http://g/a": Literal(1), "http://g/b": Literal(2)}
    (default,) = graph.objects(None, SD.defaultGraph)
    assert graph.value(default, VOID.triples) == Literal(3)
    unnamed = described([*TALLY, ("quads", "", 7)], plain=True)
    (default,) = unnamed.objects(None, SD.defaultGraph)
    assert unnamed.value(default, VOID.triples) == Literal(7)


def test_a_service_without_a_graph_has_a_default_graph_all_the_same() -> None:
    graph = described(())
    (default,) = graph.objects(None, SD.defaultGraph)
    assert graph.value(default, VOID.triples) == Literal(0)
    assert list(graph.objects(None, SD.namedGraph)) == []


def test_updates_are_claimed_only_where_a_token_allows_them() -> None:
    assert names(described(), SD.supportedLanguage) == {"SPARQL10Query", "SPARQL11Query"}
    with_token = described(write_token="t")
    assert names(with_token, SD.supportedLanguage) == {"SPARQL10Query", "SPARQL11Query", "SPARQL11Update"}


def test_what_is_read_is_told_only_where_a_token_allows_writes() -> None:
    assert names(described(), SD.inputFormat) == set()
    assert names(described(write_token="t"), SD.inputFormat) == {form.iri for form in READABLE}


def test_every_format_that_is_written_is_told_by_its_w3c_name() -> None:
    found = names(described(), SD.resultFormat)
    assert found == {form.iri for form in (*SOLUTIONS, *GRAPHS)}
    assert all(iri.startswith("http://www.w3.org/ns/formats/") for iri in found)


def test_federation_is_claimed_only_where_hosts_are_allowed() -> None:
    assert "BasicFederatedQuery" not in names(described(), SD.feature)
    assert "BasicFederatedQuery" in names(described(service_hosts=("a.example",)), SD.feature)


def test_no_service_claims_to_fetch_graphs() -> None:
    for graph in (described(), described(plain=True, write_token="t", service_hosts=("a.example",))):
        assert not {"DereferencesURIs", "RequiresDataset"} & names(graph, SD.feature)


@pytest.mark.parametrize(("plain", "is_union"), [(False, True), (True, False)])
def test_a_union_is_claimed_where_the_default_graph_is_one(plain: bool, is_union: bool) -> None:
    assert ("UnionDefaultGraph" in names(described(plain=plain), SD.feature)) is is_union


def test_only_terms_of_the_vocabulary_are_used() -> None:
    graph = described(write_token="t", service_hosts=("a.example",))
    known = {
        *("Service", "Dataset", "Graph", "NamedGraph", "SPARQL10Query", "SPARQL11Query", "SPARQL11Update"),
        *("UnionDefaultGraph", "BasicFederatedQuery", "EmptyGraphs", "endpoint", "feature", "supportedLanguage"),
        *("defaultDataset", "defaultGraph", "namedGraph", "name", "graph", "resultFormat", "inputFormat"),
    }
    used = {str(term).removeprefix(str(SD)) for triple in graph for term in triple if str(term).startswith(str(SD))}
    assert used <= known


# Over HTTP


def fetched(service: Service, form: Format = TURTLE) -> Graph:
    """The description that a running service gives."""
    response = service.client.get("/sparql", headers={"Accept": form.media_type})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].partition(";")[0] == form.media_type
    return Graph().parse(data=response.content, format=PARSERS[form.name])


@pytest.mark.parametrize("form", [TURTLE, NTRIPLES, JSONLD], ids=lambda form: form.name)
def test_the_endpoint_without_a_query_gives_the_description_and_names_itself(plain: Service, form: Format) -> None:
    graph = fetched(plain, form)
    assert list(graph.objects(service_of(graph), SD.endpoint)) == [URIRef(f"{plain.url}/sparql")]


def test_no_accept_gets_the_description_in_turtle(plain: Service) -> None:
    response = plain.client.get("/sparql", headers={"Accept": "*/*"})
    assert response.headers["content-type"].startswith("text/turtle")


def test_what_runs_is_what_is_claimed(plain: Service, shipped: Service) -> None:
    assert "UnionDefaultGraph" not in names(fetched(plain), SD.feature)
    assert "UnionDefaultGraph" in names(fetched(shipped), SD.feature)
    assert "SPARQL11Update" in names(fetched(plain), SD.supportedLanguage)
    for service in (plain, shipped):
        assert "BasicFederatedQuery" not in names(fetched(service), SD.feature)


def test_a_new_graph_is_described_at_once_with_its_triples(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1, 2, 3 .")
    found = fetched(plain)
    node = found.value(predicate=SD.name, object=URIRef(graph))
    assert found.value(found.value(node, SD.graph), VOID.triples) == Literal(3)


def test_an_emptied_graph_does_not_vanish_where_empty_graphs_are_claimed(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    plain.update(f"DELETE WHERE {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
    found = fetched(plain)
    node = found.value(predicate=SD.name, object=URIRef(graph))
    assert found.value(found.value(node, SD.graph), VOID.triples) == Literal(0)
    assert "EmptyGraphs" in names(found, SD.feature)
    assert plain.client.get("/graphs", params={"graph": graph}).status_code == 200


def test_the_shipped_graphs_are_described_by_name(shipped: Service) -> None:
    found = {str(name) for name in fetched(shipped).objects(None, SD.name)}
    assert {f"https://motorgraph.example/graph/{name}" for name in ("ontology", "shapes", "reference", "accepted")} <= found


def test_nodes_of_the_description_are_blank_and_so_claim_no_iri(plain: Service) -> None:
    assert isinstance(service_of(fetched(plain)), BNode)
