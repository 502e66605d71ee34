"""A patch: an update whose default graph is one graph, whatever it is made of, and that changes no other."""

from __future__ import annotations

import httpx
import pyoxigraph as ox
import pytest

from motorgraph.errors import OutOfScope
from motorgraph.patch import as_patch
from tests.running import TOKEN, Service

G = "http://g/"
UPDATE = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/sparql-update"}


def patch(running: Service, graph: str, text: str | bytes, **headers: str) -> httpx.Response:
    return running.client.patch("/graphs", params={"graph": graph}, content=text, headers=UPDATE | headers)


def objects(running: Service, graph: str) -> list[str]:
    return [row["o"] for row in running.rows(f"SELECT ?o {{ GRAPH <{graph}> {{ ?s ?p ?o }} }} ORDER BY ?o")]


# The text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("INSERT DATA { <a:s> <a:p> 2 }", [1, 2]),
        ("insert data{<a:s> <a:p> 2}", [1, 2]),
        ("DELETE DATA { <a:s> <a:p> 1 }", []),
        ("DELETE WHERE { ?s ?p 1 }", []),
        ("DELETE { ?s ?p ?o } INSERT { ?s ?p 7 } WHERE { ?s ?p ?o }", [7]),
        ("DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }", []),
        ("INSERT { ?s ?p 7 } WHERE { ?s ?p ?o }", [1, 7]),
        ("CLEAR DEFAULT", []),
        ("DROP SILENT DEFAULT ; INSERT DATA { <a:s> <a:p> 2 }", [2]),
        (
            "BASE <http://x/y> PREFIX a: <a:> INSERT DATA { a:s a:p 2 } ; DELETE { ?s a:p 1 } WHERE { ?s a:p 1 }",
            [2],
        ),
        (
            'INSERT DATA { <a:s> <a:p> "; DELETE WHERE { ?s ?p ?o } GRAPH" } # ; CLEAR DEFAULT',
            [1, "; DELETE WHERE { ?s ?p ?o } GRAPH"],
        ),
        (f"INSERT DATA {{ GRAPH <{G}> {{ <a:s> <a:p> 2 }} }}", [1, 2]),
        (f"CLEAR GRAPH <{G}>", []),
        (f"WITH <{G}> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}", []),
        ("INSERT { ?s ?p ?o } WHERE { GRAPH <http://other/> { ?s ?p ?o } }", [1, 9]),
        ("INSERT { ?s ?p 8 } WHERE { ?s ?p ?o FILTER NOT EXISTS { ?s ?p 9 } }", [1, 8]),
        ("", [1]),
        (" ; ", [1]),
    ],
)
def test_what_names_no_graph_is_about_the_one(text: str, left: list[int | str]) -> None:
    """The other graphs hold as much and stay as they are."""
    store = ox.Store()
    store.update(f"INSERT DATA {{ <a:s> <a:p> 5 GRAPH <{G}> {{ <a:s> <a:p> 1 }} GRAPH <http://other/> {{ <a:s> <a:p> 9 }} }}")
    before = {quad for quad in store if quad.graph_name != ox.NamedNode(G)}
    try:
        store.update(as_patch(text, G))
    except SyntaxError:
        assert text.strip() == ";"  # no update either
    assert {quad for quad in store if quad.graph_name != ox.NamedNode(G)} == before
    found = {quad.object.value for quad in store.quads_for_pattern(None, None, None, ox.NamedNode(G))}
    assert found == {str(each) for each in left}


@pytest.mark.parametrize(
    "text",
    [
        "CREATE GRAPH <a:h>",
        "LOAD <a:x>",
        "COPY DEFAULT TO <a:h>",
        "CLEAR ALL",
        "DROP SILENT NAMED",
        "INSERT DATA {} ; ADD <a:x> TO <a:y>",
    ],
)
def test_an_operation_on_other_graphs_is_refused(text: str) -> None:
    with pytest.raises(OutOfScope, match=r"CREATE|LOAD|COPY|ALL|NAMED|ADD"):
        as_patch(text, G)


def test_a_patch_has_the_lines_of_its_text() -> None:
    text = "INSERT DATA {\n <a:s> <a:p> 1\n} ;\nDELETE {\n?s ?p ?o }\nWHERE { ?s ?p ?o } ;\nCLEAR DEFAULT"
    assert as_patch(text, G).count("\n") == text.count("\n")


# Over HTTP


