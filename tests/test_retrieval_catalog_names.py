"""What catalogues write, in our words: genres that only their keywords tell."""

from retrieval.catalogs.fields import movie_of
from retrieval.catalogs.names import told_genres


def test_genres_that_sources_tell_by_keywords() -> None:
    assert told_genres(["sports", "Biopic", "sportswear"]) == ("sport", "biography")
    assert told_genres(["Romantic comedy", "romantic"]) == ("romance", "comedy")
    assert told_genres(["suspense", "period piece"]) == ("thriller", "history")


def test_they_are_added_to_those_of_the_row() -> None:
    row = {"movie_id": "a", "title": "A", "genres": ["Drama"], "keywords": ["sports", "drama"]}
    movie = movie_of(row, {}, films_only=False)
    assert movie.genres == ("drama", "sport")
