"""Wrong tokens by the address that they came from: who tries too many has to wait. The memory that it takes is bounded."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

MOST_WRONG = 10
WINDOW_SECONDS = 60.0
MOST_KNOWN = 4096
"""Addresses with wrong tokens, and as many with right ones; beyond that the oldest are forgotten."""
Key = TypeVar("Key")
_NETWORK_BITS = 64  # of an IPv6 address: whoever has one has as many as there are in the rest


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
        since, count = self._wrong.get(_network(address), (0.0, 0))
        left = since + WINDOW_SECONDS - self._clock()
        if count < MOST_WRONG or left <= 0 or (name is not None and (_network(address), name) in self._right):
            return 0
        return math.ceil(left)

    def was_wrong(self, address: str) -> bool:
        """Counts a wrong token; true if it was one too many."""
        network, now = _network(address), self._clock()
        since, count = self._wrong.get(network, (now, 0))
        if now >= since + WINDOW_SECONDS:
            since, count = now, 0
        self._wrong[network] = since, count + 1
        _keep(self._wrong, network)
        return count + 1 == MOST_WRONG

    def was_right(self, address: str, name: str) -> None:
        """Remembers who has brought a right token."""
        key = _network(address), name
        self._right[key] = None
        _keep(self._right, key)

    def __len__(self) -> int:
        return max(len(self._wrong), len(self._right))


def _network(address: str) -> str:
    """The address, of IPv6 the network that it is in."""
    if ":" not in address:
        return address
    try:
        whole = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(whole.ipv4_mapped or ipaddress.IPv6Network((whole, _NETWORK_BITS), strict=False))


def _keep(table: OrderedDict[Key, Any], key: Key) -> None:  # Any: whatever it holds
    """The key is the newest; the oldest goes if there are too many."""
    table.move_to_end(key)
    if len(table) > MOST_KNOWN:
        table.popitem(last=False)
