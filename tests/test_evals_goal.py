"""Goals: ours are many, varied, split and playable; bad ones are named with their place."""

import json
from pathlib import Path

import pytest

import simulating
import talking
from evals.__main__ import main
from evals.dialogues.scenario import ScenarioProblem
from evals.dialogues.scenarios_command import films_that_would_do, our_coverage
from evals.dialogues.transcript_files import EvalInputProblem
from evals.users.goal import HELD_OUT, ONCE_HELD_OUT, Goal, binding, load_goals
from evals.users.goal_world import Films, Unplayable, world_of
from retrieval.movie import Movie, Range

ASKED_FOR = {
    *("clear request", "vague request", "mood", "seed", "comparative", "negation", "multi-intent"),
    *("correction", "undo", "seen feedback", "disliked feedback", "temporal", "people", "family"),
    *("companions", "runtime", "language", "typos", "code-switching", "German", "Spanish"),
    *("French", "small talk", "out of scope", "item question", "explain why", "group of two"),
    *("contradictory", "long dialogue", "adversarial text"),
}
ENOUGH_OF_EACH = 3
"""Scenarios of each kind in each split."""


def test_ours_cover_everything_asked_for_in_both_splits() -> None:
    table = our_coverage()
    assert ASKED_FOR <= table.keys()
    for kind in ASKED_FOR:
        counts = table[kind]
        assert min(counts["train"], counts["dev"]) >= ENOUGH_OF_EACH, (kind, counts)
        assert counts["test"] >= 1, (kind, "none is held out")


def test_held_out_goals_are_played_only_when_they_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = load_goals(HELD_OUT)
    assert len(held) >= 48 and {goal.split for goal in held} == {"test"}
    ours = load_goals()
    assert "test" not in {goal.split for goal in ours}
    said = {text.lower() for goal in ours for text in goal.opening}
    assert not [t for goal in held for t in goal.opening if t.lower() in said]
    assert not {goal.id for goal in held} & {goal.id for goal in ours}
    file = tmp_path / "one.jsonl"
    file.write_text(
        '{"id":"g","split":"test","covers":["x"],"who":"me","opening":["hi"],'
        '"wants":{"a":{"every":{"genre":"x"}}}}\n'
    )
    with pytest.raises(SystemExit):
        main(["simulate", "--input", str(file)])
    assert "--split test" in capsys.readouterr().err


def test_goals_that_were_read_are_held_out_no_more() -> None:
    read = load_goals(ONCE_HELD_OUT)
    assert {goal.split for goal in read} == {"dev"}
    assert not {goal.id for goal in read} & {goal.id for goal in load_goals(HELD_OUT)}


def test_every_held_out_goal_can_be_met_on_the_starter() -> None:
    goals = [*load_goals(HELD_OUT), *load_goals(ONCE_HELD_OUT)]
    would_do, left_out = films_that_would_do(goals, simulating.films())
    assert left_out == [] and min(would_do.values()) > 0


def test_ours_are_many_and_not_alike() -> None:
    goals = load_goals()
    assert len(goals) >= 180
    openings = [text.lower() for goal in goals for text in goal.opening]
    assert len(set(openings)) / len(openings) > 0.9
    assert {goal.tells for goal in goals} == {"passive", "answers", "volunteers"}
    assert all(len(goal.opening) >= 2 for goal in goals)
    long = [goal for goal in goals if "long dialogue" in goal.covers]
    assert all(goal.moves[-1].at >= 12 for goal in long)


def test_every_goal_of_ours_can_be_played_on_the_starter() -> None:
    assert len(simulating.worlds()) == len(load_goals())  # simulating.py: nothing is left out


def goal(**changes: object) -> Goal:
    form: dict[str, object] = {
        "id": "g",
        "split": "train",
        "covers": ["x"],
        "who": "somebody",
        "wants": {
            "comedy": {"every": {"genre": "comedy"}},
            "short": {"every": {"runtime": {"max": 100}}},
            "old": {"every": {"year": {"max": 1970}}},
        },
        "opening": ["a comedy"],
        "opens": ["comedy"],
    }
    return Goal.model_validate(form | changes)


def test_undo_takes_back_exactly_the_move_before() -> None:
    moves = [{"at": 2, "do": "add", "slot": "short"}, {"at": 3, "do": "undo"}]
    undone = goal(moves=moves)
    assert binding(undone, 0) == ("comedy", "old")
    assert binding(undone, 1) == ("comedy", "old", "short")
    assert binding(undone, 2) == ("comedy", "old")


