"""Acts per turn against labels: the mapping, the figures by hand, the command and its errors."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from agent.events import Act
from evals.__main__ import main
from evals.recorded.rank_input import InputProblem
from evals.recorded.route import Routed, Score, by_act, figures_of, macro_f1, together
from evals.recorded.route_fit import cross_validated
from evals.recorded.route_input import ACTS, read_labelled
from retrieval.understanding import Understanding
from small_index import small_index


def turn(participant: str, text: str, *intents: str) -> dict[str, Any]:
    acts = [{"intent": intent, "slot_values": []} for intent in intents]
    return {"participant": participant, "utterance": text, "dialogue_acts": acts}


TALK = {
    "conversation_id": "c1",
    "conversation": [
        turn("AGENT", "Hello! What kind of films do you like?", "OTH", "REQ"),
        turn("USER", "Hi! I am looking for a good thriller", "OTH", "IQU"),
        turn("AGENT", "Have you seen Pulp Fiction (1994)?", "REC-E"),
        turn("USER", "No, I haven't. What is it about?", "INQ"),
        turn("AGENT", "It is about two hit men. Do you like crime films?", "R-ANS", "REQ"),
        turn("USER", "That sounds great, I'll watch it tonight", "ACC"),
        turn("AGENT", "You're welcome, enjoy!", "OTH"),
        turn("USER", "Thanks, bye!", "END"),
    ],
}


def write(folder: Path, *rows: Any, name: str = "talks.jsonl") -> Path:
    path = folder / name
    content = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows)
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    return path


def test_every_intent_has_its_act() -> None:
    expected: dict[Act, str] = {
        "search": "IQU STO",
        "refine": "PRO ANS CRI REJ REF CON SEE",
        "inform": "INQ ASK",
        "chat": "ACC NRE OTH END",
    }
    assert {i: act for act, names in expected.items() for i in names.split()} == ACTS


def test_labels_are_mapped_and_questions_that_follow_are_kept(tmp_path: Path) -> None:
    talk = TALK | {"conversation": [*TALK["conversation"], turn("USER", "more", "CRI-F", "SEE")]}
    [dialogue] = read_labelled(write(tmp_path, talk, name="talks.jsonl.gz"))
    users = [t for t in dialogue.turns if t.role == "user"]
    assert [set(t.acts) for t in users] == [
        {"chat", "search"},
        {"inform"},
        {"chat"},
        {"chat"},
        {"refine"},
    ]
    assert [t.answered_by_question for t in users] == [False, True, False, False, False]


def routed(
    gold: set[Act], said: set[Act], *, clarifies: bool = False, asked: bool = False
) -> Routed:
    return Routed(
        dialogue_id="c1",
        gold=frozenset(gold),
        routed=frozenset(said),
        by_rules=frozenset(said),
        clarifies=clarifies,
        answered_by_question=asked,
        heard=Understanding("x"),
        after="nothing",
    )


def test_figures_by_hand() -> None:
    turns = [
        routed({"search", "chat"}, {"search"}, clarifies=True, asked=True),
        routed({"refine"}, {"refine", "chat"}, clarifies=True),
        routed({"chat"}, {"chat"}, asked=True),
    ]
    scores = by_act((t.gold, t.routed) for t in turns)
    assert scores["chat"] == Score(correct=1, predicted=2, gold=2)
    assert together(scores) == Score(correct=3, predicted=4, gold=4)
    assert macro_f1(scores) == pytest.approx((1 + 1 + 0.5) / 3)  # inform does not occur
    figures = figures_of(turns)
    assert figures["micro_f1"] == 0.75
    assert figures["single_act"] == {"turns": 2, "micro_f1": 0.8, "exact": 0.5}
    assert figures["several_acts"] == {"turns": 1, "micro_f1": pytest.approx(2 / 3, abs=1e-4)}
    assert figures["clarify"]["precision"] == figures["clarify"]["recall"] == 0.5
    assert set(figures["per_class"]) == {"search", "refine", "inform", "chat"}


def test_nothing_right_is_zero_and_no_error() -> None:
    figures = figures_of([routed({"search"}, {"chat"})])
    assert figures["micro_f1"] == figures["macro_f1"] == figures["exact"] == 0.0


def test_the_experiment_never_fits_on_the_conversation_it_is_tried_on() -> None:
    """A word that gives the label away in one conversation only teaches nothing about it."""
    alone = [
        Routed("a", frozenset({"inform"}), frozenset({"chat"}), frozenset(), False, False,
               Understanding("zebra"), "told"),
        *(
            Routed(name, frozenset({"chat"}), frozenset({"chat"}), frozenset(), False, False,
                   Understanding("thanks a lot"), "told")
            for name in ("b", "c", "d", "e")
        ),
    ]  # fmt: skip
    pairs = cross_validated(alone * 3)
    assert {said for gold, said in pairs if gold == {"inform"}} == {frozenset({"chat"})}
    assert all(gold == said for gold, said in pairs if gold == {"chat"})


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("{", "line 2"),
        (TALK | {"conversation_id": 7}, 'line 2: "conversation_id"'),
        (TALK | {"conversation": []}, 'line 2: "conversation"'),
        (TALK | {"conversation": [{"utterance": "x"}]}, r'conversation\[0\]: "participant"'),
        (
            TALK | {"conversation": [{"participant": "USER", "dialogue_acts": []}]},
            r'conversation\[0\]: "utterance"',
        ),
        (
            TALK | {"conversation": [{"participant": "USER", "utterance": "x"}]},
            r'conversation\[0\]: "dialogue_acts"',
        ),
        (TALK | {"conversation": [turn("USER", "x", "XYZ")]}, "\"intent\" 'XYZ'"),
    ],
)
def test_a_wrong_line_is_named_with_its_field(tmp_path: Path, row: Any, named: str) -> None:
    with pytest.raises(InputProblem, match=named):
        read_labelled(write(tmp_path, TALK, row))


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="no user turn with an intent"):
        read_labelled(write(tmp_path, TALK | {"conversation": [turn("USER", "hello")]}))


def test_the_command_routes_through_the_product(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, TALK)
    arguments = ["route", "--index", str(small_index()), "--input", str(path), "--json"]
    assert main([*arguments, "--fitted"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["micro_f1"] == figures["macro_f1"] == figures["exact"] == 1.0
    assert (figures["dialogues"], figures["turns"]) == (1, 4)
    assert {act: score["gold"] for act, score in figures["per_class"].items()} == {
        **{"search": 1, "refine": 0, "inform": 1, "chat": 3}
    }
    assert figures["clarify"]["gold"] == 1
    assert 0 <= figures["fitted_micro_f1"] <= 1


def test_the_command_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["route", "--index", str(small_index()), "--input", str(tmp_path / "none.jsonl")])
    assert ended.value.code == 2
