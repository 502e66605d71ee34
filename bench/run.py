"""The speed of motorgraph beside Oxigraph on disk and Oxigraph in memory, all driven in turns in one run.

`python -m bench.run` generates the graph if need be, starts the servers on loopback ports, compares their answers,
times the seventeen queries with wrk, and says which targets are kept. It returns 0 if all are, 1 if not.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import answers, cache, command, machine
from bench.answers import Answer
from bench.figures import GOALS, Drive, Figures, connections_in_words
from bench.processes import wait_until_idle
from bench.queries import QUERIES
from bench.servers import STARTERS, Server
from bench.targets import print_verdicts
from bench.wrk import Load, Reading, drive

WARM_UP_SECONDS = 1
# A drive ends with an answer unfinished on each connection, so a few answers make a rate too low.
LEAST_ANSWERS = 10
LEAST_ANSWERS_EACH = 4
MOST_SECONDS = 30
# wrk counts the unfinished answers' bytes too, so it has never fewer than whole answers take, unless bodies are cut.
LEAST_SHARE_OF_THE_BODY = 0.95


@dataclass(frozen=True)
class Plan:
    """What to run: graph size, seconds of each drive, rounds, connection counts, queries and servers by name."""

    triples: int
    seconds: int
    rounds: int
    connections: list[int]
    queries: list[str]
    servers: list[str]
    json: Path | None


def arguments(words: Sequence[str] | None = None) -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Time the queries on each server.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    parser.add_argument("--seconds", type=int, default=3, help="length of each drive, whole seconds")
    parser.add_argument("--rounds", type=int, default=3, help="drives of each server; the median counts")
    parser.add_argument("--connections", default="1,8", help="comma-separated")
    parser.add_argument("--only", default="", help="comma-separated starts of query names, such as q01,q15")
    parser.add_argument("--servers", default=",".join(STARTERS), help="comma-separated, out of " + ", ".join(STARTERS))
    parser.add_argument("--json", type=Path, help="a file for all readings")
    given = parser.parse_args(words)
    servers = given.servers.split(",")
    starts = tuple(given.only.split(","))
    queries = [name for name in QUERIES if name.startswith(starts)]
    if not queries or not set(servers) <= set(STARTERS):
        parser.error("no query or no server of that name")
    connections = [int(count) for count in given.connections.split(",")]
    return Plan(given.triples, given.seconds, given.rounds, connections, queries, servers, given.json)


def check_answers(servers: Sequence[Server], name: str) -> tuple[list[Answer], list[str]]:
    """Each server's answer to a query, and in words every way in which they fail or differ."""
    found = [answers.answer(server, name) for server in servers]
    faults = [answer for answer in found if isinstance(answer, str)]
    good = [answer for answer in found if not isinstance(answer, str)]
    different = [answers.difference(good[0], other, name) for other in good[1:]]
    return good, faults + [difference for difference in different if difference]


def time_query(servers: Sequence[Server], name: str, plan: Plan) -> list[Drive]:
    """One query's drives: at each connection count, round by round, the servers in turns."""
    checked, faults = check_answers(servers, name)
    drives: list[Drive] = []
    for connections in plan.connections:
        row = [Drive(name, connections, server.name, faults=list(faults)) for server in servers]
        drives += row
        if faults:
            continue
        warm_up(servers, Load(QUERIES[name], answers.accept(name), connections, WARM_UP_SECONDS))
        for _ in range(plan.rounds):
            for server, answer, record in zip(servers, checked, row, strict=True):
                seconds = seconds_of_drive(answer.seconds, connections, plan)
                reading = drive_alone(server, Load(QUERIES[name], answers.accept(name), connections, seconds))
                record.readings.append(reading)
                place = f"{server.name} at {connections_in_words(connections)}"
                record.faults.extend(f"{place}: {fault}" for fault in faults_of(reading, answer.size))
    return drives


def warm_up(servers: Sequence[Server], load: Load) -> None:
    """A load on each server that does not count: caches fill, forked processes touch their pages."""
    for server in servers:
        drive_alone(server, load)


def drive_alone(server: Server, load: Load) -> Reading:
    """A drive, and after it the wait until the server has let go of what wrk broke off, which would slow the next."""
    reading = drive(server, load)
    wait_until_idle(server.pid)
    return reading


def seconds_of_drive(seconds_of_answer: float, connections: int, plan: Plan) -> int:
    """The length of a drive: as planned, but more where answers are so slow that their number would be too coarse."""
    wanted = LEAST_ANSWERS + LEAST_ANSWERS_EACH * connections
    at_once = min(connections, os.cpu_count() or 1)
    return min(max(plan.seconds, math.ceil(wanted * seconds_of_answer / at_once)), max(plan.seconds, MOST_SECONDS))


def faults_of(reading: Reading, size: int) -> list[str]:
    """In words why a reading is void; a good one has no fault."""
    faults = []
    if reading.errors:
        kinds = f"{reading.status_errors} statuses, {reading.socket_errors} sockets, {reading.timeouts} late"
        faults.append(f"{reading.errors} errors ({kinds})")
    if not reading.requests:
        faults.append("no answer in the time; give it more --seconds")
    if reading.received < reading.requests * size * LEAST_SHARE_OF_THE_BODY:
        faults.append("answers shorter than the one that was checked")
    return faults


def time_all(plan: Plan) -> Figures:
    """Start the servers, time the queries, stop the servers."""
    graph = cache.graph(plan.triples)
    drives: list[Drive] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(cache.passing_folder()))
        servers = [stack.enter_context(STARTERS[name](graph, folder)) for name in plan.servers]
        for server in servers:
            print(f"{server.name} is ready, {server.seconds_to_ready:.1f} s after its start", flush=True)
        for name in plan.queries:
            drives += time_query(servers, name, plan)
            print(progress(drives, name), flush=True)
    return Figures(drives)


def progress(drives: Sequence[Drive], name: str) -> str:
    """A line on the query just timed."""
    rates = [f"{d.server}@{d.connections} {d.rate:.1f}" for d in drives if d.query == name and d.rate is not None]
    return f"  {name}: " + (", ".join(rates) or "void")


def report(figures: Figures, circumstances: dict[str, str], plan: Plan) -> bool:
    """Print the tables and the targets, write the JSON, and return whether all targets are kept and no figure is void."""
    for connections in figures.connections:
        print("\nAnswers a second, " + figures.table(connections))
    for fault in figures.faults():
        print(f"VOID: {fault}")
    is_partial = len(figures.queries) < len(QUERIES)
    verdicts = [] if is_partial else [figures.verdict(goal) for goal in GOALS]
    if is_partial:
        print(f"\nOnly {len(figures.queries)} of {len(QUERIES)} queries ran. The targets are for all, so there is no verdict.")
    kept = is_partial or print_verdicts(verdicts)
    if plan.json:
        content = {
            "circumstances": circumstances,
            "plan": asdict(plan),
            "drives": [record.record() for record in figures.drives],
            "targets": [{**asdict(verdict), "verdict": verdict.word} for verdict in verdicts],
        }
        plan.json.write_text(json.dumps(content, indent=1, default=str) + "\n")
    return kept and not figures.faults()


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    circumstances = {
        **machine.description(),
        "plan": f"{plan.triples:,} triples, {plan.rounds} rounds of {plan.seconds} s, wrk -t1",
    }
    return command.run(circumstances, lambda: report(time_all(plan), circumstances, plan))


if __name__ == "__main__":
    sys.exit(main())
