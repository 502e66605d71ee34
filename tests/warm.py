"""Runs `motorgraph` from an interpreter that has imported it already, so that not each of hundreds of processes has to.

A process is forked from a server that multiprocessing keeps for this test process. It is one like any other but for how it began;
what has to do with that is tested with a `subprocess` (test_life.py, test_cli.py).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory

from motorgraph.engine.process import die_with

SECONDS = 120
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["motorgraph.cli", "motorgraph.server"])


@dataclass(frozen=True, slots=True)
class Files:
    """Where a process reads, writes, and complains."""

    given: Path = Path(os.devnull)
    out: Path = Path(os.devnull)
    err: Path = Path(os.devnull)


class Process:
    """One run of the command, with the words of `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], files: Files) -> None:
        self._process: ForkServerProcess = _forking.Process(
            target=_be, args=(list(arguments), dict(environment), str(Path.cwd()), files)
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, a signal's number below 0; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("motorgraph", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(SIGKILL)


def run(arguments: Sequence[str | Path], environment: Mapping[str, str], given: bytes = b"") -> tuple[int, bytes, bytes]:
    """What a run of the command ends with, and all that it writes and complains."""
    with TemporaryDirectory() as folder:
        files = Files(*(Path(folder) / name for name in ("given", "out", "err")))
        files.given.write_bytes(given)
        process = Process(list(map(str, arguments)), environment, files)
        try:
            return process.wait(SECONDS), files.out.read_bytes(), files.err.read_bytes()
        finally:
            process.kill()


def _be(arguments: list[str], environment: dict[str, str], folder: str, files: Files) -> None:
    """Is `python -m motorgraph` with these arguments, to the end of the process."""
    die_with(os.getppid())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path, mode in ((0, files.given, os.O_RDONLY), (1, files.out, os.O_WRONLY), (2, files.err, os.O_WRONLY)):
        opened = os.open(path, mode | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    sys.argv = ["motorgraph", *arguments]
    from motorgraph.cli import main  # it is there already

    status = 1
    try:
        main()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:  # noqa: BLE001  # as the interpreter does it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
