"""The labelled requests: whole, balanced, and refused where they are not."""

import json
from pathlib import Path

import pytest

from evals.problem import EvalProblem
from evals.recorded.intents import FOLDER, INTENTS, agreement, balance, read_labelled


def write(folder: Path, labels: dict[str, list[str]], marked: str = "scary") -> Path:
    texts = {"r1": "something scary from the 80s", "r2": "a comedy like Heat with Al Pacino"}
    rows = [json.dumps({"id": i, "text": text}) for i, text in texts.items()]
    (folder / "requests.jsonl").write_text("\n".join(rows), encoding="utf-8")
    for who in "ab":
        rows = [
            json.dumps({"id": i, "intents": intents, "marked": [marked] if i == "r1" else []})
            for i, intents in labels.items()
        ]
        (folder / f"labels_{who}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


SOME = {
    "r1": ["mood_based", "temporal_context"],
    "r2": ["genre_preference", "similarity_based", "descriptive_features"],
}


def test_ours_are_many_balanced_and_agreed_upon() -> None:
    labelled = read_labelled(FOLDER)
    assert len(labelled) >= 400
    assert all(count >= len(labelled) // 5 for count in balance(labelled).values())
    assert all(kappa >= 0.8 for kappa in agreement(labelled).values())


def test_two_labellers_of_one_mind_have_a_kappa_of_one(tmp_path: Path) -> None:
    assert agreement(read_labelled(write(tmp_path, SOME))) == dict.fromkeys(INTENTS, 1.0)


@pytest.mark.parametrize(
    ("labels", "marked", "said"),
    [
        ({**SOME, "r2": ["funny"]}, "scary", "intents are"),
        ({**SOME, "r9": []}, "scary", "no request 'r9'"),
        ({"r1": SOME["r1"]}, "scary", "no labels for r2"),
        (SOME, "zombies", "as they stand there"),
    ],
)
def test_what_cannot_be_used_is_named(
    tmp_path: Path, labels: dict[str, list[str]], marked: str, said: str
) -> None:
    with pytest.raises(EvalProblem, match=said):
        read_labelled(write(tmp_path, labels, marked))
