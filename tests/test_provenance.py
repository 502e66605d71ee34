"""The catalogue of commits: who wrote what, when and why, in the graph itself, as the journal has it and nobody can change it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from rdflib import Graph, URIRef
from rdflib.namespace import OWL, RDFS

from motorgraph import gate
from motorgraph.bearer import Bearer, Scope
from motorgraph.change import judge_change
from motorgraph.commits import Change, Commit
from motorgraph.engine import loading, provenance
from motorgraph.engine.control import Control, Start
from motorgraph.engine.history import History
from motorgraph.engine.loading import File
from motorgraph.engine.pool import Pool
from motorgraph.engine.provenance import Catalogue
from motorgraph.inference import Rule
from motorgraph.journal import Journal
from motorgraph.limits import Limits
from motorgraph.shapes import Shapes
from motorgraph.vocab import Names
from tests.forked import CSV, Engine
from tests.forked import run as in_loop
from tests.running import TOKEN, Service, service
from tests.test_cli import run

ROOT = Path(__file__).parents[1]
BASE = "https://motorgraph.example"
GRAPH = f"{BASE}/graph/catalogue"
PREFIXES = f"""
    PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX mg: <{BASE}/ontology/> PREFIX prov: <http://www.w3.org/ns/prov#>
    PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
"""
COMMITS = f"""{PREFIXES}
    SELECT ?commit ?author ?agent ?why ?removed ?added (GROUP_CONCAT(STR(?graph)) AS ?graphs) ?time WHERE {{
        ?commit a prov:Activity ; prov:startedAtTime ?time ; prov:endedAtTime ?time ; prov:wasAssociatedWith ?agent ;
            mg:quadsRemoved ?removed ; mg:quadsAdded ?added .
        ?agent a prov:Agent ; rdfs:label ?author .
        OPTIONAL {{ ?commit dcterms:description ?why }}
        OPTIONAL {{ ?commit prov:influenced ?graph }}
    }} GROUP BY ?commit ?author ?agent ?why ?removed ?added ?time ORDER BY xsd:integer(STRAFTER(STR(?commit), "/commit/"))
"""
WRITER = "the-token-of-anna"
FLAGS = ("--tokens", Bearer.holding("anna", Scope.WRITE, WRITER).entry)
NAQUADAH = '<http://x/s> <http://x/p> "\\"naquadah\\"\\n" .'


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as it ships, with a writer beside the write token."""
    with service(tmp_path_factory.mktemp("team"), *FLAGS) as running:
        yield running


def update(running: Service, text: str, message: str = "", token: str = WRITER) -> int:
    headers = {b"Authorization": f"Bearer {token}".encode()} | ({b"X-Commit-Message": message.encode()} if message else {})
    return running.client.post("/sparql", data={"update": text}, headers=headers).status_code


def newest(running: Service) -> dict[str, str]:
    return running.rows(COMMITS)[-1]


def commit(number: int, author: str = "anna", message: str = "") -> Commit:
    return Commit(number, f"2026-11-26T11:18:49.00000{number}+00:00", author, message, "", (), (), 1, 20, 9, {}, b"")


# Over HTTP


def test_the_data_that_the_service_started_with_are_a_commit_of_its_own(team: Service) -> None:
    first = team.rows(COMMITS)[0]
    assert (first["commit"], first["author"], first["agent"]) == (
        f"{BASE}/id/commit/1",
        "motorgraph",
        f"{BASE}/id/agent/motorgraph",
    )
    assert first["why"].startswith("Loaded ")
    assert int(first["added"]) > 10_000
    graphs = first["graphs"].split()
    assert {f"{BASE}/graph/{name}" for name in ("ontology", "shapes", "reference", "accepted")} <= set(graphs)
    assert not {GRAPH, f"{BASE}/graph/inferred"} & set(graphs)


def test_a_commit_tells_who_when_why_how_much_and_where_and_is_seen_with_it(team: Service) -> None:
    text = (
        "INSERT DATA { GRAPH <http://x/1> { <http://x/s> <http://x/p> 1, 2 } GRAPH <http://x/2> { <http://x/s> <http://x/p> 3 } }"
    )
    assert update(team, text, 'two "graphs"\\ at once – ünïcode') == 204
    found = newest(team)
    assert (found["author"], found["agent"]) == ("anna", f"{BASE}/id/agent/anna")
    assert found["why"] == 'two "graphs"\\ at once – ünïcode'
    assert (found["removed"], found["added"]) == ("0", "3")
    assert sorted(found["graphs"].split()) == ["http://x/1", "http://x/2"]
    assert found["commit"] == f"{BASE}/id/commit/{team.metric('motorgraph_commit'):.0f}"
    assert (
        update(team, "DELETE DATA { GRAPH <http://x/1> { <http://x/s> <http://x/p> 1 } } ; DROP GRAPH <http://x/2>", token=TOKEN)
        == 204
    )
    found = newest(team)
    assert (found["author"], found["agent"]) == ("write token", f"{BASE}/id/agent/write-token")
    assert found["why"] == "POST /sparql"
    assert (found["removed"], found["added"]) == ("2", "0")
    assert sorted(found["graphs"].split()) == ["http://x/1", "http://x/2"]


