"""Pages for people: the frame that all of them have, and those that tell what the service is and how to ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import PlainTextResponse, Response

from motorgraph import __version__, dates, marks
from motorgraph.bundle import Bundle
from motorgraph.inquiry import Inquiry
from motorgraph.protocol import Call
from motorgraph.questions import Questions
from motorgraph.reply import send_page
from motorgraph.resources import asset, tag_of, web
from motorgraph.settings import Settings
from motorgraph.stores.embedded import Embedded

THEIR_LICENCE = "LICENCE-name-suggestion-index-BSD-3-Clause.md"
START_WITH = ("60", "61", "63", "50", "66", "27")
"""The numbers of the questions that the query page shows."""
_CREDITS = """PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dcterms: <http://purl.org/dc/terms/>
SELECT ?credit ?licence ?rights {{ GRAPH <{base}/graph/reference> {{ ?dataset a dcat:Dataset ;
  dcterms:bibliographicCitation ?credit ; dcterms:rights ?rights . OPTIONAL {{ ?dataset dcterms:license ?licence }} }} }}
ORDER BY ?credit"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the frame of every page leads: the words of the link, what is there, and whether it tells of the shipped graph."""

    path: str
    words: str
    about: str = ""
    of_graph: bool = True


PLACES = (
    Place("/explore", "Explore", "Explore makers, plants and deals"),
    Place("/questions", "Questions", "Questions with their answers"),
    Place("/questions/duty", "Duty planner", "What duty a car pays, by where it is built"),
    Place("/sparql", "Query", "Ask in SPARQL", of_graph=False),
    Place("/validate", "Validate", "Check data against the shapes", of_graph=False),
    Place("/ontology", "Ontology", "The terms of the graph"),
    Place("/catalogue", "Data", "Take the data away", of_graph=False),
    Place("/changes", "Changes", "What was changed, when and why", of_graph=False),
    Place("/docs", "Docs", "How to use the service", of_graph=False),
)
"""The main navigation. What is at no address of the service is not shown."""
ENDINGS = (
    Place("/about", "About", "What runs here, its figures and limits", of_graph=False),
    Place("/licence", "Licences and credits", "What may be done with it, and whom to credit", of_graph=False),
    Place("/cite", "Cite", of_graph=False),
    Place("/dumps/", "Dumps", of_graph=False),
    Place("/feed", "Feed", of_graph=False),
    Place("/shapes", "Shapes", "What every write is judged by"),
    Place("/openapi.json", "API", "Every address, for programs: OpenAPI", of_graph=False),
)
"""What every page ends with."""


class Pages:
    """Everything that is read in a browser. `addresses` are those that the service answers, once they are known."""

    def __init__(self, store: Embedded, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._inquiry = Inquiry(store)
        self._bundle = Bundle(web("static") / "bundle")
        self.addresses: frozenset[str] = frozenset()
        self._environment = Environment(
            loader=FileSystemLoader(web("templates")),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"spoken": dates.spoken, "clock": dates.clock, "vague": dates.vague}
        self._environment.globals |= {"static": static, "offers": self.offers}
        self._environment.globals |= {"CONTESTED": marks.CONTESTED, "ACCEPTED": marks.ACCEPTED, "status": marks.status}

    def offers(self, path: str) -> bool:
        """Whether there is something at an address."""
        return path in self.addresses

    def places(self, wanted: Sequence[Place]) -> list[Place]:
        """Those of some places that this service has."""
        return [place for place in wanted if self.offers(place.path) and not (place.of_graph and self._settings.plain)]

    @cached_property
    def questions(self) -> Questions:
        """The questions that ship, with the base of this service; none in a plain store, which has no graph to ask them of."""
        return Questions(()) if self._settings.plain else Questions.shipped(self._settings.base)

    def router(self) -> APIRouter:
        """The routes of the pages."""
        router = APIRouter(include_in_schema=False)

        @router.api_route("/marks", methods=["GET", "HEAD"])
        async def meanings() -> Response:
            return await self._html("marks.html", meanings=marks.MEANINGS)

        @router.api_route("/licence", methods=["GET", "HEAD"])
        async def licence() -> Response:
            return await self._html("licence.html", credits=await self._rows(_CREDITS))

        @router.api_route("/licence/name-suggestion-index", methods=["GET", "HEAD"])
        async def their_licence() -> Response:
            return PlainTextResponse((asset("data") / "reference" / THEIR_LICENCE).read_text("utf-8"))

        return router

    async def _rows(self, query: str) -> list[dict[str, str]]:
        """The rows of a short query of our own; none while the graph is loading and in a plain store."""
        if self._settings.plain or not self._store.is_ready:
            return []
        return await self._inquiry.rows(query.format(base=self._settings.base))

    async def _html(self, template: str, **values: object) -> Response:
        return _Page(await self.page(template, **values))

    async def page(self, template: str, **values: object) -> bytes:
        """A page from its template, to be sent by `reply.send_page`; others are answered while it is made."""
        return await asyncio.to_thread(self.written, template, **values)

    def written(self, template: str, **values: object) -> bytes:
        """The same for who is in a thread of its own already."""
        text: str = self._environment.get_template(template).render(
            store=self._store,
            settings=self._settings,
            questions=self.questions.all,
            first=sorted((q for q in self.questions.all if q.number in START_WITH), key=lambda q: START_WITH.index(q.number)),
            version=__version__,
            bundle=self._bundle,
            places=self.places(PLACES),
            endings=self.places(ENDINGS),
            **values,
        )
        return text.encode()


class _Page(Response):
    """A page as a response of the framework."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self._page = page

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's own definition
        await send_page(send, Call.of(scope), self._page)


@lru_cache
def static(name: str) -> str:
    """The address of a static file, which changes with it: a browser may keep it for ever."""
    return f"/static/{name}?v={tag_of((web('static') / name).read_bytes())}"
