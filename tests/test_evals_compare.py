"""`python -m evals compare`: pairs, verdicts, and what may not be compared."""

import json
from pathlib import Path

import numpy as np
import pytest

from evals.__main__ import main
from evals.dialogues.run_folder import SCORES, TRANSCRIPTS
from evals.dialogues.scored_run import load_run
from evals.dialogues.scores import Scorer
from evals.verdicts.comparison import NotComparable, compare
from scored_folders import ACTS, LATENCY, SUCCESS, Column, run_folder

N = 40


def passes(n: int, of: int = N) -> Column:
    return [1.0] * n + [0.0] * (of - n)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_clear_gain_is_called_one_and_noise_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.1, (2, N))
    a = run_folder(tmp_path / "a", {SUCCESS: passes(20), ACTS: list(noise[0])})
    b = run_folder(tmp_path / "b", {SUCCESS: passes(36), ACTS: list(noise[1])})
    assert main(["compare", str(a), str(b), "--json"]) == 0
    out = capsys.readouterr().out
    found = json.loads(out.splitlines()[-1])["scorers"]
    success, acts = found["task_success"], found["act_accuracy"]
    assert (success["a"], success["b"], success["test"]) == (0.5, 0.9, "McNemar")
    assert (success["verdict"], acts["verdict"]) == ("better", "no difference shown")
    assert success["low"] > 0 and success["pairs"] == N
    assert acts["test"] == "sign flips" and acts["detectable"] > 0
    assert acts["p_holm"] >= acts["p"]
    assert "detectable" in out and "▲ better" in out


def test_lower_is_better_where_the_scorer_says_so(tmp_path: Path) -> None:
    slow = [100.0 + i for i in range(N)]
    a = run_folder(tmp_path / "a", {LATENCY: slow})
    b = run_folder(tmp_path / "b", {LATENCY: [ms / 2 for ms in slow]})
    [row] = compare(load_run(a), load_run(b)).rows
    assert row.verdict == "better" and row.difference.value < 0


def test_what_applies_in_one_run_alone_is_left_out_and_told(tmp_path: Path) -> None:
    a = run_folder(tmp_path / "a", {SUCCESS: [None, 1.0, 0.0, 1.0], ACTS: [None] * 4})
    b = run_folder(tmp_path / "b", {SUCCESS: [1.0, 1.0, None, 1.0], ACTS: [1.0] * 4})
    found = compare(load_run(a), load_run(b))
    [row] = found.rows
    assert (row.difference.pairs, row.only_a, row.only_b) == (2, 1, 1)
    assert found.skipped == {"act_accuracy": "applies to no dialogue of both"}


def test_rows_that_cannot_show_anything_cost_the_others_nothing(tmp_path: Path) -> None:
    """Forty scorers that never differ are no forty questions (Tarone)."""
    idle = {
        Scorer(name=f"idle_{i}", version=1, unit="pass", direction="higher"): [1.0] * N
        for i in range(40)
    }
    a = run_folder(tmp_path / "a", {SUCCESS: passes(20), **idle})
    b = run_folder(tmp_path / "b", {SUCCESS: passes(27), **idle})
    rows = {row.values.scorer: row for row in compare(load_run(a), load_run(b)).rows}
    assert rows["task_success"].holm == rows["task_success"].difference.p == 2**-6
    assert rows["task_success"].verdict == "better" and rows["idle_3"].holm == 1.0


def test_the_same_agent_twice_is_noise_and_said_to_be(tmp_path: Path) -> None:
    agent = {"commit": "abc"}
    a = run_folder(tmp_path / "a", {SUCCESS: passes(3, 5)}, agent=agent)
    b = run_folder(tmp_path / "b", {SUCCESS: passes(3, 5)}, agent=agent)
    assert "same agent" in compare(load_run(a), load_run(b)).remarks[0]


def test_runs_of_different_data_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = {"scenarios": {"sha": "1", "split": "dev"}}, {"scenarios": {"sha": "2"}}
    a = run_folder(tmp_path / "a", {SUCCESS: passes(2, 4)}, data=old)
    b = run_folder(tmp_path / "b", {SUCCESS: passes(2, 4)}, data=new)
    error = refused(capsys, "compare", a, b)
    assert "data.scenarios.sha: '1' and '2'" in error
    assert "data.scenarios.split: 'dev' and None" in error


def test_a_partial_run_is_never_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = run_folder(tmp_path / "a", {SUCCESS: passes(2, 4)})
    b = run_folder(tmp_path / "b", {SUCCESS: passes(2, 4)})
    lines = (b / TRANSCRIPTS).read_text().splitlines(keepends=True)
    (b / TRANSCRIPTS).write_text("".join(lines[:-1]))
    assert "partial: 3 of 4" in refused(capsys, "compare", a, b)


