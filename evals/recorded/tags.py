"""`python -m evals tags`: how well moods, themes and grades are guessed from a film's text.

Knows folds over films, the same films' text in another catalogue, and the measures. Does not know
how heads are fitted (retrieval/jobs/train_tagger.py). Called by evals/__main__.py and figures.py.

Every figure is out of fold: a film is guessed by heads that never saw it, with thresholds chosen on
other films. Text of catalogue_core is only read here; nothing that ships was trained on it.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.commands import Commands, add_json, new_command
from evals.place import find_data
from evals.recorded.tag_requests import Requested, measure_requests, requests_rows
from evals.report import Row
from evals.statistics import ROUNDS
from infra.cli_common import Refusal
from infra.learned import load_encoder
from infra.settings import load
from retrieval.catalog import ReadReport, open_catalogue
from retrieval.document import document
from retrieval.encoder import Encoder
from retrieval.jobs import train_tagger
from retrieval.jobs.build_index import STARTER
from retrieval.jobs.train_tagger import Examples
from retrieval.knowledge import join_tags
from retrieval.movie import ATTRIBUTES, Movie
from retrieval.tag_features import Floats, untagged
from retrieval.tagger import STEPS, Tagger, grade_of
from retrieval.title_join import TitleJoin

CORE = "catalogue/catalogue_core.parquet"
OWN, TWINS = "starter overviews, out of fold", "the same films' catalogue_core text, out of fold"
KINDS = ("mood", "theme")
GOALS = {"mood": ">= 0.50", "theme": ">= 0.40"}
FIGURES = tuple(
    f"{figure} of predicted {kind}s"
    for kind in KINDS
    for figure in ("best micro-F1", "recall at precision .75", "precision / recall of what is said")
)


@dataclass(frozen=True)
class Share:
    """A ratio of sums over films, with its 95 % interval (bootstrap over films)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Guessed:
    """One text of the films: what was guessed of it and what is true."""

    movies: Sequence[Movie]
    """With their curated tags."""
    wanted: npt.NDArray[np.bool_]
    """(n, tags)"""
    best: npt.NDArray[np.bool_]
    """(n, tags): above the one threshold that is best for micro-F1 on other films."""
    precise: npt.NDArray[np.bool_]
    """Above the one threshold at which `PRECISION` is reached on other films."""
    said: npt.NDArray[np.bool_]
    """What the product would say."""
    grades: npt.NDArray[np.int64]
    """(n, attributes): rounded expectation."""
    kinds: npt.NDArray[np.bool_]
    """(tags,): whether it is a theme."""

    def of(self, kind: str) -> npt.NDArray[np.bool_]:
        """The columns of a kind."""
        return self.kinds if kind == "theme" else ~self.kinds

    def f1(self, kind: str) -> Share:
        """Micro-F1 at the best threshold."""
        at = self.of(kind)
        right, said, true = _counts(self.best[:, at], self.wanted[:, at])
        return _ratio(2 * right, said + true)

    def shares(self, kind: str, told: npt.NDArray[np.bool_]) -> tuple[Share, Share]:
        """Precision and recall of a set of tags."""
        at = self.of(kind)
        right, said, true = _counts(told[:, at], self.wanted[:, at])
        return _ratio(right, said), _ratio(right, true)


def _counts(told: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]) -> tuple[Floats, ...]:
    sums = ((told & wanted).sum(axis=1), told.sum(axis=1), wanted.sum(axis=1))
    return tuple(part.astype(np.float32) for part in sums)


def _ratio(above: Floats, below: Floats) -> Share:
    n = len(above)
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1.0 / n), size=ROUNDS)
    draws = (drawn @ above) / np.maximum(drawn @ below, 1e-9)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Share(float(above.sum() / max(float(below.sum()), 1e-9)), float(low), float(high))


@dataclass(frozen=True)
class Found:
    """Everything that was measured."""

    texts: dict[str, Guessed]
    requests: Requested | None
    tags: int
    said_tags: dict[str, int]
    """{kind: tags that the heads of all films would say}."""


