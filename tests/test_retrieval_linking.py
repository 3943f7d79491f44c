"""Who directs and who plays, and which small letters are a film: by what stands around a name."""

import pytest

from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon
from retrieval.understand import understand
from small_lexicon import films, lexicon

EASTWOOD = Movie(
    "e1",
    "Unforgiven",
    year=1992,
    directors=("Clint Eastwood",),
    cast=("Clint Eastwood", "Gene Hackman"),
    fame=4,
)
HITCHCOCKS = (
    *(
        Movie(f"h{year}", title, year=year, directors=("Alfred Hitchcock",), fame=5)
        for title, year in (("Vertigo", 1958), ("Psycho", 1960), ("Rear Window", 1954))
    ),
    Movie("h2012", "Hitchcock", year=2012, directors=("Sacha Gervasi",), fame=3),
    Movie("crowd", "Crowd", cast=tuple(f"Extra{n} Unknown{n}" for n in range(600)), fame=1),
)
"""One of 150 people is famous: the crowd makes room for him."""
NAMES = build_lexicon((*films(), EASTWOOD, *HITCHCOCKS))


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("movies directed by clint eastwood", "director"),
        ("did clint eastwood ever direct a comedy", "director"),
        ("the last western that Clint Eastwood directed", "director"),
        ("something with clint eastwood as the director", "director"),
        ("movies starring clint eastwood", "actor"),
        ("what western did clint eastwood star in", "actor"),
        ("a western with clint eastwood", "actor"),
    ],
)
def test_the_words_around_a_name_say_its_role(text: str, role: str) -> None:
    [finding] = [f for f in understand(text, NAMES).findings if f.value == "Clint Eastwood"]
    assert finding.kind == role


def test_who_is_joined_to_a_director_directs_too() -> None:
    heard = understand("movies directed by steven spielberg and christopher nolan", lexicon())
    kinds = {f.value: f.kind for f in heard.findings}
    assert kinds == {"Steven Spielberg": "director", "Christopher Nolan": "director"}


def test_a_role_nobody_had_binds_to_the_person_only() -> None:
    [finding] = understand("a film directed by tom hanks", lexicon()).findings
    assert (finding.kind, finding.value) == ("person", "Tom Hanks")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("top ten Hitchcock films", "Alfred Hitchcock"),
        ("I love Hitchcock", "Alfred Hitchcock"),
        ("Hitchcock", "Alfred Hitchcock"),
        ("Hitchcock's best", "Alfred Hitchcock"),
        ("have you got Eastwood westerns", "Clint Eastwood"),
    ],
)
def test_a_surname_is_the_person_where_their_films_are_meant(text: str, name: str) -> None:
    heard = understand(text, NAMES)
    assert name in {f.value for f in heard.findings}
    assert not heard.mentions


@pytest.mark.parametrize(
    "text", ["I've seen Hitchcock", "Hitchcock (2012)", "who is in Hitchcock?"]
)
def test_the_film_called_as_a_person_is_still_one(text: str) -> None:
    [mention] = understand(text, NAMES).mentions
    assert mention.title == "Hitchcock"


@pytest.mark.parametrize("text", ["movies with zork dicaprio", "list movies", "with quentin nolan"])
def test_a_surname_beside_a_name_nobody_knows_is_somebody_else(text: str) -> None:
    assert not understand(text, lexicon()).findings


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("who directed heat", {"Heat"}),
        ("who directed up", {"Up"}),
        ("play the trailer for the matrix", {"The Matrix"}),
        ("when did jaws come out", {"Jaws"}),
        ("the movie alien", {"Alien"}),
        ("how many harry potter movies are there", {"Harry Potter and the Sorcerer's Stone"}),
        ("a movie about a heat wave", set()),
        ("a film where an alien comes to earth", set()),
        ("a drama with a rating of nine", set()),
        ("who directed it?", set()),
        ("movies from the last five years", set()),
    ],
)
def test_small_letters_are_a_film_where_the_words_around_say_so(
    text: str, titles: set[str]
) -> None:
    heard = understand(text, lexicon())
    assert {m.title for m in heard.mentions} == titles


def test_a_sequel_that_the_catalogue_lacks_is_not_the_first_film() -> None:
    assert not understand("something like the matrix 4", lexicon()).mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a mockumentary", {("keyword", "mockumentary")}),
        ("a police drama", {("keyword", "police"), ("genre", "drama")}),
        ("the police came", set()),
        ("children's movies", {("genre", "family")}),
        ("no parodies", {("keyword", "parody")}),
    ],
)
def test_kinds_of_film_are_read_where_they_are_one(
    text: str, expected: set[tuple[str, str]]
) -> None:
    assert {(f.kind, f.value) for f in understand(text, lexicon()).findings} == expected


NEWEST = lexicon().newest_year


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("from the 1980 s", 1980, 1989),
        ("in the past three decades", NEWEST - 29, None),
        ("from the last ten years", NEWEST - 9, None),
        ("from last year", NEWEST - 1, None),
    ],
)
def test_spans_of_years(text: str, low: int, high: int | None) -> None:
    [finding] = [f for f in understand(f"a comedy {text}", lexicon()).findings if f.kind == "year"]
    assert finding.value == {"min": low} | ({"max": high} if high else {})


@pytest.mark.parametrize(
    "text", ["Yeah it was awesome.", "That was awesome too", "Seven was amazing"]
)
def test_praise_names_no_film(text: str) -> None:
    praise = (Movie("p1", "Awesome", year=2006), Movie("p2", "Amazing", year=2018))
    named = understand(text, build_lexicon((*films(), *praise))).mentions
    assert not {m.movie_id for m in named} & {"p1", "p2"}


def test_a_topic_that_opens_a_message_is_no_film_of_that_name() -> None:
    zombies = Movie("z1", "Zombies", year=1978, themes=("zombies",), fame=4)
    heard = understand("zombies, but make it a comedy", build_lexicon((*films(), zombies)))
    assert not heard.mentions
    assert ("theme", "zombies") in {(f.kind, f.value) for f in heard.findings}
