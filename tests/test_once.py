"""`Idempotency-Key`: a write that is sent again is made once and answered again, whatever happened in between."""

from __future__ import annotations

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from motorgraph.errors import BadRequest
from motorgraph.once import key_of
from motorgraph.protocol import Call
from tests.forked import children
from tests.running import TOKEN, Service, service

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
TURTLE = AUTHORIZED | {"Content-Type": "text/turtle"}
ONE = "<http://x/s> <http://x/p> 1 ."
SLOW = """INSERT {{ GRAPH <{0}> {{ <http://x/s> <http://x/p> ?n }} }} WHERE {{
  {{ SELECT (COUNT(*) AS ?n) {{ VALUES ?a {{ {1} }} VALUES ?b {{ {1} }} VALUES ?c {{ {2} }} FILTER(?a + ?b + ?c > 0) }} }} }}"""


def slow(graph: str, times: int) -> str:
    """An update that takes a while: a second or so for 4."""
    return SLOW.format(graph, " ".join(map(str, range(500))), " ".join(map(str, range(times))))


def keyed(key: str) -> dict[str, str]:
    return TURTLE | {"Idempotency-Key": key}


def post(running: Service, graph: str | None, body: str, key: str, **headers: str) -> httpx.Response:
    params = {"graph": graph} if graph else {}
    return running.client.post("/graphs", params=params, content=body, headers=keyed(key) | headers)


def outcome(response: httpx.Response) -> tuple[int, str | None, str]:
    return response.status_code, response.headers.get("Location"), response.headers["ETag"]


# The key, read


def called(key: str, **changed: Any) -> Call:  # Any: fields of a call
    given = {b"idempotency-key": key.encode(), b"content-type": b"text/turtle"}
    fields = {"method": "POST", "path": "/graphs", "query_string": b"graph=a:g", "headers": given, "raw_path": b"/graphs"}
    return Call(**fields | {"is_http_1_0": False, "scheme": "http"} | changed)


UUID = "8e03978e-40d5-43e8-bc93-6894a57f9324"


@pytest.mark.parametrize(
    ("written", "name"), [('"abc"', "abc"), ("abc", "abc"), ('"a b"', "a b"), (r'"a\"\\b"', 'a"\\b'), (UUID, UUID)]
)
def test_a_key_is_a_string_in_quotes_or_bare(written: str, name: str) -> None:
    assert json.loads(key_of(called(written), b"", "ada", ""))["name"] == name


