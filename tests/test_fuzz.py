"""What fuzzing begins with and what it has found, tried each time; `make fuzz` looks for more (tests/fuzz)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

FOUND = sorted((Path(__file__).parent / "fuzz" / "found").glob("*/*"))
PIECES = (b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\r\n", b'"', b"%", b"{[(<", b"9" * 5000)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_is_mended(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_each_target_takes_what_it_begins_with_cut_and_spoiled(name: str) -> None:
    for seed in SEEDS[name][:12]:
        middle = len(seed) // 2
        for data in (seed, seed[:middle], seed[middle:], *(seed[:middle] + piece + seed[middle:] for piece in PIECES)):
            TARGETS[name](data)
