"""What people do with movies: liked, seen, not for me, rated, watched.

Knows what a sent interaction must look like and makes repeated sends harmless. Does not know what
is learned from it. Mounted by app.py.
"""

import hashlib
import json
import time
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.api.bodies import documented_body, json_body
from infra.api.problems import FieldProblem, Refused, documented
from infra.api.sessions import Principal
from infra.wiring import Services
from tools.stores import Interaction, InteractionKind

KEY_LIFETIME_S = 24 * 3600
"""How long a key is remembered with its payload; published in the route's description."""
MAX_INTERACTIONS = 100

Id = Annotated[str, Field(min_length=1, max_length=100)]
_RANGES = {"rating": (0.5, 5.0), "watch": (0.0, 1.0), "swipe": (-1.0, 1.0)}


def check_value(kind: InteractionKind, value: float | None) -> None:
    """Refuse a value that does not belong to the kind. Raises: ValueError."""
    wanted = _RANGES.get(kind)
    if wanted is None and value is not None:
        raise ValueError(f"{kind} takes no value")
    if wanted is not None:
        low, high = wanted
        if value is None or not low <= value <= high:
            raise ValueError(f"{kind} needs a value from {low:g} to {high:g}")
    if kind == "swipe" and value not in (-1, 1):
        raise ValueError("swipe needs the value -1 or 1")


class SentInteraction(BaseModel):
    """One thing that the person did with a movie."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: InteractionKind
    movie_id: Id
    value: float | None = None
    """Needed for rating (0.5 to 5), watch (share watched, 0 to 1) and swipe (-1 or 1) only."""
    conversation_id: Id | None = None
    turn_id: Id | None = None

    @model_validator(mode="after")
    def _check_value(self) -> "SentInteraction":
        check_value(self.kind, self.value)
        return self


class Interactions(BaseModel):
    """Up to 100 interactions; a single one may also be sent bare."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interactions: list[SentInteraction] = Field(min_length=1, max_length=MAX_INTERACTIONS)

    @model_validator(mode="before")
    @classmethod
    def _wrap_single(cls, sent: object) -> object:
        bare = isinstance(sent, dict) and "interactions" not in sent
        return {"interactions": [sent]} if bare else sent


Sent = Annotated[Interactions, json_body(Interactions)]


class Accepted(BaseModel):
    """How many interactions are kept; the same answer for every repeat of the key."""

    accepted: int


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any unique text; sending again with the same key and body changes nothing.",
    ),
]


def router(services: Services) -> APIRouter:
    """The route, bound to the services."""
    routes = APIRouter(prefix="/v1", tags=["interactions"])

    @routes.post(
        "/interactions",
        responses=documented(400, 401, 403, 413, 415, 422, 429, 503),
        openapi_extra=documented_body(Interactions),
    )
    async def keep(
        principal: Principal,
        response: Response,
        sent: Sent,
        idempotency_key: Key = None,
    ) -> Accepted:
        """Keep what the person did. All are kept or none.

        `Idempotency-Key` is required and remembered for 24 hours: the same key with the same body
        gets the same answer and stores nothing twice, with another body it is refused (422).
        """
        if idempotency_key is None:
            raise Refused(
                400,
                "key_missing",
                "Send an Idempotency-Key header: any text unique to this request.",
            )
        if await keep_once(services, principal, idempotency_key, sent):
            response.headers["Idempotency-Replayed"] = "true"
        return Accepted(accepted=len(sent.interactions))

    return routes


async def keep_once(services: Services, principal: str, key: str, sent: Interactions) -> bool:
    """Keep what was sent with a key; True when the same was sent with it before.

    Raises: Refused for an unknown movie, or for a key that came with another body.
    """
    digest = hashlib.sha256(sent.model_dump_json().encode()).hexdigest()
    if await _is_repeat(services, principal, key, digest):
        return True
    await check_movies(services, sent)
    await append(services, principal, f"{key}.{digest[:16]}", sent)
    await _remember(services, principal, key, digest)
    return False


def _cache_key(key: str) -> str:
    return f"idempotency:{key}"


async def _is_repeat(services: Services, principal: str, key: str, digest: str) -> bool:
    kept = await services.stores.cache.get(_cache_key(key), now=time.time(), owner=principal)
    if kept is None:
        return False
    if json.loads(kept)["digest"] != digest:
        raise Refused(
            422,
            "key_reused",
            "This Idempotency-Key was used with another body: use a new key for a new request.",
        )
    return True


async def _remember(services: Services, principal: str, key: str, digest: str) -> None:
    await services.stores.cache.put(
        _cache_key(key),
        json.dumps({"digest": digest}).encode(),
        expires_at=time.time() + KEY_LIFETIME_S,
        owner=principal,
    )


async def append(services: Services, principal: str, key: str, sent: Interactions) -> None:
    """The store's key holds the digest, so a repeat is harmless even if the cache forgot it."""
    now = time.time()
    await services.toolbox.record(
        principal,
        [
            Interaction(
                key=f"{key}.{n}",
                kind=one.kind,
                movie_id=one.movie_id,
                at=now,
                value=one.value,
                conversation_id=one.conversation_id,
                turn_id=one.turn_id,
            )
            for n, one in enumerate(sent.interactions)
        ],
    )


async def check_movies(services: Services, sent: Interactions) -> None:
    known = await services.index.get([one.movie_id for one in sent.interactions])
    unknown = [
        FieldProblem(
            pointer=f"#/interactions/{n}/movie_id", detail=f"There is no movie {one.movie_id!r}."
        )
        for n, one in enumerate(sent.interactions)
        if one.movie_id not in known
    ]
    if unknown:
        raise Refused(422, "unknown_movie", unknown[0].detail, {}, unknown)
