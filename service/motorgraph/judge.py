"""The judgement: pySHACL's results at the focus nodes that the sieve lets through, on all cores if there are many."""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from pyshacl.shape import Shape

from motorgraph import gate
from motorgraph.engine import process
from motorgraph.errors import Refusal, retold
from motorgraph.merged import Data
from motorgraph.reach import Term
from motorgraph.shapes import Shapes
from motorgraph.sieve import EXECUTOR, Sieve, Suspicion

PIECE = 1_000
"""How many focus nodes are looked at before what was read of the graph is forgotten."""
FORKED_FROM = 10_000
"""From how many focus nodes on it is worth while to fork."""
READ_BYTES = 1 << 16
Piece = tuple[Shape, Sequence[Term]]


def in_full(shapes: Shapes, data: Data, told: gate.Told = lambda done, total: None) -> gate.Report:
    """All results of all shapes. Raises what `at` does."""
    return _judged(shapes, data, [(watch.shape, watch.targets.all(data)) for watch in shapes.watches], told)


def at(shapes: Shapes, data: Data, focus_nodes: Iterable[tuple[Shape, set[Term]]]) -> gate.Report:
    """The results of some shapes at some focus nodes.

    Raises RuntimeError where pySHACL gives up, MemoryError, and BadRequest for a triple term.
    """
    return _judged(shapes, data, list(focus_nodes), lambda done, total: None)


def _judged(shapes: Shapes, data: Data, focus_nodes: list[tuple[Shape, set[Term]]], told: gate.Told) -> gate.Report:
    pieces = [
        (shape, ordered[start : start + PIECE])
        for shape, nodes in focus_nodes
        for ordered in [list(nodes)]
        for start in range(0, len(ordered), PIECE)
    ]
    is_large = sum(len(nodes) for _, nodes in pieces) >= FORKED_FROM
    workers = min(process.cores(), len(pieces)) if is_large else 1
    if workers > 1:
        return gate.Report(gate.in_order(_forked(shapes, data, pieces, workers, told)))
    sieve = Sieve(shapes, data, asks_all=is_large)
    found: list[gate.Result] = []
    for done, piece in enumerate(pieces):
        told(done, len(pieces))
        found += _results(shapes, sieve, piece)
    return gate.Report(gate.in_order(found))


def _results(shapes: Shapes, sieve: Sieve, piece: Piece) -> tuple[gate.Result, ...]:
    """What pySHACL finds at the suspicious ones of some focus nodes."""
    found = []
    for suspicion in sieve.suspicions(*piece):
        found += _evaluated(suspicion, sieve)
    if not found:
        sieve.forget()
        return ()
    report = gate.report(gate.gathered(found), shapes.graph)
    sieve.forget()
    return report.results


def _evaluated(suspicion: Suspicion, sieve: Sieve) -> list[gate.Found]:
    shape, constraint = suspicion.shape, suspicion.constraint
    focus = [sieve.view.term(node) for node in suspicion.nodes]
    if constraint is None:
        return list(shape.validate(EXECUTOR, sieve.view, focus=focus)[1])  # type: ignore[arg-type]  # these are IRIs and the like
    return list(constraint.evaluate(EXECUTOR, sieve.view, shape.value_nodes(sieve.view, focus), [shape, constraint])[1])


# On all cores


def _forked(shapes: Shapes, data: Data, pieces: Sequence[Piece], workers: int, told: gate.Told) -> Iterator[gate.Result]:
    """The results that forked processes find, each at its share of the pieces."""
    gc.collect()
    gc.freeze()  # the collector would copy every page
    children = {}
    try:
        for share in range(workers):
            reading, writing = os.pipe()
            children[reading] = _fork(shapes, data, pieces[share::workers], writing)
            os.close(writing)
        for answer in _answers(children, len(pieces), told):
            said = json.loads(answer)
            if "refusal" in said:
                raise retold(*said["refusal"])
            if "error" in said:
                raise RuntimeError(said["error"])
            yield from (gate.Result(**result) for result in said["results"])
    finally:
        gc.unfreeze()
        for reading, pid in children.items():
            os.close(reading)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _fork(shapes: Shapes, data: Data, pieces: Sequence[Piece], writing: int) -> int:
    parent = os.getpid()
    pid = process.fork()
    if pid == 0:
        try:
            process.die_with(parent)
            _write(writing, json.dumps(_said(shapes, data, pieces, writing)).encode())
        finally:
            os._exit(0)
    return pid


def _said(shapes: Shapes, data: Data, pieces: Sequence[Piece], writing: int) -> dict[str, object]:
    """The results as JSON has them, or what went wrong; a dot is written after each piece."""
    sieve = Sieve(shapes, data, asks_all=True)
    found: list[gate.Result] = []
    try:
        for piece in pieces:
            found += _results(shapes, sieve, piece)
            os.write(writing, b".")
    except Refusal as refusal:
        return {"refusal": [refusal.kind, refusal.detail, refusal.members]}
    except Exception as error:  # noqa: BLE001  # the border of the process
        return {"error": f"{type(error).__name__}: {error}"}
    return {"results": [asdict(result) for result in found]}


def _write(writing: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(writing, rest) :]


def _answers(children: dict[int, int], total: int, told: gate.Told) -> Iterator[bytes]:
    """What each child says, when it has said it. Raises MemoryError if one ends before."""
    said = dict.fromkeys(children, b"")
    done = 0
    with selectors.DefaultSelector() as selector:
        for reading in children:
            selector.register(reading, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, READ_BYTES)
                if not data:
                    selector.unregister(key.fd)
                    if not said[key.fd].endswith(b"}"):
                        raise MemoryError("A process that judged a part of the graph has ended before it was done.")
                    yield said[key.fd]
                    continue
                rest = data if said[key.fd] else data.lstrip(b".")
                done += len(data) - len(rest)
                told(done, total)
                said[key.fd] += rest
