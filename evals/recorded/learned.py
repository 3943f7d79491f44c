"""What the learned ranker adds on recorded conversations, out of fold: the rows of `figures`.

Knows which rows are compared on which targets. Does not know how a turn is answered (signal.py)
nor how a ranker is trained. Called by figures.py.
"""

import numpy as np

from evals.recorded.ranking import Estimate, paired_gain, short
from evals.recorded.signal import EVERY, LEARNED, NAMELESS, PLAIN, PRODUCT, Signal
from evals.report import Row

SEEDED = ("all listed", "some listed", "none listed")
GAIN = "R@10 gained by the learned ranker over the fixed weights"
RECALL = "R@10 / 50, learned ranker, against fixed weights, and those not reordered"
BY_STRATUM = "R@10 learned / fixed, all / some / none listed / naming none"
FIGURES = (GAIN, RECALL, BY_STRATUM)
BOUND = 0.015


def rows_of(found: Signal, data: str) -> list[Row]:
    """The rows of the results table. Needs a signal that was measured with models."""
    shares = [
        f"{row}: {short(found.recall(row, EVERY, 10).value)} / "
        f"{short(found.recall(row, EVERY, 50).value)}"
        for row in (LEARNED, PRODUCT, PLAIN)
    ]
    strata = [
        f"{short(found.recall(LEARNED, stratum, 10).value)} against "
        f"{short(found.recall(PRODUCT, stratum, 10).value)}"
        for stratum in (*SEEDED, NAMELESS)
    ]
    return [
        Row(GAIN, data, signed(gain(found, 10)), f">= {BOUND} above the weights of 2026-11-30"),
        Row(RECALL, data, ", ".join(shares)),
        Row(BY_STRATUM, data, " / ".join(strata)),
    ]


def gain(found: Signal, k: int) -> Estimate:
    """Recall@k with the ranker less that without, paired, over dialogues."""
    learned = np.array(found.ranks[LEARNED], dtype=np.int32)
    fixed = np.array(found.ranks[PRODUCT], dtype=np.int32)
    return paired_gain(learned, fixed, found.dialogues, k, np.random.default_rng(0))


def signed(gained: Estimate) -> str:
    """+.012 [+.004, +.020]."""
    return f"{gained.value:+.3f} [{gained.low:+.3f}, {gained.high:+.3f}], {gained.n:,} targets"
