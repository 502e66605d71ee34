"""`/health`, `/ready`, `/metrics`: for whoever keeps the service running; where to report its weaknesses."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from motorgraph.access import SECURITY_TXT
from motorgraph.engine.process import proportional_bytes
from motorgraph.metrics import Metrics
from motorgraph.protocol import Call
from motorgraph.routes.catalogue import origin
from motorgraph.stores.embedded import Embedded

GOOD_FOR_DAYS = 90
EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def operation_routes(store: Embedded, metrics: Metrics) -> APIRouter:
    """The routes, over this store and these metrics."""
    router = APIRouter(tags=["operation"])
    following = store.following
    if following is not None:
        metrics.follows = lambda: following.figures

    @router.head("/health", include_in_schema=False)
    @router.get("/health", summary="Whether the service is alive.")
    async def health() -> Response:
        return JSONResponse({"status": "alive"})  # of another type FastAPI would make a model, and import two pydantics for it

    @router.head("/ready", include_in_schema=False)
    @router.get("/ready", summary="Whether the graph is loaded and queries are answered; 503 until then.")
    async def ready() -> Response:
        is_ready = store.is_ready
        state: dict[str, object] = {"status": store.stage, "commit": store.commit, "readers": store.pool.running}
        state |= store.elsewhere.state if store.elsewhere is not None else {}
        if following is not None:
            state["following"] = following.state
            if following.fault:
                state["status"], is_ready = "diverged", False
        return JSONResponse(state, 200 if is_ready else 503, None if is_ready else {"Retry-After": "2"})

    @router.head("/metrics", include_in_schema=False)
    @router.get("/metrics", summary="Figures for Prometheus.", response_class=Response)
    def scraped() -> Response:
        _observe(store, metrics)
        return Response(metrics.text(), media_type=EXPOSITION)

    if store.settings.security_contact:
        router.include_router(_contact_route(store.settings.security_contact))
    return router


def _contact_route(contact: str) -> APIRouter:
    """Where to report weaknesses, for a service that has somebody to report them to."""
    router = APIRouter()

    @router.head(SECURITY_TXT, include_in_schema=False)
    @router.get(SECURITY_TXT, summary="Where to report weaknesses (RFC 9116).", response_class=PlainTextResponse)
    def security_txt(request: Request) -> str:
        return _security_txt(contact, origin(Call.of(request.scope)))

    return router


def _security_txt(contact: str, address: str) -> str:
    """Who is asked today still answers in some months, as far as this service can say; so it says it anew each day."""
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=GOOD_FOR_DAYS)
    lines = [f"Contact: {contact}", f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}", f"Policy: {address}/docs/security"]
    return "\n".join([*lines, ""])


def _observe(store: Embedded, metrics: Metrics) -> None:
    metrics.deaths.set(store.pool.deaths)
    metrics.parked.set(store.pool.parked_total)
    metrics.counted.set(store.pool.counted_total)
    metrics.hits.set(store.kept.hits)
    metrics.misses.set(store.kept.misses)
    metrics.kept.set(store.kept.bytes)
    metrics.queue.set(store.pool.queue)
    metrics.writes.set(store.turns.waiting)
    metrics.readers.set(store.pool.running)
    metrics.commit.set(store.commit)
    if store.elsewhere is not None:
        metrics.astray.set(store.elsewhere.astray)
    metrics.triples.clear()
    for graph, count in store.triples.items():
        metrics.triples.labels(graph or "default").set(count)
    for part, size in {"front": proportional_bytes(os.getpid()), **store.memory()}.items():
        metrics.memory.labels(part).set(size)
