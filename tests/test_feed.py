"""The feed: who follows its relations gets every version once, and by them the graph as it is; what is past stays as it is."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pyoxigraph as ox
import pyshacl
import pytest
from rdflib import Graph

from motorgraph.commits import Commit, as_row
from motorgraph.feed import BLOCK_COMMITS, BLOCK_QUADS, INDEX_BLOCKS, PART_MEMBERS, Block, Blocks, Stream
from motorgraph.journal import Journal
from motorgraph.vocab import LDES, SCHEMA, TREE
from motorgraph.witness import Witness
from tests.following import Member, Replica, canonical, members, page, relations, replicate, stars
from tests.running import TOKEN, Service, service

BASE = "https://motorgraph.example"
FORMATS = ("application/trig", "text/turtle", "application/n-triples", "application/n-quads", "application/ld+json")
DERIVED = {ox.NamedNode(f"{BASE}/graph/{name}") for name in ("inferred", "catalogue")}
PAGE_SHAPES = f"""
@prefix ldes: <{LDES}> . @prefix tree: <{TREE}> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix prov: <http://www.w3.org/ns/prov#> .
<urn:stream> a sh:NodeShape ; sh:targetClass ldes:EventStream ; sh:nodeKind sh:IRI ;
  sh:property [ sh:path tree:view ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path tree:shape ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path ldes:timestampPath ; sh:hasValue prov:generatedAtTime ; sh:maxCount 1 ] ,
    [ sh:path ldes:sequencePath ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path ldes:versionOfPath ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path ldes:versionCreatePath ; sh:maxCount 1 ] , [ sh:path ldes:versionCreateObject ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path ldes:versionUpdatePath ; sh:maxCount 1 ] , [ sh:path ldes:versionUpdateObject ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path ldes:versionDeletePath ; sh:maxCount 1 ] , [ sh:path ldes:versionDeleteObject ; sh:minCount 1 ; sh:maxCount 1 ] ,
    [ sh:path ldes:transactionPath ; sh:minCount 1 ; sh:maxCount 1 ] , [ sh:path ldes:transactionFinalizedPath ; sh:maxCount 1 ] ,
    [ sh:path ldes:transactionFinalizedObject ; sh:maxCount 1 ] ,
    [ sh:path ldes:pollingInterval ; sh:datatype xsd:integer ; sh:maxCount 1 ] .
<urn:members> a sh:NodeShape ; sh:targetObjectsOf tree:member ; sh:nodeKind sh:IRI .
<urn:node> a sh:NodeShape ; sh:targetClass tree:Node ; sh:nodeKind sh:IRI ;
  sh:property [ sh:path ldes:immutable ; sh:in ( true ) ; sh:maxCount 1 ] , [ sh:path ldes:retentionPolicy ; sh:maxCount 0 ] ,
    [ sh:path tree:viewDescription ; sh:maxCount 1 ] .
<urn:relation> a sh:NodeShape ; sh:targetObjectsOf tree:relation ;
  sh:property [ sh:path tree:node ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path tree:path ; sh:minCount 1 ; sh:maxCount 1 ; sh:hasValue prov:generatedAtTime ] ,
    [ sh:path tree:value ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:dateTime ;
      sh:pattern "(Z|[+-][0-9]{{2}}:[0-9]{{2}})$" ] ,
    [ sh:path <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> ; sh:minCount 1 ; sh:maxCount 1 ;
      sh:in ( tree:GreaterThanOrEqualToRelation tree:LessThanOrEqualToRelation ) ] .
