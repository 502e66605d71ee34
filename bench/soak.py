"""Everything at once for a long time: whether each answer is right, nothing acknowledged is lost, and nothing grows.

`python -m bench.soak --minutes 30` starts the shipped service with readers and writers of every kind; with `--remote` its graph
is in an `oxigraph serve` on disk, which is killed and started again every few minutes. It returns 0 if all targets are kept, 1
if not.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from bench import cache, command, machine, points, traffic
from bench.chronicle import Chronicle
from bench.crash import Engine
from bench.ledger import TOKEN
from bench.processes import Holdings, Memory, give_way, holdings, memory, processor_seconds, settled_memory, wait_until_idle
from bench.servers import LOOPBACK, Server, ServerError, ask, shipped_motorgraph
from bench.targets import Target, Verdict, print_verdicts
from bench.traffic import Client, Scene

MEGABYTE = 1e6
AUTHORS = 3
LOUD_SECONDS, QUIET_SECONDS, FALLING_SECONDS = 240, 40, 5
"""Everybody is at work; nobody but the point queries is; what was under way when that began has ended."""
SECONDS_BETWEEN_SAMPLES = 10
SETTLED_MINUTE = 5
MOST_GROWTH = 1.1
MOST_TIMES_IDLE = 5
MOST_REFUSED = 1
MORE_DESCRIPTORS, MORE_PROCESSES = 16, 2
REST_SECONDS, SECONDS_TO_REST = 100, 120  # in which readers give back what they own, the last of them after eighty seconds
AWAY_SECONDS = 5, 20
SECONDS_TO_NOTICE = 5
SECONDS_TO_COME_BACK = 60
SECONDS_TO_KNOW_NAMES = 300
FAULTS_SHOWN = 20
COLUMNS = ("PSS MB", "p50 ms", "p99 ms", "processes", "threads", "files", "points", "commits", "faults")


@dataclass(frozen=True)
class Plan:
    """How long, whether on a remote store, by which chance, seconds between two kills of the store, options of the service."""

    minutes: float
    is_remote: bool
    seed: int
    between_kills: tuple[float, float]
    options: list[str]


@dataclass(frozen=True)
class Sample:
    """What the service held at a moment (monotonic)."""

    moment: float
    memory: Memory
    holdings: Holdings


@dataclass
class Record:
    """All that was measured: samples while clients were at work, rest and triples before and after, seconds after which a store
    was back."""

    samples: list[Sample] = field(default_factory=list)
    rests: list[Sample] = field(default_factory=list)
    triples: list[int] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)


def sample(server: Server) -> Sample:
    """What the service holds now."""
    return Sample(time.monotonic(), memory(server.pid), holdings(server.pid))


def rest(server: Server) -> Sample:
    """What it holds when nobody has asked anything for a while, and it has made the dump that it makes then."""
    time.sleep(REST_SECONDS)
    wait_until_idle(server.pid, SECONDS_TO_REST)
    return Sample(time.monotonic(), settled_memory(server.pid), holdings(server.pid))


def percentile(seconds: Sequence[float], percent: int) -> float:
    """The milliseconds that so many of a hundred took at most; 0 for too few to say."""
    return statistics.quantiles(seconds, n=100)[percent - 1] * 1000 if len(seconds) > 1 else 0.0


# What is run


@contextmanager
def service(plan: Plan, folder: Path) -> Iterator[tuple[Server, Engine | None, list[str]]]:
    """The shipped service, its remote store if it has one, and the options of commands on its data folder."""
    with ExitStack() as stack:
        engine, where = None, ["--data-dir", str(folder / "data")]
        options = [*where, "--cache-bytes", "64", "--log-level", "warning", *plan.options]
        if plan.is_remote:
            with shipped_motorgraph(None, folder, *where):
                pass  # so that there is a journal to be copied
            engine = Engine(folder / "engine")
            stack.callback(engine.kill)
            remote = ["--remote", engine.url, "--remote-dialect", "oxigraph"]
            run_command("copy", *where, *remote)
            options += remote
        yield stack.enter_context(shipped_motorgraph(None, folder, *options)), engine, where


def run_command(*words: str) -> str:
    """What a command of motorgraph says. Raises ServerError if it fails."""
    done = subprocess.run([sys.executable, "-m", "motorgraph", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"motorgraph {words[0]}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return (done.stdout or done.stderr).strip()


def learn(scene: Scene) -> None:
    """Asks everything before and after a commit, so that it is known what ought to be told. Raises Fault for a difference."""
    client = Client(scene.port)
    if wait_for(scene.port, HTTPStatus.OK, SECONDS_TO_KNOW_NAMES, "/search?q=geely") is None:
        raise ServerError(f"the names are not known after {SECONDS_TO_KNOW_NAMES} s")
    reply = client.ask(traffic.query(traffic.PLANTS), traffic.CSV)
    scene.knows["plants"] = reply.body.decode().split()[1:]
    author = traffic.Author(scene, client, random.Random(0), "first")
    reader = traffic.Reader(scene, client, random.Random(0))
    for _ in range(2):
        for path in traffic.PAGES:
            reader.page_at(path)
        for path in traffic.DOCUMENTS:
            reader.document_at(path)
        for thing in traffic.THINGS:
            reader.thing_at(thing)
        for act in (reader.tool, reader.history, reader.feed, reader.past_graphs):
            act()
        author.write()
    client.close()


@contextmanager
def at_work(scene: Scene, seed: int) -> Iterator[None]:
    """All clients, until the context ends."""
    chance = random.Random(seed)
    with ThreadPoolExecutor(64) as threads:
        try:
            for make, names in ((traffic.readers, [""]), (traffic.authors, [f"w{number}" for number in range(AUTHORS)])):
                for name in names:
                    for what in make(scene, Client(scene.port), chance, name):
                        client = Client(scene.port)
                        act, seconds = make(scene, client, random.Random(chance.random()), f"{name}-{what}")[what]
                        threads.submit(traffic.repeat, scene, f"{name} {what}".strip(), act, client, seconds)
            threads.submit(judge, scene)
            threads.submit(quieten, scene)
            yield
        finally:
            scene.over.set()


def quieten(scene: Scene) -> None:
    """Has all but the point queries pause now and then, so that what these take alone is measured in the same run."""
    while not scene.over.wait(LOUD_SECONDS):
        scene.quiet.set()
        scene.over.wait(FALLING_SECONDS)
        began = time.monotonic()
        scene.over.wait(QUIET_SECONDS)
        scene.lulls.append((began, time.monotonic()))
        scene.quiet.clear()


def judge(scene: Scene) -> None:
    """Judges what was seen, as commits become known."""
    give_way()
    while not scene.over.wait(1):
        scene.chronicle.judge()


def outages(scene: Scene, engine: Engine, plan: Plan, record: Record) -> None:
    """Kills the store every few minutes, starts it again after some seconds, and sees that the service notices both."""
    chance = random.Random(plan.seed)
    while not scene.over.wait(chance.uniform(*plan.between_kills)):
        scene.outages.append([time.monotonic()])
        engine.kill()
        noticed = wait_for(scene.port, HTTPStatus.SERVICE_UNAVAILABLE, SECONDS_TO_NOTICE)
        if noticed is None:
            scene.fault(f"the store is away, and /ready has not said so within {SECONDS_TO_NOTICE} s")
        scene.over.wait(chance.uniform(*AWAY_SECONDS))
        engine.begin()
        back = wait_for(scene.port, HTTPStatus.OK, SECONDS_TO_COME_BACK)
        if back is None:
            scene.fault(f"the store is back, and /ready has not said so within {SECONDS_TO_COME_BACK} s")
            return
        scene.outages[-1].append(time.monotonic())
        record.returns.append(back)
        print(f"    store killed; noticed after {noticed or 0:.1f} s, ready {back:.1f} s after its start", flush=True)


def wait_for(port: int, status: int, seconds: float, path: str = "/ready") -> float | None:
    """The seconds until an address has the status; None if it has not in time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with suppress(OSError, http.client.HTTPException):
            if ask(port, path)[0] == status:
                return time.monotonic() - began
        time.sleep(0.05)
    return None


