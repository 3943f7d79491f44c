"""How far two graders agree: agreement, kappas, Spearman, Krippendorff's alpha, with intervals.

Knows grades from 1 to `GRADES` and clusters. Does not know who grades, nor files. Pure; every
random draw comes from an rng passed in. Called by calibration.py.

Everything but Spearman is a function of counted pairs, so a bootstrap only counts them anew: whole
dialogues are drawn, never single grades.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.statistics import LEVEL, ROUNDS

Floats = npt.NDArray[np.float64]
GRADES = 5


@dataclass(frozen=True, slots=True)
class Bounded:
    """A statistic with its interval; nan where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Two graders of the same things."""

    items: int
    agreement: Bounded
    kappa: Bounded
    weighted_kappa: Bounded
    """Quadratic weights: two grades apart is four times as bad as one."""
    spearman: Bounded
    alpha: Bounded
    """Krippendorff's, ordinal."""
    confusion: npt.NDArray[np.int64]
    """Rows: the first grader's grades 1 to 5; columns: the second's."""


def agree(
    first: Sequence[int], second: Sequence[int], clusters: Sequence[str], rng: np.random.Generator
) -> Agreement:
    """Two graders. Raises: ValueError for no grades, or others than 1 to 5."""
    a, b = _grades(first), _grades(second)
    if len(a) != len(b) or len(a) != len(clusters):
        raise ValueError(f"{len(a)} and {len(b)} grades make no pairs")
    pairs = np.zeros((len(a), GRADES, GRADES))
    pairs[np.arange(len(a)), a - 1, b - 1] = 1.0
    tables, weights = _by_cluster(pairs, clusters), _draws(clusters, rng)
    whole = pairs.sum(axis=0)
    drawn = np.tensordot(weights, tables, axes=1)

    def bounded(of: Callable[[Floats], float]) -> Bounded:
        return _bounded(of(whole), np.array([of(table) for table in drawn]))

    return Agreement(
        items=len(a),
        agreement=bounded(observed),
        kappa=bounded(lambda table: cohen_kappa(table, quadratic=False)),
        weighted_kappa=bounded(lambda table: cohen_kappa(table, quadratic=True)),
        spearman=_bounded(spearman(a, b), _spearman_draws(a, b, clusters, weights)),
        alpha=bounded(lambda table: krippendorff_alpha(table + table.T)),
        confusion=whole.astype(np.int64),
    )


def alpha_of(
    ratings: Sequence[Sequence[int]], clusters: Sequence[str], rng: np.random.Generator
) -> Bounded:
    """Krippendorff's alpha of any number of raters a thing; things with one rater say nothing."""
    tables = np.array([coincidences(row) for row in ratings])
    drawn = np.tensordot(_draws(clusters, rng), _by_cluster(tables, clusters), axes=1)
    draws = np.array([krippendorff_alpha(table) for table in drawn])
    return _bounded(krippendorff_alpha(tables.sum(axis=0)), draws)


# --- statistics of counted pairs ------------------------------------------------------------------


def observed(table: Floats) -> float:
    """Share of equal grades."""
    return float(np.trace(table) / table.sum())


def cohen_kappa(table: Floats, quadratic: bool) -> float:
    """Agreement beyond what the graders' habits would bring; nan if there is one grade only.

    `table`: (g, g) counts, rows the first grader's grades, columns the second's.
    """
    place = np.arange(len(table))
    apart = (place[:, None] - place[None, :]) ** 2
    cost = apart if quadratic else (apart > 0).astype(np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chance = float((cost * expected).sum())
    return 1 - float((cost * table).sum()) / chance if chance else float("nan")


def coincidences(ratings: Sequence[int]) -> Floats:
    """All ordered pairs of one thing's ratings, each rating weighing 1 in all (Krippendorff)."""
    counts = np.bincount(_grades(ratings) - 1, minlength=GRADES).astype(np.float64)
    n = counts.sum()
    if n < 2:
        return np.zeros((GRADES, GRADES))
    return np.asarray((np.outer(counts, counts) - np.diag(counts)) / (n - 1), dtype=np.float64)


def krippendorff_alpha(table: Floats) -> float:
    """Ordinal alpha of a table of coincidences; nan where nothing varies."""
    totals = table.sum(axis=0)
    n = float(totals.sum())
    if n < 2:
        return float("nan")
    below = np.cumsum(totals) - totals / 2
    apart = (below[:, None] - below[None, :]) ** 2
    expected = float((apart * np.outer(totals, totals)).sum() - (apart.diagonal() * totals).sum())
    if not expected:
        return float("nan")
    return 1 - (n - 1) * float((apart * table).sum()) / expected


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Rank correlation, ties sharing their mean rank; nan where one side never varies."""
    x, y = _ranks(np.asarray(a, dtype=np.float64)), _ranks(np.asarray(b, dtype=np.float64))
    x, y = x - x.mean(), y - y.mean()
    norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / norm if norm else float("nan")


def _ranks(values: Floats) -> Floats:
    _, of, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[of], dtype=np.float64)


# --- drawing --------------------------------------------------------------------------------------


def _grades(grades: Sequence[int]) -> npt.NDArray[np.int64]:
    found = np.asarray(grades, dtype=np.int64)
    if not len(found) or found.min() < 1 or found.max() > GRADES:
        raise ValueError(f"grades are 1 to {GRADES}, and at least one")
    return found


def _draws(clusters: Sequence[str], rng: np.random.Generator) -> Floats:
    """How often each cluster is drawn in each round."""
    m = len(set(clusters))
    return rng.multinomial(m, np.full(m, 1.0 / m), size=ROUNDS).astype(np.float64)


def _by_cluster(tables: Floats, clusters: Sequence[str]) -> Floats:
    names, of = np.unique(np.asarray(clusters), return_inverse=True)
    summed = np.zeros((len(names), GRADES, GRADES))
    np.add.at(summed, of, tables)
    return summed


def _spearman_draws(
    a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], clusters: Sequence[str], weights: Floats
) -> Floats:
    _, of = np.unique(np.asarray(clusters), return_inverse=True)
    repeats = weights[:, of].astype(np.int64)
    return np.array([spearman(np.repeat(a, row), np.repeat(b, row)) for row in repeats])


def _bounded(value: float, draws: Floats) -> Bounded:
    known = draws[~np.isnan(draws)]
    if not len(known) or np.isnan(value):
        return Bounded(value, float("nan"), float("nan"))
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(known, [tail, 100 - tail])
    return Bounded(value, float(low), float(high))