# --- measuring ------------------------------------------------------------------------------------


def measure(encoder: Encoder, core: Path | None) -> Found:
    """Cross-validate over films."""
    examples = train_tagger.starter_examples(encoder)
    heads, scores, evidence = train_tagger.out_of_fold(examples)
    folds, wanted = examples.folds(), examples.wanted
    grades = train_tagger.grades_of(examples.movies)
    taggers = []
    for fold, held in enumerate(heads):
        others = folds != fold
        given = (scores[others], evidence[others], wanted[others], grades[others])
        taggers.append(train_tagger.chosen(held, *given))
    limits = [
        _limits(tagger, scores[folds != fold], evidence[folds != fold], wanted[folds != fold])
        for fold, tagger in enumerate(taggers)
    ]
    places = np.arange(len(folds))
    texts = {OWN: _guessed(examples, taggers, limits, places, examples.movies, examples.vectors)}
    requests = None
    if core is not None:
        at, twins = twins_of(examples, core)
        vectors = encoder.encode([document(untagged(m)) for m in twins])
        texts[TWINS] = _guessed(examples, taggers, limits, at, twins, vectors)
        shown = [
            taggers[folds[a]].tag([m], v[None])[0]
            for a, m, v in zip(at, twins, vectors, strict=True)
        ]
        curated = [examples.movies[a] for a in at]
        requests = asyncio.run(measure_requests(curated, shown, vectors, encoder))
    full = train_tagger.chosen(heads[0], scores, evidence, wanted, grades)
    said = full.thresholds <= 1
    themes = np.array([kind == "theme" for kind, _ in examples.names])
    counts = {"mood": int(said[~themes].sum()), "theme": int(said[themes].sum())}
    return Found(texts, requests, len(examples.names), counts)


def twins_of(examples: Examples, core: Path) -> tuple[npt.NDArray[np.int64], list[Movie]]:
    """(places, films): those of the starter that the other catalogue has, with its own text."""
    movies = list(open_catalogue(core).movies(ReadReport()))
    join = TitleJoin()
    for movie in movies:
        join.add(movie)
    by_id = {movie.movie_id: movie for movie in movies}
    tags, _ = join_tags(STARTER, join)
    place = {(m.title, m.year): at for at, m in enumerate(examples.movies)}
    pairs = {
        place[row["title"], row.get("year")]: by_id[movie_id]
        for movie_id, row in tags.items()
        if (row["title"], row.get("year")) in place
    }
    return np.array(sorted(pairs), dtype=np.int64), [pairs[at] for at in sorted(pairs)]


Limits = tuple[tuple[float, float], tuple[float, float]]
"""(best for micro-F1, `PRECISION` reached) of moods and of themes."""


def _limits(tagger: Tagger, scores: Floats, evidence: Floats, wanted: Floats) -> Limits:
    p = tagger.weighed(scores, evidence)
    themes = np.array([kind == "theme" for kind, _ in tagger.heads.names])
    tags = len(themes)
    moods = _limits_of(p[:, :tags][:, ~themes], wanted[:, :tags][:, ~themes])
    return moods, _limits_of(p[:, :tags][:, themes], wanted[:, :tags][:, themes])


def _limits_of(p: Floats, wanted: Floats) -> tuple[float, float]:
    order = np.argsort(-p.ravel(), kind="stable")
    right, rank = np.cumsum(wanted.ravel()[order]), np.arange(1, p.size + 1)
    best = int(np.argmax(2 * right / (rank + right[-1])))
    precise = np.flatnonzero(right / rank >= train_tagger.PRECISION)
    at = int(precise[-1]) if len(precise) else 0
    return float(p.ravel()[order[best]]), float(p.ravel()[order[at]])


