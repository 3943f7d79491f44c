"""Reordering a ranked list so that its top is not five times the same movie.

Knows maximal marginal relevance (Carbonell & Goldstein 1998) over vectors and a cap on one
franchise. Does not know why a movie was ranked where it is. Pure.
"""

from collections.abc import Mapping, Sequence
from math import inf

import numpy as np

from retrieval.movie import Candidate, title_key

TRADE_OFF = 0.93
"""1 = relevance only, 0 = difference only.

On ReDial dev turns, R@10 and mean cosine distance of the first ten: .251 and .663 with .85, .251
and .662 with .93, .252 and .661 without; before the ranker .236 and .659 with .85.
"""
DEPTH = 30
"""Only the top is reordered: nobody reads diversity at rank 100."""
SAME_FRANCHISE = 2
"""How many movies of one franchise may stand in the first ten."""


def reorder(
    candidates: Sequence[Candidate],
    vectors: Mapping[str, np.ndarray],
    trade_off: float = TRADE_OFF,
    depth: int = DEPTH,
) -> list[Candidate]:
    """The same candidates with the first `depth` reordered by MMR.

    Args: candidates: best first. vectors: {movie_id: vector of shape (d,), L2-normalised}; a movie
    without one differs from all. trade_off: weight of relevance against similarity to what is
    already chosen. depth: how many to reorder.
    """
    pool = candidates[:depth]
    if len(pool) < 3 or trade_off >= 1.0:
        return list(candidates)
    # Plain floats: thirty steps over thirty films are too short for numpy.
    relevance = [trade_off * (1.0 - place / len(pool)) for place in range(len(pool))]
    alike = _similarities([vectors.get(c.movie.movie_id) for c in pool]).tolist()
    nearest, worth, difference = [0.0] * len(pool), list(relevance), 1 - trade_off
    order: list[int] = []
    for _ in pool:
        best = worth.index(max(worth))
        order.append(best)
        relevance[best] = -inf
        nearest = [a if a > b else b for a, b in zip(nearest, alike[best], strict=True)]
        worth = [r - difference * near for r, near in zip(relevance, nearest, strict=True)]
    return [*_cap_franchises([pool[i] for i in order]), *candidates[depth:]]


def _similarities(rows: Sequence[np.ndarray | None]) -> np.ndarray:
    """Cosines between all pairs, shape (n, n); 0 where a vector is missing."""
    dimension = next((len(row) for row in rows if row is not None), 1)
    matrix = np.stack([np.zeros(dimension) if row is None else row for row in rows])
    cosines: np.ndarray = np.maximum(matrix @ matrix.T, 0.0)
    return cosines


def _cap_franchises(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Move the third and later movies that open with the same two words behind the rest."""
    count: dict[str, int] = {}
    kept: list[Candidate] = []
    moved: list[Candidate] = []
    for candidate in candidates:
        head = " ".join(title_key(candidate.movie.title).split()[:2])
        count[head] = count.get(head, 0) + 1
        (kept if count[head] <= SAME_FRANCHISE or " " not in head else moved).append(candidate)
    return [*kept, *moved]
