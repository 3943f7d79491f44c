"""The behaviour every implementation of a store port must show: one class per port.

Knows the ports only; the contract of conversations is in contracts_conversations.py. A test module
derives from each class and supplies a fixture `stores: Stores` that starts empty; see
tests/test_infra_stores_sqlite.py.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from tools.stores import (
    ApiKey,
    Cached,
    Interaction,
    InteractionKind,
    NotFound,
    Profile,
    QuotaExceeded,
    RecordTooLarge,
    StaleVersion,
    Stores,
    TurnRecord,
)

ANN, BOB = "principal-ann", "principal-bob"
NOW = 1_700_000_000.0
ODD_TEXT = 'naïve 映画 🎬 "quoted" \\ \n\t \x00 end'


def turn_record(turn_id: str = "t1", conversation_id: str = "c1", index: int = 0) -> TurnRecord:
    return TurnRecord(turn_id, conversation_id, index, f"message of {turn_id}", "running", NOW)


def finished(turn: TurnRecord, answer: str = "here you are") -> TurnRecord:
    events = [{"id": 1, "type": "text.delta", "turn_id": turn.turn_id, "text": answer}]
    return replace(turn, status="completed", finished_at=NOW + 2, answer=answer, events=events)


class ProfileStoreContract:
    async def test_empty_profile_at_version_0(self, stores: Stores) -> None:
        assert await stores.profiles.get(ANN) == Profile()

    async def test_put_moves_the_version(self, stores: Stores) -> None:
        first = await stores.profiles.put(ANN, Profile(0, {"country": "us", "note": ODD_TEXT}))
        assert first == Profile(1, {"country": "us", "note": ODD_TEXT})
        second = await stores.profiles.put(ANN, replace(first, preferences={"likes": [1]}))
        assert second == await stores.profiles.get(ANN) == Profile(2, {"likes": [1]})
        assert await stores.profiles.get(BOB) == Profile()

    @pytest.mark.parametrize("version", [0, 2])
    async def test_stale_put_changes_nothing(self, stores: Stores, version: int) -> None:
        kept = await stores.profiles.put(ANN, Profile(0, {"n": 1}))
        with pytest.raises(StaleVersion):
            await stores.profiles.put(ANN, Profile(version, {"n": 2}))
        assert await stores.profiles.get(ANN) == kept

    async def test_put_on_a_missing_profile_needs_version_0(self, stores: Stores) -> None:
        with pytest.raises(StaleVersion):
            await stores.profiles.put(ANN, Profile(3, {}))

    async def test_of_puts_at_once_one_wins(self, stores: Stores) -> None:
        puts = [stores.profiles.put(ANN, Profile(0, {"n": n})) for n in range(8)]
        results = await asyncio.gather(*puts, return_exceptions=True)
        (won,) = [result for result in results if isinstance(result, Profile)]
        assert [type(r) for r in results].count(StaleVersion) == 7
        assert await stores.profiles.get(ANN) == won

    async def test_delete_forgets_and_is_repeatable(self, stores: Stores) -> None:
        await stores.profiles.put(ANN, Profile(0, {"n": 1}))
        await stores.profiles.delete(ANN)
        await stores.profiles.delete(ANN)
        assert await stores.profiles.get(ANN) == Profile()

    async def test_too_large_profile_is_refused(self, stores: Stores) -> None:
        with pytest.raises(RecordTooLarge):
            await stores.profiles.put(ANN, Profile(0, {"n": "x" * 410_000}))


def interaction(key: str, kind: InteractionKind = "like", at: float = NOW) -> Interaction:
    return Interaction(key, kind, f"movie-{key}", at)


def keys(interactions: Sequence[Interaction]) -> list[str]:
    return [one.key for one in interactions]


class InteractionStoreContract:
    async def test_what_was_sent_comes_back(self, stores: Stores) -> None:
        full = Interaction(ODD_TEXT, "rating", "m1", NOW + 0.25, 4.5, "c1", "t1")
        assert await stores.interactions.append(ANN, [full, interaction("plain")]) == 2
        assert await stores.interactions.recent(ANN) == [full, interaction("plain")]
        assert await stores.interactions.recent(BOB) == []

    async def test_newest_first_by_time_then_by_arrival(self, stores: Stores) -> None:
        sent = [interaction("a", at=NOW), interaction("b", at=NOW + 5), interaction("c", at=NOW)]
        await stores.interactions.append(ANN, sent)
        assert keys(await stores.interactions.recent(ANN)) == ["b", "c", "a"]
        assert keys(await stores.interactions.recent(ANN, limit=2)) == ["b", "c"]

    async def test_kinds_select(self, stores: Stores) -> None:
        kinds: list[InteractionKind] = ["like", "seen", "dislike", "like"]
        sent = [interaction(str(n), kind, NOW + n) for n, kind in enumerate(kinds)]
        await stores.interactions.append(ANN, sent)
        assert keys(await stores.interactions.recent(ANN, ["like"])) == ["3", "0"]
        assert keys(await stores.interactions.recent(ANN, ["seen", "dislike"])) == ["2", "1"]
        assert await stores.interactions.recent(ANN, ["share"]) == []

    async def test_repeated_send_is_harmless(self, stores: Stores) -> None:
        sent = [interaction(str(n), at=NOW + n) for n in range(1000)]
        assert [await stores.interactions.append(ANN, sent) for _ in range(3)] == [1000, 0, 0]
        assert await stores.interactions.append(ANN, [*sent[-1:], interaction("new")]) == 1
        assert len(await stores.interactions.recent(ANN, limit=5000)) == 1001
        assert await stores.interactions.append(ANN, []) == 0

    async def test_first_of_a_key_wins_within_a_batch_and_later(self, stores: Stores) -> None:
        twice = [interaction("k", "like"), interaction("k", "dislike")]
        assert await stores.interactions.append(ANN, twice) == 1
        assert await stores.interactions.append(ANN, twice[1:]) == 0
        assert await stores.interactions.append(BOB, twice[1:]) == 1
        assert [one.kind for one in await stores.interactions.recent(ANN)] == ["like"]

    async def test_batch_is_stored_whole_or_not_at_all(self, stores: Stores) -> None:
        batch = [interaction("fine"), replace(interaction("huge"), movie_id="x" * 410_000)]
        with pytest.raises(RecordTooLarge):
            await stores.interactions.append(ANN, batch)
        assert await stores.interactions.recent(ANN) == []

    async def test_sends_at_once_store_each_key_once(self, stores: Stores) -> None:
        sent = [interaction(str(n)) for n in range(50)]
        counts = await asyncio.gather(*(stores.interactions.append(ANN, sent) for _ in range(8)))
        assert sum(counts) == 50
        assert len(await stores.interactions.recent(ANN)) == 50

    async def test_delete_erases_one_principal(self, stores: Stores) -> None:
        await stores.interactions.append(ANN, [interaction("a"), interaction("b")])
        await stores.interactions.append(BOB, [interaction("a")])
        assert await stores.interactions.delete(ANN) == 2
        assert await stores.interactions.delete(ANN) == 0
        assert await stores.interactions.recent(ANN) == []
        assert keys(await stores.interactions.recent(BOB)) == ["a"]


class CacheStoreContract:
    async def test_value_until_it_expires(self, stores: Stores) -> None:
        value = bytes(range(256))
        await stores.cache.put("k", value, expires_at=NOW + 10)
        assert await stores.cache.get("k", now=NOW) == value
        assert await stores.cache.get("k", now=NOW + 9.9) == value
        assert await stores.cache.get("k", now=NOW + 10) is None
        assert await stores.cache.get("other", now=NOW) is None

    async def test_put_replaces_value_and_expiry(self, stores: Stores) -> None:
        await stores.cache.put("k", b"old", expires_at=NOW + 1)
        await stores.cache.put("k", b"", expires_at=NOW + 1000)
        assert await stores.cache.get("k", now=NOW + 500) == b""

    async def test_size_limit(self, stores: Stores) -> None:
        await stores.cache.put("k", b"x" * 300 * 1024, expires_at=NOW + 1)
        with pytest.raises(RecordTooLarge):
            await stores.cache.put("k", b"x" * (300 * 1024 + 1), expires_at=NOW + 1)

    async def test_owners_have_keys_of_their_own(self, stores: Stores) -> None:
        for owner in (ANN, BOB, ""):
            await stores.cache.put("k", owner.encode(), expires_at=NOW + 9, owner=owner)
        assert await stores.cache.get("k", now=NOW, owner=ANN) == ANN.encode()
        assert await stores.cache.get("k", now=NOW) == b""

    async def test_delete_erases_one_owner(self, stores: Stores) -> None:
        for key, owner in (("k", ANN), ("l", ANN), ("k", BOB), ("k", "")):
            await stores.cache.put(key, b"x", expires_at=NOW + 9, owner=owner)
        assert await stores.cache.delete(ANN) == 2
        assert await stores.cache.delete(ANN) == 0
        assert await stores.cache.get("k", now=NOW, owner=ANN) is None
        assert await stores.cache.get("k", now=NOW, owner=BOB) == b"x"
        assert await stores.cache.delete("") == 0, "what nobody owns is nobody's to erase"
        assert await stores.cache.get("k", now=NOW) == b"x"

    async def put_if(
        self, stores: Stores, value: bytes, version: int, *, now: float = NOW, owner: str = ""
    ) -> int:
        return await stores.cache.put_if_version(
            "k", value, version=version, expires_at=now + 10, now=now, owner=owner
        )

    async def test_put_if_version_moves_the_version(self, stores: Stores) -> None:
        assert await stores.cache.versioned("k", now=NOW) is None
        first = await self.put_if(stores, b"a", 0)
        assert await stores.cache.versioned("k", now=NOW) == Cached(b"a", first)
        second = await self.put_if(stores, b"b", first)
        assert second != first
        assert await stores.cache.versioned("k", now=NOW) == Cached(b"b", second)
        assert await stores.cache.get("k", now=NOW) == b"b"

    async def test_stale_version_stores_nothing(self, stores: Stores) -> None:
        first = await self.put_if(stores, b"a", 0)
        second = await self.put_if(stores, b"b", first)
        for stale in (0, first, second + 1):
            with pytest.raises(StaleVersion):
                await self.put_if(stores, b"late", stale)
        assert await stores.cache.get("k", now=NOW) == b"b"

    async def test_plain_put_makes_versions_stale(self, stores: Stores) -> None:
        first = await self.put_if(stores, b"a", 0)
        await stores.cache.put("k", b"plain", expires_at=NOW + 10)
        with pytest.raises(StaleVersion):
            await self.put_if(stores, b"late", first)
        assert await stores.cache.get("k", now=NOW) == b"plain"

    async def test_expired_value_is_nothing_there(self, stores: Stores) -> None:
        first = await self.put_if(stores, b"a", 0)
        later = NOW + 10
        with pytest.raises(StaleVersion):
            await self.put_if(stores, b"late", first, now=later)
        await self.put_if(stores, b"anew", 0, now=later)
        assert await stores.cache.get("k", now=later) == b"anew"

    async def test_versions_are_per_owner(self, stores: Stores) -> None:
        for owner in (ANN, BOB, ""):
            await self.put_if(stores, owner.encode(), 0, owner=owner)
        assert await stores.cache.get("k", now=NOW, owner=BOB) == BOB.encode()

    async def test_of_conditional_puts_at_once_one_wins(self, stores: Stores) -> None:
        puts = [self.put_if(stores, str(n).encode(), 0) for n in range(8)]
        results = await asyncio.gather(*puts, return_exceptions=True)
        assert [type(result) for result in results].count(StaleVersion) == 7

    async def test_size_limit_of_a_conditional_put(self, stores: Stores) -> None:
        with pytest.raises(RecordTooLarge):
            await self.put_if(stores, b"x" * (300 * 1024 + 1), 0)


def api_key(key_id: str, created_at: float = NOW) -> ApiKey:
    return ApiKey(key_id, f"site of {key_id}", "ab" * 32, created_at)


class KeysContract:
    async def test_created_key_is_found_and_listed(self, stores: Stores) -> None:
        newer, older = api_key("a1", NOW + 1), api_key("b2")
        for key in (newer, older):
            await stores.keys.create(key)
        assert await stores.keys.find("a1") == newer
        assert await stores.keys.list() == [older, newer]

    async def test_unknown_key_is_none(self, stores: Stores) -> None:
        assert await stores.keys.find("nope") is None
        assert await stores.keys.list() == []

    async def test_id_is_given_once(self, stores: Stores) -> None:
        await stores.keys.create(api_key("a1"))
        with pytest.raises(StaleVersion):
            await stores.keys.create(api_key("a1", NOW + 9))
        assert await stores.keys.find("a1") == api_key("a1")

    async def test_revoked_once_and_for_all(self, stores: Stores) -> None:
        await stores.keys.create(api_key("a1"))
        revoked = replace(api_key("a1"), revoked_at=NOW + 5)
        assert await stores.keys.revoke("a1", now=NOW + 5) == revoked
        assert await stores.keys.revoke("a1", now=NOW + 99) == revoked
        assert await stores.keys.find("a1") == revoked
        assert await stores.keys.list() == [revoked]

    async def test_unknown_key_cannot_be_revoked(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            await stores.keys.revoke("nope", now=NOW)
        assert await stores.keys.list() == []


class QuotaStoreContract:
    async def take(
        self, stores: Stores, amount: int = 1, now: float = NOW, principal: str = ANN
    ) -> int:
        return await stores.quotas.take(
            principal, "turns", limit=3, window_s=60, now=now, amount=amount
        )

    async def test_counts_down_then_refuses(self, stores: Stores) -> None:
        assert [await self.take(stores) for _ in range(3)] == [2, 1, 0]
        with pytest.raises(QuotaExceeded) as refused:
            await self.take(stores)
        assert 0 < refused.value.retry_after <= 60
        assert await self.take(stores, now=NOW + refused.value.retry_after) == 2

    async def test_principals_and_names_count_apart(self, stores: Stores) -> None:
        assert await self.take(stores, 3) == 0
        assert await self.take(stores, principal=BOB) == 2
        assert await stores.quotas.take(ANN, "tokens", limit=9, window_s=60, now=NOW) == 8

    async def test_refused_amount_takes_nothing(self, stores: Stores) -> None:
        for amount in (4, 400):
            with pytest.raises(QuotaExceeded):
                await self.take(stores, amount)
        assert await self.take(stores, 2) == 1
        with pytest.raises(QuotaExceeded):
            await self.take(stores, 2)
        assert await self.take(stores, 1) == 0

    async def test_what_was_not_used_is_given_back(self, stores: Stores) -> None:
        assert await self.take(stores, 3) == 0
        assert await self.take(stores, -2) == 2
        assert await self.take(stores, 2) == 0

    async def test_20_threads_of_25_takes_admit_exactly_the_limit(self, stores: Stores) -> None:
        """Threads with an event loop each: nothing but the store keeps them apart."""

        async def taker() -> int:
            admitted = 0
            for _ in range(25):
                try:
                    await stores.quotas.take(ANN, "burst", limit=100, window_s=3600, now=NOW)
                    admitted += 1
                except QuotaExceeded:
                    pass
            return admitted

        with ThreadPoolExecutor(20) as threads:
            loop = asyncio.get_running_loop()
            run = partial(loop.run_in_executor, threads, lambda: asyncio.run(taker()))
            assert sum(await asyncio.gather(*(run() for _ in range(20)))) == 100

    async def test_delete_erases_one_principal(self, stores: Stores) -> None:
        await self.take(stores, 3)
        await stores.quotas.take(ANN, "tokens", limit=9, window_s=60, now=NOW)
        await self.take(stores, 3, principal=BOB)
        assert await stores.quotas.delete(ANN) == 2
        assert await stores.quotas.delete(ANN) == 0
        assert await self.take(stores) == 2
        with pytest.raises(QuotaExceeded):
            await self.take(stores, principal=BOB)
