"""A draft: a process forked for one write, which makes it on its own copy of the graph and writes down what it did.

The keeper repeats what stands there: graphs made and dropped, quads removed and added, never a client's text. So whatever
crashes, runs too long, takes too much memory or breaks the shapes does so in the draft, and what is stored is what was judged.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from socket import socket
from typing import IO, TYPE_CHECKING

import pyoxigraph as ox

from motorgraph.engine import process, wire
from motorgraph.engine.delta import NQUADS, Delta, Quads
from motorgraph.engine.guard import refuse_unfit
from motorgraph.engine.loading import follow
from motorgraph.engine.reader import Alarm, Outlet, bad_query, refused
from motorgraph.engine.wire import Job
from motorgraph.errors import (
    BadRequest,
    BadSyntax,
    Failed,
    Forbidden,
    Nonconforming,
    NotFound,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
)
from motorgraph.inference import Rule, filled, rebuild
from motorgraph.media import READABLE, by_suffix, listing, readable
from motorgraph.query import Dataset, Update, as_insertions, refuse_hosts, with_using

if TYPE_CHECKING:
    from motorgraph.change import Shapes

FIRST_VIOLATIONS = 50


def run(sock: socket, store: ox.Store, spool: IO[bytes], rules: Sequence[Rule] = (), shapes: Shapes | None = None) -> None:
    """Rehearses the one job that comes over `sock`; answers END, or FAILED with nothing to be done; stays until it is closed.

    What follows from the change by the rules is part of what it does. With `shapes`, parsed before the fork, only the focus nodes
    that it can affect are judged.
    """
    frames = wire.received(sock)
    job, seconds = wire.decode_job(next(frames)[1])
    alarm = Alarm()
    alarm.after(seconds)
    body = wire.body_of(frames)
    outlet = Outlet(sock, job)
    with refused(outlet, "The change"):
        created = _rehearse(job, body, store, spool, (rules, shapes))
        alarm.off()  # from here on the keeper is at work
        sock.sendall(wire.end(created=created))
    for _ in frames:
        pass  # the keeper reads the spool while the front holds this end open


def _rehearse(job: Job, body: bytes, store: ox.Store, spool: IO[bytes], known: tuple[Sequence[Rule], Shapes | None]) -> bool:
    """Makes the change here, judges the outcome, writes the delta down. True if the change makes a graph."""
    rules, shapes = known
    if job.must_exist and not _exists(job, store):
        raise PreconditionFailed(f"If-Match: * asks for a graph that is there, and <{job.graph}> is not.")
    with process.opening_at_most(0):
        delta, created = TASKS[job.task](job, body, store)
    _refuse_made_graphs(delta, job, rules)
    refuse_unfit(delta, job)
    derived, report = Delta(), {}
    if not delta.is_empty:
        if job.union:
            follow(store, delta.removed, delta.added)
        derived = _derived(store, rules, union=job.union)
    if job.shapes and not delta.is_empty:
        whole = Delta(removed=delta.removed | derived.removed, added=delta.added | derived.added)
        report = _judge(job, store, whole, shapes)
    delta.write(spool, job, report, derived)
    return created


def _refuse_made_graphs(delta: Delta, job: Job, rules: Sequence[Rule]) -> None:
    """Raises Forbidden for a change of a graph that is made from the others."""
    if job.union and delta.touches_default:
        raise Forbidden(
            "The default graph here is the merge of all graphs, so it cannot be changed itself. "
            "Name the graph: GRAPH <…> { … } in the data, or WITH <…>."
        )
    for graph in {rule.graph for rule in rules}:
        name = ox.NamedNode(graph)
        if graph in delta.made | delta.dropped or any(quad.graph_name == name for quad in (*delta.removed, *delta.added)):
            raise Forbidden(
                f"<{graph}> is inferred from the other graphs, so it cannot be changed itself. Change what it follows from."
            )


def _derived(store: ox.Store, rules: Sequence[Rule], *, union: bool) -> Delta:
    """Makes the graphs of the rules say what follows now; what that has changed."""
    if not rules:
        return Delta()
    before, now = filled(store, rules), rebuild(store, rules)
    delta = _made(Delta(removed=before - now, added=now - before), store)
    if union:
        follow(store, delta.removed, delta.added)
    return delta


def _judge(job: Job, store: ox.Store, delta: Delta, shapes: Shapes | None) -> dict[str, int]:
    """How many findings of each severity are admitted. Raises Nonconforming if there is a violation."""
    from motorgraph import change, gate  # only here: neither the front nor a reader needs pySHACL and rdflib

    if next(iter(store.quads_for_pattern(None, None, None, ox.NamedNode(job.shapes))), None) is None:
        raise Forbidden(f"The change would leave no shapes in <{job.shapes}>, and so nothing that judges the next one.")
    try:
        if shapes is not None and job.union:
            report = change.judge_change(store, shapes, delta.removed, delta.added)
        else:
            report = gate.validate_store(store, job.shapes, [ox.NamedNode(job.catalogue)] if job.catalogue else [])
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        raise Failed(f"The change could not be judged, so it was not made: {type(error).__name__}: {error}.") from error
    if not report.conforms:
        count = len(report.violations)
        raise Nonconforming(
            f"The graph would have {count} violation{'s' if count > 1 else ''} of its shapes; nothing was changed. "
            f"The first: {report.violations[0]}",
            **gate.Report(report.results[:FIRST_VIOLATIONS]).as_json(),
        )
    return dict(Counter(result.severity for result in report.results))


# The four changes: each is made on the store, and tells its delta and whether it made a graph


def _update(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    refuse_hosts(job.text, ())
    text = with_using(Update(job.text, Dataset(job.default_graphs, job.named_graphs), job.base))
    names = _graph_names(store)

    def change(written: str = text) -> None:
        store.update(written, base_iri=job.base or None)

    try:
        removed, added = _changes(store, change, _named_quads(text, job))
    except SyntaxError as error:
        raise bad_query(text, change, error, start="Updates") from error
    now = _graph_names(store)
    return Delta(made=now - names, dropped=names - now, removed=removed, added=added), False


def _named_quads(text: str, job: Job) -> Quads | None:
    """The quads that an update can touch, where its text says so; None where only a look at the whole graph can tell."""
    insertions = as_insertions(text)
    if insertions is None:
        return None
    scratch = ox.Store()
    scratch.update(insertions, base_iri=job.base or None)
    return set(scratch)


def _changes(store: ox.Store, change: Callable[[], None], touched: Quads | None) -> tuple[Quads, Quads]:
    """Makes the change; the quads that it removed and those that it added. `touched` are all that it can, if that is known."""
    if touched is not None:
        before = {quad for quad in touched if quad in store}
        change()
        after = {quad for quad in touched if quad in store}
        return before - after, after - before
    lines = set(_lines(store))  # half the memory of as many quads
    change()
    added = []
    for line in _lines(store):
        if line in lines:
            lines.remove(line)
        else:
            added.append(line)
    return _parsed_lines(lines), _parsed_lines(added)


def _lines(store: ox.Store) -> list[bytes]:
    dumped = store.dump(format=NQUADS)
    assert dumped is not None  # bytes, since no output was given
    return dumped.splitlines()


def _parsed_lines(lines: Iterable[bytes]) -> Quads:
    return set(ox.parse(b"\n".join(lines), NQUADS))


def _graph_names(store: ox.Store) -> set[str]:
    return {name.value for name in store.named_graphs() if isinstance(name, ox.NamedNode)}


def _put(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Replaces the graph by the body (Graph Store Protocol §5.3)."""
    quads, is_new = set(_quads(job, body)), not _exists(job, store)
    if job.must_be_new and not is_new:
        raise PreconditionFailed(f"If-None-Match: * asks for a new graph, and <{job.graph}> is there.")
    before = set(store.quads_for_pattern(None, None, None, _name(job)))
    return _made(Delta({job.graph} if job.graph and is_new else set(), set(), before - quads, quads - before), store), is_new


