"""Reads beside writes on any server: what readers get alone, what they get while a writer commits, and what its writes take."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from bench.drives import drive_alone
from bench.queries import TIMED
from bench.servers import LOOPBACK, Server
from bench.writes import CLAIMS, TOKEN, claims
from bench.wrk import Load, drive

READ = TIMED["q03_star"]
READERS = 8
WARM_UP_SECONDS = 1
SECONDS_TO_WRITE = 60


@dataclass(frozen=True)
class Mixture:
    """Answers a second alone and beside the writer, writes a second wanted and made, their milliseconds, what failed."""

    alone: float
    beside: float
    wanted: int
    writes: float
    write_p50: float
    write_most: float
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The mixture in words."""
        failed = f"; failed: {self.errors}" if self.errors else ""
        share = self.beside / self.alone if self.alone else 0
        return (
            f"{self.alone:,.0f} answers a second alone, {self.beside:,.0f} ({share:.2f}) beside {self.writes:.1f} of "
            f"{self.wanted} writes a second, which take {self.write_p50:.1f} ms in the median and {self.write_most:.0f} at most"
            f"{failed}"
        )


class Writer:
    """Commits twenty triples at a rate, over one connection."""

    def __init__(self, server: Server, rate: int) -> None:
        self.waits: list[float] = []
        self.errors: Counter[str] = Counter()
        self._server = server
        self._pause = 1 / rate
        self._over = threading.Event()

    def run(self) -> None:
        """Writes until it is stopped."""
        sign_in = httpx.DigestAuth(*self._server.sign_in) if self._server.sign_in else None
        headers = {} if sign_in else {"Authorization": f"Bearer {TOKEN}"}
        url = f"http://{LOOPBACK}:{self._server.port}"
        with httpx.Client(base_url=url, auth=sign_in, headers=headers, timeout=SECONDS_TO_WRITE, trust_env=False) as client:
            due, number = time.monotonic(), 0
            while not self._over.wait(max(0.0, due - time.monotonic())):
                self._write(client, number)
                number += 1
                due += self._pause

    def stop(self) -> None:
        """Has it make no more writes."""
        self._over.set()

    def _write(self, client: httpx.Client, number: int) -> None:
        triples = claims(number).decode()
        started = time.perf_counter()
        try:
            response = client.post(self._server.update, data={"update": f"INSERT DATA {{ GRAPH <{CLAIMS}> {{ {triples} }} }}"})
        except httpx.TransportError as error:
            self.errors[type(error).__name__] += 1
            return
        if response.is_success:
            self.waits.append(time.perf_counter() - started)
        else:
            self.errors[f"status {response.status_code}"] += 1


def mix(server: Server, rate: int, seconds: int) -> Mixture:
    """Readers alone, then beside a writer that wants to commit so many times a second."""
    load = Load(READ.text, READ.accept, READERS, seconds)
    drive(server, Load(READ.text, READ.accept, READERS, WARM_UP_SECONDS))
    alone = drive_alone(server, load)
    writer = Writer(server, rate)
    with ThreadPoolExecutor(1) as beside:
        writing = beside.submit(writer.run)
        try:
            reading = drive(server, load)
        finally:
            writer.stop()
        writing.result()
    errors = writer.errors + Counter({"reads": alone.errors + reading.errors})
    waits = sorted(writer.waits) or [0.0]
    rates = (alone.rate, reading.rate, rate, len(writer.waits) / seconds)
    return Mixture(*rates, waits[len(waits) // 2] * 1000, waits[-1] * 1000, {name: n for name, n in errors.items() if n})
