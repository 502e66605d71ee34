"""The figures of a run: rates by query, connections and server, the ratios between servers, and their tables."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.targets import Target, Verdict
from bench.wrk import Reading

OURS = "motorgraph"
WARM = "warm"
SLOW_FROM_SECONDS = 0.001


@dataclass(frozen=True)
class Goal:
    """A bound on the ratio of our rates to another server's; `slow` counts only what takes the other over 1 ms.

    `ours` is the server that is held against the other: that without a result cache, or the one with.
    """

    other: str
    connections: int
    figure: str
    bound: float
    slow: bool = False
    ours: str = OURS


GOALS = [
    *(Goal("durable", count, "geometric mean", 2.5) for count in (1, 8, 32)),
    *(Goal("durable", count, "lowest", 0.5) for count in (1, 8, 32)),
    Goal("memory", 8, "geometric mean", 1),
    Goal("rdflib", 8, "geometric mean", 20),
    Goal("virtuoso", 8, "geometric mean", 1.5),
    Goal("durable", 8, "geometric mean", 12, ours=WARM),
    Goal("durable", 8, "lowest", 1, ours=WARM),
]


@dataclass(frozen=True)
class Drive:
    """One query on one server at so many connections: a reading a round, and why it is void if it is.

    Of answers that take too long to be counted there is no reading but a bound, which no rate can be over.
    """

    query: str
    connections: int
    server: str
    readings: list[Reading] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """The median of the rounds' rates in answers a second, None if a fault makes it void."""
        rates = [reading.rate for reading in self.readings] or self.bounds
        return None if self.faults or not rates else statistics.median(rates)

    @property
    def is_bound(self) -> bool:
        """Whether the rate is no more than what it cannot be over."""
        return bool(self.bounds and not self.readings)

    def record(self) -> dict[str, object]:
        """The drive as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Drive":
        """The drive of a record."""
        return cls(**{**record, "readings": [Reading(**reading) for reading in record["readings"]]})


@dataclass(frozen=True)
class Summary:
    """The geometric mean of ratios, the lowest and its query, and how many there are."""

    mean: float
    lowest: float
    query: str
    queries: int


class Figures:
    """All drives of a run."""

    def __init__(self, drives: Sequence[Drive]) -> None:
        self.drives = list(drives)
        self.queries = list(dict.fromkeys(drive.query for drive in drives))
        self.servers = list(dict.fromkeys(drive.server for drive in drives))
        self.connections = list(dict.fromkeys(drive.connections for drive in drives))
        self._drives = {(drive.query, drive.connections, drive.server): drive for drive in drives}

    def rate(self, query: str, connections: int, server: str) -> float | None:
        """Answers a second, None if not measured or void."""
        found = self.drive(query, connections, server)
        return None if found is None else found.rate

    def drive(self, query: str, connections: int, server: str) -> Drive | None:
        """The drive of a query, None if there is none."""
        return self._drives.get((query, connections, server))

    def ratio(self, query: str, connections: int, other: str, ours: str = OURS) -> float | None:
        """The rate of one of ours in terms of another server's, None if either is missing."""
        rate, theirs = self.rate(query, connections, ours), self.rate(query, connections, other)
        return rate / theirs if rate and theirs else None

    def slow(self, other: str) -> list[str]:
        """The queries that take a server over a millisecond at one connection."""
        rates = {query: self.rate(query, 1, other) for query in self.queries}
        return [query for query, rate in rates.items() if rate and 1 / rate > SLOW_FROM_SECONDS]

    def verdict(self, goal: Goal) -> Verdict:
        """A goal held against the run; what is void for ours makes it void, what is void for the other is left out."""
        which = f"{'warm: ' if goal.ours == WARM else ''}{goal.figure} to {goal.other}, {connections_in_words(goal.connections)}"
        target = Target(which + (", queries over 1 ms" if goal.slow else ""), goal.bound, at_least=True)
        summary = self.summary(goal.connections, goal.other, goal.ours, slow=goal.slow)
        if summary is None:
            return Verdict(target, None, "void or not measured")
        if goal.figure == "lowest":
            return Verdict(target, summary.lowest, summary.query)
        return Verdict(target, summary.mean, f"of {summary.queries} queries")

    def summary(self, connections: int, other: str, ours: str = OURS, *, slow: bool = False) -> Summary | None:
        """The ratios to another server together, without the queries that are void for it; None if one is void for ours."""
        queries = self.slow(other) if slow else self.queries
        if any(self.rate(query, connections, ours) is None for query in queries):
            return None
        ratios = {query: self.ratio(query, connections, other, ours) for query in queries}
        found = {query: ratio for query, ratio in ratios.items() if ratio is not None}
        if not found:
            return None
        lowest = min(found, key=found.__getitem__)
        return Summary(statistics.geometric_mean(found.values()), found[lowest], lowest, len(found))

    def verdicts(self) -> list[Verdict]:
        """All goals about servers and numbers of connections that were measured."""
        goals = [goal for goal in GOALS if {goal.other, goal.ours} <= {*self.servers} and goal.connections in self.connections]
        return [self.verdict(goal) for goal in goals]

    def table(self, connections: int) -> str:
        """The rates and ratios at so many connections as text, the geometric means in the last lines."""
        others = [server for server in self.servers if server not in (OURS, WARM)]
        pairs = [(ours, other) for ours in (OURS, WARM) if ours in self.servers for other in others]
        heads = [f"{server:>12}" for server in self.servers]
        heads += [f"{('warm/' if ours == WARM else '/') + other:>14}" for ours, other in pairs]
        lines = [f"{'at ' + connections_in_words(connections):20}" + "".join(heads)]
        for query in self.queries:
            rates = [f"{_number(self.rate(query, connections, server), 1):>12}" for server in self.servers]
            ratios = [f"{_number(self.ratio(query, connections, other, ours), 2):>14}" for ours, other in pairs]
            lines.append(f"{query:20}" + "".join(rates + ratios))
        margin = " " * 12 * len(self.servers)
        for title, slow in (("geometric mean", False), ("  over 1 ms only", True)):
            means = [self.verdict(Goal(other, connections, "geometric mean", 0, slow, ours)).figure for ours, other in pairs]
            lines.append(f"{title:20}" + margin + "".join(f"{_number(mean, 2):>14}" for mean in means))
        return "\n".join(lines if pairs else lines[:-2])

    def faults(self, *servers: str) -> list[str]:
        """Every reason for which a figure of some servers is void, of all if none are named, once."""
        drives = [drive for drive in self.drives if drive.server in (servers or self.servers)]
        return list(dict.fromkeys(f"{drive.query}: {fault}" for drive in drives for fault in drive.faults))


def connections_in_words(count: int) -> str:
    """A number of connections, in the singular if it is one."""
    return f"{count} connection" + ("" if count == 1 else "s")


def _number(figure: float | None, places: int) -> str:
    return "-" if figure is None else f"{figure:,.{places}f}"
