"""Trains a ranker for each fold of dialogues: python -m retrieval.jobs.train_folds --help.

Knows folds and what lies in their folders:

    DIR/folds.json          {"folds": {dialogue_id: fold}}
    DIR/fold-N/ranker.json  trained on the dialogues of all folds but N

`python -m evals rank --models DIR` reads them and never trains. Does not know how a ranker learns
(train_ranker.py). Needs the extra `train`.
"""

import json
import sys
from pathlib import Path

from retrieval.jobs.train_ranker import as_json, new_parser, opened, train

FOLDS = "folds.json"
ARTIFACT = "ranker.json"


def main(arguments: list[str] | None = None) -> int:
    """Train one ranker a fold."""
    parser = new_parser("Train a ranker for each fold of dialogues.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the folds")
    given, cases = opened(parser, arguments)
    every = sorted(set(cases.folds.values()))
    for fold in every:
        folder = given.out / f"fold-{fold}"
        folder.mkdir(parents=True, exist_ok=True)
        artifact = train(cases.of_folds([other for other in every if other != fold]))
        (folder / ARTIFACT).write_text(as_json(artifact), "utf-8")
        print(f"{folder / ARTIFACT}: {artifact['trained_on']}", flush=True)
    (given.out / FOLDS).write_text(json.dumps({"folds": dict(cases.folds)}), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
