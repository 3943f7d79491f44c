"""What was trained per fold of dialogues: DIR/fold-N/{ranker.json,enhancer.onnx}, DIR/folds.json.

Knows the folder (retrieval/jobs/train_folds.py says what lies in it) and which model may see which
dialogue. Does not train anything: train_folds.py and train_enhancer.py in retrieval/jobs/ do.
Called by rank.py, signal.py, cases.py and enhancer.py.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from evals.place import ROOT
from evals.recorded.rank_input import InputProblem
from evals.recorded.worlds import World
from retrieval.encoder import EncoderIdentity
from retrieval.enhancer import MODEL, Enhancer, EnhancerRefused
from retrieval.jobs.train_folds import ARTIFACT, FOLDS, LEFT_OUT, WITHOUT, without
from retrieval.ranker import Ranker, RankerRefused

MODELS = ROOT / "data" / "evals" / "models"
"""Where `figures` looks for them; never committed."""
HOW = "python -m evals cases --nested, then python -m retrieval.jobs.train_folds"
TRAIN = "python -m retrieval.jobs.train_enhancer --folds"


@dataclass(frozen=True)
class Models:
    """One ranker for each fold; that of a fold never saw its dialogues."""

    folds: Mapping[str, int]
    """{dialogue_id: its fold}."""
    rankers: Mapping[int, Ranker]
    folder: Path
    blind: Mapping[int, Mapping[str, Ranker]] = field(default_factory=dict)
    """{fold: {group of features: the ranker that may not look at it}}, where they were trained."""

    def check(self, folds: Mapping[str, int]) -> None:
        """Counts and rankers must be out of the same folds. Raises: InputProblem."""
        if dict(self.folds) != dict(folds):
            raise InputProblem(f"--models were trained on other folds of dialogues: {HOW}")

    def ranker(self, dialogue_id: str) -> Ranker:
        """The one that did not see a dialogue; of a dialogue that none saw, any."""
        return self.rankers[self.folds.get(dialogue_id, min(self.rankers))]

    def into(self, world: World, dialogue_id: str) -> World:
        """A world with the models that did not see a dialogue. Raises: InputProblem."""
        fold = self.folds.get(dialogue_id, min(self.rankers))
        enhancer = enhancer_of(self.folder, fold, world.encoder.identity)
        blind = self.blind.get(fold, {})
        return replace(world, ranker=self.rankers[fold], blind=blind, enhancer=enhancer)


def enhancer_of(folder: Path, fold: int, encoder: EncoderIdentity) -> Enhancer | None:
    """The enhancer of a fold, if it has one; else vectors stay plain. Raises: InputProblem."""
    return enhancer_without(folder, [fold], encoder)


def enhancer_without(
    folder: Path, folds: Collection[int], encoder: EncoderIdentity
) -> Enhancer | None:
    """The one that saw none of these folds (one, or two if nested), as `enhancer_of`.

    Raises: InputProblem.
    """
    file = folder / without(*folds) / MODEL
    if not file.exists():
        if len(folds) > 1 and enhancer_of(folder, min(folds), encoder):
            raise InputProblem(f"{file} is not there; train it: {TRAIN} {folder} --nested")
        return None
    try:
        return Enhancer.load(file, encoder)
    except EnhancerRefused as refused:
        raise InputProblem(f"{refused}; train it: {TRAIN} {folder}") from None


def enhancers_in(folder: Path, encoder: EncoderIdentity, folds: int) -> dict[int, Enhancer]:
    """{fold: its enhancer}; empty unless every fold has one. Raises: InputProblem."""
    found = {fold: enhancer_of(folder, fold, encoder) for fold in range(folds)}
    there = {fold: enhancer for fold, enhancer in found.items() if enhancer is not None}
    return there if len(there) == folds else {}


def read_models(folder: Path) -> Models:
    """Raises: InputProblem."""
    try:
        folds = {
            str(d): int(f) for d, f in json.loads((folder / FOLDS).read_text())["folds"].items()
        }
        rankers = {f: Ranker.load(folder / f"fold-{f}" / ARTIFACT) for f in set(folds.values())}
        blind = _blind(folder, rankers)
    except (OSError, ValueError, KeyError, AttributeError, RankerRefused) as error:
        raise InputProblem(
            f"--models {folder} cannot be used ({error}): make it with {HOW}"
        ) from None
    if not rankers:
        raise InputProblem(f"--models {folder} has no fold: make it with {HOW}")
    return Models(folds, rankers, folder, blind)


def _blind(folder: Path, folds: Collection[int]) -> dict[int, dict[str, Ranker]]:
    """Those that every fold has: a row of figures needs all of them."""
    files = {f: {g: folder / f"fold-{f}" / WITHOUT / f"{g}.json" for g in LEFT_OUT} for f in folds}
    groups = [g for g in LEFT_OUT if all(of[g].exists() for of in files.values())]
    return {f: {g: Ranker.load(of[g]) for g in groups} for f, of in files.items()}
