"""The SQLite stores: contracts on a file and in memory, processes, kills, unusable files."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

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
from infra.sqlite_database import MIGRATIONS
from infra.stores_sqlite import IN_MEMORY, SqliteStores
from tools.stores import (
    Conversation,
    ConversationBusy,
    QuotaExceeded,
    StoreUnavailable,
    TurnSuperseded,
)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(params=["file", "memory"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStores]:
    async with opened(tmp_path / "usher.sqlite3" if request.param == "file" else IN_MEMORY) as one:
        yield one


@asynccontextmanager
async def opened(path: Path | str) -> AsyncIterator[SqliteStores]:
    stores = await SqliteStores.open(path)
    try:
        yield stores
    finally:
        await stores.close()


async def rows_of(stores: SqliteStores, table: str) -> int:
    def work(connection: sqlite3.Connection) -> int:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    return await stores.database.read(work)


class TestConversations(ConversationStoreContract):
    pass


class TestProfiles(ProfileStoreContract):
    pass


class TestInteractions(InteractionStoreContract):
    pass


class TestCache(CacheStoreContract):
    async def test_expired_values_are_swept_from_the_file(self, stores: SqliteStores) -> None:
        for n in range(20):
            await stores.cache.put(str(n), b"x", expires_at=NOW + n)
        await stores.cache.get("19", now=NOW + 15)
        assert await rows_of(stores, "cache") == 4


class TestKeys(KeysContract):
    pass


class TestQuotas(QuotaStoreContract):
    async def test_past_windows_are_swept_from_the_file(self, stores: SqliteStores) -> None:
        for n in range(20):
            await self.take(stores, now=NOW + 60 * n)
        assert await rows_of(stores, "quota") <= 2


@pytest.fixture
def raw(stores: SqliteStores) -> Raw:
    """The whole database as a file would hold it, free pages included."""

    def work(connection: sqlite3.Connection) -> bytes:
        return connection.serialize()

    async def serialised() -> bytes:
        return await stores.database.read(work)

    return serialised


class TestUserRecords(UserRecordsContract):
    pass


# --- several threads and processes on one file ---------------------------------------------------


async def test_two_openings_of_one_file_share_everything(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    async with opened(path) as one, opened(path) as two:
        results = await asyncio.gather(
            *(
                stores.conversations.begin_turn(
                    ANN, turn_record(name), lease_until=NOW + 9, now=NOW
                )
                for stores, name in ((one, "t1"), (two, "t2"))
            ),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {Conversation, ConversationBusy}

        async def take(stores: SqliteStores) -> int:
            try:
                await stores.quotas.take(ANN, "q", limit=100, window_s=60, now=NOW)
            except QuotaExceeded:
                return 0
            return 1

        assert sum(await asyncio.gather(*(take(s) for s in [one, two] * 250))) == 100


def run_python(program: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


PRELUDE = """
import asyncio, sys
from contracts_stores import ANN, NOW, interaction, turn_record
from infra.stores_sqlite import SqliteStores
from tools.stores import ConversationBusy, QuotaExceeded
"""
TAKE_QUOTA = """
async def main(path):
    stores = await SqliteStores.open(path)
    print("ready", flush=True)
    sys.stdin.readline()
    admitted = 0
    for _ in range(50):
        try:
            await stores.quotas.take(ANN, "q", limit=100, window_s=60, now=NOW)
            admitted += 1
        except QuotaExceeded:
            pass
    await stores.close()
    print(admitted)
asyncio.run(main(sys.argv[1]))
"""
WRITE_INTERACTIONS = """
async def main(path, round):
    stores = await SqliteStores.open(path)
    for n in range(100_000):
        key = f"{round}-{n}"
        await stores.interactions.append(ANN, [interaction(key)])
        print(key, flush=True)
asyncio.run(main(*sys.argv[1:]))
"""
BEGIN_AND_HANG = """
async def main(path):
    stores = await SqliteStores.open(path)
    await stores.conversations.begin_turn(ANN, turn_record("lost"), lease_until=NOW + 30, now=NOW)
    print("begun", flush=True)
    await asyncio.sleep(600)
