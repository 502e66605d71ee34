"""Which of the things that a text may mean it means most likely: by how their names fit, then by how much is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from motorgraph.search.entry import Entry, Role
from motorgraph.search.folding import compact, folded, words

MOST_WORDS = 12
THE_VERY_THING = 100.0
EXACT = {Role.LABEL: 92.0, Role.SENTENCE: 92.0, Role.IDENTIFIER: 90.0, Role.ALIAS: 88.0, Role.CONTEXT: 38.0}
BEGUN = {Role.LABEL: 74.0, Role.SENTENCE: 42.0, Role.IDENTIFIER: 66.0, Role.ALIAS: 70.0, Role.CONTEXT: 36.0}
WORDS = {Role.LABEL: 58.0, Role.SENTENCE: 38.0, Role.IDENTIFIER: 50.0, Role.ALIAS: 54.0, Role.CONTEXT: 34.0}
ALIKE = {Role.LABEL: 36.0, Role.SENTENCE: 20.0, Role.IDENTIFIER: 28.0, Role.ALIAS: 34.0, Role.CONTEXT: 20.0}
"""At most: where the text has a mistake."""
SCATTERED = 34.0
"""All words are there, but in several names; at most, and half of it where they have a mistake."""
BEGUN_ONLY = 18.0
"""What it takes away that a word of the text is only the beginning of one of the name."""
KIND_ONLY = 4.0
"""What it takes away that a word of the text is in none of the names, but says the kind."""
MACHINERY = 20.0
"""What it takes away to be a shape, which few look for."""
WEIGHT = 8.0
"""What the weight of a thing adds, at most."""
WHOLE = 6.0
"""What it adds that the text is nearly all of the name, at most."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a thing; `folded` with a blank before each word, `compact` with none."""

    role: Role
    text: str
    folded: str
    compact: str

    @classmethod
    def of(cls, role: Role, text: str) -> Name:
        """The name with this text."""
        plain = folded(text)
        return cls(role, text, f" {plain}", compact(plain))


@dataclass(frozen=True)
class Asked:
    """A text that somebody looks for."""

    text: str
    folded: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Asked:
        """The text as it is compared; at most `MOST_WORDS` words count."""
        plain = folded(text)
        return cls(text, f" {plain}", tuple(dict.fromkeys(plain.split()))[:MOST_WORDS])

    @cached_property
    def compact(self) -> str:
        """Without blanks."""
        return compact(self.folded)


