"""Changes: what a draft does on its own copy, what it writes down, and that a refused one leaves the graph as it was."""

from __future__ import annotations

import asyncio
import gzip
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motorgraph.engine.delta import Delta, Written
from motorgraph.engine.wire import Job
from motorgraph.errors import (
    BadEvaluation,
    BadRequest,
    BadSyntax,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    OutOfMemory,
    ReaderDied,
    Refusal,
    UnsupportedMediaType,
)
from motorgraph.journal import Journal
from tests.forked import NTRIPLES, Engine, engine, eventually, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
START = "<http://e/s> <http://e/p> 1 .\n"
G = "http://t/g"
WHOLE = Job("graph", graphs="application/n-quads")
TURTLE = "text/turtle"
RDFXML = b"""<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="a:s">
<p xmlns="a:" r:datatype="http://www.w3.org/2001/XMLSchema#integer">1</p></r:Description></r:RDF>"""


async def dump(running: Engine) -> set[str]:
    """The whole graph as lines of N-Quads."""
    data = await running.pool.alone(WHOLE)
    return set(data.decode().splitlines())


def doing(folder: Path, *changes: tuple[Job, bytes], data: str = START) -> tuple[set[str], list[bool]]:
    """The graph after the changes, and for each whether it made a graph."""

    async def work() -> tuple[set[str], list[bool]]:
        async with engine(folder, data=data) as running:
            created = [(await running.pool.drafts.rehearse(job, body))[0].created for job, body in changes]
            return await dump(running), created

    return run(work())


def refused(folder: Path, job: Job, body: bytes = b"", **limits: Any) -> Refusal:
    """What a change is refused with; the graph is as it was, and takes the next change."""

    async def work() -> Refusal:
        async with engine(folder, data=START, **limits) as running:
            await running.pool.drafts.rehearse(Job("put", graph=G, content_type=TURTLE), b"<a:s> <a:p> 1 .")
            before = await dump(running)
            generation = running.pool.generation
            with pytest.raises(Refusal) as caught:
                await running.pool.drafts.rehearse(job, body)
            assert await dump(running) == before
            assert running.pool.generation == generation
            await running.update("INSERT DATA { <a:next> <a:p> 1 }")
            assert len(await dump(running)) == len(before) + 1
            assert await eventually(lambda: set(running.children) == set(running.pool.pids))
            return caught.value

    return run(work())


def quad(subject: str, value: int, graph: str = "") -> str:
    return f'<{subject}> <a:p> "{value}"^^<http://www.w3.org/2001/XMLSchema#integer>{f" <{graph}>" if graph else ""} .'


STARTING = quad("http://e/s", 1).replace("a:p", "http://e/p")


# The four changes


def test_an_update_adds_and_removes(tmp_path: Path) -> None:
    text = "DELETE DATA { <http://e/s> <http://e/p> 1 } ; INSERT DATA { <a:s> <a:p> 2 GRAPH <a:g> { <a:s> <a:p> 3 } }"
    assert doing(tmp_path, (Job("update", text), b"")) == ({quad("a:s", 2), quad("a:s", 3, "a:g")}, [False])


def test_an_update_by_pattern_adds_and_removes(tmp_path: Path) -> None:
    text = "DELETE { ?s <http://e/p> ?o } INSERT { GRAPH <a:g> { ?s <a:p> 7 } } WHERE { ?s <http://e/p> ?o }"
    assert doing(tmp_path, (Job("update", text), b"")) == ({quad("http://e/s", 7, "a:g")}, [False])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CLEAR DEFAULT", {quad("a:s", 1, G)}),
        (f"DROP GRAPH <{G}>", {STARTING}),
        (f"CLEAR GRAPH <{G}>", {STARTING}),
        ("DROP ALL", set()),
        (f"COPY <{G}> TO DEFAULT", {quad("a:s", 1), quad("a:s", 1, G)}),
        (f"MOVE <{G}> TO <a:h>", {STARTING, quad("a:s", 1, "a:h")}),
        (f"ADD <{G}> TO DEFAULT", {STARTING, quad("a:s", 1), quad("a:s", 1, G)}),
    ],
)
def test_graph_management_does_what_it_says(tmp_path: Path, text: str, left: set[str]) -> None:
    put = (Job("put", graph=G, content_type=TURTLE), b"<a:s> <a:p> 1 .")
    assert doing(tmp_path, put, (Job("update", text, is_admin=True), b""))[0] == left


