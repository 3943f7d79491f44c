"""Ranking metrics over targets, in numpy: definitions first, nothing else.

Knows ranks, hits and clusters. Does not know data sets, dialogues or retrieval, nor how an interval
is drawn (statistics.py). Pure. Called by rank.py; metrics of whole lists are in ranking_metrics.py.

Definitions. A *target* is one movie that was right for one query; a query may have several. The
*rank* of a target is its place in the returned list, 1 = first, or `ABSENT`. *Recall@k, micro* is
the share of all targets with rank <= k: every target weighs the same, so a query with three targets
weighs three times. (He et al., CIKM'23 count this way; research/anchors-crs.md 3.1.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.statistics import ROUNDS, TEST_ROUNDS, clustered_interval

ABSENT = np.iinfo(np.int32).max
"""The rank of a target that is not in the list."""

Ranks = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its interval and the number of targets it stands on."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "no targets"
        return f"{short(self.value)} [{short(self.low)}, {short(self.high)}]"


def ranks_of(targets: Sequence[str], ranked: Sequence[str]) -> list[int]:
    """The rank of each target in one list."""
    place = {movie_id: rank for rank, movie_id in reversed(list(enumerate(ranked, 1)))}
    return [place.get(target, ABSENT) for target in targets]


def recall(ranks: Ranks, k: int) -> float:
    """Micro recall@k; 0 where there is no target."""
    return float(np.mean(ranks <= k)) if len(ranks) else 0.0


def recall_estimate(
    ranks: Ranks, clusters: Sequence[str], k: int, rng: np.random.Generator, rounds: int = ROUNDS
) -> Estimate:
    """Micro recall@k with a bootstrap interval over clusters.

    Targets of one dialogue stand or fall together, so whole dialogues are drawn, not targets.
    """
    hits = (ranks <= k).astype(np.float64)
    low, high = clustered_interval(hits, clusters, rng, rounds)
    return Estimate(recall(ranks, k), low, high, len(ranks))


def paired_gain(
    ranks: Ranks, base: Ranks, clusters: Sequence[str], k: int, rng: np.random.Generator
) -> Estimate:
    """Recall@k of one ranking less that of another on the same targets, drawn by cluster."""
    gains = (ranks <= k).astype(np.float64) - (base <= k)
    low, high = clustered_interval(gains, clusters, rng, TEST_ROUNDS)
    value = float(np.mean(gains)) if len(gains) else 0.0
    return Estimate(value, low, high, len(gains))


def short(share: float) -> str:
    """.205, the way recall tables are written."""
    return f"{share:.3f}".removeprefix("0")


def overlap(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> float:
    """Mean share of films that both lists of a pair have; two empty lists agree."""
    shares = [
        len(set(a) & set(b)) / max(len(a), len(b)) if a or b else 1.0
        for a, b in zip(one, other, strict=True)
    ]
    return float(np.mean(shares))
