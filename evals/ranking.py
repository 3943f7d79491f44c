"""Ranking metrics over targets, in numpy: definitions first, nothing else.

Knows ranks, hits and clusters. Does not know data sets, dialogues or retrieval. Pure; every random
draw comes from an rng passed in. Called by rank.py.

Definitions. A *target* is one movie that was right for one query; a query may have several. The
*rank* of a target is its place in the returned list, 1 = first, or `ABSENT`. *Recall@k, micro* is
the share of all targets with rank <= k: every target weighs the same, so a query with three targets
weighs three times. (He et al., CIKM'23 count this way; research/anchors-crs.md 3.1.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ABSENT = np.iinfo(np.int32).max
"""The rank of a target that is not in the list."""
ROUNDS = 1000
PAIRED_ROUNDS = 10_000
"""A difference near its bound needs a steadier interval."""
LEVEL = 0.95

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
        return f"{_short(self.value)} [{_short(self.low)}, {_short(self.high)}]"


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
    low, high = clustered_interval(gains, clusters, rng, PAIRED_ROUNDS)
    value = float(np.mean(gains)) if len(gains) else 0.0
    return Estimate(value, low, high, len(gains))


def clustered_interval(
    values: npt.NDArray[np.float64],
    clusters: Sequence[str],
    rng: np.random.Generator,
    rounds: int = ROUNDS,
) -> tuple[float, float]:
    """The percentile interval of the mean when clusters are drawn with replacement."""
    if not len(values):
        return 0.0, 0.0
    _, of = np.unique(np.asarray(clusters), return_inverse=True)
    m = int(of.max()) + 1
    sums = np.bincount(of, weights=values, minlength=m)
    sizes = np.bincount(of, minlength=m)
    drawn = rng.multinomial(m, np.full(m, 1.0 / m), size=rounds)
    means = (drawn @ sums) / (drawn @ sizes)
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def _short(share: float) -> str:
    """.205, the way recall tables are written."""
    return f"{share:.3f}".removeprefix("0")
