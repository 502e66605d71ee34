"""The words of an index: which things have one, or one that begins so, and which words are like one that may be mistyped."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable

from pyroaring import BitMap
from rapidfuzz import process
from rapidfuzz.distance import OSA

MOST_LIKE = 24
SHORTEST = 3
"""A shorter word is like too many others."""
LONG = 6
"""From so many letters on two mistakes are forgiven, before one."""
MOST_MISTAKES = 2
MANY_BEGIN = 2
"""Letters up to which so many words begin alike that the things that have one of them are kept together."""
_LAST = "\U0010ffff"


def mistakes(word: str) -> int:
    """How many letters of a word may be wrong, missing, too many or swapped with their neighbour."""
    return 0 if len(word) < SHORTEST or any(letter.isdigit() for letter in word) else 1 if len(word) < LONG else MOST_MISTAKES


class Vocabulary:
    """Words, each with the numbers of the things that have it."""

    def __init__(self) -> None:
        self._having: dict[str, BitMap] = {}
        self._begun: defaultdict[str, BitMap] = defaultdict(BitMap)
        self._ordered: list[str] = []
        self._by_length: defaultdict[int, set[str]] = defaultdict(set)
        self._codes: defaultdict[int, set[str]] = defaultdict(set)
        self._beginnings: dict[int, set[str]] = {}

    def __contains__(self, word: str) -> bool:
        return word in self._having

    # What changes

    def fill(self, things: Iterable[tuple[int, Iterable[str]]]) -> None:
        """The words of many things, which are given with their numbers, each word once."""
        for number, words in things:
            self._ordered += [word for word in words if self._is_new(word, number)]
        self._ordered.sort()
        self._beginnings.clear()

    def add(self, number: int, words: Iterable[str]) -> None:
        """The words of one more thing, each once."""
        for word in words:
            if self._is_new(word, number):
                insort(self._ordered, word)
                for length, beginnings in self._beginnings.items():
                    if length < len(word) and _may_be_meant(word[:length]):
                        beginnings.add(word[:length])

    def remove(self, number: int, words: Iterable[str]) -> None:
        """The words of a thing that is no more."""
        for word in words:
            having = self._having[word]
            having.discard(number)
            for length in range(1, MANY_BEGIN + 1):
                self._begun[word[:length]].discard(number)
            if not having:
                self._drop(word)

    def _is_new(self, word: str, number: int) -> bool:
        """Notes that a thing has a word; whether no other has it."""
        for length in range(1, MANY_BEGIN + 1):
            self._begun[word[:length]].add(number)
        having = self._having.get(word)
        if having is not None:
            having.add(number)
            return False
        self._having[word] = BitMap((number,))
        self._alike(word).add(word)
        return True

    def _alike(self, word: str) -> set[str]:
        """The words of the length of a word, those that may be meant or those that may not."""
        return (self._by_length if _may_be_meant(word) else self._codes)[len(word)]

    def _drop(self, word: str) -> None:
        del self._having[word], self._ordered[bisect_left(self._ordered, word)]
        self._alike(word).discard(word)
        for length, beginnings in self._beginnings.items():
            if length < len(word) and not self.is_begun(word[:length]):
                beginnings.discard(word[:length])

    # What is asked

    def having(self, word: str) -> BitMap:
        """The things that have a word; not to be changed."""
        return self._having.get(word, BitMap())

    def beginning(self, start: str) -> BitMap:
        """The things that have a word that begins so; not to be changed."""
        if len(start) <= MANY_BEGIN:
            return self._begun.get(start, BitMap())
        return BitMap().union(*(self._having[word] for word in self._words(start)))

    def is_begun(self, start: str) -> bool:
        """Whether any word begins so."""
        place = bisect_left(self._ordered, start)
        return place < len(self._ordered) and self._ordered[place].startswith(start)

    def like(self, word: str, *, is_begun: bool) -> dict[str, float]:
        """The words most like this one, 1 for the same, with how like they are; also those that begin like one that is only
        `is_begun`."""
        most = mistakes(word)
        if not most:
            return {}
        size = len(word)
        found: dict[str, float] = {}
        for length in range(max(size - most, 1), size + most + 1):
            found |= _nearest(word, self._by_length.get(length, ()), most)
        if not found and is_begun and size > SHORTEST:
            found = _nearest(word, self._begun_by_longer(size), most)
        best = sorted(found, key=lambda other: (-found[other], -len(self.having(other)), other))
        return {other: found[other] for other in best[:MOST_LIKE]}

    def _words(self, start: str) -> list[str]:
        """The words that begin so."""
        return self._ordered[bisect_left(self._ordered, start) : bisect_left(self._ordered, start + _LAST)]

    def _begun_by_longer(self, length: int) -> set[str]:
        """What longer words begin with."""
        if length not in self._beginnings:
            longer = (words for size, words in (*self._by_length.items(), *self._codes.items()) if size > length)
            self._beginnings[length] = set(filter(_may_be_meant, {word[:length] for words in longer for word in words}))
        return self._beginnings[length]


def _nearest(word: str, words: Collection[str], most: int) -> dict[str, float]:
    near = process.extract(word, words, scorer=OSA.distance, score_cutoff=most, limit=None)
    return {other: 1.0 - distance / max(len(word), len(other)) for other, distance, _ in near}


def _may_be_meant(word: str) -> bool:
    """Whether a mistyped word, which has no digits, may mean this one: it has no more of them than there may be mistakes."""
    return word.isalpha() or sum(map(str.isdigit, word)) <= MOST_MISTAKES
