"""An index of things by their names, kept in memory: SQLite's full text tables find what may be meant, `ranking` what is best.

A thing is one row of the full text table, so that words of several of its names may be given together. Rows come in the order of
their number, the weightiest first, as far as the index was built at once.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log

import orjson

from motorgraph.search.entry import Entry, Role
from motorgraph.search.folding import folded
from motorgraph.search.ranking import THE_VERY_THING, Asked, Match, Name, Ranking
from motorgraph.search.vocabulary import Vocabulary

MOST_RANKED = 100
"""Things that are ranked by their names: the weightiest of those found, and of those that are called so."""
MOST_NAMESAKES = 300
SAYS_ENOUGH = 0.95
"""Of what the best has: what else is found of the things that have only some of the words."""
LATER = 0.1
"""How much less each further word says: one begins with the name of what one looks for."""
_TABLES = """
CREATE TABLE name (compact TEXT NOT NULL, thing INTEGER NOT NULL);
CREATE INDEX name_compact ON name (compact, thing);
CREATE INDEX name_thing ON name (thing);
CREATE VIRTUAL TABLE word USING fts5(text, tokenize="unicode61 remove_diacritics 0", prefix='1 2 3', columnsize=0, detail=none);
"""
Keep = Callable[[str], bool]
_NUMBER_BEGINS = re.compile(r"(?<=[^\W\d_])(?=\d)")
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Known:
    """A thing in the index."""

    entry: Entry
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The best of what was found, how many there are of each kind, and how many of the kind that was asked for."""

    matches: Sequence[Match]
    kinds: Counter[str]
    total: int


