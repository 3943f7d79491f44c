"""The AWS stores: profiles, cache and quotas in DynamoDB, and the five stores opened together.

Knows the items of three ports of tools/stores.py; the others stand in
stores_dynamodb_conversations.py and stores_dynamodb_interactions.py. Does not know what is
remembered or why. Opened by infra/wiring.py; tests/contracts_stores.py holds the behaviour.
"""

import hashlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from infra.dynamodb import ConditionFailed, DynamoDb, Place, TableName
from infra.dynamodb_items import (
    Item,
    key_of,
    key_part,
    number,
    pack,
    partition,
    to_item,
    unpack,
    whole,
)
from infra.dynamodb_tables import EXPIRES, require
from infra.store_records import check_cache_size, check_size, to_text
from infra.stores_dynamodb_conversations import DynamoDbConversations
from infra.stores_dynamodb_interactions import DynamoDbInteractions
from tools.stores import Profile, QuotaExceeded, StaleVersion, StoreFailure, Stores

PAST_WINDOW_S = 3600
"""How long a quota window is kept after its end, for clocks that differ."""


@dataclass(frozen=True, slots=True)
class DynamoDbStores(Stores):
    """The five stores on the tables of one prefix."""

    database: DynamoDb

    @classmethod
    async def open(cls, place: Place) -> "DynamoDbStores":
        """Open the tables; they must be there (usher tables create). Raises: StoreUnavailable."""
        database = await DynamoDb.open(place)
        try:
            await require(database)
        except StoreFailure:
            await database.close()
            raise
        return cls.on(database)

    @classmethod
    def on(cls, database: DynamoDb) -> "DynamoDbStores":
        """The stores over an open client."""
        return cls(
            conversations=DynamoDbConversations(database),
            profiles=DynamoDbProfiles(database),
            interactions=DynamoDbInteractions(database),
            cache=DynamoDbCache(database),
            quotas=DynamoDbQuotas(database),
            database=database,
        )

    async def close(self) -> None:
        """Finish what is running and close the connections."""
        await self.database.close()


class DynamoDbProfiles:
    """ProfileStore on DynamoDB."""

    def __init__(self, database: DynamoDb) -> None:
        self._database = database

    async def get(self, principal: str) -> Profile:
        item = await self._database.get("profiles", {"pk": partition(principal)})
        return Profile(whole(item, "version"), unpack(item, "preferences")) if item else Profile()

    async def put(self, principal: str, profile: Profile) -> Profile:
        preferences = to_text(profile.preferences)
        check_size("profile", preferences)
        saved = replace(profile, version=profile.version + 1)
        item = {
            "pk": partition(principal),
            "version": saved.version,
            "preferences": pack(preferences),
        }
        if profile.version == 0:
            put = await self._database.put_if("profiles", item, "attribute_not_exists(pk)")
        else:
            put = await self._database.put_if(
                "profiles", item, "version = :version", version=profile.version
            )
        if not put:
            raise StaleVersion("the profile was changed meanwhile: read it again and retry")
        return saved

    async def delete(self, principal: str) -> None:
        await self._database.batch_delete("profiles", [{"pk": partition(principal)}])


class DynamoDbCache:
    """CacheStore on DynamoDB; TTL removes what expired, within days, so a read checks as well."""

    def __init__(self, database: DynamoDb) -> None:
        self._database = database

    async def get(self, key: str, *, now: float, owner: str = "") -> bytes | None:
        item = await self._database.get("cache", _cache_key(key, owner))
        if item is None or number(item, "expires_at") <= now:
            return None
        value: bytes = item["value"]["B"]
        return value

    async def put(self, key: str, value: bytes, *, expires_at: float, owner: str = "") -> None:
        check_cache_size(value)
        await self._database.call(
            "put_item",
            TableName=self._database.place.table("cache"),
            Item=to_item(
                {
                    **_cache_key(key, owner),
                    "value": value,
                    "expires_at": expires_at,
                    EXPIRES: math.ceil(expires_at),
                }
            ),
        )

    async def delete(self, owner: str) -> int:
        keys = [key_of(item) async for item in _of(self._database, "cache", owner)]
        return await self._database.batch_delete("cache", keys)


class DynamoDbQuotas:
    """QuotaStore on DynamoDB: fixed windows that start at multiples of their length."""

    def __init__(self, database: DynamoDb) -> None:
        self._database = database

    async def take(
        self, principal: str, name: str, *, limit: int, window_s: int, now: float, amount: int = 1
    ) -> int:
        """One conditional ADD.

        When an answer is lost and the write is repeated, it may count twice: a person then gets a
        little less than the limit, never more.
        """
        start = int(now // window_s) * window_s
        exceeded = QuotaExceeded(name, retry_after=start + window_s - now)
        if amount > limit:
            raise exceeded
        try:
            answer = await self._database.call(
                "update_item",
                TableName=self._database.place.table("quotas"),
                Key=to_item(
                    {
                        "pk": partition(principal),
                        "sk": f"{key_part(name)}#{window_s}#{start}",
                    }
                ),
                UpdateExpression=f"ADD taken :amount SET {EXPIRES} = :expires",
                ConditionExpression="attribute_not_exists(taken) OR taken <= :room",
                ExpressionAttributeValues=to_item(
                    {
                        ":amount": amount,
                        ":room": limit - amount,
                        ":expires": start + window_s + PAST_WINDOW_S,
                    }
                ),
                ReturnValues="UPDATED_NEW",
            )
        except ConditionFailed:
            raise exceeded from None
        return limit - whole(answer["Attributes"], "taken")

    async def delete(self, principal: str) -> int:
        keys = [key_of(item) async for item in _of(self._database, "quotas", principal)]
        return await self._database.batch_delete("quotas", keys)


def _cache_key(key: str, owner: str) -> dict[str, str]:
    """Hashed: keys are long and may hold what a person said; what nobody owns is spread evenly."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return {"pk": partition(owner) if owner else f"k#{digest}", "sk": digest}


def _of(database: DynamoDb, table: TableName, principal: str) -> AsyncIterator[Item]:
    """The keys of everything in a person's partition."""
    return database.query(
        table,
        "pk = :pk",
        values={"pk": partition(principal)},
        ProjectionExpression="pk, sk",
    )
