"""The jobs that wait for a reader, and what is known of how long each kind of job takes."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter
from typing import NamedTuple, TypeVar

from motorgraph.engine.answer import Answer
from motorgraph.engine.wire import Job
from motorgraph.limits import (
    KNOWN_QUERIES,
    LONG_SECONDS,
    MOMENT_SECONDS,
    PATIENCE_SECONDS,
    PRECEDENCE_SECONDS,
    QUICK_SECONDS,
    SPARE_SECONDS,
)

T = TypeVar("T")
GUESSED_SECONDS = 2 * LONG_SECONDS  # for what has not been seen to end
FADING = 0.9  # of what the slowest of a shape took, with each new one of it
MOST_GROWTH = 1.25  # times what is known, each time: a query that had to wait for a processor is no larger one
MOST_GROWTH_OF_SHAPE = 4
HANDICAP = 10  # times what a job is known to take: by so much later another that takes nothing may come and yet go first


class Took(NamedTuple):
    """The seconds that a query took of late: in the mean, and at least, since whatever comes between only adds."""

    mean: float
    least: float


_GUESSED = Took(GUESSED_SECONDS, GUESSED_SECONDS)
_UNKNOWN = Took(0.0, 0.0)


class Backlog:
    """Two queues: `waiting` for any reader, by turns, `parked` until one of the long ones has ended."""

    def __init__(self) -> None:
        self.waiting: list[Answer] = []
        self.parked: deque[Answer] = deque()
        self._known: OrderedDict[tuple[object, ...], Took] = OrderedDict()
        self._alike: OrderedDict[tuple[object, ...], float] = OrderedDict()

    def __len__(self) -> int:
        return len(self.waiting) + len(self.parked)

    def __iter__(self) -> Iterator[Answer]:
        yield from self.waiting
        yield from self.parked

    def remove(self, answer: Answer) -> None:
        """Takes it out, wherever it waits."""
        for queue in (self.waiting, self.parked):
            with suppress(ValueError):
                queue.remove(answer)

    def wait(self, answer: Answer) -> None:
        """Has it wait for any reader. Whoever came first has the first turn, but one that asks for little goes before those that
        ask for more and came a moment earlier; so a page that asks for twenty things at once does not hold up everybody."""
        answer.turn = answer.asked + min(HANDICAP * self._expected(answer.job), PRECEDENCE_SECONDS)
        insort(self.waiting, answer, key=attrgetter("turn"))

    def next(self) -> Answer:
        """The next that waits."""
        return self.waiting.pop(0)

    def next_tiny(self) -> Answer | None:
        """The next that waits and is known to take no time."""
        found = next(filter(self.is_tiny, self.waiting), None)
        if found is not None:
            self.waiting.remove(found)
        return found

    def is_tiny(self, answer: Answer) -> bool:
        """Whether its job is known to take less than the processor is given to another for."""
        return self._expected(answer.job) < QUICK_SECONDS

    def is_momentary(self, answer: Answer) -> bool:
        """Whether its job is known to be over before it costs others anything that it breaks in upon them."""
        return self._expected(answer.job) < MOMENT_SECONDS

    def is_small(self, answer: Answer) -> bool:
        """Whether its job is known to take next to no time."""
        return self._expected(answer.job) < PATIENCE_SECONDS

    def is_quick(self, answer: Answer) -> bool:
        """Whether it is tiny even with all that came between when it was asked of late."""
        return self._usual(answer.job) < QUICK_SECONDS

    def is_long(self, job: Job) -> bool:
        """Whether it is known to take long."""
        return self._known.get(job.key, _UNKNOWN).mean > LONG_SECONDS

    def patience(self, job: Job) -> float:
        """Seconds after which it has taken longer than is usual."""
        return PATIENCE_SECONDS if self.is_long(job) else max(PATIENCE_SECONDS, 10 * self._known.get(job.key, _UNKNOWN).mean)

    def spared_until(self, answer: Answer) -> float:
        """The moment until which a reader is left to finish it though nobody wants it: a fresh one would have to copy anew the
        pages that it reads, which takes longer. 0 if it is not known to be over soon."""
        usual = self._usual(answer.job)
        return answer.started + min(max(PATIENCE_SECONDS, 10 * usual), SPARE_SECONDS) if usual < SPARE_SECONDS else 0.0

    def _expected(self, job: Job) -> float:
        """The least that it took of late; else what the slowest of its shape took."""
        return self._took(job).least

    def _usual(self, job: Job) -> float:
        """What it took in the mean of late; else what the slowest of its shape took."""
        return self._took(job).mean

    def _took(self, job: Job) -> Took:
        known = self._known.get(job.key)
        if known is None:
            of_shape = self._alike.get(job.shape, LONG_SECONDS)
            return Took(of_shape, of_shape)
        return known

    def remember(self, job: Job, seconds: float) -> None:
        """Notes how long it took this time."""
        known = self._known.get(job.key)
        if known is None:
            slowest = self._alike.get(job.shape, seconds)
            _keep(self._alike, job.shape, max(min(seconds, MOST_GROWTH_OF_SHAPE * slowest), FADING * slowest))
        if known is None or known == _GUESSED:
            known = Took(seconds, seconds)
        _keep(self._known, job.key, Took((known.mean + seconds) / 2, min(seconds, MOST_GROWTH * known.least)))

    def remember_long(self, job: Job) -> None:
        """Notes that it takes long, though its end has not been seen."""
        known = self._known.get(job.key, _UNKNOWN)
        _keep(self._known, job.key, Took(max(known.mean, GUESSED_SECONDS), GUESSED_SECONDS))
        _keep(self._alike, job.shape, GUESSED_SECONDS)


def _keep(known: OrderedDict[tuple[object, ...], T], key: tuple[object, ...], what: T) -> None:
    """Notes it as the newest of no more than may be known."""
    known[key] = what
    known.move_to_end(key)
    if len(known) > KNOWN_QUERIES:
        known.popitem(last=False)
