"""For operators and programs: health, readiness, metrics, movies, the OpenAPI page, stopping."""

import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent import events
from dynamo import dynamodb, each_store
from retrieval.index import IndexUnavailable
from serving import Json, Reader, Running, serve, server_process, usher

__all__ = ["dynamodb", "each_store"]  # fixtures

HELLO = {"message": "a tense crime thriller"}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with usher(tmp_path) as one:
        yield one


async def test_healthy_and_ready(running: Running) -> None:
    async with running.client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (
            *(200, {"status": "ready", "checks": {"index": "ok", "store": "ok"}}),
        )
        assert "set-cookie" not in ready.headers


async def test_not_ready_names_the_part_that_does_not_answer(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> str:
        raise IndexUnavailable("the index does not answer: start it")

    monkeypatch.setattr(type(running.services.index), "revision", lambda self: broken())
    await running.close_stores()
    async with running.client() as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert answer.json()["checks"]["index"] == "the index does not answer: start it"
        assert "is closed" in answer.json()["checks"]["store"]
        assert (await client.get("/healthz")).status_code == 200


async def test_failing_store_is_503_with_retry_after(running: Running) -> None:
    await running.close_stores()
    async with running.client() as client:
        for response in (
            await client.get("/v1/conversations/x"),
            await client.post("/v1/chat", json=HELLO),
        ):
            assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
            assert int(response.headers["retry-after"]) >= 1


async def metrics(client: httpx.AsyncClient) -> dict[str, float]:
    lines = (await client.get("/metrics")).text.splitlines()
    pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in pairs}


async def test_metrics_count_turns_latencies_and_errors(tmp_path: Path) -> None:
    async with serve(tmp_path) as running, running.client() as client:
        started = (await running.say(client, HELLO))[0]
        await client.get(f"/v1/turns/{started['turn_id']}/events")
        await client.get("/v1/conversations/nope")
        await client.post("/v1/chat", json={"message": 1})
        found = await metrics(client)
        assert found['usher_turns_total{status="completed"}'] == 1, "a replay is no second turn"
        assert found["usher_first_event_seconds_count"] == 1
        assert found["usher_cards_seconds_count"] == 1
        assert found['usher_errors_total{code="not_found"}'] == 1
        assert found['usher_errors_total{code="invalid_request"}'] == 1
        assert found["usher_turns_running"] == 0
        running.hold()
        async with Reader(client, HELLO) as reader:
            await reader.next()
            assert (await metrics(client))["usher_turns_running"] == 1
            running.release()
            await reader.rest()


async def test_movie_by_id(running: Running) -> None:
    async with running.client() as client:
        movie_id = running.movie_ids[0]
        movie = (await client.get(f"/v1/movies/{movie_id}")).json()
        assert movie["movie_id"] == movie_id
        assert movie["title"]


# --- OpenAPI --------------------------------------------------------------------------------------


@pytest.fixture
async def openapi(running: Running) -> dict[str, Any]:
    async with running.client() as client:
        document: dict[str, Any] = (await client.get("/openapi.json")).json()
    return document


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    if isinstance(node, list):
        for child in node:
            yield from references(child)


