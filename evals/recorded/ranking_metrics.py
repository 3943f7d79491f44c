"""Metrics of ranked lists, in numpy: every definition written down, none of them guessed.

Knows lists of movie ids and which ids were right. Does not know data sets, retrieval or intervals
(statistics.py). Pure. Called by rank_figures.py, comparison of rank files, and by whoever ranks.

Relevance is yes or no. A *list* is best first; a movie that stands in it again keeps its place but
counts once, so that repeating a hit gains nothing. A list shorter than k is not forgiven: places
that are not filled are misses. A query with nothing relevant has no value (nan) and is left out of
every mean. Definitions that go by the same name elsewhere are told apart by `Metric.says`.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One list, reduced to what every metric needs."""

    places: tuple[int, ...]
    """Of the relevant movies that are in the list, ascending; 1 = first."""
    relevant: int
    """How many movies were right, in the list or not."""


def judged(ranked: Sequence[str], relevant: Set[str]) -> Judged:
    """One list against what was right."""
    first = {movie_id: place for place, movie_id in reversed(list(enumerate(ranked, 1)))}
    places = sorted(first[movie_id] for movie_id in relevant if movie_id in first)
    return Judged(tuple(places), len(relevant))


def judged_ranks(ranks: Sequence[int], absent: int) -> Judged:
    """The same from the ranks of the targets, `absent` standing for "not in the list"."""
    return Judged(tuple(sorted(rank for rank in ranks if rank != absent)), len(ranks))


def ordered(scores: Mapping[str, float]) -> list[str]:
    """Best first; equal scores by descending id, as trec_eval breaks ties."""
    return sorted(scores, key=lambda movie_id: (scores[movie_id], movie_id), reverse=True)


# --- per list -------------------------------------------------------------------------------------


def recall(one: Judged, k: int) -> float:
    """Found in the first k / all that were right."""
    return _hits(one, k) / one.relevant if one.relevant else float("nan")


def precision(one: Judged, k: int) -> float:
    """Found in the first k / k, however short the list is."""
    return _hits(one, k) / k if one.relevant else float("nan")


def hit_rate(one: Judged, k: int) -> float:
    """1 if anything right is in the first k."""
    return float(_hits(one, k) > 0) if one.relevant else float("nan")


def reciprocal_rank(one: Judged, k: int) -> float:
    """1 / place of the first right one, 0 when it is not in the first k."""
    if not one.relevant:
        return float("nan")
    return 1.0 / one.places[0] if one.places and one.places[0] <= k else 0.0


def ndcg(one: Judged, k: int) -> float:
    """Sum of 1/log2(1 + place) in the first k / the same of the best possible list."""
    if not one.relevant:
        return float("nan")
    ideal = np.arange(1, min(one.relevant, k) + 1)
    return float(_discounts(_first(one, k)).sum() / _discounts(ideal).sum())


def average_precision(one: Judged, k: int) -> float:
    """Mean over ALL right ones of the precision at their place, as trec_eval has it."""
    return _precisions(one, k) / one.relevant if one.relevant else float("nan")


def average_precision_capped(one: Judged, k: int) -> float:
    """The same sum / min(all right ones, k): a perfect list of k gets 1."""
    return _precisions(one, k) / min(one.relevant, k) if one.relevant else float("nan")


def _first(one: Judged, k: int) -> npt.NDArray[np.int64]:
    return np.array([place for place in one.places if place <= k], dtype=np.int64)


def _hits(one: Judged, k: int) -> int:
    return sum(place <= k for place in one.places)


def _precisions(one: Judged, k: int) -> float:
    places = _first(one, k)
    return float((np.arange(1, len(places) + 1) / places).sum()) if len(places) else 0.0


def _discounts(places: npt.NDArray[np.int64]) -> Floats:
    return np.asarray(1.0 / np.log2(1.0 + places), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by name, with the words that tell its definition from others of that name."""

    name: str
    of: Callable[[Judged, int], float]
    says: str


METRICS: Sequence[Metric] = (
    Metric("recall", recall, "macro: mean over queries of found / relevant"),
    Metric("precision", precision, "found / k, short lists not forgiven"),
    Metric("ndcg", ndcg, "binary gains, 1/log2(1+place)"),
    Metric("map", average_precision, "divided by all relevant, as trec_eval"),
    Metric("map_capped", average_precision_capped, "divided by min(relevant, k)"),
    Metric("mrr", reciprocal_rank, "0 beyond k"),
    Metric("hit_rate", hit_rate, "queries with a hit"),
)


def per_query(lists: Sequence[Judged], metric: Metric, k: int) -> Floats:
    """One value a query, nan where nothing was relevant. Raises: ValueError for k < 1."""
    if k < 1:
        raise ValueError(f"k is {k}: it must be 1 or more")
    return np.array([metric.of(one, k) for one in lists], dtype=np.float64)


def mean(values: Floats) -> float:
    """Over queries that have a value; nan when none has."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def micro_recall(lists: Sequence[Judged], k: int) -> float:
    """All found / all relevant, over the queries together: every target weighs the same."""
    relevant = sum(one.relevant for one in lists)
    return sum(_hits(one, k) for one in lists) / relevant if relevant else float("nan")


# --- beyond accuracy ------------------------------------------------------------------------------


def coverage(lists: Sequence[Sequence[str]], catalogue: Set[str], k: int) -> float:
    """Share of the catalogue that is in the first k of at least one list."""
    shown = {movie_id for ranked in lists for movie_id in ranked[:k]} & catalogue
    return len(shown) / len(catalogue) if catalogue else float("nan")


def novelty(
    lists: Sequence[Sequence[str]], counts: Mapping[str, int], events: int, k: int
) -> float:
    """Mean over lists of the mean of -log2((count + 1) / (events + 1)) of their first k, in bits.

    `counts` says how many of `events` (dialogues, users) know a movie; one more is added to both,
    so that a movie nobody ever named is novel, not infinite. Empty lists are left out.
    """
    surprise = [
        np.mean([-np.log2((counts.get(i, 0) + 1) / (events + 1)) for i in ranked[:k]])
        for ranked in lists
        if ranked[:k]
    ]
    return float(np.mean(surprise)) if surprise else float("nan")


def intra_list_diversity(
    lists: Sequence[Sequence[str]], vectors: Mapping[str, Floats], k: int
) -> float:
    """Mean over lists of the mean over pairs of their first k of 1 - cosine of the two vectors.

    Movies without a vector are left out, then lists with fewer than two.
    """
    spread = [_pairwise([vectors[i] for i in ranked[:k] if i in vectors]) for ranked in lists]
    kept = [value for value in spread if value is not None]
    return float(np.mean(kept)) if kept else float("nan")


def _pairwise(rows: Sequence[Floats]) -> float | None:
    if len(rows) < 2:
        return None
    matrix = np.stack(rows).astype(np.float64)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit = np.divide(matrix, norms, out=np.zeros_like(matrix), where=norms > 0)
    upper = np.triu_indices(len(rows), 1)
    return float((1.0 - (unit @ unit.T)[upper]).mean())
