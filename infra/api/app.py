"""The HTTP surface as one app: walls, routes, the chat page and what OpenAPI says about them.

Knows how the parts are put together and what happens when the service stops. Does not know what a
route does. Called by the CLI's `serve` and by tests; the caller opens and closes the services.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from agent.events import EVENT
from infra.api import (
    catalogue,
    chat,
    feedback,
    health,
    interactions,
    problems,
    recommend,
    sessions,
)
from infra.api.callers import RequestQuota
from infra.api.guard import GuardMiddleware
from infra.settings import session_secret
from infra.wiring import Services

WIDGET = Path(__file__).parents[1] / "widget"
REFERENCE = "#/components/schemas/{model}"
TITLE = "Usher"
DESCRIPTION = (
    "A conversational movie recommender. Every `/v1` route acts for a session: the page's cookie, "
    "or `Authorization: Bearer` with a token of `POST /v1/sessions` or an API key. Errors are "
    "problem+json (RFC 9457)."
)


def create_app(services: Services) -> FastAPI:
    """The app on open services. Raises: SettingProblem when no session secret can be kept."""
    settings = services.settings
    signer = sessions.Signer(session_secret(settings))
    quota = RequestQuota.of(services)
    metrics = health.Metrics(services)
    streams = chat.Streams(services, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # uvicorn runs this exit only after every stream has ended: streams need to be told before.
        watcher = asyncio.create_task(_drain_when_told(streams, services))
        yield
        streams.stopping.set()
        await watcher

    # Swagger's page would load scripts from a foreign host; /openapi.json is there for any viewer.
    app = FastAPI(title=TITLE, lifespan=lifespan, docs_url=None, redoc_url=None)
    problems.install(app, metrics.errors)
    app.add_middleware(
        sessions.SessionMiddleware,
        signer=signer,
        keys=services.stores.keys,
        quota=quota,
        allowed_origins=settings.allowed_origins,
    )
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["Location", "Retry-After"],
        )
    app.add_middleware(
        GuardMiddleware, served_on=settings.host, allowed_hosts=settings.allowed_hosts
    )
    app.include_router(chat.router(services, streams))
    app.include_router(recommend.router(services, quota))
    app.include_router(feedback.router(services, quota))
    app.include_router(catalogue.router(services))
    app.include_router(interactions.router(services))
    app.include_router(sessions.router(signer, quota))
    app.include_router(health.router(services, metrics))
    _add_page(app)
    _add_openapi(app)
    return app


async def _drain_when_told(streams: chat.Streams, services: Services) -> None:
    await streams.stopping.wait()
    await services.assistant.drain(services.settings.drain_s)


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(WIDGET / "index.html")

    app.mount("/static", StaticFiles(directory=WIDGET), name="static")


def _add_openapi(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes
            )
            _complete(schema)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    """Add what FastAPI cannot see: our own bodies, problems, the event union, who may call."""
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    modes: list[tuple[Any, JsonSchemaMode]] = [
        (chat.ChatRequest, "validation"),
        (interactions.Interactions, "validation"),
        (recommend.RecommendRequest, "validation"),
        (feedback.Feedback, "validation"),
        (problems.Problem, "serialization"),
    ]
    schemas |= models_json_schema(modes, ref_template=REFERENCE)[1]["$defs"]
    union = EVENT.json_schema(mode="serialization", ref_template=REFERENCE)
    schemas |= union.pop("$defs")
    schemas["AnyEvent"] = union
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": sessions.COOKIE},
    }
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                # FastAPI expects it wherever there is a parameter; a text parameter is never wrong.
                del operation["responses"]["422"]
            if path.startswith("/v1/"):
                # Without any of them a new anonymous session begins.
                operation["security"] = [{"bearer": []}, {"cookie": []}, {}]
