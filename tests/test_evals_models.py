"""Rankers out of fold: cases made from recorded turns, and the door that reads rankers per fold."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.__main__ import main
from evals.recorded.learned import BY_STRATUM, GAIN, WITHOUT, rows_of
from evals.recorded.models import enhancer_without, read_models
from evals.recorded.rank_input import InputProblem, read_dialogues
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
from evals.recorded.worlds import folds_of
from retrieval.encoder import OnnxEncoder
from retrieval.enhancer import FOLDER
from retrieval.rank_cases import CASES, LATER, TARGET, Cases
from retrieval.rank_features import NAMES
from test_evals_rank import Json, asks_like, movies, place, rank, refused, turns

YEAR = NAMES.index("year")


def dialogues() -> Path:
    return place() / "dialogues.jsonl"


def folder_of_models(folder: Path, seed: int = 0) -> Path:
    """Rankers that put the newest film first, for the folds of the dialogues."""
    folds = folds_of(list(read_dialogues(dialogues())), 5, seed)
    splits: list[dict[str, Any]] = [
        {"splits": [[YEAR, year - 0.5, 0, 1]], "leaves": [0.0, 9.0]} for year in range(1900, 2030)
    ]
    for fold in range(5):
        (folder / f"fold-{fold}").mkdir(parents=True)
        made = {"features": list(NAMES), "trees": splits}
        (folder / f"fold-{fold}" / "ranker.json").write_text(json.dumps(made))
    (folder / "folds.json").write_text(json.dumps({"folds": folds}))
    return folder


def test_rankers_per_fold_rank_and_the_row_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = movies()
    row = asks_like("talk-3-2", known[3], exclude_ids=[], target_movie_ids=[known[9]["movie_id"]])
    counts = ("--counts-from", str(dialogues()), "--legs", "full", "--json")
    [fixed] = rank(tmp_path, row, flags=counts)
    assert "no learned parts" in json.loads(capsys.readouterr().out.splitlines()[-1])["protocol"]
    models = str(folder_of_models(tmp_path / "models"))
    [learned] = rank(tmp_path, row, flags=(*counts, "--models", models))
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "models out of fold" in told["protocol"]
    assert set(told["rows"]) == {"full", "full, fixed weights"}
    assert set(fixed["movie_ids"]) == set(learned["movie_ids"])
    year = {m["movie_id"]: m["year"] for m in known}
    assert year[learned["movie_ids"][0]] == max(year[i] for i in learned["movie_ids"])


def test_models_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    row = asks_like("talk-3-2", movies()[3], exclude_ids=[])
    counts = ("--counts-from", str(dialogues()))
    models = str(folder_of_models(tmp_path / "models"))
    refused(tmp_path, row, flags=("--in-sample", "--models", models))
    refused(tmp_path, row, flags=(*counts, "--seed", "1", "--models", models))
    refused(tmp_path, row, flags=(*counts, "--models", str(tmp_path)))
    (tmp_path / "models" / "fold-2" / "ranker.json").write_text("{}")
    with pytest.raises(InputProblem, match="train_folds"):
        read_models(tmp_path / "models")


def test_turns_become_cases_with_what_was_right(tmp_path: Path) -> None:
    known = movies()
    right, later = known[3]["movie_id"], known[4]["movie_id"]
    rows: list[Json] = [
        asks_like("talk-3-2", known[8], exclude_ids=[], target_movie_ids=[right]),
        {"qid": "talk-4-2", "context": ["hello"], "exclude_ids": [], "target_movie_ids": [right]},
    ]
    given = ["--index", str(place() / "index"), "--input", str(turns(tmp_path, *rows))]
    out = tmp_path / "cases.npz"
    assert main(["cases", *given, "--counts-from", str(dialogues()), "--output", str(out)]) == 0
    made = Cases.load(out)
    assert later in read_dialogues(dialogues())["talk-3"]
    assert sorted(made.dialogues) == ["talk-3", "talk-4"]
    assert made.table.shape == (made.sizes.sum(), len(NAMES))
    [at] = np.flatnonzero([d == "talk-3" for d in made.dialogues])
    labels = np.split(made.labels, np.cumsum(made.sizes)[:-1])[at]
    assert sorted(labels[labels > 0].tolist()) == [LATER, TARGET]


def test_nested_no_dialogue_of_the_two_folds_reaches_a_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turns of fold G for the ranker of F: whatever F and G talk about, features stay the same."""
    known, enhancers = movies(), set[frozenset[int]]()
    monkeypatch.setattr(
        "evals.recorded.cases.enhancer_without",
        lambda folder, folds, encoder: enhancers.add(frozenset(folds)),
    )
    of = folds_of(list(read_dialogues(dialogues())), 5, 0)
    g, f, other = of["talk-3"], (of["talk-3"] + 1) % 5, (of["talk-3"] + 2) % 5
    right = {"exclude_ids": [], "target_movie_ids": [known[9]["movie_id"]]}
    talks = ["talk-3", next(talk for talk in of if of[talk] == other)]
    rows = [asks_like(f"{talk}-2", known[3], **right) for talk in talks]
    given = ["--index", str(place() / "index"), "--input", str(turns(tmp_path, *rows)), "--nested"]

    def made(*folds: int) -> dict[int, Cases]:
        """{outer fold: its cases}, where the dialogues of some folds speak of other films."""
        said = [json.loads(line) for line in dialogues().read_text().splitlines()]
        for one in said:
            if of[one["dialogue_id"]] in folds:
                one["turns"][0]["movies"] = said[-1]["turns"][0]["movies"]
        (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, said)))
        flags = ["--counts-from", str(tmp_path / "said.jsonl"), "--models", str(tmp_path)]
        assert main(["cases", *given, *flags, "--output", str(tmp_path / "cases")]) == 0
        files = {fold: tmp_path / "cases" / CASES.format(fold=fold) for fold in range(5)}
        return {fold: Cases.load(file) for fold, file in files.items()}

    before, after, changed = made(), made(f, g), made(other)
    for fold, cases in before.items():
        assert sorted(cases.dialogues) == sorted(talk for talk in talks if of[talk] != fold)
    assert enhancers == {frozenset({a, b}) for a in range(5) for b in (g, other) if a != b}

    def seen(cases: Cases) -> bytes:
        [at] = np.flatnonzero([dialogue == "talk-3" for dialogue in cases.dialogues])
        return np.split(cases.table, np.cumsum(cases.sizes)[:-1])[at].tobytes()

    assert seen(before[f]) == seen(after[f])
    assert seen(before[other]) != seen(after[other])  # the other ranker may know of f
    assert seen(before[f]) != seen(changed[f])