"""
STEPS = (  # what a life of two graphs is: created, changed, moved, nested, cut off, removed, and made again
    "INSERT DATA { GRAPH <x:g> { <x:a> <x:p> 1 ; <x:q> [ <x:r> [ <x:s> 2 ] ] . <x:b> <x:p> 1 } }",
    "INSERT DATA { GRAPH <x:h> { <x:a> <x:p> 1 . <x:c> <x:p> <x:a> } }",
    "INSERT { GRAPH <x:g> { ?n <x:s> 3 } } WHERE { GRAPH <x:g> { ?n <x:s> 2 } }",
    "DELETE DATA { GRAPH <x:g> { <x:a> <x:p> 1 } }",
    "INSERT { GRAPH <x:g> { <x:b> <x:q> ?n } } WHERE { GRAPH <x:g> { <x:a> <x:q> ?n } }",
    (
        "DELETE { GRAPH <x:g> { ?n <x:s> 2 } } "
        "INSERT { GRAPH <x:g> { ?n <x:s> <x:a>, 'é \"\\n\\u2028'@fr } } WHERE { GRAPH <x:g> { ?n <x:s> 2 } }"
    ),
    "DELETE { GRAPH <x:g> { <x:a> <x:q> ?n } } WHERE { GRAPH <x:g> { <x:a> <x:q> ?n } }",
    "DELETE WHERE { GRAPH <x:h> { <x:c> ?p ?o } }",
    "INSERT DATA { <x:unnamed> <x:p> <x:c> . GRAPH <x:h> { <x:c> <x:p> 2 } }",
    (
        f"INSERT DATA {{ GRAPH <x:g> {{ <{BASE}/id/ü/1> <x:p> 1 . <{BASE}/id/x#y> <x:p> 1 . <{BASE}> <x:p> 1 . "
        f" <{BASE}/a:b/../c> <x:p> 1 }} }}"
    ),
    "DROP GRAPH <x:g>",
    "CREATE GRAPH <x:empty>",
    "INSERT DATA { GRAPH <x:g> { [] <x:nobody> <x:points> . <x:loop> <x:p> _:l . _:l <x:p> _:l, <x:loop> } }",
)


def written(folder: Path, commits: Iterable[tuple[str, str, str]]) -> Path:
    """A data folder of a plain store whose journal has these commits: when, what was removed, what was added."""
    journal = Journal.open(folder / "data" / "plain")
    with journal._transaction():
        journal._note({"base": BASE})
        number, digest = 0, b""
        for number, (time, removed, added) in enumerate(commits, 1):
            whole = hashlib.sha256(digest)
            for place, text in enumerate((removed, added)):
                whole.update(text.encode() + b"\x00")
                if text:
                    row = (number, place, 0, zlib.compress(text.encode(), 1))
                    journal._base.execute("INSERT INTO pieces VALUES (?, ?, ?, ?)", row)
            counts = removed.count("\n"), added.count("\n")
            commit = Commit(number, time, "tests", "", "", (), (), *counts, 0, {}, b"")
            whole.update(repr(as_row(commit)).encode())
            digest = whole.digest()
            journal._insert(replace(commit, digest=digest))
    Witness(journal.lineage, number, digest).write(journal.folder)
    journal.close()
    return folder


def quads(running: Service) -> set[ox.Quad]:
    """The graph as it is, without what follows from it."""
    response = running.client.get("/graphs", headers={"Accept": "application/n-quads"})
    parsed = set(ox.parse(response.content, ox.RdfFormat.N_QUADS))
    derived = {quad.graph_name for quad in parsed if quad.graph_name in DERIVED}
    return {quad for quad in parsed if quad.graph_name not in derived | ({ox.DefaultGraph()} if derived else set())}


def assert_is_the_graph(replica: Replica, running: Service) -> None:
    """What the stream says of every entity in the end is what the graph says of it, and it says it of no other."""
    expected, found = stars(quads(running)), replica.entities
    assert set(found) == set(expected)
    assert not [iri for iri, said in expected.items() if said != found[iri] and canonical(said) != canonical(found[iri])]


def headers(response: httpx.Response) -> dict[str, str]:
    return {name: response.headers.get(name, "") for name in ("etag", "cache-control", "x-commit", "vary")}


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain store to which the steps have been done; its tests add commits."""
    with service(tmp_path_factory.mktemp("feed"), "--plain") as running:
        for step in STEPS:
            assert running.update(step).status_code == 204, step
        yield running


# What is in the stream


def test_a_client_that_follows_the_stream_of_the_shipped_graph_has_the_graph(shipped: Service) -> None:
    replica = replicate(shipped.client)
    assert len(replica.members) > 13_000
    assert_is_the_graph(replica, shipped)


