"""What a commit says, and how it stands in the journal: a row, and its quads in pieces of bounded size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from motorgraph.errors import Failed

PIECE_BYTES = 8 << 20
MOST_COMMITS = 1000
"""That are told at once."""


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key for a write: whose it is, a hash of the request, and what is answered when it comes again."""

    author: str
    name: str
    request: str
    location: str = ""
    created: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit is to say: graphs made and dropped, quads removed and added as N-Quads, who did it, and why.

    `origin` names the file or package that the quads come from, where that is not a client. `report` is the gate's summary;
    `graphs` are the named graphs that it changes. `was` is the commit of another journal that it repeats: then that says all but
    the quads and the graphs.
    """

    removed: Iterable[bytes] = ()
    added: Iterable[bytes] = ()
    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    author: str = ""
    message: str = ""
    origin: str = ""
    report: dict[str, int] = field(default_factory=dict)
    graphs: Iterable[str] = ()
    key: Key | None = None
    was: Commit | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit without its quads: how many it removed and added, when (UTC), and the digest of all up to it."""

    id: int
    time: str
    author: str
    message: str
    origin: str
    made: tuple[str, ...]
    dropped: tuple[str, ...]
    removed: int
    added: int
    size: int
    report: dict[str, int]
    digest: bytes


def from_row(row: tuple) -> Commit:  # type: ignore[type-arg]  # as SQLite gives it
    """The commit of a row. Raises ValueError or TypeError for one that is damaged."""
    number, time, author, message, origin, made, dropped, removed, added, size, report, digest = row
    graphs = tuple(json.loads(made)), tuple(json.loads(dropped))
    return Commit(number, time, author, message, origin, *graphs, removed, added, size, json.loads(report), digest)


def as_row(commit: Commit) -> tuple:  # type: ignore[type-arg]  # as SQLite takes it
    """The row of a commit without its digest, which covers it."""
    graphs = json.dumps(commit.made), json.dumps(commit.dropped)
    words = commit.id, commit.time, commit.author, commit.message, commit.origin
    return (*words, *graphs, commit.removed, commit.added, commit.size, json.dumps(commit.report))


def as_json(commit: Commit) -> dict[str, Any]:  # Any: plain JSON
    """A commit as a JSON object."""
    return asdict(commit) | {"digest": commit.digest.hex()}


def from_json(told: dict[str, Any]) -> Commit:  # Any: as above
    """The commit of a JSON object, which may have more members. Raises KeyError, TypeError or ValueError for what is none."""
    values = {field.name: told[field.name] for field in fields(Commit)}
    graphs = {name: tuple(map(str, values[name])) for name in ("made", "dropped")}
    return Commit(**values | graphs | {"digest": bytes.fromhex(values["digest"])})


def cut(quads: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines in pieces of bounded size."""
    rest: list[bytes] = []
    size = 0
    for some in quads:
        start = 0
        while len(some) - start > PIECE_BYTES:
            end = some.find(b"\n", start + PIECE_BYTES) + 1 or len(some)
            yield b"".join([*rest, some[start:end]])
            rest, size, start = [], 0, end
        rest.append(some[start:])
        size += len(some) - start
        if size >= PIECE_BYTES:
            yield b"".join(rest)
            rest, size = [], 0
    if size:
        yield b"".join(rest)


@dataclass(frozen=True, slots=True)
class Checked:
    """The quads of one commit: first what it removed, then what it added, then whether that is what was written."""

    _folder: Path
    _commit: Commit
    _digest: hashlib._Hash
    _removed: Iterator[bytes]
    _added: Iterator[bytes]

    def removed(self) -> Iterator[bytes]:
        """The N-Quads that it removed, in pieces of whole lines."""
        return self._passing(self._removed)

    def added(self) -> Iterator[bytes]:
        """The N-Quads that it added, in pieces of whole lines."""
        return self._passing(self._added)

    def _passing(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in pieces:
                self._digest.update(piece)
                yield piece
        except Failed as error:
            raise self.damage(f"cannot be read: {error.__cause__ or error}.") from error
        self._digest.update(b"\x00")

    def require(self) -> None:
        """Raises Failed if what has passed is not what was written."""
        self._digest.update(repr(as_row(self._commit)).encode())
        if self._digest.digest() != self._commit.digest:
            raise self.damage("is not what was written.")

    def damage(self, what: str) -> Failed:
        """What to say of a commit that is damaged: what is wrong with it, and what helps."""
        number = self._commit.id
        return Failed(f"The journal in {self._folder} is damaged: commit {number} {what} {remedy(number - 1)}")


def remedy(last: int) -> str:
    """What helps if only the commits up to one are good."""
    if last < 1:
        return "Serve a backup instead."
    return f"`motorgraph restore FOLDER --at {last}` makes a new folder of what is whole; or serve a backup."