def test_scorers_of_two_versions_are_refused(tmp_path: Path) -> None:
    newer = Scorer(name=SUCCESS.name, version=2, unit="pass", direction="higher")
    a = run_folder(tmp_path / "a", {SUCCESS: passes(2, 4)})
    b = run_folder(tmp_path / "b", {newer: passes(2, 4)})
    with pytest.raises(NotComparable, match="version 1 in a and 2 in b: score both again"):
        compare(load_run(a), load_run(b))


def test_bare_score_files_are_joined_by_id_and_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = run_folder(tmp_path / "a", {SUCCESS: passes(2, 4)})
    b = run_folder(tmp_path / "b", {SUCCESS: passes(3, 4)})
    assert main(["compare", str(a / SCORES), str(b)]) == 0
    assert "joined by id alone" in capsys.readouterr().out
    lines = (b / SCORES).read_text().splitlines(keepends=True)
    (tmp_path / "less.jsonl").write_text("".join(lines[1:]))
    error = refused(capsys, "compare", a / SCORES, tmp_path / "less.jsonl")
    assert "lacks 1 of 4 dialogues" in error and "s000 trial 0" in error


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: no JSON"),
        ("[]", "line 2: needs a JSON object"),
        ('{"dialogue_id": "d"}', "line 2, field scorer"),
    ],
)
def test_malformed_scores_are_named_by_file_line_and_field(
    line: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = run_folder(tmp_path / "a", {SUCCESS: passes(1, 2)})
    first = (a / SCORES).read_text().splitlines()[0]
    broken = tmp_path / "broken.jsonl"
    broken.write_text(f"{first}\n{line}\n")
    error = refused(capsys, "compare", a / SCORES, broken)
    assert str(broken) in error and told in error


def test_empty_missing_and_doubled_scores_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = run_folder(tmp_path / "a", {SUCCESS: passes(1, 2)})
    empty, doubled = tmp_path / "empty.jsonl", tmp_path / "doubled.jsonl"
    empty.write_text("\n")
    doubled.write_text((a / SCORES).read_text() * 2)
    assert "is empty" in refused(capsys, "compare", a, empty)
    assert "does not exist" in refused(capsys, "compare", a, tmp_path / "nowhere.jsonl")
    assert "two scores of task_success" in refused(capsys, "compare", a, doubled)
    assert "is no run" in refused(capsys, "compare", a, tmp_path)


# --- rank files -----------------------------------------------------------------------------------


def rank_files(folder: Path) -> tuple[Path, Path, Path]:
    """Turns, a list that never finds, one that always does."""
    turns, a, b = (folder / name for name in ("turns.jsonl", "a.jsonl", "b.jsonl"))
    rows, misses, hits = [], [], []
    for i in range(30):
        qid = f"talk-{i // 3}-{i}"
        right = [f"m{i}"]
        rows.append({"qid": qid, "context": ["hi"], "exclude_ids": [], "target_movie_ids": right})
        misses.append({"qid": qid, "movie_ids": ["x", "y"], "scores": [2, 1]})
        hits.append({"qid": qid, "movie_ids": ["x", f"m{i}"], "scores": [2, 1]})
    for path, lines in ((turns, rows), (a, misses), (b, hits)):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return turns, a, b


def test_rank_files_are_compared_turn_by_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns, a, b = rank_files(tmp_path)
    assert main(["compare", str(a), str(b), "--turns", str(turns), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["scorers"]
    assert found["mrr@10"]["difference"] == 0.5
    assert found["recall@10"]["b"] == 1.0
    # Thirty turns are ten dialogues: McNemar would take them for thirty.
    assert found["hit_rate@10"]["test"] == "sign flips"


def test_rank_files_say_how_alike_their_lists_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns, a, b = rank_files(tmp_path)
    for k, told in ((2, "overlap@2 of the lists: 0.500"), (1, "overlap@1 of the lists: 1.000")):
        assert main(["compare", str(a), str(b), "--turns", str(turns), "-k", str(k)]) == 0
        assert told in capsys.readouterr().out
    for path in (a, b):  # lists of the first turns only
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:20]))
    first = ["--turns", str(turns), "--first", "20"]
    assert main(["compare", str(a), str(b), *first, "-k", "2"]) == 0
    b.write_text(b.read_text() + '{"qid": "more", "movie_ids": []}\n')
    assert "not lists of the same turns" in refused(capsys, "compare", a, b, *first)


def test_rank_files_need_turns_and_every_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns, a, b = rank_files(tmp_path)
    assert "--turns FILE" in refused(capsys, "compare", a, b)
    b.write_text("".join(b.read_text().splitlines(keepends=True)[1:]))
    assert "lacks 1 turns" in refused(capsys, "compare", a, b, "--turns", turns)
