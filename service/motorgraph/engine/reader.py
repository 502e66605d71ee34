"""A reader: a process forked from the keeper that answers queries on the graph as it was at the fork."""

from __future__ import annotations

import gc
import json
import signal
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache, partial
from socket import socket

import pyoxigraph as ox

from motorgraph.engine import sitemap, statistics, wire
from motorgraph.engine.closures import Closures
from motorgraph.engine.counts import GRAPHS, Counts, by_graph
from motorgraph.engine.delta import Written
from motorgraph.engine.describing import describe, tell_context
from motorgraph.engine.loading import rdf_format
from motorgraph.engine.lookup import Lookup, lookup
from motorgraph.engine.marker import STORE
from motorgraph.engine.moves import Recent
from motorgraph.engine.passing import of_one_commit, passed_on
from motorgraph.engine.remote import remote
from motorgraph.engine.rows import ROW_COUNTERS, XmlCheck
from motorgraph.engine.straight import answered, graph_type, table_type
from motorgraph.engine.wire import Job, Kind
from motorgraph.errors import (
    BadEvaluation,
    Failed,
    NotFound,
    OutOfMemory,
    Refusal,
    TooLarge,
    is_disk_full,
    no_room,
)
from motorgraph.media import JSON, RDFXML, XML
from motorgraph.query import Dataset, Query, planned
from motorgraph.syntax import bad_query, bad_syntax

GZIP_FROM_BYTES = 1024
_JSON_HEAD = b'{"head":{'
SLACK_SECONDS = 1.0


def run(sock: socket, store: ox.Store, commit: int = 0, recent: Recent | None = None, counts: Counts | None = None) -> None:
    """Answers the jobs that come over `sock`, one after the other, until the other side closes it.

    `commit` is the one whose graph the store holds; the deltas that come carry it on. `recent` are the changes that led to it,
    `counts` what is known of it by the keeper.
    """
    counts = counts or Counts(store)
    closures = Closures(store)
    own = {
        "query": partial(_query, counts=counts, closures=closures),
        "census": partial(_census, counts=counts),
        "statistics": partial(statistics.answer, recent or Recent()),
    }

    def heed(change: Written) -> None:
        counts.heed(change)
        closures.heed(change)

    serve(sock, TASKS | own, store, commit, heed)


def serve(
    sock: socket, tasks: Mapping[str, Task], store: ox.Store, commit: int, heed: Callable[[Written], None] = lambda change: None
) -> None:
    """As `run`, for these tasks; `heed` is told of each change when the store has it. One that the store has already is passed
    over."""
    gc.disable()  # cycles are rare here, and a collection would touch (and so copy) every shared page
    alarm = Alarm()
    for _, payload in wire.received(sock, alarm.off):
        job, seconds = wire.decode_job(payload)
        if job.task == "delta":
            if job.commit > commit:
                change = Written.of(job.text.encode())
                if remote(store) is None:
                    change.make(store)
                commit = job.commit
                heed(change)
            continue
        alarm.after(seconds)
        try:
            _answer(tasks[job.task], job, store, Outlet(sock, job, commit))
        except (BrokenPipeError, ConnectionResetError):
            return


def refuse(sock: socket, refusal: Refusal) -> None:
    """Refuses the jobs that come over `sock` until the other side closes it."""
    for kind, payload in wire.received(sock):
        job = wire.decode_job(payload)[0] if kind is Kind.JOB else None
        if job is not None and job.task != "delta":
            Outlet(sock, job).fail(refusal)


Task = Callable[[Job, ox.Store, "Outlet"], None]
Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples


class Alarm:
    """Has the kernel end this process when a job takes too long; nothing in it could, since evaluation does not return.

    The front keeps the deadline to the millisecond. This is for the case that it cannot, so the alarm may come up to
    `SLACK_SECONDS` late and is set only as often: setting it costs as much as a small query.
    """

    def __init__(self) -> None:
        self._rings = 0.0

    def after(self, seconds: float) -> None:
        """Rings after `seconds` (0: never), or somewhat later."""
        now = time.monotonic()
        if seconds and now + seconds > self._rings:
            self._rings = now + seconds + SLACK_SECONDS
            signal.setitimer(signal.ITIMER_REAL, seconds + SLACK_SECONDS)

    def off(self) -> None:
        """Does not ring while there is nothing to do."""
        self._rings = 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)


