"""The dumps: what an index says of a file is so, what is loaded again is the same graph, a commit's dump never changes."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest

from motorgraph.canonical import Bounds, digest
from motorgraph.packing import zstd
from motorgraph.sending import Service as Target
from motorgraph.sending import load_over_http, wanted
from tests.running import TOKEN, Service, service, until

BASE = "https://motorgraph.example"
BOUNDS = Bounds(30)
SAID = """PREFIX e: <http://test.example/>
INSERT DATA {
  e:a e:in "the default graph" .
  GRAPH e:one { e:a e:p "né \\u0001 \\t\\"q\\" \\\\ \\n", "x"@en-GB, 2.50, true ; e:q [ e:r [ e:s "deep" ] ], [ e:r 1 ] }
  GRAPH <https://motorgraph.example/graph/source/own> { e:b a e:Thing ; e:knows _:x . _:x e:knows e:b }
  GRAPH <https://motorgraph.example/graph/../odd%20name> { e:b e:p e:c }
}"""


@pytest.fixture(scope="module")
def release(shipped: Service) -> dict[str, Any]:
    return of(shipped, "latest")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service with a few graphs."""
    with service(tmp_path_factory.mktemp("small"), "--plain", "--dumps-kept", "1", "--query-seconds", "2") as running:
        assert running.update(SAID).status_code == 204
        yield running


def of(running: Service, which: str | int) -> dict[str, Any]:
    response = running.client.get(f"/dumps/{which}/", follow_redirects=True)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def named(release: dict[str, Any], name: str) -> dict[str, Any]:
    return next(file for file in release["files"] if file["name"] == name)


def fetched(running: Service, commit: int, name: str, folder: Path) -> Path:
    response = running.client.get(f"/dumps/{commit}/{name}")
    assert response.status_code == 200, response.text
    path = folder / name.rpartition("/")[2]
    path.write_bytes(response.content)
    return path


def canonical(running: Service, commit: int) -> str:
    response = running.client.get(f"/dumps/{commit}/motorgraph.canonical.nq")
    assert response.status_code == 200, response.text
    assert response.content == b"".join(sorted(set(response.content.splitlines(keepends=True))))
    return hashlib.sha256(response.content).hexdigest()


def unpacked(content: bytes, encoding: str) -> bytes:
    return {"": bytes, "gzip": gzip.decompress, "zstd": zstd.decompress}[encoding](content)


# What the index says


def test_every_file_of_the_index_has_the_size_and_the_checksum_that_it_says(shipped: Service, release: dict[str, Any]) -> None:
    for file in release["files"]:
        response = shipped.client.get(file["url"])
        assert response.status_code == 200
        assert len(response.content) == file["size"] == int(response.headers["content-length"]), file
        assert hashlib.sha256(response.content).hexdigest() == file["sha256"], file
        assert response.headers["etag"] == f'"{file["sha256"]}"'
        assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(file['sha256'])).decode()}:"
        assert "content-encoding" not in response.headers


def test_a_packed_file_unpacks_to_the_plain_one(shipped: Service, release: dict[str, Any]) -> None:
    for file in release["files"]:
        if file["encoding"] and not file["graph"]:
            content = unpacked(shipped.client.get(file["url"]).content, file["encoding"])
            assert hashlib.sha256(content).hexdigest() == named(release, file["name"].rpartition(".")[0])["sha256"]


def test_index_and_checksums_are_files_that_say_the_same(shipped: Service, release: dict[str, Any]) -> None:
    index = shipped.client.get(release["url"] + "index.json")
    assert index.headers["content-type"] == "application/json"
    assert index.json()["files"] == [{k: v for k, v in file.items() if k != "url"} for file in release["files"]]
    sums = shipped.client.get(release["url"] + "SHA256SUMS").text
    expected = [f"{file['sha256']}  {file['name']}" for file in release["files"]]
    assert sums.splitlines() == [*expected, f"{hashlib.sha256(index.content).hexdigest()}  index.json"]


def test_every_named_graph_has_a_file_and_all_but_the_catalogue_are_in_the_whole(
    shipped: Service, release: dict[str, Any], tmp_path: Path
) -> None:
    graphs = {row["g"] for row in shipped.rows("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")}
    assert {file["graph"] for file in release["files"]} == graphs | {""}
    whole = fetched(shipped, release["commit"], "motorgraph.nq", tmp_path)
    found = {quad.graph_name.value for quad in ox.parse(path=whole)}  # type: ignore[union-attr]  # every graph has a name
    assert found == graphs - {f"{BASE}/graph/catalogue"}
    assert named(release, "graphs/inferred.ttl.gz")["graph"] == f"{BASE}/graph/inferred"
    assert named(release, "graphs/source/founding-article.ttl.gz")["graph"] == f"{BASE}/graph/source/founding-article"