def run(scene: Scene, server: Server, engine: Engine | None, plan: Plan, record: Record) -> None:
    """Clients at work for as long as planned; a line a minute."""
    print(f"{'minute':>6}" + "".join(f"{title:>10}" for title in COLUMNS))
    with at_work(scene, plan.seed), points.asked(scene), ThreadPoolExecutor(1) as beside:
        killing = beside.submit(outages, scene, engine, plan, record) if engine is not None else None
        started = minute = time.monotonic()
        with suppress(KeyboardInterrupt):  # then what has been until now is judged
            while time.monotonic() < started + plan.minutes * 60:
                time.sleep(SECONDS_BETWEEN_SAMPLES)
                record.samples.append(sample(server))
                if time.monotonic() >= minute + 60:
                    tell(scene, record, minute, started)
                    minute += 60
        print(f"after {(time.monotonic() - started) / 60:.1f} minutes:", flush=True)
        scene.over.set()
        if killing is not None:
            killing.result()


def tell(scene: Scene, record: Record, since: float, started: float) -> None:
    """A line on the minute that has passed."""
    last = [found for found in record.samples if found.moment >= since]
    small = [seconds for moment, seconds in list(scene.points) if moment >= since and not in_lull(scene, moment)]
    pss = statistics.median(found.memory.pss for found in last) / MEGABYTE
    held = last[-1].holdings
    seen = [pss, percentile(small, 50), percentile(small, 99)]
    counts = [held.processes, held.threads, held.descriptors, len(small), scene.chronicle.writes, len(scene.faults)]
    line = [*(f"{figure:10.1f}" for figure in seen), *(f"{count:10,}" for count in counts)]
    print(f"{(since - started) / 60 + 1:6.0f}" + "".join(line), flush=True)


