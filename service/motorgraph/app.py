"""The application: FastAPI for the routes that people and harvesters read, an edge around it for what every request needs."""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from motorgraph import __version__, logs, openapi
from motorgraph.access import OPEN_PATHS, Access
from motorgraph.address import ROOTS
from motorgraph.bearer import Scope
from motorgraph.bodies import Bodies, Body
from motorgraph.catalogue.descriptions import Descriptions
from motorgraph.catalogue.stock import Stock
from motorgraph.choices import Choices
from motorgraph.documentation import Documentation
from motorgraph.doors import Doors
from motorgraph.duty.planner import Planner
from motorgraph.endpoints import FRAMEWORK_METHODS, Endpoint, allowed
from motorgraph.engine.answer import Answer, Head, payer
from motorgraph.errors import (
    Broken,
    Failed,
    MethodNotAllowed,
    NotFound,
    QuotaExceeded,
    Refusal,
    exhausted,
    is_exhausted,
)
from motorgraph.home import Home
from motorgraph.manual import Manual
from motorgraph.memento import Mementos
from motorgraph.metrics import Metrics
from motorgraph.pages import Pages
from motorgraph.protocol import Call, Receive, announces_body, is_clear, require_clear
from motorgraph.proxies import Proxies
from motorgraph.quotas import Quotas
from motorgraph.reply import CLIENT_LEFT, ClientLeft, Render, send_refusal
from motorgraph.resources import web
from motorgraph.responding import COMMON, PRIVATE, Responding
from motorgraph.routes.about import About
from motorgraph.routes.catalogue import ServiceDescription, described_at
from motorgraph.routes.changes import Changes
from motorgraph.routes.check import Check
from motorgraph.routes.cite import Cite
from motorgraph.routes.context import ContextDocument
from motorgraph.routes.correct import Correct
from motorgraph.routes.curate import Curate
from motorgraph.routes.dumps import Dumps
from motorgraph.routes.duty import ADDRESSES as DUTY
from motorgraph.routes.duty import Duty
from motorgraph.routes.explore import Explore
from motorgraph.routes.feed import Feed
from motorgraph.routes.graphs import Graphs
from motorgraph.routes.home import StartPage
from motorgraph.routes.manual import Docs
from motorgraph.routes.mcp import Mcp
from motorgraph.routes.memento import TimeGate, TimeMap
from motorgraph.routes.operation import operation_routes
from motorgraph.routes.questions import QuestionPages
from motorgraph.routes.reconcile import Reconcile
from motorgraph.routes.search import Search
from motorgraph.routes.sitemap import sitemap_at
from motorgraph.routes.sparql import Sparql
from motorgraph.routes.static import Static
from motorgraph.routes.terms import Terms
from motorgraph.routes.theme import Theme
from motorgraph.routes.things import Things
from motorgraph.routes.validate import Validate
from motorgraph.routes.vocabulary import VocabularyDocument
from motorgraph.routes.workbench import Workbench
from motorgraph.settings import MIB, Settings
from motorgraph.shapebook import ShapeBook
from motorgraph.status import Status
from motorgraph.stores.embedded import Embedded
from motorgraph.termbook import TermBook
from motorgraph.theme import without_conditions
from motorgraph.trying import Desk
from motorgraph.verbatim import Short, Verbatim

log = logging.getLogger("motorgraph.request")
SLOW_SECONDS = 1.0
ALWAYS = frozenset(["/health", "/ready", "/metrics"])  # answered where more are connected than may be, too
MOST_HEADS = 1024
REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


