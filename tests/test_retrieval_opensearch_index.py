"""OpenSearchIndex: the contract on a real node, and what only a server can get wrong."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from contracts_changes import ChangesContract
from contracts_index import MovieIndexContract
from opensearch_node import ENCODER, emptied, gone, made, needs_opensearch, new_alias
from retrieval.opensearch.layout import Features
from retrieval.opensearch_index import OpenSearchIndex

pytestmark = needs_opensearch
NO_IDS = Features((3, 0), own_ids=False)
"""As a Serverless vector collection: the server gives the document ids."""


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def kept() -> Iterator[str]:
    """One generation for all tests of the contract: making one takes a second, emptying it less."""
    alias = new_alias()
    asyncio.run(made(alias, ENCODER))
    yield alias
    asyncio.run(gone(alias))


class TestOpenSearchIndex(MovieIndexContract, ChangesContract):
    @pytest.fixture
    async def index(self, kept: str, executor: Executor) -> AsyncIterator[OpenSearchIndex]:
        async with emptied(kept, ENCODER, executor) as index:
            yield index


class TestWithoutIdsOfOurs(MovieIndexContract, ChangesContract):
    @pytest.fixture
    async def index(self, kept: str, executor: Executor) -> AsyncIterator[OpenSearchIndex]:
        async with emptied(kept, ENCODER, executor, NO_IDS) as index:
            yield index
