"""The contract of both stores: what a client meets is the same, whether the graph is in memory or in another engine."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pyoxigraph as ox
import pytest

from tests.moving import nameless
from tests.running import TOKEN, Service, service

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
TURTLE = AUTHORIZED | {"Content-Type": "text/turtle"}
DATA = """
PREFIX : <http://x/> INSERT DATA {
  GRAPH <G> { :s :p 1, "é\\n\\"<i>"@en, [ :q 2 ] . :t :p 01 } GRAPH <G/2> { :s :p 1 ; :r :t } }
"""


VIRTUOSO = pytest.param("on_virtuoso", marks=pytest.mark.virtuoso)
JENA = pytest.param("on_jena", marks=pytest.mark.jena)


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """As `plain`, and it makes dumps."""
    with service(tmp_path_factory.mktemp("in-memory"), "--plain", "--query-seconds", "5") as running:
        yield running


@pytest.fixture(params=["in_memory", "elsewhere", VIRTUOSO, JENA])
def store(request: pytest.FixtureRequest) -> Service:
    """A service with either store."""
    running: Service = request.getfixturevalue(request.param)
    return running


@pytest.fixture(params=["elsewhere", VIRTUOSO, JENA])
def remote(request: pytest.FixtureRequest) -> Service:
    """A service with a remote store."""
    running: Service = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def both(in_memory: Service, remote: Service) -> tuple[Service, Service]:
    """One with each."""
    return in_memory, remote


@pytest.fixture
def filled(store: Service, graph: str) -> Iterator[tuple[Service, str]]:
    """One with the data in two graphs."""
    assert store.update(DATA.replace("<G", f"<{graph}")).status_code == 204
    yield store, graph
    store.update(f"DROP SILENT GRAPH <{graph}> ; DROP SILENT GRAPH <{graph}/2>")


def graph_of(running: Service, iri: str, accept: str = "application/n-triples") -> set[ox.Triple]:
    """What the graph store gives for a graph, its blank nodes by what they say."""
    response = running.client.get("/graphs", params={"graph": iri}, headers={"Accept": accept})
    assert response.status_code == 200, response.text
    form = ox.RdfFormat.from_media_type(accept)
    return triples_of(ox.parse(response.content, form, base_iri=iri))


def triples_of(quads: Iterable[ox.Quad]) -> set[ox.Triple]:
    """What quads say, in whatever graph, their blank nodes by what they say."""
    return {quad.triple for quad in nameless(ox.Quad(*quad.triple) for quad in quads)}


@pytest.mark.parametrize(
    "accept",
    ["application/sparql-results+json", "application/sparql-results+xml", "text/tab-separated-values", "text/csv"],
)
def test_a_table_comes_in_every_format_with_its_blank_nodes(filled: tuple[Service, str], accept: str) -> None:
    running, graph = filled
    text = f"SELECT ?o (isBlank(?o) AS ?b) (isIRI(?o) AS ?i) {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> ?o }} }}"
    response = running.query(text, accept)
    assert response.headers["content-type"].startswith(accept)
    assert ".well-known/genid" not in response.text
    if accept == "text/csv":
        assert sum(line.startswith("_:") and line.endswith(",true,false") for line in response.text.split()) == 1
        return
    found = ox.parse_query_results(response.content, ox.QueryResultsFormat.from_media_type(accept))
    assert isinstance(found, ox.QuerySolutions)
    told = {type(row["o"]).__name__: (row["b"].value, row["i"].value) for row in found}
    assert told == {"BlankNode": ("true", "false"), "Literal": ("false", "false")}
    if accept.endswith("json"):
        assert "/changes/" in response.json()["head"]["link"][0]


@pytest.mark.parametrize("accept", ["text/turtle", "application/n-triples", "application/ld+json", "application/rdf+xml"])
def test_a_graph_comes_in_every_format_with_its_blank_nodes(filled: tuple[Service, str], accept: str) -> None:
    running, graph = filled
    assert graph_of(running, graph, accept) == graph_of(running, graph)
    text = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    response = running.query(text, accept)
    found = set(ox.parse(response.content, ox.RdfFormat.from_media_type(accept), base_iri=graph))
    assert len(found) == 5
    assert sum(isinstance(quad.object, ox.BlankNode) for quad in found) == 1


def test_graphs_that_overlap_are_merged(filled: tuple[Service, str]) -> None:
    running, graph = filled
    text = f"SELECT (COUNT(*) AS ?n) FROM <{graph}> FROM <{graph}/2> {{ <http://x/s> ?p 1 }}"
    assert running.rows(text) == [{"n": "1"}]
    assert running.rows(f"SELECT ?p FROM NAMED <{graph}/2> {{ GRAPH ?g {{ <http://x/s> ?p <http://x/t> }} }}") == [
        {"p": "http://x/r"}
    ]


def test_a_mistake_is_told_with_its_place_and_a_host_is_refused(store: Service) -> None:
    mistake = store.query("SELECT * {\n ?s ?p }")
    assert (mistake.status_code, mistake.json()["line"], mistake.json()["column"]) == (400, 2, 8)
    mistake = store.update("INSERT DATA {\n <http://x/s> <http://x/p> }")
    assert (mistake.status_code, mistake.json()["line"], mistake.json()["column"]) == (400, 2, 28)
    assert store.query("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }").status_code == 403
    assert store.query("SELECT * { ?s ?p ?o }", "text/turtle").status_code == 406


def test_a_query_that_takes_too_long_is_ended_and_the_next_is_answered(elsewhere: Service, graph: str) -> None:
    store = elsewhere  # of the graph in memory it is told by test_hostile.py
    rows = " ".join(f"<http://x/{n}>" for n in range(200))
    made = store.update(
        f"INSERT {{ GRAPH <{graph}> {{ ?s <http://x/p> ?o }} }} WHERE {{ VALUES ?s {{ {rows} }} VALUES ?o {{ 1 2 3 }} }}"
    )
    assert made.status_code == 204, made.text
    slow = (
        f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?a ?p ?x . ?b ?q ?y . ?c ?r ?z . ?d ?t ?v FILTER(?x + ?y + ?z = 99) }} }}"
    )
    response = store.query(slow)
    assert (response.status_code, response.json()["type"].rpartition("/")[2]) == (503, "deadline-exceeded")
    assert store.query(f"ASK {{ GRAPH <{graph}> {{ ?s ?p 3 }} }}").json()["boolean"]


def test_the_graph_store_protocol_is_kept(store: Service, graph: str) -> None:
    at = {"graph": graph}
    ask = store.client
    assert ask.get("/graphs", params=at).status_code == 404
    assert ask.put("/graphs", params=at, content="<http://x/s> <http://x/p> [], 1 .", headers=TURTLE).status_code == 201
    assert ask.post("/graphs", params=at, content="<http://x/s> <http://x/p> 2, 1 .", headers=TURTLE).status_code == 204
    assert len(graph_of(store, graph)) == 3
    assert ask.put("/graphs", params=at, content="", headers=TURTLE).status_code == 204
    assert ask.get("/graphs", params=at).status_code == 200  # it is there, and empty
    patch = AUTHORIZED | {"Content-Type": "application/sparql-update"}
    assert (
        ask.patch("/graphs", params=at, content="INSERT DATA { <http://x/s> <http://x/p> 3 }", headers=patch).status_code == 204
    )
    assert len(graph_of(store, graph)) == 1
    assert ask.delete("/graphs", params=at, headers=AUTHORIZED).status_code == 204
    assert ask.delete("/graphs", params=at, headers=AUTHORIZED).status_code == 404


def test_the_default_graph_is_apart_from_the_named(filled: tuple[Service, str]) -> None:
    running, graph = filled
    assert running.update(f"INSERT DATA {{ <{graph}/s> <http://x/p> 1 }}").status_code == 204
    assert running.rows(f"SELECT ?o {{ <{graph}/s> ?p ?o }}") == [{"o": "1"}]
    named = f"GRAPH ?g {{ <http://x/s> <http://x/r> ?o }} FILTER(STRSTARTS(STR(?g), '{graph}'))"
    either = f"SELECT ?g {{ {{ <{graph}/s> ?p 1 }} UNION {{ {named} }} }}"
    assert sorted(running.rows(either), key=str) == [{"g": f"{graph}/2"}, {}]
    assert running.rows(f"SELECT * {{ GRAPH ?g {{ <{graph}/s> ?p ?o }} }}") == []
    assert running.update(f"DELETE DATA {{ <{graph}/s> <http://x/p> 1 }}").status_code == 204
    assert running.rows(f"SELECT ?o {{ <{graph}/s> ?p ?o }}") == []


UPDATES = (
    "INSERT DATA { GRAPH <G> { :s :p 1 , 2 , [ :q 3 ] } GRAPH <G/2> { :s :p 1 } }",
    "WITH <G> DELETE { ?s :p ?o } INSERT { ?s :r ?o } WHERE { ?s :p ?o FILTER(isNumeric(?o)) }",
    "DELETE { GRAPH ?g { ?s ?p 1 } } WHERE { GRAPH ?g { ?s ?p 1 } FILTER(STRSTARTS(STR(?g), 'G')) }",
    "INSERT { GRAPH <G/3> { ?s :t ?o } } USING <G> WHERE { ?s ?p ?o }",
    "INSERT { GRAPH <G> { ?s :new [] } } WHERE { GRAPH <G> { ?s :r ?o } }",
    "COPY <G> TO <G/4> ; DROP SILENT GRAPH <G/none>",
    "DELETE WHERE { GRAPH <G> { ?b :q 3 } } ; INSERT DATA { GRAPH <G> { :u :v 'w' } }",
    "MOVE <G/3> TO <G/2>",
    "ADD <G/2> TO <G>",
    "CLEAR GRAPH <G/4>",
    "CREATE GRAPH <G/5>",
    "DROP GRAPH <G/2>",
    "DELETE DATA { GRAPH <G> { :u :v 'w' } }",
)


def test_updates_of_every_kind_do_the_same_to_both(both: tuple[Service, Service], graph: str) -> None:
    for number, text in enumerate(UPDATES):
        told = "PREFIX : <http://x/> " + text.replace("<G", f"<{graph}").replace("'G'", f"'{graph}'")
        assert [running.update(told).status_code for running in both] == [204, 204], text
        names = [f"{graph}{end}" for end in ("", "/2", "/3", "/4", "/5")]
        found = []
        for running in both:
            there = {name: running.client.head("/graphs", params={"graph": name}).status_code for name in names}
            found.append((there, {name: graph_of(running, name) for name, status in there.items() if status == 200}))
        assert found[0] == found[1], UPDATES[number]


def test_what_only_one_update_can_see_is_refused_by_the_other_and_nothing_is_done(remote: Service, graph: str) -> None:
    text = f"INSERT DATA {{ GRAPH <{graph}> {{ <a:s> <a:p> 1 }} }} ; DELETE WHERE {{ GRAPH <{graph}> {{ ?s ?p 1 }} }}"
    refused = remote.update(text)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (501, "not-remote")
    assert remote.client.get("/graphs", params={"graph": graph}).status_code == 404


@pytest.mark.virtuoso
@pytest.mark.parametrize(
    "value",
    ["'P1D'^^xsd:duration", "'abc'^^xsd:integer", "12345678901234567890", "'09:30:00'^^xsd:time"],
    ids=["duration", "no-integer", "large", "time"],
)
def test_what_the_engine_would_not_keep_is_refused_and_nothing_is_done(on_virtuoso: Service, graph: str, value: str) -> None:
    prefix = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
    refused = on_virtuoso.update(f"{prefix} INSERT DATA {{ GRAPH <{graph}> {{ <a:s> <a:p> 1, {value} }} }}")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (501, "not-remote")
    assert on_virtuoso.client.get("/graphs", params={"graph": graph}).status_code == 404
    assert on_virtuoso.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <a:s> <a:p> 1 }} }}").status_code == 204


@pytest.mark.virtuoso
def test_what_is_too_much_for_one_update_is_refused(on_virtuoso: Service, graph: str) -> None:
    lines = "".join(f"<a:s{number}> <a:p> {number} .\n" for number in range(1001))
    refused = on_virtuoso.put(graph, lines)
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (501, "not-remote")
    assert "1,000 quads" in refused.json()["detail"]
    assert on_virtuoso.put(graph, lines.partition("\n")[2]).status_code == 201
    assert len(graph_of(on_virtuoso, graph)) == 1000


def test_what_stands_for_a_blank_node_elsewhere_is_not_written_as_an_iri(elsewhere: Service, graph: str) -> None:
    body = "<http://x/s> <http://x/p> <https://motorgraph.example/.well-known/genid/b0> ."
    refused = elsewhere.put(graph, body), elsewhere.update(f"INSERT DATA {{ GRAPH <{graph}> {{ {body} }} }}")
    assert [answer.status_code for answer in refused] == [403, 403]
    assert elsewhere.client.get("/graphs", params={"graph": graph}).status_code == 404


def test_commits_are_told_dated_and_asked_again(filled: tuple[Service, str]) -> None:
    running, graph = filled
    before = int(running.query("ASK {}").headers["x-commit"])
    wish = AUTHORIZED | {"X-Commit-Message": "Why", "Idempotency-Key": f"{graph}-{before}"}
    write = {"data": {"update": f"DELETE WHERE {{ GRAPH <{graph}> {{ ?s ?p 1 }} }}"}, "headers": wish}
    first, again = running.client.post("/sparql", **write), running.client.post("/sparql", **write)  # type: ignore[arg-type]  # as it takes it
    assert first.headers["etag"] == again.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    told = running.client.get(f"/changes/{before + 1}", headers={"Accept": "application/json"}).json()
    assert (told["message"], told["removed"], told["added"]) == ("Why", 2, 0)
    count = f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}"
    was = running.client.get("/sparql", params={"query": count, "at": str(before)}, headers={"Accept": "text/csv"})
    assert (was.text.split()[1], running.rows(count)[0]["n"]) == ("5", "3")
    dry = running.client.post(
        "/sparql", params={"dry-run": "true"}, data={"update": f"DROP GRAPH <{graph}/2>"}, headers=AUTHORIZED
    ).json()
    assert (dry["removed"]["count"], dry["dry_run"]) == (2, True)


def test_a_dump_says_what_the_graph_says(filled: tuple[Service, str]) -> None:
    running, graph = filled
    names = (graph, f"{graph}/2")
    release = running.client.get("/dumps/latest/", follow_redirects=True)
    assert release.status_code == 200, release.text
    told = {file["name"]: file["url"] for file in release.json()["files"]}
    quads = list(ox.parse(running.client.get(told["motorgraph.nq"]).content, ox.RdfFormat.N_QUADS))
    turtle = {file["graph"]: running.client.get(file["url"]).content for file in release.json()["files"] if file.get("graph")}
    for name in names:
        assert triples_of(q for q in quads if q.graph_name == ox.NamedNode(name)) == graph_of(running, name)
        assert triples_of(ox.parse(gzip.decompress(turtle[name]), ox.RdfFormat.TURTLE)) == graph_of(running, name)


def test_a_dump_comes_though_others_write(filled: tuple[Service, str]) -> None:
    running, graph = filled
    stop = Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            running.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/busy> <http://x/n> {number} }} }}")

    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(write)
        try:
            release = running.client.get("/dumps/latest/", follow_redirects=True)
        finally:
            stop.set()
        writing.result()
    assert release.status_code == 200, release.text
    told = {file["name"]: file["url"] for file in release.json()["files"]}
    quads = ox.parse(running.client.get(told["motorgraph.nq"]).content, ox.RdfFormat.N_QUADS)
    busy = {int(q.object.value) for q in quads if q.subject == ox.NamedNode("http://x/busy") and isinstance(q.object, ox.Literal)}
    at = {"query": f"SELECT ?n {{ GRAPH <{graph}> {{ <http://x/busy> ?p ?n }} }}", "at": str(release.json()["commit"])}
    then = running.client.get("/sparql", params=at, headers={"Accept": "text/csv"}).text.split()[1:]
    assert busy == {int(number) for number in then}


def test_the_feed_tells_each_version_as_it_was(filled: tuple[Service, str]) -> None:
    running, graph = filled
    before = int(running.query("ASK {}").headers["x-commit"])
    running.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/later> 1 }} }}")
    pages = [version_of(running, "http://x/s", commit) for commit in (before, before + 1)]
    assert ["later" in page for page in pages] == [False, True]
    assert all('"é' in page for page in pages)


def version_of(running: Service, iri: str, commit: int) -> str:
    """The version of an entity after a commit, as the page of the feed that has it says it."""
    seen: set[str] = set()
    todo = ["/feed"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        found = running.client.get(path, headers={"Accept": "application/n-triples"})
        assert found.status_code == 200, found.text
        nodes = [line.rpartition("<")[2].partition(">")[0] for line in found.text.splitlines() if "tree#node>" in line]
        todo += ["/feed" + node.partition("/feed")[2] for node in nodes]
        lines = [line for line in found.text.splitlines() if f"/version/{commit}" in line]
        if any(iri in line for line in lines):
            return "\n".join(lines)
    raise AssertionError(f"no version of {iri} at {commit}")
