"""What the learned ranker adds on recorded conversations, out of fold: the rows of `figures`.

Knows which rows are compared on which targets. Does not know how a turn is answered (signal.py)
nor how a ranker is trained. Called by figures.py.
"""

import numpy as np

from evals.recorded.ranking import Estimate, paired_gain, short
from evals.recorded.signal import (
    BLIND,
    EVERY,
    FIXED,
    LEARNED,
    LEARNED_PLAIN,
    NAMELESS,
    PLAIN,
    PRODUCT,
    Signal,
)
from evals.report import Row

SEEDED = ("all listed", "some listed", "none listed")
GAIN = "R@10 gained by plan and learned ranker over fixed weights; by the ranker alone"
RECALL = "R@10 / 50, learned ranker, against the plan's weights, fixed ones, and not reordered"
WITHOUT = "R@10 learned ranker, not reordered, without a group of features (less than with all)"
BY_STRATUM = "R@10 learned / fixed, all / some / none listed / naming none"
FIGURES = (GAIN, RECALL, BY_STRATUM, WITHOUT)
BOUND = 0.015


def rows_of(found: Signal, data: str) -> list[Row]:
    """The rows of the results table. Needs a signal that was measured with models."""
    shares = [
        f"{row}: {short(found.recall(row, EVERY, 10).value)} / "
        f"{short(found.recall(row, EVERY, 50).value)}"
        for row in (LEARNED, PRODUCT, FIXED, PLAIN)
    ]
    strata = [
        f"{short(found.recall(LEARNED, stratum, 10).value)} against "
        f"{short(found.recall(FIXED, stratum, 10).value)}"
        for stratum in (*SEEDED, NAMELESS)
    ]
    gained = f"{signed(gain(found))}; {spread(gain(found, base=PRODUCT))}"
    return [
        Row(GAIN, data, gained, f">= {BOUND} above fixed weights, interval above 0"),
        Row(RECALL, data, ", ".join(shares)),
        Row(BY_STRATUM, data, " / ".join(strata)),
        Row(WITHOUT, data, _without(found)),
    ]


def gain(found: Signal, row: str = LEARNED, base: str = FIXED, k: int = 10) -> Estimate:
    """Recall@k of one row less that of another, paired, over dialogues."""
    ranks = np.array(found.ranks[row], dtype=np.int32)
    below = np.array(found.ranks[base], dtype=np.int32)
    return paired_gain(ranks, below, found.dialogues, k, np.random.default_rng(0))


def _without(found: Signal) -> str:
    """What is lost without each group, and the recall with all."""
    with_all = short(found.recall(LEARNED_PLAIN, EVERY, 10).value)
    blind = [row for row in found.ranks if row.startswith(BLIND)]
    if not blind:
        return f"not measured: train_folds --without-each (with all {with_all})"
    lost = [f"{row.removeprefix(BLIND)} {spread(gain(found, row, LEARNED_PLAIN))}" for row in blind]
    return f"{', '.join(lost)} (with all {with_all})"


def signed(gained: Estimate) -> str:
    """+.012 [+.004, +.020], 3,318 targets."""
    return f"{spread(gained)}, {gained.n:,} targets"


def spread(gained: Estimate) -> str:
    """+.012 [+.004, +.020]."""
    return f"{gained.value:+.3f} [{gained.low:+.3f}, {gained.high:+.3f}]"
