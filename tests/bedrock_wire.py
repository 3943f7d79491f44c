"""The wire formats of model providers, written by hand from their documentation.

Knows Amazon's binary event-stream framing, the events of ConverseStream, the JSON of Converse and
the server-sent events of Anthropic's Messages. Does not know sockets or scripts (fake_bedrock.py).
`test_fake_bedrock.py` proves that botocore and `anthropic` themselves parse it.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

Step = dict[str, Any]
USAGE = {"inputTokens": 100, "outputTokens": 20, "cacheReadInputTokens": 0}
_STRING = 7  # the header value type for UTF-8 text


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message: prelude (lengths, CRC), headers, payload, CRC of all before it."""
    block = b"".join(
        bytes([len(name)]) + name.encode() + bytes([_STRING]) + struct.pack("!H", len(value))
        + value.encode()
        for name, value in headers.items()
    )  # fmt: skip
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event(kind: str, payload: dict[str, Any]) -> bytes:
    """An event of the stream."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(payload).encode())


def exception(kind: str, message: str) -> bytes:
    """An exception inside a stream that began with 200."""
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, json.dumps({"message": message}).encode())


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of some characters; one empty piece for an empty text."""
    return [text[i : i + size] for i in range(0, len(text), size)] or [""]


def arguments(tool: dict[str, Any]) -> str:
    """What the model wrote as a tool's input: `raw` need not be JSON."""
    return str(tool["raw"]) if "raw" in tool else json.dumps(tool["input"])


def converse_events(step: Step) -> Iterator[bytes]:
    """The events of one answer of ConverseStream."""
    yield event("messageStart", {"role": "assistant"})
    index = 0
    size = int(step.get("piece", 20))
    if step.get("text") is not None:
        for piece in pieces(step["text"], size):
            delta = {"contentBlockIndex": index, "delta": {"text": piece}}
            yield event("contentBlockDelta", delta)
        yield event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    for tool in step.get("tools", ()):
        start = {"toolUse": {"toolUseId": f"tooluse_{index}", "name": tool["name"]}}
        yield event("contentBlockStart", {"contentBlockIndex": index, "start": start})
        for piece in pieces(arguments(tool), 200):
            delta = {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}
            yield event("contentBlockDelta", delta)
        yield event("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    yield event("messageStop", {"stopReason": "tool_use" if step.get("tools") else "end_turn"})
    yield event("metadata", {"usage": usage_of(step), "metrics": {"latencyMs": 10}})


def usage_of(step: Step) -> dict[str, int]:
    """The usage block with its total."""
    usage = {**USAGE, **step.get("usage", {})}
    return {**usage, "totalTokens": sum(usage.values())}


def converse_json(step: Step) -> bytes:
    """The answer of Converse, not streamed."""
    content: list[dict[str, Any]] = []
    if step.get("text") is not None:
        content.append({"text": step["text"]})
    for i, tool in enumerate(step.get("tools", ())):
        use = {"toolUseId": f"tooluse_{i}", "name": tool["name"], "input": tool["input"]}
        content.append({"toolUse": use})
    answer = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if step.get("tools") else "end_turn",
        "usage": usage_of(step),
        "metrics": {"latencyMs": 10},
    }
    return json.dumps(answer).encode()


def _sse(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def anthropic_events(step: Step) -> Iterator[bytes]:
    """The server-sent events of one answer of Anthropic's Messages API."""
    usage = usage_of(step)
    counted = {
        "input_tokens": usage["inputTokens"],
        "output_tokens": 1,
        "cache_read_input_tokens": usage["cacheReadInputTokens"],
        "cache_creation_input_tokens": usage.get("cacheWriteInputTokens", 0),
    }
    message: dict[str, Any] = {
        **{"id": "msg_1", "type": "message", "role": "assistant", "model": "fake"},
        **{"content": [], "stop_reason": None, "stop_sequence": None, "usage": counted},
    }
    yield _sse("message_start", message=message)
    index = 0
    if step.get("text") is not None:
        yield _sse("content_block_start", index=index, content_block={"type": "text", "text": ""})
        for piece in pieces(step["text"], int(step.get("piece", 20))):
            delta = {"type": "text_delta", "text": piece}
            yield _sse("content_block_delta", index=index, delta=delta)
        yield _sse("content_block_stop", index=index)
        index += 1
    for tool in step.get("tools", ()):
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": tool["name"], "input": {}}
        yield _sse("content_block_start", index=index, content_block=block)
        for piece in pieces(arguments(tool), 200):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield _sse("content_block_delta", index=index, delta=delta)
        yield _sse("content_block_stop", index=index)
        index += 1
    reason = "tool_use" if step.get("tools") else "end_turn"
    final = {"output_tokens": usage["outputTokens"]}
    yield _sse("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=final)
    yield _sse("message_stop")