def test_a_long_change_for_which_readers_are_forked_anew_is_told_too(team: Service) -> None:
    turtle = "".join(f"<http://x/s> <http://x/long> {n} .\n" for n in range(3000))
    headers = {"Authorization": f"Bearer {WRITER}", "Content-Type": "text/turtle"}
    assert team.client.put("/graphs", params={"graph": "http://x/long"}, content=turtle, headers=headers).status_code == 201
    found = newest(team)
    assert (found["added"], found["graphs"], found["why"]) == ("3000", "http://x/long", "PUT /graphs <http://x/long>")


def test_what_changes_nothing_and_what_is_refused_is_no_commit(team: Service) -> None:
    before = team.rows(COMMITS)
    assert update(team, "INSERT DATA { GRAPH <http://x/bad> { <http://x/b> a <" + BASE + "/ontology/Claim> } }") == 422
    assert update(team, "DELETE DATA { GRAPH <http://x/none> { <http://x/s> <http://x/p> 1 } }") == 204
    assert team.rows(COMMITS) == before


def test_the_catalogue_is_a_named_graph_and_in_the_default_graph(team: Service) -> None:
    count = "SELECT (COUNT(*) AS ?n) {{ {} }}"
    named = team.rows(count.format(f"GRAPH <{GRAPH}> {{ ?s ?p ?o }}"))
    assert int(named[0]["n"]) > 9
    assert team.rows(count.format(f"GRAPH <{GRAPH}> {{ ?s ?p ?o }} ?s ?p ?o")) == named
    assert team.client.get("/graphs", params={"graph": GRAPH}, headers={"Accept": "text/turtle"}).status_code == 200


def test_what_is_said_of_an_author_again_is_counted_once(team: Service) -> None:
    counted = "SELECT (COUNT(*) AS ?n) {{ {} }}"
    patterns = ("?s ?p ?o", "GRAPH ?g { ?s ?p ?o }", f"GRAPH <{GRAPH}> {{ ?s ?p ?o }}")
    for number in range(3):
        assert update(team, f"INSERT DATA {{ GRAPH <http://x/again> {{ <http://x/s> <http://x/p> {number} }} }}") == 204
        kept = [team.rows(counted.format(pattern)) for pattern in patterns]
        assert kept == [team.rows(counted.format(f"{{ SELECT * {{ {pattern} }} }}")) for pattern in patterns]


@pytest.mark.parametrize(
    "text",
    [
        f"INSERT DATA {{ GRAPH <{GRAPH}> {{ <http://x/s> <http://x/p> 1 }} }}",
        f"DELETE WHERE {{ GRAPH <{GRAPH}> {{ ?s ?p ?o }} }}",
        f"COPY <{BASE}/graph/shapes> TO <{GRAPH}>",
    ],
)
def test_nobody_changes_the_catalogue(team: Service, text: str) -> None:
    before = team.rows(COMMITS)
    assert update(team, text, token=TOKEN) == 403
    assert team.rows(COMMITS) == before


def test_nobody_replaces_or_drops_the_catalogue(team: Service) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
    put = team.client.put("/graphs", params={"graph": GRAPH}, content=NAQUADAH, headers=headers)
    assert put.status_code == 403
    assert "journal" in put.json()["detail"]
    assert team.client.delete("/graphs", params={"graph": GRAPH}, headers=headers).status_code == 403


@pytest.mark.parametrize("name", ["ontology", "shapes"])
def test_what_all_graphs_are_read_by_is_changed_by_an_admin_only(team: Service, name: str) -> None:
    graph = f"{BASE}/graph/{name}"
    headers = {"Authorization": f"Bearer {WRITER}", "Content-Type": "text/turtle"}
    tried = [
        team.client.post("/graphs", params={"graph": graph}, content=NAQUADAH, headers=headers),
        team.client.delete("/graphs", params={"graph": graph}, headers=headers),
        team.client.post(
            "/sparql",
            data={"update": f"INSERT {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }} WHERE {{}}"},
            headers={"Authorization": headers["Authorization"]},
        ),
    ]
    for response in tried:
        assert response.status_code == 403
        assert (response.json()["scope"], graph in response.json()["detail"]) == ("admin", True)
        assert 'scope="admin"' in response.headers["WWW-Authenticate"]


