"""Clients that people use, unchanged, against the real service."""

from __future__ import annotations

from urllib.error import HTTPError

import pytest
from rdflib import RDFS, Graph, Literal, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore, SPARQLUpdateStore
from SPARQLWrapper import CSV, GET, JSON, POST, POSTDIRECTLY, TURTLE, URLENCODED, SPARQLWrapper
from SPARQLWrapper.SPARQLExceptions import QueryBadFormed, Unauthorized

from tests.running import TOKEN, Service

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


def update_store(service: Service) -> SPARQLUpdateStore:
    """rdflib's store over the service, with the token."""
    address = service.url + "/sparql"
    return SPARQLUpdateStore(address, address, headers={"Authorization": f"Bearer {TOKEN}"})


def test_rdflib_writes_as_a_store_and_reads_it_back(plain: Service, graph: str) -> None:
    written = Graph(update_store(plain), URIRef(graph))
    one, other = (DEAL, RDFS.label, Literal("ein Zeichen: ß, ', \\", lang="de")), (DEAL, RDFS.label, Literal(2))
    written.add(one)
    written += [other]
    assert set(Graph(SPARQLStore(plain.url + "/sparql"), URIRef(graph))) == {one, other}
    written.remove(other)
    assert set(written) == {one}
    written.update("INSERT { ?s ?p 'more' } WHERE { ?s ?p ?o }")
    assert (DEAL, RDFS.label, Literal("more")) in written
    written.store.remove_graph(written)
    assert len(written) == 0
    assert plain.query(f"ASK {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}").json()["boolean"] is False


def test_rdflib_is_told_that_a_write_needs_the_token(plain: Service, graph: str) -> None:
    address = plain.url + "/sparql"
    written = Graph(SPARQLUpdateStore(address, address), URIRef(graph))
    with pytest.raises(HTTPError, match="401"):
        written.add((DEAL, RDFS.label, Literal("no")))


@pytest.mark.parametrize("way", [URLENCODED, POSTDIRECTLY])
def test_sparqlwrapper_writes_by_form_and_as_the_body(plain: Service, graph: str, way: str) -> None:
    client = wrapper(plain, f"INSERT DATA {{ GRAPH <{graph}> {{ <{DEAL}> <{RDFS.label}> 'ö' }} }}", JSON)
    client.setMethod(POST)
    client.setRequestMethod(way)
    with pytest.raises(Unauthorized):
        client.query()
    client.addCustomHttpHeader("Authorization", f"Bearer {TOKEN}")
    client.query()
    assert plain.rows(f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"o": "ö"}]


def test_rdflib_parses_a_graph_from_its_address(shipped: Service) -> None:
    graph = Graph().parse(f"{shipped.url}/graphs?graph={ACCEPTED}")
    (count,) = shipped.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{ACCEPTED}> {{ ?s ?p ?o }} }}")
    assert len(graph) == int(count["n"])