@lru_cache(maxsize=64)
def _linked_head(base: str, commit: int) -> bytes:
    """How a table in JSON begins that links to a commit on the host of `base`; made once, for a small answer takes as long."""
    link = json.dumps("/".join([*base.split("/", 3)[:3], "changes", str(commit)])).encode()
    return b"".join((_JSON_HEAD, b'"link":[', link, b"]"))


def _answer(task: Task, job: Job, store: ox.Store, outlet: Outlet) -> None:
    try:  # as in `refused`, which costs as much as a lookup
        task(job, store, outlet)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001  # the border of the process: the front has to hear of it
        outlet.fail(_meant_by(error, "The query"))


@contextmanager
def refused(outlet: Outlet, what: str) -> Iterator[None]:
    """Tells the front of whatever goes wrong within, as the refusal that it means. A front that has gone is no such thing."""
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        raise
    except Exception as error:  # noqa: BLE001  # the border of the process: the front has to hear of it
        outlet.fail(_meant_by(error, what))


def _meant_by(error: Exception, what: str) -> Refusal:
    match error:
        case Refusal():
            return error
        case SyntaxError():
            return bad_syntax(error)
        case MemoryError():
            return OutOfMemory(f"{what} needed more memory than one may have (setting query_memory).")
        case OSError() | ValueError() | RuntimeError():
            is_full = is_disk_full(error)
            return no_room("the temporary files") if is_full else BadEvaluation(f"{what} cannot be evaluated: {error}.")
    return Failed(f"{type(error).__name__}: {error}")


