"""What is said in passing, or asked of the catalogue rather than of a film: wishes, or none."""

from typing import Any

import pytest

from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.understand import Context, understand
from small_lexicon import films, hear, lexicon, values

SHOWN = Context(films()[:5])


def _film(number: int, title: str) -> Movie:
    return Movie(f"x{number}", title, year=2000, runtime_min=100, fame=3)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("what is the best crime movie from 2010", {"genre", "year"}),
        ("what was the best comedy of 2011?", {"genre", "year"}),
        ("what are the scariest horror films?", {"genre"}),
        ("what is a highly rated western made in 1970", {"genre", "year"}),
        (
            "what is a documentary that was rated PG and made in 2010",
            {"genre", "year", "certificate"},
        ),
    ],
)
def test_the_best_of_a_kind_is_asked_of_the_catalogue(text: str, kinds: set[str]) -> None:
    heard = hear(text)
    assert heard.question is None
    assert {f.kind for f in heard.findings} == kinds


@pytest.mark.parametrize(
    "text", ["which is the best of these comedies?", "what's the scariest?", "what is Alien rated?"]
)
def test_what_is_asked_of_films_at_hand(text: str) -> None:
    heard = hear(text, SHOWN)
    assert heard.question is not None
    assert not heard.findings


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("a drama from the nineties onwards", "year", ({"min": 1990}, "want", True)),
        ("80s and up", "year", ({"min": 1980}, "want", True)),
        (
            "what's good from this year or last?",
            "year",
            ({"min": lexicon().newest_year - 1}, "want", True),
        ),
        ("must finish before midnight and it's 10:15 now", "runtime", ({"max": 105}, "want", True)),
        ("a black comedy", "mood", ("dark humour", "want", False)),
        ("something in Italian with English subtitles", "language", ("it", "want", True)),
        ("is there any western on netflix?", "service", ("netflix", "want", True)),
        ("is there any western on netflix?", "genre", ("western", "want", True)),
        ("nobody wants anything longer than two hours", "runtime", ({"max": 120}, "want", True)),
        ("nothin romantic", "attribute", ({"name": "romance", "min": 2}, "avoid", True)),
        ("what's new in horror", "year", ({"min": lexicon().newest_year - 4}, "want", False)),
        ("we've got twins, they're seven", "genre", ("family or animation", "want", True)),
        ("a comedy I might not know", "fame", ("little known", "want", False)),
        (
            "something scary, but not too scary",
            "attribute",
            ({"name": "scariness", "min": 3}, "avoid", True),
        ),
        (
            "is there any anime that's not for kids?",
            "attribute",
            ({"name": "family_friendly", "min": 3}, "avoid", True),
        ),
        ("that's too gory for my wife", "companion", ("date night", "want", False)),
        (
            "for my 8 year old, a bit scary but not too scary",
            "attribute",
            ({"name": "scariness", "min": 2}, "avoid", True),
        ),
    ],
)
def test_wishes_in_passing(text: str, kind: str, expected: tuple[Any, str, bool]) -> None:
    assert expected in values(text, kind)


@pytest.mark.parametrize("text", ["is Heat on netflix?", "how long is Heat? is it very long?"])
def test_a_question_is_no_wish(text: str) -> None:
    assert not hear(text).findings


@pytest.mark.parametrize(
    "text", ["can you call my mom for me", "who's the president of france?", "turn the lights off"]
)
def test_not_what_an_usher_does(text: str) -> None:
    assert hear(text).out_of_scope


@pytest.mark.parametrize(
    ("text", "stance"),
    [("I know the second one", "seen"), ("swap the second one for something newer", "not_now")],
)
def test_a_film_of_the_list_that_is_known_or_unwanted(text: str, stance: str) -> None:
    assert [(m.title, m.stance) for m in hear(text, SHOWN).mentions] == [("Heat", stance)]


def test_a_director_s_name_that_is_also_a_title() -> None:
    made = tuple(
        Movie(f"h{n}", title, year=1960, directors=("Alfred Hitchcock",), fame=4)
        for n, title in enumerate(("Psycho", "Vertigo", "Rear Window"))
    )
    more = build_lexicon((*films(), *made, _film(9, "Hitchcock")))
    heard = understand("something by Hitchcock", more)
    assert [(f.kind, f.value) for f in heard.findings] == [("director", "Alfred Hitchcock")]
    assert [m.title for m in understand("have you seen Hitchcock?", more).mentions] == ["Hitchcock"]