def test_a_revision_takes_the_place_of_a_wish_and_a_reset_of_all() -> None:
    moves = [
        {"at": 2, "do": "revise", "slot": "comedy", "to": "short"},
        {"at": 3, "do": "reset"},
        {"at": 4, "do": "add", "slot": "old"},
    ]
    changed = goal(moves=moves)
    assert binding(changed, 1) == ("short",)
    assert binding(changed, 2) == ()
    assert binding(changed, 3) == ("old",)


HEAT = Movie("m1", "Heat", year=1995, genres=("crime",), runtime_min=170, kind="movie")
DUEL = Movie("m2", "Duel", year=1971, genres=("thriller",), runtime_min=90, kind="movie")


def test_comparisons_become_bounds_and_their_film_is_out() -> None:
    than = {"film": "Heat (1995)", "what": "runtime", "side": "less"}
    world = world_of(goal(wants={"comedy": {"than": than}}), Films([HEAT, DUEL]))
    assert world.clauses["comedy"] == Range("runtime", None, 169)
    assert world.fits(DUEL, 0)
    assert not world.fits(HEAT, 0)


def test_films_that_a_catalogue_lacks_make_a_goal_unplayable() -> None:
    named = goal(wants={"comedy": {"like": "Ran (1985)"}})
    with pytest.raises(Unplayable, match="Ran"):
        world_of(named, Films([HEAT]))
    with pytest.raises(Unplayable, match="no film"):
        world_of(goal(), Films([HEAT, DUEL]))


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("wants: {a: {every: {genre: x}, none: {genre: y}}}", "wants.a"),
        ("wants: {a: {every: {genre: x, year: {min: 1}}}}", "one clause"),
        ("opens: [ghost]", "ghost"),
        ("moves: [{at: 2, do: undo}]", "undo follows"),
        ("moves: [{at: 2, do: add}]", "add needs slot"),
        ("patience: 2", "patience"),
        ("speaks: xx", "speaks"),
        ("colour: red", "colour"),
    ],
)
def test_bad_goals_are_named_with_their_place(tmp_path: Path, line: str, place: str) -> None:
    text = "- {id: g, split: dev, covers: [x], who: me, opening: [hi], "
    wants = "" if line.startswith("wants") else "wants: {a: {every: {genre: x}}}, "
    file = tmp_path / "goals.yaml"
    file.write_text(f"{text}{wants}{line}}}\n")
    with pytest.raises(ScenarioProblem, match=place):
        load_goals(file)


def test_json_lines_are_read_and_an_id_twice_is_told(tmp_path: Path) -> None:
    file = tmp_path / "goals.jsonl"
    file.write_text(goal().model_dump_json(include={"id", "split", "covers", "who"}) + "\n")
    with pytest.raises(ScenarioProblem, match="wants"):
        load_goals(file)
    line = '{"id":"g","split":"dev","covers":["x"],"who":"me","opening":["hi"],'
    line += '"wants":{"a":{"every":{"genre":"x"}}}}\n'
    file.write_text(line)
    assert [g.id for g in load_goals(file)] == ["g"]
    file.write_text(line * 2)
    with pytest.raises(ScenarioProblem, match="twice"):
        load_goals(file)
    file.write_text(line + "{half")
    with pytest.raises(EvalInputProblem, match="line 2: no JSON"):
        load_goals(file)


def test_the_coverage_table_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "long dialogue" in printed and '"undo": {"train"' in printed


def test_goals_are_checked_against_an_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clash = (
        '{"id":"clash","split":"dev","covers":["x"],"who":"me","opening":["hi"],'
        '"wants":{"a":{"every":{"genre":"horror"}},"b":{"every":{"certificate":"G"}}},'
        '"may_drop":["b"],"ends":["accepted","gave_up"]}\n'
    )
    lost = (
        '{"id":"lost","split":"dev","covers":["x"],"who":"me","opening":["hi"],'
        '"wants":{"a":{"like":"No Such Film (1901)"}}}\n'
    )
    file = tmp_path / "goals.jsonl"
    file.write_text(clash)
    index = ("--index", str(talking.starter_index()))
    assert main(["scenarios", "--input", str(file), *index, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["would_do"]["clash"] > 100 and found["left_out"] == []
    file.write_text(clash + lost)
    assert main(["scenarios", "--input", str(file), *index]) == 1
    out = capsys.readouterr().out
    assert "cannot be played: lost: No Such Film" in out and "1 of 2 goals" in out
    with pytest.raises(SystemExit):
        main(["scenarios", "--input", str(file)])
    assert "--input needs --index" in capsys.readouterr().err
