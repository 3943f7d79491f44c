"""The DynamoDB stores when the network or AWS fails: on dynalite behind a proxy with faults."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

import dynamo
from contracts_stores import ANN, NOW, finished, interaction, turn_record
from faulty_proxy import HANG_S, Fault, Faults, proxy
from infra import dynamodb
from infra.stores_dynamodb import DynamoDbStores
from tools.stores import Profile, StaleVersion, StoreUnavailable, TurnSuperseded


@pytest.fixture
def faults(dynalite: str) -> Iterator[Faults]:
    with proxy(dynalite) as one:
        yield one


@pytest.fixture
async def stores(faults: Faults) -> AsyncIterator[DynamoDbStores]:
    async with dynamo.on_server(faults.url) as one:
        yield one


@pytest.mark.parametrize("fault", ["throttle", "conflict", "error"])
async def test_refusal_that_passes_is_repeated(
    stores: DynamoDbStores, faults: Faults, fault: Fault
) -> None:
    faults.next("PutItem", fault, times=3)
    assert await stores.profiles.put(ANN, Profile(0, {"n": 1})) == Profile(1, {"n": 1})
    assert faults.asked["PutItem"] == 4
    faults.next("GetItem", fault, times=2)
    assert await stores.profiles.get(ANN) == Profile(1, {"n": 1})


async def test_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    stores: DynamoDbStores, faults: Faults
) -> None:
    faults.next("PutItem", "lose answer")
    first = await stores.profiles.put(ANN, Profile(0, {"n": 1}))
    faults.next("PutItem", "lose answer")
    second = await stores.profiles.put(ANN, replace(first, preferences={"n": 2}))
    assert await stores.profiles.get(ANN) == second == Profile(2, {"n": 2})
    faults.next("PutItem", "lose answer")
    with pytest.raises(StaleVersion):
        await stores.profiles.put(ANN, first)
    assert await stores.profiles.get(ANN) == second


async def test_turn_whose_answers_were_lost_is_begun_and_finished_once(
    stores: DynamoDbStores, faults: Faults
) -> None:
    begin, finish = stores.conversations.begin_turn, stores.conversations.finish_turn
    for n in range(2):
        turn = turn_record(f"t{n}", index=n)
        faults.next("PutItem", "lose answer", times=n + 2)
        begun = await begin(ANN, turn, lease_until=NOW + 9, now=NOW)
        assert (begun.running_turn, len(begun.turns)) == (f"t{n}", n)
        faults.next("UpdateItem", "lose answer")
        await finish(ANN, finished(turn), {"of": turn.turn_id})
        with pytest.raises(TurnSuperseded):
            await finish(ANN, finished(turn), None)
    loaded = await stores.conversations.load(ANN, "c1")
    assert [turn.status for turn in loaded.turns] == ["completed"] * 2
    assert loaded.version == 4
    assert loaded.state == {"of": "t1"}


async def test_interactions_whose_answers_were_lost_count_once(
    stores: DynamoDbStores, faults: Faults
) -> None:
    faults.next("PutItem", "lose answer")
    assert await stores.interactions.append(ANN, [interaction("one")]) == 1
    faults.next("PutItem", "lose answer", times=20, after=1)
    assert await stores.interactions.append(ANN, [interaction(str(n)) for n in range(40)]) == 40
    assert len(await stores.interactions.recent(ANN)) == 41


async def test_quota_whose_answer_was_lost_never_admits_more(
    stores: DynamoDbStores, faults: Faults
) -> None:
    faults.next("UpdateItem", "lose answer")
    left = await stores.quotas.take(ANN, "q", limit=5, window_s=60, now=NOW)
    assert left == 3, "counted twice: a little less than the limit, never more"


async def test_halves_of_batches_are_asked_again(stores: DynamoDbStores, faults: Faults) -> None:
    sent = [interaction(str(n), at=NOW + n) for n in range(60)]
    await stores.interactions.append(ANN, sent)
    faults.next("BatchGetItem", "half", times=3)
    assert await stores.interactions.append(ANN, sent) == 0
    faults.next("BatchWriteItem", "half", times=3)
    assert await stores.interactions.delete(ANN) == 60
    assert faults.asked["BatchWriteItem"] > 3
    assert await stores.interactions.recent(ANN) == []


async def test_throttling_without_end_is_unavailable_within_the_time_out(
    stores: DynamoDbStores, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "CALL_TIMEOUT_S", 0.5)
    faults.next("GetItem", "throttle", times=1000)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"did not do get_item within 0\.5 s .*Throughput"):
        await stores.profiles.get(ANN)
    assert time.monotonic() - started < 5
    faults.coming.clear()
    assert await stores.profiles.get(ANN) == Profile()


async def test_loop_stays_free_while_the_server_hangs(
    stores: DynamoDbStores, faults: Faults
) -> None:
    faults.next("GetItem", "hang")
    read = asyncio.create_task(stores.profiles.get(ANN))
    started = time.monotonic()
    for _ in range(10):
        await asyncio.sleep(0.02)
    assert time.monotonic() - started < HANG_S - 0.2
    assert not read.done()
    assert await read == Profile()


async def test_denied_access_says_where_the_policy_is(
    stores: DynamoDbStores, faults: Faults
) -> None:
    faults.next("PutItem", "deny")
    with pytest.raises(StoreUnavailable, match="denies access to t-.*README has the policy"):
        await stores.profiles.put(ANN, Profile())
    assert faults.asked["PutItem"] == 1, "asking again does not help"


async def test_server_that_is_gone_is_unavailable(
    dynalite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "CALL_TIMEOUT_S", 0.5)
    with proxy(dynalite) as faults:
        gone = faults.url
    with dynamo.credentials():
        stores = DynamoDbStores.on(dynamodb.DynamoDb(dynamo.client(gone, 1), dynamodb.Place()))
        with pytest.raises(
            StoreUnavailable, match="Could not connect.*USHER_DYNAMODB_ENDPOINT_URL"
        ):
            await stores.profiles.get(ANN)
        await stores.close()


async def test_closed_store_says_so(stores: DynamoDbStores) -> None:
    await stores.close()
    await stores.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        await stores.profiles.get(ANN)
