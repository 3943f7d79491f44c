"""Local index and OpenSearch side by side: how alike their lists are, and how fast.

Knows what is asked of both and how times and overlaps are taken. Does not know how an index comes
to be (opensearch_copy.py) or what is printed (opensearch_command.py).
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from agent.replay import replay
from evals.recorded.rank_input import Case
from evals.recorded.ranking import overlap, ranks_of
from infra.wiring import Services
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.index import WINDOW, Leg, TextLeg, VectorLeg
from retrieval.movie import Query
from retrieval.opensearch.filter import filter_of
from retrieval.opensearch.legs import Scale, Scored, Search
from retrieval.opensearch_index import OpenSearchIndex
from retrieval.retriever import Retriever

K = 50
"""As the toolbox asks for in a turn."""
TOP = 10
CLIENTS = (1, 16)
WARM = 30
"""Queries before the clock starts."""
WARM_UP = 1000
"""Searches for other turns before a server's usual speed is taken: it compiles itself meanwhile."""
STARTED = "just started"
PASSES = 5
"""Of which the quickest counts: what else a machine does only adds, and all are told."""


async def queries_of(cases: Sequence[Case], services: Services) -> list[Query]:
    """The recorded turns as the agent reads them."""
    toolbox = services.toolbox
    return [(await replay(c.turns, toolbox, sorted(c.mentioned))).query for c in cases]


async def retriever_of(services: Services) -> Retriever:
    """The retriever of a turn."""
    return services.toolbox.retriever_for(await services.toolbox.catalogue.tables())


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    p50: float
    p95: float
    per_s: float
    passes: tuple[int, ...] = ()
    """p95 of each, where there were several."""


async def timed(
    work: Callable[[Query], Awaitable[object]], queries: Sequence[Query], clients: int
) -> Times:
    """Each client asks its share, one query after the other."""
    for query in queries[:WARM]:
        await work(query)
    taken: list[float] = []

    async def client(own: Sequence[Query]) -> None:
        for query in own:
            started = time.perf_counter()
            await work(query)
            taken.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    await asyncio.gather(*(client(queries[i::clients]) for i in range(clients)))
    seconds = time.perf_counter() - started
    p50, p95 = np.percentile(taken, [50, 95])
    return Times(float(p50), float(p95), len(taken) / seconds)


async def latencies(
    services: Services, queries: Sequence[Query], others: Sequence[Query]
) -> dict[str, Times]:
    """{clients: times} of whole retrievals; of most clients also before a warm-up by `others`."""
    retriever = await retriever_of(services)

    async def retrieve(query: Query) -> object:
        return await retriever.retrieve(query, k=K)

    found = {f"{max(CLIENTS)} {STARTED}": await timed(retrieve, queries, max(CLIENTS))}
    await timed(retrieve, others, max(CLIENTS))
    for n in CLIENTS:
        passes = [await timed(retrieve, queries, n) for _ in range(PASSES)]
        quickest = min(passes, key=lambda times: times.p95)
        found[str(n)] = replace(quickest, passes=tuple(round(times.p95) for times in passes))
    return found


# --- the server's own fusion ----------------------------------------------------------------------

PIPELINES: dict[str, dict[str, Any]] = {
    "hybrid, min-max and arithmetic mean": {
        "normalization-processor": {
            "normalization": {"technique": "min_max"},
            "combination": {"technique": "arithmetic_mean"},
        }
    },
    "hybrid, RRF": {"score-ranker-processor": {"combination": {"technique": "rrf"}}},
}
OURS = "two legs, fused by us"


@dataclass(frozen=True, slots=True)
class Fused:
    """One way to fuse text and meaning."""

    times: Times
    overlap: float
    """With our own fusion, at ten."""
    found: int
    """Targets in the top ten."""
    targets: int


async def fusions(
    services: Services, queries: Sequence[Query], cases: Sequence[Case]
) -> dict[str, Fused]:
    """Text and dense legs of each query, fused by us and by the server's pipelines."""
    index = services.index
    assert isinstance(index, OpenSearchIndex)
    texts = [query for query in queries if query.text]
    wanted = [case for case, query in zip(cases, queries, strict=True) if query.text]
    vectors = dict(
        zip([q.text for q in texts], services.encoder.encode([q.text for q in texts]), strict=True)
    )

    async def ours(query: Query) -> list[str]:
        legs: list[Leg] = [TextLeg(query.text), VectorLeg(vectors[query.text])]
        hits = await index.search(legs, query.constraints, WINDOW)
        fused = reciprocal_rank_fusion(hits, {"text": 1.0, "dense": 1.0}, 60)
        return [one.movie_id for one in fused[:TOP]]

    view = await index.views.look(0)
    scale = Scale(view.top_log_popularity, (await index.views.features()).bm25_scale)

    def native(name: str) -> Callable[[Query], Awaitable[list[str]]]:
        async def run(query: Query) -> list[str]:
            search = Search(filter_of(query.constraints), frozenset(), WINDOW, scale)
            legs = (TextLeg(query.text), VectorLeg(vectors[query.text]))
            lines = [line for leg in legs if (line := Scored(leg, search).line) is not None]
            parts = [json.loads(line)["query"] for line in lines]
            pipe = {"phase_results_processors": [PIPELINES[name]]}
            hybrid = {"queries": parts, "pagination_depth": WINDOW}  # else only TOP of each leg
            body = {"query": {"hybrid": hybrid}, "size": TOP, "_source": ["movie_id"]}
            path = f"/{view.generation.movies}/_search"
            answer = await index.server.send("POST", path, body | {"search_pipeline": pipe})
            return [hit["_source"]["movie_id"] for hit in answer["hits"]["hits"]]

        return run

    ways = {OURS: ours} | {name: native(name) for name in PIPELINES}
    mine = [await ours(query) for query in texts]
    found: dict[str, Fused] = {}
    for name, way in ways.items():
        lists = [await way(query) for query in texts]
        ranks = [ranks_of(c.new_targets, top) for c, top in zip(wanted, lists, strict=True)]
        hit = sum(1 for each in ranks for rank in each if 0 < rank <= TOP)
        total = sum(map(len, ranks))
        found[name] = Fused(await timed(way, texts, 1), overlap(mine, lists), hit, total)
    return found
