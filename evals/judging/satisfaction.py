"""A satisfaction grade from the text alone, without a model: what a judge must at least beat.

Knows a handful of countable features and ridge regression in numpy. It is trained on the labels
that it is measured with, out of fold by dialogue, which no zero-shot judge is: a judge below it
says nothing that counting words does not. Not a scorer of the product. Pure. Called by
calibration.py.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from evals.judging.agreement import GRADES
from evals.judging.labels import Item, Said

Floats = npt.NDArray[np.float64]
FOLDS = 5
RIDGE = 10.0
"""Penalty on standardised features; chosen once, not tuned on the labels."""

_THANKS = re.compile(r"\b(thanks?|thank you|appreciate)\b", re.I)
_TAKES = re.compile(
    r"\b(i'?ll (check|watch|look|add|give)|i will (check|watch|have to|look)|sounds? (good|great|"
    r"interesting|like)|check (it|that|them) out|haven'?t (seen|heard)|want to see)\b",
    re.I,
)
_LIKES = re.compile(r"\b(love|loved|great|awesome|perfect|excellent|amazing|good|nice|yes)\b", re.I)
_MINDS = re.compile(
    r"\b(no|not|don'?t|didn'?t|never|hate|hated|bad|boring|neither|unfortunately|but)\b", re.I
)
_SEEN = re.compile(r"\b(already|i'?ve seen|i have seen|saw (it|that)|seen (it|that))\b", re.I)
_FILM = re.compile(r"\((?:18|19|20)\d\d\)|@\d+")


def _texts(said: Sequence[Said], role: str) -> list[str]:
    return [text for who, text in said if who == role]


def _hits(pattern: re.Pattern[str], role: str, last: int = 0) -> Callable[[Sequence[Said]], float]:
    """Messages of a role in which it occurs, of all or the last few, as a share."""

    def count(said: Sequence[Said]) -> float:
        texts = _texts(said, role)[-last:]
        return sum(bool(pattern.search(text)) for text in texts) / max(1, len(texts))

    return count


def _words(role: str) -> Callable[[Sequence[Said]], float]:
    def mean(said: Sequence[Said]) -> float:
        texts = _texts(said, role)
        return float(np.log1p(sum(len(text.split()) for text in texts) / max(1, len(texts))))

    return mean


def _messages(role: str) -> Callable[[Sequence[Said]], float]:
    return lambda said: float(np.log1p(len(_texts(said, role))))


def _asks(said: Sequence[Said]) -> float:
    texts = _texts(said, "assistant")
    return sum("?" in text for text in texts) / max(1, len(texts))


FEATURES: dict[str, Callable[[Sequence[Said]], float]] = {
    "user thanks": _hits(_THANKS, "user"),
    "user takes one": _hits(_TAKES, "user"),
    "user likes": _hits(_LIKES, "user"),
    "user minds": _hits(_MINDS, "user"),
    "user has seen": _hits(_SEEN, "user"),
    "takes one in the end": _hits(_TAKES, "user", 2),
    "thanks in the end": _hits(_THANKS, "user", 2),
    "likes in the end": _hits(_LIKES, "user", 2),
    "minds in the end": _hits(_MINDS, "user", 2),
    "films named by the assistant": _hits(_FILM, "assistant"),
    "films named in the end": _hits(_FILM, "assistant", 2),
    "assistant asks": _asks,
    "words of the assistant": _words("assistant"),
    "words of the user": _words("user"),
    "messages of the assistant": _messages("assistant"),
    "messages of the user": _messages("user"),
}


def grades_out_of_fold(items: Sequence[Item], rng: np.random.Generator) -> list[int]:
    """A grade for each item by a fit that saw no item of its dialogue."""
    features = np.array([[of(item.said) for of in FEATURES.values()] for item in items])
    # Standardised over all: no label is in it.
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    wanted = np.array([np.mean(item.ratings) for item in items])
    people = np.array([item.consensus for item in items])
    dialogues, of = np.unique([item.dialogue_id for item in items], return_inverse=True)
    folds = rng.permutation(len(dialogues)) % FOLDS
    grades = np.zeros(len(items), dtype=np.int64)
    for fold in range(FOLDS):
        mine = folds[of] == fold
        if mine.all() or not mine.any():
            continue
        fit = _ridge(scaled[~mine], wanted[~mine])
        steps = by_frequency(_predict(fit, scaled[~mine]), people[~mine])
        grades[mine] = 1 + np.searchsorted(steps, _predict(fit, scaled[mine]), side="left")
    return [int(grade) or int(np.median(people)) for grade in grades]


def _ridge(features: Floats, wanted: Floats) -> Floats:
    with_one = np.column_stack([features, np.ones(len(features))])
    penalty = RIDGE * np.eye(with_one.shape[1])
    penalty[-1, -1] = 0.0
    solved = np.linalg.solve(with_one.T @ with_one + penalty, with_one.T @ wanted)
    return np.asarray(solved, dtype=np.float64)


def _predict(fit: Floats, features: Floats) -> Floats:
    return np.asarray(features @ fit[:-1] + fit[-1], dtype=np.float64)


def by_frequency(values: Floats, people: npt.NDArray[np.int64]) -> Floats:
    """Thresholds that give out each grade as often as people do: above the g-th means more than g.

    Grades that nobody gives are given to nothing.
    """
    shares = [float((people <= grade).mean()) for grade in range(1, GRADES)]
    ends = {0.0: -np.inf, 1.0: np.inf}
    return np.array([ends.get(share, float(np.quantile(values, share))) for share in shares])
