"""How fast the graph tells of its things, beside the same CONSTRUCT on a durable Oxigraph, both driven in turns in one run.

`python -m bench.entities` starts the shipped service and an Oxigraph with the merge of its graphs, compares what each says of
some things of every kind, and has wrk ask for their Turtle. It returns 0 if the targets are kept, 1 if not.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import pyoxigraph as ox

from bench import cache, command, machine
from bench.processes import processor_seconds, wait_until_idle
from bench.servers import N_TRIPLES, Server, ServerError, ask, durable_oxigraph, shipped_motorgraph, wait_until_at_rest
from bench.targets import Target, Verdict, print_verdicts
from bench.wrk import Load, Reading, drive_through

BASE = "https://motorgraph.example"
TURTLE = "text/turtle"
WARM_UP_SECONDS = 1
LEAST_RATE = 1000
COMPARED = 5
KINDS = (
    *("assignment", "brand", "claim", "country", "deal", "model", "organization", "place", "plant", "proposition", "rate"),
    *("shareholding", "wmi"),
)
_SOME = """SELECT DISTINCT ?thing {{ ?thing a ?class FILTER(STRSTARTS(STR(?thing), "{prefix}")) }}
ORDER BY SHA1(STR(?thing)) LIMIT {count}"""

_DESCRIPTION = """PREFIX dcterms: <http://purl.org/dc/terms/> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX mg: <BASE/ontology/> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
CONSTRUCT { ?s ?p ?o } WHERE {
  { ?s ?p ?o VALUES ?s { THING } }
  UNION { ?s ?p ?o VALUES ?o { THING } }
  UNION { { NODES } ?s ?p ?o }
  UNION { { SELECT DISTINCT ?s { { NODES_N } ?n mg:foundIn ?s } } ?s schema:url ?o BIND(schema:url AS ?p) }
  UNION { { SELECT DISTINCT ?s { { THING ?q ?s FILTER(?q != rdf:type) } UNION { ?s ?q THING }
      UNION { { NODES_N } ?n ?q ?s FILTER(?q != rdf:type) } FILTER(isIRI(?s)) } }
    { ?s skos:prefLabel ?o BIND(skos:prefLabel AS ?p) } UNION { ?s rdfs:label ?o BIND(rdfs:label AS ?p) }
    UNION { ?s dcterms:title ?o BIND(dcterms:title AS ?p) } UNION { ?s mg:statementText ?o BIND(mg:statementText AS ?p) } }
}"""
_NODES = """SELECT DISTINCT ?s {
    { NEAR }
    UNION { { SELECT DISTINCT ?saying { NEAR_SAYING } } ?saying mg:attributedTo ?s }
    UNION { PROPOSITIONS BIND(?about AS ?s) }
    UNION { PROPOSITIONS ?s mg:proposition|mg:onProposition ?about }
    UNION { PROPOSITIONS ?saying mg:proposition ?about ; mg:attributedTo ?s } }"""
_NEAR = """{ THING ?l ?s FILTER(?l != rdf:type && isIRI(?s)) } UNION { ?s ?l THING }
      FILTER NOT EXISTS { ?s skos:prefLabel|rdfs:label|dcterms:title ?name }"""
_PROPOSITIONS = """{ SELECT DISTINCT ?about { { THING mg:acceptedFrom/mg:proposition ?about }
      UNION { ?about ?k THING ; a mg:Proposition } UNION { THING mg:proposition ?about }
      UNION { THING a mg:Proposition BIND(THING AS ?about) } } }"""


@dataclass(frozen=True)
class Plan:
    """What to run: how many things of each kind, which kinds, over how many connections, how long and how often."""

    things: int
    kinds: list[str]
    connections: int
    seconds: int
    rounds: int
    json: Path | None


@dataclass(frozen=True)
class Figure:
    """The answers a second of the service and of Oxigraph for the things of a kind; `work` is the service's processor time of
    one in milliseconds."""

    kind: str
    ours: float
    theirs: float
    work: float

    @property
    def ratio(self) -> float:
        """How many answers the service gives for one of Oxigraph."""
        return self.ours / self.theirs if self.theirs else 0.0

    def row(self) -> str:
        """The figure as a line of text."""
        return f"{self.kind:14}{self.ours:10,.0f}{self.theirs:10,.0f}{self.ratio:8.2f}{self.work:8.2f}"


def arguments() -> Plan:
    """The plan that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.entities", description="Time descriptions of things.")
    parser.add_argument("--things", type=int, default=40, help="things of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS), help="comma-separated")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2, help="length of each drive, whole seconds")
    parser.add_argument("--rounds", type=int, default=3, help="drives of each server; the median counts")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    return Plan(given.things, given.kinds.split(","), given.connections, given.seconds, given.rounds, given.json)


def construct(thing: str) -> str:
    """The description of a thing as one query."""
    nodes = _NODES.replace("NEAR_SAYING", _NEAR.replace("?s", "?saying")).replace("NEAR", _NEAR)
    nodes = nodes.replace("PROPOSITIONS", _PROPOSITIONS)
    others = nodes.replace("?saying", "?voice").replace("?s", "?n")
    text = _DESCRIPTION.replace("NODES_N", others).replace("NODES", nodes)
    return text.replace("THING", f"<{thing}>").replace("BASE", BASE)


def some(server: Server, kind: str, count: int) -> list[str]:
    """The IRIs of some things of a kind, always the same."""
    path = server.path(_SOME.format(prefix=f"{BASE}/id/{kind}/", count=count))
    status, body = ask(server.port, path, "text/csv")
    if status != 200:
        raise ServerError(f"{server.name} does not list things of the kind {kind}: {status} {body[:200]!r}")
    return body.decode().split()[1:]


def request(server: Server, thing: str) -> tuple[str, str]:
    """The path where a server tells of a thing, and the query to post there ("": it is to be got)."""
    if server.name == "motorgraph":
        return f"/data/{thing.removeprefix(BASE + '/id/')}.ttl", ""
    return server.sparql, " ".join(construct(thing).split())


def difference(servers: Sequence[Server], thing: str) -> str:
    """In words how what the servers say of a thing differs, "" if it does not but for names: one is enough for the service."""
    said = []
    for server in servers:
        path, query = request(server, thing)
        status, body = ask(server.port, path, TURTLE, query)
        if status != 200:
            return f"{server.name} answers {status} for {thing}"
        said.append({str(quad.triple) for quad in ox.parse(body, ox.RdfFormat.TURTLE)})
    ours, theirs = said
    lacking = [t for t in theirs - ours if not any(name in t for name in ("prefLabel>", "label>", "title>", "statementText>"))]
    if ours - theirs or lacking:
        return f"{thing}: {len(ours - theirs)} triples more and {len(lacking)} fewer than the query has"
    return ""


def figures(servers: Sequence[Server], plan: Plan, folder: Path) -> tuple[list[Figure], list[str]]:
    """The figure of each kind and of all together, and every fault."""
    found: list[Figure] = []
    faults: list[str] = []
    everything: list[str] = []
    for kind in plan.kinds:
        things = some(servers[0], kind, plan.things)
        everything += things
        faults += [fault for thing in things[:COMPARED] if (fault := difference(servers, thing))]
        found.append(figure(servers, kind, things, plan, folder))
    found.append(figure(servers, "all", everything, plan, folder))
    faults += [f"{f.kind}: statuses other than 200, or no answer" for f in found if not (f.ours and f.theirs)]
    return found, faults


def figure(servers: Sequence[Server], kind: str, things: Sequence[str], plan: Plan, folder: Path) -> Figure:
    """The figure of some things, the servers in turns; a rate of 0 for a server that gave an error."""
    rates: dict[str, list[float]] = {server.name: [] for server in servers}
    lists, work = {}, []
    for server in servers:
        lists[server.name] = folder / f"{server.name}-{kind}.txt"
        lists[server.name].write_text("".join("\t".join(filter(None, request(server, t))) + "\n" for t in things))
        drive_alone(server, lists[server.name], Load("", TURTLE, plan.connections, WARM_UP_SECONDS))
    for _ in range(plan.rounds):
        for server in servers:
            before = processor_seconds(server.pid)
            reading = drive_alone(server, lists[server.name], Load("", TURTLE, plan.connections, plan.seconds))
            rates[server.name].append(0.0 if reading.errors else reading.rate)
            if server is servers[0]:
                work.append((processor_seconds(server.pid) - before) / max(reading.requests, 1) * 1000)
    ours, theirs = (min(rates[server.name]) and statistics.median(rates[server.name]) for server in servers)
    made = Figure(kind, ours, theirs, statistics.median(work))
    print(made.row(), flush=True)
    return made


def drive_alone(server: Server, paths_file: Path, load: Load) -> Reading:
    """A drive, and the wait until the server has let go of what wrk broke off."""
    reading = drive_through(server, paths_file, load)
    wait_until_idle(server.pid)
    return reading


def merged(server: Server, folder: Path) -> Path:
    """The merge of all graphs of a server as an N-Triples file."""
    status, body = ask(server.port, "/graphs?default", N_TRIPLES)
    if status != 200:
        raise ServerError(f"{server.name} does not give its default graph: {status}")
    path = folder / "merged.nt"
    path.write_bytes(body)
    return path


def measure(plan: Plan, circumstances: Mapping[str, str]) -> list[Verdict]:
    """Start the servers, measure, stop the servers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(cache.passing_folder()))
        ours = stack.enter_context(shipped_motorgraph(None, folder))
        theirs = stack.enter_context(durable_oxigraph(merged(ours, folder), folder))
        wait_until_at_rest([ours, theirs])
        print(f"\n{'kind':14}{'motorgraph':>10}{'durable':>10}{'ratio':>8}{'ms':>8}   a second, {plan.connections} connections")
        found, faults = figures([ours, theirs], plan, folder)
    for fault in faults:
        print(f"VOID: {fault}")
    if plan.json:
        content = {"command": command.line("bench.entities"), "circumstances": circumstances}
        content |= {"things": [asdict(figure) for figure in found], "faults": faults}
        plan.json.write_text(json.dumps(content, indent=1) + "\n")
    void = "; ".join(faults[:1])
    rate, slowest = found[-1].ours, min(found, key=lambda figure: figure.ratio)
    return [
        Verdict(Target("Turtle of things of all kinds", LEAST_RATE, "a second", at_least=True), None if faults else rate, void),
        Verdict(Target("to durable, worst kind", 1.0, at_least=True), None if faults else slowest.ratio, void or slowest.kind),
    ]


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    plan = arguments()
    words = f"{plan.things} things of each of {len(plan.kinds)} kinds, {plan.rounds} rounds of {plan.seconds} s, wrk -t1"
    circumstances = {**machine.description(), "plan": words}
    return command.run(circumstances, lambda: print_verdicts(measure(plan, circumstances)))


if __name__ == "__main__":
    sys.exit(main())
