"""The speed of motorgraph beside other servers of the same graph, all driven in turns in one run.

`python -m bench.run` generates the graph if need be, starts the servers on loopback ports, compares their answers,
times the queries with wrk, and says which targets are kept. It returns 0 if all are, 1 if not.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import cache, command, machine
from bench.drives import Pace, not_modified, time_query
from bench.entities import merged
from bench.figures import OURS, WARM, Drive, Figures
from bench.mixture import Mixture, mix
from bench.peers import STARTERS, lacking
from bench.queries import TIMED, Query, shipped_queries
from bench.servers import Server, shipped_motorgraph, wait_until_at_rest
from bench.targets import Target, Verdict, print_verdicts
from bench.writes import TOKEN

DEFAULT = ("motorgraph", "durable", "memory")
SHORT = TIMED["q01_point"]
NOT_MODIFIED_CONNECTIONS = 8
LEAST_NOT_MODIFIED = 10_000


@dataclass(frozen=True)
class Plan:
    """What to run: the graph ("shipped", or so many generated triples), the pace, connections, queries and servers by name.

    `writes` a second beside the readers, none if 0.
    """

    graph: str
    pace: Pace
    connections: list[int]
    queries: list[Query]
    servers: list[str]
    writes: int
    json: Path | None

    @property
    def is_whole(self) -> bool:
        """Whether these are the queries that the goals are about, all of them."""
        return self.queries == [*TIMED.values()]

    @property
    def words(self) -> str:
        """The plan in words."""
        graph = "the shipped graph" if self.graph == "shipped" else f"{int(self.graph):,} generated triples"
        drives = f"{self.pace.rounds} rounds of {self.pace.seconds} s (at most {self.pace.most_seconds}), wrk -t1"
        return f"{graph}, {len(self.queries)} queries, {drives}"


@dataclass(frozen=True)
class Run:
    """What came of a plan: the drives, the 304s a second by server, what reads and writes were together by server."""

    figures: Figures
    not_modified: Mapping[str, float]
    mixtures: Mapping[str, Mixture]

    def verdicts(self, plan: Plan) -> list[Verdict]:
        """The goals held against it."""
        target = Target(f"304s a second, {NOT_MODIFIED_CONNECTIONS} connections", LEAST_NOT_MODIFIED, at_least=True)
        return [
            *(self.figures.verdicts() if plan.is_whole else []),
            *(Verdict(target, rate, name) for name, rate in self.not_modified.items()),
        ]


def arguments(words: Sequence[str] | None = None) -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Time the queries on each server.")
    parser.add_argument("--triples", type=int, default=1_000_000, help="size of the generated graph")
    parser.add_argument("--shipped", action="store_true", help="the shipped graph and its questions instead")
    parser.add_argument("--seconds", type=int, default=3, help="length of each drive, whole seconds")
    parser.add_argument("--most-seconds", type=int, default=30, help="length of a drive where answers are slow")
    parser.add_argument("--warm-up", type=int, default=1, help="seconds of load on each query before, 0 for none")
    parser.add_argument("--rounds", type=int, default=3, help="drives of each server; the median counts")
    parser.add_argument("--connections", default="1,8", help="comma-separated")
    parser.add_argument("--only", default="", help="comma-separated starts of query names, such as q01,q15")
    parser.add_argument("--servers", default=",".join(DEFAULT), help="comma-separated, out of " + ", ".join(STARTERS))
    parser.add_argument("--writes", type=int, default=0, help="writes a second beside readers, after the queries; 0 for none")
    parser.add_argument("--json", type=Path, help="a file for all readings")
    given = parser.parse_args(words)
    servers = given.servers.split(",")
    offered = shipped_queries() if given.shipped else [*TIMED.values()]
    queries = [query for query in offered if query.name.startswith(tuple(given.only.split(",")))]
    if not queries or not set(servers) <= set(STARTERS):
        parser.error("no query or no server of that name")
    connections = [int(count) for count in given.connections.split(",")]
    pace = Pace(given.seconds, max(given.seconds, given.most_seconds), given.warm_up, given.rounds)
    graph = "shipped" if given.shipped else str(given.triples)
    return Plan(graph, pace, connections, queries, servers, given.writes, given.json)


@contextmanager
def started(plan: Plan) -> Iterator[list[Server]]:
    """All servers of a plan with its graph, stopped at the end. Ours of the shipped graph is as it ships, shapes and all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(cache.passing_folder()))
        servers: list[Server] = []
        if plan.graph == "shipped":
            ours = stack.enter_context(shipped_motorgraph(None, folder))
            graph = merged(ours, folder)
            servers += [ours] if OURS in plan.servers else []
        else:
            graph = cache.graph(int(plan.graph))
        for name in plan.servers:
            if lack := lacking(name):
                print(f"{name} is left out: there is not {lack}", flush=True)
                continue
            if name not in [server.name for server in servers]:
                servers.append(stack.enter_context(_starter(name, plan)(graph, folder)))
            print(f"{name} is ready, {servers[-1].seconds_to_ready:.1f} s after its start", flush=True)
        wait_until_at_rest(servers)
        yield servers


