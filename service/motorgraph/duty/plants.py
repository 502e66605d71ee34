"""What the graph says of plants that a duty hangs on, and which plants therefore share their answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from motorgraph.inquiry import Inquiry
from motorgraph.naming import Directory, Named
from motorgraph.stores.embedded import Embedded

CAR_PLANTS = ("vehicle-assembly", "contract-assembly")
_PREFIX = "PREFIX mg: <{base}/ontology/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
_PLANTS = """SELECT ?plant (MIN(STR(?land)) AS ?country) (MIN(STR(?runs)) AS ?operator) (MIN(STR(?sort)) AS ?kind)
  (MIN(REPLACE(STRAFTER(STR(?status), "/plant-status/"), "-", " ")) AS ?state) (MIN(?town) AS ?locality) {{
  {{ ?plant a mg:Plant }} UNION {{ ?plant a mg:PlantUnit }}
  OPTIONAL {{ ?plant mg:country|(mg:unitOf/mg:country) ?land }}
  OPTIONAL {{ ?plant mg:operator|(mg:unitOf/mg:operator) ?runs }}
  OPTIONAL {{ ?plant mg:plantKind ?sort }}
  OPTIONAL {{ ?plant mg:plantStatus|(mg:unitOf/mg:plantStatus) ?status }}
  OPTIONAL {{ ?plant mg:locality ?town }}
}} GROUP BY ?plant"""
_LISTED = """SELECT DISTINCT ?operator ?country {{ ?list mg:includesProducer|mg:groupHead ?upper .
  ?operator mg:parent*|(^mg:parent)+ ?upper . ?rate mg:exporterScope ?list ; mg:ofMeasure/mg:originScope ?origin .
  ?country mg:inCustomsTerritory? ?origin }}"""
_SPECIAL = """SELECT DISTINCT ?plant {{ {{ ?finding mg:forPlant ?plant ; mg:determinedOrigin ?found }} UNION
  {{ ?assignment mg:ofPlant ?plant ; mg:method ?method FILTER(STRAFTER(STR(?method), "/assembly-method/") != "full") }} }}"""


@dataclass(frozen=True, slots=True)
class Site:
    """A plant: its country and its operator by IRI ("" where not recorded), how it stands, where it is."""

    country: str
    operator: str
    kind: str
    state: str
    locality: str


class Plants:
    """The plants of the graph at a commit (0: the newest)."""

    def __init__(self, store: Embedded, directory: Directory, commit: int = 0) -> None:
        self._store = store
        self._inquiry = Inquiry(store, commit)
        self._directory = directory
        self._base = store.settings.base
        self._commit = 0
        self._sites: dict[str, Site] = {}
        self._listed: frozenset[tuple[str, str]] = frozenset()
        self._special: frozenset[str] = frozenset()

    async def sites(self) -> dict[str, Site]:
        """All plants and their halls by IRI."""
        if self._commit != self._store.commit:
            commit = self._store.commit
            texts = [(_PREFIX + text).format(base=self._base) for text in (_PLANTS, _LISTED, _SPECIAL)]
            plants, listed, special = await asyncio.gather(*map(self._inquiry.rows, texts))
            names = ("country", "operator", "kind", "state", "locality")
            self._sites = {row["plant"]: Site(*(row.get(name, "") for name in names)) for row in plants}
            self._listed = frozenset((row["operator"], row["country"]) for row in listed)
            self._special = frozenset(row["plant"] for row in special)
            self._commit = commit
        return self._sites

    async def cars(self) -> list[Named]:
        """The plants that assemble cars, by name."""
        sites, named = await self.sites(), await self._directory.below(f"{self._base}/id/plant/")
        found = [plant for iri, plant in named.items() if iri in sites and sites[iri].kind.rpartition("/")[2] in CAR_PLANTS]
        return sorted(found, key=lambda plant: (plant.label.casefold(), plant.iri))

    async def operator(self, place: str) -> str:
        """Who runs a plant, "" if that is not recorded or the place is no plant."""
        site = (await self.sites()).get(place)
        return site.operator if site else ""

    async def country(self, place: str) -> str:
        """The country of a plant; a country or territory itself."""
        site = (await self.sites()).get(place)
        return site.country if site else place

    async def alike(self, place: str) -> tuple[str, ...]:
        """What tells a place's duties from those of others: two plants with the same have the same answers.

        The duty question reads of a plant its country, its operator if an act on cars from there names that or its family,
        what was determined on its origin, and whether it builds from kits. A plant of which one of the last two is told is
        alike to no other.
        """
        site = (await self.sites()).get(place)
        if site is None or place in self._special or not site.country:
            return (place,)
        return (site.country, site.operator if (site.operator, site.country) in self._listed else "")
