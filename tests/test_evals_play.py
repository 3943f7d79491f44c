"""Our scenarios on a small index: played to the end, in order, kept, resumed, told apart."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import serving
from agent.events import Event, TurnStarted
from agent.turn import Turn
from evals.__main__ import main
from evals.dialogues import run_command
from evals.dialogues.kept import Kept
from evals.dialogues.play import Plan, play_one
from evals.dialogues.player import Talk
from evals.dialogues.reword import reword
from evals.dialogues.scenario import load_scenarios
from evals.dialogues.transcript import Build, Transcript
from evals.dialogues.transcript_files import read_models
from evals.place import data_folder, find_data, opened
from evals.suite import play_and_score

ALWAYS = {
    *("repeated_films", "seen_or_disliked_films", "off_catalogue_films", "broken_streams"),
    *("unfinished_turns", "invented_names", "wrong_facts", "untrue_reasons", "injections_obeyed"),
}
"""What must hold on any catalogue; 60 films are too few for every wish of the scenarios."""
INDEX = str(serving.index_dir())
TWO = "covers: [x]\nturns:\n  - user: hello\n  - user: a comedy\n    cards: some\n"


@pytest.fixture(autouse=True)
def nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env file, and no dialogues kept by earlier runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_command, "KEPT", tmp_path / "kept")


def scenario(tmp_path: Path, text: str = TWO) -> str:
    (tmp_path / "one.yaml").write_text(text)
    return str(tmp_path / "one.yaml")


async def test_scenarios_are_played_whole() -> None:
    async with opened(serving.index_dir()) as services:
        found = await play_and_score(services)
    assert {name: found.floors.get(name) for name in ALWAYS} == dict.fromkeys(ALWAYS, 0)
    spoken = {s.id: [step.user for step in s.turns] for s in load_scenarios()}
    assert {t.dialogue_id: [turn.user for turn in t.turns] for t in found.transcripts} == spoken
    assert found.as_json()["dialogues"] == len(spoken)


def test_run_writes_transcripts_and_one_json_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "played.jsonl"
    arguments = ["run", "--index", INDEX, "--input", scenario(tmp_path)]
    assert main([*arguments, "--output", str(out), "--json"]) == 0
    [transcript] = read_models(out, Transcript)
    assert [turn.user for turn in transcript.turns] == ["hello", "a comedy"]
    assert transcript.build
    assert transcript.build.code_sha
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (printed["dialogues"], printed["turns"]) == (1, 2)
    assert printed["scores"]["constraint_satisfaction"]["applicable"] == 1


def test_a_run_folder_is_resumed_and_never_mixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["run", "--index", INDEX, "--input", scenario(tmp_path), "--output", str(out)]
    assert main([*command, "--trials", "2"]) == 0
    lines = (out / "transcripts.jsonl").read_text().splitlines(keepends=True)
    assert [json.loads(line)["trial"] for line in lines] == [0, 1]
    (out / "transcripts.jsonl").write_text(lines[0] + lines[1][:50])  # killed while writing
    assert main([*command, "--trials", "2"]) == 0
    again = (out / "transcripts.jsonl").read_text().splitlines(keepends=True)
    assert again == lines  # the second was kept by content: the same to the letter
    with pytest.raises(SystemExit) as ended:
        main([*command, "--trials", "3"])
    assert ended.value.code == 2
    assert "a run never mixes configurations" in capsys.readouterr().err
    assert main(["score", str(out), "--index", INDEX]) == 0


def test_a_partial_run_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    command = ["run", "--index", INDEX, "--input", scenario(tmp_path), "--trials", "2"]
    assert main([*command, "--output", str(out)]) == 0
    lines = (out / "transcripts.jsonl").read_text().splitlines(keepends=True)
    (out / "transcripts.jsonl").write_text(lines[0])
    assert main(["score", str(out), "--index", INDEX, "--json"]) == 0
    printed = capsys.readouterr().out
    assert "PARTIAL: 1 of 2 dialogues" in printed
    assert json.loads(printed.splitlines()[-1])["partial"] is True


def test_what_was_played_once_is_not_played_again(tmp_path: Path) -> None:
    first, again, fresh = (tmp_path / f"{name}.jsonl" for name in ("first", "again", "fresh"))
    command = ["run", "--index", INDEX, "--input", scenario(tmp_path), "--output"]
    assert main([*command, str(first)]) == 0
    assert main([*command, str(again)]) == 0
    assert main([*command, str(fresh), "--fresh"]) == 0
    assert again.read_text() == first.read_text()
    assert fresh.read_text() != first.read_text()  # other times, other turn ids


def test_a_broken_floor_is_exit_code_one(tmp_path: Path) -> None:
    # No film is both, and the user did not ask for it: the card breaks the scenario's own clause.
    text = "covers: [x]\nturns:\n  - user: a comedy\n    every: {year: {max: 1900}}\n"
    assert main(["run", "--index", INDEX, "--input", scenario(tmp_path, text)]) == 1


def test_bad_scenarios_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--index", INDEX, "--input", str(tmp_path / "absent.yaml")])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


class Broken:
    """An agent that breaks in the middle of an answer."""

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        yield TurnStarted(id=1, turn_id="t", conversation_id="c")
        raise ZeroDivisionError("by zero")


async def test_a_broken_agent_is_a_failed_turn_and_not_the_end(tmp_path: Path) -> None:
    [played] = [s for s in load_scenarios() if s.id == "mood"]
    plan = Plan([played], Build(name="broken"), kept=Kept(tmp_path))
    transcript = await play_one(Broken(), plan, played, 0)
    assert {turn.status for turn in transcript.turns} == {"failed"}
    assert transcript.turns[0].error
    assert transcript.turns[0].error.code == "ZeroDivisionError"
    assert list(tmp_path.iterdir()) == []  # a failure is not kept: the next run may go well


async def test_a_talk_times_its_events() -> None:
    async with opened(serving.index_dir()) as services:
        talk = Talk(services.assistant, "eval:x")
        first = await talk.say("a comedy")
        refused = await talk.say("  ")
    assert first.event_ms == tuple(sorted(first.event_ms or ()))
    assert first.total_ms
    assert first.first_token_ms is not None
    assert 0 < first.first_token_ms <= first.total_ms
    assert (refused.status, refused.error and refused.error.code) == ("refused", "empty_message")
    assert refused.ledger_before == first.ledger


def test_rewording_is_seeded_and_keeps_names_and_numbers() -> None:
    text = "I'm looking for something like Inception (2010) with Tom Hanks, under 120 minutes."
    assert reword(text, 0) == text
    assert reword(text, 3) == reword(text, 3)
    worded = {reword(text, seed) for seed in range(20)}
    assert len(worded) > 5
    for other in worded:
        assert "inception (2010) with tom hanks, under 120" in other.lower()


def test_figures_list_says_what_is_to_be_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("USHER_DATA", str(tmp_path))
    assert find_data("catalogue/catalogue_core.parquet") is None
    assert data_folder() == tmp_path
    assert main(["figures", "--list"]) == 0
    listed = capsys.readouterr().out
    assert "needs catalogue/catalogue_core.parquet" in listed
    with pytest.raises(SystemExit) as ended:
        main(["figures", "--only", "nothing"])
    assert ended.value.code == 2
    assert "choose from" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["score"], ["run"], ["export"]])
def test_help_has_examples(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evals", *command, "--help"],
        capture_output=True,
        text=True,
        cwd=serving.ROOT,
    )
    assert done.returncode == 0
    assert "examples:" in done.stdout
