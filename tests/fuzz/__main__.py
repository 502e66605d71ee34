"""Runs targets for a while: `python -m tests.fuzz [--seconds 60] [target …]`. Needs atheris (the extra `fuzz`).

What makes a target fail is written to `.fuzz/TARGET/`; once the cause is mended, the input goes to `tests/fuzz/found/TARGET/`,
from where tests/test_fuzz.py tries it for ever.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.fuzz.seeds import SEEDS, WORDS, as_dictionary

FOUND = Path(__file__).parent / "found"
WORK = Path(".fuzz")
SLOW_SECONDS = 60  # by the clock, so that a busy machine is no finding
MOST_MIB = 2048


def main() -> int:
    """The number of targets that failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="all without it")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    asked = parser.parse_args()
    return sum(_fails(name, asked.seconds) for name in asked.targets or SEEDS)


def _fails(name: str, seconds: int) -> bool:
    """Whether a target fails: runs it in a process of its own, since libFuzzer ends the one that it is in."""
    corpus = WORK / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{place}").write_bytes(seed)
    words = WORK / name / "words"
    words.write_text(as_dictionary(WORDS[name]))
    print(f"== {name}, {seconds} s", flush=True)
    limits = [f"-max_total_time={seconds}", f"-timeout={SLOW_SECONDS}", f"-rss_limit_mb={MOST_MIB}", "-max_len=4096"]
    kept = [f"-artifact_prefix={WORK / name}/", "-print_final_stats=1", "-reduce_inputs=0", f"-dict={words}"]
    folders = [str(corpus), *(str(folder) for folder in [FOUND / name] if folder.is_dir())]
    command = [sys.executable, "-m", "tests.fuzz.run", name, *limits, *kept, *folders]
    return subprocess.run(command, check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main())