def test_a_graph_with_another_name_has_a_file_named_by_a_hash(small: Service) -> None:
    names = {file["graph"]: file["name"] for file in of(small, "latest")["files"] if file["name"].startswith("graphs/")}
    assert names[f"{BASE}/graph/source/own"] == "graphs/source/own.ttl.gz"
    assert names[""] == "graphs/default.ttl.gz"
    for graph in ("http://test.example/one", f"{BASE}/graph/../odd%20name"):
        assert names[graph] == f"graphs/{hashlib.sha256(graph.encode()).hexdigest()[:20]}.ttl.gz"


def test_trig_has_each_graph_once_and_prefixes(shipped: Service, release: dict[str, Any]) -> None:
    text = shipped.client.get(release["url"] + "motorgraph.trig").text
    graphs = re.findall(r"^<(\S+)> \{$", text, re.MULTILINE)
    assert len(graphs) == len(set(graphs)) > 100
    assert "@prefix mg: <https://motorgraph.example/ontology/> .\n" in text
    assert "organization:ford " in text


# HTTP


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("0-99", 0, 100), ("100-1999", 100, 2000), ("-500", -500, None), ("1000-", 1000, None), ("5-99999999999", 5, None)],
)
def test_a_range_of_a_file_is_that_part_of_it(
    shipped: Service, release: dict[str, Any], wanted: str, start: int, end: int | None
) -> None:
    file = named(release, "motorgraph.nq.gz")
    whole = shipped.client.get(file["url"]).content
    response = shipped.client.get(file["url"], headers={"Range": f"bytes={wanted}"})
    assert response.status_code == 206
    assert response.content == whole[start:end]
    first = start % file["size"]
    assert response.headers["content-range"] == f"bytes {first}-{first + len(response.content) - 1}/{file['size']}"
    assert response.headers["etag"] == f'"{file["sha256"]}"'


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=9-3", "bytes=", "bytes=a-b", "lines=1-2", "bytes"])
def test_what_is_no_single_range_of_bytes_gets_the_whole(shipped: Service, release: dict[str, Any], wanted: str) -> None:
    file = named(release, "motorgraph.trig.zst")
    response = shipped.client.get(file["url"], headers={"Range": wanted})
    assert (response.status_code, len(response.content)) == (200, file["size"])


@pytest.mark.parametrize("wanted", ["{size}-", "{size}-{size}", "-0"])
def test_a_range_beyond_the_end_is_refused_with_the_length(shipped: Service, release: dict[str, Any], wanted: str) -> None:
    file = named(release, "motorgraph.nq.zst")
    response = shipped.client.get(file["url"], headers={"Range": "bytes=" + wanted.format(**file)})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{file['size']}"


def test_if_range_gives_a_part_only_of_what_the_client_has_begun(shipped: Service, release: dict[str, Any]) -> None:
    file = named(release, "motorgraph.nq.gz")
    changed = shipped.client.head(file["url"]).headers["last-modified"]
    for known, status in {f'"{file["sha256"]}"': 206, changed: 206, '"other"': 200, f'W/"{file["sha256"]}"': 200}.items():
        response = shipped.client.get(file["url"], headers={"Range": "bytes=10-19", "If-Range": known})
        assert response.status_code == status, known


