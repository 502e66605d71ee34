"""Wrong tokens by the address that they came from: who tries too many has to wait. The memory that it takes is bounded."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from motorgraph.clients import MOST_KNOWN, network

MOST_WRONG = 10
WINDOW_SECONDS = 60.0
Key = TypeVar("Key")


class Attempts:
    """The wrong tokens of the last minute, and who has brought a right one.

    An address with `MOST_WRONG` of them within a minute waits for the rest of it, with a right token too: else whoever guesses
    would learn of a hit at once. A bearer whose token was right from there before goes on, so that nobody who shares an
    address with others (NAT, a proxy) is shut out by their mistakes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._right: OrderedDict[tuple[str, str], None] = OrderedDict()

    def seconds_to_wait(self, address: str, name: str | None) -> int:
        """How long whoever brings a token from there has to wait, 0 for not at all; `name` is whose it is, None for nobody's."""
        since, count = self._wrong.get(network(address), (0.0, 0))
        left = since + WINDOW_SECONDS - self._clock()
        if count < MOST_WRONG or left <= 0 or (name is not None and (network(address), name) in self._right):
            return 0
        return math.ceil(left)

    def was_wrong(self, address: str) -> bool:
        """Counts a wrong token; true if it was one too many."""
        where, now = network(address), self._clock()
        since, count = self._wrong.get(where, (now, 0))
        if now >= since + WINDOW_SECONDS:
            since, count = now, 0
        self._wrong[where] = since, count + 1
        _keep(self._wrong, where)
        return count + 1 == MOST_WRONG

    def was_right(self, address: str, name: str) -> None:
        """Remembers who has brought a right token."""
        key = network(address), name
        self._right[key] = None
        _keep(self._right, key)

    def __len__(self) -> int:
        return max(len(self._wrong), len(self._right))


def _keep(table: OrderedDict[Key, Any], key: Key) -> None:  # Any: whatever it holds
    """The key is the newest; the oldest goes if there are too many."""
    table.move_to_end(key)
    if len(table) > MOST_KNOWN:
        table.popitem(last=False)
