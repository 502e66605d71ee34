"""Requests that come again byte for byte: while nobody has written, the response is the same but for its id and its date.

To parse a request costs as much as all the rest of an answer that is kept, and clients that ask again ask in the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from motorgraph.protocol import Call

if TYPE_CHECKING:
    from motorgraph.stores.embedded import Embedded

MOST_REQUESTS = 1024
LONGEST_REQUEST = 8192
LONGEST_BODY = 16384
END = b"\r\n\r\n"


class Short(NamedTuple):
    """A short response to a query: its head without what differs each time, its body, its rows; the commit that it is from."""

    call: Call
    commit: int
    status: int
    head: bytes
    body: bytes
    rows: int


class Verbatim:
    """The short responses to the newest commit, by the bytes that asked for them. None are held where no answers are kept."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._commit = 0
        self._found: dict[bytes, Short] = {}

    def find(self, data: bytes) -> Short | None:
        """The response to these bytes, if they are a request that was answered and nobody has written since."""
        found = self._found.get(data)
        return found if found is not None and found.commit == self._store.commit and self._store.is_ready else None

    def keep(self, data: bytes, short: Short) -> None:
        """Holds a response, if `data` is one whole request without a body, and both are short."""
        if not self._store.settings.cache_bytes or short.commit != self._store.commit:
            return
        if len(short.body) > LONGEST_BODY or not is_one_request(data):
            return
        if short.commit != self._commit:
            self._found.clear()
            self._commit = short.commit
        elif len(self._found) >= MOST_REQUESTS:
            del self._found[next(iter(self._found))]
        self._found[data] = short


def is_one_request(data: bytes) -> bool:
    """Whether it is one whole request without a body, and no longer than what is worth to be remembered."""
    return len(END) <= len(data) <= LONGEST_REQUEST and data.find(END) == len(data) - len(END)
