"""Clients of every kind at once, each of which knows what it ought to be answered."""

from __future__ import annotations

import http.client
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from bench.chronicle import Chronicle, Write
from bench.ledger import TOKEN, Fault, Large, Ledger, State, Writer, held
from bench.processes import give_way
from bench.servers import LOOPBACK

BASE = "https://motorgraph.example"
CSV, TSV, JSON, NT = "text/csv", "text/tab-separated-values", "application/json", "application/n-triples"
PROBLEM = "application/problem+json"
SECONDS_TO_ANSWER = 90
IDLE_SECONDS = 3.0  # the service closes a connection after five
WHOLE = "SELECT ?s ?p ?o { ?s ?p ?o }"
PLANTS = f"SELECT ?plant {{ ?plant a <{BASE}/ontology/Plant> }} ORDER BY ?plant LIMIT 200"
PAGES = (
    *("/", "/about", "/ontology", "/shapes", "/questions", "/questions/duty", "/explore/plants", "/explore/network"),
    *("/changes", "/docs/tutorial", "/catalogue", "/search?q=geely", "/page/plant/ford-valencia-body-and-assembly"),
    "/page/organization/geely-holding",
)
DOCUMENTS = (
    *("/questions/who-is-in-talks-with-ford", "/questions/do-sources-contradict-each-other", "/questions/highest-eu-duty"),
    *("/questions/which-chinese-makers-build-in-the-eu", "/questions/which-holdings-are-circular"),
    *("/questions/duty?maker=geely-auto&market=EU", "/search?q=valencia", "/search?q=gely+holdng", "/search?q=spain"),
    *("/explore/plants.json", "/explore/deals.json", "/explore/claims.json"),
    f"/reconcile?queries={quote(json.dumps({'q': {'query': 'Geely'}}))}",
)
THINGS = ("plant/ford-valencia-body-and-assembly", "organization/geely-holding", "organization/ford")
ASKED_AGAIN = "ASK { ?plant a <" + BASE + "/ontology/Plant> }"
NAKED_CLAIM = f"<http://x/naked> a <{BASE}/ontology/Claim> ."
BY_THEMSELVES = {"commit", "answered", "took", "seconds", "links"}
"""Members of JSON documents that change though what is told does not."""
MEANT = {"queue-full", "overloaded", "too-many-connections", "deadline-exceeded"}
"""Refusals of a service that has too much to do; they are counted."""
AWAY = {"store-away", "not-ready"}
NAMES_TO_COME = "not-ready"  # also for a while after the store is back, when the index of names is made anew
TALLY, MOST_TALLIED = 7, 400
GIVEN_UP_BYTES = 100_000
FAULTS_TOLD = 20  # as they are met
SLOW_BYTES_A_SECOND = 2_000_000
MOST_SECONDS_TO_TAKE = 25  # the deadline of a query is 30, and the time in which its client takes it counts
_KIND = re.compile(rb"/problem/([a-z-]+)")  # in the JSON of a problem, and in the page that shows it to people
_TAG = re.compile(rb"<[^>]*>")
_HEADING = re.compile(rb"<h1[^>]*>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True)
class Reply:
    """An answer, whole; `began` and `ended` by the monotonic clock."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    began: float
    ended: float

    @property
    def commit(self) -> int:
        """The commit that it is from."""
        return int(self.headers.get("X-Commit", "0"))

    @property
    def words(self) -> bytes:
        """What it says; of a page what people read there."""
        _, main, rest = self.body.partition(b"<main")
        return b" ".join(_TAG.sub(b" ", main + rest).split()) if main else self.body

    @property
    def problem(self) -> str:
        """The kind of refusal that it is, "" if it is none."""
        found = _KIND.search(self.body) if self.status >= HTTPStatus.BAD_REQUEST else None
        return found[1].decode() if found else ""


class Client:
    """One client on one connection, which it opens anew where it has been idle for as long as a service keeps it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS_TO_ANSWER)
        self._used = 0.0

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        self._connection.close()

    def ask(self, path: str, accept: str = "*/*", method: str = "GET", body: str | None = None, **more: str) -> Reply:
        """Asks, and reads the answer whole."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self.close()
        began = time.monotonic()
        headers = {"Accept": accept, **{name.replace("_", "-"): value for name, value in more.items()}}
        self._connection.request(method, path, None if body is None else body.encode(), headers)
        answer = self._connection.getresponse()
        said = answer.read()
        self._used = time.monotonic()
        return Reply(answer.status, answer.headers, said, began, self._used)

    def begun(self, path: str, accept: str) -> http.client.HTTPResponse:
        """An answer of which the client reads what it likes, over a new connection."""
        self.close()
        self._connection.request("GET", path, headers={"Accept": accept})
        self._used = 0.0
        return self._connection.getresponse()


@dataclass
class Scene:
    """What all clients share: the service, what it must hold, what they have met, whether it is over.

    `points` are the moments at which a small query was answered, and its seconds (see points.py). `quiet` has all other clients
    pause, `lulls` are when they did, and `outages` when the store was away, by the monotonic clock; the last of these has no end
    while it is.
    """

    port: int
    chronicle: Chronicle
    over: threading.Event = field(default_factory=threading.Event)
    quiet: threading.Event = field(default_factory=threading.Event)
    refused: int = 0
    outages: list[list[float]] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    lulls: list[tuple[float, float]] = field(default_factory=list)
    knows: dict[str, object] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, words: str) -> None:
        """Something that must not be."""
        with self._lock:
            self.faults.append(words)
            if len(self.faults) <= FAULTS_TOLD:
                print(f"{time.strftime('%H:%M:%S')} FAULT {words}", flush=True)

    def was_away(self, began: float, ended: float) -> bool:
        """Whether the store was away at some time between."""
        return any(start <= ended and (len(times) == 0 or began <= times[0]) for start, *times in self.outages)

    def counts(self, what: str) -> None:
        """Something that was met."""
        with self._lock:
            self.met[what] += 1

    def accepts(self, what: str, reply: Reply, *wanted: int) -> bool:
        """Whether an answer has the status that it ought to have; false if the service may refuse. Raises Fault otherwise."""
        problem = reply.problem
        self.counts(f"{what} {reply.status} {problem}".rstrip())
        if reply.status in wanted:
            return True
        may = MEANT | (AWAY if self.was_away(reply.began, reply.ended) else {NAMES_TO_COME} if self.outages else set())
        if problem in may and reply.headers.get("Retry-After", "").isdigit():
            self.refused += problem in MEANT
            return False
        raise Fault(f"{what} was answered {reply.status} {problem}: {reply.words[:300]!r}")

    def knows_same(self, what: str, found: object) -> None:
        """Raises Fault if what is told differs from what was told first."""
        known = self.knows.setdefault(what, found)
        if known != found:
            raise Fault(f"{what} is told otherwise: {difference(known, found)}")


def query(text: str, **more: object) -> str:
    """The address of a query."""
    return f"/sparql?query={quote(text, safe='')}" + "".join(f"&{name}={value}" for name, value in more.items())


def holding(graphs: Sequence[str], **more: object) -> str:
    """The address of a query for what graphs hold."""
    named = " ".join(f"<{graph}>" for graph in graphs)
    return query(f"SELECT ?g ?p (COUNT(*) AS ?n) {{ VALUES ?g {{ {named} }} GRAPH ?g {{ ?s ?p ?o }} }} GROUP BY ?g ?p", **more)


def essence(value: Any) -> Any:  # Any: plain JSON
    """A document without what changes by itself."""
    if isinstance(value, dict):
        return {name: essence(member) for name, member in value.items() if name not in BY_THEMSELVES}
    return [essence(item) for item in value] if isinstance(value, list) else value


def difference(known: Any, found: Any) -> str:  # Any: as above
    """Where two documents differ first, in words."""
    if isinstance(known, dict) and isinstance(found, dict):
        pairs = [(name, known.get(name), found.get(name)) for name in known.keys() | found.keys()]
    elif isinstance(known, list) and isinstance(found, list) and len(known) == len(found):
        pairs = [(str(place), *pair) for place, pair in enumerate(zip(known, found, strict=True))]
    else:
        return f"{str(found)[:200]} in place of {str(known)[:200]}"
    return next(f"{name} › {difference(one, other)}" for name, one, other in pairs if one != other)


class Reader:
    """Asks for everything that there is to read, and judges what it is told."""

    def __init__(self, scene: Scene, client: Client, chance: random.Random) -> None:
        self._scene = scene
        self._client = client
        self._chance = chance

    def point(self) -> None:
        """What is said of a plant."""
        plants: list[str] = self._scene.knows["plants"]  # type: ignore[assignment]  # what `learn` has put there
        plant = self._chance.choice(plants)
        reply = self._client.ask(query(f"SELECT ?p ?o {{ <{plant}> ?p ?o }}"), CSV)
        if self._current("point query", reply):
            self._scene.knows_same(plant, sorted(reply.body.splitlines()))

    def page(self) -> None:
        """A page for people: whole, with the heading that it had."""
        self.page_at(self._chance.choice(PAGES))

    def page_at(self, path: str) -> None:
        """The same of one address."""
        reply = self._client.ask(path, "text/html")
        if self._scene.accepts("page", reply, HTTPStatus.OK):
            heading = _HEADING.search(reply.body)
            if not reply.body.rstrip().endswith(b"</html>"):
                raise Fault(f"{path} is not whole")
            self._scene.knows_same(f"page {path}", heading[1] if heading else b"")

    def document(self) -> None:
        """An answer to a question, a search, a list, a reconciliation: the same as before."""
        self.document_at(self._chance.choice(DOCUMENTS))

    def document_at(self, path: str) -> None:
        """The same of one address."""
        reply = self._client.ask(path, JSON)
        if self._scene.accepts("document", reply, HTTPStatus.OK):
            self._scene.knows_same(path, essence(json.loads(reply.body)))

    def thing(self) -> None:
        """What is said of a thing, as N-Triples."""
        self.thing_at(self._chance.choice(THINGS))

    def thing_at(self, thing: str) -> None:
        """The same of one thing."""
        reply = self._client.ask(f"/data/{thing}.nt", NT)
        if self._current("thing", reply):
            self._scene.knows_same(f"data {thing}", sorted(reply.body.splitlines()))

    def tool(self) -> None:
        """A tool for language models."""
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search", "arguments": {"text": "Geely"}}}
        more = {"Content_Type": JSON}
        reply = self._client.ask("/mcp", f"{JSON}, text/event-stream", "POST", json.dumps(call), **more)
        if self._scene.accepts("tool", reply, HTTPStatus.OK):
            result = json.loads(reply.body)["result"]
            if not result.get("isError"):
                self._scene.knows_same("tool", essence(result["structuredContent"]))
            elif self._scene.outages or b"stopped after" in reply.body:
                self._scene.counts("tool refused")
            else:
                raise Fault(f"the tool failed: {reply.body[:300]!r}")

    def all_graphs(self) -> None:
        """All that writers have written: of one commit, and whole."""
        self._held("newest")

    def past_graphs(self) -> None:
        """The same as it was at some commit of the last few hundred."""
        newest = self._scene.chronicle.acknowledged
        self._held("at", self._chance.randint(max(self._scene.chronicle.base, newest - 300), newest))

    def unmodified(self) -> None:
        """A query asked twice: the second is a 304 unless there is another commit."""
        first = self._client.ask(query(ASKED_AGAIN), CSV)
        if not self._current("asked again", first):
            return
        tag = first.headers["ETag"]
        second = self._client.ask(query(ASKED_AGAIN), CSV, If_None_Match=tag)
        if self._current("asked again", second, HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            is_same = second.headers["ETag"] == tag
            if is_same != (second.status == HTTPStatus.NOT_MODIFIED):
                raise Fault(f"{tag} was asked again and answered {second.status} with {second.headers['ETag']}")

    def history(self) -> None:
        """The newest commits: one after the other, each with the name that its writer gave it."""
        chronicle = self._scene.chronicle
        after = max(chronicle.base, chronicle.acknowledged - 5)
        reply = self._client.ask(f"/changes?after={after}", JSON)
        if self._scene.accepts("history", reply, HTTPStatus.OK):
            ids = [commit["id"] for commit in json.loads(reply.body)["commits"]]
            if ids != list(range(after + 1, after + 1 + len(ids))):
                raise Fault(f"the commits after {after} are {ids}")

    def feed(self) -> None:
        """The root of the feed, and one of its pages."""
        root = self._client.ask("/feed", "application/n-quads")
        if self._scene.accepts("feed", root, HTTPStatus.OK):
            nodes = re.findall(rb"<https://w3id\.org/tree#node> <http://[^/]*([^>]*)>", root.body)
            if not nodes:
                raise Fault("the feed has no pages")
            page = self._client.ask(self._chance.choice(nodes).decode(), "application/n-quads")
            if (
                self._scene.accepts("feed", page, HTTPStatus.OK)
                and b"tree#member" not in page.body
                and b"tree#node" not in page.body
            ):
                raise Fault("a page of the feed has neither members nor relations")

    def dump(self) -> None:
        """Where the newest dump is."""
        self._scene.accepts("dump", self._client.ask("/dumps/latest"), HTTPStatus.TEMPORARY_REDIRECT)

    def given_up(self) -> None:
        """The whole graph, of which the client takes the beginning and goes."""
        began = time.monotonic()
        answer = self._client.begun(query(WHOLE), TSV)
        self._scene.counts(f"given up {answer.status}")
        answer.read(GIVEN_UP_BYTES)
        self._client.close()
        if answer.status != HTTPStatus.OK and not self._scene.was_away(began, time.monotonic()):
            raise Fault(f"the whole graph was answered {answer.status}")

    def slow(self) -> None:
        """The whole graph, taken slowly."""
        size, started = 0, time.monotonic()
        answer = self._client.begun(query(WHOLE), TSV)
        self._scene.counts(f"slow {answer.status}")
        try:
            while piece := answer.read(1 << 16):
                size += len(piece)
                time.sleep(max(0.0, started + size / SLOW_BYTES_A_SECOND - time.monotonic()))
        except http.client.IncompleteRead:
            if time.monotonic() - started < MOST_SECONDS_TO_TAKE:
                raise
            self._scene.counts("slow broken off at the deadline")
        finally:
            self._client.close()

    def _current(self, what: str, reply: Reply, *wanted: int) -> bool:
        """Whether it was answered. Raises Fault if that is from a commit before one that a writer had been told of."""
        if not self._scene.accepts(what, reply, *(wanted or [HTTPStatus.OK])):
            return False
        known = self._scene.chronicle.acknowledged_at(reply.began)
        if reply.commit < known:
            raise Fault(f"{what} was answered from commit {reply.commit}, when {known} had been acknowledged")
        return True

    def _held(self, how: str, commit: int = 0) -> None:
        graphs = self._scene.chronicle.graphs
        reply = self._client.ask(holding(graphs, **({"at": commit} if commit else {})), CSV)
        if self._scene.accepts(how, reply, HTTPStatus.OK) if commit else self._current(how, reply):
            found = held(reply.body)
            self._scene.chronicle.saw(commit or reply.commit, how, {graph: found.get(graph, set()) for graph in graphs})


class Author:
    """Writes graphs of its own, each write under a name, and looks after each whether it is there."""

    def __init__(self, scene: Scene, client: Client, chance: random.Random, name: str) -> None:
        self._scene = scene
        self._client = client
        self._chance = chance
        self._name = name
        self._number = 0
        self._held: dict[str, State] = {}
        self._changes = Writer(scene.port, name, Ledger(), chance, Large(0.02, 2000))

    def write(self) -> None:
        """One change that ought to be made; now and then sent twice with a key, of which the second must not be made."""
        graph = f"http://crash/{self._name}/{self._chance.randrange(8)}"
        now = self._held.get(graph)
        change = self._tallied(graph) if graph.endswith("/7") else self._changes.change(graph, now)
        method, path, kind, body, then = change
        key = {"Idempotency_Key": f"{self._name}-{self._number}"} if self._chance.random() < 0.1 else {}
        name = self._begun(Write(graph, then))
        try:
            reply = self._send(method, path, kind, body, name, **key)
            is_made = self._scene.accepts(f"write {method}", reply, 200, 201, 204)
        except (OSError, http.client.HTTPException):
            self._find_out(graph, now, then)
            raise
        if not is_made:
            self._refused(reply, name, graph, now, then)
            return
        commit = _commit_of(reply)
        self._scene.chronicle.made(name, commit)
        self._held[graph] = then
        self._look(graph, then, commit)
        if key:
            again = self._send(method, path, kind, body, name, **key)
            if self._scene.accepts("write again", again, 200, 201, 204) and _commit_of(again) != commit:
                raise Fault(f"{name} was sent twice with one key, and made as {commit} and {_commit_of(again)}")

    def broken(self) -> None:
        """A change that must not be made: against the shapes, or no RDF, or no SPARQL, or without a token."""
        graph = f"http://crash/{self._name}/broken"
        path = f"/graphs?graph={quote(graph, safe='')}"
        method, where, kind, body, status = self._chance.choice(
            [
                ("PUT", path, "text/turtle", NAKED_CLAIM, 422),
                ("POST", path, "text/turtle", "<http://x/a> <http://x/b> .", 400),
                ("POST", "/sparql", "application/sparql-update", f"INSERT DATA {{ GRAPH <{graph}> {{ <a:a> <a:b> }}", 400),
                ("PUT", path, "image/png", "<http://x/a> <http://x/b> 1 .", 415),
            ]
        )
        name = self._begun(Write(graph, None))
        reply = self._send(method, where, kind, body, name)
        self._scene.chronicle.refused(name)
        self._scene.accepts("broken write", reply, status)

    def rehearsed(self) -> None:
        """A change that is only tried."""
        graph = f"http://crash/{self._name}/rehearsed"
        name = self._begun(Write(graph, None))
        self._scene.chronicle.refused(name)
        reply = self._send(
            "PUT", f"/graphs?dry-run=true&graph={quote(graph, safe='')}", "text/turtle", "<a:a> <a:b> <a:c> .", name
        )
        self._scene.accepts("rehearsal", reply, 200, 204)

    def _begun(self, write: Write) -> str:
        self._number += 1
        name = f"{self._name}-{self._number}"
        self._scene.chronicle.begin(name, write)
        return name

    def _send(self, method: str, path: str, kind: str, body: str, name: str, **more: str) -> Reply:
        own = {"Authorization": f"Bearer {TOKEN}", "Content_Type": kind, "X_Commit_Message": name}
        return self._client.ask(path, f"{JSON}, {PROBLEM}, */*;q=0.1", method, body, **own, **more)

    def _tallied(self, graph: str) -> tuple[str, str, str, str, State]:
        """A graph that only grows, until it begins anew."""
        _, count = self._held.get(graph) or (TALLY, 0)
        method, first = ("PUT", 0) if count > MOST_TALLIED else ("POST", count)
        more = self._chance.randint(1, 20)
        body = "".join(f"<{graph}#{number}> <http://crash/{TALLY}> {number} .\n" for number in range(first, first + more))
        return method, f"/graphs?graph={quote(graph, safe='')}", "text/turtle", body, (TALLY, first + more)

    def _look(self, graph: str, then: State, commit: int) -> None:
        """Whoever has written reads that."""
        reply = self._client.ask(holding([graph]), CSV)
        if self._scene.accepts("own write", reply, HTTPStatus.OK):
            found = held(reply.body).get(graph) or {None}
            if found != {then} or reply.commit < commit:
                raise Fault(f"{graph} holds {found} at {reply.commit}, after {then} was acknowledged as {commit}")

    def _refused(self, reply: Reply, name: str, graph: str, now: State, then: State) -> None:
        """What became of a write that met a refusal for the moment: not made, or the service cannot tell."""
        if b"went away while" in reply.body:
            self._find_out(graph, now, then)
        else:
            self._scene.chronicle.refused(name)

    def _find_out(self, graph: str, now: State, then: State) -> None:
        """Waits until the service answers, and looks whether the write was made. Raises Fault if the graph is neither."""
        client = Client(self._scene.port)
        self._scene.counts("write in doubt")
        while not self._scene.over.wait(0.2):
            with suppress(OSError, http.client.HTTPException):
                reply = client.ask(holding([graph]), CSV)
                if reply.status == HTTPStatus.OK:
                    (found,) = held(reply.body).get(graph) or {None}
                    if found not in (now, then):
                        raise Fault(f"{graph} holds {found} after a write in doubt, and should hold {now} or {then}")
                    self._held[graph] = found
                    break
        client.close()


def _commit_of(reply: Reply) -> int:
    """The commit that a write became, by its tag."""
    return int(reply.headers["ETag"].strip('"').rpartition("-")[2]) if "ETag" in reply.headers else reply.commit


Acts = Mapping[str, tuple[Callable[[], None], float]]


def readers(scene: Scene, client: Client, chance: random.Random, _: str) -> Acts:
    """What readers do, and the seconds from one to the next in the mean."""
    reader = Reader(scene, client, chance)
    return {
        "point": (reader.point, 0.5),
        "page": (reader.page, 1.0),
        "document": (reader.document, 0.7),
        "thing": (reader.thing, 1.0),
        "tool": (reader.tool, 5.0),
        "all graphs": (reader.all_graphs, 0.7),
        "past graphs": (reader.past_graphs, 5.0),
        "unmodified": (reader.unmodified, 0.5),
        "history": (reader.history, 3.0),
        "feed": (reader.feed, 5.0),
        "dump": (reader.dump, 30.0),
        "given up": (reader.given_up, 4.0),
        "slow": (reader.slow, 20.0),
    }


def authors(scene: Scene, client: Client, chance: random.Random, name: str) -> Acts:
    """What writers do."""
    author = Author(scene, client, chance, name)
    return {"write": (author.write, 2.5), "broken": (author.broken, 6.0), "rehearsed": (author.rehearsed, 15.0)}


def repeat(scene: Scene, what: str, act: Callable[[], None], client: Client, seconds: float) -> None:
    """Does something again and again until it is over, with pauses of so many seconds in the mean; notes what must not be."""
    chance = random.Random(what)
    give_way()
    while not scene.over.wait(chance.uniform(0.5, 1.5) * seconds):
        if scene.quiet.is_set():
            continue
        began = time.monotonic()
        try:
            act()
        except Fault as fault:
            scene.fault(str(fault))
        except (OSError, http.client.HTTPException) as error:
            client.close()
            if scene.was_away(began, time.monotonic()):
                scene.counts(f"{what} broken off")
            else:
                scene.fault(f"{what}: {type(error).__name__} {error}")
