"""The AWS stores: profiles, cache, quotas and keys in DynamoDB, and all six opened together.

Knows the items of four ports of tools/stores.py; the others stand in
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
    number_or_none,
    pack,
    partition,
    text,
    to_item,
    unpack,
    whole,
)
from infra.dynamodb_tables import EXPIRES, require
from infra.store_records import check_cache_size, check_size, to_text
from infra.stores_dynamodb_conversations import DynamoDbConversations
from infra.stores_dynamodb_interactions import DynamoDbInteractions
from tools.stores import (
    ApiKey,
    Cached,
    NotFound,
    Profile,
    QuotaExceeded,
    StaleVersion,
    StoreFailure,
    Stores,
)

KEYS = "keys"
"""The one partition of the table of API keys."""
PAST_WINDOW_S = 3600
"""How long a quota window is kept after its end, for clocks that differ."""


@dataclass(frozen=True, slots=True)
class DynamoDbStores(Stores):
    """The six stores on the tables of one prefix."""

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
            keys=DynamoDbKeys(database),
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
        found = await self.versioned(key, now=now, owner=owner)
        return found.value if found else None

    async def versioned(self, key: str, *, now: float, owner: str = "") -> Cached | None:
        item = await self._database.get("cache", _cache_key(key, owner))
        if item is None or number(item, "expires_at") <= now:
            return None
        # Written before versions were: 0, which no conditional write takes for "nothing there".
        return Cached(item["value"]["B"], int(number_or_none(item, "version") or 0))

    async def put(self, key: str, value: bytes, *, expires_at: float, owner: str = "") -> None:
        check_cache_size(value)
        await self._database.call(
            "update_item",
            TableName=self._database.place.table("cache"),
            Key=to_item(_cache_key(key, owner)),
            UpdateExpression="SET #value = :value, expires_at = :expires_at, "
            f"{EXPIRES} = :delete_after ADD version :one",
            ExpressionAttributeNames={"#value": "value"},  # a word that DynamoDB reserves
            ExpressionAttributeValues=to_item(
                {
                    ":value": value,
                    ":expires_at": expires_at,
                    ":delete_after": math.ceil(expires_at),
                    ":one": 1,
                }
            ),
        )

    async def put_if_version(
        self,
        key: str,
        value: bytes,
        *,
        version: int,
        expires_at: float,
        now: float,
        owner: str = "",
    ) -> int:
        check_cache_size(value)
        item = {
            **_cache_key(key, owner),
            "value": value,
            "version": version + 1,
            "expires_at": expires_at,
            EXPIRES: math.ceil(expires_at),
        }
        if version == 0:
            condition = "attribute_not_exists(pk) OR expires_at <= :now"
            put = await self._database.put_if("cache", item, condition, now=now)
        else:
            condition = "version = :version AND expires_at > :now"
            put = await self._database.put_if("cache", item, condition, version=version, now=now)
        if not put:
            raise StaleVersion("the cached value was changed meanwhile: read it again")
        return version + 1

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


class DynamoDbKeys:
    """Keys on DynamoDB: one partition, because there are few and a listing reads them all."""

    def __init__(self, database: DynamoDb) -> None:
        self._database = database

    async def create(self, key: ApiKey) -> None:
        item = {
            **_api_key(key.key_id),
            "label": key.name,
            "digest": key.digest,
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        if not await self._database.put_if("keys", item, "attribute_not_exists(pk)"):
            raise StaleVersion(f"there is a key {key.key_id} already: make another one")

    async def find(self, key_id: str) -> ApiKey | None:
        item = await self._database.get("keys", _api_key(key_id))
        return _key_of_item(item) if item else None

    async def list(self) -> list[ApiKey]:
        items = self._database.query("keys", "pk = :pk", values={"pk": KEYS})
        found = [_key_of_item(item) async for item in items]
        return sorted(found, key=lambda key: (key.created_at, key.key_id))

    async def revoke(self, key_id: str, *, now: float) -> ApiKey:
        await self._database.update_if(
            "keys",
            _api_key(key_id),
            {"revoked_at": now},
            "attribute_exists(pk) AND attribute_not_exists(revoked_at)",
        )
        found = await self.find(key_id)
        if found is None:
            raise NotFound(f"there is no API key {key_id}: see usher keys list")
        return found


def _api_key(key_id: str) -> dict[str, str]:
    return {"pk": KEYS, "sk": key_part(key_id)}


def _key_of_item(item: Item) -> ApiKey:
    return ApiKey(
        key_id=text(item, "sk"),
        name=text(item, "label"),
        digest=text(item, "digest"),
        created_at=number(item, "created_at"),
        revoked_at=number_or_none(item, "revoked_at"),
    )


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
