"""What one turn may ask of models: ladders, one deadline, budgets and what was spent.

Knows how much of a turn's time deciding, explaining and speaking may take, how many tokens a turn
and a person's day may cost, and what a token costs. Does not know prompts (model_decider.py,
speak.py, explanations.py) nor providers. Made by assistant.py for each turn.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from agent.ladder import Ladder
from agent.model import (
    ChatModel,
    Message,
    Meter,
    ModelFailure,
    Tokens,
    ToolCall,
    ToolSpec,
    asked,
)
from prompts.loader import load_prompt
from tools.stores import CacheStore, QuotaExceeded, QuotaStore, StoreFailure

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")
Kind = Literal["decide", "explain", "look_up", "respond"]

SHARES: Mapping[Kind, float] = {"decide": 0.45, "explain": 0.55, "look_up": 0.6, "respond": 0.95}
"""The part of the deadline that must not be over when a kind of call ends: the offline answer needs
the rest."""
CHARS_PER_TOKEN = 3.5
"""Typical of English and JSON; only what is set aside before a call depends on it."""
ANSWER_TOKENS = 400
"""Set aside for an answer before its length is known."""
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Price:
    """Of one model, in the operator's currency per million tokens."""

    input: float
    output: float
    cache_read: float = 0.0
    cache_write: float = 0.0

    def of(self, tokens: Tokens) -> float:
        """What these tokens cost."""
        return (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_read * self.cache_read
            + tokens.cache_write * self.cache_write
        ) / 1e6


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens that may be spent; what is over is answered offline."""

    turn_tokens: int = 40_000
    daily_tokens: int = 400_000


@dataclass(frozen=True)
class Models:
    """What all turns of a process share."""

    decide: Ladder
    respond: Ladder
    quotas: QuotaStore
    cache: CacheStore
    prices: Mapping[str, Price] = field(default_factory=dict)
    """By model id, exactly as set."""
    budget: Budget = field(default_factory=Budget)
    explain_s: float = 2.0
    """Seconds that cards may wait for reasons in a model's words; 0 keeps the templates."""
    now: Callable[[], float] = time.time

    def turn(self, principal: str, deadline_s: float) -> "ModelTurn":
        """For one turn that begins now."""
        return ModelTurn(self, principal, asyncio.get_running_loop().time(), deadline_s)


@dataclass
class ModelTurn:
    """Asks models on behalf of one turn; every method raises ModelFailure and nothing else."""

    models: Models
    principal: str
    began: float
    deadline_s: float
    meter: Meter = field(default_factory=Meter)
    notes: list[str] = field(default_factory=list)
    """What went otherwise than meant, in a few words each: `decide: throttled`."""
    degraded: bool = False
    """Whether a lesser answer was given than was meant."""
    shas: dict[str, str] = field(default_factory=dict)
    """{prompt id: sha} of the prompts used."""
    held: int = 0
    """Tokens taken from the day's and not used by a call yet; below 0, used and not taken."""

    def note(self, what: str, degrades: bool = True) -> None:
        """Remember that something went otherwise than meant."""
        self.degraded |= degrades
        if what not in self.notes:
            self.notes.append(what)

    def asked(self, prompt_id: str, **inputs: Any) -> tuple[Message, Message]:
        """A prompt as messages; its sha goes into the transcript."""
        prompt = load_prompt(prompt_id)
        self.shas[prompt.id] = prompt.sha
        return asked(prompt, **inputs)

    async def structured(
        self, kind: Kind, messages: Sequence[Message], schema: type[T]
    ) -> tuple[T, str]:
        """A checked object, and the id of the model that gave it."""

        async def ask(model: ChatModel) -> T:
            async with self._spending(messages):
                return await model.structured(messages, schema, self.meter)

        note = self.note if kind != "explain" else self._note_in_passing
        return await self._ladder(kind).ask(ask, self._until(kind), note)

    async def call_tools(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> list[ToolCall]:
        """The tools that a model wants called."""

        async def ask(model: ChatModel) -> list[ToolCall]:
            async with self._spending(messages):
                return await model.call_tools(messages, tools, self.meter)

        until, note = self._until("look_up"), self._note_in_passing
        calls, _ = await self._ladder("look_up").ask(ask, until, note)
        return calls

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """The answer's text."""
        async with self._spending(messages):
            ladder, until = self.models.respond, self._until("respond")
            async with aclosing(ladder.stream(messages, self.meter, until, self.note)) as pieces:
                async for piece in pieces:
                    yield piece

    def cost(self) -> float | None:
        """What the turn cost so far; None when a model has no price."""
        prices = self.models.prices
        spent = self.meter.by_model
        if not spent or any(model_id not in prices for model_id in spent):
            return None
        return round(sum(prices[model_id].of(tokens) for model_id, tokens in spent.items()), 6)

    # --- limits ---

    async def settle(self) -> None:
        """Give back what was taken and not used; once, when the turn has ended."""
        if self.held:
            with suppress(QuotaExceeded, StoreFailure):  # then it stays spent
                await self.take(-self.held)

    async def take(self, amount: int) -> None:
        """Of the person's tokens of today; a negative amount goes back. Raises: QuotaExceeded."""
        await self.models.quotas.take(
            self.principal,
            "model_tokens",
            limit=self.models.budget.daily_tokens,
            window_s=DAY_S,
            now=self.models.now(),
            amount=amount,
        )
        self.held += amount

    def _note_in_passing(self, what: str) -> None:
        """Without looked-up facts or a model's reasons, the answer is still what was meant."""
        self.note(what, degrades=False)

    def _ladder(self, kind: Kind) -> Ladder:
        return self.models.respond if kind == "respond" else self.models.decide

    def _until(self, kind: Kind) -> float:
        until = self.began + self.deadline_s * SHARES[kind]
        if kind == "explain":
            until = min(until, asyncio.get_running_loop().time() + self.models.explain_s)
        return until

    def _spending(self, messages: Sequence[Message]) -> "_Spending":
        return _Spending(self, sum(len(m.text) for m in messages))


class _Spending:
    """Sets tokens aside before a call and counts after it, whatever became of it."""

    def __init__(self, turn: ModelTurn, chars: int) -> None:
        self._turn = turn
        self._aside = round(chars / CHARS_PER_TOKEN) + ANSWER_TOKENS
        self._before = turn.meter.total.total

    async def __aenter__(self) -> None:
        turn = self._turn
        if self._before + self._aside > turn.models.budget.turn_tokens:
            raise ModelFailure("budget", "this turn has used up its tokens")
        if turn.held < self._aside:
            await self._hold()
        turn.held -= self._aside

    async def __aexit__(self, *_: object) -> None:
        spent = self._turn.meter.total.total - self._before
        if spent:  # without a count, what was set aside stays spent
            self._turn.held += self._aside - spent

    async def _hold(self) -> None:
        """Take what this call needs, and as much for the next: most turns ask twice."""
        turn = self._turn
        lacking = self._aside - turn.held
        try:
            await turn.take(lacking + self._aside)
        except QuotaExceeded:
            try:
                await turn.take(lacking)
            except QuotaExceeded as exceeded:
                raise ModelFailure("budget", str(exceeded)) from None
