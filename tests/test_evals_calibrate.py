"""`python -m evals calibrate`: labels read or refused, and rows that keep a judge honest."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.__main__ import main
from evals.dialogues.scores import Score
from evals.dialogues.transcript_files import write_models
from evals.judging.calibration import ALONE, COMMONEST, FLOOR, WORDS, as_grades, calibrate, verdict
from evals.judging.labels import Item, read_items
from evals.judging.satisfaction import grades_out_of_fold
from test_evals_compare import refused

GLAD, SORRY = "thanks, sounds great, I'll check it out", "no, I hated that, not good"


def dialogue(number: int, ratings: Sequence[int], last: str) -> dict[str, Any]:
    said = [("user", "a comedy please"), ("system", "How about Big (1988)?"), ("user", last)]
    turns = [
        {"role": role, "text": text, "satisfaction": list(ratings) if role == "user" else None}
        for role, text in said
    ]
    return {"dialogue_id": f"d{number}", "turns": turns, "overall_satisfaction": list(ratings)}


def labels(folder: Path, n: int = 120, told: bool = True) -> Path:
    """Three raters who mostly agree; what the user says shows it, or nothing does."""
    draw = random.Random(0)
    rows = []
    for number in range(n):
        grade = draw.choice([1, 2, 3, 4, 5])
        ratings = [min(5, max(1, grade + draw.choice([0, 0, 0, 1, -1]))) for _ in range(3)]
        glad = grade > 3 if told else draw.random() > 0.5
        rows.append(dialogue(number, ratings, GLAD if glad else SORRY))
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def calibrated(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["calibrate", *map(str, arguments), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_without_a_model_it_says_what_a_judge_must_beat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = calibrated(capsys, "--labels", labels(tmp_path))
    assert list(found["rows"]) == [ALONE, COMMONEST, WORDS]
    alone, words = (found["rows"][name]["weighted_kappa"]["value"] for name in (ALONE, WORDS))
    assert alone > words > 0.4
    assert found["rows"][COMMONEST]["weighted_kappa"]["value"] == 0
    assert found["alpha"]["value"] > 0.7
    turns = calibrated(capsys, "--labels", labels(tmp_path), "--level", "turn")
    assert turns["items"] == 2 * found["items"]
    main(["calibrate", "--labels", str(labels(tmp_path))])
    assert "no judge was asked" in capsys.readouterr().out


def test_words_that_tell_nothing_reach_nothing(tmp_path: Path) -> None:
    """Out of fold, so that 16 features cannot learn the labels by heart."""
    items = read_items(labels(tmp_path, told=False), "dialogue")
    row = calibrate(items, {}).rows[WORDS]
    assert row.weighted_kappa.low < 0.1
    assert verdict(row).startswith("ADVISORY")


def test_no_dialogue_is_graded_by_a_fit_that_saw_it() -> None:
    """One dialogue with many turns of a wording of its own: only a leak could know its grade."""
    plain = [Item(f"p{i}", f"p{i}", (("user", SORRY),), (3, 3, 4)) for i in range(40)]
    odd = [Item(f"o{i}", "odd", (("user", GLAD),), (1, 1, 1)) for i in range(40)]
    grades = grades_out_of_fold([*plain, *odd], np.random.default_rng(0))
    assert set(grades[40:]) == {3}


def test_a_scorer_is_held_against_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = labels(tmp_path)
    items = read_items(path, "dialogue")
    scores = [
        Score(
            dialogue_id=item.item_id,
            scorer="faults",
            scorer_version=1,
            value=float(10 - 2 * item.consensus),
            unit="count",
            direction="lower",
        )
        for item in items[:100]
    ]
    write_models(tmp_path / "scores.jsonl", scores)
    found = calibrated(capsys, "--labels", path, "--scores", tmp_path / "scores.jsonl")
    row = found["rows"]["scorer faults"]
    assert row["n"] == 100 and row["weighted_kappa"]["value"] == pytest.approx(1.0)
    assert row["verdict"].startswith("decides")
    error = refused(
        capsys,
        *("calibrate", "--labels", path, "--scores", tmp_path / "scores.jsonl"),
        *("--scorer", "other"),
    )
    assert "has faults" in error


def test_values_become_grades_by_rank_and_ties_stay_ties() -> None:
    items = [Item(f"d{i}", f"d{i}", (), (1 + i, 1 + i)) for i in range(5)]
    values = {f"d{i}": i / 10 for i in range(5)}
    assert list(as_grades(values, "higher", items).values()) == [1, 2, 3, 4, 5]
    assert list(as_grades(values, "lower", items).values()) == [5, 4, 3, 2, 1]
    assert len(set(as_grades(dict.fromkeys(values, 0.5), "higher", items).values())) == 1


def test_the_floor_is_on_the_lower_end(tmp_path: Path) -> None:
    items = read_items(labels(tmp_path), "dialogue")
    people = {item.item_id: item.consensus for item in items}
    noisy = {k: v if i % 2 else 1 + (v + i) % 5 for i, (k, v) in enumerate(people.items())}
    found = calibrate(items, {"right": people, "half": noisy}).rows
    assert verdict(found["right"]).startswith("decides")
    assert found["half"].weighted_kappa.low < FLOOR
    assert verdict(found["half"]).startswith("ADVISORY")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense", "line 2: no JSON"),
        ('{"dialogue_id": "x"}', "line 2, field turns"),
        (json.dumps(dialogue(1, [6, 1], GLAD)), "line 2, field turns.0.satisfaction.0"),
        (json.dumps(dialogue(0, [1, 1], GLAD)), "line 2, field dialogue_id: d0 is there twice"),
    ],
)
def test_malformed_labels_are_named_by_file_line_and_field(
    line: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f"{json.dumps(dialogue(0, [3, 4], GLAD))}\n{line}\n")
    error = refused(capsys, "calibrate", "--labels", path)
    assert str(path) in error and told in error


def test_labels_that_allow_nothing_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps(dialogue(0, [3], GLAD)) + "\n")
    assert "by two people or more" in refused(capsys, "calibrate", "--labels", path)
    assert "does not exist" in refused(capsys, "calibrate", "--labels", tmp_path / "no.jsonl")
    assert "two dialogues" in refused(
        capsys, "calibrate", "--labels", labels(tmp_path), "--limit", 1
    )
    assert "USHER_MODEL" in refused(capsys, "calibrate", "--labels", labels(tmp_path), "--judge")
    output = ("--output", tmp_path / "c.json")
    assert "give --judge" in refused(capsys, "calibrate", "--labels", labels(tmp_path), *output)
