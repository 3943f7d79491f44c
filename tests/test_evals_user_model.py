"""The model-based user: what it is shown, what it may send, and the agenda that stands in."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel, ValidationError

import serving
from agent.model import Message, Meter, ModelFailure, Tokens, ToolCall, ToolSpec
from evals.__main__ import main
from evals.dialogues.transcript import PlayedTurn, Question, Shown, Transcript
from evals.users.audit import audit
from evals.users.audit_words import Marks
from evals.users.goal import Goal
from evals.users.goal_world import Films, World, world_of
from evals.users.simulate import Labels
from evals.users.user import Left, Said
from evals.users.user_model import ModelUser, UserProblem
from faking import LARGE, FakeBedrock
from retrieval.movie import Movie
from simulating import FUNNY
from test_evals_judge import answer, online  # noqa: F401  (a fixture)
from test_evals_simulate import GOALS

T = TypeVar("T", bound=BaseModel)
MOVIES = [
    Movie("m1", "Airplane!", year=1980, genres=("comedy",), runtime_min=88, kind="movie"),
    Movie("m2", "Clue", year=1985, genres=("comedy",), runtime_min=94, kind="movie"),
    Movie("m3", "Magnolia", year=1999, genres=("drama",), runtime_min=188, kind="movie"),
    Movie(
        "m4",
        "Midnight Run",
        year=1988,
        genres=("comedy",),
        runtime_min=99,
        kind="movie",
        directors=("Martin Brest",),
        cast=("Robert De Niro", "Charles Grodin"),
    ),
]
FILMS = Films(MOVIES)
OPENING = {"message": "Hi! I fancy a comedy.", "tells": ["comedy"]}


def world(**changes: Any) -> World:
    return world_of(Goal.model_validate(FUNNY | changes), FILMS)


class Scripted:
    """A ChatModel that answers from a list, the last one for ever; an exception is raised."""

    model_id = "scripted-1"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.documents: list[Any] = []

    async def structured(
        self, messages: Sequence[Message], schema: type[T], meter: Meter | None = None
    ) -> T:
        assert [message.role for message in messages] == ["system", "user"]
        self.documents.append(json.loads(messages[1].text))
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Exception):
            raise said
        if meter:
            meter.add(self.model_id, Tokens(input=10, output=2))
        try:
            return schema.model_validate(said)
        except ValidationError:  # as infra/models.py ends after its own second try
            raise ModelFailure("malformed", "the answer does not fit") from None

    def stream(self, messages: Sequence[Message], meter: Meter | None = None) -> AsyncIterator[str]:
        raise NotImplementedError

    async def call_tools(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], meter: Meter | None = None
    ) -> list[ToolCall]:
        raise NotImplementedError


def shown(*ids: str, question: str | None = None, user: str = "") -> PlayedTurn:
    titles = {m.movie_id: m.title for m in MOVIES}
    cards = [Shown(movie_id=i, title=titles[i], rank=n) for n, i in enumerate(ids, 1)]
    asked = Question(question=question) if question else None
    return PlayedTurn(user=user, prose="", shown=tuple(cards), question=asked)


async def second(place: World, turn: PlayedTurn, *answers: Any) -> tuple[Said, Scripted]:
    """The second message of a model's user, who opened well."""
    model = Scripted(OPENING, *answers)
    user = ModelUser(model, place, 0, Marks(FILMS))
    first = await user.speak(None)
    assert isinstance(first, Said)
    assert (first.text, first.acts) == ("Hi! I fancy a comedy.", ("opening:comedy",))
    said = await user.speak(turn)
    assert isinstance(said, Said)
    return said, model


# --- what it is shown -----------------------------------------------------------------------------


async def test_it_gets_its_wishes_and_no_title_that_nobody_showed() -> None:
    _, model = await second(world(), shown("m1"), {"message": "1984 or later", "tells": ["new"]})
    document = model.documents[1]
    assert [(w["name"], w["told"]) for w in document["wishes"]] == [
        ("comedy", True),
        ("new", False),
        ("short", False),
    ]
    assert document["may_tell"] == ["new"] and document["may_accept"] == []
    assert document["conversation"][-1]["films"][0]["breaks"] == ["new"]
    text = json.dumps(model.documents)
    assert "Airplane" in text, "what was shown may be talked of"
    assert not [m.title for m in MOVIES[1:] if m.title in text]


async def test_targets_looked_up_by_id_are_never_told() -> None:
    marked = [Movie(f"x{n}", t, year=1990, kind="movie", imdb=f"tt000000{n}", genres=("comedy",),
                    runtime_min=90) for n, t in enumerate(("Quorblax", "Zinn"))]  # fmt: skip
    place = world_of(
        Goal.model_validate(FUNNY | {"target": {"imdb": ["tt0000000"]}}), Films([*MOVIES, *marked])
    )
    model = Scripted(OPENING)
    await ModelUser(model, place, 0, Marks(place.films)).speak(None)
    assert "Quorblax" not in json.dumps(model.documents)
    assert "tt0000000" not in json.dumps(model.documents)


