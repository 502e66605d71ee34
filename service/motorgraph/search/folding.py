"""Texts as they are compared: without case, accents and punctuation, and where each of their words stands in the original."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 500
"""Of a text that is looked at; the rest of a long one is not compared."""
_ALONE = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ı": "i",
    "ħ": "h",
    "’": "",
    "'": "",
}
"""Letters that have no accent to be taken off; an apostrophe joins what stands around it."""

_UNPARTED = re.compile("[\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Chinese characters and kana, which are written without blanks: each is a word, so that any part of a name is found."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, folded, and where the original of it begins and ends."""

    text: str
    start: int
    end: int


class _Letters(dict[int, str]):
    """Each letter folded, by its number, worked out when it is first met; a blank for what parts words."""

    def __missing__(self, number: int) -> str:
        self[number] = found = self._folded(chr(number))
        return found

    @staticmethod
    def _folded(letter: str) -> str:
        plain = "".join(
            _ALONE.get(c, c) for c in unicodedata.normalize("NFKD", letter.casefold()) if not unicodedata.combining(c)
        )
        if plain.isalnum():
            return f" {plain} " if _UNPARTED.fullmatch(letter) else plain
        return plain if not plain and (letter in _ALONE or unicodedata.combining(letter)) else " "


_LETTERS = _Letters()


def folded(text: str) -> str:
    """The words of a text with a blank between two."""
    return " ".join(text[:MOST_CHARACTERS].translate(_LETTERS).split())


def compact(folded_text: str) -> str:
    """A folded text without blanks, so that it does not matter how a name or a number is parted."""
    return folded_text.replace(" ", "")


def words(text: str) -> Iterator[Word]:
    """The words of a text in order."""
    letters, start = "", 0
    for place, letter in enumerate(text[:MOST_CHARACTERS]):
        plain = _LETTERS[ord(letter)]
        if plain.startswith(" "):
            if letters:
                yield Word(letters, start, place)
            letters = ""
            if plain.strip():
                yield Word(plain.strip(), place, place + 1)
        else:
            start = start if letters else place
            letters += plain
    if letters:
        yield Word(letters, start, min(len(text), MOST_CHARACTERS))
