"""A movie as an OpenSearch document and back; knowledge files as documents.

Knows the fields of mapping.json: what is searched, what is only kept. Does not know
requests. Pure. Called by opensearch_index.py and opensearch/writer.py.
"""

import base64
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from retrieval.index import Row
from retrieval.movie import ATTRIBUTES, Movie, fold, title_key, values_of
from retrieval.record import from_record, to_record
from retrieval.search_terms import GUESSED, STORED, known_fields, texts_of

MOVIE, PACKED = "movie", "vector_f32"
"""Kept as they were given, never searched: the record, and the vector without any rounding."""
PART_BYTES = 700_000
"""Of a knowledge file in one document: in base64 still below 1 MiB, see `BATCH_BYTES`."""
MAX_ID_BYTES = 512
"""OpenSearch's own limit for a document id."""
DECIMALS = 7
"""Of the searched numbers: a unit vector's cosines keep six exact digits, in half the bytes."""


def document_of(row: Row) -> dict[str, Any]:
    """The document of a movie."""
    movie = row.movie
    fame_part, popularity_part, log_popularity = _prior_parts(movie)
    guesses = {
        kind: [fold(tag.name) for tag in movie.predicted_tags if tag.kind == kind]
        for kind in GUESSED
    }
    return {
        "movie_id": movie.movie_id,
        MOVIE: to_record(movie),
        PACKED: base64.b64encode(row.vector.astype("<f4").tobytes()).decode(),
        "vector": np.round(row.vector.astype(np.float64), DECIMALS).tolist(),
        "title_key": title_key(movie.title),
        "other_title_keys": [title_key(title) for title in movie.alt_titles],
        "known": list(known_fields(movie)),
        "fame_part": fame_part,
        "popularity_part": popularity_part,
        "log_popularity": log_popularity,
        "text": texts_of(movie),
        "value": {name: values for name in STORED if (values := sorted(values_of(movie, name)))},
        "guess": {kind: names for kind, names in guesses.items() if names},
        "number": _numbers(movie),
    }


def as_json(document: dict[str, Any]) -> str:
    """One line; of writing an index, the standard library's JSON was half of our own work."""
    return orjson.dumps(document).decode()


def movie_of(source: dict[str, Any]) -> Movie:
    """The movie that `document_of` was given."""
    return from_record(source[MOVIE])


def vector_of(source: dict[str, Any]) -> npt.NDArray[np.float32]:
    """The vector that `document_of` was given, to the last bit."""
    return np.frombuffer(base64.b64decode(source[PACKED]), dtype="<f4").astype(np.float32)


def decoded(
    sources: Sequence[dict[str, Any]],
) -> tuple[dict[str, Movie], dict[str, npt.NDArray[np.float32]]]:
    """The movies, and the vectors of those that bring theirs, by id."""
    movies = {source["movie_id"]: movie_of(source) for source in sources}
    return movies, {source["movie_id"]: vector_of(source) for source in sources if PACKED in source}


def _numbers(movie: Movie) -> dict[str, int]:
    numbers = {"year": movie.year, "runtime": movie.runtime_min}
    grades = {name: movie.attributes.get(name) for name in ATTRIBUTES}
    return {name: n for name, n in (numbers | grades).items() if n is not None}


def _prior_parts(movie: Movie) -> tuple[float, float, float]:
    """(a, b, l) with prior = a + b / L, where L is the largest l of the index.

    The prior is that of `prior` in local/columns.py; written so, it needs no rebuild when L moves.
    """
    log_popularity = math.log1p(max(movie.popularity or 0.0, 0.0))
    if movie.fame is None:
        return 0.0, 0.8 * log_popularity, log_popularity
    grade = min(max(movie.fame, 1), 5) - 1
    if movie.popularity is None:
        return (grade + 0.5) / 5, 0.0, 0.0
    return grade / 5, log_popularity / 5, log_popularity


# --- knowledge ------------------------------------------------------------------------------------


def parts_of_file(content: bytes, stored_as: str) -> Iterator[dict[str, Any]]:
    """A knowledge file as documents, none of them large."""
    for part, at in enumerate(range(0, max(len(content), 1), PART_BYTES)):
        piece = base64.b64encode(content[at : at + PART_BYTES]).decode()
        yield {"entry": "part", "stored_as": stored_as, "part": part, "content": piece}


def file_of_parts(parts: list[dict[str, Any]]) -> bytes:
    """The knowledge file of its documents, in the order of their numbers."""
    return b"".join(base64.b64decode(part["content"]) for part in parts)
