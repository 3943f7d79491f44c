"""Trains a ranker for each fold of dialogues: python -m retrieval.jobs.train_folds --help.

Knows folds and what lies in their folders:

    DIR/folds.json                  {"folds": {dialogue_id: fold}}
    DIR/fold-N/ranker.json          trained on the dialogues of all folds but N
    DIR/fold-N/without/GROUP.json   with --without-each: the same, blind to a group of features
    DIR/fold-N/enhancer.onnx        of train_enhancer.py: trained on all folds but N
    DIR/without-M-N/enhancer.onnx   on all but M and N: what the ranker of M sees of N, and of M, N

Nested: `python -m evals cases --nested` writes the turns of each ranker, with features that know
nothing of its fold. `python -m evals rank --models DIR` reads the rankers and never trains. Does
not know how a ranker learns (train_ranker.py). Needs the extra `train`.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from retrieval.jobs.train_ranker import as_json, train
from retrieval.rank_cases import CASES, Cases, CasesRefused
from retrieval.rank_features import NAMES, OF_SEEDS, WHAT

FOLDS = "folds.json"
ARTIFACT = "ranker.json"
WITHOUT = "without"
LEFT_OUT: Mapping[str, list[int]] = {
    group: [i for i, name in enumerate(NAMES) if name in names or name.startswith(opening)]
    for group, opening, names in (
        ("leg ranks", ("rank ",), ()),
        ("leg scores", ("score ", "share "), ()),
        ("agreement", (), ("legs", "legs top", "fused")),
        ("fame", (), ("known", "known gap", "rating", "named", "query seeds known")),
        ("years", (), ("year", "year gap", "year gap last", "query seeds year")),
        ("seeds", (), OF_SEEDS),
        ("order of seeds", (), ("list last", "together last", "genres last", "year gap last")),
        ("wishes", (), (*(f"{what} tags" for what in WHAT), "query wishes", "query required")),
        ("enhancer", (), tuple(f"{what} dense" for what in WHAT)),
    )
}
"""{group of features: its columns}; what each is worth is what a ranker loses that is blind to it.

Blind to `enhancer`, a ranker still has candidates that the enhanced vector found."""


def without(*folds: int) -> str:
    """The folder of what was trained without these one or two folds."""
    return "-".join(["fold" if len(folds) == 1 else "without", *map(str, sorted(folds))])


def pairs_of(folds: Sequence[int]) -> list[tuple[int, int]]:
    """Every two folds, once."""
    return list(combinations(sorted(folds), 2))


def main(arguments: list[str] | None = None) -> int:
    """Train one ranker a fold."""
    parser = argparse.ArgumentParser(description="Train a ranker for each fold of dialogues.")
    parser.add_argument("--cases", type=Path, required=True, help="folder: `evals cases --nested`")
    parser.add_argument("--out", type=Path, required=True, help="folder of the folds")
    parser.add_argument(
        "--without-each", action="store_true", help="also one blind to each group of features"
    )
    given = parser.parse_args(arguments)
    try:
        of = _train_all(given.cases, given.out, LEFT_OUT if given.without_each else {})
    except CasesRefused as refused:
        parser.exit(2, f"{parser.prog}: {refused}\n")
    (given.out / FOLDS).write_text(json.dumps({"folds": dict(of)}), "utf-8")
    return 0


def _train_all(cases: Path, out: Path, blind: Mapping[str, Sequence[int]]) -> Mapping[str, int]:
    """{dialogue_id: its fold}, as all cases say. Raises: CasesRefused."""
    of = Cases.load(cases / CASES.format(fold=0)).folds
    for fold in sorted(set(of.values())):
        others = Cases.load(cases / CASES.format(fold=fold))
        if others.folds != of or fold in {of.get(dialogue) for dialogue in others.dialogues}:
            raise CasesRefused(f"{cases} is not of `evals cases --nested`: fold {fold} sees itself")
        folder = out / without(fold)
        shutil.rmtree(folder / WITHOUT, ignore_errors=True)  # of other cases
        (folder / WITHOUT).mkdir(parents=True)
        _write(train(others), folder / ARTIFACT)
        for group, columns in blind.items():
            _write(train(others, columns), folder / WITHOUT / f"{group}.json")
    return of


def _write(artifact: dict[str, Any], file: Path) -> None:
    file.write_text(as_json(artifact), "utf-8")
    print(f"{file}: {artifact['trained_on']}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
