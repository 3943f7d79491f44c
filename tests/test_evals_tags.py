"""The figures of guessed tags: counted as defined, on numbers small enough to count by hand."""

import numpy as np
import pytest

from evals.recorded.tag_requests import CURATED, GUESSED, NONE, Requested, requests_rows
from evals.recorded.tags import FIGURES, OWN, Found, Guessed, grade_errors, rows_of
from evals.recorded.tags import _limits_of as limits_of
from retrieval.movie import ATTRIBUTES, Movie


def guessed() -> Guessed:
    """Two moods, one theme, four films: of moods 2 of 3 said are right, and 4 are true."""
    movies = [Movie(f"m{i}", "M", attributes=dict.fromkeys(ATTRIBUTES, i)) for i in range(4)]
    wanted = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, 1]], dtype=np.bool_)
    said = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=np.bool_)
    grades = np.repeat([[0], [1], [2], [2]], len(ATTRIBUTES), axis=1)
    return Guessed(movies, wanted, said, said, said, grades, np.array([False, False, True]))


def test_shares_are_counted_over_films() -> None:
    found = guessed()
    precision, recall = found.shares("mood", found.said)
    assert (precision.value, recall.value) == pytest.approx((2 / 3, 2 / 4))
    assert found.f1("mood").value == pytest.approx(2 * 2 / (3 + 4))
    assert found.shares("theme", found.said)[0].value == 1.0
    assert precision.low <= precision.value <= precision.high


def test_grades_are_compared_with_curated_ones() -> None:
    error, kappa = grade_errors(guessed())["violence"]
    assert error == pytest.approx(0.25)
    assert 0.8 < kappa < 1


def test_thresholds_are_those_of_the_best_and_the_precise_cut() -> None:
    p = np.array([[0.9, 0.8], [0.7, 0.6], [0.5, 0.4]], dtype=np.float32)
    wanted = np.array([[1, 1], [1, 0], [1, 0]], dtype=np.float32)
    best, precise = limits_of(p, wanted)
    assert best == pytest.approx(0.5) and precise == pytest.approx(0.5)
    assert limits_of(p, np.array([[1, 0], [0, 0], [0, 1]], dtype=np.float32))[1] == pytest.approx(
        0.9
    )


def test_the_table_has_the_rows_that_are_promised() -> None:
    values = {NONE: [0.1] * 8, GUESSED: [0.3] * 7 + [0.2], CURATED: [1.0] * 8}
    asked = Requested(4, values, values, values)
    rows = rows_of(Found({OWN: guessed()}, asked, 3, {"mood": 2, "theme": 1}))
    named = [row.figure for row in rows]
    assert set(FIGURES) <= set(named)
    change = next(row for row in rows if row.figure == "precision@10 of a mood asked for")
    assert "no tags 0.100, predicted tags 0.287, curated tags 1.000" in change.value
    assert len(requests_rows(asked)) == 3
