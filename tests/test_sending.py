"""The commands that write: to a running service over HTTP, and to the data folder itself, with the same refusals."""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from typer.testing import CliRunner

from motorgraph.cli import app
from motorgraph.packing import zstd
from motorgraph.settings import PREFIX
from tests.running import TOKEN, Service, service

TURTLE = '<http://x/s> <http://x/p> 1, 2, "Zoë" .\n'
TRIG = "@prefix x: <http://x/> .\nx:g1 { x:a x:b [ x:c 1 ] } x:g2 { x:a x:b x:c } x:d x:e x:f .\n"
NONCONFORMING = "<http://x/brand> a <https://motorgraph.example/ontology/Brand> .\n"
COUNT = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A bare service that takes bodies of a MiB."""
    with service(tmp_path_factory.mktemp("small"), "--plain", "--body-bytes", "1") as running:
        yield running


def run(*arguments: str | Path, given: bytes = b"", status: int = 0, token: str = TOKEN) -> str:
    """What a command says, in this process, which saves the time to start one."""
    environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith(PREFIX)}
    environment |= {"MOTORGRAPH_TOKEN": token, "NO_COLOR": "1"}
    done = CliRunner().invoke(app, list(map(str, arguments)), input=given, env=environment)
    assert done.exit_code == status, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.output


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    pack = {"gz": gzip.compress, "zst": zstd.compress}.get(name.rpartition(".")[2], bytes)
    path.write_bytes(pack(text.encode()))
    return path


def counts(running: Service) -> dict[str, int]:
    return {row["g"]: int(row["n"]) for row in running.rows(COUNT)}


# To a service


@pytest.mark.parametrize("name", ["a.ttl", "a.ttl.gz", "a.ttl.zst"])
def test_a_file_is_added_to_a_graph_of_a_service_or_replaces_it(small: Service, graph: str, tmp_path: Path, name: str) -> None:
    path = file(tmp_path, name, TURTLE)
    small.put(graph, "<http://x/other> <http://x/p> 9 .")
    said = run("load", path, "--graph", graph, "--url", small.url)
    assert said == f"{name} to <{graph}>: the graph is at commit {int(small.metric('motorgraph_commit'))}\n"
    assert counts(small)[graph] == 4
    run("load", path, "--graph", graph, "--replace", "--url", f"{small.url}/graphs")
    assert counts(small)[graph] == 3
    assert small.query(f'ASK {{ GRAPH <{graph}> {{ ?s ?p "Zoë" }} }}').json()["boolean"]


def test_each_graph_of_a_file_of_quads_goes_to_its_place(small: Service, graph: str, tmp_path: Path) -> None:
    said = run("load", file(tmp_path, "a.trig", TRIG.replace("x:g", "x:http-g")), "--graph", graph, "--url", small.url)
    assert [line.split(":", 1)[0] + ":" for line in said.splitlines()] == [
        "a.trig to <http:",
        "a.trig to <http:",
        "a.trig to <http:",
    ]
    found = counts(small)
    assert (found["http://x/http-g1"], found["http://x/http-g2"], found[graph]) == (2, 1, 1)


def test_an_update_is_made_by_a_service_with_its_reason_in_the_journal(small: Service, graph: str, tmp_path: Path) -> None:
    text = f"INSERT DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 1 }} }}"
    assert "the graph is at commit" in run("update", "-", "--message", "Größe ✓", "--url", small.url, given=text.encode())
    assert counts(small)[graph] == 1
    journal = ["--plain", "--data-dir", small.log.parent / "data"]
    shown = run("log", "-n", "1", *journal)
    assert "Größe ✓" in shown
    number = shown.split("\n")[1].split()[0]
    assert f"Commit {number} is taken back" in run("revert", number, "--url", small.url, *journal)
    assert graph not in counts(small)


def test_what_a_service_refuses_is_told_with_the_file_and_what_helps(small: Service, graph: str, tmp_path: Path) -> None:
    to = ["--graph", graph, "--url", small.url]
    broken = run("load", file(tmp_path, "broken.ttl", "<http://x/s> <http://x/p> ."), *to, status=1)
    assert broken.startswith(f"Syntax error: broken.ttl to <{graph}>: The Turtle does not parse, line 1")
    large = "".join(f"<http://x/s{n}> <http://x/p> {n} .\n" for n in range(40_000))
    for name in ("large.nt", "large.nt.gz"):
        said = run("load", file(tmp_path, name, large), *to, status=1)
        assert said.startswith(f"Too large: {name} to <{graph}>: ")
        assert "body_bytes" in said
        assert "load into its data folder (without --url)" in said
    assert "A token is needed: " in run("load", file(tmp_path, "a.ttl", TURTLE), *to, status=1, token="")
    assert "Syntax error: Line 1" in run("update", "INSERT {", "--url", small.url, status=1)
    assert graph not in counts(small)


def test_a_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = run("load", file(tmp_path, "a.ttl", TURTLE), "--graph", "http://x/g", "--url", "http://127.0.0.1:1", status=1)
    assert "http://127.0.0.1:1/graphs?graph=http%3A%2F%2Fx%2Fg cannot be asked" in said
    assert "Connection refused" in said


def test_the_first_violations_are_shown(shipped: Service, tmp_path: Path) -> None:
    said = run("load", file(tmp_path, "a.ttl", NONCONFORMING), "--graph", "http://x/g", "--url", shipped.url, status=1)
    assert said.startswith("The graph breaks its shapes: a.ttl to <http://x/g>: The graph would have ")
    assert "\n  Violation http://x/brand" in said
    said = run("load", file(tmp_path, "b.ttl", TURTLE), "--url", shipped.url, status=1)
    assert "Write to a graph that has a name" in said


# What is wrong before anything is sent


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.trig", "<http://x/g> { _:b <http://x/p> 1 } <http://x/h> { _:b <http://x/p> 1 }", "blank node _:b is in two graphs"),
        ("a.trig", "_:g { <http://x/s> <http://x/p> 1 }", "graph named by a blank node, _:g; give it an IRI"),
        ("a.nq", "<http://x/s> <http://x/p> .\n", "line 1"),
        ("a.txt", "", "does not tell its format"),
        ("missing.ttl", None, "There is no file"),
    ],
)
def test_a_file_that_cannot_be_sent_whole_is_not_sent(
    small: Service, tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    path = tmp_path / name if text is None else file(tmp_path, name, text)
    before = small.metric("motorgraph_commit")
    for where in (["--url", small.url], ["--plain", "--data-dir", tmp_path / "data"]):
        assert words in run("load", path, "--graph", "http://x/g", *where, status=1)
    assert small.metric("motorgraph_commit") == before


def test_a_graph_has_an_absolute_iri_and_a_message_is_one_line(tmp_path: Path) -> None:
    path = file(tmp_path, "a.ttl", TURTLE)
    assert "'g' is no absolute IRI, such as" in run("load", path, "--graph", "g", status=1)
    assert "A message is one line" in run("load", path, "--message", "a\nb", status=1)


def test_a_file_of_more_quads_than_are_held_in_memory_comes_through_whole(
    small: Service, graph: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from motorgraph import splitting

    monkeypatch.setattr(splitting, "MOST_HELD", 7)
    lines = "".join(f'_:b{n % 9} <http://x/p> "{n}" <{graph}-{n % 3}> .\n' for n in range(99) if (n % 9) % 3 == n % 3)
    (tmp_path / "parts").mkdir()
    parts = list(splitting.documents(file(tmp_path, "a.nq.gz", lines), "", tmp_path / "parts"))
    assert [part.graph for part in parts] == [f"{graph}-{n}" for n in range(3)]
    for part in parts:  # a packed file of several members, as it stands
        answer = small.client.put(
            "/graphs",
            params={"graph": part.graph},
            content=part.path.read_bytes(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": part.media_type, "Content-Encoding": "gzip"},
        )
        assert answer.status_code == 201, answer.text
    assert sum(count for name, count in counts(small).items() if name.startswith(f"{graph}-")) == 99


# To the data folder


def test_a_folder_without_a_service_is_written_through_the_same_journal(tmp_path: Path) -> None:
    folder = ["--plain", "--data-dir", tmp_path / "data"]
    path = file(tmp_path, "a.ttl.gz", TURTLE)
    assert run("load", path, "--graph", "http://x/g", *folder) == "a.ttl.gz to <http://x/g>: the graph is at commit 1\n"
    assert "commit 2" in run("update", "DELETE WHERE { GRAPH <http://x/g> { ?s ?p 1 } }", "--message", "less", *folder)
    assert "Commit 1 is taken back: the graph is at commit 3" in run("revert", "1", *folder)
    assert "every commit is as it was written" in run("verify", *folder)
    shown = run("log", *folder)
    assert "less" in shown
    assert "Load a.ttl.gz" in shown
    with service(tmp_path, "--plain") as running:
        assert counts(running) == {}
        said = run("load", path, "--graph", "http://x/g", *folder, status=1)
        assert f"in use by process {keeper(running)}, which serves {running.url}/" in said
        assert "with --url" in said


def keeper(running: Service) -> int:
    return int(subprocess.check_output(["pgrep", "-P", str(running.process.pid)]).split()[0])


def test_a_refused_change_of_a_folder_changes_nothing(tmp_path: Path) -> None:
    folder = ["--plain", "--data-dir", tmp_path / "data"]
    assert run("load", file(tmp_path, "b.ttl", "<a:s> <a:p> ."), *folder, status=1).startswith(
        "Syntax error: b.ttl to the default"
    )
    assert run("update", "INSERT {", *folder, status=1).startswith("Syntax error: Line 1")
    assert "There is no commit yet" in run("log", *folder)


def test_what_a_service_was_started_with_stays_when_a_command_writes_to_its_folder(tmp_path: Path) -> None:
    given = file(tmp_path, "given.ttl", "<http://x/given> <http://x/p> 1 .")
    with service(tmp_path, "--plain", "--load", str(given)):
        pass
    folder = ["--plain", "--data-dir", tmp_path / "data"]
    run("load", file(tmp_path, "a.ttl", TURTLE), "--graph", "http://x/g", *folder)
    with service(tmp_path, "--plain", "--load", str(given)) as running:
        assert counts(running) == {"http://x/g": 3}
        assert running.query("ASK { <http://x/given> ?p 1 }").json()["boolean"]
        assert running.metric("motorgraph_commit") == 2


def test_a_revert_keeps_what_others_have_added_to_a_graph_since_it_was_made(tmp_path: Path) -> None:
    folder = ["--plain", "--data-dir", tmp_path / "data"]
    for number in (1, 2):
        path = file(tmp_path, "a.ttl", f"<http://x/s> <http://x/p> {number} .")
        run("load", path, "--graph", "http://x/g", *folder)
    run("revert", "1", *folder)
    run("update", "DROP GRAPH <http://x/g>", *folder)
    run("revert", "4", *folder)
    shown = run("show", "5", *folder)
    assert "made    <http://x/g>" in shown
    assert '+ <http://x/s> <http://x/p> "2"' in shown
    assert '"1"' not in shown


def test_another_base_than_that_of_the_journal_is_refused(tmp_path: Path) -> None:
    folder = ["--plain", "--data-dir", tmp_path / "data"]
    run("load", file(tmp_path, "a.ttl", TURTLE), *folder, "--base", "http://one.example")
    said = run("update", "CLEAR ALL", *folder, "--base", "http://other.example", status=1)
    assert "written with --base http://one.example" in said
    assert "now there is --base http://other.example" in said


# Looking after it, as an operator does


def test_a_running_service_is_verified_against_its_journal(small: Service, graph: str, tmp_path: Path) -> None:
    small.put(graph, "<http://x/s> <http://x/p> [ <http://x/q> 1.50 ] .")
    journal = ["--plain", "--data-dir", small.log.parent / "data"]
    said = run("verify", "--url", small.url, *journal)
    assert f"{small.url}: the graph in memory is what the journal makes (commit {int(small.metric('motorgraph_commit'))})" in said
    run("restore", tmp_path / "other", "--at", "1", *journal)
    said = run("verify", "--url", small.url, "--plain", "--data-dir", tmp_path / "other", status=1)
    assert "serves another journal" in said


def test_the_memory_of_the_shipped_service_is_what_its_journal_makes(shipped: Service) -> None:
    said = run("verify", "--url", shipped.url, "--data-dir", shipped.log.parent / "data")
    assert "the graph in memory is what the journal makes" in said


def test_a_copy_is_served_with_the_same_flags_as_the_folder(tmp_path: Path) -> None:
    folder = ["--plain", "--data-dir", tmp_path / "data"]
    for number in (1, 2, 3):
        run("update", f"INSERT DATA {{ <http://x/s> <http://x/p> {number} }}", *folder)
    assert "up to commit 3" in run("backup", tmp_path / "backup", *folder)
    assert "as it was at commit 2" in run("restore", tmp_path / "restored", "--at", "2", *folder)
    for target, newest in (("backup", 3), ("restored", 2)):
        with service(tmp_path, "--plain", "--data-dir", str(tmp_path / target)) as running:
            assert running.metric("motorgraph_commit") == newest
    for target in ("backup", "a.file/in"):
        (tmp_path / "a.file").touch()
        said = run("restore", tmp_path / target, "--at", "2", *folder, status=1)
        assert "is no empty folder; choose a new one" in said or "cannot be made: Not a directory" in said
    assert "There is no commit 9; the newest is 3" in run("restore", tmp_path / "none", "--at", "9", *folder, status=1)
    assert "There was no commit yet at 2001-01-01; the first is of 20" in run(
        "restore", tmp_path / "none", "--at", "2001-01-01", *folder, status=1
    )
    assert not (tmp_path / "none").exists()


# A full disk


def test_a_draft_without_room_for_what_it_writes_down_is_refused_as_such(capfd: pytest.CaptureFixture[str]) -> None:
    import socket

    import pyoxigraph as ox

    from motorgraph.engine import draft, wire
    from motorgraph.engine.wire import Job, Kind

    ours, theirs = socket.socketpair()
    body = "\n".join(f"<http://x/s> <http://x/p> {number} ." for number in range(2000)).encode()
    job = Job("put", graph="http://x/g", content_type="text/turtle")
    with ours, theirs, full_device() as spool:
        ours.sendall(wire.encode_job(job) + wire.body_frames(body))
        ours.shutdown(socket.SHUT_WR)
        draft.run(theirs, ox.Store(), spool, draft.Known())
        ((kind, payload),) = wire.Frames().feed(ours.recv(1 << 16))
    assert kind is Kind.FAILED
    assert b"insufficient-storage" in payload


class full_device:  # noqa: N801  # reads as the statement that it is
    """A file on a disk that is full; what it still holds is thrown away."""

    def __enter__(self) -> IO[bytes]:
        if not Path("/dev/full").exists():
            pytest.skip("there is no /dev/full here")
        self._raw = Path("/dev/full").open("wb", buffering=0)
        return self._raw

    def __exit__(self, *error: object) -> None:
        self._raw.close()
