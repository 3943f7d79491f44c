"""The fake speaks the real wire format: botocore's and anthropic's own parsers read it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import anthropic
import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

from faking import FakeBedrock

HELLO = [{"role": "user", "content": [{"text": "hello"}]}]


@pytest.fixture
def client(bedrock: FakeBedrock) -> Iterator[Any]:
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    client = boto3.client("bedrock-runtime", endpoint_url=bedrock.url, config=config)
    yield client
    client.close()


def streamed(client: Any, **more: Any) -> list[dict[str, Any]]:
    answer = client.converse_stream(modelId="fake.large", messages=HELLO, **more)
    with closing(answer["stream"]) as stream:
        return list(stream)


def text_of(events: list[dict[str, Any]]) -> str:
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    return "".join(d.get("text", "") for d in deltas)


def test_botocore_parses_text_and_usage(bedrock: FakeBedrock, client: Any) -> None:
    usage = {"inputTokens": 7, "outputTokens": 3, "cacheReadInputTokens": 2}
    bedrock.script({"text": "Grüße, 你好 🎬!", "piece": 3, "usage": usage})
    events = streamed(client)
    assert text_of(events) == "Grüße, 你好 🎬!"
    assert events[-1]["metadata"]["usage"] == usage | {"totalTokens": 12}
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"


def test_botocore_parses_parallel_tools(bedrock: FakeBedrock, client: Any) -> None:
    tools = [{"name": "details", "input": {"film": "Heat"}}, {"name": "profile", "input": {}}]
    bedrock.script({"text": "Let me look.", "tools": tools})
    events = streamed(client)
    starts = [e["contentBlockStart"]["start"] for e in events if "contentBlockStart" in e]
    assert [s["toolUse"]["name"] for s in starts] == ["details", "profile"]
    inputs = [e["contentBlockDelta"] for e in events if "contentBlockDelta" in e]
    assert inputs[-1]["delta"]["toolUse"]["input"] == "{}" and inputs[-1]["contentBlockIndex"] == 2


def test_botocore_parses_converse(bedrock: FakeBedrock, client: Any) -> None:
    bedrock.script({"text": "Yes.", "tools": [{"name": "answer", "input": {"a": 1}}]})
    answer = client.converse(modelId="fake.large", messages=HELLO)
    blocks = answer["output"]["message"]["content"]
    assert blocks[0] == {"text": "Yes."} and blocks[1]["toolUse"]["input"] == {"a": 1}


@pytest.mark.parametrize(
    ("status", "code"), [(429, "ThrottlingException"), (503, "ServiceUnavailableException")]
)
def test_errors_before_the_stream(
    bedrock: FakeBedrock, client: Any, status: int, code: str
) -> None:
    bedrock.script({"status": status})
    with pytest.raises(ClientError) as raised:
        streamed(client)
    assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("after", [0, 3])
def test_an_exception_inside_the_stream(bedrock: FakeBedrock, client: Any, after: int) -> None:
    bedrock.script({"text": "One two three four five.", "fault": "exception", "after": after})
    with pytest.raises(EventStreamError, match="throttlingException"):
        streamed(client)


def test_broken_streams(bedrock: FakeBedrock, client: Any) -> None:
    bedrock.script({"text": "One two three.", "piece": 2, "fault": "truncate"})
    assert not any("messageStop" in e for e in streamed(client))
    bedrock.script({"text": "One two three.", "piece": 2, "fault": "reset"})
    with pytest.raises((ProtocolError, ConnectionError)):
        streamed(client)
    bedrock.script({"text": "One two three.", "piece": 2, "fault": "corrupt"})
    with pytest.raises(ChecksumMismatch):
        streamed(client)


def test_the_log_tells_what_was_asked_and_when(bedrock: FakeBedrock, client: Any) -> None:
    bedrock.always({"text": "Hi.", "first_s": 0.2})
    streamed(client, system=[{"text": "Be kind."}])
    (call,) = bedrock.log
    assert call["model"] == "fake.large" and call["body"]["system"] == [{"text": "Be kind."}]
    assert call["outcome"] == "done" and 0.2 <= call["ended"] - call["began"] < 5


def test_the_log_tells_when_a_client_left(bedrock: FakeBedrock, client: Any) -> None:
    bedrock.script({"text": "On and on and on.", "piece": 1, "gap_s": 0.2})
    answer = client.converse_stream(modelId="fake.large", messages=HELLO)
    next(iter(answer["stream"]))
    answer["stream"].close()
    for _ in range(100):
        if bedrock.log[0]["outcome"] == "left":
            return
    pytest.fail(f"still {bedrock.log[0]['outcome']}")


def test_anthropic_parses_text_tools_and_usage(bedrock: FakeBedrock) -> None:
    usage = {"inputTokens": 7, "outputTokens": 3, "cacheReadInputTokens": 2}
    tools = [{"name": "answer", "input": {"a": [1, 2]}}]
    bedrock.script({"text": "Grüße!", "piece": 2, "tools": tools, "usage": usage})
    with (
        anthropic.Anthropic(api_key="testing", base_url=bedrock.url, max_retries=0) as client,
        client.messages.stream(
            model="fake.large", max_tokens=9, messages=[{"role": "user", "content": "hello"}]
        ) as stream,
    ):
        message = stream.get_final_message()
    said, called = (block.to_dict() for block in message.content)
    assert said["text"] == "Grüße!" and called["input"] == {"a": [1, 2]}
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 3)
    assert message.usage.cache_read_input_tokens == 2
