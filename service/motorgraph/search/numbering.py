"""Numbers for things, lower ones for weightier things, so that of many the weightiest come first without being looked at."""

from __future__ import annotations

from collections import defaultdict
from itertools import count

BANDS = 16
"""Steps of weight that are told apart; things of one step are in the order in which they came. With more steps sets of numbers
would be scattered, and take longer to compare."""
IN_BAND = 2**32 // BANDS


class Numbers:
    """Hands out numbers of 32 bits, and those that were given back again."""

    def __init__(self) -> None:
        self._next = [count(band * IN_BAND) for band in range(BANDS)]
        self._free: defaultdict[int, list[int]] = defaultdict(list)

    def take(self, weight: float) -> int:
        """A number that nobody has, for a weight of 0 to 1."""
        band = round((1 - weight) * (BANDS - 1))
        free = self._free[band]
        return free.pop() if free else next(self._next[band])

    def give_back(self, number: int) -> None:
        """Nobody has this number any more."""
        self._free[number // IN_BAND].append(number)
