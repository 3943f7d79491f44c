"""Is the enhanced vector a better search than the plain one? Dense search alone, out of fold.

Knows the four vectors that are compared ((a) last utterance, (b) last three user turns, (c) the
best untrained blend, (d) the enhancer) and how the blend's weights are chosen on the other folds.
Does not know the command (enhancer.py) nor how an enhancer is trained. Pure but for the encoder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from evals.recorded.rank_input import Case
from evals.recorded.ranking import ABSENT, Estimate, Ranks, paired_gain, recall_estimate
from retrieval.encoder import Encoder, unit_mean
from retrieval.enhancer import Enhancer
from retrieval.enhancer_input import NEAR_FILMS, Backing
from retrieval.movie import Query, Taste
from retrieval.neighbours import ListGraph, list_votes, seed_weights
from retrieval.preparing import mean_of

LAST, TURNS, BLEND, ENHANCED = (
    "(a) last utterance",
    "(b) last three user turns",
    "(c) untrained blend",
    "(d) enhancer",
)
SEED_WEIGHTS = (0.0, 0.5, 1.0, 2.0, 4.0)
POPULAR_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
POPULAR_FILMS = 200
"""The direction of popularity leads from the mean film to the mean of those most recommended."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Side:
    """The films of one index."""

    ids: Sequence[str]
    vectors: Floats
    lists: ListGraph

    @cached_property
    def rows(self) -> dict[str, int]:
        """{movie_id: row}."""
        return {movie_id: row for row, movie_id in enumerate(self.ids)}


@dataclass(frozen=True)
class Asked:
    """One turn: what is right, what is out, and the query that the agent made of it."""

    case: Case
    query: Query
    fold: int


@dataclass
class Compared:
    """The rank of every new target under each vector."""

    clusters: list[str]
    seeded: npt.NDArray[np.bool_]
    """Of each target: whether its turn names a film."""
    ranks: dict[str, Ranks]
    weights: dict[int, tuple[float, float]]
    """{fold: the weights of seeds and popularity chosen on the others}."""
    blends: Floats
    """(turns, d): the vector (c) of each turn, under the weights of its fold."""

    def recall(self, row: str, k: int, which: str = "all") -> Estimate:
        """R@k of a row over all targets, or those of turns with or without seeds."""
        of = self._of(which)
        clusters = [c for c, there in zip(self.clusters, of, strict=True) if there]
        return recall_estimate(self.ranks[row][of], clusters, k, np.random.default_rng(0))

    def gain(self, row: str, base: str, k: int, which: str = "all") -> Estimate:
        """R@k of one row less that of another on the same targets."""
        of = self._of(which)
        clusters = [c for c, there in zip(self.clusters, of, strict=True) if there]
        rng = np.random.default_rng(0)
        return paired_gain(self.ranks[row][of], self.ranks[base][of], clusters, k, rng)

    def _of(self, which: str) -> npt.NDArray[np.bool_]:
        every = np.ones(len(self.seeded), dtype=np.bool_)
        return {"all": every, "seeds": self.seeded, "no seeds": ~self.seeded}[which]


def backing_of(query: Query, side: Side) -> Backing:
    """The films behind a query, as the retriever lays them out."""
    rows = side.rows
    seeds = [s.movie_id for s in sorted(query.seeds, key=lambda s: s.ago) if s.movie_id in rows]
    votes = list_votes(seed_weights(query.seeds, Taste()), side.lists).scores
    near = sorted((m for m in votes if m in rows), key=lambda m: (-votes[m], m))[:NEAR_FILMS]
    vectors = {m: side.vectors[rows[m]] for m in near}
    mean = mean_of({m: votes[m] for m in near}, vectors)
    return Backing([side.vectors[rows[m]] for m in seeds], mean)


