"""A fake Bedrock runtime, for development and tests: the real wire format, driven by scripts.

Run it as `python tests/fake_bedrock.py [PORT]`; it prints the port it listens on. It serves
Converse, ConverseStream, Anthropic's Messages and OpenAI's chat completions.
POST /_script {"model": id or "*", "steps": [...], "default": step} says how the next calls of a
model end; GET /_log tells what was asked and when each call began and ended; POST /_reset forgets
everything. faking.py drives it.

A step: {"text"?, "tools"? [{"name", "input" | "raw"}], "usage"?, "piece"? characters per delta,
"headers_s"? wait before the status line, "first_s"? wait before the first event, "gap_s"? wait
between events, "status"? with "error"? (an HTTP error before any stream), "fault"?: one of FAULTS,
"after"? events before the fault}. In texts $system stands for the system prompt that was sent and
$card1 for the first card's title.
"""

import asyncio
import json
import struct
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from string import Template
from typing import Any
from urllib.parse import unquote

import openai_wire
from bedrock_wire import Step, anthropic_events, converse_events, converse_json, event, exception

FAULTS = ("refuse", "hang", "reset", "exception", "truncate", "corrupt", "drip")
ERRORS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
DRIP_S = 0.5


@dataclass
class Call:
    """One call as the log tells it; times are those of the monotonic clock of this machine."""

    model: str
    path: str
    body: dict[str, Any]
    began: float
    ended: float | None = None
    outcome: str = "running"
    """running, done, or left: the client closed the connection first."""
    sent: int = 0


@dataclass
class Script:
    """What the next calls of each model get."""

    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    defaults: dict[str, Step] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def next(self, model: str) -> Step:
        """The next step of a model: its own, else everybody's, else a default."""
        for name in (model, "*"):
            if self.steps[name]:
                return self.steps[name].pop(0)
        return self.defaults.get(model) or self.defaults.get("*") or {"text": "Hello."}


def filled(step: Step, body: dict[str, Any]) -> Step:
    """The step with what its texts take from the request."""
    if "$" not in str(step.get("text", "")):
        return step
    system = body.get("system", "")
    if isinstance(system, list):
        system = " ".join(str(block.get("text", "")) for block in system)
    told = [m for m in body.get("messages", ()) if m["role"] != "system"]
    system = system or " ".join(m["content"] for m in body.get("messages", ()) if m not in told)
    values = {"system": str(system), "card1": ""}
    for message in told[:1]:
        content = message["content"]
        text = content if isinstance(content, str) else content[0].get("text", "")
        try:
            cards = json.loads(text).get("cards") or [{"title": ""}]
            values["card1"] = cards[0].get("title", "")
        except (ValueError, AttributeError):
            values["card1"] = ""
    return {**step, "text": Template(step["text"]).safe_substitute(values)}


class Connection:
    """One client connection; calls come one after another."""

    def __init__(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.script = script
        self.reader = reader
        self.writer = writer

    async def serve(self) -> None:
        try:
            while await self.one():
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writer.close()

    async def one(self) -> bool:
        """Answer one request; whether the connection stays open."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        request, *lines = head.decode().split("\r\n")
        method, target, _ = request.split(" ")
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        path = unquote(target.partition("?")[0])
        content = json.loads(body) if body else {}
        if path.startswith("/_"):
            self.control(method, path, content)
            return True
        model = str(content.get("model") or path.split("/")[2])
        call = Call(model, path, content, time.monotonic())
        self.script.calls.append(call)
        left = asyncio.create_task(self.reader.read(1))
        answering = asyncio.create_task(self.answer(call, filled(self.script.next(model), content)))
        await asyncio.wait({left, answering}, return_when=asyncio.FIRST_COMPLETED)
        call.outcome = "done" if answering.done() else "left"
        call.ended = time.monotonic()
        for task in (left, answering):
            task.cancel()
        results = await asyncio.gather(left, answering, return_exceptions=True)
        return results[1] is True

    def control(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer: Any = {}
        if path == "/_script":
            model = body.get("model", "*")
            self.script.steps[model] += body.get("steps", [])
            if "default" in body:
                self.script.defaults[model] = body["default"]
        elif path == "/_reset":
            self.script.steps.clear()
            self.script.defaults.clear()
            self.script.calls.clear()
        elif path == "/_log" and method == "GET":
            answer = [vars(call) for call in self.script.calls]
        self.whole(200, json.dumps(answer).encode())

    def whole(self, status: int, body: bytes, error: str = "") -> None:
        extra = f"x-amzn-ErrorType: {error}\r\n" if error else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def answer(self, call: Call, step: Step) -> bool:
        """Play one step; whether the connection may be used again."""
        fault = step.get("fault")
        if fault == "refuse":
            self.reset()
            return False
        await asyncio.sleep(step.get("headers_s", 0))
        if fault == "hang":
            await asyncio.sleep(3600)
        if "status" in step:
            self.error(call, step)
            return True
        if call.path.endswith("/converse"):
            self.whole(200, converse_json(step))
            return True
        kind = "text/event-stream"
        if call.path.startswith("/model"):
            kind = "application/vnd.amazon.eventstream"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.writer.write(head.encode())
        await asyncio.sleep(step.get("first_s", 0))
        return await self.stream(call, step)

    def error(self, call: Call, step: Step) -> None:
        status = int(step["status"])
        message = {"message": step.get("error", "scripted")}
        if call.path.startswith("/v1"):
            content = {"type": "error", "error": {"type": "api_error", **message}}
            self.whole(status, json.dumps(content).encode())
            return
        self.whole(status, json.dumps(message).encode(), ERRORS.get(status, "Unknown"))

    async def stream(self, call: Call, step: Step) -> bool:
        fault, after = step.get("fault"), int(step.get("after", 2))
        bedrock = call.path.startswith("/model")
        events = converse_events if bedrock else anthropic_events
        if call.path.endswith("/chat/completions"):
            events = openai_wire.chat_events
        for number, piece in enumerate(events(step)):
            if fault and fault != "drip" and number == after:
                return self.break_off(fault, step, bedrock)
            self.chunk(piece)
            call.sent += 1
            await self.writer.drain()
            await asyncio.sleep(DRIP_S if fault == "drip" else step.get("gap_s", 0))
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        return True

    def break_off(self, fault: str, step: Step, bedrock: bool) -> bool:
        """End a stream as no stream should end."""
        if fault == "reset":
            self.reset()
        elif fault == "exception":
            kind = step.get("kind", "throttlingException")
            inside = exception(kind, "scripted") if bedrock else openai_wire.error(429, "scripted")
            self.chunk(inside)
            self.writer.write(b"0\r\n\r\n")
            return True
        elif fault == "truncate":
            self.writer.write(b"0\r\n\r\n")  # a whole HTTP body, but the message never stopped
            return True
        elif fault == "corrupt":
            spoiled = bytearray(event("contentBlockStop", {"contentBlockIndex": 0}))
            spoiled[-6] ^= 0xFF
            self.chunk(bytes(spoiled))
            self.writer.write(b"0\r\n\r\n")
        return False

    def chunk(self, content: bytes) -> None:
        self.writer.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    def reset(self) -> None:
        """Close with RST rather than FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER
        self.writer.transport.abort()


async def main(port: int) -> None:
    script = Script()
    server = await asyncio.start_server(
        lambda reader, writer: Connection(script, reader, writer).serve(),
        "127.0.0.1",
        port,
        backlog=512,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
