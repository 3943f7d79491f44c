"""Is the whole list better with the enhancer than without? Out of fold, on recorded turns.

Knows how one turn is answered in the same world under three vectors of its words: the plain one,
the untrained blend (c), and that of the enhancer which never saw its dialogue. Does not know the
command (enhancer.py) nor how vectors are made. Called by enhancer.py.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from agent.replay import replay
from evals.place import find_data
from evals.recorded.enhancer_vectors import Asked, Floats
from evals.recorded.pairs import DIALOGUES, FOLDS
from evals.recorded.rank_input import InputProblem, read_dialogues
from evals.recorded.ranking import Estimate, paired_gain, ranks_of, recall_estimate
from evals.recorded.worlds import IndexView, World, counts_without, recounted_world
from infra.wiring import Services
from retrieval.enhancer import Enhancer
from retrieval.index import Hits, Leg, MovieIndex, VectorLeg
from retrieval.movie import Constraints
from retrieval.retriever import RetrieverSettings

PLAIN, BLENDED, MOVED = "fused, plain vectors", "fused, blend (c)", "fused, enhancer"
DEPTH = 50


@dataclass
class Fused:
    """The rank of each new target in every list."""

    clusters: list[str] = field(default_factory=list)
    ranks: dict[str, list[int]] = field(
        default_factory=lambda: {row: [] for row in (PLAIN, BLENDED, MOVED)}
    )

    def recall(self, row: str, k: int) -> Estimate:
        """R@k of a row."""
        ranks = np.array(self.ranks[row], dtype=np.int32)
        return recall_estimate(ranks, self.clusters, k, np.random.default_rng(0))

    def gain(self, base: str, k: int) -> Estimate:
        """R@k with the enhancer less that of another row."""
        moved, other = (np.array(self.ranks[row], dtype=np.int32) for row in (MOVED, base))
        return paired_gain(moved, other, self.clusters, k, np.random.default_rng(0))


class Redirected(IndexView):
    """The dense leg searches by another vector than the one that the retriever made."""

    def __init__(self, inner: MovieIndex, vector: Floats) -> None:
        super().__init__(inner)
        self._vector = vector

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        moved = [
            replace(leg, vector=self._vector)
            if isinstance(leg, VectorLeg) and leg.name == "dense"
            else leg
            for leg in legs
        ]
        return await super().search(moved, constraints, k)


async def fused(
    asked: Sequence[tuple[Asked, Floats]],
    of: Mapping[str, int],
    services: Services,
    enhancers: Mapping[int, Enhancer],
    report: Callable[[int, int], None],
) -> Fused:
    """Answer every turn, given with its blend, three times. Raises: InputProblem."""
    path = find_data(DIALOGUES)
    if path is None:
        raise InputProblem(f"USHER_DATA has no {DIALOGUES}")
    dialogues = read_dialogues(path)
    found, done = Fused(), 0
    for fold in range(FOLDS):
        group = [(one, blend) for one, blend in asked if one.fold == fold]
        if not group:
            continue
        world = await recounted_world(services, counts_without({fold}, of, dialogues))
        for one, blend in group:
            await _answer(one, blend, world, enhancers[fold], found)
            done += 1
            report(done, len(asked))
    return found


def drawn(asked: Sequence[Asked], count: int) -> list[int]:
    """The places of so many turns, each of another dialogue while there are enough."""
    shuffled = list(range(len(asked)))
    random.Random(0).shuffle(shuffled)
    first = {asked[place].case.dialogue_id: place for place in shuffled}
    kept = set(first.values())
    return [*kept, *(place for place in shuffled if place not in kept)][:count]


async def _answer(
    one: Asked, blend: Floats, world: World, enhancer: Enhancer, found: Fused
) -> None:
    case = one.case
    query = (await replay(case.turns, world.toolbox, sorted(case.mentioned))).query
    # What describes one film keeps its plain vector, whoever moves the others.
    redirected = world if query.known_item else replace(world, index=Redirected(world.index, blend))
    worlds = {PLAIN: world, BLENDED: redirected, MOVED: replace(world, enhancer=enhancer)}
    # Without the plan: only what an enhancer read has intents, and vectors are to be compared.
    settings = RetrieverSettings(plan={})
    for row, each in worlds.items():
        answered = await each.retriever(settings).retrieve(query, k=DEPTH)
        ids = [c.movie.movie_id for c in answered.candidates]
        found.ranks[row] += ranks_of(case.new_targets, ids)
    found.clusters += [case.dialogue_id] * len(case.new_targets)
