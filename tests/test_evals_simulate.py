"""Simulated users against the real assistant on a small index: repeatable, resumable, scored."""

import json
from pathlib import Path
from typing import Any

import pytest

import serving
from agent.events import Option
from evals.__main__ import main
from evals.dialogues.run_folder import RunFolder
from evals.dialogues.scenario import load_scenarios
from evals.dialogues.transcript import PlayedTurn, Question, Shown
from evals.users.disclosure import Heard, Progress, may_tell
from evals.users.goal import Goal
from evals.users.goal_world import Films, World, world_of
from evals.users.user import Left, Said
from evals.users.user_agenda import AgendaUser
from evals.users.user_words import asked_about, noisy
from retrieval.movie import Movie
from simulating import FUNNY

MOVIES = [
    Movie("m1", "Airplane!", year=1980, genres=("comedy",), runtime_min=88, kind="movie"),
    Movie("m2", "Clue", year=1985, genres=("comedy",), runtime_min=94, kind="movie"),
    Movie("m3", "Magnolia", year=1999, genres=("drama",), runtime_min=188, kind="movie"),
]
GOALS = """
- id: funny
  split: train
  covers: [clear request]
  who: somebody
  wants:
    comedy: {every: {genre: comedy}, say: [a comedy]}
    new: {every: {year: {min: 1984}}, say: [1984 or later]}
    short: {every: {runtime: {max: 100}}, say: [100 minutes at most]}
  opening: [a comedy please]
  opens: [comedy]
  picky: 0
  seen: 0
- id: thanks
  split: dev
  covers: [small talk]
  who: nobody
  wants: {x: {prefer: {mood: funny}, say: [funny]}}
  opening: [hello]
  moves: [{at: 2, do: say, say: [thanks], acts: [chat], cards: none}]
  ends: [done]
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "goals.yaml"
    file.write_text(GOALS)
    return file


def world(**changes: Any) -> World:
    return world_of(Goal.model_validate(FUNNY | changes), Films(MOVIES))


def answer(*ids: str, question: str | None = None) -> PlayedTurn:
    titles = {m.movie_id: m.title for m in MOVIES}
    cards = [Shown(movie_id=i, title=titles[i], rank=n) for n, i in enumerate(ids, 1)]
    asked = Question(question=question) if question else None
    return PlayedTurn(user="", prose="", shown=tuple(cards), question=asked)


async def after_opening(place: World, turn: PlayedTurn) -> Said:
    user = AgendaUser(place, 0)
    await user.speak(None)
    said = await user.speak(turn)
    assert isinstance(said, Said)
    return said


async def test_takes_the_first_film_that_meets_every_wish_told_or_not() -> None:
    said = await after_opening(world(), answer("m1", "m2"))
    assert said.accepted == "m2" and said.end == "accepted"


async def test_says_what_is_wrong_with_a_list_and_nothing_else() -> None:
    said = await after_opening(world(), answer("m1"))
    assert said.acts == ("critique:new", "unsuited") and said.text == "1984 or later"


async def test_answers_only_what_is_asked() -> None:
    said = await after_opening(world(), answer(question="How much time do you have?"))
    assert said.acts == ("answer:short",)
    said = await after_opening(world(), answer(question="Which language should it be in?"))
    assert said.acts == ("indifferent",)


async def test_a_wish_that_was_not_heard_is_said_again() -> None:
    said = await after_opening(world(), answer("m3"))
    assert said.acts[0] == "restate:comedy" and "a comedy" in said.text


@pytest.mark.parametrize(
    ("wish", "chip"),
    [
        ({"every": {"person": "Tim Curry"}}, "with Tim Curry"),
        ({"every": {"person": "Tim Curry"}}, "directed by Tim Curry"),
        ({"every": {"topic": ["heist", "robbery"]}}, "about heist"),
        ({"none": {"topic": "heist"}}, "no heist"),
        ({"every": {"year": {"max": 1920}}}, "up to 1920"),
        ({"like": "Magnolia (1999)"}, "like Magnolia (1999)"),
    ],
)
async def test_a_wish_of_their_own_is_known_by_its_chip(wish: Any, chip: str) -> None:
    """What they never wanted is tapped away; a hard wish only where the goal may drop it."""
    wants = {"comedy": FUNNY["wants"]["comedy"], "mine": wish}
    places = [
        world(wants=wants, ends=["accepted", "gave_up"], may_drop=given) for given in ([], ["mine"])
    ]
    asked = Question(
        question="What could you do without?",
        options=(Option(label=chip, text=f'remove "{chip}"'),),
    )
    stubborn, yielding = [
        await AgendaUser(place, 0).speak(PlayedTurn(user="", prose="", shown=(), question=asked))
        for place in places
    ]
    assert isinstance(yielding, Said) and yielding.acts == ("let_go:mine",)
    assert isinstance(stubborn, Left) or "like" in wish


async def test_a_passive_user_says_what_is_wrong_the_second_time() -> None:
    user = AgendaUser(world(tells="passive"), 0)
    await user.speak(None)
    first, second = await user.speak(answer("m1")), await user.speak(answer("m1"))
    assert isinstance(first, Said) and first.acts == ("unsuited",)
    assert isinstance(second, Said) and second.acts[0] == "critique:new"


async def test_patience_ends() -> None:
    user = AgendaUser(world(patience=3), 0)
    await user.speak(None)
    said = [await user.speak(answer("m1")) for _ in range(3)]
    assert said[-1] == Left("gave_up")


def test_what_may_be_told_follows_from_what_was_heard() -> None:
    place, told = world(tells="volunteers"), Progress().after(("opening:comedy",))
    heard = Heard((MOVIES[0],), None)
    assert may_tell(place, told, heard) == {"new": "critique", "short": "volunteer"}
    assert may_tell(place, Progress(), None) == {"comedy": "opening"}


def test_questions_are_understood_by_what_they_ask_for() -> None:
    assert asked_about("How much time do you have?") == {"runtime"}
    assert asked_about("Anything else?") == frozenset()


def test_noise_is_seeded_and_keeps_short_words() -> None:
    import random

    from evals.users.goal import Noise

    noise = Noise(typos=0.5, lower=True)
    texts = {noisy("A comedy from 1984 on", noise, "en", random.Random(7)) for _ in range(3)}
    assert len(texts) == 1
    assert "1984" in texts.pop()


def simulate(*arguments: str) -> int:
    return main(["simulate", "--index", str(serving.index_dir()), *arguments])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def said_in(path: Path) -> list[list[str]]:
    return [[turn["user"] for turn in row["turns"]] for row in lines(path / "transcripts.jsonl")]


def test_a_run_is_repeatable_resumable_and_scored(
    elsewhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    goals = ["--input", str(elsewhere), "-n", "6"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert simulate(*goals, "--output", str(one), "--json") == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (figures["dialogues"], figures["leaks"], figures["invented_facts"]) == (6, 0, 0)
    assert figures["wanted_a_film"] == 3  # the others wanted a chat
    assert figures["floors_in_english"]["constraint_violations"] == 0
    simulate(*goals, "--output", str(two))
    assert said_in(one) == said_in(two)
    whole = (one / "transcripts.jsonl").read_text()
    (one / "transcripts.jsonl").write_text("".join(whole.splitlines(keepends=True)[:2]))
    simulate(*goals, "--output", str(one))
    assert said_in(one) == said_in(two)
    RunFolder.open(one).whole()


def test_configurations_are_not_mixed(elsewhere: Path, tmp_path: Path) -> None:
    goals = ["--input", str(elsewhere), "-n", "2", "--output", str(tmp_path / "run")]
    simulate(*goals)
    with pytest.raises(SystemExit) as ended:
        simulate(*goals, "--seed", "1")
    assert ended.value.code == 2


def test_bad_agents_do_worse(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    success = {}
    for agent in ("product", "popularity", "always-clarify"):
        simulate("--input", str(elsewhere), "-n", "20", "--agent", agent, "--json")
        success[agent] = json.loads(capsys.readouterr().out.splitlines()[-1])["goal_success"]
    assert success["product"] == 1.0
    assert success["always-clarify"] == 0.0
    assert success["popularity"] <= success["product"]


def test_what_cannot_be_played_is_told(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags in (["-n", "0"], ["--only", "ghosts"], ["--input", str(elsewhere.parent / "none")]):
        with pytest.raises(SystemExit) as ended:
            simulate("--input", str(elsewhere), *flags)
        assert ended.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_transcripts_are_replayed_and_become_scenarios(elsewhere: Path, tmp_path: Path) -> None:
    run, replayed = tmp_path / "run", tmp_path / "replayed.jsonl"
    simulate("--input", str(elsewhere), "-n", "2", "--output", str(run))
    recorded = run / "transcripts.jsonl"
    assert simulate("--replay", str(recorded), "--output", str(replayed)) == 0
    assert [[t["user"] for t in row["turns"]] for row in lines(replayed)] == said_in(run)
    out = tmp_path / "scenarios"
    assert main(["scenarios", "--from", str(recorded), "--output", str(out)]) == 0
    made = load_scenarios(out)
    assert [[s.user for s in scenario.turns] for scenario in made] == said_in(run)
    index = ["--index", str(serving.index_dir())]
    assert main(["run", *index, "--input", str(out), "--fresh"]) == 0
    with pytest.raises(SystemExit):
        main(["scenarios", "--from", str(recorded), "--output", str(out)])
