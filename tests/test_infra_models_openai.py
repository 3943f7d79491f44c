"""What servers leave out of OpenAI's wire format, or add to it, is read all the same."""

import json

import httpx
import pytest

from agent.model import ModelFailure, Tokens
from infra.models import CallPiece, Piece
from infra.models_openai import pieces_of


async def read(*events: object) -> list[Piece]:
    lines = [e if isinstance(e, str) else f"data: {json.dumps(e)}" for e in events]
    answer = httpx.Response(200, content="\n\n".join(lines).encode())
    return [piece async for piece in pieces_of(answer, "m")]


def choice(delta: object, reason: str | None = None) -> dict[str, object]:
    return {"choices": [{"delta": delta, "finish_reason": reason}]}


async def test_no_usage_no_done_and_comments_between() -> None:
    """As Ollama and proxies do."""
    said = await read(choice({"content": "Hi"}), ": still here", "", choice({}, "stop"))
    assert said == ["Hi"]


async def test_nulls_mean_nothing() -> None:
    empty = choice({"content": None, "tool_calls": None, "reasoning_content": "hm"})
    usage = {"choices": None, "usage": {"prompt_tokens": 7, "prompt_tokens_details": None}}
    assert await read(empty, usage, "data: [DONE]") == [Tokens(7, 0)]


async def test_whole_calls_without_index_or_id() -> None:
    def call(arguments: object) -> dict[str, object]:
        return {"function": {"name": "details", "arguments": arguments}}

    found = await read(choice({"tool_calls": [call('{"n": 1}'), call({"n": 2})]}, "tool_calls"))
    assert found == [
        CallPiece("call_0", "details", '{"n": 1}'),
        CallPiece("call_1", "details", '{"n": 2}'),
    ]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("data: {broken", "broken"),
        ("data: 3", "broken"),
        ({"error": {"code": 429, "message": "slow down"}}, "throttled"),
        ({"error": "out of memory"}, "server"),
        ({"error": {"code": 400, "message": "too long"}}, "denied"),
        (choice({"content": "and then"}), "broken"),
    ],
    ids=["no JSON", "no object", "busy", "a text", "refused", "cut off"],
)
async def test_a_stream_that_goes_wrong(event: object, kind: str) -> None:
    with pytest.raises(ModelFailure) as raised:
        await read(choice({"content": "Once"}), event)
    assert raised.value.kind == kind
