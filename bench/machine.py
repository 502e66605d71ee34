"""What a figure must name to mean anything: the machine, the versions, the commit."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

PACKAGES = ["motorgraph", "oxigraph", "pyoxigraph", "rdflib", "rdflib-endpoint", "oxrdflib"]

LEFT_BY_RUNS = (":(top,exclude)bench/readings", ":(top,exclude)docs")


def description() -> dict[str, str]:
    """The circumstances of a run, in words, by topic."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {_processor()}, {_memory_gib():.0f} GiB, {platform.system()}",
        "load": "{:.2f} {:.2f} {:.2f} before the run".format(*os.getloadavg()),
        "versions": ", ".join(["Python " + platform.python_version(), *map(_version, PACKAGES), _virtuoso()]),
        "commit": _commit(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} not installed"


def _virtuoso() -> str:
    found = shutil.which("virtuoso-t")
    if not found:
        return "virtuoso not installed"
    told = subprocess.run([found, "-?"], capture_output=True, text=True, check=False)
    version = re.search(r"Version (\d+\.\d+\.\d+)", told.stdout + told.stderr)
    return f"virtuoso {version[1] if version else 'of no known version'}"


def _commit() -> str:
    """The commit, with `-dirty` if what is measured is not that: what runs leave, and the pages made of it, do not count."""
    commit = _git("describe", "--always")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", *LEFT_BY_RUNS)
    return f"{commit}{'-dirty' if changed else ''}" if commit else "none"


def _git(*words: str) -> str:
    asked = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return asked.stdout.strip()
