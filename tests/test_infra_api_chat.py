"""Chat over HTTP: events, conversations, busy, stop, resume, replay; live where it streams."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent.events import EVENT
from dynamo import dynamodb, each_store
from serving import Reader, Running, serve, usher
from tools.stores import TurnRecord

__all__ = ["dynamodb", "each_store"]  # fixtures

HELLO = {"message": "a tense crime thriller"}
Json = dict[str, Any]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with usher(tmp_path) as one:
        yield one


def text_of(events: list[Json]) -> str:
    return "".join(event["text"] for event in events if event["type"] == "text.delta")


async def test_answer_streams_as_the_event_union(running: Running) -> None:
    async with running.client() as client:
        response = await client.post("/v1/chat", json=HELLO)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    events = Reader.parse(response.text)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert [events[0]["type"], events[-1]["type"]] == ["turn.started", "turn.finished"]
    assert len({event["turn_id"] for event in events}) == 1
    for event in events:
        EVENT.validate_python(event)
    turn_id = events[0]["turn_id"]
    assert response.headers["location"] == f"/v1/turns/{turn_id}/events"


async def test_sse_fields_carry_id_type_and_flat_json(running: Running) -> None:
    async with running.client() as client:
        response = await client.post("/v1/chat", json=HELLO)
    first = response.text.split("\n\n")[0].split("\n")
    assert first[:2] == ["id: 1", "event: turn.started"]
    assert first[2].startswith('data: {"id":1,')


async def test_conversation_goes_on_and_is_read_back(running: Running) -> None:
    async with running.client() as client:
        first = await running.say(client, HELLO)
        conversation_id = first[0]["conversation_id"]
        again = await running.say(client, {"message": "more", "conversation_id": conversation_id})
        kept = (await client.get(f"/v1/conversations/{conversation_id}")).json()
    assert again[0]["conversation_id"] == conversation_id
    assert kept["conversation_id"] == conversation_id
    assert kept["running_turn"] is None
    assert [turn["message"] for turn in kept["turns"]] == [HELLO["message"], "more"]
    assert [turn["status"] for turn in kept["turns"]] == ["completed", "completed"]
    assert kept["turns"][0]["events"] == first
    assert kept["turns"][0]["answer"] == text_of(first)


async def test_deleted_conversation_is_gone_with_its_turns(running: Running) -> None:
    async with running.client() as client:
        events = await running.say(client, HELLO)
        address = f"/v1/conversations/{events[0]['conversation_id']}"
        assert (await client.delete(address)).status_code == 204
        assert (await client.get(address)).status_code == 404
        assert (await client.delete(address)).status_code == 404
        gone = await client.get(f"/v1/turns/{events[0]['turn_id']}/events")
        assert gone.status_code == 404


async def test_ledger_chip_removes_its_entry(running: Running) -> None:
    async with running.client() as client:
        first = await running.say(client, {"message": "a thriller, but no horror"})
        ledger = next(event for event in first if event["type"] == "ledger")
        entry = ledger["entries"][0]
        edit = {"op": "remove", "entry_id": entry["id"], "ledger_version": ledger["version"]}
        body = {
            "message": entry["remove_text"],
            "conversation_id": first[0]["conversation_id"],
            "edits": [edit],
        }
        for stale in ({"ledger_version": 99}, {"entry_id": "e99"}):
            refused = await client.post("/v1/chat", json={**body, "edits": [{**edit, **stale}]})
            assert (refused.status_code, refused.json()["code"]) == (409, "stale_edit")
        second = await running.say(client, body)
        after = next(event for event in second if event["type"] == "ledger")
        assert entry["id"] not in [one["id"] for one in after["entries"]]
        assert len(after["entries"]) == len(ledger["entries"]) - 1
        again = await client.post("/v1/chat", json=body)
        assert again.status_code == 409, "the version moved on"


@pytest.mark.parametrize("how", ["header", "query", "query wins"])
async def test_finished_turn_is_replayed_from_any_event(running: Running, how: str) -> None:
    async with running.client() as client:
        events = await running.say(client, HELLO)
        address = f"/v1/turns/{events[0]['turn_id']}/events"
        headers = {"Last-Event-ID": "2" if how == "header" else "999"} if how != "query" else {}
        params = {} if how == "header" else {"after": 2}
        replayed = await client.get(address, headers=headers, params=params)
        whole = await client.get(address)
        past_the_end = await client.get(address, params={"after": len(events)})
    assert Reader.parse(replayed.text) == events[2:]
    assert Reader.parse(whole.text) == events
    assert Reader.parse(past_the_end.text) == []


async def test_replay_works_after_a_restart(tmp_path: Path) -> None:
    async with usher(tmp_path) as running, running.client() as client:
        events = await running.say(client, HELLO)
        cookies = dict(client.cookies)
    async with usher(tmp_path) as running, running.client(cookies=cookies) as client:
        replayed = await client.get(f"/v1/turns/{events[0]['turn_id']}/events")
        assert Reader.parse(replayed.text) == events


@pytest.mark.parametrize("wrong", ["one", "-1", "1.5", "9" * 30, "²"])
async def test_wrong_event_number_is_refused(running: Running, wrong: str) -> None:
    async with running.client() as client:
        events = await running.say(client, HELLO)
        address = f"/v1/turns/{events[0]['turn_id']}/events"
        headers = {b"Last-Event-ID": wrong.encode("utf-8")}
        by_header = await client.get(address, headers=headers)
        assert by_header.status_code == 422
        assert by_header.json()["code"] == "bad_event_id"
        if wrong != "9" * 30:
            by_query = await client.get(address, params={"after": wrong})
            assert by_query.status_code == 422


@pytest.mark.usefixtures("each_store")
async def test_second_message_while_one_runs_is_409(tmp_path: Path) -> None:
    async with serve(tmp_path) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            started = await reader.next()
            body = {"message": "and?", "conversation_id": started["conversation_id"]}
            refused = await client.post("/v1/chat", json=body)
            assert refused.status_code == 409
            assert refused.json()["code"] == "conversation_busy"
            assert int(refused.headers["retry-after"]) >= 1
            running.release()
            assert (await reader.rest())[-1]["status"] == "completed"
        kept = await client.get(f"/v1/conversations/{started['conversation_id']}")
        assert len(kept.json()["turns"]) == 1
        assert (await running.say(client, body))[-1]["status"] == "completed"


async def test_more_turns_than_allowed_are_refused_at_once(tmp_path: Path) -> None:
    async with serve(tmp_path, max_turns=1) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            await reader.next()
            refused = await client.post("/v1/chat", json=HELLO)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            assert int(refused.headers["retry-after"]) >= 1
            running.release()
            await reader.rest()
        assert (await running.say(client, HELLO))[-1]["status"] == "completed"


async def test_stop_keeps_what_was_said(tmp_path: Path) -> None:
    async with serve(tmp_path) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            started = await reader.next()
            stop = f"/v1/turns/{started['turn_id']}/stop"
            assert (await client.post(stop)).status_code == 204
            rest = await reader.rest()
        assert (rest[-1]["type"], rest[-1]["status"]) == ("turn.finished", "cancelled")
        assert (await client.post(stop)).status_code == 204
        kept = (await client.get(f"/v1/conversations/{started['conversation_id']}")).json()
        assert [turn["status"] for turn in kept["turns"]] == ["cancelled"]
        assert kept["running_turn"] is None


async def test_cut_stream_resumes_without_gap_or_repeat(tmp_path: Path) -> None:
    async with serve(tmp_path) as running, running.client() as client:
        running.hold()
        seen: list[Json] = []
        async with Reader(client, HELLO) as reader:
            seen.append(await reader.next())
        for _ in range(3):
            last = seen[-1]
            async with Reader(client, turn_id=last["turn_id"], after=last["id"]) as reader:
                running.release()
                seen.append(await reader.next())
        async with Reader(client, turn_id=last["turn_id"], after=seen[-1]["id"]) as reader:
            seen += await reader.rest()
        assert [event["id"] for event in seen] == list(range(1, len(seen) + 1))
        assert seen[-1]["status"] == "completed"
        kept = await client.get(f"/v1/conversations/{seen[0]['conversation_id']}")
        assert text_of(seen) == kept.json()["turns"][0]["answer"]


async def test_turn_without_readers_is_cancelled_after_the_grace(tmp_path: Path) -> None:
    async with serve(tmp_path, grace_s=0.2) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            started = await reader.next()
        address = f"/v1/conversations/{started['conversation_id']}"
        async with asyncio.timeout(5):
            while (await client.get(address)).json()["running_turn"]:
                await asyncio.sleep(0.05)
        assert (await client.get(address)).json()["turns"][0]["status"] == "cancelled"
        assert running.services.assistant.running == 0


async def test_reader_that_leaves_is_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(tmp_path, grace_s=0.1) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            await reader.next()
            await reader.next()
            await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            while running.services.assistant.running:
                await asyncio.sleep(0.05)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_reader_that_returns_in_time_keeps_the_turn(tmp_path: Path) -> None:
    async with serve(tmp_path, grace_s=1.0) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            started = await reader.next()
        await asyncio.sleep(0.3)
        async with Reader(client, turn_id=started["turn_id"], after=1) as reader:
            await reader.next()
            await asyncio.sleep(1.2)
            running.release()
            assert (await reader.rest())[-1]["status"] == "completed"


def begun_elsewhere(lease_s: float) -> dict[str, Any]:
    """A turn that some other process began and has not finished."""
    now = time.time()
    record = TurnRecord("t_other", "c_other", 0, "a film", "running", now)
    return {"turn": record, "lease_until": now + lease_s, "now": now}


async def test_turn_of_another_process_asks_to_come_back(running: Running) -> None:
    async with running.client() as client:
        await client.get("/")
        store = running.services.stores.conversations
        await store.begin_turn(running.principal(client), **begun_elsewhere(lease_s=30))
        response = await client.get("/v1/turns/t_other/events")
        assert [event["type"] for event in Reader.parse(response.text)] == ["reconnect"]
        assert "\nid:" not in f"\n{response.text}", "it must not become the Last-Event-ID"


async def test_turn_of_a_killed_process_is_410_after_its_lease(running: Running) -> None:
    async with running.client() as client:
        await client.get("/")
        store = running.services.stores.conversations
        await store.begin_turn(running.principal(client), **begun_elsewhere(lease_s=-1))
        lost = await client.get("/v1/turns/t_other/events")
        assert (lost.status_code, lost.json()["code"]) == (410, "turn_lost")
        again = await running.say(client, {"message": "a film", "conversation_id": "c_other"})
        assert again[-1]["status"] == "completed"
        turns = (await client.get("/v1/conversations/c_other")).json()["turns"]
        assert [turn["status"] for turn in turns] == ["failed", "completed"]


async def test_running_conversation_that_is_deleted_stops_and_stays_gone(tmp_path: Path) -> None:
    async with serve(tmp_path) as running, running.client() as client:
        running.hold()
        async with Reader(client, HELLO) as reader:
            started = await reader.next()
            address = f"/v1/conversations/{started['conversation_id']}"
            assert (await client.delete(address)).status_code == 204
            await reader.rest()
        assert (await client.get(address)).status_code == 404
        assert running.services.assistant.running == 0