def compare(
    asked: Sequence[Asked], side: Side, encoder: Encoder, enhancers: Mapping[int, Enhancer]
) -> Compared:
    """Rank every film of the index for every turn with every vector."""
    rows = side.rows
    last = _encoded([_said(one, 1) for one in asked], encoder)
    turns = _encoded([_said(one, 3) for one in asked], encoder)
    enhanced = np.stack(
        [
            enhancers[one.fold]
            .enhance(encoder.tokens(one.query.text or "."), backing_of(one.query, side))
            .vector
            for one in asked
        ]
    )
    seeds = np.zeros_like(last)
    for i, one in enumerate(asked):
        weights = {m: w for m, w in seed_weights(one.query.seeds, Taste()).items() if m in rows}
        mean = mean_of(weights, {m: side.vectors[rows[m]] for m in weights})
        seeds[i] = mean if mean is not None else 0
    blend, chosen, blends = _blend(asked, side, turns, seeds)
    ranks = {
        LAST: _ranks(asked, last, side),
        TURNS: _ranks(asked, turns, side),
        BLEND: blend,
        ENHANCED: _ranks(asked, enhanced, side),
    }
    clusters = [one.case.dialogue_id for one in asked for _ in one.case.new_targets]
    seeded = [bool(one.query.seeds) for one in asked for _ in one.case.new_targets]
    return Compared(clusters, np.array(seeded), ranks, chosen, blends)


def _said(one: Asked, count: int) -> str:
    return " ".join([text for role, text in one.case.turns if role == "user"][-count:])


def _encoded(texts: Sequence[str], encoder: Encoder) -> Floats:
    return np.stack([unit_mean(encoder.tokens(text or ".").states) for text in texts])


def _ranks(asked: Sequence[Asked], vectors: Floats, side: Side) -> Ranks:
    rows, found = side.rows, []
    for one, vector in zip(asked, vectors, strict=True):
        found += _ranked(one, side.vectors @ vector, rows)
    return np.array(found, dtype=np.int32)


def _ranked(one: Asked, scores: Floats, rows: Mapping[str, int]) -> list[int]:
    """The rank of each new target, mentioned films and seeds taken out."""
    gone = one.case.mentioned | {seed.movie_id for seed in one.query.seeds}
    out = [rows[m] for m in gone if m in rows]
    places = [rows.get(m, -1) for m in one.case.new_targets]
    reached = [scores[place] if place >= 0 else np.inf for place in places]
    left = scores.copy()
    left[out] = -np.inf
    return [
        ABSENT if place < 0 else 1 + int((left > score).sum())
        for place, score in zip(places, reached, strict=True)
    ]


def _blend(
    asked: Sequence[Asked], side: Side, turns: Floats, seeds: Floats
) -> tuple[Ranks, dict[int, tuple[float, float]], Floats]:
    """Ranks under the blend whose weights did best (R@50) on the other folds; weights; vectors."""
    grid = list(product(SEED_WEIGHTS, POPULAR_WEIGHTS))
    folds = sorted({one.fold for one in asked})
    of_target = np.array([one.fold for one in asked for _ in one.case.new_targets])
    rows = side.rows
    towards = {fold: _popular(asked, side, fold) for fold in folds}
    popular = {fold: side.vectors @ direction for fold, direction in towards.items()}
    table: list[list[list[int]]] = []
    for one, said, meant in zip(asked, turns, seeds, strict=True):
        by_words, by_seeds = side.vectors @ said, side.vectors @ meant
        table.append(
            [_ranked(one, by_words + s * by_seeds + p * popular[one.fold], rows) for s, p in grid]
        )
    ranks = np.array(
        [[r for turn in table for r in turn[g]] for g in range(len(grid))], dtype=np.int32
    )
    chosen, out = {}, np.zeros(len(of_target), dtype=np.int32)
    for fold in folds:
        others = of_target != fold
        best = int(np.argmax((ranks[:, others] <= 50).mean(axis=1)))
        chosen[fold] = grid[best]
        out[~others] = ranks[best, ~others]
    weights = [chosen[one.fold] for one in asked]
    blends = np.stack(
        [
            said + s * meant + p * towards[one.fold]
            for one, said, meant, (s, p) in zip(asked, turns, seeds, weights, strict=True)
        ]
    )
    return out, chosen, blends / np.linalg.norm(blends, axis=1, keepdims=True)


def _popular(asked: Sequence[Asked], side: Side, fold: int) -> Floats:
    """From the mean film to the mean of those recommended most in the other folds."""
    counts: dict[str, int] = {}
    for one in asked:
        if one.fold != fold:
            for movie_id in one.case.new_targets:
                counts[movie_id] = counts.get(movie_id, 0) + 1
    rows = side.rows
    known = sorted((m for m in counts if m in rows), key=lambda m: (-counts[m], m))
    best = np.stack([side.vectors[rows[m]] for m in known[:POPULAR_FILMS]])
    direction = best.mean(axis=0) - side.vectors.mean(axis=0)
    unit: Floats = direction / max(float(np.linalg.norm(direction)), 1e-9)
    return unit