def measure(plan: Plan) -> list[Verdict]:
    """Starts all, runs, looks at what is left, stops all."""
    record = Record()
    with cache.passing_folder() as name, service(plan, Path(name)) as (server, engine, where):
        chronicle = Chronicle(server.port, commit_of(server), lambda words: scene.fault(words))
        scene = Scene(server.port, chronicle)
        learn(scene)
        record.rests.append(rest(server))
        record.triples.append(triples_of(server))
        cpu, began = processor_seconds(server.pid), time.monotonic()
        run(scene, server, engine, plan, record)
        cpu, seconds = processor_seconds(server.pid) - cpu, time.monotonic() - began
        record.rests.append(rest(server))
        record.triples.append(triples_of(server))
        scene.chronicle.judge(is_last=True)
        lost = scene.chronicle.lost()
        verified = verify(where, server)
        print_met(scene, cpu / seconds)
        log = Path(name, f"motorgraph-{server.port}.log").read_text(errors="replace")
    mistakes = [line for line in log.splitlines() if "a fault of the service" in line or "Traceback" in line]
    for fault in [*lost, *verified, *mistakes][:FAULTS_SHOWN]:
        print(f"FAULT {fault}")
    return verdicts(scene, record, plan, [*lost, *verified], mistakes)


def commit_of(server: Server) -> int:
    """The newest commit of a service."""
    return Client(server.port).ask("/health").commit