def test_each_step_of_a_life_is_in_the_stream_and_all_together_are_the_graph(living: Service) -> None:
    replica = replicate(living.client)
    assert_is_the_graph(replica, living)
    by_commit: dict[int, dict[str, str]] = {}
    for member in replica.in_order:
        commit = int(member.one(ox.NamedNode("http://www.w3.org/ns/prov#wasGeneratedBy")).value.rpartition("/")[2])
        by_commit.setdefault(commit, {})[member.entity] = member.kind
    assert [by_commit.get(number, {}) for number in range(1, len(STEPS) + 1)] == [
        {"x:a": "Create", "x:b": "Create"},
        {"x:a": "Update", "x:c": "Create"},
        {"x:a": "Update"},
        {"x:a": "Update"},
        {"x:b": "Update"},
        {"x:a": "Update", "x:b": "Update"},
        {"x:a": "Update"},
        {"x:c": "Delete"},
        {"x:c": "Create", "x:unnamed": "Create"},
        {f"{BASE}/id/ü/1": "Create", f"{BASE}/id/x#y": "Create", BASE: "Create", f"{BASE}/a:b/../c": "Create"},
        {
            "x:b": "Delete",
            f"{BASE}/id/ü/1": "Delete",
            f"{BASE}/id/x#y": "Delete",
            BASE: "Delete",
            f"{BASE}/a:b/../c": "Delete",
        },
        {},
        {"x:loop": "Create"},
    ]


def test_a_version_says_what_was_said_of_its_entity_then(living: Service) -> None:
    versions = [m for m in replicate(living.client).in_order if m.entity == "x:a"]
    values = [sorted(str(t.object) for t in m.said if isinstance(t.object, ox.Literal)) for m in versions]
    one, two, three = (f'"{n}"^^<http://www.w3.org/2001/XMLSchema#integer>' for n in (1, 2, 3))
    french = '"é \\"\\n\u2028"@fr'
    first, both = [one, two], [one, two, three]
    assert values == [first, first, both, both, sorted([french, one, three]), [one]]
    assert not [m for m in replicate(living.client).in_order if m.kind == "Delete" and m.said]


def test_the_last_member_of_a_commit_completes_it(living: Service) -> None:
    status = ox.NamedNode(SCHEMA + "actionStatus")
    newest: dict[str, Member] = {}
    for member in replicate(living.client).in_order:
        commit = member.one(ox.NamedNode("http://www.w3.org/ns/prov#wasGeneratedBy")).value
        assert commit not in newest or not [t for t in newest[commit].triples if t.predicate == status]
        newest[commit] = member
    assert all(m.one(status) == ox.NamedNode(SCHEMA + "CompletedActionStatus") for m in newest.values())


def test_what_looks_like_a_word_of_the_stream_is_told_apart(living: Service) -> None:
    words = """<x:odd> a <https://www.w3.org/ns/activitystreams#Delete>, <x:Type> ;
        <http://www.w3.org/ns/prov#generatedAtTime> '1066-10-14T00:00:00Z'^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
        <http://purl.org/dc/terms/isVersionOf> <x:other> ; <https://schema.org/position> 1 ;
        <https://www.w3.org/ns/activitystreams#attachment> [ <http://www.w3.org/ns/prov#wasGeneratedBy> <x:somebody> ]"""
    assert living.update(f"INSERT DATA {{ GRAPH <x:odd-graph> {{ {words} }} }}").status_code == 204
    replica = replicate(living.client)
    assert_is_the_graph(replica, living)
    (member,) = [m for m in replica.in_order if m.entity == "x:odd"]
    assert (member.kind, member.time > "2000") == ("Create", True)


def test_triple_terms_are_told_but_in_json_ld(living: Service) -> None:
    words = "<x:who> <x:says> <<( _:b <x:p> <<( <x:s> <x:p> 1 )>> )>> ; <x:knows> _:b . _:b <x:name> 'b'"
    update = f"INSERT DATA {{ GRAPH <x:terms> {{ {words} }} }}"
    assert living.update(update).status_code == 204
    replica = replicate(living.client)
    assert_is_the_graph(replica, living)
    newest = replica.in_order[-1]
    response = living.client.get(newest.page, headers={"Accept": "application/ld+json"})
    assert response.status_code == 406
    assert "application/n-quads" in response.json()["available"]
    assert living.update("DROP GRAPH <x:terms>").status_code == 204


# Its pages


