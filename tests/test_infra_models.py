"""Every adapter keeps the contract of ChatModel, over a real wire."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.model import ChatModel, Message, ModelFailure, ToolCall, ToolResult
from contracts_models import DETAILS, GOOD, HELLO, LIMITS, ModelContract, Mood
from faking import LARGE, FakeBedrock
from infra.models import CallLimits, Model, json_schema, repaired
from infra.models_anthropic import Anthropic, AnthropicSettings
from infra.models_bedrock import Bedrock, BedrockSettings
from infra.models_openai import OpenAi, OpenAiSettings


def bedrock_settings(bedrock: FakeBedrock, **more: object) -> BedrockSettings:
    return BedrockSettings(endpoint_url=bedrock.url, **more)  # type: ignore[arg-type]  # by name


class TestBedrock(ModelContract):
    @pytest.fixture
    async def model(self, bedrock: FakeBedrock) -> AsyncIterator[ChatModel]:
        provider = Bedrock(bedrock_settings(bedrock))
        yield Model(provider.model(LARGE), asyncio.Semaphore(64), LIMITS)
        provider.close()


class TestAnthropic(ModelContract):
    @pytest.fixture
    async def model(self, bedrock: FakeBedrock) -> AsyncIterator[ChatModel]:
        provider = Anthropic(AnthropicSettings(api_key="testing", base_url=bedrock.url))
        yield Model(provider.model(LARGE), asyncio.Semaphore(64), LIMITS)
        await provider.close()


class TestOpenAi(ModelContract):
    @pytest.fixture
    async def model(self, bedrock: FakeBedrock) -> AsyncIterator[ChatModel]:
        provider = OpenAi(OpenAiSettings(f"{bedrock.url}/v1", api_key="testing"))
        yield Model(provider.model(LARGE), asyncio.Semaphore(64), LIMITS)
        await provider.close()


async def test_what_goes_to_bedrock(bedrock: FakeBedrock) -> None:
    settings = bedrock_settings(bedrock, prompt_cache=True, guardrail="gr1:7", max_tokens=77)
    provider = Bedrock(settings)
    model = Model(provider.model(LARGE), asyncio.Semaphore(1))
    bedrock.always(GOOD)
    for _ in range(2):
        await model.structured(HELLO, Mood)
    provider.close()
    first, second = bedrock.bodies(LARGE)
    assert first == second, "byte-stable, or no prompt cache would ever hit"
    assert first["system"] == [{"text": "You are kind."}, {"cachePoint": {"type": "default"}}]
    assert first["toolConfig"]["tools"][1] == {"cachePoint": {"type": "default"}}
    assert first["guardrailConfig"] == {"guardrailIdentifier": "gr1", "guardrailVersion": "7"}
    assert first["requestMetadata"] == {"application": "usher"}
    assert first["inferenceConfig"] == {"maxTokens": 77}


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-haiku-5-5",
        "eu.amazon.nova-2-lite-v1:0",
        "global.anthropic.claude-sonnet-5-5",
        "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.some.model",
        "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc",
    ],
)
async def test_any_model_id_is_taken_as_it_is(bedrock: FakeBedrock, model_id: str) -> None:
    base = "anthropic.claude-haiku-5-5" if "application" in model_id else None
    provider = Bedrock(bedrock_settings(bedrock, base_model=base))
    model = Model(provider.model(model_id), asyncio.Semaphore(1))
    assert "".join([piece async for piece in model.stream(HELLO)]) == "Hello."
    provider.close()
    assert bedrock.log[0]["path"] == f"/model/{model_id}/converse-stream"
    assert "temperature" not in str(bedrock.log[0]["body"])


async def test_no_prompt_cache_unless_asked(bedrock: FakeBedrock) -> None:
    provider = Bedrock(bedrock_settings(bedrock))
    [_ async for _ in Model(provider.model(LARGE), asyncio.Semaphore(1)).stream(HELLO)]
    provider.close()
    assert "cachePoint" not in str(bedrock.log)


async def test_a_closed_port_is_refused() -> None:
    provider = Anthropic(AnthropicSettings(api_key="testing", base_url="http://127.0.0.1:1"))
    model = Model(provider.model(LARGE), asyncio.Semaphore(1), CallLimits(backoff_s=0))
    with pytest.raises(ModelFailure) as raised:
        [_ async for _ in model.stream(HELLO)]
    assert raised.value.kind == "refused"
    await provider.close()


async def test_an_endless_answer_is_broken_off(bedrock: FakeBedrock) -> None:
    bedrock.always({"text": "la " * 30_000, "piece": 5000})
    provider = Bedrock(bedrock_settings(bedrock))
    model = Model(provider.model(LARGE), asyncio.Semaphore(1))
    with pytest.raises(ModelFailure, match="does not stop"):
        [_ async for _ in model.stream(HELLO)]
    provider.close()


# --- what goes out --------------------------------------------------------------------------------


def test_history_is_repaired() -> None:
    call = ToolCall("1", "details", {})
    told = [
        Message("assistant", "Hello, I am first."),
        Message("user", "a"),
        Message("user", "  "),
        Message("user", "b"),
        Message("assistant", "", calls=(call,)),
        Message("user", results=(ToolResult("1", "x"), ToolResult("9", "of no call"))),
        Message("assistant", " "),
        Message("user", "c", results=(ToolResult("1", "too late"),)),
        Message("system", "S"),
        Message("assistant", "last"),
    ]
    assert repaired(told) == (
        Message("system", "S"),
        Message("user", "a\nb"),
        Message("assistant", calls=(call,)),
        Message("user", "c", results=(ToolResult("1", "x"),)),
    )
    assert [m.role for m in repaired([Message("assistant", "x")])] == ["user"]


def test_schemas_have_no_references() -> None:
    assert json_schema(Mood) == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "strength": {"type": "integer", "minimum": 0, "maximum": 3},
        },
        "required": ["name", "strength"],
    }
    assert DETAILS.name == "details"
