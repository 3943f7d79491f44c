"""A must is what somebody laid down for this evening; what is said beside it binds nothing."""

import pytest

from agent.decide import decide
from agent.decision import DecisionContext
from agent.ledger import Ledger
from agent.plan_edits import with_free_topics
from agent.query import constraints_of
from agent.turn import DialogueState
from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.understand import Context, understand
from small_lexicon import films, lexicon

Musts = list[tuple[str, object, str]]


def musts(text: str, shown: bool = False) -> Musts:
    context = Context(films()[:3]) if shown else None  # Inception and Heat, twice
    found = understand(text, lexicon(), context).findings
    return [(f.kind, f.value, f.polarity) for f in found if f.hard]


def musts_after(*messages: str) -> list[str]:
    return [e.label for e in ledger_after(*messages).entries if e.hard]


def ledger_after(*messages: str) -> Ledger:
    state = DialogueState()
    for number, message in enumerate(messages):
        heard = understand(message, lexicon())
        decision = decide(DecisionContext(message, heard, state, {}))
        ledger, _ = state.ledger.apply(decision.edits, str(number))
        state = DialogueState(ledger=ledger)
    return state.ledger


@pytest.mark.parametrize(
    "text",
    [
        # Asked of a film, or of the other one's taste.
        "Is it American or French?",
        "ok, is it in English?",
        "Are the others pg13?",
        "do you like romantic comedies?",
        "if you like horror, what about Up (2009)",
        # Remarks: on what was seen, named or shown, on the day, on people.
        "thats a classic horror",
        "Heat (1995) is a western, right",
        "it almost sounds like a musical",
        "Came out in 2016 or 2017, cool.",
        "happy 2018!",
        "best mob love story ever, haha",
        "it was good for older kids and for adults too",
        "being from England, that is a nostalgic one",
        "we are a whole family of fans",
        "save that one for a family outing",
        "we watch it all the time with my son",
        "I have seen it, but not the kids",
        "I'd love a night without the kids",
        # Tastes, and what would do as well.
        "I like movies from the 80s",
        "I am a horror movie addict",
        "I sometimes like sports films, but it depends",
        "anything works. Especially musicals and westerns",
        "I love me some good romance",
        "animated movies can be ok",
        "romantic comedies would also be great",
        "a western is fine too",
        "something sad or romantic or whatever",
        "it doesn't have to be a rated R one",
        "Show me something funny. I'll have to check that one out",
    ],
)
def test_what_is_said_beside_a_wish_is_no_must(text: str) -> None:
    assert musts(text) == []


@pytest.mark.parametrize(
    ("text", "must"),
    [
        ("anything, as long as it's a comedy", ("genre", "comedy", "want")),
        ("make sure it's in English", ("language", "en", "want")),
        ("it must be funny", ("mood", "funny", "want")),
        ("we don't care for alien movies", ("keyword", "alien", "avoid")),
        ("something from 2018", ("year", {"min": 2018, "max": 2018}, "want")),
        ("a drama from England", ("country", "gb", "want")),
        ("for the whole family", ("genre", "family", "want")),
        ("something my family would enjoy", ("genre", "family", "want")),
        ("fun for a family of four", ("genre", "family", "want")),
        ("it's got to be a western", ("genre", "western", "want")),
        ("a family adventure", ("genre", "family", "want")),
        ("it's movie night with my kids", ("genre", "family or animation", "want")),
        ("I have not. Are there any good comedies?", ("genre", "comedy", "want")),
        ("I have not are there any good comedies", ("genre", "comedy", "want")),
        ("no horror or anything scary", ("genre", "horror", "avoid")),
    ],
)
def test_what_they_lay_down_binds(text: str, must: tuple[str, object, str]) -> None:
    assert must in musts(text)


@pytest.mark.parametrize(
    "text",
    [
        "Tom Hanks is the best!",
        "Brad Pitt and Tom Hanks were excellent",
        "Al Pacino does a great job in Heat (1995)",
        "also Al Pacino in Heat (1995)",
        "it stared Tom Hanks",
        "do you enjoy Christopher Nolan's works?",
    ],
)
def test_people_who_are_spoken_of_are_not_asked_for(text: str) -> None:
    assert musts(text) == []


