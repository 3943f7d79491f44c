"""`python -m evals.recorded.train_moves`: fit retrieval/nlu/moves.py on our utterances.

Knows the patterns of utterances.txt, how they unfold, and multinomial logistic regression in numpy.
Does not know any data set of others. Writes retrieval/nlu/moves.json; the same patterns and seed
give the same file.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evals.place import ROOT
from evals.recorded.rank_input import InputProblem
from retrieval.nlu.moves import AFTERS, MOVES, WEIGHTS, After, Move, features, sentences

UTTERANCES = Path(__file__).with_name("utterances.txt")
TARGET = ROOT / "retrieval" / "nlu" / WEIGHTS
UNFOLDED = 40
"""Utterances made of one pattern at most; patterns weigh the square root of what they make."""
STEPS = 400
RATE = 0.05
L2 = 0.0015
"""Per weight, relative to the mean loss."""
SMALLEST = 0.05
"""Weights below are left out of the file."""
_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
FILLERS = {
    "title": ("TITLE",),
    "genre": ("GENRE",),
    "person": ("PERSON",),
    "decade": ("YEAR", "eighties", "past few years"),
    "mood": tuple(
        "funny scary light uplifting sad smart exciting romantic relaxing dark moving silly epic "
        "creepy".split()
    ),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence as the reader sees it, after what, with its move and weight."""

    words: str
    after: After
    move: Move
    weight: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description="Fit nlu/moves.json on our own utterances.")
    parser.add_argument("--output", type=Path, default=TARGET)
    given = parser.parse_args(arguments)
    examples = read_examples(UTTERANCES, random.Random(0))
    weights = fit(examples)
    given.output.write_text(written(weights), "utf-8")
    print(f"{len(examples)} utterances, {len(weights)} features -> {given.output}")


def written(weights: Mapping[str, Sequence[float]]) -> str:
    """One feature a line, so that a change of the file can be read."""
    rows = (
        f"{json.dumps(f)}:{json.dumps(weights[f], separators=(',', ':'))}" for f in sorted(weights)
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


def read_examples(path: Path, rng: random.Random) -> list[Example]:
    """Every pattern unfolded. Raises: InputProblem."""
    found: list[Example] = []
    afters: tuple[After, ...] = ()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        where = f"{path} line {number}"
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            afters = _afters(line.strip("[] "), where)
            continue
        move, tab, pattern = line.partition("\t")
        if not tab or move not in MOVES or not afters:
            raise InputProblem(f"{where}: a line is a move, a tab and a pattern, under a [section]")
        texts = unfolded(pattern, rng)
        weight = len(texts) ** -0.5 / len(afters) ** 0.5
        found += [
            Example(s, after, move, weight)
            for text in texts
            for s in sentences(text)[-1:]
            for after in afters
        ]
    return found


def _afters(name: str, where: str) -> tuple[After, ...]:
    if name == "any":
        return AFTERS
    if name not in AFTERS:
        raise InputProblem(f"{where}: [{name}] is none of {', '.join(AFTERS)}, any")
    return (name,)


def unfolded(pattern: str, rng: random.Random) -> list[str]:
    """Different utterances of a pattern, at most UNFOLDED, in a fixed order."""
    found: dict[str, None] = {}
    for _ in range(UNFOLDED * 3):
        text = _CHOICE.sub(lambda m: rng.choice(m.group(1).split("|")), pattern)
        text = _SLOT.sub(lambda m: rng.choice(FILLERS[m.group(1)]), text)
        found[" ".join(text.split())] = None
        if len(found) >= UNFOLDED:
            break
    return [text for text in found if text]


def fit(examples: Sequence[Example]) -> dict[str, list[float]]:
    """Multinomial logistic regression with L2, by Adam over the whole set."""
    rows = [list(features(e.words, e.after)) for e in examples]
    counts = Counter(f for row in rows for f in row)
    names = sorted(f for f, n in counts.items() if n > 1)
    place = {name: i for i, name in enumerate(names)}
    lists = [[place[f] for f in row if f in place] + [len(names)] for row in rows]
    y = np.array([MOVES.index(e.move) for e in examples])
    share = np.array([e.weight for e in examples])
    w = _descend(lists, y, share / share.sum())
    weights = {name: [round(float(v), 2) for v in w[i]] for name, i in place.items()}
    kept = {name: row for name, row in weights.items() if max(map(abs, row)) >= SMALLEST}
    return {"bias": [round(float(v), 2) for v in w[-1]], **kept}


def _descend(
    lists: Sequence[Sequence[int]], y: npt.NDArray[np.int64], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Weights by feature and move; `lists`: the features of each example, the bias last."""
    sizes = np.array([len(row) for row in lists])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    flat = np.concatenate([np.array(row) for row in lists])
    w = np.zeros((int(flat.max()) + 1, len(MOVES)))
    first, second = np.zeros_like(w), np.zeros_like(w)
    gold = np.eye(len(MOVES))[y]
    for step in range(1, STEPS + 1):
        scores = np.add.reduceat(w[flat], starts)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = (powers / powers.sum(axis=1, keepdims=True) - gold) * share[:, None]
        spread = np.repeat(error, sizes, axis=0)
        columns = [np.bincount(flat, spread[:, k], minlength=len(w)) for k in range(len(MOVES))]
        slope = np.stack(columns, axis=1) + L2 * w
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        w -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return w


if __name__ == "__main__":
    main()
