"""How sure a figure is: intervals of means and shares, differences of two runs, many at a time.

Knows numbers and clusters. Does not know scores, runs or files. Pure; every random draw comes from
an rng passed in. Called by ranking.py, comparison.py, summary.py and agreement.py.

Dialogues of one scenario (trials, wordings) stand or fall together, and so do the targets of one
dialogue: whole clusters are drawn, never single values (Miller, arXiv 2411.00640).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROUNDS = 1000
"""Bootstrap draws of an interval."""
TEST_ROUNDS = 10_000
"""Draws of a comparison: its smallest p is 1 / (1 + this)."""
LEVEL = 0.95
Z = 1.959964
"""Of the normal distribution at `LEVEL`, two-sided."""
Z_POWER = 0.841621
"""Of the normal distribution at a power of 80 %, one-sided."""
MIN_CLUSTERS = 6
"""Fewer say too little: resampling them gives intervals far too narrow, and no test of fewer can
reach p < 5 % (2 / 2**5 = .06)."""
EXACT_CLUSTERS = 13
"""Up to here all 2**13 sign changes are tried, beyond it `TEST_ROUNDS` random ones."""
_CHUNK = 500
"""Rounds drawn at a time, so that 10,000 rounds of 1,000 clusters stay below 10 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval at `LEVEL`."""

    value: float
    low: float
    high: float
    n: int
    """Values behind it."""


# --- one run --------------------------------------------------------------------------------------


def mean_interval(
    values: Floats, clusters: Sequence[str], rng: np.random.Generator, shares: bool = True
) -> Interval:
    """Of a mean: Wilson for shares of independent passes, otherwise a clustered bootstrap.

    `shares` = False: zeros and ones are amounts (tokens, turns) that only happen to be so.

    Where every cluster says the same, the bootstrap knows no doubt; a share then falls back to
    Wilson over clusters: 0 of 100 is not proven to be 0. Of anything else in fewer than
    `MIN_CLUSTERS` the interval is nan.
    """
    n = len(values)
    if not n:
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    value, m = float(values.mean()), len(set(clusters))
    binary = shares and bool(np.isin(values, (0.0, 1.0)).all())
    if binary and m == n:
        return Interval(value, *wilson(float(values.sum()), n), n)
    if m < MIN_CLUSTERS and not binary:
        return Interval(value, float("nan"), float("nan"), n)
    low, high = clustered_interval(values, clusters, rng)
    if binary and (low == high or m < MIN_CLUSTERS):
        low, high = wilson(value * m, m)
    return Interval(value, low, high, n)


def wilson(successes: float, n: int) -> tuple[float, float]:
    """The Wilson interval of a share; (0, 1) of nothing."""
    if not n:
        return 0.0, 1.0
    p, z2 = successes / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def clustered_interval(
    values: Floats, clusters: Sequence[str], rng: np.random.Generator, rounds: int = ROUNDS
) -> tuple[float, float]:
    """The percentile interval of the mean when clusters are drawn with replacement."""
    if not len(values):
        return 0.0, 0.0
    return _percentiles(bootstrap_means(values, clusters, rng, rounds))


def bootstrap_means(
    values: Floats, clusters: Sequence[str], rng: np.random.Generator, rounds: int
) -> Floats:
    """Means of `rounds` draws of whole clusters, with replacement."""
    sums, sizes = _by_cluster(values, clusters)
    m = len(sums)
    means = []
    for start in range(0, rounds, _CHUNK):
        drawn = rng.multinomial(m, np.full(m, 1.0 / m), size=min(_CHUNK, rounds - start))
        means.append((drawn @ sums) / (drawn @ sizes))
    return np.concatenate(means)


def _by_cluster(values: Floats, clusters: Sequence[str]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Sum and size of each cluster."""
    _, of = np.unique(np.asarray(clusters), return_inverse=True)
    sums, sizes = np.bincount(of, weights=values), np.bincount(of)
    return np.asarray(sums, dtype=np.float64), np.asarray(sizes, dtype=np.int64)


def _percentiles(draws: Floats) -> tuple[float, float]:
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def at_most(n: int) -> float:
    """Rule of three: never seen in n, so at most this often (95 %)."""
    return min(1.0, 3.0 / n) if n else 1.0


# --- two runs -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A over pairs."""

    value: float
    low: float
    high: float
    """Of a paired bootstrap over clusters; nan in fewer than `MIN_CLUSTERS`."""
    p: float
    """Two-sided: how often chance alone would bring at least this much."""
    test: str
    """McNemar, or sign flips of whole clusters."""
    detectable: float
    """The smallest true difference that these pairs would show in 4 of 5 tries; nan if unknown."""
    pairs: int
    attainable: float
    """The smallest p that so many differing pairs (or clusters) could have had."""


def paired_difference(
    a: Floats, b: Floats, clusters: Sequence[str], rng: np.random.Generator
) -> Difference:
    """Of two measurements of the same things. Raises: ValueError without pairs."""
    if not len(a) or len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values make no pairs")
    gaps = b - a
    value, n, m = float(gaps.mean()), len(gaps), len(set(clusters))
    low, high, detectable = float("nan"), float("nan"), float("nan")
    binary = bool(np.isin(np.concatenate([a, b]), (0.0, 1.0)).all())
    if m >= MIN_CLUSTERS and gaps.any():
        draws = bootstrap_means(gaps, clusters, rng, TEST_ROUNDS)
        low, high = _percentiles(draws)
        detectable = (Z + Z_POWER) * float(draws.std())
    elif m >= MIN_CLUSTERS:
        low = high = 0.0
    sums, _ = _by_cluster(gaps, clusters)
    if not detectable > 0:
        # No pair differs: of a share we know at least how rarely pairs can differ.
        detectable = at_most(m) if binary and m >= MIN_CLUSTERS else float("nan")
    if binary and m == n:
        p, test = mcnemar(int((gaps < 0).sum()), int((gaps > 0).sum())), "McNemar"
    else:
        p, test = sign_flips(sums, rng), "sign flips"
    attainable = min(1.0, 2.0 ** (1 - int((sums != 0).sum())))
    return Difference(value, low, high, p, test, detectable, n, attainable)


def sign_flips(sums: Floats, rng: np.random.Generator) -> float:
    """The two-sided p of sums of clusters, if each might as well have the other sign."""
    sums = sums[sums != 0]  # whatever their sign, they change nothing
    m, seen = len(sums), abs(float(sums.sum())) - 1e-9
    if m <= EXACT_CLUSTERS:
        signs = 1 - 2 * ((np.arange(2**m)[:, None] >> np.arange(m)) & 1)
        return float((np.abs(signs @ sums) >= seen).mean())
    beyond = 0
    for start in range(0, TEST_ROUNDS, _CHUNK):
        drawn = 1 - 2 * rng.integers(0, 2, size=(min(_CHUNK, TEST_ROUNDS - start), m))
        beyond += int((np.abs(drawn @ sums) >= seen).sum())
    return (1 + beyond) / (1 + TEST_ROUNDS)


def mcnemar(lost: int, won: int) -> float:
    """The exact two-sided p of pairs that changed from 1 to 0 (lost) and from 0 to 1 (won)."""
    n = lost + won
    if not n:
        return 1.0
    tail = sum(comb(n, i) for i in range(min(lost, won) + 1))
    both: float = 2 * tail / 2**n
    return min(1.0, both)


def holm(ps: Sequence[float]) -> list[float]:
    """The p values as they are when this many questions were asked at once (Holm)."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    adjusted, highest = [0.0] * len(ps), 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - place) * ps[i]))
        adjusted[i] = highest
    return adjusted
