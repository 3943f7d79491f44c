"""Export and erasure of one person, over any stores: nothing is missing, nothing is left.

Knows the ports and tools/user_records.py. A test module derives from the class and supplies the
fixtures `stores` (empty) and `raw`: everything stored, as bytes; see test_infra_stores_sqlite.py.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from contracts_stores import ANN, BOB, NOW, finished, turn_record
from tools.stores import Interaction, Profile, Stores, TurnSuperseded
from tools.user_records import Erased, erase, export

Raw = Callable[[], Awaitable[bytes]]
MARK = "unmistakable"


async def live_a_little(stores: Stores, principal: str, mark: str) -> None:
    """Something of every kind; the last turn still runs."""
    for n in range(3):
        turn = replace(turn_record(f"{principal}-t{n}", f"{principal}-c{n % 2}"), message=mark)
        await stores.conversations.begin_turn(principal, turn, lease_until=NOW + 30, now=NOW)
        if n < 2:
            await stores.conversations.finish_turn(principal, finished(turn, mark), {"of": mark})
    await stores.profiles.put(principal, Profile(0, {"note": mark}))
    liked = [Interaction(f"{mark}-{n}", "like", f"m{n}", NOW + n, turn_id=mark) for n in range(30)]
    await stores.interactions.append(principal, liked)
    await stores.cache.put(mark, mark.encode(), expires_at=NOW + 99, owner=principal)
    await stores.quotas.take(principal, mark, limit=9, window_s=60, now=NOW)


class UserRecordsContract:
    async def test_export_equals_what_is_stored(self, stores: Stores) -> None:
        await live_a_little(stores, ANN, MARK)
        await live_a_little(stores, BOB, "of-bob")
        found = json.loads(json.dumps(await export(stores, ANN)))
        assert found["principal"] == ANN
        assert found["profile"] == {"version": 1, "preferences": {"note": MARK}}
        assert [len(one["turns"]) for one in found["conversations"]] == [2, 1]
        first = found["conversations"][0]
        assert (first["state"], first["running_turn"]) == ({"of": MARK}, f"{ANN}-t2")
        assert first["turns"][0]["events"][0]["text"] == MARK
        assert [one["key"] for one in found["interactions"]] == [f"{MARK}-{n}" for n in range(30)]
        assert "of-bob" not in json.dumps(found)

    async def test_erasure_leaves_nothing_behind(self, stores: Stores, raw: Raw) -> None:
        await live_a_little(stores, ANN, MARK)
        await live_a_little(stores, BOB, "of-bob")
        assert ANN.encode() in await raw()
        assert await erase(stores, ANN) == Erased(2, 30, 1, 1)
        left = await raw()
        assert ANN.encode() not in left
        assert MARK.encode() not in left
        assert BOB.encode() in left and b"of-bob" in left
        assert await erase(stores, ANN) == Erased(0, 0, 0, 0)
        assert (await export(stores, ANN))["conversations"] == []
        assert len((await export(stores, BOB))["conversations"]) == 2

    async def test_turn_that_still_runs_is_not_saved_after_the_erasure(
        self, stores: Stores, raw: Raw
    ) -> None:
        await live_a_little(stores, ANN, MARK)
        await erase(stores, ANN)
        late = finished(turn_record(f"{ANN}-t2", f"{ANN}-c0"), MARK)
        with pytest.raises(TurnSuperseded):
            await stores.conversations.finish_turn(ANN, late, {"of": MARK})
        assert MARK.encode() not in await raw()
