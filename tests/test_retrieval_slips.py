"""What must not be heard wrongly: bounds with slips, numbers and nations as titles, undo, taken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.nlu.slips import mended
from retrieval.understand import understand
from retrieval.understanding import Understanding
from small_lexicon import films, lexicon

LURES = (
    ("88 Minutes", 2008),
    ("15 Minutes", 2001),
    ("The Italian", 2005),
    ("G", 2002),
    ("The Family", 2013),
    ("Back to the Future", 1985),
    ("Parasite", 2019),
    ("Interstellar", 2014),
    ("2001: A Space Odyssey", 1968),
    ("Star Wars: Episode IV - A New Hope", 1977),
)
NAMES = build_lexicon(
    (*films(), *(Movie(f"l{n}", title, year=y, fame=5) for n, (title, y) in enumerate(LURES)))
)


def hear(text: str) -> Understanding:
    return understand(text, NAMES)


def heard(text: str) -> set[tuple[str, Any, str]]:
    found: set[tuple[str, Any, str]] = set()
    for f in hear(text).findings:
        value = f.value if isinstance(f.value, str) else tuple(sorted(f.value.items()))
        found.add((f.kind, value, f.polarity))
    return found


def stances(text: str) -> dict[str, str]:
    return {m.title: m.stance for m in hear(text).mentions}


def at_most(minutes: int) -> set[tuple[str, Any, str]]:
    return {("runtime", (("max", minutes),), "want")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothnig longer than 100 minutes", at_most(100)),
        ("no logner than 100 minutes", at_most(100)),
        ("undr 100 minutes", at_most(100)),
        ("less thna 90 min", at_most(90)),
        ("at most 110 minues", at_most(110)),
        ("at mot 110 minutes", at_most(110)),
        ("nto horror", {("genre", "horror", "avoid")}),
        ("wihtout horror", {("genre", "horror", "avoid")}),
        ("no more than 80 minutes", at_most(80)),
        ("no longer than 115 minutes, thanks", at_most(115)),
        ("105 minutes, no more", at_most(105)),
        ("maximal 95 minutes", at_most(95)),
        ("between 120 and 160 minutes", {("runtime", (("max", 160), ("min", 120)), "want")}),
        ("it has to fit in 130 minutes", {("runtime", (("max", 130),), "want")}),
        ("it has to be under two hours", {("runtime", (("max", 120),), "want")}),
        (
            "at least 90 but no more than 120 minutes",
            {("runtime", (("max", 120), ("min", 90)), "want")},
        ),
        ("two to three hours", {("runtime", (("max", 180), ("min", 120)), "want")}),
        ("an Italian film, in Italian", {("language", "it", "want")}),
        (
            "sorry, in Italian, not French",
            {("language", "it", "want"), ("language", "fr", "avoid")},
        ),
        ("a German-language film: in German, that is", {("language", "de", "want")}),
        ("not in English for once", {("language", "en", "avoid")}),
        ("nothing in English please", {("language", "en", "avoid")}),
        ("no subtitles, in English", {("language", "en", "want")}),
        ("horror, but rated G", {("genre", "horror", "want"), ("certificate", "G", "want")}),
        ("comedy over horror", {("genre", "comedy", "want")}),
        ("about sport, it's for my team", {("genre", "sport", "want")}),
        (
            "no comedy and from before 1990",
            {("genre", "comedy", "avoid"), ("year", (("max", 1989),), "want")},
        ),
        (
            "but not by Steven Spielberg, I've seen them all",
            {("director", "Steven Spielberg", "avoid")},
        ),
        ("pas d'horreur ce soir", {("genre", "horror", "avoid")}),
        ("je cherche un film familial", {("genre", "family", "want")}),
        ("sin guerra por favor", {("genre", "war", "avoid")}),
        ("höchstens 110 Minuten", at_most(110)),
        ("de 105 minutos como máximo", at_most(105)),
        ("nichts vor 1990", {("year", (("min", 1990),), "want")}),
        ("rien d'avant 1990", {("year", (("min", 1990),), "want")}),
        ("nada de antes de 1990", {("year", (("min", 1990),), "want")}),
    ],
)
def test_no_bound_is_lost_turned_or_made_a_film(text: str, expected: set[Any]) -> None:
    assert heard(text) == expected
    assert not hear(text).mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a good scifi moive like interstleler", {"Interstellar": "seed"}),
        ("somthing like Intersteller pls", {"Interstellar": "seed"}),
        ("somthing lik intersteler", {"Interstellar": "seed"}),
        ("an intersteler type of movie", {"Interstellar": "seed"}),
        ("some back to the future kind of film", {"Back to the Future": "seed"}),
        ("Parasite blew me away. More like that?", {"Parasite": "seed"}),
        ("Back to the Future I have seen before", {"Back to the Future": "seen"}),
        ("Back to the Future it is, thanks!", {"Back to the Future": "unseen"}),
        ("I'll take 2001: A Space Odyssey", {"2001: A Space Odyssey": "unseen"}),
        ("let's go with back to the future", {"Back to the Future": "unseen"}),
        (
            "let's go with star wars: episode iv - a new hope",
            {"Star Wars: Episode IV - A New Hope": "unseen"},
        ),
        ("The Matrix nehme ich, danke!", {"The Matrix": "unseen"}),
        ("why interstellar?", {"Interstellar": "asked"}),
    ],
)
def test_films_are_taken_seen_and_asked_about(text: str, expected: dict[str, str]) -> None:
    found = hear(text)
    assert stances(text) == expected
    assert not found.undo
    assert not found.findings or "scifi" in text
    assert ("accept" in found.small_talk) == ("unseen" in expected.values())


@pytest.mark.parametrize(
    ("text", "genre"),
    [
        ("documentery about whales", "documentary"),
        ("some westerms", "western"),
        ("a fantazy film", "fantasy"),
    ],
)
def test_kinds_of_film_with_another_letter(text: str, genre: str) -> None:
    assert mended(text, lexicon()).text != text
    assert genre in {f.value for f in hear(text).findings}


def test_what_a_misspelt_documentary_is_about_is_no_title() -> None:
    assert not hear("documentery abuot the matrix").mentions


@pytest.mark.parametrize("text", ["no, undo", "no wait, undo that", "take that back please, undo"])
def test_undo_is_heard_among_other_words(text: str) -> None:
    assert hear(text).undo


@pytest.mark.parametrize(
    "text", ["ok, good night, you know", "sorry, got to go, bye, you know", "bye for now"]
)
def test_goodbyes(text: str) -> None:
    assert "goodbye" in hear(text).small_talk


@pytest.mark.parametrize(
    "text", ["can you ordr me a pizza?", "whats the wether tomorrow", "a taxi, boook me a taxi"]
)
def test_one_slip_makes_no_film_search(text: str) -> None:
    assert hear(text).out_of_scope


def test_not_knowing_what_to_watch_describes_nothing() -> None:
    for text in ("I have no idea what to watch", "I don't know what to watch"):
        assert not hear(text).says_anything


def test_a_polite_too_joins_as_well() -> None:
    assert hear("it should be fantasy too please").additive
    assert not hear("too please").findings


def test_an_older_film_than_the_example() -> None:
    (comparison,) = hear("Alien, but an older film").comparisons
    assert (comparison.what, comparison.direction) == ("year", -1)


def test_a_correction_takes_the_place_of_the_person_named_last() -> None:
    (withdrawal,) = hear("no, I mean Tom Hanks").withdrawals
    assert withdrawal.newest and withdrawal.kind == "person"
    assert not hear("and Tom Hanks").withdrawals


def test_the_family_film_outlives_the_age_of_the_children() -> None:
    genres = {v for k, v, _ in heard("babysitting three kids, a family film") if k == "genre"}
    assert genres == {"family"}


def test_marks_lie_where_the_words_were_said() -> None:
    text = "nothnig lnoger than 100 minues, with Brad Pitt"
    said = {text[m.start : m.end] for m in understand(text, lexicon()).marks}
    assert "Brad Pitt" in said


@pytest.mark.parametrize(
    "text", ["an older movie", "who wrote it", "form a line", "a witch", "Joe"]
)
def test_words_are_left_alone(text: str) -> None:
    assert mended(text, lexicon()).text == text


@given(st.text(max_size=60))
def test_places_stay_within_the_text(text: str) -> None:
    right = mended(text, lexicon())
    places = [right.before(place) for place in range(len(right.text) + 1)]
    assert all(0 <= place <= len(text) for place in places)
