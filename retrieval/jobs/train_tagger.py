"""Trains the tagger on the starter catalogue: `python -m retrieval.jobs.train_tagger`.

Knows the examples (our own overviews, facts and curated tags, nothing else), logistic heads, the
second stage over them and how thresholds are chosen out of fold. Needs the extra `train` (scipy).
Called by hand and, for its figures, by evals/recorded/tags.py.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.catalog import ReadReport, open_catalogue
from retrieval.document import document
from retrieval.encoder import Encoder, OnnxEncoder
from retrieval.jobs.build_index import STARTER
from retrieval.knowledge import join_tags, with_tags
from retrieval.movie import ATTRIBUTES, Movie
from retrieval.tag_features import Floats, Vocabulary, dense, terms, untagged
from retrieval.tagger import FOLDER, STEPS, Heads, Kind, Tagger, save, sigmoid
from retrieval.title_join import TitleJoin

FOLDS, SEED = 5, 0
PENALTY = 2.0
"""L2, on all weights but the bias; tried 1 to 3."""
ROUNDS = 60
"""Of L-BFGS. With 30, and terms of 10 films, micro-F1 was .51/.39, here .52/.40 (moods/themes)."""
MIN_FILMS = 4
"""A term stands in so many films, or it has no weight."""
PRECISION, LEAST = 0.75, 20
"""What is said of a tag must be right so often, in at least so many films, or it is never said."""
AIM = 0.80
"""The precision at which thresholds are set: the best cut on some films flatters itself, and at .75
only .73 of moods and .71 of themes were right on others (at .80: .78 and .77)."""
GRADE_KAPPA = 0.5
"""A grade is guessed only where its quadratic kappa, out of fold, is at least this."""


@dataclass(frozen=True)
class Examples:
    """Films with what is curated of them, and the vectors of their documents without tags."""

    movies: Sequence[Movie]
    """Tags and grades as curated; texts and vectors are those of `untagged` films."""
    vectors: Floats
    names: tuple[tuple[Kind, str], ...]
    definitions: tuple[str, ...]
    named: Floats

    @property
    def wanted(self) -> Floats:
        """(n, columns) of 0 and 1: tags, then the steps of each grade."""
        tags = [[name in _curated(m, kind) for kind, name in self.names] for m in self.movies]
        steps = [[m.attributes[a] >= s for a in ATTRIBUTES for s in STEPS] for m in self.movies]
        return np.hstack([np.array(tags), np.array(steps)]).astype(np.float32)

    def folds(self) -> npt.NDArray[np.int64]:
        """(n,): the fold of each film; films of one title stay together."""
        titles = {title: at for at, title in enumerate(dict.fromkeys(m.title for m in self.movies))}
        dealt = np.random.default_rng(SEED).permutation(len(titles)) % FOLDS
        return np.asarray(dealt[[titles[m.title] for m in self.movies]], dtype=np.int64)


def _curated(movie: Movie, kind: Kind) -> tuple[str, ...]:
    return movie.moods if kind == "mood" else movie.themes


def starter_examples(encoder: Encoder) -> Examples:
    """Everything the starter knows; encoding takes half a minute."""
    catalogue = open_catalogue(STARTER / "movies.jsonl.gz", "usher")
    movies = list(catalogue.movies(ReadReport()))
    join = TitleJoin()
    for movie in movies:
        join.add(movie)
    tags, _ = join_tags(STARTER, join)
    tagged = [with_tags(m, tags.get(m.movie_id)) for m in movies]
    tagged = [m for m in tagged if m.moods and m.themes and len(m.attributes) == len(ATTRIBUTES)]
    defined: dict[str, dict[str, str]] = json.loads(
        files("retrieval.starter").joinpath("vocabulary.json").read_text("utf-8")
    )
    names: list[tuple[Kind, str]] = [("mood", name) for name in defined["moods"]]
    names += [("theme", name) for name in defined["themes"]]
    definitions = (*defined["moods"].values(), *defined["themes"].values())
    told = [f"{name}: {text}" for (_, name), text in zip(names, definitions, strict=True)]
    named = np.stack([encoder.encode(told), encoder.encode([name for _, name in names])])
    vectors = encoder.encode([document(untagged(m)) for m in tagged])
    return Examples(tagged, vectors, tuple(names), definitions, named)


# --- heads ----------------------------------------------------------------------------------------


def fit_heads(examples: Examples, chosen: npt.NDArray[np.bool_]) -> Heads:
    """One logistic head for each column, all at once, on the chosen films."""
    from scipy import optimize, sparse

    movies = [m for m, is_chosen in zip(examples.movies, chosen, strict=True) if is_chosen]
    wanted = examples.wanted[chosen]
    vocabulary = _vocabulary(movies)
    given = dense(movies, examples.vectors[chosen])
    middle = given.mean(axis=0)
    given -= middle
    rows = [vocabulary.of(movie) for movie in movies]
    counts = np.cumsum([0, *(len(at) for at, _ in rows)])
    shape = (len(movies), len(vocabulary.place))
    spoken = sparse.csr_matrix(
        (np.concatenate([v for _, v in rows]), np.concatenate([at for at, _ in rows]), counts),
        shape=shape,
    )
    d, columns = given.shape[1], wanted.shape[1]

    def loss(flat: Any) -> tuple[float, Any]:
        w = flat.reshape(-1, columns).astype(np.float32)
        scores = given @ w[:d] + spoken @ w[d:-1] + w[-1]
        wrong = sigmoid(scores) - wanted
        worth = float((np.logaddexp(0, scores) - wanted * scores).sum())
        worth += 0.5 * PENALTY * float((w[:-1] ** 2).sum())
        slopes = [given.T @ wrong + PENALTY * w[:d], spoken.T @ wrong + PENALTY * w[d:-1]]
        return worth, np.vstack([*slopes, wrong.sum(axis=0)[None]]).ravel().astype(np.float64)

    start = np.zeros((d + shape[1] + 1, columns))
    share = np.clip(wanted.mean(axis=0), 1e-3, 1 - 1e-3)
    start[-1] = np.log(share / (1 - share))
    options = {"maxiter": ROUNDS, "maxcor": 5}
    found = optimize.minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    w = found.x.reshape(-1, columns).astype(np.float32)
    bias = w[-1] - middle @ w[:d]
    return Heads(
        examples.names, examples.definitions, examples.named, vocabulary, w[:d], w[d:-1], bias
    )


def _vocabulary(movies: Sequence[Movie]) -> Vocabulary:
    counts = Counter(term for movie in movies for term in terms(movie))
    kept = sorted(term for term, n in counts.items() if n >= MIN_FILMS)
    rarity = np.log(len(movies) / np.array([counts[t] for t in kept], dtype=np.float32))
    return Vocabulary({term: at for at, term in enumerate(kept)}, rarity)


# --- what is chosen out of fold -------------------------------------------------------------------


def second_stage(evidence: Floats, wanted: Floats, names: Sequence[tuple[Kind, str]]) -> Floats:
    """(2, 7): a logistic regression over all moods, and one over all themes."""
    is_theme = np.array([kind == "theme" for kind, _ in names])
    return np.stack([_pooled(evidence[:, w], wanted[:, w]) for w in (~is_theme, is_theme)])


def _pooled(evidence: Floats, wanted: Floats) -> Floats:
    x, y = evidence.reshape(-1, evidence.shape[2]).astype(np.float64), wanted.ravel()
    w = np.zeros(x.shape[1])
    w[0] = 1.0
    for _ in range(25):  # Newton's steps; ten are enough
        p = sigmoid((x @ w).astype(np.float32)).astype(np.float64)
        bend = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w -= np.linalg.solve(bend, x.T @ (p - y))
    return w.astype(np.float32)


def threshold_of(p: Floats, wanted: Floats) -> float:
    """The lowest probability from which on `AIM` is right in `LEAST` films or more; 2 for none."""
    order = np.argsort(-p, kind="stable")
    right = np.cumsum(wanted[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right[LEAST - 1 :] >= AIM) + LEAST - 1
    return float(p[order[enough[-1]]]) if len(enough) else 2.0


def thresholds_of(p: Floats, wanted: Floats) -> Floats:
    """One for each column."""
    pairs = zip(p.T, wanted.T, strict=True)
    return np.array([threshold_of(column, truth) for column, truth in pairs], dtype=np.float32)


def grade_limits(odds: Floats, grades: npt.NDArray[np.int64]) -> tuple[float, float]:
    """(little up to, a lot from) of one attribute's probability of a lot; -1 and 2 for never."""
    if quadratic_kappa(grades, np.rint(odds.sum(axis=1)).astype(np.int64)) < GRADE_KAPPA:
        return -1.0, 2.0
    lot, truth = odds[:, 1], (grades > 1).astype(np.float32)
    little, much = threshold_of(1 - lot, 1 - truth), threshold_of(lot, truth)
    return min(1 - little, 1 - PRECISION), max(much, PRECISION)