class Index:
    """Things by their names; `starts` are what their IRIs may begin with where only the rest of one is given."""

    def __init__(self, starts: Sequence[str] = ()) -> None:
        self._starts = starts
        self._database = sqlite3.connect(":memory:")
        self._database.execute("PRAGMA temp_store = MEMORY")
        self._database.executescript(_TABLES)
        self._things: dict[int, Known] = {}
        self._numbers: dict[str, int] = {}
        self._next = self._late = 1
        self._kinds: list[str] = [""]
        self._vocabulary = Vocabulary()

    def __len__(self) -> int:
        return len(self._things)

    @property
    def kinds(self) -> Counter[str]:
        """How many things of each kind there are."""
        return Counter(entry.kind for entry in self.entries)

    @property
    def entries(self) -> Iterator[Entry]:
        """All things."""
        return (known.entry for known in self._things.values())

    def entry(self, iri: str) -> Entry | None:
        """The thing with an IRI."""
        number = self._numbers.get(iri)
        return self._things[number].entry if number is not None else None

    def fill(self, entries: Iterable[Entry]) -> None:
        """Adds many things at once."""
        with self._database:
            for entry in sorted(entries, key=lambda entry: (-entry.weight, entry.iri)):
                self._add(entry)
        self._late = self._next

    def replace(self, iri: str, entry: Entry | None) -> None:
        """What is known of a thing is this from now on; None: nothing."""
        number = self._numbers.get(iri)
        if number is not None and self._things[number].entry == entry:
            return
        if number is not None:
            self._remove(number)
        if entry is not None:
            self._add(entry)

    def _add(self, entry: Entry) -> None:
        number, self._next = self._next, self._next + 1
        names = tuple(Name.of(role, text) for role, text in entry.names)
        known = Known(entry, names)
        self._things[number], self._numbers[entry.iri] = known, number
        self._kinds.append(entry.kind)
        every = {name.compact for name in names if name.role is not Role.CONTEXT}
        self._database.executemany("INSERT INTO name VALUES (?, ?)", [(text, number) for text in every if text])
        words = _words(known)
        self._database.execute("INSERT INTO word (rowid, text) VALUES (?, ?)", (number, " ".join(words)))
        self._vocabulary.add(words)

    def _remove(self, number: int) -> None:
        known = self._things.pop(number)
        del self._numbers[known.entry.iri]
        self._database.execute("DELETE FROM name WHERE thing = ?", (number,))
        self._database.execute("DELETE FROM word WHERE rowid = ?", (number,))
        self._vocabulary.remove(_words(known))

    # To find

    def meant(self, id: str) -> Entry | None:
        """The thing whose IRI this is, whole or without what all begin with."""
        number = self._number(id)
        return self._things[number].entry if number is not None else None

    def has(self, start: str) -> bool:
        """Whether the IRI of any thing begins so."""
        return any(iri.startswith(start) for iri in self._numbers)

    def of_kind(self, kind: str) -> list[Entry]:
        """All things of a kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    def called(self, compact: str) -> list[Entry]:
        """The things one of whose names is this, as names are compared without blanks; the weightiest first."""
        rows = self._database.execute("SELECT DISTINCT thing FROM name WHERE compact = ?", (compact,))
        return sorted((self._things[number].entry for (number,) in rows), key=lambda entry: (-entry.weight, entry.iri))

    def find(self, text: str, kind: str = "", *, most: int = 10, skip: int = 0, keep: Keep | None = None) -> Found:
        """The things that a text may mean, the best first: at most `most` of them after the first `skip`; only those whose IRIs
        one would `keep`, where that is given."""
        asked = Asked.of(text)
        number = self._number(text)
        if number is not None and (keep is None or keep(self._things[number].entry.iri)):
            known = self._things[number]
            return Found([Match(known.entry, THE_VERY_THING, known.names[0])], Counter([known.entry.kind]), 1)
        if not asked.words:
            return Found((), Counter(), 0)
        ranking, called = Ranking(asked), self._called(asked)
        numbers = self._with_words([[f'"{word}"*'] for word in asked.words])
        parted = _NUMBER_BEGINS.sub(" ", text)
        if (
            not called
            and not numbers
            and parted != text
            and self._with_words([[f'"{word}"*'] for word in Asked.of(parted).words])
        ):
            return self.find(parted, kind, most=most, skip=skip, keep=keep)
        if not called and not numbers:
            numbers = self._like(asked, ranking)
        if not called and not numbers and len(asked.words) > 1:
            numbers = self._with_some(asked, ranking)
        numbers = _joined(numbers, called)
        if keep is not None:
            numbers = [number for number in numbers if keep(self._things[number].entry.iri)]
        kinds = Counter(map(self._kinds.__getitem__, numbers))
        wanted = [number for number in numbers if self._kinds[number] == kind] if kind else numbers
        ranked = sorted(self._ranked(wanted, called, ranking, most + skip), key=_place)
        return Found([ranking.marked(match) for match in ranked[skip : skip + most]], kinds, len(wanted))

    def _number(self, text: str) -> int | None:
        """The thing whose IRI a text is, whole or without what all begin with."""
        found = (self._numbers.get(start + text) for start in ("", *self._starts))
        return next((number for number in found if number is not None), None)

    def _ranked(self, wanted: Sequence[int], called: set[int], ranking: Ranking, most: int) -> Iterator[Match]:
        """The weightiest of the things, and of those of them that are called so, ranked."""
        things, most = self._things, max(MOST_RANKED, most)
        best: Iterable[int] = wanted
        if len(wanted) > most:  # numbers are in the order of weight, but for those that came later

            def weight(number: int) -> float:
                return things[number].entry.weight

            late = wanted[max(bisect_left(wanted, self._late), most) :]
            named = [number for number in called if not _is_outside(number, wanted)]
            best = {*wanted[:most], *nlargest(most, late, key=weight), *nlargest(most, named, key=weight)}
        return (ranking.match(things[number].entry, things[number].names) for number in best)

    def _called(self, asked: Asked) -> set[int]:
        """The things with a name that is the text, or begins with it: first those that have no more than it."""
        rows = self._database.execute(
            "SELECT thing FROM name WHERE compact BETWEEN ? AND ? ORDER BY compact, thing LIMIT ?",
            (asked.compact, asked.compact + _LAST, MOST_NAMESAKES),
        )
        return {number for (number,) in rows}

    def _with_words(self, every: Sequence[Iterable[str]]) -> list[int]:
        """The things that have one of each of these words (`"word"`, `"beginning"*`), in order."""
        text = " AND ".join(f"({' OR '.join(words)})" for words in every)
        (found,) = self._database.execute("SELECT json_group_array(rowid) FROM word WHERE word MATCH ?", (text,)).fetchone()
        numbers: list[int] = orjson.loads(found)  # a row for each would take longer than to find them
        return numbers

    def _like(self, asked: Asked, ranking: Ranking) -> list[int]:
        """The things that have words like those of the text that there are not, or, if that is no help, like any of them."""
        unknown = [word for word in asked.words if not self._is_begun(word)]
        for words in filter(None, (unknown, asked.words if unknown != list(asked.words) else [])):
            for word in words:
                ranking.learn(word, self._vocabulary.like(word, is_begun=word == asked.words[-1]))
            numbers = self._with_words([self._choices(word, ranking) for word in asked.words])
            if numbers:
                return numbers
        return []

    def _is_begun(self, word: str) -> bool:
        """Whether any word begins so."""
        found = self._database.execute("SELECT 1 FROM word WHERE word MATCH ? LIMIT 1", (f'"{word}"*',))
        return found.fetchone() is not None

    def _choices(self, word: str, ranking: Ranking) -> list[str]:
        """What stands for a word: it or longer ones, and those like it."""
        return [f'"{word}"*', *(f'"{other}"{"" if other in self._vocabulary else "*"}' for other in ranking.like(word))]

    def _with_some(self, asked: Asked, ranking: Ranking) -> list[int]:
        """The things that have some of the words, those that say the most: a word that few have more than one that many have."""
        said: Counter[int] = Counter()
        for place, word in enumerate(asked.words):
            numbers = self._with_words([self._choices(word, ranking)])
            worth = round(1000 * log(1 + len(self) / (1 + len(numbers))) / (1 + LATER * place))
            said.update(dict.fromkeys(numbers, worth))
        best = max(said.values(), default=0)
        return sorted(number for number, worth in said.items() if worth >= SAYS_ENOUGH * best)


def _is_outside(number: int, ordered: Sequence[int]) -> bool:
    """Whether a number is not among others that are in order."""
    place = bisect_left(ordered, number)
    return place == len(ordered) or ordered[place] != number


def _joined(ordered: list[int], more: Iterable[int]) -> list[int]:
    """Numbers in order with some more."""
    new = [number for number in more if _is_outside(number, ordered)]
    return sorted([*ordered, *new]) if new else ordered


def _place(match: Match) -> tuple[float, float, str, str]:
    """The best first; of equals the weightiest, then by the alphabet."""
    return -match.score, -match.entry.weight, match.entry.label, match.entry.iri


def _words(known: Known) -> set[str]:
    """The words of a thing's names, and of what kind it is; a slug is found whole, not by its words."""
    said = [name.folded for name in known.names[:-1]]
    return {word for text in (*said, folded(known.entry.kind)) for word in text.split()}
