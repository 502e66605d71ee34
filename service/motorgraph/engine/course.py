"""Which commit an answer of a remote store is of, though the store goes on while it is asked."""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable
from typing import TypeVar

from motorgraph.errors import Unavailable

T = TypeVar("T")
WORD = 8  # bytes, written and read at once
UNKNOWN = 1  # turns of a store of which nothing was told
MOST_SECONDS = 5.0
PAUSE_SECONDS = 0.002


class Course:
    """Where a remote store is, told by the process that writes to it to all that it has forked since, in memory that they share.

    A sequence lock: the number of turns is odd while a change is under way, or where it is not known what became of one.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 2 * WORD)
        self._set(0, UNKNOWN)

    def leave(self) -> None:
        """A change is about to be sent."""
        self._set(0, self.turns | 1)

    def arrive(self, commit: int) -> None:
        """The store is at this commit, and stays there until `leave`."""
        self.leave()
        self._set(1, commit)
        self._set(0, self.turns + 1)

    @property
    def turns(self) -> int:
        """How often the store has left or arrived."""
        return self._word(0)

    @property
    def commit(self) -> int:
        """Where it is; only to be believed while the number of turns is even, and the same afterwards."""
        return self._word(1)

    def told(self, where: Callable[[], int], ask: Callable[[], T]) -> tuple[T, int]:
        """An answer of the store, and the number of the commit that it is of.

        `ask` returns when the store has begun to answer, so has chosen the state that it answers from. `where` asks it which
        commit it is at, which is needed only while a change is under way; one that is not kept yet is not told. Raises
        Unavailable if the store goes on again and again.
        """
        until = time.monotonic() + MOST_SECONDS
        while time.monotonic() < until:
            turns, commit = self.turns, self.commit
            is_still = turns % 2 == 0
            before = commit if is_still else where()
            if before <= commit or turns == UNKNOWN:
                found = ask()
                if (is_still and self.turns == turns) or where() == before:
                    return found, before
            else:
                time.sleep(PAUSE_SECONDS)
        raise Unavailable("The graph was changed again and again while it was asked. Try again.")

    def _word(self, place: int) -> int:
        return int.from_bytes(self._shared[place * WORD : (place + 1) * WORD], "little")

    def _set(self, place: int, number: int) -> None:
        self._shared[place * WORD : (place + 1) * WORD] = number.to_bytes(WORD, "little")
