"""The port MovieIndex: everything the retriever asks of a store of movies.

Knows legs (ways to search), hits and the errors an index may raise. Does not know how any index
works: `local_index.py` is the embedded one, `opensearch_index.py` the served one;
`tests/contracts_index.py` holds the behaviour that both must show. Called by retriever.py, tools/
and infra/wiring.py.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from retrieval.movie import Clause, Constraints, Movie, Wish
from retrieval.search_terms import BOOSTS

WINDOW = 200
"""How many hits each leg brings: retrieve-50-then-rerank cannot reach a good LLM's recall."""


class IndexFailure(Exception):
    """Something is wrong with the index; the message says what to do next."""


class IndexMissing(IndexFailure):
    """There is no index at that place."""


class IndexCorrupt(IndexFailure):
    """The files of the index do not fit together."""


class EncoderMismatch(IndexFailure):
    """The index was built with another encoder."""


class IndexUnavailable(IndexFailure):
    """The index cannot be reached or did not answer in time; retryable."""


class IndexReadOnly(IndexFailure):
    """The index cannot be written (read-only place, full disk, another writer)."""


@dataclass(frozen=True, slots=True)
class TextLeg:
    """BM25 over title, people, keywords and overview; a title equal to the text comes first."""

    text: str
    name: str = "text"
    boosts: Mapping[str, float] = field(default_factory=lambda: BOOSTS)
    """{text field: weight of a word in it}."""


@dataclass(frozen=True, slots=True)
class VectorLeg:
    """Cosine with a query vector of shape (d,), L2-normalised."""

    vector: np.ndarray
    name: str = "dense"


@dataclass(frozen=True, slots=True)
class TagLeg:
    """Sum of the weights of the wishes that a movie fulfils; a predicted tag counts half.

    Only movies with a positive sum are hits. Among equal sums the better known comes first.
    """

    wishes: tuple[Wish, ...]
    name: str = "tags"


@dataclass(frozen=True, slots=True)
class ListLeg:
    """A list scored elsewhere (neighbours, archetypes, proposals): the index only filters it."""

    scores: Mapping[str, float]
    """{movie_id: score}; ids that the index lacks are dropped."""
    name: str = "list"


@dataclass(frozen=True, slots=True)
class PopularLeg:
    """The best-known movies that fit."""

    name: str = "popular"


Leg = TextLeg | VectorLeg | TagLeg | ListLeg | PopularLeg


@dataclass(frozen=True, slots=True)
class Hits:
    """The hits of one leg, best first; ties are broken by movie_id so that lists are stable."""

    leg: str
    movie_ids: tuple[str, ...]
    scores: tuple[float, ...]
    degraded: bool = False
    """True when the answer may be partial (time-out, failed shard)."""


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What `usher index info` and `usher doctor` print."""

    movies: int
    encoder_name: str
    encoder_sha: str
    dimension: int
    revision: str
    built_at: str
    source: str
    """Where the catalogue came from, as given at build time."""
    known: Mapping[str, int] = field(default_factory=dict)
    """{field: how many movies have a value}."""
    knowledge: Mapping[str, str] = field(default_factory=dict)
    """{knowledge file: its sha}."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What may differ since an earlier revision; looked at again, the rest is as it was."""

    movie_ids: frozenset[str]
    """Put or deleted: `get` says which."""
    knowledge: bool
    """Whether knowledge files were stored."""


@dataclass(frozen=True, slots=True)
class Row:
    """A movie with its vector of shape (d,), as written to an index."""

    movie: Movie
    vector: np.ndarray


def check_row(row: Row, dimension: int) -> None:
    """Refuse what could not be read back."""
    movie_id = row.movie.movie_id
    if not movie_id or "\n" in movie_id:
        raise ValueError(f"movie_id {movie_id!r} must be one non-empty line")
    if row.vector.shape != (dimension,) or not np.isfinite(row.vector).all():
        raise ValueError(f"the vector of {movie_id} must hold {dimension} finite numbers")


class MovieIndex(Protocol):
    """One generation of a catalogue, its vectors and its knowledge."""

    async def search(self, legs: Sequence[Leg], constraints: Constraints, k: int) -> list[Hits]:
        """Filter first, then score: the best k of each leg, in the order of `legs`, in one trip."""
        ...

    async def count(self, constraints: Constraints) -> int:
        """How many movies fit."""
        ...

    async def unknown(self, constraints: Constraints, clause: Clause) -> tuple[int, int]:
        """Among movies that fit all but `clause`: (how many lack its field, how many there are)."""
        ...

    async def get(self, movie_ids: Sequence[str]) -> dict[str, Movie]:
        """The movies by id; unknown ids are left out."""
        ...

    async def vectors(self, movie_ids: Sequence[str]) -> dict[str, np.ndarray]:
        """The stored vectors, each of shape (d,), by id; unknown ids are left out."""
        ...

    def scan(self) -> AsyncIterator[Movie]:
        """Every movie, in a stable order."""
        ...

    async def upsert(self, rows: Sequence[Row]) -> None:
        """Insert or replace by movie_id; all rows or none become visible."""
        ...

    async def delete(self, movie_ids: Sequence[str]) -> int:
        """Remove by id; how many were there."""
        ...

    async def stats(self) -> IndexStats:
        """Counts, encoder and revision."""
        ...

    async def knowledge(self, name: str) -> bytes | None:
        """A knowledge file (already joined to this catalogue's ids) by name, or None."""
        ...

    async def put_knowledge(self, name: str, content: bytes, sha: str) -> None:
        """Store a joined knowledge file; `sha` is that of the file it was made from."""
        ...

    async def revision(self) -> str:
        """Generation and change counter: differs after every change, cheap to ask."""
        ...

    async def changed_since(self, revision: str) -> Changed | None:
        """What to look at again after a revision that this object gave; None: at everything."""
        ...

    async def close(self) -> None:
        """Release files and connections."""
        ...
