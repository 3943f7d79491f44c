"""DynamoDB for tests: in this process (moto), or a server on loopback (dynalite, over HTTP).

Knows how the tables are made on both. Does not know what is tested. moto checks a condition and
writes in two steps, so it gets one thread; whatever needs true concurrency runs on dynalite
(dynalite_server.py), and is skipped with a line in the summary when that is not installed.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

import pytest
from moto import mock_aws

from faulty_proxy import proxy
from infra import dynamodb_tables
from infra.dynamodb import DynamoDb, Place, make_client
from infra.stores_dynamodb import DynamoDbStores

REGION = "eu-west-1"


@contextmanager
def credentials(*, given: bool = True) -> Iterator[None]:
    """Made-up ones or none, and nothing of the developer's own configuration."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
            if not given:
                patch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, "/nonexistent")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@cache
def client(address: str | None, threads: int) -> Any:
    """Making one reads files for a quarter of a second; a closed one opens connections anew."""
    return make_client(Place(REGION, address, threads=threads))


@asynccontextmanager
async def in_process() -> AsyncIterator[DynamoDbStores]:
    """Fresh tables on moto."""
    with credentials(), mock_aws():
        async with opened(Place(region=REGION, threads=1)) as stores:
            yield stores


@asynccontextmanager
async def on_server(address: str, threads: int = 32) -> AsyncIterator[DynamoDbStores]:
    """Fresh tables on a running server."""
    with credentials():
        async with opened(Place(REGION, address, f"t-{uuid.uuid4().hex[:12]}", threads)) as stores:
            yield stores


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[DynamoDbStores]:
    database = DynamoDb(client(place.endpoint_url, place.threads), place)
    await dynamodb_tables.create(database, recovery=False)
    stores = DynamoDbStores.on(database)
    try:
        yield stores
    finally:
        await stores.close()


@pytest.fixture
def dynamodb(dynalite: str) -> Iterator[dict[str, str]]:
    """Fresh tables on dynalite, as environment variables: set here, and for child processes.

    A proxy stands before it, because dynalite ends when a client is killed while it sends.
    """

    async def create() -> str:
        async with on_server(dynalite) as stores:
            return stores.database.place.prefix

    with credentials(), proxy(dynalite) as front, pytest.MonkeyPatch.context() as patch:
        chosen = {
            "USHER_STORE": "dynamodb",
            "USHER_AWS_REGION": REGION,
            "USHER_DYNAMODB_ENDPOINT_URL": front.url,
            "USHER_DYNAMODB_TABLE_PREFIX": asyncio.run(create()),
        }
        for name, value in chosen.items():
            patch.setenv(name, value)
        yield chosen


@pytest.fixture(params=["sqlite", "dynamodb"])
def each_store(request: pytest.FixtureRequest) -> dict[str, str]:
    """A test with this fixture runs once on each store, chosen by environment variables."""
    if request.param == "sqlite":
        return {}
    chosen: dict[str, str] = request.getfixturevalue("dynamodb")
    return chosen