def quadratic_kappa(truth: npt.NDArray[np.int64], guess: npt.NDArray[np.int64]) -> float:
    """Cohen's, with squared distances: 0 is what chance agrees to."""
    table = np.zeros((4, 4))
    np.add.at(table, (truth, guess), 1)
    apart = np.subtract.outer(np.arange(4), np.arange(4)) ** 2
    chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(1 - (apart * table).sum() / max((apart * chance).sum(), 1e-12))


# --- all of it ------------------------------------------------------------------------------------


def out_of_fold(examples: Examples) -> tuple[list[Heads], Floats, Floats]:
    """The heads of each fold, and for every film the scores and evidence of those it was not in."""
    folds = examples.folds()
    heads = [fit_heads(examples, folds != fold) for fold in range(FOLDS)]
    scores = np.empty_like(examples.wanted)
    evidence = np.empty((len(folds), len(examples.names), 7), dtype=np.float32)
    for fold, held in enumerate(heads):
        there = np.flatnonzero(folds == fold).tolist()
        movies = [examples.movies[at] for at in there]
        vectors = examples.vectors[there]
        scores[there] = held.scores(movies, vectors)
        evidence[there] = held.evidence(movies, vectors, scores[there])
    return heads, scores, evidence


def chosen(
    heads: Heads, scores: Floats, evidence: Floats, wanted: Floats, grades: npt.NDArray[np.int64]
) -> Tagger:
    """The tagger of these heads: what stands above them is chosen on out-of-fold scores."""
    tags = len(heads.names)
    never = np.zeros(tags, dtype=np.float32)
    second = second_stage(evidence, wanted[:, :tags], heads.names)
    bare = Tagger(heads, second, never, np.zeros((len(ATTRIBUTES), 2), dtype=np.float32))
    p = bare.weighed(scores, evidence)
    odds = p[:, tags:].reshape(len(p), len(ATTRIBUTES), len(STEPS))
    limits = [grade_limits(odds[:, a], grades[:, a]) for a in range(len(ATTRIBUTES))]
    thresholds = thresholds_of(p[:, :tags], wanted[:, :tags])
    return Tagger(heads, second, thresholds, np.array(limits, dtype=np.float32))


