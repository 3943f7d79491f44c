"""Intervals and comparisons: known values, and what they promise checked by drawing."""

import math

import numpy as np
import pytest

from evals.statistics import (
    at_most,
    holm,
    mcnemar,
    mean_interval,
    paired_difference,
    sign_flips,
    wilson,
)


def own(n: int) -> list[str]:
    return [f"s{i}" for i in range(n)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_has_its_known_values(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-4)


def test_shares_of_single_dialogues_are_wilson_and_means_are_drawn() -> None:
    share = mean_interval(np.array([1.0] * 8 + [0.0] * 2), own(10), rng())
    assert (share.low, share.high) == pytest.approx(wilson(8, 10))
    mean = mean_interval(np.array([0.2, 0.4, 0.9, 0.5, 0.4, 0.6]), own(6), rng())
    assert mean.low < mean.value == 0.5 < mean.high
    assert math.isnan(mean_interval(np.array([]), [], rng()).value)


def test_clusters_that_agree_leave_the_doubt_of_few_clusters() -> None:
    # Three scenarios, ten trials each, all passed: three things are known, not thirty.
    passed = mean_interval(np.ones(30), [f"s{i % 3}" for i in range(30)], rng())
    assert (passed.low, passed.high) == pytest.approx(wilson(3, 3))


def test_few_clusters_say_little_about_others() -> None:
    few = mean_interval(np.array([0.2, 0.4, 0.6] * 5), [f"s{i % 3}" for i in range(15)], rng())
    assert few.value == pytest.approx(0.4) and math.isnan(few.low) and math.isnan(few.high)
    # Two scenarios that both rose in all their trials are no proof.
    rose = paired_difference(np.zeros(8), np.ones(8), [f"s{i % 2}" for i in range(8)], rng())
    assert rose.p == 0.5 and math.isnan(rose.low) and math.isnan(rose.detectable)


def test_amounts_are_no_shares() -> None:
    amounts = mean_interval(np.zeros(10), own(10), rng(), shares=False)
    assert (amounts.low, amounts.high) == (0.0, 0.0)


def test_sign_flips_are_exact_for_few_and_drawn_for_many() -> None:
    assert sign_flips(np.array([1.0, 2.0, 3.0]), rng()) == 0.25
    assert sign_flips(np.zeros(5), rng()) == 1.0
    sums = rng(3).normal(0.3, 1.0, 13)
    # A fourteenth cluster that hardly differs changes little, but is beyond the exact limit.
    drawn = sign_flips(np.append(sums, 1e-6), rng())
    assert drawn == pytest.approx(sign_flips(sums, rng()), abs=0.02)
    assert sign_flips(np.append(sums, 0.0), rng()) == sign_flips(sums, rng())


def test_an_interval_of_a_clustered_mean_holds_the_truth_as_often_as_it_says() -> None:
    draw, held = rng(5), 0
    for _ in range(200):
        effects = draw.normal(0.5, 0.2, 60)
        values = np.repeat(effects, 4) + draw.normal(0, 0.05, 240)
        found = mean_interval(values, [f"s{i // 4}" for i in range(240)], rng())
        held += found.low <= 0.5 <= found.high
    assert 180 <= held <= 199


@pytest.mark.parametrize(
    ("lost", "won", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (2, 10, 0.038574), (10, 2, 0.038574), (0, 6, 0.03125)],
)
def test_mcnemar_has_its_known_values(lost: int, won: int, p: float) -> None:
    assert mcnemar(lost, won) == pytest.approx(p, abs=1e-6)


def test_holm_adjusts_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_binary_pairs_are_tested_by_mcnemar() -> None:
    a, b = np.array([1.0] * 10 + [0.0] * 10), np.array([1.0] * 19 + [0.0])
    found = paired_difference(a, b, own(20), rng())
    assert found.test == "McNemar" and found.value == pytest.approx(0.45)
    assert found.p == mcnemar(0, 9) and found.low > 0


def test_trials_of_one_scenario_are_no_evidence_of_their_own() -> None:
    a, b = np.zeros(20), np.array([1.0] * 10 + [0.0] * 10)
    apart = paired_difference(a, b, own(20), rng())
    together = paired_difference(a, b, [f"s{i // 10}" for i in range(20)], rng())
    assert together.test == "sign flips"
    assert apart.p < 0.01 < 0.4 < together.p


@pytest.mark.slow
def test_chance_alone_is_called_a_difference_as_rarely_as_it_should() -> None:
    draw, called = rng(11), 0
    for _ in range(100):
        a = draw.normal(0.5, 0.2, 80)
        called += paired_difference(a, a + draw.normal(0, 0.1, 80), own(80), rng()).p < 0.05
    assert called <= 12


@pytest.mark.slow
def test_the_detectable_difference_is_found_in_four_of_five_tries() -> None:
    draw, found, tries = rng(7), 0, 100
    noise = draw.normal(0, 1, 100)
    noise = 0.1 * (noise - noise.mean()) / noise.std()
    effect = paired_difference(np.zeros(100), noise, own(100), rng()).detectable
    assert effect == pytest.approx(2.8 * 0.1 / math.sqrt(100), rel=0.05)
    for _ in range(tries):
        b = draw.normal(effect, 0.1, 100)
        found += paired_difference(np.zeros(100), b, own(100), rng()).p < 0.05
    assert 0.68 <= found / tries <= 0.92


def test_no_difference_at_all_is_no_proof_of_none() -> None:
    same = paired_difference(np.ones(60), np.ones(60), own(60), rng())
    assert (same.p, same.low, same.high) == (1.0, 0.0, 0.0)
    assert same.detectable == at_most(60) == 0.05
    counts = np.full(8, 2.5)
    assert math.isnan(paired_difference(counts, counts, own(8), rng()).detectable)


def test_what_makes_no_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference(np.ones(2), np.ones(3), own(2), rng())
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference(np.array([]), np.array([]), [], rng())