def test_a_relative_iri_of_an_update_is_resolved_against_its_base(tmp_path: Path) -> None:
    job = Job("update", "INSERT DATA { <s> <a:p> 1 }", base="http://base.example/x/")
    assert doing(tmp_path, (job, b""))[0] == {STARTING, quad("http://base.example/x/s", 1)}


def test_put_makes_a_graph_and_then_replaces_it(tmp_path: Path) -> None:
    job = Job("put", graph=G, content_type=TURTLE)
    found = doing(tmp_path, (job, b"<a:s> <a:p> 1, 2 ."), (job, b"<a:s> <a:p> 2, 3 ."))
    assert found == ({STARTING, quad("a:s", 2, G), quad("a:s", 3, G)}, [True, False])


def test_post_makes_a_graph_and_then_adds_to_it(tmp_path: Path) -> None:
    job = Job("post", graph=G, content_type=TURTLE)
    found = doing(tmp_path, (job, b"<a:s> <a:p> 1 ."), (job, b"<a:s> <a:p> 1, 2 ."))
    assert found == ({STARTING, quad("a:s", 1, G), quad("a:s", 2, G)}, [True, False])


def test_delete_drops_a_graph(tmp_path: Path) -> None:
    put = (Job("put", graph=G, content_type=TURTLE), b"<a:s> <a:p> 1 .")
    assert doing(tmp_path, put, (Job("delete", graph=G), b"")) == ({STARTING}, [True, False])


def test_the_default_graph_is_there_from_the_beginning(tmp_path: Path) -> None:
    found = doing(tmp_path, (Job("put", graph="", content_type=TURTLE), b"<a:s> <a:p> 1 ."))
    assert found == ({quad("a:s", 1)}, [False])


def test_an_empty_graph_is_there_once_it_was_put(tmp_path: Path) -> None:
    job = Job("put", graph=G, content_type=TURTLE)
    assert doing(tmp_path, (job, b""), (job, b""))[1] == [True, False]


def test_an_emptied_graph_is_still_there(tmp_path: Path) -> None:
    put = Job("put", graph=G, content_type=TURTLE)
    clear = Job("update", f"DELETE WHERE {{ GRAPH <{G}> {{ ?s ?p ?o }} }}")
    assert doing(tmp_path, (put, b"<a:s> <a:p> 1 ."), (clear, b""), (put, b""))[1] == [True, False, False]


def test_blank_nodes_of_two_bodies_are_never_the_same(tmp_path: Path) -> None:
    job = Job("post", graph=G, content_type=NTRIPLES)
    found, _ = doing(tmp_path, (job, b"_:x <a:p> _:x .\n"), (job, b"_:x <a:p> _:x .\n"), data="")
    assert len(found) == 2


def test_a_blank_node_survives_changes_to_other_triples(tmp_path: Path) -> None:
    post = (Job("post", graph=G, content_type=NTRIPLES), b"_:x <a:p> _:y .\n_:x <a:q> _:y .\n")
    change = Job("update", f"DELETE WHERE {{ GRAPH <{G}> {{ ?s <a:p> ?o }} }}")
    found, _ = doing(tmp_path, post, (change, b""), data="")
    (line,) = found
    assert line.startswith("_:")

    text = f"INSERT {{ GRAPH <{G}> {{ ?s <a:r> ?o }} }} WHERE {{ GRAPH <{G}> {{ ?s <a:q> ?o }} }}"
    found, _ = doing(tmp_path, post, (Job("update", text), b""), data="")
    assert len({line.split()[0] for line in found}) == 1
    assert len({line.split()[2] for line in found}) == 1


