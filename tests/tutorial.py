"""The tutorial as a shell session: the commands that it shows, and whether what came is what it says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

START = "MOTORGRAPH_WRITE_TOKEN=only-for-the-tutorial make serve"
TOKEN = "only-for-the-tutorial"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BETWEEN = "\x1e"


@dataclass(frozen=True)
class Step:
    """Commands, and what they print as the text has it; "" where it shows nothing."""

    commands: str
    shown: str = ""

    def is_met_by(self, printed: str) -> bool:
        """Whether something is what is shown, where `…` stands for anything."""
        wanted = "\n".join(line.rstrip() for line in self.shown.splitlines())
        found = "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())
        pattern = ".*".join(re.escape(part) for part in wanted.split("…"))
        return re.fullmatch(pattern, found, re.DOTALL) is not None


def steps(text: str) -> list[Step]:
    """The blocks of commands in a text, each with the block of output behind it, if that is what follows."""
    found: list[Step] = []
    blocks = [(block[1], block[2], block.end(), block.start()) for block in _BLOCK.finditer(text)]
    for place, (language, code, end, _) in enumerate(blocks):
        if language != "sh":
            continue
        after = blocks[place + 1] if place + 1 < len(blocks) else None
        is_output = after is not None and after[0] == "text" and not text[end : after[3]].strip()
        found.append(Step(code, after[1] if after is not None and is_output else ""))
    return found


def session(wanted: Sequence[Step], url: str, folder: Path) -> list[str]:
    """What each step prints, all run in one shell that ends at the first command that fails. Raises AssertionError then."""
    script = "".join(f"{step.commands}\nprintf '{_BETWEEN}'\n" for step in wanted)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:8800", url)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    printed = done.stdout.split(_BETWEEN)[:-1]
    assert done.returncode == 0, f"step {len(printed)} failed:\n{wanted[len(printed)].commands}\n{done.stdout}\n{done.stderr}"
    return printed