def test_it_is_the_same_after_a_start_and_as_far_as_a_restored_folder_goes(team: Service, tmp_path: Path) -> None:
    verdicts = team.log.parent / "data" / "verdicts"
    shutil.copytree(verdicts, tmp_path / "data" / "verdicts")  # saves the validation
    with service(tmp_path, *FLAGS) as running:
        assert update(running, "INSERT DATA { GRAPH <http://x/1> { <http://x/s> <http://x/p> 1 } }", "the first") == 204
        assert update(running, "INSERT DATA { GRAPH <http://x/2> { <http://x/s> <http://x/p> 2 } }", "the second") == 204
        told = running.rows(COMMITS)
    assert [row.get("why") for row in told[1:]] == ["the first", "the second"]
    run("restore", tmp_path / "old" / "data", "--at", "2", "--data-dir", tmp_path / "data")
    shutil.copytree(verdicts, tmp_path / "old" / "data" / "verdicts")
    with service(tmp_path, *FLAGS) as running:
        assert running.rows(COMMITS) == told
    with service(tmp_path / "old", token=None) as running:  # nobody may write, but there is a journal
        assert running.rows(COMMITS) == told[:2]
        assert running.rows(f"{PREFIXES} SELECT ?s {{ ?s dcterms:description 'the second' }}") == []


def test_a_plain_store_has_no_catalogue(plain: Service) -> None:
    assert plain.put("http://x/uncatalogued", NAQUADAH).is_success
    assert plain.rows("SELECT ?s { GRAPH ?g { ?s a <http://www.w3.org/ns/prov#Activity> } }") == []
    assert plain.put(GRAPH, NAQUADAH).is_success  # there the name means nothing
    assert plain.client.delete("/graphs", params={"graph": GRAPH}, headers={"Authorization": f"Bearer {TOKEN}"}).is_success


# What it is made of


def test_entries_one_by_one_and_all_at_the_start_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "AT_ONCE", 2)
    catalogue, one, other = Catalogue(BASE), ox.Store(), ox.Store()
    messages = ["", "plain", 'a "quote" \\ and\nlines \r\n .', f"ends like a line {catalogue.graph} .", "{braces} %s ünïcode"]
    commits = [
        (commit(n, f"author {n % 2}", message), ["http://x/a", "http://x/b"][: n % 3]) for n, message in enumerate(messages)
    ]
    catalogue.fill(one, commits, union=True)
    for made, graphs in commits:
        provenance.add(other, catalogue.entry(made, graphs).encode(), union=True)
    assert set(one) == set(other)
    named = {quad.triple for quad in one.quads_for_pattern(None, None, None, catalogue.graph)}
    assert named == {quad.triple for quad in one.quads_for_pattern(None, None, None, ox.DefaultGraph())}
    found = {str(triple.object.value) for triple in named if triple.predicate.value.endswith("description")}  # type: ignore[union-attr]
    assert found == set(messages) - {""}


@pytest.mark.parametrize(
    ("author", "slug"),
    [("anna", "anna"), ("write token", "write-token"), ("a@b.c", "a@b.c"), ("<é/#?>", "%3C%C3%A9%2F%23%3F%3E"), ("", "unknown")],
)
def test_whoever_the_journal_names_becomes_an_agent_with_a_sound_iri(author: str, slug: str) -> None:
    store, catalogue = ox.Store(), Catalogue("https://cars.example")
    catalogue.fill(store, [(commit(1, author), [])], union=False)
    label = next(
        store.quads_for_pattern(ox.NamedNode(f"https://cars.example/id/agent/{slug}"), ox.NamedNode(str(RDFS.label)), None)
    )
    assert label.object == ox.Literal(author)
    assert label.graph_name == ox.NamedNode("https://cars.example/graph/catalogue")


def test_an_older_journal_is_read_once_for_the_graphs_that_it_has_not_noted(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.append(Change(added=[b"<a:s> <a:p> 'x' <a:1> .\n".replace(b"'", b'"')], made=("a:empty",), graphs=["a:1", "a:empty"]))
    journal.append(Change(removed=[b'<a:s> <a:p> "x" <a:1> .\n'], added=[b'<a:s> <a:p> "y" .\n'], graphs=["a:1"]))
    journal.close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as base, base:
        base.execute("DROP TABLE graphs")
    for is_writable in (False, True):
        history = History(tmp_path, is_writable=is_writable)
        assert [graphs for _, graphs in history.catalogued()] == [["a:1", "a:empty"], ["a:1"]]
        history.close()
    journal = Journal.read(tmp_path)
    assert journal.graphs() == {1: ["a:1", "a:empty"], 2: ["a:1"]}
    journal.close()


def test_a_copy_as_far_as_a_commit_has_not_what_later_ones_changed(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path / "whole")) as journal, closing(Journal.open(tmp_path / "copy")) as copy:
        for number in (1, 2):
            journal.append(Change(graphs=[f"a:{number}"]))
        journal.copy(copy, 1)
        assert copy.graphs() == {1: ["a:1"]}