def test_what_an_update_makes_up_is_made_up_once(tmp_path: Path) -> None:
    """RAND, UUID, NOW and blank nodes come out in the keeper as they did in the draft: a triple refers to its sibling."""
    text = "INSERT { ?u <a:p> ?u . ?u <a:q> ?r . _:b <a:r> ?u . _:b <a:s> ?r } WHERE { BIND(UUID() AS ?u) BIND(RAND() AS ?r) }"
    found, _ = doing(tmp_path, (Job("update", text), b""), data="")
    by_predicate = {line.split()[1]: line.split() for line in found}
    assert by_predicate["<a:p>"][0] == by_predicate["<a:p>"][2] == by_predicate["<a:r>"][2]
    assert by_predicate["<a:q>"][2] == by_predicate["<a:s>"][2]
    assert by_predicate["<a:r>"][0] == by_predicate["<a:s>"][0]


# Bodies


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (TURTLE, b"<a:s> <a:p> 1 ."),
        (NTRIPLES, quad("a:s", 1).encode()),
        ("application/rdf+xml", RDFXML),
        ("application/ld+json", b'{"@id": "a:s", "a:p": 1}'),
    ],
)
def test_every_format_of_triples_is_read(tmp_path: Path, media_type: str, body: bytes) -> None:
    job = Job("put", graph=G, content_type=media_type)
    assert doing(tmp_path, (job, body), data="")[0] == {quad("a:s", 1, G)}


def test_the_documents_of_a_multipart_form_are_merged(tmp_path: Path) -> None:
    body = (
        b"--b\r\nContent-Disposition: form-data; name=one\r\nContent-Type: text/turtle\r\n\r\n<a:s> <a:p> 1 .\r\n"
        b"--b\r\nContent-Disposition: form-data; name=two; filename=two.nt\r\n\r\n" + quad("a:s", 2).encode() + b"\r\n--b--\r\n"
    )
    job = Job("post", graph=G, content_type="multipart/form-data; boundary=b")
    assert doing(tmp_path, (job, body), data="")[0] == {quad("a:s", 1, G), quad("a:s", 2, G)}


@pytest.mark.parametrize("task", ["put", "post"])
def test_what_a_body_says_twice_is_added_once(tmp_path: Path, task: str) -> None:
    async def work() -> None:
        async with engine(tmp_path, data="") as running:
            for start, added in ((b"", 2), (b"<a:s> <a:p> 1 .", 1), (b"<a:s> <a:p> 2 .", 1)):
                await running.pool.drafts.rehearse(Job("put", graph=G, content_type=TURTLE), start)
                body = b"<a:s> <a:p> 1, 2, 1 . <a:s> <a:p> 2 ."
                _, commit = await running.pool.drafts.rehearse(Job(task, graph=G, content_type=TURTLE), body)
                assert journal(tmp_path).commit(commit).added == added
                assert await dump(running) == {quad("a:s", 1, G), quad("a:s", 2, G)}

    run(work())


def journal(folder: Path) -> Journal:
    """The journal of the engine in a folder."""
    (found,) = folder.glob("*/journal.db")
    return Journal.read(found.parent)


def test_a_body_of_several_megabytes_arrives_whole(tmp_path: Path) -> None:
    lines = 60_000
    body = b"".join(b"<http://t/%d> <http://t/p> <http://t/o> .\n" % n for n in range(lines))
    found, _ = doing(tmp_path, (Job("put", graph=G, content_type=NTRIPLES), body), data="")
    assert len(found) == lines


# Refusals


