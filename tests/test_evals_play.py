"""Our scenarios on a small index: played to the end, in order, nothing invented, nothing twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import serving
from evals.__main__ import main
from evals.place import data_folder, find_data, opened
from evals.play import play_scenarios
from evals.scenario import load_scenarios

ALWAYS = {
    "repeated films",
    "seen or disliked films",
    "off-catalogue titles",
    "broken streams",
    "turns not played to the end",
}
"""What must hold on any catalogue; 60 films are too few for every wish of the scenarios."""


@pytest.fixture(autouse=True)
def no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_scenarios_are_played_whole() -> None:
    async with opened(serving.index_dir()) as services:
        played = await play_scenarios(load_scenarios(), services)
    for name in ALWAYS:
        assert played.floors[name] == []
    assert played.turns == sum(len(raw["turns"]) for raw in played.raw)
    assert played.as_json()["dialogues"] == len(load_scenarios())


def test_run_writes_transcripts_and_one_json_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "one.yaml"
    scenario.write_text(
        "covers: [x]\nturns:\n  - user: hello\n  - user: a comedy\n    cards: some\n"
    )
    out = tmp_path / "played.jsonl"
    arguments = ["run", "--index", str(serving.index_dir()), "--input", str(scenario)]
    assert main([*arguments, "--output", str(out), "--json"]) == 0
    [transcript] = [json.loads(line) for line in out.read_text().splitlines()]
    assert [turn["user"] for turn in transcript["turns"]] == ["hello", "a comedy"]
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (printed["dialogues"], printed["turns"]) == (1, 2)


def test_a_broken_floor_is_exit_code_one(tmp_path: Path) -> None:
    scenario = tmp_path / "one.yaml"
    # No film is both, and the user did not ask for it: the card breaks the scenario's own clause.
    text = "covers: [x]\nturns:\n  - user: a comedy\n    every: {year: {max: 1900}}\n"
    scenario.write_text(text)
    assert main(["run", "--index", str(serving.index_dir()), "--input", str(scenario)]) == 1


def test_bad_scenarios_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--index", str(serving.index_dir()), "--input", str(tmp_path / "absent.yaml")])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


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


def test_help_has_examples() -> None:
    command = [sys.executable, "-m", "evals", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=serving.ROOT)
    assert done.returncode == 0
    assert "examples:" in done.stdout
