"""Every answer says which commit it is from, and says so of the graph that it was really read from."""

from __future__ import annotations

import pytest

from tests.running import TOKEN, Service

JSON = "application/sparql-results+json"


@pytest.mark.parametrize("path", ["/", "/sparql", "/graphs", "/health", "/ready", "/nothing/here", "/sparql?query=nonsense"])
def test_every_response_names_the_newest_commit(plain: Service, path: str) -> None:
    commit = plain.client.get("/ready").json()["commit"]
    assert plain.client.get(path).headers["X-Commit"] == str(commit)


def test_a_write_names_the_commit_that_it_made(plain: Service, graph: str) -> None:
    before = int(plain.client.get("/ready").headers["X-Commit"])
    response = plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <a:b> <a:c> 1 }} }}")
    assert int(response.headers["X-Commit"]) == before + 1
    assert response.headers["ETag"].strip('"').endswith(f"-{before + 1}")


@pytest.mark.parametrize("text", ["SELECT ?s { ?s ?p ?o } LIMIT 1", "ASK { ?s ?p ?o }", "SELECT ?a { VALUES ?a {} }"])
def test_a_result_in_json_links_the_commit_in_its_head(plain: Service, text: str) -> None:
    response = plain.query(text)
    assert response.json()["head"]["link"] == [f"{plain.url}/changes/{response.headers['X-Commit']}"]


def test_the_link_is_there_whatever_way_the_answer_takes(plain: Service, graph: str) -> None:
    plain.put(graph, "\n".join(f"<a:{n}> <a:p> {n} ." for n in range(3000)))
    text = f"SELECT * {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    streamed = plain.client.post("/sparql", data={"query": text}, headers={"Accept": JSON, "Accept-Encoding": "gzip"})
    assert len(streamed.json()["results"]["bindings"]) == 3000
    assert streamed.json()["head"]["link"] == [f"{plain.url}/changes/{streamed.headers['X-Commit']}"]


def test_what_is_answered_after_a_write_is_from_that_commit(plain: Service, graph: str) -> None:
    for number in range(10):
        made = plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <a:b> <a:n> {number} }} }}").headers["X-Commit"]
        answer = plain.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")
        assert answer.headers["X-Commit"] == made
        assert answer.headers["ETag"].split("-")[1] == made
        assert answer.json()["results"]["bindings"][0]["n"]["value"] == str(number + 1)


def test_an_older_commit_is_asked_by_its_number(plain: Service, graph: str) -> None:
    made = [plain.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <a:b> <a:n> {n} }} }}").headers["X-Commit"] for n in range(3)]
    text = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    for place, commit in enumerate(made, 1):
        answer = plain.client.get("/sparql", params={"query": text, "at": commit}, headers={"Accept": JSON})
        assert (answer.headers["X-Commit"], answer.json()["results"]["bindings"][0]["n"]["value"]) == (commit, str(place))
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("at", "status", "says"),
    [("999999", 404, "there are 1 to"), ("0", 404, "there are 1 to"), ("x", 400, "such as 12 or"), ("2020-01-01", 404, "yet"),
     ("2020-13-99", 400, "is no time"), ("", 400, "a value"), ("9" * 400, 400, "no time")],
)  # fmt: skip
def test_a_commit_that_is_none_is_refused_in_words(plain: Service, at: str, status: int, says: str) -> None:
    response = plain.client.get("/sparql", params={"query": "ASK {}", "at": at})
    assert response.status_code == status
    assert says in response.json()["detail"]


def test_an_update_cannot_change_what_has_been(plain: Service) -> None:
    response = plain.client.post("/sparql", data={"update": "CLEAR ALL", "at": "1"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 400
    assert "what has been cannot be changed" in response.json()["detail"]
