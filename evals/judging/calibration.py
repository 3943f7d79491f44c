"""Graders held against people: a judge, a scorer, a count of words, and people themselves.

Knows which rows stand beside each other, so that no figure of a judge is read without its ceiling
and its floor. Does not know files or flags (calibrate_command.py), nor models. Pure. Called by
calibrate_command.py and figures.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low, mode

import numpy as np

from evals.dialogues.scores import Direction
from evals.judging.agreement import Agreement, Bounded, agree, alpha_of
from evals.judging.labels import Item
from evals.judging.satisfaction import FOLDS, by_frequency, grades_out_of_fold
from evals.report import Row

FLOOR = 0.40
"""Weighted kappa whose lower end a judge must reach before it may decide a gate: where Landis and
Koch (1977) let moderate agreement begin."""
ALONE, COMMONEST = "one person against the others", "always the commonest grade"
WORDS = f"counted words, fitted out of {FOLDS} folds"

FIGURES = (
    f"quadratic kappa: {ALONE}",
    f"quadratic kappa: {WORDS}",
    "Krippendorff's alpha of all raters",
)
"""Rows of the results table."""


@dataclass(frozen=True)
class Calibration:
    """What people say, and how far each grader agrees with them."""

    items: int
    raters: int
    """Ratings in all."""
    alpha: Bounded
    """Krippendorff's alpha of all raters."""
    rows: Mapping[str, Agreement]
    """{grader: its agreement with the people's median}; rows of confusion are the grader's."""


def calibrate(
    items: Sequence[Item], graders: Mapping[str, Mapping[str, int]], seed: int = 0
) -> Calibration:
    """Graders as {name: {item id: grade}}; each is held against the items that it graded."""

    def rng() -> np.random.Generator:
        return np.random.default_rng(seed)

    clusters = [item.dialogue_id for item in items]
    people = [item.consensus for item in items]
    rows = {}
    lone = _alone(items)
    if lone:
        first, others, of = zip(*lone, strict=True)
        rows[ALONE] = agree(first, others, of, rng())
    rows[COMMONEST] = agree([mode(people)] * len(items), people, clusters, rng())
    rows[WORDS] = agree(grades_out_of_fold(items, rng()), people, clusters, rng())
    for name, grades in graders.items():
        graded = [item for item in items if item.item_id in grades]
        rows[name] = agree(
            [grades[item.item_id] for item in graded],
            [item.consensus for item in graded],
            [item.dialogue_id for item in graded],
            rng(),
        )
    ratings = [item.ratings for item in items]
    alpha = alpha_of(ratings, clusters, rng())
    return Calibration(len(items), sum(map(len, ratings)), alpha, rows)


def _alone(items: Sequence[Item]) -> list[tuple[int, int, str]]:
    """Each rating beside the median of the others, where there are two others or more."""
    return [
        (rating, median_low(item.ratings[:i] + item.ratings[i + 1 :]), item.dialogue_id)
        for item in items
        if len(item.ratings) > 2
        for i, rating in enumerate(item.ratings)
    ]


def as_grades(
    values: Mapping[str, float], direction: Direction, items: Sequence[Item]
) -> dict[str, int]:
    """A scorer's values as grades: by rank, each grade as frequent as people give it.

    Equal values get equal grades, so a scorer that says the same of everything gives one grade.
    """
    known = [item for item in items if item.item_id in values]
    people = np.array([item.consensus for item in known])
    sign = 1.0 if direction == "higher" else -1.0
    mine = np.array([sign * values[item.item_id] for item in known])
    grades = 1 + np.searchsorted(by_frequency(mine, people), mine, side="left")
    return {item.item_id: int(grade) for item, grade in zip(known, grades, strict=True)}


def verdict(found: Agreement) -> str:
    """Whether a grader may decide."""
    low = found.weighted_kappa.low
    if low >= FLOOR:
        return f"decides: the lower end of its weighted kappa, {low:.2f}, reaches {FLOOR:.2f}"
    told = "is not known" if np.isnan(low) else f"is {low:.2f}"
    return f"ADVISORY: the lower end of its weighted kappa {told}, below {FLOOR:.2f}"


def rows_of(found: Calibration, data: str) -> list[Row]:
    """The rows of the results table; see `FIGURES`."""
    values = (
        found.rows[ALONE].weighted_kappa,
        found.rows[WORDS].weighted_kappa,
        found.alpha,
    )
    told = [f"{v.value:.2f} [{v.low:.2f}, {v.high:.2f}]" for v in values]
    return [Row(figure, data, value) for figure, value in zip(FIGURES, told, strict=True)]
