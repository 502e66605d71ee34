"""Read replicas: each has the graph and the history of its upstream, keeps up with it, comes back, and stops where they part."""

from __future__ import annotations

import hashlib
import http.server
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pyoxigraph as ox
import pytest
from pydantic import ValidationError

from motorgraph import rdfpatch, remembering
from motorgraph.bearer import Bearer, Scope
from motorgraph.commits import Change, Commit, as_json, from_json
from motorgraph.engine.history import History
from motorgraph.errors import Diverged
from motorgraph.folder import LOCK
from motorgraph.following import LONGEST_PAUSE, LONGEST_WISH, pause
from motorgraph.journal import Journal
from motorgraph.replica import FOLLOWS
from motorgraph.settings import Settings
from tests import warm
from tests.running import CERTIFICATES, LOG, START_SECONDS, TOKEN, Service, service, start, until, wait_for_address

BASE = "https://motorgraph.example"
OTHER_BASE = "https://cars.example.org"
HOST = {"Host": "graph.example.org"}
"""As behind a load balancer: every replica is asked under the same name."""
AUTHOR = {"Authorization": f"Bearer {TOKEN}"}
SOON = 30.0
WHOLE = {"Accept": "application/n-quads"}


@contextmanager
def replica(folder: Path, url: str, *arguments: str, token: str | None = None) -> Iterator[Service]:
    """A service that follows another, ready."""
    folder.mkdir(exist_ok=True)
    with service(folder, "--follow", url, "--follow-seconds", "0.1", *arguments, token=token) as running:
        yield running