class Outlet:
    """Where an answer is written to: gathers it into frames, compresses, counts, and stops at the limits."""

    def __init__(self, sock: socket, job: Job, commit: int = 0) -> None:
        self._sock = sock
        self._job = job
        self.commit = commit
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._head = ("", "")
        self._deflate: zlib._Compress | None = None
        self._count_rows: Callable[[bytes], int] | None = None
        self._check: Callable[[bytes], None] | None = None
        self._begun = False
        self._is_held = False
        self.written = 0
        self.rows = 0

    def begin(self, form: str, media_type: str, count_rows: Callable[[bytes], int] | None = None) -> None:
        """Says what the answer is (`solutions`, `boolean`, `graph`) before the first byte of it; a held one begins anew."""
        self._pending.clear()
        self._pending_bytes = self.written = 0
        self._head = (form, media_type)
        self._check = XmlCheck() if media_type in (XML.media_type, RDFXML.media_type) else None
        self._count_rows = count_rows

    def write(self, data: bytes) -> int:
        """Takes the next bytes of the answer. Raises TooLarge at a limit."""
        self.written += len(data)
        if self.written > self._job.max_bytes:
            raise TooLarge(f"The answer is longer than {self._job.max_bytes:,} bytes (setting query_bytes). Add a LIMIT.")
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= wire.FRAME_BYTES and not self._is_held:
            self.send()
        return len(data)

    def flush(self) -> None:
        """Nothing: frames leave when they are full, since the serialiser flushes more often than is useful."""

    def send(self) -> None:
        """Sends what it holds, though more will come."""
        self._send(b"".join(self._pending))
        self._pending.clear()
        self._pending_bytes = 0

    def finish(self) -> None:
        """Sends what is left and the end."""
        if not self._is_held:
            self._send(b"".join(self._pending), last=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within, nothing is sent, so that it can be begun anew; it is sent at the end, if there is no error."""
        self._is_held = True
        yield
        self._is_held = False
        self.finish()

    def _send(self, data: bytes, *, last: bool = False) -> None:
        """Counts and sends the next frames of the answer, and its end with the last."""
        if data:
            self._examine(data)
        out = []
        if not self._begun:
            self._begun = True
            if self._job.gzip and (not last or len(data) >= GZIP_FROM_BYTES):
                self._deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
            out.append(wire.head(*self._head, "gzip" if self._deflate else "", self.commit))
            data = self._linked(data)
        if self._deflate:
            data = self._deflate.compress(data) + (self._deflate.flush() if last else b"")
        out += [wire.frame(Kind.DATA, data[at : at + wire.FRAME_BYTES]) for at in range(0, len(data), wire.FRAME_BYTES)]
        if last:
            out.append(wire.end(self.rows, self.written))
        if out:
            self._sock.sendall(b"".join(out))

    def _linked(self, data: bytes) -> bytes:
        """The first bytes of a table or truth value in JSON, its head with a link to the commit (its format's §3.1.2)."""
        if not data or self._head[1] != JSON.media_type or not self.commit or not self._job.base:
            return data
        rest = data.removeprefix(_JSON_HEAD)
        return b"".join((_linked_head(self._job.base, self.commit), b"" if rest.startswith(b"}") else b",", rest))

    def _examine(self, data: bytes) -> None:
        """Counts rows and looks for what the format cannot say; by the frame, since each look costs a call."""
        if self._count_rows is not None:
            self.rows += self._count_rows(data)
            if self.rows > self._job.max_rows:
                raise TooLarge(f"The answer has more than {self._job.max_rows:,} rows (setting query_rows). Add a LIMIT.")
        if self._check is not None:
            self._check(data)

    def tell_counted(self, told: str) -> None:
        """Sends what was counted on the way to the answer, and need not be counted again."""
        self._sock.sendall(wire.message(Kind.COUNTED, told=told, commit=self.commit))

    def fail(self, refusal: Refusal) -> None:
        """Sends why there is no (whole) answer."""
        self._sock.sendall(wire.message(Kind.FAILED, kind=refusal.kind, detail=refusal.detail, members=refusal.members))


def _query(job: Job, store: ox.Store, outlet: Outlet, counts: Counts | None = None, closures: Closures | None = None) -> None:
    there = remote(store)
    try:
        if there is not None and passed_on(job, there, _dataset(job), outlet):
            return
        found = _lookup(job) if there is None else None
        if found is not None and answered(found, job, store, outlet):
            return
        counted = _counted(found, store, counts, outlet) if found is not None and counts is not None else None
        if there is not None:
            results, commit = there.course.told(there.number, lambda: evaluate(job, store))
            outlet.commit = commit or outlet.commit
        else:
            results = _evaluated(job, store, closures) if counted is None else counted
    except SyntaxError as error:
        raise bad_query(job.text, lambda text: evaluate(replace(job, text=text), store), error) from error
    if isinstance(results, ox.QueryTriples):
        media_type = graph_type(job)
        outlet.begin("graph", media_type)
    else:
        media_type = table_type(job)
        is_table = isinstance(results, ox.QuerySolutions)
        outlet.begin("solutions" if is_table else "boolean", media_type, ROW_COUNTERS[media_type]() if is_table else None)
    if not job.head_only:
        form = ox.RdfFormat if isinstance(results, ox.QueryTriples) else ox.QueryResultsFormat
        results.serialize(outlet, form.from_media_type(media_type))  # type: ignore[arg-type]  # the union of two overloads
    outlet.finish()
    if closures is not None:
        closures.done()


def _evaluated(job: Job, store: ox.Store, closures: Closures | None) -> Results:
    """As `evaluate`, with the ends of a path looked up before where that is quicker."""
    told = closures.told(job) if closures is not None and not _dataset(job) else None
    if told is not None:
        with suppress(SyntaxError):  # the text itself has the mistake, and the engine tells where
            return store.query(told, base_iri=job.base or None)
    return evaluate(job, store)


def _counted(found: Lookup, store: ox.Store, counts: Counts, outlet: Outlet) -> Results | None:
    """The answer to a query that counts a pattern, from what was counted before; None if it is better asked of the engine."""
    if found.text.form != "counts":
        return None
    groups = counts.asked(found.pattern, outlet.tell_counted)
    try:
        return None if groups is None else store.query(found.told(groups))
    except SyntaxError:
        return None  # the text itself has the mistake, and the engine tells where


def _check(job: Job, _: ox.Store, outlet: Outlet) -> None:
    """Whether the query could be asked, as a JSON object with the kind of its answer: it is parsed and asked of nothing."""
    nothing = ox.Store()
    try:
        results = evaluate(job, nothing)
    except SyntaxError as error:
        raise bad_query(job.text, lambda text: evaluate(replace(job, text=text), nothing), error) from error
    outlet.begin("json", "application/json")
    outlet.write(json.dumps({"answer": _KINDS[type(results)]}).encode())
    outlet.finish()


_KINDS: dict[type, str] = {ox.QuerySolutions: "table", ox.QueryBoolean: "truth", ox.QueryTriples: "graph"}


def evaluate(job: Job, store: ox.Store) -> Results:
    """Parses and plans the query on the job's dataset; rows come when they are asked for. Raises SyntaxError."""
    dataset = _dataset(job)
    if not dataset:
        return store.query(job.text, base_iri=job.base or None)
    default: list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] = [ox.NamedNode(iri) for iri in dataset.default]
    named: list[ox.NamedNode | ox.BlankNode] = [ox.NamedNode(iri) for iri in dataset.named]
    if len(default) > 1 and _overlap(default, store):
        store, default = _merged(dataset, store), [ox.DefaultGraph()]
    return store.query(job.text, base_iri=job.base or None, default_graph=default, named_graphs=named)


@lru_cache(maxsize=256)
def _dataset(job: Job) -> Dataset:
    """The job's dataset, from the protocol or the text. Raises Forbidden if the text would ask a host that it may not."""
    return planned(Query(job.text, Dataset(job.default_graphs, job.named_graphs), job.base), job.hosts).dataset


@lru_cache(maxsize=256)
def _lookup(job: Job) -> Lookup | None:
    """The job as a lookup, if it asks about a single triple pattern. Raises Forbidden as `_dataset`."""
    return lookup(job.text, job.base, _dataset(job))


def _overlap(graphs: Sequence[ox.NamedNode | ox.BlankNode | ox.DefaultGraph], store: ox.Store) -> bool:
    """Whether a triple is in two of the graphs: the engine would show it twice, an RDF merge has it once."""
    return any(
        store.query(f"ASK {{ GRAPH {one} {{ ?s ?p ?o }} GRAPH {other} {{ ?s ?p ?o }} }}")
        for place, one in enumerate(graphs)
        for other in graphs[place + 1 :]
    )


def _merged(dataset: Dataset, store: ox.Store) -> ox.Store:
    """A store of the dataset alone, its default graph the merge of the graphs that overlap."""
    merged = ox.Store()
    for iri in dataset.default:
        merged.extend(
            ox.Quad(q.subject, q.predicate, q.object) for q in store.quads_for_pattern(None, None, None, ox.NamedNode(iri))
        )
    for iri in dataset.named:
        merged.extend(store.quads_for_pattern(None, None, None, ox.NamedNode(iri)))
    return merged


def _graph(job: Job, store: ox.Store, outlet: Outlet) -> None:
    """One graph whole, or the whole dataset if the job names none (`graph` is "" for the default graph)."""
    name = ox.NamedNode(job.graph) if job.graph else ox.DefaultGraph()
    if job.graph and not store.contains_named_graph(name):
        raise NotFound(f"There is no graph <{job.graph}>.")
    form = rdf_format(job.graphs or "")
    outlet.begin("graph", job.graphs or "")
    if not job.head_only:
        whole = job.graph is None
        store.dump(outlet, form, from_graph=None if whole else name)  # type: ignore[arg-type]  # Outlet is an IO[bytes] in what counts
    outlet.finish()


def _arrive(_: Job, __: ox.Store, outlet: Outlet) -> None:
    """Nothing: whoever asks wants to know that this process is there."""
    outlet.begin("json", "application/json")
    outlet.finish()


def _census(_: Job, store: ox.Store, outlet: Outlet, counts: Counts | None = None) -> None:
    """How many triples each of the `graphs` has, and at which `commit`, as a JSON object; the default graph is ""."""
    there = remote(store)
    if there is not None:
        there.mark = there.where()
    tables = []
    for pattern in GRAPHS:
        groups = counts.asked(pattern, outlet.tell_counted, always=True) if there is None and counts is not None else None
        if groups is None:  # there are more graphs than are kept
            groups = Counter({tuple(graph): int(count.value) for *graph, count in _solutions(store, pattern.query)})
        tables.append(groups)
    found = by_graph(store, tables)
    found.pop(STORE, None)
    commit = outlet.commit
    if there is not None:
        there.require_still()
        commit = there.mark.commit if there.mark is not None else 0
    outlet.begin("json", "application/json")
    outlet.write(json.dumps({"commit": commit, "graphs": found}).encode())
    outlet.finish()


def _solutions(store: ox.Store, text: str) -> ox.QuerySolutions:
    results = store.query(text)
    assert isinstance(results, ox.QuerySolutions)
    return results


TASKS: dict[str, Task] = {
    "query": _query,
    "check": _check,
    "graph": _graph,
    "census": _census,
    "arrive": _arrive,
    "describe": of_one_commit(describe),
    "context": of_one_commit(tell_context),
    "sitemap": of_one_commit(sitemap.answer),
}
