"""What films should rather be, and how much that still counts beside films that were named."""

from retrieval.leaning import described, leaning, touches, wary
from retrieval.movie import Candidate, Evidence, Match, Movie, Range

RECENT = Range("year", 2018)
OLD = Candidate(Movie("old", "Old", year=1980), 1.0)
NEW = Candidate(Movie("new", "New", year=2020), 0.4)


def test_a_leaning_raises_what_meets_it() -> None:
    assert [c.movie.movie_id for c in leaning([OLD, NEW], [RECENT])] == ["new", "old"]
    assert [c.movie.movie_id for c in leaning([OLD, NEW], [])] == ["old", "new"]


def test_films_named_take_their_share_of_a_leaning() -> None:
    few, many = leaning([OLD, NEW], [RECENT], named=0), leaning([OLD, NEW], [RECENT], named=4)
    assert [c.movie.movie_id for c in few] == ["new", "old"]
    assert [c.movie.movie_id for c in many] == ["old", "new"]
    assert many[1].score > NEW.score  # less, not nothing


def test_only_what_is_guessed_makes_a_ruling_out_look_further_down() -> None:
    scary, series = Match("mood", frozenset({"scary"})), Match("kind", frozenset({"series"}))
    assert touches([RECENT], []) and touches([], [series, scary])
    assert not touches([], [series, Range("runtime", None, 39)])
    assert wary([OLD, NEW], [series]) == [OLD, NEW]


def test_short_descriptions_are_searched_as_they_are() -> None:
    assert described("a film i think about trains") == "a film i think about trains"


def test_a_film_that_a_model_proposes_is_on_topic_without_a_tag() -> None:
    heist = Match("topic", frozenset({"heist"}))
    tagged = Candidate(Movie("tagged", "Tagged", themes=("heist",)), 0.2)
    proposed = Candidate(Movie("thin", "Thin"), 0.3, (Evidence("proposals", 1, 1.0),))
    other = Candidate(Movie("other", "Other"), 0.4, (Evidence("popular", 1, 1.0),))
    found = [c.movie.movie_id for c in leaning([other, proposed, tagged], [heist])]
    assert found == ["thin", "tagged", "other"]
