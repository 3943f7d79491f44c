"""A model's titles become movies of the catalogue or are dropped."""

from retrieval.grounding import ground
from retrieval.movie import Movie
from retrieval.nlu.lexicon_builder import build_lexicon

LEXICON = build_lexicon(
    [
        Movie("m1", "The Thing", year=1982, fame=4),
        Movie("m2", "The Thing", year=2011, fame=2),
        Movie("m3", "Amélie", year=2001, alt_titles=("Le Fabuleux Destin d'Amélie Poulain",)),
        Movie(
            "m5", "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb", year=1964
        ),
        Movie("m4", "Pirates of the Caribbean: The Curse of the Black Pearl", year=2003),
    ]
)


def test_year_tells_remakes_apart() -> None:
    assert ground(["The Thing (2011)", "The Thing (1982)"], LEXICON).movie_ids == ("m2", "m1")


def test_without_a_year_the_best_known_is_meant() -> None:
    assert ground(["Thing, The"], LEXICON).movie_ids == ("m1",)


def test_year_may_be_one_off_but_no_more() -> None:
    grounded = ground(["Amelie (2002)", "Amelie (1995)"], LEXICON)
    assert grounded.movie_ids == ("m3",)
    assert grounded.unknown == ("Amelie (1995)",)


def test_order_is_kept_and_each_movie_comes_once() -> None:
    titles = ["Amélie (2001)", "Invented Film (1999)", "The Thing (1982)", "amelie"]
    grounded = ground(titles, LEXICON)
    assert grounded.movie_ids == ("m3", "m1")
    assert grounded.unknown == ("Invented Film (1999)",)


def test_a_title_of_any_length_is_found() -> None:
    long = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb (1964)"
    assert ground([long], LEXICON).movie_ids == ("m5",)


def test_odd_titles_are_unknown() -> None:
    assert ground(["", "()", "(1982)", "\x00"], LEXICON).movie_ids == ()