def _guessed(
    examples: Examples,
    taggers: Sequence[Tagger],
    limits: Sequence[Limits],
    at: npt.NDArray[np.int64],
    movies: Sequence[Movie],
    vectors: Floats,
) -> Guessed:
    """Each film by the tagger of its fold."""
    folds = examples.folds()[at]
    tags = len(examples.names)
    themes = np.array([kind == "theme" for kind, _ in examples.names])
    p = np.empty((len(at), examples.wanted.shape[1]), dtype=np.float32)
    lines = np.empty((3, len(at), tags), dtype=np.float32)
    for fold, tagger in enumerate(taggers):
        there = np.flatnonzero(folds == fold).tolist()
        p[there] = tagger.probabilities([movies[i] for i in there], vectors[there])
        for n in range(2):
            moods, other = limits[fold][0][n], limits[fold][1][n]
            lines[n, there] = np.where(themes, other, moods)
        lines[2, there] = tagger.thresholds
    steps = p[:, tags:].reshape(len(at), len(ATTRIBUTES), len(STEPS))
    grades = np.array([[grade_of(odds) for odds in row] for row in steps.tolist()], dtype=np.int64)
    best, precise, said = (p[:, :tags] >= line for line in lines)
    wanted = examples.wanted[at][:, :tags] > 0
    curated = [examples.movies[i] for i in at.tolist()]
    return Guessed(curated, wanted, best, precise, said, grades, themes)


# --- telling --------------------------------------------------------------------------------------


def grade_errors(guessed: Guessed) -> dict[str, tuple[float, float]]:
    """{attribute: (mean absolute error, quadratic kappa)}."""
    truth = train_tagger.grades_of(guessed.movies)
    found: dict[str, tuple[float, float]] = {}
    for a, name in enumerate(ATTRIBUTES):
        kappa = train_tagger.quadratic_kappa(truth[:, a], guessed.grades[:, a])
        error = float(np.abs(truth[:, a] - guessed.grades[:, a]).mean())
        found[name] = (error, kappa)
    return found


def rows_of(found: Found) -> list[Row]:
    """What the results table gets."""
    rows = []
    for text, guessed in found.texts.items():
        on = f"{text} (n={len(guessed.movies):,})"
        for kind in KINDS:
            f1, recall, said = (f"{figure} of predicted {kind}s" for figure in _NAMES)
            goal = GOALS[kind] if text == OWN else ""
            rows.append(Row(f1, on, str(guessed.f1(kind)), goal))
            precision, share = guessed.shares(kind, guessed.precise)
            rows.append(Row(recall, on, f"{share} (precision reached {precision})"))
            precision, share = guessed.shares(kind, guessed.said)
            count = f"{found.said_tags[kind]} tags said"
            rows.append(Row(said, on, f"{precision} / {share}, {count}", ">= 0.75"))
        told = ", ".join(f"{a} {e:.2f}/{k:.2f}" for a, (e, k) in grade_errors(guessed).items())
        rows.append(Row("MAE / quadratic kappa of predicted grades", on, told))
    if found.requests is not None:
        rows += requests_rows(found.requests)
    return rows


_NAMES = ("best micro-F1", "recall at precision .75", "precision / recall of what is said")


def add(commands: Commands) -> None:
    """The flags of the command."""
    parser = new_command(commands, "tags")
    parser.set_defaults(command=tags)
    parser.add_argument("--core", type=Path, help=f"another text of the films ({CORE})")
    add_json(parser)


def tags(given: argparse.Namespace) -> int:
    """The command. Raises: Refusal."""
    core = given.core or find_data(CORE)
    if given.core is not None and not given.core.exists():
        raise Refusal(f"{given.core} does not exist")
    found = measure(load_encoder(load()), core)
    rows = rows_of(found)
    for row in rows:
        print(f"{row.figure}, {row.data}: {row.value}")
    if given.json:
        figures: list[dict[str, Any]] = [
            {"figure": row.figure, "on": row.data, "value": row.value} for row in rows
        ]
        print(json.dumps({"figures": figures}))
    return 0