def test_whoever_plays_in_a_film_of_the_list_may_be_spoken_of() -> None:
    assert musts("with Leonardo DiCaprio? I have never seen it", shown=True) == []
    assert musts("oh nice, with Leonardo DiCaprio", shown=True) == []
    wanted = [("actor", "Leonardo DiCaprio", "want")]
    assert musts("with Leonardo DiCaprio", shown=True) == wanted
    assert musts("oh nice, anything else with Leonardo DiCaprio", shown=True) == wanted
    assert musts("oh nice, with Tom Hanks", shown=True) == [("actor", "Tom Hanks", "want")]


@pytest.mark.parametrize(
    "text",
    [
        "anything Tom Hanks is in",
        "with Tom Hanks, is there one?",
        "any movies that Tom Hanks plays in?",
        "Tom Hanks must be in it",
    ],
)
def test_people_who_are_asked_for_bind(text: str) -> None:
    assert [value for _, value, _ in musts(text)] == ["Tom Hanks"]


def test_a_name_within_a_title_is_nobody_else() -> None:
    known = build_lexicon(
        [
            Movie("m1", "Forgetting Sarah Marshall", year=2008, cast=("Kristen Bell",), fame=4),
            Movie("m2", "Another Film", year=2001, cast=("Darah Marshall",), fame=3),
        ]
    )
    named = understand("what about Forgetting Sarah Marshall (2008)", known)
    assert not named.findings
    assert [m.movie_id for m in named.mentions] == ["m1"]
    misspelt = understand("anything with Sarah Marshall", known)
    assert [f.value for f in misspelt.findings] == ["Darah Marshall"]


def test_films_of_somebody_else_take_the_place_of_the_first() -> None:
    first = "anything with Tom Hanks in it"
    assert musts_after(first, "ok, Al Pacino movies?") == ["Al Pacino"]
    asked = "can you also recommend a movie with Al Pacino"
    assert musts_after(first, asked) == ["with Al Pacino"]
    both = ["with Tom Hanks", "with Al Pacino"]
    assert musts_after(first, "and with Al Pacino") == both
    assert musts_after(first, "with Al Pacino too") == both
    assert musts_after(first, "starring Al Pacino") == both
    assert musts_after("directed by Ridley Scott", "any movies with Al Pacino?") == [
        "directed by Ridley Scott",
        "with Al Pacino",
    ]


def test_a_must_outlives_tastes_and_remarks() -> None:
    said = ("a horror movie, nothing from the 90s", "I like comedies too", "Heat was great, haha")
    assert musts_after(*said) == musts_after(said[0])
    assert len(musts_after(said[0])) == 2


def test_topics_rank_where_a_model_proposes_films() -> None:
    heard = understand("a heist movie, no horror", lexicon())
    edits = decide(DecisionContext(heard.text, heard, DialogueState(), {})).edits
    assert {e.value: e.hard for e in edits} == {"heist": True, "horror": True}
    assert {e.value: e.hard for e in with_free_topics(edits)} == {"heist": False, "horror": True}
    only = understand("only heist movies", lexicon())
    edits = decide(DecisionContext(only.text, only, DialogueState(), {})).edits
    assert all(e.hard for e in with_free_topics(edits))


@pytest.mark.parametrize(
    ("text", "binding"),
    [
        ("a romantic comedy. Maybe something with Tom Hanks", ["romance", "comedy"]),
        ("a horror movie, maybe from the 80s", ["horror"]),
        ("maybe a comedy", ["comedy"]),  # all that is asked for
        ("a comedy or maybe a thriller", ["comedy or thriller"]),
        ("a little more action than romance", []),
        ("I'd say horror, but if any of my friends ask I have to say action", ["horror"]),
        ("a film about history or historical things", ["history"]),
    ],
)
def test_what_is_said_with_doubt_binds_nothing_beside_what_is_asked_for(
    text: str, binding: list[str]
) -> None:
    assert [value for _, value, _ in musts(text)] == binding


def test_who_asks_for_french_films_need_not_be_told_that_they_are_not_american() -> None:
    ledger = ledger_after("French films please", "nothing American")
    assert [c.field for c in constraints_of(ledger).require] == ["language"]
    alone = constraints_of(ledger_after("nothing American"))
    assert [c.field for c in alone.require] == ["country"]


@pytest.mark.parametrize(
    ("text", "companion"),
    [("coming of age movies for my niece", "teens"), ("a movie for my niece", "kids")],
)
def test_what_is_asked_for_tells_how_old_a_child_may_be(text: str, companion: str) -> None:
    found = understand(text, lexicon()).findings
    assert [f.value for f in found if f.kind == "companion"] == [companion]
    sad = {"name": "sadness", "min": 3}
    assert (sad in [f.value for f in found]) is (companion == "kids")
