"""What Prometheus scrapes: counts of requests, rows, deaths; gauges of queue, readers, memory, triples, commit."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from motorgraph.bodies import Bodies
from motorgraph.doors import Doors

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

FOLLOW = {  # of a read replica only
    "up": "Whether upstream answered last.",
    "lag_commits": "Commits of upstream that are not here yet.",
    "lag_seconds": "Seconds since the oldest commit was made that is not here yet.",
}


class Metrics:
    """The service's own registry, so that two services in one process do not mix.

    What every request counts is kept in plain numbers and turned into families at a scrape: the library's own counters
    take a lock and a call each, which shows at thousands of requests a second.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.rows = 0
        self.bytes = 0
        self.broken = 0
        self.doors: Doors | None = None
        self.bodies: Bodies | None = None
        self.over: Counter[str] = Counter()
        self.follows: Callable[[], dict[str, float]] | None = None
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(SECONDS) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self.deaths = self._gauge("motorgraph_reader_deaths", "Readers that ended without being asked to, since the start.")
        self.parked = self._gauge("motorgraph_queries_parked", "Long queries put aside for others, since the start.")
        self.counted = self._gauge("motorgraph_patterns_counted", "Patterns counted whole by a reader for all, since the start.")
        self.queue = self._gauge("motorgraph_queue_length", "Queries that wait for a reader.")
        self.hits = self._gauge("motorgraph_cache_hits", "Answers given from the result cache, since the start.")
        self.misses = self._gauge("motorgraph_cache_misses", "Answers that were not kept yet, since the start.")
        self.kept = self._gauge("motorgraph_cache_bytes", "Bytes of the answers that are kept.")
        self.writes = self._gauge("motorgraph_write_queue_length", "Writes that wait for the one under way.")
        self.readers = self._gauge("motorgraph_readers", "Reader processes.")
        self.commit = self._gauge("motorgraph_commit", "Number of the newest commit.")
        self.astray = self._gauge("motorgraph_store_astray_quads", "Quads of a remote store that the journal does not know of.")
        self.triples = self._gauge("motorgraph_triples", "Triples by graph at the last count.", "graph")
        self.memory = self._gauge("motorgraph_memory_bytes", "Proportional memory (PSS) by part.", "part")

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts a finished request."""
        self._requests[route, method, status] += 1
        self._buckets[route][bisect_left(SECONDS, seconds)] += 1
        self._seconds[route] += seconds

    def answer(self, rows: int, size: int) -> None:
        """Counts what an answer carried."""
        self.rows += rows
        self.bytes += size

    def collect(self) -> Iterator[Metric]:
        """The families of what every request counts."""
        yield CounterMetricFamily("motorgraph_rows", "Rows of tables sent.", self.rows)
        yield CounterMetricFamily("motorgraph_answer_bytes", "Bytes of answers sent.", self.bytes)
        yield CounterMetricFamily("motorgraph_broken_answers", "Answers that broke after their first byte.", self.broken)
        over = CounterMetricFamily("motorgraph_quota_refusals", "Requests beyond what one client may have.", labels=["policy"])
        for policy, count in self.over.items():
            over.add_metric([policy], count)
        yield over
        requests = CounterMetricFamily(
            "motorgraph_requests", "Requests by route, method and status.", labels=["route", "method", "status"]
        )
        for (route, method, status), count in self._requests.items():
            requests.add_metric([route, method, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily("motorgraph_request_seconds", "Seconds to the end of the response.", labels=["route"])
        for route, counts in self._buckets.items():
            bounds = [*map(str, map(float, SECONDS)), "+Inf"]
            seconds.add_metric([route], list(zip(bounds, accumulate(counts), strict=True)), self._seconds[route])
        yield seconds

        if self.doors is not None:
            refused = "Connections that there was no room for."
            yield GaugeMetricFamily("motorgraph_connections", "Connections that are open.", self.doors.open)
            yield CounterMetricFamily("motorgraph_refused_connections", refused, self.doors.refused)
        if self.bodies is not None:
            yield GaugeMetricFamily("motorgraph_body_bytes", "Bytes of bodies that are received or worked on.", self.bodies.held)
        for name, value in self.follows().items() if self.follows else ():
            yield GaugeMetricFamily(f"motorgraph_follow_{name}", FOLLOW[name], value)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