class Edge:
    """Around every request: its id, the headers that all answers have, refusals, CORS, metrics, the log.

    `endpoints` are the routes that stand before the framework's, by path; one that ends in a slash is for all that is below.
    """

    def __init__(
        self, inner: FastAPI, endpoints: Mapping[str, Endpoint], store: Embedded, metrics: Metrics, access: Access
    ) -> None:
        self._inner = inner
        self._render: Render = inner.state.render
        self._endpoints = endpoints
        sparql = endpoints["/sparql"]
        assert isinstance(sparql, Sparql)
        self._sparql = sparql
        self._metrics = metrics
        self._store = store
        self._logs_all = store.settings.access_log
        self._access = access
        self._common = [*COMMON, *PRIVATE] if access.protects_reads else COMMON
        self.quotas = Quotas.of(store.settings)
        self.proxies = Proxies(store.settings.trusted_proxies)
        self.verbatim = {by_proxy: Verbatim(store) for by_proxy in (False, True)}
        """Apart for what a trusted proxy has sent: the same bytes mean something else from there."""
        self.doors = metrics.doors = Doors(store.settings.connections, store.settings.client_seconds, store.settings.share)
        self.bodies = metrics.bodies = Bodies(store.settings.bodies_bytes * MIB)
        self._heads: dict[tuple[int, str, Head], bytes] = {}
        self._boot = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:  # Any: ASGI's own definition
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        call = without_conditions(Call.of(scope))
        common = self._common if self._access.protects(call) else COMMON
        response = Responding(send, self._id(call), common, self._store)
        token = logs.request_id.set(response.request_id)
        started = call.begun.asked if call.begun else time.monotonic()
        route = self._route(call)
        body = Body(self.bodies, call, receive, self._access.bearer_of) if announces_body(call) else None
        try:
            await self._answer(call, route, scope, body or receive, response)
        finally:
            if body is not None:
                body.let_go()
            self._finish(call, route, response.status, time.monotonic() - started)
            logs.request_id.reset(token)

    def begin(self, call: Call, key: str) -> Answer | None:
        """Has a reader begin to answer a GET of /sparql, to be ended by `short`, `leave` or a call that has it as `begun`.

        It spends the quotas of `key`. None for a request that is to go, and perhaps to be refused, the ordinary way.
        """
        if not is_clear(call) or (self._access.protects_reads and not self._access.admits(call)):
            return None
        if self.quotas is None:
            return self._sparql.begin(call)
        if self.quotas.taken(key) is None:
            return None
        token = payer.set(self.quotas.payer(key))
        try:
            answer = self._sparql.begin(call)
        finally:
            payer.reset(token)
        if answer is None:
            self.quotas.give_back(key)  # the ordinary way counts it
        return answer

    def short(self, call: Call, answer: Answer) -> Short | None:
        """The response to what was begun, if it is short; else None, and the request is to go the ordinary way.

        Most answers are short, and a task, its context and the layers above cost as much as such an answer itself.
        """
        found = self._sparql.short(answer)
        if found is None:
            return None
        status, body = found
        head = self._heads.get((status, answer.tag, answer.head)) or self._head(status, answer)
        if status != 304:
            head += b"content-length: %d\r\n" % len(body)
        return Short(call, answer.head.commit, status, head, body, answer.rows)

    def _head(self, status: int, answer: Answer) -> bytes:
        """The headers of a short response but for its length; the last are kept, since most answers have one of a few."""
        made = b"".join(b"%b: %b\r\n" % header for header in (*self._sparql.headers(answer), *self._common))
        if len(self._heads) >= MOST_HEADS:
            self._heads.clear()
        self._heads[status, answer.tag, answer.head] = made
        return made

    def told(self, call: Call, short: Short, seconds: float) -> bytes:
        """Counts and logs a response that is being sent, and gives it an id."""
        request_id = self._id(call)
        self._metrics.answer(short.rows, len(short.body))
        if self._logs_all or seconds > SLOW_SECONDS:
            token = logs.request_id.set(request_id)
            self._finish(call, call.path, short.status, seconds)
            logs.request_id.reset(token)
        else:
            self._metrics.request(call.path, call.method, short.status, seconds)
        return request_id.encode()

    def leave(self, call: Call, answer: Answer) -> None:
        """The client of what was begun has gone."""
        self._sparql.leave(answer)
        self._finish(call, call.path, CLIENT_LEFT, time.monotonic() - answer.asked)

    def key(self, call: Call, client: str) -> str:
        """Whose quotas a request from this address spends."""
        return Quotas.key(client, self._access.bearer_of(call))

    def _id(self, call: Call) -> str:
        given = call.headers.get(b"x-request-id", b"")
        return given.decode() if given and REQUEST_ID.fullmatch(given) else self.new_id()

    def new_id(self) -> str:
        """An id for a request that has brought none."""
        return f"{self._boot}-{next(self._numbers):x}"

    def _route(self, call: Call) -> str:
        """The key of the endpoint for a request, "" if the framework answers it."""
        if call.path in self._endpoints:
            return call.path
        below = call.path[: call.path.find("/", 1) + 1]
        return below if below in self._endpoints else ""

    async def _answer(
        self, call: Call, route: str, scope: MutableMapping[str, Any], receive: Receive, response: Responding
    ) -> None:
        try:
            self._count(call, response)
            self._admit(call)
            require_clear(call)
            if call.method == "OPTIONS":
                await response.send_options(allowed(self._endpoints.get(route), call))
                return
            if route:
                await self._endpoints[route](call, receive, response)
            else:
                await self._inner(scope, receive, response)  # type: ignore[arg-type]  # Starlette's aliases are wider
        except ClientLeft:
            response.status = CLIENT_LEFT
        except Broken as broken:
            self._metrics.broken += 1
            log.warning("the answer broke", extra={"why": str(broken)})
            response.breaks()
        except Refusal as refusal:
            await self._refuse(refusal, call, response)
        except Exception as error:  # noqa: BLE001  # the border of the service: it is logged, and told
            await self._refuse(_unforeseen(error), call, response)

    def _admit(self, call: Call) -> None:
        """Raises the refusal of a request that nothing is done for, whatever it asks."""
        if call.crowded is not None and call.path not in ALWAYS:
            raise call.crowded
        if call.method != "OPTIONS" and self._access.protects(call):
            self._access.require(call, Scope.READ)

    def _count(self, call: Call, response: Responding) -> None:
        """Has a request and its work spend the quotas of its client; what was begun has done so. Raises QuotaExceeded."""
        if self.quotas is None or call.path in OPEN_PATHS:
            return
        key = self.key(call, call.client)
        response.rated = partial(self.quotas.headers, key)
        payer.set(self.quotas.payer(key))  # until the task of the request ends
        if call.begun is None:
            self.quotas.require(key)
            self.quotas.take(key)

    async def _refuse(self, refusal: Refusal, call: Call, response: Responding) -> None:
        if self._store.elsewhere is not None:
            self._store.elsewhere.doubt(refusal)
        if isinstance(refusal, QuotaExceeded):
            self._metrics.over.update(refusal.members["violated-policies"])
        if response.status:
            response.breaks()
        await send_refusal(refusal, call, response, response.request_id, self._render)

    def _finish(self, call: Call, route: str, status: int, seconds: float) -> None:
        self._metrics.request(route.rstrip("/") or "page", call.method, status, seconds)
        if self._logs_all or seconds > SLOW_SECONDS or (status >= 500 and call.path != "/ready"):
            log.info(
                "request",
                extra={
                    "method": call.method,
                    "path": call.path,
                    "status": status,
                    "seconds": round(seconds, 4),
                },
            )


