"""The film side of training: every film of a catalogue as a vector, from what may be trained on.

Knows which parts of a record may shape weights that ship: facts (title, year, genres, people) of
any catalogue and the starter's own tags; never a catalogue's overviews, keywords or tags, whose
licences forbid it. Does not know queries. Called by make_training_data.py and train_enhancer.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.catalog import ReadReport, open_catalogue
from retrieval.document import document
from retrieval.encoder import Encoder
from retrieval.jobs.vector_cache import VectorCache, key_of
from retrieval.knowledge import join_tags, with_tags
from retrieval.movie import Movie
from retrieval.title_join import TitleJoin

CHUNK = 256
"""Films encoded between two writes of the cache, so that a killed run continues."""


@dataclass(frozen=True)
class TrainingFilms:
    """Films by row, with what refers to them."""

    movies: Sequence[Movie]
    """With the starter's tags and overview where it has the film."""
    vectors: npt.NDArray[np.float32]
    """(n, d), L2-normalised, in the order of `movies`: from facts and the starter's tags.

    Not from its overviews: only well known films have one, which no index would repeat.
    """
    join: TitleJoin

    @property
    def rows(self) -> dict[str, int]:
        """{movie_id: row}."""
        return {movie.movie_id: row for row, movie in enumerate(self.movies)}


def training_films(
    catalogue: Path, encoder: Encoder, workplace: Path, knowledge: Path
) -> TrainingFilms:
    """Read, strip, join the starter and encode; vectors are kept in `workplace`."""
    join = TitleJoin()
    bare = [facts_of(movie) for movie in open_catalogue(catalogue).movies(ReadReport())]
    for movie in bare:
        join.add(movie)
    tags, _ = join_tags(knowledge, join)
    overviews = _overviews(knowledge, join)
    movies = [
        replace(with_tags(m, tags.get(m.movie_id)), overview=overviews.get(m.movie_id, ""))
        for m in bare
    ]
    texts = [document(replace(movie, overview="")) for movie in movies]
    return TrainingFilms(movies, encoded(texts, encoder, workplace), join)


def _overviews(knowledge: Path, join: TitleJoin) -> dict[str, str]:
    """{movie_id of the training catalogue: what the starter says of the film}."""
    found: dict[str, str] = {}
    for movie in open_catalogue(knowledge / "movies.jsonl.gz").movies(ReadReport()):
        movie_id = join.find({"title": movie.title, "year": movie.year, "imdb": movie.imdb})
        if movie_id:
            found[movie_id] = movie.overview
    return found


def facts_of(movie: Movie) -> Movie:
    """A record without the words that somebody wrote about the film."""
    return replace(movie, overview="", keywords=(), themes=(), moods=(), attributes={})


def encoded(texts: Sequence[str], encoder: Encoder, workplace: Path) -> npt.NDArray[np.float32]:
    """The vectors of texts, from the cache where they are."""
    with VectorCache(workplace, encoder.identity) as cache:
        keys = [key_of(text) for text in texts]
        by_key = dict(zip(keys, texts, strict=True))
        absent = cache.missing(keys)
        for start in range(0, len(absent), CHUNK):
            chunk = absent[start : start + CHUNK]
            cache.put(chunk, encoder.encode([by_key[key] for key in chunk]))
        return cache.get(keys)
