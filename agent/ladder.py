"""The ladder of one kind of call: the model meant for it, then another, before doing without.

Knows when a model is given a rest (breaker), how much of the time each rung may use, and that a
stream is never begun anew once a piece of it was said. Does not know what is asked. Called by
model_turn.py; one ladder per kind of call and process.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar, cast

from agent.model import PASSING, ChatModel, Message, Meter, ModelFailure

T = TypeVar("T")
Note = Callable[[str], None]
"""Told in a few words what went wrong on the way down."""

OPENS_AFTER = 3
"""Failures in a row after which a model is left alone for a while."""
REST_S = 20.0


@dataclass
class Breaker:
    """Keeps calls away from a model that fails; after a rest, one call may try it."""

    failures: int = 0
    until: float = 0.0

    def lets_through(self, now: float) -> bool:
        """Whether a call may go out; the one after a rest closes the door behind itself."""
        if self.failures < OPENS_AFTER:
            return True
        if now < self.until:
            return False
        self.until = now + REST_S
        return True

    def record(self, failure: ModelFailure | None, now: float) -> None:
        """Count a failure that is the model's own; a success forgives all."""
        if failure is None:
            self.failures = 0
        elif failure.kind in PASSING:
            self.failures += 1
            self.until = now + REST_S


@dataclass
class Rung:
    """One model of a ladder; ladders may share it, and with it its breaker."""

    model: ChatModel
    breaker: Breaker = field(default_factory=Breaker)


@dataclass(frozen=True)
class Ladder:
    """Models to ask, the best suited first."""

    name: str
    rungs: Sequence[Rung]

    async def ask(
        self, ask: Callable[[ChatModel], Awaitable[T]], until: float, note: Note
    ) -> tuple[T, str]:
        """What the first model that answers gives, and its id. Raises: ModelFailure.

        `until` is when to give up, on the event loop's clock.
        """
        clock = asyncio.get_running_loop().time
        last = ModelFailure("open", f"no model for {self.name} is being asked at present")
        for left, rung in self._open(clock):
            try:
                async with asyncio.timeout_at(_share(clock(), until, left)):
                    answer = await ask(rung.model)
            except TimeoutError:
                last = ModelFailure("timeout", f"{rung.model.model_id} took too long")
            except ModelFailure as failure:
                last = failure
            else:
                rung.breaker.record(None, clock())
                return answer, rung.model.model_id
            rung.breaker.record(last, clock())
            note(f"{self.name}: {last.kind}")
            if last.kind == "budget":
                break
        raise last

    async def stream(
        self, messages: Sequence[Message], meter: Meter, until: float, note: Note
    ) -> AsyncGenerator[str, None]:
        """The text of the first model that begins to speak. Raises: ModelFailure.

        A failure after the first piece is raised: what was said cannot be unsaid.
        """
        clock = asyncio.get_running_loop().time
        last = ModelFailure("open", f"no model for {self.name} is being asked at present")
        for left, rung in self._open(clock):
            begun = False
            try:
                pieces = cast(AsyncGenerator[str, None], rung.model.stream(messages, meter))
                async with aclosing(pieces):
                    # The first piece decides; a later rung must still have its time.
                    wait_until = _share(clock(), until, left)
                    async for piece in _timed(pieces, wait_until, until):
                        begun = True
                        yield piece
                rung.breaker.record(None, clock())
                return
            except ModelFailure as failure:
                last = failure
            rung.breaker.record(last, clock())
            note(f"{self.name}: {last.kind}")
            if begun or last.kind == "budget":
                break
        raise last

    def _open(self, clock: Callable[[], float]) -> list[tuple[int, Rung]]:
        """The rungs that may be asked, each with the number of rungs left from it on."""
        rungs = [rung for rung in self.rungs if rung.breaker.lets_through(clock())]
        return [(len(rungs) - i, rung) for i, rung in enumerate(rungs)]


def _share(now: float, until: float, left: int) -> float:
    """When a rung's time is over: the last one has all that remains, others leave some."""
    remaining = max(0.0, until - now)
    return until if left == 1 else now + remaining * 0.6


async def _timed(
    pieces: AsyncGenerator[str, None], first_until: float, until: float
) -> AsyncGenerator[str, None]:
    limit = first_until
    while True:
        try:
            async with asyncio.timeout_at(limit):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ModelFailure("timeout", "the answer took too long") from None
        limit = until
        yield piece
