"""What the ranker knows of every film of a catalogue, as numpy columns: facts, tags, list graph.

Knows how movies and knowledge become arrays by row. Does not know queries, legs or scores. Pure.
Built once per revision by tools/catalogue.py, read by rank_features.py.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from sys import intern

import numpy as np
import numpy.typing as npt

from retrieval.local.columns import NONE, prior
from retrieval.movie import GENRES, Movie, fold, title_key

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]

BILLED = 5
"""Actors of a film that its likeness to another may rest on."""
OWN, FADING, REQUESTED = 1.5, 0.05, 0.4
"""Weights in a basket: the film whose list it is; entry i gets 1 / (1 + .05 i); films named for a
request."""
REQUEST_DEPTH = 25
FEW = 2.0
"""Added to how much stands in a film's baskets, so that one common basket is no likeness."""
_GENRE_BIT = {genre: 1 << i for i, genre in enumerate(GENRES)}


@dataclass(frozen=True)
class Ragged:
    """A list of numbers for each row, end to end."""

    starts: npt.NDArray[np.int64]
    """(n + 1,): row i owns values[starts[i]:starts[i + 1]]."""
    values: Ints

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Ragged":
        """Lay lists end to end."""
        starts = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum([len(one) for one in lists], out=starts[1:])
        flat = np.fromiter((v for one in lists for v in one), np.int32, int(starts[-1]))
        return cls(starts, flat)

    def row(self, at: int) -> Ints:
        """The list of one row."""
        return self.values[self.starts[at] : self.starts[at + 1]]

    def sizes(self, rows: npt.NDArray[np.integer]) -> Places:
        """How long the lists of some rows are."""
        found: Places = self.starts[rows + 1] - self.starts[rows]
        return found

    def at(self, rows: npt.NDArray[np.integer]) -> tuple[Places, Places, Places]:
        """Of every entry of some rows: which of `rows`, its place in that list, its index."""
        sizes = self.sizes(rows)
        # Methods, not functions of numpy: a search is here a dozen times, with short lists.
        which = np.arange(len(rows)).repeat(sizes)
        place = np.arange(len(which)) - (sizes.cumsum() - sizes).repeat(sizes)
        return which, place, self.starts[rows][which] + place

    def gather(self, rows: npt.NDArray[np.integer]) -> tuple[Places, Places, Ints]:
        """Of every entry of some rows: which of `rows`, its place in that list, its value."""
        which, place, index = self.at(rows)
        return which, place, self.values[index]


@dataclass(frozen=True, slots=True)
class FilmRow:
    """What the columns say of one film, so that a change of another needs no second look at it."""

    year: int
    fame: int
    popularity: float
    """NaN when unknown."""
    rating: float
    genres: int
    head: str
    tags: tuple[str, ...]
    people: tuple[str, ...]

    @classmethod
    def of(cls, movie: Movie) -> "FilmRow":
        """What is known of a movie."""
        first = title_key(movie.title).split()[:2]
        tags = dict.fromkeys(
            intern(fold(t)) for t in (*movie.themes, *movie.moods, *movie.keywords)
        )
        people = dict.fromkeys(map(intern, (*movie.directors, *movie.cast[:BILLED])))
        return cls(
            year=movie.year or 0,
            fame=NONE if movie.fame is None else movie.fame,
            popularity=np.nan if movie.popularity is None else movie.popularity,
            rating=movie.rating or 0.0,
            genres=_bits(movie.genres),
            head=" ".join(first) if len(first) > 1 else "",
            tags=tuple(tags),
            people=tuple(people),
        )


_NOTHING = Ragged(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32))


