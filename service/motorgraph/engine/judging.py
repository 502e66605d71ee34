"""The process that judges the whole graph at a start. It imports pySHACL and rdflib, which stay out of every other reader."""

from __future__ import annotations

import json
from functools import partial
from socket import socket

import pyoxigraph as ox

from motorgraph import gate
from motorgraph.engine.reader import Outlet, serve
from motorgraph.engine.wire import Job
from motorgraph.notes import Notes
from motorgraph.readings import Readings


def run(sock: socket, store: ox.Store, notes: Notes | None) -> None:
    """Answers the task `validate`, and notes for later starts what it has read out of the shapes."""
    serve(sock, {"validate": partial(_validate, Readings(notes))}, store, 0)


def _validate(readings: Readings, job: Job, store: ox.Store, outlet: Outlet) -> None:
    """The whole graph against the shapes in `job.graph`: the report as a JSON object."""
    report = gate.validate_store(store, job.graph or "", is_merged=job.union, readings=readings)
    readings.keep()
    outlet.begin("json", "application/json")
    outlet.write(json.dumps(report.as_json()).encode())
    outlet.finish()
