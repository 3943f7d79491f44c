"""The ladder by itself: breakers, time shares, and a stream that is never begun twice."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from agent.ladder import OPENS_AFTER, REST_S, Breaker, Ladder, Rung
from agent.model import FailureKind, Message, Meter, ModelFailure, T, ToolCall, ToolSpec

HELLO = (Message("user", "hello"),)


class Scripted:
    """A model of this process that says its pieces, then fails if it should."""

    def __init__(
        self, model_id: str, *pieces: str, fails: FailureKind | None = None, wait_s: float = 0
    ) -> None:
        self.model_id = model_id
        self.pieces, self.fails, self.wait_s = pieces, fails, wait_s
        self.asked = 0

    async def stream(
        self, messages: Sequence[Message], meter: Meter | None = None
    ) -> AsyncIterator[str]:
        self.asked += 1
        await asyncio.sleep(self.wait_s)
        for piece in self.pieces:
            yield piece
        if self.fails:
            raise ModelFailure(self.fails, "scripted")

    async def structured(
        self, messages: Sequence[Message], schema: type[T], meter: Meter | None = None
    ) -> T:
        raise NotImplementedError

    async def call_tools(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], meter: Meter | None = None
    ) -> list[ToolCall]:
        raise NotImplementedError


async def streamed(ladder: Ladder, seconds: float = 1.0) -> tuple[str, list[str]]:
    notes: list[str] = []
    until = asyncio.get_running_loop().time() + seconds
    said = ""
    try:
        async for piece in ladder.stream(HELLO, Meter(), until, notes.append):
            said += piece
    except ModelFailure as failure:
        notes.append(f"raised {failure.kind}")
    return said, notes


def ladder(*models: Scripted) -> Ladder:
    return Ladder("respond", [Rung(model) for model in models])


async def test_the_next_rung_speaks_when_the_first_says_nothing() -> None:
    first, second = Scripted("a", fails="throttled"), Scripted("b", "hello")
    assert await streamed(ladder(first, second)) == ("hello", ["respond: throttled"])


async def test_nothing_is_begun_again_after_the_first_piece() -> None:
    first, second = Scripted("a", "hel", fails="broken"), Scripted("b", "hello")
    said, notes = await streamed(ladder(first, second))
    assert said == "hel" and notes == ["respond: broken", "raised broken"] and second.asked == 0


async def test_a_slow_rung_leaves_time_for_the_next() -> None:
    slow, quick = Scripted("a", "late", wait_s=5), Scripted("b", "hello")
    assert await streamed(ladder(slow, quick), 0.5) == ("hello", ["respond: timeout"])
    assert await streamed(ladder(slow, slow), 0.3) == (
        "",
        ["respond: timeout"] * 2 + ["raised timeout"],
    )


async def test_a_used_up_budget_asks_nobody_else() -> None:
    first, second = Scripted("a", fails="budget"), Scripted("b", "hello")
    assert (await streamed(ladder(first, second)))[1] == ["respond: budget", "raised budget"]
    assert second.asked == 0


async def test_a_model_that_fails_is_left_alone() -> None:
    failing = Scripted("a", fails="server")
    steps = ladder(failing)
    for _ in range(OPENS_AFTER + 3):
        await streamed(steps)
    assert failing.asked == OPENS_AFTER
    assert (await streamed(steps))[1] == ["raised open"]


@pytest.mark.parametrize(("kind", "opens"), [("server", True), ("malformed", False)])
def test_only_failures_of_the_model_itself_count(kind: FailureKind, opens: bool) -> None:
    breaker = Breaker()
    for _ in range(OPENS_AFTER):
        breaker.record(ModelFailure(kind, ""), now=10.0)
    assert breaker.lets_through(11.0) is not opens


def test_after_a_rest_one_call_may_try() -> None:
    breaker = Breaker()
    for _ in range(OPENS_AFTER):
        breaker.record(ModelFailure("server", ""), now=0.0)
    assert not breaker.lets_through(REST_S - 1)
    assert breaker.lets_through(REST_S + 1) and not breaker.lets_through(REST_S + 1)
    breaker.record(None, REST_S + 2)
    assert breaker.lets_through(REST_S + 2) and breaker.lets_through(REST_S + 2)
