"""Reordering a ranked list so that its top is not five times the same movie.

Knows maximal marginal relevance (Carbonell & Goldstein 1998) over vectors and a cap on one
franchise. Does not know why a movie was ranked where it is. Pure.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from retrieval.movie import Candidate, title_key

TRADE_OFF = 0.85
"""1 = relevance only, 0 = difference only."""
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
    pool = list(candidates[:depth])
    if len(pool) < 3 or trade_off >= 1.0:
        return list(candidates)
    relevance = {c.movie.movie_id: 1.0 - i / len(pool) for i, c in enumerate(pool)}
    chosen: list[Candidate] = [pool.pop(0)]
    while pool:
        best = max(pool, key=lambda c: _marginal(c, chosen, vectors, relevance, trade_off))
        pool.remove(best)
        chosen.append(best)
    return [*_cap_franchises(chosen), *candidates[depth:]]


def _marginal(
    candidate: Candidate,
    chosen: Sequence[Candidate],
    vectors: Mapping[str, np.ndarray],
    relevance: Mapping[str, float],
    trade_off: float,
) -> float:
    vector = vectors.get(candidate.movie.movie_id)
    nearest = 0.0
    if vector is not None:
        others = [vectors[c.movie.movie_id] for c in chosen if c.movie.movie_id in vectors]
        nearest = max((float(vector @ other) for other in others), default=0.0)
    return trade_off * relevance[candidate.movie.movie_id] - (1 - trade_off) * nearest


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