def _post(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Merges the body into the graph (§5.5)."""
    added, is_new = {quad for quad in _quads(job, body) if quad not in store}, not _exists(job, store)
    return _made(Delta({job.graph} if job.graph and is_new else set(), set(), set(), added), store), is_new


def _delete(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Drops the graph (§5.4). Raises NotFound if there is none."""
    if not _exists(job, store):
        raise NotFound(f"There is no graph <{job.graph}>, so it cannot be deleted.")
    before = set(store.quads_for_pattern(None, None, None, _name(job)))
    return _made(Delta(set(), {job.graph} if job.graph else set(), before, set()), store), False


TASKS: dict[str, Callable[[Job, bytes, ox.Store], tuple[Delta, bool]]] = {
    "update": _update,
    "put": _put,
    "post": _post,
    "delete": _delete,
}


def _made(delta: Delta, store: ox.Store) -> Delta:
    """Does a delta to this process's own copy."""
    delta.make(store)
    return delta


def _name(job: Job) -> ox.NamedNode | ox.DefaultGraph:
    return ox.NamedNode(job.graph) if job.graph else ox.DefaultGraph()


def _exists(job: Job, store: ox.Store) -> bool:
    return not job.graph or store.contains_named_graph(ox.NamedNode(job.graph))


# The body of a graph write


def _quads(job: Job, body: bytes) -> Iterator[ox.Quad]:
    """The body's triples in the job's graph; blank nodes are renamed, so that they can only be new (RDF merge)."""
    name = _name(job)
    for media_type, document in _documents(job, _decoded(job, body)):
        for triple in _parsed(job, media_type, document):
            yield ox.Quad(triple.subject, triple.predicate, triple.object, name)


def _decoded(job: Job, body: bytes) -> bytes:
    """The body without its Content-Encoding. Raises BadRequest, or TooLarge for one that unpacks to more than is taken."""
    if job.content_encoding not in ("gzip", "x-gzip"):
        return body
    inflate = zlib.decompressobj(31)
    try:
        data = inflate.decompress(body, job.max_bytes + 1)
    except zlib.error as error:
        raise BadRequest(f"The body is not the gzip that its Content-Encoding says: {error}.") from error
    if len(data) > job.max_bytes:
        raise TooLarge(f"The body unpacks to more than {job.max_bytes:,} bytes (setting body_bytes).")
    if not inflate.eof:
        raise BadRequest("The gzip of the body ends too early.")
    return data


def _documents(job: Job, body: bytes) -> Iterator[tuple[str, bytes]]:
    """The one document of the body, or the several of a multipart form, each with its media type."""
    if not job.content_type.lower().startswith("multipart/"):
        yield job.content_type, body
        return
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + job.content_type.encode() + b"\r\n\r\n" + body)
    if not message.is_multipart():
        raise BadRequest("The body is no multipart form with the boundary that its Content-Type names.")
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
    try:
        yield from ox.parse(
            document,
            ox.RdfFormat.from_media_type(form.media_type),
            base_iri=job.base or None,
            without_named_graphs=True,
            rename_blank_nodes=True,
        )
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise BadSyntax(f"The {form.name} does not parse{where}: {error.msg}.", line=error.lineno, column=error.offset) from error
