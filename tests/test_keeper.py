"""The keeper as a process of its own, talked to over its socket as the front does."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from motorgraph.commits import Change
from motorgraph.engine.wire import Job, Kind, body_frames, encode_job, received
from motorgraph.journal import Journal
from tests.forked import CSV, MANY, NESTED, NEVER_ENDING, POINT, TRIPLES, all_gone, children, descriptors, is_there, job
from tests.running import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
SECONDS = 20


@dataclass
class Front:
    """The other side of a keeper's socket."""

    process: subprocess.Popen[bytes]
    sock: socket.socket
    heard: list[dict[str, Any]] = field(default_factory=list)
    rest: bytes = b""
    fds: list[int] = field(default_factory=list)

    def say(self, do: str, **values: Any) -> None:
        """Sends a command."""
        self.sock.sendall(json.dumps({"do": do, "id": 1, **values}).encode() + b"\n")

    def hear(self, *names: str) -> dict[str, Any]:
        """The next event of one of these names; the others before it are kept."""
        while True:
            for event in self.heard:
                if event["event"] in names:
                    self.heard.remove(event)
                    return event
            data, fds, _, _ = socket.recv_fds(self.sock, 1 << 16, 8)
            assert data, "the keeper has gone"
            self.fds += fds
            *lines, self.rest = (self.rest + data).split(b"\n")
            self.heard += map(json.loads, lines)

    def load(self, *files: Path, union: bool = False) -> dict[str, Any]:
        """Loads files by their suffix: .ttl, .nq or anything else, as a type that there is not."""
        types = {".ttl": "text/turtle", ".nq": "application/n-quads", ".gz": "text/turtle"}
        told = [{"path": str(f), "media_type": types.get(f.suffix, "text/none")} for f in files]
        folder = str(files[0].parent / "data")
        self.say("load", files=told, folder=folder, is_writable=True, union=union)
        return self.hear("loaded", "refused")

    def fork(self, role: str = "reader", memory: int = 1 << 30) -> tuple[int, socket.socket]:
        """A new child and our end of its socket."""
        self.say("fork", role=role, memory=memory, may_open=0)
        pid = self.hear("child")["pid"]
        child = socket.socket(fileno=self.fds.pop(0))
        child.settimeout(SECONDS)
        return pid, child

    def close(self) -> None:
        """Goes, as a front does that ends."""
        with suppress(OSError):
            self.sock.close()


@pytest.fixture
def front() -> Iterator[Front]:
    """A keeper with an empty graph."""
    with another() as talking:
        yield talking


@contextmanager
def another() -> Iterator[Front]:
    """A keeper with an empty graph; it ends at the end."""
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    command = [sys.executable, "-m", "motorgraph.engine.keeper", str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE) as process:
        theirs.close()
        talking = Front(process, ours)
        try:
            yield talking
        finally:
            talking.close()
            if not until(lambda: process.poll() is not None):
                process.kill()


@pytest.fixture
def loaded(front: Front, tmp_path: Path) -> Front:
    """A keeper with a thousand triples."""
    path = tmp_path / "many.ttl"
    path.write_text(MANY)
    assert front.load(path)["event"] == "loaded"
    return front


def answer(child: socket.socket, asked: Job, body: bytes | None = None) -> tuple[Kind, bytes]:
    """The body of an answer with its end, or why there is none."""
    child.sendall(encode_job(asked, 20.0) + (b"" if body is None else body_frames(body)))
    data = b""
    for kind, payload in received(child):
        if kind is Kind.DATA:
            data += payload
        elif kind is Kind.END:
            return kind, data
        elif kind is Kind.FAILED:
            return kind, payload
    return Kind.FAILED, b"the child has gone"


def count(front: Front) -> int:
    """The triples of the default graph, by a reader of its own."""
    _, child = front.fork()
    with child:
        kind, data = answer(child, job("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", CSV))
    assert kind is Kind.END
    return int(data.split()[1])


# Loading