def _starter(name: str, plan: Plan) -> Callable[[Path, Path], AbstractContextManager[Server]]:
    if plan.graph == "shipped" and name == WARM:
        return lambda _, folder: shipped_motorgraph(None, folder, "--cache-bytes", "256", name=WARM)
    return STARTERS[name]


def time_all(plan: Plan) -> Run:
    """Start the servers, time the queries, the 304s and reads beside writes, stop the servers."""
    drives: list[Drive] = []
    with started(plan) as servers:
        for query in plan.queries:
            drives += time_query(servers, query, plan.connections, plan.pace)
            print(progress(drives, query.name), flush=True)
        ours = [server for server in servers if server.name in (OURS, WARM)]
        found = {s.name: not_modified(s, SHORT, NOT_MODIFIED_CONNECTIONS, plan.pace.seconds) for s in ours}
        mixtures = {s.name: mix(s, plan.writes, plan.pace.most_seconds) for s in servers if plan.writes}
    return Run(Figures(drives), found, mixtures)


def progress(drives: Sequence[Drive], name: str) -> str:
    """A line on the query just timed."""
    rates = [f"{d.server}@{d.connections} {d.rate:.1f}" for d in drives if d.query == name and d.rate is not None]
    return f"  {name}: " + (", ".join(rates) or "void")


def report(run: Run, circumstances: dict[str, str], plan: Plan) -> bool:
    """Print the tables and the targets, write the JSON, and return whether all targets are kept and no figure of ours is void."""
    for connections in run.figures.connections:
        print("\nAnswers a second, " + run.figures.table(connections))
    for name, mixture in run.mixtures.items():
        print(f"{name}: {mixture.words}")
    for fault in run.figures.faults():
        print(f"VOID: {fault}")
    verdicts = run.verdicts(plan)
    if not plan.is_whole:
        print("\nThese are not all of the generated graph's queries, which the targets of speed are for.")
    kept = print_verdicts(verdicts)
    if plan.json:
        plan.json.parent.mkdir(parents=True, exist_ok=True)
        plan.json.write_text(record(run, circumstances, plan))
    return kept and not run.figures.faults(OURS, WARM)


def record(run: Run, circumstances: dict[str, str], plan: Plan) -> str:
    """The run as JSON, a line for each drive, so that what two runs differ in can be seen."""
    drives = ",\n  ".join(json.dumps(drive.record()) for drive in run.figures.drives)
    content = {
        "graph": plan.graph,
        "command": command.line("bench.run"),
        "circumstances": circumstances,
        "not_modified": dict(run.not_modified),
        "mixtures": {name: asdict(mixture) for name, mixture in run.mixtures.items()},
        "targets": [{**asdict(verdict), "verdict": verdict.word} for verdict in run.verdicts(plan)],
    }
    return json.dumps(content, indent=1)[:-2] + f',\n "drives": [\n  {drives}\n ]\n}}\n'


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    if plan.writes:
        os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    circumstances = {**machine.description(), "plan": plan.words}
    return command.run(circumstances, lambda: report(time_all(plan), circumstances, plan))


if __name__ == "__main__":
    sys.exit(main())
