"""A trial: a process forked to judge what somebody has sent as if it were in the graph, which it is not and never comes to be.

It is no write: it waits for no turn, nobody waits for it, and what it does to its own copy of the graph ends with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from socket import socket
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox

from motorgraph.engine import wire
from motorgraph.engine.account import frames
from motorgraph.engine.delta import Delta
from motorgraph.engine.draft import Known, infer, refuse_made_graphs
from motorgraph.engine.guard import refuse_unfit
from motorgraph.engine.loading import follow, gather
from motorgraph.engine.looks import TABLE, otherwise
from motorgraph.engine.placing import Placed, placed
from motorgraph.engine.reader import Alarm, Outlet, refused
from motorgraph.engine.sent import Document, Sent, sent
from motorgraph.engine.wire import Job
from motorgraph.errors import BadRequest, BadSyntax, Failed
from motorgraph.media import Format

if TYPE_CHECKING:
    from motorgraph.gate import Report
    from motorgraph.shapes import Shapes

BESIDE = ("ontology", "reference")
"""The graphs beside which data are judged that are not judged beside the whole graph."""
GIVEN = ox.NamedNode("urn:motorgraph:given")
MOST_TOLD = 200


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of data, with the shapes by which, the store in which they were judged, and the graphs beside them."""

    report: Report
    shapes: Shapes
    store: ox.Store
    beside: tuple[str, ...]


def run(sock: socket, store: ox.Store, known: Known) -> None:
    """Judges what the one job brings that comes over `sock`; answers what is found as JSON, or FAILED."""
    received = wire.received(sock)
    job, seconds = wire.decode_job(next(received)[1])
    Alarm().after(seconds)
    body = wire.body_of(received)
    outlet = Outlet(sock, job)
    with refused(outlet, "The data"):
        sock.sendall(frames(json.dumps(_told(job, body, store, known)).encode(), created=False))
    for _ in received:
        pass


def _told(job: Job, body: bytes, store: ox.Store, known: Known) -> dict[str, Any]:  # Any: plain JSON
    """The report, and with it the text, the fields of the form, and where each finding stands."""
    from motorgraph.engine import findings  # it knows of SHACL, as the shapes do

    given, wants_text = sent(job, body), json.loads(job.text)["wants_text"]
    if not (given.shapes or job.shapes):
        raise BadRequest(
            "This is a bare store, which has no shapes to judge by. Send shapes with the data, in the field 'shapes' of a form."
        )
    base, text = job.base.partition("/graph/")[0], given.data.text.decode("utf-8", "replace")
    about = {
        "format": given.data.form.suffix,
        "name": given.data.name,
        "fields": given.fields,
        "text": text if wants_text else "",
    }
    try:
        found = _read(given.data, job, base)
    except BadSyntax as fault:
        if not wants_text:
            raise
        return {**about, "fault": {"detail": fault.detail, **fault.members}}
    judged = _judged(job, given, found, store, known)
    report = findings.with_unread(judged.report, found)
    return {
        **about,
        "conforms": report.conforms,
        "total": len(report.results),
        "counts": findings.counted(report),
        "shapes": "given" if given.shapes else job.shapes,
        "beside": list(judged.beside),
        "statements": len(set(found.quads)),
        "results": findings.told(findings.Scene(replace(judged, report=report), found, text, base), MOST_TOLD),
    }


def _read(data: Document, job: Job, base: str) -> Placed:
    """What the data say, those of a table as the mappings have it. Raises what `placed` and `converted` do."""
    try:
        if data.form is TABLE:
            from motorgraph.engine.dropped import converted  # it runs the mappings, which nothing else here does

            return converted(data.text, base)
        return placed(data.form, data.text, job.base, ox.NamedNode(job.graph) if job.graph else ox.DefaultGraph())
    except BadSyntax as fault:
        raise BadSyntax(fault.detail + otherwise(data.form, data.text), **fault.members) from fault


def _judged(job: Job, given: Sent, found: Placed, store: ox.Store, known: Known) -> Judgement:
    is_alone = json.loads(job.text)["alone"] or given.fields.get("alone") == "true"
    if given.shapes:
        return _by_given(given, found, job, store)
    shapes = known.shapes or _shapes_of(job, store)
    refuse_unfit(Delta(added=set(found.quads)), job)
    return _apart(job, shapes, found, store) if is_alone else _as_added(job, shapes, found, store, known)


