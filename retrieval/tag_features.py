"""What the tagger reads of a film: its vector, genres, frame, words, and the tag's own words in it.

Knows the numbers that go into the heads, the same in training and afterwards. Does not know
weights, thresholds or files. Pure. Called by tagger.py and jobs/train_tagger.py.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from retrieval.movie import GENRES, Movie, stems
from retrieval.search_terms import STOPWORDS

Floats = npt.NDArray[np.float32]

VECTOR_SCALE, FRAME_SCALE, WORDS_SCALE = 3.0, 0.5, 5.0
"""Beside genres of 0 and 1, under one penalty; the best of a few tried by cross-validation."""
_CERTIFICATES = ("G", "PG", "PG-13", "R", "NC-17")
_ERAS = ((0, 1960), (1960, 1980), (1980, 2000))
_MIDDLE_YEAR, _YEARS = 1990, 30
_MIDDLE_RUNTIME, _MINUTES = 108, 60
"""Centre and spread of the starter catalogue, also taken for what is unknown."""
_CLAUSE = re.compile(r"[.,;:!?]")


def untagged(movie: Movie) -> Movie:
    """The film as a catalogue without moods and themes has it: the tagger's text is made of it."""
    return replace(movie, moods=(), themes=())


def has_text(movie: Movie) -> bool:
    """Whether there is anything to guess from."""
    return bool(movie.overview or movie.keywords)


def dense(movies: Sequence[Movie], vectors: Floats) -> Floats:
    """(n, d): the scaled vector of `untagged` documents, genres, and when and how it was made."""
    rest = np.array([_genres(m) + _frame(m) for m in movies], dtype=np.float32)
    return np.hstack([vectors * np.float32(VECTOR_SCALE), rest])


def _genres(movie: Movie) -> list[float]:
    return [float(genre in movie.genres) for genre in GENRES]


def _frame(movie: Movie) -> list[float]:
    year, runtime = movie.year or _MIDDLE_YEAR, movie.runtime_min or _MIDDLE_RUNTIME
    eras = [float(first <= year < end) for first, end in _ERAS]
    certificates = [float(movie.certificate == name) for name in _CERTIFICATES]
    foreign = float(movie.language not in (None, "en"))
    frame = [(year - _MIDDLE_YEAR) / _YEARS, *eras, *certificates, foreign]
    return [FRAME_SCALE * x for x in (*frame, (runtime - _MIDDLE_RUNTIME) / _MINUTES)]


def terms(movie: Movie) -> set[str]:
    """Stems of keywords and overview, and pairs of neighbours within a clause."""
    found: set[str] = set()
    for clause in (*movie.keywords, *_CLAUSE.split(movie.overview)):
        every = stems(clause)
        found.update(w for w in every if w not in STOPWORDS)
        found.update(f"{a} {b}" for a, b in zip(every, every[1:], strict=False))
    return found


class TagWords:
    """Where the words of a tag's name and definition stand in a film's text.

    Curated themes are not repeated in curated keywords, but other catalogues have "time travel"
    only there: one weight for all tags carries what no head of the starter could learn.
    """

    KINDS = 3
    """Name in one keyword, name in the overview, share of the definition's words."""

    def __init__(self, names: Sequence[str], definitions: Sequence[str]) -> None:
        self._names = [_telling(name) or frozenset(stems(name)) for name in names]
        pairs = zip(definitions, self._names, strict=True)
        self._definitions = [_telling(text) - name for text, name in pairs]
        self._with: dict[str, list[int]] = {}
        for at, (name, words) in enumerate(zip(self._names, self._definitions, strict=True)):
            for word in name | words:
                self._with.setdefault(word, []).append(at)

    def of(self, movie: Movie) -> Floats:
        """(tags, 3)."""
        found = np.zeros((len(self._names), self.KINDS), dtype=np.float32)
        keywords = [frozenset(stems(keyword)) for keyword in movie.keywords]
        overview = frozenset(stems(movie.overview))
        every = overview.union(*keywords)
        for at in {at for word in every for at in self._with.get(word, ())}:
            name, words = self._names[at], self._definitions[at]
            found[at, 0] = any(name <= keyword for keyword in keywords)
            found[at, 1] = name <= overview
            found[at, 2] = len(words & every) / max(1, len(words))
        return found


def _telling(text: str) -> frozenset[str]:
    return frozenset(w for w in stems(text) if w not in STOPWORDS)


@dataclass(frozen=True)
class Vocabulary:
    """The terms that have weights, with how rare each is."""

    place: Mapping[str, int]
    rarity: Floats

    def of(self, movie: Movie) -> tuple[npt.NDArray[np.int64], Floats]:
        """(places, values): TF-IDF of one length for every film, sparse."""
        at = np.array(
            sorted(self.place[t] for t in terms(movie) if t in self.place), dtype=np.int64
        )
        values = self.rarity[at]
        length = max(float(np.linalg.norm(values)), 1e-9)
        return at, values * np.float32(WORDS_SCALE / length)