def test_head_says_what_get_would(shipped: Service, release: dict[str, Any]) -> None:
    file = named(release, "motorgraph.nq.gz")
    head = shipped.client.head(file["url"], headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == file["size"]
    assert head.headers["accept-ranges"] == "bytes"
    assert head.headers["content-type"] == "application/gzip"
    assert head.headers["content-disposition"] == f'attachment; filename="motorgraph-{release["commit"]}.nq.gz"'
    assert head.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert head.headers["x-commit"] == str(release["commit"])


def test_a_client_that_has_the_file_is_told_so(shipped: Service, release: dict[str, Any]) -> None:
    file = named(release, "claims.nq.gz")
    tag, changed = f'"{file["sha256"]}"', shipped.client.head(file["url"]).headers["last-modified"]
    expected = {
        ("If-None-Match", tag): 304,
        ("If-None-Match", '"other"'): 200,
        ("If-Modified-Since", changed): 304,
        ("If-Modified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"): 200,
        ("If-Modified-Since", "yesterday"): 200,
        ("If-Match", tag): 200,
        ("If-Match", '"other"'): 412,
        ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"): 412,
    }
    for (header, value), status in expected.items():
        response = shipped.client.get(file["url"], headers={header: value})
        assert response.status_code == status, (header, value)
        assert status != 304 or not response.content


def test_latest_leads_to_the_newest(shipped: Service, release: dict[str, Any]) -> None:
    for name in ("", "motorgraph.nq.gz", "graphs/source/founding-article.ttl.gz"):
        response = shipped.client.get(f"/dumps/latest/{name}")
        assert response.status_code == 307
        assert response.headers["location"] == f"/dumps/{release['commit']}/{name}"


@pytest.mark.parametrize(
    "path",
    ["0/", "x/", "99999999/", "-1/", "1e3/motorgraph.nq", "latest/../../etc", "{commit}/none", "{commit}/graphs/../index.json"],
)
def test_what_is_not_there_is_said(shipped: Service, release: dict[str, Any], path: str) -> None:
    url = httpx.URL(shipped.url + "/dumps/" + path.format(**release).replace("..", "%2E%2E"))
    response = shipped.client.get(url, follow_redirects=True)
    assert response.status_code == 404, path
    assert response.json()["detail"].endswith(".")


def test_a_dump_is_found_by_a_time(shipped: Service, release: dict[str, Any]) -> None:
    response = shipped.client.get("/dumps/latest/motorgraph.nq.gz", params={"at": release["time"]})
    assert (response.status_code, response.headers["location"]) == (307, f"/dumps/{release['commit']}/motorgraph.nq.gz")
    assert shipped.client.get("/dumps/latest/motorgraph.nq.gz", params={"at": "2001-01-01"}).status_code == 404


def test_a_dump_cannot_be_written_to(shipped: Service) -> None:
    response = shipped.client.put("/dumps/1/motorgraph.nq")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_people_find_the_files_on_a_page(shipped: Service, release: dict[str, Any]) -> None:
    for path in ("/dumps/", "/dumps", f"/dumps/{release['commit']}/"):
        page = shipped.client.get(path, headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert f'href="/dumps/{release["commit"]}/motorgraph.nq.gz"' in page.text
    assert 'href="/dumps/1/graphs/accepted.ttl.gz"'.replace("/1/", f"/{release['commit']}/") in page.text


# The claims


def test_the_claims_are_reifiers_of_what_they_claim(shipped: Service, release: dict[str, Any], tmp_path: Path) -> None:
    claims = {row["c"] for row in shipped.rows("PREFIX mg: <https://motorgraph.example/ontology/> SELECT ?c { ?c a mg:Claim }")}
    path = fetched(shipped, release["commit"], "claims.nq.gz", tmp_path)
    reified = defaultdict(list)
    for quad in ox.parse(gzip.decompress(path.read_bytes()), ox.RdfFormat.N_QUADS):
        if isinstance(quad.object, ox.Triple):
            assert quad.predicate.value.endswith("#reifies")
            reified[quad.subject.value].append(quad.object)  # type: ignore[union-attr]  # claims have IRIs
    assert set(reified) == claims
    (said,) = reified[f"{BASE}/id/claim/s02"]
    terms = [f"{BASE}/id/organization/ford", f"{BASE}/ontology/basedIn", f"{BASE}/id/country/us"]
    assert [said.subject.value, said.predicate.value, said.object.value] == terms  # type: ignore[union-attr]  # all IRIs
    plain = shipped.client.head(f"/dumps/{release['commit']}/claims.nq")
    assert plain.headers["content-type"] == "application/n-quads; version=1.2"


def test_each_claim_is_a_nanopublication_of_four_graphs(shipped: Service, release: dict[str, Any]) -> None:
    np, published = "http://www.nanopub.org/nschema#", shipped.client.get(f"/dumps/{release['commit']}/nanopubs.trig").content
    store = ox.Store()
    store.load(published, ox.RdfFormat.TRIG)
    found = store.query(f"""PREFIX np: <{np}> SELECT ?claim ?np (COUNT(DISTINCT ?part) AS ?parts) {{
        GRAPH ?head {{ ?np a np:Nanopublication ; np:hasAssertion ?a ; np:hasProvenance ?p ; np:hasPublicationInfo ?i }}
        GRAPH ?p {{ ?a <http://www.w3.org/ns/prov#wasDerivedFrom> ?claim }}
        GRAPH ?i {{ ?np <http://purl.org/dc/terms/created> ?time ; <http://purl.org/dc/terms/license> ?licence }}
        GRAPH ?a {{ ?s ?o ?v }} VALUES ?part {{ 1 }} }} GROUP BY ?claim ?np""")
    rows = list(found)  # type: ignore[arg-type]  # a SELECT gives rows
    claims = {row["c"] for row in shipped.rows("PREFIX mg: <https://motorgraph.example/ontology/> SELECT ?c { ?c a mg:Claim }")}
    assert {row["claim"].value for row in rows} == claims
    assert len(list(store.named_graphs())) == 4 * len(claims)


def test_a_nanopublication_does_not_assert_what_its_claim_denies(shipped: Service, release: dict[str, Any]) -> None:
    store = ox.Store()
    store.load(shipped.client.get(f"/dumps/{release['commit']}/nanopubs.trig").content, ox.RdfFormat.TRIG)
    denied = shipped.rows("""PREFIX mg: <https://motorgraph.example/ontology/> SELECT ?claim { ?claim a mg:Claim ;
        mg:stance <https://motorgraph.example/concept/stance/denied> }""")
    assert denied
    for row in denied:
        claim = ox.NamedNode(row["claim"])
        asserted = list(store.quads_for_pattern(None, None, None, ox.NamedNode(claim.value + "#assertion")))
        assert any(quad.subject == claim and quad.predicate.value.endswith("/stance") for quad in asserted)


# Round trips


def test_every_file_of_the_whole_says_the_same(small: Service, tmp_path: Path) -> None:
    release = of(small, "latest")
    whole = [file["name"] for file in release["files"] if file["name"].startswith("motorgraph.")]
    assert len(whole) == 6
    found = {named_digest(str(fetched(small, release["commit"], name, tmp_path))) for name in whole}
    assert found == {canonical(small, release["commit"])}


@pytest.mark.parametrize("name", ["motorgraph.nq.zst", "motorgraph.trig.gz"])
def test_a_dump_that_is_loaded_into_a_plain_service_is_the_same_graph(small: Service, tmp_path: Path, name: str) -> None:
    commit = of(small, "latest")["commit"]
    path = fetched(small, commit, name, tmp_path)
    with service(tmp_path, "--plain", "--load", str(path), token=None) as other:
        assert canonical(other, 1) == canonical(small, commit)
        assert len(other.rows("SELECT ?s { ?s ?p ?o }")) == 1  # the default graph is one too


def test_graphs_that_are_put_one_by_one_are_the_same_graph(small: Service, tmp_path: Path) -> None:
    ours = of(small, "latest")
    files = [file for file in ours["files"] if file["name"].startswith("graphs/")]
    with service(tmp_path, "--plain") as other:
        for media_type in ("dump", "text/turtle", "application/n-triples", "application/ld+json"):
            assert other.update("DROP ALL").status_code == 204
            for file in files:
                put(file, small, other, media_type)
            assert canonical(other, of(other, "latest")["commit"]) == canonical(small, ours["commit"]), media_type
        other.update("DROP ALL")
        for file in files:
            if file["graph"] != "http://test.example/one":  # XML has no character 1
                put(file, small, other, "application/rdf+xml")
        assert small.update("CLEAR GRAPH <http://test.example/one>").status_code == 204
        ours, theirs = (of(running, "latest")["commit"] for running in (small, other))
        assert canonical(other, theirs) == canonical(small, ours)
        assert small.update(SAID.replace("_:x", "_:y")).status_code == 204


def put(file: dict[str, Any], source: Service, target: Service, media_type: str) -> None:
    """Takes a graph of one service, from its dump or in a format, and puts it into another."""
    which = {"graph": file["graph"]} if file["graph"] else {"default": ""}
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
    if media_type == "dump":
        content, headers["Content-Encoding"] = source.client.get(file["url"]).content, "gzip"
    else:
        content = source.client.get("/graphs", params=which, headers={"Accept": media_type}).content
        headers["Content-Type"] = media_type
    assert target.client.put("/graphs", params=which, content=content, headers=headers).status_code in (201, 204)


def test_the_shipped_graph_comes_back_from_its_dump(shipped: Service, release: dict[str, Any], tmp_path: Path) -> None:
    path = fetched(shipped, release["commit"], "motorgraph.trig.zst", tmp_path)
    with service(tmp_path, "--plain", "--load", str(path), token=None) as other:
        assert canonical(other, 1) == canonical(shipped, release["commit"])


def test_a_dump_can_be_loaded_into_a_service_that_infers_itself(shipped: Service, tmp_path: Path) -> None:
    graphs = {name: f"{BASE}/graph/{name}" for name in ("inferred", "catalogue", "source/of-a-dump")}
    path, said = tmp_path / "dump.nq.zst", list[str]()
    quads = "".join(f"<http://test.example/{name}> <http://test.example/p> <{iri}> <{iri}> .\n" for name, iri in graphs.items())
    path.write_bytes(zstd.compress(quads.encode()))
    load_over_http(Target(shipped.url, TOKEN), wanted([path], None, replace=False, message=""), said.append)
    assert [line.split()[0] for line in said] == ["Passed", "Passed", "dump.nq.zst"]
    assert shipped.rows("SELECT ?g { GRAPH ?g { ?s <http://test.example/p> ?o } }") == [{"g": graphs["source/of-a-dump"]}]


# Commits


def test_after_a_commit_there_is_another_newest_and_the_old_one_stays(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--dumps-kept", "1") as running:
        bodies, times = {}, {}
        for number in (1, 2, 3):
            assert (
                running.put(
                    "http://test.example/g", f"<http://test.example/a> <http://test.example/p> {number}, [] ."
                ).status_code
                < 300
            )
            release = of(running, "latest")
            assert release["commit"] == number
            times[number] = release["time"]
            bodies[number] = running.client.get(f"/dumps/{number}/motorgraph.nq").text
            assert bodies[number].count("\n") == 2
        assert len(list((tmp_path / "data" / "plain" / "dumps").iterdir())) == 2  # the newest, and one other
        for number in (1, 2, 3):  # commit 1 is made again from the journal
            assert sorted(running.client.get(f"/dumps/{number}/motorgraph.nq").text.splitlines()) == sorted(
                bodies[number].splitlines()
            )
            assert of(running, number)["time"] == times[number]
        assert [release["commit"] for release in running.client.get("/dumps/").json()["releases"]] == [3, 2]


def test_a_release_outlives_a_restart_and_what_is_half_made_does_not(tmp_path: Path) -> None:
    with service(tmp_path, "--plain") as running:
        running.update(SAID)
        before = of(running, "latest")
    folder = tmp_path / "data" / "plain" / "dumps"
    (folder / "0123abcd-1").mkdir()
    (folder / "0123abcd-1.77.part").mkdir()
    with service(tmp_path, "--plain") as running:
        (again,) = running.client.get("/dumps/").json()["releases"]
        assert again["files"] == [file | {"url": file["url"].replace(before["url"], again["url"])} for file in before["files"]]
        assert [path.name.partition("-")[2] for path in folder.iterdir()] == ["1"]
        (folder / next(folder.iterdir()).name / "motorgraph.nq.gz").unlink()
        gone = running.client.get("/dumps/1/motorgraph.nq.gz")
        assert (gone.status_code, gone.headers["retry-after"]) == (503, "1")
        assert running.client.get("/dumps/1/motorgraph.nq.gz").status_code == 200


def test_a_dump_is_made_unasked_when_nobody_writes(tmp_path: Path) -> None:
    with service(tmp_path, "--plain") as running:
        running.update(SAID)
        assert running.client.get("/dumps/").json()["releases"] == []
        assert until(lambda: bool(running.client.get("/dumps/").json()["releases"]), 20)


def test_many_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    async def asked(url: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            return await asyncio.gather(*(client.get("/dumps/latest/motorgraph.nq", follow_redirects=True) for _ in range(12)))

    with service(tmp_path, "--plain") as running:
        running.update(SAID)
        responses = asyncio.run(asked(running.url))
        assert {(response.status_code, response.content) for response in responses} == {(200, responses[0].content)}
        assert running.log.read_text().count("a dump has been made") == 1


def test_the_quads_can_be_had_before_the_rest_is_made_and_are_those_of_the_whole(tmp_path: Path) -> None:
    answered: list[str] = []

    async def ask(client: httpx.AsyncClient, name: str) -> bytes:
        content = (await client.get(f"/dumps/latest/{name}", follow_redirects=True)).content
        answered.append(name)
        return content

    async def asked(url: str, *names: str) -> list[bytes]:
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            return await asyncio.gather(*(ask(client, name) for name in names))

    with service(tmp_path, "--plain") as running:
        lines = "".join(f"<http://test.example/s{n}> <http://test.example/p> {n} .\n" for n in range(50_000))
        assert running.put("http://test.example/g", lines).status_code == 201
        index, packed = asyncio.run(asked(running.url, "index.json", "motorgraph.nq.gz"))
        assert answered == ["motorgraph.nq.gz", "index.json"]
        assert gzip.decompress(packed).count(b"\n") == 50_000
        assert named(json.loads(index), "motorgraph.nq.gz")["sha256"] == hashlib.sha256(packed).hexdigest()
        (folder,) = (tmp_path / "data" / "plain" / "dumps").iterdir()
        assert not (folder / "shelf.nt").exists()
        assert fetched(running, 1, "motorgraph.nq.gz", tmp_path).read_bytes() == packed


def test_a_service_without_a_journal_does_not_promise_that_commit_1_stays_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data.nq"
    path.write_text("<http://test.example/a> <http://test.example/p> <http://test.example/g> .\n")
    with service(tmp_path, "--plain", "--load", str(path), token=None) as running:
        assert running.client.get("/dumps/1/motorgraph.nq").headers["cache-control"] == "no-cache"


def test_where_reads_are_protected_a_dump_needs_a_token_and_is_private(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--protect-reads") as running:
        running.update(SAID)
        assert running.client.get("/dumps/1/motorgraph.nq").status_code == 401
        response = running.client.get("/dumps/1/motorgraph.nq", headers={"Authorization": f"Bearer {TOKEN}"})
        assert response.headers["cache-control"] == "max-age=31536000, immutable, private"


def test_a_service_can_make_none(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--dumps-kept", "0") as running:
        assert running.client.get("/dumps/latest/motorgraph.nq").status_code == 404
        assert running.client.get("/dumps/").json()["releases"] == []
        assert "makes none" in running.client.get("/dumps/", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("commit", [0, 1], ids=["a journal without a commit", "no journal"])
def test_an_empty_graph_has_a_dump(tmp_path: Path, commit: int) -> None:
    with service(tmp_path, "--plain", token=None if commit else TOKEN) as running:
        release = of(running, "latest")
        assert release["commit"] == commit
        assert {file["name"]: file["size"] for file in release["files"]}["motorgraph.nq"] == 0
        assert canonical(running, commit) == hashlib.sha256().hexdigest()
        assert running.client.get(f"/dumps/{commit}/motorgraph.nq", headers={"Range": "bytes=0-"}).status_code == 416


# The canonical form


def test_the_digest_of_a_file_is_that_of_the_canonical_form(small: Service, tmp_path: Path) -> None:
    commit = of(small, "latest")["commit"]
    expected = canonical(small, commit)
    assert named_digest(f"{small.url}/dumps/latest/motorgraph.nq.gz") == expected
    assert named_digest(f"{small.url}/graphs") == expected
    out = tmp_path / "canonical.nq.gz"
    assert digest(str(fetched(small, commit, "motorgraph.trig.zst", tmp_path)), BOUNDS, output=out) == expected
    assert hashlib.sha256(gzip.decompress(out.read_bytes())).hexdigest() == expected


def named_digest(source: str) -> str:
    return digest(source, BOUNDS)


def test_graphs_with_blank_nodes_of_other_names_have_the_same_canonical_form(tmp_path: Path) -> None:
    for name, (a, b) in {"one": ("x", "y"), "other": ("b9", "b1"), "third": ("z", "z")}.items():
        (tmp_path / f"{name}.nq").write_text(
            f'_:{a} <http://e/p> _:{b} .\n_:{b} <http://e/p> "v" .\n<http://e/s> <http://e/p> "_:x" .\n'
        )
    one, other, third = (named_digest(str(tmp_path / f"{name}.nq")) for name in ("one", "other", "third"))
    assert one == other != third


def test_a_graph_whose_blank_nodes_cannot_be_told_apart_is_refused_in_time(tmp_path: Path) -> None:
    steps = (1, 3, 7, 12)
    poison = "".join(f"_:a{i} <http://e/p> _:a{(i + step) % 40} .\n" for i in range(40) for step in steps)
    with service(tmp_path, "--plain", "--query-seconds", "1") as running:
        running.put("http://test.example/poison", poison)
        response = running.client.get("/dumps/1/motorgraph.canonical.nq")
        assert response.status_code == 422
        assert response.json()["type"].endswith("/no-canonical-form")
        assert running.client.get("/dumps/1/motorgraph.nq").text.count("\n") == 160
        assert json.dumps(running.client.get("/health").json())
