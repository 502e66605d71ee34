"""Names for the duty planner: which maker, place, car or market of the graph a client means by a slug, an IRI or a label."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from motorgraph.address import local
from motorgraph.errors import BadParameter
from motorgraph.inquiry import Inquiry
from motorgraph.search.likeness import likest_of
from motorgraph.stores.embedded import Embedded

MOST_CHARACTERS = 300
COUNTRY_NAMES = {"uk": "gb", "great-britain": "gb", "england": "gb", "usa": "us", "america": "us", "turkey": "tr", "korea": "kr"}
"""What people call a country besides its ISO 3166 codes and its name in the graph."""
_KINDS = {
    "organization": "?thing a mg:Organization .",
    "brand": "?thing a mg:Brand .",
    "plant": "?thing a mg:Plant .",
    "plant-unit": "?thing a mg:PlantUnit .",
    "territory": '?thing a mg:CustomsTerritory . FILTER(STRSTARTS(STR(?thing), "{base}/id/territory/"))',
    "country": "?thing a mg:Country .",
    "propulsion": "?thing skos:inScheme <{base}/scheme/propulsion> .",
    "model": "?thing a ?class . FILTER(?class IN (mg:VehicleModel, mg:ModelVariant))",
}
"""How the things of a kind are found in the graph; a kind is what the last part but one of their IRIs says."""
FIELDS = {
    "maker": ("organization", "brand"),
    "plant": ("plant", "plant-unit", "country", "territory"),
    "model": ("propulsion", "model"),
    "market": ("territory", "country"),
}
"""The kinds that a parameter may name, the likeliest first."""
_NAMES = """PREFIX mg: <{base}/ontology/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?thing ?label ?also {{ {pattern} ?thing skos:prefLabel ?label .
  OPTIONAL {{ ?thing skos:altLabel|skos:notation|mg:countryCode|mg:countryCodeLong|(^mg:groupHead/skos:prefLabel) ?also }} }}"""
_PARTED = re.compile(r"[^a-z0-9]+")
_SPELT = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "ı": "i", "æ": "ae", "đ": "d"})


@dataclass(frozen=True, slots=True)
class Named:
    """A thing of the graph: its IRI, its name, and the other names by which it is known."""

    iri: str
    label: str
    also: tuple[str, ...] = ()

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


def folded(text: str) -> str:
    """A name without what people leave out or write differently: case, accents, and signs between words."""
    plain = unicodedata.normalize("NFKD", unquote(text).casefold().translate(_SPELT))
    return _PARTED.sub("-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-")


class Directory:
    """The things that the parameters may name, read from the newest graph kind by kind when one is first asked for."""

    def __init__(self, store: Embedded) -> None:
        self._store = store
        self._inquiry = Inquiry(store)
        self._base = store.settings.base
        self._commit = 0
        self._of_kind: dict[str, dict[str, Named]] = {}

    async def all(self, kind: str) -> dict[str, Named]:
        """The things of a kind, by IRI."""
        if self._commit != self._store.commit:
            self._of_kind.clear()
            self._commit = self._store.commit
        if kind not in self._of_kind:
            pattern = _KINDS[kind].format(base=self._base)
            rows = await self._inquiry.rows(_NAMES.format(base=self._base, pattern=pattern))
            self._of_kind[kind] = dict(_named(rows))
        return self._of_kind[kind]

    async def labelled(self, iris: Iterable[str]) -> dict[str, Named]:
        """Things by IRI with their names, where these are of a kind that a parameter may name."""
        found = {}
        for iri in dict.fromkeys(iris):
            kind = Named(iri, "").kind
            known = (await self.all(kind)).get(iri) if kind in _KINDS else None
            found[iri] = known or Named(iri, iri.rpartition("/")[2])
        return found

    async def find(self, field: str, text: str) -> Named:
        """What a client means by a text. Raises BadParameter, with near matches, if that is nothing or more than one thing."""
        kind, key = self._parts(field, text)
        kinds = [kind] if kind else FIELDS[field]
        things = [thing for each in kinds for thing in (await self.all(each)).values()]
        by_slug = [thing for thing in things if folded(thing.slug) == key]
        if not by_slug and "country" in kinds:
            by_slug = [thing for thing in things if thing.slug == COUNTRY_NAMES.get(key)]
        for found in (by_slug[:1], _called(things, key), _also_called(things, key)):
            if len(found) == 1:
                return found[0]
            if found:
                raise self._refusal(field, text, "may mean any of several; give one by its slug", found)
        told = [thing for thing in things if len(thing.slug) > 2 or len(key) < 4 or folded(thing.label)[:3] == key[:3]]
        near = likest_of(text[:MOST_CHARACTERS], {thing.iri: thing.label for thing in told})
        near = near or likest_of(text[:MOST_CHARACTERS], {thing.iri: thing.also[0] for thing in told if thing.also})
        by_iri = {thing.iri: thing for thing in things}
        article = f"no {field} that the graph knows" if field != "plant" else "no plant or country that the graph knows"
        raise self._refusal(field, text, f"is {article}", [by_iri[iri] for iri in near])

    def _parts(self, field: str, text: str) -> tuple[str, str]:
        """The kind that a text names, "" if none, and the folded name in it."""
        name = text.strip()[:MOST_CHARACTERS]
        if name.startswith(("http://", "https://")):
            name = name.removeprefix(self._base) if name.startswith(self._base + "/") else urlsplit(name).path
        kind, _, slug = name.strip("/").rpartition("/")
        kind = kind.rpartition("/")[2].lower().replace("_", "-")
        return (kind, folded(slug)) if kind in FIELDS[field] else ("", folded(slug if kind in _KINDS else name))

    def _refusal(self, field: str, text: str, why: str, near: list[Named]) -> BadParameter:
        told = [thing.as_near(self._base) for thing in near]
        also = f" Near it: {', '.join(thing.slug for thing in near)}." if near else ""
        value = text[:MOST_CHARACTERS]
        return BadParameter(f"{field}={value!r} {why}.{also}", field=field, value=value, near=told)


def _named(rows: list[dict[str, str]]) -> Iterable[tuple[str, Named]]:
    """The things in rows that have one of their names each."""
    also: dict[str, list[str]] = {}
    for row in rows:
        also.setdefault(row["thing"], []).extend([row["also"]] if "also" in row else [])
    labels = {row["thing"]: row["label"] for row in rows}
    return ((iri, Named(iri, labels[iri], tuple(dict.fromkeys(names)))) for iri, names in also.items())


def _called(things: list[Named], key: str) -> list[Named]:
    return [thing for thing in things if folded(thing.label) == key]


def _also_called(things: list[Named], key: str) -> list[Named]:
    return [thing for thing in things if any(folded(name) == key for name in thing.also)]
