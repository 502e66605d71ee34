"""Names that clients give: which things of the graph they mean, what things are called, and which there are of a kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from motorgraph.address import local
from motorgraph.search.naming import Kind
from motorgraph.stores.embedded import Embedded

Json = dict[str, Any]  # Any: plain JSON


@dataclass(frozen=True, slots=True)
class Named:
    """A thing of the graph: its IRI and its name."""

    iri: str
    label: str

    @classmethod
    def of(cls, told: Json) -> Named:
        """The thing that the finder tells of."""
        return cls(told["id"], told["name"])

    @property
    def slug(self) -> str:
        """What its IRI ends in."""
        return self.iri.rpartition("/")[2]

    @property
    def kind(self) -> str:
        """What it is, as its IRI says, such as `plant`."""
        return self.iri.rpartition("/")[0].rpartition("/")[2]

    def as_json(self) -> dict[str, str]:
        """As a member of an answer."""
        return {"iri": self.iri, "slug": self.slug, "label": self.label}

    def as_near(self, base: str) -> dict[str, str]:
        """As a near match in a refusal; `page` is where this service tells of it."""
        return {"id": self.iri, "name": self.label, "page": local(self.iri, base), "slug": self.slug}


@dataclass(frozen=True, slots=True)
class Meant:
    """The things that a name may mean, of several it does not say which; if there are none, those with names near to it."""

    things: tuple[Named, ...] = ()
    near: tuple[Named, ...] = ()


class Directory:
    """The things of the newest graph by their names, as the finder knows them."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._commit = 0
        self._below: dict[str, dict[str, Named]] = {}

    async def meant(self, texts: Sequence[str], kinds: Iterable[Kind]) -> list[Meant]:
        """What each text means, of these kinds: for the same end of an IRI the first of them."""
        if not texts:
            return []
        _, told = await self._told("resolve", texts=texts, kinds=[(kind.start, kind.of) for kind in kinds])
        return [Meant(tuple(map(Named.of, each["things"])), tuple(map(Named.of, each["near"]))) for each in told["found"]]

    async def below(self, start: str) -> dict[str, Named]:
        """The things whose IRIs begin with a text and have one more part, by IRI."""
        if self._commit != self._store.commit:
            self._below.clear()
            self._commit = self._store.commit
        if start not in self._below:
            commit, told = await self._told("named", starts=[start])
            found = {each["id"]: Named.of(each) for each in told["things"]}
            if commit != self._commit:  # the finder is behind, and will not be for long
                return found
            self._below[start] = found
        return self._below[start]

    async def labelled(self, iris: Iterable[str]) -> dict[str, Named]:
        """Things by IRI with their names; what is not known is named by the end of its IRI."""
        wanted = list(dict.fromkeys(iris))
        found = {iri: Named(iri, iri.rpartition("/")[2]) for iri in wanted}
        if wanted:
            _, told = await self._told("named", starts=[], iris=wanted)
            found |= {each["id"]: Named.of(each) for each in told["things"]}
        return found

    async def _told(self, task: str, **wanted: Any) -> tuple[int, Json]:  # Any: plain JSON
        commit, body = await self._store.found(task, **wanted)
        told: Json = json.loads(body)
        return commit, told
