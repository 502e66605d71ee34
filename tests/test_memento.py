"""Memento (RFC 7089): a client with nothing but the standard finds how a graph or a thing was at a time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest

from motorgraph.engine import moments
from motorgraph.vocab import CANONICAL_BASE
from tests.running import TOKEN, Service, service, until

GRAPH = f"{CANONICAL_BASE}/graph/counted"
THING = f"{CANONICAL_BASE}/id/thing/one"
LINK = re.compile(r'<([^>]*)>((?:\s*;\s*\w+="[^"]*")*)\s*(?:,|$)')
PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Link:
    """One link of a header or of a TimeMap."""

    target: str
    relations: frozenset[str]
    parameters: dict[str, str]


def links(text: str) -> list[Link]:
    """Links as RFC 8288 has them."""
    found = []
    for target, rest in LINK.findall(text):
        parameters = dict(PARAMETER.findall(rest))
        found.append(Link(target, frozenset(parameters["rel"].split()), parameters))
    return found


def one(found: list[Link], relation: str) -> Link:
    (link,) = [link for link in found if relation in link.relations]
    return link


class Client:
    """A Memento client: it knows the address of a resource, and follows what it is told."""

    def __init__(self, service: Service) -> None:
        self._http = service.client

    def original(self, address: str) -> list[Link]:
        response = self._http.get(address, headers={"Accept": "application/n-triples, application/n-quads;q=0.5"})
        return links(response.headers["Link"])

    def gate(self, address: str, when: datetime | None) -> httpx.Response:
        headers = {"Accept-Datetime": format_datetime(when, usegmt=True)} if when else {}
        return self._http.get(one(self.original(address), "timegate").target, headers=headers)

    def at(self, address: str, when: datetime | None) -> httpx.Response:
        """The memento that the TimeGate chooses."""
        response = self.gate(address, when)
        assert response.status_code == 302, response.text
        assert response.headers["Vary"] == "accept-datetime"
        found = self._http.get(
            response.headers["Location"], headers={"Accept": "application/n-triples, application/n-quads;q=0.5"}
        )
        told = links(found.headers["Link"])
        assert one(told, "original") == one(links(response.headers["Link"]), "original")
        assert {"timegate", "timemap"} < {relation for link in told for relation in link.relations}
        return found

    def map(self, address: str) -> list[Link]:
        response = self._http.get(one(self.original(address), "timemap").target)
        assert response.headers["Content-Type"] == "application/link-format"
        return links(response.text)


@dataclass(frozen=True)
class Past:
    """A service with a past: the commits that set the value of a thing in a graph, and when."""

    service: Service
    commits: tuple[int, ...]
    times: tuple[datetime, ...]
    removed: int


def put(running: Service, graph: str, turtle: str) -> int:
    return int(running.put(graph, turtle).headers["X-Commit"])


def next_second() -> None:
    """Waits until the second is over, so that the times of two commits differ by it."""
    second = int(time.time())
    assert until(lambda: int(time.time()) > second)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with service(tmp_path_factory.mktemp("past"), "--plain") as running:
        put(running, "http://x/before", "<a:b> <a:c> 0 .")
        commits, times = [], []
        for value in (1, 2, 3):
            next_second()
            commits.append(put(running, GRAPH, f"<{THING}> <a:p> {value} . <a:other> <a:q> <{THING}> ."))
            put(running, "http://x/other", f"<a:b> <a:c> {value} .")
            found = running.client.get(f"/changes/{commits[-1]}").json()
            times.append(datetime.fromisoformat(found["time"]))
        next_second()
        removed = int(running.update(f"DROP GRAPH <{GRAPH}>").headers["X-Commit"])
        yield Past(running, tuple(commits), tuple(times), removed)


ADDRESSES = ["/graphs?graph=https%3A%2F%2Fmotorgraph.example%2Fgraph%2Fcounted", "/graph/counted"]


def value_of(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    (found,) = [t.object.value for t in ox.parse(response.content, ox.RdfFormat.N_TRIPLES) if t.predicate.value == "a:p"]  # type: ignore[union-attr]  # a number
    return found


@pytest.fixture
def client(past: Past) -> Client:
    return Client(past.service)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_client_finds_the_state_of_a_time(past: Past, place: int) -> None:
    gate = f"/timegate{ADDRESSES[0]}"
    when = past.times[place].replace(microsecond=0)
    for asked in (when, when + timedelta(milliseconds=400)):
        sent = past.service.client.get(gate, headers={"Accept-Datetime": format_datetime(asked, usegmt=True)})
        memento = past.service.client.get(sent.headers["Location"], headers={"Accept": "application/n-triples"})
        assert value_of(memento) == str(place + 1)
        assert parsedate_to_datetime(memento.headers["Memento-Datetime"]) == when


def test_a_client_that_knows_only_the_standard_goes_through_all_of_it(past: Past, client: Client) -> None:
    whole = client.map("/graphs")
    mementos = [link for link in whole if "memento" in link.relations]
    assert len(mementos) == past.removed
    assert "first" in mementos[0].relations
    assert "last" in mementos[-1].relations
    for link in mementos[:: len(mementos) - 1]:
        found = client.at("/graphs", parsedate_to_datetime(link.parameters["datetime"]))
        assert found.status_code == 200
        assert found.headers["Memento-Datetime"] == link.parameters["datetime"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_timegate_answers_with_the_nearest_that_was_there(past: Past, address: str) -> None:
    def chosen(when: datetime | None) -> str:
        headers = {"Accept-Datetime": format_datetime(when, usegmt=True)} if when else {}
        response = past.service.client.get(f"/timegate{address}", headers=headers)
        assert response.status_code == 302
        return response.headers["Location"].rpartition("at=")[2]

    first, _, last = (str(commit) for commit in past.commits)
    assert chosen(datetime(1999, 12, 31, tzinfo=UTC)) == first
    assert chosen(datetime(2999, 12, 31, tzinfo=UTC)) == last
    assert chosen(None) == last
    assert chosen(past.times[2] - timedelta(seconds=1)) == str(past.commits[1])


def test_a_timegate_links_what_is_around(past: Past) -> None:
    headers = {"Accept-Datetime": format_datetime(past.times[1], usegmt=True)}
    response = past.service.client.get(f"/timegate{ADDRESSES[1]}", headers=headers)
    told = links(response.headers["Link"])
    uri = past.service.url + ADDRESSES[1]
    assert one(told, "original").target == uri
    assert one(told, "timemap").target == past.service.url + "/timemap" + ADDRESSES[1]
    found = {link.target.rpartition("=")[2]: link.relations - {"memento"} for link in told if "memento" in link.relations}
    assert found == {
        str(past.commits[0]): {"first", "prev"},
        str(past.commits[1]): set(),
        str(past.commits[2]): {"last", "next"},
    }


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_timemap_lists_each_commit_that_changed_the_resource_and_no_other(past: Past, address: str) -> None:
    told = links(past.service.client.get(f"/timemap{address}").text)
    assert [link.target for link in told if "memento" in link.relations] == [
        f"{past.service.url}{address}{'&' if '?' in address else '?'}at={commit}" for commit in past.commits
    ]
    self = one(told, "self")
    assert parsedate_to_datetime(self.parameters["from"]) == past.times[0].replace(microsecond=0)
    assert parsedate_to_datetime(self.parameters["until"]) == past.times[2].replace(microsecond=0)
    assert one(told, "timegate").target == f"{past.service.url}/timegate{address}"


@pytest.mark.parametrize(
    "address",
    [
        *("/data/thing/one.ttl", "/data/thing/one.json", "/data/id/thing/one", "/page/thing/one", "/id/thing/one"),
        f"/{CANONICAL_BASE}/id/thing/one",
    ],
)
def test_a_thing_has_a_memento_for_each_commit_that_names_it_while_it_is_there(past: Past, address: str) -> None:
    found = past.service.client.get(f"/timemap{address}", headers={"Accept": "application/json"}).json()
    assert [memento["commit"] for memento in found["mementos"]["list"]] == list(past.commits)
    assert found["mementos"]["first"]["uri"].endswith(f"?at={past.commits[0]}")
    suffix = address.rpartition("one")[2]
    assert past.service.client.get(f"/timegate{address}").headers["Location"].endswith(f"one{suffix}?at={past.commits[2]}")


def test_two_commits_of_one_second_are_two_mementos(plain: Service, graph: str) -> None:
    for attempt in range(5):
        numbers = [put(plain, f"{graph}{attempt}", f"<a:s> <a:p> {value} .") for value in (1, 2)]
        told = links(plain.client.get("/timemap/graphs", params={"graph": f"{graph}{attempt}"}).text)
        mementos = [link for link in told if "memento" in link.relations]
        if mementos[0].parameters["datetime"] == mementos[1].parameters["datetime"]:
            break
    assert mementos[0].parameters["datetime"] == mementos[1].parameters["datetime"]
    answers = [plain.client.get(link.target, headers={"Accept": "application/n-triples"}) for link in mementos]
    assert [value_of(answer) for answer in answers] == ["1", "2"]
    assert answers[0].headers["Memento-Datetime"] == answers[1].headers["Memento-Datetime"]
    gate = plain.client.get(
        "/timegate/graphs",
        params={"graph": f"{graph}{attempt}"},
        headers={"Accept-Datetime": mementos[0].parameters["datetime"]},
    )
    assert gate.headers["Location"].endswith(f"at={numbers[1]}")


def test_a_memento_is_frozen_and_what_is_now_is_none(past: Past) -> None:
    address = ADDRESSES[1]
    memento = past.service.client.get(f"{address}?at={past.commits[0]}")
    assert "immutable" in memento.headers["Cache-Control"]
    assert parsedate_to_datetime(memento.headers["Memento-Datetime"]) == past.times[0].replace(microsecond=0)
    now = past.service.client.get("/graphs")
    assert "Memento-Datetime" not in now.headers
    assert {relation for link in links(now.headers["Link"]) for relation in link.relations} == {"timegate", "timemap"}
    assert past.service.client.get(f"{address}?at={past.removed}").status_code == 404


def test_an_answer_that_was_not_changed_is_still_a_memento(past: Past) -> None:
    first = past.service.client.get("/graphs?at=1")
    again = past.service.client.get("/graphs?at=1", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["Memento-Datetime"] == first.headers["Memento-Datetime"]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/timegate/ready", 404, "has no past"),
        ("/timemap/", 404, "has no past"),
        ("/timegate/graph/never", 404, "No commit has anything"),
        ("/timemap/id/thing/never", 404, "No commit has anything"),
        ("/timemap/7/graphs", 404, "There is no page 7"),
        ("/timegate/graphs?graph=relative", 400, "no absolute IRI"),
    ],
)
def test_what_has_no_past_is_refused_in_words(past: Past, address: str, status: int, words: str) -> None:
    response = past.service.client.get(address)
    assert response.status_code == status
    assert words in response.json()["detail"]


@pytest.mark.parametrize(
    "said", ["yesterday", "2026-11-22T18:00:00Z", "Sun, 22 Nov 2026 18:00:00 +0100", "Sun, 32 Nov 2026 18:00:00 GMT"]
)
def test_a_time_that_cannot_be_read_is_refused(plain: Service, said: str) -> None:
    response = plain.client.get("/timegate/graphs", headers={"Accept-Datetime": said})
    assert response.status_code == 400
    assert "Accept-Datetime" in response.json()["detail"]


def test_a_timemap_is_kept_until_the_next_commit(plain: Service, graph: str) -> None:
    put(plain, graph, "<a:s> <a:p> 1 .")
    params = {"graph": graph}
    tag = plain.client.get("/timemap/graphs", params=params).headers["ETag"]
    assert plain.client.get("/timemap/graphs", params=params, headers={"If-None-Match": tag}).status_code == 304
    put(plain, graph, "<a:s> <a:p> 2 .")
    assert plain.client.get("/timemap/graphs", params=params, headers={"If-None-Match": tag}).status_code == 200
    assert plain.client.get("/timemap/graphs", params=params, headers={"Accept": "text/turtle"}).status_code == 406


def test_a_service_without_a_journal_has_one_memento(read_only: Service) -> None:
    address = "/graphs?graph=http://x/g"
    sent = read_only.client.get(f"/timegate{address}", headers={"Accept-Datetime": "Sat, 01 Jan 2000 00:00:00 GMT"})
    assert sent.headers["Location"] == f"{read_only.url}{address}&at=1"
    memento = read_only.client.get(sent.headers["Location"])
    assert memento.content == read_only.client.get(address).content
    assert "Memento-Datetime" in memento.headers
    assert one(links(read_only.client.get(f"/timemap{address}").text), "memento").relations == {"first", "last", "memento"}
    assert read_only.client.get("/timemap/graphs?graph=http://x/none").status_code == 404


def test_a_graph_is_read_and_written_at_its_own_address(plain: Service) -> None:
    address, iri = "/graph/direct/one", f"{CANONICAL_BASE}/graph/direct/one"
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
    assert plain.client.put(address, content="<a:s> <a:p> 1 .", headers=headers).status_code == 201
    by_name = plain.client.get("/graphs", params={"graph": iri}, headers={"Accept": "application/n-triples"})
    assert plain.client.get(address, headers={"Accept": "application/n-triples"}).content == by_name.content
    assert plain.client.delete(address, headers=headers).status_code == 204
    assert plain.client.get(address).status_code == 404


def test_a_time_map_of_thousands_comes_in_pages() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = [(n + 1, (start + timedelta(seconds=n)).isoformat(timespec="microseconds")) for n in range(2500)]
    last = moments.told(found, {})
    assert last["moments"] == found[2000:]
    assert [len(range(first[0], last[0] + 1)) for first, last in last["pages"]] == [1000, 1000, 500]
    assert moments.told(found, {"page": 2})["moments"] == found[1000:2000]
    assert moments.told(found, {"page": 4})["moments"] == []
    assert moments.told(found, {"time": found[1200][1]})["at"] == found[1200]
    assert moments.told([], {"page": 1}) == {"count": 0}


def test_a_query_is_asked_of_a_time(past: Past) -> None:
    address = "/sparql?query=" + quote(f"SELECT ?o {{ GRAPH <{GRAPH}> {{ ?s <a:p> ?o }} }}")
    headers = {"Accept-Datetime": format_datetime(past.times[1], usegmt=True)}
    sent = past.service.client.get(f"/timegate{address}", headers=headers)
    memento = past.service.client.get(sent.headers["Location"], headers={"Accept": "text/csv"})
    assert memento.text == "o\r\n2\r\n"
    assert "Memento-Datetime" in memento.headers
    assert one(links(memento.headers["Link"]), "original").target == past.service.url + address
    assert "Link" not in past.service.client.get(address).headers


@pytest.mark.parametrize("address", ["/id/thing/one", "/data/thing/one.nt"])
def test_a_thing_is_found_as_it_was_through_its_redirects(past: Past, address: str) -> None:
    headers = {"Accept-Datetime": format_datetime(past.times[0], usegmt=True), "Accept": "application/n-triples"}
    sent = past.service.client.get(f"/timegate{address}", headers=headers)
    memento = past.service.client.get(
        sent.headers["Location"], headers={"Accept": "application/n-triples"}, follow_redirects=True
    )
    assert value_of(memento) == "1"
    assert parsedate_to_datetime(memento.headers["Memento-Datetime"]) == past.times[0].replace(microsecond=0)
    assert past.service.client.get(address, headers={"Accept": "application/n-triples"}).status_code == 410
