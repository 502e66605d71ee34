"""An index of things by their names, kept in memory: the words of its vocabulary find what may be meant, `ranking` what is best.

Words of several names of a thing may be given together. What is found are the numbers of things, as sets in which the weightier
come first.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log

from pyroaring import BitMap

from motorgraph.search.entry import Entry, Role
from motorgraph.search.folding import folded
from motorgraph.search.numbering import Numbers
from motorgraph.search.ranking import THE_VERY_THING, Asked, Match, Name, Ranking
from motorgraph.search.vocabulary import Vocabulary

MOST_RANKED = 100
"""Things that are ranked by their names: the weightiest of those found, and of those that are called so."""
MOST_NAMESAKES = 300
SAYS_ENOUGH = 0.95
"""Of what the best has: what else is found of the things that have only some of the words."""
LATER = 0.1
"""How much less each further word says: one begins with the name of what one looks for."""
_TABLE = "CREATE TABLE name (compact TEXT, thing INTEGER, PRIMARY KEY (compact, thing)) WITHOUT ROWID"
Keep = Callable[[str], bool]
_NUMBER_BEGINS = re.compile(r"(?<=[^\W\d_])(?=\d)")
_LAST = "\U0010ffff"
_NONE = BitMap()


@dataclass(frozen=True, slots=True)
class Known:
    """A thing in the index."""

    entry: Entry
    names: tuple[Name, ...]

    @property
    def words(self) -> set[str]:
        """The words of its names, and of what kind it is; a slug is found whole, not by its words."""
        said = [name.folded for name in self.names[:-1]]
        return {word for text in (*said, folded(self.entry.kind)) for word in text.split()}

    @property
    def compact(self) -> set[str]:
        """Its names without blanks."""
        return {name.compact for name in self.names if name.role is not Role.CONTEXT and name.compact}


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
        self._database.execute(_TABLE)
        self._things: dict[int, Known] = {}
        self._numbers = Numbers()
        self._by_iri: dict[str, int] = {}
        self._kinds: defaultdict[str, BitMap] = defaultdict(BitMap)
        self._vocabulary = Vocabulary()

    def __len__(self) -> int:
        return len(self._things)

    @property
    def kinds(self) -> Counter[str]:
        """How many things of each kind there are."""
        return self._counted(None)

    @property
    def entries(self) -> Iterator[Entry]:
        """All things."""
        return (known.entry for known in self._things.values())

    def entry(self, iri: str) -> Entry | None:
        """The thing with an IRI."""
        number = self._by_iri.get(iri)
        return self._things[number].entry if number is not None else None

    def fill(self, entries: Iterable[Entry]) -> None:
        """Adds many things at once."""
        with self._database:
            self._vocabulary.fill(map(self._noted, sorted(entries, key=lambda entry: (-entry.weight, entry.iri))))

    def replace(self, iri: str, entry: Entry | None) -> None:
        """What is known of a thing is this from now on; None: nothing."""
        number = self._by_iri.get(iri)
        if number is not None and self._things[number].entry == entry:
            return
        if number is not None:
            self._remove(number)
        if entry is not None:
            self._vocabulary.add(*self._noted(entry))

    def _noted(self, entry: Entry) -> tuple[int, set[str]]:
        """Adds a thing but for its words, which come back with its number."""
        names = tuple(Name.of(role, text) for role, text in entry.names)
        number, known = self._numbers.take(entry.weight), Known(entry, names)
        self._things[number], self._by_iri[entry.iri] = known, number
        self._kinds[entry.kind].add(number)
        self._database.executemany("INSERT INTO name VALUES (?, ?)", [(text, number) for text in known.compact])
        return number, known.words

    def _remove(self, number: int) -> None:
        known = self._things.pop(number)
        del self._by_iri[known.entry.iri]
        self._kinds[known.entry.kind].discard(number)
        self._database.executemany("DELETE FROM name WHERE compact = ? AND thing = ?", [(text, number) for text in known.compact])
        self._vocabulary.remove(number, known.words)
        self._numbers.give_back(number)

    # To find

    def meant(self, id: str) -> Entry | None:
        """The thing whose IRI this is, whole or without what all begin with."""
        number = self._number(id)
        return self._things[number].entry if number is not None else None

    def has(self, start: str) -> bool:
        """Whether the IRI of any thing begins so."""
        return any(iri.startswith(start) for iri in self._by_iri)

    def of_kind(self, kind: str) -> list[Entry]:
        """All things of a kind."""
        return [self._things[number].entry for number in self._kinds.get(kind, ())]

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
        found = self._with_words(asked.words)
        parted = _NUMBER_BEGINS.sub(" ", text)
        if not called and not found and parted != text and self._with_words(Asked.of(parted).words):
            return self.find(parted, kind, most=most, skip=skip, keep=keep)
        if not called and not found:
            found = self._like(asked, ranking)
        if not called and not found and len(asked.words) > 1:
            found = self._with_some(asked, ranking)
        found = found | called
        if keep is not None:
            found = BitMap([number for number in found if keep(self._things[number].entry.iri)])
        wanted = found & self._kinds.get(kind, _NONE) if kind else found
        ranked = sorted(self._ranked(wanted, called, ranking, most + skip), key=_place)
        return Found([ranking.marked(match) for match in ranked[skip : skip + most]], self._counted(found), len(wanted))

    def _counted(self, found: BitMap | None) -> Counter[str]:
        """How many of each kind there are among things; None: among all."""
        kinds = self._kinds.items()
        counts = ((kind, len(every) if found is None else every.intersection_cardinality(found)) for kind, every in kinds)
        return Counter({kind: count for kind, count in counts if count})

    def _number(self, text: str) -> int | None:
        """The thing whose IRI a text is, whole or without what all begin with."""
        found = (self._by_iri.get(start + text) for start in ("", *self._starts))
        return next((number for number in found if number is not None), None)

    def _ranked(self, wanted: BitMap, called: BitMap, ranking: Ranking, most: int) -> Iterator[Match]:
        """The weightiest of the things, and of those of them that are called so, ranked."""
        most = max(MOST_RANKED, most)
        best = {*islice(wanted, most), *islice(wanted & called, most)}
        return (ranking.match(self._things[number].entry, self._things[number].names) for number in best)

    def _called(self, asked: Asked) -> BitMap:
        """The things with a name that is the text, or begins with it: first those that have no more than it."""
        rows = self._database.execute(
            "SELECT thing FROM name WHERE compact BETWEEN ? AND ? ORDER BY compact, thing LIMIT ?",
            (asked.compact, asked.compact + _LAST, MOST_NAMESAKES),
        )
        return BitMap([number for (number,) in rows])

    def _with_words(self, words: Sequence[str]) -> BitMap:
        """The things that have a word that begins with each of these."""
        return _common([self._vocabulary.beginning(word) for word in words] if all(map(self._vocabulary.is_begun, words)) else [])

    def _like(self, asked: Asked, ranking: Ranking) -> BitMap:
        """The things that have words like those of the text that there are not, or, if that is no help, like any of them."""
        unknown = [word for word in asked.words if not self._vocabulary.is_begun(word)]
        for words in filter(None, (unknown, [word for word in asked.words if word not in unknown])):
            for word in words:
                ranking.learn(word, self._vocabulary.like(word, is_begun=word == asked.words[-1]))
            if not all(map(ranking.like, unknown)):
                break
            found = _common([self._choices(word, ranking) for word in asked.words])
            if found:
                return found
        return BitMap()

    def _choices(self, word: str, ranking: Ranking) -> BitMap:
        """The things that have a word or a longer one, or one that is like it."""
        vocabulary = self._vocabulary
        like = (vocabulary.having(other) or vocabulary.beginning(other) for other in ranking.like(word))
        return vocabulary.beginning(word).union(*like)

    def _with_some(self, asked: Asked, ranking: Ranking) -> BitMap:
        """The things that have some of the words, those that say the most: a word that few have more than one that many have."""
        having = [self._choices(word, ranking) for word in asked.words]
        worth = [log(1 + len(self) / (1 + len(found))) / (1 + LATER * place) for place, found in enumerate(having)]
        return worth_most(having, worth)


def worth_most(every: Sequence[BitMap], worth: Sequence[float]) -> BitMap:
    """The numbers that are in those of the sets that are worth the most together, and in what comes close."""
    groups, rest = [(0.0, BitMap().union(*every))], sum(worth)
    for numbers, more in sorted(zip(every, worth, strict=True), key=lambda each: -each[1]):
        parts = [part for so_far, group in groups for part in ((so_far + more, group & numbers), (so_far, group - numbers))]
        best, rest = max((so_far for so_far, group in parts if group), default=0.0), rest - more
        groups = [(so_far, group) for so_far, group in parts if group and so_far + rest >= SAYS_ENOUGH * best]
    return BitMap().union(*(group for _, group in groups))


def _place(match: Match) -> tuple[float, float, str, str]:
    """The best first; of equals the weightiest, then by the alphabet."""
    return -match.score, -match.entry.weight, match.entry.label, match.entry.iri


def _common(each: Sequence[BitMap]) -> BitMap:
    """The numbers that are in all of these."""
    first, *others = sorted(each, key=len) or [_NONE]
    return first.intersection(*others)
