"""The DynamoDB interaction store: append-only, once per key, a batch stored whole or not at all.

Knows keys, order and how a batch survives a kill. Does not know what is learned from interactions.
Part of infra/stores_dynamodb.py; the port and its words are in tools/stores.py.

Layout: partition = the person; `i#KEY` is one interaction, sorted in the local index `by_time` by
time and arrival. A transaction takes 100 items at most and two units for each, so a batch is first
written as one compressed item, `batch#ID`: from then on it is stored. Then each interaction is put
unless its key is there, and the batch item is removed. Whoever reads, appends or erases first
completes what a killed process left.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from infra.dynamodb import DynamoDb, TableName
from infra.dynamodb_items import (
    Item,
    Key,
    check_item,
    key_of,
    key_part,
    number,
    number_or_none,
    pack,
    partition,
    text,
    text_or_none,
    to_item,
    unpack,
)
from infra.store_records import check_size, to_text
from tools.stores import Interaction, InteractionKind

TABLE: TableName = "interactions"
BATCH = "batch#"
AT_ONCE = 16
"""Puts under way for one batch: half of the threads, so that one person does not take them all."""
PAGE = 200
"""Above it, a page of a query is as long as DynamoDB makes it (1 MB)."""
NEW = "attribute_not_exists(pk)"

Row = dict[str, Any]
"""An interaction as attributes, also inside a batch item."""


class DynamoDbInteractions:
    """InteractionStore on DynamoDB."""

    def __init__(self, database: DynamoDb, ticks: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._ticks = ticks
        """Only orders what arrived with the same time."""

    async def append(self, principal: str, interactions: Sequence[Interaction]) -> int:
        for one in interactions:
            check_size("interaction", principal, *(v for v in asdict(one).values() if _is_text(v)))
        await self._complete_batches(principal)
        batch, arrival = uuid.uuid4().hex, self._ticks()
        first_of_key: dict[str, Row] = {}
        for n, one in enumerate(interactions):
            row = _row(principal, one, batch, arrival + n)
            check_item(to_item(row))  # before any is written: a batch is stored whole or not at all
            first_of_key.setdefault(one.key, row)
        rows = await self._without_known(list(first_of_key.values()))
        if len(rows) <= 1:
            return await self._put(rows, batch)
        await self._database.put_if(
            TABLE,
            {"pk": rows[0]["pk"], "sk": f"{BATCH}{batch}", "packed": pack(to_text(rows))},
            NEW,
        )
        count = await self._put(rows, batch)
        await self._database.batch_delete(TABLE, [{"pk": rows[0]["pk"], "sk": f"{BATCH}{batch}"}])
        return count

    async def recent(
        self, principal: str, kinds: Sequence[InteractionKind] = (), limit: int = 1000
    ) -> list[Interaction]:
        if limit <= 0:
            return []
        await self._complete_batches(principal)
        values = {"pk": partition(principal)}
        request: dict[str, Any] = {"IndexName": "by_time", "ScanIndexForward": False}
        if kinds:
            named = {f"kind{n}": kind for n, kind in enumerate(dict.fromkeys(kinds))}
            values.update(named)
            request["FilterExpression"] = f"kind IN ({', '.join(f':{name}' for name in named)})"
        elif limit < PAGE:
            request["Limit"] = limit
        found: list[Interaction] = []
        async for item in self._database.query(TABLE, "pk = :pk", values=values, **request):
            found.append(_interaction(item))
            if len(found) == limit:
                break
        return found

    async def delete(self, principal: str) -> int:
        await self._complete_batches(principal)
        count = 0
        while keys := await self._keys(principal):
            count += await self._database.batch_delete(TABLE, keys)
        return count

    # --- batches ----------------------------------------------------------------------------------

    async def _complete_batches(self, principal: str) -> None:
        """Batches of killed processes, and of those that are just being written: both are safe."""
        async for item in self._database.query(
            TABLE,
            "pk = :pk AND begins_with(sk, :sk)",
            values={"pk": partition(principal), "sk": BATCH},
        ):
            rows: list[Row] = unpack(item, "packed")
            await self._put(rows, rows[0]["write_id"])
            await self._database.batch_delete(TABLE, [key_of(item)])

    async def _without_known(self, rows: list[Row]) -> list[Row]:
        """A repeated send mostly ends here, with reads instead of refused writes."""
        found = await self._database.batch_get(TABLE, _keys_of(rows))
        known = {text(item, "sk") for item in found}
        return [row for row in rows if row["sk"] not in known]

    async def _put(self, rows: list[Row], batch: str) -> int:
        """Put what is new; how many of the rows this batch stored, by whoever's hand."""
        refused: list[Row] = []
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            put = await asyncio.gather(*(self._database.put_if(TABLE, row, NEW) for row in some))
            refused += [row for row, stored in zip(some, put, strict=True) if not stored]
        there = await self._database.batch_get(TABLE, _keys_of(refused))
        by_another_hand = [item for item in there if text(item, "write_id") == batch]
        return len(rows) - len(refused) + len(by_another_hand)

    async def _keys(self, principal: str) -> list[Key]:
        return [
            key_of(item)
            async for item in self._database.query(
                TABLE,
                "pk = :pk",
                values={"pk": partition(principal)},
                ProjectionExpression="pk, sk",
            )
        ]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _row(principal: str, one: Interaction, batch: str, arrival: int) -> Row:
    return {
        "pk": partition(principal),
        "sk": f"i#{key_part(one.key)}",
        "moment": f"{round(one.at * 1e6):020d}#{arrival:020d}",
        "write_id": batch,
        **asdict(one),
    }


def _interaction(item: Item) -> Interaction:
    kind: Any = text(item, "kind")
    return Interaction(
        key=text(item, "key"),
        kind=kind,
        movie_id=text(item, "movie_id"),
        at=number(item, "at"),
        value=number_or_none(item, "value"),
        conversation_id=text_or_none(item, "conversation_id"),
        turn_id=text_or_none(item, "turn_id"),
    )


def _keys_of(rows: Iterable[Row]) -> list[Key]:
    return [{"pk": row["pk"], "sk": row["sk"]} for row in rows]
