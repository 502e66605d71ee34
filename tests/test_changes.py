"""/changes tells every commit, what it did as an RDF patch, and what lies between two of them."""

from __future__ import annotations

import gzip
import html
import re
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from motorgraph.difference import MOST_LINES
from motorgraph.vocab import CANONICAL_BASE
from tests.moving import nameless
from tests.running import MODULES, TOKEN, Service, service

Json = dict[str, Any]  # Any: commits are free JSON
ROW = re.compile(r"(?:H [a-z]+ (?:<[^>]*>|\"[^\"]*\")|TX|TC|[AD] .+) \.")


def made(service: Service, graph: str, turtle: str, **headers: str) -> int:
    """The commit that replaces a graph."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle", **headers}
    response = service.client.put("/graphs", params={"graph": graph}, content=turtle.encode(), headers=headers)
    assert response.is_success, response.text
    return int(response.headers["ETag"].strip('"').rpartition("-")[2])


def told(service: Service, path: str, accept: str = "application/json", **headers: str) -> Any:  # Any: free JSON
    response = service.client.get(path, headers={"Accept": accept, **headers})
    assert response.status_code == 200, response.text
    return response.json()


def patch(service: Service, path: str) -> str:
    response = service.client.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/rdf-patch"
    return response.text


def quads(text: str, mark: str) -> set[ox.Quad]:
    """The quads of the rows with a mark."""
    lines = [line.removeprefix(mark) for line in text.splitlines(keepends=True) if line.startswith(mark)]
    return set(ox.parse("".join(lines), ox.RdfFormat.N_QUADS))


def q(line: str) -> ox.Quad:
    (found,) = ox.parse(line, ox.RdfFormat.N_QUADS)
    return found


def test_a_commit_says_who_when_why_how_much_and_where(plain: Service, graph: str) -> None:
    number = made(plain, graph, "<a:s> <a:p> 1, 2 .", **{"X-Commit-Message": "a second figure"})
    commit = told(plain, f"/changes/{number}")
    assert commit["id"] == number
    assert commit["author"] == "write token"
    assert commit["message"] == "a second figure"
    assert commit["time"].startswith("20")
    assert commit["time"].endswith("+00:00")
    assert (commit["removed"], commit["added"], commit["graphs"], commit["made"]) == (0, 2, [graph], [graph])
    assert commit["base"] == CANONICAL_BASE
    assert commit == told(plain, f"/changes/{number}.json", "text/html")


def test_commits_come_oldest_first_and_the_links_lead_through_all_of_them(plain: Service, graph: str) -> None:
    numbers = [made(plain, graph, f"<a:s> <a:p> {value} .") for value in range(5)]
    page = told(plain, f"/changes?after={numbers[0] - 1}&limit=2")
    assert page["newest"] == numbers[-1]
    assert page["lineage"] == told(plain, f"/changes/{numbers[0]}")["lineage"]
    found = []
    while True:
        found += [commit["id"] for commit in page["commits"]]
        assert len(page["commits"]) <= 2
        if "next" not in page["links"]:
            break
        page = told(plain, page["links"]["next"])
    assert found == numbers
    first = told(plain, page["links"]["first"])
    assert first["commits"][0]["id"] == 1
    assert "prev" not in first["links"]


def test_without_a_beginning_the_last_commits_are_told(plain: Service, graph: str) -> None:
    numbers = [made(plain, graph, f"<a:s> <a:p> {value} .") for value in range(3)]
    assert [c["id"] for c in told(plain, "/changes?limit=2")["commits"]] == numbers[1:]
    assert [c["id"] for c in told(plain, f"/changes?upto={numbers[1]}&limit=2")["commits"]] == numbers[:2]
    assert told(plain, "/changes")["commits"][-1]["id"] == numbers[-1]
    assert told(plain, f"/changes?after={numbers[-1]}")["commits"] == []
    assert told(plain, "/changes?after=0&upto=0")["commits"] == []


def test_every_link_of_a_commit_answers(plain: Service, graph: str) -> None:
    made(plain, graph, "<a:s> <a:p> 1 .")
    number = made(plain, graph, "<a:s> <a:p> 2 .")
    links = told(plain, f"/changes/{number}")["links"]
    assert set(links) == {"self", "patch", "graphs", "prev"}
    assert all(plain.client.get(link).status_code == 200 for link in links.values())
    assert told(plain, links["prev"])["id"] == number - 1


def test_a_patch_has_what_went_and_what_came(plain: Service, graph: str) -> None:
    made(plain, graph, '<a:s> <a:p> "line\\nbreak", 1 .')
    number = made(plain, graph, '<a:s> <a:p> "é"@fr, 1 .')
    text = patch(plain, f"/changes/{number}.rdfp")
    assert quads(text, "D ") == {q(f'<a:s> <a:p> "line\\nbreak" <{graph}> .')}
    assert quads(text, "A ") == {q(f'<a:s> <a:p> "é"@fr <{graph}> .')}
    assert f'H id "{number}" .\nH prev "{number - 1}" .\nTX .\n' in text
    assert text.endswith("TC .\n")
    assert all(ROW.fullmatch(line) for line in text.splitlines())


def test_a_patch_names_blank_nodes_and_graphs_that_come_and_go(plain: Service, graph: str) -> None:
    number = made(plain, graph, "[ <a:p> [] ] .")
    text = patch(plain, f"/changes/{number}.rdfp")
    assert f"H made <{graph}> ." in text
    assert re.search(r"^A _:\w+ <a:p> _:\w+ <", text, re.MULTILINE)
    assert plain.update(f"DROP GRAPH <{graph}>").status_code == 204
    text = patch(plain, f"/changes/{number + 1}.rdfp")
    assert f"H dropped <{graph}> ." in text
    assert len(quads(text, "D ")) == 1


EVERY_KIND = (
    """INSERT DATA { <a:s> <a:p> 1, 2.50, 'x'@en, "two\\nlines", _:n . _:n <a:q> _:n .
        GRAPH <g:1> { <a:s> <a:p> [ <a:q> 2 ] } GRAPH <g:2> { <a:s> <a:p> 3 } }""",
    "DELETE DATA { <a:s> <a:p> 1 . GRAPH <g:2> { <a:s> <a:p> 3 } }",
    "INSERT DATA { GRAPH <g:1> { <a:s> <a:p> [ <a:q> 2 ] } }",
    "INSERT { GRAPH <g:3> { ?s <a:r> ?o . ?o <a:r> [] } } WHERE { GRAPH <g:1> { ?s ?p ?o FILTER(!isLiteral(?o)) } }",
    "DELETE { GRAPH ?g { ?s ?p ?o } } INSERT { GRAPH ?g { ?s ?p 4 } } WHERE { GRAPH ?g { ?s ?p ?o FILTER(isLiteral(?o)) } }",
    "COPY <g:3> TO <g:4>",
    "MOVE <g:4> TO <g:5>",
    "ADD DEFAULT TO <g:5>",
    "CREATE GRAPH <g:6>",
    "CLEAR GRAPH <g:3>",
    "DROP GRAPH <g:5>; INSERT DATA { GRAPH <g:5> { <a:s> <a:p> <a:o> } }; DELETE WHERE { <a:s> ?p ?o }",
    "DROP GRAPH <g:6>",
    "CLEAR DEFAULT",
    "DROP NAMED",
    "INSERT DATA { GRAPH <g:1> { <a:s> <a:p> _:again } }",
)


def test_the_patches_of_all_commits_make_the_graph(tmp_path: Path) -> None:
    found: set[ox.Quad] = set()
    with service(tmp_path, "--plain") as running:
        for number, update in enumerate(EVERY_KIND, 1):
            assert int(running.update(update).headers["X-Commit"]) == number
            text = patch(running, f"/changes/{number}.rdfp")
            assert quads(text, "D ") <= found
            assert not quads(text, "A ") & found
            found = found - quads(text, "D ") | quads(text, "A ")
            dump = running.client.get("/graphs", headers={"Accept": "application/n-quads"})
            assert nameless(found) == nameless(ox.parse(dump.content, ox.RdfFormat.N_QUADS)), update
            assert quads(patch(running, f"/changes/0..{number}.rdfp"), "A ") == found


def test_a_difference_leaves_out_what_was_done_and_undone(plain: Service, graph: str) -> None:
    one = made(plain, graph, "<a:s> <a:p> 1 .")
    made(plain, graph, "<a:s> <a:p> 2 .")
    other = made(plain, graph, "<a:s> <a:p> 1, 3 .")
    text = patch(plain, f"/changes/{one}..{other}.rdfp")
    number = '"3"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert quads(text, "A ") == {q(f"<a:s> <a:p> {number} <{graph}> .")}
    assert not quads(text, "D ")
    back = patch(plain, f"/changes/{other}..{one}.rdfp")
    assert quads(back, "D ") == quads(text, "A ")
    counts = told(plain, f"/changes/{one}..{other}")
    assert (counts["removed"], counts["added"], counts["graphs"], counts["made"]) == (0, 1, [graph], [])
    assert told(plain, f"/changes/{one}..{one}")["graphs"] == []


def test_what_is_said_of_a_commit_may_be_kept_for_ever_and_the_list_not(plain: Service, graph: str) -> None:
    number = made(plain, graph, "<a:s> <a:p> 1 .")
    tags = set()
    for path in (f"/changes/{number}", f"/changes/{number}.rdfp", f"/changes/0..{number}.rdfp", f"/changes/{number}..0.rdfp"):
        response = plain.client.get(path)
        assert "immutable" in response.headers["Cache-Control"]
        assert plain.client.get(path, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
        tags.add(response.headers["ETag"])
    assert len(tags) == 4
    listed = plain.client.get("/changes")
    assert listed.headers["Cache-Control"] == "no-cache"
    assert plain.client.get("/changes", headers={"If-None-Match": listed.headers["ETag"]}).status_code == 304
    made(plain, graph, "<a:s> <a:p> 2 .")
    assert plain.client.get("/changes", headers={"If-None-Match": listed.headers["ETag"]}).status_code == 200


def test_a_patch_is_chosen_by_accept_and_comes_compressed(plain: Service, graph: str) -> None:
    number = made(plain, graph, "".join(f"<a:s{i}> <a:p> {i} ." for i in range(200)))
    address = f"/changes/{number}"
    with plain.client.stream("GET", address, headers={"Accept": "application/rdf-patch", "Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        text = gzip.decompress(b"".join(response.iter_raw())).decode()
    assert text == patch(plain, f"{address}.rdfp")
    head = plain.client.head(f"{address}.rdfp")
    assert head.status_code == 200
    assert head.content == b""


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/changes/999999", 404, "There is no commit 999999"),
        ("/changes/0", 404, "There is no commit 0"),
        ("/changes/1..999999", 404, "There is no commit 999999"),
        ("/changes/one", 404, "/changes/12 is a commit"),
        ("/changes/1.ttl", 404, "/changes/12 is a commit"),
        ("/changes?after=-1", 400, "no number of a commit"),
        ("/changes?limit=0", 400, "between 1 and 1000"),
        ("/changes?limit=1001", 400, "between 1 and 1000"),
        ("/changes?after=1&after=2", 400, "once"),
    ],
)
def test_what_is_not_there_is_refused(plain: Service, path: str, status: int, words: str) -> None:
    response = plain.client.get(path)
    assert response.status_code == status
    assert words in response.json()["detail"]


def test_a_commit_cannot_be_changed_nor_had_in_any_format(plain: Service, graph: str) -> None:
    number = made(plain, graph, "<a:s> <a:p> 1 .")
    assert plain.client.delete(f"/changes/{number}").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert plain.client.get(f"/changes/{number}", headers={"Accept": "text/turtle"}).status_code == 406


def test_a_service_without_a_journal_tells_its_start(read_only: Service) -> None:
    listed = told(read_only, "/changes")
    (commit,) = listed["commits"]
    assert (commit["id"], commit["origin"], commit["author"], commit["added"]) == (1, "files", "motorgraph", 3)
    assert (listed["newest"], commit["graphs"]) == (1, ["http://x/g"])
    text = patch(read_only, "/changes/1.rdfp")
    assert len(quads(text, "A ")) == 3
    assert read_only.client.get("/changes/1").headers["Cache-Control"] == "no-cache"
    assert "This service keeps no journal" in page(read_only, "/changes")
    assert "+ added" in page(read_only, "/changes/1")
    assert [c["id"] for c in told(read_only, "/changes?graph=http://x/g")["commits"]] == [1]
    assert told(read_only, "/changes?graph=http://x/none")["commits"] == []


PAGE = {"Accept": "text/html"}


def page(service: Service, path: str) -> str:
    response = service.client.get(path, headers=PAGE)
    assert response.status_code == 200, response.text
    assert "style-src 'self'" in response.headers["Content-Security-Policy"]
    assert " style=" not in response.text
    assert "<script" not in MODULES.sub("", response.text)
    return response.text


def links_of(text: str) -> set[str]:
    """The addresses on this service that a page links."""
    return {html.unescape(address) for address in re.findall(r'href="(/[^"]*)"', text) if not address.startswith("/cite")}


def test_a_browser_reads_who_when_why_and_what(plain: Service, graph: str) -> None:
    made(plain, graph, '<http://x/s> <http://x/p> "old <b>" .')
    number = made(plain, graph, '<http://x/s> <http://x/p> "new"@en .', **{"X-Commit-Message": "It has <changed>"})
    text = page(plain, f"/changes/{number}")
    assert "It has &lt;changed&gt;" in text
    assert "write token" in text
    assert re.search(r"− removed</td>.*old &lt;b&gt;", text)
    assert re.search(r"\+ added</td>.*new</span> <span class=\"quiet\">en", text)
    assert f"Before: commit {number - 1}" in text
    assert plain.client.get(f"/changes/{number}", headers={**PAGE, "If-None-Match": "x"}).headers["Cache-Control"] == "no-cache"


def test_a_long_commit_is_shown_in_part_with_the_rest_to_download(plain: Service, graph: str) -> None:
    number = made(plain, graph, "".join(f"<http://x/{n}> <http://x/p> {n} ." for n in range(MOST_LINES + 50)))
    text = page(plain, f"/changes/{number}")
    assert text.count("+ added</td>") == MOST_LINES
    assert f"first {MOST_LINES} statements" in text
    assert f"/changes/{number}.rdfp" in text


def test_the_list_for_people_is_newest_first_and_leads_on(plain: Service, graph: str) -> None:
    numbers = [made(plain, graph, f"<a:s> <a:p> {value} .") for value in range(4)]
    text = page(plain, "/changes?limit=2")
    assert re.findall(r'<th scope="row"[^>]*><a href="/changes/(\d+)"', text) == [str(n) for n in (numbers[3], numbers[2])]
    (older,) = re.findall(r'href="([^"]*)" rel="next">Older', text)
    older_text = page(plain, html.unescape(older))
    assert re.findall(r'<th scope="row"[^>]*><a href="/changes/(\d+)"', older_text) == [str(n) for n in (numbers[1], numbers[0])]
    (newer,) = re.findall(r'href="([^"]*)" rel="prev">Newer', older_text)
    assert re.findall(r'<th scope="row"[^>]*><a href="/changes/(\d+)"', page(plain, html.unescape(newer)))[-1] == str(numbers[2])


def test_the_changes_of_one_graph_are_told_by_themselves(plain: Service, graph: str) -> None:
    numbers = []
    for value in range(3):
        numbers.append(made(plain, graph, f"<a:s> <a:p> {value} ."))
        made(plain, f"{graph}/other", f"<a:s> <a:p> {value} .")
    params = {"graph": graph, "limit": "2"}
    newest = plain.client.get("/changes", params=params).json()
    assert [commit["id"] for commit in newest["commits"]] == numbers[1:]
    assert "next" not in newest["links"]
    before = told(plain, newest["links"]["prev"])
    assert [commit["id"] for commit in before["commits"]] == numbers[:1]
    assert "prev" not in before["links"]
    assert [commit["id"] for commit in told(plain, before["links"]["next"])["commits"]] == numbers[1:]
    assert plain.client.get("/changes", params={"graph": f"{graph}/none"}).json()["commits"] == []
    assert plain.client.get("/changes", params={"graph": "relative"}).status_code == 400
    assert f"Changes of {graph}" in plain.client.get("/changes", params=params, headers=PAGE).text


def test_a_browser_at_the_address_of_a_graph_is_sent_to_its_changes(shipped: Service) -> None:
    sent = shipped.client.get("/graph/accepted", headers=PAGE)
    assert sent.status_code == 303
    text = page(shipped, sent.headers["Location"])
    assert "Changes of graph/accepted" in text
    assert shipped.client.get("/graph/accepted").headers["Content-Type"].startswith("text/turtle")


def test_two_commits_are_compared_by_a_form(plain: Service, graph: str) -> None:
    one = made(plain, graph, "<a:s> <a:p> 1 .")
    other = made(plain, graph, "<a:s> <a:p> 2 .")
    sent = plain.client.get("/changes/compare", params={"from": one, "to": other}, headers=PAGE)
    assert (sent.status_code, sent.headers["Location"]) == (303, f"/changes/{one}..{other}")
    text = page(plain, sent.headers["Location"])
    assert "− removed</td>" in text
    assert "+ added</td>" in text
    assert "No statement went or came" in page(plain, f"/changes/{one}..{one}")
    assert plain.client.get("/changes/compare?from=1").status_code == 400


@pytest.mark.parametrize("path", ["/changes", "/changes/1", "/changes/0..1"])
def test_every_link_of_a_page_leads_somewhere(plain: Service, graph: str, path: str) -> None:
    made(plain, graph, "<a:s> <a:p> 1 .")
    for address in links_of(page(plain, path)):
        assert plain.client.get(address).status_code in (200, 303), address


def test_names_of_things_are_shown_as_the_graph_has_them(shipped: Service) -> None:
    text = page(shipped, "/changes/1")
    assert "the first 200" in text
    assert re.search(r'<a href="/id/[^"]*" title="https://motorgraph.example/id/[^"]*">[A-Z]', text)


def test_a_commit_says_numbers_as_the_graph_keeps_them_and_so_can_be_taken_back(plain: Service, graph: str) -> None:
    written = '<a:s> <a:p> 2.50, 2.5, "01"^^<http://www.w3.org/2001/XMLSchema#integer> .'
    before = made(plain, graph, "<a:s> <a:p> 7 .")
    with_them = made(plain, graph, written)
    made(plain, graph, "<a:s> <a:p> 8 .")
    assert '"2.50"' not in patch(plain, f"/changes/{with_them}.rdfp")
    assert plain.client.get(f"/changes/{with_them}.json").json()["added"] == 2
    for commit, values in ((before, {"7"}), (with_them, {"2.5", "1"})):
        then = plain.client.get("/graphs", params={"graph": graph, "at": commit}, headers={"Accept": "application/n-triples"})
        assert {triple.object.value for triple in ox.parse(then.content, ox.RdfFormat.N_TRIPLES)} == values  # type: ignore[union-attr]


def test_the_changes_of_one_thing_are_told_by_themselves_and_on_its_page(plain: Service, graph: str) -> None:
    thing = "https://motorgraph.example/id/thing/of-the-list-of-changes"
    texts = [f'<{thing}> <a:p> "{number}", <a:o>' for number in range(3)]
    commits = [int(plain.put(graph, text + " .").headers["X-Commit"]) for text in texts]
    plain.put(graph + "/other", "<a:s> <a:p> <a:o> .")
    told = plain.client.get("/changes", params={"iri": thing}).json()
    assert [commit["id"] for commit in told["commits"]] == commits
    assert [c["id"] for c in plain.client.get("/changes", params={"iri": thing, "limit": 1}).json()["commits"]] == commits[-1:]
    listed = plain.client.get("/changes", params={"iri": thing}, headers={"Accept": "text/html"}).text
    shown = plain.client.get("/page/thing/of-the-list-of-changes?show=history", headers={"Accept": "text/html"}).text
    for page in (listed, shown):
        assert re.findall(r'href="/page/thing/of-the-list-of-changes\?at=(\d+)"', page) == list(map(str, reversed(commits)))
    assert "Changes of id/thing/of-the-list-of-changes" in listed
    assert plain.client.get("/changes", params={"iri": thing, "graph": graph}).status_code == 400
