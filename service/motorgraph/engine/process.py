"""What a process of the engine asks of the kernel: to die with its parent, to be bounded, to open nothing."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from motorgraph.errors import exhausted

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_MOST_FILES = 128
GROUPS = Path("/sys/fs/cgroup")
_OOM = Path("/proc/self/oom_score_adj")
_M_ARENA_MAX = -8
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}  # glibc has a function for it from 2.41 on
_KEEP_POLICY = 0x08
_WORSE, _WORST = 500, 1000  # of a thousand parts of the memory


def name(text: str) -> None:
    """Names this process for `ps` and `top` (Linux), at most 15 bytes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, text.encode()[:15], 0, 0, 0)


def die_with(parent: int) -> None:
    """Ends this process when its parent ends (Linux; elsewhere the closed socket does it), or now if it has ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def fork() -> int:
    """As `os.fork`. Raises Unavailable where the machine gives no more processes."""
    try:
        return os.fork()
    except OSError as error:
        raise exhausted(error) from error


def go_first() -> None:
    """Has the kernel end this process rather than the one that it was forked from when there is no memory left (Linux)."""
    with suppress(OSError):
        adjustment = int(_OOM.read_text()) + _WORSE
        _OOM.write_text(str(min(adjustment, _WORST)))


def give_way(niceness: int, *, is_batch: bool) -> None:
    """Has this process get less of a processor that others want, by its niceness, and as a batch job break in upon no other when
    it wakes (Linux, sched(7))."""
    os.nice(niceness)
    if is_batch and sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def take_turns_of(seconds: float, thread: int = 0) -> None:
    """Has the kernel take the processor from a thread (0: this one, and those that it makes) after so long if others want it; one
    of short turns comes at once when it wakes, where those of longer ones would go on until the next tick (Linux 6.12,
    sched_setattr(2)). 0: as usual."""
    set_attributes = _set_attributes()
    if set_attributes is not None:
        with suppress(OSError):  # it has ended
            set_attributes(thread, _attributes(seconds, os.getpriority(os.PRIO_PROCESS, thread)), 0)


@cache
def _set_attributes() -> Callable[[int, bytes, int], object] | None:
    """The system call sched_setattr, where there is one that is known."""
    number = _SCHED_SETATTR.get(os.uname().machine) if sys.platform == "linux" else None
    return None if number is None else partial(ctypes.CDLL(None).syscall, number)


@cache
def _attributes(seconds: float, niceness: int) -> bytes:
    return struct.pack("=IIQiIQQQ", 48, 0, _KEEP_POLICY, niceness, 0, int(seconds * 1e9), 0, 0)


def freeze() -> None:
    """Keeps the collector away from what every child shares: a look at an object copies its page."""
    gc.collect()
    gc.freeze()


def descendants(root: int) -> list[int]:
    """The processes that descend from one (Linux), whichever of its threads has forked them."""
    try:
        threads = os.listdir(f"/proc/{root}/task")  # noqa: PTH208  # in a quarter of the time; so in `_said`
    except OSError:
        return []
    children = [int(pid) for thread in threads for line in _said(f"/proc/{root}/task/{thread}/children") for pid in line.split()]
    return children + [pid for child in children for pid in descendants(child)]


def is_stopped(pid: int) -> bool:
    """Whether a process stands still by a signal (SIGSTOP), rather than in the hands of a debugger (Linux)."""
    said = "".join(_said(f"/proc/{pid}/stat"))
    return said.rpartition(")")[2][1:2] == "T"


def ignore_terminal_signals() -> None:
    """Leaves Ctrl-C and hang-ups to the front, which closes the sockets."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def opening_at_most(files: int) -> Iterator[None]:
    """Within, this process can open only so many more files and sockets: no query, and no fault in the engine, reaches a host.

    A limit alone would leave the gaps below it, so they are filled.
    """
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(_MOST_FILES, before[0])
    fillers: list[int] = []
    with suppress(OSError):  # there are no more, which is the point
        while not fillers or fillers[-1] < most - files - 1:
            fillers.append(os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for filler in fillers:
            os.close(filler)


def mute_crashes() -> None:
    """Silences what native code prints when it aborts, and leaves no core file; Python's own words still come out."""
    sys.stderr = os.fdopen(os.dup(2), "w")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bound_memory(extra_bytes: int) -> None:
    """Lets this process map `extra_bytes` more than it has now; a request beyond that ends it (SIGABRT)."""
    limit = mapped_bytes() + extra_bytes
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def mapped_bytes() -> int:
    """The size of this process's address space in bytes (0 where /proc does not say)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def proportional_bytes(pid: int) -> int:
    """The memory of a process in bytes, shared pages counted by their share (PSS); 0 if it cannot be read."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def afresh(work: Callable[[], None]) -> None:
    """Does the work of a process that was forked, in a thread of its own (glibc): what it makes then lies together.

    The first thread has at hand what was free where it was forked from, thousands of pieces from all over the memory, and would
    own a page for each that it takes. Where an answer waits for it, it is not worth its tenth of a millisecond. A niceness is a
    thread's (Linux): this one begins with that of the first, and is not reached by what is set from outside.
    """
    with ThreadPoolExecutor(1) as aside:
        aside.submit(work).result()


def share_memory() -> None:
    """Has all threads of this process take their memory from one place (glibc): else each keeps what it has freed for itself,
    though one at a time runs in Python."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back(held: list[Any]) -> None:  # Any: whatever takes much memory
    """Lets go of what is held, and has the kernel take what this process has freed and keeps for itself (glibc).

    A thread that ends then does it: each thread keeps thousands of freed pieces at hand, and whoever is forked would begin with
    those of ours, from all over the memory, and own a page for each.
    """
    afresh(held.clear)
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def available_bytes() -> int:
    """Memory that the machine and the control group of this process could still give out, in bytes."""
    path = next((line[3:] for line in _said("/proc/self/cgroup") if line.startswith("0::/")), "/")
    return min(_machine_bytes(), group_bytes(GROUPS / path.lstrip("/")))


def group_bytes(folder: Path) -> int:
    """Memory that a control group (cgroup 2), such as a container has, may still take; without a limit it is `sys.maxsize`."""
    most = next(iter(_said(folder / "memory.max")), "max")
    taken = dict(line.split() for line in _said(folder / "memory.stat"))
    return max(int(most) - int(taken.get("anon", 0)), 0) if most != "max" else sys.maxsize


def _machine_bytes() -> int:
    """Memory that the machine could still give out (a guess of 4 GiB where /proc does not say)."""
    told = (line.split() for line in _said("/proc/meminfo"))
    return next((int(words[1]) * 1024 for words in told if words[0] == "MemAvailable:"), 4 << 30)


def _said(path: str | Path) -> list[str]:
    try:
        with open(path) as said:  # noqa: PTH123
            return said.read().splitlines()
    except OSError:
        return []


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
