"""Which reader a job may begin at now: an idle one, one that will be through in a moment, or one that is kept for small jobs."""

from __future__ import annotations

import time

from motorgraph.engine.answer import Answer
from motorgraph.engine.backlog import Backlog
from motorgraph.engine.child import Reader
from motorgraph.engine.readers import Readers
from motorgraph.limits import MOST_AHEAD, QUICK_SECONDS


class Seats:
    """The readers as those see them who look for one."""

    def __init__(self, readers: Readers, backlog: Backlog) -> None:
        self._readers = readers
        self._backlog = backlog

    def take(self, answer: Answer) -> Reader | None:
        """An idle reader, if one more may begin; else, for a small job, one that is at another small one: it need not sleep
        between the two. None if the answer has to wait."""
        is_small = self._backlog.is_small(answer)
        if self.has_turn() and (self._readers.idle if is_small else self._spare()):
            return self._readers.idle.pop(-1 if is_small or not self._readers.idle[0].is_owed else 0)
        if self._backlog.is_quick(answer):
            able = [reader for reader in self._readers.all.values() if self._takes_ahead(reader)]
            if able:
                return min(able, key=lambda reader: len(reader.line))
        return self._readers.idle.pop() if self._backlog.is_tiny(answer) and self.has_express() else None

    def has_any(self) -> bool:
        """Whether any job could be sent to a reader now."""
        return (bool(self._readers.idle) and self.has_turn()) or any(map(self._takes_ahead, self._readers.all.values()))

    def has_turn(self) -> bool:
        """Whether one more may begin: at a time as many as stand in reserve (one a core), besides those that are long."""
        return len(self._at_work()) < self._readers.limits.reserve

    def has_express(self) -> bool:
        """Whether a tiny query may begin beside those that have all turns, none of which will be done in a moment."""
        at_work = self._at_work()
        if not self._readers.idle or len(at_work) >= self._readers.limits.reserve + self._readers.limits.express:
            return False
        return not any(a.started > time.monotonic() - QUICK_SECONDS and self._backlog.is_tiny(a) for a in at_work)

    def _spare(self) -> bool:
        """Whether a job that may be large can have an idle reader, and one is left for the small ones."""
        kept = min(self._readers.limits.express, self._readers.living() - 1)
        return len(self._readers.idle) > max(kept, 0)

    def _at_work(self) -> list[Answer]:
        """What readers are at that has not become long."""
        return [answer for answer in self._readers.answers() if not answer.is_long]

    def _takes_ahead(self, reader: Reader) -> bool:
        """Whether it will be through with what it has in next to no time."""
        at = reader.answer
        return (
            at is not None
            and len(reader.line) < MOST_AHEAD
            and not (at.is_long or at.is_paused or reader.is_retired or reader.is_gone)
            and reader.generation == self._readers.generation
            and self._backlog.is_quick(at)
        )
