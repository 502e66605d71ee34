"""One target in libFuzzer, which takes this process: `python -m tests.fuzz.run TARGET [its own arguments]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["motorgraph"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Runs until libFuzzer has had its time, or a target fails."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
