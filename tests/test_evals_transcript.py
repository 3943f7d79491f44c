"""Transcript v1: the published form, our own events in it, files with a fault in them."""

import json
from pathlib import Path
from typing import Any

import pytest

from evals.dialogues.run_folder import RunConfig, RunFolder
from evals.dialogues.transcript import Origin, Transcript
from evals.dialogues.transcript_files import (
    SCHEMA,
    EvalInputProblem,
    read_models,
    schema_text,
    write_models,
)

Json = dict[str, Any]


def turn(user: str, turn_id: str, *events: Json, acts: tuple[str, ...] = ("search",)) -> Json:
    finished: Json = {"type": "turn.finished", "status": "completed", "acts": list(acts)}
    finished |= {"timings": {"act": 3.0}, "prompt_shas": {"phrases": "ab"}}
    whole = [{"type": "turn.started", "conversation_id": "c"}, *events, finished]
    numbered = [{**event, "id": n, "turn_id": turn_id} for n, event in enumerate(whole, 1)]
    return {"user": user, "events": numbered}


def card(movie_id: str, title: str, year: int) -> Json:
    return {"id": movie_id, "title": title, "year": year, "why": ["Funny."], "facts": {}}


COMEDY = {"id": "e1", "kind": "genre", "value": "comedy", "polarity": "want", "hard": True}
COMEDY |= {"source_turn": "t1", "label": "comedy", "remove_text": "not comedy"}
PLAYED: Json = {
    "dialogue_id": "d1",
    "turns": [
        turn(
            "a comedy",
            "t1",
            {"type": "ledger", "version": 1, "entries": [COMEDY]},
            {"type": "recommendations", "cards": [card("m1", "Airplane!", 1980)]},
            {"type": "text.delta", "text": "Here is "},
            {"type": "text.delta", "text": "one."},
            {"type": "usage", "input_tokens": 7, "output_tokens": 2, "cost": 0.01},
        ),
        turn("hm", "t2", {"type": "clarify", "question": "What mood?", "options": []}, acts=()),
    ],
}


def test_the_published_schema_is_the_model() -> None:
    place = "evals/dialogues/transcript-v1.schema.json"
    command = f"python -m evals export --format schema --output {place}"
    assert SCHEMA.read_text("utf-8") == schema_text(), f"run: {command}"


def test_our_own_events_become_a_transcript() -> None:
    played = {**PLAYED, "turns": [{**PLAYED["turns"][0], "event_ms": [1, 2, 5, 6, 7, 8, 9]}]}
    transcript = Transcript.from_events(played)
    [first] = transcript.turns
    assert (first.prose, first.acts, first.status) == ("Here is one.", ("search",), "completed")
    assert [(c.movie_id, c.rank) for c in first.cards] == [("m1", 1)]
    assert (first.ledger_before, [e.value for e in first.ledger or ()]) == ((), ["comedy"])
    assert first.usage
    assert (first.usage.input_tokens, first.usage.cost) == (7, 0.01)
    assert (first.first_event_ms, first.first_token_ms, first.total_ms) == (1, 5, 9)
    assert [m.role for m in transcript.messages] == ["user", "assistant", "tool"]


def test_the_ledger_stands_until_it_changes() -> None:
    transcript = Transcript.from_events(PLAYED)
    assert [e.value for e in transcript.turns[1].ledger_before or ()] == ["comedy"]
    assert [e.value for e in transcript.ledger_after(1)] == ["comedy"]
    assert transcript.turns[1].question
    assert transcript.turns[1].shown == ()


def test_a_transcript_survives_its_file(tmp_path: Path) -> None:
    origin = Origin(channel="eval", source="simulated", scenario_id="s", trial=2, seed=5)
    transcript = Transcript.from_events(PLAYED, origin)
    assert transcript.key == ("s", 2)
    write_models(tmp_path / "t.jsonl.gz", [transcript])
    assert read_models(tmp_path / "t.jsonl.gz", Transcript) == [transcript]


GOOD = json.dumps({"channel": "api", "source": "imported", "dialogue_id": "d", "turns": []})
FAULTS: list[tuple[str, str]] = [
    ("", "is empty"),
    (f"{GOOD}\nnonsense\n", "line 2: no JSON"),
    ("[]\n", "line 1: needs a JSON object"),
    (f"{GOOD}\n\n{GOOD.replace('api', 'fax')}\n", "line 3, field channel: "),
    (GOOD.replace("dialogue_id", "dialog_id"), "line 1, field dialogue_id: Field required"),
    (GOOD.replace("[]", '[{"user": "x"}]'), "line 1, field turns.0.prose: Field required"),
    (GOOD.replace("{", '{"schema_version": 2, '), "line 1, field schema_version: "),
]


@pytest.mark.parametrize(("content", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_faults_name_file_line_and_field(content: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(content)
    with pytest.raises(EvalInputProblem) as raised:
        read_models(file, Transcript)
    assert str(raised.value).startswith(str(file))
    assert told in str(raised.value)


# --- a run on disk --------------------------------------------------------------------------------


def config(**changes: Any) -> RunConfig:
    fields: Json = {"command": "run", "data": {"split": "dev"}, "agent": {"commit": "a"}}
    return RunConfig(**{**fields, "dialogues": 2, **changes})


def dialogue(scenario: str) -> Transcript:
    return Transcript(
        channel="eval", source="replayed", scenario_id=scenario, dialogue_id=f"d-{scenario}"
    )


def test_a_run_is_resumed_where_it_stopped(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "r", config()).append(dialogue("a"))
    with (tmp_path / "r" / "transcripts.jsonl").open("a") as file:
        file.write('{"dialogue_id": "killed wh')
    again = RunFolder.create(tmp_path / "r", config())
    assert again.done() == {("a", 0)}
    with pytest.raises(EvalInputProblem, match="partial: 1 of 2"):
        again.whole()
    again.append(dialogue("b"))
    with pytest.raises(EvalInputProblem, match="has no scores"):
        again.whole()


def test_a_run_never_mixes_configurations(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "r", config())
    with pytest.raises(EvalInputProblem, match=r"field agent.commit: the folder has 'a'"):
        RunFolder.create(tmp_path / "r", config(agent={"commit": "b"}))


def test_an_edited_configuration_is_refused(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "r", config())
    file = tmp_path / "r" / "config.json"
    file.write_text(file.read_text().replace("dev", "test"))
    with pytest.raises(EvalInputProblem, match="field sha"):
        RunFolder.open(tmp_path / "r")


def test_a_dialogue_twice_is_refused(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "r", config())
    run.append(dialogue("a"))
    run.append(dialogue("a"))
    with pytest.raises(EvalInputProblem, match="scenario a trial 0 is there twice"):
        run.transcripts()


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(EvalInputProblem, match="is not empty and no run"):
        RunFolder.create(tmp_path, config())
