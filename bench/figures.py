"""The figures of a run: rates by query, connections and server, the ratios between servers, and their tables."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

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
    Goal("durable", 1, "geometric mean", 1.8),
    Goal("durable", 8, "geometric mean", 1.8),
    Goal("durable", 1, "lowest", 0.3),
    Goal("durable", 8, "lowest", 0.3),
    Goal("memory", 8, "geometric mean", 0.9, slow=True),
    Goal("durable", 8, "geometric mean", 12, ours=WARM),
    Goal("durable", 8, "lowest", 1, ours=WARM),
]


@dataclass(frozen=True)
class Drive:
    """One query on one server at so many connections: a reading a round, and why it is void if it is."""

    query: str
    connections: int
    server: str
    readings: list[Reading] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """The median of the rounds' rates in answers a second, None if a fault makes it void."""
        return None if self.faults or not self.readings else statistics.median(r.rate for r in self.readings)

    def record(self) -> dict[str, object]:
        """The drive as JSON has it."""
        return {**asdict(self), "rate": self.rate}


class Figures:
    """All drives of a run."""

    def __init__(self, drives: Sequence[Drive]) -> None:
        self.drives = list(drives)
        self.queries = list(dict.fromkeys(drive.query for drive in drives))
        self.servers = list(dict.fromkeys(drive.server for drive in drives))
        self.connections = list(dict.fromkeys(drive.connections for drive in drives))
        self._rates = {(drive.query, drive.connections, drive.server): drive.rate for drive in drives}

    def rate(self, query: str, connections: int, server: str) -> float | None:
        """Answers a second, None if not measured or void."""
        return self._rates.get((query, connections, server))

    def ratio(self, query: str, connections: int, other: str, ours: str = OURS) -> float | None:
        """The rate of one of ours in terms of another server's, None if either is missing."""
        rate, theirs = self.rate(query, connections, ours), self.rate(query, connections, other)
        return rate / theirs if rate and theirs else None

    def slow(self, other: str) -> list[str]:
        """The queries that take a server over a millisecond at one connection."""
        rates = {query: self.rate(query, 1, other) for query in self.queries}
        return [query for query, rate in rates.items() if rate and 1 / rate > SLOW_FROM_SECONDS]

    def verdict(self, goal: Goal) -> Verdict:
        """A goal held against the run; a void query makes it void."""
        queries = self.slow(goal.other) if goal.slow else self.queries
        ratios = {query: self.ratio(query, goal.connections, goal.other, goal.ours) for query in queries}
        found = {query: ratio for query, ratio in ratios.items() if ratio is not None}
        which = f"{'warm: ' if goal.ours == WARM else ''}{goal.figure} to {goal.other}, {connections_in_words(goal.connections)}"
        target = Target(which + (", queries over 1 ms" if goal.slow else ""), goal.bound, at_least=True)
        if len(found) < len(queries) or not found:
            return Verdict(target, None, "void or not measured")
        if goal.figure == "lowest":
            lowest = min(found, key=found.__getitem__)
            return Verdict(target, found[lowest], lowest)
        return Verdict(target, statistics.geometric_mean(found.values()), f"of {len(found)} queries")

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

    def faults(self) -> list[str]:
        """Every reason for which a figure is void, once."""
        return list(dict.fromkeys(f"{drive.query}: {fault}" for drive in self.drives for fault in drive.faults))


def connections_in_words(count: int) -> str:
    """A number of connections, in the singular if it is one."""
    return f"{count} connection" + ("" if count == 1 else "s")


def _number(figure: float | None, places: int) -> str:
    return "-" if figure is None else f"{figure:,.{places}f}"
