"""The words of an index, and those of them that are like a word that may be mistyped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

MOST_LIKE = 24
SHORTEST = 3
"""A shorter word is like too many others."""
LONG = 6
"""From so many letters on two mistakes are forgiven, before one."""


def mistakes(word: str) -> int:
    """How many letters of a word may be wrong, missing, too many or swapped with their neighbour."""
    return 0 if len(word) < SHORTEST or any(letter.isdigit() for letter in word) else 1 if len(word) < LONG else 2


class Vocabulary:
    """Words by their length, each with how many things have it."""

    def __init__(self) -> None:
        self._by_length: dict[int, Counter[str]] = {}
        self._lists: dict[int, list[str]] = {}
        self._beginnings: dict[int, list[str]] = {}

    def __contains__(self, word: str) -> bool:
        return word in self._by_length.get(len(word), ())

    def add(self, words: Iterable[str]) -> None:
        """The words of one more thing, each once."""
        for word in words:
            counts = self._by_length.get(len(word))
            if counts is None:
                counts = self._by_length[len(word)] = Counter()
            if word not in counts:
                self._forget(len(word))
            counts[word] += 1

    def remove(self, words: Iterable[str]) -> None:
        """The words of a thing that is no more."""
        for word in words:
            counts = self._by_length[len(word)]
            counts[word] -= 1
            if not counts[word]:
                del counts[word]
                self._forget(len(word))

    def like(self, word: str, *, is_begun: bool) -> dict[str, float]:
        """The words most like this one, 1 for the same, with how like they are; also those that begin like one that is only
        `is_begun`."""
        most = mistakes(word)
        if not most:
            return {}
        size = len(word)
        found: dict[str, float] = {}
        for length in range(max(size - most, 1), size + most + 1):
            found |= self._nearest(word, self._words(length), most)
        if not found and is_begun and size > SHORTEST:
            found = self._nearest(word, self._begun(size), most)
        if len(found) > MOST_LIKE:
            best = sorted(found, key=lambda other: (-found[other], -self._by_length.get(len(other), Counter())[other]))
            found = {other: found[other] for other in best[:MOST_LIKE]}
        return found

    def _nearest(self, word: str, words: list[str], most: int) -> dict[str, float]:
        near = process.extract(word, words, scorer=OSA.distance, score_cutoff=most, limit=None)
        return {other: 1.0 - distance / max(len(word), len(other)) for other, distance, _ in near}

    def _words(self, length: int) -> list[str]:
        if length not in self._lists:
            self._lists[length] = list(self._by_length.get(length, ()))
        return self._lists[length]

    def _begun(self, length: int) -> list[str]:
        """What longer words begin with."""
        if length not in self._beginnings:
            longer = (words for size, words in self._by_length.items() if size > length)
            self._beginnings[length] = sorted({word[:length] for words in longer for word in words})
        return self._beginnings[length]

    def _forget(self, length: int) -> None:
        self._lists.pop(length, None)
        if not self._beginnings:
            return
        for shorter in [size for size in self._beginnings if size < length]:
            del self._beginnings[shorter]