def test_an_enhancer_without_two_folds_is_asked_for_by_name(tmp_path: Path) -> None:
    encoder = OnnxEncoder.load().identity
    assert enhancer_without(tmp_path, {3, 1}, encoder) is None
    shutil.copytree(FOLDER, tmp_path / "fold-1")
    with pytest.raises(InputProblem, match="without-1-3.*--nested"):
        enhancer_without(tmp_path, {3, 1}, encoder)
    shutil.copytree(FOLDER, tmp_path / "without-1-3")
    assert enhancer_without(tmp_path, {3, 1}, encoder) is not None


def test_the_rows_of_the_results_tell_gain_and_strata() -> None:
    found = Signal(
        strata=[frozenset({EVERY, "all listed"}), frozenset({EVERY, NAMELESS})],
        dialogues=["a", "b"],
        ranks={
            **{LEARNED: [3, 4], PRODUCT: [30, 4], FIXED: [30, 40]},
            **{PLAIN: [60, 4], LEARNED_PLAIN: [3, 4]},
        },
    )
    assert "--without-each" in {row.figure: row.value for row in rows_of(found, "data")}[WITHOUT]
    found.ranks[f"{BLIND}fame"] = [3, 14]
    rows = {row.figure: row.value for row in rows_of(found, "data")}
    assert rows[GAIN].startswith("+1.000 [+1.000, +1.000], 2 targets; +0.500 [+0.000, +1.000]")
    assert rows[WITHOUT] == "fame -0.500 [-1.000, +0.000] (with all 1.000)"
    assert rows[BY_STRATUM].startswith("1.000 against .000 / ")
