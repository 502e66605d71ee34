"""A draft: a process forked for one write, which makes it on its own copy of the graph and writes down what it did.

The keeper repeats what stands there: graphs made and dropped, quads removed and added, never a client's text. So whatever
crashes, runs too long, takes too much memory or breaks the shapes does so in the draft, and what is stored is what was judged.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from socket import socket
from typing import IO, TYPE_CHECKING

import pyoxigraph as ox

from motorgraph import rdfpatch
from motorgraph.commits import from_json
from motorgraph.engine import process, wire
from motorgraph.engine.account import account, frames
from motorgraph.engine.body import parsed_body
from motorgraph.engine.delta import NQUADS, Delta, Quads, graph_lines, moved, triple_lines
from motorgraph.engine.guard import refuse_unfit
from motorgraph.engine.loading import follow
from motorgraph.engine.reader import Alarm, Outlet, refused
from motorgraph.engine.rehearsal import refuse_syntax, rehearse
from motorgraph.engine.remote import SOCKETS, looked_up, remote
from motorgraph.engine.wire import Job
from motorgraph.errors import BadSyntax, Failed, Forbidden, Nonconforming, NotFound, OutOfScope, PreconditionFailed
from motorgraph.inference import Rule, filled, rebuild
from motorgraph.patch import as_patch
from motorgraph.query import Dataset, Update, refuse_hosts, with_using

if TYPE_CHECKING:
    from motorgraph.consequences import Outcomes
    from motorgraph.gate import Report
    from motorgraph.shapes import Shapes

FIRST_VIOLATIONS = 50
NOTHING_FOUND = {"conforms": True, "total": 0, "results": []}


@dataclass(frozen=True)
class Known:
    """What is known before the fork: the rules, what each has made, the shapes, and those of their constraints that are parsed.

    Without `outcomes` the rules infer all anew; without `shapes` all focus nodes are judged.
    """

    rules: Sequence[Rule] = ()
    outcomes: Outcomes | None = None
    shapes: Shapes | None = None
    prepared: frozenset[str] = frozenset()

    @property
    def asked(self) -> list[str]:
        """The constraints that have been parsed since."""
        return sorted(self.shapes.prepared.keys() - self.prepared) if self.shapes else []


def run(sock: socket, store: ox.Store, spool: IO[bytes], known: Known) -> None:
    """Rehearses the one job that comes over `sock`; answers END, or FAILED with nothing to be done; stays until it is closed.

    What follows from the change by the rules is part of what it does.
    """
    received = wire.received(sock)
    job, seconds = wire.decode_job(next(received)[1])
    alarm = Alarm()
    alarm.after(seconds)
    body = wire.body_of(received)
    outlet = Outlet(sock, job)
    with refused(outlet, "The change"):
        created, told = _rehearse(job, body, store, spool, known)
        alarm.off()  # from here on the keeper is at work
        sock.sendall(frames(told, created=created))
    for _ in received:
        pass  # the keeper reads the spool while the front holds this end open


def _rehearse(job: Job, body: bytes, store: ox.Store, spool: IO[bytes], known: Known) -> tuple[bool, bytes]:
    """Makes the change here, judges the outcome, writes the delta down.

    Returns whether the change makes a graph, and the account of it if one is wanted.
    """
    if job.must_exist and not _exists(job, store):
        raise PreconditionFailed(f"If-Match: * asks for a graph that is there, and <{job.graph}> is not.")
    if job.must_be_new and _exists(job, store):
        raise PreconditionFailed(f"If-None-Match: * asks for a new graph, and <{job.graph}> is there.")
    with process.opening_at_most(SOCKETS if remote(store) else 1 if job.was else 0):
        delta, created = TASKS[job.task](job, body, store)
    refuse_made_graphs(delta, job, known.rules)
    refuse_unfit(delta, job)
    _refuse_stand_ins(delta, store)
    derived, by_rule, report = Delta(), Delta(), None
    if not delta.is_empty:
        if job.union:
            follow(store, delta.removed, delta.added)
        derived, by_rule = infer(store, delta, known, union=job.union)
    if job.shapes and not (delta.is_empty or job.was):
        whole = Delta(removed=delta.removed | derived.removed, added=delta.added | derived.added)
        report = _judge(job, store, whole, known.shapes)
    if not job.dry_run:
        _require_conforming(report)
        delta.write(spool, job, {"report": _counts(report), "asked": known.asked}, derived, by_rule)
    if not (job.dry_run or job.wants_account):
        return created, b""
    return created, account(delta, derived, report.as_json(FIRST_VIOLATIONS) if report else NOTHING_FOUND)


def refuse_made_graphs(delta: Delta, job: Job, rules: Sequence[Rule]) -> None:
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


def _refuse_stand_ins(delta: Delta, store: ox.Store) -> None:
    """Raises Forbidden for an IRI that in a remote store stands for a blank node: it would be one when it is read."""
    there = remote(store)
    if there is None:
        return
    told = chain((lines[1] for lines in delta.lines.values()), (str(quad).encode() for quad in delta.added))
    mark = f"<{there.skolem.root}".encode()
    if any(mark in each for each in told):
        raise Forbidden(
            f"IRIs that begin with {there.skolem.root} stand for blank nodes here, so they cannot be written. Write a blank node."
        )


def infer(store: ox.Store, delta: Delta, known: Known, *, union: bool) -> tuple[Delta, Delta]:
    """Makes the graphs of the rules say what follows now; what that has changed, in all and by rule."""
    if known.outcomes is None:
        before, now = filled(store, known.rules), rebuild(store, known.rules)
        derived, by_rule = Delta(removed=before - now, added=now - before), Delta()
        derived.make(store)
    else:
        from motorgraph.consequences import Consequences  # as the shapes, only for a service that somebody writes to

        made = Consequences.of(store, known.outcomes, delta.removed, delta.added)
        derived, by_rule = Delta(removed=made.removed, added=made.added), Delta(removed=made.lost, added=made.won)
    if union:
        follow(store, derived.removed, derived.added)
    return derived, by_rule


def _judge(job: Job, store: ox.Store, delta: Delta, shapes: Shapes | None) -> Report:
    """What the gate says of the outcome. Raises Failed if it cannot say."""
    from motorgraph import change  # only here: neither the front nor a reader needs pySHACL and rdflib

    if (shapes is None or job.shapes in delta.graphs) and _is_empty(replace(job, graph=job.shapes), store):
        raise Forbidden(f"The change would leave no shapes in <{job.shapes}>, and so nothing that judges the next one.")
    try:
        if shapes is not None and job.union:
            return change.judge_change(store, shapes, delta.removed, delta.added)
        return judge_whole(job, store)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        raise Failed(f"The change could not be judged, so it was not made: {type(error).__name__}: {error}.") from error


def judge_whole(job: Job, store: ox.Store) -> Report:
    """What the gate says of all focus nodes. Raises what `gate.validate_store` does."""
    from motorgraph import gate

    apart = [ox.NamedNode(job.catalogue)] if job.catalogue else []
    return gate.validate_store(store, job.shapes, apart, is_merged=job.union)


def _require_conforming(report: Report | None) -> None:
    """Raises Nonconforming if there is a violation."""
    if report is not None and not report.conforms:
        count = len(report.violations)
        raise Nonconforming(
            f"The graph would have {count} violation{'s' if count > 1 else ''} of its shapes; nothing was changed. "
            f"The first: {report.violations[0]}",
            **report.as_json(FIRST_VIOLATIONS),
        )


def _counts(report: Report | None) -> dict[str, int]:
    """How many findings of each severity are admitted."""
    return dict(Counter(result.severity for result in report.results)) if report else {}


# The changes: each is made on the store, and tells its delta and whether it made a graph


def _update(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    refuse_hosts(job.text, ())
    text = with_using(Update(job.text, Dataset(job.default_graphs, job.named_graphs), job.base))
    return rehearse(store, text, job.base, as_lines=_is_plain(job)), False


def _patch(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Makes an update of the graph alone (§5.7). Raises OutOfScope if it changes another, NotFound if none is or comes there."""
    is_new = not _exists(job, store)
    if job.graph and is_new:
        store.add_graph(ox.NamedNode(job.graph))  # so that it can be cleared, as any default graph can
    try:
        delta, _ = _update(replace(job, text=as_patch(job.text, job.graph)) if job.graph else job, body, store)
    except BadSyntax:
        refuse_syntax(job.text, job.base)  # with the place in what the client has written
        raise
    touched = {quad.graph_name for quad in (*delta.removed, *delta.added)} | set(map(ox.NamedNode, delta.made | delta.dropped))
    others = sorted(map(str, touched - {_name(job)}))
    if others:
        raise OutOfScope(f"The patch would change {others[0]} too; it may change {_name(job)} alone. Send it to /sparql instead.")
    if is_new and not delta.added:
        raise NotFound(f"There is no graph <{job.graph}>, and the patch adds nothing to it.")
    if is_new and job.graph:
        delta.made.add(job.graph)
    return delta, is_new


