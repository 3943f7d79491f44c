"""One DynamoDB client behind threads of its own: time-outs, retries, pages, batches and errors.

Knows how a request is sent, repeated and refused. Does not know what the tables mean (the stores in
infra/stores_dynamodb*.py do). boto3 waits in a thread, and it would starve others in a shared pool:
the executor here is as large as the pool of connections. The client's own retries are off; there is
one loop, and it sleeps on the event loop, not in a thread.
"""

import asyncio
import random
import re
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnection

from infra.dynamodb_items import Item, Key, check_item, to_item
from tools.stores import RecordTooLarge, StoreUnavailable

Operation = Literal[
    "get_item",
    "put_item",
    "update_item",
    "delete_item",
    "query",
    "batch_get_item",
    "batch_write_item",
    "describe_table",
    "describe_time_to_live",
    "describe_continuous_backups",
    "create_table",
    "update_time_to_live",
    "update_continuous_backups",
]
TableName = Literal["conversations", "profiles", "interactions", "cache", "quotas", "keys"]
Answer = dict[str, Any]

THREADS = 32
"""Requests under way at once; at 5 ms each that is over 6,000 a second."""
CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0
"""DynamoDB answers in milliseconds: a request this old is lost, and is sent again."""
CALL_TIMEOUT_S = 8.0
"""For one request with all its repetitions; a turn has 20 s (USHER_TURN_DEADLINE_S)."""
BACKOFF_S = 0.05
MAX_BACKOFF_S = 1.0
BATCH_GET = 100
BATCH_WRITE = 25
"""Items per request (AWS: BatchGetItem, BatchWriteItem)."""

