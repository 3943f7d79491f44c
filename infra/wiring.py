"""The composition root: settings in, running services out.

Knows every choice of backend, with the import inside its arm, so that nobody pays for what they do
not use. Does not know how any part works. Called by the CLI, the HTTP app and evals; nothing above
imports it.
"""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from agent.assistant import Assistant, Limits
from agent.decide import Decider, RulesDecider
from infra.settings import SettingProblem, Settings
from prompts.loader import load_phrases
from retrieval.index import MovieIndex
from retrieval.knowledge import FILES
from retrieval.neighbours import Knowledge
from retrieval.retriever import Retriever, RetrieverSettings
from tools.catalogue import Catalogue, Tables
from tools.profile import ProfileTool
from tools.stores import Stores
from tools.toolbox import Toolbox

if TYPE_CHECKING:
    from infra.models_wiring import Provider
    from infra.stores_sqlite import SqliteStores
    from retrieval.encoder import Encoder

CPU_THREADS = 4
"""The bounded executor of all CPU work; two cores are busy with four threads that also wait."""


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

    async def close(self) -> None:
        """Close stores and index; running turns should have been drained before."""
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
    provider = _provider(settings)
    executor = ThreadPoolExecutor(CPU_THREADS, thread_name_prefix="usher-cpu")
    encoder = load_encoder(settings)
    index = open_index(settings, encoder, executor)
    stores = await _stores(settings)
    chosen = retriever or RetrieverSettings()
    catalogue = Catalogue(index, executor, Knowledge.load, tuple(FILES))
    toolbox = Toolbox(
        index=index,
        catalogue=catalogue,
        retriever_for=_retrievers(index, encoder, executor, chosen),
        profile=ProfileTool(stores.interactions),
    )
    assistant = Assistant(
        toolbox,
        _decider(settings, provider, stores),
        stores.conversations,
        load_phrases(),
        Limits(settings.turn_deadline_s, settings.grace_s, settings.max_turns),
    )
    await catalogue.tables()  # the first visitor must not wait for the names to be read
    return Services(
        settings, assistant, toolbox, stores, index, encoder, executor, chosen, provider
    )


def load_encoder(settings: Settings) -> "Encoder":
    """The encoder that ships, or the one in `USHER_ENCODER_DIR`. Raises: EncoderError."""
    from retrieval.encoder import OnnxEncoder

    return OnnxEncoder.load(settings.encoder_dir)


def open_index(settings: Settings, encoder: "Encoder", executor: Executor) -> MovieIndex:
    """Open the index. Raises: IndexFailure, SettingProblem."""
    match settings.index:
        case "local":
            from retrieval.local_index import LocalIndex

            return LocalIndex.open(settings.index_dir, encoder.identity, executor)
        case "opensearch":
            raise SettingProblem(
                "USHER_INDEX=opensearch is not built yet: use USHER_INDEX=local, the default"
            )
        case _:
            assert_never(settings.index)


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


async def _stores(settings: Settings) -> "SqliteStores":
    match settings.store:
        case "sqlite":
            from infra.stores_sqlite import SqliteStores

            settings.home.mkdir(parents=True, exist_ok=True)
            return await SqliteStores.open(settings.store_file)
        case "dynamodb":
            raise SettingProblem(
                "USHER_STORE=dynamodb is not built yet: use USHER_STORE=sqlite, the default"
            )
        case _:
            assert_never(settings.store)


def _retrievers(
    index: MovieIndex, encoder: "Encoder", executor: Executor, settings: RetrieverSettings
) -> Callable[[Tables], Retriever]:
    """One retriever per revision of the tables: its caches live as long as they are true."""
    latest: dict[str, Retriever] = {}

    def retriever_for(tables: Tables) -> Retriever:
        if tables.revision not in latest:
            latest.clear()
            latest[tables.revision] = Retriever(
                index, encoder, tables.knowledge, executor, settings
            )
        return latest[tables.revision]

    return retriever_for
