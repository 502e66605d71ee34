"""What it takes to fill an engine from a journal: `python -m bench.copies`.

For each size it writes a journal of one commit, copies it to an empty oxigraph on disk by `motorgraph copy`, and says what memory
and processor time both took. It returns 0 if the largest copy took no more memory than the smallest, but for a tenth and 32 MiB.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import cache, command, machine
from bench.processes import processor_seconds
from bench.servers import LOOPBACK, durable_oxigraph, executable
from bench.targets import Target, Verdict, print_verdicts
from motorgraph.commits import PIECE_BYTES, Change
from motorgraph.journal import Journal


def pieces(graph: Path) -> Iterator[bytes]:
    """A file of N-Triples in pieces of whole lines."""
    with graph.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            yield piece + source.readline()


def copied(triples: int) -> int:
    """Copies a graph of so many triples; the most bytes that were resident in the process that did it."""
    with cache.passing_folder() as name:
        journal = Journal.open(Path(name) / "data" / "plain")
        journal.append(Change(added=pieces(cache.graph(triples))))
        journal.close()
        nothing = Path(name) / "nothing.nt"
        nothing.touch()
        with durable_oxigraph(nothing, Path(name)) as engine:
            url = f"http://{LOOPBACK}:{engine.port}{engine.sparql}"
            flags = ["--plain", "--data-dir", str(Path(name) / "data"), "--remote", url, "--remote-dialect", "oxigraph"]
            before, began = processor_seconds(engine.pid), time.monotonic()
            process = subprocess.Popen([executable("motorgraph"), "copy", *flags])
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, process.args)
            told(triples, used, processor_seconds(engine.pid) - before, time.monotonic() - began)
    return used.ru_maxrss * 1024


def told(triples: int, used: resource.struct_rusage, of_engine: float, seconds: float) -> None:
    """Prints a line about a copy."""
    own, most = used.ru_utime + used.ru_stime, used.ru_maxrss >> 10
    spent = f"processor {own:5.1f} s and {of_engine:5.1f} s of the engine"
    print(f"{triples:10,} triples {seconds:7.1f} s, {spent}, {most} MiB", flush=True)


def main() -> int:
    """Measures, and prints what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.copies", description="Copy journals of several sizes to an engine.")
    parser.add_argument("--triples", type=int, nargs="+", default=[100_000, 1_000_000], help="of the generated graphs")
    given = parser.parse_args()

    def measured() -> list[Verdict]:
        sizes = [copied(triples) for triples in sorted(given.triples)]
        most = 1.1 * sizes[0] / 2**20 + 32
        return [Verdict(Target("the memory of the largest copy", most, "MiB"), sizes[-1] / 2**20)]

    return command.run(machine.description(), lambda: print_verdicts(measured()))


if __name__ == "__main__":
    sys.exit(main())
