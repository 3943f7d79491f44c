"""Is the whole list better with the enhancer than without? Out of fold, on recorded turns.

Knows how one turn is answered twice in the same world: with the enhancer that never saw its
dialogue, and with plain vectors. Does not know the command (enhancer.py). Called by enhancer.py.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from agent.replay import replay
from evals.place import find_data
from evals.recorded.pairs import DIALOGUES, FOLDS
from evals.recorded.rank_input import Case, InputProblem, read_dialogues
from evals.recorded.ranking import Estimate, paired_gain, ranks_of, recall_estimate
from evals.recorded.worlds import World, counts_without, recounted_world
from infra.wiring import Services
from retrieval.enhancer import Enhancer
from retrieval.retriever import RetrieverSettings

PLAIN, MOVED = "fused, plain vectors", "fused, enhanced vectors"
DEPTH = 50


@dataclass
class Fused:
    """The rank of each new target in both lists."""

    clusters: list[str] = field(default_factory=list)
    ranks: dict[str, list[int]] = field(default_factory=lambda: {PLAIN: [], MOVED: []})

    def recall(self, row: str, k: int) -> Estimate:
        """R@k of a row."""
        ranks = np.array(self.ranks[row], dtype=np.int32)
        return recall_estimate(ranks, self.clusters, k, np.random.default_rng(0))

    def gain(self, k: int) -> Estimate:
        """R@k with the enhancer less that without."""
        with_it, without = (np.array(self.ranks[row], dtype=np.int32) for row in (MOVED, PLAIN))
        return paired_gain(with_it, without, self.clusters, k, np.random.default_rng(0))


async def fused(
    cases: Sequence[Case],
    of: Mapping[str, int],
    services: Services,
    enhancers: Mapping[int, Enhancer],
    report: Callable[[int, int], None],
) -> Fused:
    """Answer every case twice. Raises: InputProblem."""
    path = find_data(DIALOGUES)
    if path is None:
        raise InputProblem(f"USHER_DATA has no {DIALOGUES}")
    dialogues = read_dialogues(path)
    found = Fused()
    for fold in range(FOLDS):
        group = [case for case in cases if of[case.dialogue_id] == fold]
        if not group:
            continue
        world = await recounted_world(services, counts_without(fold, of, dialogues))
        both = {PLAIN: world, MOVED: replace(world, enhancer=enhancers[fold])}
        for case in group:
            await _answer(case, both, found)
            report(len(set(found.clusters)), len(cases))
    return found


def drawn(cases: Sequence[Case], count: int) -> list[Case]:
    """So many turns, each of another dialogue while there are enough."""
    shuffled = list(cases)
    random.Random(0).shuffle(shuffled)
    first = {case.dialogue_id: case for case in shuffled}
    rest = [case for case in shuffled if case is not first[case.dialogue_id]]
    return [*first.values(), *rest][:count]


async def _answer(case: Case, worlds: Mapping[str, World], found: Fused) -> None:
    world = worlds[PLAIN]
    query = (await replay(case.turns, world.toolbox, sorted(case.mentioned))).query
    for row, one in worlds.items():
        answered = await one.retriever(RetrieverSettings()).retrieve(query, k=DEPTH)
        ids = [c.movie.movie_id for c in answered.candidates]
        found.ranks[row] += ranks_of(case.new_targets, ids)
    found.clusters += [case.dialogue_id] * len(case.new_targets)