def triples_of(server: Server) -> int:
    """How many triples its default graph has: it grows by what is told of each commit."""
    return int(Client(server.port).ask(traffic.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"), traffic.CSV).body.split()[1])


def verify(where: Sequence[str], server: Server) -> list[str]:
    """What `motorgraph verify` finds in the journal, and in what the service serves."""
    try:
        print("  " + run_command("verify", *where, "--url", f"http://{LOOPBACK}:{server.port}").replace("\n", "\n  "))
    except ServerError as error:
        return [str(error)]
    return []


def print_met(scene: Scene, cores: float) -> None:
    """What was asked, how it was answered, and what was judged."""
    print(f"\n{cores:.2f} cores in the mean; {sum(scene.met.values()):,} requests of clients:")
    for what, count in sorted(scene.met.items()):
        print(f"  {count:9,}  {what}")
    looked = ", ".join(f"{count:,} {how}" for how, count in scene.chronicle.looked.items())
    print(f"{scene.chronicle.writes:,} writes acknowledged, {scene.chronicle.found_out} more found by their names")
    print(f"all that they wrote, as answers tell it, held against what it must be: {looked}")


# What is judged


def verdicts(scene: Scene, record: Record, plan: Plan, lost: Sequence[str], mistakes: Sequence[str]) -> list[Verdict]:
    """The record held against the targets."""
    before, after = record.rests
    refused = 1000 * scene.refused / sum(scene.met.values())
    found = [
        Verdict(Target("answers that were wrong, or must not be", 0), len(scene.faults)),
        Verdict(Target("acknowledged writes lost, or commits that nobody made", 0), len(lost)),
        Verdict(Target("mistakes in the log", 0), len(mistakes)),
        Verdict(Target(f"memory at the end over that of minute {SETTLED_MINUTE}", MOST_GROWTH, "times"), *growth(record)),
        Verdict(Target("more descriptors at rest", MORE_DESCRIPTORS), after.holdings.descriptors - before.holdings.descriptors),
        Verdict(Target("more processes at rest", MORE_PROCESSES), after.holdings.processes - before.holdings.processes),
        times_idle(scene),
        Verdict(Target("requests refused for want of time or room", MOST_REFUSED, "of a thousand"), refused),
    ]
    if plan.is_remote:
        note = f"back after {max(record.returns, default=0):.1f} s at most"
        found.append(Verdict(Target("kills of the store", 3, at_least=True), len(record.returns), note))
    return found


def growth(record: Record) -> tuple[float | None, str]:
    """The median memory of the last five minutes over that of five after warming up, and at rest; None if it was too short."""
    started = record.samples[0].moment - SECONDS_BETWEEN_SAMPLES
    early = [found.memory.pss for found in record.samples if 0 <= found.moment - started - SETTLED_MINUTE * 60 < 300]
    late = [found.memory.pss for found in record.samples if found.moment > record.samples[-1].moment - 300]
    at_rest = " to ".join(f"{found.memory.pss / MEGABYTE:.0f}" for found in record.rests)
    graph = " to ".join(f"{count:,}" for count in record.triples)
    if record.samples[-1].moment - started < 600 + SETTLED_MINUTE * 60:
        return None, f"at rest {at_rest} MB; {graph} triples"
    medians = [statistics.median(found) / MEGABYTE for found in (early, late)]
    return medians[1] / medians[0], f"{medians[0]:.0f} to {medians[1]:.0f} MB; at rest {at_rest} MB; {graph} triples"


def times_idle(scene: Scene) -> Verdict:
    """The slowest of a hundred point queries under load in terms of what it is in the lulls of the same run."""
    idle = [seconds for moment, seconds in scene.points if in_lull(scene, moment)]
    busy = [seconds for moment, seconds in scene.points if not in_lull(scene, moment)]
    alone, beside = percentile(idle, 99), percentile(busy, 99)
    note = f"p99 {alone:.1f} ms alone, {beside:.1f} ms under load; p50 {percentile(idle, 50):.1f}, {percentile(busy, 50):.1f}"
    return Verdict(Target("p99 of point queries over idle", MOST_TIMES_IDLE, "times"), beside / alone if alone else None, note)


def in_lull(scene: Scene, moment: float) -> bool:
    """Whether nothing else was asked then."""
    return any(began <= moment <= ended for began, ended in scene.lulls)


def main() -> int:
    """Runs as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description="Everything at once for a long time.")
    parser.add_argument("--minutes", type=float, default=30, help="of clients at work")
    parser.add_argument("--remote", action="store_true", help="with the graph in another engine, which is killed now and then")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all that is left to chance")
    parser.add_argument("--between-kills", default="120,240", help="seconds from one kill to the next, at least and at most")
    parser.add_argument("--serve-option", action="append", default=[], help="for motorgraph serve, such as --readers=4")
    given = parser.parse_args()
    least, _, most = given.between_kills.partition(",")
    plan = Plan(given.minutes, given.remote, given.seed, (float(least), float(most or least)), given.serve_option)
    os.environ["MOTORGRAPH_WRITE_TOKEN"] = TOKEN
    where = "a remote oxigraph" if plan.is_remote else "memory"
    told = f"{plan.minutes:g} minutes, the graph in {where}, --seed {plan.seed}"
    return command.run({**machine.description(), "plan": told}, lambda: print_verdicts(measure(plan)))


if __name__ == "__main__":
    sys.exit(main())
