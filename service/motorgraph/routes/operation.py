"""`/health`, `/ready`, `/metrics`: for whoever keeps the service running."""

from __future__ import annotations

import os

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from motorgraph.engine.process import proportional_bytes
from motorgraph.metrics import Metrics
from motorgraph.stores.embedded import Embedded

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def operation_routes(store: Embedded, metrics: Metrics) -> APIRouter:
    """The routes, over this store and these metrics."""
    router = APIRouter(tags=["operation"])
    following = store.following
    if following is not None:
        metrics.follows = lambda: following.figures

    @router.head("/health", include_in_schema=False)
    @router.get("/health", summary="Whether the service is alive.")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

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

    return router


def _observe(store: Embedded, metrics: Metrics) -> None:
    metrics.deaths.set(store.pool.deaths)
    metrics.parked.set(store.pool.parked_total)
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