_BUSY = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
}
"""Codes of a refusal that passes: the same request is sent again. So is one answered with 5xx."""
_CREDENTIALS = {
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "UnrecognizedClientException",
}
_TOO_LARGE = re.compile(r"item size|maximum allowed size", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tables are."""

    region: str | None = None
    endpoint_url: str | None = None
    """Another server than AWS's own, such as a VPC endpoint or an emulator."""
    prefix: str = "usher"
    threads: int = THREADS

    def table(self, name: TableName) -> str:
        """The full name of a table."""
        return f"{self.prefix}-{name}"


class TableMissing(StoreUnavailable):
    """There is no such table in this region."""

    def __init__(self, table: str) -> None:
        super().__init__(
            f"DynamoDB has no table {table}: run: usher tables create "
            "(USHER_DYNAMODB_TABLE_PREFIX and USHER_AWS_REGION say where)"
        )


class TableInUse(StoreUnavailable):
    """The table is being made or changed at this moment."""


class NotOffered(StoreUnavailable):
    """The server does not know the operation: an emulator."""


class ConditionFailed(Exception):
    """The condition of a write does not hold."""

    def __init__(self, attempts: int) -> None:
        super().__init__(f"the condition failed at attempt {attempts}")
        self.attempts = attempts
        """Above 1, an earlier attempt of the same write may be what made the condition fail."""


@dataclass(slots=True)
class _Tries:
    count: int = 0
    last: Exception | None = None


class DynamoDb:
    """An open client. Every method may be called from any task."""

    def __init__(self, client: Any, place: Place, rng: random.Random | None = None) -> None:
        self.place = place
        self._client = client
        self._rng = rng or random.Random()
        self._threads: ThreadPoolExecutor | None = ThreadPoolExecutor(
            place.threads, thread_name_prefix="dynamodb"
        )

    @classmethod
    async def open(cls, place: Place) -> "DynamoDb":
        """Make a client; nothing is asked of the server yet. Raises: StoreUnavailable."""
        return cls(await asyncio.to_thread(make_client, place), place)

    async def close(self) -> None:
        """Finish what is running; closing twice is harmless."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)
            self._client.close()

    # --- one request ------------------------------------------------------------------------------

    async def call(self, operation: Operation, **request: Any) -> Answer:
        """Send one request until it is answered.

        Raises: ConditionFailed, RecordTooLarge, StoreUnavailable (also TableMissing, TableInUse and
        NotOffered).
        """
        tries = _Tries()
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await self._until_answered(operation, request, tries)
        except TimeoutError:
            reason = f"; the last: {tries.last}" if tries.last else ""
            raise StoreUnavailable(
                f"DynamoDB did not do {operation} within {CALL_TIMEOUT_S:g} s "
                f"({tries.count} attempts{reason}): try again; if it stays so, look at the table's "
                "throttling, and at USHER_AWS_REGION and USHER_DYNAMODB_ENDPOINT_URL"
            ) from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise StoreUnavailable(f"no AWS credentials ({error}): {_GIVE_ROLE}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"DynamoDB cannot be asked ({error})") from error

    async def _until_answered(
        self, operation: Operation, request: Answer, tries: "_Tries"
    ) -> Answer:
        while True:
            tries.count += 1
            try:
                return await self._send(operation, request)
            except (ClientError, HTTPClientError, NoConnection) as error:
                if isinstance(error, ClientError) and not _passes(error):
                    raise self._refusal(error, request, tries.count) from error
                tries.last = error
            await self._back_off(tries.count)

    async def _send(self, operation: Operation, request: Answer) -> Answer:
        if self._threads is None:
            raise StoreUnavailable("the DynamoDB store is closed: the service is shutting down")
        send = getattr(self._client, operation)
        loop = asyncio.get_running_loop()
        answer: Answer = await loop.run_in_executor(self._threads, lambda: send(**request))
        return answer

    async def _back_off(self, attempts: int) -> None:
        """Full jitter, so that those who collided do not collide again."""
        await asyncio.sleep(self._rng.uniform(0, min(MAX_BACKOFF_S, BACKOFF_S * 2**attempts)))

    def _refusal(self, error: ClientError, request: Answer, attempts: int) -> Exception:
        """The port's error for one of DynamoDB's, with the next step."""
        code, message = _code(error), str(error.response.get("Error", {}).get("Message", ""))
        table = request.get("TableName", f"{self.place.prefix}-*")
        if code == "ConditionalCheckFailedException":
            return ConditionFailed(attempts)
        if code == "ResourceNotFoundException":
            return TableMissing(table)
        if code == "ValidationException" and _TOO_LARGE.search(message):
            return RecordTooLarge(f"an item for {table} is over the limit of 400 KB: store less")
        if code == "AccessDeniedException":
            return StoreUnavailable(
                f"AWS denies access to {table} ({message}): the README has the policy of the role"
            )
        if code in _CREDENTIALS:
            return StoreUnavailable(f"AWS refuses the credentials ({code}): {_GIVE_ROLE}")
        kinds = {"ResourceInUseException": TableInUse, "UnknownOperationException": NotOffered}
        kind = kinds.get(code, StoreUnavailable)
        return kind(f"DynamoDB refused a request to {table} ({code}: {message})")

    # --- items ------------------------------------------------------------------------------------

    async def get(self, table: TableName, key: Key) -> Item | None:
        """One item as it is now (a consistent read)."""
        answer = await self.call(
            "get_item", TableName=self.place.table(table), Key=to_item(key), ConsistentRead=True
        )
        item: Item | None = answer.get("Item")
        return item

    async def put_if(
        self, table: TableName, item: dict[str, Any], condition: str, **values: Any
    ) -> bool:
        """Put an item if the condition holds; whether it was put. None values are left out.

        The write carries an id of its own: when a repetition meets the item that its own first
        attempt stored before the answer was lost, that counts as put. Raises: RecordTooLarge.
        """
        stamped = {"write_id": uuid.uuid4().hex, **item}
        stored = to_item(stamped)
        check_item(stored)
        request = {
            "TableName": self.place.table(table),
            "Item": stored,
            "ConditionExpression": condition,
            **_values(values),
        }
        return await self._write_if("put_item", table, request, stamped)

    async def update_if(
        self,
        table: TableName,
        key: Key,
        change: dict[str, Any],
        condition: str,
        **values: Any,
    ) -> bool:
        """Set attributes if the condition holds, and add 1 to `version`; whether it was done."""
        stamped = {"write_id": uuid.uuid4().hex, **change}
        check_item(to_item({**key, **stamped}))
        sets = ", ".join(f"{name} = :new_{name}" for name in stamped)
        request = {
            "TableName": self.place.table(table),
            "Key": to_item(key),
            "UpdateExpression": f"SET {sets} ADD version :one",
            "ConditionExpression": condition,
            **_values({**{f"new_{n}": v for n, v in stamped.items()}, "one": 1, **values}),
        }
        return await self._write_if("update_item", table, request, {**key, **stamped})

    async def delete_if(self, table: TableName, key: Key, condition: str) -> None:
        """Delete an item if the condition holds."""
        with suppress(ConditionFailed):
            await self.call(
                "delete_item",
                TableName=self.place.table(table),
                Key=to_item(key),
                ConditionExpression=condition,
            )

    async def _write_if(
        self, operation: Operation, table: TableName, request: Answer, item: dict[str, Any]
    ) -> bool:
        try:
            await self.call(operation, **request)
        except ConditionFailed as failed:
            if failed.attempts == 1:
                return False
            key: Key = {name: item[name] for name in ("pk", "sk") if name in item}
            found = await self.get(table, key)
            return found is not None and found.get("write_id") == {"S": item["write_id"]}
        return True

    async def query(self, table: TableName, condition: str, **request: Any) -> AsyncIterator[Item]:
        """Every item of a query, page by page, as they are now. Values: `values={...}`."""
        asked = {
            "TableName": self.place.table(table),
            "KeyConditionExpression": condition,
            "ConsistentRead": True,
            **_values(request.pop("values", {})),
            **request,
        }
        while True:
            page = await self.call("query", **asked)
            for item in page["Items"]:
                yield item
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    async def batch_get(self, table: TableName, keys: Sequence[Key]) -> list[Item]:
        """Those of the keys that are there, in any order, as they are now."""
        name, found = self.place.table(table), []
        for some in _chunks([to_item(key) for key in keys], BATCH_GET):
            left, attempts = {name: {"Keys": some, "ConsistentRead": True}}, 0
            while left:
                answer = await self.call("batch_get_item", RequestItems=left)
                found += answer["Responses"].get(name, [])
                left = answer.get("UnprocessedKeys") or {}
                attempts = await self._unprocessed(left, attempts)
        return found

    async def batch_delete(self, table: TableName, keys: Iterable[Key]) -> int:
        """Delete the items; how many keys there were."""
        name = self.place.table(table)
        deletes = [{"DeleteRequest": {"Key": to_item(key)}} for key in keys]
        for some in _chunks(deletes, BATCH_WRITE):
            left, attempts = {name: some}, 0
            while left:
                answer = await self.call("batch_write_item", RequestItems=left)
                left = answer.get("UnprocessedItems") or {}
                attempts = await self._unprocessed(left, attempts)
        return len(deletes)

    async def _unprocessed(self, left: Answer, attempts: int) -> int:
        """Wait before the rest of a batch is sent again. Raises: StoreUnavailable."""
        if not left:
            return 0
        if attempts >= 8:
            raise StoreUnavailable("DynamoDB is throttling a batch: try again in a minute")
        await self._back_off(attempts + 1)
        return attempts + 1


_GIVE_ROLE = "give the process a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and its secret"


def make_client(place: Place) -> Any:
    """The boto3 client, with its time-outs and its pool. Raises: StoreUnavailable."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=place.threads,
        tcp_keepalive=True,
    )
    try:
        return Session().client(
            "dynamodb", region_name=place.region, endpoint_url=place.endpoint_url, config=config
        )
    except NoRegionError:
        raise StoreUnavailable(
            "USHER_AWS_REGION is not set: name the region of the DynamoDB tables, such as us-east-1"
        ) from None
    except (BotoCoreError, ValueError) as error:
        raise StoreUnavailable(
            f"DynamoDB cannot be used ({error}): look at USHER_AWS_REGION, "
            "USHER_DYNAMODB_ENDPOINT_URL and AWS_PROFILE"
        ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _passes(error: ClientError) -> bool:
    """Whether the same request may succeed later: the server is busy or at fault."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return _code(error) in _BUSY or bool(status >= 500)


def _values(values: dict[str, Any]) -> Answer:
    if not values:
        return {}
    return {"ExpressionAttributeValues": to_item({f":{name}": v for name, v in values.items()})}


def _chunks(items: list[Any], size: int) -> Iterable[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
