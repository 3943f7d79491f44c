"""Trains the ranker that ships: python -m retrieval.jobs.train_ranker --help.

Knows LightGBM and the artifact (JSON). Does not know how features are made: `python -m evals cases`
writes them, out of fold, since it takes the agent to understand a turn. Run by hand when legs,
knowledge or features change; needs the extra `train`. The same cases give the same file.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.rank_cases import Cases, CasesRefused
from retrieval.rank_features import NAMES
from retrieval.ranker import MAX_LEAVES, RANKER

TREES = 60
SEEDS = tuple(range(9))
"""Rankers that differ by chance alone are averaged: each has few targets to learn from.

R@10 gained on ReDial dev turns over the fixed weights, strictly out of fold: three draws of three
+.009, +.009 and +.012, all nine +.011; what comes of it rests less on which seeds were drawn. Nine
cost a search 0.6 ms more than three. Chosen on those turns.
"""
PARAMETERS: dict[str, Any] = {
    "objective": "lambdarank",
    "label_gain": [0, 1, 3],
    "lambdarank_truncation_level": 12,
    "learning_rate": 0.08,
    "num_leaves": 8,
    "min_data_in_leaf": 150,
    "max_bin": 63,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
"""Few leaves and few features a tree: there are some 1,500 found targets to learn from."""


def main(arguments: list[str] | None = None) -> int:
    """Read, train on every dialogue, write."""
    parser = argparse.ArgumentParser(description="Train the ranker on cases of `evals cases`.")
    parser.add_argument("--cases", type=Path, required=True, help="what `evals cases` wrote")
    parser.add_argument("--out", type=Path, default=RANKER, help="the artifact (ranker.json)")
    given = parser.parse_args(arguments)
    try:
        cases = Cases.load(given.cases)
    except CasesRefused as refused:
        parser.exit(2, f"{parser.prog}: {refused}\n")
    given.out.write_text(as_json(train(cases)), "utf-8")
    print(f"{given.out}: {TREES * len(SEEDS)} trees, {given.out.stat().st_size / 1024:.0f} KB")
    return 0


def train(cases: Cases, without: Sequence[int] = ()) -> dict[str, Any]:
    """The artifact of a ranker that has seen these cases and no others.

    Args: without: columns that it may not look at.
    """
    import lightgbm

    turn = np.repeat(np.arange(len(cases.sizes)), cases.sizes)
    told = np.bincount(turn, cases.labels > 0, len(cases.sizes)) > 0
    rows = told[turn]  # a turn without a found film teaches nothing
    table = cases.table[rows]
    table[:, list(without)] = 0.0
    trees: list[dict[str, Any]] = []
    data = lightgbm.Dataset(
        table, cases.labels[rows], group=cases.sizes[told], params=dict(PARAMETERS)
    )
    for seed in SEEDS:
        booster = lightgbm.train({**PARAMETERS, "seed": seed}, data, TREES)
        trees += [_flat(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    return {
        "trained_on": f"{int(told.sum())} turns of {len(set(cases.dialogues))} ReDial dialogues",
        "features": list(NAMES),
        "trees": [tree for tree in trees if tree["splits"]],
    }


def as_json(artifact: dict[str, Any]) -> str:
    """One line a tree, so that two versions can be compared."""
    trees = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in artifact["trees"])
    head = {name: value for name, value in artifact.items() if name != "trees"}
    return f'{json.dumps(head)[:-1]}, "trees": [\n{trees}\n]}}\n'


def _flat(root: dict[str, Any]) -> dict[str, Any]:
    """Leaves from left to right, and the splits.

    Of each split: its column, the last value that goes left, the first leaf on its left and how
    many there are.
    """
    leaves: list[float] = []
    splits: list[list[float]] = []

    def walk(node: dict[str, Any]) -> None:
        if "leaf_value" in node:
            leaves.append(round(float(node["leaf_value"]) / len(SEEDS), 6))
            return
        first = len(leaves)
        walk(node["left_child"])
        value = _not_above(float(node["threshold"]))
        splits.append([node["split_feature"], value, first, len(leaves) - first])
        walk(node["right_child"])

    walk(root)
    if len(leaves) > MAX_LEAVES:
        raise ValueError(f"a tree of {len(leaves)} leaves: {MAX_LEAVES} is the most that is served")
    return {"splits": splits, "leaves": leaves}


def _not_above(threshold: float) -> float:
    """The largest float32 up to a threshold: features are float32 and must split as in training."""
    near = np.float32(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))


if __name__ == "__main__":
    sys.exit(main())
