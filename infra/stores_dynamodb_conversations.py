"""The DynamoDB conversation store: a versioned head that holds the newest turn, one item per turn.

Knows which writes are conditional. Does not know how a turn is run. Part of
infra/stores_dynamodb.py; the port and its words are in tools/stores.py.

Layout: partition = the person, so that no request can reach another one's records.
`ID#head` holds state, version and the whole newest turn: beginning and finishing a turn is one
conditional write each, without a transaction. `ID#turn#NUMBER` holds each earlier turn; it is
copied there before the head moves on. A copy carries the version of the head it was made from, so
that a slow writer never replaces a newer one. `c#ID`, of no person, says whose an id is.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infra.dynamodb import DynamoDb, TableName
from infra.dynamodb_items import (
    Item,
    key_of,
    key_part,
    number,
    number_or_none,
    pack,
    partition,
    text,
    text_or_none,
    unpack,
    whole,
)
from infra.store_records import check_size, to_text
from tools.stores import (
    Conversation,
    ConversationBusy,
    JsonObject,
    NotFound,
    StoreUnavailable,
    TurnRecord,
    TurnSuperseded,
)

TABLE: TableName = "conversations"
ATTEMPTS = 8
"""How often a turn is begun anew because the head moved; each time somebody else got further."""
HEAD = "head"
TURN = "turn#"
MAX_SORT_KEY_BYTES = 1024
"""AWS refuses to look for a longer one."""
NEW = "attribute_not_exists(pk)"
THERE = "attribute_exists(pk)"


@dataclass(frozen=True, slots=True)
class _Stored:
    """The items of one conversation."""

    head: Item | None
    """None also when the conversation is being deleted."""
    turns: dict[int, TurnRecord]
    """By position, without the newest."""
    items: int
    """How many there are of any kind."""


class DynamoDbConversations:
    """ConversationStore on DynamoDB."""

    def __init__(self, database: DynamoDb) -> None:
        self._database = database

    async def begin_turn(
        self, principal: str, turn: TurnRecord, *, lease_until: float, now: float
    ) -> Conversation:
        check_size("turn", turn.message, to_text(list(turn.edits)))
        for _ in range(ATTEMPTS):
            stored = await self._read(principal, turn.conversation_id)
            if stored.head is None:
                begun = await self._create(principal, turn, lease_until, stored)
            else:
                begun = await self._continue(principal, turn, lease_until, now, stored)
            if begun is not None:
                return begun
        raise StoreUnavailable(
            f"conversation {turn.conversation_id} changes too fast to begin a turn: try again"
        )

    async def finish_turn(self, principal: str, turn: TurnRecord, state: JsonObject | None) -> None:
        if turn.status == "running":
            raise ValueError("a finished turn is completed, cancelled or failed")
        edits, events = to_text(list(turn.edits)), to_text(list(turn.events))
        check_size("turn", turn.message, edits, turn.answer, events)
        new_state = to_text(state) if state is not None else None
        check_size("conversation", new_state or "")
        change = {
            "turn_status": turn.status,
            "finished_at": turn.finished_at,
            "lease_until": 0.0,
            "outcome": _outcome(turn),
            "dialogue": pack(new_state) if new_state is not None else None,
        }
        done = await self._database.update_if(
            TABLE,
            _key(principal, turn.conversation_id, HEAD),
            {name: value for name, value in change.items() if value is not None},
            "turn_id = :turn AND turn_status = :running",
            turn=turn.turn_id,
            running="running",
        )
        if not done:
            raise TurnSuperseded(
                f"turn {turn.turn_id} no longer runs: its conversation was taken over or "
                "deleted; drop the answer"
            )

    async def load(self, principal: str, conversation_id: str) -> Conversation:
        stored = await self._read(principal, conversation_id)
        if stored.head is None:
            raise _not_found("conversation", conversation_id)
        turns = [*_earlier(stored), _turn(stored.head)]
        return replace(_conversation(stored.head), turns=turns)

    async def turn(self, principal: str, turn_id: str) -> TurnRecord:
        """The head may move on while we look: the turn is then found where it was copied to."""
        if not 0 < len(turn_id.encode("utf-8", "surrogatepass")) <= MAX_SORT_KEY_BYTES:
            raise _not_found("turn", turn_id)
        for _ in range(ATTEMPTS):
            keys = [
                key_of(item)
                async for item in self._database.query(
                    TABLE,
                    "pk = :pk AND turn_id = :turn",
                    values={"pk": partition(principal), "turn": turn_id},
                    IndexName="by_turn",
                )
            ]
            if not keys:
                break
            heads = [key for key in keys if key["sk"].endswith(f"#{HEAD}")]
            item = await self._database.get(TABLE, (heads or keys)[0])
            if item is not None and text_or_none(item, "turn_id") == turn_id:
                return _turn(item)
        raise _not_found("turn", turn_id)

    async def conversation_ids(self, principal: str) -> list[str]:
        found = [
            (number(item, "created_at"), text(item, "conversation_id"))
            async for item in self._database.query(
                TABLE,
                "pk = :pk",
                values={"pk": partition(principal)},
                FilterExpression="attribute_exists(created_at)",
                ProjectionExpression="conversation_id, created_at",
            )
        ]
        return [conversation_id for _, conversation_id in sorted(found)]

    async def delete(self, principal: str, conversation_id: str) -> None:
        """Close the head for everyone, then remove turns, owner and at last the head.

        A deletion that was killed half-way is completed by the next one, or by `delete_all`.
        """
        if not await self._close_and_remove(principal, conversation_id):
            raise _not_found("conversation", conversation_id)

    async def delete_all(self, principal: str) -> int:
        deleted: set[str] = set()
        while found := await self._any_ids(principal):
            for conversation_id in found:
                await self._close_and_remove(principal, conversation_id)
            deleted |= found
        return len(deleted)

    # --- beginning --------------------------------------------------------------------------------

    async def _create(
        self, principal: str, turn: TurnRecord, lease_until: float, stored: _Stored
    ) -> Conversation | None:
        """The first turn; None when somebody else was first. The id may be another person's."""
        if stored.items:
            await self._remove(principal, turn.conversation_id)  # of a deletion that was killed
        if turn.index != 0:
            raise _not_found("conversation", turn.conversation_id)
        empty = Conversation(turn.conversation_id, version=0, created_at=turn.started_at)
        first = _head(principal, empty, replace(turn, index=0), lease_until)
        if not await self._database.put_if(TABLE, first, NEW):
            return None
        # After the head: an id that is taken without a conversation would be found by no deletion.
        owner = {**_owner_key(turn.conversation_id), "principal": principal}
        if not await self._database.put_if(
            TABLE, owner, f"{NEW} OR principal = :principal", principal=principal
        ):
            await self._close_and_remove(principal, turn.conversation_id)
            raise _not_found("conversation", turn.conversation_id)
        return replace(empty, version=1, running_turn=turn.turn_id, lease_until=lease_until)

    async def _continue(
        self, principal: str, turn: TurnRecord, lease_until: float, now: float, stored: _Stored
    ) -> Conversation | None:
        """A later turn; None when the head moved meanwhile."""
        assert stored.head is not None
        before, last = _conversation(stored.head), _turn(stored.head)
        if before.running_turn is not None:
            if before.lease_until > now:
                raise ConversationBusy(before.lease_until - now)
            last = replace(last, status="failed", finished_at=now)
        await self._database.put_if(
            TABLE,
            {
                **_key(principal, turn.conversation_id, f"{TURN}{last.index:06d}"),
                **_columns(last),
                "made_from": before.version,
            },
            f"{NEW} OR made_from < :version",
            version=before.version,
        )
        following = replace(turn, index=last.index + 1)
        moved = await self._database.put_if(
            TABLE,
            _head(principal, before, following, lease_until),
            "version = :version",
            version=before.version,
        )
        if not moved:
            return None
        return replace(
            before,
            version=before.version + 1,
            running_turn=turn.turn_id,
            lease_until=lease_until,
            turns=[*_earlier(stored), last],
        )

    # --- reading and removing ---------------------------------------------------------------------

    async def _read(self, principal: str, conversation_id: str) -> _Stored:
        """Head first, then the turns: whatever the head counts as earlier is there by then."""
        head, turns, items = None, {}, 0
        async for item in self._items(principal, conversation_id):
            items += 1
            if "made_from" in item:
                turns[whole(item, "number")] = _turn(item)
            elif "version" in item:
                head = item
        return _Stored(head, turns, items)

    async def _any_ids(self, principal: str) -> set[str]:
        """The conversations of which any item is left."""
        return {
            text(item, "conversation_id")
            async for item in self._database.query(
                TABLE,
                "pk = :pk",
                values={"pk": partition(principal)},
                ProjectionExpression="conversation_id",
            )
        }

    async def _close_and_remove(self, principal: str, conversation_id: str) -> bool:
        """Whether there was one. From the first write on, no turn of it begins or is finished."""
        key = _key(principal, conversation_id, HEAD)
        tombstone = {**key, "conversation_id": conversation_id}
        there = await self._database.put_if(TABLE, tombstone, THERE)
        await self._remove(principal, conversation_id)
        return there

    async def _remove(self, principal: str, conversation_id: str) -> None:
        keys = [
            key_of(item)
            async for item in self._items(principal, conversation_id, ProjectionExpression="pk, sk")
        ]
        head = _key(principal, conversation_id, HEAD)
        await self._database.batch_delete(TABLE, [key for key in keys if key != head])
        owned = await self._database.get(TABLE, _owner_key(conversation_id))
        if owned is not None and text(owned, "principal") == principal:
            await self._database.batch_delete(TABLE, [_owner_key(conversation_id)])
        if head in keys:
            await self._database.delete_if(TABLE, head, "attribute_not_exists(version)")

    def _items(self, principal: str, conversation_id: str, **request: Any) -> AsyncIterator[Item]:
        key = _key(principal, conversation_id, "")
        return self._database.query(
            TABLE, "pk = :pk AND begins_with(sk, :sk)", values=dict(key), **request
        )


