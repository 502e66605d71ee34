"""Every attempt to write leaves a line in the audit log before it is answered, whatever comes of it; no token, no data."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from motorgraph.bearer import Bearer, Scope
from tests.running import TOKEN, Service, service, start, until

READER = "the-token-of-a-reader"
SECRET = "a-literal-that-is-nobodys-business"
GRAPH = "http://audit.example/g"
INSERT = f'INSERT DATA {{ GRAPH <{GRAPH}> {{ <http://audit.example/s> <http://audit.example/p> "{SECRET}" }} }}'
WRITER = {"Authorization": f"Bearer {TOKEN}"}
NTRIPLES = {"Content-Type": "application/n-triples"}
Line = dict[str, Any]  # Any: plain JSON


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as it ships, with an audit log."""
    folder = tmp_path_factory.mktemp("audited")
    reader = Bearer.holding("reader", Scope.READ, READER).entry
    flags = ("--audit-log", str(folder / "audit.jsonl"), "--tokens", reader, "--body-bytes", "1")
    with service(folder, *flags) as running:
        yield running


def lines(running: Service) -> list[Line]:
    return [json.loads(line) for line in (running.log.parent / "audit.jsonl").read_text().splitlines()]


def write(running: Service, method: str = "PUT", graph: str = GRAPH, **more: Any) -> httpx.Response:  # Any: httpx's own
    headers = {**WRITER, **NTRIPLES, **more.pop("headers", {})}
    return running.client.request(method, "/graphs", params={"graph": graph, **more.pop("params", {})}, headers=headers, **more)


def told(running: Service, response: httpx.Response) -> Line:
    """The one line of a request, which is there when it is answered."""
    found = [line for line in lines(running) if line["request"] == response.headers["X-Request-Id"]]
    assert len(found) == 1
    return found[0]


def test_a_change_that_is_made_is_told_with_who_what_and_the_commit(audited: Service) -> None:
    response = audited.update(INSERT)
    assert response.status_code == 204
    line = told(audited, response)
    assert line.pop("time").endswith("+00:00")
    assert line.pop("bytes") > len(SECRET)
    assert line == {
        "request": response.headers["X-Request-Id"],
        "client": "127.0.0.1",
        "bearer": "write token",
        "method": "POST",
        "path": "/sparql",
        "task": "update",
        "graph": None,
        "outcome": "made",
        "status": 204,
        "commit": int(response.headers["X-Commit"]),
    }


def test_each_verb_is_told_with_its_graph_and_size(audited: Service) -> None:
    body = f'<http://audit.example/s> <http://audit.example/p> "{SECRET}", "2" .'.replace(", ", " .\n<a:a> <a:a> ").encode()
    found = {}
    for method, content in (("PUT", body), ("POST", body), ("DELETE", b"")):
        response = write(audited, method, GRAPH + "/verbs", content=content)
        assert response.is_success, response.text
        line = told(audited, response)
        assert line["status"] == response.status_code
        found[method] = line["task"], line["graph"], line["bytes"], line["outcome"]
    graph = GRAPH + "/verbs"
    assert found == {
        "PUT": ("put", graph, len(body), "made"),
        "POST": ("post", graph, len(body), "nothing to change"),
        "DELETE": ("delete", graph, 0, "made"),
    }


def test_a_rehearsal_and_a_repetition_are_told_as_such(audited: Service) -> None:
    rehearsed = write(audited, graph=GRAPH + "/dry", content=b"<a:a> <a:b> <a:c> .", params={"dry-run": "true"})
    assert (told(audited, rehearsed)["outcome"], told(audited, rehearsed)["status"]) == ("rehearsed", 200)
    key = {"Idempotency-Key": '"once"'}
    first, again = (write(audited, graph=GRAPH + "/once", content=b"<a:a> <a:b> <a:c> .", headers=key) for _ in range(2))
    assert [told(audited, each)["outcome"] for each in (first, again)] == ["made", "replayed"]
    assert told(audited, first)["commit"] == told(audited, again)["commit"]


