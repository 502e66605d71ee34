"""Control groups of Linux (1 and 2) for a service under test: how many processes it may have, and how much memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
NAME = f"motorgraph-faults-{os.getpid()}"
SECONDS_TO_BE_EMPTY = 10
NO_LIMIT = {True: "max", False: str(1 << 62)}
MEMORY_LIMIT = {True: "memory.max", False: "memory.limit_in_bytes"}
MEMORY_TAKEN = {True: "memory.current", False: "memory.usage_in_bytes"}
MEMORY_EVENTS = {True: "memory.events", False: "memory.oom_control"}


@dataclass(frozen=True)
class Group:
    """A control group below that of this process; `is_unified` says whether it is one of version 2."""

    folder: Path
    is_unified: bool

    @property
    def entering(self) -> tuple[str, ...]:
        """What a command is begun with to be in it, with all that it forks."""
        return "sh", "-c", f'echo $$ > "{self.folder}/cgroup.procs" && exec "$@"', "sh"

    def bound_processes(self, most: int | None) -> None:
        """Lets it have so many processes and threads, None for any number."""
        (self.folder / "pids.max").write_text("max" if most is None else str(most))

    def bound_memory(self, most: int | None) -> None:
        """Lets it have so many bytes, None for any number."""
        (self.folder / MEMORY_LIMIT[self.is_unified]).write_text(NO_LIMIT[self.is_unified] if most is None else str(most))

    @property
    def memory(self) -> int:
        """The bytes that it has."""
        return int((self.folder / MEMORY_TAKEN[self.is_unified]).read_text())

    @property
    def killed(self) -> int:
        """How many of its processes the kernel has ended for want of memory."""
        told = dict(line.split() for line in (self.folder / MEMORY_EVENTS[self.is_unified]).read_text().splitlines())
        return int(told["oom_kill"])


@contextmanager
def group(controller: str, groups: Path | None = None) -> Iterator[Group | None]:
    """A group of its own for `pids` or `memory`, in the tree at `groups` or else below that of this process; None where there
    can be none. Its members are to have been ended before.
    """
    found = _own(controller) if groups is None else _within(controller, groups)
    try:
        if found is not None:
            found.folder.mkdir()
    except OSError:
        found = None
    yield found
    deadline = time.monotonic() + SECONDS_TO_BE_EMPTY
    while found is not None and found.folder.exists() and time.monotonic() < deadline:
        with suppress(OSError):  # it has members until the last has been buried
            found.folder.rmdir()
        time.sleep(0.02)


def _within(controller: str, groups: Path) -> Group:
    """Where a group may be made in a tree: in version 1 each controller has one of its own."""
    is_unified = not (groups / controller).is_dir()
    return Group((groups if is_unified else groups / controller) / NAME, is_unified)


def _own(controller: str) -> Group | None:
    """Where a group may be made: below that of this process."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        parent = GROUPS / controllers / path.lstrip("/")
        if controller in controllers.split(",") or (not controllers and controller in _given(parent)):
            return Group(parent / NAME, is_unified=not controllers)
    return None


def _given(folder: Path) -> list[str]:
    with suppress(OSError):
        return (folder / "cgroup.subtree_control").read_text().split()
    return []