@pytest.mark.parametrize("accept", FORMATS)
def test_every_format_says_the_same(shipped: Service, accept: str) -> None:
    for path in ("/feed", "/feed/1", "/feed/1/1", "/feed/1/53", "/feed/shape", "/version/1/id/organization/gm"):
        turtle, other = page(shipped.client, path, "text/turtle"), page(shipped.client, path, accept)
        assert other.headers["content-type"].startswith(accept)
        assert "Accept" in other.headers["vary"]
        assert canonical(other.triples) == canonical(turtle.triples)


def test_pages_name_each_other_relatively_where_a_format_can_and_nothing_else(shipped: Service) -> None:
    here = str(shipped.client.base_url)
    for path in ("/feed", "/feed/1", "/feed/1/1"):
        for accept in ("text/turtle", "application/trig"):
            body = page(shipped.client, path, accept).body.decode()
            assert here not in body
            assert "@base" not in body
            assert f"<{BASE}" in body or path == "/feed/1"
    assert f"{here}/feed/1".encode() in page(shipped.client, "/feed", "application/n-quads").body


@pytest.mark.parametrize("path", ["/feed", "/feed/1", "/feed/1/2"])
def test_pages_conform_to_what_ldes_and_tree_ask_of_them(shipped: Service, path: str) -> None:
    found = page(shipped.client, path, "text/turtle")
    data = Graph().parse(data=found.body, publicID=found.url, format="turtle")
    conforms, _, words = pyshacl.validate(data, shacl_graph=Graph().parse(data=PAGE_SHAPES, format="turtle"))
    assert conforms, words


def test_every_member_conforms_to_the_shape_that_the_stream_names(shipped: Service) -> None:
    root, part = page(shipped.client, "/feed", "text/turtle"), page(shipped.client, "/feed/1/3", "text/turtle")
    (address,) = [t.object.value for t in root.triples if t.predicate.value == TREE + "shape"]
    shape = Graph().parse(data=page(shipped.client, address, "text/turtle").body, publicID=address, format="turtle")
    data = Graph().parse(data=part.body, publicID=part.url, format="turtle")
    targets = "".join(
        f"<{address}> <http://www.w3.org/ns/shacl#targetNode> <{m.iri.value}> .\n" for m in members(part, f"{BASE}/feed#stream")
    )
    assert targets.count("\n") == PART_MEMBERS
    conforms, _, words = pyshacl.validate(data, shacl_graph=shape.parse(data=targets, format="turtle"))
    assert conforms, words


def test_the_members_of_a_page_are_bundled_and_in_order_as_the_profile_says(shipped: Service) -> None:
    found = page(shipped.client, "/feed/1/7", "application/n-quads")
    assert 'profile="https://w3id.org/tree/profile"' in found.headers["content-type"]
    positions, current = [], ""
    for line in found.body.decode().splitlines():
        subject, predicate, rest = line.split(" ", 2)
        if predicate == f"<{TREE}member>":
            current = rest.removesuffix(" .")
        elif current and not subject.startswith("_:"):
            assert subject == current
        if predicate == f"<{SCHEMA}position>":
            positions.append(int(rest.split('"')[1]))
    assert len(positions) == PART_MEMBERS
    assert positions == sorted(positions)


def test_relations_bound_the_times_of_all_that_is_below_them(living: Service) -> None:
    replica = replicate(living.client)
    for found in replica.pages.values():
        for link, least, most in relations(found):
            below = [m.time for m in replica.members.values() if m.page.startswith(link + "/") or m.page == link]
            assert below
            assert all(least <= time and (not most or time <= most) for time in below)