@pytest.mark.parametrize(
    ("job", "body", "kind"),
    [
        (Job("update", "INSERT DATA { <a:s> <a:p> 1"), b"", BadSyntax),
        (Job("update", f"INSERT DATA {{ <a:s> <a:p> 1 }} ; CLEAR GRAPH <{G}> ; DROP GRAPH <a:none>"), b"", BadEvaluation),
        (Job("update", "INSERT DATA { <a:s> <a:p> 1 } ; LOAD <http://127.0.0.1/x>"), b"", Forbidden),
        (Job("update", "INSERT DATA { <a:s> <a:p> 1 } ; LOAD SILENT <http://127.0.0.1/x>"), b"", Forbidden),
        (Job("update", "CLEAR ALL " + "{" * 10_000), b"", Refusal),
        (Job("put", graph=G, content_type=TURTLE), b"<a:s> <a:p> 2 .\n<a:s> <a:p> ", BadSyntax),
        (Job("post", graph="", content_type=TURTLE), b"<a:s> <a:p> 2 .\n<a:s> <a:p> ", BadSyntax),
        (Job("put", graph=G, content_type=TURTLE), b"\xff", BadSyntax),
        (Job("put", graph=G, content_type="application/ld+json"), b"[" * 100_000, Refusal),
        (Job("put", graph=G, content_type="image/png"), b"", UnsupportedMediaType),
        (Job("post", graph=G, content_type="multipart/form-data; boundary=b"), b"no parts", BadRequest),
        (Job("delete", graph="http://t/none"), b"", NotFound),
    ],
    ids=lambda value: getattr(value, "task", None) or getattr(value, "__name__", None),
)
def test_a_change_that_cannot_be_made_changes_nothing(tmp_path: Path, job: Job, body: bytes, kind: type[Refusal]) -> None:
    assert isinstance(refused(tmp_path, job, body), kind)


def test_a_syntax_error_in_a_body_tells_its_line(tmp_path: Path) -> None:
    refusal = refused(tmp_path, Job("put", graph=G, content_type=TURTLE), b"<a:s> <a:p> 2 .\n<a:s> <a:p> <a:b> <a:c> .")
    assert refusal.members["line"] == 2


def test_a_text_that_crashes_the_draft_changes_nothing(tmp_path: Path) -> None:
    text = "INSERT { <a:s> <a:p> 1 } WHERE { " + "{" * 10_000 + "}" * 10_000 + " }"
    assert isinstance(refused(tmp_path, Job("update", text)), ReaderDied)


def test_a_change_that_takes_too_long_changes_nothing(tmp_path: Path) -> None:
    values = " ".join(f"VALUES ?{name} {{ {'1 ' * 1000} }}" for name in "xyz")
    text = f"INSERT {{ <a:s> <a:p> 2 }} WHERE {{ {values} FILTER(?x + ?y + ?z = 0) }}"
    assert isinstance(refused(tmp_path, Job("update", text), seconds=0.3), DeadlineExceeded)


def test_a_change_that_takes_too_much_memory_changes_nothing(tmp_path: Path) -> None:
    doubled = "".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1}) " for n in range(28))
    text = f'INSERT {{ <a:s> <a:p> ?x28 }} WHERE {{ BIND("aaaaaaaaaaaaaaaa" AS ?x0) {doubled} }}'
    assert isinstance(refused(tmp_path, Job("update", text), memory=256 << 20), OutOfMemory)


def test_the_merged_default_graph_cannot_be_changed_by_itself(tmp_path: Path) -> None:
    job = Job("update", "INSERT DATA { <a:s> <a:p> 2 }", union=True)
    assert isinstance(refused(tmp_path, job), Forbidden)


def test_the_merged_default_graph_follows_every_change(tmp_path: Path) -> None:
    one = (Job("put", graph="a:g", content_type=TURTLE, union=True), b"<a:s> <a:p> 1, 2 .")
    two = (Job("put", graph="a:h", content_type=TURTLE, union=True), b"<a:s> <a:p> 2, 3 .")
    three = (Job("update", "DELETE DATA { GRAPH <a:g> { <a:s> <a:p> 1, 2 } }", union=True), b"")
    found, _ = doing(tmp_path, one, two, three, data="")
    assert found == {quad("a:s", 2, "a:h"), quad("a:s", 3, "a:h"), quad("a:s", 2), quad("a:s", 3)}