# --- what it may send -----------------------------------------------------------------------------


async def test_it_answers_what_is_asked_in_its_own_words() -> None:
    asked = shown(question="How much time do you have?")
    reply = {"message": "At most 100 minutes, I have an early start.", "tells": ["short"]}
    said, _ = await second(world(), asked, reply)
    assert said.acts == ("answer:short",) and "early start" in said.text


async def test_it_takes_a_film_that_meets_every_wish() -> None:
    reply = {"message": "Clue sounds perfect, I'll watch that!", "accepted": "m2"}
    said, model = await second(world(), shown("m1", "m2"), reply)
    assert model.documents[1]["may_accept"] == ["m2"]
    assert said.accepted == "m2" and said.end == "accepted"


async def test_it_cannot_take_a_film_that_does_not_suit() -> None:
    wrong = {"message": "I'll watch Airplane!", "accepted": "m1"}
    said, model = await second(world(), shown("m1"), wrong, wrong)
    assert said.accepted is None and "stand_in:user_error" in said.acts
    assert "may_accept" in model.documents[2]["problem"]


LEAKS: list[tuple[str, str]] = [
    ("Have you got Midnight Run?", "leak"),
    ("what about midnight run, maybe", "leak"),
    ("Something by Martin Brest would be nice", "leak"),
    ("the one with Grodin", "leak"),
    ("I saw Magnolia once", "invented_fact"),
    ("It has to be Norwegian", "invented_fact"),
    ("My kids are watching with me", "invented_fact"),
    ("Nothing longer than 100 minutes", "leak"),
]


@pytest.mark.parametrize(("text", "kind"), LEAKS)
async def test_a_leak_is_asked_for_once_more_then_the_agenda_stands_in(
    text: str, kind: str
) -> None:
    said, model = await second(world(), shown("m1"), {"message": text}, {"message": text})
    assert len(model.documents) == 3 and model.documents[2]["problem"]
    assert said.text == "1984 or later", "the agenda's own words"
    assert said.acts == ("critique:new", "unsuited", f"stand_in:{kind}")


async def test_a_second_try_that_is_clean_is_sent_and_marked() -> None:
    bad, good = {"message": "Midnight Run?"}, {"message": "1984 or later", "tells": ["new"]}
    said, _ = await second(world(), shown("m1"), bad, good)
    assert said.acts == ("critique:new", "unsuited", "again:leak")


async def test_a_wish_that_the_words_do_not_tell_binds_nobody() -> None:
    silent = {"message": "Hmm, these are not for me.", "tells": ["new"]}
    said, model = await second(world(), shown("m1"), silent, silent)
    assert "use the words" in model.documents[2]["problem"]
    assert said.acts[-1] == "stand_in:user_error"


async def test_a_wish_that_nothing_called_for_is_a_leak() -> None:
    early = {"message": "It should take 100 minutes at most", "tells": ["short"]}
    said, _ = await second(world(), shown(question="From which year should it be?"), early, early)
    assert said.acts[-1] == "stand_in:leak"


@pytest.mark.parametrize("text", ["", "comedy " * 200])
async def test_nothing_and_a_novel_are_no_messages(text: str) -> None:
    said, _ = await second(world(), shown("m1"), {"message": text})
    assert said.acts[-1] == "stand_in:user_error"


async def test_garbage_and_failures_leave_it_to_the_agenda() -> None:
    for broken, why in (
        ({"text": "hello"}, "unparsed"),
        ("nonsense", "unparsed"),
        (ModelFailure("throttled", "later"), "failed"),
    ):
        said, model = await second(world(), shown("m1"), broken)
        assert said.acts == ("critique:new", "unsuited", f"stand_in:{why}")
        assert len(model.documents) == 2
    with pytest.raises(UserProblem, match="denied"):
        await second(world(), shown("m1"), ModelFailure("denied", "the key is wrong"))


async def test_what_the_scenario_makes_them_do_is_said_in_their_words() -> None:
    moves = [{"at": 2, "do": "add", "slot": "short"}, {"at": 3, "do": "undo"}]
    place = world(moves=moves)
    reply = {"message": "Oh, and 100 minutes at most please", "tells": ["short"]}
    said, model = await second(place, shown("m3"), reply)
    assert said.acts == ("add:short", "move:0") and said.text == reply["message"]
    assert "100 minutes" in model.documents[1]["do_now"]
    assert model.documents[1]["may_tell"] == []
    labels = Labels(place)
    labels.next(Said("", ("opening:comedy",)))
    assert [wish.clause.field for wish in labels.next(said).wishes] == ["genre", "runtime"]


