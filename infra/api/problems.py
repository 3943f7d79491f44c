"""Every error of the HTTP surface as RFC 9457 problem+json, from one table.

Knows which error of ours becomes which status and code. Does not know routes. Installed by app.py;
a route or middleware that refuses a request itself raises or sends `Refused`.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import Counter
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from agent.assistant import Overloaded
from agent.ledger import StaleEdit
from agent.turn import MessageRefused
from retrieval.index import IndexFailure
from tools.stores import (
    ConversationBusy,
    NotFound,
    QuotaExceeded,
    RecordTooLarge,
    StaleVersion,
    StoreFailure,
    StoreUnavailable,
    TurnSuperseded,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""Advice for failures that do not say themselves when to come back."""


class FieldProblem(BaseModel):
    """One thing wrong with the request."""

    pointer: str
    """Where: a JSON pointer into the body (#/message), or a parameter's name."""
    detail: str


class Problem(BaseModel):
    """An error, as RFC 9457 has it; `code` is stable and for programs, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] | None = None
    """For an invalid request: every field that is wrong."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an error of ours is over HTTP."""

    status: int
    code: str


TABLE: Mapping[type[Exception], Kind] = {
    NotFound: Kind(404, "not_found"),
    ConversationBusy: Kind(409, "conversation_busy"),
    StaleEdit: Kind(409, "stale_edit"),
    StaleVersion: Kind(409, "stale_version"),
    TurnSuperseded: Kind(409, "turn_superseded"),
    RecordTooLarge: Kind(413, "record_too_large"),
    MessageRefused: Kind(422, "message_refused"),
    QuotaExceeded: Kind(429, "quota_exceeded"),
    Overloaded: Kind(503, "overloaded"),
    StoreUnavailable: Kind(503, "store_unavailable"),
    StoreFailure: Kind(503, "store_failure"),
    IndexFailure: Kind(503, "index_unavailable"),
}
"""The most specific class of an error counts, so that a new subclass is never a 500."""


@dataclass
class Refused(Exception):
    """A request that the HTTP surface itself refuses."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: list[FieldProblem] | None = None

    def __str__(self) -> str:
        return self.detail


def response(refused: Refused) -> JSONResponse:
    """The answer to a refused request."""
    problem = Problem(
        type=f"urn:usher:problem:{refused.code}",
        title=HTTPStatus(refused.status).phrase,
        status=refused.status,
        detail=refused.detail,
        code=refused.code,
        errors=refused.errors,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=refused.status,
        headers=dict(refused.headers),
        media_type=MEDIA_TYPE,
    )


def translate(error: Exception) -> Refused:
    """Any error as what the client is told; what we did not expect tells nothing of the inside."""
    match error:
        case Refused():
            return error
        case RequestValidationError():
            return invalid(error.errors())
        case HTTPException():
            return _from_framework(error)
    for known in type(error).__mro__:
        if known in TABLE:
            return _from_table(error, TABLE[known])
    return Refused(500, "internal", "Something went wrong on our side; try again.")


def _from_table(error: Exception, kind: Kind) -> Refused:
    retry_after = getattr(error, "retry_after", RETRY_AFTER_S if kind.status == 503 else None)
    headers = {} if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
    code = error.code if isinstance(error, MessageRefused) else kind.code
    return Refused(kind.status, code, _sentence(str(error)), headers)


def _from_framework(error: HTTPException) -> Refused:
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    detail = {
        404: "There is nothing at this address.",
        405: "This address does not take this method.",
    }.get(error.status_code, _sentence(str(error.detail)))
    return Refused(error.status_code, code, detail, error.headers or {})


def invalid(errors: "list[ErrorDetails] | Any") -> Refused:
    """A 422 that names every wrong field and what it should be; never repeats the input."""
    found = [
        FieldProblem(pointer=_pointer(one["loc"]), detail=_sentence(one["msg"])) for one in errors
    ]
    summary = "; ".join(f"{one.pointer}: {one.detail}" for one in found[:3])
    return Refused(422, "invalid_request", f"The request is not valid. {summary}", {}, found)


def _pointer(location: tuple[int | str, ...]) -> str:
    if location and location[0] in ("query", "path", "header", "cookie"):
        return str(location[-1])
    return "#" + "".join(f"/{part}" for part in location)


def _sentence(text: str) -> str:
    text = text.removeprefix("Value error, ").strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def install(app: FastAPI, errors: Counter) -> None:
    """Answer every error of the app as a problem, and count it by code."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        refused = translate(error)
        errors.labels(refused.code).inc()
        if refused.status >= 500:
            log.error("%s %s: %s", request.method, request.url.path, error)
        return response(refused)

    for known in (*TABLE, Refused, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(known, handle)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


_MEANINGS = {
    400: "The body is not JSON, or a required header is missing.",
    401: "The bearer token is broken, expired or revoked; ask for a new one at /v1/sessions.",
    403: "A page of another origin tried to act with the visitor's cookie, or a session named a "
    "user_id.",
    404: "No such record, or it is somebody else's.",
    409: "Busy or stale: try again after Retry-After, or read the newer version first.",
    410: "The turn was lost with the process that ran it: send the message again.",
    413: "The body or the record is too large.",
    415: "The body is not application/json.",
    422: "A field is missing, unknown or wrong; `errors` names each.",
    429: "A quota is used up; try again after Retry-After.",
    503: "Too busy, or a store or the index cannot be used; try again after Retry-After.",
}
