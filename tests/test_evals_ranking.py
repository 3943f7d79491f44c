"""Recall and its interval: one test per definition and edge."""

import numpy as np
import pytest

from evals.recorded.ranking import ABSENT, ranks_of, recall, recall_estimate
from evals.statistics import clustered_interval


def ranks(*values: int) -> "np.ndarray":
    return np.array(values, dtype=np.int32)


def test_rank_is_the_first_place_in_the_list() -> None:
    assert ranks_of(["b", "z", "a"], ["a", "b", "b", "a"]) == [2, ABSENT, 1]


def test_recall_counts_targets_not_queries() -> None:
    # One query with three targets and one with a single one: four targets, two found.
    assert recall(ranks(1, 20, ABSENT, 3), 10) == 0.5
    assert recall(ranks(1, 20, ABSENT, 3), 20) == 0.75
    assert recall(ranks(10), 10) == 1.0
    assert recall(ranks(11), 10) == 0.0


def test_nothing_to_find_is_zero_and_says_so() -> None:
    estimate = recall_estimate(ranks(), [], 10, np.random.default_rng(0))
    assert (estimate.value, estimate.n) == (0.0, 0)
    assert str(estimate) == "no targets"


def test_interval_holds_the_mean_and_is_repeatable() -> None:
    rng = np.random.default_rng(5)
    values = (rng.random(400) < 0.3).astype(float)
    clusters = [f"d{i // 4}" for i in range(400)]
    low, high = clustered_interval(values, clusters, np.random.default_rng(1))
    assert low < values.mean() < high
    assert (low, high) == clustered_interval(values, clusters, np.random.default_rng(1))


def test_targets_of_one_dialogue_are_one_draw() -> None:
    """The same hits spread over fewer dialogues are worth less."""
    values = np.array([1.0, 0.0] * 100)
    own = [f"d{i}" for i in range(200)]
    shared = [f"d{i // 20}" for i in range(200)]
    together = np.array([1.0] * 100 + [0.0] * 100)
    narrow = clustered_interval(values, own, np.random.default_rng(0))
    wide = clustered_interval(together, shared, np.random.default_rng(0))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


@pytest.mark.parametrize(("value", "shown"), [(0.2049, ".205"), (1.0, "1.000"), (0.0, ".000")])
def test_shares_are_written_as_in_recall_tables(value: float, shown: str) -> None:
    estimate = recall_estimate(ranks(1), ["d"], 1, np.random.default_rng(0))
    assert str(type(estimate)(value, value, value, 1)).startswith(shown)
