"""Trains a ranker for each fold of dialogues: python -m retrieval.jobs.train_folds --help.

Knows folds and what lies in their folders:

    DIR/folds.json          {"folds": {dialogue_id: fold}}
    DIR/fold-N/ranker.json  trained on the dialogues of all folds but N
    DIR/fold-N/without/GROUP.json   with --without-each: the same, blind to a group of features

`python -m evals rank --models DIR` reads them and never trains. Does not know how a ranker learns
(train_ranker.py). Needs the extra `train`.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.jobs.train_ranker import as_json, new_parser, opened, train
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


def main(arguments: list[str] | None = None) -> int:
    """Train one ranker a fold."""
    parser = new_parser("Train a ranker for each fold of dialogues.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the folds")
    parser.add_argument(
        "--without-each", action="store_true", help="also one blind to each group of features"
    )
    given, cases = opened(parser, arguments)
    every = sorted(set(cases.folds.values()))
    for fold in every:
        folder = given.out / f"fold-{fold}"
        shutil.rmtree(folder / WITHOUT, ignore_errors=True)  # of other cases
        (folder / WITHOUT).mkdir(parents=True)
        others = cases.of_folds([other for other in every if other != fold])
        _write(train(others), folder / ARTIFACT)
        for group, columns in LEFT_OUT.items() if given.without_each else ():
            _write(train(others, columns), folder / WITHOUT / f"{group}.json")
    (given.out / FOLDS).write_text(json.dumps({"folds": dict(cases.folds)}), "utf-8")
    return 0


def _write(artifact: dict[str, Any], file: Path) -> None:
    file.write_text(as_json(artifact), "utf-8")
    print(f"{file}: {artifact['trained_on']}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
