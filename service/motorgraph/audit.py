"""The audit log: a line of JSON for every attempt to write, whatever came of it; neither tokens nor data are in it.

A line is in the file before its answer is sent. Where it cannot be, it is kept until it can, and so long no write is begun.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from motorgraph import logs
from motorgraph.engine.wire import Job
from motorgraph.errors import Failed, InsufficientStorage, Refusal
from motorgraph.protocol import Call
from motorgraph.reply import CLIENT_LEFT, ClientLeft

if TYPE_CHECKING:
    from motorgraph.stores.embedded import Embedded, Outcome

STANDARD_OUTPUT = Path("-")
MODE = 0o640
MOST_UNWRITTEN_BYTES = 1 << 20
log = logging.getLogger("motorgraph.audit")


class Audit:
    """The log of one service; without a path nothing is logged."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else _File(path)

    def open(self) -> None:
        """Opens the file, so that a start without it is refused. Raises Failed."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            raise Failed(f"The audit log {error.filename} cannot be written: {error.strerror} (setting audit_log).") from error

    @contextmanager
    def attempt(self, call: Call, job: Job, size: int) -> Iterator[Attempt]:
        """Within, a write is tried; what it comes to is logged if it was not told before. Raises InsufficientStorage."""
        self._require_room()
        attempt = Attempt(self, call, job, size)
        try:
            yield attempt
        except BaseException as error:
            attempt.failed(error)
            raise

    def write(self, line: dict[str, object]) -> None:
        """Writes a line, or keeps it to be written before anything else is."""
        if self._file is None:
            return
        try:
            self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            log.error(
                "the audit log cannot be written, no write is begun until it can", extra={"error": str(error), "line": line}
            )

    def _require_room(self) -> None:
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            raise InsufficientStorage(
                f"The audit log of this service cannot be written ({error.strerror}), so no write is begun. Nothing was changed; "
                "send it again when whoever keeps the service has made room."
            ) from error


@dataclass
class Attempt:
    """One attempt to write: the request, what it is to do (`job`), the bytes of its body, and by whom if that is known."""

    audit: Audit
    call: Call
    job: Job
    size: int = 0
    bearer: str = ""
    _before: int = 0
    _newest: int = 0
    _is_told: bool = False

    async def of(self, store: Embedded, data: bytes, guard: Callable[[], None]) -> Outcome:
        """What comes of the job with its data. Raises what `store.write` does."""

        def guarded() -> None:
            self._before = store.commit
            guard()

        try:
            return await store.write(self.job, data, guarded)
        finally:
            self._newest = store.commit

    def made(self, outcome: Outcome, status: int) -> None:
        """It was made, rehearsed, or had been made before."""
        if outcome.is_replayed:
            came_of = "replayed"
        elif self.job.dry_run:
            came_of = "rehearsed"
        else:
            came_of = "made" if outcome.commit != self._before else "nothing to change"
        self._tell(came_of, status, commit=outcome.commit)

    def failed(self, error: BaseException) -> None:
        """It was refused, its client left, or the service made a mistake."""
        if isinstance(error, Refusal):
            self._tell("refused", error.status, problem=error.kind)
        elif isinstance(error, ClientLeft | asyncio.CancelledError):
            is_made = 0 < self._before < self._newest
            self._tell("made" if is_made else "given up", CLIENT_LEFT, **({"commit": self._newest} if is_made else {}))
        else:
            self._tell("failed", Failed.status, problem=Failed.kind)

    def dismiss(self) -> None:
        """It came to no attempt."""
        self._is_told = True

    def _tell(self, outcome: str, status: int, **more: object) -> None:
        if self._is_told:
            return
        self._is_told = True
        self.audit.write(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request": logs.request_id.get(),
                "client": self.call.client,
                "bearer": self.bearer or None,
                "method": self.call.method,
                "path": self.call.path,
                "task": self.job.task,
                "graph": self.job.graph,
                "bytes": self.size,
                "outcome": outcome,
                "status": status,
                **more,
            }
        )


class _File:
    """A file that lines are added to; one that was moved away is begun anew, as logrotate wants it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._number = 1 if path == STANDARD_OUTPUT else -1
        self._unwritten = bytearray()

    def write(self, line: bytes) -> None:
        """Adds a line. Raises OSError, and keeps what could not be written."""
        if len(self._unwritten) + len(line) <= MOST_UNWRITTEN_BYTES:
            self._unwritten += line
        self.flush()

    def flush(self) -> None:
        """Writes what could not be written before; if there was nothing, sees to it that the file is there. Raises OSError."""
        if self._path != STANDARD_OUTPUT and self._has_moved():
            self._reopen()
        while self._unwritten:
            del self._unwritten[: os.write(self._number, self._unwritten)]

    def _has_moved(self) -> bool:
        if self._number < 0:
            return True
        with suppress(OSError):
            return not os.path.samestat(os.fstat(self._number), self._path.stat())
        return True

    def _reopen(self) -> None:
        number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        if self._number >= 0:
            os.close(self._number)
        self._number = number
