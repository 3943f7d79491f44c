"""Which movie of a catalogue a reference {title, year, imdb?, tmdb?} means.

Knows ids, title keys and years. Does not know what is joined. Holds a few small values per movie,
never the movies themselves. Called by knowledge.py and jobs/.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from retrieval.movie import Movie, title_key

YEARS_APART = 1
"""A film is dated by its first showing or its release."""


@dataclass(frozen=True, slots=True)
class _Entry:
    movie_id: str
    year: int | None
    popularity: float
    imdb: str | None


class TitleJoin:
    """Filled movie by movie, then asked."""

    def __init__(self) -> None:
        self._imdb: dict[str, str] = {}
        self._tmdb: dict[int, str] = {}
        self._titles: defaultdict[str, list[_Entry]] = defaultdict(list)
        self._other_titles: defaultdict[str, list[_Entry]] = defaultdict(list)

    def add(self, movie: Movie) -> None:
        entry = _Entry(movie.movie_id, movie.year, movie.popularity or 0.0, movie.imdb)
        if movie.imdb:
            self._imdb.setdefault(movie.imdb, movie.movie_id)
        if movie.tmdb:
            self._tmdb.setdefault(movie.tmdb, movie.movie_id)
        self._titles[title_key(movie.title)].append(entry)
        for key in {title_key(title) for title in movie.alt_titles}:
            self._other_titles[key].append(entry)

    def find(self, reference: Mapping[str, Any]) -> str | None:
        """By id, else by title and year: the nearest year, then the most popular movie."""
        imdb, tmdb = reference.get("imdb"), reference.get("tmdb")
        if imdb in self._imdb:
            return self._imdb[imdb]
        if tmdb in self._tmdb:
            return self._tmdb[tmdb]
        key = title_key(str(reference.get("title") or ""))
        year = reference.get("year")
        for titles in (self._titles, self._other_titles) if key else ():
            fitting = [e for e in titles.get(key, ()) if _fits(e, year, imdb)]
            if fitting:
                best = min(fitting, key=lambda e: (_apart(e, year), -e.popularity, e.movie_id))
                return best.movie_id
        return None

    def all(self, references: Iterable[Mapping[str, Any]]) -> list[str]:
        """The ids that are found, in order, each once."""
        found = (self.find(reference) for reference in references)
        return list(dict.fromkeys(i for i in found if i is not None))


def _fits(entry: _Entry, year: int | None, imdb: str | None) -> bool:
    if imdb and entry.imdb and imdb != entry.imdb:
        return False  # a namesake of about the same year
    return _apart(entry, year) <= YEARS_APART


def _apart(entry: _Entry, year: int | None) -> int:
    if year is None:
        return 0
    return YEARS_APART if entry.year is None else abs(entry.year - year)
