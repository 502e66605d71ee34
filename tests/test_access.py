"""Who may do what, over HTTP: scopes, challenges, the author in the journal, protected reads, and the limit of wrong tokens."""

from __future__ import annotations

import asyncio
import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from motorgraph.attempts import MOST_WRONG
from motorgraph.bearer import Bearer, Scope
from tests.running import Service, service
from tests.test_cli import run

SCOPES = {"reader": Scope.READ, "writer": Scope.WRITE, "root": Scope.ADMIN}
TOKENS = {name: f"the-token-of-{name}" for name in SCOPES}
ENTRIES = [Bearer.holding(name, scope, TOKENS[name]).entry for name, scope in SCOPES.items()]
FLAGS = [flag for entry in ENTRIES for flag in ("--tokens", entry)]
INSERT = "INSERT DATA {{ GRAPH <http://x/{0}> {{ <http://x/s> <http://x/p> 1 }} }}"
CHALLENGE = 'Bearer realm="motorgraph"'
INVALID = CHALLENGE + ', error="invalid_token"'
PAGES = (
    "/",
    "/questions",
    "/licence",
    "/metrics",
    "/openapi.json",
    "/robots.txt",
    "/sparql",
    "/graphs",
    "/graphs?default",
    "/no",
)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service whose tokens stand in a file."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "tokens.txt").write_text("# the team\n" + "\n".join(ENTRIES))
    with service(folder, "--plain", "--tokens", f"@{folder / 'tokens.txt'}", token="the-shorthand") as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A plain service whose reads are protected."""
    with service(tmp_path_factory.mktemp("closed"), "--plain", "--protect-reads", *FLAGS, token=None) as running:
        yield running


def bearing(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS.get(name, name)}"}


def update(running: Service, text: str, name: str) -> httpx.Response:
    return running.client.post("/sparql", data={"update": text}, headers=bearing(name))


def from_elsewhere(running: Service, host: str, path: str, name: str) -> tuple[int, str | None]:
    """Status and Retry-After of a GET that comes from another loopback address, so that its failures are its own."""
    where = urlsplit(running.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20, source_address=(host, 0))
    connection.request("GET", path, headers=bearing(name) if name else {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("Retry-After")


# Scopes


@pytest.mark.parametrize(("name", "status"), [("reader", 403), ("writer", 204), ("root", 204), ("the-shorthand", 204)])
def test_a_change_needs_the_scope_write(team: Service, name: str, status: int) -> None:
    assert update(team, INSERT.format(name), name).status_code == status
    told = team.client.put(
        "/graphs",
        params={"graph": f"http://x/put/{name}"},
        content="<http://x/s> <http://x/p> 2 .",
        headers={**bearing(name), "Content-Type": "text/turtle"},
    )
    assert told.status_code == (201 if status == 204 else status)
    gone = team.client.delete("/graphs", params={"graph": f"http://x/put/{name}"}, headers=bearing(name))
    assert gone.status_code == status


def test_a_scope_that_is_not_enough_is_named(team: Service) -> None:
    response = update(team, INSERT.format("a"), "reader")
    assert response.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="write"'
    told = response.json()
    assert (told["status"], told["scope"]) == (403, "write")
    assert told["type"].endswith("/insufficient-scope")
    assert "reader" in told["detail"]


@pytest.mark.parametrize("text", ["CLEAR ALL", "drop silent all", "CLEAR NAMED", INSERT.format("a") + " ; DROP NAMED"])
def test_only_an_admin_clears_or_drops_everything_at_once(team: Service, text: str) -> None:
    assert update(team, INSERT.format("keep"), "writer").is_success
    response = update(team, text, "writer")
    assert response.status_code == 403
    assert response.json()["scope"] == "admin"
    assert response.headers["WWW-Authenticate"] == f'{CHALLENGE}, error="insufficient_scope", scope="admin"'
    assert team.query("ASK { GRAPH <http://x/keep> { ?s ?p ?o } }").json()["boolean"] is True
    assert update(team, text, "root").is_success
    assert team.query("ASK { GRAPH <http://x/keep> { ?s ?p ?o } }").json()["boolean"] is False


def test_a_writer_clears_single_graphs(team: Service) -> None:
    assert update(team, INSERT.format("single"), "writer").is_success
    assert update(team, "CLEAR GRAPH <http://x/single> ; DROP GRAPH <http://x/single>", "writer").is_success


def test_reads_are_open_and_say_nothing_of_tokens(team: Service) -> None:
    for headers in ({}, bearing("reader"), bearing("nonsense")):
        response = team.query("ASK {}", **headers)
        assert response.status_code == 200
        assert "authorization" not in response.headers["Vary"].lower()
        assert "private" not in response.headers["Cache-Control"]


def test_the_name_of_the_bearer_is_the_author_of_the_commit(team: Service) -> None:
    for name in ("writer", "root", "the-shorthand"):
        assert update(team, INSERT.format(f"by/{name}"), name).is_success
    told = run("log", "--plain", "--limit", "3", "--data-dir", team.log.parent / "data")
    assert [
        next(word for word in ("writer", "root", "write token") if f"  {word}  " in line) for line in told.splitlines()[1:]
    ] == [
        "write token",
        "root",
        "writer",
    ]


def test_tokens_that_are_only_for_reads_leave_the_service_read_only(tmp_path: Path) -> None:
    with service(tmp_path, "--plain", *FLAGS[:2], token=None) as running:
        response = update(running, INSERT.format("a"), "reader")
        assert response.status_code == 403
        assert "tokens, write_token" in response.json()["detail"]
        assert not (tmp_path / "data" / "plain" / "journal.db").exists()


# Challenges


@pytest.mark.parametrize("header", [None, "Basic dXNlcjpwYXNz", "Bearer", "the-token-of-writer"])
def test_a_request_that_brings_no_token_is_challenged_without_an_error(team: Service, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = team.client.post("/sparql", data={"update": INSERT.format("a")}, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == CHALLENGE


def test_a_wrong_token_is_challenged_as_invalid(team: Service) -> None:
    response = update(team, INSERT.format("a"), "nonsense")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == INVALID
    assert response.json()["type"].endswith("/invalid-token")
    assert "WWW-Authenticate" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("header", ["bearer {}", "BEARER {}", "Bearer   {}"])
def test_the_scheme_is_read_in_any_case(team: Service, header: str) -> None:
    headers = {"Authorization": header.format(TOKENS["writer"])}
    assert team.client.post("/sparql", data={"update": INSERT.format("case")}, headers=headers).is_success


# Protected reads


@pytest.mark.parametrize("path", PAGES)
def test_every_address_needs_a_token_where_reads_are_protected(closed: Service, path: str) -> None:
    response = closed.client.get(path)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == CHALLENGE
    allowed = closed.client.get(path, headers=bearing("reader"))
    assert allowed.status_code == (404 if path == "/no" else 200)
    for each in (response, allowed):
        assert "Authorization" in each.headers["Vary"].split(", ")
        assert "private" in each.headers["Cache-Control"].split(", ")


@pytest.mark.parametrize("method", ["HEAD", "POST", "QUERY", "PUT", "DELETE", "PATCH"])
def test_every_method_needs_a_token_but_options(closed: Service, method: str) -> None:
    assert closed.client.request(method, "/sparql").status_code == 401
    assert closed.client.request(method, "/graphs").status_code == 401
    assert closed.client.options("/sparql").status_code == 204


@pytest.mark.parametrize("path", ["/health", "/ready", "/static/style.css", "/reconcile", "/reconcile/v1/"])
def test_what_tells_nothing_stays_open(closed: Service, path: str) -> None:
    response = closed.client.get(path)
    assert response.status_code == 200
    assert "Authorization" not in response.headers.get("Vary", "")


@pytest.mark.parametrize(
    "path", ["/reconcile?queries={}", "/reconcile?", "/reconcile?x", "/reconcile/suggest/type", "/reconcile/view"]
)
def test_of_reconciliation_the_manifests_alone_are_open(closed: Service, path: str) -> None:
    assert closed.client.get("/reconcile").json()["authentication"] == {"type": "http", "scheme": "bearer"}
    assert closed.client.get(path).status_code == (200 if path == "/reconcile?" else 401)
    assert closed.client.post("/reconcile").status_code == 401


@pytest.mark.parametrize(
    "path", ["/static/../metrics", "/static/%2e%2e/metrics", "//metrics", "/health/../metrics", "/health%2f..%2fmetrics"]
)
def test_no_way_leads_round_the_protection(closed: Service, path: str) -> None:
    where = urlsplit(closed.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status in (401, 404)
    assert b"motorgraph_requests" not in response.read()
    connection.close()


@pytest.mark.parametrize("name", list(SCOPES))
def test_each_scope_reads_by_the_short_way(closed: Service, name: str) -> None:
    response = closed.query("SELECT (1 AS ?one) {}", **bearing(name))
    assert response.json()["results"]["bindings"][0]["one"]["value"] == "1"
    assert "Authorization" in response.headers["Vary"].split(", ")
    assert "private" in response.headers["Cache-Control"].split(", ")


def test_the_short_way_is_shut_without_a_right_token(closed: Service) -> None:
    assert closed.query("ASK {}").headers["WWW-Authenticate"] == CHALLENGE
    assert closed.query("ASK {}", **bearing("nonsense")).headers["WWW-Authenticate"] == INVALID


def test_a_known_tag_gives_nobody_an_answer(closed: Service) -> None:
    known = closed.query("ASK {}", **bearing("reader")).headers["ETag"]
    assert closed.query("ASK {}", **{"If-None-Match": known}).status_code == 401
    assert closed.query("ASK {}", **bearing("reader"), **{"If-None-Match": known}).status_code == 304


def test_requests_sent_together_are_each_asked_for_a_token(closed: Service) -> None:
    """The second of two that come at once takes another way through the server than the first."""

    async def statuses() -> list[bytes]:
        where = urlsplit(closed.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        path = "/sparql?" + urlencode({"query": "ASK {}"})
        heads = [f"Authorization: {bearing('reader')['Authorization']}\r\n", "", "Connection: close\r\n"]
        writer.write("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n" for head in heads).encode())
        said = await reader.read()
        writer.close()
        return re.findall(rb"HTTP/1.1 (\d+)", said)

    assert asyncio.run(statuses()) == [b"200", b"401", b"401"]


def test_the_commands_send_the_token_of_the_environment(closed: Service) -> None:
    endpoint, store = f"{closed.url}/sparql", f"{closed.url}/graphs"
    assert "401" in run("query", "ASK {}", "--url", endpoint, status=1)
    assert "true" in run("query", "ASK {}", "--url", endpoint, MOTORGRAPH_TOKEN=TOKENS["reader"])
    assert "true" in run("query", "ASK {}", "--url", endpoint, "--token", TOKENS["reader"])
    assert "401" in run("dump", "--url", store, status=1)
    run("dump", "--url", store, "--token", TOKENS["reader"])


def test_the_description_as_openapi_says_that_reads_need_a_token(closed: Service) -> None:
    assert closed.client.get("/openapi.json", headers=bearing("reader")).json()["security"] == [{"token": []}]


# The limit


def test_wrong_tokens_from_one_address_are_refused_for_a_while_and_known_bearers_go_on(closed: Service) -> None:
    path = "/sparql?" + urlencode({"query": "ASK {}"})

    def ask(name: str, host: str = "127.0.0.77") -> tuple[int, str | None]:
        return from_elsewhere(closed, host, path, name)

    assert ask("reader") == (200, None)
    assert [ask(f"wrong{n}")[0] for n in range(MOST_WRONG)] == [401] * MOST_WRONG
    for name in ("wrong", "writer"):
        status, retry_after = ask(name)
        assert status == 429
        assert retry_after is not None
        assert 1 <= int(retry_after) <= 60
    assert ask("reader") == (200, None)
    assert ask("")[0] == 401
    assert ask("writer", "127.0.0.78") == (200, None)
    assert from_elsewhere(closed, "127.0.0.77", "/health", "wrong")[0] == 200
    log = closed.log.read_text()
    assert log.count("too many wrong tokens") == 1
    assert "127.0.0.77" in log
    assert "wrong0" not in log


def test_a_refusal_for_too_many_attempts_is_a_problem_that_says_when(closed: Service) -> None:
    host = "127.0.0.79"
    transport = httpx.HTTPTransport(local_address=host)
    with httpx.Client(base_url=closed.url, transport=transport) as client:
        for _ in range(MOST_WRONG):
            client.get("/", headers=bearing("nonsense"))
        response = client.get("/", headers=bearing("nonsense"))
    assert response.status_code == 429
    told = response.json()
    assert told["type"].endswith("/too-many-attempts")
    assert str(told["retry_after"]) == response.headers["Retry-After"]