@dataclass(frozen=True)
class FilmFacts:
    """Columns over all films; a film's row is the same in each."""

    row_of: Mapping[str, int] = field(default_factory=dict)
    year: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """0 when unknown; so is every number here."""
    known: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """How well known, 0-1: the order of the popularity leg."""
    rating: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    genres: npt.NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    """One bit for each of `GENRES`."""
    head: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    """The same number for titles that open with the same two words; -1 for shorter ones."""
    tags: Ragged = _NOTHING
    """Themes, moods and keywords, numbered."""
    people: Ragged = _NOTHING
    """Directors and the first `BILLED` actors, numbered."""

    @classmethod
    def of(cls, films: Mapping[str, FilmRow]) -> "FilmFacts":
        """The columns of a catalogue, from {movie_id: what is known of it}."""
        rows = films.values()
        return cls(
            row_of={movie_id: at for at, movie_id in enumerate(films)},
            year=np.array([row.year for row in rows], dtype=np.float32),
            known=prior(
                np.array([row.fame for row in rows], dtype=np.int32),
                np.array([row.popularity for row in rows], dtype=np.float32),
            ),
            rating=np.array([row.rating for row in rows], dtype=np.float32),
            genres=np.array([row.genres for row in rows], dtype=np.uint32),
            head=_numbered_heads([row.head for row in rows]),
            tags=_numbered([row.tags for row in rows]),
            people=_numbered([row.people for row in rows]),
        )

    def rows(self, movie_ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """The rows of those films that are here."""
        found = (self.row_of.get(movie_id) for movie_id in movie_ids)
        return np.array([row for row in found if row is not None], dtype=np.int64)


def _bits(genres: Sequence[str]) -> int:
    found = 0
    for genre in genres:
        found |= _GENRE_BIT.get(genre, 0)
    return found


def _numbered(sets: Sequence[Sequence[str]]) -> Ragged:
    """Values numbered as they come; one that a single film has can link nothing and is left out."""
    count = Counter(chain.from_iterable(sets))
    number = {value: i for i, value in enumerate(v for v, n in count.items() if n > 1)}
    return Ragged.of([sorted([number[v] for v in values if v in number]) for values in sets])


def _numbered_heads(heads: Sequence[str]) -> Ints:
    number: dict[str, int] = {}
    return np.array([number.setdefault(k, len(number)) if k else -1 for k in heads], dtype=np.int32)


@dataclass(frozen=True)
class RowGraph:
    """The neighbour lists by row: whom a film names, and who names it at which place."""

    forward: Ragged = _NOTHING
    backward: Ragged = _NOTHING
    places: Ragged = _NOTHING
    """Beside `backward`: the place (0 = best) at which each names the film."""

    @classmethod
    def of(cls, lists: Mapping[str, Sequence[str]], row_of: Mapping[str, int]) -> "RowGraph":
        """From {movie_id: ids best first}; films that are not there are left out."""
        listed = {row_of[i]: named for i, named in lists.items() if i in row_of}
        forward = [
            [row_of[n] for n in listed.get(at, ()) if n in row_of] for at in range(len(row_of))
        ]
        # Who names a film comes in the order of the lists, not of the rows.
        order = np.fromiter(listed, np.int64, len(listed))
        which, places, index = Ragged.of(forward).at(order)
        named = Ragged.of(forward).values[index]
        by_film = np.argsort(named, kind="stable")
        starts = np.zeros(len(row_of) + 1, dtype=np.int64)
        np.cumsum(np.bincount(named, minlength=len(row_of)), out=starts[1:])
        return cls(
            Ragged.of(forward),
            Ragged(starts, order[which][by_film].astype(np.int32)),
            Ragged(starts, places[by_film].astype(np.int32)),
        )


@dataclass(frozen=True)
class Baskets:
    """Films that people name in one breath: each neighbour list with its film, each request."""

    films: Ragged = _NOTHING
    """Of each basket."""
    weights: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """Beside `films.values`."""
    of_film: Ragged = _NOTHING
    """The baskets of each film."""
    of_weights: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    norm: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    @classmethod
    def of(
        cls,
        lists: Mapping[str, Sequence[str]],
        requests: Sequence[Sequence[str]],
        row_of: Mapping[str, int],
    ) -> "Baskets":
        """From {movie_id: ids best first} and the films of each request."""
        fading = [1 / (1 + FADING * i) for i in range(max(map(len, lists.values()), default=0))]
        baskets = [((i, *named), (OWN, *fading[: len(named)])) for i, named in lists.items()]
        baskets += [((*ids[:REQUEST_DEPTH],), (REQUESTED,) * REQUEST_DEPTH) for ids in requests]
        rows = [
            [(row_of[i], w) for i, w in zip(*one, strict=False) if i in row_of] for one in baskets
        ]
        films = Ragged.of([[row for row, _ in one] for one in rows])
        weights = np.array([w for one in rows for _, w in one], dtype=np.float64)
        by_film = np.argsort(films.values, kind="stable")
        starts = np.zeros(len(row_of) + 1, dtype=np.int64)
        np.cumsum(np.bincount(films.values, minlength=len(row_of)), out=starts[1:])
        basket = np.repeat(np.arange(len(rows)), np.diff(films.starts))
        total = np.bincount(films.values, weights * weights, len(row_of))
        return cls(
            films=films,
            weights=weights.astype(np.float32),
            of_film=Ragged(starts, basket[by_film].astype(np.int32)),
            of_weights=weights[by_film].astype(np.float32),
            norm=(1 / np.sqrt(total + FEW)).astype(np.float32),
        )

    def like(self, row: int, rows: Places) -> npt.NDArray[np.float64]:
        """Cosine of some films with one, over the baskets; 0 with itself."""
        _, _, mine = self.of_film.at(np.array([row]))
        which, _, index = self.films.at(self.of_film.values[mine])
        weights = self.of_weights[mine][which] * self.weights[index]
        found = np.bincount(self.films.values[index], weights, len(self.norm)).astype(np.float64)
        found[row] = 0.0
        liked: npt.NDArray[np.float64] = found[rows] * self.norm[rows] * self.norm[row]
        return liked
