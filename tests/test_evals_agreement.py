"""Agreement: published examples, definitions by hand, and that chance is not called agreement."""

import math

import numpy as np
import pytest

from evals.judging.agreement import agree, alpha_of, cohen_kappa, spearman


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def own(n: int) -> list[str]:
    return [f"d{i}" for i in range(n)]


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    """Computing Krippendorff's Alpha-Reliability (2011), section C: ordinal alpha is .815."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    units = [
        [grade for grade in unit if grade is not None] for unit in zip(*observers, strict=True)
    ]
    found = alpha_of(units, own(len(units)), rng())
    assert found.value == pytest.approx(0.815, abs=5e-4)
    assert found.low < found.value < found.high


def test_kappa_is_agreement_beyond_chance() -> None:
    # 20 + 15 of 50 agree; by habit alone 25 would: (.7 - .5) / (1 - .5).
    table = np.zeros((5, 5))
    table[0, 0], table[0, 1], table[1, 0], table[1, 1] = 20, 5, 10, 15
    assert cohen_kappa(table, quadratic=False) == pytest.approx(0.4)
    # With two neighbouring grades every disagreement is equally far.
    assert cohen_kappa(table, quadratic=True) == pytest.approx(0.4)


def test_weights_forgive_neighbours() -> None:
    first = [1, 2, 3, 4, 5] * 10
    near = agree(first, [min(5, g + 1) for g in first], own(50), rng())
    far = agree(first, [6 - g for g in first], own(50), rng())
    assert near.weighted_kappa.value > 0.7 > 0.1 > near.kappa.value
    assert far.weighted_kappa.value == pytest.approx(-1.0)
    assert far.spearman.value == pytest.approx(-1.0)


def test_the_same_grades_agree_wholly() -> None:
    found = agree([1, 2, 3, 5], [1, 2, 3, 5], own(4), rng())
    for part in (found.agreement, found.kappa, found.weighted_kappa, found.spearman, found.alpha):
        assert part.value == pytest.approx(1.0)
    assert found.confusion.trace() == 4 and found.confusion[4, 4] == 1


def test_spearman_shares_ranks_between_ties() -> None:
    assert spearman([1, 2, 2, 4], [1, 2, 3, 4]) == pytest.approx(0.948683, abs=1e-6)
    assert math.isnan(spearman([3, 3, 3], [1, 2, 3]))


def test_one_grade_for_everything_says_nothing() -> None:
    found = agree([3] * 20, [3, 4] * 10, own(20), rng())
    assert found.agreement.value == 0.5
    assert found.kappa.value == 0.0 and math.isnan(found.spearman.value)


def test_chance_is_around_zero_and_its_interval_holds_zero() -> None:
    draw = rng(4)
    first, second = (draw.integers(1, 6, 400).tolist() for _ in range(2))
    found = agree(first, second, own(400), rng())
    for part in (found.kappa, found.weighted_kappa, found.spearman, found.alpha):
        assert part.low < 0 < part.high and abs(part.value) < 0.12


def test_grades_of_one_dialogue_are_drawn_together() -> None:
    draw = rng(2)
    first = np.repeat(draw.integers(1, 6, 40), 10)
    second = np.repeat(draw.integers(1, 6, 40), 10)
    apart = agree(first.tolist(), second.tolist(), own(400), rng()).weighted_kappa
    clusters = [f"d{i // 10}" for i in range(400)]
    together = agree(first.tolist(), second.tolist(), clusters, rng()).weighted_kappa
    assert together.high - together.low > 2 * (apart.high - apart.low)


@pytest.mark.parametrize(("first", "second"), [([], []), ([0], [1]), ([6], [1]), ([1], [1, 2])])
def test_what_is_no_pair_of_grades_is_refused(first: list[int], second: list[int]) -> None:
    with pytest.raises(ValueError, match="grades"):
        agree(first, second, own(len(first)), rng())