def test_what_is_past_stays_byte_for_byte_and_only_the_tail_is_new(tmp_path: Path) -> None:
    times = [f"2026-01-01T00:{n // 60:02}:{n % 60:02}.000000+00:00" for n in range(290)]
    commits = [(time, "", f"_:a{n} <x:q> _:b{n} .\n<x:s{n}> <x:p> _:a{n} .\n") for n, time in enumerate(times)]
    with service(written(tmp_path, commits), "--plain") as running:
        first = replicate(running.client)
        assert [p.is_fixed for path, p in sorted(first.pages.items())] == [False, True, True, True, True, False, False]
        before = {url: p.body for url, p in first.pages.items() if p.is_fixed}
        tail = page(running.client, "/feed/201/1")
        for n in range(15):
            assert running.update(f"INSERT DATA {{ <x:s{n}> <x:p> <x:new> }}").status_code == 204
        assert {url: page(running.client, url).body for url in before} == before
        again = replicate(running.client, known=first)
        assert len(again.members) == 305
        assert all(again.members[iri].triples == member.triples for iri, member in first.members.items())
        assert_is_the_graph(again, running)
        assert page(running.client, "/feed/201/1").is_fixed
        assert tail.body.split(b"tree:member")[1:90] == page(running.client, "/feed/201/1").body.split(b"tree:member")[1:90]
    with service(tmp_path, "--plain") as running:  # another process, another port
        paths = [httpx.URL(url).path for url in before]
        assert [page(running.client, path).body for path in paths] == list(before.values())


def test_a_full_part_of_a_block_that_still_grows_is_fixed(tmp_path: Path) -> None:
    lines = "".join(f"<x:s{n:03}> <x:p> <x:o> .\n" for n in range(PART_MEMBERS))
    with service(written(tmp_path, [("2026-01-01T00:00:00.000000+00:00", "", lines)]), "--plain") as running:
        assert [page(running.client, path).is_fixed for path in ("/feed", "/feed/1", "/feed/1/1")] == [False, False, True]
        assert running.client.get("/feed/1/2").status_code == 404
        body = page(running.client, "/feed/1/1").body
        assert running.update("INSERT DATA { <x:s000> <x:p> <x:more> }").status_code == 204
        assert page(running.client, "/feed/1/1").body == body
        assert len(replicate(running.client).members) == PART_MEMBERS + 1


