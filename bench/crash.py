"""Whether what was acknowledged survives: kills the keeper, the front or both at random moments under writes, again and again.

`python -m bench.crash --rounds 200` returns 0 if after each kill every acknowledged commit is there whole, none is there in
part, `motorgraph verify` finds nothing and the service starts again by itself; 1 with the first fault if not.
"""

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from bench.processes import tree

TOKEN = "crash"  # of a service that lives for seconds, on loopback
WRITERS = 3
QUADS_A_WRITE = 20
MOST_SECONDS_A_ROUND = 1.5
SECONDS_TO_START = 60
VICTIMS = ("keeper", "front", "both")


class Fault(Exception):
    """Something that was acknowledged is not there, or something is there in part."""


@dataclass
class Writer:
    """Writes one graph after the other until the service is gone: which it was told of, and which it began."""

    port: int
    name: str
    told: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Until the connection breaks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/turtle"}
        with suppress(OSError, http.client.HTTPException):
            while True:
                graph = f"http://crash/{self.name}-{len(self.begun)}"
                body = "".join(f"<{graph}#s> <http://crash/p> {number} .\n" for number in range(QUADS_A_WRITE))
                self.begun.add(graph)
                connection.request("PUT", f"/graphs?graph={quote(graph, safe='')}", body, headers)
                response = connection.getresponse()
                response.read()
                if response.status == http.client.CREATED:
                    self.told.add(graph)
                elif response.status < http.client.INTERNAL_SERVER_ERROR:
                    raise Fault(f"a write was answered {response.status}")
        connection.close()


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A service on the folder, ready, and its port. Raises Fault if it does not start by itself."""
    environment = {**os.environ, "MOTORGRAPH_WRITE_TOKEN": TOKEN}
    command = [sys.executable, "-m", "motorgraph", "serve", "--plain", "--port", "0", "--data-dir", str(folder)]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env=environment, start_new_session=True)
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        said = (folder / "service.log").read_text()
        if "motorgraph is at " in said:
            return process, int(said.partition("motorgraph is at http://127.0.0.1:")[2].partition("/")[0])
        time.sleep(0.02)
    raise Fault(f"the service does not start again: {(folder / 'service.log').read_text()[-500:]}")


def kill(process: subprocess.Popen[bytes], victim: str) -> None:
    """Ends the keeper, the front or both at once."""
    keepers = [pid for pid in tree(process.pid) if name(pid) == "mg-keeper"]
    for pid in [*(keepers if victim != "front" else []), *([process.pid] if victim != "keeper" else [])]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def name(pid: int) -> str:
    """What a process calls itself."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def stored(port: int) -> dict[str, int]:
    """How many triples each graph has."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    query = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    connection.request("GET", f"/sparql?query={quote(query)}", headers={"Accept": "text/csv"})
    lines = connection.getresponse().read().decode().split()[1:]
    connection.close()
    return {line.rpartition(",")[0]: int(line.rpartition(",")[2]) for line in lines}


def one_round(folder: Path, number: int, told: set[str], begun: set[str]) -> None:
    """Writes, kills at a random moment, starts again, looks. Raises Fault."""
    process, port = serve(folder)
    try:
        found = stored(port)
        check(found, told, begun)
        writers = [Writer(port, f"{number}-{writer}") for writer in range(WRITERS)]
        threads = [threading.Thread(target=writer.run) for writer in writers]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0, MOST_SECONDS_A_ROUND))  # a moment, no secret
        kill(process, random.choice(VICTIMS))  # as above
        for thread in threads:
            thread.join()
        for writer in writers:
            told |= writer.told
            begun |= writer.begun
    finally:
        kill(process, "both")
        process.wait()
    verdict = subprocess.run(
        [sys.executable, "-m", "motorgraph", "verify", "--plain", "--data-dir", str(folder)], capture_output=True, check=False
    )
    if verdict.returncode:
        raise Fault(verdict.stderr.decode().strip())


def check(found: dict[str, int], told: set[str], begun: set[str]) -> None:
    """Raises Fault unless all that was acknowledged is there, and what is there is whole and was asked for."""
    if missing := told - found.keys():
        raise Fault(f"{len(missing)} acknowledged graphs are gone, such as {min(missing)}")
    if strange := found.keys() - begun:
        raise Fault(f"graphs that nobody wrote: {sorted(strange)[:3]}")
    if partial := {graph: count for graph, count in found.items() if count != QUADS_A_WRITE}:
        raise Fault(f"graphs that are there in part: {dict(sorted(partial.items())[:3])}")


def main() -> int:
    """Runs the rounds and prints how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description="Kill it under writes, and look what is left.")
    parser.add_argument("--rounds", type=int, default=200, help="how many kills")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the random moments")
    given = parser.parse_args()
    random.seed(given.seed)
    told: set[str] = set()
    begun: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number in range(given.rounds):
                one_round(Path(folder), number, told, begun)
            process, port = serve(Path(folder))
            check(stored(port), told, begun)
            kill(process, "both")
            process.wait()
        except Fault as fault:
            print(f"FAILED in round {number} with --seed {given.seed}: {fault}")
            return 1
    print(f"{given.rounds} kills (--seed {given.seed}): {len(told):,} commits acknowledged, all there; {len(begun):,} begun")
    return 0


if __name__ == "__main__":
    sys.exit(main())
