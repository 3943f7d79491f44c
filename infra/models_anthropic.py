"""Anthropic's Messages API as a Transport.

Knows the SDK's client, its events and its errors. Does not know retries or schemas (models.py).
Imported by wiring on demand: the SDK costs 2 to 3 s. It is async by nature: closing the generator
closes the connection.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2

from agent.model import FailureKind, Message, ModelFailure, Tokens, ToolSpec
from infra.models import CallPiece, Piece, Request

CONNECT_S, READ_S = 3.0, 30.0
EPHEMERAL = {"type": "ephemeral"}


@dataclass(frozen=True, slots=True)
class AnthropicSettings:
    """How to reach the API; what is None is left to the SDK and its environment."""

    api_key: str | None = None
    base_url: str | None = None
    streams: int = 64
    max_tokens: int = 1500
    prompt_cache: bool = False


class Anthropic:
    """What all models share: one client with its connections."""

    def __init__(self, settings: AnthropicSettings) -> None:
        """Raises: ModelFailure when there is no key anywhere."""
        self.settings = settings
        self._http = anthropic.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(max_connections=settings.streams),
        )
        try:
            self.client = anthropic.AsyncAnthropic(
                api_key=settings.api_key,
                base_url=settings.base_url,
                max_retries=0,  # models.py tries again
                timeout=anthropic.Timeout(READ_S, connect=CONNECT_S),
                http_client=self._http,
            )
        except anthropic.AnthropicError as error:
            raise ModelFailure("denied", str(error)) from None
        found = (self.client.api_key, self.client.auth_token, self.client.credentials)
        if not any(found):  # the SDK itself would only say so at the first call, by a TypeError
            raise ModelFailure("denied", "no key was found")

    def model(self, model_id: str) -> "AnthropicTransport":
        """A model by its id."""
        return AnthropicTransport(self.client, model_id, self.settings)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


class AnthropicTransport:
    """One model of Anthropic's API."""

    def __init__(
        self, client: anthropic.AsyncAnthropic, model_id: str, settings: AnthropicSettings
    ) -> None:
        self._client = client
        self._model_id = model_id
        self._settings = settings

    @property
    def model_id(self) -> str:
        """As given."""
        return self._model_id

    async def send(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The answer's pieces. Raises: ModelFailure."""
        try:
            stream = await self._client.messages.create(
                model=self._model_id,
                max_tokens=self._settings.max_tokens,
                stream=True,
                **self._body(request),
            )
            async with stream:
                async for piece in _pieces(stream, self._model_id):
                    yield piece
        except (anthropic.AnthropicError, httpx2.HTTPError) as error:
            raise _failure(error, self._model_id) from None

    def _body(self, request: Request) -> dict[str, Any]:
        cached = {"cache_control": EPHEMERAL} if self._settings.prompt_cache else {}
        system = [{"type": "text", "text": m.text} for m in request.messages if m.role == "system"]
        body: dict[str, Any] = {
            "messages": [_message(m) for m in request.messages if m.role != "system"],
        }
        if system:
            body["system"] = [*system[:-1], system[-1] | cached]
        if request.tools:
            tools = [_tool(tool) for tool in request.tools]
            body["tools"] = [*tools[:-1], tools[-1] | cached]
        return body


def _tool(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": dict(tool.schema),
    }


def _message(message: Message) -> dict[str, Any]:
    content: list[dict[str, Any]] = [
        {
            "type": "tool_result",
            "tool_use_id": result.call_id,
            "content": result.text or "(nothing)",
            "is_error": result.failed,
        }
        for result in message.results
    ]
    content += [{"type": "text", "text": message.text}] if message.text else []
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
        for call in message.calls
    ]
    return {"role": message.role, "content": content}


async def _pieces(stream: Any, model_id: str) -> AsyncGenerator[Piece, None]:
    """Text as it comes, calls once they are whole, tokens at the end."""
    calls: dict[int, CallPiece] = {}
    tokens, whole = Tokens(), False
    async for event in stream:
        match event.type:
            case "message_start":
                tokens = _tokens(event.message.usage, output=0)
            case "content_block_start" if event.content_block.type == "tool_use":
                calls[event.index] = CallPiece(event.content_block.id, event.content_block.name, "")
            case "content_block_delta" if event.delta.type == "text_delta":
                yield event.delta.text
            case "content_block_delta" if event.delta.type == "input_json_delta":
                call = calls[event.index]
                written = call.arguments + event.delta.partial_json
                calls[event.index] = CallPiece(call.id, call.name, written)
            case "message_delta":
                tokens += Tokens(output=event.usage.output_tokens or 0)
            case "message_stop":
                whole = True
    if not whole:
        raise ModelFailure("broken", f"{model_id}: the stream ended before the message did")
    for call in calls.values():
        yield call
    yield tokens


def _tokens(usage: Any, output: int) -> Tokens:
    return Tokens(
        usage.input_tokens or 0,
        output,
        usage.cache_read_input_tokens or 0,
        usage.cache_creation_input_tokens or 0,
    )


def _failure(error: Exception, model_id: str) -> ModelFailure:
    kind: FailureKind = "broken"
    if isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException):
        kind = "timeout"
    elif isinstance(error, anthropic.APIConnectionError):
        kind = "refused"
    elif isinstance(error, anthropic.APIStatusError):
        status = error.status_code
        kind = "throttled" if status == 429 else "server" if status >= 500 else "denied"
    hint = "; see Models in the README" if kind == "denied" else ""
    return ModelFailure(kind, f"{model_id}: {type(error).__name__}{hint}")
