"""Texts as they are compared: without case, accents and punctuation, and where each of their words stands in the original."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, folded, and where the original of it begins and ends."""

    text: str
    start: int
    end: int


class _Letters(dict[int, str]):
    """Each letter folded, by its number, worked out when it is first met; a blank for what parts words."""

    def __missing__(self, number: int) -> str:
        letter = chr(number)
        plain = "".join(
            _ALONE.get(c, c) for c in unicodedata.normalize("NFKD", letter.casefold()) if not unicodedata.combining(c)
        )
        self[number] = found = (
            plain if plain.isalnum() or (not plain and (letter in _ALONE or unicodedata.combining(letter))) else " "
        )
        return found


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
        if plain == " ":
            if letters:
                yield Word(letters, start, place)
            letters = ""
        else:
            start = start if letters else place
            letters += plain
    if letters:
        yield Word(letters, start, min(len(text), MOST_CHARACTERS))