def test_a_file_cannot_bring_what_is_made_here_though_a_dump_has_it(tmp_path: Path) -> None:
    path, inferred = tmp_path / "mine.nq", f"{BASE}/graph/inferred"
    path.write_text(f"<a:s> <a:p> <a:one> <{GRAPH}> .\n<a:s> <a:p> <a:two> <{inferred}> .\n<a:s> <a:p> <a:other> <a:g> .\n")
    rule = Rule("1", "CONSTRUCT { ?s <a:q> ?o } WHERE { GRAPH <a:g> { ?s <a:p> ?o } }", inferred)

    async def objects_and_commits() -> tuple[bytes, bytes]:
        control = Control()
        control.listen()
        pool = Pool(control, Limits(seconds=20.0))
        try:
            start = Start(
                [File(str(path), "application/n-quads")], tmp_path, is_writable=True, union=True, rules=[rule], catalogue=BASE
            )
            await control.load(start)
            await control.record()
            await pool.open()
            asked = Engine(control, pool)
            objects = await asked.ask("SELECT ?o { <a:s> <a:p> ?o }", CSV)
            return objects, await asked.ask("SELECT ?c { ?c a <http://www.w3.org/ns/prov#Activity> }", CSV)
        finally:
            pool.close()
            await control.close(5)

    objects, commits = in_loop(objects_and_commits())
    assert objects.split() == [b"o", b"a:other"]
    assert commits.split() == [b"c", f"{BASE}/id/commit/1".encode()]
    with closing(Journal.read(tmp_path)) as journal:
        assert b"".join(journal.added(1)) == b"<a:s> <a:p> <a:other> <a:g> .\n"


# What does not look at it


def test_no_shape_is_asked_of_the_catalogue() -> None:
    shapes = ox.NamedNode("http://x/shapes")
    store, catalogue = ox.Store(), Catalogue(BASE)
    store.load(
        b"""@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix prov: <http://www.w3.org/ns/prov#> . @prefix x: <http://x/> .
        x:S a sh:NodeShape ; sh:targetClass prov:Activity ; sh:property [ sh:path x:never ; sh:minCount 1 ] .""",
        ox.RdfFormat.TURTLE,
        to_graph=shapes,
    )
    catalogue.fill(store, [(commit(1), ["http://x/g"])], union=True)
    loading.merge(store)
    assert not gate.validate_store(store, shapes.value).conforms
    assert gate.validate_store(store, shapes.value, [catalogue.graph]).conforms
    parsed = Shapes.of(store, shapes.value, [catalogue.graph])
    added = {ox.Quad(ox.NamedNode(f"{BASE}/id/commit/1"), ox.NamedNode("http://x/p"), ox.Literal(1), ox.NamedNode("http://x/g"))}
    store.extend(added)
    loading.follow(store, (), added)
    assert judge_change(store, parsed, set(), added).conforms


def test_the_rules_do_not_reach_the_catalogue_since_nothing_stands_above_its_terms() -> None:
    """Rules ask for instances of classes and properties that have others above them; none of these may be in a catalogue."""
    told = Graph()
    for path in [*ROOT.glob("ontology/*.ttl"), *ROOT.glob("ontology/alignments/*.ttl")]:
        told.parse(path)
    store, catalogue = ox.Store(), Catalogue(Names().base)
    catalogue.fill(store, [(commit(1, message="m"), ["http://x/g"])], union=False)
    terms = {URIRef(quad.predicate.value) for quad in store}
    terms |= {URIRef(quad.object.value) for quad in store if isinstance(quad.object, ox.NamedNode)}
    assert len(terms) > 9
    for above in (RDFS.subClassOf, RDFS.subPropertyOf, OWL.equivalentClass, OWL.equivalentProperty):
        assert not [term for term in terms for _ in told.objects(term, above)]


def test_the_terms_of_our_own_are_in_the_ontology() -> None:
    told = Graph().parse(ROOT / "ontology" / "mg-meta.ttl")
    for name in ("infosAdmitted", "quadsAdded", "quadsRemoved", "warningsAdmitted"):
        assert (URIRef(Names().term(name)), None, OWL.DatatypeProperty) in told


def test_the_findings_with_which_a_commit_was_admitted_are_told() -> None:
    store, catalogue = ox.Store(), Catalogue(Names().base)
    commits = [(replace(commit(1, message=""), report={"Warning": 2}), []), (commit(2, message=""), [])]
    catalogue.fill(store, commits, union=False)
    found = [(str(quad.subject)[-2], quad.predicate.value, quad.object.value) for quad in store if "Admitted" in str(quad)]
    assert found == [("1", Names().term("warningsAdmitted"), "2")]
