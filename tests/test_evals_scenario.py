"""Scenario files: ours are well-formed and varied, bad ones are named."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.events import LedgerEntryView
from evals.dialogues.expected import LedgerLine
from evals.dialogues.scenario import ScenarioProblem, labels, load_scenarios
from evals.dialogues.transcript_files import EvalInputProblem
from retrieval.movie import Match, Range

WANTED = {"clear request", "vague request", "mood", "seed", "comparative", "negation", "undo"}
WANTED |= {"seen feedback", "disliked feedback", "temporal", "people", "family", "runtime"}
WANTED |= {"language", "typos", "small talk", "item question", "explain why", "long dialogue"}


def test_ours_are_twenty_or_more_and_cover_what_was_asked() -> None:
    scenarios = load_scenarios()
    assert len(scenarios) >= 20
    assert WANTED <= {what for scenario in scenarios for what in scenario.covers}
    assert all(len(scenario.turns) >= 3 for scenario in scenarios)
    assert max(len(scenario.turns) for scenario in scenarios) >= 12


def write(folder: Path, text: str) -> Path:
    file = folder / "one.yaml"
    file.write_text(text)
    return file


def test_held_clauses_bind_until_released(tmp_path: Path) -> None:
    text = """
covers: [x]
turns:
  - user: a
    every: {genre: comedy}
    hold: {old: {every: {year: {max: 1960}}, none: {genre: [war, horror]}}}
    gone: [Heat (1995)]
  - user: b
    repeats: true
  - user: c
    release: [old]
"""
    [scenario] = load_scenarios(write(tmp_path, text))
    first, second, third = labels(scenario)
    comedy, old = Match("genre", frozenset({"comedy"})), Range("year", None, 1960)
    assert set(first.constraints.require) == {comedy, old}
    assert second.constraints.require == (old,)
    assert second.constraints.exclude == (Match("genre", frozenset({"war", "horror"})),)
    assert second.gone_titles == ()
    assert third.wishes == ()
    assert third.gone_titles == ("Heat (1995)",)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("covers: [x]\nturns:\n  - user: a\n    evry: {}\n", "turns.0.evry"),
        ("covers: [x]\nturns:\n  - user: a\n    every: {gender: x}\n", "turns.0.every"),
        ("covers: [x]\nturns:\n  - user: a\n    every: {year: {least: 3}}\n", "turns.0.every"),
        ("covers: [x]\nturns:\n  - user: a\n    acts: [dance]\n", "turns.0.acts"),
        ("covers: [x]\nturns:\n  - user: a\n    release: [ghost]\n", "ghost"),
        ("- a\n- b\n", "covers and turns"),
        ("covers: [x\n", "line 2: no YAML"),
    ],
)
def test_bad_files_are_named_with_their_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(EvalInputProblem, match=place):
        load_scenarios(write(tmp_path, text))


def test_json_lines_hold_one_scenario_each(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    lines = ['{"id": "a", "covers": ["x"], "turns": [{"user": "a comedy"}]}', '{"id": "b"}']
    file.write_text(lines[0] + "\n")
    assert [scenario.id for scenario in load_scenarios(file)] == ["a"]
    file.write_text("\n".join(lines))
    with pytest.raises(ScenarioProblem, match="mine.jsonl line 2, field covers"):
        load_scenarios(file)


def test_a_folder_without_scenarios_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioProblem, match="no \\*.yaml"):
        load_scenarios(tmp_path)
    with pytest.raises(EvalInputProblem, match="does not exist: check the path"):
        load_scenarios(tmp_path / "absent.yaml")


def test_ledger_entries_match_on_what_is_said_only() -> None:
    view = LedgerEntryView(
        id="e1",
        kind="year",
        value={"min": 1990, "max": None},
        polarity="want",
        hard=True,
        source_turn="t",
        label="from 1990 on",
        remove_text="x",
    )
    assert LedgerLine(kind="year").matches(view)
    assert LedgerLine(value={"min": 1990}).matches(view)
    assert not LedgerLine(kind="year", value={"max": 1990}).matches(view)
    assert not LedgerLine(polarity="avoid").matches(view)


SHAS = """
from evals.dialogues.run_folder import sha_of
from evals.dialogues.scenario import load_scenarios
from evals.users.goal import load_goals
print(*(sha_of([one.model_dump(mode="json") for one in found]) for found in
        (load_scenarios(), load_goals())))
"""


def test_a_set_of_scenarios_has_the_same_sha_in_every_process() -> None:
    # A run is resumed, kept and compared by these: a set's order differs from process to process.
    told = {
        subprocess.run(
            [sys.executable, "-c", SHAS],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1 and len(told.pop().split()) == 2