asyncio.run(main(sys.argv[1]))
"""


def test_processes_that_create_the_file_at_once_share_one_quota(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "usher.sqlite3")
    children = [run_python(TAKE_QUOTA, path) for _ in range(4)]
    for child in children:
        assert child.stdout and child.stdout.readline() == "ready\n"
    admitted = sum(int(child.communicate("go\n", timeout=60)[0]) for child in children)
    assert admitted == 100


def kill(child: "subprocess.Popen[str]") -> str:
    child.send_signal(signal.SIGKILL)
    return child.communicate(timeout=30)[0]


async def test_kill_9_loses_no_acknowledged_interaction(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    acknowledged: set[str] = set()
    for number in range(4):
        child = run_python(WRITE_INTERACTIONS, str(path), str(number))
        assert child.stdout
        first = child.stdout.readline()
        time.sleep(0.05 * (number + 1))
        acknowledged.update((first + kill(child)).split())
    async with opened(path) as stores:
        kept = {one.key for one in await stores.interactions.recent(ANN, limit=10**6)}
    assert len(acknowledged) > 20
    # At most the one write per round that was stored but not yet acknowledged comes on top.
    assert acknowledged <= kept
    assert len(kept - acknowledged) <= 4


async def test_conversation_of_a_killed_process_is_taken_over_after_its_lease(
    tmp_path: Path,
) -> None:
    path = tmp_path / "usher.sqlite3"
    child = run_python(BEGIN_AND_HANG, str(path))
    assert child.stdout and child.stdout.readline() == "begun\n"
    kill(child)
    async with opened(path) as stores:
        begin = stores.conversations.begin_turn
        with pytest.raises(ConversationBusy):
            await begin(ANN, turn_record("heir", index=1), lease_until=NOW + 60, now=NOW + 29)
        begun = await begin(ANN, turn_record("heir", index=1), lease_until=NOW + 60, now=NOW + 31)
        assert [(turn.turn_id, turn.status) for turn in begun.turns] == [("lost", "failed")]
        with pytest.raises(TurnSuperseded):
            await stores.conversations.finish_turn(ANN, finished(turn_record("lost")), None)


async def test_loop_stays_free_while_another_process_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    async with opened(path) as stores:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        write = asyncio.create_task(stores.interactions.append(ANN, [interaction("k")]))
        begun = time.monotonic()
        await asyncio.sleep(0.05)
        assert time.monotonic() - begun < 1
        assert not write.done()
        blocker.execute("ROLLBACK")
        blocker.close()
        assert await write == 1


# --- files that cannot be used -------------------------------------------------------------------


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "usher.sqlite3"
    asyncio.run(_create(path))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("infra.sqlite_database.BUSY_TIMEOUT_S", 0.1)
    yield path
    blocker.close()


async def _create(path: Path) -> None:
    async with opened(path):
        pass


def test_locked_file_says_so(locked: Path) -> None:
    with pytest.raises(StoreUnavailable, match="another process holds it locked"):
        asyncio.run(_create(locked))


async def test_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    path.write_bytes(b"not a database at all, but long enough to have a header" * 40)
    with pytest.raises(StoreUnavailable, match="not an Usher store; move it away"):
        await SqliteStores.open(path)


async def test_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE precious (n)")
    other.commit()
    other.close()
    with pytest.raises(StoreUnavailable, match="another program"):
        await SqliteStores.open(path)


async def test_damaged_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    async with opened(path) as stores:
        await stores.interactions.append(ANN, [interaction(str(n)) for n in range(500)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    async with opened(path) as stores:
        with pytest.raises(StoreUnavailable, match="move it away or restore a backup"):
            await stores.interactions.recent(ANN)


async def test_file_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    await _create(path)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(StoreUnavailable, match="newer Usher"):
        await SqliteStores.open(path)


async def test_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="USHER_HOME"):
        await SqliteStores.open(tmp_path / "file" / "usher.sqlite3")
    with pytest.raises(StoreUnavailable, match="USHER_HOME"):
        await SqliteStores.open(tmp_path)


async def test_read_only_file_refuses_writes_and_still_reads(stores: SqliteStores) -> None:
    await stores.interactions.append(ANN, [interaction("kept")])
    await stores.database.read(lambda c: c.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreUnavailable, match="read-only; make it writable"):
        await stores.interactions.append(ANN, [interaction("refused")])
    assert [one.key for one in await stores.interactions.recent(ANN)] == ["kept"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only files")
async def test_file_without_write_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    await _create(path)
    path.chmod(0o400)
    with pytest.raises(StoreUnavailable, match="writable"):
        await SqliteStores.open(path)


async def test_full_disk_loses_nothing_and_recovers(stores: SqliteStores) -> None:
    await stores.interactions.append(ANN, [interaction("kept")])
    pages = await stores.database.read(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await stores.database.read(lambda c: c.execute(f"PRAGMA max_page_count = {pages}"))
    batch = [interaction(f"{n}" * 200) for n in range(1000)]
    with pytest.raises(StoreUnavailable, match="the disk is full; free some space"):
        await stores.interactions.append(ANN, batch)
    assert [one.key for one in await stores.interactions.recent(ANN)] == ["kept"]
    await stores.database.read(lambda c: c.execute("PRAGMA max_page_count = 100000"))
    assert await stores.interactions.append(ANN, batch) == 1000


async def test_closed_store_says_so(stores: SqliteStores) -> None:
    await stores.close()
    await stores.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        await stores.profiles.get(ANN)


async def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "home" / "usher.sqlite3"
    async with opened(path) as stores:
        await stores.interactions.append(ANN, [interaction("k")])
        modes = {p.name: p.stat().st_mode & 0o077 for p in path.parent.iterdir()}
    assert modes.keys() >= {"usher.sqlite3", "usher.sqlite3-wal"}
    assert not any(modes.values())


async def test_erased_conversation_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "usher.sqlite3"
    async with opened(path) as stores:
        turn = turn_record()
        await stores.conversations.begin_turn(ANN, turn, lease_until=NOW + 9, now=NOW)
        await stores.conversations.finish_turn(ANN, finished(turn, "an unmistakable answer"), None)
        await stores.conversations.delete(ANN, "c1")
    assert b"unmistakable" not in path.read_bytes()
