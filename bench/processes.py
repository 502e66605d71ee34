"""A server's process tree as Linux shows it in /proc: who belongs to it, what memory and processor time it takes."""

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

PROC = Path("/proc")
KIB = 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
SECONDS_BETWEEN_SAMPLES = 0.2
CLIENT_NICENESS = 10
# A process that ends while it is read vanishes from /proc, or loses its memory first.
GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Memory:
    """Bytes that processes hold: `pss` counts a shared page once, in parts; `rss` counts it for each holder."""

    pss: int
    rss: int
    processes: int


def give_way() -> None:
    """Has everything else go before this thread of a client where both want a processor: clients have machines of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), CLIENT_NICENESS)


def tree(root: int) -> list[int]:
    """The ids of a process and of all that descend from it or share the session that it leads."""
    stats = _stats()
    members = {root}
    members |= {pid for pid, (_, session) in stats.items() if session == root}
    while more := {pid for pid, (parent, _) in stats.items() if parent in members} - members:
        members |= more
    return sorted(members)


def parent(pid: int) -> int:
    """The process that another descends from; 0 if it has ended."""
    return int((_stat(pid) or [0, 0])[1])


def memory(root: int) -> Memory:
    """The memory of a process tree (proc(5), smaps_rollup)."""
    readings = [reading for pid in tree(root) if (reading := _rollup(pid))]
    return Memory(sum(pss for pss, _ in readings), sum(rss for _, rss in readings), len(readings))


def resident(pid: int) -> int:
    """The resident bytes of one process, cheap enough to be read thousands of times (proc(5), statm); 0 if it ended."""
    with suppress(*GONE):
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE
    return 0


@dataclass(frozen=True)
class Holdings:
    """What processes hold of the system besides memory."""

    processes: int
    threads: int
    descriptors: int


def holdings(root: int) -> Holdings:
    """What a process tree holds (proc(5), fd and task)."""
    pids = tree(root)
    return Holdings(len(pids), sum(_entries(pid, "task") for pid in pids), sum(_entries(pid, "fd") for pid in pids))


def _entries(pid: int, kind: str) -> int:
    with suppress(*GONE):
        return sum(1 for _ in (PROC / str(pid) / kind).iterdir())
    return 0


def settled_memory(root: int, seconds: float = 20) -> Memory:
    """The memory of a process tree once two readings half a second apart agree to 1 %, or the last one in time."""
    deadline = time.monotonic() + seconds
    last = memory(root)
    while time.monotonic() < deadline:
        time.sleep(0.5)
        reading = memory(root)
        if abs(reading.pss - last.pss) <= 0.01 * last.pss:
            return reading
        last = reading
    return last


def wait_until_idle(root: int, seconds: float = 20, for_seconds: float = 0.1) -> bool:
    """Wait until a process tree takes under a tenth of a processor, looked at for so long; False if it does not in that time."""
    deadline = time.monotonic() + seconds
    last = _ticks(root)
    while time.monotonic() < deadline:
        time.sleep(for_seconds)
        ticks = _ticks(root)
        if ticks - last <= 0.1 * for_seconds * TICKS:
            return True
        last = ticks
    return False


class Watch:
    """Samples a process tree in a thread while its context lasts and keeps the highest readings."""

    def __init__(self, root: int) -> None:
        self.peak = Memory(0, 0, 0)
        self.most_processes = 0
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Watch":
        """Start to sample."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop to sample."""
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_SAMPLES):
            reading = memory(self._root)
            self.peak = max(self.peak, reading, key=lambda memory: memory.pss)
            self.most_processes = max(self.most_processes, reading.processes)


def processor_seconds(root: int) -> float:
    """The processor time that a process tree has taken so far (proc(5), stat)."""
    return _ticks(root) / os.sysconf("SC_CLK_TCK")


def _rollup(pid: int) -> tuple[int, int] | None:
    with suppress(*GONE):
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
        sizes = {line.split(":")[0]: int(line.split()[1]) * KIB for line in lines}
        return sizes["Pss"], sizes["Rss"]
    return None


def _stats() -> dict[int, tuple[int, int]]:
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    fields = {pid: _stat(pid) for pid in pids}
    return {pid: (int(stat[1]), int(stat[3])) for pid, stat in fields.items() if stat}


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the command, whose name may hold anything, so from the third on."""
    with suppress(*GONE):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def _ticks(root: int) -> int:
    return sum(sum(map(int, stat[11:15])) for pid in tree(root) if (stat := _stat(pid)))
