"""Servers that speak OpenAI's chat completions, as a Transport: llama.cpp, vLLM, Ollama and others.

Knows the wire format, what these servers leave out of it, and their errors. Does not know retries
or schemas (models.py). Imported by wiring on demand. Plain httpx, which LangGraph brings along: the
`openai` package would bring retries, types and tracing of its own for one POST and a few lines.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from agent.model import FailureKind, Message, ModelFailure, Tokens, ToolSpec
from infra.models import CallPiece, Piece, Request

CONNECT_S, READ_S = 3.0, 30.0
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class OpenAiSettings:
    """How to reach the server."""

    base_url: str
    """With its version: http://127.0.0.1:8080/v1."""
    api_key: str | None = None
    streams: int = 64
    max_tokens: int = 1500


class OpenAi:
    """What all models of one server share: a client with its connections."""

    def __init__(self, settings: OpenAiSettings) -> None:
        """Raises: ValueError when the address is none."""
        try:
            url = httpx.URL(settings.base_url)
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("it needs http:// or https:// and a host")
        key = settings.api_key
        self.settings = settings
        self.client = httpx.AsyncClient(
            base_url=f"{settings.base_url.rstrip('/')}/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=settings.streams),
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        )

    def model(self, model_id: str) -> "OpenAiTransport":
        """A model by the name that the server gives it."""
        return OpenAiTransport(self.client, model_id, self.settings.max_tokens)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


class OpenAiTransport:
    """One model of one server."""

    def __init__(self, client: httpx.AsyncClient, model_id: str, max_tokens: int) -> None:
        self._client = client
        self._model_id = model_id
        self._max_tokens = max_tokens

    @property
    def model_id(self) -> str:
        """As given."""
        return self._model_id

    async def send(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The answer's pieces. Raises: ModelFailure."""
        body: dict[str, Any] = {
            "model": self._model_id,
            "messages": [one for m in request.messages for one in _messages(m)],
            "max_tokens": self._max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        try:
            async with self._client.stream("POST", "chat/completions", json=body) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise _refused(answer.status_code, self._model_id)
                async for piece in pieces_of(answer, self._model_id):
                    yield piece
        except httpx.HTTPError as error:
            raise _failure(error, self._model_id) from None


# --- what goes out --------------------------------------------------------------------------------


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.schema),
    }
    return {"type": "function", "function": function}


def _messages(message: Message) -> list[dict[str, Any]]:
    """A message of ours as one or more of theirs: each result of a tool is a message of its own."""
    found: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": result.call_id, "content": result.text or "(nothing)"}
        for result in message.results
    ]
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
        }
        for call in message.calls
    ]
    if message.text or calls:
        said: dict[str, Any] = {"role": message.role, "content": message.text}
        found.append(said | ({"tool_calls": calls} if calls else {}))
    return found


# --- what comes back ------------------------------------------------------------------------------


async def pieces_of(answer: httpx.Response, model_id: str) -> AsyncGenerator[Piece, None]:
    """Text as it comes, calls once they are whole, tokens if the server counts them."""
    calls: dict[int, CallPiece] = {}
    tokens: Tokens | None = None
    whole = False
    async for line in answer.aiter_lines():
        if not line.startswith("data:"):
            continue  # comments keep the connection open; other fields are not used
        written = line.removeprefix("data:").strip()
        if written == DONE:
            whole = True
            break
        event = _event(written, model_id)
        tokens = _tokens(event.get("usage")) or tokens
        for choice in event.get("choices") or ():
            delta = choice.get("delta") or {}
            if delta.get("content"):
                yield delta["content"]
            for part in delta.get("tool_calls") or ():
                _gather(part, calls)
            whole |= bool(choice.get("finish_reason"))
    if not whole:
        raise ModelFailure("broken", f"{model_id}: the stream ended before the message did")
    for call in calls.values():
        yield call
    if tokens is not None:
        yield tokens


def _event(written: str, model_id: str) -> dict[str, Any]:
    try:
        event = json.loads(written)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ModelFailure("broken", f"{model_id}: an event of the stream is no JSON object")
    error = event.get("error")
    if error:  # 200 was sent before things went wrong
        code = error.get("code") if isinstance(error, dict) else None
        raise _refused(code if isinstance(code, int) else 500, model_id)
    return event


def _gather(part: Mapping[str, Any], calls: dict[int, CallPiece]) -> None:
    """Put the parts of tool calls together; a part without an index is a whole call."""
    at = part.get("index")
    index = at if isinstance(at, int) else len(calls)
    old = calls.get(index, CallPiece("", "", ""))
    function = part.get("function") or {}
    arguments: Any = function.get("arguments") or ""
    calls[index] = CallPiece(
        old.id or part.get("id") or f"call_{index}",
        old.name or function.get("name") or "",
        old.arguments + (arguments if isinstance(arguments, str) else json.dumps(arguments)),
    )


def _tokens(usage: Mapping[str, Any] | None) -> Tokens | None:
    """Cached tokens are counted into the prompt's; we keep them apart, they cost otherwise."""
    if not usage:
        return None
    read = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    fresh = (usage.get("prompt_tokens") or 0) - read
    return Tokens(max(0, fresh), usage.get("completion_tokens") or 0, cache_read=read)


def _refused(status: int, model_id: str) -> ModelFailure:
    kind: FailureKind = "throttled" if status == 429 else "server" if status >= 500 else "denied"
    hint = "; see Models in the README" if kind == "denied" else ""
    if status == httpx.codes.NOT_FOUND:
        hint = "; does it know this model, and does USHER_OPENAI_BASE_URL end as it should (/v1)?"
    return ModelFailure(kind, f"{model_id}: the server answered {status}{hint}")


def _failure(error: httpx.HTTPError, model_id: str) -> ModelFailure:
    kind: FailureKind = "broken"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        kind = "refused"
    elif isinstance(error, httpx.TimeoutException):
        kind = "timeout"
    return ModelFailure(kind, f"{model_id}: {type(error).__name__}")
