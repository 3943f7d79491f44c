"""How much a model's proposals should weigh: chosen by cross-validation over dialogues.

Knows how to catch the legs of one search, fuse them under many weights, choose on four fifths of
the dialogues and measure on the fifth, and draw a paired bootstrap. Does not know how a search runs
or what is excluded (rank.py). Called by `python -m evals fusion`.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agent.replay import replay
from evals.commands import Commands, add_index_and_json, new_command
from evals.place import opened
from evals.recorded import rank_input
from evals.recorded.rank import Protocol, Report, check_leaks, groups
from evals.recorded.rank_command import read
from evals.recorded.rank_input import Case, InputProblem
from evals.recorded.ranking import paired_gain, ranks_of
from evals.recorded.worlds import IndexView, World, folds_of, recounted_world, shipped_world
from infra.progress import shown
from infra.wiring import Services
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.grounding import ground
from retrieval.index import Hits, Leg, MovieIndex
from retrieval.movie import Constraints
from retrieval.retriever import Retriever, RetrieverSettings

GRID = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 17.0, 20.0, 25.0, 30.0, 60.0)
"""Weights of the proposals tried; the other legs keep theirs, of which the largest is 1.2."""
KS = (5, 10, 20, 50)
DEPTH = 50
"""Weights are chosen by recall averaged over k = 1 to 50: one film more or less moves it little."""
WINDOW = 200

Ranks = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Caught:
    """The legs of one turn's search, and what was right."""

    case: Case
    legs: Sequence[Hits]
    weights: Mapping[str, float]
    proposed: tuple[str, ...]
    """The proposals as they may be shown: grounded, mentioned films and violations removed."""
    free: tuple[str, ...]
    """The proposals as they were grounded, only mentioned films removed."""

    def ranks(self, weight: float) -> list[int]:
        """The ranks of the targets when proposals weigh this much."""
        weights = {**self.weights, "proposals": weight}
        fused = [f.movie_id for f in reciprocal_rank_fusion(self.legs, weights)]
        return ranks_of(self.case.new_targets, fused[:WINDOW])


@dataclass
class Found:
    """Everything that the choice rests on, and what came of it."""

    turns: int
    clusters: list[str]
    by_weight: dict[float, Ranks]
    proposals: Ranks
    free: Ranks
    chosen: dict[int, float] = field(default_factory=dict)
    """{fold: the weight chosen on the other folds}."""
    held_out: Ranks = field(default_factory=lambda: np.zeros(0, dtype=np.int32))


class _Catching(IndexView):
    """Keeps the hits of the last search."""

    def __init__(self, inner: MovieIndex) -> None:
        super().__init__(inner)
        self.hits: list[Hits] = []

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        self.hits = await super().search(legs, constraints, k)
        return self.hits


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "fusion")
    parser.set_defaults(command=lambda given: asyncio.run(fusion(given)))
    add_index_and_json(parser)
    parser.add_argument("--input", type=Path, required=True, help="turns, JSON lines (.gz ok)")
    parser.add_argument("--proposals", type=Path, required=True, help="what a model proposed")
    parser.add_argument("--counts-from", type=Path, help="count co-mention out of fold from here")
    parser.add_argument("--folds", type=int, default=5, help="folds of dialogues (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the folds (default 0)")
    parser.add_argument("--names", type=Path, help="dialogues that give mentioned films their ids")


async def fusion(given: argparse.Namespace) -> int:
    """Run the command. Raises: InputProblem and what opening an index raises."""
    cases, _ = read(given.input, given.names, given.counts_from)
    cases = [c for c in rank_input.with_proposals(cases, given.proposals) if c.proposals]
    if not any(case.new_targets for case in cases):
        raise InputProblem("no turn has both proposals and targets: nothing to choose weights on")
    protocol = Protocol(counts_from=given.counts_from, folds=given.folds, seed=given.seed)
    async with opened(given.index) as services:
        with shown() as report:
            caught = await catch(cases, protocol, services, partial(report, "searching"))
    found = choose(caught, given.folds, given.seed)
    for line in lines_of(found, given.seed):
        print(line)
    if given.json:
        print(json.dumps({"chosen": found.chosen, "turns": found.turns}))
    return 0


