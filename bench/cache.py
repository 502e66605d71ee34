"""The folder `.bench/` in the project: generated graphs that stay, and the servers' data that does not."""

import tempfile
from pathlib import Path

from bench.gen import generate

FOLDER = Path(__file__).resolve().parent.parent / ".bench"
SEED = 42
VIOLATIONS = 5


def folder() -> Path:
    """The cache folder, made if it is missing; git does not see what is in it."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    return FOLDER


def passing_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for the data of one run, on the same disk as the graphs; it goes when its context ends."""
    return tempfile.TemporaryDirectory(prefix="run-", dir=folder())


def graph(triples: int, violations: int = VIOLATIONS) -> Path:
    """The generated graph of so many triples as an N-Triples file, written if it is missing."""
    path = folder() / f"graph-{triples}-{SEED}{'' if violations == VIOLATIONS else f'-{violations}'}.nt"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", buffering=1 << 20) as lines:
            generate(triples, SEED, lines.write, violations=violations)
        unfinished.replace(path)
    return path