def _key(principal: str, conversation_id: str, record: str) -> dict[str, str]:
    # The length keeps an id that contains "#" from beginning like another one.
    part = key_part(conversation_id)
    return {"pk": partition(principal), "sk": f"{len(part)}#{part}#{record}"}


def _owner_key(conversation_id: str) -> dict[str, str]:
    return {"pk": f"c#{key_part(conversation_id)}", "sk": "owner"}


def _head(
    principal: str, before: Conversation, turn: TurnRecord, lease_until: float
) -> dict[str, Any]:
    """The head with a turn that begins."""
    return {
        **_key(principal, turn.conversation_id, HEAD),
        **_columns(turn),
        "version": before.version + 1,
        "created_at": before.created_at,
        "dialogue": pack(to_text(before.state)),
        "lease_until": lease_until,
    }


def _columns(turn: TurnRecord) -> dict[str, Any]:
    """A turn as attributes, of its own item or of the head."""
    return {
        "turn_id": turn.turn_id,
        "conversation_id": turn.conversation_id,
        "number": turn.index,
        "message": turn.message,
        "turn_status": turn.status,
        "started_at": turn.started_at,
        "edits": to_text(list(turn.edits)),
        "finished_at": turn.finished_at,
        "outcome": _outcome(turn),
    }


