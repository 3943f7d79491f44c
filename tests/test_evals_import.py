"""Transcripts from and to other systems: what is read, what is refused, what never leaves."""

import json
from pathlib import Path
from typing import Any

import pytest

import serving
from evals.__main__ import main
from evals.dialogues.player import Talk
from evals.dialogues.score_command import read_transcripts
from evals.dialogues.transcript import Origin, Transcript
from evals.dialogues.transcript_files import EvalInputProblem, read_models, write_models
from evals.dialogues.transcript_import import (
    Pseudonyms,
    from_conversation,
    masked,
    pseudonymised,
    to_messages,
    transcript_of,
)
from evals.place import opened

Json = dict[str, Any]
INDEX = str(serving.index_dir())


@pytest.fixture(autouse=True)
def nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USHER_HOME", str(tmp_path / "home"))


def show(*movies: Json) -> Json:
    arguments = json.dumps({"movies": list(movies), "note": "ours reads what it knows"})
    call = {"id": "c1", "type": "function", "function": {"name": "show_movies"}}
    call["function"] = {"name": "show_movies", "arguments": arguments}
    return {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None}


FOREIGN: Json = {
    "id": "abc",
    "messages": [
        {"role": "system", "content": "You are a film expert. sk-abcdefghijkl1234"},
        {"role": "assistant", "content": "Hello, what do you feel like?"},
        {"role": "user", "content": [{"type": "text", "text": "a comedy, mail ann@example.org"}]},
        {"role": "user", "content": "a short one"},
        show({"movie_id": "m1", "title": "Clue", "year": 1985}, {"title": "Airplane!"}),
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        {"role": "assistant", "content": "Here are two."},
        {"role": "user", "content": "thanks"},
        {"role": "assistant", "content": "Enjoy!"},
    ],
}


def test_messages_become_turns() -> None:
    transcript = transcript_of(FOREIGN, "f line 1", 1)
    assert (transcript.dialogue_id, transcript.source) == ("abc", "imported")
    told = [(turn.user, turn.prose, len(turn.cards)) for turn in transcript.turns]
    assert told == [
        ("", "Hello, what do you feel like?", 0),
        ("a comedy, mail ann@example.org\na short one", "Here are two.", 2),
        ("thanks", "Enjoy!", 0),
    ]
    shown = transcript.turns[1].cards
    assert [(c.movie_id, c.title, c.rank) for c in shown] == [
        ("m1", "Clue", 1),
        (None, "Airplane!", 2),
    ]


def test_without_a_call_nobody_knows_what_was_shown() -> None:
    messages = [m for m in FOREIGN["messages"] if not m.get("tool_calls") and m["role"] != "tool"]
    transcript = transcript_of({"messages": messages}, "f line 7", 7)
    assert transcript.dialogue_id == "line-7"
    assert {turn.shown for turn in transcript.turns} == {None}
    assert transcript.turns[0].ledger is None


FAULTS = [
    ({"hello": 1}, "line 1: no known form"),
    ({"messages": []}, "line 1, field messages: "),
    ({"messages": [{"content": "x"}]}, "line 1, field messages.0.role: Field required"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "line 1, messages.0, field role: "),
    ({"messages": [{"role": "user"}]}, "line 1, messages.0, field content: a message of the user"),
    ({"dialogue_id": "a", "turns": {}}, "line 1, field turns: must be a list"),
    ({"turns": []}, "line 1, field dialogue_id: must be a text"),
    ({"dialogue_id": "a", "turns": [{"user": "x"}]}, "field turns.0: needs user and events"),
    (
        {"dialogue_id": "a", "turns": [{"user": "x", "events": [{"type": "turn.strated"}]}]},
        "line 1, turns.0.events.0, field (whole): ",
    ),
    ({"channel": "api", "source": "live", "dialogue_id": "a", "extra": 1}, "field extra: "),
]


