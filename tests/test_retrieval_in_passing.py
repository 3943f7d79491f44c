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
