"""How many may be connected at once, and how long a client may let us wait: for a request, its body, or to take an answer."""

from __future__ import annotations

import asyncio
import resource
from typing import Protocol

LOOK_SECONDS = 1.0
SPARE_SECONDS = 1.0
AT_THE_DOOR_SECONDS = 2.0
OUR_DESCRIPTORS = 256
FEWEST = 8


class Guest(Protocol):
    """A connection, as the doors see it."""

    def spare_since(self) -> float | None:
        """Since when nothing of a request that is here whole has been under way (the loop's time); None while something is."""

    def look(self, now: float, patience: float) -> None:
        """Ends the connection if its client has let us wait for longer than `patience` seconds."""

    def make_way(self) -> None:
        """Ends the connection, since its place is needed."""


class Doors:
    """Who is connected. As many again as may be are let in to be told that there is no room, for as long as that takes.

    One clock looks at all connections, rather than a timer for each request.
    """

    def __init__(self, most: int, patience: float) -> None:
        self.most = most
        self.refused = 0
        self._patience = patience
        self._within: dict[Guest, None] = {}  # in the order in which they came
        self._at_the_door: dict[Guest, None] = {}
        self._clock: asyncio.TimerHandle | None = None
        self._spares_after = 0.0

    @property
    def open(self) -> int:
        """How many are connected."""
        return len(self._within) + len(self._at_the_door)

    def enter(self, guest: Guest) -> bool:
        """Notes a new connection; false if there is room neither within nor at the door, and it is to be closed at once."""
        loop = asyncio.get_running_loop()
        if self._clock is None:
            self._clock = loop.call_later(LOOK_SECONDS, self._look)
        if len(self._within) < self.most or self._makes_room(loop.time()):
            self._within[guest] = None
        elif len(self._at_the_door) < self.most:
            self._at_the_door[guest] = None
        else:
            self.refused += 1
            return False
        return True

    def leave(self, guest: Guest) -> None:
        """A connection has ended."""
        self._within.pop(guest, None)
        self._at_the_door.pop(guest, None)

    def comes_in(self, guest: Guest) -> bool:
        """Whether a request of this connection is to be answered: it is within, or there is room by now."""
        if guest in self._within:
            return True
        if len(self._within) < self.most and guest in self._at_the_door:
            del self._at_the_door[guest]
            self._within[guest] = None
            return True
        self.refused += 1
        return False

    def _makes_room(self, now: float) -> bool:
        """Ends the connection that could be spared for the longest, if there is one."""
        if now < self._spares_after:
            return False
        spare = {guest: since for guest in self._within if (since := guest.spare_since()) is not None}
        longest = min(spare, key=spare.__getitem__, default=None)
        if longest is None or spare[longest] > now - SPARE_SECONDS:
            self._spares_after = now + SPARE_SECONDS / 10  # to look at all of them for each that comes would cost too much
            return False
        del self._within[longest]
        longest.make_way()
        return True

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for guests, patience in ((self._within, self._patience), (self._at_the_door, AT_THE_DOOR_SECONDS)):
            for guest in list(guests):
                guest.look(now, patience)
        self._clock = loop.call_later(LOOK_SECONDS, self._look) if self.open else None


def room_for(wanted: int) -> int:
    """For how many connections there are descriptors, at most `wanted`; asks the system for as many as that takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * wanted + OUR_DESCRIPTORS
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, (soft - OUR_DESCRIPTORS) // 2), FEWEST)