def test_what_somebody_fears_is_not_wanted() -> None:
    names = build_lexicon((*films(), _film(9, "My Son")))
    heard = understand("my son is afraid of spiders", names)
    assert not heard.mentions
    assert all(f.polarity == "avoid" for f in heard.findings if f.value == "spiders")


def test_a_sequel_is_asked_of_the_film_that_is_named() -> None:
    heard = hear("is there a sequel to Heat?")
    assert heard.question is not None
    assert [m.title for m in heard.mentions] == ["Heat"]


def test_things_that_films_are_known_to_have() -> None:
    loud = tuple(
        Movie(f"e{n}", f"Loud {n}", year=1990, keywords=("explosion",), overview="big explosions")
        for n in range(6)
    )
    more = build_lexicon((*films(), *loud))
    [found] = understand("something with lots of explosions", more).findings
    assert (found.kind, found.value, found.hard) == ("keyword", "explosion", False)


@pytest.mark.parametrize(
    "text",
    [
        "a western instead of homework",
        "I should be doing homework but I want a western",
        "the weather is bad, let's watch a western",
        "I'd rather watch a western than write this essay",
        "a western while I cook dinner",
    ],
)
def test_what_they_do_not_do_now_is_asked_of_nobody(text: str) -> None:
    heard = hear(text)
    assert not heard.out_of_scope
    assert [(f.value, f.polarity) for f in heard.findings if f.kind == "genre"] == [
        ("western", "want")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "help me with my homework",
        "what's the weather like?",
        "can you do my taxes?",
        "will it rain?",
    ],
)
def test_what_they_do_ask_for_may_not_be_about_films(text: str) -> None:
    assert hear(text).out_of_scope


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("nothing over two and a half hours", 150),
        ("keep it below 2 1/2 hours", 150),
        ("two and a half hours is my absolute limit", 150),
        ("if it's longer than 2:20 I'm out", 140),
        ("at the very most 140 min", 140),
        ("a runtime of 140 minutes or less", 140),
        ("two-hour limit", 120),
        ("under the two-hour mark", 120),
        ("I refuse to sit longer than two hours", 120),
        ("not a minute over 140 minutes", 140),
        ("two hours twenty is the most I can take", 140),
        ("cap it at 130 minutes", 130),
        ("130 mins is the ceiling", 130),
    ],
)
def test_how_long_at_most(text: str, minutes: int) -> None:
    assert values(text, "runtime") == [({"max": minutes}, "want", True)]
    assert hear(text).question is None


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("mid-60s to late 60s", {"min": 1963, "max": 1969}),
        ("between the late fifties and the mid sixties", {"min": 1955, "max": 1966}),
        ("from '65 to '69", {"min": 1965, "max": 1969}),
        ("'60s or '70s", {"min": 1960, "max": 1979}),
        ("nothing but 60s films", {"min": 1960, "max": 1969}),
    ],
)
def test_one_stretch_of_years(text: str, years: dict[str, int]) -> None:
    assert values(text, "year") == [(years, "want", True)]


@pytest.mark.parametrize("text", ["something newish", "a new-ish thriller", "recent-ish"])
def test_somewhat_new(text: str) -> None:
    newest = lexicon().newest_year
    assert values(text, "year") == [({"min": newest - 4}, "want", False)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("leave war out of it", "genre", "war"),
        ("give war films a miss", "genre", "war"),
        ("hold off on the war movies", "genre", "war"),
        ("count war films out", "genre", "war"),
        ("we've had our fill of war films", "genre", "war"),
        ("I get nightmares from war movies", "genre", "war"),
        ("not about Vietnam", "keyword", "vietnam war"),
        ("a war film that isn't about WW2 or Vietnam", "keyword", "vietnam war"),
        ("not set in New York", "keyword", "new york"),
        ("a horror film, not a sequel", "keyword", "sequel"),
        ("not a remake", "keyword", "remake"),
    ],
)
def test_what_is_refused_in_other_words(text: str, kind: str, value: str) -> None:
    assert (value, "avoid", True) in values(text, kind)


def test_of_a_kind_that_is_refused_the_rest_is_welcome() -> None:
    assert values("not the gory kind of horror", "genre") == [("horror", "want", True)]
    assert values("not the gory kind of horror", "attribute") == [
        ({"name": "violence", "min": 2}, "avoid", True)
    ]


