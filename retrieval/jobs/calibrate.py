"""From logits to probabilities that mean what they say, fitted on requests held out of training.

Knows Platt scaling per intent and a rising curve (isotonic regression) for the confidence of the
primary one, in numpy. Pure. Called by train_enhancer.py and `python -m evals enhancer`.
"""

import numpy as np
import numpy.typing as npt

from retrieval.enhancer import Calibration

Floats = npt.NDArray[np.float64]
STEPS = 200
PRIOR = 1.0
"""Pull of scale towards 1 and shift towards 0: held-out templates are too easy to be trusted."""
POINTS = 12
"""Of the curve: equal numbers of requests between two of them."""


def calibration_of(logits: npt.NDArray[np.float32], true: npt.NDArray[np.bool_]) -> Calibration:
    """Fit on (n, intents) logits and what was true."""
    x, y = logits.astype(np.float64), true.astype(np.float64)
    fitted = [_platt(x[:, j], y[:, j]) for j in range(x.shape[1])]
    scale, shift = (np.array(values) for values in zip(*fitted, strict=True))
    chances = 1 / (1 + np.exp(-(x * scale + shift)))
    best = chances.argmax(1)
    rows = np.arange(len(x))
    primary, confidence = _rising(chances[rows, best], y[rows, best])
    return Calibration(
        scale=tuple(scale.tolist()),
        shift=tuple(shift.tolist()),
        primary=tuple(primary.tolist()),
        confidence=tuple(confidence.tolist()),
    )


def _platt(x: Floats, y: Floats) -> tuple[float, float]:
    """Logistic regression of one feature, by Newton's method."""
    w = np.array([1.0, 0.0])
    design = np.stack([x, np.ones_like(x)], axis=1)
    prior = np.array([1.0, 0.0])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-design @ w))
        gradient = design.T @ (p - y) + PRIOR * (w - prior)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + PRIOR * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        w = w - step
        if np.abs(step).max() < 1e-9:
            break
    return float(w[0]), float(w[1])


def _rising(p: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Means of equal-mass bins, made to rise by pooling neighbours that fall."""
    order = np.argsort(p, kind="stable")
    bins = [part for part in np.array_split(order, POINTS) if len(part)]
    pools = [[float(p[part].mean()), float(right[part].mean()), len(part)] for part in bins]
    i = 0
    while i + 1 < len(pools):
        if pools[i][1] > pools[i + 1][1]:
            (xa, ya, na), (xb, yb, nb) = pools[i], pools[i + 1]
            n = na + nb
            pools[i : i + 2] = [[(xa * na + xb * nb) / n, (ya * na + yb * nb) / n, n]]
            i = max(i - 1, 0)
        else:
            i += 1
    return np.array([pool[0] for pool in pools]), np.array([pool[1] for pool in pools])
