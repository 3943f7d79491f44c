"""Each scorer finds its fault, planted into a dialogue that is otherwise without one."""

from collections.abc import Callable
from typing import Any

import pytest

from agent.events import AnyEvent
from evals.scenario import Scenario
from evals.scorers import EXPECTATIONS, FLOORS, Case, Problem
from evals.transcript import Transcript
from retrieval.movie import Movie

Json = dict[str, Any]

MOVIES = {
    m.movie_id: m
    for m in (
        Movie("m1", "Airplane!", year=1980, genres=("comedy",), runtime_min=88, kind="movie"),
        Movie("m2", "Clue", year=1985, genres=("comedy", "mystery"), runtime_min=94, kind="movie"),
        Movie("m3", "Saw", year=2004, genres=("horror",), runtime_min=103, kind="movie"),
    )
}
SCENARIO = Scenario.model_validate(
    {
        "id": "s",
        "covers": ("x",),
        "turns": [
            {
                "user": "a comedy, I have seen Saw",
                "acts": ["search"],
                "cards": "some",
                "asks": False,
                "hold": {"comedy": {"every": {"genre": "comedy"}}},
                "gone": ["Saw (2004)"],
                "ledger_has": [{"kind": "genre", "value": "comedy"}],
            },
            {"user": "how long is Clue?", "acts_any": ["inform", "chat"], "says": ["94"]},
            {"user": "more", "cards": "any", "ledger_lacks": [{"kind": "year"}]},
        ],
    }
)


def card(movie_id: str, **changes: Any) -> Json:
    movie = MOVIES.get(movie_id) or Movie(movie_id, "Nothing")
    fields: Json = {"id": movie_id, "title": movie.title, "year": movie.year}
    return fields | {"why": [], "facts": {}} | changes


def entry(kind: str, value: Any, polarity: str = "want") -> Json:
    view = {"id": f"e-{kind}", "kind": kind, "value": value, "polarity": polarity, "hard": True}
    return view | {"source_turn": "t1", "label": kind, "remove_text": kind}


def turn(user: str, acts: list[str], *events: Json, status: str = "completed") -> Json:
    finished: Json = {"type": "turn.finished", "status": status, "acts": acts}
    finished |= {"degraded": False, "timings": {}, "prompt_shas": {}}
    whole = [{"type": "turn.started", "conversation_id": "c"}, *events, finished]
    numbered = [{**event, "id": n, "turn_id": f"t-{user}"} for n, event in enumerate(whole, 1)]
    return {"user": user, "events": numbered}


def ledger(*entries: Json) -> Json:
    return {"type": "ledger", "version": 1, "entries": list(entries)}


def cards(*of: Json) -> Json:
    return {"type": "recommendations", "cards": list(of)}


def text(said: str) -> Json:
    return {"type": "text.delta", "text": said}


SEEN = entry("seen", {"movie_id": "m3", "title": "Saw", "year": 2004}, "avoid")


def good() -> list[Json]:
    return [
        turn("1", ["search"], ledger(entry("genre", "comedy"), SEEN), cards(card("m1")), text("x")),
        turn("2", ["inform"], text("Clue runs 94 minutes.")),
        turn("3", ["refine"], cards(card("m2")), text("y")),
    ]


def problems(turns: list[Json]) -> dict[str, list[Problem]]:
    transcript = Transcript.from_events({"dialogue_id": "s", "turns": turns})
    case = Case(transcript, SCENARIO, MOVIES)
    found = {name: list(scorer(case)) for name, scorer in {**FLOORS, **EXPECTATIONS}.items()}
    return {name: ps for name, ps in found.items() if ps}


def test_a_good_dialogue_has_no_problem() -> None:
    assert problems(good()) == {}


Plant = Callable[[list[Json]], None]


def replace_turn(number: int, made: Json) -> Plant:
    def plant(turns: list[Json]) -> None:
        turns[number - 1] = made

    return plant


def drop_turn(turns: list[Json]) -> None:
    turns.pop()


def gap_in_ids(turns: list[Json]) -> None:
    turns[0]["events"][1]["id"] = 7


PLANTED: list[tuple[str, Plant]] = [
    ("hard-constraint violations", replace_turn(3, turn("3", ["refine"], cards(card("m3"))))),
    ("repeated films", replace_turn(3, turn("3", ["refine"], cards(card("m1"))))),
    ("repeated films", replace_turn(3, turn("3", ["refine"], cards(card("m2"), card("m2"))))),
    ("seen or disliked films", replace_turn(3, turn("3", ["refine"], cards(card("m3"))))),
    ("off-catalogue titles", replace_turn(3, turn("3", ["refine"], cards(card("m9"))))),
    (
        "off-catalogue titles",
        replace_turn(3, turn("3", ["refine"], cards(card("m2", title="Clue II")))),
    ),
    ("broken streams", gap_in_ids),
    ("broken streams", replace_turn(3, turn("3", ["refine"], text("y"), cards(card("m2"))))),
    (
        "broken streams",
        replace_turn(
            3, turn("3", [], {"type": "tool.started", "tool": "search", "summary": ""}, text("y"))
        ),
    ),
    ("turns not played to the end", replace_turn(3, turn("3", ["refine"], status="failed"))),
    ("turns not played to the end", drop_turn),
    (
        "acts",
        replace_turn(1, turn("1", ["chat"], ledger(entry("genre", "comedy")), cards(card("m1")))),
    ),
    ("acts", replace_turn(2, turn("2", ["search"], text("94")))),
    ("cards", replace_turn(1, turn("1", ["search"], ledger(entry("genre", "comedy"))))),
    ("answers", replace_turn(2, turn("2", ["inform"], text("Clue runs 940 minutes.")))),
    ("ledger", replace_turn(3, turn("3", ["refine"], ledger(entry("year", {"min": 1900}))))),
    ("ledger", replace_turn(1, turn("1", ["search"], cards(card("m1"))))),
    (
        "questions",
        replace_turn(
            1,
            turn(
                "1",
                ["search"],
                ledger(entry("genre", "comedy"), SEEN),
                cards(card("m1")),
                {"type": "clarify", "question": "?", "options": []},
            ),
        ),
    ),
]


@pytest.mark.parametrize(
    ("scorer", "plant"), PLANTED, ids=[f"{s}-{i}" for i, (s, _) in enumerate(PLANTED)]
)
def test_a_planted_fault_is_found(scorer: str, plant: Plant) -> None:
    turns = good()
    plant(turns)
    assert scorer in problems(turns)


def test_the_ledger_binds_even_where_the_scenario_says_nothing() -> None:
    turns = good()
    shorter = entry("runtime", {"max": 90})
    turns[2] = turn("3", ["refine"], ledger(shorter), cards(card("m2")))
    found = problems(turns)["hard-constraint violations"]
    assert [p.scorer for p in found] == ["ledger violation"]


def test_problems_say_where_they_are() -> None:
    turns = good()
    drop_turn(turns)
    assert str(problems(turns)["turns not played to the end"][0]).startswith("s turn 2: unfinished")


def test_transcripts_read_only_known_events() -> None:
    events: tuple[AnyEvent, ...] | None
    events = Transcript.from_events({"dialogue_id": "s", "turns": good()}).turns[0].events
    assert events
    assert events[0].type == "turn.started"
    with pytest.raises(ValueError, match="turn.strated"):
        Transcript.from_events(
            {"dialogue_id": "s", "turns": [{"user": "x", "events": [{"type": "turn.strated"}]}]}
        )