REFUSALS: dict[str, tuple[dict[str, Any], int, str, str | None]] = {  # Any: arguments of `write`
    "no token": ({"headers": {"Authorization": ""}}, 401, "unauthorized", None),
    "wrong token": ({"headers": {"Authorization": "Bearer wrong-and-secret"}}, 401, "invalid-token", None),
    "scope": ({"headers": {"Authorization": f"Bearer {READER}"}}, 403, "insufficient-scope", None),
    "syntax": ({"content": f"<{SECRET}".encode()}, 400, "bad-syntax", "write token"),
    "media type": ({"headers": {"Content-Type": "image/png"}}, 415, "unsupported-media-type", "write token"),
    "condition": ({"headers": {"If-Match": '"other"'}}, 412, "precondition-failed", "write token"),
    "size": ({"content": b" " * (1 << 20) + b" "}, 413, "too-large", "write token"),
    "catalogue": (
        {"graph": "https://motorgraph.example/graph/catalogue", "content": b"<a:a> <a:b> <a:c> ."},
        *(403, "forbidden", "write token"),
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_is_told_with_its_reason(audited: Service, why: str) -> None:
    arguments, status, problem, bearer = REFUSALS[why]
    response = write(audited, **arguments)
    assert response.status_code == status, response.text
    line = told(audited, response)
    assert (line["outcome"], line["status"], line["problem"], line["bearer"]) == ("refused", status, problem, bearer)
    assert "commit" not in line


def test_what_breaks_the_shapes_is_told(audited: Service) -> None:
    kind = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
    claim = f"<https://motorgraph.example/id/claim/audit> {kind} <https://motorgraph.example/ontology/Claim> ."
    response = write(audited, graph="https://motorgraph.example/graph/source/audit", content=claim.encode())
    assert response.status_code == 422
    assert told(audited, response)["problem"] == "nonconforming"


def test_what_a_form_sends_is_told_and_its_token_is_not(audited: Service) -> None:
    form = {"action": "try", "token": "wrong-and-secret", "slug": "audit-form", "document.dcterms:title": SECRET}
    response = audited.client.post("/validate/new", data=form)
    line = told(audited, response)
    assert (line["path"], line["outcome"], line["problem"]) == ("/validate/new", "refused", "invalid-token")
    assert line["graph"] == "https://motorgraph.example/graph/source/audit-form"


def test_a_write_whose_client_has_left_is_told(audited: Service) -> None:
    where = urlsplit(audited.url)
    values = " ".join(f"VALUES ?{name} {{{' 1' * 300}}}" for name in "abcdef")
    text = f"INSERT {{ <a:a> <a:b> ?n }} WHERE {{ {{ SELECT (COUNT(*) AS ?n) {{ {values} }} }} }}"
    head = "POST /sparql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sparql-update\r\nX-Request-Id: left\r\n"
    with socket.create_connection((where.hostname, where.port)) as sock:
        sock.sendall(f"{head}Authorization: Bearer {TOKEN}\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
        assert until(lambda: audited.metric("motorgraph_write_queue_length") == 0)
    assert until(lambda: any(line["request"] == "left" for line in lines(audited)))
    line = next(line for line in lines(audited) if line["request"] == "left")
    assert (line["outcome"], line["status"]) == ("given up", 499)


def test_neither_tokens_nor_data_are_in_it(audited: Service) -> None:
    text = (audited.log.parent / "audit.jsonl").read_text()
    assert len(text.splitlines()) > 10
    for secret in (TOKEN, READER, "wrong-and-secret", SECRET):
        assert secret not in text


def test_reads_leave_nothing(audited: Service) -> None:
    before = len(lines(audited))
    assert audited.query("ASK {}").is_success
    assert audited.client.post("/sparql", data={"query": "ASK {}"}).is_success
    assert audited.client.get("/graphs?default").is_success
    assert len(lines(audited)) == before


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    path, moved = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    with service(tmp_path, "--plain", "--audit-log", str(path)) as running:
        assert running.update(INSERT).is_success
        path.rename(moved)
        assert running.update("CLEAR ALL").is_success
        assert (len(moved.read_text().splitlines()), len(path.read_text().splitlines())) == (1, 1)
    assert path.stat().st_mode & 0o007 == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which is always full")
def test_where_there_is_no_room_no_write_is_begun_and_no_line_is_lost(tmp_path: Path) -> None:
    path, full = tmp_path / "audit.jsonl", tmp_path / "full"
    full.symlink_to("/dev/full")
    with service(tmp_path, "--plain", "--audit-log", str(full)) as running:
        assert running.update(INSERT).status_code == 204  # there was no telling
        commit = running.query("ASK {}").headers["X-Commit"]
        refused = running.update("CLEAR ALL")
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (507, "insufficient-storage")
        assert "audit log" in refused.json()["detail"]
        assert running.query("ASK {}").headers["X-Commit"] == commit
        path.touch()
        other = tmp_path / "other"
        other.symlink_to(path)
        other.replace(full)
        assert running.update("CLEAR ALL").is_success
    assert [(line["outcome"], line["status"]) for line in map(json.loads, path.read_text().splitlines())] == [
        ("made", 204),
        ("made", 204),
    ]


def test_a_start_is_refused_where_it_cannot_be_written(tmp_path: Path) -> None:
    with start(tmp_path, "--plain", "--audit-log", str(tmp_path / "none" / "audit.jsonl")) as process:
        assert process.wait(60) == 1
    said = (tmp_path / "service.log").read_text()
    assert "audit_log" in said
    assert "No such file" in said


def test_it_can_go_to_standard_output(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", "--audit-log", "-") as running:
        assert running.update(INSERT).is_success
        found = [json.loads(line) for line in running.log.read_text().splitlines() if '"outcome"' in line]
    assert [line["outcome"] for line in found] == ["made"]
