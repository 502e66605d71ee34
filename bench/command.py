"""How each command of the benchmark begins and ends: the circumstances first, the servers stopped whatever happens."""

import shlex
import sys
from collections.abc import Callable, Mapping

from bench.servers import ServerError, stop_in_order_when_terminated


def run(circumstances: Mapping[str, str], measure: Callable[[], bool]) -> int:
    """Print the circumstances, measure, and return the exit status.

    It is 0 if all targets are kept, 1 if not, 2 if the measurement could not run, 130 on Ctrl-C.
    """
    stop_in_order_when_terminated()
    for topic, words in circumstances.items():
        print(f"{topic:9}{words}", flush=True)
    try:
        return 0 if measure() else 1
    except ServerError as failure:
        print(failure, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def line(module: str) -> str:
    """The command that runs, as one would type it, but for where it writes its readings."""
    words = sys.argv[1:]
    if "--json" in words:
        place = words.index("--json")
        words = words[:place] + words[place + 2 :]
    return shlex.join(["python", "-m", module, *words])