async def catch(
    cases: Sequence[Case], protocol: Protocol, services: Services, report: Report
) -> list[Caught]:
    """Search once per turn, with knowledge counted out of fold, and keep every leg."""
    await check_leaks(cases, protocol, services)
    caught: list[Caught] = []
    for counts, group in groups(cases, protocol):
        world = await (recounted_world(services, counts) if counts else shipped_world(services))
        for case in group:
            caught.append(await _catch_one(case, world))
            report(len(caught), len(cases))
    return caught


async def _catch_one(case: Case, world: World) -> Caught:
    replayed = await replay(case.turns, world.toolbox, sorted(case.mentioned), proposed=True)
    named = ground(case.proposals, await world.toolbox.lexicon()).movie_ids
    index = _Catching(world.index)
    settings = RetrieverSettings(diversify=False)
    retriever = Retriever(index, world.encoder, world.knowledge, world.executor, settings)
    query = replace(replayed.query, proposals=named)
    await retriever.retrieve(query, k=WINDOW)
    has_seeds = any(hits.leg == "neighbours" for hits in index.hits) or bool(query.seeds)
    alone = next((h.movie_ids for h in index.hits if h.leg == "proposals"), ())
    return Caught(
        case,
        index.hits,
        settings.weights(query, has_seeds),
        tuple(alone),
        tuple(m for m in named if m not in case.mentioned),
    )


def choose(caught: Sequence[Caught], folds: int, seed: int) -> Found:
    """Choose a weight per fold on the other folds; measure it on the fold itself."""
    by_weight = {w: _ranks([c.ranks(w) for c in caught]) for w in GRID}
    clusters = [c.case.dialogue_id for c in caught for _ in c.case.new_targets]
    of = folds_of(sorted(set(clusters)), folds, seed)
    fold = np.array([of[cluster] for cluster in clusters])
    found = Found(
        turns=len(caught),
        clusters=clusters,
        by_weight=by_weight,
        proposals=_ranks([ranks_of(c.case.new_targets, c.proposed) for c in caught]),
        free=_ranks([ranks_of(c.case.new_targets, c.free) for c in caught]),
    )
    held_out = np.zeros(len(clusters), dtype=np.int32)
    for number in range(folds):
        inside = fold != number
        best = max(GRID, key=lambda w: (_mean(by_weight[w][inside]), -w))
        found.chosen[number] = best
        held_out[~inside] = by_weight[best][~inside]
    found.held_out = held_out
    return found


def _ranks(per_turn: Sequence[Sequence[int]]) -> Ranks:
    return np.array([rank for ranks in per_turn for rank in ranks], dtype=np.int32)


def _mean(ranks: Ranks) -> float:
    return float(np.mean([np.mean(ranks <= k) for k in range(1, DEPTH + 1)]))


def lines_of(found: Found, seed: int) -> list[str]:
    """The figures, to be read."""
    lines = [f"{len(found.clusters)} new targets of {found.turns} turns"]
    rows = {f"weight {w:g}": ranks for w, ranks in found.by_weight.items()}
    rows |= {"chosen, held out": found.held_out, "proposals alone": found.proposals}
    rows |= {"proposals, no conditions": found.free}
    for name, ranks in rows.items():
        values = "  ".join(f"R@{k} {np.mean(ranks <= k):.3f}" for k in KS)
        lines.append(f"{name:26} {values}")
    best = max(GRID, key=lambda w: (_mean(found.by_weight[w]), -w))
    chosen = ", ".join(f"{w:g}" for w in found.chosen.values())
    lines.append(f"chosen by fold: {chosen}; on all turns: {best:g}")
    for name, base in (("proposals alone", found.proposals), ("no conditions", found.free)):
        lines.append(f"held out minus {name}: {differences(found.held_out, base, found, seed)}")
    return lines


def differences(ranks: Ranks, base: Ranks, found: Found, seed: int) -> str:
    """Paired differences of recall with their intervals over dialogues."""
    gains = {
        k: paired_gain(ranks, base, found.clusters, k, np.random.default_rng(seed)) for k in KS
    }
    return "  ".join(
        f"R@{k} {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]" for k, gain in gains.items()
    )
