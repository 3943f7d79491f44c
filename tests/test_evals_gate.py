"""`python -m evals gate` and `baseline`: what opens, what shuts, what may not pass unseen."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evals.__main__ import main
from evals.dialogues.scores import Scorer
from evals.verdicts.gate_output import junit, markdown
from evals.verdicts.gates import MUST_BE_MEASURED, RELATIVE_MARGIN, SHARE_MARGIN, Check, Gate
from scored_folders import ACTS, LATENCY, SUCCESS, TURNS, VIOLATIONS, Column, run_folder
from test_evals_compare import passes, refused

N = 100
CLEAN: Column = [0.0] * N


def stored(folder: Path, *columns: tuple[Scorer, Column]) -> Path:
    """A baseline of clean dialogues with these columns."""
    base = run_folder(folder / "base", {VIOLATIONS: CLEAN, **dict(columns)})
    assert main(["baseline", str(base), "--output", str(folder / "base.json")]) == 0
    return folder / "base.json"


def outcomes(
    capsys: pytest.CaptureFixture[str], expected: int, *arguments: object
) -> dict[str, str]:
    capsys.readouterr()
    assert main(["gate", *map(str, arguments), "--json"]) == expected
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["passes"] == (expected == 0)
    return {check["scorer"]: check["outcome"] for check in found["checks"]}


def test_the_same_again_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = stored(tmp_path, (SUCCESS, passes(80, N)))
    again = run_folder(tmp_path / "again", {VIOLATIONS: CLEAN, SUCCESS: passes(80, N)})
    found = outcomes(capsys, 0, again, "--baseline", base)
    assert found == {"violations": "passed", "task_success": "passed"}


def test_one_violation_shuts_the_gate_and_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = run_folder(tmp_path / "broken", {VIOLATIONS: [0.0] * 99 + [1.0]})
    assert main(["gate", str(broken)]) == 1
    out = capsys.readouterr().out
    assert "broken in 1 of 100 dialogues" in out and "d099 turn 1: violations at Film 99" in out


def test_none_seen_is_told_with_its_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = run_folder(tmp_path / "clean", {VIOLATIONS: CLEAN})
    assert main(["gate", str(clean)]) == 0
    # 4 things looked at in each of 100 scenarios; only scenarios are independent: 3 / 100.
    assert "(400 looked at): in at most 3.0% of such scenarios" in capsys.readouterr().out


def test_a_loss_shuts_the_gate_and_too_few_dialogues_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = stored(tmp_path, (SUCCESS, passes(80, N)))
    worse = run_folder(tmp_path / "worse", {VIOLATIONS: CLEAN, SUCCESS: passes(60, N)})
    assert outcomes(capsys, 1, worse, "--baseline", base)["task_success"] == "failed"
    # Two of a hundred less, and thirty that changed both ways: no loss is shown, nor its absence.
    mixed: Column = [0.0] * 16 + [1.0] * 64 + [1.0] * 14 + [0.0] * 6
    unclear = run_folder(tmp_path / "unclear", {VIOLATIONS: CLEAN, SUCCESS: mixed})
    assert outcomes(capsys, 1, unclear, "--baseline", base)["task_success"] == "inconclusive"
    wide = ("--margin", "task_success=0.2")
    assert outcomes(capsys, 0, unclear, "--baseline", base, *wide)["task_success"] == "passed"


def test_counts_have_a_relative_margin_and_time_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turns: Column = [float(4 + i % 3) for i in range(N)]
    slow: Column = [100.0 + i for i in range(N)]
    base = stored(tmp_path, (TURNS, turns), (LATENCY, slow))
    more: Column = [(t or 0) * (1 + RELATIVE_MARGIN / 2) for t in turns]
    late: Column = [(ms or 0) * 3 for ms in slow]
    later = run_folder(tmp_path / "later", {VIOLATIONS: CLEAN, TURNS: more, LATENCY: late})
    found = outcomes(capsys, 0, later, "--baseline", base)
    assert found["turns_to_success"] == "passed" and "latency" not in found
    found = outcomes(capsys, 1, later, "--baseline", base, "--margin", "latency=20")
    assert found["latency"] == "failed"


def test_a_scorer_cannot_pass_by_falling_silent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = stored(tmp_path, (SUCCESS, passes(100, N)))
    silent: Column = [None] * 60 + [1.0] * 40
    less = run_folder(tmp_path / "less", {VIOLATIONS: CLEAN, SUCCESS: silent})
    assert outcomes(capsys, 1, less, "--baseline", base)["task_success"] == "failed"
    gone = run_folder(tmp_path / "gone", {VIOLATIONS: CLEAN})
    assert outcomes(capsys, 1, gone, "--baseline", base)["task_success"] == "failed"
    mute = run_folder(tmp_path / "mute", {VIOLATIONS: [None] * N, SUCCESS: passes(100, N)})
    assert "no scorer with a floor that applies" in refused(capsys, "gate", mute)
    blind: Column = [None] * 50 + [0.0] * 50
    half = run_folder(tmp_path / "half", {VIOLATIONS: blind, SUCCESS: passes(100, N)})
    assert outcomes(capsys, 0, half)["violations"] == "passed"
    assert outcomes(capsys, 1, half, "--baseline", base)["violations"] == "failed"


def test_a_baseline_is_renewed_over_the_older_version_of_a_scorer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = stored(tmp_path, (SUCCESS, passes(80, N)), (ACTS, passes(90, N)))
    raised = ACTS.model_copy(update={"version": 2})
    columns = {VIOLATIONS: CLEAN, SUCCESS: passes(70, N), raised: passes(20, N)}
    again = run_folder(tmp_path / "again", columns)
    assert "version 1 in base.json and 2" in refused(capsys, "gate", again, "--baseline", base)
    assert main(["baseline", str(again), "--output", str(base)]) == 0
    out = capsys.readouterr().out
    assert "act_accuracy: version 1 -> 2" in out and "task_success: 0.8 -> 0.7" in out
    assert outcomes(capsys, 0, again, "--baseline", base)["act_accuracy"] == "passed"


def test_a_judge_that_was_not_calibrated_is_only_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = Scorer(name="judge.understood", version=1, unit="pass", direction="higher")
    base = stored(tmp_path, (judge, passes(90, N)))
    worse = run_folder(tmp_path / "worse", {VIOLATIONS: CLEAN, judge: passes(40, N)})
    assert outcomes(capsys, 0, worse, "--baseline", base)["judge.understood"] == "advisory"


def test_junit_and_markdown_say_what_failed(tmp_path: Path) -> None:
    base = stored(tmp_path, (SUCCESS, passes(80, N)))
    broken: Column = [0.0] * 99 + [2.0]
    bad = run_folder(tmp_path / "bad", {VIOLATIONS: broken, SUCCESS: passes(80, N)})
    xml, md = tmp_path / "out.xml", tmp_path / "out.md"
    files = ("--junit", str(xml), "--markdown", str(md))
    assert main(["gate", str(bad), "--baseline", str(base), *files]) == 1
    suite = ElementTree.parse(xml).getroot()[0]
    assert suite.attrib["tests"] == "2" and suite.attrib["failures"] == "1"
    [failure] = suite.iter("failure")
    assert failure.text is not None and "Film 99" in failure.text
    text = md.read_text()
    assert "does not pass" in text and "violations at Film 99" in text
    assert "| task_success | pass ↑ | 0.8 | 0.8 |" in text


def test_text_of_dialogues_breaks_no_form() -> None:
    evil = "a | b <img src=x> `c` @team \x00\x1b ]]> </failure>"
    check = Check("floor", "violations", "failed", evil, (evil,))
    gate = Gate("run", None, [check])
    [case] = ElementTree.fromstring(junit(gate)).iter("testcase")
    assert case.attrib["name"] == "violations"
    lines = [line for line in markdown(gate, None).splitlines() if "img" in line]
    assert lines and all("\\<img" in line and "\\@team" in line for line in lines)


def test_a_gate_that_checks_nothing_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lax = run_folder(tmp_path / "lax", {SUCCESS: passes(1, 2)})
    assert "no scorer with a floor" in refused(capsys, "gate", lax)
    clean = run_folder(tmp_path / "clean", {VIOLATIONS: CLEAN})
    assert "--baseline FILE" in refused(capsys, "gate", clean, "--margin", "violations=1")
    base = stored(tmp_path, (SUCCESS, passes(80, N)))
    args = ("gate", tmp_path / "base", "--baseline", base, "--margin")
    assert "neither run has" in refused(capsys, *args, "nothing=1")
    assert "SCORER=VALUE" in refused(capsys, *args, "task_success=much")


def test_a_baseline_is_of_whole_clean_runs_and_says_what_moves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = stored(tmp_path, (SUCCESS, passes(80, N)))
    first = base.read_text()
    better = run_folder(tmp_path / "better", {VIOLATIONS: CLEAN, SUCCESS: passes(90, N)})
    assert main(["baseline", str(better), "--output", str(base)]) == 0
    assert "task_success: 0.8 -> 0.9" in capsys.readouterr().out
    changed = set(base.read_text().splitlines()) - set(first.splitlines())
    assert len(changed) == 2, "the agent and the scorer that moved, one line each"
    dirty = run_folder(tmp_path / "dirty", {VIOLATIONS: [1.0] * N})
    assert "breaks a floor" in refused(capsys, "baseline", dirty, "--output", base)


def test_a_damaged_baseline_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = stored(tmp_path, (SUCCESS, passes(80, N)))
    content = json.loads(base.read_text())
    content["scorers"]["task_success"]["values"].pop()
    base.write_text(json.dumps(content))
    error = refused(capsys, "gate", tmp_path / "base", "--baseline", base)
    assert "scorers.task_success.values: 99 values for 100 dialogues" in error
    base.write_text("{}")
    assert "field data" in refused(capsys, "gate", tmp_path / "base", "--baseline", base)


def test_the_margin_of_shares_is_what_the_help_says() -> None:
    assert SHARE_MARGIN == 0.05


def test_a_floor_that_was_not_measured_is_told_and_no_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent: Column = [None] * N
    aside = VIOLATIONS.model_copy(update={"name": "injections_obeyed"})
    some = run_folder(tmp_path / "some", {VIOLATIONS: CLEAN, aside: silent})
    xml, md = tmp_path / "out.xml", tmp_path / "out.md"
    files = ("--junit", str(xml), "--markdown", str(md))
    assert main(["gate", str(some), *files]) == 0
    out = capsys.readouterr().out
    assert "not measured floor    injections_obeyed: applies to none of 100 dialogues" in out
    assert "passes (not measured: injections_obeyed)" in out
    assert "not measured: applies to none" in md.read_text()
    suite = ElementTree.parse(xml).getroot()[0]
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("0", "1")
    # Without these three a gate means nothing.
    for needed in sorted(MUST_BE_MEASURED):
        scorer = VIOLATIONS.model_copy(update={"name": needed})
        blind = run_folder(tmp_path / needed, {VIOLATIONS: CLEAN, scorer: silent})
        assert outcomes(capsys, 1, blind)[needed] == "not measured"