def test_a_patch_changes_its_graph_and_answers_204(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1, 2 .")
    response = patch(plain, graph, "DELETE DATA { <http://x/s> <http://x/p> 1 } ; INSERT { ?s ?p 3 } WHERE { ?s ?p 2 }")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["ETag"]
    assert objects(plain, graph) == ["2", "3"]


def test_a_patch_makes_a_graph_that_it_adds_to_and_no_empty_one(plain: Service, graph: str) -> None:
    assert patch(plain, graph, "DELETE WHERE { ?s ?p ?o }").status_code == 404
    assert patch(plain, graph, "CLEAR DEFAULT").status_code == 404
    assert plain.client.get("/graphs", params={"graph": graph}).status_code == 404
    assert patch(plain, graph, "CLEAR DEFAULT ; INSERT DATA { <http://x/s> <http://x/p> 1 }").status_code == 201
    assert objects(plain, graph) == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA {{ GRAPH <{0}/other> {{ <http://x/s> <http://x/p> 5 }} }}",
        "INSERT DATA {{ <http://x/s> <http://x/p> 5 GRAPH <{0}> {{ <http://x/s> <http://x/p> 6 }} }}",
        "INSERT DATA {{ <http://x/s> <http://x/p> 5 }} ; INSERT {{ GRAPH <{0}/other> {{ ?s ?p ?o }} }} WHERE {{ ?s ?p ?o }}",
        "DELETE {{ GRAPH ?g {{ ?s ?p ?o }} }} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}",
        "PREFIX x: <{0}/> CLEAR GRAPH x:there",
        "DROP GRAPH <{0}/there>",
        "CREATE GRAPH <{0}/other>",
    ],
    ids=["data", "both", "template", "variable", "clear", "drop", "create"],
)
def test_a_patch_that_would_change_another_graph_is_422_and_changes_nothing(plain: Service, graph: str, text: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    plain.put(graph + "/there", "<http://x/s> <http://x/p> 2 .")
    response = patch(plain, graph, text.format(graph))
    assert response.status_code == 422
    assert response.json()["type"].endswith("/out-of-scope")
    assert graph in response.json()["detail"]
    assert objects(plain, graph) == ["1"]
    assert objects(plain, graph + "/there") == ["2"]
    assert plain.client.get("/graphs", params={"graph": graph + "/other"}).status_code == 404


def test_a_syntax_error_is_told_at_its_place_in_the_patch_as_it_was_sent(plain: Service, graph: str) -> None:
    response = patch(plain, graph, "INSERT DATA { <http://x/s> <http://x/p> 1 } ;\nDELETE { ?s ?p ?o } WHERES { ?s ?p ?o }")
    assert response.status_code == 400
    assert (response.json()["line"], response.json()["column"]) == (2, 21)


@pytest.mark.parametrize("media_type", ["text/turtle", "application/sparql-query", "application/json-patch+json"])
def test_what_is_no_update_is_415_and_says_what_is(plain: Service, graph: str, media_type: str) -> None:
    response = patch(plain, graph, "", **{"Content-Type": media_type})
    assert response.status_code == 415
    assert response.headers["Accept-Patch"] == "application/sparql-update"
    options = plain.client.options("/graphs")
    assert options.headers["Accept-Patch"] == "application/sparql-update"
    assert "PATCH" in options.headers["Allow"]


@pytest.mark.parametrize(("body", "status"), [(b"\xff", 400), (b"INSERT DATA {\x00}", 400), (b"#" * (1 << 21), 413)])
def test_a_patch_that_is_no_text_of_bounded_length_is_refused(plain: Service, graph: str, body: bytes, status: int) -> None:
    assert patch(plain, graph, body).status_code == status


def test_a_patch_reaches_no_host(plain: Service, graph: str) -> None:
    text = "INSERT { ?s ?p ?o } WHERE { SERVICE SILENT <http://127.0.0.1:1/> { ?s ?p ?o } }"
    assert patch(plain, graph, text).status_code == 403


def test_the_store_as_a_whole_takes_no_patch(plain: Service) -> None:
    response = plain.client.patch("/graphs", content="CLEAR ALL", headers=UPDATE)
    assert response.status_code == 405
    assert "PATCH" not in response.headers["Allow"]


def test_a_graph_below_the_store_and_the_default_graph_take_patches(plain: Service) -> None:
    data = "INSERT DATA { <http://x/patched> <http://x/p> 1 }"
    assert plain.client.patch("/graphs/patched/direct", content=data, headers=UPDATE).status_code == 201
    assert plain.client.patch("/graphs?default", content=data, headers=UPDATE).status_code == 204
    assert plain.rows("SELECT ?o { <http://x/patched> ?p ?o }") == [{"o": "1"}]
    other = "INSERT DATA { GRAPH <http://x/patched/other> { <http://x/s> <http://x/p> 1 } }"
    assert plain.client.patch("/graphs?default", content=other, headers=UPDATE).status_code == 422
    undo = data.replace("INSERT", "DELETE")
    assert plain.client.patch("/graphs?default", content=undo, headers=UPDATE).status_code == 204


def test_a_patch_has_conditions_like_any_write(plain: Service, graph: str) -> None:
    plain.put(graph, "<http://x/s> <http://x/p> 1 .")
    seen = plain.client.get("/graphs", params={"graph": graph}).headers["ETag"]
    assert patch(plain, graph, "CLEAR DEFAULT", **{"If-Match": '"other"'}).status_code == 412
    assert patch(plain, graph, "CLEAR DEFAULT", **{"If-None-Match": "*"}).status_code == 412
    assert patch(plain, graph, "CLEAR DEFAULT", **{"If-Match": seen}).status_code == 204
    assert patch(plain, graph + "/none", "INSERT DATA { <a:s> <a:p> 1 }", **{"If-Match": "*"}).status_code == 412
