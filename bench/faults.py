"""Whether the service gets over what is done to it: `python -m bench.faults` does it, under writers and readers, and looks.

For each fault a plain service is started on a data folder that lives through all of them. Each refusal has to be a problem that
says what was wrong, no answer may take longer than its bound, the service has to go on without hands, or to end as documented and
to start again; every acknowledged write has to be there whole, and `motorgraph verify` must find nothing. Returns 0 if all that
is so, 1 with the fault if not, 2 if something could not be tried here.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.asking import Seen, asking
from bench.crash import told
from bench.groups import group
from bench.ledger import Fault, Large, Ledger, continue_until_written, writing
from bench.lives import Lives
from bench.provoking import (
    Bed,
    Untried,
    clock,
    failing_disk,
    keeper_has_no_descriptors,
    keeper_pauses,
    keeper_stays,
    no_descriptors,
    no_memory,
    no_processes,
    set_clock,
    slow_disk,
    stopping,
)

QUERY_SECONDS = 10
MOST_READ_SECONDS = 90  # what an older commit may take, its wait and its process included
SOME = Large(0.1, 20_000)
LAST_WORDS = 4000


@dataclass(frozen=True)
class Kind:
    """A fault: what provokes it, what the service is started with, the control group it needs, whether the service ends of it."""

    provoke: Callable[[Bed], None]
    options: tuple[str, ...] = ()
    controller: str = ""
    bears: frozenset[str] = frozenset()
    sets_clock: bool = False
    is_end: bool = False


FAULTS: Mapping[str, Kind] = {
    **{f"stopped {role}": Kind(stopping(role)) for role in ("reader", "draft", "scribe", "clerk", "past", "finder", "archivist")},
    "stopped aside": Kind(stopping("aside")),
    "keeper stopped for a while": Kind(keeper_pauses),
    "keeper stopped for good": Kind(keeper_stays, is_end=True),
    "no more processes": Kind(no_processes, controller="pids"),
    "no more memory": Kind(no_memory, controller="memory"),
    "no more descriptors": Kind(no_descriptors),
    "no more descriptors in the keeper": Kind(keeper_has_no_descriptors),
    "slow disk": Kind(slow_disk, options=("--write-queue-length", "1")),
    "failing disk": Kind(failing_disk, bears=frozenset({"failed"})),
    "clock a year ahead": Kind(set_clock("+366d"), sets_clock=True),
    "clock an hour back": Kind(set_clock("-1h"), sets_clock=True),
}


@dataclass
class Report:
    """What came of one fault: what clients met, and in seconds the longest read and write and the time until the next write."""

    seen: Seen
    refused: str
    slowest_write: float
    seconds_to_recover: float
    remarks: str

    def __str__(self) -> str:
        return (
            f"reads: {told(self.seen.outcomes)}; writes refused: {self.refused or 'none'}; "
            f"longest read {self.seen.slowest:.1f} s, longest write {self.slowest_write:.1f} s; "
            f"written again after {self.seconds_to_recover:.1f} s; {self.remarks}"
        )


@dataclass
class Endurance:
    """One data folder through all faults."""

    lives: Lives
    scratch: Path
    chance: random.Random
    groups: Path | None

    def endure(self, kind: Kind) -> Report:
        """Does a fault to a service under load, and looks what came of it. Raises Fault, or Untried."""
        ledger, seen = self.lives.ledger, Seen()
        ledger.not_made.clear()
        ledger.slowest, ledger.bears = 0.0, kind.bears
        lives = replace(self.lives, options=(*self.lives.options, *kind.options))
        with ExitStack() as stack:
            found = stack.enter_context(group(kind.controller, self.groups)) if kind.controller else None
            lives.wrapper = found.entering if found is not None else ()
            lives.environment = clock(self.scratch) if kind.sets_clock else {}
            process, port = stack.enter_context(lives.life())
            bed = Bed(process, port, ledger, seen, self.scratch, found)
            with writing(port, ledger, self.chance, SOME), asking(port, seen, self.chance):
                continue_until_written(ledger)
                kind.provoke(bed)
                began = time.monotonic()
                if not kind.is_end:
                    continue_until_written(ledger)
                seconds = time.monotonic() - began
            if not kind.is_end:
                lives.comes_back(port)
        self.lives.verify()
        if seen.slowest > MOST_READ_SECONDS:
            raise Fault(f"a read took {seen.slowest:.0f} seconds")
        return Report(seen, told(ledger.not_made), ledger.slowest, seconds, "; ".join(bed.remarks))

    def last_look(self) -> None:
        """Everything is there, in the journal and in memory, with the time that it takes to read all of it. Raises Fault."""
        replace(self.lives, options=()).last_look()

    def failed(self, what: str, fault: Fault) -> int:
        """Prints what has failed, with the last words of the service; the exit status."""
        print(f"{what}: FAILED: {fault}\n{self.lives.log.read_text()[-LAST_WORDS:]}")
        return 1


def main() -> int:
    """Goes through the faults, and prints what came of each."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description="Do it harm, and look whether it gets over it.")
    parser.add_argument("--only", default="", help="faults by a part of their names, with commas between")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of what writers and readers do")
    parser.add_argument(
        "--groups", type=Path, help="where to make control groups, such as /sys/fs/cgroup, if not below that of this process"
    )
    given = parser.parse_args()
    untried = 0
    with _endurance(given.seed, given.groups) as endurance:
        for name, kind in FAULTS.items():
            if given.only and not any(part in name for part in given.only.split(",")):
                continue
            try:
                print(f"{name}: {endurance.endure(kind)}", flush=True)
            except Untried as reason:
                untried += 1
                print(f"{name}: not tried, {reason}", flush=True)
            except Fault as fault:
                return endurance.failed(name, fault)
        try:
            endurance.last_look()
        except Fault as fault:
            return endurance.failed("the last look", fault)
        ledger = endurance.lives.ledger
        print(
            f"{ledger.acknowledged:,} writes acknowledged in all, all there; {ledger.in_doubt:,} cut off or in doubt, "
            "each there whole or not at all"
        )
    return 2 if untried else 0


@contextmanager
def _endurance(seed: int, groups: Path | None) -> Iterator[Endurance]:
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as folder:
        options = ("--query-seconds", str(QUERY_SECONDS))
        lives = Lives(Path(folder), Path(scratch), Ledger(), options)
        yield Endurance(lives, Path(scratch), random.Random(seed), groups)


if __name__ == "__main__":
    sys.exit(main())
