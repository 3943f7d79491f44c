"""`python -m evals cache`: does the semantic cache ever give a list that was made for another wish?

Knows what counts as a hit, a wrong hit and saved time. Does not know how pairs are made
(cache_pairs.py) or how the cache works: requests go through the agent's own understanding and the
toolbox, as in a first turn. Called by evals/__main__.py.

Two requests are one to the cache when their keys are equal and their vectors nearer than a
threshold. It is calibrated here: the cosine of the nearest changed pair whose keys are equal, and a
margin above it. Dialogues are drawn from the same templates, by Zipf: people repeat themselves less
neatly, so the hit rate on them is an upper bound.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.query import constraints_of, query_of
from agent.replay import Role, replay, replayed
from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.service.cache_pairs import RequestPair, dialogue, pairs, starter_facts
from infra.progress import shown
from infra.wiring import Services
from retrieval.movie import Query, Taste
from tools.semantic_cache import NEAR, SemanticCache, place_of, recipe_of, telling

THRESHOLDS = (0.90, 0.93, 0.95, 0.96, 0.97, 0.98, 0.99)
TTL_S = 3600.0


@dataclass(frozen=True, slots=True)
class Compared:
    """A pair as the cache sees it."""

    pair: RequestPair
    same_key: bool
    cosine: float
    heard_as_one: bool
    """The agent understood both as the very same query: no cache is needed to answer them alike."""

    def hits(self, near: float) -> bool:
        """Whether the second would get the list of the first."""
        return self.same_key and self.cosine >= near


@dataclass
class CacheFigures:
    """What was measured."""

    compared: list[Compared] = field(default_factory=list)
    searches: int = 0
    """Of the dialogues."""
    hits: int = 0
    fresh_ms: list[float] = field(default_factory=list)
    """Searches that missed, with their keeping."""
    hit_ms: list[float] = field(default_factory=list)

    def told_apart(self) -> list[Compared]:
        """The pairs with something changed, where the agent heard the change."""
        changed = [one for one in self.compared if one.pair.change is not None]
        return [one for one in changed if not one.heard_as_one]

    def wrong_hits(self, near: float = NEAR) -> list[Compared]:
        """Changed pairs that would share a list."""
        return [one for one in self.told_apart() if one.hits(near)]

    def hit_rate(self, near: float = NEAR) -> float:
        """Of the pairs that are only worded otherwise."""
        same = [one.hits(near) for one in self.compared if one.pair.change is None]
        return float(np.mean(same)) if same else 0.0

    def nearest_changed(self) -> float:
        """The cosine above which no changed pair with one key lies."""
        return max((one.cosine for one in self.told_apart() if one.same_key), default=0.0)

    def as_json(self) -> dict[str, Any]:
        """Figures in one object."""
        changed = [one for one in self.compared if one.pair.change is not None]
        of = Counter(one.pair.change for one in changed)
        keyed = Counter(one.pair.change for one in self.told_apart() if one.same_key)
        deaf = Counter(one.pair.change for one in changed if one.heard_as_one)
        fresh, hit = np.median(self.fresh_ms or [0.0]), np.median(self.hit_ms or [0.0])
        return {
            "threshold": NEAR,
            "changed_pairs": len(changed),
            "wrong_hits": len(self.wrong_hits()),
            "nearest_changed_with_one_key": round(self.nearest_changed(), 4),
            "one_key_by_change": {str(name): f"{keyed[name]} of {of[name]}" for name in of},
            "heard_as_one_by_change": {str(name): deaf[name] for name in of if deaf[name]},
            "reworded_pairs": len(self.compared) - len(changed),
            "reworded_hit_rate": round(self.hit_rate(), 3),
            "by_threshold": {
                f"{near:.2f}": {
                    "wrong_hits": len(self.wrong_hits(near)),
                    "reworded_hit_rate": round(self.hit_rate(near), 3),
                }
                for near in THRESHOLDS
            },
            "dialogue_searches": self.searches,
            "dialogue_hit_rate": round(self.hits / self.searches, 3) if self.searches else 0.0,
            "search_ms": round(float(fresh), 2),
            "hit_ms": round(float(hit), 2),
            "saved_ms_per_hit": round(float(fresh - hit), 2),
        }


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "cache")
    parser.set_defaults(command=lambda given: asyncio.run(cache(given)))
    add_index_and_json(parser)
    parser.add_argument("--pairs", type=int, default=1200, help="changed, and as many reworded")
    parser.add_argument("--dialogues", type=int, default=2000, help="drawn from templates")
    parser.add_argument("--seed", type=int, default=0, help="of pairs and dialogues (default 0)")


async def cache(given: argparse.Namespace) -> int:
    """Measure, print, and fail when there is a wrong hit."""
    figures = await measure(given.index, given.pairs, given.dialogues, given.seed)
    for one in figures.wrong_hits()[:10]:
        print(f"wrong hit ({one.pair.change}): {one.pair.first!r} / {one.pair.second!r}")
    print(json.dumps(figures.as_json(), indent=None if given.json else 2))
    return 1 if figures.wrong_hits() else 0


async def measure(index: Path | None, count: int, dialogues: int, seed: int) -> CacheFigures:
    """Compare `count` changed and as many reworded pairs, then play dialogues."""
    figures, facts, rng = CacheFigures(), starter_facts(), random.Random(seed)
    made = list(pairs(facts, count, rng))
    spoken = [dialogue(facts, rng) for _ in range(dialogues)]
    async with opened(index) as services:
        with shown() as report:
            for n, pair in enumerate(made):
                report("comparing", n, len(made))
                figures.compared.append(await _compare(services, pair))
            cached = replace(services.toolbox, cache=_cache(services))
            services.toolbox = cached
            for n, turns in enumerate(spoken):
                report("playing", n, len(spoken))
                await _play(services, turns, figures)
    return figures


def _cache(services: Services) -> SemanticCache:
    return SemanticCache(services.stores.cache, services.index, time.time, TTL_S)


async def _compare(services: Services, pair: RequestPair) -> Compared:
    tables = await services.toolbox.catalogue.tables()
    retriever = services.toolbox.retriever_for(tables)
    seen = []
    for text in (pair.first, pair.second):
        query = (await replay([("user", text)], services.toolbox)).query
        prepared = await retriever.prepare(telling(query))
        place = place_of(query, Taste(), tables.revision, recipe_of(retriever), prepared)
        seen.append((query, place, prepared.plain))
    (query, first, vector), (other, second, near) = seen
    cosine = 1.0 if vector is None or near is None else float(vector @ near)
    return Compared(pair, first == second, cosine, query == other)


async def _play(services: Services, turns: Sequence[str], figures: CacheFigures) -> None:
    """Every search of a dialogue; what was found first is out in the next turn, as in the chat."""
    shown_ids: set[str] = set()
    async for query in _queries(services, turns):
        constraints = replace(query.constraints, exclude_ids=frozenset(shown_ids))
        started = time.perf_counter()
        found = await services.toolbox.search(replace(query, constraints=constraints), Taste())
        took = (time.perf_counter() - started) * 1000
        (figures.hit_ms if found.cached else figures.fresh_ms).append(took)
        figures.searches += 1
        figures.hits += found.cached
        shown_ids |= {c.movie.movie_id for c in found.candidates[:5]}


async def _queries(services: Services, turns: Sequence[str]) -> AsyncIterator[Query]:
    spoken: list[tuple[Role, str]] = [("user", text) for text in turns]
    async for turn in replayed(spoken, services.toolbox):
        search = turn.decision.search
        if search is not None:
            constraints = constraints_of(turn.state.ledger)
            yield query_of(turn.state.ledger, search.text, constraints, search.known_item)
