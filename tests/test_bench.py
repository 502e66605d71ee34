"""The benchmark's graph is the same everywhere, its queries have answers, and the documentation tells what it has measured."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyoxigraph as ox
import pytest
from bench.chronicle import Chronicle, Write
from bench.figures import Drive, Figures, Goal
from bench.gen import generate
from bench.growth import slope
from bench.peers import lacking
from bench.processes import processor_seconds
from bench.queries import QUERIES
from bench.readings import Readings
from bench.report import PAGE, page, text
from bench.servers import Server, wait_until_at_rest
from bench.wrk import Reading

ROOT = Path(__file__).parents[1]
CANNOT_MOUNT = 2
MOST_BYTES_OF_A_PLOT = 60_000
PICTURE = re.compile(r"!\[[^\]]{20,}\]\(([^)]+)\)")
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
    some = "stopped draft,keeper stopped for a while"
    done = subprocess.run(
        [sys.executable, "-m", "bench.faults", "--seed", "7", "--only", some],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("written again after") == 2
    assert "all there" in done.stdout


# What is made of what was measured


def drive(query: str, server: str, rate: float, *faults: str, is_bound: bool = False) -> Drive:
    reading = Reading(int(rate * 1000), 1_000_000_000, 0, 0, 0, 0, 0, 0)
    return Drive(query, 8, server, [] if is_bound else [reading], [*faults], [rate] if is_bound else [])


def test_a_query_that_is_void_for_another_server_is_left_out_of_its_mean() -> None:
    figures = Figures(
        [
            *(drive("a", "motorgraph", 40), drive("a", "durable", 10)),
            *(drive("b", "motorgraph", 90), drive("b", "durable", 10)),
            *(drive("c", "motorgraph", 5), drive("c", "durable", 99, "durable answers 500")),
        ]
    )
    verdict = figures.verdict(Goal("durable", 8, "geometric mean", 2.5))
    assert verdict.figure == pytest.approx(6)
    assert (verdict.word, verdict.note) == ("pass", "of 2 queries")
    assert figures.faults("durable") == ["c: durable answers 500"]
    assert not figures.faults("motorgraph")


def test_a_query_that_is_void_for_ours_makes_the_goal_void() -> None:
    figures = Figures(
        [drive("a", "motorgraph", 40), drive("a", "durable", 10), drive("b", "motorgraph", 9, "late"), drive("b", "durable", 1)]
    )
    assert figures.verdict(Goal("durable", 8, "lowest", 0.5)).word == "none"


def test_a_bound_counts_as_the_rate_of_the_other_and_is_told_as_one(tmp_path: Path) -> None:
    drives = [drive("a", "motorgraph", 40), drive("a", "rdflib", 10, is_bound=True)]
    told = {"command": "x", "circumstances": dict.fromkeys(("commit", "machine", "load", "versions"), "x"), "not_modified": {}}
    content = told | {"graph": "1000", "mixtures": {}, "targets": [], "drives": [each.record() for each in drives]}
    (tmp_path / "1000.json").write_text(json.dumps(content))
    made = text(Readings.of(tmp_path))
    assert "| a | 40 | ≥ 4 |" in made
    assert "| 8 | 4 (4) |" in made


def test_the_slope_is_the_exponent_of_size() -> None:
    assert slope({10: 3.0, 100: 30.0, 1000: 300.0}) == pytest.approx(1)
    assert slope({10: 3.0, 1000: 3.0}) == pytest.approx(0)
    assert slope({100: 1.0, 10_000: 10.0}) == pytest.approx(0.5)


def test_the_documentation_says_what_the_readings_say() -> None:
    assert page(PAGE.read_text("utf-8"), Readings.of()) == PAGE.read_text("utf-8")


def test_every_plot_of_the_documentation_is_there_is_small_and_is_shown_with_words() -> None:
    shown = set(PICTURE.findall(PAGE.read_text("utf-8")))
    there = {path.relative_to(PAGE.parent).as_posix(): path.stat().st_size for path in PAGE.parent.glob("plots/*")}
    assert shown == set(there)
    assert max(there.values()) <= MOST_BYTES_OF_A_PLOT


def test_the_plots_are_those_of_the_readings(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra bench is not installed")
    from bench.plots import draw

    draw(Readings.of(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in PAGE.parent.glob("plots/*")}


def test_a_run_compares_times_and_leaves_its_readings(tmp_path: Path) -> None:
    """One beside all other servers on disk that are here, since most of the time goes on starts and on waiting until all is at
    rest."""
    if not shutil.which("wrk"):
        pytest.skip("there is not the command wrk")
    servers = ["motorgraph", *(name for name in ("durable", "virtuoso", "rdflib") if not lacking(name))]
    left = tmp_path / "20000.json"
    plan = "--triples 20000 --only q01,q15,q17 --seconds 1 --most-seconds 2 --warm-up 0 --rounds 1 --connections 2 --writes 5"
    asked = [sys.executable, "-m", "bench.run", "--servers", ",".join(servers), *plan.split(), "--json", str(left)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=170, cwd=ROOT)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: a goal is missed
    run = Readings.of(tmp_path).runs[20_000]
    assert run.figures.servers == servers
    assert not run.figures.faults()
    assert all(each.rate for each in run.figures.drives)
    assert not [mixture.errors for mixture in run.mixtures.values() if mixture.errors]
    assert all(mixture.writes and mixture.beside for mixture in run.mixtures.values())
    assert set(run.not_modified) == {"motorgraph"}
    assert "--json" not in run.command


BUSY_LATER = """
import time
print("ready", flush=True)
time.sleep(0.2)
while time.process_time() < 1: pass
time.sleep(600)
"""


def test_the_first_drive_waits_for_what_a_server_does_unasked_after_its_start() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY_LATER], stdout=subprocess.PIPE, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            wait_until_at_rest([Server("later", 0, server.pid, "", 0)], begun_after=0.5, for_seconds=1)
            assert processor_seconds(server.pid) >= 0.95  # told in hundredths
        finally:
            server.kill()


# What a soak holds answers against


def told_by(seen: dict[str, set[tuple[int, int] | None]], commit: int) -> list[str]:
    """What is found wrong with an answer about two graphs, of which one is rewritten and the other goes."""
    wrong: list[str] = []
    chronicle = Chronicle(0, 1, wrong.append)
    for number, (graph, then) in enumerate([("a", (5, 20)), ("b", (6, 20)), ("a", (7, 20)), ("b", None)], 2):
        chronicle.begin(f"w-{number}", Write(graph, then))
        chronicle.made(f"w-{number}", number)
    chronicle.saw(commit, "newest", seen)
    chronicle.judge()
    return wrong


def test_an_answer_that_tells_the_graphs_as_they_were_after_its_commit_is_right() -> None:
    assert told_by({"a": {(5, 20)}, "b": {(6, 20)}}, 3) == []
    assert told_by({"a": {(7, 20)}, "b": set()}, 5) == []
    assert told_by({"a": set()}, 1) == []


@pytest.mark.parametrize(
    ("seen", "commit"),
    [
        ({"a": {(5, 20)}}, 4),  # as it was before
        ({"a": {(7, 20)}}, 3),  # as it is only later
        ({"a": {(5, 10), (7, 10)}}, 4),  # half of each
        ({"a": {(7, 19)}}, 4),
        ({"b": {(6, 20)}}, 5),  # it has gone
        ({"a": set()}, 4),
    ],
)
def test_an_answer_from_another_commit_or_of_half_a_graph_is_found_out(
    seen: dict[str, set[tuple[int, int] | None]], commit: int
) -> None:
    assert told_by(seen, commit)


def test_a_commit_that_two_writers_are_told_of_is_found_out() -> None:
    wrong: list[str] = []
    chronicle = Chronicle(0, 1, wrong.append)
    for name in ("w-1", "w-2"):
        chronicle.begin(name, Write("a", None))
        chronicle.made(name, 2)
    assert wrong


def test_an_answer_must_be_from_a_commit_that_had_been_acknowledged_when_it_was_asked_for() -> None:
    chronicle = Chronicle(0, 1, lambda words: None)
    before = time.monotonic()
    assert chronicle.acknowledged_at(before) == 1
    chronicle.begin("w-1", Write("a", (1, 1)))
    chronicle.made("w-1", 2)
    assert (chronicle.acknowledged_at(before), chronicle.acknowledged_at(time.monotonic())) == (1, 2)