def test_a_tag_spares_what_the_client_has(living: Service) -> None:
    for path in ("/feed", "/feed/1", "/feed/1/1", "/feed/shape", "/version/1/x%3Aa"):
        first = living.client.get(path, headers={"Accept": "text/turtle"})
        again = living.client.get(path, headers={"Accept": "text/turtle", "If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        other = living.client.get(path, headers={"Accept": "application/n-quads", "If-None-Match": first.headers["etag"]})
        assert (other.status_code, other.headers["etag"] != first.headers["etag"]) == (200, True)
    before = living.client.get("/feed").headers["etag"]
    assert living.update("INSERT DATA { <x:tag> <x:p> 1 }").status_code == 204
    assert living.client.get("/feed", headers={"If-None-Match": before}).status_code == 200


def test_a_head_has_the_headers_and_no_body(living: Service) -> None:
    for path in ("/feed", "/feed/1", "/feed/1/1", "/version/1/x%3Aa"):
        head, get = living.client.head(path), living.client.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert headers(head) == headers(get)


@pytest.mark.parametrize(
    "path", ["/feed/", "/feed/0", "/feed/2", "/feed/999999", "/feed/1/2", "/feed/1/0", "/feed/1/1/1", "/feed/x", "/feed/index/1"]
)
def test_a_page_that_is_not_there_is_none(living: Service, path: str) -> None:
    response = living.client.get(path)
    assert response.status_code == 404
    assert "/feed" in response.json()["detail"] or "commit" in response.json()["detail"]


def test_what_nobody_can_serve_is_refused(living: Service) -> None:
    assert living.client.get("/feed", headers={"Accept": "image/png"}).status_code == 406
    assert living.client.post("/feed").status_code == 405
    assert living.client.get("/feed", headers={"Host": 'a"b', "Accept": "application/n-quads"}).status_code == 400


# When


def test_a_clock_that_goes_back_does_not_take_the_stream_along(tmp_path: Path) -> None:
    minutes = (5, 9, 3, 4, 9, 7, 12, 1)
    rows = ((f"2026-01-01T00:{m:02}:00.000000+00:00", "", f"<x:s> <x:p> <x:o{n}> .\n") for n, m in enumerate(minutes))
    with service(written(tmp_path, rows), "--plain") as running:
        times = [member.time[14:16] for member in replicate(running.client).in_order]
        assert times == ["05", "09", "09", "09", "09", "09", "12", "12"]
        assert page(running.client, "/version/8/x%3As").triples >= {
            t for m in replicate(running.client).in_order[-1:] for t in m.triples
        }


def test_who_wants_a_span_of_time_gets_all_of_it_and_asks_less(tmp_path: Path) -> None:
    moments = [f"2026-01-{1 + n // 24:02}T{n % 24:02}:00:00.000000+00:00" for n in range(450)]
    jumps = {130: moments[95], 131: moments[96], 260: moments[110]}  # back over the border of a block
    rows = [(jumps.get(n, moments[n]), "", f"<x:s{n % 7}> <x:p> <x:o{n}> .\n") for n in range(450)]
    with service(written(tmp_path, rows), "--plain") as running:
        whole = replicate(running.client)
        assert len(whole.members) == 450
        for start, end in (
            (moments[0], moments[3]),
            (moments[95], moments[131]),
            (moments[259], moments[260]),
            (moments[440], "9"),
        ):
            some = replicate(
                running.client, wants=lambda least, most, start=start, end=end: least <= end and (not most or most >= start)
            )
            within = {iri for iri, member in whole.members.items() if start <= member.time <= end}
            assert within <= set(some.members)
            assert len(some.pages) < len(whole.pages)


def test_blocks_close_when_they_are_full_and_older_ones_go_into_an_index() -> None:
    blocks = Blocks()
    for number in range(1, 2 * BLOCK_COMMITS + 2):
        blocks.add(number, f"2026-01-01T00:00:{number:06}", 1)
    assert [link.path for link in blocks.links] == ["/feed/1", "/feed/101", "/feed/201"]
    assert blocks.holding(100) == Block(1, 100, 100, "", "2026-01-01T00:00:000001", "2026-01-01T00:00:000100")
    assert blocks.holding(202) is None
    for number in range(2 * BLOCK_COMMITS + 2, 2 * BLOCK_COMMITS + 2 + 3 * INDEX_BLOCKS):
        blocks.add(number, f"2026-01-01T00:00:{number:06}", BLOCK_QUADS)
    paths = [link.path for link in blocks.links]
    assert paths[:3] == ["/feed/index/1", "/feed/index/300", "/feed/400"]
    assert len(paths) == 2 + 302 - 200
    listed = [block.first for first in (1, 300) for block in blocks.index(first)]
    assert listed + [int(path.rpartition("/")[2]) for path in paths[2:]] == [1, 101, 201, *range(203, 502)]
    assert blocks.index(2) == []


def test_an_index_leads_to_its_blocks(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[str, str, str]]:
        for n in range(2 * INDEX_BLOCKS * BLOCK_COMMITS + 50):
            yield (
                f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000000+00:00",
                "",
                f"<x:s{n % 5000}> <x:p> <x:o{n}> .\n",
            )

    with service(written(tmp_path, rows()), "--plain") as running:
        links = [link for link, _, _ in relations(page(running.client, "/feed"))]
        index = str(running.client.base_url.join("/feed/index/1"))
        assert index in links
        found = page(running.client, index)
        assert found.is_fixed
        assert len(list(relations(found))) == INDEX_BLOCKS
        late = replicate(running.client, wants=lambda least, most: not most)
        assert (len(late.pages), len(late.members)) == (3, 50)
        early = replicate(running.client, wants=lambda least, most: least < "2026-01-01T00:00:30")
        assert (len(early.pages), len(early.members)) == (4, BLOCK_COMMITS)


# Where


def test_a_version_answers_at_its_own_address(living: Service) -> None:
    for member in replicate(living.client).in_order:
        path = member.iri.value.removeprefix(BASE)
        if "terms" not in str(member.said):
            assert canonical(page(living.client, path).triples - _links(member)) == canonical(member.triples)
    assert living.client.get("/version/1/x%3Ac").status_code == 404
    assert living.client.get("/version/999999/x%3Aa").status_code == 404
    assert living.client.get("/version/1/").status_code == 404
    assert living.client.get("/version/1/%00").status_code == 400


def _links(member: Member) -> set[ox.Triple]:
    return {ox.Triple(ox.NamedNode(f"{BASE}/feed#stream"), ox.NamedNode(TREE + "member"), member.iri)}


@pytest.mark.parametrize(
    ("entity", "path"),
    [
        (f"{BASE}/id/plant/x-1", "id/plant/x-1"),
        (f"{BASE}/ontology", "ontology"),
        (f"{BASE}/ontology/", "ontology/"),
        (BASE, "https%3A%2F%2Fmotorgraph.example"),
        (f"{BASE}/id/a#b", "https%3A%2F%2Fmotorgraph.example%2Fid%2Fa%23b"),
        (f"{BASE}/id/../b", "https%3A%2F%2Fmotorgraph.example%2Fid%2F..%2Fb"),
        (f"{BASE}/urn:x", "https%3A%2F%2Fmotorgraph.example%2Furn%3Ax"),
        (f"{BASE}/id/a%20b", "https%3A%2F%2Fmotorgraph.example%2Fid%2Fa%2520b"),
        ("urn:x:ü", "urn%3Ax%3A%C3%BC"),
        ("http://www.wikidata.org/entity/Q1", "http%3A%2F%2Fwww.wikidata.org%2Fentity%2FQ1"),
    ],
)
def test_the_address_of_a_version_says_its_entity(entity: str, path: str) -> None:
    stream = Stream(BASE)
    assert stream.version(entity, 7).value == f"{BASE}/version/7/{path}"
    assert stream.entity(path) == entity


def test_a_browser_gets_pages(living: Service) -> None:
    html = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    feed = living.client.get("/feed", headers=html)
    assert feed.headers["content-type"].startswith("text/html")
    assert f"ldes-client {living.client.base_url}/feed" in feed.text
    assert 'href="/version/' in feed.text
    assert living.client.get("/feed", headers={**html, "If-None-Match": feed.headers["etag"]}).status_code == 304
    version = living.client.get("/version/1/x%3Aa", headers=html)
    assert "as:Create" in version.text
    assert living.client.get("/feed/1/1", headers=html).headers["content-type"].startswith("application/trig")


# Other services


def test_a_store_without_a_commit_has_a_stream_without_members(tmp_path: Path) -> None:
    with service(tmp_path, "--plain") as running:
        replica = replicate(running.client)
        assert (len(replica.pages), replica.members, replica.stream) == (1, {}, f"{BASE}/feed#stream")
        assert "Nothing has changed yet" in running.client.get("/feed", headers={"Accept": "text/html"}).text
        assert running.client.get("/feed/1").status_code == 404


def test_a_service_without_a_journal_streams_what_it_started_with(tmp_path: Path) -> None:
    file = tmp_path / "some.trig"
    file.write_text("<x:a> <x:p> [ <x:q> 1 ] . GRAPH <x:g> { <x:b> <x:p> 1, 2 }")
    with service(tmp_path, "--plain", "--load", str(file), token=None) as running:
        replica = replicate(running.client)
        assert_is_the_graph(replica, running)
        assert not [p for p in replica.pages.values() if p.is_fixed]
        assert {member.kind for member in replica.members.values()} == {"Create"}
    with service(tmp_path, "--plain", token=None) as running:
        assert replicate(running.client).members == {}


def test_a_base_of_ones_own_is_that_of_the_stream(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--base", "http://cars.example") as running:
        assert running.update("INSERT DATA { <http://cars.example/id/a> <x:p> 1 }").status_code == 204
        replica = replicate(running.client)
        assert replica.stream == "http://cars.example/feed#stream"
        assert [iri.value for iri in replica.members] == ["http://cars.example/version/1/id/a"]


def test_too_many_at_once_are_told_when_to_come_again(tmp_path: Path) -> None:
    lines = "".join(f"<x:s{n}> <x:p> <x:o> .\n" for n in range(60_000))
    folder = written(tmp_path, [("2026-01-01T00:00:00.000000+00:00", "", lines)])
    with (
        service(folder, "--plain", "--past-readers", "1", "--past-queue-length", "0") as running,
        ThreadPoolExecutor(8) as clients,
    ):
        running.client.get("/feed")
        answers = list(clients.map(lambda n: running.client.get(f"/feed/1/{n}"), range(1, 17)))
        assert {answer.status_code for answer in answers} == {200, 429}
        assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)


def test_reads_that_need_a_token_need_one_here(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--protect-reads") as running:
        assert running.client.get("/feed").status_code == 401
        answer = running.client.get("/feed", headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, "private" in answer.headers["cache-control"]) == (200, True)
