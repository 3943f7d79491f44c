"""Reading a request's JSON body safely: size, encoding, depth and fields.

Knows limits and what is wrong with a body. Does not know what a body means. Called by the routes
through `json_body`; FastAPI's own reading would load any size and accept NaN and broken text.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from infra.api.problems import Refused, invalid

M = TypeVar("M", bound=BaseModel)

MAX_BODY_BYTES = 64 * 1024
"""A message has at most 2,000 characters and a batch 100 interactions: this is plenty."""


def json_body(model: type[M]) -> Any:
    """The dependency that reads the body as `model`; `documented_body` tells OpenAPI about it."""

    async def read(request: Request) -> M:
        content = await _content(request)
        try:
            return model.model_validate(parse(content))
        except ValidationError as error:
            raise invalid(error.errors(include_input=False, include_url=False)) from None

    reader: Callable[[Request], Awaitable[M]] = read
    return Depends(reader)


def documented_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes `model`; app.py adds the schema itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def _content(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "unsupported_media_type", "Send the body as application/json.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
        raise _too_large()
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise _too_large()
    return bytes(content)


def _too_large() -> Refused:
    # The rest of the body is never read, so the connection cannot be used again.
    return Refused(
        413,
        "body_too_large",
        f"The body is over the limit of {MAX_BODY_BYTES // 1024} KB; send less.",
        {"Connection": "close"},
    )


def parse(content: bytes) -> object:
    """JSON in UTF-8 with finite numbers. Raises: Refused."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(
            400, "not_utf8", f"The body is not UTF-8 text (byte {error.start}); encode it as UTF-8."
        ) from None
    try:
        value: object = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(400, "not_json", f"The body is not JSON: {error}.") from None
    if not _is_finite(value):
        raise Refused(400, "not_json", "The body holds a number that is too large.")
    return value


def _is_finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(one) for one in value.values())
    if isinstance(value, list):
        return all(_is_finite(one) for one in value)
    return not isinstance(value, float) or math.isfinite(value)
