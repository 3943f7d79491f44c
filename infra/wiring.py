"""The composition root: settings in, running services out.

Knows every choice of backend, with the import inside its arm, so that nobody pays for what they do
not use. Does not know how any part works. Called by the CLI, the HTTP app and evals; nothing above
imports it.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from agent.assistant import Assistant, Limits
from agent.decide import RulesDecider
from agent.decision import Decider
from infra.learned import load_encoder, usable_enhancer, usable_ranker
from infra.settings import SettingProblem, Settings
from prompts.loader import load_phrases, load_prompt
from retrieval.index import IndexUnavailable, MovieIndex
from retrieval.knowledge import FILES
from retrieval.neighbours import Knowledge
from retrieval.retriever import Retriever, RetrieverSettings
from tools.catalogue import Catalogue, Tables
from tools.profile import ProfileTool
from tools.semantic_cache import SemanticCache
from tools.stores import Stores
from tools.toolbox import Toolbox

if TYPE_CHECKING:
    from infra.dynamodb import Place
    from infra.models_wiring import Provider
    from infra.stores_dynamodb import DynamoDbStores
    from infra.stores_sqlite import SqliteStores
    from retrieval.encoder import Encoder, EncoderIdentity
    from retrieval.enhancer import Enhancer
    from retrieval.opensearch_index import OpenSearchIndex

CPU_THREADS = 4
"""The bounded executor of all CPU work; two cores are busy with four threads that also wait."""

LOOK_EVERY_S = 1.0
"""Between two looks for a new revision of a shared index; its tables then take 1-3 s to be read."""

YOUNG = 20_000
"""New objects before the garbage collector looks (Python's own 700). A process that reads a
catalogue makes millions that stay: looking through them took a fifth of its start, and then one
millisecond of each search."""


@dataclass
class Services:
    """Everything a surface needs. `close` releases it."""

    settings: Settings
    assistant: Assistant
    toolbox: Toolbox
    stores: Stores
    index: MovieIndex
    encoder: "Encoder"
    executor: Executor
    retriever: RetrieverSettings = field(default_factory=RetrieverSettings)
    provider: "Provider | None" = None
    enhancer: "Enhancer | None" = None
    """None: queries keep their plain vectors, and `usher doctor` says why."""
    watching: asyncio.Task[None] | None = None
    """Notices what other processes change in an index that they share."""

    async def close(self) -> None:
        """Close stores and index; running turns should have been drained before."""
        if self.watching is not None:
            self.watching.cancel()
            await asyncio.gather(self.watching, return_exceptions=True)
        await self.toolbox.catalogue.close()
        await self.index.close()
        if self.provider is not None:
            await self.provider.close()
        close = getattr(self.stores, "close", None)
        if close is not None:
            await close()
        self.executor.shutdown(wait=False, cancel_futures=True)


async def build(settings: Settings, retriever: RetrieverSettings | None = None) -> Services:
    """Wire the services that the settings ask for.

    Raises: SettingProblem, IndexFailure, EncoderError, StoreFailure.
    """
    gc.set_threshold(YOUNG)
    provider = _provider(settings)
    executor = ThreadPoolExecutor(CPU_THREADS, thread_name_prefix="usher-cpu")
    encoder = load_encoder(settings)
    enhancer = usable_enhancer(encoder.identity)
    index = open_index(settings, encoder, executor)
    stores = await open_stores(settings)
    chosen = retriever or RetrieverSettings(ranker=usable_ranker())
    catalogue = Catalogue(index, executor, Knowledge.load, tuple(FILES))
    toolbox = Toolbox(
        index=index,
        catalogue=catalogue,
        retriever_for=_retrievers(index, encoder, executor, chosen, enhancer),
        profile=ProfileTool(stores.interactions, stores.profiles),
        cache=_cache(settings, stores, index),
    )
    assistant = Assistant(
        toolbox,
        _decider(settings, provider, stores),
        stores.conversations,
        load_phrases(),
        Limits(settings.turn_deadline_s, settings.grace_s, settings.max_turns),
    )
    services = Services(
        settings, assistant, toolbox, stores, index, encoder, executor, chosen, provider, enhancer
    )
    async with AsyncExitStack() as unless_ready:
        unless_ready.push_async_callback(services.close)
        try:
            await catalogue.tables()  # the first visitor must not wait for the names to be read
        except IndexUnavailable as error:
            raise SettingProblem(f"USHER_OPENSEARCH_URL: {error}") from None
        unless_ready.pop_all()
    if settings.index == "opensearch":
        services.watching = asyncio.create_task(catalogue.watch(LOOK_EVERY_S))
    return services


def open_index(settings: Settings, encoder: "Encoder", executor: Executor) -> MovieIndex:
    """Open the index. Raises: IndexFailure, SettingProblem."""
    match settings.index:
        case "local":
            from retrieval.local_index import LocalIndex

            return LocalIndex.open(settings.index_dir, encoder.identity, executor)
        case "opensearch":
            return open_opensearch(settings, encoder.identity, executor)
        case _:
            assert_never(settings.index)


def open_opensearch(
    settings: Settings, encoder: "EncoderIdentity | None", executor: Executor
) -> "OpenSearchIndex":
    """The index in OpenSearch; nothing is sent yet. Raises: SettingProblem."""
    from infra.opensearch_client import address_of, connect

    address = address_of(settings)
    client = connect(address)
    from retrieval.opensearch.layout import SERVERLESS
    from retrieval.opensearch_index import OpenSearchIndex, Server

    server, alias = Server(client, address.shown), settings.opensearch_index
    features = SERVERLESS if address.serverless else None
    return OpenSearchIndex(server, alias, encoder, executor, features)


def _provider(settings: Settings) -> "Provider | None":
    """Who serves the models, if any do. Raises: SettingProblem."""
    if settings.model == "offline":
        return None
    from infra.models_wiring import provider_of

    return provider_of(settings, settings.model)


def _decider(settings: Settings, provider: "Provider | None", stores: Stores) -> Decider:
    if provider is None:
        return RulesDecider()
    from infra.models_wiring import decider_of

    return decider_of(settings, provider, stores)


async def open_stores(settings: Settings) -> "SqliteStores | DynamoDbStores":
    """Open the stores. Raises: SettingProblem, StoreUnavailable."""
    match settings.store:
        case "sqlite":
            from infra.stores_sqlite import SqliteStores

            settings.home.mkdir(parents=True, exist_ok=True)
            return await SqliteStores.open(settings.store_file)
        case "dynamodb":
            place = dynamodb_place(settings)
            from infra.stores_dynamodb import DynamoDbStores

            return await DynamoDbStores.open(place)
        case _:
            assert_never(settings.store)


def dynamodb_place(settings: Settings) -> "Place":
    """Where the DynamoDB tables are. Raises: SettingProblem when the AWS SDK is not installed."""
    try:
        from infra.dynamodb import Place
    except ModuleNotFoundError as missing:
        raise SettingProblem(
            f"USHER_STORE=dynamodb needs {missing.name}: install Usher with its extra aws "
            "(pip install -e '.[aws]'), or set USHER_STORE=sqlite"
        ) from None
    return Place(
        settings.aws_region, settings.dynamodb_endpoint_url, settings.dynamodb_table_prefix
    )


def _cache(settings: Settings, stores: Stores, index: MovieIndex) -> SemanticCache | None:
    if not settings.search_cache_s:
        return None
    # Of a model's prompts, one shapes what is searched.
    prompts = {} if settings.model == "offline" else {"decide": load_prompt("decide").sha}
    return SemanticCache(stores.cache, index, time.time, settings.search_cache_s, prompts)


def _retrievers(
    index: MovieIndex,
    encoder: "Encoder",
    executor: Executor,
    settings: RetrieverSettings,
    enhancer: "Enhancer | None",
) -> Callable[[Tables], Retriever]:
    """One retriever per revision of the tables: its caches live as long as they are true."""
    latest: dict[str, Retriever] = {}

    def retriever_for(tables: Tables) -> Retriever:
        if tables.revision not in latest:
            latest.clear()
            latest[tables.revision] = Retriever(
                index, encoder, tables.knowledge, executor, settings, enhancer
            )
        return latest[tables.revision]

    return retriever_for
