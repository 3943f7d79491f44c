"""`make gate`: what shuts it, what it says then, and how its baselines are renewed."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import evals.verdicts.starter_gate as guard
from evals.__main__ import main
from evals.dialogues.scenario import load_scenarios
from evals.dialogues.scored_run import ScoredRun, load_baseline, load_folder
from evals.problem import EvalProblem
from evals.users.goal import load_goals
from evals.verdicts.starter_gate import GOALS, RENEW, STARTER, Guarded, judged, renew, tell
from retrieval.retriever import Retrieved, Retriever
from scored_folders import SUCCESS, VIOLATIONS, run_folder
from talking import starter_index
from test_evals_compare import passes

ROOT = Path(__file__).resolve().parents[1]
N = 100


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guarded:
    """A baseline of its own."""
    monkeypatch.setattr(guard, "BASELINES", tmp_path)
    guarded = Guarded("small", 1.0)
    renew(guarded, run(tmp_path / "base", 80))
    return guarded


def run(folder: Path, wins: int, violations: int = 0) -> ScoredRun:
    broken = [1.0] * violations + [0.0] * (N - violations)
    return load_folder(run_folder(folder, {VIOLATIONS: broken, SUCCESS: passes(wins, N)}))


def test_the_same_again_passes_and_a_loss_says_what_to_do(
    small: Guarded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judged(small, run(tmp_path / "same", 80)).opens
    worse = judged(small, run(tmp_path / "worse", 60))
    assert not worse.opens
    tell(worse)
    out = capsys.readouterr().out
    assert "task_success: worse" in out and RENEW in out and "small.json" in out
    assert not judged(small, run(tmp_path / "broken", 80, violations=1)).opens
    assert judged(replace(small, margin=8.0), run(tmp_path / "wide", 60)).opens


def test_a_baseline_is_renewed_by_one_command_but_never_over_a_broken_floor(
    small: Guarded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fewer = run(tmp_path / "fewer", 60)
    renew(small, fewer)
    assert "task_success: 0.8 -> 0.6" in capsys.readouterr().out
    assert judged(small, fewer).opens
    with pytest.raises(EvalProblem, match="breaks a floor"):
        renew(small, run(tmp_path / "broken", 90, violations=1))
    make = subprocess.run(
        ["make", "-n", *RENEW.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "evals guard --renew" in make.stdout


def test_other_dialogues_than_those_of_the_baseline_name_the_way_on(
    small: Guarded, tmp_path: Path
) -> None:
    other = replace(run(tmp_path / "other", 80), data={"scenarios": "another set"})
    with pytest.raises(EvalProblem, match=f"data.scenarios.*{RENEW}"):
        judged(small, other)


def test_ci_holds_every_change_against_them() -> None:
    assert "\nmake gate\n" in (ROOT / ".ci/run").read_text("utf-8")


def test_the_stored_baselines_are_of_todays_dialogues() -> None:
    scripted, goals = load_baseline(STARTER.baseline), load_baseline(GOALS.baseline)
    assert {scenario for scenario, _ in scripted.keys} == {s.id for s in load_scenarios()}
    assert {goal for goal, _ in goals.keys} == {g.id for g in load_goals()}
    for stored in (scripted, goals):
        assert stored.data is not None
        for values in stored.values.values():
            assert not values.floor or not any(values.applicable.values()), values.scorer


@pytest.mark.slow
def test_a_ranking_turned_upside_down_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate that ships, on what ships: a change that nobody wants must not pass."""
    retrieve = Retriever.retrieve

    async def upside_down(*given: Any, **more: Any) -> Retrieved:
        found = await retrieve(*given, **more)
        return replace(found, candidates=found.candidates[::-1])

    monkeypatch.setattr(Retriever, "retrieve", upside_down)
    assert main(["guard", "--index", str(starter_index())]) == 1