@pytest.mark.parametrize(
    "text", ["the length is fine", "the length is ok, but nothing silly", "length is no problem"]
)
def test_what_is_fine_is_let_go_of(text: str) -> None:
    assert {w.kind for w in hear(text).withdrawals} == {"runtime"}


@pytest.mark.parametrize(
    "text",
    [
        "next ones, please, thanks",
        "more please, thank you",
        "the next batch please",
        "other ones, ta",
    ],
)
def test_more_is_asked_for_politely(text: str) -> None:
    assert hear(text, SHOWN).more


@pytest.mark.parametrize(
    "text",
    [
        "help me find the next one",
        "help me find what to watch",
        "help me find that one",
        "help me find the right film",
    ],
)
def test_who_asks_for_help_has_forgotten_no_film(text: str) -> None:
    assert not hear(text).known_item


@pytest.mark.parametrize("text", ["do you remember what I like?", "do you know my taste?"])
def test_what_is_known_of_them(text: str) -> None:
    assert hear(text).about_me


@pytest.mark.parametrize(
    "text",
    [
        "we have a small child",
        "there's a toddler in the room",
        "kids are around",
        "someone's bringing their kids",
        "our boy is 7",
    ],
)
def test_a_child_that_is_present(text: str) -> None:
    assert ("kids", "want", False) in values(text, "companion")


@pytest.mark.parametrize(
    "text",
    [
        "a film where kids are around",
        "the kids are in bed",
        "my son fell asleep",
        "the kids won't be there",
    ],
)
def test_a_child_of_a_story_or_asleep(text: str) -> None:
    assert not values(text, "companion")


def test_several_countries_are_a_choice() -> None:
    assert values("something from Italy or Spain", "language") == [("it or es", "want", True)]


def test_the_certificate_of_a_film_that_sounds_good() -> None:
    heard = hear("the third one sounds good, what's its rating?", SHOWN)
    assert heard.question is not None
    assert heard.question.about == "certificate"
    assert [m.stance for m in heard.mentions] == ["asked"]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("a horror film, but skip anything with clowns", "keyword", "clowns"),
        ("no movies with spiders", "keyword", "spiders"),
        ("date night, but she hates soppy stuff", "attribute", {"name": "romance", "min": 2}),
        ("no gory films", "attribute", {"name": "violence", "min": 2}),
    ],
)
def test_what_a_film_must_not_have(text: str, kind: str, value: Any) -> None:
    assert (value, "avoid", True) in values(text, kind)


def test_a_friend_from_abroad_asks_for_no_language() -> None:
    assert not values("my French wife likes comedies", "language")
    assert values("a French comedy", "language") == [("fr", "want", True)]


def test_somebody_in_a_story_is_no_film() -> None:
    known = [Movie("t1", "Taxi Driver", year=1976, fame=5)]
    names = build_lexicon([*films(), *known])
    assert not understand("a film with a taxi driver in it", names).mentions
    assert understand("something like taxi driver", names).mentions


def test_whether_they_would_like_it_is_a_question() -> None:
    question = hear("would I like it?", Context(films()[:5], films()[2])).question
    assert question is not None
    assert (question.about, question.movie_id) == ("rating", films()[2].movie_id)


def test_i_would_go_for_it() -> None:
    assert "accept" in hear("I'd go for the first, cheers", SHOWN).small_talk


def test_more_is_told_of_a_forgotten_film() -> None:
    before = "what's the film where a man is stuck in a hotel in Tokyo?"
    told = hear("no, not that one, it's just the two of them talking", Context(before=before))
    assert told.known_item
    assert "Tokyo" in told.query_text


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("I've only got time for 80 minutes", "runtime", ({"max": 80}, "want", True)),
        ("I have time for two hours", "runtime", ({"max": 120}, "want", True)),
        ("something in the style of Spielberg", "person", ("Steven Spielberg", "want", False)),
        ("the shortest Spielberg film", "director", ("Steven Spielberg", "want", True)),
        ("what has Al Pacino been in that's tense?", "mood", ("tense", "want", False)),
        ("give me something under the radar", "fame", ("little known", "want", False)),
    ],
)
def test_wishes_in_other_words(text: str, kind: str, expected: tuple[Any, str, bool]) -> None:
    assert expected in values(text, kind)
