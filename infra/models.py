"""A ChatModel over any provider: one retry loop, explicit time-outs, answers that are checked.

Knows when a call may be tried again (only before its first piece), how long it may take, how many
run at once, and how an object is got out of a model that may call a tool, write JSON as text or
write nonsense. Does not know a provider: a Transport sends one request (models_bedrock.py,
models_anthropic.py). Made by wiring.py.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from agent.model import (
    PASSING,
    Message,
    Meter,
    ModelFailure,
    Tokens,
    ToolCall,
    ToolSpec,
)

T = TypeVar("T", bound=BaseModel)

ANSWER = "answer"
"""The one tool that a structured call offers."""
SHOWN_BACK = 2000
"""Characters of a misfit answer that the model is shown when asked again."""
MAX_ANSWER_CHARS = 60_000
"""A longer answer is broken off: nothing we ask for comes near it."""
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A whole tool call with its arguments as the model wrote them: not always JSON."""

    id: str
    name: str
    arguments: str


Piece = str | CallPiece | Tokens


@dataclass(frozen=True, slots=True)
class Request:
    """What goes to a provider; messages are repaired already."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()


class Transport(Protocol):
    """Sends one request to one model of one provider, once."""

    @property
    def model_id(self) -> str:
        """The provider's name of the model."""
        ...

    def send(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The answer's pieces. Closing the generator closes the connection.

        Raises: ModelFailure.
        """
        ...


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How long and how often."""

    first_s: float = 6.0
    """Seconds until the first piece."""
    idle_s: float = 4.0
    """Seconds between two pieces."""
    attempts: int = 2
    """Sends of one request, as long as no piece has come."""
    backoff_s: float = 0.2


class Model:
    """A ChatModel: see the port in agent/model.py."""

    def __init__(
        self, transport: Transport, gate: asyncio.Semaphore, limits: CallLimits | None = None
    ) -> None:
        """Args: `gate` bounds the calls at once, over all models that share it."""
        self._transport = transport
        self._gate = gate
        self._limits = limits or CallLimits()

    @property
    def model_id(self) -> str:
        """The provider's name of the model."""
        return self._transport.model_id

    async def structured(
        self, messages: Sequence[Message], schema: type[T], meter: Meter | None = None
    ) -> T:
        """An object of `schema`. Raises: ModelFailure."""
        tool = ToolSpec(ANSWER, (schema.__doc__ or ANSWER).strip(), json_schema(schema))
        request = Request(repaired(messages), (tool,))
        said, problem = await self._answer(request, schema, meter)
        if isinstance(problem, BaseModel):
            return problem
        again = Message("user", f"That did not fit: {problem} Call the tool `{ANSWER}` now.")
        shown = Message("assistant", said[:SHOWN_BACK] or "(nothing)")
        request = replace(request, messages=(*request.messages, shown, again))
        said, problem = await self._answer(request, schema, meter)
        if isinstance(problem, BaseModel):
            return problem
        raise ModelFailure("malformed", f"{self.model_id} twice gave no usable {schema.__name__}")

    async def stream(
        self, messages: Sequence[Message], meter: Meter | None = None
    ) -> AsyncIterator[str]:
        """The answer's text as it comes. Raises: ModelFailure."""
        async with aclosing(self._pieces(Request(repaired(messages)), meter)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str) and piece:
                    yield piece

    async def call_tools(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], meter: Meter | None = None
    ) -> list[ToolCall]:
        """The tools that the model wants called. Raises: ModelFailure."""
        _, calls = await self._whole(Request(repaired(messages), tuple(tools)), meter)
        return [ToolCall(call.id, call.name, _arguments(call.arguments)) for call in calls]

    # --- one answer ---

    async def _answer(
        self, request: Request, schema: type[T], meter: Meter | None
    ) -> tuple[str, T | str]:
        """What the model wrote, and the object in it or what is wrong with it."""
        text, calls = await self._whole(request, meter)
        said = next((call.arguments for call in calls if call.name == ANSWER), text)
        found = _OBJECT.search(said)
        if found is None:
            return said, "there was no JSON object in it."
        try:
            return said, schema.model_validate_json(found.group(), strict=False)
        except ValidationError as error:
            first = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}"
                for one in error.errors(include_url=False, include_input=False)[:4]
            )
            return said, f"{first}."

    async def _whole(self, request: Request, meter: Meter | None) -> tuple[str, list[CallPiece]]:
        text: list[str] = []
        calls: list[CallPiece] = []
        async with aclosing(self._pieces(request, meter)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    text.append(piece)
                elif isinstance(piece, CallPiece):
                    calls.append(piece)
        return "".join(text), calls

    async def _pieces(
        self, request: Request, meter: Meter | None
    ) -> AsyncGenerator[str | CallPiece, None]:
        """The pieces of one answer; the request is sent again only while none has come."""
        for attempt in range(1, self._limits.attempts + 1):
            begun = False
            try:
                async with aclosing(self._once(request)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Tokens):
                            if meter is not None:
                                meter.add(self.model_id, piece)
                            continue
                        begun = True
                        yield piece
                return
            except ModelFailure as failure:
                hopeless = failure.kind not in PASSING or failure.kind == "timeout"
                if begun or hopeless or attempt == self._limits.attempts:
                    raise
            await asyncio.sleep(self._limits.backoff_s * attempt)

    async def _once(self, request: Request) -> AsyncGenerator[Piece, None]:
        """One send, with a time-out on every wait and a bound on its length."""
        length, wait_s = 0, self._limits.first_s
        async with self._gate, aclosing(self._transport.send(request)) as pieces:
            while True:
                try:
                    async with asyncio.timeout(wait_s):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise ModelFailure(
                        "timeout", f"{self.model_id} said nothing for {wait_s:g} s"
                    ) from None
                wait_s = self._limits.idle_s
                length += len(piece) if isinstance(piece, str) else 0
                if length > MAX_ANSWER_CHARS:
                    raise ModelFailure("malformed", f"{self.model_id} does not stop writing")
                yield piece


def _arguments(written: str) -> dict[str, Any]:
    """The arguments of a call; what is no JSON object is handed on so that checking it fails."""
    try:
        parsed = json.loads(written or "{}")
    except ValueError:
        return {"not_json": written[:200]}
    return parsed if isinstance(parsed, dict) else {"not_an_object": str(parsed)[:200]}


# --- what goes out --------------------------------------------------------------------------------


def repaired(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Messages as every provider takes them.

    System messages first; then no empty one, user and assistant in turn, the user first and last,
    every tool result after its call. One empty text block would make a provider refuse the whole
    conversation, now and for ever.
    """
    system = [m for m in messages if m.role == "system" and m.text.strip()]
    kept: list[Message] = []
    for message in messages:
        if message.role == "system":
            continue
        asked = {call.id for call in kept[-1].calls} if kept else set()
        results = tuple(r for r in message.results if r.call_id in asked)
        whole = replace(message, text=message.text.strip(), results=results)
        if not (whole.text or whole.calls or whole.results) or (not kept and whole.role != "user"):
            continue
        if kept and kept[-1].role == whole.role:
            kept[-1] = _merged(kept[-1], whole)
        else:
            kept.append(whole)
    while kept and kept[-1].role == "assistant":
        kept.pop()
    return (*system, *(kept or [Message("user", "(nothing was said)")]))


def _merged(a: Message, b: Message) -> Message:
    text = "\n".join(part for part in (a.text, b.text) if part)
    return Message(a.role, text, a.calls + b.calls, a.results + b.results)


@lru_cache
def json_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """The schema of a pydantic model without references and titles: small, for any model."""
    raw = schema.model_json_schema()
    definitions = raw.pop("$defs", {})

    def plain(node: Any) -> Any:
        if isinstance(node, list):
            return [plain(part) for part in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return plain(definitions[node["$ref"].rpartition("/")[2]])
        named = {key: plain(part) for key, part in node.get("properties", {}).items()}
        rest = {k: plain(v) for k, v in node.items() if k not in ("title", "properties")}
        return rest | ({"properties": named} if named else {})

    inlined: dict[str, Any] = plain(raw)
    inlined.pop("description", None)  # it is the tool's own description
    return inlined
