"""The benchmark's graph is the same everywhere, and its queries have answers on it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from bench.gen import generate
from bench.queries import QUERIES

ROOT = Path(__file__).parents[1]
CANNOT_MOUNT = 2
EXPECTED = "31bb0ae94da101c5d7e15e9ccd29d1f2e1b9987ec5fe8cdf7732fe2abc9423e2"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ox.Store:
    path = graph(tmp_path_factory.mktemp("bench"))
    made = ox.Store()
    made.load(path=str(path), format=ox.RdfFormat.N_TRIPLES)
    return made


def graph(folder: Path) -> Path:
    path = folder / "graph.nt"
    with path.open("w") as out:
        generate(20_000, 42, out.write)
    return path


def test_the_generated_graph_is_the_same_to_the_byte(tmp_path: Path) -> None:
    assert hashlib.sha256(graph(tmp_path).read_bytes()).hexdigest() == EXPECTED


def test_it_has_as_many_triples_as_were_asked_for(store: ox.Store) -> None:
    assert len(store) == 20_000


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_evaluated(store: ox.Store, name: str) -> None:
    result = store.query(QUERIES[name])
    assert isinstance(result, ox.QueryBoolean) or list(result) is not None


@pytest.mark.parametrize("options", [["--rounds", "4"], ["--rounds", "1", "--full-disk"]], ids=["kills", "a full disk"])
def test_acknowledged_writes_survive(options: list[str]) -> None:
    """A few rounds of `python -m bench.crash`."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.crash", "--seed", "7", *options], capture_output=True, text=True, timeout=300, cwd=ROOT
    )
    if done.returncode == CANNOT_MOUNT:
        pytest.skip("a small disk to fill can only be mounted by root")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all there" in done.stdout


def test_it_gets_over_faults() -> None:
    """Some of `python -m bench.faults`, those that take the least time and need no rights."""
    some = "stopped draft,keeper stopped for a while,no more descriptors"
    done = subprocess.run(
        [sys.executable, "-m", "bench.faults", "--seed", "7", "--only", some],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("written again after") == 3
    assert "all there" in done.stdout