@pytest.fixture(scope="module")
def copy(shipped: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A replica of the service as it ships; it has a token too, which is good for nothing."""
    with replica(tmp_path_factory.mktemp("copy"), f"{shipped.url}/feed", token=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service with four commits to begin with."""
    with service(journal(tmp_path_factory.mktemp("small"), 4), "--plain") as running:
        yield running


@pytest.fixture(scope="module")
def mirror(small: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A replica of that."""
    with replica(tmp_path_factory.mktemp("mirror"), small.url) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service with another base, whose reads need a token."""
    flags = "--base", OTHER_BASE, "--protect-reads", "--tokens", Bearer.holding("replica", Scope.READ, "may-read").entry
    with service(tmp_path_factory.mktemp("guarded"), "--plain", *flags) as running:
        assert running.put("http://x/g", "<a:s> <a:p> 1 .").status_code == 201
        yield running


def following(running: Service) -> dict[str, object]:
    told: dict[str, object] = running.client.get("/ready").json()["following"]
    return told


def commit(running: Service) -> int:
    return int(running.client.get("/ready").json()["commit"])


def has_caught_up(running: Service, upstream: Service) -> bool:
    return until(lambda: commit(running) == commit(upstream), SOON)


def dumped(running: Service) -> bytes:
    """The whole dataset as N-Quads, in no order."""
    return running.client.get("/graphs", headers=WHOLE).content


def whole(running: Service) -> str:
    """A hash of the whole dataset; a replica has the labels of blank nodes too."""
    return _hash(dumped(running))


def sums(running: Service) -> str:
    """The checksums of the files of its newest dump."""
    response = running.client.get("/dumps/latest/SHA256SUMS", follow_redirects=True)
    assert response.status_code == 200, response.text
    return response.text


def canonical(running: Service) -> str:
    """A hash of the whole dataset in its canonical form (RDFC-1.0), which takes a while."""
    dataset = ox.Dataset(ox.parse(dumped(running), ox.RdfFormat.N_QUADS))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return _hash(ox.serialize(dataset, format=ox.RdfFormat.N_QUADS) or b"")


def _hash(lines: bytes) -> str:
    return hashlib.sha256(b"".join(sorted(lines.splitlines(keepends=True)))).hexdigest()


def changes(running: Service) -> dict[str, object]:
    told: dict[str, object] = running.client.get("/changes", params={"after": "0", "limit": "1000"}, headers=HOST).json()
    return told


def graph_names(running: Service) -> set[str]:
    return {row["g"] for row in running.rows("SELECT DISTINCT ?g { GRAPH ?g {} }")}


def journal(folder: Path, count: int) -> Path:
    """A data folder of a plain store with so many commits, made without a service."""
    with closing(Journal.open(folder / "data" / "plain")) as made:
        made.note(base=BASE)
        for number in range(count):
            lines = b'<a:s%d> <a:p> "%d" <a:g> .\n<a:s%d> <a:q> _:b%d <a:g> .\n' % ((number,) * 4)
            gone = [b'<a:s%d> <a:p> "%d" <a:g> .\n' % (number - 1, number - 1)] if number else []
            made.append(Change(gone, [lines], () if number else ("a:g",), author="tests", message=f"{number}", graphs=["a:g"]))
    return folder


def commits_in(folder: Path) -> int:
    """How many commits the journal of a replica has, also while it is written."""
    path = folder / "data" / "plain" / "journal.db"
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as base, suppress(sqlite3.OperationalError):
        return int(base.execute("SELECT COUNT(*) FROM commits").fetchone()[0])
    return 0


def address_of(folder: Path) -> str:
    """Where a replica listens that is not ready yet, by the lock of its folder."""
    return (folder / "data" / "plain" / LOCK).read_text().split()[-1].rstrip("/")


def kill(running: Service) -> None:
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()


def same_port(running: Service) -> tuple[str, str]:
    return "--port", str(urlsplit(running.url).port)


def refusal(folder: Path, url: str, *arguments: str) -> str:
    """What a replica says that does not start."""
    folder.mkdir(exist_ok=True)
    with start(folder, "--follow", url, *arguments, token=None) as process:
        assert process.wait(timeout=START_SECONDS) == 1
        return " ".join((folder / LOG).read_text().split())


# The same graph


def test_a_replica_has_the_identical_graph_and_history(shipped: Service, copy: Service) -> None:
    assert has_caught_up(copy, shipped)
    assert canonical(copy) == canonical(shipped)
    assert changes(copy) == changes(shipped)


def test_a_replica_follows_what_is_written_within_seconds(shipped: Service, copy: Service) -> None:
    started = time.monotonic()
    written = shipped.update('INSERT DATA { GRAPH <http://test.example/follow> { <http://x/s> <http://x/p> "é\\n" } }')
    assert written.status_code == 204
    assert has_caught_up(copy, shipped)
    assert time.monotonic() - started < 5
    assert copy.rows("SELECT ?o { GRAPH <http://test.example/follow> { ?s ?p ?o } }") == [{"o": "é\n"}]
    assert shipped.update("DROP GRAPH <http://test.example/follow>").status_code == 204
    assert has_caught_up(copy, shipped)
    assert changes(copy) == changes(shipped)


def test_every_kind_of_change_comes_over_with_what_is_inferred_from_it(shipped: Service, copy: Service) -> None:
    named = "http://test.example/follow/{}".format
    term = f"{BASE}/ontology/FollowedThing"
    assert shipped.put(named("blank"), "[] <http://x/p> [ <http://x/q> ( 1 2 ) ] .").status_code == 201
    assert shipped.put(named("blank"), "[] <http://x/p> [ <http://x/q> ( 2 3 ) ] .").status_code in (200, 204)
    assert shipped.update(f"CREATE GRAPH <{named('empty')}>").status_code == 204
    assert shipped.update(f"COPY <{named('blank')}> TO <{named('moved')}> ; DROP GRAPH <{named('blank')}>").status_code == 204
    kind = f"{BASE}/ontology/FollowedKind"
    axiom = f"<{term}> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{kind}>"
    assert shipped.update(f"INSERT DATA {{ GRAPH <{BASE}/graph/ontology> {{ {axiom} }} }}").status_code == 204
    thing = f"INSERT DATA {{ GRAPH <{named('typed')}> {{ <http://x/followed> a <{term}> }} }}"
    assert shipped.update(thing).status_code == 204
    shape = f"<{BASE}/shapes/Followed> a <http://www.w3.org/ns/shacl#NodeShape>"
    assert shipped.update(f"INSERT DATA {{ GRAPH <{BASE}/graph/shapes> {{ {shape} }} }}").status_code == 204
    assert has_caught_up(copy, shipped)
    assert whole(copy) == whole(shipped)
    assert copy.query(f"ASK {{ GRAPH <{BASE}/graph/inferred> {{ <http://x/followed> a <{kind}> }} }}").json()["boolean"]
    for text in (f"DELETE DATA {{ GRAPH <{BASE}/graph/ontology> {{ {axiom} }} }}", thing.replace("INSERT", "DELETE")):
        assert shipped.update(text).status_code == 204
    assert shipped.update(f"DELETE DATA {{ GRAPH <{BASE}/graph/shapes> {{ {shape} }} }}").status_code == 204
    for name in ("empty", "moved", "typed"):
        assert shipped.update(f"DROP GRAPH <{named(name)}>").status_code == 204
    assert has_caught_up(copy, shipped)
    assert whole(copy) == whole(shipped)
    assert graph_names(copy) == graph_names(shipped)


def test_etags_and_commits_are_those_of_upstream(shipped: Service, copy: Service) -> None:
    assert has_caught_up(copy, shipped)
    for path in ("/sparql?query=SELECT+*+%7B+%3Fs+a+%3Fo+%7D+LIMIT+1", f"/graphs?graph={BASE}/graph/ontology", "/changes/1"):
        one, other = (running.client.get(path, headers=HOST) for running in (shipped, copy))
        assert one.status_code == other.status_code == 200
        assert one.headers["ETag"] == other.headers["ETag"]
        assert one.headers["X-Commit"] == other.headers["X-Commit"]
        assert copy.client.get(path, headers=HOST | {"If-None-Match": one.headers["ETag"]}).status_code == 304


def test_an_older_commit_is_answered_by_a_replica_as_upstream_does(shipped: Service, copy: Service) -> None:
    assert has_caught_up(copy, shipped)
    query = {"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "at": "1"}
    there, here = (running.client.get("/sparql", params=query).json()["results"] for running in (shipped, copy))
    assert here == there


def test_a_replica_refuses_writes_and_names_its_upstream(shipped: Service, copy: Service) -> None:
    for refused in (copy.update("CLEAR ALL"), copy.put("http://x/g", "<a:s> <a:p> 1 ."), copy.client.delete("/graphs?graph=a:g")):
        assert refused.status_code == 403
        assert refused.json()["type"].endswith("/replica")
        assert refused.json()["upstream"] == shipped.url
        assert shipped.url in refused.json()["detail"]


def test_a_replica_says_how_far_it_is(shipped: Service, copy: Service) -> None:
    assert has_caught_up(copy, shipped)
    assert until(lambda: following(copy)["commit"] == commit(shipped))
    assert following(copy) == {"url": shipped.url, "up": True, "commit": commit(shipped), "lag_commits": 0, "lag_seconds": 0.0}
    assert copy.metric("motorgraph_follow_up") == 1
    assert copy.metric("motorgraph_follow_lag_commits") == 0
    assert copy.metric("motorgraph_follow_lag_seconds") == 0
    assert "motorgraph_follow" not in shipped.client.get("/metrics").text
    assert "following" not in shipped.client.get("/ready").json()


# Coming and going


def test_a_replica_outlives_its_upstream_starts_without_it_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    with service(journal(tmp_path, 3), "--plain") as upstream:
        with replica(folder, upstream.url) as copy:
            before = whole(copy)
            kill(upstream)
            assert until(lambda: copy.metric("motorgraph_follow_up") == 0)
            assert copy.client.get("/ready").status_code == 200
            assert whole(copy) == before
            kill(copy)
        with replica(folder, upstream.url) as copy:
            assert (commit(copy), following(copy)["up"]) == (3, False)
            assert whole(copy) == before
            with service(tmp_path, "--plain", *same_port(upstream)) as again:
                assert again.put("http://x/two", "[] <a:p> 2 .").status_code == 201
                assert until(lambda: commit(copy) == 4, SOON)
                assert copy.metric("motorgraph_follow_up") == 1
                assert whole(copy) == whole(again)
                said = copy.log.read_text()
                assert 1 <= said.count("upstream cannot be followed for now") <= 3  # once for each reason: refused, still loading
                assert "upstream is back at commit" in said


def test_a_replica_that_has_never_caught_up_is_not_ready_while_upstream_is_away(tmp_path: Path) -> None:
    port = secrets.choice(range(20_000, 30_000))
    folder = tmp_path / "replica"
    folder.mkdir()
    with start(folder, "--follow", f"http://127.0.0.1:{port}", token=None) as process:
        assert until(lambda: "waiting for the upstream" in (folder / LOG).read_text(), START_SECONDS)
        with service(journal(tmp_path, 2), "--plain", "--port", str(port)):
            url = wait_for_address(process, folder / LOG)
            assert httpx.get(f"{url}/ready", trust_env=False, verify=CERTIFICATES).json()["commit"] == 2


def test_a_replica_killed_while_it_catches_up_has_each_commit_once(tmp_path: Path) -> None:
    count, folder = 1000, tmp_path / "replica"
    folder.mkdir()
    with service(journal(tmp_path, count), "--plain") as upstream:
        met = 0
        for some in (50, 400):
            with start(folder, "--follow", upstream.url, token=None) as process:
                assert until(lambda some=some: commits_in(folder) >= some, START_SECONDS)  # type: ignore[misc]  # bound at once
                ready = httpx.get(f"{address_of(folder)}/ready", trust_env=False, verify=CERTIFICATES)
                assert (ready.status_code, ready.json()["status"]) == (503, "following")
                assert ready.json()["following"]["lag_commits"] > 0
                assert ready.json()["following"]["lag_seconds"] > 0
                process.send_signal(signal.SIGKILL)
                process.wait()
            met = commits_in(folder)
            assert some <= met < count
        with replica(folder, upstream.url) as copy:
            assert commit(copy) == count
            assert whole(copy) == whole(upstream)
            assert changes(copy) == changes(upstream)
    assert remembering.verify(folder / "data" / "plain") == ""


def test_a_replica_killed_while_it_follows_has_each_commit_once(small: Service, tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    with replica(folder, small.url) as copy:
        before = commit(copy)
        for number in range(30):
            assert small.put(f"http://x/{number}", f"[] <a:p> {number} .").status_code == 201
        assert until(lambda: commit(copy) > before + 5, SOON)
        kill(copy)
    with replica(folder, small.url) as copy:
        assert has_caught_up(copy, small)
        assert whole(copy) == whole(small)
    assert remembering.verify(folder / "data" / "plain") == ""


def test_a_long_commit_comes_over_while_the_replica_serves(small: Service, mirror: Service) -> None:
    turtle = "".join(f'<http://x/s{n}> <http://x/p> "{n:0100}" .\n' for n in range(100_000))
    assert small.put("http://x/long", turtle).status_code == 201
    assert until(lambda: commit(mirror) == commit(small), 60)
    assert mirror.rows("SELECT (COUNT(*) AS ?n) { GRAPH <http://x/long> { ?s ?p ?o } }") == [{"n": "100000"}]
    assert small.client.delete("/graphs", params={"graph": "http://x/long"}, headers=AUTHOR).status_code == 204
    assert has_caught_up(mirror, small)
    assert changes(mirror) == changes(small)


def test_replicas_form_a_chain_with_the_same_dumps_to_the_byte(small: Service, mirror: Service, tmp_path: Path) -> None:
    with replica(tmp_path / "second", mirror.url) as second:
        assert small.put("http://x/chain", "[] <a:p> 1 .").status_code == 201
        assert has_caught_up(second, small)
        assert whole(second) == whole(mirror) == whole(small)
        assert sums(second) == sums(mirror) == sums(small)
        assert changes(second) == changes(small)


# Who may follow whom


def test_a_protected_upstream_is_followed_with_a_token_that_may_read(guarded: Service, tmp_path: Path) -> None:
    said = refusal(tmp_path / "without", guarded.url)
    assert "401" in said
    assert "follow-token" in said
    with replica(tmp_path / "with", guarded.url, "--follow-token", "may-read") as copy:
        assert copy.rows("SELECT ?o { GRAPH <http://x/g> { ?s ?p ?o } }") == [{"o": "1"}]
        mode = {name: changes(copy)[name] for name in ("base", "plain", "default_graph")}
        assert mode == {"base": OTHER_BASE, "plain": True, "default_graph": "separate"}


def test_a_base_or_a_mode_of_its_own_is_refused_and_upstream_named(guarded: Service, tmp_path: Path) -> None:
    said = refusal(tmp_path / "one", guarded.url, "--follow-token", "may-read", "--base", BASE)
    assert f"{guarded.url} is served with base = {OTHER_BASE}, and here it is to be {BASE}" in said
    said = refusal(tmp_path / "two", guarded.url, "--follow-token", "may-read", "--default-graph", "union")
    assert "default-graph = separate" in said


def test_a_folder_with_another_history_is_refused_and_left_alone(small: Service, tmp_path: Path) -> None:
    said = refusal(journal(tmp_path, 2), small.url)
    assert "The histories have parted" in said
    assert "holds another history" in said
    assert "--data-dir" in said
    with closing(Journal.read(tmp_path / "data" / "plain")) as left:
        assert left.head is not None
        assert left.head.id == 2
        assert not left.about(FOLLOWS)


def test_an_upstream_that_was_restored_to_an_older_state_is_followed_no_more(tmp_path: Path) -> None:
    backup = tmp_path / "backup" / "data" / "plain"
    with service(journal(tmp_path, 4), "--plain") as upstream:
        with closing(Journal.read(tmp_path / "data" / "plain")) as there:
            there.backup(backup)
        with replica(tmp_path / "replica", upstream.url) as copy:
            assert upstream.put("http://x/g", "[] <a:p> 1 .").status_code == 201
            assert has_caught_up(copy, upstream)
            kill(upstream)
            with service(tmp_path / "backup", "--plain", *same_port(upstream)):
                assert until(lambda: "fault" in following(copy), SOON)
                assert "behind commit 5 here" in str(following(copy)["fault"])
                assert copy.client.get("/ready").status_code == 503
                assert copy.client.get("/ready").json()["status"] == "diverged"
                assert copy.query("ASK {}").status_code == 200


def test_a_replica_that_is_beside_what_was_restored_is_refused(tmp_path: Path) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    with closing(Journal.read(journal(tmp_path, 4) / "data" / "plain")) as there:
        for folder in (older, newer):
            there.backup(folder / "data" / "plain")
            with closing(Journal.open(folder / "data" / "plain")) as apart:
                apart.append(Change((), [f'<a:s> <a:p> "{folder.name}" .\n'.encode()]))
    with service(newer, "--plain") as upstream:
        said = refusal(older, upstream.url)
    assert "Commit 5 here is not that of" in said
    assert "an older state was restored there and changed since" in said


def test_a_backup_of_upstream_is_a_start_for_a_replica(small: Service, tmp_path: Path) -> None:
    with closing(Journal.read(small.log.parent / "data" / "plain")) as there:
        there.backup(tmp_path / "data" / "plain")
    before = commit(small)
    assert small.put("http://x/after-backup", "[] <a:p> 1 .").status_code == 201
    with replica(tmp_path, small.url) as copy:
        assert f"it is at commit {before + 1}, this replica at {before}" in copy.log.read_text()
        assert whole(copy) == whole(small)


def test_a_service_without_a_journal_is_not_followed(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", token=None) as upstream:
        said = refusal(tmp_path / "replica", upstream.url)
    assert "keeps no journal" in said
    assert "give it a token" in said


def test_what_is_no_motorgraph_is_not_followed(tmp_path: Path) -> None:
    with answering(200, b"{}") as url:
        assert "Is it one?" in refusal(tmp_path / "one", url)
    with answering(404, b"nothing here") as url:
        assert "answered 404: nothing here" in refusal(tmp_path / "two", url)


def test_a_replica_waits_as_long_as_upstream_wants(tmp_path: Path) -> None:
    folder = tmp_path / "replica"
    folder.mkdir()
    with answering(429, b"slowly", {"Retry-After": "120"}) as url, start(folder, "--follow", url, token=None) as process:
        assert until(lambda: "answered 429: slowly" in (folder / LOG).read_text(), START_SECONDS)
        assert process.poll() is None


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """A server that always says the same."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# Promotion


def test_a_replica_that_takes_writes_has_a_history_of_its_own_which_others_may_follow(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with service(journal(tmp_path, 4), "--plain") as upstream, replica(one, upstream.url) as copy:
        before = changes(copy)
        with closing(Journal.read(one / "data" / "plain")) as there:
            there.backup(other / "data" / "plain")
    with service(one, "--plain") as promoted:
        assert "What comes now is its own" in promoted.log.read_text()
        assert promoted.put("http://x/g", "[] <a:p> 1 .").status_code == 201
        now = changes(promoted)
        assert now["lineage"] != before["lineage"]
        assert now["commits"][:4] == before["commits"]  # type: ignore[index]  # JSON
        with replica(other, promoted.url) as copy:
            assert changes(copy) == now
            assert whole(copy) == whole(promoted)
    for folder in (one, other):
        assert remembering.verify(folder / "data" / "plain") == ""


def test_a_replica_has_a_history_of_its_own_only_if_it_may_be_written_and_follows_nobody(tmp_path: Path) -> None:
    folder = journal(tmp_path, 2) / "data" / "plain"
    with closing(Journal.open(folder)) as noted:
        noted.note(**{FOLLOWS: "http://h"})
        lineage = noted.lineage
    named = []
    for history in (
        lambda: History(folder, is_writable=False),
        lambda: History(folder, is_writable=True, follows="http://h"),
        lambda: History(folder, is_writable=True),
        lambda: History(folder, is_writable=True),
    ):
        with closing(history()) as opened:
            opened.start(ox.Store(), (), lambda path, done, total: None)
            named.append(opened.lineage)
    assert named[:2] == [lineage, lineage]
    assert named[2] != lineage
    assert named[3] == named[2]


def test_a_command_does_not_write_to_the_folder_of_a_replica_that_the_environment_names(tmp_path: Path) -> None:
    journal(tmp_path, 2)
    command = ["update", "CLEAR ALL", "--plain", "--data-dir", str(tmp_path / "data")]
    ended, _, err = warm.run(command, {**os.environ, "MOTORGRAPH_FOLLOW": "http://127.0.0.1:1"})
    assert ended == 1
    assert "http://127.0.0.1:1" in err.decode()


# The command, the settings, the parts


def test_follow_is_serve_with_an_upstream(small: Service, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "motorgraph", "follow", small.url, "--port", "0", "--data-dir", str(tmp_path / "data")]
    with (tmp_path / LOG).open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, text=True) as process:
        try:
            url = wait_for_address(process, tmp_path / LOG)
            assert httpx.get(f"{url}/ready", trust_env=False, verify=CERTIFICATES).json()["following"]["url"] == small.url
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("given", ["http://h:1/feed", "http://h:1/feed/3", "http://h:1/", "http://h:1/changes?after=1"])
def test_the_address_of_a_feed_names_its_service(given: str) -> None:
    assert Settings(follow=given).follow == "http://h:1"


def test_a_service_below_a_path_may_be_followed() -> None:
    assert Settings(follow="https://example.org/graph/feed").follow == "https://example.org/graph"


@pytest.mark.parametrize("given", ["example.org", "ftp://example.org", "http://", "http://name:secret@example.org"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValidationError):
        Settings(follow=given)


def test_a_replica_loads_no_files() -> None:
    with pytest.raises(ValidationError, match="no files of its own"):
        Settings(follow="http://h", load=(Path("a.ttl"),))


def test_pauses_grow_to_a_bound_and_keep_what_upstream_wants() -> None:
    assert pause(1, 0) < pause(3, 0) < pause(6, 0) <= LONGEST_PAUSE
    assert pause(10**6, 0) <= LONGEST_PAUSE
    assert len({pause(3, 0) for _ in range(10)}) > 1
    assert 7 <= pause(1, 7) <= 8
    assert pause(1, 1e9) <= LONGEST_WISH + 1


def test_a_journal_takes_over_only_what_continues_it_and_is_what_its_digest_says(tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path / "one")) as one, closing(Journal.open(tmp_path / "other")) as other:
        first = one.append(Change((), [b"<a:s> <a:p> 1 .\n"], author="me", message="é", report={"Warning": 2, "Info": 1}))
        second = one.append(Change([b"<a:s> <a:p> 1 .\n"], (), ("a:g",)))
        with pytest.raises(Diverged, match="Commit 2 of another journal comes where commit 1"):
            other.append(_again(one, second))
        with pytest.raises(Diverged, match="not what its digest says"):
            other.append(_again(one, replace(first, author="you")))
        with pytest.raises(Diverged, match="not what its digest says"):
            other.append(replace(_again(one, first), added=[b"<a:s> <a:p> 2 .\n"]))
        assert other.head is None
        assert [other.append(_again(one, commit)) for commit in (first, second)] == [first, second]
        assert other.verify() == ""


def _again(journal: Journal, commit: Commit) -> Change:
    """A commit of a journal as another is to repeat it, after a way over JSON."""
    was = from_json(as_json(commit) | {"links": {}})
    return Change(journal.removed(commit.id), journal.added(commit.id), was=was)


def test_an_rdf_patch_gives_back_the_lines_that_were_written() -> None:
    lines = [b'<a:s> <a:p> "A D TC ." <a:g> .\n', b"_:a <a:p> _:b .\n"]
    patch = BytesIO(b'H id "2" .\nTX .\nD ' + lines[0] + b"A " + lines[1] + b"A " + lines[0] + b"TC .\n")
    assert b"".join(rdfpatch.removed(patch)) == lines[0]
    assert b"".join(rdfpatch.added(patch)) == lines[1] + lines[0]
    assert rdfpatch.is_whole(patch)
    assert not rdfpatch.is_whole(BytesIO(patch.getvalue()[:-1]))
