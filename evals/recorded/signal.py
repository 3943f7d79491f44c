"""`python -m evals signal`: what each part of the knowledge adds, on recorded conversations.

Knows the rows (each leg alone, all fused, all but one) and the strata (are the films named so far
listed?). Does not know the protocol of folds (rank.py) or how legs are searched. Called by
evals/__main__.py and figures.py.

Every turn is answered once by the product as it is; what its legs returned is kept and fused again
with other weights, so that twenty rows cost little more than one. Only the row "fused" is
reordered for diversity; the others are compared with "fused, not reordered". All rows rest on what
the agent understood, but "neighbours of labelled films": what the lists are worth when every named
film is heard and nothing is required.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from agent.replay import replay
from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.recorded.models import read_models
from evals.recorded.rank import Protocol, check_leaks, groups
from evals.recorded.rank_command import read
from evals.recorded.rank_input import Case, InputProblem
from evals.recorded.ranking import Estimate, ranks_of, recall_estimate
from evals.recorded.worlds import IndexView, World, recounted_world, shipped_world
from evals.report import Row
from infra.progress import shown
from infra.wiring import Services
from retrieval.fusion import RRF_K, reciprocal_rank_fusion
from retrieval.index import Hits, Leg
from retrieval.movie import Constraints, Query, Seed, Taste
from retrieval.neighbours import list_votes, seed_weights
from retrieval.rank_features import Search, features
from retrieval.ranker import CANDIDATES, ranks
from retrieval.retriever import Retrieved, Retriever, RetrieverSettings
from retrieval.search_plan import row_of

DEPTH = 50
LEARNED, FIXED = "fused, learned ranker", "fused, fixed weights"
"""With models, over the same legs; between them is PRODUCT, its weights by a plan of intents."""
LEARNED_PLAIN, BLIND = "learned ranker, not reordered", "learned ranker without "
PRODUCT, PLAIN, LABELLED = "fused", "fused, not reordered", "neighbours of labelled films"
ALONE: Mapping[str, tuple[str, ...]] = {
    **{leg: (leg,) for leg in ("neighbours", "archetypes", "comention")},
    **{"popularity": ("mentions",), "catalogue popularity": ("popular",), "tags": ("tags",)},
    **{"dense": ("dense", "dense_seeds"), "lexical": ("text",)},
}
"""{row: the legs it consists of}, each asked whether or not the product would ask it."""
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    **{f"fused without {leg}": (leg,) for leg in ("neighbours", "archetypes", "comention", "tags")},
    "fused without popularity": ("mentions", "popular"),
    "fused without counts": ("comention", "mentions"),
    "fused without dense": ("dense", "dense_seeds"),
    "fused without lexical": ("text",),
}
EVERY, LISTED, NAMELESS = "every turn", "naming a listed film", "naming none"
STRATA = (EVERY, LISTED, "all listed", "some listed", "none listed", NAMELESS)
"""By the labelled films named so far, not by those that the agent heard."""
BOUNDS: Mapping[tuple[str, str], float] = {
    (LABELLED, EVERY): 0.18,
    (LABELLED, LISTED): 0.22,
    ("archetypes", EVERY): 0.10,
    ("archetypes", NAMELESS): 0.14,
    (PRODUCT, EVERY): 0.22,
}
"""{(row, stratum): R@10 that the starter's knowledge should reach}, for figures out of fold.

The pilot that these come from (research/pilots.md) took the labelled films as named.
"""
BY_STRATUM = "R@10 fused, all / some / none listed / naming none"
WITHOUT = (
    f"R@10 fused, without {' / '.join(row.removeprefix('fused without ') for row in LEFT_OUT)}"
)
FIGURES = (*(f"R@10 {row}, {stratum}" for row, stratum in BOUNDS), BY_STRATUM, WITHOUT)
"""What it adds to the results table."""


@dataclass
class Signal:
    """The rank of every new target, by row."""

    strata: list[frozenset[str]] = field(default_factory=list)
    """Of each target."""
    dialogues: list[str] = field(default_factory=list)
    ranks: dict[str, list[int]] = field(default_factory=dict)
    turns: int = 0
    protocol: str = ""
    seconds: float = 0.0

    def recall(self, row: str, stratum: str, k: int) -> Estimate:
        """R@k of a row over the targets of a stratum."""
        of = [i for i, strata in enumerate(self.strata) if stratum in strata]
        ranks = np.array([self.ranks[row][i] for i in of], dtype=np.int32)
        dialogues = [self.dialogues[i] for i in of]
        return recall_estimate(ranks, dialogues, k, np.random.default_rng(0))

    def add(self, case: Case, strata: frozenset[str], lists: Mapping[str, Sequence[str]]) -> None:
        """Enter what the rows returned for one turn."""
        targets = case.new_targets
        self.turns += 1
        self.strata += [strata] * len(targets)
        self.dialogues += [case.dialogue_id] * len(targets)
        for row, ids in lists.items():
            self.ranks.setdefault(row, []).extend(ranks_of(targets, ids))

    def as_json(self) -> dict[str, Any]:
        """{row: {stratum: {"R@10", "R@50", "n"}}} and what was measured how."""
        rows = {
            row: {stratum: self._cells(row, stratum) for stratum in STRATA} for row in self.ranks
        }
        seconds = round(self.seconds, 1)
        return {"protocol": self.protocol, "turns": self.turns, "rows": rows, "seconds": seconds}

    def _cells(self, row: str, stratum: str) -> dict[str, float]:
        at = {f"R@{k}": self.recall(row, stratum, k) for k in (10, 50)}
        cells: dict[str, float] = {name: round(e.value, 4) for name, e in at.items()}
        return {**cells, "n": at["R@10"].n}


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "signal")
    parser.set_defaults(command=lambda given: asyncio.run(signal(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    parser.add_argument("--counts-from", type=Path, help="count co-mention out of fold from here")
    parser.add_argument("--models", type=Path, help="rankers per fold: jobs.train_folds --out")
    parser.add_argument("--in-sample", action="store_true", help="accept counts of these dialogues")


async def signal(given: argparse.Namespace) -> int:
    """The command. Raises: InputProblem and what opening an index raises."""
    cases, names = read(given.input, None, given.counts_from)
    protocol = Protocol(
        counts_from=given.counts_from,
        in_sample=given.in_sample,
        models=read_models(given.models) if given.models else None,
    )
    async with opened(given.index) as services:
        with shown() as report:
            tell = partial(report, "answering")
            found = await measure(cases, names, protocol, services, tell)
    console = Console(width=max(Console().width, 150))
    console.print(table_of(found))
    for line in verdicts_of(found):
        print(line)
    if given.json:
        print(json.dumps(found.as_json()))
    return 0


async def measure(
    cases: Sequence[Case],
    names: Mapping[str, str],
    protocol: Protocol,
    services: Services,
    report: Callable[[int, int], None],
) -> Signal:
    """Answer every turn that has a new target; `names` gives labelled films their ids.

    Raises: InputProblem.
    """
    asked = [case for case in cases if case.new_targets]
    if not asked:
        raise InputProblem("no turn of the input has a target that was not mentioned before")
    await check_leaks(asked, protocol, services)
    found, started = Signal(protocol=protocol.describe()), time.monotonic()
    for counts, group in groups(asked, protocol):
        world = await (recounted_world(services, counts) if counts else shipped_world(services))
        if protocol.models:
            world = protocol.models.into(world, group[0].dialogue_id)
        keeping = KeepingIndex(world.index)
        kept = replace(world, index=keeping)
        for case in group:
            lists = await _answer(case, kept, keeping)
            lists[LABELLED] = _voted(case, names, world)
            found.add(case, _strata(case, world), lists)
            report(found.turns, len(asked))
    found.seconds = time.monotonic() - started
    return found


class KeepingIndex(IndexView):
    """Keeps what the legs of the last search returned."""

    last: Sequence[Hits] = ()

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        hits = await self._inner.search(legs, constraints, k)
        self.last = hits
        return hits


def _strata(case: Case, world: World) -> frozenset[str]:
    named = case.mentioned
    listed = {movie_id for movie_id in named if world.knowledge.lists.forward.get(movie_id)}
    if not named:
        return frozenset({EVERY, NAMELESS})
    if not listed:
        return frozenset({EVERY, "none listed"})
    return frozenset({EVERY, LISTED, "all listed" if listed == named else "some listed"})


async def _answer(case: Case, world: World, keeping: KeepingIndex) -> dict[str, list[str]]:
    """{row: the movies it returns}."""
    replayed = await replay(case.turns, world.toolbox, sorted(case.mentioned))
    settings = RetrieverSettings()
    retriever = world.retriever(settings)
    lists = {PRODUCT: _ids(await retriever.retrieve(replayed.query, k=DEPTH))}
    as_is, every = keeping.last, keeping.last
    weights = await _weights(replayed.query, retriever, as_is)
    if world.ranker:
        fixed = world.retriever(replace(settings, plan={}))
        lists[FIXED] = _ids(await fixed.retrieve(replayed.query, k=DEPTH))
        learned = world.retriever(replace(settings, ranker=world.ranker))
        lists[LEARNED] = _ids(await learned.retrieve(replayed.query, k=DEPTH))
        lists |= _blinded(replayed.query, as_is, weights, world)
    if replayed.query.known_item:
        # It silences most legs; a leg on its own always has its say.
        await retriever.retrieve(replace(replayed.query, known_item=False), k=DEPTH)
        every = keeping.last
    lists[PLAIN] = _fused(as_is, weights)
    for row, legs in ALONE.items():
        lists[row] = _fused([h for h in every if h.leg in legs], dict.fromkeys(legs, 1.0))
    for row, legs in LEFT_OUT.items():
        lists[row] = _fused(as_is, {leg: w for leg, w in weights.items() if leg not in legs})
    return lists


def _blinded(
    query: Query, hits: Sequence[Hits], weights: Mapping[str, float], world: World
) -> dict[str, list[str]]:
    """{row: its movies}, not reordered: the ranker with all features, and without each group."""
    keep = CANDIDATES if ranks(query) else DEPTH
    fused = reciprocal_rank_fusion(hits, weights, RRF_K, keep)
    scores = {f.movie_id: f.score for f in fused}
    ids, fixed = list(scores), list(scores.values())
    rankers = {LEARNED_PLAIN: world.ranker, **{f"{BLIND}{g}": r for g, r in world.blind.items()}}
    if not ranks(query):
        return dict.fromkeys(rankers, ids)
    search = Search(query, seed_weights(query.seeds, Taste()), hits, scores)
    table = features(search, world.knowledge)
    return {
        row: [ids[at] for at in ranker.ordered(table, fixed)[0][:DEPTH]]
        for row, ranker in rankers.items()
        if ranker
    }


def _ids(found: Retrieved) -> list[str]:
    return [c.movie.movie_id for c in found.candidates]


async def _weights(query: Query, retriever: Retriever, hits: Sequence[Hits]) -> Mapping[str, float]:
    """What the product has each leg weigh after these hits."""
    settings, intents = retriever.settings, (await retriever.prepare(query)).intents
    shape = row_of(query, bool(query.seeds), intents, settings.plan)
    return shape.weights(settings.weights(query, bool(query.seeds)), hits)


def _voted(case: Case, names: Mapping[str, str], world: World) -> list[str]:
    named = [names[entity] for entity in case.entities or () if entity in names]
    seeds = [Seed(movie_id, ago) for ago, movie_id in enumerate(reversed(named))]
    scores = list_votes(seed_weights(seeds, Taste()), world.knowledge.lists).scores
    return sorted(scores, key=lambda movie_id: (-scores[movie_id], movie_id))[:DEPTH]


def _fused(hits: Sequence[Hits], weights: Mapping[str, float]) -> list[str]:
    if len(hits) == 1:
        return list(hits[0].movie_ids[:DEPTH])
    return [f.movie_id for f in reciprocal_rank_fusion(hits, weights, RRF_K)[:DEPTH]]


# --- telling --------------------------------------------------------------------------------------


def table_of(found: Signal) -> Table:
    """R@10 by row and stratum, and R@50 over all."""
    title = f"{len(found.strata):,} new targets of {found.turns:,} turns, {found.seconds:.0f} s"
    table = Table(title=title, caption=found.protocol)
    table.add_column("row")
    for stratum in STRATA:
        n = sum(stratum in strata for strata in found.strata)
        table.add_column(f"R@10 {stratum}\n{n:,}", justify="right")
    table.add_column(f"R@50 {EVERY}", justify="right")
    for row in found.ranks:
        cells = [_share(found.recall(row, stratum, 10)) for stratum in STRATA]
        table.add_row(row, *cells, _share(found.recall(row, EVERY, 50)))
    return table


def verdicts_of(found: Signal) -> list[str]:
    """One line for each bound."""
    lines = []
    for (row, stratum), bound in BOUNDS.items():
        estimate = found.recall(row, stratum, 10)
        word = "reached" if estimate.value >= bound else "MISSED"
        lines.append(f"{row}, {stratum}: R@10 {estimate}, bound {bound:.2f}: {word}")
    return lines


def rows_of(found: Signal, data: str) -> list[Row]:
    """The rows of the results table; see `FIGURES`."""
    bounded = [
        Row(f"R@10 {row}, {stratum}", data, str(found.recall(row, stratum, 10)), f">= {bound:.2f}")
        for (row, stratum), bound in BOUNDS.items()
    ]
    strata = [_share(found.recall(PRODUCT, stratum, 10)) for stratum in STRATA[2:]]
    less = [_share(found.recall(row, EVERY, 10)) for row in LEFT_OUT]
    full = _share(found.recall(PLAIN, EVERY, 10))
    told = f"{' / '.join(less)} (with all {full})"
    return [*bounded, Row(BY_STRATUM, data, " / ".join(strata)), Row(WITHOUT, data, told)]


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.3f}".removeprefix("0") if estimate.n else "-"