@dataclass(frozen=True, slots=True)
class Match:
    """A thing, how well it fits (to 100), the name that fits best and where what was looked for stands in it."""

    entry: Entry
    score: float
    name: Name
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words as they are looked for in a name: where one begins with each, and where one is each."""

    begun: tuple[str, ...]
    whole: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> Wanted:
        """These words."""
        return cls(tuple(f" {word}" for word in words), tuple(f" {word} " for word in words))


@dataclass
class Ranking:
    """Ranks things for a text. `learnt` are the words that may be meant by a mistyped one, with how like they are."""

    asked: Asked
    learnt: dict[str, dict[str, float]] = field(default_factory=dict)

    def learn(self, word: str, like: Mapping[str, float]) -> None:
        """These words may be meant by this one."""
        self.learnt[word] = dict(like)

    def like(self, word: str) -> Sequence[str]:
        """The words that may be meant by this one."""
        return list(self.learnt.get(word, ()))

    def match(self, entry: Entry, names: Sequence[Name]) -> Match:
        """How well a thing fits."""
        wanted = self._without_kind(entry)
        best, chosen = 0.0, names[0]
        for name in names:
            score = self._score(name, wanted)
            if score > best:
                best, chosen = score, name
        if not best:
            best, chosen = self._alike_best(names)
        best -= MACHINERY if entry.kind == "shape" else 0.0
        return Match(entry, max(min(best + WEIGHT * entry.weight, THE_VERY_THING), 0.0), chosen)

    def marked(self, match: Match) -> Match:
        """The match with its spans."""
        return replace(match, spans=tuple(_spans(match.name.text, tuple(self._meant(match.name)))))

    @cached_property
    def _whole(self) -> Wanted:
        return Wanted.of(self.asked.words)

    def _without_kind(self, entry: Entry) -> Wanted:
        """The words to be found in the names of a thing: one that says its kind need not be, if there are others."""
        kind = entry.kind.split("-")
        if not any(word in kind for word in self.asked.words):
            return self._whole
        words = [word for word in self.asked.words if word not in kind]
        return Wanted.of(words) if words else self._whole

    def _score(self, name: Name, wanted: Wanted) -> float:
        """How well a name fits without a mistake; 0 if it does not."""
        asked = self.asked
        padded = name.folded
        if name.compact.startswith(asked.compact):
            whole = len(asked.compact) / len(name.compact)
            if whole == 1:
                return EXACT[name.role]
            best = BEGUN[name.role] + WHOLE * whole
        elif not _has(padded, wanted.begun):
            return 0.0
        else:
            best = WORDS[name.role] + WHOLE * min(len(asked.folded) / len(padded), 1.0)
            if wanted is not self._whole and not _has(padded, self._whole.begun):
                best -= KIND_ONLY
        return best if _has(f"{padded} ", wanted.whole) else best - BEGUN_ONLY

    def _alike_best(self, names: Sequence[Name]) -> tuple[float, Name]:
        """How well a thing fits that none of the names fits: with mistakes, or with words of several names."""
        parts = [part for name in names for part in name.folded.split()]
        likest = [max((self._likeness(word, part) for part in parts), default=0.0) for word in self.asked.words]
        is_exact = not self.learnt and all(likest)
        best = SCATTERED * sum(likest) / max(len(likest), 1) * (1.0 if is_exact else 0.5)
        chosen = names[0]
        for name in names if self.learnt else ():
            score = self._alike(name.folded.split()) * ALIKE[name.role]
            if score > best:
                best, chosen = score, name
        return best, chosen

    def _alike(self, parts: Sequence[str]) -> float:
        """How like a name is to the text, 1 for the same; 0 if a word of the text is like none of its words."""
        likest = [max((self._likeness(word, part) for part in parts), default=0.0) for word in self.asked.words]
        if not all(likest):
            return 0.0
        surplus = max(len(parts) - len(likest), 0)
        return sum(likest) / (len(likest) + 0.05 * surplus)

    def _likeness(self, word: str, part: str) -> float:
        if part.startswith(word):
            return 0.8 + 0.2 * len(word) / len(part)
        like = self.learnt.get(word, {})
        if part in like:
            return like[part]
        return 0.9 * like.get(part[: len(word)], 0.0)

    def _meant(self, name: Name) -> Iterator[str]:
        """The beginnings of words of a name that fit the text."""
        for word in self.asked.words:
            for part in name.folded.split():
                if part.startswith(word):
                    yield word
                elif self._likeness(word, part):
                    yield part
        if name.compact.startswith(self.asked.compact):
            yield self.asked.compact


def _has(text: str, parts: Sequence[str]) -> bool:
    """Whether all these parts are in a text; a generator would take three times as long, and each name is asked it."""
    for part in parts:  # noqa: SIM110 - see above
        if part not in text:
            return False
    return True


def _spans(text: str, begun: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where words of a text begin with one of these; at its start also where several of its words are one of these together."""
    every = list(words(text))
    for word in every:
        longest = max((b for b in begun if word.text.startswith(b)), key=len, default="")
        if longest:
            is_plain = len(word.text) == word.end - word.start
            yield word.start, word.start + len(longest) if is_plain else word.end
            continue
        if word is every[0]:
            run = ""
            for other in every:
                run += other.text
                if any(run.startswith(b) and len(b) > len(word.text) for b in begun):
                    yield word.start, other.end
                    return
