"""A draft: a process forked for one write, which rehearses it on its own copy of the graph and writes down what is to be done.

The keeper repeats what the draft wrote down, on the same graph and so with the same outcome: what crashes, runs too long,
takes too much memory or breaks the shapes does so in the draft. A change is a list of steps.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from email.parser import BytesParser
from email.policy import HTTP
from socket import socket
from typing import IO

import pyoxigraph as ox

from motorgraph.engine import process, wire
from motorgraph.engine.loading import merge
from motorgraph.engine.reader import Outlet, refused
from motorgraph.engine.wire import Job, Kind
from motorgraph.errors import BadSyntax, Forbidden, Nonconforming, NotFound, UnsupportedMediaType
from motorgraph.media import READABLE, by_suffix, listing, readable

NQUADS = ox.RdfFormat.N_QUADS
FIRST_VIOLATIONS = 50


class Steps:
    """What a draft decides on, written to its spool: for each step a JSON line, followed by its N-Quads if it has any."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool

    def note(self, step: str, value: str = "", data: bytes = b"") -> None:
        """Adds a step: `update` with its text and base, `drop` with a graph, `add` with a graph and N-Quads, `merge`."""
        self._spool.write(json.dumps({"step": step, "value": value, "bytes": len(data)}).encode() + b"\n" + data)


def run(sock: socket, store: ox.Store, spool: IO[bytes]) -> None:
    """Rehearses the one job that comes over `sock`; answers END, or FAILED with nothing to be done."""
    received, body = wire.receive_frame(sock), wire.receive_frame(sock)
    if received is None or body is None:
        return
    job, seconds = wire.decode_job(received[1])
    signal.setitimer(signal.ITIMER_REAL, seconds)
    if job.shapes:
        from motorgraph import gate  # noqa: F401  # only here, and before no more files may be opened
    process.open_no_more()
    outlet = Outlet(sock, job)
    with refused(outlet, "The change"):
        created = _rehearse(job, body[1], store, spool)
        sock.sendall(wire.message(Kind.END, created=created))


def _rehearse(job: Job, body: bytes, store: ox.Store, spool: IO[bytes]) -> bool:
    """Decides on the steps, does them here, judges the outcome. True if the change makes a graph."""
    created = TASKS[job.task](job, body, store, Steps(spool))
    before = _size_of_default(store) if job.union else 0
    apply(spool, store)
    if job.union:
        if _size_of_default(store) != before or store.query("ASK { ?s ?p ?o FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } } }"):
            raise Forbidden(
                "The default graph here is the merge of all graphs, so it cannot be changed itself. "
                "Name the graph: GRAPH <…> { … } in the data, or WITH <…>."
            )
        merge(store)
        Steps(spool).note("merge")
    if job.shapes:
        _judge(job, store)
    spool.flush()
    return created


def _size_of_default(store: ox.Store) -> int:
    (row,) = store.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")  # type: ignore[misc]  # a SELECT gives rows
    return int(row["n"].value)


def _judge(job: Job, store: ox.Store) -> None:
    from motorgraph import gate

    report = gate.validate_store(store, job.shapes)
    if not report.conforms:
        count = len(report.violations)
        raise Nonconforming(
            f"The graph would have {count} violation{'s' if count > 1 else ''} of its shapes; nothing was changed. "
            f"The first: {report.violations[0]}",
            **gate.Report(report.results[:FIRST_VIOLATIONS]).as_json(),
        )


def _update(job: Job, body: bytes, store: ox.Store, steps: Steps) -> bool:
    steps.note("update", json.dumps([job.text, job.base]))
    return False


def _put(job: Job, body: bytes, store: ox.Store, steps: Steps) -> bool:
    """Replaces the graph by the body (Graph Store Protocol §5.3); true if the graph is new."""
    quads = _quads(job, body)
    steps.note("drop", job.graph or "")
    steps.note("add", job.graph or "", quads)
    return not _exists(job, store)


def _post(job: Job, body: bytes, store: ox.Store, steps: Steps) -> bool:
    """Merges the body into the graph (§5.5); true if the graph is new."""
    steps.note("add", job.graph or "", _quads(job, body))
    return not _exists(job, store)


def _delete(job: Job, body: bytes, store: ox.Store, steps: Steps) -> bool:
    """Drops the graph (§5.4). Raises NotFound if there is none."""
    if not _exists(job, store):
        raise NotFound(f"There is no graph <{job.graph}>, so it cannot be deleted.")
    steps.note("drop", job.graph or "")
    return False


TASKS: dict[str, Callable[[Job, bytes, ox.Store, Steps], bool]] = {
    "update": _update,
    "put": _put,
    "post": _post,
    "delete": _delete,
}


def _exists(job: Job, store: ox.Store) -> bool:
    return not job.graph or store.contains_named_graph(ox.NamedNode(job.graph))


def _quads(job: Job, body: bytes) -> bytes:
    """The body's triples as N-Quads in the job's graph; blank nodes are renamed, so that they can only be new (RDF merge)."""
    name = ox.NamedNode(job.graph) if job.graph else ox.DefaultGraph()
    triples = (triple for media_type, document in _documents(job, body) for triple in _parsed(job, media_type, document))
    made = ox.serialize((ox.Quad(t.subject, t.predicate, t.object, name) for t in triples), format=NQUADS)
    assert made is not None  # bytes, since no output was given
    return made


def _documents(job: Job, body: bytes) -> Iterator[tuple[str, bytes]]:
    """The one document of the body, or the several of a multipart form, each with its media type."""
    if not job.content_type.lower().startswith("multipart/"):
        yield job.content_type, body
        return
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + job.content_type.encode() + b"\r\n\r\n" + body)
    for part in message.walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            named = by_suffix(part.get_filename() or "")
            media_type = part.get_content_type() if readable(part.get_content_type()) or not named else named.media_type
            yield media_type, content if isinstance(content, bytes) else b""


def _parsed(job: Job, media_type: str, document: bytes) -> Iterator[ox.Quad]:
    form = readable(media_type)
    if form is None:
        raise UnsupportedMediaType(f"{media_type} is not read; send {listing(READABLE)}.")
    parsed = ox.parse(
        document,
        ox.RdfFormat.from_media_type(form.media_type),
        base_iri=job.base or None,
        without_named_graphs=True,
        rename_blank_nodes=True,
    )
    try:
        yield from parsed
    except SyntaxError as error:
        raise BadSyntax(f"The {form.name} does not parse: {error}.", line=error.lineno, column=error.offset) from error


def apply(spool: IO[bytes], store: ox.Store) -> None:
    """Does the steps of a spool to the graph."""
    spool.seek(0)
    while line := spool.readline():
        step = json.loads(line)
        data = spool.read(step["bytes"])
        _APPLY[step["step"]](store, step["value"], data)


def _apply_update(store: ox.Store, value: str, data: bytes) -> None:
    text, base = json.loads(value)
    store.update(text, base_iri=base or None)


def _apply_drop(store: ox.Store, graph: str, data: bytes) -> None:
    store.remove_graph(ox.NamedNode(graph) if graph else ox.DefaultGraph())


def _apply_add(store: ox.Store, graph: str, data: bytes) -> None:
    if graph:
        store.add_graph(ox.NamedNode(graph))
    store.load(data, NQUADS)


def _apply_merge(store: ox.Store, value: str, data: bytes) -> None:
    merge(store)


_APPLY: dict[str, Callable[[ox.Store, str, bytes], None]] = {
    "update": _apply_update,
    "drop": _apply_drop,
    "add": _apply_add,
    "merge": _apply_merge,
}
