"""What Prometheus scrapes: counts of requests, rows, deaths; gauges of queue, readers, memory, triples, commit."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The service's own registry, so that two services in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "motorgraph_requests_total",
            "Requests by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "motorgraph_request_seconds",
            "Seconds to the end of the response.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.rows = Counter("motorgraph_rows_total", "Rows of tables sent.", registry=self.registry)
        self.bytes = Counter(
            "motorgraph_answer_bytes_total",
            "Bytes of answers sent, before the front's headers.",
            registry=self.registry,
        )
        self.broken = Counter(
            "motorgraph_broken_answers_total", "Answers that broke after their first byte.", registry=self.registry
        )
        self.deaths = Gauge(
            "motorgraph_reader_deaths",
            "Readers that ended without being asked to, since the start.",
            registry=self.registry,
        )
        self.parked = Gauge(
            "motorgraph_queries_parked", "Long queries put aside for others, since the start.", registry=self.registry
        )
        self.queue = Gauge("motorgraph_queue_length", "Queries that wait for a reader.", registry=self.registry)
        self.readers = Gauge("motorgraph_readers", "Reader processes.", registry=self.registry)
        self.commit = Gauge("motorgraph_commit", "Number of the newest commit.", registry=self.registry)
        self.triples = Gauge("motorgraph_triples", "Triples by graph at the last count.", ["graph"], registry=self.registry)
        self.memory = Gauge("motorgraph_memory_bytes", "Proportional memory (PSS) by part.", ["part"], registry=self.registry)
        self._labelled: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts a finished request."""
        key = (route, method, status)
        if key not in self._labelled:
            self._labelled[key] = self._requests.labels(route, method, str(status))
        if route not in self._histograms:
            self._histograms[route] = self._seconds.labels(route)
        self._labelled[key].inc()
        self._histograms[route].observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
