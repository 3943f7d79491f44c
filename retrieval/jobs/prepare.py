"""From a catalogue to rows ready for any index: read, join the knowledge, encode, guess tags.

Knows the order of work, progress and what is kept when a build is killed: vectors, in a cache by
content. Does not know where rows go: jobs/build_index.py writes them locally, an OpenSearch build
elsewhere. Holds one chunk of movies at a time; between its two passes the movies lie in a spool
file.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from retrieval.catalog import Catalogue, ReadReport
from retrieval.document import document
from retrieval.encoder import Encoder, FloatArray
from retrieval.index import Row
from retrieval.jobs.vector_cache import VectorCache, key_of
from retrieval.knowledge import Encode, Joined, join_files, join_tags, with_tags
from retrieval.movie import Movie
from retrieval.record import from_json, to_json
from retrieval.tag_features import untagged
from retrieval.tagger import Tagger, TaggerUnusable, wants_guess
from retrieval.tagger import load as load_tagger
from retrieval.title_join import TitleJoin

CHUNK = 128
"""Movies encoded between two reports of progress; about a second of work."""
_EVERY = 500
"""Rows read between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is; `rate` is per second, `eta_s` seconds that are left."""

    phase: Literal["read", "encode"]
    done: int
    total: int
    """About, while reading; exact, while encoding."""
    rate: float
    eta_s: float


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """For callers that show no progress."""


@dataclass
class Prepared:
    """What an index is made of; the counts are complete once `rows` is used up."""

    read: ReadReport
    knowledge: list[Joined]
    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    new_vectors: int = 0
    cached_vectors: int = 0
    guessed: int = 0
    """Movies with predicted tags of ours."""


@contextmanager
def prepared(
    catalogue: Catalogue,
    encoder: Encoder,
    workplace: Path,
    knowledge: Path | None = None,
    report: Report = silent,
) -> Iterator[Prepared]:
    """Read and join now, encode while `rows` is drawn. `workplace` keeps vectors between builds."""
    with VectorCache(workplace, encoder.identity) as cache:
        spool = workplace / "spool.jsonl"
        try:
            counts = ReadReport()
            join = _read(catalogue, counts, spool, report)
            tags, tags_file = join_tags(knowledge, join) if knowledge else ({}, None)
            encode = partial(_vectors, encoder=encoder, cache=cache)
            joined = join_files(knowledge, join, encode) if knowledge else []
            every = [*([tags_file] if tags_file else []), *joined]
            ready = Prepared(counts, every)
            movies = (with_tags(m, tags.get(m.movie_id)) for m in _spooled(spool))
            ready.rows = _encoded(movies, encoder, cache, ready, report)
            yield ready
            cache.pack()
        finally:
            spool.unlink(missing_ok=True)


def rows_of(
    catalogue: Catalogue, encoder: Encoder, counts: ReadReport, knowledge: Path | None = None
) -> list[Row]:
    """A few movies as rows, for an upsert: tags are joined, other knowledge waits for a build."""
    movies = list(catalogue.movies(counts))
    join = TitleJoin()
    for movie in movies:
        join.add(movie)
    tags = join_tags(knowledge, join)[0] if knowledge else {}
    return encoded_rows([with_tags(movie, tags.get(movie.movie_id)) for movie in movies], encoder)


def encoded_rows(movies: Sequence[Movie], encoder: Encoder) -> list[Row]:
    """Movies with their vectors and what the tagger guesses, for an upsert."""
    vectors = encoder.encode([document(movie) for movie in movies])
    guessed = with_guesses(movies, tagger_for(encoder), encoder.encode)
    return [Row(movie, vector) for movie, vector in zip(guessed, vectors, strict=True)]


def tagger_for(encoder: Encoder) -> Tagger | None:
    """The tagger that ships; None, and no predicted tags, where it cannot be used."""
    try:
        return load_tagger(encoder.identity)
    except TaggerUnusable:  # `usher doctor` says why
        return None


def with_guesses(movies: Sequence[Movie], tagger: Tagger | None, encode: Encode) -> list[Movie]:
    """The movies, those that lack moods, themes or grades with predicted tags."""
    lacking = [movie for movie in movies if wants_guess(movie)]
    if tagger is None or not lacking:
        return list(movies)
    # A film without moods and themes is its own untagged document: its vector is there already.
    vectors = encode([document(untagged(movie)) for movie in lacking])
    guessed = {m.movie_id: m for m in tagger.tag(lacking, vectors)}
    return [guessed.get(movie.movie_id, movie) for movie in movies]


def _read(catalogue: Catalogue, counts: ReadReport, spool: Path, report: Report) -> TitleJoin:
    """One pass over the catalogue: checks every row before anything costly begins."""
    join = TitleJoin()
    pace = _Pace("read", catalogue.total(), report)
    with spool.open("wb") as out:
        for movie in catalogue.movies(counts):
            out.write(to_json(movie) + b"\n")
            join.add(movie)
            if counts.rows % _EVERY == 0:
                pace.at(counts.rows)
    pace.at(counts.rows)
    return join


def _spooled(spool: Path) -> Iterator[Movie]:
    with spool.open("rb") as file:
        for line in file:
            yield from_json(line)


def _encoded(
    movies: Iterator[Movie], encoder: Encoder, cache: VectorCache, ready: Prepared, report: Report
) -> Iterator[Row]:
    pace = _Pace("encode", ready.read.kept, report)
    tagger = tagger_for(encoder)
    encode = partial(_vectors, encoder=encoder, cache=cache)
    done = 0
    while chunk := [movie for _, movie in zip(range(CHUNK), movies, strict=False)]:
        before = len(cache)
        vectors = _vectors([document(movie) for movie in chunk], encoder, cache)
        new = len(cache) - before
        ready.new_vectors += new
        ready.cached_vectors += len(chunk) - new
        guessed = with_guesses(chunk, tagger, encode)
        ready.guessed += sum(new is not old for new, old in zip(guessed, chunk, strict=True))
        for movie, vector in zip(guessed, vectors, strict=True):
            yield Row(movie, vector)
        done += len(chunk)
        pace.at(done)


def _vectors(texts: Sequence[str], encoder: Encoder, cache: VectorCache) -> FloatArray:
    """The vectors of texts; only those the cache lacks are encoded."""
    keys = [key_of(text) for text in texts]
    by_key = dict(zip(keys, texts, strict=True))
    absent = cache.missing(keys)
    if absent:
        cache.put(absent, encoder.encode([by_key[key] for key in absent]))
    return cache.get(keys)


class _Pace:
    """Turns counts into progress."""

    def __init__(self, phase: Literal["read", "encode"], total: int, report: Report) -> None:
        self._phase = phase
        self._total = total
        self._report = report
        self._start = time.monotonic()

    def at(self, done: int) -> None:
        rate = done / max(time.monotonic() - self._start, 1e-6)
        left = max(0, self._total - done) / max(rate, 1e-6)
        self._report(Progress(self._phase, done, self._total, rate, left))
