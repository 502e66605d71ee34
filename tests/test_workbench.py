"""The query page without scripts: the answer of a query as a table, its pages, its faults; what the address can name."""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from motorgraph.resources import web
from tests.running import Service

BASE = "https://motorgraph.example"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PLANTS = """PREFIX mg: <https://motorgraph.example/ontology/>
SELECT ?plant ?country { ?plant a mg:Plant ; mg:country ?country } ORDER BY ?plant"""


def page(service: Service, query: str, **more: str) -> str:
    found = service.client.get("/sparql", params={"query": query, **more}, headers={"Accept": BROWSER})
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    return found.text


def cells(text: str) -> list[str]:
    return [unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", text, re.DOTALL)]


def setup(text: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(re.findall(r'<script type="application/json" id="setup">(.*?)</script>', text)[0])
    return found


def test_a_browser_gets_an_answer_as_a_table_with_names_and_links_of_things(shipped: Service) -> None:
    text = page(shipped, PLANTS)
    first = shipped.rows(PLANTS)[0]
    assert f'<a href="{first["plant"].replace(f"{BASE}/id", "/page")}" title="{first["plant"]}">' in text
    assert f'<a href="/page/country/be" title="{BASE}/id/country/be">Belgium</a>' in text
    assert "mg:Plant ; mg:country ?country" in text


def test_a_long_answer_is_shown_by_pages_that_lead_to_each_other(shipped: Service) -> None:
    rows = shipped.rows(PLANTS)
    first, second = page(shipped, PLANTS), page(shipped, PLANTS, page="2")
    assert len(cells(first)) == len(cells(second)) == 400
    onward = unescape(re.findall(r'rel="next" href="([^"]*)"', first)[0])
    assert parse_qs(urlsplit(onward).query) == {"query": [PLANTS], "page": ["2"]}
    assert rows[200]["plant"] in second
    assert "Rows 201 to 400" in second
    last = page(shipped, PLANTS, page=str(len(rows) // 200 + 1))
    assert 'rel="next"' not in last
    assert 'rel="prev"' in last


def test_an_answer_that_is_here_whole_need_not_be_asked_for_again(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> '</script><b>' , 7 .")
    query = f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }} ORDER BY ?o"
    answer = setup(page(plain, query))["answer"]
    assert isinstance(answer, dict)
    assert answer["text"].split("\n")[1:] == ["7", '"</script><b>"', ""] or '"</script><b>"' in answer["text"]
    long = "SELECT ?x { VALUES ?x { " + " ".join(map(str, range(201))) + " } }"
    assert setup(page(plain, long))["answer"] is None


def test_a_truth_value_and_triples_are_shown_too(plain: Service) -> None:
    assert '<b class="truth">Yes</b>' in page(plain, "ASK {}")
    assert '<b class="truth">No</b>' in page(plain, "ASK { ?s <http://x/nothing> ?o }")
    made = page(plain, "CONSTRUCT { <http://x/a> <http://x/p> 'one\\ntwo' } {}")
    assert cells(made) == ["http://x/a", "http://x/p", "one\ntwo"]
    assert "format=ttl" in made
    assert "format=csv" not in made


def test_what_is_not_bound_is_not_known(plain: Service) -> None:
    assert cells(page(plain, "SELECT ?a ?b { VALUES (?a ?b) { (1 UNDEF) } }")) == ["1", "not known"]


def test_a_fault_is_told_on_the_page_with_its_place_and_the_text_kept(plain: Service) -> None:
    found = plain.client.get("/sparql", params={"query": "SELECT ?x WHERE {\n ?x a mg:<b> }"}, headers={"Accept": BROWSER})
    assert found.status_code == 400
    assert "Line 2, column 10" in found.text
    assert "?x a mg:&lt;b&gt; }</textarea>" in found.text
    assert setup(found.text)["fault"] == {"line": 2, "column": 10}


def test_the_page_asks_of_the_commit_and_the_graphs_that_the_address_names(shipped: Service) -> None:
    graph = "https://motorgraph.example/graph/reference"
    text = page(shipped, "SELECT ?s { ?s ?p ?o } LIMIT 1", at="1", **{"default-graph-uri": graph})
    assert '<input type="hidden" name="at" value="1">' in text
    assert f'<input type="hidden" name="default-graph-uri" value="{graph}">' in text


def test_a_fault_without_a_place_is_told_too(plain: Service) -> None:
    found = plain.client.get("/sparql", params={"query": "SELECT (<http://x/none>(1) AS ?x) {}"}, headers={"Accept": BROWSER})
    assert found.status_code == 400
    assert setup(found.text)["fault"] == {"line": None, "column": None}


@pytest.mark.parametrize("number", ["0", "-1", "x", "9999999"])
def test_a_page_that_is_none_is_refused(plain: Service, number: str) -> None:
    found = plain.client.get("/sparql", params={"query": "ASK {}", "page": number}, headers={"Accept": BROWSER})
    assert found.status_code == 400


def test_a_page_is_had_by_who_takes_nothing_else(plain: Service) -> None:
    found = plain.query("ASK {}", "text/html")
    assert (found.status_code, found.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("accept", ["*/*", "application/xml, text/html;q=0.5", "application/sparql-results+xml", "text/csv"])
def test_who_does_not_prefer_a_page_gets_none(plain: Service, accept: str) -> None:
    found = plain.query("SELECT (1 AS ?x) {}", accept)
    assert found.status_code == 200
    assert "html" not in found.headers["content-type"]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("tsv", "text/tab-separated-values; charset=utf-8"),
        ("json", "application/sparql-results+json"),
        ("xml", "application/sparql-results+xml"),
    ],
)
def test_an_address_can_name_the_format_whatever_a_browser_prefers(plain: Service, name: str, media_type: str) -> None:
    found = plain.client.get("/sparql", params={"query": "SELECT (1 AS ?x) {}", "format": name}, headers={"Accept": BROWSER})
    assert found.headers["content-type"] == media_type
    assert found.headers["content-disposition"] == f'attachment; filename="answer.{name}"'
    if name == "csv":
        assert list(csv.reader(found.text.splitlines())) == [["x"], ["1"]]


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are(plain: Service) -> None:
    found = plain.client.get("/sparql", params={"query": "ASK {}", "format": "xls"})
    assert found.status_code == 400
    assert "json, xml, csv, tsv" in found.json()["detail"]


@pytest.mark.parametrize("name", sorted(path.stem for path in web("examples").glob("*.rq")))
def test_an_example_has_an_answer(shipped: Service, name: str) -> None:
    assert shipped.rows((web("examples") / f"{name}.rq").read_text())


def test_a_query_is_checked_without_being_asked(plain: Service) -> None:
    def checked(text: str) -> object:
        sent = plain.client.post("/sparql/check", content=text, headers={"Content-Type": "application/sparql-query"})
        assert sent.status_code == 200, sent.text
        return sent.json()

    assert checked("SELECT * { ?s ?p ?o }") == {"answer": "table"}
    assert checked("ASK {}") == {"answer": "truth"}
    assert checked("CONSTRUCT { ?s ?p << ?a ?b ?c >> } WHERE { ?s ?p ?a . ?a ?b ?c }") == {"answer": "graph"}
    fault = {
        "detail": "Line 1, column 12: the text ends here; expected a predicate (an IRI, a variable or a path).",
        "line": 1,
        "column": 12,
    }
    assert checked("ASK { ?s")["fault"]["line"] == 1  # type: ignore[index]
    assert set(fault) == set(checked("ASK { ?s")["fault"])  # type: ignore[index]
    assert "SERVICE" in checked("ASK { SERVICE <http://x.example/> {} }")["fault"]["detail"]  # type: ignore[index]


def test_only_a_query_is_checked(plain: Service) -> None:
    assert plain.client.post("/sparql/check", content="x").status_code == 415
    assert plain.client.get("/sparql/check").status_code == 405


def test_the_vocabulary_says_how_many_things_of_a_class_have_a_property(shipped: Service) -> None:
    sent = shipped.client.get("/sparql/vocabulary")
    told = sent.json()
    places = {word["iri"]: place for place, word in enumerate(told["classes"])}
    plant = places["https://motorgraph.example/ontology/Plant"]
    country = next(word for word in told["properties"] if word["iri"] == "https://motorgraph.example/ontology/country")
    (counted,) = shipped.rows(
        "PREFIX mg: <https://motorgraph.example/ontology/> SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s a mg:Plant ; mg:country ?o }"
    )
    assert country["of"][str(plant)] == int(counted["n"])
    assert country["says"]
    assert places["https://motorgraph.example/ontology/Country"] in country["towards"]
    assert told["prefixes"]["mg"] == "https://motorgraph.example/ontology/"
    again = shipped.client.get("/sparql/vocabulary", headers={"If-None-Match": sent.headers["etag"]})
    assert again.status_code == 304
