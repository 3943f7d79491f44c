"""The port ChatModel: what the agent asks of a language model, and the errors it must expect.

Knows messages, tools, tokens and the three ways to ask: for a checked object, for a stream of text,
for tool calls. Does not know any provider (infra/models_*.py), nor what is asked (model_decider.py,
speak.py, explanations.py). The judge and the simulated user of evals/ ask through it as well.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel

from prompts.loader import Prompt

T = TypeVar("T", bound=BaseModel)

FailureKind = Literal[
    "refused", "timeout", "throttled", "server", "broken", "denied", "malformed", "budget", "open"
]
"""refused: no connection; broken: cut in mid-stream; denied: key, model id or request is wrong;
malformed: the answer does not fit; budget: no tokens left; open: the breaker keeps calls away."""
PASSING: frozenset[FailureKind] = frozenset({"refused", "timeout", "throttled", "server", "broken"})
"""Kinds of failure that the same request may not meet again."""


class ModelFailure(Exception):
    """A model gave no usable answer; the message says what to do, never what the user wrote."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as offered to a model: its name, its docstring and the JSON schema of its input."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for; arguments are as it wrote them, not checked."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave back, as text for the model."""

    call_id: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Only prompts speak as `system`; user and catalogue text never does."""

    role: Literal["system", "user", "assistant"]
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message: the tools it called."""
    results: tuple[ToolResult, ...] = ()
    """Of a user's message: what those calls gave back."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens as the provider counted them."""

    input: int = 0
    """Without those read from or written to the prompt cache."""
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


@dataclass
class Meter:
    """Counts the tokens of one turn (or one trial) by model id."""

    by_model: dict[str, Tokens] = field(default_factory=dict)
    calls: int = 0

    def add(self, model_id: str, tokens: Tokens) -> None:
        """Count one call."""
        self.calls += 1
        self.by_model[model_id] = self.by_model.get(model_id, Tokens()) + tokens

    @property
    def total(self) -> Tokens:
        """Over all models."""
        return sum(self.by_model.values(), Tokens())


class ChatModel(Protocol):
    """One model of one provider. Every method raises ModelFailure and nothing else.

    Cancelling the awaiting task closes the connection to the provider.
    """

    @property
    def model_id(self) -> str:
        """The provider's opaque name of the model: never parsed."""
        ...

    async def structured(
        self, messages: Sequence[Message], schema: type[T], meter: Meter | None = None
    ) -> T:
        """An object of `schema`: checked, asked for once more if it does not fit."""
        ...

    def stream(self, messages: Sequence[Message], meter: Meter | None = None) -> AsyncIterator[str]:
        """The answer's text, piece by piece; never tried again once a piece was given out."""
        ...

    async def call_tools(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], meter: Meter | None = None
    ) -> list[ToolCall]:
        """The tool calls that the model asks for; none when it answers in text."""
        ...


def asked(prompt: Prompt, **inputs: Any) -> tuple[Message, Message]:
    """A prompt as messages: its own words as system, everything else as JSON data of the user."""
    return Message("system", prompt.text), Message("user", prompt.data(**inputs))
