"""The process that judges the whole graph, or words its shapes: pySHACL and rdflib, which it imports, stay out of the readers."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from socket import socket

import pyoxigraph as ox

from motorgraph import gate, wording
from motorgraph.engine.reader import Outlet, serve
from motorgraph.engine.wire import Job
from motorgraph.notes import Notes
from motorgraph.readings import Readings


def run(sock: socket, store: ox.Store, notes: Notes | None) -> None:
    """Answers the tasks `validate`, which notes for later starts what it has read out of the shapes, and `clauses`."""
    serve(sock, {"validate": partial(_validate, Readings(notes)), "clauses": _clauses}, store, 0)


def _validate(readings: Readings, job: Job, store: ox.Store, outlet: Outlet) -> None:
    """The whole graph against the shapes in `job.graph`: the report as a JSON object."""
    report = gate.validate_store(store, job.graph or "", is_merged=job.union, readings=readings)
    readings.keep()
    outlet.begin("json", "application/json")
    outlet.write(json.dumps(report.as_json()).encode())
    outlet.finish()


def _clauses(job: Job, store: ox.Store, outlet: Outlet) -> None:
    """What each shape in `job.graph` asks for, in words, as a JSON object by shape."""
    triples = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.NamedNode(job.graph or ""))
    assert triples is not None
    told = wording.told(triples)
    outlet.begin("json", "application/json")
    outlet.write(json.dumps({shape: [asdict(clause) for clause in clauses] for shape, clauses in told.items()}).encode())
    outlet.finish()
