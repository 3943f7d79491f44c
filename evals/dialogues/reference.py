"""The catalogue that transcripts are judged by: every movie, and the names in it.

Knows how an index folder becomes one frozen table, without agent, encoder or model. Does not know
transcripts. Called by the commands that score; read by evals/scorers/.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent.query import unknowable_kinds
from retrieval.index import MovieIndex
from retrieval.local_index import LocalIndex
from retrieval.movie import Movie
from retrieval.nlu.lexicon import Lexicon, prior
from retrieval.nlu.lexicon_builder import build_lexicon


@dataclass(frozen=True)
class Reference:
    """One revision of a catalogue."""

    movies: Mapping[str, Movie]
    lexicon: Lexicon
    unknowable: frozenset[str] = frozenset()
    """Ledger kinds of which the catalogue knows nothing: the agent says so, they cannot bind."""
    revision: str = ""

    @classmethod
    def of(cls, movies: Iterable[Movie], revision: str = "") -> "Reference":
        """From movies."""
        by_id = {movie.movie_id: movie for movie in movies}
        known = {"available_on": sum(bool(movie.available_on) for movie in by_id.values())}
        return cls(by_id, build_lexicon(by_id.values()), unknowable_kinds(known), revision)

    def named(self, title: str, year: int | None = None) -> Movie | None:
        """The movie of a title, of that year if one is given."""
        entry = self.lexicon.resolve(f"{title} ({year})" if year else title)
        return self.movies.get(entry.movie_id) if entry else None

    def obscurity(self, movie: Movie) -> float:
        """Share of the catalogue that is better known: 0 = the best known film."""
        at_most = bisect_right(self._priors, prior(movie))
        return 1 - at_most / len(self._priors) if self._priors else 0.0

    @cached_property
    def _priors(self) -> list[float]:
        return sorted(prior(movie) for movie in self.movies.values())

    @cached_property
    def sha(self) -> str:
        """A short hash of every record, the same for every index made of them."""
        digest = hashlib.sha256()
        for movie_id in sorted(self.movies):
            digest.update(repr(self.movies[movie_id]).encode())
        return digest.hexdigest()[:16]


async def reference_of(index: MovieIndex) -> Reference:
    """Read an open index. Raises: IndexFailure."""
    return Reference.of([movie async for movie in index.scan()], await index.revision())


async def load_reference(folder: Path) -> Reference:
    """Read an index folder, without its encoder. Raises: IndexFailure."""
    with ThreadPoolExecutor(1, thread_name_prefix="usher-evals") as executor:
        index = LocalIndex.open(folder, None, executor)
        try:
            return await reference_of(index)
        finally:
            await index.close()