async def test_openapi_resolves_and_documents_every_event(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    for reference in set(references(openapi)):
        assert reference.removeprefix("#/components/schemas/") in schemas
    assert schemas["AnyEvent"]["discriminator"]["propertyName"] == "type"
    documented = {
        schemas[one["$ref"].split("/")[-1]]["title"] for one in schemas["AnyEvent"]["oneOf"]
    }
    union = {kind.__name__ for kind in events.Event.__subclasses__()}
    assert documented == union
    for route in ("/v1/chat", "/v1/turns/{turn_id}/events"):
        (operation,) = openapi["paths"][route].values()
        content = operation["responses"]["200"]["content"]
        assert list(content) == ["text/event-stream"]


async def test_openapi_documents_bodies_and_problems(openapi: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in openapi["components"]["schemas"]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} is not explained"
            for status, response in operation["responses"].items():
                is_problem = "application/problem+json" in response.get("content", {})
                assert is_problem == (int(status) >= 400) or path == "/readyz"
    body = openapi["paths"]["/v1/chat"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["$ref"].endswith("/ChatRequest")
    for route, model in (("/v1/recommend", "RecommendRequest"), ("/v1/feedback", "Feedback")):
        body = openapi["paths"][route]["post"]["requestBody"]["content"]["application/json"]
        assert body["schema"]["$ref"].endswith(f"/{model}")
        assert openapi["components"]["schemas"][model]["examples"]
    asked = {one["name"] for one in openapi["paths"]["/v1/search"]["get"]["parameters"]}
    assert asked >= {"query", "k", "genre", "not_genre", "year_min", "violence_max"}
    chat = openapi["components"]["schemas"]["ChatRequest"]
    assert chat["additionalProperties"] is False
    assert set(chat["properties"]) == {"message", "conversation_id", "edits"}


# --- stopping -------------------------------------------------------------------------------------


def read_until(lines: Iterator[str], kind: str) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        if line.startswith("data:"):
            found.append(json.loads(line[5:]))
            if found[-1]["type"] == kind:
                return found
    raise AssertionError(f"the stream ended without {kind}: {found[-1:]}")


def test_sigterm_tells_readers_to_reconnect_and_the_turn_is_read_back(tmp_path: Path) -> None:
    with (
        server_process(tmp_path, hold=True) as (process, url),
        httpx.Client(base_url=url, timeout=20) as client,
        client.stream("POST", "/v1/chat", json=HELLO) as response,
    ):
        lines = response.iter_lines()
        (started,) = read_until(lines, "turn.started")
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        assert read_until(lines, "reconnect")[-1]["after_ms"] > 0
        assert [line for line in lines if line.startswith("data:")] == []
        process.wait(timeout=20)
        assert time.monotonic() - told < 10
        cookies = dict(client.cookies)
    with (
        server_process(tmp_path, hold=False) as (process, url),
        httpx.Client(base_url=url, timeout=20, cookies=cookies) as client,
    ):
        replayed = client.get(
            f"/v1/turns/{started['turn_id']}/events", headers={"Last-Event-ID": "1"}
        )
        events = Reader.parse(replayed.text)
        assert events[0]["id"] == 2
        assert (events[-1]["type"], events[-1]["status"]) == ("turn.finished", "cancelled")


@pytest.mark.slow
@pytest.mark.usefixtures("each_store")
def test_conversation_of_a_killed_server_goes_on_after_the_lease(tmp_path: Path) -> None:
    # The lease: deadline + grace + 5 s. The second server runs before the first is killed, because
    # a start may take as long as that.
    short = {"USHER_TURN_DEADLINE_S": "0.5", "USHER_GRACE_S": "0.1"}
    with server_process(tmp_path, hold=False) as (_, second):
        with (
            server_process(tmp_path, hold=True, **short) as (process, first),
            httpx.Client(base_url=first, timeout=20) as client,
            client.stream("POST", "/v1/chat", json=HELLO) as response,
        ):
            (started,) = read_until(response.iter_lines(), "turn.started")
            process.kill()
            cookies = dict(client.cookies)
        with httpx.Client(base_url=second, timeout=20, cookies=cookies) as client:
            go_on_after_the_lease(client, started)


def go_on_after_the_lease(client: httpx.Client, started: Json) -> None:
    body = {"message": "and now?", "conversation_id": started["conversation_id"]}
    busy = client.post("/v1/chat", json=body)
    assert (busy.status_code, busy.json()["code"]) == (409, "conversation_busy")
    wait = int(busy.headers["retry-after"])
    assert 1 <= wait <= 6
    time.sleep(wait)
    lost = client.get(f"/v1/turns/{started['turn_id']}/events")
    assert (lost.status_code, lost.json()["code"]) == (410, "turn_lost")
    answer = Reader.parse(client.post("/v1/chat", json=body).text)
    assert answer[-1]["status"] == "completed"
    kept = client.get(f"/v1/conversations/{started['conversation_id']}").json()
    assert [(turn["message"], turn["status"]) for turn in kept["turns"]] == [
        (HELLO["message"], "failed"),
        ("and now?", "completed"),
    ]


def test_idle_server_stops_at_once(tmp_path: Path) -> None:
    with server_process(tmp_path, hold=False) as (process, _):
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        assert time.monotonic() - began < 5