def _put(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Replaces the graph by the body (Graph Store Protocol §5.3)."""
    is_new = not _exists(job, store)
    if _is_empty(job, store):
        return _post(job, body, store)
    quads, before = _quads(job, body), set(store.quads_for_pattern(None, None, None, _name(job)))
    return _made(Delta(removed=before - quads, added=quads - before), job, store), is_new


def _post(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Merges the body into the graph (§5.5)."""
    is_new, name = not _exists(job, store), _name(job)
    delta = Delta({job.graph} if is_new and job.graph else set())
    if _is_plain(job):
        triples = looked_up(store, parsed_body(job, body))
        new = triples if _is_empty(job, store) else (triple for triple in triples if moved(triple, name) not in store)
        delta.lines = {name: (b"", triple_lines(new, name))}
    else:
        delta.added = {quad for quad in looked_up(store, _quads(job, body)) if quad not in store}
    return _made(delta, job, store), is_new


def _delete(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Drops the graph (§5.4). Raises NotFound if there is none."""
    if not _exists(job, store):
        raise NotFound(f"There is no graph <{job.graph}>, so it cannot be deleted.")
    delta = Delta(dropped={job.graph} if job.graph else set(), lines={_name(job): (graph_lines(store, _name(job)), b"")})
    return _made(delta if _is_plain(job) else delta.opened(), job, store), False


def _follow(job: Job, body: bytes, store: ox.Store) -> tuple[Delta, bool]:
    """Repeats a commit of another journal, where it was judged. Its lines stay as they are, since its digest is of these."""
    was = from_json(json.loads(job.was))
    with Path(job.text).open("rb") as patch:
        removed, added = b"".join(rdfpatch.removed(patch)), b"".join(rdfpatch.added(patch))
    delta = Delta(set(was.made), set(was.dropped), lines={ox.DefaultGraph(): (removed, added)})
    if not _is_plain(job):
        delta.removed, delta.added = set(ox.parse(removed, NQUADS)), set(ox.parse(added, NQUADS))
    return _made(delta, job, store), False


TASKS: dict[str, Callable[[Job, bytes, ox.Store], tuple[Delta, bool]]] = {
    "update": _update,
    "put": _put,
    "post": _post,
    "delete": _delete,
    "patch": _patch,
    "follow": _follow,
}


def _made(delta: Delta, job: Job, store: ox.Store) -> Delta:
    """Does a delta to this process's own copy, if anything is to look at that."""
    if not _is_plain(job):
        delta.make(store)
    return delta


def _is_plain(job: Job) -> bool:
    """Whether nothing looks at what has changed but the journal and the graph itself: a store with rules has shapes too."""
    return not (job.union or job.shapes or job.dry_run or job.wants_account or job.task == "patch")


def _is_empty(job: Job, store: ox.Store) -> bool:
    return next(iter(store.quads_for_pattern(None, None, None, _name(job))), None) is None


def _name(job: Job) -> ox.NamedNode | ox.DefaultGraph:
    return ox.NamedNode(job.graph) if job.graph else ox.DefaultGraph()


def _quads(job: Job, body: bytes) -> Quads:
    """The body's triples in the job's graph."""
    name = _name(job)
    return {ox.Quad(triple.subject, triple.predicate, triple.object, name) for triple in parsed_body(job, body)}


def _exists(job: Job, store: ox.Store) -> bool:
    return not job.graph or store.contains_named_graph(ox.NamedNode(job.graph))
