"""Everything wrong that a client can send: a clear 4xx problem each, and nothing kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.turn import MAX_MESSAGE_CHARS
from serving import Running, serve, usher

# One service for all: nothing here changes what another test sees.
pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON_TYPE = {"Content-Type": "application/json"}
HELLO = b'{"message": "hello"}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with usher(tmp_path_factory.mktemp("home")) as one:
        yield one


def chat(**fields: object) -> dict[str, object]:
    return {"message": "a thriller", **fields}


EDIT = {"op": "remove", "entry_id": "e1", "ledger_version": 1}
INVALID: dict[str, Any] = {
    "no message": {},
    "message a number": {"message": 7},
    "message null": {"message": None},
    "message a list": {"message": ["a"]},
    "unknown field": chat(user_id="ann"),
    "unknown field in an edit": chat(edits=[{**EDIT, "x": 1}]),
    "edits no list": chat(edits={"op": "remove"}),
    "unknown op": chat(edits=[{**EDIT, "op": "drop"}]),
    "negative version": chat(edits=[{**EDIT, "ledger_version": -1}]),
    "too many edits": chat(edits=[EDIT] * 21),
    "conversation_id empty": chat(conversation_id=""),
    "conversation_id huge": chat(conversation_id="c" * 101),
    "conversation_id a number": chat(conversation_id=1),
    "body a list": [1, 2],
    "body a string": "hello",
    "body null": None,
}


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID.keys())
async def test_wrong_fields_are_422_and_named(running: Running, body: object) -> None:
    async with running.client() as client:
        refused = await client.post("/v1/chat", content=json.dumps(body), headers=JSON_TYPE)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "invalid_request"
    assert problem["errors"]
    assert all(error["pointer"].startswith("#") for error in problem["errors"])
    assert running.services.assistant.running == 0


MESSAGES = {
    "empty": "",
    "blank": " \n\t ",
    "too long by one": "x" * (MAX_MESSAGE_CHARS + 1),
    "50 kB": "x" * 50_000,
    "NUL": "a film\x00",
    "binary": "".join(map(chr, range(32))) * 4,
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
async def test_messages_that_are_no_message_are_refused(running: Running, message: str) -> None:
    async with running.client() as client:
        refused = await client.post("/v1/chat", json={"message": message})
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        assert len(refused.json()["detail"]) > 20
        longest = {"message": "a thriller " + "x" * (MAX_MESSAGE_CHARS - 11)}
        assert (await client.post("/v1/chat", json=longest)).status_code == 200


RAW: dict[str, tuple[bytes, int, str]] = {
    "empty body": (b"", 400, "not_json"),
    "no JSON": (b"message=hello", 400, "not_json"),
    "cut JSON": (b'{"message": "hel', 400, "not_json"),
    "two values": (b"{}{}", 400, "not_json"),
    "NaN": (b'{"message": NaN}', 400, "not_json"),
    "infinite": (b'{"message": "a", "edits": [{"value": {"max": 1e999}}]}', 400, "not_json"),
    "deep": (b"[" * 30_000 + b"]" * 30_000, 400, "not_json"),
    "half a surrogate": (b'{"message": "\\ud83d"}', 400, "not_json"),
    "latin-1": ('{"message": "café"}'.encode("latin-1"), 400, "not_utf8"),
    "utf-16": ('{"message": "hello"}'.encode("utf-16"), 400, "not_utf8"),
    "binary": (bytes(range(256)), 400, "not_utf8"),
    "too large": (b'{"message": "' + b"x" * 70_000 + b'"}', 413, "body_too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), RAW.values(), ids=RAW.keys())
@pytest.mark.parametrize("path", ["/v1/chat", "/v1/interactions", "/v1/recommend", "/v1/feedback"])
async def test_bodies_that_are_no_json_are_refused(
    running: Running, path: str, body: bytes, status: int, code: str
) -> None:
    headers = {**JSON_TYPE, "Idempotency-Key": "k"}
    async with running.client() as client:
        refused = await client.post(path, content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_other_content_types_are_415(running: Running, content_type: str) -> None:
    async with running.client() as client:
        headers = {"Content-Type": content_type}
        refused = await client.post("/v1/chat", content=HELLO, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")
        with_charset = {"Content-Type": "Application/JSON; charset=utf-8"}
        assert (
            await client.post("/v1/chat", content=HELLO, headers=with_charset)
        ).status_code == 200


async def test_body_without_a_length_is_refused_before_it_ends(tmp_path: Path) -> None:
    head = "POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with serve(tmp_path) as running, asyncio.timeout(10):
        host, port = str(running.url).removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(7):
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        answer = (await reader.read()).decode()
        writer.close()
    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"body_too_large"' in answer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/conversations/{}"),
        ("DELETE", "/v1/conversations/{}"),
        ("GET", "/v1/turns/{}/events"),
        ("POST", "/v1/turns/{}/stop"),
        ("GET", "/v1/movies/{}"),
    ],
)
@pytest.mark.parametrize(
    "unknown", ["nope", "%00", "%F0%9F%8E%AC", "%FF", "..%2F..", "'%20OR%201", "x" * 5000]
)
async def test_unknown_ids_are_404(running: Running, method: str, path: str, unknown: str) -> None:
    async with running.client() as client:
        refused = await client.request(method, path.format(unknown))
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"


async def test_unknown_conversation_and_stale_edits_are_refused(running: Running) -> None:
    async with running.client() as client:
        unknown = await client.post("/v1/chat", json=chat(conversation_id="nope"))
        assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/static/../chat.py", 404), ("PUT", "/v1/chat", 405)],
)
async def test_unknown_addresses_and_methods_are_problems(
    running: Running, method: str, path: str, status: int
) -> None:
    async with running.client() as client:
        refused = await client.request(method, path)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == status
    assert (status != 405) or refused.headers["allow"] == "POST"


async def test_refusal_never_repeats_the_input(running: Running) -> None:
    async with running.client() as client:
        refused = await client.post("/v1/chat", json={"message": 1, "hunter2": "hunter3"})
    assert "hunter3" not in refused.text
