"""What is gone: which commit removed the last that was said of a thing."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from motorgraph.errors import Unavailable
from motorgraph.stores.embedded import Embedded

KNOWN = 4096

Removal = dict[str, Any]  # Any: plain JSON, `id` and `time` of a commit, see the clerk's `mentions`


@dataclass(frozen=True)
class Removals:
    """What was found out so far, by IRI and commit: looking through the journal takes a while where it is long."""

    store: Embedded
    _known: OrderedDict[tuple[str, int], Removal | None] = field(default_factory=OrderedDict)

    async def removed_by(self, iri: str, upto: int = 0) -> Removal | None:
        """The commit after which nothing was said of a thing any more, as of the commit `upto` (0: now).

        None if something is, or never was; and while too many ask about the past for it to be found out. A thing is there as long
        as it is the subject of a statement that was written, be it pointed to or not.
        """
        key = iri, upto or self.store.commit
        if key not in self._known:
            try:
                mentions = await self.store.archive.ask("mentions", iri=iri, upto=key[1])
            except Unavailable:
                return None
            self._known[key] = _last_of(mentions)
            if len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return self._known[key]


def _last_of(mentions: list[Removal]) -> Removal | None:
    """The last of the commits that removed something said of a thing, if with it all was gone that ever had come."""
    if sum(told["won"] - told["lost"] for told in mentions):
        return None
    return next((told for told in reversed(mentions) if told["lost"]), None)
