"""How one query is timed on several servers: in turns, by a tool that fits how long its answers take."""

import http.client
import math
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass

from bench import answers
from bench.answers import Answer
from bench.figures import OURS, WARM, Drive, connections_in_words
from bench.processes import wait_until_idle
from bench.queries import Query
from bench.servers import LOOPBACK, Server, ServerError
from bench.wrk import SECONDS_BEFORE_AN_ANSWER_IS_LATE, Load, Reading, drive

# A drive ends with an answer unfinished on each connection, so a few answers make a rate too low.
LEAST_ANSWERS = 10
LEAST_ANSWERS_EACH = 4
# wrk counts the unfinished answers' bytes too, so it has never fewer than whole answers take, unless bodies are cut.
LEAST_SHARE_OF_THE_BODY = 0.95


@dataclass(frozen=True)
class Pace:
    """Seconds of a drive, of the longest one, and of the warm-up before; how many drives count."""

    seconds: int
    most_seconds: int
    warm_up: int
    rounds: int


def time_query(servers: Sequence[Server], query: Query, connections: Sequence[int], pace: Pace) -> list[Drive]:
    """One query's drives: at each connection count, round by round, the servers in turns."""
    checked, faults = answers.checked(servers, query)
    timed = [server for server in servers if server.name in checked]
    for server in timed:
        _warm_up(server, query, checked[server.name], max(connections), pace)
    drives: list[Drive] = []
    for count in connections:
        row = {server.name: Drive(query.name, count, server.name) for server in servers}
        drives += row.values()
        for name, fault in faults.items():
            row[name].faults.append(fault)
        for _ in range(pace.rounds):
            for server in timed:
                _time(server, query, checked[server.name], row[server.name], pace)
    return drives


def _warm_up(server: Server, query: Query, answer: Answer, connections: int, pace: Pace) -> None:
    """A load that does not count: caches fill, forked processes touch their pages. What is slow has been asked often enough."""
    if pace.warm_up and seconds_of_drive(answer.seconds, connections, pace) <= pace.most_seconds:
        with suppress(ServerError):  # the drives that count will say it
            drive_alone(server, Load(query.text, query.accept, connections, pace.warm_up))


def _time(server: Server, query: Query, answer: Answer, record: Drive, pace: Pace) -> None:
    """One drive: by wrk, of slow answers by a wave of them, and of those that take too long for that no more than a bound.

    A bound is in favour of the server that has it, so ours has none.
    """
    at_once = min(record.connections, os.cpu_count() or 1)
    wave_seconds = record.connections * answer.seconds / at_once
    seconds = seconds_of_drive(answer.seconds, record.connections, pace)
    if wave_seconds > pace.most_seconds and server.name not in (OURS, WARM):
        record.bounds.append(at_once / answer.seconds)
        return
    try:
        if seconds > pace.most_seconds:
            reading = wave(server, query, record.connections)
        else:
            reading = drive_alone(server, Load(query.text, query.accept, record.connections, seconds))
    except ServerError as error:
        record.faults.append(str(error))
        return
    record.readings.append(reading)
    place = f"{server.name} at {connections_in_words(record.connections)}"
    record.faults.extend(f"{place}: {fault}" for fault in faults_of(reading, answer.size))


def drive_alone(server: Server, load: Load) -> Reading:
    """A drive, and after it the wait until the server has let go of what wrk broke off, which would slow the next."""
    reading = drive(server, load)
    wait_until_idle(server.pid)
    return reading


def seconds_of_drive(seconds_of_answer: float, connections: int, pace: Pace) -> int:
    """The length of a drive: as planned, but more where answers are so slow that their number would be too coarse."""
    wanted = LEAST_ANSWERS + LEAST_ANSWERS_EACH * connections
    at_once = min(connections, os.cpu_count() or 1)
    return max(pace.seconds, math.ceil(wanted * seconds_of_answer / at_once))


def wave(server: Server, query: Query, connections: int) -> Reading:
    """What came of one question on each connection at once, timed until the last is answered, so that none is unfinished."""

    def ask(_: int) -> tuple[int, int, float]:
        asked = time.perf_counter()
        timeout = SECONDS_BEFORE_AN_ANSWER_IS_LATE
        with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=timeout)) as connection:
            try:
                connection.request("GET", server.path(query.text), headers={"Accept": query.accept})
                response = connection.getresponse()
                received = len(response.read())
            except (OSError, http.client.HTTPException):
                return 0, 0, 0.0
        return response.status, received, time.perf_counter() - asked

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        found = list(threads.map(ask, range(connections)))
    took = int((time.perf_counter() - started) * 1e6)
    waits = sorted(int(wait * 1e6) for _, _, wait in found)
    refused = sum(status >= 400 for status, _, _ in found)
    broken = sum(not status for status, _, _ in found)
    received = sum(size for _, size, _ in found)
    return Reading(connections, took, received, int(statistics.median(waits)), waits[-1], refused, broken, 0)


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


def not_modified(server: Server, query: Query, connections: int, seconds: int) -> float:
    """Answers a second to clients that have the answer already. Raises ServerError if they are not told so."""
    tag = _status_and_tag(server, query, "")[1]
    if _status_and_tag(server, query, tag)[0] != http.client.NOT_MODIFIED:
        raise ServerError(f"{server.name} answers no 304 to one who has {tag or 'no tag'}.")
    reading = drive_alone(server, Load(query.text, query.accept, connections, seconds, tag))
    if reading.errors:
        raise ServerError(f"{server.name}: {reading.errors} errors among its 304s.")
    return reading.rate


def _status_and_tag(server: Server, query: Query, known: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(LOOPBACK, server.port, timeout=60)) as connection:
        headers = {"Accept": query.accept} | ({"If-None-Match": known} if known else {})
        connection.request("GET", server.path(query.text), headers=headers)
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("ETag", "")
