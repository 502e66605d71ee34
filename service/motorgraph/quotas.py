"""What one client may have: requests a second with a burst, and seconds of work a minute. The memory that it takes is bounded.

The generic cell rate algorithm (ITU-T I.371) needs one number of each client: when it will have its whole quota again. A hit of
the library `limits` takes about half as long as a whole answer from memory, which is what has to be counted most often.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial

from motorgraph.clients import MOST_KNOWN, network
from motorgraph.errors import QuotaExceeded
from motorgraph.settings import Settings

MINUTE = 60.0
USUAL_BURST_SECONDS = 10.0
SETTINGS = {"requests": "client_requests, client_burst", "work": "client_query_seconds"}
"""What sets each quota."""
_ROUNDING = 1e-9
_POLICY, _LEFT = b"ratelimit-policy", b"ratelimit"  # draft-ietf-httpapi-ratelimit-headers


class Quota:
    """So many units in a window of seconds, which come back evenly. `needs` is how many have to be there to begin.

    `whole` has the time at which a client will have all of them again. One that has, or is not there, has spent nothing. What is
    spent after the fact may be more than is there; then the client waits until that has come back, too.
    """

    __slots__ = ("_units", "_window", "each", "half", "name", "patience", "policy", "whole")

    def __init__(self, name: str, most: float, window: float, *, needs: float, unit: str = "") -> None:
        self.name = name
        self.each = window / most
        """The seconds in which one unit comes back."""
        self.half = window / 2
        self.patience = window * (1 + _ROUNDING) - needs * self.each
        """The seconds that may be missing to the time at which a client has everything again, for it to begin something."""
        self.whole: dict[str, float] = {}
        self._window = window
        quota_unit = f';qu="{unit}"' if unit else ""
        self.policy = f'"{name}";q={math.floor(most)};w={math.ceil(window)}{quota_unit}'
        """As the header RateLimit-Policy has it."""

    def spend(self, key: str, units: float, now: float) -> None:
        """Takes units from what a client has."""
        whole = self.whole.get(key, now)
        self.whole[key] = (whole if whole > now else now) + units * self.each  # noqa: FURB136  # max() takes twice as long
        if len(self.whole) > 2 * MOST_KNOWN:
            self._forget()

    def _forget(self) -> None:
        """Forgets half of the clients, those that have spent least."""
        self.whole = dict(sorted(self.whole.items(), key=lambda item: item[1])[-MOST_KNOWN:])

    def left(self, key: str, now: float) -> str:
        """As the header RateLimit has it: the whole units that are left, and the seconds until something, or all, is there."""
        used = max(self.whole.get(key, now) - now, 0.0)
        wait = used - self.patience
        left = 0 if wait > 0 else math.floor((self._window * (1 + _ROUNDING) - used) / self.each)
        return f'"{self.name}";r={left};t={math.ceil(wait if wait > 0 else used)}'


class Quotas:
    """The quotas of a service, spent by client: who brings a token of this service by the name, others by their network."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        rate, seconds = settings.client_requests, settings.client_query_seconds
        burst = max(settings.client_burst or math.ceil(rate * USUAL_BURST_SECONDS), 1)
        self._requests = Quota("requests", burst, burst / rate, needs=1) if rate else None
        self._work = Quota("work", seconds, MINUTE, needs=0, unit="seconds") if seconds else None
        self._quotas = [quota for quota in (self._requests, self._work) if quota is not None]
        self._policies = ", ".join(quota.policy for quota in self._quotas).encode()

    @classmethod
    def of(cls, settings: Settings) -> Quotas | None:
        """Those that the settings name, None where they name none."""
        return cls(settings) if settings.client_requests or settings.client_query_seconds else None

    @staticmethod
    def key(address: str, bearer: str) -> str:
        """Whose quotas a request spends."""
        return f"bearer {bearer}" if bearer else network(address)

    def taken(self, key: str) -> bytes | None:
        """Counts a request: what its response says of quotas, as lines. None if the client may not begin anything now.

        All that is to be done for an answer from memory, in one function: to call another costs as much as what it does.
        """
        now, is_low = self._clock(), False
        for quota in self._quotas:
            used = quota.whole.get(key, now) - now
            if used > quota.patience:
                return None
            if used + quota.each > quota.half:
                is_low = True
        requests = self._requests
        if requests is not None:
            requests.spend(key, 1.0, now)
        return self.lines(key) if is_low else b""

    def require(self, key: str) -> None:
        """Raises QuotaExceeded if a client may not begin anything now."""
        now = self._clock()
        waits = {quota.name: quota.whole.get(key, now) - now - quota.patience for quota in self._quotas}
        over = [name for name, wait in waits.items() if wait > 0]
        if over:
            wait = math.ceil(max(waits.values()))
            raise QuotaExceeded(
                f"You have had what one client may have for now (setting {' and '.join(map(SETTINGS.__getitem__, over))}). "
                f"Come again in {wait} second{'s' if wait > 1 else ''}; RateLimit in an answer says what is left.",
                retry_after=wait,
                **{"violated-policies": over},
            )

    def take(self, key: str) -> None:
        """Counts a request."""
        if self._requests is not None:
            self._requests.spend(key, 1.0, self._clock())

    def give_back(self, key: str) -> None:
        """One that was counted comes again, and is counted then."""
        if self._requests is not None:
            self._requests.spend(key, -1.0, self._clock())

    def payer(self, key: str) -> Callable[[float], None] | None:
        """What is told of each piece of work that is done for a client, in seconds; None if that is not counted."""
        return None if self._work is None else partial(self._spend_work, self._work, key)

    def _spend_work(self, work: Quota, key: str, seconds: float) -> None:
        work.spend(key, seconds, self._clock())

    def headers(self, key: str) -> list[tuple[bytes, bytes]]:
        """What a response says of the quotas of its client and of what is left of them: nothing as long as that is half."""
        now = self._clock()
        for quota in self._quotas:
            if quota.whole.get(key, now) - now > quota.half:
                left = ", ".join([each.left(key, now) for each in self._quotas])
                return [(_POLICY, self._policies), (_LEFT, left.encode())]
        return []

    def lines(self, key: str) -> bytes:
        """The same as lines of a response."""
        return b"".join([b"%b: %b\r\n" % header for header in self.headers(key)])
