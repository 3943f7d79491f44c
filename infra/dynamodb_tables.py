"""The DynamoDB tables: what they look like, how they are made, and what differs from that.

Knows keys, indexes, billing, expiry and backups of the six tables. Does not know what their items
mean. Called by `usher tables create | check` (cli_stores.py), by `usher doctor` and when the
stores are opened.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from infra.dynamodb import DynamoDb, NotOffered, TableInUse, TableMissing, TableName
from tools.stores import StoreUnavailable

EXPIRES = "delete_after"
"""The attribute that DynamoDB's TTL reads: whole seconds since 1970."""
POLL_S = 0.5
CREATION_S = 120.0
"""A table is usable after some seconds; AWS names no bound."""


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table. Partition `pk` is the person (or what belongs to nobody), `sk` the record."""

    name: TableName
    sort_key: bool = True
    index: tuple[str, str, str] | None = None
    """Name, sort attribute and projection of a local index: those are read consistently."""
    expires: bool = False


SHAPES: tuple[TableShape, ...] = (
    TableShape("conversations", index=("by_turn", "turn_id", "KEYS_ONLY")),
    TableShape("profiles", sort_key=False),
    TableShape("interactions", index=("by_time", "moment", "ALL")),
    TableShape("cache", expires=True),
    TableShape("quotas", expires=True),
    TableShape("keys"),
)


@dataclass(frozen=True, slots=True)
class TableState:
    """How one table stands; no differences means that it is as it should be."""

    table: str
    exists: bool = True
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What may be as it is, but should be known, such as backups that are off."""


async def require(database: DynamoDb) -> None:
    """Raises StoreUnavailable, with the command that helps, unless every table is usable."""
    found = await asyncio.gather(*(_describe(database, shape) for shape in SHAPES))
    for shape, description in zip(SHAPES, found, strict=True):
        table = database.place.table(shape.name)
        if description is None:
            raise TableMissing(table)
        wrong = list(_key_differences(shape, description))
        if wrong:
            raise StoreUnavailable(
                f"table {table} is not one of Usher's ({'; '.join(wrong)}): choose another "
                "USHER_DYNAMODB_TABLE_PREFIX"
            )


async def create(database: DynamoDb, *, recovery: bool) -> list[TableState]:
    """Make what is missing and switch on what is off; nothing is ever removed. Repeatable."""
    for shape in SHAPES:
        if await _describe(database, shape) is None:
            await _create(database, shape)
    for shape in SHAPES:
        await _wait_until_active(database, shape)
        if shape.expires:
            await _expire(database, shape)
        if recovery and not shape.expires:
            await _recover(database, shape)
    return await check(database)


async def check(database: DynamoDb) -> list[TableState]:
    """How every table differs from what it should be."""
    return list(await asyncio.gather(*(_state(database, shape) for shape in SHAPES)))


# --- making ---------------------------------------------------------------------------------------


def definition(database: DynamoDb, shape: TableShape) -> dict[str, Any]:
    """The CreateTable request of a table."""
    attributes, keys = ["pk"], [{"AttributeName": "pk", "KeyType": "HASH"}]
    if shape.sort_key:
        attributes.append("sk")
        keys.append({"AttributeName": "sk", "KeyType": "RANGE"})
    request: dict[str, Any] = {
        "TableName": database.place.table(shape.name),
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys,
    }
    if shape.index is not None:
        name, attribute, projection = shape.index
        attributes.append(attribute)
        request["LocalSecondaryIndexes"] = [
            {
                "IndexName": name,
                "KeySchema": [keys[0], {"AttributeName": attribute, "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": projection},
            }
        ]
    request["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": "S"} for name in attributes
    ]
    return request


async def _create(database: DynamoDb, shape: TableShape) -> None:
    with suppress(TableInUse):  # somebody else is making it at this moment
        await database.call("create_table", **definition(database, shape))


async def _wait_until_active(database: DynamoDb, shape: TableShape) -> None:
    table = database.place.table(shape.name)
    try:
        async with asyncio.timeout(CREATION_S):
            while True:
                description = await _describe(database, shape)
                if description is not None and description["TableStatus"] in ("ACTIVE", "UPDATING"):
                    return
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise StoreUnavailable(
            f"table {table} is not ready after {CREATION_S:g} s: run usher tables create again"
        ) from None


async def _expire(database: DynamoDb, shape: TableShape) -> None:
    """Switch TTL on; when it reads another attribute, only a person may decide."""
    if await _expiry(database, shape) is not None:
        return
    with suppress(NotOffered):  # `check` says so
        await database.call(
            "update_time_to_live",
            TableName=database.place.table(shape.name),
            TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRES},
        )


async def _recover(database: DynamoDb, shape: TableShape) -> None:
    if await _recovery(database, shape):
        return
    with suppress(NotOffered):  # `check` says so
        await database.call(
            "update_continuous_backups",
            TableName=database.place.table(shape.name),
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )


# --- looking --------------------------------------------------------------------------------------


async def _state(database: DynamoDb, shape: TableShape) -> TableState:
    table = database.place.table(shape.name)
    description = await _describe(database, shape)
    if description is None:
        return TableState(table, exists=False, differences=("it is missing",))
    differences = [*_key_differences(shape, description), *_billing_differences(description)]
    notes = []
    if shape.expires:
        found = await _expiry(database, shape)
        if found is None:
            differences.append("TTL is off: expired records are refused on read but never removed")
        elif found != EXPIRES:
            differences.append(f"TTL reads the attribute {found}, not {EXPIRES}")
    elif not await _recovery(database, shape):
        notes.append("point-in-time recovery is off (usher tables create --recovery)")
    return TableState(table, differences=tuple(differences), notes=tuple(notes))


def _key_differences(shape: TableShape, description: dict[str, Any]) -> Iterator[str]:
    """What cannot be changed: only a new table helps."""
    expected = ["pk", "sk"] if shape.sort_key else ["pk"]
    keys = [key["AttributeName"] for key in description["KeySchema"]]
    if keys != expected:
        yield f"its key is {', '.join(keys)}, not {', '.join(expected)}"
    found = {
        (index["IndexName"], index["KeySchema"][-1]["AttributeName"])
        for index in description.get("LocalSecondaryIndexes") or []
    }
    if shape.index is not None and shape.index[:2] not in found:
        yield f"it has no local index {shape.index[0]} on {shape.index[1]}"


def _billing_differences(description: dict[str, Any]) -> Iterator[str]:
    mode = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if mode != "PAY_PER_REQUEST":
        yield f"its billing mode is {mode}, not PAY_PER_REQUEST: it throttles above its capacity"


async def _describe(database: DynamoDb, shape: TableShape) -> dict[str, Any] | None:
    try:
        answer = await database.call("describe_table", TableName=database.place.table(shape.name))
    except TableMissing:
        return None
    table: dict[str, Any] = answer["Table"]
    return table


async def _expiry(database: DynamoDb, shape: TableShape) -> str | None:
    """The attribute that TTL reads, None when it is off."""
    answer = await database.call(
        "describe_time_to_live", TableName=database.place.table(shape.name)
    )
    found = answer["TimeToLiveDescription"]
    on = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return str(found["AttributeName"]) if on else None


async def _recovery(database: DynamoDb, shape: TableShape) -> bool:
    try:
        answer = await database.call(
            "describe_continuous_backups", TableName=database.place.table(shape.name)
        )
    except NotOffered:
        return False
    backups = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    return bool(backups.get("PointInTimeRecoveryStatus") == "ENABLED")