def _outcome(turn: TurnRecord) -> bytes:
    return pack(to_text({"answer": turn.answer, "events": list(turn.events)}))


def _conversation(head: Item) -> Conversation:
    running = text(head, "turn_status") == "running"
    return Conversation(
        conversation_id=text(head, "conversation_id"),
        version=whole(head, "version"),
        created_at=number(head, "created_at"),
        state=unpack(head, "dialogue"),
        running_turn=text(head, "turn_id") if running else None,
        lease_until=number(head, "lease_until") if running else 0.0,
    )


def _turn(item: Item) -> TurnRecord:
    outcome: Mapping[str, Any] = unpack(item, "outcome")
    status: Any = text(item, "turn_status")
    return TurnRecord(
        turn_id=text(item, "turn_id"),
        conversation_id=text(item, "conversation_id"),
        index=whole(item, "number"),
        message=text(item, "message"),
        status=status,
        started_at=number(item, "started_at"),
        edits=json.loads(text(item, "edits")),
        finished_at=number_or_none(item, "finished_at"),
        answer=outcome["answer"],
        events=outcome["events"],
    )


def _earlier(stored: _Stored) -> list[TurnRecord]:
    """The turns before the newest, oldest first. Raises: StoreUnavailable."""
    assert stored.head is not None
    count = whole(stored.head, "number")
    missing = [number for number in range(count) if number not in stored.turns]
    if missing:
        raise StoreUnavailable(
            f"turns {missing} of conversation {text(stored.head, 'conversation_id')} are missing: "
            "it is being deleted, or the table was changed by hand; load it again"
        )
    return [stored.turns[number] for number in range(count)]


def _not_found(what: str, record_id: str) -> NotFound:
    return NotFound(f"there is no {what} {record_id!r}")
