"""The wire format of OpenAI's chat completions, written by hand from its documentation.

Knows the server-sent chunks of one answer, as llama.cpp, vLLM and Ollama send them. Does not know
sockets or scripts (fake_bedrock.py).
"""

import json
from collections.abc import Iterator
from typing import Any

from bedrock_wire import Step, arguments, pieces, usage_of

DONE = b"data: [DONE]\n\n"


def chunk(**fields: Any) -> bytes:
    """One event of the stream."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "fake"}
    return f"data: {json.dumps(head | fields)}\n\n".encode()


def error(code: int, message: str) -> bytes:
    """An error inside a stream that began with 200."""
    return f"data: {json.dumps({'error': {'code': code, 'message': message}})}\n\n".encode()


def _choice(delta: dict[str, Any], reason: str | None = None) -> bytes:
    return chunk(choices=[{"index": 0, "delta": delta, "finish_reason": reason}])


def chat_events(step: Step) -> Iterator[bytes]:
    """The events of one answer."""
    yield _choice({"role": "assistant", "content": ""})
    for piece in pieces(step.get("text") or "", int(step.get("piece", 20))):
        yield _choice({"content": piece})
    for index, tool in enumerate(step.get("tools", ())):
        begun = {"id": f"call_{index}", "type": "function"}
        function = {"name": tool["name"], "arguments": ""}
        yield _choice({"tool_calls": [{"index": index, **begun, "function": function}]})
        for piece in pieces(arguments(tool), 200):
            yield _choice({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _choice({}, "tool_calls" if step.get("tools") else "stop")
    usage = usage_of(step)
    read = usage["cacheReadInputTokens"]
    counted = {
        "prompt_tokens": usage["inputTokens"] + read,
        "completion_tokens": usage["outputTokens"],
        "prompt_tokens_details": {"cached_tokens": read},
    }
    yield chunk(choices=[], usage=counted)
    yield DONE
