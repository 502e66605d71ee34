"""What a start costs, with the first write and trial after it: of the shipped graph, in a new data folder and in a known one.

`python -m bench.starts` prints seconds and processor seconds of all processes together; the least of some rounds counts.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench import command, machine
from bench.processes import processor_seconds, wait_until_idle
from bench.servers import Server, shipped_motorgraph
from bench.writes import TOKEN, Client

GRAPH = "https://motorgraph.example/graph/bench"
TURTLE = "text/turtle"
KINDS = {"new folder": 0.1, "known folder": 0.1, "known folder, at rest": 2.0}
"""How long all processes have to take no time before anything is asked; at rest a service prepares what it will be asked for."""
TEXT = b"""
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    <https://motorgraph.example/id/plant/ford-cologne> rdfs:comment "Measured %d times"@en .
"""


@dataclass(frozen=True)
class Cost:
    """Of one step."""

    name: str
    seconds: float
    processor: float


def started(folder: Path, rest: float, *, is_writable: bool) -> list[Cost]:
    """A start in a data folder, and the first of what can be asked of it when it has been idle for some seconds."""
    os.environ.pop("MOTORGRAPH_WRITE_TOKEN", None)
    if is_writable:
        os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    with shipped_motorgraph(None, folder, "--data-dir", str(folder / "data")) as server:
        ready = Cost("ready", server.seconds_to_ready, processor_seconds(server.pid))
        wait_until_idle(server.pid, 60, rest)
        return [ready, *_firsts(server, is_writable=is_writable)]


def _firsts(server: Server, *, is_writable: bool) -> Iterator[Cost]:
    steps = [("first trial", "/validate", "POST"), ("second trial", "/validate", "POST")]
    if is_writable:
        path = f"/graphs?graph={GRAPH}"
        steps = [("first write", path, "PUT"), ("second write", path, "PUT"), *steps]
    for number, (name, path, method) in enumerate(steps):
        before = processor_seconds(server.pid)
        with closing(Client(server)) as client:
            seconds = client.send(path, TEXT % number, TURTLE, method)
        wait_until_idle(server.pid)
        yield Cost(name, seconds, processor_seconds(server.pid) - before)


def measure(rounds: int) -> bool:
    """Prints a line for each step of each kind of start."""
    for is_writable in (True, False):
        found: dict[str, list[list[Cost]]] = {kind: [] for kind in KINDS}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                for kind, rest in KINDS.items():
                    found[kind].append(started(Path(folder), rest, is_writable=is_writable))
        for kind, costs in found.items():
            print(f"\n{'writable' if is_writable else 'read-only'}, {kind}")
            for steps in zip(*costs, strict=True):
                seconds, processor = min(s.seconds for s in steps), min(s.processor for s in steps)
                print(f"  {steps[0].name:14}{seconds:7.3f} s {processor:7.2f} s of processor time", flush=True)
    return True


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(prog="python -m bench.starts", description="Measure starts.")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the least counts")
    rounds = parser.parse_args().rounds
    return command.run(machine.description(), lambda: measure(rounds))


if __name__ == "__main__":
    sys.exit(main())
