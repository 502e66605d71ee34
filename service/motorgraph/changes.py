"""The commits as they are told: some in a row, each with where more of it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from motorgraph.commits import MOST_COMMITS
from motorgraph.errors import BadRequest
from motorgraph.protocol import Call, absolute, one, query_parameters
from motorgraph.stores.embedded import Embedded

LIMIT = 100
_NUMBER = re.compile(r"[0-9]{1,15}")

Json = dict[str, Any]  # Any: a commit as JSON, see the clerk


@dataclass(frozen=True, slots=True)
class Window:
    """Some commits in a row, of those that changed a `graph`, or have a thing (`iri`) in what they changed, if one is named.

    The first `limit` of those beyond `after` and as far as `upto`; without `after` (None) the last of them.
    """

    after: int | None
    upto: int
    limit: int
    newest: int
    graph: str = ""
    iri: str = ""

    @classmethod
    def of(cls, call: Call, newest: int) -> Window:
        """The window that a request asks for. Raises BadRequest."""
        given = query_parameters(call)
        after, upto, limit = (numbered(given, name) for name in ("after", "upto", "limit"))
        if limit is not None and not 1 <= limit <= MOST_COMMITS:
            raise BadRequest(f"limit={limit} is not between 1 and {MOST_COMMITS}; the links lead from page to page.")
        graph, iri = (absolute(text, name) if (text := one(given, name)) else "" for name in ("graph", "iri"))
        if graph and iri:
            raise BadRequest("Name a graph or the iri of a thing, not both.")
        end = newest if upto is None else min(upto, newest)
        return cls(after, end, limit or LIMIT, newest, graph, iri)

    def address(self, **more: int) -> str:
        """The path of these commits, or (with `after` or `upto`) of others of as many."""
        of = {name: iri for name, iri in (("graph", self.graph), ("iri", self.iri)) if iri}
        return "/changes?" + urlencode({**of, **more, "limit": self.limit})


@dataclass(frozen=True, slots=True)
class Shown:
    """The commits of a window, oldest first, and whether they are the first and the last that there are."""

    window: Window
    commits: Sequence[Json]
    is_first: bool
    is_last: bool

    @property
    def pages(self) -> dict[str, str]:
        """The paths of the pages before and behind, and at both ends."""
        found = {"first": self.window.address(after=0), "last": self.window.address()}
        if not self.is_first:
            found["prev"] = self.window.address(upto=self.commits[0]["id"] - 1)
        if not self.is_last:
            found["next"] = self.window.address(after=self.commits[-1]["id"])
        return found


async def shown(store: Embedded, window: Window) -> Shown:
    """The commits of a window."""
    if window.graph or window.iri:
        wanted = {"after": window.after, "upto": window.upto, "limit": window.limit}
        told = await store.archive.ask("touching", graph=window.graph, iri=window.iri, newest=window.newest, **wanted)
        return Shown(window, told["commits"], told["is_first"], told["is_last"])
    start = max(window.upto - window.limit, 0) if window.after is None else window.after
    found = await store.commits(after=start, upto=min(window.upto, start + window.limit)) if start < window.upto else []
    return Shown(window, found, not found or found[0]["id"] == 1, not found or found[-1]["id"] >= window.newest)


def linked(commit: Json, origin: str) -> Json:
    """A commit as JSON with where more of it is, on the host that was asked. What is said of it never changes."""
    address = f"{origin}/changes/{commit['id']}"
    links = {"self": address, "patch": f"{address}.rdfp", "graphs": f"{origin}/graphs?at={commit['id']}"}
    return commit | {"links": links | ({"prev": f"{origin}/changes/{commit['id'] - 1}"} if commit["id"] > 1 else {})}


def numbered(given: Mapping[str, list[str]], name: str) -> int | None:
    """The number of a commit that a parameter gives, None if it is not there. Raises BadRequest."""
    text = one(given, name)
    if text and not _NUMBER.fullmatch(text):
        raise BadRequest(f"{name}={text[:40]!r} is no number of a commit, such as 12.")
    return int(text) if text else None
