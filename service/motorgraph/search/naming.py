"""Which things of an index a client means by a name: an IRI or the end of one, a label, another name, an identifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from motorgraph.address import local
from motorgraph.search.entry import Entry, Role
from motorgraph.search.folding import compact, folded
from motorgraph.search.index import Index
from motorgraph.search.likeness import likest, likest_of
from motorgraph.search.schema import Schema

MOST_COMPARED = 50
ALIKE = 70.0
"""Of 100: how like a name a text has to be to be near it; two letters may have changed places in a short one."""
Json = dict[str, Any]  # Any: plain JSON


@dataclass(frozen=True)
class Kind:
    """Things whose IRIs begin so, with one more part; of a class, if one is named."""

    start: str
    of: str = ""

    @property
    def word(self) -> str:
        """What clients put before a name to say the kind."""
        return self.start.rstrip("/").rpartition("/")[2]

    def has(self, iri: str) -> bool:
        """Whether an IRI begins as those of the kind do."""
        return iri.startswith(self.start) and len(iri) > len(self.start) and "/" not in iri[len(self.start) :]


@dataclass
class Namer:
    """Looks names up in an index."""

    index: Index
    schema: Schema
    base: str

    def resolve(self, texts: Sequence[str], kinds: Sequence[Sequence[str]]) -> Json:
        """For each text the `things` of the kinds (start of the IRIs, class) that it may mean, several if it does not tell them
        apart, and if there are none those with names `near` to it."""
        wanted = [Kind(*kind) for kind in kinds]
        return {"found": [self._resolved(text, wanted) for text in texts]}

    def named(self, starts: Sequence[str], iris: Sequence[str] = ()) -> Json:
        """The things whose IRIs begin with one of these and have one more part, and those with these IRIs."""
        kinds = [Kind(start) for start in starts]
        of_kind = (entry for entry in (self.index.entries if kinds else ()) if any(kind.has(entry.iri) for kind in kinds))
        return {"things": [self._told(entry) for entry in (*of_kind, *filter(None, map(self.index.entry, iris)))]}

    def near(self, start: str, slug: str) -> Json:
        """The things below a path, or if there are none of the likest kind, with names most like a slug that there is not."""
        start = self.base + start
        kind = "" if self.index.has(start) else likest(start.split("/")[-2], list(self.index.kinds))
        return {"near": self._near(slug, None if kind else lambda iri: iri.startswith(start), kind)}

    def _resolved(self, text: str, kinds: Sequence[Kind]) -> Json:
        path, name = self._parted(text)
        said = [kind for kind in kinds if kind.word == path.rpartition("/")[2].lower().replace("_", "-")]
        among, called = (said, name) if said else (kinds, text)
        things = self._with_iri(text, called, among) or self._called(called, among)
        near = [] if things else self._near(name, lambda iri: any(self._is(iri, kind) for kind in among))
        return {"things": [self._told(entry) for entry in things], "near": near}

    def _parted(self, text: str) -> tuple[str, str]:
        """What stands before the last part of a path, an address or a prefixed name, and that part."""
        path = text.removeprefix(self.base) if text.startswith(self.base + "/") else text
        path = unquote(urlsplit(path).path) if "://" in path else path.replace(":", "/", 1)
        before, _, name = path.strip("/").rpartition("/")
        return before, name

    def _with_iri(self, text: str, name: str, kinds: Sequence[Kind]) -> list[Entry]:
        """The thing with this IRI, or the first of the kinds whose IRI ends so."""
        term = self.schema.term(text)
        iris = (text, term.value if term is not None else "", *(kind.start + name for kind in kinds))
        entries = (self.index.entry(iri) for iri in iris if any(self._is(iri, kind) for kind in kinds))
        found = next(filter(None, entries), None)
        return [found] if found is not None else []

    def _called(self, name: str, kinds: Sequence[Kind]) -> list[Entry]:
        """The things that are called so: by the end of the IRI the first of the kinds, else by label, else by another name."""
        wanted = compact(folded(name))
        entries = [(entry, kind) for entry in self.index.called(wanted) for kind in kinds if self._is(entry.iri, kind)]
        by_slug = [entry for kind in kinds for entry, of in entries if of is kind and _is_called(wanted, entry.names[-1:])]
        by_label = [entry for entry, _ in entries if _is_called(wanted, entry.names[:1])]
        return by_slug[:1] or by_label or [entry for entry, _ in entries]

    def _is(self, iri: str, kind: Kind) -> bool:
        return kind.has(iri) and (not kind.of or iri in self.schema.instances(kind.of))

    def _near(self, name: str, keep: Callable[[str], bool] | None, kind: str = "") -> list[Json]:
        found = self.index.find(name.replace("-", " "), kind, most=MOST_COMPARED, keep=keep)
        entries = {match.entry.iri: match.entry for match in found.matches}
        best = likest_of(name, {iri: entry.label for iri, entry in entries.items()}, ALIKE)
        best = best or likest_of(name, {iri: "; ".join(_others(entry)) for iri, entry in entries.items()}, ALIKE)
        return [self._told(entries[iri]) for iri in best]

    def _told(self, entry: Entry) -> Json:
        kind = entry.iri.rpartition("/")[0].rpartition("/")[2].replace("-", " ").capitalize()
        return {"id": entry.iri, "name": entry.label, "page": local(entry.iri, self.base), "kind": kind}


def _is_called(wanted: str, names: Iterable[tuple[Role, str]]) -> bool:
    return any(compact(folded(name)) == wanted for _, name in names)


def _others(entry: Entry) -> Iterator[str]:
    return (name for role, name in entry.names[1:-1] if role is Role.ALIAS)
