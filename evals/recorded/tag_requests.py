"""Does a request for a mood find films of which nobody wrote the mood? With curated tags hidden.

Knows three states of one catalogue (nothing known, guessed out of fold, curated), a plain request
for every mood and theme, requests that rule a grade out within a genre, and the share of the first
ten films that are curated so. Does not know the tagger. Called by evals/recorded/tags.py. No
knowledge file takes part: the lists of the starter know these films.
"""

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evals.report import Row
from evals.statistics import mean_interval
from retrieval.encoder import Encoder
from retrieval.index import Row as IndexRow
from retrieval.local.files import Manifest
from retrieval.local.writer import write_generation
from retrieval.local_index import LocalIndex
from retrieval.movie import (
    GENRES,
    Attribute,
    Constraints,
    Match,
    Movie,
    Query,
    Range,
    Wish,
    fold,
    values_of,
)
from retrieval.neighbours import Knowledge
from retrieval.retriever import Retriever
from retrieval.tag_features import Floats

K = 10
LEAST = 10
"""A tag is asked for when at least so many films have it."""
AVOIDED: Sequence[Attribute] = ("violence", "scariness", "sadness")
"""Grades that people rule out ("not too violent"): 2 and 3 are too much."""
NONE, GUESSED, CURATED = "no tags", "predicted tags", "curated tags"


@dataclass(frozen=True)
class Requested:
    """Precision at `K` of every request, in every state."""

    films: int
    moods: Mapping[str, Sequence[float]]
    """{state: one value per request for a mood}"""
    themes: Mapping[str, Sequence[float]]
    avoided: Mapping[str, Sequence[float]]
    """Of requests that rule a grade out: the share of films that have too much of it."""


async def measure_requests(
    curated: Sequence[Movie], guessed: Sequence[Movie], vectors: Floats, encoder: Encoder
) -> Requested:
    """`guessed` are the same films without curated tags; `vectors` those of their own text."""
    truth = {g.movie_id: c for g, c in zip(guessed, curated, strict=True)}
    states = {
        NONE: [replace(movie, predicted_tags=()) for movie in guessed],
        GUESSED: list(guessed),
        CURATED: [
            replace(g, predicted_tags=(), moods=c.moods, themes=c.themes, attributes=c.attributes)
            for g, c in zip(guessed, curated, strict=True)
        ],
    }
    moods, themes = _asked(curated, "mood"), _asked(curated, "theme")
    found: dict[str, list[list[float]]] = {}
    for state, movies in states.items():
        with tempfile.TemporaryDirectory(prefix="usher-tags-") as folder:
            write_generation(
                Path(folder),
                _manifest(encoder),
                [IndexRow(m, v) for m, v in zip(movies, vectors, strict=True)],
            )
            with ThreadPoolExecutor(1) as executor:
                index = LocalIndex.open(Path(folder), encoder.identity, executor)
                retriever = Retriever(index, encoder, Knowledge(), executor)
                found[state] = [
                    [await _precision(retriever, _mood(m), truth, m) for m in moods],
                    [await _precision(retriever, _theme(t), truth, t) for t in themes],
                    [await _too_much(retriever, g, a, truth) for g in GENRES for a in AVOIDED],
                ]
                await index.close()
    kinds = [{state: values[n] for state, values in found.items()} for n in range(3)]
    return Requested(len(guessed), *kinds)


def _manifest(encoder: Encoder) -> Manifest:
    made = encoder.identity
    return Manifest(made.name, made.sha, made.dimension, "now", "films with hidden tags")


def _asked(movies: Sequence[Movie], kind: str) -> list[str]:
    tags = [tag for m in movies for tag in (m.moods if kind == "mood" else m.themes)]
    return sorted(tag for tag in set(tags) if tags.count(tag) >= LEAST)


def _mood(mood: str) -> Query:
    return Query(text=f"something {mood}", wishes=(Wish("mood", mood),))


def _theme(theme: str) -> Query:
    """As agent/query.py makes it: a topic, which ranks and leans."""
    about = (Match("topic", frozenset({theme})),)
    return Query(text=f"a film about {theme}", wishes=(Wish("topic", theme),), leanings=about)


async def _precision(
    retriever: Retriever, query: Query, truth: Mapping[str, Movie], tag: str
) -> float:
    found = await retriever.retrieve(query, k=K)
    topics = [values_of(truth[c.movie.movie_id], "topic") for c in found.candidates]
    return sum(fold(tag) in topic for topic in topics) / K


async def _too_much(
    retriever: Retriever, genre: str, attribute: Attribute, truth: Mapping[str, Movie]
) -> float:
    asked = Constraints(
        require=(Match("genre", frozenset({genre})),), exclude=(Range(attribute, 2, None),)
    )
    query = Query(text=f"a {genre} film", constraints=asked)
    found = (await retriever.retrieve(query, k=K)).candidates
    grades = [truth[c.movie.movie_id].attributes[attribute] for c in found]
    return sum(grade > 1 for grade in grades) / max(1, len(grades))


def requests_rows(found: Requested) -> list[Row]:
    """For the results table."""
    rows = []
    figures = (
        (f"precision@{K} of a mood asked for", found.moods, "change > 0"),
        (f"precision@{K} of a theme asked for", found.themes, "change > 0"),
        (f"share of {K} with too much of what was ruled out", found.avoided, "change < 0"),
    )
    for figure, values, bound in figures:
        clusters = [str(at) for at in range(len(values[NONE]))]
        gain = np.array(values[GUESSED]) - np.array(values[NONE])
        interval = mean_interval(gain, clusters, np.random.default_rng(0), shares=False)
        told = ", ".join(f"{state} {np.mean(shares):.3f}" for state, shares in values.items())
        gained = f"change {interval.value:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
        on = f"{found.films:,} films of catalogue_core, curated tags hidden, {len(gain)} requests"
        rows.append(Row(figure, on, f"{told}; {gained}", bound))
    return rows
