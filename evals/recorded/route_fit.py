"""An experiment: how well the same words route when their weights are fitted on labelled turns.

Knows one-vs-rest logistic regression over the router's own features, cross-validated by
conversation. Nothing fitted here ships: the data are for evaluation only. Called by
route_command.py.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from agent.events import Act
from evals.recorded.route import ROUTED, Pair, Routed
from retrieval.nlu.moves import features, masked, sentences

FOLDS: Final = 5
STEPS: Final = 150
RATE: Final = 0.05
L2: Final = 0.0005
"""Per weight, relative to the mean loss."""
LIKELY: Final = 0.5


def cross_validated(turns: Sequence[Routed], folds: int = FOLDS) -> list[Pair]:
    """(labels, predicted) of every turn, fitted on the conversations of the other folds."""
    names = sorted({t.dialogue_id for t in turns})
    fold_of = {name: i % folds for i, name in enumerate(names)}
    rows = [_features(t) for t in turns]
    found: list[Pair] = []
    for fold in range(folds):
        train = [i for i, t in enumerate(turns) if fold_of[t.dialogue_id] != fold]
        test = [i for i, t in enumerate(turns) if fold_of[t.dialogue_id] == fold]
        if train and test:
            found += _fold(turns, rows, train, test)
    return found


def _features(turn: Routed) -> list[str]:
    """The words of the whole turn, what came before, and what the shipped router says."""
    cut = sentences(masked(turn.heard.text, turn.heard.marks))
    words = {f for s in cut for f in features(s, turn.after)}
    return sorted(words | {f"routed {act}" for act in turn.routed} | {f"turn {turn.after}"})


def _fold(
    turns: Sequence[Routed],
    rows: Sequence[Sequence[str]],
    train: Sequence[int],
    test: Sequence[int],
) -> list[Pair]:
    counts = Counter(f for i in train for f in rows[i])
    place = {f: n for n, f in enumerate(sorted(f for f, c in counts.items() if c > 1))}
    x = _matrix([rows[i] for i in train], place)
    y = np.array([[float(act in turns[i].gold) for act in ROUTED] for i in train])
    scores = _matrix([rows[i] for i in test], place) @ _weights(x, y)
    found: list[Pair] = []
    for i, row in zip(test, 1 / (1 + np.exp(-scores)), strict=True):
        likely = {act for act, p in zip(ROUTED, row, strict=True) if p >= LIKELY}
        best: Act = ROUTED[int(row.argmax())]
        found.append((turns[i].gold, frozenset(likely or {best})))
    return found


def _matrix(rows: Sequence[Sequence[str]], place: dict[str, int]) -> npt.NDArray[np.float64]:
    x = np.zeros((len(rows), len(place) + 1))
    x[:, -1] = 1.0
    for i, row in enumerate(rows):
        x[i, [place[f] for f in row if f in place]] = 1.0
    return x


def _weights(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    w = np.zeros((x.shape[1], y.shape[1]))
    first, second = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, STEPS + 1):
        slope = x.T @ (1 / (1 + np.exp(-(x @ w))) - y) / len(x) + L2 * w
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        w -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return w