def _by_given(given: Sent, found: Placed, job: Job, store: ox.Store) -> Judgement:
    """By the shapes that were sent, beside the ontology, so that subclasses count; of that itself nothing is told."""
    from motorgraph import faults, gate
    from motorgraph.merged import Data
    from motorgraph.shapes import Shapes

    texts = (placed(_rdf(document.form), document.text, job.base, GIVEN).quads for document in given.shapes)
    shapes = Shapes.read(chain.from_iterable(texts), GIVEN)
    if not shapes.watches:
        raise BadRequest("The shapes that were sent have no targets, so they would judge nothing. Give one sh:targetClass, say.")
    names, beside = _beside(job, store, BESIDE[:1])
    data = Data.copied(chain(beside, found.quads), GIVEN)
    with faults.told(shapes.graph):  # a stranger's shapes may bring pySHACL to say anything
        report = gate.in_full(shapes, data)
    own, others = (_subjects(quads) for quads in (found.quads, beside))
    told = tuple(result for result in report.results if result.focus in own or result.focus not in others)
    return Judgement(replace(report, results=told), shapes, data.store, names)


def _subjects(quads: Iterable[ox.Quad]) -> set[str]:
    return {quad.subject.value for quad in quads if not isinstance(quad.subject, ox.Triple)}


def _apart(job: Job, shapes: Shapes, found: Placed, store: ox.Store) -> Judgement:
    """By the shapes of the graph, beside the ontology and the reference data alone."""
    from motorgraph import change

    names, beside = _beside(job, store, BESIDE)
    apart = ox.Store()
    apart.bulk_extend(_merged(chain(beside, found.quads)))
    return Judgement(change.judge_touched(apart, shapes, {quad.triple for quad in found.quads}), shapes, apart, names)


def _as_added(job: Job, shapes: Shapes, found: Placed, store: ox.Store, known: Known) -> Judgement:
    """By the shapes of the graph, in the graph as it would be."""
    from motorgraph import change

    added = {quad for quad in found.quads if quad not in store}
    delta = Delta(added=added)
    refuse_made_graphs(delta, job, known.rules)
    delta.make(store)
    if job.union:
        follow(store, (), added)
    derived, _ = infer(store, delta, known, union=job.union)
    touched = {quad.triple for quad in chain(found.quads, derived.added, derived.removed)}
    if not job.union:
        gather(store)  # of this process alone
    return Judgement(change.judge_touched(store, shapes, touched), shapes, store, ("*",))


def _beside(job: Job, store: ox.Store, names: Iterable[str]) -> tuple[tuple[str, ...], list[ox.Quad]]:
    """Graphs of the service that there are, and their quads."""
    if not job.shapes:
        return (), []
    root = job.base.partition("/graph/")[0]
    graphs = [ox.NamedNode(f"{root}/graph/{name}") for name in names]
    there = [graph for graph in graphs if store.contains_named_graph(graph)]
    return tuple(graph.value for graph in there), [q for graph in there for q in store.quads_for_pattern(None, None, None, graph)]


def _merged(quads: Iterable[ox.Quad]) -> Iterable[ox.Quad]:
    """The quads, and their merge in the default graph."""
    for quad in quads:
        yield quad
        yield ox.Quad(quad.subject, quad.predicate, quad.object)


def _shapes_of(job: Job, store: ox.Store) -> Shapes:
    """The shapes of the graph, where they could not be parsed before the fork. Raises BadShapes, or Failed if there are none."""
    from motorgraph.shapes import Shapes

    if next(iter(store.quads_for_pattern(None, None, None, ox.NamedNode(job.shapes))), None) is None:
        raise Failed(f"There are no shapes in <{job.shapes}>.")
    return Shapes.of(store, job.shapes, [ox.NamedNode(job.catalogue)] if job.catalogue else [])


def _rdf(form: Format) -> Format:
    """The format of shapes. Raises BadRequest for a table."""
    if form.suffix == "csv":
        raise BadRequest("Shapes are RDF, not a table; send them as Turtle, say.")
    return form
