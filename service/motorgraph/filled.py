"""A form as it was filled in: the texts of each field, and of words the language of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyoxigraph as ox

from motorgraph.errors import BadRequest
from motorgraph.protocol import form_parameters

MOST_CHARACTERS = 20_000
MOST_VALUES = 20
LANGUAGE = "@"
"""Behind the name of a field: the languages of its texts, in their order."""
ENGLISH = "en"


@dataclass(frozen=True)
class Filled:
    """The texts by the names of the fields, without those that are empty; `languages` are those of the texts of a field.

    `more` is the name of a field that is to have one more row.
    """

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    languages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    more: str = ""

    @classmethod
    def of(cls, body: bytes) -> Filled:
        """What a form brings. A field of a node, which has a dot in its name, may come several times.

        Raises BadRequest for a field that is too long or comes too often.
        """
        given = form_parameters(body)
        texts: dict[str, list[str]] = {}
        languages: dict[str, list[str]] = {}
        for name in (name for name in given if not name.endswith(LANGUAGE)):
            told = [text.strip() for text in given[name]]
            spoken = [*given.get(name + LANGUAGE, ()), *([ENGLISH] * len(told))]
            kept = [(text, language.strip() or ENGLISH) for text, language in zip(told, spoken, strict=False) if text]
            if len(kept) > (MOST_VALUES if "." in name else 1) or any(len(text) > MOST_CHARACTERS for text, _ in kept):
                raise BadRequest(
                    f"The field {name[:60]!r} is taken {f'up to {MOST_VALUES} times' if '.' in name else 'once'}, "
                    f"with up to {MOST_CHARACTERS:,} characters."
                )
            if kept:
                texts[name], languages[name] = [text for text, _ in kept], [language for _, language in kept]
        return cls(texts, languages)

    @classmethod
    def with_nodes(cls, known: Mapping[str, Sequence[ox.NamedNode | ox.Literal]], names: Mapping[str, str]) -> Filled:
        """The fields as they are when nodes are to be shown in them; `names` has what things are called in a form."""
        texts = {field: [names.get(node.value, node.value) for node in nodes] for field, nodes in known.items()}
        spoken = {field: [_language(node) for node in nodes] for field, nodes in known.items()}
        return cls(texts, spoken)

    def with_texts(self, **more: str) -> Filled:
        """With other fields beside these."""
        return replace(self, texts={**self.texts, **{name: [text] for name, text in more.items()}})

    def all(self, name: str) -> Sequence[str]:
        """The texts of a field."""
        return self.texts.get(name, ())

    def one(self, name: str, otherwise: str = "") -> str:
        """The only text of a field."""
        return next(iter(self.all(name)), otherwise)

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """The texts of a field, each with its language."""
        return list(zip(self.all(name), self.languages.get(name, [ENGLISH] * len(self.all(name))), strict=True))


def _language(node: ox.NamedNode | ox.Literal) -> str:
    return (node.language or ENGLISH) if isinstance(node, ox.Literal) else ENGLISH
