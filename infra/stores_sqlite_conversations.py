"""The embedded conversation store: a versioned head and one record per turn, in SQLite.

Knows which writes are conditional and does each in one transaction. Does not know how a turn is
run. Part of infra/stores_sqlite.py; the port and its words are in tools/stores.py.
"""

import json
import sqlite3
from dataclasses import replace
from typing import Any

from infra.sqlite_database import Database
from infra.store_records import check_size, to_text
from tools.stores import (
    Conversation,
    ConversationBusy,
    JsonObject,
    NotFound,
    TurnRecord,
    TurnSuperseded,
)


class SqliteConversations:
    """ConversationStore on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin_turn(
        self, principal: str, turn: TurnRecord, *, lease_until: float, now: float
    ) -> Conversation:
        edits = to_text(list(turn.edits))
        check_size("turn", turn.message, edits)

        def work(connection: sqlite3.Connection) -> Conversation:
            head = _head(connection, principal, turn)
            if head.running_turn is not None and head.lease_until > now:
                raise ConversationBusy(head.lease_until - now)
            if head.running_turn is not None:
                connection.execute(
                    "UPDATE turn SET status = 'failed', finished_at = ? WHERE turn_id = ?",
                    (now, head.running_turn),
                )
            earlier = _turns(connection, turn.conversation_id)
            connection.execute(
                "INSERT INTO turn VALUES (?, ?, ?, ?, 'running', ?, ?, NULL, '', '[]')",
                (
                    *(turn.turn_id, turn.conversation_id, len(earlier)),
                    *(turn.message, turn.started_at, edits),
                ),
            )
            connection.execute(
                "UPDATE conversation SET version = version + 1, running_turn = ?, lease_until = ? "
                "WHERE conversation_id = ?",
                (turn.turn_id, lease_until, turn.conversation_id),
            )
            return replace(
                head,
                version=head.version + 1,
                running_turn=turn.turn_id,
                lease_until=lease_until,
                turns=earlier,
            )

        # Not flushed: a power cut takes the turn itself away, and 64 people who write at once would
        # wait for each other's disk. The flush of an answer takes what went before it along.
        return await self._database.write(work, durable=False)

    async def finish_turn(self, principal: str, turn: TurnRecord, state: JsonObject | None) -> None:
        if turn.status == "running":
            raise ValueError("a finished turn is completed, cancelled or failed")
        edits, events = to_text(list(turn.edits)), to_text(list(turn.events))
        check_size("turn", turn.message, edits, turn.answer, events)
        new_state = None if state is None else to_text(state)
        check_size("conversation", new_state or "")

        def work(connection: sqlite3.Connection) -> None:
            freed = connection.execute(
                "UPDATE conversation SET version = version + 1, running_turn = NULL, "
                "lease_until = 0, state = coalesce(?, state) "
                "WHERE conversation_id = ? AND principal = ? AND running_turn = ?",
                (new_state, turn.conversation_id, principal, turn.turn_id),
            ).rowcount
            if not freed:
                raise TurnSuperseded(
                    f"turn {turn.turn_id} no longer runs: its conversation was taken over or "
                    "deleted; drop the answer"
                )
            connection.execute(
                "UPDATE turn SET status = ?, finished_at = ?, answer = ?, events = ? "
                "WHERE turn_id = ?",
                (turn.status, turn.finished_at, turn.answer, events, turn.turn_id),
            )

        await self._database.write(work)

    async def load(self, principal: str, conversation_id: str) -> Conversation:
        def work(connection: sqlite3.Connection) -> Conversation:
            head = _find(connection, conversation_id)
            if head is None or head["principal"] != principal:
                raise _not_found("conversation", conversation_id)
            return replace(_conversation(head), turns=_turns(connection, conversation_id))

        return await self._database.read(work)

    async def turn(self, principal: str, turn_id: str) -> TurnRecord:
        def work(connection: sqlite3.Connection) -> TurnRecord:
            row = connection.execute(
                "SELECT turn.* FROM turn JOIN conversation USING (conversation_id) "
                "WHERE turn_id = ? AND principal = ?",
                (turn_id, principal),
            ).fetchone()
            if row is None:
                raise _not_found("turn", turn_id)
            return _turn(row)

        return await self._database.read(work)

    async def delete(self, principal: str, conversation_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            gone = connection.execute(
                "DELETE FROM conversation WHERE conversation_id = ? AND principal = ?",
                (conversation_id, principal),
            ).rowcount
            if not gone:
                raise _not_found("conversation", conversation_id)

        await self._database.write(work)

    async def conversation_ids(self, principal: str) -> list[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "SELECT conversation_id FROM conversation WHERE principal = ? "
                "ORDER BY created_at, conversation_id",
                (principal,),
            )
            return [row["conversation_id"] for row in rows]

        return await self._database.read(work)

    async def delete_all(self, principal: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM conversation WHERE principal = ?", (principal,)
            ).rowcount

        return await self._database.write(work)


def _head(connection: sqlite3.Connection, principal: str, turn: TurnRecord) -> Conversation:
    """The head to begin a turn on; made when the conversation is new."""
    row = _find(connection, turn.conversation_id)
    if row is not None and row["principal"] == principal:
        return _conversation(row)
    if row is not None or turn.index != 0:
        raise _not_found("conversation", turn.conversation_id)
    connection.execute(
        "INSERT INTO conversation VALUES (?, ?, 0, ?, '{}', NULL, 0)",
        (turn.conversation_id, principal, turn.started_at),
    )
    return Conversation(turn.conversation_id, version=0, created_at=turn.started_at)


def _find(connection: sqlite3.Connection, conversation_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM conversation WHERE conversation_id = ?", (conversation_id,)
    ).fetchone()
    return row


def _turns(connection: sqlite3.Connection, conversation_id: str) -> list[TurnRecord]:
    rows = connection.execute(
        "SELECT * FROM turn WHERE conversation_id = ? ORDER BY position", (conversation_id,)
    )
    return [_turn(row) for row in rows]


def _conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(
        conversation_id=row["conversation_id"],
        version=row["version"],
        created_at=row["created_at"],
        state=json.loads(row["state"]),
        running_turn=row["running_turn"],
        lease_until=row["lease_until"],
    )


def _turn(row: sqlite3.Row) -> TurnRecord:
    edits: list[dict[str, Any]] = json.loads(row["edits"])
    events: list[dict[str, Any]] = json.loads(row["events"])
    return TurnRecord(
        turn_id=row["turn_id"],
        conversation_id=row["conversation_id"],
        index=row["position"],
        message=row["message"],
        status=row["status"],
        started_at=row["started_at"],
        edits=edits,
        finished_at=row["finished_at"],
        answer=row["answer"],
        events=events,
    )


def _not_found(what: str, record_id: str) -> NotFound:
    return NotFound(f"there is no {what} {record_id!r}")
