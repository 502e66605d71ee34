"""A portrait as a page: the filter of its claims, its map and picture, and what a search engine reads of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from markupsafe import Markup

from motorgraph.address import FORMATS, PORTRAIT, Address, local
from motorgraph.atlas import WORLD, Area, Atlas, Point
from motorgraph.marks import CONTESTED
from motorgraph.pages import Pages
from motorgraph.star import NEAREST, shortened, star
from motorgraph.vocab import SCHEMA

Json = dict[str, Any]  # Any: a portrait as the reader wrote it
WIDTH = 304
MARGIN = 0.6
WIDEST = 110.0
"""Degrees of longitude; plants further apart are shown on the world."""
MOST_LABELS = 6
FROM_EXPLORE = "/explore"


class Views:
    """Makes pages about things."""

    def __init__(self, pages: Pages, base: str) -> None:
        self._pages = pages
        self._base = base
        self._atlas = Atlas()

    async def page(self, address: Address, portrait: Json, shown: Mapping[str, object]) -> bytes:
        """The page of a portrait; `shown` is what else the template wants."""
        spots = portrait["spots"]
        drawn = Markup(await asyncio.to_thread(self._map, portrait["name"], spots)) if spots else ""  # noqa: S704 - ours
        stance = str(shown["stance"])
        return await self._pages.page(
            "thing.html",
            thing=portrait | _only(portrait, stance) if stance else portrait,
            address=address,
            formats=(*FORMATS, PORTRAIT),
            map=drawn,
            star=star,
            nearest=NEAREST,
            page_of=self._page_of,
            linked=_linked(portrait),
            timemap=f"/timemap{address.path}",
            crumbs_that_exist=self._crumbs,
            **shown,
        )

    def _page_of(self, iri: str) -> str:
        """Where to read of a thing: on this service, else where its IRI leads."""
        return local(iri, self._base) or iri

    def _crumbs(self, crumbs: Sequence[Json]) -> list[Json]:
        """Those that lead somewhere on this service, below the page to explore from if there is one."""
        start = [{"text": "Explore", "page": FROM_EXPLORE}] if self._pages.offers(FROM_EXPLORE) else []
        return start + [c for c in crumbs if not c["page"].startswith(FROM_EXPLORE) or self._pages.offers(c["page"])]

    def _map(self, name: str, spots: Sequence[Json]) -> str:
        meant = [spot for spot in spots if spot["kind"] == "deal"]
        named = {id(spot) for spot in meant[:MOST_LABELS]}
        points = [
            Point(s["lon"], s["lat"], s["kind"], shortened(s["name"], 18) if id(s) in named else "", "", s["page"]) for s in spots
        ]
        return self._atlas.picture(
            points, _area(spots), f"Where {name} is" + (f", among {len(spots)} places" if len(spots) > 1 else "")
        )


def _area(spots: Sequence[Json]) -> Area:
    """What of the world a map shows."""
    places = [(spot["lon"], spot["lat"]) for spot in spots]
    wide = max(lon for lon, _ in places) - min(lon for lon, _ in places)
    return replace(WORLD, width=WIDTH) if wide > WIDEST else Area.around(places, WIDTH, 1.2)


def _only(portrait: Json, stance: str) -> Json:
    """The claims of a portrait with one mark."""
    topics = []
    for topic in portrait["topics"]:
        is_box = stance == CONTESTED.glyph
        claims = [] if is_box else [c for c in topic["claims"] if c["mark"]["glyph"] == stance]
        boxes = [box for box in topic["disputes"] if is_box or any(c["mark"]["glyph"] == stance for c in box)]
        if claims or boxes:
            topics.append(topic | {"claims": claims, "disputes": boxes})
    corrected = [claim for claim in portrait["corrected"] if claim["mark"]["glyph"] == stance]
    return {"topics": topics, "corrected": corrected}


def _linked(portrait: Json) -> Markup:
    """The thing in the words of schema.org, as JSON-LD that may stand in a page: nothing in it ends the element."""
    told = {"@context": SCHEMA, "@id": portrait["iri"], "name": portrait["name"], "description": portrait["lead"]["text"]}
    if portrait["aliases"]:
        told["alternateName"] = portrait["aliases"]
    text = orjson.dumps(told).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - what could end the element is escaped
