"""Fusing the legs of one search into one list: weighted reciprocal rank fusion.

Knows ranks and weights. Does not know what a leg is or where hits come from; the same code serves
the local index and OpenSearch, so that every candidate keeps its per-leg ranks for "why". Pure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.index import Hits
from retrieval.movie import Evidence

RRF_K = 20
"""The rank constant; 20 did best in our pilots (60 is the usual default, Cormack et al. 2009)."""


@dataclass(frozen=True, slots=True)
class Fused:
    """One movie id with its fused score (higher is better) and each leg's part in it."""

    movie_id: str
    score: float
    evidence: tuple[Evidence, ...]


def reciprocal_rank_fusion(
    legs: Sequence[Hits], weights: Mapping[str, float], k: int = RRF_K
) -> list[Fused]:
    """Sum of weight / (k + rank) over the legs that found a movie; best first, ties by movie_id.

    A leg without a weight takes no part.
    """
    scores: defaultdict[str, float] = defaultdict(float)
    evidence: defaultdict[str, list[Evidence]] = defaultdict(list)
    for hits in legs:
        weight = weights.get(hits.leg, 0.0)
        if weight <= 0.0:
            continue
        for rank, (movie_id, score) in enumerate(
            zip(hits.movie_ids, hits.scores, strict=True), start=1
        ):
            scores[movie_id] += weight / (k + rank)
            evidence[movie_id].append(Evidence(hits.leg, rank, score))
    ranked = sorted(scores, key=lambda movie_id: (-scores[movie_id], movie_id))
    return [Fused(m, scores[m], tuple(evidence[m])) for m in ranked]
