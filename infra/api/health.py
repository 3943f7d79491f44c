"""Is it alive, is it ready, how is it doing: the routes for operators and what they count.

Knows the Prometheus metrics and which parts must answer before traffic may come. Does not know why
a turn took long. Mounted by app.py; chat.py reports every event that goes out.
"""

import asyncio
import time
from collections import OrderedDict
from typing import Literal

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel

from agent.events import ErrorEvent, Event, Recommendations, TurnFinished
from infra.wiring import Services
from retrieval.index import IndexFailure
from tools.stores import StoreFailure

PROBE_TIMEOUT_S = 2.0
REMEMBERED_TURNS = 10_000
"""How many finished turns are remembered, so that a turn read twice is counted once."""
LATENCY_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Metrics:
    """The numbers of one app, in a registry of their own."""

    def __init__(self, services: Services) -> None:
        self.registry = CollectorRegistry()
        self.errors = Counter(
            "usher_errors", "Refused requests and failed turns", ["code"], registry=self.registry
        )
        self._turns = Counter("usher_turns", "Finished turns", ["status"], registry=self.registry)
        self._first_event = self._latency("first_event", "Request to first event of its stream")
        self._cards = self._latency("cards", "Request to recommendations")
        running = Gauge("usher_turns_running", "Turns running now", registry=self.registry)
        running.set_function(lambda: services.assistant.running)
        self._finished: OrderedDict[str, None] = OrderedDict()

    def _latency(self, what: str, meaning: str) -> Histogram:
        return Histogram(
            f"usher_{what}_seconds", meaning, buckets=LATENCY_BUCKETS_S, registry=self.registry
        )

    def seen(self, event: Event, seconds: float | None) -> None:
        """An event goes out, so many seconds after its message came in; None when read again."""
        if seconds is not None and event.id == 1:
            self._first_event.observe(seconds)
        if seconds is not None and isinstance(event, Recommendations):
            self._cards.observe(seconds)
        if isinstance(event, ErrorEvent) and event.turn_id not in self._finished:
            self.errors.labels(event.code).inc()
        if isinstance(event, TurnFinished) and event.turn_id not in self._finished:
            self._turns.labels(event.status).inc()
            self._finished[event.turn_id] = None
            if len(self._finished) > REMEMBERED_TURNS:
                self._finished.popitem(last=False)


class Health(BaseModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether every part answers; a part says "ok" or what is wrong with it."""

    status: Literal["ready", "not ready"]
    checks: dict[str, str]


def router(services: Services, metrics: Metrics) -> APIRouter:
    """The routes, bound to the services."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def healthz() -> Health:
        """The process answers; nothing else is asked."""
        return Health()

    @routes.get("/readyz", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """Index and store answer, and the store can be written."""
        names = ("index", "store")
        found = await asyncio.gather(_probe_index(services), _probe_store(services))
        ready = all(result == "ok" for result in found)
        response.status_code = 200 if ready else 503
        return Readiness(
            status="ready" if ready else "not ready", checks=dict(zip(names, found, strict=True))
        )

    @routes.get("/metrics", response_class=Response)
    async def metrics_() -> Response:
        """Turns, latencies and errors in the Prometheus text format."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _probe_index(services: Services) -> str:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await services.index.revision()
    except (IndexFailure, TimeoutError) as error:
        return str(error) or f"no answer within {PROBE_TIMEOUT_S:g} s"
    return "ok"


async def _probe_store(services: Services) -> str:
    now = time.time()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await services.stores.cache.put("readyz", b"", expires_at=now + 60)
            await services.stores.cache.get("readyz", now=now)
    except (StoreFailure, TimeoutError) as error:
        return str(error) or f"no answer within {PROBE_TIMEOUT_S:g} s"
    return "ok"
