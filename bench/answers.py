"""What each server answers to a query, compared before anything is timed: like is held against like."""

import time
from collections import Counter
from dataclasses import dataclass

import pyoxigraph

from bench.queries import GRAPH_FORM, QUERIES
from bench.servers import N_TRIPLES, RESULTS_JSON, Server, ask

LONGEST_EXCERPT = 300
Content = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Answer:
    """One server's answer: `content` is the multiset of its rows, `count` their number, `size` the body's bytes."""

    server: str
    count: int
    content: Content
    size: int
    seconds: float


def accept(name: str) -> str:
    """The media type that a query is asked for in."""
    return N_TRIPLES if name in GRAPH_FORM else RESULTS_JSON


def answer(server: Server, name: str) -> Answer | str:
    """A server's answer to one of the queries, or in words what it answered instead."""
    started = time.monotonic()
    status, body = ask(server.port, server.path(QUERIES[name]), accept(name))
    seconds = time.monotonic() - started
    if status != 200:
        return f"{server.name} answers {status}: {' '.join(body.decode(errors='replace').split())[:LONGEST_EXCERPT]}"
    try:
        content = _triples(body) if name in GRAPH_FORM else _results(body)
    except SyntaxError as error:
        return f"{server.name} answers what does not parse: {error}"
    return Answer(server.name, content.total(), content, len(body), seconds)


def difference(one: Answer, other: Answer, name: str) -> str | None:
    """In words where two answers differ, None if they do not. With a LIMIT, which rows come is the server's choice."""
    if one.count != other.count:
        return f"{one.server} gives {one.count} rows, {other.server} {other.count}"
    if "LIMIT" not in QUERIES[name] and one.content != other.content:
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
    return Counter(tuple(str(row[column] or "") for column in columns) for row in results)
