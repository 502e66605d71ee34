"""The clock of the answers: calls back for those that are due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from motorgraph.engine.answer import Answer

TICK_SECONDS = 0.005


class Watch:
    """Looks every `TICK_SECONDS` while there is anything to wait for: a timer for each answer would cost as much as answering."""

    def __init__(self) -> None:
        self._due: dict[Answer, tuple[float, Callable[[Answer], None]]] = {}
        self._is_running = False

    def at(self, answer: Answer, when: float, call: Callable[[Answer], None]) -> None:
        """Calls `call` with the answer at `when` (monotonic seconds), instead of whatever was to be called for it."""
        self._due[answer] = when, call
        if not self._is_running:
            self._is_running = True
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._look)

    def off(self, answer: Answer) -> None:
        """Calls nothing for the answer any more."""
        self._due.pop(answer, None)

    def _look(self) -> None:
        now = time.monotonic()
        for answer, entry in [item for item in self._due.items() if item[1][0] <= now]:
            if self._due.get(answer) is entry:  # what was called before it may have changed that
                del self._due[answer]
                entry[1](answer)
        self._is_running = bool(self._due)
        if self._is_running:
            asyncio.get_running_loop().call_later(TICK_SECONDS, self._look)