async def test_patience_ends_whoever_speaks_and_they_may_give_up_before() -> None:
    user = ModelUser(Scripted(OPENING, {"message": "others?"}), world(patience=3), 0, Marks(FILMS))
    said = [await user.speak(turn) for turn in (None, *[shown("m1")] * 3)]
    assert said[-1] == Left("gave_up")
    left, _ = await second(world(), shown("m1"), {"message": "I give up, thanks", "done": True})
    assert left.end == "gave_up"


async def test_films_they_say_they_have_seen_are_not_shown_again() -> None:
    reply = {"message": "I have seen Airplane! already", "seen": ["m1", "m4"]}
    said, _ = await second(world(), shown("m1"), reply)
    assert "seen:m1" in said.acts and "seen:m4" not in said.acts


# --- the audit of free words ----------------------------------------------------------------------

HONEST = (
    "Hi, I am looking for something to watch, could you help me?",
    "Hmm, those don't quite do it for me. Do you have anything else?",
    "I'm afraid none of them look right. Can we try again?",
    "Perfect, thank you so much for your help!",
    "I don't mind, whatever you think is best.",
    "Well, it's been a long day at work and I just want to switch off my brain.",
    "These are close but not quite there yet.",
    "I'm stuck at home with a cold, what have you got for me?",
)


def dialogue(*turns: PlayedTurn) -> Transcript:
    return Transcript(
        channel="eval",
        source="simulated",
        dialogue_id="d",
        scenario_id="funny",
        messages=(),
        turns=turns,
    )


@pytest.mark.parametrize("text", HONEST)
def test_honest_free_words_are_no_fault(text: str) -> None:
    told = PlayedTurn(user=text, prose="", user_acts=())
    assert audit(dialogue(told), world(), Marks(FILMS), own_words=False) == []


@pytest.mark.parametrize(("text", "kind"), LEAKS)
def test_planted_free_words_are_found_in_a_transcript(text: str, kind: str) -> None:
    first = PlayedTurn(user="a comedy please", prose="", user_acts=("opening:comedy",))
    turns = (first, PlayedTurn(user=text, prose="", user_acts=("more",)))
    found = audit(dialogue(*turns), world(), Marks(FILMS), own_words=False)
    assert {fault.turn for fault in found} == {2}
    assert kind in {fault.kind.replace(" ", "_") for fault in found}


def test_a_stand_in_is_held_to_the_agendas_words() -> None:
    text = "Well, it's been a long day at work"
    free = PlayedTurn(user=text, prose="", user_acts=())
    own = PlayedTurn(user=text, prose="", user_acts=("stand_in:leak",))
    assert audit(dialogue(free), world(), Marks(FILMS), own_words=False) == []
    assert audit(dialogue(own), world(), Marks(FILMS), own_words=False) != []


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def goals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "goals.yaml"
    file.write_text(GOALS)
    return file


def simulate(goals: Path, *more: str) -> int:
    index = ["--index", str(serving.index_dir())]
    return main(["simulate", *index, "--input", str(goals), "-n", "4", "--user", "model", *more])


def test_without_a_model_the_setting_is_named(
    goals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate(goals)
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.count("\n") == 1
    assert "USHER_MODEL" in error and "--user model" in error


def test_a_model_plays_users_over_the_wire(
    goals: Path,
    tmp_path: Path,
    online: FakeBedrock,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    online.always(answer({"message": "Show me something else, please."}))
    run = tmp_path / "run"
    assert simulate(goals, "--output", str(run), "--json") in (0, 1)
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    user = printed["user"]
    assert user["model_id"] == LARGE and user["tokens"]["input"] > 0
    assert printed["leaks"] == printed["invented_facts"] == printed["user_errors"] == 0
    rows = [json.loads(line) for line in (run / "transcripts.jsonl").read_text().splitlines()]
    assert {row["tags"]["user"][0] for row in rows} == {LARGE}
    assert "Show me something else, please." in {t["user"] for r in rows for t in r["turns"]}
    # The other user is another run.
    with pytest.raises(SystemExit):
        main(["simulate", "--index", str(serving.index_dir()), "--input", str(goals), "-n", "4",
              "--output", str(run)])  # fmt: skip
    assert "field data.user" in capsys.readouterr().err


def test_every_leak_of_a_model_over_the_wire_is_replaced_and_counted(
    goals: Path,
    online: FakeBedrock,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    online.always(answer({"message": "I would love to see The Matrix (1999) in Norwegian"}))
    simulate(goals, "--json")
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["leaks"] == printed["invented_facts"] == 0
    replies = printed["user"]["replies"]
    assert (
        sum(n for name, n in replies.items() if name.startswith("stand_in"))
        == (replies["messages"])
    )
