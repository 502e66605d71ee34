"""The faults: each is done to a service under load and undone, or the service is left to get over it."""

from __future__ import annotations

import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bench.asking import POINT, Seen
from bench.groups import Group
from bench.ledger import TOKEN, Fault, Ledger, connected, continue_until_written
from bench.lives import KEEPER, called, send
from bench.processes import parent
from bench.servers import LOOPBACK, ask

LOST = 70
SECONDS_TO_APPEAR = 60
SECONDS_TO_BE_FOUND = 20
SECONDS_TO_BE_LOST = 90
HELD_SECONDS = 5
DELAY_SECONDS = 2
MIB = 1 << 20
STEP = 4 * MIB
ROOM = 48 * MIB
MORE_CONNECTIONS = 24
MOST_SPARE = 8
MOST_PAUSES = 3


class Untried(Exception):
    """What a fault needs is not here: it says what."""


@dataclass
class Bed:
    """A service under load, what its writers and readers have met so far, and the group that it is in, if it has one."""

    process: subprocess.Popen[bytes]
    port: int
    ledger: Ledger
    seen: Seen
    scratch: Path
    group: Group | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def keeper(self) -> int:
        """The process that holds the graph."""
        found = [pid for pid in called(self.process, KEEPER) if parent(pid) == self.process.pid]  # what it forks is called so too
        if len(found) != 1:
            raise Fault("the service has no keeper")
        return found[0]


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Raises Fault if the condition does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Fault(otherwise)
        time.sleep(0.01)


# Processes that are stopped


def stopping(role: str) -> Callable[[Bed], None]:
    """Stops one process of a role for good; it has to be found and to go."""

    def stop(bed: Bed) -> None:
        pid = _caught(bed, role)
        began = time.monotonic()
        wait_for(lambda: not _is(pid, "T"), SECONDS_TO_BE_FOUND, f"the stopped {role} is never found")
        bed.remarks.append(f"found and ended after {time.monotonic() - began:.1f} s")

    return stop


def _caught(bed: Bed, role: str) -> int:
    """A process of a role that stands still now; some live for moments only, so it may take more than one attempt."""
    deadline = time.monotonic() + SECONDS_TO_APPEAR
    while time.monotonic() < deadline:
        for pid in called(bed.process, role):
            send(pid, signal.SIGSTOP)
            time.sleep(0.01)
            if _is(pid, "T"):
                return pid
    raise Fault(f"no {role} was met in {SECONDS_TO_APPEAR} seconds")


def _is(pid: int, state: str) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == state
    return False


def keeper_pauses(bed: Bed) -> None:
    """Stops the keeper for a while: reads have to go on, writes wait. After a large commit there may be no reader yet."""
    for _ in range(MOST_PAUSES):
        send(bed.keeper, signal.SIGSTOP)
        began, answered = time.monotonic(), 0
        while time.monotonic() < began + HELD_SECONDS and ask(bed.port, POINT)[0] == http.client.OK:
            answered += 1
        send(bed.keeper, signal.SIGCONT)
        if answered:
            bed.remarks.append(f"{answered} point queries answered meanwhile")
            return
        continue_until_written(bed.ledger)
    raise Fault("nothing is answered while the keeper stands still")


def keeper_stays(bed: Bed) -> None:
    """Stops the keeper for good: the service has to end with its status, whoever waits told before."""
    send(bed.keeper, signal.SIGSTOP)
    began = time.monotonic()
    wait_for(lambda: bed.process.poll() is not None, SECONDS_TO_BE_LOST, "the service does not miss its keeper")
    if bed.process.returncode != LOST:
        raise Fault(f"the service ended with {bed.process.returncode}")
    bed.remarks.append(f"ended with {LOST} after {time.monotonic() - began:.1f} s")


# What the machine no longer gives


def no_processes(bed: Bed) -> None:
    """No process can be forked for a while; the readers are killed at that."""
    with _without_forks(bed):
        for pid in called(bed.process, "reader"):
            send(pid, signal.SIGKILL)
        wait_for(lambda: bool(bed.ledger.not_made), SECONDS_TO_BE_FOUND, "no write is refused though nothing can be forked")
        time.sleep(HELD_SECONDS)


@contextmanager
def _without_forks(bed: Bed) -> Iterator[None]:
    if bed.group is not None:
        bed.group.bound_processes(1)
        yield
        bed.group.bound_processes(None)
    elif os.geteuid():
        before = resource.prlimit(bed.keeper, resource.RLIMIT_NPROC, (0, resource.getrlimit(resource.RLIMIT_NPROC)[1]))
        yield
        resource.prlimit(bed.keeper, resource.RLIMIT_NPROC, before)
    else:
        raise Untried("root is never refused a process, and no control group for pids can be made")


def no_memory(bed: Bed) -> None:
    """A neighbour takes the little memory that is left; the kernel has to end what was forked, and no other."""
    if bed.group is None:
        raise Untried("a control group for memory cannot be made")
    keeper = bed.keeper
    bed.group.bound_memory(bed.group.memory + ROOM)
    with _neighbour(bed.group) as neighbour:
        wait_for(lambda: bed.group is not None and bed.group.killed > 0, SECONDS_TO_APPEAR, "the memory is never used up")
        send(neighbour.pid, signal.SIGSTOP)
        time.sleep(HELD_SECONDS)
    bed.group.bound_memory(None)
    if bed.keeper != keeper:
        raise Fault("the kernel has ended the keeper rather than what it has forked")
    bed.remarks.append(f"{bed.group.killed} forked processes ended by the kernel, never the keeper")


