"""The DynamoDB stores: contracts on moto and dynalite, pages, sizes, and what a deletion leaves."""

import asyncio
import base64
import json
import random
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

import dynamo
from contracts_conversations import ConversationStoreContract
from contracts_stores import (
    ANN,
    NOW,
    CacheStoreContract,
    InteractionStoreContract,
    KeysContract,
    ProfileStoreContract,
    QuotaStoreContract,
    finished,
    interaction,
    turn_record,
)
from contracts_user_records import Raw, UserRecordsContract
from infra.dynamodb_items import pack, to_item
from infra.dynamodb_tables import SHAPES
from infra.stores_dynamodb import DynamoDbStores
from infra.stores_dynamodb_conversations import DynamoDbConversations
from tools.stores import NotFound, RecordTooLarge, TurnRecord


@pytest.fixture(params=["moto", "dynalite"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[DynamoDbStores]:
    if request.param == "moto":
        async with dynamo.in_process() as one:
            yield one
    else:
        async with dynamo.on_server(request.getfixturevalue("dynalite")) as one:
            yield one


@pytest.fixture
async def served(dynalite: str) -> AsyncIterator[DynamoDbStores]:
    """On dynalite only: what needs real pages or real concurrency."""
    async with dynamo.on_server(dynalite) as one:
        yield one


async def everything(stores: DynamoDbStores) -> list[dict[str, Any]]:
    """Every item of every table, read past the stores."""
    database, items = stores.database, []
    for shape in SHAPES:
        pages = database._client.get_paginator("scan").paginate(
            TableName=database.place.table(shape.name), ConsistentRead=True
        )
        items += [item for page in await asyncio.to_thread(list, pages) for item in page["Items"]]
    return items


@pytest.fixture
def raw(stores: DynamoDbStores) -> Raw:
    async def serialised() -> bytes:
        found = []
        for item in await everything(stores):
            found.append(repr(item).encode())
            for name in ("outcome", "dialogue", "preferences", "packed"):
                if name in item:
                    found.append(zlib.decompress(item[name]["B"]))
        return b"\n".join(found)

    return serialised


class TestConversations(ConversationStoreContract):
    pass


class TestProfiles(ProfileStoreContract):
    pass


class TestInteractions(InteractionStoreContract):
    pass


class TestCache(CacheStoreContract):
    async def test_expiry_is_written_where_ttl_reads_it(self, stores: DynamoDbStores) -> None:
        await stores.cache.put("k", b"x", expires_at=NOW + 0.5)
        await stores.quotas.take(ANN, "q", limit=9, window_s=60, now=NOW)
        times = [int(item["delete_after"]["N"]) for item in await everything(stores)]
        assert times[0] == NOW + 1
        assert times[1] > NOW + 60


class TestQuotas(QuotaStoreContract):
    pass


class TestKeys(KeysContract):
    pass


class TestUserRecords(UserRecordsContract):
    pass


# --- sizes and pages ------------------------------------------------------------------------------


def noise(size: int, seed: int) -> str:
    """Text that no compression makes smaller than three quarters."""
    return base64.b64encode(random.Random(seed).randbytes(size * 3 // 4)).decode()


async def talk(
    stores: DynamoDbStores, turns: int, answer: str = "here you are"
) -> list[TurnRecord]:
    kept = []
    for n in range(turns):
        turn = turn_record(f"t{n}", index=n)
        await stores.conversations.begin_turn(ANN, turn, lease_until=NOW + 9, now=NOW)
        kept.append(replace(finished(turn), answer=answer))
        await stores.conversations.finish_turn(ANN, kept[-1], {"n": n})
    return kept


async def test_long_conversation_is_read_over_many_pages(served: DynamoDbStores) -> None:
    answers = noise(150_000, seed=1)
    await talk(served, 24, answers)  # 2.7 MB; a page has 1 MB
    loaded = await served.conversations.load(ANN, "c1")
    assert [turn.index for turn in loaded.turns] == list(range(24))
    assert {turn.answer for turn in loaded.turns} == {answers}
    assert (await served.conversations.turn(ANN, "t3")).answer == answers
    await served.conversations.delete(ANN, "c1")
    assert await everything(served) == []


async def test_interactions_are_read_and_erased_over_many_pages(served: DynamoDbStores) -> None:
    sent = [
        replace(interaction(str(n), at=NOW + n), movie_id=noise(30_000, seed=n)) for n in range(80)
    ]
    for start in range(0, 80, 10):
        await served.interactions.append(ANN, sent[start : start + 10])
    assert await served.interactions.recent(ANN) == sent[::-1]
    assert await served.interactions.recent(ANN, ["like"], limit=70) == sent[:9:-1]
    assert await served.interactions.delete(ANN) == 80
    assert await everything(served) == []


async def test_events_of_a_long_turn_are_compressed(stores: DynamoDbStores) -> None:
    turn = turn_record()
    events = [
        {"id": n, "type": "text.delta", "turn_id": "t1", "text": f"word {n} of a long answer"}
        for n in range(4000)
    ]
    long = replace(finished(turn), events=events)
    assert len(json.dumps(events)) > 350_000
    await stores.conversations.begin_turn(ANN, turn, lease_until=NOW + 9, now=NOW)
    await stores.conversations.finish_turn(ANN, long, {})
    assert list((await stores.conversations.turn(ANN, "t1")).events) == events
    stored = sum(
        len(item["outcome"]["B"]) for item in await everything(stores) if "outcome" in item
    )
    assert stored < 60_000


async def test_what_no_item_holds_is_refused_before_it_is_sent(stores: DynamoDbStores) -> None:
    text = noise(400_000, seed=2)
    turn = replace(turn_record(), message=text)
    with pytest.raises(RecordTooLarge, match="an item of"):
        await stores.conversations.begin_turn(
            ANN, replace(turn, conversation_id=text[:200] * 60), lease_until=NOW + 9, now=NOW
        )
    assert await everything(stores) == []


async def test_batch_over_one_item_is_refused_whole(stores: DynamoDbStores) -> None:
    batch = [replace(interaction(str(n)), movie_id=noise(90_000, seed=n)) for n in range(8)]
    with pytest.raises(RecordTooLarge):
        await stores.interactions.append(ANN, batch)
    assert await everything(stores) == []


# --- what a killed process leaves behind ----------------------------------------------------------


async def test_batch_of_a_killed_process_is_completed_by_whoever_comes(
    stores: DynamoDbStores,
) -> None:
    """The batch item is there, and a part of what it holds."""
    await stores.interactions.append(ANN, [interaction(str(n)) for n in range(5)])
    first = [item for item in await everything(stores) if item["sk"]["S"] in ("i#0", "i#1")]
    rows = [
        {
            name: float(typed["N"]) if "N" in typed else typed["S"]
            for name, typed in {**item, "sk": {"S": f"i#late{n}"}, "key": {"S": f"late{n}"}}.items()
        }
        for n, item in enumerate(first)
    ]
    batch = {"pk": f"p#{ANN}", "sk": "batch#killed", "packed": pack(json.dumps(rows))}
    name = stores.database.place.table("interactions")
    for item in (batch, rows[0]):
        await stores.database.call("put_item", TableName=name, Item=to_item(item))
    found = await stores.interactions.recent(ANN)
    assert {one.key for one in found} == {"0", "1", "2", "3", "4", "late0", "late1"}
    assert not [item for item in await everything(stores) if "packed" in item]


def inside(stores: DynamoDbStores) -> DynamoDbConversations:
    assert isinstance(stores.conversations, DynamoDbConversations)
    return stores.conversations


async def test_copy_made_while_the_conversation_was_deleted_is_not_left(
    stores: DynamoDbStores,
) -> None:
    await talk(stores, 1)
    conversations, late = inside(stores), turn_record("t1", index=1)
    before = await conversations._read(ANN, "c1")
    await conversations.delete(ANN, "c1")
    assert await conversations._continue(ANN, late, NOW + 9, NOW, before) is None
    with pytest.raises(NotFound):
        await conversations.begin_turn(ANN, late, lease_until=NOW + 9, now=NOW)
    assert await everything(stores) == []


async def test_copy_made_from_an_older_head_never_replaces_a_newer_one(
    stores: DynamoDbStores,
) -> None:
    conversations = inside(stores)
    turn = turn_record("t0")
    await conversations.begin_turn(ANN, turn, lease_until=NOW + 9, now=NOW)
    running = await conversations._read(ANN, "c1")
    await conversations.finish_turn(ANN, finished(turn), {})
    await conversations.begin_turn(ANN, turn_record("t1", index=1), lease_until=NOW + 9, now=NOW)
    slow = turn_record("slow", index=1)
    assert await conversations._continue(ANN, slow, NOW + 99, NOW + 50, running) is None
    loaded = await conversations.load(ANN, "c1")
    assert [(t.turn_id, t.status) for t in loaded.turns] == [("t0", "completed"), ("t1", "running")]


async def test_deletion_that_was_killed_is_completed_by_the_next(stores: DynamoDbStores) -> None:
    await talk(stores, 3)
    conversations = inside(stores)
    tombstone = {"pk": f"p#{ANN}", "sk": "2#c1#head", "conversation_id": "c1"}
    await stores.database.put_if("conversations", tombstone, "attribute_exists(pk)")
    with pytest.raises(NotFound):
        await conversations.load(ANN, "c1")
    assert await conversations.conversation_ids(ANN) == []
    assert await conversations.delete_all(ANN) == 1
    assert await everything(stores) == []