def test_changes_one_after_the_other_from_many_sides_are_all_made(tmp_path: Path) -> None:
    async def work() -> None:
        async with engine(tmp_path, data="") as running:
            lock = asyncio.Lock()

            async def change(number: int) -> None:
                async with lock:
                    await running.update(f"INSERT DATA {{ <a:s> <a:p> {number} }}")

            await asyncio.gather(*(change(n) for n in range(10)))
            assert await dump(running) == {quad("a:s", n) for n in range(10)}

    run(work())


# What a draft writes down


TERMS = st.sampled_from([ox.NamedNode("a:1"), ox.NamedNode("a:2"), ox.BlankNode("b1"), ox.BlankNode("b2")])
OBJECTS = st.one_of(
    TERMS,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5).map(ox.Literal),
    st.sampled_from([ox.Literal("a", language="en"), ox.Literal(1), ox.Literal("\r\n\t\"\\'")]),
)
GRAPHS = st.sampled_from([ox.DefaultGraph(), ox.NamedNode("g:1"), ox.NamedNode("g:2"), ox.BlankNode("g")])
RULE = ox.NamedNode("urn:rule:one")
QUADS = st.builds(ox.Quad, TERMS, st.sampled_from([ox.NamedNode("p:1"), ox.NamedNode("p:2")]), OBJECTS, GRAPHS)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(QUADS, max_size=8), st.lists(QUADS, max_size=8), st.lists(QUADS, max_size=4))
def test_a_delta_written_down_and_applied_makes_the_same_graph(
    start: list[ox.Quad], added: list[ox.Quad], removed: list[ox.Quad]
) -> None:
    store = ox.Store()
    store.extend(start)
    delta = Delta(removed=set(removed) - set(added), added=set(added))
    with tempfile.TemporaryFile() as spool:
        delta.write(spool, Job("update"), {})
        spool.seek(0)
        Written.of(spool.read()).make(store)
    assert set(store) == (set(start) - set(removed)) | set(added)


def test_what_each_rule_makes_of_a_delta_is_for_the_keeper_alone() -> None:
    old, new, other = (ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal(text), RULE) for text in ("x", "y", "z"))
    store, made = ox.Store(), ox.Store()
    made.extend([old, other])
    with tempfile.TemporaryFile() as spool:
        Delta(added={new}).write(spool, Job("update"), {}, Delta(), Delta(removed={old}, added={new}))
        spool.seek(0)
        written = Written.of(spool.read())
    written.keep(made)
    assert set(made) == {new, other}
    Written.of(written.for_readers).make(store)
    assert set(store) == {new}
    Written.of(written.for_readers).keep(made)
    assert set(made) == {new, other}


def test_graphs_that_were_made_or_dropped_are_so_after_the_delta() -> None:
    store = ox.Store()
    store.add(ox.Quad(ox.NamedNode("a:s"), ox.NamedNode("a:p"), ox.Literal("x"), ox.NamedNode("a:old")))
    with tempfile.TemporaryFile() as spool:
        Delta(made={"a:new"}, dropped={"a:old"}).write(spool, Job("update"), {})
        spool.seek(0)
        Written.of(spool.read()).make(store)
    assert {str(name) for name in store.named_graphs()} == {"<a:new>"}
    assert len(store) == 0


def test_a_gzipped_body_is_read_by_its_content_encoding(tmp_path: Path) -> None:
    job = Job("put", graph=G, content_type=TURTLE, content_encoding="gzip", max_bytes=1000)
    assert doing(tmp_path, (job, gzip.compress(b"<a:s> <a:p> 1 .")), data="")[0] == {quad("a:s", 1, G)}


def test_a_bomb_of_a_body_is_refused(tmp_path: Path) -> None:
    job = Job("put", graph=G, content_type=TURTLE, content_encoding="gzip", max_bytes=1 << 20)
    assert refused(tmp_path, job, gzip.compress(b" " * (64 << 20))).status == 413
