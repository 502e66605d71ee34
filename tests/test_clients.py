"""Clients that people use, unchanged, against the real service."""

from __future__ import annotations

import pytest
from rdflib import Graph, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, GET, JSON, POST, POSTDIRECTLY, TURTLE, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed

from tests.running import Service

DEALS = "SELECT ?deal { ?deal a <https://motorgraph.example/ontology/Deal> }"
DEAL = URIRef("https://motorgraph.example/id/deal/ford-geely-2026")
ACCEPTED = "https://motorgraph.example/graph/accepted"


def wrapper(service: Service, query: str, form: str) -> SPARQLWrapper:
    client = SPARQLWrapper(service.url + "/sparql", returnFormat=form)
    client.setQuery(query)
    return client


@pytest.mark.parametrize("method", [GET, POST])
def test_sparqlwrapper_gets_rows_by_get_and_by_post(shipped: Service, method: str) -> None:
    client = wrapper(shipped, DEALS, JSON)
    client.setMethod(method)
    found = {row["deal"]["value"] for row in client.query().convert()["results"]["bindings"]}  # type: ignore[index,call-overload]  # JSON
    assert str(DEAL) in found


def test_sparqlwrapper_posts_a_query_as_the_body(shipped: Service) -> None:
    client = wrapper(shipped, "ASK { ?s ?p ?o }", JSON)
    client.setMethod(POST)
    client.setRequestMethod(POSTDIRECTLY)
    assert client.query().convert()["boolean"] is True  # type: ignore[index,call-overload]  # JSON


def test_sparqlwrapper_reads_tables_and_graphs_in_its_other_formats(shipped: Service) -> None:
    rows = len(shipped.rows(DEALS))
    table = wrapper(shipped, DEALS, CSV).query().convert()
    assert isinstance(table, bytes)
    assert len(table.splitlines()) == rows + 1
    turtle = wrapper(shipped, f"DESCRIBE <{DEAL}>", TURTLE).query().convert()
    assert isinstance(turtle, bytes)
    described = Graph().parse(data=turtle, format="turtle")
    assert len(described) > 0
    assert (DEAL, None, None) in described


def test_sparqlwrapper_is_told_of_a_syntax_error(shipped: Service) -> None:
    with pytest.raises(QueryBadFormed, match="bad-syntax"):
        wrapper(shipped, "SELECT * {", JSON).query()


def test_rdflib_asks_the_service_as_a_store(shipped: Service) -> None:
    graph = Graph(SPARQLStore(shipped.url + "/sparql"))
    assert (DEAL, None, None) in graph
    assert len(list(graph.query(DEALS))) == len(shipped.rows(DEALS))
    assert list(graph.triples((DEAL, None, None)))


def test_rdflib_parses_a_graph_from_its_address(shipped: Service) -> None:
    graph = Graph().parse(f"{shipped.url}/graphs?graph={ACCEPTED}")
    (count,) = shipped.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{ACCEPTED}> {{ ?s ?p ?o }} }}")
    assert len(graph) == int(count["n"])