def _unforeseen(error: Exception) -> Refusal:
    """What to say of an error that is handled now and is nobody's refusal; the log has it."""
    if is_exhausted(error):
        log.warning("the machine gives no more", extra={"error": str(error)})
        return exhausted(error)
    log.exception("a fault of the service")
    return Failed("The service made a mistake. The request's id finds it in the log.")


def create_app(settings: Settings, store: Embedded | None = None) -> Edge:
    """The application for these settings. `store` is given by a caller that starts and closes it itself. Raises Failed."""
    metrics = Metrics()
    owned = store is None
    store = store or Embedded(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if owned:
            await store.start()
        yield
        if owned:
            await store.close()

    inner = FastAPI(
        title="motorgraph",
        version=__version__,
        description="Who builds whose cars, where, with whose technology, under which rules, and who says so.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    pages = Pages(store, settings)
    inner.include_router(operation_routes(store, metrics))
    framed = pages.router()
    inner.include_router(framed)
    inner.state.render = pages.written
    for kind in (HTTPException, Refusal):
        inner.add_exception_handler(kind, _refused)
    access = Access(settings)
    access.audit.open()
    mcp = Mcp(settings)
    docs = Docs(store, pages, Manual(lambda: inner.openapi(), settings.base))
    endpoints = _endpoints(settings, store, metrics, pages, access) | {"/mcp": mcp, "/docs": docs, "/docs/": docs}
    routes = [*inner.routes, *framed.routes]
    pages.addresses = frozenset([*endpoints, *(route.path for route in routes if isinstance(route, Route))])
    told = [endpoint.paths() for endpoint in dict.fromkeys(endpoints.values())]
    described = partial(openapi.described, inner, told, protects_reads=settings.protect_reads)
    inner.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    edge = Edge(inner, endpoints, store, metrics, access)
    mcp.serve(edge)
    return edge


def _endpoints(settings: Settings, store: Embedded, metrics: Metrics, pages: Pages, access: Access) -> dict[str, Endpoint]:
    """What answers before the framework, by path."""
    mementos = Mementos(store, settings.base)
    graphs, changes = Graphs(store, settings, access, mementos), Changes(store, settings, pages)
    documentation = Documentation(store, settings)
    terms = Terms(("ontology", "term"), TermBook(documentation, pages.page), documentation, store, mementos)
    shapes = Terms(("shapes", "shape"), ShapeBook(documentation, pages.page), documentation, store, mementos)
    planner = Planner(store)
    things = Things(store, settings, pages, mementos, planner)
    dumps = Dumps(store, pages.page)
    feed = Feed(store, settings, pages)
    reconcile = Reconcile(store, settings, pages)
    asked = QuestionPages(store, settings, pages)
    stock = Stock(store)
    descriptions = Descriptions(stock, store.dumps, settings, pages.questions.all)
    explore = Explore(store, settings, pages)
    desk, choices = Desk(store, access), Choices(store, documentation)
    endpoints: dict[str, Endpoint] = {
        "/sparql": Sparql(store, metrics, ServiceDescription(descriptions), access, Workbench(store, settings, pages)),
        "/sparql/check": Check(store, settings),
        "/sparql/vocabulary": VocabularyDocument(stock, settings, store),
        "/graphs": graphs,
        "/graphs/": graphs,
        "/changes": changes,
        "/graph/": graphs,
        "/changes/": changes,
        "/": StartPage(Home(store, settings, pages)),
        "/questions": asked,
        "/questions/": asked,
        "/explore": explore,
        "/explore/": explore,
        "/about": About(Status(store, settings, descriptions.stock, len(pages.questions.all)), pages),
        "/cite": Cite(store, settings, pages),
        "/theme": Theme(),
        **dict.fromkeys(DUTY, Duty(store, settings, pages, planner)),
        "/timegate/": TimeGate(store, settings, mementos),
        "/timemap/": TimeMap(store, settings, mementos),
        **dict.fromkeys(terms.addresses, terms),
        **dict.fromkeys(shapes.addresses, shapes),
        "/context.jsonld": ContextDocument(store, settings),
        **{f"/{root}/": things for root in (*ROOTS, "id", "data", "page")},
        "/dumps": dumps,
        "/dumps/": dumps,
        "/validate": Validate(store, settings, pages, documentation),
        "/validate/new": Curate(desk, pages, documentation, choices),
        "/validate/correct": Correct(desk, pages, documentation, choices),
        "/feed": feed,
        "/feed/": feed,
        "/version/": feed,
        "/search": Search(store, pages),
        "/reconcile": reconcile,
        "/reconcile/": reconcile,
        **described_at(descriptions, pages, store),
        **sitemap_at(store, descriptions.stock),
        "/static/": Static(web("static")),
    }
    descriptions.addresses = frozenset(endpoints)
    return endpoints


class _Refused(Response):
    """A refusal as a response of the framework."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(status_code=refusal.status)
        self._refusal = refusal

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's own definition
        await send_refusal(self._refusal, Call.of(scope), send, logs.request_id.get(), scope["app"].state.render)


async def _refused(request: Request, error: Exception) -> Response:
    """Our refusals from a route of the framework, and what the framework itself refuses (no such path, wrong method)."""
    if isinstance(error, Refusal):
        return _Refused(error)
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return _Refused(MethodNotAllowed(request.method, FRAMEWORK_METHODS))
    if error.status_code == 404:
        return _Refused(NotFound(f"There is nothing at {request.url.path}. The start page / says what there is."))
    return _Refused(Failed(str(error.detail)))
