"""The DynamoDB stores used by several processes at once, and by processes that are killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import dynamo
from contracts_stores import ANN, NOW, finished, turn_record
from faulty_proxy import proxy
from infra.stores_dynamodb import DynamoDbStores
from tools.stores import ConversationBusy, TurnSuperseded

ROOT = Path(__file__).resolve().parents[1]
PRELUDE = """
import asyncio, sys
from contracts_stores import ANN, NOW, interaction, turn_record
from infra.dynamodb import Place
from infra.stores_dynamodb import DynamoDbStores
from tools.stores import ConversationBusy, QuotaExceeded
async def opened():
    stores = await DynamoDbStores.open(Place(*sys.argv[-3:]))
    print("ready", flush=True)
    sys.stdin.readline()
    return stores
"""
TAKE_QUOTA = """
async def main():
    stores = await opened()
    admitted = 0
    for _ in range(50):
        try:
            await stores.quotas.take(ANN, "q", limit=100, window_s=60, now=NOW)
            admitted += 1
        except QuotaExceeded:
            pass
    await stores.close()
    print(admitted)
asyncio.run(main())
"""
BEGIN = """
async def main():
    stores = await opened()
    turn = turn_record(sys.argv[1])
    try:
        await stores.conversations.begin_turn(ANN, turn, lease_until=NOW + 30, now=NOW)
        print("begun", flush=True)
        await asyncio.sleep(600 if sys.argv[2] == "hang" else 0)
    except ConversationBusy:
        print("busy", flush=True)
    await stores.close()
asyncio.run(main())
"""
WRITE_BATCHES = """
async def main():
    stores = await opened()
    for batch in range(1000):
        rows = [interaction(f"{sys.argv[1]}-{batch}-{n}") for n in range(40)]
        await stores.interactions.append(ANN, rows)
        print(batch, flush=True)
asyncio.run(main())
"""


@pytest.fixture
async def stores(dynalite: str) -> AsyncIterator[DynamoDbStores]:
    # dynalite ends when a client is killed while it sends; the proxy takes that blow.
    with proxy(dynalite) as front:
        async with dynamo.on_server(front.url) as one:
            yield one


def start(stores: DynamoDbStores, program: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process that opens the same tables, then waits for a line."""
    place = stores.database.place
    where = (str(place.region), str(place.endpoint_url), place.prefix)
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + program, *arguments, *where],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(child: "subprocess.Popen[str]") -> None:
    assert child.stdin
    assert said(child) == "ready\n"
    child.stdin.write("go\n")
    child.stdin.flush()


def said(child: "subprocess.Popen[str]") -> str:
    assert child.stdout
    return child.stdout.readline()


def kill(child: "subprocess.Popen[str]") -> str:
    child.send_signal(signal.SIGKILL)
    return child.communicate(timeout=30)[0]


async def test_processes_share_one_quota(stores: DynamoDbStores) -> None:
    children = [start(stores, TAKE_QUOTA) for _ in range(3)]
    for child in children:
        go(child)
    assert sum(int(child.communicate(timeout=60)[0]) for child in children) == 100


async def test_of_two_processes_that_begin_a_turn_one_wins(stores: DynamoDbStores) -> None:
    children = [start(stores, BEGIN, name, "end") for name in ("t1", "t2")]
    for child in children:
        go(child)
    assert {child.communicate(timeout=60)[0] for child in children} == {"begun\n", "busy\n"}


async def test_conversation_of_a_killed_process_is_taken_over_after_its_lease(
    stores: DynamoDbStores,
) -> None:
    child = start(stores, BEGIN, "lost", "hang")
    go(child)
    assert said(child) == "begun\n"
    kill(child)
    begin = stores.conversations.begin_turn
    heir = turn_record("heir", index=1)
    with pytest.raises(ConversationBusy):
        await begin(ANN, heir, lease_until=NOW + 60, now=NOW + 29)
    begun = await begin(ANN, heir, lease_until=NOW + 60, now=NOW + 31)
    assert [(turn.turn_id, turn.status) for turn in begun.turns] == [("lost", "failed")]
    with pytest.raises(TurnSuperseded):
        await stores.conversations.finish_turn(ANN, finished(turn_record("lost")), None)


@pytest.mark.slow
async def test_kill_9_leaves_every_batch_whole_or_not_at_all(stores: DynamoDbStores) -> None:
    acknowledged: set[str] = set()
    for number in range(3):
        child = start(stores, WRITE_BATCHES, str(number))
        go(child)
        first = said(child)
        time.sleep(0.11 * (number + 1))
        acknowledged |= {f"{number}-{batch}" for batch in (first + kill(child)).split()}
    time.sleep(0.5)  # what the killed process had sent is answered, or dropped, by then
    kept: dict[str, int] = {}
    for one in await stores.interactions.recent(ANN, limit=10**6):
        batch = one.key.rpartition("-")[0]
        kept[batch] = kept.get(batch, 0) + 1
    assert set(kept.values()) == {40}
    assert acknowledged <= kept.keys()
    assert len(kept.keys() - acknowledged) <= 3
