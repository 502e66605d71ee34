"""The judgement on all cores finds what one process finds, and says it when a process is lost."""

from __future__ import annotations

import os
import signal

import pyoxigraph as ox
import pytest

from motorgraph import judge
from motorgraph.errors import BadRequest
from motorgraph.gate import NOWHERE, Report
from motorgraph.merged import Data
from motorgraph.shapes import Shapes
from tests.test_gate import _quads
from tests.test_sieve import NAMESPACE

SHAPES = f"""{NAMESPACE}
    :S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path :name ; sh:minCount 1 ; sh:message "Name it." ] ;
       sh:property [ sh:path :year ; sh:datatype xsd:integer ; sh:severity sh:Warning ; sh:message "A number." ] ;
       sh:sparql [ sh:prefixes :N ; sh:message "Old." ; sh:select "SELECT $this WHERE {{ $this :year ?y FILTER(?y < 5) }}" ] ."""
CARS = " ".join(f":c{n} a :Car ; :year {n} {'' if n % 3 else '; :name 1'} ." for n in range(20)) + ' :d a :Car ; :year "x" .'


def _judged(told: list[tuple[int, int]] | None = None) -> Report:
    heard = (lambda done, total: told.append((done, total))) if told is not None else (lambda done, total: None)
    return judge.in_full(Shapes.read(_quads(SHAPES), NOWHERE), Data.copied(_quads(CARS), NOWHERE), heard)


@pytest.fixture
def on_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every judgement is forked, in small pieces."""
    monkeypatch.setattr("motorgraph.judge.FORKED_FROM", 1)
    monkeypatch.setattr("motorgraph.judge.PIECE", 4)
    monkeypatch.setattr("motorgraph.engine.process.cores", lambda: 2)


def test_forked_processes_find_what_one_finds(request: pytest.FixtureRequest) -> None:
    alone = _judged()
    assert {result.message for result in alone.results} == {"Name it.", "A number.", "Old."}
    request.getfixturevalue("on_two_cores")
    assert _judged() == alone


@pytest.mark.usefixtures("on_two_cores")
def test_it_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    _judged(told)
    assert told[-1] == (6, 6), "21 focus nodes in pieces of 4"
    assert told == sorted(told)


@pytest.mark.usefixtures("on_two_cores")
def test_no_process_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    fork = os.fork

    def noted() -> int:
        made.append(fork())
        return made[-1]

    monkeypatch.setattr("os.fork", noted)
    _judged()
    assert len(made) == 2
    for pid in made:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


@pytest.mark.usefixtures("on_two_cores")
def test_a_process_that_is_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motorgraph.judge.Sieve", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(MemoryError, match="has ended before"):
        _judged()


@pytest.mark.usefixtures("on_two_cores")
@pytest.mark.parametrize(("data", "raised"), [("<<( :a :b :c )>>", BadRequest), ("[] , 1", RuntimeError)])
def test_what_a_process_meets_is_raised(data: str, raised: type[Exception]) -> None:
    shapes = Shapes.read(
        _quads(":S a sh:NodeShape ; sh:targetClass :Car ; sh:property [ sh:path :p ; sh:lessThan :p ] ."), NOWHERE
    )
    cars = " ".join(f":c{n} a :Car ; :p {data} ." for n in range(9))
    with pytest.raises(raised):
        judge.in_full(shapes, Data.copied(_quads(cars), NOWHERE))


def test_one_focus_node_is_judged_by_all_that_its_shape_asks() -> None:
    shapes = Shapes.read(_quads(SHAPES), NOWHERE)
    data = Data.copied(_quads(CARS), NOWHERE)
    (shape,) = (watch.shape for watch in shapes.watches)
    car: set[ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple] = {ox.NamedNode("http://x/c4")}
    assert {r.message for r in judge.at(shapes, data, [(shape, car)]).results} == {"Name it.", "Old."}
