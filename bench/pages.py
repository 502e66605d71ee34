"""How long the service takes for the page of a thing, and how much it sends, for some things of every kind, in one run.

`python -m bench.pages` starts the shipped service and asks once for the page of each thing, one after the other: none comes
from the cache of answers. `work` is the service's processor time for one. It returns 0 if the targets are kept, 1 if not.
"""

import argparse
import gzip
import http.client
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import cache, command, machine
from bench.entities import BASE, KINDS, some
from bench.processes import processor_seconds
from bench.servers import Server, ServerError, shipped_motorgraph
from bench.targets import Target, Verdict, print_verdicts

MOST_MILLISECONDS = 30
MOST_KILOBYTES = 60
MEASURED = (*KINDS, "act", "measure", "event")


def page(server: Server, thing: str) -> tuple[float, float]:
    """The milliseconds until a page is there, and its kilobytes when packed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    began = time.perf_counter()
    connection.request("GET", f"/page/{thing.removeprefix(BASE + '/id/')}", headers={"Accept": "text/html"})
    response = connection.getresponse()
    body = response.read()
    taken = (time.perf_counter() - began) * 1000
    connection.close()
    if response.status != 200:
        raise ServerError(f"{thing}: {response.status}")
    return taken, len(gzip.compress(body, 6)) / 1000


def measure(things: int) -> list[Verdict]:
    """Start the server, measure, stop the server."""
    taken: list[float] = []
    largest: list[float] = []
    with ExitStack() as stack:
        server = stack.enter_context(shipped_motorgraph(None, Path(stack.enter_context(cache.passing_folder()))))
        print(f"\n{'kind':16}{'pages':>6}{'p50 ms':>9}{'p90 ms':>9}{'most KB':>9}{'work ms':>9}")
        for kind in MEASURED:
            found, before = some(server, kind, things), processor_seconds(server.pid)
            read = [page(server, thing) for thing in found]
            work = (processor_seconds(server.pid) - before) * 1000
            if read:
                times, sizes = [each[0] for each in read], [each[1] for each in read]
                taken, largest = taken + times, largest + sizes
                row = f"{kind:16}{len(read):6}{statistics.median(times):9.1f}{_tenth(times):9.1f}{max(sizes):9.1f}"
                print(f"{row}{work / len(read):9.1f}", flush=True)
    return [
        Verdict(Target("page of a thing, median", MOST_MILLISECONDS, "ms"), statistics.median(taken), f"{len(taken)} pages"),
        Verdict(Target("HTML of a page, packed, the largest", MOST_KILOBYTES, "KB"), max(largest)),
    ]


def _tenth(times: Sequence[float]) -> float:
    """What nine of ten are not over."""
    return sorted(times)[int(len(times) * 0.9)] if len(times) > 1 else times[0]


def main() -> int:
    """Measure as the command line asks; what comes back is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description="Time pages of things.")
    parser.add_argument("--things", type=int, default=15, help="things of each kind")
    things = parser.parse_args().things
    circumstances = {**machine.description(), "plan": f"{things} things of each of {len(MEASURED)} kinds, each once"}
    return command.run(circumstances, lambda: print_verdicts(measure(things)))


if __name__ == "__main__":
    sys.exit(main())
