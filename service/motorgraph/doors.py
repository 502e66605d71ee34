"""How many may be connected at once, and how long a client may let us wait: for a request, its body, or to take an answer."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from typing import Protocol

from motorgraph.errors import Refusal, TooManyConnections, TooManyOfOneClient

LOOK_SECONDS = 1.0
SPARE_SECONDS = 1.0
AT_THE_DOOR_SECONDS = 2.0
OUR_DESCRIPTORS = 256
FEWEST = 8


class Guest(Protocol):
    """A connection, as the doors see it."""

    @property
    def network(self) -> str:
        """Whose it is: the network that it comes from, "" where that says nothing of the client."""

    def spare_since(self) -> float | None:
        """Since when nothing of a request that is here whole has been under way (the loop's time); None while something is."""

    def look(self, now: float, patience: float) -> None:
        """Ends the connection if its client has let us wait for longer than `patience` seconds."""

    def make_way(self) -> None:
        """Ends the connection, since its place is needed."""


class Room:
    """The connections that have a place, in the order in which they came: of all clients, or of one."""

    __slots__ = ("guests", "spares_after")

    def __init__(self) -> None:
        self.guests: dict[Guest, None] = {}
        self.spares_after = 0.0

    def idle(self, now: float) -> Guest | None:
        """The one that could be spared for the longest, None if there is none, or has been none just now."""
        if now < self.spares_after:
            return None
        spare = {guest: since for guest in self.guests if (since := guest.spare_since()) is not None}
        longest = min(spare, key=spare.__getitem__, default=None)
        if longest is None or spare[longest] > now - SPARE_SECONDS:
            self.spares_after = now + SPARE_SECONDS / 10  # to look at all of them for each that comes would cost too much
            return None
        return longest


class Doors:
    """Who is connected: `most` in all, of one client its `share` (0: as many). As many again are heard, to be told that there is
    no room.

    One clock looks at all connections, rather than a timer for each request.
    """

    def __init__(self, most: int, patience: float, share: int = 0) -> None:
        self.most = most
        self.refused = 0
        self._patience = patience
        self._share = min(share or most, most)
        self._within = Room()
        self._by_client: dict[str, Room] = {}
        self._at_the_door: dict[Guest, None] = {}
        self._waiting: Counter[str] = Counter()  # at the door, by client
        self._clock: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """How many are connected."""
        return len(self._within.guests) + len(self._at_the_door)

    def enter(self, guest: Guest) -> Refusal | None:
        """Notes a new connection. What to tell it if there is room neither within nor at the door, and it is to be closed."""
        loop = asyncio.get_running_loop()
        if self._clock is None:
            self._clock = loop.call_later(LOOK_SECONDS, self._look)
        refusal = self._why_not(guest, loop.time())
        if refusal is None:
            self._let_in(guest)
        elif len(self._at_the_door) >= self.most or self._waits(guest):
            self.refused += 1
            return refusal
        else:
            self._at_the_door[guest] = None
            self._waiting[self._client(guest)] += 1
        return None

    def leave(self, guest: Guest) -> None:
        """A connection has ended."""
        if guest in self._at_the_door:
            self._leave_the_door(guest)
        elif guest in self._within.guests:
            self._give_up_place(guest)

    def has_within(self, guest: Guest) -> bool:
        """Whether a connection has a place; its requests are answered."""
        return guest in self._within.guests

    def comes_in(self, guest: Guest) -> Refusal | None:
        """What to tell a connection at the door whose request is here, unless there is room by now, and it is to be answered."""
        refusal = self._full(guest)
        if refusal is None and guest in self._at_the_door:
            self._leave_the_door(guest)
            self._let_in(guest)
            return None
        self.refused += 1
        return refusal or TooManyConnections.of(self.most)

    def _let_in(self, guest: Guest) -> None:
        self._within.guests[guest] = None
        if client := self._client(guest):
            own = self._by_client.get(client)
            if own is None:
                own = self._by_client[client] = Room()
            own.guests[guest] = None

    def _give_up_place(self, guest: Guest) -> None:
        del self._within.guests[guest]
        if client := self._client(guest):
            own = self._by_client[client]
            del own.guests[guest]
            if not own.guests:
                del self._by_client[client]

    def _leave_the_door(self, guest: Guest) -> None:
        del self._at_the_door[guest]
        client = self._client(guest)
        self._waiting[client] -= 1
        if not self._waiting[client]:
            del self._waiting[client]

    def _client(self, guest: Guest) -> str:
        """Whose share a connection counts to, "" for nobody's."""
        return guest.network if self._share < self.most else ""

    def _waits(self, guest: Guest) -> bool:
        """Whether its client has its share at the door already, too."""
        client = self._client(guest)
        return client != "" and self._waiting[client] >= self._share

    def _full(self, guest: Guest) -> Refusal | None:
        """What to say if there is no place for a connection, of its client's or of all."""
        own = self._by_client.get(self._client(guest))
        if own is not None and len(own.guests) >= self._share:
            return TooManyOfOneClient.of(self._share)
        return TooManyConnections.of(self.most) if len(self._within.guests) >= self.most else None

    def _why_not(self, guest: Guest, now: float) -> Refusal | None:
        """The same, after one that is idle has made way if there is one: where its client has its share, one of its own."""
        refusal = self._full(guest)
        if refusal is None:
            return None
        room = self._by_client[guest.network] if isinstance(refusal, TooManyOfOneClient) else self._within
        idle = room.idle(now)
        if idle is None:
            return refusal
        self._give_up_place(idle)
        idle.make_way()
        return None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for guests, patience in ((self._within.guests, self._patience), (self._at_the_door, AT_THE_DOOR_SECONDS)):
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
