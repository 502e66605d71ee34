"""/cite says how to name a query or the data at a commit, and its link gives the same answer later."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from motorgraph.citation import Citation
from tests.running import Service

ACCEPT_JSON = {"Accept": "application/json"}


def cited(service: Service, **parameters: str) -> dict[str, Any]:  # Any: free JSON
    response = service.client.get("/cite", params=parameters, headers=ACCEPT_JSON)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["X-Commit"] == str(found["commit"])
    return found


def test_the_link_of_a_citation_gives_the_same_answer_when_the_graph_has_changed(plain: Service, graph: str) -> None:
    plain.put(graph, "<a:s> <a:p> 1, 2 .")
    query = f"# How many there are.\nSELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    found = cited(plain, query=query)
    before = plain.client.get(found["link"], headers={"Accept": "text/csv"})
    plain.put(graph, "<a:s> <a:p> 1 .")
    after = plain.client.get(found["link"], headers={"Accept": "text/csv"})
    assert before.text == after.text == "n\r\n2\r\n"
    assert after.headers["X-Commit"] == str(found["commit"])
    assert (found["title"], found["query"], found["notes"]) == ("How many there are", query, [])


def test_the_dataset_of_a_query_goes_into_its_link(plain: Service, graph: str) -> None:
    plain.put(graph, "<a:s> <a:p> 1, 2, 3 .")
    found = cited(plain, query="SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", **{"default-graph-uri": graph})
    assert plain.client.get(found["link"], headers={"Accept": "text/csv"}).text == "n\r\n3\r\n"


def test_an_older_commit_is_cited_by_number_or_time(plain: Service, graph: str) -> None:
    commit = plain.put(graph, "<a:s> <a:p> 1 .").headers["X-Commit"]
    plain.put(graph, "<a:s> <a:p> 2 .")
    found = cited(plain, query="ASK {}", at=commit)
    assert found["link"].endswith(f"&at={commit}")
    assert cited(plain, query="ASK {}", at=found["time"])["commit"] == int(commit)
    told = plain.client.get(f"/changes/{commit}").json()
    assert (found["time"], found["digest"], found["lineage"]) == (told["time"], told["digest"], told["lineage"])
    assert plain.client.get("/cite?query=ASK+{}&at=999999").status_code == 404


def test_the_data_set_is_cited_without_a_query(shipped: Service) -> None:
    found = cited(shipped)
    assert found["query"] is None
    assert found["licences"] == ["https://creativecommons.org/licenses/by/4.0/"]
    assert found["link"] == f"{shipped.url}/graphs?at={found['commit']}"
    assert found["text"].startswith("motorgraph (20")
    assert shipped.client.head(found["link"]).status_code == 200


def test_a_store_of_somebodys_own_states_no_licence(plain: Service) -> None:
    found = cited(plain)
    assert found["licences"] == []
    assert "icence" not in found["text"] + found["bibtex"]


def test_bibliographies_get_their_own_formats(plain: Service) -> None:
    found = cited(plain, query="ASK {}")
    bibtex = plain.client.get("/cite?query=ASK+{}", headers={"Accept": "application/x-bibtex"})
    assert bibtex.headers["Content-Type"] == "application/x-bibtex"
    assert bibtex.text == found["bibtex"]
    csl = plain.client.get("/cite?query=ASK+{}", headers={"Accept": "application/vnd.citationstyles.csl+json"}).json()
    assert csl == found["csl"]
    (entry,) = csl
    assert (entry["type"], entry["version"], entry["URL"]) == ("dataset", f"commit {found['commit']}", found["link"])
    assert entry["issued"]["date-parts"][0] == [int(part) for part in found["time"][:10].split("-")]
    assert plain.client.get("/cite", headers={"Accept": "text/turtle"}).status_code == 406


def test_a_title_cannot_break_out_of_bibtex() -> None:
    made = Citation(
        "50 % of {a} & b_c \\d", 3, "2026-11-22T10:00:00+00:00", "ab12", "http://x/?q=%7B%7D", "", "x", date(2026, 11, 26)
    )
    assert r"title = {{50 \% of \{a\} \& b\_c \textbackslash{}d}}" in made.bibtex
    balanced = re.sub(r"\\[{}]", "", made.bibtex)
    assert balanced.count("{") == balanced.count("}")
    assert made.key == "motorgraph-ab12-3"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (NOW() AS ?n) {}",
        "SELECT (rand() AS ?n) {}",
        "SELECT * { BIND(STRUUID() AS ?x) }",
        "ASK { SERVICE <http://x/> {} }",
        "SELECT (BNODE() AS ?b) {}",
        "SELECT (N\\u004FW() AS ?n) {}",
    ],
)
def test_a_query_that_changes_by_itself_cannot_be_cited(plain: Service, query: str) -> None:
    response = plain.client.get("/cite", params={"query": query})
    assert response.status_code == 400
    assert "citation cannot be exact" in response.json()["detail"]


@pytest.mark.parametrize("query", ["SELECT ?known { ?known <http://x/now> 'rand()' } # service", "ASK { ?s :uuid ?o }"])
def test_a_word_that_only_holds_such_a_name_is_no_hindrance(plain: Service, query: str) -> None:
    assert cited(plain, query=query)["query"] == query


def test_a_limit_without_an_order_is_pointed_out(plain: Service) -> None:
    (note,) = cited(plain, query="SELECT ?s { ?s ?p ?o } LIMIT 3")["notes"]
    assert "ORDER BY" in note
    assert cited(plain, query="SELECT ?s { ?s ?p ?o } ORDER BY ?s LIMIT 3")["notes"] == []


@pytest.mark.parametrize(
    ("query", "status"), [("", 400), ("&query=ASK{}&query=ASK{}", 400), ("&update=CLEAR+ALL", 400), ("x" * 16_385, 413)]
)
def test_what_is_no_query_is_refused(plain: Service, query: str, status: int) -> None:
    assert plain.client.get(f"/cite?query={query}").status_code == status


def test_the_query_page_leads_to_a_page_that_a_browser_can_read(plain: Service) -> None:
    form = plain.client.get("/sparql", headers={"Accept": "text/html"}).text
    assert 'formaction="/cite"' in form
    page = plain.client.get("/cite", params={"query": "ASK { ?s ?p '<b>' }"}, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "ASK { ?s ?p &#39;&lt;b&gt;&#39; }" in page.text
    assert "@misc{motorgraph-" in page.text
    assert "<b>" not in page.text