def test_a_file_is_loaded_and_the_event_says_how_it_went(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "many.ttl"
    path.write_text(MANY)
    event = front.load(path)
    assert event["seconds"] > 0
    assert event["pss"] > 1 << 20
    assert count(front) == TRIPLES


def test_with_union_the_default_graph_holds_a_triple_of_two_graphs_once(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "two.nq"
    path.write_text("<a:s> <a:p> <a:o> <a:g> .\n<a:s> <a:p> <a:o> <a:h> .\n<a:s> <a:p> <a:x> <a:h> .\n")
    front.load(path, union=True)
    assert count(front) == 2


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("there.ttl", None, "No such file"),
        ("broken.ttl", b"<a:s> <a:p> 1 .\n<a:s> <a:p> .\n", "line 2"),
        ("bytes.ttl", b"\xff\xfe\x00", "bytes.ttl"),
        ("cut.ttl.gz", gzip.compress(os.urandom(5000))[:1000], "cut.ttl.gz"),
        ("no.ttl.gz", b"not gzip", "no.ttl.gz"),
        ("odd.xyz", b"", "text/none"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named_and_the_keeper_lives_on(
    front: Front, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    event = front.load(path)
    assert (event["event"], event["id"]) == ("refused", 1)
    assert str(path) in event["detail"]
    assert told in event["detail"]
    assert count(front) == 0


def test_a_folder_is_no_file(front: Front, tmp_path: Path) -> None:
    folder = tmp_path / "folder.ttl"
    folder.mkdir()
    assert "Is a directory" in front.load(folder)["detail"]


# Children


def test_a_reader_answers_one_job_after_the_other_until_its_socket_is_closed(loaded: Front) -> None:
    pid, child = loaded.fork()
    for _ in range(3):
        assert answer(child, job(POINT, CSV)) == (Kind.END, b"o\r\n5\r\n")
    assert is_there(pid)
    child.close()
    assert loaded.hear("exit") == {"event": "exit", "pid": pid, "signal": 0}
    assert not is_there(pid)


def test_a_child_keeps_no_socket_but_its_own(loaded: Front) -> None:
    (_, one), (pid, other) = loaded.fork(), loaded.fork()
    with one, other:
        assert until(lambda: len([d for d in descriptors(pid) if d.startswith("socket:")]) == 1)
        assert not [d for d in descriptors(pid) if "eventpoll" in d]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_the_signal_that_ended_a_child_is_told(loaded: Front, number: int) -> None:
    pid, child = loaded.fork()
    with child:
        assert until(lambda: len([d for d in descriptors(pid) if d.startswith("socket:")]) == 1)
        os.kill(pid, number)
        assert loaded.hear("exit") == {"event": "exit", "pid": pid, "signal": number}
    assert not is_there(pid)


def test_a_text_that_crashes_a_reader_leaves_the_keeper_and_the_others_alone(loaded: Front) -> None:
    (pid, child), (_, other) = loaded.fork(), loaded.fork()
    with child, other:
        assert answer(child, job(NESTED)) == (Kind.FAILED, b"the child has gone")
        assert loaded.hear("exit") == {"event": "exit", "pid": pid, "signal": signal.SIGSEGV}
        assert answer(other, job(POINT, CSV)) == (Kind.END, b"o\r\n5\r\n")


def test_a_query_is_ended_by_kill_and_by_nothing_else(loaded: Front) -> None:
    pid, child = loaded.fork()
    with child:
        child.sendall(encode_job(job(NEVER_ENDING), 60))
        loaded.say("nice", pid=pid)
        assert until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 19)
        loaded.say("kill", pid=pid)
        assert loaded.hear("exit")["signal"] == signal.SIGKILL


def test_a_process_that_is_no_child_is_neither_killed_nor_reniced(loaded: Front) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        loaded.say("kill", pid=other.pid)
        loaded.say("nice", pid=other.pid)
        assert count(loaded) == TRIPLES
        assert other.poll() is None
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == os.getpriority(os.PRIO_PROCESS, 0)
        other.kill()


def test_fifty_children_that_end_at_once_are_all_buried_and_told(loaded: Front) -> None:
    made = [loaded.fork() for _ in range(50)]
    for _, child in made:
        child.close()
    assert sorted(loaded.hear("exit")["pid"] for _ in made) == sorted(pid for pid, _ in made)
    assert children(loaded.process.pid) == []


def test_a_front_that_never_takes_an_event_does_not_stop_the_keeper_from_obeying(loaded: Front) -> None:
    """A hundred events are not taken while as many commands are sent."""
    for number in range(100):
        loaded.say("fork", id=number, role="reader", memory=0, may_open=0)
    assert [loaded.hear("child")["id"] for _ in range(100)] == list(range(100))
    for fd in loaded.fds:
        os.close(fd)


def test_no_descriptor_stays_open_in_the_keeper(loaded: Front) -> None:
    before = descriptors(loaded.process.pid)
    for role, body in [("reader", None), ("draft", b""), ("judge", None)] * 3:
        _, child = loaded.fork(role)
        with child:
            answer(child, Job("update", "this is no update") if role == "draft" else job(POINT), body)
        loaded.hear("exit")
    assert descriptors(loaded.process.pid) == before


# Changes


def test_what_a_draft_did_is_seen_only_when_it_is_applied(loaded: Front) -> None:
    pid, child = loaded.fork("draft")
    with child:
        assert answer(child, Job("update", "INSERT DATA { <a:s> <a:p> 1 }"), b"")[0] is Kind.END
        assert count(loaded) == TRIPLES
        loaded.say("apply", pid=pid)
        assert loaded.hear("applied", "refused")["event"] == "applied"
        assert count(loaded) == TRIPLES + 1


def test_a_draft_that_is_closed_changes_nothing(loaded: Front) -> None:
    pid, child = loaded.fork("draft")
    with child:
        answer(child, Job("update", "DELETE WHERE { ?s ?p ?o }"), b"")
    assert loaded.hear("exit")["pid"] == pid
    assert count(loaded) == TRIPLES


def test_applying_a_draft_that_has_gone_is_refused_and_the_keeper_lives_on(loaded: Front) -> None:
    pid, child = loaded.fork("draft")
    child.close()
    loaded.hear("exit")
    loaded.say("apply", pid=pid)
    assert loaded.hear("applied", "refused")["event"] == "refused"
    assert count(loaded) == TRIPLES


# What the disk may do


def write(front: Front, number: int) -> dict[str, Any]:
    """One triple more, and what the keeper says of it."""
    pid, child = front.fork("draft")
    with child:
        assert answer(child, Job("update", f"INSERT DATA {{ <a:s> <a:more> {number} }}"), b"")[0] is Kind.END
        front.say("apply", pid=pid)
        return front.hear("applied", "refused")


def test_a_snapshot_that_cannot_be_written_is_told_and_tried_again_and_writes_go_on(front: Front, tmp_path: Path) -> None:
    snapshots = tmp_path / "data" / "snapshots"
    front.say("load", files=[], folder=str(tmp_path / "data"), is_writable=True, union=False, snapshot_after=10)
    front.hear("loaded")
    snapshots.touch()  # where the folder should be
    for number in range(10):
        assert write(front, number)["event"] == "applied"
    assert "A snapshot could not be written; nothing is lost" in front.hear("logged")["message"]
    snapshots.unlink()
    for number in range(10, 20):
        assert write(front, number)["commit"] == number + 1
    assert until(lambda: any(path.suffix == ".gz" for path in snapshots.glob("*")))


def test_a_start_that_reads_a_damaged_commit_is_refused_with_what_helps(front: Front, tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path / "data")) as journal:
        for number in range(3):
            journal.append(Change(added=[b"<a:s> <a:p> <a:o%d> .\n" % number]))
        journal._base.execute("UPDATE pieces SET quads = ? WHERE id = 2", (zlib.compress(b"<a:s> <a:p> <a:other> .\n"),))
    front.say("load", files=[], folder=str(tmp_path / "data"), is_writable=True, union=False)
    detail = front.hear("loaded", "refused")["detail"]
    assert "commit 2 is not what was written. `motorgraph restore FOLDER --at 1` makes a new folder" in detail


def test_a_damaged_snapshot_is_passed_over_with_a_word(front: Front, tmp_path: Path) -> None:
    with closing(Journal.open(tmp_path / "data")) as journal:
        journal.append(Change(added=[b"<a:s> <a:p> <a:o> .\n"]))
        (tmp_path / "data" / "snapshots").mkdir()
        (tmp_path / "data" / "snapshots" / "1.nq.gz").write_bytes(b"\x1f\x8b\x08")
    front.say("load", files=[], folder=str(tmp_path / "data"), is_writable=True, union=False)
    assert front.hear("loaded", "refused")["event"] == "loaded"
    assert "1.nq.gz is passed over" in front.hear("logged")["message"]
    assert count(front) == 1


def test_files_that_change_only_in_their_comments_make_no_commit(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "one.nq"
    for text, commit in (("<a:s> <a:p> <a:o> .\n", 1), ("# a remark\n<a:s> <a:p> <a:o> .\n", 1), ("<a:s> <a:p> <a:x> .\n", 2)):
        path.write_text(text)
        with another() as keeper:
            keeper.load(path)
            keeper.say("record")
            assert keeper.hear("recorded")["commit"] == commit


def test_a_reader_keeps_the_graph_of_its_fork(loaded: Front) -> None:
    _, reader = loaded.fork()
    pid, child = loaded.fork("draft")
    with reader, child:
        answer(child, Job("update", "DELETE WHERE { ?s ?p ?o }"), b"")
        loaded.say("apply", pid=pid)
        loaded.hear("applied")
        assert answer(reader, job(POINT, CSV)) == (Kind.END, b"o\r\n5\r\n")
        assert count(loaded) == 0


# The end


def test_the_keeper_ends_with_its_children_when_the_front_closes_the_socket(loaded: Front) -> None:
    (idle, one), (busy, other) = loaded.fork(), loaded.fork()
    other.sendall(encode_job(job(NEVER_ENDING), 60))
    loaded.close()
    assert until(lambda: loaded.process.poll() == 0)
    assert until(lambda: all_gone([idle, busy]))
    one.close()
    other.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_children_end_with_a_keeper_that_is_killed(loaded: Front, number: int) -> None:
    (idle, one), (busy, other) = loaded.fork(), loaded.fork()
    with one, other:
        other.sendall(encode_job(job(NEVER_ENDING), 60))
        loaded.process.send_signal(number)
        assert until(lambda: loaded.process.poll() is not None)
        assert until(lambda: all_gone([idle, busy]))


def test_the_keeper_leaves_ctrl_c_and_hang_ups_to_the_front(loaded: Front) -> None:
    _, child = loaded.fork()
    with child:
        for number in (signal.SIGINT, signal.SIGHUP):
            loaded.process.send_signal(number)
        assert count(loaded) == TRIPLES
        assert answer(child, job(POINT, CSV)) == (Kind.END, b"o\r\n5\r\n")


def test_the_keeper_says_nothing_when_it_ends_as_it_should(loaded: Front) -> None:
    _, child = loaded.fork()
    with child:
        child.sendall(encode_job(job(NEVER_ENDING), 60))
        loaded.close()
        assert until(lambda: loaded.process.poll() == 0)
    assert loaded.process.stderr is not None
    assert loaded.process.stderr.read() == b""


def test_the_keeper_ends_during_a_load_when_its_front_is_killed(tmp_path: Path) -> None:
    """The load waits for a writer that never comes; only the kernel can end the process."""
    pipe = tmp_path / "never.ttl"
    os.mkfifo(pipe)
    files = [{"path": str(pipe), "media_type": "text/turtle"}]
    load = json.dumps({"do": "load", "id": 1, "files": files, "union": False}).encode() + b"\n"
    script = (
        "import json, os, socket, subprocess, sys, time\n"
        "ours, theirs = socket.socketpair()\n"
        "keeper = subprocess.Popen([sys.executable, '-m', 'motorgraph.engine.keeper', str(theirs.fileno())],"
        " pass_fds=[theirs.fileno()])\n"
        f"ours.sendall({load!r})\n"
        "print(keeper.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as middle:
        assert middle.stdout is not None
        pid = int(middle.stdout.readline())
        assert until(lambda: Path(f"/proc/{pid}/comm").read_text() == "mg-keeper\n")
        middle.kill()
    assert until(lambda: all_gone([pid]))