@pytest.mark.parametrize(("row", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_what_cannot_be_read_names_file_line_and_field(
    row: Json, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(json.dumps(row))
    with pytest.raises(EvalInputProblem) as raised:
        read_transcripts(file)
    assert str(raised.value).startswith(str(file))
    assert told in str(raised.value)


def test_a_dialogue_twice_names_both_lines(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(json.dumps(FOREIGN) + "\n\n" + json.dumps(FOREIGN))
    with pytest.raises(EvalInputProblem, match="line 3, field dialogue_id: abc is on line 1"):
        read_transcripts(file)


# --- out ------------------------------------------------------------------------------------------


def test_nothing_that_names_a_person_leaves() -> None:
    call_me = "call +44 20 7946 0958 or ping <@U012AB3CD|ann>, key xoxb-123456789012-abc"
    said = f"{call_me}, a film from 1999 under 120 minutes"
    assert masked(said) == (
        "call [phone] or ping [user], key [key], a film from 1999 under 120 minutes"
    )
    transcript = transcript_of(FOREIGN, "f", 1)
    line = json.loads(to_messages(transcript, Pseudonyms(b"k")))
    text = json.dumps(line)
    assert "sk-abc" not in text
    assert "ann@example.org" not in text
    assert [m["role"] for m in line["messages"]][:3] == ["assistant", "user", "user"]
    assert transcript_of(line, "g", 1).turns[1].cards == transcript.turns[1].cards


async def test_a_stored_conversation_is_a_transcript() -> None:
    pseudonyms = Pseudonyms(b"k")
    async with opened(serving.index_dir()) as services:
        talk = Talk(services.assistant, "local:ann")
        await talk.say("a comedy please, I am ann@example.org")
        await talk.say("something newer")
        stored = await services.stores.conversations.load("local:ann", talk.conversation_id or "")
    transcript = from_conversation(stored, pseudonyms, "local:ann")
    assert [t.cards for t in transcript.turns] == [t.cards for t in talk.turns]
    assert [t.ledger for t in transcript.turns] == [t.ledger for t in talk.turns]
    shared = pseudonymised(transcript, pseudonyms)
    text = shared.model_dump_json()
    for secret in ("ann@example.org", "local:ann", transcript.dialogue_id):
        assert secret not in text
    assert not any(e.turn_id in text for e in (transcript.turns[0].events or ()))
    assert shared.turns[0].cards == transcript.turns[0].cards


def test_a_live_conversation_gets_another_name() -> None:
    live = Transcript(channel="web", source="live", dialogue_id="c_1", user_profile_ref="p")
    one, other = Pseudonyms(b"1"), Pseudonyms(b"2")
    assert pseudonymised(live, one).dialogue_id != pseudonymised(live, other).dialogue_id
    assert pseudonymised(live, one) == pseudonymised(live, one)
    ours = Transcript(**{**dict(Origin(channel="eval", source="replayed")), "dialogue_id": "mood"})
    assert pseudonymised(ours, one).dialogue_id == "mood"


# --- the commands ---------------------------------------------------------------------------------


def test_score_reads_any_form_and_export_writes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "foreign.jsonl"
    messages = [m for m in FOREIGN["messages"] if not m.get("tool_calls") and m["role"] != "tool"]
    foreign.write_text(json.dumps({"messages": messages}))
    assert main(["score", str(foreign), "--index", INDEX, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["scores"]["constraint_violations"]["applicable"] == 0
    assert printed["scores"]["invented_names"]["applicable"] == 1
    out = tmp_path / "out.jsonl.gz"
    assert (
        main(["export", "--input", str(foreign), "--format", "transcript", "--output", str(out)])
        == 0
    )
    assert [t.dialogue_id for t in read_models(out, Transcript)] == ["line-1"]
    assert main(["export", "--input", str(out)]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [m["role"] for m in last["messages"]] == [m["role"] for m in messages[1:]]


def test_score_works_without_any_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, scores = tmp_path / "t.jsonl", tmp_path / "scores.jsonl"
    file.write_text(json.dumps(FOREIGN))
    assert main(["score", "--input", str(file), "--output", str(scores)]) == 0
    assert "no index: whatever needs a catalogue is not applicable" in capsys.readouterr().out
    assert len(scores.read_text().splitlines()) > 40


def test_ids_of_another_catalogue_are_no_inventions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = transcript_of(FOREIGN, "f", 1)
    write_models(tmp_path / "t.jsonl", [strange])
    with pytest.raises(SystemExit) as ended:
        main(["score", str(tmp_path / "t.jsonl"), "--index", INDEX])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "dialogue abc, field turns.shown.movie_id: none of 1 ids is in the index" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["score"], "name the transcripts once"),
        (["score", "absent.jsonl"], "absent.jsonl does not exist: check the path"),
        (["export"], "either --input or --conversation"),
        (["export", "--conversation", "c_1"], "--conversation needs --user"),
        (["export", "--format", "schema", "--output", "no/such/x.json"], "cannot be written"),
    ],
)
def test_what_the_caller_can_put_right_is_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert told in error
