"""Feedback: the short form of `/v1/interactions`, for sites that want no chat.

Knows the body, and how a repeat without an `Idempotency-Key` is refused. Does not know what is
learned from it; interactions.py checks and keeps it. Mounted by app.py.
"""

import hashlib
import json
import time
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.api.bodies import documented_body, json_body
from infra.api.callers import Asking, RequestQuota, UserId
from infra.api.interactions import (
    Accepted,
    Id,
    Interactions,
    Key,
    SentInteraction,
    append,
    check_movies,
    check_value,
    keep_once,
)
from infra.api.problems import Refused, documented
from infra.wiring import Services
from tools.stores import InteractionKind, StaleVersion, StoreFailure

REPEAT_S = 60
"""How long the same feedback without a key is taken for a repeat, such as a double click."""


class Feedback(BaseModel):
    """One thing that a person did with a movie."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {"item_id": "us000291", "event": "like"},
                {"item_id": "us000291", "event": "rating", "value": 4.5},
                {"item_id": "us000291", "event": "watch", "value": 0.9, "user_id": "u-17"},
            ]
        },
    )

    item_id: Id
    event: InteractionKind
    value: float | None = Field(default=None)
    """Needed for rating (0.5 to 5), watch (share watched, 0 to 1) and swipe (-1 or 1) only."""
    user_id: UserId | None = None

    @model_validator(mode="after")
    def _check_as_interaction(self) -> "Feedback":
        check_value(self.event, self.value)
        return self

    def interactions(self) -> Interactions:
        """The same in the long form."""
        sent = SentInteraction(kind=self.event, movie_id=self.item_id, value=self.value)
        return Interactions(interactions=[sent])


def router(services: Services, quota: RequestQuota) -> APIRouter:
    """The route, bound to the services."""
    routes = APIRouter(prefix="/v1", tags=["plain"])

    @routes.post(
        "/feedback",
        status_code=202,
        responses=documented(400, 401, 403, 409, 413, 415, 422, 429, 503),
        openapi_extra=documented_body(Feedback),
    )
    async def feedback(
        caller: Asking,
        response: Response,
        sent: Annotated[Feedback, json_body(Feedback)],
        idempotency_key: Key = None,
    ) -> Accepted:
        """Keep what a person did with a movie; the next list knows it.

        With an `Idempotency-Key` a repeat gets the same answer and stores nothing twice, for 24
        hours. Without one, the same feedback is refused (409) for 60 seconds.
        """
        principal = caller.acting_for(sent.user_id)
        await caller.admit(quota)
        if idempotency_key is None:
            await _keep_unless_repeated(services, principal, sent)
        elif await keep_once(services, principal, idempotency_key, sent.interactions()):
            response.headers["Idempotency-Replayed"] = "true"
        return Accepted(accepted=1)

    return routes


async def _keep_unless_repeated(services: Services, principal: str, sent: Feedback) -> None:
    """One conditional write decides, so that of two at once one is refused."""
    interactions, now, cache = sent.interactions(), time.time(), services.stores.cache
    await check_movies(services, interactions)
    same = json.dumps([principal, sent.item_id, sent.event, sent.value])
    digest = hashlib.sha256(same.encode("utf-8", "surrogatepass")).hexdigest()
    key = f"feedback:{digest}"
    try:
        await cache.put_if_version(
            key, b"", version=0, expires_at=now + REPEAT_S, now=now, owner=principal
        )
    except StaleVersion:
        raise Refused(
            409,
            "repeated",
            f"The same feedback came less than {REPEAT_S} s ago. If it is meant, send it with an "
            "Idempotency-Key header.",
            {"Retry-After": str(REPEAT_S)},
        ) from None
    try:
        await append(services, principal, f"{key}.{now:.6f}", interactions)
    except StoreFailure:
        # Nothing was kept: whoever sends it again must not be taken for a repeat.
        await cache.put(key, b"", expires_at=now, owner=principal)
        raise
