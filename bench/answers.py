"""What each server answers to a query, compared before anything is timed: like is held against like."""

import http.client
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyoxigraph

from bench.queries import Query
from bench.servers import Server, ask

LONGEST_EXCERPT = 300
SECONDS_TO_ANSWER = 120
# The first answer may find nothing in memory; one that takes longer than this is not asked for again to see.
LONGEST_ASKED_AGAIN = 3
TRUTH_OF_VIRTUOSO = "__ASK_RETVAL"
TRUTHS = {"1": "True", "0": "False"}
Content = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Answer:
    """One server's answer: `content` is the multiset of its rows, `count` their number, `size` the body's bytes."""

    server: str
    count: int
    content: Content
    size: int
    seconds: float


def checked(servers: Sequence[Server], query: Query) -> tuple[dict[str, Answer], dict[str, str]]:
    """The answers that are the same by server, and by server in words why its answer is not among them.

    What most of the servers say is what is right; of as many on two sides the side that has the earlier server.
    """
    found = {server.name: answer(server, query) for server in servers}
    faults = {name: said for name, said in found.items() if isinstance(said, str)}
    answers = {name: said for name, said in found.items() if isinstance(said, Answer)}
    alike = {name: [other for other in answers.values() if not difference(one, other, query)] for name, one in answers.items()}
    for name in answers:
        right = max(alike.values(), key=len)[0]
        if wrong := difference(right, answers[name], query):
            faults[name] = wrong
    return {name: said for name, said in answers.items() if name not in faults}, faults


def answer(server: Server, query: Query) -> Answer | str:
    """A server's answer to a query, or in words what it answered instead; `seconds` are the fewer of two tries."""
    first = _answer(server, query)
    if isinstance(first, str) or first.seconds > LONGEST_ASKED_AGAIN:
        return first
    second = _answer(server, query)
    return second if isinstance(second, str) else replace(second, seconds=min(first.seconds, second.seconds))


def _answer(server: Server, query: Query) -> Answer | str:
    started = time.monotonic()
    try:
        status, body = ask(server.port, server.path(query.text), query.accept, timeout=SECONDS_TO_ANSWER)
    except TimeoutError:
        return f"{server.name} does not answer in {SECONDS_TO_ANSWER} s"
    except (OSError, http.client.HTTPException) as error:
        return f"{server.name} breaks off: {type(error).__name__}"
    seconds = time.monotonic() - started
    if status != 200:
        return f"{server.name} answers {status}: {' '.join(body.decode(errors='replace').split())[:LONGEST_EXCERPT]}"
    try:
        content = _triples(body) if query.is_graph else _results(body)
    except (SyntaxError, ValueError) as error:
        return f"{server.name} answers what does not parse: {error}"
    return Answer(server.name, content.total(), content, len(body), seconds)


def difference(one: Answer, other: Answer, query: Query) -> str | None:
    """In words where two answers differ, None if they do not. With a LIMIT, which rows come is the server's choice."""
    if one.count != other.count:
        return f"{one.server} gives {one.count} rows, {other.server} {other.count}"
    if not query.is_cut and one.content != other.content:
        row = next(iter((one.content - other.content) or (other.content - one.content)))
        return f"{one.server} and {other.server} differ in the row {row}"
    return None


def _triples(body: bytes) -> Content:
    quads = pyoxigraph.parse(body, format=pyoxigraph.RdfFormat.N_TRIPLES)
    return Counter((str(quad.subject), str(quad.predicate), str(quad.object)) for quad in quads)


def _results(body: bytes) -> Content:
    results = pyoxigraph.parse_query_results(body, format=pyoxigraph.QueryResultsFormat.JSON)
    if isinstance(results, pyoxigraph.QueryBoolean):
        return Counter([(str(bool(results)),)])
    columns = [*results.variables]
    if [column.value for column in columns] == [TRUTH_OF_VIRTUOSO]:  # it has no other JSON for an ASK
        return Counter((TRUTHS[row[0].value],) for row in results)
    return Counter(tuple(str(row[column] or "") for column in columns) for row in results)
