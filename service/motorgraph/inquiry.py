"""Queries of our own, asked of the readers: values are bound as terms, and the answer comes back as terms."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import pyoxigraph as ox

from motorgraph.engine.wire import Job
from motorgraph.media import JSON
from motorgraph.stores.embedded import Embedded

MOST_ROWS = 50_000
LARGE = 100_000
"""Bytes of an answer that takes a millisecond to read, in which others are answered."""


@dataclass(frozen=True, slots=True)
class Several:
    """Several terms, to stand between the braces of VALUES."""

    terms: tuple[ox.NamedNode | ox.Literal, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


Value = ox.NamedNode | ox.Literal | Several
_PLACE = re.compile(r"\$(\w+)")


class Inquiry:
    """Asks SELECT queries of a commit (0: the newest). A `$name` in a text stands for the value of that name."""

    def __init__(self, store: Embedded, commit: int = 0) -> None:
        self._store = store
        self._commit = commit

    async def answer(self, text: str, values: Mapping[str, Value], commit: int = 0) -> tuple[int, bytes]:
        """The commit that was asked (0: its own), and what it says as SPARQL JSON.

        Raises TooLarge if it has more than `MOST_ROWS` rows, and what any query may meet.
        """
        job = Job("query", bound(text, values), solutions=JSON.media_type, max_rows=MOST_ROWS, commit=commit or self._commit)
        answer = await self._store.answer(job)
        try:
            body = b"".join([piece async for piece in answer.pieces()]) if answer.body is None else answer.body
            return answer.head.commit, body
        finally:
            self._store.release(answer)

    async def rows(self, text: str, **values: Value) -> list[dict[str, str]]:
        """The rows, each with the values of what is bound in it. Raises what `answer` does."""
        return (await self.told(text, values))[1]

    async def told(self, text: str, values: Mapping[str, Value], commit: int = 0) -> tuple[int, list[dict[str, str]]]:
        """The commit that was asked (0: the newest), and the rows. Raises what `answer` does."""
        commit, body = await self.answer(text, values, commit)
        return commit, _rows(body) if len(body) < LARGE else await asyncio.to_thread(_rows, body)


def _rows(body: bytes) -> list[dict[str, str]]:
    found = orjson.loads(body)["results"]["bindings"]  # none of our queries binds a triple term: each value is a text
    return [{name: term["value"] for name, term in row.items()} for row in found]


def bound(text: str, values: Mapping[str, Value]) -> str:
    """A query with its values in place, written as SPARQL writes terms."""
    return _PLACE.sub(lambda place: str(values[place[1]]), text)


def solutions(body: bytes) -> ox.QuerySolutions:
    """The solutions in a body of SPARQL JSON."""
    found = ox.parse_query_results(body, ox.QueryResultsFormat.JSON)
    assert isinstance(found, ox.QuerySolutions)
    return found
