"""Does the enhancer read requests as people label them? Intents, their certainty, telling words.

Knows macro-F1, expected calibration error and how a heavy word counts as right. Does not know the
command (enhancer.py) nor the files of labels (intents.py). Called by enhancer.py.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.recorded.intents import Labelled
from evals.recorded.ranking import Estimate
from retrieval.analysis import Analysis
from retrieval.enhancer import INTENTS as NAMES
from retrieval.jobs.calibrate import calibration_of

BINS = 10
ROUNDS = 1000
FOLDS = 5
SMALL = frozenset(
    "a an the and or but not no of in on at to for from with without by as is are was be been it "
    "its this that these those i i'm im me my we us you your he she they them do does did have has "
    "had can could would should will want need like looking look see watch watching seen some any "
    "something anything one ones more less much very really too so just please thanks give show "
    "find recommend movie movies film films flick flicks what which who when where how there about "
    "if than then up out i'd i've don't isn't let's got get good great".split()
)
"""Words that no one would keep in a telegram: content words are the others."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Read:
    """What the enhancer said of each labelled request, beside both labellers."""

    chances: Floats
    """(n, 5)."""
    first: Bools
    second: Bools
    confidence: Floats
    """Of the requests that have a primary intent."""
    primary_right: Bools
    words_right: Bools
    """Per request with marked words: whether one of its two heaviest content words is marked."""
    random_right: Floats
    """The same, for two content words drawn at random: the chance."""

    @property
    def f1(self) -> Estimate:
        """Macro-F1 against the first labeller, requests drawn."""
        return _bootstrapped(
            lambda rows: macro_f1(self.chances[rows] > 0.5, self.first[rows]), len(self.first)
        )

    @property
    def f1_of_second(self) -> float:
        """What the second labeller reaches against the first."""
        return macro_f1(self.second, self.first)

    @property
    def ece(self) -> Estimate:
        """As it ships."""
        return self._ece(self.chances)

    @property
    def ece_cross_fitted(self) -> Estimate:
        """Calibrated anew on four fifths of the labelled requests, measured on the fifth."""
        logits = np.log(self.chances / (1 - self.chances)).astype(np.float32)
        fold = np.random.default_rng(0).permutation(len(logits)) % FOLDS
        out = np.zeros_like(self.chances)
        for n in range(FOLDS):
            fitted = calibration_of(logits[fold != n], self.first[fold != n])
            x = logits[fold == n] * np.array(fitted.scale) + np.array(fitted.shift)
            out[fold == n] = 1 / (1 + np.exp(-x))
        return self._ece(out)

    def _ece(self, chances: Floats) -> Estimate:
        return _bootstrapped(
            lambda rows: expected_error(chances[rows].ravel(), self.first[rows].ravel()),
            len(chances),
        )


def read_all(labelled: Sequence[Labelled], said: Sequence[Analysis]) -> Read:
    """Compare what was read with what was labelled."""
    first, second = (
        np.array([[name in one.intents[who] for name in NAMES] for one in labelled])
        for who in (0, 1)
    )
    chances = np.array([[a.all_intents[name] for name in NAMES] for a in said])
    sure = [n for n, a in enumerate(said) if a.primary_intent is not None]
    right = [said[n].primary_intent in labelled[n].intents[0] for n in sure]
    words = [_words(one, a) for one, a in zip(labelled, said, strict=True) if one.marked[0]]
    return Read(
        np.clip(chances, 1e-4, 1 - 1e-4),
        first,
        second,
        np.array([said[n].confidence or 0.0 for n in sure]),
        np.array(right),
        np.array([hit for hit, _ in words]),
        np.array([chance for _, chance in words]),
    )


def _words(one: Labelled, said: Analysis) -> tuple[bool, float]:
    marked = {fold_word(word) for word in one.marked[0] | one.marked[1]}
    content = [w for w in said.weights if w.lower() not in SMALL] or list(said.weights)
    heaviest = sorted(content, key=lambda w: -said.weights[w])[:2]
    hit = any(fold_word(word) in marked for word in heaviest)
    right = sum(fold_word(word) in marked for word in content)
    wrong, n = len(content) - right, len(content)
    missed = wrong * (wrong - 1) / (n * (n - 1)) if n > 1 else float(wrong)
    return hit, 1 - missed


def fold_word(word: str) -> str:
    """For comparing marks: small letters, no punctuation around."""
    return re.sub(r"^\W+|\W+$", "", word.lower())


def macro_f1(found: Bools, true: Bools) -> float:
    """The mean over intents of F1."""
    both = (found & true).sum(axis=0)
    return float(np.mean(2 * both / np.maximum(found.sum(axis=0) + true.sum(axis=0), 1)))


def expected_error(chances: Floats, true: Bools) -> float:
    """Mean distance of probability and frequency over bins of equal mass."""
    order = np.argsort(chances, kind="stable")
    gaps = [
        abs(chances[part].mean() - true[part].mean()) * len(part)
        for part in np.array_split(order, BINS)
        if len(part)
    ]
    return float(sum(gaps) / len(chances))


def share(values: Bools | Floats) -> Estimate:
    """A mean over requests with its interval."""
    return _bootstrapped(lambda rows: float(values[rows].mean()), len(values))


def _bootstrapped(measure: Callable[[Rows], float], n: int) -> Estimate:
    rng = np.random.default_rng(0)
    draws = [measure(rng.integers(0, n, n)) for _ in range(ROUNDS)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return Estimate(measure(np.arange(n)), float(low), float(high), n)
