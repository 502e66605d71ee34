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
DEPARTURES = 256  # of which the times are kept
HEAD_START_NS = 50_000_000
"""How long after a question was sent an engine has certainly chosen the state that it answers from."""
WAIT_SECONDS = 0.1
"""How long a question waits for a change that is under way, before it is asked beside it."""
PAUSE_SECONDS = 0.002
MOST_TRIES = 20
MOST_ASKED = 2
"""How often several questions are asked for one answer, where the store goes on between them."""


class Course:
    """Where a remote store is, told by the process that writes to it to all that it has forked since, in memory that they share.

    A sequence lock: the number of turns is odd while a change is under way, or where it is not known what became of one.
    """

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, (2 + DEPARTURES) * WORD)
        self._set(0, UNKNOWN)

    def leave(self) -> None:
        """A change is about to be sent."""
        if self._is_there:
            self._set(self._departure(self.turns), time.monotonic_ns())
            self._set(0, self.turns + 1)

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

    def told(self, where: Callable[[], int], ask: Callable[[], T], *, several: bool = False) -> tuple[T, int]:
        """An answer of the store, and the number of the commit that it is of.

        `ask` returns when the store has begun to answer; with `several` questions, when it has answered all. These are asked
        twice at most: if it goes on both times, the number is that of the commit at which they began. `where` asks it which
        commit it is at, which is needed only while a change is under way; a commit that is not kept yet is not told. Raises
        Unavailable if it goes on again and again.
        """
        asked = 0
        for _ in range(MOST_TRIES):
            self._wait()
            sent, turns, commit = time.monotonic_ns(), self.turns, self.commit
            is_there = turns % 2 == 0
            before = commit if is_there else where()
            if before > commit and turns != UNKNOWN:
                continue
            found, asked = ask(), asked + 1
            stayed = is_there and (self.turns == turns if several else self._was_there(turns, sent))
            if stayed or (several and asked == MOST_ASKED) or where() == before:
                return found, before
        raise Unavailable("The graph was changed again and again while it was asked. Try again.")

    def _wait(self) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while not self._is_there and self.turns != UNKNOWN and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)

    @property
    def _is_there(self) -> bool:
        return self.turns % 2 == 0

    def _was_there(self, turns: int, sent: int) -> bool:
        """Whether the store had not left, after so many turns, when it had certainly begun with what was `sent` then."""
        departed, gone = self._word(self._departure(turns)), self.turns - turns
        return gone == 0 or (gone < 2 * DEPARTURES and departed - sent > HEAD_START_NS)

    @staticmethod
    def _departure(turns: int) -> int:
        return 2 + turns // 2 % DEPARTURES

    def _word(self, place: int) -> int:
        return int.from_bytes(self._shared[place * WORD : (place + 1) * WORD], "little")

    def _set(self, place: int, number: int) -> None:
        self._shared[place * WORD : (place + 1) * WORD] = number.to_bytes(WORD, "little")
