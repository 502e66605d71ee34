"""An index of things by their names, kept in memory: SQLite's full text tables find what may be meant, `ranking` what is best.

A thing is one row of the full text table, so that words of several of its names may be given together. Rows come in the order of
their number, the weightiest first, as far as the index was built at once.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest

from motorgraph.search.entry import Entry, Role
from motorgraph.search.folding import folded
from motorgraph.search.ranking import THE_VERY_THING, Asked, Match, Name, Ranking
from motorgraph.search.vocabulary import Vocabulary

MOST_RANKED = 150
"""Things that are ranked by their names: the weightiest of those found, and of those that are called so."""
MOST_NAMESAKES = 300
_TABLES = """
CREATE TABLE name (compact TEXT NOT NULL, thing INTEGER NOT NULL);
CREATE INDEX name_compact ON name (compact, thing);
CREATE INDEX name_thing ON name (thing);
CREATE VIRTUAL TABLE word USING fts5(text, tokenize="unicode61 remove_diacritics 0", prefix='1 2 3', columnsize=0, detail=none);
"""
Keep = Callable[[str], bool]
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
        self._next = 1
        self._vocabulary = Vocabulary()

    def __len__(self) -> int:
        return len(self._things)

    @property
    def kinds(self) -> Counter[str]:
        """How many things of each kind there are."""
        return Counter(known.entry.kind for known in self._things.values())

    def entry(self, iri: str) -> Entry | None:
        """The thing with an IRI."""
        number = self._numbers.get(iri)
        return self._things[number].entry if number is not None else None

    def fill(self, entries: Iterable[Entry]) -> None:
        """Adds many things at once."""
        with self._database:
            for entry in sorted(entries, key=lambda entry: (-entry.weight, entry.iri)):
                self._add(entry)

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
        return [known.entry for known in self._things.values() if known.entry.kind == kind]

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
        numbers = called | self._with_words([[word] for word in asked.words])
        if not numbers:
            numbers = self._like(asked, ranking)
        if not numbers and len(asked.words) > 1:
            numbers = self._with_some(asked, ranking)
        if keep is not None:
            numbers = {number for number in numbers if keep(self._things[number].entry.iri)}
        kinds = Counter(self._things[number].entry.kind for number in numbers)
        wanted = {number for number in numbers if self._things[number].entry.kind == kind} if kind else numbers
        ranked = sorted(self._ranked(wanted, called, ranking, most + skip), key=_place)
        return Found([ranking.marked(match) for match in ranked[skip : skip + most]], kinds, len(wanted))

    def _number(self, text: str) -> int | None:
        """The thing whose IRI a text is, whole or without what all begin with."""
        found = (self._numbers.get(start + text) for start in ("", *self._starts))
        return next((number for number in found if number is not None), None)

    def _ranked(self, wanted: set[int], called: set[int], ranking: Ranking, most: int) -> Iterator[Match]:
        """The weightiest of the things, and of those of them that are called so, ranked."""
        things, most = self._things, max(MOST_RANKED, most)
        best = wanted
        if len(wanted) > most:

            def weight(number: int) -> float:
                return things[number].entry.weight

            best = {*nlargest(most, wanted, key=weight), *nlargest(most, wanted & called, key=weight)}
        return (ranking.match(things[number].entry, things[number].names) for number in best)

    def _called(self, asked: Asked) -> set[int]:
        """The things with a name that is the text, or begins with it: first those that have no more than it."""
        rows = self._database.execute(
            "SELECT thing FROM name WHERE compact BETWEEN ? AND ? ORDER BY compact, thing LIMIT ?",
            (asked.compact, asked.compact + _LAST, MOST_NAMESAKES),
        )
        return {number for (number,) in rows}

    def _with_words(self, every: Sequence[Iterable[str]]) -> set[int]:
        """The things that have, of each of these, a word that begins so."""
        text = " AND ".join("(" + " OR ".join(f'"{word}"*' for word in words) + ")" for words in every)
        return {number for (number,) in self._database.execute("SELECT rowid FROM word WHERE word MATCH ?", (text,))}

    def _like(self, asked: Asked, ranking: Ranking) -> set[int]:
        """The things that have words like those of the text, one of which is mistyped."""
        choices = []
        for place, word in enumerate(asked.words):
            like = self._vocabulary.like(word, is_begun=place == len(asked.words) - 1)
            ranking.learn(word, like)
            choices.append([word, *(other for other in like if other != word)])
        return self._with_words(choices)

    def _with_some(self, asked: Asked, ranking: Ranking) -> set[int]:
        """The things that have some of the words: all but one if there are such things, else any."""
        each = [self._with_words([[word, *ranking.like(word)]]) for word in asked.words]
        counts = Counter(number for numbers in each for number in numbers)
        best = max(counts.values(), default=0)
        return {number for number, count in counts.items() if count == best}


def _place(match: Match) -> tuple[float, float, str, str]:
    """The best first; of equals the weightiest, then by the alphabet."""
    return -match.score, -match.entry.weight, match.entry.label, match.entry.iri


def _words(known: Known) -> set[str]:
    """The words of a thing's names, and of what kind it is; a slug is found whole, not by its words."""
    said = [name.folded for name in known.names[:-1]]
    return {word for text in (*said, folded(known.entry.kind)) for word in text.split()}
