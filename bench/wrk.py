"""wrk, the load generator: one query, so many connections, so many seconds."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.servers import Server, ServerError, executable

SCRIPT = Path(__file__).with_name("wrk.lua")
PATHS = Path(__file__).with_name("paths.lua")
SECONDS_BEFORE_AN_ANSWER_IS_LATE = 60
SECONDS_OF_GRACE = 30


@dataclass(frozen=True)
class Load:
    """What wrk is to send: a query, the media type it accepts, over how many connections, for how many seconds.

    `tag` is the ETag of the answer that it says it has.
    """

    query: str
    accept: str
    connections: int
    seconds: int
    tag: str = ""


@dataclass(frozen=True)
class Reading:
    """What wrk saw in one drive; latencies are in microseconds, `received` is bytes with headers."""

    requests: int
    microseconds: int
    received: int
    latency_p50: int
    latency_p99: int
    status_errors: int
    socket_errors: int
    timeouts: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.microseconds * 1e6

    @property
    def errors(self) -> int:
        """Statuses of 400 and over, broken connections and late answers."""
        return self.status_errors + self.socket_errors + self.timeouts


def command(server: Server, load: Load, script: Path = SCRIPT) -> list[str]:
    """The command line that drives a server: one thread of wrk, a new request as soon as the last is answered."""
    shape = ["-t1", f"-c{load.connections}", f"-d{load.seconds}s", f"--timeout={SECONDS_BEFORE_AN_ANSWER_IS_LATE}s"]
    headers = [f"--header=Accept: {load.accept}", *([f"--header=If-None-Match: {load.tag}"] if load.tag else [])]
    return [executable("wrk"), *shape, f"--script={script}", *headers, server.url(load.query)]


def drive(server: Server, load: Load) -> Reading:
    """Load a server and say what came back; ServerError if wrk itself fails or does not end in time."""
    return reading(server, command(server, load), load.seconds)


def drive_through(server: Server, paths: Path, load: Load) -> Reading:
    """As `drive`, for the paths in a file in turns instead of a query."""
    return reading(server, [*command(server, load, PATHS), "--", str(paths)], load.seconds)


def reading(server: Server, words: list[str], seconds: int) -> Reading:
    """What a command line of wrk prints; ServerError as of `drive`."""
    try:
        run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=seconds + SECONDS_OF_GRACE)
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"wrk did not end {SECONDS_OF_GRACE} s after its time on {server.name}.") from error
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode != 0 or not lines:
        raise ServerError(f"wrk on {server.name}: {run.stderr.strip() or run.stdout.strip()}")
    return Reading(**json.loads(lines[-1]))