@contextmanager
def _neighbour(group: Group) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the same group that takes more and more memory."""
    taking = f"import time\ntaken = []\nwhile True:\n    taken.append(bytearray(b'x') * {STEP})\n    time.sleep(0.05)\n"
    with subprocess.Popen([*group.entering, sys.executable, "-c", taking]) as process:
        try:
            yield process
        finally:
            process.kill()


def no_descriptors(bed: Bed) -> None:
    """The front may open nothing more while many connect; who is connected has to be served."""
    pid = bed.process.pid
    taken = max(int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()) + 1
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE, (taken + 2, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    acknowledged = bed.ledger.acknowledged
    with ExitStack() as stack:
        for _ in range(MORE_CONNECTIONS):
            with suppress(OSError):
                stack.enter_context(socket.create_connection((LOOPBACK, bed.port), timeout=1))
        time.sleep(HELD_SECONDS)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    bed.remarks.append(f"{bed.ledger.acknowledged - acknowledged} writes acknowledged meanwhile")


def keeper_has_no_descriptors(bed: Bed) -> None:
    """The keeper may open ever fewer files for a while, so that what it forks fails at every step."""
    keeper = bed.keeper
    most = max(int(entry.name) for entry in Path(f"/proc/{keeper}/fd").iterdir()) + 1
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for spare in reversed(range(MOST_SPARE)):
        before = resource.prlimit(keeper, resource.RLIMIT_NOFILE, (most + spare, hard))
        time.sleep(HELD_SECONDS / MOST_SPARE)
        resource.prlimit(keeper, resource.RLIMIT_NOFILE, before)
        continue_until_written(bed.ledger)
    if bed.keeper != keeper:
        raise Fault("there is another keeper")


# The disk


def slow_disk(bed: Bed) -> None:
    """Each sync of the keeper takes seconds: reads have to go on, and what waits is bounded."""
    answered, acknowledged = bed.seen.outcomes["answered"], bed.ledger.acknowledged
    with _injected(bed, f"delay_enter={DELAY_SECONDS * 1_000_000}"):
        time.sleep(6 * DELAY_SECONDS)
        answered, acknowledged = bed.seen.outcomes["answered"] - answered, bed.ledger.acknowledged - acknowledged
    if not (answered and acknowledged and bed.ledger.not_made["queue-full"]):
        raise Fault(
            f"with a slow disk {answered} requests and {acknowledged} writes go through, {dict(bed.ledger.not_made)} refused"
        )
    bed.remarks.append(f"{answered} requests and {acknowledged} writes done meanwhile")


def failing_disk(bed: Bed) -> None:
    """Each sync of the keeper fails: nothing may be acknowledged, and what was answered so may not be there in part."""
    with _injected(bed, "error=EIO"):
        doubts = bed.ledger.in_doubt
        wait_for(lambda: bed.ledger.in_doubt >= doubts + 3, SECONDS_TO_APPEAR, "no write fails though no sync succeeds")
        acknowledged = bed.ledger.acknowledged
        time.sleep(1)
        if bed.ledger.acknowledged != acknowledged:
            raise Fault("a write is acknowledged though its sync has failed")
    bed.remarks.append("none acknowledged meanwhile")


@contextmanager
def _injected(bed: Bed, what: str) -> Iterator[None]:
    """The keeper's syncs are tampered with by strace(1) while the context lasts."""
    strace = shutil.which("strace")
    if strace is None:
        raise Untried("there is no strace")
    log = bed.scratch / "strace.log"
    command = [
        strace,
        "-o",
        str(log),
        "-p",
        str(bed.keeper),
        "-e",
        "trace=fsync,fdatasync",
        "-e",
        f"inject=fsync,fdatasync:{what}",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
        try:
            wait_for(lambda: log.exists() and log.stat().st_size > 0, SECONDS_TO_APPEAR, "the keeper cannot be traced")
            yield
        finally:
            tracer.send_signal(signal.SIGINT)


# The clock


def set_clock(moved: str) -> Callable[[Bed], None]:
    """Sets the clock while the service runs, by so much as faketime(1) says it: what is known has to stay so."""

    def move(bed: Bed) -> None:
        path = f"/graphs?graph={quote(f'http://clock/{moved}', safe='')}"
        first = _put(bed.port, path, moved)
        if first[0] != http.client.CREATED:
            raise Fault(f"a graph is put with {first[0]}")
        (bed.scratch / "clock").write_text(moved)
        time.sleep(HELD_SECONDS)  # longer than the clock is remembered
        if _put(bed.port, path, moved) != first:
            raise Fault("a write is made again under its key when the clock is set")
        status, tag = _request(bed.port, "GET", path, {})
        if status != http.client.OK or tag.strip('"W/').rpartition("-")[2] < first[1].strip('"W/').rpartition("-")[2]:
            raise Fault(f"a read is answered {status} with {tag} when the clock is set")
        bed.remarks.append("the key of a write is known, and versions go on")

    return move


def _put(port: int, path: str, key: str) -> tuple[int, str]:
    """The status and the tag of a write under a key."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle", "Idempotency-Key": f'"{key}"'}
    return _request(port, "PUT", path, headers, "<http://clock/s> <http://clock/p> 1 .")


def _request(port: int, method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, str]:
    with connected(port) as connection:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("etag", "")


def clock(scratch: Path) -> dict[str, str]:
    """The environment of a service whose clock is in the file `clock` of a folder. Raises Untried without faketime."""
    faketime = shutil.which("faketime")
    if faketime is None:
        raise Untried("there is no faketime")
    (scratch / "clock").write_text("+0")
    library = subprocess.run([faketime, "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True)
    told = {
        "FAKETIME_TIMESTAMP_FILE": str(scratch / "clock"),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return {"LD_PRELOAD": library.stdout.strip(), "DONT_FAKE_MONOTONIC": "1", **told}
