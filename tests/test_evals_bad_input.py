"""What a stranger gives the commands of evals by mistake: one line that says what to do, no trace.

Each command that reads a file is given the same malformed ones; what is wrong inside a well-formed
line is tried beside each reader.
"""

import gzip
import json
import re
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.dialogues.run_folder import CONFIG, TRANSCRIPTS, RunConfig, RunFolder
from evals.dialogues.transcript import Transcript
from talking import starter_index

LINES = json.dumps({"a": 1}) + "\n"
FILES: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("x.jsonl", None, "x.jsonl does not exist: check the path"),
    "empty": ("x.jsonl", b"", r"x.jsonl (is empty: it needs one|has no )"),
    "no gzip": ("x.jsonl.gz", LINES.encode(), "broken gzip file .*: pack it again"),
    "cut gzip": ("x.jsonl.gz", gzip.compress(LINES.encode())[:12], "broken gzip file .*: pack"),
    "spoilt gzip": (
        "x.jsonl.gz",
        gzip.compress(LINES.encode())[:10] + b"\xff" * 40,
        "broken gzip file .*: pack it again",
    ),
    "no UTF-8": (
        "x.jsonl",
        b"\xff\xfe{}\n",
        r"x.jsonl is not UTF-8 \(byte 0xff\): save it as UTF-8",
    ),
    "no JSON": ("x.jsonl", b'\n{"a": 1\n', r"x.jsonl line 2.*: give one JSON object a line"),
    "no object": ("x.jsonl", b"[1, 2]\n", r"x.jsonl line 1.*(JSON object|valid dictionary)"),
    "no fields": (
        "x.jsonl",
        LINES.encode(),
        r"x.jsonl line 1[:,] .*(\"\w+\"|field \w+|no known form)",
    ),
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "score": ("score", "FILE"),
    "export": ("export", "--input", "FILE", "--output", "OUT"),
    "scenarios": ("scenarios", "--from", "FILE", "--output", "OUT"),
    "compare": ("compare", "FILE", "FILE"),
    "calibrate": ("calibrate", "--labels", "FILE"),
    "simulate": ("simulate", "--input", "FILE", "-n", "1"),
    "replay": ("simulate", "--replay", "FILE"),
    "run": ("run", "--input", "FILE"),
    "describe": ("describe", "--input", "FILE"),
    "route": ("route", "--input", "FILE"),
    "extract": ("extract", "--input", "FILE"),
    "rank": ("rank", "--input", "FILE", "--output", "OUT"),
    "signal": ("signal", "--input", "FILE"),
}


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    assert "Errno" not in error
    return error


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", FILES)
def test_a_malformed_file_is_one_line_with_the_next_step(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, told = FILES[kind]
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    places = {"FILE": file, "OUT": tmp_path / "out"}
    error = refused(capsys, *(places.get(word, word) for word in COMMANDS[command]))
    assert re.search(told, error), error
    assert str(file) in error


@pytest.mark.parametrize("command", ["gate", "baseline", "report", "judge"])
def test_what_is_no_run_says_where_runs_come_from(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ("--output", tmp_path / "out") if command in ("baseline", "report") else ()
    error = refused(capsys, command, tmp_path, *output)
    assert f"{tmp_path} is no run" in error and "--output" in error


def partial_run(folder: Path) -> RunFolder:
    """One of two dialogues was played."""
    config = RunConfig(command="run", data={"seed": 1}, agent={}, dialogues=2)
    run = RunFolder.create(folder, config)
    run.append(
        Transcript.model_validate(
            {"channel": "eval", "source": "replayed", "dialogue_id": "d", "turns": []}
        )
    )
    return run


def test_a_partial_run_is_scored_as_partial_and_never_judged_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = partial_run(tmp_path / "run")
    assert main(["score", str(run.path), "--json"]) == 0
    printed = capsys.readouterr().out
    assert "PARTIAL: 1 of 2 dialogues" in printed
    assert json.loads(printed.splitlines()[-1])["partial"] is True
    for command in ("gate", "report", "compare"):
        more = {"compare": (run.path,), "report": ("--output", tmp_path / "r.html")}
        error = refused(capsys, command, run.path, *more.get(command, ()))
        assert "is partial: 1 of 2 dialogues; give the `run` command that made it again" in error


def test_a_run_that_was_edited_or_cut_is_named_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = partial_run(tmp_path / "run")
    (run.path / TRANSCRIPTS).write_text('{"channel": "eval"}\n')
    assert re.search(r"transcripts.jsonl line 1, field \w+", refused(capsys, "score", run.path))
    config = json.loads((run.path / CONFIG).read_text())
    (run.path / CONFIG).write_text(json.dumps({**config, "dialogues": 1}))
    assert "field sha" in refused(capsys, "score", run.path)
    (run.path / CONFIG).write_text("{")
    assert "config.json is no JSON" in refused(capsys, "score", run.path)


def test_films_that_no_index_has_are_not_all_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(json.dumps({"qid": "1", "text": "a boat", "target_movie_id": "m1"}) + "\n")
    error = refused(capsys, "describe", "--index", starter_index(), "--input", file)
    assert "none of the 1 films described is in this index" in error


def test_transcripts_where_scores_belong_are_told_how_they_become_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = partial_run(tmp_path / "run").path / TRANSCRIPTS
    error = refused(capsys, "compare", file, file)
    assert f"python -m evals score {file} --output" in error


@pytest.mark.parametrize(
    "command",
    [
        ("score",),
        ("export", "--input"),
        ("simulate", "--replay"),
        ("scenarios", "--output", "OUT", "--from"),
    ],
)
def test_a_folder_of_transcripts_is_a_run_or_says_what_it_lacks(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(tmp_path / "out") if word == "OUT" else word for word in command]
    (tmp_path / "plain").mkdir()
    assert "is no run: it has no config.json" in refused(capsys, *given, tmp_path / "plain")


def test_checking_goals_and_making_scenarios_are_two_things(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ("--from", tmp_path / "x.jsonl", "--index", tmp_path)
    assert "give one of them" in refused(capsys, "scenarios", *both)
