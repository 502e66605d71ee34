"""A client that asks small queries in a process of its own, so that what other clients are at does not count as the service's.

`python -m bench.points PORT` asks what is said of one plant after the other until its input ends, and prints a line for each: the
moments (monotonic, which is the same in all processes) at which it began and ended, the status, and which refusal it is.
"""

from __future__ import annotations

import http.client
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench import traffic
from bench.traffic import CSV, Client, Scene, query

SECONDS_BETWEEN = 0.05


def ask_until(port: int, over: threading.Event) -> None:
    """Asks until it is over."""
    client, chance = Client(port), random.Random(port)
    plants = client.ask(query(traffic.PLANTS), CSV).body.decode().split()[1:]
    while not over.wait(chance.uniform(0.5, 1.5) * SECONDS_BETWEEN):
        try:
            reply = client.ask(query(f"SELECT ?p ?o {{ <{chance.choice(plants)}> ?p ?o }}"), CSV)
        except (OSError, http.client.HTTPException) as error:
            client.close()
            print(0, 0, 0, type(error).__name__, flush=True)
        else:
            print(reply.began, reply.ended, reply.status, reply.problem, flush=True)


@contextmanager
def asked(scene: Scene) -> Iterator[None]:
    """Small queries while the context lasts; how long each took is in `points` of the scene, what else came of them counted."""
    command = [sys.executable, "-m", "bench.points", str(scene.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        reading = threading.Thread(target=_read, args=(scene, process))
        reading.start()
        try:
            yield
        finally:
            assert process.stdin is not None  # a pipe, as it was asked for
            process.stdin.close()
            reading.join()


def _read(scene: Scene, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None  # as above
    for line in process.stdout:
        began, ended, status, *problem = line.split()
        scene.counts(" ".join(["timed point query", status, *problem]))
        if status == "200":
            scene.points.append((float(ended), float(ended) - float(began)))


def main() -> int:
    """Asks the service at the port that is named, until the input ends."""
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    ask_until(int(sys.argv[1]), over)
    return 0


if __name__ == "__main__":
    sys.exit(main())
