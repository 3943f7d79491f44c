"""Choosing the weight of proposals: on other dialogues than it is measured on."""

import numpy as np
import pytest

from evals.recorded.fusion import Caught, choose, lines_of
from evals.recorded.rank_input import Case
from evals.recorded.ranking import ABSENT, paired_gain
from retrieval.index import Hits


def caught(dialogue: int, target: str, proposed: tuple[str, ...]) -> Caught:
    """One turn: neighbours say x1, x2, ...; the model says what is proposed."""
    case = Case(f"d{dialogue}-1", (("user", "hello"),), frozenset(), (target,))
    near = tuple(f"x{i}" for i in range(1, 40))
    legs = [
        Hits("neighbours", near, tuple(1.0 / i for i in range(1, 40))),
        Hits("proposals", proposed, tuple(1.0 / i for i in range(1, len(proposed) + 1))),
    ]
    return Caught(case, legs, {"neighbours": 1.0, "proposals": 1.0}, proposed, proposed)


def test_a_good_model_weighs_much_and_its_list_is_kept() -> None:
    turns = [caught(i, "p3", ("p1", "p2", "p3", "p4")) for i in range(20)]
    turns += [caught(20 + i, "x9", ("p1", "p2", "p3", "p4")) for i in range(10)]
    found = choose(turns, 5, 0)
    assert set(found.chosen) == set(range(5))
    assert np.mean(found.held_out <= 5) == pytest.approx(2 / 3)
    assert np.mean(found.held_out <= 50) == 1.0 and np.mean(found.proposals <= 50) < 1.0
    text = "\n".join(lines_of(found, 0))
    assert "held out minus proposals alone" in text and "R@50 +0.333" in text


def test_a_paired_gain_counts_targets_won_and_lost() -> None:
    ranks = np.array([1, 7, ABSENT, 2], dtype=np.int32)
    base = np.array([6, 1, ABSENT, 2], dtype=np.int32)
    gain = paired_gain(ranks, base, list("abcd"), 5, np.random.default_rng(0))
    assert gain.value == 0.0 and gain.low < 0 < gain.high and gain.n == 4
    alike = paired_gain(ranks, ranks, list("abcd"), 5, np.random.default_rng(0))
    assert (alike.value, alike.low, alike.high) == (0.0, 0.0, 0.0)
