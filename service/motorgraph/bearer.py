"""Bearers of tokens (RFC 6750): the name, the scope and the hash that the settings hold of each, never the token itself."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

TOKEN_BYTES = 32
MARK = "mg_"
SHORTHAND = "write token"
"""Whom the setting write_token stands for."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_TAKEN = ("motorgraph", "write-token")  # who else the journal names
_HINT = "'motorgraph token NAME' makes one"


class Scope(IntEnum):
    """What a token is good for; each includes those before it."""

    READ = 1
    WRITE = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """As the settings and refusals write it."""
        return self.name.lower()


SCOPES = {scope.word: scope for scope in Scope}


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who holds a token: a name for the journal, a scope, and the SHA-256 of the token.

    A plain hash is right for tokens of 256 random bits, as `minted` makes them: there is nothing to guess and try.
    """

    name: str
    scope: Scope
    digest: bytes

    @classmethod
    def of(cls, entry: str) -> Bearer:
        """The bearer of an entry `NAME:SCOPE:HASH`. Raises ValueError, which never repeats what may be a token."""
        name, *others = entry.split(":")
        if len(others) != 2:
            raise ValueError(f"an entry is NAME:SCOPE:HASH, as anna:write:3a7b…; {_HINT}")
        scope, digest = others
        if not _NAME.fullmatch(name):
            raise ValueError("a name is 1 to 64 of the letters A to Z, digits and . _ @ -, and begins with a letter or digit")
        if name.lower() in _TAKEN:
            raise ValueError(f"the name {name} is taken: the service itself writes in the journal under it; choose another")
        if scope not in SCOPES:
            raise ValueError(f"{name}: the scope is one of {', '.join(SCOPES)}")
        if not _HASH.fullmatch(digest):
            raise ValueError(f"{name}: behind the scope stands the SHA-256 of the token, 64 hexadecimal digits; {_HINT}")
        return cls(name, SCOPES[scope], bytes.fromhex(digest))

    @classmethod
    def holding(cls, name: str, scope: Scope, token: str) -> Bearer:
        """The bearer of a token."""
        return cls(name, scope, hashed(token.encode()))

    @property
    def entry(self) -> str:
        """As the settings write it."""
        return f"{self.name}:{self.scope.word}:{self.digest.hex()}"


def hashed(token: bytes) -> bytes:
    """The SHA-256 of a token."""
    return hashlib.sha256(token).digest()


def minted() -> str:
    """A new token of 256 random bits; its mark lets scanners of code and logs see what it is."""
    return MARK + secrets.token_urlsafe(TOKEN_BYTES)


def bearers(written: Iterable[str]) -> tuple[Bearer, ...]:
    """The bearers of the setting `tokens`: entries, or `@FILE` for a file with one a line. Raises ValueError.

    One name may have several tokens, so that a new one can be handed out before the old one goes.
    """
    found: dict[bytes, Bearer] = {}
    for where, entry in _entries(written):
        try:
            bearer = Bearer.of(entry)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if bearer.digest in found:
            raise ValueError(f"{where}: {found[bearer.digest].name} and {bearer.name} have the same token; give each its own")
        found[bearer.digest] = bearer
    return tuple(found.values())


def _entries(written: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each entry, and where it stands."""
    words = (word for text in written for word in text.replace(",", " ").split())
    for place, word in enumerate(words, 1):
        if not word.startswith("@"):
            yield f"entry {place}", word
            continue
        path = Path(word[1:])
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
        for number, line in enumerate(lines, 1):
            entry = line.partition("#")[0].strip()
            if entry:
                yield f"{path}, line {number}", entry


def find(known: Iterable[Bearer], token: bytes) -> Bearer | None:
    """Whose token it is; takes as long whoever it is, and whoever it is not."""
    digest, found = hashed(token), None
    for bearer in known:
        if secrets.compare_digest(bearer.digest, digest):
            found = bearer
    return found