@pytest.mark.parametrize("written", ['"abc', 'a"b', '""', "a b", '"é"', '"' + "x" * 255 + '"', r'"a\b"', "a,b;c d"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(BadRequest, match="Idempotency-Key is a string"):
        key_of(called(written), b"", "ada", "")


def test_no_key_is_none() -> None:
    assert key_of(called(""), b"", "ada", "") == ""


def test_method_address_type_coding_and_body_make_a_request_another() -> None:
    headers = called("k").headers
    calls = [
        (called("k"), b"x"),
        (called("k"), b"y"),
        (called("k", method="PUT"), b"x"),
        (called("k", query_string=b"graph=a:h"), b"x"),
        (called("k", raw_path=b"/graphs/x"), b"x"),
        (called("k", headers={**headers, b"content-type": b"text/n3"}), b"x"),
        (called("k", headers={**headers, b"content-encoding": b"gzip"}), b"x"),
    ]
    assert len({json.loads(key_of(call, body, "ada", ""))["request"] for call, body in calls}) == len(calls)
    again = called("k", headers={**headers, b"if-match": b'"x"', b"x-request-id": b"1"})
    assert key_of(again, b"x", "ada", "") == key_of(called("k"), b"x", "ada", "")


# Over HTTP


def test_a_write_that_is_sent_again_is_made_once_and_answered_again(plain: Service, graph: str) -> None:
    first = post(plain, graph, "[] <http://x/p> 1 .", f'"{graph}"')
    assert "Idempotency-Replayed" not in first.headers
    plain.update(f"INSERT DATA {{ GRAPH <{graph}/other> {{ <http://x/s> <http://x/p> 1 }} }}")
    again = post(plain, graph, "[] <http://x/p> 1 .", f'"{graph}"')
    assert again.headers["Idempotency-Replayed"] == "true"
    assert outcome(again) == outcome(first)
    assert first.status_code == 201
    assert plain.rows(f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}") == [{"n": "1"}]


def test_a_graph_that_is_minted_is_minted_once(plain: Service, graph: str) -> None:
    first, again = (post(plain, None, ONE, graph) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.headers["Location"] == again.headers["Location"]
    assert post(plain, None, ONE, graph + "x").headers["Location"] != first.headers["Location"]


def test_a_write_that_changed_nothing_does_nothing_when_it_is_sent_again(plain: Service, graph: str) -> None:
    plain.put(graph, ONE)
    text = {"update": f"DELETE DATA {{ GRAPH <{graph}> {{ <http://x/s> <http://x/p> 2 }} }}"}
    headers = AUTHORIZED | {"Idempotency-Key": graph}
    assert plain.client.post("/sparql", data=text, headers=headers).status_code == 204
    plain.put(graph, "<http://x/s> <http://x/p> 2 .")
    assert plain.client.post("/sparql", data=text, headers=headers).headers["Idempotency-Replayed"] == "true"
    assert len(plain.rows(f"SELECT * {{ GRAPH <{graph}> {{ ?s ?p ?o }} }}")) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_every_method_has_it(plain: Service, graph: str, method: str) -> None:
    plain.put(graph, ONE)
    count = "INSERT { <http://x/s> <http://x/p> ?n } WHERE { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } }"
    bodies = {"PUT": (ONE.replace("1", "2"), "text/turtle"), "PATCH": (count, "application/sparql-update"), "DELETE": ("", "")}
    body, media_type = bodies[method]
    headers = AUTHORIZED | {"Content-Type": media_type, "Idempotency-Key": graph}
    answers = [plain.client.request(method, "/graphs", params={"graph": graph}, content=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]


def test_the_condition_of_a_write_that_was_made_is_not_asked_again(plain: Service, graph: str) -> None:
    plain.put(graph, ONE)
    seen = plain.client.get("/graphs", params={"graph": graph}).headers["ETag"]
    answers = [post(plain, graph, "<http://x/s> <http://x/p> 2 .", graph, **{"If-Match": seen}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]


def test_another_request_with_the_key_is_422(plain: Service, graph: str) -> None:
    assert post(plain, graph, ONE, graph).status_code == 201
    response = post(plain, graph, ONE + ONE, graph)
    assert response.status_code == 422
    assert response.json()["type"].endswith("/key-reused")


def test_a_refused_write_is_tried_again(plain: Service, graph: str) -> None:
    assert post(plain, graph, ONE, graph, **{"If-Match": "*"}).status_code == 412
    assert post(plain, graph, ONE, graph).status_code == 201


def test_a_dry_run_takes_no_key(plain: Service, graph: str) -> None:
    for _ in range(2):
        params = {"graph": graph, "dry-run": "true"}
        response = plain.client.post("/graphs", params=params, content=ONE, headers=keyed(graph))
        assert (response.status_code, response.json()["made"]) == (200, [graph])
    assert post(plain, graph, ONE, graph).status_code == 201


def test_a_wrong_token_learns_nothing_of_a_key(plain: Service, graph: str) -> None:
    assert post(plain, graph, ONE, graph).status_code == 201
    assert post(plain, graph, ONE, graph, Authorization="Bearer wrong").status_code == 401


def test_a_duplicate_while_the_first_is_under_way_is_409(plain: Service, graph: str) -> None:
    headers = AUTHORIZED | {"Idempotency-Key": graph}

    def send(_: int) -> httpx.Response:
        return plain.client.post("/sparql", data={"update": slow(graph, 6)}, headers=headers)

    with ThreadPoolExecutor(2) as pool:  # Which of the two comes first is not ours to say.
        made, refused = sorted(pool.map(send, range(2)), key=lambda response: response.status_code)
    assert (made.status_code, refused.status_code) == (204, 409)
    assert "Idempotency-Replayed" not in made.headers
    assert send(2).headers["Idempotency-Replayed"] == "true"


def test_a_key_outlives_the_service_and_its_death(tmp_path: Path) -> None:
    with service(tmp_path, "--plain") as running:
        first = outcome(post(running, None, ONE, "k"))
    with service(tmp_path, "--plain") as running:
        assert outcome(post(running, None, ONE, "k")) == first
        second = outcome(post(running, None, ONE, "l"))
        running.process.kill()
        running.process.wait()
    with service(tmp_path, "--plain") as running:
        assert outcome(post(running, None, ONE, "l")) == second
        assert len(running.rows("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }")) == 2


def test_a_write_that_is_retried_until_it_is_answered_is_made_once_over_every_kill(tmp_path: Path) -> None:
    """Killed at another moment each time: before the commit, between it and the answer, after it."""
    body = "[] <http://x/p> 1 ."
    for number, victim in enumerate(("front", "keeper", "front", "")):
        with service(tmp_path, "--plain") as running:
            if number:
                assert post(running, "http://x/g", body, f"k{number - 1}").status_code in (201, 204)
                found = running.rows("SELECT (COUNT(*) AS ?n) { GRAPH <http://x/g> { ?s ?p ?o } }")
                assert found == [{"n": str(number)}]
            if victim:
                target = running.process.pid if victim == "front" else children(running.process.pid)[0]
                thread = threading.Thread(target=try_to_post, args=(running, body, f"k{number}"))
                thread.start()
                thread.join(0.01 * number)  # another moment each time; whichever it is, the outcome is the same
                os.kill(target, signal.SIGKILL)
                thread.join()
                running.process.wait(20)


def try_to_post(running: Service, body: str, key: str) -> None:
    with suppress(httpx.HTTPError):
        post(running, "http://x/g", body, key)