def grades_of(movies: Sequence[Movie]) -> npt.NDArray[np.int64]:
    """(n, attributes)."""
    return np.array([[m.attributes[a] for a in ATTRIBUTES] for m in movies], dtype=np.int64)


def train(encoder: Encoder, folder: Path) -> Tagger:
    """Train on all films, choose out of fold, write the artifact."""
    examples = starter_examples(encoder)
    _, scores, evidence = out_of_fold(examples)
    heads = fit_heads(examples, np.ones(len(examples.movies), dtype=np.bool_))
    tagger = chosen(heads, scores, evidence, examples.wanted, grades_of(examples.movies))
    save(tagger, folder, about_of(tagger, encoder, len(examples.movies)))
    return tagger


def about_of(tagger: Tagger, encoder: Encoder, films: int) -> dict[str, Any]:
    """What the manifest says beside the checksum."""
    identity = encoder.identity
    return {
        "encoder": identity.name,
        "encoder_sha": identity.sha,
        "films": films,
        "tags_said": int((tagger.thresholds <= 1).sum()),
        "grades_said": [
            a for a, high in zip(ATTRIBUTES, tagger.grades[:, 1], strict=True) if high <= 1
        ],
        "licence": "CC0-1.0, trained on the starter catalogue's own words (retrieval/starter)",
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the artifact goes")
    given = parser.parse_args()
    tagger = train(OnnxEncoder.load(), given.out)
    said = int((tagger.thresholds <= 1).sum())
    print(f"{said} of {len(tagger.thresholds)} tags are sure enough to be said -> {given.out}")


if __name__ == "__main__":
    main()
