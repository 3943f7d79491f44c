"""What every ChatModel must do, whoever the provider is: one class, run over all adapters.

Subclasses give `make`; the provider is the fake of fake_bedrock.py in its own process.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent.model import ChatModel, Message, Meter, ModelFailure, Tokens, ToolResult, ToolSpec
from faking import LARGE, FakeBedrock
from infra.models import CallLimits

LIMITS = CallLimits(first_s=2.4, idle_s=1.0, backoff_s=0.01)
HELLO = (Message("system", "You are kind."), Message("user", "hello"))
CLOSED_WITHIN_S = 0.25


class Mood(BaseModel):
    """A mood with its strength."""

    name: str
    strength: int = Field(ge=0, le=3)


GOOD = {"tools": [{"name": "answer", "input": {"name": "calm", "strength": 2}}]}
DETAILS = ToolSpec("details", "Facts of a film.", {"type": "object", "properties": {}})


class ModelContract:
    """The behaviour of the port."""

    @pytest.fixture
    def model(self, bedrock: FakeBedrock) -> ChatModel:
        raise NotImplementedError

    async def text(self, model: ChatModel, meter: Meter | None = None) -> str:
        return "".join([piece async for piece in model.stream(HELLO, meter)])

    async def failure(self, model: ChatModel) -> str:
        with pytest.raises(ModelFailure) as raised:
            await self.text(model)
        return raised.value.kind

    async def test_streams_text_and_counts_tokens(
        self, bedrock: FakeBedrock, model: ChatModel
    ) -> None:
        usage = {"inputTokens": 9, "outputTokens": 4, "cacheReadInputTokens": 5}
        bedrock.script({"text": "Grüße, 你好!", "piece": 2, "usage": usage})
        meter = Meter()
        pieces = [piece async for piece in model.stream(HELLO, meter)]
        assert "".join(pieces) == "Grüße, 你好!" and len(pieces) > 3 and all(pieces)
        assert meter.by_model == {LARGE: Tokens(9, 4, cache_read=5)} and meter.calls == 1

    async def test_returns_a_checked_object(self, bedrock: FakeBedrock, model: ChatModel) -> None:
        bedrock.script(GOOD)
        assert await model.structured(HELLO, Mood) == Mood(name="calm", strength=2)
        (body,) = bedrock.bodies(LARGE)
        assert "toolChoice" not in str(body) and "tool_choice" not in body
        assert "temperature" not in str(body)

    async def test_finds_the_object_in_plain_text(
        self, bedrock: FakeBedrock, model: ChatModel
    ) -> None:
        bedrock.script({"text": 'Sure!\n```json\n{"name": "calm", "strength": 1}\n```'})
        assert (await model.structured(HELLO, Mood)).strength == 1

    @pytest.mark.parametrize(
        "first",
        [
            {"text": "I feel calm today."},
            {"text": ""},
            {"text": '{"name": "calm", "strength": 9}'},
            {"tools": [{"name": "answer", "raw": '{"name": "calm", '}]},
            {"tools": [{"name": "answer", "input": {"nome": "calm"}}]},
        ],
        ids=["prose", "empty", "out of range", "broken JSON", "wrong fields"],
    )
    async def test_repairs_once(
        self, bedrock: FakeBedrock, model: ChatModel, first: dict[str, object]
    ) -> None:
        bedrock.script(first, GOOD)
        assert (await model.structured(HELLO, Mood)).strength == 2
        assert [len(told(body)) for body in bedrock.bodies(LARGE)] == [1, 3]
        bedrock.reset()
        bedrock.script(first, first, GOOD)
        with pytest.raises(ModelFailure) as raised:
            await model.structured(HELLO, Mood)
        assert raised.value.kind == "malformed" and len(bedrock.log) == 2

    async def test_calls_tools_in_parallel(self, bedrock: FakeBedrock, model: ChatModel) -> None:
        tools = [
            {"name": "details", "input": {"film": "Heat"}},
            {"name": "details", "raw": ""},
            {"name": "details", "raw": "[broken"},
        ]
        bedrock.script({"text": "Let me look.", "tools": tools})
        calls = await model.call_tools(HELLO, [DETAILS])
        assert [call.name for call in calls] == ["details"] * 3
        assert calls[0].arguments == {"film": "Heat"} and calls[1].arguments == {}
        assert calls[2].arguments == {"not_json": "[broken"}
        assert len({call.id for call in calls}) == 3
        bedrock.script({"text": "No need."})
        assert await model.call_tools(HELLO, [DETAILS]) == []

    async def test_hands_results_back(self, bedrock: FakeBedrock, model: ChatModel) -> None:
        bedrock.script({"tools": [{"name": "details", "input": {"film": "Heat"}}]})
        calls = await model.call_tools(HELLO, [DETAILS])
        results = (ToolResult(calls[0].id, "170 minutes"),)
        said = (Message("assistant", calls=tuple(calls)), Message("user", results=results))
        bedrock.script({"text": "Enough."})
        assert await model.call_tools((*HELLO, *said), [DETAILS]) == []
        sent = str(bedrock.bodies(LARGE)[1]["messages"])
        assert "170 minutes" in sent and sent.count(calls[0].id) == 2

    @pytest.mark.parametrize(
        ("step", "kind"),
        [
            ({"fault": "refuse"}, "any"),
            ({"status": 429}, "throttled"),
            ({"status": 500}, "server"),
            ({"status": 503}, "server"),
            ({"fault": "exception", "after": 0}, "throttled"),
        ],
        ids=["reset", "429", "500", "503", "in the stream"],
    )
    async def test_tries_again_before_the_first_piece(
        self, bedrock: FakeBedrock, model: ChatModel, step: dict[str, object], kind: str
    ) -> None:
        if kind == "throttled" and "fault" in step and not tells_inside(model):
            pytest.skip("Anthropic's stream tells no such errors")
        bedrock.script(step, {"text": "Here I am."})
        assert await self.text(model) == "Here I am."
        bedrock.script(step, step, {"text": "Too late."})
        assert await self.failure(model) in ((kind,) if kind != "any" else ("refused", "broken"))
        assert len(bedrock.log) == 4

    async def test_never_tries_again_after_it(self, bedrock: FakeBedrock, model: ChatModel) -> None:
        for fault in ("reset", "truncate"):
            bedrock.reset()
            step = {"text": "One two three.", "piece": 4, "fault": fault, "after": 4}
            bedrock.script(step, {"text": "Again."})
            assert await self.failure(model) == "broken"
            assert len(bedrock.log) == 1

    async def test_does_not_try_again_what_will_not_pass(
        self, bedrock: FakeBedrock, model: ChatModel
    ) -> None:
        bedrock.script({"status": 403}, {"text": "no"})
        assert await self.failure(model) == "denied"
        assert len(bedrock.log) == 1

    @pytest.mark.timed
    @pytest.mark.parametrize("wait", ["headers_s", "first_s", "gap_s"])
    async def test_gives_up_in_time(
        self, bedrock: FakeBedrock, model: ChatModel, wait: str
    ) -> None:
        bedrock.script({"text": "One two three four.", "piece": 4, wait: 3})
        started = time.monotonic()
        assert await self.failure(model) == "timeout"
        assert time.monotonic() - started < 2.9
        await closed(bedrock)

    @pytest.mark.timed
    @pytest.mark.parametrize("wait", ["headers_s", "first_s", "gap_s"])
    async def test_cancelling_closes_the_connection(
        self, bedrock: FakeBedrock, model: ChatModel, wait: str
    ) -> None:
        bedrock.script({"text": "One two three four.", "piece": 4, wait: 0.8})
        task = asyncio.create_task(self.text(model))
        await asyncio.sleep(0.4)
        assert len(bedrock.log) == 1
        cancelled = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await closed(bedrock) - cancelled < CLOSED_WITHIN_S

    async def test_a_connection_is_used_again_after_a_cancelled_call(
        self, bedrock: FakeBedrock, model: ChatModel
    ) -> None:
        for _ in range(3):
            bedrock.script({"text": "Slow.", "first_s": 1}, {"text": "Fine."})
            task = asyncio.create_task(self.text(model))
            await asyncio.sleep(0.1)
            task.cancel()
            assert await self.text(model) == "Fine."

    @pytest.mark.timed
    async def test_many_streams_at_once(self, bedrock: FakeBedrock, model: ChatModel) -> None:
        bedrock.always({"text": "Here.", "first_s": 1})
        # Warmed up: building 64 TLS contexts or importing modules is not what is measured.
        await self.text(model)

        async def first() -> float:
            started = time.monotonic()
            stream = model.stream(HELLO)
            assert isinstance(stream, AsyncGenerator)
            async with aclosing(stream):
                await anext(stream)
                return time.monotonic() - started

        assert max(await asyncio.gather(*(first() for _ in range(64)))) < 2.5


async def closed(bedrock: FakeBedrock) -> float:
    """When the last call was left by its client; fails if that takes seconds."""
    for _ in range(40):
        (*_, call) = bedrock.log
        if call["outcome"] == "left":
            return float(call["ended"])
        await asyncio.sleep(0.05)
    pytest.fail(f"upstream is still {call['outcome']}")


def told(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a request but the prompt, which some providers take among them."""
    return [message for message in body["messages"] if message["role"] != "system"]


def tells_inside(model: ChatModel) -> bool:
    """Whether the provider tells errors inside a stream that began well."""
    return "Anthropic" not in type(getattr(model, "_transport", None)).__name__
