"""The behaviour every conversation store must show; see contracts_stores.py for the other ports.

Knows the port only. A test module derives from the class and supplies a fixture `stores: Stores`
that starts empty; see tests/test_infra_stores_sqlite.py.
"""

import asyncio
from dataclasses import replace

import pytest

from contracts_stores import ANN, BOB, NOW, ODD_TEXT, finished, turn_record
from tools.stores import (
    Conversation,
    ConversationBusy,
    NotFound,
    RecordTooLarge,
    Stores,
    TurnRecord,
    TurnSuperseded,
)


class ConversationStoreContract:
    async def begin(
        self, stores: Stores, turn: TurnRecord, now: float = NOW, principal: str = ANN
    ) -> Conversation:
        return await stores.conversations.begin_turn(principal, turn, lease_until=now + 30, now=now)

    async def finish(self, stores: Stores, turn: TurnRecord, principal: str = ANN) -> None:
        await stores.conversations.finish_turn(principal, finished(turn), {"of": turn.turn_id})

    async def test_first_turn_makes_the_conversation(self, stores: Stores) -> None:
        begun = await self.begin(stores, turn_record())
        assert (begun.conversation_id, begun.created_at) == ("c1", NOW)
        assert (begun.running_turn, begun.lease_until) == ("t1", NOW + 30)
        assert begun.state == {}
        assert list(begun.turns) == []

    async def test_users_message_is_saved_before_the_answer(self, stores: Stores) -> None:
        turn = replace(turn_record(), message=ODD_TEXT, edits=({"op": "remove", "n": [1, None]},))
        await self.begin(stores, turn)
        kept = await stores.conversations.turn(ANN, "t1")
        assert (kept.message, kept.status, kept.answer) == (ODD_TEXT, "running", "")
        assert [dict(edit) for edit in kept.edits] == [{"op": "remove", "n": [1, None]}]
        assert (kept.started_at, kept.finished_at, list(kept.events)) == (NOW, None, [])

    async def test_finished_turn_is_kept_whole(self, stores: Stores) -> None:
        turn = replace(turn_record(), edits=({"op": "remove"},))
        begun = await self.begin(stores, turn)
        answered = replace(finished(turn, ODD_TEXT), status="cancelled")
        await stores.conversations.finish_turn(ANN, answered, {"mood": "calm", "deep": [{}]})
        loaded = await stores.conversations.load(ANN, "c1")
        assert loaded.running_turn is None
        assert loaded.version > begun.version
        assert loaded.state == {"mood": "calm", "deep": [{}]}
        (kept,) = loaded.turns
        assert kept == await stores.conversations.turn(ANN, "t1")
        assert replace(kept, edits=(), events=()) == replace(answered, edits=(), events=())
        assert [dict(event) for event in kept.events] == list(answered.events)

    async def test_next_turn_sees_the_earlier_ones_and_the_state(self, stores: Stores) -> None:
        for n in range(4):
            turn = turn_record(f"t{n}", index=n)
            begun = await self.begin(stores, turn)
            assert [kept.turn_id for kept in begun.turns] == [f"t{i}" for i in range(n)]
            assert begun.state == ({"of": f"t{n - 1}"} if n else {})
            await self.finish(stores, turn)
        kept = (await stores.conversations.load(ANN, "c1")).turns
        assert [(t.turn_id, t.index) for t in kept] == [(f"t{n}", n) for n in range(4)]

    async def test_index_is_replaced_by_the_next_free_one(self, stores: Stores) -> None:
        for turn_id, index in (("t1", 0), ("t2", 0), ("t3", 9)):
            turn = turn_record(turn_id, index=index)
            await self.begin(stores, turn)
            await self.finish(stores, turn)
        kept = (await stores.conversations.load(ANN, "c1")).turns
        assert [(t.turn_id, t.index) for t in kept] == [("t1", 0), ("t2", 1), ("t3", 2)]

    async def test_later_turn_needs_its_conversation(self, stores: Stores) -> None:
        with pytest.raises(NotFound):
            await self.begin(stores, turn_record(index=3))
        with pytest.raises(NotFound):
            await stores.conversations.load(ANN, "c1")

    async def test_state_none_keeps_the_old(self, stores: Stores) -> None:
        first, second = turn_record("t1"), turn_record("t2", index=1)
        await self.begin(stores, first)
        await self.finish(stores, first)
        await self.begin(stores, second)
        failed = replace(finished(second, ""), status="failed")
        await stores.conversations.finish_turn(ANN, failed, None)
        loaded = await stores.conversations.load(ANN, "c1")
        assert loaded.state == {"of": "t1"}
        assert [t.status for t in loaded.turns] == ["completed", "failed"]

    async def test_second_message_while_one_runs_is_refused(self, stores: Stores) -> None:
        await self.begin(stores, turn_record("t1"))
        with pytest.raises(ConversationBusy) as busy:
            await self.begin(stores, turn_record("t2", index=1), now=NOW + 10)
        assert busy.value.retry_after == pytest.approx(20)
        assert [t.turn_id for t in (await stores.conversations.load(ANN, "c1")).turns] == ["t1"]
        await self.finish(stores, turn_record("t1"))
        await self.begin(stores, turn_record("t2", index=1), now=NOW + 10)

    async def test_of_two_begins_at_once_one_wins(self, stores: Stores) -> None:
        for n in range(10):
            pair = [turn_record(f"{n}{side}", f"c{n}") for side in "ab"]
            results = await asyncio.gather(
                *(self.begin(stores, turn) for turn in pair), return_exceptions=True
            )
            assert [type(r) for r in results].count(ConversationBusy) == 1
            assert [type(r) for r in results].count(Conversation) == 1
            assert len((await stores.conversations.load(ANN, f"c{n}")).turns) == 1

    async def test_take_over_after_the_lease(self, stores: Stores) -> None:
        lost, heir = turn_record("t1"), turn_record("t2", index=1)
        await self.begin(stores, lost)
        begun = await self.begin(stores, heir, now=NOW + 30)
        assert begun.running_turn == "t2"
        assert [(t.turn_id, t.status, t.finished_at) for t in begun.turns] == [
            ("t1", "failed", NOW + 30)
        ]
        with pytest.raises(TurnSuperseded):
            await self.finish(stores, lost)
        assert (await stores.conversations.turn(ANN, "t1")).status == "failed"
        await self.finish(stores, heir)
        loaded = await stores.conversations.load(ANN, "c1")
        assert loaded.state == {"of": "t2"}
        assert [t.status for t in loaded.turns] == ["failed", "completed"]

    async def test_turn_is_finished_once(self, stores: Stores) -> None:
        await self.begin(stores, turn_record())
        await self.finish(stores, turn_record())
        with pytest.raises(TurnSuperseded):
            await self.finish(stores, turn_record())

    async def test_somebody_elses_records_are_not_found(self, stores: Stores) -> None:
        await self.begin(stores, turn_record())
        for index in (0, 1):
            with pytest.raises(NotFound):
                await self.begin(stores, turn_record("t2", index=index), NOW + 99, BOB)
        with pytest.raises(TurnSuperseded):
            await self.finish(stores, turn_record(), BOB)
        with pytest.raises(NotFound):
            await stores.conversations.load(BOB, "c1")
        with pytest.raises(NotFound):
            await stores.conversations.turn(BOB, "t1")
        with pytest.raises(NotFound):
            await stores.conversations.delete(BOB, "c1")
        assert (await stores.conversations.load(ANN, "c1")).running_turn == "t1"

    async def test_deleted_conversation_is_gone_and_stays_gone(self, stores: Stores) -> None:
        await self.begin(stores, turn_record())
        await self.begin(stores, turn_record("other", "c2"))
        await stores.conversations.delete(ANN, "c1")
        with pytest.raises(TurnSuperseded):
            await self.finish(stores, turn_record())
        with pytest.raises(NotFound):
            await stores.conversations.load(ANN, "c1")
        with pytest.raises(NotFound):
            await stores.conversations.turn(ANN, "t1")
        with pytest.raises(NotFound):
            await stores.conversations.delete(ANN, "c1")
        assert (await stores.conversations.load(ANN, "c2")).running_turn == "other"

    async def test_ids_are_those_of_one_principal_oldest_first(self, stores: Stores) -> None:
        for n, name in enumerate(("c9", "c1", "c1#head", "c")):
            turn = replace(turn_record(f"t{n}", name), started_at=NOW + n)
            await self.begin(stores, turn)
        await self.begin(stores, turn_record("t9", "of-bob"), principal=BOB)
        assert await stores.conversations.conversation_ids(ANN) == ["c9", "c1", "c1#head", "c"]
        assert [t.turn_id for t in (await stores.conversations.load(ANN, "c1")).turns] == ["t1"]
        await stores.conversations.delete(ANN, "c1")
        assert await stores.conversations.conversation_ids(ANN) == ["c9", "c1#head", "c"]
        assert await stores.conversations.conversation_ids("nobody") == []

    async def test_delete_all_erases_one_principal(self, stores: Stores) -> None:
        for turn_id, conversation_id in (("t1", "c1"), ("t2", "c1"), ("t3", "c2")):
            turn = turn_record(turn_id, conversation_id)
            await self.begin(stores, turn)
            await self.finish(stores, turn)
        running = turn_record("t4", "c2")
        await self.begin(stores, running)
        await self.begin(stores, turn_record("t5", "c3"), principal=BOB)
        assert await stores.conversations.delete_all(ANN) == 2
        assert await stores.conversations.delete_all(ANN) == 0
        assert await stores.conversations.conversation_ids(ANN) == []
        for turn_id in ("t1", "t2", "t3", "t4"):
            with pytest.raises(NotFound):
                await stores.conversations.turn(ANN, turn_id)
        with pytest.raises(TurnSuperseded):
            await self.finish(stores, running)
        assert (await stores.conversations.load(BOB, "c3")).running_turn == "t5"

    async def test_ids_that_cannot_be_are_not_found(self, stores: Stores) -> None:
        for wrong in ("", "x" * 5000, "\x00", "c1#", "t1#head"):
            with pytest.raises(NotFound):
                await stores.conversations.turn(ANN, wrong)
            with pytest.raises(NotFound):
                await stores.conversations.load(ANN, wrong)

    async def test_too_large_records_are_refused(self, stores: Stores) -> None:
        long = "ü" * 210_000
        with pytest.raises(RecordTooLarge):
            await self.begin(stores, replace(turn_record(), message=long))
        await self.begin(stores, turn_record())
        with pytest.raises(RecordTooLarge):
            await stores.conversations.finish_turn(ANN, finished(turn_record(), long), None)
        with pytest.raises(RecordTooLarge):
            await stores.conversations.finish_turn(ANN, finished(turn_record()), {"long": long})
        await self.finish(stores, turn_record())
